//! `/ServiceProviderConfig`, `/Schemas` and `/ResourceTypes` (RFC 7644 §4, RFC 7643 §5–§7).

use scim_provider::messages::AuthenticationScheme;
use scim_provider::schema::Schema;
use serde_json::{Value, json};

use crate::scim::{BASE, DEVICE, ENTERPRISE, GROUP, LIST, Scim, USER};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

fn listed(target: &str) -> Vec<Value> {
    let list = Scim::new().get(target).is(200).has(json!({"schemas": [LIST], "startIndex": 1}));
    let resources = list.at("/Resources").as_array().unwrap().clone();
    list.has(json!({"totalResults": resources.len(), "itemsPerPage": resources.len()}));
    resources
}

/// R-7643-5-01 R-7643-5-03 R-7644-4-01 R-7644-4-02 R-7644-4-07 E-7644-04 E-7643-01
#[test]
fn the_configuration_is_one_object() {
    let scim = Scim::new();
    scim.get("/ServiceProviderConfig").is(200).has(json!({"schemas": [CONFIG]})).lacks(&["/Resources", "/id"]);
    scim.get("/serviceproviderconfig/").is(200);
    scim.get("/ServiceProviderConfigs").refused(404, "");
}

/// R-7643-5-05 R-7643-5-06 R-7643-5-07 R-7643-5-08 R-7643-5-09 R-7643-5-10 R-7643-5-11 R-7643-5-13 R-7643-5-14
#[test]
fn the_configuration_is_complete_whatever_is_supported() {
    let config = Scim::new().get("/ServiceProviderConfig").body;
    for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
        assert!(config[feature]["supported"].is_boolean(), "{feature}");
    }
    for number in ["/bulk/maxOperations", "/bulk/maxPayloadSize", "/filter/maxResults"] {
        assert!(config.pointer(number).unwrap().is_u64(), "{number}");
    }
    let schemes = config["authenticationSchemes"].as_array().unwrap();
    assert!(!schemes.is_empty());
    for scheme in schemes {
        for name in ["type", "name", "description"] {
            assert!(scheme[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        }
        assert!(
            ["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"]
                .contains(&scheme["type"].as_str().unwrap())
        );
    }
}

/// R-7643-5-16 R-7644-3.4.2.3-01
#[test]
fn the_configuration_tells_what_is_enforced() {
    let scim = Scim::limited(|limits| {
        limits.page_max = 7;
        limits.bulk_operations = 8;
        limits.bulk_bytes = 9;
    });
    scim.get("/ServiceProviderConfig").has(json!({
        "patch": {"supported": true},
        "bulk": {"supported": true, "maxOperations": 8, "maxPayloadSize": 9},
        "filter": {"supported": true, "maxResults": 7},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
    }));
}

/// R-7643-5-04 R-7643-5-15
#[test]
fn the_host_adds_documentation_and_schemes() {
    let scheme = AuthenticationScheme::oauth_bearer_token().primary();
    let scim = Scim::with(|b| b.documentation_uri("https://example.com/help").authentication_scheme(scheme));
    scim.get("/ServiceProviderConfig")
        .has(json!({"documentationUri": "https://example.com/help", "authenticationSchemes": [{"primary": true}]}));
    let mut scheme = AuthenticationScheme::http_basic().with_documentation_uri("https://example.com/basic");
    scheme.spec_uri = Some("https://www.rfc-editor.org/rfc/rfc7617".to_owned());
    let scim = Scim::with(|b| b.authentication_scheme(scheme));
    let shown = json!({"type": "httpbasic", "specUri": "https://www.rfc-editor.org/rfc/rfc7617",
        "documentationUri": "https://example.com/basic"});
    let config = scim.get("/ServiceProviderConfig").lacks(&["/documentationUri"]);
    config.has(json!({"authenticationSchemes": [shown]})).lacks(&["/authenticationSchemes/0/primary"]);
    assert_eq!(Scim::new().get("/ServiceProviderConfig").at("/authenticationSchemes/0/primary"), json!(true));
}

/// R-7644-4-11 R-7643-7-04 E-7643-06 R-7643-7-03
#[test]
fn each_entry_says_where_and_what_it_is() {
    let scim = Scim::new();
    let config = scim.get("/ServiceProviderConfig");
    config.has(
        json!({"meta": {"resourceType": "ServiceProviderConfig", "location": format!("{BASE}/ServiceProviderConfig")}}),
    );
    for (target, kind, schema) in [("/Schemas", "Schema", SCHEMA), ("/ResourceTypes", "ResourceType", TYPE)] {
        for entry in listed(target) {
            let location = format!("{BASE}{target}/{}", entry["id"].as_str().unwrap());
            assert_eq!(entry["meta"], json!({"resourceType": kind, "location": location}));
            assert_eq!(entry["schemas"], json!([schema]));
            scim.get(location.strip_prefix(BASE).unwrap()).is(200).has(entry);
        }
    }
}

/// R-7644-4-03 R-7644-4-07 R-7644-4-10 R-7644-4-14 R-7643-7-01 R-7643-1.2-02 R-7644-3.1-03 R-7644-3.1-05
/// R-7644-4-01
#[test]
fn every_schema_that_is_in_use_is_listed_and_no_message() {
    let ids: Vec<String> = listed("/Schemas").iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect();
    for id in [USER, ENTERPRISE, GROUP, DEVICE, CONFIG, TYPE, SCHEMA] {
        assert_eq!(ids.iter().filter(|known| *known == id).count(), 1, "{id}");
    }
    assert!(ids.iter().all(|id| !id.contains(":api:")), "{ids:?}");
}

/// R-7644-4-04 R-7643-7-06 R-7644-4-07
#[test]
fn a_schema_is_found_by_its_urn() {
    let scim = Scim::new();
    let (upper, encoded) = (USER.to_uppercase(), USER.replace(':', "%3A"));
    for id in [USER, &upper, &encoded] {
        scim.get(&format!("/Schemas/{id}")).is(200).has(json!({"id": USER, "name": "User"})).lacks(&["/Resources"]);
    }
    scim.get("/Schemas/urn:example:none").refused(404, "");
}

/// R-7644-4-05 R-7643-6-01 R-7643-6-02 R-7643-6-03 R-7643-6-07 R-7643-6-10 R-7643-6-12 R-7643-6-15 A-35
/// E-7643-16 R-7643-6-04 R-7644-4-01 R-7644-4-07 R-7643-6-11 R-7643-3.2-01
#[test]
fn a_resource_type_says_where_and_by_which_schemas() {
    let scim = Scim::new();
    let schemas: Vec<Value> = listed("/Schemas").iter().map(|s| s["id"].clone()).collect();
    let types = listed("/ResourceTypes");
    assert_eq!(types.len(), 3);
    for ty in &types {
        assert_eq!(ty["id"], ty["name"]);
        assert!(ty["endpoint"].as_str().unwrap().starts_with('/'));
        assert!(schemas.contains(&ty["schema"]), "{}", ty["schema"]);
        for extension in ty["schemaExtensions"].as_array().into_iter().flatten() {
            assert!(schemas.contains(&extension["schema"]) && extension["required"].is_boolean(), "{extension}");
        }
    }
    let user = scim.get("/ResourceTypes/User").is(200);
    user.has(json!({"schemas": [TYPE], "endpoint": "/Users", "schemaExtensions": [{"schema": ENTERPRISE, "required": false}]}));
    scim.get("/ResourceTypes/Group").is(200).lacks(&["/schemaExtensions"]);
    scim.get("/ResourceTypes/Nothing").refused(404, "");
}

/// R-7643-6-06 R-7643-7-07 R-7643-7-13
#[test]
fn entries_have_names_and_descriptions() {
    for schema in listed("/Schemas") {
        assert!(schema["name"].as_str().is_some_and(|name| !name.is_empty()), "{}", schema["id"]);
        if schema["id"] != DEVICE {
            assert!(!schema["description"].as_str().unwrap_or_default().is_empty(), "{}", schema["id"]);
        }
    }
    Scim::new().get("/ResourceTypes/Device").has(json!({"description": "A thing"}));
}

/// R-7644-4-08 A-33
#[test]
fn sorting_paging_and_projection_are_ignored() {
    let scim = Scim::new();
    for target in ["/Schemas", "/ResourceTypes"] {
        let whole = scim.get(target).body;
        let query = "?startIndex=2&count=1&sortBy=name&sortOrder=descending&attributes=id&aadOptscim062020";
        assert_eq!(scim.get(&format!("{target}{query}")).is(200).body, whole);
    }
}

/// R-7644-4-09 A-33
#[test]
fn a_filter_is_forbidden() {
    let scim = Scim::new();
    for target in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/ResourceTypes/User"] {
        for query in ["filter=name+eq+%22User%22", "FILTER=x", "fil%74er=x"] {
            scim.get(&format!("{target}?{query}")).refused(403, "");
        }
    }
}

