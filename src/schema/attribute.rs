//! The definition of one attribute (RFC 7643 §7).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Preparation;

/// An attribute's definition: its type and characteristics (RFC 7643 §2.2, §7).
///
/// Start from a constructor, which sets the defaults of RFC 7643 §2.2, and add what differs.
///
/// ```
/// # use scim_provider::schema::{Attribute, Uniqueness};
/// let serial = Attribute::string("serialNumber").required().case_exact().unique(Uniqueness::Server);
/// let owner = Attribute::complex("owner", [Attribute::string("value"), Attribute::reference("$ref", ["User"])]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// The name, in the spelling that answers use.
    pub name: String,
    /// The data type.
    pub kind: AttributeType,
    /// Whether the attribute holds a list of values.
    pub multi_valued: bool,
    /// What the attribute means, for people.
    pub description: String,
    /// Whether a resource must have a value for it.
    pub required: bool,
    /// Suggested values. They never restrict what is accepted (RFC 7643 §7).
    pub canonical_values: Vec<String>,
    /// Whether comparison heeds letter case. References and binary values always do.
    pub case_exact: bool,
    /// Who may change it, and when.
    pub mutability: Mutability,
    /// When answers contain it.
    pub returned: Returned,
    /// Whether two resources may have the same value.
    pub uniqueness: Uniqueness,
    /// What a reference may point at: names of resource types, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
    /// What is done to a text before it is stored or compared. It is the host's own affair and never published.
    pub preparation: Option<Preparation>,
}

impl Attribute {
    pub(super) fn new(name: impl Into<String>, kind: AttributeType) -> Self {
        Self {
            name: name.into(),
            kind,
            multi_valued: false,
            description: String::new(),
            required: false,
            canonical_values: Vec::new(),
            case_exact: matches!(kind, AttributeType::Reference | AttributeType::Binary),
            mutability: Mutability::default(),
            returned: Returned::default(),
            uniqueness: Uniqueness::default(),
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
            preparation: None,
        }
    }

    /// A string, compared without regard to case.
    pub fn string(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::String)
    }

    /// A boolean.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Boolean)
    }

    /// A decimal number.
    pub fn decimal(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Decimal)
    }

    /// A whole number.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Integer)
    }

    /// A point in time.
    pub fn date_time(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::DateTime)
    }

    /// Bytes in base64.
    pub fn binary(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Binary)
    }

    /// A reference to a resource of the named types, to something `external`, or to a `uri`.
    pub fn reference<T: Into<String>>(name: impl Into<String>, types: impl IntoIterator<Item = T>) -> Self {
        Self {
            reference_types: types.into_iter().map(Into::into).collect(),
            ..Self::new(name, AttributeType::Reference)
        }
    }

    /// An attribute with parts.
    pub fn complex(name: impl Into<String>, sub_attributes: impl IntoIterator<Item = Self>) -> Self {
        Self { sub_attributes: sub_attributes.into_iter().collect(), ..Self::new(name, AttributeType::Complex) }
    }

    /// Makes it a list of values.
    #[must_use]
    pub fn multi_valued(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    /// Makes a value compulsory.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Makes comparison heed letter case.
    #[must_use]
    pub fn case_exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    /// Lets only the service provider change it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self
    }

    /// Lets it be set once and never changed.
    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    /// Lets it be written and never read.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.mutability = Mutability::WriteOnly;
        self.returned = Returned::Never;
        self
    }

    /// Says when answers contain it.
    #[must_use]
    pub fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    /// Says whether its value is unique.
    #[must_use]
    pub fn unique(mut self, uniqueness: Uniqueness) -> Self {
        self.uniqueness = uniqueness;
        self
    }

    /// Prepares its text before it is stored or compared (RFC 7644 §5, §7.8): in what clients send, in PATCH operations and in
    /// filters. Text that is not allowed (`None`) is refused with `invalidValue`; a filter compares it as it was written. Applying it twice
    /// has to be the same as applying it once.
    ///
    /// The library folds letter case and nothing else, since anything more takes tables of Unicode. With the crate
    /// `precis-profiles`, for two profiles of RFC 8265:
    ///
    /// ```
    /// # use scim_provider::User;
    /// use precis_profiles::precis_core::profile::PrecisFastInvocation;
    /// use precis_profiles::{OpaqueString, UsernameCasePreserved};
    ///
    /// let users = User::resource_type()
    ///     .attribute("userName", |name| name.prepared(|text| UsernameCasePreserved::enforce(text).ok()))
    ///     .attribute("password", |password| password.prepared(|text| OpaqueString::enforce(text).ok()));
    /// # users.build()?;
    /// # Ok::<(), scim_provider::schema::SchemaError>(())
    /// ```
    ///
    /// What is returned is the prepared text: choose a preparation that people take for what they wrote, or identity providers
    /// will see a difference and write again.
    #[must_use]
    pub fn prepared(mut self, prepare: fn(&str) -> Option<Cow<'_, str>>) -> Self {
        self.preparation = Some(Preparation::new(prepare));
        self
    }

    /// Suggests values.
    #[must_use]
    pub fn canonical<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.canonical_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// Describes it for people.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }
}

/// The data types of RFC 7643 §2.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum AttributeType {
    /// Unicode text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Decimal,
    /// A number without fraction or exponent.
    Integer,
    /// An xsd:dateTime in a string.
    DateTime,
    /// Base64 in a string.
    Binary,
    /// A URI in a string.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may change an attribute (RFC 7643 §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Mutability {
    /// Only the service provider. What a client sends is ignored, or refused where a PATCH path names it.
    ReadOnly,
    /// Clients, at any time.
    #[default]
    ReadWrite,
    /// Clients, once.
    Immutable,
    /// Clients, at any time; it is never read back.
    WriteOnly,
}

/// When answers contain an attribute (RFC 7643 §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Returned {
    /// In every answer.
    Always,
    /// Never.
    Never,
    /// Unless the request leaves it out.
    #[default]
    Default,
    /// Only if the request asks for it.
    Request,
}

/// Whether two resources may have the same value (RFC 7643 §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Uniqueness {
    /// They may.
    #[default]
    None,
    /// Not within one tenant of the service provider.
    Server,
    /// Not anywhere.
    Global,
}
