//! What every client relies on, whoever the provider is.

use serde_json::json;

use super::client::{Client, at, group, set, user};
use crate::conformance::{ServiceFixture, Verdict};

/// An id that nobody has is a 404, as a SCIM error.
pub async fn an_unknown_id_is_404<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.12 (404)");
    client.get("/Users/2819c223-7f76-453a-919d-413861904646").await?.is_error(404, None)
}

/// So is an endpoint that is not there.
pub async fn an_unknown_endpoint_is_404<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.12 (404)");
    client.get("/Unicorns").await?.is_error(404, None)
}

/// A method that an endpoint does not have is a 405 that names those that it has.
pub async fn a_wrong_method_is_405<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 9110 §15.5.6 (405 and `Allow`)");
    let answer = client.put("/Users", user("ada")).await?;
    answer.is_error(405, None)?;
    let allow = answer.header("allow").to_owned();
    client.log.expect(allow.contains("GET"), "an `Allow` header with the endpoint's methods", allow)
}

/// A creation answers with all that a client needs: status, location, version and the whole resource.
pub async fn a_creation_answers_in_full<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.3 (201, `Location`, the resource)");
    let answer = client.create_user("ada").await?;
    let suffix = format!("/Users/{}", answer.id());
    client.log.expect(
        answer.location().ends_with(&suffix),
        format!("a `Location` with {suffix}"),
        answer.location(),
    )?;
    answer.has("meta/location", json!(answer.location()))?;
    answer.has("meta/resourceType", json!("User"))?;
    answer.has("userName", json!("ada"))?;
    client.log.expect(!answer.etag().is_empty(), "an `ETag`", "none")?;
    answer.has("meta/version", json!(answer.etag()))
}

/// Answers are `application/scim+json`.
pub async fn answers_are_scim_json<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.1 (media type)");
    for answer in [client.read("/Users").await?, client.get("/Users/nobody").await?] {
        let right = answer.media_type() == "application/scim+json";
        client.log.expect(right, "`application/scim+json`", answer.media_type())?;
    }
    Ok(())
}

/// A client that speaks plain JSON gets plain JSON.
pub async fn plain_json_is_understood<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §8.1 (`application/json`)");
    let client = client.with("content-type", "application/json").with("accept", "application/json");
    let answer = client.create_user("ada").await?;
    let right = answer.media_type() == "application/json";
    client.log.expect(right, "`application/json`", answer.media_type())
}

/// A body that is no JSON is `invalidSyntax`.
pub async fn a_malformed_body_is_invalid_syntax<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.12 (`invalidSyntax`)");
    let body = Some("{\"userName\": ".to_owned());
    client.send("POST", "/Users", body).await?.is_error(400, Some("invalidSyntax"))
}

/// A filter that is none is `invalidFilter`.
pub async fn a_malformed_filter_is_invalid_filter<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.4.2.2 (`invalidFilter`)");
    client.get("/Users?filter=userName eq").await?.is_error(400, Some("invalidFilter"))
}

/// A name that is taken is a 409 with `uniqueness`, however the user came to it.
pub async fn a_taken_name_is_409<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.3 (409, `uniqueness`)");
    client.create_user("ada").await?;
    let bea = client.create_user("bea").await?;
    client.post("/Users", user("ADA")).await?.is_error(409, Some("uniqueness"))?;
    let target = format!("/Users/{}", bea.id());
    client.put(&target, user("Ada")).await?.is_error(409, Some("uniqueness"))?;
    let operations = json!([{"op": "replace", "path": "userName", "value": "ada"}]);
    client.patch(&target, operations).await?.is_error(409, Some("uniqueness"))
}

/// A list is a list whatever it holds, with whole numbers.
pub async fn a_list_has_whole_numbers<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.4.2 (ListResponse)");
    for (name, total) in [("ada", 1), ("bea", 2), ("cyd", 3)] {
        client.create_user(name).await?;
        client.finds("/Users", total).await?;
    }
    let answer = client.finds("/Users?startIndex=2&count=1", 3).await?;
    answer.has("schemas/0", json!("urn:ietf:params:scim:api:messages:2.0:ListResponse"))?;
    answer.has("startIndex", json!(2))?;
    answer.has("itemsPerPage", json!(1))?;
    answer.has("Resources/1", json!(null))
}

/// Only those attributes are in an answer that were asked for, and `id`.
pub async fn an_answer_holds_what_was_asked_for<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.9 (`attributes`)");
    let ada = client.create_user("ada").await?;
    let answer = client.read(&format!("/Users/{}?attributes=active", ada.id())).await?;
    answer.has("id", json!(ada.id()))?;
    answer.has("userName", json!(null))?;
    let answer = client.read(&format!("/Users/{}?excludedAttributes=userName", ada.id())).await?;
    answer.has("id", json!(ada.id()))?;
    answer.has("userName", json!(null))
}

/// A client that has the present version is spared the body.
pub async fn the_present_version_is_304<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.14 (`If-None-Match`)");
    let ada = client.create_user("ada").await?;
    let target = format!("/Users/{}", ada.id());
    client.with("if-none-match", ada.etag()).get(&target).await?.is(304)?;
    let changed = client.put(&target, user("countess")).await?;
    changed.is(200)?;
    client.with("if-none-match", ada.etag()).get(&target).await?.is(200)
}

