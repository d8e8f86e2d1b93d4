//! What a look at values costs: units of about a nanosecond, taken while it goes on.
//!
//! The rates were measured on a release build, each on the worst input that was found for it: values of 60 KB in nine scripts,
//! of escapes, and of the operand's own beginning over and over. Honest comparisons cost a half to a quarter of what they are
//! charged.

use super::ast::CompareOp;
use super::operand::{Test, Text};
use crate::{Budget, Exhausted};

/// What may still be spent on one look at a resource.
#[derive(Debug)]
pub(crate) struct Meter {
    left: u64,
}

/// What a look at one resource costs apart from its comparisons.
pub(crate) const LOOK: u64 = 120;

/// A comparison: finding the attribute, and one of its values.
const TERM: u64 = 32;
const ELEMENT: u64 = 12;

impl Meter {
    /// What one look may cost at the most: it is not interrupted, so that it is what a thread is held for. A host that allows
    /// more for a request than a second allows more for a look.
    const LONGEST: u64 = 8_000_000;

    /// For what is bounded in another way.
    pub(crate) fn unlimited() -> Self {
        Self { left: u64::MAX }
    }

    /// Looks at the expense of a request.
    pub(crate) fn charge<T>(
        budget: &Budget,
        look: impl FnOnce(&mut Self) -> Result<T, Exhausted>,
    ) -> Result<T, Exhausted> {
        let left = budget.left();
        let most = left.min(Self::LONGEST.max(left / 125));
        let mut meter = Self { left: most };
        let found = look(&mut meter);
        budget.spend(most - meter.left)?;
        found
    }

    pub(crate) fn take(&mut self, work: u64) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(work).ok_or(Exhausted)?;
        Ok(())
    }

    /// A comparison of an attribute with a value: an object is walked over to find the part that is compared.
    pub(super) fn term(&mut self, value: &[u8]) -> Result<(), Exhausted> {
        self.take(TERM)?;
        if value.starts_with(b"{") { self.walk(value) } else { Ok(()) }
    }

    /// One element of a list, which is walked over to find its end and its parts.
    pub(super) fn walk(&mut self, element: &[u8]) -> Result<(), Exhausted> {
        self.take(length(element).saturating_mul(3).saturating_add(ELEMENT))
    }

    /// One value, before it is compared.
    pub(super) fn value(&mut self, test: &Test, value: &[u8]) -> Result<(), Exhausted> {
        let work = match test {
            Test::Present | Test::Absent if value.starts_with(b"\"") => scanning(value),
            Test::Present | Test::Absent => length(value).saturating_mul(3),
            Test::Boolean { .. } => 0,
            Test::Text(op, text) => text.work(*op, value),
            Test::Number(..) => length(value).saturating_mul(6),
            Test::Instant(..) => length(value).saturating_mul(6),
        };
        self.take(work.saturating_add(ELEMENT))
    }
}

impl Text {
    /// What it costs to compare a string, quotes included.
    fn work(&self, op: CompareOp, value: &[u8]) -> u64 {
        let whole = length(value);
        // the longest way to write a character is `\u001f`
        let beginning = whole.min(length(self.key().as_bytes()).saturating_add(2).saturating_mul(6));
        let escaped = value.contains(&b'\\');
        // where every character is escaped, looking for the beginning of the end goes through all of them
        let compared = if op == CompareOp::Co || (op == CompareOp::Ew && escaped) { whole } else { beginning };
        let plain = value.is_ascii() && !escaped;
        let rate = match (op, plain) {
            (CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le, true) => 18,
            // what is not plain does not occur in what is
            (_, true) if self.is_plain() => 5,
            (_, true) => 0,
            (_, false) if self.is_plain() || self.is_exact() => 13,
            (_, false) => 30,
        };
        compared.saturating_mul(rate).saturating_add(scanning(value))
    }
}

/// What it costs to find the end of a string, and whether it is plain: eight bytes at once, as long as none is escaped.
fn scanning(value: &[u8]) -> u64 {
    if value.contains(&b'\\') { length(value).saturating_mul(3) } else { length(value) / 4 }
}

/// What it costs to make the text that is sorted by: its characters folded.
pub(crate) fn folding(value: &[u8]) -> u64 {
    let rate = if value.is_ascii() { 3 } else { 30 };
    length(value).saturating_mul(rate)
}

pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
