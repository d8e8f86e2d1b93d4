//! `attributes`, `excludedAttributes` and `returned` (RFC 7644 §3.9, RFC 7643 §7).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim_provider::{
    Group, Key, MemoryStore, Page, Projection, Query, Resource, ResourceType, Service, Store, StoreError, TenantId,
};
use serde_json::{Value, json};

use super::devices::body;
use crate::scim::{BASE, ENTERPRISE, SEARCH, Scim, USER};

fn ada() -> (Scim, String) {
    let scim = Scim::new();
    let path = scim.user(json!({
        "name": {"givenName": "Ada", "familyName": "L"},
        "title": "Dr",
        "emails": [{"value": "a@b", "type": "work"}, {"value": "c@d"}],
        ENTERPRISE: {"department": "R&D", "manager": {"value": "m"}},
    }));
    (scim, path)
}

fn names(body: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[track_caller]
fn shows(query: &str, expected: &[&str]) {
    let (scim, path) = ada();
    assert_eq!(names(&scim.get(&format!("{path}?{query}")).is(200).body), expected, "{query}");
}

/// R-7644-3.9-01 R-7643-7-28 R-7644-3.4-02
#[test]
fn by_default_all_is_returned_that_is_returned_by_default() {
    shows("", &["emails", "id", "meta", "name", "schemas", "title", ENTERPRISE, "userName"]);
}

/// R-7644-3.9-04 R-7644-3.4.2.5-01 R-7644-3.4.2.5-03 R-7644-3.9-14 R-7644-3.9-15 R-7643-7-03 R-7643-7-28
#[test]
fn attributes_names_all_that_is_wanted() {
    shows("attributes=userName", &["id", "schemas", "userName"]);
    let (scim, _) = ada();
    let listed = scim.get("/Users?attributes=userName").is(200);
    assert_eq!(names(&listed.at("/Resources/0")), ["id", "schemas", "userName"]);
}

/// R-7644-3.9-05 R-7644-3.4.2.5-01 R-7644-3.4.2.5-04 R-7643-7-25 R-7643-7-28
#[test]
fn excluded_attributes_names_what_is_not() {
    shows("excludedAttributes=title,emails", &["id", "meta", "name", "schemas", ENTERPRISE, "userName"]);
    shows("excludedAttributes=id,schemas,meta,name,emails,title,userName", &["id", "schemas", ENTERPRISE]);
    let (scim, _) = ada();
    let listed = scim.get("/Users?excludedAttributes=title,emails").is(200);
    assert_eq!(names(&listed.at("/Resources/0")), ["id", "meta", "name", "schemas", ENTERPRISE, "userName"]);
}

/// R-7644-3.9-03 A-31 R-7644-3.4.2.5-02
#[test]
fn the_two_exclude_each_other() {
    let (scim, path) = ada();
    scim.get(&format!("{path}?attributes=title&excludedAttributes=name")).refused(400, "invalidValue");
    scim.get("/Users?attributes=title&excludedAttributes=name").refused(400, "invalidValue");
}

/// R-7644-3.9-06 R-7644-3.4.2.5-05
#[test]
fn names_are_separated_by_commas_and_parameters_add_up() {
    shows("attributes=title,%20userName%20,,", &["id", "schemas", "title", "userName"]);
    shows("attributes=title&attributes=userName", &["id", "schemas", "title", "userName"]);
}

/// R-7644-3.9-07 R-7644-3.9-08
#[test]
fn a_part_can_be_wanted_alone() {
    let (scim, path) = ada();
    scim.get(&format!("{path}?attributes=name.givenName"))
        .has(json!({"name": {"givenName": "Ada"}}))
        .lacks(&["/name/familyName"]);
    scim.get(&format!("{path}?attributes=name")).has(json!({"name": {"givenName": "Ada", "familyName": "L"}}));
    let emails = scim.get(&format!("{path}?attributes=emails.value")).at("/emails");
    assert_eq!(emails, json!([{"value": "a@b"}, {"value": "c@d"}]));
    let types = scim.get(&format!("{path}?attributes=emails.type")).at("/emails");
    assert_eq!(types, json!([{"type": "work"}]));
}

/// R-7644-3.9-09
#[test]
fn a_part_can_be_left_out_alone() {
    let (scim, path) = ada();
    let left = scim.get(&format!("{path}?excludedAttributes=name.givenName,emails.type"));
    left.has(json!({"name": {"familyName": "L"}, "emails": [{"value": "a@b"}, {"value": "c@d"}]}))
        .lacks(&["/name/givenName", "/emails/0/type"]);
}

/// R-7644-3.9-10 A-32 R-7644-3.4.2.5-05
#[test]
fn an_extension_is_named_by_its_urn() {
    let (scim, path) = ada();
    let all = scim.get(&format!("{path}?attributes={ENTERPRISE}")).is(200);
    assert_eq!(names(&all.body), ["id", "schemas", ENTERPRISE]);
    all.has(json!({ENTERPRISE: {"department": "R&D", "manager": {"value": "m"}}}));
    let one = scim.get(&format!("{path}?attributes={ENTERPRISE}:department"));
    one.has(json!({ENTERPRISE: {"department": "R&D"}, "schemas": [USER, ENTERPRISE]}))
        .lacks(&[&format!("/{ENTERPRISE}/manager")]);
    scim.get(&format!("{path}?attributes={ENTERPRISE}:manager.value"))
        .has(json!({ENTERPRISE: {"manager": {"value": "m"}}}));
    scim.get(&format!("{path}?excludedAttributes={ENTERPRISE}"))
        .has(json!({"schemas": [USER, ENTERPRISE]}))
        .lacks(&[&format!("/{ENTERPRISE}")]);
}

///
#[test]
fn the_base_schema_is_named_by_its_urn() {
    let (scim, path) = ada();
    let core = scim.get(&format!("{path}?attributes={USER}")).is(200);
    assert_eq!(names(&core.body), ["emails", "id", "meta", "name", "schemas", "title", "userName"]);
    let rest = scim.get(&format!("{path}?excludedAttributes={USER}")).is(200);
    assert_eq!(names(&rest.body), ["id", "schemas", ENTERPRISE]);
    let device = scim.create("/Devices", body(json!({"notes": "n", "label": "l"})));
    let urn = crate::scim::DEVICE;
    scim.get(&format!("{device}?attributes={urn}")).has(json!({"label": "l", "serial": "Sn-1"})).lacks(&["/notes"]);
}

/// R-7644-3.9-11
#[test]
fn unknown_names_are_ignored() {
    shows("attributes=userName,nope,name.nope,urn:x:y,%2F", &["id", "schemas", "userName"]);
    shows("attributes=nope", &["id", "schemas"]);
    shows("excludedAttributes=nope,title", &["emails", "id", "meta", "name", "schemas", ENTERPRISE, "userName"]);
}

/// R-7644-3.9-17
#[test]
fn an_empty_list_of_names_is_none() {
    let everything = ["emails", "id", "meta", "name", "schemas", "title", ENTERPRISE, "userName"];
    for query in ["attributes=", "excludedAttributes=", "attributes=,%20,"] {
        shows(query, &everything);
    }
}

/// R-7644-3.9-12 R-7643-7-26 R-7643-4.1.1-20
#[test]
fn what_is_never_returned_cannot_be_asked_for() {
    let scim = Scim::new();
    let user = scim.user(json!({"password": "t0p-s3cret"}));
    let device = scim.create("/Devices", body(json!({"pin": "9876"})));
    for target in [
        format!("{user}?attributes=password"),
        format!("{device}?attributes=pin,PIN"),
        "/Users?attributes=password".into(),
    ] {
        let text = String::from_utf8(scim.get(&target).is(200).text).unwrap();
        assert!(!text.contains("t0p") && !text.contains("9876") && !text.contains("password"), "{text}");
    }
}

/// R-7644-3.9-13 R-7643-7-29
#[test]
fn what_is_returned_on_request_has_to_be_named() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"notes": "n", "place": {"room": "1", "code": "c"}})));
    scim.get(&path).lacks(&["/notes", "/place/code"]);
    scim.get("/Devices").lacks(&["/Resources/0/notes"]);
    scim.get(&format!("{path}?excludedAttributes=label")).lacks(&["/notes", "/place/code"]);
    scim.get(&format!("{path}?attributes=notes,place.code")).has(json!({"notes": "n", "place": {"code": "c"}}));
    scim.patch(&path, json!({"op": "replace", "path": "label", "value": "x"})).is(200).lacks(&["/notes"]);
}

