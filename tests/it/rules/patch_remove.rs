//! `remove` (RFC 7644 §3.5.2.2).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{Answer, ENTERPRISE, Scim, USER, id_of, merged};

#[track_caller]
fn remove(before: Value, path: &str) -> Answer {
    let scim = Scim::strict();
    let device = scim.create("/Devices", body(before));
    scim.patch(&device, json!({"op": "remove", "path": path}))
}

fn ports() -> Value {
    json!({"ports": [{"value": "1", "type": "usb", "speed": 5}, {"value": "2", "type": "net"}]})
}

/// R-7644-3.5.2.2-01 R-7644-3.5.2-08 R-7644-3.12-21
#[test]
fn without_a_path_there_is_no_target() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for operation in [
        json!({"op": "remove"}),
        json!({"op": "remove", "path": null}),
        json!({"op": "remove", "value": {"title": "x"}}),
    ] {
        scim.patch(&path, operation).refused(400, "noTarget");
    }
}

/// R-7644-3.5.2.2-02
#[test]
fn a_single_value_goes() {
    remove(json!({"label": "a", "slots": 1}), "label").is(200).lacks(&["/label"]).has(json!({"slots": 1}));
}

/// R-7644-3.5.2.2-03
#[test]
fn all_values_go() {
    remove(json!({"tags": ["a", "b"]}), "tags").is(200).lacks(&["/tags"]);
    remove(ports(), "ports").is(200).lacks(&["/ports"]);
}

/// R-7644-3.5.2.2-04
#[test]
fn values_that_match_go_from_a_simple_list() {
    remove(json!({"tags": ["a", "b"]}), "tags[value eq \"A\"]").is(200).has(json!({"tags": ["b"]}));
    remove(json!({"readings": [1, 2, 3]}), "readings[value gt 1]").is(200).has(json!({"readings": [1]}));
    remove(json!({"tags": ["a"]}), "tags[value eq \"a\"]").is(200).lacks(&["/tags"]);
}

/// R-7644-3.5.2.2-05
#[test]
fn values_that_match_go_from_a_complex_list() {
    remove(ports(), "ports[type eq \"usb\"]").is(200).has(json!({"ports": [{"value": "2"}]}));
    remove(ports(), "ports[value pr]").is(200).lacks(&["/ports"]);
    remove(ports(), "ports[not (type eq \"usb\") and value eq \"2\"]").is(200).has(json!({"ports": [{"value": "1"}]}));
}

/// R-7644-3.5.2.2-06 R-7644-3.5.2-15 A-14
#[test]
fn a_part_of_the_values_that_match_goes() {
    remove(ports(), "ports[type eq \"usb\"].speed")
        .is(200)
        .has(json!({"ports": [{"value": "1", "type": "usb"}, {"value": "2", "type": "net"}]}))
        .lacks(&["/ports/0/speed"]);
    remove(ports(), "ports.type").is(200).lacks(&["/ports/0/type", "/ports/1/type"]);
}

/// R-7644-3.5.2.2-07
#[test]
fn a_value_of_which_nothing_is_left_goes() {
    let scim = Scim::new();
    let path =
        scim.user(json!({"emails": [{"value": "a"}, {"value": "b", "type": "work"}], "name": {"givenName": "A"}}));
    scim.patch(
        &path,
        json!([
            {"op": "remove", "path": "emails.value"},
            {"op": "remove", "path": "name.givenName"},
        ]),
    )
    .is(200)
    .has(json!({"emails": [{"type": "work"}]}))
    .lacks(&["/name"]);
}

/// R-7644-3.5.2.2-08 R-7644-3.12-18 A-11 R-7643-4.1.1-01
#[test]
fn what_is_required_or_read_only_cannot_be_removed() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for attribute in ["userName", "id", "meta", "meta.created", "groups", "schemas"] {
        scim.patch(&path, json!({"op": "remove", "path": attribute})).refused(400, "mutability");
    }
    let group = scim.group("g", &[]);
    scim.patch(&group, json!({"op": "remove", "path": "displayName"})).refused(400, "mutability");
}

/// R-7644-3.5.2.2-09 A-08
#[test]
fn what_is_not_there_is_removed_without_effect() {
    let scim = Scim::strict();
    let path = scim.create("/Devices", body(json!({"tags": ["a"]})));
    let stored = scim.get(&path).body;
    for attribute in ["label", "place", "place.room", "ports", "ports.type", "notes"] {
        scim.patch(&path, json!({"op": "remove", "path": attribute})).is(200);
    }
    assert_eq!(scim.get(&path).body, stored);
    let group = scim.group("g", &[]);
    let stored = scim.get(&group).body;
    scim.patch(&group, json!({"op": "remove", "path": "members[value eq \"nobody\"]"})).is(204);
    scim.patch(&group, json!({"op": "remove", "path": "members"})).is(204);
    assert_eq!(scim.get(&group).body, stored);
}

