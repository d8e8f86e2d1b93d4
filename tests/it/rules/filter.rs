//! The grammar of filters and how they are evaluated (RFC 7644 §3.4.2.2). What each operator does is in
//! `filter_operators`.

use scim_provider::{Compat, Filter};
use serde_json::json;

use super::devices;
use crate::scim::{BASE, ENTERPRISE, Scim, USER, id_of};

fn scim() -> Scim {
    let scim = Scim::strict();
    scim.user(json!({
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "title": "Dr",
        "active": true,
        "emails": [{"type": "work", "value": "ada@example.com"}, {"type": "home", "value": "ada@home.example"}],
        ENTERPRISE: {"department": "R&D", "manager": {"value": "m1"}},
    }));
    scim
}

#[track_caller]
fn yes(filters: &[&str]) {
    let scim = scim();
    filters.iter().for_each(|filter| assert!(scim.finds("/Users", filter), "{filter}"));
}

#[track_caller]
fn no(filters: &[&str]) {
    let scim = scim();
    filters.iter().for_each(|filter| assert!(!scim.finds("/Users", filter), "{filter}"));
}

#[track_caller]
fn refused(filters: &[&str]) {
    let scim = scim();
    for filter in filters {
        scim.filter("/Users", filter).refused(400, "invalidFilter");
    }
}

