//! What requests cost: the account that the steps of a PATCH and the operations of a bulk request share, and the size that a
//! resource may have. Nothing here looks at a clock: work is counted in the units of a budget.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use http::Request;
use scim_provider::{
    Capabilities, Compat, Cost, EnterpriseUser, Error, Extension, Key, Limits, MemoryStore, Page, Patch, Projection,
    Query, Resource, ResourceType, Service, Store, StoreError, TenantId, UnknownAttributes, User,
};
use serde_json::{Map, Value, json};

use crate::scim::{BASE, BULK, ENTERPRISE, GROUP, PATCH_OP, Scim, user};

/// What a PATCH takes from its account, and whether it goes through.
fn spent(resource: &Resource, operations: &Value) -> (u64, bool) {
    let mut limits = Limits::dangerous_unlimited();
    limits.work = u64::MAX / 2;
    let body = json!({"schemas": [PATCH_OP], "Operations": operations}).to_string();
    let patch = Patch::parse(body.as_bytes(), &limits).unwrap();
    let changes = patch.bind(resource.resource_type(), Compat::default(), &limits).unwrap();
    let passes = changes.apply(resource).is_ok();
    (limits.work - changes.budget().left(), passes)
}

fn stored(more: Value) -> Resource {
    let users = User::resource_type().extension(EnterpriseUser::schema()).build().unwrap();
    Resource::from_stored(&users, user(more).to_string()).unwrap()
}

fn entitlements(count: usize, display: &str) -> Value {
    (0..count).map(|n| json!({"value": n.to_string(), "display": display})).collect()
}

#[test]
fn honest_changes_of_many_things_pass_by_default() {
    let scim = Scim::new();
    let path = scim.user(json!({"emails": [{"value": "a@example.com", "type": "work"}]}));
    let titles: Vec<_> =
        (0..1_000).map(|n| json!({"op": "replace", "path": "title", "value": n.to_string()})).collect();
    scim.patch(&path, json!(titles)).is(200);
    let names =
        ["name.givenName", "name.familyName", "emails[type eq \"work\"].value", "addresses[type eq \"work\"].region"];
    let parts: Vec<_> = (0..1_000)
        .map(|n| json!({"op": "Replace", "path": names[n % names.len()], "value": format!("v{n}")}))
        .collect();
    scim.patch(&path, json!(parts)).is(200);
    scim.patch(&path, json!({"op": "replace", "path": "entitlements", "value": entitlements(100, "é")})).is(200);
    scim.patch(&path, json!({"op": "replace", "path": "entitlements", "value": entitlements(100, "x")})).is(200);
    let one_by_one: Vec<_> = (0..1_000)
        .map(|n| json!({"op": "add", "path": "roles", "value": [{"value": format!("r{}", n % 100)}]}))
        .collect();
    scim.patch(&path, json!(one_by_one)).is(200);
    let group = scim.group("g", &[]);
    let members = |from: usize| -> Vec<Value> {
        (from..from + 10_000).map(|n| json!({"value": format!("2819c223-7f76-453a-919d-{n:012}")})).collect()
    };
    scim.patch(&group, json!({"op": "add", "path": "members", "value": members(0)})).is(204);
    scim.patch(&group, json!({"op": "remove", "path": "members", "value": members(0)})).is(204);
    let each: Vec<_> =
        members(5).iter().take(1_000).map(|m| json!({"op": "Add", "path": "members", "value": [m]})).collect();
    scim.patch(&group, json!(each)).is(204);
    // a store that leaves PATCH to the service
    let slow = Scim::of(Service::builder(BASE).resource(crate::scim::groups(), Slow::of(20_000, 0)));
    let group = slow.create("/Groups", json!({"schemas": [GROUP], "displayName": "g"}));
    slow.patch(&group, json!({"op": "add", "path": "members", "value": members(0)})).is(204);
    slow.patch(&group, json!({"op": "remove", "path": "members", "value": members(0)})).is(204);
}

