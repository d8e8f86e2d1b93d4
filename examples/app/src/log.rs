//! What the operator reads: for each exchange what came in, what was repaired, what was decided and why, what changed.
//!
//! Names and outcomes, never values. What clients write is printed quoted and escaped, so that nobody can forge a line.

use std::error::Error as StdError;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Response;
use scim_provider::{Context, Error, Exchange, Observer};
use scim_sql_store::Caller;
use tracing_subscriber::EnvFilter;

use crate::auth::Unauthorized;

/// Starts logging to standard error, by `RUST_LOG`.
pub fn start_log() {
    // what actix_http takes for an error is a client that speaks no HTTP
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=error,actix_server=warn,actix_http=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

/// The server's exit status. The log says why it could not run.
pub fn concluded(outcome: Result<(), Box<dyn StdError>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(cause = chain(error.as_ref()), "the server cannot run");
            ExitCode::FAILURE
        }
    }
}

/// Logs what was refused before the service was asked, and makes the answer.
pub(crate) fn refused(caller: &Caller, error: &Error) -> Response<Vec<u8>> {
    let (tenant, token, request) = (caller.tenant().as_str(), caller.token(), caller.request());
    tracing::info!(tenant, token, request, status = error.status().as_u16(), why = ?error.detail(), "refused");
    error.to_response()
}

/// Logs a request without a valid token, but not each: whoever has none must not fill the disk.
pub(crate) fn unauthorized(why: Unauthorized) {
    static SAMPLE: Mutex<Sample> = Mutex::new(Sample { last: None, left_out: 0 });
    let left_out = SAMPLE.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
    if let Some(left_out) = left_out {
        tracing::warn!(?why, left_out, "unauthorized");
    }
}

/// The first of each second.
struct Sample {
    last: Option<Instant>,
    left_out: u64,
}

impl Sample {
    /// How many were left out before this one; `None` when it is left out, too.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < Duration::from_secs(1)) {
            self.left_out += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Logs every exchange.
pub(crate) struct Log;

impl Observer<Caller> for Log {
    fn exchange(&self, caller: &Caller, exchange: &Exchange<'_>) {
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    tenant = caller.tenant().as_str(),
                    token = caller.token(),
                    request = caller.request(),
                    resource = exchange.resource_type,
                    id = exchange.id.map(tracing::field::debug),
                    status = exchange.status.as_u16(),
                    kind = exchange.scim_type.map(tracing::field::display),
                    why = exchange.detail.map(tracing::field::debug),
                    cause = exchange.source.map(chain),
                    repaired = list(exchange.repairs),
                    ignored = list(exchange.ignored),
                    changed = list(exchange.changed),
                    found = exchange.found,
                    micros = u64::try_from(exchange.elapsed.as_micros()).unwrap_or(u64::MAX),
                    "{}",
                    exchange.operation,
                )
            };
        }
        match exchange.status.as_u16() {
            // what is not supported is the client's affair
            500 | 502.. => log!(error),
            400.. => log!(warn),
            _ => log!(info),
        }
    }
}

/// The items, quoted as one; nothing when there are none.
fn list<T: std::fmt::Display>(items: &[T]) -> Option<tracing::field::DebugValue<String>> {
    let texts: Vec<_> = items.iter().map(T::to_string).collect();
    (!texts.is_empty()).then(|| tracing::field::debug(texts.join(", ")))
}

/// An error and what caused it.
fn chain(error: &(dyn StdError + 'static)) -> tracing::field::DebugValue<String> {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    tracing::field::debug(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_second_is_logged_with_the_number_left_out() {
        let (mut sample, start) = (Sample { last: None, left_out: 0 }, Instant::now());
        let found = [0, 1, 999, 1000, 1500, 1999, 5000].map(|at| sample.take(start + Duration::from_millis(at)));
        assert_eq!(found, [Some(0), None, None, Some(2), None, None, Some(2)]);
    }
}
