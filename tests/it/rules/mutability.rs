//! `mutability`, `required` and `returned` wherever they may stand (RFC 7643 §7, RFC 7644 §3.5): lists, the values of lists and their
//! parts, relations to one resource and to several.

use scim_provider::schema::{Attribute, Returned, Schema};
use scim_provider::{MemoryStore, ResourceType, Service, User};
use serde_json::{Value, json};

use crate::scim::{Answer, BASE, Scim, id_of, merged};

const RACK: &str = "urn:example:params:scim:schemas:2.0:Rack";

fn relation(name: &str) -> Attribute {
    let parts = [Attribute::string("value").case_exact(), Attribute::reference("$ref", ["User"])];
    Attribute::complex(name, parts)
}

/// Racks: what is immutable is called so, what is required is, and `value` tells the values of lists apart.
fn racks() -> Scim {
    let values = |name: &str, part: Attribute| {
        Attribute::complex(name, [Attribute::string("value"), Attribute::string("note"), part]).multi_valued()
    };
    let always = |name: &str| Attribute::string(name).returned(Returned::Always);
    let attributes = [
        Attribute::string("name").required(),
        Attribute::string("marks").multi_valued().immutable(),
        Attribute::string("aliases").multi_valued().required(),
        values("slots", Attribute::string("once").immutable()),
        values("ports", Attribute::string("tags").multi_valued()),
        values("keyed", always("key")),
        Attribute::complex("place", [always("key"), Attribute::string("room"), Attribute::string("note")]),
        relation("maker").immutable(),
        relation("owners").multi_valued().required(),
        relation("builders").multi_valued().immutable(),
    ];
    let store = MemoryStore::new();
    let racks = ResourceType::builder("Rack", "/Racks", Schema::new(RACK, "Rack", attributes));
    Scim::of(Service::builder(BASE).resource(User::resource_type(), store.clone()).resource(racks, store))
}

/// A rack that has everything, the users that it refers to, and how to send it.
fn rack(scim: &Scim) -> (String, [String; 2], Value) {
    let users = ["ada", "bob"].map(|name| id_of(&scim.user(json!({"userName": name}))).to_owned());
    let to = |n: usize| json!({"value": users[n]});
    let body = json!({
        "schemas": [RACK], "name": "r", "marks": ["a", "b"], "aliases": ["x"],
        "slots": [{"value": "1", "once": "p"}, {"value": "2"}],
        "ports": [{"value": "1", "tags": ["t", "u"]}],
        "keyed": [{"value": "1", "note": "n", "key": "k"}], "place": {"key": "k", "room": "1", "note": "n"},
        "maker": to(0), "owners": [to(0)], "builders": [to(0), to(1)],
    });
    (scim.create("/Racks", body.clone()), users, body)
}

