//! How attributes are named (RFC 7643 §2.1, RFC 7644 §3.10).

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{AttrPath, Compat, MemoryStore, Service, User, is_attribute_name};
use serde_json::json;

use super::devices::devices;
use crate::scim::{BASE, DEVICE, ENTERPRISE, Scim, USER, user};

/// R-7643-2.1-02 R-7643-2.1-03 E-7643-29
#[test]
fn names_begin_with_a_letter_and_ref_is_one() {
    let defined = |name: &str| {
        let part = Attribute::complex("whole", [Attribute::string(name)]);
        [Attribute::string(name), part].map(|attribute| Schema::new("urn:example:x", "x", [attribute]).check().is_ok())
    };
    for name in ["a", "userName", "a-b_c$1", "$ref"] {
        assert!(is_attribute_name(name), "{name}");
        assert_eq!(defined(name), [true, true], "{name}");
    }
    for name in ["", "1abc", "a.b", "a b", "a:b", "-a", "ä", "$", "$$a"] {
        assert!(!is_attribute_name(name), "{name}");
        assert_eq!(defined(name), [false, false], "{name}");
    }
}

/// R-7643-2.1-04 R-7643-2.1-06 R-7644-3.5.2.1-19 A-41 R-7644-3.5.2-13 R-7644-3.10-04
#[test]
fn letter_case_of_names_means_nothing_and_answers_use_that_of_the_schema() {
    let scim = Scim::new();
    let body =
        json!({"SCHEMAS": [USER], "USERNAME": "ada", "Name": {"GIVENname": "Ada"}, "eMails": [{"VALUE": "a@b"}]});
    let created = scim.post("/Users", body).is(201);
    let expected = json!({"userName": "ada", "name": {"givenName": "Ada"}, "emails": [{"value": "a@b"}]});
    let path = format!("/Users/{}", created.has(expected).id());
    assert!(scim.finds("/Users", r#"NAME.givenNAME eq "Ada""#));
    scim.patch(&path, json!({"op": "replace", "path": "NAME.GivenName", "value": "A."})).is(200);
    scim.get(&format!("{path}?ATTRIBUTES=NAME.GIVENNAME")).has(json!({"name": {"givenName": "A."}}));
    scim.get(&format!("{path}?EXCLUDEDattributes=USERname,Name.GIVENname")).lacks(&["/userName", "/name"]);
    scim.create("/Users", user(json!({"userName": "bea"})));
    let sorted = scim.get("/Users?SORTBY=userNAME&SortOrder=descending").is(200);
    assert_eq!(sorted.each("userName"), ["bea", "ada"]);
    let operations = json!([
        {"op": "add", "path": "NICKNAME", "value": "A"},
        {"op": "add", "path": "EMAILS[TYPE eq \"home\"].VALUE", "value": "c@d"},
        {"op": "replace", "value": {"TITLE": "Dr", "NAME": {"FAMILYNAME": "L"}}},
    ]);
    let patched = scim.patch(&path, operations).is(200);
    patched.has(json!({"nickName": "A", "title": "Dr", "name": {"familyName": "L"}, "emails": [{}, {"type": "home", "value": "c@d"}]}));
    let replaced = scim.put(&path, json!({"Schemas": [USER], "UserName": "ada", "TITLE": "Prof"})).is(200);
    replaced.has(json!({"userName": "ada", "title": "Prof"}));
}

/// R-7643-2.1-04
#[test]
fn letter_case_of_a_patch_messages_members_means_nothing() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    let body =
        json!({"SCHEMAS": [crate::scim::PATCH_OP], "OPERATIONS": [{"OP": "add", "PATH": "title", "VALUE": "Dr"}]});
    let headers = [("content-type", "application/scim+json")];
    scim.send("PATCH", &path, &headers, body.to_string()).is(200).has(json!({"title": "Dr"}));
}

/// R-7643-2.1-05
#[test]
fn one_attribute_in_two_spellings_is_refused() {
    let scim = Scim::new();
    let headers = [("content-type", "application/scim+json")];
    for twice in [
        r#""title": "a", "TITLE": "b""#,
        r#""title": "a", "title": "a""#,
        r#""name": {"givenName": "a", "givenname": "b"}"#,
    ] {
        let body = format!(r#"{{"schemas": ["{USER}"], "userName": "ada", {twice}}}"#);
        scim.send("POST", "/Users", &headers, body).refused(400, "invalidSyntax");
    }
    let path = scim.user(json!({}));
    scim.patch(&path, json!({"op": "add", "value": {"title": "a", "Title": "b"}})).refused(400, "invalidSyntax");
}

/// R-7643-2.1-07 R-7643-10-03 R-7644-3.10-04 R-7644-3.5.2-13
#[test]
fn letter_case_of_urns_means_nothing() {
    let scim = Scim::new();
    let path = scim.create("/Users", json!({"schemas": [USER.to_uppercase()], "userName": "ada"}));
    let department = format!("{}:DEPARTMENT", ENTERPRISE.to_uppercase());
    scim.patch(&path, json!({"op": "add", "path": department, "value": "R&D"})).is(200);
    assert!(scim.finds("/Users", &format!(r#"{department} eq "R&D""#)));
    scim.get(&path).has(json!({ENTERPRISE: {"department": "R&D"}, "schemas": [USER, ENTERPRISE]}));
    let manager = format!("{}:MANAGER.VALUE", ENTERPRISE.to_uppercase());
    let named = scim.patch(&path, json!({"op": "add", "path": manager, "value": "m"})).is(200);
    named.has(json!({ENTERPRISE: {"manager": {"value": "m"}}}));
    assert!(scim.finds("/Users", &format!(r#"{manager} eq "m""#)));
}

/// R-7644-3.10-01 R-7644-3.10-02 R-7644-3.4.2.2-53 R-7644-3.5.2-13 R-7644-3.4.2.5-05
#[test]
fn a_full_name_and_a_short_one_mean_the_same() {
    let scim = Scim::new();
    let path = scim.user(json!({"name": {"givenName": "Ada"}}));
    for name in ["name.givenName".to_owned(), format!("{USER}:name.givenName")] {
        assert!(scim.finds("/Users", &format!(r#"{name} eq "Ada""#)), "{name}");
        scim.get(&format!("{path}?attributes={name}")).has(json!({"name": {"givenName": "Ada"}})).lacks(&["/userName"]);
        scim.patch(&path, json!({"op": "replace", "path": name, "value": "Ada"})).is(200);
    }
}

/// R-7644-3.10-03 R-7644-3.4.2.2-15 A-16
#[test]
fn a_urn_with_dots_and_colons_ends_where_the_attribute_begins() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE: {"manager": {"value": "m1"}}}));
    assert!(scim.finds("/Users", &format!(r#"{ENTERPRISE}:manager.value eq "m1""#)));
    scim.patch(&path, json!({"op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": "m2"}))
        .is(200)
        .has(json!({ENTERPRISE: {"manager": {"value": "m2"}}}));
}

/// R-7644-3.10-05
#[test]
fn an_extensions_attribute_without_its_urn_is_unknown_to_a_strict_service() {
    let scim = Scim::strict();
    let path = scim.user(json!({ENTERPRISE: {"department": "R&D"}}));
    scim.filter("/Users", r#"department eq "R&D""#).refused(400, "invalidFilter");
    scim.patch(&path, json!({"op": "replace", "path": "department", "value": "x"})).refused(400, "invalidPath");
}

/// Two extensions of users with ids of which one begins the other, and an attribute `colour` each.
fn of_two_extensions(compat: Compat) -> Scim {
    let extension = |id: &str, own: &str| Schema::new(id, "x", [Attribute::string("colour"), Attribute::string(own)]);
    let users = User::resource_type()
        .extension(extension("urn:example:ext", "shape"))
        .extension(extension("urn:example:ext:2.0", "size"));
    Scim::of(Service::builder(BASE).resource(users, MemoryStore::new()).compat(compat))
}

/// R-7644-3.10-05
#[test]
fn an_attribute_of_two_extensions_needs_its_urn() {
    let scim = of_two_extensions(Compat::default());
    let path = scim.user(json!({"urn:example:ext": {"colour": "red", "shape": "round"}}));
    scim.filter("/Users", r#"colour eq "red""#).refused(400, "invalidFilter");
    assert!(scim.finds("/Users", r#"shape eq "round""#), "of one alone");
    let changed = scim.patch(&path, json!({"op": "replace", "path": "urn:example:ext:colour", "value": "blue"}));
    changed.is(200).has(json!({"urn:example:ext": {"colour": "blue"}}));
}

/// R-7644-3.4.2.2-15
#[test]
fn the_longest_schema_that_a_name_begins_with_counts() {
    let scim = of_two_extensions(Compat::strict());
    let path = scim.user(json!({"urn:example:ext:2.0": {"colour": "red", "size": "L"}}));
    for (filter, found) in [
        (r#"urn:example:ext:2.0:colour eq "red""#, true),
        (r#"URN:Example:Ext:2.0:Size eq "l""#, true),
        (r#"urn:example:ext:colour eq "red""#, false),
    ] {
        assert_eq!(scim.finds("/Users", filter), found, "{filter}");
    }
    scim.filter("/Users", r#"urn:example:ext:size eq "L""#).refused(400, "invalidFilter");
    let add = json!({"op": "add", "path": "urn:example:ext:2.0:colour", "value": "blue"});
    let patched = scim.patch(&path, add).is(200).lacks(&["/urn:example:ext"]);
    patched.has(json!({"urn:example:ext:2.0": {"colour": "blue", "size": "L"}}));
}

/// R-7644-3.10-06
#[test]
fn a_name_under_a_foreign_urn_is_unknown() {
    let scim = Scim::new();
    let path = scim.user(json!({}));
    for name in ["urn:example:other:userName", "urn:ietf:params:scim:schemas:core:2.0:Group:displayName"] {
        scim.filter("/Users", &format!(r#"{name} eq "x""#)).refused(400, "invalidFilter");
        scim.patch(&path, json!({"op": "add", "path": name, "value": "x"})).refused(400, "invalidPath");
    }
}

/// R-7643-3.3-05 R-7643-3.3-07
#[test]
fn an_extension_is_found_under_its_urn_in_any_letter_case() {
    let scim = Scim::new();
    let path = scim.user(json!({ENTERPRISE.to_lowercase(): {"costCenter": "4130"}}));
    scim.get(&path).has(json!({ENTERPRISE: {"costCenter": "4130"}}));
}

/// R-7644-3.10-01
#[test]
fn a_host_resolves_names_by_the_same_rules() {
    let devices = devices();
    let full = format!("{DEVICE}:PLACE.room");
    for name in ["place.ROOM", full.as_str()] {
        let path = AttrPath::parse(name).unwrap();
        assert_eq!(devices.resolve(&path).map(|found| found.path()).as_deref(), Some("place.room"), "{name}");
    }
    assert!(devices.resolve(&AttrPath::parse("place.floor").unwrap()).is_none());
    assert!(Compat::strict() != Compat::default());
}

/// R-7643-1.1-01
#[test]
fn quotation_marks_of_the_text_are_not_part_of_a_value() {
    let scim = Scim::strict();
    let path = scim.user(json!({"displayName": "\"Ada\""}));
    scim.get(&path).has(json!({"displayName": "\"Ada\""}));
    // neither in what a client says
    scim.patch(&path, json!({"op": "\"add\"", "path": "title", "value": "x"})).refused(400, "invalidSyntax");
    scim.post("/Users", json!({"schemas": [format!("\"{USER}\"")], "userName": "b"})).refused(400, "invalidSyntax");
    scim.get("/Users?sortBy=userName&sortOrder=%22descending%22").refused(400, "invalidValue");
    // nor in what a service says: keywords, names, statuses
    for target in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Nowhere", "/Users?count=x"] {
        let text = String::from_utf8(scim.get(target).text).unwrap();
        assert!(!text.contains("\\\""), "{target}: {text}");
    }
}

/// R-7643-10-01
#[test]
fn the_urns_of_schemas_and_messages_have_the_registered_form() {
    let scim = Scim::new();
    let schemas = scim.get("/Schemas").each("id");
    let found = scim.get("/Users").at("/schemas/0");
    let refused = scim.get("/Nowhere").at("/schemas/0");
    assert!(schemas.len() >= 4);
    let messages = [found, refused].map(|urn| urn.as_str().unwrap().to_owned());
    for (urns, kind) in [(schemas, "schemas"), (messages.to_vec(), "api")] {
        for urn in urns.iter().filter(|urn| urn.contains(":ietf:")) {
            let rest = urn.strip_prefix(&format!("urn:ietf:params:scim:{kind}:")).unwrap_or_default();
            assert!(rest.split(':').count() >= 2 && !rest.contains("::") && !rest.ends_with(':'), "{urn}");
        }
    }
}

#[test]
fn the_beginning_of_a_urn_names_no_extension() {
    let scim = Scim::new();
    for (at, urn) in
        ["urn:scim:schemas:", "urn:scim:schemas:e", "urn:scim:schemas:extension:enterprise"].iter().enumerate()
    {
        let named = format!("u{at}");
        let path = scim.create("/Users", user(json!({"userName": named, *urn: {"department": "d"}})));
        scim.patch(&path, json!({"op": "replace", "value": {*urn: {"department": "d"}}})).is(200);
        scim.get(&path).has(json!({"schemas": [USER]})).lacks(&[&format!("/{ENTERPRISE}")]);
    }
    let path = scim.user(json!({}));
    let whole = json!({"URN:scim:schemas:extension:enterprise:2.0": {"department": "d"}});
    scim.patch(&path, json!({"op": "replace", "value": whole})).is(200).has(json!({ENTERPRISE: {"department": "d"}}));
}
