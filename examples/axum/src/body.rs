//! Bodies: complete or refused, within bounds of size and time.

use std::time::Duration;

use axum::body::Body;
use http::StatusCode;
use http_body_util::BodyExt;
use scim_provider::Error;

/// How long a client may take to send a body.
const TIME: Duration = Duration::from_secs(10);
/// How much of a body that is too long is read and thrown away: a client that is still sending does not see an answer.
const DISCARDED: usize = 16 << 20;

/// Reads a body of at most so many bytes, whatever length the client has announced.
pub(crate) async fn complete(body: Body, most: usize) -> Result<Vec<u8>, Error> {
    match tokio::time::timeout(TIME, read(body, most)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {most} bytes"))),
        Ok(Err(error)) => {
            Err(Error::new(StatusCode::BAD_REQUEST, "the body cannot be read to its end").with_source(error))
        }
        Err(_) => Err(Error::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long")),
    }
}

/// The body, or `None` when it is too long.
async fn read(mut body: Body, most: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= most {
            bytes.extend_from_slice(&data);
        } else if length > DISCARDED {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    Ok((length <= most).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_has_at_most_so_many_bytes() {
        for (length, expected) in [(0, Ok(0)), (10, Ok(10)), (11, Err(413)), (DISCARDED + 1, Err(413))] {
            let found = complete(Body::from(vec![b'x'; length]), 10).await;
            assert_eq!(found.map(|b| b.len()).map_err(|e| e.status().as_u16()), expected, "{length}");
        }
    }
}
