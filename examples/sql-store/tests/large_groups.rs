//! Large groups: members that are read in several statements are each shown once, at the borders too, and pages of such groups
//! end before they hold too much.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use http::Request;
use scim_provider::{Group, Limits, Service, TenantId, User};
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

/// SQLite is asked for 4,096 members at a time.
async fn each_member_is_shown_once(url: &str) {
    let store = SqlStore::open(url).await.unwrap();
    let scim = over(&store, Limits::default());
    for count in [0, 1, 4_095, 4_096, 4_097, 8_191, 8_192, 8_193] {
        // in an order that is not theirs, with letters that are ordered otherwise in a locale
        let mut members: Vec<_> =
            (0..count).map(|n| format!("{}-{n}", ["b", "B", "\u{e4}", "_", "a"][n % 5])).rev().collect();
        let id = create(&scim, &format!("Of {count}"), &members).await;
        let shown = send(&scim, "GET", &format!("/Groups/{id}"), &Value::Null).await;
        let shown = shown["members"].as_array().cloned().unwrap_or_default();
        let mut shown: Vec<_> = shown.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
        let streamed = streamed(&scim, &format!("/Groups/{id}")).await;
        let mut sent: Vec<_> = streamed["members"].as_array().cloned().unwrap_or_default();
        sent.sort_unstable_by_key(|member| member["value"].to_string());
        shown.sort_unstable();
        members.sort_unstable();
        assert!(
            sent.iter().map(|member| member["value"].as_str().unwrap()).eq(members.iter()),
            "other members are sent"
        );
        assert_eq!(shown.len(), count);
        assert!(shown == members, "other members than the {count} that were put in");
    }
    store.close().await;
}

#[tokio::test]
async fn a_page_of_large_groups_ends_early_and_goes_on_behind_them_in_sqlite() {
    pages_end_early("sqlite::memory:").await;
}

#[tokio::test]
async fn a_page_of_large_groups_ends_early_and_goes_on_behind_them_in_postgres() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        pages_end_early(&url).await;
    }
}

async fn pages_end_early(url: &str) {
    let store = SqlStore::open(url).await.unwrap();
    let mut limits = Limits::default();
    limits.query_bytes = 100_000;
    let scim = over(&store, limits);
    let names: Vec<_> = (0..12).map(|n| format!("Group {n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        let members: Vec<_> = (0..if n % 3 == 0 { 1_000 } else { 1 }).map(|m| format!("member-{n}-{m}")).collect();
        create(&scim, name, &members).await;
    }
    for query in ["/Groups?", "/Groups?sortBy=displayName&", "/Groups?filter=displayName+sw+%22group%22&"] {
        let (mut found, mut pages) = (Vec::new(), 0);
        while found.len() < names.len() {
            let page = send(&scim, "GET", &format!("{query}startIndex={}", found.len() + 1), &Value::Null).await;
            assert_eq!(page["totalResults"], names.len());
            let shown = shown(&page);
            assert!(!shown.is_empty());
            found.extend(shown);
            pages += 1;
        }
        assert_eq!(found, names, "{query}");
        assert!(pages > 1, "{query}: no page was cut");
    }
    for query in ["/Groups?sortBy=displayName", "/Groups?sortBy=displayName&filter=displayName+pr"] {
        let mut page = send(&scim, "GET", &format!("{query}&cursor"), &Value::Null).await;
        for (to, forwards) in [("nextCursor", true), ("previousCursor", false)] {
            let mut pages = vec![shown(&page)];
            while let Some(cursor) = page[to].as_str() {
                page = send(&scim, "GET", &format!("{query}&cursor={cursor}"), &Value::Null).await;
                pages.push(shown(&page));
                assert!(pages.len() <= names.len(), "{query}: pages without end");
            }
            assert!(pages.len() > 1, "{query}: no page was cut");
            if !forwards {
                pages.reverse();
            }
            assert_eq!(pages.concat(), names, "{query} {to}");
        }
    }
    let lean = send(&scim, "GET", "/Groups?excludedAttributes=members", &Value::Null).await;
    assert_eq!(shown(&lean), names);
    // whether a member is such one is looked at in memory, of all groups: they are not all read to find that out
    let filter = "/Groups?filter=members.display+pr";
    assert_eq!(answer(&scim, "GET", filter, &Value::Null).await.0, 400);
    assert_eq!(shown(&send(&over(&store, Limits::default()), "GET", filter, &Value::Null).await), [""; 0]);
    store.close().await;
}

fn over(store: &SqlStore, limits: Limits) -> Service<Caller> {
    Service::builder("http://localhost")
        .resource(User::resource_type(), store.users())
        .resource(Group::resource_type(), store.groups())
        .limits(limits)
        .build()
        .unwrap()
}

/// The names of the groups on a page.
fn shown(page: &Value) -> Vec<String> {
    let resources = page["Resources"].as_array().cloned().unwrap_or_default();
    resources.iter().map(|group| group["displayName"].as_str().unwrap().to_owned()).collect()
}

async fn create(scim: &Service<Caller>, name: &str, members: &[String]) -> String {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name,
                       "members": members});
    send(scim, "POST", "/Groups", &group).await["id"].as_str().unwrap().to_owned()
}

/// An answer that comes in pieces.
async fn streamed(scim: &Service<Caller>, path: &str) -> Value {
    let request = Request::get(path).body("").unwrap();
    let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
    let mut body = scim.stream(caller, request).await.into_body();
    let mut whole = Vec::new();
    while let Some(piece) = body.piece().await {
        whole.extend(piece.unwrap());
    }
    serde_json::from_slice(&whole).unwrap()
}

async fn send(scim: &Service<Caller>, method: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = answer(scim, method, path, body).await;
    assert!(status < 300, "{method} {path}: {answer}");
    answer
}

async fn answer(scim: &Service<Caller>, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let request = Request::builder().method(method).uri(path).header("Content-Type", "application/scim+json");
    let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
    let response = scim.call(&caller, request.body(body).unwrap()).await;
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}
