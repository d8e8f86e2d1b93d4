//! Carrying changes out on a document. Only the attributes that are touched are looked at; all else is copied.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Changes, Edit, Patched, Selector, Target};
use super::list::{List, SetPart};
use super::{PatchError, PatchErrorKind};
use crate::compat::{Leniency, Repairs};
use crate::resource::object;
use crate::resource::scan::{members, unknown_members, write_string};
use crate::resource::{Resource, Unknown, splice};
use crate::schema::Mutability;
use crate::schema::table::{AttrId, Relation, Table};

impl Changes {
    /// Carries out all changes on a resource that has its references with it. The resource itself stays as it is.
    ///
    /// # Errors
    /// When a path selects nothing, an immutable attribute would change, a required one would be lost, or a limit is
    /// exceeded. There is no partial result.
    pub fn apply(&self, resource: &Resource) -> Result<Patched, PatchError> {
        self.run(resource, true)
    }

    /// Carries out the changes of the document and leaves [`relations`](Self::relations) to the store.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_document(&self, resource: &Resource) -> Result<Patched, PatchError> {
        self.run(resource, false)
    }

    fn run(&self, resource: &Resource, relations: bool) -> Result<Patched, PatchError> {
        let mut draft = Draft {
            resource,
            table: self.ty.table(),
            singles: BTreeMap::new(),
            lists: BTreeMap::new(),
            unknown: Vec::new(),
            work: self.limits.patch_work,
            repairs: Repairs::default(),
        };
        for edit in &self.edits {
            draft.edit(edit)?;
        }
        if relations {
            for change in &self.relations {
                draft.list(change.attribute, None)?.relate(change);
            }
        }
        draft.finish(self)
    }
}

struct Draft<'d> {
    resource: &'d Resource,
    table: &'d Table,
    /// the attributes that are being edited, by how many values they may have
    singles: BTreeMap<AttrId, Option<Vec<u8>>>,
    lists: BTreeMap<AttrId, List>,
    unknown: Vec<Unknown>,
    /// how many elements may still be visited
    work: usize,
    repairs: Repairs,
}

