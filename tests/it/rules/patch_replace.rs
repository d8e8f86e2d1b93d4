//! `replace` (RFC 7644 §3.5.2.3).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{Answer, ENTERPRISE, Scim, USER, id_of};

#[track_caller]
fn device(before: Value, operations: Value) -> Answer {
    let scim = Scim::strict();
    let path = scim.create("/Devices", body(before));
    scim.patch(&path, operations)
}

#[track_caller]
fn replace(before: Value, path: &str, value: Value) -> Answer {
    device(before, json!({"op": "replace", "path": path, "value": value}))
}

fn ports() -> Value {
    json!({"ports": [{"value": "1", "type": "usb", "speed": 5}, {"value": "2", "type": "net"}]})
}

/// R-7644-3.5.2.3-01
#[test]
fn a_replacement_has_a_value_and_null_clears() {
    device(json!({}), json!({"op": "replace", "path": "label"})).refused(400, "invalidValue");
    replace(json!({"label": "a"}), "label", json!(null)).is(200).lacks(&["/label"]);
    replace(json!({"place": {"room": "1"}}), "place", json!(null)).is(200).lacks(&["/place"]);
    replace(ports(), "ports[type eq \"usb\"].speed", json!(null)).is(200).lacks(&["/ports/0/speed"]);
}

/// R-7644-3.5.2.3-02 R-7644-3.5.2.3-07 I-07 R-7644-3.5.2-07
#[test]
fn without_a_path_what_is_named_is_replaced_and_all_else_stays() {
    let before = json!({"label": "a", "slots": 1, "tags": ["x"], "place": {"site": "S", "room": "1"}});
    device(before, json!({"op": "replace", "value": {"label": "b", "tags": ["y"], "place": {"room": "2"}}}))
        .is(200)
        .has(json!({"label": "b", "slots": 1, "tags": ["y"], "place": {"site": "S", "room": "2"}}));
    device(json!({}), json!({"op": "replace", "value": ["x"]})).refused(400, "invalidValue");
}

/// R-7644-3.5.2.3-03
#[test]
fn a_single_value_is_replaced() {
    replace(json!({"label": "a"}), "label", json!("b")).is(200).has(json!({"label": "b"}));
    replace(json!({"place": {"room": "1"}}), "place.room", json!("2")).is(200).has(json!({"place": {"room": "2"}}));
}

/// R-7644-3.5.2.3-04
#[test]
fn all_values_of_a_list_are_replaced() {
    replace(ports(), "ports", json!([{"value": "9"}])).is(200).has(json!({"ports": [{"value": "9"}]}));
    replace(json!({"tags": ["a", "b"]}), "tags", json!(["c"])).is(200).has(json!({"tags": ["c"]}));
}

/// R-7644-3.5.2.3-05 I-08
#[test]
fn what_has_no_value_is_added() {
    replace(json!({}), "label", json!("a")).is(200).has(json!({"label": "a"}));
    replace(json!({}), "place", json!({"room": "1"})).is(200).has(json!({"place": {"room": "1"}}));
    replace(json!({}), "place.room", json!("1")).is(200).has(json!({"place": {"room": "1"}}));
    replace(json!({}), "ports", json!([{"value": "1"}])).is(200).has(json!({"ports": [{"value": "1"}]}));
}

/// R-7644-3.5.2.3-06 A-10
#[test]
fn parts_of_a_complex_value_that_are_not_named_stay() {
    replace(json!({"place": {"site": "S", "room": "1"}}), "place", json!({"room": "2"}))
        .is(200)
        .has(json!({"place": {"site": "S", "room": "2"}}));
    replace(json!({}), "place", json!("x")).refused(400, "invalidValue");
}

/// R-7644-3.5.2.3-01 R-7644-3.5.2.3-06 R-7643-2.5-02
#[test]
fn null_in_a_value_clears_that_part_alone() {
    let scim = Scim::strict();
    let path = scim.user(json!({"name": {"formatted": "A L", "familyName": "L", "givenName": "A"}}));
    let name = |value: Value| scim.patch(&path, json!({"op": "replace", "path": "name", "value": value})).is(200);
    let kept = json!({"name": {"formatted": "A L", "familyName": "L"}});
    name(json!({"givenName": null})).has(kept.clone()).lacks(&["/name/givenName"]);
    scim.patch(&path, json!({"op": "replace", "value": {"name": {"familyName": "K", "formatted": null}}}))
        .is(200)
        .has(json!({"name": {"familyName": "K"}}))
        .lacks(&["/name/formatted"]);
    name(json!({"givenName": "B", "familyName": []}))
        .has(json!({"name": {"givenName": "B"}}))
        .lacks(&["/name/familyName"]);
    name(json!({"givenName": null})).lacks(&["/name"]);
    let place = json!({"place": {"site": "S", "room": "1"}});
    replace(place.clone(), "place", json!({"room": null})).is(200).has(json!({"place": {"site": "S"}}));
    replace(place, "place", json!({"site": null})).refused(400, "mutability");
}

