//! Creating: what comes back, and what is kept.

use serde_json::{Value, json};

use crate::conformance::at_groups::at_groups;
use crate::conformance::desk::{Case, Desk, Refusal, content, has_all_of, id_of, show};
use crate::conformance::{Fixture, Tenant, Verdict};
use crate::{Extension, Projection, Store};

const CREATE: &str = "RFC 7644 §3.3 (creating)";
const ID: &str = "RFC 7643 §3.1 (`id`)";
const VERBATIM: &str = "RFC 7643 §2.3.1 (strings are kept as they are)";

/// Ids are texts that clients put into URLs; `bulkId` is reserved.
pub async fn an_id_never_holds_the_text_bulk_id<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, ID);
    let ada = case.users(Tenant::A)?.create_named("ada").await?;
    case.log.expect(!id_of(&ada).contains("bulkId"), "an id without `bulkId` in it", id_of(&ada))
}

/// No two resources of a tenant share an id.
pub async fn ids_are_distinct<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, ID);
    let users = case.users(Tenant::A)?;
    let mut ids = Vec::new();
    for number in 0..24 {
        let user = users.create_named(&format!("user-{number}")).await?;
        let id = id_of(&user).to_owned();
        case.log.expect(!ids.contains(&id), "an id that no other has", &id)?;
        ids.push(id);
    }
    Ok(())
}

/// What was sent comes back from `get`.
pub async fn what_was_sent_is_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, CREATE);
    kept(&case.users(Tenant::A)?, json!({"userName": "ada", "displayName": "Ada Lovelace", "active": false})).await
}

/// The answer to a creation is the resource as it is kept, apart from what a later `get` need not repeat.
pub async fn the_answer_is_the_resource_as_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, CREATE);
    let users = case.users(Tenant::A)?;
    let created = users.create(users.filled()).await?;
    let kept = users.read(id_of(&created)).await?;
    let same = content(&created) == content(&kept) && created.version() == kept.version();
    case.log.expect(same, format!("the answer to be what `get` finds, {}", show(&kept)), show(&created))
}

/// `meta` names the type, and a new resource was last modified when it was created.
pub async fn meta_is_complete<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`meta`)");
    let created = case.users(Tenant::A)?.create_named("ada").await?;
    let kind = created.text("meta.resourceType").is_some_and(|kind| kind == created.resource_type().name());
    case.log.expect(kind, "`meta.resourceType` to name the type", show(&created))?;
    let times = created.created().is_some() && created.created() == created.last_modified();
    case.log.expect(times, "`meta.created` and `meta.lastModified`, and both the same", show(&created))
}

/// The moment of creation is the same in each answer: it does not lose its fraction on the way through the database.
pub async fn times_survive_storage<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`meta.created`)");
    let users = case.users(Tenant::A)?;
    for number in 0..4 {
        let created = users.create_named(&format!("user-{number}")).await?;
        let read = users.read(id_of(&created)).await?;
        let same = read.created() == created.created() && read.last_modified() == created.last_modified();
        case.log.expect(same, format!("the times of {}", show(&created)), show(&read))?;
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    Ok(())
}

/// Letter case is kept, also where comparison ignores it.
pub async fn letter_case_is_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §7 (`caseExact`)");
    let users = case.users(Tenant::A)?;
    kept(&users, users.named("Ada.LOVELACE@Example.com")).await
}

/// Blanks at the ends are part of a text.
pub async fn blanks_are_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, VERBATIM);
    let users = case.users(Tenant::A)?;
    let sent = users.labelled("ada", "  Ada \t");
    users.allows(&sent)?;
    kept(&users, sent).await
}

/// Quotes, backslashes, signs beyond the Basic Multilingual Plane and combining marks are kept.
pub async fn every_character_is_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, VERBATIM);
    let name = "O'Neil \"\\\" %_; -- \u{1F9EA} \u{10FFFF} e\u{301} \u{6C49}\u{5B57}";
    let users = case.users(Tenant::A)?;
    kept(&users, users.labelled("ada", name)).await
}

/// A long text is kept to its end.
pub async fn long_texts_are_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, VERBATIM);
    let users = case.users(Tenant::A)?;
    let sent = users.labelled("ada", &"Countess ".repeat(100));
    users.allows(&sent)?;
    kept(&users, sent).await
}

