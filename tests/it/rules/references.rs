//! URIs of resources (RFC 7643 §2.3.7, §2.4): what counts is the id; the URL is written anew.

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{BuildError, Group, MemoryStore, ResourceType, Service, TenantId, User};
use serde_json::{Value, json};

use crate::scim::{BASE, ENTERPRISE, GROUP, Scim, id_of, user};

const ASSET: &str = "urn:example:params:scim:schemas:2.0:Asset";

/// The forms in which a client may write where a resource is.
fn forms(path: &str) -> [String; 9] {
    [
        format!("{BASE}{path}"),
        format!("https://scim.example.com/scim{path}"),
        format!("https://scim.example.com/scim/v1{path}"),
        format!("HTTPS://SCIM.example.com:443/scim/v2/.{path}"),
        format!("/scim/v2{path}"),
        format!("..{path}"),
        format!("../v2{path}"),
        path.to_owned(),
        path.trim_start_matches('/').replacen("Users", "%55sers", 1),
    ]
}

/// What is no resource here.
const FOREIGN: [&str; 9] = [
    "https://evil.example.net/scim/v2/Users/",
    "https://scim.example.com.evil.example.net/scim/v2/Users/",
    "https://evil@scim.example.com/scim/v2/Users/",
    "https://scim.example.com:8443/scim/v2/Users/",
    "http://scim.example.com/scim/v2/Users/",
    "https://scim.example.com/other/v2/Users/",
    "../../Users/../x/Users/",
    "/Users/x/",
    "urn:example:",
];

/// R-7643-2.3.7-03 R-7643-2.3.7-04 R-7643-2.4-08 R-7643-2.4-09 R-7644-3.1-09
#[test]
fn however_a_client_writes_a_reference_the_answer_has_the_permanent_url() {
    let scim = Scim::new();
    let user = scim.user(json!({}));
    let id = id_of(&user);
    let shown = json!([{"value": id, "$ref": format!("{BASE}{user}"), "type": "User", "display": "ada"}]);
    for written in forms(&user) {
        let member = json!({"value": id, "$ref": written, "type": "User"});
        let members = json!([member, {"value": id}, {"$ref": written}]);
        let group = scim.create("/Groups", json!({"schemas": [GROUP], "displayName": written, "members": members}));
        assert_eq!(scim.get(&group).at("/members"), shown, "{written}: one user, one member");
        scim.patch(&group, json!({"op": "remove", "path": "members"})).is(204);
        scim.patch(&group, json!({"op": "add", "path": "members", "value": [{"$ref": written}]})).is(204);
        assert_eq!(scim.get(&group).at("/members"), shown, "{written}: alone");
    }
}

/// R-7643-2.3.7-03 R-7643-2.4-09
#[test]
fn a_reference_to_elsewhere_is_never_one_of_ours() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let id = id_of(&path);
    for foreign in FOREIGN {
        let foreign = format!("{foreign}{id}");
        // the id says who is meant, and where that is, the service knows
        let body = |member: Value| json!({"schemas": [GROUP], "displayName": foreign, "members": [member]});
        let group = scim.create("/Groups", body(json!({"value": id, "$ref": foreign})));
        assert_eq!(scim.get(&group).at("/members/0/$ref"), json!(format!("{BASE}{path}")), "{foreign}");
        // without one nobody is meant: that is said, and not passed over
        scim.put(&group, body(json!({"$ref": foreign}))).refused(400, "invalidValue");
        let add = json!({"op": "add", "path": "members", "value": [{"$ref": foreign}]});
        scim.patch(&group, add).refused(400, "invalidValue");
        let managed = user(json!({"userName": "bob", ENTERPRISE: {"manager": {"$ref": foreign}}}));
        scim.post("/Users", managed).refused(400, "invalidValue");
    }
    scim.post("/Users", user(json!({"userName": "bob", ENTERPRISE: {"manager": {"$ref": "../Groups/1"}}})))
        .refused(400, "invalidValue");
    let managed = user(json!({"userName": "bob", ENTERPRISE: {"manager": {"$ref": format!("../Users/{id}")}}}));
    let manager = scim.post("/Users", managed).is(201).at(&format!("/{ENTERPRISE}/manager"));
    assert_eq!(manager, json!({"value": id, "$ref": format!("{BASE}{path}")}));
}

/// Assets with an owner of either kind, someone who may borrow them, and a place on the web or here.
fn assets() -> Schema {
    let either = || Attribute::reference("$ref", ["User", "Group"]);
    let value = || Attribute::string("value").case_exact();
    let attributes = [
        Attribute::string("tag").required(),
        Attribute::reference("custodian", ["User"]),
        Attribute::complex("owner", [value(), either(), Attribute::string("type")]),
        Attribute::complex("borrowers", [value(), either(), Attribute::string("type")]).multi_valued(),
        Attribute::complex("place", [value(), Attribute::reference("$ref", ["Asset", "external"])]),
    ];
    Schema::new(ASSET, "Asset", attributes)
}

