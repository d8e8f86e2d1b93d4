//! The filter cases against the library's filters.

use scim_provider::{Compat, Filter, Leniency, Limits, Literal, Resource};
use serde_json::Value;

use super::users;
use crate::cases::filters::{CASES, Filters};

/// The cases that the file calls open and that we read otherwise.
const OTHER_READINGS: usize = 0;

fn evaluate(document: &Value, filter: &str) -> Result<bool, String> {
    let ty = users();
    let filter = Filter::parse(filter, &Limits::default()).map_err(|_| "invalidFilter".to_owned())?;
    // the grammar has no words without quotes
    let compat = Compat::default().without(Leniency::BareWord);
    let bound = filter.bind(&ty, compat).map_err(|_| "invalidFilter".to_owned())?;
    let resource = Resource::from_stored(&ty, document.to_string()).unwrap();
    Ok(bound.matches(&resource))
}

/// R-7644-3.4.2.2-49
#[test]
fn each_filter_matches_the_documents_that_it_should() {
    let outcome = Filters::load().run(evaluate);
    outcome.assert_clean(CASES);
    assert_eq!(outcome.other_readings.len(), OTHER_READINGS, "{}", outcome.other_readings.join("\n"));
}

#[test]
fn each_filter_is_refused_for_its_syntax_or_for_its_meaning() {
    for case in Filters::load().cases {
        let parsed = Filter::parse(&case.filter, &Limits::default());
        if let Some(parses) = case.parses() {
            let well_formed = parsed.as_ref().is_ok_and(|filter| !has_word(filter));
            assert_eq!(well_formed, parses, "{} `{}`: {:?}", case.id, case.filter, parsed.err());
        }
    }
}

fn has_word(filter: &Filter<'_>) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(has_word),
        Filter::Not(filter) => has_word(filter),
        Filter::Present(_) => false,
        Filter::Compare { value, .. } => matches!(value, Literal::Word(_)),
        Filter::ValuePath { filter, tail, .. } => {
            has_word(filter) || tail.as_ref().is_some_and(|tail| matches!(tail.value, Literal::Word(_)))
        }
    }
}
