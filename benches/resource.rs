//! Reading and writing resources, measured against serde_json doing the least that a tree of `Value`s allows.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench, not the library"
)]

mod harness;

use std::hint::black_box;
use std::process::ExitCode;

use harness::{Bench, data};
use http::Request;
use scim_provider::{Compat, EnterpriseUser, Extension, MemoryStore, Projection, Resource, Service, TenantId, User};
use serde_json::{Map, Value};

const USERS: usize = 200;

const ONLY: [&[&str]; 2] = [&["userName", "emails"], &["userName", "name.familyName", "emails.value"]];
const WITHOUT: [&[&str]; 2] = [&["addresses", "photos"], &["name.formatted", "emails.type", "groups"]];

fn main() -> ExitCode {
    let reading = reading();
    let projecting = projecting();
    let listing = listing();
    harness::exit(&[reading, projecting, listing])
}

/// P4
fn reading() -> bool {
    let ty = data::users();
    let bodies: Vec<String> = (0..USERS).map(data::user).collect();
    let mut bench = Bench::new();
    let tree = bench.case("Value", USERS, || {
        bodies.iter().for_each(|body| drop(black_box(serde_json::from_slice::<Value>(body.as_bytes()).unwrap())));
    });
    let parsed = bench.case("parse", USERS, || {
        bodies.iter().for_each(|body| drop(black_box(Resource::parse(&ty, body.as_bytes()).unwrap())));
    });
    let report = bench.run();
    let met = [
        report.ratio("P4 body to a checked, storable resource / to a Value", parsed, tree, 0.65),
        report.allocations("P4 allocations", parsed, 8.0),
    ];
    !met.contains(&false)
}

/// P7
fn projecting() -> bool {
    let ty = data::users();
    let users: Vec<Resource> = (0..USERS).map(|n| Resource::from_stored(&ty, data::user(n)).unwrap()).collect();
    let default = Projection::default_of(&ty);
    let only = ONLY.map(|names| (names, Projection::only(&ty, names.iter().copied(), Compat::default())));
    let without = WITHOUT.map(|names| (names, Projection::without(&ty, names.iter().copied(), Compat::default())));

    let mut bench = Bench::new();
    let write = |projection| {
        let users = &users;
        move || users.iter().for_each(|user| drop(black_box(user.to_json(projection))))
    };
    let full = bench.case("full", USERS, write(&default));
    let mut cases = Vec::new();
    for (what, (names, projection)) in
        only.iter().map(|p| ("attributes", p)).chain(without.iter().map(|p| ("excludedAttributes", p)))
    {
        let trees: Vec<Value> =
            users.iter().map(|user| serde_json::from_slice(&user.to_json(projection)).unwrap()).collect();
        let name = format!("{what}={}", names.join(","));
        let case = bench.case(&name, USERS, write(projection));
        let base = bench.case("projected Value", USERS, move || {
            trees.iter().for_each(|tree| drop(black_box(serde_json::to_vec(tree).unwrap())));
        });
        cases.push((name, case, base));
    }
    let report = bench.run();
    let mut met = Vec::new();
    for (name, case, base) in cases {
        met.push(report.ratio(&format!("P7 {name} / serialising the projected Value"), case, base, 0.2));
        met.push(report.ratio(&format!("P7 {name} / writing it in full"), case, full, 1.0));
    }
    !met.contains(&false)
}

/// P8, first half
fn listing() -> bool {
    const PAGE: usize = 100;
    let store = MemoryStore::new();
    let service: Service<TenantId> = Service::builder("https://example.com/v2")
        .resource(User::resource_type().extension(EnterpriseUser::schema()), store)
        .build()
        .unwrap();
    let tenant = TenantId::new("acme").unwrap();
    for number in 0..PAGE {
        let request = Request::post("/Users").header("content-type", "application/scim+json");
        let answer = harness::now(service.call(&tenant, request.body(data::user(number)).unwrap()));
        assert_eq!(answer.status(), 201);
    }
    let page = || Request::get("/Users?startIndex=1&count=100").body("").unwrap();
    let call = |request| harness::now(service.call(&tenant, request)).into_body();
    let tree: Map<String, Value> = serde_json::from_slice(&call(page())).unwrap();
    let trees = tree["Resources"].as_array().unwrap();
    assert_eq!(trees.len(), PAGE);

    let mut bench = Bench::new();
    let base = bench.case("100 Values", 1, || serde_json::to_vec(trees).unwrap());
    let case = bench.case_with("page of 100", 1, page, call);
    bench.run().ratio("P8 page of 100 / serialising 100 Values", case, base, 0.1)
}
