//! Runs one flow against a server and reports on each step.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderMap, Response};
use serde_json::{Map, Value};

use super::fixture::{Auth, Class, Expect, Flow, FollowUp, Step};
use super::matching::{differences, short};
use super::path;
use super::template::{Missing, Variables, plain};
use crate::server::{Mount, Server, catch_panic, percent_encode, random_uuid};

/// What became of a flow's steps.
pub(crate) struct FlowReport {
    pub(crate) flow: String,
    pub(super) steps: Vec<StepReport>,
}

pub(super) struct StepReport {
    number: usize,
    name: String,
    class: Class,
    counted: bool,
    outcome: Outcome,
    /// What was sent and received, for the message.
    exchanges: Vec<Exchange>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Passed,
    Failed(Vec<String>),
    /// A step before it failed, and left a variable unknown.
    Blocked(String),
}

impl FlowReport {
    /// The counted steps that passed, and the counted steps.
    pub(crate) fn tally(&self) -> (usize, usize) {
        let counted = self.steps.iter().filter(|step| step.counted);
        let passed = counted.clone().filter(|step| step.outcome == Outcome::Passed).count();
        (passed, counted.count())
    }

    pub(super) fn outcome_of(&self, step: &str) -> &Outcome {
        let found = self.steps.iter().find(|report| report.name == step);
        &found.unwrap_or_else(|| panic!("{} ran no step {step:?}", self.flow)).outcome
    }

    /// Fails with each step that did not pass, unless all did and there are as many as the flow counts.
    #[track_caller]
    pub(crate) fn assert_passed(&self, counted: usize) {
        // A step that cleans up what was rightly refused is blocked, and that is as it should be.
        let broken = self.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)));
        assert!(!broken && self.tally() == (counted, counted), "{self}");
    }
}

impl fmt::Display for FlowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, counted) = self.tally();
        writeln!(f, "{}: {passed} of {counted} counted steps passed", self.flow)?;
        for step in self.steps.iter().filter(|step| step.outcome != Outcome::Passed) {
            let kind = if step.counted { format!("{:?}", step.class) } else { "uncounted".to_owned() };
            writeln!(f, "  step {} ({kind}) {}", step.number, step.name)?;
            match &step.outcome {
                Outcome::Failed(why) => why.iter().try_for_each(|line| writeln!(f, "    - {line}"))?,
                Outcome::Blocked(why) => writeln!(f, "    blocked: {why}")?,
                Outcome::Passed => {}
            }
            for exchange in &step.exchanges {
                writeln!(f, "    > {} {}", exchange.line, exchange.sent.as_deref().unwrap_or(""))?;
                writeln!(f, "    < {} {}", exchange.status, String::from_utf8_lossy(&exchange.raw))?;
            }
        }
        Ok(())
    }
}

/// Runs the steps of a flow in order. A step that fails does not end the flow: later ones tell more.
pub(crate) async fn run(flow: &Flow, server: &impl Server, mount: Mount) -> FlowReport {
    let mut variables = Variables::default();
    variables.set("run", random_uuid()[..8].into());
    variables.set("base_url", mount.base.into());
    for (name, value) in &flow.vars {
        let value = variables.fill(value).unwrap_or_else(|missing| panic!("{}: {missing:?}", flow.flow));
        variables.set(name, value);
    }
    let mut runner = Runner { server, mount, headers: &flow.headers, variables };
    let mut steps = Vec::new();
    for (index, step) in flow.steps.iter().enumerate() {
        if step.only_if_missing.as_ref().is_some_and(|name| runner.variables.knows(name)) {
            continue;
        }
        let mut exchanges = Vec::new();
        let outcome = match runner.step(step, &mut exchanges).await {
            Ok(why) if why.is_empty() => Outcome::Passed,
            Ok(why) => Outcome::Failed(why),
            Err(Missing(name)) => Outcome::Blocked(name),
        };
        let name = step.name.clone();
        let report =
            StepReport { number: index + 1, name, class: step.class, counted: step.counted(), outcome, exchanges };
        steps.push(report);
    }
    FlowReport { flow: flow.flow.clone(), steps }
}

struct Runner<'a, S> {
    server: &'a S,
    mount: Mount,
    headers: &'a BTreeMap<String, String>,
    variables: Variables,
}

/// A request and its answer.
struct Exchange {
    line: String,
    sent: Option<String>,
    status: u16,
    headers: HeaderMap,
    raw: Vec<u8>,
    /// The answer as JSON; `None` where there is none, with the reason.
    body: Result<Value, String>,
}

