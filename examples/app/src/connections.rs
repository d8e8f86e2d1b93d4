//! Connections: so many in all and from one address, and none that waits for ever.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::CONNECTIONS;

/// How long a connection may stay without its first byte when half of the places are taken.
const SILENCE: Duration = Duration::from_secs(5);

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    from_one: usize,
    unread: Duration,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Connections {
    /// So many from one address, 0 for any number; each ends when its peer reads nothing of an answer for so long.
    pub(crate) fn new(from_one: usize, unread: Duration) -> Arc<Self> {
        Arc::new(Self { from_one, unread, open: Mutex::default() })
    }

    /// Takes a connection in; `None`, and it ends, when there are enough from its address. That of IPv6 is the first half, since
    /// whoever has one has all that begin so.
    pub fn take<S>(self: &Arc<Self>, stream: S, peer: SocketAddr) -> Option<Connection<S>> {
        let peer = match peer.ip().to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
            ip => ip,
        };
        let mut open = self.open();
        let number = open.entry(peer).or_default();
        if self.from_one > 0 && *number >= self.from_one {
            return None;
        }
        *number += 1;
        drop(open);
        let silent = Some(Box::pin(tokio::time::sleep(SILENCE)));
        let place = Place { connections: Arc::clone(self), peer };
        Some(Connection { stream, place, silent, stalled: None })
    }

    /// Whether places get scarce.
    fn are_scarce(&self) -> bool {
        self.open().values().sum::<usize>() > CONNECTIONS / 2
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Place {
    connections: Arc<Connections>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        match open.get_mut(&self.peer) {
            Some(number) if *number > 1 => *number -= 1,
            _ => drop(open.remove(&self.peer)),
        }
    }
}

/// A connection that ends with an error when its peer reads nothing for too long, or says nothing while others wait for its place.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    place: Place,
    /// until the first byte has come
    silent: Option<Pin<Box<Sleep>>>,
    /// since a write had to wait
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Connection<S> {
    /// What came of an attempt to write.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let unread = self.place.connections.unread;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(unread)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if read.is_ready() {
            this.silent = None;
            return read;
        }
        while let Some(silent) = &mut this.silent {
            if silent.as_mut().poll(cx).is_pending() {
                break;
            }
            if this.place.connections.are_scarce() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            silent.as_mut().reset(Instant::now() + SILENCE);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn from(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 1))
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_has_no_more_than_its_number() {
        let connections = Connections::new(2, Duration::from_secs(30));
        let held: Vec<_> = (0..2).map(|_| connections.take((), from(1)).unwrap()).collect();
        assert!(connections.take((), from(1)).is_none());
        assert!(connections.take((), "[::ffff:192.0.2.1]:1".parse().unwrap()).is_none(), "the same, written otherwise");
        assert!(connections.take((), from(2)).is_some());
        drop(held);
        assert!(connections.open().is_empty());
        let network: Vec<_> = ["[2001:db8::1]:1", "[2001:db8::2:1]:1", "[2001:db8::3]:1"]
            .map(|peer| connections.take((), peer.parse().unwrap()))
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(network.len(), 2);
        let any = Connections::new(0, Duration::from_secs(30));
        assert_eq!((0..1000).filter_map(|_| any.take((), from(1))).count(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_ends_and_a_slow_reader_has_its_time() {
        let connections = Connections::new(2, Duration::from_secs(30));
        let (stream, mut peer) = duplex(10);
        let mut connection = connections.take(stream, from(1)).unwrap();
        let begin = Instant::now();
        let reader = async {
            // progress each 20 seconds for a minute, and none afterwards
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                peer.read_exact(&mut [0; 10]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(connection.write_all(&[0; 100]), reader);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 90);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_short_when_places_get_scarce() {
        for (others, expected) in [(10, false), (CONNECTIONS / 2, true)] {
            let connections = Connections::new(0, Duration::from_secs(30));
            let _others: Vec<_> = (0..others).map(|_| connections.take((), from(1)).unwrap()).collect();
            let (stream, mut peer) = duplex(10);
            let mut silent = connections.take(stream, from(1)).unwrap();
            let read = tokio::time::timeout(Duration::from_secs(12), silent.read_u8()).await;
            assert_eq!(read.is_ok_and(|read| read.is_err()), expected, "beside {others}");
            let (stream, mut other) = duplex(10);
            let mut heard = connections.take(stream, from(1)).unwrap();
            other.write_all(b"ab").await.unwrap();
            heard.read_u8().await.unwrap();
            heard.read_u8().await.unwrap();
            assert!(
                tokio::time::timeout(Duration::from_secs(12), heard.read_u8()).await.is_err(),
                "it has said something"
            );
            peer.shutdown().await.unwrap();
        }
    }
}
