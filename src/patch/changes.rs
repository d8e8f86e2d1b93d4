//! What a PATCH changes: edits by attribute, and for references one set of additions and removals.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::compat::Repairs;
use crate::error::attribute_in;
use crate::filter::{Bound, CompareOp, Test};
use crate::resource::mutability;
use crate::resource::scan::{elements, member, write_string};
use crate::resource::{Reference, Resource, Secret, Secrets, ValueRef};
use crate::schema::table::{AttrId, Relation, Table};
use crate::schema::{ResourceType, Returned};
use crate::{Budget, Limits};

/// The net effect of a PATCH, made without a look at the resource.
///
/// [`apply`](Self::apply) is the general way to carry it out. A store that keeps references such as `members` in rows of
/// their own asks for [`relations`](Self::relations) instead and spares itself reading them: adding one member costs the
/// same whatever the size of the group.
pub struct Changes {
    pub(super) ty: ResourceType,
    pub(super) limits: Limits,
    pub(super) edits: Vec<Edit>,
    pub(super) relations: Vec<RelationChange>,
    pub(super) secrets: Vec<Secrets>,
    repairs: Repairs,
    budget: Budget,
    /// what it cost to make them, which is a part of what the PATCH may cost
    pub(super) spent: u64,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Set {
        target: Target,
        replace: bool,
        creates: bool,
        value: Box<[u8]>,
        /// sub-attributes that the value says have none, which goes for an object that is merged
        unassigned: Box<[String]>,
    },
    Remove {
        target: Target,
    },
    /// the values to remove, as an array
    RemoveListed {
        attribute: AttrId,
        values: Box<[u8]>,
    },
    /// an attribute that no schema defines, at the top or in an extension
    Unknown {
        of: AttrId,
        name: String,
        value: Option<Vec<u8>>,
    },
    /// all attributes of an extension that no schema defines
    RemoveUnknown {
        of: AttrId,
    },
}

/// What a step is about.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// the top-level or extension attribute
    pub(crate) entry: AttrId,
    /// which of its values
    pub(crate) selector: Option<Selector>,
    pub(crate) sub: Option<AttrId>,
    /// the place of the operation in the request, for messages
    pub(crate) operation: usize,
}

impl Target {
    pub(super) fn whole(entry: AttrId, operation: usize) -> Self {
        Self { entry, selector: None, sub: None, operation }
    }

    /// The attribute that is written.
    pub(super) fn id(&self) -> AttrId {
        self.sub.unwrap_or(self.entry)
    }
}

/// The filter inside `[ ]`.
#[derive(Clone, Debug)]
pub(crate) struct Selector(pub(super) Bound);

impl Selector {
    pub(super) fn new(filter: Bound) -> Self {
        Self(filter)
    }

    /// The parts that the filter looks at, for messages: never what it compares them with.
    pub(super) fn parts(&self, table: &Table) -> String {
        fn collect<'t>(filter: &Bound, table: &'t Table, found: &mut BTreeSet<&'t str>) {
            match filter {
                Bound::And(filters) | Bound::Or(filters) => filters.iter().for_each(|f| collect(f, table, found)),
                Bound::Not(filter) | Bound::Element { filter, .. } => collect(filter, table, found),
                Bound::Leaf(leaf) => {
                    found.insert(table.node(leaf.sub.unwrap_or(leaf.attribute)).name());
                }
            }
        }
        let mut found = BTreeSet::new();
        collect(&self.0, table, &mut found);
        found.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

impl Edit {
    pub(super) fn attribute(&self) -> Option<AttrId> {
        match self {
            Self::Set { target, .. } | Self::Remove { target } => Some(target.entry),
            Self::RemoveListed { attribute, .. } => Some(*attribute),
            Self::Unknown { .. } | Self::RemoveUnknown { .. } => None,
        }
    }
}

impl Changes {
    pub(super) fn new(
        ty: &ResourceType,
        limits: &Limits,
        edits: Vec<Edit>,
        secrets: Vec<Secrets>,
        repairs: Repairs,
        (budget, spent): (Budget, u64),
    ) -> Self {
        let (ty, limits) = (ty.clone(), limits.clone());
        let mut this = Self { ty: ty.clone(), limits, edits, relations: Vec::new(), secrets, repairs, budget, spent };
        let many = |id: &AttrId| ty.node(*id).relation() == Relation::Many;
        let attributes: BTreeSet<AttrId> = this.edits.iter().filter_map(Edit::attribute).filter(many).collect();
        for attribute in attributes {
            this.fold(attribute);
        }
        this
    }

