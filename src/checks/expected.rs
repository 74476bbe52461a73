//! The shape of the results that a check expects, as a user writes them.
//!
//! Not here: the people (`file`), or whether a result is as expected (`compare`, `always`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::json;

use super::words::PostureWord;
use crate::settings::Setting;
use crate::source::{Located, Maybe, NonEmptyList};

/// What the policies do for one person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Expectation", extend("minProperties" = 1), example = json!({
    "perUserMfa": { "becomes": "enabled", "by": "staff" }, "phones": "untouched", "posture": "protected",
}))]
pub struct ExpectBlock {
    /// The phones; `untouched` means all of them.
    #[serde(default)]
    pub phones: Maybe<Located<WordOr<ExpectedPhones>>>,
    /// The default method.
    #[serde(default)]
    pub default_method: Maybe<Located<WordOr<ExpectedChange>>>,
    /// System-preferred MFA.
    #[serde(default)]
    pub system_preferred_mfa: Maybe<Located<WordOr<ExpectedChange>>>,
    /// The per-user MFA state.
    #[serde(default)]
    pub per_user_mfa: Maybe<Located<WordOr<ExpectedChange>>>,
    /// The posture after an apply.
    #[serde(default)]
    pub posture: Maybe<Located<PostureWord>>,
    /// The policies that apply to the person, in any order: all of them, and no other. An empty list means
    /// that none applies.
    #[serde(default)]
    pub policies: Maybe<Located<Vec<Located<String>>>>,
    /// Policies that name the person and exclude the person by an exception.
    #[serde(default)]
    pub excluded_from: Maybe<NonEmptyList<Located<String>>>,
}

/// The phones of a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct ExpectedPhones {
    /// The mobile phone.
    #[serde(default)]
    pub mobile: Maybe<Located<WordOr<ExpectedChange>>>,
    /// The alternate mobile phone.
    #[serde(default)]
    pub alternate_mobile: Maybe<Located<WordOr<ExpectedChange>>>,
    /// The office phone.
    #[serde(default)]
    pub office: Maybe<Located<WordOr<ExpectedChange>>>,
    /// SMS sign-in with the mobile phone.
    #[serde(default)]
    pub sms_sign_in: Maybe<Located<WordOr<ExpectedChange>>>,
}

/// What happens to one setting. A single word means `becomes`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct ExpectedChange {
    /// The value after an apply, in the words of a policy; or `untouched`. For a phone: `added`, `replaced`,
    /// `removed`, `registered`, `absent` or `untouched`.
    #[serde(default)]
    pub becomes: Maybe<Located<ValueWord>>,
    /// The policy whose rule decides.
    #[serde(default)]
    pub by: Maybe<Located<String>>,
    /// Why the wanted value is not written: the code of a finding, as a plan shows it in brackets.
    #[serde(default)]
    #[schemars(example = &"mfa-withheld")]
    pub because: Maybe<Located<String>>,
}

/// The word for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueWord(pub String);

/// A single word, or keys.
#[derive(Debug)]
pub enum WordOr<T> {
    Word(ValueWord),
    Keys(T),
}

/// What holds for all people. An entry has exactly one of these keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Always", extend("minProperties" = 1, "maxProperties" = 1))]
pub struct AlwaysBlock {
    /// Nobody gets one of these postures.
    #[serde(default)]
    pub nobody: Maybe<Located<NobodyBlock>>,
    /// Everybody has these values after an apply.
    #[serde(default)]
    pub everybody: Maybe<Located<EverybodyBlock>>,
    /// At most this many people are such people.
    #[serde(default)]
    pub at_most: Maybe<Located<AtMostBlock>>,
}

/// Postures that nobody gets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Nobody", example = json!({ "becomes": ["open", "stuck"] }))]
pub struct NobodyBlock {
    /// Only these people. Without it, all of them.
    #[serde(default)]
    pub with: Maybe<Located<PeopleBlock>>,
    /// The postures after an apply.
    pub becomes: NonEmptyList<Located<PostureWord>>,
}

/// Values that everybody has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Everybody", example = json!({
    "with": { "role": "Global Administrator" }, "has": { "perUserMfa": "enforced" },
}))]
pub struct EverybodyBlock {
    /// Only these people. Without it, all of them.
    #[serde(default)]
    pub with: Maybe<Located<PeopleBlock>>,
    /// What they have after an apply. `enforced` satisfies `enabled`.
    pub has: Located<ExpectBlock>,
}

/// A limit for a number of people.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AtMost", example = json!({ "people": 20, "of": { "excludedFrom": "staff" } }))]
pub struct AtMostBlock {
    /// The largest number.
    pub people: Located<u32>,
    /// The people that are counted.
    pub of: Located<PeopleBlock>,
}

