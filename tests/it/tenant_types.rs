//! Tenants whose types and schemas differ: a service for each, over the same store; and a type of the host's as a Rust struct.

use std::collections::HashMap;

use scim_provider::schema::{Attribute, Schema, Uniqueness};
use scim_provider::{Extension, Group, MemoryStore, Resource, ResourceType, Service, TenantId, User};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::scim::{BASE, USER, ready, user};

const SENSOR: &str = "urn:example:params:scim:schemas:2.0:Sensor";

/// What the tenant `acme` wants to know of each of its users.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contract {
    cost_center: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<i64>,
}

impl Extension for Contract {
    const SCHEMA: &'static str = "urn:example:acme:params:scim:schemas:Contract";

    fn schema() -> Schema {
        let cost_center = Attribute::string("costCenter").required().case_exact();
        Schema::new(Self::SCHEMA, "Contract", [cost_center, Attribute::integer("hours")])
    }
}

/// A sensor as the rest of the host's program knows it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sensor {
    schemas: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    serial_number: String,
    #[serde(default)]
    rooms: Vec<String>,
}

fn sensors() -> ResourceType {
    let attributes = [
        Attribute::string("serialNumber").required().unique(Uniqueness::Server),
        Attribute::string("rooms").multi_valued(),
        Attribute::boolean("armed").read_only(),
    ];
    ResourceType::builder("Sensor", "/Sensors", Schema::new(SENSOR, "Sensor", attributes)).build().unwrap()
}

/// The host: who has types of their own has a service of their own.
struct Host {
    standard: Service<TenantId>,
    own: HashMap<TenantId, Service<TenantId>>,
}

impl Host {
    fn new() -> Self {
        let store = MemoryStore::new();
        let standard = Service::builder(BASE)
            .resource(User::resource_type(), store.clone())
            .resource(Group::resource_type(), store.clone());
        let acme = Service::builder(BASE)
            .resource(User::resource_type().required_extension(Contract::schema()), store.clone())
            .resource(Group::resource_type(), store.clone())
            .resource(ResourceType::builder("Sensor", "/Sensors", sensors().schema().clone()), store);
        let own = HashMap::from([(tenant("acme"), acme.build().unwrap())]);
        Self { standard: standard.build().unwrap(), own }
    }

