//! SELECT: resources out of their tables, one or a page, with what refers to others in the same statement.
//!
//! One statement sees one state of the database: a group is never shown with the version of before and the members of after.

use scim_provider::filter::sql::{ColumnMap, Keyset, SqlFilter};
use scim_provider::{BoundFilter, Cursor, Page, Precondition, Projection, Query, Resource, ResourceType, StoreError};

use crate::change::End;
use crate::cost::{self, Sizes, afford, take, take_read};
use crate::dialect::Dialect;
use crate::members;
use crate::record::Record;
use crate::session::{Row, Session};
use crate::shape::{LONG, MANY, Shape};
use crate::statement::Statement;

/// Up to how many matches are counted for each page by cursor: there are clients that show a total, and none that waits for one.
const COUNTED: usize = 10_000;

/// The table of a resource type, one end of the relation between groups and their members.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Table {
    Users,
    Groups,
}

impl Table {
    /// One resource.
    pub(crate) async fn get(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        id: &str,
        want: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        let record = self.record(session, tenant, id, self.shape(ty, want)).await?;
        record.map(|record| record.resource(ty, self.path())).transpose()
    }

    /// One record.
    pub(crate) async fn record(
        self,
        session: &mut Session,
        tenant: &str,
        id: &str,
        shape: Shape,
    ) -> Result<Option<Record>, StoreError> {
        self.record_with(session, tenant, id, shape, "").await
    }