/// R-7643-7-25 R-7644-3.4.2.5-04 R-7644-3.4-02 R-7644-3.9-01
#[test]
fn what_is_always_returned_cannot_be_left_out() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"badge": "b"})));
    for query in ["attributes=label", "excludedAttributes=badge", ""] {
        scim.get(&format!("{path}?{query}")).has(json!({"badge": "b"}));
    }
}

/// R-7644-3.9-16
#[test]
fn headers_do_not_depend_on_what_is_wanted() {
    let (scim, path) = ada();
    let (whole, part) = (scim.get(&path), scim.get(&format!("{path}?attributes=title")));
    for name in ["etag", "location"] {
        assert_eq!(whole.header(name), part.header(name));
        assert!(!part.header(name).is_empty(), "{name}");
    }
    let changed = scim.patch(&format!("{path}?attributes=title"), json!({"op": "add", "path": "title", "value": "x"}));
    assert_eq!(json!(changed.header("etag")), scim.get(&path).at("/meta/version"));
}

/// R-7644-3.9-02 R-7644-3.5.2-33 R-7644-3.5.2-34
#[test]
fn every_method_that_answers_with_a_resource_heeds_them() {
    let (scim, path) = ada();
    let change = json!({"op": "replace", "path": "title", "value": "Prof"});
    let patched = scim.patch(&format!("{path}?attributes=title"), change.clone()).is(200);
    assert_eq!(names(&patched.body), ["id", "schemas", "title"]);
    let replaced = scim.put(&format!("{path}?excludedAttributes=meta"), crate::scim::user(json!({}))).is(200);
    assert_eq!(names(&replaced.body), ["id", "schemas", "userName"]);
    let group = scim.group("g", &[&path]);
    let rename = json!({"op": "replace", "path": "displayName", "value": "h"});
    scim.patch(&format!("{group}?attributes=displayName"), rename.clone())
        .is(200)
        .has(json!({"displayName": "h"}))
        .lacks(&["/members"]);
    scim.patch(&format!("{group}?excludedAttributes=members"), rename).is(200).lacks(&["/members"]);
}

