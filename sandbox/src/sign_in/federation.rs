//! Whether the sign-in takes place at a federated identity provider of the domain, and whether that
//! provider does MFA.
//!
//! Not here: custom controls of other providers (`demand`).

use serde_json::Value;

use super::evidence::{Evidence, text};

/// Whether the user's domain is federated with a provider whose MFA counts, or may count.
///
/// Graph documentation (domain, `authenticationType`; internalDomainFederation,
/// `federatedIdpMfaBehavior`), checked 2026-11: with `rejectMfaByFederatedIdp`, Entra always does its
/// own MFA. With the other values, and without a value, the result depends on the provider.
pub(super) fn provider_does_mfa(evidence: &Evidence<'_>) -> bool {
    let Some((_, domain)) =
        text(&evidence.record.user, "userPrincipalName").and_then(|name| name.rsplit_once('@'))
    else {
        return false;
    };
    let is_domain = |id: Option<&str>| id.is_some_and(|id| id.eq_ignore_ascii_case(domain));
    let federated = evidence.tenant.domains.iter().any(|one| {
        is_domain(text(one, "id"))
            && one.get("authenticationType") == Some(&Value::from("Federated"))
    });
    let behaviour = evidence
        .tenant
        .federation
        .iter()
        .find(|(name, _)| is_domain(Some(name.as_str())))
        .and_then(|(_, configuration)| text(configuration, "federatedIdpMfaBehavior"));
    federated && behaviour != Some("rejectMfaByFederatedIdp")
}
