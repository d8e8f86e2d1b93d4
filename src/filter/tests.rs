//! The grammar as a whole: the collected cases, hostile input, paths, and the laws.

use std::borrow::Cow;
use std::fmt::Write;

use proptest::prelude::*;
use serde_json::Value;

use super::{CompareOp, Filter, Literal, Number, ParseErrorKind, Path, Tail};
use crate::{AttrPath, Limits};

fn parse(text: &str) -> Result<Filter<'_>, super::ParseError> {
    Filter::parse(text, &Limits::default())
}

#[track_caller]
fn kind(text: &str) -> ParseErrorKind {
    parse(text).unwrap_err().kind()
}

/// Cases that the RFC leaves open, and that have no tree in the file because its grammar does not have them.
const ACCEPTED: &[&str] = &["f293", "f295", "f301", "f357", "f361", "f363", "f421", "f423"];
const REFUSED: &[&str] = &["f047", "f297", "f299", "f359", "f387", "f389", "f425"];

#[test]
fn every_collected_case_parses_or_is_refused_as_it_should() {
    let file: Value = serde_json::from_str(include_str!("../../tests/data/cases/filters.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 252);
    for case in cases {
        let (id, text) = (case["id"].as_str().unwrap(), case["filter"].as_str().unwrap());
        let well_formed = case["valid"] == true || case["wellFormed"] == true;
        let open = case["valid"] == "either";
        let accept = well_formed || open && (ACCEPTED.contains(&id) || !case["ast"].is_null());
        if open && !accept {
            assert!(REFUSED.contains(&id), "{id} is not listed: {text}");
        }
        // the grammar has no words without quotes, which are read to be refused, or taken for texts, when they are bound
        let parsed = parse(text);
        let well_formed = parsed.as_ref().is_ok_and(|filter| !has_word(filter));
        assert_eq!(well_formed, accept, "{id} {text}: {parsed:?}");
        let Ok(filter) = parsed else { continue };
        if !case["ast"].is_null() {
            assert_eq!(filter, tree(&case["ast"]), "{id} {text}");
        }
        assert_eq!(parse(&filter.to_string()).unwrap(), filter, "{id} {text}");
    }
}

fn has_word(filter: &Filter<'_>) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(has_word),
        Filter::Not(filter) => has_word(filter),
        Filter::Present(_) => false,
        Filter::Compare { value, .. } => matches!(value, Literal::Word(_)),
        Filter::ValuePath { filter, tail, .. } => {
            has_word(filter) || tail.as_ref().is_some_and(|tail| matches!(tail.value, Literal::Word(_)))
        }
    }
}

/// The tree of a case, in our types.
fn tree(json: &Value) -> Filter<'static> {
    let path = || json["path"].as_str().unwrap().parse().unwrap();
    let all = || json["args"].as_array().unwrap().iter().map(tree).collect();
    let op = match json["op"].as_str().unwrap() {
        "or" => return Filter::Or(all()),
        "and" => return Filter::And(all()),
        "not" => return Filter::Not(Box::new(tree(&json["arg"]))),
        "pr" => return Filter::Present(path()),
        "valuePath" => return Filter::ValuePath { path: path(), filter: Box::new(tree(&json["filter"])), tail: None },
        word => *OPERATORS.iter().find(|op| op.as_str() == word).unwrap(),
    };
    let value = match &json["value"] {
        Value::Null => Literal::Null,
        Value::Bool(value) => Literal::Bool(*value),
        Value::String(text) => Literal::String(Cow::Owned(text.clone())),
        number => Literal::Number(Number::parse(&number.to_string()).unwrap()),
    };
    Filter::Compare { path: path(), op, value }
}

const OPERATORS: [CompareOp; 9] = [
    CompareOp::Eq,
    CompareOp::Ne,
    CompareOp::Co,
    CompareOp::Sw,
    CompareOp::Ew,
    CompareOp::Gt,
    CompareOp::Ge,
    CompareOp::Lt,
    CompareOp::Le,
];

