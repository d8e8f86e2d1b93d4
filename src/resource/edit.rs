//! Editing documents: single attributes, references, and what the store assigns. What is not touched is copied.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::assemble::{Assembly, entry};
use super::scan::{array, elements, unknown_members, value_len, write_string};
use super::{Entry, Reader, Reference, Resource, Secrets, Violation, ViolationKind};
use crate::etag::Version;
use crate::schema::ResourceType;
use crate::schema::table::{AttrId, Relation};
use crate::{AttrPath, Compat, Limits, time};

impl Resource {
    /// A resource without any value: a start for one that is put together from the columns of a table.
    ///
    /// ```
    /// # use scim_provider::{Resource, User};
    /// let users = User::resource_type().build()?;
    /// let ada = Resource::empty(&users).with("userName", "ada")?.with("name.familyName", "Lovelace")?.with("active", true)?;
    /// assert!(String::from_utf8_lossy(ada.as_json()).contains(r#""name":{"familyName":"Lovelace"},"active":true"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn empty(ty: &ResourceType) -> Self {
        Assembly::with_capacity(0).finish(ty, Box::default())
    }

    /// The resource with an attribute set. `None` and other empty values unassign it.
    ///
    /// `path` may name a sub-attribute of an attribute with one value. Passwords cannot be set in this way.
    ///
    /// # Errors
    /// When there is no such attribute, or the value does not suit it.
    pub fn with(&self, path: &str, value: impl Serialize) -> Result<Self, Violation> {
        let json = serde_json::to_string(&value).map_err(|e| Violation::syntax(&e))?;
        let ty = self.resource_type();
        let unknown = || Violation::new(ViolationKind::Unknown, path, "is not known");
        let parsed = AttrPath::parse(path).map_err(|_| unknown())?;
        let (id, _) = ty.find(&parsed, Compat::strict()).ok_or_else(unknown)?;
        let table = ty.table();
        let entry = table.entry_of(id);
        if table.node(id).is_extension() || (entry != id && table.node(entry).is_multi()) || table.node(id).is_secret()
        {
            return Err(Violation::new(ViolationKind::Type, path, "cannot be set on its own"));
        }
        let mut value = Reader::stored(ty, &Limits::dangerous_unlimited()).value(id, false, &json)?;
        if entry != id {
            value = crate::resource::object::with(table, self.value(entry), id, value.as_deref());
        }
        Ok(splice(self, &[(entry, value)], &[], self.pending()))
    }

    /// The resource as the store has it now: with its id, its times and its version.
    #[must_use]
    pub fn stamped(&self, id: &str, created: DateTime<Utc>, last_modified: DateTime<Utc>, version: &Version) -> Self {
        let ty = self.resource_type();
        let mut id_text = Vec::with_capacity(id.len() + 2);
        write_string(&mut id_text, id);
        let mut meta = b"{\"resourceType\":".to_vec();
        write_string(&mut meta, ty.name());
        for (name, at) in [("created", created), ("lastModified", last_modified)] {
            meta.extend_from_slice(format!(",\"{name}\":\"{}\"", time::format_date_time(&at)).as_bytes());
        }
        meta.extend_from_slice(b",\"version\":");
        write_string(&mut meta, &version.to_etag());
        meta.push(b'}');
        splice(self, &[(AttrId::ID, Some(id_text)), (ty.table().meta().meta, Some(meta))], &[], self.pending())
    }

    /// The references of an attribute such as `members`.
    pub fn references(&self, path: &str) -> impl Iterator<Item = Reference> {
        let value = self.get(path).map(|v| v.as_json()).unwrap_or_default();
        elements(value).map(Reference::new)
    }

    /// The resource with these references, as a store joins them: `members` of a group, `groups` of a user.
    ///
    /// Nothing happens when the attribute does not hold references.
    #[must_use]
    pub fn with_references<'a>(&self, path: &str, references: impl IntoIterator<Item = &'a Reference>) -> Self {
        let ty = self.resource_type();
        let found = AttrPath::parse(path).ok().and_then(|p| ty.find(&p, Compat::strict()));
        let Some((id, _)) = found.filter(|(id, _)| is_apart(ty, *id)) else { return self.clone() };
        splice(self, &[(id, array(references.into_iter().map(Reference::as_json)))], &[], self.pending())
    }

    /// The document without references and without what follows from other resources: what goes into a JSON column when
    /// memberships have a table of their own.
    #[must_use]
    pub fn without_references(&self) -> Self {
        let ty = self.resource_type();
        let apart: Vec<_> = ty.table().ids().filter(|id| is_apart(ty, *id) && self.value(*id).is_some()).collect();
        splice(self, &apart.into_iter().map(|id| (id, None)).collect::<Vec<_>>(), &[], self.pending())
    }
}

impl Resource {
    /// What waits to be stored goes along with every edit.
    fn pending(&self) -> Box<[Secrets]> {
        self.document().secrets().into()
    }

    /// What a store may keep as it is.
    pub(crate) fn without_secrets(&self) -> Self {
        splice(self, &[], &[], Box::default())
    }
}

fn is_apart(ty: &ResourceType, id: AttrId) -> bool {
    matches!(ty.node(id).relation(), Relation::Many | Relation::Derived)
}

