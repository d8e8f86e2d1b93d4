//! Queries: candidates from an index where the filter demands a value that is in one, then the filter itself.
//!
//! A list is not one moment. The table is read for about a millisecond at a time, so that writers need not wait for a long
//! query. What a list then promises: each resource on it was like this at one moment while the query ran, references included
//! ([`Table::settled`] looks for what has changed since); those that were there all the time and match are counted once, and
//! those that came meanwhile are left out.

use std::ops::Bound;
use std::sync::RwLock;

use super::super::{Page, StoreError};
use super::read;
use super::table::{Slot, Stored, Table, many};
use super::unique::{index_key, unique_attributes};
use crate::Exhausted;
use crate::cursor::Cursor;
use crate::filter::{BoundFilter, LOOK};
use crate::query::{Foremost, Held, Pace, Query};
use crate::resource::{Projection, Resource, splice};
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Relation};
use crate::sort::Rank;

/// What a reference costs that is put into a document.
pub(super) const REFERENCE: u64 = 300;
/// What it costs to make a document with references out of one without.
const JOIN: u64 = 1_000;
/// What it costs to come by a resource: most are far from the one before.
const ROW: u64 = 100;
/// What it costs to pass a resource over.
const SKIP: u64 = 10;
/// How often a query is repeated when what it found has changed before it was read.
const ATTEMPTS: usize = 3;

/// The resources that a query asks for. No lock is held while others have their turn.
pub(super) async fn list(table: &RwLock<Table>, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
    for _ in 0..ATTEMPTS {
        let (hits, total) = match query.filter.is_none() && query.sort.is_none() {
            true => read(table).first(ty, query)?,
            false => search(table, ty, query).await?,
        };
        if let Some(page) = page(table, ty, query, hits, total).await? {
            return Ok(page);
        }
    }
    Err(StoreError::unavailable(1))
}

/// A resource that was found, as it was then.
struct Hit {
    slot: Slot,
    sequence: u64,
    version: u64,
    resource: Resource,
}

impl Hit {
    fn new(slot: Slot, stored: &Stored) -> Self {
        Self { slot, sequence: stored.sequence, version: stored.version, resource: stored.resource.clone() }
    }
}

/// What is on the page and how many match in all.
type Hits = (Vec<Hit>, usize);

async fn search(table: &RwLock<Table>, ty: &ResourceType, query: &Query) -> Result<Hits, StoreError> {
    let mut pace = Pace::new(&query.budget);
    let order = |a: &Rank, b: &Rank| query.compare_ranks(a, b);
    let (skip, take) = match query.cursor {
        Some(_) => (0, query.limit.saturating_add(1)),
        None => (query.offset, query.limit),
    };
    let mut search = Search {
        query,
        sight: Sight::new(ty, query.filter.as_ref()),
        joined_order: query.sort.as_ref().is_some_and(|sort| is_apart(ty, sort.attribute())),
        everything: Projection::everything(ty),
        begin: query.begin()?,
        ordered: query.sort.is_some() || query.cursor.is_some(),
        first: Foremost::new(skip, take, order),
        unordered: Vec::new(),
        total: 0,
    };
    let mut walk = read(table).walk(ty, query.filter.as_ref());
    while !read(table).look(ty, &mut walk, &mut search, &pace)? {
        pace.step().await;
    }
    pace.step().await;
    let hits = match search.ordered {
        true => search.first.finish(&mut pace).await?.into_iter().map(|(_, hit)| hit).collect(),
        false => search.unordered,
    };
    Ok((hits, search.total))
}

