//! Writing a resource into an answer: the wanted spans are copied, and what depends on where the service runs is added.

use std::ops::Range;

use super::links::Links;
use super::project::{Keep, Projection};
use super::scan::{self, elements, members, unknown_members};
use super::{Entry, Resource, ValueRef};
use crate::schema::table::{AttrId, Node, Relation, Role};

impl Resource {
    /// The wanted part of the resource as JSON text, without what depends on where a service runs: no `meta.location` and
    /// no `$ref`.
    ///
    /// ```
    /// # use scim_provider::{Compat, Projection, Resource, User};
    /// let users = User::resource_type().build()?;
    /// let ada = Resource::empty(&users).with("userName", "ada")?.with("title", "Countess")?;
    /// let names = Projection::only(&users, ["userName"], Compat::default());
    /// assert!(ada.to_json(&names).ends_with(br#""userName":"ada"}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_json(&self, projection: &Projection) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.as_json().len());
        self.write(&mut out, projection, None);
        out
    }

    /// Appends the resource as an answer shows it.
    pub(crate) fn write(&self, out: &mut Vec<u8>, projection: &Projection, links: Option<&Links>) {
        out.push(b'{');
        let empty = out.len();
        let mut writer = Writer::new(self, projection, links, out, empty);
        writer.entries_and_empty(0..self.document().entries().len(), |_| true);
        writer.flush();
        writer.out.push(b'}');
    }
}

/// Writes parts of a resource.
pub(super) struct Writer<'w> {
    resource: &'w Resource,
    projection: &'w Projection,
    links: Option<&'w Links>,
    out: &'w mut Vec<u8>,
    /// the length of `out` at which the open object has no members yet
    empty: usize,
    /// text that is copied as it is, once its end is known
    run: Option<(u32, u32)>,
}

impl<'w> Writer<'w> {
    /// A writer of a resource whose object is open; `empty` is the length of `out` at which it has no members yet.
    pub(super) fn new(
        resource: &'w Resource,
        projection: &'w Projection,
        links: Option<&'w Links>,
        out: &'w mut Vec<u8>,
        empty: usize,
    ) -> Self {
        Self { resource, projection, links, out, empty, run: None }
    }

    /// Those at these places of the directory, and among them the lists that are shown although they are empty.
    pub(super) fn entries_and_empty(&mut self, places: Range<usize>, belongs: impl Fn(AttrId) -> bool) {
        let (ty, document) = (self.resource.resource_type(), self.resource.document());
        let mut from = places.start;
        for id in ty.shown_empty().iter().copied().filter(|id| belongs(*id)) {
            if document.entry(id).is_none() {
                let place = document.entries().position(|entry| entry.id > id).unwrap_or(places.end);
                self.entries(from..place);
                self.empty_list(id);
                from = place;
            }
        }
        self.entries(from..places.end);
    }

    /// A list without values, where it is wanted and shown.
    pub(super) fn empty_list(&mut self, id: AttrId) {
        let ty = self.resource.resource_type();
        if self.projection.keep(id) != Keep::Nothing && ty.shown_empty().contains(&id) {
            self.flush();
            self.separate();
            self.out.extend_from_slice(ty.node(id).key().as_bytes());
            self.out.extend_from_slice(b"[]");
        }
    }

    /// Those at these places of the directory.
    fn entries(&mut self, places: Range<usize>) {
        let (table, document) = (self.resource.resource_type().table(), self.resource.document());
        let mut at = places.start;
        while let Some(entry) = document.entry_at(at).filter(|_| at < places.end) {
            let node = table.node(entry.id);
            let first = at + 1;
            at = first;
            if node.is_extension() {
                at += document.entries().skip(first).take_while(|e| e.start < entry.end).count();
            }
            let inner = first..at;
            let plain = self.links.is_none()
                || node.relation() == Relation::No
                    && entry.id != table.meta().meta
                    && !self.has_references(inner.clone());
            match self.projection.keep(entry.id) {
                Keep::Nothing => {}
                Keep::Whole if plain => self.copy(entry),
                keep if node.is_extension() => self.extension(entry, inner, keep),
                keep => self.rewritten(entry, node, keep),
            }
        }
    }

    fn has_references(&self, mut places: Range<usize>) -> bool {
        let (table, document) = (self.resource.resource_type().table(), self.resource.document());
        let relation = |at| document.entry_at(at).map_or(Relation::No, |e| table.node(e.id).relation());
        places.any(|at| relation(at) != Relation::No)
    }

    /// Copies an entry; what follows directly on it is copied with it.
    fn copy(&mut self, entry: Entry) {
        match &mut self.run {
            Some((_, end)) if *end + 1 == entry.start => *end = entry.end,
            _ => {
                self.flush();
                self.run = Some((entry.start, entry.end));
            }
        }
    }

    pub(super) fn flush(&mut self) {
        if let Some((start, end)) = self.run.take() {
            self.separate();
            let text = self.resource.document().json().get(start as usize..end as usize);
            self.out.extend_from_slice(text.unwrap_or_default());
        }
    }

    fn separate(&mut self) {
        if self.out.len() > self.empty {
            self.out.push(b',');
        }
    }

    fn extension(&mut self, entry: Entry, inner: Range<usize>, keep: Keep) {
        let table = self.resource.resource_type().table();
        let node = table.node(entry.id);
        self.flush();
        let before = self.out.len();
        self.separate();
        self.out.extend_from_slice(node.key().as_bytes());
        self.out.push(b'{');
        let outer = std::mem::replace(&mut self.empty, self.out.len());
        self.entries(inner);
        self.flush();
        if self.shows_unknown(keep) {
            let text = self.resource.document().span(entry).unwrap_or_default();
            for (name, value) in unknown_members(table, node, text.get(node.key().len()..).unwrap_or_default()) {
                self.separate();
                self.member(name, value);
            }
        }
        let any = self.out.len() > self.empty;
        self.empty = outer;
        if any {
            self.out.push(b'}');
        } else {
            self.out.truncate(before);
        }
    }

