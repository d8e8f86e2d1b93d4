//! Order, and what follows a position in it: pages by cursor in SQL.

use super::expr::{Cmp, Expr, Writer};
use super::map::{ColumnMap, Holds, Mapped, Source};
use super::{Dialect, SqlValue};
use crate::attr::fold;
use crate::filter::operand::instant;
use crate::resource::ValueRef;
use crate::schema::ResourceType;
use crate::schema::table::AttrId;

/// What finds the page behind a cursor in SQL; made by [`Query::keyset`](crate::Query::keyset).
///
/// The predicate is exact, and the order is that of the evaluator in memory, whatever the database's locale. On an index of
/// the column and the id, in the order of bytes, a page costs the same wherever it lies.
#[derive(Clone)]
pub struct Keyset {
    order_by: String,
    ranges: Vec<(String, Vec<SqlValue>)>,
    sql: String,
    binds: Vec<SqlValue>,
}

impl Keyset {
    /// What stands behind ORDER BY. It has no placeholders.
    pub fn order_by(&self) -> &str {
        &self.order_by
    }

    /// The predicate for the rows behind the cursor, in parentheses; for the first page it holds for all.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The values of its placeholders, in order.
    pub fn binds(&self) -> &[SqlValue] {
        &self.binds
    }

    /// The same rows, range by range of an index, each with the values of its placeholders, which are numbered as in
    /// [`sql`](Self::sql). There are two where rows without a value follow those with one, or the other way round, and the
    /// column was not said to be [`not_null`](super::Column::not_null): databases find neither of them by index in a predicate
    /// with both. They are in order, and no row is in both, so that a page is what `UNION ALL` makes of them.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, &[SqlValue])> {
        self.ranges.iter().map(|(sql, binds)| (sql.as_str(), binds.as_slice()))
    }
}

/// The position can be personal data: the text only.
impl std::fmt::Debug for Keyset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyset")
            .field("order_by", &self.order_by)
            .field("sql", &self.sql)
            .field("binds", &self.binds.len())
            .finish()
    }
}

/// By what is sorted, and in which direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) attribute: AttrId,
    pub(crate) descending: bool,
}

/// An order and the direction in which it is followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeysetOrder {
    /// by id, where there is none
    pub(crate) by: Option<Order>,
    pub(crate) back: bool,
}

impl ColumnMap {
    /// The terms behind ORDER BY, when the columns order as the documents do. The attribute is single-valued or a part of
    /// what is.
    pub(crate) fn order_by(&self, ty: &ResourceType, order: Order, dialect: Dialect) -> Option<String> {
        self.terms(ty, KeysetOrder { by: Some(order), back: false }, dialect)
    }

    fn terms(&self, ty: &ResourceType, order: KeysetOrder, dialect: Dialect) -> Option<String> {
        let mut writer = Writer::new(dialect, 1);
        if let Some(by) = order.by {
            let column = self.ordered(ty, by.attribute)?;
            writer.value(column);
            writer.collation(column.holds == Holds::Text);
            writer.push(if by.descending == order.back { " ASC NULLS LAST, " } else { " DESC NULLS FIRST, " });
        }
        writer.value(self.mapped(AttrId::ID)?);
        writer.collation(true);
        writer.push(if order.back { " DESC" } else { " ASC" });
        Some(writer.finish().0)
    }

