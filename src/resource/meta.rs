//! What the service provider records about a resource (RFC 7643 §3.1).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `meta` attribute: what the service provider records about a resource (RFC 7643 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Meta {
    /// The name of the resource type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// When the resource was created.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::time::optional")]
    pub created: Option<DateTime<Utc>>,
    /// When the resource last changed.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::time::optional")]
    pub last_modified: Option<DateTime<Utc>>,
    /// The URL of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The entity tag, quoted as in the `ETag` header: `W/"1"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Meta {
    /// The `meta` of a resource of the named type.
    pub fn new(resource_type: impl Into<String>) -> Self {
        Self { resource_type: Some(resource_type.into()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn date_times_are_written_in_utc() {
        let meta: Meta = serde_json::from_value(json!({
            "created": "2011-05-13T06:42:34.5+02:00", "lastModified": null, "x": 1.50
        }))
        .unwrap();
        assert_eq!(serde_json::to_value(&meta).unwrap(), json!({"created": "2011-05-13T04:42:34.500Z", "x": 1.50}));
    }

    #[test]
    fn what_is_no_date_time_is_named() {
        let error = serde_json::from_value::<Meta>(json!({"created": "yesterday"})).unwrap_err();
        assert_eq!(error.to_string(), "`yesterday` is not a dateTime");
    }
}
