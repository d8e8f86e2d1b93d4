//! Queries (RFC 7644 §3.4.2): filter, order, page and projection, from a URL or from a search request.

mod across;
mod foremost;
mod parameters;

use std::cmp::Ordering;

pub(crate) use across::{Across, Part};
pub(crate) use foremost::{Foremost, Pace};
pub(crate) use parameters::{Parameters, decode};

use crate::compat::{Compat, Repairs};
use crate::cursor::{Cursor, Position};
use crate::filter::sql::{ColumnMap, Dialect, Keyset, KeysetOrder};
use crate::filter::{BoundFilter, LOOK, Meter};
use crate::resource::{Projection, Resource};
use crate::schema::ResourceType;
use crate::sort::{Rank, Sort};
use crate::{Budget, Error, Exhausted, Limits};

/// A query, understood: what a store is asked for.
///
/// A store uses what it can and says in its [`Page`](crate::Page) what it used. Whatever it leaves, the service does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query {
    /// Which resources.
    pub filter: Option<BoundFilter>,
    /// In which order; without one the store's own, as long as it is stable.
    pub sort: Option<Sort>,
    /// How many resources to skip: `startIndex` counted from 0.
    pub offset: usize,
    /// Where the page begins, for a page by cursor (RFC 9865), which has no offset: what is asked for then are the resources
    /// that follow, `limit` of them and one more; see [`Page::following`](crate::Page::following). Without an order they are
    /// ordered by id. A page [before](Cursor::Before) a position is no different, but for the order: what follows is in the
    /// reverse of it, and the service turns the page round. Only a store that says so in its
    /// [`Capabilities`](crate::Capabilities) is asked.
    pub cursor: Option<Cursor>,
    /// How many resources to return at the most, already within the service's limits. 0 asks for the total only.
    pub limit: usize,
    /// What is needed of each resource: what the client wants, and what the filter and the order look at.
    pub projection: Projection,
    /// What the client wants. A store that carries the filter out itself ([`Page::exact`](crate::Page::exact),
    /// [`Page::matches`](crate::Page::matches)) needs no references such as `members` beyond these, and of a page by cursor
    /// what is sorted by.
    pub answer: Projection,
    /// How many candidates the service is ready to look at. A store that would return more need not: the query is refused.
    pub scan: usize,
    /// How many bytes of resources the service is ready to hold. A page may end early behind the resource that exceeds them,
    /// but not before its second one; see [`Query::held`].
    pub bytes: usize,
    /// How many references one resource may have where they are shown: see
    /// [`Limits::listed_references`](crate::Limits::listed_references) and
    /// [`StoreError::too_many_references`](crate::StoreError::too_many_references).
    pub references: usize,
    /// What the request may still cost: what a store takes from it before it looks at rows that no index finds.
    pub budget: Budget,
    /// says which query a cursor belongs to
    identity: u64,
}

impl Query {
    /// The query of a URL's query string, as the service would bind it: what a host hands to its own store in a test.
    ///
    /// ```
    /// # use scim_provider::{Compat, Limits, Query, User};
    /// let users = User::resource_type().build()?;
    /// let query = Query::from_url(&users, r#"filter=active eq true&startIndex=11"#, Compat::default(), &Limits::default())?;
    /// assert_eq!((query.offset, query.limit), (10, 100));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As the client would read it: a filter that cannot be understood, a number that is none, an order by nothing.
    pub fn from_url(ty: &ResourceType, query: &str, compat: Compat, limits: &Limits) -> Result<Self, Error> {
        Parameters::from_url(query, limits)?.bind(ty, compat, limits, &mut Repairs::default(), None)
    }
}

/// How much of the memory that a query may take is taken, see [`Query::held`].
#[derive(Debug)]
pub struct Held {
    bytes: usize,
    most: usize,
    resources: usize,
}

impl Held {
    /// Counts one more resource. Whether there is room for another one behind it.
    pub fn add(&mut self, resource: &Resource) -> bool {
        self.add_bytes(resource.as_json().len())
    }

    /// The same for a resource of which only the length is known yet.
    pub fn add_bytes(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.resources = self.resources.saturating_add(1);
        self.resources < 2 || self.bytes <= self.most
    }
}

impl Query {
    /// Counts what is read for the query, so that a store can stop where [`bytes`](Self::bytes) says so.
    ///
    /// ```
    /// # use scim_provider::{Query, Resource};
    /// fn page(query: &Query, rows: impl Iterator<Item = Resource>) -> Vec<Resource> {
    ///     let (mut held, mut page) = (query.held(), Vec::new());
    ///     for resource in rows {
    ///         let room = held.add(&resource);
    ///         page.push(resource);
    ///         if !room {
    ///             break;
    ///         }
    ///     }
    ///     page
    /// }
    /// ```
    pub fn held(&self) -> Held {
        Held { bytes: 0, most: self.bytes, resources: 0 }
    }

    /// How many resources from the first one on a page can have.
    pub(crate) fn room(&self, resources: &[Resource]) -> usize {
        let mut held = self.held();
        let beyond = resources.iter().take(self.limit).position(|resource| !held.add(resource));
        beyond.unwrap_or(self.limit.min(resources.len()))
    }

