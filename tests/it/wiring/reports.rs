//! The requests of real clients against a service in memory.

use std::collections::BTreeMap;

use crate::cases::reports::{CASES, Case, Received, Reports, Sent};
use crate::scim::{BASE, Scim};

/// How many of the cases are not the service's.
const ELSEWHERE: usize = 8;

/// What is not the service's: who a client is, and what HTTP itself does not let through.
fn is_elsewhere(case: &Case) -> bool {
    ["B", "S", "T", "X"].contains(&case.kind.as_str()) || case.id == "raw-01"
}

fn send(scim: &Scim, sent: Sent) -> Received {
    let headers: Vec<(&str, &str)> = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = scim.send(&sent.method, &sent.path, &headers, sent.body);
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Received { status: answer.status.as_u16(), headers: headers.collect::<BTreeMap<_, _>>(), body: answer.body }
}

#[test]
fn each_client_gets_what_it_should() {
    let outcome = Reports::load().run(BASE, is_elsewhere, || {
        let scim = Scim::new();
        move |sent| send(&scim, sent)
    });
    outcome.assert_clean(CASES - ELSEWHERE);
}
