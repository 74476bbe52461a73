//! Access tokens: the token endpoint of the tenant, the format of its tokens, and the check of a
//! token that a client sends.
//!
//! Microsoft identity platform documentation (client credentials flow): a form, a scope that is a
//! resource and `/.default`, a secret in the body or by HTTP Basic, or an assertion. Any client id
//! and any secret are accepted, unless the server was started with one secret.
//!
//! Not here: what a permission allows (`access`), or the OAuth errors (`aadsts`).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use uuid::Uuid;

use crate::clock::Clock;
use crate::graph::problem::Problem;
use crate::http::aadsts::Refusal;

/// The lifetime of a token, in seconds.
const LIFETIME: i64 = 3599;

/// The URLs of Graph in all clouds, and the application id of Graph.
const RESOURCES: [&str; 5] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    "00000003-0000-0000-c000-000000000000",
];

/// The application permissions in a token by default.
const ROLES: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "RoleManagement.Read.Directory",
    "RoleEligibilitySchedule.Read.Directory",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "AuditLog.Read.All",
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
    "UserAuthMethod-Phone.Read.All",
    "UserAuthMethod-Phone.ReadWrite.All",
];

/// The application permissions in tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// For every application that is not in `apps`; `None` means all permissions that a program such
    /// as mfactl needs.
    pub everyone: Option<Vec<String>>,
    /// By client id.
    pub apps: BTreeMap<String, Vec<String>>,
}

impl Grants {
    fn of(&self, client: &str) -> Vec<&str> {
        match self.apps.get(client).or(self.everyone.as_ref()) {
            Some(roles) => roles.iter().map(String::as_str).collect(),
            None => ROLES.to_vec(),
        }
    }
}

/// The application that sent a valid token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) app: Option<String>,
    pub(crate) roles: BTreeSet<String>,
}

/// Issues tokens and checks them.
#[derive(Debug)]
pub(crate) struct Tokens {
    tenant: Uuid,
    client_secret: Option<String>,
    clock: Clock,
    grants: Grants,
    /// The third parts of the revoked tokens.
    revoked: Mutex<HashSet<String>>,
    /// The key of the third part of a token, by which this server recognises its own tokens.
    seal: [u8; 16],
}

impl Tokens {
    pub(crate) fn new(
        tenant: Uuid,
        client_secret: Option<String>,
        clock: Clock,
        grants: Grants,
    ) -> Self {
        Self {
            tenant,
            client_secret,
            clock,
            grants,
            revoked: Mutex::default(),
            seal: Uuid::new_v4().into_bytes(),
        }
    }

    /// Answers a request for a token. `own` has the URLs of this server.
    pub(crate) fn issue(
        &self,
        form: &str,
        authorization: Option<&str>,
        own: &[&str],
    ) -> Result<Value, Refusal> {
        let form: Vec<(String, String)> =
            form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let field = |name: &str| {
            form.iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.as_str())
        };
        match field("grant_type") {
            Some("client_credentials") => {}
            None => return Err(Refusal::missing("grant_type")),
            Some(_) => return Err(Refusal::unsupported_grant()),
        }
        let basic = authorization.and_then(basic);
        let client = field("client_id")
            .map(str::to_owned)
            .or_else(|| basic.as_ref().map(|(client, _)| client.clone()))
            .ok_or_else(|| Refusal::missing("client_id"))?;
        let secret =
            field("client_secret").map(str::to_owned).or_else(|| basic.map(|(_, secret)| secret));
        self.check_credential(&client, secret.as_deref(), field("client_assertion"))?;
        let scope = field("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let audience = audience(scope, own)?;
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": self.clock.told(LIFETIME.unsigned_abs()),
            "ext_expires_in": self.clock.told(LIFETIME.unsigned_abs()),
            "access_token": self.token(&client, &audience, self.clock.now().as_second()),
        }))
    }

    fn check_credential(
        &self,
        client: &str,
        secret: Option<&str>,
        assertion: Option<&str>,
    ) -> Result<(), Refusal> {
        match (secret, assertion, &self.client_secret) {
            (Some(given), _, Some(wanted)) if given != wanted => Err(Refusal::bad_secret(client)),
            (Some(_), _, _) => Ok(()),
            (None, Some(assertion), None) if assertion.split('.').count() == 3 => Ok(()),
            (None, Some(_), _) => Err(Refusal::bad_assertion()),
            (None, None, _) => Err(Refusal::no_credential()),
        }
    }

    fn token(&self, client: &str, audience: &str, now: i64) -> String {
        let header = json!({"typ": "JWT", "alg": "none"});
        let payload = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{}/", self.tenant),
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "appid": client,
            "appidacr": "1",
            "idtyp": "app",
            "oid": service_principal(client),
            "roles": self.grants.of(client),
            "sub": service_principal(client),
            "tid": self.tenant,
            // Makes every token different.
            "uti": BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4()),
            "ver": "1.0",
        });
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(payload));
        let seal = self.seal(&signed);
        format!("{signed}.{seal}")
    }

    /// Refuses the token of this `Authorization` header from now on.
    pub(crate) fn revoke(&self, authorization: Option<&str>) {
        if let Some((_, seal)) = authorization.and_then(|header| header.trim().rsplit_once('.')) {
            let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
            revoked.insert(seal.to_owned());
        }
    }

    fn seal(&self, signed: &str) -> String {
        let digest = Sha256::new().chain_update(self.seal).chain_update(signed).finalize();
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    }

    /// Checks the `Authorization` header of a request, and returns the caller.
    pub(crate) fn check(
        &self,
        authorization: Option<&str>,
        own: &[&str],
    ) -> Result<Caller, Problem> {
        let refused = |message: &str| Problem::new(401, "InvalidAuthenticationToken", message);
        let token = authorization
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| refused("Access token is empty."))?;
        let (signed, seal) = token
            .rsplit_once('.')
            .filter(|(signed, _)| signed.split('.').count() == 2)
            .ok_or_else(|| refused("CompactToken parsing failed: a token has three parts."))?;
        let claims = claims(signed).ok_or_else(|| refused("Access token cannot be read."))?;
        let audience = claims.get("aud").and_then(Value::as_str).unwrap_or_default();
        if !is_resource(audience, own) {
            return Err(refused("Access token validation failure. Invalid audience."));
        }
        let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
        if expires <= self.clock.now().as_second() {
            return Err(refused("Lifetime validation failed, the token is expired."));
        }
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if revoked.contains(seal) {
            return Err(refused("Access token has been revoked."));
        }
        if seal != self.seal(signed) {
            return Err(refused("Access token validation failure. Invalid signature."));
        }
        let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten();
        Ok(Caller {
            app: claims.get("appid").and_then(Value::as_str).map(str::to_owned),
            roles: roles.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

fn claims(signed: &str) -> Option<Value> {
    let (_, payload) = signed.split_once('.')?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Client id and secret of an `Authorization: Basic` header.
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, value) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = BASE64_STANDARD.decode(value.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        let mut pairs = form_urlencoded::parse(text.as_bytes());
        pairs.next().map(|(key, _)| key.into_owned())
    };
    Some((decoded(client)?, decoded(secret)?))
}

/// Returns the resource of a scope, which must be exactly one, with `/.default`.
fn audience(scope: &str, own: &[&str]) -> Result<String, Refusal> {
    let mut scopes = scope.split_ascii_whitespace();
    let first = scopes.next().unwrap_or_default();
    if scopes.next().is_some() {
        return Err(Refusal::bad_scope(scope));
    }
    let resource = first
        .strip_suffix("/.default")
        .ok_or_else(|| Refusal::not_default(scope))?
        .trim_end_matches('/');
    if is_resource(resource, own) {
        return Ok(resource.to_owned());
    }
    Err(Refusal::unknown_resource(resource))
}

fn is_resource(resource: &str, own: &[&str]) -> bool {
    let resource = resource.trim_end_matches('/');
    RESOURCES
        .iter()
        .chain(own)
        .any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(resource))
}

