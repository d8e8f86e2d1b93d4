//! Statements, their values and their rows: all that the stores see of a driver.

use std::error::Error as StdError;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use scim_provider::filter::sql::SqlValue;
use scim_provider::{ResourceWriter, StoreError};
use serde_json::value::RawValue;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Row as _, Transaction};

use crate::dialect::{Dialect, Listed};

/// A connection, with or without a transaction on it.
pub(crate) enum Session {
    SqliteConnection(PoolConnection<Sqlite>),
    SqliteTransaction(Transaction<'static, Sqlite>),
    PostgresConnection(PoolConnection<Postgres>),
    PostgresTransaction(Transaction<'static, Postgres>),
}

/// A value for a statement.
#[derive(Clone, Copy)]
pub(crate) enum Bind<'v> {
    Text(&'v str),
    OptionalText(Option<&'v str>),
    /// a JSON document, for a column of such
    Json(&'v RawValue),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

/// A row of a result.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// Runs the same code on the connection of either driver.
macro_rules! on {
    ($session:expr, $sql:expr, $binds:expr, $method:ident, |$done:ident| $then:expr) => {
        match $session {
            Session::SqliteConnection(connection) => {
                sqlite($sql, $binds).$method(&mut **connection).await.map(|$done| $then)
            }
            Session::SqliteTransaction(connection) => {
                sqlite($sql, $binds).$method(&mut **connection).await.map(|$done| $then)
            }
            Session::PostgresConnection(connection) => {
                postgres($sql, $binds).$method(&mut **connection).await.map(|$done| $then)
            }
            Session::PostgresTransaction(connection) => {
                postgres($sql, $binds).$method(&mut **connection).await.map(|$done| $then)
            }
        }
    };
}

impl Session {
    /// What the connection speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::SqliteConnection(_) | Self::SqliteTransaction(_) => Dialect::Sqlite,
            Self::PostgresConnection(_) | Self::PostgresTransaction(_) => Dialect::Postgres,
        }
    }

    /// Fails where a test says so.
    pub(crate) fn strike() -> Result<(), StoreError> {
        #[cfg(test)]
        crate::faults::strike()?;
        Ok(())
    }

    /// Runs a statement and hands on row after row until one is not taken. No row is held while the next one is read.
    pub(crate) async fn each(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        mut take: impl FnMut(Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        Self::strike()?;
        let mut rows = self.fetch(sql, binds);
        while let Some(row) = rows.try_next().await.map_err(failure)? {
            if !take(row)? {
                break;
            }
        }
        // rows may also break off
        Self::strike()
    }

    /// Runs a statement and writes row after row into an answer. Rows wait in the database while the client is slow.
    pub(crate) async fn each_into(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        writer: &mut ResourceWriter<'_>,
        write: impl Fn(&Row, &mut ResourceWriter<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        Self::strike()?;
        let mut rows = self.fetch(sql, binds);
        while let Some(row) = rows.try_next().await.map_err(failure)? {
            write(&row, writer)?;
            if writer.is_full() {
                break;
            }
            writer.flush().await;
        }
        Self::strike()
    }

    fn fetch<'s>(&'s mut self, sql: &'s str, binds: &'s [Bind<'_>]) -> BoxStream<'s, Result<Row, sqlx::Error>> {
        match self {
            Self::SqliteConnection(connection) => sqlite(sql, binds).fetch(&mut **connection).map_ok(Row::from).boxed(),
            Self::SqliteTransaction(connection) => {
                sqlite(sql, binds).fetch(&mut **connection).map_ok(Row::from).boxed()
            }
            Self::PostgresConnection(connection) => {
                postgres(sql, binds).fetch(&mut **connection).map_ok(Row::from).boxed()
            }
            Self::PostgresTransaction(connection) => {
                postgres(sql, binds).fetch(&mut **connection).map_ok(Row::from).boxed()
            }
        }
    }

    /// Runs a statement and returns its rows. `sql` holds constant text and placeholders, never input.
    pub(crate) async fn rows(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, StoreError> {
        Self::strike()?;
        on!(self, sql, binds, fetch_all, |rows| rows.into_iter().map(Row::from).collect()).map_err(failure)
    }

    /// Runs a statement and returns its first row.
    pub(crate) async fn row(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Option<Row>, StoreError> {
        Self::strike()?;
        on!(self, sql, binds, fetch_optional, |row| row.map(Row::from)).map_err(failure)
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        Self::strike()?;
        on!(self, sql, binds, execute, |done| done.rows_affected()).map_err(failure)
    }

    /// As [`execute`](Self::execute), for a statement that can meet a taken value of an attribute.
    pub(crate) async fn execute_unique(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        attribute: &'static str,
    ) -> Result<u64, StoreError> {
        Self::strike()?;
        match on!(self, sql, binds, execute, |done| done.rows_affected()) {
            Err(sqlx::Error::Database(e)) if e.is_unique_violation() => Err(StoreError::conflict(attribute)),
            done => done.map_err(failure),
        }
    }

    /// Runs a statement that unfolds a list and returns how many rows it changed.
    pub(crate) async fn execute_listed(&mut self, sql: Listed, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        self.execute(self.dialect().listed(sql), binds).await
    }

    /// Makes the transaction's changes permanent.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Self::strike()?;
        match self {
            Self::SqliteConnection(_) | Self::PostgresConnection(_) => Ok(()),
            Self::SqliteTransaction(transaction) => transaction.commit().await,
            Self::PostgresTransaction(transaction) => transaction.commit().await,
        }
        .map_err(failure)
    }
}

impl Row {
    pub(crate) fn text(&self, at: usize) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(at),
            Self::Postgres(row) => row.try_get(at),
        }
        .map_err(failure)
    }

    /// The text, in the row's own memory.
    pub(crate) fn str(&self, at: usize) -> Result<Option<&str>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(at),
            Self::Postgres(row) => row.try_get(at),
        }
        .map_err(failure)
    }

    pub(crate) fn optional_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        self.str(at).map(|text| text.map(str::to_owned))
    }

    /// The text of a JSON document.
    pub(crate) fn json(&self, at: usize) -> Result<Box<RawValue>, StoreError> {
        match self {
            Self::Sqlite(row) => {
                let text: String = row.try_get(at).map_err(failure)?;
                RawValue::from_string(text).map_err(StoreError::backend)
            }
            Self::Postgres(row) => row.try_get(at).map(|Json(document)| document).map_err(failure),
        }
    }

    pub(crate) fn optional_json(&self, at: usize) -> Result<Option<Box<RawValue>>, StoreError> {
        match self {
            Self::Sqlite(_) => {
                self.optional_text(at)?.map(RawValue::from_string).transpose().map_err(StoreError::backend)
            }
            Self::Postgres(row) => {
                row.try_get(at).map(|json: Option<Json<_>>| json.map(|Json(document)| document)).map_err(failure)
            }
        }
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(at),
            Self::Postgres(row) => row.try_get(at),
        }
        .map_err(failure)
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
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

impl<'v> From<&'v RawValue> for Bind<'v> {
    fn from(document: &'v RawValue) -> Self {
        Self::Json(document)
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

impl<'v> TryFrom<&'v SqlValue> for Bind<'v> {
    type Error = StoreError;

    fn try_from(value: &'v SqlValue) -> Result<Self, StoreError> {
        match value {
            SqlValue::Text(text) => Ok(Self::Text(text)),
            SqlValue::Integer(number) => Ok(Self::Integer(*number)),
            SqlValue::Float(number) => Ok(Self::Float(*number)),
            _ => Err(StoreError::backend("a value of a filter that this store does not know")),
        }
    }
}

fn sqlite<'q>(sql: &str, binds: &[Bind<'q>]) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    binds.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), |query, bind| match *bind {
        Bind::Text(text) => query.bind(text),
        Bind::OptionalText(text) => query.bind(text),
        Bind::Json(document) => query.bind(document.get()),
        Bind::Integer(number) => query.bind(number),
        Bind::Float(number) => query.bind(number),
        Bind::Boolean(value) => query.bind(value),
    })
}

