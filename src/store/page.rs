//! What a store found, and how much of the query it carried out.

use crate::resource::Resource;

/// The resources that a store found for a query.
///
/// A page is safe by construction. What the store did not do, the service does: it filters, sorts, counts and cuts. A store
/// that ignores the filter costs time; it cannot put anybody into an answer who does not belong there.
#[derive(Clone, Debug)]
pub struct Page {
    resources: Vec<Resource>,
    extent: Extent,
}

/// Which part of the query is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every resource that matches is here, and perhaps others.
    Candidates,
    /// Exactly the resources that match, all of them, in no particular order.
    Matches,
    /// Exactly the page that was asked for, in its order, of so many that match.
    Exact { total: usize },
    /// What follows the cursor, in order, one more than the limit if there are as many; `total` where it is known.
    Following { filtered: bool, total: Option<usize>, early: bool },
}

impl Page {
    /// "I filtered little or nothing": all that may match, at most [`Query::scan`](crate::Query::scan) of them and one.
    pub fn candidates(resources: Vec<Resource>) -> Self {
        Self { resources, extent: Extent::Candidates }
    }

    /// All resources that match the filter and no others, not yet sorted and cut.
    pub fn matches(resources: Vec<Resource>) -> Self {
        Self { resources, extent: Extent::Matches }
    }

    /// The page itself: filter, order, offset and limit are all carried out. `total` counts all that match. A page that
    /// [would hold too much](crate::Query::bytes) may end early.
    pub fn exact(resources: Vec<Resource>, total: usize) -> Self {
        Self { resources, extent: Extent::Exact { total } }
    }

    /// What follows the position where a [page by cursor](crate::Query::cursor) begins, in the order of
    /// [`Query::compare`](crate::Query::compare): all match, and there are [`limit`](crate::Query::limit) of them and one
    /// more, so that the service can tell whether there is another page; fewer are all that is left.
    pub fn following(resources: Vec<Resource>) -> Self {
        Self { resources, extent: Extent::Following { filtered: true, total: None, early: false } }
    }

    /// As [`following`](Self::following), of resources that may match: the service checks the filter, and asks for more when
    /// too few do.
    pub fn following_candidates(resources: Vec<Resource>) -> Self {
        Self { resources, extent: Extent::Following { filtered: false, total: None, early: false } }
    }

    /// Says of what follows a cursor that it ends early, because it [would hold too much](crate::Query::bytes): others follow,
    /// although there are fewer here than the limit and one.
    #[must_use]
    pub fn ending_early(mut self) -> Self {
        if let Extent::Following { early, .. } = &mut self.extent {
            *early = true;
        }
        self
    }

    /// Adds to [`following`](Self::following) how many resources match in all, before and after the position. Where it is not
    /// known, the answer to the client has no `totalResults` (RFC 9865 §2).
    #[must_use]
    pub fn with_total(mut self, count: usize) -> Self {
        match &mut self.extent {
            Extent::Following { total, .. } => *total = Some(count),
            Extent::Exact { total } => *total = count,
            Extent::Candidates | Extent::Matches => {}
        }
        self
    }

    /// The resources of the page.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Whether the store says that it has carried the filter out: everything here matches.
    pub fn is_filtered(&self) -> bool {
        !matches!(self.extent, Extent::Candidates | Extent::Following { filtered: false, .. })
    }

    /// Whether the store says that this is what follows a cursor.
    pub fn is_following(&self) -> bool {
        matches!(self.extent, Extent::Following { .. })
    }

    /// Whether the store says that what follows a cursor ends early.
    pub fn is_ending_early(&self) -> bool {
        matches!(self.extent, Extent::Following { early: true, .. })
    }

    /// How many resources match, when the store says that it has counted them.
    pub fn total(&self) -> Option<usize> {
        match self.extent {
            Extent::Exact { total } => Some(total),
            Extent::Following { total, .. } => total,
            Extent::Candidates | Extent::Matches => None,
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<Resource>, Extent) {
        (self.resources, self.extent)
    }
}
