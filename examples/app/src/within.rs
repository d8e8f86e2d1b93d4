//! Time-outs that cost nothing where nobody waits, and little where somebody does.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// What a future gives, or `None` when it takes longer.
///
/// [`tokio::time::timeout`] sets its timer before it looks at the future, and a timer that is due before all others wakes the thread
/// that waits for them. Most futures here are ready at once: a body that came with its head, a place that is free.
pub(crate) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut timer = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Keeps a timer that is always due soon. A timer that is due before all others wakes the thread that waits for them, which costs
/// a request more than what it asks for; beside this one, those of requests never are.
#[derive(Debug)]
pub(crate) struct Tick(tokio::task::JoinHandle<()>);

impl Tick {
    const EVERY: Duration = Duration::from_millis(500);

    pub(crate) fn new() -> Self {
        Self(tokio::spawn(async {
            let mut ticks = tokio::time::interval(Self::EVERY);
            loop {
                ticks.tick().await;
            }
        }))
    }
}

impl Drop for Tick {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_late_is_given_up_and_who_is_not_is_waited_for() {
        let second = Duration::from_secs(1);
        assert_eq!(within(second, async { 7 }).await, Some(7));
        let begin = tokio::time::Instant::now();
        assert_eq!(within(second, tokio::time::sleep(second / 2)).await, Some(()));
        assert_eq!(within(second, std::future::pending::<()>()).await, None);
        assert_eq!(begin.elapsed(), second * 3 / 2);
    }

    /// Without a runtime a timer cannot be set.
    #[test]
    fn nothing_is_timed_that_is_ready_at_once() {
        let ready = pin!(within(Duration::from_secs(1), async { 7 }));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert_eq!(ready.poll(&mut cx), Poll::Ready(Some(7)));
    }
}
