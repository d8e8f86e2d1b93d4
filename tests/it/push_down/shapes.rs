//! As many terms as a filter may have, in every shape: what a database makes of them, and how many rows it visits. Nothing here
//! looks at a clock.

use std::collections::BTreeSet;

use scim_provider::filter::sql::{ColumnMap, SUBQUERIES, SqlFilter};
use scim_provider::{BoundFilter, Compat, Filter, Limits, Resource};
use serde_json::json;

use super::tables::{Engine, Tables, map, mapped};
use super::world::PROBE;
use super::{TYPE, ids, postgres, sqlite};

/// How many resources there are, and how many values each has in each child table.
const USERS: usize = 12;
const VALUES: usize = 4;

/// A kind of term: `#` is another number in each. The second is how many terms it counts for.
const KINDS: &[(&str, usize)] = &[
    ("emails.value eq \"q#\"", 1),
    ("emails.value ne \"q#\"", 1),
    ("emails.value co \"q#\"", 1),
    ("emails.value sw \"q#\"", 1),
    ("emails.value ew \"q#\"", 1),
    ("emails.value gt \"q#\"", 1),
    ("emails.value le \"q#\"", 1),
    ("emails.type ne \"q#\"", 1),
    ("emails.primary eq false", 1),
    ("emails pr", 1),
    ("emails.value pr", 1),
    ("emails.type eq null", 1),
    ("emails.display eq \"q#\"", 1),
    ("emails[value eq \"q#\"]", 1),
    ("emails[value sw \"q\"]", 1),
    ("emails[type eq \"work\" and value co \"#\"]", 2),
    ("emails[type eq \"work\" or not (value ne \"q#\")]", 2),
    ("emails[type eq \"work\" and display eq \"#\"]", 2),
    ("probe:tags eq \"q#\"", 1),
    ("probe:tags ne \"q#\"", 1),
    ("probe:tags[value co \"q#\"]", 1),
    ("probe:peers.value eq \"q#\"", 1),
    ("probe:peers.value ne \"q#\"", 1),
    ("probe:peers[type eq \"work\" and value ne \"q#\"]", 2),
    ("photos[value eq \"q#\"]", 1),
    ("userName co \"q#\"", 1),
    ("nickName eq \"q#\"", 1),
    ("name[familyName ne \"q#\"]", 1),
    ("probe:mark ne \"q#\"", 1),
    ("probe:rank gt #", 1),
    ("probe:score ne #e300", 1),
];

/// How terms stand together.
const JOINTS: &[fn(&[String]) -> String] = &[
    |terms| terms.join(" or "),
    |terms| terms.join(" and "),
    |terms| format!("not ({})", terms.join(" or ")),
    |terms| format!("not ({})", terms.join(" and ")),
    |terms| each(terms, |term| format!("not ({term})")).join(" or "),
    |terms| each(terms, |term| format!("not ({term})")).join(" and "),
    |terms| groups(terms, 2, " and ").join(" or "),
    |terms| groups(terms, 2, " or ").join(" and "),
    |terms| format!("not ({})", groups(terms, 3, " and ").join(" or ")),
    |terms| each(&groups(terms, 3, " or "), |group| format!("not {group}")).join(" or "),
    |terms| groups(&each(&groups(terms, 2, " or "), |group| format!("not {group}")), 4, " and ").join(" or "),
    |terms| nested(terms, &[" or ", " and "]),
    |terms| nested(terms, &[" and ", " or "]),
    |terms| format!("not ({})", nested(terms, &[" and not ", " or not "])),
];

fn each(terms: &[String], form: impl Fn(&str) -> String) -> Vec<String> {
    terms.iter().map(|term| form(term)).collect()
}

fn groups(terms: &[String], size: usize, joint: &str) -> Vec<String> {
    terms.chunks(size).map(|terms| format!("({})", terms.join(joint))).collect()
}

/// `(a and (b or (c and …)))`, as deep as a filter may be.
fn nested(terms: &[String], joints: &[&str]) -> String {
    let groups = groups(terms, terms.len().div_ceil(12), " or ");
    let mut groups = groups.iter().rev().enumerate();
    let (_, innermost) = groups.next().unwrap();
    groups.fold(innermost.clone(), |inner, (at, group)| format!("({group}{}({inner}))", joints[at % joints.len()]))
}

