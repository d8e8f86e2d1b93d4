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
/// The predicate is exact, and the order is that of the evaluator in memory, whatever the database's locale.
#[derive(Clone)]
pub struct Keyset {
    order_by: String,
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

impl ColumnMap {
    /// The terms behind ORDER BY, when the columns order as the documents do. The attribute is single-valued or a part of
    /// what is.
    pub(crate) fn order_by(&self, ty: &ResourceType, order: Order, dialect: Dialect) -> Option<String> {
        let (column, id) = (self.ordered(ty, order.attribute)?, self.mapped(AttrId::ID)?);
        let mut writer = Writer::new(dialect, 1);
        writer.value(column);
        writer.collation(column.holds == Holds::Text);
        writer.push(if order.descending { " DESC NULLS FIRST, " } else { " ASC NULLS LAST, " });
        writer.value(id);
        writer.collation(true);
        writer.push(" ASC");
        Some(writer.finish().0)
    }

    /// What follows the position, when the columns order as the documents do and can hold what the position does.
    pub(crate) fn keyset(
        &self,
        ty: &ResourceType,
        order: Option<Order>,
        after: Option<(Option<ValueRef<'_>>, &str)>,
        dialect: Dialect,
        first_placeholder: usize,
    ) -> Option<Keyset> {
        let id = self.ordered(ty, AttrId::ID)?;
        let order_by = match order {
            Some(order) => self.order_by(ty, order, dialect)?,
            None => {
                let mut writer = Writer::new(dialect, 1);
                writer.value(id);
                writer.collation(true);
                writer.push(" ASC");
                writer.finish().0
            }
        };
        let expr = match after {
            None => Expr::Const(true),
            Some((value, last)) => {
                let behind = Expr::Compare(id, Cmp::Gt, text(last)?);
                match order {
                    None => behind,
                    Some(order) => {
                        let exact = ty.node(order.attribute).definition().case_exact;
                        let column = Ordered { column: self.ordered(ty, order.attribute)?, exact };
                        column.follows(order.descending, value, behind)?
                    }
                }
            }
        };
        let mut writer = Writer::new(dialect, first_placeholder);
        writer.predicate(expr, false);
        let (sql, binds) = writer.finish();
        Some(Keyset { order_by, sql, binds })
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
    fn follows(&self, descending: bool, value: Option<ValueRef<'_>>, behind: Expr) -> Option<Expr> {
        let column = self.column;
        let null = Expr::Null(column);
        let Some(value) = value else {
            let same = Expr::all(vec![null.clone(), behind]);
            return Some(if descending { Expr::any(vec![same, null.negated()]) } else { same });
        };
        let (beyond, same) = match column.holds {
            Holds::Boolean => {
                let is = value.as_bool()?;
                // true follows false
                let beyond = if is == descending { Expr::Flag(column, !is) } else { Expr::Const(false) };
                (beyond, Expr::Flag(column, is))
            }
            _ => {
                let value = self.bind(value)?;
                let beyond = if descending { Cmp::Lt } else { Cmp::Gt };
                (Expr::Compare(column, beyond, value.clone()), Expr::Compare(column, Cmp::Eq, value))
            }
        };
        let here = Expr::any(vec![beyond, Expr::all(vec![same, behind])]);
        Some(here.guarded(column, !descending))
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
