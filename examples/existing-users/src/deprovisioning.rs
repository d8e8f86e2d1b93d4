//! The first step: people are found, changed and locked out, in the table as it is. Nobody is created and nobody deleted.

use scim_provider::filter::sql::{Column, ColumnMap};
use scim_provider::schema::ResourceTypeBuilder;
use scim_provider::{
    Capabilities, Key, Page, Precondition, Projection, Query, Resource, ResourceType, Store, StoreError, TenantId,
    fold, schema,
};
use serde_json::json;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::row::{Matching, failed, narrowed, number, text, version};

/// A user, with the attributes that the table has columns for.
pub fn user_type() -> ResourceTypeBuilder {
    ResourceType::builder("User", "/Users", narrowed(schema::core::user(), &["userName", "displayName", "active"]))
}

/// The store of users.
#[derive(Clone, Debug)]
pub struct Users {
    pub(crate) pool: SqlitePool,
}

/// A row of the product's table.
#[derive(Debug, Hash, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    email: String,
    name: Option<String>,
    is_active: bool,
}

impl Users {
    /// The users of the product's database.
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

impl Store for Users {
    type Context = TenantId;

    async fn get(&self, _: &TenantId, key: Key<'_>, _: &Projection) -> Result<Option<Resource>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let row = Row::read(&mut connection, key.id).await?;
        row.map(|row| row.resource(key.resource_type)).transpose()
    }

    async fn list(&self, _: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let map = ColumnMap::builder(ty)
            .column("userName", Column::folded("email"))
            .column("active", Column::boolean("is_active"))
            .build()
            .map_err(StoreError::backend)?;
        let matching = Matching::new("SELECT id, email, name, is_active FROM users", &map, query, "id");
        let rows: Vec<Row> = matching.query().fetch_all(&self.pool).await.map_err(failed)?;
        Ok(Page::candidates(rows.iter().map(|row| row.resource(ty)).collect::<Result<_, _>>()?))
    }

    async fn create(&self, _: &TenantId, _: &ResourceType, _: Resource) -> Result<Resource, StoreError> {
        Err(StoreError::Unsupported)
    }

    async fn replace(
        &self,
        _: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let old = Row::read(&mut transaction, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&version(&old))?;
        let row: Row = sqlx::query_as("UPDATE users SET email = ?, name = ?, is_active = ? WHERE id = ? RETURNING *")
            .bind(email(&new))
            .bind(text(&new, "displayName"))
            .bind(is_active(&new))
            .bind(old.id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(failure)?;
        transaction.commit().await.map_err(failed)?;
        row.resource(key.resource_type)
    }

    async fn delete(&self, _: &TenantId, _: Key<'_>, _: Precondition<'_>) -> Result<(), StoreError> {
        Err(StoreError::Unsupported)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().without_create().without_delete()
    }
}

impl Row {
    pub(crate) async fn read(connection: &mut SqliteConnection, id: &str) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query_as("SELECT id, email, name, is_active FROM users WHERE id = ?").bind(number(id));
        row.fetch_optional(connection).await.map_err(failed)
    }

    pub(crate) fn resource(&self, ty: &ResourceType) -> Result<Resource, StoreError> {
        let user = json!({
            "id": self.id.to_string(),
            "userName": self.email,
            "displayName": self.name,
            "active": self.is_active,
            "meta": {"resourceType": "User", "version": version(self).to_etag()},
        });
        Ok(Resource::from_typed(ty, &user)?)
    }
}

/// The address as the product keeps it: folded, so that the column is the key of `userName` as well.
pub(crate) fn email(user: &Resource) -> String {
    fold(&text(user, "userName").unwrap_or_default()).into_owned()
}

/// Who is not said to be inactive is active: clients leave it out.
pub(crate) fn is_active(user: &Resource) -> bool {
    user.get("active").and_then(|active| active.as_bool()).unwrap_or(true)
}

/// The only constraint of the table is that of its addresses.
pub(crate) fn failure(error: sqlx::Error) -> StoreError {
    match error.as_database_error().is_some_and(|e| e.is_unique_violation()) {
        true => StoreError::conflict("userName"),
        false => failed(error),
    }
}
