//! Databases: connections, transactions, and what happens when transactions get in each other's way.
//!
//! Another database is another variant of the enums here, in [`session`](crate::session) and [`dialect`](crate::dialect); the
//! stores stay as they are.

use std::error::Error as _;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use scim_provider::StoreError;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _, PgPool, SqlitePool};

use crate::engine::{self, Engine};
use crate::session::{Session, failure, is_busy, was_taken_back};

/// How long a statement waits for another process that is writing to the file.
const BUSY: Duration = Duration::from_secs(2);
/// How often a transaction is tried before the client is asked to come back.
const ATTEMPTS: u32 = 20;
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How many requests read from a file at a time.
const READERS: u32 = 8;
/// How many connections to a server a process has: many processes share its 100.
const CONNECTIONS: u32 = 16;
/// After how long without work a connection to a server is asked whether it still stands.
const IDLE: Duration = Duration::from_secs(15);

/// An open database.
#[derive(Debug)]
pub(crate) enum Database {
    /// Writers take turns on a connection of their own: they wait in line here instead of colliding in the file.
    Sqlite { read: SqlitePool, write: SqlitePool },
    /// PostgreSQL, and what speaks its protocol.
    Postgres { pool: PgPool, engine: Engine },
}

/// Why a database could not be opened.
#[derive(Debug)]
pub struct OpenError(sqlx::Error);

impl Database {
    pub(crate) async fn open(url: &str) -> Result<Self, OpenError> {
        match url.starts_with("postgres://") || url.starts_with("postgresql://") {
            true => open_postgres(url).await,
            false => open_sqlite(url).await,
        }
        .map_err(OpenError)
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Session, StoreError> {
        Session::strike()?;
        match self {
            Self::Sqlite { read, .. } => read.acquire().await.map(Session::SqliteConnection),
            Self::Postgres { pool, .. } => pool.acquire().await.map(Session::PostgresConnection),
        }
        .map_err(failure)
    }

    /// A transaction that reads one state of the database in several statements.
    pub(crate) async fn snapshot(&self) -> Result<Session, StoreError> {
        Session::strike()?;
        match self {
            Self::Sqlite { read, .. } => read.begin().await.map(Session::SqliteTransaction),
            Self::Postgres { pool, .. } => begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await,
        }
        .map_err(failure)
    }

    /// A transaction. It is undone unless it is [committed](Session::commit), also when the request is given up.
    pub(crate) async fn write(&self) -> Result<Session, StoreError> {
        Session::strike()?;
        let mut attempt = 1;
        loop {
            let begun = match self {
                // It takes its turn right away: one that starts by reading would find its snapshot outdated when it comes
                // to write, and fail.
                Self::Sqlite { write, .. } => write.begin_with("BEGIN IMMEDIATE").await.map(Session::SqliteTransaction),
                Self::Postgres { pool, engine } => begin(pool, engine.begin()).await,
            };
            match begun {
                Err(e) if attempt < ATTEMPTS && is_busy(&e) => attempt += 1,
                begun => return begun.map_err(failure),
            }
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// Begins a transaction in a task of its own, which goes on when the request is given up meanwhile.
///
/// Where the future is dropped between BEGIN and its answer, sqlx 0.8.4 to 0.9.0 takes the connection back into the pool with the
/// transaction open (transact-rs/sqlx#4393): whoever gets it next reads an old state, or is told that it is read-only.
async fn begin(pool: &PgPool, statement: &'static str) -> Result<Session, sqlx::Error> {
    let pool = pool.clone();
    let task = tokio::spawn(async move { pool.begin_with(statement).await });
    let begun = task.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
    begun.map(Session::PostgresTransaction)
}

/// Runs a statement or a transaction, and runs it again when the database took it back because of others that ran beside it: a
/// deadlock in PostgreSQL, any conflict in engines that run transactions as if one after the other. Nothing of it was done then.
pub(crate) async fn retried<T, F>(mut transaction: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut attempts = Attempts::default();
    loop {
        match transaction().await {
            Err(error) if attempts.again(&error).await => {}
            done => return done,
        }
    }
}

/// How often something was tried.
#[derive(Default)]
pub(crate) struct Attempts(u32);

impl Attempts {
    /// Whether it is worth another one after this error, and it is time for it.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        self.0 += 1;
        if self.0 >= ATTEMPTS || !was_taken_back(error) {
            return false;
        }
        tracing::debug!(attempt = self.0, source = error.source(), "the transaction was taken back");
        tokio::time::sleep(pause(self.0)).await;
        true
    }
}

/// Longer each time, and not the same for those that collided.
pub(crate) fn pause(attempt: u32) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() % 1_000;
    let most = 1_u64 << attempt.min(7);
    Duration::from_micros(most * u64::try_from(random).unwrap_or_default())
}

async fn open_sqlite(url: &str) -> Result<Database, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .journal_mode(SqliteJournalMode::Wal)
        // A write that has been acknowledged survives a power cut. With NORMAL the last ones may be gone, and no identity
        // provider sends a deactivation twice.
        .synchronous(SqliteSynchronous::Full)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("cache_size", "-65536");
    let pool = |size: u32, options: &SqliteConnectOptions| {
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(size)
            .acquire_timeout(ACQUIRE)
            // a file does not hang up
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        pool.connect_with(options.clone())
    };
    let tables = sqlx::migrate!("migrations/sqlite");
    let open = || async {
        let write = pool(1, &options).await?;
        tables.run(&write).await?;
        Ok(write)
    };
    let write = engine::made(open, was_overtaken).await?;
    // a database in memory is its connection
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let read = if in_memory { write.clone() } else { pool(READERS, &options).await? };
    Ok(Database::Sqlite { read, write })
}

/// Whether another process that starts on the same file has made, or is making, what was to be made.
fn was_overtaken(error: &sqlx::Error) -> bool {
    let cause = engine::cause(error);
    let there = |e: &dyn DatabaseError| {
        let message = e.message();
        e.is_unique_violation() || message.ends_with("already exists") || message.starts_with("duplicate column name")
    };
    is_busy(cause) || cause.as_database_error().is_some_and(there)
}

async fn open_postgres(url: &str) -> Result<Database, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("scim");
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // There is an index for every statement. A plan that was made for an empty table and kept is one of that index
                // then, and still right when the table is full. Engines without the setting plan in other ways.
                let known = connection.execute("SET enable_seqscan = off").await;
                tracing::debug!(known = known.is_ok(), "the planner prefers indexes");
                // Whoever holds a lock for longer, an operator or a process that hangs, must not hold up everybody.
                for bound in ["SET lock_timeout = '5s'", "SET idle_in_transaction_session_timeout = '30s'"] {
                    let known = connection.execute(bound).await;
                    tracing::debug!(known = known.is_ok(), bound, "waiting is bounded");
                }
                Ok(())
            })
        })
        // asking each time costs every request a round trip
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    let engine = Engine::of(&pool).await?;
    engine.migrate(&pool).await?;
    Ok(Database::Postgres { pool, engine })
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database cannot be opened")
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
