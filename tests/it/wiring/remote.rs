//! The flows and the hostile inputs over HTTP: to a server of these tests' own or, where `SCIM_TEST_SERVER` is a base URL, to the one
//! that runs there and lets the token `SCIM_TEST_TOKEN` in. The end-to-end script calls these tests by name, for each example
//! server on each database.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, Response};

use super::{Host, MOUNT};
use crate::cases::attack::{self, CASES, ON_THE_WIRE, items};
use crate::flows::{self, COUNTED};
use crate::server::{Mount, Server};

/// How long a server may take to say something.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn all_flows_pass() {
    let mount = mount();
    for (flow, (_, counted)) in flows::all().iter().zip(COUNTED) {
        flows::run(flow, &Remote(mount), mount).await.assert_passed(counted);
    }
}

#[tokio::test]
async fn no_hostile_input_has_an_effect() {
    let mount = mount();
    attack::run(&items(), &Remote(mount), mount).await.assert_clean(CASES, ON_THE_WIRE);
}

/// Where the server is: the one that is named, or one that is started here and ends with the process.
fn mount() -> Mount {
    let Ok(base) = std::env::var("SCIM_TEST_SERVER") else { return started() };
    let token = std::env::var("SCIM_TEST_TOKEN").unwrap_or_else(|error| panic!("SCIM_TEST_TOKEN: {error}"));
    Mount { base: base.leak(), token: token.leak() }
}

/// The service behind axum, as the README mounts it.
fn started() -> Mount {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}/scim/v2", listener.local_addr().unwrap()).leak();
    let mount = Mount { base, ..MOUNT };
    std::thread::spawn(move || {
        let host = Arc::new(Host::at(mount));
        let answer = async move |request: axum::extract::Request| {
            let (head, body) = request.into_parts();
            // all of it: the service's own bounds are tried
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            host.send(Request::from_parts(head, body.to_vec())).await.map(Body::from)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
        });
    });
    mount
}

/// A server at the other end of a connection. Each request has its own, which ends with the answer.
struct Remote(Mount);

impl Server for Remote {
    async fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let mut connection = TcpStream::connect(self.0.host()).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        // a server that refuses a request need not read it to its end
        let _ = connection.write_all(&bytes_of(&request));
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer);
        response_of(&answer).unwrap_or_else(|| {
            panic!(
                "{} {:.80} is not answered: {:.80}",
                request.method(),
                request.uri(),
                String::from_utf8_lossy(&answer)
            )
        })
    }

    /// In this process the library's own time is judged. Here a database and a busy machine are in it: only what hangs is slow.
    fn patience(&self) -> u32 {
        40
    }
}

fn bytes_of(request: &Request<Vec<u8>>) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(request.body());
    bytes
}

/// The answer, if it is all there.
fn response_of(bytes: &[u8]) -> Option<Response<Vec<u8>>> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let body = &bytes[end + 4..];
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        // nothing that the examples send is in chunks
        let cut = name.eq_ignore_ascii_case("content-length") && value.trim().parse() != Ok(body.len());
        if name.eq_ignore_ascii_case("transfer-encoding") || cut && !body.is_empty() {
            return None;
        }
        response = response.header(name, value.trim());
    }
    response.body(body.to_vec()).ok()
}

#[test]
fn an_answer_that_is_cut_is_none() {
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: W/\"1\"\r\n\r\n{}";
    let answer = response_of(whole).unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["etag"].as_bytes(), &answer.body()[..]),
        (200, &b"W/\"1\""[..], &b"{}"[..])
    );
    for cut in [0, 9, 14, 40, whole.len() - 1] {
        assert!(response_of(&whole[..cut]).is_none(), "{cut}");
    }
}
