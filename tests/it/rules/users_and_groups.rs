//! What is particular about users and groups (RFC 7643 §4).

use serde_json::{Value, json};

use crate::scim::{BASE, ENTERPRISE, GROUP, Scim, USER, id_of, user};

#[track_caller]
fn kept(name: &str, value: Value) {
    let created = Scim::strict().post("/Users", user(json!({name: value}))).is(201);
    assert_eq!(created.at(&format!("/{name}")), value);
}

/// R-7643-4.1.1-03 R-7643-4.1.1-05 R-7643-4.1.1-08 R-7643-4.1.1-13
#[test]
fn a_users_single_attributes_are_kept_as_they_are() {
    kept("name", json!({"formatted": "Ms. Ada L", "familyName": "L", "givenName": "Ada", "honorificPrefix": "Ms."}));
    for (name, value) in [("displayName", "Ada"), ("nickName", "A"), ("title", "Dr"), ("userType", "Alien")] {
        kept(name, json!(value));
    }
    kept("active", json!(false));
}

/// R-7643-4.1.1-09 R-7643-4.1.1-11 E-7643-11
#[test]
fn languages_zones_and_urls_are_never_refused() {
    for (name, value) in [
        ("preferredLanguage", "da, en-gb;q=0.8, en;q=0.7"),
        ("locale", "en_US"),
        ("locale", "random words"),
        ("timezone", "America/Los_Angeles"),
        ("profileUrl", "not a url"),
    ] {
        kept(name, json!(value));
    }
}

/// R-7643-4.1.2-04 R-7643-4.1.2-05 R-7643-4.1.2-08 R-7643-4.1.2-11 R-7643-4.1.2-03 R-7643-4.1.2-07
#[test]
fn a_users_lists_take_any_type_and_any_spelling() {
    kept("emails", json!([{"value": "A@B.example", "display": "a@b.example", "type": "other", "primary": true}]));
    kept("emails", json!([{"value": "a@b.example", "type": "on call"}]));
    kept(
        "phoneNumbers",
        json!([{"value": "555-1234", "type": "primary"}, {"value": "tel:+1-201-555-0123", "display": "x"}]),
    );
    kept("ims", json!([{"value": "Some One", "type": "matrix"}]));
}

/// R-7643-4.1.2-13 R-7643-4.1.2-25
#[test]
fn photos_entitlements_and_roles_are_kept() {
    kept("photos", json!([{"value": "https://x/F", "type": "photo"}, {"value": "https://x/T", "type": "thumbnail"}]));
    kept("entitlements", json!([{"value": "anything"}]));
    kept("roles", json!([{"value": "{\"id\":\"1\"}", "display": "R", "type": "x"}]));
}

/// R-7643-4.1.2-17 E-7643-05 E-7643-10
#[test]
fn an_address_may_have_lines_and_needs_nothing() {
    kept(
        "addresses",
        json!([{"formatted": "1 Main St\nX", "streetAddress": "1\nMain", "country": "US", "primary": true}]),
    );
    kept("addresses", json!([{"locality": "Delft"}]));
}

/// E-7643-07 E-7642-01
#[test]
fn a_certificate_is_base64() {
    kept("x509Certificates", json!([{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQA="}]));
    let scim = Scim::new();
    for name in ["ada", "bob"] {
        scim.user(json!({"userName": name, "x509Certificates": [{"value": "QUJD"}]}));
    }
    let found =
        |value: &str| scim.filter("/Users", &format!("x509Certificates.value eq \"{value}\"")).at("/totalResults");
    assert_eq!((found("QUJD"), found("qujd")), (json!(2), json!(0)), "letter case counts, and two may have the same");
    Scim::new()
        .post("/Users", user(json!({"x509Certificates": [{"value": "-----BEGIN CERTIFICATE-----"}]})))
        .refused(400, "invalidValue");
}

/// R-7643-4.1.2-20 R-7643-4.1.2-23 E-7643-26 R-7643-4.1.2-22
#[test]
fn a_users_groups_follow_from_the_groups() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let group = scim.group("Staff", &[&path]);
    let expected =
        json!([{"value": id_of(&group), "$ref": format!("{BASE}{group}"), "display": "Staff", "type": "direct"}]);
    assert_eq!(scim.get(&path).at("/groups"), expected);
    assert!(scim.finds("/Users", &format!("groups.value eq \"{}\"", id_of(&group))));
    scim.patch(&group, json!({"op": "remove", "path": "members"})).is(204);
    scim.get(&path).lacks(&["/groups"]);
}

/// R-7643-4.1.2-24 A-18
#[test]
fn a_users_groups_are_not_changed_through_the_user() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let group = scim.group("Staff", &[&path]);
    scim.put(&path, user(json!({"groups": []}))).is(200).has(json!({"groups": [{"value": id_of(&group)}]}));
    scim.patch(&path, json!({"op": "remove", "path": "groups"})).refused(400, "mutability");
}

/// R-7643-4.2-01 R-7643-4.2-03 R-7643-4.2-05 E-7643-12
#[test]
fn a_member_is_shown_by_what_it_is() {
    let scim = Scim::new();
    let (path, inner) = (scim.user(json!({"displayName": "Ada L"})), scim.group("inner", &[]));
    let group = scim.group("outer", &[&path, &inner]);
    scim.get(&group).has(json!({"members": [
        {"value": id_of(&path), "$ref": format!("{BASE}{path}"), "type": "User", "display": "Ada L"},
        {"value": id_of(&inner), "$ref": format!("{BASE}{inner}"), "type": "Group", "display": "inner"},
    ]}));
    assert!(scim.finds("/Groups", &format!("members.value eq \"{}\"", id_of(&inner))));
    assert!(scim.finds("/Groups", &format!("members[value eq \"{}\"]", id_of(&path))));
}

/// R-7643-4.2-03
#[test]
fn a_member_that_is_nobody_does_not_sink_the_request() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let members = json!([{"value": "nobody"}, {"value": id_of(&path)}, {"value": id_of(&path)}]);
    let group = scim.create("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": members}));
    assert_eq!(scim.get(&group).at("/members").as_array().unwrap().len(), 2);
}

