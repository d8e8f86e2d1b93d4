//! A service in memory and what a test asks of its answers: the words that the tests of the rules are written in.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use http::{HeaderMap, Request, StatusCode};
use scim_provider::schema::{ResourceTypeBuilder, Uniqueness};
use scim_provider::{
    Compat, Cost, EnterpriseUser, Exchange, Extension, Group, Leniency, Limits, MemoryStore, Observer, ScimType,
    Service, ServiceBuilder, TenantId, User,
};
use serde_json::{Value, json};

pub(crate) const BASE: &str = "https://scim.example.com/scim/v2";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const DEVICE: &str = "urn:example:params:scim:schemas:2.0:Device";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
pub(crate) const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
pub(crate) const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub(crate) const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A service provider in this process.
pub(crate) struct Scim {
    pub(crate) service: Service<TenantId>,
    tenant: TenantId,
    log: Log,
}

impl Scim {
    /// Users with the enterprise extension, groups and devices in memory; every leniency is on.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// The same without any leniency.
    pub(crate) fn strict() -> Self {
        Self::with(|builder| builder.compat(Compat::strict()))
    }

    pub(crate) fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        Self::with(|builder| builder.limits(limits))
    }

    pub(crate) fn with(configure: impl FnOnce(ServiceBuilder<TenantId>) -> ServiceBuilder<TenantId>) -> Self {
        let store = MemoryStore::new();
        Self::of(configure(
            Service::builder(BASE)
                .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
                .resource(groups(), store.clone())
                .resource(crate::rules::devices::device(), store),
        ))
    }

    /// A service of other resource types or stores.
    pub(crate) fn of(builder: ServiceBuilder<TenantId>) -> Self {
        let log = Log::default();
        let service = builder.observer(log.clone()).build().unwrap();
        Self { service, tenant: TenantId::new("a").unwrap(), log }
    }

    /// The same service for another tenant.
    pub(crate) fn tenant(&self, name: &str) -> Self {
        Self { service: self.service.clone(), tenant: TenantId::new(name).unwrap(), log: self.log.clone() }
    }

    /// Sends a request. `target` begins behind the base URL's path.
    #[track_caller]
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/scim/v2{target}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = ready(self.service.call(&self.tenant, request.body(body.into()).unwrap()));
        let (head, text) = response.into_parts();
        // on every answer of every test, whatever it is: nobody keeps it, nobody guesses what it is
        assert_eq!(
            head.headers.get("cache-control").map(|v| v.as_bytes()),
            Some(&b"no-store"[..]),
            "{method} {target}"
        );
        assert_eq!(head.headers.get("x-content-type-options").map(|v| v.as_bytes()), Some(&b"nosniff"[..]));
        // and what has a body is said to be what it is
        let kind = head.headers.get("content-type").map(|kind| kind.as_bytes());
        let accepts_json = headers.iter().any(|(name, _)| *name == "accept");
        let known = kind == Some(b"application/scim+json") || (accepts_json && kind == Some(b"application/json"));
        assert!(text.is_empty() || known, "{method} {target}: {kind:?}");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_slice(&text).unwrap() };
        let exchange = self.log.0.lock().unwrap().last().cloned().unwrap_or_default();
        Answer { status: head.status, headers: head.headers, body, text, exchange }
    }

    #[track_caller]
    fn write(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [&[("content-type", "application/scim+json")], headers].concat();
        self.send(method, target, &headers, body.to_string())
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], "")
    }

    #[track_caller]
    pub(crate) fn post(&self, target: &str, body: Value) -> Answer {
        self.write("POST", target, &[], &body)
    }

    #[track_caller]
    pub(crate) fn put(&self, target: &str, body: Value) -> Answer {
        self.write("PUT", target, &[], &body)
    }

    #[track_caller]
    pub(crate) fn delete(&self, target: &str) -> Answer {
        self.send("DELETE", target, &[], "")
    }

    /// A PATCH of these operations: one object, or an array of them.
    #[track_caller]
    pub(crate) fn patch(&self, target: &str, operations: Value) -> Answer {
        self.patch_if(target, &[], operations)
    }

    #[track_caller]
    pub(crate) fn patch_if(&self, target: &str, headers: &[(&str, &str)], operations: Value) -> Answer {
        let operations = if operations.is_array() { operations } else { json!([operations]) };
        self.write("PATCH", target, headers, &json!({"schemas": [PATCH_OP], "Operations": operations}))
    }

    #[track_caller]
    pub(crate) fn put_if(&self, target: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.write("PUT", target, headers, &body)
    }

    /// A bulk request of these operations.
    #[track_caller]
    pub(crate) fn bulk(&self, operations: Value) -> Answer {
        self.post("/Bulk", json!({"schemas": [BULK], "Operations": operations}))
    }

    /// Everything that the observer was told.
    pub(crate) fn exchanges(&self) -> Vec<Seen> {
        self.log.0.lock().unwrap().clone()
    }

    /// Creates a user `ada` with more attributes, and gives the path to it.
    #[track_caller]
    pub(crate) fn user(&self, more: Value) -> String {
        self.create("/Users", merged(json!({"schemas": [USER], "userName": "ada"}), more))
    }

    /// Creates a resource and gives the path to it.
    #[track_caller]
    pub(crate) fn create(&self, endpoint: &str, body: Value) -> String {
        let created = self.post(endpoint, body).is(201);
        format!("{endpoint}/{}", created.id())
    }

    /// Creates a group of these members, and gives the path to it.
    #[track_caller]
    pub(crate) fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|path| json!({"value": id_of(path)})).collect();
        self.create("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": members}))
    }

    /// What a query finds.
    #[track_caller]
    pub(crate) fn filter(&self, endpoint: &str, filter: &str) -> Answer {
        self.get(&format!("{endpoint}?filter={}", crate::server::percent_encode(filter.as_bytes())))
    }

    /// Whether a filter finds anything.
    #[track_caller]
    pub(crate) fn finds(&self, endpoint: &str, filter: &str) -> bool {
        self.filter(endpoint, filter).is(200).at("/totalResults") != json!(0)
    }
}

