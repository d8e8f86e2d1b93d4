//! PUT (RFC 7644 §3.5.1).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{BASE, ENTERPRISE, Scim, USER, id_of, user};

/// R-7644-3.5-01 R-7644-3.5.1-14 R-7644-3.5.1-04 R-7644-3.2-04
#[test]
fn a_put_replaces_and_answers_with_the_whole() {
    let scim = Scim::new();
    let path = scim.user(json!({"title": "Dr", "emails": [{"value": "a@b"}]}));
    let replaced = scim.put(&path, user(json!({"title": "Prof", "emails": [{"value": "c@d"}]}))).is(200);
    assert!(!replaced.header("etag").is_empty());
    let replaced = replaced.has(json!({"id": id_of(&path), "title": "Prof", "emails": [{"value": "c@d"}]}));
    assert_eq!(scim.get(&path).body, replaced.body);
}

/// R-7644-3.5.1-02 R-7644-3.2-03
#[test]
fn a_put_never_creates() {
    let scim = Scim::new();
    scim.put("/Users/nobody", user(json!({}))).refused(404, "");
    scim.get("/Users").has(json!({"totalResults": 0}));
}

/// R-7644-3.5.1-05 R-7644-3.5.1-07 A-18 R-7644-3.5.1-17
#[test]
fn what_is_left_out_is_cleared() {
    let scim = Scim::new();
    let path =
        scim.user(json!({"title": "Dr", "emails": [{"value": "a"}], "nickName": "n", ENTERPRISE: {"division": "d"}}));
    let replaced = scim.put(&path, user(json!({"title": null, "emails": []}))).is(200);
    replaced.has(json!({"schemas": [USER]})).lacks(&["/title", "/emails", "/nickName", &format!("/{ENTERPRISE}")]);
}

/// R-7644-3.5.1-01 R-7644-3.5.1-03 R-7644-3.1-07 R-7644-3.5.1-18
#[test]
fn what_was_read_can_be_sent_back() {
    let scim = Scim::strict();
    let path = scim.user(json!({"name": {"givenName": "A"}, ENTERPRISE: {"manager": {"value": "m"}}}));
    let group = scim.group("g", &[&path]);
    let all = json!({"label": "l", "slots": 1, "weight": 1.5, "bought": "2026-01-31T09:00:00Z", "on": true, "tags": ["a"],
        "badge": "b", "place": {"site": "S", "room": "1"}, "ports": [{"value": "1", "primary": true, "tags": ["x"]}]});
    let device = scim.create("/Devices", body(all));
    for path in [&path, &group, &device] {
        let read = scim.get(path).body;
        assert_eq!(scim.put(path, read.clone()).is(200).body, read);
        assert_eq!(scim.get(path).body, read, "nothing changed, the version included");
    }
    // with what can only be read, and what can only be written
    let more = json!({"state": "forged", "pin": "1234", "id": "x", "meta": {"version": "x"}});
    let sent = crate::scim::merged(scim.get(&device).body, more);
    scim.put(&device, sent)
        .is(200)
        .has(json!({"id": id_of(&device), "place": {"site": "S"}}))
        .lacks(&["/state", "/pin"]);
}

/// R-7644-3.5.1-12 A-17 R-7643-3.1-17 R-7643-7-19
#[test]
fn what_is_read_only_is_ignored_even_when_it_differs() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let sent = json!({"id": "other", "meta": {"created": "2001-01-01T00:00:00Z", "resourceType": "X"}, "groups": [{"value": "g"}]});
    let replaced = scim.put(&path, user(sent)).is(200).lacks(&["/groups"]);
    assert_eq!(replaced.at("/meta/location"), json!(format!("{BASE}{path}")));
    assert!(!replaced.body.to_string().contains("2001"));
}

/// R-7644-3.5.1-08 R-7644-3.5.1-09 R-7644-3.5.1-10 R-7644-3.5.1-11 R-7643-7-21 R-7643-7-22 A-18
/// R-7644-3.12-18
#[test]
fn what_is_immutable_is_set_once_and_stays() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({})));
    scim.put(&path, body(json!({"serial": "Sn-2"}))).refused(400, "mutability");
    scim.put(&path, body(json!({"serial": "sn-1"}))).refused(400, "mutability");
    scim.put(&path, body(json!({"place": {"site": "S"}}))).is(200).has(json!({"place": {"site": "S"}}));
    scim.put(&path, body(json!({"place": {"site": "T"}}))).refused(400, "mutability");
    scim.put(&path, body(json!({"place": {"room": "1"}}))).is(200).has(json!({"place": {"site": "S", "room": "1"}}));
    scim.put(&path, body(json!({}))).is(200).has(json!({"place": {"site": "S"}})).lacks(&["/place/room"]);
}

