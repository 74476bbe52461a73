//! The shape of a file of checks, as a user writes it. The doc comments become descriptions in the schema, so
//! they address the author of a check.
//!
//! Not here: the words for values (`words`), the expected results (`expected`), or whether the contents make
//! sense (`read`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::expected::{AlwaysBlock, ExpectBlock};
use super::words::{DefaultWord, NumberWord, OnOff, RegisteredNumber, StateWord};
use crate::policy::file::{CountryCode, Day, MethodWord, VERSION, Version};
use crate::source::{Located, Maybe, NonEmptyList};

/// Checks of the policies with invented people. Only these people exist. Groups and roles that the policies
/// name exist too, and are empty unless a person is in them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "mfactl checks", extend("anyOf" = [
    { "required": ["expect"] }, { "required": ["always"] },
]), example = json!({
    "version": VERSION,
    "people": {
        "anna": { "groups": ["All Staff"], "mobilePhone": "valid", "perUserMfa": "disabled" },
    },
    "expect": {
        "anna": {
            "perUserMfa": { "becomes": "enabled", "by": "staff" },
            "phones": { "mobile": { "becomes": "added" } },
            "posture": "protected",
        },
    },
    "always": [{ "nobody": { "becomes": ["open", "stuck"] } }],
}))]
pub struct ChecksFile {
    /// The version of the file format.
    #[schemars(with = "Version")]
    pub version: Located<u32>,
    /// The day on which the policies are checked. Without it, the current day.
    #[serde(default)]
    pub today: Maybe<Located<Day>>,
    /// What is assumed of the tenant. It has no Conditional Access policies, and its method policy allows
    /// every method to everybody.
    #[serde(default)]
    pub tenant: Maybe<Located<AssumedTenant>>,
    /// The invented people. The key is for this file; it is also the principal name if it contains an `@`,
    /// and the object id if it is one.
    #[schemars(with = "BTreeMap<String, PersonBlock>", extend("minProperties" = 1))]
    pub people: Located<BTreeMap<Located<String>, Located<PersonBlock>>>,
    /// What the policies do for each of these people.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ExpectBlock>", extend("minProperties" = 1))]
    pub expect: Maybe<Located<BTreeMap<Located<String>, Located<ExpectBlock>>>>,
    /// What holds for all people of this file.
    #[serde(default)]
    pub always: Maybe<NonEmptyList<Located<AlwaysBlock>>>,
}

/// What is assumed of the tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct AssumedTenant {
    /// Whether security defaults are on, so that MFA is required of everybody.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub security_defaults: Maybe<Located<bool>>,
}

/// An invented person. What is not mentioned is empty or absent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Person", example = json!({
    "groups": ["All Staff"], "mobilePhone": "valid", "registered": ["passkey"],
}))]
pub struct PersonBlock {
    /// The user principal name, for a person that a policy names.
    #[serde(default)]
    #[schemars(example = &"j.brown@exchangelabs.nl")]
    pub name: Maybe<Located<String>>,
    /// The object id, for a person that a policy names by id.
    #[serde(default)]
    pub id: Maybe<Located<String>>,
    /// Groups that the person is a member of: display name or object id.
    #[serde(default)]
    pub groups: Maybe<NonEmptyList<Located<String>>>,
    /// Directory roles that the person holds: display name or template id.
    #[serde(default)]
    #[schemars(example = json!(["Global Administrator"]))]
    pub roles: Maybe<NonEmptyList<Located<String>>>,
    /// Directory roles that the person can activate.
    #[serde(default)]
    pub eligible_roles: Maybe<NonEmptyList<Located<String>>>,
    /// The department.
    #[serde(default)]
    pub department: Maybe<Located<String>>,
    /// The country in which the person uses services, as two capital letters.
    #[serde(default)]
    pub usage_location: Maybe<Located<CountryCode>>,
    /// The country in the address of the person, in words or as two letters.
    #[serde(default)]
    pub country: Maybe<Located<String>>,
    /// Whether the account is synchronised from on-premises AD.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub synced: Maybe<Located<bool>>,
    /// Whether the account is of the type guest.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub guest: Maybe<Located<bool>>,
    /// Whether the account can sign in.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    pub enabled: Maybe<Located<bool>>,
    /// Registered methods. A phone in the list has the number that `valid` means.
    #[serde(default)]
    pub registered: Maybe<NonEmptyList<Located<MethodWord>>>,
    /// Registered phones, for a phone with another number than that of the directory.
    #[serde(default)]
    pub phones: Maybe<Located<PersonPhones>>,
    /// The per-user MFA state.
    #[serde(default)]
    #[schemars(extend("default" = "disabled"))]
    pub per_user_mfa: Maybe<Located<StateWord>>,
    /// The default method.
    #[serde(default)]
    #[schemars(extend("default" = "none"))]
    pub default_method: Maybe<Located<DefaultWord>>,
    /// Whether Entra asks for the strongest method, whatever the default is.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    pub system_preferred_mfa: Maybe<Located<bool>>,
    /// The mobile phone number in the directory.
    #[serde(default)]
    pub mobile_phone: Maybe<Located<NumberWord>>,
    /// The first business phone number in the directory.
    #[serde(default)]
    pub business_phones: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute1: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute2: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute3: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute4: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute5: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute6: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute7: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute8: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute9: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute10: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute11: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute12: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute13: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute14: Maybe<Located<NumberWord>>,
    /// A number in the extension attribute of this number.
    #[serde(default)]
    pub extension_attribute15: Maybe<Located<NumberWord>>,
}

/// Registered phones.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct PersonPhones {
    /// The mobile phone.
    #[serde(default)]
    pub mobile: Maybe<Located<RegisteredNumber>>,
    /// The alternate mobile phone.
    #[serde(default)]
    pub alternate_mobile: Maybe<Located<RegisteredNumber>>,
    /// The office phone.
    #[serde(default)]
    pub office: Maybe<Located<RegisteredNumber>>,
    /// Whether SMS sign-in is on for the mobile phone.
    #[serde(default)]
    #[schemars(extend("default" = "off"))]
    pub sms_sign_in: Maybe<Located<OnOff>>,
}
