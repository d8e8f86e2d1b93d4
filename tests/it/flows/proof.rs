//! The runner is itself tested: it passes a server that answers well, and fails one that answers wrongly.

use std::sync::Mutex;

use http::{Request, Response};
use serde_json::{Value, json};

use super::fixture::Flow;
use super::run::{FlowReport, Outcome, run};
use crate::server::{Fake, Mount};

const MOUNT: Mount = Mount { base: "https://scim.example.com/v2", token: "secret" };

/// A flow that uses each part of the format.
fn flow() -> Flow {
    let flow = json!({
        "flow": "proof", "idp": "none", "description": "one of everything",
        "headers": {"Content-Type": "application/json", "X-Client": "flow"},
        "vars": {"login": "ada.{{run}}@example.com"},
        "steps": [
            {"name": "create", "class": "core", "source": "", "method": "POST", "path": "/Users", "setup": true,
             "body": {"userName": "{{login}}"},
             "expect": {"status": 201, "header_contains": {"Location": "*", "content-type": ["xml", "SCIM+json"]}},
             "capture": {"id": "$.id", "where": "header:Location"}, "capture_optional": {"nothing": "$.nothing"}},
            {"name": "stands in for create", "class": "core", "source": "", "method": "POST", "path": "/Users",
             "only_if_missing": "id", "expect": {"status": 201}},
            {"name": "read", "class": "core", "source": "", "method": "GET", "path": "/Users/{{id}}",
             "query": {"filter": "a b"}, "query_space": "+", "headers": {"x-client": null, "X-Own": "{{id|upper}}"},
             "expect": {"status": [200, 304], "body_contains": {"userName": "{{login}}"}, "body_absent": ["$.title"],
                        "body_if": {"200": {"id": {"$type": "string"}}}, "no_null_values": true}},
            {"name": "delete", "class": "idp", "source": "", "method": "DELETE", "path": "/Users/{{id}}",
             "expect": {"status": 204, "body_empty": true},
             "follow_up": {"method": "GET", "path": "/Users/{{id}}", "expect": {"status": 404}}},
            {"name": "wrong token", "class": "quirk", "source": "", "method": "GET", "path": "/Users", "auth": "invalid",
             "requires_auth": true, "expect": {"status": 401}},
        ],
    });
    serde_json::from_value(flow).unwrap()
}

/// What the good server answers to a request, by its number. A wrong server changes some of it.
fn good(number: usize, request: &Request<Vec<u8>>) -> (u16, Value) {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = if number == 4 { "Bearer not-the-token" } else { "Bearer secret" };
    assert_eq!(header("authorization").as_deref(), Some(authorization), "request {number}");
    let has_body = number == 0;
    assert_eq!(header("content-type").is_some(), has_body, "only a request with a body has a content type: {number}");
    let line = format!("{} {}", request.method(), request.uri());
    match number {
        0 => {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            assert!(body["userName"].as_str().unwrap().starts_with("ada."), "{body}");
            assert_eq!((line.as_str(), header("x-client").as_deref()), ("POST /v2/Users", Some("flow")));
            (201, json!({"id": "u1", "userName": body["userName"]}))
        }
        1 => {
            assert_eq!(line, "GET /v2/Users/u1?filter=a+b");
            assert_eq!((header("x-client"), header("x-own").as_deref()), (None, Some("U1")));
            (200, json!({"id": "u1"}))
        }
        2 => (204, Value::Null),
        3 => (404, json!({"status": "404"})),
        4 => (401, json!({"status": "401"})),
        _ => panic!("the flow has no request {number}: {line}"),
    }
}

/// Runs the flow against the good server with a change made to some answers.
async fn run_with(change: impl Fn(usize, &mut u16, &mut Value) + Sync) -> FlowReport {
    let seen = Mutex::new((0, Value::Null));
    let server = Fake(|request: Request<Vec<u8>>| {
        let mut seen = seen.lock().unwrap();
        let (mut status, mut body) = good(seen.0, &request);
        match seen.0 {
            0 => seen.1 = body["userName"].clone(),
            1 => body["userName"] = seen.1.clone(),
            _ => {}
        }
        change(seen.0, &mut status, &mut body);
        seen.0 += 1;
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let builder = Response::builder().status(status).header("content-type", "application/scim+json");
        builder.header("location", "https://scim.example.com/v2/Users/u1").body(body).unwrap()
    });
    run(&flow(), &server, MOUNT).await
}

#[tokio::test]
async fn a_good_server_passes() {
    let report = run_with(|_, _, _| {}).await;
    report.assert_passed(3);
    assert_eq!(report.steps.len(), 4, "the step that stands in is skipped");
}

#[tokio::test]
async fn each_wrong_answer_fails_its_step() {
    type Change = fn(&mut u16, &mut Value);
    let wrong: [(usize, Change, &str, &str); 9] = [
        (0, |status, _| *status = 200, "create", "status 200, expected [201]"),
        (1, |status, _| *status = 500, "read", "status 500, expected [200, 304]"),
        (1, |_, body| body["userName"] = json!("eve"), "read", "got \"eve\""),
        (1, |_, body| body["id"] = json!(1), "read", "$.id: expected $type \"string\", got 1"),
        (1, |_, body| body["title"] = json!("x"), "read", "$.title must be absent, got \"x\""),
        (1, |_, body| body["emails"] = json!([{"a": null}]), "read", "a null at .emails[0].a"),
        (1, |_, body| *body = Value::Null, "read", "an empty body with status 200"),
        (2, |_, body| *body = json!({}), "delete", "the body should be empty"),
        (3, |status, _| *status = 200, "delete", "follow-up GET /Users/u1: status 200"),
    ];
    for (request, change, step, expected) in wrong {
        let report = run_with(|number, status, body| {
            if number == request {
                change(status, body);
            }
        })
        .await;
        let Outcome::Failed(why) = report.outcome_of(step) else {
            panic!("request {request} was answered wrongly and step {step} passed: {report}");
        };
        assert!(why.iter().any(|line| line.contains(expected)), "expected {expected:?}, got {why:?}");
        assert!(report.to_string().contains(expected), "{report}");
    }
}

#[tokio::test]
async fn a_missing_capture_fails_its_step_and_blocks_later_ones() {
    let report = run_with(|number, _, body| {
        if number == 0 {
            body.as_object_mut().unwrap().remove("id");
        }
    })
    .await;
    assert_eq!(*report.outcome_of("create"), Outcome::Failed(vec!["cannot capture id from $.id".into()]));
    assert_eq!(*report.outcome_of("read"), Outcome::Blocked("no value for {{id}}".into()), "{report}");
}

#[tokio::test]
async fn a_missing_header_and_a_panicking_server_are_seen() {
    let bare = Fake(|_| Response::builder().status(201).body(b"{\"id\": \"u1\"}".to_vec()).unwrap());
    let report = run(&flow(), &bare, MOUNT).await;
    assert!(report.to_string().contains("header Location is missing"), "{report}");

    let panicking = Fake(|_| panic!("deliberate"));
    let report = run(&flow(), &panicking, MOUNT).await;
    assert!(report.to_string().contains("the server panicked: deliberate"), "{report}");
    assert_eq!(report.tally().0, 0);
}

#[test]
fn an_unknown_key_in_a_fixture_is_seen() {
    let step = json!({"name": "n", "class": "core", "method": "GET", "path": "/", "expects": {"status": 200}});
    let flow = json!({"flow": "f", "idp": "i", "description": "d", "steps": [step]});
    let error = serde_json::from_value::<Flow>(flow).unwrap_err().to_string();
    assert!(error.contains("expects"), "{error}");
}
