//! `add` (RFC 7644 §3.5.2.1).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{Answer, ENTERPRISE, Scim, USER, id_of};

/// A device after operations.
#[track_caller]
fn device(before: Value, operations: Value) -> Answer {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(before));
    scim.patch(&path, operations)
}

#[track_caller]
fn add(before: Value, path: &str, value: Value) -> Answer {
    device(before, json!({"op": "add", "path": path, "value": value}))
}

/// R-7644-3.5.2.1-01 R-7644-3.12-22
#[test]
fn an_addition_has_a_value() {
    device(json!({}), json!({"op": "add", "path": "label"})).refused(400, "invalidValue");
    device(json!({}), json!({"op": "add"})).refused(400, "invalidValue");
}

/// R-7644-3.5.2.1-02 R-7644-3.5.2.1-05 R-7644-3.5.2-07
#[test]
fn what_is_unassigned_is_set() {
    for (path, value) in [
        ("label", json!("a")),
        ("slots", json!(3)),
        ("on", json!(false)),
        ("place", json!({"room": "1"})),
        ("tags", json!(["a", "b"])),
        ("ports", json!([{"value": "1"}])),
    ] {
        add(json!({}), path, value.clone()).is(200).has(json!({path: value}));
    }
}

/// R-7644-3.5.2.1-03 R-7644-3.5.2.1-19 I-07 R-7644-3.5.2-07
#[test]
fn without_a_path_each_member_is_added_by_the_rule_of_its_attribute() {
    let before = json!({"label": "a", "tags": ["x"], "place": {"site": "S"}});
    let value = json!({"LABEL": "b", "tags": ["y"], "place": {"room": "1"}, "slots": 2});
    device(before, json!({"op": "add", "value": value}))
        .is(200)
        .has(json!({"label": "b", "tags": ["x", "y"], "place": {"site": "S", "room": "1"}, "slots": 2}));
}

/// R-7644-3.5.2.1-04
#[test]
fn without_a_path_the_value_is_an_object() {
    for value in [json!("x"), json!(["x"]), json!(1), json!(true)] {
        device(json!({}), json!({"op": "add", "value": value})).refused(400, "invalidValue");
    }
}

/// R-7644-3.5.2.1-06
#[test]
fn parts_are_merged_into_a_complex_value() {
    add(json!({"place": {"site": "S"}}), "place", json!({"room": "1"}))
        .is(200)
        .has(json!({"place": {"site": "S", "room": "1"}}));
    add(json!({}), "place", json!("S")).refused(400, "invalidValue");
}

/// R-7644-3.5.2.1-07 R-7644-3.5.2.1-13
#[test]
fn values_are_appended_to_a_list() {
    add(json!({"tags": ["a"]}), "tags", json!(["b", "c"])).is(200).has(json!({"tags": ["a", "b", "c"]}));
    add(json!({"tags": ["a"]}), "tags", json!("b")).is(200).has(json!({"tags": ["a", "b"]}));
    let before = json!({"ports": [{"value": "1"}]});
    add(before.clone(), "ports", json!({"value": "2"})).is(200).has(json!({"ports": [{"value": "1"}, {"value": "2"}]}));
    add(before, "ports", json!([{"value": "2"}])).is(200).has(json!({"ports": [{"value": "1"}, {"value": "2"}]}));
}

/// R-7644-3.5.2.1-08 R-7644-3.5.2.1-09
#[test]
fn a_single_value_is_replaced() {
    add(json!({"label": "a"}), "label", json!("b")).is(200).has(json!({"label": "b"}));
    add(json!({"place": {"room": "1"}}), "place.room", json!("2")).is(200).has(json!({"place": {"room": "2"}}));
}

/// R-7644-3.5.2.1-10 R-7644-3.5.2.1-11 R-7644-3.5.2.1-12 R-7643-3.1-22
#[test]
fn adding_what_is_there_changes_nothing() {
    let scim = Scim::new();
    let before = json!({"label": "a", "tags": ["x"], "ports": [{"value": "1", "type": "usb"}], "place": {"room": "1"}});
    let path = scim.create("/Devices", body(before));
    let stored = scim.get(&path).body;
    for (attribute, value) in [
        ("label", json!("a")),
        ("tags", json!(["x", "x"])),
        ("ports", json!([{"type": "usb", "value": "1"}])),
        ("ports", json!([{"type": "usb", "value": "1", "primary": false}])),
        ("place", json!({"room": "1"})),
        ("place.room", json!("1")),
    ] {
        scim.patch(&path, json!({"op": "add", "path": attribute, "value": value})).is(200);
        assert_eq!(scim.get(&path).body, stored, "{attribute}");
    }
}

