//! Pages by cursor. A store that does not say that it finds positions leaves them to the service; its cases are skipped.

use serde_json::json;

use crate::conformance::desk::{Case, Desk, id_of};
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Cursor, Resource, Store};

const FOLLOWING: &str =
    "the contract of `Page::following` (what follows the position, in order, and one more than the limit)";
const EARLY: &str = "the contract of `Query::bytes` (a page ends early, behind its second resource at the earliest)";
const BEFORE: &str = "the contract of `Cursor::Before` (what lies before the position, the nearest first)";
const POSITION: &str = "the contract of `Position` (behind a value and an id, be the resource there still or not)";

/// Pages by cursor hold everybody once, and the last one is known to be the last.
pub async fn pages_hold_everybody_once<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, FOLLOWING);
    let users = case.users(Tenant::A)?.which_finds_cursors()?;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(id_of(&users.create_named(&format!("user-{number}")).await?).to_owned());
    }
    made.sort_unstable();
    for count in [1, 2, 3, 7, 8] {
        let found = all(&users, &format!("cursor&count={count}")).await?;
        case.log.expect(found == made, format!("all by their ids, {made:?}"), format!("{found:?}"))?;
    }
    Ok(())
}

/// Pages are in the order of the query across their borders, those without a value included.
pub async fn pages_are_sorted<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, FOLLOWING);
    case.needs("displayName")?;
    let users = case.users(Tenant::A)?.which_finds_cursors()?;
    some_with_equal_and_missing_names(&users).await?;
    for sort in ["sortBy=displayName", "sortBy=displayName&sortOrder=descending", "sortBy=userName"] {
        let query = users.query(sort)?;
        let mut sorted = users.list(sort).await?.resources;
        sorted.sort_by(|a, b| query.compare(a, b));
        let sorted: Vec<&str> = sorted.iter().map(id_of).collect();
        for count in [1, 3] {
            let found = all(&users, &format!("cursor&count={count}&{sort}")).await?;
            case.log.expect(found == sorted, format!("`{sort}`: {sorted:?}"), format!("{found:?}"))?;
        }
    }
    Ok(())
}

/// A filter holds behind a cursor too.
pub async fn a_filter_holds_behind_a_cursor<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, FOLLOWING);
    let users = case.users(Tenant::A)?.which_finds_cursors()?;
    let made = some_even_and_some_odd(&users).await?;
    let expected: Vec<&str> = made.iter().map(id_of).collect();
    let found = all(&users, THE_EVEN).await?;
    case.log.expect(found == expected, format!("{expected:?}"), format!("{found:?}"))
}

/// Nobody who stays is missed, and nobody is met twice, while others come and go on both sides of the position.
pub async fn nobody_is_missed_while_others_come_and_go<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, POSITION);
    let users = case.users(Tenant::A)?.which_finds_cursors()?.which_deletes()?;
    let mut staying = Vec::new();
    for number in 0..8 {
        staying.push(id_of(&users.create_named(&format!("m-{number}")).await?).to_owned());
    }
    let early = users.create_named("a-early").await?;
    let url = "cursor&count=3&sortBy=userName";
    let (first, mut next) = page(&users, url, Cursor::Beginning).await?;
    let mut seen: Vec<String> = first.iter().map(|user| id_of(user).to_owned()).collect();
    users.delete(id_of(&early)).await?;
    users.create_named("b-newcomer").await?;
    users.create_named("z-newcomer").await?;
    for _ in 0..10 {
        let Some(at) = next else { break };
        let (found, behind) = page(&users, url, at).await?;
        seen.extend(found.iter().map(|user| id_of(user).to_owned()));
        next = behind;
    }
    for id in &staying {
        let times = seen.iter().filter(|seen| *seen == id).count();
        case.log.expect(times == 1, format!("`{id}` once, who was there all the time"), format!("{times} times"))?;
    }
    Ok(())
}

/// A position is one whether its resource is there or not.
pub async fn a_deleted_resource_leaves_its_position<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, POSITION);
    let users = case.users(Tenant::A)?.which_finds_cursors()?.which_deletes()?;
    for name in ["ada", "bea", "cyd", "dan"] {
        users.create_named(name).await?;
    }
    for url in ["cursor&count=2&sortBy=userName", "cursor&count=2&sortBy=userName&sortOrder=descending"] {
        let everybody = all(&users, url).await?;
        let (first, _) = page(&users, url, Cursor::Beginning).await?;
        let Some(last) = first.last() else { return Err(case.log.failure("two users", "none")) };
        let at = users.query(url)?.behind(last).map_or(Cursor::Beginning, Cursor::After);
        users.delete(id_of(last)).await?;
        let (found, _) = page(&users, url, at).await?;
        let found: Vec<&str> = found.iter().map(id_of).collect();
        let expected: Vec<&String> = everybody.iter().skip(2).collect();
        case.log.expect(found == expected, format!("`{url}`: {expected:?}"), format!("{found:?}"))?;
    }
    Ok(())
}

