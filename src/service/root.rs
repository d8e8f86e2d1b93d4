//! Queries across resource types, at the base URL and at its `/.search` (RFC 7644 §3.4.2.1, §3.4.3).
//!
//! Each type is asked by itself and the answers are merged. Without an order the types follow each other in the order of their
//! registration, and of each only what is on the page is fetched; with one, everything up to the end of the page is, as long as
//! the types together give no more than a query may look at.

use http::Method;

use super::answer::{Reply, refused};
use super::find::Place;
use super::observe::Trace;
use super::page::Found;
use super::request::Call;
use super::{Inner, Registered};
use crate::cursor::{Cursor, Position};
use crate::query::{Across, Foremost, Pace, Parameters, Part};
use crate::resource::{Projection, Resource};
use crate::sort::Rank;
use crate::store::{Context, StoreError};
use crate::{Error, Limits};

/// What was found of all types.
struct Everything<'q> {
    rows: Vec<Row<'q>>,
    total: Option<usize>,
    previous: Option<Position>,
    next: Option<Position>,
}

/// A resource with its place in the order of all.
struct Row<'q> {
    resource: Resource,
    projection: &'q Projection,
    position: Position,
}

impl<C: Context> Inner<C> {
    pub(super) async fn list_everything(&self, cx: &C, call: &Call<'_>, trace: &mut Trace) -> Result<Reply, Error> {
        let parameters = match *call.method {
            Method::POST => Parameters::from_body(call.body, &self.limits)?,
            _ => Parameters::from_url(call.query, &self.limits)?,
        };
        let parameters = parameters.of_tenant(cx.tenant().as_str(), self.seal.as_ref()).charged_to(&call.budget);
        let types = self.types.iter().map(|registered| &registered.ty);
        let across = parameters.bind_across(types, self.compat, &self.limits, &mut trace.repairs, &self.links)?;
        let filters = across.parts.iter().filter_map(|(_, part)| part.query.filter.as_ref());
        trace.cost.terms = filters.map(|filter| filter.root.terms()).max().unwrap_or_default();
        self.admit(cx, call, trace)?;
        let found = if let Some(cursor) = &across.cursor {
            self.at_the_cursor(cx, &across, cursor).await?
        } else if across.is_sorted() {
            self.in_order(cx, &across, &self.limits).await?
        } else {
            self.one_after_the_other(cx, &across).await?
        };
        let text = |cursor| across.cursor_text(&parameters, cursor);
        let place = match across.cursor {
            Some(_) => Place::cursors(found.previous, found.next, text),
            None => Place::Index { start: across.offset.saturating_add(1) },
        };
        let rows = found.rows.iter().map(|row| (&row.resource, row.projection));
        let mut reply = Reply::json(self.list_response(found.total, &place, rows).await?);
        reply.found = Some(found.total.unwrap_or(found.rows.len()));
        Ok(reply)
    }

