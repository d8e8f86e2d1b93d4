//! PATCH requests (RFC 7644 §3.5.2).

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::error::excerpt;

/// The schema URI of a PATCH request.
pub const PATCH_OP_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The body of a PATCH request, as it travels (RFC 7644 §3.5.2).
///
/// ```
/// use scim_provider::messages::{Operation, PatchOp};
///
/// let patch = PatchOp::new([
///     Operation::replace(false).at("active"),
///     Operation::remove().at("emails[type eq \"work\"]"),
/// ]);
/// # assert_eq!(patch.operations.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PatchOp {
    /// The URI of the message.
    #[serde(default, deserialize_with = "crate::unassigned::or_default")]
    pub schemas: Vec<String>,
    /// What to do, in this order, all or nothing.
    #[serde(rename = "Operations")]
    pub operations: Vec<Operation>,
}

impl PatchOp {
    /// A request with these operations.
    pub fn new(operations: impl IntoIterator<Item = Operation>) -> Self {
        Self { schemas: vec![PATCH_OP_SCHEMA.to_owned()], operations: operations.into_iter().collect() }
    }
}

/// One operation of a PATCH request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Operation {
    /// What to do.
    pub op: PatchOpKind,
    /// Where to do it; without a path, `value` is an object of attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to add or to put in place. `null` is a value here and not the same as none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_value")]
    pub value: Option<Value>,
}

impl Operation {
    /// Adds a value.
    pub fn add(value: impl Into<Value>) -> Self {
        Self { op: PatchOpKind::Add, path: None, value: Some(value.into()) }
    }

    /// Puts a value in place of what is there.
    pub fn replace(value: impl Into<Value>) -> Self {
        Self { op: PatchOpKind::Replace, path: None, value: Some(value.into()) }
    }

    /// Removes what is at a path, which must follow: [`at`](Self::at).
    pub fn remove() -> Self {
        Self { op: PatchOpKind::Remove, path: None, value: None }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// What an operation of a PATCH request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PatchOpKind {
    /// Adds values.
    Add,
    /// Removes values.
    Remove,
    /// Replaces values.
    Replace,
}

/// Reads a keyword in any letter case: Entra ID writes `Add`.
impl<'de> Deserialize<'de> for PatchOpKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keyword = String::deserialize(deserializer)?;
        let known = [("add", Self::Add), ("remove", Self::Remove), ("replace", Self::Replace)];
        match known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&keyword)) {
            Some((_, kind)) => Ok(kind),
            None => {
                Err(de::Error::custom(format_args!("`{}` is none of `add`, `remove`, `replace`", excerpt(&keyword))))
            }
        }
    }
}

/// A value that is there, be it `null`.
fn some_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_a_value_and_absence_is_none() {
        let read = |json| serde_json::from_value::<Operation>(json).unwrap();
        let null = json!({"op": "replace", "path": "title", "value": null});
        assert_eq!(read(null.clone()).value, Some(Value::Null));
        assert_eq!(serde_json::to_value(read(null.clone())).unwrap(), null);
        assert_eq!(read(json!({"op": "remove", "path": "title"})), Operation::remove().at("title"));
    }

    #[test]
    fn keywords_are_read_in_any_letter_case_and_written_in_lower_case() {
        let operation: Operation = serde_json::from_value(json!({"op": "Add", "value": {"title": "Guide"}})).unwrap();
        assert_eq!(operation, Operation::add(json!({"title": "Guide"})));
        assert_eq!(serde_json::to_value(operation.op).unwrap(), "add");
        let error = serde_json::from_value::<PatchOpKind>(json!("move")).unwrap_err();
        assert_eq!(error.to_string(), "`move` is none of `add`, `remove`, `replace`");
    }
}