    /// The resource type that the changes are for.
    pub fn resource_type(&self) -> &ResourceType {
        &self.ty
    }

    /// What the request may still cost. [`apply`](Self::apply) takes what it does from it each time, and refuses when there is
    /// not enough.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What changes in references that a store may keep apart from the document.
    ///
    /// A path such as `members[type eq "User"]` cannot be understood without a look at the members. Such changes are not
    /// listed here but part of the document's; [`needs_references`](Self::needs_references) says so.
    pub fn relations(&self) -> &[RelationChange] {
        &self.relations
    }

    /// Whether carrying out the changes needs to see the references: a store that keeps them apart has to load them, or to
    /// leave the change to the service.
    ///
    /// Of a reference that an earlier operation of the same request adds, no more is known then than the request says:
    /// `members[type eq "User"]` selects it only if it was sent with that `type`.
    pub fn needs_references(&self) -> bool {
        let ids = self.edits.iter().filter_map(Edit::attribute);
        ids.into_iter().any(|id| self.ty.node(id).relation() == Relation::Many)
    }

    /// Whether anything but references changes.
    pub fn changes_document(&self) -> bool {
        !self.edits.is_empty() || !self.secrets.is_empty()
    }

    /// The attributes that the request is about, by name: for logs and audit.
    pub fn attributes(&self) -> Vec<String> {
        let table = self.ty.table();
        let edits = self.edits.iter().map(|edit| match edit {
            Edit::Unknown { name, .. } => attribute_in(name).into_owned(),
            Edit::RemoveUnknown { of } => table.path(*of),
            edit => edit.attribute().map(|id| table.path(id)).unwrap_or_default(),
        });
        let relations = self.relations.iter().map(|r| table.path(r.attribute));
        let secrets = self.secrets.iter().map(|(id, _)| table.path(*id));
        edits.chain(relations).chain(secrets).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the request sets of attributes that are returned on request only: the answer shows it (RFC 7643 §7).
    pub(crate) fn supplied(&self) -> Vec<AttrId> {
        let table = self.ty.table();
        let on_request = |id: &AttrId| table.node(*id).definition().returned == Returned::Request;
        let sets = |id: AttrId| {
            self.edits.iter().any(|edit| match edit {
                Edit::Set { target, .. } if target.entry == id || target.sub == Some(id) => true,
                Edit::Set { target, value, .. } if target.sub.is_none() && target.entry == table.entry_of(id) => {
                    elements(value).any(|element| member(element, table.node(id).name()).is_some())
                }
                _ => false,
            })
        };
        table.ids().filter(on_request).filter(|id| sets(*id)).collect()
    }

    /// How many references come or go by their ids.
    pub(crate) fn moved(&self) -> usize {
        self.relations.iter().map(|change| change.places.len() + change.removed.len()).sum()
    }

    /// What the request does to a secret such as `password`.
    pub fn secret(&self, path: &str) -> Secret<'_> {
        Secret::find(&self.ty, &self.secrets, path)
    }

    pub(crate) fn sets_secrets(&self) -> bool {
        self.secrets.iter().any(|(_, secret)| secret.is_some())
    }

    /// What had to be repaired to understand the request.
    pub fn repairs(&self) -> &Repairs {
        &self.repairs
    }

    /// Folds the edits of one relation into a set, unless one of them needs a look at what is there.
    fn fold(&mut self, attribute: AttrId) {
        let mut change = RelationChange::new(attribute, self.ty.table().path(attribute));
        let mine = |edit: &&Edit| edit.attribute() == Some(attribute);
        let foldable = self.edits.iter().filter(mine).all(|edit| change.fold(self.ty.table(), edit).is_some());
        let node = self.ty.node(attribute);
        // whether what is immutable stays, and whether anything of what is required is left, only a look at it tells
        let empties = !change.removed.is_empty() || (change.replaces && change.added().next().is_none());
        let looks = mutability::is_immutable(self.ty.table(), attribute) || (node.must_be_given() && empties);
        if foldable && !looks {
            self.edits.retain(|edit| edit.attribute() != Some(attribute));
            self.relations.push(change);
        }
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("type", &self.ty.name()).field("attributes", &self.attributes()).finish()
    }
}

/// Additions and removals of references, as one set: the order of operations is already accounted for, and no id is both
/// added and removed. Carrying it out twice is the same as once.
#[derive(Clone, Debug)]
pub struct RelationChange {
    pub(super) attribute: AttrId,
    path: String,
    replaces: bool,
    added: Vec<Option<Reference>>,
    places: HashMap<Box<[u8]>, usize>,
    removed: BTreeSet<Box<[u8]>>,
}

impl RelationChange {
    fn new(attribute: AttrId, path: String) -> Self {
        Self { attribute, path, replaces: false, added: Vec::new(), places: HashMap::new(), removed: BTreeSet::new() }
    }

