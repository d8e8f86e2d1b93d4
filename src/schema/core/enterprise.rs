//! The extension of users for enterprises (RFC 7643 §4.3).

use super::ENTERPRISE_USER_SCHEMA;
use crate::schema::{Attribute, Schema};

/// The enterprise extension of users (RFC 7643 §4.3).
pub fn enterprise_user() -> Schema {
    Schema::new(
        ENTERPRISE_USER_SCHEMA,
        "EnterpriseUser",
        [
            Attribute::string("employeeNumber").describe("Number or code that the organization gave to the person"),
            Attribute::string("costCenter").describe("Cost center"),
            Attribute::string("organization").describe("Organization"),
            Attribute::string("division").describe("Division"),
            Attribute::string("department").describe("Department"),
            Attribute::complex(
                "manager",
                [
                    Attribute::string("value").case_exact().describe("Identifier of the manager"),
                    Attribute::reference("$ref", ["User"]).describe("Where the manager is found"),
                    Attribute::string("displayName").read_only().describe("Name of the manager"),
                ],
            )
            .describe("Manager of the user"),
        ],
    )
    .describe("What enterprises add to users")
}
