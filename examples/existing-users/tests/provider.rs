//! What an identity provider sees of the product, in the first step and in the second.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use existing_users_example::{deprovision, open, provision};
use http::{Request, StatusCode};
use scim_provider::{Service, TenantId};
use serde_json::{Value, json};
use sqlx::SqlitePool;

const BASE: &str = "https://product.example.com/scim/v2";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

struct Server {
    scim: Service<TenantId>,
    product: SqlitePool,
}

impl Server {
    async fn first_step() -> Self {
        let product = open("sqlite::memory:").await.unwrap();
        Self { scim: deprovision(BASE, product.clone()).unwrap(), product }
    }

    async fn second_step() -> Self {
        let product = open("sqlite::memory:").await.unwrap();
        Self { scim: provision(BASE, product.clone()).await.unwrap(), product }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send_with(method, path, None, body).await
    }

    async fn send_with(&self, method: &str, path: &str, if_match: Option<&str>, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        request = request.header("Content-Type", "application/scim+json");
        if let Some(version) = if_match {
            request = request.header("If-Match", version);
        }
        let response = self.scim.call(&TenantId::new("customer").unwrap(), request.body(body).unwrap()).await;
        (response.status(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    async fn patch(&self, path: &str, operations: Value) -> (StatusCode, Value) {
        self.send("PATCH", path, json!({"schemas": [PATCH], "Operations": operations})).await
    }

    /// What the product's own code reads.
    async fn may_sign_in(&self, email: &str) -> bool {
        let active = sqlx::query_scalar("SELECT is_active FROM users WHERE email = ?").bind(email);
        active.fetch_one(&self.product).await.unwrap()
    }
}

fn found(list: &Value) -> Vec<&str> {
    list["Resources"].as_array().into_iter().flatten().filter_map(|user| user["userName"].as_str()).collect()
}

#[tokio::test]
async fn entra_id_finds_people_and_locks_them_out() {
    let server = Server::first_step().await;
    let nobody = server.get("/Users?filter=userName+eq+%22b6a2f64c-3a0c-45a8-a2a5-e6b9a5a5c0f4%22").await;
    assert_eq!(nobody["totalResults"], 0, "the connection test");
    let list = server.get("/Users?filter=userName%20eq%20%22Ada%40Example.com%22").await;
    assert_eq!(found(&list), ["ada@example.com"]);
    let ada = &list["Resources"][0];
    let path = format!("/Users/{}", ada["id"].as_str().unwrap());
    assert_eq!((&ada["active"], &ada["displayName"]), (&json!(true), &json!("Ada Lovelace")));

    // the default dialect, then that of `aadOptscim062020`
    for (op, locked, open) in [("Replace", json!("False"), json!("True")), ("replace", json!(false), json!(true))] {
        let (status, ada) = server.patch(&path, json!([{"op": op, "path": "active", "value": locked}])).await;
        assert_eq!((status, &ada["active"]), (StatusCode::OK, &json!(false)), "{ada}");
        assert!(!server.may_sign_in("ada@example.com").await);
        assert_eq!(found(&server.get("/Users?filter=active%20eq%20false").await), ["ada@example.com"]);
        let (status, ada) = server.patch(&path, json!([{"op": op, "path": "active", "value": open}])).await;
        assert_eq!((status, &ada["active"]), (StatusCode::OK, &json!(true)), "{ada}");
        assert!(server.may_sign_in("ada@example.com").await);
    }
    assert!(server.may_sign_in("grace@example.com").await, "nobody else was touched");
}

#[tokio::test]
async fn what_the_table_does_not_hold_is_not_promised_and_does_no_harm() {
    let server = Server::first_step().await;
    let replace = json!({"schemas": [format!("{CORE}User")], "userName": "grace@example.com", "displayName": "Grace Hopper",
                         "active": false, "title": "Rear Admiral", "emails": [{"value": "grace@navy.example"}]});
    let (status, grace) = server.send("PUT", "/Users/2", replace).await;
    assert_eq!(status, StatusCode::OK, "{grace}");
    assert_eq!((&grace["active"], grace.get("title"), grace.get("emails")), (&json!(false), None, None));
    assert!(!server.may_sign_in("grace@example.com").await);
    // hence the README's advice to map nothing else in the provider
    let title = json!({"op": "Add", "path": "title", "value": "Dr"});
    let (status, message) = server.patch("/Users/2", json!([title])).await;
    assert_eq!((status, &message["scimType"]), (StatusCode::BAD_REQUEST, &json!("invalidPath")));
    let both = json!([title, {"op": "Replace", "path": "active", "value": "True"}]);
    assert!(server.patch("/Users/2", both).await.0.is_success());
    assert!(server.may_sign_in("grace@example.com").await, "what the table has not is left out");

    let names = |schema: &Value| -> Vec<String> {
        schema["attributes"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&server.get(&format!("/Schemas/{CORE}User")).await), ["userName", "displayName", "active"]);
    let types = server.get("/ResourceTypes").await;
    assert_eq!((&types["totalResults"], &types["Resources"][0]["name"]), (&json!(1), &json!("User")));
    let config = server.get("/ServiceProviderConfig").await;
    assert_eq!((&config["patch"]["supported"], &config["filter"]["supported"]), (&json!(true), &json!(true)));
    assert_eq!((&config["etag"]["supported"], &config["changePassword"]["supported"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn the_first_step_creates_and_deletes_nobody() {
    let server = Server::first_step().await;
    let before = server.get("/Users").await;
    let user = json!({"schemas": [format!("{CORE}User")], "userName": "new@example.com"});
    let group = json!({"schemas": [format!("{CORE}Group")], "displayName": "New"});
    for (method, path, body, expected) in [
        ("POST", "/Users", user, StatusCode::NOT_IMPLEMENTED),
        ("DELETE", "/Users/1", Value::Null, StatusCode::NOT_IMPLEMENTED),
        ("POST", "/Groups", group, StatusCode::NOT_FOUND),
        ("GET", "/Groups?filter=displayName%20eq%20%22New%22", Value::Null, StatusCode::NOT_FOUND),
        ("GET", "/Users/4", Value::Null, StatusCode::NOT_FOUND),
        ("GET", "/Users/01", Value::Null, StatusCode::NOT_FOUND),
        ("GET", "/Users/1;", Value::Null, StatusCode::NOT_FOUND),
    ] {
        let (status, message) = server.send(method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {message}");
        assert_eq!(message["status"], expected.as_u16().to_string(), "{method} {path}");
    }
    assert_eq!(server.get("/Users").await, before);
}

#[tokio::test]
async fn a_change_that_the_product_made_is_seen_as_one() {
    let server = Server::first_step().await;
    let path = "/Users/1";
    let ada = server.get(path).await;
    let version = ada["meta"]["version"].as_str().unwrap();
    sqlx::query("UPDATE users SET name = 'Ada King' WHERE id = 1").execute(&server.product).await.unwrap();
    let lock = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": false}]});
    let (status, _) = server.send_with("PATCH", path, Some(version), lock.clone()).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert!(server.may_sign_in("ada@example.com").await);
    let now = server.get(path).await;
    assert_eq!(now["displayName"], "Ada King");
    assert!(now["meta"].get("created").is_none(), "nobody knows when");
    let (status, _) = server.send_with("PATCH", path, now["meta"]["version"].as_str(), lock).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn two_people_do_not_get_one_address() {
    let server = Server::first_step().await;
    let rename = json!([{"op": "replace", "path": "userName", "value": "GRACE@example.com"}]);
    let (status, message) = server.patch("/Users/1", rename).await;
    assert_eq!((status, &message["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")));
    let second = Server::second_step().await;
    let again = json!({"schemas": [format!("{CORE}User")], "userName": "Grace@Example.com"});
    assert_eq!(second.send("POST", "/Users", again).await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_second_step_creates_people_and_groups_and_deletes_them() {
    let server = Server::second_step().await;
    let mary = json!({"schemas": [format!("{CORE}User")], "userName": "Mary@example.com", "displayName": "Mary", "title": "Dr"});
    let (status, mary) = server.send("POST", "/Users", mary).await;
    assert_eq!(status, StatusCode::CREATED, "{mary}");
    let id = mary["id"].as_str().unwrap();
    assert!(server.may_sign_in("mary@example.com").await);

    let crew = json!({"schemas": [format!("{CORE}Group")], "displayName": "Crew", "members": [{"value": "1"}]});
    let (status, crew) = server.send("POST", "/Groups", crew).await;
    assert_eq!(status, StatusCode::CREATED, "{crew}");
    let path = format!("/Groups/{}", crew["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await["members"][0]["display"], "Ada Lovelace");
    let add = json!([{"op": "Add", "path": "members", "value": [{"value": id}]}]);
    assert_eq!(server.patch(&path, add).await.0, StatusCode::NO_CONTENT);
    let members = |group: &Value| -> Vec<String> {
        group["members"].as_array().unwrap().iter().map(|m| m["value"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(members(&server.get(&path).await), ["1", id]);
    let of_mary = server.get(&format!("/Groups?filter=members.value%20eq%20%22{id}%22")).await;
    assert_eq!(of_mary["totalResults"], 1);
    let named = server.get("/Groups?filter=displayName%20eq%20%22CREW%22&excludedAttributes=members").await;
    assert_eq!((&named["totalResults"], named["Resources"][0].get("members")), (&json!(1), None));

    let nobody = json!([{"op": "Add", "path": "members", "value": [{"value": "4711"}]}]);
    let (status, message) = server.patch(&path, nobody).await;
    assert_eq!((status, &message["scimType"]), (StatusCode::BAD_REQUEST, &json!("invalidValue")));
    assert_eq!(members(&server.get(&path).await), ["1", id], "nothing of it was done");

    assert_eq!(server.send("DELETE", &format!("/Users/{id}"), Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(members(&server.get(&path).await), ["1"], "who is gone is no member");
    assert_eq!(server.send("DELETE", &path, Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.send("GET", &path, Value::Null).await.0, StatusCode::NOT_FOUND);
}
