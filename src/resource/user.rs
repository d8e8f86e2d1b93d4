//! Users as a Rust type (RFC 7643 §4.1).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::Meta;
use super::extension::extensible;
use super::plural::{
    Address, Email, Entitlement, GroupMembership, InstantMessaging, PhoneNumber, Photo, Role, X509Certificate,
};
use crate::schema::{ResourceType, ResourceTypeBuilder, USER_SCHEMA, core};

/// A user (RFC 7643 §4.1).
///
/// A typed view for hosts and clients: what the type does not know is kept in `extra`, extensions included, so that
/// reading and writing lose nothing. The one exception is `password`, which is dropped on reading: secrets travel
/// apart from the resource, so that no log and no answer can hold one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct User {
    /// The URIs of the schemas that the user uses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub schemas: Vec<String>,
    /// The identifier that the service provider gave to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The identifier that the client gave to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The unique name that the user signs in with. Empty only in a partial answer that leaves it out.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub user_name: String,
    /// The parts of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the user is called casually.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick_name: Option<String>,
    /// The URL of a page about the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// The job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How the user belongs to the organization, such as `Employee`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_type: Option<String>,
    /// The preferred languages, as in `Accept-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// The language tag for formats of dates, numbers and currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The time zone by its name in the IANA database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Whether the account may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Email addresses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub emails: Vec<Email>,
    /// Telephone numbers.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub phone_numbers: Vec<PhoneNumber>,
    /// Instant messaging addresses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub ims: Vec<InstantMessaging>,
    /// Pictures of the user.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub photos: Vec<Photo>,
    /// Postal addresses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub addresses: Vec<Address>,
    /// The groups that the user belongs to. The service provider sets them.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub groups: Vec<GroupMembership>,
    /// What the user is entitled to.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub entitlements: Vec<Entitlement>,
    /// The roles of the user.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub roles: Vec<Role>,
    /// Certificates issued to the user.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::unassigned::or_default")]
    pub x509_certificates: Vec<X509Certificate>,
    /// What the service provider records about the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// What this type does not know, extensions included.
    #[serde(flatten, deserialize_with = "without_password")]
    pub extra: Map<String, Value>,
}

impl User {
    /// The resource type `User` (RFC 7643 §4.1) at `/Users`, without extensions.
    ///
    /// ```
    /// # use scim_provider::{EnterpriseUser, Extension, User};
    /// let users = User::resource_type().extension(EnterpriseUser::schema()).build()?;
    /// # Ok::<(), scim_provider::schema::SchemaError>(())
    /// ```
    pub fn resource_type() -> ResourceTypeBuilder {
        ResourceType::builder("User", "/Users", core::user()).describe("People who can sign in.")
    }

    /// A user with a name.
    pub fn new(user_name: impl Into<String>) -> Self {
        Self { schemas: vec![USER_SCHEMA.to_owned()], user_name: user_name.into(), ..Self::default() }
    }
}

extensible!(User);

/// The parts of a user's name (RFC 7643 §4.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Name {
    /// The full name, ready for display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// The family name, or last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// The given name, or first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The middle names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// What stands in front of the name, such as `Dr.`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub honorific_prefix: Option<String>,
    /// What stands behind the name, such as `III`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub honorific_suffix: Option<String>,
    /// What this type does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Name {
    /// A name of a given name and a family name.
    pub fn new(given_name: impl Into<String>, family_name: impl Into<String>) -> Self {
        Self { given_name: Some(given_name.into()), family_name: Some(family_name.into()), ..Self::default() }
    }
}

/// Reads what is unknown, but for a password.
fn without_password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut extra = Map::deserialize(deserializer)?;
    extra.retain(|name, _| !name.eq_ignore_ascii_case("password"));
    Ok(extra)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_assigned_is_written() {
        let mut user = User::new("ada");
        user.active = Some(false);
        user.name = Some(Name::new("Ada", "Lovelace"));
        user.emails.push(Email::new("ada@example.com").with_type("work").primary());
        user.x509_certificates.push(X509Certificate::new("MIID"));
        assert_eq!(
            serde_json::to_value(&user).unwrap(),
            json!({
                "schemas": [USER_SCHEMA],
                "userName": "ada",
                "active": false,
                "name": {"givenName": "Ada", "familyName": "Lovelace"},
                "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
                "x509Certificates": [{"value": "MIID"}],
            })
        );
    }

    #[test]
    fn unassigned_in_every_form_reads_as_unassigned() {
        let user: User =
            serde_json::from_value(json!({"userName": null, "emails": null, "name": null, "roles": []})).unwrap();
        assert_eq!(user, User::default());
    }

    #[test]
    fn a_password_is_dropped_in_any_letter_case() {
        let user: User = serde_json::from_value(json!({"userName": "ada", "passWord": "hunter2"})).unwrap();
        assert!(!format!("{user:?}").contains("hunter2"));
        assert!(user.extra.is_empty());
    }

    #[test]
    fn unknown_attributes_and_their_numbers_are_kept() {
        let text =
            r#"{"userName":"ada","emails":[{"value":"a","x":1e2}],"urn:example:X":{"n":12345678901234567,"d":1.5}}"#;
        let user: User = serde_json::from_str(text).unwrap();
        let written = serde_json::to_value(&user).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
    }
}
