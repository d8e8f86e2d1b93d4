//! Values of a list that are one: the same `type` and `value` are not returned twice (RFC 7643 §2.4).

use std::collections::{HashMap, HashSet};

use super::object;
use super::read::Reader;
use super::scan::{array, elements, members};
use crate::schema::table::{AttrId, Table};

/// What makes a value the one that it is, where the schema gives it a `value`.
pub(crate) fn type_and_value(element: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut kind, mut value): (&[u8], _) = (&[], None);
    for (name, part) in members(element) {
        match name {
            b"type" => kind = part,
            b"value" => value = Some(part),
            _ => {}
        }
    }
    value.map(|value| (kind, value))
}

impl Reader<'_> {
    /// Makes one of each repeated value of the list that `out` ends with from `open` on: the later ones add their parts to the
    /// first.
    pub(super) fn unite_repeated(&mut self, id: AttrId, open: usize) {
        let table = self.ty().table();
        if table.child(table.node(id).children(), "value").is_none() {
            return;
        }
        let array = self.out.get(open..).unwrap_or_default();
        if !repeats(array) {
            return;
        }
        if let Some(mut united) = united(table, id, array) {
            self.out.truncate(open);
            self.out.append(&mut united);
        }
    }
}

/// Whether a list has anything to unite. Most have two or three values, which are compared faster than hashed.
fn repeats(array: &[u8]) -> bool {
    const FEW: usize = 8;
    let mut known: Vec<(&[u8], &[u8])> = Vec::new();
    let mut many = HashSet::new();
    for key in elements(array).filter_map(type_and_value) {
        let new = match known.len() {
            0..FEW => !known.contains(&key),
            _ => !known.contains(&key) && many.insert(key),
        };
        if !new {
            return true;
        }
        if known.len() < FEW {
            known.push(key);
        }
    }
    false
}

/// The list without repetitions.
fn united(table: &Table, id: AttrId, values: &[u8]) -> Option<Vec<u8>> {
    let mut first: HashMap<(&[u8], &[u8]), usize> = HashMap::new();
    let mut groups: Vec<Vec<&[u8]>> = Vec::new();
    for element in elements(values) {
        match type_and_value(element).map(|key| *first.entry(key).or_insert(groups.len())) {
            Some(at) if at < groups.len() => groups.get_mut(at)?.push(element),
            _ => groups.push(vec![element]),
        }
    }
    array(groups.iter().map(|group| one_of(table, id, group)).collect::<Option<Vec<_>>>()?)
}

/// All parts of the values in one: of two for the same, the later; primary if one of them is.
fn one_of(table: &Table, id: AttrId, group: &[&[u8]]) -> Option<Vec<u8>> {
    let (first, later) = group.split_first()?;
    let mut parts: Vec<(&[u8], &[u8])> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for (name, part) in later.iter().flat_map(|element| members(element)) {
        let at = *places.entry(name.to_ascii_lowercase()).or_insert(parts.len());
        match parts.get_mut(at) {
            None => parts.push((name, part)),
            Some((_, known)) if name == b"primary" && *known == b"true" => {}
            Some((_, known)) => *known = part,
        }
    }
    let is_primary = members(first).any(|part| part == (&b"primary"[..], &b"true"[..]));
    parts.retain(|(name, _)| !(is_primary && *name == b"primary"));
    let mut from = vec![b'{'];
    for (name, part) in parts {
        if from.len() > 1 {
            from.push(b',');
        }
        from.push(b'"');
        from.extend_from_slice(name);
        from.extend_from_slice(b"\":");
        from.extend_from_slice(part);
    }
    from.push(b'}');
    object::merged(table, id, Some(first), &from, &[])
}
