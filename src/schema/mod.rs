//! Data about data: schemas, attributes, resource types (RFC 7643 §2, §6, §7).

mod attribute;
mod check;
pub mod core;
mod json;
mod preparation;
mod resource_type;
pub(crate) mod table;

pub use self::core::{
    ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA, RESOURCE_TYPE_SCHEMA, SCHEMA_SCHEMA, SERVICE_PROVIDER_CONFIG_SCHEMA,
    USER_SCHEMA,
};
pub use attribute::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
pub use check::SchemaError;
pub use preparation::Preparation;
pub use resource_type::{ResolvedAttr, ResourceType, ResourceTypeBuilder};

/// A schema: a URI and the attributes that it defines (RFC 7643 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// The URI, which is also the resource's id.
    pub id: String,
    /// The name, for people.
    pub name: String,
    /// What the schema describes, for people.
    pub description: String,
    /// The attributes, in the order in which answers print them.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// A schema with its URI, its name and its attributes.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: String::new(),
            attributes: attributes.into_iter().collect(),
        }
    }

    /// Describes it for people.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }
}
