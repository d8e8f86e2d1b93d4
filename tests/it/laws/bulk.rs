//! Bulk requests (RFC 7644 §3.7) against two models. One knows no order: an operation succeeds unless it cannot by itself, or
//! refers to one that does not. The other has all methods, versions and names that come free.

use std::collections::BTreeSet;

use http::Method;
use proptest::prelude::*;
use scim_provider::{MemoryStore, UnknownAttributes};
use serde_json::{Value, json};

use super::given::Dice;
use super::{inputs, json, now, send, service};
use crate::bulk_model::given::steps;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// An operation before it is JSON.
#[derive(Debug)]
struct Planned {
    kind: Kind,
    /// the operations that it refers to; one that is beyond the last is of nobody
    refers: BTreeSet<usize>,
    /// whether it fails by itself
    taken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    User,
    Group,
    /// adds members to a group that is there before
    Patch,
}

fn plan(seed: u64, operations: usize) -> Vec<Planned> {
    let mut dice = Dice(seed);
    let kinds: Vec<Kind> =
        (0..operations).map(|_| *dice.pick(&[Kind::User, Kind::Group, Kind::Group, Kind::Patch])).collect();
    let makers: Vec<usize> = (0..operations).filter(|n| kinds[*n] != Kind::Patch).collect();
    let planned = kinds.iter().map(|kind| {
        let most = if *kind == Kind::User { 2 } else { 4 };
        let mut refers: BTreeSet<usize> =
            (0..dice.below(most)).filter_map(|_| makers.get(dice.below(makers.len()))).copied().collect();
        if dice.one_in(25) {
            refers = BTreeSet::from([operations]);
        }
        Planned { kind: *kind, refers, taken: *kind != Kind::Patch && dice.one_in(8) }
    });
    planned.collect()
}

/// Which operations succeed: all but those that cannot, until nothing changes.
fn succeeding(plan: &[Planned]) -> Vec<bool> {
    let mut succeeds: Vec<bool> = plan.iter().map(|planned| !planned.taken).collect();
    loop {
        let next: Vec<bool> = plan
            .iter()
            .zip(&succeeds)
            .map(|(planned, succeeds_so_far)| {
                *succeeds_so_far && planned.refers.iter().all(|other| succeeds.get(*other) == Some(&true))
            })
            .collect();
        if next == succeeds {
            return succeeds;
        }
        succeeds = next;
    }
}

