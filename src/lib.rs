//! An embeddable SCIM 2.0 service provider: Microsoft Entra ID, Okta and every other identity provider provision users and
//! groups into a Rust backend that adds this crate.
//!
//! A host implements [`Store`] over the tables that it has, registers it with a [`Service`], and mounts
//! [`Service::call`] behind its own authentication, in any web framework:
//!
//! ```
//! use scim_provider::{EnterpriseUser, Extension, Group, MemoryStore, Service, TenantId, User};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new(); // yours implements `Store`
//! let scim = Service::builder("https://api.example.com/scim/v2")
//!     .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
//!     .resource(Group::resource_type(), store)
//!     .build()?;
//!
//! let request = http::Request::post("/scim/v2/Users")
//!     .header("content-type", "application/scim+json")
//!     .body(r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com"}"#)?;
//! let tenant = TenantId::new("acme").ok_or("a tenant has a name")?; // made by your authentication
//! let response = scim.call(&tenant, request).await;
//! assert_eq!(response.status(), 201);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! * [`Store`]: what a host implements, and what it promises. [`MemoryStore`] is one to start with.
//! * [`Resource`]: a user, a group, a type of the host's own. [`User`], [`Group`] and [`EnterpriseUser`] are typed views of it.
//! * [`ResourceType`] and [`Schema`]: types and extensions of the host's own.
//! * [`Compat`]: which departures from the RFCs are accepted, each by its name.
//! * [`Observer`]: what happened, and why.
//! * [`Limits`]: what a request may cost.
//! * [`Filter`], [`Patch`]: the two languages of SCIM on their own.
//!
//! # Scope
//!
//! The crate does not listen, authenticate, authorise or store: those are the host's. It speaks SCIM 2.0 (RFC 7643, RFC 7644) as
//! a service provider; it is no client and does not speak SCIM 1.1. Strings are compared with letter case folded where the schema
//! says so; [`Attribute::prepared`](schema::Attribute::prepared) takes a function of the host's for normalisation or PRECIS.
//!
//! # Hostile input
//!
//! No request makes the crate panic, recurse without bound, or allocate more than [`Limits`] allows: they are on by default and
//! checked before the work that they bound. The crate holds no `unsafe` code.

mod attr;
mod budget;
mod compat;
#[cfg(feature = "conformance")]
pub mod conformance;
mod cursor;
mod error;
mod etag;
pub mod filter;
mod limits;
pub mod messages;
mod password;
pub mod patch;
mod percent;
mod query;
pub mod resource;
pub mod schema;
pub mod service;
mod sort;
pub mod store;
mod time;
mod unassigned;

pub use attr::{AttrPath, AttrPathError, fold, is_attribute_name};
pub use budget::{Budget, Exhausted};
pub use compat::{Compat, Leniency, Repair, Repairs};
pub use cursor::{Cursor, Position};
pub use error::{ERROR_SCHEMA, Error, ErrorMessage, ScimType};
pub use etag::Version;
pub use filter::{BoundFilter, CompareOp, Filter, Literal, Number, ParseError};
pub use limits::Limits;
pub use password::Password;
pub use patch::{Changes, Patch, PatchError, Patched, RelationChange};
pub use query::{Held, Query};
pub use resource::{
    Address, Email, EnterpriseUser, Entitlement, Extension, Group, GroupMembership, InstantMessaging, Manager, Member,
    Meta, Name, PhoneNumber, Photo, Projection, Reference, Resource, ResourceWriter, Role, Secret, UnknownAttributes,
    User, ValueRef, Violation, X509Certificate,
};
pub use schema::{ResourceType, Schema};
pub use service::{
    BuildError, BulkTransaction, Cost, Exchange, Me, Observer, PatchAnswer, Service, ServiceBuilder, unauthorized,
};
pub use sort::Sort;
pub use store::{Capabilities, Context, Key, MemoryStore, Page, Precondition, Store, StoreError, TenantId};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
