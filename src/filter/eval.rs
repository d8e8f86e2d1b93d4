//! Evaluation on the bytes of a document.

use super::bind::{Bound, BoundFilter, Leaf};
use super::operand::Test;
use crate::resource::Resource;
use crate::resource::scan::{elements, member};
use crate::schema::table::AttrId;

impl BoundFilter {
    /// Whether the resource satisfies the filter.
    ///
    /// Rules that the RFC leaves open: an attribute without a value satisfies `ne` and `eq null`; a multi-valued attribute
    /// satisfies a comparison when any of its values does, `ne` included; `primary` reads as false where it is missing.
    pub fn matches(&self, resource: &Resource) -> bool {
        self.root.matches(resource)
    }

    /// How many bytes a look at the resource compares at the most. Those that several comparisons look at count for each.
    pub(crate) fn work(&self, resource: &Resource) -> usize {
        self.root.work(resource)
    }
}

impl Bound {
    fn matches(&self, resource: &Resource) -> bool {
        match self {
            Self::And(filters) => filters.iter().all(|f| f.matches(resource)),
            Self::Or(filters) => filters.iter().any(|f| f.matches(resource)),
            Self::Not(filter) => !filter.matches(resource),
            Self::Leaf(leaf) => leaf.matches(resource),
            Self::Element { attribute, filter } => {
                let value = resource.value(*attribute);
                value.is_some_and(|value| elements(value).any(|element| filter.matches_element(resource, element)))
            }
        }
    }

    fn work(&self, resource: &Resource) -> usize {
        let length = |attribute| resource.value(attribute).map_or(0, <[u8]>::len);
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().map(|f| f.work(resource)).sum(),
            Self::Not(filter) => filter.work(resource),
            Self::Leaf(leaf) => leaf.test.effort() * length(leaf.attribute),
            Self::Element { attribute, filter } => filter.effort() * length(*attribute),
        }
    }

    /// How many bytes are compared for each of a value.
    pub(crate) fn effort(&self) -> usize {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().map(Self::effort).sum(),
            Self::Not(filter) | Self::Element { filter, .. } => filter.effort(),
            Self::Leaf(leaf) => leaf.test.effort(),
        }
    }

    /// How many comparisons it has.
    pub(crate) fn terms(&self) -> usize {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().map(Self::terms).sum(),
            Self::Not(filter) | Self::Element { filter, .. } => filter.terms(),
            Self::Leaf(_) => 1,
        }
    }

    /// Whether one value of the attribute in front of `[ ]` satisfies.
    pub(crate) fn matches_element(&self, resource: &Resource, element: &[u8]) -> bool {
        match self {
            Self::And(filters) => filters.iter().all(|f| f.matches_element(resource, element)),
            Self::Or(filters) => filters.iter().any(|f| f.matches_element(resource, element)),
            Self::Not(filter) => !filter.matches_element(resource, element),
            Self::Leaf(leaf) => match leaf.sub {
                None => leaf.test.holds(element),
                Some(sub) => leaf.part(resource, element, sub),
            },
            Self::Element { .. } => false,
        }
    }
}

impl Leaf {
    fn matches(&self, resource: &Resource) -> bool {
        match self.test {
            // of several values one may be empty and another not: nothing is absent and present at once
            Test::Absent => !Self { test: Test::Present, ..*self }.any(resource),
            _ => self.any(resource),
        }
    }

    /// Whether any value satisfies, or having none does.
    fn any(&self, resource: &Resource) -> bool {
        let Some(value) = resource.value(self.attribute) else { return self.test.holds_unassigned() };
        match self.sub {
            None => elements(value).any(|element| self.test.holds(element)),
            Some(sub) if !resource.resource_type().node(self.attribute).is_multi() => self.part(resource, value, sub),
            Some(sub) => {
                let name = resource.resource_type().node(sub).name();
                let mut assigned = false;
                let found = elements(value).any(|element| match member(element, name) {
                    Some(part) => {
                        assigned = true;
                        elements(part).any(|part| self.test.holds(part))
                    }
                    None => {
                        assigned |= self.reads_missing_as_false();
                        self.reads_missing_as_false() && self.test.holds_missing()
                    }
                });
                found || (!assigned && self.test.holds_unassigned())
            }
        }
    }

    fn part(&self, resource: &Resource, element: &[u8], sub: AttrId) -> bool {
        match member(element, resource.resource_type().node(sub).name()) {
            Some(part) => elements(part).any(|part| self.test.holds(part)),
            None => self.test.holds_missing(),
        }
    }

    fn reads_missing_as_false(&self) -> bool {
        matches!(self.test, Test::Boolean { missing_is_false: true, .. })
    }
}
