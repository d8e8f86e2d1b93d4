//! The kit.

mod desk;
mod fixture;
mod interleave;
mod list;
pub mod service;
pub mod store;
mod verdict;

pub use self::fixture::{Fixture, ServiceFixture, Tenant};
pub use self::list::{ConformanceCase, service_cases, store_cases};
pub use self::verdict::{Failure, Stop, Verdict};
