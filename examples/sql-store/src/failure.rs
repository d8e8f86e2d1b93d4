//! What the failures of a database mean: come back, run it again, too much, or broken.

use std::fmt;

use scim_provider::StoreError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// What is to be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The transaction was taken back for the sake of others: run it again.
    TakenBack,
    /// Another process is writing to the file.
    Busy,
    /// The connection is of no more use, the server may be: run it again on another one, unless it was being committed.
    Ended,
    /// The server only reads at present, or what stands there is another one than before: let go of the connection.
    ReadOnly,
    /// The statement was ended, because it took too long or nobody waits for it.
    Interrupted,
    /// It passes: the disk is full, memory is short, no connection is free, a lock is held for too long.
    Passing,
    /// Somebody has to look at it.
    Broken,
}

impl Kind {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            // nobody has answered in time: nor will it on the next connection
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Self::Passing,
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Self::Ended,
            // a transaction that should not be there
            sqlx::Error::BeginFailed | sqlx::Error::InvalidSavePointStatement => Self::Ended,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Passing,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                if error.try_downcast_ref::<PgDatabaseError>().is_some() {
                    Self::of_sqlstate(&code)
                } else if error.try_downcast_ref::<SqliteError>().is_some() {
                    code.parse().map_or(Self::Broken, Self::of_sqlite)
                } else {
                    Self::Broken
                }
            }
            _ => Self::Broken,
        }
    }

    /// By PostgreSQL's appendix A.
    fn of_sqlstate(code: &str) -> Self {
        match code {
            // serialization_failure, deadlock_detected
            "40001" | "40P01" => Self::TakenBack,
            // read_only_sql_transaction: a standby, or a primary whose disk is about to be full
            "25006" => Self::ReadOnly,
            "57014" => Self::Interrupted,
            // idle_in_transaction_session_timeout, transaction_timeout, admin_shutdown, crash_shutdown, database_dropped,
            // idle_session_timeout
            "25P03" | "25P04" | "57P01" | "57P02" | "57P04" | "57P05" => Self::Ended,
            // lock_not_available, object_in_use, io_error
            "55P03" | "55006" | "58030" => Self::Passing,
            // cannot_connect_now, and what else an operator does
            code if code.starts_with("57") => Self::Passing,
            // connection_exception
            code if code.starts_with("08") => Self::Ended,
            // insufficient_resources: disk, memory, connections
            code if code.starts_with("53") => Self::Passing,
            _ => Self::Broken,
        }
    }

    /// By the low byte of an extended result code.
    fn of_sqlite(code: u32) -> Self {
        match code & 0xff {
            // BUSY, LOCKED
            5 | 6 => Self::Busy,
            // INTERRUPT
            9 => Self::Interrupted,
            // NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
            7 | 8 | 10 | 13 | 14 | 15 => Self::Passing,
            _ => Self::Broken,
        }
    }

    /// Whether the connection must not be given back.
    pub(crate) fn spoils(self, error: &sqlx::Error) -> bool {
        matches!(self, Self::Ended | Self::ReadOnly) || matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
    }
}

/// The cause of a failure of a connection before anything was committed.
#[derive(Debug)]
pub(crate) struct Ended(pub(crate) sqlx::Error);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection has ended: {}", self.0)
    }
}

impl std::error::Error for Ended {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// What a failure means to the service. The database's own words are for the operator.
pub(crate) fn failure(error: sqlx::Error) -> StoreError {
    match Kind::of(&error) {
        Kind::Broken => StoreError::backend(error),
        _ => StoreError::unavailable(1).with_source(error),
    }
}

/// Whether another process is writing to the file.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    Kind::of(error) == Kind::Busy
}

/// Whether a transaction was taken back for the sake of others.
pub(crate) fn was_taken_back(error: &StoreError) -> bool {
    let source = source(error).and_then(|source| source.downcast_ref::<sqlx::Error>());
    source.is_some_and(|error| Kind::of(error) == Kind::TakenBack)
}

/// Whether the connection had ended before anything was committed.
pub(crate) fn had_ended(error: &StoreError) -> bool {
    source(error).is_some_and(|source| source.is::<Ended>())
}

fn source(error: &StoreError) -> Option<&(dyn std::error::Error + 'static)> {
    std::error::Error::source(error)
}

#[cfg(test)]
mod tests {
    use super::Kind::{Broken, Busy, Ended, Interrupted, Passing, ReadOnly, TakenBack};
    use super::*;

    /// A primary result code of SQLite, and an extended one.
    #[test]
    fn each_result_code_of_sqlite_is_of_a_kind() {
        for (code, kind) in [
            (1, Broken),            // ERROR
            (2, Broken),            // INTERNAL
            (3, Broken),            // PERM
            (4, Broken),            // ABORT
            (5, Busy),              // BUSY
            (5 | 2 << 8, Busy),     // BUSY_SNAPSHOT
            (6, Busy),              // LOCKED
            (7, Passing),           // NOMEM
            (8, Passing),           // READONLY
            (8 | 4 << 8, Passing),  // READONLY_DBMOVED
            (9, Interrupted),       // INTERRUPT
            (10, Passing),          // IOERR
            (10 | 3 << 8, Passing), // IOERR_WRITE
            (11, Broken),           // CORRUPT
            (13, Passing),          // FULL
            (14, Passing),          // CANTOPEN
            (15, Passing),          // PROTOCOL
            (17, Broken),           // SCHEMA
            (18, Broken),           // TOOBIG
            (19, Broken),           // CONSTRAINT
            (20, Broken),           // MISMATCH
            (21, Broken),           // MISUSE
            (26, Broken),           // NOTADB
        ] {
            assert_eq!(Kind::of_sqlite(code), kind, "{code}");
        }
    }

    #[test]
    fn each_sqlstate_is_of_a_kind() {
        for (code, kind) in [
            ("08000", Ended),
            ("08006", Ended),
            ("08P01", Ended),
            ("22021", Broken),
            ("23505", Broken),
            ("25006", ReadOnly),
            ("25P02", Broken),
            ("25P03", Ended),
            ("25P04", Ended),
            ("28P01", Broken),
            ("3D000", Broken),
            ("40001", TakenBack),
            ("40P01", TakenBack),
            ("42601", Broken),
            ("42P01", Broken),
            ("53000", Passing),
            ("53100", Passing), // disk_full
            ("53200", Passing), // out_of_memory
            ("53300", Passing), // too_many_connections
            ("53400", Passing),
            ("54001", Broken),
            ("55006", Passing),
            ("55P03", Passing), // lock_not_available
            ("57000", Passing),
            ("57014", Interrupted),
            ("57P01", Ended),
            ("57P02", Ended),
            ("57P03", Passing),
            ("57P04", Ended),
            ("57P05", Ended),
            ("58030", Passing),
            ("XX000", Broken),
            ("XX001", Broken),
        ] {
            assert_eq!(Kind::of_sqlstate(code), kind, "{code}");
        }
    }

    #[test]
    fn only_what_is_broken_is_an_internal_error() {
        for (error, waits) in [
            (sqlx::Error::PoolTimedOut, true),
            (sqlx::Error::WorkerCrashed, true),
            (sqlx::Error::BeginFailed, true),
            (sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into()), true),
            (sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()), true),
            (sqlx::Error::RowNotFound, false),
            (sqlx::Error::Protocol("?".to_owned()), false),
        ] {
            let error = failure(error);
            assert_eq!(matches!(error, StoreError::Unavailable { retry_after: Some(1), .. }), waits, "{error:?}");
        }
    }
}
