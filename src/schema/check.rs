//! The rules that a schema must obey (RFC 7643 §2, §7).

use std::collections::HashSet;

use super::core::SCHEMA_SCHEMA;
use super::json::has_uniqueness;
use super::table::Relation;
use super::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};
use crate::percent::is_unreserved;
use crate::{AttrPath, is_attribute_name};

/// Most attributes on one level, so that an attribute is known by a number of one byte.
const MOST_ATTRIBUTES: usize = 250;

impl Schema {
    /// Whether the schema obeys the rules of RFC 7643 §2 and §7.
    ///
    /// Its id is a URI that can stand in front of an attribute path; every attribute has a name by the grammar of
    /// §2.1, unlike its siblings' in more than letter case; complex attributes have parts (lists may leave them to
    /// the default of §2.4) and no other attribute has; no part is complex (§2.3.8), but in the schema of schemas;
    /// only references name types that they refer to; a complex attribute that refers to resources of several types has a
    /// `type` that tells which (§2.4); only strings, numbers and references that can be read are unique; and no level holds
    /// more than 250 attributes.
    ///
    /// # Errors
    /// The first rule that is broken, with the attribute that breaks it.
    pub fn check(&self) -> Result<(), SchemaError> {
        let fail = |attribute: Option<String>, fault| Err(SchemaError { schema: self.id.clone(), attribute, fault });
        if !is_schema_uri(&self.id) {
            return fail(None, Fault::Id);
        }
        match check_level(&self.attributes, self.deepest()) {
            Ok(()) => Ok(()),
            Err((path, fault)) => fail((!path.is_empty()).then(|| path.join(".")), fault),
        }
    }

    /// How many levels of parts there may be: RFC 7643 §2.3.8 allows one, and §7 itself needs two.
    fn deepest(&self) -> usize {
        if self.id.eq_ignore_ascii_case(SCHEMA_SCHEMA) { 2 } else { 1 }
    }
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schema `{schema}`: {}{fault}", attribute.as_ref().map(|path| format!("attribute `{path}` ")).unwrap_or_default())]
pub struct SchemaError {
    schema: String,
    attribute: Option<String>,
    fault: Fault,
}

impl SchemaError {
    /// Two schemas of one resource type have the same id.
    pub(super) fn duplicate_schema(id: &str) -> Self {
        Self { schema: id.to_owned(), attribute: None, fault: Fault::DuplicateSchema }
    }

    /// A resource type changes an attribute that none of its schemas defines.
    pub(super) fn unknown_attribute(schema: &str, path: &str) -> Self {
        Self { schema: schema.to_owned(), attribute: Some(path.to_owned()), fault: Fault::Unknown }
    }

    /// The name or the endpoint of a resource type cannot stand in a URL or in an answer.
    pub(super) fn of_type(schema: &str, name: &str, endpoint: &str) -> Option<Self> {
        let segment = endpoint.strip_prefix('/').unwrap_or_default();
        let dots = segment.bytes().all(|b| b == b'.');
        let fault = if dots || !segment.bytes().all(is_unreserved) {
            Fault::Endpoint
        } else if name.trim().is_empty() || name.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
            Fault::TypeName
        } else {
            return None;
        };
        Some(Self { schema: schema.to_owned(), attribute: None, fault })
    }

    /// The id of the schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The attribute at fault, as `attribute` or `attribute.subAttribute`; none when the schema as a whole is.
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("the id is not a URI that can stand in front of an attribute")]
    Id,
    #[error("is not named by the grammar of attribute names")]
    Name,
    #[error("is defined twice; letter case makes no difference")]
    Duplicate,
    #[error("is used twice in one resource type")]
    DuplicateSchema,
    #[error("has more than 250 attributes")]
    TooMany,
    #[error("is complex and has no sub-attributes")]
    NoParts,
    #[error("is not complex and has sub-attributes")]
    Parts,
    #[error("is complex inside a complex attribute")]
    Nested,
    #[error("is to be prepared and is no text")]
    NoText,
    #[error("is not a reference and has reference types")]
    ReferenceTypes,
    #[error("refers to resources of several types and has no `type` that tells which")]
    NoType,
    #[error("is of a type whose values cannot be unique")]
    NeverUnique,
    #[error("is never returned and cannot be unique")]
    SecretlyUnique,
    #[error("can only be written and would be returned: `returned` has to be `never`")]
    WrittenAndReturned,
    #[error("is kept apart from the resource and cannot be unique")]
    RelationUnique,
    #[error("is to be changed and is not defined")]
    Unknown,
    #[error("belongs to a resource type whose endpoint is not one segment of letters, digits, `-`, `.`, `_` and `~`")]
    Endpoint,
    #[error("belongs to a resource type whose name is empty, or holds a quote, a backslash or a control character")]
    TypeName,
}

