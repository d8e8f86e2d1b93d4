//! An embeddable SCIM 2.0 service provider.

mod attr;
mod compat;
mod error;
pub mod filter;
mod limits;
pub mod messages;
mod resource;
pub mod schema;
mod time;
mod unassigned;

pub use attr::{AttrPath, AttrPathError, fold, is_attribute_name};
pub use compat::{Compat, Leniency, Repair, Repairs};
pub use error::{ERROR_SCHEMA, Error, ErrorMessage, ScimType};
pub use filter::{CompareOp, Filter, Literal, Number, ParseError};
pub use limits::Limits;
pub use resource::{
    Address, Email, EnterpriseUser, Entitlement, Extension, Group, GroupMembership, InstantMessaging, Manager, Member,
    Meta, Name, PhoneNumber, Photo, Role, User, X509Certificate,
};
