//! What a client may change: the one judgement that PUT and PATCH ask (RFC 7643 §7, RFC 7644 §3.5.1 and §3.5.2).

use std::collections::HashSet;

use super::scan::{array, elements, is_false_primary, member, members};
use super::{ValueRef, object};
use crate::attr::fold;
use crate::schema::table::{AttrId, Relation, Table};
use crate::schema::{AttributeType, Mutability};
use crate::time::parse_date_time;

/// Whether a client may set the attribute once.
pub(crate) fn is_immutable(table: &Table, id: AttrId) -> bool {
    table.node(id).definition().mutability == Mutability::Immutable
}

/// Whether a change has to see the references that are there: what is immutable has to stay as it is.
pub(crate) fn has_immutable_relation(table: &Table) -> bool {
    table.ids().any(|id| table.node(id).relation() == Relation::Many && is_immutable(table, id))
}

/// The attribute, or the part of it, that is immutable and would not stay what it is. Where nothing is set yet, all may be set.
pub(crate) fn changed(table: &Table, id: AttrId, old: Option<&[u8]>, new: Option<&[u8]>) -> Option<AttrId> {
    let old = old?;
    let stays = |id, old, new: Option<&[u8]>| new.is_some_and(|new| same(table, id, old, new));
    if is_immutable(table, id) && !stays(id, old, new) {
        return Some(id);
    }
    let mut parts = table.node(id).children().ids().iter().copied().filter(|part| is_immutable(table, *part));
    parts.find(|part| {
        let name = table.node(*part).name();
        member(old, name).is_some_and(|old| !stays(*part, old, new.and_then(|new| member(new, name))))
    })
}

/// The part that is required, was there and no longer is.
pub(crate) fn lost(table: &Table, id: AttrId, old: &[u8], new: &[u8]) -> Option<AttrId> {
    let has = |object, part: AttrId| member(object, table.node(part).name()).is_some();
    table.node(id).children().required().iter().copied().find(|part| has(old, *part) && !has(new, *part))
}

/// Whether what the provider says in a value still goes for it: of another resource it does not.
pub(crate) fn same_owner(table: &Table, id: AttrId, old: &[u8], new: &[u8]) -> bool {
    table.node(id).relation() != Relation::One || member(old, "value") == member(new, "value")
}

/// The value without what the provider said of another one.
pub(crate) fn disowned(table: &Table, id: AttrId, old: Option<&[u8]>, new: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (Some(old), Some(text)) = (old, new.as_deref()) else { return new };
    if same_owner(table, id, old, text) {
        return new;
    }
    let said = table.node(id).children().ids().iter().copied().filter(|part| table.node(*part).is_read_only());
    said.fold(new, |value, part| object::with(table, value.as_deref(), part, None))
}

/// The values of a list with those that it does not have yet.
pub(crate) fn united(table: &Table, id: AttrId, old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut known = HashSet::new();
    let old = Some(old).filter(|old| old.starts_with(b"[")).unwrap_or_default();
    let all = elements(old).chain(elements(new)).filter(|value| known.insert(key(table, id, value)));
    array(all).unwrap_or_else(|| b"[]".to_vec())
}

/// Whether two values of an attribute are the same to its type: numbers and instants by what they are, texts by letter case
/// only where it counts, lists in any order, references by the id.
pub(crate) fn same(table: &Table, id: AttrId, one: &[u8], other: &[u8]) -> bool {
    one == other || key(table, id, one) == key(table, id, other)
}

/// A text that is the same for all values that are the same to the type of the attribute.
pub(crate) fn key(table: &Table, id: AttrId, value: &[u8]) -> Vec<u8> {
    if !value.starts_with(b"[") {
        return key_of_one(table, id, value);
    }
    let mut keys: Vec<_> = elements(value).map(|element| key_of_one(table, id, element)).collect();
    keys.sort_unstable();
    keys.dedup();
    framed(b'[', keys.iter().map(Vec::as_slice))
}

fn key_of_one(table: &Table, id: AttrId, value: &[u8]) -> Vec<u8> {
    let node = table.node(id);
    if value.starts_with(b"{") {
        if let (Relation::Many | Relation::One, Some(value)) = (node.relation(), member(value, "value")) {
            return value.to_vec();
        }
        let mut keys = Vec::new();
        for (name, part) in members(value).filter(|part| !is_false_primary(part)) {
            let child = std::str::from_utf8(name).ok().and_then(|name| table.child(node.children(), name));
            if child.is_some_and(|child| table.node(child).is_read_only()) {
                continue;
            }
            let part = child.map_or_else(|| part.to_vec(), |child| key(table, child, part));
            keys.push(framed(b':', [name, part.as_slice()]));
        }
        keys.sort_unstable();
        return framed(b'{', keys.iter().map(Vec::as_slice));
    }
    let text = || ValueRef::new(value).as_str();
    let known = match node.kind() {
        AttributeType::Integer | AttributeType::Decimal => {
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
            // beyond that, whole numbers are told apart by their digits only
            number.filter(|number| number.abs() < 9e15).map(|number| (number + 0.0).to_string())
        }
        AttributeType::DateTime => text().and_then(|text| parse_date_time(&text)).map(|at| at.to_rfc3339()),
        AttributeType::String | AttributeType::Reference if !node.definition().case_exact => {
            text().map(|text| fold(&text).to_string())
        }
        _ => None,
    };
    known.map_or_else(|| value.to_vec(), String::into_bytes)
}

/// The parts with their lengths, so that no two lists of parts read alike.
fn framed<'p>(kind: u8, parts: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut text = vec![kind];
    for part in parts {
        text.extend_from_slice(&part.len().to_le_bytes());
        text.extend_from_slice(part);
    }
    text
}
