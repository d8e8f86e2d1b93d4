//! Pages by cursor: what they cost, and who is on them while others come and go.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

use http::Request;
use scim_provider::{Group, Limits, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqlitePool};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

struct Server {
    scim: Service<Caller>,
}

impl Server {
    async fn over(url: &str) -> Self {
        let store = SqlStore::open(url).await.unwrap();
        let mut limits = Limits::default();
        // so few may be looked at for a total
        limits.scan = 10;
        let scim = Service::builder("http://localhost")
            .resource(User::resource_type(), store.users())
            .resource(Group::resource_type(), store.groups())
            .limits(limits)
            .build()
            .unwrap();
        Self { scim }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
        let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
        let response = self.scim.call(&caller, request.body(body).unwrap()).await;
        assert!(response.status().is_success(), "{method} {path}: {}", String::from_utf8_lossy(response.body()));
        serde_json::from_slice(response.body()).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path, Value::Null).await
    }

    async fn create(&self, name: &str, external: Option<&str>) -> String {
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
                          "externalId": external});
        self.send("POST", "/Users", body).await["id"].as_str().unwrap().to_owned()
    }

    async fn delete(&self, id: &str) {
        self.send("DELETE", &format!("/Users/{id}"), Value::Null).await;
    }

    /// In each order and on each way a page in the middle, and the statement that was its.
    async fn pages_in_the_middle(&self) -> Vec<(String, String)> {
        let mut pages = Vec::new();
        for (endpoint, name) in [("Users", "userName"), ("Groups", "displayName")] {
            for order in ["id", "externalId", "meta.created", "meta.lastModified", name] {
                for direction in ["ascending", "descending"] {
                    let query = format!("/{endpoint}?sortBy={order}&sortOrder={direction}&count=70&attributes=id");
                    let first = self.get(&format!("{query}&cursor=")).await;
                    let second = format!("{query}&cursor={}", first["nextCursor"].as_str().unwrap());
                    let third = self.get(&second).await["nextCursor"].as_str().unwrap().to_owned();
                    let third = self.get(&format!("{query}&cursor={third}")).await;
                    let back = format!("{query}&cursor={}", third["previousCursor"].as_str().unwrap());
                    for url in [second, back] {
                        TEXTS.lock().unwrap().clear();
                        self.get(&url).await;
                        let texts = std::mem::take(&mut *TEXTS.lock().unwrap());
                        // others run beside this
                        let own = texts.into_iter().find(|text| text.contains("ORDER BY") && text.contains("LIMIT 71"));
                        pages.push((url, own.expect("a statement for the page")));
                    }
                }
            }
        }
        pages
    }
}

/// Some users and as many groups, of whom a third has no external id and no display name.
fn filling(numbers: &str, document: impl Fn(&str) -> String) -> Vec<String> {
    let third = |text: &str| format!("CASE WHEN n % 3 > 0 THEN '{text}' || n END");
    let (external, display) = (third("x"), third("g"));
    let user = document(&format!("'userName', 'u' || n, 'externalId', {external}"));
    let group = document(&format!("'displayName', {display}, 'externalId', {external}"));
    vec![
        format!(
            "{numbers} INSERT INTO users (tenant, id, user_name, user_name_key, external_id, active, attributes, created,
                                          modified, version)
             SELECT 'acme', 'user-' || n, 'u' || n, 'u' || n, {external}, true, {user}, n / 2, 5000 - n / 3, 1
             FROM numbers"
        ),
        format!(
            "{numbers} INSERT INTO groups (tenant, id, display_name, display_name_key, external_id, attributes, created,
                                           modified, version)
             SELECT 'acme', 'group-' || n, {display}, {display}, {external}, {group}, n / 2, 5000 - n / 3, 1
             FROM numbers"
        ),
    ]
}

static TEXTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the texts of statements.
struct Keep;

impl<S: tracing::Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                let longer = value.len() > self.0.len();
                if longer && matches!(field.name(), "summary" | "db.statement") {
                    self.0 = value.to_owned();
                }
            }
        }
        if event.metadata().target() == "sqlx::query" {
            let mut text = Text(String::new());
            event.record(&mut text);
            TEXTS.lock().unwrap().push(text.0);
        }
    }
}

