//! A host's tables, filled from documents, and the map that describes them. [`Engine`] is the database that they are in.

use chrono::DateTime;
use scim_provider::filter::sql::{
    ChildTable, Column, ColumnMap, ColumnMapBuilder, Dialect, Keyset, SqlFilter, SqlValue,
};
use scim_provider::{Resource, ResourceType, fold};
use serde_json::Value;

use super::world::PROBE;

pub(crate) fn map(ty: &ResourceType) -> ColumnMap {
    mapped(ty).build().unwrap()
}

pub(crate) fn mapped(ty: &ResourceType) -> ColumnMapBuilder {
    ColumnMap::builder(ty)
        .column("id", Column::text("users.id").not_null())
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
            ChildTable::keyed("emails e", &[("e.user_id", "users.id")])
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
            ChildTable::keyed("peers p", &[("p.tenant", "users.tenant"), ("p.user_id", "users.id")])
                .within("p.tenant = 't'")
                .column("value", Column::text("p.peer"))
                .column("type", Column::folded("p.type_key")),
        )
}

/// A database.
pub(crate) trait Engine {
    const DIALECT: Dialect;

    /// Runs statements without values.
    fn batch(&mut self, sql: &str);

    /// Inserts a row. The placeholders of `sql` are `$1`, `$2`, …
    fn insert(&mut self, sql: &str, row: &[Cell]);

    /// The first column of the rows, which is text.
    fn texts(&mut self, sql: &str, binds: &[SqlValue]) -> Vec<String>;

    /// What a statement costs, which is run for it.
    fn cost(&mut self, sql: &str, binds: &[SqlValue]) -> Cost;

    /// How much [`Cost::visited`] may be for so much that is compared, and for subqueries that are run for each of the rows.
    fn work(compared: usize, rows: usize, subqueries: usize) -> usize;
}

/// What a statement cost.
#[derive(Debug)]
pub(crate) struct Cost {
    /// the subqueries of its plan
    pub(crate) subqueries: usize,
    /// the joins of its plan
    pub(crate) joins: usize,
    /// what the database did, in steps or rows of its own
    pub(crate) visited: usize,
}

/// A value of a row.
#[derive(Debug)]
pub(crate) enum Cell {
    Text(Option<String>),
    Boolean(Option<bool>),
    Integer(Option<i64>),
    Float(Option<f64>),
    Document(String),
}

/// The tables in a database.
pub(crate) struct Tables<E> {
    engine: E,
}

impl<E: Engine> Tables<E> {
    /// `schema` makes the tables.
    pub(crate) fn new(mut engine: E, schema: &str) -> Self {
        engine.batch(schema);
        Self { engine }
    }

    /// Lets the rows of a resource be found by index, as in any host's tables.
    pub(crate) fn index(&mut self) {
        self.engine.batch(
            "CREATE INDEX emails_of ON emails (user_id); CREATE INDEX tags_of ON tags (user_id);
             CREATE INDEX peers_of ON peers (tenant, user_id);",
        );
    }

    /// Puts these resources in the place of what is there.
    pub(crate) fn fill(&mut self, resources: &[Resource]) {
        self.engine.batch("DELETE FROM users; DELETE FROM emails; DELETE FROM tags; DELETE FROM peers;");
        self.strangers();
        for resource in resources {
            self.insert(resource);
        }
    }

    /// Rows of child tables that belong to none of the resources: of nobody, of one who is gone, of another tenant's namesakes.
    fn strangers(&mut self) {
        let text = |text: &str| Cell::Text(Some(text.to_owned()));
        for user in [Cell::Text(None), text("gone")] {
            let row = [user, text("a"), text("work"), Cell::Boolean(Some(true))];
            self.engine.insert("INSERT INTO emails VALUES ($1,$2,$3,$4)", &row);
        }
        for (tenant, user) in [("other", "b"), ("other", "A"), ("t", "gone")] {
            let row = [text(tenant), text(user), text("p1"), text("work")];
            self.engine.insert("INSERT INTO peers VALUES ($1,$2,$3,$4)", &row);
        }
    }

