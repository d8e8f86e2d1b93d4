//! Reading the head of a request: where it goes, what it accepts, what it is conditional on.

use std::borrow::Cow;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::accept::media_type;
use super::observe::Trace;
use super::{Inner, Refusal};
use crate::compat::{Compat, Leniency};
use crate::etag::Tags;
use crate::percent::decoded_text;
use crate::resource::Pipe;
use crate::{Budget, Error, Limits, ScimType};

/// A request whose head has been understood.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) route: Route<'a>,
    pub(crate) method: &'a Method,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) if_match: Option<Tags>,
    pub(crate) if_none_match: Option<Tags>,
    pub(crate) media_type: &'static str,
    /// whether the request carries the header that Entra ID sends
    pub(crate) from_entra: bool,
    /// whether anybody reads the body of the answer
    pub(crate) wants_body: bool,
    /// whether it is an operation of a bulk request
    pub(crate) in_bulk: bool,
    /// what the request may still cost; the operations of a bulk request share that of the request
    pub(crate) budget: Budget,
    /// where the answer goes while it is written
    pub(crate) pipe: Option<Pipe>,
}

/// What a path leads to. Resource types are numbered in the order of their registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Collection(usize),
    Search(usize),
    Resource(usize, Cow<'a, str>),
    Bulk,
    Me,
    /// resources of all types
    Root,
    RootSearch,
    ServiceProviderConfig,
    Schemas(Option<Cow<'a, str>>),
    ResourceTypes(Option<Cow<'a, str>>),
    /// an endpoint of RFC 7644 that is not served
    Unsupported(&'static str),
}

impl Route<'_> {
    /// The methods that the route has, for `Allow`.
    fn methods(&self) -> &'static str {
        match self {
            Self::Collection(_) => "GET, HEAD, POST",
            Self::Search(_) | Self::RootSearch | Self::Bulk => "POST",
            Self::Resource(..) => "GET, HEAD, PUT, PATCH, DELETE",
            Self::Me => "GET, HEAD, POST, PUT, PATCH, DELETE",
            Self::Root | Self::ServiceProviderConfig | Self::Schemas(_) | Self::ResourceTypes(_) => "GET, HEAD",
            Self::Unsupported(_) => "GET, HEAD, POST, PUT, PATCH, DELETE",
        }
    }
}

impl<'a> Call<'a> {
    pub(crate) fn read<C>(
        inner: &Inner<C>,
        head: &'a Parts,
        body: &'a [u8],
        trace: &mut Trace,
    ) -> Result<Self, Refusal> {
        let media_type = media_type(&head.headers)?;
        let route = route(inner, head.uri.path())?;
        trace.at(inner, &head.method, &route);
        let allowed = route.methods();
        if !allowed.split(", ").any(|method| method == head.method.as_str()) {
            if !is_known(&head.method) {
                return Err(Error::new(StatusCode::NOT_IMPLEMENTED, "the request's method is not known").into());
            }
            let detail = format!("this endpoint supports {allowed}");
            let error = Error::new(StatusCode::METHOD_NOT_ALLOWED, detail);
            return Err(Refusal { allow: Some(allowed), ..error.into() });
        }
        if matches!(head.method, Method::POST | Method::PUT | Method::PATCH) {
            let most = match route {
                Route::Bulk => inner.limits.bulk_bytes,
                _ => inner.limits.body_bytes,
            };
            check_body(&head.headers, inner.compat, trace)?;
            if body.len() > most {
                return Err(too_long(&route, most).into());
            }
        }
        let body = without_mark(body, inner.compat, trace)?;
        Ok(Self {
            route,
            method: &head.method,
            query: head.uri.query().unwrap_or_default(),
            body,
            if_match: tags(&head.headers, IF_MATCH, &inner.limits)?,
            if_none_match: tags(&head.headers, IF_NONE_MATCH, &inner.limits)?,
            media_type,
            from_entra: head.headers.contains_key("adscimversion"),
            wants_body: true,
            in_bulk: false,
            budget: Budget::new(inner.limits.work),
            pipe: None,
        })
    }
}

/// A body without the byte order mark that a client may have put in front of it (RFC 8259 §8.1).
fn without_mark<'a>(body: &'a [u8], compat: Compat, trace: &mut Trace) -> Result<&'a [u8], Error> {
    let Some(rest) = body.strip_prefix("\u{feff}".as_bytes()) else { return Ok(body) };
    match trace.repairs.accept(compat, Leniency::ByteOrderMark, || "body") {
        true => Ok(rest),
        false => Err(Error::bad_request(ScimType::InvalidSyntax, "the body begins with a byte order mark")),
    }
}

