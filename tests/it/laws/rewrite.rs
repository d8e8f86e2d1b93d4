//! The slow reference for PATCH (RFC 7644 §3.5.2): one operation after the other, on the whole document.

use scim_provider::ResourceType;
use scim_provider::schema::{Attribute, AttributeType, Mutability};
use serde_json::{Map, Value, json};

use super::given::visible;
use super::is_link;
use super::model::{Rule, Test, path};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Replace,
    Remove,
}

/// One operation, understood.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) urn: Option<String>,
    pub(super) attribute: Attribute,
    pub(super) filter: Option<Rule>,
    pub(super) sub: Option<Attribute>,
    /// `null` is none
    pub(super) value: Value,
    /// whether a filter that matches nothing creates what it describes, also on `replace`
    pub(super) from_entra: bool,
}

/// The operation cannot be carried out: nothing may change.
#[derive(Debug, PartialEq)]
pub(super) struct Refused;

pub(super) fn rewrite(ty: &ResourceType, document: &Value, steps: &[Step]) -> Result<Value, Refused> {
    let mut document = document.clone();
    for step in steps {
        let place = match &step.urn {
            None => &mut document,
            Some(urn) => document.as_object_mut().unwrap().entry(urn).or_insert_with(|| json!({})),
        };
        step.carry_out(place.as_object_mut().unwrap())?;
        document = visible(ty, &document);
    }
    Ok(document)
}

impl Step {
    fn carry_out(&self, object: &mut Map<String, Value>) -> Result<(), Refused> {
        let name = &self.attribute.name;
        let old = object.get(name).cloned().unwrap_or(Value::Null);
        if self.value.is_null() && self.op == Op::Add {
            return Ok(());
        }
        let removes = self.value.is_null() && self.op == Op::Replace || self.op == Op::Remove;
        let new = match (removes, self.attribute.multi_valued) {
            (true, false) => self.without(&old),
            (true, true) => self.remove_values(&old),
            (false, false) => self.merged(&old, &self.value),
            (false, true) => self.set_values(&old)?,
        };
        if self.attribute.mutability == Mutability::Immutable && !old.is_null() && old != new {
            return Err(Refused);
        }
        let whole = self.filter.is_none() && self.sub.is_none();
        if self.attribute.required && removes && whole {
            return Err(Refused);
        }
        object.insert(name.clone(), new);
        if object[name].is_null() || object[name] == json!({}) {
            object.remove(name);
        }
        Ok(())
    }

    fn without(&self, old: &Value) -> Value {
        let mut new = old.clone();
        match (&self.sub, new.as_object_mut()) {
            (Some(sub), Some(object)) => drop(object.remove(&sub.name)),
            _ => new = Value::Null,
        }
        new
    }

    /// What becomes of one value: a part set, the parts that are named set, or another value altogether.
    fn merged(&self, old: &Value, value: &Value) -> Value {
        if self.attribute.kind != AttributeType::Complex {
            return value.clone();
        }
        let mut new = old.as_object().cloned().unwrap_or_default();
        match &self.sub {
            Some(sub) => drop(new.insert(sub.name.clone(), value.clone())),
            None => new.extend(value.as_object().unwrap().clone()),
        }
        Value::Object(new)
    }

    fn remove_values(&self, old: &Value) -> Value {
        let list = old.as_array().cloned().unwrap_or_default();
        let matches = |element: &Value| self.filter.as_ref().is_none_or(|filter| filter.holds_in(element));
        if let Some(ids) = self.value.as_array() {
            return list.into_iter().filter(|e| !ids.iter().any(|id| id["value"] == e["value"])).collect();
        }
        let list = list.into_iter().filter_map(|element| match (&self.sub, matches(&element)) {
            (_, false) => Some(element),
            (None, true) => None,
            (Some(_), true) => Some(self.without(&element)).filter(|element| element != &json!({})),
        });
        list.collect()
    }

    fn set_values(&self, old: &Value) -> Result<Value, Refused> {
        let mut list = old.as_array().cloned().unwrap_or_default();
        if self.filter.is_none() && self.sub.is_none() {
            if self.op == Op::Replace {
                list.clear();
            }
            for value in once(&self.attribute, self.value.as_array().unwrap()) {
                let known = list.iter().position(|known| self.same(known, &value));
                let at = match known.filter(|_| self.op == Op::Add) {
                    None => {
                        list.push(value);
                        list.len() - 1
                    }
                    Some(at) => {
                        let Some(extended) = self.extended(&list[at], &value) else { continue };
                        list[at] = extended;
                        at
                    }
                };
                settle_primary(&mut list, &[at]);
            }
            return Ok(Value::Array(list));
        }
        let matches = |element: &Value| self.filter.as_ref().is_none_or(|filter| filter.holds_in(element));
        let touched: Vec<usize> = (0..list.len()).filter(|at| matches(&list[*at])).collect();
        for at in &touched {
            let replaces = self.op == Op::Replace && self.sub.is_none();
            list[*at] = if replaces { self.value.clone() } else { self.merged(&list[*at], &self.value) };
        }
        if touched.is_empty() && (self.filter.is_some() || list.is_empty()) {
            list.push(self.created()?);
            let last = list.len() - 1;
            settle_primary(&mut list, &[last]);
        }
        if touched.iter().filter(|at| list[**at]["primary"] == true).count() > 1 {
            return Err(Refused);
        }
        settle_primary(&mut list, &touched);
        Ok(Value::Array(list))
    }

