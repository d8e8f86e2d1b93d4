//! The tables in SQLite.

use std::collections::BTreeSet;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, StatementStatus, ToSql, params_from_iter};
use scim_provider::filter::sql::{Dialect, SqlValue};

use super::tables::{Cell, Cost, Engine, Tables};

/// Declared as carelessly as hosts do: a column without a type, one that ignores case.
const SCHEMA: &str = "
    CREATE TABLE users (
        id TEXT PRIMARY KEY, user_name_key TEXT, external_id TEXT COLLATE NOCASE, active INTEGER, created INTEGER,
        family_key TEXT COLLATE RTRIM, given_key, rank INTEGER, score REAL, seen INTEGER, code TEXT, flag BOOLEAN,
        document TEXT NOT NULL, tenant TEXT NOT NULL
    );
    CREATE INDEX users_by_name ON users (user_name_key);
    CREATE TABLE emails (user_id TEXT, value_key TEXT, type_key TEXT COLLATE NOCASE, is_primary INTEGER);
    CREATE TABLE tags (user_id TEXT, tag_key TEXT);
    CREATE TABLE peers (tenant TEXT, user_id TEXT, peer TEXT, type_key TEXT);
";

pub(crate) fn tables() -> Tables<Connection> {
    Tables::new(Connection::open_in_memory().unwrap(), SCHEMA)
}

impl Engine for Connection {
    const DIALECT: Dialect = Dialect::Sqlite;

    fn batch(&mut self, sql: &str) {
        self.execute_batch(sql).unwrap();
    }

    fn insert(&mut self, sql: &str, row: &[Cell]) {
        self.prepare_cached(sql).unwrap().execute(params_from_iter(row)).unwrap();
    }

    fn texts(&mut self, sql: &str, binds: &[SqlValue]) -> Vec<String> {
        let mut statement = self.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        // the plan's text is the last of its columns
        let column = statement.column_count() - 1;
        let rows = statement.query_map(params_from_iter(binds.iter().map(Bind)), |row| row.get(column)).unwrap();
        rows.map(|text| text.unwrap_or_else(|error| panic!("{error}: {sql}"))).collect()
    }

    /// Visited are the steps of its virtual machine.
    fn cost(&mut self, sql: &str, binds: &[SqlValue]) -> Cost {
        let plan = self.texts(&format!("EXPLAIN QUERY PLAN {sql}"), binds);
        // by their numbers: some are told of in two places
        let subqueries: BTreeSet<_> = plan.iter().filter(|line| line.contains("SUBQUERY")).collect();
        let mut statement = self.prepare(sql).unwrap();
        let mut rows = statement.query(params_from_iter(binds.iter().map(Bind))).unwrap();
        while rows.next().unwrap().is_some() {}
        drop(rows);
        let visited = usize::try_from(statement.get_status(StatementStatus::VmStep)).unwrap();
        Cost { subqueries: subqueries.len(), joins: 0, visited }
    }

    fn work(compared: usize, rows: usize, subqueries: usize) -> usize {
        1_000 + 10 * compared + 50 * rows * subqueries
    }
}

struct Bind<'a>(&'a SqlValue);

impl ToSql for Bind<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            SqlValue::Text(text) => text.to_sql(),
            SqlValue::Integer(number) => number.to_sql(),
            SqlValue::Float(number) => number.to_sql(),
            value => panic!("SQLite is given {value:?}"),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Boolean(value) => value.to_sql(),
            Self::Integer(number) => number.to_sql(),
            Self::Float(number) => number.to_sql(),
            Self::Document(text) => text.to_sql(),
        }
    }
}
