//! Stores that find the positions of cursors in one way or another, behind the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_provider::{
    Capabilities, Cursor, Error, Key, Limits, MemoryStore, Page, Projection, Query, Resource, ResourceType, ScimType,
    Service, Store, StoreError, TenantId, User,
};
use serde_json::json;

use crate::scim::{BASE, Scim};

/// How it answers a query by cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// it is never asked
    Unable,
    /// what matches and follows
    Following,
    /// what follows, matching or not
    Candidates,
    /// all that matches, wherever the cursor is
    AllMatches,
    /// the first page, wherever the cursor is
    FirstPage,
    /// what follows, in another order
    Unordered,
    /// what it knew of the position is gone
    Expired,
    /// what matches and follows, but nothing before a position
    ForwardsOnly,
}

#[derive(Clone)]
pub(crate) struct Rows {
    memory: MemoryStore,
    way: Way,
    lists: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
}

impl Store for Rows {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.memory.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        self.largest.fetch_max(query.limit, Ordering::SeqCst);
        if query.cursor.is_none() {
            return self.memory.list(cx, ty, query).await;
        }
        let back = query.cursor.as_ref().is_some_and(Cursor::goes_back);
        let unable = self.way == Way::Unable || (back && self.way == Way::ForwardsOnly);
        assert!(!unable, "the service asked for what the store cannot do");
        if self.way == Way::Expired && matches!(query.cursor, Some(Cursor::After(_))) {
            let expired = Error::bad_request(ScimType::ExpiredCursor, "begin again: positions are kept for an hour");
            return Err(StoreError::Refused(Box::new(expired)));
        }
        let everything = Query::from_url(ty, "", scim_provider::Compat::default(), &Limits::dangerous_unlimited());
        let mut everything = everything.map_err(StoreError::backend)?;
        everything.limit = usize::MAX;
        let mut rows = self.memory.list(cx, ty, &everything).await?.resources().to_vec();
        rows.sort_by(|a, b| query.compare(a, b));
        if self.way != Way::Candidates {
            rows.retain(|row| query.filter.as_ref().is_none_or(|filter| filter.matches(row)));
        }
        if self.way == Way::AllMatches {
            return Ok(Page::matches(rows));
        }
        if self.way != Way::FirstPage {
            rows.retain(|row| query.follows(row));
        }
        rows.truncate(query.limit + 1);
        if self.way == Way::Unordered {
            rows.reverse();
        }
        Ok(if self.way == Way::Candidates { Page::following_candidates(rows) } else { Page::following(rows) })
    }

    crate::scim::writes_to!(memory);

    fn capabilities(&self) -> Capabilities {
        match self.way {
            Way::Unable => Capabilities::default(),
            Way::ForwardsOnly => Capabilities::default().with_cursor().without_previous_cursor(),
            _ => Capabilities::default().with_cursor(),
        }
    }
}

/// A hundred users, of whom each twentieth is active.
fn hundred(way: Way, scan: usize) -> (Scim, Rows) {
    hundred_with(way, |limits| limits.scan = scan)
}

/// The same behind a service of other limits.
pub(crate) fn hundred_with(way: Way, change: impl FnOnce(&mut Limits)) -> (Scim, Rows) {
    let rows = Rows { memory: MemoryStore::new(), way, lists: Arc::default(), largest: Arc::default() };
    let mut limits = Limits::default();
    change(&mut limits);
    let scim = Scim::of(Service::builder(BASE).resource(User::resource_type(), rows.clone()).limits(limits));
    for n in 0..100 {
        scim.user(json!({"userName": format!("u{n:02}"), "active": n % 20 == 7}));
    }
    (scim, rows)
}

/// The names on all pages, page by page.
#[track_caller]
fn pages(scim: &Scim, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scim.get(&format!("/Users?cursor={cursor}&{query}")).is(200);
        pages.push(page.each("userName"));
        match page.body.get("nextCursor") {
            Some(next) => cursor = next.as_str().unwrap().to_owned(),
            None => return pages,
        }
        assert!(pages.len() < 200, "pages without end");
    }
}

/// R-9865-2-09
#[test]
fn whatever_the_store_does_itself_the_pages_are_the_same() {
    let query = "filter=active+eq+true&sortBy=userName&sortOrder=descending&count=2";
    for way in [Way::Unable, Way::Following, Way::Candidates, Way::AllMatches] {
        let (scim, _) = hundred(way, 1000);
        assert_eq!(pages(&scim, query), [vec!["u87", "u67"], vec!["u47", "u27"], vec!["u07"]]);
        let everybody = pages(&scim, "count=40").concat();
        assert_eq!(everybody.iter().collect::<std::collections::BTreeSet<_>>().len(), 100);
    }
}

/// R-9865-2-10 R-9865-2-11
#[test]
fn whatever_the_store_does_itself_the_way_back_is_the_way_there() {
    for way in [Way::Unable, Way::Following, Way::Candidates, Way::AllMatches] {
        let (scim, _) = hundred(way, 1000);
        for query in ["filter=active+eq+true&sortBy=userName&sortOrder=descending&count=2", "count=30"] {
            let pages = pages(&scim, query);
            let mut page = scim.get(&format!("/Users?cursor&{query}"));
            while let Some(next) = page.body.get("nextCursor") {
                page = scim.get(&format!("/Users?cursor={}&{query}", next.as_str().unwrap())).is(200);
            }
            let mut back = vec![page.each("userName")];
            while let Some(previous) = page.body.get("previousCursor") {
                page = scim.get(&format!("/Users?cursor={}&{query}", previous.as_str().unwrap())).is(200);
                back.push(page.each("userName"));
            }
            back.reverse();
            assert_eq!(back, pages, "{query}");
        }
    }
}

