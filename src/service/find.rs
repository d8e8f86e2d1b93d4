//! Reading: one resource, or those that a query asks for.

use http::{Method, StatusCode};

use super::answer::{Reply, refused};
use super::observe::Trace;
use super::request::Call;
use super::{Inner, Registered};
use crate::budget::yield_now;
use crate::cursor::{Cursor, Position};
use crate::messages::LIST_RESPONSE_SCHEMA;
use crate::query::Parameters;
use crate::resource::{Fault, Known, Projection, Resource, ResourceWriter, Written};
use crate::store::{Context, Key, StoreError};
use crate::{Error, ScimType};

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
        let known = Known { if_match: call.if_match.as_ref(), if_none_match: call.if_none_match.as_ref() };
        let location = self.location(registered, id);
        let writer = ResourceWriter::new(projection, &self.links, known).holding(self.limits.answer_bytes);
        let mut writer = match &call.pipe {
            _ if call.method == Method::HEAD => writer.counting(),
            Some(pipe) => {
                pipe.announce(location.clone(), call.media_type);
                writer.sending(pipe.clone())
            }
            None => writer,
        };
        let shown = registered.store.show(cx, Key::new(&registered.ty, id), &mut writer).await?;
        let found = if shown { writer.finish() } else { None };
        let Written { resource, body, sent, fault } = found.ok_or_else(|| Error::not_found("no such resource"))?;
        match fault {
            Some(Fault::TooLong) => return Err(self.too_long("the resource")),
            Some(Fault::BegunAgain) => {
                return Err(StoreError::backend("the store began again after a part had been sent").into());
            }
            None => {}
        }
        self.check_match(&resource, call)?;
        if let Some(reply) = self.unchanged(&resource, call) {
            return Ok(reply);
        }
        Ok(Reply { location: Some(location), before: sent, ..Reply::json(body).with_etag(resource.version().as_ref()) })
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
        let parameters = parameters.of_tenant(cx.tenant().as_str(), self.seal.as_ref()).charged_to(&call.budget);
        let links = Some(&self.links);
        let query = parameters.bind(&registered.ty, self.compat, &self.limits, &mut trace.repairs, links)?;
        trace.cost.terms = query.filter.as_ref().map_or(0, |filter| filter.root.terms());
        self.admit(cx, call, trace)?;
        let found = self.page(registered, cx, &query).await.map_err(refused)?;
        let text = |cursor| parameters.cursor_text(&query, cursor);
        let place = match query.cursor {
            Some(_) => Place::cursors(found.previous, found.next, text),
            None => Place::Index { start: query.offset.saturating_add(1) },
        };
        let resources = found.resources.iter().map(|resource| (resource, &query.answer));
        let mut reply = Reply::json(self.list_response(found.total, &place, resources).await?);
        reply.found = Some(found.total.unwrap_or(found.resources.len()));
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

    pub(super) async fn list_response<'r>(
        &self,
        total: Option<usize>,
        place: &Place,
        resources: impl ExactSizeIterator<Item = (&'r Resource, &'r Projection)> + Clone,
    ) -> Result<Vec<u8>, Error> {
        let size: usize = resources.clone().map(|(r, _)| r.as_json().len() + self.links.base().len() + 96).sum();
        let mut body = Vec::with_capacity(size.min(self.limits.answer_bytes) + 160);
        let total = total.map(|total| format!("\"totalResults\":{total},")).unwrap_or_default();
        let place = match place {
            Place::Index { start } => format!("\"startIndex\":{start},"),
            Place::Cursor { previous, next } => {
                // unreserved characters only: nothing to escape
                let member =
                    |name, cursor: &Option<String>| cursor.as_ref().map(|text| format!("\"{name}\":\"{text}\","));
                let (previous, next) = (member("previousCursor", previous), member("nextCursor", next));
                previous.unwrap_or_default() + &next.unwrap_or_default()
            }
        };
        let head = format!(
            "{{\"schemas\":[\"{LIST_RESPONSE_SCHEMA}\"],{total}{place}\"itemsPerPage\":{},\"Resources\":[",
            resources.len(),
        );
        body.extend_from_slice(head.as_bytes());
        let mut turn = 0_usize;
        for (at, (resource, projection)) in resources.enumerate() {
            if body.len().saturating_sub(turn) > AT_ONCE {
                yield_now().await;
                turn = body.len();
            }
            if at > 0 {
                body.push(b',');
            }
            resource.write(&mut body, projection, Some(&self.links));
            if body.len() > self.limits.answer_bytes {
                return Err(self.too_long("the page"));
            }
        }
        body.extend_from_slice(b"]}");
        Ok(body)
    }

    fn too_long(&self, what: &str) -> Error {
        let most = self.limits.answer_bytes;
        let detail = format!(
            "{what} is longer than an answer may be ({most} bytes): leave out long attributes, such as `members`"
        );
        Error::bad_request(ScimType::TooMany, detail)
    }
}

/// How many bytes of an answer are written before others have their turn: about a millisecond.
const AT_ONCE: usize = 1 << 20;

/// Where a page stands among the others.
pub(super) enum Place {
    Index { start: usize },
    Cursor { previous: Option<String>, next: Option<String> },
}

impl Place {
    /// Between two positions, of which a page at an end of the list has one.
    pub(super) fn cursors(previous: Option<Position>, next: Option<Position>, text: impl Fn(Cursor) -> String) -> Self {
        let previous = previous.map(|position| text(Cursor::Before(position)));
        Self::Cursor { previous, next: next.map(|position| text(Cursor::After(position))) }
    }
}
