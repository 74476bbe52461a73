//! The documents of domains, and of their federation with an identity provider.
//!
//! Graph documentation (domain, internalDomainFederation), checked 2026-11. Not here: the requests
//! about them (`domains`).

use serde_json::{Value, json};

use super::{Document, TenantDocuments, document};

impl TenantDocuments {
    /// The names of the verified domains, the default one first.
    pub fn domain_names(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().filter_map(|domain| domain.get("id").and_then(Value::as_str))
    }

    /// Federates a domain with an identity provider, as a client does by creating its federation
    /// configuration. `behaviour` is `federatedIdpMfaBehavior`, which can be null.
    ///
    /// Adds the domain if the tenant does not have it yet.
    pub fn federate(&mut self, domain: &str, behaviour: Option<&str>) {
        let same = |one: &Document| {
            let id = one.get("id").and_then(Value::as_str);
            id.is_some_and(|id| id.eq_ignore_ascii_case(domain))
        };
        if !self.domains.iter().any(same) {
            self.domains.push(managed(domain, false));
        }
        for one in self.domains.iter_mut().filter(|one| same(one)) {
            one.insert("authenticationType".to_owned(), json!("Federated"));
            // The provider has the passwords, so their validity is not set here.
            one.insert("passwordValidityPeriodInDays".to_owned(), Value::Null);
            one.insert("passwordNotificationWindowInDays".to_owned(), Value::Null);
        }
        self.federation.insert(domain.to_lowercase(), configuration(domain, behaviour));
    }
}

/// The documents of domains whose users sign in at Entra. The first domain is the default.
pub fn managed_domains(names: &[&str]) -> Vec<Document> {
    (0..).zip(names).map(|(place, name): (usize, _)| managed(name, place == 0)).collect()
}

fn managed(name: &str, is_default: bool) -> Document {
    document(json!({
        "id": name,
        "authenticationType": "Managed",
        "availabilityStatus": null,
        "isAdminManaged": true,
        "isDefault": is_default,
        "isInitial": name.ends_with(".onmicrosoft.com"),
        "isRoot": true,
        "isVerified": true,
        "manufacturer": null,
        "model": null,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2_147_483_647,
        "state": null,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }))
}

fn configuration(domain: &str, behaviour: Option<&str>) -> Document {
    document(json!({
        "@odata.type": "#microsoft.graph.internalDomainFederation",
        "id": "6f1d2b7c-0f5a-4c1e-9a83-2d5e7b904c16",
        "displayName": domain,
        "issuerUri": format!("http://sts.{domain}/adfs/services/trust"),
        "metadataExchangeUri": format!("https://sts.{domain}/adfs/services/trust/mex"),
        "passiveSignInUri": format!("https://sts.{domain}/adfs/ls/"),
        "activeSignInUri": format!("https://sts.{domain}/adfs/services/trust/2005/usernamemixed"),
        "signOutUri": format!("https://sts.{domain}/adfs/ls/?wa=wsignout1.0"),
        "passwordResetUri": null,
        "preferredAuthenticationProtocol": "wsFed",
        "promptLoginBehavior": "nativeSupport",
        "signingCertificate": null,
        "nextSigningCertificate": null,
        "signingCertificateUpdateStatus": null,
        "isSignedAuthenticationRequestRequired": null,
        "federatedIdpMfaBehavior": behaviour,
    }))
}
