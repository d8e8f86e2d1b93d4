//! The app behind an adapter.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Response};
use scim_provider::schema::Uniqueness;
use scim_provider::{BuildError, EnterpriseUser, Extension, Group, Limits, MemoryStore, Service, Store, User};
use scim_sql_store::{Caller, SqlStore};

use crate::GRACE;
use crate::auth::{Tokens, Unauthorized};
use crate::body;
use crate::config::Config;
use crate::log::{self, Log};

/// Where the service is mounted.
pub const PATH: &str = "/scim/v2";

/// The service with its store, and what an adapter asks before it hands a request over.
#[derive(Debug)]
pub struct App {
    /// what speaks SCIM
    pub scim: Service<Caller>,
    tokens: Tokens,
    limits: Limits,
    database: Option<SqlStore>,
    address: String,
    generated: Option<String>,
}

impl App {
    /// Opens the store and builds the service of a server that listens on this address.
    ///
    /// # Errors
    /// When the store cannot be opened, or the base URL is none.
    pub async fn open(config: Config, listening: SocketAddr) -> Result<Self, Box<dyn Error>> {
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
        Ok(Self { scim, tokens: config.tokens, limits, database, address, generated: config.generated })
    }

    /// Finds out who is calling; gives the answer when nobody is, or when the path is not the service's.
    ///
    /// # Errors
    /// A response with 404 or 401, to be sent as it is.
    #[expect(clippy::result_large_err, reason = "the error is the answer, which is sent at once")]
    pub fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Caller, Response<Vec<u8>>> {
        if !path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(scim_provider::Error::not_found("no such endpoint").to_response());
        }
        self.tokens.authenticate(headers).map_err(Unauthorized::into_response)
    }

    /// Reads a body in good time, and of one that is too long as much as the service needs to refuse it.
    ///
    /// # Errors
    /// A response with 400 or 408, to be sent as it is. The log has it then.
    pub async fn complete<S, E>(&self, caller: &Caller, body: S) -> Result<Vec<u8>, Response<Vec<u8>>>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        body::complete(body, self.limits.request_bytes()).await.map_err(|error| log::refused(caller, &error))
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
    use super::*;

    async fn app() -> App {
        let variables = |name: &str| match name {
            "DATABASE_URL" => Some("memory:".to_owned()),
            "SCIM_TOKENS" => Some("acme=s3cr3t".to_owned()),
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

    /// RFC 7644 §3.7.4
    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused_with_the_limit_by_its_name() {
        let app = app().await;
        let token = HeaderMap::from_iter([(http::header::AUTHORIZATION, "Bearer s3cr3t".parse().unwrap())]);
        for (target, limit) in [("/Bulk", "maxPayloadSize (1048576)"), ("/Users", "longer than 1048576 bytes")] {
            for length in [(1 << 20) + 1, 5 << 20] {
                let path = format!("{PATH}{target}");
                let caller = app.admit(&path, &token).unwrap();
                let chunk = Ok::<_, std::io::Error>(Bytes::from(vec![b' '; length]));
                let body = app.complete(&caller, futures_util::stream::iter([chunk])).await.unwrap();
                let request = http::Request::post(path).header("content-type", "application/json").body(body).unwrap();
                let response = app.scim.call(&caller, request).await;
                assert_eq!(response.status(), 413);
                assert!(String::from_utf8_lossy(response.body()).contains(limit), "{target}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_the_services_is_refused_before_the_body_is_read() {
        let app = app().await;
        let token = HeaderMap::from_iter([(http::header::AUTHORIZATION, "Bearer s3cr3t".parse().unwrap())]);
        for (path, headers, status) in [
            ("/scim/v2", &token, None),
            ("/scim/v2/Users", &token, None),
            ("/scim/v2/Users", &HeaderMap::new(), Some(401)),
            ("/scim/v2x/Users", &token, Some(404)),
            ("/", &token, Some(404)),
            ("/", &HeaderMap::new(), Some(404)),
        ] {
            let refused = app.admit(path, headers).err().map(|response| response.status().as_u16());
            assert_eq!(refused, status, "{path}");
        }
    }
}
