//! The tables in PostgreSQL.

use postgres::types::{Json, ToSql};
use postgres::{Client, NoTls};
use scim_provider::filter::sql::{Dialect, SqlValue};
use serde_json::Value;

use super::tables::{Cell, Cost, Engine, Tables};

/// Documents as `jsonb`, which keeps them in a form of its own; text in the database's collation, the bytes' and a language's.
const SCHEMA: &str = "
    CREATE TABLE users (
        id text PRIMARY KEY, user_name_key text COLLATE \"C\", external_id text COLLATE \"en-US-x-icu\", active boolean,
        created bigint, family_key text, given_key varchar, rank bigint, score double precision, seen bigint,
        code text COLLATE \"C\", flag boolean, document jsonb NOT NULL,
        tenant text NOT NULL
    );
    CREATE INDEX users_by_name ON users (user_name_key);
    CREATE TABLE emails (user_id text, value_key text, type_key text COLLATE \"en-US-x-icu\", is_primary boolean);
    CREATE TABLE tags (user_id text, tag_key text);
    CREATE TABLE peers (tenant text, user_id text, peer text, type_key text);
";

/// The tables in an empty database, where there is a server.
pub(crate) fn tables() -> Option<Tables<Client>> {
    let url = scim_test_postgres::database().unwrap()?;
    let mut client = Client::connect(&url, NoTls).unwrap();
    // it would compile a filter of many terms for a quarter of a second, to run it for a millisecond
    client.batch_execute("SET jit = off").unwrap();
    Some(Tables::new(client, SCHEMA))
}

impl Engine for Client {
    const DIALECT: Dialect = Dialect::Postgres;

    fn batch(&mut self, sql: &str) {
        self.batch_execute(sql).unwrap();
    }

    fn insert(&mut self, sql: &str, row: &[Cell]) {
        let row: Vec<_> = row.iter().map(Cell::to_postgres).collect();
        let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|cell| &**cell).collect();
        self.execute(sql, &row).unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    }

    fn texts(&mut self, sql: &str, binds: &[SqlValue]) -> Vec<String> {
        let binds: Vec<_> = binds.iter().map(bind).collect();
        let rows = self.query(sql, &binds).unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Visited are the rows of all nodes of the plan, and those that they looked at and left out.
    fn cost(&mut self, sql: &str, binds: &[SqlValue]) -> Cost {
        let binds: Vec<_> = binds.iter().map(bind).collect();
        let explain = format!("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}");
        let row = self.query_one(&explain, &binds).unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        let told: Value = row.get(0);
        let mut cost = Cost { subqueries: 0, joins: 0, visited: 0 };
        add_node(&mut cost, &told[0]["Plan"]);
        cost
    }

    fn work(compared: usize, rows: usize, subqueries: usize) -> usize {
        // the tables are so small that each subquery looks through all of its table
        rows + compared + 60 * rows * subqueries
    }
}

fn add_node(cost: &mut Cost, node: &Value) {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let removed: f64 = ["Rows Removed by Filter", "Rows Removed by Join Filter"].map(number).iter().sum();
    cost.visited += ((number("Actual Rows") + removed) * number("Actual Loops")) as usize;
    cost.joins += usize::from(node["Join Type"].is_string());
    cost.subqueries += usize::from(node["Subplan Name"].is_string());
    node["Plans"].as_array().into_iter().flatten().for_each(|node| add_node(cost, node));
}

fn bind(value: &SqlValue) -> &(dyn ToSql + Sync) {
    match value {
        SqlValue::Text(text) => text,
        SqlValue::Integer(number) => number,
        SqlValue::Float(number) => number,
        value => panic!("PostgreSQL is given {value:?}"),
    }
}

impl Cell {
    fn to_postgres(&self) -> Box<dyn ToSql + Sync> {
        match self {
            Self::Text(text) => Box::new(text.clone()),
            Self::Boolean(value) => Box::new(*value),
            Self::Integer(number) => Box::new(*number),
            Self::Float(number) => Box::new(*number),
            Self::Document(text) => Box::new(Json(serde_json::from_str::<Value>(text).unwrap())),
        }
    }
}
