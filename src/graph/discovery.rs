//! Which tenant a domain belongs to, by what the sign-in service says of itself to anybody.
//!
//! Microsoft identity platform documentation, "OpenID Connect on the Microsoft identity platform"
//! (checked 2026-11): below the domain there is a document whose `issuer` carries the tenant's id.
//! No token is sent, and none is needed.

use reqwest::Method;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::answer::unreadable;
use super::client::Client;
use super::error::{Error, Kind};

#[derive(Deserialize)]
struct Document {
    issuer: String,
}

/// What the sign-in service says where it knows no such tenant.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_description: String,
}

impl Client {
    /// The id of the tenant that has the domain, as one of its own.
    ///
    /// # Errors
    /// Where the sign-in service does not answer, knows no such tenant, or names none.
    pub async fn tenant_of(&self, domain: &str) -> Result<Uuid, Error> {
        let path = format!("/{domain}/v2.0/.well-known/openid-configuration");
        let url = self.endpoints().login().join(&path);
        let url = url.map_err(|_| Error::new(Kind::Setup, &Method::GET, &path))?;
        let mut tried = 0;
        loop {
            let error = match self.discovered(&url).await {
                Ok(id) => return Ok(id),
                Err(error) => error,
            };
            if !error.is_passing() || tried + 1 >= self.tries_at(&error) {
                return Err(error);
            }
            if let Err(over) = self.pause(tried, error.retry_after()).await {
                return Err(over.unsent(&Method::GET, &path, Some(&error)));
            }
            tried += 1;
        }
    }

    async fn discovered(&self, url: &Url) -> Result<Uuid, Error> {
        let path = url.path();
        let (status, body) = self.open_document(url).await?;
        if !(200..300).contains(&status) {
            let refusal = serde_json::from_slice::<Refusal>(&body)
                .unwrap_or(Refusal { error_description: String::new() });
            let refused = Error::from_answer(status, &body, &Method::GET, path);
            return Err(match refusal.error_description.split_once(':') {
                Some((code, said)) if code.starts_with("AADSTS") => {
                    refused.with_code(code).with_message(said.trim())
                }
                _ => refused,
            });
        }
        let document: Document = serde_json::from_slice(&body)
            .map_err(|error| unreadable(&error, &Method::GET, path))?;
        tenant_in(&document.issuer).ok_or_else(|| {
            Error::new(Kind::Body, &Method::GET, path).with_message("its issuer names no tenant")
        })
    }
}

/// `https://login.microsoftonline.com/{id}/v2.0`
fn tenant_in(issuer: &str) -> Option<Uuid> {
    let issuer = Url::parse(issuer).ok()?;
    issuer.path_segments()?.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::graph::script::{Reply, Script};

    const ID: &str = "3f2a91d0-0000-4000-8000-000000000001";

    #[tokio::test]
    async fn a_domain_leads_to_its_tenant_without_a_token() {
        let script = Script::start(|_, nth| match nth {
            0 => Reply::json(503, ""),
            1 => Reply::json(200, r#"{"issuer":"https://login"#),
            _ => {
                let issuer = format!("https://login.microsoftonline.com/{ID}/v2.0");
                Reply::json(200, format!(r#"{{"issuer":"{issuer}"}}"#))
            }
        })
        .await;
        let id = script.client().tenant_of("contoso.example").await.unwrap();
        assert_eq!(id.to_string(), ID);
        let asked = script.asked();
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[0].path, "/contoso.example/v2.0/.well-known/openid-configuration");
        assert!(asked.iter().all(|seen| seen.header("authorization").is_none()));
    }

    #[tokio::test]
    async fn what_names_no_tenant_is_an_error() {
        for (status, body, told) in [
            (
                200,
                r#"{"issuer":"https://login.microsoftonline.com/common/v2.0"}"#,
                "names no tenant",
            ),
            (200, r#"{"issuer":"urn:x"}"#, "names no tenant"),
            (
                400,
                r#"{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant 'x' not found."}"#,
                "answered 400 `AADSTS90002`: Tenant 'x' not found",
            ),
            (302, "", "answered 302"),
        ] {
            let script = Script::start(move |_, _| Reply::json(status, body)).await;
            let error = script.client().tenant_of("contoso.example").await.unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
            assert_eq!(script.asked().len(), 1, "{told}");
        }
    }
}
