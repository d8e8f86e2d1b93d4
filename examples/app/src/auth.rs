//! Bearer tokens. Only their hashes are kept, so that neither a memory dump nor a log can hold one.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Response};
use scim_provider::{TenantId, unauthorized};
use scim_sql_store::Caller;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::log;

/// The tokens that are accepted. A tenant may have several, so that one can be exchanged without an outage.
#[derive(Debug, Default)]
pub struct Tokens {
    known: Vec<Token>,
}

#[derive(Debug)]
struct Token {
    hash: [u8; 32],
    tenant: TenantId,
    /// what logs call it
    name: String,
}

impl Tokens {
    /// Adds a tenant's token; `false` when it is known already. Whose it is has to be clear.
    pub(crate) fn add(&mut self, tenant: TenantId, token: &str) -> bool {
        let hash = hash(token);
        if self.find(&hash).is_some() {
            return false;
        }
        let number = self.known.iter().filter(|t| t.tenant == tenant).count() + 1;
        let name = format!("{tenant}/{number}");
        self.known.push(Token { hash, tenant, name });
        true
    }

    /// Finds out who is calling: the only place where a [`Caller`] is made.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Unauthorized> {
        let token = bearer(headers).ok_or(Unauthorized::NoToken)?;
        let token = self.find(&hash(token)).ok_or(Unauthorized::UnknownToken)?;
        let request = uuid::Uuid::now_v7().to_string();
        Ok(Caller::authenticated(token.tenant.clone(), &*token.name, request))
    }

    /// Compares with all tokens, and each to its end: how long it takes says nothing about them.
    fn find(&self, hash: &[u8; 32]) -> Option<&Token> {
        self.known.iter().fold(None, |found, token| match bool::from(token.hash.ct_eq(hash)) {
            true => Some(token),
            false => found,
        })
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// none, or more than one
    NoToken,
    /// one that nobody has
    UnknownToken,
}

impl Unauthorized {
    /// The answer: a 401 that says how to do better (RFC 6750 §3).
    pub(crate) fn into_response(self) -> Response<Vec<u8>> {
        log::unauthorized(self);
        unauthorized(match self {
            Self::NoToken => "Bearer realm=\"scim\"",
            Self::UnknownToken => "Bearer realm=\"scim\", error=\"invalid_token\"",
        })
    }
}

/// The token of the one `Authorization` header. With two it is open to debate which of them counts: neither does.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (header, None) = (all.next()?.to_str().ok()?, all.next()) else { return None };
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use scim_provider::Context;

    use super::*;

    fn tokens() -> Tokens {
        let mut tokens = Tokens::default();
        for (tenant, token) in [("acme", "first"), ("acme", "second"), ("globex", "third")] {
            assert!(tokens.add(TenantId::new(tenant).unwrap(), token));
        }
        tokens
    }

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    #[test]
    fn a_token_is_its_tenants() {
        for (header, tenant, name) in [
            ("Bearer first", "acme", "acme/1"),
            ("bearer second", "acme", "acme/2"),
            ("BEARER  third", "globex", "globex/1"),
        ] {
            let caller = tokens().authenticate(&headers(&[header])).unwrap();
            assert_eq!((caller.tenant().as_str(), caller.token()), (tenant, name));
        }
        assert!(!tokens().add(TenantId::new("initech").unwrap(), "first"), "a token has one owner");
    }

    #[test]
    fn everything_else_is_refused_with_a_challenge() {
        for values in [
            &[][..],
            &["first"],
            &["Bearer"],
            &["Bearer "],
            &["Basic first"],
            &["Bearer FIRST"],
            &["Bearer firs"],
            &["Bearer \"first\""],
            &["Bearer first, Bearer first"],
            &["Bearer first", "Bearer first"],
            &["Bearer wrong", "Bearer first"],
        ] {
            let response = tokens().authenticate(&headers(values)).unwrap_err().into_response();
            assert_eq!(response.status(), 401, "{values:?}");
            assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer realm="));
        }
    }
}