/// The page of what was found; `None` when it is no longer as it was.
async fn page(
    table: &RwLock<Table>,
    ty: &ResourceType,
    query: &Query,
    hits: Vec<Hit>,
    total: usize,
) -> Result<Option<Page>, StoreError> {
    let mut pace = Pace::new(&query.budget);
    let mut shown = Shown { hits: hits.into_iter(), held: query.held(), room: true, page: Vec::new(), early: false };
    loop {
        let settled = read(table).settled(ty, query, &mut shown, &pace)?;
        match settled {
            Settled::Changed => return Ok(None),
            Settled::All => break,
            Settled::Some => pace.step().await,
        }
    }
    Ok(Some(match (query.cursor.is_some(), shown.early) {
        (false, _) => Page::exact(shown.page, total),
        (true, false) => Page::following(shown.page).with_total(total),
        (true, true) => Page::following(shown.page).with_total(total).ending_early(),
    }))
}

/// How far the candidates have been looked at.
enum Walk {
    /// from an index, as they were created
    Listed(std::vec::IntoIter<(u64, Slot)>),
    /// all of the type that were created behind the first number, up to the second
    Created(u64, u64),
}

struct Search<'q, O> {
    query: &'q Query,
    sight: Sight<'q>,
    /// whether the order looks at references
    joined_order: bool,
    everything: Projection,
    begin: Option<Rank>,
    ordered: bool,
    first: Foremost<Hit, O>,
    unordered: Vec<Hit>,
    total: usize,
}

/// What a filter looks at.
enum Sight<'q> {
    /// nothing beside the document
    Document,
    /// one demanded reference, as in `members[value eq "x"]`: whether that one is there is all that counts
    Reference(AttrId, &'q str),
    Joined,
}

impl<'q> Sight<'q> {
    fn new(ty: &ResourceType, filter: Option<&'q BoundFilter>) -> Self {
        let Some(filter) = filter else { return Self::Document };
        let looked_at: Vec<AttrId> = filter.attributes().into_iter().filter(|id| is_apart(ty, *id)).collect();
        match looked_at.as_slice() {
            [] => Self::Document,
            [only] if ty.node(*only).relation() == Relation::Many => {
                let path = format!("{}.value", ty.table().path(*only));
                filter.required_text(&path).map_or(Self::Joined, |value| Self::Reference(*only, value))
            }
            _ => Self::Joined,
        }
    }
}

/// How far a page is filled.
struct Shown {
    hits: std::vec::IntoIter<Hit>,
    held: Held,
    room: bool,
    page: Vec<Resource>,
    early: bool,
}

enum Settled {
    All,
    Some,
    Changed,
}

impl Table {
    /// A page without filter and order: by index as they were created, by cursor in the order of their ids.
    fn first(&self, ty: &ResourceType, query: &Query) -> Result<Hits, Exhausted> {
        let Some(orders) = self.orders.get(ty.name()) else { return Ok((Vec::new(), 0)) };
        let most = query.limit.saturating_add(1);
        let skipped = u64::try_from(query.offset.min(orders.created.len())).unwrap_or(u64::MAX);
        query.budget.spend(skipped.saturating_mul(SKIP))?;
        let ids = |from, to| orders.ids.range::<str, _>((from, to)).map(|(_, slot)| *slot);
        let slots: Vec<Slot> = match &query.cursor {
            Some(Cursor::After(position)) => ids(Bound::Excluded(position.id()), Bound::Unbounded).take(most).collect(),
            Some(Cursor::Before(position)) => {
                ids(Bound::Unbounded, Bound::Included(position.id())).rev().take(most).collect()
            }
            Some(Cursor::Beginning) => ids(Bound::Unbounded, Bound::Unbounded).take(most).collect(),
            None if query.limit == 0 => Vec::new(),
            None => orders.created.values().skip(query.offset).take(query.limit).copied().collect(),
        };
        let hits = slots.into_iter().filter_map(|slot| Some(Hit::new(slot, self.stored(slot)?))).collect();
        Ok((hits, orders.created.len()))
    }

