//! A user's registered methods, per-user MFA state and preferences (Graph documentation of
//! authentication/methods, authentication/requirements and authentication/signInPreferences,
//! checked 2026-11). The last two are in beta alone, so all are asked for there, in one batch.

use serde::Deserialize;

use super::ways::{Reader, Wanted};
use crate::graph::{Client, Error, Part, Stage};
use crate::id::UserId;
use crate::number::{NumberFault, PhoneNumber};
use crate::tenant::facts::{Facts, Kind, Methods, MfaState, Phone, Read, SmsSignIn, Why};
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::preferences::DefaultMethod;

/// Reads methods and state of each user, and what is asked for beside them, in the order given. What
/// cannot be read of one user is unknown and stops nobody else. The policy tells the external methods
/// that the tenant still has from those it had once.
///
/// # Errors
/// Where Graph could not be asked at all: no token, or no connection.
pub async fn read(
    client: &Client,
    users: &[UserId],
    policy: &MethodPolicy,
    extra: Extra,
) -> Result<Vec<Facts>, Error> {
    Reader::new(client, extra, false).read(users, policy).await
}

/// Reads each thing with a request of its own.
pub(super) async fn documented(
    client: &Client,
    users: &[UserId],
    wanted: Wanted<'_>,
    stage: Option<&Stage>,
) -> Result<Vec<Facts>, Error> {
    let aspects: &[Aspect] = if wanted.extra.preferences { &Aspect::ALL } else { &Aspect::ALWAYS };
    each(client, users, aspects, wanted, stage).await
}

/// The same without the state, which somebody else tells.
pub(super) async fn but_the_state(
    client: &Client,
    users: &[UserId],
    wanted: Wanted<'_>,
    stage: Option<&Stage>,
) -> Result<Vec<Facts>, Error> {
    let aspects: &[Aspect] = if wanted.extra.preferences {
        &[Aspect::Methods, Aspect::Preferences]
    } else {
        &[Aspect::Methods]
    };
    each(client, users, aspects, wanted, stage).await
}

/// The state of each user and nothing else.
pub(super) async fn states(
    client: &Client,
    users: &[UserId],
    wanted: Wanted<'_>,
) -> Result<Vec<Read<MfaState>>, Error> {
    let facts = each(client, users, &[Aspect::State], wanted, None).await?;
    Ok(facts.into_iter().map(|facts| facts.state).collect())
}

async fn each(
    client: &Client,
    users: &[UserId],
    aspects: &[Aspect],
    wanted: Wanted<'_>,
    stage: Option<&Stage>,
) -> Result<Vec<Facts>, Error> {
    let mut all = vec![Facts::NOT_READ; users.len()];
    let mut failed = None;
    let parts = users.iter().flat_map(|user| aspects.iter().map(|one| Part::get(one.url(*user))));
    client
        .read_each(parts, |place, answer: Result<Answer, Error>| {
            let (user, aspect) = (place / aspects.len(), aspects.get(place % aspects.len()));
            let (Some(facts), Some(aspect)) = (all.get_mut(user), aspect) else { return };
            if let (Some(stage), Aspect::Methods) = (stage, aspect) {
                stage.add(1);
            }
            aspect.take(facts, answer.as_ref().map_err(why), wanted.policy);
            if let Err(error) = answer
                && error.concerns_all()
            {
                failed.get_or_insert(error);
            }
        })
        .await;
    failed.map_or(Ok(all), Err)
}

/// All of a user in one answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whole {
    methods: Option<Vec<Method>>,
    #[serde(rename = "methods@odata.nextLink")]
    more_methods: Option<serde::de::IgnoredAny>,
    requirements: Option<Answer>,
    sign_in_preferences: Option<Answer>,
}

impl Whole {
    /// An expansion shows no more than these (Graph documentation, "Customize responses with query
    /// parameters", checked 2026-11).
    const MOST_EXPANDED: usize = 20;

    pub(super) fn url(user: UserId, extra: Extra) -> String {
        let preferences = if extra.preferences { ",signInPreferences" } else { "" };
        format!("/users/{user}/authentication?$select=requirements{preferences}&$expand=methods")
    }

