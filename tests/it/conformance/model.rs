//! A store of a few lines, right or wrong in one way: what shows that a case can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use chrono::{DateTime, SubsecRound, Utc};
use scim_provider::conformance::{Fixture, Tenant};
use scim_provider::{Reference, Resource, Secret, StoreError, TenantId, Version, fold};

use super::faults::Fault;
use super::reach::Call;

/// One resource. Members are part of the document; `groups` is made on reading.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) resource: Resource,
    pub(super) version: u64,
    pub(super) created: DateTime<Utc>,
    pub(super) modified: DateTime<Utc>,
    pub(super) deleted: bool,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// names that are taken without a resource: only a wrong store has some
    pub(super) reserved: Vec<String>,
    pub(super) lists: usize,
    pub(super) poisoned: bool,
}

/// The store. With no fault, it conforms.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) fault: Option<Fault>,
    pub(super) honesty: Honesty,
    tables: Arc<Mutex<BTreeMap<TenantId, Table>>>,
    /// what was read once: only a wrong store keeps it
    pub(super) cache: Arc<Mutex<BTreeMap<String, Resource>>>,
    /// what was asked of this store
    pub(super) asked: Arc<Mutex<BTreeSet<Call>>>,
}

/// What the store declares of its pages, and whether it patches in place: all of these are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Honesty {
    Exact,
    Matches,
    Candidates,
}

impl Model {
    pub(super) fn new(fault: Option<Fault>, honesty: Honesty) -> Self {
        Self { fault, honesty, tables: Arc::default(), cache: Arc::default(), asked: Arc::default() }
    }

    /// Another store over the same tables.
    fn beside(&self, fault: Option<Fault>) -> Self {
        Self { tables: self.tables.clone(), ..Self::new(fault, self.honesty) }
    }

