//! The app behind an adapter.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{Request, Response, StatusCode, Version};
use scim_provider::schema::Uniqueness;
use scim_provider::service::Body;
use scim_provider::{
    BuildError, Context, EnterpriseUser, Error as ScimError, Extension, Group, Limits, MemoryStore, Service, Store,
    User,
};
use scim_sql_store::{Caller, SqlStore};

use crate::GRACE;
use crate::answer::Answer;
use crate::auth::{Tokens, Unauthorized};
use crate::body;
use crate::bounds::Bounds;
use crate::config::Config;
use crate::connections::Connections;
use crate::held::Account;
use crate::log::{self, Log};
use crate::shares::Shares;
use crate::within::{Tick, within};

/// Where the service is mounted.
pub const PATH: &str = "/scim/v2";

/// The service with its store, and what stands between it and the clients.
#[derive(Debug)]
pub struct App {
    scim: Service<Caller>,
    tokens: Tokens,
    bounds: Bounds,
    shares: Arc<Shares>,
    held: Arc<Account>,
    connections: Arc<Connections>,
    limits: Limits,
    database: Option<SqlStore>,
    address: String,
    generated: Option<String>,
    _tick: Tick,
}

impl App {
    /// Opens the store and builds the service of a server that listens on this address.
    ///
    /// # Errors
    /// When the store cannot be opened, or the base URL is none.
    pub async fn open(config: Config, listening: SocketAddr) -> Result<Self, Box<dyn Error>> {
        config.check_tokens(listening)?;
        let address = format!("http://{listening}{PATH}");
        let limits = Limits::default();
        let base = config.base_url.as_ref().unwrap_or(&address);
        // a path of another name would be looked for in every request, and found in none
        let path = base.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        if path.is_none_or(|(_, path)| path.trim_end_matches('/') != PATH.trim_start_matches('/')) {
            return Err(format!("SCIM_BASE_URL has to end in {PATH}, behind the host: {base}").into());
        }
        let (scim, database) = match config.database.as_str() {
            "memory:" => {
                let store = MemoryStore::new();
                (service(base, &limits, store.clone(), store)?, None)
            }
            url => {
                let store = SqlStore::open(url).await?;
                (service(base, &limits, store.users(), store.groups())?, Some(store))
            }
        };
        let bounds = config.bounds;
        Ok(Self {
            scim,
            tokens: config.tokens,
            shares: Shares::new(bounds.clone()),
            held: Account::new(bounds.held),
            connections: Connections::new(bounds.peer_connections, bounds.unread),
            bounds,
            limits,
            database,
            address,
            generated: config.generated,
            _tick: Tick::new(),
        })
    }

    /// Answers a request: finds out who is calling, completes the body, waits for the tenant's turn, and asks the service. The
    /// answer counts as the tenant's until it is written or dropped.
    pub async fn answer<S, E>(&self, head: Parts, body: S) -> Response<Answer>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let caller = match self.admit(&head) {
            Ok(caller) => caller,
            Err(refusal) => return refusal.map(Answer::from),
        };
        let mut held = self.held.hold(caller.tenant());
        let answered = async {
            if !held.may_grow() {
                return Err(ScimError::too_many_requests(1));
            }
            let room = |bytes| {
                held.set(bytes);
                held.may_grow()
            };
            let body = body::complete(body, self.limits.request_bytes(), room).await?;
            let turn = self.shares.enter(caller.tenant()).await;
            let place = turn.ok_or_else(|| ScimError::too_many_requests(1))?;
            // it is large, and would be moved into each future around it
            let call = pin!(self.scim.stream(caller.clone(), Request::from_parts(head, body)));
            self.in_time(place.compute(call)).await
        };
        let response = answered.await.unwrap_or_else(|error| log::refused(&caller, &error).map(Body::from));
        response.map(|body| Answer::new(body, held, 4 * self.bounds.request))
    }

    /// Gives up what takes too long: its work ends, and its place comes back.
    async fn in_time<T>(&self, call: impl Future<Output = T>) -> Result<T, ScimError> {
        let late = || ScimError::unavailable(1).with_source("the request takes too long");
        within(self.bounds.request, call).await.ok_or_else(late)
    }

    /// Finds out who is calling; gives the answer when nobody is, or when it is no request to the service.
    #[expect(clippy::result_large_err, reason = "the error is the answer, which is sent at once")]
    fn admit(&self, head: &Parts) -> Result<Caller, Response<Vec<u8>>> {
        if !names_one_host(head) {
            let error = ScimError::new(StatusCode::BAD_REQUEST, "a request has one `Host` header, with a host in it");
            return Err(error.to_response());
        }
        if !head.uri.path().strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(ScimError::not_found("no such endpoint").to_response());
        }
        self.tokens.authenticate(&head.headers).map_err(Unauthorized::into_response)
    }

    /// The connections that are open: each that is accepted has to be taken in.
    pub fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Says that the server is ready, and how to try it. A token is shown only when nobody else knows it.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn announce(&self) -> std::io::Result<()> {
        let address = &self.address;
        let token = self.generated.as_deref().unwrap_or("$TOKEN");
        let curl = format!("curl -H \"Authorization: Bearer {token}\"");
        let json = "-H \"Content-Type: application/scim+json\"";
        let ada = r#"'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}'"#;
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on {address}\n")?;
        writeln!(out, "  {curl} {address}/ServiceProviderConfig")?;
        writeln!(out, "  {curl} {json} -d {ada} {address}/Users")?;
        writeln!(out, "  {curl} -G {address}/Users --data-urlencode 'filter=userName eq \"ada@example.com\"'")?;
        out.flush()
    }

    /// Ends the connections to the database, once nothing is answered any more.
    pub async fn close(&self) {
        let Some(database) = &self.database else { return };
        if tokio::time::timeout(GRACE, database.close()).await.is_err() {
            tracing::warn!("requests are still waiting for the database");
        }
    }
}

