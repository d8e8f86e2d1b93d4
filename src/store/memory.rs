//! A store in memory: for tests, for demonstrations, and as the model of what a store does.

mod find;
mod relations;
mod show;
mod table;
#[cfg(test)]
mod tests;
mod unique;

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Capabilities, Context, Key, Page, Precondition, Store, StoreError, TenantId};
use crate::budget::yield_now;
use crate::patch::{Changes, Patched};
use crate::query::Query;
use crate::resource::{Projection, Resource, ResourceWriter};
use crate::schema::ResourceType;

use self::table::Table;

/// How many references are written, or a tenth of how many are cleared away, before others have their turn.
const AT_ONCE: usize = 100;

/// A [`Store`] in memory, for every resource type that it is registered with.
///
/// Tenants are kept apart, each under a lock of its own: none waits for another. A long query reads for about a millisecond at a
/// time and lets others have their turn; each resource that it returns was like this at one moment of it. Values that the
/// schema declares unique are indexed by their folded form, those of lists and parts too (`emails.value`); nothing else is
/// unique. Members are kept apart from the group, so that a PATCH of one member costs the
/// same in a group of any size, and `groups` of a user follows from them. Clones share their content.
///
/// Passwords are not kept: nothing here could check one.
pub struct MemoryStore<C = TenantId> {
    tenants: Arc<RwLock<HashMap<TenantId, Arc<RwLock<Table>>>>>,
    context: PhantomData<fn(C)>,
}

impl<C> MemoryStore<C> {
    /// An empty store.
    pub fn new() -> Self {
        Self { tenants: Arc::default(), context: PhantomData }
    }

    /// What a tenant has. The lock that all tenants share is held for a look into a map.
    fn table(&self, tenant: &TenantId) -> Option<Arc<RwLock<Table>>> {
        read(&self.tenants).get(tenant).map(Arc::clone)
    }

    /// Changes what a tenant has. Says whether there is still something to clear away that changes have left behind.
    fn change<T>(
        &self,
        tenant: &TenantId,
        change: impl FnOnce(&mut Table) -> Result<T, StoreError>,
    ) -> (Result<T, StoreError>, bool) {
        let table = match self.table(tenant) {
            Some(table) => table,
            None => Arc::clone(write(&self.tenants).entry(tenant.clone()).or_default()),
        };
        let mut table = write(&table);
        let done = change(&mut table);
        // who gave up waiting has left it to others
        (done, table.clear(AT_ONCE))
    }

    /// The same for a change that may end long lists: what they leave behind is cleared away while others have their turn.
    async fn change_lists<T>(
        &self,
        tenant: &TenantId,
        change: impl FnOnce(&mut Table) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (done, mut more) = self.change(tenant, change);
        while more {
            yield_now().await;
            more = self.table(tenant).is_some_and(|table| write(&table).clear(AT_ONCE * 10));
        }
        done
    }
}

// a panic elsewhere cannot leave a table half changed: every change is checked before it is made
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl<C: Context> Store for MemoryStore<C> {
    type Context = C;

    async fn get(&self, cx: &C, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        Ok(self.table(cx.tenant()).and_then(|table| read(&table).get(key, want)))
    }

    async fn show(&self, cx: &C, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        // what is pending is of one state, whatever changes while it is written
        let Some(pending) = self.table(cx.tenant()).and_then(|table| read(&table).show(key, writer)) else {
            return Ok(false);
        };
        for some in pending.chunks(AT_ONCE) {
            some.iter().for_each(|reference| reference.write(writer));
            writer.flush().await;
            yield_now().await;
        }
        Ok(true)
    }

    async fn list(&self, cx: &C, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let table = self.table(cx.tenant()).unwrap_or_default();
        find::list(&table, ty, query).await
    }

    async fn create(&self, cx: &C, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.change(cx.tenant(), |table| table.create(ty, &draft)).0
    }

    async fn replace(
        &self,
        cx: &C,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.change_lists(cx.tenant(), |table| table.replace(key, &new, when)).await
    }

    async fn delete(&self, cx: &C, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        self.change_lists(cx.tenant(), |table| table.delete(key, when)).await
    }

    async fn patch(
        &self,
        cx: &C,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        self.change_lists(cx.tenant(), |table| table.patch(key, changes, when, want)).await.map(Some)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().with_cursor()
    }
}

impl<C> Clone for MemoryStore<C> {
    fn clone(&self) -> Self {
        Self { tenants: Arc::clone(&self.tenants), context: PhantomData }
    }
}

impl<C> Default for MemoryStore<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> fmt::Debug for MemoryStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("tenants", &read(&self.tenants).len()).finish()
    }
}
