//! Memberships: what identity providers send to groups, one member at a time and many at once.

use serde_json::{Value, json};

use crate::conformance::desk::{Case, Desk, id_of, members, show};
use crate::conformance::interleave::interleaved;
use crate::conformance::{Fixture, Stop, Tenant, Verdict};
use crate::{Precondition, Resource, Store};

const DELTA: &str = "RFC 7644 §3.5.2 (PATCH of `members`)";

/// A group is created with its members.
pub async fn a_group_is_created_with_its_members<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.3 (creating), RFC 7643 §4.2 (`members`)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1]]).await?;
    has(&groups, &group, &[&people[0], &people[1]]).await
}

/// A member that is added is there, next to those that were.
pub async fn a_member_is_added<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELTA);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0]]).await?;
    groups.patch(id_of(&group), json!([add(&people[1])])).await?;
    has(&groups, &group, &[&people[0], &people[1]]).await
}

/// Whoever is a member already is added without effect.
pub async fn adding_a_member_twice_has_no_effect<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2.1 (a value that is there already is not added)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 1>(&users).await?;
    let group = groups.create_group("engines", &[&people[0]]).await?;
    let before = groups.read(id_of(&group)).await?;
    let patched = groups.patch(id_of(&group), json!([add(&people[0])])).await?;
    case.log.expect(!patched.changed, "not `changed`", "`changed`")?;
    groups.untouched(&before, "the member was there already").await
}

/// A member that is removed is gone, and the others are not.
pub async fn a_member_is_removed<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2.2 (remove)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 3>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1], &people[2]]).await?;
    groups.patch(id_of(&group), json!([remove(&people[1])])).await?;
    has(&groups, &group, &[&people[0], &people[2]]).await
}

/// Entra ID names those to remove in `value`. Only they go: to take the path alone literally would empty the group.
pub async fn only_those_listed_are_removed<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the dialect of Entra ID (remove `members` with a value)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 3>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1], &people[2]]).await?;
    let listed = json!([{"$ref": null, "value": id_of(&people[0])}, {"value": id_of(&people[2])}]);
    groups.patch(id_of(&group), json!([{"op": "Remove", "path": "members", "value": listed}])).await?;
    has(&groups, &group, &[&people[1]]).await
}

/// Whoever is no member is removed without effect and without an error.
pub async fn removing_no_member_has_no_effect<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `RelationChange` (carrying it out twice is the same as once)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0]]).await?;
    let before = groups.read(id_of(&group)).await?;
    let patched = groups.patch(id_of(&group), json!([remove(&people[1])])).await?;
    case.log.expect(!patched.changed, "not `changed`", "`changed`")?;
    groups.untouched(&before, "nobody was removed").await
}

/// Members are replaced as a whole.
pub async fn members_are_replaced<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2.3 (replace)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 3>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1]]).await?;
    let new = json!([{"value": id_of(&people[1])}, {"value": id_of(&people[2])}]);
    groups.patch(id_of(&group), json!([{"op": "replace", "path": "members", "value": new}])).await?;
    has(&groups, &group, &[&people[1], &people[2]]).await
}

/// All members are removed at once; once more is no error.
pub async fn all_members_are_removed<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2.2 (remove without a value)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1]]).await?;
    for _ in 0..2 {
        groups.patch(id_of(&group), json!([{"op": "remove", "path": "members"}])).await?;
        has(&groups, &group, &[]).await?;
    }
    Ok(())
}

/// In one request, what comes later counts: removed and added again is there.
pub async fn the_last_operation_counts<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2 (operations are carried out in their order)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 3>(&users).await?;
    let group = groups.create_group("engines", &[&people[0]]).await?;
    let operations = json!([
        remove(&people[0]), add(&people[0]),
        add(&people[1]), remove(&people[1]),
        {"op": "remove", "path": "members"}, add(&people[2]), add(&people[0]),
    ]);
    groups.patch(id_of(&group), operations).await?;
    has(&groups, &group, &[&people[0], &people[2]]).await
}

/// A group's members are part of it: a new member is a new version.
pub async fn a_new_member_is_a_new_version<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (each effective change gives a new version)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 1>(&users).await?;
    let group = groups.create_group("engines", &[]).await?;
    let patched = groups.patch(id_of(&group), json!([add(&people[0])])).await?;
    let now = groups.read(id_of(&group)).await?;
    case.log.expect(now.version() != group.version() && patched.changed, "another version", show(&now))
}

/// A request may change the group and its members.
pub async fn name_and_members_change_together<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7644 §3.5.2 (a PATCH is atomic)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0]]).await?;
    let rename = json!({"op": "replace", "value": {"id": id_of(&group), "displayName": "Machines"}});
    groups.patch(id_of(&group), json!([rename, add(&people[1])])).await?;
    has(&groups, &group, &[&people[0], &people[1]]).await?;
    let now = groups.read(id_of(&group)).await?;
    case.log.expect(now.text("displayName").as_deref() == Some("Machines"), "the new name", show(&now))
}

/// A new name leaves the members alone.
pub async fn a_new_name_leaves_the_members<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELTA);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1]]).await?;
    groups.patch(id_of(&group), json!([{"op": "replace", "path": "displayName", "value": "Machines"}])).await?;
    has(&groups, &group, &[&people[0], &people[1]]).await
}

