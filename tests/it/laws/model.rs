//! The slow references for reading: which part of a document an answer shows, and which documents a filter means.

use std::cmp::Ordering;
use std::fmt;

use chrono::DateTime;
use scim_provider::schema::{Attribute, AttributeType, Returned};
use scim_provider::{ResourceType, fold};
use serde_json::{Map, Number, Value, json};

use super::given::root;
use super::{BASE, is_link};

/// What a request wants to see; paths in canonical spelling.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Default,
    Only(Vec<String>),
    Without(Vec<String>),
}

/// What a client is to see of a stored document (RFC 7644 §3.9, RFC 7643 §7).
pub(super) fn answer(ty: &ResourceType, stored: &Value, ask: &Ask) -> Value {
    let urns: Vec<String> = ty.extensions().map(|(schema, _)| schema.id.clone()).collect();
    let mut stored = stored.clone();
    if let (Some(id), Some(meta)) = (stored["id"].as_str(), stored.get("meta")) {
        let location = json!(format!("{BASE}{}/{}", ty.endpoint(), percent(id)));
        let mut meta = meta.clone();
        meta["location"] = location;
        stored["meta"] = meta;
    }
    let parts = root(ty);
    let mut shown = Viewer { ask, urns }.object(&parts, stored.as_object().unwrap(), &[]);
    let about_members = |names: &[String], exactly: bool| {
        let is_part = |name: &str| !exactly && name.to_ascii_lowercase().starts_with("members.");
        names.iter().any(|name| name.eq_ignore_ascii_case("members") || is_part(name))
    };
    let wanted = match ask {
        Ask::Default => true,
        Ask::Only(names) => about_members(names, false),
        Ask::Without(names) => !about_members(names, true),
    };
    // of the ready type, members are shown when there are none
    if ty.name() == "Group" && wanted && stored.get("members").is_none() {
        shown.insert("members".to_owned(), json!([]));
    }
    Value::Object(shown)
}

struct Viewer<'a> {
    ask: &'a Ask,
    urns: Vec<String>,
}

/// The path of an attribute or of what it is part of, with its `returned`.
type Step = (String, Returned);

impl Viewer<'_> {
    fn object(&self, parts: &[Attribute], object: &Map<String, Value>, above: &[Step]) -> Map<String, Value> {
        let mut object = object.clone();
        link(parts, &mut object);
        let seen = object.iter().filter_map(|(name, value)| {
            let Some(part) = parts.iter().find(|part| part.name == *name) else {
                let usual = above.iter().all(|(_, r)| !matches!(r, Returned::Never | Returned::Request));
                return (matches!(self.ask, Ask::Default) && usual).then(|| (name.clone(), value.clone()));
            };
            let path = match above.last() {
                None => name.clone(),
                Some((urn, _)) if self.urns.contains(urn) => format!("{urn}:{name}"),
                Some((attribute, _)) => format!("{attribute}.{name}"),
            };
            // an extension's object has no `returned` of its own: its parts decide
            let returned = if self.urns.contains(name) { Returned::Always } else { part.returned };
            let chain: Vec<Step> = above.iter().cloned().chain([(path, returned)]).collect();
            Some((name.clone(), self.value(part, value, &chain)?))
        });
        seen.collect()
    }

    fn value(&self, attribute: &Attribute, value: &Value, chain: &[Step]) -> Option<Value> {
        if attribute.kind != AttributeType::Complex {
            return self.wants(chain).then(|| value.clone());
        }
        let part =
            |value: &Value| Value::Object(self.object(&attribute.sub_attributes, value.as_object().unwrap(), chain));
        let shown = match value {
            Value::Array(list) => list.iter().map(part).filter(|e| e != &json!({})).collect(),
            value => part(value),
        };
        (shown != json!({}) && shown != json!([])).then_some(shown)
    }

    /// Whether an attribute without parts is shown.
    fn wants(&self, chain: &[Step]) -> bool {
        let named = |names: &[String], (path, _): &Step| names.iter().any(|name| name.eq_ignore_ascii_case(path));
        let returned = |returned| chain.iter().any(|(_, r)| *r == returned);
        let own = chain.last().unwrap();
        let always = chain.iter().all(|(_, r)| *r == Returned::Always);
        let usual = !returned(Returned::Never) && !returned(Returned::Request);
        match self.ask {
            Ask::Default => usual,
            Ask::Without(names) => usual && (always || !chain.iter().any(|step| named(names, step))),
            Ask::Only(names) => {
                let inherited = own.1 != Returned::Request && chain.iter().any(|step| named(names, step));
                !returned(Returned::Never) && (always || named(names, own) || inherited)
            }
        }
    }
}

