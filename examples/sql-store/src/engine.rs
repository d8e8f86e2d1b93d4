//! Engines that speak PostgreSQL's protocol: which one it is, how writes begin in it, and how its tables are made.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr as _};

/// How often the tables are tried to be made, while others make them too.
const ATTEMPTS: u32 = 10;

/// What stands behind the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    CockroachDb,
    YugabyteDb,
}

impl Engine {
    /// Asks the server.
    pub(crate) async fn of(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let version: String = sqlx::query_scalar("SELECT version()").fetch_one(pool).await?;
        Ok(Self::named(&version))
    }

    fn named(version: &str) -> Self {
        match version {
            version if version.starts_with("CockroachDB") => Self::CockroachDb,
            version if version.contains("-YB-") => Self::YugabyteDb,
            _ => Self::Postgres,
        }
    }

    /// How a transaction that writes begins, whatever the server's default is.
    ///
    /// In PostgreSQL each statement sees what was committed before it, and rows that are locked in between do not change: see
    /// [`Table::for_change`](crate::select::Table::for_change). Distributed engines have other levels below the strictest, and
    /// one of them reads a snapshot that is older than the locks: there the whole transaction is as if it ran alone, and is run
    /// again when it did not.
    ///
    /// Its statements may wait for a lock, and longer than that for nothing.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '6s'",
            Self::CockroachDb | Self::YugabyteDb => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL statement_timeout = '6s'"
            }
        }
    }

    /// Brings the tables up to date.
    ///
    /// Processes that start at once do not lock each other out, because not every engine has advisory locks. Each makes what is
    /// not there yet, which may fail where another is about to do the same: then it looks again.
    pub(crate) async fn migrate(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let tables = self.tables();
        made(|| async { Ok(tables.run(pool).await?) }, was_overtaken).await
    }

    fn tables(self) -> Migrator {
        let mut tables = sqlx::migrate!("migrations/postgres");
        tables.set_locking(false);
        if self == Self::CockroachDb {
            // Its texts are in the order of their bytes, and it refuses columns that say so.
            for migration in tables.migrations.to_mut() {
                let sql = AssertSqlSafe(migration.sql.as_str().replace(" COLLATE \"C\"", "")).into_sql_str();
                let (description, kind) = (migration.description.clone(), migration.migration_type);
                *migration = sqlx::migrate::Migration::new(migration.version, description, kind, sql, migration.no_tx);
            }
        }
        tables
    }
}

/// Makes what others may be making too, and looks again where that failed because of them.
pub(crate) async fn made<T, F>(
    mut make: impl FnMut() -> F,
    overtaken: fn(&sqlx::Error) -> bool,
) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let mut attempt = 1;
    loop {
        match make().await {
            Err(error) if attempt < ATTEMPTS && overtaken(&error) => {
                tracing::debug!(attempt, %error, "somebody else makes the tables");
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// What the database said, to a migration or by itself.
pub(crate) fn cause(error: &sqlx::Error) -> &sqlx::Error {
    match error {
        sqlx::Error::Migrate(migration) => match &**migration {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => cause,
            _ => error,
        },
        _ => error,
    }
}

/// Whether another process has made, or is about to make, what was to be made: `unique_violation` in a catalogue or in the list
/// of migrations, `duplicate_table`, `duplicate_object`, what transactions are taken back for, and `internal_error`, by which
/// PostgreSQL and YugabyteDB tell of a catalogue that changed meanwhile; `lock_not_available`.
fn was_overtaken(error: &sqlx::Error) -> bool {
    let code = cause(error).as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(&*code, "23505" | "42P07" | "42710" | "40001" | "40P01" | "55P03" | "XX000"))
}

/// Making tables takes distributed engines seconds.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(25 << attempt.min(7))
}

#[cfg(test)]
mod tests {
    use super::Engine;

    #[test]
    fn engines_are_known_by_what_they_call_themselves() {
        for (version, engine) in [
            ("PostgreSQL 17.5 (Debian 17.5-1) on x86_64-pc-linux-gnu, compiled by gcc", Engine::Postgres),
            ("PostgreSQL 15.2-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang", Engine::YugabyteDb),
            ("CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/20)", Engine::CockroachDb),
        ] {
            assert_eq!(Engine::named(version), engine, "{version}");
        }
    }

    /// One that stops half-way, where a migration is not undone as a whole, goes on from there.
    #[test]
    fn tables_are_made_only_where_there_are_none() {
        for engine in [Engine::Postgres, Engine::CockroachDb, Engine::YugabyteDb] {
            let tables = engine.tables();
            assert!(!tables.locking);
            let mut all = String::new();
            for migration in tables.iter() {
                let sql = migration.sql.as_str();
                let made = sql.matches("CREATE ").count() + sql.matches(" ADD COLUMN ").count();
                assert_eq!(made, sql.matches(" IF NOT EXISTS ").count(), "{sql}");
                all.extend(sql.lines().filter(|line| !line.starts_with("--")));
            }
            assert_eq!(all.contains("COLLATE"), engine != Engine::CockroachDb, "{all}");
        }
    }
}