/// Memory, and how often it was asked for a group with its members and without them.
#[derive(Clone, Default)]
struct Asked {
    memory: MemoryStore,
    with_members: Arc<AtomicUsize>,
    without: Arc<AtomicUsize>,
}

impl Asked {
    fn note(&self, want: &Projection) {
        let count = if want.includes("members") { &self.with_members } else { &self.without };
        count.fetch_add(1, Ordering::SeqCst);
    }

    fn seen(&self) -> (usize, usize) {
        (self.with_members.swap(0, Ordering::SeqCst), self.without.swap(0, Ordering::SeqCst))
    }
}

impl Store for Asked {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.note(want);
        self.memory.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.note(&query.projection);
        self.memory.list(cx, ty, query).await
    }

    crate::scim::writes_to!(memory);
}

/// I-12
#[test]
fn a_store_is_not_asked_for_members_that_nobody_wants() {
    let store = Asked::default();
    let scim = Scim::of(Service::builder(BASE).resource(Group::resource_type(), store.clone()));
    let group = scim.group("g", &["/Users/1"]);
    store.seen();
    let search = json!({"schemas": [SEARCH], "excludedAttributes": ["members"]});
    let filtered = "/Groups?excludedAttributes=members&filter=displayName+eq+%22g%22";
    scim.get(&format!("{group}?excludedAttributes=members")).is(200).lacks(&["/members"]);
    scim.get("/Groups?excludedAttributes=members").is(200).lacks(&["/Resources/0/members"]);
    scim.get(filtered).is(200).has(json!({"totalResults": 1}));
    scim.get("/Groups?attributes=displayName").is(200).has(json!({"totalResults": 1}));
    scim.post("/Groups/.search", search).is(200).has(json!({"totalResults": 1}));
    assert_eq!(store.seen(), (0, 5));
    scim.get(&group).is(200).has(json!({"members": [{"value": "1"}]}));
    scim.get("/Groups").is(200).has(json!({"Resources": [{"members": [{"value": "1"}]}]}));
    assert_eq!(store.seen(), (2, 0));
}

/// I-12
#[test]
fn members_are_left_out_where_nobody_asks_for_them() {
    let (scim, path) = ada();
    let group = scim.group("g", &[&path]);
    scim.get(&format!("{group}?excludedAttributes=members")).is(200).lacks(&["/members"]);
    scim.get("/Groups?excludedAttributes=members").is(200).lacks(&["/Resources/0/members"]);
    scim.get("/Groups?attributes=members.value").is(200).lacks(&["/Resources/0/members/0/$ref"]);
}
