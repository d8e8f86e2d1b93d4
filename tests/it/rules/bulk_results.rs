//! What came of the operations of a bulk request (RFC 7644 §3.7.3), and when it stops.

use serde_json::{Value, json};

use crate::scim::{BASE, BULK, GROUP, PATCH_OP, Scim, user};

fn create(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(json!({"userName": name}))})
}

fn retitle(path: &str, title: &str) -> Value {
    let operations = json!([{"op": "replace", "path": "title", "value": title}]);
    json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": operations}})
}

/// R-7644-3.7-09 R-7644-3.7-13 R-7644-3.7-15 R-7644-3.7-17 R-7644-3.7-25 R-7644-3.7-28 R-7644-3.7-29
/// R-7644-3.7.3-01 R-7644-3.7.3-02 R-7644-3.7.3-03 R-7644-3.7.3-05 R-7644-3.7.3-06 A-37 E-7644-05
/// R-7644-8.2-01 R-7644-3.1-04 R-7644-3.7-02 R-7644-3.7-06 R-7644-3.7-10
#[test]
fn each_operation_has_the_result_of_a_request_of_its_own() {
    let scim = Scim::new();
    let [put, patch, delete] = ["put", "patch", "delete"].map(|name| scim.user(json!({"userName": name})));
    let tag = scim.get(&put).header("etag").to_owned();
    let answer = scim.bulk(json!([
        create("qwerty", "Alice"),
        {"method": "PUT", "path": put, "version": tag, "bulkId": "echo", "data": user(json!({"userName": "Bob"}))},
        retitle(&patch, "Guide"),
        {"method": "DELETE", "path": delete},
    ]));
    let answer = answer.is(200).has(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]}));
    assert_eq!(answer.statuses(), ["201", "200", "200", "204"]);
    let created = answer.path_of(0);
    for (at, (method, path)) in [("POST", &created), ("PUT", &put), ("PATCH", &patch)].into_iter().enumerate() {
        let result = answer.at(&format!("/Operations/{at}"));
        assert_eq!((&result["method"], &result["location"]), (&json!(method), &json!(format!("{BASE}{path}"))));
        assert_eq!(result["version"], json!(scim.get(path).is(200).header("etag")), "{result}");
        assert_eq!(result.get("response"), None);
    }
    assert_eq!(
        (answer.at("/Operations/0/bulkId"), answer.at("/Operations/1/bulkId")),
        (json!("qwerty"), json!("echo"))
    );
    let removed = json!({"method": "DELETE", "location": format!("{BASE}{delete}"), "status": "204"});
    assert_eq!(answer.at("/Operations/3"), removed);
    scim.get(&put).has(json!({"userName": "Bob"}));
    scim.get(&patch).has(json!({"title": "Guide"}));
    scim.get(&delete).is(404);
}

/// R-7644-3.7-14 R-7644-3.7-16 R-7644-3.7-18 R-7644-3.7-19 R-7644-3.7.3-04 R-7644-3.12-25 A-23 A-39
/// R-7644-3.7-03 R-7644-3.7-09 A-24
#[test]
fn an_error_stops_nothing_else() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let stale = json!({"method": "PUT", "path": path, "version": "W/\"old\"", "data": user(json!({}))});
    let answer = scim.bulk(json!([
        create("a", "ADA"), stale, {"method": "DELETE", "path": "/Users/nobody"}, retitle(&path, "x"), create("b", "bob"),
    ]));
    let answer = answer.is(200);
    assert_eq!(answer.statuses(), ["409", "412", "404", "200", "201"]);
    let locations = ["/Users/x", path.as_str(), "/Users/nobody"];
    for (at, (status, location)) in
        [("409", None), ("412", Some(locations[1])), ("404", Some(locations[2]))].into_iter().enumerate()
    {
        let result = answer.at(&format!("/Operations/{at}"));
        assert_eq!(result["response"]["schemas"], json!([crate::scim::ERROR]));
        assert_eq!(result["response"]["status"], json!(status));
        assert!(result["response"]["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert_eq!(result.get("location").cloned(), location.map(|path| json!(format!("{BASE}{path}"))));
        assert_eq!(result.get("version"), None);
    }
    assert_eq!(answer.at("/Operations/0/response/scimType"), json!("uniqueness"));
}

/// R-7644-3.7-03 R-7644-3.7-20 R-7644-3.7-21 R-7644-3.7-22
///
#[test]
fn after_so_many_errors_the_rest_is_left() {
    for (count, expected) in
        [(1, &["201", "409"][..]), (2, &["201", "409", "201", "409"]), (3, &["201", "409", "201", "409", "201"])]
    {
        let scim = Scim::new();
        let operations =
            json!([create("a", "a"), create("b", "a"), create("c", "c"), create("d", "c"), create("e", "e")]);
        let answer = scim.post("/Bulk", json!({"schemas": [BULK], "failOnErrors": count, "Operations": operations}));
        assert_eq!(answer.is(200).statuses(), expected);
        let kept = expected.iter().filter(|status| **status == "201").count();
        scim.get("/Users").has(json!({"totalResults": kept}));
    }
}

/// R-7644-3.7-26 R-7644-3.7-27
#[test]
fn operations_on_one_resource_keep_their_order() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let group = scim.group("g", &[]);
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "bulkId:late"}]}]);
    let answer = scim.bulk(json!([
        {"method": "PATCH", "path": group, "data": {"schemas": [PATCH_OP], "Operations": add}},
        {"method": "DELETE", "path": group},
        retitle(&path, "first"),
        retitle(&path, "second"),
        {"method": "DELETE", "path": path},
        create("late", "ada"),
        retitle(&path, "third"),
    ]));
    assert_eq!(answer.statuses(), ["204", "204", "200", "200", "204", "201", "404"]);
    scim.get("/Users").has(json!({"totalResults": 1}));
}

