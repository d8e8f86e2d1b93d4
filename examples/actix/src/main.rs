//! A SCIM service provider: actix-web in front, SQL behind, `scim-provider` between them.
//!
//! Environment variables configure it; `examples/app` says which.

mod convert;

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpServer};
use http::{Request, Response};
use scim_example_app::{App, CONNECTIONS, Config, GRACE, HEAD_TIME, concluded, start_log, stop};

/// The adapter: authenticate, complete the body, hand over, send what comes back.
#[expect(
    clippy::future_not_send,
    reason = "a request of actix-web's stays in the thread of the worker that has read it"
)]
async fn answer(app: Data<App>, request: HttpRequest, body: Payload) -> HttpResponse {
    let outcome = async {
        let head = convert::head(&request)?;
        let caller = app.admit(head.uri.path(), &head.headers)?;
        let body = app.complete(&caller, body).await?;
        Ok(app.scim.call(&caller, Request::from_parts(head, body)).await)
    };
    let response: Response<Vec<u8>> = outcome.await.unwrap_or_else(|refusal| refusal);
    convert::response(response)
}

#[actix_web::main]
async fn main() -> ExitCode {
    start_log();
    concluded(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;
    let listener = TcpListener::bind(&config.listen)?;
    let app = Data::new(App::open(config, listener.local_addr()?).await?);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let state = Data::clone(&app);
    let server =
        HttpServer::new(move || actix_web::App::new().app_data(Data::clone(&state)).default_service(web::to(answer)))
            .workers(workers)
            .max_connections(CONNECTIONS.div_ceil(workers))
            .client_request_timeout(HEAD_TIME)
            .keep_alive(HEAD_TIME)
            .tcp_nodelay(true)
            // a signal is handled as in the other examples: ctrl-c lets requests come to their end, too
            .shutdown_signal(stop())
            .shutdown_timeout(GRACE.as_secs())
            .listen(listener)?
            .run();
    app.announce()?;
    server.await?;
    app.close().await;
    Ok(())
}
