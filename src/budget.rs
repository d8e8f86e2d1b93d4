//! What a request may still cost: one account for all that is done for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// The work that a request may still cause, in units of about a nanosecond of one core.
///
/// A request has one account, filled with [`Limits::work`](crate::Limits::work): its filter, its order, its PATCH and each
/// operation of a bulk request take from it. Clones share the account. A store finds it in
/// [`Query::budget`](crate::Query::budget) and [`Changes::budget`](crate::Changes::budget); it takes what a look at its rows
/// costs before it looks, or refuses. What is taken never comes back.
///
/// ```
/// # use scim_provider::Budget;
/// let budget = Budget::new(1_000);
/// let same = budget.clone();
/// assert!(budget.spend(600).is_ok());
/// assert!(same.spend(600).is_err());
/// assert_eq!(budget.left(), 400);
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    left: Arc<AtomicU64>,
}

/// The request would cost more than [`Limits::work`](crate::Limits::work): `tooMany` for a query, 413 for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is more work than is allowed (`work`)")]
#[non_exhaustive]
pub struct Exhausted;

impl Budget {
    /// An account that holds so much.
    pub fn new(work: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(work)) }
    }

    /// Takes what a step costs. An account that holds less stays as it is.
    ///
    /// # Errors
    /// When less than that is left.
    pub fn spend(&self, work: u64) -> Result<(), Exhausted> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(work));
        taken.map(drop).map_err(|_| Exhausted)
    }

    /// Takes what was done already, as far as there is so much: the next step finds an empty account.
    pub fn charge(&self, work: u64) {
        // the closure never refuses
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(work)));
    }

    /// What is left.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

/// Gives the runtime's thread to whoever waits for it, and goes on when it comes back. Any runtime will do: the future wakes
/// itself, and is `Pending` once.
pub(crate) async fn yield_now() {
    let mut gave_way = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_gives_way_once_and_wakes_itself() {
        struct Count(AtomicU64);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Count(AtomicU64::new(0)));
        let waker = Arc::clone(&woken).into();
        let mut cx = std::task::Context::from_waker(&waker);
        let mut pause = std::pin::pin!(yield_now());
        assert_eq!(pause.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(pause.as_mut().poll(&mut cx), Poll::Ready(()));
    }

    #[test]
    fn nothing_is_taken_of_what_is_not_there() {
        let budget = Budget::new(10);
        assert_eq!(budget.spend(11), Err(Exhausted));
        assert_eq!(budget.spend(10), Ok(()));
        assert_eq!((budget.left(), budget.spend(1), budget.spend(0)), (0, Err(Exhausted), Ok(())));
    }

    #[test]
    fn what_is_done_is_taken_as_far_as_it_is_there() {
        let budget = Budget::new(10);
        budget.charge(4);
        assert_eq!(budget.left(), 6);
        budget.charge(7);
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn clones_share_the_account() {
        let budget = Budget::new(u64::MAX);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let budget = budget.clone();
                scope.spawn(move || (0..1_000).for_each(|_| assert_eq!(budget.spend(3), Ok(()))));
            }
        });
        assert_eq!(budget.left(), u64::MAX - 12_000);
    }
}