fn operation(number: usize, planned: &Planned, crew: &str) -> Value {
    let references: Vec<Value> =
        planned.refers.iter().map(|other| json!({"value": format!("bulkId:{other}")})).collect();
    let name = if planned.taken { "taken".to_owned() } else { format!("bulkId:{number}") };
    match planned.kind {
        Kind::User => {
            let mut data = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
            if let Some(manager) = references.first() {
                let forms = [manager.clone(), manager["value"].clone(), json!([manager])];
                data[ENTERPRISE] = json!({"manager": forms[number % forms.len()]});
            }
            json!({"method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data})
        }
        Kind::Group => {
            let schema = "urn:ietf:params:scim:schemas:core:2.0:Group";
            let data = json!({"schemas": [schema], "displayName": name, "members": references});
            json!({"method": "POST", "path": "/Groups", "bulkId": number.to_string(), "data": data})
        }
        Kind::Patch => {
            let title = json!({"op": "replace", "path": "displayName", "value": format!("crew {number}")});
            let mut operations = vec![title];
            if !references.is_empty() {
                let plain: Vec<&Value> = references.iter().map(|reference| &reference["value"]).collect();
                operations.push(match number % 4 {
                    0 => json!({"op": "add", "path": "members", "value": references}),
                    1 => json!({"op": "Add", "path": "MEMBERS", "value": plain}),
                    2 => json!({"op": "add", "value": {"members": references}}),
                    _ => json!({"op": "add", "value": {"urn:ietf:params:scim:schemas:core:2.0:Group:members": plain}}),
                });
            }
            let data = json!({"schemas": [PATCH_OP], "Operations": operations});
            json!({"method": "PATCH", "path": crew, "data": data})
        }
    }
}

/// The ids that a resource refers to.
fn references(resource: &Value) -> BTreeSet<String> {
    let members = resource["members"].as_array().cloned().unwrap_or_default();
    let manager = resource[ENTERPRISE]["manager"].clone();
    let all = members.iter().chain([&manager]).filter_map(|reference| reference["value"].as_str());
    all.map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(inputs())]

    /// Red when an operation runs before what it refers to, when a circle loses a reference or leaves something behind, when
    /// a failure does not reach what depends on it or reaches what does not, and when results are out of order.
    #[test]
    fn a_bulk_request_does_what_its_references_allow(seed in any::<u64>(), operations in 1_usize..16) {
        let store = MemoryStore::new();
        let service = service(&store, UnknownAttributes::Drop);
        let post = |target: &str, body: Value| {
            let (status, response) = now(send(&service, Method::POST, target, body.to_string()));
            (status, json(&response))
        };
        let get = |target: &str| json(&now(send(&service, Method::GET, target, "")).1);
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "TAKEN"});
        let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Taken"});
        post("/Users", user);
        post("/Groups", group.clone());
        let crew = post("/Groups", json!({"schemas": group["schemas"], "displayName": "crew"})).1;
        let crew = format!("/Groups/{}", crew["id"].as_str().unwrap());

        let plan = plan(seed, operations);
        let expected = succeeding(&plan);
        let all: Vec<Value> = plan.iter().enumerate().map(|(n, planned)| operation(n, planned, &crew)).collect();
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let (status, answer) = post("/Bulk", json!({"schemas": [schema], "Operations": all}));
        prop_assert_eq!(status, 200);
        let results = answer["Operations"].as_array().unwrap();
        prop_assert_eq!(results.len(), operations);

        let mut ids: Vec<Option<String>> = Vec::new();
        for (n, result) in results.iter().enumerate() {
            let succeeded = result["status"].as_str().unwrap().starts_with('2');
            prop_assert_eq!(succeeded, expected[n], "operation {}: {} of {:#?}", n, result, plan);
            let own = (plan[n].kind != Kind::Patch).then(|| n.to_string());
            prop_assert_eq!(result["bulkId"].as_str(), own.as_deref(), "results are in the order of the request");
            let location = result["location"].as_str().filter(|_| own.is_some());
            prop_assert_eq!(location.is_some(), succeeded && own.is_some());
            ids.push(location.map(|location| location.rsplit('/').next().unwrap().to_owned()));
        }
        let mut crew_expected = BTreeSet::new();
        for (n, planned) in plan.iter().enumerate().filter(|(n, _)| expected[*n]) {
            let mut refers: Vec<String> = planned.refers.iter().filter_map(|other| ids[*other].clone()).collect();
            match planned.kind {
                Kind::Patch => crew_expected.extend(refers),
                kind => {
                    refers.truncate(if kind == Kind::User { 1 } else { refers.len() });
                    let endpoint = if kind == Kind::User { "/Users" } else { "/Groups" };
                    let resource = get(&format!("{endpoint}/{}", ids[n].as_deref().unwrap()));
                    prop_assert_eq!(references(&resource), refers.into_iter().collect(), "operation {} of {:#?}", n, plan);
                }
            }
        }
        prop_assert_eq!(references(&get(&crew)), crew_expected);
        let made = ids.iter().flatten().count();
        prop_assert_eq!(get("/?count=0")["totalResults"].as_u64(), Some(made as u64 + 3), "what failed left nothing behind");
    }
}

proptest! {
    #![proptest_config(inputs())]

    /// Red when a version is not heeded, when a name is not free that a deletion or a change gave up before, when operations on one
    /// resource change places, and when the request stops an error too soon or too late.
    #[test]
    fn a_bulk_request_of_all_methods_does_what_the_model_does(
        seed in any::<u64>(),
        operations in 1_usize..80,
        ahead in any::<bool>(),
        most in 1_usize..6,
    ) {
        match ahead {
            true => crate::bulk_model::check_all(&steps(seed, operations, true)),
            false => crate::bulk_model::check_up_to(&steps(seed, operations, false), most),
        }
    }
}

#[test]
fn plans_have_circles_failures_and_what_depends_on_them() {
    // else the law above would say little
    let plans: Vec<Vec<Planned>> = (0..200).map(|seed| plan(seed * 7_919, 12)).collect();
    let count = |is: &dyn Fn(&[Planned]) -> bool| plans.iter().filter(|plan| is(plan)).count();
    let mutual = |plan: &[Planned]| {
        plan.iter().enumerate().any(|(n, planned)| {
            planned.refers.iter().any(|m| *m != n && plan.get(*m).is_some_and(|other| other.refers.contains(&n)))
        })
    };
    let innocent =
        |plan: &[Planned]| plan.iter().zip(succeeding(plan)).any(|(planned, succeeds)| !planned.taken && !succeeds);
    assert!(count(&mutual) > 40, "{}", count(&mutual));
    assert!(count(&innocent) > 60, "{}", count(&innocent));
    assert!(count(&|plan| succeeding(plan).contains(&true)) > 150);
}
