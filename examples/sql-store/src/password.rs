//! Hashing of passwords: away from the threads that answer requests, and outside of transactions.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher};
use scim_provider::{Password, Secret, StoreError};
use tokio::sync::Semaphore;

/// How many hashes are computed at a time. Each takes 19 MiB: a flood of passwords must not become one of memory.
const AT_A_TIME: usize = 2;

/// Computes hashes.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    permits: Arc<Semaphore>,
}

/// What becomes of the stored hash.
#[derive(Debug)]
pub(crate) enum NewHash {
    Keep,
    Set(Option<String>),
}

impl Default for Hasher {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Hasher {
    pub(crate) async fn hash(&self, secret: Secret<'_>) -> Result<NewHash, StoreError> {
        let password = match secret {
            Secret::Unchanged => return Ok(NewHash::Keep),
            Secret::Removed => return Ok(NewHash::Set(None)),
            // a copy for the other thread, which is overwritten when it goes, as the original is
            Secret::Set(password) => Password::new(password.reveal()),
        };
        let permit = self.permits.clone().acquire_owned().await.map_err(StoreError::backend)?;
        let hashed = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            // Argon2id with the recommended cost and a random salt
            Argon2::default().hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string())
        });
        let hash = hashed.await.map_err(StoreError::backend)?.map_err(|e| StoreError::backend(e.to_string()))?;
        Ok(NewHash::Set(Some(hash)))
    }
}
