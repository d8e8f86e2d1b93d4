//! The way of an answer that is sent while it is written: whoever writes waits until the last piece is taken.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::etag::Version;

/// Between a [`ResourceWriter`](super::ResourceWriter) and the body of the answer. Clones are the same pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    flow: Arc<Mutex<Flow>>,
}

#[derive(Debug, Default)]
struct Flow {
    location: Option<String>,
    media_type: &'static str,
    version: Option<Version>,
    piece: Option<Vec<u8>>,
    /// who waits until the piece is taken
    writer: Option<Waker>,
}

/// What the head of the answer says of the resource.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) location: Option<String>,
    pub(crate) media_type: &'static str,
    pub(crate) version: Option<Version>,
}

impl Pipe {
    /// Says what is known of the head before the resource is read.
    pub(crate) fn announce(&self, location: String, media_type: &'static str) {
        let mut flow = self.flow();
        (flow.location, flow.media_type) = (Some(location), media_type);
    }

    pub(crate) fn head(&self) -> Head {
        let flow = self.flow();
        Head { location: flow.location.clone(), media_type: flow.media_type, version: flow.version.clone() }
    }

    /// Passes a piece on and waits until it is taken.
    pub(super) async fn send(&self, version: Option<Version>, piece: Vec<u8>) {
        {
            let mut flow = self.flow();
            (flow.version, flow.piece) = (version, Some(piece));
        }
        poll_fn(|cx| {
            let mut flow = self.flow();
            match flow.piece {
                None => Poll::Ready(()),
                Some(_) => {
                    flow.writer = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
    }

    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        let mut flow = self.flow();
        let piece = flow.piece.take()?;
        if let Some(writer) = flow.writer.take() {
            writer.wake();
        }
        Some(piece)
    }

    // nothing panics while it is held
    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
