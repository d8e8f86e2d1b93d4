//! Deleting, and what must not come back.

use serde_json::json;

use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, Refusal, id_of, members, show, version_of};
use crate::conformance::interleave::interleaved;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Precondition, Version};

const DELETE: &str = "RFC 7644 §3.6 (deleting)";

/// Whoever is deleted is no longer read.
pub async fn a_deleted_resource_is_not_read<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    users.gone(id_of(&ada), "it was deleted").await
}

/// Whoever is deleted is in no list and no total.
pub async fn a_deleted_resource_is_not_listed<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    let (ada, bea) = (users.create_named("ada").await?, users.create_named("bea").await?);
    users.delete(id_of(&ada)).await?;
    let listed = users.list("").await?;
    let right = listed.ids() == [id_of(&bea)] && listed.total == 1;
    case.log.expect(right, "the other one alone", format!("{:?}, total {}", listed.ids(), listed.total))
}

/// Whoever is deleted is not found by an index.
pub async fn a_deleted_resource_is_not_found_by_name<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    let listed = users.list(&format!(r#"filter={} eq "ada""#, users.name())).await?;
    case.log.expect(listed.total == 0, "nothing", format!("{:?}", listed.ids()))
}

/// A second deletion finds nothing.
pub async fn a_second_deletion_finds_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    let again = users.try_delete(id_of(&ada), Precondition::NONE).await;
    users.refused(again, Refusal::NotFound, "it was deleted")
}

/// A deletion that expects another version is refused and changes nothing.
pub async fn a_stale_deletion_is_refused<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap)");
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    let now = users.replace(id_of(&ada), users.named("countess")).await?;
    let outcome = users.try_delete(id_of(&ada), Precondition::versions(&[version_of(&ada)])).await;
    users.refused(outcome, Refusal::VersionMismatch, "it has changed since")?;
    users.untouched(&now, "the deletion was refused").await
}

/// A deletion that expects the present version is carried out.
pub async fn a_deletion_of_the_present_version_succeeds<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap)");
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    let outcome = users.try_delete(id_of(&ada), Precondition::versions(&[version_of(&ada)])).await;
    users.done(outcome, "the deletion to succeed: the version is the present one")?;
    users.gone(id_of(&ada), "it was deleted").await
}

/// So is one that expects one of several versions, when the present one is among them.
pub async fn one_of_several_versions_is_deleted<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 9110 §13.1.1 (`If-Match` may list several)");
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    let versions = [Version::new("no-version-of-this"), version_of(&ada)];
    let outcome = users.try_delete(id_of(&ada), Precondition::versions(&versions)).await;
    users.done(outcome, "the deletion to succeed: the second version is the present one").map(drop)
}

/// An id is never used again, also not for the same person.
pub async fn an_id_is_never_used_again<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`id` is never reassigned)");
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    let outcome = users.try_create(users.named("ada")).await?;
    // that the name is free is another case
    let Ok(again) = outcome else { return Ok(()) };
    case.log.expect(again.id() != ada.id(), "an id that was not there before", id_of(&again))
}

/// What is deleted cannot be replaced, and does not come back.
pub async fn a_deleted_resource_cannot_be_replaced<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    let outcome = users.try_replace(id_of(&ada), users.named("countess"), Precondition::NONE).await?;
    users.refused(outcome, Refusal::NotFound, "it was deleted")?;
    users.gone(id_of(&ada), "it was deleted").await
}

/// What is deleted cannot be patched, and does not come back.
pub async fn a_deleted_resource_cannot_be_patched<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Ada"}]);
    let outcome = users.try_patch(id_of(&ada), operations, Precondition::NONE).await?;
    users.refused(outcome, Refusal::NotFound, "it was deleted")?;
    users.gone(id_of(&ada), "it was deleted").await
}

/// A change that meets a deletion does not bring the resource back.
pub async fn a_change_does_not_undo_a_deletion<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELETE);
    let users = case.users(Tenant::A)?.which_deletes()?;
    for number in 0..4 {
        let user = users.create_named(&format!("user-{number}")).await?;
        let id = id_of(&user);
        // half of the changes begin before the deletion, half after it
        let races = (0..6).map(|turn| {
            let users = &users;
            async move {
                if turn == 3 {
                    return users.try_delete(id, Precondition::NONE).await.map_err(|e| format!("{e:?}"));
                }
                let content = users.labelled(&format!("user-{number}"), &format!("Writer {turn}"));
                match users.try_replace(id, content, Precondition::NONE).await {
                    Ok(_) => Ok(()),
                    Err(stop) => Err(stop.to_string()),
                }
            }
        });
        for outcome in interleaved(races.collect()).await {
            case.log.expect(outcome.is_ok(), "the deletion to succeed", format!("{outcome:?}"))?;
        }
        users.gone(id, "it was deleted").await?;
    }
    Ok(())
}

