//! Bulk requests in a transaction of the host's, and without one when something cannot be taken back.

use std::sync::{Arc, Mutex};

use scim_provider::{
    BulkTransaction, Capabilities, Changes, Context, EnterpriseUser, Extension, Group, Key, MemoryStore, Page, Patched,
    Precondition, Projection, Query, Resource, ResourceType, Service, Store, StoreError, TenantId, User,
};
use serde_json::{Value, json};

use crate::scim::{BASE, BULK, ENTERPRISE, PATCH_OP, merged, user};

fn create(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(json!({"userName": name}))})
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
    ended: Arc<Mutex<Vec<&'static str>>>,
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
    let ended = Arc::default();
    let store = MemoryStore::<Caller>::new();
    let scim = Service::builder(BASE)
        .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
        .resource(Group::resource_type(), store)
        .bulk_transaction(Draft { ended: Arc::clone(&ended), fails })
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

/// A store that takes nothing back.
#[derive(Clone)]
struct Stuck(MemoryStore<Caller>);

impl Store for Stuck {
    type Context = Caller;

    async fn get(&self, cx: &Caller, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.0.get(cx, key, want).await
    }

    async fn list(&self, cx: &Caller, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.0.list(cx, ty, query).await
    }

    async fn create(&self, cx: &Caller, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.0.create(cx, ty, draft).await
    }

    async fn replace(
        &self,
        cx: &Caller,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.0.replace(cx, key, new, when).await
    }

    async fn delete(&self, _: &Caller, _: Key<'_>, _: Precondition<'_>) -> Result<(), StoreError> {
        Err(StoreError::backend("stuck"))
    }

    async fn patch(
        &self,
        cx: &Caller,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        self.0.patch(cx, key, changes, when, want).await
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

/// What comes of a circle of two users of whom the second has a name that is taken, behind other operations, in a store that
/// takes nothing back. Gives the results, and who is there then.
fn a_circle_that_sticks(in_transaction: bool) -> (Vec<Value>, Vec<Value>) {
    let builder = Service::builder(BASE)
        .resource(User::resource_type().extension(EnterpriseUser::schema()), Stuck(MemoryStore::new()));
    let scim = match in_transaction {
        true => builder.bulk_transaction(Draft { ended: Arc::default(), fails: false }),
        false => builder,
    };
    let scim = scim.build().unwrap();
    let caller = Caller { tenant: TenantId::new("draft").unwrap() };
    let send = |method: &str, path: &str, body: Value| {
        let request = http::Request::builder().method(method).uri(path).body(body.to_string()).unwrap();
        serde_json::from_slice::<Value>(crate::scim::ready(scim.call(&caller, request)).body()).unwrap()
    };
    send("POST", "/Users", user(json!({})));
    let managed = |name: &str, by: &str| {
        let more = json!({"userName": name, ENTERPRISE: {"manager": {"value": format!("bulkId:{by}")}}});
        merged(user(json!({})), more)
    };
    let title = json!([{"op": "add", "path": "title", "value": "x"}]);
    let operations = json!([
        create("z", "zoe"),
        {"method": "PATCH", "path": "/Users/bulkId:z", "data": {"schemas": [PATCH_OP], "Operations": title}},
        {"method": "POST", "path": "/Users", "bulkId": "x", "data": managed("xie", "y")},
        {"method": "POST", "path": "/Users", "bulkId": "y", "data": managed("ADA", "x")},
    ]);
    let answer = send("POST", "/Bulk", json!({"schemas": [BULK], "Operations": operations}));
    let users = send("GET", "/Users", Value::Null);
    let all = |list: &Value| list.as_array().cloned().unwrap_or_default();
    (all(&answer["Operations"]), all(&users["Resources"]))
}

#[test]
fn what_cannot_be_taken_back_is_shown() {
    let (results, users) = a_circle_that_sticks(false);
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "200", "409", "409"]);
    assert!(results[2]["response"]["detail"].as_str().unwrap().contains("stands without it"), "{results:?}");
    let xie = users.iter().find(|user| user["userName"] == "xie").unwrap();
    assert_eq!(results[2]["location"], xie["meta"]["location"]);
    assert_eq!(results[3].get("location"), None);
}

#[test]
fn after_a_rollback_nothing_is_said_to_be_there() {
    let (results, _) = a_circle_that_sticks(true);
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["409", "409", "409", "409"]);
    let stands = |result: &Value| result.to_string().contains("stands");
    assert!(!results.iter().any(stands), "{results:?}");
    // the id that the new user had for a while leads nowhere
    assert_eq!(results[1]["location"], json!(format!("{BASE}/Users/bulkId:z")));
    for at in [0, 2, 3] {
        assert_eq!(results[at].get("location"), None, "{results:?}");
        assert_eq!(results[at].get("version"), None, "{results:?}");
    }
    assert_eq!(results[3]["response"]["scimType"], json!("uniqueness"));
}