/// R-7644-3.7-27
#[test]
fn what_is_referred_to_ahead_comes_early_where_that_changes_nothing_else() {
    let scim = Scim::new();
    let (path, group) = (scim.user(json!({})), scim.group("crew", &[]));
    let rename = json!([
        {"op": "replace", "path": "displayName", "value": "old crew"},
        {"op": "add", "path": "members", "value": [{"value": "bulkId:new"}]},
    ]);
    let renamed = json!({"method": "PATCH", "path": group, "data": {"schemas": [PATCH_OP], "Operations": rename}});
    let data = json!({"schemas": [GROUP], "displayName": "crew"});
    let crew = json!({"method": "POST", "path": "/Groups", "bulkId": "g", "data": data});
    // the second group has the name that the first gives up
    let answer = scim.bulk(json!([renamed, crew, create("new", "bob")]));
    assert_eq!(answer.statuses(), ["204", "201", "201"], "{}", answer.body);
    // the new user has the name that the old one gives up
    let answer = scim.bulk(json!([renamed, {"method": "DELETE", "path": path}, create("new", "ada")]));
    assert_eq!(answer.statuses(), ["204", "204", "201"], "{}", answer.body);
}

/// R-7644-3.7-13 R-7644-3.7.3-02 R-7644-3.7-12 R-7644-3.7-09 R-7644-3.7-11
#[test]
fn what_fails_says_where_it_went_unless_it_was_to_create() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let group = scim.group("g", &[]);
    let (path, data) = (path.as_str(), user(json!({})));
    let nobody = json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "manager", "value": "bulkId:x"}]});
    let title = json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "x"}]});
    let location = |path: &str| Some(format!("{BASE}{path}"));
    for (operation, expected) in [
        // wrong by itself
        (json!({"method": "PUT", "path": path}), location(path)),
        (json!({"method": "PUT", "path": path, "data": null}), location(path)),
        (json!({"method": "PUT", "path": path, "data": "x"}), location(path)),
        (json!({"method": "PUT", "path": path, "data": data, "bulkId": 7}), location(path)),
        (json!({"method": "PUT", "path": path, "data": data, "bulkId": "b".repeat(257)}), location(path)),
        (json!({"method": "PUT", "path": path, "data": data, "version": 7}), location(path)),
        (json!({"method": "PUT", "path": path, "data": data, "version": "W/\"7"}), location(path)),
        (json!({"method": "PUT", "path": path, "data": data, "Data": data}), location(path)),
        (json!({"method": "PATCH", "path": path}), location(path)),
        (json!({"method": "PATCH", "path": path, "data": []}), location(path)),
        (json!({"method": "PATCH", "path": path, "data": nobody}), location(path)),
        (json!({"method": "DELETE", "path": path, "version": []}), location(path)),
        (json!({"method": "DELETE", "path": path, "version": ""}), location(path)),
        (json!({"method": "DELETE", "path": path, "bulkId": ""}), location(path)),
        (json!({"method": "GET", "path": path}), location(path)),
        (json!({"method": "delete", "path": format!("/scim/v2{path}")}), location(path)),
        (json!({"path": path, "data": data}), location(path)),
        // it met a resource that does not let it
        (json!({"method": "PUT", "path": path, "data": data, "version": "W/\"old\""}), location(path)),
        (json!({"method": "PATCH", "path": path, "data": title, "version": "W/\"old\""}), location(path)),
        (json!({"method": "DELETE", "path": path, "version": "W/\"old\""}), location(path)),
        (json!({"method": "PATCH", "path": group, "data": title}), location(&group)),
        // it went where there is nothing
        (json!({"method": "PUT", "path": "/Users/x@y", "data": data}), location("/Users/x@y")),
        (json!({"method": "PATCH", "path": "/Users/x", "data": title}), location("/Users/x")),
        (json!({"method": "DELETE", "path": "/users/x%20y/"}), location("/Users/x%20y")),
        (json!({"method": "DELETE", "path": "/Users/a/b"}), location("/Users/a/b")),
        (json!({"method": "DELETE", "path": "/scim/v2/Nowhere/\u{e9} \"%41"}), location("/Nowhere/%C3%A9%20%22%41")),
        (json!({"method": "PATCH", "path": "/Users", "data": title}), location("/Users")),
        (json!({"method": "DELETE", "path": "/Users/bulkId:x"}), location("/Users/bulkId:x")),
        (json!({"method": "PATCH", "path": "/Users/bulkId:b"}), location("/Users/bulkId:b")),
        // nowhere, or to create
        (json!({"method": "DELETE"}), None),
        (json!({"method": "DELETE", "path": "https://other.example.com/Users/x"}), None),
        (json!({"method": "POST", "path": "/Users", "bulkId": "b"}), None),
        (json!({"method": "POST", "path": "/Users", "data": data}), None),
        (json!({"method": "POST", "path": "/Users", "bulkId": "b", "data": data}), None),
        (json!({"method": "POST", "path": path, "bulkId": "b", "data": data}), None),
        (json!({"method": "POST", "path": "/Nowhere", "bulkId": "b", "data": data}), None),
    ] {
        let answer = scim.bulk(json!([operation])).is(200);
        assert!(answer.statuses()[0].starts_with('4'), "{operation}: {}", answer.body);
        assert_eq!(answer.at("/Operations/0/location").as_str(), expected.as_deref(), "{operation}");
    }
    // of something that was to be created and was not
    let operations = json!([create("b", "ADA"), {"method": "DELETE", "path": "/Users/bulkId:b"}]);
    let answer = scim.bulk(operations).is(200);
    assert_eq!(answer.statuses(), ["409", "409"]);
    assert_eq!(answer.at("/Operations/1/location").as_str(), location("/Users/bulkId:b").as_deref());
    scim.get(path).has(json!({"userName": "ada"})).lacks(&["/title"]);
}

#[test]
fn the_observer_sees_each_operation_and_then_the_request() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let answer = scim.bulk(json!([
        create("a", "bob"), retitle(&path, "x"), create("c", "ada"), {"method": "DELETE", "path": path}, {"method": "x"},
    ]));
    let seen = scim.exchanges();
    let seen: Vec<_> = seen[seen.len() - 6..].iter().map(|seen| (seen.operation, seen.status)).collect();
    assert_eq!(seen, [("create", 201), ("patch", 200), ("create", 409), ("delete", 204), ("none", 400), ("bulk", 200)]);
    let created = &scim.exchanges()[1];
    assert_eq!(created.id.as_deref(), Some(crate::scim::id_of(&answer.path_of(0))));
    assert_eq!(created.changed, ["userName"]);
}

/// R-7643-4.1.1-14
#[test]
fn no_password_and_no_internal_text_is_in_the_answer() {
    let scim = Scim::new();
    let secret = json!({"userName": "ada", "password": "hunter2"});
    let answer = scim.bulk(json!([
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": user(secret.clone())},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": user(secret)},
    ]));
    assert_eq!(answer.statuses(), ["201", "409"]);
    assert!(!String::from_utf8_lossy(&answer.text).contains("hunter2"));
}
