//! What a service provider says about itself (RFC 7643 §5, §6, RFC 9865 §4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::resource::Meta;
use crate::schema::{RESOURCE_TYPE_SCHEMA, SERVICE_PROVIDER_CONFIG_SCHEMA};

/// What the service provider supports (RFC 7643 §5).
///
/// What a provider does not mention reads as not supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServiceProviderConfig {
    /// The URI of the schema.
    #[serde(default, deserialize_with = "crate::unassigned::or_default")]
    pub schemas: Vec<String>,
    /// Documentation for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// Whether resources can be changed by PATCH.
    #[serde(default)]
    pub patch: Supported,
    /// Whether several requests can be sent as one.
    #[serde(default)]
    pub bulk: BulkSupport,
    /// Whether queries can have filters.
    #[serde(default)]
    pub filter: FilterSupport,
    /// Whether passwords can be changed.
    #[serde(default)]
    pub change_password: Supported,
    /// Whether answers can be sorted.
    #[serde(default)]
    pub sort: Supported,
    /// Whether resources have entity tags.
    #[serde(default)]
    pub etag: Supported,
    /// The ways to authenticate.
    #[serde(default, deserialize_with = "crate::unassigned::or_default")]
    pub authentication_schemes: Vec<AuthenticationScheme>,
    /// How answers are cut into pages (RFC 9865 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<PaginationSupport>,
    /// What the service provider records about this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ServiceProviderConfig {
    /// A configuration in which nothing is supported.
    pub fn new() -> Self {
        Self {
            schemas: vec![SERVICE_PROVIDER_CONFIG_SCHEMA.to_owned()],
            documentation_uri: None,
            patch: Supported::default(),
            bulk: BulkSupport::default(),
            filter: FilterSupport::default(),
            change_password: Supported::default(),
            sort: Supported::default(),
            etag: Supported::default(),
            authentication_schemes: Vec::new(),
            pagination: None,
            meta: None,
            extra: Map::new(),
        }
    }
}

impl Default for ServiceProviderConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a feature is supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Supported {
    /// Whether it is.
    pub supported: bool,
}

impl Supported {
    /// It is.
    pub const YES: Self = Self { supported: true };
    /// It is not.
    pub const NO: Self = Self { supported: false };
}

/// Whether, and how far, bulk requests are supported (RFC 7644 §3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BulkSupport {
    /// Whether they are.
    pub supported: bool,
    /// The most operations in one request.
    pub max_operations: u64,
    /// The most bytes in one request.
    pub max_payload_size: u64,
}

impl BulkSupport {
    /// Bulk requests are supported within these limits.
    pub fn new(max_operations: u64, max_payload_size: u64) -> Self {
        Self { supported: true, max_operations, max_payload_size }
    }
}

/// Whether, and how far, filters are supported (RFC 7644 §3.4.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct FilterSupport {
    /// Whether they are.
    pub supported: bool,
    /// The most resources in one answer.
    pub max_results: u64,
}

impl FilterSupport {
    /// Filters are supported, and an answer holds at most so many resources.
    pub fn new(max_results: u64) -> Self {
        Self { supported: true, max_results }
    }
}

/// How answers are cut into pages (RFC 9865 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PaginationSupport {
    /// Whether pages can be had by cursor.
    pub cursor: bool,
    /// Whether pages can be had by index.
    pub index: bool,
    /// What applies when the client chooses neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_pagination_method: Option<PaginationMethod>,
    /// The resources in a page when the client names no count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_page_size: Option<u64>,
    /// The most resources in a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_page_size: Option<u64>,
    /// For how many seconds a cursor is good, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor_timeout: Option<u64>,
}

impl PaginationSupport {
    /// Pages can be had by cursor, by index, by both, or not at all, as the fields that follow say.
    pub fn new() -> Self {
        Self::default()
    }
}

/// A way to ask for the next page (RFC 9865 §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PaginationMethod {
    /// By the cursor that came with the page before.
    Cursor,
    /// By the number of its first resource.
    Index,
}

/// A way to authenticate (RFC 7643 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AuthenticationScheme {
    /// The kind: `oauthbearertoken`, `httpbasic`, `oauth2`, or another keyword.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The name, for people.
    #[serde(default)]
    pub name: String,
    /// What the scheme is, for people.
    #[serde(default)]
    pub description: String,
    /// The URL of the scheme's specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_uri: Option<String>,
    /// The URL where people read how to use the scheme here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// Whether the scheme is preferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

