//! A document in one piece of memory: the canonical text, and behind it the directory.
//!
//! The directory is first the numbers of all attributes, sorted, then where each of them lies. Looking an attribute up
//! touches a line of the former, a line of the latter, and the text: a filter over many documents spends its time waiting
//! for memory.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Secrets, scan};
use crate::schema::table::AttrId;

/// Canonical text, where its attributes lie, and the secrets that do not belong into it.
#[derive(Clone)]
pub(crate) struct Document {
    bytes: Arc<[u8]>,
    entries: usize,
    secrets: Box<[Secrets]>,
    /// the id, where the text has it with escapes
    id: Option<Arc<str>>,
}

/// Where `"name":value` of one attribute lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: AttrId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

const ID: usize = size_of::<u16>();
const SPAN: usize = 2 * size_of::<u32>();

impl Document {
    /// What an entry adds to the length of the text.
    pub(super) const ENTRY: usize = ID + SPAN;

    /// `entries` are sorted by attribute; an extension's attributes lie inside the entry of its object.
    pub(super) fn new(
        mut json: Vec<u8>,
        entries: impl Iterator<Item = Entry> + Clone,
        secrets: Box<[Secrets]>,
    ) -> Self {
        let mut count = 0;
        let id = entries.clone().find(|entry| entry.id == AttrId::ID).and_then(|entry| unescaped(&json, entry));
        for entry in entries.clone() {
            json.extend_from_slice(&entry.id.0.to_le_bytes());
            count += 1;
        }
        for entry in entries {
            json.extend_from_slice(&entry.start.to_le_bytes());
            json.extend_from_slice(&entry.end.to_le_bytes());
        }
        Self { bytes: json.into(), entries: count, secrets, id }
    }

    #[inline]
    pub(crate) fn json(&self) -> &[u8] {
        self.parts().0
    }

    pub(crate) fn secrets(&self) -> &[Secrets] {
        &self.secrets
    }

    /// The id where the text has it with escapes; any other lies in the text as it is.
    #[inline]
    pub(super) fn unescaped_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = Entry> + Clone {
        let (_, ids, spans) = self.parts();
        let ids = ids.as_chunks::<ID>().0.iter();
        ids.zip(spans.as_chunks::<SPAN>().0).map(|(id, span)| decode(AttrId(u16::from_le_bytes(*id)), span))
    }

    /// The entry at a place of the directory.
    #[inline]
    pub(super) fn entry_at(&self, at: usize) -> Option<Entry> {
        let (_, ids, spans) = self.parts();
        let id = ids.as_chunks::<ID>().0.get(at)?;
        Some(decode(AttrId(u16::from_le_bytes(*id)), spans.as_chunks().0.get(at)?))
    }

    #[inline]
    pub(crate) fn entry(&self, id: AttrId) -> Option<Entry> {
        let (_, ids, spans) = self.parts();
        let at = ids.as_chunks::<ID>().0.binary_search_by_key(&id.0, |id| u16::from_le_bytes(*id)).ok()?;
        Some(decode(id, spans.as_chunks().0.get(at)?))
    }

    /// The text `"name":value`.
    #[inline]
    pub(crate) fn span(&self, entry: Entry) -> Option<&[u8]> {
        self.bytes.get(entry.start as usize..entry.end as usize)
    }

    /// The value of an entry whose `"name":` is so long.
    #[inline]
    pub(super) fn value(&self, entry: Entry, key: usize) -> Option<&[u8]> {
        self.bytes.get(entry.start as usize + key..entry.end as usize)
    }

    /// The text, the attributes' numbers, and where they lie.
    #[inline]
    fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        let text = self.bytes.len().saturating_sub(self.entries * Self::ENTRY);
        let (text, directory) = self.bytes.split_at_checked(text).unwrap_or_default();
        let (ids, spans) = directory.split_at_checked(self.entries * ID).unwrap_or_default();
        (text, ids, spans)
    }
}

/// The text of `"name":"value"` where the value has escapes.
fn unescaped(json: &[u8], entry: Entry) -> Option<Arc<str>> {
    let span = json.get(entry.start as usize..entry.end as usize)?;
    let colon = span.iter().position(|byte| *byte == b':')?;
    match scan::unescaped(scan::string_body(span.get(colon + 1..)?)?)? {
        Cow::Owned(text) => Some(text.into()),
        Cow::Borrowed(_) => None,
    }
}

#[inline]
fn decode(id: AttrId, span: &[u8; SPAN]) -> Entry {
    let [a, b, c, d, e, f, g, h] = *span;
    Entry { id, start: u32::from_le_bytes([a, b, c, d]), end: u32::from_le_bytes([e, f, g, h]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found_again() {
        let entries =
            [Entry { id: AttrId(1), start: 1, end: 6 }, Entry { id: AttrId(300), start: 7, end: 1 << 20 | 12 }];
        let document = Document::new(br#"{"a":1,"b":2}"#.to_vec(), entries.iter().copied(), Box::default());
        assert_eq!(document.json(), br#"{"a":1,"b":2}"#);
        assert!(document.entries().eq(entries));
        assert_eq!(document.entry(AttrId(300)), Some(entries[1]));
        assert_eq!(document.entry_at(0), Some(entries[0]));
        assert_eq!(document.span(entries[0]), Some(&b"\"a\":1"[..]));
        assert_eq!((document.entry(AttrId(2)), document.entry_at(2), document.span(entries[1])), (None, None, None));
    }
}