    /// What follows the position in either direction, when the columns order as the documents do and can hold what the position does.
    pub(crate) fn keyset(
        &self,
        ty: &ResourceType,
        order: KeysetOrder,
        position: Option<(Option<ValueRef<'_>>, &str)>,
        dialect: Dialect,
        first_placeholder: usize,
    ) -> Option<Keyset> {
        let id = self.ordered(ty, AttrId::ID)?;
        let order_by = self.terms(ty, order, dialect)?;
        let ranges = match position {
            None => vec![Expr::Const(true)],
            Some((value, last)) => {
                // a position is behind its resource: on the way back that one comes first
                let behind = Expr::Compare(id, if order.back { Cmp::Le } else { Cmp::Gt }, text(last)?);
                match order.by {
                    None => vec![behind],
                    Some(by) => {
                        let exact = ty.node(by.attribute).definition().case_exact;
                        let column = Ordered { column: self.ordered(ty, by.attribute)?, exact };
                        column.follows(by.descending != order.back, value, behind)?
                    }
                }
            }
        };
        let mut binds = Vec::new();
        let mut written = Vec::with_capacity(ranges.len());
        for range in ranges {
            let mut writer = Writer::new(dialect, first_placeholder.saturating_add(binds.len()));
            writer.predicate(range, false);
            let (sql, values) = writer.finish();
            binds.extend_from_slice(&values);
            written.push((sql, values));
        }
        let sql = match written.as_slice() {
            [(only, _)] => only.clone(),
            several => format!("({})", several.iter().map(|(sql, _)| sql.as_str()).collect::<Vec<_>>().join(" OR ")),
        };
        Some(Keyset { order_by, ranges: written, sql, binds })
    }

    /// The column of an attribute, if it orders as the documents do.
    fn ordered(&self, ty: &ResourceType, attribute: AttrId) -> Option<Mapped> {
        let column = self.mapped(attribute).filter(|_| *ty == self.ty)?;
        let ordered = match (column.holds, column.source) {
            (Holds::Text | Holds::Integer | Holds::Time { whole: true }, _) => true,
            (Holds::Boolean, source) => matches!(source, Source::Sql(_)),
            (Holds::Decimal | Holds::Time { whole: false } | Holds::Presence { .. }, _) => false,
        };
        ordered.then_some(column)
    }
}

/// A column that orders as the documents do.
struct Ordered {
    column: Mapped,
    exact: bool,
}

impl Ordered {
    /// The rows behind a value, and behind the id among those that have it. No value is last ascending and first descending.
    ///
    /// That the column is not less is said apart: of `k > v OR (k = v AND id > i)` alone, databases make no range.
    fn follows(&self, descending: bool, value: Option<ValueRef<'_>>, behind: Expr) -> Option<Vec<Expr>> {
        let column = self.column;
        let missing = Expr::Null(column);
        let Some(value) = value else {
            let same = Expr::all(vec![missing.clone(), behind]);
            return Some(if descending { vec![same, missing.negated()] } else { vec![same] });
        };
        let here = match column.holds {
            Holds::Boolean => {
                let is = value.as_bool()?;
                // true follows false
                let beyond = if is == descending { Expr::Flag(column, !is) } else { Expr::Const(false) };
                Expr::any(vec![beyond, Expr::all(vec![Expr::Flag(column, is), behind])])
            }
            _ => {
                let value = self.bind(value)?;
                let (from, beyond) = if descending { (Cmp::Le, Cmp::Lt) } else { (Cmp::Ge, Cmp::Gt) };
                let beyond = Expr::Compare(column, beyond, value.clone());
                Expr::all(vec![Expr::Compare(column, from, value), Expr::any(vec![beyond, behind])])
            }
        };
        Some(match (column.not_null, descending) {
            (true, _) => vec![here],
            (false, true) => vec![here.guarded(column, false)],
            (false, false) => vec![here.guarded(column, false), missing],
        })
    }

    fn bind(&self, value: ValueRef<'_>) -> Option<SqlValue> {
        match self.column.holds {
            Holds::Text if self.exact => text(&value.as_str()?),
            Holds::Text => text(&fold(&value.as_str()?)),
            Holds::Integer => value.as_i64().map(SqlValue::Integer),
            Holds::Time { .. } => Some(SqlValue::Integer(instant(value.as_json())?.timestamp_millis())),
            Holds::Boolean | Holds::Decimal | Holds::Presence { .. } => None,
        }
    }
}

/// PostgreSQL cannot hold U+0000: what holds one is looked for in memory.
fn text(text: &str) -> Option<SqlValue> {
    (!text.contains('\0')).then(|| SqlValue::Text(text.to_owned()))
}
