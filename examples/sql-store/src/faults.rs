//! Faults for tests: the k-th thing that is asked of the database fails, for every k and every operation.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use http::{Request, StatusCode};
use scim_provider::{EnterpriseUser, Exchange, Extension, Group, Observer, Service, StoreError, TenantId, User};
use serde_json::{Value, json};

use crate::{Caller, SqlStore};

tokio::task_local! {
    /// How many more times the database answers; never more than that when it is not set.
    static LEFT: Cell<usize>;
}

/// What the operator is to read, and nobody else.
const CAUSE: &str = "the disk is on fire";

/// Fails when it is this call's turn.
pub(crate) fn strike() -> Result<(), StoreError> {
    let strikes = LEFT.try_with(|left| match left.get() {
        0 => false,
        1 => {
            left.set(0);
            true
        }
        more => {
            left.set(more - 1);
            false
        }
    });
    if strikes == Ok(true) { Err(StoreError::backend(CAUSE)) } else { Ok(()) }
}

/// Remembers the causes of failures.
#[derive(Clone, Default)]
struct Causes(Arc<Mutex<Vec<String>>>);

impl Observer<Caller> for Causes {
    fn exchange(&self, _: &Caller, exchange: &Exchange<'_>) {
        let mut causes = self.0.lock().unwrap();
        causes.extend(exchange.source.map(|source| {
            let inner = source.source().map(|inner| format!(": {inner}")).unwrap_or_default();
            format!("{source}{inner}")
        }));
    }
}

struct Server {
    scim: Service<Caller>,
    causes: Causes,
    caller: Caller,
}

impl Server {
    async fn over(url: &str) -> Self {
        let store = SqlStore::open(url).await.unwrap();
        let causes = Causes::default();
        let scim = Service::builder("http://localhost")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
            .resource(Group::resource_type(), store.groups())
            .observer(causes.clone())
            .build()
            .unwrap();
        Self { scim, causes, caller: Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1") }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
        let response = self.scim.call(&self.caller, request.body(body).unwrap()).await;
        (response.status(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    /// All that the tenant has.
    async fn state(&self) -> (Value, Value) {
        let mut state =
            (self.send("GET", "/Users", &Value::Null).await.1, self.send("GET", "/Groups", &Value::Null).await.1);
        for resources in [&mut state.0["Resources"], &mut state.1["Resources"]] {
            for resource in resources.as_array_mut().into_iter().flatten() {
                for list in ["members", "groups"] {
                    let values = resource[list].as_array_mut().into_iter();
                    values.for_each(|values| values.sort_by_key(|value| value["value"].to_string()));
                }
            }
        }
        state
    }
}

#[tokio::test]
async fn whatever_fails_in_sqlite_nothing_is_half_done() {
    nothing_is_half_done(&Server::over("sqlite::memory:").await).await;
}

#[tokio::test]
async fn whatever_fails_in_postgres_nothing_is_half_done() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        nothing_is_half_done(&Server::over(&url).await).await;
    }
}

async fn nothing_is_half_done(server: &Server) {
    let user = |name: &str| {
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
               "emails": [{"value": format!("{name}@example.com"), "type": "work"}]})
    };
    let group = |name: &str, members: &[&str]| {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members})
    };
    let patch = |operations: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let id = |created: (StatusCode, Value)| created.1["id"].as_str().unwrap().to_owned();
    let ada = id(server.send("POST", "/Users", &user("ada")).await);
    let bob = id(server.send("POST", "/Users", &user("bob")).await);
    let crew = id(server.send("POST", "/Groups", &group("Crew", &[&ada, &bob])).await);
    id(server.send("POST", "/Groups", &group("Others", &[&ada])).await);

    let members = json!([{"op": "add", "path": "members", "value": [{"value": "carol"}]},
                         {"op": "remove", "path": format!("members[value eq \"{bob}\"]")},
                         {"op": "replace", "path": "displayName", "value": "The crew"}]);
    let emails = json!([{"op": "replace", "path": "userName", "value": "augusta"},
                        {"op": "replace", "path": "emails", "value": [{"value": "a@example.org"}]},
                        {"op": "replace", "path": "password", "value": "battery staple"}]);
    let by_type = json!([{"op": "remove", "path": "members[type eq \"User\"]"}]);
    let steps = [
        ("GET", format!("/Users/{ada}"), Value::Null),
        ("GET", format!("/Groups/{crew}"), Value::Null),
        ("GET", "/Users?startIndex=2&sortBy=userName".to_owned(), Value::Null),
        ("GET", "/Groups?filter=members.value%20pr&cursor".to_owned(), Value::Null),
        ("POST", "/Users".to_owned(), user("dora")),
        ("PUT", format!("/Users/{bob}"), user("robert")),
        ("PATCH", format!("/Users/{ada}"), patch(emails)),
        ("POST", "/Groups".to_owned(), group("New", &[&ada, &bob])),
        ("PUT", format!("/Groups/{crew}"), group("Renamed", &[&ada, &bob, "eve"])),
        ("PATCH", format!("/Groups/{crew}"), patch(members)),
        ("PATCH", format!("/Groups/{crew}"), patch(by_type)),
        ("DELETE", format!("/Users/{ada}"), Value::Null),
        ("DELETE", format!("/Groups/{crew}"), Value::Null),
    ];
    for (method, path, body) in &steps {
        let before = server.state().await;
        let asked = strike_each(server, method, path, body).await;
        let least = if *method == "GET" { 2 } else { 4 };
        assert!(asked >= least, "{method} {path} asked the database {asked} times: it was not struck");
        if *method != "GET" {
            assert_ne!(server.state().await, before, "{method} {path} did nothing");
        }
    }
    // members that are read in two statements, or whose rows break off
    let members: Vec<_> = (0..4_097).map(|n| format!("member-{n}")).collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let large = id(server.send("POST", "/Groups", &group("Large", &members)).await);
    let asked = strike_each(server, "GET", &format!("/Groups/{large}"), &Value::Null).await;
    assert_eq!(asked, 5, "a transaction, the group, its members twice, the end");
}

/// Makes a request whose every step fails once, until it succeeds. Gives the number of steps.
async fn strike_each(server: &Server, method: &str, path: &str, body: &Value) -> usize {
    let before = server.state().await;
    let mut k = 0;
    loop {
        k += 1;
        server.causes.0.lock().unwrap().clear();
        let call = async { (server.send(method, path, body).await, LEFT.with(Cell::get)) };
        let ((status, answer), left) = LEFT.scope(Cell::new(k), call).await;
        if left > 0 {
            assert!(status.is_success(), "{method} {path}: {answer}");
            return k - 1;
        }
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}, {k}: {answer}");
        assert!(!answer.to_string().contains("fire"), "{method} {path}, {k}: {answer}");
        assert!(server.causes.0.lock().unwrap().concat().contains(CAUSE), "{method} {path}, {k}");
        assert_eq!(server.state().await, before, "{method} {path} failed at {k} and left something");
    }
}
