//! Which attributes an answer holds (RFC 7644 §3.9, `returned` of RFC 7643 §7).

use super::Resource;
use crate::schema::table::{AttrId, Node, Relation, Table};
use crate::schema::{ResourceType, Returned};
use crate::{AttrPath, Compat};

/// The attributes that are wanted of a resource.
///
/// A store may use it to leave out what nobody asked for: [`includes("members")`](Self::includes) is `false` when a group's
/// members need not be loaded. What a store returns beyond it does no harm; the service cuts it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    ty: ResourceType,
    keep: Box<[Keep]>,
    unknown: bool,
}

/// How much of an attribute is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    /// some of its sub-attributes
    Part,
    Whole,
}

impl Projection {
    /// What is returned when the request does not say: everything with `returned` `always` or `default`.
    pub fn default_of(ty: &ResourceType) -> Self {
        let table = ty.table();
        Self::build(ty, true, |id| {
            let up = Ancestors { table, at: Some(id) };
            !up.into_iter().any(|a| matches!(table.node(a).definition().returned, Returned::Never | Returned::Request))
        })
    }

    /// Everything that a document can hold, whatever its `returned`: for a change that needs to see it all.
    pub fn everything(ty: &ResourceType) -> Self {
        Self::build(ty, true, |_| true)
    }

    /// The document without what stores keep apart from it: no `members`, no `groups`.
    pub fn document(ty: &ResourceType) -> Self {
        let table = ty.table();
        Self::build(ty, true, |id| !Ancestors { table, at: Some(id) }.into_iter().any(|a| is_apart(table.node(a))))
    }

    /// `id`, `schemas` and `meta`: enough to answer without a body.
    pub fn identity(ty: &ResourceType) -> Self {
        let table = ty.table();
        let meta = table.meta().meta;
        Self::build(ty, false, |id| {
            is_always(table, id) || Ancestors { table, at: Some(id) }.into_iter().any(|a| a == meta)
        })
    }

