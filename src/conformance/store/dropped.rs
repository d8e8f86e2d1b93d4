//! After a failure: refusals leave the store working, and futures that are dropped leave nothing half done.
//!
//! A future is dropped at each of its first `await`s in turn. A store that never waits is done before it can be dropped; in one
//! whose database works by itself, what was dropped may still be under way, and be done between two looks.

use serde_json::json;

use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, content, has_all_of, id_of, members, show, version_of};
use crate::conformance::interleave::dropped_after;
use crate::conformance::{Fixture, Tenant, Verdict};
use crate::{Precondition, Version};

const ATOMIC: &str =
    "the store's contract (every method does all of its work or none, also when the future is dropped)";

/// How many of the first `await`s a future is dropped at.
const POLLS: usize = 6;

/// After refusals of every kind the store goes on working.
pub async fn refusals_leave_the_store_working<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (every method is atomic: what failed can be tried again)");
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    let bea = users.create_named("bea").await?;
    let stale = [Version::new("no-version-of-this")];
    let _ = users.try_create(users.named("ada")).await?;
    users.create_named("after-a-conflict").await?;
    let _ = users.try_replace(id_of(&bea), users.named("cyd"), Precondition::versions(&stale)).await?;
    users.create_named("after-a-mismatch").await?;
    let _ = users.try_replace("nobody", users.named("dan"), Precondition::NONE).await?;
    users.create_named("after-not-found").await?;
    let _ = users.try_replace(id_of(&bea), users.named("ADA"), Precondition::NONE).await?;
    users.replace(id_of(&bea), users.labelled("bea", "Bea")).await.map(drop)
}

/// A name of a refused request is not taken by it.
pub async fn a_refused_name_is_free<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (every method is atomic)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let stale = [Version::new("no-version-of-this")];
    let refused = users.try_replace(id_of(&ada), json!({"userName": "cyd"}), Precondition::versions(&stale)).await?;
    if refused.is_ok() {
        return Ok(());
    }
    let retried = users.try_create(json!({"userName": "cyd"})).await?;
    users.done(retried, "the name to be free: the request that wanted it was refused").map(drop)
}

/// A creation that is dropped has happened or has not: the name is free, or the user is there.
pub async fn a_dropped_creation_is_whole_or_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, ATOMIC);
    let users = case.users(Tenant::A)?;
    for polls in 1..=POLLS {
        let name = format!("user-{polls}");
        let done = dropped_after(polls, users.try_create(json!({"userName": name}))).await;
        case.log.step(format!("that creation of `{name}` was dropped after {polls} polls; done: {}", done.is_some()));
        let by_name = format!(r#"filter=userName eq "{name}""#);
        let listed = users.list(&by_name).await?.total;
        case.log.expect(listed <= 1, "one user at the most", listed.to_string())?;
        let again = users.try_create(json!({"userName": name})).await?;
        let there = match &again {
            // done by now, or the name is taken by nobody
            Err(_) if listed == 0 => users.list(&by_name).await?.total,
            _ => listed,
        };
        let right = again.is_ok() == (there == 0);
        let found = format!("{there} users were there, and the second creation: {again:?}");
        case.log.expect(right, "a second creation to succeed where nobody was there, and else to fail", found)?;
    }
    Ok(())
}

/// A replacement that is dropped has happened or has not: content and version go together.
pub async fn a_dropped_replacement_is_whole_or_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, ATOMIC);
    let users = case.users(Tenant::A)?;
    let mut current = users.create_named("ada").await?;
    let mut dropped = Vec::new();
    for polls in 1..=POLLS {
        let new = users.labelled(&format!("ada-{polls}"), &format!("Ada {polls}"));
        dropped.push(users.draft(new.clone())?);
        let _ = dropped_after(polls, users.try_replace(id_of(&current), new, Precondition::NONE)).await;
        case.log.step(format!("that replacement was dropped after {polls} polls"));
        let now = users.read(id_of(&current)).await?;
        let nothing = content(&now) == content(&current) && now.version() == current.version();
        let is_new = dropped.iter().any(|new| has_all_of(&now, new));
        let whole = is_new && now.version() != current.version();
        let expected = format!("{} as it was, or a new content at a new version", show(&current));
        case.log.expect(nothing || whole, expected, show(&now))?;
        current = now;
    }
    Ok(())
}

/// A PATCH of a group's name and members that is dropped has happened or has not.
pub async fn a_dropped_patch_is_whole_or_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, ATOMIC);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let ada = users.create_named("ada").await?;
    for polls in 1..=POLLS {
        let group = groups.create_group(&format!("group-{polls}"), &[]).await?;
        let name = format!("renamed-{polls}");
        let operations = json!([
            {"op": "replace", "path": "displayName", "value": name},
            {"op": "add", "path": "members", "value": [{"value": id_of(&ada)}]},
        ]);
        let _ = dropped_after(polls, groups.try_patch(id_of(&group), operations, Precondition::NONE)).await;
        case.log.step(format!("that PATCH was dropped after {polls} polls"));
        let now = groups.read(id_of(&group)).await?;
        let renamed = now.text("displayName").as_deref() == Some(name.as_str());
        let joined = !members(&now).is_empty();
        let moved = version_of(&now) != version_of(&group);
        let right = renamed == joined && joined == moved;
        case.log.expect(right, "name, member and version changed, or none of them", show(&now))?;
    }
    Ok(())
}

/// A deletion that is dropped has happened or has not: a user that is still there is still a member.
pub async fn a_dropped_deletion_is_whole_or_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, ATOMIC);
    let (users, groups) = (case.users(Tenant::A)?.which_deletes()?, case.groups(Tenant::A)?);
    for polls in 1..=POLLS {
        let user = users.create_named(&format!("user-{polls}")).await?;
        let group = groups.create_group(&format!("group-{polls}"), &[&user]).await?;
        let _ = dropped_after(polls, users.try_delete(id_of(&user), Precondition::NONE)).await;
        case.log.step(format!("that deletion was dropped after {polls} polls"));
        let (there, now) = loop {
            let there = users.get(id_of(&user)).await?.is_some();
            let now = groups.read(id_of(&group)).await?;
            if users.get(id_of(&user)).await?.is_some() == there {
                break (there, now);
            }
        };
        let member = !members(&now).is_empty();
        case.log.expect(
            there == member,
            "user and membership there, or neither",
            format!("user: {there}, {}", show(&now)),
        )?;
    }
    Ok(())
}

at_groups! {
    groups_refusals_leave_the_store_working: refusals_leave_the_store_working,
    groups_a_dropped_replacement_is_whole_or_nothing: a_dropped_replacement_is_whole_or_nothing,
}