/// Filters of one kind of term, and of two that take turns.
fn shapes() -> impl Iterator<Item = String> {
    let kinds = || KINDS.iter().enumerate();
    let mixtures = kinds().flat_map(move |(at, one)| kinds().skip(at).step_by(5).map(move |(_, other)| [*one, *other]));
    mixtures.enumerate().flat_map(|(at, kinds)| {
        let most = Limits::default().filter_terms;
        let mut left = most;
        let turns = kinds.iter().cycle().enumerate().map_while(|(number, (term, size))| {
            left = left.checked_sub(*size)?;
            Some(term.replace("probe:", &format!("{PROBE}:")).replace('#', &number.to_string()))
        });
        let terms: Vec<_> = turns.collect();
        // one kind is joined in all ways, two kinds in some
        let alone = kinds[0] == kinds[1];
        let joints = JOINTS.iter().enumerate().filter(move |(joint, _)| alone || (joint + at).is_multiple_of(5));
        joints.map(move |(_, joint)| joint(&terms))
    })
}

fn resources() -> Vec<Resource> {
    let resource = |n: usize| {
        let own = |value| format!("q{}", n * VALUES + value);
        let emails = (0..VALUES).map(|v| json!({ "value": own(v), "type": if v % 2 == 0 { "work" } else { "home" } }));
        let peers = (0..VALUES).map(|v| json!({ "value": own(v), "type": "work" }));
        let document = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", PROBE],
            "id": n.to_string(),
            "userName": own(0),
            "name": { "familyName": own(1) },
            // some have no values at all
            "emails": if n % 4 == 3 { json!([]) } else { emails.collect() },
            PROBE: {
                "rank": n,
                "mark": own(2),
                "tags": if n % 4 == 2 { json!([]) } else { (0..VALUES).map(own).collect() },
                "peers": peers.collect::<Vec<_>>(),
            },
        });
        Resource::from_stored(&TYPE, serde_json::to_vec(&document).unwrap()).unwrap()
    };
    (0..USERS).map(resource).collect()
}

#[test]
fn a_filter_of_any_shape_is_work_with_a_bound_in_sqlite() {
    any_shape_is_work_with_a_bound(&mut sqlite::tables());
}

#[test]
fn a_filter_of_any_shape_is_work_with_a_bound_in_postgres() {
    if let Some(mut tables) = postgres::tables() {
        any_shape_is_work_with_a_bound(&mut tables);
    }
}

/// Whatever the terms are and however they are joined: the database plans no more subqueries than there is room for, joins no
/// more than one child table, visits no more than the filter says beforehand, and finds the right rows.
fn any_shape_is_work_with_a_bound<E: Engine>(tables: &mut Tables<E>) {
    let (map, resources) = (map(&TYPE), resources());
    tables.index();
    tables.fill(&resources);
    let (mut count, mut exact) = (0, 0);
    for text in shapes() {
        let sql = check(tables, &map, &resources, &text);
        count += 1;
        exact += usize::from(sql.is_exact());
    }
    assert!(count > 500 && exact * 4 > count, "{count} shapes, {exact} of them exact");
}

fn check<E: Engine>(tables: &mut Tables<E>, map: &ColumnMap, resources: &[Resource], text: &str) -> SqlFilter {
    let bound = bind(text);
    let sql = bound.to_sql(map, E::DIALECT, 1);
    let cost = tables.cost(&sql);
    let told = format!("{cost:?} {:?}\n{text}\n{sql:?}", sql.comparisons().collect::<Vec<_>>());
    assert!(sql.subqueries() <= SUBQUERIES, "{} subqueries: {told}", sql.subqueries());
    // SQLite plans what is looked up by several columns twice, and there are four of them at most
    assert!(cost.subqueries <= SUBQUERIES + 4, "the database plans more: {told}");
    assert!(cost.joins <= 1, "the database joins more: {told}");

    let rows = |from: Option<_>| if from.is_some() { USERS * VALUES + 3 } else { USERS };
    let compared: usize = sql.comparisons().map(|(from, each)| rows(from) * each).sum();
    let most = E::work(compared, USERS, sql.subqueries());
    assert!(cost.visited <= most, "{} visited, {most} foreseen: {told}", cost.visited);

    let matching = ids(resources.iter().filter(|resource| bound.matches(resource)));
    let found: BTreeSet<_> = tables.select(&sql).into_iter().collect();
    assert!(found.is_superset(&matching), "loses some of {matching:?}: {told}");
    assert!(!sql.is_exact() || found == matching, "{found:?} instead of {matching:?}: {told}");
    sql
}