    /// What it says, if it says all that is wanted.
    pub(super) fn facts(&self, Wanted { policy, extra }: Wanted<'_>) -> Option<Facts> {
        let methods = self.methods.as_deref()?;
        if self.more_methods.is_some() || methods.len() >= Self::MOST_EXPANDED {
            return None;
        }
        let mut facts = Facts::NOT_READ;
        facts.methods = Read::Known(methods_of(methods, policy));
        Aspect::State.take(&mut facts, Ok(self.requirements.as_ref()?), policy);
        if extra.preferences {
            let preferences = self.sign_in_preferences.as_ref()?;
            Aspect::Preferences.take(&mut facts, Ok(preferences), policy);
        }
        let is_known = facts.state.known().is_some()
            && (!extra.preferences
                || facts.default_method.known().is_some()
                    && facts.system_preferred.known().is_some());
        is_known.then_some(facts)
    }
}

/// What is asked for with one request.
#[derive(Clone, Copy)]
enum Aspect {
    Methods,
    State,
    Preferences,
}

impl Aspect {
    const ALWAYS: [Self; 2] = [Self::Methods, Self::State];
    const ALL: [Self; 3] = [Self::Methods, Self::State, Self::Preferences];

    fn url(self, user: UserId) -> String {
        match self {
            Self::Methods => methods_url(user),
            Self::State => state_url(user),
            Self::Preferences => preferences_url(user),
        }
    }

    /// Takes the answer in. One that is of another shape tells nothing.
    fn take(self, facts: &mut Facts, answer: Result<&Answer, Why>, policy: &MethodPolicy) {
        match self {
            Self::Methods => {
                facts.methods = known(answer.map(|answer| answer.value.as_deref()))
                    .map(|methods| methods_of(methods, policy));
            }
            Self::State => {
                let state = answer.map(|answer| answer.state.as_deref().and_then(state_of));
                facts.state = known(state);
            }
            Self::Preferences => {
                facts.default_method = known(answer.map(Answer::default_method));
                facts.system_preferred = known(answer.map(|answer| answer.system_preferred));
            }
        }
    }
}

fn known<T>(answer: Result<Option<T>, Why>) -> Read<T> {
    match answer {
        Ok(Some(value)) => Read::Known(value),
        Ok(None) => Read::Unknown(Why::Failed),
        Err(why) => Read::Unknown(why),
    }
}

pub(super) fn preferences_url(user: UserId) -> String {
    format!("/users/{user}/authentication/signInPreferences")
}

pub(super) fn methods_url(user: UserId) -> String {
    format!("/users/{user}/authentication/methods")
}

pub(super) fn state_url(user: UserId) -> String {
    format!("/users/{user}/authentication/requirements")
}

fn why(error: &Error) -> Why {
    if error.status() == Some(403) { Why::Forbidden } else { Why::Failed }
}

/// Any of the answers: the list of methods, the state, or the preferences.
#[derive(Deserialize)]
struct Answer {
    value: Option<Vec<Method>>,
    #[serde(rename = "perUserMfaState")]
    state: Option<String>,
    #[serde(rename = "userPreferredMethodForSecondaryAuthentication", default, with = "told")]
    default_method: Option<Option<String>>,
    #[serde(rename = "isSystemPreferredAuthenticationMethodEnabled")]
    system_preferred: Option<bool>,
}

