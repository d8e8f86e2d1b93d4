//! A PostgreSQL server for tests: their own, on a free port, in a temporary folder, gone when the tests are.
//!
//! [`database`] gives the URL of an empty database. The server is started by the first test that asks, or it is the one that
//! `SCIM_TEST_POSTGRES` names. Where PostgreSQL is not installed, tests that need it do nothing, and their process says so
//! once; where `SCIM_TEST_NO_SKIP` is set, they fail.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Starts a server and runs a command beside it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/with-postgres.sh");

/// What the script runs: it tells the server's address and waits until this process has ended, however it ends.
const COMMAND: &str = "echo \"$SCIM_TEST_POSTGRES\"; exec cat >/dev/null";

/// A running server.
struct Server {
    url: String,
    /// the end of which ends the server
    _alive: Option<ChildStdin>,
}

/// Whether there is a server to ask for databases. The first `false` is told to whoever looks at the tests.
///
/// # Errors
/// When there is one, and it cannot be used; when there is none, and no test may be skipped.
pub fn is_there() -> Result<bool, String> {
    server().map(|server| server.is_some())
}

/// The URL of a new, empty database; `None` where there is no PostgreSQL.
///
/// # Errors
/// As [`is_there`], and when the database cannot be made.
pub fn database() -> Result<Option<String>, String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Some(server) = server()? else { return Ok(None) };
    let (address, _) = server.url.rsplit_once('/').ok_or("the server's URL names no database")?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("scim_{}_{number}", std::process::id());
    let made = Command::new("psql")
        .args(["--quiet", "--no-psqlrc", "--command", &format!("CREATE DATABASE {name}"), &server.url])
        .output()
        .map_err(|e| format!("psql cannot be run: {e}"))?;
    match made.status.success() {
        true => Ok(Some(format!("{address}/{name}"))),
        false => Err(String::from_utf8_lossy(&made.stderr).into_owned()),
    }
}

fn server() -> Result<Option<&'static Server>, String> {
    static SERVER: OnceLock<Result<Option<Server>, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let started = start();
        if let Ok(None) = started {
            skipped();
        }
        started
    });
    server.as_ref().map(Option::as_ref).map_err(String::clone)
}

fn start() -> Result<Option<Server>, String> {
    if let Ok(url) = std::env::var("SCIM_TEST_POSTGRES") {
        return Ok(Some(Server { url, _alive: None }));
    }
    if !std::path::Path::new("/usr/lib/postgresql").is_dir() {
        return match std::env::var_os("SCIM_TEST_NO_SKIP") {
            Some(_) => Err("PostgreSQL is not installed, and no test may be skipped".to_owned()),
            None => Ok(None),
        };
    }
    let mut script = Command::new("bash")
        .args([SCRIPT, "sh", "-c", COMMAND])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("the server cannot be started: {e}"))?;
    let (alive, told) = (script.stdin.take(), script.stdout.take());
    let mut url = String::new();
    let told = told.ok_or("the server says nothing")?;
    BufReader::new(told).read_line(&mut url).map_err(|e| format!("the server cannot be heard: {e}"))?;
    match url.trim() {
        "" => Err("the server did not start; what it says is above".to_owned()),
        url => Ok(Some(Server { url: url.to_owned(), _alive: alive })),
    }
}

/// A skipped test that does not say so looks like one that passed. The test harness keeps what `eprintln!` prints of tests
/// that pass to itself; what is written to the stream is seen.
fn skipped() {
    let process = std::env::args().next().unwrap_or_default();
    let told = format!(
        "\nSKIPPED: PostgreSQL is not installed (Debian: apt-get install postgresql). The tests of {process} that need it do \
         nothing, though they count as passed.\n"
    );
    let _ = std::io::stderr().write_all(told.as_bytes());
}
