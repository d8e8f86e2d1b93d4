//! Two tenants that must not see, change, count or notice anything of each other.

use serde_json::json;

use crate::Precondition;
use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, Refusal, id_of, members, show};
use crate::conformance::{Fixture, Tenant, Verdict};

const TENANTS: &str = "the store's contract (a store sees only what belongs to the tenant), RFC 7644 §6";

/// What one tenant has, the other cannot read by its id.
pub async fn another_tenant_reads_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    let ada = a.create_named("ada").await?;
    // once read by its own tenant, it may be in a cache
    a.read(id_of(&ada)).await?;
    b.gone(id_of(&ada), "it belongs to the other tenant").await
}

/// What one tenant has, the other does not list.
pub async fn another_tenant_lists_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    let ada = a.create_named("ada").await?;
    let bea = b.create_named("bea").await?;
    for (desk, own) in [(&a, &ada), (&b, &bea)] {
        let listed = desk.list("").await?;
        case.log.expect(listed.ids() == [id_of(own)], "the tenant's own resource", format!("{:?}", listed.ids()))?;
    }
    Ok(())
}

/// What one tenant has, the other does not count.
pub async fn another_tenant_counts_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    for name in ["ada", "bea", "cyd"] {
        a.create_named(name).await?;
    }
    b.create_named("dan").await?;
    let total = b.list("count=1").await?.total;
    case.log.expect(total == 1, "a total of 1", total.to_string())
}

/// What one tenant has, the other does not find: not by an index, not by an id, not by what a value holds.
pub async fn another_tenant_finds_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    let ada = a.create_named("ada").await?;
    let bea = b.create_named("bea").await?;
    let by_id = format!(r#"filter=id eq "{}""#, id_of(&ada));
    let (exactly, beginning) = (format!(r#"filter={} eq "ada""#, b.name()), format!(r#"filter={} sw "a""#, b.name()));
    for url in [exactly, beginning, by_id] {
        let listed = b.list(&url).await?;
        let found = format!("{:?}, total {}", listed.ids(), listed.total);
        // ids need not differ between tenants: the tenant's own resource may be meant
        let own =
            url.contains(id_of(&bea)) && listed.resources.iter().all(|r| r.text(b.name()).as_deref() == Some("bea"));
        case.log.expect(listed.total == 0 && listed.resources.is_empty() || own, "nothing", found)?;
    }
    Ok(())
}

/// A name that one tenant uses is free for the other, and neither notices.
pub async fn a_name_is_taken_in_one_tenant_only<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    a.create_named("ada").await?;
    let other = b.try_create(json!({"userName": "ada"})).await?;
    b.done(other, "no conflict with another tenant").map(drop)
}

/// Nor does a renaming notice.
pub async fn a_renaming_does_not_meet_another_tenant<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    a.create_named("ada").await?;
    let bea = b.create_named("bea").await?;
    let outcome = b.try_replace(id_of(&bea), json!({"userName": "ada"}), Precondition::NONE).await?;
    b.done(outcome, "no conflict with another tenant").map(drop)
}

/// What one tenant has, the other cannot replace.
pub async fn another_tenant_replaces_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    let ada = a.create_named("ada").await?;
    let outcome = b.try_replace(id_of(&ada), b.named("mallory"), Precondition::NONE).await?;
    b.refused(outcome, Refusal::NotFound, "it belongs to the other tenant")?;
    a.untouched(&ada, "another tenant tried to replace it").await
}

/// What one tenant has, the other cannot patch.
pub async fn another_tenant_patches_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.users(Tenant::B)?);
    let ada = a.create_named("ada").await?;
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Mallory"}]);
    let outcome = b.try_patch(id_of(&ada), operations, Precondition::NONE).await?;
    b.refused(outcome, Refusal::NotFound, "it belongs to the other tenant")?;
    a.untouched(&ada, "another tenant tried to patch it").await
}

/// What one tenant has, the other cannot delete.
pub async fn another_tenant_deletes_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?.which_deletes()?, case.users(Tenant::B)?);
    let ada = a.create_named("ada").await?;
    let outcome = b.try_delete(id_of(&ada), Precondition::NONE).await;
    b.refused(outcome, Refusal::NotFound, "it belongs to the other tenant")?;
    a.untouched(&ada, "another tenant tried to delete it").await
}

/// A group that names a user of another tenant learns nothing about it, and the user is in no group.
pub async fn a_membership_does_not_reach_another_tenant<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (a, b) = (case.users(Tenant::A)?, case.groups(Tenant::B)?);
    let ada = a.create(json!({"userName": "ada", "displayName": "Ada Lovelace"})).await?;
    let group = b.create_group("engines", &[]).await?;
    let operations = json!([{"op": "add", "path": "members", "value": [{"value": id_of(&ada)}]}]);
    // a host may refuse a member that it does not know, or keep the bare id
    let _ = b.try_patch(id_of(&group), operations, Precondition::NONE).await?;
    let group = b.read(id_of(&group)).await?;
    let told = show(&group).contains("Lovelace") || show(&group).contains("\"ada\"");
    case.log.expect(!told, "a group that tells nothing of the user", show(&group))?;
    let user = a.read(id_of(&ada)).await?;
    case.log.expect(user.references("groups").next().is_none(), "a user without groups", show(&user))
}

/// A deletion in one tenant leaves the memberships of the other.
pub async fn a_group_of_another_tenant_keeps_its_members<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, TENANTS);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let (others, other_groups) = (case.users(Tenant::B)?.which_deletes()?, case.groups(Tenant::B)?);
    let (ada, bea) = (users.create_named("ada").await?, others.create_named("ada").await?);
    let group = groups.create_group("engines", &[&ada]).await?;
    other_groups.create_group("engines", &[&bea]).await?;
    others.delete(id_of(&bea)).await?;
    let now = groups.read(id_of(&group)).await?;
    case.log.expect(members(&now) == [id_of(&ada)], format!("`{}` as its member", id_of(&ada)), show(&now))
}

at_groups! {
    groups_another_tenant_reads_nothing: another_tenant_reads_nothing,
    groups_another_tenant_lists_nothing: another_tenant_lists_nothing,
    groups_another_tenant_counts_nothing: another_tenant_counts_nothing,
    groups_another_tenant_finds_nothing: another_tenant_finds_nothing,
    groups_another_tenant_replaces_nothing: another_tenant_replaces_nothing,
    groups_another_tenant_patches_nothing: another_tenant_patches_nothing,
    groups_another_tenant_deletes_nothing: another_tenant_deletes_nothing,
}
