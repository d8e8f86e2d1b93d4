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
use scim_example_app::{Answer, App, Config, concluded, start_log, stop};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// The adapter: hand over, send what comes back.
async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    app.answer(head, body.into_data_stream()).await.map(|answer| match answer {
        Answer::Whole(bytes) => Body::from(bytes),
        Answer::Pieces(pieces) => Body::from_stream(pieces),
    })
}

fn main() -> ExitCode {
    start_log();
    concluded(start())
}

fn start() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;
    let runtime = Builder::new_multi_thread().worker_threads(config.bounds.threads()).enable_all().build()?;
    runtime.block_on(run(config))
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(&config.listen).await?;
    let app = Arc::new(App::open(config, listener.local_addr()?).await?);
    let router = Router::new().fallback(answer).with_state(Arc::clone(&app));
    app.announce()?;
    serve::serve(listener, router, app.connections(), stop()).await;
    app.close().await;
    Ok(())
}
