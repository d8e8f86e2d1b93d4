//! Media types and encodings (RFC 7644 §3.1, §3.8, §8.1).

use serde_json::json;

use crate::scim::{Scim, user};

/// R-7644-3.8-06 R-7644-3.8-07 R-7644-3.8-08 R-7644-3.1-01 R-7644-8.1-01 R-7644-3.8-05
#[test]
fn an_answer_is_scim_json_unless_only_json_will_do() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    assert_eq!(scim.get(&path).header("content-type"), "application/scim+json");
    for (accept, expected) in [
        ("application/scim+json", "application/scim+json"),
        ("*/*", "application/scim+json"),
        ("application/*", "application/scim+json"),
        ("Application/SCIM+JSON; charset=utf-8", "application/scim+json"),
        ("application/json", "application/json"),
        ("application/json, text/plain", "application/json"),
        ("application/json, application/scim+json", "application/scim+json"),
        ("text/html, application/json;q=0.9", "application/json"),
        ("application/scim+json;q=0, application/json", "application/json"),
        ("", "application/scim+json"),
    ] {
        let answer = scim.send("GET", &path, &[("accept", accept)], "").is(200);
        assert_eq!(answer.header("content-type"), expected, "{accept}");
    }
}

/// What the most exact range says of a media type counts (RFC 9110 §12.5.1), and errors are negotiated like all else.
#[test]
fn the_media_type_is_the_one_that_the_client_prefers() {
    const SCIM: &str = "application/scim+json";
    const JSON: &str = "application/json";
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for (accept, expected) in [
        ("application/json;q=0.9, application/scim+json;q=0.1", JSON),
        ("application/json;q=0.1, application/scim+json;q=0.9", SCIM),
        ("application/scim+json;q=0, */*", JSON),
        ("*/*, application/scim+json;q=0.000", JSON),
        ("application/json;q=0, */*;q=0.1", SCIM),
        ("application/json, */*;q=0.1", JSON),
        ("application/json, text/plain, */*", SCIM),
        ("application/json, application/*;q=0.8", JSON),
        ("application/*;q=0.2, */*;q=0.9, application/json;q=0.3", JSON),
        ("application/json ; Q=0.5 , application/scim+json ; q=0.501", SCIM),
        ("application/json;q=x, application/scim+json;q=0.9", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", SCIM),
    ] {
        let accepts = [("accept", accept), ("content-type", JSON)];
        for (method, target, status) in
            [("GET", path.as_str(), 200), ("GET", "/Users/none", 404), ("PUT", "/Users", 405), ("POST", "/Users", 400)]
        {
            let answer = scim.send(method, target, &accepts, "{").is(status);
            assert_eq!(answer.header("content-type"), expected, "{accept} {target}");
            assert_eq!(answer.header("vary"), "accept");
        }
    }
    for accept in ["application/json;q=0, application/*;q=0", "*/*;q=0", "text/html, */*;q=0.0"] {
        scim.send("GET", &path, &[("accept", accept)], "").refused(406, "");
    }
    // two lines are one list
    let two = [("accept", "application/scim+json;q=0.5"), ("accept", "application/json")];
    assert_eq!(scim.send("GET", &path, &two, "").is(200).header("content-type"), JSON);
}

/// R-7644-3.8-10 R-7644-3.12-26 R-7644-3.12-27
#[test]
fn an_answer_that_is_not_accepted_is_refused() {
    let scim = Scim::new();
    for accept in ["text/html", "application/xml, text/*", "application/scim+json;q=0"] {
        scim.send("GET", "/Users", &[("accept", accept)], "").refused(406, "");
    }
}

/// R-7644-3.8-09 R-7644-3.8-01
#[test]
fn a_body_is_json_by_either_name() {
    let scim = Scim::new();
    for (n, kind) in [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "Application/JSON;Charset=\"UTF-8\"",
        "application/scim+json ;x=y",
    ]
    .iter()
    .enumerate()
    {
        let body = user(json!({"userName": format!("u{n}")})).to_string();
        scim.send("POST", "/Users", &[("content-type", kind)], body).is(201);
    }
}

/// R-7644-3.8-10 R-7644-3.8-03
#[test]
fn a_body_of_another_type_is_refused() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for kind in [
        "text/plain",
        "application/xml",
        "application/json+scim",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        for (method, target) in
            [("POST", "/Users"), ("PUT", path.as_str()), ("PATCH", path.as_str()), ("POST", "/Users/.search")]
        {
            scim.send(method, target, &[("content-type", kind)], "{}").refused(415, "");
        }
    }
    let zipped = [("content-type", "application/json"), ("content-encoding", "gzip")];
    scim.send("POST", "/Users", &zipped, "x").refused(415, "");
}

/// R-7644-3.8-09
#[test]
fn a_request_without_a_body_needs_no_media_type() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    scim.send("GET", &path, &[("content-type", "text/plain")], "").is(200);
    scim.send("DELETE", &path, &[("content-type", "text/plain")], "").is(204);
}

/// R-7644-3.8-02 R-7644-3.8-01 R-7643-2.3.1-01
#[test]
fn text_is_utf_8_there_and_back() {
    let scim = Scim::new();
    let created = scim.post("/Users", user(json!({"displayName": "Žofie 張 😀", "title": "a\u{2028}b"}))).is(201);
    let text = String::from_utf8(created.text).unwrap();
    assert!(text.contains("Žofie 張 😀"), "{text}");
}

/// R-7644-3.8-11
#[test]
fn what_is_no_utf_8_is_refused() {
    let scim = Scim::new();
    let headers = [("content-type", "application/scim+json")];
    let mut body = user(json!({"displayName": "?"})).to_string().into_bytes();
    let at = body.iter().position(|byte| *byte == b'?').unwrap();
    body[at] = 0xff;
    scim.send("POST", "/Users", &headers, body).refused(400, "invalidSyntax");
    let path = scim.user(json!({}));
    let patch =
        json!({"schemas": [crate::scim::PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "?"}]});
    let mut patch = patch.to_string().into_bytes();
    let at = patch.iter().position(|byte| *byte == b'?').unwrap();
    patch[at] = 0xfe;
    scim.send("PATCH", &path, &headers, patch).refused(400, "invalidSyntax");
}

/// R-7644-3.8-12
#[test]
fn an_answer_never_holds_null() {
    let scim = Scim::new();
    let path = scim.user(json!({"title": null, "name": {"givenName": "A", "familyName": null}}));
    for target in [&path, "/Users", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        let text = String::from_utf8(scim.get(target).is(200).text).unwrap();
        assert!(!text.contains(":null"), "{text}");
    }
}
