//! Pages of what a query finds: by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865 §2).

use super::{Inner, Registered};
use crate::cursor::{Cursor, Position};
use crate::query::{Foremost, Pace, Query};
use crate::resource::Resource;
use crate::schema::table::Relation;
use crate::sort::Rank;
use crate::store::{Context, Extent, StoreError};

/// The resources of a page and what is known of the others.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) resources: Vec<Resource>,
    /// how many there are in all; of a page by cursor it may be unknown
    pub(super) total: Option<usize>,
    /// where a page by cursor begins, if there is another one before it
    pub(super) previous: Option<Position>,
    /// where it ends, if it is followed by another one
    pub(super) next: Option<Position>,
}

impl Found {
    /// A page by index.
    fn counted(resources: Vec<Resource>, total: usize) -> Self {
        Self { resources, total: Some(total), previous: None, next: None }
    }

    /// A page by cursor, in the order in which it was cut, and how far it reaches if there is more.
    fn between(query: &Query, mut resources: Vec<Resource>, total: Option<usize>, end: Option<Position>) -> Self {
        let begin = query.cursor.as_ref().and_then(Cursor::position).cloned();
        if query.goes_back() {
            resources.reverse();
            return Self { resources, total, previous: end, next: begin };
        }
        Self { resources, total, previous: begin, next: end }
    }
}

impl<C> Registered<C> {
    /// Whether a page by cursor can name the one before it.
    pub(super) fn goes_back(&self) -> bool {
        let can = self.store.capabilities();
        !can.cursor || can.previous_cursor
    }
}

impl<C: Context> Inner<C> {
    pub(super) async fn page(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        match query.cursor {
            // the total is all that is asked for: no cursor is needed for it (RFC 9865 §2)
            Some(_) if query.limit == 0 => self.page_by_index(registered, cx, &query.by_index(0, 0)).await,
            // nobody was given a cursor back to a page that the store cannot find
            Some(Cursor::Before(_)) if !registered.goes_back() => self.page_of_everything(registered, cx, query).await,
            Some(_) if registered.store.capabilities().cursor => {
                let found = self.page_by_cursor(registered, cx, query).await?;
                Ok(Found { previous: found.previous.filter(|_| registered.goes_back()), ..found })
            }
            Some(_) => self.page_of_everything(registered, cx, query).await,
            None => self.page_by_index(registered, cx, query).await,
        }
    }

    async fn page_by_index(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        let (mut resources, extent) = registered.store.list(cx, &registered.ty, query).await?.into_parts();
        if extent == Extent::Candidates && resources.len() > query.scan {
            return Err(StoreError::TooMany);
        }
        let mut pace = Pace::new(&query.budget);
        retain_matching(query, &mut resources, extent != Extent::Candidates, &mut pace).await?;
        if let Extent::Exact { total } = extent {
            resources.truncate(query.room(&resources));
            return Ok(Found::counted(resources, total));
        }
        let total = resources.len();
        let mut resources = match &query.sort {
            Some(_) => foremost(query, resources, (query.offset, query.limit), &mut pace).await?,
            None => resources.into_iter().skip(query.offset).take(query.limit).collect(),
        };
        resources.truncate(query.room(&resources));
        Ok(Found::counted(resources, total))
    }

    /// From a store that finds a position by itself. Where it cannot express the filter, more is fetched until the page is
    /// full; after a bounded number of resources a shorter page is given out, with a cursor that goes on from there.
    async fn page_by_cursor(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        let mut ask = query.clone();
        let mut found = Vec::new();
        let mut looked_at = 0_usize;
        loop {
            let (mut resources, extent) = registered.store.list(cx, &registered.ty, &ask).await?.into_parts();
            let Extent::Following { filtered, total, early } = extent else {
                return everything(query, resources, extent).await;
            };
            let mut pace = Pace::new(&query.budget);
            if !in_order(&ask, &resources, &mut pace).await? {
                // going on from here would miss resources, or never end
                return Err(StoreError::backend("the store's page does not follow the cursor in the query's order"));
            }
            if early && resources.len() < 2 {
                return Err(StoreError::backend("a page that ends early holds two resources at least"));
            }
            let complete = resources.len() <= ask.limit && !early;
            let last = resources.last().and_then(|last| query.behind(last)).filter(|_| !complete);
            looked_at = looked_at.saturating_add(resources.len());
            retain_matching(query, &mut resources, filtered, &mut pace).await?;
            found.append(&mut resources);
            let total = total.filter(|_| filtered);
            if found.len() > query.room(&found) {
                return Ok(cut(query, found, total));
            }
            let Some(last) = last else { return Ok(Found::between(query, found, total, None)) };
            if query.goes_back() && found.last().and_then(Resource::id) == Some(last.id()) {
                // the position behind it is the end of what was seen: it comes once more, with what lies before
                found.pop();
            }
            if looked_at >= query.scan {
                return Ok(Found::between(query, found, total, Some(last)));
            }
            ask.limit = ask.limit.saturating_mul(2).min(query.scan);
            ask.cursor = Some(if query.goes_back() { Cursor::Before(last) } else { Cursor::After(last) });
        }
    }

