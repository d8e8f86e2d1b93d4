//! What the SCIM plug-ins of Keycloak send.

use serde_json::json;

use super::client::{Client, group, set, user};
use crate::conformance::{ServiceFixture, Verdict};

/// Users by POST without a look-up and by PATCH with texts for booleans; groups with complete lists, and an empty one by
/// `remove` without a value.
pub async fn keycloak_provisions_users_and_groups<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "the source of Keycloak's SCIM event listener");
    let client = client.with("content-type", "application/json").with("accept", "application/json");
    let mut body = user("ada");
    set(&mut body, "emails", json!([{"value": "ada@example.com"}]));
    let ada = client.create("/Users", body).await?;
    let target = format!("/Users/{}", ada.id());
    let operations = json!([
        {"op": "replace", "path": "active", "value": "false"},
        {"op": "replace", "path": "displayName", "value": "Ada"},
    ]);
    client.patch(&target, operations).await?.accepted()?;
    client.read(&target).await?.has("active", json!(false))?;
    client.needs_groups().await?;
    let mut body = group("engines", &[]);
    let reference = format!("Users/{}", ada.id());
    set(&mut body, "members", json!([{"value": ada.id(), "$ref": reference}]));
    let engines = client.create("/Groups", body).await?;
    let target = format!("/Groups/{}", engines.id());
    client.read(&target).await?.has_members(&[ada.id()])?;
    let rename = json!({"op": "replace", "path": "displayName", "value": "machines"});
    for _ in 0..2 {
        client.patch(&target, json!([{"op": "remove", "path": "members"}, rename])).await?.accepted()?;
        client.read(&target).await?.has_members(&[])?;
    }
    let complete = json!({"op": "replace", "path": "members", "value": [{"value": ada.id()}]});
    client.patch(&target, json!([complete, rename])).await?.accepted()?;
    client.read(&target).await?.has_members(&[ada.id()])
}