impl<S: Server> Runner<'_, S> {
    /// Runs one step; returns what is wrong with its answers.
    async fn step(&mut self, step: &Step, exchanges: &mut Vec<Exchange>) -> Result<Vec<String>, Missing> {
        let exchange = match self.exchange(&RequestTemplate::from(step)).await? {
            Ok(exchange) => exchange,
            Err(failure) => return Ok(vec![failure]),
        };
        let mut why = check(&exchange, &step.expect, &self.variables)?;
        // A refusal that is wrong anyhow has nothing to capture: one line about it is enough.
        if why.is_empty() || exchange.status < 300 {
            why.extend(self.capture(&exchange, &step.capture));
            self.capture(&exchange, &step.capture_optional);
        }
        let look = step.follow_up.as_deref().filter(|_| why.is_empty() || exchange.status < 400);
        exchanges.push(exchange);
        if let Some(follow_up) = look {
            match self.exchange(&RequestTemplate::from(follow_up)).await? {
                Ok(exchange) => {
                    let found = check(&exchange, &follow_up.expect, &self.variables)?;
                    why.extend(found.into_iter().map(|line| format!("follow-up {}: {line}", exchange.line)));
                    why.extend(self.capture(&exchange, &follow_up.capture));
                    exchanges.push(exchange);
                }
                Err(failure) => why.push(format!("follow-up: {failure}")),
            }
        }
        Ok(why)
    }

    /// Sends one request. The inner error is a request that cannot be built, or a server that panicked.
    async fn exchange(&self, template: &RequestTemplate<'_>) -> Result<Result<Exchange, String>, Missing> {
        let mut target = self.variables.fill_text(template.path)?;
        if let Some(query) = template.query(&self.variables)? {
            target = format!("{target}?{query}");
        }
        let sent = template.body(&self.variables)?;
        let mut headers = Vec::new();
        for (name, value) in template.headers(self.headers, sent.is_some()) {
            headers.push((name.to_owned(), self.variables.fill_text(value)?));
        }
        match template.auth {
            Auth::Bearer => headers.push(("Authorization".to_owned(), format!("Bearer {}", self.mount.token))),
            Auth::Invalid => headers.push(("Authorization".to_owned(), "Bearer not-the-token".to_owned())),
            Auth::None => {}
        }
        let line = format!("{} {target}", template.method);
        let body = sent.clone().map(String::into_bytes);
        let request = match self.mount.request(template.method, &target, &headers, body) {
            Ok(request) => request,
            Err(error) => return Ok(Err(format!("{line}: cannot be sent: {error}"))),
        };
        Ok(match catch_panic(self.server.send(request)).await {
            Ok(response) => Ok(Exchange::new(line, sent, response)),
            Err(panic) => Err(format!("{line}: the server panicked: {panic}")),
        })
    }

    fn capture(&mut self, exchange: &Exchange, captures: &BTreeMap<String, String>) -> Vec<String> {
        let mut why = Vec::new();
        for (name, from) in captures {
            let value = match from.strip_prefix("header:") {
                Some(header) => exchange.header(header).map(Value::from),
                None => exchange.body.as_ref().ok().and_then(|body| path::at(body, from)).cloned(),
            };
            match value.filter(|value| !value.is_null()) {
                Some(value) => self.variables.set(name, value),
                None => why.push(format!("cannot capture {name} from {from}")),
            }
        }
        why
    }
}

impl Exchange {
    fn new(line: String, sent: Option<String>, response: Response<Vec<u8>>) -> Self {
        let (head, raw) = response.into_parts();
        let body = match raw.trim_ascii() {
            [] => Err(format!("an empty body with status {}", head.status.as_u16())),
            text => serde_json::from_slice(text).map_err(|error| format!("the body is not JSON: {error}")),
        };
        Self { line, sent, status: head.status.as_u16(), headers: head.headers, raw, body }
    }

    /// All values of a header, as one.
    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// What a step and a follow-up have in common.
struct RequestTemplate<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a Map<String, Value>>,
    raw_query: Option<&'a str>,
    query_space: &'a str,
    headers: Option<&'a BTreeMap<String, Option<String>>>,
    body: Option<&'a Value>,
    raw_body: Option<&'a str>,
    auth: Auth,
}

impl<'a> From<&'a Step> for RequestTemplate<'a> {
    fn from(step: &'a Step) -> Self {
        Self {
            method: &step.method,
            path: &step.path,
            query: step.query.as_ref(),
            raw_query: step.raw_query.as_deref(),
            query_space: step.query_space.as_deref().unwrap_or("%20"),
            headers: Some(&step.headers),
            body: step.body.as_ref(),
            raw_body: step.raw_body.as_deref(),
            auth: step.auth,
        }
    }
}

