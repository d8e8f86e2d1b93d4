//! The conformance kit on the library's own store, and on stores that are wrong on purpose.

mod memory;
