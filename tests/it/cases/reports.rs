//! `reports.json`: 219 requests of real clients, each with what has to come of it.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Outcome, load};

/// How many requests the file has.
pub(crate) const CASES: usize = 219;

#[derive(Debug, Deserialize)]
pub(crate) struct Reports {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    client: String,
    title: String,
    #[serde(default)]
    setup: Vec<Step>,
    request: Step,
    expect: Expect,
    #[serde(default)]
    verify: Vec<Step>,
    /// The kind of fault that it showed once.
    #[serde(default)]
    pub(crate) kind: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Step {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<Value>,
    raw: Option<String>,
    expect: Option<Expect>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Expect {
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    json: Map<String, Value>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    json_if_error: bool,
}

/// A request as it goes over the wire, below the base URL.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Reports {
    pub(crate) fn load() -> Self {
        load("reports.json")
    }

    /// Plays the cases. `server` gives a fresh server for each; `skips` says which are not for it.
    pub(crate) fn run<S: FnMut(Sent) -> Received>(
        &self,
        base: &str,
        skips: impl Fn(&Case) -> bool,
        mut server: impl FnMut() -> S,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        for case in self.cases.iter().filter(|case| !skips(case)) {
            outcome.cases += 1;
            let found = case.play(base, &mut server());
            if !found.is_empty() {
                let Case { id, client, title, .. } = case;
                outcome.failures.push(format!("{id} {client}: {title}\n    {}", found.join("\n    ")));
            }
        }
        outcome
    }
}

impl Case {
    /// What falls short.
    fn play(&self, base: &str, send: &mut impl FnMut(Sent) -> Received) -> Vec<String> {
        let word: String = self.id.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut words = Words(BTreeMap::from([("u".to_owned(), word), ("base".to_owned(), base.to_owned())]));
        let created = Expect { status: vec![200, 201, 204], ..Expect::default() };
        let setup = self.setup.iter().map(|step| (step, step.expect.as_ref().unwrap_or(&created)));
        let none = Expect::default();
        let verify = self.verify.iter().map(|step| (step, step.expect.as_ref().unwrap_or(&none)));
        let mut found = Vec::new();
        for (at, (step, expect)) in setup.chain([(&self.request, &self.expect)]).chain(verify).enumerate() {
            let received = send(step.filled(&words));
            words.take(at + 1, &received);
            for problem in expect.judge(&received, &words) {
                found.push(format!("step {} {} {}: {problem}", at + 1, step.method, step.path));
            }
        }
        found
    }
}

impl Step {
    fn filled(&self, words: &Words) -> Sent {
        let body = match (&self.raw, &self.body) {
            (Some(raw), _) => Some(words.fill(raw).into_bytes()),
            (None, Some(body)) => Some(words.filled(body).to_string().into_bytes()),
            (None, None) => None,
        };
        let mut headers = BTreeMap::new();
        if body.is_some() {
            headers.insert("content-type".to_owned(), Some("application/scim+json".to_owned()));
        }
        for (name, value) in &self.headers {
            headers.insert(name.to_ascii_lowercase(), value.as_ref().map(|value| words.fill(value)));
        }
        Sent {
            method: self.method.clone(),
            path: words.fill(&self.path),
            headers: headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            body: body.unwrap_or_default(),
        }
    }
}

/// What placeholders stand for.
struct Words(BTreeMap<String, String>);

impl Words {
    fn take(&mut self, step: usize, received: &Received) {
        let found = received.body.get("id").or_else(|| received.body.pointer("/Resources/0/id"));
        let id = found.and_then(Value::as_str).unwrap_or_default();
        let header = |name: &str| received.headers.get(name).cloned().unwrap_or_default();
        let cursor = received.body.get("nextCursor").and_then(Value::as_str).unwrap_or_default();
        let cursor = crate::server::percent_encode(cursor.as_bytes());
        let words = [("id", id.to_owned()), ("loc", header("location")), ("etag", header("etag")), ("cursor", cursor)];
        for (name, word) in words {
            self.0.insert(format!("{name}:{step}"), word);
        }
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, word) in &self.0 {
            text = text.replace(&format!("{{{{{name}}}}}"), word);
        }
        text
    }

    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(values) => values.iter().map(|value| self.filled(value)).collect(),
            Value::Object(members) => match members.get("$repeat") {
                Some(repeat) => {
                    let one = repeat["value"].to_string();
                    let each = 0..repeat["count"].as_u64().unwrap();
                    each.map(|n| one.replace("{{n}}", &n.to_string()).parse::<Value>().unwrap()).collect()
                }
                None => members.iter().map(|(name, value)| (self.fill(name), self.filled(value))).collect(),
            },
            other => other.clone(),
        }
    }
}

