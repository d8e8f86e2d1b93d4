//! What a filter means, said slowly: on a tree of values, in the words of the standard, sharing nothing with the library
//! but the parser, the schema and the folding of letter case.

use std::cmp::Ordering;

use chrono::DateTime;
use scim_provider::schema::AttributeType;
use scim_provider::{AttrPath, CompareOp, Filter, Literal, Number, ResourceType, fold};
use serde_json::Value;

use super::world::PROBE;

/// Whether a document satisfies a filter.
pub(crate) fn holds(ty: &ResourceType, filter: &Filter<'_>, document: &Value) -> bool {
    Model { ty, prefix: None }.holds(filter, document)
}

/// The order of two documents by an attribute (RFC 7644 §3.4.2.3): what has no value is last, or first when descending, and
/// of equals the ids decide.
pub(crate) fn compare(ty: &ResourceType, path: &str, descending: bool, a: &Value, b: &Value) -> Ordering {
    let model = Model { ty, prefix: None };
    let mut path = path.to_owned();
    if model.kind(&path).kind == AttributeType::Complex {
        path.push_str(".value");
    }
    let kind = model.kind(&path);
    let counts = |document| -> Option<Value> {
        let (found, sub) = model.find(&path, document);
        let found = elements(found?);
        let primary = found.iter().find(|element| element.get("primary") == Some(&Value::Bool(true)));
        let element = primary.or(found.first())?;
        sub.map_or(Some(element), |sub| element.get(sub)).cloned()
    };
    let order = match (counts(a), counts(b)) {
        (Some(a), Some(b)) => {
            let operand = match &b {
                Value::Bool(b) => Literal::Bool(*b),
                Value::Number(_) => Literal::Number(number(&b)),
                Value::String(b) => Literal::String(b.into()),
                b => panic!("{b} is not sorted by"),
            };
            in_order(&a, &operand, &kind)
        }
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    let order = if descending { order.reverse() } else { order };
    order.then_with(|| a["id"].as_str().cmp(&b["id"].as_str()))
}

struct Model<'m> {
    ty: &'m ResourceType,
    /// the attribute in front of the brackets, when the document is one of its values
    prefix: Option<&'m str>,
}

/// What is asked of a value.
enum Ask<'a> {
    Present,
    Compare(CompareOp, &'a Literal<'a>),
}

struct Kind {
    kind: AttributeType,
    exact: bool,
    primary: bool,
}

impl Model<'_> {
    fn holds(&self, filter: &Filter<'_>, at: &Value) -> bool {
        match filter {
            Filter::And(filters) => filters.iter().all(|filter| self.holds(filter, at)),
            Filter::Or(filters) => filters.iter().any(|filter| self.holds(filter, at)),
            Filter::Not(filter) => !self.holds(filter, at),
            Filter::Present(path) => self.asked(path.as_str(), &Ask::Present, at),
            Filter::Compare { path, op, value } => self.asked(path.as_str(), &Ask::Compare(*op, value), at),
            Filter::ValuePath { path, filter, tail } => {
                let inner = Model { ty: self.ty, prefix: Some(path.as_str()) };
                let behind = |element: &Value| {
                    tail.as_ref().is_none_or(|tail| {
                        inner.asked(&tail.sub_attribute, &Ask::Compare(tail.op, &tail.value), element)
                    })
                };
                let (value, _) = self.find(path.as_str(), at);
                value.is_some_and(|value| {
                    elements(value).iter().any(|element| inner.holds(filter, element) && behind(element))
                })
            }
        }
    }

    /// The value of the attribute that a path starts with, and the name of the part that it goes on to.
    fn find<'v>(&self, path: &'v str, document: &'v Value) -> (Option<&'v Value>, Option<&'v str>) {
        let (object, rest) = match path.strip_prefix(PROBE) {
            Some(rest) => (document.get(PROBE), &rest[1..]),
            None => (Some(document), path),
        };
        let (name, sub) = rest.split_once('.').map_or((rest, None), |(name, sub)| (name, Some(sub)));
        (object.and_then(|object| object.get(name)), sub)
    }

    fn asked(&self, path: &str, ask: &Ask<'_>, at: &Value) -> bool {
        if let Some(prefix) = self.prefix {
            return match at.is_object() {
                true => part(at.get(path), ask, &self.kind(&format!("{prefix}.{path}"))),
                false => value(at, ask, &self.kind(prefix)),
            };
        }
        let is_null = matches!(ask, Ask::Compare(_, Literal::Null));
        if let Ask::Compare(CompareOp::Eq, Literal::Null) = ask {
            return !self.asked(path, &Ask::Present, at);
        }
        let mut path = path.to_owned();
        if self.kind(&path).kind == AttributeType::Complex && matches!(ask, Ask::Compare(..)) && !is_null {
            path.push_str(".value");
        }
        let (found, sub) = self.find(&path, at);
        let kind = self.kind(&path);
        let Some(found) = found else { return unassigned(ask) };
        let Some(sub) = sub else { return elements(found).iter().any(|element| value(element, ask, &kind)) };
        if found.is_object() {
            return part(found.get(sub), ask, &kind);
        }
        // `primary` is false in the values that do not say
        let reads_false = kind.primary && matches!(ask, Ask::Compare(_, Literal::Bool(_)));
        let missing = reads_false.then_some(&Value::Bool(false));
        let parts: Vec<_> = elements(found).iter().filter_map(|element| element.get(sub).or(missing)).collect();
        parts.iter().any(|part| value(part, ask, &kind)) || (parts.is_empty() && unassigned(ask))
    }

    fn kind(&self, path: &str) -> Kind {
        let attribute = self.ty.resolve(&AttrPath::parse(path).unwrap()).unwrap();
        let definition = attribute.definition();
        let primary = path.ends_with(".primary");
        Kind { kind: definition.kind, exact: definition.case_exact, primary }
    }
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Without a value, `ne` and `eq null` hold.
fn unassigned(ask: &Ask<'_>) -> bool {
    match ask {
        Ask::Present => false,
        Ask::Compare(op, Literal::Null) => *op == CompareOp::Eq,
        Ask::Compare(op, _) => *op == CompareOp::Ne,
    }
}

