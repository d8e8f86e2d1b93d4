//! The conformance kit on SQLite, in memory and in a file, and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests: they stop at what is wrong"
)]

use std::path::PathBuf;

use scim_provider::conformance::{Fixture, ServiceFixture, Tenant};
use scim_provider::{EnterpriseUser, Extension, Group, Service, TenantId, User};
use scim_sql_store::{Caller, Groups, SqlStore, Users};

/// An empty database, and what has to go when the test ends.
trait Database: Sized + Send + Sync + 'static {
    fn missing() -> Option<&'static str> {
        None
    }

    fn open() -> impl Future<Output = (SqlStore, Self)> + Send;
}

/// In memory: one connection, for reading and for writing.
struct Sqlite;

impl Database for Sqlite {
    async fn open() -> (SqlStore, Self) {
        (SqlStore::open("sqlite::memory:").await.expect("a database in memory"), Self)
    }
}

/// In a file, as the apps use it: with a write-ahead log, and connections for reading beside the one for writing.
struct SqliteFile(PathBuf);

impl Database for SqliteFile {
    async fn open() -> (SqlStore, Self) {
        let folder = std::env::temp_dir().join(format!("scim-sql-store-kit-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).expect("a temporary folder");
        let url = format!("sqlite://{}?mode=rwc", folder.join("scim.sqlite").display());
        (SqlStore::open(&url).await.expect("a database in a file"), Self(folder))
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder of the test");
    }
}

struct Postgres;

impl Database for Postgres {
    fn missing() -> Option<&'static str> {
        let there = scim_test_postgres::is_there().expect("a server that works");
        (!there).then_some("PostgreSQL is not installed")
    }

    async fn open() -> (SqlStore, Self) {
        let url = scim_test_postgres::database().expect("a server that works").expect("a server");
        (SqlStore::open(&url).await.expect("an empty database"), Self)
    }
}

struct Stores<D> {
    users: Users,
    groups: Groups,
    _database: D,
}

impl<D: Database> Fixture for Stores<D> {
    type Context = Caller;
    type Users = Users;
    type Groups = Groups;

    async fn new() -> Self {
        let (store, database) = D::open().await;
        Self { users: store.users(), groups: store.groups(), _database: database }
    }

    fn missing() -> Option<&'static str> {
        D::missing()
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
    _database: D,
}

impl<D: Database> ServiceFixture for Host<D> {
    async fn new() -> Self {
        let (store, database) = D::open().await;
        let service = Service::builder("https://scim.example.com/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
            .resource(Group::resource_type(), store.groups())
            .build();
        Self { scim: service.expect("types that can be built"), _database: database }
    }

    fn missing() -> Option<&'static str> {
        D::missing()
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

mod sqlite_file {
    mod store {
        scim_provider::store_conformance!(tokio::test, super::super::Stores<super::super::SqliteFile>);
    }

    mod service {
        scim_provider::service_conformance!(tokio::test, super::super::Host<super::super::SqliteFile>);
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
