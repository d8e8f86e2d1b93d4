//! What Okta sends.

use serde_json::{Value, json};

use super::client::{Client, group, set};
use crate::conformance::{ServiceFixture, Verdict};

fn okta<F: ServiceFixture>(fixture: &F) -> Client<'_, F> {
    let client = Client::new(fixture, "the documentation of Okta's SCIM client");
    client.with("user-agent", "Okta SCIM Client 1.0.0").with("content-type", "application/scim+json; charset=utf-8")
}

fn person(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "name": {"givenName": "Test", "middleName": "", "familyName": "User"},
        "emails": [{"primary": true, "value": name, "type": "work"}],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    })
}

/// A user is looked up, created, updated by a PUT of what was read, deactivated and found again.
pub async fn okta_provisions_a_user<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = okta(fixture);
    client.read("/Users?startIndex=1&count=2").await?;
    let lookup = "/Users?filter=userName%20eq%20\"test.user@okta.local\"&startIndex=1&count=100";
    client.finds(lookup, 0).await?;
    let created = client.create("/Users", person("test.user@okta.local")).await?;
    let target = format!("/Users/{}", created.id());
    client.post("/Users", person("test.user@okta.local")).await?.is_error(409, None)?;
    // what was read goes back, read-only parts included, with the new profile in it
    let mut merged = client.read(&target).await?.body;
    set(&mut merged, "displayName", json!("Another User"));
    set(&mut merged, "groups", json!([]));
    let updated = client.put(&target, merged).await?;
    updated.is(200)?;
    updated.has("displayName", json!("Another User"))?;
    updated.has("id", json!(created.id()))?;
    let mut off = client.read(&target).await?.body;
    set(&mut off, "active", json!(false));
    client.put(&target, off).await?.has("active", json!(false))?;
    client.finds(lookup, 1).await?.has("Resources/0/active", json!(false))
}

/// Catalogue apps switch users off and on by a PATCH without a path.
pub async fn okta_switches_a_user_off_and_on<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = okta(fixture);
    let created = client.create("/Users", person("test.user@okta.local")).await?;
    let target = format!("/Users/{}", created.id());
    for active in [false, true] {
        client.patch(&target, json!([{"op": "replace", "value": {"active": active}}])).await?.accepted()?;
        let now = client.read(&target).await?;
        now.has("active", json!(active))?;
        now.has("displayName", json!("Test User"))?;
    }
    Ok(())
}

/// A group is pushed: created, renamed by an object that repeats its id, filled, thinned, emptied and unlinked.
pub async fn okta_pushes_a_group<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = okta(fixture);
    client.needs_groups().await?;
    let ada = client.create("/Users", person("ada@okta.local")).await?;
    let bea = client.create("/Users", person("bea@okta.local")).await?;
    client.finds("/Groups?filter=displayName eq \"Engines\"&startIndex=1&count=100", 0).await?;
    let created = client.create("/Groups", group("Engines", &[])).await?;
    let target = format!("/Groups/{}", created.id());
    let rename = json!({"op": "replace", "value": {"id": created.id(), "displayName": "Machines"}});
    let member = |id: &str| json!({"value": id, "display": "somebody@okta.local"});
    let add = json!({"op": "add", "path": "members", "value": [member(ada.id()), member(bea.id())]});
    client.patch(&target, json!([rename, add])).await?.accepted()?;
    let filled = client.read(&target).await?;
    filled.has("displayName", json!("Machines"))?;
    filled.has_members(&[ada.id(), bea.id()])?;
    let remove = json!({"op": "remove", "path": format!("members[value eq \"{}\"]", ada.id())});
    client.patch(&target, json!([remove])).await?.accepted()?;
    client.read(&target).await?.has_members(&[bea.id()])?;
    let push = |members: Value| json!([{"op": "replace", "path": "members", "value": members}]);
    client.patch(&target, push(json!([member(ada.id())]))).await?.accepted()?;
    client.read(&target).await?.has_members(&[ada.id()])?;
    client.patch(&target, push(json!([]))).await?.accepted()?;
    client.read(&target).await?.has_members(&[])?;
    client.put(&target, group("Engines", &[bea.id()])).await?.is(200)?;
    client.read(&target).await?.has_members(&[bea.id()])?;
    client.remove(&target).await.map(drop)
}
