//! The conformance kit on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests: they stop at what is wrong"
)]

use std::marker::PhantomData;

use scim_provider::conformance::{Fixture, ServiceFixture, Tenant};
use scim_provider::{EnterpriseUser, Extension, Group, Service, TenantId, User};
use scim_sql_store::{Caller, Groups, SqlStore, Users};

/// A store in an empty database.
trait Database: Send + Sync + 'static {
    fn store() -> impl Future<Output = SqlStore> + Send;
}

struct Sqlite;

impl Database for Sqlite {
    async fn store() -> SqlStore {
        SqlStore::open("sqlite::memory:").await.expect("a database in memory")
    }
}

struct Postgres;

impl Database for Postgres {
    async fn store() -> SqlStore {
        match scim_test_postgres::database().expect("a server that works") {
            Some(url) => SqlStore::open(&url).await.expect("an empty database"),
            // it has been said that the test is skipped
            None => Sqlite::store().await,
        }
    }
}

struct Stores<D> {
    users: Users,
    groups: Groups,
    database: PhantomData<D>,
}

impl<D: Database> Fixture for Stores<D> {
    type Context = Caller;
    type Users = Users;
    type Groups = Groups;

    async fn new() -> Self {
        let store = D::store().await;
        Self { users: store.users(), groups: store.groups(), database: PhantomData }
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

struct Host<D> {
    scim: Service<Caller>,
    database: PhantomData<D>,
}

impl<D: Database> ServiceFixture for Host<D> {
    async fn new() -> Self {
        let store = D::store().await;
        let service = Service::builder("https://scim.example.com/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
            .resource(Group::resource_type(), store.groups())
            .build();
        Self { scim: service.expect("types that can be built"), database: PhantomData }
    }

    async fn call(&self, tenant: Tenant, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        self.scim.call(&caller(tenant), request).await
    }
}

fn caller(tenant: Tenant) -> Caller {
    let tenant = TenantId::new(format!("{tenant:?}")).expect("a name");
    Caller::authenticated(tenant, "kit", "request")
}

mod sqlite {
    mod store {
        scim_provider::store_conformance!(tokio::test, super::super::Stores<super::super::Sqlite>);
    }

    mod service {
        scim_provider::service_conformance!(tokio::test, super::super::Host<super::super::Sqlite>);
    }
}

mod postgres {
    mod store {
        scim_provider::store_conformance!(tokio::test, super::super::Stores<super::super::Postgres>);
    }

    mod service {
        scim_provider::service_conformance!(tokio::test, super::super::Host<super::super::Postgres>);
    }
}
