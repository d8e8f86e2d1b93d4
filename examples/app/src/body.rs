//! Bodies: complete, cut where they are too long, or refused; within bounds of size and time.

use std::error::Error as StdError;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use scim_provider::Error;

use crate::within::within;

/// How long a client may take to send a body.
const TIME: Duration = Duration::from_secs(10);
/// How much more of a body that is too long is read, and thrown away: a client that is still sending does not see an answer.
const DISCARDED: usize = 16 << 20;

/// Reads a body, whatever length the client has announced. Of one that is longer than `most` bytes it gives so many: the service
/// sees that it is too long, and says which limit that exceeds.
///
/// `room` is told how many bytes are held, and says whether there is room for more.
pub(crate) async fn complete<S, E>(body: S, most: usize, room: impl FnMut(usize) -> bool) -> Result<Vec<u8>, Error>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    match within(TIME, read(body, most, room)).await {
        Some(Ok(Some(body))) => Ok(body),
        Some(Ok(None)) => Err(Error::too_many_requests(1)),
        Some(Err(error)) => {
            Err(Error::new(StatusCode::BAD_REQUEST, "the body cannot be read to its end").with_source(error))
        }
        None => Err(Error::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long")),
    }
}

/// The body, or its first `most` bytes; `None` when there is no room for it.
async fn read<S, E>(body: S, most: usize, mut room: impl FnMut(usize) -> bool) -> Result<Option<Vec<u8>>, E>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    let mut body = pin!(body);
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let chunk = chunk?;
        length = length.saturating_add(chunk.len());
        let left = most.saturating_sub(bytes.len());
        bytes.extend_from_slice(chunk.get(..left).unwrap_or(&chunk));
        if !room(bytes.capacity()) {
            return Ok(None);
        }
        if length > most.saturating_add(DISCARDED) {
            break;
        }
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, StreamExt};

    use super::*;

    type Chunk = Result<Bytes, &'static str>;

    fn outcome(found: Result<Vec<u8>, Error>) -> Result<usize, u16> {
        found.map(|body| body.len()).map_err(|error| error.status().as_u16())
    }

    #[tokio::test]
    async fn no_more_than_so_many_bytes_are_kept() {
        for (length, expected) in [(0, Ok(0)), (9, Ok(9)), (10, Ok(10)), (11, Ok(10)), (DISCARDED + 11, Ok(10))] {
            for size in [1_000_000, 7] {
                // small chunks of a small body
                let size = size.max(length / 100).max(1);
                let chunks: Vec<Chunk> =
                    vec![b'x'; length].chunks(size).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
                assert_eq!(outcome(complete(stream::iter(chunks), 10, |_| true).await), expected, "{length} by {size}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_too_long_is_read_to_its_end_within_reason() {
        let mut rest = stream::iter((0..40).map(|_| Chunk::Ok(Bytes::from(vec![b'x'; 1 << 20]))));
        assert_eq!(outcome(complete(rest.by_ref(), 10, |_| true).await), Ok(10));
        assert_eq!(rest.count().await, 40 - 17, "no more than is thrown away, and a chunk");
    }

    #[tokio::test]
    async fn a_body_is_refused_when_there_is_no_room_for_it() {
        let mut rest = stream::iter((0..9).map(|_| Chunk::Ok(Bytes::from_static(b"0123456789"))));
        let found = complete(rest.by_ref(), 1000, |held| held < 30).await;
        assert_eq!((outcome(found), rest.count().await), (Err(429), 6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_an_end_and_comes_in_time() {
        let cut = stream::iter([Chunk::Ok(Bytes::from_static(b"{")), Err("hung up")]);
        assert_eq!(outcome(complete(cut, 10, |_| true).await), Err(400));
        let slow = stream::iter([Chunk::Ok(Bytes::from_static(b"{"))]).chain(stream::pending());
        assert_eq!(outcome(complete(slow, 10, |_| true).await), Err(408));
    }
}