#[test]
fn keywords_are_whole_words_and_no_reserved_names() {
    for (text, canonical) in [
        ("order eq 1 or android eq 2 and note eq 3", "order eq 1 or android eq 2 and note eq 3"),
        ("not pr", "not pr"),
        ("NOT eq 1 and not (not pr)", "NOT eq 1 and not (not pr)"),
        ("pr pr and and pr or or pr", "pr pr and and pr or or pr"),
        ("eq eq \"eq\"", "eq eq \"eq\""),
        ("not[value pr]", "not[value pr]"),
        ("present pr", "present pr"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), canonical);
    }
    for text in ["a prx", "a eqx 1", "a pr or.b pr", "a pr orb pr", "not.a (b pr)", "a pr and(b pr)", "a eq 1or b pr"] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_kind_of_a_mistake_is_told() {
    for (text, expected) in [
        ("   ", ParseErrorKind::Syntax),
        ("userName\u{a0}eq\u{a0}\"x\"", ParseErrorKind::Syntax),
        ("userName\teq 1", ParseErrorKind::Syntax),
        ("\u{feff}userName eq \"x\"", ParseErrorKind::Syntax),
        ("userName eq\"x\"", ParseErrorKind::Syntax),
        ("emails[type eq \"work\"]pr", ParseErrorKind::Syntax),
        ("emails[type eq \"work\"].a.b eq 1", ParseErrorKind::InvalidAttribute),
        ("name..givenName eq \"x\"", ParseErrorKind::InvalidAttribute),
        ("userName \u{435}q \"x\"", ParseErrorKind::UnknownOperator),
        ("userName == \"x\"", ParseErrorKind::UnknownOperator),
        ("active eq 'TRUE'", ParseErrorKind::InvalidLiteral),
        ("userName eq \"a\0b\"", ParseErrorKind::InvalidLiteral),
        ("emails[type eq 1 and (ims[a pr])]", ParseErrorKind::NestedValuePath),
    ] {
        assert_eq!(kind(text), expected, "{text:?}");
    }
}

fn nested(open: &str, close: &str, times: usize) -> String {
    format!("{}a eq 1{}", open.repeat(times), close.repeat(times))
}

#[test]
fn depth_counts_parentheses_not_and_brackets_alike() {
    assert!(parse(&nested("(", ")", 32)).is_ok());
    assert!(parse(&nested("not (", ")", 32)).is_ok());
    assert!(parse(&format!("b[{}]", nested("(", ")", 31))).is_ok());
    for text in [
        nested("(", ")", 33),
        nested("not(", ")", 33),
        format!("b[{}]", nested("(", ")", 32)),
        "(".repeat(1000),
        nested("a pr and (", ")", 400),
        format!("emails[{}]", nested("(", ")", 3000)),
    ] {
        assert_eq!(kind(&text), ParseErrorKind::TooDeep);
    }
    let deep = "(".repeat(100_000);
    assert_eq!(Filter::parse(&deep, &Limits::dangerous_unlimited()).unwrap_err().kind(), ParseErrorKind::TooDeep);
    assert_eq!(kind(&format!("{}userName pr", "not ".repeat(1000))), ParseErrorKind::Syntax);
}

#[test]
fn comparisons_and_lengths_are_bounded() {
    let chain = |terms: usize| vec!["a pr"; terms].join(" or ");
    assert!(parse(&chain(256)).is_ok());
    assert_eq!(kind(&chain(257)), ParseErrorKind::TooManyTerms);
    assert_eq!(kind(&chain(10_000)), ParseErrorKind::TooLong);
    let limits = Limits { filter_terms: 2, ..Limits::default() };
    assert!(Filter::parse("a[b pr].c eq 1", &limits).is_ok());
    assert!(Filter::parse("a[b pr].c eq 1 or d pr", &limits).is_err());

    let name = |len: usize| format!("{} pr", "a".repeat(len));
    assert!(parse(&name(128)).is_ok());
    assert_eq!(kind(&name(129)), ParseErrorKind::TooLong);
    assert!(parse(&format!("urn:{}:a pr", "x".repeat(200))).is_ok());
    assert_eq!(kind(&format!("a.{}", name(129))), ParseErrorKind::TooLong);
    assert_eq!(kind(&format!("a[b pr].{}", name(129))), ParseErrorKind::TooLong);
}

