//! Whose turn it is. Each tenant has a few requests computed at once and some that wait, and those go first whose tenant has asked
//! for least (fair queueing by work, in which what waits and what is refused counts as well): who asks for little is not kept by
//! those who ask for much, however many they are.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use scim_provider::TenantId;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::bounds::Bounds;
use crate::within::within;

/// A tenant whose requests take longer than this on average shares fewer places with its like: long work fills the cores, and
/// short work is to find them free.
const LONG: Duration = Duration::from_millis(20);
/// What one request counts for in the average at the most: a password now and then makes nobody's other requests long. Of whom
/// nothing is known yet it is taken to be so much.
const LONGEST: Duration = Duration::from_millis(30);
/// What one may have here at once, running and waiting, and go before others.
const LITTLE: Duration = Duration::from_millis(80);
/// How much more than others a tenant can have asked for, and what is forgiven one that has little here: how long work takes is
/// known only roughly where others work beside it.
const DEBT: Duration = Duration::from_secs(1);
/// How much less than others a tenant can have asked for.
const CREDIT: Duration = Duration::from_millis(100);
/// Every so many places go to who has waited longest for one, whatever it has asked for: nobody gets nothing.
const IN_TURN: u64 = 8;
/// Of how many tenants it is remembered how long their requests take.
const REMEMBERED: usize = 10_000;

/// The places in which requests are computed.
#[derive(Debug)]
pub(crate) struct Shares {
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// how many of them count as long
    long: usize,
    /// how many places were given out
    given: u64,
    /// what all of those have asked for that wait: who comes back after a while begins near it, and has saved up little
    now: Duration,
    /// who has a request here, or has asked for more than others
    tenants: HashMap<TenantId, Tenant>,
    /// how long one request of a tenant takes, on average
    means: HashMap<TenantId, Duration>,
}

#[derive(Debug)]
struct Tenant {
    running: usize,
    waiting: VecDeque<Waiting>,
    /// how many places had been given out when it got its last one
    served: u64,
    /// what its requests have taken, and what those are likely to take that run, wait, or have waited in vain: its share would
    /// else be the same however much it asks for, and not be enough for one who asks for a little more
    asked: Duration,
    mean: Duration,
}

#[derive(Debug)]
struct Waiting {
    turn: oneshot::Sender<Place>,
    charged: Duration,
}

