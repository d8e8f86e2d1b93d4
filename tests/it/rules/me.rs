//! `/Me` (RFC 7644 §3.11).

use scim_provider::{Context, Error, Group, Me, MemoryStore, Service, TenantId, User};
use serde_json::{Value, json};

use crate::scim::{BASE, PATCH_OP, ready, user};

/// Who asks, as the host's authentication has it.
struct Caller {
    tenant: TenantId,
    me: Option<Me>,
    refused: Option<http::StatusCode>,
}

impl Context for Caller {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

struct Host(Service<Caller>);

impl Host {
    fn new() -> Self {
        let store = MemoryStore::<Caller>::new();
        let service = Service::builder(BASE)
            .resource(User::resource_type(), store.clone())
            .resource(Group::resource_type(), store)
            .me(|caller: &Caller| match caller.refused {
                Some(status) => Err(Error::new(status, "suspended")),
                None => Ok(caller.me.clone()),
            });
        Self(service.build().unwrap())
    }

    fn send(&self, me: Option<Me>, method: &str, target: &str, body: &Value) -> (http::response::Parts, Value) {
        self.as_caller(Caller { tenant: TenantId::new("a").unwrap(), me, refused: None }, method, target, body)
    }

    fn as_caller(&self, caller: Caller, method: &str, target: &str, body: &Value) -> (http::response::Parts, Value) {
        let request = http::Request::builder().method(method).uri(format!("/scim/v2{target}"));
        let request = request.header("content-type", "application/scim+json").body(body.to_string()).unwrap();
        let (head, text) = ready(self.0.call(&caller, request)).into_parts();
        (head, serde_json::from_slice(&text).unwrap_or_default())
    }

    fn user(&self, name: &str) -> String {
        let (_, body) = self.send(None, "POST", "/Users", &user(json!({"userName": name})));
        body["id"].as_str().unwrap().to_owned()
    }
}

fn location(head: &http::response::Parts) -> &str {
    head.headers.get("location").map_or("", |location| location.to_str().unwrap())
}

/// R-7644-3.11-01 R-7644-3.11-05 R-7644-3.11-06 R-7644-3.11-07
/// R-7644-3.2-06 A-28
#[test]
fn every_operation_reaches_the_own_resource() {
    let host = Host::new();
    let id = host.user("ada");
    host.user("bob");
    let permanent = format!("{BASE}/Users/{id}");
    let patch = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "x"}]});
    for (method, target, body, status) in [
        ("GET", "/Me", json!(null), 200),
        ("HEAD", "/me/", json!(null), 200),
        ("PUT", "/Me", user(json!({"userName": "ada", "nickName": "a"})), 200),
        ("PATCH", "/Me", patch, 200),
        ("GET", "/Me?attributes=title", json!(null), 200),
        ("PUT", "/Me", json!({}), 400),
        ("PUT", "/Me", user(json!({"userName": "bob"})), 409),
        ("DELETE", "/Me", json!(null), 204),
        ("GET", "/Me", json!(null), 404),
    ] {
        let (head, body) = host.send(Some(Me::new("User", &id)), method, target, &body);
        assert_eq!((head.status.as_u16(), location(&head)), (status, permanent.as_str()), "{method} {target} {body}");
        if status == 200 && method != "HEAD" && !target.contains('?') {
            assert_eq!(body["meta"]["location"], json!(permanent));
        }
    }
}

/// R-7644-3.11-03 R-7644-3.11-04
/// R-7644-3.12-05
#[test]
fn a_host_may_send_clients_to_the_resource() {
    let host = Host::new();
    let id = host.user("ada");
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let (head, body) = host.send(Some(Me::new("User", &id).redirected()), method, "/Me", &json!({}));
        assert_eq!((head.status.as_u16(), location(&head)), (308, format!("{BASE}/Users/{id}").as_str()));
        assert_eq!(body, Value::Null);
    }
    assert_eq!(host.send(None, "GET", &format!("/Users/{id}"), &json!(null)).0.status, 200);
}

/// R-7644-3.11-08 R-7644-3.11-06 R-7644-3.2-06 R-7644-3.11-01
#[test]
fn a_post_creates_who_is_not_there_yet() {
    let host = Host::new();
    let new = |name| user(json!({"userName": name}));
    let (head, body) = host.send(Some(Me::to_be_created("User")), "POST", "/Me", &new("ada"));
    assert_eq!(head.status, 201, "{body}");
    assert_eq!(location(&head), format!("{BASE}/Users/{}", body["id"].as_str().unwrap()));
    assert_eq!(host.send(Some(Me::to_be_created("User")), "GET", "/Me", &json!(null)).0.status, 404);
    let id = host.user("bob");
    let (head, body) = host.send(Some(Me::new("User", &id)), "POST", "/Me", &new("cyd"));
    assert_eq!((head.status.as_u16(), &body["scimType"]), (409, &json!("uniqueness")));
}

/// R-7644-3.11-09 R-7644-3.12-08 R-7644-3.12-07
#[test]
fn nobody_is_not_found_and_the_host_may_refuse() {
    let host = Host::new();
    assert_eq!(host.send(None, "GET", "/Me", &json!(null)).0.status, 404);
    for (status, challenge) in [(403, None), (401, Some("Bearer"))] {
        let refused = Some(http::StatusCode::from_u16(status).unwrap());
        let caller = Caller { tenant: TenantId::new("a").unwrap(), me: None, refused };
        let (head, body) = host.as_caller(caller, "GET", "/Me", &json!(null));
        assert_eq!((head.status.as_u16(), &body["detail"]), (status, &json!("suspended")));
        assert_eq!(head.headers.get("www-authenticate").map(|c| c.to_str().unwrap()), challenge);
    }
    let (head, body) = host.send(Some(Me::new("Robot", "1")), "GET", "/Me", &json!(null));
    assert_eq!(head.status, 500, "{body}");
    assert_eq!(host.send(None, "GET", "/Me/x", &json!(null)).0.status, 404);
}

#[test]
fn me_of_another_tenant_is_nobody() {
    let host = Host::new();
    let id = host.user("ada");
    let other = Caller { tenant: TenantId::new("b").unwrap(), me: Some(Me::new("User", id)), refused: None };
    assert_eq!(host.as_caller(other, "GET", "/Me", &json!(null)).0.status, 404);
}
