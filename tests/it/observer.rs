//! What an observer is told of an exchange, and what nobody is told: values and secrets.

mod values;

use std::sync::{Arc, Mutex};

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{
    Capabilities, Changes, Context, Key, Leniency, MemoryStore, Page, Patched, Precondition, Projection, Query,
    Resource, ResourceType, ScimType, Secret, Service, Store, StoreError, TenantId, UnknownAttributes, User,
};
use serde_json::{Value, json};

use crate::scim::{BASE, Scim, id_of, user};

#[test]
fn an_exchange_says_what_was_asked_for_and_what_came_of_it() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let change = json!({"op": "replace", "path": "title", "value": "x"});
    for (seen, operation, status) in [
        (scim.get(&path).exchange, "get", 200),
        (scim.patch(&path, change).exchange, "patch", 200),
        (scim.put(&path, user(json!({}))).exchange, "replace", 200),
        (scim.delete(&path).exchange, "delete", 204),
        (scim.get(&path).exchange, "get", 404),
    ] {
        assert_eq!((seen.operation, seen.status), (operation, status));
        assert_eq!((seen.resource_type.as_deref(), seen.id.as_deref()), (Some("User"), Some(id_of(&path))));
        assert_eq!(seen.tenant, "a");
    }
}

#[test]
fn a_creation_is_reported_with_the_new_id() {
    let created = Scim::new().post("/Users", user(json!({"title": "Dr", "password": "t0p-s3cret"}))).is(201);
    let seen = &created.exchange;
    assert_eq!((seen.operation, seen.id.clone()), ("create", Some(created.id())));
    assert_eq!(seen.changed, ["userName", "title", "password"]);
}

#[test]
fn a_query_is_reported_with_what_it_found() {
    let scim = Scim::new();
    scim.user(json!({}));
    let listed = scim.get("/Users?count=0").exchange;
    assert_eq!((listed.operation, listed.found, listed.resource_type.as_deref()), ("list", Some(1), Some("User")));
    let body = json!({"schemas": [crate::scim::SEARCH], "filter": "userName eq \"nobody\""});
    let searched = scim.post("/Users/.search", body).exchange;
    assert_eq!((searched.operation, searched.found, searched.id), ("search", Some(0), None));
    assert_eq!(scim.get("/Schemas").exchange.operation, "discover");
    assert_eq!(scim.get("/Nowhere").exchange.operation, "none");
}

#[test]
fn a_refusal_is_reported_as_the_client_reads_it() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let refused = scim.patch(&path, json!({"op": "remove", "path": "userName"})).refused(400, "mutability");
    let seen = &refused.exchange;
    assert_eq!((seen.status, seen.scim_type), (400, Some(ScimType::Mutability)));
    assert_eq!(seen.detail.as_deref(), refused.at("/detail").as_str());
    assert!(seen.changed.is_empty());
    let taken = scim.post("/Users", user(json!({}))).exchange;
    assert_eq!((taken.status, taken.scim_type, taken.id), (409, Some(ScimType::Uniqueness), None));
}

#[test]
fn what_changed_is_reported_by_name_and_nothing_when_nothing_did() {
    let scim = Scim::new();
    let path = scim.user(json!({"title": "a"}));
    let change = json!([{"op": "replace", "path": "title", "value": "b"}, {"op": "add", "path": "emails[type eq \"work\"].value", "value": "x"}]);
    assert_eq!(scim.patch(&path, change.clone()).exchange.changed, ["emails", "title"]);
    assert!(scim.patch(&path, change).exchange.changed.is_empty());
    assert_eq!(scim.put(&path, user(json!({"title": "b"}))).exchange.changed, ["emails"]);
    assert!(scim.put(&path, user(json!({"title": "b"}))).exchange.changed.is_empty());
    let group = scim.group("g", &[]);
    let add = json!({"op": "add", "path": "members", "value": [{"value": id_of(&path)}]});
    assert_eq!(scim.patch(&group, add.clone()).exchange.changed, ["members"]);
    assert!(scim.patch(&group, add).exchange.changed.is_empty());
}

