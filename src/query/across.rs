//! Queries across resource types (RFC 7644 §3.4.2.1, §3.4.3): what is asked of each type, and the order of all.

use std::cmp::Ordering;

use super::{Parameters, Query};
use crate::compat::{Compat, Repairs};
use crate::cursor::{Cursor, Position};
use crate::filter::{BoundFilter, Filter, Meter, Narrowed};
use crate::resource::{Links, Resource};
use crate::schema::ResourceType;
use crate::sort::{Rank, Sort};
use crate::{Budget, Error, Exhausted, Limits};

/// A query across resource types, understood.
#[derive(Debug)]
pub(crate) struct Across {
    /// what is asked of which type, by its number; types of which nothing can match are left out
    pub(crate) parts: Vec<(usize, Part)>,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<Cursor>,
    /// of any type that is asked and has the attribute: all of them order alike
    sort: Option<Sort>,
    identity: u64,
}

/// What is asked of one type.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) query: Query,
    /// whether no resource of the type follows the cursor, so that they are only counted
    pub(crate) passed: bool,
    /// whether its resources have no value by which all are sorted: they are ordered by their ids
    valueless: bool,
}

impl Parameters<'_> {
    /// Binds the query to several types. An attribute has no value where a type lacks it.
    ///
    /// # Errors
    /// As for a query of one type; in particular when no type can be sorted by an attribute, and when the types would
    /// order its values differently.
    pub(crate) fn bind_across<'t>(
        &self,
        types: impl Iterator<Item = &'t ResourceType> + Clone,
        compat: Compat,
        limits: &Limits,
        repairs: &mut Repairs,
        links: &Links,
    ) -> Result<Across, Error> {
        let links = Some(links);
        let filter = self.parse_filter(limits)?;
        let sorted = |ty| self.sort(ty, compat);
        if let Some(first) = types.clone().next()
            && types.clone().all(|ty| sorted(ty).is_err())
        {
            // no type can be sorted by it: the first says why
            sorted(first)?;
        }
        let mut asked = Vec::new();
        for (number, ty) in types.enumerate() {
            let narrowed = filter.as_ref().map_or(Narrowed::All, |f| f.narrowed(ty, compat));
            let filter = match narrowed {
                Narrowed::Nothing => continue,
                Narrowed::All => None,
                Narrowed::Filter(filter) => Some(self.bind_filter(&filter, ty, (compat, links), repairs)?),
            };
            asked.push((number, ty, filter, sorted(ty).ok().flatten()));
        }
        let sort = asked.iter().find_map(|(_, _, _, sort)| sort.clone());
        if let Some(first) = &sort
            && !asked.iter().filter_map(|(_, _, _, sort)| sort.as_ref()).all(|other| first.orders_like(other))
        {
            return Err(super::parameters::invalid("the resource types differ in how they sort by this attribute"));
        }
        let written = filter.as_ref().map(Filter::to_string).unwrap_or_default();
        let identity = self.identity("/", &written, sort.as_ref());
        let cursor = self.cursor(identity, sort.as_ref())?;
        let mut parts = Vec::with_capacity(asked.len());
        for (number, ty, filter, own) in asked {
            let sort = (own, sort.is_some());
            parts.push((number, self.part(ty, filter, sort, cursor.clone(), identity, (compat, limits))?));
        }
        Ok(Across { parts, offset: self.offset(), limit: self.limit(limits), cursor, sort, identity })
    }

    fn part(
        &self,
        ty: &ResourceType,
        filter: Option<BoundFilter>,
        (sort, all_are_sorted): (Option<Sort>, bool),
        cursor: Option<Cursor>,
        identity: u64,
        (compat, limits): (Compat, &Limits),
    ) -> Result<Part, Error> {
        let mut passed = false;
        let cursor = match (cursor, &sort) {
            // to a resource without the attribute only ids matter, among those that have no value either
            (Some(Cursor::After(position)), None) if position.value().is_some() => {
                passed = self.descends();
                Some(Cursor::Beginning)
            }
            (Some(Cursor::Before(position)), None) if position.value().is_some() => {
                passed = !self.descends();
                Some(Cursor::Before(Position::behind_all_without_value()))
            }
            (cursor, _) => cursor,
        };
        let valueless = sort.is_none();
        let sort = match sort {
            // pages by cursor are ordered by id anyway; pages by index are in whatever order the store likes
            None if all_are_sorted && cursor.is_none() => Some(Sort::by_id(ty)),
            sort => sort,
        };
        let query = self.assemble(ty, filter, sort, cursor, identity, compat, limits)?;
        Ok(Part { query, passed, valueless })
    }
}

impl Part {
    /// The place of a resource in the order of all; `None` for one without an id.
    pub(crate) fn position(&self, resource: &Resource) -> Option<Position> {
        Position::behind(resource, self.query.sort.as_ref().filter(|_| !self.valueless))
    }
}

impl Across {
    /// Compares two ranks in the order of all: by what is sorted by, then by id.
    pub(crate) fn compare(&self, a: &Position, b: &Position) -> Ordering {
        let value = |position| Position::value(position).map(|value| value.as_json());
        match &self.sort {
            Some(sort) => sort.compare_keys((value(a), Some(a.id())), (value(b), Some(b.id()))),
            None => a.id().cmp(b.id()),
        }
    }

    /// A place in the order of all, read once.
    pub(crate) fn rank(&self, position: &Position, budget: &Budget) -> Result<Rank, Exhausted> {
        match &self.sort {
            Some(sort) => {
                let key = (position.value().map(|value| value.as_json()), Some(position.id()));
                Meter::charge(budget, |meter| sort.rank_of(key, meter))
            }
            None => Ok(Rank::of_id(Some(position.id()))),
        }
    }

    /// [`compare`](Self::compare) for ranks.
    pub(crate) fn compare_ranks(&self, a: &Rank, b: &Rank) -> Ordering {
        match &self.sort {
            Some(sort) => sort.compare_ranks(a, b),
            None => Sort::compare_ids(a, b),
        }
    }

    /// Whether there is an order other than by type.
    pub(crate) fn is_sorted(&self) -> bool {
        self.sort.is_some()
    }

    pub(crate) fn cursor_text(&self, parameters: &Parameters<'_>, cursor: Cursor) -> String {
        parameters.token_text(self.identity, self.sort.as_ref(), cursor)
    }
}