impl Shares {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let state = State { now: DEBT, ..State::default() };
        Arc::new(Self { bounds, state: Mutex::new(state) })
    }

    /// Waits for the tenant's turn; `None` when too many of its requests wait, or its turn does not come in time.
    pub(crate) async fn enter(self: &Arc<Self>, tenant: &TenantId) -> Option<Place> {
        let turn = self.state().line_up(tenant, self.bounds.tenant_waiting)?;
        self.hand_out();
        within(self.bounds.wait, turn).await?.ok()
    }

    /// Gives out the places that are free.
    fn hand_out(self: &Arc<Self>) {
        loop {
            let Some((turn, place)) = self.next() else { return };
            // a place that nobody waits for any more comes back by itself
            drop(turn.send(place));
        }
    }

    fn next(self: &Arc<Self>) -> Option<(oneshot::Sender<Place>, Place)> {
        let mut state = self.state();
        let State { running, long, given, now, tenants, .. } = &mut *state;
        if *running >= self.bounds.at_once {
            return None;
        }
        let least = tenants.values_mut().filter_map(|tenant| tenant.waits().then_some(tenant.asked)).min()?;
        *now = least.max(*now);
        let Bounds { tenant_at_once, long_at_once, .. } = self.bounds;
        let (all_long, crowded) = (*long >= long_at_once, *running >= 2 * long_at_once);
        let is_long = |tenant: &Tenant| tenant.mean > LONG;
        let is_modest = |tenant: &Tenant| tenant.here() <= LITTLE;
        let may = |tenant: &Tenant| {
            let held_up = (all_long && is_long(tenant)) || (crowded && !is_modest(tenant));
            tenant.running < tenant_at_once && !held_up
        };
        let in_turn = *given % IN_TURN == 0;
        let order = |tenant: &Tenant| match in_turn {
            true => (tenant.served, Duration::ZERO),
            false => (0, tenant.asked.saturating_sub(if is_modest(tenant) { DEBT } else { Duration::ZERO })),
        };
        let waiting = tenants.iter_mut().filter(|(_, tenant)| !tenant.waiting.is_empty() && may(tenant));
        let (name, tenant) = waiting.min_by_key(|(_, tenant)| order(tenant))?;
        let Waiting { turn, charged } = tenant.waiting.pop_front()?;
        let long_work = is_long(tenant);
        *given += 1;
        tenant.served = *given;
        tenant.running += 1;
        *running += 1;
        *long += usize::from(long_work);
        let shares = Arc::clone(self);
        Some((turn, Place { shares, tenant: name.clone(), long: long_work, charged, worked: Duration::ZERO }))
    }

    fn leave(self: &Arc<Self>, place: &Place) {
        {
            let mut state = self.state();
            let State { running, long, tenants, means, .. } = &mut *state;
            *running -= 1;
            *long -= usize::from(place.long);
            if let Some(tenant) = tenants.get_mut(&place.tenant) {
                tenant.running -= 1;
                tenant.asked = (tenant.asked + place.worked).saturating_sub(place.charged);
                // one that came too late has not begun
                if !place.worked.is_zero() {
                    tenant.mean = (tenant.mean * 7 + place.worked.min(LONGEST)) / 8;
                    if means.len() >= REMEMBERED {
                        means.clear();
                    }
                    means.insert(place.tenant.clone(), tenant.mean);
                }
            }
            // where nobody waits, nobody owes anything
            if *running == 0 {
                tenants.retain(|_, tenant| tenant.waits());
            }
        }
        self.hand_out();
    }

    /// A panic leaves nothing half done in it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A request of the tenant's waits from now on; `None` when too many do. Either way it counts as asked for.
    fn line_up(&mut self, tenant: &TenantId, most: usize) -> Option<oneshot::Receiver<Place>> {
        let (now, given, means) = (self.now, self.given, &self.means);
        let new = || Tenant {
            running: 0,
            waiting: VecDeque::new(),
            served: given,
            asked: now,
            mean: means.get(tenant).copied().unwrap_or(LONGEST),
        };
        let entry = self.tenants.entry(tenant.clone()).or_insert_with(new);
        entry.waiting.retain(|waiting| !waiting.turn.is_closed());
        if entry.running == 0 && entry.waiting.is_empty() {
            entry.asked = entry.asked.max(now.saturating_sub(CREDIT));
        }
        let charged = entry.mean.min((now + DEBT).saturating_sub(entry.asked));
        entry.asked += charged;
        if entry.waiting.len() >= most {
            return None;
        }
        let (sender, turn) = oneshot::channel();
        entry.waiting.push_back(Waiting { turn: sender, charged });
        Some(turn)
    }
}

impl Tenant {
    /// What it has here, running and waiting, as work.
    fn here(&self) -> Duration {
        let number = self.running + self.waiting.len();
        self.mean.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Whether one of its requests waits still.
    fn waits(&mut self) -> bool {
        while self.waiting.front().is_some_and(|waiting| waiting.turn.is_closed()) {
            self.waiting.pop_front();
        }
        !self.waiting.is_empty()
    }
}

/// A place of a tenant's. It is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shares: Arc<Shares>,
    tenant: TenantId,
    long: bool,
    /// what the tenant has been charged for it in advance
    charged: Duration,
    worked: Duration,
}

impl Place {
    /// Computes in this place, and counts how long that takes: the future's own work and what it waits for, the database most
    /// likely, but not how long it waits for a thread. That is the others' work.
    pub(crate) async fn compute<F: Future>(mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut waits: Option<(Instant, Arc<Woken>)> = None;
        std::future::poll_fn(|cx| {
            let begin = Instant::now();
            if let Some((since, woken)) = waits.take() {
                self.worked += woken.at.get().unwrap_or(&begin).saturating_duration_since(since);
            }
            let woken = Arc::new(Woken { waker: cx.waker().clone(), at: OnceLock::new() });
            let polled = future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&woken))));
            let end = Instant::now();
            self.worked += end.saturating_duration_since(begin);
            waits = Some((end, woken));
            polled
        })
        .await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        Arc::clone(&self.shares).leave(self);
    }
}

