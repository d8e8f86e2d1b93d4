//! References that are written as URLs: what a client says in `$ref` leads to a resource, or is refused.

use serde::de::{Error, MapAccess};

use super::read::Reader;
use super::scan::write_string;
use super::seed_any::CopySeed;
use super::{ValueRef, ViolationKind};
use crate::schema::table::{AttrId, Role};

impl Reader<'_> {
    /// A `$ref` that the service writes by itself: it is not kept.
    pub(super) fn link<'de, M: MapAccess<'de>>(
        &mut self,
        map: &mut M,
        at: AttrId,
        depth: usize,
    ) -> Result<Option<String>, M::Error> {
        let start = self.out.len();
        map.next_value_seed(CopySeed { reader: self, at, depth })?;
        let text = ValueRef::new(self.out.get(start..).unwrap_or_default()).as_str().map(|text| text.into_owned());
        self.out.truncate(start);
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// Takes from the URL what the reference does not say otherwise: `value`, and `type` where there are several. Where `value`
    /// is given it counts, and a URL to elsewhere is passed over.
    pub(super) fn follow<E: Error>(&mut self, url: &str, parent: AttrId, base: usize) -> Result<(), E> {
        let table = self.ty.table();
        let children = table.node(parent).children();
        let Some(value) = table.child(children, "value") else { return Ok(()) };
        let kind = children.ids().iter().copied().find(|id| table.node(*id).role() == Role::Type);
        let spans = self.spans.get(base..).unwrap_or_default();
        let given = |id: AttrId| spans.iter().find(|span| span.id == id);
        let (value_given, kind_missing) = (given(value).copied(), kind.filter(|kind| given(*kind).is_none()));
        let types = table.child(children, "$ref").map(|id| &table.node(id).definition().reference_types);
        let may_be = |name: &str| kind.is_some() || types.is_some_and(|types| types.iter().any(|known| known == name));
        let links = self.rules.links;
        let target = links.and_then(|links| links.target(url)).filter(|(name, _)| may_be(name));
        match (value_given, target) {
            (None, None) => {
                let text = "has a `$ref` that leads to no resource, and no `value`";
                Err(self.fail(ViolationKind::Value, parent, text))
            }
            (None, Some((name, id))) => {
                self.text(value, &id, base);
                kind_missing.into_iter().for_each(|kind| self.text(kind, name, base));
                Ok(())
            }
            (Some(given), Some((name, id))) => {
                let mut same = table.node(value).key().as_bytes().to_vec();
                write_string(&mut same, &id);
                let given = self.out.get(given.start as usize..given.end as usize);
                if given == Some(same.as_slice()) {
                    kind_missing.into_iter().for_each(|kind| self.text(kind, name, base));
                }
                Ok(())
            }
            (Some(_), None) => Ok(()),
        }
    }

    /// Adds a member to the open object.
    fn text(&mut self, id: AttrId, text: &str, base: usize) {
        self.separate(base);
        let start = self.out.len();
        self.out.extend_from_slice(self.ty.table().node(id).key().as_bytes());
        write_string(&mut self.out, text);
        self.close_span(id, start);
    }
}
