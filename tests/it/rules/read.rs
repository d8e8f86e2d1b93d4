//! GET of one resource (RFC 7644 §3.4.1), and how a path finds it.

use http::{Method, Request};
use scim_provider::{MemoryStore, Service, TenantId, User};
use serde_json::json;

use super::devices::body;
use crate::scim::{BASE, ENTERPRISE, Scim, id_of, ready, user};

/// R-7644-3.4.1-01 R-7644-3.4.1-04 R-7644-3.4-02 R-7232-2.3-03 R-7643-3.1-23
#[test]
fn a_get_answers_with_the_resource_itself_and_its_etag() {
    let scim = Scim::new();
    let path = scim.user(json!({"title": "Dr"}));
    let found = scim.get(&path).is(200).has(json!({"id": id_of(&path), "title": "Dr"})).lacks(&["/Resources"]);
    assert_eq!(json!(found.header("etag")), found.at("/meta/version"));
    assert_eq!(found.at("/meta/location"), json!(format!("{BASE}{path}")));
    assert_eq!(json!(found.header("location")), found.at("/meta/location"));
}

/// R-7644-3.4.1-03 R-7644-3.12-09 R-7644-3.12-26
#[test]
fn an_unknown_id_is_not_found() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    scim.get("/Users/nobody").refused(404, "");
    scim.get(&format!("/Groups/{}", id_of(&user))).refused(404, "");
    scim.get("/Nowhere").refused(404, "");
    scim.get(&format!("{user}/emails")).refused(404, "");
}

/// R-7644-3.4.1-02 R-7644-3.4.1-05 E-7644-06
#[test]
fn only_the_id_leads_to_a_resource_and_its_letter_case_counts() {
    let scim = Scim::new();
    let path = scim.user(json!({"externalId": "e1"}));
    for other in ["ada", "e1", &id_of(&path).to_uppercase()] {
        if other != id_of(&path) {
            scim.get(&format!("/Users/{other}")).refused(404, "");
        }
    }
}

/// R-7644-1.2-01 R-7644-3.4.1-05
#[test]
fn an_id_is_percent_decoded() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let encoded: String = id_of(&path).bytes().map(|b| format!("%{b:02x}")).collect();
    scim.get(&format!("/Users/{encoded}")).is(200).has(json!({"id": id_of(&path)}));
    scim.get("/Users/%zz").refused(404, "");
    scim.get("/Users/%ff").refused(404, "");
}

/// R-7644-7.1-02
#[test]
fn what_a_path_holds_ends_no_header_and_begins_no_other() {
    let scim = Scim::new();
    let evil = "x%0d%0aset-cookie:%20a=b%0d%0a%0d%0a{}";
    for (method, body) in [("GET", ""), ("PUT", "{}"), ("PATCH", "{}"), ("DELETE", "")] {
        let refused = scim.send(method, &format!("/Users/{evil}"), &[("content-type", "application/json")], body);
        assert!(refused.status.is_client_error() && refused.headers.get("set-cookie").is_none());
        let values = refused.headers.values().map(|value| value.as_bytes());
        assert!(values.flatten().all(|byte| *byte != b'\r' && *byte != b'\n'), "{:?}", refused.headers);
    }
    // an operation of a bulk request says where it went
    let answer = scim.bulk(json!([{"method": "DELETE", "path": "/Users/x\r\nset-cookie: a=b"}])).is(200);
    assert_eq!(answer.at("/Operations/0/location"), json!(format!("{BASE}/Users/x%0D%0Aset-cookie:%20a%3Db")));
}

/// R-7644-3.2-05 R-7643-6-09
#[test]
fn an_endpoint_is_found_in_any_letter_case_and_with_a_slash_at_its_end() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for target in ["/users", "/USERS/", "/Users/", &format!("/users/{}", id_of(&path)), &format!("{path}/"), "/Users?"]
    {
        scim.get(target).is(200);
    }
    scim.send("POST", "/users/", &[("content-type", "application/json")], user(json!({"userName": "b"})).to_string())
        .is(201);
    for target in ["//Users", "/Users//", "/Userss"] {
        scim.get(target).refused(404, "");
    }
}

/// R-7644-1.3-02 R-7644-3.13-01 R-7644-3.13-03 R-7644-3.13-04
#[test]
fn the_base_urls_path_may_be_there_or_stripped() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for (uri, status) in [
        (format!("/scim/v2{path}"), 200),
        (path.clone(), 200),
        (format!("https://other.example{path}"), 200),
        (format!("/scim/v1{path}"), 404),
        (format!("/scim/v2x{path}"), 404),
        (format!("/v2{path}"), 404),
    ] {
        let request = Request::builder().uri(&uri).body("").unwrap();
        let response = ready(scim.service.call(&TenantId::new("a").unwrap(), request));
        assert_eq!(response.status(), status, "{uri}");
    }
}

