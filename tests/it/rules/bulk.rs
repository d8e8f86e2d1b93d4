//! Bulk requests (RFC 7644 §3.7, §3.7.4): the message, its limits, and what an operation may be.

use scim_provider::Limits;
use serde_json::{Value, json};

use crate::scim::{BULK, GROUP, PATCH_OP, Scim, user};

fn create(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(json!({"userName": name}))})
}

/// R-7644-3.7-01 R-7643-5-06 R-7643-5-16
#[test]
fn support_is_advertised_and_can_be_switched_off() {
    Scim::new().get("/ServiceProviderConfig").has(json!({"bulk": {"supported": true}}));
    let scim = Scim::with(|builder| builder.without_bulk());
    let config = scim.get("/ServiceProviderConfig").has(json!({"bulk": {"supported": false}}));
    assert!(config.at("/bulk/maxOperations").is_u64());
    scim.bulk(json!([create("a", "ada")])).refused(501, "");
    scim.get("/Users").has(json!({"totalResults": 0}));
}

/// R-7644-3.7-02 R-7644-3.7-05 R-7644-3.7-23 R-7644-8.2-01
#[test]
fn a_message_that_is_wrong_is_refused_as_a_whole() {
    let scim = Scim::strict();
    let operations = json!([create("a", "ada")]);
    for body in [
        json!({"Operations": operations}),
        json!({"schemas": [PATCH_OP], "Operations": operations}),
        json!({"schemas": [BULK]}),
        json!({"schemas": [BULK], "Operations": null}),
        json!({"schemas": [BULK], "Operations": {"0": create("a", "ada")}}),
        json!({"schemas": [BULK], "Operations": operations, "operations": operations}),
        json!([BULK]),
    ] {
        scim.post("/Bulk", body).refused(400, "invalidSyntax");
    }
    for count in [json!(0), json!(-1), json!(1.5), json!("1"), json!([])] {
        let body = json!({"schemas": [BULK], "failOnErrors": count, "Operations": operations});
        scim.post("/Bulk", body).refused(400, "invalidValue");
    }
    scim.get("/Users").has(json!({"totalResults": 0}));
    let many = json!({"schemas": [BULK.to_uppercase()], "FailOnErrors": 9_223_372_036_854_775_808_u64, "operations": operations});
    assert_eq!(scim.post("/Bulk", many).is(200).statuses(), ["201"]);
    assert_eq!(scim.bulk(json!([])).is(200).statuses(), [""; 0]);
}

/// R-7644-3.7-06 R-7644-3.7-11 R-7644-3.7-30 A-39 R-7644-3.7-10
#[test]
fn an_operation_goes_to_a_type_or_to_a_resource() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let data = user(json!({"userName": "bob"}));
    for (method, target, status) in [
        ("GET", path.as_str(), "400"),
        ("get", path.as_str(), "400"),
        ("post", "/Users", "400"),
        ("TRACE", "/Users", "400"),
        ("POST", path.as_str(), "400"),
        ("PUT", "/Users", "400"),
        ("DELETE", "/Users", "400"),
        ("POST", "/Bulk", "400"),
        ("POST", "/.search", "400"),
        ("POST", "/Users/.search", "400"),
        ("POST", "/ServiceProviderConfig", "400"),
        ("DELETE", "/Schemas/x", "400"),
        ("POST", "/Nowhere", "404"),
        ("POST", "//Users", "404"),
        ("POST", "https://other.example.com/Users", "404"),
        ("PUT", "/Users/a/b", "404"),
        ("DELETE", "/Users?filter=a", "404"),
    ] {
        let operation = json!({"method": method, "path": target, "bulkId": "b", "data": data});
        let answer = scim.bulk(json!([operation])).is(200);
        assert_eq!(answer.statuses(), [status], "{method} {target}: {}", answer.body);
        answer.lacks(&["/Operations/0/version"]);
    }
    scim.get("/Users").has(json!({"totalResults": 1}));
}

/// R-7644-3.7-07 R-7644-3.7-10 R-7644-3.7-12 A-38
#[test]
fn an_operation_has_what_it_needs() {
    let scim = Scim::strict();
    let path = scim.user(json!({}));
    let data = user(json!({"userName": "bob"}));
    let patch = json!([{"op": "replace", "path": "title", "value": "x"}]);
    for (operation, keyword) in [
        (json!({"method": "POST", "path": "/Users", "data": data}), "invalidSyntax"),
        (json!({"method": "POST", "bulkId": "b", "data": data}), "invalidSyntax"),
        (json!({"path": "/Users", "bulkId": "b", "data": data}), "invalidSyntax"),
        (json!({"method": "POST", "path": "/Users", "bulkId": "b"}), "invalidSyntax"),
        (json!({"method": "PUT", "path": path, "data": null}), "invalidSyntax"),
        (json!({"method": "POST", "path": "/Users", "bulkId": "b", "data": "y"}), "invalidSyntax"),
        (json!({"method": 1, "path": "/Users", "bulkId": "b", "data": data}), "invalidSyntax"),
        (json!({"method": "POST", "path": "/Users", "bulkId": 7, "data": data}), "invalidSyntax"),
        (json!({"method": "POST", "path": "/Users", "bulkId": "", "data": data}), "invalidValue"),
        (json!({"method": "POST", "path": "/Users", "bulkId": "b".repeat(257), "data": data}), "invalidValue"),
        (json!({"method": "PATCH", "path": path, "data": {"Operations": patch}}), "invalidSyntax"),
        (json!({"method": "PATCH", "path": path, "data": patch}), "invalidSyntax"),
        (json!({"method": "DELETE", "path": path, "Path": path}), "invalidSyntax"),
        (json!({"method": "DELETE", "path": path, "version": "W/\"1"}), "invalidValue"),
        (json!(null), "invalidSyntax"),
        (json!("x"), "invalidSyntax"),
    ] {
        let answer = scim.bulk(json!([operation])).is(200);
        assert_eq!(answer.statuses(), ["400"], "{operation}");
        assert_eq!(answer.at("/Operations/0/response/scimType"), json!(keyword), "{operation} {}", answer.body);
    }
    scim.get("/Users").has(json!({"totalResults": 1}));
}

