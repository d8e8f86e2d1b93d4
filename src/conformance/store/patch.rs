//! PATCH, carried out in place where the store can, else by reading, applying and replacing as the service does.

use serde_json::json;

use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, Refusal, content, id_of, show, version_of};
use crate::conformance::interleave::interleaved;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Precondition, Version};

const PATCH: &str = "RFC 7644 §3.5.2 (PATCH)";

/// A PATCH changes what it names and nothing else.
pub async fn a_patch_leaves_the_rest_alone<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PATCH);
    let users = case.users(Tenant::A)?;
    let ada = users.create(json!({"userName": "ada", "displayName": "Ada", "active": true})).await?;
    let mut wanted = content(&users.read(id_of(&ada)).await?);
    if let Some(members) = wanted.as_object_mut() {
        members.insert("active".to_owned(), json!(false));
    }
    users.patch(id_of(&ada), json!([{"op": "replace", "path": "active", "value": false}])).await?;
    let now = users.read(id_of(&ada)).await?;
    case.log.expect(content(&now) == wanted, wanted.to_string(), show(&now))
}

/// `remove` takes a value away.
pub async fn a_patch_takes_a_value_away<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2.2 (remove)");
    let users = case.users(Tenant::A)?;
    let ada = users.create(json!({"userName": "ada", "displayName": "Ada"})).await?;
    users.patch(id_of(&ada), json!([{"op": "remove", "path": "displayName"}])).await?;
    let now = users.read(id_of(&ada)).await?;
    case.log.expect(now.get("displayName").is_none(), "no `displayName`", show(&now))
}

/// The answer to a PATCH is the resource as it is now.
pub async fn the_answer_to_a_patch_is_as_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Patched::resource` (as it is now)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let operations = json!([{"op": "add", "path": "displayName", "value": "Ada"}]);
    let patched = users.patch(id_of(&ada), operations).await?;
    let kept = users.read(id_of(&ada)).await?;
    let same = content(&patched.resource) == content(&kept) && patched.resource.version() == kept.version();
    case.log.expect(same, show(&kept), show(&patched.resource))
}

/// An effective PATCH gives a new version, and says that something changed.
pub async fn an_effective_patch_gives_a_version<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (each effective change gives a new version)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let patched = users.patch(id_of(&ada), json!([{"op": "add", "path": "displayName", "value": "Ada"}])).await?;
    case.log.expect(patched.changed, "`changed`", "not `changed`")?;
    let now = users.read(id_of(&ada)).await?;
    case.log.expect(now.version() != ada.version(), "another version", show(&now))
}

/// A PATCH without effect keeps version and `meta.lastModified`, and says that nothing changed.
pub async fn a_patch_without_effect_keeps_the_version<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Patched::changed`, RFC 7643 §3.1 (`meta.lastModified`)");
    let users = case.users(Tenant::A)?;
    let ada = users.create(users.labelled("ada", "Ada")).await?;
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Ada"}]);
    let patched = users.patch(id_of(&ada), operations).await?;
    case.log.expect(!patched.changed, "not `changed`", "`changed`")?;
    let now = users.read(id_of(&ada)).await?;
    let same = now.version() == ada.version() && now.last_modified() == ada.last_modified();
    case.log.expect(same, show(&ada), show(&now))
}

/// A PATCH that expects another version is refused and changes nothing.
pub async fn a_stale_patch_is_refused<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let now = users.replace(id_of(&ada), users.named("countess")).await?;
    let operations = json!([{"op": "add", "path": "displayName", "value": "Stale"}]);
    let stale = [version_of(&ada)];
    let outcome = users.try_patch(id_of(&ada), operations, Precondition::versions(&stale)).await?;
    users.refused(outcome, Refusal::VersionMismatch, "it has changed since")?;
    users.untouched(&now, "the PATCH was refused").await
}

/// A PATCH that expects one of several versions is carried out when the present one is among them.
pub async fn one_of_several_versions_is_patched<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 9110 §13.1.1 (`If-Match` may list several)");
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Countess"}]);
    let versions = [Version::new("no-version-of-this"), version_of(&ada)];
    let outcome = users.try_patch(id_of(&ada), operations, Precondition::versions(&versions)).await?;
    users.done(outcome, "the PATCH to succeed: the second version is the present one").map(drop)
}

/// Of several operations either all are carried out or none.
pub async fn a_failed_patch_changes_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2 (a PATCH is atomic)");
    case.needs("emails")?;
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let operations = json!([
        {"op": "add", "path": "displayName", "value": "Half done"},
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@example.com"},
    ]);
    let outcome = users.try_patch(id_of(&ada), operations, Precondition::NONE).await?;
    users.refused(outcome, Refusal::Patch, "the second operation has no target (RFC 7644 §3.5.2.3)")?;
    users.untouched(&ada, "the PATCH was refused").await
}

/// What is not there cannot be patched.
pub async fn patching_nothing_is_not_found<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, PATCH);
    let users = case.users(Tenant::A)?;
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Ada"}]);
    let outcome = users.try_patch("2819c223-7f76-453a-919d-413861904646", operations, Precondition::NONE).await?;
    users.refused(outcome, Refusal::NotFound, "nothing has this id")
}

/// PATCHes of different attributes at once are all kept.
pub async fn patches_at_once_are_all_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap: no change is lost)");
    let users = case.users(Tenant::A)?;
    let ada = users.create(json!({"userName": "ada", "displayName": "Ada", "active": true})).await?;
    let races = [
        json!([{"op": "replace", "path": "userName", "value": "countess"}]),
        json!([{"op": "replace", "path": "displayName", "value": "Lady Lovelace"}]),
        json!([{"op": "replace", "path": "active", "value": false}]),
    ];
    let races = races.into_iter().map(|operations| users.try_patch(id_of(&ada), operations, Precondition::NONE));
    for outcome in interleaved(races.collect()).await.into_iter().collect::<Result<Vec<_>, Stop>>()? {
        users.done(outcome, "each of three PATCHes to succeed")?;
    }
    let now = users.read(id_of(&ada)).await?;
    let right = now.text("userName").as_deref() == Some("countess")
        && now.text("displayName").as_deref() == Some("Lady Lovelace")
        && now.get("active").and_then(|active| active.as_bool()) == Some(false);
    case.log.expect(right, "all three changes", show(&now))
}

at_groups! {
    groups_the_answer_to_a_patch_is_as_kept: the_answer_to_a_patch_is_as_kept,
    groups_an_effective_patch_gives_a_version: an_effective_patch_gives_a_version,
    groups_a_patch_without_effect_keeps_the_version: a_patch_without_effect_keeps_the_version,
    groups_a_stale_patch_is_refused: a_stale_patch_is_refused,
    groups_one_of_several_versions_is_patched: one_of_several_versions_is_patched,
    groups_patching_nothing_is_not_found: patching_nothing_is_not_found,
}
