//! Editing the values of a multi-valued attribute.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::apply::{immutable, required};
use super::changes::RelationChange;
use super::identity::{extended, identity};
use super::work::{Account, Extent, size};
use super::{PatchError, PatchErrorKind};
use crate::attr::fold;
use crate::filter::Leaf;
use crate::resource::scan::{array, elements, is_false_primary, member, members};
use crate::resource::{ValueRef, mutability, object};
use crate::schema::AttributeType;
use crate::schema::table::{AttrId, Relation, Role, Table};

/// The values of a multi-valued attribute, each as its canonical text.
#[derive(Debug)]
pub(super) struct List {
    values: Vec<Vec<u8>>,
    /// what tells the values apart and where they stand, from one addition to the next; nothing once anything else has changed
    /// them
    known: Option<HashMap<Vec<u8>, usize>>,
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

impl<'a> SetPart<'a> {
    /// What an addition puts into a value that is there.
    pub(super) fn of(table: &'a Table, of: AttrId, value: &'a [u8]) -> Self {
        Self { table, of, sub: None, replace: false, value, unassigned: &[] }
    }

    /// The element with the value set. `None` when nothing is left of it.
    fn apply(&self, element: Option<&[u8]>) -> Option<Vec<u8>> {
        // one that sets nothing replaces nothing: it only unassigns
        let whole = self.sub.is_none() && self.replace && self.value != b"{}";
        if whole { Some(self.value.to_vec()) } else { self.merged(element) }
    }

    /// What it costs to set the value on another.
    pub(super) fn cost(&self, on: Option<&[u8]>, extent: Extent) -> u64 {
        let parts = match self.sub {
            Some(_) => 1,
            None => members(self.value).count() + self.unassigned.len(),
        };
        let unites = if self.adds_to_a_list() { extent.folded() + Extent::of([self.value]).folded() } else { 0 };
        unites + extent.merged(size(parts + members(on.unwrap_or_default()).count()), self.value.len())
    }

    /// The object with what the value says taken over.
    pub(super) fn merged(&self, object: Option<&[u8]>) -> Option<Vec<u8>> {
        match self.sub {
            Some(sub) => {
                let value = self.united(object, sub, self.value);
                object::with(self.table, object, sub, Some(&value))
            }
            None if !self.table.node(self.of).is_complex() => Some(self.value.to_vec()),
            None if self.adds_to_a_list() => {
                let children = self.table.node(self.of).children();
                let mut value = self.value.to_vec();
                for id in children.ids().iter().copied().filter(|id| self.table.node(*id).is_multi()) {
                    if let Some(new) = member(self.value, self.table.node(id).name()) {
                        let united = self.united(object, id, new);
                        value = object::with(self.table, Some(&value), id, Some(&united)).unwrap_or_default();
                    }
                }
                object::merged(self.table, self.of, object, &value, self.unassigned)
            }
            None => object::merged(self.table, self.of, object, self.value, self.unassigned),
        }
    }

    /// What is added to a part that has several values joins those that are there (RFC 7644 §3.5.2.1).
    fn united<'v>(&self, object: Option<&[u8]>, sub: AttrId, value: &'v [u8]) -> Cow<'v, [u8]> {
        let old = object.and_then(|object| member(object, self.table.node(sub).name()));
        match old.filter(|_| !self.replace && self.table.node(sub).is_multi()) {
            Some(old) => mutability::united(self.table, sub, old, value).into(),
            None => value.into(),
        }
    }

    fn adds_to_a_list(&self) -> bool {
        let is_multi = |id: AttrId| self.table.node(id).is_multi();
        let sub = self.sub.is_some_and(is_multi);
        let whole = self.sub.is_none() && self.table.node(self.of).children().ids().iter().copied().any(is_multi);
        !self.replace && (sub || whole)
    }
}

