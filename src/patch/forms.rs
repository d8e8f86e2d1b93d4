//! Forms of a PATCH that the RFC does not have, and what becomes of attributes that no schema defines.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::bind::{Binder, no_value};
use super::changes::{Edit, Target};
use super::{Op, Patch, PatchError, PatchErrorKind, PathKey, Schemas, work};
use crate::compat::Leniency;
use crate::error::{attribute_in, excerpt};
use crate::filter::Path;
use crate::messages::PATCH_OP_SCHEMA;
use crate::resource::{Members, UnknownAttributes, is_base, is_reserved, member_path};
use crate::schema::table::{AttrId, Relation};

impl Binder<'_> {
    /// What holds for the request as a whole.
    pub(super) fn message(&mut self, patch: &Patch<'_>) -> Result<(), PatchError> {
        let accepted = match patch.schemas {
            Schemas::Right => true,
            Schemas::Foreign => false,
            Schemas::Single => self.accepts(Leniency::SingleValue, "schemas"),
            Schemas::Missing => self.accepts(Leniency::MissingSchemas, "schemas"),
        };
        if !accepted {
            let text = format!("`schemas` must be an array that contains `{PATCH_OP_SCHEMA}`");
            return Err(PatchError::message(PatchErrorKind::Syntax, text));
        }
        if patch.is_empty() && !self.accepts(Leniency::EmptyOperations, "Operations") {
            let text = "`Operations` must have at least one operation, and is empty";
            return Err(PatchError::message(PatchErrorKind::Syntax, text));
        }
        Ok(())
    }

    pub(super) fn accepts(&mut self, leniency: Leniency, at: &str) -> bool {
        self.repairs.accept(self.rules.compat, leniency, || at)
    }

    /// Whether an operation leads to what no schema defines, and is left out, or kept as that.
    pub(super) fn leaves_out(&mut self, op: Op, path: &Path<'_>, value: Option<&RawValue>) -> Result<bool, PatchError> {
        let table = self.ty.table();
        let found = self.ty.find(&path.attribute, self.rules.compat).map(|(id, _)| id);
        let sub = || path.sub_attribute.as_ref();
        let unknown = match found {
            None => PathKey::named(path),
            Some(id) => match sub().filter(|sub| table.child(table.node(id).children(), sub).is_none()) {
                Some(sub) => member_path(table, id, sub),
                None => return Ok(false),
            },
        };
        let kept = self.rules.unknown;
        match kept {
            UnknownAttributes::Keep => {
                let of = table.extensions().find(|e| {
                    let urn = table.node(*e).name();
                    unknown.get(..urn.len()).is_some_and(|start| start.eq_ignore_ascii_case(urn))
                });
                let name = match of {
                    Some(e) => unknown.get(table.node(e).name().len() + 1..).unwrap_or_default(),
                    None => unknown.as_str(),
                };
                if found.is_some() || path.filter.is_some() || name.is_empty() || name.contains([':', '.']) {
                    return Ok(false);
                }
                let of = of.unwrap_or(AttrId::ROOT);
                match value.filter(|_| op != Op::Remove) {
                    Some(value) => self.unknown(op, of, name, value)?,
                    None if op != Op::Remove => return Err(no_value()),
                    None => self.edits.push(Edit::Unknown { of, name: name.to_owned(), value: None }),
                }
                Ok(true)
            }
            UnknownAttributes::Drop => {
                if !self.accepts(Leniency::UnknownPath, &unknown) {
                    return Ok(false);
                }
                self.left_out += 1;
                let number = self.number;
                self.unknown.get_or_insert_with(|| {
                    let text = format!("attribute `{}` is not known", excerpt(&unknown));
                    PatchError::operation(number, PatchErrorKind::Path, text)
                });
                self.repairs.leave_out(|| unknown);
                Ok(true)
            }
            UnknownAttributes::Refuse => Ok(false),
        }
    }

    /// The base schema's URN around its attributes, as an extension has it. One in another is none.
    pub(super) fn is_base(&self, below: AttrId, key: &str, value: &RawValue) -> bool {
        !self.in_base && value.get().starts_with('{') && is_base(self.ty, self.rules.compat, below, key)
    }

    pub(super) fn unknown(&mut self, op: Op, of: AttrId, key: &str, value: &RawValue) -> Result<(), PatchError> {
        match self.rules.unknown {
            UnknownAttributes::Drop => {
                let table = self.ty.table();
                self.repairs.leave_out(|| member_path(table, of, key));
                Ok(())
            }
            UnknownAttributes::Refuse => {
                let text = format!("attribute `{}` is not known", attribute_in(key));
                Err(PatchError::message(PatchErrorKind::Path, text))
            }
            UnknownAttributes::Keep => {
                if is_reserved(key) {
                    return Err(PatchError::message(PatchErrorKind::Value, "a member name is reserved or holds NUL"));
                }
                let text = self.reader.unknown_value(value.get())?;
                if op == Op::Replace || text.is_some() {
                    self.edits.push(Edit::Unknown { of, name: key.to_owned(), value: text });
                }
                Ok(())
            }
        }
    }

    /// `{"members": [...]}` where the members themselves are expected.
    pub(super) fn unwrapped<'v>(&mut self, target: &Target, value: &'v RawValue) -> Result<&'v RawValue, PatchError> {
        let (table, node) = (self.ty.table(), self.ty.node(target.entry));
        let whole = self.is_list(target) && target.sub.is_none() && value.get().starts_with('{');
        if !whole || table.child(node.children(), node.name()).is_some() {
            return Ok(value);
        }
        self.account.spend(work::members(value.get()))?;
        let members = serde_json::from_str::<Members<'_>>(value.get()).map(|members| members.0);
        match members.as_deref() {
            Ok([(key, inner)]) if key.eq_ignore_ascii_case(node.name()) => {
                let accepted = self.accepts(Leniency::WrappedList, &table.path(target.entry));
                Ok(if accepted { inner } else { value })
            }
            _ => Ok(value),
        }
    }

    /// A text for a value that a path selects is its `value`: what else it says stays.
    pub(super) fn name_value(&mut self, target: &mut Target, value: &RawValue) {
        let (table, node) = (self.ty.table(), self.ty.node(target.entry));
        let plain = target.selector.is_some() && target.sub.is_none() && value.get().starts_with('"');
        let part = table.child(node.children(), "value").filter(|_| plain && node.relation() == Relation::No);
        let part = part.filter(|id| !self.ty.node(*id).is_read_only() && !self.ty.node(*id).is_secret());
        if let Some(part) = part.filter(|_| self.accepts(Leniency::PlainValue, &table.path(target.entry))) {
            target.sub = Some(part);
        }
    }

    pub(super) fn members<'v>(&mut self, value: &'v RawValue) -> Result<Vec<(Cow<'v, str>, &'v RawValue)>, PatchError> {
        let not_object = || {
            let found = match value.get().bytes().next() {
                Some(b'"') => "a string",
                Some(b'[') => "an array",
                Some(b't' | b'f') => "a boolean",
                Some(b'n') => "null",
                _ => "a number",
            };
            let text = format!("`value` must be an object when there is no `path`, not {found}");
            PatchError::message(PatchErrorKind::Value, text)
        };
        if !value.get().starts_with('{') {
            return Err(not_object());
        }
        self.account.spend(work::members(value.get()))?;
        let members: Members<'v> = serde_json::from_str(value.get()).map_err(|_| not_object())?;
        let most = self.rules.limits.patch_operations;
        if members.0.len() > most {
            let text = format!("`value` has {} members, more than {most}", members.0.len());
            return Err(PatchError::message(PatchErrorKind::TooLarge, text));
        }
        let mut names: Vec<String> = members.0.iter().map(|(key, _)| key.to_ascii_lowercase()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(PatchError::message(PatchErrorKind::Syntax, "`value` has a member twice"));
        }
        Ok(members.0)
    }

    pub(super) fn lenient(
        &mut self,
        leniency: Leniency,
        at: &str,
        otherwise: PatchErrorKind,
    ) -> Result<(), PatchError> {
        if self.accepts(leniency, at) {
            return Ok(());
        }
        Err(PatchError::message(otherwise, format!("`{}` is not accepted in this form", excerpt(at))))
    }
}
