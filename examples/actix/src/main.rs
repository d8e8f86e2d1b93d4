//! A SCIM service provider: actix-web in front, SQL behind, `scim-provider` between them.
//!
//! Environment variables configure it; `examples/app` says which.

mod convert;

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;

use actix_http::{HttpService, Protocol};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use scim_example_app::{App, CONNECTIONS, Config, GRACE, HEAD_TIME, concluded, start_log, stop};
use tokio::net::TcpStream;

/// The adapter: hand over, send what comes back.
#[expect(
    clippy::future_not_send,
    reason = "a request of actix-web's stays in the thread of the worker that has read it"
)]
async fn answer(app: Data<App>, request: HttpRequest, body: Payload) -> HttpResponse {
    convert::response(match convert::head(&request) {
        Ok(head) => app.answer(head, body).await,
        Err(refusal) => refusal,
    })
}

#[actix_web::main]
async fn main() -> ExitCode {
    start_log();
    concluded(run().await)
}

/// What `HttpServer` does, with bounds on connections: it takes plain TCP streams and no others.
async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;
    let listener = TcpListener::bind(&config.listen)?;
    let workers = config.bounds.threads();
    let app = Data::new(App::open(config, listener.local_addr()?).await?);
    let state = Data::clone(&app);
    let service = move || {
        let connections = state.connections().clone();
        let app = actix_web::App::new().app_data(Data::clone(&state)).default_service(web::to(answer));
        let http = HttpService::build()
            .client_request_timeout(HEAD_TIME)
            .keep_alive(HEAD_TIME)
            .finish(map_config(app.into_factory().map_err(|error| error.error_response()), |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let _ = stream.set_nodelay(true);
            let peer = stream.peer_addr();
            let taken = peer.map(|peer| (connections.take(stream, peer), peer));
            async move {
                match taken {
                    Ok((Some(stream), peer)) => Ok((stream, Protocol::Http1, Some(peer))),
                    _ => Err(actix_http::error::DispatchError::DisconnectTimeout),
                }
            }
        })
        .and_then(http)
    };
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(CONNECTIONS.div_ceil(workers))
        // a signal is handled as in the other examples: ctrl-c lets requests come to their end, too
        .shutdown_signal(stop())
        .shutdown_timeout(GRACE.as_secs())
        .listen("scim", listener, service)?
        .run();
    app.announce()?;
    server.await?;
    app.close().await;
    Ok(())
}