/// R-7644-3.7-08
///
#[test]
fn a_bulk_id_stands_for_one_operation() {
    let scim = Scim::new();
    scim.bulk(json!([create("a", "ada"), create("b", "bob"), create("a", "cyd")])).refused(400, "invalidValue");
    scim.get("/Users").has(json!({"totalResults": 0}));
    assert_eq!(scim.bulk(json!([create("a", "ada"), create("A", "bob")])).statuses(), ["201", "201"]);
}

/// R-7644-3.7.4-01 R-7644-3.7.4-03 R-7644-3.7.4-04 R-7644-3.7.4-05 R-7644-3.7.4-06 R-7643-5-16
#[test]
fn beyond_a_limit_nothing_is_done() {
    let scim = Scim::limited(|limits| {
        limits.bulk_operations = 2;
        limits.bulk_bytes = 600;
    });
    let answer = scim.bulk(json!([create("a", "ada"), create("b", "bob"), create("c", "cyd")])).refused(413, "");
    assert!(answer.at("/detail").as_str().unwrap().contains("maxOperations (2)"), "{}", answer.body);
    let answer = scim.bulk(json!([create("a", &"a".repeat(600))])).refused(413, "");
    assert!(answer.at("/detail").as_str().unwrap().contains("maxPayloadSize (600)"), "{}", answer.body);
    // the payload counts as it came, be it JSON or not
    scim.send("POST", "/Bulk", &[("content-type", "application/scim+json")], " ".repeat(601)).refused(413, "");
    scim.get("/Users").has(json!({"totalResults": 0}));
    assert_eq!(scim.bulk(json!([create("a", "ada"), create("b", "bob")])).is(200).statuses(), ["201", "201"]);
}

/// R-7644-3.7.4-03 R-7644-3.7.4-04
#[test]
fn what_a_host_has_to_read_is_enough_to_name_the_limit() {
    for (body_bytes, bulk_bytes) in [(300, 700), (700, 300), (300, 300)] {
        let mut limits = Limits::default();
        (limits.body_bytes, limits.bulk_bytes) = (body_bytes, bulk_bytes);
        let scim = Scim::with(|builder| builder.limits(limits.clone()));
        let cut = " ".repeat(limits.request_bytes());
        let json = [("content-type", "application/json")];
        for (target, limit) in
            [("/Bulk", format!("maxPayloadSize ({bulk_bytes})")), ("/Users", format!("{body_bytes} bytes"))]
        {
            let answer = scim.send("POST", target, &json, cut.clone()).refused(413, "");
            assert!(answer.at("/detail").as_str().unwrap().contains(&limit), "{}", answer.body);
        }
    }
}

/// R-7644-3.7.4-01
#[test]
fn an_operation_has_the_limits_of_a_request_of_its_own() {
    let scim = Scim::limited(|limits| {
        limits.body_bytes = 200;
        limits.patch_operations = 1;
        limits.values = 2;
    });
    let path = scim.user(json!({}));
    let title = json!({"op": "replace", "path": "title", "value": "x"});
    let emails = json!([{"value": "a"}, {"value": "b"}, {"value": "c"}]);
    let answer = scim.bulk(json!([
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": user(json!({"userName": "b".repeat(200)}))},
        {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": [title, title]}},
        {"method": "POST", "path": "/Users", "bulkId": "c", "data": user(json!({"userName": "c", "emails": emails}))},
        create("d", "dan"),
    ]));
    assert_eq!(answer.is(200).statuses(), ["413", "413", "400", "201"]);
}

/// R-7644-3.7-31
#[test]
fn operations_reach_their_tenant_only() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let answer = scim.tenant("b").bulk(json!([
        {"method": "DELETE", "path": path},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": "g"}},
    ]));
    assert_eq!(answer.is(200).statuses(), ["404", "201"]);
    scim.get(&path).is(200);
    scim.get("/Groups").has(json!({"totalResults": 0}));
}

/// R-7644-3.7-04
/// R-7644-3.2-08
#[test]
fn a_bulk_request_is_a_post() {
    let scim = Scim::new();
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let answer = scim.send(method, "/Bulk", &[("content-type", "application/json")], "{}").refused(405, "");
        assert_eq!(answer.header("allow"), "POST");
    }
    let body = json!({"schemas": [BULK], "failOnErrors": 3, "Operations": [create("a", "ada")]});
    scim.post("/Bulk", body).is(200).lacks(&["/failOnErrors"]);
    scim.send("POST", "/Bulk", &[("content-type", "text/plain")], "{}").refused(415, "");
}
