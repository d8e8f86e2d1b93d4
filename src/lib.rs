//! An embeddable SCIM 2.0 service provider.

mod attr;
mod compat;
mod error;
mod etag;
pub mod filter;
mod limits;
pub mod messages;
mod password;
pub mod patch;
mod query;
pub mod resource;
pub mod schema;
pub mod service;
mod sort;
pub mod store;
mod time;
mod unassigned;

pub use attr::{AttrPath, AttrPathError, fold, is_attribute_name};
pub use compat::{Compat, Leniency, Repair, Repairs};
pub use error::{ERROR_SCHEMA, Error, ErrorMessage, ScimType};
pub use etag::Version;
pub use filter::{BoundFilter, CompareOp, Filter, Literal, Number, ParseError};
pub use limits::Limits;
pub use password::Password;
pub use patch::{Changes, Patch, PatchError, Patched, RelationChange};
pub use query::Query;
pub use resource::{
    Address, Email, EnterpriseUser, Entitlement, Extension, Group, GroupMembership, InstantMessaging, Manager, Member,
    Meta, Name, PhoneNumber, Photo, Projection, Reference, Resource, Role, Secret, UnknownAttributes, User, ValueRef,
    Violation, X509Certificate,
};
pub use schema::{ResourceType, Schema};
pub use service::{BuildError, Exchange, Observer, PatchAnswer, Service, ServiceBuilder, unauthorized};
pub use sort::Sort;
pub use store::{Capabilities, Context, Key, MemoryStore, Page, Precondition, Store, StoreError, TenantId};
