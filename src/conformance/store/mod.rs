//! The cases for stores. Each is a function of a fresh fixture; its first paragraph says what it asks for.

pub mod create;
pub mod cursor;
pub mod delete;
pub mod dropped;
pub mod filter;
pub mod group_filter;
pub mod isolation;
pub mod members;
pub mod patch;
pub mod read;
pub mod replace;
pub mod sort;
pub mod unique;
