//! Statements, their values and their rows: all that the stores see of a driver.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use scim_provider::filter::sql::SqlValue;
use scim_provider::{Budget, StoreError};
use serde_json::value::RawValue;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow, PgTransactionManager, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow, SqliteTransactionManager};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr as _};
use sqlx_core::transaction::TransactionManager as _;

use crate::database::Incident;
use crate::dialect::{Dialect, Listed};
use crate::failure::{Ended, Kind, failure};
use crate::shares::Ticket;
use crate::watch::Watch;

/// How long PostgreSQL may take to answer a statement of a transaction, a little more than it allows itself.
const ANSWER: Duration = Duration::from_secs(7);
/// The same for one that only reads.
const ANSWER_READ: Duration = Duration::from_secs(3);
/// How long a statement of SQLite may take.
const STATEMENT: Duration = Duration::from_secs(5);
/// Up to what length a statement is kept prepared: that of a look-up by two or three attributes, and of all that hold no filter.
/// Longer ones are rarely the same twice, and PostgreSQL takes megabytes for some.
const KEPT: usize = 2_048;

/// A connection, with or without a transaction on it. A transaction that is not [committed](Session::commit) is undone.
pub(crate) struct Session {
    connection: Connection,
    /// whether there is a transaction
    open: bool,
    /// whether an answer is due, or has failed to come: nobody else can use the connection before
    owing: bool,
    /// what pays for statements that a client has thought of
    budget: Option<Budget>,
    /// the place among those who use connections
    ticket: Option<Ticket>,
}

pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>, Arc<Watch>),
    Postgres(PoolConnection<Postgres>, Arc<Incident>),
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
    ($session:expr, $sql:expr, $binds:expr, $method:ident, |$done:ident| $then:expr) => {{
        $session.ask();
        let bound = $session.bound();
        let done = match &mut $session.connection {
            Connection::Sqlite(connection, _) => {
                sqlite($sql, $binds).$method(&mut **connection).await.map(|$done| $then)
            }
            Connection::Postgres(connection, _) => {
                within(bound, postgres($sql, $binds).$method(&mut **connection)).await.map(|$done| $then)
            }
        };
        $session.answered(done.as_ref().err());
        done
    }};
}

impl Session {
    pub(crate) fn new(connection: Connection, ticket: Ticket) -> Self {
        Self { connection, open: false, owing: false, budget: None, ticket: Some(ticket) }
    }

    /// Begins a transaction. Where this is given up meanwhile, there is none.
    pub(crate) async fn begin(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        // A `Transaction` of the driver does the same, and does not let go of a connection that must be closed.
        self.ask();
        let statement = Some(statement.into_sql_str());
        let done = match &mut self.connection {
            Connection::Sqlite(connection, _) => SqliteTransactionManager::begin(connection, statement).await,
            Connection::Postgres(connection, _) => {
                within(ANSWER, PgTransactionManager::begin(connection, statement)).await
            }
        };
        self.answered(done.as_ref().err());
        self.open = done.is_ok();
        done
    }

    /// From here on the budget pays: a client has thought of the statements.
    pub(crate) fn pay_from(&mut self, budget: &Budget) {
        self.budget = Some(budget.clone());
    }

