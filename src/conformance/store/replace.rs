//! Replacing, and compare-and-swap.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, Refusal, content, id_of, members, show, version_of};
use crate::conformance::interleave::interleaved;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Precondition, Reference, Resource, Version};

const PUT: &str = "RFC 7644 §3.5.1 (replacing)";
const SWAP: &str = "the store's contract (compare-and-swap), RFC 7644 §3.14 (versions)";

/// What is not sent is gone afterwards.
pub async fn what_is_not_sent_is_gone<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PUT);
    let users = case.users(Tenant::A)?;
    let ada = users.create(json!({"userName": "ada", "displayName": "Ada"})).await?;
    users.replace(id_of(&ada), json!({"userName": "countess"})).await?;
    let now = users.read(id_of(&ada)).await?;
    let right = now.text("userName").as_deref() == Some("countess") && now.get("displayName").is_none();
    case.log.expect(right, "the new user name and no `displayName`", show(&now))
}

/// The answer to a replacement is the resource as it is kept.
pub async fn the_answer_to_a_replacement_is_as_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::replace` (returns it with its new version)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let answer = users.replace(id_of(&ada), users.labelled("ada", "Ada")).await?;
    let kept = users.read(id_of(&ada)).await?;
    let same = content(&answer) == content(&kept) && answer.version() == kept.version() && answer.id() == kept.id();
    case.log.expect(same, show(&kept), show(&answer))
}

/// Id and moment of creation stay.
pub async fn identity_survives_a_replacement<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::replace` (the id and `meta.created` stay)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    std::thread::sleep(Duration::from_millis(3));
    users.replace(id_of(&ada), users.named("countess")).await?;
    let now = users.read(id_of(&ada)).await?;
    case.log.expect(now.created() == ada.created(), format!("the creation of {}", show(&ada)), show(&now))
}

/// A version is never given twice, also not to a content that was there before.
pub async fn a_version_never_comes_back<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (each effective change gives a version it never had before)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let mut versions: Vec<Version> = vec![version_of(&ada)];
    for name in ["countess", "ada", "countess"] {
        let version = version_of(&users.replace(id_of(&ada), users.named(name)).await?);
        case.log.expect(!versions.contains(&version), "a version that was not there before", version.as_str())?;
        versions.push(version);
    }
    Ok(())
}

/// `meta.lastModified` follows the changes.
pub async fn the_time_follows_the_changes<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`meta.lastModified`)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let started = Instant::now();
    // a store may keep whole seconds: give it two
    for name in ["countess", "ada"].into_iter().cycle() {
        std::thread::sleep(Duration::from_millis(5));
        let now = users.replace(id_of(&ada), users.named(name)).await?;
        if now.last_modified() > ada.last_modified() {
            return Ok(());
        }
        let patience = started.elapsed() < Duration::from_secs(2);
        case.log.expect(patience, format!("a time after that of {}", show(&ada)), show(&now))?;
    }
    Ok(())
}

/// What is not there cannot be replaced, and is not created.
pub async fn replacing_nothing_is_not_found<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.1 (PUT does not create)");
    let users = case.users(Tenant::A)?;
    let id = "2819c223-7f76-453a-919d-413861904646";
    let outcome = users.try_replace(id, users.named("ada"), Precondition::NONE).await?;
    users.refused(outcome, Refusal::NotFound, "nobody has this id")?;
    let total = users.list("").await?.total;
    case.log.expect(total == 0, "an empty list", format!("a total of {total}"))
}

/// A replacement that expects another version is refused and changes nothing.
pub async fn a_stale_replacement_is_refused<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, SWAP);
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let now = users.replace(id_of(&ada), users.named("countess")).await?;
    let stale = [version_of(&ada)];
    let outcome = users.try_replace(id_of(&ada), users.named("stale"), Precondition::versions(&stale)).await?;
    users.refused(outcome, Refusal::VersionMismatch, "it has changed since")?;
    users.untouched(&now, "the replacement was refused").await
}

