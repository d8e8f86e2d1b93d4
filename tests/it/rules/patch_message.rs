//! The message of a PATCH and its answer (RFC 7644 §3.5.2).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{ENTERPRISE, PATCH_OP, Scim, USER, id_of};

fn ada() -> (Scim, String) {
    ada_of(Scim::new())
}

fn ada_of(scim: Scim) -> (Scim, String) {
    let path = scim.user(json!({"title": "Dr", "emails": [{"value": "a@b", "type": "work"}]}));
    (scim, path)
}

#[track_caller]
fn message(body: Value, keyword: &str) {
    let (scim, path) = ada_of(Scim::strict());
    let headers = [("content-type", "application/scim+json")];
    scim.send("PATCH", &path, &headers, body.to_string()).refused(400, keyword);
}

/// R-7644-3.5-02 R-7644-3.5.2-32
#[test]
fn a_patch_answers_with_the_resource() {
    let (scim, path) = ada();
    let patched = scim.patch(&path, json!({"op": "replace", "path": "title", "value": "Prof"})).is(200);
    assert!(!patched.header("etag").is_empty());
    let patched = patched.has(json!({"title": "Prof", "userName": "ada"}));
    scim.get(&path).has(patched.body);
    scim.get("/ServiceProviderConfig").has(json!({"patch": {"supported": true}}));
}

/// R-7644-3.5.2-35 R-7644-3.5.2-32 R-7644-3.5.2-33 E-7644-06 R-7644-3.14-02
#[test]
fn a_patch_of_a_group_answers_without_a_body_unless_attributes_are_named() {
    let (scim, path) = ada();
    let group = scim.group("g", &[]);
    let add = json!({"op": "add", "path": "members", "value": [{"value": id_of(&path)}]});
    let patched = scim.patch(&group, add.clone()).is(204);
    assert!(patched.text.is_empty() && patched.header("content-type").is_empty());
    assert_eq!(json!(patched.header("etag")), scim.get(&group).at("/meta/version"));
    assert!(patched.header("authorization").is_empty());
    scim.patch(&format!("{group}?attributes=members"), add).is(200).has(json!({"members": [{"value": id_of(&path)}]}));
}

/// R-7644-3.5.2-03 R-7644-8.2-01
#[test]
fn the_message_names_its_schema() {
    let operations = json!([{"op": "add", "path": "title", "value": "x"}]);
    message(json!({"Operations": operations}), "invalidSyntax");
    message(json!({"schemas": [USER], "Operations": operations}), "invalidSyntax");
    message(json!({"schemas": [], "Operations": operations}), "invalidSyntax");
    message(json!([]), "invalidSyntax");
}

/// R-7644-3.5.2-04
#[test]
fn there_is_at_least_one_operation() {
    message(json!({"schemas": [PATCH_OP]}), "invalidSyntax");
    for operations in
        [json!([]), json!(null), json!("x"), json!({"op": "add", "path": "title", "value": "x"}), json!(["x"])]
    {
        message(json!({"schemas": [PATCH_OP], "Operations": operations}), "invalidSyntax");
    }
}