/// A position from another tenant reaches nothing of that tenant.
pub async fn a_position_of_another_tenant_reaches_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store` (a store sees only what belongs to the tenant)");
    let (ours, theirs) = (case.users(Tenant::A)?.which_finds_cursors()?, case.users(Tenant::B)?);
    let own = ours.create_named("own").await?;
    for name in ["ada", "bea", "cyd"] {
        theirs.create_named(name).await?;
    }
    for url in
        ["cursor&count=1", "cursor&count=1&sortBy=userName", "cursor&count=9&sortBy=userName&sortOrder=descending"]
    {
        let (foreign, _) = page(&theirs, url, Cursor::Beginning).await?;
        for user in &foreign {
            let at = ours.query(url)?.behind(user).map_or(Cursor::Beginning, Cursor::After);
            let (found, _) = page(&ours, url, at).await?;
            let only_own = found.iter().all(|user| id_of(user) == id_of(&own));
            let found: Vec<&str> = found.iter().map(id_of).collect();
            case.log.expect(only_own, "nobody of the other tenant", format!("`{url}`: {found:?}"))?;
        }
    }
    Ok(())
}

/// What a client makes up is a position like any other: no error, and nothing but what follows it.
pub async fn a_position_that_nobody_was_at_is_a_position<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, POSITION);
    let users = case.users(Tenant::A)?.which_finds_cursors()?;
    for name in ["ada", "bea", "cyd"] {
        users.create_named(name).await?;
    }
    for name in ["b'", "b\" OR 1=1", "b%", "bz\u{1F9EA}", "B"] {
        let made_up = users.draft(json!({"userName": name}))?;
        let now = chrono::DateTime::UNIX_EPOCH;
        let made_up = made_up.stamped("' OR '1'='1", now, now, &crate::Version::new("1"));
        let url = "cursor&count=5&sortBy=userName";
        let mut query = users.query(url)?;
        query.cursor = query.behind(&made_up).map(Cursor::After);
        let (found, _) = page(&users, url, query.cursor.clone().unwrap_or(Cursor::Beginning)).await?;
        let mut expected = users.list("sortBy=userName").await?.resources;
        expected.retain(|user| query.follows(user));
        let (found, expected): (Vec<&str>, Vec<&str>) =
            (found.iter().map(id_of).collect(), expected.iter().map(id_of).collect());
        case.log.expect(found == expected, format!("behind `{name}`: {expected:?}"), format!("{found:?}"))?;
    }
    Ok(())
}

/// Before each position lies what was shown before it, itself included, whatever the order.
pub async fn pages_lead_back<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, BEFORE);
    case.needs("displayName")?;
    let users = case.users(Tenant::A)?.which_goes_back()?;
    some_with_equal_and_missing_names(&users).await?;
    for sort in ["", "&sortBy=displayName", "&sortBy=displayName&sortOrder=descending", "&sortBy=userName"] {
        let url = format!("cursor&count=3{sort}");
        let query = users.query(&url)?;
        let mut sorted = users.list("").await?.resources;
        sorted.sort_by(|a, b| query.compare(a, b));
        for (number, last) in sorted.iter().enumerate() {
            let at = query.behind(last).map_or(Cursor::Beginning, Cursor::Before);
            let (found, beyond) = page(&users, &url, at).await?;
            let found: Vec<&str> = found.iter().map(id_of).collect();
            let expected: Vec<&str> = sorted.iter().take(number + 1).rev().take(3).map(id_of).collect();
            case.log.expect(found == expected, format!("`{url}`, back: {expected:?}"), format!("{found:?}"))?;
            let more = number >= 3;
            case.log.expect(beyond.is_some() == more, format!("more before them: {more}"), "what says otherwise")?;
        }
    }
    Ok(())
}

/// A filter holds before a position too.
pub async fn a_filter_holds_on_the_way_back<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, BEFORE);
    let users = case.users(Tenant::A)?.which_goes_back()?;
    let made = some_even_and_some_odd(&users).await?;
    let Some(last) = made.last() else { return Ok(()) };
    let end = users.query(THE_EVEN)?.behind(last).map_or(Cursor::Beginning, Cursor::Before);
    let back = walk(&users, THE_EVEN, end).await?;
    let expected: Vec<&str> = made.iter().rev().map(id_of).collect();
    case.log.expect(back == expected, format!("{expected:?}"), format!("{back:?}"))
}

/// Nobody who stays is missed on the way back, when the position's own resource is gone and others have come before it.
pub async fn nobody_is_missed_on_the_way_back<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, POSITION);
    let users = case.users(Tenant::A)?.which_goes_back()?.which_deletes()?;
    let mut made = Vec::new();
    for name in ["b", "d", "f", "h", "j"] {
        made.push(users.create_named(name).await?);
    }
    let url = "cursor&count=2&sortBy=userName";
    let Some(last) = made.pop() else { return Ok(()) };
    let at = users.query(url)?.behind(&last).map_or(Cursor::Beginning, Cursor::Before);
    users.delete(id_of(&last)).await?;
    made.push(users.create_named("i").await?);
    users.create_named("k").await?;
    let back = walk(&users, url, at).await?;
    let expected: Vec<&str> = made.iter().rev().map(id_of).collect();
    case.log.expect(back == expected, format!("all before the position: {expected:?}"), format!("{back:?}"))
}

/// Asks for every other user, in an order in which those who match and those who do not take turns.
const THE_EVEN: &str = "cursor&count=1&sortBy=userName&filter=userName ew \"even\"";

/// Users who match [`THE_EVEN`], in its order, among others who do not.
async fn some_even_and_some_odd<S: Store>(users: &Desk<'_, S>) -> Result<Vec<Resource>, Stop> {
    let mut even = Vec::new();
    for number in 0..6 {
        let kind = if number % 2 == 0 { "even" } else { "odd" };
        let user = users.create_named(&format!("{number}-{kind}")).await?;
        even.extend((number % 2 == 0).then_some(user));
    }
    Ok(even)
}

async fn some_with_equal_and_missing_names<S: Store>(users: &Desk<'_, S>) -> Result<(), Stop> {
    for (name, display) in
        [("a", "B"), ("b", "a"), ("c", "C"), ("d", "b"), ("e", "b"), ("f", ""), ("g", ""), ("h", "Ä")]
    {
        let display = if display.is_empty() { json!(null) } else { json!(display) };
        users.create(json!({"userName": name, "displayName": display})).await?;
    }
    Ok(())
}

/// A page that would hold too much may end early. It says so, and goes on.
pub async fn a_page_that_ends_early_says_so<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, EARLY);
    let users = case.users(Tenant::A)?.which_finds_cursors()?.which_may_hold_little();
    some_in_order(&users).await?;
    for url in ["cursor&count=4&sortBy=userName", "cursor&count=4&sortBy=userName&filter=userName pr"] {
        let found = all(&users, url).await?;
        case.log.expect(found.len() == 6, "six of them, each once", format!("`{url}`: {found:?}"))?;
    }
    Ok(())
}

/// The same on the way back, which begins with the resource that the last page has ended before: two of them get it on.
pub async fn a_page_that_ends_early_leads_back<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, EARLY);
    let users = case.users(Tenant::A)?.which_goes_back()?.which_may_hold_little();
    let last = some_in_order(&users).await?;
    let url = "cursor&count=4&sortBy=userName";
    let Some(end) = users.query(url)?.behind(&last) else { return Err(case.log.failure("a position", "none")) };
    let found = walk(&users, url, Cursor::Before(end)).await?;
    case.log.expect(found.len() == 6, "six of them, each once", format!("{found:?}"))
}

/// The last of six users in the order of their names.
async fn some_in_order<S: Store>(users: &Desk<'_, S>) -> Result<Resource, Stop> {
    for number in 0..5 {
        users.create_named(&format!("user-{number}")).await?;
    }
    users.create_named("user-5").await
}

/// The ids of all pages of a query.
async fn all<S: Store>(users: &Desk<'_, S>, url: &str) -> Result<Vec<String>, Stop> {
    walk(users, url, Cursor::Beginning).await
}

/// The ids from here to the end, or to the beginning.
async fn walk<S: Store>(users: &Desk<'_, S>, url: &str, from: Cursor) -> Result<Vec<String>, Stop> {
    let (mut found, mut next) = (Vec::new(), Some(from));
    for _ in 0..40 {
        let Some(at) = next else { return Ok(found) };
        let (resources, behind) = page(users, url, at).await?;
        found.extend(resources.iter().map(|user| id_of(user).to_owned()));
        next = behind;
    }
    Err(users.log.failure("a last page of a few users", "pages without end"))
}

/// One page, after what the store left has been done, as the service does it, and where the one beyond it begins. On the way
/// back that is where the first resource beyond it lies.
async fn page<S: Store>(users: &Desk<'_, S>, url: &str, at: Cursor) -> Result<(Vec<Resource>, Option<Cursor>), Stop> {
    let mut query = users.query(url)?;
    query.cursor = Some(at);
    let page = users.page(url, &query).await?;
    let mut resources = page.resources().to_vec();
    if !page.is_following() {
        let whole = page.total().is_none();
        users.log.expect(whole, "`Page::following`, or all that may match", "the page of another query")?;
        resources.retain(|user| query.follows(user));
        resources.sort_by(|a, b| query.compare(a, b));
    }
    let mut beyond = resources.get(query.limit).and_then(|beyond| query.behind(beyond));
    resources.truncate(query.limit);
    if page.is_ending_early() && beyond.is_none() {
        users.log.expect(resources.len() > 1, "two resources at least", format!("{}", resources.len()))?;
        beyond = resources.pop().and_then(|last| query.behind(&last));
    }
    let next = match query.goes_back() {
        true => beyond.map(Cursor::Before),
        false => beyond.and_then(|_| query.behind(resources.last()?)).map(Cursor::After),
    };
    if let Some(filter) = query.filter.as_ref().filter(|_| !page.is_filtered()) {
        resources.retain(|user| filter.matches(user));
    }
    Ok((resources, next))
}
