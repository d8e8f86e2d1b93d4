//! POST (RFC 7644 §3.3).

use chrono::{DateTime, Utc};
use serde_json::json;

use super::devices::body;
use crate::scim::{BASE, DEVICE, ENTERPRISE, GROUP, SEARCH, Scim, USER, user};

/// R-7644-3.3-01 R-7644-3.3-07 R-7644-3.3-08 R-7644-3.2-04 R-7644-3.2-05
#[test]
fn a_post_creates_and_answers_with_what_was_created() {
    let scim = Scim::new();
    let created =
        scim.post("/Users", user(json!({"title": "Dr"}))).is(201).has(json!({"userName": "ada", "title": "Dr"}));
    scim.get(&format!("/Users/{}", created.id())).is(200).has(created.body);
    scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "g"})).is(201);
    scim.post("/Devices", body(json!({}))).is(201);
}

/// R-7644-3.2-04 R-7644-3.2-05 R-7644-3.1-01
#[test]
fn each_method_does_what_it_is_for_at_each_endpoint() {
    let scim = Scim::new();
    let group = |name: &str| json!({"schemas": [GROUP], "displayName": name});
    for (endpoint, named, bodies) in [
        ("/Users", "userName", [user(json!({})), user(json!({"userName": "bea"}))]),
        ("/Groups", "displayName", [group("ada"), group("bea")]),
    ] {
        let [first, second] = bodies;
        let path = scim.create(endpoint, first.clone());
        scim.get(endpoint).is(200).has(json!({"totalResults": 1, "Resources": [{named: "ada"}]}));
        scim.get(&path).is(200).has(json!({named: "ada"}));
        scim.put(&path, second).is(200).has(json!({named: "bea"}));
        let rename = json!({"op": "replace", "path": named, "value": "cyd"});
        assert!(scim.patch(&path, rename).status.is_success());
        let search = json!({"schemas": [SEARCH], "filter": format!("{named} eq \"cyd\"")});
        scim.post(&format!("{endpoint}/.search"), search).is(200).has(json!({"Resources": [{named: "cyd"}]}));
        scim.delete(&path).is(204);
        scim.get(&path).refused(404, "");
        let operation = json!({"method": "POST", "path": endpoint, "bulkId": "b", "data": first});
        assert_eq!(scim.bulk(json!([operation])).is(200).statuses(), ["201"]);
    }
}

/// R-7644-3.3-09 R-7643-3.1-23 R-7644-3.13-05 A-28
#[test]
fn the_location_is_told_twice() {
    let created = Scim::new().post("/Users", user(json!({}))).is(201);
    let url = format!("{BASE}/Users/{}", created.id());
    assert_eq!(created.header("location"), url);
    assert_eq!(created.at("/meta/location"), json!(url));
}

/// R-7644-3.3-16 R-7643-3.1-24 R-7644-3.14-02 R-7644-3.14-03
#[test]
fn the_version_is_told_twice() {
    let created = Scim::new().post("/Users", user(json!({}))).is(201);
    assert_eq!(created.at("/meta/version"), json!(created.header("etag")));
    assert!(created.header("etag").starts_with("W/\""), "{}", created.header("etag"));
}

/// R-7643-3.1-02 R-7643-3.1-06 R-7643-3.1-09 R-7643-3.1-17 R-7643-3.1-10 R-7644-3.3-02 A-17
#[test]
fn id_and_meta_come_from_the_service_alone() {
    let meta = json!({"created": "2001-01-01T00:00:00Z", "location": "https://evil.example", "version": "x", "resourceType": "X"});
    let created = Scim::new().post("/Users", user(json!({"id": "mine", "meta": meta}))).is(201);
    assert_ne!(created.id(), "mine");
    assert!(!created.id().is_empty() && !created.id().contains("bulkId"));
    let text = created.body.to_string();
    assert!(!text.contains("evil") && !text.contains("2001-01-01"), "{text}");
    for part in ["resourceType", "created", "lastModified", "location", "version"] {
        assert!(created.at(&format!("/meta/{part}")).as_str().is_some_and(|text| !text.is_empty()), "{part}");
    }
    created.has(json!({"meta": {"resourceType": "User"}}));
}

/// R-7644-3.3.1-01 R-7643-3.1-19 R-7643-6-04
#[test]
fn the_endpoint_decides_the_resource_type() {
    let scim = Scim::new();
    let group = scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "g", "meta": {"resourceType": "User"}}));
    group.is(201).has(json!({"meta": {"resourceType": "Group"}}));
    scim.post("/Devices", body(json!({}))).is(201).has(json!({"meta": {"resourceType": "Device"}}));
    scim.post("/Groups", user(json!({"displayName": "g"}))).refused(400, "invalidSyntax");
}

