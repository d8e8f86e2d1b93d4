//! Users: columns for what the host asks for, a JSON column for the rest.

use std::sync::Arc;

use scim_provider::filter::sql::{ChildTable, Column, ColumnMap, MapError};
use scim_provider::{
    Capabilities, Changes, Context, Key, Page, Patched, Precondition, Projection, Query, Resource, ResourceType, Store,
    StoreError, fold,
};

use crate::Caller;
use crate::change::{End, ended, seen_or_locked};
use crate::cost;
use crate::cost::Sizes;
use crate::database::{Database, retried};
use crate::dialect::Listed;
use crate::keys::{checked, folded};
use crate::members::{leave, mark_groups};
use crate::password::{Hasher, NewHash};
use crate::record::{Record, content_of, json_list, now, schemas};
use crate::select::Table;
use crate::session::Session;
use crate::shape::Shape;

/// The store of users.
#[derive(Clone, Debug)]
pub struct Users {
    pub(crate) database: Arc<Database>,
    pub(crate) sizes: Arc<Sizes>,
    pub(crate) hasher: Hasher,
}

impl Store for Users {
    type Context = Caller;

    async fn get(&self, cx: &Caller, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        retried(|| async {
            let mut session = self.database.read(cx.tenant().as_str()).await?;
            Table::Users.get(&mut session, cx.tenant().as_str(), key.resource_type, key.id, want).await
        })
        .await
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let map = map(ty).map_err(StoreError::backend)?;
        retried(|| async {
            let mut session = self.database.read(cx.tenant().as_str()).await?;
            Table::Users.list(&mut session, cx.tenant().as_str(), ty, &map, query, &self.sizes).await
        })
        .await
    }

    async fn create(&self, cx: &Caller, _: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let hash = self.hasher.hash(cx.tenant().as_str(), draft.secret("password")).await?;
        let content = content_of(&draft)?;
        retried(|| self.create_once(cx, &content, &hash)).await
    }

    async fn replace(
        &self,
        cx: &Caller,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let hash = self.hasher.hash(cx.tenant().as_str(), new.secret("password")).await?;
        let content = content_of(&new)?;
        retried(|| self.replace_once(cx, key, &content, &hash, when)).await
    }

    async fn delete(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        ended(|| self.delete_once(cx, key, when)).await
    }

    async fn patch(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        let hash = self.hasher.hash(cx.tenant().as_str(), changes.secret("password")).await?;
        let seen = || retried(|| self.patch_seen(cx, key, changes, &hash, when, want));
        let locked = || retried(|| self.patch_locked(cx, key, changes, &hash, when, want));
        seen_or_locked(when, seen, locked).await.map(Some)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
            .with_change_password()
            .with_cursor()
            .with_write_work(cost::WRITE)
            .with_value_work(cost::VALUE)
            .with_password_work(cost::PASSWORD)
    }
}

