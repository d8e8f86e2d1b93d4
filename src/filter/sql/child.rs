//! Multi-valued attributes: tables with a row for each value, and how they are tied to the resource.

use std::collections::BTreeMap;

use super::map::{Column, MapError, MapErrorKind, Mapped, check_sql, find, put};
use crate::schema::ResourceType;
use crate::schema::table::AttrId;

/// A table with one row for each value of a multi-valued attribute: `emails`, `members`, `groups`.
///
/// ```
/// # use scim_provider::filter::sql::{ChildTable, Column};
/// let emails = ChildTable::keyed("user_emails e", &[("e.user_id", "users.id")])
///     .column("value", Column::folded("e.value_key"))
///     .column("type", Column::folded("e.type_key"))
///     .column("primary", Column::boolean("e.is_primary"));
/// ```
#[derive(Clone, Debug)]
pub struct ChildTable {
    from: &'static str,
    tie: Tie,
    columns: Vec<(&'static str, Column)>,
}

/// What ties the rows of a child table to the resource's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    On(&'static str),
    Keys {
        /// a column of the child table, and the one of the resource that it is equal to
        keys: &'static [(&'static str, &'static str)],
        within: Option<&'static str>,
    },
}

impl ChildTable {
    /// A table that is tied to the resource's row, and to its tenant, by equal columns: each of the table's with that of the
    /// resource, which is never NULL. `from` is what stands behind FROM.
    ///
    /// What a filter demands of a value is looked up in the table, and those resources taken that the rows found belong to.
    pub const fn keyed(from: &'static str, keys: &'static [(&'static str, &'static str)]) -> Self {
        Self { from, tie: Tie::Keys { keys, within: None }, columns: Vec::new() }
    }

    /// A table that is tied in another way: `on` is what stands behind WHERE. SQLite looks at every resource then.
    pub const fn new(from: &'static str, on: &'static str) -> Self {
        Self { from, tie: Tie::On(on), columns: Vec::new() }
    }

    /// What is known of the rows without a look at the resource: the tenant. SQLite looks a [`keyed`](Self::keyed) table up
    /// before it knows of any resource. Where the keys are more than one, it needs this for it; else it looks at every
    /// resource. The statement has to name the tenant where the text can refer to it:
    ///
    /// ```
    /// # use scim_provider::filter::sql::ChildTable;
    /// let emails = ChildTable::keyed("user_emails e", &[("e.tenant", "users.tenant"), ("e.user_id", "users.id")])
    ///     .within("e.tenant = (SELECT tenant FROM scope)");
    /// let statement = "WITH scope (tenant) AS (SELECT ?) SELECT document FROM users WHERE tenant = ? AND …";
    /// ```
    ///
    /// It is there for speed alone: the keys tie a row to its resource without it. It is not written for PostgreSQL, nor for
    /// a table that is not keyed.
    #[must_use]
    pub const fn within(mut self, condition: &'static str) -> Self {
        if let Tie::Keys { keys, .. } = self.tie {
            self.tie = Tie::Keys { keys, within: Some(condition) };
        }
        self
    }

    /// Adds the column of a sub-attribute; of an attribute without any, `value` is its value.
    #[must_use]
    pub fn column(mut self, sub_attribute: &'static str, column: Column) -> Self {
        self.columns.push((sub_attribute, column));
        self
    }

    pub(super) fn resolve(&self, ty: &ResourceType, attribute: AttrId, path: &str) -> Result<Rows, MapError> {
        check_sql(self.from, path)?;
        self.tie.check(path)?;
        let mut columns = BTreeMap::new();
        for (name, column) in &self.columns {
            let path = format!("{path}.{name}");
            let (id, node) = match ty.node(attribute).is_complex() {
                false if *name == "value" => (attribute, ty.node(attribute)),
                false => return Err(MapError::unknown(&path)),
                true => {
                    let id = find(ty, &path)?;
                    (id, ty.node(id))
                }
            };
            if id != attribute && node.is_multi() {
                return Err(MapError::new(MapErrorKind::Shape, &path, "is multi-valued within a value"));
            }
            put(columns.entry(id), &path, column.resolve(node, &path)?)?;
        }
        Ok(Rows { from: self.from, tie: self.tie, columns })
    }
}

impl Tie {
    fn check(self, path: &str) -> Result<(), MapError> {
        match self {
            Self::On(on) => check_sql(on, path),
            // without a key, all rows would be everybody's
            Self::Keys { keys: [], .. } => check_sql("", path),
            Self::Keys { keys, within } => {
                let texts = keys.iter().flat_map(|(key, owner)| [*key, *owner]).chain(within);
                texts.into_iter().try_for_each(|sql| check_sql(sql, path))
            }
        }
    }
}

/// A child table, resolved.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) from: &'static str,
    pub(super) tie: Tie,
    pub(super) columns: BTreeMap<AttrId, Mapped>,
}