impl Draft<'_> {
    fn edit(&mut self, edit: &Edit) -> Result<(), PatchError> {
        match edit {
            Edit::Set { target, replace, creates, value, unassigned } => {
                let part = SetPart {
                    table: self.table,
                    of: target.entry,
                    sub: target.sub,
                    replace: *replace,
                    value,
                    unassigned,
                };
                self.set(target, &part, *creates)
            }
            Edit::Remove { target } => self.remove(target),
            Edit::RemoveListed { attribute, values } => {
                let table = self.table;
                let list = self.list_for(*attribute, |list| list.compared(table, *attribute, values))?;
                list.remove_listed(table, *attribute, values);
                Ok(())
            }
            Edit::Unknown { of, name, value } => {
                let mut key = Vec::new();
                write_string(&mut key, name);
                self.set_unknown(Unknown { of: *of, key, value: value.clone() });
                Ok(())
            }
            Edit::RemoveUnknown { of } => {
                self.unknown.retain(|unknown| unknown.of != *of);
                let extension = self.resource.value(*of).unwrap_or_default();
                for (name, _) in unknown_members(self.table, self.table.node(*of), extension) {
                    let key = [b"\"", name, b"\""].concat();
                    self.unknown.push(Unknown { of: *of, key, value: None });
                }
                Ok(())
            }
        }
    }

    fn set_unknown(&mut self, new: Unknown) {
        self.unknown.retain(|old| old.of != new.of || !old.key.eq_ignore_ascii_case(&new.key));
        self.unknown.push(new);
    }

    fn set(&mut self, target: &Target, part: &SetPart<'_>, creates: bool) -> Result<(), PatchError> {
        let (table, replace, value) = (self.table, part.replace, part.value);
        if !table.node(target.entry).is_multi() {
            return self.set_single(target, part, creates);
        }
        let resource = self.resource;
        match (&target.selector, target.sub) {
            (None, None) if replace => self.list(target.entry, None)?.replace(value),
            (None, None) => self.list(target.entry, None)?.add(table, target.entry, value),
            (None, Some(_)) => {
                let list = self.list(target.entry, None)?;
                if list.is_empty() {
                    list.create(part, None);
                } else {
                    list.set(part, |_| true);
                }
            }
            (Some(selector), _) => {
                let matches = |element: &[u8]| selector.0.matches_element(resource, element);
                if !self.list(target.entry, Some(selector))?.set(part, matches) {
                    let created = selector.0.equalities().filter(|_| creates || !replace);
                    let element = created.and_then(|terms| List::element(table, target.entry, &terms));
                    let Some(element) = element else { return Err(self.no_target(target)) };
                    if replace {
                        self.repairs.note(Leniency::ReplaceCreates, table.path(target.entry));
                    }
                    self.list(target.entry, None)?.create(part, Some(element));
                }
            }
        }
        Ok(())
    }

    fn set_single(&mut self, target: &Target, part: &SetPart<'_>, creates: bool) -> Result<(), PatchError> {
        let resource = self.resource;
        let entry = target.entry;
        let current = self.single(entry).clone();
        if let Some(selector) = &target.selector {
            spend(&mut self.work, compared(selector, current.as_ref().map_or(0, Vec::len)) / VISIT)?;
            let matches = current.as_deref().is_some_and(|c| selector.0.matches_element(resource, c));
            if !matches && (current.is_some() || (part.replace && !creates)) {
                return Err(self.no_target(target));
            }
        }
        let next = part.merged(current.as_deref());
        self.check_immutable(target, current.as_deref(), next.as_deref())?;
        *self.single(entry) = next;
        Ok(())
    }

    fn remove(&mut self, target: &Target) -> Result<(), PatchError> {
        let (table, resource) = (self.table, self.resource);
        if table.node(target.entry).is_multi() {
            let list = self.list(target.entry, target.selector.as_ref())?;
            match &target.selector {
                None => list.remove(table, target.sub, |_| true),
                Some(selector) => list.remove(table, target.sub, |e| selector.0.matches_element(resource, e)),
            }
            return Ok(());
        }
        let current = self.single(target.entry).clone();
        let Some(value) = current.as_deref() else { return Ok(()) };
        spend(&mut self.work, target.selector.as_ref().map_or(0, |s| compared(s, value.len()) / VISIT))?;
        if target.selector.as_ref().is_some_and(|s| !s.0.matches_element(resource, value)) {
            return Ok(());
        }
        let next = target.sub.and_then(|sub| object::with(table, Some(value), sub, None));
        self.check_immutable(target, current.as_deref(), next.as_deref())?;
        *self.single(target.entry) = next;
        Ok(())
    }

    fn check_immutable(&self, target: &Target, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<(), PatchError> {
        let immutable = |id: AttrId| self.table.node(id).definition().mutability == Mutability::Immutable;
        let whole = immutable(target.entry) && old.is_some() && old != new;
        let child = |object: Option<&[u8]>, id: AttrId| -> Option<Vec<u8>> {
            let name = self.table.node(id).name().as_bytes();
            members(object?).find(|(key, _)| *key == name).map(|(_, value)| value.to_vec())
        };
        let part =
            self.table.node(target.entry).children().ids().iter().copied().filter(|id| immutable(*id)).find(|id| {
                let before = child(old, *id);
                before.is_some() && before != child(new, *id)
            });
        match (whole, part) {
            (false, None) => Ok(()),
            (_, part) => {
                let path = self.table.path(part.unwrap_or(target.entry));
                Err(PatchError::message(PatchErrorKind::Mutability, format!("attribute `{path}` is immutable")))
            }
        }
    }

    fn no_target(&self, target: &Target) -> PatchError {
        let text = format!("the path selects no value of `{}`", self.table.path(target.entry));
        PatchError::message(PatchErrorKind::NoTarget, text)
    }

    fn single(&mut self, id: AttrId) -> &mut Option<Vec<u8>> {
        let resource = self.resource;
        self.singles.entry(id).or_insert_with(|| resource.value(id).map(<[u8]>::to_vec))
    }

    /// The values of an attribute, to be looked at by a selector if there is one.
    fn list(&mut self, id: AttrId, selector: Option<&Selector>) -> Result<&mut List, PatchError> {
        self.list_for(id, |list| selector.map_or(0, |selector| compared(selector, list.bytes())))
    }

    /// The values of an attribute, of which so many bytes are going to be compared.
    fn list_for(&mut self, id: AttrId, compared: impl FnOnce(&List) -> usize) -> Result<&mut List, PatchError> {
        let Self { resource, lists, work, .. } = self;
        let list = lists.entry(id).or_insert_with(|| List::new(resource.value(id)));
        spend(work, list.len() + 1 + list.bytes() / VISIT + compared(list) / VISIT)?;
        Ok(list)
    }

    fn finish(self, changes: &Changes) -> Result<Patched, PatchError> {
        let singles = self.singles.into_iter().map(|(id, value)| (id, (value, 1)));
        let lists = self.lists.into_iter().map(|(id, list)| {
            let count = list.len();
            (id, (list.into_value(), count))
        });
        let touched: BTreeMap<AttrId, (Option<Vec<u8>>, usize)> = singles.chain(lists).collect();
        let mut parts: Vec<(AttrId, Option<Vec<u8>>)> = Vec::with_capacity(touched.len());
        for (id, (value, count)) in touched {
            let node = self.table.node(id);
            if node.is_multi() && count > changes.limits.values && node.relation() != Relation::Many {
                let text = format!("attribute `{}` has too many values", self.table.path(id));
                return Err(PatchError::message(PatchErrorKind::Value, text));
            }
            let goes_with_extension = value.is_none() && self.table.node(node.parent()).is_extension();
            if !goes_with_extension {
                check_required(self.table, id, value.as_deref())?;
            }
            if value.as_deref() != self.resource.value(id) {
                parts.push((id, value));
            }
        }
        check_extensions(self.table, self.resource, &parts)?;
        let resource = splice(self.resource, &parts, &self.unknown, changes.secrets.clone().into());
        let changed = resource.as_json() != self.resource.as_json() || !changes.secrets.is_empty();
        Ok(Patched { resource, changed, repairs: self.repairs })
    }
}

