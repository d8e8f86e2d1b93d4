//! PATCH, measured against what a tree of `Value`s costs, and a large group against a small one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench, not the library"
)]

mod harness;

use std::process::ExitCode;

use harness::data::{self, Random};
use harness::{Bench, now};
use http::{Request, Response};
use scim_provider::{Compat, Group, Limits, MemoryStore, Patch, Resource, Service, TenantId, User};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let attribute = attribute();
    let members = members();
    harness::exit(&[attribute, members])
}

/// P9
fn attribute() -> bool {
    const BODY: &[u8] = br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations":[{"op":"replace","path":"displayName","value":"Renamed"}]}"#;
    let (ty, limits) = (data::users(), Limits::default());
    let user = Resource::from_stored(&ty, data::user(5)).unwrap();

    let mut bench = Bench::new();
    let tree = bench.case("trees", 1, || {
        let patch: Value = serde_json::from_slice(BODY).unwrap();
        let mut user: Value = serde_json::from_slice(user.as_json()).unwrap();
        user["displayName"] = patch["Operations"][0]["value"].clone();
        serde_json::to_vec(&user).unwrap()
    });
    let patched = bench.case("patch", 1, || {
        let patch = Patch::parse(BODY, &limits).unwrap();
        let patched = patch.bind(&ty, Compat::default(), &limits).unwrap().apply(&user).unwrap();
        assert!(patched.changed);
        patched.resource
    });
    bench.run().ratio("P9 PATCH of one attribute / parse, apply, serialise a Value", patched, tree, 0.15)
}

/// P10 and P11, as far as they are about memory
fn members() -> bool {
    let (small, large) = if harness::smoke() { (100, 1_000) } else { (1_000, 1_000_000) };
    let directory = Directory::with_users(large);
    let (little, big) = (directory.group("little", small), directory.group("big", large));
    let batch: Vec<String> = directory.ids[..1_000.min(large)].to_vec();
    let staff = directory.group("staff", small);

    let mut random = Random(7);
    let mut some = |most: usize| -> Vec<_> {
        (0..1_000).map(|_| out_and_in(&[directory.ids[random.below(most)].clone()])).collect()
    };
    let (little_bodies, big_bodies) = (some(small), some(large));
    let thousand = out_and_in(&batch);

    let mut bench = Bench::new();
    let mut at = 0;
    let in_little = bench.case("one member, small group", 2, || {
        at = (at + 1) % little_bodies.len();
        directory.send(&little, &little_bodies[at])
    });
    let mut at = 0;
    let in_big = bench.case("one member, large group", 2, || {
        at = (at + 1) % big_bodies.len();
        directory.send(&big, &big_bodies[at])
    });
    let many = bench.case("1,000 members", 2, || directory.send(&staff, &thousand));
    let parsing = bench.case("parsing the bodies", 2, || {
        thousand.each_ref().map(|body| serde_json::from_slice::<Value>(body).unwrap())
    });
    let report = bench.run();
    let met = [
        report.ratio("P10 PATCH of one member, group of 1,000,000 / of 1,000", in_big, in_little, 1.3),
        report.ratio("P11 PATCH of 1,000 members / parsing its body", many, parsing, 6.0),
    ];
    !met.contains(&false)
}

/// A service with users in it.
struct Directory {
    service: Service<TenantId>,
    tenant: TenantId,
    ids: Vec<String>,
}

impl Directory {
    fn with_users(count: usize) -> Self {
        let store = MemoryStore::new();
        let service = Service::builder("https://example.com/v2")
            .resource(User::resource_type(), store.clone())
            .resource(Group::resource_type(), store)
            .build()
            .unwrap();
        let mut this = Self { service, tenant: TenantId::new("acme").unwrap(), ids: Vec::new() };
        this.ids = (0..count)
            .map(|n| {
                this.create(
                    "Users",
                    &json!({
                        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("user{n}")
                    }),
                )
            })
            .collect();
        this
    }

    /// Creates a group of the first users.
    fn group(&self, name: &str, size: usize) -> String {
        let id = self.create(
            "Groups",
            &json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name
            }),
        );
        for ids in self.ids[..size].chunks(5_000) {
            self.call(Request::patch(format!("/Groups/{id}")), patch("add", ids));
        }
        id
    }

    fn send(&self, group: &str, bodies: &[Vec<u8>; 2]) {
        for body in bodies {
            self.call(Request::patch(format!("/Groups/{group}")), body.clone());
        }
    }

    fn create(&self, endpoint: &str, body: &Value) -> String {
        let answer = self.call(Request::post(format!("/{endpoint}")), serde_json::to_vec(body).unwrap());
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    fn call(&self, request: http::request::Builder, body: Vec<u8>) -> Response<Vec<u8>> {
        let request = request.header("content-type", "application/scim+json").body(body).unwrap();
        let answer = now(self.service.call(&self.tenant, request));
        assert!(answer.status().is_success(), "{}", String::from_utf8_lossy(answer.body()));
        answer
    }
}

/// A PATCH that removes members and one that adds them.
fn out_and_in(ids: &[String]) -> [Vec<u8>; 2] {
    [patch("remove", ids), patch("add", ids)]
}

fn patch(op: &str, ids: &[String]) -> Vec<u8> {
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": op, "path": "members", "value": members }]
    });
    serde_json::to_vec(&body).unwrap()
}
