//! Which values of a list are the same, and what a repetition of one adds to it.

use super::list::SetPart;
use crate::resource::scan::{is_false_primary, member, members};
use crate::resource::{mutability, type_and_value};
use crate::schema::table::{AttrId, Relation, Table};

/// What tells a value from others: its `type` and `value` where it has them, else all that it says.
pub(super) fn identity(table: &Table, of: AttrId, value: &[u8]) -> Vec<u8> {
    match table.node(of).relation() {
        Relation::Many => member(value, "value").unwrap_or(value).to_vec(),
        _ => match type_and_value(value).filter(|_| table.child(table.node(of).children(), "value").is_some()) {
            Some((kind, value)) => [kind, b"=", value].concat(),
            None => without_false_primary(value),
        },
    }
}

/// A value with what a repetition of it says more. Nothing when a part would change that cannot, or when only a `primary` of
/// false came, which says no more than none.
pub(super) fn extended(table: &Table, of: AttrId, there: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let children = table.node(of).children();
    let part = |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| table.child(children, name));
    let is_immutable = |name| part(name).is_some_and(|id| mutability::is_immutable(table, id));
    let others = |(name, new): &(&[u8], &[u8])| !is_false_primary(&(*name, *new)) && named(there, name) != Some(*new);
    let mut changes = members(value).filter(others).peekable();
    changes.peek()?;
    if changes.any(|(name, _)| is_immutable(name) && named(there, name).is_some()) {
        return None;
    }
    SetPart::of(table, of, value).merged(Some(there))
}

fn named<'v>(object: &'v [u8], name: &[u8]) -> Option<&'v [u8]> {
    members(object).find(|(other, _)| *other == name).map(|(_, part)| part)
}

fn without_false_primary(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    for (name, part) in members(value).filter(|part| !is_false_primary(part)) {
        text.extend_from_slice(name);
        text.push(b':');
        text.extend_from_slice(part);
        text.push(b',');
    }
    if text.is_empty() { value.to_vec() } else { text }
}
