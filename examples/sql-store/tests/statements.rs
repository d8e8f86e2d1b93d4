//! What requests cost in statements. Alone in its process, because it counts what the driver logs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use scim_provider::{Group, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

struct Count;

impl<S: tracing::Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            event.record(&mut Count);
        }
    }
}

impl Visit for Count {
    fn record_str(&mut self, field: &Field, text: &str) {
        // The pool opens a connection where the last one is still on its way back: its settings are no part of a request.
        if field.name() == "summary" && !text.starts_with("SET ") {
            STATEMENTS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

struct Server {
    scim: Service<Caller>,
    caller: Caller,
}

impl Server {
    /// Sends a request; gives the answer and the number of statements that it took.
    async fn send(&self, method: &str, path: &str, body: Value) -> (Value, usize) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
        let before = STATEMENTS.load(Ordering::SeqCst);
        let response = self.scim.call(&self.caller, request.body(body).unwrap()).await;
        let statements = STATEMENTS.load(Ordering::SeqCst) - before;
        assert!(response.status().is_success(), "{method} {path}: {}", String::from_utf8_lossy(response.body()));
        (serde_json::from_slice(response.body()).unwrap_or(Value::Null), statements)
    }
}

#[tokio::test]
async fn the_number_of_statements_does_not_follow_the_number_of_rows() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Count)).unwrap();
    statements_on("sqlite::memory:").await;
    if let Some(url) = scim_test_postgres::database().unwrap() {
        statements_on(&url).await;
    }
}

async fn statements_on(url: &str) {
    let store = SqlStore::open(url).await.unwrap();
    let scim = Service::builder("http://localhost")
        .resource(User::resource_type(), store.users())
        .resource(Group::resource_type(), store.groups())
        .build()
        .unwrap();
    let server = Server { scim, caller: Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1") };

    let members = |numbers: std::ops::Range<usize>| -> Value {
        numbers.map(|n| json!({"value": format!("member-{n}")})).collect::<Vec<_>>().into()
    };
    let add = |numbers| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
               "Operations": [{"op": "add", "path": "members", "value": members(numbers)}]})
    };
    let mut groups = Vec::new();
    for n in 0..20 {
        let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                           "displayName": format!("Group {n}"), "members": members(0..5)});
        groups.push(server.send("POST", "/Groups", group).await.0["id"].as_str().unwrap().to_owned());
    }
    let group = format!("/Groups/{}", groups[0]);
    let (_, one) = server.send("PATCH", &group, add(100..101)).await;
    let (_, thousand) = server.send("PATCH", &group, add(1_000..2_000)).await;
    assert_eq!(one, thousand, "a thousand members are added with the statements of one");
    assert!(one <= 5, "{one} statements for a member");

    let (page, list) = server.send("GET", "/Groups", Value::Null).await;
    assert_eq!(page["Resources"].as_array().unwrap().len(), 20);
    assert_eq!(page["Resources"][0]["members"].as_array().unwrap().len(), 1_006);
    assert_eq!(
        list, 3,
        "the page, with the members of all groups but the large one; how many it has, and it; and no count"
    );
    let (_, second) = server.send("GET", "/Groups?startIndex=11&count=5", Value::Null).await;
    assert_eq!(second, 2, "the page, and the count");
    let (_, filtered) = server.send("GET", "/Groups?filter=displayName%20eq%20%22group%203%22", Value::Null).await;
    assert_eq!(filtered, 1);
    let (_, lean) = server.send("GET", &format!("{group}?excludedAttributes=members"), Value::Null).await;
    assert_eq!(lean, 1);
}
