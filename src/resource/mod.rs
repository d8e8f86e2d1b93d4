//! Resources as Rust types (RFC 7643 §3, §4).

mod enterprise;
mod extension;
mod group;
mod meta;
mod plural;
mod user;

pub use enterprise::{EnterpriseUser, Manager};
pub use extension::Extension;
pub use group::{Group, Member};
pub use meta::Meta;
pub use plural::{
    Address, Email, Entitlement, GroupMembership, InstantMessaging, PhoneNumber, Photo, Role, X509Certificate,
};
pub use user::{Name, User};
