//! The shapes of both kinds of file, as a user writes them. The doc comments become descriptions in the
//! schemas, so they address the author of a policy.
//!
//! Not here: the block of each setting (`settings`), or whether the contents make sense (`check`).

mod desired;
mod entries;
mod matcher;
mod project;
mod service;
mod tenant;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::json;

pub use desired::{DesiredBlock, Phones};
pub use entries::{Day, GroupBlock, GroupEntry, GuardBlock, GuardGroupBlock, ObjectId, Version};
pub use matcher::{
    CountryCode, Lists, Matcher, MatcherWord, MethodWord, Text, Truth, TruthOrAny, UserType,
};
pub(super) use project::DEFAULT_MINIMUM;
pub use project::{BrakesBlock, BreakGlassBlock, EndpointsBlock, LimitBlock, Percent, ProjectFile};
pub use service::{PhoneDeliveryBlock, RunsBlock};
pub use tenant::TenantBlock;

use crate::policy::Mode;
use crate::source::{Located, Maybe, NonEmptyList, word, word_schema};

/// The version of both kinds of file that this program reads.
pub const VERSION: u32 = 1;
/// Valid policy names: letters, marks and digits of any language, and no blank at either end.
const POLICY_NAME: &str = r"^[\p{Alphabetic}\p{M}\p{N}_.-]([\p{Alphabetic}\p{M}\p{N}_. -]*[\p{Alphabetic}\p{M}\p{N}_.-])?$";
/// The priority of a policy that sets none.
pub(super) const DEFAULT_PRIORITY: u32 = 1000;

/// Policies: which users must have which MFA state. A file can also hold objects of the tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "mfactl policies", extend("anyOf" = [
    { "required": ["policies"] }, { "required": ["tenant"] },
]), example = json!({
    "version": VERSION,
    "policies": { "staff": {
        "appliesTo": { "groups": ["All Staff"] },
        "desired": { "phones": { "mobile": { "from": "mobilePhone" } }, "perUserMfa": "enabled" },
    } },
}))]
pub struct PolicyFile {
    /// The version of the file format.
    #[schemars(with = "Version")]
    pub version: Located<u32>,
    /// The policies by name. A name is unique across all files.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PolicyBlock>", extend(
        "minProperties" = 1,
        "propertyNames" = json!({ "pattern": POLICY_NAME, "maxLength": 64 }),
    ))]
    pub policies: Maybe<Located<BTreeMap<Located<String>, Located<PolicyBlock>>>>,
    /// Objects of the tenant.
    #[serde(default)]
    pub tenant: Maybe<Located<TenantBlock>>,
}

/// One policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Policy")]
pub struct PolicyBlock {
    /// What the policy is for, in one sentence.
    #[serde(default)]
    pub description: Maybe<Located<String>>,
    /// `enforce` applies the policy; `report` only shows in plans what it would do.
    #[serde(default)]
    #[schemars(extend("default" = "enforce"))]
    pub mode: Maybe<Located<Mode>>,
    /// If policies want different things for the same user, the smallest number wins.
    #[serde(default)]
    #[schemars(extend("default" = DEFAULT_PRIORITY))]
    pub priority: Maybe<Located<u32>>,
    /// The users that the policy applies to. Break-glass accounts are always excluded.
    pub applies_to: Located<AppliesTo>,
    /// Exceptions: users that the policy excludes, each entry with its reason.
    #[serde(default)]
    pub except: Maybe<NonEmptyList<Located<ExceptBlock>>>,
    /// Conditions: the policy applies only to users that meet all of them.
    #[serde(default)]
    #[serde(rename = "where")]
    pub only: Maybe<Located<WhereBlock>>,
    /// The desired settings. A setting that is not mentioned is not managed.
    pub desired: Located<DesiredBlock>,
}

