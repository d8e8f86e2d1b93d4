//! The hosts that the RFCs' examples take for granted.

use scim_provider::messages::ServiceProviderConfig;
use scim_provider::{
    Capabilities, Compat, EnterpriseUser, Error, Extension, Group, Key, MemoryStore, Page, Projection, Query, Resource,
    ResourceType, ScimType, Service, Store, StoreError, TenantId, User,
};

use super::catalogue::Catalogue;

/// The base URL of the examples.
pub(super) const BASE: &str = "https://example.com/v2";

/// The host that a scene names: the usual one for `""`.
pub(super) fn host(name: &str, compat: Compat, catalogue: &Catalogue) -> Service<TenantId> {
    let memory = Memory { store: MemoryStore::new(), confidential: name == "confidential" };
    let users = User::resource_type();
    let users = match name {
        // of the printed resource type the extension is required, of the printed users some do without
        "discovery" => users.required_extension(EnterpriseUser::schema()),
        _ => users.extension(EnterpriseUser::schema()),
    };
    let mut builder = Service::builder(BASE).compat(compat).resource(users, memory.clone());
    let printed = catalogue.body("7643-8.5-1839").clone();
    let printed: ServiceProviderConfig = serde_json::from_value(printed).unwrap();
    builder = printed.authentication_schemes.into_iter().fold(builder, |b, scheme| b.authentication_scheme(scheme));
    if let Some(uri) = printed.documentation_uri {
        builder = builder.documentation_uri(uri);
    }
    builder.resource(Group::resource_type(), memory).build().unwrap()
}

/// A store in memory that takes passwords, and where a scene asks for it refuses to be searched by names.
#[derive(Clone)]
struct Memory {
    store: MemoryStore,
    confidential: bool,
}

impl Store for Memory {
    type Context = TenantId;

    async fn get(&self, cx: &TenantId, key: Key<'_>, want: &Projection) -> Result<Option<Resource>, StoreError> {
        self.store.get(cx, key, want).await
    }

    async fn list(&self, cx: &TenantId, ty: &ResourceType, query: &Query) -> Result<Page, StoreError> {
        if self.confidential && query.filter.is_some() {
            let error = Error::bad_request(ScimType::Sensitive, "this attribute is confidential");
            return Err(StoreError::Refused(Box::new(error)));
        }
        self.store.list(cx, ty, query).await
    }

    crate::scim::writes_to!(store);

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities().with_change_password()
    }
}