/// The names that lead to what is wrong, outermost first; empty when a whole level is.
type Located = (Vec<String>, Fault);

fn check_level(attributes: &[Attribute], deeper: usize) -> Result<(), Located> {
    if attributes.len() > MOST_ATTRIBUTES {
        return Err((Vec::new(), Fault::TooMany));
    }
    let mut names = HashSet::with_capacity(attributes.len());
    for attribute in attributes {
        let at = |fault| Err((vec![attribute.name.clone()], fault));
        if !is_attribute_name(&attribute.name) {
            return at(Fault::Name);
        }
        if !names.insert(attribute.name.to_ascii_lowercase()) {
            return at(Fault::Duplicate);
        }
        if attribute.kind != AttributeType::Reference && !attribute.reference_types.is_empty() {
            return at(Fault::ReferenceTypes);
        }
        if attribute.kind != AttributeType::String && attribute.preparation.is_some() {
            return at(Fault::NoText);
        }
        if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
            return at(Fault::WrittenAndReturned);
        }
        if let Some(fault) = unique_fault(attribute) {
            return at(fault);
        }
        if attribute.kind != AttributeType::Complex {
            if !attribute.sub_attributes.is_empty() {
                return at(Fault::Parts);
            }
            continue;
        }
        let Some(deeper) = deeper.checked_sub(1) else {
            return at(Fault::Nested);
        };
        if attribute.sub_attributes.is_empty() && !attribute.multi_valued {
            return at(Fault::NoParts);
        }
        if let Some((part, fault)) = relation_fault(attribute) {
            return Err(([Some(attribute.name.clone()), part].into_iter().flatten().collect(), fault));
        }
        check_level(&attribute.sub_attributes, deeper).map_err(|(mut path, fault)| {
            path.insert(0, attribute.name.clone());
            (path, fault)
        })?;
    }
    Ok(())
}

/// What is published as unique has to be something that can be kept so (RFC 7643 §2.3).
fn unique_fault(attribute: &Attribute) -> Option<Fault> {
    match attribute.uniqueness {
        Uniqueness::None => None,
        _ if !has_uniqueness(attribute.kind) => Some(Fault::NeverUnique),
        // a conflict would tell what it holds
        _ if attribute.returned == Returned::Never => Some(Fault::SecretlyUnique),
        _ => None,
    }
}

/// What is wrong with an attribute that refers to resources, and in which part of it.
fn relation_fault(attribute: &Attribute) -> Option<(Option<String>, Fault)> {
    let relation = Relation::of(attribute);
    let part = |name: &str| attribute.sub_attributes.iter().find(|part| part.name == name);
    let types = part("$ref").map_or(0, |part| part.reference_types.len());
    if relation != Relation::No && types > 1 && part("type").is_none() {
        return Some((None, Fault::NoType));
    }
    let apart = matches!(relation, Relation::Many | Relation::Derived);
    let unique = attribute.sub_attributes.iter().find(|part| apart && part.uniqueness != Uniqueness::None)?;
    Some((Some(unique.name.clone()), Fault::RelationUnique))
}

