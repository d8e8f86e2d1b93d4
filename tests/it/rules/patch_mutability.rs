//! PATCH against `mutability` (RFC 7644 §3.5.2, RFC 7643 §7).

use scim_provider::{MemoryStore, Service, User};
use serde_json::json;

use super::devices::body;
use crate::scim::{BASE, ENTERPRISE, Scim, USER, id_of};

/// R-7644-3.5.2-17 R-7644-3.5.2.3-12 R-7644-3.12-18 R-7643-7-19 A-15 R-7644-3.5.2-16
#[test]
fn a_path_to_what_is_read_only_is_refused() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE: {"manager": {"value": "m"}}}));
    for op in ["add", "replace", "remove"] {
        for attribute in [
            "id",
            "meta",
            "meta.version",
            "groups",
            "groups[value eq \"x\"]",
            "groups.display",
            &format!("{ENTERPRISE}:manager.displayName"),
        ] {
            scim.patch(&path, json!({"op": op, "path": attribute, "value": "x"})).refused(400, "mutability");
        }
    }
    let device = scim.create("/Devices", body(json!({})));
    scim.patch(&device, json!({"op": "replace", "path": "state", "value": "x"})).refused(400, "mutability");
}

/// R-7644-3.5.2-21 A-15 R-7643-3.1-17 R-7643-4.2-06 R-7643-4.3-04
#[test]
fn what_is_read_only_inside_a_value_is_ignored() {
    let scim = Scim::strict();
    let path = scim.user(json!({}));
    let value = json!({"id": "x", "meta": {"version": "x"}, "groups": [{"value": "g"}], "title": "Dr", "schemas": [USER],
        ENTERPRISE: {"manager": {"value": "m", "displayName": "forged"}}});
    let patched = scim.patch(&path, json!({"op": "replace", "value": value})).is(200);
    let patched = patched.has(json!({"id": id_of(&path), "title": "Dr", ENTERPRISE: {"manager": {"value": "m"}}}));
    patched.lacks(&["/groups", &format!("/{ENTERPRISE}/manager/displayName")]);
    let group = scim.group("g", &[]);
    let member = json!([{"value": id_of(&path), "display": "forged", "$ref": "https://evil.example"}]);
    scim.patch(&group, json!({"op": "add", "path": "members", "value": member})).is(204);
    let shown = scim.get(&group).has(json!({"members": [{"value": id_of(&path), "display": "ada"}]}));
    assert!(!String::from_utf8(shown.text).unwrap().contains("evil"));
}

/// R-7644-3.5.2-18 R-7643-7-22 R-7644-3.5.2.3-12 R-7644-3.5.2-16
#[test]
fn what_is_immutable_and_set_stays() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"place": {"site": "S", "room": "1"}})));
    for operation in [
        json!({"op": "replace", "path": "serial", "value": "Sn-2"}),
        json!({"op": "add", "path": "serial", "value": "Sn-2"}),
        json!({"op": "replace", "value": {"serial": "sn-1"}}),
        json!({"op": "replace", "path": "place.site", "value": "T"}),
        json!({"op": "remove", "path": "place.site"}),
        json!({"op": "remove", "path": "place"}),
        json!({"op": "add", "path": "place", "value": {"site": "T"}}),
    ] {
        scim.patch(&path, operation).refused(400, "mutability");
    }
    scim.get(&path).has(json!({"serial": "Sn-1", "place": {"site": "S", "room": "1"}}));
}

/// R-7644-3.5.2.3-12
#[test]
fn what_is_immutable_may_be_set_to_what_it_is() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"place": {"site": "S"}})));
    let stored = scim.get(&path).body;
    scim.patch(
        &path,
        json!([
            {"op": "replace", "path": "serial", "value": "Sn-1"},
            {"op": "add", "path": "place", "value": {"site": "S"}},
        ]),
    )
    .is(200);
    assert_eq!(scim.get(&path).body, stored);
}

/// R-7644-3.5.2-19 R-7643-7-21
#[test]
fn what_is_immutable_and_unset_may_be_set() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({})));
    scim.patch(&path, json!({"op": "add", "path": "place.site", "value": "S"}))
        .is(200)
        .has(json!({"place": {"site": "S"}}));
    scim.patch(&path, json!({"op": "remove", "path": "label"})).is(200);
}