#[test]
fn each_copy_of_a_long_value_is_paid_for() {
    let long = "n".repeat(60_000);
    let scim = Scim::new();
    let path = scim.user(json!({"name": {"formatted": long, "familyName": long, "givenName": long}}));
    for operation in [
        json!({"op": "replace", "path": "name.middleName", "value": "x"}),
        json!({"op": "add", "path": "name", "value": {"middleName": "x"}}),
        json!({"op": "remove", "path": "name.honorificSuffix"}),
    ] {
        scim.patch(&path, json!(vec![&operation; 10])).is(200);
        let refused = scim.patch(&path, json!(vec![&operation; 1_000])).refused(413, "");
        assert!(refused.body["detail"].as_str().unwrap().contains("`patch_work`: 10000000"), "{}", refused.body);
    }
}

#[test]
fn letters_beyond_ascii_cost_what_their_tables_do() {
    let resource = |display: &str| stored(json!({"entitlements": entitlements(100, &display.repeat(1_000))}));
    let remove = |text: &str| json!([{"op": "remove", "path": format!("entitlements[display co \"{text}\"]")}]);
    let (plain, _) = spent(&resource("ab"), &remove("x"));
    let (folded, _) = spent(&resource("é"), &remove("éx"));
    // measured: 1.5 and 29 ns a byte
    assert!(folded > plain * 4 && folded > 29 * 100 * 2_000, "{plain} {folded}");
    let scim = Scim::new();
    let path = scim.user(json!({"entitlements": entitlements(100, &"é".repeat(2_500))}));
    scim.patch(&path, json!(vec![&remove("éx")[0]; 9])).refused(413, "");
}

#[test]
fn a_listed_removal_looks_at_each_value_once() {
    let listed = |count: usize| -> Vec<Value> {
        (0..count).map(|n| json!({"display": format!("É{n}"), "type": "t"})).collect()
    };
    let resource = stored(json!({"entitlements": entitlements(1_000, &"é".repeat(50))}));
    let cost = |count| spent(&resource, &json!([{"op": "remove", "path": "entitlements", "value": listed(count)}])).0;
    let (few, many) = (cost(10), cost(1_000));
    assert!(many < few * 3, "a hundred times as many to look for: {few} {many}");
}

#[test]
fn additions_one_after_the_other_do_not_look_at_everything_again() {
    let add = |count: usize| -> Value {
        (0..count)
            .map(|n| json!({"op": "add", "path": "entitlements", "value": [{"value": format!("n{n}")}]}))
            .collect()
    };
    let resource = stored(json!({"entitlements": entitlements(1_000, "x")}));
    let (one, many) = (spent(&resource, &add(1)).0, spent(&resource, &add(100)).0);
    assert!(many < one * 2, "{one} {many}");
}

#[test]
fn values_are_removed_as_they_are_described() {
    let scim = Scim::new();
    let values = json!([
        {"value": "É", "display": "one", "type": "a", "primary": true},
        {"value": "é", "display": "two", "type": "b"},
        {"value": "x", "type": "a"},
        {"display": "alone"}
    ]);
    let path = scim.user(json!({"entitlements": values}));
    let left = |listed: Value| -> Vec<Value> {
        scim.put(&path, user(json!({"entitlements": values}))).is(200);
        let found = scim.patch(&path, json!({"op": "remove", "path": "entitlements", "value": listed})).is(200);
        let values = found.at("/entitlements");
        values.as_array().into_iter().flatten().map(|v| v.get("display").or(v.get("value")).unwrap().clone()).collect()
    };
    assert_eq!(left(json!([{"value": "é"}])), ["x", "alone"]);
    assert_eq!(left(json!([{"value": "é", "primary": false}])), ["one", "x", "alone"]);
    assert_eq!(left(json!([{"value": "é", "primary": false}, {"value": "É"}])), ["x", "alone"]);
    assert_eq!(left(json!([{"type": "A", "value": "X"}, {"type": "b", "value": "y"}])), ["one", "two", "alone"]);
    assert_eq!(left(json!([{"display": "ALONE"}, {"display": "one", "type": "b"}])), ["one", "x"]);
}

/// A store whose writes cost what the test says.
#[derive(Clone)]
struct Slow {
    store: MemoryStore<TenantId>,
    capabilities: Capabilities,
}

