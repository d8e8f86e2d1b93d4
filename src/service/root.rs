//! Queries across resource types, at the base URL and at its `/.search` (RFC 7644 §3.4.2.1, §3.4.3).
//!
//! Each type is asked by itself and the answers are merged. Without an order the types follow each other in the order of their
//! registration, and of each only what is on the page is fetched; with one, everything up to the end of the page is.

use http::Method;

use super::Inner;
use super::answer::Reply;
use super::find::Place;
use super::observe::Trace;
use super::page::Found;
use super::request::Call;
use crate::cursor::Position;
use crate::query::{Across, Parameters, Part};
use crate::resource::{Projection, Resource};
use crate::store::{Context, StoreError};
use crate::{Error, Limits};

/// What was found of all types.
struct Everything<'q> {
    rows: Vec<Row<'q>>,
    total: Option<usize>,
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
        let types = self.types.iter().map(|registered| &registered.ty);
        let across = parameters.bind_across(types, self.compat, &self.limits, &mut trace.repairs, &self.links)?;
        let found = if across.by_cursor {
            self.behind_the_cursor(cx, &across).await?
        } else if across.is_sorted() {
            self.in_order(cx, &across, &self.limits).await?
        } else {
            self.one_after_the_other(cx, &across).await?
        };
        let next = found.next.map(|position| across.next_cursor(&parameters, position));
        let place = match across.by_cursor {
            true => Place::Cursor { next },
            false => Place::Index { start: across.offset.saturating_add(1) },
        };
        let rows = found.rows.iter().map(|row| (&row.resource, row.projection));
        let mut reply = Reply::json(self.list_response(found.total, &place, rows));
        reply.found = Some(found.total.unwrap_or(found.rows.len()));
        Ok(reply)
    }

    async fn one_after_the_other<'q>(&self, cx: &C, across: &'q Across) -> Result<Everything<'q>, Error> {
        let (mut rows, mut total, mut skip) = (Vec::new(), 0_usize, across.offset);
        for (number, part) in &across.parts {
            let page = part.query.by_index(skip, across.limit - rows.len());
            let found = self.page(self.registered(*number)?, cx, &page).await?;
            let here = found.total.unwrap_or(found.resources.len());
            (total, skip) = (total.saturating_add(here), skip.saturating_sub(here));
            rows.extend(rows_of(part, found.resources)?);
        }
        Ok(Everything { rows, total: Some(total), next: None })
    }

    async fn in_order<'q>(&self, cx: &C, across: &'q Across, limits: &Limits) -> Result<Everything<'q>, Error> {
        let end = across.offset.saturating_add(across.limit);
        if end > limits.scan {
            return Err(StoreError::TooMany.into());
        }
        let (mut rows, mut total) = (Vec::new(), 0_usize);
        for (number, part) in &across.parts {
            let found = self.page(self.registered(*number)?, cx, &part.query.by_index(0, end)).await?;
            total = total.saturating_add(found.total.unwrap_or(found.resources.len()));
            rows.extend(rows_of(part, found.resources)?);
        }
        rows.sort_by(|a, b| across.compare(&a.position, &b.position));
        let rows = rows.into_iter().skip(across.offset).take(across.limit).collect();
        Ok(Everything { rows, total: Some(total), next: None })
    }

    async fn behind_the_cursor<'q>(&self, cx: &C, across: &'q Across) -> Result<Everything<'q>, Error> {
        let (mut rows, mut total) = (Vec::new(), Some(0_usize));
        // how far each type was looked at: behind that, nothing is known of it
        let mut known: Option<Position> = None;
        for (number, part) in &across.parts {
            let registered = self.registered(*number)?;
            let counted;
            let query = match part.passed {
                true => {
                    counted = part.query.by_index(0, 0);
                    &counted
                }
                false => &part.query,
            };
            let Found { resources, total: here, next } = self.page(registered, cx, query).await?;
            total = total.zip(here).map(|(total, here)| total.saturating_add(here));
            known = match (known, next) {
                (Some(known), Some(next)) if across.compare(&next, &known).is_lt() => Some(next),
                (known, next) => known.or(next),
            };
            rows.extend(rows_of(part, resources)?);
        }
        rows.sort_by(|a, b| across.compare(&a.position, &b.position));
        if let Some(known) = &known {
            rows.retain(|row| across.compare(&row.position, known).is_le());
        }
        if rows.len() > across.limit {
            rows.truncate(across.limit);
            known = rows.last().map(|last| last.position.clone());
        }
        Ok(Everything { rows, total, next: known })
    }
}

fn rows_of(part: &Part, resources: Vec<Resource>) -> Result<impl Iterator<Item = Row<'_>>, StoreError> {
    let row = |resource: Resource| {
        let position = part.position(&resource).ok_or_else(|| StoreError::backend("the store gave no id"))?;
        Ok(Row { resource, projection: &part.query.answer, position })
    };
    let rows: Result<Vec<Row<'_>>, StoreError> = resources.into_iter().map(row).collect();
    Ok(rows?.into_iter())
}
