//! Services and writers that share one database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::sync::Arc;

use http::Request;
use scim_provider::schema::{Attribute, ResourceTypeBuilder, Schema};
use scim_provider::{Group, Limits, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

struct Server {
    scim: Service<Caller>,
    caller: Caller,
}

impl Server {
    fn new(store: &SqlStore, users: ResourceTypeBuilder, limits: Limits) -> Self {
        let scim = Service::builder("http://localhost/scim/v2")
            .resource(users, store.users())
            .resource(Group::resource_type(), store.groups())
            .limits(limits)
            .build()
            .unwrap();
        Self { scim, caller: Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1") }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let request = request.header("Content-Type", "application/scim+json").body(body).unwrap();
        let response = self.scim.call(&self.caller, request).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }
}

async fn databases() -> Vec<SqlStore> {
    let mut stores = vec![SqlStore::open("sqlite::memory:").await.unwrap()];
    if let Some(url) = scim_test_postgres::database().unwrap() {
        stores.push(SqlStore::open(&url).await.unwrap());
    }
    stores
}

/// Each tenant may have a service of its own, with types of its own, over the same stores.
#[tokio::test]
async fn each_service_has_its_filters_answered_by_the_database() {
    for store in databases().await {
        let badge = Schema::new("urn:example:badge", "Badge", [Attribute::string("number")]);
        let mut narrow = Limits::default();
        narrow.scan = 2;
        let plain = Server::new(&store, User::resource_type(), narrow.clone());
        let extended = Server::new(&store, User::resource_type().extension(badge), narrow.clone());
        for n in 0..5 {
            let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("u{n}")});
            assert_eq!(plain.send("POST", "/Users", user).await.0, 201);
        }
        for server in [&plain, &extended, &plain] {
            let (status, found) = server.send("GET", "/Users?filter=userName%20eq%20%22U3%22", Value::Null).await;
            assert_eq!((status, &found["totalResults"]), (200, &json!(1)), "{found}");
            let (status, sorted) = server.send("GET", "/Users?sortBy=userName&count=1", Value::Null).await;
            assert_eq!((status, &sorted["totalResults"]), (200, &json!(5)), "{sorted}");
        }
    }
}

/// 32 that change members one by one, and beside them some that change it by what its members are: those lose no race, however
/// many the others win.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_a_group_beside_many_gets_his_turn() {
    for store in databases().await {
        let mut limits = Limits::default();
        limits.retries = 0;
        let server = Arc::new(Server::new(&store, User::resource_type(), limits));
        let group = json!({"schemas": [GROUP], "displayName": "Crew", "members": [{"value": "first"}]});
        let path = format!("/Groups/{}", server.send("POST", "/Groups", group.clone()).await.1["id"].as_str().unwrap());
        let patch = |operation: Value| json!({"schemas": [PATCH], "Operations": [operation]});
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..36 {
            let (server, path) = (Arc::clone(&server), path.clone());
            writers.spawn(async move {
                for round in 0..4 {
                    let member = format!("u{n}-{round}");
                    let (method, body) = match n {
                        0..32 => (
                            "PATCH",
                            patch(
                                json!({"op": "add", "path": "members", "value": [{"value": member, "type": "Device"}]}),
                            ),
                        ),
                        _ => ("PATCH", patch(json!({"op": "remove", "path": "members[type eq \"Device\"]"}))),
                    };
                    let (status, answer) = server.send(method, &path, body).await;
                    // what is taken away may be gone already
                    let fine = matches!(status, 200 | 204) || n >= 32 && answer["scimType"] == "noTarget";
                    assert!(fine, "{method} {n}: {status} {answer}");
                }
            });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        assert_eq!(server.send("PUT", &path, group).await.1["members"].as_array().unwrap().len(), 1);
    }
}