/// R-7643-4.2-03
#[test]
fn a_reference_without_an_id_is_no_member() {
    let scim = Scim::new();
    let nobody = json!([{"value": ""}, {"display": "x"}, {"value": null}, "", {"value": "u1"}]);
    let group = scim.create("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": nobody}));
    let one = json!({"members": [{"value": "u1"}]});
    scim.get(&group).has(one.clone());
    let put = json!({"schemas": [GROUP], "displayName": "g", "members": nobody});
    scim.put(&group, put).is(200).has(one.clone());
    for value in [json!([{"value": ""}]), json!({"value": ""}), json!([{"type": "User"}])] {
        for op in ["add", "remove"] {
            scim.patch(&group, json!({"op": op, "path": "members", "value": value})).refused(400, "invalidValue");
        }
        scim.get(&group).has(one.clone());
    }
    // who names nobody does not mean that nobody is to stay
    for value in [json!([{"value": ""}]), json!([{"display": "x"}, {}]), json!([null])] {
        let replace = json!({"op": "replace", "path": "members", "value": value});
        scim.patch(&group, replace).refused(400, "invalidValue");
        scim.patch(&group, json!({"op": "replace", "value": {"members": value}})).refused(400, "invalidValue");
        scim.get(&group).has(one.clone());
    }
    scim.patch(&group, json!({"op": "replace", "path": "members", "value": []})).is(204);
    assert_eq!(scim.get(&group).at("/members"), json!([]));
}

/// R-7643-4.3-01 R-7643-4.3-02 R-7643-4.3-03 R-7643-4.3-05 E-7643-13 E-7643-27 A-40 R-7643-4.3-04
#[test]
fn a_manager_is_a_reference_under_the_enterprise_urn() {
    let scim = Scim::strict();
    let boss = scim.user(json!({}));
    let manager = json!({"value": id_of(&boss), "displayName": "forged", "$ref": "../Users/x"});
    let enterprise = json!({"employeeNumber": "1", "costCenter": "2", "organization": "o", "division": "d", "department": "p", "manager": manager});
    let path = scim.create("/Users", user(json!({"userName": "bob", ENTERPRISE: enterprise})));
    let shown = scim.get(&path).has(json!({"schemas": [USER, ENTERPRISE]}));
    let manager = &shown.body[ENTERPRISE]["manager"];
    assert_eq!(manager, &json!({"value": id_of(&boss), "$ref": format!("{BASE}{boss}")}));
    let by_manager = format!("{ENTERPRISE}:manager.value eq \"{}\"", id_of(&boss));
    assert!(scim.finds("/Users", &by_manager) && !scim.finds("/Users", &by_manager.replace("eq \"", "eq \"X")));
    scim.post("/Users", user(json!({"userName": "cyd", ENTERPRISE: {"manager": {"value": "anybody"}}}))).is(201);
    let anybody = |value: &str| scim.finds("/Users", &format!("{ENTERPRISE}:manager.value eq \"{value}\""));
    assert!(anybody("anybody") && !anybody("ANYBODY"), "letter case counts");
}

/// R-7643-8-02
#[test]
fn the_users_that_the_rfc_prints_are_understood() {
    let scim = Scim::new();
    for text in [include_str!("../../data/rfc/7643-8.1-1486.json"), include_str!("../../data/rfc/7643-8.2-1507.json")] {
        let body: Value = serde_json::from_str(text).unwrap();
        let created = scim.post("/Users", body.clone()).is(201);
        assert_eq!(created.body["userName"], body["userName"]);
        assert_eq!(created.body.get("emails"), body.get("emails"));
        scim.delete(&format!("/Users/{}", created.id())).is(204);
    }
    let enterprise: Value = serde_json::from_str(include_str!("../../data/rfc/7643-8.3-1650.json")).unwrap();
    scim.post("/Users", enterprise).is(201).has(json!({ENTERPRISE: {"employeeNumber": "701984"}}));
    let group: Value = serde_json::from_str(include_str!("../../data/rfc/7643-8.4-1804.json")).unwrap();
    let created = scim.post("/Groups", group).is(201);
    assert_eq!(created.at("/members").as_array().unwrap().len(), 2);
}

#[test]
fn a_group_is_found_by_its_name_in_any_letter_case() {
    let scim = Scim::new();
    scim.group("Staff", &[]);
    assert!(scim.finds("/Groups", r#"displayName eq "STAFF""#));
    scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "staff"})).refused(409, "uniqueness");
}
