//! The k-th row that a request writes cannot be written, for each k; or all of them can, and the transaction cannot be committed.
//! The database itself fails: triggers make it.

use std::collections::BTreeSet;

use scim_sql_store::SqlStore;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use super::world::{INTERNAL, World, requests};

const TABLES: [&str; 4] = ["users", "user_emails", "groups", "group_members"];
const CHANGES: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// How many rows a request writes, at most.
const ROWS: usize = 40;

/// A connection beside the store's, by which its writes are made to fail.
enum Saboteur {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Saboteur {
    async fn new(url: &str) -> Self {
        let mut saboteur = match url.starts_with("postgres") {
            true => Self::Postgres(PgConnection::connect(url).await.unwrap()),
            false => Self::Sqlite(SqliteConnection::connect(url).await.unwrap()),
        };
        saboteur.run("CREATE TABLE faults (rows_left BIGINT NOT NULL)").await;
        saboteur.run("INSERT INTO faults VALUES (0)").await;
        match saboteur {
            Self::Sqlite(_) => saboteur.arm_sqlite().await,
            Self::Postgres(_) => saboteur.arm_postgres().await,
        }
        saboteur
    }

    async fn arm_sqlite(&mut self) {
        self.run("CREATE TABLE nowhere (id INTEGER PRIMARY KEY)").await;
        self.run("CREATE TABLE at_commit (id INTEGER REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)").await;
        for table in TABLES {
            for change in CHANGES {
                // a row of no parent is found out when the transaction is committed
                self.run(&format!(
                    "CREATE TRIGGER fail_{table}_{change} AFTER {change} ON {table} BEGIN
                         UPDATE faults SET rows_left = rows_left - 1;
                         SELECT RAISE(ABORT, '{INTERNAL}: {table} {change}') FROM faults WHERE rows_left = 0;
                         INSERT INTO at_commit SELECT 1 FROM faults WHERE rows_left < -1000000;
                     END"
                ))
                .await;
            }
        }
    }

    async fn arm_postgres(&mut self) {
        self.run(&format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 UPDATE faults SET rows_left = rows_left - 1;
                 IF (SELECT rows_left = 0 FROM faults) THEN
                     RAISE EXCEPTION '{INTERNAL}: % %', TG_TABLE_NAME, TG_OP;
                 END IF;
                 RETURN NULL;
             END $$"
        ))
        .await;
        self.run(&format!(
            "CREATE FUNCTION fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF (SELECT rows_left < -1000000 FROM faults) THEN
                     RAISE EXCEPTION '{INTERNAL}: commit';
                 END IF;
                 RETURN NULL;
             END $$"
        ))
        .await;
        for table in TABLES {
            let on = format!("AFTER INSERT OR UPDATE OR DELETE ON {table}");
            self.run(&format!("CREATE TRIGGER fail {on} FOR EACH ROW EXECUTE FUNCTION fail()")).await;
            self.run(&format!(
                "CREATE CONSTRAINT TRIGGER fail_at_commit {on} DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION fail_at_commit()"
            ))
            .await;
        }
    }

    /// The row that fails next, counted from 1. With 0 none does.
    async fn fail_at_row(&mut self, row: usize) {
        self.run(&format!("UPDATE faults SET rows_left = {row}")).await;
    }

    /// Lets all rows be written, and gives what the operator will read of the commit that fails.
    async fn fail_at_commit(&mut self) -> &'static str {
        self.run("UPDATE faults SET rows_left = -2000000").await;
        match self {
            Self::Sqlite(_) => "FOREIGN KEY constraint failed",
            Self::Postgres(_) => INTERNAL,
        }
    }

    async fn run(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => drop(connection.execute(sql).await.unwrap()),
            Self::Postgres(connection) => drop(connection.execute(sql).await.unwrap()),
        }
    }
}

/// Has each row of each request fail. Gives the changes that failed, as `TABLE CHANGE`.
async fn each_row_fails(url: impl AsyncFn() -> String) -> BTreeSet<String> {
    let mut failed = BTreeSet::new();
    for ask in requests() {
        let what = format!("{} {}", ask.method, ask.path);
        let url = url().await;
        let store = SqlStore::open(&url).await.unwrap();
        let world = World::of_sql("acme", &store);
        let ids = world.fill().await;
        let mut saboteur = Saboteur::new(&url).await;
        let before = world.everything().await;
        let writes = ask.method != "GET" && !ask.path.ends_with(".search");

        if writes {
            let cause = saboteur.fail_at_commit().await;
            world.send(&ids, &ask).await.assert_is_failure(500, None, Some(cause), &format!("{what}, commit"));
            saboteur.fail_at_row(0).await;
            assert_eq!(world.everything().await, before, "{what}: the transaction was not committed");
        }
        let mut row = 1;
        loop {
            saboteur.fail_at_row(row).await;
            let answer = world.send(&ids, &ask).await;
            saboteur.fail_at_row(0).await;
            if answer.status.is_success() {
                break;
            }
            answer.assert_is_failure(500, None, Some(INTERNAL), &format!("{what}, row {row}"));
            let cause = answer.cause.unwrap();
            let change = cause.split(&format!("{INTERNAL}: ")).last().unwrap();
            failed.insert(change.split(' ').take(2).collect::<Vec<_>>().join(" "));
            assert_eq!(world.everything().await, before, "{what}: row {row} was not written");
            row += 1;
            assert!(row < ROWS, "{what}: more rows than that");
        }
        assert_eq!(row > 1, writes, "{what}: {row}");
        store.close().await;
    }
    failed
}

/// A test in which a kind of change never failed has not tried it.
fn assert_all_were_tried(failed: &BTreeSet<String>) {
    for change in ["users INSERT", "users UPDATE", "users DELETE", "groups INSERT", "groups UPDATE", "groups DELETE"]
        .into_iter()
        .chain(["user_emails INSERT", "user_emails DELETE", "group_members INSERT", "group_members DELETE"])
    {
        assert!(failed.contains(change), "{change}: {failed:?}");
    }
}

#[tokio::test]
async fn what_sqlite_cannot_write_leaves_nothing_half_made() {
    let folder = std::env::temp_dir().join(format!("scim-sql-store-faults-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let url = async || format!("sqlite://{}?mode=rwc", folder.join(uuid::Uuid::now_v7().to_string()).display());
    assert_all_were_tried(&each_row_fails(url).await);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn what_postgres_cannot_write_leaves_nothing_half_made() {
    // it has been said that the test is skipped, where there is no server
    let Some(first) = scim_test_postgres::database().unwrap() else { return };
    drop(first);
    let url = async || scim_test_postgres::database().unwrap().unwrap();
    assert_all_were_tried(&each_row_fails(url).await);
}