/// R-7644-3.5.2.3-06 A-12 A-15
#[test]
fn a_value_that_says_nothing_leaves_all_parts() {
    let scim = Scim::new();
    let before = json!({"name": {"givenName": "A"}, ENTERPRISE: {"manager": {"value": "m1"}}});
    let path = scim.user(before);
    let stored = scim.get(&path).body;
    for (attribute, value) in [
        ("name", json!({})),
        ("name", json!({"displayName": "A B"})),
        ("manager", json!({})),
        ("manager", json!({"displayName": "Boss"})),
        ("manager", json!([{"displayName": "Boss"}])),
        ("emails", json!({})),
    ] {
        let whole =
            if attribute == "manager" { json!({ENTERPRISE: {attribute: value}}) } else { json!({attribute: value}) };
        for operation in [
            json!({"op": "replace", "path": attribute, "value": value}),
            json!({"op": "replace", "value": whole}),
            json!({"op": "add", "path": attribute, "value": value}),
        ] {
            scim.patch(&path, operation).is(200);
            assert_eq!(scim.get(&path).body, stored, "{attribute} {value}");
        }
    }
    // a reference names its resource by itself
    scim.patch(&path, json!({"op": "replace", "path": "manager", "value": {"$ref": "../Users/m9"}}))
        .is(200)
        .has(json!({ENTERPRISE: {"manager": {"value": "m9"}}}));
    for empty in [json!({"value": null}), json!({"value": ""}), json!({"value": null, "displayName": "Boss"})] {
        scim.patch(&path, json!({"op": "add", "path": "manager", "value": {"value": "m1"}})).is(200);
        scim.patch(&path, json!({"op": "replace", "path": "manager", "value": empty}))
            .is(200)
            .has(json!({"schemas": [USER]}));
    }
}

/// R-7644-3.5.2.3-01 R-7644-3.5.2.3-11
#[test]
fn a_value_that_a_filter_selects_is_cleared_by_null() {
    let usb = "ports[type eq \"usb\"]";
    replace(ports(), usb, json!(null)).is(200).has(json!({"ports": [{"value": "2"}]}));
    replace(ports(), usb, json!({})).is(200).has(ports());
    let without_speed = json!({"ports": [{"value": "1", "type": "usb"}, {"value": "2", "type": "net"}]});
    replace(ports(), usb, json!({"speed": null})).is(200).has(without_speed).lacks(&["/ports/0/speed"]);
    replace(ports(), usb, json!({"value": null})).refused(400, "mutability");
    replace(ports(), "ports[type eq \"none\"]", json!({"speed": null})).refused(400, "noTarget");
}

/// R-7644-3.5.2.3-08 R-7644-3.5.2.3-09 A-09
#[test]
fn a_value_that_matches_is_replaced_as_a_whole() {
    let replaced = replace(ports(), "ports[type eq \"usb\"]", json!({"value": "9", "type": "net"})).is(200);
    replaced.has(json!({"ports": [{"value": "9", "type": "net"}, {"value": "2"}]})).lacks(&["/ports/0/speed"]);
    // each of those that match, and no other
    let two = json!({"readings": [1, 5, 2, 7], "ports": [{"value": "1", "type": "usb", "speed": 5},
        {"value": "2", "type": "usb", "speed": 6}, {"value": "3", "type": "net", "speed": 7}]});
    let readings = replace(two.clone(), "readings[value gt 4]", json!(0)).is(200).at("/readings");
    let readings: Vec<i64> = serde_json::from_value(readings).unwrap();
    assert!(!readings.contains(&5) && !readings.contains(&7), "{readings:?}");
    assert!([1, 0, 2].iter().all(|kept| readings.contains(kept)), "{readings:?}");
    let ports = replace(two, "ports[type eq \"usb\"]", json!({"value": "9", "type": "x"})).is(200).at("/ports");
    let ports = ports.as_array().unwrap();
    let (replaced, kept): (Vec<_>, Vec<_>) = ports.iter().partition(|port| port["value"] == "9");
    assert!(
        !replaced.is_empty() && replaced.iter().all(|port| **port == json!({"value": "9", "type": "x"})),
        "{ports:?}"
    );
    assert_eq!(kept, [&json!({"value": "3", "type": "net", "speed": 7})]);
}

