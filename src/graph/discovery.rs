//! Finds the tenant of a domain in a public document of the sign-in service.
//!
//! Microsoft identity platform documentation, "OpenID Connect on the Microsoft identity platform"
//! (checked 2026-11): each domain has a document whose `issuer` contains the tenant's id. No token is
//! needed, and none is sent. Not here: comparing it with the configured tenant (`commands`).

use reqwest::Method;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::answer::unreadable;
use super::client::Client;
use super::error::{Error, ErrorKind};

#[derive(Deserialize)]
struct Document {
    issuer: String,
}

/// The answer of the sign-in service if it does not know the tenant.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_description: String,
}

impl Client {
    /// Returns the id of the tenant that owns the domain.
    ///
    /// # Errors
    /// If the sign-in service does not answer, does not know the tenant, or does not name one.
    pub async fn tenant_of(&self, domain: &str) -> Result<Uuid, Error> {
        let path = format!("/{domain}/v2.0/.well-known/openid-configuration");
        let url = self.endpoints().login().join(&path);
        let url = url.map_err(|_| Error::new(ErrorKind::Setup, &Method::GET, &path))?;
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
                Some((code, message)) if code.starts_with("AADSTS") => {
                    refused.with_code(code).with_message(message.trim())
                }
                _ => refused,
            });
        }
        let document: Document = serde_json::from_slice(&body)
            .map_err(|error| unreadable(&error, &Method::GET, path))?;
        tenant_in(&document.issuer).ok_or_else(|| {
            Error::new(ErrorKind::Body, &Method::GET, path)
                .with_message("its issuer does not name a tenant")
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
    use crate::graph::scripted_server::{Reply, Script};

    const ID: &str = "3f2a91d0-0000-4000-8000-000000000001";

    #[tokio::test]
    async fn tenant_of_a_domain_is_found_without_a_token() {
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
    async fn document_without_a_tenant_is_an_error() {
        for (status, body, message) in [
            (
                200,
                r#"{"issuer":"https://login.microsoftonline.com/common/v2.0"}"#,
                "does not name a tenant",
            ),
            (200, r#"{"issuer":"urn:x"}"#, "does not name a tenant"),
            (
                400,
                r#"{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant 'x' not found."}"#,
                "returned 400 `AADSTS90002`: Tenant 'x' not found",
            ),
            (302, "", "returned 302"),
        ] {
            let script = Script::start(move |_, _| Reply::json(status, body)).await;
            let error = script.client().tenant_of("contoso.example").await.unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(script.asked().len(), 1, "{message}");
        }
    }
}
