//! Putting a service together.

use std::fmt;
use std::sync::Arc;

use http::Uri;

use super::discovery::Discovery;
use super::me::{Me, WhoIsIt};
use super::observe::{Cost, Observer};
use super::transaction::{BulkTransaction, ErasedTransaction};
use super::{CostLimiter, Inner, Limiter, Registered, Service};
use crate::compat::Compat;
use crate::cursor::Seal;
use crate::messages::AuthenticationScheme;
use crate::resource::{Links, Projection, UnknownAttributes};
use crate::schema::{ResourceType, ResourceTypeBuilder, Schema, SchemaError};
use crate::store::{Context, ErasedStore, Store};
use crate::{Error, Limits};

/// Builds a [`Service`].
pub struct ServiceBuilder<C> {
    base: String,
    types: Vec<Registration<C>>,
    pub(super) limits: Limits,
    compat: Compat,
    unknown: UnknownAttributes,
    observer: Option<Box<dyn Observer<C>>>,
    pub(super) bulk: bool,
    transaction: Option<Box<dyn ErasedTransaction<C>>>,
    me: Option<WhoIsIt<C>>,
    limiter: Option<Limiter<C>>,
    cost_limiter: Option<CostLimiter<C>>,
    seal: Option<Seal>,
    pub(super) documentation_uri: Option<String>,
    pub(super) schemes: Vec<AuthenticationScheme>,
}

/// A resource type to be, its store, and what its PATCH answers with where the host says so.
type Registration<C> = (ResourceTypeBuilder, Box<dyn ErasedStore<C>>, Option<PatchAnswer>);

/// What a successful PATCH answers with, unless the request names attributes: then it is always the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatchAnswer {
    /// 200 and the resource: the default for all types that have no references such as `members`.
    Resource,
    /// 204 and no body: the default for groups, where the resource may be large.
    Nothing,
}

impl<C: Context> ServiceBuilder<C> {
    pub(super) fn new(base: String) -> Self {
        Self {
            base,
            types: Vec::new(),
            limits: Limits::default(),
            compat: Compat::default(),
            unknown: UnknownAttributes::default(),
            observer: None,
            bulk: true,
            transaction: None,
            me: None,
            limiter: None,
            cost_limiter: None,
            seal: None,
            documentation_uri: None,
            schemes: Vec::new(),
        }
    }

    /// Serves a resource type from a store. One store may serve several types.
    #[must_use]
    pub fn resource<S: Store<Context = C>>(mut self, ty: impl Into<ResourceTypeBuilder>, store: S) -> Self {
        self.types.push((ty.into(), Box::new(store), None));
        self
    }

    /// Says what a PATCH of the resource type that was added last answers with.
    #[must_use]
    pub fn patch_answers(mut self, answer: PatchAnswer) -> Self {
        if let Some((_, _, slot)) = self.types.last_mut() {
            *slot = Some(answer);
        }
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Says which departures from the RFCs are accepted.
    #[must_use]
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self
    }

    /// Says what happens to attributes and extensions that no schema defines.
    #[must_use]
    pub fn unknown_attributes(mut self, unknown: UnknownAttributes) -> Self {
        self.unknown = unknown;
        self
    }

    /// Watches the exchanges.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer<C>) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Refuses bulk requests with 501, and says so in `ServiceProviderConfig`. Without this they are served (RFC 7644 §3.7),
    /// within [`Limits::bulk_operations`] and [`Limits::bulk_bytes`].
    #[must_use]
    pub fn without_bulk(mut self) -> Self {
        self.bulk = false;
        self
    }

    /// Carries out each bulk request in a transaction: all of it or nothing. Without this each operation stands for itself,
    /// as RFC 7644 §3.7 has it.
    #[must_use]
    pub fn bulk_transaction(mut self, transaction: impl BulkTransaction<C>) -> Self {
        self.transaction = Some(Box::new(transaction));
        self
    }

    /// Serves `/Me` (RFC 7644 §3.11): says which resource belongs to who asks. `None` is answered with 404, an error as it is.
    /// Without this `/Me` is answered with 501.
    #[must_use]
    pub fn me(mut self, who: impl Fn(&C) -> Result<Option<Me>, Error> + Send + Sync + 'static) -> Self {
        self.me = Some(Box::new(who));
        self
    }

