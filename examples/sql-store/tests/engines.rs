//! PostgreSQL in disguise: it calls itself by the name of an engine that speaks its protocol, lacks what that engine lacks, and
//! runs transactions as if one after the other, so that some are taken back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::sync::Arc;

use http::Request;
use scim_provider::conformance::{Fixture, ServiceFixture, Tenant};
use scim_provider::{EnterpriseUser, Extension, Group, Service, TenantId, User};
use scim_sql_store::{Caller, Groups, SqlStore, Users};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

const COCKROACH: &str = "CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu)";
const YUGABYTE: &str = "PostgreSQL 15.2-YB-2024.2.0.0-b0 on x86_64-pc-linux-gnu";

/// The URL of an empty database that calls itself so; `None` where there is no PostgreSQL.
async fn disguised(version: &str) -> Option<String> {
    let url = scim_test_postgres::database().unwrap()?;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    // what is in `public` hides what the server itself has of that name
    let mut costume = format!(
        "ALTER DATABASE {name} SET search_path = public, pg_catalog;
         ALTER DATABASE {name} SET default_transaction_isolation = 'serializable';
         CREATE FUNCTION public.version() RETURNS text LANGUAGE sql AS $$ SELECT '{version}'::text $$;
         CREATE FUNCTION public.pg_advisory_lock(bigint) RETURNS void LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'advisory locks are not yet implemented'; END $$;"
    );
    if version == COCKROACH {
        costume += "CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                IF EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                           WHERE c.relnamespace = 'public'::regnamespace AND a.attcollation = '\"C\"'::regcollation) THEN
                    RAISE EXCEPTION 'invalid locale C: language: tag is not well-formed';
                END IF;
            END $$;
            CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.refuse();";
    }
    connection.execute(AssertSqlSafe(costume)).await.unwrap();
    connection.close().await.unwrap();
    Some(url)
}

/// A store in such a database, or in SQLite where there is no PostgreSQL: it has been said that the test is skipped then.
async fn store(version: &str) -> SqlStore {
    let url = disguised(version).await;
    SqlStore::open(url.as_deref().unwrap_or("sqlite::memory:")).await.unwrap()
}

fn service(store: &SqlStore) -> Service<Caller> {
    Service::builder("https://scim.example.com/scim/v2")
        .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
        .resource(Group::resource_type(), store.groups())
        .build()
        .unwrap()
}

fn caller(tenant: Tenant) -> Caller {
    Caller::authenticated(TenantId::new(format!("{tenant:?}")).unwrap(), "kit", "request")
}

struct Stores(Users, Groups);

impl Fixture for Stores {
    type Context = Caller;
    type Users = Users;
    type Groups = Groups;

    async fn new() -> Self {
        let store = store(COCKROACH).await;
        Self(store.users(), store.groups())
    }

    fn users(&self) -> &Users {
        &self.0
    }

    fn groups(&self) -> Option<&Groups> {
        Some(&self.1)
    }

    fn tenant(&self, tenant: Tenant) -> Caller {
        caller(tenant)
    }
}

struct Host(Service<Caller>);

impl ServiceFixture for Host {
    async fn new() -> Self {
        Self(service(&store(COCKROACH).await))
    }

    async fn call(&self, tenant: Tenant, request: Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        self.0.call(&caller(tenant), request).await
    }
}

mod stores {
    scim_provider::store_conformance!(tokio::test, super::Stores);
}

mod services {
    scim_provider::service_conformance!(tokio::test, super::Host);
}

#[tokio::test]
async fn processes_that_start_at_once_make_the_tables_of_every_engine() {
    for version in [COCKROACH, YUGABYTE, ""] {
        let url = match version {
            "" => scim_test_postgres::database().unwrap(),
            version => disguised(version).await,
        };
        let Some(url) = url else { return };
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let url = url.clone();
            starting.spawn(async move { SqlStore::open(&url).await });
        }
        for opened in starting.join_all().await {
            let opened = opened.unwrap_or_else(|error| panic!("{version}: {:?}", std::error::Error::source(&error)));
            opened.close().await;
        }
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let sql = "SELECT COUNT(*) FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'";
        let indexes: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        assert_eq!(indexes, 14, "{version}: with the primary keys");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_make_the_tables_of_a_file() {
    let folder = std::env::temp_dir().join(format!("scim-sql-store-start-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    for round in 0..20 {
        let url = format!("sqlite://{}?mode=rwc", folder.join(format!("{round}.sqlite")).display());
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let url = url.clone();
            starting.spawn(async move { SqlStore::open(&url).await });
        }
        for opened in starting.join_all().await {
            opened.unwrap_or_else(|error| panic!("{:?}", std::error::Error::source(&error))).close().await;
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_is_done_again() {
    for version in [COCKROACH, YUGABYTE] {
        let scim = Arc::new(service(&store(version).await));
        let send = async |method: &str, path: &str, body: Value| {
            let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
            let response = scim.call(&caller(Tenant::A), request.body(body.to_string().into_bytes()).unwrap()).await;
            (response.status().as_u16(), serde_json::from_slice::<Value>(response.body()).unwrap_or_default())
        };
        let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Crew"});
        let (_, group) = send("POST", "/Groups", group).await;
        let path = format!("/Groups/{}", group["id"].as_str().unwrap());
        let add = |n: usize| {
            let value = json!([{"value": format!("u{n}")}]);
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                   "Operations": [{"op": "add", "path": "members", "value": value}]})
        };
        let (a, b, c, d, e) = tokio::join!(
            send("PATCH", &path, add(0)),
            send("PATCH", &path, add(1)),
            send("PATCH", &path, add(2)),
            send("PATCH", &path, add(3)),
            send("GET", &path, Value::Null),
        );
        assert_eq!([a.0, b.0, c.0, d.0, e.0], [204, 204, 204, 204, 200], "{version}: {a:?} {b:?} {c:?} {d:?} {e:?}");
        let members = send("GET", &path, Value::Null).await.1["members"].as_array().unwrap().len();
        assert_eq!(members, 4, "{version}");
    }
}
