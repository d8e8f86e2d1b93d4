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

    /// The page itself: filter, order, offset and limit are all carried out. `total` counts all that match.
    pub fn exact(resources: Vec<Resource>, total: usize) -> Self {
        Self { resources, extent: Extent::Exact { total } }
    }

    /// The resources of the page.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Whether the store says that it has carried the filter out: everything here matches.
    pub fn is_filtered(&self) -> bool {
        self.extent != Extent::Candidates
    }

    /// How many resources match, when the store says that it has counted them and that this is the page itself.
    pub fn total(&self) -> Option<usize> {
        match self.extent {
            Extent::Exact { total } => Some(total),
            Extent::Candidates | Extent::Matches => None,
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<Resource>, Extent) {
        (self.resources, self.extent)
    }
}