/// Remembers when a future could have gone on.
struct Woken {
    waker: Waker,
    at: OnceLock<Instant>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.at.get_or_init(Instant::now);
        self.waker.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    fn shares(set: impl FnOnce(&mut Bounds)) -> Arc<Shares> {
        let mut bounds = Bounds::read(|_| None).unwrap();
        (bounds.at_once, bounds.long_at_once) = (8, 2);
        set(&mut bounds);
        Shares::new(bounds)
    }

    fn tenant(name: impl ToString) -> TenantId {
        TenantId::new(name.to_string()).unwrap()
    }

    /// Work of so many milliseconds, and whether its turn came.
    async fn work(shares: &Arc<Shares>, name: &str, millis: u64) -> bool {
        match shares.enter(&tenant(name)).await {
            Some(place) => place.compute(tokio::time::sleep(Duration::from_millis(millis))).await,
            None => return false,
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_its_places_and_its_queue_and_no_more() {
        let shares = shares(|bounds| bounds.long_at_once = 6);
        let a = tenant("a");
        let held: Vec<_> = join_all((0..4).map(|_| shares.enter(&a))).await;
        assert!(held.iter().all(Option::is_some));
        let begin = Instant::now();
        let found =
            join_all((0..65).map(|_| async { (shares.enter(&tenant("a")).await.is_some(), begin.elapsed()) })).await;
        assert_eq!(
            found.iter().filter(|(_, waited)| waited.is_zero()).count(),
            1,
            "the queue is full: refused at once"
        );
        assert!(found.iter().all(|(entered, waited)| !entered && *waited <= Duration::from_millis(1002)));
        assert!(shares.enter(&tenant("b")).await.is_some(), "others do not notice");
        drop(held);
        assert!(shares.enter(&tenant("a")).await.is_some(), "places come back");
        assert!(shares.state().tenants.is_empty(), "nothing is kept of tenants that are gone");
        assert_eq!(shares.state().running, 0);
    }

    /// Twenty tenants each ask for far more than there is; one asks for little, and has it.
    #[tokio::test(start_paused = true)]
    async fn who_asks_for_little_is_not_kept_by_those_who_ask_for_much() {
        for millis in [40, 400] {
            let shares = shares(|_| {});
            let attackers: Vec<_> = (0..20)
                .flat_map(|n| [n; 8])
                .map(|n| {
                    let shares = Arc::clone(&shares);
                    tokio::spawn(async move {
                        loop {
                            work(&shares, &format!("attacker {n}"), millis).await;
                        }
                    })
                })
                .collect();
            tokio::time::sleep(Duration::from_secs(10)).await;
            for _ in 0..5 {
                assert!(work(&shares, "victim", 2).await, "nothing is known of it yet");
            }
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(40)).await;
                let begin = Instant::now();
                assert!(work(&shares, "victim", 2).await);
                assert!(begin.elapsed() <= Duration::from_millis(5), "waited {:?} beside {millis}", begin.elapsed());
            }
            attackers.iter().for_each(tokio::task::JoinHandle::abort);
        }
    }

    /// So many requests a second for a while, each so long; gives how long they waited, and `None` for those in vain.
    async fn at_rate(shares: &Arc<Shares>, name: &str, rate: u64, millis: u64, seconds: u64) -> Vec<Option<Duration>> {
        let asked = (0..rate * seconds).map(|n| async move {
            tokio::time::sleep(Duration::from_millis(1000 * n / rate)).await;
            let begin = Instant::now();
            let place = shares.enter(&tenant(name)).await?;
            let waited = begin.elapsed();
            place.compute(tokio::time::sleep(Duration::from_millis(millis))).await;
            Some(waited)
        });
        join_all(asked).await
    }

