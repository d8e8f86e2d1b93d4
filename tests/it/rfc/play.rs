//! Plays a scene: sends what the RFC prints to a service in memory and sets what comes back against what the RFC prints.
//!
//! Ids and versions are the service's own. Each that an RFC prints stands for one of ours throughout a scene, which is put in its
//! place on the way in and taken back on the way out: a scene that mixes two of them up shows a difference.

use std::collections::{BTreeMap, BTreeSet};

use http::{Request, Response, Uri};
use scim_provider::{Compat, Service, TenantId};
use serde_json::{Value, json};

use super::catalogue::{Catalogue, Example, Scene};
use super::compare::{Differences, differences};
use super::hosts::{BASE, host};
use crate::scim::ready;

/// What became of the examples.
#[derive(Default)]
pub(super) struct Outcome {
    /// the examples that were sent, answered or set against an answer
    pub(super) played: BTreeSet<String>,
    pub(super) complaints: Vec<String>,
}

/// Plays a scene under one setting of the leniencies.
pub(super) fn play(catalogue: &Catalogue, scene: &Scene, compat: (&str, Compat), outcome: &mut Outcome) {
    let (setting, compat) = compat;
    let mut stage = Stage {
        catalogue,
        service: host(&scene.host, compat, catalogue),
        tenant: TenantId::new("a").unwrap(),
        ours: BTreeMap::new(),
        outcome,
        name: format!("{} ({setting})", scene.name),
        strict: compat == Compat::strict(),
    };
    scene.steps.iter().for_each(|step| stage.step(step));
}

struct Stage<'a> {
    catalogue: &'a Catalogue,
    service: Service<TenantId>,
    tenant: TenantId,
    /// ids and versions: what is printed, and ours
    ours: BTreeMap<String, String>,
    outcome: &'a mut Outcome,
    name: String,
    strict: bool,
}

/// A request as it is printed, or as the scene writes it.
struct Sent {
    example: Option<String>,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    /// the size that the body is to have
    bytes: usize,
}

