//! Hashing of passwords: away from the threads that answer requests, outside of transactions, and in turn.
//!
//! A hash takes 19 MiB and some 20 ms of a core. There is memory for two of them, made once; who comes while both are in use
//! waits in the line of his tenant, and the lines take turns: a thousand passwords of one tenant are one hash to the next.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use scim_provider::{Password, Secret, StoreError};
use tokio::sync::oneshot;

/// How many hashes are computed at a time, each in memory of its own.
const AT_A_TIME: usize = 2;
/// How many wait for one tenant.
const WAITING_OF_A_TENANT: usize = 8;
/// How many wait in all.
const WAITING: usize = 64;
/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Computes hashes.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    turns: Arc<Turns>,
}

/// What becomes of the stored hash.
#[derive(Debug)]
pub(crate) enum NewHash {
    Keep,
    Set(Option<String>),
}

impl Hasher {
    /// The hash of a tenant's password, when it is this tenant's turn.
    ///
    /// # Errors
    /// 429 when too many wait for the same tenant, 503 when too many wait in all, or it takes too long.
    pub(crate) async fn hash(&self, tenant: &str, secret: Secret<'_>) -> Result<NewHash, StoreError> {
        let password = match secret {
            Secret::Unchanged => return Ok(NewHash::Keep),
            Secret::Removed => return Ok(NewHash::Set(None)),
            // a copy for the other thread, which is overwritten when it goes, as the original is
            Secret::Set(password) => Password::new(password.reveal()),
        };
        let mut turn = Turns::take(&self.turns, tenant).await?;
        let hashed = tokio::task::spawn_blocking(move || turn.hash(password.reveal().as_bytes()));
        Ok(NewHash::Set(Some(hashed.await.map_err(StoreError::backend)??)))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

/// Who computes, and who waits.
#[derive(Default)]
struct Turns(Mutex<Lines>);

#[derive(Default)]
struct Lines {
    /// how much memory was made
    made: usize,
    idle: Vec<Box<[Block]>>,
    /// the tenants that wait, in the order of their next turns
    lines: VecDeque<Line>,
}

struct Line {
    tenant: Box<str>,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// The memory for one hash, for as long as it takes.
struct Turn {
    turns: Arc<Turns>,
    memory: Option<Box<[Block]>>,
}

impl Turns {
    async fn take(this: &Arc<Self>, tenant: &str) -> Result<Turn, StoreError> {
        let turn = match this.memory_or_place(tenant)? {
            Ok(memory) => return Ok(Turn { turns: Arc::clone(this), memory: Some(memory) }),
            Err(turn) => turn,
        };
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(turn) => turn.map_err(StoreError::backend),
            Err(late) => Err(StoreError::unavailable(1).with_source(late)),
        }
    }

    /// Memory, or a place in the line of the tenant.
    fn memory_or_place(&self, tenant: &str) -> Result<Result<Box<[Block]>, oneshot::Receiver<Turn>>, StoreError> {
        let mut lines = self.lock();
        if let Some(memory) = lines.idle.pop() {
            return Ok(Ok(memory));
        }
        if lines.made < AT_A_TIME {
            lines.made += 1;
            return Ok(Ok(vec![Block::new(); Params::DEFAULT.block_count()].into()));
        }
        lines.forget_who_left();
        let waiting: usize = lines.lines.iter().map(|line| line.waiting.len()).sum();
        let (sender, turn) = oneshot::channel();
        match lines.lines.iter_mut().find(|line| *line.tenant == *tenant) {
            Some(line) if line.waiting.len() >= WAITING_OF_A_TENANT => return Err(StoreError::too_many_requests(1)),
            _ if waiting >= WAITING => return Err(StoreError::unavailable(1)),
            Some(line) => line.waiting.push_back(sender),
            None => lines.lines.push_back(Line { tenant: tenant.into(), waiting: VecDeque::from([sender]) }),
        }
        Ok(Err(turn))
    }

    /// Hands memory to whoever is next.
    fn pass_on(this: &Arc<Self>, mut memory: Box<[Block]>) {
        loop {
            let next = {
                let mut lines = this.lock();
                let Some(next) = lines.next() else {
                    lines.idle.push(memory);
                    return;
                };
                next
            };
            // who has left gives it back, outside of the lock
            match next.send(Turn { turns: Arc::clone(this), memory: Some(memory) }) {
                Ok(()) => return,
                Err(mut turn) => match turn.memory.take() {
                    Some(back) => memory = back,
                    None => return,
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// The first of the first line, which goes behind the others.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let mut line = self.lines.pop_front()?;
        let next = line.waiting.pop_front();
        if !line.waiting.is_empty() {
            self.lines.push_back(line);
        }
        next
    }

    fn forget_who_left(&mut self) {
        self.lines.iter_mut().for_each(|line| line.waiting.retain(|place| !place.is_closed()));
        self.lines.retain(|line| !line.waiting.is_empty());
    }
}

impl Turn {
    /// Argon2id with the recommended cost and a random salt, as a PHC string.
    fn hash(&mut self, password: &[u8]) -> Result<String, StoreError> {
        let failed = |error: &dyn fmt::Display| StoreError::backend(error.to_string());
        let params = Params::DEFAULT;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let salt = Salt::generate();
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let memory = self.memory.as_deref_mut().unwrap_or_default();
        argon2.hash_password_into_with_memory(password, &salt, &mut output, memory).map_err(|e| failed(&e))?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|e| failed(&e))?,
            salt: Some(salt),
            hash: Some(Output::new(&output).map_err(|e| failed(&e))?),
        };
        Ok(hash.to_string())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            Turns::pass_on(&self.turns, memory);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first thing that is not as it should be")]
mod tests {
    use std::collections::BTreeSet;

    use argon2::PasswordVerifier;

    use super::*;

    /// Both turns, so that whoever comes waits.
    async fn both(turns: &Arc<Turns>) -> [Turn; 2] {
        [Turns::take(turns, "x").await.unwrap(), Turns::take(turns, "x").await.unwrap()]
    }

    /// Somebody of the tenant who waits, writes down that it was his turn, and is done.
    fn waits(turns: &Arc<Turns>, tenant: &'static str, served: &Arc<Mutex<Vec<&'static str>>>) -> impl Future {
        let (turns, served) = (Arc::clone(turns), Arc::clone(served));
        tokio::spawn(async move {
            let turn = Turns::take(&turns, tenant).await;
            if turn.is_ok() {
                served.lock().unwrap().push(tenant);
            }
            turn.map(drop)
        })
    }

    #[tokio::test]
    async fn the_hash_is_that_of_the_password() {
        let hasher = Hasher::default();
        let password = Password::new("correct horse");
        for _ in 0..3 {
            let NewHash::Set(Some(hash)) = hasher.hash("acme", Secret::Set(&password)).await.unwrap() else { panic!() };
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            let parsed = PasswordHash::new(&hash).unwrap();
            assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok(), "{hash}");
            assert!(Argon2::default().verify_password(b"battery staple", &parsed).is_err(), "{hash}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_hashes_use_the_same_memory() {
        let turns = Arc::new(Turns::default());
        let mut all = tokio::task::JoinSet::new();
        for n in 0..20 {
            let turns = Arc::clone(&turns);
            all.spawn(async move {
                let turn = Turns::take(&turns, ["a", "b", "c", "d"][n % 4]).await.unwrap();
                tokio::task::yield_now().await;
                turn.memory.as_deref().unwrap().as_ptr() as usize
            });
        }
        let places: BTreeSet<_> = all.join_all().await.into_iter().collect();
        assert!(places.len() <= AT_A_TIME, "{places:?}");
        let lines = turns.lock();
        assert_eq!((lines.made, lines.idle.len()), (places.len(), places.len()));
    }

    #[tokio::test]
    async fn tenants_take_turns() {
        let turns = Arc::new(Turns::default());
        let served = Arc::default();
        let both = both(&turns).await;
        let mut waiting = Vec::new();
        for tenant in ["a", "a", "a", "a", "a", "b", "a", "b", "c"] {
            waiting.push(waits(&turns, tenant, &served));
            tokio::task::yield_now().await;
        }
        let [first, second] = both;
        drop(first);
        for waiting in waiting {
            waiting.await;
        }
        assert_eq!(*served.lock().unwrap(), ["a", "b", "c", "a", "b", "a", "a", "a", "a"]);
        drop(second);
    }

    #[tokio::test]
    async fn lines_are_no_longer_than_they_may_be() {
        let turns = Arc::new(Turns::default());
        let both = both(&turns).await;
        let names: Vec<_> = (0..WAITING / WAITING_OF_A_TENANT).map(|n| format!("tenant-{n}")).collect();
        let mut places = Vec::new();
        for tenant in &names {
            places.extend((0..WAITING_OF_A_TENANT).map(|_| turns.memory_or_place(tenant).unwrap().err().unwrap()));
            let refused = turns.memory_or_place(tenant).err().unwrap();
            assert!(
                matches!(refused, StoreError::Unavailable { throttled: true, retry_after: Some(1), .. }),
                "{refused}"
            );
        }
        let refused = turns.memory_or_place("another").err().unwrap();
        assert!(matches!(refused, StoreError::Unavailable { throttled: false, retry_after: Some(1), .. }), "{refused}");
        // who leaves makes room
        drop(places.pop());
        assert!(turns.memory_or_place("another").unwrap().is_err());
        drop((both, places));
        assert_eq!(turns.lock().idle.len(), AT_A_TIME, "nobody is left, and the memory is there");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let turns = Arc::new(Turns::default());
        let both = both(&turns).await;
        let refused = Turns::take(&turns, "a").await.map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { throttled: false, retry_after: Some(1), .. }), "{refused}");
        drop(both);
        assert_eq!(turns.lock().idle.len(), AT_A_TIME);
    }
}
