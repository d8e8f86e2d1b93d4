//! What is asked of every client alike: which lists are refused, what is left out and told, what a message says.

use scim_provider::{Compat, Group, Leniency, MemoryStore, Service, UnknownAttributes, User};
use serde_json::{Value, json};

use crate::scim::{Answer, BASE, ENTERPRISE, GROUP, PATCH_OP, Scim, USER, id_of, user};

fn group(members: Value) -> Value {
    json!({"schemas": [GROUP], "displayName": "g", "members": members})
}

/// A member that names nobody is a mistake, and not the wish to empty a group.
#[test]
fn a_list_without_a_usable_reference_is_refused_in_each_way_to_send_it() {
    let scim = Scim::new();
    let ada = scim.user(json!({}));
    let path = scim.group("g", &[&ada]);
    for members in [
        json!([{}]),
        json!([null]),
        json!([{"id": "26"}]),
        json!([{"value": null}, {"value": ""}]),
        json!([{"display": "Ada"}]),
        json!([""]),
        json!({}),
        json!({"id": "26"}),
    ] {
        let mut answers = vec![scim.put(&path, group(members.clone())), scim.post("/Groups", group(members.clone()))];
        for op in ["add", "replace", "remove"] {
            answers.push(scim.patch(&path, json!({"op": op, "path": "members", "value": members})));
        }
        for op in ["add", "replace"] {
            answers.push(scim.patch(&path, json!({"op": op, "value": {"members": members}})));
        }
        for answer in answers {
            let answer = answer.refused(400, "invalidValue");
            assert!(answer.at("/detail").as_str().unwrap().contains("`members"), "{members}: {}", answer.body);
        }
        scim.get(&path).is(200).has(json!({"members": [{"value": id_of(&ada)}]}));
    }
}

/// What is empty by itself is a wish.
#[test]
fn an_empty_list_empties_and_adds_nothing() {
    let scim = Scim::new();
    let ada = scim.user(json!({}));
    let path = scim.group("g", &[&ada]);
    scim.patch(&path, json!({"op": "add", "path": "members", "value": []})).is(204);
    scim.get(&path).has(json!({"members": [{"value": id_of(&ada)}]}));
    scim.put(&path, group(json!([]))).is(200).has(json!({"members": []}));
}

#[test]
fn a_reference_is_no_json_in_a_text() {
    let scim = Scim::new();
    let text = json!({"value": "26"}).to_string();
    let list = json!([{"value": "26"}]).to_string();
    let path = scim.group("g", &[]);
    for value in [json!([text]), json!(list), json!(format!(" {text}"))] {
        for answer in [
            scim.post("/Groups", group(value.clone())),
            scim.patch(&path, json!({"op": "add", "path": "members", "value": value})),
            scim.patch(&path, json!({"op": "remove", "path": "members", "value": value})),
        ] {
            let answer = answer.refused(400, "invalidValue");
            assert!(answer.at("/detail").as_str().unwrap().contains("JSON in a string"), "{}", answer.body);
        }
    }
    scim.post("/Users", user(json!({ENTERPRISE: {"manager": text}}))).refused(400, "invalidValue");
    // braces alone are no JSON: directories write ids like that
    scim.put(&path, group(json!(["{6B29FC40}"]))).is(200).has(json!({"members": [{"value": "{6B29FC40}"}]}));
}

/// RFC 7644 §3.5.2.2: without a value all of a list goes; one that says nothing is none.
#[test]
fn what_remove_says_nothing_about_goes_as_a_whole_and_what_it_names_in_vain_stays() {
    let scim = Scim::new();
    let emails = json!([{"value": "a@x"}, {"value": "b@x", "type": "work"}]);
    for value in [json!(null), json!("")] {
        let path = scim.user(json!({"emails": emails}));
        scim.patch(&path, json!({"op": "remove", "path": "emails", "value": value})).is(200).lacks(&["/emails"]);
        scim.delete(&path).is(204);
    }
    let path = scim.user(json!({"emails": emails}));
    for value in [json!([]), json!({}), json!([{}]), json!({"value": null}), json!([null])] {
        scim.patch(&path, json!({"op": "remove", "path": "emails", "value": value})).refused(400, "invalidValue");
    }
    scim.get(&path).has(json!({"emails": emails}));
}

