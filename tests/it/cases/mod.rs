//! Cases as data: `tests/data/cases`, collected from the RFCs, from other implementations and from incidents.
//!
//! Each runner takes the part of the library that it judges as a closure or as a server, and is itself tested with
//! one that is wrong.

pub(crate) mod attack;
pub(crate) mod filters;
pub(crate) mod patches;
pub(crate) mod reports;

use std::fmt;

use serde::de::DeserializeOwned;

/// What a runner found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many cases were run.
    pub(crate) cases: usize,
    /// The cases with a wrong answer.
    pub(crate) failures: Vec<String>,
    /// The cases that the RFC leaves open and the library answers otherwise than the file does.
    pub(crate) other_readings: Vec<String>,
}

impl Outcome {
    /// Fails unless all of so many cases were run and none of them failed.
    #[track_caller]
    pub(crate) fn assert_clean(&self, cases: usize) {
        assert!(self.failures.is_empty(), "{self}");
        assert_eq!(self.cases, cases, "the number of cases that were run");
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} cases failed", self.failures.len(), self.cases)?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "  {failure}"))
    }
}

/// Reads a file of `tests/data/cases`.
fn load<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/data/cases/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
