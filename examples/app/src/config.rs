//! What the environment says.

use std::fmt;

use scim_provider::TenantId;

use crate::auth::Tokens;

/// Tokens below this length are accepted and complained about: this is an example that people try things with.
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
        let mut tokens = Tokens::default();
        let generated = match variable("SCIM_TOKENS") {
            Some(list) => {
                list.split(',').try_for_each(|pair| add(&mut tokens, pair))?;
                None
            }
            None => {
                let token = random_token()?;
                add(&mut tokens, &format!("default={token}"))?;
                Some(token)
            }
        };
        Ok(Self {
            listen: variable("SCIM_LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            database: variable("DATABASE_URL").unwrap_or_else(|| "sqlite://scim.sqlite".to_owned()),
            base_url: variable("SCIM_BASE_URL"),
            tokens,
            generated,
        })
    }
}

fn add(tokens: &mut Tokens, pair: &str) -> Result<(), ConfigError> {
    let (tenant, token) = pair.split_once('=').ok_or(ConfigError("SCIM_TOKENS must be `TENANT=TOKEN,…`"))?;
    let tenant = TenantId::new(tenant.trim()).ok_or(ConfigError("SCIM_TOKENS names no tenant"))?;
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError("SCIM_TOKENS holds a token that is empty or not printable"));
    }
    if token.len() < SHORT {
        tracing::warn!(%tenant, "this token is short enough to be guessed: use {SHORT} random characters");
    }
    match tokens.add(tenant, token) {
        true => Ok(()),
        false => Err(ConfigError("SCIM_TOKENS holds the same token twice")),
    }
}

/// 256 random bits.
fn random_token() -> Result<String, ConfigError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| ConfigError("the system has no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Why the configuration cannot be used. It never holds a token.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(&'static str);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
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
