//! The shape of `mfactl.yaml`.
//!
//! Not here: the shape of a policy (the module above), or whether the contents make sense (`check`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};
use serde_json::{Value, json};

use super::VERSION;
use super::entries::{GuardBlock, GuardGroupBlock, Version};
use super::service::{NumbersBlock, PhoneDeliveryBlock, QuotaBlock, RunsBlock};
use crate::disclose::Disclosure;
use crate::policy::{Brakes, CloudName, CredentialChoice, Limit};
use crate::source::{Located, Maybe, NonEmptyList};

/// The number of break-glass accounts required if the file does not say.
pub(in crate::policy) const DEFAULT_MINIMUM: u32 = 2;

/// The tenant, the folder of its policies, and the accounts that are never written to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "mfactl.yaml", example = json!({
    "version": VERSION,
    "tenant": "sandbox",
    "policies": "policies",
    "breakGlass": {
        "users": [{ "id": "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01", "name": "breakglass1@exchangelabs.nl" }],
        "groups": [{ "id": "0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10", "name": "Break Glass Accounts" }],
        "minimum": DEFAULT_MINIMUM,
    },
}))]
pub struct ProjectFile {
    /// The version of the file format.
    #[schemars(with = "Version")]
    pub version: Located<u32>,
    /// `sandbox` for the embedded tenant, or a tenant id or verified domain.
    #[schemars(length(min = 1), example = &"sandbox", example = &"exchangelabs.nl")]
    pub tenant: Located<String>,
    /// Which of Microsoft's clouds the tenant is in.
    #[serde(default)]
    #[schemars(extend("default" = "global"))]
    pub cloud: Maybe<Located<CloudName>>,
    /// The identity that mfactl signs in with. Its parameters come from the environment variables that
    /// Azure's own tools read; `auto` takes the first identity whose variables are set. The embedded tenant
    /// needs none.
    #[serde(default)]
    #[schemars(extend("default" = "auto"))]
    pub credential: Maybe<Located<CredentialChoice>>,
    /// The folder of the policies, relative to this file.
    #[schemars(length(min = 1), example = &"policies")]
    pub policies: Located<String>,
    /// Whether that folder may be outside the repository: the git work tree of this file, or the folder of
    /// this file if there is none.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub policies_outside: Maybe<Located<bool>>,
    /// Emergency accounts, which no policy ever writes to.
    pub break_glass: Located<BreakGlassBlock>,
    /// Limits: a plan that exceeds one is shown, but `apply` refuses it.
    #[serde(default)]
    #[schemars(extend("default" = defaults(Brakes::default())))]
    pub brakes: Maybe<Located<BrakesBlock>>,
    /// When texts and calls stop being delivered.
    #[serde(default)]
    pub phone_delivery: Maybe<Located<PhoneDeliveryBlock>>,
    /// Where runs are recorded, and what is kept of them.
    #[serde(default)]
    pub runs: Maybe<Located<RunsBlock>>,
    /// How numbers are checked before they are registered.
    #[serde(default)]
    pub numbers: Maybe<NumbersBlock>,
    /// How much of the tenant's quotas of Microsoft Graph a run may use.
    #[serde(default)]
    pub quota: Maybe<QuotaBlock>,
    /// How much an output says about single users. `--disclose` can only lower it.
    #[serde(default)]
    #[schemars(example = &"counts")]
    pub disclose: Maybe<Located<Disclosure>>,
    /// Hosts on this machine to use instead of Microsoft's, for tests.
    #[serde(default)]
    pub endpoints: Maybe<EndpointsBlock>,
}

/// Accounts that no policy ever writes to, by id, because a name can be reassigned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "BreakGlass")]
pub struct BreakGlassBlock {
    /// Accounts.
    #[serde(default)]
    pub users: Maybe<NonEmptyList<Located<GuardBlock>>>,
    /// Groups whose members, nested ones included, are break-glass accounts. An empty group is an error, and
    /// so is a group that lost members since the last apply.
    #[serde(default)]
    pub groups: Maybe<NonEmptyList<Located<GuardGroupBlock>>>,
    /// Accounts that left such a group on purpose.
    #[serde(default)]
    pub former: Maybe<NonEmptyList<Located<GuardBlock>>>,
    /// How many distinct enabled accounts there must be. With fewer, every plan is refused; 0 switches the
    /// check off.
    #[serde(default)]
    #[schemars(extend("default" = DEFAULT_MINIMUM))]
    pub minimum: Maybe<Located<u32>>,
}

/// Hosts on this machine to use instead of Microsoft's. To choose among Microsoft's hosts, set `cloud`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Endpoints", example = json!({
    "graph": "http://127.0.0.1:8080", "login": "http://127.0.0.1:8080",
}))]
pub struct EndpointsBlock {
    /// The address of Microsoft Graph.
    #[schemars(regex(pattern = "^https?://"))]
    pub graph: Located<String>,
    /// The address that issues tokens.
    #[schemars(regex(pattern = "^https?://"))]
    pub login: Located<String>,
}

/// Limits: a plan that exceeds one is shown, but `apply` refuses it. Each is a share of all users in scope.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Brakes", extend("minProperties" = 1))]
pub struct BrakesBlock {
    /// Users with at least one change.
    #[serde(default)]
    #[schemars(extend("default" = limit(Brakes::default().changed_users)))]
    pub changed_users: Maybe<Located<LimitBlock>>,
    /// Users whose MFA state is lowered, who lose a usable method, or who get a weaker default.
    #[serde(default)]
    #[schemars(extend("default" = limit(Brakes::default().weakened_users)))]
    pub weakened_users: Maybe<Located<LimitBlock>>,
    /// Registered numbers that are overwritten from the directory.
    #[serde(default)]
    #[schemars(extend("default" = limit(Brakes::default().replaced_numbers)))]
    pub replaced_numbers: Maybe<Located<LimitBlock>>,
}

/// A share of all users in scope, and a number that is always allowed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Limit", extend("minProperties" = 1), example = json!({ "percent": 30, "floor": 10 }))]
pub struct LimitBlock {
    /// The largest allowed share of all users in scope; 100 switches the brake off.
    #[serde(default)]
    pub percent: Maybe<Located<Percent>>,
    /// As many as this are always allowed, whatever their share.
    #[serde(default)]
    pub floor: Maybe<Located<u32>>,
}

/// A whole number from 0 to 100.
#[derive(Debug, Clone, Copy)]
pub struct Percent(pub u8);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        let share = u8::try_from(number).ok().filter(|share| *share <= 100);
        let wrong = Unexpected::Unsigned(number.into());
        share
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(wrong, &"a whole number from 0 to 100"))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }
}

fn limit(limit: Limit) -> Value {
    json!({ "percent": limit.percent, "floor": limit.floor })
}

fn defaults(brakes: Brakes) -> Value {
    json!({
        "changedUsers": limit(brakes.changed_users),
        "weakenedUsers": limit(brakes.weakened_users),
        "replacedNumbers": limit(brakes.replaced_numbers),
    })
}
