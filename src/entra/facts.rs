//! A user's registered methods, per-user MFA state and preferences (Graph documentation of
//! authentication/methods, authentication/requirements and authentication/signInPreferences,
//! checked 2026-11). The last two are in beta alone, so all are asked for there, in one batch.

use serde::Deserialize;

use crate::graph::{Client, Error, Part};
use crate::id::UserId;
use crate::number::{NumberFault, PhoneNumber};
use crate::tenant::facts::{Facts, Kind, Methods, MfaState, Phone, Read, SmsSignIn, Why};
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::preferences::DefaultMethod;

/// Reads methods and state of each user, and what is asked for beside them, in the order given. What cannot be read of one user is
/// unknown and stops nobody else. The policy tells the external methods that the tenant still has
/// from those it had once.
///
/// # Errors
/// Where Graph could not be asked at all: no token, or no connection.
pub async fn read(
    client: &Client,
    users: &[UserId],
    policy: &MethodPolicy,
    extra: Extra,
) -> Result<Vec<Facts>, Error> {
    let mut all = vec![Facts::NOT_READ; users.len()];
    let mut failed = None;
    let aspects: &[Aspect] = if extra.preferences { &Aspect::ALL } else { &Aspect::ALWAYS };
    let parts = users.iter().flat_map(|user| aspects.iter().map(|one| Part::get(one.url(*user))));
    client
        .read_each(parts, |place, answer: Result<Answer, Error>| {
            let (user, aspect) = (place / aspects.len(), aspects.get(place % aspects.len()));
            let (Some(facts), Some(aspect)) = (all.get_mut(user), aspect) else { return };
            aspect.take(facts, answer.as_ref().map_err(why), policy);
            if let Err(error) = answer
                && error.concerns_all()
            {
                failed.get_or_insert(error);
            }
        })
        .await;
    failed.map_or(Ok(all), Err)
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

fn state_of(word: &str) -> Option<MfaState> {
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
