//! Many futures at once without a runtime, and futures that are dropped half-way.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

/// Polls all of them in turn until all are done: whatever a store does between two of its `await`s is interleaved with the
/// same of all others. Gives the outcomes in the order of the futures.
pub(super) async fn interleaved<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<(Option<T>, Pin<Box<_>>)> = futures.into_iter().map(|f| (None, Box::pin(f))).collect();
    poll_fn(|cx| {
        let mut pending = false;
        for (done, future) in &mut running {
            if done.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(outcome) => *done = Some(outcome),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(done, _)| done).collect()
}

/// Polls a future so many times and drops it, as a server does when a client hangs up. `None` when it was not done by then.
pub(super) async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