    /// Asks the host before each request is looked at, whether it may go on: by who asks, the method, the path, a header. What is
    /// refused is answered with the error, best one that says when to come back ([`Error::too_many_requests`],
    /// [`Error::unavailable`]). A bulk request is one request; [`Limits::bulk_operations`] bounds what is in it.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use scim_provider::{Error, MemoryStore, Service, TenantId, User};
    ///
    /// let left = AtomicU32::new(600); // filled up each minute, one for each tenant
    /// let scim = Service::builder("https://api.example.com/scim/v2")
    ///     .resource(User::resource_type(), MemoryStore::new())
    ///     .limiter(move |_: &TenantId, _| {
    ///         let token = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    ///         token.map(drop).map_err(|_| Error::too_many_requests(30))
    ///     })
    ///     .build()?;
    /// # Ok::<(), scim_provider::BuildError>(())
    /// ```
    #[must_use]
    pub fn limiter(
        mut self,
        admits: impl Fn(&C, &http::request::Parts) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.limiter = Some(Box::new(admits));
        self
    }

    /// Asks the host a second time when a query or a change has been read and before a store is asked: by the length of its body,
    /// the comparisons of its filter, its operations. A bulk request is asked for once, with the number of its operations.
    /// What a request did cost in the end is in [`Exchange::cost`](crate::Exchange::cost).
    ///
    /// ```
    /// # use scim_provider::{Error, MemoryStore, Service, TenantId, User};
    /// let scim = Service::builder("https://api.example.com/scim/v2")
    ///     .resource(User::resource_type(), MemoryStore::new())
    ///     // or take so many tokens from the tenant's bucket
    ///     .cost_limiter(|_: &TenantId, cost| match cost.operations + cost.terms {
    ///         0..=500 => Ok(()),
    ///         _ => Err(Error::too_many_requests(30)),
    ///     })
    ///     .build()?;
    /// # Ok::<(), scim_provider::BuildError>(())
    /// ```
    #[must_use]
    pub fn cost_limiter(mut self, admits: impl Fn(&C, &Cost) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        self.cost_limiter = Some(Box::new(admits));
        self
    }

    /// Seals cursors (RFC 9865 §5.2), best with authenticated encryption under a key that all of the host's processes share:
    /// nobody then reads in a URL what a page was sorted by, and a forged cursor is not one. What `open` gives must be what
    /// `close` was given, or nothing; the text that clients carry is made of what `close` gives.
    ///
    /// Without this a cursor is scrambled, which hides nothing from somebody who wants to know. It does no more harm than
    /// that: whatever position a cursor names, the page holds what its sender could list anyway.
    ///
    /// ```
    /// # struct Key;
    /// # impl Key {
    /// #     fn encrypt(&self, plain: &[u8]) -> Vec<u8> { plain.iter().rev().copied().collect() }
    /// #     fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> { Some(self.encrypt(sealed)) }
    /// # }
    /// # static KEY: Key = Key;
    /// use scim_provider::{MemoryStore, Service, TenantId, User};
    ///
    /// let scim = Service::<TenantId>::builder("https://api.example.com/scim/v2")
    ///     .resource(User::resource_type(), MemoryStore::new())
    ///     // AES-GCM or the like, with a nonce in front
    ///     .cursor_seal(|plain| KEY.encrypt(plain), |sealed| KEY.decrypt(sealed))
    ///     .build()?;
    /// # Ok::<(), scim_provider::BuildError>(())
    /// ```
    #[must_use]
    pub fn cursor_seal(
        mut self,
        close: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
        open: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.seal = Some(Seal { close: Arc::new(close), open: Arc::new(open) });
        self
    }

    /// Publishes where people find help: `documentationUri`.
    #[must_use]
    pub fn documentation_uri(mut self, uri: impl Into<String>) -> Self {
        self.documentation_uri = Some(uri.into());
        self
    }

