//! Faults that pass, and statements that do not end by themselves: what is left behind, for tests.

use std::pin::pin;
use std::time::Duration;

use scim_provider::{Budget, Resource, ResourceType, Store, StoreError, TenantId, User};
use sqlx::Executor as _;

use crate::database::Database;
use crate::{Caller, SqlStore};

/// A statement that takes hours, in either database.
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000)
                       SELECT count(*) FROM n";

struct World {
    store: SqlStore,
    caller: Caller,
    users: ResourceType,
}

impl World {
    async fn over(url: &str) -> Self {
        let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
        let users = User::resource_type().build().unwrap();
        Self { store: SqlStore::open(url).await.unwrap(), caller, users }
    }

    async fn create(&self, name: &str) -> Result<Resource, StoreError> {
        let user = Resource::empty(&self.users).with("userName", name).unwrap();
        let user = user.with("title", "x".repeat(2_000).as_str()).unwrap();
        self.store.users().create(&self.caller, &self.users, user).await
    }

    async fn postgres() -> Option<Self> {
        Some(Self::over(&scim_test_postgres::database().unwrap()?).await)
    }
}

struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("scim-sql-store-bounds-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.0.join("scim.sqlite").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn passes(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { throttled: false, retry_after: Some(1), .. })
}

#[tokio::test]
async fn writes_work_again_when_there_is_room_on_the_disk() {
    let folder = Folder::new();
    for url in ["sqlite::memory:", &folder.url()] {
        let world = World::over(url).await;
        let Database::Sqlite { write, .. } = &*world.store.database else { return };
        world.create("first").await.unwrap();
        write.first().execute("PRAGMA max_page_count = 60").await.unwrap();
        let mut refused = 0;
        for n in 0..100 {
            if let Err(error) = world.create(&format!("user-{n}")).await {
                assert!(passes(&error), "{error:?}");
                refused += 1;
            }
        }
        assert!(refused > 0, "{url}: the disk was never full");
        write.first().execute("PRAGMA max_page_count = 100000").await.unwrap();
        for n in 0..5 {
            world.create(&format!("last-{n}")).await.unwrap();
        }
        // what was there is there
        let again = world.create("first").await.err().unwrap();
        assert!(matches!(again, StoreError::Conflict { .. }), "{again:?}");
        world.store.close().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_their_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let world = World::over(&folder.url()).await;
    world.create("ada").await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert_eq!(files, 3, "the file, -wal and -shm");
    world.store.close().await;
}

#[tokio::test]
async fn a_statement_of_sqlite_costs_no_more_than_its_budget() {
    let folder = Folder::new();
    let world = World::over(&folder.url()).await;
    let Database::Sqlite { read, .. } = &*world.store.database else { return };
    for transaction in [false, true] {
        let mut session = match transaction {
            true => world.store.database.snapshot("acme").await.unwrap(),
            false => world.store.database.read("acme").await.unwrap(),
        };
        let before = read.taken();
        session.pay_from(&Budget::new(30_000_000));
        let error = session.row(ENDLESS, &[]).await.err().unwrap();
        assert!(matches!(error, StoreError::TooMany), "{error:?}");
        let taken = read.taken() - before;
        assert!((900_000..1_100_000).contains(&taken), "{taken} instructions");
        drop(session);
    }
    // nobody stumbles over it
    for n in 0..10 {
        world.create(&format!("user-{n}")).await.unwrap();
        assert!(world.store.database.snapshot("acme").await.unwrap().row("SELECT 1", &[]).await.unwrap().is_some());
    }
    world.store.close().await;
}

#[tokio::test]
async fn a_request_that_is_dropped_ends_its_statement_in_sqlite() {
    let folder = Folder::new();
    let world = World::over(&folder.url()).await;
    let Database::Sqlite { read, write } = &*world.store.database else { return };
    for (file, writes) in [(read, false), (write, true)] {
        let taken = || file.taken();
        let mut session = match writes {
            true => world.store.database.write("acme").await.unwrap(),
            false => world.store.database.read("acme").await.unwrap(),
        };
        let before = taken();
        {
            let mut query = pin!(async move { session.row(ENDLESS, &[]).await.map(drop) });
            while taken() < before + 100_000 {
                assert!(tokio::time::timeout(Duration::from_millis(1), query.as_mut()).await.is_err());
            }
        }
        world.create(if writes { "ada" } else { "bob" }).await.unwrap();
        // the thread of the connection may be a step behind
        tokio::time::sleep(Duration::from_millis(50)).await;
        let after = taken();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(taken(), after, "it goes on");
    }
    world.store.close().await;
}

#[tokio::test]
async fn a_request_that_is_dropped_ends_its_statement_in_postgres() {
    let Some(world) = World::postgres().await else { return };
    let Database::Postgres { pool, .. } = &*world.store.database else { return };
    let mut server = pool.acquire().await.unwrap().detach();
    let running = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE 'WITH RECURSIVE n%' AND state = 'active'";
    for writes in [true, false] {
        let mut session = match writes {
            true => world.store.database.write("acme").await.unwrap(),
            false => world.store.database.read("acme").await.unwrap(),
        };
        {
            let mut query = pin!(async move { session.row(ENDLESS, &[]).await.map(drop) });
            while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut server).await.unwrap() == 0 {
                assert!(tokio::time::timeout(Duration::from_millis(5), query.as_mut()).await.is_err());
            }
        }
        let mut looks = 0;
        while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut server).await.unwrap() > 0 {
            looks += 1;
            // its own deadline is 6 s for the one that writes
            assert!(looks < 100, "it goes on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    world.create("ada").await.unwrap();
}

#[tokio::test]
async fn a_statement_of_postgres_ends_by_itself() {
    let Some(world) = World::postgres().await else { return };
    let mut session = world.store.database.read("acme").await.unwrap();
    assert!(passes(&session.row(ENDLESS, &[]).await.err().unwrap()));
    session.pay_from(&Budget::new(1));
    assert!(matches!(session.row(ENDLESS, &[]).await.err().unwrap(), StoreError::TooMany));
    assert!(session.row("SELECT 1", &[]).await.unwrap().is_some());
}

/// Sixteen pooled connections, all of them ended: nobody is told.
#[tokio::test]
async fn ended_backends_cost_nobody_an_answer() {
    let Some(world) = World::postgres().await else { return };
    let Database::Postgres { pool, .. } = &*world.store.database else { return };
    let ada = world.create("ada").await.unwrap();
    let mut server = pool.acquire().await.unwrap().detach();
    for round in 0..3 {
        let mut all = Vec::new();
        for _ in 0..16 {
            all.push(pool.acquire().await.unwrap());
        }
        drop(all);
        while pool.num_idle() < 16 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        assert!(sqlx::query_scalar::<_, i64>(end).fetch_one(&mut server).await.unwrap() >= 16);
        for n in 0..20 {
            let hash = world.store.users().password_hash(&world.caller, ada.id().unwrap()).await;
            assert_eq!(hash.unwrap(), None);
            world.create(&format!("user-{round}-{n}")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_that_only_reads_is_left_for_another() {
    let Some(world) = World::postgres().await else { return };
    let Database::Postgres { pool, .. } = &*world.store.database else { return };
    world.create("ada").await.unwrap();
    let mut server = pool.acquire().await.unwrap().detach();
    let name: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut server).await.unwrap();
    let set =
        |only: &str| sqlx::AssertSqlSafe(format!("ALTER DATABASE {name} SET default_transaction_read_only = {only}"));
    server.execute(set("on")).await.unwrap();
    let mut session = world.store.database.read("acme").await.unwrap();
    session.execute("SET default_transaction_read_only = on", &[]).await.unwrap();
    drop(session);
    let mut refused = 0;
    for n in 0..20 {
        if let Err(error) = world.create(&format!("user-{n}")).await {
            assert!(passes(&error), "{error:?}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    server.execute("SET default_transaction_read_only = off").await.unwrap();
    server.execute(set("off")).await.unwrap();
    // no connection of then is left
    for n in 0..20 {
        if n > 0 {
            world.create(&format!("later-{n}")).await.unwrap();
        } else {
            world.create("later").await.map(drop).unwrap_or_default();
        }
    }
}

/// Statements that hold a long filter are rarely the same twice.
#[tokio::test]
async fn long_statements_are_not_kept_and_others_up_to_a_bound() {
    let long = |n: usize| format!("SELECT 1 WHERE 1 = {n} OR {}", vec!["1 = 2"; 400].join(" OR "));
    let folder = Folder::new();
    let world = World::over(&folder.url()).await;
    let Database::Sqlite { read, .. } = &*world.store.database else { return };
    for n in 0..100 {
        let mut session = world.store.database.read("acme").await.unwrap();
        session.row(&long(n), &[]).await.unwrap();
    }
    assert_eq!(read.kept().await, 0);
    // all on one connection
    let mut session = world.store.database.read("acme").await.unwrap();
    for n in 0..100 {
        session.row(&format!("SELECT {n}"), &[]).await.unwrap();
    }
    drop(session);
    assert_eq!(read.kept().await, 32);
    world.store.close().await;

    let Some(world) = World::postgres().await else { return };
    let mut session = world.store.database.read("acme").await.unwrap();
    for n in 0..100 {
        session.row(&long(n), &[]).await.unwrap();
    }
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE from_sql = false";
    let before = session.row(prepared, &[]).await.unwrap().unwrap().integer(0).unwrap();
    assert!(before <= 2, "{before} statements");
    for n in 0..100 {
        session.row(&format!("SELECT {n}"), &[]).await.unwrap();
    }
    let after = session.row(prepared, &[]).await.unwrap().unwrap().integer(0).unwrap();
    assert!((31..=33).contains(&after), "{after} statements");
}

#[tokio::test]
async fn a_lock_is_waited_for_five_seconds_in_all() {
    let folder = Folder::new();
    let world = World::over(&folder.url()).await;
    let holder = rusqlite::Connection::open(folder.0.join("scim.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    // one has the writer and waits for the lock, the others wait for the writer
    let began = std::time::Instant::now();
    let all = futures_util::future::join_all((0..3).map(|n| world.create(["ada", "bob", "eve"][n]))).await;
    assert!(all.iter().all(|created| created.is_err()));
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(4), "{waited:?}");
    holder.execute_batch("ROLLBACK").unwrap();
    world.create("ada").await.unwrap();
    assert!(waited < Duration::from_secs(8), "{waited:?}");
    world.store.close().await;
}
