//! Each limit: what is at it is accepted, what is one beyond is refused with the status and keyword that it goes with.

use scim_provider::Limits;
use serde_json::{Value, json};

use crate::rules::devices::body;
use crate::scim::{ENTERPRISE, GROUP, PATCH_OP, SEARCH, Scim, user};

/// Sets a limit and sends a request that needs `amount` of what it bounds: once with the limit at it, once below.
#[track_caller]
fn at_and_beyond(
    set: fn(&mut Limits, usize),
    amount: usize,
    request: impl Fn(&Scim) -> crate::scim::Answer,
    (status, keyword): (u16, &str),
) {
    let enough = request(&Scim::limited(|limits| set(limits, amount)));
    assert!(enough.status.is_success(), "at the limit: {}", enough.body);
    request(&Scim::limited(|limits| set(limits, amount - 1))).refused(status, keyword);
}

fn search(filter: &str) -> Value {
    json!({"schemas": [SEARCH], "filter": filter})
}

/// R-7644-3.4.2.2-22
#[test]
fn filter_bytes() {
    let filter = r#"userName eq "ada""#;
    let set = |limits: &mut Limits, n| limits.filter_bytes = n;
    at_and_beyond(set, filter.len(), |scim| scim.filter("/Users", filter), (400, "invalidFilter"));
    at_and_beyond(set, filter.len(), |scim| scim.post("/Users/.search", search(filter)), (400, "invalidFilter"));
}

/// R-7644-3.4.2.2-22
#[test]
fn filter_depth() {
    let set = |limits: &mut Limits, n| limits.filter_depth = n;
    at_and_beyond(set, 3, |scim| scim.filter("/Users", "(((title pr)))"), (400, "invalidFilter"));
    at_and_beyond(set, 3, |scim| scim.filter("/Users", "not (not (not (title pr)))"), (400, "invalidFilter"));
    at_and_beyond(set, 2, |scim| scim.filter("/Users", "emails[(type pr)]"), (400, "invalidFilter"));
}

/// R-7644-3.4.2.2-22
#[test]
fn filter_terms() {
    let set = |limits: &mut Limits, n| limits.filter_terms = n;
    at_and_beyond(
        set,
        3,
        |scim| scim.filter("/Users", "title pr or title pr and emails[type pr]"),
        (400, "invalidFilter"),
    );
}

#[test]
fn path_bytes() {
    let patch = |scim: &Scim| {
        let path = scim.user(json!({}));
        scim.patch(&path, json!({"op": "add", "path": "name.givenName", "value": "x"}))
    };
    at_and_beyond(|limits, n| limits.path_bytes = n, "name.givenName".len(), patch, (400, "invalidPath"));
}

#[test]
fn name_bytes() {
    let set = |limits: &mut Limits, n| limits.name_bytes = n;
    at_and_beyond(set, "displayName".len(), |scim| scim.filter("/Users", "displayName pr"), (400, "invalidFilter"));
    let patch = |scim: &Scim| {
        let path = scim.user(json!({}));
        scim.patch(&path, json!({"op": "add", "path": "displayName", "value": "x"}))
    };
    at_and_beyond(set, "displayName".len(), patch, (400, "invalidPath"));
}

/// R-7644-3.12-12
#[test]
fn body_bytes() {
    let set = |limits: &mut Limits, n| limits.body_bytes = n;
    let sent = user(json!({}));
    at_and_beyond(set, sent.to_string().len(), |scim| scim.post("/Users", sent.clone()), (413, ""));
    let query = search("title pr");
    at_and_beyond(set, query.to_string().len(), |scim| scim.post("/Users/.search", query.clone()), (413, ""));
    let patch = |scim: &Scim| scim.patch("/Users/nobody", json!({"op": "remove", "path": "title"}));
    let length = json!({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "title"}]}).to_string().len();
    patch(&Scim::limited(|limits| limits.body_bytes = length)).refused(404, "");
    patch(&Scim::limited(|limits| limits.body_bytes = length - 1)).refused(413, "");
}

#[test]
fn json_depth() {
    let set = |limits: &mut Limits, n| limits.json_depth = n;
    let known = user(json!({"emails": [{"value": "x"}]}));
    at_and_beyond(set, 3, |scim| scim.post("/Users", known.clone()), (400, "invalidValue"));
    let unknown = user(json!({"unknown": [[[{"a": 1}]]]}));
    at_and_beyond(set, 5, |scim| scim.post("/Users", unknown.clone()), (400, "invalidValue"));
}