impl Users {
    /// The stored hash of a user's password, for the host's own sign-in to verify.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn password_hash(&self, cx: &Caller, id: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT password_hash FROM users WHERE tenant = $1 AND id = $2";
        retried(|| async {
            let row = self
                .database
                .read(cx.tenant().as_str())
                .await?
                .row(sql, &[cx.tenant().as_str().into(), id.into()])
                .await?;
            row.map_or(Ok(None), |row| row.optional_text(0))
        })
        .await
    }

    async fn create_once(&self, cx: &Caller, content: &Resource, hash: &NewHash) -> Result<Resource, StoreError> {
        let tenant = cx.tenant().as_str();
        let user = Record::new(content)?;
        let mut transaction = self.database.write(tenant).await?;
        insert(&mut transaction, tenant, &user, content).await?;
        keep_hash(&mut transaction, tenant, &user.id, hash).await?;
        transaction.commit().await?;
        Ok(user.stamp(content))
    }

    async fn replace_once(
        &self,
        cx: &Caller,
        key: Key<'_>,
        content: &Resource,
        hash: &NewHash,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(tenant).await?;
        let user = Table::Users.for_change(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&user.version())?;
        let old = user.content(ty)?;
        let user = update(&mut transaction, tenant, user, &old, content, hash).await?;
        let whole = Projection::everything(ty);
        let user = Table::Users.resource(&mut transaction, tenant, ty, &user, content, &whole).await?;
        transaction.commit().await?;
        Ok(user)
    }

    async fn delete_once(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<End, StoreError> {
        let tenant = cx.tenant().as_str();
        let mut transaction = self.database.write(tenant).await?;
        let groups = mark_groups(&mut transaction, tenant, key.id, now()).await?;
        let version = Table::Users.for_deletion(&mut transaction, tenant, key.id, when).await?;
        leave(&mut transaction, tenant, key.id, &groups).await?;
        Table::Users.delete(transaction, tenant, key.id, version).await
    }

    /// The change of what a reader sees, in the writer's turn only if it is still what it was.
    async fn patch_seen(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        hash: &NewHash,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut session = self.database.read(tenant).await?;
        let user =
            Table::Users.record(&mut session, tenant, key.id, Shape::DOCUMENT).await?.ok_or(StoreError::NotFound)?;
        when.check(&user.version())?;
        cost::charge_read(changes.budget(), &user);
        let old = user.content(ty)?;
        let mut patched = changes.apply(&old)?;
        if is_same(&old, &patched.resource, hash) {
            patched.resource = Table::Users.resource(&mut session, tenant, ty, &user, &old, want).await?;
            return Ok(patched);
        }
        // in memory there is one connection for readers and the writer
        drop(session);
        let mut transaction = self.database.write(tenant).await?;
        let user = update(&mut transaction, tenant, user, &old, &patched.resource, hash).await?;
        patched.resource = Table::Users.resource(&mut transaction, tenant, ty, &user, &patched.resource, want).await?;
        transaction.commit().await?;
        Ok(patched)
    }

    /// The same with everybody else waiting, for one that others were faster than.
    async fn patch_locked(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        hash: &NewHash,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(tenant).await?;
        let user = Table::Users.for_change(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&user.version())?;
        cost::charge_read(changes.budget(), &user);
        let old = user.content(ty)?;
        let mut patched = changes.apply(&old)?;
        let user = update(&mut transaction, tenant, user, &old, &patched.resource, hash).await?;
        patched.resource = Table::Users.resource(&mut transaction, tenant, ty, &user, &patched.resource, want).await?;
        transaction.commit().await?;
        Ok(patched)
    }
}

/// The columns that are taken from the document.
struct Columns {
    user_name: String,
    user_name_key: String,
    external_id: Option<String>,
    active: bool,
    display_name: Option<String>,
    schemas: Option<String>,
}

impl Columns {
    fn of(user: &Resource) -> Result<Self, StoreError> {
        let text = |path: &str| user.text(path).map(String::from);
        Ok(Self {
            user_name: text("userName").unwrap_or_default(),
            user_name_key: folded(user, "userName")?.unwrap_or_default(),
            external_id: checked("externalId", text("externalId"))?,
            // who is not said to be inactive is active: clients leave it out
            active: user.get("active").and_then(|active| active.as_bool()).unwrap_or(true),
            display_name: text("displayName"),
            schemas: schemas(user),
        })
    }
}

/// Where the attributes lie, for filters and orders.
fn map(ty: &ResourceType) -> Result<ColumnMap, MapError> {
    let emails = ChildTable::keyed("user_emails e", &[("e.tenant", "users.tenant"), ("e.user_id", "users.id")])
        .within("e.tenant = (SELECT tenant FROM scope)");
    let groups = ChildTable::keyed("group_members m", &[("m.tenant", "users.tenant"), ("m.member_id", "users.id")])
        .within("m.tenant = (SELECT tenant FROM scope)");
    ColumnMap::builder(ty)
        .column("id", Column::text("users.id").not_null())
        .column("externalId", Column::text("users.external_id"))
        .column("userName", Column::folded("users.user_name_key").not_null())
        // the column says what is true of the person, which is more than what the document says
        .column("active", Column::json("users.attributes", &["active"]))
        .column("meta.created", Column::whole_milliseconds("users.created").not_null())
        .column("meta.lastModified", Column::whole_milliseconds("users.modified").not_null())
        .values(
            "emails",
            emails
                .column("value", Column::folded("e.value_key"))
                .column("type", Column::folded("e.type_key"))
                .column("primary", Column::boolean("e.is_primary")),
        )
        .values("groups", groups.column("value", Column::text("m.group_id").assigned()))
        .build()
}

