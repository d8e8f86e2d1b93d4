//! The bytes of bodies and answers that are in memory. Who does not read its answers holds them until the connection ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use scim_provider::TenantId;

/// What any tenant may hold, however much the others do.
const ALWAYS: usize = 64 << 10;

/// The account of all tenants. A tenant may hold as much as is left for the others: one alone half of it, nine a tenth each, and a
/// tenth remains for who comes next (the dynamic thresholds of Choudhury and Hahne, 1998).
#[derive(Debug)]
pub(crate) struct Account {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: usize,
    /// who holds anything
    tenants: HashMap<TenantId, usize>,
}

impl Account {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// Begins to hold something of a tenant's.
    pub(crate) fn hold(self: &Arc<Self>, tenant: &TenantId) -> Held {
        Held { account: Arc::clone(self), tenant: tenant.clone(), bytes: 0 }
    }

    /// What all tenants hold.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.state().all
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    account: Arc<Account>,
    tenant: TenantId,
    bytes: usize,
}

impl Held {
    /// Whether the tenant may hold more than it does.
    pub(crate) fn may_grow(&self) -> bool {
        let state = self.account.state();
        let held = state.tenants.get(&self.tenant).copied().unwrap_or_default();
        held < self.account.most.saturating_sub(state.all).max(ALWAYS)
    }

    /// Holds so many bytes from now on, instead of what it was. What is there already cannot be refused.
    pub(crate) fn set(&mut self, bytes: usize) {
        let mut state = self.account.state();
        state.all = state.all - self.bytes + bytes;
        let held = state.tenants.get(&self.tenant).copied().unwrap_or_default() - self.bytes + bytes;
        match held {
            0 => state.tenants.remove(&self.tenant),
            _ => state.tenants.insert(self.tenant.clone(), held),
        };
        self.bytes = bytes;
    }

    /// An answer that is held until it is written, or dropped with its connection.
    pub(crate) fn answer(mut self, body: Vec<u8>) -> Bytes {
        self.set(body.capacity());
        Bytes::from_owner(Answer { body, _held: self })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

struct Answer {
    body: Vec<u8>,
    _held: Held,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(account: &Arc<Account>, tenant: usize, step: usize) -> Vec<Bytes> {
        let tenant = TenantId::new(format!("tenant {tenant}")).unwrap();
        std::iter::from_fn(|| {
            let held = account.hold(&tenant);
            held.may_grow().then(|| held.answer(vec![0; step]))
        })
        .collect()
    }

    #[test]
    fn who_reads_nothing_leaves_room_for_others() {
        let account = Account::new(32 << 20);
        let one = fill(&account, 0, 1 << 20);
        assert_eq!(one.len(), 16);
        let others: Vec<_> = (1..20).map(|tenant| fill(&account, tenant, 1 << 20)).collect();
        assert!(others.iter().all(|held| !held.is_empty()), "each has something");
        assert!(account.state().all <= (32 + 20) << 20, "{}", account.state().all);
        drop((one, others));
        let state = account.state();
        assert_eq!((state.all, state.tenants.len()), (0, 0));
    }

    #[test]
    fn an_answer_is_held_to_its_last_byte() {
        let account = Account::new(1 << 20);
        let mut answer = account.hold(&TenantId::new("a").unwrap()).answer(vec![7; 1000]);
        let part = answer.split_to(10);
        drop(answer);
        assert_eq!((account.state().all, &part[..]), (1000, &[7; 10][..]));
        drop(part);
        assert_eq!(account.state().all, 0);
    }
}