    /// Whether what no schema defines is shown inside an attribute: where all of it is wanted, or all but something else.
    fn shows_unknown(&self, keep: Keep) -> bool {
        keep == Keep::Whole || self.projection.keep(AttrId::UNKNOWN) == Keep::Whole
    }

    fn member(&mut self, name: &[u8], value: &[u8]) {
        for part in [b"\"", name, b"\":", value] {
            self.out.extend_from_slice(part);
        }
    }

    /// An attribute of which only a part is wanted, or to which links are added.
    fn rewritten(&mut self, entry: Entry, node: &Node, keep: Keep) {
        self.flush();
        let document = self.resource.document();
        let Some(value) = document.value(entry, node.key().len()) else { return };
        let before = self.out.len();
        self.separate();
        self.out.extend_from_slice(node.key().as_bytes());
        let any = if node.is_multi() {
            self.out.push(b'[');
            let first = self.out.len();
            for element in elements(value) {
                let start = self.out.len();
                if start > first {
                    self.out.push(b',');
                }
                if !self.object(node, element, keep) {
                    self.out.truncate(start);
                }
            }
            self.out.push(b']');
            self.out.len() > first + 1
        } else {
            self.object(node, value, keep)
        };
        if !any {
            self.out.truncate(before);
        }
    }

    /// One complex value. Says whether anything of it was wanted.
    pub(super) fn object(&mut self, node: &Node, object: &[u8], keep: Keep) -> bool {
        if keep == Keep::Whole {
            self.whole_object(node, object);
            return true;
        }
        let table = self.resource.resource_type().table();
        self.out.push(b'{');
        let first = self.out.len();
        for (name, value) in members(object) {
            let child = std::str::from_utf8(name).ok().and_then(|name| table.child(node.children(), name));
            let shown = match child {
                Some(child) => self.projection.keep(child) != Keep::Nothing,
                None => self.shows_unknown(keep),
            };
            if shown {
                if self.out.len() > first {
                    self.out.push(b',');
                }
                match child {
                    Some(child) => {
                        self.out.extend_from_slice(table.node(child).key().as_bytes());
                        self.out.extend_from_slice(value);
                    }
                    None => self.member(name, value),
                }
            }
            if name == b"value" && node.relation() != Relation::No {
                self.reference(node, object, value, first);
            }
        }
        if self.is_meta(node) {
            self.location(node, first);
        }
        let any = self.out.len() > first;
        self.out.push(b'}');
        any
    }

    /// One complex value that is copied, with the links that belong into it.
    fn whole_object(&mut self, node: &Node, object: &[u8]) {
        let first = self.out.len() + 1;
        if node.relation() != Relation::No {
            let mut end = 0;
            for (name, value) in members(object) {
                // the comma or brace, two quotes and the colon
                end += name.len() + value.len() + 4;
                if name == b"value" {
                    let (start, rest) = object.split_at_checked(end).unwrap_or((object, &[]));
                    self.out.extend_from_slice(start);
                    self.reference(node, object, value, first);
                    self.out.extend_from_slice(rest);
                    return;
                }
            }
        }
        if self.is_meta(node) {
            self.out.extend_from_slice(object.strip_suffix(b"}").unwrap_or(object));
            self.location(node, first);
            self.out.push(b'}');
        } else {
            self.out.extend_from_slice(object);
        }
    }

    /// `$ref`, where the id in `value` has a type that is known.
    fn reference(&mut self, node: &Node, object: &[u8], value: &[u8], first: usize) {
        let table = self.resource.resource_type().table();
        let (Some(links), Some(child)) = (self.links, table.child(node.children(), "$ref")) else { return };
        let kind = node.children().ids().iter().find(|c| table.node(**c).role() == Role::Type);
        let named = kind.and_then(|k| ValueRef::new(scan::member(object, table.node(*k).name())?).as_str());
        let only = match table.node(child).definition().reference_types.as_slice() {
            [only] => Some(only.as_bytes()),
            _ => None,
        };
        // `groups.type` says `direct`, which is no resource type: there the schema knows
        let endpoint = only.or(named.as_deref().map(str::as_bytes)).and_then(|name| links.endpoint(name));
        let (Some(endpoint), Some(id)) = (endpoint, ValueRef::new(value).as_str()) else { return };
        if self.projection.keep(child) == Keep::Nothing || id.is_empty() {
            return;
        }
        if self.out.len() > first {
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"\"$ref\":\"");
        links.write_url(self.out, endpoint, id.as_bytes());
        self.out.push(b'"');
    }

    /// Whether it is the `meta` that every resource has, and not an attribute of an extension with that name.
    fn is_meta(&self, node: &Node) -> bool {
        let table = self.resource.resource_type().table();
        std::ptr::eq(node, table.node(table.meta().meta))
    }

    fn location(&mut self, meta: &Node, first: usize) {
        let Some(links) = self.links else { return };
        let ty = self.resource.resource_type();
        let child = ty.table().child(meta.children(), "location");
        let wanted = child.is_some_and(|c| self.projection.keep(c) != Keep::Nothing);
        let Some(id) = self.resource.id().filter(|_| wanted) else { return };
        if self.out.len() > first {
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"\"location\":\"");
        links.write_url(self.out, ty.endpoint(), id.as_bytes());
        self.out.push(b'"');
    }
}