/// Whether a method is one of HTTP's own (RFC 9110 §9.3, RFC 5789): of any other no endpoint can say that it does not allow it.
fn is_known(method: &Method) -> bool {
    let own = [Method::OPTIONS, Method::TRACE, Method::CONNECT];
    own.contains(method) || Route::Me.methods().split(", ").any(|name| name == method.as_str())
}

/// Finds the route of a path. The path is decoded once, segment by segment; endpoints are found in any letter case.
pub(super) fn route<'a, C>(inner: &Inner<C>, path: &'a str) -> Result<Route<'a>, Error> {
    let not_found = || Error::not_found("no such endpoint");
    let path = match path.strip_prefix(inner.prefix.as_str()) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.split('/');
    let mut segment = || segments.next().map(|s| decoded(s).ok_or_else(not_found)).transpose();
    let (first, second, third) = (segment()?.unwrap_or_default(), segment()?, segment()?);
    if third.is_some() {
        return Err(not_found());
    }
    let endpoint = |name: &str| name.strip_prefix('/').is_some_and(|name| name.eq_ignore_ascii_case(&first));
    if let Some(at) = inner.types.iter().position(|r| endpoint(r.ty.endpoint())) {
        return match second {
            None => Ok(Route::Collection(at)),
            Some(s) if s.eq_ignore_ascii_case(".search") => Ok(Route::Search(at)),
            Some(id) if is_id(&id, &inner.limits) => Ok(Route::Resource(at, id)),
            Some(_) => Err(Error::not_found("no such resource")),
        };
    }
    match (first.to_ascii_lowercase().as_str(), second) {
        ("serviceproviderconfig", None) => Ok(Route::ServiceProviderConfig),
        ("schemas", id) => Ok(Route::Schemas(id)),
        ("resourcetypes", id) => Ok(Route::ResourceTypes(id)),
        ("bulk", None) if inner.bulk => Ok(Route::Bulk),
        ("bulk", None) => Ok(Route::Unsupported("bulk")),
        ("me", None) => Ok(Route::Me),
        ("", None) => Ok(Route::Root),
        (".search", None) => Ok(Route::RootSearch),
        _ => Err(not_found()),
    }
}

/// Whether a resource can have this id. No document holds NUL, and databases that refuse the character are not asked for it.
fn is_id(id: &str, limits: &Limits) -> bool {
    !id.is_empty() && id.len() <= limits.id_bytes && !id.contains('\0')
}

/// A segment of a path with its `%XX` decoded.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    decoded_text(segment).map(Cow::Owned)
}

/// The answer to a body beyond its limit; of a bulk request it has to name the limit (RFC 7644 §3.7.4).
fn too_long(route: &Route<'_>, most: usize) -> Error {
    let detail = match route {
        Route::Bulk => format!("the size of the bulk request exceeds the maxPayloadSize ({most})"),
        _ => format!("the body is longer than {most} bytes"),
    };
    Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

fn check_body(headers: &HeaderMap, compat: Compat, trace: &mut Trace) -> Result<(), Error> {
    let unsupported = |detail: &'static str| Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    if headers.get(CONTENT_ENCODING).is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return unsupported("a content encoding is not supported");
    }
    let content_type = headers.get(CONTENT_TYPE).map_or("", |v| v.to_str().unwrap_or("?"));
    let name = content_type.split(';').next().unwrap_or_default().trim();
    match name.to_ascii_lowercase().as_str() {
        "application/scim+json" | "application/json" => {}
        "" if trace.repairs.accept(compat, Leniency::MissingContentType, || "Content-Type") => {}
        _ => return unsupported("the body must be application/scim+json or application/json"),
    }
    Ok(())
}

fn tags(headers: &HeaderMap, name: HeaderName, limits: &Limits) -> Result<Option<Tags>, Error> {
    if !headers.contains_key(&name) {
        return Ok(None);
    }
    let lines: Vec<Cow<'_, str>> =
        headers.get_all(&name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
    let tags = Tags::parse(&lines.join(","), limits.etags);
    let detail = || format!("`{name}` must be `*` or at most {} entity tags", limits.etags);
    tags.map(Some).ok_or_else(|| Error::bad_request(ScimType::InvalidValue, detail()))
}
