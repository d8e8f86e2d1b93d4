//! Schemas and their defaults (RFC 7643 §2.2, §7), and the attribute `schemas` (§3, §3.3).

use scim_provider::schema::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};
use scim_provider::{Extension, Group, Resource, ResourceType, User};
use serde_json::{Value, json};

use super::devices;
use crate::scim::{DEVICE, ENTERPRISE, GROUP, Scim, USER, user};

fn attribute(definition: Value) -> Attribute {
    serde_json::from_value(definition).unwrap()
}

/// R-7643-2.2-01 R-7643-2.2-02 R-7643-2.2-03 R-7643-2.2-04 R-7643-2.2-05 R-7643-2.2-06 R-7643-2.2-07 R-7643-1.1-02
#[test]
fn what_a_definition_leaves_out_has_a_default() {
    let plain = attribute(json!({"name": "a"}));
    assert_eq!((plain.kind, plain.multi_valued, plain.required), (AttributeType::String, false, false));
    assert_eq!((plain.case_exact, plain.mutability), (false, Mutability::ReadWrite));
    assert_eq!((plain.returned, plain.uniqueness), (Returned::Default, Uniqueness::None));
    assert!(plain.canonical_values.is_empty() && plain.sub_attributes.is_empty());
    assert_eq!(plain, Attribute::string("a"));
}

/// R-7643-7-08 E-7643-03 E-7643-24 R-7643-2.3-01
#[test]
fn there_are_eight_types() {
    for name in ["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"] {
        assert!(serde_json::from_value::<Attribute>(json!({"name": "a", "type": name})).is_ok(), "{name}");
    }
    assert!(serde_json::from_value::<Attribute>(json!({"name": "a", "type": "text"})).is_err());
}

/// R-7643-2.3.8-03 R-7643-1.2-04 R-7643-7-09 E-7643-23 R-7643-7-10 R-7643-1.2-01
#[test]
fn a_schema_nests_one_level() {
    let check = |attribute: Attribute| Schema::new("urn:example:x", "x", [attribute]).check().is_ok();
    assert!(check(Attribute::complex("a", [Attribute::string("b")])));
    assert!(!check(Attribute::complex("a", [Attribute::complex("b", [Attribute::string("c")])])));
    assert!(!check(Attribute::complex("a", [])), "complex without parts");
    let reference = Attribute::reference("b", ["external"]);
    let [time, binary, truth] = [Attribute::date_time("c"), Attribute::binary("d"), Attribute::boolean("e")];
    let numbers = [Attribute::decimal("f"), Attribute::integer("g")];
    for simple in [Attribute::string("h"), reference, time, binary, truth].into_iter().chain(numbers) {
        for mut simple in [simple.clone(), simple.multi_valued()] {
            assert!(check(simple.clone()) && check(Attribute::complex("a", [simple.clone()])), "{simple:?}");
            simple.sub_attributes.push(Attribute::string("part"));
            assert!(!check(simple.clone()) && !check(Attribute::complex("a", [simple.clone()])), "{simple:?}");
        }
    }
    let builder = ResourceType::builder(
        "X",
        "/Xs",
        Schema::new(
            "urn:example:x",
            "x",
            [Attribute::complex("a", [Attribute::complex("b", [Attribute::string("c")])])],
        ),
    );
    assert!(builder.build().is_err());
}

