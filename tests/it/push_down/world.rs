//! What the push-down is tried on: a resource type with an attribute of every kind, random resources and random filters.
//! Knows no database, so that the tests of any store can use it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use scim_provider::schema::{Attribute, Schema};
use scim_provider::{CompareOp, Resource, ResourceType, User};
use serde_json::{Map, Value, json};

pub(crate) const PROBE: &str = "urn:example:2.0:Probe";

/// Users with an extension that has what users lack.
pub(crate) fn resource_type() -> ResourceType {
    let peers =
        [Attribute::string("value").case_exact(), Attribute::reference("$ref", ["User"]), Attribute::string("type")];
    let probe = Schema::new(
        PROBE,
        "Probe",
        [
            Attribute::integer("rank"),
            Attribute::decimal("score"),
            Attribute::date_time("seen"),
            Attribute::string("code").case_exact(),
            Attribute::string("mark").case_exact(),
            Attribute::string("blurb"),
            Attribute::boolean("lamp"),
            Attribute::complex("flag", [Attribute::boolean("primary"), Attribute::string("note")]),
            Attribute::string("tags").multi_valued(),
            Attribute::complex("peers", peers).multi_valued(),
        ],
    );
    User::resource_type().extension(probe).build().unwrap()
}

/// Texts that databases, patterns and case folding trip over.
const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "b",
    "ab",
    "AB",
    "aab",
    "ss",
    "SS",
    "ß",
    "ẞ",
    "i",
    "I",
    "ı",
    "İ",
    "i\u{307}",
    "k",
    "\u{212a}",
    "s",
    "ſ",
    "ſs",
    "ﬁ",
    "FI",
    "ŉ",
    "\u{390}",
    "\u{1fd3}",
    "µ",
    "μ",
    "ǆ",
    "ǅ",
    "σ",
    "ς",
    "Σ",
    "é",
    "É",
    "e\u{301}",
    "%",
    "_",
    "\\",
    "\\%",
    "100%",
    "a_b",
    "'",
    "''",
    "\"",
    "x' OR '1'='1",
    "?",
    "$1",
    "--",
    "*",
    "[a]",
    " ",
    "a ",
    "\t",
    "\n",
    "\u{1}",
    "🦀",
    "🦁",
    "\u{e000}",
    "\u{ffff}",
    "\u{10ffff}",
    "a\u{10ffff}",
    "\u{d7ff}",
];
const INTEGERS: &[i64] = &[0, 1, -1, 5, 6, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN];
const DECIMALS: &[f64] = &[0.0, -0.0, 0.5, 5.5, -5.5, 5.0, 9_007_199_254_740_992.0, 1e300, -1e300, 9.3e18, 1e-300];
/// Those before the mark are whole milliseconds.
const TIMES: &[&str] = &[
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.001Z",
    "1969-12-31T23:59:59.999Z",
    "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "2026-01-01T00:00:00.0005Z",
    "2026-01-01T00:00:00.0009Z",
    "1969-12-31T23:59:59.9995Z",
    "9999-12-31T23:59:59.999999999Z",
];
const WHOLE_TIMES: usize = 6;
const TYPES: &[&str] = &["work", "WORK", "home", ""];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        // often enough the same text in the data and in the filter, or nearly so
        2 => select(&["a", "A", "a ", "σ", "ς"][..]).prop_map(str::to_owned),
        3 => select(TEXTS).prop_map(str::to_owned),
        1 => vec(select(TEXTS), 0..4).prop_map(|parts| parts.concat()),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![select(INTEGERS).prop_map(Value::from), select(DECIMALS).prop_map(Value::from)]
}

fn time() -> impl Strategy<Value = &'static str> {
    select(TIMES)
}

