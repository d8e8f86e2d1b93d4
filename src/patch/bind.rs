//! From operations to edits: paths resolved, values read, dialects understood. All that can be refused without looking at
//! the resource is refused here.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::changes::{Changes, Edit, Selector, Target};
use super::key::PathKey;
use super::members::{is_list_of_something, is_null, says_nothing};
use super::work::{self, Account, OPERATION};
use super::{Op, Operation, Patch, PatchError, PatchErrorKind};
use crate::compat::{Compat, Leniency, Repairs};
use crate::error::excerpt;
use crate::filter::Path;
use crate::resource::{Reader, Rules, Secrets, UnknownAttributes};
use crate::schema::table::{AttrId, Node, Relation};
use crate::schema::{Mutability, ResourceType};
use crate::{AttrPath, Budget, Limits};

impl Patch<'_> {
    /// Resolves every path and reads every value: what the request changes, whatever spelling it came in.
    ///
    /// # Errors
    /// When a path or value makes no sense for the resource type, or names what clients cannot change.
    pub fn bind(&self, ty: &ResourceType, compat: Compat, limits: &Limits) -> Result<Changes, PatchError> {
        self.bind_with(ty, Rules::new(limits, compat, UnknownAttributes::default()))
    }

    pub(crate) fn bind_with(&self, ty: &ResourceType, rules: Rules<'_>) -> Result<Changes, PatchError> {
        let budget = rules.budget.cloned().unwrap_or_else(|| Budget::new(rules.limits.work));
        let mut binder = Binder {
            ty,
            rules,
            reader: Reader::new(ty, rules.charged_to(&budget)),
            account: Account::new(rules.limits, &budget),
            edits: Vec::new(),
            secrets: Vec::new(),
            repairs: Repairs::default(),
            creates: false,
            number: 0,
            in_base: false,
            left_out: 0,
            unknown: None,
        };
        binder.message(self)?;
        for (number, operation) in self.operations.iter().enumerate() {
            binder.number = number;
            let entra = operation.capitalised || self.from_entra;
            binder.creates = operation.op == Op::Add || (entra && rules.compat.accepts(Leniency::ReplaceCreates));
            binder.operation(operation).map_err(|e| e.at(number))?;
        }
        // of a request that is left out as a whole the client has to hear
        if let Some(unknown) = binder.unknown.take_if(|_| binder.left_out == self.operations.len()) {
            return Err(unknown);
        }
        let mut repairs = binder.reader.take_repairs();
        repairs.append(binder.repairs);
        let spent = binder.account.spent();
        Ok(Changes::new(ty, rules.limits, binder.edits, binder.secrets, repairs, (budget.clone(), spent)))
    }
}

pub(super) struct Binder<'b> {
    pub(super) ty: &'b ResourceType,
    pub(super) rules: Rules<'b>,
    pub(super) reader: Reader<'b>,
    pub(super) account: Account,
    pub(super) edits: Vec<Edit>,
    pub(super) secrets: Vec<Secrets>,
    pub(super) repairs: Repairs,
    /// whether a value path that matches nothing creates what it describes
    pub(super) creates: bool,
    /// the operation that is read
    pub(super) number: usize,
    /// whether it is inside an object that the base schema's URN stands in front of
    pub(super) in_base: bool,
    /// how many operations lead to what no schema defines, and the first of these
    pub(super) left_out: usize,
    pub(super) unknown: Option<PatchError>,
}

