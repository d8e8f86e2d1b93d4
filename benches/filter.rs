//! Parsing filters, measured against a scan of the same text for three bytes: the least that any parser has to do.
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
use scim_provider::{Filter, Limits};

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

fn main() -> ExitCode {
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
    if met.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
