//! Users: columns for what the host asks for, a JSON column for the rest.

use std::sync::Arc;

use scim_provider::{
    Capabilities, Changes, Context, Key, Page, Patched, Precondition, Projection, Query, Resource, ResourceType, Store,
    StoreError, fold,
};

use crate::Caller;
use crate::database::{Database, Session};
use crate::dialect::Listed;
use crate::listing::Listing;
use crate::members::{Side, leave_all};
use crate::password::{Hasher, NewHash};
use crate::record::{Record, content_of, json_list, now};

/// The store of users.
#[derive(Clone, Debug)]
pub struct Users {
    pub(crate) database: Arc<Database>,
    pub(crate) hasher: Hasher,
}

impl Store for Users {
    type Context = Caller;

    async fn get(&self, cx: &Caller, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        let tenant = cx.tenant().as_str();
        let mut session = self.database.read().await?;
        match read(&mut session, tenant, key.id).await? {
            Some(user) => Side::Users.resource(&mut session, tenant, key.resource_type, &user, want).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let mut session = self.database.read().await?;
        LISTING.run(&mut session, cx.tenant().as_str(), ty, query).await
    }

    async fn create(&self, cx: &Caller, _: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let tenant = cx.tenant().as_str();
        let hash = self.hasher.hash(draft.secret("password")).await?;
        let content = content_of(&draft)?;
        let user = Record::new(&content)?;
        let mut transaction = self.database.write().await?;
        insert(&mut transaction, tenant, &user, &content).await?;
        keep_hash(&mut transaction, tenant, &user.id, &hash).await?;
        transaction.commit().await?;
        Ok(user.stamp(&content))
    }

    async fn replace(
        &self,
        cx: &Caller,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let hash = self.hasher.hash(new.secret("password")).await?;
        let content = content_of(&new)?;
        let mut transaction = self.database.write().await?;
        let user = read(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&user.version())?;
        let old = user.content(ty)?;
        let user = update(&mut transaction, tenant, user, &old, &content, &hash).await?;
        let user = Side::Users.resource(&mut transaction, tenant, ty, &user, &Projection::everything(ty)).await?;
        transaction.commit().await?;
        Ok(user)
    }

    async fn delete(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let tenant = cx.tenant().as_str();
        let mut transaction = self.database.write().await?;
        let user = read(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&user.version())?;
        leave_all(&mut transaction, tenant, key.id, now()).await?;
        let sql = "DELETE FROM users WHERE tenant = $1 AND id = $2 AND version = $3";
        match transaction.execute(sql, &[tenant.into(), key.id.into(), user.version.into()]).await? {
            0 => Err(StoreError::VersionMismatch),
            _ => transaction.commit().await,
        }
    }

    async fn patch(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let hash = self.hasher.hash(changes.secret("password")).await?;
        let mut transaction = self.database.write().await?;
        let user = read(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&user.version())?;
        let old = user.content(ty)?;
        let mut patched = changes.apply(&old)?;
        let user = update(&mut transaction, tenant, user, &old, &patched.resource, &hash).await?;
        patched.resource = Side::Users.resource(&mut transaction, tenant, ty, &user, want).await?;
        transaction.commit().await?;
        Ok(Some(patched))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().with_change_password()
    }
}

/// The columns that are taken from the document.
struct Columns {
    user_name: String,
    user_name_key: String,
    external_id: Option<String>,
    active: bool,
    display_name: Option<String>,
}

impl Columns {
    fn of(user: &Resource) -> Self {
        let text = |path: &str| user.text(path).map(String::from);
        let user_name = text("userName").unwrap_or_default();
        Self {
            user_name_key: fold(&user_name).into_owned(),
            user_name,
            external_id: text("externalId"),
            // who is not said to be inactive is active: clients leave it out
            active: user.get("active").and_then(|active| active.as_bool()).unwrap_or(true),
            display_name: text("displayName"),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, attributes, version, created, modified FROM users WHERE tenant = $1 ", $rest)
    };
}

const LISTING: Listing = Listing {
    side: Side::Users,
    count: "SELECT COUNT(*) FROM users WHERE tenant = $1",
    page: select!("ORDER BY created, id LIMIT $2 OFFSET $3"),
    lookups: &[
        ("id", select!("AND id = $3 LIMIT $2")),
        ("userName", select!("AND user_name_key = $3 LIMIT $2")),
        ("externalId", select!("AND external_id = $3 ORDER BY created, id LIMIT $2")),
        (
            "emails.value",
            select!(
                "AND id IN (SELECT user_id FROM user_emails WHERE tenant = $1 AND email_key = $3)
                 ORDER BY created, id LIMIT $2"
            ),
        ),
        (
            "groups.value",
            select!(
                "AND id IN (SELECT member_id FROM group_members WHERE tenant = $1 AND group_id = $3)
                 ORDER BY created, id LIMIT $2"
            ),
        ),
    ],
};

async fn read(session: &mut Session, tenant: &str, id: &str) -> Result<Option<Record>, StoreError> {
    session.row(select!("AND id = $2"), &[tenant.into(), id.into()]).await?.as_ref().map(Record::read).transpose()
}

async fn insert(transaction: &mut Session, tenant: &str, user: &Record, content: &Resource) -> Result<(), StoreError> {
    let sql = "INSERT INTO users (tenant, id, user_name, user_name_key, external_id, active, display_name, attributes,
                                  created, modified, version)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let columns = Columns::of(content);
    let binds = [
        tenant.into(),
        (&user.id).into(),
        (&columns.user_name).into(),
        (&columns.user_name_key).into(),
        columns.external_id.as_deref().into(),
        columns.active.into(),
        columns.display_name.as_deref().into(),
        (&user.attributes).into(),
        user.created.into(),
        user.modified.into(),
        user.version.into(),
    ];
    transaction.execute_unique(sql, &binds, Some("userName")).await?;
    keep_emails(transaction, tenant, &user.id, &[], &email_keys(content)).await
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
    if new.as_json() == user.attributes.as_bytes() && matches!(hash, NewHash::Keep) {
        return Ok(user);
    }
    let sql = "UPDATE users SET user_name = $4, user_name_key = $5, external_id = $6, active = $7, display_name = $8,
                                attributes = $9, modified = $10, version = $11
               WHERE tenant = $1 AND id = $2 AND version = $3";
    let before = user.version;
    let user = user.next(new)?;
    let columns = Columns::of(new);
    let binds = [
        tenant.into(),
        (&user.id).into(),
        before.into(),
        (&columns.user_name).into(),
        (&columns.user_name_key).into(),
        columns.external_id.as_deref().into(),
        columns.active.into(),
        columns.display_name.as_deref().into(),
        (&user.attributes).into(),
        user.modified.into(),
        user.version.into(),
    ];
    if transaction.execute_unique(sql, &binds, Some("userName")).await? == 0 {
        return Err(StoreError::VersionMismatch);
    }
    keep_hash(transaction, tenant, &user.id, hash).await?;
    keep_emails(transaction, tenant, &user.id, &email_keys(old), &email_keys(new)).await?;
    Ok(user)
}

async fn keep_hash(transaction: &mut Session, tenant: &str, id: &str, hash: &NewHash) -> Result<(), StoreError> {
    if let NewHash::Set(hash) = hash {
        let sql = "UPDATE users SET password_hash = $3 WHERE tenant = $1 AND id = $2";
        transaction.execute(sql, &[tenant.into(), id.into(), hash.as_deref().into()]).await?;
    }
    Ok(())
}

/// The addresses of a user as they are compared, each once.
fn email_keys(user: &Resource) -> Vec<String> {
    let emails = user.get("emails").into_iter().flat_map(|emails| emails.elements());
    let keys = emails.filter_map(|email| Some(fold(&email.get("value")?.as_str()?).into_owned()));
    let mut keys: Vec<String> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

async fn keep_emails(
    transaction: &mut Session,
    tenant: &str,
    id: &str,
    old: &[String],
    new: &[String],
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
