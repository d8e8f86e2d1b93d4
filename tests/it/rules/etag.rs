//! Versions and conditions (RFC 7644 §3.14, RFC 7232).

use serde_json::json;

use super::devices::body;
use crate::scim::{Scim, id_of, user};

fn ada() -> (Scim, String, String) {
    let scim = Scim::new();
    let path = scim.user(json!({"title": "Dr"}));
    let etag = scim.get(&path).header("etag").to_owned();
    (scim, path, etag)
}

/// R-7644-3.14-01 R-7644-3.14-02 R-7644-3.14-03 R-7643-3.1-24 R-7643-3.1-26 R-7232-2.3-01 R-7232-2.3-02 R-7643-8-03
#[test]
fn every_answer_with_a_resource_has_its_weak_etag() {
    let (scim, path, etag) = ada();
    assert!(etag.starts_with("W/\"") && etag.ends_with('"') && !etag.contains('\\'), "{etag}");
    let change = json!({"op": "replace", "path": "title", "value": "a"});
    for answer in [
        scim.get(&path),
        scim.patch(&path, change),
        scim.put(&path, user(json!({}))),
        scim.post("/Devices", body(json!({}))),
    ] {
        assert_eq!(json!(answer.header("etag")), answer.at("/meta/version"), "{}", answer.body);
    }
    scim.get("/ServiceProviderConfig").has(json!({"etag": {"supported": true}}));
}

/// R-7644-3.14-04 R-7644-3.14-05 R-7232-3-04 R-7232-3-05
#[test]
fn what_the_client_has_already_is_not_sent_again() {
    let (scim, path, etag) = ada();
    for tags in [etag.as_str(), etag.trim_start_matches("W/"), "*", &format!("\"x\", {etag}")] {
        let unchanged = scim.send("GET", &path, &[("if-none-match", tags)], "").is(304);
        assert!(unchanged.text.is_empty(), "{tags}");
        assert_eq!(unchanged.header("etag"), etag);
    }
    scim.send("GET", &path, &[("if-none-match", "W/\"other\"")], "").is(200);
    scim.send("HEAD", &path, &[("if-none-match", &etag)], "").is(304);
    // what a cache goes by is that of the whole answer
    let headers = [("accept", "application/json"), ("if-none-match", etag.as_str())];
    let (whole, unchanged) =
        (scim.send("GET", &path, &headers[..1], "").is(200), scim.send("GET", &path, &headers, ""));
    for name in ["cache-control", "content-location", "date", "etag", "expires", "vary"] {
        assert_eq!(unchanged.headers.get(name), whole.headers.get(name), "{name}");
    }
}

/// R-7644-3.14-06 R-7644-3.14-07 R-7644-3.12-11 R-7644-3.12-26 A-24 A-26 R-7644-3.12-10 R-7232-3-03
#[test]
fn a_change_to_another_version_is_refused() {
    let (scim, path, _) = ada();
    let stored = scim.get(&path).body;
    let stale = [("if-match", "W/\"stale\"")];
    let change = json!({"op": "replace", "path": "title", "value": "x"});
    scim.patch_if(&path, &stale, change).refused(412, "");
    scim.put_if(&path, &stale, user(json!({}))).refused(412, "");
    scim.send("DELETE", &path, &stale, "").refused(412, "");
    assert_eq!(scim.get(&path).body, stored);
}

/// R-7644-3.14-09 R-7232-2.3-04 R-7232-3-01 A-25 R-7644-3.14-06 A-26
#[test]
fn a_change_to_the_version_that_is_there_is_made() {
    for tags in ["ETAG", "STRONG", "*", "\"x\", ETAG", "\"a,b\",ETAG"] {
        let (scim, path, etag) = ada();
        let tags = tags.replace("ETAG", &etag).replace("STRONG", etag.trim_start_matches("W/"));
        let change = json!({"op": "replace", "path": "title", "value": "x"});
        scim.patch_if(&path, &[("if-match", &tags)], change).is(200);
        let refused = scim.put_if(&path, &[("if-match", &etag)], user(json!({}))).refused(412, "");
        assert!(refused.header("etag").is_empty());
        let etag = scim.get(&path).header("etag").to_owned();
        scim.put_if(&path, &[("if-match", &etag)], user(json!({}))).is(200);
        let etag = scim.get(&path).header("etag").to_owned();
        scim.send("DELETE", &path, &[("if-match", &etag)], "").is(204);
    }
}

/// R-7232-3-02 R-7232-3-06
#[test]
fn what_is_missing_is_not_found_whatever_the_condition() {
    let (scim, _, etag) = ada();
    for tags in ["*", &etag] {
        let change = json!({"op": "replace", "path": "title", "value": "x"});
        scim.patch_if("/Users/nobody", &[("if-match", tags)], change).refused(404, "");
        scim.put_if("/Users/nobody", &[("if-match", tags)], user(json!({}))).refused(404, "");
        scim.send("DELETE", "/Users/nobody", &[("if-match", tags)], "").refused(404, "");
        scim.send("GET", "/Users/nobody", &[("if-match", tags)], "").refused(404, "");
    }
}