/// An object of the members that there are; `None` when there are none, since no document holds an empty one.
fn object(members: Vec<(&str, Option<Value>)>) -> Option<Value> {
    let members: Map<_, _> = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

fn emails() -> impl Strategy<Value = Option<Value>> {
    let email = (option::of(text()), option::of(select(TYPES)), option::of(any::<bool>()), option::of(text()));
    vec(email, 0..4).prop_map(|emails| {
        let mut main = false;
        let emails: Vec<Value> = emails
            .into_iter()
            .filter_map(|(value, kind, primary, display)| {
                let primary = primary.map(|primary| {
                    let first = primary && !main;
                    main |= primary;
                    first
                });
                object(vec![
                    ("value", value.map(Value::from)),
                    ("display", display.map(Value::from)),
                    ("type", kind.map(Value::from)),
                    ("primary", primary.map(Value::from)),
                ])
            })
            .collect();
        (!emails.is_empty()).then_some(Value::Array(emails))
    })
}

fn peers() -> impl Strategy<Value = Option<Value>> {
    vec((select(&["p1", "P1", "p2", "p'3"][..]), option::of(select(TYPES))), 0..4).prop_map(|peers| {
        let peers = peers
            .into_iter()
            .filter_map(|(value, kind)| object(vec![("value", Some(value.into())), ("type", kind.map(Value::from))]));
        Some(Value::Array(peers.collect())).filter(|peers| peers != &json!([]))
    })
}

fn probe() -> impl Strategy<Value = Option<Value>> {
    let scalars = (
        option::of(select(INTEGERS)),
        option::of(number()),
        option::of(time()),
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(any::<bool>()),
    );
    let tags = vec(text(), 0..4).prop_map(|tags| (!tags.is_empty()).then(|| json!(tags)));
    let flag = (option::of(any::<bool>()), option::of(text()));
    (scalars, flag, tags, peers()).prop_map(|((rank, score, seen, code, mark, blurb, lamp), flag, tags, peers)| {
        object(vec![
            ("rank", rank.map(Value::from)),
            ("score", score),
            ("seen", seen.map(Value::from)),
            ("code", code.map(Value::from)),
            ("mark", mark.map(Value::from)),
            ("blurb", blurb.map(Value::from)),
            ("lamp", lamp.map(Value::from)),
            ("flag", object(vec![("primary", flag.0.map(Value::from)), ("note", flag.1.map(Value::from))])),
            ("tags", tags),
            ("peers", peers),
        ])
    })
}

/// A few resources, each with an id of its own.
pub(crate) fn resources(ty: &ResourceType) -> impl Strategy<Value = Vec<Resource>> + use<> {
    let name = (option::of(text()), option::of(text()), option::of(text()));
    let scalars = (
        text(),
        option::of(text()),
        option::of(text()),
        option::of(any::<bool>()),
        option::of(select(&TIMES[..WHOLE_TIMES])),
    );
    let ty = ty.clone();
    vec((scalars, name, emails(), probe()), 0..10).prop_map(move |rows| {
        // in an order that neither letters nor numbers have
        let ids = ["b", "A", "é", "a", "10", "9", "Z", "🦀", "\u{ffff}", "_"];
        let resource = |((scalars, name, emails, probe), id): (_, &str)| {
            let (user_name, external, nick, active, created): (
                String,
                Option<String>,
                Option<String>,
                Option<bool>,
                Option<&str>,
            ) = scalars;
            let (family, given, middle): (Option<String>, Option<String>, Option<String>) = name;
            let name = object(vec![
                ("familyName", family.map(Value::from)),
                ("givenName", given.map(Value::from)),
                ("middleName", middle.map(Value::from)),
            ]);
            let document = object(vec![
                ("schemas", Some(json!(["urn:ietf:params:scim:schemas:core:2.0:User", PROBE]))),
                ("id", Some(id.into())),
                ("userName", Some(user_name.into())),
                ("externalId", external.map(Value::from)),
                ("nickName", nick.map(Value::from)),
                ("active", active.map(Value::from)),
                ("name", name),
                ("emails", emails),
                (PROBE, probe),
                ("meta", object(vec![("created", created.map(Value::from))])),
            ]);
            Resource::from_stored(&ty, serde_json::to_vec(&document).unwrap()).unwrap()
        };
        rows.into_iter().zip(ids).map(resource).collect()
    })
}

/// What an attribute can be compared with.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Boolean,
    Number,
    Time,
    /// whether there is one
    Complex,
}

const PATHS: &[(&str, Kind)] = &[
    ("id", Kind::Text),
    ("userName", Kind::Text),
    ("userName", Kind::Text),
    ("externalId", Kind::Text),
    ("nickName", Kind::Text),
    ("active", Kind::Boolean),
    ("name", Kind::Complex),
    ("name.familyName", Kind::Text),
    ("name.givenName", Kind::Text),
    ("name.middleName", Kind::Text),
    ("emails", Kind::Complex),
    ("emails", Kind::Text),
    ("emails.value", Kind::Text),
    ("emails.type", Kind::Text),
    ("emails.display", Kind::Text),
    ("emails.primary", Kind::Boolean),
    ("photos.value", Kind::Text),
    ("meta.created", Kind::Time),
    ("urn:example:2.0:Probe:rank", Kind::Number),
    ("urn:example:2.0:Probe:score", Kind::Number),
    ("urn:example:2.0:Probe:seen", Kind::Time),
    ("urn:example:2.0:Probe:code", Kind::Text),
    ("urn:example:2.0:Probe:mark", Kind::Text),
    ("urn:example:2.0:Probe:blurb", Kind::Text),
    ("urn:example:2.0:Probe:lamp", Kind::Boolean),
    ("urn:example:2.0:Probe:flag", Kind::Complex),
    ("urn:example:2.0:Probe:flag.primary", Kind::Boolean),
    ("urn:example:2.0:Probe:flag.note", Kind::Text),
    ("urn:example:2.0:Probe:tags", Kind::Text),
    ("urn:example:2.0:Probe:peers", Kind::Text),
    ("urn:example:2.0:Probe:peers.value", Kind::Text),
    ("urn:example:2.0:Probe:peers.type", Kind::Text),
];

