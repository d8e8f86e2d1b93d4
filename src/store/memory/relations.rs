//! Who refers to whom, in both directions, at a cost that does not depend on how many there are.
//!
//! A list of references that ends as a whole, however long it is, is gone at once. What it has left behind is cleared away bit by
//! bit: each reference of it names the list, and nobody believes a list that is no more.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::table::Slot;
use crate::schema::table::AttrId;

#[derive(Debug, Default)]
pub(super) struct Relations {
    held: BTreeMap<(Slot, AttrId), ListId>,
    lists: HashMap<ListId, Members>,
    /// member, and the list that it is on: one set for all, because most members are on few
    holders: BTreeSet<(Slot, ListId)>,
    /// lists that are no more, and still have what they have left behind
    ended: Vec<(ListId, Members)>,
    last: u64,
}

/// The number of a list. None is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ListId(u64);

/// The references that one resource holds.
#[derive(Debug)]
struct Members {
    holder: (Slot, AttrId),
    list: Vec<Slot>,
    places: HashMap<Slot, u32>,
    /// what the client sent of those that are no resources here
    sent: HashMap<Slot, Arc<[u8]>>,
}

impl Relations {
    /// Adds a reference; `false` when it is there already.
    pub(super) fn add(&mut self, holder: Slot, attribute: AttrId, member: Slot, sent: Option<&[u8]>) -> bool {
        let list = *self.held.entry((holder, attribute)).or_insert_with(|| {
            self.last += 1;
            ListId(self.last)
        });
        let members = self.lists.entry(list).or_insert_with(|| Members::of((holder, attribute)));
        let place = u32::try_from(members.list.len()).unwrap_or(u32::MAX);
        match members.places.entry(member) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(free) => free.insert(place),
        };
        members.list.push(member);
        if let Some(sent) = sent {
            members.sent.insert(member, sent.into());
        }
        self.holders.insert((member, list));
        true
    }

    /// Keeps what is sent of a member that is there; `false` when it is the same as before.
    pub(super) fn resend(&mut self, holder: Slot, attribute: AttrId, member: Slot, sent: &[u8]) -> bool {
        let list = self.held.get(&(holder, attribute)).and_then(|list| self.lists.get_mut(list));
        let Some(members) = list.filter(|members| members.places.contains_key(&member)) else { return false };
        let same = members.sent.get(&member).is_some_and(|before| **before == *sent);
        if !same {
            members.sent.insert(member, sent.into());
        }
        !same
    }

    /// Removes a reference; `false` when there is none.
    pub(super) fn remove(&mut self, holder: Slot, attribute: AttrId, member: Slot) -> bool {
        let Some(list) = self.held.get(&(holder, attribute)).copied() else { return false };
        let Some(members) = self.lists.get_mut(&list) else { return false };
        let removed = members.remove(member);
        if members.list.is_empty() {
            self.held.remove(&(holder, attribute));
            self.lists.remove(&list);
        }
        if removed {
            self.holders.remove(&(member, list));
        }
        removed
    }

    pub(super) fn contains(&self, holder: Slot, attribute: AttrId, member: Slot) -> bool {
        self.list(holder, attribute).is_some_and(|members| members.places.contains_key(&member))
    }

    pub(super) fn members(&self, holder: Slot, attribute: AttrId) -> Vec<Slot> {
        self.list(holder, attribute).map(|members| members.list.clone()).unwrap_or_default()
    }

    /// How many references there are.
    pub(super) fn count(&self, holder: Slot, attribute: AttrId) -> usize {
        self.list(holder, attribute).map_or(0, |members| members.list.len())
    }

    /// How many refer to `member`.
    pub(super) fn count_holders(&self, member: Slot) -> usize {
        self.held_by(member).count()
    }

    pub(super) fn is_held(&self, member: Slot) -> bool {
        self.held_by(member).next().is_some()
    }

    /// What the client sent of a member that is no resource here.
    pub(super) fn sent(&self, holder: Slot, attribute: AttrId, member: Slot) -> Option<&Arc<[u8]>> {
        self.list(holder, attribute)?.sent.get(&member)
    }

    /// Who refers to `member` by this attribute.
    pub(super) fn holders(&self, member: Slot, attribute: AttrId) -> Vec<Slot> {
        self.held_by(member).filter(|(_, a)| *a == attribute).map(|(holder, _)| holder).collect()
    }

    /// Who refers to `member` at all.
    pub(super) fn all_holders(&self, member: Slot) -> Vec<Slot> {
        self.held_by(member).map(|(holder, _)| holder).collect()
    }

    /// Removes all references of an attribute. [`clear`](Self::clear) does the rest.
    pub(super) fn end(&mut self, holder: Slot, attribute: AttrId) {
        if let Some(list) = self.held.remove(&(holder, attribute))
            && let Some(members) = self.lists.remove(&list)
        {
            self.ended.push((list, members));
        }
    }

    /// Removes everything from and to a resource that is deleted. Gives those that referred to it.
    pub(super) fn forget(&mut self, slot: Slot) -> Vec<Slot> {
        let own: Vec<AttrId> =
            self.held.range((slot, AttrId::ROOT)..=(slot, AttrId::UNKNOWN)).map(|((_, a), _)| *a).collect();
        for attribute in own {
            self.end(slot, attribute);
        }
        let holders: Vec<(Slot, AttrId)> = self.held_by(slot).collect();
        for (holder, attribute) in &holders {
            self.remove(*holder, *attribute, slot);
        }
        holders.into_iter().map(|(holder, _)| holder).collect()
    }

    /// Clears away up to so many of the references that ended lists have left behind. Gives those that they led to; none when
    /// there is nothing left.
    pub(super) fn clear(&mut self, most: usize) -> Vec<Slot> {
        let mut cleared = Vec::new();
        while cleared.len() < most {
            let Some((list, members)) = self.ended.last_mut() else { break };
            let Some(member) = members.list.pop() else {
                self.ended.pop();
                continue;
            };
            members.sent.remove(&member);
            self.holders.remove(&(member, *list));
            cleared.push(member);
        }
        cleared
    }

    fn list(&self, holder: Slot, attribute: AttrId) -> Option<&Members> {
        self.lists.get(self.held.get(&(holder, attribute))?)
    }

    fn held_by(&self, member: Slot) -> impl Iterator<Item = (Slot, AttrId)> {
        let all = (member, ListId(u64::MIN))..=(member, ListId(u64::MAX));
        self.holders.range(all).filter_map(|(_, list)| self.lists.get(list)).map(|members| members.holder)
    }
}

impl Members {
    fn of(holder: (Slot, AttrId)) -> Self {
        Self { holder, list: Vec::new(), places: HashMap::new(), sent: HashMap::new() }
    }

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
