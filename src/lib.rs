//! An embeddable SCIM 2.0 service provider.

mod attr;
mod compat;
mod error;
mod etag;
pub mod filter;
mod limits;
mod password;
pub mod patch;
mod query;
pub mod resource;
pub mod schema;
mod sort;
pub mod store;
mod time;

pub use attr::{AttrPath, AttrPathError, fold, is_attribute_name};
pub use compat::{Compat, Leniency, Repair, Repairs};
pub use error::{ERROR_SCHEMA, Error, ErrorMessage, ScimType};
pub use etag::Version;
pub use filter::{BoundFilter, CompareOp, Filter, Literal, Number, ParseError};
pub use limits::Limits;
pub use password::Password;
pub use patch::{Changes, Patch, PatchError, Patched, RelationChange};
pub use query::Query;
pub use resource::{Projection, Reference, Resource, Secret, UnknownAttributes, ValueRef, Violation};
pub use schema::{ResourceType, Schema};
pub use sort::Sort;
pub use store::{Capabilities, Context, Key, MemoryStore, Page, Precondition, Store, StoreError, TenantId};