/// R-7643-2.3.8-04
#[test]
fn a_part_may_have_several_values() {
    let scim = Scim::new();
    let path = scim.create("/Devices", devices::body(json!({"ports": [{"value": "1", "tags": ["x", "y"]}]})));
    assert!(scim.finds("/Devices", r#"ports[tags eq "y"]"#) && scim.finds("/Devices", r#"ports.tags eq "y""#));
    scim.get(&path).has(json!({"ports": [{"tags": ["x", "y"]}]}));
}

/// R-7643-2.3.7-06 R-7643-7-34
#[test]
fn only_references_name_what_they_refer_to() {
    let manual = devices::schema().attributes.iter().find(|a| a.name == "manual").cloned().unwrap();
    assert_eq!(manual.reference_types, ["external"]);
    let mut text = Attribute::string("a");
    text.reference_types.push("User".to_owned());
    assert!(Schema::new("urn:example:x", "x", [text]).check().is_err());
    let scim = Scim::new();
    let types = scim.get("/ResourceTypes").each("name");
    let mut references = 0;
    let mut level: Vec<Value> = scim.get("/Schemas").at("/Resources").as_array().unwrap().clone();
    while let Some(of) = level.pop() {
        let Some(kind) = of["type"].as_str() else {
            level.extend(of["attributes"].as_array().unwrap().iter().cloned());
            continue;
        };
        level.extend(of["subAttributes"].as_array().into_iter().flatten().cloned());
        let named = of["referenceTypes"].as_array();
        assert_eq!(named.is_some_and(|named| !named.is_empty()), kind == "reference", "{of}");
        for name in named.into_iter().flatten().map(|name| name.as_str().unwrap()) {
            assert!(["external", "uri"].contains(&name) || types.iter().any(|known| known == name), "{of}");
            references += 1;
        }
    }
    assert!(references > 10, "{references}");
}

/// R-7643-7-06 R-7643-7-11 R-7643-7-12 R-7643-7-05
#[test]
fn a_schema_survives_the_way_to_json_and_back() {
    let schema = devices::schema();
    assert_eq!(schema.id, DEVICE);
    let json = serde_json::to_value(&schema).unwrap();
    assert_eq!(serde_json::from_value::<Schema>(json.clone()).unwrap(), schema);
    // a part is written as an attribute is
    for simple in schema.attributes.iter().filter(|attribute| attribute.kind != AttributeType::Complex) {
        let whole = Attribute::complex("whole", [simple.clone()]);
        let both = serde_json::to_value(Schema::new("urn:example:x", "x", [simple.clone(), whole])).unwrap();
        assert_eq!(both["attributes"][0], both["attributes"][1]["subAttributes"][0]);
        assert!(both["attributes"][0]["multiValued"].is_boolean(), "{simple:?}");
    }
    for plural in [json!("yes"), json!(1), json!("true")] {
        assert!(serde_json::from_value::<Attribute>(json!({"name": "a", "multiValued": plural})).is_err(), "{plural}");
    }
}

/// R-7643-3.1-01 R-7643-3.1-03 R-7643-3-05 R-7643-3.1-11 R-7643-3.1-16 R-7643-3.1-18 R-7643-3.1-25
/// R-7643-3.1-19
#[test]
fn common_attributes_belong_to_every_type() {
    for ty in [devices::devices(), User::resource_type().build().unwrap(), Group::resource_type().build().unwrap()] {
        common_attributes(&ty);
    }
}

fn common_attributes(ty: &ResourceType) {
    let find = |path: &str| {
        let path = scim_provider::AttrPath::parse(path).unwrap();
        ty.resolve(&path).map(|found| found.definition().clone()).unwrap()
    };
    let id = find("id");
    assert!(id.case_exact && id.mutability == Mutability::ReadOnly && id.returned == Returned::Always);
    let external = find("externalId");
    assert!(external.case_exact && !external.required && external.mutability == Mutability::ReadWrite);
    assert_eq!((external.returned, external.uniqueness), (Returned::Default, Uniqueness::None));
    for name in ["meta.resourceType", "meta.created", "meta.lastModified", "meta.location", "meta.version"] {
        let part = find(name);
        assert_eq!((part.mutability, part.returned), (Mutability::ReadOnly, Returned::Default), "{name}");
    }
    assert!(find("meta.version").case_exact && find("meta.resourceType").case_exact);
}

/// R-7643-3.1-03 R-7643-3-05
#[test]
fn common_attributes_need_no_schema() {
    let scim = Scim::strict();
    for (endpoint, urn, body) in [
        ("/Users", USER, user(json!({}))),
        ("/Groups", GROUP, json!({"schemas": [GROUP], "displayName": "g"})),
        ("/Devices", DEVICE, devices::body(json!({}))),
    ] {
        let made = scim.create(endpoint, crate::scim::merged(body, json!({"externalId": "e"})));
        let found = scim.get(&made).has(json!({"schemas": [urn], "externalId": "e", "id": crate::scim::id_of(&made)}));
        assert!(found.at("/meta/created").is_string(), "{}", found.body);
        for name in ["externalId pr", "id pr", "meta.created pr"] {
            assert!(scim.finds(endpoint, name), "{name}");
        }
    }
}

/// R-7643-3-01 R-7643-2.1-01 R-7644-3.1-02 R-7643-3.3-02 R-7643-3.1-06
#[test]
fn each_answer_with_a_resource_says_its_schemas_and_its_id() {
    let scim = Scim::new();
    let user = |name: &str| user(json!({"userName": name, "title": "Dr"}));
    for query in ["", "?attributes=title", "?excludedAttributes=schemas,id", "?attributes=nothing"] {
        let made = scim.post(&format!("/Users{query}"), user("ada")).is(201);
        let path = format!("/Users/{}", made.id());
        let change = json!({"op": "add", "path": "nickName", "value": "a"});
        let answers = [
            scim.get(&format!("{path}{query}")),
            scim.put(&format!("{path}{query}"), user("bea")),
            scim.patch(&format!("{path}{query}"), change),
        ];
        for answer in answers.into_iter().chain([made]) {
            answer.has(json!({"schemas": [USER], "id": crate::scim::id_of(&path)}));
        }
        let search = json!({"schemas": [crate::scim::SEARCH], "excludedAttributes": ["schemas", "id"]});
        for list in [
            scim.get(&format!("/Users{query}")),
            scim.get(&format!("/{query}")),
            scim.post("/Users/.search", search.clone()),
            scim.post("/.search", search),
        ] {
            list.is(200).has(json!({"Resources": [{"schemas": [USER], "id": crate::scim::id_of(&path)}]}));
        }
        scim.delete(&path).is(204);
    }
}

/// R-7643-3.1-04 R-7643-3.1-05
#[test]
fn a_schema_that_lists_a_common_attribute_does_not_change_it() {
    let schema = Schema::new("urn:example:x", "x", [Attribute::integer("externalId"), Attribute::string("id")]);
    let ty = ResourceType::builder("X", "/Xs", schema).build().unwrap();
    let body = br#"{"schemas": ["urn:example:x"], "externalId": "e1", "id": "mine"}"#;
    let parsed = Resource::parse(&ty, body).unwrap();
    assert_eq!((parsed.text("externalId").as_deref(), parsed.id()), (Some("e1"), None));
}

/// R-7643-3.3-01 R-7643-3.3-04
#[test]
fn an_extension_adds_and_never_takes_away() {
    let twice = User::resource_type().extension(scim_provider::EnterpriseUser::schema());
    assert!(twice.extension(scim_provider::EnterpriseUser::schema()).build().is_err(), "the same extension twice");
    let odd = Schema::new("urn:example:odd", "odd", [Attribute::integer("userName")]);
    let ty = User::resource_type().extension(odd).build().unwrap();
    let body = json!({"schemas": [USER], "userName": "ada", "urn:example:odd": {"userName": 7}});
    let parsed = Resource::parse(&ty, body.to_string().as_bytes()).unwrap();
    assert_eq!(parsed.text("userName").as_deref(), Some("ada"));
}

/// R-7643-3-01 R-7643-2.1-01 R-7644-3.1-02 R-7643-3.3-02 R-7643-3-06 A-45
#[test]
fn every_resource_names_its_schemas() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for query in ["", "?attributes=title", "?excludedAttributes=schemas"] {
        scim.get(&format!("{path}{query}")).is(200).has(json!({"schemas": [USER]}));
    }
    let strict = Scim::strict();
    for schemas in [json!(null), json!([]), json!([ENTERPRISE]), json!([GROUP])] {
        strict.post("/Users", json!({"schemas": schemas, "userName": "bob"})).refused(400, "invalidSyntax");
    }
    strict.post("/Users", json!({"userName": "bob"})).refused(400, "invalidSyntax");
    // what says that it is something else is not taken for a user
    for schemas in [json!([GROUP]), json!(["urn:example:2.0:User"]), json!([crate::scim::PATCH_OP])] {
        scim.post("/Users", json!({"schemas": schemas, "userName": "bob"})).refused(400, "invalidSyntax");
    }
}

/// R-7643-3-02
#[test]
fn a_schema_is_named_once() {
    let scim = Scim::strict();
    let path = scim.user(json!({ENTERPRISE: {"division": "x"}}));
    for twice in [json!([USER, USER.to_uppercase()]), json!([USER, ENTERPRISE, ENTERPRISE.to_lowercase()])] {
        scim.post("/Users", json!({"schemas": twice, "userName": "bob"})).refused(400, "invalidSyntax");
        scim.put(&path, json!({"schemas": twice, "userName": "ada"})).refused(400, "invalidSyntax");
    }
    for again in [json!([USER]), json!([ENTERPRISE.to_uppercase()]), json!([ENTERPRISE, USER])] {
        let patched = scim.patch(&path, json!({"op": "add", "path": "schemas", "value": again})).is(200);
        patched.has(json!({"schemas": [USER, ENTERPRISE]}));
    }
}

/// R-7643-3-03
#[test]
fn a_foreign_schema_is_refused_by_a_strict_service() {
    let scim = Scim::strict();
    scim.post("/Users", json!({"schemas": [USER, "urn:example:other"], "userName": "ada"}))
        .refused(400, "invalidSyntax");
    scim.post("/Users", json!({"schemas": [USER, GROUP], "userName": "ada"})).refused(400, "invalidSyntax");
    let path = scim.user(json!({}));
    scim.put(&path, json!({"schemas": [USER, DEVICE], "userName": "ada"})).refused(400, "invalidSyntax");
}

/// R-7644-3.3-13
#[test]
fn schemas_that_are_missing_or_unknown_are_refused_by_a_strict_service() {
    let scim = Scim::strict();
    let path = scim.user(json!({}));
    let mut bodies = vec![json!({"userName": "ada"})];
    let wrong = [json!(null), json!([]), json!(USER), json!({}), json!([7]), json!([ENTERPRISE]), json!([GROUP])];
    bodies.extend(wrong.map(|schemas| json!({"schemas": schemas, "userName": "ada"})));
    for body in bodies {
        scim.post("/Users", body.clone()).refused(400, "invalidSyntax");
        scim.put(&path, body).refused(400, "invalidSyntax");
    }
    scim.get("/Users").has(json!({"totalResults": 1}));
}

/// R-7643-3-04 R-7643-3.3-03
#[test]
fn the_order_of_schemas_means_nothing() {
    let scim = Scim::strict();
    for schemas in [json!([USER, ENTERPRISE]), json!([ENTERPRISE, USER])] {
        let body = json!({"schemas": schemas, "userName": schemas.to_string(), ENTERPRISE: {"division": "x"}});
        scim.post("/Users", body).is(201).has(json!({"schemas": [USER, ENTERPRISE]}));
    }
}

/// R-7643-3.3-08 R-7643-3-07 A-20
#[test]
fn schemas_follow_from_the_data() {
    let scim = Scim::strict();
    let with_data = user(json!({"userName": "a", ENTERPRISE: {"division": "x"}}));
    scim.post("/Users", with_data).is(201).has(json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"division": "x"}}));
    let without = json!({"schemas": [USER, ENTERPRISE], "userName": "b", ENTERPRISE: {}});
    scim.post("/Users", without).is(201).has(json!({"schemas": [USER]})).lacks(&[&format!("/{ENTERPRISE}")]);
}

/// R-7643-3-08 R-7643-3.3-06
#[test]
fn the_resource_type_decides_what_is_known() {
    let scim = Scim::new();
    let path = scim.user(json!({"serial": "x", "members": [{"value": "1"}]}));
    scim.get(&path).lacks(&["/serial", "/members"]).has(json!({"meta": {"resourceType": "User"}}));
}
