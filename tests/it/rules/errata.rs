//! What errata of RFC 7643 correct in its schemas.

use serde_json::{Value, json};

use crate::scim::{GROUP, Scim, USER};

/// The definition of an attribute in a published schema.
fn attribute(schema: &Value, path: &[&str]) -> Value {
    path.iter().fold(json!({"subAttributes": schema["attributes"]}), |of, name| {
        let found = of["subAttributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == *name);
        found.unwrap_or_else(|| panic!("no `{name}`")).clone()
    })
}

fn schema(uri: &str) -> Value {
    Scim::new().get(&format!("/Schemas/{uri}")).is(200).body
}

/// E-7643-08
#[test]
fn references_are_case_exact() {
    let user = schema(USER);
    for path in [&["profileUrl"][..], &["photos", "value"], &["groups", "$ref"]] {
        let found = attribute(&user, path);
        assert_eq!((&found["type"], &found["caseExact"]), (&json!("reference"), &json!(true)), "{path:?}");
    }
}

/// E-7643-09
#[test]
fn complex_attributes_are_not_unique() {
    for name in ["name", "emails", "addresses", "phoneNumbers"] {
        let found = attribute(&schema(USER), &[name]);
        assert!(matches!(found["uniqueness"].as_str(), None | Some("none")), "{found}");
    }
}

/// R-7643-2.4-07 E-7643-20
#[test]
fn display_texts_can_be_written() {
    for name in ["emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates"] {
        assert_eq!(attribute(&schema(USER), &[name, "display"])["mutability"], json!("readWrite"), "{name}");
    }
    assert_eq!(attribute(&schema(GROUP), &["displayName"])["mutability"], json!("readWrite"));
}

/// E-7643-21 R-7643-3.1-01
#[test]
fn the_configuration_has_no_common_attributes_but_meta() {
    let scim = Scim::new();
    scim.get("/ServiceProviderConfig").is(200).lacks(&["/id", "/externalId"]).has(json!({"meta": {}}));
    scim.get("/ResourceTypes/User").is(200).lacks(&["/externalId", "/meta/created", "/meta/version"]);
}

/// E-7643-28 E-7643-22
#[test]
fn names_and_endpoints_of_types_are_unique() {
    let types = Scim::new().get("/ResourceTypes").is(200);
    for name in ["name", "endpoint", "id"] {
        let mut all = types.each(name);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 3, "{name}: {all:?}");
    }
}
