//! Editing the values of a multi-valued attribute.

use std::collections::HashSet;

use super::changes::RelationChange;
use crate::attr::fold;
use crate::filter::Leaf;
use crate::resource::ValueRef;
use crate::resource::object;
use crate::resource::scan::{elements, member, members};
use crate::schema::AttributeType;
use crate::schema::table::{AttrId, Relation, Role, Table};

/// The values of a multi-valued attribute, each as its canonical text.
#[derive(Debug)]
pub(super) struct List {
    values: Vec<Vec<u8>>,
}

/// A value for the elements that a path selects, or for one of their sub-attributes.
pub(super) struct SetPart<'a> {
    pub(super) table: &'a Table,
    pub(super) of: AttrId,
    pub(super) sub: Option<AttrId>,
    pub(super) replace: bool,
    pub(super) value: &'a [u8],
    pub(super) unassigned: &'a [String],
}

impl SetPart<'_> {
    /// The element with the value set. `None` when nothing is left of it.
    fn apply(&self, element: Option<&[u8]>) -> Option<Vec<u8>> {
        // one that sets nothing replaces nothing: it only unassigns
        let whole = self.sub.is_none() && self.replace && self.value != b"{}";
        if whole { Some(self.value.to_vec()) } else { self.merged(element) }
    }

    /// The object with what the value says taken over.
    pub(super) fn merged(&self, object: Option<&[u8]>) -> Option<Vec<u8>> {
        match self.sub {
            Some(sub) => object::with(self.table, object, sub, Some(self.value)),
            None if !self.table.node(self.of).is_complex() => Some(self.value.to_vec()),
            None => object::merged(self.table, self.of, object, self.value, self.unassigned),
        }
    }
}

