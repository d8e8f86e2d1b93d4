//! References to what a bulk request creates (RFC 7644 §3.7.2), in each spelling that the service reads: resolved and in
//! order, or refused; never stored as they were sent, and never passed over.

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{EnterpriseUser, Extension, MemoryStore, ResourceType, Service, User};
use serde_json::{Value, json};

use crate::scim::{BASE, ENTERPRISE, GROUP, PATCH_OP, Scim, id_of, user};

/// What stands for the name in the tables below.
const NAME: &str = "bulkId:NAME";

/// Every way to say who somebody's manager is.
fn manager_patches() -> Vec<Value> {
    let reference = json!({"value": NAME});
    let upper = ENTERPRISE.to_uppercase();
    let at = |path: &str, value: &Value| json!({"op": "replace", "path": path, "value": value});
    let without = |key: &str, value: &Value| json!({"op": "add", "value": {key: value}});
    let mut all = vec![
        at(ENTERPRISE, &json!({"manager": reference})),
        at(ENTERPRISE, &json!({"manager": NAME})),
        at(ENTERPRISE, &json!({"manager": [reference]})),
        at(&upper, &json!({"MANAGER": {"VALUE": NAME}})),
        without(ENTERPRISE, &json!({"manager": reference})),
        without(ENTERPRISE, &json!({"manager": NAME})),
        without(&upper, &json!({"Manager": [{"Value": NAME}]})),
        json!({"op": "Replace", "path": "manager", "value": NAME}),
    ];
    let paths = [ENTERPRISE.to_owned() + ":manager", ENTERPRISE.to_owned() + ".manager", "manager".to_owned()];
    for path in &paths {
        let part = format!("{path}.value");
        all.extend([
            at(path, &reference),
            at(path, &json!(NAME)),
            at(path, &json!([reference])),
            at(&part, &json!(NAME)),
        ]);
        all.push(without(&part, &json!(NAME)));
        all.extend([without(path, &reference), without(path, &json!(NAME)), without(path, &json!([reference]))]);
    }
    all.extend([
        without(ENTERPRISE, &json!({"manager.value": NAME})),
        without("urn:scim:schemas:extension:enterprise:2.0", &json!({"manager": reference})),
        without("urn:scim:schemas:extension:enterprise:2.0:User", &json!({"manager": NAME})),
    ]);
    all
}

/// Every way to add a member.
fn additions() -> Vec<Value> {
    let reference = json!({"value": NAME});
    let mut all = Vec::new();
    for path in ["members".to_owned(), "MEMBERS".to_owned(), format!("{GROUP}:members")] {
        for value in
            [json!([reference]), reference.clone(), json!(NAME), json!([NAME]), json!([{"$ref": NAME, "value": NAME}])]
        {
            all.push(json!({"op": "add", "path": path, "value": value}));
            all.push(json!({"op": "Add", "value": {path.as_str(): value}}));
        }
    }
    all.push(json!({"op": "add", "path": "members", "value": {"value": NAME, "members": "x"}}));
    all
}

/// Every way to remove one.
fn removals() -> Vec<Value> {
    let reference = json!({"value": NAME});
    let wrapped = json!({"members": [reference]});
    let mut all = vec![json!({"op": "remove", "value": wrapped}), json!({"op": "remove", "value": {"Members": NAME}})];
    for path in ["members".to_owned(), format!("{GROUP}:members")] {
        for value in [
            json!([reference]),
            reference.clone(),
            json!(NAME),
            json!([NAME]),
            wrapped.clone(),
            json!({"MEMBERS": reference}),
        ] {
            all.push(json!({"op": "Remove", "path": path, "value": value}));
        }
        for filter in [
            format!("value eq \"{NAME}\""),
            format!("VALUE eq \"{NAME}\" or value eq \"x\""),
            format!("not (value ne \"{NAME}\")"),
            "value eq \"bulk\\u0049d:NAME\"".to_owned(),
        ] {
            all.push(json!({"op": "remove", "path": format!("{path}[{filter}]")}));
        }
    }
    all
}

/// A value with another name in it.
fn named(value: &Value, name: &str) -> Value {
    serde_json::from_str(&value.to_string().replace("NAME", name)).unwrap()
}

