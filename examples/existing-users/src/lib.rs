//! A product with a table of users, `id`, `email`, `name` and `is_active`, that identity providers are to manage.
//!
//! It comes in two steps. [`deprovisioning`] lets a provider find people and lock them out: no new column, no table, no creation.
//! [`provisioning`] lets it create and delete them too, and gives the product groups.
//!
//! The table of users counts no versions and notes no times, and the product goes on writing to it as before. So a version is made
//! of what a row holds, and `meta` has no times: nothing is claimed that nobody knows. Those of groups are new, and have both.

pub mod deprovisioning;
pub mod groups;
pub mod provisioning;
mod row;

use scim_provider::{BuildError, Service, TenantId};
use sqlx::sqlite::SqlitePool;

/// The product's database, with the rows of a fresh install.
///
/// # Errors
/// When it cannot be opened.
pub async fn open(url: &str) -> Result<SqlitePool, sqlx::Error> {
    let options = sqlx::sqlite::SqlitePoolOptions::new();
    // a database in memory is its connection
    let pool = options.max_connections(if url.contains(":memory:") { 1 } else { 8 }).connect(url).await?;
    sqlx::raw_sql(include_str!("product.sql")).execute(&pool).await?;
    Ok(pool)
}

/// The first step: a provider finds people, and locks them out.
///
/// # Errors
/// When `base` is no URL.
pub fn deprovision(base: &str, pool: SqlitePool) -> Result<Service<TenantId>, BuildError> {
    Service::builder(base).resource(deprovisioning::user_type(), deprovisioning::Users::new(pool)).build()
}

/// The second step: a provider creates and deletes people, too, and puts them into groups.
///
/// # Errors
/// When `base` is no URL, or the tables of groups cannot be made.
pub async fn provision(base: &str, pool: SqlitePool) -> Result<Service<TenantId>, Box<dyn std::error::Error>> {
    sqlx::raw_sql(include_str!("groups.sql")).execute(&pool).await?;
    let users = provisioning::Users::new(pool.clone());
    let groups = groups::Groups::new(pool);
    Ok(Service::builder(base)
        .resource(deprovisioning::user_type(), users)
        .resource(groups::group_type(), groups)
        .build()?)
}