    /// The resources that may match, from an index where the filter demands a value that is in one.
    fn walk(&self, ty: &ResourceType, filter: Option<&BoundFilter>) -> Walk {
        let of_type = |slot: Slot| {
            let stored = self.stored(slot)?;
            (stored.resource.resource_type().name() == ty.name()).then_some((stored.sequence, slot))
        };
        let listed = |slots: Vec<Slot>| {
            let mut listed: Vec<(u64, Slot)> = slots.into_iter().filter_map(of_type).collect();
            listed.sort_unstable();
            Walk::Listed(listed.into_iter())
        };
        if let Some(filter) = filter {
            if let Some(id) = filter.required_text("id") {
                return listed(self.by_id.get(id).copied().into_iter().collect());
            }
            for attribute in unique_attributes(ty) {
                let path = ty.table().path(attribute);
                if let Some(value) = filter.required_text(&path) {
                    return listed(self.by_value.get(&index_key(ty, &path, value)).copied().into_iter().collect());
                }
            }
            for attribute in many(ty) {
                let path = ty.table().path(attribute);
                if let Some(value) = filter.required_text(&format!("{path}.value")) {
                    let member = self.by_id.get(value).copied();
                    return listed(member.map(|m| self.relations.holders(m, attribute)).unwrap_or_default());
                }
            }
        }
        Walk::Created(0, self.created())
    }