/// The id of an application's service principal in this tenant: always the same for one client id.
fn service_principal(client: &str) -> Uuid {
    let digest = Sha256::digest(client.to_lowercase());
    let mut bytes = [0; 16];
    for (byte, digest) in bytes.iter_mut().zip(digest) {
        *byte = digest;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[&str] = &["http://127.0.0.1:8080"];

    fn tokens(secret: Option<&str>) -> Tokens {
        Tokens::new(Uuid::nil(), secret.map(str::to_owned), Clock::real(), Grants::default())
    }

    fn form(scope: &str, secret: &str) -> String {
        format!("grant_type=client_credentials&client_id=app&client_secret={secret}&scope={scope}")
    }

    #[test]
    fn token_is_valid_only_at_the_server_that_issued_it() {
        let ours = tokens(None);
        for resource in ["https://graph.microsoft.com", "http://127.0.0.1:8080"] {
            let answer =
                ours.issue(&form(&format!("{resource}/.default"), "x"), None, OWN).unwrap();
            let token = answer["access_token"].as_str().unwrap();
            assert_eq!(token.split('.').filter(|part| !part.is_empty()).count(), 3);
            let header = format!("Bearer {token}");
            assert!(ours.check(Some(&header), OWN).unwrap().roles.contains("User.Read.All"));
            assert!(tokens(None).check(Some(&header), OWN).is_err());
        }
    }

    #[test]
    fn expired_foreign_and_missing_tokens_are_refused() {
        let ours = tokens(None);
        let now = ours.clock.now().as_second();
        let message = |token: &str| {
            let header = format!("Bearer {token}");
            ours.check(Some(&header), OWN).unwrap_err().message
        };
        let old = ours.token("app", "https://graph.microsoft.com", now - 4000);
        assert!(message(&old).contains("expired"));
        let foreign = ours.token("app", "https://management.azure.com", now);
        assert!(message(&foreign).contains("audience"));
        assert!(message("a.b").contains("three parts"));
        assert_eq!(ours.check(None, OWN).unwrap_err().status, 401);
    }

    #[test]
    fn invalid_token_requests_get_the_documented_codes() {
        let code = |tokens: &Tokens, form: &str| tokens.issue(form, None, OWN).unwrap_err().code;
        let graph = "https://graph.microsoft.com/.default";
        assert_eq!(code(&tokens(Some("s")), &form(graph, "t")), 7_000_215);
        assert!(tokens(Some("s")).issue(&form(graph, "s"), None, OWN).is_ok());
        assert_eq!(code(&tokens(None), &form("User.Read", "s")), 1_002_012);
        assert_eq!(code(&tokens(None), &form(&format!("{graph}+{graph}"), "s")), 70_011);
        assert_eq!(code(&tokens(None), &form("https://x.y/.default", "s")), 500_011);
        assert_eq!(code(&tokens(None), "grant_type=password"), 70_003);
        assert_eq!(
            code(
                &tokens(None),
                &format!("grant_type=client_credentials&client_id=a&scope={graph}")
            ),
            7_000_218
        );
    }

    #[test]
    fn secret_is_accepted_by_http_basic() {
        let basic = format!("Basic {}", BASE64_STANDARD.encode("app:p%2Bq"));
        let form = "grant_type=client_credentials&scope=https://graph.microsoft.com/.default";
        let ours = tokens(Some("p+q"));
        assert!(ours.issue(form, Some(&basic), OWN).is_ok());
    }
}