impl<'a> From<&'a FollowUp> for RequestTemplate<'a> {
    fn from(follow_up: &'a FollowUp) -> Self {
        Self {
            method: &follow_up.method,
            path: &follow_up.path,
            query: follow_up.query.as_ref(),
            raw_query: None,
            query_space: "%20",
            headers: None,
            body: None,
            raw_body: None,
            auth: Auth::Bearer,
        }
    }
}

impl RequestTemplate<'_> {
    fn query(&self, variables: &Variables) -> Result<Option<String>, Missing> {
        if let Some(raw) = self.raw_query {
            return variables.fill_text(raw).map(Some);
        }
        let Some(query) = self.query.filter(|query| !query.is_empty()) else { return Ok(None) };
        let mut pairs = Vec::new();
        for (name, value) in query {
            let value = percent_encode(plain(variables.fill(value)?).as_bytes()).replace("%20", self.query_space);
            pairs.push(format!("{}={value}", percent_encode(name.as_bytes())));
        }
        Ok(Some(pairs.join("&")))
    }

    fn body(&self, variables: &Variables) -> Result<Option<String>, Missing> {
        match (self.raw_body, self.body) {
            (Some(raw), _) => variables.fill_text(raw).map(Some),
            (None, Some(body)) => variables.fill(body).map(|body| Some(body.to_string())),
            (None, None) => Ok(None),
        }
    }

    /// The flow's headers and then the step's, which replace those of the same name.
    fn headers<'h>(&'h self, of_flow: &'h BTreeMap<String, String>, has_body: bool) -> Vec<(&'h str, &'h str)> {
        let is = |name: &'h str| move |other: &str| other.eq_ignore_ascii_case(name);
        let own = || self.headers.into_iter().flatten();
        let mut headers: Vec<(&str, &str)> = of_flow
            .iter()
            .filter(|(name, _)| has_body || !is("content-type")(name))
            .filter(|(name, _)| !own().any(|(own, _)| is(name)(own)))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.extend(own().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?))));
        if has_body && !headers.iter().any(|(name, _)| is("content-type")(name)) {
            headers.push(("Content-Type", "application/scim+json"));
        }
        headers
    }
}

/// What is wrong with an answer. A wrong status is all that is said: the rest would be noise.
fn check(exchange: &Exchange, expect: &Expect, variables: &Variables) -> Result<Vec<String>, Missing> {
    let mut why = Vec::new();
    if let Some(wanted) = expect.status.as_ref().filter(|statuses| !statuses.0.contains(&exchange.status)) {
        return Ok(vec![format!("status {}, expected {:?}", exchange.status, wanted.0)]);
    }
    for (name, wanted) in &expect.header_contains {
        let wanted = match variables.fill(wanted)? {
            Value::Array(several) => several.into_iter().map(plain).collect(),
            one => vec![plain(one)],
        };
        match exchange.header(name) {
            None => why.push(format!("header {name} is missing, expected {wanted:?}")),
            Some(value) => {
                let folded = value.to_lowercase();
                if !wanted.iter().any(|one| one == "*" || folded.contains(&one.to_lowercase())) {
                    why.push(format!("header {name}: {value:?} has none of {wanted:?}"));
                }
            }
        }
    }
    if expect.body_empty && !exchange.raw.trim_ascii().is_empty() {
        why.push(format!("the body should be empty: {:.80}", String::from_utf8_lossy(&exchange.raw)));
    }
    let conditional = expect.body_if.get(&exchange.status.to_string());
    for subset in expect.body_contains.iter().chain(conditional) {
        match &exchange.body {
            Ok(body) => why.extend(differences(&variables.fill(subset)?, Some(body), "$")),
            Err(reason) => why.push(reason.clone()),
        }
    }
    if let Ok(body) = &exchange.body {
        for absent in &expect.body_absent {
            let value = path::at(body, &variables.fill_text(absent)?);
            if value.is_some_and(|value| !is_unassigned(value)) {
                why.push(format!("{absent} must be absent, got {}", short(value)));
            }
        }
        if expect.no_null_values
            && let Some(place) = null_in(body)
        {
            why.push(format!("a null at {place}"));
        }
    }
    Ok(why)
}

fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The place of the first null, if there is one.
fn null_in(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Object(members) => {
            members.iter().find_map(|(key, value)| null_in(value).map(|place| format!(".{key}{place}")))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| null_in(item).map(|place| format!("[{index}]{place}")))
        }
        _ => None,
    }
}
