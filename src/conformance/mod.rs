//! The conformance kit: what tests the library's own stores is what hosts run on theirs. Feature `conformance`.
//!
//! [`store_conformance!`](crate::store_conformance) expands to one test function for each case, each with a fresh store and
//! two tenants. A host says in a [`Fixture`] how to make one:
//!
//! ```
//! use scim_provider::conformance::{Fixture, Tenant};
//! use scim_provider::{MemoryStore, TenantId};
//!
//! struct InMemory {
//!     store: MemoryStore, // yours
//! }
//!
//! impl Fixture for InMemory {
//!     type Context = TenantId;
//!     type Users = MemoryStore;
//!     type Groups = MemoryStore;
//!
//!     async fn new() -> Self {
//!         Self { store: MemoryStore::new() }
//!     }
//!     fn users(&self) -> &MemoryStore {
//!         &self.store
//!     }
//!     fn groups(&self) -> Option<&MemoryStore> {
//!         Some(&self.store)
//!     }
//!     fn tenant(&self, tenant: Tenant) -> TenantId {
//!         let name = match tenant {
//!             Tenant::A => "acme",
//!             Tenant::B => "globex",
//!         };
//!         TenantId::new(name).expect("a name")
//!     }
//! }
//!
//! scim_provider::store_conformance!(tokio::test, InMemory);
//! ```
//!
//! The first argument is the attribute that makes an `async fn` a test in the host's runtime; the kit itself knows no
//! runtime. Two fixtures in one file need a `mod` each.
//!
//! [`service_conformance!`](crate::service_conformance) does the same for a whole [`Service`](crate::Service), with what
//! Entra ID, Okta and Keycloak send:
//!
//! ```
//! use http::{Request, Response};
//! use scim_provider::conformance::{ServiceFixture, Tenant};
//! use scim_provider::{EnterpriseUser, Extension, Group, MemoryStore, Service, TenantId, User};
//!
//! struct Host {
//!     service: Service<TenantId>,
//! }
//!
//! impl ServiceFixture for Host {
//!     async fn new() -> Self {
//!         let store = MemoryStore::new();
//!         let service = Service::builder("https://api.example.com/scim/v2")
//!             .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
//!             .resource(Group::resource_type(), store)
//!             .build();
//!         Self { service: service.expect("types that can be built") }
//!     }
//!     async fn call(&self, tenant: Tenant, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
//!         let tenant = TenantId::new(tenant.to_string()).expect("a name");
//!         self.service.call(&tenant, request).await
//!     }
//! }
//!
//! scim_provider::service_conformance!(tokio::test, Host);
//! ```
//!
//! # The cases
//!
//! Each is a public function, by its subject: [`store`] and [`service`]. A case that fails tells what was done, what was
//! expected, what came, and which section of an RFC or paragraph of the [store's contract](crate::store) says so. One that
//! asks for something that the host does not have (groups, deletion, an attribute that its tables have no place for) is
//! skipped and says why: cases follow [`Capabilities`](crate::Capabilities) and the fixture.
//!
//! Each case has been shown to fail: the library's own tests run the kit on stores and services that are wrong in one way
//! each, and keep a table of which case catches which fault.
//!
//! # What races show
//!
//! Cases about races poll many calls in turn on one task: what a store does between two of its `await`s is interleaved with
//! the same of all others. That finds a look before a write, and a write of what was read earlier. It does not run calls on
//! several threads, and a store that never waits is not interleaved at all. Cases that drop a future do so at its first
//! `await`s, one after the other.
//!
//! # Stability
//!
//! Cases may be added, and made stricter where a section asks for it, in minor versions: a host's tests may then find a fault
//! that was there before. The fixtures only gain methods that have a default. The list of cases and their names are not part
//! of what semantic versioning covers.

mod at_groups;
mod desk;
mod fixture;
mod interleave;
mod letters;
mod list;
pub mod service;
mod shown;
pub mod store;
mod verdict;

pub use self::fixture::{Fixture, ServiceFixture, Tenant};
pub use self::list::{ConformanceCase, service_cases, store_cases};
pub use self::verdict::{Failure, Stop, Verdict};