/// How many bytes are compared while a short value is visited.
const VISIT: usize = 512;

/// How many bytes a selector compares that looks at so many.
fn compared(selector: &Selector, bytes: usize) -> usize {
    selector.0.effort().saturating_mul(bytes)
}

/// Takes visits of a value from those that are left.
fn spend(work: &mut usize, visits: usize) -> Result<(), PatchError> {
    let left = work.checked_sub(visits);
    *work = left.ok_or_else(|| PatchError::message(PatchErrorKind::TooLarge, "the operations are too much work"))?;
    Ok(())
}

/// What is required must be there afterwards, in the attribute and in each of its values.
fn check_required(table: &Table, id: AttrId, value: Option<&[u8]>) -> Result<(), PatchError> {
    let node = table.node(id);
    let missing = match value {
        None => node.must_be_given().then_some(id),
        Some(_) if node.children().required().is_empty() => None,
        Some(value) => crate::resource::scan::elements(value).find_map(|element| {
            let has = |child: AttrId| members(element).any(|(name, _)| name == table.node(child).name().as_bytes());
            node.children().required().iter().copied().find(|child| !has(*child))
        }),
    };
    missing.map_or(Ok(()), |id| Err(required(table, id)))
}

/// An extension of which a part has changed is as complete afterwards as a creation would have to be: there if every
/// resource has to have it, and with all that it requires.
fn check_extensions(table: &Table, resource: &Resource, parts: &[(AttrId, Option<Vec<u8>>)]) -> Result<(), PatchError> {
    let has = |child: &AttrId| match parts.iter().find(|(id, _)| id == child) {
        Some((_, value)) => value.is_some(),
        None => resource.value(*child).is_some(),
    };
    let parents = parts.iter().map(|(id, _)| table.node(*id).parent());
    for extension in parents.filter(|id| table.node(*id).is_extension()).collect::<BTreeSet<_>>() {
        let node = table.node(extension);
        let missing = if node.children().ids().iter().any(has) {
            node.children().required().iter().copied().find(|child| !table.node(*child).is_secret() && !has(child))
        } else {
            node.definition().required.then_some(extension)
        };
        if let Some(id) = missing {
            return Err(required(table, id));
        }
    }
    Ok(())
}

fn required(table: &Table, id: AttrId) -> PatchError {
    let text = format!("attribute `{}` is required", table.path(id));
    PatchError::message(PatchErrorKind::Value, text)
}
