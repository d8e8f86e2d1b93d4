//! The schema of groups (RFC 7643 §4.2).

use super::GROUP_SCHEMA;
use crate::schema::{Attribute, Schema};

/// The core schema of groups (RFC 7643 §4.2).
///
/// The canonical types of members are suggestions: groups of devices use values of their own (RFC 9944).
pub fn group() -> Schema {
    Schema::new(
        GROUP_SCHEMA,
        "Group",
        [Attribute::string("displayName").required().describe("Name to show for the group"), members()],
    )
    .describe("Group of users and of other groups")
}

fn members() -> Attribute {
    Attribute::complex(
        "members",
        [
            Attribute::string("value").case_exact().immutable().describe("Identifier of the member"),
            Attribute::reference("$ref", ["User", "Group"]).immutable().describe("Where the member is found"),
            Attribute::string("type").canonical(["User", "Group"]).immutable().describe("Resource type of the member"),
            // Clients send it inside the values of a PATCH (RFC 7644 §3.5.2.1): readOnly makes that ignored, not refused.
            Attribute::string("display").read_only().describe("Name of the member"),
        ],
    )
    .multi_valued()
    .describe("Members of the group")
}
