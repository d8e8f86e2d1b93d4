//! The k-th call of a store fails, for each k: before it has done anything, or after it has done all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_provider::{
    Capabilities, Changes, Key, MemoryStore, Page, Patched, Precondition, Projection, Query, Resource, ResourceType,
    ResourceWriter, Store, StoreError,
};
use scim_sql_store::{Caller, SqlStore};

use super::world::{INTERNAL, Ids, World, bulk, bulk_operations, requests};

/// How many calls a request makes, at most.
const CALLS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq)]
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

    async fn show(&self, cx: &Caller, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        self.call(self.store.show(cx, key, writer)).await
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

/// A store that can be shared out: users and groups, of as many tenants as there are worlds.
trait Stores: Sync {
    fn users(&self) -> impl Store<Context = Caller> + 'static;
    fn groups(&self) -> impl Store<Context = Caller> + 'static;
}

impl Stores for SqlStore {
    fn users(&self) -> impl Store<Context = Caller> + 'static {
        self.users()
    }

    fn groups(&self) -> impl Store<Context = Caller> + 'static {
        self.groups()
    }
}

impl Stores for MemoryStore<Caller> {
    fn users(&self) -> impl Store<Context = Caller> + 'static {
        self.clone()
    }

    fn groups(&self) -> impl Store<Context = Caller> + 'static {
        self.clone()
    }
}

/// A filled world without a fault, and the same with one. No other world is in their tenant.
async fn worlds(stores: &impl Stores, fault: Fault) -> (World, World, Ids) {
    static TENANTS: AtomicUsize = AtomicUsize::new(0);
    let tenant = format!("tenant-{}", TENANTS.fetch_add(1, Ordering::SeqCst));
    let sound = World::new(&tenant, stores.users(), stores.groups());
    let ids = sound.fill().await;
    let fault = Arc::new(fault);
    let users = Faulty { store: stores.users(), fault: Arc::clone(&fault) };
    let faulty = World::new(&tenant, users, Faulty { store: stores.groups(), fault });
    (sound, faulty, ids)
}

async fn each_call_fails(stores: &impl Stores, failure: Failure, moment: Moment) {
    for ask in requests() {
        let what = format!("{} {}, {failure:?} {moment:?} call", ask.method, ask.path);
        let (sound, _, ids) = worlds(stores, Fault { calls: 0.into(), at: 0, failure, moment }).await;
        assert!(sound.send(&ids, &ask).await.status.is_success(), "{what}");
        let after = ids.take_out_of(&sound.everything().await);

        let mut at = 1;
        loop {
            let (sound, faulty, ids) = worlds(stores, Fault { calls: 0.into(), at, failure, moment }).await;
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

/// A bulk request says of each of its operations whether it has been carried out, and that is how it is.
async fn each_call_of_a_bulk_request_fails(stores: &impl Stores, failure: Failure, moment: Moment) {
    let operations = bulk_operations();
    let mut at = 1;
    loop {
        let what = format!("bulk, {failure:?} {moment:?} call {at}");
        let (sound, faulty, ids) = worlds(stores, Fault { calls: 0.into(), at, failure, moment }).await;
        let answer = faulty.send(&ids, &bulk(&operations)).await;
        let now = ids.take_out_of(&sound.everything().await);
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        assert!(!answer.body.contains(INTERNAL), "{what}: {}", answer.body);
        let told = answer.json();
        let statuses: Vec<u16> = told["Operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["status"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(statuses.len(), operations.len(), "{what}: {}", answer.body);
        let failed: Vec<usize> = (0..statuses.len()).filter(|n| statuses[*n] >= 300).collect();
        let expected = if failure == Failure::Backend { 500 } else { 503 };
        assert!(failed.iter().all(|n| statuses[*n] == expected), "{what}: {}", answer.body);

        // the operations that succeeded, one by one; and those together with the one that failed after it was done
        let mut possible = Vec::new();
        let undone = [failed.clone(), Vec::new()];
        for left_out in &undone[..if moment == Moment::After { 2 } else { 1 }] {
            let (sound, _, ids) = worlds(stores, Fault { calls: 0.into(), at: 0, failure, moment }).await;
            for (n, operation) in operations.iter().enumerate().filter(|(n, _)| !left_out.contains(n)) {
                let done = sound.send(&ids, operation).await;
                assert!(done.status.is_success(), "{what}: operation {n}: {}", done.body);
            }
            possible.push(ids.take_out_of(&sound.everything().await));
        }
        assert!(possible.contains(&now), "{what} says {statuses:?} and leaves {now:#}\nexpected {possible:#?}");
        if failed.is_empty() {
            break;
        }
        assert_eq!(failed.len(), 1, "{what}: {}", answer.body);
        at += 1;
        assert!(at < CALLS, "{what}: more calls than that");
    }
    assert!(at > operations.len(), "not every operation failed once");
}

async fn each_call_fails_in_each_way(stores: &impl Stores) {
    for failure in [Failure::Backend, Failure::Unavailable] {
        for moment in [Moment::Before, Moment::After] {
            each_call_fails(stores, failure, moment).await;
            each_call_of_a_bulk_request_fails(stores, failure, moment).await;
        }
    }
}

#[tokio::test]
async fn a_store_in_memory_that_fails_leaves_nothing_half_made() {
    each_call_fails_in_each_way(&MemoryStore::new()).await;
}

#[tokio::test]
async fn a_store_in_sqlite_that_fails_leaves_nothing_half_made() {
    each_call_fails_in_each_way(&SqlStore::open("sqlite::memory:").await.unwrap()).await;
}

#[tokio::test]
async fn a_store_in_postgres_that_fails_leaves_nothing_half_made() {
    let Some(url) = scim_test_postgres::database().unwrap() else { return };
    let store = SqlStore::open(&url).await.unwrap();
    // what the failure is called is the service's affair, and the same for every store
    for moment in [Moment::Before, Moment::After] {
        each_call_fails(&store, Failure::Backend, moment).await;
        each_call_of_a_bulk_request_fails(&store, Failure::Backend, moment).await;
    }
}