/// Groups of which no two have the same name, as identity providers need them.
pub(crate) fn groups() -> ResourceTypeBuilder {
    Group::resource_type().attribute("displayName", |name| name.unique(Uniqueness::Server))
}

/// The last part of a path.
pub(crate) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// An object with the members of another in it; `null` is kept, so that tests can send it.
pub(crate) fn merged(mut object: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    object.as_object_mut().unwrap().extend(more);
    object
}

/// A user as a client sends it.
pub(crate) fn user(more: Value) -> Value {
    merged(json!({"schemas": [USER], "userName": "ada"}), more)
}

/// The result of a future that waits for nothing, though it may give way to others: the stores of these tests are in memory.
#[track_caller]
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    turns(future).0
}

/// The same, and how often others had their turn meanwhile.
#[track_caller]
pub(crate) fn turns<F: Future>(future: F) -> (F::Output, usize) {
    let (mut future, woken) = (pin!(future), Arc::new(Woken(AtomicUsize::new(0))));
    let waker = Waker::from(Arc::clone(&woken));
    let mut turns = 0;
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return (output, turns),
            Poll::Pending => turns += 1,
        }
        assert!(woken.0.load(Ordering::SeqCst) >= turns, "a store in memory does not wait");
    }
}

/// How often a future said that it can go on.
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: Vec<u8>,
    pub(crate) exchange: Seen,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// An error, complete, with this status; `scim_type` is empty where there is none.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, scim_type: &str) -> Self {
        let found = self.body.get("scimType").and_then(Value::as_str).unwrap_or_default();
        assert_eq!((self.status.as_u16(), found), (status, scim_type), "{}", self.body);
        assert_eq!(self.body["schemas"], json!([ERROR]));
        assert_eq!(self.body["status"], json!(status.to_string()));
        assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/scim+json");
        self
    }

    /// Whether the body holds all of this: objects by their members, all else by equality.
    #[track_caller]
    pub(crate) fn has(self, expected: Value) -> Self {
        assert!(holds(&self.body, &expected), "\n  found {}\nwithout {expected}", self.body);
        self
    }

    /// Whether the body has nothing at these pointers.
    #[track_caller]
    pub(crate) fn lacks(self, pointers: &[&str]) -> Self {
        for pointer in pointers {
            assert_eq!(self.body.pointer(pointer), None, "{pointer} is in {}", self.body);
        }
        self
    }

    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.body.pointer(pointer).cloned().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// The resources of a list by one of their attributes.
    #[track_caller]
    pub(crate) fn each(&self, name: &str) -> Vec<String> {
        let resources = self.body["Resources"].as_array().unwrap();
        resources.iter().map(|resource| resource[name].as_str().unwrap_or("-").to_owned()).collect()
    }

    /// The statuses of a bulk request's operations.
    #[track_caller]
    pub(crate) fn statuses(&self) -> Vec<&str> {
        let operations = self.body["Operations"].as_array().unwrap_or_else(|| panic!("{}", self.body));
        operations.iter().map(|operation| operation["status"].as_str().unwrap()).collect()
    }

    /// The path of the resource that an operation of a bulk request was about.
    #[track_caller]
    pub(crate) fn path_of(&self, operation: usize) -> String {
        let location =
            self.body["Operations"][operation]["location"].as_str().unwrap_or_else(|| panic!("{}", self.body));
        location.strip_prefix(BASE).unwrap().to_owned()
    }

    /// The repairs that were reported.
    pub(crate) fn repairs(&self) -> Vec<Leniency> {
        self.exchange.repairs.iter().map(|(leniency, _)| *leniency).collect()
    }
}