fn patch(path: &str, operation: &Value) -> Value {
    json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": [operation]}})
}

fn new_user(name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(json!({"userName": name}))})
}

/// Tries operations on one resource in front of the creation that they refer to, and with a name that nobody has. Says what the
/// resource holds under `pointer` then, and the id of what was created.
#[track_caller]
fn tried(scim: &Scim, path: &str, operations: &[&Value], pointer: &str) -> (Value, String) {
    let before = scim.get(path).is(200).body;
    for operation in operations {
        let answer = scim.bulk(json!([patch(path, &named(operation, "nobody"))]));
        assert_eq!(answer.statuses(), ["400"], "{operation}: {}", answer.body);
        assert_eq!(scim.get(path).body, before, "{operation}");
    }
    let mut all: Vec<Value> = operations.iter().map(|operation| patch(path, &named(operation, "new"))).collect();
    all.push(new_user("new"));
    let answer = scim.bulk(json!(all)).is(200);
    assert!(answer.statuses().iter().all(|status| status.starts_with('2')), "{operations:?}: {}", answer.body);
    let resource = scim.get(path).is(200).body;
    assert!(!resource.to_string().contains("bulkId"), "{operations:?}: {resource}");
    (resource.pointer(pointer).cloned().unwrap_or_default(), id_of(&answer.path_of(operations.len())).to_owned())
}

/// R-7644-3.7.2-03 R-7644-3.7.2-05 R-7644-3.7.2-06 R-7644-3.7.2-07
#[test]
fn a_manager_may_be_anybody_in_any_spelling() {
    for operation in manager_patches() {
        let scim = Scim::new();
        let path = scim.user(json!({}));
        let (manager, new) = tried(&scim, &path, &[&operation], &format!("/{ENTERPRISE}/manager/value"));
        assert_eq!(manager, json!(new), "{operation}");
    }
}

/// R-7644-3.7.2-05 R-7644-3.7.2-06 R-7644-3.7.2-07
#[test]
fn members_come_and_go_in_any_spelling() {
    let added = json!({"op": "add", "path": "members", "value": [{"value": NAME}]});
    for operation in additions() {
        let scim = Scim::new();
        let path = scim.group("g", &[]);
        let (members, new) = tried(&scim, &path, &[&operation], "/members");
        assert_eq!((&members[0]["value"], &members[1]), (&json!(new), &Value::Null), "{operation}");
    }
    for operation in removals() {
        let scim = Scim::new();
        let other = scim.user(json!({}));
        let path = scim.group("g", &[&other]);
        let (members, _) = tried(&scim, &path, &[&added, &operation], "/members");
        assert_eq!((&members[0]["value"], &members[1]), (&json!(id_of(&other)), &Value::Null), "{operation}");
    }
}

/// R-7644-3.7.2-07
#[test]
fn what_a_strict_service_does_not_read_it_does_not_store() {
    let scim = Scim::strict();
    let (path, group) = (scim.user(json!({})), scim.group("g", &[]));
    let patches = manager_patches().into_iter().map(|operation| (&path, operation));
    for (path, operation) in patches.chain(additions().into_iter().map(|operation| (&group, operation))) {
        scim.bulk(json!([patch(path, &named(&operation, "new")), new_user("new")])).is(200);
        let resource = scim.get(path).is(200).body;
        assert!(!resource.to_string().contains("bulkId"), "{operation}: {resource}");
    }
}

