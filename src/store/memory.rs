//! A store in memory: for tests, for demonstrations, and as the model of what a store does.

mod find;
mod relations;
mod show;
mod table;

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Capabilities, Context, Key, Page, Precondition, Store, StoreError, TenantId};
use crate::patch::{Changes, Patched};
use crate::query::Query;
use crate::resource::{Projection, Resource, ResourceWriter};
use crate::schema::ResourceType;

use self::table::Table;

/// A [`Store`] in memory, for every resource type that it is registered with.
///
/// Tenants are kept apart. Values that the schema declares unique are indexed by their folded form, those of lists and parts
/// too (`emails.value`); nothing else is unique. Members are kept apart from the group, so that a PATCH of one member costs the
/// same in a group of any size, and `groups` of a user follows from them. Clones share their content.
///
/// Passwords are not kept: nothing here could check one.
pub struct MemoryStore<C = TenantId> {
    tenants: Arc<RwLock<HashMap<TenantId, Table>>>,
    context: PhantomData<fn(C)>,
}

impl<C> MemoryStore<C> {
    /// An empty store.
    pub fn new() -> Self {
        Self { tenants: Arc::default(), context: PhantomData }
    }

    // a panic elsewhere cannot leave a table half changed: every change is checked before it is made
    fn read(&self) -> RwLockReadGuard<'_, HashMap<TenantId, Table>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<TenantId, Table>> {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        tenant: &TenantId,
        change: impl FnOnce(&mut Table) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tenants = self.write();
        match tenants.get_mut(tenant) {
            Some(table) => change(table),
            None => change(tenants.entry(tenant.clone()).or_default()),
        }
    }
}

impl<C: Context> Store for MemoryStore<C> {
    type Context = C;

    async fn get(&self, cx: &C, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        Ok(self.read().get(cx.tenant()).and_then(|table| table.get(key, want)))
    }

    async fn show(&self, cx: &C, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        // what is pending is of one state, whatever changes while it is written
        let Some(pending) = self.read().get(cx.tenant()).and_then(|table| table.show(key, writer)) else {
            return Ok(false);
        };
        for reference in &pending {
            reference.write(writer);
            writer.flush().await;
        }
        Ok(true)
    }

    async fn list(&self, cx: &C, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        match self.read().get(cx.tenant()) {
            Some(table) => table.list(ty, query),
            None => Table::default().list(ty, query),
        }
    }

    async fn create(&self, cx: &C, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.change(cx.tenant(), |table| table.create(ty, &draft))
    }

    async fn replace(
        &self,
        cx: &C,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.change(cx.tenant(), |table| table.replace(key, &new, when))
    }

    async fn delete(&self, cx: &C, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        self.change(cx.tenant(), |table| table.delete(key, when))
    }

    async fn patch(
        &self,
        cx: &C,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        self.change(cx.tenant(), |table| table.patch(key, changes, when, want)).map(Some)
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
        f.debug_struct("MemoryStore").field("tenants", &self.read().len()).finish()
    }
}
