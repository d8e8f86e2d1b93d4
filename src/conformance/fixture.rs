//! What a host brings along.

use std::fmt;
use std::future::Future;

use http::{Request, Response};

use crate::schema::ResourceTypeBuilder;
use crate::{Context, EnterpriseUser, Extension, Group, Store, User};

/// One of the two tenants of a fixture. They must not see anything of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tenant {
    /// The tenant in which most happens.
    A,
    /// The other one.
    B,
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "tenant A",
            Self::B => "tenant B",
        })
    }
}

/// The stores to test, fresh and empty, with two tenants. Each case has a fixture of its own.
///
/// A host without groups leaves [`groups`](Self::groups) as it is and names any store as `Groups`; the cases about groups
/// are skipped then.
pub trait Fixture: Sized + Send + Sync {
    /// The host's context.
    type Context: Context;
    /// The store of users.
    type Users: Store<Context = Self::Context>;
    /// The store of groups; may be the same.
    type Groups: Store<Context = Self::Context>;

    /// Makes empty stores: a schema of its own in the database, tables emptied, two tenants that nobody has used.
    fn new() -> impl Future<Output = Self> + Send;

    /// Why there is nothing to test on this machine, if so: a database that it does not have. Each case is skipped then,
    /// and [`new`](Self::new) is not called.
    fn missing() -> Option<&'static str> {
        None
    }

    /// The store of users.
    fn users(&self) -> &Self::Users;

    /// The store of groups, where there is one.
    fn groups(&self) -> Option<&Self::Groups> {
        None
    }

    /// Who asks, for one of the tenants.
    fn tenant(&self, tenant: Tenant) -> Self::Context;

    /// Whether stores have several tenants. Where each customer has a database of its own, the cases about two tenants are
    /// skipped.
    fn has_tenants() -> bool {
        true
    }

    /// The type of users, as the host registers it.
    fn user_type() -> ResourceTypeBuilder {
        User::resource_type().extension(EnterpriseUser::schema())
    }

    /// The type of groups, as the host registers it.
    fn group_type() -> ResourceTypeBuilder {
        Group::resource_type()
    }

    /// Whether the store of users has a place for an attribute. All cases use `userName`, `displayName` and `active`; those
    /// that need `externalId`, `name`, `emails` or the enterprise extension (`department`) ask first.
    fn keeps(attribute: &str) -> bool {
        let _ = attribute;
        true
    }
}

/// The service to test, over fresh and empty stores, with two tenants. Each case has a fixture of its own.
///
/// [`call`](Self::call) is a function and not a [`Service`](crate::Service), so that a host can test as much of its stack as
/// it likes: `self.service.call(&self.tenant(tenant), request).await`, or the handler of its web framework around it.
pub trait ServiceFixture: Sized + Send + Sync {
    /// Makes a service over empty stores.
    fn new() -> impl Future<Output = Self> + Send;

    /// Why there is nothing to test on this machine, if so. Each case is skipped then, and [`new`](Self::new) is not called.
    fn missing() -> Option<&'static str> {
        None
    }

    /// Answers a request of a client of the tenant, already authenticated. Its path starts at the endpoint: `/Users/26`.
    fn call(&self, tenant: Tenant, request: Request<Vec<u8>>) -> impl Future<Output = Response<Vec<u8>>> + Send;
}
