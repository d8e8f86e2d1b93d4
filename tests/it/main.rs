//! The public API against the standard's own text, against what identity providers and attackers send, and the rules of the
//! house: a module per capability. Data lies in `tests/data`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

mod auto_traits;
mod bulk_model;
mod cases;
#[cfg(feature = "conformance")]
mod conformance;
mod cursor_contract;
mod flows;
mod house;
mod laws;
mod ledger;
mod leniencies;
mod lifecycle;
mod limits;
mod observer;
mod push_down;
mod regressions;
mod rfc;
mod rules;
mod scim;
mod server;
mod short_pages;
mod store_contract;
mod stream;
mod tenant_types;
mod throttle;
mod wiring;
mod work;