/// Adds the `$ref` that the service writes.
fn link(parts: &[Attribute], object: &mut Map<String, Value>) {
    let Some(link) = parts.iter().find(|part| is_link(part)) else { return };
    let kind = match link.reference_types.as_slice() {
        [only] => Some(only.as_str()),
        _ => object.get("type").and_then(Value::as_str),
    };
    let endpoints = [("User", "/Users"), ("Group", "/Groups"), ("Device", "/Devices")];
    let endpoint = endpoints.iter().find(|(name, _)| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(name)));
    if let (Some((_, endpoint)), Some(id)) = (endpoint, object.get("value").and_then(Value::as_str)) {
        let url = format!("{BASE}{endpoint}/{}", percent(id));
        object.insert("$ref".to_owned(), json!(url));
    }
}

pub(super) fn percent(id: &str) -> String {
    id.replace(' ', "%20").replace('/', "%2F")
}

/// A filter as the reference sees it.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Or(Vec<Rule>),
    And(Vec<Rule>),
    Not(Box<Rule>),
    Test(Test),
    /// all on one and the same value of the attribute
    Element(Option<String>, Attribute, Box<Rule>),
}

/// One comparison. Inside an element the attribute in front is left out of the text.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) urn: Option<String>,
    pub(super) attribute: Attribute,
    pub(super) sub: Option<Attribute>,
    pub(super) inside: bool,
    pub(super) op: &'static str,
    pub(super) literal: Value,
}

impl Rule {
    pub(super) fn holds(&self, document: &Value) -> bool {
        match self {
            Self::Or(rules) => rules.iter().any(|rule| rule.holds(document)),
            Self::And(rules) => rules.iter().all(|rule| rule.holds(document)),
            Self::Not(rule) => !rule.holds(document),
            Self::Test(test) => test.holds(&elements(of(document, test.urn.as_deref(), &test.attribute.name))),
            Self::Element(urn, attribute, rule) => {
                elements(of(document, urn.as_deref(), &attribute.name)).iter().any(|element| rule.holds_in(element))
            }
        }
    }

    pub(super) fn holds_in(&self, element: &Value) -> bool {
        match self {
            Self::Or(rules) => rules.iter().any(|rule| rule.holds_in(element)),
            Self::And(rules) => rules.iter().all(|rule| rule.holds_in(element)),
            Self::Not(rule) => !rule.holds_in(element),
            Self::Test(test) => test.holds(std::slice::from_ref(element)),
            Self::Element(..) => panic!("no element inside an element"),
        }
    }
}

fn of<'d>(document: &'d Value, urn: Option<&str>, name: &str) -> &'d Value {
    match urn {
        None => &document[name],
        Some(urn) => &document[urn][name],
    }
}

fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        value => vec![value.clone()],
    }
}

