//! The resources of one tenant.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

use super::super::{Key, Precondition, StoreError};
use super::find::REFERENCE;
use super::relations::Relations;
use super::unique::index_keys;
use crate::etag::Version;
use crate::patch::{Changes, Patched};
use crate::resource::scan::{array, elements, member};
use crate::resource::{Projection, Reference, Resource, ValueRef, splice};
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Relation};

/// How many references a list has at least that ends at once, and is not compared with what is wanted one by one.
const MANY: usize = 1_000;

/// What it costs to add or remove a reference where there are very many, besides what each costs anywhere.
const MOVED: u64 = 1_500;

/// How many times what it costs to join the references a PATCH costs that has to see them.
const SEEN: u64 = 5;

/// The number of a resource, or of an id that something refers to.
pub(super) type Slot = u32;

#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Entry>,
    free: BTreeSet<Slot>,
    pub(super) by_id: HashMap<Arc<str>, Slot>,
    pub(super) by_value: HashMap<(Box<str>, Box<str>), Slot>,
    pub(super) orders: HashMap<Box<str>, Orders>,
    created: u64,
    clock: Clock,
    pub(super) relations: Relations,
}

/// The resources of one type.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// as they were created
    pub(super) created: BTreeMap<u64, Slot>,
    /// by id, for pages by cursor
    pub(super) ids: BTreeMap<Arc<str>, Slot>,
}

#[derive(Debug, Default)]
struct Entry {
    id: Arc<str>,
    stored: Option<Stored>,
}

/// A resource without its references.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) resource: Resource,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    pub(super) sequence: u64,
    pub(super) version: u64,
}

/// What time it is: a test sets it back.
#[derive(Debug)]
pub(super) struct Clock(pub(super) fn() -> DateTime<Utc>);

impl Default for Clock {
    fn default() -> Self {
        Self(Utc::now)
    }
}

impl Table {
    pub(super) fn get(&self, key: Key<'_>, want: &Projection) -> Option<Resource> {
        let slot = self.find(key)?;
        Some(self.joined(slot, &self.stored(slot)?.resource, want))
    }

    pub(super) fn create(&mut self, ty: &ResourceType, draft: &Resource) -> Result<Resource, StoreError> {
        let plain = draft.without_references();
        self.check_unique(&plain, None)?;
        let slot = self.new_slot(&new_id());
        let created = self.now();
        self.created += 1;
        let (sequence, version) = (self.created, 1);
        let id = self.id(slot);
        let resource = plain.without_secrets().stamped(&id, created, created, &Version::from(version));
        self.index(&resource, slot);
        let orders = self.orders.entry(ty.name().into()).or_default();
        orders.created.insert(sequence, slot);
        orders.ids.insert(id, slot);
        self.put(slot, Stored { resource, created, modified: created, sequence, version });
        for (attribute, references) in relations_of(draft) {
            for reference in references {
                self.relate(slot, attribute, &reference);
            }
        }
        self.current(slot, &Projection::everything(ty))
    }

    pub(super) fn replace(
        &mut self,
        key: Key<'_>,
        new: &Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        let slot = self.find(key).ok_or(StoreError::NotFound)?;
        when.check(&self.version(slot)?)?;
        let plain = new.without_references();
        self.check_unique(&plain, Some(slot))?;
        let mut changed = new.has_secrets() || self.stored(slot).is_some_and(|s| !s.resource.same_content(&plain));
        let ty = key.resource_type;
        for attribute in many(ty) {
            let wanted: Vec<Vec<u8>> = elements(new.value(attribute).unwrap_or_default()).map(<[u8]>::to_vec).collect();
            let keep: std::collections::HashSet<Cow<'_, str>> = wanted.iter().filter_map(|r| value_of(r)).collect();
            if self.relations.count(slot, attribute) > MANY {
                changed |= self.end(slot, attribute, keep.len(), |id| keep.contains(id));
            }
            for member in self.relations.members(slot, attribute) {
                if !keep.contains(self.id(member).as_ref()) {
                    changed |= self.part(slot, attribute, member);
                }
            }
            for reference in &wanted {
                changed |= self.relate(slot, attribute, reference) || self.resend(slot, attribute, reference);
            }
        }
        if changed {
            self.update(slot, &plain);
        }
        self.current(slot, &Projection::everything(ty))
    }

