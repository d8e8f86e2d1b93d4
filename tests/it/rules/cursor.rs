//! Pages by cursor (RFC 9865).

use scim_provider::{MemoryStore, Service, User};
use serde_json::{Value, json};

use crate::scim::{Answer, BASE, LIST, SEARCH, Scim, user};

fn ten() -> Scim {
    let scim = Scim::limited(|limits| {
        limits.page_default = 4;
        limits.page_max = 6;
    });
    for n in 0..10 {
        let title = if n % 3 == 0 { json!({}) } else { json!({"title": format!("T{}", n % 2)}) };
        let named = json!({"userName": format!("u{n}"), "active": n % 2 == 0});
        scim.create("/Users", crate::scim::merged(user(named), title));
    }
    scim
}

fn next(page: &Answer) -> Option<String> {
    page.body.get("nextCursor").map(|cursor| cursor.as_str().unwrap().to_owned())
}

/// All pages of a query, from the first to the one that names no other.
#[track_caller]
fn pages(scim: &Scim, query: &str) -> Vec<Answer> {
    let mut pages = vec![scim.get(&format!("/Users?cursor&{query}")).is(200)];
    while let Some(cursor) = next(&pages[pages.len() - 1]) {
        pages.push(scim.get(&format!("/Users?cursor={cursor}&{query}")).is(200));
        assert!(pages.len() < 20, "pages without end");
    }
    pages
}

fn names(pages: &[Answer]) -> Vec<String> {
    pages.iter().flat_map(|page| page.each("userName")).collect()
}

/// R-9865-2-02 R-9865-2-05 R-9865-2-08 R-9865-2-09 R-9865-2-12 R-9865-2-18
#[test]
fn pages_together_hold_everybody_once() {
    let pages = pages(&ten(), "count=4");
    assert_eq!(pages.iter().map(|page| page.each("userName").len()).collect::<Vec<_>>(), [4, 4, 2]);
    let mut all = names(&pages);
    all.sort();
    assert_eq!(all, (0..10).map(|n| format!("u{n}")).collect::<Vec<_>>());
    for page in &pages {
        assert_eq!(page.at("/schemas"), json!([LIST]));
        assert_eq!(page.at("/totalResults"), json!(10));
        assert_eq!(page.at("/itemsPerPage"), json!(page.each("userName").len()));
        assert_eq!(page.body.get("startIndex"), None);
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        assert!(next(page).unwrap_or_default().chars().all(unreserved));
    }
}

/// R-9865-2-01 R-9865-2-06
#[test]
fn an_empty_cursor_asks_for_the_first_page() {
    let scim = ten();
    let first = scim.get("/Users?cursor").is(200).has(json!({"itemsPerPage": 4}));
    assert!(next(&first).is_some());
    assert_eq!(scim.get("/Users?cursor=").body, first.body);
    assert_eq!(scim.get("/Users?CURSOR=&").body, first.body);
}

/// R-9865-2-10 R-9865-2-11
#[test]
fn pages_lead_back() {
    let scim = ten();
    for query in
        ["count=4", "count=3&sortBy=title", "count=3&sortBy=title&sortOrder=descending", "count=1&sortBy=active"]
    {
        let onwards = pages(&scim, query);
        let mut page = scim.get(&format!("/Users?cursor&{query}")).lacks(&["/previousCursor"]);
        while let Some(cursor) = next(&page) {
            page = scim.get(&format!("/Users?cursor={cursor}&{query}"));
        }
        let mut back = vec![page.body];
        while let Some(cursor) = back[back.len() - 1].get("previousCursor") {
            back.push(scim.get(&format!("/Users?cursor={}&{query}", cursor.as_str().unwrap())).is(200).body);
            assert!(back.len() <= onwards.len(), "{query}: pages without end");
        }
        back.reverse();
        // the same resources between the same cursors: from each page on, both ways lead to the same
        assert!(back.iter().eq(onwards.iter().map(|page| &page.body)), "{query}");
    }
    let search = |cursor: Value| json!({"schemas": [SEARCH], "sortBy": "userName", "count": 6, "cursor": cursor});
    let first = scim.post("/Users/.search", search(json!(""))).is(200).lacks(&["/previousCursor"]);
    let second = scim.post("/Users/.search", search(first.at("/nextCursor"))).is(200);
    let back = scim.post("/Users/.search", search(second.at("/previousCursor"))).is(200);
    assert_eq!(back.body, first.body);
}

/// R-9865-2.4-02 R-9865-2.4-03 R-9865-2.3-01
#[test]
fn pages_are_by_index_for_those_who_do_not_ask() {
    ten().get("/Users?count=4").is(200).has(json!({"startIndex": 1})).lacks(&["/nextCursor"]);
}

