//! A client of the service: requests are written down as they are made, so that a failure can say what was sent.

use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use crate::conformance::verdict::Log;
use crate::conformance::{ServiceFixture, Stop, Tenant, Verdict};

pub(super) const SCIM_JSON: &str = "application/scim+json";

/// One client of one tenant, with the headers that it always sends.
pub(super) struct Client<'f, F> {
    fixture: &'f F,
    tenant: Tenant,
    headers: Vec<(&'static str, String)>,
    pub(super) log: Log,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    log: Log,
}

impl<'f, F: ServiceFixture> Client<'f, F> {
    pub(super) fn new(fixture: &'f F, section: &'static str) -> Self {
        let headers = vec![("content-type", SCIM_JSON.to_owned()), ("accept", SCIM_JSON.to_owned())];
        Self { fixture, tenant: Tenant::A, headers, log: Log::new(section) }
    }

    /// The same client with another header, or another value for one.
    pub(super) fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut headers = self.headers.clone();
        headers.retain(|(kept, _)| *kept != name);
        headers.push((name, value.into()));
        Self { fixture: self.fixture, tenant: self.tenant, headers, log: self.log.clone() }
    }

    /// The same client for the other tenant.
    pub(super) fn of_the_other_tenant(&self) -> Self {
        Self { fixture: self.fixture, tenant: Tenant::B, headers: self.headers.clone(), log: self.log.clone() }
    }

    pub(super) async fn get(&self, target: &str) -> Result<Answer, Stop> {
        self.send("GET", target, None).await
    }

    pub(super) async fn post(&self, target: &str, body: Value) -> Result<Answer, Stop> {
        self.send("POST", target, Some(body.to_string())).await
    }

    pub(super) async fn put(&self, target: &str, body: Value) -> Result<Answer, Stop> {
        self.send("PUT", target, Some(body.to_string())).await
    }

    /// A PATCH with these operations.
    pub(super) async fn patch(&self, target: &str, operations: Value) -> Result<Answer, Stop> {
        let body =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}).to_string();
        self.send("PATCH", target, Some(body)).await
    }

    pub(super) async fn delete(&self, target: &str) -> Result<Answer, Stop> {
        self.send("DELETE", target, None).await
    }

    /// Sends a request. Blanks and quotes of the target are encoded.
    pub(super) async fn send(&self, method: &str, target: &str, body: Option<String>) -> Result<Answer, Stop> {
        let encoded: String = target.chars().map(encoded).collect();
        let mut request = Request::builder().method(method).uri(&encoded);
        for (name, value) in &self.headers {
            if body.is_some() || *name != "content-type" {
                request = request.header(*name, value);
            }
        }
        let told = body.clone().unwrap_or_default();
        let request = request.body(body.unwrap_or_default().into_bytes());
        let request = request.map_err(|e| self.log.failure("a request that can be sent", e.to_string()))?;
        let (head, bytes) = self.fixture.call(self.tenant, request).await.into_parts();
        let answer = String::from_utf8_lossy(&bytes);
        self.log.step(format!("{}: {method} {encoded} {told}: {} {answer}", self.tenant, head.status));
        let body = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        let body = body.map_err(|e| self.log.failure("an answer in JSON", e.to_string()))?;
        Ok(Answer { status: head.status, headers: head.headers, body, log: self.log.clone() })
    }

    /// Creates a resource; the case does not apply where the service does not.
    pub(super) async fn create(&self, endpoint: &str, body: Value) -> Result<Answer, Stop> {
        let answer = self.post(endpoint, body).await?;
        if answer.status == StatusCode::NOT_IMPLEMENTED {
            return Err(Stop::NotApplicable("the service does not create resources"));
        }
        answer.is(201)?;
        self.log.expect(!answer.id().is_empty(), "an answer with an `id`", answer.body.to_string())?;
        Ok(answer)
    }

    pub(super) async fn create_user(&self, name: &str) -> Result<Answer, Stop> {
        self.create("/Users", user(name)).await
    }

    /// Reads a resource that has to be there.
    pub(super) async fn read(&self, target: &str) -> Result<Answer, Stop> {
        let answer = self.get(target).await?;
        answer.is(200)?;
        Ok(answer)
    }

    /// Checks how many resources a query finds.
    pub(super) async fn finds(&self, target: &str, total: usize) -> Result<Answer, Stop> {
        let answer = self.read(target).await?;
        answer.has("totalResults", json!(total))?;
        Ok(answer)
    }

    /// Goes on only where the service serves groups.
    pub(super) async fn needs_groups(&self) -> Verdict {
        let missing = self.get("/Groups?count=0").await?.status == StatusCode::NOT_FOUND;
        if missing { Err(Stop::NotApplicable("the service serves no groups")) } else { Ok(()) }
    }

    /// Goes on only where the service deletes.
    pub(super) async fn remove(&self, target: &str) -> Result<Answer, Stop> {
        let answer = self.delete(target).await?;
        if answer.status == StatusCode::NOT_IMPLEMENTED {
            return Err(Stop::NotApplicable("the service does not delete resources"));
        }
        answer.is(204)?;
        Ok(answer)
    }
}

