//! A resource type of the host's own, read from JSON: all types of attributes and all characteristics.

use scim_provider::schema::{ResourceTypeBuilder, Schema};
use scim_provider::{Resource, ResourceType};
use serde_json::{Value, json};

use crate::scim::{DEVICE, merged};

/// The schema as the host keeps it.
pub(crate) fn schema() -> Schema {
    serde_json::from_str(include_str!("../../data/schemas/device.json")).unwrap()
}

pub(crate) fn device() -> ResourceTypeBuilder {
    ResourceType::builder("Device", "/Devices", schema()).describe("A thing")
}

pub(crate) fn devices() -> ResourceType {
    device().build().unwrap()
}

/// A device as a client sends it.
pub(crate) fn body(more: Value) -> Value {
    merged(json!({"schemas": [DEVICE], "serial": "Sn-1"}), more)
}

/// Reads a device as a client sends it.
pub(crate) fn parse(more: Value) -> Result<Resource, scim_provider::Violation> {
    Resource::parse(&devices(), body(more).to_string().as_bytes())
}