    pub(super) fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(super) fn is_asked(&self, call: Call) {
        self.asked.lock().unwrap().insert(call);
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, BTreeMap<TenantId, Table>> {
        self.tables.lock().unwrap()
    }

    /// The tenant whose table a call uses.
    pub(super) fn reach(&self, cx: &TenantId, key: Option<&str>, crossing: Fault) -> TenantId {
        if self.is(crossing) {
            let tables = self.tables();
            let holds = |table: &Table| key.is_none_or(|id| table.rows.iter().any(|row| row.id == id));
            if let Some((tenant, _)) = tables.iter().find(|(_, table)| holds(table)) {
                return tenant.clone();
            }
        }
        cx.clone()
    }

    pub(super) fn table<T>(&self, tenant: &TenantId, run: impl FnOnce(&mut Table) -> T) -> T {
        run(self.tables().entry(tenant.clone()).or_default())
    }

    /// Lets others run in the middle of a method: only a wrong store does.
    pub(super) async fn pause(&self, fault: Fault) {
        if self.is(fault) {
            pause().await;
        }
    }

    pub(super) fn id_for(&self, table: &Table, draft: &Resource) -> String {
        let number = table.rows.len();
        match self.fault {
            Some(Fault::IdIsBulkId) => format!("bulkId:{}", uuid()),
            Some(Fault::IdsRunOut) => format!("user-{}", number % 16),
            Some(Fault::IdsAreReused) => format!("user-{}", table.rows.iter().filter(|row| !row.deleted).count()),
            Some(Fault::IdFromName) => fold(&called(draft).unwrap_or_else(uuid)).into_owned(),
            // numbers that each tenant begins anew are as good
            _ if self.honesty == Honesty::Matches => (number + 1).to_string(),
            _ => uuid(),
        }
    }

    /// What is kept of what was sent.
    pub(super) fn kept(&self, draft: &Resource) -> Resource {
        // attributes that the type does not have are left alone
        let set = |path: &str, change: &dyn Fn(String) -> String| match text(draft, path) {
            Some(value) => draft.with(path, change(value)).unwrap(),
            None => draft.clone(),
        };
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        match self.fault {
            Some(Fault::LosesActive) if draft.get("active").is_some() && draft.get("displayName").is_some() => {
                draft.with("active", true).unwrap()
            }
            Some(Fault::LowersNames) => set(name(draft), &|t| t.to_lowercase()),
            Some(Fault::Trims) => set("displayName", &|t| t.trim().to_owned()),
            Some(Fault::ThreeByteCharacters) => {
                set("displayName", &|t| t.chars().filter(|c| c.len_utf8() < 4).collect())
            }
            Some(Fault::Cuts) => set("displayName", &|t| t.chars().take(255).collect()),
            Some(Fault::LowersExternalIds) => set("externalId", &|t| t.to_lowercase()),
            Some(Fault::OneEmail) => match draft.get("emails").and_then(|emails| emails.elements().next()) {
                Some(first) => draft.with("emails", [first.to::<serde_json::Value>().unwrap()]).unwrap(),
                None => draft.clone(),
            },
            Some(Fault::LosesGivenNames) => set("name.givenName", &|_| String::new()),
            Some(Fault::LosesExtensions) => set(enterprise, &|_| String::new()),
            Some(Fault::ShowsPasswords) => match draft.secret("password") {
                Secret::Set(password) => draft.with("displayName", password.reveal()).unwrap(),
                _ => draft.clone(),
            },
            _ => draft.clone(),
        }
    }

    pub(super) fn stamped(&self, row: &Row) -> Resource {
        let version = match self.fault {
            // of the content only: it comes back when the content does
            Some(Fault::VersionFromContent) => {
                Version::from(row.resource.as_json().iter().fold(7_u64, |h, b| h.wrapping_mul(31) ^ u64::from(*b)))
            }
            Some(Fault::VersionFromSeconds) => Version::from(row.modified.timestamp().unsigned_abs()),
            _ => Version::from(row.version),
        };
        row.resource.stamped(&row.id, row.created, row.modified, &version)
    }

    /// The resource as it is shown: with the groups of a user.
    pub(super) fn shown(&self, table: &Table, row: &Row) -> Resource {
        if row.resource.resource_type().name() != "User" {
            return self.stamped(row);
        }
        let holds = |group: &&Row| {
            group.resource.resource_type().name() == "Group"
                && (!group.deleted || self.is(Fault::DeletedGroupsStay))
                && (self.is(Fault::EveryGroup) || group.resource.references("members").any(|m| m.value() == *row.id))
        };
        let groups = table.rows.iter().filter(holds).map(|group| Reference::to(&group.id, Some("direct"), None));
        let groups: Vec<Reference> = groups.collect();
        self.stamped(row).with_references("groups", &groups)
    }

    /// Who else has the name.
    pub(super) fn taken(
        &self,
        tenant: &TenantId,
        table: &Table,
        new: &Resource,
        own: Option<&str>,
        refused: Fault,
    ) -> Option<StoreError> {
        if self.is(refused) {
            return None;
        }
        let name = text(new, "userName")?;
        let folded = fold(&name);
        let same = |other: &str| match self.fault {
            Some(Fault::UniqueByLetter) => other == name,
            Some(Fault::UniqueInLowerCase) => other.to_lowercase() == name.to_lowercase(),
            Some(Fault::UniqueInAscii) => other.eq_ignore_ascii_case(&name),
            Some(Fault::UniqueInFull) => folded_in_full(other) == folded_in_full(&name),
            _ => fold(other) == folded,
        };
        let clashes = |row: &Row| {
            let itself = own == Some(row.id.as_str());
            let counts = !row.deleted || self.is(Fault::DeletedNamesStay);
            let recased = self.is(Fault::OwnNameClashes) && text(&row.resource, "userName").as_deref() != Some(&name);
            counts && (!itself || recased) && text(&row.resource, "userName").is_some_and(|other| same(&other))
        };
        let mut taken = table.rows.iter().any(clashes) || table.reserved.iter().any(|r| same(r));
        if self.is(Fault::ExternalIdsUnique) {
            let external = text(new, "externalId");
            taken |= external.is_some() && table.rows.iter().any(|r| text(&r.resource, "externalId") == external);
        }
        let across = if own.is_none() { Fault::NamesAcrossTenants } else { Fault::RenamesAcrossTenants };
        if self.is(across) {
            // the caller holds the lock on all tables: only a copy of the names can be asked
            taken |= NAMES.with_borrow(|names| names.iter().any(|(of, n)| of != tenant && same(n)));
        }
        let attribute = if self.is(Fault::ConflictNamesConstraint) { "users_user_name_key" } else { "userName" };
        taken.then(|| StoreError::conflict(attribute))
    }

    /// Members with the names of whoever has the id, in whatever tenant: only a wrong store does that.
    pub(super) fn with_displays(&self, group: Resource) -> Resource {
        if !self.is(Fault::MembersOfAnyTenant) || group.references("members").next().is_none() {
            return group;
        }
        let tables = self.tables();
        let display = |id: &str| {
            let row = tables.values().flat_map(|table| &table.rows).find(|row| row.id == id)?;
            text(&row.resource, "displayName")
        };
        let named =
            |member: Reference| Reference::to(&member.value(), Some("User"), display(&member.value()).as_deref());
        let members: Vec<Reference> = group.references("members").map(named).collect();
        group.with_references("members", &members)
    }

    pub(super) fn write(&self, table: &mut Table, id: &str, resource: &Resource) -> Resource {
        let keeps_name = self.is(Fault::FormerNamesStay);
        let row = table.rows.iter_mut().find(|row| row.id == id && !row.deleted).unwrap();
        let former = text(&row.resource, "userName").filter(|_| keeps_name);
        row.resource = plain(resource);
        row.version += 1;
        if !self.is(Fault::TimeStands) {
            row.modified = now().max(row.modified);
        }
        if self.is(Fault::CreationMoves) {
            row.created = row.modified;
        }
        let row = row.clone();
        table.reserved.extend(former.filter(|f| text(resource, "userName").is_some_and(|n| fold(&n) != fold(f))));
        self.shown(table, &row)
    }

    pub(super) fn failed<T>(&self, tenant: &TenantId, error: StoreError) -> Result<T, StoreError> {
        if self.is(Fault::StuckAfterFailure) {
            self.table(tenant, |table| table.poisoned = true);
        }
        Err(error)
    }

    pub(super) fn check_working(&self, tenant: &TenantId) -> Result<(), StoreError> {
        match self.table(tenant, |table| std::mem::take(&mut table.poisoned)) {
            true => Err(StoreError::backend("current transaction is aborted")),
            false => Ok(()),
        }
    }
}

thread_local! {
    /// Every name that was ever created on this thread since the last fixture: for two faults.
    pub(super) static NAMES: std::cell::RefCell<Vec<(TenantId, String)>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// The document without what is made on reading.
pub(super) fn plain(resource: &Resource) -> Resource {
    resource.with_references("groups", &[])
}
pub(super) fn without_member(group: &Resource, id: &str) -> Resource {
    let left: Vec<Reference> = group.references("members").filter(|member| member.value() != id).collect();
    if group.references("members").count() == left.len() {
        group.clone()
    } else {
        group.with_references("members", &left)
    }
}

pub(super) async fn pause() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) fn text(resource: &Resource, path: &str) -> Option<String> {
    resource.text(path).map(|text| text.into_owned())
}

/// The attribute that a resource is called by.
pub(super) fn name(resource: &Resource) -> &'static str {
    if resource.resource_type().name() == "User" { "userName" } else { "displayName" }
}

