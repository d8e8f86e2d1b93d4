//! `filters.json`: 252 filters, and which of 12 documents each of them matches (RFC 7644 §3.4.2.2).

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use super::{Outcome, load};

/// How many filters the file has.
pub(crate) const CASES: usize = 252;

#[derive(Debug, Deserialize)]
pub(crate) struct Filters {
    pub(crate) documents: Vec<Value>,
    pub(crate) cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) filter: String,
    valid: Value,
    /// The documents, by `externalId`, that a valid filter matches.
    matches: Option<Vec<String>>,
    /// The keyword of the refusal of one that is not valid.
    scim_type: Option<String>,
    /// Readings differ; `matches` is one of them.
    #[serde(default)]
    open: bool,
    /// Refused for its meaning only: the syntax is right.
    #[serde(default)]
    well_formed: bool,
    source: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Validity {
    Accepted,
    Refused,
    /// The RFC leaves it open.
    Either,
}

impl Filters {
    pub(crate) fn load() -> Self {
        load("filters.json")
    }

    /// Runs all cases. `evaluate` tells whether a document matches, or the keyword of the refusal.
    pub(crate) fn run(&self, evaluate: impl Fn(&Value, &str) -> Result<bool, String>) -> Outcome {
        let mut outcome = Outcome { cases: self.cases.len(), ..Outcome::default() };
        for case in &self.cases {
            let answer = self.answer(case, &evaluate);
            match case.verdict(&answer) {
                Verdict::Right => {}
                Verdict::OtherReading(why) => outcome.other_readings.push(case.describe(&why)),
                Verdict::Wrong(why) => outcome.failures.push(case.describe(&why)),
            }
        }
        outcome
    }

    fn answer(&self, case: &Case, evaluate: impl Fn(&Value, &str) -> Result<bool, String>) -> Answer {
        let mut matched = Vec::new();
        let mut refusals = Vec::new();
        for document in &self.documents {
            match evaluate(document, &case.filter) {
                Ok(true) => matched.push(document["externalId"].as_str().unwrap().to_owned()),
                Ok(false) => {}
                Err(scim_type) => refusals.push(scim_type),
            }
        }
        match refusals.len() {
            0 => Answer::Matched(matched),
            all if all == self.documents.len() => Answer::Refused(refusals.swap_remove(0)),
            some => Answer::Inconsistent(some),
        }
    }
}

/// What the library made of a filter.
enum Answer {
    Matched(Vec<String>),
    Refused(String),
    /// Refused for so many documents only: whether a filter is valid must not depend on the data.
    Inconsistent(usize),
}

enum Verdict {
    Right,
    OtherReading(String),
    Wrong(String),
}

impl Case {
    pub(crate) fn validity(&self) -> Validity {
        match &self.valid {
            Value::Bool(true) => Validity::Accepted,
            Value::Bool(false) => Validity::Refused,
            Value::String(text) if text == "either" => Validity::Either,
            other => panic!("{}: valid is {other}", self.id),
        }
    }

    /// Whether the syntax is right, where that is known.
    pub(crate) fn parses(&self) -> Option<bool> {
        match self.validity() {
            Validity::Accepted => Some(true),
            Validity::Refused => Some(self.well_formed),
            Validity::Either => None,
        }
    }