#[test]
fn a_repair_is_reported_with_its_place() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let seen = scim.patch(&path, json!({"op": "Replace", "path": "active", "value": "False"})).exchange;
    assert_eq!(seen.repairs, [(Leniency::BooleanText, "active".to_owned()), (Leniency::OpCase, "op".to_owned())]);
    assert!(scim.patch(&path, json!({"op": "replace", "path": "active", "value": true})).exchange.repairs.is_empty());
}

#[test]
fn a_key_with_a_filter_in_it_is_told_without_it() {
    let of = |unknown| Scim::with(|builder| builder.unknown_attributes(unknown));
    let change = |scim: &Scim, key: &str| {
        let path = scim.user(json!({"userName": key, "emails": [{"value": "ada@private.example"}]}));
        let key = format!("{key}[value eq \"ada@private.example\"].type");
        scim.patch(&path, json!({"op": "replace", "value": {key: "home"}})).exchange
    };
    let seen = change(&Scim::new(), "emails");
    assert_eq!(seen.repairs, [(Leniency::PathKeys, "emails.type".to_owned())]);
    assert_eq!(change(&Scim::new(), "nothing").ignored, ["nothing"]);
    assert_eq!(change(&of(UnknownAttributes::Keep), "nothing").changed, ["nothing"]);
    let refused = change(&of(UnknownAttributes::Refuse), "nothing");
    assert_eq!(refused.detail.as_deref(), Some("operation 1: attribute `nothing` is not known"));
}

/// R-7644-7.5.2-04 R-7643-9.3-01
#[test]
fn no_value_is_in_an_exchange() {
    let scim = Scim::new();
    let mark = "m4rked-value";
    let path = scim.user(json!({"title": mark}));
    let quoted = format!("\"{mark}\"");
    for answer in [
        scim.post("/Users", user(json!({"userName": mark, "emails": [{"value": mark}]}))),
        scim.post("/Users", user(json!({"userName": mark}))),
        scim.post("/Users", user(json!({"userName": "x", "active": mark}))),
        scim.put(&path, user(json!({"title": mark, "displayName": mark}))),
        scim.patch(&path, json!({"op": "Replace", "path": "nickName", "value": mark})),
        scim.patch(&path, json!({"op": "replace", "path": "active", "value": mark})),
        scim.patch(&path, json!({"op": "remove", "path": format!("emails[value eq {quoted}]")})),
        scim.patch(&path, json!({"op": "remove", "path": format!("emails[value eq {quoted} and]")})),
        scim.patch(&path, json!({"op": "replace", "path": format!("emails[value eq {quoted}].type"), "value": "x"})),
        scim.filter("/Users", &format!("title eq {quoted}")),
        scim.filter("/Users", &format!("title eq {quoted} and")),
        scim.filter("/Users", &format!("title {quoted}")),
        scim.filter("/Users", &format!("password eq {quoted}")),
        scim.filter("/Users", &format!("active eq {quoted}")),
        scim.get(&path),
        scim.get("/Users"),
        scim.delete(&path),
    ] {
        assert!(!answer.exchange.text.contains(mark), "{}", answer.exchange.text);
    }
}

/// A store that fails with a text that is for its operator only.
struct Failing;

impl Store for Failing {
    type Context = TenantId;

    async fn get(&self, _: &TenantId, _: Key<'_>, _: &Projection) -> Result<Option<Resource>, StoreError> {
        Err(StoreError::backend("connection to db-7 refused for user scim:hunter2"))
    }

    async fn list(&self, _: &TenantId, _: &ResourceType, _: &Query) -> Result<Page, StoreError> {
        Err(StoreError::backend("connection to db-7 refused for user scim:hunter2"))
    }

