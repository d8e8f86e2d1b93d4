//! What is wrong with a document.

use std::borrow::Cow;
use std::fmt;

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
        Self(Box::new(Parts { kind, path: path.into(), text: text.into() }))
    }

    /// `serde_json` says where the text breaks off without repeating it.
    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        let text = match (error.line(), error.classify()) {
            (0, _) => "the body is not valid JSON".to_owned(),
            (_, serde_json::error::Category::Eof) => "the JSON ends before it is complete".to_owned(),
            (line, _) => format!("the body is not valid JSON at line {line}, column {}", error.column()),
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
        write!(f, "attribute `{}` {}", excerpt(&self.0.path), self.0.text)
    }
}

impl std::error::Error for Violation {}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::bad_request(violation.scim_type(), violation.to_string())
    }
}
