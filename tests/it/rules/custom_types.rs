//! Resource types and extensions of the host's own (RFC 7643 §3.2, §3.3, §6), with characteristics that users lack.

use scim_provider::schema::{Attribute, Schema, Uniqueness};
use scim_provider::{BuildError, Group, MemoryStore, ResourceType, Service, TenantId, User};
use serde_json::{Value, json};

use super::devices::{body, device};
use crate::scim::{BASE, DEVICE, GROUP, Scim, USER, merged, user};

pub(super) const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

/// An extension with something required, something unique and something that can be set once.
pub(super) fn badge() -> Schema {
    Schema::new(
        BADGE,
        "Badge",
        [
            Attribute::string("number").required().case_exact().unique(Uniqueness::Server),
            Attribute::string("colour"),
            Attribute::date_time("issued").immutable(),
        ],
    )
}

fn with_badge() -> Scim {
    Scim::of(Service::builder(BASE).resource(User::resource_type().required_extension(badge()), MemoryStore::new()))
}

/// R-7643-3.2-01 R-7644-3.2-01
#[test]
fn a_type_of_the_hosts_own_is_served_like_all_others() {
    let scim = Scim::new();
    let path = scim.create("/Devices", body(json!({"label": "a"})));
    scim.put(&path, body(json!({"label": "b"}))).is(200).has(json!({"label": "b", "schemas": [DEVICE]}));
    scim.get("/ResourceTypes/Device").is(200).has(json!({"endpoint": "/Devices", "schema": DEVICE}));
    scim.get(&format!("/Schemas/{DEVICE}")).is(200);
    scim.delete(&path).is(204);
}

/// R-7643-6-13 R-7644-3.5.1-13 R-7643-3.2-01
#[test]
fn an_extension_that_is_required_has_to_be_there() {
    let scim = with_badge();
    for incomplete in [json!({}), json!({BADGE: {}}), json!({BADGE: null}), json!({BADGE: {"colour": "red"}})] {
        scim.post("/Users", user(incomplete.clone())).refused(400, "invalidValue");
        let path = scim.create("/Users", user(json!({BADGE: {"number": "1"}})));
        scim.put(&path, user(incomplete)).refused(400, "invalidValue");
        scim.delete(&path).is(204);
    }
    scim.post("/Users", user(json!({BADGE: {"number": "1"}}))).is(201).has(json!({"schemas": [USER, BADGE]}));
}

/// R-7643-6-14 R-7643-6-11
#[test]
fn an_extension_that_is_optional_may_be_missing() {
    let scim = Scim::of(Service::builder(BASE).resource(User::resource_type().extension(badge()), MemoryStore::new()));
    scim.post("/Users", user(json!({}))).is(201).has(json!({"schemas": [USER]}));
    scim.post("/Users", user(json!({"userName": "b", BADGE: null}))).is(201).has(json!({"schemas": [USER]}));
    scim.post("/Users", user(json!({"userName": "c", BADGE: {"colour": "red"}}))).refused(400, "invalidValue");
}

/// R-7643-7-32 R-7643-7-17
#[test]
fn a_unique_value_is_unique_by_its_own_letter_case() {
    let scim = Scim::new();
    scim.post("/Devices", body(json!({}))).is(201);
    scim.post("/Devices", body(json!({}))).refused(409, "uniqueness");
    scim.post("/Devices", body(json!({"serial": "SN-1"}))).is(201).has(json!({"serial": "SN-1"}));
    let scim = with_badge();
    scim.post("/Users", user(json!({BADGE: {"number": "a"}}))).is(201);
    scim.post("/Users", user(json!({"userName": "b", BADGE: {"number": "a"}}))).refused(409, "uniqueness");
    scim.post("/Users", user(json!({"userName": "c", BADGE: {"number": "A"}}))).is(201);
}

/// R-7644-3.5.1-08 R-7644-3.5.1-10
#[test]
fn an_extensions_immutable_attribute_is_set_once() {
    let scim = with_badge();
    let path = scim.create("/Users", user(json!({BADGE: {"number": "1"}})));
    let issued = |at: &str| user(json!({BADGE: {"number": "1", "issued": at}}));
    scim.put(&path, issued("2026-01-01T00:00:00Z")).is(200);
    scim.put(&path, issued("2027-01-01T00:00:00Z")).refused(400, "mutability");
    let left_out = scim.put(&path, user(json!({BADGE: {"number": "1"}}))).is(200);
    left_out.has(json!({BADGE: {"issued": "2026-01-01T00:00:00Z"}}));
}

