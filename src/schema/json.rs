//! Schemas as JSON resources (RFC 7643 §7).
//!
//! A characteristic that means nothing for the attribute's type is neither written nor read: the standard's own
//! examples print `uniqueness` on complex attributes and `caseExact: false` on references, which always heed letter
//! case.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::core::{SCHEMA_SCHEMA, default_sub_attributes};
use super::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenSchema {
            schemas: [SCHEMA_SCHEMA],
            id: &self.id,
            name: &self.name,
            description: &self.description,
            attributes: &self.attributes,
        }
        .serialize(serializer)
    }
}

/// Reads a schema without judging it, see [`Schema::check`]; `meta` and unknown members are ignored.
impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = ReadSchema::deserialize(deserializer)?;
        Ok(Self {
            id: read.id,
            name: read.name.unwrap_or_default(),
            description: read.description.unwrap_or_default(),
            attributes: read.attributes.unwrap_or_default(),
        })
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenAttribute {
            name: &self.name,
            kind: self.kind,
            multi_valued: self.multi_valued,
            description: &self.description,
            required: self.required,
            canonical_values: &self.canonical_values,
            case_exact: has_case(self.kind).then_some(self.case_exact),
            mutability: self.mutability,
            returned: self.returned,
            uniqueness: has_uniqueness(self.kind).then_some(self.uniqueness),
            reference_types: &self.reference_types,
            sub_attributes: &self.sub_attributes,
        }
        .serialize(serializer)
    }
}

/// Reads a definition; what is missing takes the defaults of RFC 7643 §2.2.
///
/// A multi-valued complex attribute without sub-attributes gets those of RFC 7643 §2.4. One that is `writeOnly` and
/// does not say when it is returned is never returned.
impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = ReadAttribute::deserialize(deserializer)?;
        let kind = read.kind.as_deref().map_or(Ok(AttributeType::default()), read_type)?;
        let mutability = read.mutability.unwrap_or_default();
        let unreadable = mutability == Mutability::WriteOnly;
        let mut attribute = Self {
            multi_valued: read.multi_valued.unwrap_or_default(),
            description: read.description.unwrap_or_default(),
            required: read.required.unwrap_or_default(),
            canonical_values: read.canonical_values.unwrap_or_default(),
            mutability,
            returned: read.returned.unwrap_or(if unreadable { Returned::Never } else { Returned::default() }),
            reference_types: read.reference_types.unwrap_or_default(),
            sub_attributes: read.sub_attributes.unwrap_or_default(),
            ..Self::new(read.name, kind)
        };
        if kind == AttributeType::String {
            attribute.case_exact = read.case_exact.unwrap_or_default();
        }
        if has_uniqueness(kind) {
            attribute.uniqueness = read.uniqueness.unwrap_or_default();
        }
        if kind == AttributeType::Complex && attribute.multi_valued && attribute.sub_attributes.is_empty() {
            attribute.sub_attributes = default_sub_attributes();
        }
        Ok(attribute)
    }
}

/// Whether letter case means anything for values of the type.
fn has_case(kind: AttributeType) -> bool {
    matches!(kind, AttributeType::String | AttributeType::Reference | AttributeType::Binary)
}

/// Whether values of the type can be unique (RFC 7643 §2.3).
pub(super) fn has_uniqueness(kind: AttributeType) -> bool {
    use AttributeType::{Decimal, Integer, Reference, String};
    matches!(kind, String | Decimal | Integer | Reference)
}

/// The type by its keyword, which is not case exact (RFC 7643 §8.7.2).
fn read_type<E: de::Error>(keyword: &str) -> Result<AttributeType, E> {
    let keywords = [
        ("string", AttributeType::String),
        ("boolean", AttributeType::Boolean),
        ("decimal", AttributeType::Decimal),
        ("integer", AttributeType::Integer),
        ("dateTime", AttributeType::DateTime),
        ("binary", AttributeType::Binary),
        ("reference", AttributeType::Reference),
        ("complex", AttributeType::Complex),
    ];
    match keywords.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(keyword)) {
        Some((_, kind)) => Ok(kind),
        None => Err(E::custom(format_args!("unknown attribute type `{}`", crate::error::excerpt(keyword)))),
    }
}

