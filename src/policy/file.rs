//! The shapes of the two kinds of file, as a person writes them. Doc comments become descriptions
//! in the schemas, so they speak to the author of a policy.
//!
//! Not here: what a setting's own block looks like (`settings`), or whether what was written makes
//! sense (`check`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::json;

use crate::settings::{mobile_phone, per_user_mfa};
use crate::source::{At, List, Maybe};

/// The version of both kinds of file that this program reads.
pub(super) const VERSION: u32 = 1;
/// The priority of a policy that says none.
pub(super) const DEFAULT_PRIORITY: u32 = 1000;
/// The number of break-glass accounts demanded where the file does not say.
pub(super) const DEFAULT_MINIMUM: u32 = 2;

/// Which tenant, where its policies are, and which accounts are never written.
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
    pub version: At<u32>,
    /// `sandbox` for the embedded tenant, or a tenant id or verified domain.
    #[schemars(length(min = 1), example = &"sandbox", example = &"exchangelabs.nl")]
    pub tenant: At<String>,
    /// The folder of the policies, relative to this file.
    #[schemars(length(min = 1), example = &"policies")]
    pub policies: At<String>,
    /// Emergency accounts: no policy ever writes them.
    pub break_glass: At<BreakGlassBlock>,
    /// Hosts to use instead of Microsoft's, for tests.
    #[serde(default)]
    pub endpoints: Maybe<EndpointsBlock>,
}

/// Accounts that no policy ever writes, by id, because a name can be taken over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "BreakGlass")]
pub struct BreakGlassBlock {
    /// Accounts.
    #[serde(default)]
    pub users: Maybe<List<At<GuardBlock>>>,
    /// Groups whose members, nested ones included, are such accounts.
    #[serde(default)]
    pub groups: Maybe<List<At<GuardBlock>>>,
    /// How many distinct enabled accounts there must be; fewer refuses every plan. 0 switches the
    /// check off.
    #[serde(default)]
    #[schemars(extend("default" = DEFAULT_MINIMUM))]
    pub minimum: Maybe<At<u32>>,
}

/// A break-glass account or group. The id decides; the name is checked against the tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Guard", example = json!({
    "id": "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01", "name": "breakglass1@exchangelabs.nl",
}))]
pub struct GuardBlock {
    /// The object id.
    #[schemars(with = "ObjectId")]
    pub id: At<String>,
    /// The user principal name of an account, the display name of a group.
    #[serde(default)]
    pub name: Maybe<At<String>>,
}

/// Hosts to use instead of Microsoft's. Plain http is accepted for this machine only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Endpoints", example = json!({
    "graph": "http://127.0.0.1:8080", "login": "http://127.0.0.1:8080",
}))]
pub struct EndpointsBlock {
    /// Where Microsoft Graph answers.
    #[schemars(regex(pattern = "^https?://"))]
    pub graph: At<String>,
    /// Where tokens are handed out.
    #[schemars(regex(pattern = "^https?://"))]
    pub login: At<String>,
}

/// Policies: what the MFA state of which users must be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "mfactl policies", example = json!({
    "version": VERSION,
    "policies": { "staff": {
        "appliesTo": { "groups": ["All Staff"] },
        "desired": { "phones": { "mobile": { "from": "mobilePhone" } }, "perUserMfa": "enabled" },
    } },
}))]
pub struct PolicyFile {
    /// The version of the file format.
    #[schemars(with = "Version")]
    pub version: At<u32>,
    /// The policies, each under a name that no other policy has in any file.
    #[schemars(with = "BTreeMap<String, PolicyBlock>", extend("minProperties" = 1))]
    pub policies: At<BTreeMap<At<String>, At<PolicyBlock>>>,
}

/// One policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Policy")]
pub struct PolicyBlock {
    /// What the policy is for, in a sentence.
    #[serde(default)]
    pub description: Maybe<At<String>>,
    /// Where several policies want different things of a user, the smallest number wins.
    #[serde(default)]
    #[schemars(extend("default" = DEFAULT_PRIORITY))]
    pub priority: Maybe<At<u32>>,
    /// Who: everybody named by one of these keys. Break-glass accounts are always left out.
    pub applies_to: At<AppliesTo>,
    /// What must be so. What is not mentioned is not managed.
    pub desired: At<Desired>,
}

/// Who: the union of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1), example = json!({
    "groups": ["All Staff"], "users": ["j.brown@exchangelabs.nl"],
}))]
pub struct AppliesTo {
    /// Every member of the tenant.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub everyone: Maybe<At<bool>>,
    /// Security groups, nested groups included: display name, object id, or both.
    #[serde(default)]
    pub groups: Maybe<List<At<GroupEntry>>>,
    /// User principal names or object ids.
    #[serde(default)]
    pub users: Maybe<List<At<String>>>,
}

/// What must be so of each user, setting by setting.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct Desired {
    /// Phones registered for MFA.
    #[serde(default)]
    pub phones: Maybe<At<Phones>>,
    /// The per-user MFA state. `enabled` is met by `enforced`, because Entra turns the one into the
    /// other.
    #[serde(default)]
    pub per_user_mfa: Maybe<At<per_user_mfa::Block>>,
}

/// Phones registered for MFA.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct Phones {
    /// The mobile phone.
    #[serde(default)]
    pub mobile: Maybe<At<mobile_phone::Block>>,
}

/// A group: a word (display name or object id), or a map of both.
#[derive(Debug)]
pub enum GroupEntry {
    Word(String),
    Both(GroupBlock),
}

/// A group by id and name. The id decides; the name is checked against the tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Group")]
pub struct GroupBlock {
    /// The object id.
    #[schemars(with = "ObjectId")]
    pub id: At<String>,
    /// The display name.
    #[schemars(length(min = 1))]
    pub name: At<String>,
}

impl<'de> Deserialize<'de> for GroupEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;

        impl<'de> Visitor<'de> for WordOrMap {
            type Value = GroupEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a group's name in quotes, its object id, or `{ id: …, name: … }`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(GroupEntry::Word(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                GroupBlock::deserialize(MapAccessDeserializer::new(map)).map(GroupEntry::Both)
            }
        }

        deserializer.deserialize_any(WordOrMap)
    }
}

impl JsonSchema for GroupEntry {
    fn schema_name() -> Cow<'static, str> {
        "GroupEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A security group: its display name, its object id, or both.",
            "anyOf": [{ "type": "string", "minLength": 1 }, generator.subschema_for::<GroupBlock>()],
        })
    }
}

/// The schema of `version`.
struct Version;

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "const": VERSION })
    }
}

/// The schema of an object id.
struct ObjectId;

impl JsonSchema for ObjectId {
    fn schema_name() -> Cow<'static, str> {
        "ObjectId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An object id, as Entra shows it.",
            "type": "string",
            "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        })
    }
}