#[test]
fn a_request_of_which_no_operation_is_left_is_refused() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let remove = json!({"op": "remove", "path": "companyName"});
    let refused = scim.patch(&path, json!([remove, {"op": "add", "path": "name.nick", "value": "x"}]));
    assert_eq!(
        refused.refused(400, "invalidPath").at("/detail"),
        json!("operation 1: attribute `companyName` is not known")
    );
    let done = scim.patch(&path, json!([remove, {"op": "add", "path": "title", "value": "x"}])).is(200);
    assert_eq!(done.exchange.ignored, ["companyName"]);
    // a filter that cannot be understood is no attribute that the schema lacks
    let filter = json!({"op": "add", "path": "emails[nick eq \"x\"].value", "value": "x"});
    scim.patch(&path, json!([filter, {"op": "add", "path": "title", "value": "y"}])).refused(400, "invalidFilter");
    scim.get(&path).has(json!({"title": "x"}));
}

#[test]
fn a_path_that_the_schema_lacks_is_treated_as_such_an_attribute_is() {
    let operations = json!([
        {"op": "add", "path": "title", "value": "x"},
        {"op": "add", "path": "companyName", "value": {"a": [1]}},
        {"op": "add", "path": format!("{ENTERPRISE}:badge"), "value": 7},
    ]);
    let of = |unknown| Scim::with(|builder| builder.unknown_attributes(unknown));
    let scim = of(UnknownAttributes::Keep);
    let path = scim.user(json!({}));
    let kept = json!({"companyName": {"a": [1]}, ENTERPRISE: {"badge": 7}});
    scim.patch(&path, operations.clone()).is(200).has(kept);
    scim.patch(&path, json!({"op": "remove", "path": "companyName"})).is(200).lacks(&["/companyName"]);
    let scim = of(UnknownAttributes::Refuse);
    let path = scim.user(json!({}));
    scim.patch(&path, operations).refused(400, "invalidPath");
}

#[test]
fn what_is_left_out_is_told_by_path_and_never_more_than_64_of_it() {
    let scim = Scim::new();
    let more = json!({
        "companyName": "x", "name": {"nick": "x"}, "emails": [{"value": "a@x", "verified": true}],
        "urn:scim:wso2:schema": {"country": "x"}, ENTERPRISE: {"badge": "x"}, "ada@example.com": 1, "id": "x", "meta": {},
    });
    let created = scim.post("/Users", user(more.clone())).is(201);
    let told =
        ["companyName", "name.nick", "emails.verified", "urn:scim:wso2:schema", &format!("{ENTERPRISE}:badge"), "?"];
    let mut ignored = created.exchange.ignored.clone();
    ignored.sort();
    let mut told = told.map(str::to_owned).to_vec();
    told.sort();
    assert_eq!(ignored, told);
    let path = format!("/Users/{}", created.id());
    let mut patched = scim.patch(&path, json!({"op": "add", "value": more})).is(200).exchange.ignored;
    patched.sort();
    assert_eq!(patched, told);
    let many: serde_json::Map<String, Value> = (0..200).map(|n| (format!("a{n}"), json!(n))).collect();
    let created = scim.post("/Users", crate::scim::merged(user(json!({"userName": "b"})), Value::Object(many))).is(201);
    assert_eq!(created.exchange.ignored.len(), 64);
    assert_eq!(scim.post("/Users", user(json!({"userName": "c"}))).is(201).exchange.ignored, [""; 0]);
}

/// RFC 7643 §2.4: the same type and value are not there twice.
#[test]
fn a_repeated_type_and_value_is_one() {
    let scim = Scim::new();
    let work = |more: Value| crate::scim::merged(json!({"value": "c@x", "type": "work"}), more);
    let twice =
        json!([work(json!({})), {"value": "c@x", "type": "home"}, work(json!({"primary": true, "display": "C"}))]);
    let once = json!([work(json!({"primary": true, "display": "C"})), {"value": "c@x", "type": "home"}]);
    let created = scim.post("/Users", user(json!({"emails": twice}))).is(201);
    let holds = |answer: &Answer| {
        let mut found = answer.at("/emails");
        for email in found.as_array_mut().unwrap() {
            email.as_object_mut().unwrap().retain(|_, value| *value != json!(false));
        }
        assert_eq!(found, once, "{}", answer.body);
    };
    holds(&created);
    let path = format!("/Users/{}", created.id());
    holds(&scim.put(&path, user(json!({"emails": twice}))).is(200));
    holds(&scim.patch(&path, json!({"op": "replace", "path": "emails", "value": twice})).is(200));
    let emails = json!([work(json!({})), {"value": "c@x", "type": "home"}]);
    scim.put(&path, user(json!({"emails": emails}))).is(200);
    let add = json!({"op": "add", "path": "emails", "value": [work(json!({"primary": true, "display": "C"}))]});
    holds(&scim.patch(&path, add.clone()).is(200));
    let version = scim.get(&path).at("/meta/version");
    assert_eq!(scim.patch(&path, add).is(200).at("/meta/version"), version);
}