/// R-7644-3.5.2-22 R-7643-4.2-02 R-7643-4.1.2-22
#[test]
fn members_come_and_go_as_a_whole() {
    let scim = Scim::new();
    let (ada, bob) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let group = scim.group("g", &[&ada]);
    let one = format!("members[value eq \"{}\"]", id_of(&ada));
    for part in ["value", "type", "$ref"] {
        for op in ["add", "replace", "remove"] {
            let mut operation = json!({"op": op, "path": format!("{one}.{part}")});
            if op != "remove" {
                operation["value"] = json!("x");
            }
            scim.patch(&group, operation).refused(400, "mutability");
        }
    }
    scim.patch(
        &group,
        json!([
            {"op": "remove", "path": one},
            {"op": "add", "path": "members", "value": [{"value": id_of(&bob), "type": "User"}]},
        ]),
    )
    .is(204);
    scim.get(&group).has(json!({"members": [{"value": id_of(&bob), "type": "User"}]}));
}

/// R-7643-7-20 R-7643-7-23
#[test]
fn what_can_be_written_can_be_written_at_any_time() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"label": "a", "pin": "1"})));
    scim.patch(
        &path,
        json!([
            {"op": "replace", "path": "pin", "value": "2"},
            {"op": "add", "path": "pin", "value": "3"},
            {"op": "remove", "path": "pin"},
            {"op": "replace", "path": "label", "value": "b"},
        ]),
    )
    .is(200)
    .has(json!({"label": "b"}))
    .lacks(&["/pin"]);
}

/// R-7643-6-13 R-7644-3.5.2-36 R-7644-3.5.2.2-08
#[test]
fn an_extension_that_is_required_stays_complete() {
    let scim = Scim::of(
        Service::builder(BASE)
            .resource(User::resource_type().required_extension(super::custom_types::badge()), MemoryStore::new()),
    );
    let urn = super::custom_types::BADGE;
    let path = scim.user(json!({urn: {"number": "1", "colour": "red"}}));
    let before = scim.get(&path).body;
    for operation in [
        json!({"op": "remove", "path": urn}),
        json!({"op": "remove", "path": format!("{urn}:number")}),
        json!({"op": "replace", "value": {urn: null}}),
        json!({"op": "replace", "path": format!("{urn}:number"), "value": null}),
    ] {
        scim.patch(&path, operation).refused(400, "mutability");
    }
    assert_eq!(scim.get(&path).body, before);
}

/// R-7643-6-13 R-7644-3.5.2-36
#[test]
fn an_extension_cannot_vanish_one_attribute_at_a_time() {
    let mut schema = super::custom_types::badge();
    schema.attributes.iter_mut().for_each(|attribute| attribute.required = false);
    let scim =
        Scim::of(Service::builder(BASE).resource(User::resource_type().required_extension(schema), MemoryStore::new()));
    let urn = super::custom_types::BADGE;
    let path = scim.user(json!({urn: {"number": "1", "colour": "red"}}));
    scim.patch(&path, json!({"op": "remove", "path": format!("{urn}:number")})).is(200);
    scim.patch(&path, json!({"op": "remove", "path": format!("{urn}:colour")})).refused(400, "mutability");
    scim.get(&path).has(json!({urn: {"colour": "red"}}));
}

/// R-7644-3.5.2-36 R-7643-6-14
#[test]
fn an_extension_that_comes_has_what_it_requires() {
    let scim = Scim::of(
        Service::builder(BASE)
            .resource(User::resource_type().extension(super::custom_types::badge()), MemoryStore::new()),
    );
    let urn = super::custom_types::BADGE;
    let path = scim.user(json!({}));
    scim.patch(&path, json!({"op": "add", "path": format!("{urn}:colour"), "value": "red"}))
        .refused(400, "invalidValue");
    scim.patch(&path, json!({"op": "add", "value": {urn: {"colour": "red", "number": "1"}}})).is(200);
    scim.patch(&path, json!({"op": "remove", "path": urn})).is(200).has(json!({"schemas": [USER]}));
}

/// R-7643-7-29
#[test]
fn a_part_that_is_returned_on_request_is_shown_when_it_was_sent() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"place": {"code": "c"}})));
    scim.patch(&path, json!({"op": "replace", "path": "place.room", "value": "1"})).is(200).lacks(&["/place/code"]);
    scim.patch(&path, json!({"op": "replace", "path": "place", "value": {"code": "d"}}))
        .has(json!({"place": {"code": "d"}}));
    scim.patch(&path, json!({"op": "replace", "path": "place.code", "value": "e"}))
        .has(json!({"place": {"code": "e"}}));
}