/// R-7644-3.5.2-05 R-7644-3.5.2-06 R-7644-3.5.2-02
#[test]
fn an_operation_adds_removes_or_replaces() {
    let (scim, path) = ada();
    for op in [json!("move"), json!("copy"), json!("test"), json!(""), json!(null), json!(1), json!("add ")] {
        scim.patch(&path, json!({"op": op, "path": "title", "value": "x"})).refused(400, "invalidSyntax");
    }
    scim.patch(&path, json!({"path": "title", "value": "x"})).refused(400, "invalidSyntax");
    let twice =
        format!(r#"{{"schemas": ["{PATCH_OP}"], "Operations": [{{"op": "add", "op": "remove", "path": "title"}}]}}"#);
    scim.send("PATCH", &path, &[("content-type", "application/json")], twice).refused(400, "invalidSyntax");
    scim.patch(&path, json!({"op": "replace", "path": "emails[0].value", "value": "x"})).refused(400, "invalidFilter");
}

/// R-7644-3.5.2-09 R-7644-3.12-20
#[test]
fn a_malformed_path_is_refused() {
    let (scim, path) = ada();
    for wrong in [
        "",
        " ",
        "name.",
        ".name",
        "name..x",
        "1a",
        "/title",
        "emails/0",
        "emails[",
        "name.givenName.x",
        "emails[type eq \"work\"].a.b",
    ] {
        let answer = scim.patch(&path, json!({"op": "replace", "path": wrong, "value": "x"}));
        assert!(answer.status == 400, "{wrong}: {}", answer.body);
        let keyword = answer.at("/scimType");
        assert!(keyword == "invalidPath" || (wrong.contains('[') && keyword == "invalidFilter"), "{wrong}: {keyword}");
    }
    scim.patch(&path, json!({"op": "replace", "path": 7, "value": "x"})).refused(400, "invalidPath");
}

/// R-7644-3.5.2-10 R-7644-3.12-15
#[test]
fn a_malformed_filter_in_a_path_is_refused() {
    let (scim, path) = ada();
    for wrong in [
        "emails[type = \"work\"]",
        "emails[type eq 'work']",
        "emails[nope eq \"x\"]",
        "emails[primary gt true]",
        "emails[]",
    ] {
        scim.patch(&path, json!({"op": "remove", "path": wrong})).refused(400, "invalidFilter");
    }
}

/// R-7644-3.5.2-11 A-12
#[test]
fn an_unknown_attribute_is_refused_in_a_path() {
    let (scim, path) = ada();
    for op in ["add", "replace", "remove"] {
        for wrong in ["shoeSize", "name.nick", "emails[type eq \"work\"].nope", "urn:x:y:a", "title.x"] {
            scim.patch(&path, json!({"op": op, "path": wrong, "value": "x"})).refused(400, "invalidPath");
        }
    }
}

/// A-12
#[test]
fn an_unknown_attribute_in_a_value_is_ignored_unless_the_host_says_otherwise() {
    let (scim, path) = ada();
    scim.patch(&path, json!({"op": "replace", "value": {"shoeSize": 7, "title": "x"}}))
        .is(200)
        .has(json!({"title": "x"}))
        .lacks(&["/shoeSize"]);
    let refusing = Scim::with(|b| b.unknown_attributes(scim_provider::UnknownAttributes::Refuse));
    let path = refusing.user(json!({"title": "Dr"}));
    refusing.patch(&path, json!({"op": "replace", "value": {"title": "x", "shoeSize": 7}})).refused(400, "invalidPath");
    refusing.get(&path).has(json!({"title": "Dr"}));
}

/// R-7644-3.5.2-27
#[test]
fn operations_run_in_order_and_see_each_other() {
    let (scim, path) = ada();
    scim.patch(
        &path,
        json!([
            {"op": "remove", "path": "emails"},
            {"op": "add", "path": "emails", "value": [{"value": "n@b", "type": "home"}]},
            {"op": "replace", "path": "emails[type eq \"home\"].value", "value": "m@b"},
            {"op": "add", "path": "title", "value": "a"},
            {"op": "replace", "path": "title", "value": "b"},
        ]),
    )
    .is(200)
    .has(json!({"emails": [{"value": "m@b", "type": "home"}], "title": "b"}));
}

/// R-7644-3.5.2-30 R-7644-3.5.2-31 R-7644-3.5.2-20 R-7644-3.5.2-16
#[test]
fn a_patch_happens_as_a_whole_or_not_at_all() {
    let (scim, path) = ada();
    let before = scim.get(&path).body;
    for (last, keyword) in [
        (json!({"op": "replace", "path": "name..nope", "value": 1}), "invalidPath"),
        (json!({"op": "replace", "path": "emails[type eq \"none\"]", "value": {"value": "x"}}), "noTarget"),
        (json!({"op": "replace", "path": "active", "value": "maybe"}), "invalidValue"),
        (json!({"op": "remove", "path": "userName"}), "mutability"),
    ] {
        let first = json!({"op": "replace", "path": "title", "value": "changed"});
        scim.patch(&path, json!([first, last])).refused(400, keyword);
        assert_eq!(scim.get(&path).body, before);
    }
}

/// R-7644-3.5.2-37
#[test]
fn unknown_members_of_an_operation_are_ignored() {
    let (scim, path) = ada();
    let operation = json!({"op": "add", "name": "x", "path": "title", "value": "x", "from": {"a": [1]}});
    scim.patch(&path, operation).is(200).has(json!({"title": "x"}));
}

/// R-7644-3.5.2-38 R-7644-3.2-03
#[test]
fn a_patch_never_creates() {
    let (scim, _) = ada();
    scim.patch("/Users/nobody", json!({"op": "add", "path": "title", "value": "x"})).refused(404, "");
    scim.patch("/Groups/nobody", json!({"op": "add", "path": "displayName", "value": "x"})).refused(404, "");
}

/// R-7644-3.5.2-36 R-7644-3.12-17 A-23 R-7643-4.1.1-02
#[test]
fn what_is_unique_is_so_after_a_patch() {
    let (scim, path) = ada();
    scim.user(json!({"userName": "bob"}));
    let before = scim.get(&path).body;
    scim.patch(&path, json!({"op": "replace", "path": "userName", "value": "BOB"})).refused(409, "uniqueness");
    assert_eq!(scim.get(&path).body, before);
    scim.patch(&path, json!({"op": "replace", "path": "userName", "value": "ADA"}))
        .is(200)
        .has(json!({"userName": "ADA"}));
}

/// R-7644-3.5.2-36 R-7643-4.1.1-01 R-7643-4.2-01
#[test]
fn what_is_required_is_there_after_a_patch() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({})));
    scim.patch(&path, json!({"op": "add", "path": "ports", "value": [{"type": "usb"}]})).refused(400, "invalidValue");
    scim.patch(&path, json!({"op": "add", "path": "ports[type eq \"usb\"].speed", "value": 1}))
        .refused(400, "invalidValue");
    let (user, group) = (scim.user(json!({})), scim.group("g", &[]));
    for (path, name) in [(&user, "userName"), (&group, "displayName")] {
        let before = scim.get(path).body;
        for blank in [json!(null), json!(""), json!("  ")] {
            let replace = json!({"op": "replace", "path": name, "value": blank});
            for operation in [replace, json!({"op": "replace", "value": {name: blank}})] {
                assert_eq!(scim.patch(path, operation).status, 400, "{name} {blank}");
            }
        }
        assert_eq!(scim.get(path).body, before);
    }
}

