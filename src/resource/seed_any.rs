//! Values that no schema directs: skipped, or copied as they are. Both count what they pass.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ViolationKind;
use super::read::Reader;
use super::scan::write_string;
use super::seed::number_token;
use crate::schema::table::AttrId;

/// Whether no document may have a member of this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    number_token(name) || name.bytes().any(|b| b == 0)
}

/// A value that is not kept. It is still held to the limits.
pub(super) struct SkipSeed<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
    pub(super) at: AttrId,
    pub(super) depth: usize,
}

impl<'de> DeserializeSeed<'de> for SkipSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SkipSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.reader.count(self.at)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.reader.count(self.at)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.reader.count(self.at)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.reader.count(self.at)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.reader.count(self.at)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.reader.count(self.at)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        self.reader.enter(self.at, self.depth)?;
        let depth = self.depth + 1;
        while seq.next_element_seed(SkipSeed { reader: &mut *self.reader, at: self.at, depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        self.reader.enter(self.at, self.depth)?;
        let depth = self.depth + 1;
        while map.next_key::<serde::de::IgnoredAny>()?.is_some() {
            map.next_value_seed(SkipSeed { reader: &mut *self.reader, at: self.at, depth })?;
        }
        Ok(())
    }
}

/// A value that is kept although no schema defines it. Its result is whether anything is assigned.
pub(super) struct CopySeed<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
    pub(super) at: AttrId,
    pub(super) depth: usize,
}

impl CopySeed<'_, '_> {
    fn scalar<E: Error>(self, text: &str) -> Result<bool, E> {
        self.reader.count(self.at)?;
        self.reader.out.extend_from_slice(text.as_bytes());
        Ok(true)
    }
}

impl<'de> DeserializeSeed<'de> for CopySeed<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CopySeed<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        self.reader.count(self.at)?;
        Ok(false)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        self.scalar(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        self.scalar(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        self.scalar(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        if value.is_finite() {
            return self.scalar(&format!("{value:?}"));
        }
        Err(self.reader.fail(ViolationKind::Value, self.at, "holds a number that is out of range"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        self.reader.count(self.at)?;
        let most = self.reader.limits().string_bytes;
        if text.len() > most {
            let problem = format!("holds a string of {} bytes, more than {most}", text.len());
            return Err(self.reader.fail(ViolationKind::Limit, self.at, problem));
        }
        if text.bytes().any(|b| b == 0) {
            return Err(self.reader.fail(ViolationKind::Value, self.at, "holds a NUL character"));
        }
        write_string(&mut self.reader.out, text);
        Ok(true)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<bool, S::Error> {
        self.reader.enter(self.at, self.depth)?;
        self.reader.out.push(b'[');
        let mut any = false;
        loop {
            let before = self.reader.out.len();
            if any {
                self.reader.out.push(b',');
            }
            let seed = CopySeed { reader: &mut *self.reader, at: self.at, depth: self.depth + 1 };
            match seq.next_element_seed(seed)? {
                Some(true) => any = true,
                Some(false) => self.reader.out.truncate(before),
                None => {
                    self.reader.out.truncate(before);
                    break;
                }
            }
        }
        self.reader.out.push(b']');
        Ok(any)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<bool, M::Error> {
        self.reader.enter(self.at, self.depth)?;
        self.reader.out.push(b'{');
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            if number_token(&name) {
                let text = map.next_value::<String>()?;
                // a client may send this name, too: what is written has to be a number, and nothing else beside it
                if !names.is_empty() || serde_json::from_str::<serde_json::Number>(&text).is_err() {
                    return Err(self.reader.fail(
                        ViolationKind::Value,
                        self.at,
                        "holds a member name that is reserved",
                    ));
                }
                self.reader.out.pop();
                self.reader.out.extend_from_slice(text.as_bytes());
                return Ok(true);
            }
            if names.iter().any(|n| n.eq_ignore_ascii_case(&name)) || name.bytes().any(|b| b == 0) {
                return Err(self.reader.fail(
                    ViolationKind::Duplicate,
                    self.at,
                    "holds a member name twice, or one with NUL",
                ));
            }
            let most = self.reader.limits().values;
            if names.len() >= most {
                let problem = format!("holds an object with more than {most} members");
                return Err(self.reader.fail(ViolationKind::Limit, self.at, problem));
            }
            let before = self.reader.out.len();
            if !names.is_empty() {
                self.reader.out.push(b',');
            }
            write_string(&mut self.reader.out, &name);
            self.reader.out.push(b':');
            let seed = CopySeed { reader: &mut *self.reader, at: self.at, depth: self.depth + 1 };
            if map.next_value_seed(seed)? {
                names.push(name.into_owned());
            } else {
                self.reader.out.truncate(before);
            }
        }
        self.reader.out.push(b'}');
        Ok(!names.is_empty())
    }
}