impl Slow {
    fn of(write: u64, password: u64) -> Self {
        let capabilities = Capabilities::default().with_change_password();
        let capabilities = capabilities.with_write_work(write).with_password_work(password);
        Self { store: MemoryStore::new(), capabilities }
    }
}

impl Store for Slow {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.store.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.store.list(cx, ty, query).await
    }

    crate::scim::writes_to!(store);

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

fn create(n: usize, more: Value) -> Value {
    let data = crate::scim::merged(user(json!({"userName": format!("u{n}")})), more);
    json!({"method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": data})
}

fn creations(count: usize) -> Value {
    (0..count).map(|n| create(n, json!({}))).collect()
}

#[test]
fn as_many_operations_are_published_as_fit() {
    for (write, most) in [(10_000, 1_000), (0, 1_000), (400_000, 60), (u64::MAX, 1)] {
        let scim = Scim::of(Service::builder(BASE).resource(User::resource_type(), Slow::of(write, 0)));
        scim.get("/ServiceProviderConfig").has(json!({"bulk": {"maxOperations": most}}));
        let done = scim.bulk(creations(most)).is(200);
        assert!(done.statuses().iter().all(|status| *status == "201"), "{write}");
        assert_eq!(done.exchange.cost.operations, most);
        let refused = scim.bulk(creations(most + 1)).refused(413, "");
        assert!(refused.body["detail"].as_str().unwrap().contains(&format!("maxOperations ({most})")));
    }
}

#[test]
fn the_operations_of_a_bulk_request_share_its_account() {
    let scim = Scim::new();
    let path = scim.user(json!({"entitlements": entitlements(100, &"é".repeat(1_000))}));
    let remove = json!({"op": "remove", "path": "entitlements[display co \"éx\"]"});
    let patch = json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": [remove]}});
    let done = scim.bulk(json!(vec![patch; 100])).is(200);
    let passed = done.statuses().iter().filter(|status| **status == "200").count();
    assert!((2..=6).contains(&passed), "each is about 7,000,000 of 25,000,000: {passed}");
    assert!(done.statuses()[passed..].iter().all(|status| *status == "413"), "{:?}", done.statuses());
    let detail = done.at("/Operations/99/response/detail");
    assert!(detail.as_str().unwrap().contains("`work`: 25000000"), "{detail}");
    assert!(done.exchange.cost.work <= Limits::default().work);
    // the next request has an account of its own
    scim.patch(&path, remove).is(200);
}

#[test]
fn what_is_used_up_counts_as_an_error_and_nothing_is_left_half_done() {
    let scim = Scim::of(Service::builder(BASE).resource(User::resource_type(), Slow::of(20_000, 12_000_000)));
    let with_password = |n| create(n, json!({"password": "correct horse"}));
    let operations: Vec<Value> = (0..10).map(with_password).collect();
    let done = scim.bulk(json!(operations)).is(200);
    assert_eq!(done.statuses(), ["201", "201", "201", "413", "413", "413", "413", "413", "413", "413"]);
    scim.get("/Users").has(json!({"totalResults": 3}));
    let operations: Vec<Value> = (10..20).map(with_password).collect();
    let done = scim.post("/Bulk", json!({"schemas": [BULK], "failOnErrors": 2, "Operations": operations})).is(200);
    assert_eq!(done.statuses(), ["201", "201", "201", "413", "413"]);
    scim.post("/Users", user(json!({"userName": "alone", "password": "correct horse"}))).is(201);
}

#[test]
fn a_circle_is_undone_though_nothing_is_left() {
    let slow = Slow::of(20_000, 20_000_000);
    let scim = Scim::of(
        Service::builder(BASE)
            .resource(User::resource_type().extension(EnterpriseUser::schema()), slow.clone())
            .resource(crate::scim::groups(), slow),
    );
    let of = |n: usize, manager: usize| {
        create(n, json!({"password": "correct horse", ENTERPRISE: {"manager": {"value": format!("bulkId:{manager}")}}}))
    };
    let done = scim.bulk(json!([of(0, 1), of(1, 2), of(2, 0)])).is(200);
    assert_eq!(done.statuses(), ["409", "409", "413"]);
    scim.get("/Users").has(json!({"totalResults": 0}));
}