/// R-7644-3.5.2-28 A-22
#[test]
fn a_new_primary_value_is_the_only_one() {
    for operation in [
        json!({"op": "add", "path": "emails", "value": [{"value": "c", "primary": true}]}),
        json!({"op": "add", "value": {"emails": [{"value": "c", "primary": true}]}}),
        json!({"op": "replace", "path": "emails[value eq \"b\"].primary", "value": true}),
        json!({"op": "add", "path": "emails[value eq \"b\"]", "value": {"primary": true}}),
        json!({"op": "replace", "path": "emails[value eq \"b\"]", "value": {"value": "b", "primary": true}}),
        json!({"op": "add", "path": "emails[value eq \"new\"].primary", "value": true}),
    ] {
        let scim = Scim::new();
        let path = scim.user(json!({"emails": [{"value": "a", "primary": true}, {"value": "b"}]}));
        let emails = scim.patch(&path, operation.clone()).is(200).at("/emails");
        let primary: Vec<&Value> = emails.as_array().unwrap().iter().filter(|e| e["primary"] == true).collect();
        assert_eq!(primary.len(), 1, "{operation}: {emails}");
        assert_ne!(primary[0]["value"], "a", "{operation}: {emails}");
    }
}

/// R-7644-3.5.2-29
#[test]
fn two_primary_values_in_one_operation_are_refused() {
    let (scim, path) = ada_of(Scim::strict());
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    for op in ["add", "replace"] {
        scim.patch(&path, json!({"op": op, "path": "emails", "value": two})).refused(400, "invalidValue");
        scim.patch(&path, json!({"op": op, "value": {"emails": two}})).refused(400, "invalidValue");
    }
}

/// R-7644-3.5.2-25 R-7644-3.5.2-26
#[test]
fn schemas_follow_an_extension_that_comes_and_goes() {
    let (scim, path) = ada();
    let department = format!("{ENTERPRISE}:department");
    scim.patch(&path, json!({"op": "add", "path": department, "value": "R&D"}))
        .is(200)
        .has(json!({"schemas": [USER, ENTERPRISE]}));
    scim.patch(&path, json!({"op": "remove", "path": department})).is(200).has(json!({"schemas": [USER]}));
}

/// R-7644-3.5.2-23 R-7644-3.5.2-24
#[test]
fn an_extension_that_is_named_in_schemas_can_be_used_right_away() {
    let (scim, path) = ada();
    scim.patch(
        &path,
        json!([
            {"op": "add", "path": "schemas", "value": [ENTERPRISE]},
            {"op": "add", "path": format!("{ENTERPRISE}:division"), "value": "x"},
        ]),
    )
    .is(200)
    .has(json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"division": "x"}}));
    scim.patch(&path, json!({"op": "replace", "path": "schemas", "value": [USER, ENTERPRISE]})).is(200);
}

/// R-7643-3-03 R-7644-3.5.2-16
#[test]
fn a_foreign_schema_cannot_be_patched_in() {
    let scim = Scim::strict();
    let path = scim.user(json!({}));
    for operation in [
        json!({"op": "add", "path": "schemas", "value": ["urn:example:other"]}),
        json!({"op": "add", "value": {"schemas": ["urn:example:other"]}}),
    ] {
        let refused = scim.patch(&path, operation);
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
}

/// R-7643-3.3-02 A-45
#[test]
fn the_base_schema_stays() {
    let (scim, path) = ada();
    scim.patch(&path, json!({"op": "replace", "path": "schemas", "value": [ENTERPRISE]})).refused(400, "mutability");
    scim.patch(&path, json!({"op": "remove", "path": "schemas"})).refused(400, "mutability");
    scim.patch(&path, json!({"op": "remove", "path": format!("schemas[value eq \"{USER}\"]")}))
        .refused(400, "mutability");
}
