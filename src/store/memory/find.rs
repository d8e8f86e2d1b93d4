//! Queries: candidates from an index where the filter demands a value that is in one, then the filter itself.

use super::super::{Page, StoreError};
use super::table::{Slot, Table, index_key, many, unique_attributes};
use crate::filter::BoundFilter;
use crate::query::Query;
use crate::resource::{Projection, Resource, splice};
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Relation};

impl Table {
    pub(super) fn list(&self, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let everything = Projection::everything(ty);
        let candidates = self.candidates(ty, query.filter.as_ref());
        let mut found: Vec<(Slot, Resource)> = Vec::new();
        let mut total = 0_usize;
        for slot in candidates {
            let Some(stored) = self.stored(slot) else { continue };
            let matches = query
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(&self.seen_by(filter, slot, &stored.resource, &everything)));
            if !matches {
                continue;
            }
            total += 1;
            let on_page = total > query.offset && total - query.offset <= query.limit;
            if query.sort.is_some() || on_page {
                found.push((slot, stored.resource.clone()));
            }
        }
        if let Some(sort) = &query.sort {
            let apart = matches!(ty.node(sort.attribute()).relation(), Relation::Many | Relation::Derived);
            if apart {
                found.iter_mut().for_each(|(slot, resource)| *resource = self.joined(*slot, resource, &everything));
            }
            found.sort_by(|(_, a), (_, b)| sort.compare(a, b));
            found = found.into_iter().skip(query.offset).take(query.limit).collect();
        }
        let page = found.into_iter().map(|(slot, r)| self.joined(slot, &r, &query.answer)).collect();
        Ok(Page::exact(page, total))
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
        self.order.get(ty.name()).map(|order| order.values().copied().collect()).unwrap_or_default()
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
