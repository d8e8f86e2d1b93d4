//! Groups: a row for the group, and a row for each member, so that a change of one member is a change of one row.

use std::sync::Arc;

use scim_provider::filter::sql::{ChildTable, Column, ColumnMap, MapError};
use scim_provider::{
    Capabilities, Changes, Context, Key, Page, Patched, Precondition, Projection, Query, Resource, ResourceType,
    ResourceWriter, Store, StoreError,
};

use crate::Caller;
use crate::change::{End, ended, seen_or_locked};
use crate::cost;
use crate::cost::Sizes;
use crate::database::{Attempts, Database, retried};
use crate::keys::{checked, folded};
use crate::members::{self, add, array, keep_only, leave, mark_groups, relate, remove, remove_all};
use crate::record::{Record, content_of, now, schemas};
use crate::select::Table;
use crate::session::Session;
use crate::shape::Shape;

/// The store of groups.
#[derive(Clone, Debug)]
pub struct Groups {
    pub(crate) database: Arc<Database>,
    pub(crate) sizes: Arc<Sizes>,
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
                // what has been written of the answer is thrown away when the next one begins, unless it has been sent
                Err(error) if !writer.is_sent() && attempts.again(&error).await => {}
                done => return done,
            }
        }
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let map = map(ty).map_err(StoreError::backend)?;
        retried(|| async {
            let mut session = self.database.read(cx.tenant().as_str()).await?;
            Table::Groups.list(&mut session, cx.tenant().as_str(), ty, &map, query, &self.sizes).await
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
        // members alone are rows that come and go, whatever the document says
        let patched = match changes.needs_references() || changes.changes_document() {
            false => retried(|| self.patch_members(cx, key, changes, when, want)).await,
            true => {
                let seen = || retried(|| self.patch_seen(cx, key, changes, when, want));
                let locked = || retried(|| self.patch_locked(cx, key, changes, when, want));
                seen_or_locked(when, seen, locked).await
            }
        };
        patched.map(Some)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().with_cursor().with_write_work(cost::WRITE).with_value_work(cost::VALUE)
    }
}

impl Groups {
    async fn show_once(&self, cx: &Caller, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        let tenant = cx.tenant().as_str();
        let mut session = match writer.projection().includes("members") {
            true => self.database.snapshot(tenant).await?,
            false => self.database.read(tenant).await?,
        };
        let shape = Table::Groups.shape(key.resource_type, writer.projection()).without_references();
        let Some(group) = Table::Groups.record(&mut session, tenant, key.id, shape).await? else { return Ok(false) };
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
        let mut transaction = self.database.write(tenant).await?;
        insert(&mut transaction, tenant, &group, content).await?;
        add(&mut transaction, tenant, &group.id, members).await?;
        let whole = Projection::everything(ty);
        let group = Table::Groups.resource(&mut transaction, tenant, ty, &group, content, &whole).await?;
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
        let mut transaction = self.database.write(tenant).await?;
        let group = Table::Groups.for_change(&mut transaction, tenant, key.id).await?.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let old = group.content(ty)?;
        let moved = keep_only(&mut transaction, tenant, key.id, members).await?
            + add(&mut transaction, tenant, key.id, members).await?;
        let group = update(&mut transaction, tenant, group, &old, content, moved > 0).await?;
        let whole = Projection::everything(ty);
        let group = Table::Groups.resource(&mut transaction, tenant, ty, &group, content, &whole).await?;
        transaction.commit().await?;
        Ok(group)
    }

    async fn delete_once(&self, cx: &Caller, key: Key<'_>, when: Precondition<'_>) -> Result<End, StoreError> {
        let tenant = cx.tenant().as_str();
        let mut transaction = self.database.write(tenant).await?;
        let groups = mark_groups(&mut transaction, tenant, key.id, now()).await?;
        let version = Table::Groups.for_deletion(&mut transaction, tenant, key.id, when).await?;
        leave(&mut transaction, tenant, key.id, &groups).await?;
        remove_all(&mut transaction, tenant, key.id).await?;
        Table::Groups.delete(transaction, tenant, key.id, version).await
    }

    /// Adds and removes members. Nothing of the document is read.
    async fn patch_members(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(tenant).await?;
        let group = Table::Groups.identity_for_change(&mut transaction, tenant, key.id).await?;
        let mut group = group.ok_or(StoreError::NotFound)?;
        when.check(&group.version())?;
        let mut moved = 0;
        for change in changes.relations() {
            moved += relate(&mut transaction, tenant, key.id, change).await?;
        }
        if moved > 0 {
            group = touch(&mut transaction, tenant, group).await?;
        }
        let resource = match *want == Projection::identity(ty) {
            true => group.stamp(&Resource::empty(ty)),
            false => {
                Table::Groups.get(&mut transaction, tenant, ty, key.id, want).await?.ok_or(StoreError::NotFound)?
            }
        };
        transaction.commit().await?;
        Ok(Patched::new(resource, moved > 0))
    }

