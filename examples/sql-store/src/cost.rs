//! What queries cost the database: taken from the account of the request before they run.
//!
//! The figures are nanoseconds of one core, measured with SQLite and rounded up for PostgreSQL.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use scim_provider::filter::sql::SqlFilter;
use scim_provider::{BoundFilter, Budget, Query, StoreError};

use crate::record::Record;
use crate::select::Table;
use crate::session::Session;
use crate::statement::Statement;

/// A write: a transaction of its own.
pub(crate) const WRITE: u64 = 250_000;
/// A value of a list that is written, which is a row of its own: a member, an e-mail.
pub(crate) const VALUE: u64 = 8_000;
/// The hash of a password.
pub(crate) const PASSWORD: u64 = 20_000_000;
/// A row that is looked at, in an index and in its table.
const ROW: u64 = 250;
/// A row that is sorted because no index is in the order.
const SORTED: u64 = 300;
/// A comparison with a row, or with a row of a child table, as [`SqlFilter::comparisons`] weighs it.
const COMPARISON: u64 = 22;
/// A subquery for a row.
const SUBQUERY: u64 = 700;
/// A row that is counted in an index.
pub(crate) const COUNTED: u64 = 60;
/// A row that is skipped in an index.
const SKIPPED: u64 = 250;
/// A row that becomes a resource, and each byte of it.
const READ: u64 = 10_000;
const READ_BYTE: u64 = 16;

/// How many comparisons may stand beside one that an index answers.
const FEW: usize = 4;
/// Up to how many rows are skipped whatever there is.
const NEAR: usize = 10_000;
/// How long the size of a tenant's tables is taken to be what it was.
const KNOWN: Duration = Duration::from_secs(30);
/// Of how many tables of tenants it is remembered.
const REMEMBERED: usize = 10_000;

/// How many rows tenants have. Counting for each query would cost more than what an index finds.
#[derive(Debug, Default)]
pub(crate) struct Sizes(Mutex<HashMap<(String, &'static str), Size>>);

#[derive(Clone, Copy, Debug)]
struct Size {
    rows: u64,
    /// up to where they were counted
    bound: u64,
    at: Instant,
}

impl Sizes {
    /// The tenant's rows in a table. They are counted up to a bound.
    async fn of(
        &self,
        session: &mut Session,
        tenant: &str,
        table: &'static str,
        bound: u64,
    ) -> Result<u64, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(tenant.to_owned(), table)).copied();
        if let Some(size) = known.filter(|size| size.at.elapsed() < KNOWN)
            && (size.rows < size.bound || bound <= size.bound)
        {
            return Ok(size.rows);
        }
        let mut sql = Statement::new(session.dialect());
        sql.push("SELECT COUNT(*) FROM (SELECT 1 FROM ");
        sql.push(table);
        sql.matching(tenant, None)?;
        let rows = counted(session, sql, bound).await?;
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sizes.len() >= REMEMBERED {
            sizes.clear();
        }
        sizes.insert((tenant.to_owned(), table), Size { rows, bound, at: Instant::now() });
        Ok(rows)
    }
}

/// Takes what a query costs before any of its rows is read, or refuses it.
pub(crate) async fn afford(
    sizes: &Sizes,
    session: &mut Session,
    tenant: &str,
    table: Table,
    filter: Option<(&BoundFilter, &SqlFilter)>,
    query: &Query,
) -> Result<(), StoreError> {
    let budget = &query.budget;
    let looks = filter.filter(|(_, sql)| sql.sql() != EVERYTHING);
    let unsorted = query.sort.as_ref().is_some_and(|sort| !table.sorted().contains(&&*sort.path()));
    if looks.is_some_and(|(filter, sql)| !table.finds(filter, sql)) || unsorted {
        let each = looks.map_or(ROW, |(_, sql)| each_row(sql)) + if unsorted { SORTED } else { 0 };
        let bound = (budget.left() / each).saturating_add(1);
        let member_of = filter.and_then(|(filter, _)| filter.required_text("groups.value"));
        let rows = match member_of.filter(|_| matches!(table, Table::Users)) {
            Some(group) => {
                let mut sql = Statement::new(session.dialect());
                sql.push("SELECT COUNT(*) FROM (SELECT 1 FROM group_members WHERE tenant = ");
                sql.bind(tenant);
                sql.push(" AND group_id = ");
                sql.bind(group);
                counted(session, sql, bound).await?
            }
            None => sizes.of(session, tenant, table.name(), bound).await?,
        };
        take(budget, rows.saturating_mul(each))?;
        for (child, each) in looks.filter(|_| member_of.is_none()).into_iter().flat_map(|(_, sql)| each_child(sql)) {
            let bound = (budget.left() / each).saturating_add(1);
            let rows = sizes.of(session, tenant, child, bound).await?;
            take(budget, rows.saturating_mul(each))?;
        }
    }
    if query.offset > NEAR && query.limit > 0 {
        let bound = (budget.left() / SKIPPED).saturating_add(1);
        let rows = sizes.of(session, tenant, table.name(), bound).await?;
        let skipped = u64::try_from(query.offset).unwrap_or(u64::MAX).min(rows);
        take(budget, skipped.saturating_mul(SKIPPED))?;
    }
    Ok(())
}