/// R-9865-2-10
#[test]
fn a_store_that_only_goes_forwards_names_no_way_back() {
    let (scim, rows) = hundred(Way::ForwardsOnly, 1000);
    let first = scim.get("/Users?cursor&count=2").is(200);
    let second = scim.get(&format!("/Users?cursor={}&count=2", first.at("/nextCursor").as_str().unwrap())).is(200);
    second.lacks(&["/previousCursor"]);
    // a cursor from a time when the store could: the service finds the page
    let able = Scim::of(Service::builder(BASE).resource(User::resource_type(), Rows { way: Way::Following, ..rows }));
    let page = able.get(&format!("/Users?cursor={}&count=2", first.at("/nextCursor").as_str().unwrap())).is(200);
    let back = scim.get(&format!("/Users?cursor={}&count=2", page.at("/previousCursor").as_str().unwrap())).is(200);
    assert_eq!(back.each("id"), first.each("id"));
}

/// R-9865-2-09 R-9865-2-10
#[test]
fn nobody_is_missed_on_the_way_back_when_pages_are_short() {
    for scan in [1, 2, 3, 10] {
        let (scim, _) = hundred(Way::Candidates, scan);
        let query = "filter=active+eq+true&sortBy=userName&count=3";
        let mut page = scim.get(&format!("/Users?cursor&{query}"));
        while let Some(next) = page.body.get("nextCursor") {
            page = scim.get(&format!("/Users?cursor={}&{query}", next.as_str().unwrap())).is(200);
        }
        let (mut back, mut turns) = (page.each("userName"), 0);
        while let Some(previous) = page.body.get("previousCursor") {
            page = scim.get(&format!("/Users?cursor={}&{query}", previous.as_str().unwrap())).is(200);
            back.splice(0..0, page.each("userName"));
            turns += 1;
            assert!(turns < 200, "pages without end");
        }
        assert_eq!(back, ["u07", "u27", "u47", "u67", "u87"], "{scan}");
    }
}

/// R-9865-2-05 R-9865-2-08 R-9865-2-09
#[test]
fn a_page_may_be_short_and_then_names_the_next() {
    let (scim, rows) = hundred(Way::Candidates, 10);
    let found = pages(&scim, "filter=active+eq+true&sortBy=userName&count=3");
    assert_eq!(found.concat(), ["u07", "u27", "u47", "u67", "u87"]);
    assert!(found.len() > 5, "ten resources are looked at for a page, not more: {found:?}");
    assert!(rows.largest.load(Ordering::SeqCst) <= 10);
}

#[test]
fn a_page_that_has_to_be_searched_for_takes_few_calls() {
    let (scim, rows) = hundred(Way::Candidates, 1000);
    let found = scim.get("/Users?cursor&count=1&filter=userName+eq+%22u99%22&sortBy=userName").is(200);
    assert_eq!(found.each("userName"), ["u99"]);
    let calls = rows.lists.load(Ordering::SeqCst);
    assert!(calls <= 8, "{calls} calls for a hundred candidates");
}

/// R-9865-2-17 R-7644-3.4.2-05
#[test]
fn a_total_that_nobody_counted_is_left_out_of_pages_by_cursor_only() {
    let (scim, _) = hundred(Way::Following, 1000);
    scim.get("/Users?cursor&count=2").is(200).lacks(&["/totalResults"]).has(json!({"itemsPerPage": 2}));
    scim.get("/Users?cursor&count=0").is(200).has(json!({"totalResults": 100, "itemsPerPage": 0}));
    scim.get("/Users?count=2").is(200).has(json!({"totalResults": 100}));
}

#[test]
fn a_store_that_does_not_go_on_is_found_out() {
    for way in [Way::FirstPage, Way::Unordered] {
        let (scim, _) = hundred(way, 1000);
        let first = scim.get("/Users?cursor&count=2");
        let failed = match first.body.get("nextCursor") {
            Some(next) => scim.get(&format!("/Users?cursor={}&count=2", next.as_str().unwrap())),
            None => first,
        };
        assert!(failed.refused(500, "").exchange.source.unwrap().contains("cursor"));
    }
}

/// R-7644-3.4.2.1-05
#[test]
fn what_is_cut_by_the_service_is_bounded() {
    for way in [Way::Unable, Way::AllMatches] {
        let (scim, _) = hundred(way, 99);
        scim.get("/Users?cursor&count=2").refused(400, "tooMany");
        scim.get("/Users?cursor&count=2&filter=active+eq+true").is(200);
    }
}

/// R-9865-2.1-03
#[test]
fn a_store_may_say_that_a_position_has_expired() {
    let (scim, _) = hundred(Way::Expired, 1000);
    let cursor = scim.get("/Users?cursor&count=2").is(200).at("/nextCursor");
    scim.get(&format!("/Users?cursor={}&count=2", cursor.as_str().unwrap())).refused(400, "expiredCursor");
}