fn with_assets() -> Scim {
    let store = MemoryStore::new();
    let builder = Service::builder(BASE)
        .resource(User::resource_type(), store.clone())
        .resource(Group::resource_type(), store.clone())
        .resource(ResourceType::builder("Asset", "/Assets", assets()), store);
    Scim::of(builder)
}

fn asset(more: Value) -> Value {
    crate::scim::merged(json!({"schemas": [ASSET], "tag": "a-1"}), more)
}

/// R-7643-2.3.7-02 R-7643-2.4-09
#[test]
fn a_reference_to_one_of_several_types_keeps_its_type() {
    let scim = with_assets();
    let (user, group) = (scim.user(json!({})), scim.group("g", &[]));
    for (path, kind) in [(&user, "User"), (&group, "Group")] {
        let (id, url) = (id_of(path), format!("{BASE}{path}"));
        let shown = json!({"value": id, "$ref": url, "type": kind});
        for given in [
            json!({"value": id, "type": kind}),
            json!({"value": id, "$ref": url}),
            json!({"$ref": url}),
            json!({"$ref": format!("..{path}")}),
        ] {
            let made = scim.create("/Assets", asset(json!({"owner": given, "borrowers": [given]})));
            let found = scim.get(&made);
            assert_eq!(found.at("/owner"), shown, "{given}");
            found.has(json!({"borrowers": [shown]}));
        }
        // who says only an id does not say of which type: that of a member the store knows, and of another nobody
        let made = scim.create("/Assets", asset(json!({"owner": {"value": id}, "borrowers": [{"value": id}]})));
        scim.get(&made).has(json!({"owner": {"value": id}, "borrowers": [shown]})).lacks(&["/owner/$ref"]);
    }
}

/// R-7643-2.3.7-02
#[test]
fn a_reference_that_may_leave_is_kept_as_it_is() {
    let scim = with_assets();
    for place in [
        json!({"value": "shelf", "$ref": "https://example.net/shelf"}),
        json!({"$ref": format!("{BASE}/Assets/1")}),
        json!({"value": "1"}),
    ] {
        let made = scim.create("/Assets", asset(json!({"place": place})));
        assert_eq!(scim.get(&made).at("/place"), place);
    }
}

#[test]
fn a_simple_reference_to_a_resource_is_kept_as_it_is() {
    let scim = with_assets();
    for custodian in ["../Users/26", "https://scim.example.com/scim/v2/Users/26", "Users/26"] {
        let made = scim.create("/Assets", asset(json!({"custodian": custodian})));
        scim.get(&made).has(json!({"custodian": custodian}));
        assert!(scim.finds("/Assets", &format!("custodian eq \"{custodian}\"")));
    }
}

/// R-7644-3.7.2-01
#[test]
fn references_of_the_hosts_own_are_resolved_in_bulk() {
    let scim = with_assets();
    let data = asset(json!({"custodian": "bulkId:u", "owner": {"$ref": "bulkId:g"},
        "borrowers": [{"value": "bulkId:u", "type": "User"}, {"$ref": "bulkId:g"}], "place": {"$ref": "bulkId:other"}}));
    let other = asset(json!({}));
    let answer = scim.bulk(json!([
        {"method": "POST", "path": "/Assets", "bulkId": "a", "data": data},
        {"method": "POST", "path": "/Assets", "bulkId": "other", "data": other},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user(json!({}))},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": "g"}},
    ]));
    assert_eq!(answer.statuses(), ["201", "201", "201", "201"], "{}", answer.body);
    let [made, other, user, group] = [0, 1, 2, 3].map(|at| answer.path_of(at));
    let url = |path: &str| format!("{BASE}{path}");
    let found = scim.get(&made).has(json!({
        "custodian": url(&user),
        "owner": {"value": id_of(&group), "$ref": url(&group), "type": "Group"},
        "place": {"$ref": url(&other)},
    }));
    let mut borrowers: Vec<Value> = found.at("/borrowers").as_array().unwrap().clone();
    borrowers.sort_by_key(|borrower| borrower["type"].to_string());
    let links: Vec<&Value> = borrowers.iter().map(|borrower| &borrower["$ref"]).collect();
    assert_eq!(links, [&json!(url(&group)), &json!(url(&user))]);
}

#[test]
fn a_reference_that_cannot_say_its_type_is_refused_at_the_start() {
    let parts = [Attribute::string("value"), Attribute::reference("$ref", ["User", "Group"])];
    let schema = Schema::new(ASSET, "Asset", [Attribute::complex("owner", parts)]);
    let ty = ResourceType::builder("Asset", "/Assets", schema);
    let refused = Service::<TenantId>::builder(BASE).resource(ty, MemoryStore::new()).build();
    let Err(BuildError::Schema(error)) = refused else { panic!("it is accepted") };
    assert_eq!(error.attribute(), Some("owner"));
}
