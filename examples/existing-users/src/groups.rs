//! Groups, in tables of their own. A member is a user of the product.
//!
//! A group has a row for each member, and a PATCH of one member writes one row: providers add people one by one, to groups of
//! thousands.

use scim_provider::filter::sql::{ChildTable, Column, ColumnMap};
use scim_provider::schema::{ResourceTypeBuilder, Uniqueness};
use scim_provider::{
    Changes, Error, Key, Page, Patched, Precondition, Projection, Query, Reference, Resource, ResourceType, ScimType,
    Store, StoreError, TenantId, Version, fold, schema,
};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::row::{Matching, failed, narrowed, number, text};

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

/// A group, and its members as a JSON array, where they are wanted.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    version: i64,
    created: String,
    modified: String,
    members: String,
}

const MEMBERS: &str = "
    (SELECT json_group_array(json_object('value', CAST(u.id AS TEXT), 'display', COALESCE(u.name, u.email), 'type', 'User'))
     FROM group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = groups.id)";

impl Groups {
    /// The groups of the product's database.
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

impl Store for Groups {
    type Context = TenantId;

    async fn get(&self, _: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let group = read(&mut connection, number(key.id), want).await?;
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
        let matching = Matching::new(&select(&query.projection), &map, query, "id");
        let rows: Vec<Row> = matching.query().fetch_all(&self.pool).await.map_err(failed)?;
        Ok(Page::candidates(rows.iter().map(|row| row.resource(ty)).collect::<Result<_, _>>()?))
    }

    async fn create(&self, _: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let id = sqlx::query_scalar("INSERT INTO groups (name, name_key) VALUES (?, ?) RETURNING id");
        let (name, key) = names(&draft);
        let id = id.bind(name).bind(key).fetch_one(&mut *transaction).await.map_err(refused)?;
        add(&mut transaction, id, draft.references("members")).await?;
        let group = read(&mut transaction, Some(id), &Projection::everything(ty)).await?.ok_or(StoreError::NotFound)?;
        transaction.commit().await.map_err(failed)?;
        group.resource(ty)
    }

    async fn replace(
        &self,
        _: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let id = checked(&mut transaction, key, when).await?.id;
        rename(&mut transaction, id, &new).await?;
        let kept = new.references("members").filter_map(|member| number(&member.value()));
        remove(&mut transaction, id, "NOT IN", kept).await?;
        add(&mut transaction, id, new.references("members")).await?;
        let want = Projection::everything(key.resource_type);
        let group = read(&mut transaction, Some(id), &want).await?.ok_or(StoreError::NotFound)?;
        transaction.commit().await.map_err(failed)?;
        group.resource(key.resource_type)
    }

    async fn delete(&self, _: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let group = checked(&mut transaction, key, when).await?;
        let delete = sqlx::query("DELETE FROM groups WHERE id = ?").bind(group.id);
        delete.execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn patch(
        &self,
        _: &TenantId,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        if changes.needs_references() {
            // such as `members[type eq "User"]`: the service reads them all, and replaces
            return Ok(None);
        }
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let old = checked(&mut transaction, key, when).await?;
        let mut patched = changes.apply_document(&old.resource(key.resource_type)?)?;
        rename(&mut transaction, old.id, &patched.resource).await?;
        for change in changes.relations() {
            if change.replaces_all() {
                let kept = change.added().filter_map(|member| number(&member.value()));
                remove(&mut transaction, old.id, "NOT IN", kept).await?;
            }
            remove(&mut transaction, old.id, "IN", change.removed().filter_map(|id| number(&id))).await?;
            add(&mut transaction, old.id, change.added().cloned()).await?;
        }
        let new = read(&mut transaction, Some(old.id), want).await?.ok_or(StoreError::NotFound)?;
        transaction.commit().await.map_err(failed)?;
        patched.changed = new.version != old.version;
        patched.resource = new.resource(key.resource_type)?;
        Ok(Some(patched))
    }
}

impl Row {
    fn version(&self) -> Version {
        Version::from(self.version.unsigned_abs())
    }

    fn resource(&self, ty: &ResourceType) -> Result<Resource, StoreError> {
        let members: Value = serde_json::from_str(&self.members).map_err(StoreError::backend)?;
        let group = json!({
            "id": self.id.to_string(),
            "displayName": self.name,
            "members": members,
            "meta": {
                "resourceType": "Group",
                "created": self.created,
                "lastModified": self.modified,
                "version": self.version().to_etag(),
            },
        });
        Ok(Resource::from_typed(ty, &group)?)
    }
}

fn select(want: &Projection) -> String {
    let members = if want.includes("members") { MEMBERS } else { "'[]'" };
    format!("SELECT id, name, version, created, modified, {members} AS members FROM groups")
}

async fn read(
    connection: &mut SqliteConnection,
    id: Option<i64>,
    want: &Projection,
) -> Result<Option<Row>, StoreError> {
    let row = sqlx::query_as(AssertSqlSafe(format!("{} WHERE id = ?", select(want)))).bind(id);
    row.fetch_optional(connection).await.map_err(failed)
}

/// A group that is there, at a version that is asked for, without its members.
async fn checked(connection: &mut SqliteConnection, key: Key<'_>, when: Precondition<'_>) -> Result<Row, StoreError> {
    let group = read(connection, number(key.id), &Projection::document(key.resource_type)).await?;
    let group = group.ok_or(StoreError::NotFound)?;
    when.check(&group.version())?;
    Ok(group)
}

async fn rename(connection: &mut SqliteConnection, id: i64, group: &Resource) -> Result<(), StoreError> {
    let (name, key) = names(group);
    let update = sqlx::query("UPDATE groups SET name = ?, name_key = ? WHERE id = ?").bind(name).bind(key).bind(id);
    update.execute(connection).await.map_err(refused).map(|_| ())
}

/// Adds the members that are not there.
async fn add(
    connection: &mut SqliteConnection,
    id: i64,
    members: impl Iterator<Item = Reference>,
) -> Result<(), StoreError> {
    let users: Option<Vec<i64>> = members.map(|member| number(&member.value())).collect();
    let users = json!(users.ok_or_else(nobody)?).to_string();
    let insert = "INSERT INTO group_members SELECT ?, value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(id).bind(users).execute(connection).await.map_err(refused).map(|_| ())
}

/// Removes those who are `IN` the list, or those who are `NOT IN` it.
async fn remove(
    connection: &mut SqliteConnection,
    id: i64,
    which: &'static str,
    users: impl Iterator<Item = i64>,
) -> Result<(), StoreError> {
    let users = json!(users.collect::<Vec<_>>()).to_string();
    let delete =
        format!("DELETE FROM group_members WHERE group_id = ? AND user_id {which} (SELECT value FROM json_each(?))");
    sqlx::query(AssertSqlSafe(delete)).bind(id).bind(users).execute(connection).await.map_err(failed).map(|_| ())
}

/// The name, and its key.
fn names(group: &Resource) -> (String, String) {
    let name = text(group, "displayName").unwrap_or_default();
    let key = fold(&name).into_owned();
    (name, key)
}

fn nobody() -> StoreError {
    StoreError::Refused(Error::bad_request(ScimType::InvalidValue, "`members` names somebody who is no user").into())
}

/// Names of groups are taken once, and members are users.
fn refused(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(e) if e.is_unique_violation() => StoreError::conflict("displayName"),
        Some(e) if e.is_foreign_key_violation() => nobody(),
        _ => failed(error),
    }
}