#[test]
fn a_list_shows_no_more_references_than_it_may() {
    let scim = Scim::limited(|limits| limits.listed_references = 20);
    let members = |count: usize| json!((0..count).map(|n| json!({"value": format!("m{n}")})).collect::<Vec<_>>());
    let group = |name: &str, count| {
        let body = json!({"schemas": [GROUP], "displayName": name, "members": members(count)});
        scim.create("/Groups", body)
    };
    group("some", 20);
    scim.get("/Groups").is(200).has(json!({"totalResults": 1}));
    let path = group("more", 21);
    for list in ["/Groups", "/", "/Groups?filter=displayName%20eq%20%22more%22"] {
        let refused = scim.get(list).refused(400, "tooMany");
        assert!(refused.at("/detail").as_str().unwrap().contains("`excludedAttributes=members`"), "{}", refused.body);
    }
    scim.get("/Groups?excludedAttributes=members").is(200).has(json!({"totalResults": 2}));
    assert_eq!(scim.get(&path).is(200).at("/members").as_array().unwrap().len(), 21);
}

/// What a circle costs is known before any of it is made: what cannot be finished is not begun, and not taken back.
#[test]
fn a_circle_that_is_too_much_is_not_begun() {
    let scim = Scim::of(
        Service::builder(BASE)
            .resource(User::resource_type(), Slow::of(400_000, 0))
            .resource(crate::scim::groups(), Slow::of(400_000, 0)),
    );
    let group = |n: usize, of: usize| {
        json!({"method": "POST", "path": "/Groups", "bulkId": n.to_string(), "data": {
            "schemas": [GROUP], "displayName": format!("g{n}"), "members": [{"value": format!("bulkId:{}", (n + 1) % of)}],
        }})
    };
    let circle = |of: usize| -> Value { (0..of).map(|n| group(n, of)).collect() };
    let done = scim.bulk(circle(60)).is(200);
    assert!(done.statuses().iter().all(|status| *status == "413"), "{:?}", done.statuses());
    assert!(done.exchange.cost.work < 10_000_000, "{}", done.exchange.cost.work);
    assert!(scim.bulk(circle(20)).is(200).statuses().iter().all(|status| *status == "201"));
}

/// A PATCH that is refused has cost what it took to find that out, and a bulk request of such cannot go on for ever.
#[test]
fn what_is_refused_is_paid_for() {
    let scim = Scim::new();
    let members = json!((0..20_000).map(|n| json!({"value": format!("m{n}")})).collect::<Vec<_>>());
    let (some, more) = members.as_array().unwrap().split_at(10_000);
    let group = scim.create("/Groups", json!({"schemas": [GROUP], "displayName": "crowd", "members": some}));
    scim.patch(&group, json!({"op": "add", "path": "members", "value": more})).is(204);
    let remove = json!({"op": "remove", "path": "members[type eq \"Robot\"]"});
    let patch = json!({"method": "PATCH", "path": group, "data": {"schemas": [PATCH_OP], "Operations": [remove]}});
    let done = scim.bulk(json!(vec![patch; 200])).is(200);
    assert!(done.statuses().iter().all(|status| *status == "413"), "{:?}", done.statuses());
    let last = done.at("/Operations/199/response/detail");
    assert!(last.as_str().unwrap().contains("`work`"), "{last}");
}

#[test]
fn a_bulk_request_gives_way_between_its_operations() {
    let scim = Scim::new();
    let body = json!({"schemas": [BULK], "Operations": creations(50)}).to_string();
    let request = Request::post("/scim/v2/Bulk").header("content-type", "application/scim+json").body(body).unwrap();
    let tenant = TenantId::new("a").unwrap();
    let mut future = pin!(scim.service.call(&tenant, request));
    let mut times = 0;
    while future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        times += 1;
        // others are served meanwhile
        assert_eq!(scim.filter("/Users", "title pr").is(200).status, 200);
    }
    assert!(times >= 50, "{times}");
}