async fn insert(transaction: &mut Session, tenant: &str, user: &Record, content: &Resource) -> Result<(), StoreError> {
    let sql = "INSERT INTO users (tenant, id, user_name, user_name_key, external_id, active, display_name, attributes,
                                  created, modified, version, schemas, bytes)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let columns = Columns::of(content)?;
    let binds = [
        tenant.into(),
        (&user.id).into(),
        (&columns.user_name).into(),
        (&columns.user_name_key).into(),
        columns.external_id.as_deref().into(),
        columns.active.into(),
        columns.display_name.as_deref().into(),
        (&*user.attributes).into(),
        user.created.into(),
        user.modified.into(),
        user.version.into(),
        columns.schemas.as_deref().into(),
        user.bytes.into(),
    ];
    transaction.execute_unique(sql, &binds, "userName").await?;
    keep_emails(transaction, tenant, &user.id, &[], &email_keys(content)?).await
}

/// Whether there is nothing to write.
fn is_same(old: &Resource, new: &Resource, hash: &NewHash) -> bool {
    new.as_json() == old.as_json() && matches!(hash, NewHash::Keep)
}

/// Writes a user's new state, unless it is the old one.
async fn update(
    transaction: &mut Session,
    tenant: &str,
    user: Record,
    old: &Resource,
    new: &Resource,
    hash: &NewHash,
) -> Result<Record, StoreError> {
    if is_same(old, new, hash) {
        return Ok(user);
    }
    let sql = "UPDATE users SET user_name = $4, user_name_key = $5, external_id = $6, active = $7, display_name = $8,
                                attributes = $9, modified = $10, version = $11, schemas = $12, bytes = $13
               WHERE tenant = $1 AND id = $2 AND version = $3";
    let before = user.version;
    let user = user.next(new)?;
    let columns = Columns::of(new)?;
    let binds = [
        tenant.into(),
        (&user.id).into(),
        before.into(),
        (&columns.user_name).into(),
        (&columns.user_name_key).into(),
        columns.external_id.as_deref().into(),
        columns.active.into(),
        columns.display_name.as_deref().into(),
        (&*user.attributes).into(),
        user.modified.into(),
        user.version.into(),
        columns.schemas.as_deref().into(),
        user.bytes.into(),
    ];
    if transaction.execute_unique(sql, &binds, "userName").await? == 0 {
        return Err(StoreError::VersionMismatch);
    }
    keep_hash(transaction, tenant, &user.id, hash).await?;
    keep_emails(transaction, tenant, &user.id, &email_keys(old)?, &email_keys(new)?).await?;
    Ok(user)
}

async fn keep_hash(transaction: &mut Session, tenant: &str, id: &str, hash: &NewHash) -> Result<(), StoreError> {
    if let NewHash::Set(hash) = hash {
        let sql = "UPDATE users SET password_hash = $3 WHERE tenant = $1 AND id = $2";
        transaction.execute(sql, &[tenant.into(), id.into(), hash.as_deref().into()]).await?;
    }
    Ok(())
}

/// What is compared of an e-mail: the folded value and type, and whether it is the primary one.
type EmailKeys = (Option<String>, Option<String>, Option<bool>);

fn email_keys(user: &Resource) -> Result<Vec<EmailKeys>, StoreError> {
    let emails = user.get("emails").into_iter().flat_map(|emails| emails.elements());
    let keys = emails.map(|email| {
        let folded = |part: &str| email.get(part).and_then(|text| text.as_str().map(|text| fold(&text).into_owned()));
        let primary = email.get("primary").and_then(|primary| primary.as_bool());
        Ok((checked("emails.value", folded("value"))?, folded("type"), primary))
    });
    keys.collect()
}

async fn keep_emails(
    transaction: &mut Session,
    tenant: &str,
    id: &str,
    old: &[EmailKeys],
    new: &[EmailKeys],
) -> Result<(), StoreError> {
    if old == new {
        return Ok(());
    }
    if !old.is_empty() {
        let sql = "DELETE FROM user_emails WHERE tenant = $1 AND user_id = $2";
        transaction.execute(sql, &[tenant.into(), id.into()]).await?;
    }
    if !new.is_empty() {
        let keys = json_list(new)?;
        transaction.execute_listed(Listed::AddEmails, &[tenant.into(), id.into(), (&keys).into()]).await?;
    }
    Ok(())
}
