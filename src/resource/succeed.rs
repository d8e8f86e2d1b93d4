//! Replacing a resource by what a client sent (RFC 7644 §3.5.1), and telling what differs.

use std::borrow::Cow;
use std::collections::HashMap;

use super::scan::{array, elements, member};
use super::{Entry, Resource, Violation, ViolationKind, mutability, object, splice};
use crate::schema::table::{AttrId, Relation};
use crate::schema::{Mutability, ResourceType};

impl ResourceType {
    /// Whether a [successor](Resource::succeeding) is what the client sent, whatever it succeeds: a client can change everything.
    pub(crate) fn keeps_nothing(&self) -> bool {
        let table = self.table();
        table.ids().all(|id| {
            let of = table.entry_of(id);
            let (node, entry) = (table.node(id), table.node(of));
            let own = matches!(of, AttrId::ID | AttrId::SCHEMAS) || of == table.meta().meta;
            // of a list, only what is immutable is taken over; the members of a group are not looked at
            let immutable = mutability::is_immutable(table, id) && entry.relation() != Relation::Many;
            let part_of_many = entry.is_multi() && of != id && !immutable;
            let elsewhere = own || part_of_many || entry.relation() == Relation::Derived || node.is_computed_ref();
            elsewhere || !matches!(node.definition().mutability, Mutability::ReadOnly | Mutability::Immutable)
        })
    }
}

impl Resource {
    /// This resource as the successor of `current`: with what a client cannot change taken over. What is immutable and has a
    /// value stays when it is left out, and must not differ when it is given.
    pub(crate) fn succeeding(&self, current: &Self) -> Result<Self, Violation> {
        let table = self.resource_type().table();
        let mut changes: Vec<(AttrId, Option<Vec<u8>>)> = Vec::new();
        for Entry { id, .. } in current.document().entries() {
            let node = table.node(id);
            let extension = node.is_extension();
            let derived = node.relation() == Relation::Derived;
            if extension || derived || id == AttrId::SCHEMAS || id == AttrId::UNKNOWN {
                continue;
            }
            let (Some(old), new) = (current.value(id), self.value(id)) else { continue };
            match node.definition().mutability {
                Mutability::ReadOnly => changes.push((id, Some(old.to_vec()))),
                Mutability::Immutable => match new {
                    Some(new) if !mutability::same(table, id, old, new) => return Err(self.immutable(id)),
                    _ => changes.push((id, Some(old.to_vec()))),
                },
                _ if node.is_complex() && !node.is_multi() => {
                    if let Some(merged) = self.succeeding_parts(id, old, new)? {
                        changes.push((id, Some(merged)));
                    }
                }
                _ if node.is_multi() && node.relation() != Relation::Many => {
                    if let Some(values) = self.succeeding_values(id, old, new.unwrap_or_default())? {
                        changes.push((id, Some(values)));
                    }
                }
                _ => {}
            }
        }
        self.complete(current, &mut changes);
        let secrets = self.document().secrets().into();
        Ok(splice(self, &changes, &[], secrets))
    }

    /// The same for the parts of a complex attribute. `None` when nothing has to be taken over.
    fn succeeding_parts(&self, id: AttrId, old: &[u8], new: Option<&[u8]>) -> Result<Option<Vec<u8>>, Violation> {
        let table = self.resource_type().table();
        let mut merged: Option<Vec<u8>> = None;
        let has = |part: &AttrId| member(old, table.node(*part).name()).is_some();
        let children = table.node(id).children().ids();
        let keeps = children.iter().any(|part| mutability::is_immutable(table, *part) && has(part));
        let same_owner = new.is_some_and(|new| mutability::same_owner(table, id, old, new));
        for child in table.node(id).children().ids().iter().copied() {
            let node = table.node(child);
            // a value that is left out keeps what is immutable in it, and with that what it cannot be without
            let needed = new.is_none() && keeps && node.definition().required;
            let fixed = matches!(node.definition().mutability, Mutability::ReadOnly | Mutability::Immutable);
            if !fixed && !needed {
                continue;
            }
            let Some(was) = member(old, node.name()) else { continue };
            let is = new.and_then(|new| member(new, node.name()));
            let keep = match node.definition().mutability {
                Mutability::ReadOnly => !node.is_computed_ref() && same_owner,
                Mutability::Immutable if is.is_some_and(|is| !mutability::same(table, child, was, is)) => {
                    return Err(self.immutable(child));
                }
                Mutability::Immutable => true,
                _ => needed,
            };
            if keep {
                let object = merged.as_deref().or(new);
                merged = object::with(table, object, child, Some(was));
            }
        }
        Ok(merged)
    }

