//! Reading one, and reading in pages.

use serde_json::json;

use super::cursor::pages_hold_everybody_once;
use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, content, id_of, show};
use crate::conformance::interleave::interleaved;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Compat, Projection};

const GET: &str = "the contract of `Store::get` (`None` when the tenant has none with this id)";
const WANT: &str = "the contract of `Store::get` (what `want` includes is there; `id` and `meta` always are)";
const PAGES: &str = "RFC 7644 §3.4.2.4 (pagination)";
/// More than a page may hold.
const HUNDREDS: usize = 220;
const HONEST: &str = "the contract of `Page::exact` (filter, order, offset and limit are all carried out)";

/// An id that nobody has is `None`, not an error.
pub async fn an_unknown_id_is_none<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, GET);
    let users = case.any_users(Tenant::A)?;
    users.gone("2819c223-7f76-453a-919d-413861904646", "nobody has this id").await
}

/// So is a text that cannot be an id at all: a client may ask for anything.
pub async fn an_odd_id_is_none<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, GET);
    let users = case.any_users(Tenant::A)?;
    for id in ["0", "-1", "999999999999999999999999", "'", "\"", "%", "..", "é\u{1F9EA}", "NULL", &"x".repeat(250)] {
        users.gone(id, "nobody has this id").await?;
    }
    Ok(())
}

/// Ids are compared exactly.
pub async fn an_id_is_compared_exactly<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`id` is case exact)");
    let users = case.users(Tenant::A)?;
    let id = id_of(&users.create_named("ada").await?).to_owned();
    let others = [id.to_uppercase(), id.to_lowercase(), format!("{id} "), format!(" {id}"), format!("0{id}")];
    for other in others.iter().filter(|other| **other != id) {
        users.gone(other, "the id is spelled otherwise").await?;
    }
    Ok(())
}

/// An id belongs to its type.
pub async fn a_user_is_no_group<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, GET);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let ada = users.create_named("ada").await?;
    groups.gone(id_of(&ada), "a user is no group").await?;
    let everyone = groups.create_group("everyone", &[]).await?;
    users.gone(id_of(&everyone), "a group is no user").await
}

/// `id` and `meta` are there whatever is asked for.
pub async fn identity_is_there_whatever_is_wanted<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, WANT);
    let users = case.users(Tenant::A)?;
    let ada = users.create(users.labelled("ada", "Ada")).await?;
    let wants = [
        Projection::identity(&users.ty),
        Projection::only(&users.ty, ["displayName"], Compat::default()),
        Projection::without(&users.ty, ["meta", users.name()], Compat::default()),
    ];
    for want in wants {
        let found = users.done(users.try_get(id_of(&ada), &want).await, "`get` to succeed")?;
        let whole = found.as_ref().is_some_and(|r| r.id() == ada.id() && r.version() == ada.version());
        case.log.expect(whole, "id and version", found.map_or_else(|| "None".to_owned(), |r| show(&r)))?;
    }
    Ok(())
}

/// What is asked for is there.
pub async fn what_is_wanted_is_there<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, WANT);
    let users = case.users(Tenant::A)?;
    let ada = users.create(json!({"userName": "ada", "displayName": "Ada", "active": true})).await?;
    for name in ["userName", "displayName", "active"] {
        let want = Projection::only(&users.ty, [name], Compat::default());
        let found = users.done(users.try_get(id_of(&ada), &want).await, "`get` to succeed")?;
        let there = found.as_ref().is_some_and(|r| r.get(name).is_some());
        case.log.expect(there, format!("`{name}`"), found.map_or_else(|| "None".to_owned(), |r| show(&r)))?;
    }
    Ok(())
}

/// Members are loaded when only a part of them is asked for.
pub async fn members_are_there_when_wanted<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, WANT);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let ada = users.create_named("ada").await?;
    let group = groups.create_group("engines", &[&ada]).await?;
    for path in ["members", "members.value"] {
        let want = Projection::only(&groups.ty, [path], Compat::default());
        let found = groups.done(groups.try_get(id_of(&group), &want).await, "`get` to succeed")?;
        let there = found.as_ref().is_some_and(|r| r.references("members").any(|m| m.value() == id_of(&ada)));
        case.log.expect(there, "the member", found.map_or_else(|| "None".to_owned(), |r| show(&r)))?;
    }
    Ok(())
}