    /// From a store that knows nothing of cursors: all that matches is fetched and cut here, within the limit on what is
    /// looked at.
    async fn page_of_everything(&self, registered: &Registered<C>, cx: &C, query: &Query) -> Result<Found, StoreError> {
        let ask = query.by_index(0, query.scan.saturating_add(1));
        let (resources, extent) = registered.store.list(cx, &registered.ty, &ask).await?.into_parts();
        everything(query, resources, extent).await
    }
}

/// A page by cursor out of all resources that there are.
async fn everything(query: &Query, mut resources: Vec<Resource>, extent: Extent) -> Result<Found, StoreError> {
    let whole = match extent {
        Extent::Candidates | Extent::Matches => resources.len() <= query.scan,
        Extent::Exact { total } => total <= resources.len() && total <= query.scan,
        Extent::Following { .. } => false,
    };
    if !whole {
        return Err(StoreError::TooMany);
    }
    let mut pace = Pace::new(&query.budget);
    retain_matching(query, &mut resources, extent != Extent::Candidates, &mut pace).await?;
    let total = resources.len();
    let resources = foremost(query, resources, (0, query.limit.saturating_add(1)), &mut pace).await?;
    Ok(cut(query, resources, Some(total)))
}

/// Of resources that follow the position where the page begins, `take` behind the first `skip`, in order.
async fn foremost(
    query: &Query,
    resources: Vec<Resource>,
    (skip, take): (usize, usize),
    pace: &mut Pace<'_>,
) -> Result<Vec<Resource>, StoreError> {
    let begin = query.begin()?;
    let mut first = Foremost::new(skip, take, |a: &Rank, b: &Rank| query.compare_ranks(a, b));
    for resource in resources {
        let rank = query.rank(&resource)?;
        if query.rank_follows(&rank, begin.as_ref()) {
            first.add(rank, resource, &query.budget)?;
        }
        pace.step().await;
    }
    Ok(first.finish(pace).await?.into_iter().map(|(_, resource)| resource).collect())
}

/// Whether what a store found follows the position where the page begins, each behind the one before.
async fn in_order(query: &Query, resources: &[Resource], pace: &mut Pace<'_>) -> Result<bool, StoreError> {
    let begin = query.begin()?;
    let mut last: Option<Rank> = None;
    for resource in resources {
        let rank = query.rank(resource)?;
        let behind = last.is_none_or(|last| query.compare_ranks(&last, &rank).is_lt());
        if !behind || !query.rank_follows(&rank, begin.as_ref()) {
            return Ok(false);
        }
        last = Some(rank);
        pace.step().await;
    }
    Ok(true)
}

/// Cuts what is beyond the limits off, and says how far the page reaches if there was anything.
fn cut(query: &Query, mut resources: Vec<Resource>, total: Option<usize>) -> Found {
    let room = query.room(&resources);
    let beyond = resources.get(room).and_then(|beyond| query.behind(beyond));
    resources.truncate(room);
    let end = match query.goes_back() {
        true => beyond,
        false => beyond.and_then(|_| query.behind(resources.last()?)),
    };
    Found::between(query, resources, total, end)
}

/// Checks the filter on what a store returned: nobody gets into an answer by a store's mistake.
async fn retain_matching(
    query: &Query,
    resources: &mut Vec<Resource>,
    filtered: bool,
    pace: &mut Pace<'_>,
) -> Result<(), StoreError> {
    let Some(filter) = &query.filter else { return Ok(()) };
    // members that a store has compared in its own tables need not be loaded to be compared again
    let apart = |r: &Resource| {
        let table = r.resource_type().table();
        filter.attributes().iter().any(|id| matches!(table.node(*id).relation(), Relation::Many | Relation::Derived))
    };
    if filtered && resources.first().is_some_and(apart) {
        return Ok(());
    }
    let mut matching = Vec::with_capacity(resources.len());
    for resource in resources.drain(..) {
        if filter.matches_within(&resource, &query.budget)? {
            matching.push(resource);
        }
        pace.step().await;
    }
    *resources = matching;
    Ok(())
}