    /// The change of what a reader sees, in the writer's turn only if it is still what it was.
    async fn patch_seen(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut session = self.database.read(tenant).await?;
        let (group, old, mut patched) = changed(&mut session, tenant, key, changes, when, false).await?;
        if !patched.changed && changes.relations().is_empty() {
            patched.resource = Table::Groups.resource(&mut session, tenant, ty, &group, &old, want).await?;
            return Ok(patched);
        }
        // in memory there is one connection for readers and the writer
        drop(session);
        let mut transaction = self.database.write(tenant).await?;
        let group = write(&mut transaction, tenant, group, changes, &old, &mut patched).await?;
        patched.resource =
            Table::Groups.resource(&mut transaction, tenant, ty, &group, &content_of(&patched.resource)?, want).await?;
        transaction.commit().await?;
        Ok(patched)
    }

    /// The same with everybody else waiting, for one that others were faster than.
    async fn patch_locked(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let (tenant, ty) = (cx.tenant().as_str(), key.resource_type);
        let mut transaction = self.database.write(tenant).await?;
        let (group, old, mut patched) = changed(&mut transaction, tenant, key, changes, when, true).await?;
        let group = write(&mut transaction, tenant, group, changes, &old, &mut patched).await?;
        patched.resource =
            Table::Groups.resource(&mut transaction, tenant, ty, &group, &content_of(&patched.resource)?, want).await?;
        transaction.commit().await?;
        Ok(patched)
    }
}

/// Reads a group, with its members where a path such as `members[type eq "User"]` needs to see them, and computes its next
/// state.
async fn changed(
    session: &mut Session,
    tenant: &str,
    key: Key<'_>,
    changes: &Changes,
    when: Precondition<'_>,
    locked: bool,
) -> Result<(Record, Resource, Patched), StoreError> {
    let ty = key.resource_type;
    let whole = changes.needs_references();
    if whole {
        members::afford(session, tenant, key.id, changes.budget()).await?;
    }
    let group = match locked {
        true => Table::Groups.for_change(session, tenant, key.id).await?,
        false => Table::Groups.record(session, tenant, key.id, Shape { references: whole, ..Shape::DOCUMENT }).await?,
    };
    let group = group.ok_or(StoreError::NotFound)?;
    when.check(&group.version())?;
    cost::charge_read(changes.budget(), &group);
    let old = match (whole, locked) {
        (true, true) => {
            let everything = Projection::everything(ty);
            Table::Groups.get(session, tenant, ty, key.id, &everything).await?.ok_or(StoreError::NotFound)?
        }
        (true, false) => group.resource(ty, "members")?,
        (false, _) => group.content(ty)?,
    };
    let patched = if whole { changes.apply(&old)? } else { changes.apply_document(&old)? };
    Ok((group, old, patched))
}

/// Writes a group's next state and its members, if the group is still what it was.
async fn write(
    transaction: &mut Session,
    tenant: &str,
    group: Record,
    changes: &Changes,
    old: &Resource,
    patched: &mut Patched,
) -> Result<Record, StoreError> {
    let (id, before) = (group.id.clone(), group.version);
    let (old_content, new_content) = (content_of(old)?, content_of(&patched.resource)?);
    let is_new = new_content.as_json() != old_content.as_json();
    // the row first: it is the lock for the members
    let mut group = match is_new {
        true => update(transaction, tenant, group, &old_content, &new_content, true).await?,
        false => {
            let now = Table::Groups.identity_for_change(transaction, tenant, &id).await?;
            now.filter(|now| now.version == before).ok_or(StoreError::VersionMismatch)?;
            group
        }
    };
    let mut moved = 0;
    if changes.needs_references() {
        let (gone, new) = members::difference(old, &patched.resource);
        moved += remove(transaction, tenant, &id, &gone).await?;
        moved += add(transaction, tenant, &id, &array(new)?).await?;
    }
    for change in changes.relations().iter().filter(|_| !changes.needs_references()) {
        moved += relate(transaction, tenant, &id, change).await?;
    }
    if moved > 0 && !is_new {
        group = touch(transaction, tenant, group).await?;
    }
    patched.changed |= moved > 0;
    Ok(group)
}

/// Gives a group whose members have changed a new version.
async fn touch(transaction: &mut Session, tenant: &str, group: Record) -> Result<Record, StoreError> {
    let before = group.version;
    let group = group.touched();
    let sql = "UPDATE groups SET modified = $4, version = $5 WHERE tenant = $1 AND id = $2 AND version = $3";
    let binds = [tenant.into(), (&group.id).into(), before.into(), group.modified.into(), group.version.into()];
    match transaction.execute(sql, &binds).await? {
        0 => Err(StoreError::VersionMismatch),
        _ => Ok(group),
    }
}

/// The columns that are taken from the document.
struct Columns {
    display_name: Option<String>,
    display_name_key: Option<String>,
    external_id: Option<String>,
    schemas: Option<String>,
}

impl Columns {
    fn of(group: &Resource) -> Result<Self, StoreError> {
        let text = |path: &str| group.text(path).map(String::from);
        Ok(Self {
            display_name: text("displayName"),
            display_name_key: folded(group, "displayName")?,
            external_id: checked("externalId", text("externalId"))?,
            schemas: schemas(group),
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
                                   created, modified, version, schemas, bytes)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
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
        columns.schemas.as_deref().into(),
        group.bytes.into(),
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
                                 modified = $8, version = $9, schemas = $10, bytes = $11
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
        columns.schemas.as_deref().into(),
        group.bytes.into(),
    ];
    match transaction.execute_unique(sql, &binds, "displayName").await? {
        0 => Err(StoreError::VersionMismatch),
        _ => Ok(group),
    }
}
