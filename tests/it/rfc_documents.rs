//! Every user and group that the RFCs print, as a document: what goes in comes out, but for what a document never holds.

use std::path::PathBuf;

use scim_provider::{EnterpriseUser, Extension, Group, Resource, ResourceType, User};
use serde_json::Value;

/// R-7643-8-02 R-7643-8-03
#[test]
fn every_user_and_group_of_the_rfcs_comes_out_as_it_went_in() {
    let users = User::resource_type().extension(EnterpriseUser::schema()).build().unwrap();
    let groups = Group::resource_type().build().unwrap();
    let mut count = 0;
    for (name, example) in examples() {
        let ty = match example["schemas"][0].as_str() {
            Some("urn:ietf:params:scim:schemas:core:2.0:User") => &users,
            Some("urn:ietf:params:scim:schemas:core:2.0:Group") => &groups,
            _ => continue,
        };
        count += 1;
        let read = read(ty, &name, &example);
        let again = Resource::from_stored(ty, read.as_json()).unwrap();
        assert_eq!(again, read, "{name}");
        let document: Value = serde_json::from_slice(read.as_json()).unwrap();
        assert_eq!(document, kept(example), "{name}");
    }
    assert_eq!(count, 14);
}

fn read(ty: &ResourceType, name: &str, example: &Value) -> Resource {
    Resource::from_stored(ty, example.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"))
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
    members.retain(|_, value| *value != Value::Array(Vec::new()) && !value.as_object().is_some_and(|o| o.is_empty()));
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

fn examples() -> impl Iterator<Item = (String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
    })
}
