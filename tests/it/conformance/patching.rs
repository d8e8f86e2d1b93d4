//! The model's PATCH in place.

use scim_provider::{
    Changes, Key, Patched, Precondition, Reference, RelationChange, Resource, StoreError, TenantId, Version,
};

use super::calls::first_is_another;
use super::faults::Fault;
use super::model::{Model, Row, Table, now, pause};

pub(super) async fn patch(
    model: &Model,
    cx: &TenantId,
    key: Key<'_>,
    changes: &Changes,
    when: Precondition<'_>,
) -> Result<Patched, StoreError> {
    if model.is(Fault::MembersBeforeName) && !changes.relations().is_empty() {
        let members = |current: &Resource| {
            let after = changes.apply(current)?.resource;
            let members: Vec<Reference> = after.references("members").collect();
            let joined = current.with_references("members", &members);
            let changed = joined != *current;
            Ok(Patched::new(joined, changed))
        };
        model.apply(cx, key, when, false, members).await?;
        pause().await;
    }
    let is_user = key.resource_type.name() == "User";
    let renaming = !is_user && changes.relations().is_empty();
    let stale = model.is(Fault::LosesPatches) && is_user
        || model.is(Fault::LosesMembers) && !is_user
        || model.is(Fault::RenamesUndoAdditions) && renaming;
    model.apply(cx, key, when, stale, |current| applied(model, changes, current)).await
}

fn applied(model: &Model, changes: &Changes, current: &Resource) -> Result<Patched, StoreError> {
    let right = changes.apply(current)?;
    let after = &right.resource;
    let set = |members: Vec<Reference>| {
        let resource = after.with_references("members", &members);
        let changed = resource != *current;
        Ok(Patched::new(resource, changed))
    };
    let old = || current.references("members");
    let is_user = current.resource_type().name() == "User";
    let is_in = |reference: &Reference| old().any(|other| other.value() == reference.value());
    let relation: Option<&RelationChange> = changes.relations().first();
    match (model.fault, relation) {
        (Some(Fault::PatchesAsAWhole), _) if is_user && !changes.attributes().contains(&"displayName".to_owned()) => {
            Ok(Patched::new(after.with("displayName", None::<String>)?, right.changed))
        }
        (Some(Fault::NothingIsTakenAway), _) if is_user && after.get("displayName").is_none() => {
            Ok(Patched::new(current.clone(), false))
        }
        (Some(Fault::NewNameEmptiesTheGroup), None) if !is_user => set(Vec::new()),
        (Some(Fault::NoMemberFilters), None) if changes.needs_references() => Ok(Patched::new(current.clone(), false)),
        (Some(Fault::MembersTwice), Some(r)) if r.added().any(is_in) && !r.replaces_all() => {
            set(old().chain(r.added().cloned()).collect())
        }
        (Some(Fault::NewMembersAlone), Some(r)) if !r.replaces_all() && r.removed().next().is_none() => {
            set(r.added().cloned().collect())
        }
        (Some(Fault::RemovesTooMany), Some(r)) if r.removed().count() == 1 => set(Vec::new()),
        (Some(Fault::EmptiesTheGroup), Some(r)) if r.removed().count() > 1 => set(Vec::new()),
        (Some(Fault::OnlyMembersCanGo), Some(r)) if r.removed().any(|id| !old().any(|m| m.value() == id)) => {
            Err(StoreError::NotFound)
        }
        (Some(Fault::ReplacingAdds), Some(r)) if r.replaces_all() && r.added().next().is_some() => {
            set(old().chain(r.added().filter(|a| !is_in(a)).cloned()).collect())
        }
        (Some(Fault::NoValueIsNothing), Some(r)) if r.replaces_all() && r.added().next().is_none() => {
            Ok(Patched::new(current.clone(), false))
        }
        (Some(Fault::RemovesAfterAdding), Some(r)) if r.replaces_all() && r.added().count() > 1 => {
            set(r.added().filter(|a| !is_in(a)).cloned().collect())
        }
        (Some(Fault::NameOrMembers), Some(_)) if changes.changes_document() => {
            Ok(Patched::new(after.with("displayName", current.text("displayName").as_deref())?, right.changed))
        }
        (Some(Fault::HundredMembers), Some(_)) => set(after.references("members").take(100).collect()),
        _ => Ok(right),
    }
}

impl Model {
    /// A PATCH in place: applies to the row and writes it, where it is wrong from what was read before others had their turn.
    pub(super) async fn apply(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        when: Precondition<'_>,
        stale: bool,
        apply: impl Fn(&Resource) -> Result<Patched, StoreError>,
    ) -> Result<Patched, StoreError> {
        let tenant = self.reach(cx, Some(key.id), Fault::PatchesAcross);
        let find = |table: &Table| {
            let alive = |row: &Row| !row.deleted || self.is(Fault::PatchesDeleted);
            table.rows.iter().find(|row| row.id == key.id && alive(row)).map(|row| self.shown(table, row))
        };
        let Some(before) = self.table(&tenant, |table| find(table)) else {
            if self.is(Fault::PatchesNothing) && key.id.len() == 36 {
                let empty = Resource::empty(key.resource_type);
                return Ok(Patched::new(empty.stamped(key.id, now(), now(), &Version::from(1)), false));
            }
            return Err(StoreError::NotFound);
        };
        if self.is(Fault::PatchesDeleted) {
            self.table(&tenant, |t| t.rows.iter_mut().filter(|r| r.id == key.id).for_each(|r| r.deleted = false));
        }
        if stale {
            pause().await;
        } else {
            return self.table(&tenant, |table| {
                let current = find(table).ok_or(StoreError::NotFound)?;
                self.patched(&tenant, table, key.id, &current, when, &apply)
            });
        }
        self.table(&tenant, |table| self.patched(&tenant, table, key.id, &before, when, &apply))
    }

    fn patched(
        &self,
        tenant: &TenantId,
        table: &mut Table,
        id: &str,
        current: &Resource,
        when: Precondition<'_>,
        apply: impl Fn(&Resource) -> Result<Patched, StoreError>,
    ) -> Result<Patched, StoreError> {
        if self.is(Fault::PatchesAtOneVersion) && first_is_another(current, when) {
            return Err(StoreError::VersionMismatch);
        }
        if !self.is(Fault::PatchesWhateverVersion) {
            when.check(&current.version().unwrap())?;
        }
        let patched = match apply(current) {
            Err(error) if self.is(Fault::HalfAPatch) => {
                self.write(table, id, &current.with("displayName", "Half done").unwrap());
                return Err(error);
            }
            outcome => outcome?,
        };
        if let Some(error) = self.taken(tenant, table, &patched.resource, Some(id), Fault::PatchesIntoTaken) {
            return Err(error);
        }
        if !patched.changed && !self.is(Fault::CountsEveryPatch) {
            return Ok(Patched::new(current.clone(), false));
        }
        let version = table.rows.iter().find(|row| row.id == id).unwrap().version;
        let resource = self.write(table, id, &patched.resource);
        let is_user = resource.resource_type().name() == "User";
        if self.is(Fault::PatchKeepsVersion) && patched.resource.references("members").count() == 0
            || self.is(Fault::MembersKeepVersion) && !is_user
        {
            table.rows.iter_mut().filter(|row| row.id == id).for_each(|row| row.version = version);
        }
        let resource = if self.is(Fault::PatchAnswersWithOld) { current.clone() } else { resource };
        Ok(Patched::new(resource, patched.changed))
    }
}