/// R-7643-7-32 R-7643-7-17
#[test]
fn what_is_shown_as_unique_is_unique_wherever_it_stands_and_nothing_else_is() {
    let unique = |attribute: Attribute| attribute.unique(Uniqueness::Server);
    let rack = Schema::new(
        "urn:example:Rack",
        "Rack",
        [
            Attribute::integer("slot").unique(Uniqueness::Server),
            Attribute::decimal("weight"),
            Attribute::string("keys").multi_valued(),
        ],
    );
    let users = User::resource_type()
        .extension(rack)
        .attribute("emails.value", unique)
        .attribute("urn:example:Rack:weight", unique)
        .attribute("URN:EXAMPLE:RACK:Keys", unique);
    let scim = Scim::of(
        Service::builder(BASE).resource(users, MemoryStore::new()).resource(Group::resource_type(), MemoryStore::new()),
    );
    let made = scim.create(
        "/Users",
        user(json!({"emails": [{"value": "A@x"}, {"value": "b@x"}],
        "urn:example:Rack": {"slot": 7, "weight": 1.5, "keys": ["k", "l"]}})),
    );
    for (more, free) in [
        (json!({"emails": [{"value": "c@x"}, {"value": "B@X"}]}), json!({"emails": [{"value": "d@x"}]})),
        (json!({"urn:example:Rack": {"slot": 7}}), json!({"urn:example:Rack": {"slot": 8}})),
        (json!({"urn:example:Rack": {"weight": 1.50}}), json!({"urn:example:Rack": {"weight": 15}})),
        (json!({"urn:example:Rack": {"keys": ["m", "L"]}}), json!({"urn:example:Rack": {"keys": ["n"]}})),
    ] {
        let named = |more: &Value| merged(user(json!({"userName": more.to_string()})), more.clone());
        scim.post("/Users", named(&more)).refused(409, "uniqueness");
        let other = scim.create("/Users", named(&free));
        scim.put(&other, named(&more)).refused(409, "uniqueness");
        scim.put(&other, named(&free)).is(200);
        scim.patch(&other, json!({"op": "replace", "value": more})).refused(409, "uniqueness");
    }
    assert!(scim.finds("/Users", r#"emails.value eq "B@x""#) && scim.finds("/Users", r#"emails[value eq "a@x"]"#));
    scim.patch(&made, json!({"op": "remove", "path": "emails[value eq \"b@x\"]"})).is(200);
    scim.post("/Users", user(json!({"userName": "c", "emails": [{"value": "b@x"}]}))).is(201);
    // the standard's schema says nothing of the names of groups
    let group = json!({"schemas": [GROUP], "displayName": "g"});
    scim.post("/Groups", group.clone()).is(201);
    scim.post("/Groups", group.clone()).is(201);
    let shown = |scim: &Scim| scim.get(&format!("/Schemas/{GROUP}")).at("/attributes/0/uniqueness");
    assert_eq!(shown(&scim), json!("none"));
    let scim = Scim::new();
    scim.post("/Groups", group.clone()).is(201);
    scim.post("/Groups", group).refused(409, "uniqueness");
    assert_eq!(shown(&scim), json!("server"));
}

#[test]
fn a_change_of_what_is_not_there_or_differs_is_refused_at_the_start() {
    for path in ["nothing", "emails.nothing", "urn:example:x:title", "externalId", ""] {
        let error = User::resource_type().attribute(path, |attribute| attribute).build().unwrap_err();
        assert_eq!(error.attribute(), Some(path));
    }
    let things = ResourceType::builder("Thing", "/Things", badge()).attribute("colour", Attribute::required);
    let builder = Service::<TenantId>::builder(BASE)
        .resource(User::resource_type().extension(badge()), MemoryStore::new())
        .resource(things, MemoryStore::new());
    assert!(matches!(builder.build(), Err(BuildError::Differing(id)) if id == BADGE));
}

/// R-7643-7-14
#[test]
fn a_part_that_is_required_has_to_be_in_each_value() {
    let scim = Scim::new();
    scim.post("/Devices", body(json!({"ports": [{"value": "1"}, {"type": "usb"}]}))).refused(400, "invalidValue");
    scim.post("/Devices", body(json!({"ports": [{"value": " "}]}))).refused(400, "invalidValue");
    scim.post("/Devices", body(json!({"ports": []}))).is(201);
}

/// R-7643-6-05 R-7643-6-08 R-7644-4-06 E-7644-06 E-7643-28
#[test]
fn a_type_has_a_name_and_an_endpoint_of_its_own() {
    let builder = || Service::<TenantId>::builder(BASE).resource(device(), MemoryStore::new());
    let other = |name: &str, endpoint: &str| ResourceType::builder(name, endpoint, badge());
    for (name, endpoint) in [("Device", "/Others"), ("Other", "/Devices"), ("Other", "devices")] {
        let refused = builder().resource(other(name, endpoint), MemoryStore::new()).build();
        assert!(matches!(refused, Err(BuildError::Endpoint(_))), "{name} {endpoint}");
    }
    for endpoint in ["/Schemas", "/me", "/Bulk", "/.search", "/", "/a/b", "/ServiceProviderConfig", "ResourceTypes"] {
        assert!(builder().resource(other("Other", endpoint), MemoryStore::new()).build().is_err(), "{endpoint}");
    }
    assert!(builder().resource(other("Other", "Others"), MemoryStore::new()).build().is_ok());
    // letter case tells names apart
    let scim = Scim::of(builder().resource(other("device", "/Others"), MemoryStore::new()));
    for (name, endpoint) in [("Device", "/Devices"), ("device", "/Others")] {
        scim.get(&format!("/ResourceTypes/{name}")).is(200).has(json!({"name": name, "endpoint": endpoint}));
    }
    let made = scim.create("/Others", json!({"schemas": [BADGE], "number": "1"}));
    scim.get(&made).has(json!({"meta": {"resourceType": "device"}}));
    let found = |name: &str| scim.filter("/", &format!("meta.resourceType eq \"{name}\"")).is(200).at("/totalResults");
    assert_eq!((found("device"), found("Device")), (json!(1), json!(0)));
    assert!(matches!(Service::<TenantId>::builder(BASE).build(), Err(BuildError::NoResourceType)));
}

/// R-7643-6-09
#[test]
fn an_endpoint_may_be_given_without_its_slash() {
    let ty = ResourceType::builder("Thing", "Things", badge());
    let scim = Scim::of(Service::builder(BASE).resource(ty, MemoryStore::new()));
    scim.get("/Things").is(200);
    scim.get("/ResourceTypes/Thing").has(json!({"endpoint": "/Things"}));
}

#[test]
fn a_broken_schema_is_not_served() {
    let broken = Schema::new("no uri", "x", [Attribute::string("a")]);
    let builder =
        Service::<TenantId>::builder(BASE).resource(ResourceType::builder("X", "/Xs", broken), MemoryStore::new());
    assert!(matches!(builder.build(), Err(BuildError::Schema(_))));
}
