//! The requests that clients send to an authority before they ask for a token: OpenID discovery,
//! instance discovery, signing keys.
//!
//! Not here: tokens (`token`).

use serde_json::{Value, json};
use uuid::Uuid;

use crate::graph::answer::Answer;
use crate::http::aadsts::Refusal;
use crate::http::server::{Inbound, plain};
use crate::state::store::Store;

/// Returns the id of the tenant with this name: its id, a verified domain, or `sandbox`.
pub(crate) fn known_tenant(store: &Store, name: &str) -> Result<Uuid, Refusal> {
    let tenant = store.tenant();
    let known = name == "sandbox"
        || name.parse() == Ok(tenant.id)
        || tenant.domain_names().any(|domain| domain.eq_ignore_ascii_case(name));
    if known {
        return Ok(tenant.id);
    }
    Err(Refusal::unknown_tenant(name))
}

fn of_tenant(store: &Store, name: &str, body: impl FnOnce(Uuid) -> Value) -> Answer {
    match known_tenant(store, name) {
        Ok(tenant) => plain(200, body(tenant)),
        Err(refusal) => plain(refusal.status, refusal.body()),
    }
}

pub(crate) fn openid(store: &Store, inbound: &Inbound, name: &str) -> Answer {
    of_tenant(store, name, |tenant| {
        let root = &inbound.root;
        json!({
            "issuer": format!("{root}/{tenant}/v2.0"),
            "authorization_endpoint": format!("{root}/{tenant}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{root}/{tenant}/oauth2/v2.0/token"),
            "jwks_uri": format!("{root}/{tenant}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "private_key_jwt"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": host(root),
        })
    })
}

/// The list of keys is empty, because a token of the sandbox cannot be verified by others.
pub(crate) fn keys(store: &Store, name: &str) -> Answer {
    of_tenant(store, name, |_| json!({"keys": []}))
}

pub(crate) fn instance(inbound: &Inbound) -> Answer {
    let root = &inbound.root;
    let host = host(root);
    plain(
        200,
        json!({
            "tenant_discovery_endpoint": format!("{root}/sandbox/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [{
                "preferred_network": host,
                "preferred_cache": host,
                "aliases": [host],
            }],
        }),
    )
}

fn host(root: &str) -> &str {
    root.split_once("://").map_or(root, |(_, host)| host)
}