/// R-7644-3.4.2.2-01 R-7644-3.4.2.2-03 R-7644-3.4.2.2-02
#[test]
fn only_what_matches_is_returned() {
    let scim = scim();
    scim.user(json!({"userName": "bob"}));
    assert_eq!(scim.filter("/Users", r#"userName eq "bob""#).each("userName"), ["bob"]);
    scim.get("/ServiceProviderConfig").has(json!({"filter": {"supported": true}}));
}

/// R-7644-3.4.2.2-04 R-7644-3.4.2.2-11 R-7644-3.4.2.2-12 R-7643-2.1-07
#[test]
fn names_and_operators_are_written_in_any_letter_case() {
    yes(&[r#"USERNAME Eq "ada""#, "TITLE PR AND NOT (nickname PR)", r#"userName EQ "x" Or active eQ true"#]);
}

/// R-7644-3.4.2.2-05 R-7644-3.4.2.2-06 R-7644-3.4.2.2-09 R-7644-3.12-15
#[test]
fn what_is_no_filter_is_refused() {
    refused(&[
        " ",
        "userName",
        "userName eq",
        "eq \"x\"",
        "userName eq \"x\" and",
        "(userName pr",
        "userName pr)",
        "()",
        "userName pr userName pr",
        "userName pr, title pr",
        "emails[]",
        "emails[type eq \"work\"",
        "not",
        "userName = \"x\"",
        "userName eq \"x\" or or title pr",
        "userName eq \"x",
        "pr userName",
    ]);
}

/// R-7644-3.4.2.2-13
#[test]
fn a_value_is_json() {
    yes(&[r#"title eq "\u0044r""#, "active eq true", "nickName eq null"]);
    refused(&["title eq 'Dr'", "title eq Dr", r#"title eq "\x""#, r#"title eq ["Dr"]"#, r#"title eq {"a": 1}"#]);
    refused(&["active eq yes", "title eq \"a\tb\"", "title eq +1", "title eq 01"]);
}

/// R-7644-3.4.2.2-10 A-02 E-7644-03 R-7644-3.4.2.2-07
#[test]
fn not_stands_before_parentheses() {
    yes(&["not (nickName pr)", "not(nickName pr)", "not   (nickName pr)", "not (not (title pr))"]);
    refused(&["not nickName pr", "not not (title pr)", "not title eq \"x\""]);
}

/// R-7644-3.4.2.2-36 R-7644-3.4.2.2-37 R-7644-3.4.2.2-08 A-01 E-7644-01
#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    yes(&["title pr or nickName pr and locale pr", "title pr or nickName eq \"x\" and locale eq \"y\""]);
    no(&["(title pr or nickName pr) and locale pr"]);
    yes(&["not (nickName pr) and title pr", "nickName pr and locale pr or title pr"]);
    no(&["not (nickName pr or title pr)", "not (title pr) and title pr or nickName pr"]);
}

/// R-7644-3.4.2.2-20
#[test]
fn more_blanks_than_one_are_tolerated() {
    yes(&["  userName   eq  \"ada\"  ", "( userName pr )", "emails[ type eq \"work\" ]"]);
}

/// R-7644-3.4.2.2-21
#[test]
fn a_text_may_follow_its_operator_at_once_where_an_example_does_so() {
    let filter = r#"emails[value eq"ada@example.com"]"#;
    for scim in [Scim::strict(), Scim::new()] {
        let path = scim.user(json!({"emails": [{"value": "ada@example.com"}]}));
        for query in [filter, r#"userName eq"ada""#] {
            scim.filter("/Users", query).refused(400, "invalidFilter");
        }
        scim.patch(&path, json!({"op": "remove", "path": filter})).is(200).lacks(&["/emails"]);
    }
}

/// R-7644-3.4.2.2-14
#[test]
fn a_path_has_one_level_of_parts() {
    refused(&["name.givenName.x pr", "name. pr", ".name pr", "name..givenName pr"]);
}

/// R-7644-3.4.2.2-16
#[test]
fn where_a_resource_is_can_be_asked() {
    let scim = Scim::new();
    let boss = scim.user(json!({}));
    let bob = scim.user(json!({"userName": "bob", ENTERPRISE: {"manager": {"value": id_of(&boss)}}}));
    let (inner, outer) = (scim.group("inner", &[&bob]), scim.group("outer", &[]));
    scim.patch(&outer, json!({"op": "add", "path": "members", "value": [{"value": id_of(&inner)}, {"value": "no"}]}));
    scim.group("empty", &[]);
    let found = |endpoint: &str, filter: &str| scim.filter(endpoint, filter).is(200).each("id");
    let ids = |paths: &[&String]| paths.iter().map(|path| id_of(path).to_owned()).collect::<Vec<_>>();
    let url = |path: &str| format!("{BASE}{path}");
    for (path, holders) in [(&bob, ids(&[&inner])), (&inner, ids(&[&outer])), (&boss, ids(&[]))] {
        for written in [url(path), format!("..{path}")] {
            for filter in [format!("members.$ref eq \"{written}\""), format!("members[$ref eq \"{written}\"]")] {
                assert_eq!(found("/Groups", &filter), holders, "{filter}");
                assert_eq!(found("/", &filter), holders, "{filter}");
            }
        }
    }
    for elsewhere in ["https://evil.example.net/Users/x", "x", &url(&bob.replace("Users", "Groups")), ""] {
        assert!(found("/Groups", &format!("members.$ref eq \"{elsewhere}\"")).is_empty(), "{elsewhere}");
        assert_eq!(found("/Groups", &format!("not (members.$ref eq \"{elsewhere}\")")).len(), 3, "{elsewhere}");
    }
    assert_eq!(found("/Groups", "members.$ref pr"), ids(&[&inner, &outer]));
    assert_eq!(found("/Groups", "members[$ref pr]"), ids(&[&inner, &outer]));
    assert_eq!(found("/Groups", r#"members[value eq "no" and $ref pr]"#), ids(&[]));
    assert_eq!(found("/Groups", "members.$ref eq null"), found("/Groups", r#"displayName eq "empty""#));
    let manager = format!("{ENTERPRISE}:manager.$ref");
    assert_eq!(found("/Users", &format!("{manager} pr")), ids(&[&bob]));
    assert_eq!(found("/Users", &format!("{manager} eq \"{}\"", url(&boss))), ids(&[&bob]));
    assert_eq!(found("/Users", &format!("groups.$ref eq \"{}\"", url(&inner))), ids(&[&bob]));
    assert_eq!(found("/Users", "groups.$ref pr"), ids(&[&bob]));
    assert_eq!(found("/Users", "meta.location pr").len(), 2);
    assert_eq!(found("/Users", &format!("meta.location eq \"{}\"", url(&bob))), ids(&[&bob]));
    assert_eq!(found("/Users", &format!("meta.location eq \"{}\"", url(&inner))), ids(&[]));
    for operator in ["ne", "co", "sw", "ew", "gt"] {
        scim.filter("/Groups", &format!("members.$ref {operator} \"x\"")).refused(400, "invalidFilter");
        scim.filter("/Users", &format!("meta.location {operator} \"x\"")).refused(400, "invalidFilter");
    }
}

/// R-7644-3.4.2.2-38 R-7644-3.4.2.2-41 A-03
#[test]
fn any_value_of_several_suffices() {
    yes(&[
        r#"emails.type eq "home""#,
        r#"emails.value co "home""#,
        r#"emails co "example.com""#,
        "emails pr",
        "emails.type pr",
    ]);
    no(&[r#"emails.value eq "x""#]);
}

/// R-7644-3.4.2.2-39 R-7644-3.4.2.2-17 R-7644-3.4.2.2-43
#[test]
fn brackets_look_at_one_value_at_a_time() {
    yes(&[r#"emails.type eq "home" and emails.value co "example.com""#]);
    no(&[r#"emails[type eq "home" and value co "example.com"]"#]);
    yes(&[
        r#"emails[type eq "home" and value co "home"]"#,
        r#"emails[not (type eq "home") and (value sw "x" or value sw "ada")]"#,
        r#"emails[type eq "work"] and emails[type eq "home"]"#,
        r#"not (emails[type eq "other"])"#,
    ]);
}

/// R-7644-3.4.2.2-18 E-7644-02
#[test]
fn brackets_do_not_nest() {
    refused(&[r#"emails[emails[type eq "work"]]"#, r#"emails[type eq "work" and value[x pr]]"#]);
}

/// R-7644-3.4.2.2-42
#[test]
fn brackets_hold_parts_of_the_attribute_before_them() {
    refused(&["emails[userName pr]", r#"emails[nope eq "x"]"#, "title[value pr]", &format!("emails[{USER}:title pr]")]);
}

/// R-7644-3.4.2.2-40 A-03
#[test]
fn a_complex_attribute_is_compared_by_its_parts() {
    yes(&[r#"name.givenName eq "ada""#, "name pr"]);
    refused(&[r#"name eq "Ada""#, r#"addresses eq "x""#]);
}

/// R-7644-3.4.2.2-19
#[test]
fn a_comparison_behind_brackets_is_an_extension() {
    let filter = r#"emails[type eq "work"].value eq "ada@example.com""#;
    refused(&[filter]);
    let lenient = Scim::new();
    lenient.user(json!({"emails": [{"type": "work", "value": "ada@example.com"}]}));
    assert!(lenient.finds("/Users", filter));
    assert!(!lenient.finds("/Users", r#"emails[type eq "home"].value eq "ada@example.com""#));
}

/// R-7644-3.4.2.2-46 R-7644-3.12-01
#[test]
fn an_unknown_operator_is_named_and_nothing_returned() {
    let refused =
        scim().filter("/Users", r#"userName regex "a.*""#).refused(400, "invalidFilter").lacks(&["/Resources"]);
    assert!(refused.at("/detail").as_str().unwrap().contains("`regex`"), "{}", refused.body);
}

/// R-7644-3.4.2.2-50
#[test]
fn an_unknown_attribute_is_refused() {
    refused(&[r#"shoeSize eq 7"#, "name.nick pr", "urn:example:x:a pr", "members pr"]);
}

/// R-7644-3.4.2.2-51 R-7643-4.1.1-19 R-7643-7-27
#[test]
fn a_password_cannot_be_asked_for() {
    for filter in
        [r#"password eq "x""#, "password pr", r#"not (password sw "a")"#, r#"userName eq "ada" or password co "a""#]
    {
        refused(&[filter, &filter.replace("password", "PASSWORD")]);
    }
    let scim = Scim::new();
    scim.create("/Devices", devices::body(json!({"pin": "1234"})));
    scim.filter("/Devices", r#"pin eq "1234""#).refused(400, "invalidFilter");
    scim.get("/Devices?sortBy=pin").refused(400, "invalidValue");
}

/// R-7644-3.4.2.2-52 R-7644-3.4.2.2-48 R-7644-3.4.2.1-03
#[test]
fn common_attributes_are_filtered_like_all_others() {
    let scim = scim();
    let id = scim.get("/Users").at("/Resources/0/id");
    for filter in [
        format!("id eq {id}"),
        r#"meta.resourceType eq "User""#.to_owned(),
        r#"meta.created gt "2020-01-01T00:00:00Z" and meta.lastModified lt "2200-01-01T00:00:00Z""#.to_owned(),
        "externalId eq null".to_owned(),
        format!(r#"schemas eq "{ENTERPRISE}" and schemas eq "{USER}""#),
        "meta.version pr".to_owned(),
    ] {
        assert!(scim.finds("/Users", &filter), "{filter}");
    }
    let path = format!("/Users/{}", id.as_str().unwrap());
    let set = json!({"op": "add", "path": "externalId", "value": "e-1"});
    let version = scim.patch(&path, set).is(200).at("/meta/version");
    for (filter, found) in [
        (r#"externalId eq "e-1""#.to_owned(), true),
        (r#"externalId sw "e" and externalId pr"#.to_owned(), true),
        (r#"externalId eq "E-1""#.to_owned(), false),
        (format!("meta.version eq {version}"), true),
        (r#"meta.version eq "W/\"none\"""#.to_owned(), false),
        (r#"meta.created lt "2020-01-01T00:00:00Z""#.to_owned(), false),
        (r#"meta.lastModified lt "2020-01-01T00:00:00Z""#.to_owned(), false),
    ] {
        assert_eq!(scim.finds("/Users", &filter), found, "{filter}");
    }
    assert!(!scim.finds("/Users", r#"schemas eq "urn:example:other""#));
    assert!(!scim.finds("/Users", &format!("id eq {}", json!(id.as_str().unwrap().to_uppercase() + "X"))));
}

/// R-7644-3.4.2.2-15 R-7644-3.4.2.2-53 R-7644-3.4.2.2-14
#[test]
fn an_extensions_attribute_is_named_with_its_urn() {
    yes(&[&format!(r#"{ENTERPRISE}:department eq "r&d""#), &format!(r#"{ENTERPRISE}:manager.value eq "m1""#)]);
    yes(&[&format!(r#"{USER}:userName eq "ada""#), &format!(r#"{USER}:emails[type eq "work"]"#)]);
}

/// R-7644-3.4.2.2-44 R-7644-3.1-09
#[test]
fn a_filter_sees_what_was_stored_last() {
    let scim = scim();
    let path = format!("/Users/{}", scim.get("/Users").at("/Resources/0/id").as_str().unwrap());
    scim.patch(&path, json!({"op": "replace", "path": "title", "value": "Prof"})).is(200);
    assert!(scim.finds("/Users", r#"title eq "prof""#) && !scim.finds("/Users", r#"title eq "dr""#));
}

/// R-7644-3.4.2.2-49
#[test]
fn the_filters_that_the_rfc_prints_are_understood() {
    let scim = Scim::new();
    for filter in [
        r#"userName eq "bjensen""#,
        r#"name.familyName co "O'Malley""#,
        r#"userName sw "J""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
        "title pr",
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"title pr and userType eq "Employee""#,
        r#"title pr or userType eq "Intern""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
        r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType eq "Employee" and (emails.type eq "work")"#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    ] {
        scim.filter("/Users", filter).is(200);
    }
}

/// R-7643-4.1.1-02
#[test]
fn letter_case_is_folded_beyond_ascii() {
    let scim = Scim::new();
    scim.user(json!({"userName": "ZOË", "displayName": "Ærø"}));
    assert!(scim.finds("/Users", r#"userName eq "zoë""#) && scim.finds("/Users", r#"displayName sw "æ""#));
    scim.post("/Users", crate::scim::user(json!({"userName": "zoë"}))).refused(409, "uniqueness");
}

/// R-7644-3.4.2.2-22
#[test]
fn a_filter_is_bounded() {
    let deep = format!("{}title pr{}", "(".repeat(1000), ")".repeat(1000));
    let long = vec!["title pr"; 1000].join(" or ");
    for filter in [deep, long, format!("title eq \"{}\"", "x".repeat(10_000))] {
        let body = json!({"schemas": [crate::scim::SEARCH], "filter": filter});
        Scim::new().post("/Users/.search", body).refused(400, "invalidFilter");
    }
}

/// R-7644-3.4.2.2-09
#[test]
fn a_host_binds_filters_by_the_same_rules() {
    let devices = devices::devices();
    let filter: Filter = r#"place.room eq "1" and readings gt 3"#.parse().unwrap();
    let bound = filter.bind(&devices, Compat::strict()).unwrap();
    let device = |room: &str| devices::parse(json!({"place": {"room": room}, "readings": [1, 4]})).unwrap();
    assert!(bound.matches(&device("1")) && !bound.matches(&device("2")));
}
