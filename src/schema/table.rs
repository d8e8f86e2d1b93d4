//! The compiled form of a resource type: attributes numbered in canonical order, with case-insensitive look-up by name.

use std::borrow::Cow;

use super::core;
use super::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};

/// The number of an attribute within its resource type. Numbers rise in the order in which documents print attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AttrId(pub(crate) u16);

impl AttrId {
    /// The resource itself.
    pub(crate) const ROOT: Self = Self(0);
    pub(crate) const SCHEMAS: Self = Self(1);
    pub(crate) const ID: Self = Self(2);
    /// What no schema defines, where unknown attributes are kept.
    pub(crate) const UNKNOWN: Self = Self(u16::MAX);

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// All attributes of a resource type, including sub-attributes and the extension objects.
#[derive(Debug, Default)]
pub(crate) struct Table {
    nodes: Vec<Node>,
    extensions: Vec<AttrId>,
    /// the lists that are shown when they are empty, in canonical order
    pub(super) shown_empty: Vec<AttrId>,
    fallback: Node,
    meta: MetaIds,
    base: Box<str>,
}

/// The sub-attributes of `meta`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetaIds {
    pub(crate) meta: AttrId,
    pub(crate) version: AttrId,
}

impl Default for MetaIds {
    fn default() -> Self {
        Self { meta: AttrId::UNKNOWN, version: AttrId::UNKNOWN }
    }
}

/// One attribute.
#[derive(Debug)]
pub(crate) struct Node {
    definition: Attribute,
    /// `"name":`, as it is written in front of the value
    key: Box<str>,
    parent: AttrId,
    position: usize,
    children: Children,
    extension: bool,
    relation: Relation,
    computed_ref: bool,
    role: Role,
}

/// What a sub-attribute is for, where RFC 7643 §2.4 gives its name a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Other,
    Value,
    Primary,
    Display,
    Type,
}

/// Whether an attribute refers to other resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Relation {
    #[default]
    No,
    /// A single reference, such as `manager`.
    One,
    /// References that a store keeps apart from the document, such as `members`.
    Many,
    /// The other direction of a relation, which only the store can fill in, such as `groups`.
    Derived,
}

/// The attributes directly below another one.
#[derive(Debug, Default)]
pub(crate) struct Children {
    ids: Vec<AttrId>,
    required: Vec<AttrId>,
    /// open addressing; 0 is empty, otherwise position in `ids` plus one
    slots: Vec<u8>,
}

impl Table {
    /// The resource itself, whose children are the top-level attributes.
    pub(crate) fn root(&self) -> &Node {
        self.node(AttrId::ROOT)
    }

    pub(crate) fn node(&self, id: AttrId) -> &Node {
        self.nodes.get(id.index()).unwrap_or(&self.fallback)
    }

