//! The k-th call of a store fails, for each k: before it has done anything, or after it has done all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_provider::{
    Capabilities, Changes, Key, MemoryStore, Page, Patched, Precondition, Projection, Query, Resource, ResourceType,
    Store, StoreError,
};
use scim_sql_store::{Caller, SqlStore};

use super::world::{INTERNAL, Ids, World, requests};

/// How many calls a request makes, at most.
const CALLS: usize = 20;

#[derive(Clone, Copy, Debug)]
enum Failure {
    Backend,
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Before,
    After,
}

/// Which call fails, and how.
struct Fault {
    calls: AtomicUsize,
    at: usize,
    failure: Failure,
    moment: Moment,
}

/// A store with a fault. Users and groups share it.
struct Faulty<S> {
    store: S,
    fault: Arc<Fault>,
}

impl<S: Sync> Faulty<S> {
    async fn call<T: Send>(&self, call: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        let fault = &self.fault;
        let due = fault.calls.fetch_add(1, Ordering::SeqCst) + 1 == fault.at;
        let error = || match fault.failure {
            Failure::Backend => StoreError::backend(INTERNAL),
            Failure::Unavailable => StoreError::unavailable(7).with_source(INTERNAL),
        };
        if due && fault.moment == Moment::Before {
            return Err(error());
        }
        let done = call.await;
        if due { Err(error()) } else { done }
    }
}

impl<S: Store<Context = Caller>> Store for Faulty<S> {
    type Context = Caller;

    async fn get(&self, cx: &Caller, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.call(self.store.get(cx, key, want)).await
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.call(self.store.list(cx, ty, query)).await
    }

    async fn create(&self, cx: &Caller, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.call(self.store.create(cx, ty, draft)).await
    }

    async fn replace(
        &self,
        cx: &Caller,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.call(self.store.replace(cx, key, new, when)).await
    }

    async fn delete(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        self.call(self.store.delete(cx, key, when)).await
    }

    async fn patch(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        self.call(self.store.patch(cx, key, changes, when, want)).await
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

/// A store of which there can be many.
trait Stores {
    type Users: Store<Context = Caller>;
    type Groups: Store<Context = Caller>;

    async fn new() -> Self;
    fn users(&self) -> Self::Users;
    fn groups(&self) -> Self::Groups;
}

impl Stores for SqlStore {
    type Users = scim_sql_store::Users;
    type Groups = scim_sql_store::Groups;

    async fn new() -> Self {
        Self::open("sqlite::memory:").await.unwrap()
    }

    fn users(&self) -> Self::Users {
        self.users()
    }

    fn groups(&self) -> Self::Groups {
        self.groups()
    }
}

impl Stores for MemoryStore<Caller> {
    type Users = Self;
    type Groups = Self;

    async fn new() -> Self {
        Self::new()
    }

    fn users(&self) -> Self {
        self.clone()
    }

    fn groups(&self) -> Self {
        self.clone()
    }
}

/// A filled world without a fault, and the same with one.
async fn worlds<S: Stores>(fault: Fault) -> (World, World, Ids) {
    let store = S::new().await;
    let sound = World::new(store.users(), store.groups());
    let ids = sound.fill().await;
    let fault = Arc::new(fault);
    let users = Faulty { store: store.users(), fault: Arc::clone(&fault) };
    let faulty = World::new(users, Faulty { store: store.groups(), fault });
    (sound, faulty, ids)
}

async fn each_call_fails<S: Stores>(failure: Failure, moment: Moment) {
    for ask in requests() {
        let what = format!("{} {}, {failure:?} {moment:?} call", ask.method, ask.path);
        let (sound, _, ids) = worlds::<S>(Fault { calls: 0.into(), at: 0, failure, moment }).await;
        assert!(sound.send(&ids, &ask).await.status.is_success(), "{what}");
        let after = ids.take_out_of(&sound.everything().await);

        let mut at = 1;
        loop {
            let (sound, faulty, ids) = worlds::<S>(Fault { calls: 0.into(), at, failure, moment }).await;
            let before = sound.everything().await;
            let answer = faulty.send(&ids, &ask).await;
            let now = sound.everything().await;
            if answer.status.is_success() {
                assert_eq!(ids.take_out_of(&now), after, "{what}: without a fault");
                break;
            }
            match failure {
                Failure::Backend => answer.assert_is_failure(500, None, Some(INTERNAL), &what),
                Failure::Unavailable => answer.assert_is_failure(503, Some("7"), Some(INTERNAL), &what),
            }
            let whole = now == before || moment == Moment::After && ids.take_out_of(&now) == after;
            assert!(whole, "{what} {at} leaves {now:#}\nbefore {before:#}\nafter {after:#}");
            at += 1;
            assert!(at < CALLS, "{what}: more calls than that");
        }
        assert!(at > 1, "{what}: no call failed");
    }
}

async fn each_call_fails_in_each_way<S: Stores>() {
    for failure in [Failure::Backend, Failure::Unavailable] {
        for moment in [Moment::Before, Moment::After] {
            each_call_fails::<S>(failure, moment).await;
        }
    }
}

#[tokio::test]
async fn a_store_in_memory_that_fails_leaves_nothing_half_made() {
    each_call_fails_in_each_way::<MemoryStore<Caller>>().await;
}

#[tokio::test]
async fn a_store_in_sqlite_that_fails_leaves_nothing_half_made() {
    each_call_fails_in_each_way::<SqlStore>().await;
}
