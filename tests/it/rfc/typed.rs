//! The examples as the crate's own types: read and written again.

use scim_provider::messages::{ListResponse, PatchOp, ResourceTypeDefinition, SearchRequest, ServiceProviderConfig};
use scim_provider::schema::Schema;
use scim_provider::{EnterpriseUser, Extension, Group, Resource, User};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::compare::differences;
use super::play::{Outcome, judge};

/// Reads and writes a message of one type.
type RoundTrip = fn(&str, &Value) -> Value;

/// How each kind of message is read, by the end of its schema; those without one stand in arrays.
const TYPES: [(&str, RoundTrip); 9] = [
    ("core:2.0:User", round_trip::<User>),
    ("core:2.0:Group", round_trip::<Group>),
    ("ListResponse", round_trip::<ListResponse<Value>>),
    ("SearchRequest", round_trip::<SearchRequest>),
    ("PatchOp", round_trip::<PatchOp>),
    ("ServiceProviderConfig", round_trip::<ServiceProviderConfig>),
    ("7643-8.6-1899", round_trip::<ResourceTypeDefinition>),
    ("7643-8.7.1-1948", round_trip::<Schema>),
    ("7643-8.7.2-3026", round_trip::<Schema>),
];

/// The kinds that have no type of their own: the service reads and writes them, in the scenes.
const UNTYPED: [&str; 3] = ["Error", "BulkRequest", "BulkResponse"];

pub(super) fn every_message_is_written_as_it_was_read(catalogue: &Catalogue, outcome: &mut Outcome) {
    for (id, body) in &catalogue.bodies {
        let messages = match body.as_array() {
            Some(elements) => elements.iter().enumerate().map(|(at, one)| (format!("{id}#{at}"), one)).collect(),
            None => vec![(id.clone(), body)],
        };
        let kind = body["schemas"][0].as_str().unwrap_or(id);
        if UNTYPED.iter().any(|untyped| kind.ends_with(untyped)) {
            continue;
        }
        let (_, round_trip) = TYPES.iter().find(|(end, _)| kind.ends_with(end)).unwrap_or_else(|| panic!("{kind}"));
        for (name, message) in messages {
            let name = format!("{name} typed");
            let found = differences(message, &round_trip(&name, message), false);
            judge(outcome, "the types", &name, &found, &catalogue.known(&name));
        }
    }
}

fn round_trip<T: DeserializeOwned + Serialize>(name: &str, example: &Value) -> Value {
    // through text and through a value: the two ways to deserialise differ where serde buffers
    let typed: T = serde_json::from_str(&example.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written = serde_json::to_value(&typed).unwrap();
    let typed: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(&typed).unwrap(), written, "{name}");
    written
}

/// Every user and group, as the document that a store keeps.
pub(super) fn every_document_is_kept_as_it_was_read(catalogue: &Catalogue, outcome: &mut Outcome) {
    let users = User::resource_type().extension(EnterpriseUser::schema()).build().unwrap();
    let groups = Group::resource_type().build().unwrap();
    for (end, ty) in [("core:2.0:User", &users), ("core:2.0:Group", &groups)] {
        for (id, example) in catalogue.of_schema(end) {
            let read = Resource::from_stored(ty, example.to_string()).unwrap_or_else(|error| panic!("{id}: {error}"));
            let again = Resource::from_stored(ty, read.as_json()).unwrap();
            assert_eq!(again, read, "{id}");
            let document: Value = serde_json::from_slice(read.as_json()).unwrap();
            judge(outcome, "the documents", id, &differences(&kept(example.clone()), &document, false), &[].into());
        }
    }
}

/// What a document keeps of an example: no secret, no link (those depend on the base URL), nothing unassigned, and in
/// `schemas` the extensions that have data.
fn kept(mut example: Value) -> Value {
    let members = example.as_object_mut().unwrap();
    members.remove("password");
    if let Some(meta) = members.get_mut("meta") {
        meta.as_object_mut().unwrap().remove("location");
    }
    for name in ["groups", "members", EnterpriseUser::SCHEMA] {
        members.get_mut(name).into_iter().for_each(remove_links);
    }
    members.retain(|_, value| *value != json!([]) && *value != json!({}));
    let has_extension = members.contains_key(EnterpriseUser::SCHEMA);
    let schemas = members["schemas"].as_array_mut().unwrap();
    schemas.retain(|schema| schema != EnterpriseUser::SCHEMA);
    if has_extension {
        schemas.push(EnterpriseUser::SCHEMA.into());
    }
    example
}

fn remove_links(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("$ref");
            members.values_mut().for_each(remove_links);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_links),
        _ => {}
    }
}

/// R-7643-4.1.1-20
#[test]
fn a_password_is_not_kept_in_a_typed_user() {
    let catalogue = Catalogue::load();
    let full = catalogue.body("7643-8.2-1507");
    assert!(full["password"].is_string());
    assert!(round_trip::<User>("7643-8.2-1507", full).get("password").is_none());
}

#[test]
fn the_extension_of_a_typed_user_is_read_and_set() {
    let catalogue = Catalogue::load();
    let mut count = 0;
    for (id, user) in catalogue.of_schema("core:2.0:User") {
        let Some(extension) = user.get(EnterpriseUser::SCHEMA) else { continue };
        let typed: User = serde_json::from_value(user.clone()).unwrap();
        let enterprise: EnterpriseUser = typed.extension().unwrap().unwrap();
        assert_eq!(serde_json::to_value(&enterprise).unwrap(), *extension, "{id}");
        let mut again = typed.clone();
        again.set_extension(&enterprise).unwrap();
        assert_eq!(again, typed, "{id}");
        count += 1;
    }
    assert_eq!(count, 2);
}
