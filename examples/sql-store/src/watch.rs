//! An eye on a connection to SQLite: what a statement may cost, how long it may take, and whether somebody still waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

/// After how many instructions of SQLite's machine somebody looks.
const STEP: u64 = 1_000;
/// What an instruction costs, in the units of a [budget](scim_provider::Budget): 20 to 31 ns were measured for filters on
/// columns and child tables, 80 for those that look into a document.
const INSTRUCTION: u64 = 30;

/// What is known of a connection's statement. The connection's thread looks at it while it works.
#[derive(Debug)]
pub(crate) struct Watch {
    epoch: Instant,
    /// how many instructions the statement may still take
    left: AtomicU64,
    /// until when, in milliseconds of the epoch
    until: AtomicU64,
    /// whether it has taken more instructions than it may
    exceeded: AtomicBool,
    /// whether nobody waits for it any more
    left_alone: AtomicBool,
    /// how many instructions all statements have taken
    #[cfg(test)]
    pub(crate) taken: AtomicU64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            left: AtomicU64::new(u64::MAX),
            until: AtomicU64::new(u64::MAX),
            exceeded: AtomicBool::new(false),
            left_alone: AtomicBool::new(false),
            #[cfg(test)]
            taken: AtomicU64::new(0),
        }
    }
}

impl Watch {
    /// Watches a new connection.
    pub(crate) async fn over(self: Arc<Self>, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let step = i32::try_from(STEP).unwrap_or(i32::MAX);
        connection.lock_handle().await?.set_progress_handler(step, move || self.goes_on());
        Ok(())
    }

    /// A statement begins, which may cost so much and take so long. What happens is seen by the next thousand instructions.
    pub(crate) fn begin(&self, work: Option<u64>, time: Duration) {
        let until = u64::try_from((self.epoch.elapsed() + time).as_millis()).unwrap_or(u64::MAX);
        self.left.store(work.map_or(u64::MAX, |work| work / INSTRUCTION), Ordering::Relaxed);
        self.until.store(until, Ordering::Relaxed);
        self.exceeded.store(false, Ordering::Relaxed);
        self.left_alone.store(false, Ordering::Release);
    }

    /// What the statement has cost of what it might.
    pub(crate) fn cost(&self, work: u64) -> u64 {
        let left = self.left.load(Ordering::Relaxed);
        (work / INSTRUCTION).saturating_sub(left) * INSTRUCTION
    }

    /// Nobody waits any more.
    pub(crate) fn leave_alone(&self) {
        self.left_alone.store(true, Ordering::Release);
    }

    /// Whether the statement was ended because it cost too much.
    pub(crate) fn was_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    fn goes_on(&self) -> bool {
        #[cfg(test)]
        self.taken.fetch_add(STEP, Ordering::Relaxed);
        if self.left_alone.load(Ordering::Acquire) {
            return false;
        }
        let left = self.left.load(Ordering::Relaxed);
        if left < STEP {
            self.exceeded.store(true, Ordering::Relaxed);
            return false;
        }
        if left != u64::MAX {
            self.left.store(left - STEP, Ordering::Relaxed);
        }
        self.epoch.elapsed().as_millis() < u128::from(self.until.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_may_cost_is_counted_and_told() {
        let watch = Watch::default();
        let work = 3 * STEP * INSTRUCTION;
        watch.begin(Some(work), Duration::from_secs(60));
        assert_eq!([watch.goes_on(), watch.goes_on()], [true, true]);
        assert_eq!((watch.cost(work), watch.was_exceeded()), (2 * STEP * INSTRUCTION, false));
        assert_eq!([watch.goes_on(), watch.goes_on()], [true, false]);
        assert!(watch.was_exceeded());
        watch.begin(None, Duration::from_secs(60));
        assert_eq!((watch.goes_on(), watch.was_exceeded()), (true, false));
    }

    #[test]
    fn a_statement_ends_when_nobody_waits_and_when_it_is_late() {
        let watch = Watch::default();
        watch.begin(None, Duration::from_secs(60));
        watch.leave_alone();
        assert_eq!((watch.goes_on(), watch.was_exceeded()), (false, false));
        watch.begin(None, Duration::ZERO);
        assert_eq!((watch.goes_on(), watch.was_exceeded()), (false, false));
    }
}
