//! A service over the store in memory: a GET, measured against handing out the bytes, and what the store keeps in memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench, not the library"
)]

mod harness;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::RwLock;

use harness::{Bench, data, live_bytes, now};
use http::{Request, Response};
use scim_provider::{EnterpriseUser, Extension, Group, MemoryStore, Service, TenantId, User};
use serde_json::{Value, json};

const USERS: usize = 10_000;

fn main() -> ExitCode {
    let count = if harness::smoke() { USERS / 100 } else { USERS };
    let mut directory = Directory::new();
    let users = directory.fill(count);
    let members = directory.gather(count);
    let get = directory.get();
    harness::exit(&[users, members, get])
}

struct Directory {
    service: Service<TenantId>,
    tenant: TenantId,
    ids: Vec<String>,
}

impl Directory {
    fn new() -> Self {
        let store = MemoryStore::new();
        let service = Service::builder("https://example.com/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
            .resource(Group::resource_type(), store)
            .build()
            .unwrap();
        Self { service, tenant: TenantId::new("acme").unwrap(), ids: Vec::new() }
    }

    /// P14, users
    fn fill(&mut self, count: usize) -> bool {
        self.ids.reserve(count);
        let (before, mut json) = (live_bytes(), 0);
        for number in 0..count {
            let answer = self.call(Request::post("/Users"), data::user(number).into_bytes());
            json += answer.body().len();
            let body: Value = serde_json::from_slice(answer.body()).unwrap();
            self.ids.push(body["id"].as_str().unwrap().to_owned());
        }
        let names: usize = self.ids.iter().map(String::capacity).sum();
        let used = live_bytes() - before - names as f64;
        println!("P14 a user: {:.0} bytes, {:.0} as JSON", used / count as f64, json as f64 / count as f64);
        harness::figure("P14 memory per user / its JSON", used / json as f64, 1.35)
    }

    /// P14, members
    fn gather(&self, count: usize) -> bool {
        let name = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "All"});
        let answer = self.call(Request::post("/Groups"), serde_json::to_vec(&name).unwrap());
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        let path = format!("/Groups/{}", body["id"].as_str().unwrap());
        drop((answer, body));
        let before = live_bytes();
        for ids in self.ids.chunks(1_000) {
            let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
            let patch = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "add", "path": "members", "value": members }]
            });
            self.call(Request::patch(&path), serde_json::to_vec(&patch).unwrap());
        }
        let used = live_bytes() - before;
        self.call(Request::delete(&path), Vec::new());
        harness::figure("P14 bytes per group member", used / count as f64, 64.0)
    }

    /// P6
    fn get(&self) -> bool {
        let request = |id: &str| {
            let request = Request::get(format!("/Users/{id}")).header("accept", "application/scim+json");
            request.body(Vec::new()).unwrap()
        };
        let bytes = self.ids.iter().map(|id| {
            let answer = now(self.service.call(&self.tenant, request(id)));
            assert_eq!(answer.status(), 200);
            (id.clone(), answer.into_body())
        });
        let bytes: RwLock<HashMap<String, Vec<u8>>> = RwLock::new(bytes.collect());
        let step = 7_919;
        let count = self.ids.len();

        let mut bench = Bench::new();
        let mut at = 0;
        let copy = bench.case("look up and copy", 1, || {
            at = (at + step) % count;
            bytes.read().unwrap().get(&self.ids[at]).cloned().unwrap()
        });
        let mut at = 0;
        let get = bench.case_with(
            "GET",
            1,
            || {
                at = (at + step) % count;
                request(&self.ids[at])
            },
            |request| now(self.service.call(&self.tenant, request)),
        );
        bench.run().ratio("P6 GET in process / look-up and copy of the bytes", get, copy, 2.0)
    }

    fn call(&self, request: http::request::Builder, body: Vec<u8>) -> Response<Vec<u8>> {
        let request = request.header("content-type", "application/scim+json").body(body).unwrap();
        let answer = now(self.service.call(&self.tenant, request));
        assert!(answer.status().is_success(), "{}", String::from_utf8_lossy(answer.body()));
        answer
    }
}
