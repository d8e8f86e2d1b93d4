//! The second step: people are created and deleted, too.

use scim_provider::{Key, Page, Precondition, Projection, Query, Resource, ResourceType, Store, StoreError, TenantId};
use sqlx::sqlite::SqlitePool;

use crate::deprovisioning::{self, Row, email, failure, is_active};
use crate::row::{failed, text, version};

/// The store of users: what the first step does, and creation and deletion.
#[derive(Clone, Debug)]
pub struct Users {
    rows: deprovisioning::Users,
}

impl Users {
    /// The users of the product's database.
    pub fn new(pool: SqlitePool) -> Self {
        Self { rows: deprovisioning::Users::new(pool) }
    }
}

impl Store for Users {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.rows.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.rows.list(cx, ty, query).await
    }

    async fn create(&self, _: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let row: Row = sqlx::query_as("INSERT INTO users (email, name, is_active) VALUES (?, ?, ?) RETURNING *")
            .bind(email(&draft))
            .bind(text(&draft, "displayName"))
            .bind(is_active(&draft))
            .fetch_one(&self.rows.pool)
            .await
            .map_err(failure)?;
        row.resource(ty)
    }

    async fn replace(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.rows.replace(cx, key, new, when).await
    }

    async fn delete(&self, _: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let mut transaction = self.rows.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let old = Row::read(&mut transaction, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&version(&old))?;
        sqlx::query("DELETE FROM users WHERE id = ?").bind(old.id).execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}
