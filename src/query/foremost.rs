//! Long work in short steps: what comes first of many resources, and giving way in between.

use std::cmp::Ordering;

use crate::budget::yield_now;
use crate::sort::Rank;
use crate::{Budget, Exhausted};

/// Gives way to others each time that a request has spent about a millisecond.
#[derive(Debug)]
pub(crate) struct Pace<'b> {
    budget: &'b Budget,
    /// what was left when others had their turn
    left: u64,
}

impl<'b> Pace<'b> {
    const STEP: u64 = 1_000_000;

    pub(crate) fn new(budget: &'b Budget) -> Self {
        Self { budget, left: budget.left() }
    }

    /// Whether it is the turn of others.
    pub(crate) fn is_due(&self) -> bool {
        self.left.saturating_sub(self.budget.left()) >= Self::STEP
    }

    /// Gives way if it is the turn of others. No lock is held by who calls this.
    pub(crate) async fn step(&mut self) {
        if self.is_due() {
            yield_now().await;
            self.left = self.budget.left();
        }
    }
}

/// The first of many in an order. What comes behind is dropped on the way, and only what is asked for is sorted.
#[derive(Debug)]
pub(crate) struct Foremost<T, O> {
    found: Vec<(Rank, T)>,
    skip: usize,
    most: usize,
    order: O,
    /// how long the places are that are here
    length: u64,
}

impl<T, O: Fn(&Rank, &Rank) -> Ordering> Foremost<T, O> {
    /// What a comparison of ranks costs, and how often each is compared when one part is told from the other.
    const COMPARE: u64 = 25;
    const ROUNDS: u64 = 4;
    /// So many may be here at least before any are dropped.
    const LEAST: usize = 1 << 10;

    /// Of all in this order, `take` of them behind the first `skip`.
    pub(crate) fn new(skip: usize, take: usize, order: O) -> Self {
        Self { found: Vec::new(), skip, most: skip.saturating_add(take), order, length: 0 }
    }

    /// One of all.
    pub(crate) fn add(&mut self, rank: Rank, one: T, budget: &Budget) -> Result<(), Exhausted> {
        self.length = self.length.saturating_add(rank.length());
        self.found.push((rank, one));
        if self.found.len() >= self.most.saturating_mul(2).max(Self::LEAST) {
            self.part(self.most, budget)?;
            self.found.truncate(self.most);
            self.length = self.found.iter().fold(0, |sum, (rank, _)| sum.saturating_add(rank.length()));
        }
        Ok(())
    }

    /// Those that were asked for, in their order.
    pub(crate) async fn finish(mut self, pace: &mut Pace<'_>) -> Result<Vec<(Rank, T)>, Exhausted> {
        self.part(self.most, pace.budget)?;
        self.found.truncate(self.most);
        pace.step().await;
        let skip = self.skip.min(self.found.len());
        self.part(skip, pace.budget)?;
        self.found.drain(..skip);
        pace.step().await;
        let rounds = u64::from(self.found.len().max(2).ilog2()) + 1;
        self.length = self.found.iter().fold(0, |sum, (rank, _)| sum.saturating_add(rank.length()));
        pace.budget.spend(self.cost(rounds))?;
        let order = &self.order;
        self.found.sort_by(|(a, _), (b, _)| order(a, b));
        pace.step().await;
        Ok(self.found)
    }

    /// Brings the first so many to the front.
    fn part(&mut self, at: usize, budget: &Budget) -> Result<(), Exhausted> {
        if at == 0 || at >= self.found.len() {
            return Ok(());
        }
        budget.spend(self.cost(Self::ROUNDS))?;
        let order = &self.order;
        self.found.select_nth_unstable_by(at, |(a, _), (b, _)| order(a, b));
        Ok(())
    }

    /// Each is compared once in a round, at most as far as it is long.
    fn cost(&self, rounds: u64) -> u64 {
        let count = u64::try_from(self.found.len()).unwrap_or(u64::MAX);
        count.saturating_mul(Self::COMPARE).saturating_add(self.length / 8).saturating_mul(rounds)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::sort::Sort;

    /// The outcome, and how often others had their turn.
    fn run<T>(future: impl Future<Output = T>) -> (T, usize) {
        let (mut future, mut turns) = (pin!(future), 0);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(done) => return (done, turns),
                Poll::Pending => turns += 1,
            }
        }
    }

    /// Pages of so many ids in an order that looks random, with the number of comparisons.
    fn page(count: usize, skip: usize, take: usize, budget: &Budget) -> (Result<Vec<usize>, Exhausted>, u64, usize) {
        let compared = Cell::new(0_u64);
        let order = |a: &Rank, b: &Rank| {
            compared.set(compared.get() + 1);
            Sort::compare_ids(a, b)
        };
        let (found, turns) = run(async {
            let mut pace = Pace::new(budget);
            let mut first = Foremost::new(skip, take, order);
            for n in 0..count {
                let n = n * 7_919 % count;
                first.add(Rank::of_id(Some(&format!("{n:08}"))), n, budget)?;
                assert!(
                    first.found.len() <= skip.saturating_add(take).saturating_mul(2).max(1_024),
                    "what is not needed is kept"
                );
                pace.step().await;
            }
            Ok(first.finish(&mut pace).await?.into_iter().map(|(_, n)| n).collect())
        });
        (found, compared.get(), turns)
    }

    #[test]
    fn a_page_is_what_sorting_everything_would_give() {
        for (skip, take) in [(0, 0), (0, 5), (3, 5), (990, 20), (1_000, 5), (5_000, 5), (0, usize::MAX)] {
            let expected: Vec<usize> = (0..1_000).skip(skip).take(take).collect();
            assert_eq!(page(1_000, skip, take, &Budget::new(u64::MAX)).0, Ok(expected), "{skip} {take}");
        }
    }

    #[test]
    fn what_is_not_on_the_page_is_not_sorted_and_what_is_compared_is_charged() {
        for (skip, take) in [(0, 100), (50_000, 200), (99_800, 200)] {
            let budget = Budget::new(100_000_000);
            let (found, compared, turns) = page(100_000, skip, take, &budget);
            assert_eq!(found.map(|found| found.len()), Ok(take));
            // sorting all of them takes 1.6 million
            assert!(compared < 1_000_000, "{compared} comparisons for {take} behind {skip}");
            let spent = 100_000_000 - budget.left();
            assert!(spent >= compared * 25 && spent < 30_000_000, "{spent} for {compared} comparisons");
            assert!(turns >= 1);
        }
    }

    #[test]
    fn nothing_is_sorted_that_the_budget_does_not_cover() {
        let (found, compared, _) = page(100_000, 0, 100_000, &Budget::new(1_000));
        assert_eq!((found, compared), (Err(Exhausted), 0));
    }
}
