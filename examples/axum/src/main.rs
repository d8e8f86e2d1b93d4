//! A SCIM service provider: axum in front, SQL behind, `scim-provider` between them.
//!
//! `SCIM_LISTEN`, `SCIM_BASE_URL`, `SCIM_TOKENS` and `DATABASE_URL` configure it; without any of them it makes a token, prints
//! how to use it, and keeps its data in `scim.sqlite`. `DATABASE_URL=memory:` takes the library's own store in memory.
//! `RUST_LOG` says how much it tells on standard error.

mod auth;
mod body;
mod config;
mod log;
mod serve;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use scim_provider::{BuildError, EnterpriseUser, Extension, Group, Limits, MemoryStore, Service, Store, User};
use scim_sql_store::{Caller, SqlStore};
use tokio::net::TcpListener;

use crate::auth::{Tokens, Unauthorized};
use crate::config::Config;

/// Where the service is mounted.
const PATH: &str = "/scim/v2";

struct App {
    scim: Service<Caller>,
    tokens: Tokens,
    limits: Limits,
}

/// The adapter: authenticate, complete the body, hand over, send what comes back.
async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let outcome = async {
        let (head, body) = request.into_parts();
        if !head.uri.path().strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(scim_provider::Error::not_found("no such endpoint").to_response());
        }
        let caller = app.tokens.authenticate(&head.headers).map_err(Unauthorized::into_response)?;
        let body = body::complete(body, app.limits.body_bytes).await.map_err(|e| log::refused(&caller, &e))?;
        Ok(app.scim.call(&caller, Request::from_parts(head, body)).await)
    };
    outcome.await.unwrap_or_else(|refusal| refusal).map(Body::from)
}

#[tokio::main]
async fn main() -> ExitCode {
    log::start();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::failed(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::read(|name| std::env::var(name).ok())?;
    let listener = TcpListener::bind(&config.listen).await?;
    let address = format!("http://{}{PATH}", listener.local_addr()?);
    let limits = Limits::default();
    let base = config.base_url.as_ref().unwrap_or(&address);
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
    let app = App { scim, tokens: config.tokens, limits };
    let router = Router::new().fallback(answer).with_state(Arc::new(app));

    announce(&address, config.generated.as_deref())?;
    serve::serve(listener, router, stop()).await;
    if let Some(database) = database {
        database.close().await;
    }
    Ok(())
}

/// The service, over whichever stores.
fn service<S, T>(base: &str, limits: &Limits, users: S, groups: T) -> Result<Service<Caller>, BuildError>
where
    S: Store<Context = Caller>,
    T: Store<Context = Caller>,
{
    Service::builder(base)
        .resource(User::resource_type().extension(EnterpriseUser::schema()), users)
        .resource(Group::resource_type(), groups)
        .limits(limits.clone())
        .observer(log::Log)
        .build()
}

/// Says that the server is ready, and how to try it. A token is shown only when nobody else knows it.
fn announce(address: &str, generated: Option<&str>) -> std::io::Result<()> {
    let token = generated.unwrap_or("$TOKEN");
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

/// Waits for the signal to end.
async fn stop() {
    let interrupted = async {
        // without a handler the signal ends the process on its own
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
