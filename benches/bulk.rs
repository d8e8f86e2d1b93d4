//! Bulk requests in the store in memory, measured against the same operations one by one; and pages by cursor, of which the
//! last costs what the first does.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench, not the library"
)]

mod harness;

use std::process::ExitCode;

use harness::{Bench, now};
use http::Request;
use scim_provider::{EnterpriseUser, Extension, Group, MemoryStore, Service, TenantId, User};
use serde_json::{Value, json};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn main() -> ExitCode {
    let operations = if harness::smoke() { 100 } else { 1_000 };
    harness::exit(&[circles(operations), mixed(operations), pages(), building()])
}

/// Creations, of which a fifth are groups that contain each other in pairs.
fn circles(operations: usize) -> bool {
    let groups = operations / 5;
    let user = |n: usize| json!({"schemas": [USER], "userName": format!("user-{n}"), "displayName": "A name"});
    let group =
        |n: usize, members: Value| json!({"schemas": [GROUP], "displayName": format!("group-{n}"), "members": members});
    let pair = |n: usize| n ^ 1;
    let mut all: Vec<Value> = (0..operations - groups)
        .map(|n| json!({"method": "POST", "path": "/Users", "bulkId": format!("u{n}"), "data": user(n)}))
        .collect();
    all.extend((0..groups).map(|n| {
        let data = group(n, json!([{"value": format!("bulkId:g{}", pair(n))}]));
        json!({"method": "POST", "path": "/Groups", "bulkId": format!("g{n}"), "data": data})
    }));
    let body = bulk(&all);
    let users: Vec<String> = (0..operations - groups).map(|n| user(n).to_string()).collect();
    let empty: Vec<String> = (0..groups).map(|n| group(n, json!([])).to_string()).collect();

    let mut bench = Bench::new();
    let alone = bench.case_with("one by one", operations, Host::new, |host| {
        users.iter().for_each(|user| drop(host.send("POST", "/Users", user.clone())));
        let ids: Vec<String> = empty.iter().map(|group| id(&host.send("POST", "/Groups", group.clone()).1)).collect();
        for (n, own) in ids.iter().enumerate() {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": ids[pair(n)]}]}]);
            let body = json!({"schemas": [PATCH_OP], "Operations": add}).to_string();
            assert_eq!(host.send("PATCH", &format!("/Groups/{own}"), body).0, 204);
        }
        host
    });
    let together = bench.case_with(
        "in bulk",
        operations,
        || (Host::new(), body.clone()),
        |(host, body)| {
            let (status, answer) = host.send("POST", "/Bulk", body);
            assert_eq!(status, 200);
            (host, answer)
        },
    );
    let report = bench.run();
    report.line(alone);
    report.line(together);
    report.ratio("creations with circular references, bulk / one by one", together, alone, 1.25)
}

/// Creations, changes and deletions, of which a tenth fail.
fn mixed(operations: usize) -> bool {
    let seed: Vec<String> = (0..operations / 4)
        .map(|n| json!({"schemas": [USER], "userName": format!("seed-{n}"), "displayName": "A name"}).to_string())
        .collect();
    let prepare = || {
        let host = Host::new();
        let ids: Vec<String> = seed.iter().map(|user| id(&host.send("POST", "/Users", user.clone()).1)).collect();
        (host, ids)
    };
    let operation = |n: usize, ids: &[String]| {
        let path = format!("/Users/{}", ids[n / 4]);
        let failing = n % 10 == 3;
        match n % 4 {
            0 => {
                let name = if failing { "seed-0".to_owned() } else { format!("new-{n}") };
                ("POST", "/Users".to_owned(), json!({"schemas": [USER], "userName": name}))
            }
            1 => {
                let title =
                    json!([{"op": "replace", "path": if failing { "nope" } else { "title" }, "value": "Guide"}]);
                ("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": title}))
            }
            2 => ("PUT", path, json!({"schemas": [USER], "userName": format!("seed-{}", n / 4), "nickName": "x"})),
            _ => ("DELETE", if failing { "/Users/nobody".to_owned() } else { path }, Value::Null),
        }
    };
    let mut bench = Bench::new();
    let alone = bench.case_with(
        "one by one",
        operations,
        || {
            let (host, ids) = prepare();
            let requests: Vec<_> = (0..operations).map(|n| operation(n, &ids)).collect();
            (host, requests.into_iter().map(|(m, p, b)| (m, p, b.to_string())).collect::<Vec<_>>())
        },
        |(host, requests)| {
            requests.into_iter().for_each(|(method, path, body)| drop(host.send(method, &path, body)));
            host
        },
    );
    let together = bench.case_with(
        "in bulk",
        operations,
        || {
            let (host, ids) = prepare();
            let all: Vec<Value> = (0..operations)
                .map(|n| {
                    let (method, path, data) = operation(n, &ids);
                    let bulk_id = if method == "POST" { json!(format!("b{n}")) } else { Value::Null };
                    json!({"method": method, "path": path, "bulkId": bulk_id, "data": data})
                })
                .collect();
            (host, bulk(&all))
        },
        |(host, body)| {
            let (status, answer) = host.send("POST", "/Bulk", body);
            assert_eq!(status, 200);
            (host, answer)
        },
    );
    let report = bench.run();
    report.line(alone);
    report.line(together);
    report.ratio("mixed operations with failures, bulk / one by one", together, alone, 1.25)
}

