//! What was once wrong, each under the name of the behaviour that is right.

use std::sync::LazyLock;

use http::{Method, Request};
use scim_provider::schema::{Attribute, Returned, Schema};
use scim_provider::{
    Compat, EnterpriseUser, Extension, Filter, Group, Limits, MemoryStore, Patch, Resource, ResourceType, Service,
    TenantId, UnknownAttributes, User, resource::Secret,
};
use serde_json::{Value, json};

const ENTERPRISE: &str = EnterpriseUser::SCHEMA;
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

static USERS: LazyLock<ResourceType> =
    LazyLock::new(|| User::resource_type().extension(EnterpriseUser::schema()).build().unwrap());

static SAFES: LazyLock<ResourceType> = LazyLock::new(|| {
    let lock = [Attribute::string("hint"), Attribute::integer("pin").write_only()];
    let vault = Attribute::complex("vault", [Attribute::string("door")]).returned(Returned::Never);
    let drawers = Attribute::complex("drawers", [Attribute::integer("rank"), Attribute::string("label")]);
    let own = [
        Attribute::decimal("price"),
        Attribute::integer("code").write_only(),
        Attribute::complex("lock", lock),
        vault,
        drawers.multi_valued(),
    ];
    ResourceType::builder("Safe", "/Safes", Schema::new("urn:x:Safe", "Safe", own)).build().unwrap()
});

fn read(ty: &ResourceType, mut body: Value) -> Resource {
    body["schemas"] = json!([ty.schema().id]);
    Resource::parse(ty, body.to_string().as_bytes()).unwrap()
}

fn text(resource: &Resource) -> &str {
    std::str::from_utf8(resource.as_json()).unwrap()
}

fn patch(resource: &Resource, operation: &Value) -> Result<Resource, String> {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let (body, limits) = (body.to_string(), Limits::default());
    let changes = Patch::parse(body.as_bytes(), &limits)
        .and_then(|patch| patch.bind(resource.resource_type(), Compat::default(), &limits));
    let patched = changes.and_then(|changes| changes.apply(resource)).map_err(|error| error.to_string())?;
    Ok(patched.resource)
}

fn matches(resource: &Resource, filter: &str) -> bool {
    let filter: Filter = filter.parse().unwrap();
    filter.bind(resource.resource_type(), Compat::default()).unwrap().matches(resource)
}

/// A service that keeps what no schema defines.
struct Keeping(Service<TenantId>);

impl Keeping {
    fn new() -> Self {
        let service = Service::builder("https://scim.example.com").resource(USERS.clone(), MemoryStore::new());
        Self(service.unknown_attributes(UnknownAttributes::Keep).build().unwrap())
    }

    async fn send(&self, method: Method, target: &str, body: &str) -> (u16, Value) {
        let request = Request::builder().method(method).uri(target).body(body.to_owned().into_bytes()).unwrap();
        let response = self.0.call(&TenantId::new("a").unwrap(), request).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }
}

#[test]
fn what_is_never_returned_stays_out_of_the_document_whatever_its_type() {
    let safe = read(&SAFES, json!({"code": 7, "lock": {"hint": "h", "pin": 1234}, "vault": {"door": "d"}}));
    assert_eq!(text(&safe), r#"{"schemas":["urn:x:Safe"],"lock":{"hint":"h"}}"#);
    for (path, secret) in [("code", "7"), ("lock.pin", "1234"), ("vault.door", "d")] {
        assert!(matches!(safe.secret(path), Secret::Set(text) if text.reveal() == secret), "{path}");
    }
}

#[test]
fn a_secret_inside_a_patched_value_reaches_the_host() {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "lock", "value": {"pin": 1}}]});
    let (body, limits) = (body.to_string(), Limits::default());
    let patch = Patch::parse(body.as_bytes(), &limits).unwrap();
    let changes = patch.bind(&SAFES, Compat::default(), &limits).unwrap();
    assert!(matches!(changes.secret("lock.pin"), Secret::Set(pin) if pin.reveal() == "1"));
    let safe = read(&SAFES, json!({"lock": {"hint": "h"}}));
    assert_eq!(text(&changes.apply(&safe).unwrap().resource), text(&safe));
}

