//! The attribute `schemas`: URIs that are checked, and not kept, because they follow from the data.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::ViolationKind;
use super::read::Reader;
use super::walk::Seen;
use crate::compat::Leniency;
use crate::schema::table::AttrId;

/// The attribute `schemas`.
pub(super) struct SchemasSeed<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
}

impl<'de> DeserializeSeed<'de> for SchemasSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SchemasSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of URIs for `schemas`")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, uri: &str) -> Result<(), E> {
        if !self.reader.lenient(Leniency::SingleValue, AttrId::SCHEMAS) {
            return Err(self.reader.fail(
                ViolationKind::Schemas,
                AttrId::SCHEMAS,
                "must be an array of URIs, not a string",
            ));
        }
        self.reader.schema_uri(uri).map(|_| ())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let mut seen = SeenSchemas::default();
        while seq.next_element_seed(UriSeed { reader: &mut *self.reader, seen: &mut seen })?.is_some() {}
        Ok(())
    }
}

/// The URIs of `schemas` that were there already.
#[derive(Default)]
struct SeenSchemas {
    count: usize,
    known: Seen,
    unknown: Vec<String>,
}

/// One URI of `schemas`.
struct UriSeed<'a, 'r> {
    reader: &'a mut Reader<'r>,
    seen: &'a mut SeenSchemas,
}

impl<'de> DeserializeSeed<'de> for UriSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for UriSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URI in `schemas`")
    }

    fn visit_str<E: Error>(self, uri: &str) -> Result<(), E> {
        self.reader.count(AttrId::SCHEMAS)?;
        let most = self.reader.limits().values;
        if self.seen.count >= most {
            let text = format!("has more than {most} values");
            return Err(self.reader.fail(ViolationKind::Limit, AttrId::SCHEMAS, text));
        }
        self.seen.count += 1;
        let new = match self.reader.schema_uri(uri)? {
            Some(id) => self.seen.known.insert(self.reader.ty().node(id).position()),
            None if self.seen.unknown.iter().any(|s| s.eq_ignore_ascii_case(uri)) => false,
            None => {
                self.seen.unknown.push(uri.to_owned());
                true
            }
        };
        if !new && !self.reader.lenient(Leniency::RepeatedSchema, AttrId::SCHEMAS) {
            return Err(self.reader.fail(ViolationKind::Schemas, AttrId::SCHEMAS, "names a schema twice"));
        }
        Ok(())
    }
}
