//! Requests that the host does not admit: too many (RFC 6585 §4), or with what has no place in a URL (RFC 7644 §7.5.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use scim_provider::{Error, ScimType};
use serde_json::json;

use crate::scim::{SEARCH, Scim, user};

/// A service that admits so many requests of each tenant called `a`, and none of others.
fn admitting(requests: u32) -> (Scim, Arc<AtomicU32>) {
    let left = Arc::new(AtomicU32::new(requests));
    let count = Arc::clone(&left);
    let scim = Scim::with(move |builder| {
        builder.limiter(move |tenant, head| {
            assert!(head.uri.path().starts_with("/scim/v2"), "the limiter sees the request");
            if tenant.as_str() != "a" {
                return Err(Error::unavailable(120));
            }
            let token = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            token.map(drop).map_err(|_| Error::too_many_requests(7))
        })
    });
    (scim, left)
}

/// R-9865-5-07
#[test]
fn a_request_too_many_is_told_when_to_come_back() {
    let (scim, left) = admitting(2);
    let path = scim.user(json!({}));
    scim.get(&path).is(200);
    for (method, target) in
        [("GET", path.as_str()), ("DELETE", &path), ("GET", "/ServiceProviderConfig"), ("PUT", "/x")]
    {
        let refused = scim.send(method, target, &[], "").refused(429, "");
        assert_eq!(refused.header("retry-after"), "7");
        assert_eq!((refused.exchange.status, refused.exchange.operation), (429, "none"));
    }
    left.store(1, Ordering::SeqCst);
    scim.get(&path).is(200);
}

#[test]
fn a_host_may_be_unavailable_for_some() {
    let (scim, left) = admitting(2);
    let refused = scim.tenant("b").post("/Users", user(json!({}))).refused(503, "");
    assert_eq!(refused.header("retry-after"), "120");
    assert_eq!(left.load(Ordering::SeqCst), 2, "others do not pay for it");
}

#[test]
fn a_bulk_request_is_one_request() {
    let (scim, _) = admitting(1);
    let create = |name: &str| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(json!({"userName": name}))});
    assert_eq!(scim.bulk(json!([create("a"), create("b")])).is(200).statuses(), ["201", "201"]);
    scim.bulk(json!([create("c")])).refused(429, "");
}

/// R-7644-7.5.2-03 R-7644-3.4.3-10
#[test]
fn a_host_may_keep_sensitive_filters_out_of_urls() {
    let scim = Scim::with(|builder| {
        builder.limiter(|_, head| match head.uri.query().is_some_and(|query| query.contains("phoneNumbers")) {
            true => Err(Error::bad_request(ScimType::Sensitive, "send this filter to `/.search`")),
            false => Ok(()),
        })
    });
    scim.filter("/Users", "phoneNumbers.value eq \"1\"").refused(403, "sensitive");
    let search = json!({"schemas": [SEARCH], "filter": "phoneNumbers.value eq \"1\""});
    scim.post("/Users/.search", search).is(200);
    scim.filter("/Users", "title pr").is(200);
}