/// R-7644-3.5.2.1-12 R-7644-3.5.2.1-10 I-04
#[test]
fn a_member_is_there_once() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let group = scim.group("g", &[&user]);
    let stored = scim.get(&group).body;
    for value in [json!([{"value": id_of(&user)}]), json!([{"value": id_of(&user), "display": "x", "$ref": null}])] {
        scim.patch(&group, json!({"op": "add", "path": "members", "value": value})).is(204);
        assert_eq!(scim.get(&group).body, stored);
    }
}

/// R-7644-3.5.2.1-14
#[test]
fn a_part_is_set_in_all_values_that_match() {
    let before =
        json!({"ports": [{"value": "1", "type": "usb"}, {"value": "2", "type": "usb"}, {"value": "3", "type": "net"}]});
    add(before, "ports[type eq \"usb\"].speed", json!(9))
        .is(200)
        .has(json!({"ports": [
        {"value": "1", "speed": 9}, {"value": "2", "speed": 9}, {"value": "3", "type": "net"}]}))
        .lacks(&["/ports/2/speed"]);
}

/// R-7644-3.5.2.1-15 A-06 I-02 E-7644-08
#[test]
fn a_value_that_is_described_and_missing_is_created() {
    let scim = Scim::strict();
    let path = scim.user(json!({}));
    scim.patch(
        &path,
        json!([
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@b"},
            {"op": "add", "path": "addresses[type eq \"work\" and primary eq true].country", "value": "NL"},
            {"op": "add", "path": "addresses[type eq \"work\"].locality", "value": "Delft"},
        ]),
    )
    .is(200)
    .has(json!({
        "emails": [{"type": "work", "value": "a@b"}],
        "addresses": [{"type": "work", "primary": true, "country": "NL", "locality": "Delft"}],
    }));
    for vague in
        ["emails[type eq \"x\" or type eq \"y\"].value", "emails[type sw \"x\"].value", "emails[not (type pr)].value"]
    {
        scim.patch(&path, json!({"op": "add", "path": vague, "value": "a@b"})).refused(400, "noTarget");
    }
}

/// R-7644-3.5.2.1-16
#[test]
fn an_object_is_merged_into_the_values_that_match() {
    let before = json!({"ports": [{"value": "1", "type": "usb"}, {"value": "3", "type": "net"}]});
    add(before, "ports[value eq \"1\"]", json!({"speed": 9}))
        .is(200)
        .has(json!({"ports": [{"value": "1", "type": "usb", "speed": 9}, {"value": "3", "type": "net"}]}));
}

/// R-7644-3.5.2.1-17 A-16 R-7644-3.5.2-12
#[test]
fn an_extension_is_merged() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE: {"department": "a"}}));
    scim.patch(
        &path,
        json!([
            {"op": "add", "value": {ENTERPRISE: {"division": "b"}}},
            {"op": "add", "path": ENTERPRISE, "value": {"costCenter": "c"}},
        ]),
    )
    .is(200)
    .has(json!({ENTERPRISE: {"department": "a", "division": "b", "costCenter": "c"}, "schemas": [USER, ENTERPRISE]}));
}

/// R-7644-3.5.2.1-18 I-04
#[test]
fn adding_null_adds_nothing() {
    add(json!({"label": "a"}), "label", json!(null)).is(200).has(json!({"label": "a"}));
    device(json!({"label": "a"}), json!({"op": "add", "value": {"label": null, "tags": null, "slots": 1}}))
        .is(200)
        .has(json!({"label": "a", "slots": 1}))
        .lacks(&["/tags"]);
}

/// R-7644-3.5.2-15 A-14
#[test]
fn a_part_without_brackets_is_that_of_every_value() {
    let before = json!({"ports": [{"value": "1"}, {"value": "2"}]});
    add(before, "ports.type", json!("usb"))
        .is(200)
        .has(json!({"ports": [{"value": "1", "type": "usb"}, {"value": "2", "type": "usb"}]}));
    add(json!({}), "ports.value", json!("1")).is(200).has(json!({"ports": [{"value": "1"}]}));
    let before = json!({"ports": [{"value": "1", "type": "net"}, {"value": "2"}]});
    device(before, json!({"op": "replace", "path": "ports.type", "value": "usb"}))
        .is(200)
        .has(json!({"ports": [{"value": "1", "type": "usb"}, {"value": "2", "type": "usb"}]}));
}

/// R-7644-3.5.2-14 E-7644-08
#[test]
fn a_simple_value_is_selected_by_the_name_value() {
    device(json!({"tags": ["a", "b"]}), json!({"op": "remove", "path": "tags[value eq \"a\"]"}))
        .is(200)
        .has(json!({"tags": ["b"]}));
    device(json!({"tags": ["a"]}), json!({"op": "replace", "path": "tags[value eq \"a\"]", "value": "c"}))
        .is(200)
        .has(json!({"tags": ["c"]}));
}
