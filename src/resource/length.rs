//! How much a resource holds: its length, and what no schema defines.

use super::Resource;
use super::scan::{elements, members, unknown_members};
use crate::Limits;
use crate::schema::table::{AttrId, Relation};

impl Resource {
    /// How long the resource is without what is not the client's (`id` and `meta`) and without references, which are held to
    /// limits of their own.
    pub(crate) fn content_bytes(&self) -> usize {
        let table = self.resource_type().table();
        let apart = |id: AttrId| {
            let relation = table.node(id).relation();
            id == AttrId::ID || id == table.meta().meta || matches!(relation, Relation::Many | Relation::Derived)
        };
        let entries = self.document().entries().filter(|e| e.id != AttrId::UNKNOWN && apart(e.id));
        let apart: usize = entries.map(|e| e.end.saturating_sub(e.start) as usize).sum();
        self.as_json().len().saturating_sub(apart)
    }

    /// How many values its lists have, those of extensions and references included.
    pub(crate) fn list_values(&self) -> usize {
        let table = self.resource_type().table();
        let known = self.document().entries().filter(|entry| entry.id != AttrId::UNKNOWN);
        known
            .map(|entry| {
                let value = self.value(entry.id).unwrap_or_default();
                match table.node(entry.id).is_extension() {
                    true => members(value).map(|(_, value)| count_of(value)).sum(),
                    false => count_of(value),
                }
            })
            .sum()
    }

    /// Whether the resource may be as long as it is. One that `old` was already may stay so, but must not grow.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(crate) fn check_length(&self, old: Option<&Self>, limits: &Limits) -> Result<(), String> {
        let most = limits.resource_bytes;
        // the whole text is an upper bound that costs nothing
        if self.as_json().len() <= most {
            return Ok(());
        }
        let length = self.content_bytes();
        if length <= most || old.is_some_and(|old| length <= old.content_bytes()) {
            return Ok(());
        }
        Err(format!("the resource would be longer than {most} bytes (`resource_bytes`)"))
    }

    /// How many attributes that no schema defines stand in the resource (`ROOT`) or in one of its extensions.
    pub(crate) fn unknown_count(&self, of: AttrId) -> usize {
        if of == AttrId::ROOT {
            return self.document().entries().filter(|e| e.id == AttrId::UNKNOWN).count();
        }
        let table = self.resource_type().table();
        unknown_members(table, table.node(of), self.value(of).unwrap_or_default()).count()
    }
}

fn count_of(value: &[u8]) -> usize {
    if value.starts_with(b"[") { elements(value).count() } else { 0 }
}
