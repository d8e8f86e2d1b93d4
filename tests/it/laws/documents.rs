//! Reading and showing documents.

use chrono::DateTime;
use http::Method;
use proptest::prelude::*;
use scim_provider::schema::Returned;
use scim_provider::{
    AttrPath, Key, MemoryStore, Projection, Resource, ResourceType, Store, UnknownAttributes, Version,
};
use serde_json::{Value, json};

use super::given::{Dice, read_once, root, scribbled, typed_body, visible, with_unknown};
use super::model::{Ask, answer, path};
use super::{attributes, inputs, json as body_of, now, send, service, tenant, text_of, value_of};

proptest! {
    #![proptest_config(inputs())]

    /// Red when parts of complex values keep the order in which they came (`close_object` without `sort_members`), and when
    /// stored text is taken for canonical though only its white space was looked at.
    #[test]
    fn reading_what_was_written_changes_nothing((ty, body) in typed_body(), seed in any::<u64>()) {
        let read = Resource::parse(&ty, body.to_string().as_bytes()).unwrap();
        let stamped = read.stamped("a-1", DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, &Version::from(7));
        for canonical in [read, stamped] {
            let value = value_of(&canonical);
            let scribble = scribbled(&ty, &value, seed, false);
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let shuffled = shuffled(&value, &mut Dice(seed));
            for text in [text_of(&canonical), &pretty, &shuffled, &scribble] {
                let again = Resource::from_stored(&ty, text).unwrap();
                prop_assert_eq!(text_of(&again), text_of(&canonical), "from {}", text);
                same_places(&ty, &again, &canonical)?;
            }
        }
    }

    /// Red when the reader drops a value that is assigned (`""` read as unassigned), an element, or a whole extension; when
    /// noise such as `null` leaves a trace; or when a secret reaches the document.
    #[test]
    fn nothing_is_lost_and_nothing_is_added((ty, body) in typed_body(), seed in any::<u64>()) {
        let expected = read_once(&ty, &visible(&ty, &body));
        for noise in [false, true] {
            let text = scribbled(&ty, &body, seed, noise);
            let read = Resource::parse(&ty, text.as_bytes());
            let read = read.unwrap_or_else(|error| panic!("{error}: {text}"));
            prop_assert!(alike(&value_of(&read), &expected), "{text}\nis read as\n{}", text_of(&read));
        }
    }

    /// Red when the writer leaves unknown parts out of what it writes anew, or a store takes them away.
    #[test]
    fn unknown_attributes_survive_where_they_are_kept((ty, body) in typed_body(), seed in any::<u64>()) {
        let body = read_once(&ty, &with_unknown(&ty, &visible(&ty, &body), seed));
        let store = MemoryStore::new();
        let service = service(&store, UnknownAttributes::Keep);
        let (status, response) = now(send(&service, Method::POST, ty.endpoint(), scribbled(&ty, &body, seed, false)));
        prop_assert_eq!(status, 201, "{}", body_of(&response));
        let stored = stored(&store, &ty, body_of(&response)["id"].as_str().unwrap());
        let mut kept = stored.clone();
        kept.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "meta");
        prop_assert!(alike(&kept, &body), "{body}\nis kept as\n{kept}");
        let (_, response) = now(send(&service, Method::GET, &place(&ty, &stored), ""));
        prop_assert!(alike(&body_of(&response), &answer(&ty, &stored, &Ask::Default)), "{}", body_of(&response));
    }

    /// Red when `excludedAttributes` can take an attribute away that is always returned, when a whole value is copied though
    /// a part of it is never returned, or when a link is written that nobody asked for.
    #[test]
    fn answers_show_what_the_projection_says(
        (ty, body) in typed_body(),
        only in any::<bool>(),
        names in proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
        seed in any::<u64>(),
    ) {
        let store = MemoryStore::new();
        let service = service(&store, UnknownAttributes::Drop);
        let (status, response) = now(send(&service, Method::POST, ty.endpoint(), body.to_string()));
        prop_assert_eq!(status, 201, "{}", body_of(&response));
        let stored = stored(&store, &ty, body_of(&response)["id"].as_str().unwrap());
        let all = paths(&ty);
        let names: Vec<String> = names.iter().map(|name| name.get(&all).clone()).collect();
        let mut dice = Dice(seed);
        let spelled: Vec<String> = names.iter().map(|name| dice.respell(name)).collect();
        let parameter = if only { "attributes" } else { "excludedAttributes" };
        let ask = if only { Ask::Only(names) } else { Ask::Without(names) };
        let query = format!("?{parameter}={}", spelled.join(",%20").replace('$', "%24"));
        for (query, ask) in [("", &Ask::Default), (&query, &ask)] {
            let expected = answer(&ty, &stored, ask);
            let (_, one) = now(send(&service, Method::GET, &format!("{}{query}", place(&ty, &stored)), ""));
            prop_assert!(alike(&body_of(&one), &expected), "GET{query}\n{}\nis not\n{expected}", body_of(&one));
            let (_, list) = now(send(&service, Method::GET, &format!("{}{query}", ty.endpoint()), ""));
            prop_assert_eq!(&body_of(&list)["Resources"][0], &body_of(&one), "list{}", query);
        }
    }
}

/// Every path leads to the same value, which is where the directory says it is.
fn same_places(ty: &ResourceType, a: &Resource, b: &Resource) -> Result<(), TestCaseError> {
    let whole = value_of(b);
    for (urn, attribute) in attributes(ty) {
        let path = path(urn.as_deref(), &attribute.name);
        let (a, b) = (a.get(&path), b.get(&path));
        prop_assert_eq!(a, b, "{}", &path);
        let at = urn.map_or(&whole, |urn| &whole[&urn]).get(&attribute.name);
        let found = a.map(|value| value.to::<Value>().unwrap());
        prop_assert_eq!(found.as_ref(), at, "{}", &path);
    }
    Ok(())
}

/// Canonical text with its members in another order and nothing else different.
fn shuffled(value: &Value, dice: &mut Dice) -> String {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            dice.shuffle(&mut members);
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{}", json!(name), shuffled(value, dice))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(|value| shuffled(value, dice)).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// Equality in which numbers count for what they are worth, however they are written.
pub(super) fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => super::model::numbers(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| alike(value, other)))
        }
        _ => a == b,
    }
}

pub(super) fn stored(store: &MemoryStore, ty: &ResourceType, id: &str) -> Value {
    let found = now(store.get(&tenant(), Key::new(ty, id), &Projection::everything(ty)));
    value_of(&found.unwrap().unwrap())
}

pub(super) fn place(ty: &ResourceType, stored: &Value) -> String {
    format!("{}/{}", ty.endpoint(), stored["id"].as_str().unwrap())
}

/// Every path that can be named: attributes, parts, extensions.
fn paths(ty: &ResourceType) -> Vec<String> {
    let mut paths: Vec<String> = ty.extensions().map(|(schema, _)| schema.id.clone()).collect();
    for (urn, attribute) in attributes(ty) {
        let whole = path(urn.as_deref(), &attribute.name);
        paths.extend(attribute.sub_attributes.iter().map(|sub| format!("{whole}.{}", sub.name)));
        paths.push(whole);
    }
    assert!(paths.iter().all(|path| AttrPath::parse(path).is_ok_and(|path| ty.resolve(&path).is_some())));
    assert!(root(ty).iter().any(|attribute| attribute.returned == Returned::Always));
    paths
}
