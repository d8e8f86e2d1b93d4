//! Fires the items at a server: makes the users and the group that an item is about, builds its request, judges the
//! answer, and takes away what it made.

use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};
use regex_lite::Regex;
use serde_json::{Value, json};

use super::build::{Names, build};
use super::effects::{self, Before};
use super::item::{Item, Layer};
use super::verdict::{Finding, Report, Verdict};
use crate::server::{Mount, Server, catch_panic, percent_encode};

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What no answer may hold: the marks of stack traces, panics, databases and file systems.
const LEAKS: [&str; 9] = [
    r"panicked at",
    r"RUST_BACKTRACE",
    r"\.rs:\d+",
    r"SQLSTATE",
    r"sqlite3?\.|SQLITE_[A-Z]",
    r"syntax error at or near",
    r"/home/\w+|/root/\w+|\.cargo/",
    r"Traceback \(most recent",
    r"(?:called `\w+::\w+\(\)` on|index out of bounds|overflow when)",
];

/// Fires all items. The server lets in `mount.token` and nobody else.
pub(crate) async fn run(items: &[Item], server: &impl Server, mount: Mount) -> Report {
    let leaks = LEAKS.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
    let mut attack = Attack { server, mount, leaks, bulk: false, etag: false, sequence: 0 };
    let config = attack.get("/ServiceProviderConfig").await;
    assert_eq!(config.status, 200, "no SCIM server answers: {}", config.text());
    let supports = |name: &str| config.json().is_some_and(|config| config[name]["supported"] == true);
    (attack.bulk, attack.etag) = (supports("bulk"), supports("etag"));

    let mut report = Report::default();
    for item in items {
        report.findings.push(attack.fire(item).await);
    }
    let config = attack.get("/ServiceProviderConfig").await;
    assert_eq!(config.status, 200, "the server no longer answers: {}", config.text());
    report
}

pub(super) struct Attack<'a, S> {
    server: &'a S,
    mount: Mount,
    leaks: Vec<Regex>,
    bulk: bool,
    etag: bool,
    sequence: u32,
}

/// An answer, or what came instead of it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    time: Duration,
    panic: Option<String>,
}

impl Answer {
    pub(super) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request before it is built.
#[derive(Debug, Default)]
struct Shot {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl<S: Server> Attack<'_, S> {
    pub(super) fn supports(&self, feature: &str) -> bool {
        match feature {
            "bulk" => self.bulk,
            "etag" => self.etag,
            _ => true,
        }
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        let shot = self.authorized("GET", target, None);
        self.send(&shot).await.unwrap_or_else(|error| panic!("GET {target}: {error}"))
    }

    async fn fire(&mut self, item: &Item) -> Finding {
        let mut finding = Finding {
            id: item.id.clone(),
            name: item.name.clone(),
            why_it_hurts: item.why.clone(),
            request: String::new(),
            status: None,
            verdicts: Vec::new(),
        };
        if item.send.raw.is_some() {
            finding.verdicts.push((Verdict::Skipped, "is about the bytes on the wire".into()));
            return finding;
        }
        let (names, mut made) = self.prepare(item).await;
        let before = Before::read(self, &names).await;
        let shot = self.shot(item, &names);
        finding.request = format!("{} {}", shot.method, shot.target);
        match self.send(&shot).await {
            Err(error) => finding.verdicts.push((Verdict::Skipped, format!("no request at all: {error}"))),
            Ok(answer) => {
                finding.status = Some(answer.status);
                finding.verdicts = self.judge(item, &shot, &answer);
                if answer.panic.is_none() && !self.does_without(item, &answer) {
                    let broken = effects::broken(self, item, &names, &answer, &before).await;
                    finding.verdicts.extend(broken.into_iter().map(|why| (Verdict::Effect, why)));
                }
                finding.verdicts.sort();
                made.extend(
                    answer.json().filter(|_| answer.status == 201).and_then(|body| made_at(&shot.target, &body)),
                );
            }
        }
        for target in made {
            let _ = self.send(&self.authorized("DELETE", &target, None)).await;
        }
        finding
    }