/// The first page, the hundredth and the ten thousandth, of ten resources each.
fn pages() -> bool {
    let last = if harness::smoke() { 100 } else { 10_000 };
    let host = Host::new();
    for n in 0..last * 10 {
        let user = json!({"schemas": [USER], "userName": format!("user-{n}"), "displayName": "A name"});
        assert_eq!(host.send("POST", "/Users", user.to_string()).0, 201);
    }
    let mut urls = vec!["/Users?count=10&cursor".to_owned()];
    while urls.len() < last {
        let (_, page) = host.send("GET", &urls[urls.len() - 1], String::new());
        let page: Value = serde_json::from_slice(&page).unwrap();
        urls.push(format!("/Users?count=10&cursor={}", page["nextCursor"].as_str().unwrap()));
    }
    let middle = last / 100;
    let mut bench = Bench::new();
    let host = &host;
    let mut page = |name: &str, url: String| bench.case(name, 1, move || host.send("GET", &url, String::new()));
    let first = page("the first page", urls[0].clone());
    let hundredth = page("the page after a hundredth of them", urls[middle].clone());
    let end = page("the last page", urls[last - 1].clone());
    let by_index = page("the last page by index", format!("/Users?count=10&startIndex={}", last * 10 - 9));
    let report = bench.run();
    for id in [first, hundredth, end, by_index] {
        report.line(id);
    }
    let near = report.ratio("a page by cursor, hundredth part / first", hundredth, first, 1.5);
    report.ratio("a page by cursor, last / first", end, first, 1.5) && near
}

/// A service for a tenant with types of its own.
fn building() -> bool {
    let host = Host::new();
    let mut bench = Bench::new();
    let get = bench.case("a list of nothing", 1, || host.send("GET", "/Users", String::new()));
    let build = bench.case("building a service", 1, Host::new);
    let report = bench.run();
    report.line(build);
    report.ratio("building a service / answering a list of nothing", build, get, None)
}

struct Host {
    service: Service<TenantId>,
    tenant: TenantId,
}

impl Host {
    fn new() -> Self {
        let store = MemoryStore::new();
        let service = Service::builder("https://example.com/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
            .resource(Group::resource_type(), store);
        Self { service: service.build().unwrap(), tenant: TenantId::new("acme").unwrap() }
    }

    fn send(&self, method: &str, target: &str, body: String) -> (u16, Vec<u8>) {
        let request = Request::builder().method(method).uri(target).header("content-type", "application/scim+json");
        let answer = now(self.service.call(&self.tenant, request.body(body.into_bytes()).unwrap()));
        (answer.status().as_u16(), answer.into_body())
    }
}

fn bulk(operations: &[Value]) -> String {
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    json!({"schemas": [schema], "Operations": operations}).to_string()
}

fn id(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["id"].as_str().unwrap().to_owned()
}
