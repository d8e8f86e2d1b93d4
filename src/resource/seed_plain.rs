//! One value in the place of another: a text for an object, a number for a text, an object around a simple value.

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny, MapAccess};

use super::seed::ValueSeed;
use super::seed_any::SkipSeed;
use crate::compat::Leniency;
use crate::schema::AttributeType;
use crate::schema::table::Relation;

impl ValueSeed<'_, '_> {
    /// How a plain string may stand for a complex value.
    pub(super) fn plain(&self, text: &str) -> Option<Leniency> {
        let node = self.reader.ty().node(self.id);
        match node.relation() {
            Relation::One if text.is_empty() => Some(Leniency::EmptyReference),
            Relation::One | Relation::Many => Some(Leniency::PlainReference),
            Relation::No if node.is_multi() => {
                let value = self.reader.ty().table().child(node.children(), "value");
                value.map(|_| Leniency::PlainValue)
            }
            _ => None,
        }
    }

    /// A plain string in place of an object with it as `value`.
    pub(super) fn plain_value<E: Error>(self, text: &str) -> Result<bool, E> {
        if !self.plain(text).is_some_and(|leniency| self.reader.lenient(leniency, self.id)) {
            return Err(self.mistyped("a string"));
        }
        if text.is_empty() {
            return Ok(false);
        }
        if self.relation() != Relation::No && is_json(text) {
            return Err(self.mistyped("JSON in a string"));
        }
        let table = self.reader.ty().table();
        let value = table.child(table.node(self.id).children(), "value");
        let Some(id) = value else { return Err(self.mistyped("a string")) };
        let start = self.reader.out.len();
        self.reader.out.extend_from_slice(b"{\"value\":");
        // what holds for `value` holds for it here
        let assigned = ValueSeed { reader: &mut *self.reader, id, element: true, depth: self.depth + 1 }.text(text)?;
        match assigned {
            true => self.reader.out.push(b'}'),
            false => self.reader.out.truncate(start),
        }
        Ok(assigned)
    }

    /// The digits of a number where a text is expected.
    pub(super) fn number_text<E: Error>(self, digits: &str) -> Result<bool, E> {
        let is_text = matches!(self.kind(), AttributeType::String) || self.relation() != Relation::No;
        match is_text && self.reader.lenient(Leniency::NumberText, self.id) {
            true => self.text(digits),
            false => Err(self.mistyped("a number")),
        }
    }

    /// `{"value": x}` where `x` alone is expected: `key` is its first member.
    pub(super) fn wrapped<'de, M: MapAccess<'de>>(
        self,
        map: &mut M,
        key: Option<Cow<'de, str>>,
    ) -> Result<bool, M::Error> {
        if !self.reader.rules.compat.accepts(Leniency::WrappedValue) {
            return Err(self.mistyped("an object"));
        }
        let (id, depth) = (self.id, self.depth + 1);
        self.reader.enter(id, self.depth)?;
        let (mut key, mut found) = (key, None);
        while let Some(name) = key {
            if name.eq_ignore_ascii_case("value") && found.is_none() {
                found = Some(map.next_value_seed(ValueSeed { reader: &mut *self.reader, id, element: true, depth })?);
            } else {
                // those that go with any value say no more
                if !["$ref", "type", "display", "primary"].iter().any(|part| name.eq_ignore_ascii_case(part)) {
                    self.reader.leave_out(id, &name);
                }
                map.next_value_seed(SkipSeed { reader: &mut *self.reader, at: id, depth })?;
            }
            key = map.next_key()?;
        }
        match found {
            Some(assigned) if self.reader.lenient(Leniency::WrappedValue, id) => Ok(assigned),
            _ => Err(self.mistyped("an object")),
        }
    }
}

/// Whether a text is an object or array in JSON, as a client sends it that turns a value into a text once too often.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}