    fn insert(&mut self, resource: &Resource) {
        let text = std::str::from_utf8(resource.as_json()).unwrap();
        let document: Value = serde_json::from_str(text).unwrap();
        let probe = &document[PROBE];
        let id = || Cell::Text(resource.id().map(str::to_owned));
        let row = [
            id(),
            key(&document["userName"]),
            exact(&document["externalId"]),
            Cell::Boolean(document["active"].as_bool()),
            millis(&document["meta"]["created"]),
            key(&document["name"]["familyName"]),
            key(&document["name"]["givenName"]),
            Cell::Integer(probe["rank"].as_i64()),
            Cell::Float(probe["score"].as_f64()),
            millis(&probe["seen"]),
            exact(&probe["code"]),
            Cell::Boolean(probe["flag"]["primary"].as_bool()),
            Cell::Document(text.to_owned()),
        ];
        self.engine.insert("INSERT INTO users VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,'t')", &row);
        for email in elements(&document["emails"]) {
            let row = [id(), key(&email["value"]), key(&email["type"]), Cell::Boolean(email["primary"].as_bool())];
            self.engine.insert("INSERT INTO emails VALUES ($1,$2,$3,$4)", &row);
        }
        for tag in elements(&probe["tags"]) {
            self.engine.insert("INSERT INTO tags VALUES ($1,$2)", &[id(), key(tag)]);
        }
        for peer in elements(&probe["peers"]) {
            let row = [id(), exact(&peer["value"]), key(&peer["type"])];
            self.engine.insert("INSERT INTO peers VALUES ('t',$1,$2,$3)", &row);
        }
    }

    /// The ids of the rows that satisfy.
    pub(crate) fn select(&mut self, filter: &SqlFilter) -> Vec<String> {
        self.engine.texts(&format!("SELECT id FROM users WHERE {}", filter.sql()), filter.binds())
    }

    /// The ids of the rows for which the predicate is neither true nor false.
    pub(crate) fn undecided(&mut self, filter: &SqlFilter) -> Vec<String> {
        self.engine.texts(&format!("SELECT id FROM users WHERE {} IS NULL", filter.sql()), filter.binds())
    }

    /// The ids of the rows that satisfy, in an order.
    pub(crate) fn ordered(&mut self, filter: &SqlFilter, terms: &str) -> Vec<String> {
        let sql = format!("SELECT id FROM users WHERE {} ORDER BY {terms}", filter.sql());
        self.engine.texts(&sql, filter.binds())
    }

    /// The ids behind a cursor, in its order.
    pub(crate) fn following(&mut self, keyset: &Keyset) -> Vec<String> {
        let sql = format!("SELECT id FROM users WHERE {} ORDER BY {}", keyset.sql(), keyset.order_by());
        self.engine.texts(&sql, keyset.binds())
    }

    /// The same, range by range.
    pub(crate) fn in_ranges(&mut self, keyset: &Keyset) -> Vec<String> {
        let numbers = keyset.ranges().scan(0, |first, (_, binds)| {
            *first += binds.len();
            Some(*first - binds.len())
        });
        let mut rows = Vec::new();
        for ((sql, binds), before) in keyset.ranges().zip(numbers) {
            // alone, a range's placeholders begin with the first
            let alone = (1..=binds.len())
                .fold(sql.to_owned(), |sql, n| sql.replace(&format!("${}::", before + n), &format!("${n}::")));
            rows.extend(
                self.engine.texts(&format!("SELECT id FROM users WHERE {alone} ORDER BY {}", keyset.order_by()), binds),
            );
        }
        rows
    }

    pub(crate) fn cost(&mut self, filter: &SqlFilter) -> Cost {
        self.engine.cost(&format!("SELECT id FROM users WHERE {}", filter.sql()), filter.binds())
    }

    /// What the database says that it would do; `explain` is its word for the question.
    pub(crate) fn plan(&mut self, explain: &str, filter: &SqlFilter) -> String {
        self.engine.texts(&format!("{explain} SELECT id FROM users WHERE {}", filter.sql()), filter.binds()).join("\n")
    }
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn exact(value: &Value) -> Cell {
    Cell::Text(value.as_str().map(str::to_owned))
}

fn key(value: &Value) -> Cell {
    Cell::Text(value.as_str().map(|text| fold(text).into_owned()))
}

fn millis(value: &Value) -> Cell {
    Cell::Integer(value.as_str().map(|text| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()))
}
