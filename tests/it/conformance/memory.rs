//! The store in memory passes the kit.

use scim_provider::conformance::{Fixture, Tenant};
use scim_provider::{MemoryStore, TenantId, store_conformance};

struct Memory(MemoryStore);

impl Fixture for Memory {
    type Context = TenantId;
    type Users = MemoryStore;
    type Groups = MemoryStore;

    async fn new() -> Self {
        Self(MemoryStore::new())
    }

    fn users(&self) -> &MemoryStore {
        &self.0
    }

    fn groups(&self) -> Option<&MemoryStore> {
        Some(&self.0)
    }

    fn tenant(&self, tenant: Tenant) -> TenantId {
        TenantId::new(format!("{tenant:?}")).unwrap()
    }
}

store_conformance!(tokio::test, Memory);
