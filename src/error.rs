//! The SCIM error: what a client reads (RFC 7644 §3.12) and, apart from it, what the operator reads.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The schema URI of an error message.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A refused or failed request, as the client is told of it.
///
/// [`detail`](Error::detail) goes to the client and never holds internal text. [`source`](StdError::source) is for the
/// operator: it is handed to the [`Observer`](crate::Observer) and never sent.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    scim_type: Option<ScimType>,
    detail: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    retry_after: Option<u32>,
}

impl Error {
    /// An error with a status and what the client is to read.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), source: None, retry_after: None }
    }

    /// A 400 with its keyword (a 409 for `uniqueness`, a 403 for `sensitive`).
    pub fn bad_request(scim_type: ScimType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { scim_type: Some(scim_type), ..Self::new(scim_type.status(), detail) }
    }

    /// 404: no such resource or endpoint.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 429: this client asks too often, and may come back after so many seconds (RFC 6585 §4).
    pub fn too_many_requests(seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests").with_retry_after(seconds)
    }

    /// 503: not now, but again after so many seconds.
    pub fn unavailable(seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable").with_retry_after(seconds)
    }

    /// Adds what the operator is to see.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds after how many seconds the client may try again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The keyword of RFC 7644 table 9, where one fits.
    pub fn scim_type(&self) -> Option<ScimType> {
        self.scim_type
    }

    /// What the client reads.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// After how many seconds the client may try again.
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The message as RFC 7644 §3.12 has it.
    pub fn to_message(&self) -> ErrorMessage<'_> {
        ErrorMessage {
            schemas: [ERROR_SCHEMA],
            status: self.status.as_u16().to_string(),
            scim_type: self.scim_type,
            detail: &self.detail,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        if let Some(scim_type) = self.scim_type {
            write!(f, " {scim_type}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The body of an error response.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorMessage<'a> {
    /// Always the URI of the error message.
    pub schemas: [&'static str; 1],
    /// The HTTP status as text.
    pub status: String,
    /// The keyword, where one fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<ScimType>,
    /// What went wrong, for a person.
    pub detail: &'a str,
}

/// The error keywords of RFC 7644 table 9 and RFC 9865 §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ScimType {
    /// The filter's syntax, or a comparison that the attribute does not support.
    InvalidFilter,
    /// The answer would be too large to compute.
    TooMany,
    /// A value is taken. 409.
    Uniqueness,
    /// The change is against the attribute's mutability.
    Mutability,
    /// The structure of the message.
    InvalidSyntax,
    /// The path of a PATCH operation.
    InvalidPath,
    /// The path of a PATCH operation selects nothing.
    NoTarget,
    /// A value is missing or does not suit its attribute.
    InvalidValue,
    /// The protocol version.
    InvalidVers,
    /// The request must not be sent in a URL. 403.
    Sensitive,
    /// The cursor is malformed or belongs to another query.
    InvalidCursor,
    /// The cursor has expired.
    ExpiredCursor,
    /// `count` is out of range or has changed between pages.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }

    /// The status that the keyword goes with.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Uniqueness => StatusCode::CONFLICT,
            Self::Sensitive => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for ScimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text of the client's, shortened so that an error message stays short, for use between backticks.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        None if !text.contains(char::is_control) => Cow::Borrowed(text),
        None => Cow::Owned(text.escape_debug().to_string()),
        Some(_) => Cow::Owned(format!("{}…", text.chars().take(MOST).collect::<String>().escape_debug())),
    }
}

/// The attribute that a path or key of the client's names, without the filter in it: what messages and logs may repeat. A text
/// that is no name may be anybody's, and is `?`.
pub(crate) fn attribute_in(text: &str) -> Cow<'_, str> {
    let name = text.split('[').next().unwrap_or_default();
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'$' | b'-' | b'_' | b'.' | b':');
    match !name.is_empty() && name.bytes().all(is_name) {
        true => excerpt(name),
        false => Cow::Borrowed("?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_the_attribute_is_repeated_and_no_value() {
        for (text, attribute) in [
            ("companyName", "companyName"),
            ("urn:example:2.0:User:a.b", "urn:example:2.0:User:a.b"),
            ("emails[value eq \"ada@example.com\"].type", "emails"),
            ("ada@example.com", "?"),
            ("[value eq \"ada\"]", "?"),
            ("", "?"),
            ("Ada Lovelace", "?"),
        ] {
            assert_eq!(attribute_in(text), attribute);
        }
        assert_eq!(attribute_in(&"a".repeat(200)).chars().count(), 81);
    }

    #[test]
    fn a_message_is_what_rfc_7644_3_12_prints() {
        let error = Error::bad_request(ScimType::Mutability, "attribute `id` is readOnly");
        assert_eq!(
            serde_json::to_value(error.to_message()).unwrap(),
            serde_json::json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": "400",
                "scimType": "mutability",
                "detail": "attribute `id` is readOnly",
            })
        );
        assert_eq!(error.to_string(), "400 mutability: attribute `id` is readOnly");
    }

    #[test]
    fn the_source_is_never_in_the_text_that_clients_see() {
        let error = Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the store failed").with_source("password=hunter2");
        assert!(!serde_json::to_string(&error.to_message()).unwrap().contains("hunter2"));
        assert_eq!(StdError::source(&error).unwrap().to_string(), "password=hunter2");
    }

    #[test]
    fn the_keyword_is_the_same_in_json_and_in_text() {
        for scim_type in [ScimType::InvalidFilter, ScimType::TooMany, ScimType::NoTarget, ScimType::InvalidVers] {
            assert_eq!(serde_json::to_value(scim_type).unwrap(), scim_type.as_str());
        }
    }
}
