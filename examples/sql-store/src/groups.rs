//! Groups: a row for the group, and a row for each member, so that a change of one member is a change of one row.

use std::sync::Arc;

use scim_provider::filter::sql::{ChildTable, Column, ColumnMap, MapError};
use scim_provider::{
    Capabilities, Changes, Context, Key, Page, Patched, Precondition, Projection, Query, Resource, ResourceType,
    ResourceWriter, Store, StoreError,
};

use crate::Caller;
use crate::database::{Attempts, Database, retried};
use crate::keys::{checked, folded};
use crate::members::{self, add, array, keep_only, leave_all, relate};
use crate::record::{Record, content_of, now};
use crate::select::Table;
use crate::session::Session;

/// The store of groups.
#[derive(Clone, Debug)]
pub struct Groups {
    pub(crate) database: Arc<Database>,
}

impl Store for Groups {
    type Context = Caller;

    async fn get(&self, cx: &Caller, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        retried(|| async {
            let mut session = self.database.read(cx.tenant().as_str()).await?;
            Table::Groups.get(&mut session, cx.tenant().as_str(), key.resource_type, key.id, want).await
        })
        .await
    }

    /// Members go from their rows into the answer.
    async fn show(&self, cx: &Caller, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            match self.show_once(cx, key, writer).await {
                // what has been written of the answer is thrown away when the next one begins
                Err(error) if attempts.again(&error).await => {}
                done => return done,
            }
        }
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let map = map(ty).map_err(StoreError::backend)?;
        retried(|| async {
            let mut session = self.database.read(cx.tenant().as_str()).await?;
            Table::Groups.list(&mut session, cx.tenant().as_str(), ty, &map, query).await
        })
        .await
    }

    async fn create(&self, cx: &Caller, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        let content = content_of(&draft)?;
        let members = array(draft.references("members"))?;
        retried(|| self.create_once(cx, ty, &content, &members)).await
    }

    async fn replace(
        &self,
        cx: &Caller,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let content = content_of(&new)?;
        let members = array(new.references("members"))?;
        retried(|| self.replace_once(cx, key, &content, &members, when)).await
    }

    async fn delete(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        retried(|| self.delete_once(cx, key, when)).await
    }

    async fn patch(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        // `members[type eq "User"]` and the like need to see the members
        let patched = match changes.needs_references() {
            true => retried(|| self.patch_whole_once(cx, key, changes, when, want)).await,
            false => retried(|| self.patch_once(cx, key, changes, when, want)).await,
        };
        patched.map(Some)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().with_cursor()
    }
}

impl Groups {
    async fn show_once(&self, cx: &Caller, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        let tenant = cx.tenant().as_str();
        let mut session = match writer.projection().includes("members") {
            true => self.database.snapshot(cx.tenant().as_str()).await?,
            false => self.database.read(cx.tenant().as_str()).await?,
        };
        let Some(group) = Table::Groups.record(&mut session, tenant, key.id).await? else { return Ok(false) };
        if writer.begin(&group.resource(key.resource_type, "members")?, "members") {
            members::show(&mut session, tenant, key.id, writer).await?;
        }
        session.commit().await?;
        Ok(true)
    }

    async fn create_once(
        &self,
        cx: &Caller,
        ty: &ResourceType,
        content: &Resource,
        members: &str,
    ) -> Result<Resource, StoreError> {
        let tenant = cx.tenant().as_str();
        let group = Record::new(content)?;
        let mut transaction = self.database.write(cx.tenant().as_str()).await?;
        insert(&mut transaction, tenant, &group, content).await?;
        add(&mut transaction, tenant, &group.id, members).await?;
        let group = Table::Groups.resource(&mut transaction, tenant, ty, &group, &Projection::everything(ty)).await?;
        transaction.commit().await?;
        Ok(group)
    }

