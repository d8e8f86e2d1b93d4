//! Many writers at once, on threads of their own.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, Request, Response};
use scim_provider::{MemoryStore, Service, TenantId, UnknownAttributes};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{GROUPS, USERS, json as body_of, request, service, tenant};

const WRITERS: usize = 32;
const CHANGES: usize = 16;

#[derive(Clone)]
struct Client(Service<TenantId>);

impl Client {
    fn new() -> Self {
        Self(service(&MemoryStore::new(), UnknownAttributes::Drop))
    }

    async fn call(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        // a store that answers at once would never let another task in
        tokio::task::yield_now().await;
        self.0.call(&tenant(), request).await
    }

    async fn send(&self, method: Method, target: &str, body: &Value) -> Response<Vec<u8>> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.call(request(&method, target, body)).await
    }

    async fn patch(&self, target: &str, operation: Value, if_match: Option<&str>) -> Response<Vec<u8>> {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
        let mut request = request(&Method::PATCH, target, body.to_string());
        if let Some(tag) = if_match {
            request.headers_mut().insert("if-match", tag.parse().unwrap());
        }
        self.call(request).await
    }

    async fn group(&self, name: &str) -> String {
        let body = json!({"schemas": [GROUPS.schema().id], "displayName": name});
        let response = self.send(Method::POST, "/Groups", &body).await;
        format!("/Groups/{}", body_of(&response)["id"].as_str().unwrap())
    }
}

fn tag(response: &Response<Vec<u8>>) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

fn version(tag: &str) -> u64 {
    tag.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Red when a PATCH of the store reads and writes in two steps, when a precondition is checked before the lock is taken,
/// or when a change keeps the version.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_accepted_member_is_lost_and_each_version_is_given_once() {
    let client = Client::new();
    let group = client.group("crew").await;
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (client, group) = (client.clone(), group.clone());
        tasks.spawn(async move {
            let (mut members, mut tags, mut beaten) = (Vec::new(), Vec::new(), BTreeMap::<String, usize>::new());
            for change in 0..CHANGES {
                let member = format!("{writer}-{change}");
                let value = json!([{"value": member}]);
                let response =
                    client.patch(&group, json!({"op": "add", "path": "members", "value": value}), None).await;
                assert_eq!(response.status(), 204);
                members.push(member);
                tags.push(tag(&response));
                let name = json!({"op": "replace", "path": "displayName", "value": format!("{writer}.{change}")});
                let seen = match writer % 4 {
                    0 => None,
                    1 => Some(tag(&client.send(Method::GET, &group, &Value::Null).await)),
                    _ => continue,
                };
                let response = client.patch(&group, name, seen.as_deref()).await;
                match (response.status().as_u16(), seen) {
                    (204, seen) => {
                        tags.push(tag(&response));
                        seen.into_iter().for_each(|seen| *beaten.entry(seen).or_default() += 1);
                    }
                    (412, Some(_)) => {}
                    (status, _) => panic!("{status}"),
                }
            }
            assert!(tags.windows(2).all(|pair| version(&pair[0]) < version(&pair[1])), "{tags:?}");
            (members, tags, beaten)
        });
    }
    let (mut members, mut tags, mut winners) = (BTreeSet::new(), Vec::new(), BTreeMap::<String, usize>::new());
    for (accepted, given, beaten) in tasks.join_all().await {
        members.extend(accepted);
        tags.extend(given);
        beaten.into_iter().for_each(|(tag, count)| *winners.entry(tag).or_default() += count);
    }
    let found = body_of(&client.send(Method::GET, &group, &Value::Null).await);
    let found: BTreeSet<String> =
        found["members"].as_array().unwrap().iter().map(|m| m["value"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found.len(), WRITERS * CHANGES);
    assert_eq!(found, members);
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len(), "a version was given twice");
    assert!(winners.values().all(|count| *count == 1), "a version was beaten twice: {winners:?}");
}

/// Red when `If-Match` is checked outside of the write.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_with_one_tag_one_wins() {
    let client = Client::new();
    for round in 0..16 {
        let group = client.group(&format!("crew {round}")).await;
        let seen = tag(&client.send(Method::GET, &group, &Value::Null).await);
        let mut tasks = JoinSet::new();
        for writer in 0..16 {
            let (client, group, seen) = (client.clone(), group.clone(), seen.clone());
            tasks.spawn(async move {
                let name = json!({"op": "replace", "path": "displayName", "value": format!("{round}.{writer}")});
                client.patch(&group, name, Some(&seen)).await.status().as_u16()
            });
        }
        let mut statuses = tasks.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (204, &[412; 15][..]));
    }
}

/// Red when uniqueness is looked up before the write, or by the name as it was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creations_of_one_name_one_succeeds() {
    let client = Client::new();
    for round in 0..16 {
        let mut tasks = JoinSet::new();
        for spelling in 0..16 {
            let client = client.clone();
            let letters = "adaé".chars().enumerate();
            let upper = |(at, c): (usize, char)| {
                if spelling >> at & 1 == 1 { c.to_uppercase().collect() } else { c.to_string() }
            };
            let name = format!("{}{round}", letters.map(upper).collect::<String>());
            let body = json!({"schemas": [USERS.schema().id], "userName": name});
            tasks.spawn(async move { client.send(Method::POST, "/Users", &body).await.status().as_u16() });
        }
        let mut statuses = tasks.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 15][..]));
    }
}

/// Red when a change writes back a resource that was deleted after it had been read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_comes_back_after_it_is_deleted() {
    let client = Client::new();
    for round in 0..32 {
        let group = client.group(&format!("crew {round}")).await;
        let mut tasks = JoinSet::new();
        for writer in 0..8 {
            let (client, group) = (client.clone(), group.clone());
            tasks.spawn(async move {
                if writer == 4 {
                    let status = client.send(Method::DELETE, &group, &Value::Null).await.status();
                    let after = client.send(Method::GET, &group, &Value::Null).await.status();
                    return (status.as_u16(), after.as_u16());
                }
                let body = json!({"schemas": [GROUPS.schema().id], "displayName": format!("{round}.{writer}")});
                let add = json!({"op": "add", "path": "members", "value": [{"value": format!("m{writer}")}]});
                let response = match writer % 2 {
                    0 => client.send(Method::PUT, &group, &body).await,
                    _ => client.patch(&group, add, None).await,
                };
                (response.status().as_u16(), 404)
            });
        }
        for (status, after) in tasks.join_all().await {
            assert!(matches!(status, 200 | 204 | 404), "{status}");
            assert_eq!(after, 404);
        }
        assert_eq!(client.send(Method::GET, &group, &Value::Null).await.status(), 404);
    }
}