/// What is shown is what is read, members included; and what is not there is not shown.
pub async fn what_is_shown_is_what_is_read<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::show` (`get` with another way for the result)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    users.shows_what_it_reads(id_of(&ada)).await?;
    users.shows_what_it_reads("2819c223-7f76-453a-919d-413861904646").await?;
    case.users(Tenant::B)?.shows_what_it_reads(id_of(&ada)).await?;
    let Ok(groups) = case.groups(Tenant::A) else { return Ok(()) };
    for (name, members) in [("nobody", &[][..]), ("engines", &[&ada])] {
        let group = groups.create_group(name, members).await?;
        groups.shows_what_it_reads(id_of(&group)).await?;
    }
    Ok(())
}

/// A tenant without resources has an empty list, not an error.
pub async fn an_empty_list_is_a_list<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.4.2 (no match is an empty list)");
    let listed = case.any_users(Tenant::B)?.list("").await?;
    let found = format!("a total of {}", listed.total);
    case.log.expect(listed.total == 0 && listed.resources.is_empty(), "nothing", found)
}

/// Everybody is in the list, once.
pub async fn everybody_is_listed_once<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.4.2 (querying)");
    let users = case.users(Tenant::A)?;
    let mut made = Vec::new();
    for number in 0..12 {
        made.push(id_of(&users.create_named(&format!("user-{number}")).await?).to_owned());
    }
    let listed = users.list("").await?;
    let mut found: Vec<&str> = listed.ids();
    found.sort_unstable();
    made.sort_unstable();
    case.log.expect(found == made, format!("{made:?}"), format!("{found:?}"))
}

/// A list holds resources of its type only.
pub async fn a_list_holds_one_type<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.4.2 (querying an endpoint)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let ada = users.create_named("ada").await?;
    let group = groups.create_group("engines", &[]).await?;
    let (people, teams) = (users.list("").await?, groups.list("").await?);
    case.log.expect(people.ids() == [id_of(&ada)], "the user alone", format!("{:?}", people.ids()))?;
    case.log.expect(teams.ids() == [id_of(&group)], "the group alone", format!("{:?}", teams.ids()))
}

/// A resource in a list is the resource that `get` finds.
pub async fn a_listed_resource_is_whole<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Query::projection` (what is needed of each resource)");
    let users = case.users(Tenant::A)?;
    let ada = users.create(users.filled()).await?;
    let read = users.read(id_of(&ada)).await?;
    let listed = users.list("").await?;
    let same = |r: &crate::Resource| content(r) == content(&read) && r.version() == read.version();
    let found: Vec<String> = listed.resources.iter().map(show).collect();
    case.log.expect(listed.resources.iter().any(same), show(&read), found.join(", "))
}

/// Page after page gives everybody once.
pub async fn pages_cover_everybody_once<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PAGES);
    let users = case.users(Tenant::A)?;
    for number in 0..7 {
        users.create_named(&format!("user-{number}")).await?;
    }
    let mut seen: Vec<String> = Vec::new();
    for start in [1, 3, 5, 7] {
        let page = users.list(&format!("startIndex={start}&count=2")).await?;
        seen.extend(page.ids().into_iter().map(str::to_owned));
    }
    let listed = seen.clone();
    seen.sort_unstable();
    seen.dedup();
    let once = listed.len() == 7 && seen.len() == 7;
    case.log.expect(once, "seven of them on four pages, each once", format!("{listed:?}"))
}

/// A page that would hold too much may end early. It holds somebody, counts all that match, and the next one begins behind it.
pub async fn a_page_that_ends_early_counts_all<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Query::bytes` (a page ends early, behind its second resource)");
    let users = case.users(Tenant::A)?.which_may_hold_little();
    for number in 0..5 {
        users.create_named(&format!("user-{number}")).await?;
    }
    let mut seen: Vec<String> = Vec::new();
    while seen.len() < 5 {
        let page = users.list(&format!("startIndex={}&count=4", seen.len() + 1)).await?;
        case.log.expect(page.total == 5, "a total of 5", format!("a total of {}", page.total))?;
        case.log.expect(!page.resources.is_empty(), "somebody on the page", "nobody")?;
        seen.extend(page.ids().into_iter().map(str::to_owned));
    }
    let listed = seen.clone();
    seen.sort_unstable();
    seen.dedup();
    case.log.expect(seen.len() == 5, "five of them, each once", format!("{listed:?}"))
}

/// A list has no end of its own: hundreds are listed, counted, found and paged through.
pub async fn hundreds_are_listed<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.4.2 (`totalResults`), §3.4.2.4 (pagination)");
    let users = case.users(Tenant::A)?;
    let names: Vec<String> = (0..HUNDREDS).map(|number| format!("user-{number:03}")).collect();
    for made in names.chunks(20) {
        let made = interleaved(made.iter().map(|name| users.create_named(name)).collect()).await;
        made.into_iter().collect::<Result<Vec<_>, Stop>>()?;
    }
    let (name, last) = (users.name(), HUNDREDS - 1);
    for (url, length, total) in [
        ("count=200".to_owned(), 200, HUNDREDS),
        (format!("startIndex=201&count=200&sortBy={name}"), HUNDREDS - 200, HUNDREDS),
        (format!("filter={name} sw \"USER-\"&startIndex=199&count=200"), HUNDREDS - 198, HUNDREDS),
        (format!("filter={name} sw \"user-2\""), HUNDREDS - 200, HUNDREDS - 200),
        (format!("filter={name} eq \"user-{last}\""), 1, 1),
    ] {
        let listed = users.list(&url).await?;
        let right = listed.total == total && listed.resources.len() == length;
        let found = format!("`{url}`: {} resources, total {}", listed.resources.len(), listed.total);
        case.log.expect(right, format!("{length} resources, total {total}"), found)?;
    }
    Ok(())
}

/// The same page again has the same resources in the same order.
pub async fn a_page_is_the_same_again<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::list` (the order is stable)");
    let users = case.users(Tenant::A)?;
    for number in 0..6 {
        users.create_named(&format!("user-{number}")).await?;
    }
    let filtered = format!("filter={} sw \"user\"&count=3", users.name());
    for url in ["", "startIndex=2&count=3", &filtered] {
        let first = users.list(url).await?;
        for _ in 0..3 {
            let again = users.list(url).await?;
            case.log.expect(again.ids() == first.ids(), format!("{:?}", first.ids()), format!("{:?}", again.ids()))?;
        }
    }
    Ok(())
}

