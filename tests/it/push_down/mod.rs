//! The push-down to SQL against a database: whatever the filter and the data, the rows are those that match, or more of
//! them where the translation says so.

mod model;
mod postgres;
mod shapes;
mod sqlite;
mod tables;
mod world;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use scim_provider::filter::sql::{ColumnMap, Dialect};
use scim_provider::{
    AttrPath, BoundFilter, Compat, Cursor, Filter, Key, Limits, Literal, Page, Precondition, Projection, Query,
    Resource, ResourceType, Service, Sort, Store, StoreError, TenantId,
};

use serde_json::Value;

use tables::{Engine, Tables, map, mapped};

static TYPE: LazyLock<ResourceType> = LazyLock::new(world::resource_type);
static SORTS: LazyLock<Vec<Sort>> = LazyLock::new(|| sorts(&TYPE));

const DIALECTS: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

/// How many filters each set of resources is asked.
const FILTERS: usize = 40;

/// How many sets of resources there are: with as many filters 10,240 pairs for each database, and each of them negated.
const SETS: u32 = 256;

#[test]
fn the_rows_are_those_that_match_in_sqlite() {
    the_rows_are_those_that_match(&mut sqlite::tables());
}

#[test]
fn the_rows_are_those_that_match_in_postgres() {
    if let Some(mut tables) = postgres::tables() {
        the_rows_are_those_that_match(&mut tables);
    }
}

