//! The stores behind a service, as a host uses them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests: they stop at the first thing that is not as it should be"
)]

use std::sync::Arc;

use http::{Request, StatusCode};
use scim_provider::{
    EnterpriseUser, Extension, Group, Key, Precondition, Projection, Resource, Service, Store, StoreError, TenantId,
    User, Version,
};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

struct Server {
    scim: Service<Caller>,
    store: SqlStore,
    acme: Caller,
}

impl Server {
    async fn over(url: &str) -> Self {
        let store = SqlStore::open(url).await.unwrap();
        let scim = Service::builder("http://localhost/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.users())
            .resource(Group::resource_type(), store.groups())
            .build()
            .unwrap();
        Self { scim, store, acme: caller("acme") }
    }

    async fn send(&self, caller: &Caller, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let request = request.header("Content-Type", "application/scim+json").body(body).unwrap();
        let response = self.scim.call(caller, request).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status(), body)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(&self.acme, "GET", path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    async fn create(&self, path: &str, body: Value) -> String {
        let (status, body) = self.send(&self.acme, "POST", path, body).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    async fn user(&self, name: &str) -> String {
        self.create("/Users", json!({"schemas": [USER], "userName": name})).await
    }

    async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        self.create("/Groups", json!({"schemas": [GROUP], "displayName": name, "members": members})).await
    }

    async fn patch(&self, path: &str, operations: Value) -> (StatusCode, Value) {
        self.send(&self.acme, "PATCH", path, json!({"schemas": [PATCH], "Operations": operations})).await
    }

    async fn total(&self, path: &str) -> u64 {
        self.get(path).await["totalResults"].as_u64().unwrap()
    }
}

fn caller(tenant: &str) -> Caller {
    Caller::authenticated(TenantId::new(tenant).unwrap(), "test", "1")
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|v| v["value"].as_str()).collect()
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
        mod sqlite_file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let dir = std::env::temp_dir().join(format!("scim-sql-store-{}", uuid::Uuid::now_v7()));
                std::fs::create_dir(&dir).unwrap();
                let url = format!("sqlite://{}?mode=rwc", dir.join("scim.sqlite").display());
                super::$test(super::Server::over(&url).await).await;
                std::fs::remove_dir_all(&dir).unwrap();
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
    a_user_is_created_read_changed_and_deleted,
    what_is_indexed_is_found_in_any_letter_case,
    pages_follow_the_order_of_creation,
    members_are_named_by_what_they_are,
    member_changes_are_sets,
    a_group_without_members_says_so_in_every_answer,
    names_are_unique_within_a_tenant_without_regard_to_case,
    tenants_see_nothing_of_each_other,
    writes_compare_and_swap,
    no_member_is_lost_when_many_are_added_at_once,
    passwords_are_hashed_and_stay_when_not_named,
    what_is_too_long_for_an_index_is_refused,
    many_create_the_same_name_and_one_does,
    a_character_that_databases_refuse_is_found_nowhere,
    pages_by_cursor_miss_nobody_and_show_nobody_twice,
}

async fn a_user_is_created_read_changed_and_deleted(server: Server) {
    let ada = json!({"schemas": [USER], "userName": "Ada", "externalId": "7", "emails": [{"value": "Ada@Example.com", "type": "work"}]});
    let id = server.create("/Users", ada).await;
    let path = format!("/Users/{id}");
    let created = server.get(&path).await;
    assert_eq!(created["userName"], "Ada");
    assert_eq!(created["meta"]["version"], "W/\"1\"");
    assert!(created.get("groups").is_none());

    let (status, patched) = server.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await;
    assert_eq!((status, &patched["active"]), (StatusCode::OK, &json!(false)));
    assert_eq!(patched["meta"]["version"], "W/\"2\"");
    let (_, again) = server.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await;
    assert_eq!(again["meta"], patched["meta"], "a change without effect is none");

    let new = json!({"schemas": [USER], "userName": "Ada", "title": "Countess"});
    let (status, replaced) = server.send(&server.acme, "PUT", &path, new).await;
    assert_eq!((status, &replaced["title"]), (StatusCode::OK, &json!("Countess")));
    assert_eq!(replaced["meta"]["created"], created["meta"]["created"]);
    assert_eq!(server.total("/Users?filter=emails.value%20eq%20%22ada@example.com%22").await, 0);

    assert_eq!(server.send(&server.acme, "DELETE", &path, Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.send(&server.acme, "GET", &path, Value::Null).await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.send(&server.acme, "DELETE", &path, Value::Null).await.0, StatusCode::NOT_FOUND);
}

async fn what_is_indexed_is_found_in_any_letter_case(server: Server) {
    let body = json!({"schemas": [USER], "userName": "ΟΔΥΣΣΕΥΣ", "externalId": "Xy",
                      "emails": [{"value": "O@Ithaca.example", "type": "work"}, {"value": "o@ithaca.example"}]});
    let id = server.create("/Users", body).await;
    let group = server.group("Crew", &[&id]).await;
    for (filter, found) in [
        (r#"userName eq "οδυσσευς""#, 1),
        (r#"externalId eq "Xy""#, 1),
        (r#"externalId eq "xy""#, 0),
        (r#"emails[type eq "work"].value eq "o@ITHACA.example""#, 1),
        (r#"emails[type eq "home"].value eq "o@ithaca.example""#, 0),
        (r#"emails.value eq "nobody@ithaca.example""#, 0),
        (&format!(r#"id eq "{id}""#), 1),
        (&format!(r#"groups.value eq "{group}""#), 1),
        (r#"userName sw "ΟΔΥ" and active pr"#, 0),
        (r#"not (userName eq "nobody")"#, 1),
    ] {
        let encoded: String = filter.bytes().map(|b| format!("%{b:02X}")).collect();
        assert_eq!(server.total(&format!("/Users?filter={encoded}")).await, found, "{filter}");
    }
    let filter = format!("/Groups?filter=displayName%20eq%20%22CREW%22&excludedAttributes=members&x={id}");
    let found = server.get(&filter).await;
    assert_eq!(found["totalResults"], 1);
    assert!(found["Resources"][0].get("members").is_none());
    assert_eq!(server.total(&format!("/Groups?filter=members.value%20eq%20%22{id}%22")).await, 1);
}

async fn pages_follow_the_order_of_creation(server: Server) {
    let mut created = Vec::new();
    for n in 0..7 {
        created.push(server.user(&format!("user{n}")).await);
    }
    let page = server.get("/Users?startIndex=3&count=3").await;
    assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(7), &json!(3)));
    let found: Vec<_> = page["Resources"].as_array().unwrap().iter().map(|u| u["id"].as_str().unwrap()).collect();
    assert_eq!(found, created[2..5].iter().map(String::as_str).collect::<Vec<_>>());
    let sorted = server.get("/Users?sortBy=userName&sortOrder=descending&count=1").await;
    assert_eq!(sorted["Resources"][0]["userName"], "user6");
    assert_eq!(server.get("/Users?count=0").await["totalResults"], 7);
}

async fn members_are_named_by_what_they_are(server: Server) {
    let ada =
        server.create("/Users", json!({"schemas": [USER], "userName": "ada", "displayName": "Ada Lovelace"})).await;
    let inner = server.group("Inner", &[]).await;
    let outer = server.group("Outer", &[&ada, &inner, "unknown-1"]).await;
    let members = server.get(&format!("/Groups/{outer}")).await["members"].clone();
    let member = |id: &str| members.as_array().unwrap().iter().find(|m| m["value"] == *id).unwrap().clone();
    assert_eq!(member(&ada)["$ref"], format!("http://localhost/scim/v2/Users/{ada}"));
    assert_eq!(member(&inner)["$ref"], format!("http://localhost/scim/v2/Groups/{inner}"));
    assert_eq!((&member(&ada)["type"], &member(&inner)["type"]), (&json!("User"), &json!("Group")));
    assert!(member("unknown-1").get("type").is_none());
    let groups = server.get(&format!("/Users/{ada}")).await["groups"].clone();
    assert_eq!((ids(&groups), &groups[0]["display"]), (vec![outer.as_str()], &json!("Outer")));

    let path = format!("/Groups/{outer}");
    let before = server.get(&path).await["meta"]["version"].clone();
    server.send(&server.acme, "DELETE", &format!("/Users/{ada}"), Value::Null).await;
    let after = server.get(&path).await;
    assert_eq!(ids(&after["members"]).len(), 2);
    assert_ne!(after["meta"]["version"], before, "who lost a member has changed");
}

async fn a_group_without_members_says_so_in_every_answer(server: Server) {
    let body = json!({"schemas": [GROUP], "displayName": "Nobody"});
    let (_, created) = server.send(&server.acme, "POST", "/Groups", body.clone()).await;
    let path = format!("/Groups/{}", created["id"].as_str().unwrap());
    let remove = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": "members"}]});
    let asked = format!("{path}?attributes=members,displayName");
    let named = "/Groups?filter=displayName%20eq%20%22nobody%22";
    let mut request = Request::get(format!("/scim/v2{path}")).body(Vec::new()).unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let streamed = server.scim.stream(caller("acme"), request).await.into_body().into_whole();
    let streamed: Value = serde_json::from_slice(&streamed.unwrap()).unwrap();
    for shown in [
        created,
        server.get(&path).await,
        server.get(&asked).await,
        streamed,
        server.send(&server.acme, "PUT", &path, body).await.1,
        server.send(&server.acme, "PATCH", &asked, remove).await.1,
        server.get("/Groups").await["Resources"][0].clone(),
        server.get(named).await["Resources"][0].clone(),
        server.get("/?filter=meta.resourceType%20eq%20%22Group%22").await["Resources"][0].clone(),
    ] {
        assert_eq!((&shown["displayName"], &shown["members"]), (&json!("Nobody"), &json!([])), "{shown}");
    }
    let less = server.get(&format!("{path}?excludedAttributes=members")).await;
    assert!(less.get("members").is_none(), "{less}");
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "a"}]}]);
    server.patch(&path, add).await;
    assert_eq!(ids(&server.get(&path).await["members"]), ["a"]);
}

async fn member_changes_are_sets(server: Server) {
    let group = format!("/Groups/{}", server.group("All", &["a", "b"]).await);
    let version = || async { server.get(&group).await["meta"]["version"].clone() };
    let first = version().await;
    let (status, _) = server.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": "b"}]}])).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(version().await, first, "adding who is there changes nothing");
    for (operations, expected) in [
        (json!([{"op": "add", "path": "members", "value": [{"value": "c"}]}]), vec!["a", "b", "c"]),
        (json!([{"op": "remove", "path": "members[value eq \"a\"]"}]), vec!["b", "c"]),
        (json!([{"op": "replace", "path": "members", "value": [{"value": "c"}, {"value": "d"}]}]), vec!["c", "d"]),
        (json!([{"op": "replace", "path": "displayName", "value": "Everybody"}]), vec!["c", "d"]),
        (json!([{"op": "remove", "path": "members[type eq \"User\"]"}]), vec!["c", "d"]),
        (json!([{"op": "remove", "path": "members"}]), vec![]),
    ] {
        let (status, body) = server.patch(&group, operations.clone()).await;
        assert!(status.is_success(), "{operations}: {body}");
        assert_eq!(ids(&server.get(&group).await["members"]), expected, "{operations}");
    }
    let put = json!({"schemas": [GROUP], "displayName": "Everybody", "members": [{"value": "x"}, {"value": "y"}]});
    let (_, replaced) = server.send(&server.acme, "PUT", &group, put.clone()).await;
    assert_eq!(ids(&replaced["members"]), ["x", "y"]);
    let (_, again) = server.send(&server.acme, "PUT", &group, put).await;
    assert_eq!(again["meta"], replaced["meta"]);
}

async fn names_are_unique_within_a_tenant_without_regard_to_case(server: Server) {
    let body = |name: &str| json!({"schemas": [USER], "userName": name});
    server.user("Straße@Example.com").await;
    let other = server.user("other").await;
    let (status, error) = server.send(&server.acme, "POST", "/Users", body("sTRAßE@example.COM")).await;
    assert_eq!((status, &error["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")));
    let taken = json!([{"op": "replace", "path": "userName", "value": "STRAßE@EXAMPLE.COM"}]);
    assert_eq!(server.patch(&format!("/Users/{other}"), taken).await.0, StatusCode::CONFLICT);
    assert_eq!(server.get(&format!("/Users/{other}")).await["meta"]["version"], "W/\"1\"");
    let (status, _) = server.send(&caller("globex"), "POST", "/Users", body("straße@example.com")).await;
    assert_eq!(status, StatusCode::CREATED);

    server.group("Sales", &[]).await;
    let sales = json!({"schemas": [GROUP], "displayName": "SALES"});
    assert_eq!(server.send(&server.acme, "POST", "/Groups", sales).await.0, StatusCode::CONFLICT);
}

async fn tenants_see_nothing_of_each_other(server: Server) {
    let globex = caller("globex");
    let user = server.user("ada").await;
    let group = server.group("Sales", &[&user]).await;
    for (method, path, body) in [
        ("GET", format!("/Users/{user}"), Value::Null),
        ("GET", format!("/Groups/{group}"), Value::Null),
        ("DELETE", format!("/Users/{user}"), Value::Null),
        ("DELETE", format!("/Groups/{group}"), Value::Null),
        ("PUT", format!("/Users/{user}"), json!({"schemas": [USER], "userName": "mallory"})),
        (
            "PATCH",
            format!("/Groups/{group}"),
            json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": "members"}]}),
        ),
    ] {
        assert_eq!(server.send(&globex, method, &path, body).await.0, StatusCode::NOT_FOUND, "{method} {path}");
    }
    for list in ["/Users", "/Groups", "/Users?filter=userName%20eq%20%22ada%22", "/Users?sortBy=userName"] {
        assert_eq!(server.send(&globex, "GET", list, Value::Null).await.1["totalResults"], 0, "{list}");
    }
    // a member of another tenant is somebody unknown
    let body = json!({"schemas": [GROUP], "displayName": "Spies", "members": [{"value": user}]});
    let (_, spies) = server.send(&globex, "POST", "/Groups", body).await;
    assert!(spies["members"][0].get("$ref").is_none());
    assert_eq!(ids(&server.get(&format!("/Users/{user}")).await["groups"]), [group]);
}

async fn writes_compare_and_swap(server: Server) {
    let users = server.store.users();
    let ty = User::resource_type().build().unwrap();
    let draft = |title: &str| Resource::empty(&ty).with("userName", "ada").unwrap().with("title", title).unwrap();
    let id = server.user("ada").await;
    let (key, one) = (Key::new(&ty, &id), [Version::from(1)]);
    let first = Precondition::versions(&one);
    let replaced = users.replace(&server.acme, key, draft("Countess"), first).await.unwrap();
    assert_eq!(replaced.version(), Some(Version::from(2)));
    let lost = users.replace(&server.acme, key, draft("Queen"), first).await;
    assert!(matches!(lost, Err(StoreError::VersionMismatch)));
    assert!(matches!(users.delete(&server.acme, key, first).await, Err(StoreError::VersionMismatch)));
    let now = users.get(&server.acme, key, &Projection::everything(&ty)).await.unwrap().unwrap();
    assert_eq!(now.text("title").as_deref(), Some("Countess"));
}

async fn passwords_are_hashed_and_stay_when_not_named(server: Server) {
    let body = json!({"schemas": [USER], "userName": "ada", "password": "correct horse"});
    let user = format!("/Users/{}", server.create("/Users", body).await);
    let id = user.rsplit('/').next().unwrap();
    let hash = || async { server.store.users().password_hash(&server.acme, id).await.unwrap() };
    let first = hash().await.unwrap();
    assert!(first.starts_with("$argon2id$"), "{first}");
    server.patch(&user, json!([{"op": "replace", "path": "title", "value": "Countess"}])).await;
    assert_eq!(hash().await.as_ref(), Some(&first));
    server.patch(&user, json!([{"op": "replace", "path": "password", "value": "battery staple"}])).await;
    assert_ne!(hash().await.as_ref(), Some(&first));
    assert!(server.get(&user).await.get("password").is_none());
}

async fn no_member_is_lost_when_many_are_added_at_once(server: Server) {
    let server = Arc::new(server);
    let group = format!("/Groups/{}", server.group("All", &[]).await);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..32 {
        let (server, group) = (server.clone(), group.clone());
        tasks.spawn(async move {
            let member = json!([{"op": "add", "path": "members", "value": [{"value": format!("u{n:02}")}]}]);
            assert_eq!(server.patch(&group, member).await.0, StatusCode::NO_CONTENT);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let group = server.get(&group).await;
    assert_eq!(ids(&group["members"]).len(), 32);
    assert_eq!(group["meta"]["version"], "W/\"33\"");
}

async fn many_create_the_same_name_and_one_does(server: Server) {
    let server = Arc::new(server);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let server = server.clone();
        let name = if n % 2 == 0 { "ada" } else { "ADA" };
        tasks.spawn(async move {
            server.send(&server.acme, "POST", "/Users", json!({"schemas": [USER], "userName": name})).await.0
        });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CREATED).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CONFLICT).count(), 15, "{statuses:?}");
    assert_eq!(server.total("/Users").await, 1);
}

async fn what_is_too_long_for_an_index_is_refused(server: Server) {
    // text that does not compress, as what an index holds is compressed first
    let long: String = (0..2_000_u32).filter_map(|n| char::from_u32(0x4e00 + n.wrapping_mul(7_919) % 20_000)).collect();
    for (path, body) in [
        ("/Users", json!({"schemas": [USER], "userName": "ada", "externalId": long})),
        ("/Users", json!({"schemas": [USER], "userName": "ada", "emails": [{"value": long}]})),
        ("/Groups", json!({"schemas": [GROUP], "displayName": long})),
        ("/Groups", json!({"schemas": [GROUP], "displayName": "All", "members": [{"value": long}]})),
    ] {
        let (status, error) = server.send(&server.acme, "POST", path, body).await;
        assert_eq!((status, &error["scimType"]), (StatusCode::BAD_REQUEST, &json!("invalidValue")), "{error}");
    }
    let user = json!({"schemas": [USER], "userName": "ada", "displayName": long, "title": long});
    server.create("/Users", user).await;
}

async fn a_character_that_databases_refuse_is_found_nowhere(server: Server) {
    let user = server.user("ada").await;
    let group = format!("/Groups/{}", server.group("All", &[&user]).await);
    for method in ["GET", "DELETE"] {
        let (status, _) = server.send(&server.acme, method, "/Users/a%00b", Value::Null).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method}");
    }
    let filter = "/Users?filter=userName%20eq%20%22%5Cu0000%22";
    assert_eq!(server.send(&server.acme, "GET", filter, Value::Null).await.0, StatusCode::BAD_REQUEST);
    for operation in [
        json!({"op": "remove", "path": "members[value eq \"\\u0000\"]"}),
        json!({"op": "remove", "path": "members", "value": [{"value": "\u{0}"}]}),
        json!({"op": "add", "path": "members", "value": [{"value": "\u{0}"}]}),
        json!({"op": "replace", "path": "displayName", "value": "\u{0}"}),
    ] {
        let (status, body) = server.patch(&group, json!([operation])).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{operation} {body}");
    }
    assert_eq!(ids(&server.get(&group).await["members"]), [user]);
}

async fn pages_by_cursor_miss_nobody_and_show_nobody_twice(server: Server) {
    for n in 0..30 {
        server.user(&format!("stays-{n:02}")).await;
    }
    for order in
        ["", "&sortBy=userName", "&sortBy=userName&sortOrder=descending", "&sortBy=meta.created", "&sortBy=title"]
    {
        for filter in ["", "&filter=userName%20sw%20%22stays%22", "&filter=nickName%20ne%20%22nobody%22"] {
            let mut goes = Vec::new();
            for n in 0..8 {
                goes.push(server.user(&format!("goes-{n}")).await);
            }
            let (mut cursor, mut seen) = (String::new(), Vec::new());
            loop {
                let page = server.get(&format!("/Users?count=7&cursor={cursor}{order}{filter}")).await;
                let names = page["Resources"].as_array().unwrap().iter().map(|user| user["userName"].as_str().unwrap());
                seen.extend(names.filter(|name| name.starts_with("stays")).map(str::to_owned));
                if let Some(gone) = goes.pop() {
                    server.send(&server.acme, "DELETE", &format!("/Users/{gone}"), Value::Null).await;
                }
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            for gone in goes {
                server.send(&server.acme, "DELETE", &format!("/Users/{gone}"), Value::Null).await;
            }
            let mut sorted = seen.clone();
            sorted.sort();
            let expected: Vec<_> = (0..30).map(|n| format!("stays-{n:02}")).collect();
            assert_eq!(sorted, expected, "{order}{filter}");
            match order {
                "&sortBy=userName" => assert_eq!(seen, expected),
                "&sortBy=userName&sortOrder=descending" => assert!(seen.iter().rev().eq(&expected)),
                _ => {}
            }
        }
    }
}