    /// How many attributes there are, sub-attributes and the resource itself included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = AttrId> {
        (0..u16::try_from(self.nodes.len()).unwrap_or(u16::MAX)).map(AttrId)
    }

    /// The extension objects.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = AttrId> + '_ {
        self.extensions.iter().copied()
    }

    pub(crate) fn meta(&self) -> MetaIds {
        self.meta
    }

    /// The URI of the base schema.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Finds an attribute below another by its name, without regard to case.
    pub(crate) fn child(&self, of: &Children, name: &str) -> Option<AttrId> {
        let mask = of.slots.len().checked_sub(1)?;
        let mut at = hash(name.as_bytes()) & mask;
        loop {
            let slot = usize::from(*of.slots.get(at)?);
            let id = *of.ids.get(slot.checked_sub(1)?)?;
            let known = self.node(id).name();
            if known == name || known.eq_ignore_ascii_case(name) {
                return Some(id);
            }
            at = (at + 1) & mask;
        }
    }

    /// The path of an attribute, with its extension's URN where it has one.
    pub(crate) fn path(&self, id: AttrId) -> String {
        let node = self.node(id);
        if id == AttrId::ROOT || node.parent == AttrId::ROOT {
            return node.name().to_owned();
        }
        let separator = if self.node(node.parent).extension { ':' } else { '.' };
        format!("{}{separator}{}", self.path(node.parent), node.name())
    }

    /// The top-level attribute or extension attribute that holds this one: what a directory has an entry for.
    pub(crate) fn entry_of(&self, id: AttrId) -> AttrId {
        let parent = self.node(id).parent;
        if parent == AttrId::ROOT || self.node(parent).extension { id } else { parent }
    }

    pub(crate) fn add_root<'a>(&mut self, attributes: impl Iterator<Item = &'a Attribute>) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        for attribute in attributes {
            self.add(attribute, AttrId::ROOT);
        }
    }

    pub(crate) fn add_extension(&mut self, schema: &Schema, required: bool) {
        let mut object = Attribute::complex(schema.id.clone(), []);
        object.required = required;
        let id = self.add(&object, AttrId::ROOT);
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.extension = true;
        }
        self.extensions.push(id);
        for attribute in &schema.attributes {
            self.add(attribute, id);
        }
    }

    /// Builds the look-up tables, once all attributes are there.
    pub(crate) fn finish(&mut self, base: &str) {
        self.base = base.into();
        for id in self.ids().collect::<Vec<_>>() {
            let names: Vec<usize> =
                self.node(id).children.ids.iter().map(|c| hash(self.node(*c).name().as_bytes())).collect();
            let required =
                self.node(id).children.ids.iter().copied().filter(|c| self.node(*c).must_be_given()).collect();
            if let Some(node) = self.nodes.get_mut(id.index()) {
                node.children.required = required;
                node.children.index(&names);
            }
        }
        let child = |of: AttrId, name| self.child(self.node(of).children(), name).unwrap_or(AttrId::UNKNOWN);
        let meta = child(AttrId::ROOT, "meta");
        self.meta = MetaIds { meta, version: child(meta, "version") };
    }

    fn add(&mut self, attribute: &Attribute, parent: AttrId) -> AttrId {
        let id = AttrId(u16::try_from(self.nodes.len()).unwrap_or(u16::MAX));
        let top = parent == AttrId::ROOT || self.node(parent).extension;
        let mut node = Node::new(attribute, parent);
        if self.node(parent).is_secret() {
            node.definition.returned = Returned::Never;
        }
        node.position = self.node(parent).children.ids.len();
        if !top {
            node.role = Role::of(&attribute.name);
            node.computed_ref = attribute.name == "$ref" && self.node(parent).relation != Relation::No;
        }
        self.nodes.push(node);
        if let Some(parent) = self.nodes.get_mut(parent.index()) {
            parent.children.ids.push(id);
        }
        // a complex list that names no parts has those of RFC 7643 §2.4
        let parts = if attribute.kind == AttributeType::Complex
            && attribute.multi_valued
            && attribute.sub_attributes.is_empty()
        {
            Cow::Owned(core::default_sub_attributes())
        } else {
            Cow::Borrowed(&attribute.sub_attributes)
        };
        for sub in parts.iter() {
            self.add(sub, id);
        }
        id
    }
}

impl Node {
    fn new(attribute: &Attribute, parent: AttrId) -> Self {
        let mut definition = attribute.clone();
        let relation = Relation::of(attribute);
        definition.sub_attributes = Vec::new();
        let key = format!("{}:", serde_json::Value::from(attribute.name.as_str()));
        Self {
            definition,
            key: key.into(),
            parent,
            position: 0,
            children: Children::default(),
            extension: false,
            relation,
            computed_ref: false,
            role: Role::Other,
        }
    }

    pub(crate) fn definition(&self) -> &Attribute {
        &self.definition
    }

    pub(crate) fn name(&self) -> &str {
        &self.definition.name
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn kind(&self) -> AttributeType {
        self.definition.kind
    }

    pub(crate) fn is_multi(&self) -> bool {
        self.definition.multi_valued
    }

    pub(crate) fn is_complex(&self) -> bool {
        self.definition.kind == AttributeType::Complex
    }

    pub(crate) fn parent(&self) -> AttrId {
        self.parent
    }

    /// The how-manieth child of its parent this is.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn children(&self) -> &Children {
        &self.children
    }

    /// Whether this is the object that holds an extension's attributes.
    pub(crate) fn is_extension(&self) -> bool {
        self.extension
    }

    pub(crate) fn relation(&self) -> Relation {
        self.relation
    }

    /// Whether this is a `$ref` that the service writes from the id next to it.
    pub(crate) fn is_computed_ref(&self) -> bool {
        self.computed_ref
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.definition.mutability == Mutability::ReadOnly
    }

    /// Whether the value is kept out of documents altogether: passwords, and the parts of what is never returned.
    pub(crate) fn is_secret(&self) -> bool {
        self.definition.returned == Returned::Never
    }

