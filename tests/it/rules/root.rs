//! Queries across resource types (RFC 7644 §3.4.2.1, §3.4.3).

use std::collections::BTreeSet;

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{Compat, MemoryStore, ResourceType, Service, User};
use serde_json::{Value, json};

use crate::scim::{Answer, BASE, DEVICE, GROUP, LIST, SEARCH, Scim, user};

/// Users u0, u1, u2, groups and devices, three of each.
fn mixed() -> Scim {
    let scim = Scim::with(|builder| builder.compat(Compat::strict()));
    for n in 0..3 {
        scim.user(json!({"userName": format!("u{n}"), "displayName": format!("x{}", 2 * n)}));
        let name = format!("x{}", 2 * n + 1);
        scim.create("/Groups", json!({"schemas": [GROUP], "displayName": name, "externalId": format!("g{n}")}));
        scim.create("/Devices", json!({"schemas": [DEVICE], "serial": format!("d{n}"), "slots": n}));
    }
    scim
}

/// The types of what was found, a letter for each.
fn kinds(answer: &Answer) -> String {
    let resources = answer.body["Resources"].as_array().unwrap();
    resources.iter().map(|r| r["meta"]["resourceType"].as_str().unwrap().chars().next().unwrap()).collect()
}

/// R-7644-3.4.2-01 R-7644-3.4.2.1-01 R-7644-3.4.2.1-02 R-7644-3.4.2.1-04
#[test]
fn the_root_holds_everything_but_the_discovery_resources() {
    let all = mixed().get("/").is(200);
    assert_eq!(kinds(&all), "UUUGGGDDD");
    all.has(json!({"schemas": [LIST], "totalResults": 9, "itemsPerPage": 9, "startIndex": 1}));
    assert_eq!(mixed().get("").is(200).at("/totalResults"), json!(9));
}