impl Binder<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), PatchError> {
        self.account.spend(OPERATION)?;
        if operation.capitalised {
            self.lenient(Leniency::OpCase, "op", PatchErrorKind::Syntax)?;
        }
        match (operation.op, &operation.path, operation.value) {
            (Op::Remove, None, value) => self.remove_wrapped(value),
            (op, Some(path), value) => {
                let path = self.path(path)?;
                match value {
                    _ if self.leaves_out(op, &path, value)? => Ok(()),
                    value if op == Op::Remove => self.remove(&path, value),
                    Some(value) => self.set(op, &path, value),
                    None => Err(no_value()),
                }
            }
            (op, None, Some(value)) => self.resource_value(op, value, AttrId::ROOT),
            (_, None, None) => Err(no_value()),
        }
    }

    /// An operation without a path: every member of its value is an operation of its own.
    fn resource_value(&mut self, op: Op, value: &RawValue, below: AttrId) -> Result<(), PatchError> {
        for (key, value) in self.members(value)? {
            let table = self.ty.table();
            match table.child(table.node(below).children(), &key) {
                Some(id) if table.node(id).is_read_only() => {}
                Some(AttrId::SCHEMAS) => self.schemas(op, value)?,
                Some(id) if table.node(id).is_extension() => self.extension(op, id, value)?,
                Some(id) => self.assign(op, Target::whole(id, self.number), value)?,
                None if self.is_base(below, &key, value) => {
                    self.repairs.note(Leniency::PathKeys, &*key);
                    self.in_base = true;
                    self.resource_value(op, value, below)?;
                    self.in_base = false;
                }
                None => match self.reader.legacy_extension(below, &key) {
                    Some(id) => self.extension(op, id, value)?,
                    None => self.path_key(op, below, &key, value)?,
                },
            }
        }
        Ok(())
    }

    /// A key such as `name.familyName`, `urn:…:User:department` or, without its URN, `department`: a path and not a name.
    fn path_key(&mut self, op: Op, below: AttrId, key: &str, value: &RawValue) -> Result<(), PatchError> {
        self.account.spend(OPERATION + work::path(key))?;
        let known = PathKey::new(self.ty, below, key);
        match known.path(self.ty, self.rules.compat, self.rules.limits) {
            Some(path) => {
                if !known.is_name() {
                    self.repairs.note(Leniency::PathKeys, PathKey::named(&path));
                }
                match self.set(op, &path, value) {
                    // what only the service provider can change is ignored inside a value
                    Err(e) if e.kind() == PatchErrorKind::Mutability && self.is_read_only(&path) => Ok(()),
                    result => result,
                }
            }
            _ => self.unknown(op, below, key, value),
        }
    }

    fn extension(&mut self, op: Op, id: AttrId, value: &RawValue) -> Result<(), PatchError> {
        if is_null(value) {
            return if op == Op::Replace { self.remove_extension(id) } else { Ok(()) };
        }
        self.resource_value(op, value, id)
    }

    fn remove_extension(&mut self, id: AttrId) -> Result<(), PatchError> {
        let table = self.ty.table();
        if table.node(id).definition().required {
            return Err(self.refuse(id, PatchErrorKind::Mutability, "is required"));
        }
        if self.rules.unknown == UnknownAttributes::Keep {
            self.edits.push(Edit::RemoveUnknown { of: id });
        }
        for child in table.node(id).children().ids() {
            if !table.node(*child).is_read_only() {
                self.edits.push(Edit::Remove { target: Target::whole(*child, self.number) });
            }
        }
        Ok(())
    }

    /// `schemas` follows from the data. What is checked is that the request names no foreign schema and does not take the
    /// base schema away.
    fn schemas(&mut self, op: Op, value: &RawValue) -> Result<(), PatchError> {
        let list: Result<Vec<Cow<'_, str>>, _> = serde_json::from_str(value.get());
        let one: Result<Cow<'_, str>, _> = serde_json::from_str(value.get());
        let Some(uris) = list.ok().or_else(|| one.ok().map(|uri| vec![uri])) else {
            return Err(self.refuse(AttrId::SCHEMAS, PatchErrorKind::Value, "must be an array of schema URIs"));
        };
        for uri in &uris {
            self.reader.schema(uri)?;
        }
        let base = self.ty.schema().id.as_str();
        if op == Op::Replace && !uris.iter().any(|uri| uri.eq_ignore_ascii_case(base)) {
            return Err(self.refuse(AttrId::SCHEMAS, PatchErrorKind::Mutability, "must keep the base schema"));
        }
        Ok(())
    }

    fn set(&mut self, op: Op, path: &Path<'_>, value: &RawValue) -> Result<(), PatchError> {
        let target = self.target(path)?;
        let id = target.id();
        let node = self.ty.node(id);
        if id == AttrId::SCHEMAS {
            return self.schemas(op, value);
        }
        if node.is_extension() {
            return self.extension(op, id, value);
        }
        self.assign(op, target, value)
    }

    fn assign(&mut self, op: Op, mut target: Target, value: &RawValue) -> Result<(), PatchError> {
        let value = self.unwrapped(&target, value)?;
        self.name_value(&mut target, value);
        let id = target.id();
        let node = self.ty.node(id);
        if op == Op::Add && node.relation() == Relation::Many && value.get() == "\"\"" {
            return Err(self.refuse(id, PatchErrorKind::Value, "names no resource"));
        }
        let element = target.selector.is_some() && target.sub.is_none();
        let text = self.reader.value(id, element, value.get())?;
        let unassigned = self.reader.take_unassigned();
        let mut secrets = self.reader.take_secrets();
        let has_secrets = !secrets.is_empty();
        self.secrets.append(&mut secrets);
        if node.is_secret() && !has_secrets {
            self.forget_secret(id);
        }
        if node.is_secret() {
            return Ok(());
        }
        let replace = op == Op::Replace;
        let unassigned = unassigned.filter(|_| replace && target.sub.is_none());
        if let Some(names) = &unassigned {
            self.forget_secrets(id, names);
        }
        let creates = self.creates && text.is_some();
        let value = match (text, &unassigned) {
            (Some(text), _) => text,
            (None, Some(names)) if replace && !self.is_nothing(&target, names, value) => {
                if self.ty.node(target.entry).relation() == Relation::Many || self.is_list(&target) {
                    return Ok(());
                }
                b"{}".to_vec()
            }
            _ if !replace || has_secrets => return Ok(()),
            // to empty a group is asked for by an empty list
            _ if self.ty.node(target.entry).relation() == Relation::Many && is_list_of_something(value) => {
                return Err(self.refuse(id, PatchErrorKind::Value, "names no resource"));
            }
            _ => return self.remove_target(target),
        };
        let unassigned = unassigned.unwrap_or_default().into();
        self.edits.push(Edit::Set { target, replace, creates, value: value.into(), unassigned });
        Ok(())
    }

    /// Whether an object of which no part has a value stands for no value at all: a reference without an id does. From any
    /// other, the parts that it names are taken, and all that it does not name stays (RFC 7644 §3.5.2.3).
    fn is_nothing(&self, target: &Target, names: &[String], value: &RawValue) -> bool {
        match self.ty.node(target.entry).relation() {
            Relation::One => names.iter().any(|name| name == "value"),
            _ => self.is_list(target) && value.get().starts_with('['),
        }
    }

    /// Whether all values of a list are meant.
    pub(super) fn is_list(&self, target: &Target) -> bool {
        self.ty.node(target.entry).is_multi() && target.selector.is_none()
    }

    fn forget_secrets(&mut self, of: AttrId, names: &[String]) {
        let (table, children) = (self.ty.table(), self.ty.node(of).children());
        let ids = names.iter().filter_map(|name| table.child(children, name));
        self.secrets.extend(ids.filter(|id| table.node(*id).is_secret()).map(|id| (id, None)));
    }

    fn remove(&mut self, path: &Path<'_>, value: Option<&RawValue>) -> Result<(), PatchError> {
        let target = self.target(path)?;
        let node = self.ty.node(target.id());
        if target.id() == AttrId::SCHEMAS {
            return Err(self.refuse(AttrId::SCHEMAS, PatchErrorKind::Mutability, "must keep the base schema"));
        }
        if node.is_extension() {
            return self.remove_extension(target.id());
        }
        let listed = value.filter(|v| !is_null(v) && target.selector.is_none() && node.is_multi());
        match listed {
            Some(value) if says_nothing(value) => {
                self.lenient(Leniency::BlankRemove, node.name(), PatchErrorKind::Value)?;
                self.remove_target(target)
            }
            Some(value) => self.remove_listed(target.id(), value),
            None => self.remove_target(target),
        }
    }

    /// `remove` with a path and the values to remove: never all of them.
    fn remove_listed(&mut self, id: AttrId, value: &RawValue) -> Result<(), PatchError> {
        let name = self.ty.node(id).name();
        if value.get().starts_with('{') {
            let mut members = self.members(value)?;
            if let Some(at) = members.iter().position(|(key, _)| key.eq_ignore_ascii_case(name)) {
                self.lenient(Leniency::RemoveWrapped, name, PatchErrorKind::Value)?;
                let (_, value) = members.swap_remove(at);
                return self.push_listed(id, value);
            }
        }
        self.lenient(Leniency::RemoveListed, name, PatchErrorKind::Value)?;
        self.push_listed(id, value)
    }

    fn push_listed(&mut self, id: AttrId, value: &RawValue) -> Result<(), PatchError> {
        match self.reader.value(id, false, value.get())? {
            Some(values) => {
                self.edits.push(Edit::RemoveListed { attribute: id, values: values.into() });
                Ok(())
            }
            // to take it for all of them is what nobody can have meant who names some
            None => Err(self.refuse(id, PatchErrorKind::Value, "names no value to remove in `value`")),
        }
    }

    /// `remove` without a path: refused, but for an object that holds nothing else than references to remove.
    fn remove_wrapped(&mut self, value: Option<&RawValue>) -> Result<(), PatchError> {
        let no_path = || PatchError::message(PatchErrorKind::NoTarget, "`remove` needs a `path`");
        let value = value.filter(|v| self.rules.compat.accepts(Leniency::RemoveWrapped) && v.get().starts_with('{'));
        let members = self.members(value.ok_or_else(no_path)?)?;
        let table = self.ty.table();
        let references = |key: &str| {
            table.child(table.root().children(), key).filter(|id| table.node(*id).relation() == Relation::Many)
        };
        let all: Option<Vec<_>> = members.iter().map(|(key, value)| Some((references(key)?, *value))).collect();
        let all = all.filter(|all| !all.is_empty()).ok_or_else(no_path)?;
        for (id, value) in all {
            self.repairs.note(Leniency::RemoveWrapped, table.path(id));
            self.push_listed(id, value)?;
        }
        Ok(())
    }

    fn remove_target(&mut self, target: Target) -> Result<(), PatchError> {
        let id = target.id();
        let node = self.ty.node(id);
        let whole = target.selector.is_none() || target.sub.is_some();
        if node.must_be_given() && whole {
            return Err(self.refuse(id, PatchErrorKind::Mutability, "is required"));
        }
        if node.is_secret() {
            self.forget_secret(id);
            return Ok(());
        }
        self.edits.push(Edit::Remove { target });
        Ok(())
    }

    /// Takes a secret away, with its parts where it has some.
    fn forget_secret(&mut self, id: AttrId) {
        let parts = self.ty.node(id).children().ids().iter().copied();
        self.secrets.extend(parts.chain([id]).map(|id| (id, None)));
    }

    fn path<'p>(&mut self, path: &'p str) -> Result<Path<'p>, PatchError> {
        self.account.spend(work::path(path))?;
        Path::parse(path, self.rules.limits).map_err(PatchError::path)
    }

    fn target(&mut self, path: &Path<'_>) -> Result<Target, PatchError> {
        let table = self.ty.table();
        let unknown = |path: &AttrPath<'_>| {
            PatchError::message(PatchErrorKind::Path, format!("attribute `{}` is not known", excerpt(path.as_str())))
        };
        let (id, leniency) =
            self.ty.find(&path.attribute, self.rules.compat).ok_or_else(|| unknown(&path.attribute))?;
        if let Some(leniency) = leniency {
            self.repairs.note(leniency, path.attribute.as_str());
        }
        let entry = table.entry_of(id);
        let mut target = Target { entry, selector: None, sub: (entry != id).then_some(id), operation: self.number };
        if let Some(filter) = &path.filter {
            let node = table.node(id);
            if entry != id || node.is_extension() || !(node.is_multi() || node.is_complex()) {
                return Err(self.refuse(id, PatchErrorKind::Path, "has no values to select from"));
            }
            let rules = (self.rules.compat, self.rules.links);
            let bound = filter.bind_in(self.ty, id, rules, &mut self.repairs).map_err(PatchError::filter)?;
            target.selector = Some(Selector::new(bound));
            if let Some(sub) = &path.sub_attribute {
                let child = table.child(node.children(), sub);
                target.sub = Some(child.ok_or_else(|| {
                    let text = format!("attribute `{}.{}` is not known", table.path(id), excerpt(sub));
                    PatchError::message(PatchErrorKind::Path, text)
                })?);
            }
        }
        self.check_mutability(&target)?;
        Ok(target)
    }

    /// What no client can change at all. Whether an immutable attribute has a value already is seen when it is applied.
    fn check_mutability(&self, target: &Target) -> Result<(), PatchError> {
        let table = self.ty.table();
        let (entry, node) = (table.node(target.entry), table.node(target.id()));
        let read_only = |n: &Node| n.is_read_only() && !n.is_extension();
        if read_only(entry) || read_only(node) || node.is_computed_ref() {
            return Err(self.refuse(target.id(), PatchErrorKind::Mutability, "is readOnly"));
        }
        let part_of_reference = target.sub.is_some() && entry.relation() == Relation::Many;
        if part_of_reference && node.definition().mutability == Mutability::Immutable {
            return Err(self.refuse(
                target.id(),
                PatchErrorKind::Mutability,
                "is immutable: remove the value and add another",
            ));
        }
        Ok(())
    }

    fn is_read_only(&self, path: &Path<'_>) -> bool {
        let table = self.ty.table();
        self.ty
            .find(&path.attribute, self.rules.compat)
            .is_some_and(|(id, _)| table.node(id).is_read_only() || table.node(table.entry_of(id)).is_read_only())
    }

    fn refuse(&self, id: AttrId, kind: PatchErrorKind, text: &str) -> PatchError {
        PatchError::message(kind, format!("attribute `{}` {text}", self.ty.table().path(id)))
    }
}

pub(super) fn no_value() -> PatchError {
    PatchError::message(PatchErrorKind::Value, "`value` is required for add and replace, and is not there")
}
