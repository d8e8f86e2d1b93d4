//! Where databases differ. All other statements are the same text for each of them.
//!
//! Lists travel as one JSON text in one parameter, so that a statement is the same for one value and for a thousand.

/// What a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
}

/// The statements that unfold a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed {
    /// tenant, group ids → group id, its members as a JSON array of `[id, kind, display]`
    MembersOfGroups,
    /// tenant, user ids → user id, its groups as a JSON array of `[id, kind, display]`
    GroupsOfUsers,
    /// tenant, group id, references: adds those that are not there
    AddMembers,
    /// tenant, group id, member ids
    RemoveMembers,
    /// tenant, group id, references: removes all others
    KeepMembers,
    /// tenant, user id, keys
    AddEmails,
}

impl Dialect {
    /// How a transaction that writes begins. In SQLite it takes its turn right away: one that starts by reading would find
    /// its snapshot outdated when it comes to write, and fail.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// The text of a statement that unfolds a list.
    pub(crate) fn listed(self, statement: Listed) -> &'static str {
        match self {
            Self::Sqlite => sqlite(statement),
        }
    }
}

fn sqlite(statement: Listed) -> &'static str {
    match statement {
        Listed::MembersOfGroups => {
            // a row for each group, not for each member: the driver's work for a row is many times that for a member
            "SELECT m.group_id, json_group_array(json_array(
                        m.member_id,
                        CASE WHEN u.id IS NOT NULL THEN 'User' WHEN g.id IS NOT NULL THEN 'Group' ELSE m.member_kind END,
                        COALESCE(u.display_name, u.user_name, g.display_name, m.display)))
             FROM group_members m
             LEFT JOIN users u ON u.tenant = m.tenant AND u.id = m.member_id
             LEFT JOIN groups g ON u.id IS NULL AND g.tenant = m.tenant AND g.id = m.member_id
             WHERE m.tenant = $1 AND m.group_id IN (SELECT value FROM json_each($2))
             GROUP BY m.group_id"
        }
        Listed::GroupsOfUsers => {
            "SELECT m.member_id, json_group_array(json_array(g.id, 'direct', g.display_name))
             FROM group_members m
             JOIN groups g ON g.tenant = m.tenant AND g.id = m.group_id
             WHERE m.tenant = $1 AND m.member_id IN (SELECT value FROM json_each($2))
             GROUP BY m.member_id"
        }
        // `WHERE true`: without it SQLite takes ON for the beginning of a join
        Listed::AddMembers => {
            "INSERT INTO group_members (tenant, group_id, member_id, member_kind, display)
             SELECT $1, $2, value ->> 'value', value ->> 'type', value ->> 'display' FROM json_each($3) WHERE true
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
        Listed::AddEmails => {
            "INSERT INTO user_emails (tenant, user_id, email_key)
             SELECT $1, $2, value FROM json_each($3) WHERE true ON CONFLICT DO NOTHING"
        }
    }
}