    async fn replace_once(
        &self,
        cx: &Caller,
        key: Key<'_>,
        content: &Resource,
        members: &str,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(cx.tenant().as_str()).await?;
        let group = Table::Groups.for_change(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let old = group.content(ty)?;
        let moved = keep_only(&mut transaction, tenant, key.id, members).await?
            + add(&mut transaction, tenant, key.id, members).await?;
        let group = update(&mut transaction, tenant, group, &old, content, moved > 0).await?;
        let group = Table::Groups.resource(&mut transaction, tenant, ty, &group, &Projection::everything(ty)).await?;
        transaction.commit().await?;
        Ok(group)
    }

    async fn delete_once(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let tenant = cx.tenant().as_str();
        let mut transaction = self.database.write(cx.tenant().as_str()).await?;
        let group = Table::Groups.for_deletion(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        // first the group: when it is a member of itself, its version no longer matters
        let sql = "DELETE FROM groups WHERE tenant = $1 AND id = $2 AND version = $3";
        if transaction.execute(sql, &[tenant.into(), key.id.into(), group.version.into()]).await? == 0 {
            return Err(StoreError::VersionMismatch);
        }
        leave_all(&mut transaction, tenant, key.id, now()).await?;
        transaction.commit().await
    }

    async fn patch_once(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(cx.tenant().as_str()).await?;
        let group = Table::Groups.for_change(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let old = group.content(ty)?;
        let mut patched = changes.apply_document(&old)?;
        let mut moved = 0;
        for change in changes.relations() {
            moved += relate(&mut transaction, tenant, key.id, change).await?;
        }
        patched.changed |= moved > 0;
        let group = update(&mut transaction, tenant, group, &old, &patched.resource, moved > 0).await?;
        patched.resource = Table::Groups.resource(&mut transaction, tenant, ty, &group, want).await?;
        transaction.commit().await?;
        Ok(patched)
    }

    /// As [`patch_once`](Self::patch_once), with all members read. The service would do that too, and would begin again whenever
    /// a change came in between: here it waits its turn.
    async fn patch_whole_once(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(cx.tenant().as_str()).await?;
        let group = Table::Groups.for_change(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let whole = Projection::everything(ty);
        let old = Table::Groups.resource(&mut transaction, tenant, ty, &group, &whole).await?;
        let mut patched = changes.apply(&old)?;
        if patched.changed {
            let members = array(patched.resource.references("members"))?;
            let moved = keep_only(&mut transaction, tenant, key.id, &members).await?
                + add(&mut transaction, tenant, key.id, &members).await?;
            let (old, new) = (content_of(&old)?, content_of(&patched.resource)?);
            let group = update(&mut transaction, tenant, group, &old, &new, moved > 0).await?;
            patched.resource = Table::Groups.resource(&mut transaction, tenant, ty, &group, want).await?;
        }
        transaction.commit().await?;
        Ok(patched)
    }
}

/// The columns that are taken from the document.
struct Columns {
    display_name: Option<String>,
    display_name_key: Option<String>,
    external_id: Option<String>,
}

impl Columns {
    fn of(group: &Resource) -> Result<Self, StoreError> {
        let text = |path: &str| group.text(path).map(String::from);
        Ok(Self {
            display_name: text("displayName"),
            display_name_key: folded(group, "displayName")?,
            external_id: checked("externalId", text("externalId"))?,
        })
    }
}

/// Where the attributes lie, for filters and orders.
fn map(ty: &ResourceType) -> Result<ColumnMap, MapError> {
    let members = ChildTable::keyed("group_members m", &[("m.tenant", "groups.tenant"), ("m.group_id", "groups.id")])
        .within("m.tenant = (SELECT tenant FROM scope)");
    ColumnMap::builder(ty)
        .column("id", Column::text("groups.id").not_null())
        .column("externalId", Column::text("groups.external_id"))
        .column("displayName", Column::folded("groups.display_name_key"))
        .column("meta.created", Column::whole_milliseconds("groups.created").not_null())
        .column("meta.lastModified", Column::whole_milliseconds("groups.modified").not_null())
        .values("members", members.column("value", Column::text("m.member_id").assigned()))
        .build()
}

async fn insert(transaction: &mut Session, tenant: &str, group: &Record, content: &Resource) -> Result<(), StoreError> {
    let sql = "INSERT INTO groups (tenant, id, display_name, display_name_key, external_id, attributes,
                                   created, modified, version)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let columns = Columns::of(content)?;
    let binds = [
        tenant.into(),
        (&group.id).into(),
        columns.display_name.as_deref().into(),
        columns.display_name_key.as_deref().into(),
        columns.external_id.as_deref().into(),
        (&*group.attributes).into(),
        group.created.into(),
        group.modified.into(),
        group.version.into(),
    ];
    // identity providers look groups up by name: two of the same name could not be told apart
    transaction.execute_unique(sql, &binds, "displayName").await.map(|_| ())
}

/// Writes a group's new state, unless it is the old one.
async fn update(
    transaction: &mut Session,
    tenant: &str,
    group: Record,
    old: &Resource,
    content: &Resource,
    moved: bool,
) -> Result<Record, StoreError> {
    if content.as_json() == old.as_json() && !moved {
        return Ok(group);
    }
    let sql = "UPDATE groups SET display_name = $4, display_name_key = $5, external_id = $6, attributes = $7,
                                 modified = $8, version = $9
               WHERE tenant = $1 AND id = $2 AND version = $3";
    let before = group.version;
    let group = group.next(content)?;
    let columns = Columns::of(content)?;
    let binds = [
        tenant.into(),
        (&group.id).into(),
        before.into(),
        columns.display_name.as_deref().into(),
        columns.display_name_key.as_deref().into(),
        columns.external_id.as_deref().into(),
        (&*group.attributes).into(),
        group.modified.into(),
        group.version.into(),
    ];
    match transaction.execute_unique(sql, &binds, "displayName").await? {
        0 => Err(StoreError::VersionMismatch),
        _ => Ok(group),
    }
}