fn kept() -> Scim {
    Scim::with(|builder| builder.unknown_attributes(UnknownAttributes::Keep))
}

#[test]
fn unknown_attributes_are_counted_however_they_come() {
    let scim = kept();
    let some = |from: usize, count: usize| -> Map<String, Value> {
        (from..from + count).map(|n| (format!("k{n}"), json!(n))).collect()
    };
    let path = scim.user(Value::Object(some(0, 60)));
    scim.patch(&path, json!({"op": "add", "value": some(0, 60)})).is(200);
    scim.patch(&path, json!({"op": "add", "value": some(60, 41)})).refused(400, "invalidValue");
    let steps: Vec<_> = (60..101).map(|n| json!({"op": "add", "value": {format!("K{n}"): n}})).collect();
    scim.patch(&path, json!(steps)).refused(400, "invalidValue");
    scim.patch(&path, json!({"op": "replace", "value": {ENTERPRISE: some(0, 101)}})).refused(400, "invalidValue");
    scim.get(&path).lacks(&["/k60", "/K60", &format!("/{ENTERPRISE}")]);
    // what goes makes room, and the last word counts
    let moved = json!([{"op": "add", "value": some(60, 41)}, {"op": "replace", "value": {"K60": null}}]);
    scim.patch(&path, moved).is(200).lacks(&["/k60"]).has(json!({"k61": 61, "k100": 100}));
    let body = scim.get(&path).body;
    scim.put(&path, body).is(200);
}

#[test]
fn a_resource_with_too_many_unknown_attributes_can_be_mended() {
    let users = User::resource_type().build().unwrap();
    let many: Map<String, Value> = (0..300).map(|n| (format!("k{n}"), json!(n))).collect();
    let resource = Resource::from_stored(&users, user(Value::Object(many)).to_string()).unwrap();
    let store = MemoryStore::<TenantId>::new();
    let tenant = TenantId::new("a").unwrap();
    let created = crate::scim::ready(store.create(&tenant, &users, resource)).unwrap();
    let path = format!("/Users/{}", created.id().unwrap());
    let scim = Scim::of(
        Service::builder(BASE).resource(User::resource_type(), store).unknown_attributes(UnknownAttributes::Keep),
    );
    scim.patch(&path, json!({"op": "replace", "path": "title", "value": "x"})).is(200);
    scim.patch(&path, json!({"op": "replace", "value": {"k7": null, "k8": "new"}})).is(200).lacks(&["/k7"]);
    scim.patch(&path, json!({"op": "add", "value": {"l1": 1, "l2": 2}})).refused(400, "invalidValue");
}

/// The old way was a comparison of each with each: 6,400,000,000 of them, which no test would have waited for.
#[test]
fn many_unknown_attributes_cost_as_much_each_as_few() {
    let users = User::resource_type().build().unwrap();
    let with = |count: usize| {
        let all: Map<String, Value> = (0..count).map(|n| (format!("k{n}"), json!(1))).collect();
        user(Value::Object(all)).to_string()
    };
    let resource = Resource::from_stored(&users, with(80_000)).unwrap();
    assert_eq!(Resource::from_stored(&users, resource.as_json()).unwrap(), resource);
    let scim = Scim::with(|builder| {
        let mut limits = Limits::default();
        (limits.values, limits.patch_operations) = (1_000_000, 1_000_000);
        (limits.work, limits.patch_work) = (1 << 40, 1 << 40);
        builder.limits(limits).unknown_attributes(UnknownAttributes::Keep)
    });
    let path = scim.user(json!({}));
    let cost = |count: usize| {
        let all: Map<String, Value> = (0..count).map(|n| (format!("k{n}"), json!(1))).collect();
        scim.patch(&path, json!({"op": "add", "value": all})).is(200).exchange.cost.work
    };
    let (some, many) = (cost(4_000), cost(40_000));
    assert!(many < some * 13, "{some} {many}");
}

