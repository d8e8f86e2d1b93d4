//! Carrying changes out on a document. Only the attributes that are touched are looked at; all else is copied.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::changes::{Changes, Edit, Patched, Selector, Target};
use super::list::{List, SetPart};
use super::work::{Account, Extent, OPERATION, copied, size};
use super::{PatchError, PatchErrorKind};
use crate::compat::{Leniency, Repairs};
use crate::resource::scan::{members, unknown_members, write_string};
use crate::resource::{Resource, Unknown, mutability, object, splice};
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
            unknown: UnknownEdits::default(),
            account: Account::new(&self.limits, self.budget()).after(self.spent),
            repairs: Repairs::default(),
        };
        for edit in &self.edits {
            draft.edit(edit)?;
        }
        if relations {
            for change in &self.relations {
                let (list, account) = draft.list(change.attribute)?;
                list.relate(change, account)?;
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
    unknown: UnknownEdits,
    account: Account,
    repairs: Repairs,
}

/// What becomes of attributes that no schema defines: the last word on each, in the order in which those were said.
#[derive(Default)]
struct UnknownEdits {
    edits: Vec<Option<Unknown>>,
    places: HashMap<(AttrId, Vec<u8>), usize>,
}

impl UnknownEdits {
    fn push(&mut self, new: Unknown) {
        let place = self.places.insert((new.of, new.key.to_ascii_lowercase()), self.edits.len());
        if let Some(old) = place.and_then(|place| self.edits.get_mut(place)) {
            *old = None;
        }
        self.edits.push(Some(new));
    }
}

impl Draft<'_> {
    fn edit(&mut self, edit: &Edit) -> Result<(), PatchError> {
        self.account.spend(OPERATION)?;
        let guarded = edit.attribute().filter(|id| {
            let node = self.table.node(*id);
            node.is_multi() && mutability::is_immutable(self.table, *id)
        });
        let Some(id) = guarded else { return self.carry_out(edit) };
        let (list, account) = self.list(id)?;
        account.spend(list.extent().copies())?;
        let before = list.copy();
        self.carry_out(edit)?;
        if before.is_empty() {
            return Ok(());
        }
        let table = self.table;
        let (list, account) = self.list(id)?;
        account.spend(list.extent().folded() + before.extent().folded())?;
        let (old, new) = (before.value(), list.value());
        if mutability::changed(table, id, old.as_deref(), new.as_deref()).is_some() {
            return Err(immutable(table, id));
        }
        *list = before;
        Ok(())
    }

    fn carry_out(&mut self, edit: &Edit) -> Result<(), PatchError> {
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
                let (list, account) = self.list(*attribute)?;
                list.remove_listed(table, *attribute, values, account)
            }
            Edit::Unknown { of, name, value } => {
                self.account.spend(size(name.len()) * 4 + copied(size(value.as_ref().map_or(0, Vec::len))))?;
                let mut key = Vec::new();
                write_string(&mut key, name);
                self.unknown.push(Unknown { of: *of, key, value: value.clone() });
                Ok(())
            }
            Edit::RemoveUnknown { of } => {
                let extension = self.resource.value(*of).unwrap_or_default();
                self.account.spend(size(extension.len()) * 16 + size(self.unknown.edits.len()) * 10)?;
                for edit in &mut self.unknown.edits {
                    edit.take_if(|unknown| unknown.of == *of);
                }
                for (name, _) in unknown_members(self.table, self.table.node(*of), extension) {
                    let key = [b"\"", name, b"\""].concat();
                    self.unknown.push(Unknown { of: *of, key, value: None });
                }
                Ok(())
            }
        }
    }

    fn set(&mut self, target: &Target, part: &SetPart<'_>, creates: bool) -> Result<(), PatchError> {
        let (table, replace, value) = (self.table, part.replace, part.value);
        if !table.node(target.entry).is_multi() {
            return self.set_single(target, part, creates);
        }
        let resource = self.resource;
        let (list, account) = self.list(target.entry)?;
        match (&target.selector, target.sub) {
            (None, None) if replace => list.replace(value, account),
            (None, None) => list.add(table, target.entry, value, account),
            (None, Some(_)) if list.is_empty() => list.create(part, None, account),
            (None, Some(_)) => list.set(part, |_| true, account).map(drop),
            (Some(selector), _) => {
                account.spend(list.extent().compared(&selector.0))?;
                if list.set(part, |element| selector.0.matches_element(resource, element), account)? {
                    return Ok(());
                }
                let created = selector.0.equalities().filter(|_| creates || !replace);
                let element = created.and_then(|terms| List::element(table, target.entry, &terms));
                let Some(element) = element else { return Err(self.no_target(target)) };
                list.create(part, Some(element), account)?;
                if replace {
                    self.repairs.note(Leniency::ReplaceCreates, table.path(target.entry));
                }
                Ok(())
            }
        }
    }

    fn set_single(&mut self, target: &Target, part: &SetPart<'_>, creates: bool) -> Result<(), PatchError> {
        let (current, extent) = self.take_single(target)?;
        let selected = target.selector.as_ref().is_none_or(|s| self.selects(s, current.as_deref()));
        if !selected && (current.is_some() || (part.replace && !creates)) {
            return Err(self.no_target(target));
        }
        self.account.spend(part.cost(current.as_deref(), extent))?;
        let next = part.merged(current.as_deref());
        let next = mutability::disowned(self.table, target.entry, current.as_deref(), next);
        self.check_immutable(target, current.as_deref(), next.as_deref())?;
        let keeps = mutability::is_immutable(self.table, target.entry) && current.is_some();
        self.singles.insert(target.entry, if keeps { current } else { next });
        Ok(())
    }

    fn remove(&mut self, target: &Target) -> Result<(), PatchError> {
        let (table, resource) = (self.table, self.resource);
        if table.node(target.entry).is_multi() {
            let (list, account) = self.list(target.entry)?;
            return match &target.selector {
                None => list.remove(table, target.entry, target.sub, |_| true, account),
                Some(selector) => {
                    account.spend(list.extent().compared(&selector.0))?;
                    list.remove(table, target.entry, target.sub, |e| selector.0.matches_element(resource, e), account)
                }
            };
        }
        let (current, extent) = self.take_single(target)?;
        let selected = target.selector.as_ref().is_none_or(|s| self.selects(s, current.as_deref()));
        if current.is_none() || !selected {
            self.singles.insert(target.entry, current);
            return Ok(());
        }
        let parts = members(current.as_deref().unwrap_or_default()).count() + 1;
        self.account.spend(extent.merged(size(parts), 0))?;
        let next = target.sub.and_then(|sub| object::with(table, current.as_deref(), sub, None));
        self.check_immutable(target, current.as_deref(), next.as_deref())?;
        self.singles.insert(target.entry, next);
        Ok(())
    }

    fn selects(&self, selector: &Selector, value: Option<&[u8]>) -> bool {
        value.is_some_and(|value| selector.0.matches_element(self.resource, value))
    }

    fn check_immutable(&self, target: &Target, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<(), PatchError> {
        match mutability::changed(self.table, target.entry, old, new) {
            None => Ok(()),
            Some(id) => Err(immutable(self.table, id)),
        }
    }

    fn no_target(&self, target: &Target) -> PatchError {
        let path = self.table.path(target.entry);
        let text = match &target.selector {
            None => format!("the path selects no value of `{path}`"),
            Some(selector) => {
                format!("the path selects no value of `{path}` with its filter on {}", selector.parts(self.table))
            }
        };
        PatchError::operation(target.operation, PatchErrorKind::NoTarget, text)
    }

    /// The value of an attribute that has one, taken out: what becomes of it is put back. What a look at its parts costs is
    /// spent.
    fn take_single(&mut self, target: &Target) -> Result<(Option<Vec<u8>>, Extent), PatchError> {
        let current = match self.singles.remove(&target.entry) {
            Some(current) => current,
            None => self.resource.value(target.entry).map(<[u8]>::to_vec),
        };
        let extent = Extent::of(current.as_deref());
        let immutable = |id: &&AttrId| mutability::is_immutable(self.table, **id);
        let looks = self.table.node(target.entry).children().ids().iter().filter(immutable).count();
        let selected = target.selector.as_ref().map_or(0, |selector| extent.compared(&selector.0));
        self.account.spend(extent.copies() + extent.scan() * size(looks) * 2 + selected)?;
        Ok((current, extent))
    }

    /// The values of an attribute, and the account that pays for what is done with them.
    fn list(&mut self, id: AttrId) -> Result<(&mut List, &mut Account), PatchError> {
        let Self { resource, lists, account, .. } = self;
        let list = match lists.entry(id) {
            Entry::Occupied(list) => list.into_mut(),
            Entry::Vacant(place) => place.insert(List::new(resource.value(id), account)?),
        };
        account.spend(size(list.len()))?;
        Ok((list, account))
    }

    fn finish(mut self, changes: &Changes) -> Result<Patched, PatchError> {
        self.account.spend(self.cost_of_finish())?;
        let singles = self.singles.into_iter().map(|(id, value)| (id, (value, 1)));
        let lists = self.lists.into_iter().map(|(id, list)| {
            let count = list.len();
            (id, (list.value(), count))
        });
        let touched: BTreeMap<AttrId, (Option<Vec<u8>>, usize)> = singles.chain(lists).collect();
        let mut parts: Vec<(AttrId, Option<Vec<u8>>)> = Vec::with_capacity(touched.len());
        for (id, (value, count)) in touched {
            let node = self.table.node(id);
            if node.is_multi() && count > changes.limits.values && node.relation() != Relation::Many {
                let most = changes.limits.values;
                let text = format!("attribute `{}` has {count} values, more than {most}", self.table.path(id));
                return Err(PatchError::message(PatchErrorKind::Value, text));
            }
            let goes_with_extension = value.is_none() && self.table.node(node.parent()).is_extension();
            if !goes_with_extension {
                check_required(self.table, id, self.resource.value(id), value.as_deref())?;
            }
            if value.as_deref() != self.resource.value(id) {
                parts.push((id, value));
            }
        }
        check_extensions(self.table, self.resource, &parts)?;
        let unknown: Vec<Unknown> = self.unknown.edits.into_iter().flatten().collect();
        let resource = splice(self.resource, &parts, &unknown, changes.secrets.clone().into());
        if !unknown.is_empty() {
            check_unknown(self.resource, &resource, changes.limits.values)?;
        }
        resource.check_length(Some(self.resource), &changes.limits).map_err(|text| {
            // as a request that is too long itself
            PatchError::message(PatchErrorKind::TooLarge, text)
        })?;
        let changed = resource.as_json() != self.resource.as_json() || !changes.secrets.is_empty();
        Ok(Patched { resource, changed, repairs: self.repairs })
    }

    /// Writing lists and resource, and looking for what is required in each value.
    fn cost_of_finish(&self) -> u64 {
        let lists = self.lists.iter().map(|(id, list)| {
            let required = self.table.node(*id).children().required().len();
            list.extent().copies() + list.extent().scan() * size(required)
        });
        let unknown = size(self.unknown.edits.len()) * 200;
        lists.sum::<u64>() + unknown + copied(size(self.resource.as_json().len()))
    }
}

