//! Groups as a Rust type (RFC 7643 §4.2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Meta;
use super::extension::extensible;
use crate::schema::{GROUP_SCHEMA, ResourceType, ResourceTypeBuilder, core};

/// A group (RFC 7643 §4.2).
///
/// A typed view for hosts and clients: what the type does not know is kept in `extra`, so that reading and writing lose
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Group {
    /// The URIs of the schemas that the group uses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub schemas: Vec<String>,
    /// The identifier that the service provider gave to the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The identifier that the client gave to the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name. Empty only in a partial answer that leaves it out.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub display_name: String,
    /// The members.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub members: Vec<Member>,
    /// What the service provider records about the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// What this type does not know, extensions included.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Group {
    /// The resource type `Group` (RFC 7643 §4.2) at `/Groups`.
    pub fn resource_type() -> ResourceTypeBuilder {
        let groups = ResourceType::builder("Group", "/Groups", core::group());
        groups.describe("Groups of people and of other groups.").show_empty("members", true)
    }

    /// A group with a name and without members.
    pub fn new(display_name: impl Into<String>) -> Self {
        Self { schemas: vec![GROUP_SCHEMA.to_owned()], display_name: display_name.into(), ..Self::default() }
    }
}

extensible!(Group);

/// A member of a group (RFC 7643 §4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Member {
    /// The member's `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The member's URL.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The name of the member's resource type, such as `User` or `Group`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The member's name. The service provider sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Member {
    /// The resource with this `id`.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// Names the member's resource type.
    #[must_use]
    pub fn with_type(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_assigned_is_written() {
        assert_eq!(
            serde_json::to_value(Group::new("Tour Guides")).unwrap(),
            json!({"schemas": [GROUP_SCHEMA], "displayName": "Tour Guides"})
        );
        assert_eq!(
            serde_json::to_value(Member::new("7").with_type("User")).unwrap(),
            json!({"value": "7", "type": "User"})
        );
    }

    #[test]
    fn a_partial_group_reads_and_writes_the_same() {
        let partial = json!({"id": "7", "urn:example:Room": {"floor": 3}});
        let group: Group = serde_json::from_value(partial.clone()).unwrap();
        assert_eq!(serde_json::to_value(group).unwrap(), partial);
    }
}