/// R-7643-3.1-20 R-7643-3.1-21 R-3339-5.6-01 A-44 R-7643-2.3.5-03
#[test]
fn both_times_are_those_of_the_creation() {
    let before = Utc::now().timestamp_millis();
    let created = Scim::new().post("/Users", user(json!({}))).is(201);
    let at = created.at("/meta/created");
    let said = DateTime::parse_from_rfc3339(at.as_str().unwrap()).unwrap().timestamp_millis();
    assert!((before..=Utc::now().timestamp_millis()).contains(&said), "{at}");
    assert_eq!(at, created.at("/meta/lastModified"));
    let text = at.as_str().unwrap();
    assert!(text.ends_with('Z') && text.as_bytes()[10] == b'T' && (20..=24).contains(&text.len()), "{text}");
    assert!(text.strip_suffix('Z').unwrap().bytes().all(|b| b.is_ascii_digit() || b"-T:.".contains(&b)), "{text}");
}

/// R-7644-3.3-02 A-17 R-7643-4.1.2-24 R-7643-7-19
#[test]
fn what_is_read_only_is_ignored() {
    let scim = Scim::new();
    scim.post("/Users", user(json!({"groups": [{"value": "admins"}]}))).is(201).lacks(&["/groups"]);
    scim.post("/Devices", body(json!({"state": "hacked"}))).is(201).lacks(&["/state"]);
}

/// R-7644-3.3-03 R-7644-3.3-04
#[test]
fn what_is_left_out_is_not_asserted() {
    let created = Scim::new().post("/Users", user(json!({}))).is(201);
    let mut names: Vec<&String> = created.body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["id", "meta", "schemas", "userName"]);
}

/// R-7644-3.3-10 R-7644-3.12-17 R-7644-3.12-10 R-7643-4.1.1-02 A-23 R-7643-7-32
#[test]
fn a_user_name_that_is_taken_is_a_conflict_in_any_letter_case() {
    let scim = Scim::new();
    scim.user(json!({}));
    scim.post("/Users", user(json!({"userName": "ADA"}))).refused(409, "uniqueness");
    assert_eq!(scim.get("/Users").at("/totalResults"), json!(1));
}

/// R-7643-3.1-15 R-7643-3.1-12 R-7643-3.1-13
#[test]
fn an_external_id_is_the_clients_and_may_be_used_twice() {
    let scim = Scim::new();
    scim.post("/Users", user(json!({"externalId": "E1"}))).is(201).has(json!({"externalId": "E1"}));
    scim.post("/Users", user(json!({"userName": "bob", "externalId": "E1"}))).is(201);
    let path = scim.create("/Users", user(json!({"userName": "cyd"})));
    scim.get(&path).lacks(&["/externalId"]);
    scim.put(&path, user(json!({"userName": "cyd", "title": "x"}))).is(200).lacks(&["/externalId"]);
    scim.put(&path, user(json!({"userName": "cyd", "externalId": "E1"}))).is(200).has(json!({"externalId": "E1"}));
    let other = scim.create("/Users", user(json!({"userName": "dan"})));
    let add = json!({"op": "add", "path": "externalId", "value": "E1"});
    scim.patch(&other, add).is(200).has(json!({"externalId": "E1"}));
}

/// R-7644-3.3-11 R-7643-7-14 R-7643-4.1.1-01 R-7643-4.2-01 E-7643-02 E-7643-19 R-7644-3.12-22 R-7644-3.12-06
#[test]
fn what_is_required_has_to_be_given() {
    let scim = Scim::new();
    scim.post("/Users", json!({"schemas": [USER]})).refused(400, "invalidValue");
    for blank in [json!(null), json!(""), json!("  ")] {
        scim.post("/Users", user(json!({"userName": blank}))).refused(400, "invalidValue");
    }
    scim.post("/Groups", json!({"schemas": [GROUP]})).refused(400, "invalidValue");
    scim.post("/Devices", json!({"schemas": [DEVICE]})).refused(400, "invalidValue");
}