    async fn create(&self, _: &TenantId, _: &ResourceType, _: Resource) -> Result<Resource, StoreError> {
        Err(StoreError::backend("connection to db-7 refused for user scim:hunter2"))
    }

    async fn replace(
        &self,
        _: &TenantId,
        _: Key<'_>,
        _: Resource,
        _: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        Err(StoreError::backend("connection to db-7 refused for user scim:hunter2"))
    }

    async fn delete(&self, _: &TenantId, _: Key<'_>, _: Precondition<'_>) -> Result<(), StoreError> {
        Err(StoreError::backend("connection to db-7 refused for user scim:hunter2"))
    }
}

/// R-7644-3.12-13
#[test]
fn why_a_store_failed_is_told_to_the_operator_and_never_to_the_client() {
    let scim = Scim::of(Service::builder(BASE).resource(User::resource_type(), Failing));
    let change = json!({"op": "add", "path": "title", "value": "x"});
    for answer in [
        scim.get("/Users/1"),
        scim.get("/Users"),
        scim.post("/Users", user(json!({}))),
        scim.put("/Users/1", user(json!({}))),
        scim.patch("/Users/1", change),
        scim.delete("/Users/1"),
    ] {
        let answer = answer.refused(500, "");
        assert!(!answer.body.to_string().contains("db-7"), "{}", answer.body);
        assert!(
            answer.exchange.source.as_deref().is_some_and(|source| source.contains("db-7")),
            "{:?}",
            answer.exchange
        );
    }
}

/// What a store is handed of passwords, next to memory.
#[derive(Clone)]
struct Recording {
    memory: MemoryStore,
    passwords: Arc<Mutex<Vec<String>>>,
}

impl Recording {
    fn note(&self, secret: Secret<'_>) {
        let text = match secret {
            Secret::Unchanged => "unchanged".to_owned(),
            Secret::Set(password) => format!("set {}", password.reveal()),
            Secret::Removed => "removed".to_owned(),
        };
        self.passwords.lock().unwrap().push(text);
    }
}

impl Store for Recording {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.memory.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.memory.list(cx, ty, query).await
    }

    async fn create(&self, cx: &TenantId, ty: &ResourceType, draft: Resource) -> Result<Resource, StoreError> {
        self.note(draft.secret("password"));
        assert!(!format!("{draft:?}{}", String::from_utf8_lossy(draft.as_json())).contains("t0p"));
        self.memory.create(cx, ty, draft).await
    }

    async fn replace(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        new: Resource,
        when: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        self.note(new.secret("password"));
        assert!(!format!("{new:?}{}", String::from_utf8_lossy(new.as_json())).contains("t0p"));
        self.memory.replace(cx, key, new, when).await
    }

    async fn delete(&self, cx: &TenantId, key: Key<'_>, when: Precondition<'_>) -> Result<(), StoreError> {
        self.memory.delete(cx, key, when).await
    }

    async fn patch(
        &self,
        cx: &TenantId,
        key: Key<'_>,
        changes: &Changes,
        when: Precondition<'_>,
        want: &Projection,
    ) -> Result<Option<Patched>, StoreError> {
        self.note(changes.secret("PASSWORD"));
        assert!(!format!("{changes:?}").contains("t0p"));
        self.memory.patch(cx, key, changes, when, want).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().with_change_password()
    }
}

/// The service in front of a recording store, and what the store was handed.
fn recording() -> (Scim, Arc<Mutex<Vec<String>>>) {
    let store = Recording { memory: MemoryStore::new(), passwords: Arc::default() };
    let passwords = Arc::clone(&store.passwords);
    assert_eq!(TenantId::new("a").unwrap().tenant().as_str(), "a");
    (Scim::of(Service::builder(BASE).resource(User::resource_type(), store)), passwords)
}