    pub(super) fn patch(
        &mut self,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Patched, StoreError> {
        let slot = self.find(key).ok_or(StoreError::NotFound)?;
        when.check(&self.version(slot)?)?;
        let budget = changes.budget();
        budget.charge(u64::try_from(changes.moved()).unwrap_or(u64::MAX).saturating_mul(MOVED));
        let resource = &self.stored(slot).ok_or(StoreError::NotFound)?.resource;
        budget.charge(self.joining(slot, resource, want));
        if changes.needs_references() {
            let everything = Projection::everything(key.resource_type);
            budget.spend(self.joining(slot, resource, &everything).saturating_mul(SEEN))?;
            let current = self.joined(slot, resource, &everything);
            let patched = changes.apply(&current)?;
            if patched.changed {
                self.replace(key, &patched.resource, Precondition::NONE)?;
            }
            return Ok(Patched { resource: self.current(slot, want)?, ..patched });
        }
        let patched = changes.apply_document(resource)?;
        self.check_unique(&patched.resource, Some(slot))?;
        let mut changed = patched.changed;
        for relation in changes.relations() {
            let attribute = relation.attribute();
            if relation.replaces_all() {
                let ended = self.relations.count(slot, attribute);
                budget.charge(u64::try_from(ended).unwrap_or(u64::MAX).saturating_mul(REFERENCE));
                if ended > MANY {
                    changed |= self.end(slot, attribute, relation.added().count(), |id| relation.adds_id(id));
                }
                for member in self.relations.members(slot, attribute) {
                    if !relation.adds_id(&self.id(member)) {
                        changed |= self.part(slot, attribute, member);
                    }
                }
            }
            for id in relation.removed() {
                if let Some(member) = self.by_id.get(id.as_ref()).copied() {
                    changed |= self.part(slot, attribute, member);
                }
            }
            for reference in relation.added() {
                changed |= self.relate(slot, attribute, reference.as_json());
            }
        }
        if changed {
            self.update(slot, &patched.resource);
        }
        Ok(Patched { resource: self.current(slot, want)?, changed, repairs: patched.repairs })
    }

    pub(super) fn delete(&mut self, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        let slot = self.find(key).ok_or(StoreError::NotFound)?;
        when.check(&self.version(slot)?)?;
        let Some(stored) = self.slots.get_mut(slot as usize).and_then(|e| e.stored.take()) else { return Ok(()) };
        self.unindex(&stored.resource, slot);
        if let Some(orders) = self.orders.get_mut(key.resource_type.name()) {
            orders.created.remove(&stored.sequence);
            orders.ids.remove(key.id);
        }
        for holder in self.relations.forget(slot) {
            if let Some(resource) = self.stored(holder).map(|s| s.resource.clone()) {
                self.update(holder, &resource);
            }
        }
        self.release(slot);
        Ok(())
    }

    /// Clears away some of what deletions have left behind. `false` when there is nothing left.
    pub(super) fn clear(&mut self, most: usize) -> bool {
        let cleared = self.relations.clear(most);
        let more = cleared.len() == most;
        cleared.into_iter().for_each(|slot| self.release(slot));
        more
    }

    /// The resource with the references that are wanted.
    pub(super) fn joined(&self, slot: Slot, resource: &Resource, want: &Projection) -> Resource {
        let ty = resource.resource_type();
        let mut parts: Vec<(AttrId, Option<Vec<u8>>)> = Vec::new();
        for id in ty.table().root().children().ids().iter().copied() {
            let relation = ty.node(id).relation();
            if !want.wants(id) || !matches!(relation, Relation::Many | Relation::Derived) {
                continue;
            }
            let array = match relation {
                Relation::Many => array(self.relations.members(slot, id).iter().map(|m| self.element(slot, id, *m))),
                _ => {
                    array(self.relations.all_holders(slot).iter().map(|holder| self.shown(slot, id, *holder, "direct")))
                }
            };
            if array.is_some() {
                parts.push((id, array));
            }
        }
        splice(resource, &parts, &[], Box::default())
    }

    /// A member as it is shown: with type and display of the resource it refers to, or as the client sent it.
    pub(super) fn element(&self, holder: Slot, attribute: AttrId, member: Slot) -> Vec<u8> {
        match self.stored(member) {
            Some(stored) => {
                let kind = stored.resource.resource_type().name();
                self.shown(holder, attribute, member, kind)
            }
            None => match self.relations.sent(holder, attribute, member) {
                Some(sent) => sent.to_vec(),
                None => Reference::to(&self.id(member), None, None).as_json().to_vec(),
            },
        }
    }

    /// What one resource shows of another, of the parts that the schema has.
    fn shown(&self, by: Slot, attribute: AttrId, of: Slot, kind: &str) -> Vec<u8> {
        let ty = self.stored(by).map(|stored| stored.resource.resource_type());
        let has = |part| ty.is_some_and(|ty| ty.table().child(ty.node(attribute).children(), part).is_some());
        let display = self.stored(of).filter(|_| has("display")).and_then(|stored| display(&stored.resource));
        Reference::to(&self.id(of), Some(kind).filter(|_| has("type")), display.as_deref()).as_json().to_vec()
    }

    fn relate(&mut self, holder: Slot, attribute: AttrId, reference: &[u8]) -> bool {
        let Some(value) = value_of(reference) else { return false };
        let member = match self.by_id.get(value.as_ref()) {
            Some(slot) => *slot,
            None => self.new_slot(&value),
        };
        // what is known of a resource is shown from the resource; of others, what the client said
        let sent = self.stored(member).is_none().then_some(reference);
        self.relations.add(holder, attribute, member, sent)
    }

    /// Keeps what the client says now of a member that is no resource here; `false` when that is what it said before.
    fn resend(&mut self, holder: Slot, attribute: AttrId, reference: &[u8]) -> bool {
        let member = value_of(reference).and_then(|value| self.by_id.get(value.as_ref()).copied());
        let Some(member) = member.filter(|member| self.stored(*member).is_none()) else { return false };
        self.relations.resend(holder, attribute, member, reference)
    }

    /// Takes all references of a long list away at once, unless they are those that are wanted; `false` when they are.
    fn end(&mut self, holder: Slot, attribute: AttrId, wanted: usize, wants: impl Fn(&str) -> bool) -> bool {
        let same = wanted == self.relations.count(holder, attribute)
            && self.relations.members(holder, attribute).iter().all(|member| wants(&self.id(*member)));
        if !same {
            self.relations.end(holder, attribute);
        }
        !same
    }

    /// Takes a reference away; `false` when there is none.
    fn part(&mut self, holder: Slot, attribute: AttrId, member: Slot) -> bool {
        let parted = self.relations.remove(holder, attribute, member);
        self.release(member);
        parted
    }

    /// Frees the number of what is no resource and nothing refers to.
    fn release(&mut self, slot: Slot) {
        let Some(entry) = self.slots.get_mut(slot as usize) else { return };
        if entry.stored.is_some() || self.relations.is_held(slot) || !self.free.insert(slot) {
            return;
        }
        self.by_id.remove(&std::mem::take(entry).id);
        while let Some(last) = self.free.last().copied().filter(|last| *last as usize + 1 == self.slots.len()) {
            self.free.remove(&last);
            self.slots.pop();
        }
        // what many ids have left behind is given back, a bit of work for each
        if self.slots.capacity() > 64 && self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to(self.slots.len() * 2);
        }
        if self.by_id.capacity() > 64 && self.by_id.len() < self.by_id.capacity() / 4 {
            self.by_id.shrink_to(self.by_id.len() * 2);
        }
    }