    /// Compares two resources in the order of a page by cursor: that of [`sort`](Self::sort), then by id; the reverse of it
    /// for a page before a position.
    pub fn compare(&self, a: &Resource, b: &Resource) -> Ordering {
        let order = match &self.sort {
            Some(sort) => sort.compare(a, b),
            None => a.id().cmp(&b.id()),
        };
        if self.goes_back() { order.reverse() } else { order }
    }

    /// Whether a resource follows the position where the page begins, in the order of [`compare`](Self::compare). All do when
    /// it has none.
    pub fn follows(&self, resource: &Resource) -> bool {
        let Some(position) = self.cursor.as_ref().and_then(Cursor::position) else { return true };
        let behind = match &self.sort {
            Some(sort) => {
                let behind = (position.value().map(|v| v.as_json()), Some(position.id()));
                sort.compare_keys((sort.key(resource), resource.id()), behind)
            }
            None => resource.id().cmp(&Some(position.id())),
        };
        // the resource that the position is behind lies before it
        behind.is_gt() != self.goes_back()
    }

    /// Where a resource stands in the order of [`compare`](Self::compare), read once.
    pub(crate) fn rank(&self, resource: &Resource) -> Result<Rank, Exhausted> {
        match &self.sort {
            Some(sort) => sort.rank(resource, &self.budget),
            None => {
                self.budget.spend(LOOK)?;
                Ok(Rank::of_id(resource.id()))
            }
        }
    }

    /// The place of the position where the page begins.
    pub(crate) fn begin(&self) -> Result<Option<Rank>, Exhausted> {
        let Some(position) = self.cursor.as_ref().and_then(Cursor::position) else { return Ok(None) };
        let Some(sort) = &self.sort else { return Ok(Some(Rank::of_id(Some(position.id())))) };
        let key = (position.value().map(|value| value.as_json()), Some(position.id()));
        Meter::charge(&self.budget, |meter| sort.rank_of(key, meter)).map(Some)
    }

    /// [`compare`](Self::compare) for ranks.
    pub(crate) fn compare_ranks(&self, a: &Rank, b: &Rank) -> Ordering {
        let order = match &self.sort {
            Some(sort) => sort.compare_ranks(a, b),
            None => Sort::compare_ids(a, b),
        };
        if self.goes_back() { order.reverse() } else { order }
    }

    /// [`follows`](Self::follows) for ranks.
    pub(crate) fn rank_follows(&self, rank: &Rank, begin: Option<&Rank>) -> bool {
        match begin.map(|begin| self.compare_ranks(rank, begin)) {
            None => true,
            // the resource that the position is behind lies before it
            Some(order) => order.is_gt() || (order.is_eq() && self.goes_back()),
        }
    }

    pub(crate) fn goes_back(&self) -> bool {
        self.cursor.as_ref().is_some_and(Cursor::goes_back)
    }

    /// The order and the beginning of a page by cursor in SQL, or `None` when the map cannot express them exactly: then the
    /// store returns [`Page::matches`](crate::Page::matches) or [`Page::candidates`](crate::Page::candidates), all of them.
    ///
    /// ```
    /// use scim_provider::filter::sql::{Column, ColumnMap, Dialect};
    /// use scim_provider::{Compat, Limits, Query, User};
    ///
    /// let users = User::resource_type().build()?;
    /// let map = ColumnMap::builder(&users)
    ///     .column("id", Column::text("users.id"))
    ///     .column("userName", Column::folded("users.user_name_key"))
    ///     .build()?;
    /// let query = Query::from_url(&users, "cursor&sortBy=userName", Compat::default(), &Limits::default())?;
    /// let keyset = query.keyset(&users, &map, Dialect::Postgres, 2).ok_or("all of it is mapped")?;
    /// let statement = format!(
    ///     "SELECT document FROM users WHERE tenant = $1 AND {} ORDER BY {} LIMIT {}",
    ///     keyset.sql(),
    ///     keyset.order_by(),
    ///     query.limit + 1,
    /// );
    /// assert!(statement.contains("ORDER BY users.user_name_key"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keyset(
        &self,
        ty: &ResourceType,
        map: &ColumnMap,
        dialect: Dialect,
        first_placeholder: usize,
    ) -> Option<Keyset> {
        let position = self.cursor.as_ref().and_then(Cursor::position);
        let position = position.map(|position| (position.value(), position.id()));
        let order = KeysetOrder { by: self.sort.as_ref().map(Sort::order), back: self.goes_back() };
        map.keyset(ty, order, position, dialect, first_placeholder)
    }

    /// The same by index.
    pub(crate) fn by_index(&self, offset: usize, limit: usize) -> Self {
        Self { cursor: None, offset, limit, ..self.clone() }
    }

    /// The same with so many bytes.
    pub(crate) fn holding(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// The position behind a resource in the order of this query, for a test of a store's own; `None` for one without an id.
    /// The cursors that clients carry are made of it by the service.
    pub fn behind(&self, resource: &Resource) -> Option<Position> {
        Position::behind(resource, self.sort.as_ref())
    }
}