/// Whatever the order and the way, a page is read from where it begins: no index is asked for the tenant's rows alone.
#[tokio::test]
async fn a_page_is_a_range_of_an_index() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Keep)).unwrap();
    let dir = std::env::temp_dir().join(format!("scim-cursor-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&dir).unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.join("scim.sqlite").display());
    let server = Server::over(&url).await;
    let raw = SqlitePool::connect(&url).await.unwrap();
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < 3000)";
    for sql in filling(numbers, |members| format!("json_patch('{{}}', json_object({members}))")) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&raw).await.unwrap();
    }
    for (url, text) in server.pages_in_the_middle().await {
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"))).fetch_all(&raw).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>("detail")).collect();
        // the rows of the page are read by their places then
        let of_a_table = |step: &str| step.contains(" users ") || step.contains(" groups ");
        check(&url, &steps, |step| of_a_table(step) && !step.contains("(rowid=?)"), "(tenant=?)");
    }
    raw.close().await;
    std::fs::remove_dir_all(&dir).unwrap();

    let Some(url) = scim_test_postgres::database().unwrap() else { return };
    let server = Server::over(&url).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    let numbers = "WITH numbers (n) AS (SELECT generate_series(0, 2999))";
    for sql in filling(numbers, |members| format!("jsonb_strip_nulls(jsonb_build_object({members}))")) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut raw).await.unwrap();
    }
    // as for the store's connections, and a plan for any values
    let set = "ANALYZE; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(set).execute(&mut raw).await.unwrap();
    for (url, text) in server.pages_in_the_middle().await {
        let values =
            (1..).take_while(|n| text.contains(&format!("${n}"))).map(|_| "NULL").collect::<Vec<_>>().join(", ");
        let plan = format!("DEALLOCATE ALL; PREPARE page AS {text}; EXPLAIN EXECUTE page ({values})");
        let rows = sqlx::raw_sql(AssertSqlSafe(plan)).fetch_all(&mut raw).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>(0).trim().to_owned()).collect();
        let of_a_table =
            |step: &str| ["Index Cond", "Seq Scan", "->  Bitmap Heap Scan"].iter().any(|read| step.starts_with(read));
        check(&url, &steps, of_a_table, "Index Cond: (tenant = $1)");
    }
}

#[track_caller]
fn check(url: &str, plan: &[String], reads: impl Fn(&str) -> bool, whole: &str) {
    let reads: Vec<&String> = plan.iter().filter(|step| reads(step)).collect();
    assert!(!reads.is_empty(), "{url}: {plan:#?}");
    let ranges = |step: &&String| (step.contains("INDEX") || step.contains("Index")) && !step.contains(whole);
    assert!(reads.iter().all(ranges), "{url}: {plan:#?}");
}

#[tokio::test]
async fn nobody_who_stays_is_missed_or_met_twice_in_sqlite() {
    nobody_who_stays_is_missed_or_met_twice("sqlite::memory:").await;
}

#[tokio::test]
async fn nobody_who_stays_is_missed_or_met_twice_in_postgres() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        nobody_who_stays_is_missed_or_met_twice(&url).await;
    }
}

