//! Borrowed access to the values of a document.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::scan;

/// A value inside a [`Resource`](crate::Resource), borrowed from its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ValueRef<'a> {
    json: &'a [u8],
}

impl<'a> ValueRef<'a> {
    pub(crate) fn new(json: &'a [u8]) -> Self {
        Self { json }
    }

    /// The value's JSON text.
    pub fn as_json(&self) -> &'a [u8] {
        self.json
    }

    /// The text of a string; borrowed unless it has escapes.
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        scan::unescaped(scan::string_body(self.json)?)
    }

    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.json {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// The whole number.
    pub fn as_i64(&self) -> Option<i64> {
        std::str::from_utf8(self.json).ok()?.parse().ok()
    }

    /// The number.
    pub fn as_f64(&self) -> Option<f64> {
        match self.json.first()? {
            b'-' | b'0'..=b'9' => std::str::from_utf8(self.json).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// A sub-attribute of a complex value, by its canonical name.
    pub fn get(&self, sub_attribute: &str) -> Option<Self> {
        scan::members(self.json)
            .find(|(key, _)| scan::unescaped(key).is_some_and(|key| key.eq_ignore_ascii_case(sub_attribute)))
            .map(|(_, json)| Self { json })
    }

    /// The elements of a multi-valued attribute; a single value is its own only element.
    pub fn elements(&self) -> impl Iterator<Item = Self> + use<'a> {
        scan::elements(self.json).map(|json| Self { json })
    }

    /// Converts the value.
    ///
    /// # Errors
    /// When the value is not what `T` expects.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.json)
    }
}

impl std::fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.json))
    }
}
