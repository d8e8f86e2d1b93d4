//! Editing one complex value on its canonical text.

use super::scan::members;
use crate::schema::table::{AttrId, Table};

/// Sets (`Some`) or unassigns (`None`) one sub-attribute. An object that has nothing left is `None`.
pub(crate) fn with(table: &Table, object: Option<&[u8]>, child: AttrId, value: Option<&[u8]>) -> Option<Vec<u8>> {
    merge(table, object, &[(child, value)])
}

/// Takes over every sub-attribute of `from`; those that it does not name stay (RFC 7644 §3.5.2.3).
pub(crate) fn merged(table: &Table, of: AttrId, object: Option<&[u8]>, from: &[u8]) -> Option<Vec<u8>> {
    let children = table.node(of).children();
    let changes: Vec<_> = members(from)
        .filter_map(|(name, value)| Some((table.child(children, std::str::from_utf8(name).ok()?)?, Some(value))))
        .collect();
    merge(table, object, &changes)
}

fn merge(table: &Table, object: Option<&[u8]>, changes: &[(AttrId, Option<&[u8]>)]) -> Option<Vec<u8>> {
    let Some((first, _)) = changes.first() else { return object.map(<[u8]>::to_vec) };
    let parent = table.node(*first).parent();
    let children = table.node(parent).children();
    let mut parts: Vec<(AttrId, &[u8], &[u8])> = members(object.unwrap_or_default())
        .map(|(name, value)| {
            let id = std::str::from_utf8(name).ok().and_then(|name| table.child(children, name));
            (id.unwrap_or(AttrId::UNKNOWN), name, value)
        })
        .collect();
    for (child, value) in changes {
        parts.retain(|(id, _, _)| id != child);
        if let Some(value) = value {
            parts.push((*child, table.node(*child).name().as_bytes(), value));
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