/// The client's own identifier is kept as it came.
pub async fn the_external_id_is_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.1 (`externalId`)");
    case.needs("externalId")?;
    kept(&case.users(Tenant::A)?, json!({"userName": "ada", "externalId": "Ab-00F"})).await
}

/// All values of an attribute are kept, with their sub-attributes and in their order.
pub async fn all_values_of_an_attribute_are_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §2.4 (multi-valued attributes)");
    case.needs("emails")?;
    let emails = json!([
        {"value": "work@example.com", "type": "work", "primary": true},
        {"value": "home@example.com", "type": "home"},
    ]);
    kept(&case.users(Tenant::A)?, json!({"userName": "ada", "emails": emails})).await
}

/// The parts of a complex attribute are kept.
pub async fn the_parts_of_a_name_are_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §2.3.8 (complex attributes)");
    case.needs("name")?;
    let name = json!({"givenName": "Ada", "familyName": "Lovelace"});
    kept(&case.users(Tenant::A)?, json!({"userName": "ada", "name": name})).await
}

/// What belongs to an extension is kept under its URN.
pub async fn extensions_are_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §3.3 (extensions)");
    let enterprise = crate::EnterpriseUser::SCHEMA;
    case.needs(enterprise)?;
    case.needs("department")?;
    let users = case.users(Tenant::A)?;
    if !users.ty.extensions().any(|(schema, _)| schema.id == enterprise) {
        return Err(crate::conformance::Stop::NotApplicable("users have no enterprise extension"));
    }
    kept(&users, json!({"userName": "ada", enterprise: {"department": "Engines"}})).await
}

/// A password is for the hasher. No attribute of an answer holds it.
pub async fn a_password_is_never_shown<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §7 (`returned` never), RFC 7644 §7.5 (passwords)");
    let users = case.users(Tenant::A)?;
    let secret = "t1meMa$hine";
    let created = users.create(json!({"userName": "ada", "password": secret})).await?;
    let listed = users.list("").await?.resources;
    let read = users.read(id_of(&created)).await?;
    for resource in listed.iter().chain([&created, &read]) {
        case.log.expect(!show(resource).contains(secret), "no answer with the password in it", show(resource))?;
    }
    Ok(())
}

/// Whoever says that nothing can be created refuses a creation as unsupported.
pub async fn without_the_capability_creation_is_unsupported<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Capabilities::create`");
    let users = case.any_users(Tenant::A)?;
    if users.capabilities().create {
        return Err(crate::conformance::Stop::NotApplicable("the store creates resources"));
    }
    let outcome = users.try_create(json!({"userName": "ada"})).await?;
    users.refused(outcome, Refusal::Unsupported, "the capabilities say that nothing is created")?;
    let listed = users.list(r#"filter=userName eq "ada""#).await?;
    case.log.expect(listed.total == 0, "no user", format!("{} users", listed.total))
}

at_groups! {
    groups_an_id_never_holds_the_text_bulk_id: an_id_never_holds_the_text_bulk_id,
    groups_ids_are_distinct: ids_are_distinct,
    groups_the_answer_is_the_resource_as_kept: the_answer_is_the_resource_as_kept,
    groups_meta_is_complete: meta_is_complete,
    groups_times_survive_storage: times_survive_storage,
    groups_letter_case_is_kept: letter_case_is_kept,
    groups_blanks_are_kept: blanks_are_kept,
    groups_every_character_is_kept: every_character_is_kept,
    groups_long_texts_are_kept: long_texts_are_kept,
}

/// Creates a user and checks that `get` finds what was sent.
async fn kept<S: Store>(users: &Desk<'_, S>, sent: Value) -> Verdict {
    let wanted = users.draft(sent.clone())?;
    let created = users.create(sent).await?;
    let found = users.try_get(id_of(&created), &Projection::everything(&users.ty)).await;
    let found = users.done(found, "`get` to succeed")?;
    let kept = found.as_ref().is_some_and(|found| has_all_of(found, &wanted));
    let found = found.map(|found| content(&found)).unwrap_or_default();
    users.log.expect(kept, format!("what was sent: {}", content(&wanted)), found.to_string())
}
