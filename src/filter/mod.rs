//! The filter language (RFC 7644 §3.4.2.2) and the paths of PATCH operations (§3.5.2), which hold filters in brackets.
//!
//! ```text
//! filter    = andTerm *(SP "or" SP andTerm)
//! andTerm   = term *(SP "and" SP term)
//! term      = ["not"] "(" filter ")" / valuePath / attrPath SP "pr" / attrPath SP compareOp SP compValue
//! valuePath = attrPath "[" filter "]" ["." attrName SP compareOp SP compValue]
//! path      = attrPath / attrPath "[" filter "]" ["." attrName]
//! ```
//!
//! Keywords, operators and attribute names are read in any letter case, the words `true`, `false` and `null` in lower case
//! only, as in JSON. Where one space is asked for there may be more; no other white space is one.
//!
//! # Hostile input
//!
//! Reading takes time and memory linear in the length of the text, within
//! [`Limits::filter_bytes`](crate::Limits::filter_bytes), [`filter_depth`](crate::Limits::filter_depth) and
//! [`filter_terms`](crate::Limits::filter_terms). The depth also bounds the recursion in which a filter is dropped, cloned,
//! compared and written. An error keeps a few kilobytes of the text at the most.

mod ast;
mod bind;
mod bind_error;
mod display;
mod error;
mod eval;
mod literal;
mod located;
mod meter;
mod narrow;
mod operand;
mod parse;
mod path;
pub mod sql;
#[cfg(test)]
mod tests;
mod unescape;

pub use ast::{CompareOp, Filter, Literal, Number, Tail};
pub use bind::{BindError, BindErrorKind, BoundFilter};
pub(crate) use bind::{Bound, Leaf};
pub use error::{ParseError, ParseErrorKind};
pub(crate) use meter::{LOOK, Meter, folding, length};
pub(crate) use narrow::Narrowed;
pub(crate) use operand::{Test, compare_numbers, compare_text, instant, number};
pub use path::Path;
pub(crate) use unescape::unescaped_text;