/// A property that is there with nothing in it says something; one that is not there does not.
mod told {
    use serde::{Deserialize as _, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<String>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

impl Answer {
    /// No default is an answer; a word that nobody knows is none.
    fn default_method(&self) -> Option<Option<DefaultMethod>> {
        match self.default_method.as_ref()?.as_deref() {
            None | Some("none") => Some(None),
            Some(word) => DefaultMethod::from_word(word).map(Some),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
    #[serde(default)]
    phone_type: Option<String>,
    #[serde(default)]
    phone_number: Option<String>,
    /// Of a mobile phone.
    #[serde(default)]
    sms_sign_in_state: Option<String>,
    #[serde(default)]
    is_usable: Option<bool>,
    /// Of an external method: which of the tenant's.
    #[serde(default)]
    configuration_id: Option<String>,
}

impl Method {
    fn is_of_known_provider(&self, policy: &MethodPolicy) -> bool {
        let id = self.configuration_id.as_deref().and_then(|id| id.parse().ok());
        id.is_some_and(|id| policy.knows_external(id))
    }
}

fn methods_of(list: &[Method], policy: &MethodPolicy) -> Methods {
    list.iter().fold(Methods::default(), |all, method| add(all, method, policy))
}

pub(super) fn state_of(word: &str) -> Option<MfaState> {
    match word {
        "disabled" => Some(MfaState::Disabled),
        "enabled" => Some(MfaState::Enabled),
        "enforced" => Some(MfaState::Enforced),
        _ => None,
    }
}

fn add(mut methods: Methods, method: &Method, policy: &MethodPolicy) -> Methods {
    let kind = match kind_of(method) {
        // Whether it answers, the configurations of others do not say.
        Some(Kind::External) if !method.is_of_known_provider(policy) => Some(Kind::Unrecognised),
        kind => kind,
    };
    if let Some(kind @ (Kind::MobilePhone | Kind::AlternateMobilePhone | Kind::OfficePhone)) = kind
    {
        methods = methods.with_phone(kind, phone_of(method));
    }
    if kind == Some(Kind::MobilePhone) {
        methods.sms_sign_in = sms_sign_in_of(method.sms_sign_in_state.as_deref());
    }
    methods.kinds = kind.map_or(methods.kinds, |kind| methods.kinds.with(kind));
    methods
}

/// `None` for what does not count at all, such as a temporary access pass that is used up.
fn kind_of(method: &Method) -> Option<Kind> {
    let name = method.kind.as_deref().unwrap_or_default();
    let name = name.strip_prefix("#microsoft.graph.").unwrap_or_default();
    Some(match name.strip_suffix("AuthenticationMethod").unwrap_or(name) {
        "phone" => match method.phone_type.as_deref() {
            Some("mobile") => Kind::MobilePhone,
            Some("alternateMobile") => Kind::AlternateMobilePhone,
            Some("office") => Kind::OfficePhone,
            _ => Kind::Unrecognised,
        },
        "microsoftAuthenticator" | "passwordlessMicrosoftAuthenticator" => Kind::Authenticator,
        "softwareOath" => Kind::SoftwareOath,
        "hardwareOath" => Kind::HardwareOath,
        "fido2" => Kind::Passkey,
        "x509Certificate" => Kind::Certificate,
        "external" => Kind::External,
        "windowsHelloForBusiness" => Kind::WindowsHello,
        "platformCredential" => Kind::PlatformCredential,
        "temporaryAccessPass" if method.is_usable == Some(false) => return None,
        "temporaryAccessPass" => Kind::TemporaryAccessPass,
        "email" => Kind::Email,
        "password" => Kind::Password,
        "qrCodePin" => Kind::QrCodePin,
        _ => Kind::Unrecognised,
    })
}

fn sms_sign_in_of(word: Option<&str>) -> SmsSignIn {
    match word {
        Some("ready") => SmsSignIn::On,
        Some("notSupported" | "notAllowedByPolicy" | "notEnabled" | "notConfigured") => {
            SmsSignIn::Off
        }
        Some("phoneNumberNotUnique") => SmsSignIn::Taken,
        _ => SmsSignIn::Unknown,
    }
}

fn phone_of(method: &Method) -> Phone {
    match PhoneNumber::from_graph(method.phone_number.as_deref().unwrap_or_default()) {
        Ok(number) => Phone::Number(number),
        Err(NumberFault::Masked) => Phone::Masked,
        Err(_) => Phone::Undialable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str, preferences: bool) -> Option<Facts> {
        let whole: Whole = serde_json::from_str(json).unwrap();
        whole.facts(Wanted { policy: &MethodPolicy::UNREAD, extra: Extra { preferences } })
    }

    #[test]
    fn one_answer_says_all_or_nothing() {
        let state = r#""requirements":{"perUserMfaState":"enforced"}"#;
        let methods = r##""methods":[{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","phoneType":"mobile","phoneNumber":"+31 612345678"}]"##;
        let preferences = r#""signInPreferences":{"userPreferredMethodForSecondaryAuthentication":"sms","isSystemPreferredAuthenticationMethodEnabled":true}"#;
        let facts = told(&format!("{{{state},{methods}}}"), false).unwrap();
        assert_eq!(facts.state, Read::Known(MfaState::Enforced));
        assert!(facts.methods.known().unwrap().kinds.has(Kind::MobilePhone));
        assert_eq!(facts.default_method, Read::Unknown(Why::NotRead));
        let facts = told(&format!("{{{state},{methods},{preferences}}}"), true).unwrap();
        assert_eq!(facts.default_method, Read::Known(Some(DefaultMethod::Sms)));
        for less in [
            format!("{{{state}}}"),
            format!("{{{methods}}}"),
            format!(r#"{{{state},"methods":null}}"#),
            format!(r#"{{"requirements":{{"perUserMfaState":"else"}},{methods}}}"#),
            format!(r#"{{{state},{methods},"methods@odata.nextLink":"x"}}"#),
            format!(r#"{{{state},"methods":[{}{{}}]}}"#, "{},".repeat(19)),
        ] {
            assert_eq!(told(&less, false), None, "{less}");
        }
        assert_eq!(told(&format!("{{{state},{methods}}}"), true), None);
    }
}
