//! Bulk requests in the store in memory, measured against the same operations one by one; and pages by cursor, of which the
//! last costs what the first does.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench, not the library"
)]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/it/bulk_model/given.rs"]
mod given;
mod harness;

use std::process::ExitCode;

use harness::{Bench, now};
use http::Request;
use scim_provider::{EnterpriseUser, Extension, Group, MemoryStore, Service, TenantId, User};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn main() -> ExitCode {
    let operations = if harness::smoke() { 100 } else { 1_000 };
    harness::exit(&[circles(operations), mixed(operations), pages(), building()])
}

/// Creations, of which a fifth are groups that contain each other in pairs. One by one, the groups are created empty and then
/// changed.
fn circles(operations: usize) -> bool {
    let all = given::circles(operations);
    let body = bulk(&all);
    let (host, creations) = (Host::new(), all.len());
    assert_eq!(statuses(&host.send("POST", "/Bulk", body.clone()).1), vec![201; creations]);
    let (users, groups): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|operation| operation["path"] == "/Users");
    let users: Vec<String> = users.iter().map(|operation| operation["data"].to_string()).collect();
    let empty = |operation: &&Value| {
        let mut data = operation["data"].clone();
        data["members"] = json!([]);
        data.to_string()
    };
    let empty: Vec<String> = groups.iter().map(empty).collect();

    let mut bench = Bench::new();
    let alone = bench.case_with("one by one", operations, Host::new, |host| {
        users.iter().for_each(|user| drop(host.send("POST", "/Users", user.clone())));
        let ids: Vec<String> = empty.iter().map(|group| id(&host.send("POST", "/Groups", group.clone()).1)).collect();
        for (n, own) in ids.iter().enumerate() {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": ids[n ^ 1]}]}]);
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

/// Creations, changes and deletions that refer back and fail at random places, as the model in `given` says. One by one, the client
/// puts the ids that it was told in place of the references, and those that it was not told are of nobody.
fn mixed(operations: usize) -> bool {
    let steps = given::steps(7, operations, false);
    let prepare = || {
        let host = Host::new();
        let user = |n: usize| json!({"schemas": [USER], "userName": given::name_before(n)}).to_string();
        let ids: Vec<String> = (0..given::BEFORE).map(|n| id(&host.send("POST", "/Users", user(n)).1)).collect();
        (host, ids)
    };
    let in_bulk = || {
        let (host, ids) = prepare();
        let body = given::request(&steps, &ids, None);
        (host, body)
    };
    let (host, body) = in_bulk();
    assert_eq!(statuses(&host.send("POST", "/Bulk", body).1), given::predicted(&steps).0, "right by the model");

    let mut bench = Bench::new();
    let alone = bench.case_with(
        "one by one",
        operations,
        || {
            let (host, ids) = prepare();
            let requests = steps.iter().enumerate().map(|(number, step)| {
                let (method, path, data, version) = given::sent(number, step, &ids);
                (method, path, data.to_string(), version)
            });
            (host, requests.collect::<Vec<_>>())
        },
        |(host, requests)| {
            let mut made: Vec<Option<String>> = Vec::with_capacity(requests.len());
            for (method, path, body, version) in requests {
                let (path, body) = (resolved(path, &made), resolved(body, &made));
                let (status, answer) = host.send_if(method, &path, body, version.as_deref());
                made.push((method == "POST" && status == 201).then(|| id(&answer)));
            }
            host
        },
    );
    let together = bench.case_with("in bulk", operations, in_bulk, |(host, body)| {
        let (status, answer) = host.send("POST", "/Bulk", body);
        assert_eq!(status, 200);
        (host, answer)
    });
    let report = bench.run();
    report.line(alone);
    report.line(together);
    report.ratio("mixed operations with failures, bulk / one by one", together, alone, 1.25)
}

/// A text with ids where it refers to operations.
fn resolved(text: String, made: &[Option<String>]) -> String {
    if !text.contains("bulkId:") {
        return text;
    }
    let mut parts = text.split("bulkId:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let id = number.parse().ok().and_then(|number: usize| made.get(number)?.as_deref());
        out.push_str(id.unwrap_or("nobody"));
        out.push_str(rest);
    }
    out
}

fn statuses(answer: &[u8]) -> Vec<u16> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let results = answer["Operations"].as_array().unwrap();
    results.iter().map(|result| result["status"].as_str().unwrap().parse().unwrap()).collect()
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
        self.send_if(method, target, body, None)
    }

    fn send_if(&self, method: &str, target: &str, body: String, version: Option<&str>) -> (u16, Vec<u8>) {
        let request = Request::builder().method(method).uri(target).header("content-type", "application/scim+json");
        let request = version.into_iter().fold(request, |request, version| request.header("if-match", version));
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