/// R-7644-3.5.1-13 R-7643-7-14 E-7643-19 R-7643-4.1.1-01 R-7644-3.12-22
#[test]
fn what_is_required_has_to_be_there() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    scim.put(&path, json!({"schemas": [USER], "title": "x"})).refused(400, "invalidValue");
    scim.get(&path).has(json!({"userName": "ada"}));
}

/// R-7644-3.5.1-16 R-7644-3.12-17 A-23 R-7643-4.1.1-02
#[test]
fn a_value_that_another_one_has_is_a_conflict() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    scim.user(json!({"userName": "bob"}));
    scim.put(&path, user(json!({"userName": "Bob"}))).refused(409, "uniqueness");
    scim.put(&path, user(json!({"userName": "Ada"}))).is(200).has(json!({"userName": "Ada"}));
}

/// R-7644-3.5.1-18 R-7643-3.1-22
#[test]
fn a_put_of_the_same_changes_neither_version_nor_time() {
    let scim = Scim::new();
    let path = scim.user(json!({"title": "Dr"}));
    let before = scim.get(&path).body;
    scim.put(&path, user(json!({"title": "Dr", "nickName": null}))).is(200);
    assert_eq!(scim.get(&path).body, before);
    scim.put(&path, user(json!({"title": "Prof"}))).is(200);
    assert_ne!(scim.get(&path).at("/meta/version"), before["meta"]["version"]);
}

/// R-7643-3.1-20 R-7643-3.1-21 R-7643-3.1-22
#[test]
fn the_time_of_creation_stays() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let created = scim.get(&path).at("/meta/created");
    let mut last = scim.get(&path).at("/meta/lastModified");
    assert_eq!(last, created, "until it is changed");
    let patch = |title: &str| scim.patch(&path, json!({"op": "replace", "path": "title", "value": title}));
    for (title, put) in [("a", true), ("b", false), ("c", true), ("d", false)] {
        // times have milliseconds
        std::thread::sleep(std::time::Duration::from_millis(2));
        let after = if put { scim.put(&path, user(json!({"title": title}))) } else { patch(title) };
        let after = after.is(200).at("/meta");
        assert_eq!(after["created"], created);
        assert!(after["lastModified"].as_str() > last.as_str(), "{title}: {after} after {last}");
        last = after["lastModified"].clone();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert_eq!(patch(title).is(200).at("/meta/lastModified"), last, "nothing has changed");
    }
}

/// R-7643-7-29 R-7644-3.5.1-14
#[test]
fn what_is_returned_on_request_is_shown_when_it_was_sent() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({})));
    scim.put(&path, body(json!({"notes": "n"}))).is(200).has(json!({"notes": "n"}));
    scim.get(&path).lacks(&["/notes"]);
    scim.patch(&path, json!({"op": "replace", "path": "notes", "value": "m"})).is(200).has(json!({"notes": "m"}));
}

/// R-7643-4.1.2-24
#[test]
fn a_put_of_a_group_replaces_its_members() {
    let scim = Scim::new();
    let (ada, bob) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let group = scim.group("g", &[&ada]);
    let next = json!({"schemas": [crate::scim::GROUP], "displayName": "g", "members": [{"value": id_of(&bob)}]});
    scim.put(&group, next).is(200).has(json!({"members": [{"value": id_of(&bob)}]}));
    scim.get(&ada).lacks(&["/groups"]);
    scim.get(&bob).has(json!({"groups": [{"value": id_of(&group)}]}));
}

/// R-7643-3.1-22 R-7644-3.5.1-04
#[test]
fn a_new_password_is_a_change() {
    let scim = Scim::new();
    let path = scim.user(json!({"password": "t0p-s3cret"}));
    let version = |body: Value| scim.put(&path, user(body)).is(200).at("/meta/version");
    let before = version(json!({}));
    assert_eq!(version(json!({})), before);
    assert_ne!(version(json!({"password": "0ther-s3cret"})), before);
}
