//! Putting a document together from parts.

use super::scan;
use super::{Document, Entry, Resource, Secrets};
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Table};

/// The parts of a document to be: `"name":value` per top-level attribute, in any order.
pub(crate) struct Assembly<'p> {
    parts: Vec<Part<'p>>,
}

struct Part<'p> {
    id: AttrId,
    text: &'p [u8],
    /// entries of an extension's attributes, counted from `origin`
    inner: &'p [Entry],
    /// where `text` starts in what `inner` counts from
    origin: u32,
}

impl<'p> Assembly<'p> {
    pub(crate) fn with_capacity(parts: usize) -> Self {
        Self { parts: Vec::with_capacity(parts) }
    }

    /// Adds a part. `schemas` is never added: it follows from the others.
    pub(crate) fn push(&mut self, id: AttrId, text: &'p [u8], inner: &'p [Entry]) {
        self.push_shared(id, text, inner, 0);
    }

    /// Adds a part of another document, in which it starts at `origin`.
    pub(crate) fn push_shared(&mut self, id: AttrId, text: &'p [u8], inner: &'p [Entry], origin: u32) {
        self.parts.push(Part { id, text, inner, origin });
    }

    /// Writes the document. `schemas` names the base schema and every extension that has data (RFC 7643 §3.3).
    pub(crate) fn finish(mut self, ty: &ResourceType, secrets: Box<[Secrets]>) -> Resource {
        if !self.parts.is_sorted_by_key(|p| p.id) {
            self.parts.sort_by_key(|p| p.id);
        }
        let table = ty.table();
        let size: usize = self.parts.iter().map(|p| p.text.len() + 1).sum();
        let entries: usize = self.parts.iter().map(|p| p.inner.len() + 1).sum();
        let mut json = Vec::with_capacity(size + self.schemas_size(table) + 2 + (entries + 1) * Document::ENTRY);
        json.push(b'{');
        self.write_schemas(table, &mut json);
        let schemas = entry(AttrId::SCHEMAS, 1, json.len());
        for part in &self.parts {
            json.push(b',');
            json.extend_from_slice(part.text);
        }
        json.push(b'}');
        let parts = self.parts.iter().scan(schemas.end, |end, part| {
            let start = *end + 1;
            *end = start.saturating_add(u32::try_from(part.text.len()).unwrap_or(u32::MAX));
            Some((part, start, *end))
        });
        let parts = parts.flat_map(|(part, start, end)| {
            let inner = part.inner.iter().map(move |e| Entry {
                id: e.id,
                start: e.start.saturating_sub(part.origin).saturating_add(start),
                end: e.end.saturating_sub(part.origin).saturating_add(start),
            });
            std::iter::once(Entry { id: part.id, start, end }).chain(inner)
        });
        Resource::from_document(ty, Document::new(json, std::iter::once(schemas).chain(parts), secrets))
    }

    fn schemas_size(&self, table: &Table) -> usize {
        let extra: usize = self.schema_parts(table).map(|key| key.len() + 1).sum();
        "\"schemas\":[\"\"]".len() + table.base().len() + extra
    }

    fn write_schemas(&self, table: &Table, json: &mut Vec<u8>) {
        json.extend_from_slice(b"\"schemas\":[");
        scan::write_string(json, table.base());
        for key in self.schema_parts(table) {
            json.push(b',');
            json.extend_from_slice(key);
        }
        json.push(b']');
    }

    /// The quoted URNs of the extensions that have data, unknown ones that are kept included.
    fn schema_parts<'s>(&'s self, table: &'s Table) -> impl Iterator<Item = &'s [u8]> {
        self.parts.iter().filter_map(|part| {
            if part.id == AttrId::UNKNOWN {
                let (key, value) = members_of(part.text)?;
                return (key.starts_with(b"urn:") && value.starts_with(b"{"))
                    .then(|| part.text.get(..key.len() + 2))?;
            }
            let node = table.node(part.id);
            node.is_extension().then(|| node.key().trim_end_matches(':').as_bytes())
        })
    }
}

fn members_of(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = scan::value_len(part);
    let value = part.get(key..)?.strip_prefix(b":")?;
    Some((scan::string_body(part.get(..key)?)?, value))
}

pub(super) fn entry(id: AttrId, start: usize, end: usize) -> Entry {
    Entry { id, start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
}
