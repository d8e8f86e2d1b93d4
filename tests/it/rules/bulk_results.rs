//! What came of the operations of a bulk request (RFC 7644 §3.7.3), and when it stops.

use scim_provider::{
    BulkTransaction, Context, EnterpriseUser, Extension, Group, MemoryStore, Service, StoreError, TenantId, User,
};
use serde_json::{Value, json};

use crate::scim::{BASE, BULK, PATCH_OP, Scim, user};

fn create(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(json!({"userName": name}))})
}

fn retitle(path: &str, title: &str) -> Value {
    let operations = json!([{"op": "replace", "path": "title", "value": title}]);
    json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": operations}})
}

/// R-7644-3.7-09 R-7644-3.7-13 R-7644-3.7-15 R-7644-3.7-17 R-7644-3.7-18 R-7644-3.7-25 R-7644-3.7-28 R-7644-3.7-29
/// R-7644-3.7.3-01 R-7644-3.7.3-02 R-7644-3.7.3-03 R-7644-3.7.3-05 R-7644-3.7.3-06
/// A-37 E-7644-05
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

/// R-7644-3.7-14 R-7644-3.7-16 R-7644-3.7-19 R-7644-3.7.3-04
/// R-7644-3.12-25
#[test]
fn an_error_stops_nothing_else() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let stale = json!({"method": "PUT", "path": path, "version": "W/\"old\"", "data": user(json!({}))});
    let answer = scim.bulk(json!([
        create("a", "ADA"), stale, {"method": "DELETE", "path": "/Users/nobody"}, retitle(&path, "x"), create("b", "bob"),
    ]));
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

/// A transaction that copies what is there: the host's tables, and a version of them that is not yet committed.
#[derive(Clone)]
struct Caller {
    tenant: TenantId,
}

impl Context for Caller {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

/// Everything in a bulk request goes to the tenant `draft`, whose content is thrown away or kept.
struct Draft {
    ended: std::sync::Arc<std::sync::Mutex<Vec<&'static str>>>,
    fails: bool,
}

impl BulkTransaction<Caller> for Draft {
    async fn begin(&self, _: &Caller) -> Result<Caller, StoreError> {
        self.ended.lock().unwrap().push("begin");
        Ok(Caller { tenant: TenantId::new("draft").unwrap() })
    }

    async fn commit(&self, cx: Caller) -> Result<(), StoreError> {
        assert_eq!(cx.tenant.as_str(), "draft");
        self.ended.lock().unwrap().push("commit");
        if self.fails { Err(StoreError::unavailable(3)) } else { Ok(()) }
    }

    async fn roll_back(&self, _: Caller) -> Result<(), StoreError> {
        self.ended.lock().unwrap().push("roll back");
        Ok(())
    }
}

fn in_transactions(fails: bool, operations: &Value) -> (http::Response<Vec<u8>>, Vec<&'static str>, usize) {
    let ended = std::sync::Arc::default();
    let store = MemoryStore::<Caller>::new();
    let scim = Service::builder(BASE)
        .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
        .resource(Group::resource_type(), store)
        .bulk_transaction(Draft { ended: std::sync::Arc::clone(&ended), fails })
        .build()
        .unwrap();
    let caller = |name| Caller { tenant: TenantId::new(name).unwrap() };
    let body = json!({"schemas": [BULK], "Operations": operations}).to_string();
    let request = http::Request::post("/scim/v2/Bulk").header("content-type", "application/json").body(body).unwrap();
    let answer = crate::scim::ready(scim.call(&caller("a"), request));
    let count = |name| {
        let list = crate::scim::ready(scim.call(&caller(name), http::Request::get("/Users").body("").unwrap()));
        serde_json::from_slice::<Value>(list.body()).unwrap()["totalResults"].as_u64().unwrap()
    };
    assert_eq!(count("a"), 0, "operations run in the context that the transaction gave");
    let drafted = usize::try_from(count("draft")).unwrap();
    let ended = ended.lock().unwrap().clone();
    (answer, ended, drafted)
}

#[test]
fn in_a_transaction_it_is_all_or_nothing() {
    let statuses = |answer: &http::Response<Vec<u8>>| -> Vec<Value> {
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        body["Operations"].as_array().into_iter().flatten().map(|o| o["status"].clone()).collect()
    };
    let (answer, ended, drafted) = in_transactions(false, &json!([create("a", "ada"), create("b", "bob")]));
    assert_eq!((statuses(&answer), ended, drafted), (vec![json!("201"), json!("201")], vec!["begin", "commit"], 2));

    let (answer, ended, _) =
        in_transactions(false, &json!([create("a", "ada"), create("b", "ada"), create("c", "cyd")]));
    assert_eq!((statuses(&answer), ended), (vec![json!("409"), json!("409")], vec!["begin", "roll back"]));
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body["Operations"][0].get("location"), None, "nothing was created: {body}");
    assert!(body["Operations"][0]["response"]["detail"].as_str().unwrap().contains("rolled back"));
    assert_eq!(body["Operations"][1]["response"]["scimType"], json!("uniqueness"));

    let (answer, _, _) = in_transactions(true, &json!([create("a", "ada")]));
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "3"));
}
