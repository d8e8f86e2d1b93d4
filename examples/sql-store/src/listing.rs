//! Lists: a page where the database can cut it, a set of candidates from an index or a scan where it cannot.

use scim_provider::{Page, Query, ResourceType, StoreError};

use crate::database::Session;
use crate::members::Side;
use crate::record::Record;

/// The statements that list a table.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) side: Side,
    /// tenant → number of rows
    pub(crate) count: &'static str,
    /// tenant, limit, offset → rows
    pub(crate) page: &'static str,
    /// attributes that are indexed, the best first: tenant, limit, key → rows
    pub(crate) lookups: &'static [(&'static str, &'static str)],
}

impl Listing {
    pub(crate) async fn run(
        &self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        query: &Query,
    ) -> Result<Page, StoreError> {
        if query.filter.is_none() && query.sort.is_none() {
            return self.whole(session, tenant, ty, query).await;
        }
        // One more than may be looked at tells that there are too many. The service does the rest: it filters these again,
        // sorts and cuts them.
        let limit = number(query.scan.saturating_add(1));
        let filter = query.filter.as_ref();
        let lookup = self.lookups.iter().find_map(|(path, sql)| Some((*sql, filter?.required_text(path)?.to_owned())));
        let rows = match &lookup {
            Some((sql, key)) => session.rows(sql, &[tenant.into(), limit.into(), key.into()]).await?,
            None => session.rows(self.page, &[tenant.into(), limit.into(), 0.into()]).await?,
        };
        if rows.len() > query.scan {
            return Err(StoreError::TooMany);
        }
        let records = rows.iter().map(Record::read).collect::<Result<Vec<_>, _>>()?;
        let resources = self.side.resources(session, tenant, ty, &records, &query.projection).await?;
        Ok(Page::candidates(resources))
    }

    /// A page of all there is.
    async fn whole(
        &self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        query: &Query,
    ) -> Result<Page, StoreError> {
        let total = session.row(self.count, &[tenant.into()]).await?.map_or(Ok(0), |row| row.integer(0))?;
        let rows = match query.limit {
            0 => Vec::new(),
            limit => {
                let (limit, offset) = (number(limit), number(query.offset));
                session.rows(self.page, &[tenant.into(), limit.into(), offset.into()]).await?
            }
        };
        let records = rows.iter().map(Record::read).collect::<Result<Vec<_>, _>>()?;
        let resources = self.side.resources(session, tenant, ty, &records, &query.projection).await?;
        Ok(Page::exact(resources, usize::try_from(total).unwrap_or_default()))
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
