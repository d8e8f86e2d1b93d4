//! The data types (RFC 7643 §2.3), and what being unassigned means (§2.5).

use scim_provider::schema::{Attribute, Schema};
use scim_provider::{MemoryStore, ResourceType, Service};
use serde_json::{Value, json};

use super::devices::{body, device, parse};
use crate::scim::{BASE, GROUP, Scim, user};

#[track_caller]
fn refused(more: Value) {
    let violation = parse(more.clone()).err().map(|violation| violation.scim_type().to_string());
    assert!(violation.is_none_or(|keyword| keyword == "invalidValue"), "{more}");
    Scim::strict().post("/Devices", body(more)).refused(400, "invalidValue");
}

#[track_caller]
fn kept(name: &str, value: Value) {
    let created = Scim::strict().post("/Devices", body(json!({name: value}))).is(201);
    assert_eq!(created.at(&format!("/{name}")), value);
}

/// R-7643-2.3-02 R-7643-2.3.1-01
#[test]
fn a_string_is_any_text() {
    for text in ["", " ", "é\u{1F600}", "a\nb", "\u{7f}", "\"\\/"] {
        kept("label", json!(text));
    }
    for other in [json!(1), json!(true), json!({"value": "x"})] {
        refused(json!({"label": other}));
    }
}

/// R-7643-2.3-02 R-7643-2.3.2-01
#[test]
fn a_boolean_is_true_or_false() {
    kept("on", json!(true));
    kept("on", json!(false));
    for other in [json!("true"), json!("False"), json!(1), json!(0), json!({})] {
        refused(json!({"on": other}));
    }
}