/// The users that the policy applies to: the union of these keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1), example = json!({
    "groups": ["All Staff"], "users": ["j.brown@exchangelabs.nl"],
}))]
pub struct AppliesTo {
    /// Every member of the tenant.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub everyone: Maybe<Located<bool>>,
    /// Security groups, nested groups included: display name, object id, or both.
    #[serde(default)]
    pub groups: Maybe<NonEmptyList<Located<GroupEntry>>>,
    /// Directory roles: display name or template id. The policy applies to users that hold the role or
    /// can activate it, also through a group.
    #[serde(default)]
    #[schemars(example = json!(["Global Administrator"]))]
    pub roles: Maybe<NonEmptyList<Located<String>>>,
    /// User principal names or object ids.
    #[serde(default)]
    pub users: Maybe<NonEmptyList<Located<String>>>,
}

/// Users that the policy excludes. Every group, user and role must exist, or nothing is planned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(
    rename = "Exception",
    extend("anyOf" = [{ "required": ["groups"] }, { "required": ["users"] }, { "required": ["roles"] }]),
    example = json!({
        "groups": [{ "id": "3f2a91d0-5c4b-4a63-9d1e-7b8a6c5d4e3f", "name": "Service Accounts" }],
        "reason": "sign in with certificates",
        "until": "2027-06-30",
    }),
)]
pub struct ExceptBlock {
    /// Groups, nested groups included.
    #[serde(default)]
    pub groups: Maybe<NonEmptyList<Located<GuardBlock>>>,
    /// Users.
    #[serde(default)]
    pub users: Maybe<NonEmptyList<Located<GuardBlock>>>,
    /// Directory roles: display name or template id.
    #[serde(default)]
    pub roles: Maybe<NonEmptyList<Located<String>>>,
    /// The reason, for later readers of the policy.
    #[serde(default)]
    pub reason: Maybe<Located<String>>,
    /// The first day on which the exception no longer counts.
    #[serde(default)]
    pub until: Maybe<Located<Day>>,
    /// Whether these groups may be empty. Otherwise an empty group is an error, because somebody may have
    /// emptied it.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub allow_empty: Maybe<Located<bool>>,
}

/// Conditions that a user must all meet. Each key takes a value, a list (any of them), or
/// `{ any: […], none: […] }`. A user without an attribute matches no value of `any`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Where", extend("minProperties" = 1), example = json!({
    "department": ["Sales", "Marketing"], "usageLocation": { "none": ["CN"] },
}))]
pub struct WhereBlock {
    /// The department. Case does not matter.
    #[serde(default)]
    #[schemars(example = json!("Sales"), example = json!(["Sales", "Marketing"]))]
    pub department: Maybe<Located<Matcher<Text>>>,
    /// The country in which the user uses services, as two capital letters.
    #[serde(default)]
    #[schemars(example = json!("NL"), example = json!({ "none": ["CN"] }))]
    pub usage_location: Maybe<Located<Matcher<CountryCode>>>,
    /// Whether the account is synchronised from on-premises AD.
    #[serde(default)]
    pub synced: Maybe<Located<Matcher<Truth>>>,
    /// `guest` means invited guests and all other users that sign in from another tenant; `any` means
    /// members and guests.
    #[serde(default)]
    #[schemars(extend("default" = "member"))]
    pub user_type: Maybe<Located<Matcher<UserType>>>,
    /// Whether the account is enabled; `any` means both.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    pub account_enabled: Maybe<Located<Matcher<TruthOrAny>>>,
    /// Methods that the user has registered (`any`) or has not registered (`none`). If the methods could
    /// not be read, the condition is not met.
    #[serde(default)]
    #[schemars(example = json!({ "any": ["mobilePhone"], "none": ["passkey"] }))]
    pub registered: Maybe<Located<Matcher<MethodWord>>>,
}

const MODES: &[&str] = &["enforce", "report"];

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, MODES, &[Self::Enforce, Self::Report])
    }
}

impl JsonSchema for Mode {
    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(MODES)
    }
}