impl Answer {
    pub(super) fn id(&self) -> &str {
        self.at("id").as_str().unwrap_or_default()
    }

    /// One member of the body, by a JSON pointer without its leading slash; `Null` where there is none.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        at(&self.body, pointer)
    }

    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn etag(&self) -> &str {
        self.header(ETAG)
    }

    pub(super) fn location(&self) -> &str {
        self.header(LOCATION)
    }

    pub(super) fn media_type(&self) -> &str {
        self.header(CONTENT_TYPE).split(';').next().unwrap_or_default().trim()
    }

    pub(super) fn is(&self, status: u16) -> Verdict {
        self.log.expect(self.status.as_u16() == status, format!("status {status}"), self.status.to_string())
    }

    /// Checks that a change was accepted: 200 with the resource, or 204.
    pub(super) fn accepted(&self) -> Verdict {
        let accepted = matches!(self.status.as_u16(), 200 | 204);
        self.log.expect(accepted, "status 200 or 204", self.status.to_string())
    }

    /// Checks one member of the body, by a JSON pointer without its leading slash. `Null` means absent.
    pub(super) fn has(&self, pointer: &str, value: Value) -> Verdict {
        let found = self.at(pointer);
        self.log.expect(*found == value, format!("`{pointer}` to be {value}"), found.to_string())
    }

    /// Checks that the answer is a SCIM error (RFC 7644 §3.12).
    pub(super) fn is_error(&self, status: u16, scim_type: Option<&str>) -> Verdict {
        self.is(status)?;
        self.has("schemas/0", json!("urn:ietf:params:scim:api:messages:2.0:Error"))?;
        self.has("status", json!(status.to_string()))?;
        scim_type.map_or(Ok(()), |scim_type| self.has("scimType", json!(scim_type)))
    }

    /// The ids of a group's members, sorted.
    pub(super) fn members(&self) -> Vec<&str> {
        let members = self.at("members").as_array().map(Vec::as_slice).unwrap_or_default();
        let mut ids: Vec<&str> = members.iter().filter_map(|member| at(member, "value").as_str()).collect();
        ids.sort_unstable();
        ids
    }

    /// Checks a group's members.
    pub(super) fn has_members(&self, wanted: &[&str]) -> Verdict {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        self.log.expect(self.members() == wanted, format!("members {wanted:?}"), format!("{:?}", self.members()))
    }
}

/// A user with a name and nothing else.
pub(super) fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name})
}

pub(super) fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members})
}

/// One member of a value, by a JSON pointer without its leading slash; `Null` where there is none.
pub(super) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    static NULL: Value = Value::Null;
    value.pointer(&format!("/{pointer}")).unwrap_or(&NULL)
}

/// Sets one member of an object, by a JSON pointer without its leading slash.
pub(super) fn set(object: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').map_or((String::new(), pointer), |(p, n)| (format!("/{p}"), n));
    if let Some(members) = object.pointer_mut(&parent).and_then(Value::as_object_mut) {
        members.insert(name.to_owned(), value);
    }
}

fn encoded(char: char) -> String {
    match char {
        ' ' => "%20".to_owned(),
        '"' => "%22".to_owned(),
        '[' => "%5B".to_owned(),
        ']' => "%5D".to_owned(),
        char => char.to_string(),
    }
}