    /// What one asks for is more than its part of what there is, and less than what each of the others asks for.
    #[tokio::test(start_paused = true)]
    async fn who_asks_for_less_than_others_has_it_all_and_may_set_passwords() {
        // long work fills its places, or shorter work all of them
        for (at_once, millis, most) in [(8, 40, 5), (4, 18, 100)] {
            let shares = shares(|bounds| bounds.at_once = at_once);
            let attackers: Vec<_> = (0..20)
                .map(|n| {
                    let shares = Arc::clone(&shares);
                    tokio::spawn(async move { at_rate(&shares, &format!("attacker {n}"), 25, millis, 30).await })
                })
                .collect();
            for _ in 0..5 {
                assert!(work(&shares, "victim", 2).await);
            }
            let (reads, passwords) =
                tokio::join!(at_rate(&shares, "victim", 10, 12, 20), at_rate(&shares, "victim", 2, 60, 20));
            for waited in reads.into_iter().chain(passwords) {
                let waited = waited.expect("its turn comes");
                assert!(waited <= Duration::from_millis(most), "waited {waited:?} beside {millis}");
            }
            let mean = shares.state().means[&tenant("attacker 0")];
            assert!(mean >= Duration::from_millis(millis.min(30) - 1), "those in vain took no time: {mean:?}");
            attackers.iter().for_each(tokio::task::JoinHandle::abort);
        }
    }

    /// Those who have little here go first, and do not keep one from everything that has more.
    #[tokio::test(start_paused = true)]
    async fn nobody_gets_nothing() {
        let shares = shares(|bounds| bounds.at_once = 4);
        let done = Arc::new(AtomicUsize::new(0));
        for n in 0..21 {
            for _ in 0..if n == 0 { 10 } else { 3 } {
                let (shares, done) = (Arc::clone(&shares), Arc::clone(&done));
                tokio::spawn(async move {
                    loop {
                        let worked = work(&shares, &n.to_string(), 10).await;
                        done.fetch_add(usize::from(n == 0 && worked), Ordering::Relaxed);
                    }
                });
            }
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        let done = done.load(Ordering::Relaxed);
        assert!((8..=200).contains(&done), "{done} of 2000");
    }

    /// Of those who ask for more than there is, each gets as much as the others, whatever its requests cost.
    #[tokio::test(start_paused = true)]
    async fn shares_are_of_work_and_not_of_requests() {
        let shares = shares(|bounds| (bounds.at_once, bounds.long_at_once, bounds.tenant_waiting) = (4, 4, 1000));
        let done: Arc<[AtomicUsize; 3]> = Arc::default();
        for (at, millis) in [20, 40, 80].into_iter().enumerate() {
            for _ in 0..8 {
                let (shares, done) = (Arc::clone(&shares), Arc::clone(&done));
                tokio::spawn(async move {
                    loop {
                        if work(&shares, &at.to_string(), millis).await {
                            done[at].fetch_add(usize::try_from(millis).unwrap(), Ordering::Relaxed);
                        }
                    }
                });
            }
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        let done: Vec<_> = done.iter().map(|done| done.load(Ordering::Relaxed)).collect();
        assert!(done.iter().all(|done| (36_000..=44_000).contains(done)), "{done:?} of 120,000");
    }

    /// Whatever comes and goes, in whatever order: no number is exceeded, and every place comes back.
    #[tokio::test(start_paused = true)]
    async fn no_more_than_so_many_at_once_and_all_come_back() {
        let shares = shares(|_| {});
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let tasks: Vec<_> = (0..2000)
            .map(|_| {
                let (name, start, millis, patience) = (random(9), random(3000), random(60), 1 + random(200));
                let shares = Arc::clone(&shares);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(start)).await;
                    let name = name.to_string();
                    let call = work(&shares, &name, millis);
                    // some hang up while they wait, others while they are computed
                    let _ = tokio::time::timeout(Duration::from_millis(patience), call).await;
                    let state = shares.state();
                    assert!(state.running <= 8 && state.long <= 2);
                    assert_eq!(state.running, state.tenants.values().map(|t| t.running).sum::<usize>());
                    assert!(state.tenants.values().all(|t| t.running <= 4 && t.waiting.len() <= 64));
                })
            })
            .collect();
        for task in join_all(tasks).await {
            task.unwrap();
        }
        let state = shares.state();
        assert_eq!((state.running, state.long, state.tenants.len()), (0, 0, 0));
    }
}
