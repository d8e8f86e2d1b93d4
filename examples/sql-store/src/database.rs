//! Databases: connections, transactions, and what happens when transactions get in each other's way.
//!
//! Another database is another variant of the enums here, in [`session`](crate::session) and [`dialect`](crate::dialect); the
//! stores stay as they are.

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use scim_provider::StoreError;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous, SqliteTransactionManager,
};
use sqlx::{Connection as _, Executor as _, PgPool, SqlitePool};
use sqlx_core::transaction::TransactionManager as _;

use crate::engine::{self, Engine};
use crate::failure::{failure, had_ended, is_busy, was_taken_back};
use crate::session::{Connection, Session};
use crate::shares::Shares;
use crate::watch::Watch;

/// How long a transaction waits for another process that is writing to the file, in all.
const WRITER: Duration = Duration::from_secs(5);
/// How long it waits at a time: whoever has been given up waits no longer.
const BUSY: Duration = Duration::from_millis(250);
/// How often a transaction is tried before the client is asked to come back.
const ATTEMPTS: u32 = 20;
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How many requests read from a file at a time, and how many of one tenant.
const READERS: (usize, usize) = (8, 4);
/// How many connections to a server a process has, and a tenant of them: many processes share its 100.
const CONNECTIONS: (u32, usize) = (16, 8);
/// After how long without work a connection to a server is asked whether it still stands.
const IDLE: Duration = Duration::from_secs(15);
/// How many statements a connection keeps prepared.
const PREPARED: usize = 32;
/// How a transaction that only reads begins in a server. It may take longer than a statement alone: a large group is read.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '6s'";

/// An open database.
#[derive(Debug)]
pub(crate) enum Database {
    /// Writers take turns on a connection of their own: they wait in line here instead of colliding in the file.
    Sqlite { read: Arc<File>, write: Arc<File> },
    /// PostgreSQL, and what speaks its protocol.
    Postgres { pool: PgPool, shares: Arc<Shares>, engine: Engine, incident: Arc<Incident> },
}

/// Connections to a file.
#[derive(Debug)]
pub(crate) struct File {
    shares: Arc<Shares>,
    /// each is a pool of one, which replaces it when need be, with what watches it
    connections: Vec<(SqlitePool, Arc<Watch>)>,
}

/// When a connection to the server was last found ended: those that have been idle since before are not to be trusted.
#[derive(Debug)]
pub(crate) struct Incident {
    epoch: Instant,
    /// in milliseconds of the epoch, at least 1
    at: AtomicU64,
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
    pub(crate) async fn read(&self, tenant: &str) -> Result<Session, StoreError> {
        Session::strike()?;
        match self {
            Self::Sqlite { read, .. } => read.turn(tenant).await,
            Self::Postgres { .. } => self.server(tenant).await,
        }
    }

    /// A transaction that reads one state of the database in several statements.
    pub(crate) async fn snapshot(&self, tenant: &str) -> Result<Session, StoreError> {
        let mut session = self.read(tenant).await?;
        let begin = match self {
            Self::Sqlite { .. } => "BEGIN",
            Self::Postgres { .. } => SNAPSHOT,
        };
        session.begin(begin).await.map_err(|error| session.failure(error))?;
        Ok(session)
    }

    /// A transaction. It is undone unless it is [committed](Session::commit), also when the request is given up.
    pub(crate) async fn write(&self, tenant: &str) -> Result<Session, StoreError> {
        Session::strike()?;
        let (mut session, begin) = match self {
            // It takes its turn right away: one that starts by reading would find its snapshot outdated when it comes
            // to write, and fail.
            Self::Sqlite { write, .. } => {
                let until = Instant::now() + WRITER;
                let mut session = write.turn(tenant).await?;
                loop {
                    match session.begin("BEGIN IMMEDIATE").await {
                        Err(error) if is_busy(&error) && Instant::now() < until => {}
                        begun => return begun.map_err(|error| session.failure(error)).map(|()| session),
                    }
                }
            }
            Self::Postgres { engine, .. } => (self.server(tenant).await?, engine.begin()),
        };
        session.begin(begin).await.map_err(|error| session.failure(error))?;
        Ok(session)
    }

