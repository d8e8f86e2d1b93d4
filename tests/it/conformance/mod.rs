//! The conformance kit on the library's own store, and on stores that are wrong on purpose.
//!
//! `caught.txt` says which fault each case catches; a test compares it with what is so.

mod calls;
mod faults;
mod listing;
mod memory;
mod model;
mod patching;
mod reach;
mod wrong_services;
mod wrong_stores;
