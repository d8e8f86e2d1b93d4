//! From an HTTP request to an HTTP response, without a web framework (RFC 7644 §3).

mod accept;
mod answer;
mod body;
mod builder;
mod bulk;
mod change;
mod discovery;
mod find;
mod me;
mod observe;
mod page;
mod request;
mod response;
mod root;
mod transaction;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{Method, Request, Response};

pub use self::body::{Body, BrokenOff};
pub use self::builder::{BuildError, PatchAnswer, ServiceBuilder};
pub use self::me::Me;
pub use self::observe::{Cost, Exchange, Observer};
pub use self::response::unauthorized;
pub use self::transaction::BulkTransaction;

use self::answer::Reply;
use self::discovery::Discovery;
use self::me::WhoIsIt;
use self::observe::Trace;
use self::request::{Call, Route};
use self::transaction::ErasedTransaction;
use crate::compat::Compat;
use crate::cursor::Seal;
use crate::resource::{Links, Pipe, Projection, Rules, UnknownAttributes};
use crate::schema::ResourceType;
use crate::store::{Context, ErasedStore};
use crate::{Error, Limits};

/// A SCIM service provider: resource types, the stores behind them, and the protocol in front.
///
/// ```
/// # use scim_provider::{EnterpriseUser, Extension, Group, MemoryStore, Service, TenantId, User};
/// let store = MemoryStore::new();
/// let scim: Service<TenantId> = Service::builder("https://api.example.com/scim/v2")
///     .resource(User::resource_type().extension(EnterpriseUser::schema()), store.clone())
///     .resource(Group::resource_type(), store)
///     .build()?;
/// # Ok::<(), scim_provider::BuildError>(())
/// ```
///
/// # Tenants with types and schemas of their own
///
/// A service has one set of resource types, and its discovery endpoints show exactly those. Where tenants differ, each that
/// does has a service of its own over the same stores, made when it is first needed or when its schema changes: building one
/// takes a fraction of a millisecond, and stores are told the resource type with each call.
///
/// ```
/// # use std::collections::HashMap;
/// # use scim_provider::schema::{Attribute, Schema};
/// # use scim_provider::{BuildError, MemoryStore, Service, TenantId, User};
/// struct Services { standard: Service<TenantId>, own: HashMap<TenantId, Service<TenantId>> }
///
/// impl Services {
///     fn of(&self, tenant: &TenantId) -> &Service<TenantId> {
///         self.own.get(tenant).unwrap_or(&self.standard)
///     }
/// }
///
/// /// `contract` as the tenant's administrators have configured it: a `Schema` reads from JSON.
/// fn own_service(store: MemoryStore, contract: Schema) -> Result<Service<TenantId>, BuildError> {
///     let users = User::resource_type().required_extension(contract);
///     Service::builder("https://api.example.com/scim/v2").resource(users, store).build()
/// }
/// # let contract = Schema::new("urn:example:acme:Contract", "Contract", [Attribute::string("costCenter").required()]);
/// # own_service(MemoryStore::new(), contract)?;
/// # Ok::<(), BuildError>(())
/// ```
///
/// # Calling it
///
/// Mount [`call`](Self::call) behind the host's authentication. It routes on its own, under the base URL's path or with that
/// path already stripped, and answers whatever comes in.
pub struct Service<C> {
    inner: Arc<Inner<C>>,
}

struct Inner<C> {
    links: Links,
    /// the path of the base URL
    prefix: String,
    types: Vec<Registered<C>>,
    limits: Limits,
    compat: Compat,
    unknown: UnknownAttributes,
    observer: Option<Box<dyn Observer<C>>>,
    /// whether bulk requests are served
    bulk: bool,
    transaction: Option<Box<dyn ErasedTransaction<C>>>,
    me: Option<WhoIsIt<C>>,
    limiter: Option<Limiter<C>>,
    cost_limiter: Option<CostLimiter<C>>,
    seal: Option<Seal>,
    discovery: Discovery,
}