#[test]
fn stored_text_with_parts_in_another_order_or_spelling_is_read_in_full() {
    let user = read(&USERS, json!({"userName": "a", "title": "🦀", "name": {"familyName": "f", "givenName": "g"}}));
    for stored in [
        r#""userName":"a","name":{"givenName":"g","familyName":"f"},"title":"🦀""#,
        r#""userName":"a","name":{"FAMILYNAME":"f","givenName":"g"},"title":"🦀""#,
        r#""userName":"a","name":{"familyName":"f","givenName":"g"},"title":"\ud83e\udd80""#,
        r#""userName":"a","name":{"familyName":"f","givenName":"g"},"displayName":null,"title":"🦀""#,
    ] {
        let stored = format!(r#"{{"schemas":["{USER}"],{stored}}}"#);
        assert_eq!(text(&Resource::from_stored(&USERS, stored.clone()).unwrap()), text(&user), "{stored}");
    }
    let extra = text(&user).replacen("],", &format!(",\"{ENTERPRISE}\"],"), 1);
    assert_eq!(text(&Resource::from_stored(&USERS, extra).unwrap()), text(&user));
}

#[test]
fn decimals_beyond_64_bits_are_read_like_their_neighbours() {
    for number in ["9223372036854775808", "18446744073709551615", "18446744073709551616"] {
        let body = format!(r#"{{"schemas": ["urn:x:Safe"], "price": {number}}}"#);
        let safe = Resource::parse(&SAFES, body.as_bytes()).unwrap();
        assert_eq!(safe.get("price").unwrap().as_f64(), number.parse().ok(), "{number}");
    }
}

#[test]
fn zero_is_zero_and_large_numbers_are_not_rounded() {
    assert!(matches(&read(&SAFES, json!({"price": -0.0})), "price eq 0"));
    assert!(!matches(&read(&SAFES, json!({"price": 9_007_199_254_740_993_i64})), "price eq 9007199254740992.0"));
}

#[test]
fn nothing_is_absent_and_present_at_once() {
    let user = read(&USERS, json!({"userName": "a", "emails": [{"type": ""}, {"type": "work"}]}));
    assert!(matches(&user, "emails.type pr") && !matches(&user, "emails.type eq null"));
}

#[test]
fn a_missing_primary_is_false_for_ne_too() {
    let user = read(&USERS, json!({"userName": "a", "emails": [{"value": "x"}]}));
    assert!(!matches(&user, "emails.primary ne false") && matches(&user, "emails.primary ne true"));
}

#[test]
fn adding_what_just_lost_its_primary_adds_nothing() {
    let user = read(&USERS, json!({"userName": "a", "emails": [{"value": "x", "primary": true}]}));
    let added = json!([{"value": "y", "primary": true}, {"value": "x"}]);
    let user = patch(&user, &json!({"op": "add", "path": "emails", "value": added})).unwrap();
    assert_eq!(user.get("emails").unwrap().elements().count(), 2, "{user:?}");
}

#[test]
fn a_listed_member_is_removed_by_its_id_whatever_else_is_said_of_it() {
    let groups = Group::resource_type().build().unwrap();
    let group = read(&groups, json!({"displayName": "g", "members": [{"value": "1"}, {"value": "2", "type": "User"}]}));
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "remove", "path": "members[type eq \"User\"]"},
        {"op": "remove", "path": "members", "value": [{"value": "1", "type": "User"}]},
    ]});
    let (body, limits) = (body.to_string(), Limits::default());
    let patch = Patch::parse(body.as_bytes(), &limits).unwrap();
    let patched = patch.bind(&groups, Compat::default(), &limits).unwrap().apply(&group).unwrap();
    assert_eq!(patched.resource.get("members"), None);
}

#[test]
fn no_value_is_made_from_a_filter_that_none_can_match() {
    let operation = json!({"op": "add", "path": "drawers[rank eq 1.5].label", "value": "x"});
    assert!(patch(&read(&SAFES, json!({})), &operation).unwrap_err().contains("selects no value"));
}

#[tokio::test]
async fn a_kept_value_cannot_pose_as_a_number() {
    let service = Keeping::new();
    for value in [
        r#"{"$serde_json::private::Number": "1},\"id\":\"x\",\"y\":{\"z\":1"}"#,
        r#"{"a": 1, "$serde_json::private::Number": "2"}"#,
    ] {
        let body = format!(r#"{{"schemas": ["{USER}"], "userName": "a", "extra": {value}}}"#);
        assert_eq!(service.send(Method::POST, "/Users", &body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn an_unknown_attribute_is_given_once() {
    let body = format!(r#"{{"schemas": ["{USER}"], "userName": "a", "extra": 1, "EXTRA": 2}}"#);
    let (status, error) = Keeping::new().send(Method::POST, "/Users", &body).await;
    assert_eq!((status, error["scimType"].as_str()), (400, Some("invalidSyntax")));
}

#[tokio::test]
async fn unknown_attributes_stay_where_they_are_through_answers_and_patches() {
    let service = Keeping::new();
    let body = json!({"schemas": [USER], "userName": "a", "name": {"givenName": "g", "shoe": 1},
        ENTERPRISE: {"manager": {"value": "1", "since": 2}, "desk": "d"}});
    let (_, user) = service.send(Method::POST, "/Users", &body.to_string()).await;
    assert_eq!((&user[ENTERPRISE]["desk"], &user[ENTERPRISE]["manager"]["since"]), (&json!("d"), &json!(2)));
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let operations = json!([
        {"op": "replace", "path": "name", "value": {"givenName": "h", "hat": 5}},
        {"op": "add", "value": {ENTERPRISE: {"department": "x", "floor": 3}}},
    ]);
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let (_, user) = service.send(Method::PATCH, &path, &body.to_string()).await;
    assert_eq!(user["name"], json!({"givenName": "h", "shoe": 1, "hat": 5}));
    let extension = &user[ENTERPRISE];
    assert_eq!(
        (&extension["desk"], &extension["floor"], &extension["department"]),
        (&json!("d"), &json!(3), &json!("x"))
    );
    let body =
        body.to_string().replace(&operations.to_string(), &json!([{"op": "remove", "path": ENTERPRISE}]).to_string());
    let (_, user) = service.send(Method::PATCH, &path, &body).await;
    assert_eq!((user.get(ENTERPRISE), user["schemas"].as_array().unwrap().len()), (None, 1));
}