    async fn one_after_the_other<'q>(&self, cx: &C, across: &'q Across) -> Result<Everything<'q>, Error> {
        let (mut rows, mut total, mut skip, mut room) = (Vec::new(), 0_usize, across.offset, across.limit);
        let mut bytes = self.limits.query_bytes;
        for (number, part) in &across.parts {
            let query = part.query.by_index(skip, room).holding(bytes);
            let found = self.page(self.registered(*number)?, cx, &query).await.map_err(refused)?;
            let held: usize = found.resources.iter().map(|resource| resource.as_json().len()).sum();
            bytes = bytes.saturating_sub(held);
            let here = found.total.unwrap_or(found.resources.len());
            let left = here.saturating_sub(skip);
            (total, skip) = (total.saturating_add(here), skip.saturating_sub(here));
            room -= room.min(found.resources.len());
            if found.resources.len() < left || (bytes == 0 && !found.resources.is_empty()) {
                // the page ends here: others must not come before what is left of these
                room = 0;
            }
            rows.extend(rows_of(part, found.resources)?);
        }
        Ok(Everything { rows, total: Some(total), previous: None, next: None })
    }

    /// What a query may hold is shared by the types that it asks.
    fn bytes_of_each(&self, across: &Across) -> usize {
        self.limits.query_bytes / across.parts.len().max(1)
    }

    async fn in_order<'q>(&self, cx: &C, across: &'q Across, limits: &Limits) -> Result<Everything<'q>, Error> {
        let end = across.offset.saturating_add(across.limit);
        if end.saturating_mul(across.parts.len()) > limits.scan {
            return Err(StoreError::TooMany.into());
        }
        let (mut rows, mut total) = (Vec::new(), 0_usize);
        let mut known: Option<Position> = None;
        for (number, part) in &across.parts {
            let query = part.query.by_index(0, end).holding(self.bytes_of_each(across));
            let found = self.page(self.registered(*number)?, cx, &query).await.map_err(refused)?;
            let here = found.total.unwrap_or(found.resources.len());
            let early = found.resources.len() < here.min(end);
            total = total.saturating_add(here);
            let last = found.resources.last().filter(|_| early).and_then(|last| part.position(last));
            known = nearest(known, last, |a, b| across.compare(a, b).is_lt());
            rows.extend(rows_of(part, found.resources)?);
        }
        across.sort(&mut rows).await.map_err(refused)?;
        if let Some(known) = &known {
            // behind where the page of a type ends early, others must not come before what is left of it
            rows.retain(|row| across.compare(&row.position, known).is_le());
            if rows.len() <= across.offset {
                return Err(StoreError::TooMany.into());
            }
        }
        let rows = rows.into_iter().skip(across.offset).take(across.limit).collect();
        Ok(Everything { rows, total: Some(total), previous: None, next: None })
    }

    /// A page between two positions, of which each type gives its part. How far a type was looked at is how far anything is
    /// known: what others have beyond that is left for another page.
    async fn at_the_cursor<'q>(&self, cx: &C, across: &'q Across, cursor: &Cursor) -> Result<Everything<'q>, Error> {
        let back = cursor.goes_back();
        let (mut rows, mut total) = (Vec::new(), Some(0_usize));
        let mut known: Option<Position> = None;
        for (number, part) in &across.parts {
            let registered = self.registered(*number)?;
            let query = match part.passed {
                true => part.query.by_index(0, 0),
                false => part.query.clone().holding(self.bytes_of_each(across)),
            };
            let Found { resources, total: here, previous, next } =
                self.page(registered, cx, &query).await.map_err(refused)?;
            total = total.zip(here).map(|(total, here)| total.saturating_add(here));
            let end = if back { previous } else { next };
            known = nearest(known, end, |a, b| across.compare(a, b).is_lt() != back);
            rows.extend(rows_of(part, resources)?);
        }
        across.sort(&mut rows).await.map_err(refused)?;
        if let Some(known) = &known {
            rows.retain(|row| across.compare(&row.position, known).is_le() != back);
        }
        let excess = rows.len().saturating_sub(across.limit);
        let possible = across.parts.iter().all(|(number, _)| self.registered(*number).is_ok_and(Registered::goes_back));
        let (previous, next) = match cursor {
            Cursor::Before(position) => {
                let first = rows.drain(..excess).next_back();
                (first.map(|row| row.position).or(known), Some(position.clone()))
            }
            Cursor::After(_) | Cursor::Beginning => {
                rows.truncate(across.limit);
                let last = rows.last().filter(|_| excess > 0).map(|last| last.position.clone());
                (cursor.position().filter(|_| possible).cloned(), last.or(known))
            }
        };
        // the total is all that is asked for where nothing else is
        let asked = across.limit > 0;
        Ok(Everything { rows, total, previous: previous.filter(|_| asked), next: next.filter(|_| asked) })
    }
}

/// How far everything is known: the one of two ends that comes first.
fn nearest(
    known: Option<Position>,
    end: Option<Position>,
    first: impl Fn(&Position, &Position) -> bool,
) -> Option<Position> {
    match (known, end) {
        (Some(known), Some(end)) if first(&end, &known) => Some(end),
        (known, end) => known.or(end),
    }
}

fn rows_of(part: &Part, resources: Vec<Resource>) -> Result<Vec<Row<'_>>, StoreError> {
    let row = |resource: Resource| {
        let position = part.position(&resource).ok_or_else(|| StoreError::backend("the store gave no id"))?;
        Ok(Row { resource, projection: &part.query.answer, position })
    };
    resources.into_iter().map(row).collect()
}

impl Across {
    async fn sort(&self, rows: &mut Vec<Row<'_>>) -> Result<(), StoreError> {
        let Some((_, part)) = self.parts.first() else { return Ok(()) };
        let mut pace = Pace::new(&part.query.budget);
        let mut first = Foremost::new(0, rows.len(), |a: &Rank, b: &Rank| self.compare_ranks(a, b));
        for row in rows.drain(..) {
            first.add(self.rank(&row.position, &part.query.budget)?, row, &part.query.budget)?;
            pace.step().await;
        }
        rows.extend(first.finish(&mut pace).await?.into_iter().map(|(_, row)| row));
        Ok(())
    }
}
