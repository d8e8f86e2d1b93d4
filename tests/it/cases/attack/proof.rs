//! The runner is itself tested: with a server that refuses well, and with servers that panic, leak, fail, and so on.

use std::sync::Mutex;
use std::time::Duration;

use http::{Request, Response};
use serde_json::{Value, json};

use super::item::Item;
use super::verdict::{Report, Verdict};
use super::{items, run};
use crate::server::{Fake, Mount};

const MOUNT: Mount = Mount { base: "https://scim.example.com/v2", token: "secret" };

/// Answers the attack on `PATCH /Users/1`; everything around it works.
async fn run_with(answer: impl Fn() -> (u16, Value) + Sync) -> Report {
    let items: Vec<Item> = vec![
        serde_json::from_value(json!({
            "id": "PTH-1", "name": "a bad path", "layer": "path", "input": {"nest": {"open": "(", "inner": "", "close": ")", "times": 3}},
            "expect": {"status": [400], "scimType": ["invalidPath"], "max_ms": 200, "assert": [{"unchanged": 1}]}, "why": "",
        }))
        .unwrap(),
    ];
    let title = Mutex::new("before".to_owned());
    let server = Fake(|request: Request<Vec<u8>>| {
        let (status, body) = match (request.method().as_str(), request.uri().path()) {
            ("GET", "/v2/ServiceProviderConfig") => (200, json!({"bulk": {"supported": false}})),
            ("POST", _) => (201, json!({"id": "1"})),
            ("GET", _) => (200, json!({"id": "1", "title": *title.lock().unwrap(), "meta": {"version": "1"}})),
            ("PATCH", path) => {
                let sent: Value = serde_json::from_slice(request.body()).unwrap();
                assert_eq!((path, sent["Operations"][0]["path"].as_str()), ("/v2/Users/1", Some("((()))")));
                let (status, mut body) = answer();
                if let Some(changed) = body.as_object_mut().and_then(|body| body.remove("changes")) {
                    *title.lock().unwrap() = changed.to_string();
                }
                (status, body)
            }
            _ => (204, Value::Null),
        };
        Response::builder().status(status).body(body.to_string().into_bytes()).unwrap()
    });
    run(&items, &server, MOUNT).await
}

fn refusal(scim_type: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "scimType": scim_type})
}

#[tokio::test]
async fn a_good_refusal_is_fine() {
    run_with(|| (400, refusal("invalidPath"))).await.assert_clean(1, 0);
}

#[tokio::test]
async fn each_bad_answer_has_its_verdict() {
    type Answer = fn() -> (u16, Value);
    let answers: [(Verdict, Answer); 9] = [
        (Verdict::Panic, || panic!("deliberate")),
        (Verdict::ServerError, || (500, refusal("invalidPath"))),
        (Verdict::Leak, || (400, json!("thread 'main' panicked at src/x.rs:1"))),
        (Verdict::Effect, || {
            let mut body = refusal("invalidPath");
            body["changes"] = json!("after");
            (400, body)
        }),
        (Verdict::Slow, || {
            std::thread::sleep(Duration::from_millis(900));
            (400, refusal("invalidPath"))
        }),
        (Verdict::Lenient, || (200, json!({}))),
        (Verdict::NotScim, || (400, json!("bad path"))),
        (Verdict::WrongRefusal, || (400, refusal("invalidFilter"))),
        (Verdict::WrongRefusal, || (403, refusal("invalidPath"))),
    ];
    for (verdict, answer) in answers {
        let report = run_with(answer).await;
        assert_eq!(report.count(verdict), 1, "expected {verdict:?}, got {report}");
        let refused = std::panic::catch_unwind(|| report.assert_clean(1, 0));
        assert!(refused.is_err(), "{verdict:?} must not be clean");
    }
}

/// Against a server that refuses everything, each item of the file can be built, sent and judged.
#[tokio::test]
async fn each_item_of_the_file_is_fired() {
    let server = Fake(|request: Request<Vec<u8>>| {
        let prepares =
            String::from_utf8_lossy(request.body()).contains("SENTINEL-pw-7f3") || request.uri().path() == "/v2/Groups";
        let (status, body) = match request.uri().path() {
            "/v2/ServiceProviderConfig" => (200, json!({"bulk": {"supported": true}, "etag": {"supported": true}})),
            _ if prepares => (201, json!({"id": "1"})),
            _ => (400, refusal("invalidValue")),
        };
        Response::builder().status(status).body(body.to_string().into_bytes()).unwrap()
    });
    let items = items();
    let report = run(&items, &server, MOUNT).await;
    assert_eq!(report.findings.len(), super::CASES);
    assert_eq!(report.count(Verdict::Skipped), super::ON_THE_WIRE, "{report}");
    assert_eq!(report.count(Verdict::Panic), 0, "{report}");
}