#[test]
fn json_nodes() {
    // the object, the schema, the name, three lists of two
    let sent = user(json!({"emails": [{"value": "x"}], "roles": [], "unknown": [1, 2]}));
    let least = (1..64).find(|nodes| {
        let scim = Scim::limited(|limits| limits.json_nodes = *nodes);
        scim.post("/Users", sent.clone()).status == 201
    });
    let least = least.unwrap();
    assert!((8..=12).contains(&least), "{least}");
    at_and_beyond(
        |limits, n| limits.json_nodes = n,
        least,
        |scim| scim.post("/Users", sent.clone()),
        (400, "invalidValue"),
    );
}

#[test]
fn string_bytes() {
    let set = |limits: &mut Limits, n| limits.string_bytes = n;
    let long = "é".repeat(20);
    // long enough for the URN in `schemas`, which is no value
    at_and_beyond(set, 40, |scim| scim.post("/Users", user(json!({"title": long}))), (400, "invalidValue"));
    let patch = |scim: &Scim| {
        let path = scim.user(json!({}));
        scim.patch(&path, json!({"op": "add", "path": "title", "value": long}))
    };
    at_and_beyond(set, 40, patch, (400, "invalidValue"));
}

#[test]
fn unique_bytes() {
    let set = |limits: &mut Limits, n| limits.unique_bytes = n;
    at_and_beyond(set, 10, |scim| scim.post("/Users", user(json!({"userName": "0123456789"}))), (400, "invalidValue"));
    at_and_beyond(set, 10, |scim| scim.post("/Devices", body(json!({"serial": "0123456789"}))), (400, "invalidValue"));
}

#[test]
fn password_bytes() {
    let set = |limits: &mut Limits, n| limits.password_bytes = n;
    at_and_beyond(set, 10, |scim| scim.post("/Users", user(json!({"password": "0123456789"}))), (400, "invalidValue"));
}

#[test]
fn patch_operations() {
    let three = |scim: &Scim| {
        let path = scim.user(json!({}));
        scim.patch(&path, json!([{"op": "remove", "path": "title"}, {"op": "remove", "path": "title"}, {"op": "remove", "path": "title"}]))
    };
    at_and_beyond(|limits, n| limits.patch_operations = n, 3, three, (413, ""));
}

#[test]
fn values() {
    let set = |limits: &mut Limits, n| limits.values = n;
    let three = json!([{"value": "1"}, {"value": "2"}, {"value": "3"}]);
    at_and_beyond(set, 3, |scim| scim.post("/Users", user(json!({"emails": three}))), (400, "invalidValue"));
    let one_by_one = |scim: &Scim| {
        let path = scim.user(json!({"emails": [{"value": "1"}]}));
        let add = |value: &str| json!({"op": "add", "path": "emails", "value": [{"value": value}]});
        scim.patch(&path, json!([add("2"), add("3")]))
    };
    at_and_beyond(set, 3, one_by_one, (400, "invalidValue"));
}

#[test]
fn references() {
    let set = |limits: &mut Limits, n| limits.references = n;
    let members = json!([{"value": "1"}, {"value": "2"}, {"value": "3"}]);
    let group = json!({"schemas": [GROUP], "displayName": "g", "members": members});
    at_and_beyond(set, 3, |scim| scim.post("/Groups", group.clone()), (400, "invalidValue"));
    let add = |scim: &Scim| {
        let group = scim.group("g", &[]);
        scim.patch(&group, json!({"op": "add", "path": "members", "value": members}))
    };
    at_and_beyond(set, 3, add, (400, "invalidValue"));
    let in_steps = |scim: &Scim| {
        let group = scim.group("g", &[]);
        let add = |value: &str| json!({"op": "add", "path": "members", "value": [{"value": value}]});
        scim.patch(&group, json!([add("1"), add("2"), add("3")]))
    };
    at_and_beyond(set, 3, in_steps, (400, "invalidValue"));
}