/// R-9865-2-03 R-9865-2-04 R-9865-2.1-05
///
#[test]
fn a_count_of_nothing_asks_for_the_total() {
    for count in ["0", "-3"] {
        let page = ten().get(&format!("/Users?cursor&count={count}")).is(200);
        page.has(json!({"totalResults": 10, "itemsPerPage": 0, "Resources": []})).lacks(&["/nextCursor"]);
    }
}

/// R-9865-2.1-06 R-9865-5-07 A-42
#[test]
fn a_count_that_is_too_large_is_lowered() {
    ten().get("/Users?cursor&count=7").is(200).has(json!({"itemsPerPage": 6, "totalResults": 10}));
}

/// R-9865-2.2-01
#[test]
fn pages_are_sorted_across_their_borders() {
    let scim = ten();
    for sort in ["userName", "title", "active", "meta.created", "id", "name.familyName"] {
        for order in ["ascending", "descending"] {
            for filter in ["", "&filter=userName+ne+%22u4%22"] {
                let query = format!("sortBy={sort}&sortOrder={order}{filter}");
                let expected = scim.get(&format!("/Users?{query}&count=100&startIndex=1")).each("id");
                let rest = scim.get(&format!("/Users?{query}&count=100&startIndex=7")).each("id");
                let found: Vec<String> =
                    pages(&scim, &format!("{query}&count=3")).iter().flat_map(|p| p.each("id")).collect();
                assert_eq!(found, [expected, rest].concat(), "{query}");
            }
        }
    }
}

/// R-9865-2-16
#[test]
fn a_filter_holds_on_every_page() {
    let scim = ten();
    let pages = pages(&scim, "count=2&filter=active+eq+true&sortBy=userName");
    assert_eq!(names(&pages), ["u0", "u2", "u4", "u6", "u8"]);
    assert!(pages.iter().all(|page| page.at("/totalResults") == json!(5)));
}

/// R-9865-2-15 R-9865-2.1-01 R-9865-2.1-02
#[test]
fn a_cursor_belongs_to_its_query() {
    let scim = ten();
    scim.group("g", &[]);
    let query = "filter=active+eq+true&sortBy=userName&count=2&attributes=userName";
    let cursor = next(&scim.get(&format!("/Users?cursor&{query}"))).unwrap();
    scim.get(&format!("/Users?cursor={cursor}&{query}")).is(200);
    // the RFC's own example spells the same attribute in two ways
    let spelt = "count=2&sortby=USERNAME&filter=ACTIVE++eq+true&attributes=USERNAME";
    scim.get(&format!("/Users?{spelt}&cursor={cursor}")).is(200);
    for other in [
        "filter=active+eq+false&sortBy=userName&count=2&attributes=userName",
        "sortBy=userName&count=2&attributes=userName",
        "filter=active+eq+true&sortBy=title&count=2&attributes=userName",
        "filter=active+eq+true&sortBy=userName&sortOrder=descending&count=2&attributes=userName",
        "filter=active+eq+true&count=2&attributes=userName",
        "filter=active+eq+true&sortBy=userName&count=2&attributes=emails",
        "filter=active+eq+true&sortBy=userName&count=2",
    ] {
        scim.get(&format!("/Users?cursor={cursor}&{other}")).refused(400, "invalidCursor");
    }
    let groups = next(&scim.get("/Users?cursor&count=1")).unwrap();
    scim.get(&format!("/Groups?cursor={groups}&count=1")).refused(400, "invalidCursor");
}

/// R-9865-2.1-02
/// R-9865-5-04
#[test]
fn a_forged_cursor_is_refused() {
    let scim = ten();
    let good = next(&scim.get("/Users?cursor&count=2")).unwrap();
    let flipped = good.replacen(&good[20..21], if &good[20..21] == "A" { "B" } else { "A" }, 1);
    for forged in ["x", "AAAA", "1", "..", "%00", "0", &good[..good.len() - 1], &format!("{good}A"), &flipped] {
        scim.get(&format!("/Users?cursor={forged}&count=2")).refused(400, "invalidCursor");
    }
    scim.get("/Users?cursor=a&cursor=b").refused(400, "invalidValue");
}

/// R-9865-2.1-04 A-42 R-9865-2-15
#[test]
fn a_count_stays_the_same() {
    let scim = ten();
    let cursor = next(&scim.get("/Users?cursor&count=2")).unwrap();
    for count in ["count=3", "", "count=0"] {
        scim.get(&format!("/Users?cursor={cursor}&{count}")).refused(400, "invalidCount");
    }
    scim.get("/Users?cursor&count=x").refused(400, "invalidCount");
}

/// R-9865-2.4-05
#[test]
fn a_page_has_one_method() {
    ten().get("/Users?cursor&startIndex=1").refused(400, "invalidValue");
}

