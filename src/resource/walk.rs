//! The walk of the [`Reader`] through objects and arrays: names looked up, duplicates and omissions seen, the order of the
//! schema kept.

use std::collections::HashSet;

use serde::de::{Error as _, MapAccess, SeqAccess};

use super::assemble::entry;
use super::placed;
use super::read::{Mode, PathKeys, Reader, UnknownAttributes};
use super::scan;
use super::seed::{Key, KeySeed, ValueSeed, number_token};
use super::seed_any::{CopySeed, SkipSeed};
use super::seed_schemas::SchemasSeed;
use super::urn::{legacy_extension, member_path};
use super::{Violation, ViolationKind};
use crate::compat::Leniency;
use crate::schema::table::{AttrId, Children, Node, Relation, Role};

impl Reader<'_> {
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
        let mut unknown = HashSet::new();
        let mut link = None;
        if self.mode == Mode::Value {
            self.unassigned.get_or_insert_default();
        }
        self.out.push(b'{');
        while let Some(key) = map.next_key_seed(KeySeed { table, children })? {
            let id = match key {
                Key::Known(id) => id,
                Key::Unknown(name) => {
                    match self.legacy_extension(parent, &name).or_else(|| self.legacy_id(parent, &name)) {
                        Some(id) => id,
                        None => {
                            self.unknown(map, parent, name, (depth, base), &mut unknown)?;
                            continue;
                        }
                    }
                }
            };
            if !seen.insert(table.node(id).position()) {
                return Err(self.fail(ViolationKind::Duplicate, id, "is given twice"));
            }
            if id == AttrId::SCHEMAS && parent == AttrId::ROOT {
                map.next_value_seed(SchemasSeed { reader: self })?;
                continue;
            }
            if table.node(id).is_computed_ref() && !self.is_stored() {
                link = self.link(map, id, depth + 1)?;
                continue;
            }
            if self.skips(table.node(id), parent) {
                map.next_value_seed(SkipSeed { reader: self, at: id, depth: depth + 1 })?;
                continue;
            }
            if table.node(id).is_read_only() && !self.is_stored() {
                self.display(map, id, base, depth + 1)?;
                continue;
            }
            let before = self.separate(base);
            let (start, secrets) = (self.out.len(), self.secrets.len());
            self.out.extend_from_slice(table.node(id).key().as_bytes());
            if map.next_value_seed(ValueSeed { reader: self, id, element: false, depth: depth + 1 })? {
                self.close_span(id, start);
            } else {
                self.out.truncate(before);
                if self.secrets.len() == secrets {
                    self.note_unassigned(table.node(id).name());
                }
            }
        }
        if let Some(link) = link {
            self.follow(&link, parent, base)?;
        }
        self.check_required(children, base)?;
        Ok(self.close_object(parent, open, base))
    }

    /// The elements of an array for the attribute `id`.
    pub(super) fn array<'de, S: SeqAccess<'de>>(
        &mut self,
        seq: &mut S,
        id: AttrId,
        depth: usize,
    ) -> Result<bool, S::Error> {
        self.enter(id, depth)?;
        let outer = std::mem::take(&mut self.primaries);
        let open = self.out.len();
        self.out.push(b'[');
        let (mut count, mut place) = (0_usize, 0_usize);
        let mut unusable = Vec::new();
        loop {
            let before = self.out.len();
            if count > 0 {
                self.out.push(b',');
            }
            self.places.push((id, place));
            let element = seq.next_element_seed(ValueSeed { reader: self, id, element: true, depth: depth + 1 })?;
            self.places.pop();
            match element {
                Some(true) => count += 1,
                Some(false) => {
                    self.out.truncate(before);
                    unusable.push(place);
                }
                None => {
                    self.out.truncate(before);
                    break;
                }
            }
            place += 1;
            self.check_count(id, count)?;
        }
        let primaries = std::mem::replace(&mut self.primaries, outer);
        if primaries > 1 {
            return Err(self.fail(
                ViolationKind::Primary,
                id,
                format!("has {primaries} primary values, more than one"),
            ));
        }
        self.out.push(b']');
        match self.ty.node(id).relation() {
            Relation::Many => {
                self.check_usable(id, count, &unusable)?;
                self.drop_repeated_references(open);
            }
            Relation::No if count > 1 && !self.is_stored() => self.unite_repeated(id, open),
            _ => {}
        }
        Ok(count > 0)
    }

    /// A list of references of which none leads to a resource is a mistake, and would empty a group. Of others those count that
    /// do lead to one.
    fn check_usable<E: serde::de::Error>(&mut self, id: AttrId, count: usize, unusable: &[usize]) -> Result<(), E> {
        if unusable.is_empty() || self.is_stored() {
            return Ok(());
        }
        if count == 0 || !self.lenient(Leniency::UnusableReference, id) {
            return Err(self.names_nothing(id));
        }
        let path = self.ty.table().path(id);
        for place in unusable {
            self.repairs.leave_out(|| format!("{path}[{place}]"));
        }
        Ok(())
    }

    pub(super) fn names_nothing<E: serde::de::Error>(&mut self, id: AttrId) -> E {
        self.fail(ViolationKind::Value, id, "names no resource: each value needs the id of one in `value`")
    }

    /// A text for people that only the service provider may set, and that is kept all the same. One that is no text is passed
    /// over.
    fn display<'de, M: MapAccess<'de>>(
        &mut self,
        map: &mut M,
        id: AttrId,
        base: usize,
        depth: usize,
    ) -> Result<(), M::Error> {
        let before = self.separate(base);
        let start = self.out.len();
        self.out.extend_from_slice(self.ty.table().node(id).key().as_bytes());
        let value = self.out.len();
        let assigned = map.next_value_seed(CopySeed { reader: self, at: id, depth })?;
        match assigned && self.out.get(value) == Some(&b'"') {
            true => self.close_span(id, start),
            false => self.out.truncate(before),
        }
        Ok(())
    }

    fn skips(&mut self, node: &Node, parent: AttrId) -> bool {
        let table = self.ty.table();
        if node.is_computed_ref() || (parent == table.meta().meta && node.name() == "location") {
            return true;
        }
        let display = node.role() == Role::Display && table.node(parent).relation() == Relation::Many;
        match self.mode {
            Mode::Stored => false,
            _ if node.is_read_only() && display => !self.keeps_display(parent),
            _ => node.is_read_only(),
        }
    }

    /// Noted once for each request: members come by the thousand.
    fn keeps_display(&mut self, reference: AttrId) -> bool {
        let leniency = Leniency::ReferenceDisplay;
        let noted = self.repairs.as_slice().iter().any(|repair| repair.leniency == leniency);
        noted || self.lenient(leniency, reference)
    }

    /// SCIM 1.1 had `managerId` in place of `value` in `manager`.
    fn legacy_id(&mut self, parent: AttrId, name: &str) -> Option<AttrId> {
        let node = self.ty.node(parent);
        let is_id = || name.strip_suffix("Id").is_some_and(|of| of.eq_ignore_ascii_case(node.name()));
        if node.relation() != Relation::One || self.is_stored() || !is_id() {
            return None;
        }
        let id = self.ty.table().child(node.children(), "value")?;
        self.lenient(Leniency::LegacySchema, parent).then_some(id)
    }

    /// The enterprise extension under its URN from before the standard.
    pub(crate) fn legacy_extension(&mut self, parent: AttrId, name: &str) -> Option<AttrId> {
        let id = legacy_extension(self.ty.table(), self.rules.compat, parent, name)?;
        self.lenient(Leniency::LegacySchema, id).then_some(id)
    }

    /// A member that no schema defines.
    fn unknown<'de, M: MapAccess<'de>>(
        &mut self,
        map: &mut M,
        parent: AttrId,
        name: String,
        (depth, base): (usize, usize),
        others: &mut HashSet<String>,
    ) -> Result<(), M::Error> {
        if number_token(&name) {
            return Err(self.fail(ViolationKind::Type, parent, "must be an object, not a number"));
        }
        if self.mode == Mode::Body && self.path_keys == PathKeys::Possible && placed::is_path(self, parent, &name) {
            self.path_keys = PathKeys::Found;
            return Err(M::Error::custom("to be put in order"));
        }
        if self.mode != Mode::Stored && name == "operation" && self.ty.node(parent).relation() == Relation::Many {
            // a SCIM 1.1 removal that were read as an addition would give access to the one who is to lose it
            return Err(self.fail(ViolationKind::Value, parent, "has a member operation of SCIM 1.1"));
        }
        match self.rules.unknown {
            // a document holds nothing of a secret, and what stands beside a part of one may be another
            _ if self.ty.node(parent).is_secret() => {
                map.next_value_seed(SkipSeed { reader: self, at: parent, depth: depth + 1 })
            }
            UnknownAttributes::Drop => {
                self.leave_out(parent, &name);
                map.next_value_seed(SkipSeed { reader: self, at: parent, depth: depth + 1 })
            }
            UnknownAttributes::Refuse => {
                let path = member_path(self.ty.table(), parent, &name);
                self.failure = Some(Violation::new(ViolationKind::Unknown, path, "is not known"));
                Err(M::Error::custom("refused"))
            }
            UnknownAttributes::Keep => {
                let folded = name.to_ascii_lowercase();
                if others.contains(&folded) || name.bytes().any(|b| b == 0) {
                    return Err(self.fail(
                        ViolationKind::Duplicate,
                        parent,
                        "holds a member name twice, or one with NUL",
                    ));
                }
                let most = self.rules.limits.values;
                if others.len() >= most && !self.is_stored() {
                    let text = format!("has more than {most} unknown attributes");
                    return Err(self.fail(ViolationKind::Limit, parent, text));
                }
                let before = self.separate(base);
                let start = self.out.len();
                scan::write_string(&mut self.out, &name);
                self.out.push(b':');
                if map.next_value_seed(CopySeed { reader: self, at: parent, depth: depth + 1 })? {
                    self.close_span(AttrId::UNKNOWN, start);
                    // held to the rules of those that a schema defines: once, whatever its letter case
                    others.insert(folded);
                } else {
                    self.out.truncate(before);
                    self.note_unassigned(&name);
                }
                Ok(())
            }
        }
    }

    /// Writes a comma unless the object is still empty; gives the length to go back to.
    pub(super) fn separate(&mut self, base: usize) -> usize {
        let before = self.out.len();
        if self.spans.len() > base {
            self.out.push(b',');
        }
        before
    }

    pub(super) fn close_span(&mut self, id: AttrId, start: usize) {
        self.spans.push(entry(id, start, self.out.len()));
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
        let (count, most) = if self.ty.node(id).relation() == Relation::Many {
            self.references += 1;
            (self.references, limits.references)
        } else {
            (count, limits.values)
        };
        if count > most {
            return Err(self.fail(ViolationKind::Limit, id, format!("has more than {most} values")));
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
        if self.ty.node(parent).is_extension() {
            // its attributes stay for the directory; those that no schema defines come last
            let known = self.spans.iter().rposition(|s| s.id != AttrId::UNKNOWN).map_or(0, |at| at + 1);
            self.spans.truncate(known.max(base));
        } else {
            self.spans.truncate(base);
        }
        any
    }

    fn sort_members(&mut self, open: usize, base: usize) {
        let spans = self.spans.get_mut(base..).unwrap_or_default();
        spans.sort_by_key(|s| s.id);
        // the sorted text is written behind the other, which then goes
        let first = open + 1;
        let (unsorted, mut end) = (self.out.len(), first);
        for span in spans {
            let range = span.start as usize..span.end as usize;
            if range.end > unsorted || range.start > range.end {
                continue;
            }
            if end > first {
                self.out.push(b',');
                end += 1;
            }
            let start = end;
            end += range.len();
            self.out.extend_from_within(range);
            *span = entry(span.id, start, end);
        }
        self.out.drain(first..unsorted);
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

/// The members of an object that were there already.
#[derive(Default)]
pub(super) struct Seen([u64; 4]);

impl Seen {
    /// `false` when it was there before.
    pub(super) fn insert(&mut self, position: usize) -> bool {
        let Some(word) = self.0.get_mut(position / 64) else { return true };
        let bit = 1 << (position % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
