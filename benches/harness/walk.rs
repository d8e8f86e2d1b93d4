//! Filters over trees of `serde_json::Value`: paths looked up level by level without regard to case, nothing allocated.
//! What a good implementation without a schema does.

use scim_provider::{AttrPath, CompareOp, Filter, Literal};
use serde_json::Value;

/// Whether the tree satisfies the filter.
pub(crate) fn matches(filter: &Filter<'_>, tree: &Value) -> bool {
    match filter {
        Filter::Or(filters) => filters.iter().any(|f| matches(f, tree)),
        Filter::And(filters) => filters.iter().all(|f| matches(f, tree)),
        Filter::Not(filter) => !matches(filter, tree),
        Filter::Present(path) => any(path, tree, &|value| !value.is_null()),
        Filter::Compare { path, op, value } => any(path, tree, &|found| compare(found, *op, value)),
        Filter::ValuePath { path, filter, .. } => match attribute(path, tree) {
            Some(Value::Array(values)) => values.iter().any(|value| matches(filter, value)),
            Some(value) => matches(filter, value),
            None => false,
        },
    }
}

fn any(path: &AttrPath<'_>, tree: &Value, holds: &dyn Fn(&Value) -> bool) -> bool {
    match (attribute(path, tree), path.sub_attribute()) {
        (None, _) => false,
        (Some(value), None) => holds(value),
        (Some(Value::Array(values)), Some(sub)) => values.iter().any(|value| member(value, sub).is_some_and(holds)),
        (Some(value), Some(sub)) => member(value, sub).is_some_and(holds),
    }
}

fn attribute<'v>(path: &AttrPath<'_>, tree: &'v Value) -> Option<&'v Value> {
    let top = match path.schema() {
        Some(urn) if !urn.contains(":core:") => member(tree, urn)?,
        _ => tree,
    };
    member(top, path.attribute())
}

fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn compare(value: &Value, op: CompareOp, operand: &Literal<'_>) -> bool {
    match (value, operand) {
        (Value::Array(values), _) => values.iter().any(|value| compare(value, op, operand)),
        (Value::Object(members), _) => members.get("value").is_some_and(|value| compare(value, op, operand)),
        (Value::String(text), Literal::String(operand)) => compare_text(text.as_bytes(), op, operand.as_bytes()),
        (Value::Bool(value), Literal::Bool(operand)) => match op {
            CompareOp::Eq => value == operand,
            CompareOp::Ne => value != operand,
            _ => false,
        },
        _ => false,
    }
}

fn compare_text(a: &[u8], op: CompareOp, b: &[u8]) -> bool {
    let order = || a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase));
    match op {
        CompareOp::Eq => a.eq_ignore_ascii_case(b),
        CompareOp::Ne => !a.eq_ignore_ascii_case(b),
        CompareOp::Co => contains(a, b),
        CompareOp::Sw => a.len() >= b.len() && a[..b.len()].eq_ignore_ascii_case(b),
        CompareOp::Ew => a.len() >= b.len() && a[a.len() - b.len()..].eq_ignore_ascii_case(b),
        CompareOp::Gt => order().is_gt(),
        CompareOp::Ge => order().is_ge(),
        CompareOp::Lt => order().is_lt(),
        CompareOp::Le => order().is_le(),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return true };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, text)
        .any(|at| text.get(at..at + part.len()).is_some_and(|found| found.eq_ignore_ascii_case(part)))
}
