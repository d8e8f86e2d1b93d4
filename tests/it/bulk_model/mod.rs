//! Bulk requests of a thousand operations (RFC 7644 §3.7) against a model of them: every status, and all that is there after.

pub(crate) mod given;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::given::{After, BEFORE, Person, Step, circles, name_before, predicted, request, steps};
use crate::scim::{BULK, ENTERPRISE, Scim, id_of};

fn host() -> (Scim, Vec<String>) {
    let scim = Scim::limited(|limits| limits.page_max = 10_000);
    let ids = (0..BEFORE).map(|n| id_of(&scim.user(json!({"userName": name_before(n)}))).to_owned()).collect();
    (scim, ids)
}

fn resources(scim: &Scim, endpoint: &str) -> Vec<Value> {
    scim.get(&format!("{endpoint}?count=10000")).is(200).at("/Resources").as_array().cloned().unwrap_or_default()
}

/// What there is, in the words of the model.
fn found(scim: &Scim) -> After {
    let users = resources(scim, "/Users");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let names: BTreeMap<String, String> =
        users.iter().map(|user| (text(&user["id"]).unwrap(), text(&user["userName"]).unwrap())).collect();
    let name_of = |id: &Value| names.get(id.as_str().unwrap()).unwrap_or_else(|| panic!("{id} is nobody")).clone();
    let person = |user: &Value| {
        let manager = user.pointer(&format!("/{ENTERPRISE}/manager/value")).map(name_of);
        (text(&user["userName"]).unwrap(), Person { title: text(&user["title"]), manager })
    };
    let group = |group: &Value| {
        let members = group["members"].as_array().into_iter().flatten();
        let members: BTreeSet<String> = members.map(|member| name_of(&member["value"])).collect();
        (text(&group["displayName"]).unwrap(), members)
    };
    After { users: users.iter().map(person).collect(), groups: resources(scim, "/Groups").iter().map(group).collect() }
}

#[track_caller]
fn check(steps: &[Step], fail_on_errors: Option<usize>, expected: &[u16], after: &After) {
    let (scim, ids) = host();
    let body = request(steps, &ids, fail_on_errors);
    let answer = scim.send("POST", "/Bulk", &[("content-type", "application/scim+json")], body).is(200);
    let statuses: Vec<u16> = answer.statuses().iter().map(|status| status.parse().unwrap()).collect();
    for (number, status) in statuses.iter().enumerate() {
        let result = answer.at(&format!("/Operations/{number}"));
        assert_eq!(*status, expected[number], "operation {number}, {:?}: {result}", steps[number]);
        let creates = matches!(steps[number], Step::Create { .. } | Step::Group { .. });
        assert_eq!(result.get("location").is_some(), !creates || *status < 400, "operation {number}: {result}");
    }
    assert_eq!(statuses.len(), expected.len());
    assert_eq!(found(&scim), *after);
}

/// Sends all of it.
#[track_caller]
pub(crate) fn check_all(steps: &[Step]) {
    let (statuses, after) = predicted(steps);
    check(steps, None, &statuses, &after);
}

/// Sends it to stop at so many errors. No step may refer to a later one.
#[track_caller]
pub(crate) fn check_up_to(steps: &[Step], most: usize) {
    let (statuses, _) = predicted(steps);
    let mut errors = statuses.iter().enumerate().filter(|(_, status)| **status >= 400);
    let tried = errors.nth(most - 1).map_or(steps.len(), |(last, _)| last + 1);
    let (expected, after) = predicted(&steps[..tried]);
    assert_eq!(expected.as_slice(), &statuses[..tried], "nothing refers to what comes later");
    check(steps, Some(most), &expected, &after);
}

/// R-7644-3.7-09 R-7644-3.7-19 R-7644-3.7.2-02 R-7644-3.7.2-06 R-7644-3.7.3-01 R-7644-3.7.3-03
#[test]
fn a_thousand_operations_do_what_they_would_do_alone() {
    for seed in [1, 2, 3] {
        for ahead in [false, true] {
            let steps = steps(seed, 1_000, ahead);
            let (statuses, _) = predicted(&steps);
            for status in [200, 201, 204, 400, 404, 409, 412] {
                let count = statuses.iter().filter(|found| **found == status).count();
                assert!(count >= 10, "the request has all kinds of outcomes: {count} of {status}");
            }
            check_all(&steps);
        }
    }
}

/// R-7644-3.7-20 R-7644-3.7-21 R-7644-3.7-22
#[test]
fn a_thousand_operations_stop_at_the_error_that_is_one_too_many() {
    for (seed, most) in [(4, 1), (5, 20), (6, 100)] {
        check_up_to(&steps(seed, 1_000, false), most);
    }
}

/// R-7644-3.7.1-01 R-7644-3.7.1-02 R-7644-3.7.1-03
#[test]
fn a_thousand_creations_with_two_hundred_circular_references() {
    for taken in [None, Some(70)] {
        let scim = Scim::limited(|limits| limits.page_max = 10_000);
        if let Some(taken) = taken {
            scim.group(&format!("Group-{taken}"), &[]);
        }
        let answer = scim.post("/Bulk", json!({"schemas": [BULK], "Operations": circles(1_000)})).is(200);
        let statuses = answer.statuses();
        for (number, status) in statuses.iter().enumerate() {
            let falls = taken.is_some_and(|taken| [800 + taken, 800 + (taken ^ 1)].contains(&number));
            assert_eq!(*status, if falls { "409" } else { "201" }, "operation {number}");
        }
        assert_eq!(statuses.len(), 1_000);
        let ids: BTreeMap<String, Value> = resources(&scim, "/Groups")
            .into_iter()
            .map(|group| (group["displayName"].as_str().unwrap().to_owned(), group))
            .collect();
        assert_eq!(resources(&scim, "/Users").len(), 800);
        assert_eq!(ids.len(), if taken.is_some() { 199 } else { 200 });
        for n in (0..200_usize).filter(|n| taken.is_none_or(|taken| *n != taken && *n != (taken ^ 1))) {
            let (own, other) = (&ids[&format!("group-{n}")], &ids[&format!("group-{}", n ^ 1)]);
            let members = own["members"].as_array().unwrap();
            assert_eq!((members.len(), &members[0]["value"]), (1, &other["id"]), "group {n}");
        }
    }
}