impl Stage<'_> {
    fn step(&mut self, step: &Value) {
        for document in step["have"].as_array().into_iter().flatten() {
            let copies = document["copies"].as_u64().unwrap_or(1);
            (0..copies).for_each(|n| self.have(document, n));
        }
        if !step["send"].is_null() {
            self.exchange(step);
        }
    }

    /// Creates what the RFC takes for granted, under the printed id and version.
    fn have(&mut self, document: &Value, n: u64) {
        let document: Value = match document.as_str() {
            Some(example) => self.catalogue.body(example).clone(),
            None => map_texts(document, &|text| text.replace("{n}", &n.to_string())),
        };
        let group = document["schemas"][0].as_str().is_some_and(|schema| schema.ends_with("Group"));
        let path = if group { "/Groups" } else { "/Users" }.to_owned();
        let mut body = document.clone();
        let members = body.as_object_mut().unwrap();
        let other_spellings = members.remove("spellings");
        members.remove("copies");
        let sent =
            Sent { example: None, method: "POST".into(), path, headers: BTreeMap::new(), body: Some(body), bytes: 0 };
        let created = self.send(&sent);
        let answer = body_of(&created);
        assert_eq!(created.status(), 201, "{}: {answer}", self.name);
        self.learn(&document, &answer);
        let id = answer["id"].as_str().unwrap();
        for spelling in other_spellings.iter().flat_map(|list| list.as_array().unwrap()) {
            self.ours.insert(spelling.as_str().unwrap().to_owned(), id.to_owned());
        }
    }

    fn exchange(&mut self, step: &Value) {
        let sent = self.request(&step["send"]);
        let sent = self.as_it_can_be_sent(sent, step["answer"].as_str());
        let response = self.send(&sent);
        let answer = body_of(&response);
        let expected = step["answer"].as_str().map(|name| name.to_owned());
        let example = expected.as_deref().map(|name| name.split('#').next().unwrap());
        let example = example.map(|id| &self.catalogue.examples[id]);
        if let (Some(request), Some(Example { in_reply_to: Some(printed), .. })) = (&sent.example, example) {
            assert_eq!(request, printed, "{}: the RFC answers another request so", self.name);
        }
        let status = step["status"].as_u64().or(example.and_then(|example| example.status).map(u64::from));
        let status = status.unwrap_or(200);
        if u64::from(response.status().as_u16()) != status {
            let what = format!("{}: {} {}", self.name, sent.method, sent.path);
            self.outcome.complaints.push(format!("{what}: {} instead of {status}: {answer}", response.status()));
            return;
        }
        if let (Some(name), Some(example)) = (&expected, example) {
            let printed = self.catalogue.bodies.get(&example.id).map_or(&Value::Null, |_| self.catalogue.body(name));
            self.set_against(name, printed, example, &response, &answer);
        }
        if !step["has"].is_null() {
            self.learn(&step["has"], &answer);
            let found = self.as_printed(&answer);
            let differences = differences(&step["has"], &found, true);
            if !differences.is_empty() {
                self.outcome.complaints.push(format!("{}: {}: {differences:?}", self.name, sent.path));
            }
        }
    }

    /// Sets an answer against the printed one, headers included.
    fn set_against(
        &mut self,
        name: &str,
        printed: &Value,
        example: &Example,
        response: &Response<Vec<u8>>,
        answer: &Value,
    ) {
        let headers = headers_of(response);
        let printed_headers = json!(example.headers);
        self.learn(&printed_headers, &headers);
        self.learn(printed, answer);
        let (answer, headers) = (self.as_printed(answer), self.as_printed(&headers));
        let mut found = differences(&absolute(printed), &answer, example.elided);
        for (header, printed) in &example.headers {
            let one = differences(&json!({header: printed}), &json!({header: headers[header]}), true);
            found.extend(one.into_iter().map(|(at, values)| (format!("header{at}"), values)));
        }
        let version = answer["meta"]["version"].as_str();
        if version.is_some_and(|version| headers["ETag"] != version) {
            self.outcome.complaints.push(format!("{name}: ETag is {} and version {version:?}", headers["ETag"]));
        }
        self.outcome.played.insert(example.id.clone());
        judge(self.outcome, &self.name, name, &found, &self.catalogue.known(name));
    }

    /// What a step sends: an example, or what the scene writes out.
    fn request(&mut self, send: &Value) -> Sent {
        let text = |name: &str| send[name].as_str().map(str::to_owned);
        if let Some(id) = send.as_str() {
            let example = &self.catalogue.examples[id];
            assert_eq!(example.kind, "request", "{id}");
            self.outcome.played.insert(id.to_owned());
            return Sent {
                example: Some(id.to_owned()),
                method: example.method.clone().unwrap(),
                path: example.path.clone().unwrap(),
                headers: example.headers.clone(),
                body: self.catalogue.bodies.get(id).cloned(),
                bytes: 0,
            };
        }
        let mut body = match send["body"].as_str() {
            Some(id) => {
                self.outcome.played.insert(id.to_owned());
                Some(self.catalogue.body(id).clone())
            }
            None => send.get("body").cloned(),
        };
        for name in send["without"].as_array().into_iter().flatten() {
            body.as_mut().unwrap().as_object_mut().unwrap().remove(name.as_str().unwrap()).unwrap();
        }
        let example = text("as");
        self.outcome.played.extend(example.clone());
        let bytes = send["bytes"].as_u64().unwrap_or(0).try_into().unwrap();
        let headers = serde_json::from_value(send["headers"].clone()).unwrap_or_default();
        Sent { example, method: text("method").unwrap(), path: text("path").unwrap(), headers, body, bytes }
    }

    /// Changes what cannot be sent as it is printed, after a try that shows that it cannot.
    fn as_it_can_be_sent(&mut self, mut sent: Sent, answer: Option<&str>) -> Sent {
        let catalogue = self.catalogue;
        let changes = catalogue.resent.iter().filter(|change| Some(&change.example) == sent.example.as_ref());
        let changes: Vec<_> = changes.filter(|change| change.answer.as_deref() == answer).collect();
        let sendable = sent.path.parse::<Uri>().is_ok();
        // what is printed may be one of the forms that a lenient service understands
        if !changes.is_empty() && sendable && self.strict && !refused(&self.send(&sent)) {
            let example = &changes[0].example;
            self.outcome.complaints.push(format!("{example} can be sent as it is printed: no exception is needed"));
        }
        for change in changes {
            assert!(!change.because.is_empty());
            if change.at == "path" {
                assert_eq!(change.printed, json!(sent.path));
                sent.path = change.sent.as_str().unwrap().to_owned();
            } else {
                let place = sent.body.as_mut().unwrap().pointer_mut(&change.at).unwrap();
                assert_eq!(*place, change.printed);
                *place = change.sent.clone();
            }
        }
        sent
    }

    fn send(&self, sent: &Sent) -> Response<Vec<u8>> {
        let path: String = self.with_our_ids(&sent.path).split(' ').collect::<Vec<_>>().join("%20");
        let mut request =
            Request::builder().method(sent.method.as_str()).uri(path).header("Accept", "application/scim+json");
        for (name, value) in &sent.headers {
            request = request.header(name, self.ours.get(value).unwrap_or(value));
        }
        let mut body = Vec::new();
        if let Some(document) = &sent.body {
            request = request.header("Content-Type", "application/scim+json");
            body = map_texts(document, &|text| self.with_our_ids(text)).to_string().into_bytes();
        }
        body.resize(body.len().max(sent.bytes), b' ');
        ready(self.service.call(&self.tenant, request.body(body).unwrap()))
    }

    /// Remembers which of ours each printed id and version stands for, when it is seen for the first time.
    fn learn(&mut self, printed: &Value, ours: &Value) {
        match (printed, ours) {
            (Value::Object(printed), Value::Object(ours)) => {
                for (name, printed) in printed {
                    let Some(ours) = ours.get(name) else { continue };
                    match (name.as_str(), printed.as_str(), ours.as_str()) {
                        ("id" | "version" | "ETag" | "nextCursor", Some(printed), Some(ours)) => {
                            self.pair(printed, ours)
                        }
                        ("location" | "Location", Some(printed), Some(ours)) => {
                            self.pair(last_segment(printed), last_segment(ours));
                        }
                        _ => self.learn(printed, ours),
                    }
                }
            }
            (Value::Array(printed), Value::Array(ours)) => {
                printed.iter().zip(ours).for_each(|(printed, ours)| self.learn(printed, ours));
            }
            _ => {}
        }
    }

    fn pair(&mut self, printed: &str, ours: &str) {
        // resources may share a version, never an id
        let taken = !ours.starts_with("W/") && self.ours.values().any(|known| known == ours);
        if !self.ours.contains_key(printed) && !taken {
            self.ours.insert(printed.to_owned(), ours.to_owned());
        }
    }

    fn with_our_ids(&self, text: &str) -> String {
        if let Some(ours) = self.ours.get(text) {
            return ours.clone();
        }
        // the longer first: some ids are abbreviations of others
        let mut printed: Vec<_> = self.ours.iter().filter(|(printed, _)| !printed.starts_with("W/")).collect();
        printed.sort_by_key(|(printed, _)| std::cmp::Reverse(printed.len()));
        printed.into_iter().fold(text.to_owned(), |text, (printed, ours)| text.replace(printed.as_str(), ours))
    }

    fn as_printed(&self, answer: &Value) -> Value {
        map_texts(answer, &|text| {
            let mut known: Vec<_> = self.ours.iter().filter(|(printed, _)| !printed.starts_with("W/")).collect();
            known.sort_by_key(|(printed, _)| printed.contains("..."));
            known.into_iter().fold(text.to_owned(), |text, (printed, ours)| text.replace(ours.as_str(), printed))
        })
    }
}

