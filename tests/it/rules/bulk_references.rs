//! References between the operations of a bulk request (RFC 7644 §3.7.1, §3.7.2).

use serde_json::{Value, json};

use crate::scim::{BULK, ENTERPRISE, GROUP, PATCH_OP, Scim, id_of, merged, user};

fn new_user(bulk_id: &str, more: Value) -> Value {
    let data = user(merged(json!({"userName": bulk_id}), more));
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data})
}

fn new_group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|name| json!({"value": format!("bulkId:{name}")})).collect();
    let data = json!({"schemas": [GROUP], "displayName": bulk_id, "members": members});
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data})
}

fn managed(by: &str) -> Value {
    json!({"schemas": [crate::scim::USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": format!("bulkId:{by}")}}})
}

fn members(scim: &Scim, path: &str) -> Vec<String> {
    let group = scim.get(path).is(200).body;
    let members = group["members"].as_array().into_iter().flatten();
    let mut members: Vec<_> = members.map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    members.sort();
    members
}

fn sorted<const N: usize>(paths: [&str; N]) -> Vec<String> {
    let mut ids: Vec<_> = paths.iter().map(|path| id_of(path).to_owned()).collect();
    ids.sort();
    ids
}

/// R-7644-3.7-24 R-7644-3.7.2-01 R-7644-3.7.2-02
#[test]
fn references_lead_back_and_ahead() {
    let scim = Scim::new();
    let answer = scim.bulk(json!([
        new_group("g", &["a", "b"]),
        new_user("a", json!({})),
        new_group("h", &["a"]),
        new_user("b", json!({}))
    ]));
    assert_eq!(answer.statuses(), ["201"; 4]);
    let [g, a, h, b] = [0, 1, 2, 3].map(|at| answer.path_of(at));
    assert_eq!(members(&scim, &g), sorted([&a, &b]));
    assert_eq!(members(&scim, &h), sorted([&a]));
    let of_g = scim.get(&g).at("/members/0/$ref");
    assert!([&a, &b].iter().any(|path| of_g.as_str().unwrap().ends_with(path.as_str())), "{of_g}");
}

/// R-7644-3.7.2-03
#[test]
fn references_stand_in_extensions() {
    let scim = Scim::new();
    let answer = scim.bulk(json!([new_user("report", managed("boss")), new_user("boss", json!({}))]));
    assert_eq!(answer.statuses(), ["201"; 2]);
    let report = scim.get(&answer.path_of(0));
    assert_eq!(report.at(&format!("/{ENTERPRISE}/manager/value")), json!(id_of(&answer.path_of(1))));
}

/// R-7644-3.7.1-01 R-7644-3.7.1-03
#[test]
fn groups_may_contain_each_other() {
    let scim = Scim::new();
    let answer = scim.bulk(json!([
        new_group("a", &["b", "u"]),
        new_group("b", &["c"]),
        new_group("c", &["a", "b"]),
        new_user("u", json!({}))
    ]));
    assert_eq!(answer.statuses(), ["201"; 4]);
    let [a, b, c, u] = [0, 1, 2, 3].map(|at| answer.path_of(at));
    assert_eq!(members(&scim, &a), sorted([&b, &u]));
    assert_eq!(members(&scim, &b), sorted([&c]));
    assert_eq!(members(&scim, &c), sorted([&a, &b]));
    for at in 0..3 {
        let version = answer.at(&format!("/Operations/{at}/version"));
        assert_eq!(version, json!(scim.get(&answer.path_of(at)).header("etag")), "the version after all is in place");
    }
    assert!(!scim.get("/Groups?attributes=members").body.to_string().contains("bulkId"));
}

/// R-7644-3.7.1-03
#[test]
fn users_may_be_the_managers_of_each_other() {
    let scim = Scim::new();
    let answer = scim.bulk(json!([new_user("a", managed("b")), new_user("b", managed("a"))]));
    assert_eq!(answer.statuses(), ["201"; 2]);
    for (one, other) in [(0, 1), (1, 0)] {
        let manager = scim.get(&answer.path_of(one)).at(&format!("/{ENTERPRISE}/manager/value"));
        assert_eq!(manager, json!(id_of(&answer.path_of(other))));
    }
}

/// R-7644-3.7.1-04
#[test]
fn a_reference_to_itself_is_no_loop() {
    let scim = Scim::new();
    let answer = scim.bulk(json!([new_user("a", managed("a")), new_group("g", &["g"])]));
    assert_eq!(answer.statuses(), ["201"; 2]);
    let path = answer.path_of(0);
    assert_eq!(scim.get(&path).at(&format!("/{ENTERPRISE}/manager/value")), json!(id_of(&path)));
    assert_eq!(members(&scim, &answer.path_of(1)), sorted([&answer.path_of(1)]));
}

/// R-7644-3.7.1-02
#[test]
fn a_circle_stands_or_falls_as_a_whole() {
    let scim = Scim::new();
    scim.user(json!({}));
    let answer = scim.bulk(json!([
        new_user("x", managed("y")),
        new_user("y", merged(managed("x"), json!({"userName": "ada"}))),
        new_group("g", &["x"]),
        new_user("z", json!({})),
    ]));
    assert_eq!(answer.statuses(), ["409", "409", "409", "201"]);
    assert_eq!(answer.at("/Operations/1/response/scimType"), json!("uniqueness"));
    answer.lacks(&["/Operations/0/location", "/Operations/1/location", "/Operations/2/location"]);
    let seen = scim.exchanges();
    assert!(seen.iter().all(|seen| seen.status != 409 || seen.id.is_none()), "what was taken back has no id: {seen:?}");
    assert_eq!(scim.get("/Users").each("userName"), ["ada", "z"]);
    scim.get("/Groups").has(json!({"totalResults": 0}));
}

/// R-7644-3.7.2-06
#[test]
fn what_depends_on_a_failure_fails() {
    let scim = Scim::new();
    scim.user(json!({}));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]}]);
    let group = scim.group("there", &[]);
    let answer = scim.bulk(json!([
        new_user("a", json!({"userName": "ADA"})),
        new_group("g", &["a"]),
        new_group("h", &["g"]),
        {"method": "PATCH", "path": group, "data": {"schemas": [PATCH_OP], "Operations": add}},
        {"method": "DELETE", "path": "/Users/bulkId:a"},
        new_user("b", json!({})),
    ]));
    assert_eq!(answer.statuses(), ["409", "409", "409", "409", "409", "201"]);
    assert!(answer.at("/Operations/1/response/detail").as_str().unwrap().contains("`a`"), "{}", answer.body);
    scim.get("/Groups").has(json!({"totalResults": 1}));
    assert!(members(&scim, &group).is_empty());
}