    /// The value that the filter describes, with what the operation sets.
    fn created(&self) -> Result<Value, Refused> {
        let Some(filter) = &self.filter else { return Ok(self.merged(&json!({}), &self.value)) };
        if self.op == Op::Replace && !self.from_entra {
            return Err(Refused);
        }
        let mut terms = Vec::new();
        equalities(filter, &mut terms)?;
        let mut element = json!({});
        for term in terms {
            match &term.sub {
                Some(sub) => element[&sub.name] = term.literal.clone(),
                None => element = term.literal.clone(),
            }
        }
        Ok(self.merged(&element, &self.value))
    }

    /// A value that is there with what a repetition of it says more.
    fn extended(&self, known: &Value, value: &Value) -> Option<Value> {
        if self.attribute.sub_attributes.iter().any(is_link) {
            return None;
        }
        let said: Vec<_> =
            value.as_object()?.iter().filter(|(name, part)| *name != "primary" || **part == true).collect();
        let changed: Vec<_> = said.into_iter().filter(|(name, part)| known.get(name.as_str()) != Some(part)).collect();
        let fixed = |name: &str| {
            let part = self.attribute.sub_attributes.iter().find(|part| part.name == name);
            part.is_some_and(|part| part.mutability == Mutability::Immutable) && known.get(name).is_some()
        };
        if changed.is_empty() || changed.iter().any(|(name, _)| fixed(name)) {
            return None;
        }
        Some(self.merged(known, value))
    }

    /// Whether two values are one. References are by their id, others by type and value; `primary: false` says nothing.
    fn same(&self, a: &Value, b: &Value) -> bool {
        if has_value(&self.attribute) && a.get("value").is_some() && b.get("value").is_some() {
            return identical(&a["value"], &b["value"]) && identical(&a["type"], &b["type"]);
        }
        if self.attribute.sub_attributes.iter().any(is_link) {
            return a["value"] == b["value"];
        }
        identical(&without_false_primary(a), &without_false_primary(b))
    }

    pub(super) fn path(&self) -> String {
        let mut text = path(self.urn.as_deref(), &self.attribute.name);
        text.extend(self.filter.iter().map(|filter| format!("[{filter}]")));
        text.extend(self.sub.iter().map(|sub| format!(".{}", sub.name)));
        text
    }
}

fn has_value(attribute: &Attribute) -> bool {
    attribute.sub_attributes.iter().any(|part| part.name == "value") && !attribute.sub_attributes.iter().any(is_link)
}

/// A list in which no type and value is there twice (RFC 7643 §2.4): later ones add to the first.
pub(super) fn once(attribute: &Attribute, list: &[Value]) -> Vec<Value> {
    let mut united: Vec<Value> = Vec::new();
    for value in list {
        let same = |known: &&mut Value| {
            identical(&known["value"], &value["value"]) && identical(&known["type"], &value["type"])
        };
        let known = united.iter_mut().filter(|_| has_value(attribute) && value.get("value").is_some());
        match known.into_iter().find(same) {
            None => united.push(value.clone()),
            Some(known) => {
                for (name, part) in value.as_object().unwrap() {
                    if name != "primary" || known["primary"] != true {
                        known[name] = part.clone();
                    }
                }
            }
        }
    }
    united
}

/// The comparisons of a filter that is nothing but equalities that a value can be made from.
fn equalities<'r>(rule: &'r Rule, found: &mut Vec<&'r Test>) -> Result<(), Refused> {
    match rule {
        Rule::And(rules) => rules.iter().try_for_each(|rule| equalities(rule, found)),
        Rule::Test(test) if test.op == "eq" && !test.literal.is_null() => {
            let kind = test.sub.as_ref().unwrap_or(&test.attribute).kind;
            if kind == AttributeType::DateTime || (kind == AttributeType::Integer && !test.literal.is_i64()) {
                return Err(Refused);
            }
            found.push(test);
            Ok(())
        }
        _ => Err(Refused),
    }
}

/// Where one of the touched values is primary, no other one is.
fn settle_primary(list: &mut [Value], touched: &[usize]) {
    let Some(chosen) = touched.iter().copied().find(|at| list[*at]["primary"] == true) else { return };
    for (at, value) in list.iter_mut().enumerate() {
        if at != chosen && value["primary"] == true {
            value["primary"] = json!(false);
        }
    }
}

fn without_false_primary(value: &Value) -> Value {
    let mut plain = value.clone();
    if let Some(object) = plain.as_object_mut().filter(|object| object.len() > 1) {
        object.retain(|name, value| name != "primary" || value == true);
    }
    plain
}

/// Equality in which `0`, `0.0` and `-0.0` differ, as their texts do.
pub(super) fn identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.to_string() == b.to_string(),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| identical(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| identical(a, b)),
        _ => a == b,
    }
}