fn postgres<'q>(sql: &str, binds: &[Bind<'q>]) -> sqlx::query::Query<'q, Postgres, PgArguments> {
    binds.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), |query, bind| match *bind {
        Bind::Text(text) => query.bind(text),
        Bind::OptionalText(text) => query.bind(text),
        Bind::Json(document) => query.bind(Json(document)),
        Bind::Integer(number) => query.bind(number),
        Bind::Float(number) => query.bind(number),
        Bind::Boolean(value) => query.bind(value),
    })
}

/// What a failure means to the service. The database's own words are for the operator.
pub(crate) fn failure(error: sqlx::Error) -> StoreError {
    if is_busy(&error) || is_retryable(&error) || is_out_of_reach(&error) {
        return StoreError::unavailable(1).with_source(error);
    }
    StoreError::backend(error)
}

/// Whether the database cannot be asked at present: no connection is free or stands, the server stops or starts, or somebody
/// holds a lock for too long.
fn is_out_of_reach(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
            // connection_exception, too_many_connections, lock_not_available, query_canceled, the shutdowns,
            // idle_in_transaction_session_timeout
            error.is_some_and(|error| {
                error.code().starts_with("08")
                    || matches!(error.code(), "53300" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "25P03")
            })
        }
        _ => false,
    }
}

/// SQLITE_BUSY and SQLITE_LOCKED, the low byte of an extended result code.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().filter(|e| e.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some());
    let code = error.and_then(|e| e.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Whether a transaction was taken back for the sake of others.
pub(crate) fn was_taken_back(error: &StoreError) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<sqlx::Error>());
    source.is_some_and(is_retryable)
}

/// `serialization_failure` and `deadlock_detected`.
fn is_retryable(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|e| e.try_downcast_ref::<sqlx::postgres::PgDatabaseError>());
    error.is_some_and(|e| matches!(e.code(), "40001" | "40P01"))
}
