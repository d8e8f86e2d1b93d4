//! What an operation comes to, before it is HTTP.

use http::StatusCode;

use super::{Inner, Registered};
use crate::etag::Version;
use crate::resource::{Projection, Resource};
use crate::store::StoreError;
use crate::{Error, ScimType};

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    /// how many bytes of the body nobody reads, or has been sent before it
    pub(crate) before: usize,
    /// how many resources a query found
    pub(crate) found: Option<usize>,
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, etag: None, location: None, body: Vec::new(), before: 0, found: None }
    }

    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self { body, ..Self::empty(StatusCode::OK) }
    }

    pub(crate) fn with_etag(mut self, version: Option<&Version>) -> Self {
        self.etag = version.map(Version::to_etag);
        self
    }
}

impl<C> Inner<C> {
    /// A resource as the body of an answer.
    pub(super) fn show(&self, resource: &Resource, projection: &Projection) -> Reply {
        let mut body = Vec::with_capacity(resource.as_json().len() + self.links.base().len() + 128);
        resource.write(&mut body, projection, Some(&self.links));
        Reply::json(body).with_etag(resource.version().as_ref())
    }

    pub(super) fn location(&self, registered: &Registered<C>, id: &str) -> String {
        self.links.location(registered.ty.endpoint(), id)
    }
}

/// What a client is told of a query that is too much work.
pub(super) fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Exhausted(_) => Error::bad_request(
            ScimType::TooMany,
            "the query is more work than the limit for one request allows: ask for a value of `id`, `userName` or the like \
             with `eq`, compare less, or leave `sortBy` out",
        ),
        error => error.into(),
    }
}

/// What a client is told of a store's failure. The failure itself stays with the operator.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found("no such resource"),
            StoreError::Conflict { attribute } => {
                Self::bad_request(ScimType::Uniqueness, format!("the value of `{attribute}` is taken"))
            }
            StoreError::VersionMismatch => {
                Self::new(StatusCode::PRECONDITION_FAILED, "the resource has another version than `If-Match` asks for")
            }
            StoreError::Patch(error) => error.into(),
            StoreError::Refused(error) => *error,
            StoreError::Unavailable { retry_after, throttled, source } => {
                let (status, detail) = match throttled {
                    true => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
                    false => (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable"),
                };
                let error = Self::new(status, detail);
                let error = match retry_after {
                    Some(seconds) => error.with_retry_after(seconds),
                    None => error,
                };
                match source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            }
            StoreError::Unsupported => Self::new(StatusCode::NOT_IMPLEMENTED, "the operation is not supported"),
            StoreError::TooMany => Self::bad_request(
                ScimType::TooMany,
                "the query would have to look at more resources than the limit for one query allows: ask for a value of `id`, \
                 `userName` or the like with `eq`, or page with `cursor`",
            ),
            StoreError::Exhausted(error) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            StoreError::Backend(source) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be carried out").with_source(source)
            }
        }
    }
}
