//! The format of `hostile.json`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) layer: Layer,
    /// A text, a recipe (see `build`), or nothing.
    pub(super) input: Option<Value>,
    #[serde(default)]
    pub(super) send: Send,
    #[serde(default)]
    pub(super) setup: Vec<Setup>,
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) note: String,
    pub(super) why: String,
}

/// What an input is: it says how it is sent where `send` does not.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Layer {
    Filter,
    Query,
    Path,
    Patch,
    JsonBody,
    Bulk,
    Http,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    pub(super) method: Option<String>,
    pub(super) target: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// In addition to the others, so that a header can be sent twice.
    #[serde(default)]
    pub(super) raw_headers: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    /// `good` where missing, `none`, or the value of `Authorization`.
    pub(super) auth: Option<Value>,
    pub(super) host: Option<String>,
    /// Bytes for a socket.
    pub(super) raw: Option<Value>,
    pub(super) raw_query: Option<String>,
    /// `get`: in the URL, however long.
    pub(super) via: Option<String>,
    /// A path item whose input is the whole request body.
    #[serde(default)]
    pub(super) whole_body: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    pub(super) create_user: CreateUser,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateUser {
    pub(super) user_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Expect {
    /// 0 stands for a connection that is closed without an answer.
    pub(super) status: Vec<u16>,
    #[serde(rename = "scimType")]
    pub(super) scim_type: Option<Vec<String>>,
    pub(super) max_ms: u64,
    #[serde(default, rename = "assert")]
    pub(super) assertions: Vec<Assertion>,
}

/// One thing that must hold after the answer; `effects` says what each form means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assertion {
    pub(super) unchanged: Option<Value>,
    pub(super) strict: Option<Value>,
    pub(super) feature: Option<String>,
    pub(super) if2xx: Option<Value>,
    pub(super) resp: Option<Value>,
    pub(super) resp_body: Option<String>,
    pub(super) resp_header: Option<String>,
    pub(super) get: Option<String>,
    pub(super) get_status: Option<String>,
    pub(super) ptr: Option<String>,
    pub(super) op: Option<String>,
    pub(super) val: Option<Value>,
}

impl Item {
    /// The feature that the item is about, where a server may do without it.
    pub(super) fn feature(&self) -> Option<&str> {
        self.note.strip_prefix("feature:")
    }

    /// Whether the item speaks of a group of its own.
    pub(super) fn wants_a_group(&self) -> bool {
        let names_it = |value: &Value| value.to_string().contains("GROUP_ID");
        let texts = [self.send.target.as_ref(), self.send.raw_query.as_ref()];
        self.input.as_ref().is_some_and(names_it)
            || self.send.body.as_ref().is_some_and(names_it)
            || texts.into_iter().flatten().any(|text| text.contains("GROUP_ID"))
            || self.expect.assertions.iter().any(|assertion| {
                [&assertion.get, &assertion.get_status].into_iter().flatten().any(|text| text.contains("GROUP_ID"))
                    || assertion.val.as_ref().is_some_and(names_it)
            })
    }
}
