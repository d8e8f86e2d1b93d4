//! No value reaches an observer: whatever a client sends, wherever a value may stand, each exchange is searched for it.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use scim_provider::{Compat, UnknownAttributes};
use serde_json::{Value, json};

use crate::scim::{BULK, ENTERPRISE, GROUP, PATCH_OP, SEARCH, Scim, USER};
use crate::server::percent_encode;

/// What stands for the value, to be replaced by one that is nowhere else.
const MARK: &str = "MARK";

const NAMES: &[&str] = &[
    "userName",
    "title",
    "active",
    "externalId",
    "name",
    "emails",
    "roles",
    "members",
    "addresses",
    "x509Certificates",
    "password",
    "displayName",
    "companyName",
    "profileUrl",
    "id",
    "meta",
    "groups",
    "schemas",
    "photos",
    ENTERPRISE,
    USER,
    "urn:scim:schemas:extension:enterprise:1.0",
    "manager",
    "value",
    "type",
    "primary",
    "$ref",
    "display",
    "givenName",
];

/// Keys and paths with a value in them.
const PATHS: &[&str] = &[
    "emails[value eq \"MARK\"].type",
    "emails[value eq \"MARK\"]",
    "members[value eq \"MARK\"]",
    "emails[value eq MARK].display",
    "emails[value eq 'MARK'].display",
    "emails[value eq \"MARK].display",
    "emails[type eq \"work\" and value MARK \"x\"]",
    "emails[value eq \"MARK\" and]",
    "companyName[value eq \"MARK\"].type",
    "emails[value eq \"MARK\"].nothing",
    "MARK@example.com",
    "emails.value MARK",
    "Mr MARK",
];

const PLAIN: &[&str] = &[
    "title",
    "userName",
    "active",
    "emails",
    "emails.value",
    "members",
    "name",
    "name.givenName",
    "roles",
    "companyName",
    "password",
    "emails[type eq \"work\"].value",
    "addresses[type eq \"work\"].country",
    "nickName.x",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "x509Certificates.value",
    "schemas",
    "id",
];

const FILTERS: &[&str] = &[
    "userName eq \"MARK\"",
    "userName eq MARK",
    "userName eq 'MARK'",
    "userName eq \"MARK",
    "userName eq \"x\" MARK",
    "userName eq \"MARK\" and",
    "userName MARK \"x\"",
    "title \"MARK\"",
    "title MARK",
    "active eq \"MARK\"",
    "active eq MARK",
    "meta.created gt \"MARK\"",
    "meta.lastModified gt MARK",
    "password eq \"MARK\"",
    "companyName eq \"MARK\"",
    "emails[value eq \"MARK\"].nothing eq \"x\"",
    "emails[value eq \"MARK\"].value co \"MARK",
    "nothing[value eq \"MARK\"]",
    "name eq \"MARK\"",
    "name.givenName eq Mr MARK",
    "members.$ref eq \"MARK\"",
    "not (title eq \"MARK\")) or",
    "MARK@example.com eq 1",
];

fn text() -> impl Strategy<Value = Value> {
    select(vec![
        "MARK",
        "MARK@example.com",
        "x MARK",
        "{\"value\":\"MARK\"}",
        "[\"MARK\"]",
        "https://x.example/MARK",
        "\u{7f}MARK",
        "",
    ])
    .prop_map(Value::from)
}

fn value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![4 => select(NAMES.to_vec()), 1 => select(PATHS.to_vec())];
    let leaf = prop_oneof![8 => text(), 1 => Just(json!(null)), 1 => Just(json!(true)), 1 => Just(json!(7)), 1 => Just(json!([]))];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let key = prop_oneof![6 => select(NAMES.to_vec()), 1 => select(PATHS.to_vec())];
    let members = prop::collection::vec((key, value()), 0..4);
    (any::<bool>(), members).prop_map(|(typical, members)| {
        let mut resource = match typical {
            true => json!({"schemas": [USER], "userName": "x", "displayName": "x"}),
            false => json!({}),
        };
        for (name, value) in members {
            resource[name] = value;
        }
        resource
    })
}

