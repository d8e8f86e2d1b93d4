//! Groups whose members are read in several statements: each member is shown once, at the borders too.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use http::Request;
use scim_provider::{Group, Service, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};

#[tokio::test]
async fn members_in_several_chunks_are_each_shown_once_from_sqlite() {
    each_member_is_shown_once("sqlite::memory:").await;
}

#[tokio::test]
async fn members_in_several_chunks_are_each_shown_once_from_postgres() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        each_member_is_shown_once(&url).await;
    }
}

/// 4,096 members are read at a time.
async fn each_member_is_shown_once(url: &str) {
    let store = SqlStore::open(url).await.unwrap();
    let scim = Service::builder("http://localhost")
        .resource(User::resource_type(), store.users())
        .resource(Group::resource_type(), store.groups())
        .build()
        .unwrap();
    for count in [0, 1, 4_095, 4_096, 4_097, 8_191, 8_192, 8_193] {
        // in an order that is not theirs, with letters that are ordered otherwise in a locale
        let mut members: Vec<_> =
            (0..count).map(|n| format!("{}-{n}", ["b", "B", "\u{e4}", "_", "a"][n % 5])).rev().collect();
        let values: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                           "displayName": format!("Of {count}"), "members": values});
        let id = send(&scim, "POST", "/Groups", &group).await["id"].as_str().unwrap().to_owned();
        let shown = send(&scim, "GET", &format!("/Groups/{id}"), &Value::Null).await;
        let shown = shown["members"].as_array().cloned().unwrap_or_default();
        let mut shown: Vec<_> = shown.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
        shown.sort_unstable();
        members.sort_unstable();
        assert_eq!(shown.len(), count);
        assert!(shown == members, "other members than the {count} that were put in");
    }
    store.close().await;
}

async fn send(scim: &Service<Caller>, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
    let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
    let response = scim.call(&caller, request.body(body).unwrap()).await;
    assert!(response.status().is_success(), "{method} {path}: {}", String::from_utf8_lossy(response.body()));
    serde_json::from_slice(response.body()).unwrap()
}
