//! The laws. Each takes any bytes, and panics where the law is broken.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use http::{Method, Request, Response};
use scim_provider::filter::Path;
use scim_provider::{
    Compat, EnterpriseUser, Extension, Filter, Group, Limits, MemoryStore, Patch, Resource, ResourceType, Service,
    TenantId, User,
};

static USERS: LazyLock<ResourceType> = LazyLock::new(|| {
    let builder = User::resource_type().extension(EnterpriseUser::schema());
    builder.build().expect("the schemas of the RFC fit together")
});

static GROUPS: LazyLock<ResourceType> = LazyLock::new(|| Group::resource_type().build().expect("a group is a type"));

/// A user with a value of each kind.
static ADA: LazyLock<Resource> = LazyLock::new(|| {
    let json = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "Ada", "active": true,
        "name": {"familyName": "Lovelace", "givenName": "Ada"}, "title": "Countess", "nickName": "é\"",
        "emails": [{"value": "a@example.com", "type": "work", "primary": true}, {"value": "b@example.com"}],
        "x509Certificates": [{"value": "aGVsbG8="}], "meta": {"created": "2011-05-13T04:42:34Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "D", "manager": {"value": "2"}}
    }"#;
    Resource::from_stored(&USERS, json).expect("Ada is a user")
});

static CREW: LazyLock<Resource> = LazyLock::new(|| {
    let json = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "2", "displayName": "Crew",
        "members": [{"value": "1", "type": "User"}, {"value": "3"}]
    }"#;
    Resource::from_stored(&GROUPS, json).expect("the crew is a group")
});

/// A filter that parses prints as one that parses to the same; binding and evaluating it end in an answer, which is the
/// opposite of that of its negation, and the same for what was stored as for what is read anew.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let limits = Limits::default();
    let filter = match Filter::parse(text, &limits) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(error.span().end <= text.len(), "the span {:?} lies outside of {text:?}", error.span());
            let _ = (error.to_string(), format!("{error:#}"));
            return;
        }
    };
    // The canonical text may be longer than the limit that the written one keeps.
    let printed = filter.to_string();
    let again = Filter::parse(&printed, &Limits::dangerous_unlimited());
    assert_eq!(again.as_ref(), Ok(&filter), "{text:?} prints as {printed:?}");
    for (ty, resource) in [(&*USERS, &*ADA), (&*GROUPS, &*CREW)] {
        if let Ok(bound) = filter.bind(ty, Compat::default()) {
            let holds = bound.matches(resource);
            let negated = Filter::Not(Box::new(filter.clone())).bind(ty, Compat::default());
            assert!(
                negated.is_ok_and(|negated| negated.matches(resource) != holds),
                "{text:?} holds with its negation"
            );
            let pretty = resource.to::<serde_json::Value>().and_then(|value| serde_json::to_vec_pretty(&value));
            let again = Resource::from_stored(ty, pretty.expect("a resource is JSON")).expect("and stays one");
            assert_eq!(bound.matches(&again), holds, "{text:?} sees how a resource is written");
        }
        let _ = filter.bind(ty, Compat::strict()).map(|bound| bound.matches(resource));
    }
}

/// A PATCH path that parses prints as one that parses to the same.
pub fn path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(path) = Path::parse(text, &Limits::default()) {
        let printed = path.to_string();
        let again = Path::parse(&printed, &Limits::dangerous_unlimited());
        assert_eq!(again.as_ref(), Ok(&path), "{text:?} prints as {printed:?}");
    }
    let value = serde_json::json!("x");
    for op in ["add", "replace", "remove"] {
        let operation = serde_json::json!({"op": op, "path": text, "value": value});
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let body = serde_json::json!({"schemas": schemas, "Operations": [operation]});
        patch(body.to_string().as_bytes());
    }
}

/// A PATCH either fails or yields a resource in canonical form; one without effect changes no byte.
pub fn patch(data: &[u8]) {
    let limits = Limits::default();
    for (ty, resource) in [(&*USERS, &*ADA), (&*GROUPS, &*CREW)] {
        for compat in [Compat::default(), Compat::strict()] {
            let changes = Patch::parse(data, &limits).and_then(|patch| patch.bind(ty, compat, &limits));
            let Ok(patched) = changes.and_then(|changes| changes.apply(resource)) else { continue };
            canonical(ty, patched.resource.as_json());
            assert_eq!(patched.resource.id(), resource.id(), "a PATCH changed the id");
            if !patched.changed {
                assert_eq!(text(&patched.resource), text(resource), "a PATCH without effect had one");
            }
        }
    }
}

/// A body either fails or yields a resource in canonical form. What a store hands back is trusted to be what it was given,
/// so of other bytes only this is asked: an answer.
pub fn resource(data: &[u8]) {
    for ty in [&*USERS, &*GROUPS] {
        if let Ok(resource) = Resource::parse(ty, data) {
            canonical(ty, resource.as_json());
        }
        if let Ok(resource) = Resource::from_stored(ty, data) {
            let _ = (resource.id(), resource.version(), resource.created(), resource.text("userName"));
            let _ = (resource.get("emails.value"), resource.to::<serde_json::Value>());
        }
    }
}