/// R-7644-3.7.2-02 R-7644-3.7.2-03
#[test]
fn bodies_refer_in_any_spelling() {
    let old = "urn:scim:schemas:extension:enterprise:2.0";
    let managers = [
        json!({ENTERPRISE: {"manager": {"value": NAME}}}),
        json!({ENTERPRISE: {"manager": NAME}}),
        json!({ENTERPRISE: {"manager": [{"value": NAME}]}}),
        json!({ENTERPRISE.to_lowercase(): {"MANAGER": {"Value": NAME}}}),
        json!({old: {"manager": {"value": NAME}}}),
        json!({old.to_uppercase(): {"manager": NAME}}),
    ];
    for more in &managers {
        // two in a circle, and a third that is replaced by way of its own reference
        let scim = Scim::new();
        let third = scim.user(json!({}));
        let body = |name: &str, by: &str| crate::scim::merged(user(json!({"userName": name})), named(more, by));
        let answer = scim.bulk(json!([
            {"method": "PUT", "path": third, "data": body("third", "b")},
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": body("a", "b")},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": body("b", "a")},
            {"method": "POST", "path": "/Users", "bulkId": "c", "data": body("c", "nobody")},
        ]));
        assert_eq!(answer.statuses(), ["200", "201", "201", "400"], "{more}: {}", answer.body);
        for (at, by) in [(0, 2), (1, 2), (2, 1)] {
            let manager = scim.get(&answer.path_of(at)).at(&format!("/{ENTERPRISE}/manager/value"));
            assert_eq!(manager, json!(id_of(&answer.path_of(by))), "{more}");
        }
    }
    for members in [json!([{"value": NAME}]), json!({"value": NAME}), json!(NAME), json!([NAME])] {
        let scim = Scim::new();
        let data = json!({"schemas": [GROUP], "displayName": "g", "Members": named(&members, "u")});
        let group = json!({"method": "POST", "path": "/Groups", "bulkId": "g", "data": data});
        let answer = scim.bulk(json!([group, new_user("u")]));
        assert_eq!(answer.statuses(), ["201", "201"], "{members}: {}", answer.body);
        let member = scim.get(&answer.path_of(0)).at("/members/0/value");
        assert_eq!(member, json!(id_of(&answer.path_of(1))), "{members}");
    }
}

/// R-7644-3.7.2-05 R-7644-3.7.2-08
#[test]
fn the_hosts_own_references_are_urls() {
    let badge = [Attribute::string("note"), Attribute::reference("owner", ["User"])];
    let schema = Schema::new(
        "urn:example:schemas:2.0:Desk",
        "Desk",
        [
            Attribute::reference("contact", ["User"]),
            Attribute::reference("friends", ["User"]).multi_valued(),
            Attribute::complex("badges", badge).multi_valued(),
        ],
    );
    let desk = ResourceType::builder("Desk", "/Desks", schema.clone());
    for (first, operation, pointer) in [
        (None, json!({"op": "add", "path": "contact", "value": NAME}), "/contact"),
        (None, json!({"op": "add", "value": {"contact": NAME}}), "/contact"),
        (None, json!({"op": "add", "path": "friends", "value": NAME}), "/friends/0"),
        (None, json!({"op": "add", "value": {"friends": [NAME]}}), "/friends/0"),
        (None, json!({"op": "add", "path": "badges", "value": [{"owner": NAME, "note": NAME}]}), "/badges/0/owner"),
        (
            Some(json!({"op": "add", "path": "badges", "value": [{"owner": NAME}]})),
            json!({"op": "replace", "value": {format!("badges[owner eq \"{NAME}\"].note"): "x"}}),
            "/badges/0/owner",
        ),
        (
            Some(json!({"op": "add", "path": "friends", "value": [NAME, "other"]})),
            json!({"op": "remove", "path": "friends[value eq \"other\"]"}),
            "/friends/0",
        ),
        (
            Some(json!({"op": "add", "path": "friends", "value": [NAME]})),
            json!({"op": "remove", "path": format!("friends[value eq \"{NAME}\"]")}),
            "/contact",
        ),
    ] {
        let store = MemoryStore::new();
        let users = User::resource_type().extension(EnterpriseUser::schema());
        let scim = Scim::of(Service::builder(BASE).resource(users, store.clone()).resource(desk.clone(), store));
        let path = scim.create("/Desks", json!({"schemas": [schema.id], "contact": "none"}));
        let mut all: Vec<Value> =
            first.iter().chain([&operation]).map(|operation| patch(&path, &named(operation, "new"))).collect();
        all.push(new_user("new"));
        let answer = scim.bulk(json!(all)).is(200);
        assert!(answer.statuses().iter().all(|status| status.starts_with('2')), "{operation}: {}", answer.body);
        let found = scim.get(&path).is(200);
        let expected = if pointer == "/contact" && first.is_some() {
            found.lacks(&["/friends"]);
            json!("none")
        } else {
            json!(format!("{BASE}{}", answer.path_of(all.len() - 1)))
        };
        assert_eq!(scim.get(&path).at(pointer), expected, "{operation}");
    }
}
