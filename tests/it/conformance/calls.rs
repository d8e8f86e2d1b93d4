//! The model as a store: each call, and what can go wrong in it.

use chrono::{SubsecRound, TimeDelta};
use scim_provider::{
    Capabilities, Changes, Compat, Cursor, Key, Page, Patched, Precondition, Projection, Query, Reference, Resource,
    ResourceType, ResourceWriter, Store, StoreError, TenantId, Version,
};

use super::faults::Fault;
use super::model::{Honesty, Model, NAMES, Row, Table, name, now, pause, plain, text, uuid, without_member};
use super::reach::Call;

impl Store for Model {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        if self.is(Fault::UnknownIsError) && key.id.len() == 36 {
            let known = self.tables().values().any(|table| table.rows.iter().any(|row| row.id == key.id));
            if !known {
                return Err(StoreError::NotFound);
            }
        }
        if self.is(Fault::OddIdIsError) && key.id.len() != 36 && !key.id.contains('-') {
            return Err(StoreError::backend("invalid input syntax for type uuid"));
        }
        let tenant = self.reach(cx, Some(key.id), Fault::ReadsAcross);
        let found = self.table(&tenant, |table| {
            let row = table.rows.iter().find(|row| {
                let same = match self.fault {
                    Some(Fault::IdsIgnoreCase) => row.id.eq_ignore_ascii_case(key.id.trim()),
                    _ => row.id == key.id,
                };
                let kind = row.resource.resource_type().name() == key.resource_type.name();
                same && (kind || self.is(Fault::AnyType)) && (!row.deleted || self.is(Fault::DeletedAreRead))
            })?;
            let mut found = self.shown(table, row);
            if self.is(Fault::WholeSeconds) {
                found = row.resource.stamped(
                    &row.id,
                    row.created.trunc_subsecs(0),
                    row.modified.trunc_subsecs(0),
                    &Version::from(row.version),
                );
            }
            if self.is(Fault::IdentityOnRequest) && !want.includes(name(&row.resource)) {
                found = plain(&row.resource);
            }
            if self.is(Fault::ForgetsWhatIsWanted)
                && *want == Projection::only(key.resource_type, ["active"], Compat::default())
            {
                found = found.with("active", None::<bool>).unwrap();
            }
            if self.is(Fault::MembersOnlyWhenWhole)
                && *want == Projection::only(key.resource_type, ["members.value"], Compat::default())
            {
                found = found.with_references("members", &[]);
            }
            Some(found)
        });
        let found = found.map(|found| self.with_displays(found));
        Ok(self.cached(cx, key.id, found))
    }

    async fn show(&self, cx: &TenantId, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        let found = self.get(cx, key, writer.projection()).await?;
        if let Some(resource) = &found {
            match self.is(Fault::ShowsTheDocument) {
                true => writer.resource(&resource.without_references()),
                false => writer.resource(resource),
            }
        } else if self.is(Fault::ShowsNobody) {
            writer.resource(&Resource::empty(key.resource_type));
            return Ok(true);
        }
        Ok(found.is_some())
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        let parts = [
            (Call::List, true),
            (Call::Filter, query.filter.is_some()),
            (Call::Sort, query.sort.is_some()),
            (Call::Cursor, query.cursor.is_some()),
        ];
        parts.into_iter().filter(|(_, asked)| *asked).for_each(|(call, _)| self.is_asked(call));
        let path = if ty.name() == "User" { "userName" } else { "displayName" };
        let indexed = query.filter.as_ref().and_then(|f| f.required_text(path)).is_some();
        let mut tenant = self.reach(cx, None, Fault::Nothing);
        let behind = matches!(query.cursor, Some(Cursor::After(_) | Cursor::Before(_)));
        if (self.is(Fault::CursorsAcross) && behind)
            || (self.is(Fault::ListsAcross) && query.filter.is_none())
            || (self.is(Fault::FindsAcross) && indexed)
        {
            let others = |id: &TenantId| !self.is(Fault::CursorsAcross) || id != cx;
            let tables = self.tables();
            tenant = tables
                .iter()
                .find(|(id, table)| others(id) && !table.rows.is_empty())
                .map_or(tenant, |(t, _)| t.clone());
        }
        let everywhere: usize = self.tables().values().map(|table| table.rows.len()).sum();
        self.table(&tenant, |table| {
            table.lists += 1;
            if self.is(Fault::EmptyIsError) && table.rows.is_empty() && query.filter.is_none() {
                return Err(StoreError::NotFound);
            }
            let alive = |row: &&Row| match self.fault {
                Some(Fault::DeletedAreListed) if query.filter.is_none() => true,
                Some(Fault::DeletedAreFound) if query.filter.is_some() => true,
                _ => !row.deleted,
            };
            let kind = |row: &&Row| row.resource.resource_type().name() == ty.name() || self.is(Fault::ListsEveryType);
            let all = table.rows.iter().filter(alive).filter(kind).map(|row| self.shown(table, row)).collect();
            super::listing::page(self, all, query, table.lists, everywhere)
        })
    }

    async fn create(&self, cx: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.check_working(cx)?;
        let racing = self.is(Fault::LooksFirst);
        if racing {
            // looks first, and inserts without a constraint later
            if let Some(error) = self.table(cx, |table| self.taken(cx, table, &draft, None, Fault::Nothing)) {
                return Err(error);
            }
            self.pause(Fault::LooksFirst).await;
        }
        if self.is(Fault::ReservesFirst) {
            if let Some(error) = self.table(cx, |table| self.taken(cx, table, &draft, None, Fault::Nothing)) {
                return Err(error);
            }
            let name = text(&draft, "userName").unwrap_or_default();
            self.table(cx, |table| table.reserved.push(name.clone()));
            self.pause(Fault::ReservesFirst).await;
            self.table(cx, |table| table.reserved.retain(|reserved| *reserved != name));
        }
        let outcome = self.table(cx, |table| {
            let taken = if racing { None } else { self.taken(cx, table, &draft, None, Fault::NothingIsUnique) };
            let leaves = taken.is_some() && self.is(Fault::InsertsBeforeTheCheck);
            if let Some(error) = taken {
                if leaves {
                    let resource = draft.with(name(&draft), format!("orphan-{}", uuid())).unwrap();
                    table.rows.push(Row {
                        id: uuid(),
                        resource,
                        version: 1,
                        created: now(),
                        modified: now(),
                        deleted: false,
                    });
                }
                return Err(error);
            }
            let mut resource = plain(&self.kept(&draft));
            if self.is(Fault::CreatesWithoutMembers) {
                resource = resource.with_references("members", &[]);
            }
            let id = self.id_for(table, &draft);
            NAMES.with_borrow_mut(|names| names.extend(text(&draft, "userName").map(|name| (cx.clone(), name))));
            let created = now();
            let row = Row { id, resource, version: 1, created, modified: created, deleted: false };
            table.rows.push(row.clone());
            let shown = self.shown(table, &row);
            Ok(match self.fault {
                Some(Fault::AnswersWithLess) if shown.get("active").is_some() => {
                    shown.with("active", None::<bool>).unwrap()
                }
                Some(Fault::AnswersWithLess) if ty.name() == "Group" => {
                    shown.with("displayName", None::<String>).unwrap()
                }
                Some(Fault::ModifiedAfterCreation) => {
                    row.resource.stamped(&row.id, created, created + TimeDelta::minutes(1), &Version::from(1))
                }
                _ => shown,
            })
        });
        outcome.or_else(|error| self.failed(cx, error))
    }

    async fn replace(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.is_asked(Call::Replace);
        self.check_working(cx)?;
        let tenant = self.reach(cx, Some(key.id), Fault::ReplacesAcross);
        let find = |table: &Table| table.rows.iter().find(|row| row.id == key.id && !row.deleted).cloned();
        if self.is(Fault::ChecksThenWrites) || self.is(Fault::RenamesWithoutConstraint) || self.is(Fault::ComesBack) {
            let before = self.table(&tenant, |table| find(table)).ok_or(StoreError::NotFound)?;
            when.check(&Version::from(before.version))?;
            if let Some(error) =
                self.table(&tenant, |table| self.taken(&tenant, table, &new, Some(key.id), Fault::Nothing))
            {
                return Err(error);
            }
            pause().await;
            if self.is(Fault::ComesBack) {
                self.table(&tenant, |table| {
                    table.rows.iter_mut().filter(|r| r.id == key.id).for_each(|r| r.deleted = false)
                });
            }
            if self.is(Fault::RenamesWithoutConstraint) {
                let now = self.table(&tenant, |table| find(table)).ok_or(StoreError::NotFound)?;
                when.check(&Version::from(now.version))?;
            }
            return self.table(&tenant, |table| match find(table) {
                Some(_) => Ok(self.write(table, key.id, &new)),
                None => Err(StoreError::NotFound),
            });
        }
        if self.is(Fault::WritesInTwoSteps) {
            let half = self.table(&tenant, |table| find(table)).ok_or(StoreError::NotFound)?;
            when.check(&Version::from(half.version))?;
            self.table(&tenant, |table| {
                table.rows.iter_mut().filter(|r| r.id == key.id).for_each(|r| r.resource = plain(&new))
            });
            pause().await;
        }
        let outcome = self.table(&tenant, |table| {
            let Some(row) = find(table) else {
                let resurrected = self.is(Fault::Resurrects) && table.rows.iter().any(|row| row.id == key.id);
                if resurrected || (self.is(Fault::Upserts) && !table.rows.iter().any(|row| row.id == key.id)) {
                    table.rows.retain(|row| row.id != key.id);
                    let created = now();
                    table.rows.push(Row {
                        id: key.id.into(),
                        resource: plain(&new),
                        version: 9,
                        created,
                        modified: created,
                        deleted: false,
                    });
                    return Ok(self.shown(table, table.rows.last().unwrap()));
                }
                return Err(StoreError::NotFound);
            };
            if !self.is(Fault::ReplacesWhateverVersion) {
                let current = self.stamped(&row).version().unwrap();
                if self.is(Fault::LooksAtOneVersion) && first_is_another(&self.stamped(&row), when) {
                    return Err(StoreError::VersionMismatch);
                }
                if let Err(error) = when.check(&current) {
                    if self.is(Fault::TakesNamesOnRefusal) {
                        table.reserved.extend(text(&new, "userName"));
                    }
                    return Err(error);
                }
            }
            if let Some(error) = self.taken(&tenant, table, &new, Some(key.id), Fault::ReplacesIntoTaken) {
                return Err(error);
            }
            let mut new = new;
            if self.is(Fault::Merges) && new.get("displayName").is_none() {
                new = new.with("displayName", text(&row.resource, "displayName")).unwrap();
            }
            if self.is(Fault::ReplacesWithoutMembers) {
                let old: Vec<Reference> = row.resource.references("members").collect();
                new = new.with_references("members", &old);
            }
            if self.is(Fault::ReplacingEndsMemberships) && key.resource_type.name() == "User" {
                table.rows.iter_mut().for_each(|group| group.resource = without_member(&group.resource, key.id));
            }
            let shown = self.write(table, key.id, &new);
            Ok(match self.fault {
                Some(Fault::ReplaceAnswersWithOld) => {
                    row.resource.stamped(&row.id, row.created, row.modified, &shown.version().unwrap())
                }
                _ => shown,
            })
        });
        outcome.or_else(|error| self.failed(cx, error))
    }

    async fn delete(&self, cx: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        self.is_asked(Call::Delete);
        self.check_working(cx)?;
        let tenant = self.reach(cx, Some(key.id), Fault::DeletesAcross);
        if self.is(Fault::LeavesGroupsFirst) {
            self.table(&tenant, |table| {
                table.rows.iter_mut().for_each(|group| group.resource = without_member(&group.resource, key.id));
            });
            pause().await;
        }
        let outcome = self.table(&tenant, |table| {
            let Some(row) = table.rows.iter_mut().find(|row| row.id == key.id && !row.deleted) else {
                return if self.is(Fault::DeletesTwice) { Ok(()) } else { Err(StoreError::NotFound) };
            };
            if self.is(Fault::RefusesToDeleteVersions) && when.as_versions().is_some() {
                return Err(StoreError::VersionMismatch);
            }
            if self.is(Fault::DeletesAtOneVersion) && first_is_another(&self.stamped(row), when) {
                return Err(StoreError::VersionMismatch);
            }
            if !self.is(Fault::DeletesWhateverVersion) {
                when.check(&self.stamped(row).version().unwrap())?;
            }
            row.deleted = true;
            if !self.is(Fault::MembersStay) {
                for group in &mut table.rows {
                    let left = without_member(&group.resource, key.id);
                    if left != group.resource {
                        group.resource = left;
                        group.version += 1;
                        group.modified = now();
                    }
                }
            }
            Ok(())
        });
        if self.is(Fault::DeletesMembershipsEverywhere) {
            for table in self.tables().values_mut() {
                table.rows.iter_mut().for_each(|group| group.resource = group.resource.with_references("members", &[]));
            }
        }
        outcome.or_else(|error| self.failed(cx, error))
    }

    fn capabilities(&self) -> Capabilities {
        match self.fault {
            Some(Fault::CreatesAllTheSame) => Capabilities::default().without_create(),
            Some(Fault::DeletesAllTheSame) => Capabilities::default().without_delete(),
            _ if self.honesty == Honesty::Matches => Capabilities::default(),
            _ => Capabilities::default().with_cursor(),
        }
    }

    async fn patch(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        _: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        self.is_asked(Call::Patch);
        if self.honesty == Honesty::Candidates {
            return Ok(None);
        }
        super::patching::patch(self, cx, key, changes, when).await.map(Some)
    }
}

/// Whether the first of the versions that are asked for is not that of the resource.
pub(super) fn first_is_another(current: &Resource, when: Precondition<'_>) -> bool {
    when.as_versions()
        .and_then(|versions| versions.first())
        .is_some_and(|first| current.version().as_ref() != Some(first))
}

impl Model {
    /// What a cache makes of what was found.
    fn cached(&self, cx: &TenantId, id: &str, found: Option<Resource>) -> Option<Resource> {
        let across = self.is(Fault::CachesAcrossTenants);
        if !across && !self.is(Fault::CachesForever) {
            return found;
        }
        let own = self.table(cx, |table| table.rows.iter().any(|row| row.id == id));
        let mut cache = self.cache.lock().unwrap();
        match (cache.get(id), found) {
            // right as long as nobody else asks
            (Some(_), found) if across && own => found,
            (Some(cached), _) => Some(cached.clone()),
            (None, found) => {
                cache.extend(found.clone().map(|resource| (id.to_owned(), resource)));
                found
            }
        }
    }
}
