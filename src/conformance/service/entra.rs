//! What Microsoft Entra ID sends, in both of its dialects, and what it needs to read.

use serde_json::{Value, json};

use super::client::{Client, group, set};
use crate::conformance::{ServiceFixture, Stop, Verdict};

const ENTRA: &str = "the documentation of Entra ID's provisioning service";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn entra<F: ServiceFixture>(fixture: &F) -> Client<'_, F> {
    let client = Client::new(fixture, ENTRA).with("content-type", "application/scim+json; charset=utf-8");
    client.with("adscimversion", "6.0")
}

fn person(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "58342554-38d6-4ec8-948c-50044d0a33fd",
        "userName": name,
        "active": true,
        "displayName": "Linnea Aaltonen",
        "emails": [{"primary": true, "type": "work", "value": name}],
        "name": {"formatted": "Linnea Aaltonen", "familyName": "Aaltonen", "givenName": "Linnea"},
        "roles": [],
        "title": null,
        "meta": {"resourceType": "User"},
    })
}

/// The test of the connection looks for a user, and for a group, that cannot exist: an empty list, not a 404.
pub async fn entra_tests_the_connection<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = entra(fixture);
    let nobody = client.finds("/Users?filter=userName+eq+\"9b2e0ef5-4e4b-4f0f-9b0e-6a6f1b1e2d01\"", 0).await?;
    nobody.has("schemas/0", json!("urn:ietf:params:scim:api:messages:2.0:ListResponse"))?;
    client.needs_groups().await?;
    let filter = "displayName+eq+\"9b2e0ef5-4e4b-4f0f-9b0e-6a6f1b1e2d01\"";
    client.finds(&format!("/Groups?excludedAttributes=members&filter={filter}"), 0).await.map(drop)
}

/// A user is created, matched, changed in the default dialect, disabled with the text `False` and found all the same.
pub async fn entra_provisions_a_user<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = entra(fixture);
    let created = client.create("/Users", person("linnea@fabrikam.example")).await?;
    created.has("active", json!(true))?;
    let target = format!("/Users/{}", created.id());
    let matched = client.finds("/Users?filter=userName+eq+\"LINNEA@fabrikam.example\"", 1).await?;
    matched.has("Resources/0/id", json!(created.id()))?;
    client.post("/Users", person("linnea@fabrikam.example")).await?.is_error(409, Some("uniqueness"))?;
    let operations = json!([
        {"op": "Replace", "path": "displayName", "value": "Linnea Frost"},
        {"op": "Add", "path": "userName", "value": "linnea.frost@fabrikam.example"},
    ]);
    client.patch(&target, operations).await?.accepted()?;
    let operations = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    client.patch(&target, operations).await?.accepted()?;
    let disabled = client.finds("/Users?filter=userName+eq+\"linnea.frost@fabrikam.example\"", 1).await?;
    disabled.has("Resources/0/active", json!(false))?;
    disabled.has("Resources/0/displayName", json!("Linnea Frost"))?;
    client.patch(&target, json!([{"op": "Add", "path": "active", "value": "True"}])).await?.accepted()?;
    client.read(&target).await?.has("active", json!(true))
}

/// Work addresses that are not there yet are made from the path, also by `Replace`.
pub async fn entra_fills_value_paths<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = entra(fixture);
    let mut body = person("linnea@fabrikam.example");
    let home = json!({"type": "home", "value": "home@fabrikam.example"});
    set(&mut body, "emails", json!([home]));
    let created = client.create("/Users", body).await?;
    if created.at("emails").is_null() {
        return Err(Stop::NotApplicable("users have no `emails`"));
    }
    let target = format!("/Users/{}", created.id());
    for mail in ["first@fabrikam.example", "second@fabrikam.example"] {
        let operations = json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": mail}]);
        client.patch(&target, operations).await?.accepted()?;
        let now = client.read(&target).await?;
        let mails = now.at("emails").as_array().cloned().unwrap_or_default();
        let right =
            mails.len() == 2 && mails.contains(&home) && mails.contains(&json!({"type": "work", "value": mail}));
        let expected = format!("the address at home, and `{mail}` at work");
        client.log.expect(right, expected, now.at("emails").to_string())?;
    }
    let found = client.finds("/Users?filter=emails[type eq \"work\"].value eq \"second@fabrikam.example\"", 1).await?;
    found.has("Resources/0/id", json!(created.id()))
}

