//! Editing one complex value on its canonical text.

use std::collections::HashSet;

use super::scan::members;
use crate::schema::table::{AttrId, Table};

/// Sets (`Some`) or unassigns (`None`) one sub-attribute. An object that has nothing left is `None`.
pub(crate) fn with(table: &Table, object: Option<&[u8]>, child: AttrId, value: Option<&[u8]>) -> Option<Vec<u8>> {
    let node = table.node(child);
    merge(table, node.parent(), object, &[(node.name().as_bytes(), value)])
}

/// Takes over every sub-attribute of `from` and unassigns those that are listed; those that neither names stay
/// (RFC 7644 §3.5.2.3).
pub(crate) fn merged(
    table: &Table,
    of: AttrId,
    object: Option<&[u8]>,
    from: &[u8],
    unassigned: &[String],
) -> Option<Vec<u8>> {
    let set = members(from).map(|(name, value)| (name, Some(value)));
    let changes: Vec<_> = unassigned.iter().map(|name| (name.as_bytes(), None)).chain(set).collect();
    merge(table, of, object, &changes)
}

/// So many names are looked through faster than they are hashed.
const FEW: usize = 8;

fn merge(table: &Table, of: AttrId, object: Option<&[u8]>, changes: &[(&[u8], Option<&[u8]>)]) -> Option<Vec<u8>> {
    let children = table.node(of).children();
    // names that no schema defines come last
    let place = |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| table.child(children, name));
    let mut parts: Vec<(AttrId, &[u8], &[u8])> = members(object.unwrap_or_default())
        .map(|(name, value)| (place(name).unwrap_or(AttrId::UNKNOWN), name, value))
        .collect();
    let named: HashSet<Vec<u8>> = match changes.len() {
        0..=FEW => HashSet::new(),
        _ => changes.iter().map(|(name, _)| name.to_ascii_lowercase()).collect(),
    };
    parts.retain(|(_, other, _)| match named.is_empty() {
        true => !changes.iter().any(|(name, _)| other.eq_ignore_ascii_case(name)),
        false => !named.contains(&other.to_ascii_lowercase()),
    });
    for (name, value) in changes {
        if let Some(value) = value {
            parts.push((place(name).unwrap_or(AttrId::UNKNOWN), name, value));
        }
    }
    parts.sort_by_key(|(id, _, _)| *id);
    if parts.is_empty() {
        return None;
    }
    let mut text =
        Vec::with_capacity(parts.iter().map(|(_, name, value)| name.len() + value.len() + 4).sum::<usize>() + 2);
    for (_, name, value) in parts {
        text.push(if text.is_empty() { b'{' } else { b',' });
        text.push(b'"');
        text.extend_from_slice(name);
        text.extend_from_slice(b"\":");
        text.extend_from_slice(value);
    }
    text.push(b'}');
    Some(text)
}
