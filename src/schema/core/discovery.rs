//! The schemas of what a service provider says about itself (RFC 7643 §5 to §7, RFC 9865 §4, RFC 9967 §4).

use super::{RESOURCE_TYPE_SCHEMA, SCHEMA_SCHEMA, SERVICE_PROVIDER_CONFIG_SCHEMA};
use crate::schema::{Attribute, Schema, Uniqueness};

/// The schema of the service provider's configuration (RFC 7643 §5, with `pagination` of RFC 9865 and
/// `securityEvents` of RFC 9967).
pub fn service_provider_config() -> Schema {
    let features = [
        feature("patch", "Support of PATCH", []),
        feature(
            "bulk",
            "Support of bulk requests",
            [
                Attribute::integer("maxOperations").required().describe("Most operations in one request"),
                Attribute::integer("maxPayloadSize").required().describe("Most bytes in one request"),
            ],
        ),
        feature(
            "filter",
            "Support of filters",
            [Attribute::integer("maxResults").required().describe("Most resources in one answer")],
        ),
        feature("changePassword", "Support of password changes", []),
        feature("sort", "Support of sorting", []),
        feature("etag", "Support of entity tags", []),
    ];
    let attributes = [Attribute::reference("documentationUri", ["external"]).describe("Documentation for people")]
        .into_iter()
        .chain(features)
        .chain([authentication_schemes(), pagination(), security_events()]);
    Schema::new(SERVICE_PROVIDER_CONFIG_SCHEMA, "Service Provider Configuration", attributes.map(sealed))
        .describe("What the service provider supports")
}

/// The schema of resource types (RFC 7643 §6).
pub fn resource_type() -> Schema {
    let attributes = [
        Attribute::string("name")
            .required()
            .case_exact()
            .unique(Uniqueness::Server)
            .describe("Name of the resource type, as in meta.resourceType"),
        Attribute::string("description").describe("What the resource type stands for"),
        Attribute::reference("endpoint", ["uri"])
            .required()
            .unique(Uniqueness::Server)
            .describe("Path of the endpoint, relative to the base URL"),
        Attribute::reference("schema", ["uri"]).required().describe("URI of the base schema"),
        Attribute::complex(
            "schemaExtensions",
            [
                Attribute::reference("schema", ["uri"]).required().describe("URI of the extension's schema"),
                Attribute::boolean("required").required().describe("Whether each resource must have the extension"),
            ],
        )
        .multi_valued()
        .describe("Extensions of the resource type"),
    ];
    Schema::new(RESOURCE_TYPE_SCHEMA, "ResourceType", attributes.map(sealed))
        .describe("Kind of resource and its schemas")
}

/// The schema of schemas (RFC 7643 §7): the only one where a complex attribute holds another.
pub fn schema() -> Schema {
    let types = ["string", "complex", "boolean", "decimal", "integer", "dateTime", "reference", "binary"];
    let simple_types = ["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary"];
    let sub_attributes = Attribute::complex("subAttributes", definition(&simple_types))
        .multi_valued()
        .describe("Definitions of the parts of a complex attribute");
    let attributes = [
        Attribute::string("name").required().describe("Name of the schema"),
        Attribute::string("description").describe("What the schema describes"),
        Attribute::complex("attributes", definition(&types).into_iter().chain([sub_attributes]))
            .multi_valued()
            .required()
            .describe("Definitions of the attributes"),
    ];
    Schema::new(SCHEMA_SCHEMA, "Schema", attributes.map(sealed)).describe("Definition of a schema")
}

/// Makes an attribute and its parts readOnly: the service provider alone writes what it says about itself.
fn sealed(attribute: Attribute) -> Attribute {
    let mut attribute = attribute.read_only();
    attribute.sub_attributes = attribute.sub_attributes.into_iter().map(sealed).collect();
    attribute
}

fn feature<const N: usize>(name: &str, description: &str, more: [Attribute; N]) -> Attribute {
    let supported = Attribute::boolean("supported").required().describe("Whether it is supported");
    Attribute::complex(name, [supported].into_iter().chain(more)).required().describe(description)
}

fn authentication_schemes() -> Attribute {
    Attribute::complex(
        "authenticationSchemes",
        [
            Attribute::string("type")
                .required()
                .canonical(["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"])
                .describe("Kind of authentication"),
            Attribute::string("name").required().describe("Name of the scheme"),
            Attribute::string("description").required().describe("What the scheme is"),
            Attribute::reference("specUri", ["external"]).describe("Specification of the scheme"),
            Attribute::reference("documentationUri", ["external"]).describe("How to use the scheme here"),
            Attribute::boolean("primary").describe("Whether the scheme is preferred"),
        ],
    )
    .multi_valued()
    .required()
    .describe("Ways to authenticate")
}

fn pagination() -> Attribute {
    Attribute::complex(
        "pagination",
        [
            Attribute::boolean("cursor").required().describe("Whether pages can be had by cursor"),
            Attribute::boolean("index").required().describe("Whether pages can be had by index"),
            Attribute::string("defaultPaginationMethod")
                .canonical(["cursor", "index"])
                .describe("What applies when the client chooses neither"),
            Attribute::integer("defaultPageSize").describe("Resources in a page when the client names no count"),
            Attribute::integer("maxPageSize").describe("Most resources in a page"),
            Attribute::integer("cursorTimeout").describe("Seconds for which a cursor is good, at least"),
        ],
    )
    .describe("Support of pages")
}

fn security_events() -> Attribute {
    Attribute::complex(
        "securityEvents",
        [
            Attribute::string("asyncRequest")
                .canonical(["none", "long", "request"])
                .describe("When requests are answered asynchronously"),
            Attribute::string("eventUris").multi_valued().describe("URIs of the events that are sent"),
        ],
    )
    .describe("Support of security events")
}

/// The characteristics of an attribute or sub-attribute, whose type is one of `types`.
fn definition(types: &[&str]) -> Vec<Attribute> {
    vec![
        Attribute::string("name").required().case_exact().describe("Name of the attribute"),
        Attribute::string("type").required().canonical(types.iter().copied()).describe("Data type"),
        Attribute::boolean("multiValued").required().describe("Whether it holds a list of values"),
        Attribute::string("description").case_exact().describe("What it means"),
        Attribute::boolean("required").describe("Whether a value is compulsory"),
        Attribute::string("canonicalValues").multi_valued().case_exact().describe("Suggested values"),
        Attribute::boolean("caseExact").describe("Whether comparison heeds letter case"),
        Attribute::string("mutability")
            .case_exact()
            .canonical(["readOnly", "readWrite", "immutable", "writeOnly"])
            .describe("Who may change it, and when"),
        Attribute::string("returned")
            .case_exact()
            .canonical(["always", "never", "default", "request"])
            .describe("When answers contain it"),
        Attribute::string("uniqueness")
            .case_exact()
            .canonical(["none", "server", "global"])
            .describe("Among which resources its value is unique"),
        Attribute::string("referenceTypes").multi_valued().case_exact().describe("What a reference may point at"),
    ]
}
