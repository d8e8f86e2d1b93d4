//! Who gets the next connection: tenants in turn, and none more than its share.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim_provider::StoreError;
use tokio::sync::oneshot::{self, Receiver, Sender};

/// How many requests of a tenant wait in line.
const LINE: usize = 256;

/// Connections that are shared out.
pub(crate) struct Shares {
    /// how many a tenant may hold
    most: usize,
    state: Mutex<State>,
}

struct State {
    /// by their numbers, the first of which are used most
    free: BTreeSet<usize>,
    /// who holds or waits for one, and nobody else
    tenants: HashMap<Arc<str>, Tenant>,
    /// who waits, in the order of their turns
    turns: VecDeque<Arc<str>>,
}

#[derive(Default)]
struct Tenant {
    held: usize,
    waiting: VecDeque<Sender<Ticket>>,
}

/// A connection that may be used, until this is dropped.
pub(crate) struct Ticket {
    /// which one
    pub(crate) number: usize,
    tenant: Arc<str>,
    shares: Option<Arc<Shares>>,
}

impl Shares {
    pub(crate) fn new(size: usize, most: usize) -> Arc<Self> {
        let state = State { free: (0..size).collect(), tenants: HashMap::new(), turns: VecDeque::new() };
        Arc::new(Self { most, state: Mutex::new(state) })
    }

    /// Waits for a tenant's turn, and not for long.
    ///
    /// # Errors
    /// 429 when it is the tenant itself that has taken all it may, 503 when others have.
    pub(crate) async fn turn(self: &Arc<Self>, tenant: &str, time: Duration) -> Result<Ticket, StoreError> {
        let (mut waiting, itself) = {
            let mut state = self.lock();
            if let Some(ticket) = self.at_once(&mut state, tenant) {
                return Ok(ticket);
            }
            let name: Arc<str> =
                state.tenants.get_key_value(tenant).map_or_else(|| tenant.into(), |(name, _)| name.clone());
            let line = state.tenants.entry(Arc::clone(&name)).or_default();
            if line.waiting.len() >= LINE {
                return Err(StoreError::too_many_requests(1));
            }
            let itself = line.held + line.waiting.len() >= self.most;
            let (sender, receiver) = oneshot::channel();
            line.waiting.push_back(sender);
            if line.waiting.len() == 1 {
                state.turns.push_back(Arc::clone(&name));
            }
            (Waiting { shares: self, tenant: name, receiver: Some(receiver) }, itself)
        };
        let late = || if itself { StoreError::too_many_requests(1) } else { StoreError::unavailable(1) };
        let Some(receiver) = &mut waiting.receiver else { return Err(late()) };
        let turn = tokio::time::timeout(time, receiver).await;
        turn.ok().and_then(Result::ok).ok_or_else(late)
    }

    /// A connection that is free, where none of the tenant's requests was there before and it may have another one.
    fn at_once(self: &Arc<Self>, state: &mut State, tenant: &str) -> Option<Ticket> {
        let number = *state.free.first()?;
        let name = match state.tenants.get_key_value(tenant) {
            Some((name, line)) => (line.held < self.most && line.waiting.is_empty()).then(|| Arc::clone(name))?,
            None => tenant.into(),
        };
        state.tenants.entry(Arc::clone(&name)).or_default().held += 1;
        state.free.remove(&number);
        Some(Ticket { number, tenant: name, shares: Some(Arc::clone(self)) })
    }

