//! What grows with the data and what does not: the same request on little and on much, in turns, on each database.
//!
//! `cargo bench -p scim-sql-store` fills the tables, prints medians and ratios, and fails when a ratio misses its goal.
//! `SMOKE=1` takes small numbers and looks at no goal. PostgreSQL is a server of the bench's own, if it is installed.
//! The service is called in this process: `tests/scripts/growth.py` does the like through HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench stops at what is wrong, and prints"
)]

mod crowd;

use std::time::{Duration, Instant};

use http::Request;
use scim_provider::{EnterpriseUser, Extension, Group, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crowd::Crowd;

#[tokio::main]
async fn main() {
    let sizes = Sizes::read();
    let mut missed = 0;
    let dir = std::env::temp_dir().join(format!("scim-growth-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&dir).unwrap();
    let file = format!("sqlite://{}?mode=rwc", dir.join("scim.sqlite").display());
    missed += measured("SQLite", &file, &sizes).await;
    std::fs::remove_dir_all(&dir).unwrap();
    if let Some(url) = scim_test_postgres::database().unwrap() {
        missed += measured("PostgreSQL", &url, &sizes).await;
    }
    if missed > 0 && !sizes.smoke {
        println!("{missed} goals missed");
        std::process::exit(1);
    }
}

/// How much is little and how much is much.
struct Sizes {
    smoke: bool,
    users: [usize; 2],
    groups: [usize; 3],
    read: [usize; 2],
    repeats: usize,
    filled: usize,
    listed: usize,
}

impl Sizes {
    fn read() -> Self {
        match std::env::var_os("SMOKE") {
            Some(_) => Self {
                smoke: true,
                users: [10, 100],
                groups: [10, 20, 40],
                read: [10, 20],
                repeats: 3,
                filled: 20,
                listed: 2_000,
            },
            None => Self {
                smoke: false,
                users: [1_000, 100_000],
                groups: [10, 10_000, 1_000_000],
                read: [1_000, 100_000],
                repeats: 200,
                filled: 2_000,
                listed: 1_000_000,
            },
        }
    }
}

async fn measured(name: &str, url: &str, sizes: &Sizes) -> usize {
    let store = SqlStore::open(url).await.unwrap();
    let raw = Raw::connect(url).await;
    let scim = Service::builder("https://scim.example.com/scim/v2")
        .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
        .resource(Group::resource_type(), store.groups())
        .build()
        .unwrap();
    let host = Host { scim, repeats: sizes.repeats };
    println!("\n{name}");
    let mut missed = 0;
    missed += look_up(&host, &raw, sizes).await;
    missed += patch_members(&host, &raw, sizes).await;
    missed += fill(&host, &raw, sizes).await;
    missed += read_groups(&host, &raw, sizes).await;
    missed += cursors(&host, &raw, sizes).await;
    store.close().await;
    raw.close().await;
    missed
}

/// P3: a look-up by name costs what a GET costs, with few users and with many.
async fn look_up(host: &Host, raw: &Raw, sizes: &Sizes) -> usize {
    for (tenant, users) in ["few", "many"].into_iter().zip(sizes.users) {
        raw.users(tenant, users).await;
    }
    raw.analyze().await;
    let last = |users: usize| users - 1;
    let name = |users: usize| format!("/Users?filter=userName%20eq%20%22USER{}@example.com%22", last(users));
    let id = |users: usize| format!("/Users/user-{}", last(users));
    let [few, many] = sizes.users;
    let times = host
        .in_turns(&[Step::get("few", &name(few)), Step::get("many", &name(many)), Step::get("many", &id(many))])
        .await;
    ratio("P3 userName eq ÷ GET by id", times[1], times[2], 1.2)
        + ratio(&format!("P3 userName eq, {many} users ÷ {few}"), times[1], times[0], 1.2)
}

/// P10: one member more or less costs the same in a group of any size.
async fn patch_members(host: &Host, raw: &Raw, sizes: &Sizes) -> usize {
    raw.users("groups", sizes.users[1]).await;
    let mut steps = Vec::new();
    for members in sizes.groups {
        let group = format!("group-{members}");
        raw.group("groups", &group, members).await;
        let path = format!("/Groups/{group}");
        let one = json!([{"value": "user-x"}]);
        steps.push(Step::patch("groups", &path, json!({"op": "add", "path": "members", "value": one})));
        steps.push(Step::patch("groups", &path, json!({"op": "remove", "path": "members[value eq \"user-x\"]"})));
    }
    // with no statistics at first, as after a first provisioning cycle; once for nothing, so that no first time is counted
    host.in_turns(&steps).await;
    let mut rows = Vec::new();
    for pair in steps.chunks(2) {
        rows.push(raw.rows_read(host, pair).await);
    }
    // SQLite tells nothing of this kind: `src/rows.rs` counts its instructions
    let times = host.in_turns(&steps).await;
    for (at, members) in sizes.groups.iter().enumerate() {
        let rows = rows[at].map_or(String::from("rows not counted"), |rows| format!("{rows} rows read by both"));
        println!("    group of {members}: add {:?}, remove {:?}, {rows}", times[2 * at], times[2 * at + 1]);
    }
    let [small, _, large] = sizes.groups;
    ratio(&format!("P10 add one member, {large} ÷ {small}"), times[4], times[0], 1.5)
        + ratio(&format!("P10 remove one member, {large} ÷ {small}"), times[5], times[1], 1.5)
}

/// P11: the last members of a group are added as fast as the first, one by one and a thousand at a time.
async fn fill(host: &Host, raw: &Raw, sizes: &Sizes) -> usize {
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Filled"});
    let created = host.send(&Step { tenant: "fill", method: "POST", path: "/Groups".to_owned(), body: group }).await.0;
    let path = format!("/Groups/{}", created["id"].as_str().unwrap());
    let mut times = Vec::new();
    for n in 0..sizes.filled {
        let one = json!([{"value": format!("member-{n}")}]);
        let step = Step::patch("fill", &path, json!({"op": "add", "path": "members", "value": one}));
        times.push(host.send(&step).await.1);
    }
    let tenth = times.len() / 10;
    let (first, last) = (median(times[..tenth].to_vec()), median(times[times.len() - tenth..].to_vec()));
    let thousand: Vec<_> = (0..1_000).map(|n| json!({"value": format!("thousand-{n}")})).collect();
    let add = Step::patch("fill", &path, json!({"op": "add", "path": "members", "value": thousand.clone()}));
    let remove = Step::patch("fill", &path, json!({"op": "remove", "path": "members", "value": thousand}));
    let body = serde_json::to_vec(&add.body).unwrap();
    let (mut added, mut parsed) = (Vec::new(), Vec::new());
    for _ in 0..host.repeats.min(50) {
        added.push(host.send(&add).await.1);
        let start = Instant::now();
        std::hint::black_box(serde_json::from_slice::<Value>(std::hint::black_box(&body)).unwrap());
        parsed.push(start.elapsed());
        host.send(&remove).await;
    }
    let (thousand, parsed) = (median(added), median(parsed));
    println!("    1,000 members in one PATCH {thousand:?}, one in one {last:?}");
    ratio("P11 PATCH of 1,000 members ÷ the database writing their rows", thousand, raw.write_members(1_000).await, 1.5)
        + ratio("P11 PATCH of 1,000 members ÷ parsing its body", thousand, parsed, 6.0)
        + ratio("P11 filling a group, last tenth ÷ first tenth", last, first, 1.3)
}

/// P12: members that nobody asked for are not read; those that are asked for cost little more than reading their rows.
async fn read_groups(host: &Host, raw: &Raw, sizes: &Sizes) -> usize {
    for members in sizes.read {
        raw.group("read", &format!("read-{members}"), members).await;
    }
    raw.users("read", sizes.read[0]).await;
    raw.analyze().await;
    let [few, many] = sizes.read;
    let lean = |members: usize| format!("/Groups/read-{members}?excludedAttributes=members");
    let times = host.in_turns(&[Step::get("read", &lean(few)), Step::get("read", &lean(many))]).await;
    let missed = ratio(&format!("P12 GET without members, {many} ÷ {few}"), times[1], times[0], 1.2);
    let whole = Step::get("read", &format!("/Groups/read-{many}"));
    let (mut full, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (body, time) = host.send(&whole).await;
        assert_eq!(body["members"].as_array().map(Vec::len), Some(many));
        full.push(time);
        bare.push(raw.members("read", &format!("read-{many}")).await);
    }
    let what = format!("P12 GET of {many} members ÷ the driver reading their rows");
    missed + ratio(&what, median(full), median(bare), 1.3)
}

/// P8: a page costs the same wherever it lies, and nobody who stays is missed or shown twice while a thousand users come and a
/// thousand go.
async fn cursors(host: &Host, raw: &Raw, sizes: &Sizes) -> usize {
    let mut missed = 0;
    for (tenant, order) in [("cursors", ""), ("by-name", "&sortBy=userName")] {
        raw.users(tenant, sizes.listed).await;
        raw.analyze().await;
        let pages = sizes.listed / 100;
        let mut marks = Vec::new();
        let mut crowd = Crowd::new(tenant, sizes.listed);
        let (mut cursor, mut page) = (String::new(), 0);
        loop {
            page += 1;
            let path = format!("/Users?attributes=userName&count=100{order}&cursor={cursor}");
            if page == 1 || page == pages.min(100) || page == pages - pages / 50 {
                marks.push(Step::get(tenant, &path));
            }
            let (body, _) = host.send(&Step::get(tenant, &path)).await;
            crowd.meet(&body);
            if page % pages.div_ceil(1_000) == 0 {
                crowd.come_and_go(host).await;
            }
            match body["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        crowd.check();
        let times = host.in_turns(&marks).await;
        let (came, went) = (crowd.came, crowd.gone.len());
        println!("    {page} pages of 100{order}: {came} users came and {went} went; who stayed was shown once");
        missed += ratio(&format!("P8 page {} by cursor{order} ÷ page 1", pages.min(100)), times[1], times[0], 1.5)
            + ratio(
                &format!("P8 page {} by cursor{order} ÷ page 1", pages - pages / 50),
                times[times.len() - 1],
                times[0],
                1.5,
            );
    }
    missed
}

/// The service, in this process.
struct Host {
    scim: Service<Caller>,
    repeats: usize,
}

#[derive(Clone)]
struct Step {
    tenant: &'static str,
    method: &'static str,
    path: String,
    body: Value,
}

impl Step {
    fn get(tenant: &'static str, path: &str) -> Self {
        Self { tenant, method: "GET", path: path.to_owned(), body: Value::Null }
    }

    fn patch(tenant: &'static str, path: &str, operation: Value) -> Self {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let body = json!({"schemas": schemas, "Operations": [operation]});
        Self { tenant, method: "PATCH", path: path.to_owned(), body }
    }
}

impl Host {
    /// The median times of the steps. They take turns, so that whatever else the machine does meets all of them.
    async fn in_turns(&self, steps: &[Step]) -> Vec<Duration> {
        let mut times = vec![Vec::with_capacity(self.repeats); steps.len()];
        for _ in 0..self.repeats {
            for (step, times) in steps.iter().zip(&mut times) {
                times.push(self.send(step).await.1);
            }
        }
        times.into_iter().map(median).collect()
    }

    async fn send(&self, step: &Step) -> (Value, Duration) {
        let body = if step.body.is_null() { Vec::new() } else { serde_json::to_vec(&step.body).unwrap() };
        let request = Request::builder().method(step.method).uri(format!("/scim/v2{}", step.path));
        let request = request.header("Content-Type", "application/scim+json").body(body).unwrap();
        let caller = Caller::authenticated(TenantId::new(step.tenant).unwrap(), "bench", "1");
        let start = Instant::now();
        let response = self.scim.call(&caller, request).await;
        let time = start.elapsed();
        assert!(response.status().is_success(), "{}: {}", step.path, String::from_utf8_lossy(response.body()));
        (serde_json::from_slice(response.body()).unwrap_or(Value::Null), time)
    }
}

/// The database without the store: to fill it, and to see what the driver alone takes.
enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Raw {
    async fn connect(url: &str) -> Self {
        match url.starts_with("postgres") {
            true => Self::Postgres(PgPool::connect(url).await.unwrap()),
            false => Self::Sqlite(SqlitePool::connect(url).await.unwrap()),
        }
    }

    async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    async fn run(&self, sql: String) {
        match self {
            Self::Sqlite(pool) => drop(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
            Self::Postgres(pool) => drop(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
        }
    }

    /// As `numbers (n)`, those from 0.
    fn numbers(&self, count: usize) -> String {
        match self {
            Self::Sqlite(_) => format!(
                "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})"
            ),
            Self::Postgres(_) => format!("WITH numbers (n) AS (SELECT generate_series(0, {count} - 1))"),
        }
    }

    async fn users(&self, tenant: &str, count: usize) {
        let document = match self {
            Self::Sqlite(_) => "'{\"userName\":\"user' || n || '@example.com\"}'",
            Self::Postgres(_) => "('{\"userName\":\"user' || n || '@example.com\"}')::jsonb",
        };
        let numbers = self.numbers(count);
        self.run(format!(
            "{numbers} INSERT INTO users (tenant, id, user_name, user_name_key, active, attributes, created, modified, version)
             SELECT '{tenant}', 'user-' || n, 'user' || n || '@example.com', 'user' || n || '@example.com', true, {document},
                    n, n, 1
             FROM numbers"
        ))
        .await;
    }

    async fn group(&self, tenant: &str, id: &str, members: usize) {
        let document = format!("'{{\"displayName\":\"{id}\"}}'");
        self.run(format!(
            "INSERT INTO groups (tenant, id, display_name, display_name_key, attributes, created, modified, version)
             VALUES ('{tenant}', '{id}', '{id}', '{id}', {document}, 0, 0, 1)"
        ))
        .await;
        let numbers = self.numbers(members);
        self.run(format!(
            "{numbers} INSERT INTO group_members (tenant, group_id, member_id, member_kind)
             SELECT '{tenant}', '{id}', 'user-' || n, 'User' FROM numbers"
        ))
        .await;
    }

    /// What it takes to write the rows of so many members, in a statement of their own, to an empty group: the median.
    async fn write_members(&self, count: usize) -> Duration {
        self.group("fill", "bare", 0).await;
        let numbers = self.numbers(count);
        let write = format!(
            "{numbers} INSERT INTO group_members (tenant, group_id, member_id, member_kind)
             SELECT 'fill', 'bare', 'thousand-' || n, 'User' FROM numbers"
        );
        let mut times = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            self.run(write.clone()).await;
            times.push(start.elapsed());
            self.run("DELETE FROM group_members WHERE tenant = 'fill' AND group_id = 'bare'".to_owned()).await;
        }
        median(times)
    }

    /// Brings the planner's statistics up to date, which PostgreSQL does by itself in time and SQLite never does.
    async fn analyze(&self) {
        if let Self::Postgres(_) = self {
            self.run("ANALYZE".to_owned()).await;
        }
    }

    /// How many rows of tables the steps make the server read, once each; SQLite does not tell.
    async fn rows_read(&self, host: &Host, steps: &[Step]) -> Option<i64> {
        let Self::Postgres(pool) = self else { return None };
        let nobody = Step::get("nobody", "/Users?filter=userName%20eq%20%22nobody%22");
        let count = async || {
            // a server's process reports what it did at the end of a transaction, and not more often than once a second
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            host.send(&nobody).await;
            let sql = "SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables";
            sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await.unwrap()
        };
        // what somebody else did before may be reported late: the least of a few tries is the truth
        let mut least = i64::MAX;
        for _ in 0..4 {
            let before = count().await;
            for step in steps {
                host.send(step).await;
            }
            least = least.min(count().await - before);
        }
        Some(least)
    }

    /// Reads the rows of a group's members.
    async fn members(&self, tenant: &str, group: &str) -> Duration {
        let sql = "SELECT member_id, member_kind FROM group_members WHERE tenant = $1 AND group_id = $2";
        let start = Instant::now();
        let rows = match self {
            Self::Sqlite(pool) => sqlx::query(sql).bind(tenant).bind(group).fetch_all(pool).await.unwrap().len(),
            Self::Postgres(pool) => sqlx::query(sql).bind(tenant).bind(group).fetch_all(pool).await.unwrap().len(),
        };
        assert!(rows > 0);
        start.elapsed()
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Prints a ratio; 1 when it is over its goal.
fn ratio(what: &str, this: Duration, that: Duration, goal: f64) -> usize {
    let ratio = this.as_secs_f64() / that.as_secs_f64().max(1e-9);
    let missed = ratio > goal;
    println!("  {} {what}: {ratio:.2} (goal {goal}; {this:?} ÷ {that:?})", if missed { "MISSED" } else { "met   " });
    usize::from(missed)
}