/// The people that meet all of these conditions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "PeopleWith", extend("minProperties" = 1))]
pub struct PeopleBlock {
    /// They are members of this group: display name or object id.
    #[serde(default)]
    pub group: Maybe<Located<String>>,
    /// They hold this directory role or can activate it: display name or template id.
    #[serde(default)]
    pub role: Maybe<Located<String>>,
    /// Their department. Case does not matter.
    #[serde(default)]
    pub department: Maybe<Located<String>>,
    /// Whether they are guests.
    #[serde(default)]
    pub guest: Maybe<Located<bool>>,
    /// Whether their accounts can sign in.
    #[serde(default)]
    pub enabled: Maybe<Located<bool>>,
    /// This policy applies to them.
    #[serde(default)]
    pub policy: Maybe<Located<String>>,
    /// An exception of this policy excludes them.
    #[serde(default)]
    pub excluded_from: Maybe<Located<String>>,
    /// Their posture after an apply is one of these.
    #[serde(default)]
    pub becomes: Maybe<NonEmptyList<Located<PostureWord>>>,
}

impl ExpectBlock {
    /// Returns the expected result of each setting that the block mentions.
    pub fn settings(&self) -> Vec<(Setting, ExpectedSetting<'_>)> {
        let Self { phones, default_method, system_preferred_mfa, per_user_mfa, .. } = self;
        let mut all = phones.as_ref().map(of_phones).unwrap_or_default();
        let others = [
            (Setting::DefaultMethod, default_method),
            (Setting::SystemPreferredMfa, system_preferred_mfa),
            (Setting::PerUserMfa, per_user_mfa),
        ];
        all.extend(of_keys(others));
        all
    }

    /// Whether the block has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { posture, policies, excluded_from, .. } = self;
        let has_others = !posture.is_unmentioned()
            || !policies.is_unmentioned()
            || !excluded_from.is_unmentioned();
        !has_others && self.settings().is_empty()
    }
}

impl AlwaysBlock {
    /// The conditions on people in this entry.
    pub fn conditions(&self) -> impl Iterator<Item = &Located<PeopleBlock>> {
        let Self { nobody, everybody, at_most } = self;
        let nobody = nobody.as_ref().and_then(|block| block.value.with.as_ref());
        let everybody = everybody.as_ref().and_then(|block| block.value.with.as_ref());
        let at_most = at_most.as_ref().map(|block| &block.value.of);
        [nobody, everybody, at_most].into_iter().flatten()
    }
}

/// The expected result of one setting.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpectedSetting<'a> {
    pub becomes: Option<(&'a ValueWord, crate::source::Span)>,
    pub by: Option<&'a Located<String>>,
    pub because: Option<&'a Located<String>>,
}

fn of_phones(phones: &Located<WordOr<ExpectedPhones>>) -> Vec<(Setting, ExpectedSetting<'_>)> {
    match &phones.value {
        WordOr::Word(word) => {
            let becomes = Some((word, phones.span));
            let all = Setting::ALL.into_iter().filter(|setting| setting.phone().is_some());
            all.map(|setting| (setting, ExpectedSetting { becomes, by: None, because: None }))
                .collect()
        }
        WordOr::Keys(ExpectedPhones { mobile, alternate_mobile, office, sms_sign_in }) => {
            of_keys([
                (Setting::MobilePhone, mobile),
                (Setting::AlternateMobilePhone, alternate_mobile),
                (Setting::OfficePhone, office),
                (Setting::SmsSignIn, sms_sign_in),
            ])
            .collect()
        }
    }
}

fn of_keys<'a, const N: usize>(
    keys: [(Setting, &'a Maybe<Located<WordOr<ExpectedChange>>>); N],
) -> impl Iterator<Item = (Setting, ExpectedSetting<'a>)> {
    keys.into_iter().filter_map(|(setting, change)| {
        let change = change.as_ref()?;
        let expected = match &change.value {
            WordOr::Word(word) => {
                ExpectedSetting { becomes: Some((word, change.span)), ..ExpectedSetting::default() }
            }
            WordOr::Keys(ExpectedChange { becomes, by, because }) => ExpectedSetting {
                becomes: becomes.as_ref().map(|word| (&word.value, word.span)),
                by: by.as_ref(),
                because: because.as_ref(),
            },
        };
        Some((setting, expected))
    })
}

impl<'de> Deserialize<'de> for ValueWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneWord;

        impl Visitor<'_> for OneWord {
            type Value = ValueWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, such as `untouched`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(ValueWord(text.to_owned()))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(ValueWord(truth.to_string()))
            }
        }

        deserializer.deserialize_any(OneWord)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrKeys<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for WordOrKeys<T> {
            type Value = WordOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, such as `untouched`, or keys with values")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(WordOr::Word(ValueWord(text.to_owned())))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(WordOr::Word(ValueWord(truth.to_string())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(WordOr::Keys)
            }
        }

        deserializer.deserialize_any(WordOrKeys(PhantomData))
    }
}

impl JsonSchema for ValueWord {
    fn schema_name() -> Cow<'static, str> {
        "ValueWord".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "boolean"], "minLength": 1 })
    }
}

impl<T: JsonSchema> JsonSchema for WordOr<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("WordOr{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            generator.subschema_for::<ValueWord>(), generator.subschema_for::<T>(),
        ] })
    }
}