/// R-7643-4.1.1-14 R-7643-4.1.1-20 R-7644-3.5.1-04 R-7643-7-26 R-7644-3.9-12
#[test]
fn a_password_goes_to_the_store_and_nowhere_else() {
    let (scim, passwords) = recording();
    let mut path = "first".to_owned();
    for name in ["password", "PASSWORD", "passWord"] {
        let created = scim.post("/Users", user(json!({"userName": id_of(&path), name: "t0p-1"}))).is(201);
        path = format!("/Users/{}", created.id());
        never_told(&[created]);
    }
    never_told(&[
        scim.put(&path, user(json!({"Password": "t0p-2"}))).is(200),
        scim.patch(&path, json!({"op": "replace", "path": "password", "value": "t0p-3"})).is(200),
        scim.patch(&path, json!({"op": "Add", "path": "PassWord", "value": "t0p-4"})).is(200),
        scim.patch(&path, json!({"op": "replace", "value": {"password": "t0p-5", "title": "x"}})).is(200),
        scim.patch(
            &path,
            json!({"op": "replace", "path": format!("{}:password", crate::scim::USER), "value": "t0p-6"}),
        )
        .is(200),
        scim.patch(&format!("{path}?attributes=password"), json!({"op": "remove", "path": "password"})).is(200),
        scim.patch(&path, json!({"op": "replace", "path": "password", "value": ["t0p-7"]})).is(200),
        scim.patch(&path, json!({"op": "replace", "path": "password", "value": ["t0p-7", "t0p-8"]}))
            .refused(400, "invalidValue"),
        scim.patch(&path, json!({"op": "replace", "path": "password.x", "value": "t0p-8"})).refused(400, "invalidPath"),
        scim.get(&format!("{path}?attributes=password")).is(200),
        scim.get("/Users").is(200),
    ]);
    let expected = [
        "set t0p-1",
        "set t0p-1",
        "set t0p-1",
        "set t0p-2",
        "set t0p-3",
        "set t0p-4",
        "set t0p-5",
        "set t0p-6",
        "removed",
        "set t0p-7",
    ];
    assert_eq!(*passwords.lock().unwrap(), expected);
}

#[track_caller]
fn never_told(answers: &[crate::scim::Answer]) {
    for answer in answers {
        let text = format!("{} {:?} {}", String::from_utf8_lossy(&answer.text), answer.headers, answer.exchange.text);
        assert!(!text.contains("t0p"), "{text}");
    }
}

/// R-7644-3.5.1-15 R-7643-7-23 A-18
#[test]
fn a_password_that_is_left_out_is_kept() {
    let (scim, passwords) = recording();
    let path = scim.user(json!({"password": "t0p-1"}));
    scim.put(&path, user(json!({"title": "x"}))).is(200);
    scim.patch(&path, json!({"op": "replace", "path": "title", "value": "y"})).is(200);
    assert_eq!(*passwords.lock().unwrap(), ["set t0p-1", "unchanged", "unchanged"]);
}

/// R-7643-5-08 R-7643-5-16
#[test]
fn a_store_that_keeps_passwords_says_so() {
    recording().0.get("/ServiceProviderConfig").has(json!({"changePassword": {"supported": true}}));
}

/// R-7643-7-24
#[test]
fn every_secret_of_the_hosts_own_is_kept_apart() {
    let schema =
        Schema::new("urn:example:vault", "vault", [Attribute::string("pin").write_only(), Attribute::string("a")]);
    let ty = ResourceType::builder("Vault", "/Vaults", schema).build().unwrap();
    let body = json!({"schemas": ["urn:example:vault"], "PIN": "1234", "a": "b"}).to_string();
    let parsed = Resource::parse(&ty, body.as_bytes()).unwrap();
    assert!(!format!("{parsed:?}").contains("1234"));
    assert!(matches!(parsed.secret("pin"), Secret::Set(pin) if pin.reveal() == "1234"));
    let stored: Value = serde_json::from_slice(parsed.as_json()).unwrap();
    assert_eq!(stored, json!({"schemas": ["urn:example:vault"], "a": "b"}));
}
