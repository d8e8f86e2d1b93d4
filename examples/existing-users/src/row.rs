//! What rows have in common, of users and of groups.

use std::hash::{DefaultHasher, Hash, Hasher};

use scim_provider::filter::sql::{ColumnMap, Dialect, SqlValue};
use scim_provider::{Query, Resource, Schema, StoreError, Version};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{Sqlite, SqliteArguments};

const SQLITE_BUSY: u32 = 5;

/// A schema with those attributes only that the product has a place for: `/Schemas` promises no more.
pub(crate) fn narrowed(mut schema: Schema, kept: &[&str]) -> Schema {
    schema.attributes.retain(|attribute| kept.contains(&attribute.name.as_str()));
    schema
}

/// The version of a row is its content: the product changes rows without counting.
pub(crate) fn version(row: &impl Hash) -> Version {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    Version::from(hasher.finish())
}

/// The number that is written so, and in no other way.
pub(crate) fn number(id: &str) -> Option<i64> {
    id.parse().ok().filter(|number: &i64| number.to_string() == id)
}

/// What a failure of the database is to a client: where somebody else is writing, it comes again in a second.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|e| e.code()?.parse::<u32>().ok());
    match code.is_some_and(|code| code & 0xff == SQLITE_BUSY) {
        true => StoreError::unavailable(1).with_source(error),
        false => StoreError::backend(error),
    }
}

/// The text of an attribute.
pub(crate) fn text(resource: &Resource, attribute: &str) -> Option<String> {
    resource.text(attribute).map(String::from)
}

/// The statement that starts with `select`, for the rows that may match. The map is of `ty`.
pub(crate) struct Matching {
    sql: String,
    binds: Vec<SqlValue>,
}

impl Matching {
    pub(crate) fn new(select: &str, map: &ColumnMap, query: &Query, order: &str) -> Self {
        let filter = query.filter.as_ref().map(|filter| filter.to_sql(map, Dialect::Sqlite, 1));
        let (predicate, binds) = filter.map_or(("1".to_owned(), vec![]), |f| (f.sql().to_owned(), f.binds().to_vec()));
        Self { sql: format!("{select} WHERE {predicate} ORDER BY {order} LIMIT {}", query.scan + 1), binds }
    }

    pub(crate) fn query<'q, T>(&self) -> sqlx::query::QueryAs<'q, Sqlite, T, SqliteArguments>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
    {
        let query = sqlx::query_as(AssertSqlSafe(self.sql.clone()));
        self.binds.iter().fold(query, |query, bind| match bind {
            SqlValue::Text(text) => query.bind(text.clone()),
            SqlValue::Integer(number) => query.bind(*number),
            SqlValue::Float(number) => query.bind(*number),
            // what a later version of the library may bind: no row is like it
            _ => query.bind(None::<String>),
        })
    }
}
