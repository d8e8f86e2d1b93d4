//! Reading: one resource, or those that a query asks for.

use http::{Method, StatusCode};

use super::answer::Reply;
use super::observe::Trace;
use super::request::Call;
use super::{Inner, Registered};
use crate::Error;
use crate::messages::LIST_RESPONSE_SCHEMA;
use crate::query::{Parameters, Query};
use crate::resource::{Projection, Resource};
use crate::schema::table::Relation;
use crate::store::{Context, Extent, Key, StoreError};

impl<C: Context> Inner<C> {
    pub(super) async fn get(
        &self,
        registered: &Registered<C>,
        cx: &C,
        id: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Error> {
        let asked = self.projection(registered, call)?;
        let projection = asked.as_ref().unwrap_or(&registered.default);
        let found = registered.store.get(cx, Key::new(&registered.ty, id), projection).await?;
        let resource = found.ok_or_else(|| Error::not_found("no such resource"))?;
        self.check_match(&resource, call)?;
        if let Some(reply) = self.unchanged(&resource, call) {
            return Ok(reply);
        }
        Ok(self.show(&resource, projection))
    }

    pub(super) async fn list(
        &self,
        registered: &Registered<C>,
        cx: &C,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Result<Reply, Error> {
        let parameters = match *call.method {
            Method::POST => Parameters::from_body(call.body, &self.limits)?,
            _ => Parameters::from_url(call.query, &self.limits)?,
        };
        let query = parameters.bind(&registered.ty, self.compat, &self.limits, &mut trace.repairs)?;
        let page = registered.store.list(cx, &registered.ty, &query).await?;
        let (resources, extent) = page.into_parts();
        let (resources, total) = complete(&query, resources, extent)?;
        let mut reply = Reply::json(self.list_response(&query, &resources, total));
        reply.found = Some(total);
        Ok(reply)
    }

    /// The projection that the request asks for, if it asks for one.
    pub(super) fn projection(&self, registered: &Registered<C>, call: &Call<'_>) -> Result<Option<Projection>, Error> {
        if call.query.is_empty() {
            return Ok(None);
        }
        let parameters = Parameters::from_url(call.query, &self.limits)?;
        let asks = parameters.names_attributes();
        asks.then(|| parameters.projection(&registered.ty, self.compat)).transpose()
    }

    /// `If-Match` holds for every method (RFC 9110 §13.1.1), reading included.
    fn check_match(&self, resource: &Resource, call: &Call<'_>) -> Result<(), Error> {
        let Some(tags) = &call.if_match else { return Ok(()) };
        match resource.version() {
            Some(version) if !tags.contains(&version) => Err(StoreError::VersionMismatch.into()),
            _ => Ok(()),
        }
    }

    /// A 304, when the client has this version already.
    fn unchanged(&self, resource: &Resource, call: &Call<'_>) -> Option<Reply> {
        let known = call.if_none_match.as_ref()?;
        let version = resource.version()?;
        let known = known.contains(&version);
        known.then(|| Reply::empty(StatusCode::NOT_MODIFIED).with_etag(Some(&version)))
    }

    fn list_response(&self, query: &Query, resources: &[Resource], total: usize) -> Vec<u8> {
        let size: usize = resources.iter().map(|r| r.as_json().len() + self.links.base().len() + 96).sum();
        let mut body = Vec::with_capacity(size + 160);
        let head = format!(
            "{{\"schemas\":[\"{LIST_RESPONSE_SCHEMA}\"],\"totalResults\":{total},\"startIndex\":{},\"itemsPerPage\":{},\"Resources\":[",
            query.offset.saturating_add(1),
            resources.len(),
        );
        body.extend_from_slice(head.as_bytes());
        for (at, resource) in resources.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            resource.write(&mut body, &query.answer, Some(&self.links));
        }
        body.extend_from_slice(b"]}");
        body
    }
}

/// Does what the store left to do, and checks the filter on what it returned: nobody gets into an answer by a store's mistake.
fn complete(query: &Query, mut resources: Vec<Resource>, extent: Extent) -> Result<(Vec<Resource>, usize), Error> {
    if extent == Extent::Candidates && resources.len() > query.scan {
        return Err(StoreError::TooMany.into());
    }
    if let Some(filter) = &query.filter {
        // members that a store has compared in its own tables need not be loaded to be compared again
        let apart = |r: &Resource| {
            let table = r.resource_type().table();
            filter
                .attributes()
                .iter()
                .any(|id| matches!(table.node(*id).relation(), Relation::Many | Relation::Derived))
        };
        let trusted = extent != Extent::Candidates && resources.first().is_some_and(apart);
        if !trusted {
            resources.retain(|resource| filter.matches(resource));
        }
    }
    if let Extent::Exact { total } = extent {
        resources.truncate(query.limit);
        return Ok((resources, total));
    }
    let total = resources.len();
    if let Some(sort) = &query.sort {
        resources.sort_by(|a, b| sort.compare(a, b));
    }
    let page = resources.into_iter().skip(query.offset).take(query.limit).collect();
    Ok((page, total))
}