    /// One record in a transaction, for a change of it: nobody else changes it until the transaction ends. It can be made a
    /// member of groups meanwhile.
    pub(crate) async fn for_change(
        self,
        transaction: &mut Session,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Record>, StoreError> {
        let lock = transaction.dialect().for_change();
        self.record_with(transaction, tenant, id, Shape::DOCUMENT, lock).await
    }

    /// The same without its document.
    pub(crate) async fn identity_for_change(
        self,
        transaction: &mut Session,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Record>, StoreError> {
        let lock = transaction.dialect().for_change();
        self.record_with(transaction, tenant, id, Shape::IDENTITY, lock).await
    }

    /// The version of a record in a transaction, for its end: nobody else changes it or makes it a member.
    pub(crate) async fn for_deletion(
        self,
        transaction: &mut Session,
        tenant: &str,
        id: &str,
        when: Precondition<'_>,
    ) -> Result<i64, StoreError> {
        let lock = transaction.dialect().for_deletion();
        let record = self.record_with(transaction, tenant, id, Shape::IDENTITY, lock).await?;
        let record = record.ok_or(StoreError::NotFound)?;
        when.check(&record.version())?;
        Ok(record.version)
    }

    /// Ends a record that is a member of nothing any more, and the transaction.
    pub(crate) async fn delete(
        self,
        mut transaction: Session,
        tenant: &str,
        id: &str,
        version: i64,
    ) -> Result<End, StoreError> {
        let sql = match self {
            Self::Users => {
                "DELETE FROM users WHERE tenant = $1 AND id = $2 AND version = $3
                 AND NOT EXISTS (SELECT 1 FROM group_members WHERE tenant = $1 AND member_id = $2 AND group_id <> $2)"
            }
            Self::Groups => {
                "DELETE FROM groups WHERE tenant = $1 AND id = $2 AND version = $3
                 AND NOT EXISTS (SELECT 1 FROM group_members WHERE tenant = $1 AND member_id = $2 AND group_id <> $2)"
            }
        };
        match transaction.execute(sql, &[tenant.into(), id.into(), version.into()]).await? {
            // it is locked, and of this version
            0 => Ok(End::Joined),
            _ => transaction.commit().await.map(|()| End::Done),
        }
    }

    async fn record_with(
        self,
        session: &mut Session,
        tenant: &str,
        id: &str,
        shape: Shape,
        lock: &str,
    ) -> Result<Option<Record>, StoreError> {
        let mut sql = Statement::new(session.dialect());
        self.select(&mut sql, shape);
        sql.push(self.name());
        sql.identity(self.name(), tenant, id);
        sql.push(lock);
        let row = session.row(&sql.text, &sql.binds).await?;
        row.map(|row| Record::read(&row, self, shape)).transpose()
    }

    /// What a changed record is as a resource, of which this is the document. Its references are read only where they are
    /// wanted.
    pub(crate) async fn resource(
        self,
        transaction: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        record: &Record,
        content: &Resource,
        want: &Projection,
    ) -> Result<Resource, StoreError> {
        if !want.includes(self.path()) {
            return Ok(record.stamp(content));
        }
        self.get(transaction, tenant, ty, &record.id, want).await?.ok_or(StoreError::NotFound)
    }

    /// The resources that a query asks for: the page itself where the database can cut it, else what has to be looked at.
    pub(crate) async fn list(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        map: &ColumnMap,
        query: &Query,
        sizes: &Sizes,
    ) -> Result<Page, StoreError> {
        if query.filter.is_some() {
            session.pay_from(&query.budget);
        }
        let dialect = session.dialect();
        // the tenant is the first value, the filter's follow
        let filter = query.filter.as_ref().map(|filter| translated(filter, map, dialect));
        let filter = filter.as_ref();
        afford(sizes, session, tenant, self, query.filter.as_ref().zip(filter), query).await?;
        let exact = filter.is_none_or(SqlFilter::is_exact);
        if query.cursor.is_some() {
            let first = 2 + filter.map_or(0, |filter| filter.binds().len());
            if let Some(keyset) = query.keyset(ty, map, dialect.of_filters(), first) {
                // cursors are made of what the page is sorted by; what a filter in memory needs is not read where there is none
                let want = if exact { &query.answer } else { &query.projection };
                let found = self.following(session, tenant, ty, filter, exact, &keyset, query, want).await?;
                let shown = found.resources.len();
                let whole = found.whole && shown <= query.limit;
                let page = found.following(exact);
                if !exact {
                    return Ok(page);
                }
                let total = match query.cursor {
                    Some(Cursor::Beginning) if whole => Some(shown),
                    _ => self.count_up_to(session, tenant, filter, query.scan.min(COUNTED)).await?,
                };
                return Ok(match total {
                    Some(total) => page.with_total(total),
                    None => page,
                });
            }
        }
        let order = match &query.sort {
            None => Some(self.oldest_first().to_owned()),
            Some(sort) => sort.to_sql(map, dialect.of_filters()),
        };
        match order {
            Some(order) if exact && query.cursor.is_none() => {
                let (limit, offset) = (number(query.limit), number(query.offset));
                let rows = Rows { filter, order: &order, limit, offset, exact: true, query };
                let found = match query.limit {
                    0 => Found::default(),
                    _ => self.rows(session, tenant, ty, &rows, &query.answer).await?,
                };
                // a first page that is not full has shown all there is
                let shown = found.resources.len();
                let total = match query.offset == 0 && shown < query.limit && found.whole {
                    true => shown,
                    false => at_least(self.count(session, tenant, filter, query).await?, query.offset, shown),
                };
                Ok(Page::exact(found.resources, total))
            }
            _ => {
                // One more than may be looked at tells that there are too many. The service filters, sorts and cuts.
                let rows = Rows {
                    filter,
                    order: self.oldest_first(),
                    limit: next(query.scan.min(cost::readable(&query.budget))),
                    offset: 0,
                    exact: false,
                    query,
                };
                let found = self.rows(session, tenant, ty, &rows, &query.projection).await?;
                match found.whole && found.resources.len() <= query.scan {
                    false => Err(StoreError::TooMany),
                    true if exact => Ok(Page::matches(found.resources)),
                    true => Ok(Page::candidates(found.resources)),
                }
            }
        }
    }

    async fn rows(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        rows: &Rows<'_>,
        want: &Projection,
    ) -> Result<Found, StoreError> {
        let shape = self.shape(ty, want).listed();
        let mut sql = Statement::new(session.dialect());
        sql.scope(tenant);
        self.select(&mut sql, shape);
        // the page is cut first, so that documents and references are read for what is in it and for nothing else
        match sql.dialect {
            Dialect::Sqlite => sql.push("(SELECT rowid AS place FROM "),
            Dialect::Postgres => sql.push("(SELECT * FROM "),
        }
        sql.push(self.name());
        sql.matching(tenant, rows.filter)?;
        sql.push(" ORDER BY ");
        sql.push(rows.order);
        match sql.dialect {
            // which looks at the number while it plans, and would plan anew for each that is bound
            Dialect::Sqlite => sql.limit(rows.limit),
            Dialect::Postgres => {
                sql.push(" LIMIT ");
                sql.bind(rows.limit);
            }
        }
        sql.push(" OFFSET ");
        sql.bind(rows.offset);
        match sql.dialect {
            Dialect::Sqlite => self.at_places(&mut sql),
            Dialect::Postgres => {
                for text in [") AS ", self.name(), " ORDER BY ", rows.order] {
                    sql.push(text);
                }
            }
        }
        self.read(session, &sql, tenant, ty, shape, rows.exact, rows.query).await
    }

    /// Joins the rows of a page, in its order.
    ///
    /// SQLite would keep each document of a page in a table of its own before it gives the first one: it is given the places of
    /// the rows, and reads them one after the other. It never changes the order of a CROSS JOIN.
    fn at_places(self, sql: &mut Statement<'_>) {
        for text in [") AS page CROSS JOIN ", self.name(), " ON ", self.name(), ".rowid = page.place"] {
            sql.push(text);
        }
    }

    /// The first rows behind a cursor, range by range of an index, each cut by itself and all together.
    #[expect(clippy::too_many_arguments, reason = "a page is asked for once")]
    async fn following(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        filter: Option<&SqlFilter>,
        exact: bool,
        keyset: &Keyset,
        query: &Query,
        want: &Projection,
    ) -> Result<Found, StoreError> {
        let (shape, limit) = (self.shape(ty, want).listed(), next(query.limit));
        let mut sql = Statement::new(session.dialect());
        sql.scope(tenant);
        self.select(&mut sql, shape);
        let (mut joint, columns) = match sql.dialect {
            Dialect::Sqlite => ("(SELECT place FROM (", self.in_order()),
            Dialect::Postgres => ("(", "*"),
        };
        for (range, binds) in keyset.ranges() {
            sql.push(joint);
            sql.push("SELECT * FROM (SELECT ");
            sql.push(columns);
            sql.push(" FROM ");
            sql.push(self.name());
            sql.matching_again(tenant, filter)?;
            sql.predicate(range, binds)?;
            sql.push(" ORDER BY ");
            sql.push(keyset.order_by());
            sql.limit(limit);
            sql.push(") AS ");
            sql.push(self.name());
            joint = " UNION ALL ";
        }
        sql.push(") AS ");
        sql.push(self.name());
        sql.push(" ORDER BY ");
        sql.push(keyset.order_by());
        sql.limit(limit);
        if sql.dialect == Dialect::Sqlite {
            self.at_places(&mut sql);
        }
        self.read(session, &sql, tenant, ty, shape, exact, query).await
    }

    /// Reads resources until they take more memory than the query may, or cost more. What is long is left out of the rows, and
    /// read by itself when it is known that the request pays for it.
    #[expect(clippy::too_many_arguments, reason = "a page is asked for once")]
    async fn read(
        self,
        session: &mut Session,
        sql: &Statement<'_>,
        tenant: &str,
        ty: &ResourceType,
        shape: Shape,
        exact: bool,
        query: &Query,
    ) -> Result<Found, StoreError> {
        let mut found = Listed { rows: Vec::new(), whole: true };
        let (mut held, mut room) = (query.held(), true);
        let take = |row: Row| {
            if !room {
                found.whole = false;
                return Ok(false);
            }
            let record = Record::read(&row, self, shape)?;
            let references = record.references()?;
            let is_long = record.bytes > LONG && shape.leaves_out(&row)?;
            let (listing, bytes) = match is_long || references.len() > MANY {
                true => {
                    let bytes = if is_long { usize::try_from(record.bytes).unwrap_or(usize::MAX) } else { 0 };
                    (Listing::Later(record.id), bytes)
                }
                false => {
                    let resource = record.with_references(ty, self.path(), &references)?;
                    let bytes = resource.as_json().len();
                    (Listing::Read(resource), bytes)
                }
            };
            room = held.add_bytes(bytes);
            // a page ends early, candidates are all or none
            match take_read(&query.budget, bytes) {
                Err(spent) if !exact => return Err(spent),
                Err(_) if found.rows.len() >= FIRST => {
                    found.whole = false;
                    return Ok(false);
                }
                Ok(()) | Err(_) => {}
            }
            found.rows.push(listing);
            Ok(true)
        };
        session.each(&sql.text, &sql.binds, take).await?;
        self.complete(session, tenant, ty, shape.alone(), exact, query, found).await
    }

    /// Reads what was left out of the rows, each by itself, as it is now.
    #[expect(clippy::too_many_arguments, reason = "a page is asked for once")]
    async fn complete(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        shape: Shape,
        exact: bool,
        query: &Query,
        listed: Listed,
    ) -> Result<Found, StoreError> {
        let mut found = Found { resources: Vec::with_capacity(listed.rows.len()), whole: listed.whole };
        let (mut held, mut room) = (query.held(), true);
        for listing in listed.rows {
            if !room {
                found.whole = false;
                break;
            }
            let id = match listing {
                Listing::Read(resource) => {
                    room = held.add(&resource);
                    found.resources.push(resource);
                    continue;
                }
                Listing::Later(id) => id,
            };
            if shape.references && !members::pays_for(session, tenant, self, &id, query).await? {
                if !exact {
                    return Err(StoreError::TooMany);
                }
                if found.resources.len() >= FIRST {
                    found.whole = false;
                    break;
                }
            }
            match self.record(session, tenant, &id, shape).await? {
                Some(record) => {
                    let resource = record.resource(ty, self.path())?;
                    room = held.add(&resource);
                    found.resources.push(resource);
                }
                // It has gone since. A page that is shorter for it is not the last one.
                None => found.whole &= !exact && query.cursor.is_none(),
            }
        }
        Ok(found)
    }

    /// How many match, if they are no more than so many: what a page by cursor costs must not grow with what lies around it.
    async fn count_up_to(
        self,
        session: &mut Session,
        tenant: &str,
        filter: Option<&SqlFilter>,
        most: usize,
    ) -> Result<Option<usize>, StoreError> {
        let mut sql = Statement::new(session.dialect());
        sql.scope(tenant);
        sql.push("SELECT COUNT(*) FROM (SELECT 1 FROM ");
        sql.push(self.name());
        sql.matching(tenant, filter)?;
        sql.limit(next(most));
        sql.push(") AS counted");
        let row = session.row(&sql.text, &sql.binds).await?;
        let count = usize::try_from(row.map_or(Ok(0), |row| row.integer(0))?).unwrap_or_default();
        Ok((count <= most).then_some(count))
    }

    /// How many there are. Who counts more than the request may cost is refused.
    async fn count(
        self,
        session: &mut Session,
        tenant: &str,
        filter: Option<&SqlFilter>,
        query: &Query,
    ) -> Result<usize, StoreError> {
        let most = usize::try_from(query.budget.left() / cost::COUNTED).unwrap_or(usize::MAX);
        let count = self.count_up_to(session, tenant, filter, most).await?.ok_or(StoreError::TooMany)?;
        take(&query.budget, u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(cost::COUNTED))?;
        Ok(count)
    }

    /// What the order of a cursor is made of, and where SQLite finds the row.
    fn in_order(self) -> &'static str {
        match self {
            Self::Users => "rowid AS place, id, user_name_key, external_id, created, modified",
            Self::Groups => "rowid AS place, id, display_name_key, external_id, created, modified",
        }
    }

    fn oldest_first(self) -> &'static str {
        match self {
            Self::Users => "users.created, users.id",
            Self::Groups => "groups.created, groups.id",
        }
    }
}

