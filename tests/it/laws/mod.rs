//! The laws: what holds for every document, filter, PATCH, store and request, and not only for the cases that somebody
//! thought of. Each is checked on random inputs against a slow reference that is written here from the RFC and looks at
//! `serde_json::Value` only. `PROPTEST_CASES` raises the number of inputs. Above each law stands a mistake that turns it red.

mod bulk;
mod documents;
mod filters;
mod given;
mod model;
mod patches;
mod races;
mod rewrite;
mod stores;
mod total;

use std::sync::LazyLock;

use http::{Method, Request, Response};
use proptest::test_runner::Config;
use scim_provider::schema::{Attribute, Returned, Schema, core};
use scim_provider::{
    EnterpriseUser, Extension, MemoryStore, Resource, ResourceType, Service, TenantId, UnknownAttributes, User,
};
use serde_json::Value;

const BASE: &str = "https://scim.example.com/v2";

static USERS: LazyLock<ResourceType> =
    LazyLock::new(|| User::resource_type().extension(EnterpriseUser::schema()).build().unwrap());

static GROUPS: LazyLock<ResourceType> = LazyLock::new(|| crate::scim::groups().build().unwrap());

/// A type with an attribute of each kind and of each `returned`, at the top, in parts and in an extension.
static DEVICES: LazyLock<ResourceType> = LazyLock::new(|| {
    let part = Attribute::complex(
        "parts",
        [
            Attribute::string("value"),
            Attribute::string("type").canonical(["cpu", "disk"]),
            Attribute::boolean("primary"),
            Attribute::integer("rank"),
            Attribute::decimal("weight").returned(Returned::Request),
            Attribute::date_time("since"),
            Attribute::string("Code").case_exact(),
            Attribute::integer("pin").write_only(),
        ],
    );
    let lock = [Attribute::string("key").write_only(), Attribute::string("hint"), Attribute::boolean("set")];
    let device = Schema::new(
        "urn:example:schemas:2.0:Device",
        "Device",
        [
            Attribute::string("serialNumber").required().case_exact(),
            Attribute::string("model").immutable(),
            Attribute::boolean("active").returned(Returned::Always),
            Attribute::integer("count"),
            Attribute::decimal("price"),
            Attribute::date_time("bought"),
            Attribute::binary("firmware"),
            Attribute::reference("manual", ["external"]),
            Attribute::string("notes").returned(Returned::Request),
            Attribute::integer("code").write_only(),
            Attribute::string("tags").multi_valued(),
            Attribute::integer("ports").multi_valued(),
            Attribute::date_time("checks").multi_valued(),
            Attribute::complex("lock", lock),
            Attribute::complex("vault", [Attribute::string("door"), Attribute::integer("wheel")])
                .returned(Returned::Never),
            Attribute::complex("place", [Attribute::string("room"), Attribute::integer("floor")])
                .returned(Returned::Request),
            part.multi_valued(),
        ],
    );
    let owner = [Attribute::string("value").case_exact(), Attribute::reference("$ref", ["User"])];
    let lab = Schema::new(
        "urn:example:schemas:2.0:Device:Lab",
        "Lab",
        [
            Attribute::string("bench").returned(Returned::Always),
            Attribute::integer("shelf"),
            Attribute::complex("owner", owner),
            Attribute::string("labels").multi_valued().case_exact(),
            Attribute::string("memo").returned(Returned::Request),
        ],
    );
    let audit = Schema::new("urn:example:schemas:audit-1.0", "Audit", [Attribute::boolean("passed")]);
    let builder = ResourceType::builder("Device", "/Devices", device);
    builder.extension(lab).extension(audit).build().unwrap()
});

/// So many inputs for each law, unless `PROPTEST_CASES` says otherwise.
fn inputs() -> Config {
    Config { failure_persistence: None, max_shrink_iters: 4096, ..Config::default() }
}

/// Everything that a resource of the type may hold at its top, with the URN of the extension that it belongs to.
fn attributes(ty: &ResourceType) -> Vec<(Option<String>, Attribute)> {
    let own = core::common().into_iter().chain(ty.schema().attributes.clone()).map(|a| (None, a));
    let more = ty.extensions().flat_map(|(schema, _)| {
        schema.attributes.iter().map(|a| (Some(schema.id.clone()), a.clone())).collect::<Vec<_>>()
    });
    own.chain(more).collect()
}

/// Whether a `$ref` is the service's to write: its parent refers to resources.
fn is_link(attribute: &Attribute) -> bool {
    attribute.name == "$ref" && attribute.reference_types.iter().any(|t| t != "external" && t != "uri")
}

fn value_of(resource: &Resource) -> Value {
    serde_json::from_slice(resource.as_json()).unwrap()
}

fn text_of(resource: &Resource) -> &str {
    std::str::from_utf8(resource.as_json()).unwrap()
}

fn tenant() -> TenantId {
    TenantId::new("a").unwrap()
}

/// All three types on one store.
fn service(store: &MemoryStore, unknown: UnknownAttributes) -> Service<TenantId> {
    Service::builder(BASE)
        .resource(USERS.clone(), store.clone())
        .resource(GROUPS.clone(), store.clone())
        .resource(DEVICES.clone(), store.clone())
        .unknown_attributes(unknown)
        .build()
        .unwrap()
}

fn request(method: &Method, target: &str, body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
    let uri = format!("/v2{target}");
    Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/scim+json")
        .body(body.into())
        .unwrap()
}

async fn send(
    service: &Service<TenantId>,
    method: Method,
    target: &str,
    body: impl Into<Vec<u8>>,
) -> (u16, Response<Vec<u8>>) {
    let response = service.call(&tenant(), request(&method, target, body)).await;
    (response.status().as_u16(), response)
}

fn json(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body())
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(response.body())))
}

/// Runs to the end. Nothing here waits for anything but itself.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
