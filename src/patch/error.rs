//! Why a PATCH is refused.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

use crate::filter::{BindError, ParseError};
use crate::resource::{Violation, ViolationKind};
use crate::{Error, ScimType};

/// A PATCH request, or one of its operations, is refused. Nothing was changed.
#[derive(Debug)]
pub struct PatchError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: PatchErrorKind,
    operation: Option<usize>,
    text: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`PatchError`], each with the keyword of RFC 7644 table 9 that it goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatchErrorKind {
    /// The message's structure: `invalidSyntax`.
    Syntax,
    /// The path is malformed or names no attribute: `invalidPath`.
    Path,
    /// The filter inside the path: `invalidFilter`.
    Filter,
    /// The path selects nothing, or there is none where one is needed: `noTarget`.
    NoTarget,
    /// The value is missing or does not suit the attribute: `invalidValue`.
    Value,
    /// The attribute cannot be changed in this way: `mutability`.
    Mutability,
    /// There are too many operations or too much work in them: 413.
    TooLarge,
}

impl PatchError {
    pub(crate) fn message(kind: PatchErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts { kind, operation: None, text: text.into(), source: None }))
    }

    pub(crate) fn operation(number: usize, kind: PatchErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self::message(kind, text).at(number)
    }

    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        Self::message(PatchErrorKind::Syntax, Violation::syntax(error).to_string())
    }

    /// Says which operation it was.
    pub(crate) fn at(mut self, number: usize) -> Self {
        self.0.operation.get_or_insert(number);
        self
    }

    pub(crate) fn path(error: ParseError) -> Self {
        let kind = if error.in_filter() { PatchErrorKind::Filter } else { PatchErrorKind::Path };
        let text = error.to_string();
        let mut this = Self::message(kind, text);
        this.0.source = Some(Box::new(error));
        this
    }

    pub(crate) fn filter(error: BindError) -> Self {
        let mut this = Self::message(PatchErrorKind::Filter, error.to_string());
        this.0.source = Some(Box::new(error));
        this
    }

    /// What is wrong.
    pub fn kind(&self) -> PatchErrorKind {
        self.0.kind
    }

    /// The position of the operation, counted from 0; `None` when the whole message is meant.
    pub fn operation_index(&self) -> Option<usize> {
        self.0.operation
    }

    /// The keyword that goes with it; none for a request that is too large.
    pub fn scim_type(&self) -> Option<ScimType> {
        Some(match self.0.kind {
            PatchErrorKind::Syntax => ScimType::InvalidSyntax,
            PatchErrorKind::Path => ScimType::InvalidPath,
            PatchErrorKind::Filter => ScimType::InvalidFilter,
            PatchErrorKind::NoTarget => ScimType::NoTarget,
            PatchErrorKind::Value => ScimType::InvalidValue,
            PatchErrorKind::Mutability => ScimType::Mutability,
            PatchErrorKind::TooLarge => return None,
        })
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "operation {}: ", operation + 1)?;
        }
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for PatchError {}

impl From<Violation> for PatchError {
    fn from(violation: Violation) -> Self {
        let kind = match violation.kind() {
            ViolationKind::Syntax => PatchErrorKind::Syntax,
            ViolationKind::Mutability => PatchErrorKind::Mutability,
            ViolationKind::Unknown => PatchErrorKind::Path,
            _ => PatchErrorKind::Value,
        };
        Self::message(kind, violation.to_string())
    }
}

impl From<PatchError> for Error {
    fn from(error: PatchError) -> Self {
        let detail = error.to_string();
        match error.scim_type() {
            Some(scim_type) => Self::bad_request(scim_type, detail),
            None => Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail),
        }
    }
}
