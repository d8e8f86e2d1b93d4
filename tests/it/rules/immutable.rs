//! What is immutable and what is required, in every shape that a schema may give it (RFC 7643 §7, RFC 7644 §3.5).

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{MemoryStore, ResourceType, Service, User};
use serde_json::{Value, json};

use super::custom_types::{BADGE, badge};
use crate::scim::{BASE, Scim, id_of, merged, user};

const THING: &str = "urn:example:params:scim:schemas:2.0:Thing";

fn references(name: &str) -> Attribute {
    Attribute::complex(name, [Attribute::string("value").case_exact(), Attribute::reference("$ref", ["User"])])
        .multi_valued()
}

fn things(more: impl IntoIterator<Item = Attribute>) -> Scim {
    let attributes = [
        Attribute::string("marks").multi_valued().immutable(),
        Attribute::complex("ims", [Attribute::string("value"), Attribute::string("type").immutable()]).multi_valued(),
        Attribute::decimal("rate").immutable(),
        Attribute::date_time("at").immutable(),
        Attribute::string("aliases").multi_valued().required(),
        Attribute::complex("place", [Attribute::string("site").immutable(), Attribute::string("floor").required()]),
        Attribute::complex("box", [Attribute::string("tags").multi_valued(), Attribute::string("label")]),
    ];
    let schema = Schema::new(THING, "Thing", attributes.into_iter().chain(more));
    let things = ResourceType::builder("Thing", "/Things", schema).build().unwrap();
    let store = MemoryStore::new();
    Scim::of(Service::builder(BASE).resource(User::resource_type(), store.clone()).resource(things, store))
}

fn thing(more: Value) -> Value {
    merged(json!({"schemas": [THING], "aliases": ["al"]}), more)
}

#[test]
fn an_immutable_list_stays() {
    let scim = things([]);
    let path = scim.create("/Things", thing(json!({"marks": ["m1", "m2"]})));
    for operation in [
        json!({"op": "replace", "path": "marks", "value": ["z"]}),
        json!({"op": "add", "path": "marks", "value": ["y"]}),
        json!({"op": "add", "value": {"marks": ["w"]}}),
        json!({"op": "remove", "path": "marks[value eq \"m1\"]"}),
        json!({"op": "remove", "path": "marks"}),
        json!({"op": "replace", "path": "marks", "value": []}),
    ] {
        scim.patch(&path, operation).refused(400, "mutability");
    }
    let stored = scim.get(&path).body;
    scim.patch(&path, json!({"op": "replace", "path": "marks", "value": ["M2", "m1"]})).is(200);
    scim.patch(&path, json!({"op": "add", "path": "marks", "value": ["M1"]})).is(200);
    assert_eq!(scim.get(&path).body, stored);
    let unset = scim.create("/Things", thing(json!({})));
    scim.patch(&unset, json!({"op": "add", "path": "marks", "value": ["y"]})).is(200).has(json!({"marks": ["y"]}));
}

#[test]
fn immutable_parts_of_the_values_of_a_list_stay() {
    let scim = things([]);
    let path = scim.create("/Things", thing(json!({"ims": [{"value": "1", "type": "t"}, {"value": "2"}]})));
    let one = "ims[value eq \"1\"]";
    for operation in [
        json!({"op": "replace", "path": format!("{one}.type"), "value": "q"}),
        json!({"op": "add", "path": one, "value": {"type": "r"}}),
        json!({"op": "replace", "path": "ims.type", "value": "s"}),
        json!({"op": "remove", "path": format!("{one}.type")}),
    ] {
        scim.patch(&path, operation).refused(400, "mutability");
    }
    scim.patch(&path, json!({"op": "add", "path": "ims[value eq \"2\"].type", "value": "u"})).is(200);
    scim.patch(&path, json!({"op": "remove", "path": one})).is(200).has(json!({"ims": [{"value": "2", "type": "u"}]}));
}

#[test]
fn immutable_values_are_compared_by_their_type() {
    let scim = things([]);
    let sent = json!({"rate": 1.0, "at": "2020-01-01T00:00:00Z", "marks": ["m1", "m2"]});
    let path = scim.create("/Things", thing(sent));
    let stored = scim.get(&path).body;
    let same = json!({"rate": 1, "at": "2020-01-01T01:00:00+01:00", "marks": ["m2", "M1"]});
    scim.put(&path, thing(same.clone())).is(200);
    scim.patch(&path, json!({"op": "replace", "value": same})).is(200);
    assert_eq!(scim.get(&path).body, stored);
    for other in [json!({"rate": 2}), json!({"at": "2020-01-01T01:00:00Z"}), json!({"marks": ["m1"]})] {
        scim.put(&path, thing(other.clone())).refused(400, "mutability");
        scim.patch(&path, json!({"op": "replace", "value": other})).refused(400, "mutability");
    }
}

