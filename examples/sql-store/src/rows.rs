//! What one member costs in rows: adding and removing one reads as little of a large group as of a small one.
//!
//! PostgreSQL counts the rows that it reads, of tables and of indexes; SQLite counts the instructions of its virtual machine, of
//! which each row takes some. `SCIM_GROUP_SIZES=10,10000,1000000` takes other sizes than the test does, and `--nocapture` shows what
//! was counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::Request;
use scim_provider::{Group, Service, TenantId, User};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::database::Database;
use crate::{Caller, SqlStore};

/// The most that a group of the last size may take, of what one of the first size takes.
const GOAL: f64 = 1.5;

#[tokio::test]
async fn one_member_more_or_less_reads_few_rows_of_sqlite() {
    one_member_costs_the_same("SQLite, instructions", "sqlite::memory:").await;
}

#[tokio::test]
async fn one_member_more_or_less_reads_few_rows_of_postgres() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        one_member_costs_the_same("PostgreSQL, rows", &url).await;
    }
}

async fn one_member_costs_the_same(what: &str, url: &str) {
    let server = Server::over(url).await;
    let mut costs = Vec::new();
    for size in sizes() {
        let group = server.group(size).await;
        let whole = server.cost("GET", &format!("{group}?attributes=members"), Value::Null).await;
        let add = json!({"op": "add", "path": "members", "value": [{"value": "one-more"}]});
        let remove = json!({"op": "remove", "path": "members[value eq \"one-more\"]"});
        // once before it is counted: statements are prepared, pages are split
        server.cost("PATCH", &group, patch(&add)).await;
        server.cost("PATCH", &group, patch(&remove)).await;
        let added = server.cost("PATCH", &group, patch(&add)).await;
        let removed = server.cost("PATCH", &group, patch(&remove)).await;
        println!("{what}: group of {size}: adding one member {added}, removing it {removed}, reading all {whole}");
        assert!(whole >= i64::try_from(size).unwrap(), "{what}: {whole} for {size} members: reading is not counted");
        costs.push((added, removed));
    }
    let (first, last) = (costs.first().unwrap(), costs.last().unwrap());
    for (name, small, large) in [("adding", first.0, last.0), ("removing", first.1, last.1)] {
        assert!(small > 0, "{what}: {name} a member is not counted");
        let ratio = large as f64 / small as f64;
        println!("{what}: {name} one member, largest group ÷ smallest: {ratio:.2} (goal {GOAL})");
        assert!(ratio <= GOAL, "{what}: {name} a member takes {large} in the largest group, {small} in the smallest");
    }
}

fn sizes() -> Vec<usize> {
    let sizes = std::env::var("SCIM_GROUP_SIZES").unwrap_or_else(|_| "10,1000,20000".to_owned());
    sizes.split(',').map(|size| size.parse().unwrap()).collect()
}

fn patch(operation: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

struct Server {
    store: SqlStore,
    scim: Service<Caller>,
    caller: Caller,
    /// of SQLite
    instructions: Arc<AtomicI64>,
}

impl Server {
    async fn over(url: &str) -> Self {
        let store = SqlStore::open(url).await.unwrap();
        let scim = Service::builder("http://localhost")
            .resource(User::resource_type(), store.users())
            .resource(Group::resource_type(), store.groups())
            .build()
            .unwrap();
        let instructions = Arc::new(AtomicI64::new(0));
        if let Database::Sqlite { write, .. } = &*store.database {
            // in memory there is one connection for all
            let counter = Arc::clone(&instructions);
            let mut connection = write.first().acquire().await.unwrap();
            connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
                counter.fetch_add(1, Ordering::SeqCst);
                true
            });
        }
        let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
        Self { store, scim, caller, instructions }
    }

    /// Makes a group of so many members, without the service; gives its path.
    async fn group(&self, size: usize) -> String {
        let made =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("Of {size}")});
        let made = self.send("POST", "/Groups", made).await;
        let id = made["id"].as_str().unwrap();
        let insert = "INSERT INTO group_members (tenant, group_id, member_id, member_kind)";
        match &*self.store.database {
            Database::Sqlite { write, .. } => {
                let numbers =
                    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})");
                let sql = format!("{numbers} {insert} SELECT 'acme', '{id}', 'member-' || i, 'User' FROM n");
                sqlx::query(AssertSqlSafe(sql)).execute(write.first()).await.unwrap();
            }
            Database::Postgres { pool, .. } => {
                let sql =
                    format!("{insert} SELECT 'acme', '{id}', 'member-' || i, 'User' FROM generate_series(1, {size}) i");
                sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
            }
        }
        format!("/Groups/{id}")
    }

    /// What a request makes the database do.
    async fn cost(&self, method: &str, path: &str, body: Value) -> i64 {
        let before = self.count().await;
        self.send(method, path, body).await;
        self.count().await - before
    }

    async fn count(&self) -> i64 {
        let Database::Postgres { pool, .. } = &*self.store.database else {
            return self.instructions.load(Ordering::SeqCst);
        };
        // Whichever connection did the work: it reports at the end of a transaction, and not more than once a second unless it
        // is asked to.
        while usize::try_from(pool.size()).unwrap() > pool.num_idle() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut connections = Vec::new();
        while let Some(mut connection) = pool.try_acquire() {
            sqlx::query("SELECT pg_stat_force_next_flush()").execute(&mut *connection).await.unwrap();
            connections.push(connection);
        }
        let sql = "SELECT ((SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
                        + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes))::bigint";
        sqlx::query_scalar(sql).fetch_one(&mut **connections.first_mut().unwrap()).await.unwrap()
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
        let response = self.scim.call(&self.caller, request.body(body).unwrap()).await;
        assert!(response.status().is_success(), "{method} {path}: {}", String::from_utf8_lossy(response.body()));
        serde_json::from_slice(response.body()).unwrap_or(Value::Null)
    }
}