fn patch() -> impl Strategy<Value = Value> {
    let path = prop_oneof![3 => select(PLAIN.to_vec()), 2 => select(PATHS.to_vec())];
    let op = prop_oneof![9 => select(vec!["add", "replace", "remove", "Replace"]), 1 => Just("MARK x")];
    let operation = (op, prop::option::of(path), prop_oneof![value(), resource()]).prop_map(|(op, path, value)| {
        let mut operation = json!({"op": op, "value": value});
        if let Some(path) = path {
            operation["path"] = json!(path);
        }
        operation
    });
    // a key that is a path, with a value that suits most: what is refused tells less
    let keyed = (select(vec!["add", "replace", "Add"]), select(PATHS.to_vec()), text())
        .prop_map(|(op, key, value)| json!({"op": op, "value": {key: value, "title": "MARK"}}));
    let operations = prop::collection::vec(prop_oneof![2 => operation, 1 => keyed], 0..3);
    operations.prop_map(|operations| json!({"schemas": [PATCH_OP], "Operations": operations}))
}

/// A request: method, path, body.
fn request() -> impl Strategy<Value = (&'static str, String, String)> {
    let types = || select(vec!["/Users", "/Groups", "/Devices"]);
    let put = ("/Users/USER", "/Groups/GROUP");
    let one = move || select(vec![put.0, put.1]);
    let query = select(vec!["filter", "sortBy", "cursor", "attributes", "startIndex"]);
    let get = (types(), query, select(FILTERS.to_vec())).prop_map(|(path, name, text)| {
        ("GET", format!("{path}?{name}={}", percent_encode(text.as_bytes())), String::new())
    });
    let search = (types(), select(FILTERS.to_vec()), select(vec!["filter", "sortBy", "sortOrder", "cursor"])).prop_map(
        |(path, text, name)| ("POST", format!("{path}/.search"), json!({"schemas": [SEARCH], name: text}).to_string()),
    );
    let write = (types(), resource()).prop_map(|(path, body)| ("POST", path.to_owned(), body.to_string()));
    let replace = (one(), resource()).prop_map(|(path, body)| ("PUT", path.to_owned(), body.to_string()));
    let change = (one(), patch()).prop_map(|(path, body)| ("PATCH", path.to_owned(), body.to_string()));
    let bulk = (resource(), patch()).prop_map(|(body, patch)| {
        let operations = json!([
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": body},
            {"method": "PATCH", "path": "/Users/USER", "data": patch},
            {"method": "PUT", "path": "/Groups/GROUP", "data": body},
        ]);
        ("POST", "/Bulk".to_owned(), json!({"schemas": [BULK], "Operations": operations}).to_string())
    });
    let whole = prop_oneof![2 => get, 1 => search, 3 => write, 2 => replace, 4 => change, 1 => bulk];
    // cut short, or of another shape
    (whole, 0..8_usize).prop_map(|((method, path, body), damage)| {
        let body = match damage {
            0 => body.chars().take(body.chars().count() / 2).collect(),
            1 if !body.is_empty() => json!(body).to_string(),
            2 if !body.is_empty() => format!("[{body}]"),
            _ => body,
        };
        (method, path, body)
    })
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// Caught: a key of a PATCH told whole, an operand in the message of a filter.
    #[test]
    fn no_value_is_told_wherever_it_stands(
        requests in prop::collection::vec(request(), 1..6),
        mark in "zq[a-z0-9]{10}",
        unknown in select(vec![UnknownAttributes::Drop, UnknownAttributes::Keep, UnknownAttributes::Refuse]),
        strict in prop::bool::weighted(0.25),
    ) {
        let scim = Scim::with(|builder| {
            let compat = if strict { Compat::strict() } else { Compat::default() };
            builder.compat(compat).unknown_attributes(unknown)
        });
        let emails = json!([{"value": mark, "type": "work"}, {"value": "b@x"}]);
        let user = scim.user(json!({"title": mark, "emails": emails}));
        let group = scim.create("/Groups", json!({"schemas": [GROUP], "displayName": mark, "members": [{"value": mark}]}));
        for (method, path, body) in requests {
            let path = path.replace("/Users/USER", &user).replace("/Groups/GROUP", &group).replace(MARK, &mark);
            let body = body.replace("/Users/USER", &user).replace("/Groups/GROUP", &group).replace(MARK, &mark);
            scim.send(method, &path, &[("content-type", "application/scim+json")], body.clone());
            for seen in scim.exchanges() {
                prop_assert!(!seen.text.contains(&mark), "{} {} {}\n{}", method, path, body, seen.text);
            }
        }
    }
}