/// Which rows of a table.
struct Rows<'q> {
    filter: Option<&'q SqlFilter>,
    order: &'q str,
    limit: i64,
    offset: i64,
    /// whether they are the page
    exact: bool,
    /// what says how much of them may be held
    query: &'q Query,
}

/// What is read of a page whatever it costs: with one resource, a page before a position would get no further.
const FIRST: usize = 2;

/// The rows of a page.
struct Listed {
    rows: Vec<Listing>,
    whole: bool,
}

enum Listing {
    Read(Resource),
    /// too long to be read with the others
    Later(String),
}

/// What was read.
struct Found {
    resources: Vec<Resource>,
    /// whether it is all that was asked for
    whole: bool,
}

impl Found {
    fn following(self, filtered: bool) -> Page {
        let page = match filtered {
            true => Page::following(self.resources),
            false => Page::following_candidates(self.resources),
        };
        if self.whole { page } else { page.ending_early() }
    }
}

impl Default for Found {
    fn default() -> Self {
        Self { resources: Vec::new(), whole: true }
    }
}

/// The filter as SQL, from the second value on.
fn translated(filter: &BoundFilter, map: &ColumnMap, dialect: Dialect) -> SqlFilter {
    let sql = filter.to_sql(map, dialect.of_filters(), 2);
    if !sql.is_exact() {
        tracing::debug!(filter = %sql.explain(), "a part of the filter is checked in memory");
    }
    sql
}

/// What was counted after a page was read, no less than what the page has shown of it: rows may have gone in between.
fn at_least(counted: usize, offset: usize, shown: usize) -> usize {
    match shown {
        0 => counted,
        shown => counted.max(offset + shown),
    }
}

/// One more than so many.
fn next(count: usize) -> i64 {
    number(count.saturating_add(1))
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn a_total_is_never_less_than_what_a_page_shows() {
        assert_eq!(at_least(7, 4, 2), 7);
        assert_eq!(at_least(5, 4, 2), 6, "one has gone since the page was read");
        assert_eq!(at_least(3, 9, 0), 3, "a page behind the end shows nothing");
    }
}
