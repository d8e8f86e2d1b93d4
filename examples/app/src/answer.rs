//! The body of an answer: whole, or in pieces that are made as they are sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use scim_provider::service::Body;
use tokio::time::Sleep;

use crate::held::Held;

/// What counts as held for an answer in pieces: what a store keeps for it is not known, and more than a piece.
const IN_PIECES: usize = 8 << 20;

/// The body of an answer.
#[derive(Debug)]
pub enum Answer {
    /// One that is all there.
    Whole(Bytes),
    /// One that is made while it is sent.
    Pieces(Pieces),
}

/// A stream of bytes that ends with an error when the answer broke off: the connection has to be closed then.
#[derive(Debug)]
pub struct Pieces {
    body: Body,
    /// until when all of it has to be sent: the store has a connection open for it
    end: Pin<Box<Sleep>>,
    _held: Held,
}

impl Answer {
    pub(crate) fn new(body: Body, mut held: Held, most: Duration) -> Self {
        match body.into_whole() {
            Ok(bytes) => Self::Whole(held.answer(bytes)),
            Err(body) => {
                held.set(IN_PIECES);
                Self::Pieces(Pieces { body, end: Box::pin(tokio::time::sleep(most)), _held: held })
            }
        }
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            self.body = Body::from(Vec::new());
            return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
        }
        self.body.poll_piece(cx).map_ok(Bytes::from).map_err(io::Error::other)
    }
}
