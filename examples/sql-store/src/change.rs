//! How changes come about: by compare-and-swap on what a reader saw, and in the end with everybody else waiting.

use std::time::Duration;

use scim_provider::{Precondition, StoreError};

use crate::database::{pause, retried};

/// How often a change is computed before the transaction that writes it. A change that others are always faster than is then
/// computed in the transaction, of what cannot change any more.
const SEEN: u32 = 2;

/// How often a deletion begins again because the resource has been made a member meanwhile.
const DELETIONS: u32 = 20;

/// Computes a change outside of the write transaction, and within it when others were faster. A client that names a version
/// is told so.
pub(crate) async fn seen_or_locked<T, S, L>(
    when: Precondition<'_>,
    mut seen: impl FnMut() -> S,
    locked: impl FnOnce() -> L,
) -> Result<T, StoreError>
where
    S: Future<Output = Result<T, StoreError>>,
    L: Future<Output = Result<T, StoreError>>,
{
    for _ in 0..SEEN {
        match seen().await {
            Err(StoreError::VersionMismatch) if when.as_versions().is_none() => {}
            done => return done,
        }
    }
    locked().await
}

/// How a deletion ended.
pub(crate) enum End {
    Done,
    /// somebody has made it a member of one more group, which is not locked
    Joined,
}

/// Deletes, again and again as long as memberships come up in between.
pub(crate) async fn ended<F>(mut deletion: impl FnMut() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<End, StoreError>>,
{
    for attempt in 1..=DELETIONS {
        if let End::Done = retried(&mut deletion).await? {
            return Ok(());
        }
        let pause: Duration = pause(attempt);
        tokio::time::sleep(pause).await;
    }
    Err(StoreError::unavailable(1))
}
