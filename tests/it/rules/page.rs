//! Pages by index (RFC 7644 §3.4.2.4).

use serde_json::json;

use crate::scim::Scim;

fn ten() -> Scim {
    let scim = Scim::limited(|limits| {
        limits.page_default = 4;
        limits.page_max = 6;
    });
    for n in 0..10 {
        scim.user(json!({"userName": format!("u{n}")}));
    }
    scim
}

/// R-7644-3.4.2.4-02 R-7644-3.4.2.4-03
#[test]
fn pages_begin_at_1() {
    for query in ["", "&startIndex=1", "&startIndex=0", "&startIndex=-5", "&startIndex="] {
        let page = ten().get(&format!("/Users?count=2{query}")).is(200).has(json!({"startIndex": 1}));
        assert_eq!(page.each("userName"), ["u0", "u1"], "{query}");
    }
    assert_eq!(ten().get("/Users?startIndex=3&count=2").has(json!({"startIndex": 3})).each("userName"), ["u2", "u3"]);
}

/// R-7644-3.4.2.4-04 R-7644-3.4.2.4-05 R-7644-3.4.2.4-09
#[test]
fn a_page_has_no_more_than_it_should_and_says_how_many() {
    let page = ten().get("/Users?count=3").has(json!({"itemsPerPage": 3, "totalResults": 10}));
    assert_eq!(page.each("userName"), ["u0", "u1", "u2"]);
    let page = ten().get("/Users?count=3&startIndex=9");
    let page = page.has(json!({"itemsPerPage": 2, "totalResults": 10, "startIndex": 9}));
    assert_eq!(page.each("userName"), ["u8", "u9"]);
}

/// R-7644-3.4.2.4-06 R-7644-3.4.2.4-07 R-7644-3.4.2-07
#[test]
fn a_count_of_nothing_asks_for_the_total() {
    for count in ["0", "-1", "-99999999999999999999"] {
        ten()
            .get(&format!("/Users?count={count}"))
            .is(200)
            .has(json!({"totalResults": 10, "itemsPerPage": 0, "Resources": []}));
    }
}

/// R-7644-3.4.2.4-08
#[test]
fn without_a_count_the_service_decides() {
    ten().get("/Users").has(json!({"itemsPerPage": 4, "totalResults": 10}));
}

/// R-7644-3.4.2.4-12 R-7643-5-16 A-30
#[test]
fn a_count_that_is_too_large_is_lowered() {
    for count in ["7", "1000000", "99999999999999999999999"] {
        ten().get(&format!("/Users?count={count}")).is(200).has(json!({"itemsPerPage": 6, "totalResults": 10}));
    }
    ten().get("/ServiceProviderConfig").has(json!({"filter": {"maxResults": 6}}));
}

/// R-7644-3.4.2.4-10 A-29
#[test]
fn a_page_beyond_the_end_is_empty() {
    for start in ["11", "5000", "99999999999999999999"] {
        let page = ten().get(&format!("/Users?startIndex={start}")).is(200);
        page.has(json!({"totalResults": 10, "itemsPerPage": 0, "Resources": []}));
    }
}

/// R-7644-3.4.2.4-11 R-7644-3.12-22
#[test]
fn what_is_no_whole_number_is_refused() {
    for query in ["startIndex=1.5", "startIndex=%20x", "count=1&count=2"] {
        ten().get(&format!("/Users?{query}")).refused(400, "invalidValue");
    }
    for query in ["count=abc", "count=1e3"] {
        ten().get(&format!("/Users?{query}")).refused(400, "invalidCount");
    }
}

/// R-7644-3.4.2.4-01
#[test]
fn pages_together_hold_everything_once() {
    let scim = ten();
    let mut seen = Vec::new();
    for start in [1, 5, 9] {
        seen.extend(scim.get(&format!("/Users?startIndex={start}")).each("userName"));
    }
    assert_eq!(seen, (0..10).map(|n| format!("u{n}")).collect::<Vec<_>>());
}