/// With its newer flag, one operation without a path holds keys that are paths.
pub async fn entra_sends_paths_as_keys<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = entra(fixture);
    let created = client.create("/Users", person("linnea@fabrikam.example")).await?;
    let target = format!("/Users/{}", created.id());
    let value = json!({"displayName": "Linnea Frost", "name.familyName": "Frost", "active": false});
    client.patch(&target, json!([{"op": "replace", "value": value}])).await?.accepted()?;
    let now = client.read(&target).await?;
    now.has("displayName", json!("Linnea Frost"))?;
    now.has("name/familyName", json!("Frost"))?;
    now.has("name/givenName", json!("Linnea"))?;
    now.has("active", json!(false))
}

/// A manager is set, asked about, changed as a plain string, and cleared.
pub async fn entra_links_a_manager<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = entra(fixture);
    let types = client.read("/ResourceTypes").await?;
    if !types.body.to_string().contains(ENTERPRISE) {
        return Err(Stop::NotApplicable("users have no enterprise extension"));
    }
    let boss = client.create("/Users", person("boss@fabrikam.example")).await?;
    let chief = client.create("/Users", person("chief@fabrikam.example")).await?;
    let report = client.create("/Users", person("report@fabrikam.example")).await?;
    let target = format!("/Users/{}", report.id());
    let path = format!("{ENTERPRISE}:manager");
    let manager = format!("{ENTERPRISE}/manager/value");
    let set = |value: Value| json!([{"op": "Add", "path": path, "value": value}]);
    client.patch(&target, set(json!({"value": boss.id()}))).await?.accepted()?;
    client.read(&target).await?.has(&manager, json!(boss.id()))?;
    let asked = |id: &str| format!("/Users?attributes=id&filter=id eq \"{}\" and manager eq \"{id}\"", report.id());
    client.finds(&asked(boss.id()), 1).await?;
    client.finds(&asked(chief.id()), 0).await?;
    client.patch(&target, set(json!(chief.id()))).await?.accepted()?;
    client.read(&target).await?.has(&manager, json!(chief.id()))?;
    client.patch(&target, json!([{"op": "Remove", "path": path}])).await?.accepted()?;
    client.read(&target).await?.has(&manager, json!(null))
}

/// A group is created empty and filled one member at a time; `Remove` with a list removes those alone.
pub async fn entra_provisions_a_group<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = entra(fixture);
    client.needs_groups().await?;
    let mut ids = Vec::new();
    for name in ["ada", "bea", "cyd"] {
        ids.push(client.create("/Users", person(name)).await?.id().to_owned());
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut body = group("Engines", &[]);
    set(
        &mut body,
        "schemas",
        json!([
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
        ]),
    );
    let created = client.create("/Groups", body).await?;
    let target = format!("/Groups/{}", created.id());
    for id in &ids {
        // the second time is without effect, and no error
        for _ in 0..2 {
            let value = json!([{"$ref": null, "value": id}]);
            client.patch(&target, json!([{"op": "Add", "path": "members", "value": value}])).await?.accepted()?;
        }
    }
    client.read(&target).await?.has_members(&ids)?;
    let listed: Vec<Value> = ids.iter().skip(1).map(|id| json!({"$ref": null, "value": id})).collect();
    client.patch(&target, json!([{"op": "Remove", "path": "members", "value": listed}])).await?.accepted()?;
    client.read(&target).await?.has_members(ids.get(..1).unwrap_or_default())?;
    client.patch(&target, json!([{"op": "Replace", "path": "displayName", "value": "Machines"}])).await?.accepted()?;
    let renamed = client.read(&target).await?;
    renamed.has("displayName", json!("Machines"))?;
    renamed.has_members(ids.get(..1).unwrap_or_default())?;
    client.remove(&target).await?;
    client.get(&target).await?.is_error(404, None)
}
