//! Uniqueness, and its races.

use serde_json::json;

use crate::conformance::desk::{Case, Refusal, id_of, version_of};
use crate::conformance::interleave::interleaved;
use crate::conformance::letters;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Precondition, StoreError};

const UNIQUE: &str = "RFC 7643 §4.1.1 (`userName` is unique)";
const FOLDED: &str = "the store's contract (a constraint on the folded key, `scim_provider::fold`)";
const CONSTRAINT: &str = "the store's contract (uniqueness comes from a constraint, never from looking first)";

/// A name that is taken is refused.
pub async fn a_taken_name_is_a_conflict<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, UNIQUE);
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    let second = users.try_create(json!({"userName": "ada"})).await?;
    users.refused(second, Refusal::Conflict, "the name is taken")
}

/// The comparison ignores letter case, beyond ASCII too.
pub async fn letter_case_does_not_make_a_name_free<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, UNIQUE);
    let users = case.users(Tenant::A)?;
    for (taken, tried) in [("ada@example.com", "ADA@Example.com"), ("änne", "ÄNNE")] {
        users.create_named(taken).await?;
        let second = users.try_create(json!({"userName": tried})).await?;
        users.refused(second, Refusal::Conflict, "the name is taken in another letter case")?;
    }
    Ok(())
}

/// Letter case is folded character by character, as [`fold`](crate::fold) does it: a sigma at the end of a word, the sign of
/// Kelvin and the long s are letters like others.
pub async fn folding_makes_names_equal<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, FOLDED);
    let users = case.users(Tenant::A)?;
    for (taken, tried) in letters::same() {
        users.create_named(taken).await?;
        let second = users.try_create(json!({"userName": tried})).await?;
        users.refused(second, Refusal::Conflict, &format!("`{taken}` and `{tried}` differ in letter case only"))?;
    }
    Ok(())
}

/// And nothing else is equal: `ß` is not `ss`, the dotless `ı` is no `i`, and no accent is left out.
pub async fn folding_makes_no_other_names_equal<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, FOLDED);
    let users = case.users(Tenant::A)?;
    for (taken, tried) in letters::different() {
        users.create_named(taken).await?;
        let second = users.try_create(json!({"userName": tried})).await?;
        users.done(second, &format!("no conflict: `{taken}` and `{tried}` are two names"))?;
    }
    Ok(())
}

/// The conflict names the attribute, which is what the client is told: not a constraint or a column of the database.
pub async fn a_conflict_names_the_attribute<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `StoreError::Conflict`");
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    match users.try_create(json!({"userName": "ada"})).await? {
        Err(StoreError::Conflict { attribute }) => {
            case.log.expect(attribute == "userName", "a conflict on `userName`", format!("a conflict on `{attribute}`"))
        }
        // that it is refused at all is another case
        _ => Ok(()),
    }
}

/// A creation that is refused leaves nothing behind.
pub async fn a_refused_creation_leaves_nothing<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (every method is atomic)");
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    let second = users.try_create(json!({"userName": "ada", "displayName": "The other"})).await?;
    if second.is_ok() {
        return Ok(());
    }
    let total = users.list("").await?.total;
    case.log.expect(total == 1, "one user", format!("{total} users"))
}

/// Clients may give the same `externalId` twice.
pub async fn external_ids_need_not_be_unique<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`externalId`)");
    case.needs("externalId")?;
    let users = case.users(Tenant::A)?;
    users.create(json!({"userName": "ada", "externalId": "26"})).await?;
    let second = users.try_create(json!({"userName": "bea", "externalId": "26"})).await?;
    users.done(second, "no conflict: two users with the same `externalId`").map(drop)
}

/// The name of a deleted user is free.
pub async fn a_deleted_name_is_free<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.6 (deleted resources do not conflict)");
    let users = case.users(Tenant::A)?.which_deletes()?;
    let ada = users.create_named("ada").await?;
    users.delete(id_of(&ada)).await?;
    let again = users.try_create(json!({"userName": "ada"})).await?;
    users.done(again, "the name to be free after the deletion").map(drop)
}

