//! What the host says about its tables: which attribute lies where, and in which form.

use std::collections::BTreeMap;
use std::collections::btree_map;

use super::child::{ChildTable, Rows};
use super::weight::SUBQUERIES;
use crate::error::excerpt;
use crate::schema::table::{AttrId, Node, Role};
use crate::schema::{AttributeType, ResourceType};
use crate::{AttrPath, Compat};

/// Where one attribute lies, and in which form.
///
/// The column is named as SQL has it, such as `users.user_name_key`; an expression, such as `users.id::text`, will do. It is
/// the host's own constant text, never input. It is NULL exactly where a document has no value, and holds `''` where that is
/// the value. Its type is the one that the constructor names: text is text (not `citext`, not `char(20)`), so that nothing
/// else than the characters decides.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    source: Source,
    form: Form,
    not_null: bool,
    assigned: bool,
}

/// How a value is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Sql(&'static str),
    Json(&'static str, &'static [&'static str]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Folded,
    Boolean,
    Integer,
    Number,
    Time { whole: bool },
    Json,
}

impl Column {
    const fn new(source: Source, form: Form) -> Self {
        Self { source, form, not_null: false, assigned: false }
    }

    /// The text itself, for attributes that are `caseExact` and for references and binary values.
    pub const fn text(column: &'static str) -> Self {
        Self::new(Source::Sql(column), Form::Text)
    }

    /// The folded text, [`fold(value)`](crate::fold), for attributes that are not `caseExact`. The host writes this key in
    /// the same statement as the value. It is never left to the database's `lower()`, which folds other characters.
    pub const fn folded(key_column: &'static str) -> Self {
        Self::new(Source::Sql(key_column), Form::Folded)
    }

    /// A boolean: 1 and 0 in SQLite, `boolean` in PostgreSQL.
    pub const fn boolean(column: &'static str) -> Self {
        Self::new(Source::Sql(column), Form::Boolean)
    }

    /// A whole number: `INTEGER` in SQLite, `bigint` in PostgreSQL.
    pub const fn integer(column: &'static str) -> Self {
        Self::new(Source::Sql(column), Form::Integer)
    }

    /// A decimal number: `REAL` in SQLite, `double precision` in PostgreSQL.
    ///
    /// Beyond 2^53 such a column cannot tell whole numbers apart; comparisons there are checked in memory, and so is every
    /// order.
    pub const fn number(column: &'static str) -> Self {
        Self::new(Source::Sql(column), Form::Number)
    }

    /// A point in time as whole milliseconds since 1970-01-01T00:00:00Z, rounded down: what
    /// `chrono::DateTime::timestamp_millis` gives. An integer column, as for [`integer`](Self::integer).
    ///
    /// What happens within one millisecond is checked in memory, and so is every order.
    pub const fn timestamp(column: &'static str) -> Self {
        Self::new(Source::Sql(column), Form::Time { whole: false })
    }

    /// As [`timestamp`](Self::timestamp), where the host vouches that documents hold whole milliseconds and nothing was
    /// rounded: the times in `meta` that [`Resource::stamped`](crate::Resource::stamped) wrote. All comparisons and orders
    /// are exact.
    pub const fn whole_milliseconds(column: &'static str) -> Self {
        Self::new(Source::Sql(column), Form::Time { whole: true })
    }

    /// A value inside a column with a JSON document: `json("users.document", &["name", "familyName"])`. A text column in
    /// SQLite, `json` or `jsonb` in PostgreSQL.
    ///
    /// Text of `caseExact` attributes and booleans can be compared there. Of everything else it can only be told whether
    /// there is a value.
    pub const fn json(column: &'static str, path: &'static [&'static str]) -> Self {
        Self::new(Source::Json(column, path), Form::Json)
    }

    /// Says that the column is declared NOT NULL, as that of what every document has can be: `userName`, the times in `meta`.
    /// A page by cursor is then a single range of an index, in either direction.
    #[must_use]
    pub const fn not_null(self) -> Self {
        Self { not_null: true, ..self }
    }

    /// Vouches that the attribute always has a value: the column is never NULL, and never the empty text. In a child table,
    /// that each value of the multi-valued attribute has this part, and a row: what refers to a resource, say.
    ///
    /// Nothing has to ask for NULL then, and `members pr` is exact.
    #[must_use]
    pub const fn assigned(self) -> Self {
        Self { not_null: true, assigned: true, ..self }
    }
}

/// Where the attributes of a resource type lie in the host's tables. Built once, at start-up.
///
/// ```
/// use scim_provider::User;
/// use scim_provider::filter::sql::{ChildTable, Column, ColumnMap};
///
/// let users = User::resource_type().build()?;
/// let map = ColumnMap::builder(&users)
///     .column("id", Column::text("users.id"))
///     .column("userName", Column::folded("users.user_name_key"))
///     .column("active", Column::boolean("users.active"))
///     .column("meta.lastModified", Column::whole_milliseconds("users.changed_at"))
///     .column("name.familyName", Column::folded("users.family_name_key"))
///     .column("externalId", Column::json("users.document", &["externalId"]))
///     .values("emails", ChildTable::keyed("emails e", &[("e.user_id", "users.id")]).column("value", Column::folded("e.value_key")))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ColumnMap {
    pub(super) ty: ResourceType,
    columns: BTreeMap<AttrId, Mapped>,
    tables: BTreeMap<AttrId, Rows>,
    pub(super) subqueries: usize,
}

/// A column, and what can be asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) source: Source,
    pub(super) holds: Holds,
    /// whether every row has a value
    pub(super) not_null: bool,
    /// there is always a value, and not an empty one
    pub(super) assigned: bool,
    /// whether it is the value itself, of which there are more different ones than of any other part
    pub(super) is_value: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// what the evaluator compares, character by character: the text, or its key
    Text,
    Boolean,
    Integer,
    Decimal,
    Time {
        whole: bool,
    },
    /// whether there is a value; of a text, whether it is empty too
    Presence {
        text: bool,
    },
}

