//! What is wrong with a document.

use std::borrow::Cow;
use std::fmt;

use serde_json::error::Category;

use crate::error::excerpt;
use crate::{Error, ScimType};

/// A document, or a value for one attribute, breaks a rule of its schema or of JSON.
///
/// `path` is the attribute in its canonical spelling; the message names it and never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    kind: ViolationKind,
    path: String,
    /// the path with the places in lists: `emails[1].value`
    place: Option<String>,
    text: Cow<'static, str>,
}

/// The rules that a document can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The text is not JSON, or not an object.
    Syntax,
    /// The `schemas` attribute is missing, or does not name the resource type's schema.
    Schemas,
    /// The value's type is not the attribute's.
    Type,
    /// The value is of the right type and still impossible: no date, no base64, a control character.
    Value,
    /// A required attribute has no value.
    Required,
    /// An attribute is given twice.
    Duplicate,
    /// More than one value is primary.
    Primary,
    /// A limit is exceeded.
    Limit,
    /// No schema defines the attribute, and the service refuses such.
    Unknown,
    /// The attribute cannot be changed.
    Mutability,
}

impl Violation {
    pub(crate) fn new(kind: ViolationKind, path: impl Into<String>, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts { kind, path: path.into(), place: None, text: text.into() }))
    }

    /// Says which values of lists it is about.
    pub(crate) fn in_place(mut self, place: Option<String>) -> Self {
        self.0.place = place;
        self
    }

    /// `serde_json` says where the text breaks off, and what stands where something else should, without repeating it.
    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        let place = match error.line() {
            0 => String::new(),
            line => format!(" at line {line}, column {}", error.column()),
        };
        let text = match error.classify() {
            Category::Eof => "the JSON ends before it is complete".to_owned(),
            Category::Data => match other_shape(&error.to_string()) {
                Some((expected, found)) => format!("expected {expected}{place}, found {found}"),
                None => format!("the JSON is of another shape than expected{place}"),
            },
            Category::Syntax | Category::Io => format!("the body is not valid JSON{place}"),
        };
        Self::new(ViolationKind::Syntax, "", text)
    }

    /// The rule that is broken.
    pub fn kind(&self) -> ViolationKind {
        self.0.kind
    }

    /// The attribute, with its URN when it belongs to an extension; empty when the whole text is meant.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The keyword that goes with it (RFC 7644 table 9).
    pub fn scim_type(&self) -> ScimType {
        match self.kind() {
            ViolationKind::Syntax | ViolationKind::Schemas | ViolationKind::Duplicate => ScimType::InvalidSyntax,
            ViolationKind::Mutability => ScimType::Mutability,
            _ => ScimType::InvalidValue,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.path.is_empty() {
            return f.write_str(&self.0.text);
        }
        write!(f, "attribute `{}` {}", excerpt(self.0.place.as_ref().unwrap_or(&self.0.path)), self.0.text)
    }
}

impl std::error::Error for Violation {}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::bad_request(violation.scim_type(), violation.to_string())
    }
}

/// What `serde_json` expected, which are this crate's words, and which kind of value it found. Its message holds the value, too.
fn other_shape(message: &str) -> Option<(&str, &'static str)> {
    let (found, expected) = message.strip_prefix("invalid type: ")?.rsplit_once(", expected ")?;
    let expected = expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected);
    let kinds = [
        ("string", "a string"),
        ("integer", "a number"),
        ("floating point", "a number"),
        ("number", "a number"),
        ("boolean", "a boolean"),
        ("null", "null"),
        ("unit", "null"),
        ("sequence", "an array"),
        ("map", "an object"),
    ];
    let (_, kind) = kinds.into_iter().find(|(name, _)| found.starts_with(name))?;
    Some((expected, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_of_another_shape_is_told_apart_and_no_value_is_repeated() {
        fn told<'j, T: serde::Deserialize<'j>>(json: &'j str) -> String {
            match serde_json::from_str::<T>(json) {
                Ok(_) => "read".to_owned(),
                Err(error) => Violation::syntax(&error).to_string(),
            }
        }
        type Object = serde_json::Map<String, serde_json::Value>;
        for (found, json) in [
            ("a string", r#""ada, expected b at line 7""#),
            ("a number", "17"),
            ("a number", "1.5"),
            ("a boolean", "true"),
            ("null", "null"),
            ("an array", r#"["ada"]"#),
        ] {
            let text = told::<Object>(json);
            assert!(text.starts_with("expected a map at line 1, column ") && text.ends_with(found), "{text}");
            assert!(!text.contains("ada") && !text.contains("17"), "{text}");
        }
        assert!(told::<Vec<u8>>(r#"{"ada": 1}"#).ends_with(", found an object"));
        assert_eq!(told::<Object>("{\"a\": 1]"), "the body is not valid JSON at line 1, column 8");
        assert_eq!(told::<Object>("{\"a\": 1"), "the JSON ends before it is complete");
    }
}
