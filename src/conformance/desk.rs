//! One tenant at one store: calls are written down as they are made, so that a failure can say what was done.

use std::sync::OnceLock;

use serde_json::{Value, json};

pub(super) use super::shown::{content, has_all_of, id_of, members, show, version_of};
use super::shown::{told, told_when, unordered};
use super::verdict::{Log, Stop, Verdict};
use super::{Fixture, Tenant};
use crate::resource::{Known, Links};
use crate::{
    Capabilities, Changes, Compat, Key, Limits, Page, Patch, Patched, Precondition, Projection, Query, Resource,
    ResourceType, ResourceWriter, Store, StoreError,
};

/// A case that has begun: a fixture, and the section that the case is about.
pub(super) struct Case<'f, F> {
    fixture: &'f F,
    pub(super) log: Log,
    /// built once for both tenants
    users: OnceLock<Built>,
    groups: OnceLock<Built>,
}

type Built = Result<ResourceType, String>;

impl<'f, F: Fixture> Case<'f, F> {
    pub(super) fn new(fixture: &'f F, section: &'static str) -> Self {
        Self { fixture, log: Log::new(section), users: OnceLock::new(), groups: OnceLock::new() }
    }

    /// A tenant at the store of users. Cases make what they look at, so none applies where nothing can be created.
    pub(super) fn users(&self, tenant: Tenant) -> Result<Desk<'f, F::Users>, Stop> {
        self.any_users(tenant)?.which_creates()
    }

    /// The same, whether resources can be created or not.
    pub(super) fn any_users(&self, tenant: Tenant) -> Result<Desk<'f, F::Users>, Stop> {
        let ty = self.users.get_or_init(|| F::user_type().build().map_err(|error| error.to_string()));
        self.desk(self.fixture.users(), ty, tenant)
    }

    /// A tenant at the store of groups.
    pub(super) fn groups(&self, tenant: Tenant) -> Result<Desk<'f, F::Groups>, Stop> {
        let store = self.fixture.groups().ok_or(Stop::NotApplicable("the fixture has no groups"))?;
        let ty = self.groups.get_or_init(|| F::group_type().build().map_err(|error| error.to_string()));
        self.desk(store, ty, tenant)?.which_creates()
    }

    /// Goes on only where users have a place for the attribute.
    pub(super) fn needs(&self, attribute: &str) -> Verdict {
        let keeps = F::keeps(attribute);
        if keeps { Ok(()) } else { Err(Stop::NotApplicable("users have no place for an attribute of the case")) }
    }

    fn desk<S: Store<Context = F::Context>>(
        &self,
        store: &'f S,
        ty: &Built,
        tenant: Tenant,
    ) -> Result<Desk<'f, S>, Stop> {
        if tenant == Tenant::B && !F::has_tenants() {
            return Err(Stop::NotApplicable("a store has one tenant"));
        }
        let log = self.log.clone();
        let ty = ty.clone().map_err(|error| log.failure("a resource type that can be built", error))?;
        Ok(Desk { store, cx: self.fixture.tenant(tenant), ty, limits: Limits::default(), tenant, log })
    }
}

/// One tenant at one store.
pub(super) struct Desk<'f, S: Store> {
    store: &'f S,
    cx: S::Context,
    pub(super) ty: ResourceType,
    limits: Limits,
    tenant: Tenant,
    pub(super) log: Log,
}

/// What a query came to, after what the store left has been done, as the service does it.
pub(super) struct Listed {
    pub(super) resources: Vec<Resource>,
    pub(super) total: usize,
}

impl Listed {
    pub(super) fn ids(&self) -> Vec<&str> {
        self.resources.iter().map(id_of).collect()
    }
}

/// The ways in which a store refuses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    NotFound,
    Conflict,
    VersionMismatch,
    Unsupported,
    Patch,
}

