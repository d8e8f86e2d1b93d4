//! The enterprise extension of users as a Rust type (RFC 7643 §4.3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extension;
use crate::schema::{ENTERPRISE_USER_SCHEMA, Schema, core};

/// What enterprises add to users (RFC 7643 §4.3).
///
/// Read it with [`User::extension`](crate::User::extension), set it with
/// [`User::set_extension`](crate::User::set_extension).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EnterpriseUser {
    /// The number or code that the organization gave to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// The cost center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// The organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The division.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    /// The department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The user's manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<Manager>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl EnterpriseUser {
    /// An extension without any value.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Extension for EnterpriseUser {
    const SCHEMA: &'static str = ENTERPRISE_USER_SCHEMA;

    fn schema() -> Schema {
        core::enterprise_user()
    }
}

/// A user's manager, who is a user as well (RFC 7643 §4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Manager {
    /// The manager's `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The manager's URL.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The manager's name. The service provider sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Manager {
    /// The user with this `id`.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::User;

    #[test]
    fn the_urn_is_that_of_the_schema() {
        assert_eq!(EnterpriseUser::schema().id, EnterpriseUser::SCHEMA);
    }

    #[test]
    fn the_extension_is_found_under_its_urn_in_any_letter_case() {
        let user: User = serde_json::from_value(json!({
            "userName": "ada",
            ENTERPRISE_USER_SCHEMA.to_ascii_uppercase(): {"department": "Research", "manager": {"value": "42"}},
        }))
        .unwrap();
        let extension: EnterpriseUser = user.extension().unwrap().unwrap();
        assert_eq!(extension.department.as_deref(), Some("Research"));
        assert_eq!(extension.manager, Some(Manager::new("42")));
    }

    #[test]
    fn setting_the_extension_replaces_it_and_names_it_in_schemas() {
        let mut user = User::new("ada");
        let upper = ENTERPRISE_USER_SCHEMA.to_ascii_uppercase();
        user.schemas.push(upper.clone());
        user.extra.insert(upper, json!({"department": "Research"}));
        let mut extension = EnterpriseUser::new();
        extension.division = Some("North".to_owned());
        user.set_extension(&extension).unwrap();
        assert_eq!(user.schemas, [crate::schema::USER_SCHEMA, ENTERPRISE_USER_SCHEMA]);
        assert_eq!(Value::Object(user.extra.clone()), json!({ENTERPRISE_USER_SCHEMA: {"division": "North"}}));
        user.set_extension(&EnterpriseUser::new()).unwrap();
        assert_eq!(user, User::new("ada"));
    }

    #[test]
    fn an_extension_of_the_wrong_shape_is_an_error_and_not_absent() {
        let mut user = User::new("ada");
        assert!(user.extension::<EnterpriseUser>().is_none());
        user.extra.insert(ENTERPRISE_USER_SCHEMA.to_owned(), json!({"department": 7}));
        assert!(user.extension::<EnterpriseUser>().unwrap().is_err());
    }
}
