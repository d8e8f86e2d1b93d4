//! What the environment says.

use std::fmt;
use std::net::SocketAddr;

use scim_provider::TenantId;

use crate::auth::Tokens;
use crate::bounds::Bounds;

/// Tokens below this length can be guessed. On a loopback address, where people try things, they are only complained about.
const SHORT: usize = 32;

/// How the server is to run.
#[derive(Debug)]
pub struct Config {
    /// the address to listen on
    pub listen: String,
    /// the store: `memory:`, or what [`SqlStore::open`](scim_sql_store::SqlStore::open) takes
    pub database: String,
    /// what clients are told, where it is not what the server listens on
    pub base_url: Option<String>,
    /// who may call
    pub tokens: Tokens,
    /// how much at a time, and for how long
    pub bounds: Bounds,
    /// the tenants whose tokens can be guessed
    pub(crate) short: Vec<TenantId>,
    /// the token that was made because none is configured
    pub generated: Option<String>,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// When `SCIM_TOKENS` is malformed, or no token can be made.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads the configuration from variables.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (mut tokens, mut short) = (Tokens::default(), Vec::new());
        let generated = match variable("SCIM_TOKENS") {
            Some(list) => {
                list.split(',').try_for_each(|pair| add(&mut tokens, &mut short, pair))?;
                None
            }
            None => {
                let token = random_token()?;
                add(&mut tokens, &mut short, &format!("default={token}"))?;
                Some(token)
            }
        };
        Ok(Self {
            listen: variable("SCIM_LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            database: variable("DATABASE_URL").unwrap_or_else(|| "sqlite://scim.sqlite".to_owned()),
            base_url: variable("SCIM_BASE_URL"),
            tokens,
            bounds: Bounds::read(variable).map_err(|error| ConfigError(error.to_string()))?,
            short,
            generated,
        })
    }

    /// Refuses tokens that can be guessed, unless nobody else can reach the server.
    pub(crate) fn check_tokens(&self, listening: SocketAddr) -> Result<(), ConfigError> {
        for tenant in &self.short {
            if !listening.ip().to_canonical().is_loopback() {
                let text = format!(
                    "SCIM_TOKENS holds a token of `{tenant}` that can be guessed: use {SHORT} random characters"
                );
                return Err(ConfigError(text));
            }
            tracing::warn!(%tenant, "this token is short enough to be guessed: use {SHORT} random characters");
        }
        Ok(())
    }
}

fn add(tokens: &mut Tokens, short: &mut Vec<TenantId>, pair: &str) -> Result<(), ConfigError> {
    let (tenant, token) =
        pair.split_once('=').ok_or_else(|| ConfigError("SCIM_TOKENS must be `TENANT=TOKEN,…`".to_owned()))?;
    let tenant = TenantId::new(tenant.trim()).ok_or_else(|| ConfigError("SCIM_TOKENS names no tenant".to_owned()))?;
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError("SCIM_TOKENS holds a token that is empty or not printable".to_owned()));
    }
    if token.len() < SHORT {
        short.push(tenant.clone());
    }
    match tokens.add(tenant, token) {
        true => Ok(()),
        false => Err(ConfigError("SCIM_TOKENS holds the same token twice".to_owned())),
    }
}

/// 256 random bits.
fn random_token() -> Result<String, ConfigError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| ConfigError("the system has no random numbers".to_owned()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Why the configuration cannot be used. It never holds a token.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Config::read(find)
    }

    #[test]
    fn nothing_has_to_be_configured() {
        let config = read(&[("SCIM_TOKENS", "")]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:8080");
        assert_eq!(config.generated.map(|token| token.len()), Some(64));
    }

    #[test]
    fn short_tokens_are_for_loopback_addresses() {
        let (long, short) = ("x".repeat(SHORT), "x".repeat(SHORT - 1));
        for (token, listening, fits) in [
            ("short", "127.0.0.1:80", true),
            ("short", "127.1.2.3:80", true),
            ("short", "[::1]:80", true),
            ("short", "[::ffff:127.0.0.1]:80", true),
            ("short", "0.0.0.0:80", false),
            ("short", "[::]:80", false),
            ("short", "192.0.2.1:80", false),
            (&short, "0.0.0.0:80", false),
            (&long, "0.0.0.0:80", true),
        ] {
            let config = read(&[("SCIM_TOKENS", &format!("globex={long}-2,acme={token}"))]).unwrap();
            let checked = config.check_tokens(listening.parse().unwrap());
            assert_eq!(checked.is_ok(), fits, "{token} {listening}");
        }
    }

    #[test]
    fn tokens_are_read_and_never_shown() {
        let config = read(&[("SCIM_TOKENS", "acme=one==, globex=two")]).unwrap();
        assert_eq!(config.generated, None);
        assert!(!format!("{config:?}").contains("one=="));
        for wrong in ["acme", "=one", "acme=", "acme=one,", "acme=one,globex=one", "acme=o\u{e9}", " =one"] {
            let error = read(&[("SCIM_TOKENS", wrong)]).unwrap_err();
            assert!(!error.to_string().contains("one"), "{wrong}");
        }
    }
}