/// Names the limit, and changes nothing.
#[track_caller]
fn too_long(scim: &Scim, path: &str, answer: impl FnOnce() -> crate::scim::Answer) {
    let before = scim.get(path).is(200).body;
    let refused = answer().refused(413, "");
    let detail = refused.body["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("longer than 2000 bytes (`resource_bytes`)"), "{detail}");
    assert_eq!(scim.get(path).is(200).body, before);
}

#[test]
fn a_resource_has_a_size_whatever_road_its_bytes_come_by() {
    let mut limits = Limits::default();
    limits.resource_bytes = 2_000;
    let scim = Scim::with(|builder| builder.limits(limits).unknown_attributes(UnknownAttributes::Keep));
    let long = "x".repeat(2_000);
    let path = scim.user(json!({"title": "x".repeat(1_000)}));
    let create = user(json!({"userName": "b", "title": long}));
    too_long(&scim, &path, || scim.post("/Users", create.clone()));
    too_long(&scim, &path, || scim.put(&path, user(json!({"title": long}))));
    for operation in [
        json!({"op": "add", "path": "title", "value": long}),
        json!({"op": "add", "path": "nickName", "value": "x".repeat(900)}),
        json!({"op": "add", "value": {"emails": [{"value": long}]}}),
        json!({"op": "add", "path": format!("{ENTERPRISE}:department"), "value": long}),
        json!({"op": "add", "value": {"unheardOf": [long]}}),
        json!({"op": "add", "path": "addresses[type eq \"work\"].region", "value": long}),
    ] {
        too_long(&scim, &path, || scim.patch(&path, json!([operation])));
        let data = json!({"schemas": [PATCH_OP], "Operations": [operation]});
        let done = scim.bulk(json!([
            {"method": "PATCH", "path": path, "data": data},
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": create},
            {"method": "PUT", "path": path, "data": user(json!({"title": long}))}
        ]));
        assert_eq!(done.is(200).statuses(), ["413", "413", "413"]);
    }
    scim.get("/Users").has(json!({"totalResults": 1}));
    // references are not counted
    let members: Vec<Value> = (0..200).map(|n| json!({"value": format!("member-{n}")})).collect();
    let group = scim.create("/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": members}));
    scim.patch(&group, json!({"op": "add", "path": "members", "value": [{"value": "one-more"}]})).is(204);
    scim.patch(&group, json!({"op": "remove", "path": "members[value sw \"member-1\"]"})).is(204);
}

#[test]
fn what_is_too_long_already_can_be_read_and_made_shorter() {
    let store = MemoryStore::<TenantId>::new();
    let of = |bytes: usize| {
        let mut limits = Limits::default();
        limits.resource_bytes = bytes;
        Scim::of(Service::builder(BASE).resource(User::resource_type(), store.clone()).limits(limits))
    };
    let path = of(1 << 20).user(json!({"title": "t".repeat(5_000), "nickName": "n".repeat(5_000)}));
    let scim = of(2_000);
    scim.get(&path).is(200);
    scim.patch(&path, json!({"op": "add", "path": "locale", "value": "de"})).refused(413, "");
    scim.patch(&path, json!({"op": "replace", "path": "title", "value": "x".repeat(4_000)})).is(200);
    scim.patch(&path, json!({"op": "remove", "path": "title"})).is(200);
    scim.patch(&path, json!([{"op": "remove", "path": "nickName"}, {"op": "add", "path": "locale", "value": "de"}]))
        .is(200);
    scim.delete(&path).is(204);
}

