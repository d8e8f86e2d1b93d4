//! What the runners drive: anything that answers one request at a time.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use http::{HeaderName, HeaderValue, Method, Request, Response};

/// A SCIM server in this process, authentication included.
pub(crate) trait Server: Sync {
    fn send(&self, request: Request<Vec<u8>>) -> impl Future<Output = Response<Vec<u8>>> + Send;

    /// How many times the limits of time are stretched. Unoptimised builds are slower than those are meant for.
    fn patience(&self) -> u32 {
        if cfg!(debug_assertions) { 4 } else { 1 }
    }
}

/// A server made of a closure: what the runners are tested with, because it can be told to answer wrongly.
pub(crate) struct Fake<F>(pub(crate) F);

impl<F: Fn(Request<Vec<u8>>) -> Response<Vec<u8>> + Sync> Server for Fake<F> {
    async fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        (self.0)(request)
    }
}

/// Where a server is mounted, and the bearer token that it lets in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mount {
    /// Without a slash at the end.
    pub(crate) base: &'static str,
    pub(crate) token: &'static str,
}

impl Mount {
    /// The path of the base URL: what stands before `/Users` in a request.
    pub(crate) fn prefix(&self) -> &'static str {
        let after_scheme = self.base.split_once("://").map_or(self.base, |(_, rest)| rest);
        after_scheme.find('/').map_or("", |slash| &after_scheme[slash..])
    }

    /// Host and port of the base URL.
    pub(crate) fn host(&self) -> &'static str {
        let after_scheme = self.base.split_once("://").map_or(self.base, |(_, rest)| rest);
        after_scheme.split('/').next().unwrap_or(after_scheme)
    }

    /// A request as a web framework hands it on: origin form, `Host` and `Content-Length` set.
    ///
    /// The error says what the `http` crate refused: such a request never gets past a web framework.
    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Request<Vec<u8>>, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| format!("method {method:?}: {error}"))?;
        let uri = format!("{}{target}", self.prefix());
        let mut request = Request::builder().method(method).uri(&uri);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header("host", self.host());
        }
        if let Some(body) = &body {
            request = request.header("content-length", body.len());
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("header {name:?}: {error}"))?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| format!("header {name}: {error}"))?;
            request = request.header(name, value);
        }
        request.body(body.unwrap_or_default()).map_err(|error| format!("target {uri:.80}: {error}"))
    }
}

/// Awaits a future; a panic inside it is the error, with its message.
pub(crate) async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(payload) => Poll::Ready(Err(payload
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
                .unwrap_or_else(|| "a panic without a text".to_owned()))),
        }
    })
    .await
}

/// An RFC 4122 version 4 UUID, as identity providers use for their object ids.
pub(crate) fn random_uuid() -> String {
    use std::hash::{BuildHasher, RandomState};
    // Each `RandomState` has keys of its own; hashing nothing yields 64 bits that differ from call to call.
    let half = || RandomState::new().hash_one(0_u8);
    let bits = (u128::from(half()) << 64) | u128::from(half());
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
pub(crate) fn percent_encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut out, &byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[test]
fn a_mount_knows_its_path_and_its_host() {
    let mount = Mount { base: "https://api.example.com:8443/scim/v2", token: "t" };
    assert_eq!((mount.prefix(), mount.host()), ("/scim/v2", "api.example.com:8443"));
    let at_the_root = Mount { base: "http://localhost", token: "t" };
    assert_eq!((at_the_root.prefix(), at_the_root.host()), ("", "localhost"));
}

#[test]
fn a_request_that_no_framework_would_hand_on_is_an_error() {
    let mount = Mount { base: "http://localhost/v2", token: "t" };
    let request = mount.request("get", "/Users?x=%", &[], None).unwrap();
    assert_eq!((request.method().as_str(), request.uri().path()), ("get", "/v2/Users"));
    assert!(mount.request("GET", "/Users?x=a b", &[], None).is_err());
    assert!(mount.request("GET", "/Users", &[("X".into(), "a\nb".into())], None).is_err());
}

#[tokio::test]
async fn a_panic_is_caught_with_its_message() {
    assert_eq!(catch_panic(async { 1 }).await, Ok(1));
    let caught: Result<(), String> = catch_panic(async { panic!("deliberate {}", 7) }).await;
    assert_eq!(caught, Err("deliberate 7".to_owned()));
}

#[test]
fn uuids_differ_and_have_version_and_variant() {
    let (one, two) = (random_uuid(), random_uuid());
    assert_ne!(one, two);
    assert_eq!(one.len(), 36, "{one}");
    assert_eq!(&one[14..15], "4", "{one}");
    assert!("89ab".contains(&one[19..20]), "{one}");
}