#[test]
fn primary_can_be_said_of_one_value_only() {
    let scim = Scim::new();
    let emails = json!([{"value": "a@x"}, {"value": "b@x"}]);
    let path = scim.user(json!({"emails": emails}));
    for (at, value) in [
        ("emails.primary", json!(true)),
        ("emails[value co \"@x\"].primary", json!(true)),
        ("emails[value co \"@x\"]", json!({"primary": true})),
    ] {
        for op in ["add", "replace"] {
            let answer = scim.patch(&path, json!({"op": op, "path": at, "value": value})).refused(400, "invalidValue");
            assert!(answer.at("/detail").as_str().unwrap().contains("2 values"), "{}", answer.body);
        }
    }
    scim.patch(&path, json!({"op": "replace", "path": "emails[value eq \"b@x\"].primary", "value": true})).is(200);
    scim.patch(&path, json!({"op": "replace", "path": "emails.primary", "value": false})).is(200);
}

/// RFC 7644 §3.5.1: what is readOnly is ignored, whatever it holds.
#[test]
fn a_display_of_another_type_is_ignored() {
    let scim = Scim::new();
    for display in [json!(5), json!({}), json!([1]), json!(true), json!(null)] {
        let members = json!([{"value": "26", "display": display}]);
        let created = scim.post("/Groups", group(members.clone())).is(201).lacks(&["/members/0/display"]);
        let path = format!("/Groups/{}", created.id());
        scim.put(&path, group(members.clone())).is(200).lacks(&["/members/0/display"]);
        scim.patch(&path, json!({"op": "replace", "path": "members", "value": members})).is(204);
        scim.delete(&path).is(204);
    }
}

/// `/Groups` of a store with the members in rows of their own, and one that has the whole group.
#[test]
fn a_group_without_members_says_so_in_every_answer_that_would_hold_them() {
    let scim = Scim::new();
    let created =
        scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "g"})).is(201).has(json!({"members": []}));
    let path = format!("/Groups/{}", created.id());
    let empty = json!({"displayName": "g", "members": []});
    let text = String::from_utf8(created.text.clone()).unwrap();
    assert!(text.find("\"members\":[]") < text.find("\"meta\""), "{text}");
    scim.get(&path).is(200).has(empty.clone());
    scim.get(&format!("{path}?attributes=members")).is(200).has(json!({"members": []}));
    scim.get(&format!("{path}?attributes=members.value,displayName")).is(200).has(empty.clone());
    scim.put(&path, json!({"schemas": [GROUP], "displayName": "g"})).is(200).has(empty.clone());
    let shown = format!("{path}?attributes=displayName,members");
    scim.patch(&shown, json!({"op": "add", "path": "externalId", "value": "x"})).is(200).has(empty.clone());
    scim.get("/Groups").is(200).has(json!({"Resources": [empty]}));
    scim.get("/?filter=displayName+eq+%22g%22").is(200).has(json!({"Resources": [empty]}));
    let search = json!({"schemas": [crate::scim::SEARCH], "attributes": ["members"]});
    scim.post("/Groups/.search", search).is(200).has(json!({"Resources": [{"members": []}]}));
    for query in ["?excludedAttributes=members", "?attributes=displayName", "?attributes=id"] {
        scim.get(&format!("{path}{query}")).is(200).lacks(&["/members"]);
        scim.get(&format!("/Groups{query}")).is(200).lacks(&["/Resources/0/members"]);
    }
    // users have groups: a list that is not shown when it is empty
    let ada = scim.user(json!({}));
    scim.get(&ada).is(200).lacks(&["/groups", "/emails"]);
    scim.patch(&path, json!({"op": "add", "path": "members", "value": [{"value": id_of(&ada)}]})).is(204);
    let gone = json!({"op": "remove", "path": format!("members[value eq \"{}\"]", id_of(&ada))});
    scim.patch(&shown, gone).is(200).has(json!({"members": []}));
}

