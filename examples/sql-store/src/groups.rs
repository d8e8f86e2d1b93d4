//! Groups: a row for the group, and a row for each member, so that a change of one member is a change of one row.

use std::sync::Arc;

use scim_provider::{
    Changes, Context, Key, Page, Patched, Precondition, Projection, Query, Reference, RelationChange, Resource,
    ResourceType, Store, StoreError, fold,
};

use crate::Caller;
use crate::database::{Database, Session};
use crate::dialect::Listed;
use crate::listing::Listing;
use crate::members::{Side, leave_all};
use crate::record::{Record, content_of, json_list, now};

/// The store of groups.
#[derive(Clone, Debug)]
pub struct Groups {
    pub(crate) database: Arc<Database>,
}

impl Store for Groups {
    type Context = Caller;

    async fn get(&self, cx: &Caller, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        let tenant = cx.tenant().as_str();
        let mut session = self.database.read().await?;
        match read(&mut session, tenant, key.id).await? {
            Some(group) => Side::Groups.resource(&mut session, tenant, key.resource_type, &group, want).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let mut session = self.database.read().await?;
        LISTING.run(&mut session, cx.tenant().as_str(), ty, query).await
    }

    async fn create(&self, cx: &Caller, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let tenant = cx.tenant().as_str();
        let content = content_of(&draft)?;
        let group = Record::new(&content)?;
        let mut transaction = self.database.write().await?;
        insert(&mut transaction, tenant, &group, &content).await?;
        add(&mut transaction, tenant, &group.id, &array(draft.references("members"))).await?;
        let group = Side::Groups.resource(&mut transaction, tenant, ty, &group, &Projection::everything(ty)).await?;
        transaction.commit().await?;
        Ok(group)
    }

    async fn replace(
        &self,
        cx: &Caller,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let content = content_of(&new)?;
        let members = array(new.references("members"));
        let mut transaction = self.database.write().await?;
        let group = read(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let moved = keep_only(&mut transaction, tenant, key.id, &members).await?
            + add(&mut transaction, tenant, key.id, &members).await?;
        let group = update(&mut transaction, tenant, group, &content, moved > 0).await?;
        let group = Side::Groups.resource(&mut transaction, tenant, ty, &group, &Projection::everything(ty)).await?;
        transaction.commit().await?;
        Ok(group)
    }

    async fn delete(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let tenant = cx.tenant().as_str();
        let mut transaction = self.database.write().await?;
        let group = read(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        // first the group: when it is a member of itself, its version no longer matters
        let sql = "DELETE FROM groups WHERE tenant = $1 AND id = $2 AND version = $3";
        if transaction.execute(sql, &[tenant.into(), key.id.into(), group.version.into()]).await? == 0 {
            return Err(StoreError::VersionMismatch);
        }
        leave_all(&mut transaction, tenant, key.id, now()).await?;
        transaction.commit().await
    }

    async fn patch(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        // `members[type eq "User"]` and the like need to see the members: the service reads, applies and replaces
        if changes.needs_references() {
            return Ok(None);
        }
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write().await?;
        let group = read(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let mut patched = changes.apply_document(&group.content(ty)?)?;
        let mut moved = 0;
        for change in changes.relations() {
            moved += relate(&mut transaction, tenant, key.id, change).await?;
        }
        patched.changed |= moved > 0;
        let group = update(&mut transaction, tenant, group, &patched.resource, moved > 0).await?;
        patched.resource = Side::Groups.resource(&mut transaction, tenant, ty, &group, want).await?;
        transaction.commit().await?;
        Ok(Some(patched))
    }
}

/// The columns that are taken from the document.
struct Columns {
    display_name: String,
    display_name_key: String,
    external_id: Option<String>,
}

impl Columns {
    fn of(group: &Resource) -> Self {
        let display_name = group.text("displayName").map(String::from).unwrap_or_default();
        Self {
            display_name_key: fold(&display_name).into_owned(),
            display_name,
            external_id: group.text("externalId").map(String::from),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, attributes, version, created, modified FROM groups WHERE tenant = $1 ", $rest)
    };
}

const LISTING: Listing = Listing {
    side: Side::Groups,
    count: "SELECT COUNT(*) FROM groups WHERE tenant = $1",
    page: select!("ORDER BY created, id LIMIT $2 OFFSET $3"),
    lookups: &[
        ("id", select!("AND id = $3 LIMIT $2")),
        ("displayName", select!("AND display_name_key = $3 LIMIT $2")),
        ("externalId", select!("AND external_id = $3 ORDER BY created, id LIMIT $2")),
        (
            "members.value",
            select!(
                "AND id IN (SELECT group_id FROM group_members WHERE tenant = $1 AND member_id = $3)
                 ORDER BY created, id LIMIT $2"
            ),
        ),
    ],
};

async fn read(session: &mut Session, tenant: &str, id: &str) -> Result<Option<Record>, StoreError> {
    session.row(select!("AND id = $2"), &[tenant.into(), id.into()]).await?.as_ref().map(Record::read).transpose()
}

async fn insert(transaction: &mut Session, tenant: &str, group: &Record, content: &Resource) -> Result<(), StoreError> {
    let sql = "INSERT INTO groups (tenant, id, display_name, display_name_key, external_id, attributes,
                                   created, modified, version)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let columns = Columns::of(content);
    let binds = [
        tenant.into(),
        (&group.id).into(),
        (&columns.display_name).into(),
        (&columns.display_name_key).into(),
        columns.external_id.as_deref().into(),
        (&group.attributes).into(),
        group.created.into(),
        group.modified.into(),
        group.version.into(),
    ];
    // identity providers look groups up by name: two of the same name could not be told apart
    transaction.execute_unique(sql, &binds, Some("displayName")).await.map(|_| ())
}

/// Writes a group's new state, unless it is the old one.
async fn update(
    transaction: &mut Session,
    tenant: &str,
    group: Record,
    content: &Resource,
    moved: bool,
) -> Result<Record, StoreError> {
    if content.as_json() == group.attributes.as_bytes() && !moved {
        return Ok(group);
    }
    let sql = "UPDATE groups SET display_name = $4, display_name_key = $5, external_id = $6, attributes = $7,
                                 modified = $8, version = $9
               WHERE tenant = $1 AND id = $2 AND version = $3";
    let before = group.version;
    let group = group.next(content)?;
    let columns = Columns::of(content);
    let binds = [
        tenant.into(),
        (&group.id).into(),
        before.into(),
        (&columns.display_name).into(),
        (&columns.display_name_key).into(),
        columns.external_id.as_deref().into(),
        (&group.attributes).into(),
        group.modified.into(),
        group.version.into(),
    ];
    match transaction.execute_unique(sql, &binds, Some("displayName")).await? {
        0 => Err(StoreError::VersionMismatch),
        _ => Ok(group),
    }
}

/// Carries a change of the members out and returns how many rows it took. Its cost follows the change, not the group.
async fn relate(
    transaction: &mut Session,
    tenant: &str,
    group: &str,
    change: &RelationChange,
) -> Result<u64, StoreError> {
    if change.path() != "members" {
        return Err(StoreError::Unsupported);
    }
    let added = array(change.added().cloned());
    let mut rows = 0;
    if change.replaces_all() {
        rows += keep_only(transaction, tenant, group, &added).await?;
    } else {
        let removed: Vec<_> = change.removed().collect();
        if !removed.is_empty() {
            let ids = json_list(removed)?;
            let binds = [tenant.into(), group.into(), (&ids).into()];
            rows += transaction.execute_listed(Listed::RemoveMembers, &binds).await?;
        }
    }
    Ok(rows + add(transaction, tenant, group, &added).await?)
}

/// Adds those members that are not there.
async fn add(transaction: &mut Session, tenant: &str, group: &str, members: &str) -> Result<u64, StoreError> {
    match members {
        "[]" => Ok(0),
        members => transaction.execute_listed(Listed::AddMembers, &[tenant.into(), group.into(), members.into()]).await,
    }
}

/// Removes all other members.
async fn keep_only(transaction: &mut Session, tenant: &str, group: &str, members: &str) -> Result<u64, StoreError> {
    transaction.execute_listed(Listed::KeepMembers, &[tenant.into(), group.into(), members.into()]).await
}

/// The references as one JSON array. One without an id refers to nothing.
fn array(references: impl IntoIterator<Item = Reference>) -> String {
    let references: Vec<_> = references.into_iter().filter(|reference| !reference.value().is_empty()).collect();
    let texts: Vec<_> = references.iter().map(|reference| String::from_utf8_lossy(reference.as_json())).collect();
    format!("[{}]", texts.join(","))
}
