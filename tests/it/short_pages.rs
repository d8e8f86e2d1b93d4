//! Pages that end early because they would hold too much: nothing is missed behind them, whichever way they are turned.

use scim_provider::{Group, Limits, MemoryStore, Service, User};
use serde_json::json;

use crate::cursor_contract::{Way, hundred_with};
use crate::scim::{Answer, BASE, Scim};

/// Room for the groups of few members and for two or three of the others.
const ROOM: usize = 9_000;

/// Thirty groups, each third of which has a hundred members.
fn groups(bytes: usize) -> Scim {
    let scim = Scim::limited(|limits| limits.query_bytes = bytes);
    for n in 0..30 {
        let count = if n % 3 == 0 { 100 } else { 1 };
        let members: Vec<String> = (0..count).map(|member| format!("member-{n}-{member}")).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        scim.group(&format!("Group {n:02}"), &members);
    }
    scim
}

/// The names on all pages by index, page by page, as a client turns them that follows `itemsPerPage`.
#[track_caller]
fn by_index(scim: &Scim, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut start) = (Vec::new(), 1);
    loop {
        let page = scim.get(&format!("{query}&startIndex={start}")).is(200);
        let names = page.each("displayName");
        assert!(!names.is_empty(), "a page of nothing at {start}: {}", page.body);
        assert_eq!(page.at("/itemsPerPage"), json!(names.len()));
        assert_eq!(page.at("/startIndex"), json!(start));
        start += names.len();
        pages.push(names);
        if page.at("/totalResults").as_u64().unwrap() < start as u64 {
            return pages;
        }
    }
}

/// The names on all pages by cursor, there and back.
#[track_caller]
fn by_cursor(scim: &Scim, query: &str) -> [Vec<Vec<String>>; 2] {
    let turn = |mut page: Answer, to: &str| {
        let mut pages = vec![page.each("displayName")];
        while let Some(cursor) = page.body.get(to) {
            page = scim.get(&format!("{query}&cursor={}", cursor.as_str().unwrap())).is(200);
            pages.push(page.each("displayName"));
            assert!(pages.len() < 100, "pages without end");
        }
        (pages, page)
    };
    let (there, last) = turn(scim.get(&format!("{query}&cursor")).is(200), "nextCursor");
    let (mut back, _) = turn(last, "previousCursor");
    back.reverse();
    [there, back]
}

fn names() -> Vec<String> {
    (0..30).map(|n| format!("Group {n:02}")).collect()
}

#[track_caller]
fn all_of_them_on_short_pages(pages: &[Vec<String>], expected: &[String]) {
    assert_eq!(pages.concat(), expected);
    let longest = pages.iter().map(Vec::len).max();
    assert!(longest < Some(10), "no page was cut: {pages:?}");
}

/// R-7644-3.4.2.4-05 R-7644-3.4.2.4-09
#[test]
fn pages_by_index_that_would_hold_too_much_end_early() {
    let scim = groups(ROOM);
    all_of_them_on_short_pages(&by_index(&scim, "/Groups?count=20"), &names());
    let mut backwards = names();
    backwards.reverse();
    let sorted = by_index(&scim, "/Groups?count=20&sortBy=displayName&sortOrder=descending");
    all_of_them_on_short_pages(&sorted, &backwards);
    let filtered = by_index(&scim, "/Groups?count=20&filter=displayName+co+%22Group%22");
    all_of_them_on_short_pages(&filtered, &names());
}

/// R-9865-2-09 R-9865-2-10
#[test]
fn pages_by_cursor_that_would_hold_too_much_end_early_there_and_back() {
    let scim = groups(ROOM);
    for query in ["/Groups?count=20&sortBy=displayName", "/Groups?count=20&sortBy=displayName&filter=displayName+pr"] {
        for pages in by_cursor(&scim, query) {
            all_of_them_on_short_pages(&pages, &names());
        }
    }
    // in the order of their ids, which nobody knows
    for pages in by_cursor(&scim, "/Groups?count=20") {
        let mut found = pages.concat();
        found.sort_unstable();
        assert_eq!(found, names());
        assert!(pages.len() > 2, "{pages:?}");
    }
}

