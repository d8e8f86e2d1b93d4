//! Error messages (RFC 7644 §3.12).

use http::StatusCode;
use scim_provider::{Error, ScimType, unauthorized};
use serde_json::{Value, json};

use crate::scim::{BASE, ERROR, Scim, user};

/// R-7644-3.12-01 R-7644-3.12-02 R-7644-3.12-03 R-7644-3.12-27 R-7644-3.2-11 R-7644-8.2-01 R-7644-3.1-04
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

/// R-7644-3.12-26
#[test]
fn without_a_keyword_that_fits_there_is_none() {
    for status in [401_u16, 403, 404, 405, 406, 412, 413, 415, 500, 501, 503] {
        let error = Error::new(StatusCode::from_u16(status).unwrap(), "x");
        let message = serde_json::to_value(error.to_message()).unwrap();
        assert_eq!(message.get("scimType"), None);
        assert_eq!(message["status"], json!(status.to_string()));
    }
}

/// R-7644-3.12-07
#[test]
fn who_has_no_credentials_is_told_how_to_get_in() {
    let response = unauthorized("Bearer realm=\"scim\"");
    assert_eq!(
        (response.status().as_u16(), response.headers()["www-authenticate"].as_bytes()),
        (401, &b"Bearer realm=\"scim\""[..])
    );
    assert_eq!(serde_json::from_slice::<Value>(response.body()).unwrap()["status"], "401");
}

/// R-7644-3.12-15 R-7644-3.12-16 R-7644-3.12-17 R-7644-3.12-18 R-7644-3.12-19 R-7644-3.12-20 R-7644-3.12-21 R-7644-3.12-22 R-7644-3.12-24 A-27
#[test]
fn each_keyword_has_its_status() {
    for (keyword, status) in [
        (ScimType::InvalidFilter, 400),
        (ScimType::TooMany, 400),
        (ScimType::Uniqueness, 409),
        (ScimType::Mutability, 400),
        (ScimType::InvalidSyntax, 400),
        (ScimType::InvalidPath, 400),
        (ScimType::NoTarget, 400),
        (ScimType::InvalidValue, 400),
        (ScimType::InvalidVers, 400),
        (ScimType::Sensitive, 403),
    ] {
        let error = Error::bad_request(keyword, "x");
        assert_eq!((error.status().as_u16(), error.scim_type()), (status, Some(keyword)), "{keyword}");
        assert_eq!(serde_json::to_value(error.to_message()).unwrap()["scimType"], keyword.as_str());
    }
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

/// R-7644-3.12-09
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
        json!({"password": [secret]}),
        json!({"x509Certificates": [{"value": format!("{secret}!")}]}),
    ] {
        let refused = scim.post("/Users", user(body)).refused(400, "invalidValue");
        assert!(!refused.body.to_string().contains(secret), "{}", refused.body);
    }
}