/// R-7644-4-12 R-7644-3.2-07 R-7643-5-02 R-7643-7-02 R-7643-6-01
#[test]
fn nobody_changes_them() {
    let scim = Scim::new();
    for target in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/x", "/ResourceTypes/User"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let refused = scim.send(method, target, &[("content-type", "application/json")], "{}").refused(405, "");
            assert_eq!(refused.header("allow"), "GET, HEAD");
        }
    }
}

/// R-7644-3.4.2.1-04
#[test]
fn discovery_entries_are_no_resources_of_the_tenant() {
    Scim::new().filter("/Users", r#"meta.resourceType eq "Schema""#).is(200).has(json!({"totalResults": 0}));
}

/// R-7643-5-02 R-7643-7-02 R-7643-7-05 R-7643-7-35 E-7643-04 A-34 E-7643-17 E-7643-30 R-7643-7-03 R-7643-6-02
/// E-7643-16 A-35 E-7643-03 E-7643-23 E-7643-24
#[test]
fn the_schemas_of_discovery_describe_what_is_sent() {
    let scim = Scim::new();
    let config: Schema = serde_json::from_value(scim.get(&format!("/Schemas/{CONFIG}")).body).unwrap();
    assert!(config.attributes.iter().any(|a| a.name == "etag"));
    assert!(!config.attributes.iter().any(|a| a.name == "securityEvents"), "none are issued");
    let schemes = config.attributes.iter().find(|a| a.name == "authenticationSchemes").unwrap();
    assert!(schemes.sub_attributes.iter().any(|a| a.name == "type" && a.required));
    let schema = scim.get(&format!("/Schemas/{SCHEMA}")).body;
    let attributes = schema["attributes"].as_array().unwrap().iter().find(|a| a["name"] == "attributes").unwrap();
    let parts = attributes["subAttributes"].as_array().unwrap();
    let nested = parts.iter().find(|a| a["name"] == "subAttributes").unwrap()["subAttributes"].as_array().unwrap();
    for level in [parts, nested] {
        assert_eq!(level.iter().find(|a| a["name"] == "referenceTypes").unwrap()["multiValued"], true);
    }
    let types = |level: &[Value]| level.iter().find(|a| a["name"] == "type").unwrap()["canonicalValues"].to_string();
    assert!(types(parts).contains("binary") && types(parts).contains("complex"));
    assert!(types(nested).contains("binary") && !types(nested).contains("complex"));
    for schema in [CONFIG, TYPE, SCHEMA] {
        let mut level = scim.get(&format!("/Schemas/{schema}")).at("/attributes").as_array().unwrap().clone();
        while let Some(attribute) = level.pop() {
            assert_eq!(attribute["mutability"], "readOnly", "{attribute}");
            assert_eq!(attribute["returned"], "default", "{attribute}");
            level.extend(attribute["subAttributes"].as_array().into_iter().flatten().cloned());
        }
    }
    let types = scim.get(&format!("/Schemas/{TYPE}")).at("/attributes");
    let of = |names: &[&str], list: &Value| -> Vec<Value> {
        let found = |name: &&str| list.as_array().unwrap().iter().find(|a| a["name"] == *name).unwrap().clone();
        names.iter().map(found).collect()
    };
    let extensions = of(&["schemaExtensions"], &types).remove(0);
    assert_eq!((&extensions["multiValued"], &extensions["required"]), (&json!(true), &json!(false)));
    let parts = of(&["schema", "required"], &extensions["subAttributes"]);
    for required in of(&["name", "endpoint", "schema"], &types).into_iter().chain(parts) {
        assert_eq!(required["required"], true, "{required}");
    }
    assert_eq!(of(&["description"], &types)[0]["required"], false, "it is stated otherwise");
}

/// An empty filter is none here as it is for resources.
#[test]
fn an_empty_filter_is_none() {
    let scim = Scim::new();
    for target in
        ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User"]
    {
        for query in ["filter=", "filter", "FILTER=", "x&filter=&y=1"] {
            scim.get(&format!("{target}?{query}")).is(200);
        }
        for query in ["filter=x", "%66ilter=id+pr", "filter=&filter=x"] {
            scim.get(&format!("{target}?{query}")).refused(403, "");
        }
    }
}
