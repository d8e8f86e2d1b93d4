//! Error messages (RFC 7644 §3.12).

use http::StatusCode;
use scim_provider::{Compat, Error, Limits, ScimType, unauthorized};
use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{BASE, ERROR, SEARCH, Scim, USER, merged, user};

/// R-7644-3.12-01 R-7644-3.12-02 R-7644-3.12-03 R-7644-3.12-27 R-7644-3.2-11 R-7644-8.2-01 R-7644-3.1-04
/// R-7644-3.1-01
#[test]
fn every_error_is_a_scim_message() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for (method, target, body, status) in [
        ("GET", "/Nowhere", "", 404),
        ("GET", "/Users/nobody", "", 404),
        ("PUT", "/Users", "", 405),
        ("POST", "/Users", "{", 400),
        ("PATCH", path.as_str(), "[]", 400),
        ("POST", "/Bulk", "{}", 400),
        ("GET", "/Schemas?filter=id+pr", "", 403),
        ("GET", "/Users?filter=x", "", 400),
    ] {
        let answer =
            scim.send(method, target, &[("content-type", "application/json"), ("accept", "application/json")], body);
        assert_eq!(answer.status, status, "{method} {target}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.body["schemas"], json!([ERROR]));
        assert_eq!(answer.body["status"], json!(status.to_string()));
        let names: Vec<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(names.iter().all(|name| ["schemas", "status", "scimType", "detail"].contains(name)), "{names:?}");
    }
}

/// A service whose host refuses each request that names a status, and takes what is searched for in URLs for sensitive.
fn refusing() -> Scim {
    Scim::with(|builder| {
        builder.compat(Compat::strict()).limiter(|_, head| {
            let status = head.headers.get("x-status").and_then(|status| status.to_str().ok());
            let version = head.headers.contains_key("x-version");
            match status.and_then(|status| status.parse::<StatusCode>().ok()) {
                Some(status) => Err(Error::new(status, "so says the host")),
                None if version => Err(Error::bad_request(ScimType::InvalidVers, "this is version 2")),
                None if head.uri.query().is_some_and(|query| query.contains("phoneNumbers")) => {
                    Err(Error::bad_request(ScimType::Sensitive, "send this filter to `/.search`"))
                }
                None => Ok(()),
            }
        })
    })
}

/// R-7644-3.12-26
#[test]
fn without_a_keyword_that_fits_there_is_none() {
    let scim = refusing();
    for status in [401_u16, 403, 404, 412, 413, 429, 500, 501, 503] {
        scim.send("GET", "/Users", &[("x-status", &status.to_string())], "").refused(status, "");
    }
    let path = scim.user(json!({}));
    let json = ("content-type", "application/json");
    scim.get("/Schemas?filter=id+pr").refused(403, "");
    scim.get("/Users/nobody").refused(404, "");
    scim.delete("/Users").refused(405, "");
    scim.send("GET", &path, &[("accept", "text/html")], "").refused(406, "");
    scim.send("DELETE", &path, &[("if-match", "\"old\"")], "").refused(412, "");
    scim.send("POST", "/Users", &[json], " ".repeat(Limits::default().body_bytes + 1)).refused(413, "");
    scim.send("POST", "/Users", &[("content-type", "text/plain")], "{}").refused(415, "");
    scim.get("/Me").refused(501, "");
}

/// R-7644-3.12-07
#[test]
fn who_has_no_credentials_is_told_how_to_get_in() {
    let response = unauthorized("Bearer realm=\"scim\"");
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!((response.status().as_u16(), header("www-authenticate")), (401, "Bearer realm=\"scim\""));
    assert_eq!(header("content-type"), "application/scim+json");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!((&body["schemas"], &body["status"]), (&json!([ERROR]), &json!("401")));
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()) && body.get("scimType").is_none());
}

/// A search request.
fn search(more: Value) -> Value {
    merged(json!({"schemas": [SEARCH]}), more)
}

