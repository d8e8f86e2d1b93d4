//! Who refers to whom, in both directions, at a cost that does not depend on how many there are.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::table::Slot;
use crate::schema::table::AttrId;

#[derive(Debug, Default)]
pub(super) struct Relations {
    held: BTreeMap<(Slot, AttrId), Members>,
    /// member, and who holds it by which attribute: one set for all, because most members are held by few
    holders: BTreeSet<(Slot, Slot, AttrId)>,
}

/// Whom a deletion concerns.
#[derive(Debug)]
pub(super) struct Forgotten {
    pub(super) holders: Vec<Slot>,
    pub(super) members: Vec<Slot>,
}

/// The references that one resource holds.
#[derive(Debug, Default)]
struct Members {
    list: Vec<Slot>,
    places: HashMap<Slot, u32>,
    /// what the client sent of those that are no resources here
    sent: HashMap<Slot, Box<[u8]>>,
}

impl Relations {
    /// Adds a reference; `false` when it is there already.
    pub(super) fn add(&mut self, holder: Slot, attribute: AttrId, member: Slot, sent: Option<&[u8]>) -> bool {
        let members = self.held.entry((holder, attribute)).or_default();
        let place = u32::try_from(members.list.len()).unwrap_or(u32::MAX);
        match members.places.entry(member) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(free) => free.insert(place),
        };
        members.list.push(member);
        if let Some(sent) = sent {
            members.sent.insert(member, sent.into());
        }
        self.holders.insert((member, holder, attribute));
        true
    }

    /// Removes a reference; `false` when there is none.
    pub(super) fn remove(&mut self, holder: Slot, attribute: AttrId, member: Slot) -> bool {
        let Some(members) = self.held.get_mut(&(holder, attribute)) else { return false };
        let removed = members.remove(member);
        if members.list.is_empty() {
            self.held.remove(&(holder, attribute));
        }
        if removed {
            self.holders.remove(&(member, holder, attribute));
        }
        removed
    }

    pub(super) fn contains(&self, holder: Slot, attribute: AttrId, member: Slot) -> bool {
        self.held.get(&(holder, attribute)).is_some_and(|members| members.places.contains_key(&member))
    }

    pub(super) fn members(&self, holder: Slot, attribute: AttrId) -> Vec<Slot> {
        self.held.get(&(holder, attribute)).map(|members| members.list.clone()).unwrap_or_default()
    }

    /// How many references there are.
    pub(super) fn count(&self, holder: Slot, attribute: AttrId) -> usize {
        self.held.get(&(holder, attribute)).map_or(0, |members| members.list.len())
    }

    /// How many refer to `member`.
    pub(super) fn count_holders(&self, member: Slot) -> usize {
        self.held_by(member).count()
    }

    pub(super) fn is_held(&self, member: Slot) -> bool {
        self.held_by(member).next().is_some()
    }

    /// What the client sent of a member that is no resource here.
    pub(super) fn sent(&self, holder: Slot, attribute: AttrId, member: Slot) -> Option<&[u8]> {
        self.held.get(&(holder, attribute))?.sent.get(&member).map(AsRef::as_ref)
    }

    /// Who refers to `member` by this attribute.
    pub(super) fn holders(&self, member: Slot, attribute: AttrId) -> Vec<Slot> {
        self.held_by(member).filter(|(_, a)| *a == attribute).map(|(holder, _)| holder).collect()
    }

    /// Who refers to `member` at all.
    pub(super) fn all_holders(&self, member: Slot) -> Vec<Slot> {
        self.held_by(member).map(|(holder, _)| holder).collect()
    }

    /// Removes everything from and to a resource that is deleted. Gives those that referred to it, and those that it referred to.
    pub(super) fn forget(&mut self, slot: Slot) -> Forgotten {
        let own: Vec<AttrId> =
            self.held.range((slot, AttrId::ROOT)..=(slot, AttrId::UNKNOWN)).map(|((_, a), _)| *a).collect();
        let mut members = Vec::new();
        for attribute in own {
            for member in self.held.remove(&(slot, attribute)).unwrap_or_default().list {
                self.holders.remove(&(member, slot, attribute));
                members.push(member);
            }
        }
        let holders: Vec<(Slot, AttrId)> = self.held_by(slot).collect();
        for (holder, attribute) in &holders {
            self.remove(*holder, *attribute, slot);
        }
        let holders = holders.into_iter().map(|(holder, _)| holder).filter(|holder| *holder != slot).collect();
        Forgotten { holders, members }
    }

    fn held_by(&self, member: Slot) -> impl Iterator<Item = (Slot, AttrId)> {
        let all = (member, Slot::MIN, AttrId::ROOT)..=(member, Slot::MAX, AttrId::UNKNOWN);
        self.holders.range(all).map(|(_, holder, attribute)| (*holder, *attribute))
    }
}

impl Members {
    fn remove(&mut self, member: Slot) -> bool {
        let Some(place) = self.places.remove(&member) else { return false };
        self.list.swap_remove(place as usize);
        if let Some(moved) = self.list.get(place as usize) {
            self.places.insert(*moved, place);
        }
        self.sent.remove(&member);
        true
    }
}