/// R-9865-3-01 R-9865-3-02 R-7644-3.4.3-03
#[test]
fn a_search_request_carries_a_cursor() {
    let scim = ten();
    let search = |cursor: Value| json!({"schemas": [SEARCH], "filter": "active eq true", "count": 3, "cursor": cursor});
    let first = scim.post("/Users/.search", search(json!(""))).is(200).has(json!({"itemsPerPage": 3}));
    let second = scim.post("/Users/.search", search(json!(next(&first)))).is(200).has(json!({"itemsPerPage": 2}));
    second.lacks(&["/nextCursor", "/startIndex"]);
    scim.post("/Users/.search", search(json!("AAAA"))).refused(400, "invalidCursor");
}

/// R-9865-4-01 R-9865-4-02 R-9865-4-03
/// R-9865-4-04 R-9865-4-05
#[test]
fn the_configuration_says_so() {
    ten().get("/ServiceProviderConfig").has(json!({"pagination": {
        "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 4, "maxPageSize": 6,
    }}));
}

/// R-9865-4-06 R-9865-4-09 R-9865-5-07 R-9865-5-08
#[test]
fn nothing_is_kept_for_a_cursor_and_it_does_not_expire() {
    ten().get("/ServiceProviderConfig").lacks(&["/pagination/cursorTimeout"]);
    let store = MemoryStore::new();
    // two processes before one database
    let [one, other] = [0, 1].map(|_| Scim::of(Service::builder(BASE).resource(User::resource_type(), store.clone())));
    for name in ["ada", "bea", "cyd"] {
        one.user(json!({"userName": name}));
    }
    let first = one.get("/Users?cursor&count=2&sortBy=userName");
    let query = format!("/Users?cursor={}&count=2&sortBy=userName", next(&first).unwrap());
    for scim in [&other, &one, &other] {
        assert_eq!(scim.get(&query).is(200).each("userName"), ["cyd"]);
    }
}

/// R-9865-5-03
#[test]
fn each_page_is_counted_anew() {
    let scim = ten();
    let first = scim.get("/Users?cursor&count=2&sortBy=userName").has(json!({"totalResults": 10}));
    for id in first.each("id") {
        scim.delete(&format!("/Users/{id}")).is(204);
    }
    let rest = scim.get(&format!("/Users?cursor={}&count=2&sortBy=userName", next(&first).unwrap()));
    assert_eq!(rest.is(200).has(json!({"totalResults": 8})).each("userName"), ["u2", "u3"]);
}

/// R-9865-5-01 R-9865-5-02
#[test]
fn a_cursor_of_another_tenant_reaches_nothing() {
    let scim = ten();
    let other = scim.tenant("b");
    other.create("/Users", user(json!({"userName": "own"})));
    for page in pages(&scim, "count=3") {
        for name in ["/nextCursor", "/previousCursor"] {
            let Value::String(cursor) = page.at(name) else { continue };
            other.get(&format!("/Users?cursor={cursor}&count=3")).refused(400, "invalidCursor");
        }
    }
}

/// R-9865-5-05
#[test]
fn every_bad_cursor_is_refused_alike() {
    let scim = ten();
    scim.group("g", &[]);
    let query = "count=2&filter=active+eq+true";
    let page = scim.get(&format!("/Users?cursor&{query}"));
    let own = next(&page).unwrap();
    let cursor = |scim: &Scim, url: &str| next(&scim.get(url)).unwrap();
    let (other, foreign) = (scim.tenant("b"), ten());
    for n in 0..5 {
        other.create("/Users", user(json!({"userName": format!("o{n}"), "active": true})));
    }
    let flipped = own.replacen(&own[20..21], if &own[20..21] == "A" { "B" } else { "A" }, 1);
    let bad = [
        "x".to_owned(),
        "%C3%A9".to_owned(),
        "%00".to_owned(),
        own[..own.len() - 1].to_owned(),
        flipped,
        format!("{own}{own}"),
        cursor(&scim, "/Users?cursor&count=2"),
        cursor(&scim, "/Users?cursor&count=2&filter=active+eq+true&sortBy=userName"),
        cursor(&scim, "/?cursor&count=2&filter=active+eq+true"),
        cursor(&other, "/Users?cursor&count=2"),
        cursor(&other, &format!("/Users?cursor&{query}")),
        cursor(&foreign, "/Users?cursor&count=2"),
    ];
    let refused: std::collections::BTreeSet<String> = bad
        .iter()
        .map(|cursor| {
            scim.get(&format!("/Users?cursor={cursor}&{query}")).refused(400, "invalidCursor").body.to_string()
        })
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    // the way that a search takes is no other
    let search = json!({"schemas": [SEARCH], "filter": "active eq true", "count": 2, "cursor": bad[10]});
    assert!(refused.contains(&scim.post("/Users/.search", search).refused(400, "invalidCursor").body.to_string()));
    scim.get(&format!("/Users?cursor={own}&{query}")).is(200);
}

