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
//! # What a filter may cost
//!
//! What is asked of the rows of one child table, and joined by `or`, is one subquery: `emails.value co "a" or emails.value co
//! "b"` looks at each row once. What is joined by `and` may be about several values and is several subqueries, of which there
//! are [`SUBQUERIES`] at most, or as many as the [map](ColumnMapBuilder::subqueries) says; the others are left to the
//! evaluator in memory. In a conjunction one of them, that which an index answers best, may be where the database begins;
//! the others are written so that neither database makes a join of them, since to plan it (PostgreSQL) or to run it (SQLite)
//! costs more than all the rows. [`SqlFilter::comparisons`] and [`SqlFilter::subqueries`] tell the cost before a statement runs.
//!
//! A filter within [`Limits::filter_terms`](crate::Limits::filter_terms) has at most two bind values for each comparison.

mod child;
mod explain;
mod expr;
mod keyset;
mod map;
mod merge;
mod test;
#[cfg(test)]
mod tests;
mod translate;
mod weight;

pub use child::ChildTable;
pub use explain::Explain;
pub use keyset::Keyset;
pub(crate) use keyset::{KeysetOrder, Order};
pub use map::{Column, ColumnMap, ColumnMapBuilder, MapError, MapErrorKind};

pub use weight::SUBQUERIES;

use expr::{Expr, Writer};

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
    subqueries: usize,
    comparisons: Vec<(Option<&'static str>, usize)>,
}

impl BoundFilter {
    /// Translates the filter for a WHERE clause.
    ///
    /// `first_placeholder` is the number of the first `$n` in PostgreSQL: one more than the statement has in front. SQLite
    /// counts by itself. A map of another resource type expresses nothing.
    pub fn to_sql(&self, map: &ColumnMap, dialect: Dialect, first_placeholder: usize) -> SqlFilter {
        let (expr, exact, parts) = match self.ty == map.ty {
            true => translate::translated(map, &self.root),
            false => (Expr::Const(true), false, Vec::new()),
        };
        let (subqueries, comparisons) = (expr.subqueries(), weight::comparisons(&expr));
        let mut writer = Writer::new(dialect, first_placeholder);
        writer.predicate(expr, false);
        let (sql, binds) = writer.finish();
        SqlFilter { sql, binds, exact, parts, subqueries, comparisons }
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

    /// How many subqueries there are. The database may run each of them for each row that it looks at; there are
    /// [no more](ColumnMapBuilder::subqueries) than the map allows.
    pub fn subqueries(&self) -> usize {
        self.subqueries
    }

    /// How much is compared for each row, table by table: for one of the resource's (`None`), and for one of a child table,
    /// which is named as the map does behind FROM.
    ///
    /// A comparison of a column counts 1; one that searches within a text (`co`, `ew`) 2, and 1 more for each 64 bytes of
    /// what is searched for; 4 more where the column is a JSON document. With the numbers of rows this is what the statement
    /// costs where no index helps, before it runs:
    ///
    /// ```
    /// # use scim_provider::filter::sql::{ChildTable, Column, ColumnMap, Dialect};
    /// # use scim_provider::{Compat, Filter, Limits, User};
    /// # use scim_provider::Budget;
    /// # let users = User::resource_type().build()?;
    /// # let emails = ChildTable::keyed("emails e", &[("e.user_id", "users.id")]).column("value", Column::folded("e.value_key"));
    /// # let map = ColumnMap::builder(&users).values("emails", emails).build()?;
    /// # let budget = Budget::new(Limits::default().work);
    /// let filter: Filter = r#"emails.value co "a" or emails.value co "b""#.parse()?;
    /// let sql = filter.bind(&users, Compat::default())?.to_sql(&map, Dialect::Sqlite, 1);
    ///
    /// let rows = |from| if from == Some("emails e") { 4_000 } else { 2_000 };
    /// let compared: u64 = sql.comparisons().map(|(from, each)| rows(from) * each as u64).sum();
    /// let subqueries = rows(None) * sql.subqueries() as u64;
    /// budget.spend(30 * compared + 700 * subqueries)?;
    /// # assert_eq!((compared, subqueries), (16_000, 2_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Where the filter demands one value of an indexed attribute
    /// ([`BoundFilter::required_text`](crate::BoundFilter::required_text)), the rows are those that have it.
    pub fn comparisons(&self) -> impl Iterator<Item = (Option<&'static str>, usize)> + '_ {
        self.comparisons.iter().copied()
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
