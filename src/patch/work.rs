//! What the steps of a PATCH cost. The figures are nanoseconds of one core, each measured with the worst input of its step: long
//! values, letters that are folded by the tables of Unicode, texts full of escapes.

use super::{PatchError, PatchErrorKind};
use crate::filter::{Bound, CompareOp, Test};
use crate::{Budget, Limits};

/// What one PATCH may still cost: no more than its own limit, and no more than the request has left.
#[derive(Debug)]
pub(super) struct Account {
    left: u64,
    budget: Budget,
    limits: (u64, u64),
}

impl Account {
    pub(super) fn new(limits: &Limits, budget: &Budget) -> Self {
        Self { left: limits.patch_work, budget: budget.clone(), limits: (limits.patch_work, limits.work) }
    }

    /// The same PATCH goes on: so much was spent on it before.
    pub(super) fn after(mut self, spent: u64) -> Self {
        self.left = self.left.saturating_sub(spent);
        self
    }

    pub(super) fn spent(&self) -> u64 {
        self.limits.0.saturating_sub(self.left)
    }

    /// Takes what a step is going to cost.
    pub(super) fn spend(&mut self, work: u64) -> Result<(), PatchError> {
        let (own, all) = self.limits;
        let Some(left) = self.left.checked_sub(work) else {
            // what it takes to find that out is not told by what it would have been
            self.budget.charge(std::mem::take(&mut self.left));
            let text = format!("the operations are more work than a PATCH may be (`patch_work`: {own})");
            return Err(PatchError::message(PatchErrorKind::TooLarge, text));
        };
        self.left = left;
        self.budget.spend(work).map_err(|_| {
            let text = format!("the operations are more work than the request has left (`work`: {all})");
            PatchError::message(PatchErrorKind::TooLarge, text)
        })
    }
}

/// How many values there are, how long they are, and what stands in them: what the cost of a step depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    values: u64,
    bytes: u64,
    escapes: bool,
    ascii: bool,
}

impl Extent {
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Self {
        let mut extent = Self { ascii: true, ..Self::default() };
        for value in values {
            extent.values += 1;
            extent.bytes += size(value.len());
            extent.escapes |= value.contains(&b'\\');
            extent.ascii &= value.is_ascii();
        }
        extent
    }

    /// A walk over the text, such as the search for a part of each value. Escapes are what makes it slow.
    pub(super) fn scan(self) -> u64 {
        let text = if self.escapes { self.bytes * 4 } else { self.bytes / 5 };
        text + self.values * 60
    }

    /// Taking the values apart and copying them.
    pub(super) fn copies(self) -> u64 {
        self.scan() + copied(self.bytes)
    }

    /// Sorting the values by what tells them apart.
    pub(super) fn identities(self) -> u64 {
        self.copies() + self.values * 100
    }

    /// Taking each value apart and folding its parts.
    pub(super) fn folded(self) -> u64 {
        let byte = if self.ascii && !self.escapes { 10 } else { 36 };
        self.values * 200 + self.bytes * byte
    }

    /// Putting each value together anew from its parts and those of a text, of which there are so many in all.
    pub(super) fn merged(self, parts: u64, text: usize) -> u64 {
        self.copies() + self.scan() + copied(self.bytes) + self.values * (200 + copied(size(text))) + parts * 120
    }

    /// Looking at each value with a filter.
    pub(super) fn compared(self, filter: &Bound) -> u64 {
        match filter {
            Bound::And(filters) | Bound::Or(filters) => filters.iter().map(|filter| self.compared(filter)).sum(),
            Bound::Not(filter) | Bound::Element { filter, .. } => self.compared(filter),
            Bound::Leaf(leaf) => {
                let plain = self.ascii && !self.escapes;
                // beyond the length of the operand, in the longest way to write it, nothing is compared
                let within = |operand: &str| self.bytes.min(self.values * 6 * size(operand.len() + 1));
                let byte = match filter.effort() {
                    TABLES.. => 32,
                    _ if plain => 5,
                    _ => 20,
                };
                self.scan()
                    + match &leaf.test {
                        Test::Text(CompareOp::Co, _) => self.bytes * byte,
                        // where a text ends is not seen at once if there are escapes
                        Test::Text(CompareOp::Ew, _) if self.escapes => self.bytes * (byte + 16),
                        Test::Text(_, text) if plain => within(text.key()) * if byte > 5 { byte } else { 1 },
                        Test::Text(_, text) => within(text.key()) * byte + self.bytes,
                        Test::Number(..) | Test::Instant(..) => {
                            self.values * 200 + self.bytes.min(self.values * 64) * 5
                        }
                        Test::Present | Test::Absent | Test::Boolean { .. } => 0,
                    }
            }
        }
    }

    pub(super) fn values(self) -> u64 {
        self.values
    }

    pub(super) fn bytes(self) -> u64 {
        self.bytes
    }
}

/// From this effort on, a comparison looks into the tables of Unicode for each character.
const TABLES: usize = 8;

/// What an operation costs besides all else.
pub(super) const OPERATION: u64 = 300;

/// Reading a path, with what its filter compares prepared.
pub(super) fn path(path: &str) -> u64 {
    size(path.len()) * 25
}

/// Finding the members of an object without a look at their values.
pub(super) fn members(object: &str) -> u64 {
    size(object.len()) * 2
}

/// Moving so many bytes.
pub(super) fn copied(bytes: u64) -> u64 {
    bytes / 3
}

pub(super) fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