    fn verdict(&self, answer: &Answer) -> Verdict {
        let expected = match (self.validity(), &self.matches) {
            (Validity::Accepted, Some(matches)) => format!("expected {matches:?}"),
            (Validity::Accepted, None) => panic!("{}: a valid filter without `matches`", self.id),
            (Validity::Refused, _) => format!("expected {}", self.scim_type.as_deref().unwrap_or("a refusal")),
            (Validity::Either, _) => "expected a list of matches or invalidFilter".to_owned(),
        };
        let got = match answer {
            Answer::Matched(matched) => format!("got {matched:?}"),
            Answer::Refused(scim_type) => format!("got the refusal {scim_type}"),
            Answer::Inconsistent(some) => format!("got a refusal for {some} of the documents only"),
        };
        let right = match (self.validity(), answer) {
            (Validity::Accepted, Answer::Matched(matched)) => {
                let mut expected = self.matches.clone().unwrap_or_default();
                expected.sort();
                let mut matched = matched.clone();
                matched.sort();
                if self.open && matched != expected {
                    return Verdict::OtherReading(format!("{expected:?} in the file, {got}"));
                }
                matched == expected
            }
            (Validity::Refused, Answer::Refused(scim_type)) => {
                self.scim_type.as_ref().is_none_or(|one| one == scim_type)
            }
            (Validity::Either, Answer::Matched(_)) => true,
            (Validity::Either, Answer::Refused(scim_type)) => scim_type == "invalidFilter",
            _ => false,
        };
        if right { Verdict::Right } else { Verdict::Wrong(format!("{expected}, {got}")) }
    }

    fn describe(&self, why: &str) -> String {
        let mut text = format!("{} `{}`: {why}", self.id, self.filter);
        let _ = write!(text, " ({})", self.source);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as the file says, but for one case.
    fn run_with(wrong: &str, answer: impl Fn(&str) -> Result<bool, String>) -> Outcome {
        let filters = Filters::load();
        filters.run(|document, filter| {
            let case = filters.cases.iter().find(|case| case.filter == filter).unwrap();
            let name = document["externalId"].as_str().unwrap();
            if case.id == wrong {
                return answer(name);
            }
            match case.validity() {
                Validity::Refused => Err("invalidFilter".into()),
                _ => Ok(case.matches.as_ref().is_some_and(|matches| matches.iter().any(|one| one == name))),
            }
        })
    }

    #[test]
    fn there_are_252_cases_over_12_documents() {
        let filters = Filters::load();
        assert_eq!((filters.cases.len(), filters.documents.len()), (CASES, 12));
        assert!(filters.cases.iter().all(|case| case.validity() != Validity::Accepted || case.matches.is_some()));
    }

    #[test]
    fn right_answers_are_clean() {
        run_with("none", |_| Ok(false)).assert_clean(CASES);
    }

    #[test]
    fn a_wrong_answer_fails_with_both_values() {
        // f001 is valid and matches d01; f023 has an unknown operator; f115 is open; f047 may be accepted or refused.
        let outcome = run_with("f001", |name| Ok(name == "d02"));
        assert_eq!(
            outcome.failures,
            ["f001 `userName eq \"bjensen\"`: expected [\"d01\"], got [\"d02\"] (RFC 7644 fig. 2)"]
        );
        for (id, answer) in [
            ("f001", Err("invalidFilter".to_owned())),
            ("f023", Ok(true)),
            ("f023", Err("invalidValue".to_owned())),
            ("f115", Err("invalidFilter".to_owned())),
            ("f047", Err("invalidPath".to_owned())),
        ] {
            let outcome = run_with(id, |_| answer.clone());
            assert_eq!(outcome.failures.len(), 1, "{id} answered with {answer:?}: {outcome}");
        }
    }

    #[test]
    fn an_open_case_is_another_reading_and_no_failure() {
        let outcome = run_with("f115", |_| Ok(true));
        assert_eq!((outcome.failures.len(), outcome.other_readings.len()), (0, 1), "{outcome:?}");
        run_with("f047", |_| Ok(true)).assert_clean(CASES);
        run_with("f047", |_| Err("invalidFilter".into())).assert_clean(CASES);
    }

    #[test]
    fn a_refusal_that_depends_on_the_document_fails() {
        let outcome = run_with("f047", |name| if name == "d01" { Err("invalidFilter".into()) } else { Ok(false) });
        assert!(outcome.failures[0].contains("for 1 of the documents only"), "{outcome}");
    }
}
