//! Telling the host what happened: the answer to "why did provisioning fail?".

use std::time::Duration;

use http::{Method, StatusCode};

use super::answer::Reply;
use super::request::Route;
use super::{Inner, Refusal};
use crate::compat::{Repair, Repairs};
use crate::{Error, ScimType};

/// Sees each exchange after it is decided. Keep it quick: it runs before the answer is sent.
///
/// ```
/// # use scim_provider::{Exchange, Observer, TenantId};
/// struct Log;
///
/// impl Observer<TenantId> for Log {
///     fn exchange(&self, tenant: &TenantId, exchange: &Exchange<'_>) {
///         eprintln!("{tenant}: {} {:?} -> {}", exchange.operation, exchange.id, exchange.status);
///         for repair in exchange.repairs {
///             eprintln!("  accepted {repair}");
///         }
///         for path in exchange.ignored {
///             eprintln!("  left out {path}");
///         }
///     }
/// }
/// ```
pub trait Observer<C>: Send + Sync + 'static {
    /// One request and what came of it; of a bulk request first each operation that was tried, as if it had come alone, then
    /// the request itself.
    fn exchange(&self, cx: &C, exchange: &Exchange<'_>);
}

/// One request and what came of it: names and outcomes, never a value or a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// What was asked for: `create`, `get`, `list`, `search`, `replace`, `patch`, `delete`, `bulk`, `discover`, or `none` when the
    /// request leads nowhere.
    pub operation: &'static str,
    /// The resource type, where there is one.
    pub resource_type: Option<&'a str>,
    /// The resource's id, where there is one; for a creation the new one.
    pub id: Option<&'a str>,
    /// The answer's status.
    pub status: StatusCode,
    /// The error's keyword.
    pub scim_type: Option<ScimType>,
    /// The error as the client reads it.
    pub detail: Option<&'a str>,
    /// The error as only the operator may read it.
    pub source: Option<&'a (dyn std::error::Error + 'static)>,
    /// What was not as the RFCs ask and was understood all the same.
    pub repairs: &'a [Repair],
    /// What of the request was left out, by path and never by value ([`Repairs::ignored`]).
    pub ignored: &'a [String],
    /// The attributes that the request set, changed or removed, by name. Empty when it changed nothing.
    pub changed: &'a [String],
    /// How many resources a query found.
    pub found: Option<usize>,
    /// What it cost.
    pub cost: Cost,
    /// How long the service took.
    pub elapsed: Duration,
}

/// What a request costs, as far as it is known: all of it but `work` and `bytes_out` before a store is asked
/// ([`ServiceBuilder::cost_limiter`](crate::ServiceBuilder::cost_limiter)), and the whole in [`Exchange::cost`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// What was taken from the request's [`Budget`](crate::Budget). Of an operation of a bulk request it is 0: the request's has
    /// it all.
    pub work: u64,
    /// The operations of a PATCH or a bulk request.
    pub operations: usize,
    /// The comparisons of a filter.
    pub terms: usize,
    /// The length of the body.
    pub bytes_in: usize,
    /// The length of the answer's body.
    pub bytes_out: usize,
}

/// What is noted while a request is worked on.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    operation: Option<&'static str>,
    resource_type: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) repairs: Repairs,
    pub(crate) changed: Vec<String>,
    pub(crate) cost: Cost,
}

impl Trace {
    pub(super) fn at<C>(&mut self, inner: &Inner<C>, method: &Method, route: &Route<'_>) {
        let name = |at: &usize| inner.types.get(*at).map(|r| r.ty.name().to_owned());
        self.operation = Some(match (route, method) {
            (Route::Collection(_), &Method::POST) => "create",
            (Route::Collection(_), _) => "list",
            (Route::Root, _) => "list",
            (Route::Search(_) | Route::RootSearch, _) => "search",
            (Route::Resource(..), &Method::PUT) => "replace",
            (Route::Resource(..), &Method::PATCH) => "patch",
            (Route::Resource(..), &Method::DELETE) => "delete",
            (Route::Resource(..), _) => "get",
            (Route::Bulk, _) => "bulk",
            (Route::Me | Route::Unsupported(_), _) => "none",
            _ => "discover",
        });
        if inner.observer.is_none() {
            return;
        }
        match route {
            Route::Collection(at) | Route::Search(at) => self.resource_type = name(at),
            Route::Resource(at, id) => {
                self.resource_type = name(at);
                self.id = Some(id.clone().into_owned());
            }
            _ => {}
        }
    }

    /// Adds what was noted in a second step of the same operation.
    pub(super) fn absorb(&mut self, other: Self) {
        self.repairs.append(other.repairs);
        self.changed.extend(other.changed);
        self.changed.sort();
        self.changed.dedup();
    }

    pub(super) fn exchange<'a>(
        &'a self,
        method: &'a Method,
        result: &'a Result<Reply, Refusal>,
        elapsed: Duration,
    ) -> Exchange<'a> {
        let error: Option<&Error> = result.as_ref().err().map(Refusal::error);
        let reply = result.as_ref().ok();
        Exchange {
            method,
            operation: self.operation.unwrap_or("none"),
            resource_type: self.resource_type.as_deref(),
            id: self.id.as_deref(),
            status: error.map_or(reply.map_or(StatusCode::OK, |r| r.status), Error::status),
            scim_type: error.and_then(Error::scim_type),
            detail: error.map(Error::detail),
            source: error.and_then(std::error::Error::source),
            repairs: self.repairs.as_slice(),
            ignored: self.repairs.ignored(),
            changed: if error.is_none() { &self.changed } else { &[] },
            found: reply.and_then(|r| r.found),
            cost: Cost { bytes_out: reply.map_or(0, |reply| reply.body.len()), ..self.cost },
            elapsed,
        }
    }
}