    fn send(&self, tenant: &TenantId, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let service = self.own.get(tenant).unwrap_or(&self.standard);
        let request = http::Request::builder().method(method).uri(format!("/scim/v2{target}"));
        let request = request.header("content-type", "application/scim+json").body(body.to_string()).unwrap();
        let (head, text) = ready(service.call(tenant, request)).into_parts();
        (head.status.as_u16(), serde_json::from_slice(&text).unwrap_or_default())
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn contract(value: Value) -> Value {
    user(json!({"schemas": [USER, Contract::SCHEMA], Contract::SCHEMA: value}))
}

#[test]
fn what_one_tenant_requires_another_does_not_know() {
    let host = Host::new();
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert_eq!(host.send(&globex, "POST", "/Users", &user(json!({}))).0, 201);
    let (status, refused) = host.send(&acme, "POST", "/Users", &user(json!({})));
    assert_eq!((status, &refused["scimType"]), (400, &json!("invalidValue")));
    let (status, ada) = host.send(&acme, "POST", "/Users", &contract(json!({"costCenter": "7"})));
    assert_eq!((status, &ada[Contract::SCHEMA]["costCenter"]), (201, &json!("7")));

    let sensor = json!({"schemas": [SENSOR], "serialNumber": "s-1"});
    assert_eq!(host.send(&acme, "POST", "/Sensors", &sensor).0, 201);
    assert_eq!(host.send(&globex, "POST", "/Sensors", &sensor).0, 404);
    for (tenant, total) in [(&acme, 2), (&globex, 1)] {
        assert_eq!(host.send(tenant, "GET", "/", &json!(null)).1["totalResults"], json!(total));
    }
}

/// R-7643-6-12 R-7644-4-05
#[test]
fn each_tenant_is_shown_exactly_what_is_enforced() {
    let host = Host::new();
    for (name, types, required) in [("acme", 3, true), ("globex", 2, false)] {
        let tenant = tenant(name);
        let get = |target: &str| host.send(&tenant, "GET", target, &json!(null));
        assert_eq!(get("/ResourceTypes").1["totalResults"], json!(types), "{name}");
        let extensions = get("/ResourceTypes/User").1["schemaExtensions"].clone();
        let listed = json!([{"schema": Contract::SCHEMA, "required": true}]);
        assert_eq!(extensions == listed, required, "{name}: {extensions}");
        assert_eq!(get(&format!("/Schemas/{}", Contract::SCHEMA)).0, if required { 200 } else { 404 });
        assert_eq!(get(&format!("/Schemas/{SENSOR}")).0, if required { 200 } else { 404 });
    }
    // and what is shown is enforced: presence, type, mutability, uniqueness, letter case
    let acme = tenant("acme");
    let (_, schema) = host.send(&acme, "GET", &format!("/Schemas/{}", Contract::SCHEMA), &json!(null));
    for attribute in schema["attributes"].as_array().unwrap() {
        let mut value = json!({"costCenter": "7", "hours": 40});
        let name = attribute["name"].as_str().unwrap();
        value.as_object_mut().unwrap().remove(name);
        let (status, body) = host.send(&acme, "POST", "/Users", &contract(value.clone()));
        assert_eq!(status == 400, attribute["required"] == true, "without {name}: {body}");
        if status == 201 {
            host.send(&acme, "DELETE", &format!("/Users/{}", body["id"].as_str().unwrap()), &json!(null));
        }
        value[name] = json!({"of": "another type"});
        assert_eq!(host.send(&acme, "POST", "/Users", &contract(value)).0, 400, "{name} of another type");
    }
    let sensor = json!({"schemas": [SENSOR], "serialNumber": "S-1", "armed": true});
    let (_, made) = host.send(&acme, "POST", "/Sensors", &sensor);
    assert_eq!(made.get("armed"), None, "readOnly");
    let again = json!({"schemas": [SENSOR], "serialNumber": "s-1"});
    assert_eq!(host.send(&acme, "POST", "/Sensors", &again).0, 409, "unique without regard to case");
}

#[test]
fn a_type_of_the_hosts_is_a_struct_of_the_hosts() {
    let ty = sensors();
    let sensor = Sensor {
        schemas: vec![SENSOR.to_owned()],
        id: None,
        serial_number: "s-1".to_owned(),
        rooms: vec!["hall".to_owned(), "lab".to_owned()],
    };
    let resource = Resource::from_typed(&ty, &sensor).unwrap();
    assert_eq!(resource.text("serialNumber").as_deref(), Some("s-1"));
    let back: Sensor = resource.to().unwrap();
    assert_eq!(back, sensor);

    let host = Host::new();
    let (status, body) = host.send(&tenant("acme"), "POST", "/Sensors", &serde_json::to_value(&back).unwrap());
    assert_eq!(status, 201, "{body}");
    let nameless = Sensor { serial_number: String::new(), ..sensor };
    let (status, _) = host.send(&tenant("acme"), "POST", "/Sensors", &serde_json::to_value(&nameless).unwrap());
    assert_eq!(status, 400, "what is required has to be there");
    let made: Sensor = serde_json::from_value(body).unwrap();
    assert!(made.id.is_some());
    assert_eq!(made.rooms, ["hall", "lab"]);
}

#[test]
fn an_extension_of_a_tenants_is_a_struct_too() {
    let host = Host::new();
    let (_, body) = host.send(&tenant("acme"), "POST", "/Users", &contract(json!({"costCenter": "7", "hours": 40})));
    let user: User = serde_json::from_value(body).unwrap();
    let expected = Contract { cost_center: "7".to_owned(), hours: Some(40) };
    assert_eq!(user.extension::<Contract>().transpose().unwrap(), Some(expected));
}
