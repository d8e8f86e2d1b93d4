//! Filters. Parsing is measured against a scan of the same text for three bytes, the least that any parser has to do;
//! evaluation against a walk over trees that allocates nothing.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench, not the library"
)]

mod harness;

use std::hint::black_box;
use std::process::ExitCode;

use harness::Bench;
use scim_provider::{Compat, Filter, Limits, Resource};
use serde_json::Value;

/// What identity providers send and the RFC prints.
const FILTERS: [&str; 20] = [
    r#"userName eq "bjensen@example.com""#,
    r#"externalId eq "701984""#,
    r#"id eq "2819c223-7f76-453a-919d-413861904646""#,
    r#"displayName eq "Tour Guides""#,
    r#"name.familyName co "O'Malley""#,
    r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
    r#"title pr"#,
    r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
    r#"title pr and userType eq "Employee""#,
    r#"title pr or userType eq "Intern""#,
    r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType eq "Employee" and (emails.type eq "work")"#,
    r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    r#"members[value eq "2819c223-7f76-453a-919d-413861904646"]"#,
    r#"active eq true and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Engineering""#,
    r#"emails[type eq "work"]"#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26118915-6090-4610-87e4-49d8ca9f808d" and meta.created ge "2020-01-01T00:00:00Z""#,
    r#"(userName eq "a@example.com" or userName eq "b@example.com" or userName eq "c@example.com") and active eq true"#,
];

/// What is evaluated over [`USERS`] users. The first names a user of the sample.
const SCANS: [&str; 5] = [
    r#"userName eq "USER""#,
    r#"name.familyName sw "smi" and active eq true"#,
    r#"emails[type eq "work" and value co "turing9"]"#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "engineering" and meta.lastModified gt "2011-05-13T04:42:34Z""#,
    r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
];

const USERS: usize = 100_000;

fn main() -> ExitCode {
    let parsing = parsing();
    let scanning = scanning();
    harness::exit(&[parsing, scanning])
}

/// P1
fn parsing() -> bool {
    let limits = Limits::default();
    let parse = |text| Filter::parse(black_box(text), &limits).unwrap();
    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    let (shallow, deep) = (nested(8), nested(32));
    let all = FILTERS.len();

    let mut bench = Bench::new();
    let scan = bench.case("memchr3 scan", all, || {
        FILTERS.iter().map(|f| memchr::memchr3_iter(b' ', b'"', b'[', black_box(f).as_bytes()).count()).sum::<usize>()
    });
    let parsed = bench.case("parse", all, || FILTERS.iter().for_each(|f| drop(black_box(parse(f)))));
    let one = bench.case("parse one comparison", 1, || parse(FILTERS[0]));
    let chain = bench.case("parse two comparisons", 1, || parse(FILTERS[8]));
    let shallow = bench.case("parse 8 parentheses", 1, || parse(&shallow));
    let deep = bench.case("parse 32 parentheses", 1, || parse(&deep));
    let report = bench.run();

    let met = [
        report.ratio("P1 filter parse / memchr3 scan", parsed, scan, 4.5),
        report.allocations("P1 one comparison", one, 3.0),
        report.ratio("P1 nesting, 32 levels / 8 levels", deep, shallow, 4.5),
    ];
    report.line(one);
    report.line(chain);
    !met.contains(&false)
}

/// P2
fn scanning() -> bool {
    let ty = harness::data::users();
    let count = if harness::smoke() { USERS / 100 } else { USERS };
    let users: Vec<Resource> =
        (0..count).map(|n| Resource::from_stored(&ty, harness::data::user(n)).unwrap()).collect();
    let trees: Vec<Value> = users.iter().map(|user| serde_json::from_slice(user.as_json()).unwrap()).collect();
    let one = users[count / 2].text("userName").unwrap().to_uppercase();
    let texts = SCANS.map(|text| text.replace("USER", &one));
    let filters = texts.each_ref().map(|text| text.parse::<Filter<'_>>().unwrap());
    let bound = filters.each_ref().map(|filter| filter.bind(&ty, Compat::default()).unwrap());

    let mut bench = Bench::new();
    let mut pairs = Vec::new();
    for (filter, bound) in filters.iter().zip(&bound) {
        let walk = || trees.iter().filter(|tree| harness::walk::matches(filter, tree)).count();
        let scan = || users.iter().filter(|user| bound.matches(user)).count();
        assert_eq!(walk(), scan(), "{filter}");
        pairs.push((bench.case("documents", count, scan), bench.case("trees", count, walk)));
    }
    let report = bench.run();

    let mut met = Vec::new();
    for (text, (case, base)) in texts.iter().zip(&pairs) {
        met.push(report.ratio(&format!("P2 {text}"), *case, *base, None));
        met.push(report.allocations("P2 allocations", *case, 0.0));
    }
    met.push(report.mean("P2 filter scan over documents / over trees, mean", &pairs, 0.30));
    !met.contains(&false)
}
