//! From request bytes to a canonical document in one pass, directed by the schema. Nothing is built on the way that a
//! hostile body could blow up: every rule and limit is checked while reading.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Error as _, MapAccess};

use super::scan;
use super::seed::{BodySeed, Key, KeySeed, SchemasSeed, ValueSeed, number_token};
use super::seed_any::{CopySeed, SkipSeed};
use super::{Assembly, Entry, Resource, Secrets, Violation, ViolationKind};
use crate::Limits;
use crate::compat::{Compat, Leniency, Repairs};
use crate::password::Password;
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Children, Node, Relation, Role};

/// What happens to attributes and extensions that no registered schema defines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownAttributes {
    /// They are left out (RFC 7644 §3.1: a request is read in the service provider's own schema).
    #[default]
    Drop,
    /// They are stored and returned as they are.
    Keep,
    /// The request is refused.
    Refuse,
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) compat: Compat,
    pub(crate) unknown: UnknownAttributes,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(limits: &'a Limits, compat: Compat, unknown: UnknownAttributes) -> Self {
        Self { limits, compat, unknown }
    }
}

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A resource from a client.
    Body,
    /// A resource that this crate or the host wrote.
    Stored,
    /// A value in a PATCH.
    Value,
}

/// Reads one document or value.
pub(crate) struct Reader<'r> {
    ty: &'r ResourceType,
    rules: Rules<'r>,
    mode: Mode,
    pub(super) out: Vec<u8>,
    spans: Vec<Entry>,
    /// entries of extensions' attributes, counted from the start of the extension's part
    inner: Vec<Entry>,
    secrets: Vec<Secrets>,
    repairs: Repairs,
    nodes: usize,
    references: usize,
    primaries: usize,
    base_schema: bool,
    failure: Option<Violation>,
}

impl<'r> Reader<'r> {
    /// For what clients send.
    pub(crate) fn new(ty: &'r ResourceType, rules: Rules<'r>) -> Self {
        Self {
            ty,
            rules,
            mode: Mode::Body,
            out: Vec::new(),
            spans: Vec::new(),
            inner: Vec::new(),
            secrets: Vec::new(),
            repairs: Repairs::default(),
            nodes: 0,
            references: 0,
            primaries: 0,
            base_schema: false,
            failure: None,
        }
    }

    /// For what was stored before: `id`, `meta` and all else is kept.
    pub(crate) fn stored(ty: &'r ResourceType, limits: &'r Limits) -> Self {
        let rules = Rules::new(limits, Compat::strict(), UnknownAttributes::Keep);
        Self { mode: Mode::Stored, ..Self::new(ty, rules) }
    }

    /// Reads a whole resource.
    pub(crate) fn body(mut self, json: &[u8]) -> Result<Resource, Violation> {
        self.read_body(json)
    }

    /// Reads a whole resource and tells what was repaired.
    pub(crate) fn body_and_repairs(mut self, json: &[u8], repairs: &mut Repairs) -> Result<Resource, Violation> {
        let result = self.read_body(json);
        repairs.append(self.repairs);
        result
    }

    /// Reads the value of one attribute, or of one of its elements: the canonical text, `None` for unassigned.
    pub(crate) fn value(&mut self, id: AttrId, element: bool, json: &str) -> Result<Option<Vec<u8>>, Violation> {
        self.mode = Mode::Value;
        self.out = Vec::with_capacity(json.len() + 16);
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let seed = ValueSeed { reader: self, id, element, depth: 1 };
        let result = seed.deserialize(&mut deserializer);
        match result.and_then(|assigned| deserializer.end().map(|()| assigned)) {
            Ok(true) => Ok(Some(std::mem::take(&mut self.out))),
            Ok(false) => Ok(None),
            Err(e) => Err(self.failure.take().unwrap_or_else(|| Violation::syntax(&e))),
        }
    }

