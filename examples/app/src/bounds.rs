//! How much the server does at a time, and how long anything may take.

use std::fmt;
use std::time::Duration;

/// The numbers. Each has a variable of the environment, and a default that the page of this crate lists.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// requests that are computed at once: `SCIM_AT_ONCE`
    pub at_once: usize,
    /// those among them whose tenants' requests take long as a rule, and half of those whose tenants crowd: `SCIM_LONG_AT_ONCE`
    pub long_at_once: usize,
    /// those of one tenant: `SCIM_TENANT_AT_ONCE`
    pub tenant_at_once: usize,
    /// requests of one tenant that wait for their turn: `SCIM_TENANT_WAITING`
    pub tenant_waiting: usize,
    /// how long one waits for its turn: `SCIM_WAIT_MILLIS`
    pub wait: Duration,
    /// how long it takes from its turn to its answer: `SCIM_REQUEST_SECONDS`
    pub request: Duration,
    /// how long a client may read nothing of its answer: `SCIM_UNREAD_SECONDS`
    pub unread: Duration,
    /// bytes of bodies and of answers that are held: `SCIM_HELD_BYTES`
    pub held: usize,
    /// connections from one address, 0 for any number: `SCIM_PEER_CONNECTIONS`
    pub peer_connections: usize,
}

impl Bounds {
    /// How many threads compute answers: one for each request that takes long, and one for each core besides, so that a short
    /// one finds a thread.
    pub fn threads(&self) -> usize {
        self.long_at_once + std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// Reads the bounds from variables.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NotANumber> {
        let number = |name, default, least| match variable(name).map(|text| text.parse()) {
            None => Ok(default),
            Some(Ok(number)) if number >= least => Ok(number),
            Some(_) => Err(NotANumber(name, least)),
        };
        let seconds = |name| Ok(Duration::from_secs(number(name, 30, 1)? as u64));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            at_once: number("SCIM_AT_ONCE", 8 * cores, 1)?,
            long_at_once: number("SCIM_LONG_AT_ONCE", cores, 1)?,
            tenant_at_once: number("SCIM_TENANT_AT_ONCE", 4, 1)?,
            tenant_waiting: number("SCIM_TENANT_WAITING", 64, 1)?,
            wait: Duration::from_millis(number("SCIM_WAIT_MILLIS", 1000, 1)? as u64),
            request: seconds("SCIM_REQUEST_SECONDS")?,
            unread: seconds("SCIM_UNREAD_SECONDS")?,
            held: number("SCIM_HELD_BYTES", 256 << 20, 1)?,
            peer_connections: number("SCIM_PEER_CONNECTIONS", 256, 0)?,
        })
    }
}

/// A variable that has to be a number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotANumber(&'static str, usize);

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has to be a number of at least {}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &'static str) -> Result<Bounds, NotANumber> {
        Bounds::read(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn each_number_has_a_variable() {
        assert_eq!(read("SCIM_AT_ONCE", "3").unwrap().at_once, 3);
        assert_eq!(read("SCIM_WAIT_MILLIS", "3").unwrap().wait, Duration::from_millis(3));
        assert_eq!(read("SCIM_UNREAD_SECONDS", "3").unwrap().unread, Duration::from_secs(3));
        assert_eq!(read("SCIM_PEER_CONNECTIONS", "0").unwrap().peer_connections, 0);
    }

    #[test]
    fn what_is_no_number_is_named() {
        for wrong in ["", "0", "-1", "many", "1.5"] {
            let error = read("SCIM_TENANT_AT_ONCE", wrong).unwrap_err();
            assert_eq!(error.to_string(), "SCIM_TENANT_AT_ONCE has to be a number of at least 1", "{wrong}");
        }
    }
}
