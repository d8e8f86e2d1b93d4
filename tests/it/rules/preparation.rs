//! Text that is prepared before it is compared (RFC 7644 §5, §7.8), by the profiles of RFC 8265.

use std::borrow::Cow;

use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{OpaqueString, UsernameCasePreserved};
use scim_provider::schema::ResourceTypeBuilder;
use scim_provider::{EnterpriseUser, Extension, MemoryStore, Resource, Secret, Service, User};
use serde_json::json;

use crate::scim::{BASE, ENTERPRISE, Scim, USER, user};

/// Userparts with a blank in between are a username (RFC 8265 §3.1); each of them is prepared by itself.
fn username(name: &str) -> Option<Cow<'_, str>> {
    let parts: Option<Vec<_>> = name.split(' ').map(|part| UsernameCasePreserved::enforce(part).ok()).collect();
    Some(parts?.join(" ").into())
}

fn opaque(password: &str) -> Option<Cow<'_, str>> {
    OpaqueString::enforce(password).ok()
}

fn users() -> ResourceTypeBuilder {
    User::resource_type()
        .extension(EnterpriseUser::schema())
        .attribute("userName", |name| name.prepared(username))
        .attribute("password", |password| password.prepared(opaque))
}

fn scim() -> Scim {
    Scim::of(Service::builder(BASE).resource(users(), MemoryStore::new()))
}

const DECOMPOSED: &str = "e\u{301}mile@example.com";
const COMPOSED: &str = "\u{e9}mile@example.com";
const FULL_WIDTH: &str = "\u{ff2d}iyu @example.com";

/// R-7644-5-01 R-7644-7.8-01 R-8265-3-01 R-7644-5-02
#[test]
fn names_that_are_written_in_two_ways_are_one_name() {
    let scim = scim();
    let path = scim.create("/Users", user(json!({"userName": DECOMPOSED})));
    scim.post("/Users", user(json!({"userName": COMPOSED}))).refused(409, "uniqueness");
    for written in [DECOMPOSED, COMPOSED] {
        assert_eq!(scim.filter("/Users", &format!("userName eq \"{written}\"")).each("userName"), [COMPOSED]);
        assert!(scim.finds("/Users", &format!("userName sw \"{}\"", &written[..written.len() - 12])));
        assert!(!scim.finds("/Users", &format!("userName ne \"{written}\"")));
    }
    let other = scim.create("/Users", user(json!({"userName": "b"})));
    let rename = json!({"op": "replace", "path": "userName", "value": DECOMPOSED});
    scim.patch(&other, rename).refused(409, "uniqueness");
    scim.patch(&other, json!({"op": "replace", "value": {"userName": COMPOSED}})).refused(409, "uniqueness");
    scim.put(&other, user(json!({"userName": DECOMPOSED}))).refused(409, "uniqueness");
    scim.delete(&path).is(204);
    scim.put(&other, user(json!({"userName": DECOMPOSED}))).is(200).has(json!({"userName": COMPOSED}));
}

/// R-7644-5-02
#[test]
fn width_is_mapped_case_is_folded_and_the_spelling_is_kept() {
    let scim = scim();
    scim.create("/Users", user(json!({"userName": FULL_WIDTH})));
    assert_eq!(scim.filter("/Users", "userName eq \"MIYU @example.com\"").each("userName"), ["Miyu @example.com"]);
    scim.post("/Users", user(json!({"userName": "miyu @EXAMPLE.com"}))).refused(409, "uniqueness");
    // by the rule of RFC 5893 what runs from right to left is not mixed with what does not
    for (name, status) in [("\u{5d0}\u{5d1}", 201), ("\u{5d0}b", 400), ("a\u{5d0}", 400)] {
        assert_eq!(scim.post("/Users", user(json!({"userName": name}))).status, status, "{name:?}");
    }
}

/// R-7644-5-03 R-7644-5-01
#[test]
fn a_password_has_one_form_whatever_the_keyboard() {
    let ty = users().build().unwrap();
    let given = |password: &str| {
        let body = json!({"schemas": [USER], "userName": "a", "password": password});
        Resource::parse(&ty, body.to_string().as_bytes())
    };
    let prepared = given("Sesa\u{300}me\u{3000}O\u{a0}pen").unwrap();
    match prepared.secret("password") {
        Secret::Set(password) => assert_eq!(password.reveal(), "Ses\u{e0}me O pen"),
        other => panic!("{other:?}"),
    }
    assert!(given("").is_err(), "an empty password");
    assert!(given("tab\tinside").is_err(), "a control character");
}

/// R-8265-3-02
#[test]
fn a_name_that_is_not_allowed_is_refused_and_found_nowhere() {
    let scim = scim();
    scim.create("/Users", user(json!({"userName": "ada lovelace"})));
    for name in ["a\u{7}da", "ada\u{200b}", "\u{265a}", "ada  lovelace", " "] {
        let refused = scim.post("/Users", user(json!({"userName": name}))).refused(400, "invalidValue");
        assert!(refused.at("/detail").as_str().unwrap().contains("userName"), "{name:?}");
    }
    assert!(!scim.finds("/Users", "userName eq \"\u{265a}\""));
    assert!(scim.finds("/Users", "userName ne \"\u{265a}\""));
}

/// What is prepared is text, in any place; nothing else is.
#[test]
fn what_is_prepared_has_to_be_text() {
    fn upper(text: &str) -> Option<Cow<'_, str>> {
        Some(text.to_uppercase().into())
    }
    let department = format!("{ENTERPRISE}:department");
    let ty = User::resource_type().extension(EnterpriseUser::schema());
    let ty = [&department, "NAME.familyName", "emails.value", "roles.value"]
        .iter()
        .fold(ty, |ty, path| ty.attribute(path, |attribute| attribute.prepared(upper)));
    let ty = ty.build().unwrap();
    let body = json!({
        "schemas": [USER], "userName": "a", "name": {"familyName": "b", "givenName": "c"},
        "emails": [{"value": "d", "type": "e"}], "roles": ["h"], ENTERPRISE: {"department": "f", "division": "g"},
    });
    let resource = Resource::parse(&ty, body.to_string().as_bytes()).unwrap();
    for (path, text) in [
        ("name.familyName", "B"),
        ("name.givenName", "c"),
        ("emails.value", "D"),
        ("emails.type", "e"),
        ("roles.value", "H"),
        (department.as_str(), "F"),
        ("userName", "a"),
    ] {
        assert_eq!(resource.text(path).as_deref(), Some(text), "{path}");
    }
    // what is stored is prepared already
    let stored = Resource::from_stored(&ty, json!({"userName": "a", "name": {"familyName": "b"}}).to_string());
    assert_eq!(stored.unwrap().text("name.familyName").as_deref(), Some("b"));
    for path in ["active", "emails", "emails.primary", "profileUrl"] {
        let refused = User::resource_type().attribute(path, |attribute| attribute.prepared(upper)).build().unwrap_err();
        assert_eq!(refused.attribute(), Some(path));
    }
}