impl List {
    pub(super) fn new(array: Option<&[u8]>) -> Self {
        Self { values: elements(array.unwrap_or_default()).map(<[u8]>::to_vec).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// How long the values are in all.
    pub(super) fn bytes(&self) -> usize {
        self.values.iter().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The array, or nothing when there is no value.
    pub(super) fn into_value(self) -> Option<Vec<u8>> {
        if self.values.is_empty() {
            return None;
        }
        let mut text = Vec::with_capacity(self.values.iter().map(|v| v.len() + 1).sum::<usize>() + 1);
        for value in &self.values {
            text.push(if text.is_empty() { b'[' } else { b',' });
            text.extend_from_slice(value);
        }
        text.push(b']');
        Some(text)
    }

    pub(super) fn replace(&mut self, array: &[u8]) {
        self.values = elements(array).map(<[u8]>::to_vec).collect();
    }

    /// Appends the values that are not there yet (RFC 7644 §3.5.2.1).
    pub(super) fn add(&mut self, table: &Table, of: AttrId, array: &[u8]) {
        let reference = table.node(of).relation() == Relation::Many;
        let identity = |value: &[u8]| -> Vec<u8> {
            if reference { member(value, "value").unwrap_or(value).to_vec() } else { without_false_primary(value) }
        };
        let mut known: HashSet<Vec<u8>> = self.values.iter().map(|v| identity(v)).collect();
        for value in elements(array) {
            if known.insert(identity(value)) {
                self.values.push(value.to_vec());
                let last = self.values.len() - 1;
                if self.settle_primary(table, of, |at, _| at == last) {
                    // another value is no longer primary, and may be what comes next
                    known = self.values.iter().map(|v| identity(v)).collect();
                }
            }
        }
    }

    /// Sets the value on every element that matches; `false` when none does.
    pub(super) fn set(&mut self, part: &SetPart<'_>, matches: impl Fn(&[u8]) -> bool) -> bool {
        let mut touched = HashSet::new();
        for (at, value) in self.values.iter_mut().enumerate() {
            if matches(value) {
                touched.insert(at);
                *value = part.apply(Some(value)).unwrap_or_default();
            }
        }
        self.settle_primary(part.table, part.of, |at, _| touched.contains(&at));
        self.values.retain(|value| !value.is_empty());
        !touched.is_empty()
    }

    /// Adds an element that did not exist, from the terms that describe it and the value for it.
    pub(super) fn create(&mut self, part: &SetPart<'_>, element: Option<Vec<u8>>) {
        let described = SetPart { replace: false, ..*part };
        if let Some(value) = described.apply(element.as_deref()) {
            self.values.push(value);
            let last = self.values.len() - 1;
            self.settle_primary(part.table, part.of, |at, _| at == last);
        }
    }

    /// The element that `type eq "work" and …` describes; none when no element can be so.
    pub(super) fn element(table: &Table, of: AttrId, terms: &[&Leaf]) -> Option<Vec<u8>> {
        let mut element: Option<Vec<u8>> = None;
        for leaf in terms {
            let value = leaf.test.equality()?;
            let kind = table.node(leaf.sub.unwrap_or(of)).kind();
            if kind == AttributeType::Integer && !value.is_i64() {
                return None;
            }
            let text = serde_json::to_vec(&value).ok()?;
            element = match leaf.sub {
                Some(sub) if table.node(sub).parent() == of => {
                    object::with(table, element.as_deref(), sub, Some(&text))
                }
                _ => Some(text),
            };
        }
        element
    }

    /// Removes what matches, or one sub-attribute of it.
    pub(super) fn remove(&mut self, table: &Table, sub: Option<AttrId>, matches: impl Fn(&[u8]) -> bool) {
        match sub {
            None => self.values.retain(|value| !matches(value)),
            Some(sub) => {
                for value in self.values.iter_mut().filter(|v| matches(v)) {
                    *value = object::with(table, Some(value), sub, None).unwrap_or_default();
                }
                self.values.retain(|value| !value.is_empty());
            }
        }
    }

    /// How many bytes are compared to find what is listed: each value with each.
    pub(super) fn compared(&self, table: &Table, of: AttrId, listed: &[u8]) -> usize {
        match table.node(of).relation() {
            Relation::Many => self.bytes() + listed.len(),
            _ => elements(listed).count() * self.bytes() + self.len() * listed.len(),
        }
    }

    /// Removes the elements that one of the listed values describes.
    pub(super) fn remove_listed(&mut self, table: &Table, of: AttrId, listed: &[u8]) {
        if table.node(of).relation() == Relation::Many {
            let ids: HashSet<&[u8]> = elements(listed).filter_map(|e| member(e, "value")).collect();
            self.values.retain(|value| member(value, "value").is_none_or(|v| !ids.contains(v)));
            return;
        }
        let listed: Vec<Listed<'_>> = elements(listed).map(|e| Listed::new(table, of, e)).collect();
        self.values.retain(|value| !listed.iter().any(|listed| listed.describes(value)));
    }

    /// Carries out a set of additions and removals.
    pub(super) fn relate(&mut self, change: &RelationChange) {
        let id = |value: &[u8]| member(value, "value").unwrap_or_default().to_vec();
        let kept: HashSet<Vec<u8>> = self.values.iter().map(|v| id(v)).filter(|v| !change.removes(v)).collect();
        let replaces = change.replaces_all();
        // what is there and stays keeps its place, so that a change without effect is seen as one
        self.values.retain(|value| {
            let value = id(value);
            if replaces { change.adds(&value) } else { kept.contains(&value) }
        });
        let present: HashSet<Vec<u8>> = self.values.iter().map(|v| id(v)).collect();
        for reference in change.added() {
            if !present.contains(&id(reference.as_json())) {
                self.values.push(reference.as_json().to_vec());
            }
        }
    }

    /// Where one of the `new` values is primary, no other is (RFC 7644 §3.5.2). Says whether another one was.
    fn settle_primary(&mut self, table: &Table, of: AttrId, new: impl Fn(usize, &[u8]) -> bool) -> bool {
        let children = table.node(of).children().ids();
        let Some(primary) = children.iter().copied().find(|c| table.node(*c).role() == Role::Primary) else {
            return false;
        };
        let is_primary = |value: &[u8]| member(value, "primary") == Some(b"true");
        let chosen =
            self.values.iter().enumerate().find(|(at, value)| new(*at, value) && is_primary(value)).map(|(at, _)| at);
        let Some(chosen) = chosen else { return false };
        let mut settled = false;
        for (at, value) in self.values.iter_mut().enumerate() {
            if at != chosen && is_primary(value) {
                *value = object::with(table, Some(value), primary, Some(b"false")).unwrap_or_default();
                settled = true;
            }
        }
        settled
    }
}

/// A value to remove.
struct Listed<'a> {
    table: &'a Table,
    of: AttrId,
    value: &'a [u8],
    /// the parts to compare; none for what has no parts
    parts: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Listed<'a> {
    fn new(table: &'a Table, of: AttrId, value: &'a [u8]) -> Self {
        let mut parts: Vec<_> = members(value).filter(|part| !is_false_primary(part)).collect();
        // the text for people tells values apart only where it is all there is
        let is_display = |part: &(&[u8], &[u8])| part.0 == b"display";
        if !parts.iter().all(is_display) {
            parts.retain(|part| !is_display(part));
        }
        Self { table, of, value, parts }
    }

    fn describes(&self, value: &[u8]) -> bool {
        if !self.value.starts_with(b"{") {
            return self.equals(self.of, self.value, value);
        }
        let child = |name: &[u8]| {
            let name = std::str::from_utf8(name).ok()?;
            self.table.child(self.table.node(self.of).children(), name)
        };
        let has = |(name, part): &(&[u8], &[u8])| {
            let id = child(name).unwrap_or(AttrId::UNKNOWN);
            members(value).any(|(other, is)| other == *name && self.equals(id, part, is))
        };
        let refuses_primary = members(self.value).any(|part| is_false_primary(&part));
        let is_primary = member(value, "primary") == Some(b"true");
        if self.parts.is_empty() || (refuses_primary && is_primary) {
            return false;
        }
        self.parts.iter().all(has)
    }

    /// Equality as a filter has it: letter case counts where the schema says so.
    fn equals(&self, id: AttrId, one: &[u8], other: &[u8]) -> bool {
        let node = self.table.node(id);
        let folds = id != AttrId::UNKNOWN && !node.definition().case_exact;
        let text = |json| ValueRef::new(json).as_str();
        one == other
            || (folds && matches!((text(one), text(other)), (Some(one), Some(other)) if fold(&one) == fold(&other)))
    }
}

/// `primary: false` says no more than no `primary` (RFC 7643 §2.4).
fn is_false_primary((name, value): &(&[u8], &[u8])) -> bool {
    *name == b"primary" && *value == b"false"
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
