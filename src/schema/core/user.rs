//! The schema of users (RFC 7643 §4.1).

use super::USER_SCHEMA;
use crate::schema::{Attribute, Schema, Uniqueness};

/// The core schema of users (RFC 7643 §4.1).
pub fn user() -> Schema {
    Schema::new(USER_SCHEMA, "User", single_valued().into_iter().chain(multi_valued())).describe("User account")
}

fn single_valued() -> Vec<Attribute> {
    vec![
        Attribute::string("userName")
            .required()
            .unique(Uniqueness::Server)
            .describe("Name by which the user signs in or is told from others"),
        Attribute::complex(
            "name",
            [
                Attribute::string("formatted").describe("Full name, ready for display"),
                Attribute::string("familyName").describe("Family name, or last name"),
                Attribute::string("givenName").describe("Given name, or first name"),
                Attribute::string("middleName").describe("Middle names"),
                Attribute::string("honorificPrefix").describe("Title in front of the name"),
                Attribute::string("honorificSuffix").describe("Suffix behind the name"),
            ],
        )
        .describe("Parts of the user's name"),
        Attribute::string("displayName").describe("Name to show for the user"),
        Attribute::string("nickName").describe("What the user is called casually"),
        Attribute::reference("profileUrl", ["external"]).describe("Page about the user"),
        Attribute::string("title").describe("Job title"),
        Attribute::string("userType").describe("Relation of the user to the organization"),
        Attribute::string("preferredLanguage").describe("Languages that the user prefers, as in Accept-Language"),
        Attribute::string("locale").describe("Language tag for formats of dates, numbers and currency"),
        Attribute::string("timezone").describe("Time zone by its name in the IANA database"),
        Attribute::boolean("active").describe("Whether the account may be used"),
        Attribute::string("password").case_exact().write_only().describe("New password; never read back"),
    ]
}

fn multi_valued() -> Vec<Attribute> {
    let text = |description: &str| Attribute::string("value").describe(description);
    vec![
        plural("emails", text("Email address"), &["work", "home", "other"], "Email addresses"),
        plural(
            "phoneNumbers",
            text("Telephone number"),
            &["work", "home", "mobile", "fax", "pager", "other"],
            "Telephone numbers",
        ),
        plural(
            "ims",
            text("Instant messaging address"),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo", "other"],
            "Instant messaging addresses",
        ),
        plural(
            "photos",
            Attribute::reference("value", ["external"]).describe("Where the picture is found"),
            &["photo", "thumbnail"],
            "Pictures of the user",
        ),
        addresses(),
        groups(),
        plural("entitlements", text("Entitlement"), &[], "What the user is entitled to"),
        plural("roles", text("Role"), &[], "Roles of the user"),
        plural(
            "x509Certificates",
            Attribute::binary("value").describe("Certificate in DER"),
            &[],
            "Certificates issued to the user",
        ),
    ]
}

/// A multi-valued attribute of the usual shape: value, display, type, primary (RFC 7643 §2.4).
fn plural(name: &str, value: Attribute, types: &[&str], description: &str) -> Attribute {
    Attribute::complex(
        name,
        [
            value,
            Attribute::string("display").describe("The value, for people"),
            Attribute::string("type").canonical(types.iter().copied()).describe("What the value is for"),
            primary(),
        ],
    )
    .multi_valued()
    .describe(description)
}

fn primary() -> Attribute {
    Attribute::boolean("primary").describe("Whether this value is preferred; true at most once")
}

fn addresses() -> Attribute {
    Attribute::complex(
        "addresses",
        [
            Attribute::string("formatted").describe("Whole address, ready for display"),
            Attribute::string("streetAddress").describe("Street, house number, post box"),
            Attribute::string("locality").describe("City or place"),
            Attribute::string("region").describe("State or region"),
            Attribute::string("postalCode").describe("Postal code"),
            Attribute::string("country").describe("Country by its code of two letters"),
            Attribute::string("type").canonical(["work", "home", "other"]).describe("What the address is for"),
            primary(),
        ],
    )
    .multi_valued()
    .describe("Postal addresses")
}

fn groups() -> Attribute {
    Attribute::complex(
        "groups",
        [
            Attribute::string("value").case_exact().read_only().describe("Identifier of the group"),
            Attribute::reference("$ref", ["Group"]).read_only().describe("Where the group is found"),
            Attribute::string("display").read_only().describe("Name of the group"),
            Attribute::string("type")
                .canonical(["direct", "indirect"])
                .read_only()
                .describe("Whether the user is a member itself or through another group"),
        ],
    )
    .multi_valued()
    .read_only()
    .describe("Groups that the user belongs to")
}