/// Admits a request or refuses it: the host's.
type Limiter<C> = Box<dyn Fn(&C, &Parts) -> Result<(), Error> + Send + Sync>;

/// The same when it is known what the request is.
type CostLimiter<C> = Box<dyn Fn(&C, &Cost) -> Result<(), Error> + Send + Sync>;

/// A resource type with its store.
struct Registered<C> {
    ty: ResourceType,
    store: Box<dyn ErasedStore<C>>,
    answer: PatchAnswer,
    default: Projection,
    identity: Projection,
    document: Projection,
    everything: Projection,
}

impl<C: Context> Service<C> {
    /// Starts a service. `base` is the URL that clients are told: answers link to it, whatever the request's `Host` says.
    pub fn builder(base: impl Into<String>) -> ServiceBuilder<C> {
        ServiceBuilder::new(base.into())
    }

    /// Answers a request. Total: whatever comes in, a SCIM response goes out.
    ///
    /// `cx` is what the host's authentication made of the request's credentials. The body has to be complete; of one that is too
    /// long a host reads [`Limits::request_bytes`], and the service answers with 413 and the limit.
    pub async fn call<B: AsRef<[u8]>>(&self, cx: &C, request: Request<B>) -> Response<Vec<u8>> {
        let (head, body) = request.into_parts();
        self.answer(cx, &head, body.as_ref(), None).await
    }

    /// Answers a request as [`call`](Self::call) does, with a body that may come in pieces: a resource with very many
    /// references, such as a group with its members, is sent as its [store](crate::Store::show) reads it, and the whole of it
    /// is nowhere in memory. Everything else is whole.
    ///
    /// The [`Observer`] is told of such an answer when it has been written to its end, or broke off.
    ///
    /// ```
    /// # async fn example(scim: &scim_provider::Service<scim_provider::TenantId>, tenant: scim_provider::TenantId) {
    /// let request = http::Request::get("/Groups/2819c223").body(Vec::new()).unwrap();
    /// let mut body = scim.stream(tenant, request).await.into_body();
    /// while let Some(Ok(piece)) = body.piece().await {
    ///     // send it, and wait for the client before the next one is asked for
    /// }
    /// # }
    /// ```
    pub async fn stream<B: AsRef<[u8]>>(&self, cx: C, request: Request<B>) -> Response<Body> {
        let (head, body) = request.into_parts();
        if head.method != Method::GET {
            return self.answer(&cx, &head, body.as_ref(), None).await.map(Body::from);
        }
        let (service, pipe) = (self.clone(), Pipe::default());
        let own = pipe.clone();
        Body::begin(Box::pin(async move { service.answer(&cx, &head, &[], Some(own)).await }), pipe).await
    }

    async fn answer(&self, cx: &C, head: &Parts, body: &[u8], pipe: Option<Pipe>) -> Response<Vec<u8>> {
        let start = self.inner.observer.as_ref().map(|_| Instant::now());
        let mut trace = Trace::default();
        trace.cost.bytes_in = body.len();
        let admitted = self.inner.limiter.as_ref().map_or(Ok(()), |limiter| limiter(cx, head));
        let call = match admitted {
            Ok(()) => Call::read(&self.inner, head, body, &mut trace).map(|call| Call { pipe, ..call }),
            Err(refusal) => Err(refusal.into()),
        };
        let refused_in = || accept::media_type(&head.headers).unwrap_or(accept::SCIM_JSON);
        let media_type = call.as_ref().map_or_else(|_| refused_in(), |call| call.media_type);
        let budget = call.as_ref().ok().map(|call| call.budget.clone());
        let result = match call {
            Ok(call) => self.dispatch(cx, &call, &mut trace).await,
            Err(refusal) => Err(refusal),
        };
        if let Some(observer) = &self.inner.observer {
            trace.cost.work = budget.map_or(0, |budget| self.inner.limits.work.saturating_sub(budget.left()));
            observer.exchange(
                cx,
                &trace.exchange(&head.method, &result, start.map_or(Duration::ZERO, |start| start.elapsed())),
            );
        }
        let body_wanted = head.method != Method::HEAD;
        match result {
            Ok(reply) => reply.into_response(media_type, body_wanted),
            Err(refusal) => refusal.into_response(media_type, body_wanted),
        }
    }