    /// The attribute: `members`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether all that is there goes first. [`removed`](Self::removed) is empty then.
    pub fn replaces_all(&self) -> bool {
        self.replaces
    }

    /// The references to add, in the order of the request.
    pub fn added(&self) -> impl Iterator<Item = &Reference> {
        self.added.iter().flatten()
    }

    /// The ids to remove.
    pub fn removed(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.removed.iter().filter_map(|value| ValueRef::new(value).as_str())
    }

    pub(crate) fn attribute(&self) -> AttrId {
        self.attribute
    }

    /// Whether the resource with this id is among those to add.
    pub(crate) fn adds_id(&self, id: &str) -> bool {
        let mut value = Vec::with_capacity(id.len() + 2);
        write_string(&mut value, id);
        self.adds(&value)
    }

    pub(super) fn removes(&self, value: &[u8]) -> bool {
        self.replaces || self.removed.contains(value)
    }

    pub(super) fn adds(&self, value: &[u8]) -> bool {
        self.places.contains_key(value)
    }

    fn fold(&mut self, table: &Table, edit: &Edit) -> Option<()> {
        match edit {
            Edit::Set { target: Target { selector: None, sub: None, .. }, replace, value, .. } => {
                if *replace {
                    self.clear();
                }
                for element in elements(value) {
                    self.add(element)?;
                }
            }
            Edit::Remove { target: Target { selector: None, sub: None, .. } } => self.clear(),
            Edit::Remove { target: Target { selector: Some(selector), sub: None, .. } } => {
                for value in named_values(table, &selector.0)? {
                    self.remove(&value);
                }
            }
            Edit::RemoveListed { values, .. } => {
                for element in elements(values) {
                    self.remove(member(element, "value")?);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn clear(&mut self) {
        self.replaces = true;
        self.added.clear();
        self.places.clear();
        self.removed.clear();
    }

    fn add(&mut self, element: &[u8]) -> Option<()> {
        let value = member(element, "value")?;
        self.removed.remove(value);
        if !self.places.contains_key(value) {
            self.places.insert(value.into(), self.added.len());
            self.added.push(Some(Reference::new(element)));
        }
        Some(())
    }

    fn remove(&mut self, value: &[u8]) {
        if let Some(slot) = self.places.remove(value).and_then(|place| self.added.get_mut(place)) {
            *slot = None;
        }
        if !self.replaces {
            self.removed.insert(value.into());
        }
    }
}

/// The ids that a selector names, when it is nothing but `value eq "x"`, alone or joined by `or`.
fn named_values(table: &Table, filter: &Bound) -> Option<Vec<Vec<u8>>> {
    match filter {
        Bound::Leaf(leaf) => match &leaf.test {
            Test::Text(CompareOp::Eq, text) if text.is_exact() && leaf.is_value(table) => {
                Some(vec![serde_json::to_vec(text.written()).ok()?])
            }
            _ => None,
        },
        Bound::Or(filters) => {
            let each = filters.iter().map(|f| named_values(table, f)).collect::<Option<Vec<_>>>()?;
            Some(each.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// A resource after a change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Patched {
    /// The resource as it is now.
    pub resource: Resource,
    /// Whether anything is different. A change without effect keeps the version and `meta.lastModified`.
    pub changed: bool,
    /// What had to be repaired when the change met the resource.
    pub repairs: Repairs,
}

impl Patched {
    /// The outcome of a change.
    pub fn new(resource: Resource, changed: bool) -> Self {
        Self { resource, changed, repairs: Repairs::default() }
    }
}
