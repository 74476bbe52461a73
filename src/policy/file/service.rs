//! The parts of `mfactl.yaml` about the Microsoft service: the cloud, the credential, the end of SMS and
//! voice delivery, the comparison of numbers, the files of a run, and the share of the quotas.
//!
//! Not here: which hosts a cloud has, or what a credential needs (`graph`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};

use super::entries::Day;
use crate::disclose::Disclosure;
use crate::policy::{CloudName, CompareWith, CredentialChoice, DeliveredBy};
use crate::source::{Located, Maybe, word, word_schema};

const CLOUDS: &[&str] = &["global", "usGov", "usGovDod", "china"];

impl CloudName {
    /// The word in `mfactl.yaml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "usGov",
            Self::UsGovDod => "usGovDod",
            Self::China => "china",
        }
    }
}

impl CredentialChoice {
    /// The word in `mfactl.yaml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::ClientSecret => "clientSecret",
            Self::ClientCertificate => "clientCertificate",
            Self::WorkloadIdentity => "workloadIdentity",
            Self::GithubActions => "githubActions",
            Self::AzurePipelines => "azurePipelines",
            Self::ManagedIdentity => "managedIdentity",
            Self::AzureCli => "azureCli",
            Self::AzureDeveloperCli => "azureDeveloperCli",
        }
    }
}

const PROVIDERS: &[&str] = &["microsoft", "ownProvider"];
const CREDENTIALS: &[&str] = &[
    "auto",
    "clientSecret",
    "clientCertificate",
    "workloadIdentity",
    "githubActions",
    "azurePipelines",
    "managedIdentity",
    "azureCli",
    "azureDeveloperCli",
];

impl<'de> Deserialize<'de> for CloudName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, CLOUDS, &[Self::Global, Self::UsGov, Self::UsGovDod, Self::China])
    }
}

impl<'de> Deserialize<'de> for CredentialChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = [
            Self::Auto,
            Self::ClientSecret,
            Self::ClientCertificate,
            Self::WorkloadIdentity,
            Self::GithubActions,
            Self::AzurePipelines,
            Self::ManagedIdentity,
            Self::AzureCli,
            Self::AzureDeveloperCli,
        ];
        word(deserializer, CREDENTIALS, &all)
    }
}

const DISCLOSURES: &[&str] = &["counts", "pseudonyms", "names"];

impl<'de> Deserialize<'de> for Disclosure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, DISCLOSURES, &[Self::Counts, Self::Pseudonyms, Self::Names])
    }
}

impl<'de> Deserialize<'de> for DeliveredBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, PROVIDERS, &[Self::Microsoft, Self::OwnProvider])
    }
}

macro_rules! word_schemas {
    ($($name:ident $words:expr),+ $(,)?) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                word_schema($words)
            }
        }
    )+};
}

word_schemas! {
    CloudName CLOUDS, CompareWith COMPARISONS, CredentialChoice CREDENTIALS, DeliveredBy PROVIDERS,
    Disclosure DISCLOSURES,
}

const COMPARISONS: &[&str] = &["inScope", "everyone"];

impl CompareWith {
    /// The word in `mfactl.yaml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InScope => "inScope",
            Self::Everyone => "everyone",
        }
    }
}

impl<'de> Deserialize<'de> for CompareWith {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word(deserializer, COMPARISONS, &[Self::InScope, Self::Everyone])
    }
}

/// How numbers are checked before they are registered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "NumbersOfOthers", example = serde_json::json!({ "compareWith": "everyone" }))]
pub struct NumbersBlock {
    /// The users whose registered numbers a number is compared with before it is written: the users in
    /// scope, or `everyone`, for which the methods of all accounts are read.
    #[schemars(extend("default" = "inScope"))]
    pub compare_with: Located<CompareWith>,
}

/// Where runs are recorded, and what is kept of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Runs", extend("minProperties" = 1), example = serde_json::json!({
    "store": "https://contoso.blob.core.windows.net/mfactl-runs",
    "restore": "https://contoso.blob.core.windows.net/mfactl-restore",
    "keepFor": "90d",
}))]
pub struct RunsBlock {
    /// Where journals and the lock are: a folder, or a container in Azure (`https://…`), S3 (`s3://…`) or
    /// Google Cloud (`gs://…`). Every machine that applies must use the same one.
    #[serde(default)]
    #[schemars(extend("default" = ".mfactl"))]
    pub store: Maybe<Located<String>>,
    /// Where the values from before each write are, with phone numbers in full: another container than that
    /// of the journals, with a role of its own.
    #[serde(default)]
    pub restore: Maybe<Located<String>>,
    /// How long restore files are kept, such as `90d`. An apply removes older ones; `undo` does not work for
    /// those runs any more. Journals stay.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]+[dw]$"))]
    pub keep_for: Maybe<Located<String>>,
    /// Whether overwritten phone numbers are kept in the restore files, in full and readable only by their
    /// owner. Without them, `undo` cannot put phones back.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    pub keep_numbers: Maybe<Located<bool>>,
}

/// When texts and calls stop being delivered. The defaults are Microsoft's dates for the cloud.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "PhoneDelivery", extend("minProperties" = 1), example = serde_json::json!({
    "by": "microsoft", "until": "2027-02-01", "privilegedUntil": "2027-07-01",
}))]
pub struct PhoneDeliveryBlock {
    /// The provider that delivers them: Microsoft, or the tenant's own telephony provider, which has no end
    /// date by default.
    #[serde(default)]
    #[schemars(extend("default" = "microsoft"))]
    pub by: Maybe<Located<DeliveredBy>>,
    /// The first day on which nothing is delivered.
    #[serde(default)]
    pub until: Maybe<Located<Day>>,
    /// The same for Global Administrators, active or eligible, and external users.
    #[serde(default)]
    pub privileged_until: Maybe<Located<Day>>,
}

/// How much of the tenant's quotas of Microsoft Graph a run may use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Quota", example = serde_json::json!({ "share": 50 }))]
pub struct QuotaBlock {
    /// In percent; the rest is left to other programs. At 100, a run finds the limits while it works; a
    /// smaller share is taken from the quota that Microsoft documents for a tenant of that size.
    #[schemars(extend("default" = 100))]
    pub share: Located<Share>,
}

/// A whole number from 1 to 100.
#[derive(Debug, Clone, Copy)]
pub struct Share(pub u8);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        let share = u8::try_from(number).ok().filter(|share| (1..=100).contains(share));
        let wrong = Unexpected::Unsigned(number.into());
        share
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(wrong, &"a whole number from 1 to 100"))
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 100 })
    }
}
