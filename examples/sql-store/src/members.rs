//! Memberships: the rows between groups and their members.

use std::borrow::Cow;
use std::collections::HashSet;

use http::StatusCode;
use scim_provider::{Budget, Error, Query, Reference, RelationChange, Resource, ResourceWriter, StoreError};

use crate::cost;
use crate::dialect::{Dialect, Listed};
use crate::keys::checked;
use crate::record::{Row, json_list, rows};
use crate::select::Table;
use crate::session::Session;

/// How many members are read at a time where they come in chunks: enough that statements are few, little enough to be held.
const MEMBERS_AT_A_TIME: usize = 4_096;

/// Writes the members of a group into an answer. They are never held beside it.
pub(crate) async fn show(
    snapshot: &mut Session,
    tenant: &str,
    group: &str,
    writer: &mut ResourceWriter<'_>,
) -> Result<(), StoreError> {
    match snapshot.dialect() {
        Dialect::Sqlite => show_chunks(snapshot, tenant, group, writer).await,
        Dialect::Postgres => show_rows(snapshot, tenant, group, writer).await,
    }
}

/// From rows of so many members, as JSON: in SQLite it is rows that cost.
async fn show_chunks(
    snapshot: &mut Session,
    tenant: &str,
    group: &str,
    writer: &mut ResourceWriter<'_>,
) -> Result<(), StoreError> {
    let sql = "SELECT json_group_array(json_array(m.member_id, m.member_kind))
               FROM (SELECT member_id, member_kind FROM group_members
                     WHERE tenant = $1 AND group_id = $2 AND member_id > $3 ORDER BY member_id LIMIT $4) AS m";
    let most = i64::try_from(MEMBERS_AT_A_TIME).unwrap_or(i64::MAX);
    let mut last = String::new();
    loop {
        let chunk = snapshot.row(sql, &[tenant.into(), group.into(), (&last).into(), most.into()]).await?;
        let chunk = chunk.map_or(Ok(None), |chunk| chunk.optional_text(0))?.unwrap_or_default();
        let members = rows(&chunk)?;
        for Row(id, kind, _) in &members {
            writer.reference(id, kind.as_deref(), None);
        }
        writer.flush().await;
        if members.len() < MEMBERS_AT_A_TIME || writer.is_full() {
            return Ok(());
        }
        last = members.iter().map(|Row(id, _, _)| id).max().map(ToString::to_string).unwrap_or_default();
    }
}

/// From a row for each: in PostgreSQL it is making JSON that costs. A statement for all of them would end at its time-out when
/// the client reads slowly.
async fn show_rows(
    snapshot: &mut Session,
    tenant: &str,
    group: &str,
    writer: &mut ResourceWriter<'_>,
) -> Result<(), StoreError> {
    let sql = "SELECT member_id, member_kind FROM group_members
               WHERE tenant = $1 AND group_id = $2 AND member_id > $3 ORDER BY member_id LIMIT $4";
    let most = i64::try_from(MEMBERS_AT_A_TIME).unwrap_or(i64::MAX);
    let mut last = String::new();
    loop {
        let members = snapshot.rows(sql, &[tenant.into(), group.into(), (&last).into(), most.into()]).await?;
        for member in &members {
            writer.reference(member.str(0)?.unwrap_or_default(), member.str(1)?, None);
        }
        writer.flush().await;
        if members.len() < MEMBERS_AT_A_TIME || writer.is_full() {
            return Ok(());
        }
        last = members.last().map_or(Ok(None), |member| member.str(0))?.unwrap_or_default().to_owned();
    }
}

/// Carries a change of the members out and returns how many rows it took. Its cost follows the change, not the group.
pub(crate) async fn relate(
    transaction: &mut Session,
    tenant: &str,
    group: &str,
    change: &RelationChange,
) -> Result<u64, StoreError> {
    if change.path() != "members" {
        return Err(StoreError::Unsupported);
    }
    let added = array(change.added().cloned())?;
    let mut rows = 0;
    if change.replaces_all() {
        rows += keep_only(transaction, tenant, group, &added).await?;
    } else {
        let removed: Vec<_> = change.removed().collect();
        rows += remove(transaction, tenant, group, &removed).await?;
    }
    Ok(rows + add(transaction, tenant, group, &added).await?)
}

/// Removes these members.
pub(crate) async fn remove(
    transaction: &mut Session,
    tenant: &str,
    group: &str,
    members: &[Cow<'_, str>],
) -> Result<u64, StoreError> {
    match members {
        [] => Ok(0),
        // Equality is looked up in the index whatever the planner believes about the size of the group; for a list it may
        // read the group until its statistics are up to date. Identity providers remove one by one.
        [one] => {
            let sql = "DELETE FROM group_members WHERE tenant = $1 AND group_id = $2 AND member_id = $3";
            transaction.execute(sql, &[tenant.into(), group.into(), (&**one).into()]).await
        }
        several => {
            let ids = json_list(several)?;
            transaction.execute_listed(Listed::RemoveMembers, &[tenant.into(), group.into(), (&ids).into()]).await
        }
    }
}

/// Which members are in the one and not in the other, and the other way round.
pub(crate) fn difference<'r>(old: &'r Resource, new: &'r Resource) -> (Vec<Cow<'r, str>>, Vec<Reference>) {
    let ids = |group: &Resource| group.references("members").map(|member| member.value().into_owned()).collect();
    let (before, after): (HashSet<String>, HashSet<String>) = (ids(old), ids(new));
    let gone = before.difference(&after).cloned().map(Cow::Owned).collect();
    (gone, new.references("members").filter(|member| !before.contains(&*member.value())).collect())
}