/// Holds what was found against what is known, and both have to be the same.
pub(super) fn judge(outcome: &mut Outcome, scene: &str, example: &str, found: &Differences, known: &Differences) {
    for (at, (printed, ours)) in found {
        if known.get(at) != Some(&(printed.clone(), ours.clone())) {
            let row = json!([at, printed, ours]);
            outcome.complaints.push(format!("{example}: {row} in {scene}"));
        }
    }
    for at in known.keys().filter(|at| !found.contains_key(*at)) {
        outcome.complaints.push(format!("{example}: the exception at {at} is not needed in {scene}"));
    }
}

/// Whether a request did not succeed, or nothing of a bulk request did.
fn refused(response: &Response<Vec<u8>>) -> bool {
    let body = body_of(response);
    let statuses = body["Operations"].as_array().into_iter().flatten().map(|operation| operation["status"].as_str());
    let mut statuses = statuses.flatten();
    !response.status().is_success()
        || (body["Operations"].is_array() && statuses.all(|status| !status.starts_with('2')))
}

fn body_of(response: &Response<Vec<u8>>) -> Value {
    if response.body().is_empty() { Value::Null } else { serde_json::from_slice(response.body()).unwrap() }
}

fn headers_of(response: &Response<Vec<u8>>) -> Value {
    let text = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
    json!({"Location": text("location"), "ETag": text("etag")})
}

fn last_segment(location: &str) -> &str {
    location.trim_matches('"').rsplit('/').next().unwrap_or(location)
}

/// Relative references as what they mean: the RFC prints some, we none (RFC 7643 §2.3.7 allows both).
fn absolute(printed: &Value) -> Value {
    map_texts(printed, &|text| match text.strip_prefix("../") {
        Some(rest) => format!("{BASE}/{rest}"),
        None => text.to_owned(),
    })
}

fn map_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(elements) => elements.iter().map(|element| map_texts(element, change)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), map_texts(value, change))).collect()
        }
        other => other.clone(),
    }
}
