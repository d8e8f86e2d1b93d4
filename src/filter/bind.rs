//! From what was written to what it means: every path resolved against a resource type, every operand converted, once.

use std::fmt;

use super::ast::{CompareOp, Filter, Literal, Number};
pub use super::bind_error::{BindError, BindErrorKind};
use super::operand::{Instant, Test, Text};
use crate::compat::{Compat, Leniency, Repairs};
use crate::resource::Links;
use crate::schema::table::{AttrId, Node, Role, Table};
use crate::schema::{Attribute, AttributeType, ResourceType};
use crate::{AttrPath, time};

/// A filter whose paths have been resolved against a resource type: what can be evaluated or translated.
#[derive(Clone)]
pub struct BoundFilter {
    pub(crate) ty: ResourceType,
    pub(crate) root: Bound,
    repairs: Repairs,
}

/// The meaning of a filter.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Not(Box<Bound>),
    /// a test of one attribute
    Leaf(Leaf),
    /// all of the inner filter on one and the same value of the attribute; inside, leaves look at that value
    Element {
        attribute: AttrId,
        filter: Box<Bound>,
    },
}

/// What is looked at, and how it is tested.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// the top-level or extension attribute; inside a value path the attribute whose value is looked at
    pub(crate) attribute: AttrId,
    /// the sub-attribute; `None` tests the value itself
    pub(crate) sub: Option<AttrId>,
    pub(crate) test: Test,
}

impl Leaf {
    /// Whether a sub-attribute is the `value` of its attribute.
    pub(crate) fn is_value(&self, table: &Table) -> bool {
        self.sub.is_some_and(|sub| table.node(sub).role() == Role::Value)
    }
}

/// Where paths start.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    Resource,
    Value(AttrId),
}

impl Filter<'_> {
    /// Resolves every path of the filter against a resource type.
    ///
    /// # Errors
    /// When an attribute does not exist or cannot be filtered, or when the schema refuses the comparison: an ordering of
    /// booleans, an operand of another type (RFC 7644 §3.4.2.2).
    pub fn bind(&self, ty: &ResourceType, compat: Compat) -> Result<BoundFilter, BindError> {
        self.bind_with(ty, compat, None)
    }

    /// The same where it is known which URLs lead to resources.
    pub(crate) fn bind_with(
        &self,
        ty: &ResourceType,
        compat: Compat,
        links: Option<&Links>,
    ) -> Result<BoundFilter, BindError> {
        let mut binder = Binder { ty, compat, links, repairs: Repairs::default() };
        let root = binder.filter(self, Scope::Resource)?;
        Ok(BoundFilter { ty: ty.clone(), root, repairs: binder.repairs })
    }

    /// Resolves the filter inside `[ ]` against the attribute in front of it.
    pub(crate) fn bind_in(
        &self,
        ty: &ResourceType,
        attribute: AttrId,
        (compat, links): (Compat, Option<&Links>),
        repairs: &mut Repairs,
    ) -> Result<Bound, BindError> {
        let mut binder = Binder { ty, compat, links, repairs: Repairs::default() };
        let bound = binder.filter(self, Scope::Value(attribute))?;
        repairs.append(binder.repairs);
        Ok(bound)
    }
}

impl BoundFilter {
    /// What had to be repaired to understand the filter.
    pub fn repairs(&self) -> &Repairs {
        &self.repairs
    }

    /// The text that every matching resource has in `path`, when the filter demands equality with one: what an index can
    /// be asked for. Folded where the attribute is not case exact.
    ///
    /// ```
    /// # use scim_provider::{Compat, Filter, User};
    /// let filter: Filter = r#"userName eq "ADA" and active eq true"#.parse()?;
    /// let filter = filter.bind(&User::resource_type().build()?, Compat::default())?;
    /// assert_eq!(filter.required_text("userName"), Some("ada"));
    /// assert_eq!(filter.required_text("externalId"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn required_text(&self, path: &str) -> Option<&str> {
        let (id, _) = self.ty.find(&AttrPath::parse(path).ok()?, Compat::strict())?;
        let entry = self.ty.table().entry_of(id);
        self.root.required_text(entry, (entry != id).then_some(id))
    }

    /// The top-level and extension attributes that the filter looks at.
    pub(crate) fn attributes(&self) -> Vec<AttrId> {
        let mut found = Vec::new();
        self.root.attributes(&mut found);
        found
    }
}