/// R-7644-3.5.2.3-10
#[test]
fn a_part_of_all_values_that_match_is_replaced() {
    replace(ports(), "ports[value pr].speed", json!(7))
        .is(200)
        .has(json!({"ports": [{"value": "1", "type": "usb", "speed": 7}, {"value": "2", "speed": 7}]}));
}

/// R-7644-3.5.2.3-11 R-7644-3.12-21 A-07
#[test]
fn a_filter_that_matches_nothing_has_no_target() {
    for path in ["ports[type eq \"none\"]", "ports[type eq \"none\"].speed"] {
        let value = if path.ends_with("speed") { json!(1) } else { json!({"value": "1"}) };
        replace(ports(), path, value.clone()).refused(400, "noTarget");
        replace(json!({}), path, value).refused(400, "noTarget");
    }
}

/// R-7644-3.5.2.3-13
#[test]
fn an_empty_list_clears() {
    replace(ports(), "ports", json!([])).is(200).lacks(&["/ports"]);
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let group = scim.group("g", &[&user]);
    scim.patch(&group, json!({"op": "replace", "path": "members", "value": []})).is(204);
    assert_eq!(scim.get(&group).at("/members"), json!([]));
}

/// R-7644-3.5.2.3-14 R-7643-3.1-22
#[test]
fn replacing_by_the_same_changes_nothing() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(ports()));
    let stored = scim.get(&path).body;
    scim.patch(
        &path,
        json!([
            {"op": "replace", "path": "ports[type eq \"usb\"].speed", "value": 5},
            {"op": "replace", "value": {"serial": "Sn-1", "ports": ports()["ports"]}},
            {"op": "replace", "path": "label", "value": "x"},
            {"op": "remove", "path": "label"},
        ]),
    )
    .is(200);
    assert_eq!(scim.get(&path).body, stored);
}

/// R-7644-3.5.2.3-02
#[test]
fn a_group_that_is_renamed_keeps_its_members() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let group = scim.group("g", &[&user]);
    let rename = json!({"op": "replace", "value": {"id": id_of(&group), "displayName": "h"}});
    scim.patch(&group, rename).is(204);
    scim.get(&group).has(json!({"displayName": "h", "members": [{"value": id_of(&user)}]}));
}

/// R-7644-3.5.2.3-06 A-16
#[test]
fn an_extension_is_merged() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE: {"department": "a", "division": "b"}}));
    scim.patch(&path, json!([
        {"op": "replace", "path": ENTERPRISE, "value": {"department": "c"}},
        {"op": "replace", "value": {ENTERPRISE: {"manager": {"value": "m"}}}},
    ]))
    .is(200)
    .has(json!({ENTERPRISE: {"department": "c", "division": "b", "manager": {"value": "m"}}, "schemas": [USER, ENTERPRISE]}));
}

/// R-7644-3.5.2.3-15
#[test]
fn the_replacements_that_the_rfc_prints_are_understood() {
    let scim = Scim::new();
    let path = scim.user(json!({"addresses": [{"type": "work", "locality": "X"}], "emails": [{"value": "old@x"}]}));
    for operation in [
        json!({"op": "replace", "path": "addresses[type eq \"work\"]", "value": {
            "type": "work", "streetAddress": "911 Universal City Plaza", "locality": "Hollywood", "region": "CA",
            "postalCode": "91608", "country": "US", "formatted": "911 Universal City Plaza\nHollywood", "primary": true}}),
        json!({"op": "replace", "path": "addresses[type eq \"work\"].streetAddress", "value": "1010 Broadway Ave"}),
        json!({"op": "replace", "value": {"emails": [{"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"}], "nickname": "Babs"}}),
        json!({"op": "remove", "path": "emails[type eq \"work\" and value ew \"example.com\"]"}),
    ] {
        scim.patch(&path, operation).is(200);
    }
    scim.get(&path).has(json!({
        "addresses": [{"streetAddress": "1010 Broadway Ave", "locality": "Hollywood"}],
        "emails": [{"value": "babs@jensen.org"}],
        "nickName": "Babs",
    }));
}