/// R-7644-3.7.2-06 R-7644-3.7.2-07
#[test]
fn a_reference_to_nothing_is_an_error() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let patch = json!([{"op": "add", "path": "manager", "value": {"value": "bulkId:nope"}}]);
    let answer = scim.bulk(json!([
        new_group("g", &["nope"]),
        new_user("u", managed("nope")),
        {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": patch}},
        {"method": "DELETE", "path": "/Users/bulkId:nope"},
        // of an operation that creates nothing
        {"method": "DELETE", "path": path, "bulkId": "d"},
        new_group("h", &["d"]),
    ]));
    assert_eq!(answer.statuses(), ["400", "400", "400", "400", "204", "400"]);
    assert_eq!(answer.at("/Operations/0/response/scimType"), json!("invalidValue"));
    scim.get("/Groups").has(json!({"totalResults": 0}));
}

/// R-7644-3.7.2-04
#[test]
fn a_path_may_lead_to_what_is_created() {
    let scim = Scim::new();
    let title = json!([{"op": "replace", "path": "title", "value": "Guide"}]);
    let answer = scim.bulk(json!([
        {"method": "PATCH", "path": "/Users/bulkId:a%20b", "data": {"schemas": [PATCH_OP], "Operations": title}},
        new_user("a b", json!({})),
        {"method": "DELETE", "path": "/Users/bulkId:gone"},
        new_user("gone", json!({})),
    ]));
    assert_eq!(answer.statuses(), ["200", "201", "204", "201"]);
    assert_eq!(answer.path_of(0), answer.path_of(1));
    scim.get(&answer.path_of(1)).has(json!({"title": "Guide"}));
    scim.get(&answer.path_of(3)).is(404);
}

/// R-7644-3.7.2-05
#[test]
fn patches_refer_in_values_and_in_filters() {
    let scim = Scim::new();
    let other = scim.user(json!({}));
    let group = scim.group("g", &[&other]);
    let patch = |operations: Value| json!({"method": "PATCH", "path": group, "data": {"schemas": [PATCH_OP], "Operations": operations}});
    let answer = scim.bulk(json!([
        new_user("a", json!({})),
        new_user("b", json!({})),
        patch(json!([{"op": "add", "path": "members", "value": [{"value": "bulkId:a"}, {"value": "bulkId:b"}]}])),
        patch(json!([{"op": "remove", "path": "members[value eq \"bulkId:a\"]"}])),
        patch(json!([{"op": "replace", "value": {"displayName": "bulkId:a"}}])),
    ]));
    assert_eq!(answer.statuses(), ["201", "201", "204", "204", "204"]);
    assert_eq!(members(&scim, &group), sorted([&other, &answer.path_of(1)]));
    scim.get(&group).has(json!({"displayName": "bulkId:a"}));
}

/// R-7644-3.7.2-08
#[test]
fn a_ref_may_be_a_reference_too() {
    let scim = Scim::new();
    let member = json!({"value": "bulkId:u", "$ref": "bulkId:u"});
    let data = json!({"schemas": [GROUP], "displayName": "g", "members": [member]});
    let answer = scim.bulk(json!([
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": data}, new_user("u", json!({})),
    ]));
    let found = scim.get(&answer.path_of(0)).at("/members/0/$ref");
    assert!(found.as_str().unwrap().ends_with(&answer.path_of(1)), "{found}");
}

/// R-7644-3.7.2-02
#[test]
fn texts_that_are_no_references_stay() {
    let scim = Scim::new();
    let more = json!({"displayName": "bulkId:a", "emails": [{"value": "bulkId:a"}], "profileUrl": "bulkId:a"});
    let answer =
        scim.bulk(json!([new_user("a", more.clone()), new_user("b", json!({"displayName": "bulkId:nobody"}))]));
    assert_eq!(answer.statuses(), ["201"; 2]);
    scim.get(&answer.path_of(0)).has(more);
}

/// R-7644-3.7-21
#[test]
fn the_last_error_that_is_allowed_may_be_one_of_a_circle() {
    let scim = Scim::new();
    scim.user(json!({}));
    let operations = json!([
        new_user("x", managed("y")),
        new_user("y", merged(managed("x"), json!({"userName": "ada"}))),
        new_user("z", json!({})),
    ]);
    let answer = scim.post("/Bulk", json!({"schemas": [BULK], "failOnErrors": 1, "Operations": operations}));
    assert_eq!(answer.is(200).statuses(), ["409", "409"]);
    scim.get("/Users").has(json!({"totalResults": 1}));
}
