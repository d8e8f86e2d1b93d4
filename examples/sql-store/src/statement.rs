//! The text of a statement, and its values in the order of their placeholders.

use scim_provider::StoreError;
use scim_provider::filter::sql::{SqlFilter, SqlValue};

use crate::dialect::Dialect;
use crate::session::Bind;

/// A statement in the making: constant text, and values in the order of their placeholders.
pub(crate) struct Statement<'v> {
    pub(crate) dialect: Dialect,
    pub(crate) text: String,
    pub(crate) binds: Vec<Bind<'v>>,
}

impl<'v> Statement<'v> {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::with_capacity(512), binds: Vec::new() }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn bind(&mut self, value: impl Into<Bind<'v>>) {
        self.binds.push(value.into());
        match self.dialect {
            Dialect::Sqlite => self.push("?"),
            Dialect::Postgres => {
                let placeholder = format!("${}", self.binds.len());
                self.push(&placeholder);
            }
        }
    }

    pub(crate) fn identity(&mut self, table: &str, tenant: &'v str, id: &'v str) {
        self.push(" WHERE ");
        self.push(table);
        self.push(".tenant = ");
        self.bind(tenant);
        self.push(" AND ");
        self.push(table);
        self.push(".id = ");
        self.bind(id);
    }

    /// Names the tenant for what a filter looks up before any resource. That is done in SQLite only.
    pub(crate) fn scope(&mut self, tenant: &'v str) {
        if self.dialect == Dialect::Sqlite {
            self.push("WITH scope (tenant) AS (SELECT ");
            self.bind(tenant);
            self.push(") ");
        }
    }

    /// The tenant's rows that match, as far as the filter says it. They are PostgreSQL's first values.
    pub(crate) fn matching(&mut self, tenant: &'v str, filter: Option<&'v SqlFilter>) -> Result<(), StoreError> {
        self.push(" WHERE tenant = ");
        self.bind(tenant);
        filter.map_or(Ok(()), |filter| self.predicate(filter.sql(), filter.binds()))
    }

    /// The same for one of several parts of a statement. Numbered placeholders are those of the first part.
    pub(crate) fn matching_again(&mut self, tenant: &'v str, filter: Option<&'v SqlFilter>) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite || self.binds.is_empty() {
            return self.matching(tenant, filter);
        }
        self.push(" WHERE tenant = $1");
        if let Some(filter) = filter {
            self.push(" AND ");
            self.push(filter.sql());
        }
        Ok(())
    }

    /// A number of ours, not of a client's text: each part of a statement has it, and numbered placeholders must not shift.
    pub(crate) fn limit(&mut self, rows: i64) {
        self.push(" LIMIT ");
        self.push(&rows.to_string());
    }

    /// One more condition, whose placeholders are numbered from here on.
    pub(crate) fn predicate(&mut self, sql: &str, binds: &'v [SqlValue]) -> Result<(), StoreError> {
        self.push(" AND ");
        self.push(sql);
        for value in binds {
            self.binds.push(value.try_into()?);
        }
        Ok(())
    }
}