    /// Hands what is free to those whose turn it is.
    fn serve(self: &Arc<Self>, state: &mut State) {
        let mut passed = 0;
        while passed < state.turns.len() {
            let Some(&number) = state.free.first() else { return };
            let Some(name) = state.turns.pop_front() else { return };
            let Some(line) = state.tenants.get_mut(&name) else { continue };
            let mut served = false;
            while line.held < self.most
                && !served
                && let Some(sender) = line.waiting.pop_front()
            {
                let ticket = Ticket { number, tenant: Arc::clone(&name), shares: Some(Arc::clone(self)) };
                match sender.send(ticket) {
                    Ok(()) => served = true,
                    // who waited has gone; it is not given back, since it was not taken
                    Err(mut ticket) => ticket.shares = None,
                }
            }
            if served {
                line.held += 1;
                state.free.remove(&number);
                passed = 0;
            } else {
                passed += 1;
            }
            match line.waiting.is_empty() {
                true => state.forget_idle(&name),
                false => state.turns.push_back(name),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A tenant that neither holds nor waits for anything takes no memory.
    fn forget_idle(&mut self, tenant: &str) {
        let idle = |line: &Tenant| line.held == 0 && line.waiting.is_empty();
        if self.tenants.get(tenant).is_some_and(idle) {
            self.tenants.remove(tenant);
            if self.tenants.is_empty() && self.tenants.capacity() > LINE {
                self.tenants = HashMap::new();
                self.turns = VecDeque::new();
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(shares) = self.shares.take() else { return };
        let mut state = shares.lock();
        state.free.insert(self.number);
        if let Some(line) = state.tenants.get_mut(&self.tenant) {
            line.held = line.held.saturating_sub(1);
        }
        shares.serve(&mut state);
        state.forget_idle(&self.tenant);
    }
}

/// A place in line, which is left when the request is given up.
struct Waiting<'s> {
    shares: &'s Arc<Shares>,
    tenant: Arc<str>,
    receiver: Option<Receiver<Ticket>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // what has come too late goes back first
        drop(self.receiver.take());
        let mut state = self.shares.lock();
        let Some(line) = state.tenants.get_mut(&self.tenant) else { return };
        line.waiting.retain(|sender| !sender.is_closed());
        if line.waiting.is_empty() {
            state.turns.retain(|tenant| *tenant != self.tenant);
            state.forget_idle(&self.tenant);
        }
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    impl Shares {
        /// Tenants, those that wait, and free connections.
        fn sizes(&self) -> (usize, usize, usize) {
            let state = self.lock();
            (state.tenants.len(), state.turns.len(), state.free.len())
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_tenant_that_fills_its_share_keeps_nobody_else_waiting() {
        let shares = Shares::new(8, 4);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(shares.turn("greedy", LONG).await.unwrap());
        }
        let mut more = pin!(shares.turn("greedy", LONG));
        assert!(poll(more.as_mut()).is_none());
        let other = poll(pin!(shares.turn("other", LONG))).unwrap().unwrap();
        assert_eq!(other.number, 4);
        // and what others give back is not for it
        drop(other);
        assert!(poll(more.as_mut()).is_none());
        held.pop();
        assert_eq!(poll(more.as_mut()).unwrap().unwrap().number, 3);
    }

    #[tokio::test]
    async fn tenants_take_turns() {
        let shares = Shares::new(1, 1);
        let served = Mutex::new(Vec::new());
        let first = shares.turn("a", LONG).await.unwrap();
        let one = |tenant: &'static str| {
            let (shares, served) = (&shares, &served);
            async move {
                let _ticket = shares.turn(tenant, LONG).await.unwrap();
                served.lock().unwrap().push(tenant);
            }
        };
        let all = ["a", "a", "a", "b", "b", "c"].map(one);
        let all = futures_util::future::join_all(all);
        let (_, ()) = tokio::join!(all, async { drop(first) });
        assert_eq!(*served.lock().unwrap(), ["a", "b", "c", "a", "b", "a"]);
        assert!(shares.lock().tenants.is_empty());
        assert_eq!((shares.sizes().1, shares.sizes().2), (0, 1));
    }

    #[tokio::test]
    async fn who_goes_leaves_nothing_behind() {
        let shares = Shares::new(1, 1);
        let first = shares.turn("a", LONG).await.unwrap();
        for n in 0..1_000 {
            let tenant = format!("tenant-{n}");
            assert!(poll(pin!(shares.turn(&tenant, LONG))).is_none());
        }
        assert_eq!((shares.sizes().0, shares.sizes().1), (1, 0));
        // one that is served at the moment of leaving gives it on
        {
            let mut leaves = pin!(shares.turn("b", LONG));
            assert!(poll(leaves.as_mut()).is_none());
            drop(first);
        }
        assert_eq!((shares.sizes().0, shares.sizes().2), (0, 1));
        assert!(shares.lock().tenants.capacity() <= LINE);
    }

    #[tokio::test]
    async fn lines_and_waiting_have_a_bound() {
        let shares = Shares::new(2, 1);
        let throttled =
            |error: &StoreError| matches!(error, StoreError::Unavailable { throttled: true, retry_after: Some(1), .. });
        let first = shares.turn("a", LONG).await.unwrap();
        let second = shares.turn("b", LONG).await.unwrap();
        let mut line: Vec<_> = (0..LINE).map(|_| Box::pin(shares.turn("a", LONG))).collect();
        assert!(line.iter_mut().all(|waiting| poll(waiting.as_mut()).is_none()));
        assert!(throttled(&poll(pin!(shares.turn("a", LONG))).unwrap().err().unwrap()));
        // others wait for their own reasons, and are told so
        assert!(throttled(&shares.turn("b", Duration::ZERO).await.err().unwrap()));
        assert!(!throttled(&shares.turn("c", Duration::ZERO).await.err().unwrap()));
        drop((line, first, second));
        assert_eq!((shares.sizes().0, shares.sizes().2), (0, 2));
    }
}