#[test]
fn patch_work() {
    let visits = |scim: &Scim| {
        let path = scim.user(json!({"emails": [{"value": "1"}, {"value": "2"}, {"value": "3"}]}));
        let touch = json!({"op": "replace", "path": "emails[value eq \"1\"].type", "value": "x"});
        scim.patch(&path, json!([touch, touch]))
    };
    assert_eq!(visits(&Scim::limited(|limits| limits.patch_work = 20_000)).status, 200);
    visits(&Scim::limited(|limits| limits.patch_work = 2_000)).refused(413, "");
}

/// R-7644-3.4.2.4-08 R-7644-3.4.2.4-12
#[test]
fn page_default_and_page_max() {
    let scim = Scim::limited(|limits| {
        limits.page_default = 2;
        limits.page_max = 3;
    });
    for n in 0..5 {
        scim.user(json!({"userName": n.to_string()}));
    }
    scim.get("/Users").has(json!({"itemsPerPage": 2, "totalResults": 5}));
    scim.get("/Users?count=3").has(json!({"itemsPerPage": 3}));
    scim.get("/Users?count=4").has(json!({"itemsPerPage": 3}));
}

#[test]
fn projection_names() {
    let set = |limits: &mut Limits, n| limits.projection_names = n;
    for parameter in ["attributes", "excludedAttributes"] {
        let query = format!("/Users?{parameter}=title,nope,id");
        at_and_beyond(set, 3, |scim| scim.get(&query), (400, "invalidValue"));
        let body = json!({"schemas": [SEARCH], parameter: ["title", "nope", "id"]});
        at_and_beyond(set, 3, |scim| scim.post("/Users/.search", body.clone()), (400, "invalidValue"));
    }
    at_and_beyond(set, 3, |scim| scim.get("/Users?attributes=a,b&attributes=c"), (400, "invalidValue"));
}

#[test]
fn id_bytes() {
    at_and_beyond(|limits, n| limits.id_bytes = n, 36, |scim| scim.get(&scim.user(json!({}))), (404, ""));
}

#[test]
fn etags() {
    let three = |scim: &Scim| {
        let path = scim.user(json!({}));
        scim.send("GET", &path, &[("if-none-match", "\"a\", \"b\""), ("if-none-match", "\"c\"")], "")
    };
    at_and_beyond(|limits, n| limits.etags = n, 3, three, (400, "invalidValue"));
}

#[test]
fn what_holds_bytes_may_be_as_long_as_the_defaults_say() {
    let limits = Limits::default();
    let scim = Scim::new();
    scim.post("/Users", user(json!({"userName": "u".repeat(limits.unique_bytes)}))).is(201);
    scim.post("/Users", user(json!({"title": "t".repeat(limits.string_bytes)}))).is(201);
    let department = json!({"department": "d".repeat(limits.string_bytes + 1)});
    scim.post("/Users", user(json!({"userName": "b", ENTERPRISE: department}))).refused(400, "invalidValue");
}

/// A user with so many addresses of 30,000 characters.
fn with_long_addresses(scim: &Scim, count: usize, character: &str) -> String {
    let long = character.repeat(30_000);
    let values: Vec<_> = (0..count).map(|n| json!({"type": format!("{n}"), "formatted": long})).collect();
    scim.user(json!({"addresses": values}))
}

/// R-7644-3.4.2.2-22
#[test]
fn what_a_filter_compares_is_bounded_by_the_length_of_the_values() {
    let scim = Scim::limited(|limits| limits.work = 6_000_000);
    with_long_addresses(&scim, 4, "\u{c9}");
    let terms = |count: usize, text: &str| vec![format!("formatted co \"{text}\""); count].join(" or ");
    let asked = |count, text| scim.filter("/Users", &format!("addresses[{}]", terms(count, text)));
    // what is not ASCII is folded with the tables of Unicode
    asked(1, "x").is(200);
    asked(2, "x").refused(400, "tooMany");
    asked(1, "\u{e8}").refused(400, "tooMany");
    let scim = Scim::new();
    let path = with_long_addresses(&scim, 4, "\u{c9}");
    let remove = |count| json!({"op": "remove", "path": format!("addresses[{}].region", terms(count, "x"))});
    scim.patch(&path, remove(1)).is(200);
    let many: Vec<_> = (0..200).map(|_| remove(12)).collect();
    scim.patch(&path, json!(many)).refused(413, "");
}