/// Whether a value holds all of another.
pub(crate) fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(name, part)| value.get(name).is_some_and(|found| holds(found, part)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len() && value.iter().zip(expected).all(|(found, part)| holds(found, part))
        }
        _ => value == expected,
    }
}

/// What an observer was told of an exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) tenant: String,
    pub(crate) operation: &'static str,
    pub(crate) resource_type: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) status: u16,
    pub(crate) scim_type: Option<ScimType>,
    pub(crate) detail: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) repairs: Vec<(Leniency, String)>,
    pub(crate) ignored: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) found: Option<usize>,
    pub(crate) cost: Cost,
    /// all of it, as a log prints it
    pub(crate) text: String,
}

/// Remembers the exchanges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Seen>>>);

impl Observer<TenantId> for Log {
    fn exchange(&self, cx: &TenantId, exchange: &Exchange<'_>) {
        self.0.lock().unwrap().push(Seen {
            tenant: cx.to_string(),
            operation: exchange.operation,
            resource_type: exchange.resource_type.map(str::to_owned),
            id: exchange.id.map(str::to_owned),
            status: exchange.status.as_u16(),
            scim_type: exchange.scim_type,
            detail: exchange.detail.map(str::to_owned),
            source: exchange.source.map(|source| source.to_string()),
            repairs: exchange.repairs.iter().map(|repair| (repair.leniency, repair.at.clone())).collect(),
            ignored: exchange.ignored.to_vec(),
            changed: exchange.changed.to_vec(),
            found: exchange.found,
            cost: exchange.cost,
            text: format!("{exchange:?}"),
        });
    }
}

/// The writes of a test's store that are those of the store in one of its fields.
macro_rules! writes_to {
    ($field:ident) => {
        async fn create(
            &self,
            cx: &scim_provider::TenantId,
            ty: &scim_provider::ResourceType,
            draft: scim_provider::Resource,
        ) -> Result<scim_provider::Resource, scim_provider::StoreError> {
            self.$field.create(cx, ty, draft).await
        }

        async fn replace(
            &self,
            cx: &scim_provider::TenantId,
            key: scim_provider::Key<'_>,
            new: scim_provider::Resource,
            when: scim_provider::Precondition<'_>,
        ) -> Result<scim_provider::Resource, scim_provider::StoreError> {
            self.$field.replace(cx, key, new, when).await
        }

        async fn delete(
            &self,
            cx: &scim_provider::TenantId,
            key: scim_provider::Key<'_>,
            when: scim_provider::Precondition<'_>,
        ) -> Result<(), scim_provider::StoreError> {
            self.$field.delete(cx, key, when).await
        }
    };
}
pub(crate) use writes_to;
