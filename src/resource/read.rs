//! From request bytes to a canonical document in one pass, directed by the schema. Nothing is built on the way that a
//! hostile body could blow up: every rule and limit is checked while reading.

use std::sync::Arc;

use serde::de::DeserializeSeed;

use super::placed;
use super::seed::{BodySeed, ValueSeed};
use super::seed_any::CopySeed;
use super::urn::{is_legacy, member_path, says_nothing, spells};
use super::{Assembly, Entry, Links, Resource, Secrets, Violation, ViolationKind};
use crate::compat::{Compat, Leniency, Repairs};
use crate::password::Password;
use crate::schema::ResourceType;
use crate::schema::table::AttrId;
use crate::{Budget, Limits};

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
    /// where resources are found, if that is known
    pub(crate) links: Option<&'a Links>,
    /// the account that is charged with what is read
    pub(crate) budget: Option<&'a Budget>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(limits: &'a Limits, compat: Compat, unknown: UnknownAttributes) -> Self {
        Self { limits, compat, unknown, links: None, budget: None }
    }

    /// The same where it is known which URLs lead to resources.
    pub(crate) fn with_links(self, links: &'a Links) -> Self {
        Self { links: Some(links), ..self }
    }

    /// The same at the expense of a request.
    pub(crate) fn charged_to(self, budget: &'a Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }
}

/// What reading costs, in nanoseconds: for each byte, and for each value with its name.
const BYTE: u64 = 2;
const NODE: u64 = 120;

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A resource from a client.
    Body,
    /// A resource that this crate or the host wrote.
    Stored,
    /// A value in a PATCH.
    Value,
}

/// Reads one document or value.
pub(crate) struct Reader<'r> {
    pub(super) ty: &'r ResourceType,
    pub(super) rules: Rules<'r>,
    pub(super) mode: Mode,
    pub(super) out: Vec<u8>,
    /// what is in the open objects, and the attributes of the extensions that are closed
    pub(super) spans: Vec<Entry>,
    pub(super) secrets: Vec<Secrets>,
    pub(super) repairs: Repairs,
    pub(super) nodes: usize,
    pub(super) references: usize,
    pub(super) primaries: usize,
    /// what the object that was read as a value says has no value, by name; `None` where no object was read
    pub(super) unassigned: Option<Vec<String>>,
    pub(super) schemas: Schemas,
    /// the lists that are open, and which of their values is being read
    pub(super) places: Vec<(AttrId, usize)>,
    pub(super) path_keys: PathKeys,
    pub(super) failure: Option<Violation>,
}

/// What `schemas` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Schemas {
    /// nothing
    #[default]
    Missing,
    /// nothing that has to do with the type
    Foreign,
    /// the base schema by another spelling, or an extension of the type
    Misspelt,
    /// the base schema
    Base,
}

