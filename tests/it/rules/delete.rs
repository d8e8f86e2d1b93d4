//! DELETE (RFC 7644 §3.6).

use serde_json::json;

use super::devices::body;
use crate::scim::{ENTERPRISE, Scim, id_of, user};

/// R-7644-3.6-01 R-7644-3.6-02 R-7644-3.2-04
#[test]
fn a_deletion_answers_without_a_body() {
    let scim = Scim::new();
    let (path, other) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let deleted = scim.delete(&path).is(204);
    assert!(deleted.text.is_empty() && deleted.header("content-type").is_empty());
    assert_eq!(scim.get("/Users").each("id"), [id_of(&other)]);
    scim.delete("/Users").refused(405, "");
    scim.get(&other).is(200);
}

/// R-7644-3.6-04
#[test]
fn afterwards_there_is_nothing() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    scim.delete(&path).is(204);
    scim.get(&path).refused(404, "");
    scim.delete(&path).refused(404, "");
    scim.put(&path, user(json!({}))).refused(404, "");
    scim.patch(&path, json!({"op": "add", "path": "title", "value": "x"})).refused(404, "");
}

/// R-7644-3.6-05
#[test]
fn what_is_deleted_is_in_no_list() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    scim.delete(&path).is(204);
    for target in ["/Users", "/", "/Users?cursor", "/?cursor", "/Users?sortBy=userName"] {
        scim.get(target).is(200).has(json!({"totalResults": 0, "Resources": []}));
    }
    for target in ["/.search", "/Users/.search"] {
        scim.post(target, json!({"schemas": [crate::scim::SEARCH]})).is(200).has(json!({"totalResults": 0}));
    }
    assert!(!scim.finds("/Users", r#"userName eq "ada""#));
    assert!(!scim.finds("/Users", &format!("id eq \"{}\"", id_of(&path))));
}

/// R-7644-3.6-06 R-7644-3.6-07 R-7643-3.1-08
#[test]
fn a_name_can_be_used_again_and_an_id_cannot() {
    let scim = Scim::new();
    let mut ids = Vec::new();
    for _ in 0..10 {
        let path = scim.user(json!({}));
        assert!(!ids.contains(&path));
        scim.delete(&path).is(204);
        ids.push(path);
    }
    let device = scim.create("/Devices", body(json!({})));
    scim.delete(&device).is(204);
    scim.post("/Devices", body(json!({}))).is(201);
}

/// R-7644-3.6-08 R-7643-2.3.7-09 R-7644-3.14-08
#[test]
fn references_to_what_is_deleted_go_too() {
    let scim = Scim::new();
    let (ada, bob) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let group = scim.group("g", &[&ada, &bob]);
    let before = scim.get(&group).at("/meta/version");
    scim.delete(&ada).is(204);
    let after = scim.get(&group).has(json!({"members": [{"value": id_of(&bob)}]}));
    assert_ne!(after.at("/meta/version"), before);
    scim.delete(&group).is(204);
    scim.get(&bob).is(200).lacks(&["/groups"]);
}

/// R-7644-3.6-08
#[test]
fn a_manager_that_is_deleted_stays_what_the_provider_wrote() {
    let scim = Scim::new();
    let boss = scim.user(json!({"userName": "boss"}));
    let ada = scim.user(json!({ENTERPRISE: {"manager": {"value": id_of(&boss)}}}));
    let before = scim.get(&ada).body;
    scim.delete(&boss).is(204);
    assert_eq!(scim.get(&ada).body, before);
    scim.get(&boss).refused(404, "");
}
