//! Connections and transactions: all that the stores know of a database driver.
//!
//! Another database is another variant of the four enums here and of [`Dialect`]; the stores stay as they are.

use std::fmt;
use std::time::Duration;

use scim_provider::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};

use crate::dialect::{Dialect, Listed};

/// How long a statement waits for another process that is writing.
const BUSY: Duration = Duration::from_secs(2);
/// How often a transaction tries to begin before the client is asked to come back.
const ATTEMPTS: usize = 3;
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How many requests read at a time.
const READERS: u32 = 8;

/// An open database.
#[derive(Debug)]
pub(crate) enum Database {
    /// Writers take turns on a connection of their own: they wait in line here instead of colliding in the file.
    Sqlite { read: SqlitePool, write: SqlitePool },
}

/// A connection, with or without a transaction on it.
pub(crate) enum Session {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
}

/// A value for a statement.
#[derive(Clone, Copy)]
pub(crate) enum Bind<'v> {
    Text(&'v str),
    OptionalText(Option<&'v str>),
    Integer(i64),
    Boolean(bool),
}

/// A row of a result.
pub(crate) enum Row {
    Sqlite(SqliteRow),
}

/// Why a database could not be opened.
#[derive(Debug)]
pub struct OpenError(sqlx::Error);

impl Database {
    pub(crate) async fn open(url: &str) -> Result<Self, OpenError> {
        let options: SqliteConnectOptions = url.parse().map_err(OpenError)?;
        let options = options
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
        let write = pool(1, &options).await.map_err(OpenError)?;
        sqlx::migrate!("migrations/sqlite").run(&write).await.map_err(|e| OpenError(e.into()))?;
        // a database in memory is its connection
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let read = if in_memory { write.clone() } else { pool(READERS, &options).await.map_err(OpenError)? };
        Ok(Self::Sqlite { read, write })
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Session, StoreError> {
        match self {
            Self::Sqlite { read, .. } => read.acquire().await.map(Session::SqliteRead).map_err(failure),
        }
    }

    /// A transaction. It is undone unless it is [committed](Session::commit), also when the request is given up.
    pub(crate) async fn write(&self) -> Result<Session, StoreError> {
        let mut attempt = 1;
        loop {
            let begun = match self {
                Self::Sqlite { write, .. } => write.begin_with(Dialect::Sqlite.begin()).await.map(Session::SqliteWrite),
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
        }
    }
}

impl Session {
    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(&mut self, sql: &'static str, binds: &[Bind<'_>]) -> Result<Vec<Row>, StoreError> {
        let connection = match self {
            Self::SqliteRead(connection) => &mut **connection,
            Self::SqliteWrite(transaction) => &mut **transaction,
        };
        let rows = sqlite(sql, binds).fetch_all(connection).await.map_err(failure)?;
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    /// Runs a statement and returns its first row.
    pub(crate) async fn row(&mut self, sql: &'static str, binds: &[Bind<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, binds).await?.into_iter().next())
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        self.execute_unique(sql, binds, None).await
    }

    /// As [`execute`](Self::execute), for a statement that can meet a taken value of one attribute.
    pub(crate) async fn execute_unique(
        &mut self,
        sql: &'static str,
        binds: &[Bind<'_>],
        attribute: Option<&'static str>,
    ) -> Result<u64, StoreError> {
        let connection = match self {
            Self::SqliteRead(connection) => &mut **connection,
            Self::SqliteWrite(transaction) => &mut **transaction,
        };
        let done = sqlite(sql, binds).execute(connection).await;
        match (done, attribute) {
            (Ok(done), _) => Ok(done.rows_affected()),
            (Err(sqlx::Error::Database(e)), Some(attribute)) if e.is_unique_violation() => {
                Err(StoreError::conflict(attribute))
            }
            (Err(e), _) => Err(failure(e)),
        }
    }

    /// Runs a statement that unfolds a list and returns its rows.
    pub(crate) async fn listed_rows(&mut self, sql: Listed, binds: &[Bind<'_>]) -> Result<Vec<Row>, StoreError> {
        self.rows(self.dialect().listed(sql), binds).await
    }

    /// Runs a statement that unfolds a list and returns how many rows it changed.
    pub(crate) async fn execute_listed(&mut self, sql: Listed, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        self.execute(self.dialect().listed(sql), binds).await
    }

    /// Makes the transaction's changes permanent.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::SqliteRead(_) => Ok(()),
            Self::SqliteWrite(transaction) => transaction.commit().await.map_err(failure),
        }
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::SqliteRead(_) | Self::SqliteWrite(_) => Dialect::Sqlite,
        }
    }
}

impl Row {
    pub(crate) fn text(&self, at: usize) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(at).map_err(failure),
        }
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(at).map_err(failure),
        }
    }
}

impl<'v> From<&'v str> for Bind<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v String> for Bind<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<Option<&'v str>> for Bind<'v> {
    fn from(text: Option<&'v str>) -> Self {
        Self::OptionalText(text)
    }
}

impl From<i64> for Bind<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Bind<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

fn sqlite<'q>(sql: &'static str, binds: &[Bind<'q>]) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    binds.iter().fold(sqlx::query(sql), |query, bind| match *bind {
        Bind::Text(text) => query.bind(text),
        Bind::OptionalText(text) => query.bind(text),
        Bind::Integer(number) => query.bind(number),
        Bind::Boolean(value) => query.bind(value),
    })
}

/// What a failure means to the service. The database's own words are for the operator.
fn failure(error: sqlx::Error) -> StoreError {
    if is_busy(&error) || matches!(error, sqlx::Error::PoolTimedOut) {
        return StoreError::Unavailable { retry_after: Some(1), throttled: false };
    }
    StoreError::backend(error)
}

/// SQLITE_BUSY and SQLITE_LOCKED, the low byte of an extended result code.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
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
