//! Stores that fail in the midst of a request: what the client reads, what the operator reads, and what is left behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

mod calls;
mod dropped;
mod statements;
mod world;