/// For random resources and filters, the evaluator in memory and a slow reference agree on who matches, the database finds
/// them all, and just them where the translation is exact; and in the order of the documents.
fn the_rows_are_those_that_match<E: Engine>(tables: &mut Tables<E>) {
    let (ty, map) = (&*TYPE, map(&TYPE));
    let narrow = [0, 1, 2].map(|subqueries| mapped(ty).subqueries(subqueries).build().unwrap());
    let cases = (world::resources(ty), vec(world::filter(), FILTERS));
    let mut runner = TestRunner::new(Config { cases: SETS, ..Config::default() });
    let tables = RefCell::new(tables);
    let outcome = runner.run(&cases, |(resources, filters)| {
        let mut tables = tables.borrow_mut();
        tables.fill(&resources);
        for (at, text) in filters.iter().flat_map(|filter| [filter.clone(), format!("not ({filter})")]).enumerate() {
            check_filter(&mut tables, &map, &resources, &text)?;
            if at % 3 == 0 {
                check_filter(&mut tables, &narrow[at / 3 % narrow.len()], &resources, &text)?;
            }
            check_order(&mut tables, &map, &resources, &text, at)?;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

fn check_filter<E: Engine>(
    tables: &mut Tables<E>,
    map: &ColumnMap,
    resources: &[Resource],
    text: &str,
) -> Result<(), TestCaseError> {
    let ty = &*TYPE;
    let filter: Filter<'_> = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
    let bound = filter.bind(ty, Compat::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let matching = ids(resources.iter().filter(|resource| bound.matches(resource)));
    let expected = ids(resources
        .iter()
        .filter(|resource| model::holds(ty, &filter, &serde_json::from_slice(resource.as_json()).unwrap())));
    prop_assert_eq!(&matching, &expected, "{} in memory", text);

    let sql = bound.to_sql(map, E::DIALECT, 1);
    let rows: BTreeSet<_> = tables.select(&sql).into_iter().collect();
    let lost: Vec<_> = matching.difference(&rows).collect();
    prop_assert!(lost.is_empty(), "{} loses {:?}\n{:?}", text, lost, sql);
    prop_assert!(!sql.is_exact() || rows == matching, "{} is not exact: {:?}\n{:?}", text, rows, sql);
    let undecided = tables.undecided(&sql);
    prop_assert!(undecided.is_empty(), "{} is NULL for {:?}\n{:?}", text, undecided, sql);
    Ok(())
}

/// One order for each filter; all of them come up.
fn check_order<E: Engine>(
    tables: &mut Tables<E>,
    map: &ColumnMap,
    resources: &[Resource],
    text: &str,
    at: usize,
) -> Result<(), TestCaseError> {
    let sort = &SORTS[(text.len() * 7 + at) % SORTS.len()];
    let bound = bind(text, &TYPE);
    let sql = bound.to_sql(map, E::DIALECT, 1);
    let Some(terms) = sort.to_sql(map, E::DIALECT).filter(|_| sql.is_exact()) else { return Ok(()) };
    let mut sorted: Vec<_> = resources.iter().filter(|resource| bound.matches(resource)).collect();
    sorted.sort_by(|a, b| sort.compare(a, b));
    let sorted = in_sequence(&sorted);
    prop_assert_eq!(&tables.ordered(&sql, &terms), &sorted, "{} by {} {}", text, sort.path(), terms);

    let mut expected: Vec<Value> = resources.iter().map(|r| serde_json::from_slice(r.as_json()).unwrap()).collect();
    expected.retain(|document| sorted.iter().any(|id| document["id"] == **id));
    expected.sort_by(|a, b| model::compare(&TYPE, &sort.path(), sort.is_descending(), a, b));
    let expected: Vec<_> = expected.iter().filter_map(|document| document["id"].as_str()).collect();
    prop_assert_eq!(sorted, expected, "{} by {} in memory", text, sort.path());
    Ok(())
}

#[test]
fn operands_with_nul_select_the_same_in_sqlite() {
    operands_with_nul_select_the_same(&mut sqlite::tables());
}

#[test]
fn operands_with_nul_select_the_same_in_postgres() {
    if let Some(mut tables) = postgres::tables() {
        operands_with_nul_select_the_same(&mut tables);
    }
}

/// No filter on the wire holds U+0000, which is refused; one that a host makes by hand can.
fn operands_with_nul_select_the_same<E: Engine>(tables: &mut Tables<E>) {
    let (ty, map) = (&*TYPE, map(&TYPE));
    assert!(r#"userName eq "a\u0000b""#.parse::<Filter<'_>>().is_err());
    let mut runner = TestRunner::deterministic();
    let resources = world::resources(ty);
    let mut found = 0;
    for _ in 0..32 {
        let resources = resources.new_tree(&mut runner).unwrap().current();
        tables.fill(&resources);
        for (path, op) in world::text_paths().flat_map(|path| world::TEXT_OPERATORS.map(|op| (path, op))) {
            for text in ["\0", "a\0", "a\0b", "A\0", "\0a", "ab\0"] {
                let path = AttrPath::parse(path).unwrap();
                let filter = Filter::Compare { path, op, value: Literal::String(text.into()) };
                for filter in [filter.clone(), Filter::Not(Box::new(filter))] {
                    let bound = filter.bind(ty, Compat::default()).unwrap();
                    let matching = ids(resources.iter().filter(|resource| bound.matches(resource)));
                    let sql = bound.to_sql(&map, E::DIALECT, 1);
                    let rows: BTreeSet<_> = tables.select(&sql).into_iter().collect();
                    assert!(rows.is_superset(&matching), "{filter} {rows:?} {matching:?} {sql:?}");
                    assert!(!sql.is_exact() || rows == matching, "{filter} {rows:?} {matching:?} {sql:?}");
                    found += usize::from(sql.is_exact() && (1..resources.len()).contains(&matching.len()));
                }
            }
        }
    }
    assert!(found > 1_000, "only {found} filters select some and not others");
}

#[test]
fn the_rows_behind_a_cursor_are_those_that_follow_in_sqlite() {
    the_rows_behind_a_cursor_are_those_that_follow(&mut sqlite::tables());
}

#[test]
fn the_rows_behind_a_cursor_are_those_that_follow_in_postgres() {
    if let Some(mut tables) = postgres::tables() {
        the_rows_behind_a_cursor_are_those_that_follow(&mut tables);
    }
}

fn the_rows_behind_a_cursor_are_those_that_follow<E: Engine>(tables: &mut Tables<E>) {
    let (ty, map) = (&*TYPE, map(&TYPE));
    let mut runner = TestRunner::new(Config { cases: SETS, ..Config::default() });
    let tables = RefCell::new(tables);
    let outcome = runner.run(&(world::resources(ty), any::<prop::sample::Index>()), |(resources, at)| {
        let mut tables = tables.borrow_mut();
        tables.fill(&resources);
        let unsorted = (None, "cursor".to_owned());
        let sorted = SORTS.iter().map(|sort| {
            let order = if sort.is_descending() { "descending" } else { "ascending" };
            (Some(sort), format!("cursor&sortBy={}&sortOrder={order}", sort.path()))
        });
        for (sort, url) in std::iter::once(unsorted).chain(sorted) {
            let mut query = Query::from_url(ty, &url, Compat::default(), &Limits::default()).unwrap();
            let orders = sort.is_none_or(|sort| sort.to_sql(&map, E::DIALECT).is_some());
            prop_assert_eq!(query.keyset(ty, &map, E::DIALECT, 1).is_some(), orders);
            let position = resources.get(at.index(resources.len().max(1))).and_then(|r| query.behind(r));
            let both = position.map(|position| [Cursor::After(position.clone()), Cursor::Before(position)]);
            for cursor in both.unwrap_or([Cursor::Beginning, Cursor::Beginning]) {
                query.cursor = Some(cursor);
                let Some(keyset) = query.keyset(ty, &map, E::DIALECT, 1) else { continue };
                let mut following: Vec<_> = resources.iter().filter(|r| query.follows(r)).collect();
                following.sort_by(|a, b| query.compare(a, b));
                let following = in_sequence(&following);
                prop_assert_eq!(tables.following(&keyset), &following[..], "{} {:?}", url, keyset);
                if keyset.ranges().count() > 1 {
                    prop_assert_eq!(tables.in_ranges(&keyset), following, "{} {:?}", url, keyset);
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn half_of_the_filters_are_exact_and_so_are_half_of_the_orders() {
    // else the laws above would say little
    let (ty, mut runner) = (&*TYPE, TestRunner::deterministic());
    let map = map(ty);
    let exact = (0..400).filter(|_| {
        let text = world::filter().new_tree(&mut runner).unwrap().current();
        bind(&text, ty).to_sql(&map, Dialect::Sqlite, 1).is_exact()
    });
    let exact = exact.count();
    assert!((100..350).contains(&exact), "{exact} of 400");
    let sorts = &*SORTS;
    let pushed = sorts.iter().filter(|sort| sort.to_sql(&map, Dialect::Sqlite).is_some()).count();
    assert!(pushed * 3 > sorts.len(), "{pushed} of {}", sorts.len());
}

#[test]
fn an_index_serves_equality_prefixes_and_ranges() {
    let (ty, mut tables) = (&*TYPE, sqlite::tables());
    for filter in
        ["userName eq \"a\"", "userName sw \"a\"", "userName gt \"a\"", "userName eq \"a\" and active eq true"]
    {
        let plan = tables.plan("EXPLAIN QUERY PLAN", &bind(filter, ty).to_sql(&map(ty), Dialect::Sqlite, 1));
        assert!(plan.contains("SEARCH users USING INDEX users_by_name"), "{filter}: {plan}");
    }
}

#[test]
fn a_filter_of_many_terms_is_no_expression_too_deep_for_sqlite() {
    a_filter_of_many_terms_is_no_expression_too_deep(&mut sqlite::tables());
}

#[test]
fn a_filter_of_many_terms_is_no_expression_too_deep_for_postgres() {
    if let Some(mut tables) = postgres::tables() {
        a_filter_of_many_terms_is_no_expression_too_deep(&mut tables);
    }
}

fn a_filter_of_many_terms_is_no_expression_too_deep<E: Engine>(tables: &mut Tables<E>) {
    let ty = &*TYPE;
    let mut limits = Limits::dangerous_unlimited();
    for terms in [256, 5_000] {
        limits.filter_terms = terms;
        let text = (0..terms).map(|n| format!("emails.value ne \"{n}\"")).collect::<Vec<_>>().join(" or ");
        let bound = Filter::parse(&text, &limits).unwrap().bind(ty, Compat::default()).unwrap();
        let sql = bound.to_sql(&map(ty), E::DIALECT, 1);
        assert_eq!(sql.binds().len(), terms);
        assert!(tables.select(&sql).is_empty());
    }
}

fn bind(text: &str, ty: &ResourceType) -> BoundFilter {
    text.parse::<Filter<'_>>().unwrap().bind(ty, Compat::default()).unwrap()
}

fn ids<'r>(resources: impl Iterator<Item = &'r Resource>) -> BTreeSet<String> {
    resources.filter_map(|resource| resource.id().map(str::to_owned)).collect()
}

fn in_sequence(resources: &[&Resource]) -> Vec<String> {
    resources.iter().filter_map(|resource| resource.id().map(str::to_owned)).collect()
}

/// All orders by the paths of the world, as a store is asked for them.
fn sorts(ty: &ResourceType) -> Vec<Sort> {
    let asked = Asked::default();
    let service = Service::builder("https://scim.example.com").resource(ty.clone(), asked.clone()).build().unwrap();
    let tenant = TenantId::new("t").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for path in world::sort_paths() {
        for order in ["ascending", "descending"] {
            let uri = format!("https://scim.example.com/Users?sortBy={path}&sortOrder={order}");
            let request = http::Request::get(uri).body(Vec::new()).unwrap();
            let response = runtime.block_on(service.call(&tenant, request));
            assert_eq!(response.status(), 200, "{path}");
        }
    }
    let sorts = asked.0.lock().unwrap();
    sorts.clone()
}

/// A store that remembers the orders it was asked for.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Sort>>>);

impl Store for Asked {
    type Context = TenantId;

    async fn get(&self, _: &TenantId, _: Key<'_>, _: &Projection) -> Result<Option<Resource>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: &TenantId, _: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        self.0.lock().unwrap().extend(query.sort.clone());
        Ok(Page::candidates(Vec::new()))
    }

    async fn create(&self, _: &TenantId, _: &ResourceType, _: Resource) -> Result<Resource, StoreError> {
        Err(StoreError::Unsupported)
    }

    async fn replace(
        &self,
        _: &TenantId,
        _: Key<'_>,
        _: Resource,
        _: Precondition<'_>,
    ) -> Result<Resource, StoreError> {
        Err(StoreError::Unsupported)
    }

    async fn delete(&self, _: &TenantId, _: Key<'_>, _: Precondition<'_>) -> Result<(), StoreError> {
        Err(StoreError::Unsupported)
    }
}
