//! A service with two users and two groups, and the requests that are made to it.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response, StatusCode};
use scim_provider::{EnterpriseUser, Exchange, Extension, Group, Observer, Service, Store, TenantId, User};
use scim_sql_store::{Caller, SqlStore};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// What only the operator may read of a failure.
pub(super) const INTERNAL: &str = "disk failure in /var/lib/secret";

/// A service, and what its observer has seen.
pub(super) struct World {
    scim: Service<Caller>,
    caller: Caller,
    causes: Arc<Mutex<Vec<Option<String>>>>,
}

/// The ids of what a world is filled with.
pub(super) struct Ids([(&'static str, String); 4]);

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// what the observer was told
    pub(super) cause: Option<String>,
}

/// A request. `{ada}`, `{grace}`, `{crew}` and `{all}` in it stand for ids.
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) body: Value,
}

/// Each operation, on users and on groups, with changes in as many tables as there are.
pub(super) fn requests() -> Vec<Ask> {
    let ask = |method, path, body| Ask { method, path, body };
    let patch = |operations: Value| json!({"schemas": [PATCH], "Operations": operations});
    let members = |ids: &[&str]| ids.iter().map(|id| json!({"value": id})).collect::<Value>();
    vec![
        ask("POST", "/Users", user("mary", 2)),
        ask(
            "POST",
            "/Groups",
            json!({"schemas": [GROUP], "displayName": "New", "members": members(&["{ada}", "{grace}"])}),
        ),
        ask("PUT", "/Users/{ada}", user("ada.lovelace", 3)),
        ask(
            "PUT",
            "/Groups/{crew}",
            json!({"schemas": [GROUP], "displayName": "Team", "members": members(&["{grace}", "new"])}),
        ),
        ask(
            "PATCH",
            "/Users/{ada}",
            patch(json!([
                {"op": "replace", "path": "userName", "value": "countess"},
                {"op": "add", "path": "emails", "value": [{"value": "countess@example.com", "type": "other"}]},
                {"op": "replace", "value": {"title": "Countess", "name.familyName": "King"}},
            ])),
        ),
        ask(
            "PATCH",
            "/Groups/{crew}",
            patch(json!([
                {"op": "add", "path": "members", "value": members(&["{grace}", "other"])},
                {"op": "remove", "path": "members[value eq \"{ada}\"]"},
                {"op": "replace", "path": "displayName", "value": "Team"},
            ])),
        ),
        ask("PATCH", "/Groups/{all}", patch(json!([{"op": "remove", "path": "members[type eq \"User\"]"}]))),
        ask("DELETE", "/Users/{ada}", Value::Null),
        ask("DELETE", "/Groups/{crew}", Value::Null),
        ask("GET", "/Users/{ada}", Value::Null),
        ask("GET", "/Groups/{crew}", Value::Null),
        ask("GET", "/Users?filter=userName%20eq%20%22ada%22", Value::Null),
        ask("GET", "/Users?filter=title%20pr%20or%20emails.type%20eq%20%22work%22&sortBy=name.familyName", Value::Null),
        ask("GET", "/Groups?filter=members.value%20eq%20%22{ada}%22&count=1", Value::Null),
        ask("POST", "/Users/.search", json!({"schemas": [SEARCH], "filter": "active eq true"})),
    ]
}

/// Operations of a bulk request, none of which needs another: each is a request by itself as well.
pub(super) fn bulk_operations() -> Vec<Ask> {
    let all = requests();
    let wanted = [("POST", "/Users"), ("PUT", "/Groups/{crew}"), ("PATCH", "/Users/{ada}"), ("PATCH", "/Groups/{all}")];
    let chosen = wanted.into_iter().map(|(method, path)| {
        let ask = all.iter().find(|ask| (ask.method, ask.path) == (method, path)).unwrap();
        Ask { method, path, body: ask.body.clone() }
    });
    chosen.chain([Ask { method: "DELETE", path: "/Users/{grace}", body: Value::Null }]).collect()
}

/// One request of them all.
pub(super) fn bulk(operations: &[Ask]) -> Ask {
    let operation = |(n, ask): (usize, &Ask)| {
        let mut operation = json!({"method": ask.method, "path": ask.path, "bulkId": format!("bulk-{n}")});
        if !ask.body.is_null() {
            operation["data"] = ask.body.clone();
        }
        operation
    };
    let operations: Vec<_> = operations.iter().enumerate().map(operation).collect();
    Ask { method: "POST", path: "/Bulk", body: json!({"schemas": [BULK], "Operations": operations}) }
}

impl World {
    pub(super) fn new(tenant: &str, users: impl Store<Context = Caller>, groups: impl Store<Context = Caller>) -> Self {
        let causes = Arc::new(Mutex::new(Vec::new()));
        let scim = Service::builder("http://localhost/scim/v2")
            .resource(User::resource_type().extension(EnterpriseUser::schema()), users)
            .resource(Group::resource_type(), groups)
            .observer(Causes(Arc::clone(&causes)))
            .build()
            .unwrap();
        Self { scim, caller: Caller::authenticated(TenantId::new(tenant).unwrap(), "test", "1"), causes }
    }

    pub(super) fn of_sql(tenant: &str, store: &SqlStore) -> Self {
        Self::new(tenant, store.users(), store.groups())
    }

