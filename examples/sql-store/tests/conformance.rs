//! The conformance kit on SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests: they stop at what is wrong"
)]

use scim_provider::conformance::{Fixture, ServiceFixture, Tenant};
use scim_provider::{EnterpriseUser, Extension, Group, Service, TenantId, User};
use scim_sql_store::{Caller, Groups, SqlStore, Users};

struct Sqlite {
    users: Users,
    groups: Groups,
}

impl Fixture for Sqlite {
    type Context = Caller;
    type Users = Users;
    type Groups = Groups;

    async fn new() -> Self {
        let store = SqlStore::open("sqlite::memory:").await.expect("a database in memory");
        Self { users: store.users(), groups: store.groups() }
    }

    fn users(&self) -> &Users {
        &self.users
    }

    fn groups(&self) -> Option<&Groups> {
        Some(&self.groups)
    }

    fn tenant(&self, tenant: Tenant) -> Caller {
        caller(tenant)
    }
}

struct Host(Service<Caller>);

impl ServiceFixture for Host {
    async fn new() -> Self {
        let store = Sqlite::new().await;
        let service = Service::builder("https://scim.example.com/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users)
            .resource(Group::resource_type(), store.groups)
            .build();
        Self(service.expect("types that can be built"))
    }

    async fn call(&self, tenant: Tenant, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        self.0.call(&caller(tenant), request).await
    }
}

fn caller(tenant: Tenant) -> Caller {
    let tenant = TenantId::new(format!("{tenant:?}")).expect("a name");
    Caller::authenticated(tenant, "kit", "request")
}

mod store {
    scim_provider::store_conformance!(tokio::test, super::Sqlite);
}

mod service {
    scim_provider::service_conformance!(tokio::test, super::Host);
}