    /// What the connection speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(..) => Dialect::Sqlite,
            Connection::Postgres(..) => Dialect::Postgres,
        }
    }

    /// A statement is about to be sent.
    fn ask(&mut self) {
        self.owing = true;
        if let Connection::Sqlite(_, watch) = &self.connection {
            watch.begin(self.budget.as_ref().map(Budget::left), STATEMENT);
        }
    }

    /// How long an answer is waited for.
    fn bound(&self) -> Duration {
        if self.open { ANSWER } else { ANSWER_READ }
    }

    /// All of an answer has come.
    fn answered(&mut self, error: Option<&sqlx::Error>) {
        let spoilt = error.is_some_and(|error| Kind::of(error).spoils(error));
        self.owing = spoilt;
        match &self.connection {
            Connection::Sqlite(_, watch) => {
                if let Some(budget) = &self.budget {
                    // what exceeds it is told by the watch
                    budget.spend(watch.cost(budget.left())).unwrap_or_default();
                }
            }
            Connection::Postgres(_, incident) if spoilt => incident.happened(),
            Connection::Postgres(..) => {}
        }
    }

    /// What the failure of a statement means, which nothing has been committed before.
    pub(crate) fn failure(&self, error: sqlx::Error) -> StoreError {
        match Kind::of(&error) {
            Kind::Ended => StoreError::unavailable(1).with_source(Ended(error)),
            Kind::Interrupted => match &self.connection {
                Connection::Sqlite(_, watch) if watch.was_exceeded() => StoreError::TooMany,
                Connection::Postgres(..) if self.budget.is_some() => StoreError::TooMany,
                _ => failure(error),
            },
            _ => failure(error),
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
        self.ask();
        let bound = self.bound();
        let mut rows = match &mut self.connection {
            Connection::Sqlite(connection, _) => sqlite(sql, binds).fetch(&mut **connection).map_ok(Row::from).boxed(),
            Connection::Postgres(connection, _) => {
                postgres(sql, binds).fetch(&mut **connection).map_ok(Row::from).boxed()
            }
        };
        let mut refused = false;
        let read = loop {
            match within(bound, rows.try_next()).await {
                Ok(Some(row)) => match take(row) {
                    Ok(true) => {}
                    Ok(false) => break Ok(Ok(())),
                    Err(error) => {
                        refused = true;
                        break Ok(Err(error));
                    }
                },
                Ok(None) => break Ok(Ok(())),
                Err(error) => break Err(error),
            }
        };
        drop(rows);
        self.answered(read.as_ref().err());
        // PostgreSQL would send all the others before the connection could be used again
        self.owing |= refused && matches!(self.connection, Connection::Postgres(..));
        read.map_err(|error| self.failure(error))??;
        // rows may also break off
        Self::strike()
    }

    /// Runs a statement and returns its rows. `sql` holds constant text and placeholders, never input.
    pub(crate) async fn rows(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, StoreError> {
        Self::strike()?;
        on!(self, sql, binds, fetch_all, |rows| rows.into_iter().map(Row::from).collect())
            .map_err(|error| self.failure(error))
    }

    /// Runs a statement and returns its first row.
    pub(crate) async fn row(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Option<Row>, StoreError> {
        Self::strike()?;
        on!(self, sql, binds, fetch_optional, |row| row.map(Row::from)).map_err(|error| self.failure(error))
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        Self::strike()?;
        on!(self, sql, binds, execute, |done| done.rows_affected()).map_err(|error| self.failure(error))
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
            done => done.map_err(|error| self.failure(error)),
        }
    }

    /// Runs a statement that unfolds a list and returns how many rows it changed.
    pub(crate) async fn execute_listed(&mut self, sql: Listed, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        self.execute(self.dialect().listed(sql), binds).await
    }

    /// Makes the transaction's changes permanent.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        Self::strike()?;
        if !self.open {
            return Ok(());
        }
        self.budget = None;
        self.ask();
        let done = match &mut self.connection {
            Connection::Sqlite(connection, _) => SqliteTransactionManager::commit(connection).await,
            Connection::Postgres(connection, _) => within(ANSWER, PgTransactionManager::commit(connection)).await,
        };
        self.answered(done.as_ref().err());
        self.open = done.is_err();
        // it may have been committed all the same
        done.map_err(failure)
    }
}

/// Gives the connection back, or ends it where it is still busy with what nobody waits for.
impl Drop for Session {
    fn drop(&mut self) {
        let ticket = self.ticket.take();
        match &mut self.connection {
            Connection::Sqlite(connection, watch) => {
                if self.owing {
                    watch.leave_alone();
                }
                if self.open {
                    SqliteTransactionManager::start_rollback(connection);
                }
                let given_back = connection.return_to_pool();
                tokio::spawn(async move {
                    given_back.await;
                    drop(ticket);
                });
            }
            // To wait for the answer could take long. The server sees that nobody is there any more.
            Connection::Postgres(connection, _) if self.owing => connection.close_on_drop(),
            Connection::Postgres(connection, _) => {
                if self.open {
                    PgTransactionManager::start_rollback(connection);
                }
                let given_back = connection.return_to_pool();
                tokio::spawn(async move {
                    // one that is not heard of within this time is closed
                    tokio::time::timeout(ANSWER, given_back).await.unwrap_or_default();
                    drop(ticket);
                });
            }
        }
    }
}

/// Waits for an answer, but not for one that does not come.
async fn within<T>(bound: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let late = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(bound, answer).await.unwrap_or_else(late)
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
    binds.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(sql.len() <= KEPT), |query, bind| {
        match *bind {
            Bind::Text(text) => query.bind(text),
            Bind::OptionalText(text) => query.bind(text),
            Bind::Json(document) => query.bind(document.get()),
            Bind::Integer(number) => query.bind(number),
            Bind::Float(number) => query.bind(number),
            Bind::Boolean(value) => query.bind(value),
        }
    })
}

fn postgres<'q>(sql: &str, binds: &[Bind<'q>]) -> sqlx::query::Query<'q, Postgres, PgArguments> {
    binds.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(sql.len() <= KEPT), |query, bind| {
        match *bind {
            Bind::Text(text) => query.bind(text),
            Bind::OptionalText(text) => query.bind(text),
            Bind::Json(document) => query.bind(Json(document)),
            Bind::Integer(number) => query.bind(number),
            Bind::Float(number) => query.bind(number),
            Bind::Boolean(value) => query.bind(value),
        }
    })
}
