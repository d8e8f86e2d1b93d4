//! The public API against the standard's own text and against what identity providers send: a module per capability.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod auto_traits;
mod rfc_examples;
