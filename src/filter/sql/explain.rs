//! What became of each part of a filter, for logs.

use std::fmt;

use crate::filter::operand::Test;

/// Says which parts of a filter the database checks and which are checked in memory, and why. Names attributes and
/// operators, never what they are compared with: it can go into any log.
///
/// ```text
/// exact; in SQL: userName eq, emails[type] eq
/// candidates; in SQL: active eq; in memory: nickName co (no column)
/// ```
#[derive(Clone, Debug)]
pub struct Explain<'a> {
    pub(super) exact: bool,
    pub(super) parts: &'a [Part],
}

/// One comparison, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) path: String,
    pub(super) op: &'static str,
    pub(super) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pushed,
    Weaker(&'static str),
    Memory(&'static str),
}

impl Part {
    pub(super) fn operator(test: &Test) -> &'static str {
        match test {
            Test::Present => "pr",
            Test::Absent => "eq null",
            Test::Boolean { negated: false, .. } => "eq",
            Test::Boolean { negated: true, .. } => "ne",
            Test::Text(op, _) | Test::Number(op, _) | Test::Instant(op, _) => op.as_str(),
        }
    }
}

impl Fate {
    /// Where it is listed.
    fn group(self) -> usize {
        match self {
            Self::Pushed => 0,
            Self::Weaker(_) => 1,
            Self::Memory(_) => 2,
        }
    }
}

impl fmt::Display for Explain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.exact { "exact" } else { "candidates" })?;
        for (group, fates) in ["in SQL", "weaker in SQL", "in memory"].into_iter().enumerate() {
            for (at, part) in self.parts.iter().filter(|part| part.fate.group() == group).enumerate() {
                match at {
                    0 => write!(f, "; {fates}: ")?,
                    _ => f.write_str(", ")?,
                }
                write!(f, "{} {}", part.path, part.op)?;
                if let Fate::Weaker(why) | Fate::Memory(why) = part.fate {
                    write!(f, " ({why})")?;
                }
            }
        }
        Ok(())
    }
}
