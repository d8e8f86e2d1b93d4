//! A SCIM service provider: axum in front, SQL behind, `scim-provider` between them.
//!
//! Environment variables configure it; `examples/app` says which.

mod serve;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use scim_example_app::{App, Config, concluded, start_log, stop};
use tokio::net::TcpListener;

/// The adapter: authenticate, complete the body, hand over, send what comes back.
async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let outcome = async {
        let (head, body) = request.into_parts();
        let caller = app.admit(head.uri.path(), &head.headers)?;
        let body = app.complete(&caller, body.into_data_stream()).await?;
        Ok(app.scim.call(&caller, Request::from_parts(head, body)).await)
    };
    outcome.await.unwrap_or_else(|refusal| refusal).map(Body::from)
}

#[tokio::main]
async fn main() -> ExitCode {
    start_log();
    concluded(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;
    let listener = TcpListener::bind(&config.listen).await?;
    let app = Arc::new(App::open(config, listener.local_addr()?).await?);
    let router = Router::new().fallback(answer).with_state(Arc::clone(&app));
    app.announce()?;
    serve::serve(listener, router, stop()).await;
    app.close().await;
    Ok(())
}
