//! What the example servers have in common, whatever their web framework: configuration, tokens, the log, the store, and what is
//! asked of a body. A server adds the adapter: `examples/axum` and `examples/actix`.
//!
//! `SCIM_LISTEN`, `SCIM_BASE_URL`, `SCIM_TOKENS` and `DATABASE_URL` configure it; without any of them it makes a token, prints
//! how to use it, and keeps its data in `scim.sqlite`. `DATABASE_URL=memory:` takes the library's own store in memory.
//! `RUST_LOG` says how much it tells on standard error.

mod app;
mod auth;
mod body;
mod config;
mod log;
mod stop;

pub use app::{App, PATH};
pub use auth::{Tokens, Unauthorized};
pub use config::{Config, ConfigError};
pub use log::{concluded, start_log};
pub use stop::stop;

use std::time::Duration;

/// How long a client may take to send the head of a request, and how long a connection may idle.
pub const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long requests that are being answered may take when the server is asked to end.
pub const GRACE: Duration = Duration::from_secs(10);
/// How many connections are held at a time: others wait to be accepted.
pub const CONNECTIONS: usize = 10_000;