    /// A connection to the server.
    async fn server(&self, tenant: &str) -> Result<Session, StoreError> {
        let Self::Postgres { pool, shares, incident, .. } = self else { return Err(StoreError::Unsupported) };
        let ticket = shares.turn(tenant, ACQUIRE).await?;
        let connection = pool.acquire().await.map_err(failure)?;
        Ok(Session::new(Connection::Postgres(connection, Arc::clone(incident)), ticket))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                for (pool, _) in read.connections.iter().chain(&write.connections) {
                    pool.close().await;
                }
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

impl File {
    /// One connection for writing, with which everything begins.
    async fn one(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let watch = Arc::new(Watch::default());
        let pool = watched(&watch).connect_with(options).await?;
        Ok(Self { shares: Shares::new(1, 1), connections: vec![(pool, watch)] })
    }

    /// Connections for reading, opened when they are needed.
    fn many(options: &SqliteConnectOptions) -> Self {
        let (size, most) = READERS;
        let connection = |_| {
            let watch = Arc::new(Watch::default());
            (watched(&watch).connect_lazy_with(options.clone()), watch)
        };
        Self { shares: Shares::new(size, most), connections: (0..size).map(connection).collect() }
    }

    async fn turn(&self, tenant: &str) -> Result<Session, StoreError> {
        let ticket = self.shares.turn(tenant, ACQUIRE).await?;
        let connection = self.connections.get(ticket.number);
        let (pool, watch) = connection.ok_or_else(|| StoreError::backend("there is no such connection"))?;
        let connection = pool.acquire().await.map_err(failure)?;
        Ok(Session::new(Connection::Sqlite(connection, Arc::clone(watch)), ticket))
    }

    /// The first connection, for what looks behind the store.
    #[cfg(test)]
    pub(crate) fn first(&self) -> &SqlitePool {
        self.connections.first().map(|(pool, _)| pool).unwrap()
    }

    /// How many statements the busiest of them keeps prepared.
    #[cfg(test)]
    pub(crate) async fn kept(&self) -> usize {
        let mut most = 0;
        for (pool, _) in &self.connections {
            most = most.max(pool.acquire().await.unwrap().cached_statements_size());
        }
        most
    }

    /// How many instructions all of them have taken.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> u64 {
        self.connections.iter().map(|(_, watch)| watch.taken.load(Ordering::SeqCst)).sum()
    }
}

impl Incident {
    fn new() -> Self {
        Self { epoch: Instant::now(), at: AtomicU64::new(0) }
    }

    /// A connection has ended, or is not to what it was.
    pub(crate) fn happened(&self) {
        self.at.fetch_max(1 + millis(self.epoch.elapsed()), Ordering::Relaxed);
    }

    /// Whether it was in this time.
    fn is_within(&self, time: Duration) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at > 0 && millis(self.epoch.elapsed()) < at.saturating_add(millis(time))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A pool of one connection to a file.
fn watched(watch: &Arc<Watch>) -> SqlitePoolOptions {
    let watch = Arc::clone(watch);
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        // a file does not hang up
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let watch = Arc::clone(&watch);
            Box::pin(async move { watch.over(connection).await })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    // it may be about to be undone
                    connection.ping().await?;
                }
                if connection.is_in_transaction() {
                    // When the disk is full or a statement is interrupted, SQLite undoes the transaction by itself. The driver
                    // goes on counting it, and no other could begin: give it one to undo. Where that fails, the connection
                    // is replaced.
                    connection.execute("BEGIN").await?;
                    SqliteTransactionManager::rollback(connection).await?;
                }
                Ok(!connection.is_in_transaction())
            })
        })
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
pub(crate) struct Attempts {
    /// because of others
    made: u32,
    /// because the connection had ended: the next one is sound, or there is none
    reconnected: bool,
}