impl Test {
    /// RFC 7644 §3.4.2.2, and where it is silent: `ne` holds for what has no value, a comparison with several values holds
    /// if it does for one, `primary` is false where it is missing, and `eq null` is the opposite of `pr`.
    fn holds(&self, elements: &[Value]) -> bool {
        let whole = self.op == "pr" || self.literal.is_null();
        let value = self.attribute.sub_attributes.iter().find(|sub| sub.name == "value");
        let sub = self.sub.as_ref().or(value.filter(|_| !whole));
        let values: Vec<Value> = match sub {
            None => elements.to_vec(),
            Some(sub) if sub.name == "primary" && !whole => {
                elements.iter().map(|element| json!(element["primary"] == true)).collect()
            }
            Some(sub) => elements.iter().filter_map(|element| element.get(&sub.name).cloned()).collect(),
        };
        match self.op {
            "pr" => values.iter().any(is_present),
            "eq" if whole => !values.iter().any(is_present),
            "ne" if whole => values.iter().any(is_present),
            "ne" if values.is_empty() => true,
            _ => values.iter().any(|value| compare(sub.unwrap_or(&self.attribute), self.op, value, &self.literal)),
        }
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.iter().any(is_present),
        Value::Object(object) => object.values().any(is_present),
        _ => true,
    }
}

fn compare(attribute: &Attribute, op: &str, value: &Value, literal: &Value) -> bool {
    let key = |value: &Value| {
        let text = value.as_str().unwrap();
        if attribute.case_exact { text.to_owned() } else { fold(text).into_owned() }
    };
    let ordering = match attribute.kind {
        AttributeType::Boolean => value.as_bool().cmp(&literal.as_bool()),
        AttributeType::Integer | AttributeType::Decimal => {
            numbers(value.as_number().unwrap(), literal.as_number().unwrap())
        }
        AttributeType::DateTime => instant(value).cmp(&instant(literal)),
        _ => match op {
            "co" => return key(value).contains(&key(literal)),
            "sw" => return key(value).starts_with(&key(literal)),
            "ew" => return key(value).ends_with(&key(literal)),
            _ => key(value).chars().cmp(key(literal).chars()),
        },
    };
    match op {
        "eq" => ordering.is_eq(),
        "ne" => ordering.is_ne(),
        "gt" => ordering.is_gt(),
        "ge" => ordering.is_ge(),
        "lt" => ordering.is_lt(),
        _ => ordering.is_le(),
    }
}

/// By what they are worth, without rounding.
pub(super) fn numbers(a: &Number, b: &Number) -> Ordering {
    let exact = |n: &Number| match (n.as_i64(), n.as_f64().unwrap()) {
        (Some(int), _) => Some(i128::from(int)),
        (None, float) => (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128),
    };
    match (exact(a), exact(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().unwrap().partial_cmp(&b.as_f64().unwrap()).unwrap(),
    }
}

pub(super) fn instant(value: &Value) -> DateTime<chrono::Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().to_utc()
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |rules: &[Self], word: &str| rules.iter().map(|rule| format!("({rule})")).collect::<Vec<_>>().join(word);
        match self {
            Self::Or(rules) => f.write_str(&joined(rules, " or ")),
            Self::And(rules) => f.write_str(&joined(rules, " and ")),
            Self::Not(rule) => write!(f, "not ({rule})"),
            Self::Test(test) => test.fmt(f),
            Self::Element(urn, attribute, rule) => write!(f, "{}[{rule}]", path(urn.as_deref(), &attribute.name)),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.sub, self.inside) {
            (Some(sub), true) => f.write_str(&sub.name)?,
            (None, true) => f.write_str("value")?,
            (sub, false) => {
                f.write_str(&path(self.urn.as_deref(), &self.attribute.name))?;
                sub.iter().try_for_each(|sub| write!(f, ".{}", sub.name))?;
            }
        }
        match self.op {
            "pr" => f.write_str(" pr"),
            op => write!(f, " {op} {}", self.literal),
        }
    }
}

pub(super) fn path(urn: Option<&str>, name: &str) -> String {
    urn.map_or_else(|| name.to_owned(), |urn| format!("{urn}:{name}"))
}