impl AuthenticationScheme {
    /// A scheme by its keyword, its name and what it is.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
            description: description.into(),
            spec_uri: None,
            documentation_uri: None,
            primary: None,
        }
    }

    /// A bearer token in the `Authorization` header (RFC 6750).
    pub fn oauth_bearer_token() -> Self {
        Self {
            spec_uri: Some("https://www.rfc-editor.org/info/rfc6750".to_owned()),
            ..Self::new("oauthbearertoken", "OAuth Bearer Token", "A bearer token in the Authorization header")
        }
    }

    /// A name and a password in the `Authorization` header (RFC 7617).
    pub fn http_basic() -> Self {
        Self {
            spec_uri: Some("https://www.rfc-editor.org/info/rfc7617".to_owned()),
            ..Self::new("httpbasic", "HTTP Basic", "A name and a password in the Authorization header")
        }
    }

    /// Says where people read how to use the scheme here.
    #[must_use]
    pub fn with_documentation_uri(mut self, uri: impl Into<String>) -> Self {
        self.documentation_uri = Some(uri.into());
        self
    }

    /// Prefers this scheme to the others.
    #[must_use]
    pub fn primary(mut self) -> Self {
        self.primary = Some(true);
        self
    }
}

/// A resource type as it is published (RFC 7643 §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceTypeDefinition {
    /// The URI of the schema of resource types.
    #[serde(default, deserialize_with = "crate::unassigned::or_default")]
    pub schemas: Vec<String>,
    /// The identifier, often the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name, which `meta.resourceType` repeats.
    pub name: String,
    /// What the type stands for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The endpoint below the base URL, such as `/Users`.
    pub endpoint: String,
    /// The URI of the base schema.
    pub schema: String,
    /// The extensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub schema_extensions: Vec<SchemaExtension>,
    /// What the service provider records about this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ResourceTypeDefinition {
    /// A resource type by its name, its endpoint and the URI of its base schema.
    pub fn new(name: impl Into<String>, endpoint: impl Into<String>, schema: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            schemas: vec![RESOURCE_TYPE_SCHEMA.to_owned()],
            id: Some(name.clone()),
            name,
            description: None,
            endpoint: endpoint.into(),
            schema: schema.into(),
            schema_extensions: Vec::new(),
            meta: None,
            extra: Map::new(),
        }
    }
}

/// An extension of a resource type (RFC 7643 §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SchemaExtension {
    /// The URI of the extension's schema.
    pub schema: String,
    /// Whether each resource must have the extension.
    #[serde(default)]
    pub required: bool,
}

impl SchemaExtension {
    /// An extension that a resource may have.
    pub fn optional(schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), required: false }
    }

    /// An extension that every resource must have.
    pub fn required(schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), required: true }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_required_attribute_is_written_whatever_is_supported() {
        let written = serde_json::to_value(ServiceProviderConfig::new()).unwrap();
        for required in crate::schema::core::service_provider_config().attributes.iter().filter(|a| a.required) {
            let value = &written[&required.name];
            assert!(!value.is_null(), "{} is missing", required.name);
            for part in required.sub_attributes.iter().filter(|part| part.required && !required.multi_valued) {
                assert!(!value[&part.name].is_null(), "{}.{} is missing", required.name, part.name);
            }
        }
    }

    #[test]
    fn what_a_provider_does_not_mention_is_not_supported() {
        let read: ServiceProviderConfig = serde_json::from_value(json!({"patch": {"supported": true}})).unwrap();
        assert_eq!((read.patch, read.bulk, read.etag), (Supported::YES, BulkSupport::default(), Supported::NO));
    }

    #[test]
    fn a_resource_type_is_known_by_its_name() {
        let mut devices = ResourceTypeDefinition::new("Device", "/Devices", "urn:example:Device");
        devices.schema_extensions.push(SchemaExtension::optional("urn:example:Rack"));
        assert_eq!(
            serde_json::to_value(devices).unwrap(),
            json!({
                "schemas": [RESOURCE_TYPE_SCHEMA],
                "id": "Device",
                "name": "Device",
                "endpoint": "/Devices",
                "schema": "urn:example:Device",
                "schemaExtensions": [{"schema": "urn:example:Rack", "required": false}],
            })
        );
    }
}
