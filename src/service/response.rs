//! Writing responses.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::Refusal;
use super::accept::{SCIM_JSON, media_type};
use super::answer::Reply;
use crate::Error;

impl Error {
    /// The error as a response: for what a host refuses before the service is asked. A 401 names `Bearer` as the scheme to use;
    /// [`unauthorized`] names another.
    pub fn to_response(&self) -> Response<Vec<u8>> {
        self.in_media_type(SCIM_JSON)
    }

    /// The same in the media type that the client accepts, by the headers of its request: `application/scim+json` or
    /// `application/json`.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, header};
    /// let asked = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
    /// let response = scim_provider::Error::not_found("no such tenant").to_response_for(&asked);
    /// assert_eq!(response.headers()["content-type"], "application/json");
    /// ```
    pub fn to_response_for(&self, request: &HeaderMap) -> Response<Vec<u8>> {
        self.in_media_type(media_type(request).unwrap_or(SCIM_JSON))
    }

    fn in_media_type(&self, media_type: &'static str) -> Response<Vec<u8>> {
        let body = serde_json::to_vec(&self.to_message()).unwrap_or_default();
        let mut response = answer(self.status(), body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if self.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer to a request without valid credentials: a 401 that always names the scheme to use (RFC 7644 §2).
///
/// ```
/// let response = scim_provider::unauthorized("Bearer realm=\"scim\"");
/// assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"scim\"");
/// ```
pub fn unauthorized(challenge: &str) -> Response<Vec<u8>> {
    let mut response = Error::new(StatusCode::UNAUTHORIZED, "valid credentials are required").to_response();
    let challenge = HeaderValue::from_str(challenge).unwrap_or(HeaderValue::from_static("Bearer"));
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

impl Refusal {
    pub(super) fn into_response(self, media_type: &'static str, body_wanted: bool) -> Response<Vec<u8>> {
        let mut response = self.error.in_media_type(media_type);
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(location) = self.location.and_then(|url| HeaderValue::from_maybe_shared(url.into_bytes()).ok()) {
            response.headers_mut().insert(LOCATION, location);
        }
        if !body_wanted {
            leave_out_body(&mut response, 0);
        }
        response
    }

    pub(super) fn error(&self) -> &Error {
        &self.error
    }
}

impl Reply {
    pub(super) fn into_response(self, media_type: &'static str, body_wanted: bool) -> Response<Vec<u8>> {
        let has_body = !self.body.is_empty() || self.before > 0;
        let before = self.before;
        let mut response = answer(self.status, self.body);
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        for (name, value) in [(ETAG, self.etag), (LOCATION, self.location)] {
            if let Some(value) = value.and_then(|v| HeaderValue::from_maybe_shared(v.into_bytes()).ok()) {
                headers.insert(name, value);
            }
        }
        if !body_wanted {
            leave_out_body(&mut response, before);
        }
        response
    }
}

/// What every answer begins with. Nobody between the client and the service keeps one, not even a 404, which caches may keep
/// unasked (RFC 9110 §15.1): it is about people. And nobody takes it for a page,
/// or for the answer to who accepts another media type.
fn answer(status: StatusCode, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// HEAD tells how long the body would be that GET has (RFC 9110 §9.3.2): a server that finds an empty body and no length says 0.
fn leave_out_body(response: &mut Response<Vec<u8>>, before: usize) {
    let length = before + std::mem::take(response.body_mut()).len();
    if length > 0 {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}