/// R-7644-3.13-05 R-7644-7.1-02
#[test]
fn links_come_from_the_base_url_and_not_from_the_request() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let group = scim.group("g", &[&user]);
    let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
    let found = scim.send("GET", &group, &headers, "").is(200);
    assert_eq!(found.at("/meta/location"), json!(format!("{BASE}{group}")));
    assert_eq!(found.at("/members/0/$ref"), json!(format!("{BASE}{user}")));
    assert!(!String::from_utf8(found.text).unwrap().contains("evil"));
}

/// R-7644-1.3-01 R-7644-7.1-01
#[test]
fn a_base_url_has_no_query_and_no_user() {
    for base in
        ["https://x.example/v2?a=b", "https://user:pw@x.example", "/scim/v2", "ftp://x.example", "x.example/scim", ""]
    {
        let builder = Service::<TenantId>::builder(base).resource(User::resource_type(), MemoryStore::new());
        assert!(builder.build().is_err(), "{base}");
    }
    for base in ["http://localhost", "https://x.example:8443/a/b/v2/"] {
        let builder = Service::<TenantId>::builder(base).resource(User::resource_type(), MemoryStore::new());
        assert!(builder.build().is_ok(), "{base}");
    }
}

/// R-7644-3.2-04 R-7643-2.3.7-07 R-7643-2.3.7-08 R-7644-3.13-05
#[test]
fn a_link_leads_to_its_resource() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let group = scim.group("g", &[&user]);
    let managed = scim.user(json!({"userName": "bob", ENTERPRISE: {"manager": {"value": id_of(&user)}}}));
    let behind = |path: &str, pointer: &str| {
        let link = scim.get(path).at(pointer);
        link.as_str().unwrap().strip_prefix(BASE).unwrap().to_owned()
    };
    let target = behind(&group, "/members/0/$ref");
    assert_eq!(behind(&managed, &format!("/{ENTERPRISE}/manager/$ref")), target);
    assert_eq!(behind(&user, "/meta/location"), target);
    scim.get(&target).is(200).has(json!({"userName": "ada"}));
    scim.get(&behind(&user, "/groups/0/$ref")).is(200).has(json!({"displayName": "g"}));
    scim.delete(&user).is(204);
    scim.get(&target).refused(404, "");
}

/// R-7644-3.2-10
#[test]
fn head_is_get_without_a_body() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let found = scim.send("HEAD", &path, &[], "").is(200);
    assert!(found.text.is_empty() && !found.header("etag").is_empty());
    assert_eq!(found.header("content-type"), "application/scim+json");
    let missing = scim.send("HEAD", "/Users/nobody", &[], "");
    assert!(missing.status == 404 && missing.text.is_empty());
    assert!(scim.send("HEAD", "/Users", &[], "").is(200).text.is_empty());
    for target in [path.as_str(), "/Users", "/Users/nobody", "/Schemas", "/Nowhere"] {
        let (head, get) = (scim.send("HEAD", target, &[], ""), scim.get(target));
        assert_eq!(head.header("content-length"), get.text.len().to_string(), "{target}");
        assert_eq!((head.status, head.header("location")), (get.status, get.header("location")), "{target}");
    }
}

/// R-7644-3.2-10 R-7644-3.2-09
#[test]
fn a_method_that_an_endpoint_lacks_is_not_allowed() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({})));
    for (method, target, allow) in [
        ("PUT", "/Users", "GET, HEAD, POST"),
        ("PATCH", "/Users", "GET, HEAD, POST"),
        ("DELETE", "/Users", "GET, HEAD, POST"),
        ("POST", path.as_str(), "GET, HEAD, PUT, PATCH, DELETE"),
        ("OPTIONS", path.as_str(), "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", "/Users/.search", "POST"),
        ("DELETE", "/Users/.search", "POST"),
        ("TRACE", "/Users", "GET, HEAD, POST"),
    ] {
        let refused = scim.send(method, target, &[], "").refused(405, "");
        assert_eq!(refused.header("allow"), allow, "{method} {target}");
    }
    // another letter case is another method, and none that anybody knows
    assert_eq!(Method::from_bytes(b"get").unwrap().as_str(), "get");
    scim.send("get", "/Users", &[], "").refused(501, "");
}