    /// Looks at candidates until it is the turn of others. Whether that were all.
    fn look<O: Fn(&Rank, &Rank) -> std::cmp::Ordering>(
        &self,
        ty: &ResourceType,
        walk: &mut Walk,
        search: &mut Search<'_, O>,
        pace: &Pace<'_>,
    ) -> Result<bool, StoreError> {
        match walk {
            Walk::Listed(slots) => {
                for (sequence, slot) in slots {
                    if let Some(stored) = self.stored(slot).filter(|stored| stored.sequence == sequence) {
                        self.look_at(slot, stored, search)?;
                    }
                    if pace.is_due() {
                        return Ok(false);
                    }
                }
            }
            Walk::Created(after, end) => {
                let Some(orders) = self.orders.get(ty.name()).filter(|_| *after < *end) else { return Ok(true) };
                for (sequence, slot) in orders.created.range((Bound::Excluded(*after), Bound::Included(*end))) {
                    if let Some(stored) = self.stored(*slot) {
                        self.look_at(*slot, stored, search)?;
                    }
                    *after = *sequence;
                    if pace.is_due() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn look_at<O: Fn(&Rank, &Rank) -> std::cmp::Ordering>(
        &self,
        slot: Slot,
        stored: &Stored,
        search: &mut Search<'_, O>,
    ) -> Result<(), StoreError> {
        let query = search.query;
        query.budget.spend(ROW)?;
        match &query.filter {
            Some(filter) if !self.matches(filter, query, slot, &stored.resource, search)? => return Ok(()),
            Some(_) => {}
            None => query.budget.spend(LOOK)?,
        }
        search.total += 1;
        if !search.ordered {
            if search.total > query.offset && search.total - query.offset <= query.limit {
                search.unordered.push(Hit::new(slot, stored));
            }
            return Ok(());
        }
        let rank = match search.joined_order {
            true => query.rank(&self.charged(slot, &stored.resource, &search.everything, query)?)?,
            false => query.rank(&stored.resource)?,
        };
        if query.rank_follows(&rank, search.begin.as_ref()) {
            search.first.add(rank, Hit::new(slot, stored), &query.budget)?;
        }
        Ok(())
    }

    fn matches<O>(
        &self,
        filter: &BoundFilter,
        query: &Query,
        slot: Slot,
        resource: &Resource,
        search: &Search<'_, O>,
    ) -> Result<bool, StoreError> {
        let seen = match search.sight {
            Sight::Document => return Ok(filter.matches_within(resource, &query.budget)?),
            Sight::Reference(attribute, value) => {
                query.budget.spend(REFERENCE)?;
                let member = self.by_id.get(value).copied();
                let member = member.filter(|member| self.relations.contains(slot, attribute, *member));
                let element = member.map(|member| [&b"["[..], &self.element(slot, attribute, member), b"]"].concat());
                splice(resource, &[(attribute, element)], &[], Box::default())
            }
            Sight::Joined => self.charged(slot, resource, &search.everything, query)?,
        };
        Ok(filter.matches_within(&seen, &query.budget)?)
    }

    /// The resource with the references that are wanted, at the expense of the request.
    fn charged(
        &self,
        slot: Slot,
        resource: &Resource,
        want: &Projection,
        query: &Query,
    ) -> Result<Resource, StoreError> {
        query.budget.spend(self.joining(slot, resource, want))?;
        Ok(self.joined(slot, resource, want))
    }

    /// What it costs to put the references into a document.
    pub(super) fn joining(&self, slot: Slot, resource: &Resource, want: &Projection) -> u64 {
        let ty = resource.resource_type();
        let count = |id: AttrId| match ty.node(id).relation() {
            _ if !want.wants(id) => 0,
            Relation::Many => self.relations.count(slot, id),
            Relation::Derived => self.relations.count_holders(slot),
            _ => 0,
        };
        let references: usize = ty.table().root().children().ids().iter().map(|id| count(*id)).sum();
        u64::try_from(references).unwrap_or(u64::MAX).saturating_mul(REFERENCE).saturating_add(JOIN)
    }

    /// The attribute of which there are more references than that.
    fn crowded(&self, slot: Slot, resource: &Resource, want: &Projection, most: usize) -> Option<String> {
        let ty = resource.resource_type();
        let mut shown = many(ty).filter(|id| want.wants(*id));
        shown.find(|id| self.relations.count(slot, *id) > most).map(|id| ty.table().path(id))
    }

    /// Puts what was found on the page until it is the turn of others: each resource with references of the same moment.
    fn settled(
        &self,
        ty: &ResourceType,
        query: &Query,
        shown: &mut Shown,
        pace: &Pace<'_>,
    ) -> Result<Settled, StoreError> {
        let want = if query.cursor.is_some() { &query.projection } else { &query.answer };
        let with_references = many(ty).any(|id| want.wants(id));
        for hit in shown.hits.by_ref() {
            let Some(now) = self.stored(hit.slot).filter(|now| now.sequence == hit.sequence) else {
                return Ok(Settled::Changed);
            };
            let resource = match with_references && now.version != hit.version {
                false => hit.resource,
                // who joins or leaves it moves no group on the list
                true if self.is_where_it_was(ty, query, &hit, &now.resource)? => now.resource.clone(),
                true => return Ok(Settled::Changed),
            };
            let work = self.joining(hit.slot, &resource, want);
            if let Some(attribute) = self.crowded(hit.slot, &resource, want, query.references) {
                return Err(StoreError::too_many_references(&attribute, query.references));
            }
            let affordable = shown.room && query.budget.spend(work).is_ok();
            if !affordable && shown.page.len() > 1 {
                shown.early = true;
                return Ok(Settled::All);
            }
            if !affordable {
                // two are shown whatever they cost, as they are whatever they hold
                query.budget.spend(query.budget.left() / 2)?;
            }
            let resource = self.joined(hit.slot, &resource, want);
            shown.room = shown.held.add(&resource);
            shown.page.push(resource);
            if pace.is_due() {
                return Ok(Settled::Some);
            }
        }
        Ok(Settled::All)
    }

    /// Whether a resource that has changed since it was found is still found, and at the same place.
    fn is_where_it_was(&self, ty: &ResourceType, query: &Query, hit: &Hit, now: &Resource) -> Result<bool, StoreError> {
        let by_document = query.sort.as_ref().is_none_or(|sort| !is_apart(ty, sort.attribute()));
        let same = query.sort.as_ref().is_none_or(|sort| sort.key(&hit.resource) == sort.key(now));
        let matches = match &query.filter {
            None => true,
            Some(filter) => {
                let seen = self.charged(hit.slot, now, &Projection::everything(ty), query)?;
                filter.matches_within(&seen, &query.budget)?
            }
        };
        Ok(by_document && same && matches)
    }
}

/// Whether an attribute is kept apart from the document.
fn is_apart(ty: &ResourceType, id: AttrId) -> bool {
    matches!(ty.node(id).relation(), Relation::Many | Relation::Derived)
}
