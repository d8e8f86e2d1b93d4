//! Where databases differ. All other statements are the same text for each of them.
//!
//! Lists travel as one JSON text in one parameter, so that a statement is the same for one value and for a thousand.

use scim_provider::filter::sql;

/// What a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    /// PostgreSQL, with nothing that CockroachDB and YugabyteDB lack
    Postgres,
}

/// The statements that unfold a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed {
    /// tenant, group id, references: adds those that are not there. What kind of resource a member is says its id; ids are
    /// given by us, so that nobody is a member before he is a resource. Who is a member stays one of its kind until the
    /// transaction ends: a deletion waits, and then finds the membership too.
    AddMembers,
    /// tenant, group id, member ids
    RemoveMembers,
    /// tenant, group id, references: removes all others
    KeepMembers,
    /// tenant, member id, group ids: ends its memberships in them
    LeaveGroups,
    /// tenant, user id, e-mails
    AddEmails,
}

impl Dialect {
    /// The dialect of translated filters.
    pub(crate) fn of_filters(self) -> sql::Dialect {
        match self {
            Self::Sqlite => sql::Dialect::Sqlite,
            Self::Postgres => sql::Dialect::Postgres,
        }
    }

    /// What makes a SELECT wait for whoever is changing the row, and others wait for us. In SQLite nobody else writes.
    pub(crate) fn for_change(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR NO KEY UPDATE",
        }
    }

    /// The same, and it waits for those who [add](Listed::AddMembers) the row to a group, and they wait for us.
    pub(crate) fn for_deletion(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// What a deletion begins with: a new version for each group that loses a member, tenant, member and time being given.
    ///
    /// PostgreSQL locks them in the order of their ids, together with the member itself where it is a group, and what is deleted
    /// after that: a PATCH locks a group before its members, too. Two that lock in one order do not lock each other out.
    pub(crate) fn mark_groups(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "UPDATE groups SET version = version + 1, modified = CASE WHEN modified < $3 THEN $3 ELSE modified END
                 WHERE tenant = $1 AND id <> $2
                 AND id IN (SELECT group_id FROM group_members WHERE tenant = $1 AND member_id = $2) RETURNING id"
            }
            Self::Postgres => {
                "WITH left_behind AS (
                     SELECT id FROM groups
                     WHERE tenant = $1
                     AND id IN (SELECT group_id FROM group_members WHERE tenant = $1 AND member_id = $2 UNION ALL SELECT $2)
                     ORDER BY id FOR NO KEY UPDATE)
                 UPDATE groups SET version = version + 1, modified = CASE WHEN modified < $3 THEN $3 ELSE modified END
                 FROM left_behind
                 WHERE groups.tenant = $1 AND groups.id = left_behind.id AND groups.id <> $2 RETURNING groups.id"
            }
        }
    }

    /// The text of a statement that unfolds a list.
    pub(crate) fn listed(self, statement: Listed) -> &'static str {
        match self {
            Self::Sqlite => sqlite(statement),
            Self::Postgres => postgres(statement),
        }
    }

    /// The members of the row `groups` as a JSON array of `[id, kind]`: they come in the same statement, with the version that
    /// they belong to. What stands in for `m`, the rows of `group_members`, comes between the two.
    pub(crate) fn members_of_group(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("(SELECT json_group_array(json_array(m.member_id, m.member_kind)) FROM ", " m)"),
            Self::Postgres => ("(SELECT json_agg(json_build_array(m.member_id, m.member_kind))::text FROM ", " m)"),
        }
    }

    /// The groups of the row `users` as a JSON array of `[id, kind, name]`, in one order whatever plan finds them.
    pub(crate) fn groups_of_user(self) -> (&'static str, &'static str) {
        let head = match self {
            Self::Sqlite => "(SELECT json_group_array(json_array(g.id, 'direct', g.display_name) ORDER BY g.id) FROM ",
            Self::Postgres => {
                "(SELECT json_agg(json_build_array(g.id, 'direct', g.display_name) ORDER BY g.id)::text FROM "
            }
        };
        (head, " m JOIN groups g ON g.tenant = m.tenant AND g.id = m.group_id)")
    }
}

fn sqlite(statement: Listed) -> &'static str {
    match statement {
        // `WHERE true`: without it SQLite takes ON for the beginning of a join
        Listed::AddMembers => {
            "INSERT INTO group_members (tenant, group_id, member_id, member_kind)
             SELECT $1, $2, r.value ->> 'value',
                    CASE WHEN u.id IS NOT NULL THEN 'User' WHEN g.id IS NOT NULL THEN 'Group' ELSE r.value ->> 'type' END
             FROM json_each($3) AS r
             LEFT JOIN users u ON u.tenant = $1 AND u.id = r.value ->> 'value'
             LEFT JOIN groups g ON g.tenant = $1 AND g.id = r.value ->> 'value'
             WHERE true
             ON CONFLICT DO NOTHING"
        }
        Listed::RemoveMembers => {
            "DELETE FROM group_members
             WHERE tenant = $1 AND group_id = $2 AND member_id IN (SELECT value FROM json_each($3))"
        }
        Listed::KeepMembers => {
            "DELETE FROM group_members
             WHERE tenant = $1 AND group_id = $2 AND member_id NOT IN (SELECT value ->> 'value' FROM json_each($3))"
        }
        Listed::LeaveGroups => {
            "DELETE FROM group_members
             WHERE tenant = $1 AND member_id = $2 AND group_id IN (SELECT value FROM json_each($3))"
        }
        Listed::AddEmails => {
            "INSERT INTO user_emails (tenant, user_id, position, value_key, type_key, is_primary)
             SELECT $1, $2, key, value ->> 0, value ->> 1, value ->> 2 FROM json_each($3)"
        }
    }
}

/// Old or missing statistics must not make the planner read a whole group: what a member is comes row by row from scalar
/// subqueries, where a join might be hashed, and a list is an array that an index can be asked for.
fn postgres(statement: Listed) -> &'static str {
    match statement {
        Listed::AddMembers => {
            "INSERT INTO group_members (tenant, group_id, member_id, member_kind)
             SELECT $1, $2, r ->> 'value',
                    COALESCE((SELECT 'User' FROM users WHERE tenant = $1 AND id = r ->> 'value' FOR KEY SHARE),
                             (SELECT 'Group' FROM groups WHERE tenant = $1 AND id = r ->> 'value' FOR KEY SHARE),
                             r ->> 'type')
             FROM jsonb_array_elements($3::jsonb) AS list (r)
             ON CONFLICT DO NOTHING"
        }
        Listed::RemoveMembers => {
            "DELETE FROM group_members
             WHERE tenant = $1 AND group_id = $2
               AND member_id = ANY (ARRAY(SELECT jsonb_array_elements_text($3::jsonb)))"
        }
        // NOT EXISTS, which is an anti join: NOT IN compares every member with every reference
        Listed::KeepMembers => {
            "DELETE FROM group_members
             WHERE tenant = $1 AND group_id = $2
               AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements($3::jsonb) AS list (r)
                               WHERE r ->> 'value' = group_members.member_id)"
        }
        Listed::LeaveGroups => {
            "DELETE FROM group_members
             WHERE tenant = $1 AND member_id = $2
               AND group_id = ANY (ARRAY(SELECT jsonb_array_elements_text($3::jsonb)))"
        }
        Listed::AddEmails => {
            "INSERT INTO user_emails (tenant, user_id, position, value_key, type_key, is_primary)
             SELECT $1, $2, position, e ->> 0, e ->> 1, (e ->> 2)::boolean
             FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS list (e, position)"
        }
    }
}
