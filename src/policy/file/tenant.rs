//! The shape of `tenant` in a policy file: the objects of the tenant.
//!
//! Not here: the block of each object (`resources`), or the tenant that `mfactl.yaml` names (`project`).

use schemars::JsonSchema;
use serde::Deserialize;

use crate::resources::security_defaults::SecurityDefaultsBlock;
use crate::source::{Located, Maybe};

/// The objects of the tenant. An object that is not mentioned is not managed. This version only plans them:
/// a plan shows what would change and which users that affects, and an apply changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "TenantObjects", extend("minProperties" = 1))]
pub struct TenantBlock {
    /// Whether Microsoft requires MFA of every user. While security defaults are on, Conditional Access
    /// policies cannot be enabled.
    #[serde(default)]
    pub security_defaults: Maybe<Located<SecurityDefaultsBlock>>,
}