impl Expect {
    fn judge(&self, received: &Received, words: &Words) -> Vec<String> {
        let mut found = Vec::new();
        if !self.status.is_empty() && !self.status.contains(&received.status) {
            found.push(format!("{} instead of {:?}: {}", received.status, self.status, received.body));
        }
        let judged = !self.json_if_error || received.status >= 400;
        for (pointer, wanted) in self.json.iter().filter(|_| judged) {
            let (pointer, wanted) = (words.fill(pointer), words.filled(wanted));
            let part = at(&received.body, &pointer);
            if !is(part.as_ref(), &wanted) {
                found.push(format!("{pointer} is {}, not {wanted}", part.unwrap_or(json!("absent"))));
            }
        }
        for pointer in &self.absent {
            if let Some(part) = at(&received.body, &words.fill(pointer)) {
                found.push(format!("{pointer} is {part}, and should be absent"));
            }
        }
        for (name, pattern) in &self.headers {
            let value = received.headers.get(&name.to_ascii_lowercase());
            if !value.is_some_and(|value| Regex::new(&words.fill(pattern)).unwrap().is_match(value)) {
                found.push(format!("{name} is {value:?}, not {pattern}"));
            }
        }
        found
    }
}

/// What stands at a pointer.
fn at(value: &Value, pointer: &str) -> Option<Value> {
    let (pointer, count) = match pointer.strip_suffix("#len") {
        Some(pointer) => (pointer, true),
        None => (pointer, false),
    };
    let mut found = value;
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        found = match (found, part.strip_prefix('[').and_then(|part| part.strip_suffix(']'))) {
            (Value::Array(values), Some(test)) => {
                let (name, wanted) = test.split_once('=').unwrap();
                let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
                values.iter().find(|value| value.get(name).map(text).as_deref() == Some(wanted))?
            }
            (Value::Array(values), None) => values.get(part.parse::<usize>().ok()?)?,
            (value, _) => value.get(part)?,
        };
    }
    match (found, count) {
        (found, false) => Some(found.clone()),
        (Value::Array(values), true) => Some(json!(values.len())),
        (Value::Object(members), true) => Some(json!(members.len())),
        _ => None,
    }
}

fn is(found: Option<&Value>, wanted: &Value) -> bool {
    let operator = wanted.as_object().filter(|wanted| wanted.len() == 1).and_then(|wanted| wanted.iter().next());
    match (operator, found) {
        (Some((op, wanted)), _) if op == "$exists" => json!(found.is_some()) == *wanted,
        (Some((op, wanted)), _) if op == "$in" => wanted.as_array().unwrap().iter().any(|wanted| is(found, wanted)),
        (Some((op, wanted)), Some(Value::String(found))) if op == "$re" => {
            Regex::new(wanted.as_str().unwrap()).unwrap().is_match(found)
        }
        (Some((op, wanted)), Some(Value::Array(found))) if op == "$has" => {
            wanted.as_array().unwrap().iter().all(|wanted| found.contains(wanted))
        }
        (Some((op, _)), _) if op.starts_with('$') && op != "$ref" => false,
        (_, found) => found == Some(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that gives each request the same answer.
    fn judged(status: u16, body: Value) -> Outcome {
        Reports::load().run(
            "https://x",
            |_| false,
            || |_| Received { status, headers: BTreeMap::new(), body: body.clone() },
        )
    }

    #[test]
    fn a_server_that_does_nothing_fails() {
        for (status, body) in [(200, json!({})), (400, json!({"detail": "no"})), (500, Value::Null)] {
            let outcome = judged(status, body);
            assert_eq!(outcome.cases, CASES);
            assert!(outcome.failures.len() > CASES / 2, "{status}: {}", outcome.failures.len());
        }
        assert!(judged(500, Value::Null).failures.len() == CASES);
    }

    #[test]
    fn each_way_to_expect_something_can_fail() {
        let body = json!({"a": [{"type": "work", "b": true}, {"type": "home"}], "text": "one two"});
        let holds = |pointer: &str, wanted: Value| is(at(&body, pointer).as_ref(), &wanted);
        assert!(holds("/a#len", json!(2)) && !holds("/a#len", json!(1)));
        assert!(holds("/a/[type=work]/b", json!(true)) && !holds("/a/[type=other]/b", json!(true)));
        assert!(holds("/a/1/type", json!("home")) && !holds("/a/2/type", json!("home")));
        assert!(holds("/text", json!({"$re": "t.o$"})) && !holds("/text", json!({"$re": "three"})));
        assert!(holds("/text", json!({"$in": ["x", "one two"]})) && !holds("/text", json!({"$in": ["x"]})));
        assert!(holds("/c", json!({"$exists": false})) && !holds("/c", json!({"$exists": true})));
        assert!(holds("/a", json!({"$has": [{"type": "home"}]})) && !holds("/a", json!({"$has": [{"type": "x"}]})));
    }
}