impl Attempts {
    /// Whether it is worth another one after this error, and it is time for it.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        if had_ended(error) {
            return !std::mem::replace(&mut self.reconnected, true);
        }
        self.made += 1;
        if self.made >= ATTEMPTS || !was_taken_back(error) {
            return false;
        }
        tracing::debug!(attempt = self.made, source = error.source(), "the transaction was taken back");
        tokio::time::sleep(pause(self.made)).await;
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
        .statement_cache_capacity(PREPARED)
        .pragma("cache_size", "-65536");
    // a database in memory is its connection
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !in_memory {
        make(options.get_filename());
    }
    let tables = sqlx::migrate!("migrations/sqlite");
    let open = || async {
        let write = File::one(options.clone()).await?;
        for (pool, _) in &write.connections {
            tables.run(pool).await?;
        }
        Ok(Arc::new(write))
    };
    let write = engine::made(open, was_overtaken).await?;
    let read = if in_memory { Arc::clone(&write) } else { Arc::new(File::many(&options.busy_timeout(WRITER))) };
    Ok(Database::Sqlite { read, write })
}

/// Makes the file, for nobody but its owner: it holds hashes of passwords. What SQLite puts beside it is made the same.
fn make(file: &Path) {
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Err(error) = options.write(true).create_new(true).open(file) {
        // it is there, or SQLite will say why it cannot be
        tracing::debug!(%error, "the file was not made");
    }
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
    let options = PgConnectOptions::from_str(url)?.application_name("scim").statement_cache_capacity(PREPARED);
    let engine = made(options.clone()).await?;
    let incident = Arc::new(Incident::new());
    let (size, most) = CONNECTIONS;
    let seen = Arc::clone(&incident);
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // There is an index for every statement. A plan that was made for an empty table and kept is one of that index
                // then, and still right when the table is full. Engines without the setting plan in other ways.
                let known = connection.execute("SET enable_seqscan = off").await;
                tracing::debug!(known = known.is_ok(), "the planner prefers indexes");
                for bound in BOUNDS {
                    let known = connection.execute(bound).await;
                    tracing::debug!(known = known.is_ok(), bound, "waiting is bounded");
                }
                Ok(())
            })
        })
        // asking each time costs every request a round trip
        .test_before_acquire(false)
        .before_acquire(move |connection, state| {
            let doubtful = seen.is_within(state.idle_for);
            Box::pin(async move {
                if doubtful {
                    return Ok(false);
                }
                if state.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        // whoever gets it next must not find another's transaction
        .after_release(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await?;
    let shares = Shares::new(usize::try_from(size).unwrap_or(most), most);
    Ok(Database::Postgres { pool, shares, engine, incident })
}

/// Makes the tables, on a connection of its own: that may take longer than any request.
async fn made(options: PgConnectOptions) -> Result<Engine, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .after_connect(|connection, _| {
            Box::pin(async move {
                let known = connection.execute(LOCK).await;
                tracing::debug!(known = known.is_ok(), "waiting is bounded");
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    let engine = Engine::of(&pool).await?;
    engine.migrate(&pool).await?;
    pool.close().await;
    Ok(engine)
}

/// Whoever holds a lock for longer, an operator or a process that hangs, must not hold up everybody.
const LOCK: &str = "SET lock_timeout = '5s'";

/// What holds for each connection to a server, where it is known.
const BOUNDS: [&str; 5] = [
    LOCK,
    // Compiling a filter of many terms takes longer than running it on all users of a tenant.
    "SET jit = off",
    "SET idle_in_transaction_session_timeout = '30s'",
    // Of statements that stand alone, which read. Transactions say otherwise as they begin.
    "SET statement_timeout = '2s'",
    // A client that hangs up ends its query: the connection is closed, and the server looks whether it still is there.
    "SET client_connection_check_interval = '250ms'",
];

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
