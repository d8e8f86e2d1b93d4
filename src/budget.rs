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
#[error("the request is more work than is allowed")]
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

    /// What is left.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

/// Lets others have the thread: pending once, and awake again at once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
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
    fn nothing_is_taken_of_what_is_not_there() {
        let budget = Budget::new(10);
        assert_eq!(budget.spend(11), Err(Exhausted));
        assert_eq!(budget.spend(10), Ok(()));
        assert_eq!((budget.left(), budget.spend(1), budget.spend(0)), (0, Err(Exhausted), Ok(())));
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