#[test]
fn rows_of_several_subqueries_are_not_tried_with_each_other_in_sqlite() {
    rows_of_several_subqueries_are_not_tried_with_each_other(&mut sqlite::tables());
}

#[test]
fn rows_of_several_subqueries_are_not_tried_with_each_other_in_postgres() {
    if let Some(mut tables) = postgres::tables() {
        rows_of_several_subqueries_are_not_tried_with_each_other(&mut tables);
    }
}

/// Any value satisfies all terms but the last, which none does: a join would try each value for the first term with each for
/// the second, and so on.
fn rows_of_several_subqueries_are_not_tried_with_each_other<E: Engine>(tables: &mut Tables<E>) {
    let resources = resources();
    tables.index();
    tables.fill(&resources);
    for kind in
        ["emails.value co \"q\"", "emails[value gt \"q\"]", "not (emails.value eq \"#\")", "emails.value ne \"#\""]
    {
        let mut terms: Vec<_> = (0..8).map(|n| kind.replace('#', &n.to_string())).collect();
        terms.push("emails.value co \"nowhere\"".to_owned());
        check(tables, &map(&TYPE), &resources, &terms.join(" and "));
    }
}

/// There are as many terms as may be, however long they are.
fn bind(text: &str) -> BoundFilter {
    let mut limits = Limits::dangerous_unlimited();
    limits.filter_terms = Limits::default().filter_terms;
    let filter = Filter::parse(text, &limits).unwrap_or_else(|error| panic!("{error}: {text}"));
    filter.bind(&TYPE, Compat::default()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn terms_on_one_table_are_one_subquery_unless_they_may_be_about_several_values() {
    let map = map(&TYPE);
    for (kind, joint, subqueries, exact) in [
        (0, 0, 1, true),           // a or b
        (2, 0, 1, true),           // the same with `co`
        (1, 0, 2, true),           // a ne x or a ne y: and nobody without a value is forgotten
        (13, 0, 1, true),          // […] or […]
        (15, 0, 1, true),          // [… and …] or [… and …]
        (0, 2, 1, true),           // not (a or b)
        (1, 2, 2, true),           // not (a ne x or a ne y)
        (0, 5, 1, true),           // not a and not b
        (0, 1, SUBQUERIES, false), // a and b
        (1, 1, SUBQUERIES, false), // a ne x and a ne y
        (0, 6, 0, false),          // (a and b) or (c and d)
        (25, 1, 0, true),          // columns only
    ] {
        let terms: Vec<_> = (0..256 / KINDS[kind].1).map(|n| KINDS[kind].0.replace('#', &n.to_string())).collect();
        let text = JOINTS[joint](&terms);
        for dialect in super::DIALECTS {
            let sql = bind(&text).to_sql(&map, dialect, 1);
            assert_eq!((sql.subqueries(), sql.is_exact()), (subqueries, exact), "{text}\n{sql:?}");
        }
    }
}

#[test]
fn what_there_is_no_room_for_is_left_to_memory() {
    let map = mapped(&TYPE).subqueries(2).build().unwrap();
    for (filter, explanation) in [
        (
            "emails.type co \"a\" and emails.type co \"b\" and emails.value eq \"c\"",
            "candidates; in SQL: emails.type co, emails.value eq; in memory: emails.type co (too many subqueries)",
        ),
        (
            "active eq true and (emails[value eq \"a\"] and emails[type eq \"b\"] or emails.value eq \"c\" and emails.type pr)",
            "candidates; in SQL: active eq, emails[value] eq, emails.value eq; in memory: emails [ ] (too many subqueries), \
             emails.type pr (too many subqueries)",
        ),
        (
            "not (emails.value eq \"a\" and emails.value eq \"b\" and emails.value eq \"c\")",
            "candidates; in memory: emails.value eq (too many subqueries), emails.value eq (decides nothing without the \
             others), emails.value eq (decides nothing without the others)",
        ),
    ] {
        let sql = bind(filter).to_sql(&map, super::DIALECTS[0], 1);
        assert_eq!(sql.explain().to_string(), explanation, "{filter}");
        assert!(sql.subqueries() <= 2, "{sql:?}");
    }
}
