//! What the look-ups of identity providers read: a few rows through an index, in tables of many, whatever the planner knows.
//! Alone in its process, because it reads the driver's log for the statements that the store sends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::fmt::Debug;
use std::sync::Mutex;

use http::Request;
use rusqlite::{Connection as Sqlite, StatementStatus, params_from_iter};
use scim_provider::{Group, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// How many users there are, each with an e-mail, and as many groups, each with two of them.
const ROWS: usize = 20_000;

/// How many steps of its machine SQLite may take. A walk through the tenant takes five for each row at least.
const STEPS: i32 = 600;

/// How many rows PostgreSQL may look at, in tables and indexes.
const LOOKS: f64 = 40.0;

/// A look-up.
struct Case {
    endpoint: &'static str,
    filter: &'static str,
    /// the values in the filter, as they are bound
    values: &'static [&'static str],
    found: u64,
    /// what of SQLite's plan shows the way
    sqlite: &'static [&'static str],
    /// the indexes that PostgreSQL uses
    postgres: &'static [&'static str],
}

impl Case {
    const fn users(filter: &'static str, values: &'static [&'static str], ways: [&'static [&'static str]; 2]) -> Self {
        Self { endpoint: "/Users", filter, values, found: 1, sqlite: ways[0], postgres: ways[1] }
    }

    const fn groups(filter: &'static str, values: &'static [&'static str], ways: [&'static [&'static str]; 2]) -> Self {
        Self { endpoint: "/Groups", ..Self::users(filter, values, ways) }
    }

    const fn finds(self, found: u64) -> Self {
        Self { found, ..self }
    }
}

const NAME: [&[&str]; 2] = [&["users_by_name (tenant=? AND user_name_key=?)"], &["users_by_name"]];
const EXTERNAL: [&[&str]; 2] =
    [&["users_in_order_of_external_id (tenant=? AND external_id=?)"], &["users_in_order_of_external_id"]];
const EITHER: [&[&str]; 2] = [
    &["users_in_order_of_external_id (tenant=? AND external_id=?)", "users_by_name (tenant=? AND user_name_key=?)"],
    &["users_in_order_of_external_id", "users_by_name"],
];
const EMAIL: [&[&str]; 2] = [
    &["SEARCH e USING COVERING INDEX user_emails_by_value (tenant=? AND value_key=?)", "users_1 (tenant=? AND id=?)"],
    &["user_emails_by_value", "users_pkey"],
];
const TYPED: [&[&str]; 2] = [
    &["SEARCH e USING INDEX user_emails_by_value (tenant=? AND value_key=?)", "users_1 (tenant=? AND id=?)"],
    EMAIL[1],
];
const GROUP: [&[&str]; 2] = [
    &["SEARCH m USING PRIMARY KEY (tenant=? AND group_id=?)", "users_1 (tenant=? AND id=?)"],
    &["group_members_pkey", "users_pkey"],
];
const MEMBER: [&[&str]; 2] = [
    &[
        "SEARCH m USING COVERING INDEX group_members_by_member (tenant=? AND member_id=?)",
        "groups_1 (tenant=? AND id=?)",
    ],
    &["group_members_by_member", "groups_pkey"],
];

const CASES: &[Case] = &[
    Case::users("id eq \"user-7\"", &["user-7"], [&["users_1 (tenant=? AND id=?)"], &["users_pkey"]]),
    Case::users("userName eq \"USER7\"", &["user7"], NAME),
    Case::users("externalId eq \"ext-7\"", &["ext-7"], EXTERNAL),
    // either will do, and without statistics PostgreSQL takes the other
    Case::users("externalId eq \"ext-7\" and userName eq \"user7\"", &["ext-7", "user7"], [NAME[0], &[]]),
    Case::users("externalId eq \"ext-7\" or userName eq \"user9\"", &["ext-7", "user9"], EITHER).finds(2),
    Case::users("emails.value eq \"user7@example.com\"", &["user7@example.com"], EMAIL),
    Case::users("emails eq \"user7@example.com\"", &["user7@example.com"], EMAIL),
    Case::users("emails[type eq \"work\"].value eq \"user7@example.com\"", &["work", "user7@example.com"], TYPED),
    Case::users("emails[type eq \"work\" and value eq \"user7@example.com\"]", &["work", "user7@example.com"], TYPED),
    Case::users("groups.value eq \"group-7\"", &["group-7"], GROUP).finds(2),
    Case::users("groups eq \"group-7\"", &["group-7"], GROUP).finds(2),
    Case::groups("id eq \"group-7\"", &["group-7"], [&["groups_1 (tenant=? AND id=?)"], &["groups_pkey"]]),
    Case::groups(
        "displayName eq \"GROUP7\"",
        &["group7"],
        [&["groups_by_name (tenant=? AND display_name_key=?)"], &["groups_by_name"]],
    ),
    Case::groups(
        "externalId eq \"ext-7\"",
        &["ext-7"],
        [&["groups_in_order_of_external_id (tenant=? AND external_id=?)"], &["groups_in_order_of_external_id"]],
    ),
    Case::groups("members.value eq \"user-7\"", &["user-7"], MEMBER).finds(2),
    Case::groups("members eq \"user-7\"", &["user-7"], MEMBER).finds(2),
    Case::groups("members[value eq \"user-7\"]", &["user-7"], MEMBER).finds(2),
    Case::groups(
        "id eq \"group-7\" and members eq \"user-7\"",
        &["group-7", "user-7"],
        [&["groups_1 (tenant=? AND id=?)", "(tenant=? AND member_id=?)"], &["groups_pkey"]],
    ),
];

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the text of statements.
struct Statements;

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            event.record(&mut { self });
        }
    }
}

impl Visit for &Statements {
    fn record_str(&mut self, field: &Field, text: &str) {
        // a new connection has statements of its own, and the size of a group is counted before its members are looked up
        let counts = text.contains("SELECT COUNT(*) FROM (SELECT 1 FROM group_members");
        if field.name() == "db.statement" && text.contains(" LIMIT ") && !counts {
            LOG.lock().unwrap().push(text.trim().to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// The tables, filled, and the service over them.
struct Server {
    scim: Service<Caller>,
}

impl Server {
    async fn over(url: &str) -> Self {
        let store = SqlStore::open(url).await.unwrap();
        let scim = Service::builder("http://localhost")
            .resource(User::resource_type(), store.users())
            .resource(Group::resource_type(), store.groups())
            .build()
            .unwrap();
        Self { scim }
    }

    /// The statement that a look-up becomes. It has to find what is there.
    async fn statement(&self, case: &Case) -> String {
        LOG.lock().unwrap().clear();
        let filter: String = case.filter.bytes().map(|b| format!("%{b:02X}")).collect();
        let request = Request::get(format!("{}?filter={filter}", case.endpoint)).body(Vec::new()).unwrap();
        let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
        let response = self.scim.call(&caller, request).await;
        let page: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(page["totalResults"], case.found, "{}: {page}", case.filter);
        let log = LOG.lock().unwrap();
        let [statement] = log.as_slice() else { panic!("{}: {log:?}", case.filter) };
        statement.clone()
    }
}

/// What fills the tables of two tenants, where `numbers (n)` are those of the rows.
fn fill(numbers: &str, document: &str) -> String {
    let mut script = String::new();
    for tenant in ["acme", "other"] {
        for insert in [
            format!(
                "INSERT INTO users (tenant, id, user_name, user_name_key, external_id, active, attributes, created, modified,
                                    version)
                 SELECT '{tenant}', 'user-' || n, 'user' || n, 'user' || n, 'ext-' || n, TRUE, {document}, n, n, 1 FROM numbers"
            ),
            format!(
                "INSERT INTO user_emails (tenant, user_id, position, value_key, type_key, is_primary)
                 SELECT '{tenant}', 'user-' || n, 0, 'user' || n || '@example.com', 'work', TRUE FROM numbers"
            ),
            format!(
                "INSERT INTO groups (tenant, id, display_name, display_name_key, external_id, attributes, created, modified,
                                     version)
                 SELECT '{tenant}', 'group-' || n, 'group' || n, 'group' || n, 'ext-' || n, {document}, n, n, 1 FROM numbers"
            ),
            format!(
                "INSERT INTO group_members (tenant, group_id, member_id, member_kind)
                 SELECT '{tenant}', 'group-' || n, 'user-' || ((n + k) % {ROWS}), 'User'
                 FROM numbers CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1) AS pair"
            ),
        ] {
            script.push_str(&format!("{numbers} {insert};\n"));
        }
    }
    script
}

#[tokio::test]
async fn look_ups_read_what_they_find() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Statements)).unwrap();
    in_sqlite().await;
    if let Some(url) = scim_test_postgres::database().unwrap() {
        in_postgres(&url).await;
    }
}