    pub(crate) fn is_unique(&self) -> bool {
        self.definition.uniqueness != Uniqueness::None
    }

    /// Whether a client has to give a value.
    pub(crate) fn must_be_given(&self) -> bool {
        self.definition.required && !self.is_read_only() && self.name() != "schemas"
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::new(&Attribute::complex("", []), AttrId::ROOT)
    }
}

impl Children {
    pub(crate) fn ids(&self) -> &[AttrId] {
        &self.ids
    }

    /// Those that a client has to give.
    pub(crate) fn required(&self) -> &[AttrId] {
        &self.required
    }

    fn index(&mut self, hashes: &[usize]) {
        if hashes.is_empty() {
            return;
        }
        let size = (hashes.len() * 4).next_power_of_two();
        self.slots = vec![0; size];
        for (position, hash) in (1..=u8::MAX).zip(hashes) {
            let mut at = hash & (size - 1);
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (size - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = position;
            }
        }
    }
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "value" => Self::Value,
            "primary" => Self::Primary,
            "display" => Self::Display,
            "type" => Self::Type,
            _ => Self::Other,
        }
    }
}

impl Relation {
    /// A complex attribute with `value` and a `$ref` that points at resource types, and nowhere else, refers to other resources.
    pub(super) fn of(attribute: &Attribute) -> Self {
        let sub = |name: &str| attribute.sub_attributes.iter().find(|s| s.name == name);
        let here = |types: &[String]| !types.is_empty() && types.iter().all(|t| t != "external" && t != "uri");
        let refers = sub("$ref").is_some_and(|part| here(&part.reference_types));
        if !refers || sub("value").is_none() {
            return Self::No;
        }
        match (attribute.multi_valued, attribute.mutability) {
            (false, _) => Self::One,
            (true, Mutability::ReadOnly) => Self::Derived,
            (true, _) => Self::Many,
        }
    }
}

/// Four letters and the length tell the names of a schema apart well enough; `| 0x20` folds their case.
fn hash(name: &[u8]) -> usize {
    let letter = |at: usize| name.get(at).map_or(0, |b| usize::from(b | 0x20));
    let last = name.len().wrapping_sub(1);
    name.len().wrapping_mul(31)
        ^ letter(0).wrapping_mul(7)
        ^ letter(last).wrapping_mul(131)
        ^ letter(name.len() / 2).wrapping_mul(17)
        ^ letter(last.wrapping_sub(2)).wrapping_mul(61)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let emails =
            Attribute::complex("emails", [Attribute::string("value"), Attribute::boolean("primary")]).multi_valued();
        let members =
            Attribute::complex("members", [Attribute::string("value"), Attribute::reference("$ref", ["User"])]);
        let mut table = Table::default();
        table.add_root([Attribute::string("userName").required(), emails, members.multi_valued()].iter());
        table.add_extension(&Schema::new("urn:x:2.0:Y", "Y", [Attribute::string("badge")]), false);
        table.finish("urn:base");
        table
    }

    #[test]
    fn names_are_found_in_any_case_and_only_below_their_parent() {
        let table = table();
        let find = |name| table.child(table.root().children(), name).map(|id| table.path(id));
        assert_eq!(find("USERNAME").as_deref(), Some("userName"));
        assert_eq!(find("URN:x:2.0:y").as_deref(), Some("urn:x:2.0:Y"));
        assert_eq!(find("value"), None);
        assert_eq!(find(""), None);
        let ext = table.extensions().next().unwrap();
        let badge = table.child(table.node(ext).children(), "Badge").unwrap();
        assert_eq!(table.path(badge), "urn:x:2.0:Y:badge");
        assert_eq!(table.entry_of(badge), badge);
    }

    #[test]
    fn references_to_resources_are_recognised_by_their_shape() {
        let table = table();
        let relation = |name| table.node(table.child(table.root().children(), name).unwrap()).relation();
        assert_eq!(relation("members"), Relation::Many);
        assert_eq!(relation("emails"), Relation::No);
    }

    #[test]
    fn a_schema_with_many_attributes_finds_each() {
        let attributes: Vec<_> = (0..200).map(|i| Attribute::string(format!("attribute{i}"))).collect();
        let mut table = Table::default();
        table.add_root(attributes.iter());
        table.finish("urn:base");
        for i in 0..200 {
            assert!(table.child(table.root().children(), &format!("ATTRIBUTE{i}")).is_some(), "{i}");
        }
    }
}