    /// Makes the two users that each item has, the group of those that speak of one, and what `setup` asks for.
    async fn prepare(&mut self, item: &Item) -> (Names, Vec<String>) {
        self.sequence += 1;
        let number = self.sequence;
        let (user, other) = (format!("alice-{number}@example.com"), format!("alice-{number}-2@example.com"));
        let (user_id, other_id) = (self.make_user(&user).await, self.make_user(&other).await);
        let mut names = Names::default();
        names.set("USER_ID_UPPER", user_id.to_uppercase());
        names.set("USER_ID", user_id);
        names.set("USER2_ID", other_id);
        names.set("USER_NAME", user);
        names.set("TOKEN", self.mount.token);
        names.set("PREFIX", self.mount.prefix());
        names.set("N", number.to_string());
        names.set("GROUP_ID", "none");
        let mut made = vec![format!("/Users/{}", names.get("USER_ID")), format!("/Users/{}", names.get("USER2_ID"))];
        if item.wants_a_group() {
            let members = json!([{"value": names.get("USER_ID")}]);
            let group = json!({"schemas": [GROUP], "displayName": format!("group-{number}"), "members": members});
            names.set("GROUP_ID", self.make("/Groups", &group).await);
            made.push(format!("/Groups/{}", names.get("GROUP_ID")));
        }
        for setup in &item.setup {
            let id = self.make_user(&names.fill(&setup.create_user.user_name)).await;
            made.push(format!("/Users/{id}"));
        }
        (names, made)
    }

    async fn make_user(&self, name: &str) -> String {
        let user = json!({
            "schemas": [USER], "userName": name, "displayName": "Alice", "active": true, "password": "SENTINEL-pw-7f3",
            "name": {"givenName": "Al", "familyName": "Ice"},
            "emails": [{"value": "alice@example.com", "type": "work", "primary": true}],
        });
        self.make("/Users", &user).await
    }

    async fn make(&self, target: &str, resource: &Value) -> String {
        let shot = self.authorized("POST", target, Some(resource.to_string().into_bytes()));
        let answer = self.send(&shot).await.unwrap();
        let id = answer.json().and_then(|body| body["id"].as_str().map(str::to_owned));
        id.unwrap_or_else(|| panic!("POST {target} {resource}: {} {}", answer.status, answer.text()))
    }

    fn authorized(&self, method: &str, target: &str, body: Option<Vec<u8>>) -> Shot {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {}", self.mount.token))];
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/scim+json".to_owned()));
        }
        Shot { method: method.to_owned(), target: target.to_owned(), headers, body }
    }

    /// The request of an item: what `send` says, and what its layer implies.
    fn shot(&self, item: &Item, names: &Names) -> Shot {
        let send = &item.send;
        let input = item.input.as_ref().map(|input| build(input, names)).unwrap_or_default();
        let target = |default: &str| names.fill(send.target.as_deref().unwrap_or(default));
        let mut shot = if let Some(query) = &send.raw_query {
            self.authorized("GET", &format!("/Users?{}", names.fill(query)), None)
        } else {
            match item.layer {
                Layer::Filter if send.method.is_none() => self.filter(&input, send.via.as_deref() == Some("get")),
                Layer::Query if send.method.is_none() => {
                    self.authorized("GET", &format!("/Users?{}", String::from_utf8_lossy(&input)), None)
                }
                Layer::Path if send.whole_body.is_none() => {
                    let path = String::from_utf8_lossy(&input);
                    let operation = json!({"op": "replace", "path": path, "value": "x"});
                    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
                    self.authorized("PATCH", &target("/Users/${USER_ID}"), Some(body.to_string().into_bytes()))
                }
                Layer::Path | Layer::Patch => self.authorized("PATCH", &target("/Users/${USER_ID}"), Some(input)),
                Layer::JsonBody => {
                    self.authorized(send.method.as_deref().unwrap_or("POST"), &target("/Users"), Some(input))
                }
                Layer::Bulk => self.authorized("POST", "/Bulk", Some(input)),
                Layer::Filter | Layer::Query | Layer::Http => {
                    let body = send.body.as_ref().map(|body| build(body, names));
                    self.authorized(send.method.as_deref().unwrap_or("GET"), &target("/Users"), body)
                }
            }
        };
        if let Some(auth) = &send.auth {
            shot.headers.retain(|(name, _)| name != "Authorization");
            let auth = String::from_utf8(build(auth, names)).unwrap();
            if auth != "none" {
                shot.headers.push(("Authorization".to_owned(), auth));
            }
        }
        for (name, value) in &send.headers {
            shot.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            shot.headers.push((name.clone(), names.fill(value)));
        }
        shot.headers.extend(send.host.iter().map(|host| ("Host".to_owned(), host.clone())));
        shot.headers.extend(send.raw_headers.iter().map(|(name, value)| (name.clone(), names.fill(value))));
        shot
    }

