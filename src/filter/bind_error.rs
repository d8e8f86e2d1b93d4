//! What is wrong with a filter for a resource type.

use crate::AttrPath;
use crate::error::excerpt;

/// Why a filter makes no sense for a resource type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attribute `{}` {text}", excerpt(path))]
pub struct BindError {
    kind: BindErrorKind,
    path: String,
    text: &'static str,
}

/// The kinds of [`BindError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// The resource type has no such attribute.
    UnknownAttribute,
    /// The attribute is never returned, so that a filter would tell what it holds.
    Hidden,
    /// The attribute's type does not support the operator.
    Operator,
    /// The operand is not of the attribute's type.
    Operand,
    /// The attribute is complex and the comparison does not say which part is meant.
    NeedsSubAttribute,
    /// The attribute has no sub-attributes.
    NoSubAttributes,
    /// The comparison is not supported.
    Unsupported,
}

impl BindError {
    pub(super) fn new(kind: BindErrorKind, path: &AttrPath<'_>, text: &'static str) -> Self {
        Self { kind, path: path.as_str().to_owned(), text }
    }

    pub(super) fn unknown(path: &AttrPath<'_>) -> Self {
        Self::new(BindErrorKind::UnknownAttribute, path, "is not known")
    }

    /// What is wrong.
    pub fn kind(&self) -> BindErrorKind {
        self.kind
    }

    /// The path as it was written.
    pub fn path(&self) -> &str {
        &self.path
    }
}
