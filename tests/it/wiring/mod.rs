//! What connects the runners with the library: a file for each part.

mod attack;
mod filters;
mod flows;
mod patches;
mod remote;
mod reports;

use http::{Request, Response};
use scim_provider::{
    EnterpriseUser, Extension, Group, MemoryStore, ResourceType, Service, TenantId, User, service::unauthorized,
};

use crate::server::{Mount, Server};

const MOUNT: Mount = Mount { base: "https://scim.example.com/scim/v2", token: "s3cr3t-token-A" };

/// The service as a host mounts it: one bearer token in front, memory behind.
struct Host {
    service: Service<TenantId>,
    tenant: TenantId,
    mount: Mount,
}

impl Host {
    fn new() -> Self {
        Self::at(MOUNT)
    }

    fn at(mount: Mount) -> Self {
        let store = MemoryStore::new();
        let service = Service::builder(mount.base)
            .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
            .resource(crate::scim::groups(), store)
            .build();
        Self { service: service.unwrap(), tenant: TenantId::new("a").unwrap(), mount }
    }
}

impl Server for Host {
    async fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let mut credentials = request.headers().get_all("authorization").iter();
        let expected = format!("Bearer {}", self.mount.token);
        match (credentials.next(), credentials.next()) {
            (Some(one), None) if one.as_bytes() == expected.as_bytes() => {
                self.service.call(&self.tenant, request).await
            }
            _ => unauthorized("Bearer"),
        }
    }
}

/// Users with the enterprise extension.
fn users() -> ResourceType {
    User::resource_type().extension(EnterpriseUser::schema()).build().unwrap()
}

fn groups() -> ResourceType {
    Group::resource_type().build().unwrap()
}