/// There and back, while newcomers stay for some pages, and listed users go before and behind the position and at it.
async fn nobody_who_stays_is_missed_or_met_twice(url: &str) {
    let server = Server::over(url).await;
    for order in ["", "&sortBy=userName", "&sortBy=externalId", "&sortBy=externalId&sortOrder=descending"] {
        let query = format!("/Users?count=5{order}");
        let mut staying = Vec::new();
        for n in 0..60 {
            let external = (n % 3 > 0).then(|| format!("x{}", n % 7));
            staying.push(server.create(&format!("u{n:02}"), external.as_deref()).await);
        }
        let (mut newcomers, mut last) = (VecDeque::new(), (Vec::new(), String::new()));
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        for way in ["nextCursor", "previousCursor"] {
            for round in 0.. {
                let page = server.get(&format!("{query}&cursor={cursor}")).await;
                let shown: Vec<String> = ids(&page);
                seen.extend_from_slice(&shown);
                let Some(beyond) = page[way].as_str() else {
                    last = (shown, page["previousCursor"].as_str().unwrap_or_default().to_owned());
                    break;
                };
                cursor = beyond.to_owned();
                assert!(round < 60, "pages without end");
                if round > 6 {
                    continue;
                }
                for name in ["a", "u30-", "z"] {
                    newcomers.push_back(server.create(&format!("{name}{way}{round}"), Some("x3")).await);
                }
                let shown = |id: &&String| seen.contains(id);
                let mut goes: BTreeSet<String> = staying.iter().find(shown).into_iter().cloned().collect();
                goes.extend(staying.iter().rev().find(|id| !shown(id)).cloned());
                goes.extend(seen.last().cloned());
                goes.extend((9..newcomers.len()).filter_map(|_| newcomers.pop_front()).collect::<Vec<_>>());
                staying.retain(|id| !goes.contains(id));
                newcomers.retain(|id| !goes.contains(id));
                for id in goes {
                    server.delete(&id).await;
                }
            }
            for id in &staying {
                assert_eq!(seen.iter().filter(|found| *found == id).count(), 1, "{order} {way}: {id}");
            }
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{order} {way}: somebody was met twice");
            // the way back begins at the last page, which has been shown
            (seen, cursor) = std::mem::take(&mut last);
        }
        for id in staying.into_iter().chain(newcomers) {
            server.delete(&id).await;
        }
    }
}

#[tokio::test]
async fn what_is_looked_up_in_other_tables_is_found_page_by_page_in_sqlite() {
    what_is_looked_up_in_other_tables_is_found_page_by_page("sqlite::memory:").await;
}

#[tokio::test]
async fn what_is_looked_up_in_other_tables_is_found_page_by_page_in_postgres() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        what_is_looked_up_in_other_tables_is_found_page_by_page(&url).await;
    }
}

/// Filters on e-mails, members and groups, by cursor, with more matches than are counted.
async fn what_is_looked_up_in_other_tables_is_found_page_by_page(url: &str) {
    let server = Server::over(url).await;
    let mut users = Vec::new();
    for n in 0..14 {
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("u{n:02}"),
                          "emails": [{"value": if n < 12 { "team@example.com" } else { "own@example.com" }}]});
        users.push(server.send("POST", "/Users", body).await["id"].as_str().unwrap().to_owned());
    }
    let (team, own) = users.split_at(12);
    let mut groups = Vec::new();
    for n in 0..14 {
        let members: Vec<Value> = if n < 12 { team } else { own }.iter().map(|id| json!({"value": id})).collect();
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("g{n:02}"),
                          "members": members});
        groups.push(server.send("POST", "/Groups", body).await["id"].as_str().unwrap().to_owned());
    }
    for (endpoint, filter, expected) in [
        ("Users", "emails.value eq \"team@example.com\"".to_owned(), team),
        ("Users", format!("groups.value eq \"{}\"", groups[0]), team),
        ("Users", format!("emails[value eq \"own@example.com\"] and groups.value eq \"{}\"", groups[13]), own),
        ("Groups", format!("members.value eq \"{}\"", team[0]), &groups[..12]),
        ("Groups", format!("members[value eq \"{}\"]", own[1]), &groups[12..]),
    ] {
        let filter = filter.replace(' ', "%20").replace('"', "%22").replace('[', "%5B").replace(']', "%5D");
        for order in ["", "&sortBy=meta.created", "&sortBy=externalId", "&sortBy=id&sortOrder=descending"] {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = server.get(&format!("/{endpoint}?count=5&filter={filter}{order}&cursor={cursor}")).await;
                found.extend(ids(&page));
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!(found.len(), expected.len(), "{filter} {order}");
            assert_eq!(BTreeSet::from_iter(&found), BTreeSet::from_iter(expected), "{filter} {order}");
        }
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}