/// A deleted user is a member of nothing.
pub async fn a_deleted_user_is_no_member<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::delete` (and references to it)");
    let (users, groups) = (case.users(Tenant::A)?.which_deletes()?, case.groups(Tenant::A)?);
    let (ada, bea) = (users.create_named("ada").await?, users.create_named("bea").await?);
    let group = groups.create_group("engines", &[&ada, &bea]).await?;
    users.delete(id_of(&ada)).await?;
    let now = groups.read(id_of(&group)).await?;
    case.log.expect(members(&now) == [id_of(&bea)], format!("`{}` as its only member", id_of(&bea)), show(&now))
}

/// A deleted group is no group of a user, where users show their groups.
pub async fn a_deleted_group_is_no_group_of_a_user<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::delete` (and references to it)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?.which_deletes()?);
    let ada = users.create_named("ada").await?;
    let group = groups.create_group("engines", &[&ada]).await?;
    let member = users.read(id_of(&ada)).await?;
    if member.references("groups").next().is_none() {
        return Err(Stop::NotApplicable("users do not show their groups"));
    }
    groups.delete(id_of(&group)).await?;
    let now = users.read(id_of(&ada)).await?;
    case.log.expect(now.references("groups").next().is_none(), "no groups", show(&now))
}

/// Nor is it a member of another group, where groups have groups as members.
pub async fn a_deleted_group_is_no_member<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Store::delete` (and references to it)");
    let groups = case.groups(Tenant::A)?.which_deletes()?;
    let inner = groups.create_group("inner", &[]).await?;
    let content = json!({"displayName": "outer", "members": [{"value": id_of(&inner), "type": "Group"}]});
    let Ok(outer) = groups.try_create(content).await? else {
        return Err(Stop::NotApplicable("the store takes no group as a member"));
    };
    if members(&groups.read(id_of(&outer)).await?) != [id_of(&inner)] {
        return Err(Stop::NotApplicable("the store takes no group as a member"));
    }
    groups.delete(id_of(&inner)).await?;
    let now = groups.read(id_of(&outer)).await?;
    case.log.expect(members(&now).is_empty(), "no members", show(&now))
}

/// Whoever says that nothing can be deleted refuses a deletion as unsupported.
pub async fn without_the_capability_deletion_is_unsupported<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Capabilities::delete`");
    let users = case.users(Tenant::A)?;
    if users.capabilities().delete {
        return Err(Stop::NotApplicable("the store deletes resources"));
    }
    let ada = users.create_named("ada").await?;
    let outcome = users.try_delete(id_of(&ada), Precondition::NONE).await;
    users.refused(outcome, Refusal::Unsupported, "the capabilities say that nothing is deleted")?;
    users.untouched(&ada, "the deletion was refused").await
}

at_groups! {
    groups_a_deleted_resource_is_not_read: a_deleted_resource_is_not_read,
    groups_a_deleted_resource_is_not_listed: a_deleted_resource_is_not_listed,
    groups_a_deleted_resource_is_not_found_by_name: a_deleted_resource_is_not_found_by_name,
    groups_a_second_deletion_finds_nothing: a_second_deletion_finds_nothing,
    groups_a_stale_deletion_is_refused: a_stale_deletion_is_refused,
    groups_a_deletion_of_the_present_version_succeeds: a_deletion_of_the_present_version_succeeds,
    groups_one_of_several_versions_is_deleted: one_of_several_versions_is_deleted,
    groups_an_id_is_never_used_again: an_id_is_never_used_again,
    groups_a_deleted_resource_cannot_be_replaced: a_deleted_resource_cannot_be_replaced,
    groups_a_deleted_resource_cannot_be_patched: a_deleted_resource_cannot_be_patched,
    groups_a_change_does_not_undo_a_deletion: a_change_does_not_undo_a_deletion,
}
