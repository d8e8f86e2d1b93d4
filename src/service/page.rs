//! Pages of what a query finds: by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865 §2).

use super::{Inner, Registered};
use crate::cursor::{Cursor, Position};
use crate::query::Query;
use crate::resource::Resource;
use crate::schema::table::Relation;
use crate::store::{Context, Extent, StoreError};

/// The resources of a page and what is known of the others.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) resources: Vec<Resource>,
    /// how many there are in all; of a page by cursor it may be unknown
    pub(super) total: Option<usize>,
    /// behind the page's last resource, where a page by cursor is followed by another one
    pub(super) next: Option<Position>,
}

impl<C: Context> Inner<C> {
    pub(super) async fn page(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        match query.cursor {
            // the total is all that is asked for: no cursor is needed for it (RFC 9865 §2)
            Some(_) if query.limit == 0 => self.page_by_index(registered, cx, &query.by_index(0, 0)).await,
            Some(_) if registered.store.capabilities().cursor => self.page_by_cursor(registered, cx, query).await,
            Some(_) => self.page_of_everything(registered, cx, query).await,
            None => self.page_by_index(registered, cx, query).await,
        }
    }

    async fn page_by_index(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        let (mut resources, extent) = registered.store.list(cx, &registered.ty, query).await?.into_parts();
        if extent == Extent::Candidates && resources.len() > query.scan {
            return Err(StoreError::TooMany);
        }
        retain_matching(query, &mut resources, extent != Extent::Candidates);
        if let Extent::Exact { total } = extent {
            resources.truncate(query.limit);
            return Ok(Found { resources, total: Some(total), next: None });
        }
        let total = resources.len();
        if let Some(sort) = &query.sort {
            resources.sort_by(|a, b| sort.compare(a, b));
        }
        let resources = resources.into_iter().skip(query.offset).take(query.limit).collect();
        Ok(Found { resources, total: Some(total), next: None })
    }

    /// From a store that finds a position by itself. Where it cannot express the filter, more is fetched until the page is
    /// full; after a bounded number of resources a shorter page is given out, with a cursor that goes on from there.
    async fn page_by_cursor(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        let mut ask = query.clone();
        let mut found = Vec::new();
        let mut looked_at = 0_usize;
        loop {
            let (mut resources, extent) = registered.store.list(cx, &registered.ty, &ask).await?.into_parts();
            let Extent::Following { filtered, total } = extent else {
                return everything(query, resources, extent);
            };
            let ordered =
                resources.iter().all(|r| ask.follows(r)) && resources.is_sorted_by(|a, b| query.compare(a, b).is_lt());
            if !ordered {
                // going on from here would miss resources, or never end
                return Err(StoreError::backend("the store's page does not follow the cursor in the query's order"));
            }
            let complete = resources.len() <= ask.limit;
            let last = resources.last().and_then(|last| query.behind(last));
            looked_at = looked_at.saturating_add(resources.len());
            retain_matching(query, &mut resources, filtered);
            found.append(&mut resources);
            let total = total.filter(|_| filtered);
            if found.len() > query.limit {
                return Ok(cut(query, found, total));
            }
            match last.filter(|_| !complete) {
                Some(last) if looked_at < query.scan => {
                    ask.limit = ask.limit.saturating_mul(2).min(query.scan);
                    ask.cursor = Some(Cursor::After(last));
                }
                next => return Ok(Found { resources: found, total, next }),
            }
        }
    }

    /// From a store that knows nothing of cursors: all that matches is fetched and cut here, within the limit on what is
    /// looked at.
    async fn page_of_everything(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        let ask = query.by_index(0, query.scan.saturating_add(1));
        let (resources, extent) = registered.store.list(cx, &registered.ty, &ask).await?.into_parts();
        everything(query, resources, extent)
    }
}

/// A page by cursor out of all resources that there are.
fn everything(query: &Query, mut resources: Vec<Resource>, extent: Extent) -> Result<Found, StoreError> {
    let whole = match extent {
        Extent::Candidates | Extent::Matches => resources.len() <= query.scan,
        Extent::Exact { total } => total <= resources.len() && total <= query.scan,
        Extent::Following { .. } => false,
    };
    if !whole {
        return Err(StoreError::TooMany);
    }
    retain_matching(query, &mut resources, extent != Extent::Candidates);
    let total = resources.len();
    resources.retain(|resource| query.follows(resource));
    resources.sort_by(|a, b| query.compare(a, b));
    Ok(cut(query, resources, Some(total)))
}

/// Cuts what is beyond the limit off, and says where to go on if there was anything.
fn cut(query: &Query, mut resources: Vec<Resource>, total: Option<usize>) -> Found {
    let more = resources.len() > query.limit;
    resources.truncate(query.limit);
    let next = resources.last().filter(|_| more).and_then(|last| query.behind(last));
    Found { resources, total, next }
}

/// Checks the filter on what a store returned: nobody gets into an answer by a store's mistake.
fn retain_matching(query: &Query, resources: &mut Vec<Resource>, filtered: bool) {
    let Some(filter) = &query.filter else { return };
    // members that a store has compared in its own tables need not be loaded to be compared again
    let apart = |r: &Resource| {
        let table = r.resource_type().table();
        filter.attributes().iter().any(|id| matches!(table.node(*id).relation(), Relation::Many | Relation::Derived))
    };
    if !(filtered && resources.first().is_some_and(apart)) {
        resources.retain(|resource| filter.matches(resource));
    }
}
