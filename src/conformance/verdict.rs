//! What came of a case, in words for the person who implements the store.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What came of a case: passed, or the reason why not.
pub type Verdict = Result<(), Stop>;

/// Why a case did not pass.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Stop {
    /// Something was not as it has to be.
    Failed(Failure),
    /// The case asks for something that the host does not have, and says for what. This is no fault.
    NotApplicable(&'static str),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::NotApplicable(reason) => write!(f, "does not apply: {reason}"),
        }
    }
}

/// What was done, what was expected, what came, and which section says so.
#[derive(Clone)]
pub struct Failure {
    section: &'static str,
    steps: Vec<String>,
    expected: String,
    found: String,
}

impl Failure {
    /// The section of an RFC, or the paragraph of the [store's contract](crate::store), that asks for it.
    pub fn section(&self) -> &str {
        self.section
    }

    /// What was done, call by call.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// What should have come of it.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What came of it.
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not as {} asks for", self.section)?;
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {} {}. {step}", if at == 0 { "done:    " } else { "         " }, at + 1)?;
        }
        writeln!(f, "  expected: {}", self.expected)?;
        write!(f, "  found:    {}", self.found)
    }
}

/// The same text: test harnesses print what a test returns with `Debug`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// What a case has done so far, and the section that it is about. Clones write into the same list.
#[derive(Clone, Debug)]
pub(super) struct Log {
    section: &'static str,
    steps: Arc<Mutex<Vec<String>>>,
}

impl Log {
    pub(super) fn new(section: &'static str) -> Self {
        Self { section, steps: Arc::default() }
    }

    pub(super) fn step(&self, step: String) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    /// Goes on when `holds`, and else stops with what was expected and what was found.
    pub(super) fn expect(&self, holds: bool, expected: impl Into<String>, found: impl Into<String>) -> Verdict {
        if holds { Ok(()) } else { Err(self.failure(expected, found)) }
    }

    pub(super) fn failure(&self, expected: impl Into<String>, found: impl Into<String>) -> Stop {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Stop::Failed(Failure { section: self.section, steps, expected: expected.into(), found: found.into() })
    }
}