#[track_caller]
fn none_changes(operations: impl IntoIterator<Item = Value>, keyword: &str) {
    let mut wrong = Vec::new();
    for operation in operations {
        let scim = racks();
        let (path, ..) = rack(&scim);
        let before = scim.get(&path).body;
        let answer = scim.patch(&path, operation.clone());
        if (answer.status.as_u16(), &answer.at("/scimType")) != (400, &json!(keyword)) || scim.get(&path).body != before
        {
            wrong.push(format!("{operation}: {} {}", answer.status, answer.body));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn at(op: &str, path: &str, value: Value) -> Value {
    json!({"op": op, "path": path, "value": value})
}

/// R-7643-7-22 R-7644-3.5.2-18 R-7644-3.5.2.3-12 R-7644-3.5.2-16
#[test]
fn what_is_immutable_stays_wherever_it_stands() {
    let remove = |path: &str| json!({"op": "remove", "path": path});
    let other = json!({"value": "somebody"});
    none_changes(
        [
            at("add", "marks", json!(["c"])),
            at("replace", "marks", json!(["c"])),
            at("replace", "marks", json!([])),
            at("replace", "marks[value eq \"a\"]", json!("c")),
            json!({"op": "replace", "value": {"marks": ["a"]}}),
            json!({"op": "add", "value": {"marks": ["c"]}}),
            remove("marks"),
            remove("marks[value eq \"a\"]"),
            at("replace", "slots[value eq \"1\"].once", json!("q")),
            at("add", "slots[value eq \"1\"].once", json!("q")),
            at("add", "slots[value eq \"1\"]", json!({"once": "q"})),
            remove("slots[value eq \"1\"].once"),
            remove("slots.once"),
            at("replace", "slots.once", json!("q")),
            at("replace", "maker", other.clone()),
            at("add", "maker", other.clone()),
            at("replace", "maker.value", json!("somebody")),
            json!({"op": "replace", "value": {"maker": other}}),
            remove("maker"),
            remove("maker.value"),
            at("add", "builders", json!([other])),
            at("replace", "builders", json!([other])),
            at("replace", "builders", json!([])),
            remove("builders"),
            remove("builders[value eq \"x\" or value pr]"),
        ],
        "mutability",
    );
}

/// R-7644-3.5.1-08 R-7644-3.5.1-09 R-7644-3.5.1-11 R-7643-7-22
#[test]
fn a_put_changes_nothing_that_is_immutable() {
    let scim = racks();
    let (path, users, body) = rack(&scim);
    let before = scim.get(&path).body;
    let mut wrong = Vec::new();
    let mut put = |change: Value, expected: u16| -> Answer {
        let answer = scim.put(&path, merged(body.clone(), change.clone()));
        if answer.status != expected || (expected == 400 && answer.at("/scimType") != json!("mutability")) {
            wrong.push(format!("{change}: {} {}", answer.status, answer.body));
        }
        answer
    };
    for change in [
        json!({"marks": ["a"]}),
        json!({"marks": ["a", "b", "c"]}),
        json!({"marks": ["c"]}),
        json!({"slots": [{"value": "1", "once": "q"}, {"value": "2"}]}),
        json!({"maker": {"value": users[1]}}),
        json!({"builders": [{"value": users[0]}]}),
        json!({"builders": [{"value": users[0]}, {"value": users[1]}, {"value": "somebody"}]}),
    ] {
        put(change, 400);
    }
    // the same, in another order; and left out, it stays
    put(json!({"marks": ["b", "a"], "builders": [{"value": users[1]}, {"value": users[0]}]}), 200);
    let left_out = put(json!({"marks": null, "maker": null, "builders": null}), 200);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in ["marks", "maker", "builders"] {
        assert_eq!(left_out.body[name], before[name], "{name}");
    }
}

/// R-7644-3.5.2.2-08 R-7644-3.5.2-36 A-11
#[test]
fn what_is_required_cannot_be_removed_by_any_way() {
    let remove = |path: &str| json!({"op": "remove", "path": path});
    none_changes(
        [
            remove("aliases"),
            remove("aliases[value pr]"),
            remove("aliases[value eq \"x\"]"),
            at("remove", "aliases", json!(["x"])),
            at("replace", "aliases", json!([])),
            at("replace", "aliases", json!(null)),
            json!({"op": "replace", "value": {"aliases": []}}),
            remove("owners"),
            remove("owners[value pr]"),
            at("replace", "owners", json!([])),
            json!({"op": "replace", "value": {"owners": null}}),
        ],
        "mutability",
    );
}

/// R-7643-2.3.8-04 R-7644-3.5.2.1-07 R-7644-3.5.2.3-04 R-7644-3.5.2.2-04
#[test]
fn a_part_with_several_values_is_a_list() {
    let one = "ports[value eq \"1\"]";
    let tags = format!("{one}.tags");
    for (operation, expected) in [
        (at("add", &tags, json!(["v"])), json!(["t", "u", "v"])),
        (at("add", &tags, json!("v")), json!(["t", "u", "v"])),
        (at("add", &tags, json!(["u"])), json!(["t", "u"])),
        (at("add", one, json!({"tags": ["v"]})), json!(["t", "u", "v"])),
        (at("add", "ports.tags", json!(["v"])), json!(["t", "u", "v"])),
        (at("replace", &tags, json!(["v"])), json!(["v"])),
        (at("replace", &tags, json!([])), Value::Null),
        (json!({"op": "remove", "path": tags}), Value::Null),
    ] {
        let scim = racks();
        let (path, ..) = rack(&scim);
        assert!(scim.patch(&path, operation.clone()).status.is_success(), "{operation}");
        assert_eq!(scim.get(&path).at("/ports/0/tags"), expected, "{operation}");
    }
}

/// R-7643-7-25 R-7644-3.9-14 R-7644-3.4.2.5-04
#[test]
fn a_part_that_is_always_returned_comes_with_what_it_is_part_of() {
    let scim = racks();
    let (path, _, body) = rack(&scim);
    for (query, place, keyed) in [
        ("attributes=place.room,keyed.value", json!({"key": "k", "room": "1"}), json!({"key": "k", "value": "1"})),
        ("attributes=place.key,keyed.key", json!({"key": "k"}), json!({"key": "k"})),
        (
            "excludedAttributes=place.key,keyed.key,place.note,keyed.note",
            json!({"key": "k", "room": "1"}),
            json!({"key": "k", "value": "1"}),
        ),
    ] {
        for answer in [
            scim.get(&format!("{path}?{query}")),
            scim.put(&format!("{path}?{query}"), body.clone()),
            scim.patch(&format!("{path}?{query}"), at("replace", "name", json!("r"))),
        ] {
            let answer = answer.is(200);
            assert_eq!((answer.at("/place"), answer.at("/keyed/0")), (place.clone(), keyed.clone()), "{query}");
        }
    }
}

/// R-7643-7-24
#[test]
fn what_can_only_be_written_is_never_shown() {
    for returned in [Returned::Default, Returned::Always, Returned::Request] {
        for attribute in [
            Attribute::string("pin").write_only().returned(returned),
            Attribute::complex(
                "lock",
                [Attribute::string("code"), Attribute::string("pin").write_only().returned(returned)],
            ),
        ] {
            let schema = Schema::new("urn:example:Safe", "Safe", [Attribute::string("name"), attribute.clone()]);
            let Ok(ty) = ResourceType::builder("Safe", "/Safes", schema).build() else { continue };
            let scim = Scim::of(Service::builder(BASE).resource(ty, MemoryStore::new()));
            let body = json!({"schemas": ["urn:example:Safe"], "name": "n", "pin": "s3cret", "lock": {"code": "c", "pin": "s3cret"}});
            let made = scim.post("/Safes", body);
            let path = format!("/Safes/{}", made.id());
            for query in ["", "?attributes=pin,lock.pin,lock"] {
                assert!(
                    !String::from_utf8(scim.get(&format!("{path}{query}")).text).unwrap().contains("s3cret"),
                    "{attribute:?}"
                );
            }
            assert!(!String::from_utf8(made.text).unwrap().contains("s3cret"), "{attribute:?}");
        }
    }
}
