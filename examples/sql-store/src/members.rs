//! Memberships: the rows between groups and their members.

use scim_provider::{Reference, RelationChange, ResourceWriter, StoreError};

use crate::dialect::{Dialect, Listed};
use crate::keys::checked;
use crate::record::{Row, json_list, rows};
use crate::session::{self, Session};

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

/// From a row for each, as it arrives: in PostgreSQL it is making JSON that costs.
async fn show_rows(
    snapshot: &mut Session,
    tenant: &str,
    group: &str,
    writer: &mut ResourceWriter<'_>,
) -> Result<(), StoreError> {
    let sql = "SELECT member_id, member_kind FROM group_members WHERE tenant = $1 AND group_id = $2";
    let write = |member: &session::Row, writer: &mut ResourceWriter<'_>| {
        writer.reference(member.str(0)?.unwrap_or_default(), member.str(1)?, None);
        Ok(())
    };
    snapshot.each_into(sql, &[tenant.into(), group.into()], writer, write).await
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
        match removed.as_slice() {
            [] => {}
            // Equality is looked up in the index whatever the planner believes about the size of the group; for a list it may
            // read the group until its statistics are up to date. Identity providers remove one by one.
            [one] => {
                let sql = "DELETE FROM group_members WHERE tenant = $1 AND group_id = $2 AND member_id = $3";
                rows += transaction.execute(sql, &[tenant.into(), group.into(), (&**one).into()]).await?;
            }
            several => {
                let ids = json_list(several)?;
                let binds = [tenant.into(), group.into(), (&ids).into()];
                rows += transaction.execute_listed(Listed::RemoveMembers, &binds).await?;
            }
        }
    }
    Ok(rows + add(transaction, tenant, group, &added).await?)
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

/// Ends the memberships of a resource that goes. The groups that lose a member are not what they were: their versions say so.
pub(crate) async fn leave_all(
    transaction: &mut Session,
    tenant: &str,
    member: &str,
    at: i64,
) -> Result<(), StoreError> {
    // The groups first, as a PATCH of their members does it: two that lock in the same order do not lock each other out. One
    // that had to wait for a row comes later than it says.
    let groups = "UPDATE groups SET version = version + 1, modified = CASE WHEN modified < $3 THEN $3 ELSE modified END
                  WHERE tenant = $1
                  AND id IN (SELECT group_id FROM group_members WHERE tenant = $1 AND member_id = $2) RETURNING id";
    let left = transaction.rows(groups, &[tenant.into(), member.into(), at.into()]).await?;
    if left.is_empty() {
        return Ok(());
    }
    let left = left.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
    let left = json_list(left)?;
    transaction.execute_listed(Listed::LeaveGroups, &[tenant.into(), member.into(), (&left).into()]).await?;
    Ok(())
}