/// R-7644-3.5.2.2-10
#[test]
fn a_filter_that_matches_nothing_removes_nothing() {
    remove(ports(), "ports[type eq \"none\"]").is(200).has(ports());
    remove(ports(), "ports[type eq \"none\"].speed").is(200).has(ports());
    remove(json!({}), "ports[type eq \"none\"]").is(200);
}

/// R-7644-3.5.2.2-11
#[test]
fn a_part_that_is_required_cannot_be_removed() {
    remove(ports(), "ports[type eq \"usb\"].value").refused(400, "mutability");
    remove(ports(), "ports.value").refused(400, "mutability");
}

/// R-7644-3.5.2.2-12 I-03
#[test]
fn the_values_of_a_removal_are_the_only_ones_that_go() {
    let scim = Scim::new();
    let (ada, bob) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let group = scim.group("g", &[&ada, &bob]);
    scim.patch(&group, json!({"op": "remove", "path": "members", "value": [{"value": id_of(&ada)}]})).is(204);
    scim.get(&group).has(json!({"members": [{"value": id_of(&bob)}]}));
}

/// R-7644-3.5.2.2-12 R-7643-2.4-06 I-03
#[test]
fn a_value_to_remove_is_compared_as_a_filter_compares() {
    let scim = Scim::new();
    let before = json!({
        "emails": [{"value": "a@x", "type": "home"}, {"value": "b@x", "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "1", "type": "work"}, {"value": "1", "type": "mobile"}],
        "roles": [{"value": "Admin", "display": "Administrator"}, {"value": "guest"}],
    });
    let path = scim.user(before.clone());
    let removed = |attribute: &str, value: Value| {
        scim.patch(&path, json!({"op": "replace", "value": before})).is(200);
        let operation = json!({"op": "Remove", "path": attribute, "value": [value]});
        scim.patch(&path, operation).is(200).at(&format!("/{attribute}"))
    };
    let kept = |attribute: &str, place: usize| json!([before[attribute][place]]);
    let home = json!({"value": "a@x", "type": "home", "primary": false});
    assert_eq!(removed("emails", home), kept("emails", 1));
    assert_eq!(removed("roles", json!({"value": "admin"})), kept("roles", 1));
    assert_eq!(removed("roles", json!({"value": "Admin", "display": "Boss"})), kept("roles", 1));
    assert_eq!(removed("roles", json!({"display": "administrator"})), kept("roles", 1));
    assert_eq!(removed("phoneNumbers", json!({"value": "1", "type": "work", "display": "x"})), kept("phoneNumbers", 1));
    for other in
        [json!({"primary": false}), json!({"value": "b@x", "type": "home"}), json!({"value": "b@x", "primary": false})]
    {
        // the last one is no match either way: what is primary is not what is said not to be
        assert_eq!(removed("emails", other), before["emails"]);
    }
}

/// R-7644-3.5.2.2-13
#[test]
fn a_part_goes_alone_and_the_whole_with_all_parts() {
    let before = json!({"name": {"givenName": "A", "familyName": "L"}});
    let scim = Scim::new();
    let path = scim.user(before);
    scim.patch(&path, json!({"op": "remove", "path": "name.familyName"}))
        .is(200)
        .has(json!({"name": {"givenName": "A"}}))
        .lacks(&["/name/familyName"]);
    scim.patch(&path, json!({"op": "remove", "path": "name"})).is(200).lacks(&["/name"]);
}

/// R-7644-3.5.2.2-14 R-7644-3.5.2-12 R-7644-3.5.2-26
#[test]
fn an_extension_goes_with_its_urn() {
    let scim = Scim::new();
    let extension = json!({ENTERPRISE: {"department": "a", "manager": {"value": "m"}}});
    let path = scim.user(extension.clone());
    let gone = scim.patch(&path, json!({"op": "remove", "path": ENTERPRISE})).is(200);
    gone.has(json!({"schemas": [USER]})).lacks(&[&format!("/{ENTERPRISE}")]);
    let path = scim.create("/Users", merged(crate::scim::user(json!({"userName": "bob"})), extension));
    scim.patch(&path, json!({"op": "replace", "value": {ENTERPRISE: null}})).is(200).has(json!({"schemas": [USER]}));
}
