//! What an attack did.

use std::fmt;

/// From the worst to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Panic,
    /// A 5xx other than 501.
    ServerError,
    /// Internals in the answer: a path, a query, a panic's text.
    Leak,
    /// Something that must hold does not: a partial write, a forged attribute, somebody else's host in a link.
    Effect,
    /// Longer than the item allows.
    Slow,
    /// Accepted although it should be refused.
    Lenient,
    /// Refused without a SCIM error body.
    NotScim,
    /// Refused with another status or keyword, or although it should be accepted.
    WrongRefusal,
    Fine,
    /// Cannot be put to a library, or is about a feature that the server does without.
    Skipped,
}

/// What one item did: the worst verdict first; each with its reason.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) why_it_hurts: String,
    pub(super) request: String,
    pub(super) status: Option<u16>,
    pub(super) verdicts: Vec<(Verdict, String)>,
}

impl Finding {
    pub(super) fn worst(&self) -> Verdict {
        self.verdicts.iter().map(|(verdict, _)| *verdict).min().unwrap_or(Verdict::Fine)
    }
}

/// What all items did.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(super) findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.worst() == verdict).count()
    }

    /// Fails unless all items were fired or skipped, so many were skipped, and nothing bad came of the others.
    #[track_caller]
    pub(crate) fn assert_clean(&self, items: usize, skipped: usize) {
        assert_eq!(self.findings.len(), items, "the number of items");
        let clean = self.findings.iter().all(|finding| finding.worst() >= Verdict::Fine);
        assert!(clean, "{self}");
        assert_eq!(self.count(Verdict::Skipped), skipped, "the number of items that are skipped\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = self.findings.iter().filter(|finding| finding.worst() < Verdict::Fine).count();
        writeln!(f, "{bad} of {} attacks had an effect that they must not have", self.findings.len())?;
        for finding in self.findings.iter().filter(|finding| finding.worst() != Verdict::Fine) {
            let status = finding.status.map_or("-".to_owned(), |status| status.to_string());
            let Finding { id, name, request, why_it_hurts, verdicts, .. } = finding;
            writeln!(f, "  {id} {name}: {request:.300} -> {status}")?;
            for (verdict, reason) in verdicts {
                writeln!(f, "    {verdict:?}: {reason}")?;
            }
            if finding.worst() < Verdict::Fine {
                writeln!(f, "    ({why_it_hurts})")?;
            }
        }
        Ok(())
    }
}