/// The total counts all that match, not those on the page.
pub async fn the_total_counts_all<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.4.2 (`totalResults`)");
    let users = case.users(Tenant::A)?;
    for number in 0..5 {
        users.create_named(&format!("user-{number}")).await?;
    }
    let total = users.list("count=2").await?.total;
    case.log.expect(total == 5, "a total of 5", total.to_string())
}

/// `count=0` asks for the total alone.
pub async fn a_count_of_zero_gives_the_total_alone<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PAGES);
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    let listed = users.list("count=0").await?;
    let found = format!("{} resources, total {}", listed.resources.len(), listed.total);
    case.log.expect(listed.resources.is_empty() && listed.total == 1, "no resources, total 1", found)
}

/// A page that claims to be exact has no more than was asked for.
pub async fn a_page_is_no_longer_than_asked<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, HONEST);
    let users = case.users(Tenant::A)?;
    for number in 0..5 {
        users.create_named(&format!("user-{number}")).await?;
    }
    let listed = users.list("count=3").await?;
    case.log.expect(listed.resources.len() == 3, "three resources", listed.resources.len().to_string())
}

/// A page after the last is empty.
pub async fn a_page_after_the_last_is_empty<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PAGES);
    let users = case.users(Tenant::A)?;
    for number in 0..3 {
        users.create_named(&format!("user-{number}")).await?;
    }
    let listed = users.list("startIndex=4&count=2").await?;
    let found = format!("{} resources, total {}", listed.resources.len(), listed.total);
    case.log.expect(listed.resources.is_empty() && listed.total == 3, "no resources, total 3", found)
}

/// However far: a start beyond every number of the database is no error.
pub async fn a_start_far_beyond_is_empty<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PAGES);
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    for start in [u64::from(u32::MAX) + 2, u64::MAX] {
        let listed = users.list(&format!("startIndex={start}")).await?;
        case.log.expect(listed.resources.is_empty(), "no resources", listed.resources.len().to_string())?;
    }
    Ok(())
}

/// A group is listed without its members where they are excluded, and found all the same.
pub async fn groups_are_listed_without_members<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.9 (`excludedAttributes`)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let ada = users.create_named("ada").await?;
    let group = groups.create_group("Engines", &[&ada]).await?;
    let listed = groups.list(r#"filter=displayName eq "engines"&excludedAttributes=members"#).await?;
    let named = listed.resources.first().is_some_and(|r| r.text("displayName").as_deref() == Some("Engines"));
    let found: Vec<String> = listed.resources.iter().map(show).collect();
    case.log.expect(named && listed.ids() == [id_of(&group)], "the group", found.join(", "))
}

at_groups! {
    groups_an_unknown_id_is_none: an_unknown_id_is_none,
    groups_an_odd_id_is_none: an_odd_id_is_none,
    groups_an_id_is_compared_exactly: an_id_is_compared_exactly,
    groups_identity_is_there_whatever_is_wanted: identity_is_there_whatever_is_wanted,
    groups_an_empty_list_is_a_list: an_empty_list_is_a_list,
    groups_everybody_is_listed_once: everybody_is_listed_once,
    groups_a_listed_resource_is_whole: a_listed_resource_is_whole,
    groups_pages_cover_everybody_once: pages_cover_everybody_once,
    groups_a_page_that_ends_early_counts_all: a_page_that_ends_early_counts_all,
    groups_pages_by_cursor_hold_everybody_once: pages_hold_everybody_once,
    groups_hundreds_are_listed: hundreds_are_listed,
    groups_a_page_is_the_same_again: a_page_is_the_same_again,
    groups_the_total_counts_all: the_total_counts_all,
    groups_a_count_of_zero_gives_the_total_alone: a_count_of_zero_gives_the_total_alone,
    groups_a_page_is_no_longer_than_asked: a_page_is_no_longer_than_asked,
    groups_a_page_after_the_last_is_empty: a_page_after_the_last_is_empty,
    groups_a_start_far_beyond_is_empty: a_start_far_beyond_is_empty,
}