/// R-7644-3.3-12 R-7644-3.12-06
#[test]
fn a_value_of_another_type_is_refused_and_the_attribute_named() {
    let scim = Scim::new();
    for (wrong, name) in [
        (json!({"displayName": true}), "displayName"),
        (json!({"name": "Ada"}), "name"),
        (json!({"emails": [{"value": true}]}), "emails[0].value"),
        (json!({ENTERPRISE: {"department": []  , "costCenter": {}}}), "costCenter"),
    ] {
        let refused = scim.post("/Users", user(wrong)).refused(400, "invalidValue");
        assert!(refused.at("/detail").as_str().unwrap().contains(name), "{}", refused.body);
    }
}

/// R-7644-3.3-13 R-7644-3.12-19 R-7644-3.12-06 R-7644-3.3-12
#[test]
fn what_is_no_json_object_is_refused() {
    let scim = Scim::new();
    for body in ["", "{", "[]", "\"x\"", "null", "1", "{\"schemas\": [}", "{'a': 1}"] {
        let headers = [("content-type", "application/scim+json")];
        scim.send("POST", "/Users", &headers, body).refused(400, "invalidSyntax");
    }
    let two = format!("{} {{}}", user(json!({})));
    scim.send("POST", "/Users", &[("content-type", "application/scim+json")], two).refused(400, "invalidSyntax");
}

/// R-7644-3.3-14 R-7644-3.9-02
#[test]
fn a_creation_may_say_what_it_wants_to_see() {
    let scim = Scim::new();
    let created = scim.post("/Users?attributes=title", user(json!({"title": "Dr", "nickName": "A"}))).is(201);
    let created = created.has(json!({"title": "Dr", "schemas": [USER]})).lacks(&["/userName", "/nickName", "/meta"]);
    assert!(created.header("location").ends_with(&created.id()) && !created.header("etag").is_empty());
    let other = user(json!({"userName": "bob", "nickName": "B"}));
    scim.post("/Users?excludedAttributes=nickName,meta", other).is(201).lacks(&["/nickName", "/meta"]);
}

/// R-7644-3.3-15 R-7643-7-29 R-7643-4.1.1-14 R-7643-4.1.1-20 R-7643-7-24 R-7643-7-26
#[test]
fn what_is_never_returned_is_absent_and_what_is_on_request_there_when_it_was_sent() {
    let scim = Scim::new();
    let user = scim.post("/Users", user(json!({"password": "t0p-s3cret"}))).is(201).lacks(&["/password"]);
    assert!(!String::from_utf8(user.text).unwrap().contains("t0p"));
    let created = scim.post("/Devices", body(json!({"notes": "fragile", "pin": "1234"}))).is(201).lacks(&["/pin"]);
    let path = format!("/Devices/{}", created.has(json!({"notes": "fragile"})).id());
    scim.get(&path).lacks(&["/notes", "/pin"]);
}

/// A-19 R-7644-3.1-06 R-7644-3.1-09 R-7643-9.3-01
#[test]
fn unknown_attributes_are_ignored_unless_the_host_says_otherwise() {
    use scim_provider::UnknownAttributes;
    let unknown = || user(json!({"shoeSize": 7, "urn:example:x": {"a": 1}, "name": {"nick": "x", "givenName": "A"}}));
    let dropped = Scim::new().post("/Users", unknown()).is(201);
    dropped.lacks(&["/shoeSize", "/urn:example:x", "/name/nick"]).has(json!({"name": {"givenName": "A"}}));
    let refusing = Scim::with(|b| b.unknown_attributes(UnknownAttributes::Refuse));
    refusing.post("/Users", unknown()).refused(400, "invalidValue");
    let keeping = Scim::with(|b| b.unknown_attributes(UnknownAttributes::Keep));
    let kept = keeping.post("/Users", unknown()).is(201);
    keeping.get(&format!("/Users/{}", kept.id())).has(json!({"shoeSize": 7, "urn:example:x": {"a": 1}}));
}

/// R-7643-3.1-07 R-7643-3.1-08
#[test]
fn ids_are_unique_whatever_the_type() {
    let scim = Scim::new();
    let mut ids = std::collections::BTreeSet::new();
    for n in 0..50 {
        ids.insert(scim.post("/Users", user(json!({"userName": format!("u{n}")}))).is(201).id());
        ids.insert(scim.post("/Devices", body(json!({"serial": format!("d{n}")}))).is(201).id());
        let group = json!({"schemas": [GROUP], "displayName": format!("g{n}")});
        ids.insert(scim.post("/Groups", group).is(201).id());
    }
    assert_eq!(ids.len(), 150);
    assert!(ids.iter().all(|id| !id.contains("bulkId")), "{ids:?}");
}