/// A replacement that expects one of several versions is carried out when the present one is among them.
pub async fn one_of_several_versions_is_enough<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 9110 §13.1.1 (`If-Match` may list several)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let versions = [Version::new("no-version-of-this"), version_of(&ada)];
    let outcome = users.try_replace(id_of(&ada), users.named("countess"), Precondition::versions(&versions)).await?;
    users.done(outcome, "the replacement to succeed: the second version is the present one").map(drop)
}

/// Of many that replace the same version at once, one wins and the others are told.
pub async fn of_many_replacements_at_once_one_wins<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, SWAP);
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let version = [version_of(&ada)];
    let races = (0..8).map(|number| {
        let content = users.labelled("ada", &format!("Writer {number}"));
        users.try_replace(id_of(&ada), content, Precondition::versions(&version))
    });
    let outcomes = interleaved(races.collect()).await.into_iter().collect::<Result<Vec<_>, Stop>>()?;
    let winners: Vec<&Resource> = outcomes.iter().flatten().collect();
    let [winner] = winners.as_slice() else {
        return Err(case.log.failure("one of eight replacements to succeed", format!("{} succeeded", winners.len())));
    };
    let now = users.read(id_of(&ada)).await?;
    case.log.expect(content(&now) == content(winner), show(winner), show(&now))?;
    for lost in outcomes.into_iter().filter(Result::is_err) {
        users.refused(lost, Refusal::VersionMismatch, "another writer was faster")?;
    }
    Ok(())
}

/// A user's groups follow from the groups: replacing the user neither ends nor makes a membership.
pub async fn replacing_a_user_leaves_its_groups<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §4.1.2 (`groups` is read-only)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let ada = users.create_named("ada").await?;
    let group = groups.create_group("engines", &[&ada]).await?;
    let other = groups.create_group("others", &[]).await?;
    // as the service hands it over: with what is read-only taken from the present resource
    let current = users.read(id_of(&ada)).await?;
    let renamed = current.with("displayName", "Ada").map_err(|v| case.log.failure("a display name", v.to_string()))?;
    let renamed = renamed.with_references("groups", &[Reference::to(id_of(&other), None, None)]);
    let outcome = users.try_replace_by(id_of(&ada), renamed, Precondition::NONE).await;
    users.done(outcome, "the replacement to succeed")?;
    let (group, other) = (groups.read(id_of(&group)).await?, groups.read(id_of(&other)).await?);
    let right = members(&group) == [id_of(&ada)] && members(&other).is_empty();
    case.log.expect(right, "the memberships as they were", format!("{}, {}", show(&group), show(&other)))
}

/// Replacing a group replaces its members.
pub async fn replacing_a_group_replaces_its_members<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::replace` (references included)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let (ada, bea) = (users.create_named("ada").await?, users.create_named("bea").await?);
    let group = groups.create_group("engines", &[&ada]).await?;
    let content = json!({"displayName": "engines", "members": [{"value": id_of(&bea)}]});
    groups.replace(id_of(&group), content).await?;
    let now = groups.read(id_of(&group)).await?;
    case.log.expect(members(&now) == [id_of(&bea)], format!("`{}` as its only member", id_of(&bea)), show(&now))?;
    let changed = now.version() != group.version();
    case.log.expect(changed, "another version: its members are part of a group", show(&now))
}

at_groups! {
    groups_the_answer_to_a_replacement_is_as_kept: the_answer_to_a_replacement_is_as_kept,
    groups_identity_survives_a_replacement: identity_survives_a_replacement,
    groups_a_version_never_comes_back: a_version_never_comes_back,
    groups_the_time_follows_the_changes: the_time_follows_the_changes,
    groups_replacing_nothing_is_not_found: replacing_nothing_is_not_found,
    groups_a_stale_replacement_is_refused: a_stale_replacement_is_refused,
    groups_one_of_several_versions_is_enough: one_of_several_versions_is_enough,
    groups_of_many_replacements_at_once_one_wins: of_many_replacements_at_once_one_wins,
}