/// Any query string gets a SCIM answer, for each resource type.
pub fn query(data: &[u8]) {
    static READ_ONLY: LazyLock<Host> = LazyLock::new(Host::new);
    for endpoint in ["/Users", "/Groups", "/Users/{user}", "/Schemas"] {
        let Some(target) = READ_ONLY.target(&[endpoint.as_bytes(), b"?", data].concat()) else { return };
        let Ok(request) = Request::builder().uri(target).body(Vec::new()) else { return };
        READ_ONLY.answers(request);
    }
}

/// Any request gets a SCIM answer. The first line is the method, the target (`{user}` and `{group}` stand for the ids), and
/// the names and values of headers, a tab between them; the rest is the body.
pub fn request(data: &[u8]) {
    let (line, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[][..]),
    };
    let mut words = line.split(|byte| *byte == b'\t');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Ok(method) = Method::from_bytes(method) else { return };
    let host = Host::new();
    let Some(target) = host.target(target) else { return };
    let mut request = Request::builder().method(method).uri(target);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        request = request.header(name, value);
    }
    if let Ok(request) = request.body(body.to_vec()) {
        host.answers(request);
    }
}

/// Any body of a bulk request gets a SCIM answer, and leaves everything readable and without a reference by `bulkId`.
pub fn bulk(data: &[u8]) {
    let host = Host::new();
    let request = |method: Method, target: &str, body: &[u8]| {
        let request = Request::builder().method(method).uri(format!("/scim/v2{target}"));
        request.header("content-type", "application/scim+json").body(body.to_vec()).expect("the request is well-formed")
    };
    let text = String::from_utf8_lossy(data).replace("{user}", &host.user).replace("{group}", &host.group);
    host.answers(request(Method::POST, "/Bulk", text.as_bytes()));
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    for target in ["/Groups?attributes=members.value&count=200", &format!("/Users?attributes={manager}&count=200")] {
        let found = host.call(request(Method::GET, target, b""));
        assert_eq!(found.status(), 200);
        let found = String::from_utf8_lossy(found.body());
        assert!(!found.contains("\"bulkId:"), "{found}");
    }
}

/// Any cursor is refused, or one of the query: then a page that can be had without it.
pub fn cursor(data: &[u8]) {
    let host = Host::new();
    let text: String = data.iter().map(|byte| format!("%{byte:02x}")).collect();
    for query in ["count=1", "count=1&sortBy=userName", "count=1&sortBy=meta.created&filter=active%20pr"] {
        let uri = format!("/scim/v2/Users?{query}&cursor={text}");
        let Ok(request) = Request::get(uri).body(Vec::new()) else { return };
        let response = host.call(request);
        assert!(response.status() == 200 || response.status() == 400, "{}", response.status());
    }
}

/// A service over a store with a user and a group: each run starts from the same.
struct Host {
    service: Service<TenantId>,
    user: String,
    group: String,
}

impl Host {
    fn new() -> Self {
        let store = MemoryStore::new();
        let service = Service::builder("https://scim.example.com/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
            .resource(Group::resource_type(), store)
            .build()
            .expect("the service is complete");
        let mut host = Self { service, user: String::new(), group: String::new() };
        host.user = host.create("/scim/v2/Users", &ADA);
        host.group = host.create("/scim/v2/Groups", &CREW);
        host
    }

    fn create(&self, target: &str, resource: &Resource) -> String {
        let request = Request::post(target).header("content-type", "application/scim+json");
        let response = self.call(request.body(resource.as_json().to_vec()).expect("the request is well-formed"));
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
        body["id"].as_str().unwrap_or_else(|| panic!("POST {target}: {} {body}", response.status())).to_owned()
    }

    /// The path with ids in it.
    fn target(&self, target: &[u8]) -> Option<String> {
        let target = std::str::from_utf8(target).ok()?;
        Some(format!("/scim/v2{}", target.replace("{user}", &self.user).replace("{group}", &self.group)))
    }

    /// What the service answers is JSON and never a failure of the server; a refusal is a SCIM error.
    fn answers(&self, request: Request<Vec<u8>>) {
        let line = format!("{} {}", request.method(), request.uri());
        let response = self.call(request);
        let (status, body) = (response.status(), String::from_utf8_lossy(response.body()));
        assert!(!status.is_server_error() || status == 501, "{line}: {status} {body}");
        if body.is_empty() {
            return;
        }
        match serde_json::from_slice::<serde_json::Value>(response.body()) {
            Ok(json) if status.is_client_error() => {
                assert_eq!(json["status"], status.as_str(), "{line}: a refusal without a SCIM error: {body}");
            }
            Ok(_) => {}
            Err(error) => panic!("{line}: not JSON: {error}: {body}"),
        }
    }

    /// Nothing in memory waits, though it gives way to others now and then.
    fn call(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let tenant = TenantId::new("a").expect("a name");
        let mut future = pin!(self.service.call(&tenant, request));
        for _ in 0..10_000 {
            if let Poll::Ready(response) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return response;
            }
        }
        panic!("the service waits for something")
    }
}

/// What a store keeps is taken back as it is, and is JSON to everybody else, too.
fn canonical(ty: &ResourceType, json: &[u8]) {
    let shown = || String::from_utf8_lossy(json);
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(json) {
        panic!("not JSON: {error}: {}", shown());
    }
    match Resource::from_stored(ty, json) {
        Ok(again) => assert_eq!(text(&again), shown(), "the canonical form changed"),
        Err(error) => panic!("the canonical form is refused: {error}: {}", shown()),
    }
}

fn text(resource: &Resource) -> String {
    String::from_utf8_lossy(resource.as_json()).into_owned()
}