#[test]
fn a_type_says_which_lists_are_shown_when_they_are_empty() {
    let store = MemoryStore::new();
    let groups = Group::resource_type().show_empty("members", false);
    let users = User::resource_type().show_empty("emails", true).show_empty("phoneNumbers", true);
    let scim = Scim::of(Service::builder(BASE).resource(groups, store.clone()).resource(users, store));
    scim.post("/Groups", json!({"schemas": [GROUP], "displayName": "g"})).is(201).lacks(&["/members"]);
    let path = scim.user(json!({"title": "x", "phoneNumbers": [{"value": "1"}]}));
    let seen = scim.get(&path).is(200).has(json!({"emails": [], "phoneNumbers": [{"value": "1"}], "title": "x"}));
    seen.lacks(&["/photos"]);
    scim.get(&format!("{path}?attributes=title")).is(200).lacks(&["/emails"]);
    for wrong in ["title", "nothing", "schemas"] {
        assert!(User::resource_type().show_empty(wrong, true).build().is_err(), "{wrong}");
    }
}

#[track_caller]
fn says(answer: Answer, detail: &str) {
    let (status, found) = (answer.status.as_u16(), answer.at("/detail"));
    assert!((400..500).contains(&status), "{}", answer.body);
    assert_eq!(found, json!(detail));
}