#[test]
fn what_is_not_wanted_takes_no_room() {
    let scim = groups(ROOM);
    let lean = "/Groups?count=30&excludedAttributes=members&sortBy=displayName";
    assert_eq!(by_index(&scim, lean), [names()]);
    assert_eq!(by_cursor(&scim, lean), [[names()], [names()]]);
}

#[test]
fn one_resource_that_takes_all_the_room_is_shown_by_itself() {
    let scim = groups(1);
    let alone: Vec<Vec<String>> = names().into_iter().map(|name| vec![name]).collect();
    assert_eq!(by_index(&scim, "/Groups?count=20"), alone);
    assert_eq!(by_cursor(&scim, "/Groups?count=20&sortBy=displayName"), [alone.clone(), alone]);
}

#[test]
fn a_search_across_types_goes_on_where_the_page_of_a_type_ended_early() {
    let scim = groups(ROOM);
    for name in ["Group 04x", "Group 17x", "Group 99"] {
        scim.user(json!({"userName": name, "displayName": name}));
    }
    let filter = "filter=displayName+sw+%22Group%22";
    let mut expected = names();
    expected.extend(["Group 04x", "Group 17x", "Group 99"].map(str::to_owned));
    // users come first where there is no order
    let mut found = by_index(&scim, &format!("/?count=20&{filter}")).concat();
    assert_eq!(found.len(), 33);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    // all that lies before a page is needed to put two types in order
    let first = scim.get(&format!("/?count=20&{filter}&sortBy=displayName")).is(200).each("displayName");
    assert!(first.len() < 20 && expected.starts_with(&first), "{first:?}");
    scim.get(&format!("/?count=20&{filter}&sortBy=displayName&startIndex=25")).refused(400, "tooMany");
    for pages in by_cursor(&scim, &format!("/?count=20&{filter}&sortBy=displayName")) {
        all_of_them_on_short_pages(&pages, &expected);
    }
}

/// Stores that know nothing of the limit.
#[test]
fn whatever_the_store_does_itself_a_page_holds_no_more_than_it_may() {
    let query = "/Users?count=50&sortBy=userName&filter=userName+sw+%22u%22";
    for way in [Way::Following, Way::Candidates, Way::AllMatches] {
        let (scim, _) = hundred_with(way, |limits| limits.query_bytes = 2_000);
        for pages in by_cursor(&scim, query) {
            assert_eq!(pages.concat().len(), 100);
            assert!(pages.iter().all(|page| page.len() < 20), "{pages:?}");
        }
    }
    // where the service needs everything to find a position, everything is too much
    let (scim, _) = hundred_with(Way::Unable, |limits| limits.query_bytes = 2_000);
    scim.get(&format!("{query}&cursor")).refused(400, "tooMany");
}

/// Limits are those of the service: two over one store need not have the same.
#[test]
fn without_limits_a_page_is_whole() {
    let (store, mut limits) = (MemoryStore::new(), Limits::dangerous_unlimited());
    limits.page_default = 1_000;
    let of = |limits| {
        let builder = Service::builder(BASE).resource(User::resource_type(), store.clone()).limits(limits);
        Scim::of(builder.resource(Group::resource_type(), store.clone()))
    };
    let (unlimited, mut narrow) = (of(limits), Limits::default());
    narrow.query_bytes = 1;
    let narrow = of(narrow);
    for n in 0..300 {
        unlimited.group(&format!("{n}"), &[]);
    }
    assert_eq!(unlimited.get("/Groups").is(200).each("id").len(), 300);
    assert_eq!(narrow.get("/Groups").is(200).each("id").len(), 1);
}