impl ColumnMap {
    /// Starts the map of a resource type's attributes.
    pub fn builder(ty: &ResourceType) -> ColumnMapBuilder {
        ColumnMapBuilder { ty: ty.clone(), columns: Vec::new(), tables: Vec::new(), subqueries: SUBQUERIES }
    }

    pub(super) fn mapped(&self, id: AttrId) -> Option<Mapped> {
        self.columns.get(&id).copied()
    }

    pub(super) fn rows(&self, attribute: AttrId) -> Option<&Rows> {
        self.tables.get(&attribute)
    }

    /// The columns of a complex attribute's parts.
    pub(super) fn parts(&self, attribute: AttrId) -> impl Iterator<Item = Mapped> {
        let ids = self.ty.node(attribute).children().ids().iter();
        ids.filter_map(|id| self.mapped(*id))
    }
}

/// Builds a [`ColumnMap`].
#[derive(Clone, Debug)]
pub struct ColumnMapBuilder {
    ty: ResourceType,
    columns: Vec<(String, Column)>,
    tables: Vec<(String, ChildTable)>,
    subqueries: usize,
}

impl ColumnMapBuilder {
    /// Says where a single-valued attribute lies, or a part of one: `userName`, `name.familyName`, `meta.created`.
    #[must_use]
    pub fn column(mut self, path: impl Into<String>, column: Column) -> Self {
        self.columns.push((path.into(), column));
        self
    }

    /// Says in which table the values of a multi-valued attribute lie: `emails`, `members`, `groups`.
    #[must_use]
    pub fn values(mut self, path: impl Into<String>, table: ChildTable) -> Self {
        self.tables.push((path.into(), table));
        self
    }

    /// How many subqueries a filter may become; [`SUBQUERIES`] unless said otherwise.
    ///
    /// What is asked of the values of one attribute and joined by `or` is one subquery; what is joined by `and` may be about
    /// different values, and is several. Those beyond the number are left to the evaluator in memory: the filter is then not
    /// [exact](super::SqlFilter::is_exact), and its rows are candidates.
    #[must_use]
    pub fn subqueries(mut self, most: usize) -> Self {
        self.subqueries = most;
        self
    }

    /// Checks the map against the resource type.
    ///
    /// # Errors
    /// When an attribute does not exist, is never returned, is of another shape or type than its column, or is mapped twice;
    /// and when the SQL text holds a `?`, which would be taken for a placeholder, or a JSON name a quote.
    pub fn build(self) -> Result<ColumnMap, MapError> {
        let ty = &self.ty;
        let mut columns = BTreeMap::new();
        for (path, column) in &self.columns {
            let id = find(ty, path)?;
            let entry = ty.table().entry_of(id);
            if ty.node(id).is_multi() || ty.node(entry).is_multi() {
                return Err(MapError::new(MapErrorKind::Shape, path, "is multi-valued: it needs a child table"));
            }
            put(columns.entry(id), path, column.resolve(ty.node(id), path)?)?;
        }
        let mut tables = BTreeMap::new();
        for (path, table) in &self.tables {
            let id = find(ty, path)?;
            if !ty.node(id).is_multi() || ty.table().entry_of(id) != id {
                return Err(MapError::new(MapErrorKind::Shape, path, "is not multi-valued: it needs a column"));
            }
            put(tables.entry(id), path, table.resolve(ty, id, path)?)?;
        }
        Ok(ColumnMap { ty: self.ty, columns, tables, subqueries: self.subqueries })
    }
}

