//! `/Me`: another name for the resource of whoever asks (RFC 7644 §3.11).

use http::StatusCode;

use super::answer::Reply;
use super::observe::Trace;
use super::request::{Call, Route};
use super::{Inner, Refusal};
use crate::Error;
use crate::store::{Context, StoreError};

/// Who asks, as a resource: what [`ServiceBuilder::me`](crate::ServiceBuilder::me) answers.
///
/// ```
/// # use scim_provider::{Me, MemoryStore, Service, TenantId, User};
/// # use scim_provider::Context;
/// struct Caller { tenant: TenantId, user_id: Option<String> }
/// # impl Context for Caller { fn tenant(&self) -> &TenantId { &self.tenant } }
///
/// let scim = Service::builder("https://api.example.com/scim/v2")
///     .resource(User::resource_type(), MemoryStore::<Caller>::new())
///     .me(|caller: &Caller| Ok(caller.user_id.as_ref().map(|id| Me::new("User", id))))
///     .build()?;
/// # Ok::<(), scim_provider::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    resource_type: String,
    id: Option<String>,
    redirect: bool,
}

impl Me {
    /// The resource of this type with this id.
    pub fn new(resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        Self { resource_type: resource_type.into(), id: Some(id.into()), redirect: false }
    }

    /// Nobody yet: a POST creates a resource of this type, and everything else is answered with 404.
    pub fn to_be_created(resource_type: impl Into<String>) -> Self {
        Self { resource_type: resource_type.into(), id: None, redirect: false }
    }

    /// Sends clients to the resource's own URL with 308 instead of answering in its place.
    #[must_use]
    pub fn redirected(mut self) -> Self {
        self.redirect = true;
        self
    }
}

/// What a host says of who asks.
pub(super) type WhoIsIt<C> = Box<dyn Fn(&C) -> Result<Option<Me>, Error> + Send + Sync>;

impl<C: Context> Inner<C> {
    pub(super) async fn me(&self, cx: &C, call: &Call<'_>, trace: &mut Trace) -> Result<Reply, Refusal> {
        let unsupported = || Error::new(StatusCode::NOT_IMPLEMENTED, "/Me is not supported");
        let nobody = || Error::not_found("there is no resource for who asks");
        let me = (self.me.as_ref().ok_or_else(unsupported)?)(cx)?.ok_or_else(nobody)?;
        let served = |at: &usize| self.types.get(*at).is_some_and(|r| r.ty.name() == me.resource_type);
        let at = (0..self.types.len()).find(served);
        let not_served = || Error::from(StoreError::backend("`/Me` leads to a resource type that is not served"));
        let at = at.ok_or_else(not_served)?;
        let registered = self.registered(at)?;
        let creates = call.method == http::Method::POST;
        let location = me.id.as_ref().map(|id| self.location(registered, id));
        let route = match (&me.id, creates) {
            (Some(_), true) => {
                let error = Error::bad_request(crate::ScimType::Uniqueness, "who asks has a resource already");
                return Err(Refusal { location, ..error.into() });
            }
            (Some(id), false) => Route::Resource(at, id.as_str().into()),
            (None, true) => Route::Collection(at),
            (None, false) => return Err(nobody().into()),
        };
        trace.at(self, call.method, &route);
        if let (true, Some(location)) = (me.redirect, &location) {
            return Ok(Reply { location: Some(location.clone()), ..Reply::empty(StatusCode::PERMANENT_REDIRECT) });
        }
        let call = Call { route, ..call.clone() };
        match self.carry_out_call(cx, &call, trace).await {
            Ok(reply) => Ok(Reply { location: reply.location.or(location), ..reply }),
            Err(error) => Err(Refusal { location, ..error.into() }),
        }
    }
}