/// A part of an object. `primary` is false where it is missing.
fn part(part: Option<&Value>, ask: &Ask<'_>, kind: &Kind) -> bool {
    match (part, ask) {
        (Some(part), _) => value(part, ask, kind),
        (None, Ask::Compare(_, Literal::Bool(_))) if kind.primary => value(&Value::Bool(false), ask, kind),
        (None, _) => unassigned(ask),
    }
}

fn value(value: &Value, ask: &Ask<'_>, kind: &Kind) -> bool {
    let (op, operand) = match ask {
        Ask::Present => return present(value),
        Ask::Compare(CompareOp::Eq, Literal::Null) => return !present(value),
        Ask::Compare(_, Literal::Null) => return present(value),
        Ask::Compare(op, operand) => (*op, operand),
    };
    if let (CompareOp::Co | CompareOp::Sw | CompareOp::Ew, Literal::String(operand)) = (op, operand) {
        let (value, operand) = (kind.key(value.as_str().unwrap()), kind.key(operand));
        return match op {
            CompareOp::Co => value.contains(&operand),
            CompareOp::Sw => value.starts_with(&operand),
            _ => value.ends_with(&operand),
        };
    }
    let order = in_order(value, operand, kind);
    match op {
        CompareOp::Eq => order == Ordering::Equal,
        CompareOp::Ne => order != Ordering::Equal,
        CompareOp::Gt => order == Ordering::Greater,
        CompareOp::Ge => order != Ordering::Less,
        CompareOp::Lt => order == Ordering::Less,
        CompareOp::Le => order != Ordering::Greater,
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

/// How a value compares with an operand of its kind.
fn in_order(value: &Value, operand: &Literal<'_>, kind: &Kind) -> Ordering {
    match (kind.kind, operand) {
        (AttributeType::Boolean, Literal::Bool(operand)) => value.as_bool().unwrap().cmp(operand),
        (AttributeType::DateTime, Literal::String(operand)) => {
            let time = |text| DateTime::parse_from_rfc3339(text).unwrap();
            time(value.as_str().unwrap()).cmp(&time(operand))
        }
        (_, Literal::Number(operand)) => number(value).partial_cmp(operand).unwrap(),
        (_, Literal::String(operand)) => kind.key(value.as_str().unwrap()).chars().cmp(kind.key(operand).chars()),
        (kind, operand) => panic!("{kind:?} is not compared with {operand:?}"),
    }
}

fn number(value: &Value) -> Number {
    value.as_i64().map(Number::Int).unwrap_or_else(|| Number::Float(value.as_f64().unwrap()))
}

impl Kind {
    /// What texts are compared by.
    fn key(&self, text: &str) -> String {
        if self.exact { text.to_owned() } else { fold(text).into_owned() }
    }
}

/// An empty text is no value, nor is an object of nothing else.
fn present(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(present),
        Value::Array(elements) => elements.iter().any(present),
        value => value != "",
    }
}
