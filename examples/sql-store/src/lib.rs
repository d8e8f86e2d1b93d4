//! Users and groups in SQL tables, behind the [`Store`](scim_provider::Store) trait of `scim-provider`.
//!
//! This is what a host with tables of its own writes: one type per resource type, [`Users`] and [`Groups`], each over its
//! table. Start reading there.
//!
//! * A resource is one row: the columns that the host wants to query, and one JSON column with the document.
//! * Memberships are rows of their own. Adding one member to a group costs the same whatever its size.
//! * Every write is one transaction with a compare-and-swap on the version: no change is lost, none is half made.
//! * The tenant is in every statement and in front of every key.
//!
//! ```no_run
//! # async fn open() -> Result<(), scim_sql_store::OpenError> {
//! let store = scim_sql_store::SqlStore::open("sqlite://scim.sqlite").await?;
//! let (users, groups) = (store.users(), store.groups());
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first thing that is not as it should be"
)]
mod bounds;
mod caller;
mod change;
mod cost;
mod database;
mod dialect;
mod engine;
mod failure;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first thing that is not as it should be"
)]
mod faults;
mod groups;
mod keys;
mod members;
mod password;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first thing that is not as it should be")]
mod races;
mod record;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop at the first thing that is not as it should be, and show what they have counted"
)]
mod rows;
mod select;
mod session;
mod shape;
mod shares;
mod statement;
mod users;
mod watch;

pub use caller::Caller;
pub use database::OpenError;
pub use groups::Groups;
pub use users::Users;

use std::sync::Arc;

use cost::Sizes;
use database::Database;
use password::Hasher;

/// A database with users and groups of any number of tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqlStore {
    database: Arc<Database>,
    sizes: Arc<Sizes>,
    hasher: Hasher,
}

impl SqlStore {
    /// Opens the database and brings its tables up to date.
    ///
    /// `url` is `sqlite://FILE`, which is made if need be, `sqlite::memory:` for one that lives as long as the store, or
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, for PostgreSQL and what speaks its protocol.
    ///
    /// # Errors
    /// When the URL is not understood, the database cannot be opened, or its tables cannot be made.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Database::open(url).await?), sizes: Arc::default(), hasher: Hasher::default() })
    }

    /// The store of users.
    pub fn users(&self) -> Users {
        Users { database: self.database.clone(), sizes: self.sizes.clone(), hasher: self.hasher.clone() }
    }

    /// The store of groups.
    pub fn groups(&self) -> Groups {
        Groups { database: self.database.clone(), sizes: self.sizes.clone() }
    }

    /// Ends all connections once their work is done.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