/// A URI, as far as attribute paths need it: what parses as a path when an attribute is put behind it (RFC 7644 §3.10).
fn is_schema_uri(id: &str) -> bool {
    id.split_once(':').is_some_and(|(scheme, rest)| !scheme.starts_with('$') && !rest.is_empty())
        && AttrPath::parse(&format!("{id}:a")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "urn:example:params:scim:schemas:Device";

    #[track_caller]
    fn refused(attribute: Attribute) -> (Option<String>, String) {
        let error = Schema::new(ID, "Device", [attribute]).check().unwrap_err();
        assert_eq!(error.schema(), ID);
        let message = error.to_string();
        (error.attribute().map(str::to_owned), message.strip_prefix(&format!("schema `{ID}`: ")).unwrap().to_owned())
    }

    #[test]
    fn names_follow_the_grammar() {
        for name in ["", "1a", "a b", "a.b", "a:b", "é"] {
            let (attribute, message) = refused(Attribute::string(name));
            assert_eq!(attribute.as_deref(), Some(name));
            assert_eq!(message, format!("attribute `{name}` is not named by the grammar of attribute names"));
        }
    }

    #[test]
    fn names_differ_in_more_than_letter_case() {
        let (attribute, _) = refused(Attribute::complex("a", [Attribute::string("x"), Attribute::boolean("X")]));
        assert_eq!(attribute.as_deref(), Some("a.X"));
    }

    #[test]
    fn only_what_can_be_kept_unique_is_unique() {
        let id = || Attribute::string("value").unique(Uniqueness::Server);
        let holder = |parts: [Attribute; 2]| Attribute::complex("holders", parts).multi_valued();
        for (attribute, path, text) in [
            (Attribute::boolean("on").unique(Uniqueness::Server), "on", "is of a type whose values cannot be unique"),
            (Attribute::string("pin").write_only().unique(Uniqueness::Global), "pin", "is never returned"),
            (holder([id(), Attribute::reference("$ref", ["User"])]), "holders.value", "is kept apart"),
        ] {
            let (attribute, message) = refused(attribute);
            assert_eq!(attribute.as_deref(), Some(path));
            assert!(message.contains(text), "{message}");
        }
        let elsewhere = holder([id(), Attribute::reference("$ref", ["uri"])]);
        assert_eq!(Schema::new(ID, "Device", [elsewhere]).check(), Ok(()));
    }

    #[test]
    fn complex_never_holds_complex_but_in_the_schema_of_schemas() {
        let nested = || Attribute::complex("a", [Attribute::complex("b", [Attribute::string("c")])]);
        assert_eq!(refused(nested()).1, "attribute `a.b` is complex inside a complex attribute");
        Schema::new(SCHEMA_SCHEMA, "Schema", [nested()]).check().unwrap();
        let deeper = Attribute::complex("z", [nested()]);
        assert!(Schema::new(SCHEMA_SCHEMA, "Schema", [deeper]).check().is_err());
    }

    #[test]
    fn only_complex_attributes_have_parts_and_all_of_them_do() {
        assert_eq!(refused(Attribute::complex("a", [])).1, "attribute `a` is complex and has no sub-attributes");
        Schema::new(ID, "Device", [Attribute::complex("a", []).multi_valued()]).check().unwrap();
        let mut odd = Attribute::string("a");
        odd.sub_attributes.push(Attribute::string("b"));
        assert_eq!(refused(odd).1, "attribute `a` is not complex and has sub-attributes");
    }

    #[test]
    fn what_can_only_be_written_is_never_returned() {
        let mut pin = Attribute::string("pin").write_only();
        Schema::new(ID, "Device", [pin.clone(), Attribute::complex("lock", [pin.clone()])]).check().unwrap();
        pin.returned = Returned::Default;
        let message = refused(pin.clone()).1;
        assert_eq!(message, "attribute `pin` can only be written and would be returned: `returned` has to be `never`");
        assert_eq!(refused(Attribute::complex("lock", [pin])).0.as_deref(), Some("lock.pin"));
    }

    #[test]
    fn only_references_name_types() {
        let mut odd = Attribute::string("a");
        odd.reference_types.push("User".to_owned());
        assert_eq!(refused(odd).1, "attribute `a` is not a reference and has reference types");
    }

    #[test]
    fn a_level_holds_250_attributes() {
        let many = |n: usize| (0..n).map(|i| Attribute::string(format!("a{i}"))).collect::<Vec<_>>();
        Schema::new(ID, "Device", many(250)).check().unwrap();
        let error = Schema::new(ID, "Device", many(251)).check().unwrap_err();
        assert_eq!(error.to_string(), format!("schema `{ID}`: has more than 250 attributes"));
        assert_eq!(refused(Attribute::complex("a", many(251))).0.as_deref(), Some("a"));
    }

    #[test]
    fn the_id_is_a_uri() {
        for id in ["", "Device", "urn:", ":x", "urn:a b", "1urn:x", "$urn:x"] {
            let error = Schema::new(id, "Device", []).check().unwrap_err();
            assert_eq!((error.schema(), error.attribute()), (id, None));
        }
        for id in [ID, "https://example.com/schemas/device", "urn:x:2.0"] {
            Schema::new(id, "Device", []).check().unwrap();
        }
    }
}
