//! Memberships: the rows between groups and their members, read in both directions.

use std::borrow::Cow;
use std::collections::HashMap;

use scim_provider::{Projection, Reference, Resource, ResourceType, StoreError};

use crate::database::Session;
use crate::dialect::Listed;
use crate::record::{Record, json_list};

/// One end of the relation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// `groups` of users
    Users,
    /// `members` of groups
    Groups,
}

impl Side {
    fn path(self) -> &'static str {
        match self {
            Self::Users => "groups",
            Self::Groups => "members",
        }
    }

    /// Makes resources of rows. What refers to others is joined only when it is wanted, and with one statement for all rows.
    pub(crate) async fn resources(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        records: &[Record],
        want: &Projection,
    ) -> Result<Vec<Resource>, StoreError> {
        let mut references = match want.includes(self.path()) && !records.is_empty() {
            true => self.references(session, tenant, records).await?,
            false => HashMap::new(),
        };
        let resource = |record: &Record| {
            let resource = record.resource(ty)?;
            Ok(match references.remove(&record.id) {
                Some(references) => resource.with_references(self.path(), &references),
                None => resource,
            })
        };
        records.iter().map(resource).collect()
    }

    /// As [`resources`](Self::resources), for one row.
    pub(crate) async fn resource(
        self,
        session: &mut Session,
        tenant: &str,
        ty: &ResourceType,
        record: &Record,
        want: &Projection,
    ) -> Result<Resource, StoreError> {
        let resources = self.resources(session, tenant, ty, std::slice::from_ref(record), want).await?;
        resources.into_iter().next().ok_or(StoreError::NotFound)
    }

    async fn references(
        self,
        session: &mut Session,
        tenant: &str,
        records: &[Record],
    ) -> Result<HashMap<String, Vec<Reference>>, StoreError> {
        let ids = json_list(records.iter().map(|record| &record.id))?;
        let statement = match self {
            Self::Users => Listed::GroupsOfUsers,
            Self::Groups => Listed::MembersOfGroups,
        };
        let rows = session.listed_rows(statement, &[tenant.into(), (&ids).into()]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, read(&row.text(1)?)?))).collect()
    }
}

/// References as the statements give them.
fn read(json: &str) -> Result<Vec<Reference>, StoreError> {
    type Row<'r> = (Cow<'r, str>, Option<Cow<'r, str>>, Option<Cow<'r, str>>);
    let rows: Vec<Row<'_>> = serde_json::from_str(json).map_err(StoreError::backend)?;
    Ok(rows.iter().map(|(id, kind, display)| Reference::to(id, kind.as_deref(), display.as_deref())).collect())
}

/// Ends the memberships of a resource that goes. The groups that lose a member are not what they were: their versions say so.
pub(crate) async fn leave_all(
    transaction: &mut Session,
    tenant: &str,
    member: &str,
    at: i64,
) -> Result<(), StoreError> {
    let groups = "UPDATE groups SET version = version + 1, modified = $3 WHERE tenant = $1
                  AND id IN (SELECT group_id FROM group_members WHERE tenant = $1 AND member_id = $2)";
    if transaction.execute(groups, &[tenant.into(), member.into(), at.into()]).await? > 0 {
        let rows = "DELETE FROM group_members WHERE tenant = $1 AND member_id = $2";
        transaction.execute(rows, &[tenant.into(), member.into()]).await?;
    }
    Ok(())
}