    /// The resource types that the service serves.
    pub fn resource_types(&self) -> impl Iterator<Item = &ResourceType> {
        self.inner.types.iter().map(|registered| &registered.ty)
    }

    async fn dispatch(&self, cx: &C, call: &Call<'_>, trace: &mut Trace) -> Result<Reply, Refusal> {
        let inner = &*self.inner;
        let reply = match &call.route {
            Route::Collection(_) | Route::Search(_) | Route::Resource(..) => {
                inner.carry_out_call(cx, call, trace).await
            }
            Route::Bulk => inner.bulk(cx, call, trace).await,
            Route::Me => return inner.me(cx, call, trace).await,
            Route::Root | Route::RootSearch => inner.list_everything(cx, call, trace).await,
            Route::ServiceProviderConfig => inner.discovery.config(call),
            Route::Schemas(id) => inner.discovery.schemas(call, id.as_deref()),
            Route::ResourceTypes(id) => inner.discovery.resource_types(call, id.as_deref()),
            Route::Unsupported(what) => {
                let detail = format!("{what} is not supported");
                Err(Error::new(http::StatusCode::NOT_IMPLEMENTED, detail))
            }
        };
        reply.map_err(Refusal::from)
    }
}

impl<C: Context> Inner<C> {
    /// A request about resources of one type, be it one by itself or an operation of a bulk request.
    async fn carry_out_call(&self, cx: &C, call: &Call<'_>, trace: &mut Trace) -> Result<Reply, Error> {
        match &call.route {
            Route::Collection(at) if call.method == Method::POST => {
                self.create(self.registered(*at)?, cx, call, trace).await
            }
            Route::Collection(at) | Route::Search(at) => self.list(self.registered(*at)?, cx, call, trace).await,
            Route::Resource(at, id) => {
                let registered = self.registered(*at)?;
                match *call.method {
                    Method::PUT => self.replace(registered, cx, id, call, trace).await,
                    Method::PATCH => self.patch(registered, cx, id, call, trace).await,
                    Method::DELETE => self.delete(registered, cx, id, call).await,
                    _ => self.get(registered, cx, id, call).await,
                }
            }
            _ => Err(Error::not_found("no such endpoint")),
        }
    }
}

impl<C> Inner<C> {
    fn registered(&self, at: usize) -> Result<&Registered<C>, Error> {
        self.types.get(at).ok_or_else(|| Error::not_found("no such endpoint"))
    }

    fn rules(&self) -> Rules<'_> {
        Rules::new(&self.limits, self.compat, self.unknown).with_links(&self.links)
    }

    /// Asks the host once it is known what the request is. The operations of a bulk request were asked for as one.
    fn admit(&self, cx: &C, call: &Call<'_>, trace: &Trace) -> Result<(), Error> {
        match &self.cost_limiter {
            Some(admits) if !call.in_bulk => admits(cx, &trace.cost),
            _ => Ok(()),
        }
    }
}

impl<C> Clone for Service<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<C> fmt::Debug for Service<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.inner.types.iter().map(|t| t.ty.name()).collect();
        f.debug_struct("Service").field("base", &self.inner.links.base()).field("types", &types).finish()
    }
}

/// An error, with the headers that a 405 and `/Me` need.
#[derive(Debug)]
pub(crate) struct Refusal {
    error: Error,
    allow: Option<&'static str>,
    location: Option<String>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, allow: None, location: None }
    }
}