/// How many rows the account pays for at the most, however short they are.
pub(crate) fn readable(budget: &Budget) -> usize {
    usize::try_from(budget.left() / READ).unwrap_or(usize::MAX)
}

/// Takes what it costs to make a resource of a row with so many bytes.
pub(crate) fn take_read(budget: &Budget, bytes: usize) -> Result<(), StoreError> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    take(budget, bytes.saturating_mul(READ_BYTE).saturating_add(READ))
}

/// Takes what it costs that a document was read for a change of it.
pub(crate) fn charge_read(budget: &Budget, record: &Record) {
    budget.charge(record.bytes.unsigned_abs().saturating_mul(READ_BYTE));
}

/// Takes so much from the account.
pub(crate) fn take(budget: &Budget, work: u64) -> Result<(), StoreError> {
    Ok(budget.spend(work)?)
}

/// Finishes and runs a statement that counts up to a bound.
async fn counted(session: &mut Session, mut sql: Statement<'_>, bound: u64) -> Result<u64, StoreError> {
    sql.limit(i64::try_from(bound).unwrap_or(i64::MAX));
    sql.push(") AS counted");
    let row = session.row(&sql.text, &sql.binds).await?;
    row.map_or(Ok(0), |row| row.integer(0)).map(i64::unsigned_abs)
}

/// A predicate that leaves all to the service.
const EVERYTHING: &str = "(1 = 1)";

/// What a translated filter costs for each row of the table itself.
fn each_row(sql: &SqlFilter) -> u64 {
    let compared: usize = sql.comparisons().filter(|(table, _)| table.is_none()).map(|(_, each)| each).sum();
    ROW.saturating_add(number(compared).saturating_mul(COMPARISON))
        .saturating_add(number(sql.subqueries()).saturating_mul(SUBQUERY))
}

/// What it costs for each row of the child tables, by their names.
fn each_child(sql: &SqlFilter) -> impl Iterator<Item = (&'static str, u64)> {
    sql.comparisons().filter_map(|(from, each)| {
        // without the alias
        let table = from?.split(' ').next()?;
        Some((table, number(each.max(1)).saturating_mul(COMPARISON)))
    })
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Table {
    /// Whether an index finds what matches: what is demanded is one value of a column that has one, or one of several.
    fn finds(self, filter: &BoundFilter, sql: &SqlFilter) -> bool {
        let (text, few) = (sql.sql(), sql.binds().len() <= FEW);
        let (keys, columns): (&[&str], &[&str]) = match self {
            Self::Users => (
                &["id", "userName", "externalId", "emails.value"],
                &["users.id ", "users.user_name_key ", "users.external_id "],
            ),
            Self::Groups => (
                &["id", "displayName", "externalId", "members.value"],
                &["groups.id ", "groups.display_name_key ", "groups.external_id "],
            ),
        };
        let sought = |term: &str| {
            let term = term.trim_start_matches('(');
            term.contains(" = ") && columns.iter().any(|column| term.starts_with(column))
        };
        let guards = text.replace(" IS NOT NULL", "");
        let plain = || !guards.contains("SELECT") && !guards.contains("NOT ");
        few && (keys.iter().any(|key| filter.required_text(key).is_some())
            || plain() && text.split(" OR ").all(|either| either.split(" AND ").any(sought)))
    }

    /// The attributes in whose order there is an index.
    fn sorted(self) -> &'static [&'static str] {
        match self {
            Self::Users => &["id", "userName", "externalId", "meta.created", "meta.lastModified"],
            Self::Groups => &["id", "displayName", "externalId", "meta.created", "meta.lastModified"],
        }
    }
}
