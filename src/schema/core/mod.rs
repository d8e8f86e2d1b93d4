//! The schemas that the standard itself defines (RFC 7643 §3 to §7, RFC 9865 §4, RFC 9967 §4).
//!
//! The characteristics are those of RFC 7643 §8.7 with its errata applied: references, binary values and whatever
//! holds an `id` heed letter case, `Group.displayName` is required, and attributes that were left out of the printed
//! schemas are here. The order of the attributes is the order in which answers print them.

mod discovery;
mod enterprise;
mod group;
mod user;

pub use discovery::{resource_type, schema, service_provider_config};
pub use enterprise::enterprise_user;
pub use group::group;
pub use user::user;

use super::{Attribute, Returned, Uniqueness};

/// The schema of users (RFC 7643 §4.1).
pub const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups (RFC 7643 §4.2).
pub const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension of users for enterprises (RFC 7643 §4.3).
pub const ENTERPRISE_USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of the service provider's configuration (RFC 7643 §5).
pub const SERVICE_PROVIDER_CONFIG_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema of resource types (RFC 7643 §6).
pub const RESOURCE_TYPE_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of schemas (RFC 7643 §7).
pub const SCHEMA_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// The attributes that every resource has, whatever its schema: `schemas`, `id`, `externalId`, `meta` (RFC 7643 §3,
/// §3.1).
pub fn common() -> Vec<Attribute> {
    vec![
        Attribute::reference("schemas", ["uri"])
            .multi_valued()
            .required()
            .returned(Returned::Always)
            .describe("URIs of the schemas that the resource uses"),
        Attribute::string("id")
            .required()
            .case_exact()
            .read_only()
            .returned(Returned::Always)
            .unique(Uniqueness::Server)
            .describe("Identifier that the service provider gives to the resource"),
        Attribute::string("externalId").case_exact().describe("Identifier that the client gives to the resource"),
        Attribute::complex(
            "meta",
            [
                Attribute::string("resourceType").case_exact().read_only().describe("Name of the resource type"),
                Attribute::date_time("created").read_only().describe("When the resource was created"),
                Attribute::date_time("lastModified").read_only().describe("When the resource last changed"),
                Attribute::reference("location", ["uri"]).read_only().describe("Where the resource is found"),
                Attribute::string("version").case_exact().read_only().describe("Entity tag of the resource"),
            ],
        )
        .read_only()
        .describe("What the service provider records about the resource"),
    ]
}

/// The default sub-attributes of a multi-valued complex attribute that declares none (RFC 7643 §2.4).
pub(crate) fn default_sub_attributes() -> Vec<Attribute> {
    vec![
        Attribute::string("value").describe("The value itself"),
        Attribute::string("display").immutable().describe("The value, for people"),
        Attribute::string("type").describe("What the value is for"),
        Attribute::boolean("primary").describe("Whether this value is preferred to its siblings"),
        Attribute::reference("$ref", ["uri"]).describe("Where the resource that the value names is found"),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::schema::Schema;

    /// The study of RFC 7643 with its errata, attribute by attribute.
    const CHARACTERISTICS: &str = include_str!("../../../tests/data/attributes.json");

    fn all() -> [Schema; 6] {
        [user(), group(), enterprise_user(), service_provider_config(), resource_type(), schema()]
    }

    fn flatten(prefix: &str, attributes: &[Attribute], into: &mut BTreeMap<String, Value>) {
        for attribute in attributes {
            let path = format!("{prefix}{}", attribute.name);
            let mut written: Map<String, Value> =
                serde_json::from_str(&serde_json::to_string(attribute).unwrap()).unwrap();
            for known_elsewhere in ["name", "description", "subAttributes"] {
                written.remove(known_elsewhere);
            }
            flatten(&format!("{path}."), &attribute.sub_attributes, into);
            assert!(!attribute.description.is_empty(), "{path} has no description");
            assert!(into.insert(path, Value::Object(written)).is_none());
        }
    }

    /// R-7643-4.1.2-15 R-7643-4.1.2-16 R-7643-3.1-11 R-7643-3.1-16 R-7643-3.1-18 R-7643-3.1-25 R-7643-5-02
    /// R-7643-7-02 R-7643-7-03 R-7643-6-02 R-7643-7-13 E-7643-07 E-7642-01 R-7643-4.3-05 E-7643-27 E-7643-26
    /// E-7643-12 E-7643-28 E-7643-22 E-7643-02 E-7643-08 E-7643-09 E-7643-10 E-7643-13 E-7643-20
    /// R-7643-2.4-07 R-7643-4.1.2-25
    #[test]
    fn every_attribute_has_exactly_the_characteristics_of_the_study() {
        let study: Value = serde_json::from_str(CHARACTERISTICS).unwrap();
        let mut count = 0;
        for expected in study["schemas"].as_array().unwrap() {
            let id = expected["id"].as_str().unwrap();
            let attributes = match all().into_iter().find(|schema| schema.id == id) {
                Some(schema) => schema.attributes,
                None => common(),
            };
            let mut built = BTreeMap::new();
            flatten("", &attributes, &mut built);
            for attribute in expected["attributes"].as_array().unwrap() {
                let path = attribute["path"].as_str().unwrap();
                let found = built.remove(path).unwrap_or_else(|| panic!("{id} lacks {path}"));
                assert_eq!(found, attribute["effective"], "{id} {path}");
                count += 1;
            }
            assert_eq!(built, BTreeMap::new(), "{id} has attributes that the study does not know");
        }
        assert_eq!(count, 157);
    }

    #[test]
    fn the_attributes_stand_in_the_order_of_the_standard() {
        let study: Value = serde_json::from_str(CHARACTERISTICS).unwrap();
        for expected in study["schemas"].as_array().unwrap() {
            let Some(schema) = all().into_iter().find(|schema| expected["id"] == *schema.id) else { continue };
            let order: Vec<_> =
                expected["attributes"].as_array().unwrap().iter().filter(|a| a["parent"].is_null()).collect();
            let order: Vec<_> = order.iter().map(|a| a["name"].as_str().unwrap()).collect();
            let built: Vec<_> = schema.attributes.iter().map(|a| a.name.as_str()).collect();
            assert_eq!(built, order, "{}", schema.id);
        }
    }

    #[test]
    fn the_core_schemas_obey_the_rules_for_schemas() {
        for schema in all() {
            schema.check().unwrap();
        }
    }

    #[test]
    fn the_core_schemas_survive_a_round_trip_through_json() {
        for schema in all() {
            let written = serde_json::to_value(&schema).unwrap();
            assert_eq!(written["schemas"], json!([SCHEMA_SCHEMA]));
            assert_eq!(serde_json::from_value::<Schema>(written).unwrap(), schema);
        }
    }

    #[test]
    fn nothing_that_does_not_apply_is_written() {
        let written = serde_json::to_value(Attribute::boolean("active")).unwrap();
        let mut names: Vec<_> = written.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["multiValued", "mutability", "name", "required", "returned", "type"]);
    }
}