#[test]
fn a_million_bytes_are_read_in_one_pass() {
    let limits = Limits::dangerous_unlimited();
    for text in [
        format!("a eq \"{}\"", "x".repeat(1 << 20)),
        format!("a eq \"{}\"", "\\\\".repeat(1 << 19)),
        format!("urn:{}userName eq 1", "a:".repeat(1 << 19)),
        format!("a eq 1{}", " ".repeat(1 << 20)),
        vec!["a pr"; 1 << 17].join(" and "),
        format!("a eq {}", "9".repeat(1 << 20)),
    ] {
        assert!(Filter::parse(&text, &limits).is_ok());
    }
    for text in [
        format!("a eq \"{}", "\\\"".repeat(1 << 19)),
        format!("a eq {}\"", "9".repeat(1 << 20)),
        format!("a eq 1{}x", " ".repeat(1 << 20)),
        "a.".repeat(1 << 19),
        "\"".repeat(1 << 20),
    ] {
        assert!(Filter::parse(&text, &limits).is_err());
    }
}

#[test]
fn a_path_has_an_attribute_a_filter_and_a_sub_attribute() {
    let limits = Limits::default();
    for (text, attribute, filter, sub_attribute) in [
        ("members", "members", None, None),
        ("name.familyName", "name.familyName", None, None),
        ("members[value eq\"2819\"]", "members", Some("value eq \"2819\""), None),
        ("emails[ type eq \"work\" ].value", "emails", Some("type eq \"work\""), Some("value")),
        ("urn:x:2.0:User:emails[not (type pr)].$ref", "urn:x:2.0:User:emails", Some("not (type pr)"), Some("$ref")),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            None,
            None,
        ),
    ] {
        let path = Path::parse(text, &limits).unwrap();
        assert_eq!(path.attribute.as_str(), attribute);
        assert_eq!(path.filter.as_ref().map(Filter::to_string).as_deref(), filter);
        assert_eq!(path.sub_attribute.as_deref(), sub_attribute);
        assert_eq!(Path::parse(&path.to_string(), &limits).unwrap().into_owned(), path);
    }
}

#[test]
fn a_mistake_in_a_path_lies_in_its_filter_or_not() {
    let limits = Limits::default();
    for (text, in_filter) in [
        ("", false),
        (".", false),
        (" userName", false),
        ("name..givenName", false),
        ("userName eq \"x\"", false),
        ("userName,active", false),
        ("user\0Name", false),
        ("😀", false),
        ("emails[type eq \"work\"]]", false),
        ("emails[type eq \"work\"].", false),
        ("emails[type eq \"work\"].value.extra", false),
        ("emails[type eq \"work\"].value eq \"x\"", false),
        ("emails[type eq \"work\"] .value", false),
        ("emails[]", true),
        ("emails[*]", true),
        ("emails[type eq \"work\"", true),
        ("emails[value eq \"a].value", true),
        ("emails[type eq \"a\" and x[b eq \"c\"]].value", true),
    ] {
        let error = Path::parse(text, &limits).unwrap_err();
        assert_eq!(error.in_filter(), in_filter, "{text}: {error}");
        assert!(!format!("{error:#}").is_empty());
    }
    assert!(Path::parse(&format!("emails[{}].value", nested("(", ")", 22)), &limits).is_ok());
    assert!(parse("a").unwrap_err().in_filter());
    assert_eq!(Path::parse("", &limits).unwrap_err().to_string(), "expected an attribute at offset 0, found the end");
}

#[test]
fn the_length_of_a_path_is_bounded_inside_and_outside_of_its_filter() {
    let limits = Limits::default();
    let urn = |len: usize| format!("urn:{}:a", "x".repeat(len - 6));
    let filter = |len: usize| format!("a eq \"{}\"", "x".repeat(len - 7));
    assert!(Path::parse(&urn(1024), &limits).is_ok());
    assert!(Path::parse(&format!("b[{}]", filter(8192)), &limits).is_ok());
    for (text, in_filter) in [
        (urn(1025), false),
        (format!("{}[a pr].b", urn(1023)), false),
        (format!("b[{}]", filter(8193)), true),
        ("a".repeat(900_000), false),
    ] {
        let error = Path::parse(&text, &limits).unwrap_err();
        assert_eq!((error.kind(), error.in_filter()), (ParseErrorKind::TooLong, in_filter));
    }
}