impl List {
    pub(super) fn new(array: Option<&[u8]>, account: &mut Account) -> Result<Self, PatchError> {
        let array = array.unwrap_or_default();
        account.spend(Extent::of(elements(array)).copies())?;
        Ok(Self { values: elements(array).map(<[u8]>::to_vec).collect(), known: None })
    }

    /// The same values.
    pub(super) fn copy(&self) -> Self {
        Self { values: self.values.clone(), known: None }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn extent(&self) -> Extent {
        Extent::of(self.values.iter().map(Vec::as_slice))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The array, or nothing when there is no value.
    pub(super) fn value(&self) -> Option<Vec<u8>> {
        array(&self.values)
    }

    pub(super) fn replace(&mut self, array: &[u8], account: &mut Account) -> Result<(), PatchError> {
        *self = Self::new(Some(array), account)?;
        Ok(())
    }

    /// Appends the values that are not there yet (RFC 7644 §3.5.2.1). One that is there, by its `type` and `value`, takes over
    /// what else the new one says: it is not there twice (RFC 7643 §2.4).
    pub(super) fn add(
        &mut self,
        table: &Table,
        of: AttrId,
        array: &[u8],
        account: &mut Account,
    ) -> Result<(), PatchError> {
        account.spend(Extent::of(elements(array)).identities())?;
        let mut known = match self.known.take() {
            Some(known) => known,
            None => self.identities(table, of, account)?,
        };
        for value in elements(array) {
            let at = *known.entry(identity(table, of, value)).or_insert(self.values.len());
            match self.values.get_mut(at) {
                None => self.values.push(value.to_vec()),
                Some(there) if table.node(of).relation() == Relation::No && there != value => {
                    account.spend(SetPart::of(table, of, value).cost(Some(there), Extent::of([there.as_slice()])))?;
                    if let Some(merged) = extended(table, of, there, value) {
                        *there = merged;
                    }
                }
                Some(_) => continue,
            }
            // the others are looked at only where there is a reason to: there may be very many
            let is_new_primary = self.values.get(at).is_some_and(|value| is_primary(value));
            if is_new_primary && self.settle_primary(table, of, |new| new == at, account)? {
                // another value is no longer primary, and may be what comes next
                known = self.identities(table, of, account)?;
            }
        }
        self.known = Some(known);
        Ok(())
    }

    fn identities(
        &self,
        table: &Table,
        of: AttrId,
        account: &mut Account,
    ) -> Result<HashMap<Vec<u8>, usize>, PatchError> {
        account.spend(self.extent().identities())?;
        let mut known = HashMap::with_capacity(self.values.len());
        for (at, value) in self.values.iter().enumerate() {
            known.entry(identity(table, of, value)).or_insert(at);
        }
        Ok(known)
    }

    /// Sets the value on every element that matches; `false` when none does.
    pub(super) fn set(
        &mut self,
        part: &SetPart<'_>,
        matches: impl Fn(&[u8]) -> bool,
        account: &mut Account,
    ) -> Result<bool, PatchError> {
        self.known = None;
        let mut touched = HashSet::new();
        for (at, value) in self.values.iter_mut().enumerate() {
            if matches(value) {
                account.spend(part.cost(Some(value), Extent::of([value.as_slice()])))?;
                touched.insert(at);
                let next = part.apply(Some(value)).unwrap_or_default();
                judge(part.table, part.of, value, &next)?;
                *value = next;
            }
        }
        if touched.len() > 1 {
            account.spend(self.extent().scan())?;
            let primary = |at: &&usize| self.values.get(**at).is_some_and(|value| is_primary(value));
            let count = touched.iter().filter(primary).count();
            if count > 1 {
                let path = part.table.path(part.of);
                let text = format!("attribute `{path}.primary` would be true of {count} values, more than one");
                return Err(PatchError::message(PatchErrorKind::Value, text));
            }
        }
        self.settle_primary(part.table, part.of, |at| touched.contains(&at), account)?;
        self.values.retain(|value| !value.is_empty());
        Ok(!touched.is_empty())
    }

    /// Adds an element that did not exist, from the terms that describe it and the value for it.
    pub(super) fn create(
        &mut self,
        part: &SetPart<'_>,
        element: Option<Vec<u8>>,
        account: &mut Account,
    ) -> Result<(), PatchError> {
        self.known = None;
        let described = SetPart { replace: false, ..*part };
        account.spend(part.cost(element.as_deref(), Extent::of(element.as_deref())))?;
        if let Some(value) = described.apply(element.as_deref()) {
            self.values.push(value);
            let last = self.values.len() - 1;
            self.settle_primary(part.table, part.of, |at| at == last, account)?;
        }
        Ok(())
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
    pub(super) fn remove(
        &mut self,
        table: &Table,
        of: AttrId,
        sub: Option<AttrId>,
        matches: impl Fn(&[u8]) -> bool,
        account: &mut Account,
    ) -> Result<(), PatchError> {
        self.known = None;
        match sub {
            None => self.values.retain(|value| !matches(value)),
            Some(sub) => {
                for value in self.values.iter_mut().filter(|v| matches(v)) {
                    account.spend(Extent::of([value.as_slice()]).merged(size(members(value).count() + 1), 0))?;
                    let next = object::with(table, Some(value), sub, None).unwrap_or_default();
                    judge(table, of, value, &next)?;
                    *value = next;
                }
                self.values.retain(|value| !value.is_empty());
            }
        }
        Ok(())
    }

    /// Removes the elements that one of the listed values describes.
    pub(super) fn remove_listed(
        &mut self,
        table: &Table,
        of: AttrId,
        listed: &[u8],
        account: &mut Account,
    ) -> Result<(), PatchError> {
        self.known = None;
        let (own, other) = (self.extent(), Extent::of(elements(listed)));
        if table.node(of).relation() == Relation::Many {
            account.spend(own.identities() + other.identities())?;
            let ids: HashSet<&[u8]> = elements(listed).filter_map(|e| member(e, "value")).collect();
            self.values.retain(|value| member(value, "value").is_none_or(|v| !ids.contains(v)));
            return Ok(());
        }
        account.spend(own.folded() + other.folded())?;
        let listed = Listed::new(table, of, listed);
        account.spend(listed.kinds() * (own.values() * 150 + own.bytes()))?;
        self.values.retain(|value| !listed.describes(value));
        Ok(())
    }

    /// Carries out a set of additions and removals.
    pub(super) fn relate(&mut self, change: &RelationChange, account: &mut Account) -> Result<(), PatchError> {
        self.known = None;
        account.spend(self.extent().identities() * 2 + size(change.added().count()) * 250)?;
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
        Ok(())
    }

    /// Where one of the `new` values is primary, no other is (RFC 7644 §3.5.2). Says whether another one was.
    fn settle_primary(
        &mut self,
        table: &Table,
        of: AttrId,
        new: impl Fn(usize) -> bool,
        account: &mut Account,
    ) -> Result<bool, PatchError> {
        let children = table.node(of).children().ids();
        let Some(primary) = children.iter().copied().find(|c| table.node(*c).role() == Role::Primary) else {
            return Ok(false);
        };
        let chosen = self.values.iter().enumerate().find(|(at, value)| new(*at) && is_primary(value)).map(|(at, _)| at);
        let Some(chosen) = chosen else { return Ok(false) };
        account.spend(self.extent().scan())?;
        let mut settled = false;
        for (at, value) in self.values.iter_mut().enumerate() {
            if at != chosen && is_primary(value) {
                account.spend(Extent::of([value.as_slice()]).merged(size(members(value).count() + 1), 0))?;
                *value = object::with(table, Some(value), primary, Some(b"false")).unwrap_or_default();
                settled = true;
            }
        }
        Ok(settled)
    }
}

fn is_primary(value: &[u8]) -> bool {
    member(value, "primary") == Some(b"true")
}

/// A value that stays keeps what is immutable and what is required in it. Of references, the request was judged before.
fn judge(table: &Table, of: AttrId, old: &[u8], new: &[u8]) -> Result<(), PatchError> {
    let node = table.node(of);
    if node.relation() == Relation::Many || mutability::is_immutable(table, of) {
        return Ok(());
    }
    if let Some(id) = mutability::changed(table, of, Some(old), Some(new)) {
        return Err(immutable(table, id));
    }
    match mutability::lost(table, of, old, new).filter(|_| !new.is_empty()) {
        Some(id) => Err(required(table, id, true)),
        None => Ok(()),
    }
}

/// The values to remove, sorted by the parts that they name: each value that there is gets looked up once for each kind.
struct Listed<'a> {
    table: &'a Table,
    of: AttrId,
    /// the names of the parts; what a value then says in them, and whether that goes for the primary value too
    kinds: HashMap<Vec<&'a [u8]>, HashMap<Vec<u8>, bool>>,
}

impl<'a> Listed<'a> {
    fn new(table: &'a Table, of: AttrId, listed: &'a [u8]) -> Self {
        let mut this = Self { table, of, kinds: HashMap::new() };
        for value in elements(listed) {
            let mut parts: Vec<_> = members(value).filter(|part| !is_false_primary(part)).collect();
            // the text for people tells values apart only where it is all there is
            let is_display = |part: &(&[u8], &[u8])| part.0 == b"display";
            if !parts.iter().all(is_display) {
                parts.retain(|part| !is_display(part));
            }
            if parts.is_empty() && value.starts_with(b"{") {
                continue;
            }
            parts.sort_unstable();
            let primaries = !members(value).any(|part| is_false_primary(&part));
            let names: Vec<&[u8]> = parts.iter().map(|(name, _)| *name).collect();
            let mut key = Vec::new();
            if parts.is_empty() {
                this.push_key(&mut key, of, value);
            }
            for (name, part) in parts {
                this.push_key(&mut key, this.child(name), part);
            }
            *this.kinds.entry(names).or_default().entry(key).or_default() |= primaries;
        }
        this
    }

    fn kinds(&self) -> u64 {
        size(self.kinds.len())
    }

    fn describes(&self, value: &[u8]) -> bool {
        let parts: Vec<(&[u8], Vec<u8>)> = members(value)
            .map(|(name, part)| {
                let mut key = Vec::new();
                self.push_key(&mut key, self.child(name), part);
                (name, key)
            })
            .collect();
        let is_primary = member(value, "primary") == Some(b"true");
        self.kinds.iter().any(|(names, listed)| {
            let mut key = Vec::new();
            if names.is_empty() {
                self.push_key(&mut key, self.of, value);
            }
            for name in names {
                let Some((_, part)) = parts.iter().find(|(other, _)| other == name) else { return false };
                key.extend_from_slice(part);
            }
            listed.get(&key).is_some_and(|primaries| *primaries || !is_primary)
        })
    }

    fn child(&self, name: &[u8]) -> AttrId {
        let child = |name| self.table.child(self.table.node(self.of).children(), name);
        std::str::from_utf8(name).ok().and_then(child).unwrap_or(AttrId::UNKNOWN)
    }

    /// Adds a text that is the same for values that a filter finds equal: letter case counts where the schema says so.
    fn push_key(&self, key: &mut Vec<u8>, id: AttrId, value: &[u8]) {
        let folds = id != AttrId::UNKNOWN && !self.table.node(id).definition().case_exact;
        let text = ValueRef::new(value).as_str().filter(|_| folds);
        match text.as_deref().map(fold) {
            Some(text) => {
                key.push(b'"');
                key.extend_from_slice(&size(text.len()).to_le_bytes());
                key.extend_from_slice(text.as_bytes());
            }
            None => {
                key.push(b'=');
                key.extend_from_slice(&size(value.len()).to_le_bytes());
                key.extend_from_slice(value);
            }
        }
    }
}
