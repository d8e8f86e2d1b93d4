//! Whom a request is made for.

use scim_provider::{Context, TenantId};

/// The caller of a request, as authentication has found out.
///
/// There is no default and no way to change one: a request without a tenant cannot be expressed.
#[derive(Clone, Debug)]
pub struct Caller {
    tenant: TenantId,
    token: String,
    request: String,
}

impl Caller {
    /// The holder of a token: to be called where tokens are checked, and nowhere else.
    ///
    /// `token` is the token's name, never the token; `request` identifies the request in logs.
    pub fn authenticated(tenant: TenantId, token: impl Into<String>, request: impl Into<String>) -> Self {
        Self { tenant, token: token.into(), request: request.into() }
    }

    /// The name of the token that was shown.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What identifies the request in logs.
    pub fn request(&self) -> &str {
        &self.request
    }
}

impl Context for Caller {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}
