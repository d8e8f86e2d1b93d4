//! What the laws are tried on: random documents of each type, and the many spellings in which a client may send one.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scim_provider::ResourceType;
use scim_provider::schema::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
use serde_json::{Map, Value, json};

use super::rewrite::once;
use super::{DEVICES, GROUPS, USERS, attributes, is_link};

/// Pieces of text that something may stumble over: escapes, control characters, folding, what looks like JSON.
const PIECES: &[&str] = &[
    "a", "A", "b", "work", "Ada", "é", "É", "ß", "ς", "Σ", "\u{212a}", "k", "İ", "ı", "🦀", "\"", "\\", "\\u0041", "/",
    "\n", "\t", "\u{1}", "\u{7f}", "\u{2028}", " ", "{", "}", "[", "]", ":", ",", "null", "7", "%", ".",
];

/// Ids that references name. None is that of a resource, so that a store keeps what it was sent.
pub(super) const IDS: &[&str] = &["m-1", "m-2", "m-3", "m-4", "M-1", "m 5", "m/6"];

pub(super) const TIMES: &[&str] = &[
    "2026-01-31T09:00:00Z",
    "2026-01-31T10:00:00+01:00",
    "2026-01-31T09:00:00.000Z",
    "2026-01-31T09:00:00.001Z",
    "2026-01-30T23:30:00-14:00",
    "1969-12-31T23:59:59Z",
];

/// A type and a body for it.
pub(super) fn typed_body() -> impl Strategy<Value = (ResourceType, Value)> {
    let of = |ty: &ResourceType| (Just(ty.clone()), body(ty));
    prop_oneof![1 => of(&GROUPS), 2 => of(&USERS), 3 => of(&DEVICES)]
}

/// A body in canonical spelling with nothing in it but what a client may set, secrets included.
pub(super) fn body(ty: &ResourceType) -> BoxedStrategy<Value> {
    let ty = ty.clone();
    let parts: Vec<_> = attributes(&ty)
        .into_iter()
        .filter(|(_, a)| a.name != "schemas" && a.mutability != Mutability::ReadOnly)
        .map(|(urn, attribute)| {
            let name = attribute.name.clone();
            let odds = if urn.is_some() { 0.4 } else { 0.5 };
            let value = value(&attribute);
            let value = if attribute.required { value } else { sometimes(odds, value) };
            value.prop_map(move |value| (urn.clone(), name.clone(), value))
        })
        .collect();
    parts
        .prop_map(move |parts| {
            let mut body = Map::from_iter([("schemas".to_owned(), json!([ty.schema().id]))]);
            for (urn, name, value) in parts {
                let Some(value) = value else { continue };
                match urn {
                    None => body.insert(name, value),
                    Some(urn) => {
                        body.entry(urn).or_insert_with(|| json!({})).as_object_mut().unwrap().insert(name, value)
                    }
                };
            }
            visible(&ty, &Value::Object(body.clone()))["schemas"].clone_into(&mut body["schemas"]);
            Value::Object(body)
        })
        .boxed()
}

fn sometimes(odds: f64, value: BoxedStrategy<Option<Value>>) -> BoxedStrategy<Option<Value>> {
    prop::option::weighted(odds, value).prop_map(Option::flatten).boxed()
}

/// A value for an attribute; nothing where it would come out empty.
pub(super) fn value(attribute: &Attribute) -> BoxedStrategy<Option<Value>> {
    if !attribute.multi_valued {
        return single(attribute);
    }
    let references = attribute.sub_attributes.iter().any(is_link);
    vec(single(attribute), 0..4)
        .prop_map(move |values| {
            let (mut primary, mut ids) = (false, Vec::new());
            let mut list: Vec<Value> = values.into_iter().flatten().collect();
            for value in list.iter_mut().filter(|value| value["primary"] == true) {
                value["primary"] = Value::Bool(!std::mem::replace(&mut primary, true));
            }
            list.retain(|value| {
                let new = !references || !ids.contains(&value["value"]);
                ids.push(value["value"].clone());
                new
            });
            (!list.is_empty()).then_some(Value::Array(list))
        })
        .boxed()
}