/// A name that a user has given up is free.
pub async fn a_former_name_is_free<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, UNIQUE);
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    users.replace(id_of(&ada), json!({"userName": "countess"})).await?;
    let again = users.try_create(json!({"userName": "ada"})).await?;
    users.done(again, "the name to be free after it was changed").map(drop)
}

/// A replacement cannot take a name, and changes nothing when it tries.
pub async fn a_replacement_cannot_take_a_name<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, UNIQUE);
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    let bea = users.create_named("bea").await?;
    let outcome = users.try_replace(id_of(&bea), json!({"userName": "Ada"}), Precondition::NONE).await?;
    users.refused(outcome, Refusal::Conflict, "the name is taken")?;
    users.untouched(&bea, "the replacement was refused").await
}

/// A PATCH cannot take a name, and changes nothing when it tries.
pub async fn a_patch_cannot_take_a_name<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, UNIQUE);
    let users = case.users(Tenant::A)?;
    users.create_named("ada").await?;
    let bea = users.create_named("bea").await?;
    let operations = json!([
        {"op": "replace", "path": "displayName", "value": "Half done"},
        {"op": "replace", "path": "userName", "value": "ADA"},
    ]);
    let outcome = users.try_patch(id_of(&bea), operations, Precondition::NONE).await?;
    users.refused(outcome, Refusal::Conflict, "the name is taken")?;
    users.untouched(&bea, "the PATCH was refused").await
}

/// A user is no conflict for itself, also when only the letter case of its name changes.
pub async fn the_own_name_is_no_conflict<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, UNIQUE);
    let users = case.users(Tenant::A)?;
    let ada = users.create_named("ada").await?;
    let outcome = users.try_replace(id_of(&ada), json!({"userName": "ADA"}), Precondition::NONE).await?;
    let replaced = users.done(outcome, "the letter case of the own name to change")?;
    let spelled = replaced.text("userName").unwrap_or_default().into_owned();
    case.log.expect(spelled == "ADA", "`ADA`", spelled)
}

/// Of many creations of one name at once, one wins and the others are conflicts.
pub async fn of_many_creations_at_once_one_wins<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, CONSTRAINT);
    let users = case.users(Tenant::A)?;
    let spelled = |n: usize| if n.is_multiple_of(2) { "ada" } else { "Ada" };
    let races = (0..8).map(|n| users.try_create(json!({"userName": spelled(n)}))).collect();
    let outcomes = interleaved(races).await.into_iter().collect::<Result<Vec<_>, Stop>>()?;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    case.log.expect(won == 1, "one of eight creations to succeed", format!("{won} succeeded"))?;
    for lost in outcomes.into_iter().filter(Result::is_err) {
        users.refused(lost, Refusal::Conflict, "another creation was faster")?;
    }
    let total = users.list("").await?.total;
    case.log.expect(total == 1, "one user", format!("{total} users"))
}

/// Of many users that take the same new name at once, one gets it.
pub async fn of_many_renamings_at_once_one_wins<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, CONSTRAINT);
    let users = case.users(Tenant::A)?;
    let mut rivals = Vec::new();
    for number in 0..6 {
        rivals.push(users.create_named(&format!("user-{number}")).await?);
    }
    let versions: Vec<_> = rivals.iter().map(|rival| [version_of(rival)]).collect();
    let races = rivals.iter().zip(&versions).map(|(rival, version)| {
        users.try_replace(id_of(rival), json!({"userName": "ada"}), Precondition::versions(version))
    });
    let outcomes = interleaved(races.collect()).await.into_iter().collect::<Result<Vec<_>, Stop>>()?;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    case.log.expect(won == 1, "one of six renamings to succeed", format!("{won} succeeded"))?;
    for lost in outcomes.into_iter().filter(Result::is_err) {
        users.refused(lost, Refusal::Conflict, "another user was faster")?;
    }
    Ok(())
}