    /// The same for the values of a list, each of which succeeds the one of before with the same `value`.
    fn succeeding_values(&self, id: AttrId, old: &[u8], new: &[u8]) -> Result<Option<Vec<u8>>, Violation> {
        let table = self.resource_type().table();
        let children = table.node(id).children();
        let parts: Vec<AttrId> =
            children.ids().iter().copied().filter(|part| mutability::is_immutable(table, *part)).collect();
        let Some(value) = table.child(children, "value").filter(|_| !parts.is_empty() && !new.is_empty()) else {
            return Ok(None);
        };
        let name_of = |element| member(element, "value").map(|text| mutability::key(table, value, text));
        let before: HashMap<Vec<u8>, &[u8]> = elements(old).filter_map(|e| Some((name_of(e)?, e))).collect();
        let (mut values, mut differs) = (Vec::new(), false);
        for element in elements(new) {
            let mut next = Cow::Borrowed(element);
            let old = name_of(element).and_then(|value| before.get(&value).copied()).unwrap_or_default();
            for part in &parts {
                let name = table.node(*part).name();
                match (member(old, name), member(element, name)) {
                    (Some(was), Some(is)) if !mutability::same(table, *part, was, is) => {
                        return Err(self.immutable(*part));
                    }
                    (Some(was), None) => {
                        next = object::with(table, Some(&next), *part, Some(was)).unwrap_or_default().into();
                        differs = true;
                    }
                    _ => {}
                }
            }
            values.push(next);
        }
        Ok(array(values).filter(|_| differs))
    }

    /// What an extension requires stays with what is immutable in it, when the extension itself is left out.
    fn complete(&self, current: &Self, changes: &mut Vec<(AttrId, Option<Vec<u8>>)>) {
        let table = self.resource_type().table();
        for extension in table.extensions() {
            let children = table.node(extension).children();
            let kept = |id: &AttrId| changes.iter().any(|(changed, value)| changed == id && value.is_some());
            if children.ids().iter().any(|id| self.value(*id).is_some()) || !children.ids().iter().any(kept) {
                continue;
            }
            let missing = children.required().iter().copied().filter(|id| !kept(id));
            let old = missing.filter_map(|id| Some((id, Some(current.value(id)?.to_vec()))));
            let old: Vec<_> = old.collect();
            changes.extend(old);
        }
    }

    fn immutable(&self, id: AttrId) -> Violation {
        Violation::new(ViolationKind::Mutability, self.resource_type().table().path(id), "is immutable")
    }

    /// Whether the request brings a secret to set or to take away.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.document().secrets().is_empty()
    }

    /// The attributes that have a value, by name.
    pub(crate) fn assigned(&self) -> Vec<String> {
        let table = self.resource_type().table();
        let entries = self.document().entries().filter(|e| e.id != AttrId::SCHEMAS && e.id != AttrId::UNKNOWN);
        let names = entries.filter(|e| !table.node(e.id).is_extension()).map(|e| table.path(e.id));
        names.chain(self.document().secrets().iter().map(|(id, _)| table.path(*id))).collect()
    }

    /// The attributes whose values are not those of `other`, by name.
    pub(crate) fn differing(&self, other: &Self) -> Vec<String> {
        let table = self.resource_type().table();
        let meta = table.meta().meta;
        let relevant = |id: AttrId| {
            let node = table.node(id);
            table.entry_of(id) == id
                && !node.is_extension()
                && id != meta
                && id != AttrId::ROOT
                && node.relation() != Relation::Derived
        };
        let ids = table.ids().filter(|id| relevant(*id) && self.value(*id) != other.value(*id));
        let secrets = self.document().secrets().iter().map(|(id, _)| *id);
        ids.chain(secrets).map(|id| table.path(id)).collect()
    }
}
