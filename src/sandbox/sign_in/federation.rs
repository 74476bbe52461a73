//! Whether the sign-in happens at an identity provider of the domain, and who does MFA then.

use serde_json::Value;

use super::{Evidence, text};

/// Whether the person's domain is federated with a provider whose MFA counts, or may count.
///
/// Graph documentation (domain, `authenticationType`; internalDomainFederation,
/// `federatedIdpMfaBehavior`), checked 2026-11: with `rejectMfaByFederatedIdp` Entra does its own
/// MFA always. With the other values, and where none is set, it depends on what the provider did.
pub(super) fn provider_does_mfa(evidence: &Evidence<'_>) -> bool {
    let Some((_, domain)) =
        text(&evidence.record.user, "userPrincipalName").and_then(|name| name.rsplit_once('@'))
    else {
        return false;
    };
    let is_mine = |id: Option<&str>| id.is_some_and(|id| id.eq_ignore_ascii_case(domain));
    let federated = evidence.tenant.domains.iter().any(|one| {
        is_mine(text(one, "id")) && one.get("authenticationType") == Some(&Value::from("Federated"))
    });
    let behaviour = evidence
        .tenant
        .federation
        .iter()
        .find(|(name, _)| is_mine(Some(name.as_str())))
        .and_then(|(_, configuration)| text(configuration, "federatedIdpMfaBehavior"));
    federated && behaviour != Some("rejectMfaByFederatedIdp")
}