/// A change of a version that is no longer there is a 412, and one of the present version succeeds.
pub async fn a_stale_version_is_412<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.14 (`If-Match`)");
    let ada = client.create_user("ada").await?;
    let target = format!("/Users/{}", ada.id());
    let now = client.with("if-match", ada.etag()).put(&target, user("countess")).await?;
    now.is(200)?;
    let stale = client.with("if-match", ada.etag());
    stale.put(&target, user("stale")).await?.is_error(412, None)?;
    let operations = json!([{"op": "replace", "path": "active", "value": false}]);
    stale.patch(&target, operations.clone()).await?.is_error(412, None)?;
    stale.delete(&target).await?.is_error(412, None)?;
    client.read(&target).await?.has("userName", json!("countess"))?;
    client.with("if-match", now.etag()).patch(&target, operations).await?.accepted()
}

/// What is deleted is gone: 204, then 404 for everything.
pub async fn what_is_deleted_is_gone<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.6 (deleting)");
    let ada = client.create_user("ada").await?;
    let target = format!("/Users/{}", ada.id());
    client.remove(&target).await?;
    client.get(&target).await?.is_error(404, None)?;
    client.put(&target, user("ada")).await?.is_error(404, None)?;
    client.delete(&target).await?.is_error(404, None)?;
    client.finds("/Users?filter=userName eq \"ada\"", 0).await?;
    let again = client.create_user("ada").await?;
    client.log.expect(again.id() != ada.id(), "another id", again.id())
}

/// A PUT that repeats what is read-only is accepted, and changes nothing of it.
pub async fn what_is_read_only_is_ignored<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.5.1 (readOnly values are ignored)");
    let ada = client.create_user("ada").await?;
    let mut body = ada.body.clone();
    set(&mut body, "id", json!("another"));
    set(&mut body, "meta/created", json!("2011-05-13T04:42:34Z"));
    set(&mut body, "groups", json!([{"value": "wheel"}]));
    let answer = client.put(&format!("/Users/{}", ada.id()), body).await?;
    answer.is(200)?;
    answer.has("id", json!(ada.id()))?;
    answer.has("meta/created", ada.at("meta/created").clone())?;
    answer.has("groups", json!(null))
}

/// A password is in no answer.
pub async fn a_password_is_never_answered<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7643 §4.1.1 (`password` is never returned)");
    let mut body = user("ada");
    set(&mut body, "password", json!("t1meMa$hine"));
    let ada = client.create("/Users", body).await?;
    let read = client.read(&format!("/Users/{}?attributes=password,userName", ada.id())).await?;
    for answer in [ada, read, client.read("/Users").await?] {
        let shown = answer.body.to_string();
        client.log.expect(!shown.contains("t1meMa$hine"), "no answer with the password in it", shown)?;
    }
    Ok(())
}

/// One tenant's users are not there for another.
pub async fn tenants_are_apart<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §6 (multi-tenancy)");
    let other = client.of_the_other_tenant();
    let ada = client.create_user("ada").await?;
    let target = format!("/Users/{}", ada.id());
    other.get(&target).await?.is_error(404, None)?;
    other.put(&target, user("mallory")).await?.is_error(404, None)?;
    let operations = json!([{"op": "replace", "path": "active", "value": false}]);
    other.patch(&target, operations).await?.is_error(404, None)?;
    other.finds("/Users", 0).await?;
    other.create_user("ada").await?;
    client.finds("/Users", 1).await?;
    client.read(&target).await?.has("meta/version", json!(ada.etag()))
}

/// The configuration is complete; numbers are there also for what is not supported.
pub async fn the_configuration_is_complete<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7643 §5 (ServiceProviderConfig)");
    let config = client.read("/ServiceProviderConfig").await?;
    for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
        let supported = config.at(&format!("{feature}/supported"));
        client.log.expect(
            supported.is_boolean(),
            format!("`{feature}.supported`, a boolean"),
            supported.to_string(),
        )?;
    }
    for (feature, number) in [("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")] {
        let value = config.at(&format!("{feature}/{number}"));
        client.log.expect(value.is_u64(), format!("`{feature}.{number}`, a whole number"), value.to_string())?;
    }
    let schemes = config.at("authenticationSchemes");
    client.log.expect(
        config.at("authenticationSchemes/0/type").is_string(),
        "an authentication scheme",
        schemes.to_string(),
    )
}

/// Every resource type and every schema that it names can be read on its own.
pub async fn types_and_schemas_are_found<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §4 (discovery)");
    let types = client.read("/ResourceTypes").await?;
    let types = types.at("Resources").as_array().cloned().unwrap_or_default();
    client.log.expect(!types.is_empty(), "at least one resource type", "none")?;
    for ty in &types {
        let name = at(ty, "name").as_str().unwrap_or_default();
        client.read(&format!("/ResourceTypes/{name}")).await?.has("endpoint", at(ty, "endpoint").clone())?;
        let schema = at(ty, "schema").as_str().unwrap_or_default();
        client.read(&format!("/Schemas/{schema}")).await?.has("id", json!(schema))?;
    }
    Ok(())
}

/// A group that is listed without its members has none in the answer.
pub async fn members_can_be_left_out<F: ServiceFixture>(fixture: &F) -> Verdict {
    let client = Client::new(fixture, "RFC 7644 §3.9 (`excludedAttributes`)");
    client.needs_groups().await?;
    let ada = client.create_user("ada").await?;
    let engines = client.create("/Groups", group("Engines", &[ada.id()])).await?;
    let found = client.finds("/Groups?excludedAttributes=members&filter=displayName eq \"Engines\"", 1).await?;
    found.has("Resources/0/id", json!(engines.id()))?;
    found.has("Resources/0/members", json!(null))?;
    client.read(&format!("/Groups/{}", engines.id())).await?.has_members(&[ada.id()])
}