type Parts = &'static [(&'static str, Kind)];

/// What can stand in front of brackets, and what within and behind.
const ELEMENTS: &[(&str, Parts)] = &[
    ("emails", &[("value", Kind::Text), ("type", Kind::Text), ("primary", Kind::Boolean), ("display", Kind::Text)]),
    ("name", &[("familyName", Kind::Text), ("givenName", Kind::Text), ("middleName", Kind::Text)]),
    ("urn:example:2.0:Probe:tags", &[("value", Kind::Text)]),
    ("urn:example:2.0:Probe:peers", &[("value", Kind::Text), ("type", Kind::Text)]),
    ("urn:example:2.0:Probe:flag", &[("primary", Kind::Boolean), ("note", Kind::Text)]),
    ("photos", &[("value", Kind::Text)]),
];

/// What resources can be sorted by.
pub(crate) fn sort_paths() -> impl Iterator<Item = &'static str> {
    PATHS.iter().filter(|(_, kind)| !matches!(kind, Kind::Complex)).map(|(path, _)| *path)
}

/// What can be compared with a text.
pub(crate) fn text_paths() -> impl Iterator<Item = &'static str> {
    PATHS.iter().filter(|(_, kind)| matches!(kind, Kind::Text)).map(|(path, _)| *path)
}

/// How texts are compared.
pub(crate) const TEXT_OPERATORS: [CompareOp; 9] = [
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

fn comparison((path, kind): (&'static str, Kind)) -> BoxedStrategy<String> {
    let unary = select(&["pr", "eq null", "ne null"][..]).prop_map(move |test| format!("{path} {test}"));
    let orders: &[&str] = &["eq", "ne", "gt", "ge", "lt", "le"];
    let (ops, operand): (&[&str], BoxedStrategy<String>) = match kind {
        Kind::Complex => return unary.boxed(),
        Kind::Boolean => (&["eq", "ne"], any::<bool>().prop_map(|value| value.to_string()).boxed()),
        Kind::Number => (orders, number().prop_map(|number| number.to_string()).boxed()),
        Kind::Time => (orders, time().prop_map(|time| format!("\"{time}\"")).boxed()),
        Kind::Text => (
            &["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
            prop_oneof![
                text(),
                select(TYPES).prop_map(str::to_owned),
                select(&["p1", "P1", "A"][..]).prop_map(str::to_owned)
            ]
            .prop_map(|text| Value::from(text).to_string())
            .boxed(),
        ),
    };
    let binary = (select(ops), operand).prop_map(move |(op, operand)| format!("{path} {op} {operand}"));
    prop_oneof![5 => binary, 1 => unary].boxed()
}

fn joined(term: BoxedStrategy<String>) -> BoxedStrategy<String> {
    term.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|filter| format!("not ({filter})")),
            (vec(inner, 2..4), select(&[" and ", " or "][..]))
                .prop_map(|(filters, joint)| format!("({})", filters.join(joint))),
        ]
    })
    .boxed()
}

/// A filter, as a client would write it.
pub(crate) fn filter() -> impl Strategy<Value = String> {
    let element = select(ELEMENTS).prop_flat_map(|(path, parts)| {
        let inner = joined(select(parts).prop_flat_map(comparison).boxed());
        let tail = option::weighted(0.2, select(parts).prop_flat_map(comparison));
        (inner, tail).prop_map(move |(filter, tail)| match tail {
            // `[…].value eq null` is no comparison of a value that is there
            Some(tail) if !tail.ends_with(" eq null") => format!("{path}[{filter}].{tail}"),
            _ => format!("{path}[{filter}]"),
        })
    });
    joined(prop_oneof![3 => select(PATHS).prop_flat_map(comparison), 1 => element].boxed())
}