#[test]
fn what_is_added_to_a_list_inside_a_value_joins_it() {
    let scim = things([]);
    let path = scim.create("/Things", thing(json!({"box": {"tags": ["a", "b"], "label": "l"}})));
    let has = |tags: Value| json!({"box": {"tags": tags, "label": "l"}});
    scim.patch(&path, json!({"op": "add", "path": "box.tags", "value": ["c", "A"]})).has(has(json!(["a", "b", "c"])));
    scim.patch(&path, json!({"op": "add", "path": "box", "value": {"tags": ["d"]}}))
        .has(has(json!(["a", "b", "c", "d"])));
    scim.patch(&path, json!({"op": "replace", "path": "box.tags", "value": ["e"]})).has(has(json!(["e"])));
}

#[test]
fn what_is_required_cannot_be_emptied_in_any_way() {
    let scim = things([references("crew").required()]);
    let ada = scim.user(json!({}));
    let crew = json!([{"value": id_of(&ada)}]);
    let path = scim.create("/Things", thing(json!({"crew": crew, "place": {"floor": "F"}})));
    for operation in [
        json!({"op": "remove", "path": "aliases"}),
        json!({"op": "remove", "path": "aliases[value eq \"al\"]"}),
        json!({"op": "replace", "path": "aliases", "value": []}),
        json!({"op": "replace", "path": "aliases", "value": null}),
        json!({"op": "replace", "path": "place", "value": {"floor": null, "site": "9"}}),
        json!({"op": "remove", "path": "crew"}),
        json!({"op": "remove", "path": format!("crew[value eq \"{}\"]", id_of(&ada))}),
        json!({"op": "remove", "path": "crew", "value": crew}),
        json!({"op": "replace", "path": "crew", "value": []}),
    ] {
        scim.patch(&path, operation).refused(400, "mutability");
    }
    scim.get(&path).has(json!({"crew": [{"value": id_of(&ada)}], "aliases": ["al"]}));
    let bob = scim.user(json!({"userName": "bob"}));
    scim.patch(
        &path,
        json!([{"op": "add", "path": "crew", "value": [{"value": id_of(&bob)}]},
            {"op": "remove", "path": format!("crew[value eq \"{}\"]", id_of(&ada))}]),
    );
    scim.get(&path).has(json!({"crew": [{"value": id_of(&bob)}]}));
}

#[test]
fn an_immutable_relation_stays() {
    let scim = things([references("pinned").immutable()]);
    let (ada, bob) = (scim.user(json!({})), scim.user(json!({"userName": "bob"})));
    let pinned = |path: &str| json!({"pinned": [{"value": id_of(path)}]});
    let path = scim.create("/Things", thing(pinned(&ada)));
    for operation in [
        json!({"op": "add", "value": pinned(&bob)}),
        json!({"op": "replace", "value": pinned(&bob)}),
        json!({"op": "remove", "path": "pinned"}),
        json!({"op": "remove", "path": format!("pinned[value eq \"{}\"]", id_of(&ada))}),
    ] {
        scim.patch(&path, operation).refused(400, "mutability");
    }
    scim.put(&path, thing(pinned(&bob))).refused(400, "mutability");
    for body in [thing(json!({})), thing(pinned(&ada))] {
        scim.put(&path, body).is(200);
        scim.get(&path).has(pinned(&ada));
    }
}

#[test]
fn what_is_left_out_keeps_what_its_immutable_part_needs() {
    let scim = things([]);
    let path = scim.create("/Things", thing(json!({"place": {"site": "S", "floor": "F"}})));
    scim.put(&path, thing(json!({}))).is(200).has(json!({"place": {"site": "S", "floor": "F"}}));
    let users = User::resource_type().extension(badge());
    let scim = Scim::of(Service::builder(BASE).resource(users, MemoryStore::new()));
    let kept = json!({BADGE: {"number": "7", "issued": "2020-01-01T00:00:00Z"}});
    let path = scim.user(kept.clone());
    let put = scim.put(&path, user(json!({}))).is(200).has(kept);
    scim.put(&path, put.body).is(200);
}