/// Whether a request says which host it is for, once (RFC 9112 §3.2): two servers that take it for two hosts' are two opinions
/// about whose it is.
fn names_one_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    let valid = |host: &[u8]| host.is_empty() || (!host.contains(&b'@') && Authority::try_from(host).is_ok());
    match (hosts.next(), hosts.next()) {
        (None, _) => head.version < Version::HTTP_11,
        (Some(host), None) => valid(host.as_bytes()),
        _ => false,
    }
}

/// The service, over whichever stores.
fn service<S, T>(base: &str, limits: &Limits, users: S, groups: T) -> Result<Service<Caller>, BuildError>
where
    S: Store<Context = Caller>,
    T: Store<Context = Caller>,
{
    Service::builder(base)
        .resource(User::resource_type().extension(EnterpriseUser::schema()), users)
        // providers match groups by their names, and the tables hold none twice
        .resource(Group::resource_type().attribute("displayName", |name| name.unique(Uniqueness::Server)), groups)
        .limits(limits.clone())
        .observer(Log)
        .build()
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;
    use crate::answer::Pieces;

    async fn app() -> App {
        let variables = |name: &str| match name {
            "DATABASE_URL" => Some("memory:".to_owned()),
            "SCIM_TOKENS" => Some("acme=s3cr3t".to_owned()),
            // of a tenant of which nothing is known yet: as many as one may have, on however few cores
            "SCIM_LONG_AT_ONCE" => Some("4".to_owned()),
            _ => None,
        };
        let config = Config::read(variables).unwrap();
        App::open(config, SocketAddr::from(([127, 0, 0, 1], 8080))).await.unwrap()
    }

    #[tokio::test]
    async fn a_base_url_that_no_request_would_match_is_refused() {
        for (base, fits) in [
            ("https://scim.example.com/scim/v2", true),
            ("https://scim.example.com/scim/v2/", true),
            ("https://scim.example.com", false),
            ("https://scim.example.com/", false),
            ("https://scim.example.com/api/scim/v2", false),
        ] {
            let config = Config::read(|name| match name {
                "DATABASE_URL" => Some("memory:".to_owned()),
                "SCIM_BASE_URL" => Some(base.to_owned()),
                _ => None,
            });
            let opened = App::open(config.unwrap(), SocketAddr::from(([127, 0, 0, 1], 8080))).await;
            assert_eq!(opened.is_ok(), fits, "{base}");
        }
    }

    fn get(path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(path).header("host", "x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn whole(answer: &Answer) -> &[u8] {
        match answer {
            Answer::Whole(bytes) => bytes,
            Answer::Pieces(_) => panic!("it comes in pieces"),
        }
    }

    const TOKEN: (&str, &str) = ("authorization", "Bearer s3cr3t");

    /// RFC 7644 §3.7.4
    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused_with_the_limit_by_its_name() {
        let app = app().await;
        for (target, limit) in [("/Bulk", "maxPayloadSize (1048576)"), ("/Users", "longer than 1048576 bytes")] {
            for length in [(1 << 20) + 1, 5 << 20] {
                let mut head = get(&format!("{PATH}{target}"), &[TOKEN, ("content-type", "application/json")]);
                head.method = http::Method::POST;
                let chunk = Ok::<_, std::io::Error>(Bytes::from(vec![b' '; length]));
                let response = app.answer(head, futures_util::stream::iter([chunk])).await;
                assert_eq!(response.status(), 413);
                assert!(String::from_utf8_lossy(whole(response.body())).contains(limit), "{target}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_the_services_is_refused_before_the_body_is_read() {
        let app = app().await;
        for (path, headers, status) in [
            ("/scim/v2", &[TOKEN][..], None),
            ("/scim/v2/Users", &[TOKEN], None),
            ("/scim/v2/Users", &[], Some(401)),
            ("/scim/v2x/Users", &[TOKEN], Some(404)),
            ("/", &[TOKEN], Some(404)),
            ("/", &[], Some(404)),
        ] {
            let refused = app.admit(&get(path, headers)).err().map(|response| response.status().as_u16());
            assert_eq!(refused, status, "{path}");
        }
    }

    /// RFC 9112 §3.2
    #[test]
    fn a_request_names_one_host() {
        let head = |version, hosts: &[&str]| {
            let mut head = get("/", &[]);
            head.version = version;
            head.headers = hosts.iter().map(|host| (HOST, host.parse().unwrap())).collect();
            head
        };
        for (hosts, fits) in [
            (&[][..], false),
            (&["a.example"], true),
            (&["a.example:8080"], true),
            (&["[::1]:8080"], true),
            (&[""], true),
            (&["a.example", "a.example"], false),
            (&["a.example", "b.example"], false),
            (&["a.example, b.example"], false),
            (&["a b"], false),
            (&["user@a.example"], false),
            (&["a.example/x"], false),
        ] {
            assert_eq!(names_one_host(&head(Version::HTTP_11, hosts)), fits, "{hosts:?}");
        }
        assert!(names_one_host(&head(Version::HTTP_10, &[])), "HTTP/1.0 knows none");
        assert!(!names_one_host(&head(Version::HTTP_10, &["a", "b"])));
    }

    /// A group of so many members, and where it is.
    async fn group(app: &App, members: usize) -> String {
        let members: Vec<_> = (0..members).map(|n| format!(r#"{{"value":"member-{n}"}}"#)).collect();
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"All","members":[{}]}}"#,
            members.join(",")
        );
        let mut head = get("/scim/v2/Groups", &[TOKEN, ("content-type", "application/json")]);
        head.method = http::Method::POST;
        let body = Ok::<_, std::io::Error>(Bytes::from(body));
        let created = app.answer(head, futures_util::stream::iter([body])).await;
        assert_eq!(created.status(), 201);
        let location = created.headers()["location"].to_str().unwrap();
        format!("{PATH}{}", location.split_once(PATH).unwrap().1)
    }

    async fn pieces(app: &App, path: &str) -> Pieces {
        let response = app.answer(get(path, &[TOKEN]), futures_util::stream::empty::<std::io::Result<_>>()).await;
        match response.into_body() {
            Answer::Pieces(pieces) => pieces,
            Answer::Whole(bytes) => panic!("{} bytes at once", bytes.len()),
        }
    }

    #[tokio::test]
    async fn a_large_group_is_sent_in_pieces_and_counts_as_held_until_its_end() {
        let app = app().await;
        let path = group(&app, 8_000).await;
        let mut sent = Vec::new();
        let mut answer = pieces(&app, &path).await;
        assert!(app.held.bytes() >= 8 << 20, "what is sent is held");
        while let Some(piece) = answer.next().await {
            sent.extend(piece.unwrap());
        }
        drop(answer);
        assert_eq!(app.held.bytes(), 0);
        assert_eq!(String::from_utf8(sent).unwrap().matches("\"member-").count(), 8_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_given_up() {
        let app = app().await;
        let path = group(&app, 8_000).await;
        let mut answer = pieces(&app, &path).await;
        assert!(answer.next().await.unwrap().is_ok());
        tokio::time::sleep(4 * app.bounds.request).await;
        assert_eq!(answer.next().await.unwrap().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_given_up_and_its_place_comes_back() {
        let app = app().await;
        let tenant = app.admit(&get("/scim/v2", &[TOKEN])).unwrap().tenant().clone();
        let frozen = || async {
            let place = app.shares.enter(&tenant).await.unwrap();
            app.in_time(place.compute(std::future::pending::<()>())).await.unwrap_err()
        };
        let begin = tokio::time::Instant::now();
        for error in futures_util::future::join_all((0..4).map(|_| frozen())).await {
            assert_eq!((error.status().as_u16(), error.retry_after()), (503, Some(1)));
        }
        assert_eq!(begin.elapsed().as_secs(), 30);
        let ask = app.answer(get("/scim/v2/Users", &[TOKEN]), futures_util::stream::empty::<std::io::Result<_>>());
        assert_eq!(ask.await.status(), 200);
    }

    #[tokio::test]
    async fn who_does_not_read_is_refused_more() {
        let mut app = app().await;
        app.held = Account::new(1 << 20);
        let ask = || app.answer(get("/scim/v2/Schemas", &[TOKEN]), futures_util::stream::empty::<std::io::Result<_>>());
        let mut unread = Vec::new();
        let refusal = loop {
            let response = ask().await;
            if response.status() != 200 {
                break response;
            }
            unread.push(response);
        };
        assert_eq!((refusal.status().as_u16(), &refusal.headers()["retry-after"]), (429, &"1".parse().unwrap()));
        let bytes: usize = unread.iter().map(|response| whole(response.body()).len()).sum();
        assert!(bytes > 64 << 10 && bytes < 1 << 20, "{bytes}");
        drop((unread, refusal));
        assert_eq!(ask().await.status(), 200);
    }
}