#[derive(Serialize)]
struct WrittenSchema<'a> {
    schemas: [&'static str; 1],
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    attributes: &'a [Attribute],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenAttribute<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: AttributeType,
    multi_valued: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    required: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    canonical_values: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    case_exact: Option<bool>,
    mutability: Mutability,
    returned: Returned,
    #[serde(skip_serializing_if = "Option::is_none")]
    uniqueness: Option<Uniqueness>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reference_types: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    sub_attributes: &'a [Attribute],
}

#[derive(Deserialize)]
struct ReadSchema {
    id: String,
    name: Option<String>,
    description: Option<String>,
    attributes: Option<Vec<Attribute>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadAttribute<'a> {
    name: String,
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    multi_valued: Option<bool>,
    description: Option<String>,
    required: Option<bool>,
    canonical_values: Option<Vec<String>>,
    case_exact: Option<bool>,
    mutability: Option<Mutability>,
    returned: Option<Returned>,
    uniqueness: Option<Uniqueness>,
    reference_types: Option<Vec<String>>,
    sub_attributes: Option<Vec<Attribute>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::core;

    fn read(json: serde_json::Value) -> Attribute {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_missing_takes_the_defaults_of_the_standard() {
        assert_eq!(read(json!({"name": "nickName"})), Attribute::string("nickName"));
        assert_eq!(read(json!({"name": "link", "type": "reference"})), Attribute::reference("link", ["x"; 0]));
        assert_eq!(read(json!({"name": "when", "type": "DATETIME", "meta": {}})), Attribute::date_time("when"));
    }

    #[test]
    fn null_is_the_same_as_missing() {
        let bare =
            read(json!({"name": "a", "type": null, "description": null, "canonicalValues": null, "returned": null}));
        assert_eq!(bare, Attribute::string("a"));
    }

    #[test]
    fn characteristics_that_do_not_apply_are_not_read() {
        let link = read(json!({"name": "link", "type": "reference", "caseExact": false}));
        assert!(link.case_exact, "references always heed letter case");
        let flag = read(json!({"name": "flag", "type": "boolean", "caseExact": true, "uniqueness": "server"}));
        assert_eq!(flag, Attribute::boolean("flag"));
    }

    #[test]
    fn a_secret_that_does_not_say_when_it_is_returned_never_is() {
        let pin = read(json!({"name": "pin", "mutability": "writeOnly"}));
        assert_eq!(pin, Attribute::string("pin").write_only());
    }

    #[test]
    fn a_list_without_parts_gets_the_default_parts() {
        let tags = read(json!({"name": "tags", "type": "complex", "multiValued": true}));
        let names: Vec<_> = tags.sub_attributes.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["value", "display", "type", "primary", "$ref"]);
        assert!(read(json!({"name": "tag", "type": "complex"})).sub_attributes.is_empty());
    }

    #[test]
    fn an_unknown_keyword_is_refused_by_name() {
        let error = serde_json::from_value::<Attribute>(json!({"name": "a", "type": "text"})).unwrap_err();
        assert_eq!(error.to_string(), "unknown attribute type `text`");
    }

    #[test]
    fn the_schemas_that_the_standard_prints_can_be_read() {
        let resources = include_str!("../../tests/data/rfc/7643-8.7.1-1948.json");
        let fixed = include_str!("../../tests/data/rfc/7643-8.7.2-3026.json");
        for (text, expected) in [
            (resources, [core::USER_SCHEMA, core::GROUP_SCHEMA, core::ENTERPRISE_USER_SCHEMA]),
            (fixed, [core::SERVICE_PROVIDER_CONFIG_SCHEMA, core::RESOURCE_TYPE_SCHEMA, SCHEMA_SCHEMA]),
        ] {
            let schemas: Vec<Schema> = serde_json::from_str(text).unwrap();
            assert_eq!(schemas.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), expected);
            for schema in schemas {
                schema.check().unwrap();
            }
        }
    }
}