/// R-7232-3-06
#[test]
fn what_is_wrong_is_wrong_whatever_the_condition() {
    let (scim, path, _) = ada();
    let stale = [("if-match", "\"stale\"")];
    scim.patch_if(&path, &stale, json!({"op": "replace", "path": "nope", "value": 1})).refused(400, "invalidPath");
    scim.put_if(&path, &stale, json!([])).refused(400, "invalidSyntax");
}

/// R-7232-3-06
#[test]
fn what_has_to_match_is_looked_at_before_what_must_not() {
    let (scim, path, etag) = ada();
    let (stale, current) = ("\"stale\"", etag.as_str());
    for (must, must_not, status) in [
        (stale, current, 412),
        (stale, stale, 412),
        (current, current, 304),
        ("*", current, 304),
        (current, stale, 200),
    ] {
        for headers in
            [[("if-match", must), ("if-none-match", must_not)], [("if-none-match", must_not), ("if-match", must)]]
        {
            scim.send("GET", &path, &headers, "").is(status);
        }
    }
    for (must, must_not, status) in [(stale, stale, 412), (current, current, 412), (current, stale, 200)] {
        let headers = [("if-match", must), ("if-none-match", must_not)];
        scim.patch_if(&path, &headers, json!({"op": "add", "path": "title", "value": "Dr"})).is(status);
    }
}

/// R-7232-3-03 R-7232-3-01
#[test]
fn a_read_heeds_if_match_too() {
    let (scim, path, etag) = ada();
    scim.send("GET", &path, &[("if-match", "\"stale\"")], "").refused(412, "");
    scim.send("GET", &path, &[("if-match", &etag)], "").is(200);
}

/// R-7232-3-04
#[test]
fn a_change_heeds_if_none_match() {
    let (scim, path, etag) = ada();
    for tags in [etag.as_str(), "*"] {
        let change = json!({"op": "replace", "path": "title", "value": "x"});
        scim.patch_if(&path, &[("if-none-match", tags)], change).refused(412, "");
        scim.put_if(&path, &[("if-none-match", tags)], user(json!({}))).refused(412, "");
        scim.send("DELETE", &path, &[("if-none-match", tags)], "").refused(412, "");
    }
    scim.send("DELETE", &path, &[("if-none-match", "\"other\"")], "").is(204);
}

/// R-7232-3-07 R-7232-2.3-01
#[test]
fn a_tag_is_quoted_or_plain_and_nothing_else() {
    let (scim, path, etag) = ada();
    let plain = etag.trim_start_matches("W/").trim_matches('"');
    scim.send("GET", &path, &[("if-none-match", plain)], "").is(304);
    for broken in ["w/\"1\"", "\"1", "W/\"", "a\"b", ""] {
        scim.send("DELETE", &path, &[("if-match", broken)], "").refused(400, "invalidValue");
    }
    // an empty one is a tag too, of no version
    for empty in ["\"\"", "W/\"\""] {
        scim.send("GET", &path, &[("if-none-match", empty)], "").is(200);
        scim.send("DELETE", &path, &[("if-match", empty)], "").refused(412, "");
    }
    scim.get(&path).is(200);
}

/// R-7644-3.14-08 R-7643-3.1-22
#[test]
fn each_change_gives_a_version_that_never_was() {
    let (scim, path, etag) = ada();
    let mut seen = vec![etag];
    for title in ["a", "Dr", "a", "Dr"] {
        let patched = scim.patch(&path, json!({"op": "replace", "path": "title", "value": title})).is(200);
        assert!(!seen.contains(&patched.header("etag").to_owned()), "{seen:?}");
        seen.push(patched.header("etag").to_owned());
    }
    let kept =
        scim.patch(&path, json!({"op": "replace", "path": "title", "value": "DR"})).is(200).header("etag").to_owned();
    assert!(!seen.contains(&kept), "another spelling is a change");
}

/// R-7644-3.14-08
#[test]
fn a_group_that_gets_a_member_is_another_version() {
    let (scim, path, _) = ada();
    let group = scim.group("g", &[]);
    let before = scim.get(&group).header("etag").to_owned();
    let add = json!({"op": "add", "path": "members", "value": [{"value": id_of(&path)}]});
    scim.patch_if(&group, &[("if-match", &before)], add.clone()).is(204);
    assert_ne!(scim.get(&group).header("etag"), before);
    scim.patch_if(&group, &[("if-match", &before)], add).refused(412, "");
}

/// RFC 9110 §13.1.1: what is yet to be made has none of the versions that are asked for.
#[test]
fn nothing_is_created_under_a_version() {
    let scim = Scim::new();
    let body = || user(json!({"userName": "conditional"})).to_string();
    let json = ("content-type", "application/scim+json");
    for tags in ["W/\"none\"", "\"1\"", "W/\"1\", W/\"2\""] {
        scim.send("POST", "/Users", &[("if-match", tags), json], body()).refused(412, "");
    }
    scim.get("/Users").is(200).has(json!({"totalResults": 0}));
    // the collection itself is there
    scim.send("POST", "/Users", &[("if-match", "*"), json], body()).is(201);
}