#[test]
fn filters_and_errors_cross_threads() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<Filter<'static>>();
    check::<Path<'static>>();
    check::<super::ParseError>();
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["\\$?[A-Za-z][A-Za-z0-9$_-]{0,6}", "(?i)and|or|not|pr|eq|true|null"]
}

fn attribute() -> impl Strategy<Value = AttrPath<'static>> {
    let urn = proptest::option::of("[a-z][a-z0-9]{0,4}(:[A-Za-z0-9._-]{1,5}){1,3}:");
    (urn, name(), proptest::option::of(name())).prop_map(|(urn, name, sub)| {
        let mut text = urn.unwrap_or_default() + &name;
        sub.iter().for_each(|sub| write!(text, ".{sub}").unwrap());
        text.parse().unwrap()
    })
}

fn operand() -> impl Strategy<Value = Literal<'static>> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|int| Literal::Number(Number::Int(int))),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| Literal::Number(Number::Float(f))),
        "[^\u{0}]{0,12}".prop_map(|text| Literal::String(Cow::Owned(text))),
        "[\\\\\"\\]) ]{0,6}".prop_map(|text| Literal::String(Cow::Owned(text))),
    ]
}

fn comparison() -> impl Strategy<Value = Filter<'static>> {
    let op = proptest::sample::select(&OPERATORS[..]);
    prop_oneof![
        1 => attribute().prop_map(Filter::Present),
        3 => (attribute(), op, operand()).prop_map(|(path, op, value)| Filter::Compare { path, op, value }),
    ]
}

fn combined(leaf: impl Strategy<Value = Filter<'static>> + 'static) -> impl Strategy<Value = Filter<'static>> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn filter() -> impl Strategy<Value = Filter<'static>> {
    let op = proptest::sample::select(&OPERATORS[..]);
    let tail = (name(), op, operand()).prop_map(|(sub_attribute, op, value)| Tail {
        sub_attribute: Cow::Owned(sub_attribute),
        op,
        value,
    });
    let value_path =
        (attribute(), combined(comparison()), proptest::option::of(tail)).prop_map(|(path, filter, tail)| {
            Filter::ValuePath { path, filter: Box::new(filter), tail: tail.map(Box::new) }
        });
    combined(prop_oneof![3 => comparison(), 1 => value_path])
}

/// Does everything that can be done with the outcome.
fn survive(text: &str) {
    let limits = Limits::default();
    match parse(text) {
        Ok(filter) => assert_eq!(parse(&filter.to_string()).unwrap(), filter),
        Err(error) => assert!(!format!("{error} {error:#} {error:?}").is_empty()),
    }
    match Path::parse(text, &limits) {
        Ok(path) => assert_eq!(Path::parse(&path.to_string(), &limits).unwrap(), path),
        Err(error) => assert!(!format!("{error} {error:#} {error:?}").is_empty()),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(filter in filter()) {
        let text = filter.to_string();
        let read = Filter::parse(&text, &Limits::dangerous_unlimited());
        prop_assert_eq!(read.map(Filter::into_owned), Ok(filter), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        survive(&text);
    }

    #[test]
    fn no_tokens_make_the_parser_panic(
        tokens in proptest::collection::vec(
            proptest::sample::select(&["a", "b.c", "urn:x:y", "not", "and", "or", "pr", "eq", " ", " ", " ", "(", ")", "[", "]", ".", "\"x\"", "\"", "\\", "1", "-", "é", "\u{0}", "true"][..]),
            0..24,
        )
    ) {
        survive(&tokens.concat());
    }

    #[test]
    fn no_damage_to_a_filter_makes_the_parser_panic(filter in filter(), at in any::<prop::sample::Index>(), with in ".{0,2}", cut in 0..3_usize) {
        let mut chars: Vec<char> = filter.to_string().chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, with.chars());
        survive(&chars.into_iter().collect::<String>());
    }
}