    /// Reads a value that no schema directs, as it is.
    pub(crate) fn unknown_value(&mut self, json: &str) -> Result<Option<Vec<u8>>, Violation> {
        self.mode = Mode::Value;
        self.out = Vec::with_capacity(json.len());
        let mut deserializer = serde_json::Deserializer::from_str(json);
        match (CopySeed { reader: self, at: AttrId::ROOT, depth: 1 }).deserialize(&mut deserializer) {
            Ok(assigned) => Ok(assigned.then(|| std::mem::take(&mut self.out))),
            Err(e) => Err(self.failure.take().unwrap_or_else(|| Violation::syntax(&e))),
        }
    }

    /// The repairs made so far.
    pub(crate) fn take_repairs(&mut self) -> Repairs {
        std::mem::take(&mut self.repairs)
    }

    /// The secrets read so far.
    pub(crate) fn take_secrets(&mut self) -> Vec<Secrets> {
        std::mem::take(&mut self.secrets)
    }

    fn read_body(&mut self, json: &[u8]) -> Result<Resource, Violation> {
        if json.len() > self.rules.limits.body_bytes {
            return Err(Violation::new(ViolationKind::Limit, "", "the body is too long"));
        }
        self.out.reserve(json.len() + 64);
        self.spans.reserve(32);
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let result = BodySeed { reader: self }.deserialize(&mut deserializer);
        if let Err(e) = result.and_then(|()| deserializer.end()) {
            return Err(self.failure.take().unwrap_or_else(|| Violation::syntax(&e)));
        }
        if self.mode == Mode::Body && !self.base_schema {
            let text = format!("must contain `{}`", self.ty.schema().id);
            return Err(Violation::new(ViolationKind::Schemas, "schemas", text));
        }
        let table = self.ty.table();
        let mut assembly = Assembly::with_capacity(self.spans.len());
        for span in &self.spans {
            let first = self.inner.iter().position(|e| table.node(e.id).parent() == span.id);
            let inner = first.and_then(|at| self.inner.get(at..)).unwrap_or_default();
            let count = inner.iter().take_while(|e| table.node(e.id).parent() == span.id).count();
            let inner = inner.get(..count).filter(|_| table.node(span.id).is_extension()).unwrap_or_default();
            let text = self.out.get(span.start as usize..span.end as usize).unwrap_or_default();
            assembly.push(span.id, text, inner);
        }
        Ok(assembly.finish(self.ty, std::mem::take(&mut self.secrets).into()))
    }

    /// The members of an object below `parent`. Leaves the object's text in `out`, or for the resource itself its parts in
    /// `spans`. Says whether anything is assigned.
    pub(super) fn object<'de, M: MapAccess<'de>>(
        &mut self,
        map: &mut M,
        parent: AttrId,
        depth: usize,
    ) -> Result<bool, M::Error> {
        self.enter(parent, depth)?;
        let table = self.ty.table();
        let children = table.node(parent).children();
        let (open, base) = (self.out.len(), self.spans.len());
        let mut seen = Seen::default();
        self.out.push(b'{');
        while let Some(key) = map.next_key_seed(KeySeed { table, children, names: self.names_unknown(parent) })? {
            let id = match key {
                Key::Known(id) => id,
                Key::Unknown(name) => match self.legacy_extension(parent, &name) {
                    Some(id) => id,
                    None => {
                        self.unknown(map, parent, name, (depth, base))?;
                        continue;
                    }
                },
            };
            if !seen.insert(table.node(id).position()) {
                return Err(self.fail(ViolationKind::Duplicate, id, "is given twice"));
            }
            if id == AttrId::SCHEMAS && parent == AttrId::ROOT {
                map.next_value_seed(SchemasSeed { reader: self })?;
                continue;
            }
            if self.skips(table.node(id), parent) {
                map.next_value_seed(SkipSeed { reader: self, at: id, depth: depth + 1 })?;
                continue;
            }
            let before = self.separate(base);
            let start = self.out.len();
            self.out.extend_from_slice(table.node(id).key().as_bytes());
            if map.next_value_seed(ValueSeed { reader: self, id, element: false, depth: depth + 1 })? {
                self.close_span(id, start);
            } else {
                self.out.truncate(before);
            }
        }
        self.check_required(children, base)?;
        Ok(self.close_object(parent, open, base))
    }

