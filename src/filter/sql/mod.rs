//! Filters as SQL: a [`BoundFilter`] and the host's map of columns become one predicate for a WHERE clause.
//!
//! ```
//! use scim_provider::filter::sql::{Column, ColumnMap, Dialect, SqlValue};
//! use scim_provider::{Compat, Filter, User};
//!
//! let users = User::resource_type().build()?;
//! let map = ColumnMap::builder(&users)
//!     .column("userName", Column::folded("users.user_name_key"))
//!     .column("active", Column::boolean("users.active"))
//!     .build()?;
//!
//! let filter: Filter = r#"userName eq "Ada" and not (active eq false)"#.parse()?;
//! let sql = filter.bind(&users, Compat::default())?.to_sql(&map, Dialect::Postgres, 2);
//! let statement = format!("SELECT document FROM users WHERE tenant = $1 AND {}", sql.sql());
//! assert_eq!(sql.binds(), [SqlValue::Text("ada".into())]);
//! assert!(sql.is_exact());
//! # assert!(statement.contains("users.user_name_key = $2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What can be relied on
//!
//! *Nothing that a client sent is SQL.* The text consists of the map's constant strings, words from here, and placeholders.
//!
//! *No match is lost.* The predicate holds for every row whose document [matches](BoundFilter::matches). What the map cannot
//! express is left out so that more rows come through, also under `not` and in `ne`. [`SqlFilter::is_exact`] says whether
//! anything was left out:
//!
//! * exact: the rows are the answer. Order, offset and limit can be left to the database too (see
//!   [`Sort::to_sql`](crate::Sort::to_sql)): return [`Page::matches`](crate::Page::matches) or [`Page::exact`](crate::Page::exact).
//!   For a page by cursor, [`Query::keyset`](crate::Query::keyset) gives order and position, and
//!   [`Page::following`](crate::Page::following) is the answer.
//! * not exact: the rows are candidates. Return all of them as [`Page::candidates`](crate::Page::candidates).
//!
//! *The answer is that of the evaluator in memory, whatever the database's locale.* Text is compared character by character,
//! by a key that was folded here; a predicate is never NULL. This asks of the host what [`Column`] says, of SQLite the UTF-8
//! encoding (the default), and of PostgreSQL a UTF-8 database and columns of deterministic collations (all are, unless made
//! otherwise). An index on a text column serves `eq`; one in the order of bytes, as all are in SQLite and with
//! `COLLATE "C"` in PostgreSQL, serves `sw` and the orderings too.
//!
//! # Which index is used
//!
//! A child table that is [`keyed`](ChildTable::keyed) is looked up by its own index: `emails.value eq` costs what it finds.
//!
//! SQLite plans by estimates. As long as it has no statistics it believes that any tenant has ten rows, and where an index
//! serves the ORDER BY it rather walks through those ten, all of them, than looks up what is asked for. Tell it otherwise,
//! once: by `ANALYZE` when the tables are filled, or by estimates in `sqlite_stat1`, as a migration of `examples/sql-store`
//! does it. PostgreSQL gathers statistics by itself.
//!
//! A filter within [`Limits::filter_terms`](crate::Limits::filter_terms) has at most two bind values for each comparison.

mod child;
mod explain;
mod expr;
mod keyset;
mod map;
mod test;
#[cfg(test)]
mod tests;
mod translate;

pub use child::ChildTable;
pub use explain::Explain;
pub use keyset::Keyset;
pub(crate) use keyset::{KeysetOrder, Order};
pub use map::{Column, ColumnMap, ColumnMapBuilder, MapError, MapErrorKind};

use expr::{Expr, Writer};
use translate::Translator;

use super::bind::BoundFilter;

/// The database that is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite 3.30 or later; placeholders are `?`.
    Sqlite,
    /// PostgreSQL 12 or later; placeholders are `$1`, `$2`, … with their types.
    Postgres,
}

/// A value to bind to a placeholder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SqlValue {
    /// Text. It holds no U+0000.
    Text(String),
    /// A whole number: a 64-bit integer column type.
    Integer(i64),
    /// A finite floating-point number.
    Float(f64),
}

/// A filter as SQL. See the [module](self) for what it promises.
#[derive(Clone)]
pub struct SqlFilter {
    sql: String,
    binds: Vec<SqlValue>,
    exact: bool,
    parts: Vec<explain::Part>,
}

impl BoundFilter {
    /// Translates the filter for a WHERE clause.
    ///
    /// `first_placeholder` is the number of the first `$n` in PostgreSQL: one more than the statement has in front. SQLite
    /// counts by itself. A map of another resource type expresses nothing.
    pub fn to_sql(&self, map: &ColumnMap, dialect: Dialect, first_placeholder: usize) -> SqlFilter {
        let mut translator = Translator::new(map);
        let (expr, exact) = match self.ty == map.ty {
            true => translator.filter(&self.root),
            false => (Expr::Const(true), false),
        };
        let mut writer = Writer::new(dialect, first_placeholder);
        writer.predicate(expr, false);
        let (sql, binds) = writer.finish();
        SqlFilter { sql, binds, exact, parts: translator.parts }
    }
}

impl SqlFilter {
    /// The predicate, in parentheses.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The values of its placeholders, in order.
    pub fn binds(&self) -> &[SqlValue] {
        &self.binds
    }

    /// Whether the rows are exactly those that match. Otherwise they are more, and have to be checked.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// What is checked where and why, for a log.
    pub fn explain(&self) -> Explain<'_> {
        Explain { exact: self.exact, parts: &self.parts }
    }
}

/// What is searched for can be personal data: the text and the explanation only.
impl std::fmt::Debug for SqlFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlFilter")
            .field("sql", &self.sql)
            .field("binds", &self.binds.len())
            .field("explain", &self.explain().to_string())
            .finish()
    }
}