/// No object has more attributes that no schema defines than a request may have, unless it had as many before.
fn check_unknown(old: &Resource, new: &Resource, most: usize) -> Result<(), PatchError> {
    let table = new.resource_type().table();
    for of in table.extensions().chain([AttrId::ROOT]) {
        let count = new.unknown_count(of);
        if count > most && count > old.unknown_count(of) {
            let path = table.path(of);
            let text = match of {
                AttrId::ROOT => format!("the resource has more than {most} unknown attributes"),
                _ => format!("attribute `{path}` has more than {most} unknown attributes"),
            };
            return Err(PatchError::message(PatchErrorKind::Value, text));
        }
    }
    Ok(())
}

/// What is required must be there afterwards, in the attribute and in each of its values.
fn check_required(table: &Table, id: AttrId, old: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), PatchError> {
    let node = table.node(id);
    if let (false, Some(old), Some(new)) = (node.is_multi(), old, value)
        && let Some(lost) = mutability::lost(table, id, old, new)
    {
        return Err(required(table, lost, true));
    }
    let missing = match value {
        None => node.must_be_given().then_some(id),
        Some(_) if node.children().required().is_empty() => None,
        Some(value) => crate::resource::scan::elements(value).find_map(|element| {
            let has = |child: AttrId| members(element).any(|(name, _)| name == table.node(child).name().as_bytes());
            node.children().required().iter().copied().find(|child| !has(*child))
        }),
    };
    missing.map_or(Ok(()), |part| Err(required(table, part, part == id)))
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
            let had = |id: &AttrId| resource.value(*id).is_some();
            let lost = had(&id) || (id == extension && node.children().ids().iter().any(had));
            return Err(required(table, id, lost));
        }
    }
    Ok(())
}

/// What is required and was there is no client's to take away; what has never been there is a value that lacks it.
pub(super) fn required(table: &Table, id: AttrId, lost: bool) -> PatchError {
    let text = format!("attribute `{}` is required", table.path(id));
    PatchError::message(if lost { PatchErrorKind::Mutability } else { PatchErrorKind::Value }, text)
}

pub(super) fn immutable(table: &Table, id: AttrId) -> PatchError {
    PatchError::message(PatchErrorKind::Mutability, format!("attribute `{}` is immutable", table.path(id)))
}