    /// Publishes a way to authenticate. Without any, OAuth bearer tokens are published.
    #[must_use]
    pub fn authentication_scheme(mut self, scheme: AuthenticationScheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// Builds the service.
    ///
    /// # Errors
    /// When the base URL is not absolute, no resource type is registered, two share a name or an endpoint, or a schema
    /// breaks a rule or is not the same in two of them.
    pub fn build(mut self) -> Result<Service<C>, BuildError> {
        let (base, prefix) = base_url(&self.base)?;
        let mut types: Vec<Registered<C>> = Vec::with_capacity(self.types.len());
        for (ty, store, answer) in std::mem::take(&mut self.types) {
            let ty = ty.build().map_err(BuildError::Schema)?;
            let taken =
                |r: &Registered<C>| r.ty.name() == ty.name() || r.ty.endpoint().eq_ignore_ascii_case(ty.endpoint());
            if types.iter().any(taken) || is_reserved(ty.endpoint()) {
                return Err(BuildError::Endpoint(ty.endpoint().to_owned()));
            }
            types.push(Registered::new(ty, store, answer));
        }
        if let Some(id) = differing(&types) {
            return Err(BuildError::Differing(id));
        }
        if types.is_empty() {
            return Err(BuildError::NoResourceType);
        }
        self.limits.bulk_operations = bulk_operations(&self.limits, &types);
        let endpoints = types.iter().map(|r| (r.ty.name().to_owned(), r.ty.endpoint().to_owned())).collect();
        let links = Links::new(base, endpoints);
        let discovery = Discovery::new(&self, &types, &links);
        let inner = Inner {
            links,
            prefix,
            types,
            limits: self.limits,
            compat: self.compat,
            unknown: self.unknown,
            observer: self.observer,
            bulk: self.bulk,
            transaction: self.transaction,
            me: self.me,
            limiter: self.limiter,
            cost_limiter: self.cost_limiter,
            seal: self.seal,
            discovery,
        };
        Ok(Service { inner: Arc::new(inner) })
    }
}

impl<C> Registered<C> {
    fn new(ty: ResourceType, store: Box<dyn ErasedStore<C>>, answer: Option<PatchAnswer>) -> Self {
        let usual = if ty.has_references() { PatchAnswer::Nothing } else { PatchAnswer::Resource };
        Self {
            store,
            answer: answer.unwrap_or(usual),
            default: Projection::default_of(&ty),
            identity: Projection::identity(&ty),
            document: Projection::document(&ty),
            everything: Projection::everything(&ty),
            ty,
        }
    }
}

impl<C> fmt::Debug for ServiceBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceBuilder").field("base", &self.base).field("types", &self.types.len()).finish()
    }
}

/// What the service itself does for a usual operation, in the units of a budget.
const OPERATION: u64 = 15_000;

/// Why a service cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is not absolute, or has a query.
    #[error("`{0}` is not an absolute http or https URL without a query")]
    Base(String),
    /// There is no resource type.
    #[error("no resource type is registered")]
    NoResourceType,
    /// Two resource types share a name or an endpoint, or the endpoint belongs to the protocol.
    #[error("the endpoint `{0}` or its resource type's name is taken")]
    Endpoint(String),
    /// Resource types mean different schemas by one URI, of which `/Schemas` could show one only.
    #[error("schema `{0}` is not the same in all resource types")]
    Differing(String),
    /// A schema breaks a rule.
    #[error(transparent)]
    Schema(SchemaError),
}

/// How many operations of a bulk request fit into the work that a request may be, by what the slowest store says of itself.
fn bulk_operations<C: Context>(limits: &Limits, types: &[Registered<C>]) -> usize {
    let slowest = types.iter().map(|r| r.store.capabilities().write_work).max().unwrap_or_default();
    let fit = limits.work / slowest.saturating_add(OPERATION).max(1);
    limits.bulk_operations.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1)
}

/// A schema that two types have by the same URI, and not alike.
fn differing<C>(types: &[Registered<C>]) -> Option<String> {
    let all: Vec<_> = types.iter().flat_map(|r| r.ty.schemas()).collect();
    let differs = |schema: &&&Schema| all.iter().any(|s| s.id.eq_ignore_ascii_case(&schema.id) && s != *schema);
    all.iter().find(differs).map(|schema| schema.id.clone())
}

/// The base URL without a slash at its end, and its path.
fn base_url(base: &str) -> Result<(String, String), BuildError> {
    let refuse = || BuildError::Base(base.to_owned());
    let uri: Uri = base.parse().map_err(|_| refuse())?;
    let http = matches!(uri.scheme_str(), Some("http" | "https"));
    let plain = base.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    let userinfo = uri.authority().is_some_and(|a| a.as_str().contains('@'));
    if !http || !plain || userinfo || uri.query().is_some() || uri.authority().is_none() {
        return Err(refuse());
    }
    Ok((base.trim_end_matches('/').to_owned(), uri.path().trim_end_matches('/').to_owned()))
}

fn is_reserved(endpoint: &str) -> bool {
    let reserved = ["/", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/Bulk", "/Me", "/.search"];
    let nested = endpoint.trim_start_matches('/').contains('/');
    nested || reserved.iter().any(|r| r.eq_ignore_ascii_case(endpoint))
}
