//! What is read of a row: its identity, what columns hold, the document, what refers to others.

use scim_provider::{Compat, Projection, ResourceType, StoreError};

use crate::record::{IDENTITY, SCHEMAS};
use crate::select::Table;
use crate::session::Row;
use crate::statement::Statement;

/// What is read of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) document: Document,
    /// whether what refers to others, or is referred to by them, comes with it
    pub(crate) references: bool,
    /// whether it is one of several rows: what is [long](LONG) is left out then, and read by itself if the request can pay for it
    pub(crate) listed: bool,
}

/// How many bytes of a document are read with the other rows of a list.
pub(crate) const LONG: i64 = 16 << 10;
/// How many references are read with the other rows of a list.
pub(crate) const MANY: usize = 512;

/// How much of the document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    None,
    /// what columns of the row hold, too: a large document costs nothing then
    Columns,
    Whole,
}

impl Shape {
    pub(crate) const IDENTITY: Self = Self { document: Document::None, references: false, listed: false };
    pub(crate) const DOCUMENT: Self = Self { document: Document::Whole, references: false, listed: false };

    pub(crate) fn without_references(self) -> Self {
        Self { references: false, ..self }
    }

    pub(crate) fn listed(self) -> Self {
        Self { listed: true, ..self }
    }

    pub(crate) fn alone(self) -> Self {
        Self { listed: false, ..self }
    }

    /// Whether a long document was left out of a row that needs it.
    pub(crate) fn leaves_out(self, row: &Row) -> Result<bool, StoreError> {
        Ok(match self.document {
            Document::None => false,
            Document::Whole => self.listed,
            Document::Columns => self.listed && row.str(IDENTITY.len() + 1)?.is_none(),
        })
    }
}

impl Table {
    /// What has to be read for this.
    pub(crate) fn shape(self, ty: &ResourceType, want: &Projection) -> Shape {
        let references = want.includes(self.path());
        // almost every request wants more, which one attribute tells
        let all = match self {
            Self::Users => want.includes("emails"),
            Self::Groups => references && want.includes("displayName"),
        };
        let in_columns = || {
            let names = self.columns().iter().map(|(name, _)| *name).chain(["id", "meta", self.path()]);
            *want == Projection::only(ty, names.filter(|name| want.includes(name)), Compat::strict())
        };
        let document = if !all && in_columns() { Document::Columns } else { Document::Whole };
        Shape { document, references, listed: false }
    }

    /// What columns hold of the document as it is: attributes and columns.
    pub(crate) fn columns(self) -> &'static [(&'static str, &'static str)] {
        const OF_BOTH: [(&str, &str); 4] = [
            (SCHEMAS, "schemas"),
            ("externalId", "external_id"),
            ("displayName", "display_name"),
            ("userName", "user_name"),
        ];
        match self {
            Self::Users => &OF_BOTH,
            Self::Groups => OF_BOTH.split_last().map_or(&[], |(_, columns)| columns),
        }
    }

    /// How many columns come before the references.
    pub(crate) fn width(self, shape: Shape) -> usize {
        let document = match shape.document {
            Document::None => 0,
            Document::Columns => 1 + self.columns().len(),
            Document::Whole => 1,
        };
        IDENTITY.len() + document
    }

    /// `SELECT … FROM`, up to where the table is named.
    pub(crate) fn select(self, sql: &mut Statement<'_>, shape: Shape) {
        let short = format!(" <= {LONG} THEN ");
        let mut joint = "SELECT ";
        let mut column = |sql: &mut Statement<'_>, before: &str, name: &str, after: &str| {
            for text in [std::mem::replace(&mut joint, ", "), before, self.name(), ".", name, after] {
                sql.push(text);
            }
        };
        for name in IDENTITY {
            column(sql, "", name, "");
        }
        match shape.document {
            Document::None => {}
            Document::Whole if !shape.listed => column(sql, "", "attributes", ""),
            Document::Whole => {
                column(sql, "CASE WHEN ", "bytes", &short);
                sql.push(self.name());
                sql.push(".attributes END");
            }
            Document::Columns => {
                // what has data of extensions, or was written before there was this column, is read as a whole
                column(sql, "CASE WHEN ", "schemas", " IS NULL");
                if shape.listed {
                    for text in [" AND ", self.name(), ".bytes"] {
                        sql.push(text);
                    }
                }
                sql.push(if shape.listed { &short } else { " THEN " });
                sql.push(self.name());
                sql.push(".attributes END");
                self.columns().iter().for_each(|(_, name)| column(sql, "", name, ""));
            }
        }
        if shape.references {
            sql.push(", ");
            let ((head, tail), rows) = match self {
                Self::Users => (
                    sql.dialect.groups_of_user(),
                    "(SELECT * FROM group_members WHERE tenant = users.tenant AND member_id = users.id",
                ),
                Self::Groups => (
                    sql.dialect.members_of_group(),
                    "(SELECT * FROM group_members WHERE tenant = groups.tenant AND group_id = groups.id",
                ),
            };
            sql.push(head);
            sql.push(rows);
            if shape.listed {
                // one more than is shown tells that there are too many
                sql.limit(i64::try_from(MANY + 1).unwrap_or(i64::MAX));
            }
            sql.push(")");
            sql.push(tail);
        }
        sql.push(" FROM ");
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }

    /// The attribute whose values are rows of the relation.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Users => "groups",
            Self::Groups => "members",
        }
    }
}
