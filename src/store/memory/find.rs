//! Queries: candidates from an index where the filter demands a value that is in one, then the filter itself.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::{Page, StoreError};
use super::table::{Slot, Table, index_key, many, unique_attributes};
use crate::cursor::Cursor;
use crate::filter::BoundFilter;
use crate::query::{Effort, Query};
use crate::resource::{Projection, Resource, splice};
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Relation};
use crate::sort::Sort;

impl Table {
    pub(super) fn list(&self, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        if query.cursor.is_some() {
            return self.following(ty, query);
        }
        let (everything, mut effort) = (Projection::everything(ty), query.effort());
        let candidates = self.candidates(ty, query.filter.as_ref());
        let mut found: Vec<(Slot, Resource)> = Vec::new();
        let mut total = 0_usize;
        for slot in candidates {
            let Some(stored) = self.stored(slot) else { continue };
            if !self.matches(query, slot, &stored.resource, &everything, &mut effort)? {
                continue;
            }
            total += 1;
            let on_page = total > query.offset && total - query.offset <= query.limit;
            if query.sort.is_some() || on_page {
                found.push((slot, stored.resource.clone()));
            }
        }
        if let Some(sort) = &query.sort {
            found.iter_mut().for_each(|(slot, r)| *r = self.sortable(query, *slot, r, &everything));
            found.sort_by(|(_, a), (_, b)| sort.compare(a, b));
            found = found.into_iter().skip(query.offset).take(query.limit).collect();
        }
        let found = found.into_iter().map(|(slot, r)| self.joined(slot, &r, &query.answer));
        Ok(Page::exact(held(query, found).0, total))
    }

    /// A page by cursor. Nothing is counted or skipped to get there; a filter or an order costs a look at everything.
    fn following(&self, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let most = query.limit.saturating_add(1);
        if let (None, None) = (&query.filter, &query.sort) {
            let ids = self.orders.get(ty.name()).map(|orders| &orders.ids);
            let range =
                |from, to| ids.into_iter().flat_map(move |ids| ids.range::<str, _>((from, to)).map(|(_, slot)| *slot));
            let slots: Vec<Slot> = match &query.cursor {
                Some(Cursor::After(position)) => {
                    range(Bound::Excluded(position.id()), Bound::Unbounded).take(most).collect()
                }
                Some(Cursor::Before(position)) => {
                    range(Bound::Unbounded, Bound::Included(position.id())).rev().take(most).collect()
                }
                Some(Cursor::Beginning) | None => range(Bound::Unbounded, Bound::Unbounded).take(most).collect(),
            };
            let resources = slots.into_iter().filter_map(|slot| Some((slot, &self.stored(slot)?.resource)));
            let found = resources.map(|(slot, resource)| self.joined(slot, resource, &query.projection));
            return Ok(following(query, found).with_total(ids.map_or(0, BTreeMap::len)));
        }
        let (everything, mut effort) = (Projection::everything(ty), query.effort());
        let mut total = 0_usize;
        let mut found: Vec<(Slot, Resource)> = Vec::new();
        for slot in self.candidates(ty, query.filter.as_ref()) {
            let Some(stored) = self.stored(slot) else { continue };
            if !self.matches(query, slot, &stored.resource, &everything, &mut effort)? {
                continue;
            }
            total += 1;
            let sorted = self.sortable(query, slot, &stored.resource, &everything);
            if query.follows(&sorted) {
                found.push((slot, sorted));
            }
        }
        let compare = |(_, a): &(Slot, Resource), (_, b): &(Slot, Resource)| query.compare(a, b);
        if found.len() > most {
            found.select_nth_unstable_by(most, compare);
            found.truncate(most);
        }
        found.sort_by(compare);
        let plain =
            |(slot, _): (Slot, Resource)| Some(self.joined(slot, &self.stored(slot)?.resource, &query.projection));
        Ok(following(query, found.into_iter().filter_map(plain)).with_total(total))
    }