/// One value, or one element of a list.
pub(super) fn single(attribute: &Attribute) -> BoxedStrategy<Option<Value>> {
    let references = attribute.sub_attributes.iter().any(is_link);
    let text = match (attribute.required, attribute.uniqueness != Uniqueness::None) {
        (true, true) => "[a-zA-Z]{1,3}".boxed(),
        (true, false) => text().prop_map(|text| format!("x{text}")).boxed(),
        _ if attribute.canonical_values.is_empty() => text(),
        _ => prop_oneof![3 => select(attribute.canonical_values.clone()), 1 => text()].boxed(),
    };
    match attribute.kind {
        AttributeType::Complex => {
            let parts: Vec<_> = attribute
                .sub_attributes
                .iter()
                .filter(|sub| sub.mutability != Mutability::ReadOnly && !is_link(sub))
                .map(|sub| {
                    let name = sub.name.clone();
                    let part = match references && name == "value" {
                        true => select(IDS).prop_map(|id| Some(json!(id))).boxed(),
                        false => sometimes(0.6, single(sub)),
                    };
                    part.prop_map(move |value| Some((name.clone(), value?)))
                })
                .collect();
            parts
                .prop_map(|parts| Some(Value::Object(parts.into_iter().flatten().collect())))
                .prop_map(|object| object.filter(|object| object != &json!({})))
                .boxed()
        }
        AttributeType::Boolean => any::<bool>().prop_map(|b| Some(json!(b))).boxed(),
        AttributeType::Integer => integer().prop_map(|n| Some(json!(n))).boxed(),
        AttributeType::Decimal => {
            prop_oneof![integer().prop_map(|n| json!(n)), decimal().prop_map(|n| json!(n))].prop_map(Some).boxed()
        }
        AttributeType::DateTime => select(TIMES).prop_map(|time| Some(json!(time))).boxed(),
        AttributeType::Binary => select(&["", "aGk=", "aGkh", "-_8"][..]).prop_map(|bytes| Some(json!(bytes))).boxed(),
        _ => text.prop_map(|text| Some(json!(text))).boxed(),
    }
}

pub(super) fn text() -> BoxedStrategy<String> {
    vec(select(PIECES), 0..4).prop_map(|pieces| pieces.concat()).boxed()
}

fn integer() -> BoxedStrategy<i64> {
    prop_oneof![4 => -2..3_i64, 1 => select(&[i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1][..])].boxed()
}

fn decimal() -> BoxedStrategy<f64> {
    select(&[0.0, -0.0, 1.0, 1.5, -1.5, 0.1, 1e21, 1e-7, 5e-324, 1.797e308, 9_007_199_254_740_992.0, 9.3e18][..])
        .boxed()
}

/// What of a body can be seen again: all but what is never returned. `schemas` follows from it.
pub(super) fn visible(ty: &ResourceType, body: &Value) -> Value {
    let mut body = pruned(&root(ty), body.as_object().unwrap());
    let known: Vec<String> = ty.extensions().map(|(schema, _)| schema.id.clone()).collect();
    let unknown = body.keys().filter(|key| key.starts_with("urn:") && !known.contains(key)).cloned();
    let used = known.iter().filter(|urn| body.contains_key(*urn)).cloned();
    let schemas: Vec<String> = std::iter::once(ty.schema().id.clone()).chain(used).chain(unknown).collect();
    body.insert("schemas".to_owned(), json!(schemas));
    Value::Object(body)
}

/// The same when it is read: of a list with a repeated type and value one is left.
pub(super) fn read_once(ty: &ResourceType, body: &Value) -> Value {
    fn united(attributes: &[Attribute], object: &Map<String, Value>) -> Map<String, Value> {
        let each = object.iter().map(|(name, value)| {
            let value = match (attributes.iter().find(|a| a.name == *name), value) {
                (Some(a), Value::Object(parts)) => Value::Object(united(&a.sub_attributes, parts)),
                (Some(a), Value::Array(list)) if a.kind == AttributeType::Complex => once(a, list).into(),
                (_, value) => value.clone(),
            };
            (name.clone(), value)
        });
        each.collect()
    }
    Value::Object(united(&root(ty), body.as_object().unwrap()))
}

fn pruned(attributes: &[Attribute], object: &Map<String, Value>) -> Map<String, Value> {
    let seen = object.iter().filter_map(|(name, value)| {
        let known = attributes.iter().find(|a| a.name == *name);
        let value = match (known, value) {
            (Some(a), _) if a.returned == Returned::Never => return None,
            (Some(a), Value::Object(parts)) => Value::Object(pruned(&a.sub_attributes, parts)),
            (Some(a), Value::Array(list)) if a.kind == AttributeType::Complex => {
                let list = list.iter().map(|e| Value::Object(pruned(&a.sub_attributes, e.as_object().unwrap())));
                list.filter(|e| e != &json!({})).collect()
            }
            (_, value) => value.clone(),
        };
        (value != json!({}) && value != json!([])).then(|| (name.clone(), value))
    });
    seen.collect()
}

/// The attributes at the top, each extension as one whose parts are its own.
pub(super) fn root(ty: &ResourceType) -> Vec<Attribute> {
    let mut all: Vec<Attribute> = Vec::new();
    for (urn, attribute) in attributes(ty) {
        match (urn, all.last_mut()) {
            (None, _) => all.push(attribute),
            (Some(urn), Some(last)) if last.name == urn => last.sub_attributes.push(attribute),
            (Some(urn), _) => all.push(Attribute::complex(urn, [attribute])),
        }
    }
    all
}