/// What one member costs a change that has to see it: to be read, made a part of the document, and compared.
const SEEN: u64 = 4_000;

/// Takes what a look at all members costs, before they are read. They are counted no further than it can be paid for.
pub(crate) async fn afford(
    session: &mut Session,
    tenant: &str,
    group: &str,
    budget: &Budget,
) -> Result<(), StoreError> {
    let most = budget.left() / SEEN;
    let counted = counted(session, tenant, Table::Groups, group, most).await?;
    budget.charge(counted.saturating_mul(cost::COUNTED));
    if counted <= most && budget.spend(counted.saturating_mul(SEEN)).is_ok() {
        return Ok(());
    }
    let detail = format!(
        "`members` has more than the {most} values that a path with a filter may look at: name them by `value`"
    );
    Err(StoreError::Refused(Box::new(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail))))
}

/// What a reference costs that is shown.
const SHOWN: u64 = 1_000;

/// Whether the query pays for reading all references of a row; where it does not, it pays what it has. Some are too many for
/// any list.
pub(crate) async fn pays_for(
    session: &mut Session,
    tenant: &str,
    of: Table,
    id: &str,
    query: &Query,
) -> Result<bool, StoreError> {
    let (affordable, shown) = (query.budget.left() / SHOWN, u64::try_from(query.references).unwrap_or(u64::MAX));
    let counted = counted(session, tenant, of, id, shown).await?;
    query.budget.charge(counted.saturating_mul(SHOWN));
    if counted > shown {
        return Err(StoreError::too_many_references(of.path(), query.references));
    }
    Ok(counted <= affordable)
}

/// How many references a row has, up to one more than so many.
async fn counted(session: &mut Session, tenant: &str, of: Table, id: &str, most: u64) -> Result<u64, StoreError> {
    let sql = match of {
        Table::Users => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM group_members WHERE tenant = $1 AND member_id = $2 LIMIT $3) AS counted"
        }
        Table::Groups => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM group_members WHERE tenant = $1 AND group_id = $2 LIMIT $3) AS counted"
        }
    };
    let bound = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
    let counted = session.row(sql, &[tenant.into(), id.into(), bound.into()]).await?;
    Ok(counted.map_or(Ok(0), |row| row.integer(0))?.unsigned_abs())
}

/// Removes all members of a group that ends.
pub(crate) async fn remove_all(transaction: &mut Session, tenant: &str, group: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM group_members WHERE tenant = $1 AND group_id = $2";
    transaction.execute(sql, &[tenant.into(), group.into()]).await.map(|_| ())
}

/// Adds those members that are not there.
pub(crate) async fn add(
    transaction: &mut Session,
    tenant: &str,
    group: &str,
    members: &str,
) -> Result<u64, StoreError> {
    match members {
        "[]" => Ok(0),
        members => transaction.execute_listed(Listed::AddMembers, &[tenant.into(), group.into(), members.into()]).await,
    }
}

/// Removes all other members.
pub(crate) async fn keep_only(
    transaction: &mut Session,
    tenant: &str,
    group: &str,
    members: &str,
) -> Result<u64, StoreError> {
    transaction.execute_listed(Listed::KeepMembers, &[tenant.into(), group.into(), members.into()]).await
}

/// The references as one JSON array. One without an id refers to nothing.
pub(crate) fn array(references: impl IntoIterator<Item = Reference>) -> Result<String, StoreError> {
    let mut array = String::from("[");
    for reference in references {
        let id = reference.value();
        if id.is_empty() {
            continue;
        }
        checked("members.value", Some(id))?;
        if array.len() > 1 {
            array.push(',');
        }
        array.push_str(std::str::from_utf8(reference.as_json()).map_err(StoreError::backend)?);
    }
    array.push(']');
    Ok(array)
}

/// Gives the groups of a resource that goes new versions: they lose a member, and are not what they were. Nobody else changes
/// them from now on. One that had to be waited for comes later than it says.
pub(crate) async fn mark_groups(
    transaction: &mut Session,
    tenant: &str,
    member: &str,
    at: i64,
) -> Result<Vec<String>, StoreError> {
    let mark = transaction.dialect().mark_groups();
    let groups = transaction.rows(mark, &[tenant.into(), member.into(), at.into()]).await?;
    groups.iter().map(|row| row.text(0)).collect()
}

/// Ends the memberships of a resource in these groups.
pub(crate) async fn leave(
    transaction: &mut Session,
    tenant: &str,
    member: &str,
    groups: &[String],
) -> Result<(), StoreError> {
    if groups.is_empty() {
        return Ok(());
    }
    let groups = json_list(groups)?;
    transaction.execute_listed(Listed::LeaveGroups, &[tenant.into(), member.into(), (&groups).into()]).await?;
    Ok(())
}
