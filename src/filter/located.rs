//! Filters by where a resource is, `members.$ref` and `meta.location`. No document holds these, because they depend on the base
//! URL: what is asked instead is what they are made of.

use super::ast::{CompareOp, Literal};
use super::bind::{BindError, BindErrorKind, Binder, Bound, Leaf, Scope};
use super::operand::{Test, Text};
use crate::AttrPath;
use crate::schema::table::{AttrId, Role};

impl Binder<'_> {
    /// Whether an attribute is written by the service from the base URL and an id.
    pub(super) fn is_located(&self, id: AttrId) -> bool {
        let node = self.ty.node(id);
        node.is_computed_ref() || (node.parent() == self.ty.table().meta().meta && node.name() == "location")
    }

    /// Whether there is such a URL.
    pub(super) fn is_somewhere(&self, attribute: AttrId, scope: Scope) -> Bound {
        self.located(attribute, scope, None)
    }

    /// Whether a URL is this one. One that leads to no resource is the place of none.
    pub(super) fn is_at(
        &self,
        path: &AttrPath<'_>,
        attribute: AttrId,
        op: CompareOp,
        value: &Literal<'_>,
        scope: Scope,
    ) -> Result<Bound, BindError> {
        let refuse = |kind, text| Err(BindError::new(kind, path, text));
        let (CompareOp::Eq, Literal::String(url)) = (op, value) else {
            return match op {
                CompareOp::Eq => refuse(BindErrorKind::Operand, "is compared with a string"),
                _ => refuse(BindErrorKind::Operator, "is where a resource is found: only eq and pr apply"),
            };
        };
        let Some(links) = self.links else {
            return refuse(BindErrorKind::Unsupported, "depends on the base URL and cannot be compared here");
        };
        Ok(match links.target(url) {
            Some((name, id)) => self.located(attribute, scope, Some((name, &id))),
            None => Bound::Or(Vec::new()),
        })
    }

    fn located(&self, attribute: AttrId, scope: Scope, target: Option<(&str, &str)>) -> Bound {
        let table = self.ty.table();
        let leaf = |attribute, sub: Option<AttrId>, text: Option<&str>| {
            let exact = table.node(sub.unwrap_or(attribute)).definition().case_exact;
            let test = text.map_or(Test::Present, |text| Test::Text(CompareOp::Eq, Text::new(text, exact)));
            Bound::Leaf(Leaf { attribute, sub, test })
        };
        let id = target.map(|(_, id)| id);
        if attribute == table.meta().meta {
            return match target {
                Some((name, _)) if name != self.ty.name() => Bound::Or(Vec::new()),
                _ => leaf(AttrId::ID, None, id),
            };
        }
        let node = table.node(attribute);
        let child = |name| table.child(node.children(), name);
        let types = child("$ref").map(|id| table.node(id).definition().reference_types.as_slice()).unwrap_or_default();
        let mut tests = vec![leaf(attribute, child("value"), id)];
        match (types, target) {
            ([only], Some((name, _))) if only != name => return Bound::Or(Vec::new()),
            ([_], _) => {}
            (_, target) => {
                let kind = node.children().ids().iter().copied().find(|id| table.node(*id).role() == Role::Type);
                tests.push(leaf(attribute, kind, target.map(|(name, _)| name)));
            }
        }
        match scope {
            Scope::Resource if node.is_multi() => Bound::Element { attribute, filter: Box::new(Bound::And(tests)) },
            _ => Bound::And(tests),
        }
    }
}
