//! People who leave, come back and are deleted, as identity providers tell it, on every database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use http::Request;
use scim_provider::{EnterpriseUser, Extension, Group, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The person and what providers send, shared with the library's own tests.
fn data() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/lifecycle.json")).unwrap()
}

/// The person under a name and an external id of their own.
fn person(name: &str) -> Value {
    let mut person = data()["person"].clone();
    (person["userName"], person["externalId"]) = (json!(name), json!(format!("external-{name}")));
    person
}

struct Server {
    scim: Service<Caller>,
    caller: Caller,
}

impl Server {
    async fn over(url: &str) -> Self {
        let store = SqlStore::open(url).await.unwrap();
        let scim = Service::builder("http://localhost/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
            .resource(Group::resource_type(), store.groups())
            .build()
            .unwrap();
        Self { scim, caller: Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1") }
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let request = request.header("Content-Type", content_type).body(body).unwrap();
        let response = self.scim.call(&self.caller, request).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    async fn status(&self, method: &str, path: &str, body: Value) -> u16 {
        self.send(method, path, "application/scim+json", body).await.0
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, "application/scim+json", Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    async fn create(&self, endpoint: &str, body: Value) -> String {
        let (status, body) = self.send("POST", endpoint, "application/scim+json", body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        self.create("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": members})).await
    }

    async fn patch(&self, path: &str, operations: Value) -> u16 {
        self.status("PATCH", path, json!({"schemas": [PATCH], "Operations": operations})).await
    }

    /// The ids of the users that a filter finds.
    async fn found(&self, endpoint: &str, filter: &str) -> Vec<String> {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let list = self.get(&format!("{endpoint}?filter={filter}")).await;
        let ids = list["Resources"].as_array().into_iter().flatten();
        ids.map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
    }

    /// What a provider sends for `disable` or `restore`.
    async fn tell(&self, id: &str, dialect: &Value, what: &str) -> Value {
        let path = format!("/Users/{id}");
        let body = match dialect[what].get("operations") {
            Some(operations) => json!({"schemas": [PATCH], "Operations": operations}),
            None => {
                let mut echo = self.get(&path).await;
                for (name, value) in dialect[what]["changes"].as_object().unwrap() {
                    echo[name] = value.clone();
                }
                echo
            }
        };
        let content_type = dialect["content_type"].as_str().unwrap_or("application/scim+json");
        let (status, body) = self.send(dialect[what]["method"].as_str().unwrap(), &path, content_type, body).await;
        assert_eq!(status, 200, "{}: {body}", dialect["who"]);
        body
    }
}

fn values(list: &Value) -> Vec<String> {
    let mut values: Vec<_> =
        list.as_array().into_iter().flatten().map(|v| v["value"].as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

/// Runs tests on every database.
macro_rules! everywhere {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Server::over("sqlite::memory:").await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(url) = scim_test_postgres::database().unwrap() {
                    super::$test(super::Server::over(&url).await).await;
                }
            })*
        }
    };
}

everywhere! {
    who_is_disabled_stays_visible_and_comes_back_as_the_same,
    who_is_deleted_is_gone_from_everywhere,
    who_is_created_again_is_somebody_else,
    of_two_deletions_at_once_one_finds_somebody,
    a_member_who_is_deleted_while_being_added_is_inherited_by_nobody,
}

async fn who_is_disabled_stays_visible_and_comes_back_as_the_same(server: Server) {
    let data = data();
    let dialects = data["dialects"].as_array().unwrap();
    assert_eq!(dialects.len(), 8);
    for (n, dialect) in dialects.iter().enumerate() {
        let (who, name) = (&dialect["who"], format!("Person{n}@fabrikam.example"));
        let id = server.create("/Users", person(&name)).await;
        let mut groups =
            vec![server.group(&format!("a{n}"), &[&id]).await, server.group(&format!("b{n}"), &[&id]).await];
        groups.sort();
        let path = format!("/Users/{id}");
        let before = server.get(&path).await;
        let group_before = server.get(&format!("/Groups/{}", groups[0])).await;

        let disabled = server.tell(&id, dialect, "disable").await;
        assert_eq!(disabled["active"], json!(false), "{who}");
        let seen = server.get(&path).await;
        assert_eq!((&seen["active"], values(&seen["groups"])), (&json!(false), groups.clone()), "{who}");
        assert_eq!(seen["emails"], before["emails"], "{who}");
        assert_ne!(seen["meta"]["version"], before["meta"]["version"], "{who}");
        assert_eq!(server.get("/Users?count=200").await["totalResults"], json!(n + 1), "{who}");
        for filter in [
            format!("userName eq \"{}\"", name.to_uppercase()),
            format!("externalId eq \"external-{name}\""),
            "active eq false".to_owned(),
            format!("groups.value eq \"{}\"", groups[1]),
        ] {
            assert_eq!(server.found("/Users", &filter).await, [id.as_str()], "{who}: {filter}");
        }
        assert_eq!(server.get(&format!("/Groups/{}", groups[0])).await, group_before, "{who}");
        assert_eq!(server.status("POST", "/Users", person(&name)).await, 409, "{who}: the name is not free");
        let again = server.tell(&id, dialect, "disable").await;
        assert_eq!(again["meta"], seen["meta"], "{who}: nothing changes twice");

        let restored = server.tell(&id, dialect, "restore").await;
        assert_eq!((&restored["id"], &restored["active"]), (&json!(id), &json!(true)), "{who}");
        let seen = server.get(&path).await;
        assert_eq!((&seen["meta"]["created"], values(&seen["groups"])), (&before["meta"]["created"], groups), "{who}");
        assert!(server.found("/Users", "active eq false").await.is_empty(), "{who}");
    }
}

async fn who_is_deleted_is_gone_from_everywhere(server: Server) {
    let (id, other) = (server.create("/Users", person("a")).await, server.create("/Users", person("b")).await);
    let path = format!("/Users/{id}");
    let groups = [server.group("both", &[&id, &other]).await, server.group("alone", &[&id]).await];
    let groups = groups.map(|group| format!("/Groups/{group}"));
    let bystanders = format!("/Groups/{}", server.group("bystanders", &[&other]).await);
    let before = [server.get(&groups[0]).await, server.get(&groups[1]).await];
    let untouched = (server.get(&bystanders).await, server.get(&format!("/Users/{other}")).await["meta"].clone());
    assert_eq!(server.status("DELETE", &path, Value::Null).await, 204);

    assert_eq!(server.status("DELETE", &path, Value::Null).await, 404);
    assert_eq!(server.status("GET", &path, Value::Null).await, 404);
    assert_eq!(server.status("PUT", &path, person("a")).await, 404);
    assert_eq!(server.patch(&path, json!([{"op": "Replace", "path": "active", "value": "True"}])).await, 404);
    assert_eq!(server.get("/Users").await["totalResults"], 1);
    for filter in [r#"userName eq "a""#, r#"externalId eq "external-a""#, r#"groups.display eq "alone""#] {
        assert!(server.found("/Users", filter).await.is_empty(), "{filter}");
    }
    assert!(server.found("/Groups", &format!("members.value eq \"{id}\"")).await.is_empty());
    for (group, before) in groups.iter().zip(before) {
        let after = server.get(group).await;
        assert!(!values(&after["members"]).contains(&id), "{after}");
        assert_ne!(after["meta"]["version"], before["meta"]["version"], "who is in a group has changed");
    }
    assert_eq!(values(&server.get(&groups[0]).await["members"]), [other.as_str()]);
    let after = (server.get(&bystanders).await, server.get(&format!("/Users/{other}")).await["meta"].clone());
    assert_eq!(after, untouched);
}

async fn who_is_created_again_is_somebody_else(server: Server) {
    let mut ids = Vec::new();
    let group = server.group("g", &[]).await;
    for _ in 0..3 {
        let id = server.create("/Users", person("a")).await;
        assert!(!ids.contains(&id), "an id is never used again");
        let path = format!("/Users/{id}");
        assert!(server.get(&path).await.get("groups").is_none());
        let add = json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": id}]}]);
        assert_eq!(server.patch(&format!("/Groups/{group}"), add).await, 204);
        assert_eq!(values(&server.get(&path).await["groups"]), [group.as_str()]);
        for old in &ids {
            // a late change for the old id reaches nobody
            let disable = json!([{"op": "Replace", "path": "active", "value": "False"}]);
            assert_eq!(server.patch(&format!("/Users/{old}"), disable).await, 404);
        }
        assert_eq!(server.get(&path).await["active"], json!(true));
        assert_eq!(values(&server.get(&format!("/Groups/{group}")).await["members"]), [id.as_str()]);
        assert_eq!(server.status("DELETE", &path, Value::Null).await, 204);
        ids.push(id);
    }
}

async fn of_two_deletions_at_once_one_finds_somebody(server: Server) {
    for n in 0..10 {
        let path = format!("/Users/{}", server.create("/Users", person(&format!("p{n}"))).await);
        let delete = || server.status("DELETE", &path, Value::Null);
        let (a, b, c) = tokio::join!(delete(), delete(), delete());
        let mut statuses = [a, b, c];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404]);
    }
}

async fn a_member_who_is_deleted_while_being_added_is_inherited_by_nobody(server: Server) {
    for n in 0..10 {
        let id = server.create("/Users", person(&format!("p{n}"))).await;
        let (path, group) = (format!("/Users/{id}"), format!("/Groups/{}", server.group(&format!("g{n}"), &[]).await));
        let add = json!([{"op": "Add", "path": "members", "value": [{"value": id}]}]);
        let (deleted, added) = tokio::join!(server.status("DELETE", &path, Value::Null), server.patch(&group, add));
        assert_eq!(deleted, 204);
        // added before the deletion and taken out by it, or afterwards, as a member whom the store does not know
        assert!(matches!(added, 204 | 400), "{added}");
        assert_eq!(server.status("GET", &path, Value::Null).await, 404);
        let again = server.create("/Users", person(&format!("p{n}"))).await;
        assert!(server.get(&format!("/Users/{again}")).await.get("groups").is_none());
    }
}
