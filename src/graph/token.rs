//! The claims of a token: tenant, permissions, expiry.
//!
//! The signature is not checked: Graph checks it, and this program grants nothing because of a token. The
//! claims serve to report before a run that a permission is missing, or that the tenant is another one.
//!
//! Not here: fetching and renewing tokens (`auth`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

/// The claims that this program uses. A missing claim is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    pub tenant: Option<Uuid>,
    /// Permissions that are granted to an application.
    pub roles: Vec<String>,
    /// Permissions that an application has on behalf of a person.
    pub scopes: Vec<String>,
    pub expires: Option<Timestamp>,
}

/// The claims as they are written in a token (Microsoft identity platform documentation, "Access token
/// claims reference", checked 2026-11).
#[derive(Deserialize)]
struct Claims {
    tid: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    scp: String,
    exp: Option<i64>,
}

impl Token {
    pub(super) fn decode(token: &str) -> Self {
        let claims = token
            .split('.')
            .nth(1)
            .and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok())
            .and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
        claims.map_or_else(Self::default, |claims| Self {
            tenant: claims.tid.and_then(|id| id.parse().ok()),
            roles: claims.roles,
            scopes: claims.scp.split_whitespace().map(str::to_owned).collect(),
            expires: claims.exp.and_then(|second| Timestamp::from_second(second).ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(claims: &str) -> Token {
        Token::decode(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn claims_are_decoded() {
        let token = decode(
            r#"{"tid":"3f2a91d0-0000-4000-8000-000000000001","roles":["User.Read.All"],"exp":1}"#,
        );
        assert_eq!(token.tenant, "3f2a91d0-0000-4000-8000-000000000001".parse().ok());
        assert_eq!(token.roles, ["User.Read.All"]);
        assert_eq!(token.expires, Timestamp::from_second(1).ok());
        let delegated = decode(r#"{"scp":"User.Read openid"}"#);
        assert_eq!(delegated.scopes, ["User.Read", "openid"]);
    }

    #[test]
    fn text_that_is_not_a_token_has_no_claims() {
        for text in ["", "a.b.c", "opaque", "e30..", "."] {
            assert_eq!(Token::decode(text), Token::default(), "{text}");
        }
    }
}