/// Keys of a body that are paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PathKeys {
    /// there may be some
    #[default]
    Possible,
    /// there is one: the body has to be put in order and read again
    Found,
    /// all have been put where they belong
    Placed,
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
            secrets: Vec::new(),
            repairs: Repairs::default(),
            nodes: 0,
            references: 0,
            primaries: 0,
            unassigned: None,
            schemas: Schemas::default(),
            places: Vec::new(),
            path_keys: PathKeys::default(),
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
        self.unassigned = None;
        self.primaries = 0;
        self.out = Vec::with_capacity(json.len() + 16);
        let (mut deserializer, before) = (serde_json::Deserializer::from_str(json), self.nodes);
        let seed = ValueSeed { reader: self, id, element, depth: 1 };
        let result = seed.deserialize(&mut deserializer);
        self.charge(json.len(), before);
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
        let (mut deserializer, before) = (serde_json::Deserializer::from_str(json), self.nodes);
        let result = CopySeed { reader: self, at: AttrId::ROOT, depth: 1 }.deserialize(&mut deserializer);
        self.charge(json.len(), before);
        match result {
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

    /// What the value read last says has no value, such as `middleName` in `{"middleName": null}`. `None` when it was no
    /// object at all.
    pub(crate) fn take_unassigned(&mut self) -> Option<Vec<String>> {
        self.unassigned.take()
    }

    fn read_body(&mut self, json: &[u8]) -> Result<Resource, Violation> {
        let most = self.rules.limits.body_bytes;
        if json.len() > most {
            let text = format!("the body has {} bytes, more than {most}", json.len());
            return Err(Violation::new(ViolationKind::Limit, "", text));
        }
        self.out.reserve(json.len() + 64);
        self.spans.reserve(64);
        let mut result = self.walk(json);
        if self.path_keys == PathKeys::Found {
            self.begin_again();
            self.charge(json.len().saturating_mul(2), self.nodes);
            let placed = placed::placed(self.ty, self.rules.compat, json, &mut self.repairs);
            result = placed.and_then(|json| self.walk(&json));
        }
        if let Err(e) = result {
            return Err(self.failure.take().unwrap_or_else(|| Violation::syntax(&e)));
        }
        if self.mode == Mode::Body && self.schemas != Schemas::Base {
            let known = self.schemas != Schemas::Foreign;
            if !known || !self.lenient(Leniency::MissingSchemas, AttrId::SCHEMAS) {
                let text = format!("must contain `{}`", self.ty.schema().id);
                return Err(Violation::new(ViolationKind::Schemas, "schemas", text));
            }
        }
        let table = self.ty.table();
        // puts the attributes of an extension behind it
        self.spans.sort_by_key(|s| s.id);
        let mut assembly = Assembly::with_capacity(self.spans.len());
        let mut spans = self.spans.as_slice();
        while let Some((span, rest)) = spans.split_first() {
            let inner = |e: &&Entry| e.id != AttrId::UNKNOWN && table.node(e.id).parent() == span.id;
            let (inner, rest) = rest.split_at_checked(rest.iter().take_while(inner).count()).unwrap_or_default();
            let text = self.out.get(span.start as usize..span.end as usize).unwrap_or_default();
            assembly.push_shared(span.id, text, inner, span.start);
            spans = rest;
        }
        Ok(assembly.finish(self.ty, std::mem::take(&mut self.secrets).into()))
    }

    fn walk(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let result = BodySeed { reader: self }.deserialize(&mut deserializer);
        self.charge(json.len(), 0);
        result.and_then(|()| deserializer.end())
    }

    /// Forgets what was read of a body.
    fn begin_again(&mut self) {
        self.out.clear();
        self.spans.clear();
        self.secrets.clear();
        self.places.clear();
        (self.nodes, self.references, self.primaries) = (0, 0, 0);
        (self.schemas, self.path_keys, self.failure) = (Schemas::default(), PathKeys::Placed, None);
    }

    /// Charges the request with what was read: bounded by the limits on a body, it is never refused.
    fn charge(&self, bytes: usize, nodes_before: usize) {
        let units = |count: usize, each: u64| u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(each);
        if let Some(budget) = self.rules.budget {
            budget.charge(units(bytes, BYTE).saturating_add(units(self.nodes - nodes_before, NODE)));
        }
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
        self.repairs.accept(self.rules.compat, leniency, || self.ty.table().path(id))
    }

    pub(super) fn note_unassigned(&mut self, name: &str) {
        if let Some(names) = &mut self.unassigned {
            names.push(name.to_owned());
        }
    }

    /// Counts a primary value. Whether it stays one: among several of a list the first does.
    pub(super) fn is_primary(&mut self, id: AttrId) -> bool {
        self.primaries += 1;
        let others = self.primaries > 1 && !self.places.is_empty() && !self.is_stored();
        if others && self.lenient(Leniency::SeveralPrimaries, self.ty.table().node(id).parent()) {
            self.primaries -= 1;
            return false;
        }
        true
    }

    /// Notes that a member of what came is not taken over.
    pub(super) fn leave_out(&mut self, of: AttrId, name: &str) {
        let table = self.ty.table();
        self.repairs.leave_out(|| member_path(table, of, name));
    }

    pub(super) fn keep_secret(&mut self, id: AttrId, text: &str) {
        self.secrets.push((id, Some(Arc::new(Password::new(text)))));
    }

    /// Counts one JSON value.
    pub(super) fn count<E: serde::de::Error>(&mut self, at: AttrId) -> Result<(), E> {
        self.nodes += 1;
        let most = self.rules.limits.json_nodes;
        if self.nodes > most {
            return Err(self.fail(ViolationKind::Limit, at, format!("is in a body of more than {most} values")));
        }
        Ok(())
    }

    /// Counts one JSON array or object, at its depth.
    pub(super) fn enter<E: serde::de::Error>(&mut self, at: AttrId, depth: usize) -> Result<(), E> {
        let most = self.rules.limits.json_depth;
        if depth > most {
            return Err(self.fail(ViolationKind::Limit, at, format!("is nested more than {most} levels deep")));
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
        let (path, text) = (self.ty.table().path(at), text.into());
        let text = if path.is_empty() { format!("the body {text}").into() } else { text };
        let violation = Violation::new(kind, path, text).in_place(self.place(at));
        self.failure.get_or_insert(violation);
        E::custom("refused")
    }

    /// The path of an attribute with the places in the lists that are open: `emails[1].value`.
    fn place(&self, at: AttrId) -> Option<String> {
        let table = self.ty.table();
        let path = table.path(at);
        let mut place = path.clone();
        // from the end, so that what stands in front keeps its length
        for (list, index) in self.places.iter().rev() {
            let length = table.path(*list).len();
            if *list == at || table.node(at).parent() == *list {
                place.insert_str(length.min(place.len()), &format!("[{index}]"));
            }
        }
        (place != path).then_some(place)
    }

    /// Judges one URI for `schemas` that does not come in a body.
    pub(crate) fn schema(&mut self, uri: &str) -> Result<(), Violation> {
        let judged = self.schema_uri::<serde_json::Error>(uri);
        judged.map(|_| ()).map_err(|e| self.failure.take().unwrap_or_else(|| Violation::syntax(&e)))
    }

    /// One URI of `schemas`. Gives the schema, if it is one of the resource type's.
    pub(super) fn schema_uri<E: serde::de::Error>(&mut self, uri: &str) -> Result<Option<AttrId>, E> {
        let table = self.ty.table();
        if uri.eq_ignore_ascii_case(table.base()) {
            self.schemas = Schemas::Base;
            return Ok(Some(AttrId::ROOT));
        }
        if let Some(id) = table.extensions().find(|e| table.node(*e).name().eq_ignore_ascii_case(uri)) {
            self.says(Schemas::Misspelt);
            return Ok(Some(id));
        }
        if is_legacy(uri) && self.lenient(Leniency::LegacySchema, AttrId::SCHEMAS) {
            self.says(match uri.to_ascii_lowercase().starts_with("urn:scim:schemas:core:") {
                true => Schemas::Base,
                false => Schemas::Misspelt,
            });
            return Ok(None);
        }
        if says_nothing(uri) && self.rules.compat.accepts(Leniency::MissingSchemas) {
            return Ok(None);
        }
        self.says(if spells(uri, table.base()) { Schemas::Misspelt } else { Schemas::Foreign });
        if !self.is_stored() && !self.lenient(Leniency::UnknownSchema, AttrId::SCHEMAS) {
            let text = "names a schema that this resource type does not have";
            return Err(self.fail(ViolationKind::Schemas, AttrId::SCHEMAS, text));
        }
        Ok(None)
    }

    fn says(&mut self, schemas: Schemas) {
        self.schemas = self.schemas.max(schemas);
    }
}