#[test]
fn filters_and_orders_are_refused_when_the_work_of_a_request_is_done() {
    // the default is enough for so many times these users
    const SHARE: u64 = 200;
    let work = Limits::default().work / SHARE;
    let scim = Scim::limited(|limits| limits.work = work);
    let users = 55_000 / SHARE;
    for n in 0..users {
        scim.user(json!({"userName": format!("user{n}@example.com"), "displayName": format!("User {n} of {users}")}));
        if n == users / 2 {
            scim.get("/Users?sortBy=displayName&startIndex=200&count=1").is(200);
            scim.get("/Users?sortBy=displayName&count=1&cursor").is(200);
        }
    }
    for filter in ["userName sw \"a\"", "displayName co \"q\" or active eq true", "emails.value eq \"q\""] {
        scim.filter("/Users", filter).is(200);
    }
    let costly = vec!["displayName co \"q\""; 256].join(" or ");
    let refused = scim.filter("/Users", &costly).refused(400, "tooMany");
    assert!(refused.at("/detail").as_str().unwrap().contains("limit for one request"), "{}", refused.body);
    scim.filter("/", &costly).refused(400, "tooMany");
}

#[test]
fn an_order_by_long_values_that_begin_alike_is_bounded() {
    let scim = Scim::limited(|limits| limits.work = 4_000_000);
    for n in 0..30 {
        scim.user(json!({"userName": format!("{n}"), "title": format!("{}{n}", "T".repeat(60_000))}));
    }
    scim.get("/Users?sortBy=title&count=1&attributes=id").refused(400, "tooMany");
    scim.get("/Users?sortBy=title&cursor&count=1&attributes=id").refused(400, "tooMany");
    scim.get("/?sortBy=title&count=1&attributes=id").refused(400, "tooMany");
    scim.get("/Users?sortBy=userName&count=1&attributes=id").is(200);
}

#[test]
fn a_long_query_lets_others_have_their_turn() {
    let scim = Scim::new();
    for n in 0..400 {
        scim.user(json!({"userName": format!("{n}"), "displayName": format!("User {n}")}));
    }
    let list = |filter: &str| {
        let target = format!("/scim/v2/Users?count=1&filter={}", crate::server::percent_encode(filter.as_bytes()));
        let request = http::Request::get(target).body(Vec::new()).unwrap();
        let (answer, turns) =
            crate::scim::turns(scim.service.call(&scim_provider::TenantId::new("a").unwrap(), request));
        assert_eq!(answer.status(), 200);
        turns
    };
    let terms = |count| vec!["displayName co \"q\""; count].join(" or ");
    assert_eq!(list(&terms(1)), 0);
    // four hundred times a hundred comparisons are some milliseconds
    let turns = list(&terms(100));
    assert!((2..20).contains(&turns), "{turns}");
}

#[test]
fn a_patch_that_names_an_extension_in_itself_needs_no_stack() {
    for scim in [Scim::new(), Scim::strict()] {
        let path = scim.user(json!({}));
        for times in [2, 10_000] {
            let nested = format!("{{\"{ENTERPRISE}\":").repeat(times) + "{}" + &"}".repeat(times);
            let operation = format!(r#"{{"op":"add","value":{nested}}}"#);
            let body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operation}]}}"#);
            let answer = scim.send("PATCH", &path, &[("content-type", "application/scim+json")], body);
            assert!(answer.status.as_u16() < 500, "{}", answer.body);
            scim.get(&path).lacks(&[&format!("/{ENTERPRISE}")]);
        }
    }
}

#[test]
fn what_a_listed_removal_compares_is_bounded_by_the_length_of_the_values() {
    let scim = Scim::limited(|limits| limits.patch_work = 30_000_000);
    let path = with_long_addresses(&scim, 8, "\u{e9}");
    let listed: Vec<_> = (0..100).map(|n| json!({"formatted": format!("\u{e9}{n}")})).collect();
    let remove = json!({"op": "remove", "path": "addresses", "value": listed});
    scim.patch(&path, remove.clone()).is(200);
    scim.patch(&path, json!([remove, remove])).refused(413, "");
    let add = json!({"op": "add", "path": "addresses", "value": [{"type": "0"}]});
    scim.patch(&path, json!([add, add])).is(200);
    scim.patch(&path, json!(vec![add; 110])).is(200);
}