/// What a resource is called.
pub(super) fn called(resource: &Resource) -> Option<String> {
    text(resource, name(resource))
}

/// Unicode's full folding, as far as the kit goes: one letter may be several.
pub(super) fn folded_in_full(text: &str) -> String {
    fold(text).replace('ß', "ss").replace('\u{FB01}', "fi")
}

pub(super) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

pub(super) fn uuid() -> String {
    crate::server::random_uuid()
}

/// Which of the two stores has the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Users,
    Groups,
}

/// A fixture over the model: two stores over the same tables, of which one may be wrong.
pub(super) struct Models {
    users: Model,
    groups: Model,
}

impl Models {
    pub(super) fn right(honesty: Honesty) -> Self {
        NAMES.with_borrow_mut(Vec::clear);
        let users = Model::new(None, honesty);
        Self { groups: users.beside(None), users }
    }

    pub(super) fn wrong(fault: Fault, side: Side) -> Self {
        let mut models = Self::right(Honesty::Exact);
        let store = match side {
            Side::Users => &mut models.users,
            Side::Groups => &mut models.groups,
        };
        *store = store.beside(Some(fault));
        models
    }

    /// What was asked of the stores.
    pub(super) fn asked(&self) -> [BTreeSet<Call>; 2] {
        [&self.users, &self.groups].map(|model| model.asked.lock().unwrap().clone())
    }
}

impl Fixture for Models {
    type Context = TenantId;
    type Users = Model;
    type Groups = Model;

    async fn new() -> Self {
        Self::right(Honesty::Exact)
    }

    fn users(&self) -> &Model {
        self.users.is_asked(Call::Any);
        &self.users
    }

    fn groups(&self) -> Option<&Model> {
        self.groups.is_asked(Call::Any);
        Some(&self.groups)
    }

    fn tenant(&self, tenant: Tenant) -> TenantId {
        TenantId::new(format!("{tenant:?}")).unwrap()
    }
}