    fn matches(
        &self,
        query: &Query,
        slot: Slot,
        resource: &Resource,
        everything: &Projection,
        effort: &mut Effort,
    ) -> Result<bool, StoreError> {
        let Some(filter) = &query.filter else { return Ok(true) };
        let seen = self.seen_by(filter, slot, resource, everything);
        if !effort.covers(filter, &seen) {
            return Err(StoreError::TooMany);
        }
        Ok(filter.matches(&seen))
    }

    /// The resource with what the order looks at.
    fn sortable(&self, query: &Query, slot: Slot, resource: &Resource, everything: &Projection) -> Resource {
        let ty = resource.resource_type();
        let apart = |sort: &Sort| matches!(ty.node(sort.attribute()).relation(), Relation::Many | Relation::Derived);
        match query.sort.as_ref().is_some_and(apart) {
            true => self.joined(slot, resource, everything),
            false => resource.clone(),
        }
    }

    /// The resources that may match, from an index where the filter demands a value that is in one.
    fn candidates(&self, ty: &ResourceType, filter: Option<&BoundFilter>) -> Vec<Slot> {
        let of_type = |slot: &Slot| self.stored(*slot).is_some_and(|s| s.resource.resource_type().name() == ty.name());
        if let Some(filter) = filter {
            if let Some(id) = filter.required_text("id") {
                return self.by_id.get(id).copied().filter(of_type).into_iter().collect();
            }
            for attribute in unique_attributes(ty) {
                let path = ty.table().path(attribute);
                if let Some(value) = filter.required_text(&path) {
                    return self
                        .by_value
                        .get(&index_key(ty, &path, value))
                        .copied()
                        .filter(of_type)
                        .into_iter()
                        .collect();
                }
            }
            for (attribute, path) in many(ty) {
                if let Some(value) = filter.required_text(&format!("{path}.value")) {
                    let member = self.by_id.get(value).copied();
                    let mut holders: Vec<Slot> =
                        member.map(|m| self.relations.holders(m, attribute)).unwrap_or_default();
                    holders.sort_by_key(|slot| self.stored(*slot).map(|s| s.sequence));
                    return holders.into_iter().filter(of_type).collect();
                }
            }
        }
        self.orders.get(ty.name()).map(|orders| orders.created.values().copied().collect()).unwrap_or_default()
    }

    /// The resource with as much of its references as the filter looks at.
    fn seen_by(&self, filter: &BoundFilter, slot: Slot, resource: &Resource, everything: &Projection) -> Resource {
        let ty = resource.resource_type();
        let apart = |id: &AttrId| matches!(ty.node(*id).relation(), Relation::Many | Relation::Derived);
        let looked_at: Vec<AttrId> = filter.attributes().into_iter().filter(apart).collect();
        match looked_at.as_slice() {
            [] => resource.clone(),
            // one demanded reference, as in `members[value eq "x"]`: whether that one is there is all that counts
            [only] if ty.node(*only).relation() == Relation::Many => {
                let path = format!("{}.value", ty.table().path(*only));
                let Some(value) = filter.required_text(&path) else { return self.joined(slot, resource, everything) };
                let member = self.by_id.get(value).copied().filter(|m| self.relations.contains(slot, *only, *m));
                let element = member.map(|m| [&b"["[..], &self.element(slot, *only, m), b"]"].concat());
                splice(resource, &[(*only, element)], &[], Box::default())
            }
            _ => self.joined(slot, resource, everything),
        }
    }
}

/// As many resources as a page may hold, and whether there are others.
fn held(query: &Query, found: impl Iterator<Item = Resource>) -> (Vec<Resource>, bool) {
    let (mut held, mut room, mut page) = (query.held(), true, Vec::new());
    for resource in found {
        if !room {
            return (page, true);
        }
        room = held.add(&resource);
        page.push(resource);
    }
    (page, false)
}

fn following(query: &Query, found: impl Iterator<Item = Resource>) -> Page {
    match held(query, found) {
        (page, true) => Page::following(page).ending_early(),
        (page, false) => Page::following(page),
    }
}
