//! A host's tables in SQLite, filled from documents, and the map that describes them.

use chrono::DateTime;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, params, params_from_iter};
use scim_provider::filter::sql::{ChildTable, Column, ColumnMap, Keyset, SqlFilter, SqlValue};
use scim_provider::{Resource, ResourceType, fold};
use serde_json::Value;

use super::world::PROBE;

/// Declared as carelessly as hosts do: a column without a type, one that ignores case.
const SCHEMA: &str = "
    CREATE TABLE users (
        id TEXT PRIMARY KEY, user_name_key TEXT, external_id TEXT COLLATE NOCASE, active INTEGER, created INTEGER,
        family_key TEXT COLLATE RTRIM, given_key, rank INTEGER, score REAL, seen INTEGER, code TEXT, flag BOOLEAN,
        document TEXT NOT NULL
    );
    CREATE INDEX users_by_name ON users (user_name_key);
    CREATE TABLE emails (user_id TEXT, value_key TEXT, type_key TEXT COLLATE NOCASE, is_primary INTEGER);
    CREATE TABLE tags (user_id TEXT, tag_key TEXT);
    CREATE TABLE peers (user_id TEXT, peer TEXT, type_key TEXT);
";

pub(crate) fn map(ty: &ResourceType) -> ColumnMap {
    ColumnMap::builder(ty)
        .column("id", Column::text("users.id"))
        .column("userName", Column::folded("users.user_name_key"))
        .column("externalId", Column::text("users.external_id"))
        .column("active", Column::boolean("users.active"))
        .column("name.familyName", Column::folded("users.family_key"))
        .column("name.givenName", Column::folded("users.given_key"))
        .column("meta.created", Column::whole_milliseconds("users.created"))
        .column("urn:example:2.0:Probe:rank", Column::integer("users.rank"))
        .column("urn:example:2.0:Probe:score", Column::number("users.score"))
        .column("urn:example:2.0:Probe:seen", Column::timestamp("users.seen"))
        .column("urn:example:2.0:Probe:code", Column::text("users.code"))
        .column("urn:example:2.0:Probe:mark", Column::json("users.document", &[PROBE, "mark"]))
        .column("urn:example:2.0:Probe:blurb", Column::json("users.document", &[PROBE, "blurb"]))
        .column("urn:example:2.0:Probe:lamp", Column::json("users.document", &[PROBE, "lamp"]))
        .column("urn:example:2.0:Probe:flag.primary", Column::boolean("users.flag"))
        .values(
            "emails",
            ChildTable::new("emails e", "e.user_id = users.id")
                .column("value", Column::folded("e.value_key"))
                .column("type", Column::folded("e.type_key"))
                .column("primary", Column::boolean("e.is_primary")),
        )
        .values(
            "urn:example:2.0:Probe:tags",
            ChildTable::new("tags t", "t.user_id = users.id").column("value", Column::folded("t.tag_key")),
        )
        .values(
            "urn:example:2.0:Probe:peers",
            ChildTable::new("peers p", "p.user_id = users.id")
                .column("value", Column::text("p.peer"))
                .column("type", Column::folded("p.type_key")),
        )
        .build()
        .unwrap()
}

pub(crate) struct Tables {
    connection: Connection,
}

impl Tables {
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        Self { connection }
    }

    /// Puts these resources in the place of what is there.
    pub(crate) fn fill(&self, resources: &[Resource]) {
        self.connection
            .execute_batch("DELETE FROM users; DELETE FROM emails; DELETE FROM tags; DELETE FROM peers;")
            .unwrap();
        for resource in resources {
            self.insert(resource);
        }
    }

    fn insert(&self, resource: &Resource) {
        let text = std::str::from_utf8(resource.as_json()).unwrap();
        let document: Value = serde_json::from_str(text).unwrap();
        let probe = &document[PROBE];
        let id = resource.id().unwrap();
        let row = params![
            id,
            key(&document["userName"]),
            document["externalId"].as_str(),
            document["active"].as_bool(),
            millis(&document["meta"]["created"]),
            key(&document["name"]["familyName"]),
            key(&document["name"]["givenName"]),
            probe["rank"].as_i64(),
            probe["score"].as_f64(),
            millis(&probe["seen"]),
            probe["code"].as_str(),
            probe["flag"]["primary"].as_bool(),
            text
        ];
        self.execute("INSERT INTO users VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", row);
        for email in elements(&document["emails"]) {
            let row = params![id, key(&email["value"]), key(&email["type"]), email["primary"].as_bool()];
            self.execute("INSERT INTO emails VALUES (?,?,?,?)", row);
        }
        for tag in elements(&probe["tags"]) {
            self.execute("INSERT INTO tags VALUES (?,?)", params![id, key(tag)]);
        }
        for peer in elements(&probe["peers"]) {
            let row = params![id, peer["value"].as_str(), key(&peer["type"])];
            self.execute("INSERT INTO peers VALUES (?,?,?)", row);
        }
    }

    fn execute(&self, sql: &str, row: &[&dyn ToSql]) {
        self.connection.prepare_cached(sql).unwrap().execute(row).unwrap();
    }

    /// The ids of the rows that satisfy.
    pub(crate) fn select(&self, filter: &SqlFilter) -> Vec<String> {
        self.ids(&format!("SELECT id FROM users WHERE {}", filter.sql()), filter.binds())
    }

    /// The ids of the rows for which the predicate is neither true nor false.
    pub(crate) fn undecided(&self, filter: &SqlFilter) -> Vec<String> {
        self.ids(&format!("SELECT id FROM users WHERE {} IS NULL", filter.sql()), filter.binds())
    }

    /// All ids, in an order.
    pub(crate) fn ordered(&self, terms: &str) -> Vec<String> {
        self.ids(&format!("SELECT id FROM users ORDER BY {terms}"), &[])
    }

    /// The ids behind a cursor, in its order.
    pub(crate) fn following(&self, keyset: &Keyset) -> Vec<String> {
        let sql = format!("SELECT id FROM users WHERE {} ORDER BY {}", keyset.sql(), keyset.order_by());
        self.ids(&sql, keyset.binds())
    }

    /// How SQLite would carry the filter out.
    pub(crate) fn plan(&self, filter: &SqlFilter) -> String {
        let sql = format!("EXPLAIN QUERY PLAN SELECT id FROM users WHERE {}", filter.sql());
        let mut statement = self.connection.prepare(&sql).unwrap();
        let binds = params_from_iter(filter.binds().iter().map(Bind));
        let steps = statement.query_map(binds, |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    fn ids(&self, sql: &str, binds: &[SqlValue]) -> Vec<String> {
        let mut statement = self.connection.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        let rows = statement.query_map(params_from_iter(binds.iter().map(Bind)), |row| row.get(0)).unwrap();
        rows.map(|id| id.unwrap_or_else(|error| panic!("{error}: {sql}"))).collect()
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

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn key(value: &Value) -> Option<String> {
    value.as_str().map(|text| fold(text).into_owned())
}

fn millis(value: &Value) -> Option<i64> {
    value.as_str().map(|text| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}
