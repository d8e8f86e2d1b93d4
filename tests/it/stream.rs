//! Answers that are sent while they are read: the same bytes as a whole one, and never many of them at a time.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use http::{Request, Response, StatusCode};
use scim_provider::service::Body;
use scim_provider::{
    Changes, Exchange, Group, Key, Limits, MemoryStore, Observer, Page, Patched, Precondition, Projection, Query,
    Resource, ResourceType, ResourceWriter, Service, Store, StoreError, TenantId, User,
};
use serde_json::json;

use crate::scim::{BASE, GROUP, Scim, ready};

fn acme() -> TenantId {
    TenantId::new("a").unwrap()
}

fn stream(service: &Service<TenantId>, method: &str, target: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(format!("/scim/v2{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ready(service.stream(acme(), request.body("").unwrap()))
}

/// The pieces of a body, and whether it broke off.
fn pieces(mut body: Body) -> (Vec<Vec<u8>>, Option<StatusCode>) {
    let mut pieces = Vec::new();
    loop {
        match ready(body.piece()) {
            None => return (pieces, None),
            Some(Ok(piece)) => pieces.push(piece),
            Some(Err(broken)) => {
                assert!(ready(body.piece()).is_none(), "nothing follows");
                return (pieces, Some(broken.status));
            }
        }
    }
}

/// A group of so many members, half of which are users.
fn crowd(scim: &Scim, count: usize) -> String {
    let users: Vec<String> =
        (0..count.min(20)).map(|n| scim.user(json!({"userName": format!("u{n}-of-{count}")}))).collect();
    let known = users.iter().map(|path| json!({"value": path.rsplit('/').next()}));
    let strangers =
        (users.len()..count).map(|n| json!({"value": format!("stranger-{n}"), "display": format!("Nº \"{n}\"")}));
    let members: Vec<_> = known.chain(strangers).collect();
    scim.create("/Groups", json!({"schemas": [GROUP], "displayName": "All", "externalId": "x", "members": members}))
}

#[test]
fn pieces_are_the_whole_answer() {
    let scim = Scim::new();
    for count in [0, 1, 999, 1_000, 1_001, 6_000] {
        let path = crowd(&scim, count);
        for query in [
            "",
            "?attributes=members.value",
            "?attributes=members",
            "?attributes=displayName",
            "?excludedAttributes=meta",
        ] {
            let target = format!("{path}{query}");
            let whole = scim.get(&target).is(200);
            let streamed = stream(&scim.service, "GET", &target, &[]);
            assert_eq!((streamed.status(), streamed.headers()), (whole.status, &whole.headers), "{target}");
            let (pieces, broken) = pieces(streamed.into_body());
            assert_eq!(broken, None);
            assert!(pieces.concat() == whole.text, "{target} with {count} members: {} pieces", pieces.len());
            assert!(pieces.iter().all(|piece| piece.len() < 70 << 10), "no piece is long");
            if count == 6_000 && query.is_empty() {
                assert!(pieces.len() > 4);
            }
            let head = scim.send("HEAD", &target, &[], "");
            assert_eq!(head.header("content-length"), whole.text.len().to_string(), "{target}");
            assert!(head.text.is_empty());
        }
        scim.delete(&path).is(204);
    }
}

#[test]
fn what_is_short_or_refused_is_whole() {
    let scim = Scim::new();
    let path = crowd(&scim, 2_000);
    let etag = scim.get(&path).header("etag").to_owned();
    for (method, target, headers, status) in [
        ("GET", "/Groups/nobody", vec![], 404),
        ("GET", "/ServiceProviderConfig", vec![], 200),
        ("GET", path.as_str(), vec![("if-none-match", etag.as_str())], 304),
        ("GET", path.as_str(), vec![("if-match", "W/\"other\"")], 412),
        ("GET", path.as_str(), vec![("accept", "text/html")], 406),
        ("DELETE", "/Groups/nobody", vec![], 404),
    ] {
        let whole = scim.send(method, target, &headers, "");
        let streamed = stream(&scim.service, method, target, &headers);
        assert_eq!((streamed.status().as_u16(), streamed.headers()), (status, &whole.headers), "{method} {target}");
        assert_eq!(streamed.into_body().into_whole().unwrap(), whole.text);
    }
}

#[test]
fn an_answer_that_may_not_be_held_is_refused_unless_it_is_sent_in_pieces() {
    let scim = Scim::limited(|limits| limits.answer_bytes = 200_000);
    let path = crowd(&scim, 6_000);
    let refused = scim.get(&path).refused(400, "tooMany");
    assert!(refused.at("/detail").as_str().unwrap().contains("200000 bytes"), "{:?}", refused.body);
    scim.get("/Groups").refused(400, "tooMany");
    scim.get(&format!("{path}?excludedAttributes=members")).is(200);
    scim.get("/Groups?attributes=displayName").is(200);
    let (pieces, broken) = pieces(stream(&scim.service, "GET", &path, &[]).into_body());
    assert_eq!(broken, None);
    let group: serde_json::Value = serde_json::from_slice(&pieces.concat()).unwrap();
    assert_eq!(group["members"].as_array().unwrap().len(), 6_000);
}

#[test]
fn the_observer_is_told_once_and_at_the_end() {
    let scim = Scim::new();
    let path = crowd(&scim, 6_000);
    let before = scim.exchanges().len();
    let mut body = stream(&scim.service, "GET", &path, &[]).into_body();
    assert!(ready(body.piece()).unwrap().is_ok());
    assert_eq!(scim.exchanges().len(), before);
    pieces(body);
    let exchanges = scim.exchanges();
    assert_eq!((exchanges.len(), exchanges.last().unwrap().status), (before + 1, 200));
}

/// Groups of 5,000 members, of which the store loses sight.
#[derive(Clone, Copy, Debug)]
enum Failing {
    /// with an error
    Behind,
    /// and begins again
    Again,
    /// which is known at once
    AtOnce,
}

impl Store for Failing {
    type Context = TenantId;

    async fn show(&self, _: &TenantId, key: Key<'_>, writer: &mut ResourceWriter<'_>) -> Result<bool, StoreError> {
        let group = Resource::empty(key.resource_type).with("displayName", "All").map_err(StoreError::from)?;
        let now = chrono::DateTime::UNIX_EPOCH;
        let group = group.stamped(key.id, now, now, &scim_provider::Version::new("1"));
        let lost = || StoreError::backend("the connection is lost");
        if matches!(self, Self::AtOnce) {
            return Err(lost());
        }
        for _ in 0..2 {
            if !writer.begin(&group, "members") {
                break;
            }
            for n in 0..5_000 {
                writer.reference(&format!("member-{n}"), Some("User"), None);
                writer.flush().await;
            }
            if matches!(self, Self::Behind) {
                assert!(writer.is_sent());
                return Err(lost());
            }
        }
        assert!(writer.is_full(), "nothing more is taken");
        Ok(true)
    }

    async fn get(&self, _: &TenantId, _: Key<'_>, _: &Projection) -> Result<Option<Resource>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: &TenantId, _: &ResourceType, _: &Query) -> Result<Page, StoreError> {
        Ok(Page::matches(Vec::new()))
    }

    async fn create(&self, _: &TenantId, _: &ResourceType, _: Resource) -> Result<Resource, StoreError> {
        Err(StoreError::Unsupported)
    }

    async fn replace(
        &self,
        _: &TenantId,
        _: Key<'_>,
        _: Resource,
        _: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        Err(StoreError::Unsupported)
    }

    async fn delete(&self, _: &TenantId, _: Key<'_>, _: Precondition<'_>) -> Result<(), StoreError> {
        Err(StoreError::Unsupported)
    }

    async fn patch(
        &self,
        _: &TenantId,
        _: Key<'_>,
        _: &Changes,
        _: Precondition<'_>,
        _: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        Ok(None)
    }
}

#[test]
fn an_answer_whose_store_fails_breaks_off_and_is_never_taken_for_the_whole() {
    for (store, sent) in [(Failing::Behind, true), (Failing::Again, true), (Failing::AtOnce, false)] {
        let scim = Scim::of(Service::builder(BASE).resource(Group::resource_type(), store));
        let streamed = stream(&scim.service, "GET", "/Groups/g", &[]);
        if !sent {
            assert_eq!(streamed.status(), 500);
            continue;
        }
        assert_eq!(streamed.status(), 200);
        let (pieces, broken) = pieces(streamed.into_body());
        assert_eq!(broken, Some(StatusCode::INTERNAL_SERVER_ERROR), "{store:?}");
        assert!(!pieces.is_empty());
        assert!(serde_json::from_slice::<serde_json::Value>(&pieces.concat()).is_err(), "what came has no end");
        let seen = scim.exchanges();
        assert_eq!((seen.len(), seen[0].status), (1, 500), "{store:?}");
    }
}

/// A store waits in `flush` for the client, wherever it is polled from.
#[test]
fn whoever_writes_waits_until_a_piece_is_taken() {
    let scim = Scim::new();
    let path = crowd(&scim, 6_000);
    let mut body = stream(&scim.service, "GET", &path, &[]).into_body();
    let mut sizes = Vec::new();
    let polled = ready(poll_fn(|cx| {
        loop {
            match body.poll_piece(cx) {
                Poll::Ready(Some(piece)) => sizes.push(piece.unwrap().len()),
                Poll::Ready(None) => return Poll::Ready(sizes.len()),
                // others have their turn
                Poll::Pending => return Poll::Pending,
            }
        }
    }));
    assert!(polled > 4, "{polled}");
}

struct Told(Arc<Mutex<usize>>);

impl Observer<TenantId> for Told {
    fn exchange(&self, _: &TenantId, _: &Exchange<'_>) {
        *self.0.lock().unwrap() += 1;
    }
}

/// The host drops the body of a client that is gone, or too slow.
#[test]
fn a_body_may_be_dropped_before_its_end() {
    let told = Arc::new(Mutex::new(0));
    let store = MemoryStore::new();
    let service = Service::builder(BASE)
        .resource(User::resource_type(), store.clone())
        .resource(Group::resource_type(), store)
        .limits(Limits::default())
        .observer(Told(Arc::clone(&told)))
        .build()
        .unwrap();
    let members: Vec<_> = (0..5_000).map(|n| json!({"value": format!("m{n}")})).collect();
    let body = json!({"schemas": [GROUP], "displayName": "All", "members": members}).to_string();
    let request = Request::post("/Groups").header("content-type", "application/scim+json").body(body).unwrap();
    let created = ready(service.call(&acme(), request));
    let path = created.headers()["location"].to_str().unwrap().rsplit_once("/v2").unwrap().1.to_owned();
    let mut body = stream(&service, "GET", &path, &[]).into_body();
    assert!(ready(body.piece()).unwrap().is_ok());
    drop(body);
    assert_eq!(*told.lock().unwrap(), 1, "of the creation only");
    assert_eq!(stream(&service, "GET", &path, &[]).status(), 200);
}
