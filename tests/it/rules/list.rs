//! Queries by GET and by POST to `/.search` (RFC 7644 §3.4.2, §3.4.3).

use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{LIST, SEARCH, Scim, USER, user};

fn three_users() -> Scim {
    let scim = Scim::new();
    for (name, title) in [("ada", "Dr"), ("bob", "Mr"), ("cyd", "Dr")] {
        scim.user(json!({"userName": name, "title": title}));
    }
    scim
}

fn search(more: Value) -> Value {
    crate::scim::merged(json!({"schemas": [SEARCH]}), more)
}

/// R-7644-3.4.2-04 R-7644-3.4.2-05 R-7644-3.4.2-06 R-7644-3.4.2-07 R-7644-8.2-01 R-7644-3.1-04
#[test]
fn a_query_is_answered_by_a_list() {
    let scim = three_users();
    let found = scim.filter("/Users", r#"title eq "Dr""#).is(200).has(json!({"schemas": [LIST], "totalResults": 2}));
    assert_eq!(found.each("userName"), ["ada", "cyd"]);
    scim.get("/Users?count=1").has(json!({"totalResults": 3, "itemsPerPage": 1, "startIndex": 1}));
}

/// R-7644-3.4.2-09 R-7644-3.4.2-08
#[test]
fn a_part_of_a_list_says_which_part_it_is() {
    let page = three_users().get("/Users?startIndex=2&count=1").is(200);
    assert_eq!(page.has(json!({"totalResults": 3, "itemsPerPage": 1, "startIndex": 2})).each("userName"), ["bob"]);
}

/// R-7644-3.4.2-10 I-11 R-7644-3.4.2-07
#[test]
fn nothing_found_is_an_empty_list() {
    let scim = Scim::new();
    for target in ["/Users", "/Groups", "/Devices", "/Users?filter=userName%20eq%20%22nobody%22"] {
        scim.get(target).is(200).has(json!({"schemas": [LIST], "totalResults": 0, "Resources": [], "itemsPerPage": 0}));
    }
}

/// R-7644-3.4.2-11 E-7644-07
#[test]
fn each_resource_of_a_list_has_its_id_and_its_schemas() {
    for target in ["/Users", "/Users?attributes=title", "/Users?excludedAttributes=id,schemas"] {
        let found = three_users().get(target).is(200);
        for resource in found.at("/Resources").as_array().unwrap() {
            assert!(resource["id"].is_string() && resource["schemas"] == json!([USER]), "{resource}");
        }
    }
}

/// R-7644-3.4.2-03 R-7644-3.4.2-02
#[test]
fn unknown_parameters_are_ignored() {
    let scim = three_users();
    for query in ["?aadOptscim062020", "?a=b&filter=&&", "?=", "?domain_id=7&count=2"] {
        scim.get(&format!("/Users{query}")).is(200).has(json!({"totalResults": 3}));
    }
}

/// R-7644-1.2-01 R-7644-3.8-02
#[test]
fn a_query_string_is_form_encoded_utf_8() {
    let scim = Scim::new();
    scim.user(json!({"userName": "zoë+1", "displayName": "a & b"}));
    for query in
        ["filter=userName+eq+%22zo%C3%AB%2B1%22&", "filter=displayName%20eq%20%22a%20%26%20b%22", "FILTER=userName+pr"]
    {
        scim.get(&format!("/Users?{query}")).is(200).has(json!({"totalResults": 1}));
    }
    let encoded = scim.get("/Users?attributes=%64isplay%4Eame%2Ctitle&sortBy=user%4Eame").is(200);
    assert_eq!(encoded.at("/Resources/0/displayName"), json!("a & b"));
    assert_eq!(encoded.at("/Resources/0/userName"), Value::Null);
    scim.get("/Users?filter=userName+eq+%22zo%EB%22").refused(400, "invalidValue");
    scim.get("/Users?filter=%2").refused(400, "invalidValue");
}

/// R-7644-3.2-09 R-7644-3.4.3-02 R-7644-3.4.3-09 R-7644-3.4.3-01 R-7644-3.4.3-03 R-7644-3.4.3-08
#[test]
fn a_search_is_a_query() {
    let scim = three_users();
    let found = scim.post("/Users/.search", search(json!({"filter": "title eq \"Dr\"", "count": 1, "startIndex": 2})));
    let found = found.is(200).has(json!({"schemas": [LIST], "totalResults": 2, "itemsPerPage": 1, "startIndex": 2}));
    assert_eq!(found.each("userName"), ["cyd"]);
    scim.create("/Devices", body(json!({})));
    scim.post("/Devices/.SEARCH", search(json!({}))).is(200).has(json!({"totalResults": 1}));
}

/// R-7644-3.4.3-04 R-7644-3.4.3-05 R-7644-8.2-01
#[test]
fn a_search_names_its_schema() {
    let scim = three_users();
    for body in [json!({}), json!({"schemas": []}), json!({"schemas": [USER]}), json!({"schemas": SEARCH}), json!([])] {
        scim.post("/Users/.search", body).refused(400, "invalidSyntax");
    }
}

/// R-7644-3.4.3-06 R-7644-3.4.3-07 R-7644-3.4.3-08 R-7644-3.9-02 R-7644-3.4.3-03 R-7644-3.12-15
#[test]
fn a_search_has_the_parameters_of_a_query_in_json() {
    let scim = three_users();
    let all = json!({"attributes": ["userName"], "sortBy": "userName", "sortOrder": "descending", "count": 2});
    let found = scim.post("/Users/.search", search(all)).is(200);
    assert_eq!(found.each("userName"), ["cyd", "bob"]);
    assert_eq!(found.at("/Resources/0/title"), Value::Null);
    let found = scim.post("/Users/.search", search(json!({"excludedAttributes": ["title"]}))).is(200);
    assert_eq!(found.each("title"), ["-", "-", "-"]);
    scim.post("/Users/.search", search(json!({"filter": "userName eq"}))).refused(400, "invalidFilter");
    scim.post("/Users/.search", search(json!({"sortBy": "nope"}))).refused(400, "invalidValue");
    scim.post("/Users/.search", search(json!({"startIndex": -3, "count": -1}))).is(200).has(json!({"itemsPerPage": 0}));
    scim.post("/Users/.search", search(json!({"attributes": "userName"}))).refused(400, "invalidSyntax");
}

/// R-7644-3.4.3-11
#[test]
fn a_search_may_have_members_that_nobody_knows() {
    three_users()
        .post("/Users/.search", search(json!({"x": {"y": [1]}, "domain": 7})))
        .is(200)
        .has(json!({"totalResults": 3}));
}

/// R-7643-4.1.1-13
#[test]
fn a_user_who_is_not_active_is_found() {
    let scim = Scim::new();
    let path = scim.user(json!({"active": false}));
    scim.get(&path).is(200).has(json!({"active": false}));
    assert!(scim.finds("/Users", r#"userName eq "ada""#) && scim.finds("/Users", "active eq false"));
    scim.post("/Users", user(json!({}))).refused(409, "uniqueness");
}

/// R-7644-3.4.2.1-08
#[test]
fn a_value_without_quotes_is_no_value() {
    Scim::strict().filter("/Users", "(meta.resourceType eq User)").refused(400, "invalidFilter");
}

/// What is wrong with a number or a cursor has the keyword in a body that it has in a URL.
#[test]
fn a_search_is_refused_with_the_keywords_of_a_url() {
    let scim = Scim::new();
    let wrong =
        [json!("x"), json!("1"), json!(1.5), json!(true), json!([1]), json!({"a": 1}), json!("expected `cursor`")];
    for target in ["/Users/.search", "/.search"] {
        for value in &wrong {
            for more in [json!({}), json!({"cursor": ""})] {
                let body = crate::scim::merged(json!({"schemas": [SEARCH], "Count": value}), more);
                scim.post(target, body).refused(400, "invalidCount");
            }
            scim.post(target, json!({"schemas": [SEARCH], "startIndex": value})).refused(400, "invalidValue");
        }
        for value in [json!(5), json!(1.5), json!(false), json!([]), json!({})] {
            scim.post(target, json!({"schemas": [SEARCH], "cursor": value})).refused(400, "invalidCursor");
        }
        // no more than there is, and no less than nothing
        let huge = json!({"schemas": [SEARCH], "count": u64::MAX, "startIndex": i64::MIN});
        scim.post(target, huge).is(200);
        scim.post(target, json!({"schemas": [SEARCH], "count": null, "startIndex": null, "cursor": null})).is(200);
        let broken = format!("{{\"schemas\": [\"{SEARCH}\"], \"count\": }}");
        scim.send("POST", target, &[("content-type", "application/json")], broken).refused(400, "invalidSyntax");
    }
}
