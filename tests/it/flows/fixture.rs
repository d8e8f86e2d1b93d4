//! The format of a flow. A key that the runner does not know is an error: it would be an expectation that nobody checks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// One file: what one identity provider does in one situation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flow {
    pub(crate) flow: String,
    /// Sent with each request; `Content-Type` only with those that have a body.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Made once for each run: `{{run}}`, `{{base_url}}` and `{{$uuid}}` may occur in them, other variables not.
    #[serde(default)]
    pub(super) vars: BTreeMap<String, Value>,
    pub(super) steps: Vec<Step>,
    #[serde(rename = "idp")]
    _idp: IgnoredAny,
    #[serde(rename = "description")]
    _description: IgnoredAny,
    #[serde(rename = "confidence", default)]
    _confidence: Option<IgnoredAny>,
    #[serde(rename = "header_source", default)]
    _header_source: Option<IgnoredAny>,
}

impl Flow {
    /// The steps that count: all but those that prepare and clean up.
    pub(crate) fn counted(&self) -> usize {
        self.steps.iter().filter(|step| step.counted()).count()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) class: Class,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) raw_query: Option<String>,
    /// What a blank of a query value is sent as, instead of `%20`.
    #[serde(default)]
    pub(super) query_space: Option<String>,
    /// A header of the flow is replaced by the step's, or left out where the step says null.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Option<String>>,
    /// `null` is a body, too.
    #[serde(default, deserialize_with = "present")]
    pub(super) body: Option<Value>,
    #[serde(default)]
    pub(super) raw_body: Option<String>,
    #[serde(default)]
    pub(super) auth: Auth,
    /// For servers that may be run without authentication; the runner's always has it.
    #[serde(rename = "requires_auth", default)]
    _requires_auth: bool,
    #[serde(default)]
    pub(super) setup: bool,
    #[serde(default)]
    pub(super) cleanup: bool,
    /// A step that stands in for one that was refused: skipped where its variable is known.
    #[serde(default)]
    pub(super) only_if_missing: Option<String>,
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) capture: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) capture_optional: BTreeMap<String, String>,
    /// The request that looks at what the step did.
    #[serde(default)]
    pub(super) follow_up: Option<Box<FollowUp>>,
    #[serde(rename = "source", default)]
    _source: Option<IgnoredAny>,
    #[serde(rename = "note", default)]
    _note: Option<IgnoredAny>,
}

impl Step {
    pub(super) fn counted(&self) -> bool {
        !self.setup && !self.cleanup
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowUp {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: Option<Map<String, Value>>,
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) capture: BTreeMap<String, String>,
}

/// Whether the step follows from the RFC, from a provider's documentation, or from a habit of the provider's.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    Core,
    Idp,
    Quirk,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Auth {
    #[default]
    Bearer,
    None,
    Invalid,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    #[serde(default)]
    pub(super) status: Option<Statuses>,
    /// A subset of the answer; see `matching`.
    #[serde(default)]
    pub(super) body_contains: Option<Value>,
    /// Paths that must be absent, null or empty.
    #[serde(default)]
    pub(super) body_absent: Vec<String>,
    /// A subset by status, for steps that may end in more than one.
    #[serde(default)]
    pub(super) body_if: BTreeMap<String, Value>,
    /// A substring whatever its case, several of which one must occur, or `*` for any value.
    #[serde(default)]
    pub(super) header_contains: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) no_null_values: bool,
    #[serde(default)]
    pub(super) body_empty: bool,
}

/// One status, or several of which one must come. By way of a `Value`, because numbers behind `untagged` do not survive
/// `serde_json/arbitrary_precision`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Statuses(pub(super) Vec<u16>);

impl TryFrom<Value> for Statuses {
    type Error = serde_json::Error;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let several = if value.is_array() { value } else { Value::Array(vec![value]) };
        serde_json::from_value(several).map(Self)
    }
}

/// A field that is there, whatever its value: `null` becomes `Some(Null)`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
