//! Resources and outcomes, as failures show them and as cases compare them.

use serde_json::Value;

use crate::{Precondition, Resource, StoreError, Version};

pub(super) fn id_of(resource: &Resource) -> &str {
    resource.id().unwrap_or_default()
}

pub(super) fn version_of(resource: &Resource) -> Version {
    resource.version().unwrap_or_else(|| Version::new(""))
}

pub(super) fn show(resource: &Resource) -> String {
    String::from_utf8_lossy(resource.as_json()).into_owned()
}

/// What a resource says, apart from identity, `meta` and what follows from other resources.
pub(super) fn content(resource: &Resource) -> Value {
    let mut value: Value = serde_json::from_slice(resource.as_json()).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        for name in ["id", "meta", "schemas", "groups"] {
            members.remove(name);
        }
    }
    value
}

/// Whether a resource has all that was sent, beside what a store fills in by itself.
pub(super) fn has_all_of(resource: &Resource, sent: &Resource) -> bool {
    let (found, sent) = (content(resource), content(sent));
    sent.as_object().into_iter().flatten().all(|(name, value)| found.get(name.as_str()) == Some(value))
}

/// The ids of a group's members, sorted.
pub(super) fn members(group: &Resource) -> Vec<String> {
    let mut ids: Vec<String> = group.references("members").map(|member| member.value().into_owned()).collect();
    ids.sort();
    ids
}

pub(super) fn told(outcome: &Result<Resource, StoreError>) -> String {
    match outcome {
        Ok(resource) => show(resource),
        Err(error) => format!("{error:?}"),
    }
}

pub(super) fn told_when(when: Precondition<'_>) -> String {
    when.as_versions().map_or_else(String::new, |versions| {
        let versions: Vec<&str> = versions.iter().map(Version::as_str).collect();
        format!(" when at version {}", versions.join(" or "))
    })
}

/// A document whose lists have an order of their own.
pub(super) fn unordered(body: &[u8]) -> Option<Value> {
    let mut document: Value = serde_json::from_slice(body).ok()?;
    for value in document.as_object_mut()?.values_mut() {
        if let Some(list) = value.as_array_mut() {
            list.sort_by_key(Value::to_string);
        }
    }
    Some(document)
}
