//! Evaluation on the bytes of a document.

use super::bind::{Bound, BoundFilter, Leaf};
use super::meter::{LOOK, Meter};
use super::operand::Test;
use crate::resource::Resource;
use crate::resource::scan::{elements, member};
use crate::schema::table::AttrId;
use crate::{Budget, Exhausted};

impl BoundFilter {
    /// Whether the resource satisfies the filter.
    ///
    /// Rules that the RFC leaves open: an attribute without a value satisfies `ne` and `eq null`; a multi-valued attribute
    /// satisfies a comparison when any of its values does, `ne` included; `primary` reads as false where it is missing.
    ///
    /// It takes as long as it takes: a store that looks at many resources asks [`matches_within`](Self::matches_within).
    pub fn matches(&self, resource: &Resource) -> bool {
        self.root.matches(resource, &mut Meter::unlimited()).unwrap_or(false)
    }

    /// Whether the resource satisfies the filter, at the expense of a request: what is compared is taken from the budget of the
    /// [`Query`](crate::Query), and nothing is compared that it does not cover.
    ///
    /// ```
    /// # use scim_provider::{Budget, Compat, Exhausted, Filter, Resource, User};
    /// let users = User::resource_type().build()?;
    /// let filter = r#"title co "x""#.parse::<Filter>()?.bind(&users, Compat::default())?;
    /// let ada = br#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "title": "Countess"}"#;
    /// let ada = Resource::parse(&users, ada)?;
    /// let budget = Budget::new(1_000);
    /// let looks = (0..1_000).take_while(|_| filter.matches_within(&ada, &budget) == Ok(false)).count();
    /// assert!((2..10).contains(&looks));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the budget is used up, or when this one look is so long that it would hold its thread for more than some
    /// milliseconds.
    pub fn matches_within(&self, resource: &Resource, budget: &Budget) -> Result<bool, Exhausted> {
        Meter::charge(budget, |meter| {
            meter.take(LOOK)?;
            self.root.matches(resource, meter)
        })
    }
}

type Answer = Result<bool, Exhausted>;

/// Whether one of them holds.
fn any<T>(all: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Answer) -> Answer {
    for one in all {
        if holds(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether each of them holds.
fn every<T>(all: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Answer) -> Answer {
    Ok(!any(all, |one| Ok(!holds(one)?))?)
}

impl Bound {
    fn matches(&self, resource: &Resource, meter: &mut Meter) -> Answer {
        match self {
            Self::And(filters) => every(filters, |f| f.matches(resource, meter)),
            Self::Or(filters) => any(filters, |f| f.matches(resource, meter)),
            Self::Not(filter) => Ok(!filter.matches(resource, meter)?),
            Self::Leaf(leaf) => leaf.matches(resource, meter),
            Self::Element { attribute, filter } => {
                let value = resource.value(*attribute).unwrap_or_default();
                meter.term(value)?;
                any(elements(value), |element| {
                    meter.walk(element)?;
                    filter.holds_of(resource, element, meter)
                })
            }
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
        self.holds_of(resource, element, &mut Meter::unlimited()).unwrap_or(false)
    }

    /// The same at the expense of a request.
    fn holds_of(&self, resource: &Resource, element: &[u8], meter: &mut Meter) -> Answer {
        match self {
            Self::And(filters) => every(filters, |f| f.holds_of(resource, element, meter)),
            Self::Or(filters) => any(filters, |f| f.holds_of(resource, element, meter)),
            Self::Not(filter) => Ok(!filter.holds_of(resource, element, meter)?),
            Self::Leaf(leaf) => {
                meter.term(element)?;
                match leaf.sub {
                    None => leaf.holds(element, meter),
                    Some(sub) => leaf.part(resource, element, sub, meter),
                }
            }
            Self::Element { .. } => Ok(false),
        }
    }
}

impl Leaf {
    fn matches(&self, resource: &Resource, meter: &mut Meter) -> Answer {
        match self.test {
            // of several values one may be empty and another not: nothing is absent and present at once
            Test::Absent => Ok(!Self { test: Test::Present, ..*self }.any(resource, meter)?),
            _ => self.any(resource, meter),
        }
    }

    fn holds(&self, value: &[u8], meter: &mut Meter) -> Answer {
        meter.value(&self.test, value)?;
        Ok(self.test.holds(value))
    }

    /// Whether any value satisfies, or having none does.
    fn any(&self, resource: &Resource, meter: &mut Meter) -> Answer {
        let value = resource.value(self.attribute);
        meter.term(value.unwrap_or_default())?;
        let Some(value) = value else { return Ok(self.test.holds_unassigned()) };
        match self.sub {
            None => any(elements(value), |element| self.holds(element, meter)),
            Some(sub) if !resource.resource_type().node(self.attribute).is_multi() => {
                self.part(resource, value, sub, meter)
            }
            Some(sub) => {
                let name = resource.resource_type().node(sub).name();
                let mut assigned = false;
                let found = any(elements(value), |element| {
                    meter.walk(element)?;
                    let Some(part) = member(element, name) else {
                        assigned |= self.reads_missing_as_false();
                        return Ok(self.reads_missing_as_false() && self.test.holds_missing());
                    };
                    assigned = true;
                    any(elements(part), |part| self.holds(part, meter))
                });
                Ok(found? || (!assigned && self.test.holds_unassigned()))
            }
        }
    }

    fn part(&self, resource: &Resource, element: &[u8], sub: AttrId, meter: &mut Meter) -> Answer {
        match member(element, resource.resource_type().node(sub).name()) {
            Some(part) => any(elements(part), |part| self.holds(part, meter)),
            None => Ok(self.test.holds_missing()),
        }
    }

    fn reads_missing_as_false(&self) -> bool {
        matches!(self.test, Test::Boolean { missing_is_false: true, .. })
    }
}
