//! What one request may make the database do: refused before it is done, not after.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::sync::Arc;

use http::Request;
use scim_provider::{EnterpriseUser, Extension, Group, Limits, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A service, and the tables behind it.
struct Server {
    scim: Service<Caller>,
    store: SqlStore,
    tables: Tables,
    folder: Option<std::path::PathBuf>,
}

enum Tables {
    Sqlite(sqlx::SqlitePool),
    Postgres(sqlx::PgPool),
}

impl Server {
    /// Over a file, and over PostgreSQL where there is one.
    async fn all(limits: &Limits) -> Vec<Self> {
        let folder = std::env::temp_dir().join(format!("scim-bounds-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let file = format!("sqlite://{}?mode=rwc", folder.join("scim.sqlite").display());
        let store = SqlStore::open(&file).await.unwrap();
        let tables = Tables::Sqlite(sqlx::SqlitePool::connect(&file).await.unwrap());
        let mut servers = vec![Self::over(store, tables, Some(folder), limits)];
        if let Some(url) = scim_test_postgres::database().unwrap() {
            let store = SqlStore::open(&url).await.unwrap();
            let tables = Tables::Postgres(sqlx::PgPool::connect(&url).await.unwrap());
            servers.push(Self::over(store, tables, None, limits));
        }
        servers
    }

    fn over(store: SqlStore, tables: Tables, folder: Option<std::path::PathBuf>, limits: &Limits) -> Self {
        let scim = Service::builder("http://localhost")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
            .resource(Group::resource_type(), store.groups())
            .limits(limits.clone())
            .build()
            .unwrap();
        Self { scim, store, tables, folder }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
        let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
        let response = self.scim.call(&caller, request.body(body).unwrap()).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    async fn create(&self, path: &str, body: Value) -> String {
        let (status, body) = self.send("POST", path, body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    async fn run(&self, sqlite: &str, postgres: &str) {
        match &self.tables {
            Tables::Sqlite(pool) => drop(sqlx::query(AssertSqlSafe(sqlite)).execute(pool).await.unwrap()),
            Tables::Postgres(pool) => drop(sqlx::query(AssertSqlSafe(postgres)).execute(pool).await.unwrap()),
        }
    }

    /// Runs the same for each number up to one.
    async fn numbered(&self, insert: &str, values: &str, count: usize) {
        let numbers =
            format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})");
        let sqlite = format!("{numbers} {insert} SELECT {values} FROM numbers");
        self.run(&sqlite, &format!("{insert} SELECT {values} FROM generate_series(1, {count}) AS numbers (n)")).await;
    }

    async fn users(&self, count: usize) {
        let insert =
            "INSERT INTO users (tenant, id, user_name, user_name_key, active, attributes, created, modified, version)";
        let document = match self.tables {
            Tables::Sqlite(_) => "'{\"schemas\":[],\"userName\":\"a\"}'",
            Tables::Postgres(_) => "'{\"schemas\":[],\"userName\":\"a\"}'::jsonb",
        };
        let values = format!("'acme', 'user-' || n, 'user' || n, 'user' || n, TRUE, {document}, n, n, 1");
        self.numbered(insert, &values, count).await;
    }

    async fn close(self) {
        self.store.close().await;
        match &self.tables {
            Tables::Sqlite(pool) => pool.close().await,
            Tables::Postgres(pool) => pool.close().await,
        }
        self.folder.into_iter().for_each(|folder| std::fs::remove_dir_all(folder).unwrap());
    }
}

fn patch(operation: Value) -> Value {
    json!({"schemas": [PATCH], "Operations": [operation]})
}

/// The document is made unreadable: whoever reads it fails.
#[tokio::test]
async fn a_document_is_not_read_for_what_columns_hold() {
    for server in Server::all(&Limits::default()).await {
        let extended = json!({"schemas": [USER, ENTERPRISE], "userName": "Bob", ENTERPRISE: {"department": "1"}});
        let extended = format!("/Users/{}?attributes=id", server.create("/Users", extended).await);
        let shown = server.send("GET", &extended, Value::Null).await.1;
        assert_eq!(shown["schemas"], json!([USER, ENTERPRISE]), "the data of an extension tells its schema");
        let user = json!({"schemas": [USER], "userName": "Ada", "externalId": "x\"7", "displayName": "Ada L.",
                          "nickName": "a"});
        let user = format!("/Users/{}", server.create("/Users", user).await);
        let group = json!({"schemas": [GROUP], "displayName": "Crew", "externalId": "g", "members": [{"value": "m"}]});
        let group = format!("/Groups/{}", server.create("/Groups", group).await);
        let lean = [
            (&user, "attributes=id"),
            (&user, "attributes=meta"),
            (&user, "attributes=userName,externalId"),
            (&user, "attributes=displayName,groups"),
            (&group, "attributes=id"),
            (&group, "attributes=members"),
            (&group, "attributes=displayName,externalId"),
        ];
        // rows of before there was a column for `schemas` are read as a whole
        for table in ["users", "groups"] {
            let kept = format!("CREATE TABLE kept_{table} AS SELECT id, schemas FROM {table}");
            server.run(&kept, &kept).await;
            let old = format!("UPDATE {table} SET schemas = NULL");
            server.run(&old, &old).await;
        }
        let mut before = Vec::new();
        for (path, query) in lean {
            let (status, shown) = server.send("GET", &format!("{path}?{query}"), Value::Null).await;
            assert_eq!(status, 200, "{path} {query}: {shown}");
            before.push(shown);
        }
        assert_eq!(before[2]["externalId"], "x\"7");
        assert_eq!(before[5]["members"][0]["value"], "m");
        for table in ["users", "groups"] {
            let spoil = format!(
                "UPDATE {table} SET attributes = '[]', schemas = (SELECT schemas FROM kept_{table} k WHERE k.id = {table}.id)"
            );
            server.run(&spoil, &spoil).await;
        }
        for ((path, query), before) in lean.iter().zip(&before) {
            let (status, shown) = server.send("GET", &format!("{path}?{query}"), Value::Null).await;
            assert_eq!((status, &shown), (200, before), "{path} {query}");
        }
        assert_eq!(server.send("GET", &format!("{user}?attributes=nickName"), Value::Null).await.0, 500);
        let member = json!({"op": "add", "path": "members", "value": [{"value": "n"}]});
        assert_eq!(server.send("PATCH", &group, patch(member)).await.0, 204);
        for path in [&user, &group] {
            assert_eq!(server.send("DELETE", path, Value::Null).await.0, 204);
        }
        server.close().await;
    }
}

/// A user whose document is long is read by itself, and only where the account has enough for it: who comes behind is made
/// unreadable, and the page ends before.
#[tokio::test]
async fn a_list_reads_no_longer_documents_than_its_account_pays_for() {
    let mut limits = Limits::default();
    limits.work = 6_000_000;
    for server in Server::all(&limits).await {
        let long = |n: usize| {
            let values: Vec<Value> = (0..2).map(|v| json!({"value": format!("{v}{}", "x".repeat(60_000))})).collect();
            json!({"schemas": [USER], "userName": format!("user-{n}"), "entitlements": values})
        };
        let mut ids = Vec::new();
        for n in 0..8 {
            ids.push(server.create("/Users", long(n)).await);
        }
        for query in ["", "&cursor", "&sortBy=userName", "&filter=userName%20sw%20%22user%22"] {
            let (mut path, mut found, mut pages) = (format!("/Users?count=8{query}"), Vec::new(), 0);
            while found.len() < ids.len() && pages < 8 {
                let (status, page) = server.send("GET", &path, Value::Null).await;
                assert_eq!(status, 200, "{query}: {page}");
                let shown = page["Resources"].as_array().unwrap();
                assert!((2..=4).contains(&shown.len()) || found.len() + shown.len() == 8, "{query}: {}", shown.len());
                assert!(shown.iter().all(|user| user["entitlements"][1]["value"].as_str().unwrap().len() > 60_000));
                found.extend(shown.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
                pages += 1;
                path = match page["nextCursor"].as_str() {
                    Some(cursor) => format!("/Users?count=8{query}={cursor}"),
                    None => format!("/Users?count=8{query}&startIndex={}", found.len() + 1),
                };
            }
            assert_eq!(found, ids, "{query}");
        }
        let unreadable = "UPDATE users SET attributes = '[]' WHERE user_name > 'user-3'";
        server.run(unreadable, unreadable).await;
        assert_eq!(server.send("GET", "/Users?count=8", Value::Null).await.0, 200);
        assert_eq!(server.send("GET", "/Users?count=8&startIndex=5", Value::Null).await.0, 500, "it is read at last");
        // what has to be looked at in memory is all there is, or refused before it is read
        assert_eq!(server.send("GET", "/Users?filter=nickName%20pr", Value::Null).await.0, 400);
        // columns hold what is asked for
        let (_, lean) = server.send("GET", "/Users?count=8&attributes=userName", Value::Null).await;
        assert_eq!(lean["Resources"].as_array().unwrap().len(), 8);
        server.close().await;
    }
}

#[tokio::test]
async fn a_list_shows_no_more_references_than_it_may() {
    let mut limits = Limits::default();
    limits.listed_references = 2_000;
    for server in Server::all(&limits).await {
        for (name, members) in [("few", 3), ("many", 900), ("too many", 2_001)] {
            let group = server.create("/Groups", json!({"schemas": [GROUP], "displayName": name})).await;
            let insert = "INSERT INTO group_members (tenant, group_id, member_id, member_kind)";
            server.numbered(insert, &format!("'acme', '{group}', 'member-' || n, 'User'"), members).await;
        }
        let counts = |page: &Value| -> Vec<usize> {
            let groups = page["Resources"].as_array().unwrap();
            groups.iter().map(|group| group["members"].as_array().map_or(0, Vec::len)).collect()
        };
        let (status, page) = server.send("GET", "/Groups?count=2", Value::Null).await;
        assert_eq!((status, counts(&page)), (200, vec![3, 900]));
        let (status, refused) = server.send("GET", "/Groups", Value::Null).await;
        assert_eq!((status, refused["scimType"].as_str()), (400, Some("tooMany")));
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("2000") && detail.contains("`excludedAttributes=members`"), "{detail}");
        let (status, lean) = server.send("GET", "/Groups?excludedAttributes=members", Value::Null).await;
        assert_eq!((status, lean["totalResults"].as_u64()), (200, Some(3)));
        let id = lean["Resources"][2]["id"].as_str().unwrap();
        let (_, whole) = server.send("GET", &format!("/Groups/{id}"), Value::Null).await;
        assert_eq!(whole["members"].as_array().unwrap().len(), 2_001);
        server.close().await;
    }
}

/// The kind of a member is made unreadable: whoever reads members fails.
#[tokio::test]
async fn members_are_counted_before_a_path_looks_at_them() {
    for server in Server::all(&Limits::default()).await {
        let group = server.create("/Groups", json!({"schemas": [GROUP], "displayName": "Crew"})).await;
        let values = format!("'acme', '{group}', 'member-' || n, 'Device'");
        let insert = "INSERT INTO group_members (tenant, group_id, member_id, member_kind)";
        server.numbered(insert, &values, 12_000).await;
        let path = format!("/Groups/{group}");
        let (status, refused) =
            server.send("PATCH", &path, patch(json!({"op": "remove", "path": "members[type eq \"Robot\"]"}))).await;
        assert_eq!(status, 413, "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("`members`"), "{refused}");
        // by value they are not looked at
        let named = json!({"op": "remove", "path": "members[value eq \"member-7\"]"});
        assert_eq!(server.send("PATCH", &path, patch(named)).await.0, 204);
        let less = "DELETE FROM group_members WHERE member_id LIKE 'member-1%' OR member_id > 'member-5'";
        server.run(less, less).await;
        let all = json!({"op": "remove", "path": "members[type eq \"Device\"]"});
        let (status, answer) = server.send("PATCH", &path, patch(all)).await;
        assert_eq!(status, 204, "{answer}");
        assert_eq!(server.send("GET", &path, Value::Null).await.1["members"], json!([]));
        server.close().await;
    }
}

#[tokio::test]
async fn queries_are_refused_before_they_are_more_work_than_is_allowed() {
    let mut limits = Limits::default();
    limits.work = 10_000_000;
    for server in Server::all(&limits).await {
        server.users(4_000).await;
        let emails = "INSERT INTO user_emails (tenant, user_id, position, value_key)";
        server.numbered(emails, "'acme', 'user-' || n, 0, 'user' || n || '@example.com'", 4_000).await;
        let terms = |term: &str, count: usize| vec![term; count].join(" or ");
        for (filter, status) in [
            ("userName co \"zz\"".to_owned(), 200),
            (terms("userName co \"zz\"", 256), 400),
            ((0..200).map(|n| format!("emails.value co \"{n}z\"")).collect::<Vec<_>>().join(" or "), 400),
            ("nickName eq \"q\"".to_owned(), 400),
            // what an index finds costs what it finds
            ("userName eq \"user7\"".to_owned(), 200),
            ("userName eq \"user7\" or externalId eq \"7\"".to_owned(), 200),
            ("emails.value eq \"zz\"".to_owned(), 200),
            ("userName eq \"user7\" and nickName eq \"q\"".to_owned(), 200),
        ] {
            let text: String = filter.bytes().map(|b| format!("%{b:02X}")).collect();
            let (found, answer) = server.send("GET", &format!("/Users?filter={text}"), Value::Null).await;
            assert_eq!(found, status, "{} {answer}", filter.get(..60).unwrap_or(&filter));
            assert!(status == 200 || answer["scimType"] == "tooMany", "{answer}");
        }
        for (query, status) in [("startIndex=3990", 200), ("startIndex=90000000", 200), ("sortBy=userName", 200)] {
            assert_eq!(server.send("GET", &format!("/Users?{query}"), Value::Null).await.0, status, "{query}");
        }
        server.close().await;
    }
}

/// Somebody else has SQLite's only write lock, and somebody else has locked PostgreSQL's row: who has nothing to write does not
/// wait for it.
#[tokio::test]
async fn changes_are_computed_while_others_write() {
    for server in Server::all(&Limits::default()).await {
        let ada = json!({"schemas": [USER], "userName": "ada", "title": "Countess"});
        let user = format!("/Users/{}", server.create("/Users", ada).await);
        let crew = json!({"schemas": [GROUP], "displayName": "Crew", "members": [{"value": "m", "type": "Device"}]});
        let group = format!("/Groups/{}", server.create("/Groups", crew).await);
        let (sqlite, postgres) = match &server.tables {
            Tables::Sqlite(pool) => (Some(pool.begin_with("BEGIN IMMEDIATE").await.unwrap()), None),
            Tables::Postgres(pool) => {
                let mut other = pool.begin().await.unwrap();
                for lock in ["SELECT 1 FROM users FOR UPDATE", "SELECT 1 FROM groups FOR UPDATE"] {
                    sqlx::query(lock).execute(&mut *other).await.unwrap();
                }
                (None, Some(other))
            }
        };
        for (path, operation, expected) in [
            (&user, json!({"op": "replace", "path": "title", "value": "Countess"}), 204),
            (&user, json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "a"}), 400),
            (&group, json!({"op": "replace", "path": "displayName", "value": "Crew"}), 204),
            (&group, json!({"op": "replace", "path": "members[type eq \"Robot\"].type", "value": "User"}), 400),
        ] {
            let call = server.send("PATCH", path, patch(operation.clone()));
            let (status, answer) =
                tokio::time::timeout(std::time::Duration::from_secs(4), call).await.expect("it waits");
            let fine = if expected == 204 { matches!(status, 200 | 204) } else { status == expected };
            assert!(fine, "{operation}: {status} {answer}");
        }
        drop((sqlite, postgres));
        let (status, _) = server.send("PATCH", &user, patch(json!({"op": "remove", "path": "title"}))).await;
        assert!(matches!(status, 200 | 204), "{status}");
        server.close().await;
    }
}

/// Deletions beside additions of the same people to the same groups.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletions_and_changes_of_members_do_not_lock_each_other_out() {
    for server in Server::all(&Limits::default()).await {
        let server = Arc::new(server);
        for storm in 0..6 {
            let mut users = Vec::new();
            for n in 0..8 {
                let user = json!({"schemas": [USER], "userName": format!("u{storm}-{n}")});
                users.push(server.create("/Users", user).await);
            }
            let members: Vec<_> = users.iter().map(|id| json!({"value": id})).collect();
            let mut groups = Vec::new();
            for n in 0..4 {
                let members = if n % 2 == 0 { members.clone() } else { Vec::new() };
                let group = json!({"schemas": [GROUP], "displayName": format!("g{storm}-{n}"), "members": members});
                groups.push(server.create("/Groups", group).await);
            }
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..24 {
                let (server, members) = (Arc::clone(&server), members.clone());
                let (user, group) = (users[n % 8].clone(), groups[n % 4].clone());
                tasks.spawn(async move {
                    let add = patch(json!({"op": "add", "path": "members", "value": members}));
                    match n % 3 {
                        0 => server.send("DELETE", &format!("/Users/{user}"), Value::Null).await.0,
                        _ => server.send("PATCH", &format!("/Groups/{group}"), add).await.0,
                    }
                });
            }
            let statuses = tasks.join_all().await;
            assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
            for user in &users {
                let filter = format!("/Groups?filter=members.value%20eq%20%22{user}%22&attributes=members");
                let groups = server.send("GET", &filter, Value::Null).await.1;
                let there = server.send("GET", &format!("/Users/{user}"), Value::Null).await.0 == 200;
                let kinds =
                    groups["Resources"].as_array().into_iter().flatten().flat_map(|g| g["members"].as_array().unwrap());
                let known = kinds.filter(|m| m["value"] == **user).filter(|m| m["type"] == "User").count();
                assert!(there || known == 0, "one that is gone is a member: {groups}");
            }
        }
        if let Tables::Postgres(pool) = &server.tables {
            sqlx::query("SELECT pg_stat_force_next_flush()").execute(pool).await.unwrap();
            let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
            let deadlocks: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
            assert_eq!(deadlocks, 0);
        }
        Arc::into_inner(server).unwrap().close().await;
    }
}