/// A source of choices that a test case can repeat.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }

    /// A name in another letter case.
    pub(super) fn respell(&mut self, name: &str) -> String {
        name.chars().map(|c| if self.one_in(3) { swapped(c) } else { c }).collect()
    }
}

fn swapped(c: char) -> char {
    if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
}

/// A document as someone else writes it: other order, letter case of names, white space, escapes; and with `noise`, also
/// what does not count: unassigned values, what only the service provider sets, what no schema knows.
pub(super) fn scribbled(ty: &ResourceType, document: &Value, seed: u64, noise: bool) -> String {
    let mut scribe = Scribe { dice: Dice(seed), noise, out: String::new() };
    scribe.value(Some(&Attribute::complex("", root(ty))), document, false);
    scribe.out
}

struct Scribe {
    dice: Dice,
    noise: bool,
    out: String,
}

impl Scribe {
    fn value(&mut self, attribute: Option<&Attribute>, value: &Value, in_schemas: bool) {
        match value {
            Value::Object(object) => self.object(attribute, object),
            Value::Array(list) => {
                self.out.push('[');
                for (at, value) in list.iter().enumerate() {
                    self.out.push_str(if at > 0 { "," } else { "" });
                    if self.noise && !in_schemas && self.dice.one_in(6) {
                        self.out.push_str("null,");
                    }
                    self.value(attribute, value, in_schemas);
                }
                self.out.push(']');
            }
            Value::String(text) => self.text(text),
            scalar => self.out.push_str(&scalar.to_string()),
        }
        self.space();
    }

    fn object(&mut self, attribute: Option<&Attribute>, object: &Map<String, Value>) {
        let parts: &[Attribute] = attribute.map_or(&[], |a| &a.sub_attributes);
        let known = |name: &str| parts.iter().find(|a| a.name == name);
        let mut members: Vec<(String, Option<&Attribute>, Value)> =
            object.iter().map(|(name, value)| (name.clone(), known(name), value.clone())).collect();
        if self.noise && !parts.is_empty() {
            for part in parts.iter().filter(|part| !object.contains_key(&part.name) && !part.required) {
                let display = part.name == "display" && attribute.is_some_and(|a| a.name == "members");
                let junk = json!([1, {"x": null}, "junk"]);
                let empty = [Value::Null, json!([]), Value::Null];
                match self.dice.below(6) {
                    0 if (part.mutability == Mutability::ReadOnly && !display) || is_link(part) => {
                        members.push((part.name.clone(), Some(part), junk));
                    }
                    1 => members.push((part.name.clone(), None, self.dice.pick(&empty).clone())),
                    _ => {}
                }
            }
            if self.dice.one_in(4) {
                members.push(("zz-unknown".to_owned(), None, json!({"a": [1, null], "userName": "x"})));
            }
        }
        self.dice.shuffle(&mut members);
        self.out.push('{');
        for (at, (name, known, value)) in members.into_iter().enumerate() {
            self.out.push_str(if at > 0 { "," } else { "" });
            self.space();
            let defined = parts.iter().any(|part| part.name == name);
            let name = if defined { self.dice.respell(&name) } else { name };
            self.text(&name);
            self.out.push(':');
            self.space();
            self.value(known, &value, name.eq_ignore_ascii_case("schemas"));
        }
        self.out.push('}');
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if c < ' ' || c == '"' || c == '\\' || self.dice.one_in(12) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    self.out.push_str(&format!("\\u{unit:04X}"));
                }
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn space(&mut self) {
        if self.dice.one_in(8) {
            self.out.push_str(["\n", " ", "\t", "\r\n"][self.dice.below(4)]);
        }
    }
}

/// The document with what no schema defines, at its top, in extensions and in complex values.
pub(super) fn with_unknown(ty: &ResourceType, document: &Value, seed: u64) -> Value {
    let mut dice = Dice(seed);
    let mut document = document.clone();
    let things = [json!("x\"\\"), json!(7), json!({"Deep": {"er": [true, "", {"a": 1}]}}), json!([1.5, [2]])];
    for attribute in root(ty) {
        let Some(value) = document.get_mut(&attribute.name) else { continue };
        let objects: Vec<&mut Value> = match value {
            Value::Array(list) => list.iter_mut().collect(),
            value => vec![value],
        };
        for object in objects.into_iter().filter_map(Value::as_object_mut) {
            if dice.one_in(2) {
                object.insert("zzSub".to_owned(), dice.pick(&things).clone());
            }
        }
    }
    let object = document.as_object_mut().unwrap();
    for (name, odds) in [("zzTop", 2), ("aaa", 3), ("urn:example:unknown:1.0", 3)] {
        if dice.one_in(odds) {
            object.insert(name.to_owned(), dice.pick(&things).clone());
        }
    }
    if object.get("urn:example:unknown:1.0").is_some_and(|value| !value.is_object()) {
        object.insert("urn:example:unknown:1.0".to_owned(), json!({"a": 1}));
    }
    visible(ty, &document)
}
