//! The body of an answer that may come in pieces.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Response, StatusCode};

use super::answer::Reply;
use crate::resource::Pipe;

/// The body of an answer of [`Service::stream`](super::Service::stream): whole, or piece by piece as it is asked for.
///
/// A framework's stream of bytes is made of [`poll_piece`](Self::poll_piece). One that is dropped before its end lets go of
/// what the store has open for it.
pub struct Body {
    state: State,
}

type Task = Pin<Box<dyn Future<Output = Response<Vec<u8>>> + Send>>;

enum State {
    Whole(Vec<u8>),
    Pieces { task: Task, pipe: Pipe, first: Vec<u8> },
    Ended,
}

/// The store failed after a part of the answer had been sent: the connection has to be closed, so that the client does not
/// take the part for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer broke off with {status}")]
#[non_exhaustive]
pub struct BrokenOff {
    /// What the answer would have been, had nothing been sent.
    pub status: StatusCode,
}

impl Body {
    /// The bytes, if they are all there; else the body as it was.
    ///
    /// # Errors
    /// The body itself, when it comes in pieces.
    pub fn into_whole(self) -> Result<Vec<u8>, Self> {
        match self.state {
            State::Whole(bytes) => Ok(bytes),
            State::Ended => Ok(Vec::new()),
            state @ State::Pieces { .. } => Err(Self { state }),
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the store failed behind what has been handed out. Nothing follows.
    pub async fn piece(&mut self) -> Option<Result<Vec<u8>, BrokenOff>> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    /// The next piece; `None` at the end.
    pub fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, BrokenOff>>> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => Poll::Ready(None),
            State::Whole(bytes) => Poll::Ready(Some(bytes).filter(|bytes| !bytes.is_empty()).map(Ok)),
            State::Pieces { task, pipe, first } if !first.is_empty() => {
                self.state = State::Pieces { task, pipe, first: Vec::new() };
                Poll::Ready(Some(Ok(first)))
            }
            State::Pieces { mut task, pipe, first } => match task.as_mut().poll(cx) {
                Poll::Ready(response) => match response.status() {
                    StatusCode::OK => Poll::Ready(Some(Ok(response.into_body()))),
                    status => Poll::Ready(Some(Err(BrokenOff { status }))),
                },
                Poll::Pending => {
                    let piece = pipe.take();
                    self.state = State::Pieces { task, pipe, first };
                    piece.map_or(Poll::Pending, |piece| Poll::Ready(Some(Ok(piece))))
                }
            },
        }
    }

    /// Lets a task run until it is done or has something to send.
    pub(super) async fn begin(mut task: Task, pipe: Pipe) -> Response<Self> {
        let begun = poll_fn(|cx| match task.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Ok(response)),
            Poll::Pending => pipe.take().map_or(Poll::Pending, |first| Poll::Ready(Err(first))),
        });
        match begun.await {
            Ok(response) => response.map(Self::from),
            Err(first) => {
                let head = pipe.head();
                let reply = Reply { location: head.location, ..Reply::json(first) };
                let response = reply.with_etag(head.version.as_ref()).into_response(head.media_type, true);
                response.map(|first| Self { state: State::Pieces { task, pipe, first } })
            }
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { state: State::Whole(bytes) }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Whole(bytes) => format!("{} bytes", bytes.len()),
            State::Pieces { .. } => "in pieces".to_owned(),
            State::Ended => "ended".to_owned(),
        };
        f.debug_tuple("Body").field(&format_args!("{state}")).finish()
    }
}
