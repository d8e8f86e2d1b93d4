//! The product's server, as far as provisioning goes. `provision` as its argument takes the second step.
//!
//! `SCIM_TOKEN` is what the identity provider shows; `DATABASE_URL` (`sqlite://product.sqlite?mode=rwc`) and `SCIM_LISTEN`
//! (`127.0.0.1:8080`) say where. `examples/axum` is an adapter that is hardened: this one is short.

use std::error::Error;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, serve};
use existing_users_example::{deprovision, open, provision};
use http::StatusCode;
use http::header::AUTHORIZATION;
use scim_provider::{Limits, Service, TenantId, unauthorized};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

struct App {
    scim: Service<TenantId>,
    /// there is one customer, and one token
    customer: TenantId,
    authorization: String,
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let shown = head.headers.get(AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let response = match bool::from(shown.ct_eq(app.authorization.as_bytes())) {
        false => unauthorized("Bearer realm=\"scim\""),
        true => match to_bytes(body, Limits::default().body_bytes).await {
            Ok(body) => app.scim.call(&app.customer, Request::from_parts(head, body)).await,
            Err(_) => scim_provider::Error::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long").to_response(),
        },
    };
    response.map(Body::from)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let token = std::env::var("SCIM_TOKEN").ok().filter(|token| token.len() >= 16);
    let token = token.ok_or("SCIM_TOKEN must be a token of 16 characters or more")?;
    let listener = TcpListener::bind(variable("SCIM_LISTEN", "127.0.0.1:8080")).await?;
    let base = format!("http://{}/scim/v2", listener.local_addr()?);
    let pool = open(&variable("DATABASE_URL", "sqlite://product.sqlite?mode=rwc")).await?;
    let scim = match std::env::args().nth(1).as_deref() {
        Some("provision") => provision(&base, pool).await?,
        _ => deprovision(&base, pool)?,
    };
    let customer = TenantId::new("customer").ok_or("a tenant has a name")?;
    let app = App { scim, customer, authorization: format!("Bearer {token}") };
    Ok(serve(listener, Router::new().fallback(answer).with_state(Arc::new(app))).await?)
}