    /// A filter goes into the URL, and into a search request where a server's limit on URLs would hide its own.
    fn filter(&self, filter: &[u8], in_the_url: bool) -> Shot {
        const LONGEST: usize = 12_000;
        let encoded = percent_encode(filter);
        if encoded.len() <= LONGEST || in_the_url {
            return self.authorized("GET", &format!("/Users?filter={encoded}"), None);
        }
        let body = json!({"schemas": [SEARCH_REQUEST], "filter": String::from_utf8_lossy(filter)});
        self.authorized("POST", "/Users/.search", Some(body.to_string().into_bytes()))
    }

    async fn send(&self, shot: &Shot) -> Result<Answer, String> {
        let request = self.mount.request(&shot.method, &shot.target, &shot.headers, shot.body.clone())?;
        let start = Instant::now();
        let result = catch_panic(self.server.send(request)).await;
        let time = start.elapsed();
        Ok(match result {
            Ok(response) => {
                let (head, body) = response.into_parts();
                Answer { status: head.status.as_u16(), headers: head.headers, body, time, panic: None }
            }
            Err(panic) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
                Answer { status, headers: HeaderMap::new(), body: Vec::new(), time, panic: Some(panic) }
            }
        })
    }

    /// Judges the answer itself.
    fn judge(&self, item: &Item, shot: &Shot, answer: &Answer) -> Vec<(Verdict, String)> {
        if let Some(panic) = &answer.panic {
            return vec![(Verdict::Panic, panic.clone())];
        }
        let mut verdicts = Vec::new();
        let Answer { status, body, time, .. } = answer;
        let expected = &item.expect.status;
        if (500..600).contains(status) && *status != 501 && !expected.contains(status) {
            verdicts.push((Verdict::ServerError, format!("{status} {:.200}", answer.text())));
        }
        if let Some(leak) = self.leak(shot, body) {
            verdicts.push((Verdict::Leak, format!("the answer holds {leak:?}")));
        }
        if *time > Duration::from_millis(item.expect.max_ms) * self.server.patience() {
            verdicts.push((Verdict::Slow, format!("{} ms, at most {}", time.as_millis(), item.expect.max_ms)));
        }
        if !verdicts.is_empty() {
            return verdicts;
        }
        if self.does_without(item, answer) {
            return vec![(Verdict::Skipped, format!("{status} for a feature that is not supported"))];
        }
        if !expected.contains(status) {
            let verdict = if answer.succeeded() { Verdict::Lenient } else { Verdict::WrongRefusal };
            verdicts.push((verdict, format!("status {status}, expected {expected:?}: {:.200}", answer.text())));
        }
        if (400..500).contains(status) && item.layer != Layer::Http {
            verdicts.extend(wrong_message(item, answer));
        }
        verdicts
    }

    /// The first mark of internals that the answer has and the request had not.
    fn leak(&self, shot: &Shot, body: &[u8]) -> Option<String> {
        let body = String::from_utf8_lossy(body);
        let sent = String::from_utf8_lossy(shot.body.as_deref().unwrap_or_default());
        self.leaks.iter().find_map(|leak| {
            let found = leak.find(&body)?.as_str();
            (!leak.is_match(&sent) && !leak.is_match(&shot.target)).then(|| found.to_owned())
        })
    }

    /// Whether the item is about a feature that the server neither has nor claims.
    fn does_without(&self, item: &Item, answer: &Answer) -> bool {
        item.feature().is_some_and(|feature| !self.supports(feature)) && matches!(answer.status, 400 | 404 | 405 | 501)
    }
}

/// Where a resource was made that the item did not have before.
fn made_at(target: &str, body: &Value) -> Option<String> {
    let endpoint = if target.starts_with("/Groups") { "/Groups" } else { "/Users" };
    Some(format!("{endpoint}/{}", body["id"].as_str()?))
}

/// A refusal must be a SCIM error, with one of the item's keywords.
fn wrong_message(item: &Item, answer: &Answer) -> Option<(Verdict, String)> {
    let message = answer.json().filter(|message| {
        message["schemas"].as_array().is_some_and(|schemas| schemas.iter().any(|schema| schema == ERROR))
    });
    let Some(message) = message else {
        return Some((Verdict::NotScim, format!("{} without a SCIM error: {:.200}", answer.status, answer.text())));
    };
    let expected = item.expect.scim_type.as_ref()?;
    let decides = matches!(answer.status, 400 | 409) && item.expect.status.contains(&answer.status);
    let got = message["scimType"].as_str();
    let right = got.is_some_and(|got| expected.iter().any(|one| one == got));
    (decides && !right).then(|| (Verdict::WrongRefusal, format!("scimType {got:?}, expected {expected:?}: {message}")))
}
