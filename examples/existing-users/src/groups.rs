//! Groups, in tables of their own. A member is a user of the product.

use scim_provider::filter::sql::{ChildTable, Column, ColumnMap};
use scim_provider::schema::{ResourceTypeBuilder, Uniqueness};
use scim_provider::{
    Error, Key, Page, Precondition, Projection, Query, Resource, ResourceType, ScimType, Store, StoreError, TenantId,
    fold, schema,
};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::row::{Matching, narrowed, number, text, version};

/// A group has a name, which no other has, and members.
pub fn group_type() -> ResourceTypeBuilder {
    ResourceType::builder("Group", "/Groups", narrowed(schema::core::group(), &["displayName", "members"]))
        .attribute("displayName", |name| name.unique(Uniqueness::Server))
}

/// The store of groups.
#[derive(Clone, Debug)]
pub struct Groups {
    pool: SqlitePool,
}

/// A group, and its members as a JSON array.
#[derive(Debug, Hash, sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    members: String,
}

const SELECT: &str = "
    SELECT id, name, (
        SELECT json_group_array(json_object('value', CAST(u.id AS TEXT), 'display', COALESCE(u.name, u.email), 'type', 'User'))
        FROM group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = groups.id
    ) AS members FROM groups";

impl Groups {
    /// The groups of the product's database.
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

impl Store for Groups {
    type Context = TenantId;

    async fn get(&self, _: &TenantId, key: Key<'_>, _: &Projection) -> Result<Option<Resource>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(StoreError::backend)?;
        let group = read(&mut connection, number(key.id)).await?;
        group.map(|group| group.resource(key.resource_type)).transpose()
    }

    async fn list(&self, _: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let members = ChildTable::keyed("group_members m", &[("m.group_id", "groups.id")])
            .column("value", Column::text("CAST(m.user_id AS TEXT)").assigned());
        let map = ColumnMap::builder(ty)
            .column("displayName", Column::folded("name_key"))
            .values("members", members)
            .build()
            .map_err(StoreError::backend)?;
        let matching = Matching::new(SELECT, &map, query, "id");
        let rows: Vec<Row> = matching.query().fetch_all(&self.pool).await.map_err(StoreError::backend)?;
        Ok(Page::candidates(rows.iter().map(|row| row.resource(ty)).collect::<Result<_, _>>()?))
    }

    async fn create(&self, _: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::backend)?;
        let id = sqlx::query_scalar("INSERT INTO groups (name, name_key) VALUES (?, ?) RETURNING id");
        let (name, key) = names(&draft);
        let id = id.bind(name).bind(key).fetch_one(&mut *transaction).await.map_err(taken)?;
        fill(&mut transaction, id, &draft).await?;
        let group = read(&mut transaction, Some(id)).await?.ok_or(StoreError::NotFound)?;
        transaction.commit().await.map_err(StoreError::backend)?;
        group.resource(ty)
    }

    async fn replace(
        &self,
        _: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::backend)?;
        let id = checked(&mut transaction, key, when).await?;
        let (name, folded) = names(&new);
        let update =
            sqlx::query("UPDATE groups SET name = ?, name_key = ? WHERE id = ?").bind(name).bind(folded).bind(id);
        update.execute(&mut *transaction).await.map_err(taken)?;
        fill(&mut transaction, id, &new).await?;
        let group = read(&mut transaction, Some(id)).await?.ok_or(StoreError::NotFound)?;
        transaction.commit().await.map_err(StoreError::backend)?;
        group.resource(key.resource_type)
    }

    async fn delete(&self, _: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::backend)?;
        let id = checked(&mut transaction, key, when).await?;
        let delete = sqlx::query("DELETE FROM groups WHERE id = ?").bind(id);
        delete.execute(&mut *transaction).await.map_err(StoreError::backend)?;
        transaction.commit().await.map_err(StoreError::backend)
    }
}

impl Row {
    fn resource(&self, ty: &ResourceType) -> Result<Resource, StoreError> {
        let members: Value = serde_json::from_str(&self.members).map_err(StoreError::backend)?;
        let group = json!({
            "id": self.id.to_string(),
            "displayName": self.name,
            "members": members,
            "meta": {"resourceType": "Group", "version": version(self).to_etag()},
        });
        Ok(Resource::from_typed(ty, &group)?)
    }
}

async fn read(connection: &mut SqliteConnection, id: Option<i64>) -> Result<Option<Row>, StoreError> {
    let row = sqlx::query_as(AssertSqlSafe(format!("{SELECT} WHERE id = ?"))).bind(id);
    row.fetch_optional(connection).await.map_err(StoreError::backend)
}

/// The number of a group that is there, at a version that is asked for.
async fn checked(connection: &mut SqliteConnection, key: Key<'_>, when: Precondition<'_>) -> Result<i64, StoreError> {
    let group = read(connection, number(key.id)).await?.ok_or(StoreError::NotFound)?;
    when.check(&version(&group))?;
    Ok(group.id)
}

/// Gives a group exactly these members.
async fn fill(connection: &mut SqliteConnection, id: i64, group: &Resource) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM group_members WHERE group_id = ?").bind(id);
    delete.execute(&mut *connection).await.map_err(StoreError::backend)?;
    for member in group.references("members") {
        let user = sqlx::query("INSERT INTO group_members SELECT ?, id FROM users WHERE id = ? ON CONFLICT DO NOTHING");
        let user = user.bind(id).bind(number(&member.value())).execute(&mut *connection).await;
        if user.map_err(StoreError::backend)?.rows_affected() == 0 {
            let error = Error::bad_request(ScimType::InvalidValue, "`members` names nobody, or somebody twice");
            return Err(StoreError::Refused(error.into()));
        }
    }
    Ok(())
}

/// The name, and its key.
fn names(group: &Resource) -> (String, String) {
    let name = text(group, "displayName").unwrap_or_default();
    let key = fold(&name).into_owned();
    (name, key)
}

fn taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error().is_some_and(|e| e.is_unique_violation()) {
        true => StoreError::conflict("displayName"),
        false => StoreError::backend(error),
    }
}
