//! What is read of a row: its identity, what columns hold, the document, what refers to others.

use scim_provider::{Compat, Projection, ResourceType};

use crate::record::{IDENTITY, SCHEMAS};
use crate::select::Table;
use crate::statement::Statement;

/// What is read of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) document: Document,
    /// whether what refers to others, or is referred to by them, comes with it
    pub(crate) references: bool,
}

/// How much of the document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    None,
    /// what columns of the row hold, too: a large document costs nothing then
    Columns,
    Whole,
}

impl Shape {
    pub(crate) const IDENTITY: Self = Self { document: Document::None, references: false };
    pub(crate) const DOCUMENT: Self = Self { document: Document::Whole, references: false };

    pub(crate) fn without_references(self) -> Self {
        Self { references: false, ..self }
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
        Shape { document, references }
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
            Document::Whole => column(sql, "", "attributes", ""),
            Document::Columns => {
                // what has data of extensions, or was written before there was this column, is read as a whole
                column(sql, "CASE WHEN ", "schemas", " IS NULL THEN ");
                sql.push(self.name());
                sql.push(".attributes END");
                self.columns().iter().for_each(|(_, name)| column(sql, "", name, ""));
            }
        }
        if shape.references {
            sql.push(", ");
            sql.push(match self {
                Self::Users => sql.dialect.groups_of_user(),
                Self::Groups => sql.dialect.members_of_group(),
            });
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