    fn update(&mut self, slot: Slot, content: &Resource) {
        let Some(old) = self.slots.get_mut(slot as usize).and_then(|e| e.stored.take()) else { return };
        self.unindex(&old.resource, slot);
        let version = old.version + 1;
        // a clock may be set back, and what was changed last may not look older for it
        let modified = self.now().max(old.modified);
        let resource =
            content.without_secrets().stamped(&self.id(slot), old.created, modified, &Version::from(version));
        self.index(&resource, slot);
        self.put(slot, Stored { resource, version, modified, ..old });
    }

    /// SCIM's timestamps have milliseconds at the most.
    fn now(&self) -> DateTime<Utc> {
        (self.clock.0)().trunc_subsecs(3)
    }

    #[cfg(test)]
    pub(super) fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// How many ids have a number, and how many there is room for.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> (usize, usize) {
        assert_eq!(self.by_id.len(), self.slots.len() - self.free.len());
        (self.by_id.len(), self.slots.capacity().max(self.by_id.capacity()))
    }

    /// How many resources have been created: the number of the last one.
    pub(super) fn created(&self) -> u64 {
        self.created
    }

    fn check_unique(&self, resource: &Resource, own: Option<Slot>) -> Result<(), StoreError> {
        for (path, key) in index_keys(resource) {
            if self.by_value.get(&key).is_some_and(|slot| Some(*slot) != own) {
                return Err(StoreError::Conflict { attribute: path });
            }
        }
        Ok(())
    }

    fn index(&mut self, resource: &Resource, slot: Slot) {
        self.by_value.extend(index_keys(resource).map(|(_, key)| (key, slot)));
    }

    fn unindex(&mut self, resource: &Resource, slot: Slot) {
        for (_, key) in index_keys(resource) {
            if self.by_value.get(&key) == Some(&slot) {
                self.by_value.remove(&key);
            }
        }
    }

    fn current(&self, slot: Slot, want: &Projection) -> Result<Resource, StoreError> {
        let stored = self.stored(slot).ok_or(StoreError::NotFound)?;
        Ok(self.joined(slot, &stored.resource, want))
    }

    pub(super) fn find(&self, key: Key<'_>) -> Option<Slot> {
        let slot = self.by_id.get(key.id).copied()?;
        let name = self.stored(slot)?.resource.resource_type().name();
        (name == key.resource_type.name()).then_some(slot)
    }

    fn version(&self, slot: Slot) -> Result<Version, StoreError> {
        self.stored(slot).map(|s| Version::from(s.version)).ok_or(StoreError::NotFound)
    }

    pub(super) fn stored(&self, slot: Slot) -> Option<&Stored> {
        self.slots.get(slot as usize)?.stored.as_ref()
    }

    pub(super) fn id(&self, slot: Slot) -> Arc<str> {
        self.slots.get(slot as usize).map(|e| Arc::clone(&e.id)).unwrap_or_default()
    }

    fn put(&mut self, slot: Slot, stored: Stored) {
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.stored = Some(stored);
        }
    }

    fn new_slot(&mut self, id: &str) -> Slot {
        let entry = Entry { id: id.into(), stored: None };
        let key = Arc::clone(&entry.id);
        let slot = match self.free.pop_first() {
            Some(slot) => {
                if let Some(place) = self.slots.get_mut(slot as usize) {
                    *place = entry;
                }
                slot
            }
            None => {
                self.slots.push(entry);
                Slot::try_from(self.slots.len() - 1).unwrap_or(Slot::MAX)
            }
        };
        self.by_id.insert(key, slot);
        slot
    }
}

fn relations_of(resource: &Resource) -> Vec<(AttrId, Vec<Vec<u8>>)> {
    let references = |id| elements(resource.value(id).unwrap_or_default()).map(<[u8]>::to_vec).collect();
    many(resource.resource_type()).map(|id| (id, references(id))).collect()
}

pub(super) fn many(ty: &ResourceType) -> impl Iterator<Item = AttrId> {
    let table = ty.table();
    table.ids().filter(|id| table.node(*id).relation() == Relation::Many)
}

pub(super) fn display(resource: &Resource) -> Option<String> {
    let text = |path| resource.text(path).filter(|t| !t.is_empty()).map(|t| t.into_owned());
    text("displayName").or_else(|| text("userName"))
}

fn value_of(reference: &[u8]) -> Option<Cow<'_, str>> {
    ValueRef::new(member(reference, "value")?).as_str()
}

/// A random UUID (version 4). The randomness is that of the standard library's hash maps.
fn new_id() -> String {
    let word = || RandomState::new().build_hasher().finish();
    let (a, b) = (word(), word());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        ((b >> 48) & 0x3fff) | 0x8000,
        b & 0xffff_ffff_ffff
    )
}