/// The resource with some of its attributes replaced (`Some`) or unassigned (`None`); what is not named is copied as it is.
/// `unknown` does the same for attributes that no schema defines.
pub(crate) fn splice(
    resource: &Resource,
    changes: &[(AttrId, Option<Vec<u8>>)],
    unknown: &[Unknown],
    secrets: Box<[Secrets]>,
) -> Resource {
    if changes.is_empty() && unknown.is_empty() && secrets.is_empty() && !resource.has_secrets() {
        return resource.clone();
    }
    let (ty, document) = (resource.resource_type(), resource.document());
    let directory: Vec<Entry> = document.entries().collect();
    let table = ty.table();
    let part = |id: AttrId, value: &[u8]| -> Vec<u8> { [table.node(id).key().as_bytes(), value].concat() };
    let changed = |id: AttrId| changes.iter().find(|(changed, _)| *changed == id);
    // extensions that change are written anew from their attributes
    let mut extensions: Vec<(AttrId, Vec<u8>, Vec<Entry>)> = Vec::new();
    for extension in table.extensions() {
        let children = table.node(extension).children().ids();
        if !changes.iter().any(|(id, _)| children.contains(id)) && !unknown.iter().any(|u| u.of == extension) {
            continue;
        }
        let (mut text, mut inner) = (part(extension, b"{"), Vec::new());
        let open = text.len();
        for child in children {
            let old = document.entry(*child).and_then(|e| document.span(e));
            let new = match changed(*child) {
                Some((_, value)) => value.as_deref().map(|value| part(*child, value)),
                None => old.map(<[u8]>::to_vec),
            };
            if let Some(new) = new {
                if text.len() > open {
                    text.push(b',');
                }
                let start = text.len();
                text.extend_from_slice(&new);
                inner.push(entry(*child, start, text.len()));
            }
        }
        for member in unknown_parts(resource, extension, unknown) {
            if text.len() > open {
                text.push(b',');
            }
            text.extend_from_slice(&member);
        }
        if text.len() == open {
            text.clear();
        }
        text.push(b'}');
        extensions.push((extension, text, inner));
    }
    let parts: Vec<(AttrId, Vec<u8>)> = changes
        .iter()
        .filter(|(id, _)| table.node(*id).parent() == AttrId::ROOT)
        .filter_map(|(id, value)| Some((*id, part(*id, value.as_deref()?))))
        .collect();
    let top = Named::new(unknown, AttrId::ROOT);
    let unknown_parts: Vec<Vec<u8>> = top.changes.iter().filter_map(|u| u.part()).collect();
    let mut assembly = Assembly::with_capacity(directory.len() + changes.len());
    for (at, entry) in directory.iter().enumerate() {
        let kept = entry.id != AttrId::SCHEMAS
            && (entry.id == AttrId::UNKNOWN || table.node(entry.id).parent() == AttrId::ROOT)
            && (entry.id == AttrId::UNKNOWN || changed(entry.id).is_none())
            && !extensions.iter().any(|(id, _, _)| *id == entry.id);
        let text = document.span(*entry).unwrap_or_default();
        let replaced = entry.id == AttrId::UNKNOWN && top.names(text);
        if kept && !replaced {
            assembly.push_shared(entry.id, text, inner_of(&directory, at), entry.start);
        }
    }
    for (id, text) in &parts {
        assembly.push(*id, text, &[]);
    }
    for (id, text, inner) in extensions.iter().filter(|(_, text, _)| text.len() > 1) {
        assembly.push(*id, text, inner);
    }
    for text in &unknown_parts {
        assembly.push(AttrId::UNKNOWN, text, &[]);
    }
    assembly.finish(ty, secrets)
}

/// A change to an attribute that no schema defines: at the top (`ROOT`) or in an extension.
pub(crate) struct Unknown {
    pub(crate) of: AttrId,
    /// the name in quotes
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

impl Unknown {
    fn part(&self) -> Option<Vec<u8>> {
        Some([self.key.as_slice(), b":", self.value.as_deref()?].concat())
    }
}

/// The changes to attributes that no schema defines in one object, to be found by name.
struct Named<'u> {
    changes: Vec<&'u Unknown>,
    keys: HashSet<Vec<u8>>,
}

impl<'u> Named<'u> {
    fn new(changes: &'u [Unknown], of: AttrId) -> Self {
        let changes: Vec<&Unknown> = changes.iter().filter(|u| u.of == of).collect();
        let keys = changes.iter().map(|u| u.key.to_ascii_lowercase()).collect();
        Self { changes, keys }
    }

    /// Whether one of them is about the attribute whose `"name":value` this is.
    fn names(&self, part: &[u8]) -> bool {
        !self.keys.is_empty()
            && part.get(..value_len(part)).is_some_and(|key| self.keys.contains(&key.to_ascii_lowercase()))
    }
}

/// What an extension holds beyond its schema, after the changes.
fn unknown_parts(resource: &Resource, extension: AttrId, changes: &[Unknown]) -> Vec<Vec<u8>> {
    let table = resource.resource_type().table();
    let changes = Named::new(changes, extension);
    let old = unknown_members(table, table.node(extension), resource.value(extension).unwrap_or_default());
    let old = old.map(|(name, value)| [b"\"", name, b"\":", value].concat());
    let kept = old.filter(|part| !changes.names(part));
    kept.chain(changes.changes.iter().filter_map(|u| u.part())).collect()
}

/// The entries that lie inside the one at a place of the directory.
fn inner_of(directory: &[Entry], at: usize) -> &[Entry] {
    let Some((outer, rest)) = directory.get(at..).and_then(<[Entry]>::split_first) else { return &[] };
    let count = rest.iter().take_while(|e| e.start < outer.end).count();
    rest.get(..count).unwrap_or_default()
}
