//! The serde side of the [`Reader`]: which JSON value may stand for which attribute.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ViolationKind;
use super::read::Reader;
use super::scan::{member, needs_escape, write_string};
use super::seed_any::SkipSeed;
use crate::compat::Leniency;
use crate::schema::AttributeType;
use crate::schema::table::{AttrId, Children, Relation, Role, Table};
use crate::time;

/// With `arbitrary_precision`, which another crate may switch on, serde_json shows numbers as an object with this key.
pub(super) fn number_token(name: &str) -> bool {
    name == "$serde_json::private::Number"
}

/// The whole resource.
pub(super) struct BodySeed<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
}

impl<'de> DeserializeSeed<'de> for BodySeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BodySeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        self.reader.object(&mut map, AttrId::ROOT, 1).map(|_| ())
    }
}

/// The name of a member.
pub(super) struct KeySeed<'t> {
    pub(super) table: &'t Table,
    pub(super) children: &'t Children,
}

pub(super) enum Key {
    Known(AttrId),
    Unknown(String),
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.table.child(self.children, name) {
            Some(id) => Key::Known(id),
            None => Key::Unknown(name.to_owned()),
        })
    }
}

/// The value of an attribute, or of one of its elements. Its result is whether anything is assigned.
pub(super) struct ValueSeed<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
    pub(super) id: AttrId,
    pub(super) element: bool,
    pub(super) depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl ValueSeed<'_, '_> {
    pub(super) fn kind(&self) -> AttributeType {
        self.reader.ty().node(self.id).kind()
    }

    /// Whether a list is expected here.
    pub(super) fn wants_list(&self) -> bool {
        !self.element && self.reader.ty().node(self.id).is_multi()
    }

    pub(super) fn relation(&self) -> Relation {
        self.reader.ty().node(self.id).relation()
    }

    /// Writes one value where a list is expected as a list of one, when that is accepted.
    fn list_of_one<E: Error>(
        self,
        leniency: Leniency,
        write: impl FnOnce(ValueSeed<'_, '_>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        if !self.reader.lenient(leniency, self.id) {
            return Err(self.mistyped("a single value"));
        }
        self.reader.out.push(b'[');
        let (reader, id, depth) = (&mut *self.reader, self.id, self.depth + 1);
        let assigned = write(ValueSeed { reader, id, element: true, depth })?;
        self.reader.out.push(b']');
        if !assigned && self.relation() == Relation::Many && !self.reader.is_stored() {
            return Err(self.reader.names_nothing(id));
        }
        Ok(assigned)
    }

    /// Says what should have come and what did.
    pub(super) fn mistyped<E: Error>(self, found: &str) -> E {
        let (table, node) = (self.reader.ty().table(), self.reader.ty().node(self.id));
        let has_value = || table.child(node.children(), "value").is_some();
        let expected = match (node.kind(), node.is_multi() && !self.element) {
            (AttributeType::Complex, true) => "an array of objects",
            (_, true) => "an array",
            (AttributeType::Boolean, _) => "a boolean",
            (AttributeType::Integer, _) => "a whole number",
            (AttributeType::Decimal, _) => "a number",
            (AttributeType::Complex, _) if has_value() => "an object with `value`",
            (AttributeType::Complex, _) => "an object",
            _ => "a string",
        };
        self.reader.fail(ViolationKind::Type, self.id, format!("must be {expected}, not {found}"))
    }

    pub(super) fn text<E: Error>(self, text: &str) -> Result<bool, E> {
        let node = self.reader.ty().node(self.id);
        let prepared = match node.definition().preparation.filter(|_| !self.reader.is_stored()) {
            None => Cow::Borrowed(text),
            Some(preparation) => match preparation.apply(text) {
                Some(prepared) => prepared,
                None => return Err(self.reader.fail(ViolationKind::Value, self.id, "holds text that is not allowed")),
            },
        };
        let text = &*prepared;
        match node.kind() {
            AttributeType::Complex => self.plain_value(text),
            AttributeType::Boolean => {
                let value = match text {
                    _ if text.eq_ignore_ascii_case("true") => true,
                    _ if text.eq_ignore_ascii_case("false") => false,
                    _ => return Err(self.mistyped("a string")),
                };
                if !self.reader.lenient(Leniency::BooleanText, self.id) {
                    return Err(self.mistyped("a string"));
                }
                Ok(self.boolean(value))
            }
            AttributeType::Integer | AttributeType::Decimal => Err(self.mistyped("a string")),
            _ if node.is_secret() => {
                let most = self.reader.limits().password_bytes;
                if text.len() > most {
                    return Err(self.reader.fail(ViolationKind::Limit, self.id, longer(text, most)));
                }
                Ok(self.secret(text))
            }
            _ => {
                if let Some((kind, problem)) = self.problem(text) {
                    return Err(self.reader.fail(kind, self.id, problem));
                }
                write_string(&mut self.reader.out, text);
                Ok(true)
            }
        }
    }

    /// What is never returned is kept beside the document, whatever its type.
    fn secret(self, text: &str) -> bool {
        self.reader.keep_secret(self.id, text);
        false
    }

    fn is_secret(&self) -> bool {
        self.reader.ty().node(self.id).is_secret()
    }

    fn boolean(self, value: bool) -> bool {
        if self.is_secret() {
            return self.secret(if value { "true" } else { "false" });
        }
        let is_primary = value && self.reader.ty().node(self.id).role() == Role::Primary;
        let value = value && (!is_primary || self.reader.is_primary(self.id));
        self.reader.out.extend_from_slice(if value { b"true" } else { b"false" });
        true
    }

    /// What is wrong with a text for this attribute.
    fn problem(&self, text: &str) -> Option<(ViolationKind, Cow<'static, str>)> {
        let limits = self.reader.limits();
        let most = if self.reader.ty().node(self.id).is_unique() { limits.unique_bytes } else { limits.string_bytes };
        if text.len() > most {
            return Some((ViolationKind::Limit, longer(text, most).into()));
        }
        self.flaw(text).map(|(kind, problem)| (kind, problem.into()))
    }

    fn flaw(&self, text: &str) -> Option<(ViolationKind, &'static str)> {
        let node = self.reader.ty().node(self.id);
        if needs_escape(text.as_bytes()) && text.contains('\0') {
            return Some((ViolationKind::Value, "holds a NUL character"));
        }
        if self.reader.is_stored() {
            return None;
        }
        if node.must_be_given() && text.trim().is_empty() {
            return Some((ViolationKind::Required, "must not be blank"));
        }
        if node.is_unique() && text.contains(char::is_control) {
            return Some((ViolationKind::Value, "holds a control character"));
        }
        match node.kind() {
            AttributeType::DateTime if time::parse_date_time(text).is_none() => {
                Some((ViolationKind::Value, "must be a date and time such as `2026-01-31T09:00:00Z`"))
            }
            AttributeType::Binary if !is_base64(text) => Some((ViolationKind::Value, "must be base64")),
            _ => None,
        }
    }

    fn integer<E: Error>(self, value: i64) -> Result<bool, E> {
        match self.kind() {
            AttributeType::Integer | AttributeType::Decimal if self.is_secret() => Ok(self.secret(&value.to_string())),
            AttributeType::Integer | AttributeType::Decimal => {
                self.reader.out.extend_from_slice(value.to_string().as_bytes());
                Ok(true)
            }
            _ => self.number_text(&value.to_string()),
        }
    }

    fn float<E: Error>(self, value: f64) -> Result<bool, E> {
        match self.kind() {
            AttributeType::Decimal if self.is_secret() => Ok(self.secret(&format!("{value:?}"))),
            AttributeType::Decimal if value.is_finite() => {
                self.reader.out.extend_from_slice(format!("{value:?}").as_bytes());
                Ok(true)
            }
            _ => Err(self.mistyped("a number")),
        }
    }

    fn number<E: Error>(self, text: &str) -> Result<bool, E> {
        match (text.parse(), text.parse()) {
            (Ok(value), _) => self.integer(value),
            (_, Ok(value)) => self.float(value),
            _ => Err(self.mistyped("a number")),
        }
    }

    /// An object. A reference without an id refers to nothing, and is none: among many it is left out, and
    /// `{"value": ""}` unassigns a single one.
    fn object<'de, M: MapAccess<'de>>(self, map: &mut M) -> Result<bool, M::Error> {
        let (id, open) = (self.id, self.reader.out.len());
        let assigned = self.reader.object(map, id, self.depth)?;
        let text = self.reader.out.get(open..).unwrap_or_default();
        let empty = match self.relation() {
            Relation::One => text == br#"{"value":""}"# && self.reader.lenient(Leniency::EmptyReference, id),
            Relation::Many => !self.reader.is_stored() && matches!(member(text, "value"), None | Some(b"\"\"")),
            _ => false,
        };
        if empty {
            self.reader.note_unassigned("value");
        }
        Ok(assigned && !empty)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        self.reader.count(self.id)?;
        Ok(false)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        self.reader.count(self.id)?;
        if self.kind() != AttributeType::Boolean {
            return Err(self.mistyped("a boolean"));
        }
        if self.wants_list() {
            return self.list_of_one(Leniency::SingleValue, |seed| Ok(seed.boolean(value)));
        }
        Ok(self.boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        self.reader.count(self.id)?;
        if self.wants_list() {
            return self.list_of_one(Leniency::SingleValue, |seed| seed.integer(value));
        }
        self.integer(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) if self.kind() == AttributeType::String && !self.wants_list() => {
                self.reader.count(self.id)?;
                self.number_text(&value.to_string())
            }
            // a larger one is a decimal like those that 64 bits do not hold, which the parser gives as floats
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        self.reader.count(self.id)?;
        if self.wants_list() {
            return self.list_of_one(Leniency::SingleValue, |seed| seed.float(value));
        }
        self.float(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        self.reader.count(self.id)?;
        if self.wants_list() {
            let leniency = self.plain(text).unwrap_or(Leniency::SingleValue);
            if text.is_empty() && self.relation() == Relation::Many && self.reader.lenient(leniency, self.id) {
                return Ok(false);
            }
            return self.list_of_one(leniency, |seed| seed.text(text));
        }
        self.text(text)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<bool, S::Error> {
        if self.wants_list() {
            return self.reader.array(&mut seq, self.id, self.depth);
        }
        // an empty array is no value at all, whatever the attribute (RFC 7643 §2.5)
        self.reader.enter(self.id, self.depth)?;
        let (id, depth) = (self.id, self.depth + 1);
        let first = seq.next_element_seed(ValueSeed { reader: &mut *self.reader, id, element: true, depth })?;
        let Some(assigned) = first else { return Ok(false) };
        // what a path selects is a single value, too; a list in a list is not
        let single = !self.element || self.depth == 1;
        if !single || !self.reader.lenient(Leniency::ArrayOfOne, id) {
            return Err(self.mistyped("an array"));
        }
        match seq.next_element_seed(SkipSeed { reader: &mut *self.reader, at: id, depth })? {
            None => Ok(assigned),
            Some(()) => Err(self.mistyped("an array of several")),
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<bool, M::Error> {
        if self.kind() != AttributeType::Complex {
            return match map.next_key::<Cow<'_, str>>()? {
                Some(key) if number_token(&key) => {
                    self.reader.count(self.id)?;
                    let text = map.next_value::<String>()?;
                    if self.wants_list() {
                        return self.list_of_one(Leniency::SingleValue, |seed| seed.number(&text));
                    }
                    self.number(&text)
                }
                key if self.wants_list() => self.list_of_one(Leniency::SingleValue, |seed| seed.wrapped(&mut map, key)),
                key => self.wrapped(&mut map, key),
            };
        }
        if self.wants_list() {
            return self.list_of_one(Leniency::SingleValue, |seed| seed.object(&mut map));
        }
        self.object(&mut map)
    }
}

fn longer(text: &str, most: usize) -> String {
    format!("has {} bytes, more than {most}", text.len())
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && body.len() % 4 != 1
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_'))
}
