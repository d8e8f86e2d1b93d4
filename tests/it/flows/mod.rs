//! What Entra ID, Okta and Keycloak send, step by step, and what they need to read: `tests/data/flows`.
//!
//! A flow is one file of steps. A step is a request, what the answer must be, what to remember of it for later steps,
//! and often a second request that looks at the effect. The steps that prepare and clean up are run but not counted.

mod fixture;
mod matching;
mod path;
#[cfg(test)]
mod proof;
mod run;
mod template;

pub(crate) use fixture::Flow;
pub(crate) use run::run;

/// How many steps each flow counts: a step that is lost is a failure, too.
pub(crate) const COUNTED: [(&str, usize); 6] = [
    ("entra-groups", 33),
    ("entra-reference-attributes", 20),
    ("entra-users", 54),
    ("keycloak", 13),
    ("okta-groups", 19),
    ("okta-users", 32),
];

/// The flows of `tests/data/flows`, by name.
pub(crate) fn all() -> Vec<Flow> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/flows");
    let mut flows: Vec<Flow> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
        .collect();
    flows.sort_by(|a, b| a.flow.cmp(&b.flow));
    flows
}

#[test]
fn the_flows_count_171_steps() {
    let flows = all();
    let counted: Vec<(&str, usize)> = flows.iter().map(|flow| (flow.flow.as_str(), flow.counted())).collect();
    assert_eq!(counted, COUNTED);
    assert_eq!(COUNTED.iter().map(|(_, steps)| steps).sum::<usize>(), 171);
}