#[test]
fn a_refusal_says_what_came_what_was_expected_and_where() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let post = |more: Value| scim.post("/Users", user(more));
    says(
        post(json!({"emails": [{"value": "a"}, [{"value": "b"}]]})),
        "attribute `emails[1]` must be an object with `value`, not an array",
    );
    says(
        post(json!({"emails": [{"value": "a"}, {"value": "b", "primary": "no"}]})),
        "attribute `emails[1].primary` must be a boolean, not a string",
    );
    says(post(json!({"title": true})), "attribute `title` must be a string, not a boolean");
    says(post(json!({"name": ["a", "b"]})), "attribute `name` must be an object, not a string");
    let text = |method: &str, path: &str, text: &str| {
        scim.send(method, path, &[("content-type", "application/scim+json")], text)
    };
    says(text("POST", "/Users", "[]"), "expected an object at line 1, column 0, found an array");
    says(
        text("POST", "/Users", r#""{\"userName\": \"x\"}""#),
        "expected an object at line 1, column 23, found a string",
    );
    says(
        text("POST", "/Users", r#"{"schemas": [null]}"#),
        "expected a URI in `schemas` at line 1, column 17, found null",
    );
    says(
        text("POST", "/Users", r#"{"schemas": 7}"#),
        "expected an array of URIs for `schemas` at line 1, column 13, found a number",
    );
    says(text("POST", "/Users", r#"{"userName": ]}"#), "the body is not valid JSON at line 1, column 14");
    let patch =
        |operations: Value| text("PATCH", &path, &json!({"schemas": [PATCH_OP], "Operations": operations}).to_string());
    let detail = patch(json!({"op": "add"})).refused(400, "invalidSyntax").at("/detail");
    let detail = detail.as_str().unwrap().to_owned();
    assert!(
        detail.starts_with("expected an array of operations in `Operations` at line 1")
            && detail.ends_with("found an object"),
        "{detail}"
    );
    says(patch(json!([{"path": "title"}])), "operation 1: `op` must be add, remove or replace, and is not there");
    says(patch(json!([{"op": "move"}])), "operation 1: `op` must be add, remove or replace, not `move`");
    says(
        patch(json!([{"op": "add", "path": "title"}])),
        "operation 1: `value` is required for add and replace, and is not there",
    );
    says(
        patch(json!([{"op": "add", "value": "x"}])),
        "operation 1: `value` must be an object when there is no `path`, not a string",
    );
    let operations = json!([
        {"op": "replace", "path": "title", "value": "x"},
        {"op": "replace", "path": "addresses[type eq \"work\"].country", "value": "DE"},
    ]);
    says(patch(operations), "operation 2: the path selects no value of `addresses` with its filter on `type`");
    says(text("PATCH", &path, r#"{"schemas": []}"#), "`Operations` must be an array, and is not there");
    says(
        scim.filter("/Users", "userName eq 'bob'"),
        "expected double quotes around a string and no apostrophes at offset 12, found an apostrophe",
    );
    let strict = Scim::with(|builder| builder.compat(Compat::default().without(Leniency::BareWord)));
    says(
        strict.filter("/Users", "userName eq bob"),
        "attribute `userName` is compared with a word without quotes: texts stand in double quotes",
    );
    let bulk =
        text("POST", "/Bulk", r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": 1}"#);
    says(bulk, "expected an array in `Operations` at line 1, column 82, found a number");
}

#[test]
fn a_limit_is_named_with_its_number_and_what_came() {
    let scim = Scim::limited(|limits| {
        (limits.unique_bytes, limits.string_bytes, limits.password_bytes) = (5, 6, 7);
        (limits.values, limits.references, limits.patch_operations, limits.json_depth) = (2, 3, 2, 3);
    });
    let post = |more: Value| {
        scim.post(
            "/Users",
            json!({"schemas": [USER], "userName": "ada"})
                .as_object()
                .cloned()
                .map_or(Value::Null, |user| crate::scim::merged(Value::Object(user), more)),
        )
    };
    says(post(json!({"userName": "123456"})), "attribute `userName` has 6 bytes, more than 5");
    says(post(json!({"title": "1234567"})), "attribute `title` has 7 bytes, more than 6");
    says(post(json!({"password": "12345678"})), "attribute `password` has 8 bytes, more than 7");
    says(
        post(json!({"emails": [{"value": "1"}, {"value": "2"}, {"value": "3"}]})),
        "attribute `emails` has more than 2 values",
    );
    says(post(json!({"unknown": [[[[1]]]]})), "the body is nested more than 3 levels deep");
    says(scim.post("/Groups", group(json!(["1", "2", "3", "4"]))), "attribute `members` has more than 3 values");
    let path = scim.user(json!({"emails": [{"value": "1"}, {"value": "2"}]}));
    let add = json!({"op": "add", "path": "emails", "value": [{"value": "3"}]});
    says(scim.patch(&path, add.clone()), "attribute `emails` has 3 values, more than 2");
    says(scim.patch(&path, json!([add, add, add])), "there are more than 2 operations");
    let scim = Scim::limited(|limits| limits.json_nodes = 5);
    let refused = scim.post("/Users", user(json!({"emails": [{"value": "1"}, {"value": "2"}]})));
    // which one it is depends on the order of the members
    let detail = refused.at("/detail");
    let (place, limit) = detail.as_str().and_then(|detail| detail.split_once("].value` ")).unwrap();
    assert!(["attribute `emails[0", "attribute `emails[1"].contains(&place), "{detail}");
    assert_eq!(limit, "is in a body of more than 5 values");
}

/// What reads a resource and what resolves the references in it agree on its keys.
#[test]
fn a_key_that_is_a_path_may_refer_to_what_a_bulk_request_creates() {
    let create = |name: &str, more: Value| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(crate::scim::merged(json!({"userName": name}), more))});
    for key in [format!("{ENTERPRISE}:manager"), format!("{ENTERPRISE}:manager.value"), "manager".to_owned()] {
        let refer = |name: &str| match key.ends_with("value") {
            true => json!({&key: format!("bulkId:{name}")}),
            false => json!({&key: {"value": format!("bulkId:{name}")}}),
        };
        for (first, second) in [(refer("b"), json!({})), (json!({}), refer("a")), (refer("b"), refer("a"))] {
            let scim = Scim::new();
            let answer = scim.bulk(json!([create("a", first.clone()), create("b", second.clone())])).is(200);
            assert_eq!(answer.statuses(), ["201", "201"], "{}", answer.body);
            for (sent, own, other) in [(&first, 0, 1), (&second, 1, 0)] {
                let manager = scim.get(&answer.path_of(own)).at(&format!("/{ENTERPRISE}/manager/value"));
                let expected = if *sent == json!({}) { Value::Null } else { json!(id_of(&answer.path_of(other))) };
                assert_eq!(manager, expected, "{key} {sent}");
            }
        }
    }
}
