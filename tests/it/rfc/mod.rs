//! Every JSON example of RFC 7643, RFC 7644 and RFC 9865: accepted, produced or answered as it is printed.
//!
//! `index.json` says what the RFCs print, `scenes.json` in which order it goes over the wire, and `exceptions.json` where we differ
//! and why. An exception that is not needed any more is a failure, and so is an example that nothing plays.

mod catalogue;
mod compare;
mod hosts;
mod play;
mod typed;

use std::collections::BTreeSet;

use scim_provider::Compat;

use catalogue::Catalogue;
use play::{Outcome, play};

/// What the RFCs print: requests, answers and bodies. 55 of them have a JSON body.
const EXAMPLES: usize = 72;

/// R-7643-8-02 R-7643-8-03 E-7644-06 R-7644-3.12-28 R-7644-3.5.2.3-15 E-7643-05 E-7643-11 E-7644-08
#[test]
fn every_example_is_accepted_produced_or_answered_as_it_is_printed() {
    let catalogue = Catalogue::load();
    let mut outcome = Outcome::default();
    for scene in &catalogue.scenes {
        for compat in [("strict", Compat::strict()), ("lenient", Compat::default())] {
            play(&catalogue, scene, compat, &mut outcome);
        }
    }
    typed::every_message_is_written_as_it_was_read(&catalogue, &mut outcome);
    typed::every_document_is_kept_as_it_was_read(&catalogue, &mut outcome);
    let complaints: BTreeSet<&String> = outcome.complaints.iter().collect();
    assert!(complaints.is_empty(), "{}", complaints.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n"));
    let examples: BTreeSet<&String> = catalogue.examples.keys().collect();
    let missing: Vec<_> = examples.iter().filter(|id| !outcome.played.contains(**id)).collect();
    assert!(missing.is_empty(), "no scene plays {missing:?}");
    assert_eq!(examples.len(), EXAMPLES);
}

#[test]
fn every_exception_is_about_an_example_and_says_why() {
    let catalogue = Catalogue::load();
    let played: BTreeSet<String> = catalogue.scenes.iter().map(|scene| format!("{:?}", scene.steps)).collect();
    for exception in &catalogue.exceptions {
        let (name, because) = (&exception.example, &exception.because);
        let id = name.split(['#', ' ']).next().unwrap();
        assert!(catalogue.examples.contains_key(id), "{name} is no example");
        assert!(
            because.contains('§') || because.contains("EID"),
            "{name}: `{because}` names no section and no erratum"
        );
        // what no scene sets against an answer would excuse nothing and never be missed
        let used = name.ends_with(" typed") || played.iter().any(|steps| steps.contains(&format!("String({name:?})")));
        assert!(used, "{name} is set against nothing");
    }
}