/// R-7644-3.4.2.1-03
#[test]
fn a_filter_by_type_picks_types() {
    let scim = mixed();
    for (filter, expected) in [
        (r#"meta.resourceType eq "User""#, "UUU"),
        (r#"(meta.resourceType eq "User") or (meta.resourceType eq "Group")"#, "UUUGGG"),
        (r#"not (meta.resourceType eq "User")"#, "GGGDDD"),
        (r#"meta.resourceType eq "Group" and displayName eq "x3""#, "G"),
        (r#"meta.resourceType eq "user""#, ""),
        (r#"meta.resourceType eq "Nothing""#, ""),
    ] {
        let found = scim.filter("/", filter).is(200).has(json!({"totalResults": expected.len()}));
        assert_eq!(kinds(&found), expected, "{filter}");
    }
}

/// R-7644-3.4.2.1-06 R-7644-3.4.2.1-07
#[test]
fn an_attribute_that_a_type_lacks_has_no_value_there() {
    let scim = mixed();
    for (filter, expected) in [
        (r#"userName eq "u1""#, "U"),
        ("userName pr", "UUU"),
        ("not (userName pr)", "GGGDDD"),
        (r#"userName eq "u1" or serial eq "d2""#, "UD"),
        (r#"userName eq "u1" and serial eq "d2""#, ""),
        (r#"displayName sw "x""#, "UUUGGG"),
        (r#"emails[type eq "work"]"#, ""),
        ("slots gt 0", "DD"),
    ] {
        let found = scim.filter("/", filter).is(200).has(json!({"totalResults": expected.len()}));
        assert_eq!(kinds(&found), expected, "{filter}");
    }
}

/// RFC 7644 §3.4.2.1: an attribute that is not part of a type has no value there, be it of all types.
#[test]
fn an_attribute_that_no_type_has_is_unassigned() {
    let scim = mixed();
    let all = kinds(&scim.get("/"));
    let users = kinds(&scim.filter("/", "userName pr"));
    assert!(!users.is_empty() && users != all);
    for (filter, expected) in [
        ("nope pr", ""),
        ("nope eq \"x\"", ""),
        ("nope eq \"x\" or userName pr", &users),
        ("nope pr and userName pr", ""),
        ("not (nope pr)", &all),
        ("nope ne \"x\"", &all),
        ("nope eq null", &all),
        ("nope[value eq 1]", ""),
        ("urn:example:none:2.0:Thing:nope pr", ""),
    ] {
        assert_eq!(kinds(&scim.filter("/", filter).is(200)), expected, "{filter}");
    }
    // on the endpoint of one type it is a mistake that is told
    scim.filter("/Users", "nope pr").refused(400, "invalidFilter");
}

/// R-7644-3.4.2.1-08 R-7644-3.4.2.2-03
#[test]
fn what_no_type_knows_or_a_type_refuses_is_an_error() {
    let scim = mixed();
    for filter in ["active gt true", "active gt true or nothing pr", "userName gt 1", "userName", "nothing"] {
        scim.filter("/", filter).refused(400, "invalidFilter");
    }
    scim.get("/?sortBy=nothing").refused(400, "invalidValue");
    scim.get("/?startIndex=x").refused(400, "invalidValue");
}

/// R-7644-3.4.2-05 R-7644-3.4.2-06 R-7644-3.4.2-08 R-7644-3.4.2-09
#[test]
fn pages_cross_the_borders_of_types() {
    let scim = mixed();
    let mut seen = Vec::new();
    for start in [1, 3, 5, 7, 9, 11] {
        let page = scim.get(&format!("/?startIndex={start}&count=2")).is(200);
        seen.extend(page.has(json!({"totalResults": 9, "startIndex": start})).each("id"));
    }
    assert_eq!(seen, scim.get("/").each("id"));
    scim.get("/?count=0").has(json!({"totalResults": 9, "itemsPerPage": 0, "Resources": []}));
}

/// R-7644-3.4.2.3-10
#[test]
fn one_order_holds_for_all() {
    let scim = mixed();
    let names = |query: &str| scim.get(&format!("/?{query}")).is(200).each("displayName");
    assert_eq!(names("sortBy=displayName"), ["x0", "x1", "x2", "x3", "x4", "x5", "-", "-", "-"]);
    assert_eq!(names("sortBy=displayName&startIndex=3&count=2"), ["x2", "x3"]);
    let descending = names("sortBy=displayName&sortOrder=descending");
    assert_eq!(descending, ["-", "-", "-", "x5", "x4", "x3", "x2", "x1", "x0"]);
    let by_id = scim.get("/?sortBy=id").each("id");
    assert!(by_id.is_sorted() && by_id.len() == 9);
}

/// R-9865-2-08 R-9865-2-10 R-9865-2-11 R-9865-2.2-01
#[test]
fn cursors_cross_the_borders_of_types() {
    let scim = mixed();
    let filter = "&filter=not+(userName+eq+%22u1%22)";
    for query in [
        String::new(),
        "&sortBy=displayName".to_owned(),
        "&sortBy=displayName&sortOrder=descending".to_owned(),
        format!("&sortBy=slots&sortOrder=descending{filter}"),
        format!("&sortBy=id{filter}"),
    ] {
        let mut expected = scim.get(&format!("/?count=50{query}")).each("id");
        if query.is_empty() {
            expected.sort();
        }
        for count in 1..5 {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            let mut last = loop {
                let page = scim.get(&format!("/?cursor={cursor}&count={count}{query}")).is(200);
                assert_eq!(page.at("/totalResults"), json!(expected.len()), "{query}");
                found.extend(page.each("id"));
                match page.body.get("nextCursor") {
                    Some(next) => cursor = next.as_str().unwrap().to_owned(),
                    None => break page,
                }
                assert!(found.len() <= expected.len(), "pages without end: {query}");
            };
            assert_eq!(found, expected, "{query} by {count}");
            let mut back = last.each("id");
            while let Some(previous) = last.body.get("previousCursor") {
                last = scim.get(&format!("/?cursor={}&count={count}{query}", previous.as_str().unwrap())).is(200);
                back.splice(0..0, last.each("id"));
                assert!(back.len() <= expected.len(), "pages without end: {query}");
            }
            assert_eq!(back, expected, "{query} by {count}, back");
            scim.get(&format!("/?cursor&count={count}{query}")).lacks(&["/previousCursor"]);
        }
    }
    let cursor = scim.get("/Users?cursor&count=1").at("/nextCursor");
    scim.get(&format!("/?count=1&cursor={}", cursor.as_str().unwrap())).refused(400, "invalidCursor");
}

/// R-7644-3.4.2.3-10 R-9865-2-08
#[test]
fn the_pages_of_every_query_are_the_whole_of_it() {
    let scim = Scim::new();
    for n in 0..3 {
        scim.user(json!({"userName": format!("u{n}"), "title": "x"}));
        scim.create("/Devices", json!({"schemas": [DEVICE], "serial": format!("d{n}"), "slots": n % 2}));
    }
    for n in 0..19 {
        scim.create("/Groups", json!({"schemas": [GROUP], "displayName": format!("g{}", n * 7 % 19)}));
    }
    for by in ["", "userName", "title", "displayName", "serial", "slots", "id", "meta.created", "members.value"] {
        for order in ["ascending", "descending"] {
            let query = if by.is_empty() { String::new() } else { format!("&sortBy={by}&sortOrder={order}") };
            let whole = scim.get(&format!("/?count=100{query}")).is(200).each("id");
            let different: BTreeSet<&String> = whole.iter().collect();
            assert_eq!((whole.len(), different.len()), (25, 25), "{query}");
            for count in [1, 4, 5, 24] {
                let mut pages = Vec::new();
                for start in (1..=25).step_by(count) {
                    pages.extend(scim.get(&format!("/?startIndex={start}&count={count}{query}")).is(200).each("id"));
                }
                assert_eq!(pages, whole, "{query} by {count}");
            }
            let mut sorted = whole.clone();
            if by.is_empty() {
                sorted.sort();
            }
            for count in [1, 4, 24] {
                assert_eq!(by_cursor(&scim, &query, count), sorted, "{query} by cursor, {count}");
            }
        }
    }
}

/// All ids of a query, from page to page.
fn by_cursor(scim: &Scim, query: &str, count: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    while found.len() < 100 {
        let page = scim.get(&format!("/?cursor={cursor}&count={count}{query}")).is(200);
        found.extend(page.each("id"));
        match page.body.get("nextCursor") {
            Some(next) => cursor = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    found
}

/// R-7644-3.4.2.3-10
#[test]
fn a_type_that_the_filter_rules_out_has_no_say_in_the_order() {
    let title = Schema::new("urn:example:Book", "Book", [Attribute::integer("title"), Attribute::string("isbn")]);
    let store = MemoryStore::new();
    let builder = Service::builder(BASE)
        .resource(User::resource_type(), store.clone())
        .resource(ResourceType::builder("Book", "/Books", title), store);
    let scim = Scim::of(builder);
    for (name, title) in [("a", "y"), ("b", "x")] {
        scim.user(json!({"userName": name, "title": title}));
    }
    scim.get("/?sortBy=title").refused(400, "invalidValue");
    let users = "filter=meta.resourceType+eq+%22User%22";
    for paging in ["", "&cursor"] {
        let sorted = scim.get(&format!("/?{users}&sortBy=title{paging}")).is(200);
        assert_eq!(sorted.each("title"), ["x", "y"]);
        let unsorted = scim.get(&format!("/?{users}&sortBy=isbn{paging}")).is(200);
        assert_eq!(unsorted.at("/totalResults"), json!(2), "an attribute of the other type");
    }
    scim.get(&format!("/?{users}&sortBy=nothing")).refused(400, "invalidValue");
}

/// R-7644-3.4.3-02 R-7644-3.4.3-03 R-7644-3.4.3-09 R-7644-3.2-09
#[test]
fn a_search_request_reaches_everything() {
    let scim = mixed();
    let search = json!({"schemas": [SEARCH], "filter": "displayName sw \"x\"", "sortBy": "displayName",
        "startIndex": 2, "count": 3, "attributes": ["displayName", "userName"]});
    let found = scim.post("/.search", search).is(200);
    let found = found.has(json!({"totalResults": 6, "startIndex": 2, "itemsPerPage": 3}));
    assert_eq!(found.each("displayName"), ["x1", "x2", "x3"]);
    assert_eq!(found.each("userName"), ["-", "u1", "-"]);
    assert_eq!(found.at("/Resources/0/externalId"), Value::Null);
    scim.post("/.search", json!({"schemas": []})).refused(400, "invalidSyntax");
    assert_eq!(scim.get("/.search").is(405).header("allow"), "POST");
    assert_eq!(scim.post("/", user(json!({}))).is(405).header("allow"), "GET, HEAD");
}

#[test]
fn everything_is_everything_of_the_tenant() {
    let scim = mixed();
    scim.tenant("b").get("/").has(json!({"totalResults": 0, "Resources": []}));
    assert_eq!(scim.get("/?count=1").exchange.operation, "list");
}

/// R-7644-3.4.2.1-05
#[test]
fn a_deep_page_of_a_merged_order_is_bounded() {
    // each of three types is asked for as many as lie before the end of the page
    let scim = Scim::limited(|limits| limits.scan = 30);
    scim.user(json!({}));
    scim.get("/?sortBy=id&startIndex=11&count=1").refused(400, "tooMany");
    scim.get("/?sortBy=id&startIndex=10&count=1").is(200);
    let refused = Scim::new().get("/?sortBy=id&startIndex=99800").refused(400, "tooMany");
    let detail = refused.at("/detail");
    assert!(detail.as_str().unwrap().contains("limit for one query") && detail.as_str().unwrap().contains("cursor"));
}