/// Random creations, replacements and changes: no resource is ever longer than the limit, and what is refused changes nothing.
#[test]
fn no_sequence_of_requests_makes_a_resource_too_long() {
    const MOST: usize = 3_000;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let mut limits = Limits::default();
    limits.resource_bytes = MOST;
    let scim = Scim::with(|builder| builder.limits(limits).unknown_attributes(UnknownAttributes::Keep));
    let path = scim.user(json!({}));
    let department = format!("{ENTERPRISE}:department");
    let attributes = ["title", "nickName", "name.givenName", "emails", "unheardOf", &department];
    let (mut refused, mut accepted) = (0, 0);
    for _ in 0..2_000 {
        let (name, text) = (attributes[random(attributes.len())], "y\"é".repeat(random(600)));
        let value = if name == "emails" { json!([{"value": text}]) } else { json!(text) };
        let before = scim.get(&path).is(200).body;
        let answer = match random(8) {
            0 if !name.contains(['.', ':']) => scim.put(&path, user(json!({name: value}))),
            1 => scim.patch(&path, json!({"op": "remove", "path": "title"})),
            2 => scim
                .patch(&path, json!([{"op": "remove", "path": "emails"}, {"op": "replace", "value": {name: value}}])),
            _ => scim.patch(&path, json!({"op": "add", "value": {name: value}})),
        };
        let after = scim.get(&path).is(200).body;
        match answer.status.as_u16() {
            200 => accepted += 1,
            413 => {
                refused += 1;
                assert_eq!(after, before);
            }
            other => panic!("{other} {}", answer.body),
        }
        let mut content = after;
        for apart in ["id", "meta"] {
            content.as_object_mut().unwrap().remove(apart);
        }
        assert!(content.to_string().len() <= MOST, "{}", content.to_string().len());
    }
    assert!(refused > 100 && accepted > 100, "{refused} {accepted}");
}

#[test]
fn a_host_is_told_what_a_request_costs_before_and_after() {
    let told = Arc::new(Mutex::new(Vec::<Cost>::new()));
    let log = Arc::clone(&told);
    let scim = Scim::with(move |builder| {
        builder.cost_limiter(move |tenant: &TenantId, cost| {
            assert_eq!(tenant.as_str(), "a");
            log.lock().unwrap().push(*cost);
            if cost.terms + cost.operations > 2 { Err(Error::too_many_requests(9)) } else { Ok(()) }
        })
    });
    let last = || *told.lock().unwrap().last().unwrap();
    let path = scim.user(json!({}));
    let sent = user(json!({})).to_string().len();
    assert_eq!((last().bytes_in, last().operations, last().terms, last().work), (sent, 0, 0, 0));
    let found = scim.filter("/Users", "title pr or emails[type pr]").is(200);
    assert_eq!((last().terms, found.exchange.cost.terms), (2, 2));
    assert_eq!(found.exchange.cost.bytes_out, found.text.len());
    scim.filter("/", "title pr or nickName pr").is(200);
    assert_eq!(last().terms, 2);
    let refused = scim.filter("/Users", "title pr or nickName pr and locale pr").refused(429, "");
    assert_eq!((refused.header("retry-after"), refused.exchange.cost.terms), ("9", 3));
    let remove = json!({"op": "remove", "path": "title"});
    let patched = scim.patch(&path, json!([remove, remove])).is(200).exchange.cost;
    assert_eq!((last().operations, patched.operations), (2, 2));
    assert!(patched.work > 0 && last().work == 0);
    scim.patch(&path, json!([remove, remove, remove])).refused(429, "");
    let before = told.lock().unwrap().len();
    scim.bulk(creations(2)).is(200);
    assert_eq!(told.lock().unwrap().len(), before + 1, "a bulk request is asked for once");
    scim.bulk(creations(3)).refused(429, "");
    scim.get("/Users").has(json!({"totalResults": 3}));
    assert!(scim.get(&path).exchange.cost.work < 1_000);
}

#[test]
fn a_thousand_honest_creations_pass_by_default() {
    let scim = Scim::new();
    let person = |n: usize| {
        create(
            n,
            json!({
                "externalId": format!("x-{n}"), "active": true, "displayName": format!("Person {n}"), "title": "Engineer",
                "name": {"givenName": format!("Given {n}"), "familyName": format!("Family {n}")},
                "emails": [{"value": format!("user{n}@example.com"), "type": "work", "primary": true}],
                "phoneNumbers": [{"value": format!("+49 30 {n:07}"), "type": "work"}],
                ENTERPRISE: {"department": "Sales", "employeeNumber": n.to_string()},
            }),
        )
    };
    let done = scim.bulk((0..1_000).map(person).collect()).is(200);
    assert!(done.statuses().iter().all(|status| *status == "201"), "{:?}", done.statuses());
    assert!(done.exchange.cost.work < Limits::default().work, "{}", done.exchange.cost.work);
}