/// A path that asks about the members, `members[type eq "User"]`, is understood, too.
pub async fn members_are_removed_by_a_filter<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the contract of `Changes::needs_references`");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 3>(&users).await?;
    let group = groups.create_group("engines", &[&people[0], &people[1], &people[2]]).await?;
    let path = format!("members[value ne \"{}\"]", id_of(&people[1]));
    groups.patch(id_of(&group), json!([{"op": "remove", "path": path}])).await?;
    has(&groups, &group, &[&people[1]]).await
}

/// More than a hundred members in one request.
pub async fn many_members_at_a_time<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, DELTA);
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 120>(&users).await?;
    let group = groups.create_group("engines", &[]).await?;
    let all: Vec<Value> = people.iter().map(|user| json!({"value": id_of(user)})).collect();
    groups.patch(id_of(&group), json!([{"op": "add", "path": "members", "value": all}])).await?;
    has(&groups, &group, &people.iter().collect::<Vec<_>>()).await
}

/// Additions at once, as Entra ID sends them, are all kept.
pub async fn additions_at_once_are_all_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap: no change is lost)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 12>(&users).await?;
    let group = groups.create_group("engines", &[]).await?;
    at_once(&groups, &group, people.iter().map(|user| json!([add(user)]))).await?;
    has(&groups, &group, &people.iter().collect::<Vec<_>>()).await
}

/// Additions and removals at once do not undo each other.
pub async fn additions_and_removals_at_once_are_all_kept<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap: no change is lost)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 8>(&users).await?;
    let (old, new) = people.split_at(4);
    let group = groups.create_group("engines", &old.iter().collect::<Vec<_>>()).await?;
    let changes = old.iter().zip(new).flat_map(|(old, new)| [json!([remove(old)]), json!([add(new)])]);
    at_once(&groups, &group, changes).await?;
    has(&groups, &group, &new.iter().collect::<Vec<_>>()).await
}

/// A new name at the same time as new members undoes none of them, and is not undone.
pub async fn a_new_name_at_once_undoes_no_addition<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "the store's contract (compare-and-swap: no change is lost)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 6>(&users).await?;
    let group = groups.create_group("engines", &[]).await?;
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Machines"}]);
    let (first, last) = people.split_at(3);
    let add = |user| json!([add(user)]);
    let changes = first.iter().map(add).chain([rename]).chain(last.iter().map(add));
    at_once(&groups, &group, changes).await?;
    has(&groups, &group, &people.iter().collect::<Vec<_>>()).await?;
    let now = groups.read(id_of(&group)).await?;
    case.log.expect(now.text("displayName").as_deref() == Some("Machines"), "the new name", show(&now))
}

/// A user shows its groups, where the host shows them at all: those and no others.
pub async fn the_groups_of_a_user_follow<F: Fixture>(fixture: &F) -> Verdict {
    let case = Case::new(fixture, "RFC 7643 §4.1.2 (`groups`)");
    let (users, groups) = (case.users(Tenant::A)?, case.groups(Tenant::A)?);
    let people = people::<_, 2>(&users).await?;
    let group = groups.create_group("engines", &[&people[0]]).await?;
    let of = |user: &Resource| user.references("groups").map(|g| g.value().into_owned()).collect::<Vec<_>>();
    let member = users.read(id_of(&people[0])).await?;
    if of(&member).is_empty() {
        return Err(Stop::NotApplicable("users do not show their groups"));
    }
    case.log.expect(of(&member) == [id_of(&group)], "the group", show(&member))?;
    groups.patch(id_of(&group), json!([remove(&people[0]), add(&people[1])])).await?;
    let (left, joined) = (users.read(id_of(&people[0])).await?, users.read(id_of(&people[1])).await?);
    let right = of(&left).is_empty() && of(&joined) == [id_of(&group)];
    case.log.expect(right, "the group with the new member only", format!("{}, {}", show(&left), show(&joined)))
}

async fn at_once<S: Store>(
    groups: &Desk<'_, S>,
    group: &Resource,
    operations: impl Iterator<Item = Value> + Send,
) -> Verdict {
    let races = operations.map(|operations| groups.try_patch(id_of(group), operations, Precondition::NONE)).collect();
    for outcome in interleaved(races).await.into_iter().collect::<Result<Vec<_>, Stop>>()? {
        groups.done(outcome, "each of the PATCHes to succeed")?;
    }
    Ok(())
}

/// Checks a group's members.
async fn has<S: Store>(groups: &Desk<'_, S>, group: &Resource, people: &[&Resource]) -> Verdict {
    let now = groups.read(id_of(group)).await?;
    let mut wanted: Vec<&str> = people.iter().map(|user| id_of(user)).collect();
    wanted.sort_unstable();
    groups.log.expect(members(&now) == wanted, format!("{} members: {wanted:?}", wanted.len()), show(&now))
}

async fn people<S: Store, const COUNT: usize>(users: &Desk<'_, S>) -> Result<[Resource; COUNT], Stop> {
    let mut people = Vec::with_capacity(COUNT);
    for number in 0..COUNT {
        people.push(users.create_named(&format!("user-{number}")).await?);
    }
    let count = |people: Vec<_>| users.log.failure(format!("{COUNT} users"), people.len().to_string());
    people.try_into().map_err(count)
}

fn add(user: &Resource) -> Value {
    json!({"op": "add", "path": "members", "value": [{"value": id_of(user)}]})
}

fn remove(user: &Resource) -> Value {
    json!({"op": "remove", "path": format!("members[value eq \"{}\"]", id_of(user))})
}
