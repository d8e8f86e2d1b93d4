//! Showing a resource with very many references without holding their text.

use std::sync::Arc;

use super::super::Key;
use super::table::{Slot, Table, display};
use crate::resource::{Resource, ResourceWriter};
use crate::schema::table::{AttrId, Relation};

/// How many references a resource has at least that are shown one by one: fewer are quicker joined.
const MANY: usize = 1_000;

/// A reference that is still to be shown.
pub(super) enum Pending {
    Resource(Resource),
    /// to what is no resource here: what the client sent, and the id
    Sent(Arc<[u8]>),
    Id(Arc<str>),
}

impl Table {
    /// Shows a resource, but for the references that are returned. `None` when there is none.
    pub(super) fn show(&self, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Option<Vec<Pending>> {
        let slot = self.find(key)?;
        let resource = &self.stored(slot)?.resource;
        let table = key.resource_type.table();
        let relations = table.root().children().ids().iter().copied();
        let mut wanted =
            relations.filter(|id| table.node(*id).relation() != Relation::No && writer.projection().wants(*id));
        match (wanted.next(), wanted.next()) {
            (Some(id), None) if table.node(id).relation() == Relation::Many => {
                let members = self.relations.members(slot, id);
                if members.len() >= MANY {
                    let begun = writer.begin(resource, &table.path(id));
                    return Some(if begun { self.pending(slot, id, &members) } else { Vec::new() });
                }
            }
            _ => {}
        }
        writer.resource(&self.joined(slot, resource, writer.projection()));
        Some(Vec::new())
    }

    fn pending(&self, holder: Slot, attribute: AttrId, members: &[Slot]) -> Vec<Pending> {
        let pending = members.iter().map(|member| match self.stored(*member) {
            Some(stored) => Pending::Resource(stored.resource.clone()),
            None => match self.relations.sent(holder, attribute, *member) {
                Some(sent) => Pending::Sent(Arc::clone(sent)),
                None => Pending::Id(self.id(*member)),
            },
        });
        pending.collect()
    }
}

impl Pending {
    /// Writes the reference as [`Table::element`] has it.
    pub(super) fn write(&self, writer: &mut ResourceWriter<'_>) {
        match self {
            Self::Sent(element) => writer.element(element),
            Self::Id(id) => writer.reference(id, None, None),
            Self::Resource(resource) => {
                let has = |part| writer.has_part(part);
                let kind = Some(resource.resource_type().name()).filter(|_| has("type"));
                let display = if has("display") { display(resource) } else { None };
                writer.reference(resource.id().unwrap_or_default(), kind, display.as_deref());
            }
        }
    }
}
