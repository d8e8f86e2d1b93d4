//! Every JSON example of RFC 7643, RFC 7644 and RFC 9865 through the typed structs: what goes in comes out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use scim_provider::messages::{ListResponse, PatchOp, ResourceTypeDefinition, SearchRequest, ServiceProviderConfig};
use scim_provider::schema::Schema;
use scim_provider::{EnterpriseUser, Group, User};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn examples() -> BTreeMap<String, Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
        })
        .collect()
}

/// The examples whose first schema ends so.
fn of_schema(end: &str) -> BTreeMap<String, Value> {
    let mut examples = examples();
    examples.retain(|_, example| example["schemas"][0].as_str().is_some_and(|schema| schema.ends_with(end)));
    examples
}

fn round_trip<T: DeserializeOwned + Serialize>(name: &str, example: &Value) -> Value {
    // through text and through a value: the two ways to deserialise differ where serde buffers
    let typed: T = serde_json::from_str(&example.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written = serde_json::to_value(&typed).unwrap();
    let typed: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(&typed).unwrap(), written, "{name}");
    written
}

#[track_caller]
fn nothing_is_lost<T: DeserializeOwned + Serialize>(name: &str, example: &Value) {
    assert_eq!(round_trip::<T>(name, example), *example, "{name}");
}

#[test]
fn users() {
    let users = of_schema("core:2.0:User");
    assert_eq!(users.len(), 12);
    for (name, mut user) in users {
        // A password never becomes part of a typed user.
        let secret = user.as_object_mut().unwrap().remove("password");
        assert_eq!(secret.is_some(), name == "7643-8.2-1507" || name == "7643-8.3-1650", "{name}");
        // An empty list is unassigned (RFC 7643 §2.5), and what is unassigned is not written.
        if name == "7644-3.5.1-1300" {
            assert_eq!(user.as_object_mut().unwrap().remove("roles"), Some(json!([])));
        }
        nothing_is_lost::<User>(&name, &user);
    }
}

#[test]
fn a_password_is_not_kept() {
    let full = &examples()["7643-8.2-1507"];
    assert!(full["password"].is_string());
    assert!(round_trip::<User>("7643-8.2-1507", full).get("password").is_none());
}

#[test]
fn enterprise_users() {
    let mut count = 0;
    for (name, user) in of_schema("core:2.0:User") {
        let Some(extension) = user.get(ENTERPRISE) else { continue };
        nothing_is_lost::<EnterpriseUser>(&name, extension);
        let typed: User = serde_json::from_value(user.clone()).unwrap();
        let enterprise: EnterpriseUser = typed.extension().unwrap().unwrap();
        assert_eq!(serde_json::to_value(&enterprise).unwrap(), *extension, "{name}");
        let mut again = typed.clone();
        again.set_extension(&enterprise).unwrap();
        assert_eq!(again, typed, "{name}");
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn groups() {
    let groups = of_schema("core:2.0:Group");
    assert_eq!(groups.len(), 2);
    for (name, group) in groups {
        nothing_is_lost::<Group>(&name, &group);
    }
}

#[test]
fn lists() {
    let lists = of_schema("ListResponse");
    assert_eq!(lists.len(), 9);
    for (name, list) in lists {
        nothing_is_lost::<ListResponse<Value>>(&name, &list);
        match name.as_str() {
            "7644-3.7.1-2123" => nothing_is_lost::<ListResponse<Group>>(&name, &list),
            "7644-4-3067" => nothing_is_lost::<ListResponse<ResourceTypeDefinition>>(&name, &list),
            _ => nothing_is_lost::<ListResponse<User>>(&name, &list),
        }
    }
}

#[test]
fn search_requests() {
    let requests = of_schema("SearchRequest");
    assert_eq!(requests.len(), 2);
    for (name, request) in requests {
        nothing_is_lost::<SearchRequest>(&name, &request);
    }
}

#[test]
fn patches() {
    let patches = of_schema("PatchOp");
    assert_eq!(patches.len(), 12);
    for (name, patch) in patches {
        nothing_is_lost::<PatchOp>(&name, &patch);
    }
}

#[test]
fn service_provider_configurations() {
    let examples = examples();
    nothing_is_lost::<ServiceProviderConfig>("7643-8.5-1839", &examples["7643-8.5-1839"]);
    // RFC 9865 leaves out everything but its own attribute; what is required is written all the same.
    let elided = &examples["9865-4-0330"];
    let written = round_trip::<ServiceProviderConfig>("9865-4-0330", elided);
    assert_eq!(written["pagination"], elided["pagination"]);
    assert_eq!(written["patch"], json!({"supported": false}));
}

#[test]
fn resource_types() {
    for (index, example) in examples()["7643-8.6-1899"].as_array().unwrap().iter().enumerate() {
        nothing_is_lost::<ResourceTypeDefinition>(&format!("7643-8.6-1899 #{index}"), example);
    }
}

#[test]
fn schemas() {
    let examples = examples();
    let mut count = 0;
    for name in ["7643-8.7.1-1948", "7643-8.7.2-3026"] {
        for schema in examples[name].as_array().unwrap() {
            let mut expected = schema.clone();
            // `meta` belongs to the service; `schemas` is missing in the RFC and required by it.
            expected.as_object_mut().unwrap().remove("meta");
            expected["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]);
            expected["attributes"].as_array_mut().unwrap().iter_mut().for_each(corrected);
            assert_eq!(round_trip::<Schema>(name, schema), expected, "{name} {}", schema["id"]);
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

/// An attribute definition of RFC 7643 §8.7 as this crate writes it: corrected by RFC 7643 §2.2 and §2.3.
fn corrected(attribute: &mut Value) {
    let definition = attribute.as_object_mut().unwrap();
    let kind = definition["type"].as_str().unwrap().to_owned();
    // A missing characteristic has its default, and the default is written.
    definition.entry("multiValued").or_insert(json!(false));
    definition.entry("required").or_insert(json!(false));
    definition.entry("mutability").or_insert(json!("readWrite"));
    definition.entry("returned").or_insert(json!("default"));
    definition.entry("caseExact").or_insert(json!(false));
    definition.entry("uniqueness").or_insert(json!("none"));
    match kind.as_str() {
        "string" => {}
        // References and binary values always heed letter case (§2.3.6, §2.3.7).
        "reference" | "binary" => drop(definition.insert("caseExact".into(), json!(true))),
        // Nothing else has letter case.
        _ => drop(definition.remove("caseExact")),
    }
    // Binary values, booleans, dates and complex values are not unique (§2.3).
    if !matches!(kind.as_str(), "string" | "reference" | "integer" | "decimal") {
        definition.remove("uniqueness");
    }
    // An empty list is the same as none (§2.5).
    definition.retain(|_, value| *value != json!([]));
    if let Some(parts) = definition.get_mut("subAttributes") {
        parts.as_array_mut().unwrap().iter_mut().for_each(corrected);
    }
}

#[test]
fn every_example_belongs_to_one_of_the_tests() {
    let kinds =
        ["core:2.0:User", "core:2.0:Group", "ListResponse", "SearchRequest", "PatchOp", "ServiceProviderConfig"];
    let covered: usize = kinds.iter().map(|kind| of_schema(kind).len()).sum();
    // Errors and bulk messages are no typed structs: the service reads and writes them.
    let elsewhere = ["Error", "BulkRequest", "BulkResponse"].iter().map(|kind| of_schema(kind).len()).sum::<usize>();
    let arrays = 3;
    assert_eq!(covered + elsewhere + arrays, examples().len());
}