/// R-7644-3.12-15 R-7644-3.12-16 R-7644-3.12-17 R-7644-3.12-18 R-7644-3.12-19 R-7644-3.12-20 R-7644-3.12-21
/// R-7644-3.12-22 R-7644-3.12-24 A-27
#[test]
fn each_keyword_has_its_status() {
    let scim = refusing();
    let path = scim.user(json!({"emails": [{"value": "a@b"}]}));
    scim.create("/Users", user(json!({"userName": "bob"})));
    let device = scim.create("/Devices", body(json!({})));
    let at = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
    for (filter, wrong_path) in [("x", "emails[x]"), ("active gt true", "emails[primary gt true]")] {
        scim.filter("/Users", filter).refused(400, "invalidFilter");
        scim.filter("/", filter).refused(400, "invalidFilter");
        scim.post("/Users/.search", search(json!({"filter": filter}))).refused(400, "invalidFilter");
        scim.post("/.search", search(json!({"filter": filter}))).refused(400, "invalidFilter");
        scim.patch(&path, at(wrong_path, json!("x"))).refused(400, "invalidFilter");
    }
    let taken = json!({"userName": "BOB"});
    scim.post("/Users", user(taken.clone())).refused(409, "uniqueness");
    scim.put(&path, user(taken.clone())).refused(409, "uniqueness");
    scim.patch(&path, json!({"op": "replace", "value": taken})).refused(409, "uniqueness");

    scim.put(&device, body(json!({"serial": "other"}))).refused(400, "mutability");
    scim.patch(&device, at("serial", json!("other"))).refused(400, "mutability");
    scim.patch(&path, at("id", json!("other"))).refused(400, "mutability");

    let headers = [("content-type", "application/scim+json")];
    for body in ["", "{", "[]", "\"x\""] {
        for (method, target) in [
            ("POST", "/Users"),
            ("POST", "/Users/.search"),
            ("POST", "/.search"),
            ("POST", "/Bulk"),
            ("PUT", path.as_str()),
            ("PATCH", path.as_str()),
        ] {
            scim.send(method, target, &headers, body).refused(400, "invalidSyntax");
        }
    }

    for wrong in ["name.", "name.nothing", "urn:x:y:z"] {
        scim.patch(&path, at(wrong, json!("x"))).refused(400, "invalidPath");
    }
    scim.patch(&path, json!({"op": "remove"})).refused(400, "noTarget");
    scim.patch(&path, at("emails[value eq \"none\"]", json!({"value": "x"}))).refused(400, "noTarget");

    let of_another_type = json!({"active": "maybe"});
    scim.get("/Users?sortBy=nothing").refused(400, "invalidValue");
    scim.post("/Users", user(of_another_type.clone())).refused(400, "invalidValue");
    scim.put(&path, user(of_another_type.clone())).refused(400, "invalidValue");
    scim.patch(&path, json!({"op": "replace", "value": of_another_type})).refused(400, "invalidValue");
    for nameless in [json!({"schemas": [USER]}), user(json!({"userName": null}))] {
        scim.post("/Users", nameless.clone()).refused(400, "invalidValue");
        scim.put(&path, nameless).refused(400, "invalidValue");
    }
    scim.patch(&path, json!({"op": "add", "path": "title"})).refused(400, "invalidValue");

    scim.filter("/Users", "phoneNumbers.value eq \"1\"").refused(403, "sensitive");
    scim.send("GET", "/Users", &[("x-version", "1")], "").refused(400, "invalidVers");

    let narrow = Scim::limited(|limits| limits.scan = 30);
    narrow.get("/?sortBy=id&startIndex=11&count=1").refused(400, "tooMany");
    let deep = search(json!({"sortBy": "id", "startIndex": 11, "count": 1}));
    narrow.post("/.search", deep).refused(400, "tooMany");
}

/// R-7644-3.12-12 R-7644-3.12-26
#[test]
fn a_body_that_is_too_long_is_refused_with_the_limit() {
    let scim = Scim::limited(|limits| limits.body_bytes = 100);
    let refused = scim.post("/Users", user(json!({"title": "x".repeat(100)}))).refused(413, "");
    assert!(refused.at("/detail").as_str().unwrap().contains("100"), "{}", refused.body);
}

/// R-7644-3.12-14 R-7644-3.11-02
#[test]
fn what_is_not_supported_says_so() {
    let scim = Scim::new();
    for (method, target) in [("GET", "/Me"), ("POST", "/Me"), ("PUT", "/Me"), ("PATCH", "/Me"), ("DELETE", "/Me")] {
        scim.send(method, target, &[("content-type", "application/json")], "{}").refused(501, "");
    }
}

/// RFC 9110 §9.1: of a method that HTTP does not have nobody says that this endpoint does not allow it.
#[test]
fn a_method_that_nobody_knows_is_not_implemented() {
    let scim = Scim::new();
    for target in ["/Users", "/Users/x", "/Bulk", "/Me", "/", "/Schemas", "/ServiceProviderConfig", "/Users/.search"] {
        for method in ["FOO", "get", "PROPFIND"] {
            scim.send(method, target, &[], "").refused(501, "");
        }
        for method in ["OPTIONS", "TRACE", "CONNECT"] {
            assert_ne!(scim.send(method, target, &[], "").refused(405, "").header("allow"), "");
        }
    }
    scim.send("FOO", "/Widgets", &[], "").refused(404, "");
}

/// R-7644-3.12-09 R-7644-3.8-05
#[test]
fn an_endpoint_that_does_not_exist_is_not_found() {
    let scim = Scim::new();
    for target in
        ["/Widgets", "/Users.scim", "/v2/Users", "/Me/x", "/Bulk/x", "/ServiceProviderConfig/x", "/Users/a/b/c"]
    {
        scim.get(target).refused(404, "");
    }
    assert!(BASE.ends_with("/scim/v2"));
}

/// R-7644-3.12-03
#[test]
fn a_detail_never_repeats_a_value() {
    let scim = Scim::new();
    let secret = "s3cr3t-value";
    for body in [
        json!({"userName": {"x": secret}}),
        json!({"active": secret}),
        json!({"emails": [{"primary": secret}]}),
        json!({"password": {"x": secret}}),
        json!({"password": [secret, secret]}),
        json!({"x509Certificates": [{"value": format!("{secret}!")}]}),
    ] {
        let refused = scim.post("/Users", user(body)).refused(400, "invalidValue");
        assert!(!refused.body.to_string().contains(secret), "{}", refused.body);
    }
}
