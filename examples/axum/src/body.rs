//! Bodies: complete or refused, within bounds of size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use scim_provider::Error;

/// How long a client may take to send a body.
const TIME: Duration = Duration::from_secs(10);

/// Reads a body of at most so many bytes, whatever length the client has announced.
pub(crate) async fn complete(body: Body, most: usize) -> Result<Bytes, Error> {
    let reading = Limited::new(body, most).collect();
    match tokio::time::timeout(TIME, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {most} bytes")))
        }
        Ok(Err(error)) => {
            Err(Error::new(StatusCode::BAD_REQUEST, "the body cannot be read to its end").with_source(error))
        }
        Err(_) => Err(Error::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long")),
    }
}
