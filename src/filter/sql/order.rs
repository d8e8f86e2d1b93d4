//! Orders as SQL.

use super::Dialect;
use super::expr::Writer;
use super::map::{ColumnMap, Holds, Source};
use crate::schema::ResourceType;
use crate::schema::table::AttrId;

impl ColumnMap {
    /// The terms behind ORDER BY, when the columns order as the documents do. `attribute` is single-valued or a part of
    /// what is.
    pub(crate) fn order_by(
        &self,
        ty: &ResourceType,
        attribute: AttrId,
        descending: bool,
        dialect: Dialect,
    ) -> Option<String> {
        if *ty != self.ty {
            return None;
        }
        let column = self.mapped(attribute)?;
        let ordered = match (column.holds, column.source) {
            (Holds::Text | Holds::Integer | Holds::Time { whole: true }, _) => true,
            (Holds::Boolean, source) => matches!(source, Source::Sql(_)),
            (Holds::Decimal | Holds::Time { whole: false } | Holds::Presence { .. }, _) => false,
        };
        let id = self.mapped(AttrId::ID)?;
        if !ordered {
            return None;
        }
        let mut writer = Writer::new(dialect, 1);
        writer.value(column);
        writer.collation(column.holds == Holds::Text);
        writer.push(if descending { " DESC NULLS FIRST, " } else { " ASC NULLS LAST, " });
        writer.value(id);
        writer.collation(true);
        writer.push(" ASC");
        Some(writer.finish().0)
    }
}
