//! Writing: create, replace, patch, delete.

use http::StatusCode;

use super::answer::Reply;
use super::builder::PatchAnswer;
use super::observe::Trace;
use super::request::Call;
use super::{Inner, Registered};
use crate::Error;
use crate::etag::{Tags, Version};
use crate::patch::{Changes, Patch, Patched};
use crate::resource::{Projection, Reader, Resource, mutability};
use crate::store::{Context, Key, Precondition, StoreError};

impl<C: Context> Inner<C> {
    pub(super) async fn create(
        &self,
        registered: &Registered<C>,
        cx: &C,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Result<Reply, Error> {
        if !registered.store.capabilities().create {
            return Err(StoreError::Unsupported.into());
        }
        if matches!(call.if_match, Some(Tags::List(_))) && !call.in_bulk {
            let detail = "what is yet to be created has no version that `If-Match` could ask for";
            return Err(Error::new(StatusCode::PRECONDITION_FAILED, detail));
        }
        let asked = self.projection(registered, call)?;
        let draft = self.read(registered, call, trace)?;
        self.admit(cx, call, trace)?;
        charge_secrets(registered, call, draft.has_secrets());
        charge_values(registered, call, draft.list_values());
        let projection = asked.unwrap_or_else(|| supplied(registered, &draft));
        trace.changed = draft.assigned();
        let resource = registered.store.create(cx, &registered.ty, draft).await?;
        let id = resource.id().ok_or_else(|| StoreError::backend("the store gave no id"))?;
        trace.id = Some(id.to_owned());
        let location = self.location(registered, id);
        let reply = self.shown(&resource, &projection, call);
        Ok(Reply { status: StatusCode::CREATED, location: Some(location), ..reply })
    }

    pub(super) async fn replace(
        &self,
        registered: &Registered<C>,
        cx: &C,
        id: &str,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Result<Reply, Error> {
        let asked = self.projection(registered, call)?;
        let body = self.read(registered, call, trace)?;
        self.admit(cx, call, trace)?;
        charge_secrets(registered, call, body.has_secrets());
        charge_values(registered, call, body.list_values());
        let projection = asked.unwrap_or_else(|| supplied(registered, &body));
        let key = Key::new(&registered.ty, id);
        // members are replaced as a whole: what is there need not be read, unless it has to stay
        let has_references = registered.ty.has_references();
        let blind = has_references && !mutability::has_immutable_relation(registered.ty.table());
        let want = if blind { &registered.document } else { &registered.everything };
        for attempt in 0..=self.limits.retries {
            let current = registered.store.get(cx, key, want).await?.ok_or(StoreError::NotFound)?;
            let version = self.check(&current, call)?;
            charge_length(call, &current);
            let new = body.succeeding(&current)?;
            new.check_length(Some(&current), &self.limits).map_err(too_long)?;
            if !has_references && !new.has_secrets() && new.same_content(&current.without_references()) {
                return Ok(self.shown(&current, &projection, call));
            }
            trace.changed = new.differing(&current);
            // who was too late every time writes over what is there, as a client that names no version asks for
            let whatever = attempt == self.limits.retries && call.if_match.is_none() && call.if_none_match.is_none();
            let when = match whatever && registered.ty.keeps_nothing() {
                true => Precondition::NONE,
                false => Precondition::versions(&version),
            };
            match registered.store.replace(cx, key, new, when).await {
                Ok(resource) => {
                    charge_length(call, &resource);
                    return Ok(self.shown(&resource, &projection, call));
                }
                Err(StoreError::VersionMismatch) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    pub(super) async fn patch(
        &self,
        registered: &Registered<C>,
        cx: &C,
        id: &str,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Result<Reply, Error> {
        let asked = self.projection(registered, call)?;
        let patch = Patch::parse(call.body, &self.limits)?.from_entra(call.from_entra);
        trace.cost.operations = patch.len();
        self.admit(cx, call, trace)?;
        let changes = patch.bind_with(&registered.ty, self.rules().charged_to(&call.budget))?;
        charge_secrets(registered, call, changes.sets_secrets());
        trace.repairs.append(changes.repairs().clone());
        let body_wanted = asked.is_some() || registered.answer == PatchAnswer::Resource;
        let projection = asked.unwrap_or_else(|| match changes.supplied() {
            supplied if supplied.is_empty() => registered.default.clone(),
            supplied => registered.default.and(supplied),
        });
        let want = if body_wanted && call.wants_body { &projection } else { &registered.identity };
        let patched = self.carry_out(registered, cx, id, call, &changes, want).await?;
        charge_values(registered, call, changes.moved());
        charge_length(call, &patched.resource);
        trace.repairs.append(patched.repairs);
        if patched.changed {
            trace.changed = changes.attributes();
        }
        if body_wanted {
            return Ok(self.shown(&patched.resource, &projection, call));
        }
        Ok(Reply::empty(StatusCode::NO_CONTENT).with_etag(patched.resource.version().as_ref()))
    }

    pub(super) async fn delete(
        &self,
        registered: &Registered<C>,
        cx: &C,
        id: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Error> {
        if !registered.store.capabilities().delete {
            return Err(StoreError::Unsupported.into());
        }
        let key = Key::new(&registered.ty, id);
        self.check_none_match(registered, cx, key, call).await?;
        registered.store.delete(cx, key, precondition(call)).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }

    /// In place where the store can, else by reading, applying and replacing. A lost race is repeated: the client did not
    /// ask for a version, so it does not have to know that somebody else was faster.
    async fn carry_out(
        &self,
        registered: &Registered<C>,
        cx: &C,
        id: &str,
        call: &Call<'_>,
        changes: &Changes,
        want: &Projection,
    ) -> Result<Patched, Error> {
        let key = Key::new(&registered.ty, id);
        self.check_none_match(registered, cx, key, call).await?;
        for _ in 0..=self.limits.retries {
            match registered.store.patch(cx, key, changes, precondition(call), want).await {
                Ok(Some(patched)) => return Ok(patched),
                Ok(None) => break,
                Err(StoreError::VersionMismatch) if call.if_match.is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
        for _ in 0..=self.limits.retries {
            let current = registered.store.get(cx, key, &registered.everything).await?.ok_or(StoreError::NotFound)?;
            charge_length(call, &current);
            let version = self.check(&current, call)?;
            let patched = changes.apply(&current)?;
            if !patched.changed {
                return Ok(patched);
            }
            let new = patched.resource.clone();
            match registered.store.replace(cx, key, new, Precondition::versions(&version)).await {
                Ok(resource) => return Ok(Patched { resource, ..patched }),
                Err(StoreError::VersionMismatch) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    fn read(&self, registered: &Registered<C>, call: &Call<'_>, trace: &mut Trace) -> Result<Resource, Error> {
        let reader = Reader::new(&registered.ty, self.rules().charged_to(&call.budget));
        let resource = reader.body_and_repairs(call.body, &mut trace.repairs)?;
        resource.check_length(None, &self.limits).map_err(too_long)?;
        Ok(resource)
    }

    /// Checks the request's conditions against a resource. Gives its version, for compare-and-swap.
    fn check(&self, current: &Resource, call: &Call<'_>) -> Result<[Version; 1], Error> {
        let version = current.version().ok_or_else(|| StoreError::backend("the store gave no version"))?;
        if call.if_match.as_ref().is_some_and(|tags| !tags.contains(&version)) {
            return Err(StoreError::VersionMismatch.into());
        }
        if call.if_none_match.as_ref().is_some_and(|tags| tags.contains(&version)) {
            return Err(none_match_failed());
        }
        Ok([version])
    }

    /// `If-None-Match` on a change is rare enough for a read of its own.
    async fn check_none_match(
        &self,
        registered: &Registered<C>,
        cx: &C,
        key: Key<'_>,
        call: &Call<'_>,
    ) -> Result<(), Error> {
        let Some(tags) = &call.if_none_match else { return Ok(()) };
        let current = registered.store.get(cx, key, &registered.identity).await?.ok_or(StoreError::NotFound)?;
        match current.version() {
            Some(version) if tags.contains(&version) => Err(none_match_failed()),
            _ => Ok(()),
        }
    }
}

impl<C> Inner<C> {
    /// A resource as the answer to a change, if anybody reads it.
    fn shown(&self, resource: &Resource, projection: &Projection, call: &Call<'_>) -> Reply {
        match call.wants_body {
            true => self.show(resource, projection),
            false => Reply::empty(StatusCode::OK).with_etag(resource.version().as_ref()),
        }
    }
}

/// What a creation or replacement answers with: the default, and what the client sent of `returned: request`.
fn supplied<C>(registered: &Registered<C>, draft: &Resource) -> Projection {
    registered.default.with_supplied(draft)
}

fn precondition<'c>(call: &'c Call<'_>) -> Precondition<'c> {
    match &call.if_match {
        Some(Tags::List(versions)) => Precondition::versions(versions),
        Some(Tags::Any) | None => Precondition::NONE,
    }
}

fn too_long(detail: String) -> Error {
    Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Charges what a store said that a password costs it: the operations of a bulk request share an account.
fn charge_secrets<C: Context>(registered: &Registered<C>, call: &Call<'_>, has_secrets: bool) {
    if has_secrets {
        call.budget.charge(registered.store.capabilities().password_work);
    }
}

/// Charges what a store said that the values of lists cost it.
fn charge_values<C: Context>(registered: &Registered<C>, call: &Call<'_>, values: usize) {
    let values = u64::try_from(values).unwrap_or(u64::MAX);
    call.budget.charge(values.saturating_mul(registered.store.capabilities().value_work));
}

/// Charges the work of putting together what a store gave: a group has no bound of its own.
fn charge_length(call: &Call<'_>, resource: &Resource) {
    let length = u64::try_from(resource.as_json().len()).unwrap_or(u64::MAX);
    call.budget.charge(length.saturating_mul(BYTE));
}

/// What a byte of a resource costs, in nanoseconds, from the store to the answer.
const BYTE: u64 = 4;

fn none_match_failed() -> Error {
    Error::new(StatusCode::PRECONDITION_FAILED, "the resource has a version that `If-None-Match` excludes")
}

/// Other writers were faster every time.
fn contended() -> Error {
    Error::new(StatusCode::SERVICE_UNAVAILABLE, "the resource is being changed by others: try again")
        .with_retry_after(1)
        .with_source(StoreError::VersionMismatch)
}