/// R-7643-2.3-02 R-7643-2.3.4-01
#[test]
fn an_integer_has_no_fraction_and_no_exponent() {
    kept("slots", json!(0));
    kept("slots", json!(-7));
    kept("slots", json!(i64::MAX));
    let scim = Scim::strict();
    for number in ["1.0", "1e2", "1.5", "\"1\"", "18446744073709551615", "1e400"] {
        let body = format!(r#"{{"schemas": ["{}"], "serial": "x", "slots": {number}}}"#, crate::scim::DEVICE);
        let answer = scim.send("POST", "/Devices", &[("content-type", "application/scim+json")], body);
        assert_eq!(answer.status, 400, "{number}: {}", answer.body);
    }
}

/// R-7643-2.3-02 R-7643-2.3.3-01
#[test]
fn a_decimal_is_any_number() {
    for number in [json!(1.5), json!(-0.25), json!(3), json!(2.0e10)] {
        kept("weight", number);
    }
    refused(json!({"weight": "1.5"}));
    let scim = Scim::strict();
    for number in ["1.", ".5", "01", "+1", "NaN"] {
        let body = format!(r#"{{"schemas": ["{}"], "serial": "x", "weight": {number}}}"#, crate::scim::DEVICE);
        let answer = scim.send("POST", "/Devices", &[("content-type", "application/scim+json")], body);
        answer.refused(400, "invalidSyntax");
    }
}

/// R-7643-2.3.5-01 R-7643-2.3.5-02 R-7643-2.3.5-03 R-3339-5.6-02 R-3339-5.6-03 R-7643-2.3-02
#[test]
fn a_date_time_has_a_date_and_a_time() {
    for at in [
        "2026-01-31T09:00:00Z",
        "2026-01-31t09:00:00z",
        "2026-01-31T09:00:00",
        "2026-01-31T09:00:00.1234567891234-05:30",
        "2026-01-31T23:59:60Z",
        "2026-01-31T24:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ] {
        kept("bought", json!(at));
    }
    for at in
        ["2026-01-31", "09:00:00Z", "2026-02-30T09:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31 09:00:00Z", "", "now"]
    {
        refused(json!({"bought": at}));
    }
    // without an offset it is meant in UTC
    let scim = Scim::strict();
    scim.create("/Devices", body(json!({"bought": "2026-01-31T09:00:00"})));
    assert!(scim.finds("/Devices", r#"bought eq "2026-01-31T10:00:00+01:00""#));
    assert!(!scim.finds("/Devices", r#"bought ne "2026-01-31T09:00:00Z""#));
    // beyond RFC 3339, xsd:dateTime has these years too
    for at in ["12026-01-31T09:00:00Z", "-0044-03-15T12:00:00Z"] {
        refused(json!({"bought": at}));
    }
    refused(json!({"bought": 1_769_850_000}));
}

/// R-7643-2.3.6-01 R-7643-2.3.6-03 R-7643-2.3-02
#[test]
fn binary_is_base64_with_or_without_padding() {
    for bytes in ["", "QQ==", "QQ", "QUI=", "QUJD", "-_-_", "+/+/"] {
        kept("firmware", json!(bytes));
    }
    for bytes in ["Q", "Q Q=", "QQ===", "é", "QUI=QUI="] {
        refused(json!({"firmware": bytes}));
    }
    refused(json!({"firmware": [81]}));
}

/// R-7643-2.3.7-02 R-7643-2.3-02
#[test]
fn a_reference_is_a_string_that_is_kept_as_it_is() {
    for uri in ["https://example.com/manual.pdf", "../Manuals/7", "urn:isbn:0-395-36341-1"] {
        kept("manual", json!(uri));
    }
    refused(json!({"manual": 7}));
}

/// R-7643-2.3-02 R-7643-2.3.8-01 R-7643-1.2-01
#[test]
fn a_complex_value_is_an_object_in_any_order() {
    let scim = Scim::strict();
    let place = scim.post("/Devices", body(json!({"place": {"room": "1", "site": "X"}}))).is(201).at("/place");
    assert_eq!(place, json!({"room": "1", "site": "X"}));
    let other = r#"{"place": {"site": "X", "room": "1"}}"#;
    let one = parse(serde_json::from_str(other).unwrap()).unwrap();
    assert_eq!(one.get("place").unwrap().as_json(), br#"{"site":"X","room":"1"}"#);
    for no_object in [json!("X"), json!(1), json!([{"room": "1"}])] {
        refused(json!({"place": no_object}));
    }
    refused(json!({"label": {"value": "x"}}));
}

/// R-7643-2.4-01 R-7643-2.4-02 R-7643-1.2-03 R-7644-3.8-12
#[test]
fn a_multi_valued_attribute_is_an_array() {
    kept("tags", json!(["a", "b"]));
    kept("tags", json!(["a"]));
    kept("ports", json!([{"value": "1"}]));
    kept("readings", json!([1, 2, 2]));
    kept("ports", json!([{"value": "1"}, {"value": "2", "tags": ["x", "y"]}]));
    for single in [json!("a"), json!({"value": "a"})] {
        refused(json!({"tags": single}));
    }
    refused(json!({"ports": {"value": "1"}}));
    refused(json!({"ports": ["1"]}));
    refused(json!({"tags": [{"value": "a"}]}));
    refused(json!({"label": ["a"]}));
}

/// R-7643-2.4-03 R-7643-2.4-04
#[test]
fn a_list_without_parts_of_its_own_has_the_usual_ones() {
    let reference = "https://example.com/a";
    let whole = json!([{"type": "work", "value": "a", "display": "A", "primary": true, "$ref": reference}]);
    kept("contacts", whole.clone());
    refused(json!({"contacts": [{"primary": "yes"}]}));
    for part in ["type", "value", "display", "$ref"] {
        refused(json!({"contacts": [{part: 7}]}));
    }
    // what is primary is so alone, and the value is what a list is compared and ordered by
    refused(json!({"contacts": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}));
    let scim = Scim::strict();
    scim.create(
        "/Devices",
        body(json!({"serial": "1", "contacts": [{"value": "x"}, {"value": "c", "primary": true}]})),
    );
    scim.create("/Devices", body(json!({"serial": "2", "contacts": [{"value": "b", "type": "home"}]})));
    assert!(scim.finds("/Devices", r#"contacts eq "x""#) && !scim.finds("/Devices", r#"contacts eq "home""#));
    assert_eq!(scim.get("/Devices?sortBy=contacts").is(200).each("serial"), ["2", "1"]);
    // a value that becomes primary takes it from the other; a filter tells values by their type
    let path = scim.create("/Devices", body(json!({"serial": "3", "contacts": whole})));
    let add = json!({"op": "add", "path": "contacts", "value": [{"value": "n", "type": "new", "primary": true}]});
    scim.patch(&path, add).is(200).has(json!({"contacts": [{"primary": false}, {"primary": true}]}));
    let remove = json!({"op": "remove", "path": "contacts[type eq \"work\"]"});
    scim.patch(&path, remove).is(200).has(json!({"contacts": [{"value": "n"}]}));
}

/// R-7643-2.4-05 A-22
#[test]
fn one_value_is_primary_at_the_most() {
    let two = json!({"ports": [{"value": "1", "primary": true}, {"value": "2", "primary": true}]});
    refused(two.clone());
    let scim = Scim::strict();
    let path = scim.create("/Devices", body(json!({})));
    scim.put(&path, body(two)).refused(400, "invalidValue");
    kept("ports", json!([{"value": "1", "primary": true}, {"value": "2", "primary": false}]));
}

/// R-7643-2.4-06
#[test]
fn a_missing_primary_reads_as_false() {
    let scim = Scim::strict();
    scim.create("/Devices", body(json!({"ports": [{"value": "1"}]})));
    assert!(scim.finds("/Devices", "ports[primary eq false]"));
    assert!(!scim.finds("/Devices", "ports[primary eq true]"));
}

/// R-7643-2.4-11
#[test]
fn the_same_value_may_have_several_types() {
    kept("ports", json!([{"value": "1", "type": "usb"}, {"value": "1", "type": "net"}]));
}

/// R-7643-2.5-01 R-7643-2.5-02 R-7643-2.5-03 R-7644-3.3-06 R-7643-1.1-02 R-7644-3.4.2.2-28
#[test]
fn absent_null_and_empty_are_the_same() {
    let scim = Scim::strict();
    let empty = json!({"label": null, "tags": [], "ports": null, "place": {}, "slots": null, "contacts": [null], "codes": [null]});
    let created = scim.post("/Devices", body(empty)).is(201);
    let mut names: Vec<&String> = created.body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["id", "meta", "schemas", "serial"]);
    assert!(scim.finds("/Devices", "label eq null and not (tags pr) and not (place pr)"));
    let text = String::from_utf8(created.text).unwrap();
    assert!(!text.contains("null"), "{text}");
}

/// R-7643-2.5-02
#[test]
fn null_and_empty_clear_what_was_set() {
    let scim = Scim::strict();
    let path = scim.create("/Devices", body(json!({"label": "a", "tags": ["x"], "place": {"room": "1"}})));
    scim.put(&path, body(json!({"label": null, "tags": [], "place": null})))
        .is(200)
        .lacks(&["/label", "/tags", "/place"]);
}

/// R-7643-2.3.7-05 R-7643-2.3.6-04 R-7643-2.3.2-02 R-7643-2.3.3-02 R-7643-2.3.4-02 R-7643-2.3.5-04 R-7643-2.3.8-02
#[test]
fn letter_case_counts_in_references_and_binary_values_only() {
    let scim = Scim::strict();
    scim.create("/Devices", body(json!({"manual": "https://x/A", "firmware": "QUJD", "label": "A"})));
    assert!(
        scim.finds("/Devices", r#"manual eq "https://x/A""#) && !scim.finds("/Devices", r#"manual eq "https://x/a""#)
    );
    assert!(scim.finds("/Devices", r#"firmware eq "QUJD""#) && !scim.finds("/Devices", r#"firmware eq "qujd""#));
    assert!(scim.finds("/Devices", r#"label eq "a""#));
    let schema = scim.get(&format!("/Schemas/{}", crate::scim::DEVICE)).is(200);
    for attribute in schema.at("/attributes").as_array().unwrap() {
        let (has_case, unique) = (attribute.get("caseExact").is_some(), attribute.get("uniqueness").is_some());
        let expected = match attribute["type"].as_str().unwrap() {
            "string" => (true, true),
            "reference" | "binary" => (true, attribute["type"] == "reference"),
            "integer" | "decimal" => (false, true),
            _ => (false, false),
        };
        assert_eq!((has_case, unique), expected, "{attribute}");
    }
}

/// R-7643-2.3.1-03 R-7643-7-15 A-21
#[test]
fn canonical_values_are_suggestions() {
    kept("ports", json!([{"value": "1", "type": "serial"}]));
}

/// R-7643-2-01 R-7643-2-02
#[test]
fn an_attribute_is_read_by_its_definition_and_not_by_its_name() {
    let scim = Scim::new();
    let contact = json!([{"value": "x", "type": "any", "primary": true}]);
    scim.post("/Devices", body(json!({"contacts": contact, "title": "no title here"}))).is(201).lacks(&["/title"]);
    // the same name is required here and may be left out there, is one text here and a list there
    scim.post("/Groups", json!({"schemas": [GROUP]})).refused(400, "invalidValue");
    scim.post("/Users", user(json!({}))).is(201).lacks(&["/displayName"]);
    let text =
        Schema::new("urn:example:Note", "Note", [Attribute::string("tags"), Attribute::string("label").read_only()]);
    let builder = Service::builder(BASE)
        .resource(device(), MemoryStore::new())
        .resource(ResourceType::builder("Note", "/Notes", text), MemoryStore::new());
    let scim = Scim::of(builder);
    let note = scim.create("/Notes", json!({"schemas": ["urn:example:Note"], "tags": "a", "label": "mine"}));
    scim.get(&note).has(json!({"tags": "a"})).lacks(&["/label"]);
    let made = scim.create("/Devices", body(json!({"tags": ["a"], "label": "mine"})));
    scim.get(&made).has(json!({"tags": ["a"], "label": "mine"}));
    // and what may be said depends on the request: an immutable value at the beginning, and not another one later
    scim.put(&made, body(json!({"serial": "Sn-2"}))).refused(400, "mutability");
}