/// R-9865-5-04
#[test]
fn a_sealed_cursor_tells_nothing_and_cannot_be_forged() {
    // whoever has the key writes it in front of what it seals: bad encryption, enough of a key
    fn close(key: u8, plain: &[u8]) -> Vec<u8> {
        std::iter::once(key).chain(plain.iter().map(|byte| byte ^ key)).collect()
    }
    let store = MemoryStore::new();
    let sealed = |key: u8| {
        let open = move |sealed: &[u8]| {
            let (first, rest) = sealed.split_first()?;
            (*first == key).then(|| rest.iter().map(|byte| byte ^ key).collect())
        };
        let builder = Service::builder(BASE).resource(User::resource_type(), store.clone());
        Scim::of(builder.cursor_seal(move |plain| close(key, plain), open))
    };
    let (scim, other) = (sealed(7), sealed(8));
    let plain = Scim::of(Service::builder(BASE).resource(User::resource_type(), store.clone()));
    for name in ["ada", "bea", "cyd"] {
        scim.user(json!({"userName": name}));
    }
    let query = "count=1&sortBy=userName";
    let cursor = |scim: &Scim| next(&scim.get(&format!("/Users?cursor&{query}"))).unwrap();
    for (from, to) in [(&scim, &other), (&other, &scim), (&plain, &scim), (&scim, &plain)] {
        to.get(&format!("/Users?cursor={}&{query}", cursor(from))).refused(400, "invalidCursor");
    }
    assert_eq!(names(&pages(&scim, query)), ["ada", "bea", "cyd"]);
    let second = scim.get(&format!("/Users?cursor={}&{query}", cursor(&scim)));
    let back = scim.get(&format!("/Users?cursor={}&{query}", second.at("/previousCursor").as_str().unwrap()));
    assert_eq!(back.is(200).each("userName"), ["ada"]);
}

const CHURNED: [&str; 5] = [
    "count=3",
    "count=3&sortBy=userName",
    "count=3&sortBy=userName&sortOrder=descending",
    "count=3&sortBy=title",
    "count=3&sortBy=title&sortOrder=descending",
];

/// R-9865-2-09 R-9865-2-10
#[test]
fn nobody_is_missed_or_met_twice_while_others_come_and_go() {
    for query in CHURNED {
        let scim = Scim::limited(|_| {});
        for n in 0..40 {
            let title = if n % 3 == 0 { json!({}) } else { json!({"title": format!("T{}", n % 2)}) };
            scim.create("/Users", crate::scim::merged(user(json!({"userName": format!("u{n:02}")})), title));
        }
        let mut staying = scim.get("/Users?count=100").each("id");
        for way in ["nextCursor", "previousCursor"] {
            // the way back begins at a page behind which nobody is
            let mut cursor = match way {
                "nextCursor" => String::new(),
                _ => {
                    pages(&scim, query).last().and_then(|page| page.body.get(way)?.as_str().map(str::to_owned)).unwrap()
                }
            };
            let shown: Vec<String> = match way {
                "nextCursor" => Vec::new(),
                _ => pages(&scim, query).last().unwrap().each("id"),
            };
            let (mut seen, mut newcomers) = (shown, std::collections::VecDeque::new());
            for round in 0..200 {
                let page = scim.get(&format!("/Users?cursor={cursor}&{query}")).is(200);
                seen.extend(page.each("id"));
                let Some(beyond) = page.body.get(way) else { break };
                cursor = beyond.as_str().unwrap().to_owned();
                assert!(round < 199, "{query}: pages without end");
                if round >= 6 {
                    continue;
                }
                // newcomers stay for three pages; of those who were there, one that was shown goes, one that was not, and the
                // one that the position was made of
                for name in ["aa", "u20-", "zz"] {
                    let came = user(json!({"userName": format!("{name}{way}{round}"), "title": name}));
                    newcomers.push_back(scim.create("/Users", came));
                }
                let shown = |id: &&String| seen.contains(id);
                let mut goes: Vec<String> = staying.iter().find(shown).into_iter().cloned().collect();
                goes.extend(staying.iter().rev().find(|id| !shown(id)).cloned());
                goes.extend(seen.last().filter(|last| staying.contains(last) && !goes.contains(last)).cloned());
                staying.retain(|id| !goes.contains(id));
                let late = newcomers.len().saturating_sub(9);
                let goes = goes.into_iter().map(|id| format!("/Users/{id}")).chain(newcomers.drain(..late));
                goes.for_each(|path| drop(scim.delete(&path).is(204)));
            }
            for id in &staying {
                assert_eq!(seen.iter().filter(|found| *found == id).count(), 1, "{query}, {way}: {id} in {seen:?}");
            }
            let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
            assert_eq!(distinct.len(), seen.len(), "{query}, {way}: somebody was met twice: {seen:?}");
        }
    }
}
