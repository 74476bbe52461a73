//! Reads the domains of the tenant and, for federated ones, whether the provider's MFA counts (Graph
//! documentation of domain and of internalDomainFederation, v1.0, checked 2026-11).
//!
//! Not here: which users sign in at a provider (`tenant::domains`).

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use super::directory::encode;
use super::tenant_rules::refusable;
use crate::graph::{Client, Consistency, Error, Identified, identity_of};
use crate::tenant::domains::{Domains, SignsIn};
use crate::tenant::facts::Read;

pub(super) const PATH: &str = "/v1.0/domains?$select=id,authenticationType,isVerified";

/// Number of domains whose federation is read at a time.
const LANES: usize = 8;

/// A domain as Graph shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphDomain {
    id: String,
    #[serde(default)]
    authentication_type: Option<String>,
    #[serde(default)]
    is_verified: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Federation {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    federated_idp_mfa_behavior: Option<String>,
}

impl Identified for GraphDomain {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl Identified for Federation {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl GraphDomain {
    pub(super) fn is_federated(&self) -> bool {
        self.authentication_type.as_deref() == Some("Federated")
    }

    pub(super) fn federation(&self) -> String {
        federation(&self.id)
    }
}

/// Returns the path of the federation settings of a domain. The path accepts no query.
fn federation(domain: &str) -> String {
    format!("/v1.0/domains/{}/federationConfiguration", encode(domain))
}

/// Reads the domains of the tenant. If the request is refused, or not available in this cloud, the
/// domains are unknown in the result.
///
/// # Errors
/// Graph answers with something other than domains or a refusal.
pub(super) async fn read(client: &Client) -> Result<Domains, Error> {
    let rows = match refusable(client.list::<GraphDomain>(PATH, Consistency::Default).await)? {
        Read::Known(rows) => rows,
        Read::Unknown(why) => return Ok(Domains::unread(why)),
    };
    // No user has a principal name in a domain that was never verified.
    let verified = rows.into_iter().filter(|row| row.is_verified != Some(false));
    let signs_in = async |row: GraphDomain| {
        let signs_in = match row.authentication_type.as_deref() {
            Some("Managed") => SignsIn::Here,
            Some("Federated") => provider(client, &row).await?,
            _ => SignsIn::Unknown,
        };
        Ok((row.id, signs_in))
    };
    let answers: Vec<Result<_, Error>> =
        stream::iter(verified).map(signs_in).buffer_unordered(LANES).collect().await;
    Ok(Domains::new(answers.into_iter().collect::<Result<Vec<_>, _>>()?))
}

/// Reads whether the provider's MFA counts. A subdomain that inherits the federation of its parent may
/// show none of its own; that decides nothing.
async fn provider(client: &Client, domain: &GraphDomain) -> Result<SignsIn, Error> {
    let path = domain.federation();
    let shown = match client.list::<Federation>(&path, Consistency::Default).await {
        Err(error) if error.status() == Some(404) => return Ok(SignsIn::AtProvider),
        answer => refusable(answer)?,
    };
    let rejects = |one: &Federation| {
        one.federated_idp_mfa_behavior.as_deref() == Some("rejectMfaByFederatedIdp")
    };
    Ok(match shown {
        Read::Known(shown) if !shown.is_empty() && shown.iter().all(rejects) => SignsIn::Here,
        Read::Known(_) => SignsIn::AtProvider,
        Read::Unknown(why) => SignsIn::Unread(why),
    })
}
