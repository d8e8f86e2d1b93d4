//! What the example servers have in common, whatever their web framework: configuration, tokens, the log, the store, and what is
//! asked of a body. A server adds the adapter: `examples/axum` and `examples/actix`.
//!
//! `SCIM_LISTEN`, `SCIM_BASE_URL`, `SCIM_TOKENS` and `DATABASE_URL` configure it; without any of them it makes a token, prints
//! how to use it, and keeps its data in `scim.sqlite`. `DATABASE_URL=memory:` takes the library's own store in memory.
//! `RUST_LOG` says how much it tells on standard error.
//!
//! No tenant takes more than its share, and nothing waits for ever. The bounds, for N cores:
//!
//! | variable | default | what it bounds |
//! |---|---|---|
//! | `SCIM_TENANT_AT_ONCE` | 4 | requests of a tenant that are computed at once |
//! | `SCIM_TENANT_WAITING` | 64 | those that wait for their turn: one more is 429 |
//! | `SCIM_WAIT_MILLIS` | 1000 | how long they wait, then 429 |
//! | `SCIM_AT_ONCE` | 8 N | requests of all tenants that are computed at once |
//! | `SCIM_LONG_AT_ONCE` | N | those among them of tenants whose requests take more than 20 ms on average; twice as many of tenants that have more than 80 ms of work here |
//! | `SCIM_REQUEST_SECONDS` | 30 | how long a request is computed, then 503 |
//! | | 4 × that | how long an answer in pieces, such as a group with very many members, is sent |
//! | `SCIM_UNREAD_SECONDS` | 30 | how long a client reads nothing of its answer, then the connection ends |
//! | `SCIM_HELD_BYTES` | 268435456 | bodies and answers in memory: a tenant may hold as much as is left, then 429 |
//! | `SCIM_PEER_CONNECTIONS` | 256 | connections from one address, others are closed; 0, any number, behind a proxy |
//!
//! A token below 32 bytes is refused unless the server listens on a loopback address.

mod answer;
mod app;
mod auth;
mod body;
mod bounds;
mod config;
mod connections;
mod held;
mod log;
mod shares;
mod stop;
mod within;

pub use answer::{Answer, Pieces};
pub use app::{App, PATH};
pub use auth::{Tokens, Unauthorized};
pub use bounds::Bounds;
pub use config::{Config, ConfigError};
pub use connections::{Connection, Connections};
pub use log::{concluded, start_log};
pub use stop::stop;

use std::time::Duration;

/// How long a client may take to send the head of a request, and how long a connection may idle.
pub const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long requests that are being answered may take when the server is asked to end.
pub const GRACE: Duration = Duration::from_secs(10);
/// How many connections are held at a time: others wait to be accepted.
pub const CONNECTIONS: usize = 10_000;
