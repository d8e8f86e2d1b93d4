//! Preparing text before it is compared (RFC 7644 §5, §7.8): what the host's Unicode library makes of it.

use std::borrow::Cow;
use std::fmt;

/// A function that makes comparable text of what a client sends: a PRECIS profile (RFC 8265), Unicode normalisation, or a rule
/// of the host's own. It gives `None` for text that it does not allow.
///
/// Applying it twice has to be the same as applying it once.
#[derive(Clone, Copy)]
pub struct Preparation(fn(&str) -> Option<Cow<'_, str>>);

impl Preparation {
    /// A preparation by this function.
    pub fn new(prepare: fn(&str) -> Option<Cow<'_, str>>) -> Self {
        Self(prepare)
    }

    /// The prepared text, or `None` when it is not allowed.
    pub fn apply<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        (self.0)(text)
    }
}

impl PartialEq for Preparation {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Preparation {}

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preparation")
    }
}