    /// The elements of an array for the attribute `id`.
    pub(super) fn array<'de, S: serde::de::SeqAccess<'de>>(
        &mut self,
        seq: &mut S,
        id: AttrId,
        depth: usize,
    ) -> Result<bool, S::Error> {
        self.enter(id, depth)?;
        let outer = std::mem::take(&mut self.primaries);
        let open = self.out.len();
        self.out.push(b'[');
        let mut count = 0_usize;
        loop {
            let before = self.out.len();
            if count > 0 {
                self.out.push(b',');
            }
            match seq.next_element_seed(ValueSeed { reader: self, id, element: true, depth: depth + 1 })? {
                Some(true) => count += 1,
                Some(false) => self.out.truncate(before),
                None => {
                    self.out.truncate(before);
                    break;
                }
            }
            self.check_count(id, count)?;
        }
        if std::mem::replace(&mut self.primaries, outer) > 1 {
            return Err(self.fail(ViolationKind::Primary, id, "has more than one primary value"));
        }
        self.out.push(b']');
        if self.ty.node(id).relation() == Relation::Many {
            self.drop_repeated_references(open);
        }
        Ok(count > 0)
    }

    pub(super) fn ty(&self) -> &'r ResourceType {
        self.ty
    }

    pub(super) fn limits(&self) -> &'r Limits {
        self.rules.limits
    }

    pub(super) fn is_stored(&self) -> bool {
        self.mode == Mode::Stored
    }

    /// Whether a form is accepted; if so, it is noted.
    pub(super) fn lenient(&mut self, leniency: Leniency, id: AttrId) -> bool {
        let accepted = self.rules.compat.accepts(leniency);
        if accepted {
            self.repairs.note(leniency, self.ty.table().path(id));
        }
        accepted
    }

    pub(super) fn note_primary(&mut self) {
        self.primaries += 1;
    }

    pub(super) fn keep_secret(&mut self, id: AttrId, text: &str) {
        self.secrets.push((id, Some(Arc::new(Password::new(text)))));
    }

    /// Counts one JSON value.
    pub(super) fn count<E: serde::de::Error>(&mut self, at: AttrId) -> Result<(), E> {
        self.nodes += 1;
        if self.nodes > self.rules.limits.json_nodes {
            return Err(self.fail(ViolationKind::Limit, at, "is part of a body with too many values"));
        }
        Ok(())
    }

    /// Counts one JSON array or object, at its depth.
    pub(super) fn enter<E: serde::de::Error>(&mut self, at: AttrId, depth: usize) -> Result<(), E> {
        if depth > self.rules.limits.json_depth {
            return Err(self.fail(ViolationKind::Limit, at, "is nested too deeply"));
        }
        self.count(at)
    }

    /// Notes what is wrong and gives the error that stops the parser.
    pub(super) fn fail<E: serde::de::Error>(
        &mut self,
        kind: ViolationKind,
        at: AttrId,
        text: impl Into<std::borrow::Cow<'static, str>>,
    ) -> E {
        let violation = Violation::new(kind, self.ty.table().path(at), text);
        self.failure.get_or_insert(violation);
        E::custom("refused")
    }

    /// One URI of `schemas`.
    pub(super) fn schema_uri<E: serde::de::Error>(&mut self, uri: &str) -> Result<(), E> {
        let table = self.ty.table();
        if uri.eq_ignore_ascii_case(table.base()) {
            self.base_schema = true;
        } else if table.extensions().any(|e| table.node(e).name().eq_ignore_ascii_case(uri)) {
        } else if is_legacy(uri) && self.lenient(Leniency::LegacySchema, AttrId::SCHEMAS) {
            self.base_schema |= uri.to_ascii_lowercase().starts_with("urn:scim:schemas:core:");
        } else if !self.is_stored() && !self.lenient(Leniency::UnknownSchema, AttrId::SCHEMAS) {
            return Err(self.fail(
                ViolationKind::Schemas,
                AttrId::SCHEMAS,
                "names a schema that this resource type does not have",
            ));
        }
        Ok(())
    }

    fn skips(&self, node: &Node, parent: AttrId) -> bool {
        let table = self.ty.table();
        if node.is_computed_ref() || (parent == table.meta().meta && node.name() == "location") {
            return true;
        }
        let display = node.role() == Role::Display && table.node(parent).relation() == Relation::Many;
        match self.mode {
            Mode::Stored => false,
            _ if node.is_read_only() && display => !self.rules.compat.accepts(Leniency::ReferenceDisplay),
            _ => node.is_read_only(),
        }
    }

    fn names_unknown(&self, parent: AttrId) -> bool {
        self.rules.unknown != UnknownAttributes::Drop
            || parent == AttrId::ROOT
            || self.ty.node(parent).relation() == Relation::Many
    }

    /// The enterprise extension under its URN from before the standard.
    fn legacy_extension(&mut self, parent: AttrId, name: &str) -> Option<AttrId> {
        if parent != AttrId::ROOT || !is_legacy(name) || !self.rules.compat.accepts(Leniency::LegacySchema) {
            return None;
        }
        let short = name.to_ascii_lowercase().replace("urn:scim:schemas:", "");
        let table = self.ty.table();
        let id = table.extensions().find(|e| {
            let urn = table.node(*e).name().to_ascii_lowercase();
            urn.replace("urn:ietf:params:scim:schemas:", "").starts_with(&short)
        })?;
        self.lenient(Leniency::LegacySchema, id).then_some(id)
    }

    /// A member that no schema defines.
    fn unknown<'de, M: MapAccess<'de>>(
        &mut self,
        map: &mut M,
        parent: AttrId,
        name: String,
        (depth, base): (usize, usize),
    ) -> Result<(), M::Error> {
        let at = |of: &str| if of.is_empty() { name.clone() } else { format!("{of}.{name}") };
        let path = at(&self.ty.table().path(parent));
        if number_token(&name) {
            return Err(self.fail(ViolationKind::Type, parent, "must be an object"));
        }
        if self.mode != Mode::Stored && name == "operation" && self.ty.node(parent).relation() == Relation::Many {
            // a SCIM 1.1 removal that were read as an addition would give access to the one who is to lose it
            return Err(self.fail(ViolationKind::Value, parent, "has a member operation of SCIM 1.1"));
        }
        match self.rules.unknown {
            UnknownAttributes::Drop => map.next_value_seed(SkipSeed { reader: self, at: parent, depth: depth + 1 }),
            UnknownAttributes::Refuse => {
                self.failure = Some(Violation::new(ViolationKind::Unknown, path, "is not known"));
                Err(M::Error::custom("refused"))
            }
            UnknownAttributes::Keep => {
                let before = self.separate(base);
                let start = self.out.len();
                scan::write_string(&mut self.out, &name);
                self.out.push(b':');
                if map.next_value_seed(CopySeed { reader: self, at: parent, depth: depth + 1 })? {
                    self.close_span(AttrId::UNKNOWN, start);
                } else {
                    self.out.truncate(before);
                }
                Ok(())
            }
        }
    }

    /// Writes a comma unless the object is still empty; gives the length to go back to.
    fn separate(&mut self, base: usize) -> usize {
        let before = self.out.len();
        if self.spans.len() > base {
            self.out.push(b',');
        }
        before
    }

    fn close_span(&mut self, id: AttrId, start: usize) {
        let position = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.spans.push(Entry { id, start: position(start), end: position(self.out.len()) });
    }

    fn check_required<E: serde::de::Error>(&mut self, children: &Children, base: usize) -> Result<(), E> {
        if self.mode != Mode::Body {
            return Ok(());
        }
        let given = self.spans.get(base..).unwrap_or_default();
        let missing =
            |id: &&AttrId| !given.iter().any(|s| s.id == **id) && !self.secrets.iter().any(|(secret, _)| secret == *id);
        match children.required().iter().find(missing).copied() {
            Some(id) => Err(self.fail(ViolationKind::Required, id, "is required")),
            None => Ok(()),
        }
    }

    fn check_count<E: serde::de::Error>(&mut self, id: AttrId, count: usize) -> Result<(), E> {
        if self.mode == Mode::Stored {
            return Ok(());
        }
        let limits = self.rules.limits;
        let too_many = if self.ty.node(id).relation() == Relation::Many {
            self.references += 1;
            self.references > limits.references.saturating_add(1)
        } else {
            count > limits.values
        };
        if too_many {
            return Err(self.fail(ViolationKind::Limit, id, "has too many values"));
        }
        Ok(())
    }

    /// Puts the members into the order of the schema, closes the object, and says whether it has any.
    fn close_object(&mut self, parent: AttrId, open: usize, base: usize) -> bool {
        if parent == AttrId::ROOT {
            return true;
        }
        let any = self.spans.len() > base;
        if !self.spans.get(base..).unwrap_or_default().is_sorted_by_key(|s| s.id) {
            self.sort_members(open, base);
        }
        self.out.push(b'}');
        let node = self.ty.node(parent);
        if node.is_extension() {
            let part = open.saturating_sub(node.key().len());
            let offset = u32::try_from(part).unwrap_or(u32::MAX);
            let spans = self.spans.get(base..).unwrap_or_default();
            self.inner.extend(spans.iter().filter(|s| s.id != AttrId::UNKNOWN).map(|s| Entry {
                id: s.id,
                start: s.start.saturating_sub(offset),
                end: s.end.saturating_sub(offset),
            }));
        }
        self.spans.truncate(base);
        any
    }

    fn sort_members(&mut self, open: usize, base: usize) {
        let text = self.out.split_off(open);
        let mut spans = self.spans.split_off(base);
        spans.sort_by_key(|s| s.id);
        self.out.push(b'{');
        for span in spans {
            self.separate(base);
            let start = self.out.len();
            let range = relative(span, open);
            self.out.extend_from_slice(text.get(range).unwrap_or_default());
            self.close_span(span.id, start);
        }
    }

    /// A resource is a member once, however often the request names it.
    fn drop_repeated_references(&mut self, open: usize) {
        let array = self.out.get(open..).unwrap_or_default();
        let key = |element| scan::member(element, "value");
        let mut seen = HashSet::new();
        let repeated = scan::elements(array).filter_map(key).any(|value| !seen.insert(value));
        if !repeated {
            return;
        }
        seen.clear();
        let mut kept = vec![b'['];
        for element in scan::elements(array).filter(|e| key(e).is_none_or(|value| seen.insert(value))) {
            if kept.len() > 1 {
                kept.push(b',');
            }
            kept.extend_from_slice(element);
        }
        kept.push(b']');
        self.out.truncate(open);
        self.out.append(&mut kept);
    }
}

fn relative(span: Entry, open: usize) -> Range<usize> {
    (span.start as usize).saturating_sub(open)..(span.end as usize).saturating_sub(open)
}

fn is_legacy(uri: &str) -> bool {
    uri.get(..17).is_some_and(|prefix| prefix.eq_ignore_ascii_case("urn:scim:schemas:"))
}

/// The members of an object that were there already.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    /// `false` when it was there before.
    fn insert(&mut self, position: usize) -> bool {
        let Some(word) = self.0.get_mut(position / 64) else { return true };
        let bit = 1 << (position % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
