//! The values of a user's multi-valued attributes as Rust types (RFC 7643 §2.4, §4.1.2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A type for the usual shape of a value: value, display, type, primary.
macro_rules! plural {
    ($(#[$about:meta])* $name:ident, $value:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[non_exhaustive]
        pub struct $name {
            #[doc = $value]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub value: Option<String>,
            /// The value, for people.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub display: Option<String>,
            /// What the value is for, such as `work`.
            #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
            pub kind: Option<String>,
            /// Whether this value is preferred to its siblings.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub primary: Option<bool>,
            /// What this type does not know.
            #[serde(flatten)]
            pub extra: Map<String, Value>,
        }

        impl $name {
            /// A value.
            pub fn new(value: impl Into<String>) -> Self {
                Self { value: Some(value.into()), ..Self::default() }
            }

            /// Says what the value is for.
            #[must_use]
            pub fn with_type(mut self, kind: impl Into<String>) -> Self {
                self.kind = Some(kind.into());
                self
            }

            /// Adds a text for people.
            #[must_use]
            pub fn with_display(mut self, display: impl Into<String>) -> Self {
                self.display = Some(display.into());
                self
            }

            /// Prefers this value to its siblings.
            #[must_use]
            pub fn primary(mut self) -> Self {
                self.primary = Some(true);
                self
            }
        }
    };
}

plural!(
    /// An email address of a user.
    Email,
    "The address."
);
plural!(
    /// A telephone number of a user.
    PhoneNumber,
    "The number, best as a `tel` URI (RFC 3966)."
);
plural!(
    /// An instant messaging address of a user.
    InstantMessaging,
    "The address."
);
plural!(
    /// A picture of a user.
    Photo,
    "The URL of the picture."
);
plural!(
    /// Something that a user is entitled to.
    Entitlement,
    "The entitlement."
);
plural!(
    /// A role of a user.
    Role,
    "The role."
);
plural!(
    /// A certificate issued to a user.
    X509Certificate,
    "The certificate: DER in base64."
);

/// A postal address of a user (RFC 7643 §4.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Address {
    /// The whole address, ready for display; it may have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, house number, post box.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City or place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country by its code of two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What the address is for, such as `work`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether this address is preferred to its siblings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Address {
    /// An address without any part.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the address is for.
    #[must_use]
    pub fn with_type(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Prefers this address to its siblings.
    #[must_use]
    pub fn primary(mut self) -> Self {
        self.primary = Some(true);
        self
    }
}

/// A group that a user belongs to (RFC 7643 §4.1.2). The service provider sets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct GroupMembership {
    /// The group's `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The group's URL.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The group's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// `direct`, or `indirect` when the user belongs to the group through another one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl GroupMembership {
    /// The group with this `id`.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// Adds the group's name.
    #[must_use]
    pub fn with_display(mut self, display: impl Into<String>) -> Self {
        self.display = Some(display.into());
        self
    }

    /// Says whether the user belongs to the group directly.
    #[must_use]
    pub fn with_type(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_built_from_what_is_known() {
        let photo = Photo::new("https://example.com/p").with_type("thumbnail").with_display("Portrait").primary();
        assert_eq!(
            serde_json::to_value(photo).unwrap(),
            json!({"value": "https://example.com/p", "type": "thumbnail", "display": "Portrait", "primary": true})
        );
        assert_eq!(
            serde_json::to_value(Address::new().with_type("home").primary()).unwrap(),
            json!({"type": "home", "primary": true})
        );
        assert_eq!(
            serde_json::to_value(GroupMembership::new("7").with_display("Tour Guides").with_type("direct")).unwrap(),
            json!({"value": "7", "display": "Tour Guides", "type": "direct"})
        );
    }
}