impl fmt::Debug for BoundFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundFilter").field("type", &self.ty.name()).field("root", &self.root).finish()
    }
}

impl Bound {
    /// The values that the filter demands of sub-attributes, when it is nothing but equalities joined by `and`.
    pub(crate) fn equalities(&self) -> Option<Vec<&Leaf>> {
        match self {
            Self::Leaf(leaf) if leaf.test.equality().is_some() => Some(vec![leaf]),
            Self::And(filters) => {
                let each = filters.iter().map(Self::equalities).collect::<Option<Vec<_>>>()?;
                Some(each.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    fn required_text(&self, attribute: AttrId, sub: Option<AttrId>) -> Option<&str> {
        match self {
            Self::And(filters) => filters.iter().find_map(|f| f.required_text(attribute, sub)),
            Self::Leaf(leaf) if leaf.attribute == attribute && leaf.sub == sub => leaf.test.required_text(),
            Self::Element { attribute: of, filter } if *of == attribute => filter.required_text(attribute, sub),
            _ => None,
        }
    }

    fn attributes(&self, found: &mut Vec<AttrId>) {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().for_each(|f| f.attributes(found)),
            Self::Not(filter) => filter.attributes(found),
            Self::Leaf(Leaf { attribute, .. }) | Self::Element { attribute, .. } => found.push(*attribute),
        }
    }
}

pub(super) struct Binder<'b> {
    pub(super) ty: &'b ResourceType,
    compat: Compat,
    pub(super) links: Option<&'b Links>,
    repairs: Repairs,
}

impl Binder<'_> {
    fn filter(&mut self, filter: &Filter<'_>, scope: Scope) -> Result<Bound, BindError> {
        Ok(match filter {
            Filter::Or(filters) => Bound::Or(self.all(filters, scope)?),
            Filter::And(filters) => Bound::And(self.all(filters, scope)?),
            Filter::Not(filter) => Bound::Not(Box::new(self.filter(filter, scope)?)),
            Filter::Present(path) => self.present(path, scope)?,
            Filter::Compare { path, op, value } => self.compare(path, *op, value, scope)?,
            Filter::ValuePath { path, filter, tail } => {
                let attribute = self.value_path(path)?;
                let inner = Scope::Value(attribute);
                let mut filter = self.filter(filter, inner)?;
                if let Some(tail) = tail {
                    self.lenient(Leniency::ValuePathComparison, path)?;
                    let sub = AttrPath::parse(&tail.sub_attribute).map_err(|_| BindError::unknown(path))?;
                    let compared = self.compare(&sub, tail.op, &tail.value, inner)?;
                    filter = Bound::And(vec![filter, compared]);
                }
                Bound::Element { attribute, filter: Box::new(filter) }
            }
        })
    }

    fn all(&mut self, filters: &[Filter<'_>], scope: Scope) -> Result<Vec<Bound>, BindError> {
        filters.iter().map(|filter| self.filter(filter, scope)).collect()
    }

    fn value_path(&mut self, path: &AttrPath<'_>) -> Result<AttrId, BindError> {
        let id = self.resolve(path, Scope::Resource)?;
        let table = self.ty.table();
        if table.entry_of(id) != id || !(table.node(id).is_complex() || table.node(id).is_multi()) {
            return Err(BindError::new(BindErrorKind::NoSubAttributes, path, "has no sub-attributes to filter by"));
        }
        Ok(id)
    }

    fn present(&mut self, path: &AttrPath<'_>, scope: Scope) -> Result<Bound, BindError> {
        let (attribute, sub) = self.target(path, scope)?;
        if self.is_located(sub.unwrap_or(attribute)) {
            return Ok(self.is_somewhere(attribute, scope));
        }
        Ok(Bound::Leaf(Leaf { attribute, sub, test: Test::Present }))
    }

    fn compare(
        &mut self,
        path: &AttrPath<'_>,
        op: CompareOp,
        value: &Literal<'_>,
        scope: Scope,
    ) -> Result<Bound, BindError> {
        let text = match value {
            Literal::Word(word) => {
                self.lenient(Leniency::BareWord, path)?;
                Some(Literal::String(word.clone()))
            }
            _ => None,
        };
        let value = text.as_ref().unwrap_or(value);
        let (attribute, sub) = self.target(path, scope)?;
        let table = self.ty.table();
        if let Literal::Null = value {
            let test = match op {
                CompareOp::Eq => Test::Absent,
                CompareOp::Ne => Test::Present,
                _ => {
                    return Err(BindError::new(
                        BindErrorKind::Operator,
                        path,
                        "can only be compared with null by eq and ne",
                    ));
                }
            };
            if self.is_located(sub.unwrap_or(attribute)) {
                let present = self.is_somewhere(attribute, scope);
                return Ok(if op == CompareOp::Eq { Bound::Not(Box::new(present)) } else { present });
            }
            return Ok(Bound::Leaf(Leaf { attribute, sub, test }));
        }
        let in_value = matches!(scope, Scope::Value(_));
        let sub = match sub {
            None if table.node(attribute).is_complex() => Some(self.value_of(attribute, path, in_value)?),
            sub => sub,
        };
        let node = table.node(sub.unwrap_or(attribute));
        if self.is_located(sub.unwrap_or(attribute)) {
            return self.is_at(path, attribute, op, value, scope);
        }
        Ok(Bound::Leaf(Leaf { attribute, sub, test: self.test(node, path, op, value)? }))
    }

    /// The sub-attribute that a comparison with the complex attribute itself means.
    fn value_of(&mut self, attribute: AttrId, path: &AttrPath<'_>, in_value: bool) -> Result<AttrId, BindError> {
        let table = self.ty.table();
        let node = table.node(attribute);
        let value = table.child(node.children(), "value").filter(|_| !in_value);
        let Some(value) = value else {
            return Err(BindError::new(
                BindErrorKind::NeedsSubAttribute,
                path,
                "is complex: name one of its sub-attributes",
            ));
        };
        if !node.is_multi() {
            self.lenient(Leniency::ComplexComparison, path)?;
        }
        Ok(value)
    }

    fn target(&mut self, path: &AttrPath<'_>, scope: Scope) -> Result<(AttrId, Option<AttrId>), BindError> {
        let id = self.resolve(path, scope)?;
        let table = self.ty.table();
        if let Scope::Value(attribute) = scope {
            return Ok((attribute, (id != attribute).then_some(id)));
        }
        let entry = table.entry_of(id);
        Ok((entry, (entry != id).then_some(id)))
    }

    fn resolve(&mut self, path: &AttrPath<'_>, scope: Scope) -> Result<AttrId, BindError> {
        let table = self.ty.table();
        let id = match scope {
            Scope::Resource => {
                let (id, leniency) = self.ty.find(path, self.compat).ok_or_else(|| BindError::unknown(path))?;
                if let Some(leniency) = leniency {
                    self.repairs.note(leniency, path.as_str());
                }
                id
            }
            Scope::Value(attribute) => in_value(table, attribute, path).ok_or_else(|| BindError::unknown(path))?,
        };
        if table.node(id).is_secret() {
            return Err(BindError::new(BindErrorKind::Hidden, path, "is never returned and cannot be filtered"));
        }
        Ok(id)
    }

    fn test(
        &mut self,
        node: &Node,
        path: &AttrPath<'_>,
        op: CompareOp,
        value: &Literal<'_>,
    ) -> Result<Test, BindError> {
        let ordering = matches!(op, CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le);
        let substring = matches!(op, CompareOp::Co | CompareOp::Sw | CompareOp::Ew);
        let refuse = |text| Err(BindError::new(BindErrorKind::Operator, path, text));
        let mistyped = |text| Err(BindError::new(BindErrorKind::Operand, path, text));
        match (node.kind(), value) {
            (AttributeType::Boolean, _) if ordering || substring => refuse("is a boolean: only eq, ne and pr apply"),
            (AttributeType::Boolean, Literal::Bool(value)) => {
                Ok(Test::boolean(op, *value, node.role() == Role::Primary))
            }
            (AttributeType::Boolean, Literal::String(text)) => {
                let value = match text.as_ref() {
                    t if t.eq_ignore_ascii_case("true") => true,
                    t if t.eq_ignore_ascii_case("false") => false,
                    _ => return mistyped("is a boolean: it is compared with true or false and not with another text"),
                };
                self.lenient(Leniency::BooleanText, path)?;
                Ok(Test::boolean(op, value, node.role() == Role::Primary))
            }
            (AttributeType::Boolean, _) => {
                mistyped("is a boolean: it is compared with true or false and with no number")
            }
            (AttributeType::Binary, _) if ordering || substring => refuse("is binary: only eq, ne and pr apply"),
            (AttributeType::Integer | AttributeType::Decimal | AttributeType::DateTime, _) if substring => {
                refuse("is not text: co, sw and ew do not apply")
            }
            (AttributeType::Integer | AttributeType::Decimal, Literal::Number(number)) => Ok(Test::Number(op, *number)),
            (AttributeType::Integer | AttributeType::Decimal, _) => {
                mistyped("is a number: it is compared with one, without quotes")
            }
            (AttributeType::DateTime, Literal::String(text)) => match time::parse_date_time(text) {
                Some(at) => Ok(Test::Instant(op, Instant(at))),
                None => mistyped("is compared with a date and time such as \"2026-01-31T09:00:00Z\""),
            },
            (AttributeType::DateTime, _) => mistyped("is compared with a date and time in quotes"),
            (_, Literal::String(text)) => {
                let Attribute { preparation, case_exact, .. } = node.definition();
                // what is not allowed is compared as it was written
                let prepared = preparation.as_ref().and_then(|preparation| preparation.apply(text));
                Ok(Test::Text(op, Text::new(prepared.as_deref().unwrap_or(text), *case_exact)))
            }
            (_, Literal::Number(Number::Int(digits))) if self.compat.accepts(Leniency::BareWord) => {
                self.lenient(Leniency::BareWord, path)?;
                self.test(node, path, op, &Literal::String(digits.to_string().into()))
            }
            _ => mistyped("is text: it is compared with a string in double quotes"),
        }
    }

    fn lenient(&mut self, leniency: Leniency, path: &AttrPath<'_>) -> Result<(), BindError> {
        if self.repairs.accept(self.compat, leniency, || path.as_str()) {
            return Ok(());
        }
        let text = match leniency {
            Leniency::BareWord => "is compared with a word without quotes: texts stand in double quotes",
            _ => "cannot be compared in this form",
        };
        Err(BindError::new(BindErrorKind::Unsupported, path, text))
    }
}

/// A path inside `[ ]`: a sub-attribute of the attribute in front, or `value` for what has none.
fn in_value(table: &Table, attribute: AttrId, path: &AttrPath<'_>) -> Option<AttrId> {
    let node = table.node(attribute);
    if path.schema().is_some() || path.sub_attribute().is_some() {
        return None;
    }
    if !node.is_complex() && path.attribute().eq_ignore_ascii_case("value") {
        return Some(attribute);
    }
    table.child(node.children(), path.attribute())
}

impl Test {
    fn boolean(op: CompareOp, value: bool, missing_is_false: bool) -> Self {
        Self::Boolean { is: value == (op == CompareOp::Eq), negated: op == CompareOp::Ne, missing_is_false }
    }

    /// The value that is demanded, when the test is an equality.
    pub(crate) fn equality(&self) -> Option<serde_json::Value> {
        match self {
            Self::Text(CompareOp::Eq, text) => Some(text.written().into()),
            Self::Boolean { is, negated: false, .. } => Some((*is).into()),
            Self::Number(CompareOp::Eq, Number::Int(n)) => Some((*n).into()),
            Self::Number(CompareOp::Eq, Number::Float(n)) => Some((*n).into()),
            _ => None,
        }
    }

    fn required_text(&self) -> Option<&str> {
        match self {
            Self::Text(CompareOp::Eq, text) => Some(text.key()),
            _ => None,
        }
    }
}
