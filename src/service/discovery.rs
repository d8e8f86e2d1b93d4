//! The discovery endpoints (RFC 7644 §4), written once when the service is built, from what is registered and enforced.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::Registered;
use super::answer::Reply;
use super::builder::ServiceBuilder;
use super::request::Call;
use crate::Error;
use crate::messages::{
    AuthenticationScheme, BulkSupport, FilterSupport, LIST_RESPONSE_SCHEMA, PaginationMethod, PaginationSupport,
    ResourceTypeDefinition, SchemaExtension, ServiceProviderConfig, Supported,
};
use crate::query::decode;
use crate::resource::Links;
use crate::schema::{Schema, core};
use crate::store::Context;

/// The answers of the discovery endpoints.
pub(crate) struct Discovery {
    config: Vec<u8>,
    schemas: Collection,
    resource_types: Collection,
}

/// Entries that are listed, and found by id.
struct Collection {
    list: Vec<u8>,
    entries: Vec<(String, Vec<u8>)>,
}

impl Discovery {
    pub(super) fn new<C: Context>(builder: &ServiceBuilder<C>, types: &[Registered<C>], links: &Links) -> Self {
        Self {
            config: text(&config(builder, types, links)),
            schemas: Collection::new(schemas(types).iter().map(|s| (s.id.clone(), schema(s, links)))),
            resource_types: Collection::new(types.iter().map(|r| (r.ty.name().to_owned(), resource_type(r, links)))),
        }
    }

    pub(super) fn config(&self, call: &Call<'_>) -> Result<Reply, Error> {
        refuse_filter(call)?;
        Ok(Reply::json(self.config.clone()))
    }

    pub(super) fn schemas(&self, call: &Call<'_>, id: Option<&str>) -> Result<Reply, Error> {
        self.schemas.answer(call, id)
    }

    pub(super) fn resource_types(&self, call: &Call<'_>, id: Option<&str>) -> Result<Reply, Error> {
        self.resource_types.answer(call, id)
    }
}

impl Collection {
    fn new(entries: impl Iterator<Item = (String, Value)>) -> Self {
        let (ids, values): (Vec<String>, Vec<Value>) = entries.unzip();
        let list = json!({
            "schemas": [LIST_RESPONSE_SCHEMA],
            "totalResults": values.len(),
            "startIndex": 1,
            "itemsPerPage": values.len(),
            "Resources": values,
        });
        Self { list: text(&list), entries: ids.into_iter().zip(values.iter().map(text)).collect() }
    }

    /// All entries, or the one with the id. Sorting and paging are ignored here; a filter is refused (RFC 7644 §4).
    fn answer(&self, call: &Call<'_>, id: Option<&str>) -> Result<Reply, Error> {
        refuse_filter(call)?;
        let Some(id) = id else { return Ok(Reply::json(self.list.clone())) };
        // the letter case of a URN means nothing, that of a type's name tells two apart
        let exact = self.entries.iter().find(|(entry, _)| entry == id);
        let found = exact.or_else(|| self.entries.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(id)));
        found.map(|(_, body)| Reply::json(body.clone())).ok_or_else(|| Error::not_found("no such entry"))
    }
}

fn refuse_filter(call: &Call<'_>) -> Result<(), Error> {
    for (name, value) in call.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
        // an empty one is none, as it is for resources
        if !value.is_empty() && decode(name)?.eq_ignore_ascii_case("filter") {
            return Err(Error::new(StatusCode::FORBIDDEN, "this endpoint cannot be filtered"));
        }
    }
    Ok(())
}

fn config<C: Context>(builder: &ServiceBuilder<C>, types: &[Registered<C>], links: &Links) -> Value {
    let limits = &builder.limits;
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let mut config = ServiceProviderConfig::new();
    config.documentation_uri = builder.documentation_uri.clone();
    config.patch = Supported::YES;
    // clients read the numbers where bulk is not served too, and some use them to size their requests
    config.bulk = BulkSupport::new(number(limits.bulk_operations), number(limits.bulk_bytes));
    config.bulk.supported = builder.bulk;
    config.filter = FilterSupport::new(number(limits.page_max));
    let change_password = types.iter().any(|r| r.store.capabilities().change_password);
    config.change_password = if change_password { Supported::YES } else { Supported::NO };
    config.sort = Supported::YES;
    config.etag = Supported::YES;
    config.pagination = Some(pagination(limits.page_default, limits.page_max));
    config.authentication_schemes = match builder.schemes.as_slice() {
        [] => vec![AuthenticationScheme::oauth_bearer_token().primary()],
        schemes => schemes.to_vec(),
    };
    with_meta(&config, "ServiceProviderConfig", format!("{}/ServiceProviderConfig", links.base()))
}

/// Pages by index unless the client asks for cursors, which never expire: nothing is kept for them here.
fn pagination(default: usize, most: usize) -> PaginationSupport {
    let size = |n: usize| u64::try_from(n).ok().filter(|n| *n > 0);
    let mut pagination = PaginationSupport::new();
    (pagination.cursor, pagination.index) = (true, true);
    pagination.default_pagination_method = Some(PaginationMethod::Index);
    pagination.default_page_size = size(default.min(most));
    pagination.max_page_size = size(most);
    pagination
}

/// Every schema that a resource type uses, once, and those of the discovery endpoints themselves.
fn schemas<C>(types: &[Registered<C>]) -> Vec<Schema> {
    let used = types.iter().flat_map(|r| r.ty.schemas().cloned());
    let own = [served(core::service_provider_config()), core::resource_type(), core::schema()];
    let mut all: Vec<Schema> = Vec::new();
    for schema in used.chain(own) {
        if !all.iter().any(|s| s.id.eq_ignore_ascii_case(&schema.id)) {
            all.push(schema);
        }
    }
    all
}

/// The configuration's schema without what is never in the configuration: no security events are issued (RFC 9967 §4).
fn served(mut config: Schema) -> Schema {
    config.attributes.retain(|attribute| attribute.name != "securityEvents");
    config
}

fn schema(schema: &Schema, links: &Links) -> Value {
    with_meta(schema, "Schema", format!("{}/Schemas/{}", links.base(), schema.id))
}

fn resource_type<C>(registered: &Registered<C>, links: &Links) -> Value {
    let ty = &registered.ty;
    let mut definition = ResourceTypeDefinition::new(ty.name(), ty.endpoint(), ty.schema().id.as_str());
    definition.id = Some(ty.name().to_owned());
    definition.description = Some(ty.description().to_owned()).filter(|d| !d.is_empty());
    definition.schema_extensions = ty
        .extensions()
        .map(|(schema, required)| match required {
            true => SchemaExtension::required(schema.id.as_str()),
            false => SchemaExtension::optional(schema.id.as_str()),
        })
        .collect();
    with_meta(&definition, "ResourceType", format!("{}/ResourceTypes/{}", links.base(), ty.name()))
}

fn with_meta(resource: &impl Serialize, resource_type: &str, location: String) -> Value {
    let mut value = serde_json::to_value(resource).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("meta".to_owned(), json!({"resourceType": resource_type, "location": location}));
    }
    value
}

fn text(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
