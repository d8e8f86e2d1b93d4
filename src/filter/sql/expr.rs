//! Predicates before they are text, and how they become text.
//!
//! Every predicate is true or false and never NULL: negating one never loses a row.

use super::child::{Rows, Tie};
use super::map::{Holds, Mapped, Source};
use super::{Dialect, SqlValue};

/// A predicate over the host's tables.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Const(bool),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Null(Mapped),
    /// the value is the empty text
    Empty(Mapped),
    Flag(Mapped, bool),
    Compare(Mapped, Cmp, SqlValue),
    Contains(Mapped, String),
    Ends(Mapped, String),
    Exists(Subquery),
}

/// That there is a row of a child table that satisfies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subquery {
    pub(super) from: &'static str,
    pub(super) tie: Tie,
    pub(super) filter: Box<Expr>,
    /// the numbers of the filter's terms that it is for
    pub(super) terms: Vec<usize>,
    /// whether the database may begin with the rows of this table, and look the resources up afterwards
    pub(super) leads: bool,
}

/// How a column is compared with a bound value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cmp {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Expr {
    pub(super) fn all(parts: Vec<Self>) -> Self {
        Self::fold(parts, true, Self::All)
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        Self::fold(parts, false, Self::Any)
    }

    /// Leaves out what decides nothing (`neutral`), and everything else when one part decides all.
    fn fold(mut parts: Vec<Self>, neutral: bool, join: fn(Vec<Self>) -> Self) -> Self {
        if parts.iter().any(|part| part.is(!neutral)) {
            return Self::Const(!neutral);
        }
        parts.retain(|part| !part.is(neutral));
        match parts.len() {
            0 => Self::Const(neutral),
            1 => parts.pop().unwrap_or(Self::Const(neutral)),
            _ => join(parts),
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(super) fn exists(rows: &Rows, filter: Self, term: usize) -> Self {
        if filter.is(false) {
            return filter;
        }
        let filter = Box::new(filter);
        Self::Exists(Subquery { from: rows.from, tie: rows.tie, filter, terms: vec![term], leads: false })
    }

    pub(super) fn null(column: Mapped) -> Self {
        if column.assigned { Self::Const(false) } else { Self::Null(column) }
    }

    pub(super) fn not_null(column: Mapped) -> Self {
        Self::null(column).negated()
    }

    /// A test of the column's value, made two-valued: `null` says what holds where there is none.
    pub(super) fn guarded(self, column: Mapped, null: bool) -> Self {
        match null {
            true => Self::any(vec![Self::null(column), self]),
            false => Self::all(vec![Self::not_null(column), self]),
        }
    }

    pub(super) fn is(&self, value: bool) -> bool {
        matches!(self, Self::Const(is) if *is == value)
    }
}

/// Writes predicates. What reaches the text is either `'static` or a placeholder: there is no way in for anything else.
pub(super) struct Writer {
    dialect: Dialect,
    first: usize,
    sql: String,
    binds: Vec<SqlValue>,
}

impl Writer {
    pub(super) fn new(dialect: Dialect, first_placeholder: usize) -> Self {
        Self { dialect, first: first_placeholder, sql: String::new(), binds: Vec::new() }
    }

    pub(super) fn finish(self) -> (String, Vec<SqlValue>) {
        (self.sql, self.binds)
    }

    /// The predicate in parentheses. `negated`: whether it stands under an odd number of NOTs.
    pub(super) fn predicate(&mut self, expr: Expr, negated: bool) {
        self.push("(");
        match expr {
            Expr::Const(true) => self.push("1 = 1"),
            Expr::Const(false) => self.push("1 = 0"),
            Expr::All(parts) => self.list(parts, " AND ", negated),
            Expr::Any(parts) => self.list(parts, " OR ", negated),
            Expr::Not(inner) => match *inner {
                Expr::Null(column) => {
                    self.value(column);
                    self.push(" IS NOT NULL");
                }
                inner => {
                    self.push("NOT ");
                    self.predicate(inner, !negated);
                }
            },
            Expr::Null(column) => {
                self.value(column);
                self.push(" IS NULL");
            }
            Expr::Empty(column) => {
                self.value(column);
                self.collation(self.byte_order_for(Cmp::Eq, negated));
                self.push(" = ''");
            }
            Expr::Flag(column, is) => {
                self.value(column);
                self.push(match (self.dialect, column.source, is) {
                    (Dialect::Sqlite, _, true) => " = 1",
                    (Dialect::Sqlite, _, false) => " = 0",
                    (Dialect::Postgres, Source::Json(..), true) => " = 'true'",
                    (Dialect::Postgres, Source::Json(..), false) => " = 'false'",
                    (Dialect::Postgres, Source::Sql(_), true) => " = TRUE",
                    (Dialect::Postgres, Source::Sql(_), false) => " = FALSE",
                });
            }
            Expr::Compare(column, cmp, operand) => {
                self.value(column);
                self.collation(column.holds == Holds::Text && self.byte_order_for(cmp, negated));
                self.push(cmp.sql());
                self.bind(operand);
            }
            Expr::Contains(column, text) => {
                self.push(match self.dialect {
                    Dialect::Sqlite => "instr(",
                    Dialect::Postgres => "strpos(",
                });
                self.value(column);
                self.collation(true);
                self.push(", ");
                self.bind(SqlValue::Text(text));
                self.push(") > 0");
            }
            Expr::Ends(column, text) => self.ends(column, text),
            Expr::Exists(found) => match (self.dialect, found.tie) {
                // of several keys one is the tenant's: without it, the rows of all tenants would be looked through
                (Dialect::Sqlite, Tie::Keys { keys, within })
                    if found.leads
                        && !negated
                        && found.filter.sought() > 0
                        && (keys.len() == 1 || within.is_some()) =>
                {
                    self.among_owners(found, keys, within);
                }
                _ => self.exists(found, negated),
            },
        }
        self.push(")");
    }

    fn exists(&mut self, found: Subquery, negated: bool) {
        self.push("EXISTS (SELECT 1 FROM ");
        self.push(found.from);
        self.push(" WHERE (");
        match found.tie {
            Tie::On(on) => self.push(on),
            Tie::Keys { keys, .. } => {
                for (at, (key, owner)) in keys.iter().enumerate() {
                    self.push(if at > 0 { " AND " } else { "" });
                    self.push(owner);
                    self.push(" = ");
                    self.push(key);
                }
            }
        }
        self.push(")");
        if !found.filter.is(true) {
            self.push(" AND ");
            self.predicate(*found.filter, negated);
        }
        self.push(match (found.leads, self.dialect) {
            (true, _) => ")",
            // Both databases make joins of the subqueries in a conjunction. The work of PostgreSQL's planner grows with the
            // fourth power of their number; SQLite, since 3.51, tries all rows of one with all of the others until none is
            // left, however few would do. A subquery that ends so stays what it is.
            (false, Dialect::Postgres) => " OFFSET 0)",
            (false, Dialect::Sqlite) => " LIMIT 1)",
        });
    }

    /// The same as EXISTS, in the form for which SQLite looks the rows of the child table up first: for an EXISTS it walks
    /// through the resources. Rows of nobody are left out, because the answer would be NULL for all who are not found.
    fn among_owners(
        &mut self,
        found: Subquery,
        keys: &'static [(&'static str, &'static str)],
        within: Option<&'static str>,
    ) {
        self.push(if keys.len() > 1 { "(" } else { "" });
        for (at, (_, owner)) in keys.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" });
            self.push(owner);
        }
        self.push(if keys.len() > 1 { ") IN (SELECT " } else { " IN (SELECT " });
        for (at, (key, _)) in keys.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" });
            self.push(key);
        }
        self.push(" FROM ");
        self.push(found.from);
        self.push(" WHERE ");
        for (key, _) in keys {
            self.push(key);
            self.push(" IS NOT NULL AND ");
        }
        if let Some(within) = within {
            self.push("(");
            self.push(within);
            self.push(") AND ");
        }
        self.predicate(*found.filter, false);
        self.push(")");
    }

    /// As many characters from the end as the text has, which the database counts itself.
    fn ends(&mut self, column: Mapped, text: String) {
        let (from_the_end, length) = match self.dialect {
            Dialect::Sqlite => ("substr(", ", -length("),
            Dialect::Postgres => ("right(", ", char_length("),
        };
        self.push(from_the_end);
        self.value(column);
        self.push(length);
        self.bind(SqlValue::Text(text.clone()));
        self.push("))");
        self.collation(true);
        self.push(" = ");
        self.bind(SqlValue::Text(text));
    }

    /// Long lists in groups: databases read `a AND b AND c …` as nested, and bound the nesting.
    fn list(&mut self, mut parts: Vec<Expr>, joint: &'static str, negated: bool) {
        const LONGEST: usize = 32;
        if parts.len() > LONGEST {
            let second = parts.split_off(parts.len() / 2);
            self.push("(");
            self.list(parts, joint, negated);
            self.push(")");
            self.push(joint);
            self.push("(");
            self.list(second, joint, negated);
            self.push(")");
            return;
        }
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                self.push(joint);
            }
            self.predicate(part, negated);
        }
    }

    /// The column as an operand. Whatever is more than a name stands in parentheses.
    pub(super) fn value(&mut self, column: Mapped) {
        let named = |sql: &str| sql.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        match (column.source, self.dialect) {
            (Source::Sql(sql), _) if named(sql) => self.push(sql),
            (Source::Sql(sql), _) => {
                self.push("(");
                self.push(sql);
                self.push(")");
            }
            (Source::Json(sql, path), Dialect::Sqlite) => {
                self.push("json_extract(");
                self.push(sql);
                self.push(", '$");
                for step in path {
                    self.push(".\"");
                    self.push(step);
                    self.push("\"");
                }
                self.push("')");
            }
            (Source::Json(sql, path), Dialect::Postgres) => {
                self.push("((");
                self.push(sql);
                self.push(") #>> '{");
                for (at, step) in path.iter().enumerate() {
                    self.push(if at > 0 { ",\"" } else { "\"" });
                    self.push(step);
                    self.push("\"");
                }
                self.push("}')");
            }
        }
    }

    /// Whether a comparison has to name the order of bytes, which is that of characters.
    ///
    /// In SQLite always: a column may have been declared `NOCASE`. In PostgreSQL an equality is one of bytes whatever the
    /// collation, but for the nondeterministic ones, which let through too much: that does no harm where it stands, and an
    /// index of the column's own collation can be used. Under NOT, too much would be too little.
    fn byte_order_for(&self, cmp: Cmp, negated: bool) -> bool {
        self.dialect == Dialect::Sqlite || cmp != Cmp::Eq || negated
    }

    pub(super) fn collation(&mut self, wanted: bool) {
        if wanted {
            self.push(match self.dialect {
                Dialect::Sqlite => " COLLATE BINARY",
                Dialect::Postgres => " COLLATE \"C\"",
            });
        }
    }

    /// A placeholder. PostgreSQL is told the type, so that no driver has to guess it from a column.
    fn bind(&mut self, value: SqlValue) {
        match self.dialect {
            Dialect::Sqlite => self.push("?"),
            Dialect::Postgres => {
                let number = self.first.saturating_add(self.binds.len());
                self.sql.push('$');
                self.sql.push_str(&number.to_string());
                self.push(match value {
                    SqlValue::Text(_) => "::text",
                    SqlValue::Integer(_) => "::bigint",
                    SqlValue::Float(_) => "::double precision",
                });
            }
        }
        self.binds.push(value);
    }

    pub(super) fn push(&mut self, sql: &'static str) {
        self.sql.push_str(sql);
    }
}

impl Cmp {
    fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " <> ",
            Self::Gt => " > ",
            Self::Ge => " >= ",
            Self::Lt => " < ",
            Self::Le => " <= ",
        }
    }
}