impl Column {
    pub(super) fn resolve(self, node: &Node, path: &str) -> Result<Mapped, MapError> {
        let mistyped = |text| Err(MapError::new(MapErrorKind::Form, path, text));
        let exact = node.definition().case_exact;
        let text = matches!(node.kind(), AttributeType::String | AttributeType::Reference | AttributeType::Binary);
        let holds = match (self.form, node.kind()) {
            (_, AttributeType::Complex) => {
                return Err(MapError::new(MapErrorKind::Shape, path, "is complex: map its sub-attributes"));
            }
            (Form::Text, _) if text && exact => Holds::Text,
            (Form::Text, _) if text => return mistyped("is compared without regard to case: it needs a folded key"),
            (Form::Folded, _) if text && !exact => Holds::Text,
            (Form::Folded, _) if text => return mistyped("is case exact: it needs the text itself"),
            (Form::Boolean, AttributeType::Boolean) => Holds::Boolean,
            (Form::Integer, AttributeType::Integer) => Holds::Integer,
            (Form::Number, AttributeType::Decimal) => Holds::Decimal,
            (Form::Time { whole }, AttributeType::DateTime) => Holds::Time { whole },
            (Form::Json, AttributeType::Boolean) => Holds::Boolean,
            (Form::Json, _) if text && exact => Holds::Text,
            (Form::Json, _) => Holds::Presence { text },
            _ => return mistyped("is of another type than its column"),
        };
        match self.source {
            Source::Sql(sql) => check_sql(sql, path)?,
            Source::Json(sql, steps) => {
                check_sql(sql, path)?;
                // they stand in the statement inside quotes, so that an index on the expression can be used
                let plain = |step: &&str| !step.is_empty() && !step.contains(['\'', '"', '\\', '?']);
                if steps.is_empty() || !steps.iter().all(plain) || steps.concat().contains(char::is_control) {
                    return Err(MapError::new(MapErrorKind::Sql, path, "is mapped to an unusable JSON path"));
                }
            }
        }
        let is_value = node.is_multi() || node.role() == Role::Value;
        Ok(Mapped { source: self.source, holds, not_null: self.not_null, assigned: self.assigned, is_value })
    }
}

pub(super) fn find(ty: &ResourceType, path: &str) -> Result<AttrId, MapError> {
    let parsed = AttrPath::parse(path).map_err(|_| MapError::unknown(path))?;
    let (id, _) = ty.find(&parsed, Compat::strict()).ok_or_else(|| MapError::unknown(path))?;
    let (table, node) = (ty.table(), ty.node(id));
    if node.is_secret() {
        return Err(MapError::new(MapErrorKind::Hidden, path, "is never returned: nothing may tell about it"));
    }
    let location = table.meta().meta == node.parent() && node.name() == "location";
    if node.is_computed_ref() || location {
        return Err(MapError::new(MapErrorKind::Computed, path, "depends on the base URL and is not stored"));
    }
    Ok(id)
}

pub(super) fn put<T>(entry: btree_map::Entry<'_, AttrId, T>, path: &str, value: T) -> Result<(), MapError> {
    match entry {
        btree_map::Entry::Occupied(_) => Err(MapError::new(MapErrorKind::Twice, path, "is mapped twice")),
        btree_map::Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
    }
}

pub(super) fn check_sql(sql: &str, path: &str) -> Result<(), MapError> {
    if sql.trim().is_empty() || sql.contains('?') {
        return Err(MapError::new(MapErrorKind::Sql, path, "is mapped to SQL that is empty or holds a `?`"));
    }
    Ok(())
}

/// Why a [`ColumnMap`] does not fit its resource type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attribute `{}` {text}", excerpt(path))]
pub struct MapError {
    kind: MapErrorKind,
    path: String,
    text: &'static str,
}

/// The kinds of [`MapError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MapErrorKind {
    /// The resource type has no such attribute.
    UnknownAttribute,
    /// The attribute is never returned.
    Hidden,
    /// The service writes the attribute on output; it is in no table.
    Computed,
    /// The attribute is multi-valued and needs a child table, or single-valued and needs a column.
    Shape,
    /// The column is of another type than the attribute.
    Form,
    /// The attribute is mapped already.
    Twice,
    /// The SQL text cannot stand in a statement beside placeholders.
    Sql,
}

impl MapError {
    pub(super) fn new(kind: MapErrorKind, path: &str, text: &'static str) -> Self {
        Self { kind, path: path.to_owned(), text }
    }

    pub(super) fn unknown(path: &str) -> Self {
        Self::new(MapErrorKind::UnknownAttribute, path, "is not known")
    }

    /// What is wrong.
    pub fn kind(&self) -> MapErrorKind {
        self.kind
    }

    /// The path as the host wrote it.
    pub fn path(&self) -> &str {
        &self.path
    }
}
