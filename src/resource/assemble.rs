//! Putting a document together from parts, and finding the parts of one that is already canonical.

use super::scan::{self, members};
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
        let mut json = Vec::with_capacity(size + self.schemas_size(table) + 2);
        let mut directory = Vec::with_capacity(entries + 1);
        json.push(b'{');
        self.write_schemas(table, &mut json);
        directory.push(entry(AttrId::SCHEMAS, 1, json.len()));
        for part in &self.parts {
            json.push(b',');
            let start = json.len();
            json.extend_from_slice(part.text);
            directory.push(entry(part.id, start, json.len()));
            let offset = u32::try_from(start).unwrap_or(u32::MAX);
            directory.extend(part.inner.iter().map(|e| Entry {
                id: e.id,
                start: e.start.saturating_sub(part.origin).saturating_add(offset),
                end: e.end.saturating_sub(part.origin).saturating_add(offset),
            }));
        }
        json.push(b'}');
        let document = Document { json: json.into(), directory: directory.into(), secrets };
        Resource::from_document(ty, document)
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

/// A document from text that may be canonical; the text comes back when it is not.
pub(super) fn scan(ty: &ResourceType, json: Vec<u8>) -> Result<Document, Vec<u8>> {
    match directory(ty, &json) {
        Some(directory) => Ok(Document { json: json.into(), directory, secrets: Box::default() }),
        None => Err(json),
    }
}

/// Reads the directory off canonical text: attributes known, in order, no white space outside strings, valid JSON.
fn directory(ty: &ResourceType, json: &[u8]) -> Option<Box<[Entry]>> {
    let table = ty.table();
    if u32::try_from(json.len()).is_err() || serde_json::from_slice::<serde::de::IgnoredAny>(json).is_err() {
        return None;
    }
    let mut entries = Vec::with_capacity(32);
    let mut end = 1;
    for (key, value) in members(json) {
        let start = end;
        end = start + key.len() + 3 + value.len();
        let name = std::str::from_utf8(key).ok()?;
        let id = table.child(table.root().children(), name).filter(|id| table.node(*id).name() == name)?;
        let after = entries.last().is_none_or(|last: &Entry| last.id < id);
        if !after || table.node(id).is_secret() || !is_compact(value) {
            return None;
        }
        entries.push(entry(id, start, end));
        if table.node(id).is_extension() {
            let mut inner = start + key.len() + 4;
            for (key, value) in members(value) {
                let name = std::str::from_utf8(key).ok()?;
                let id = table.child(table.node(id).children(), name).filter(|id| table.node(*id).name() == name)?;
                let after = entries.last().is_none_or(|last| last.id < id);
                if !after || table.node(id).is_secret() {
                    return None;
                }
                let stop = inner + key.len() + 3 + value.len();
                entries.push(entry(id, inner, stop));
                inner = stop + 1;
            }
        }
        end += 1;
    }
    let complete = end == json.len() && entries.first().is_some_and(|e| e.id == AttrId::SCHEMAS);
    complete.then(|| entries.into())
}

/// Whether there is no white space outside strings.
fn is_compact(value: &[u8]) -> bool {
    let mut in_string = false;
    let mut escaped = false;
    for byte in value {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b' ' | b'\n' | b'\r' | b'\t' if !in_string => return false,
            _ => {}
        }
    }
    true
}

fn members_of(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = scan::value_len(part);
    let value = part.get(key..)?.strip_prefix(b":")?;
    Some((scan::string_body(part.get(..key)?)?, value))
}

pub(super) fn entry(id: AttrId, start: usize, end: usize) -> Entry {
    Entry { id, start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
}