async fn in_sqlite() {
    let folder = std::env::temp_dir().join(format!("scim-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("scim.sqlite");
    let server = Server::over(&format!("sqlite://{}?mode=rwc", file.display())).await;
    let tables = Sqlite::open(&file).unwrap();
    let numbers =
        format!("WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {ROWS})");
    tables.execute_batch(&format!("BEGIN; {} COMMIT;", fill(&numbers, "'{\"userName\":\"a\"}'"))).unwrap();
    let mut statements = Vec::new();
    for case in CASES {
        statements.push((case, server.statement(case).await));
    }
    let complaints =
        || statements.iter().filter_map(|(case, sql)| sqlite_complains(&tables, case, sql)).collect::<Vec<_>>();
    assert_eq!(complaints(), Vec::<String>::new(), "nothing was analyzed");
    // without any of the indexes there would be complaints
    for index in [
        "users_by_name",
        "users_in_order_of_external_id",
        "user_emails_by_value",
        "groups_by_name",
        "groups_in_order_of_external_id",
        "group_members_by_member",
    ] {
        tables.execute_batch(&format!("BEGIN; DROP INDEX {index};")).unwrap();
        assert_ne!(complaints(), Vec::<String>::new(), "without {index}");
        tables.execute_batch("ROLLBACK").unwrap();
    }
    tables.execute_batch("ANALYZE").unwrap();
    assert_eq!(complaints(), Vec::<String>::new(), "all is analyzed");
    drop(tables);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What is wrong with the way that SQLite takes.
fn sqlite_complains(tables: &Sqlite, case: &Case, sql: &str) -> Option<String> {
    let values =
        ["acme", "acme"].iter().chain(case.values).map(|text| rusqlite::types::Value::from((*text).to_owned()));
    let values: Vec<_> = values.chain([0.into()]).collect();
    let mut plan = tables.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let plan = plan.query_map(params_from_iter(&values), |row| row.get::<_, String>(3)).unwrap();
    let plan = plan.map(Result::unwrap).collect::<Vec<_>>().join("\n");
    let mut statement = tables.prepare(sql).unwrap();
    let found = statement.query_map(params_from_iter(&values), |_| Ok(())).unwrap().count();
    assert_eq!(found as u64, case.found, "{}", case.filter);
    let steps = statement.get_status(StatementStatus::VmStep);
    println!("SQLite {:60} {steps:7} steps", case.filter);
    let missing = case.sqlite.iter().find(|way| !plan.contains(**way));
    (steps > STEPS || missing.is_some()).then(|| format!("{}: {steps} steps, not {missing:?}\n{plan}", case.filter))
}

async fn in_postgres(url: &str) {
    let server = Server::over(url).await;
    let mut tables = PgConnection::connect(url).await.unwrap();
    let run = async |tables: &mut PgConnection, sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(tables).await.unwrap();
    };
    // else the server would gather statistics when it likes
    for table in ["users", "user_emails", "groups", "group_members"] {
        run(&mut tables, format!("ALTER TABLE {table} SET (autovacuum_enabled = off)")).await;
    }
    let numbers = format!("WITH numbers (n) AS (SELECT generate_series(0, {ROWS} - 1))");
    run(&mut tables, fill(&numbers, "'{\"userName\":\"a\"}'::jsonb")).await;
    // as the store's connections have it, and the plan that a driver's prepared statement ends up with
    run(&mut tables, "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan".to_owned()).await;
    for known in ["nothing was analyzed", "all is analyzed"] {
        let mut complaints = Vec::new();
        for case in CASES {
            let sql = server.statement(case).await;
            run(&mut tables, format!("PREPARE look_up AS {sql}")).await;
            complaints.extend(postgres_complains(&mut tables, case).await);
            run(&mut tables, "DEALLOCATE look_up".to_owned()).await;
        }
        assert_eq!(complaints, Vec::<String>::new(), "{known}");
        run(&mut tables, "ANALYZE".to_owned()).await;
    }
}

/// What is wrong with the way that PostgreSQL takes.
async fn postgres_complains(tables: &mut PgConnection, case: &Case) -> Option<String> {
    let values: String = case.values.iter().map(|value| format!("'{value}', ")).collect();
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE look_up ('acme', {values}100, 0)");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain)).persistent(false).fetch_one(tables).await.unwrap();
    let (mut indexes, mut looks) = (Vec::new(), 0.0);
    walk(&plan[0]["Plan"], &mut indexes, &mut looks);
    println!("PostgreSQL {:60} {looks:7} rows through {indexes:?}", case.filter);
    let missing = case.postgres.iter().find(|index| !indexes.iter().any(|used| used == *index));
    (looks > LOOKS || missing.is_some()).then(|| format!("{}: {looks} rows, not {missing:?}\n{plan:#}", case.filter))
}

/// The indexes that a plan uses, and the rows that its scans look at, those included that they find of no use.
fn walk(node: &Value, indexes: &mut Vec<String>, looks: &mut f64) {
    indexes.extend(node["Index Name"].as_str().map(str::to_owned));
    if node["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Scan")) {
        let counts = ["Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"];
        let rows: f64 = counts.iter().filter_map(|count| node[count].as_f64()).sum();
        *looks += rows * node["Actual Loops"].as_f64().unwrap_or(1.0);
    }
    for inner in node["Plans"].as_array().into_iter().flatten() {
        walk(inner, indexes, looks);
    }
}
