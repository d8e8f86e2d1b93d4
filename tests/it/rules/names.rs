//! How attributes are named (RFC 7643 §2.1, RFC 7644 §3.10).

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{AttrPath, Compat, is_attribute_name};
use serde_json::json;

use super::devices::devices;
use crate::scim::{DEVICE, ENTERPRISE, Scim, USER, user};

/// R-7643-2.1-02 R-7643-2.1-03 E-7643-29
#[test]
fn names_begin_with_a_letter_and_ref_is_one() {
    for name in ["a", "userName", "a-b_c$1", "$ref"] {
        assert!(is_attribute_name(name), "{name}");
    }
    for name in ["", "1abc", "a.b", "a b", "a:b", "-a", "ä", "$", "$$a"] {
        assert!(!is_attribute_name(name), "{name}");
        let schema = Schema::new("urn:example:x", "x", [Attribute::string(name)]);
        assert!(schema.check().is_err(), "{name}");
    }
}

/// R-7643-2.1-04 R-7643-2.1-06 R-7644-3.5.2.1-19 A-41
#[test]
fn letter_case_of_names_means_nothing_and_answers_use_that_of_the_schema() {
    let scim = Scim::new();
    let body =
        json!({"SCHEMAS": [USER], "USERNAME": "ada", "Name": {"GIVENname": "Ada"}, "eMails": [{"VALUE": "a@b"}]});
    let created = scim.post("/Users", body).is(201);
    let expected = json!({"userName": "ada", "name": {"givenName": "Ada"}, "emails": [{"value": "a@b"}]});
    let path = format!("/Users/{}", created.has(expected).id());
    assert!(scim.finds("/Users", r#"NAME.givenNAME eq "Ada""#));
    scim.patch(&path, json!({"op": "replace", "path": "NAME.GivenName", "value": "A."})).is(200);
    scim.get(&format!("{path}?ATTRIBUTES=NAME.GIVENNAME")).has(json!({"name": {"givenName": "A."}}));
}

/// R-7643-2.1-04
#[test]
fn letter_case_of_a_patch_messages_members_means_nothing() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let body =
        json!({"SCHEMAS": [crate::scim::PATCH_OP], "OPERATIONS": [{"OP": "add", "PATH": "title", "VALUE": "Dr"}]});
    let headers = [("content-type", "application/scim+json")];
    scim.send("PATCH", &path, &headers, body.to_string()).is(200).has(json!({"title": "Dr"}));
}

/// R-7643-2.1-05
#[test]
fn one_attribute_in_two_spellings_is_refused() {
    let scim = Scim::new();
    let headers = [("content-type", "application/scim+json")];
    for twice in [
        r#""title": "a", "TITLE": "b""#,
        r#""title": "a", "title": "a""#,
        r#""name": {"givenName": "a", "givenname": "b"}"#,
    ] {
        let body = format!(r#"{{"schemas": ["{USER}"], "userName": "ada", {twice}}}"#);
        scim.send("POST", "/Users", &headers, body).refused(400, "invalidSyntax");
    }
    let path = scim.user(json!({}));
    scim.patch(&path, json!({"op": "add", "value": {"title": "a", "Title": "b"}})).refused(400, "invalidSyntax");
}

/// R-7643-2.1-07 R-7643-10-03 R-7644-3.10-04
#[test]
fn letter_case_of_urns_means_nothing() {
    let scim = Scim::new();
    let path = scim.create("/Users", json!({"schemas": [USER.to_uppercase()], "userName": "ada"}));
    let department = format!("{}:DEPARTMENT", ENTERPRISE.to_uppercase());
    scim.patch(&path, json!({"op": "add", "path": department, "value": "R&D"})).is(200);
    assert!(scim.finds("/Users", &format!(r#"{department} eq "R&D""#)));
    scim.get(&path).has(json!({ENTERPRISE: {"department": "R&D"}, "schemas": [USER, ENTERPRISE]}));
}

/// R-7644-3.10-01 R-7644-3.10-02 R-7644-3.4.2.2-53 R-7644-3.5.2-13
#[test]
fn a_full_name_and_a_short_one_mean_the_same() {
    let scim = Scim::new();
    let path = scim.user(json!({"name": {"givenName": "Ada"}}));
    for name in ["name.givenName".to_owned(), format!("{USER}:name.givenName")] {
        assert!(scim.finds("/Users", &format!(r#"{name} eq "Ada""#)), "{name}");
        scim.get(&format!("{path}?attributes={name}")).has(json!({"name": {"givenName": "Ada"}})).lacks(&["/userName"]);
        scim.patch(&path, json!({"op": "replace", "path": name, "value": "Ada"})).is(200);
    }
}

/// R-7644-3.10-03 R-7644-3.4.2.2-15 A-16
#[test]
fn a_urn_with_dots_and_colons_ends_where_the_attribute_begins() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE: {"manager": {"value": "m1"}}}));
    assert!(scim.finds("/Users", &format!(r#"{ENTERPRISE}:manager.value eq "m1""#)));
    scim.patch(&path, json!({"op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": "m2"}))
        .is(200)
        .has(json!({ENTERPRISE: {"manager": {"value": "m2"}}}));
}

/// R-7644-3.10-05
#[test]
fn an_extensions_attribute_without_its_urn_is_unknown_to_a_strict_service() {
    let scim = Scim::strict();
    let path = scim.user(json!({ENTERPRISE: {"department": "R&D"}}));
    scim.filter("/Users", r#"department eq "R&D""#).refused(400, "invalidFilter");
    scim.patch(&path, json!({"op": "replace", "path": "department", "value": "x"})).refused(400, "invalidPath");
}

/// R-7644-3.10-06
#[test]
fn a_name_under_a_foreign_urn_is_unknown() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for name in ["urn:example:other:userName", "urn:ietf:params:scim:schemas:core:2.0:Group:displayName"] {
        scim.filter("/Users", &format!(r#"{name} eq "x""#)).refused(400, "invalidFilter");
        scim.patch(&path, json!({"op": "add", "path": name, "value": "x"})).refused(400, "invalidPath");
    }
}

/// R-7643-3.3-05 R-7643-3.3-07
#[test]
fn an_extension_is_found_under_its_urn_in_any_letter_case() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE.to_lowercase(): {"costCenter": "4130"}}));
    scim.get(&path).has(json!({ENTERPRISE: {"costCenter": "4130"}}));
}

/// R-7644-3.10-01
#[test]
fn a_host_resolves_names_by_the_same_rules() {
    let devices = devices();
    let full = format!("{DEVICE}:PLACE.room");
    for name in ["place.ROOM", full.as_str()] {
        let path = AttrPath::parse(name).unwrap();
        assert_eq!(devices.resolve(&path).map(|found| found.path()).as_deref(), Some("place.room"), "{name}");
    }
    assert!(devices.resolve(&AttrPath::parse("place.floor").unwrap()).is_none());
    assert!(Compat::strict() != Compat::default());
}

/// R-7643-1.1-01
#[test]
fn quotation_marks_of_the_text_are_not_part_of_a_value() {
    let created = Scim::new().post("/Users", user(json!({"displayName": "\"Ada\""}))).is(201);
    created.has(json!({"displayName": "\"Ada\""}));
}

/// R-7643-10-01
#[test]
fn the_urns_of_schemas_and_messages_have_the_registered_form() {
    let scim = Scim::new();
    let schemas = scim.get("/Schemas").each("id");
    let found = scim.get("/Users").at("/schemas/0");
    let refused = scim.get("/Nowhere").at("/schemas/0");
    assert!(schemas.len() >= 4);
    let messages = [found, refused].map(|urn| urn.as_str().unwrap().to_owned());
    for (urns, kind) in [(schemas, "schemas"), (messages.to_vec(), "api")] {
        for urn in urns.iter().filter(|urn| urn.contains(":ietf:")) {
            let rest = urn.strip_prefix(&format!("urn:ietf:params:scim:{kind}:")).unwrap_or_default();
            assert!(rest.split(':').count() >= 2 && !rest.contains("::") && !rest.ends_with(':'), "{urn}");
        }
    }
}

#[test]
fn the_beginning_of_a_urn_names_no_extension() {
    let scim = Scim::new();
    for (at, urn) in
        ["urn:scim:schemas:", "urn:scim:schemas:e", "urn:scim:schemas:extension:enterprise"].iter().enumerate()
    {
        let named = format!("u{at}");
        let path = scim.create("/Users", user(json!({"userName": named, *urn: {"department": "d"}})));
        scim.patch(&path, json!({"op": "replace", "value": {*urn: {"department": "d"}}})).is(200);
        scim.get(&path).has(json!({"schemas": [USER]})).lacks(&[&format!("/{ENTERPRISE}")]);
    }
    let path = scim.user(json!({}));
    let whole = json!({"URN:scim:schemas:extension:enterprise:2.0": {"department": "d"}});
    scim.patch(&path, json!({"op": "replace", "value": whole})).is(200).has(json!({ENTERPRISE: {"department": "d"}}));
}