    /// Makes the users Ada and Grace, a group of Ada, and a group of both and of that group.
    pub(super) async fn fill(&self) -> Ids {
        let mut ids = Ids([
            ("{ada}", String::new()),
            ("{grace}", String::new()),
            ("{crew}", String::new()),
            ("{all}", String::new()),
        ]);
        let group = |name, members: Value| json!({"schemas": [GROUP], "displayName": name, "members": members});
        for (at, path, body) in [
            (0, "/Users", user("ada", 2)),
            (1, "/Users", user("grace", 1)),
            (2, "/Groups", group("Crew", json!([{"value": "{ada}"}]))),
            (3, "/Groups", group("All", json!([{"value": "{ada}"}, {"value": "{grace}"}, {"value": "{crew}"}]))),
        ] {
            let answer = self.send(&ids, &Ask { method: "POST", path, body }).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            ids.0[at].1 = answer.json()["id"].as_str().unwrap().to_owned();
        }
        ids
    }

    pub(super) async fn send(&self, ids: &Ids, ask: &Ask) -> Answer {
        let response = self.call(ids, ask).await;
        let (head, body) = response.into_parts();
        // of a bulk request the observer is told each operation
        let cause = self.causes.lock().unwrap().drain(..).flatten().next_back();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body).unwrap(), cause }
    }

    /// Sends a request and looks at nothing: it can be given up.
    pub(super) async fn call(&self, ids: &Ids, ask: &Ask) -> Response<Vec<u8>> {
        let body = if ask.body.is_null() { String::new() } else { ids.put_into(&ask.body.to_string()) };
        let request = Request::builder()
            .method(ask.method)
            .uri(format!("/scim/v2{}", ids.put_into(ask.path)))
            .header("Content-Type", "application/scim+json")
            .body(body)
            .unwrap();
        self.scim.call(&self.caller, request).await
    }

    /// All that is there.
    pub(super) async fn everything(&self) -> Value {
        let mut all = Vec::new();
        for path in ["/Users?sortBy=userName", "/Groups?sortBy=displayName"] {
            let answer = self.send(&Ids::default(), &Ask { method: "GET", path, body: Value::Null }).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            all.push(answer.json()["Resources"].clone());
        }
        all.into()
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self(["{ada}", "{grace}", "{crew}", "{all}"].map(|name| (name, name.to_owned())))
    }
}

impl Ids {
    fn put_into(&self, text: &str) -> String {
        // in JSON `{ada}` is inside of quotes, escaped or not
        self.0.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// What is there, in words that are the same for another world: without the ids and times that a store makes up.
    pub(super) fn take_out_of(&self, everything: &Value) -> Value {
        let text = self.0.iter().fold(everything.to_string(), |text, (name, id)| text.replace(id, name));
        let mut value: Value = serde_json::from_str(&text).unwrap();
        for resource in value.as_array_mut().unwrap().iter_mut().flat_map(|list| list.as_array_mut().unwrap()) {
            let known = resource["id"].as_str().is_some_and(|id| id.starts_with('{'));
            let resource = resource.as_object_mut().unwrap();
            resource.remove("meta");
            if !known {
                resource.remove("id");
            }
            for derived in ["groups", "members"] {
                let items = resource.get_mut(derived).and_then(Value::as_array_mut);
                for item in items.into_iter().flatten() {
                    item.as_object_mut().unwrap().retain(|name, value| {
                        name != "$ref" && (name != "value" || value.as_str().is_some_and(|id| id.len() < 20))
                    });
                }
            }
        }
        value
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Checks what the client reads of a failure, and what the operator does.
    pub(super) fn assert_is_failure(&self, status: u16, retry_after: Option<&str>, cause: Option<&str>, what: &str) {
        assert_eq!(self.status, status, "{what}: {}", self.body);
        let message = self.json();
        assert_eq!(message["status"], status.to_string(), "{what}");
        assert_eq!(message["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{what}");
        let sent = self.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(sent, retry_after, "{what}");
        for internal in [INTERNAL, "secret", "sql", "SQL", "user_emails", "group_members"] {
            assert!(!self.body.contains(internal), "{what}: the client reads `{internal}`: {}", self.body);
        }
        match (cause, &self.cause) {
            (Some(expected), Some(told)) => assert!(told.contains(expected), "{what}: the operator reads {told}"),
            (expected, told) => assert_eq!(told.as_deref(), expected, "{what}: what the operator reads"),
        }
    }
}

fn user(name: &str, emails: usize) -> Value {
    let emails: Vec<_> = ["work", "home", "other"]
        .iter()
        .take(emails)
        .map(|kind| json!({"value": format!("{name}@{kind}.example"), "type": kind}))
        .collect();
    json!({"schemas": [USER], "userName": name, "name": {"familyName": name}, "active": true, "emails": emails})
}

struct Causes(Arc<Mutex<Vec<Option<String>>>>);

impl Observer<Caller> for Causes {
    fn exchange(&self, _: &Caller, exchange: &Exchange<'_>) {
        let mut text = String::new();
        let mut next = exchange.source;
        while let Some(error) = next {
            text = format!("{text}: {error}");
            next = StdError::source(error);
        }
        self.0.lock().unwrap().push(exchange.source.map(|_| text));
    }
}