impl<S: Store> Desk<'_, S> {
    pub(super) fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn which_creates(self) -> Result<Self, Stop> {
        let create = self.capabilities().create;
        if create { Ok(self) } else { Err(Stop::NotApplicable("the store does not create resources")) }
    }

    /// Goes on only where the store deletes.
    pub(super) fn which_deletes(self) -> Result<Self, Stop> {
        let delete = self.capabilities().delete;
        if delete { Ok(self) } else { Err(Stop::NotApplicable("the store does not delete resources")) }
    }

    /// Goes on only where the store finds the positions of cursors.
    pub(super) fn which_finds_cursors(self) -> Result<Self, Stop> {
        let cursor = self.capabilities().cursor;
        if cursor { Ok(self) } else { Err(Stop::NotApplicable("the store leaves pages by cursor to the service")) }
    }

    /// Goes on only where the store finds them in both directions.
    pub(super) fn which_goes_back(self) -> Result<Self, Stop> {
        let back = self.capabilities().previous_cursor;
        let desk = self.which_finds_cursors()?;
        if back { Ok(desk) } else { Err(Stop::NotApplicable("the store finds no page before a position")) }
    }

    /// Goes on with so little memory for a query that no page has room for three resources.
    pub(super) fn which_may_hold_little(mut self) -> Self {
        self.limits.query_bytes = 1;
        self
    }

    /// What a client sends; `schemas` is added.
    pub(super) fn draft(&self, mut content: Value) -> Result<Resource, Stop> {
        if let Some(members) = content.as_object_mut() {
            let extensions = self.ty.extensions().map(|(schema, _)| schema.id.clone());
            let named: Vec<String> = extensions.filter(|id| members.contains_key(id)).collect();
            let schemas: Vec<String> = std::iter::once(self.ty.schema().id.clone()).chain(named).collect();
            members.insert("schemas".to_owned(), json!(schemas));
        }
        let parsed = Resource::parse(&self.ty, content.to_string().as_bytes());
        parsed.map_err(|violation| self.log.failure("a type that allows what the case sends", violation.to_string()))
    }

    /// Goes on only where the host's type has no rule against such a text, as for names that no two groups share.
    pub(super) fn allows(&self, content: &Value) -> Verdict {
        let refused = |_| Stop::NotApplicable("the type does not allow such a text");
        self.draft(content.clone()).map(drop).map_err(refused)
    }

    pub(super) async fn try_create(&self, content: Value) -> Result<Result<Resource, StoreError>, Stop> {
        let draft = self.draft(content.clone())?;
        let outcome = self.store.create(&self.cx, &self.ty, draft).await;
        self.note(format!("create {content}"), &told(&outcome));
        Ok(outcome)
    }

    pub(super) async fn create(&self, content: Value) -> Result<Resource, Stop> {
        let created = self.try_create(content).await?;
        let created = self.done(created, "the creation to succeed")?;
        let complete = created.id().is_some_and(|id| !id.is_empty()) && created.version().is_some();
        self.log.expect(complete, "a created resource with id and meta.version", show(&created))?;
        Ok(created)
    }

    /// The attribute that resources of the type are known by.
    pub(super) fn name(&self) -> &'static str {
        let is_user = self.ty.schema().attributes.iter().any(|attribute| attribute.name == "userName");
        if is_user { "userName" } else { "displayName" }
    }

    /// What a client sends of a resource with a name and nothing else.
    pub(super) fn named(&self, name: &str) -> Value {
        json!({self.name(): name})
    }

    /// A resource with this name, whose `displayName` is the label: the name of a group gives way to it.
    pub(super) fn labelled(&self, name: &str, label: &str) -> Value {
        let mut content = self.named(name);
        if let Some(members) = content.as_object_mut() {
            members.insert("displayName".to_owned(), json!(label));
        }
        content
    }

    /// A resource with some attributes: a name and a label, and of a user whether it is active.
    pub(super) fn filled(&self) -> Value {
        match self.name() {
            "userName" => json!({"userName": "ada", "displayName": "Ada", "active": true}),
            _ => self.named("Ada"),
        }
    }

    /// Creates a resource with a name and nothing else.
    pub(super) async fn create_named(&self, name: &str) -> Result<Resource, Stop> {
        self.create(self.named(name)).await
    }

    /// Creates a group with these members.
    pub(super) async fn create_group(&self, name: &str, members: &[&Resource]) -> Result<Resource, Stop> {
        let members: Vec<Value> = members.iter().map(|m| json!({"value": id_of(m)})).collect();
        self.create(json!({"displayName": name, "members": members})).await
    }

    pub(super) async fn try_get(&self, id: &str, want: &Projection) -> Result<Option<Resource>, StoreError> {
        let outcome = self.store.get(&self.cx, Key::new(&self.ty, id), want).await;
        self.note(
            format!("get `{id}`"),
            &match &outcome {
                Ok(None) => "None".to_owned(),
                Ok(Some(resource)) => show(resource),
                Err(error) => format!("{error:?}"),
            },
        );
        outcome
    }

    pub(super) async fn get(&self, id: &str) -> Result<Option<Resource>, Stop> {
        let outcome = self.try_get(id, &Projection::everything(&self.ty)).await;
        self.done(outcome, "`get` to answer with a resource or `None`")
    }

    /// Checks that `show` gives what `get` gives, in whatever order the values of an attribute come.
    pub(super) async fn shows_what_it_reads(&self, id: &str) -> Verdict {
        let links = Links::default();
        let want = Projection::default_of(&self.ty);
        let mut writer = ResourceWriter::new(&want, &links, Known::default());
        let shown = self.store.show(&self.cx, Key::new(&self.ty, id), &mut writer).await;
        let shown = self.done(shown, "`show` to say whether the resource is there")?;
        let written = writer.finish().filter(|_| shown).map(|written| unordered(&written.body));
        self.note(format!("show `{id}`"), &format!("{written:?}"));
        let read = self.try_get(id, &want).await;
        let read = self.done(read, "`get` to answer with a resource or `None`")?;
        let mut writer = ResourceWriter::new(&want, &links, Known::default());
        let expected = read.and_then(|resource| {
            writer.resource(&resource);
            writer.finish().map(|written| unordered(&written.body))
        });
        self.log.expect(written == expected, format!("{expected:?}, as read"), format!("{written:?}"))
    }

    /// Reads a resource that has to be there.
    pub(super) async fn read(&self, id: &str) -> Result<Resource, Stop> {
        let found = self.get(id).await?;
        found.ok_or_else(|| self.log.failure(format!("`get` to find `{id}`"), "None"))
    }

    /// Checks that a resource is not there.
    pub(super) async fn gone(&self, id: &str, why: &str) -> Verdict {
        let found = self.get(id).await?;
        self.log.expect(
            found.is_none(),
            format!("`get` to answer `None`: {why}"),
            found.map_or_else(String::new, |r| show(&r)),
        )
    }

    /// Checks that a resource is as it was, its version included.
    pub(super) async fn untouched(&self, before: &Resource, why: &str) -> Verdict {
        let now = self.read(id_of(before)).await?;
        let same = content(&now) == content(before) && now.version() == before.version();
        self.log.expect(same, format!("{} as it was: {why}", show(before)), show(&now))
    }

    pub(super) fn query(&self, url: &str) -> Result<Query, Stop> {
        let encoded = url.replace('%', "%25").replace('+', "%2B");
        let query = Query::from_url(&self.ty, &encoded, Compat::default(), &self.limits);
        query.map_err(|error| self.log.failure(format!("a type that allows the query `{url}`"), error.to_string()))
    }

    pub(super) async fn page(&self, url: &str, query: &Query) -> Result<Page, Stop> {
        let outcome = self.store.list(&self.cx, &self.ty, query).await;
        self.note(
            format!("list `{url}`"),
            &match &outcome {
                Ok(page) => format!("{} resources, total {:?}", page.resources().len(), page.total()),
                Err(error) => format!("{error:?}"),
            },
        );
        self.done(outcome, "`list` to answer with a page")
    }

    /// Lists, and does what the store left to do.
    pub(super) async fn list(&self, url: &str) -> Result<Listed, Stop> {
        let query = self.query(url)?;
        let page = self.page(url, &query).await?;
        let mut resources = page.resources().to_vec();
        if let Some(total) = page.total() {
            return Ok(Listed { resources, total });
        }
        if let Some(filter) = query.filter.as_ref().filter(|_| !page.is_filtered()) {
            resources.retain(|resource| filter.matches(resource));
        }
        if let Some(sort) = &query.sort {
            resources.sort_by(|a, b| sort.compare(a, b));
        }
        let total = resources.len();
        Ok(Listed { resources: resources.into_iter().skip(query.offset).take(query.limit).collect(), total })
    }

    pub(super) async fn try_replace(
        &self,
        id: &str,
        content: Value,
        when: Precondition<'_>,
    ) -> Result<Result<Resource, StoreError>, Stop> {
        let new = self.draft(content)?;
        Ok(self.try_replace_by(id, new, when).await)
    }

    pub(super) async fn try_replace_by(
        &self,
        id: &str,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let call = format!("replace `{id}` by {}{}", String::from_utf8_lossy(new.as_json()), told_when(when));
        let outcome = self.store.replace(&self.cx, Key::new(&self.ty, id), new, when).await;
        self.note(call, &told(&outcome));
        outcome
    }

    pub(super) async fn replace(&self, id: &str, content: Value) -> Result<Resource, Stop> {
        let outcome = self.try_replace(id, content, Precondition::NONE).await?;
        self.done(outcome, "the replacement to succeed")
    }

    pub(super) async fn try_delete(&self, id: &str, when: Precondition<'_>) -> Result<(), StoreError> {
        let outcome = self.store.delete(&self.cx, Key::new(&self.ty, id), when).await;
        self.note(format!("delete `{id}`{}", told_when(when)), &format!("{outcome:?}"));
        outcome
    }

    pub(super) async fn delete(&self, id: &str) -> Verdict {
        let outcome = self.try_delete(id, Precondition::NONE).await;
        self.done(outcome, "the deletion to succeed")
    }

    pub(super) fn changes(&self, operations: &Value) -> Result<Changes, Stop> {
        let message =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}).to_string();
        let limits = Limits::default();
        let changes = Patch::parse(message.as_bytes(), &limits)
            .and_then(|patch| patch.bind(&self.ty, Compat::default(), &limits));
        changes.map_err(|error| self.log.failure("a type that allows the PATCH of the case", error.to_string()))
    }

    /// Carries a PATCH out as the service does: in place where the store can, else by reading, applying and replacing.
    pub(super) async fn try_patch(
        &self,
        id: &str,
        operations: Value,
        when: Precondition<'_>,
    ) -> Result<Result<Patched, StoreError>, Stop> {
        let changes = self.changes(&operations)?;
        let outcome = self.carry_out(id, &changes, when).await;
        let told = match &outcome {
            Ok(patched) => format!("changed: {}, {}", patched.changed, show(&patched.resource)),
            Err(error) => format!("{error:?}"),
        };
        self.note(format!("patch `{id}` {operations}{}", told_when(when)), &told);
        Ok(outcome)
    }

    pub(super) async fn patch(&self, id: &str, operations: Value) -> Result<Patched, Stop> {
        let outcome = self.try_patch(id, operations, Precondition::NONE).await?;
        self.done(outcome, "the PATCH to succeed")
    }

    async fn carry_out(&self, id: &str, changes: &Changes, when: Precondition<'_>) -> Result<Patched, StoreError> {
        let key = Key::new(&self.ty, id);
        let everything = Projection::everything(&self.ty);
        // losing to every other writer of a case is no fault; losing forever would be one
        for _ in 0..64 {
            match self.store.patch(&self.cx, key, changes, when, &everything).await {
                Ok(Some(patched)) => return Ok(patched),
                Ok(None) => {}
                Err(StoreError::VersionMismatch) if when.as_versions().is_none() => continue,
                Err(error) => return Err(error),
            }
            let current = self.store.get(&self.cx, key, &everything).await?.ok_or(StoreError::NotFound)?;
            let version = version_of(&current);
            when.check(&version)?;
            let version = [version];
            let patched = changes.apply(&current)?;
            if !patched.changed {
                return Ok(patched);
            }
            match self.store.replace(&self.cx, key, patched.resource, Precondition::versions(&version)).await {
                Ok(resource) => return Ok(Patched::new(resource, true)),
                Err(StoreError::VersionMismatch) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::VersionMismatch)
    }

    /// The outcome of a call that has to succeed.
    pub(super) fn done<T>(&self, outcome: Result<T, StoreError>, expected: &str) -> Result<T, Stop> {
        outcome.map_err(|error| self.log.failure(expected, format!("{error:?}")))
    }

    /// Checks that a call was refused in the right way.
    pub(super) fn refused<T>(&self, outcome: Result<T, StoreError>, refusal: Refusal, why: &str) -> Verdict {
        let holds = outcome.as_ref().err().is_some_and(|error| refusal.is(error));
        let found = outcome.err().map_or_else(|| "it succeeded".to_owned(), |error| format!("{error:?}"));
        self.log.expect(holds, format!("`StoreError::{refusal:?}`: {why}"), found)
    }

    fn note(&self, call: String, outcome: &str) {
        self.log.step(format!("{}, {}: {call}: {outcome}", self.tenant, self.ty.name()));
    }
}

impl Refusal {
    pub(super) fn is(self, error: &StoreError) -> bool {
        match self {
            Self::NotFound => matches!(error, StoreError::NotFound),
            Self::Conflict => matches!(error, StoreError::Conflict { .. }),
            Self::VersionMismatch => matches!(error, StoreError::VersionMismatch),
            Self::Unsupported => matches!(error, StoreError::Unsupported),
            Self::Patch => matches!(error, StoreError::Patch(_)),
        }
    }
}