    /// The attributes that are named, and those that are always returned. Names that mean nothing are ignored.
    pub fn only<'n>(ty: &ResourceType, names: impl IntoIterator<Item = &'n str>, compat: Compat) -> Self {
        let table = ty.table();
        let named = resolve(ty, names, compat);
        Self::build(ty, false, |id| {
            let returned = table.node(id).definition().returned;
            let asked = named.contains(&id)
                || (returned != Returned::Request
                    && Ancestors { table, at: Some(id) }.into_iter().any(|a| named.contains(&a)));
            (asked && returned != Returned::Never) || is_always(table, id)
        })
    }

    /// All that is returned by default but the attributes that are named.
    pub fn without<'n>(ty: &ResourceType, names: impl IntoIterator<Item = &'n str>, compat: Compat) -> Self {
        let table = ty.table();
        let named = resolve(ty, names, compat);
        let default = Self::default_of(ty);
        Self::build(ty, true, |id| {
            let excluded = Ancestors { table, at: Some(id) }.into_iter().any(|a| named.contains(&a));
            default.keep(id) != Keep::Nothing && (!excluded || is_always(table, id))
        })
    }

    /// Whether anything of the attribute is wanted.
    pub fn includes(&self, path: &str) -> bool {
        let found = AttrPath::parse(path).ok().and_then(|p| self.ty.find(&p, Compat::strict()));
        found.is_some_and(|(id, _)| self.keep(id) != Keep::Nothing)
    }

    /// Also wants what a client has just supplied of attributes that are returned on request only (RFC 7643 §7).
    #[must_use]
    pub(crate) fn with_supplied(&self, draft: &Resource) -> Self {
        let table = self.ty.table();
        let on_request = |id: &AttrId| table.node(*id).definition().returned == Returned::Request;
        let supplied: Vec<AttrId> = table.ids().filter(|id| on_request(id) && draft.value_of(*id).is_some()).collect();
        if supplied.is_empty() { self.clone() } else { self.and(supplied) }
    }

    /// Also wants these attributes, because a filter or an order needs to see them.
    #[must_use]
    pub(crate) fn and(&self, more: impl IntoIterator<Item = AttrId>) -> Self {
        let table = self.ty.table();
        let more: Vec<AttrId> = more.into_iter().collect();
        Self::build(&self.ty, self.unknown, |id| {
            self.keep(id) != Keep::Nothing || Ancestors { table, at: Some(id) }.into_iter().any(|a| more.contains(&a))
        })
    }

    /// Whether anything of an attribute is wanted.
    pub(crate) fn wants(&self, id: AttrId) -> bool {
        self.keep(id) != Keep::Nothing
    }

    #[inline]
    pub(crate) fn keep(&self, id: AttrId) -> Keep {
        let unknown = if self.unknown { Keep::Whole } else { Keep::Nothing };
        self.keep.get(id.index()).copied().unwrap_or(unknown)
    }

    /// `wanted` decides on attributes without parts; those with parts follow from them.
    fn build(ty: &ResourceType, unknown: bool, wanted: impl Fn(AttrId) -> bool) -> Self {
        let table = ty.table();
        let mut keep = vec![Keep::Nothing; table.len()];
        // children have higher numbers than their parents
        for id in table.ids().collect::<Vec<_>>().into_iter().rev() {
            let children = table.node(id).children().ids();
            if !table.node(id).is_extension() && children.iter().any(|child| is_kept(&keep, *child)) {
                // what is always returned comes with whatever else is shown of the same value
                for child in children.iter().filter(|c| table.node(**c).definition().returned == Returned::Always) {
                    keep.get_mut(child.index()).into_iter().for_each(|slot| *slot = Keep::Whole);
                }
            }
            let of = |child: &AttrId| keep.get(child.index()).copied().unwrap_or(Keep::Nothing);
            let value = if children.is_empty() {
                if wanted(id) { Keep::Whole } else { Keep::Nothing }
            } else if children.iter().all(|c| of(c) == Keep::Whole || table.node(*c).is_secret()) {
                Keep::Whole
            } else if children.iter().any(|c| of(c) != Keep::Nothing) {
                Keep::Part
            } else {
                Keep::Nothing
            };
            if let Some(slot) = keep.get_mut(id.index()) {
                *slot = value;
            }
        }
        Self { ty: ty.clone(), keep: keep.into(), unknown }
    }
}

fn is_kept(keep: &[Keep], id: AttrId) -> bool {
    keep.get(id.index()).is_some_and(|keep| *keep != Keep::Nothing)
}

/// Whether the attribute is in every answer. A sub-attribute is so only where its parent is.
fn is_always(table: &Table, id: AttrId) -> bool {
    Ancestors { table, at: Some(id) }
        .into_iter()
        .all(|a| table.node(a).definition().returned == Returned::Always || table.node(a).is_extension())
}

fn is_apart(node: &Node) -> bool {
    matches!(node.relation(), Relation::Many | Relation::Derived)
}

fn resolve<'n>(ty: &ResourceType, names: impl IntoIterator<Item = &'n str>, compat: Compat) -> Vec<AttrId> {
    let table = ty.table();
    let mut found = Vec::new();
    for name in names.into_iter().map(str::trim) {
        if name.eq_ignore_ascii_case(table.base()) {
            // the base schema as a whole, as an extension's URN means all of it
            let by_default = |id: &AttrId| table.node(*id).definition().returned != Returned::Request;
            let core = table.root().children().ids().iter().copied().filter(|id| !table.node(*id).is_extension());
            found.extend(core.filter(by_default));
        } else if let Ok(path) = AttrPath::parse(name) {
            found.extend(ty.find(&path, compat).map(|(id, _)| id));
        }
    }
    found
}

/// An attribute and what it is part of.
struct Ancestors<'t> {
    table: &'t Table,
    at: Option<AttrId>,
}

impl Iterator for Ancestors<'_> {
    type Item = AttrId;

    fn next(&mut self) -> Option<AttrId> {
        let id = self.at.filter(|id| *id != AttrId::ROOT)?;
        self.at = Some(self.table.node(id).parent());
        Some(id)
    }
}
