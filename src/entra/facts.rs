//! A user's registered methods and per-user MFA state (Graph documentation of
//! authentication/methods and of authentication/requirements, checked 2026-11). The state is in
//! beta alone, so both are asked for there, in one batch.

use serde::Deserialize;

use crate::graph::{Client, Error, Part};
use crate::id::UserId;
use crate::number::{NumberFault, PhoneNumber};
use crate::tenant::facts::{Facts, Kind, Methods, MfaState, Phone, Read, Why};
use crate::tenant::method_policy::MethodPolicy;

/// Reads methods and state of each user, in the order given. What cannot be read of one user is
/// unknown and stops nobody else. The policy tells the external methods that the tenant still has
/// from those it had once.
///
/// # Errors
/// Where Graph could not be asked at all: no token, or no connection.
pub async fn read(
    client: &Client,
    users: &[UserId],
    policy: &MethodPolicy,
) -> Result<Vec<Facts>, Error> {
    let mut all = vec![Facts::NOT_READ; users.len()];
    let mut failed = None;
    let parts =
        users.iter().flat_map(|user| [Part::get(methods_url(*user)), Part::get(state_url(*user))]);
    client
        .read_each(parts, |place, answer: Result<Answer, Error>| {
            let Some(facts) = all.get_mut(place / 2) else { return };
            match answer {
                Ok(Answer { value: Some(methods), .. }) if place % 2 == 0 => {
                    facts.methods = methods_of(&methods, policy)
                }
                Ok(Answer { state: Some(state), .. }) if place % 2 == 1 => {
                    facts.state = state_of(&state)
                }
                Ok(_) if place % 2 == 0 => facts.methods = Read::Unknown(Why::Failed),
                Ok(_) => facts.state = Read::Unknown(Why::Failed),
                Err(error) => {
                    let why = why(&error);
                    if place % 2 == 0 {
                        facts.methods = Read::Unknown(why)
                    } else {
                        facts.state = Read::Unknown(why)
                    }
                    if error.concerns_all() {
                        failed.get_or_insert(error);
                    }
                }
            }
        })
        .await;
    failed.map_or(Ok(all), Err)
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

/// Either answer: the list of methods, or the state.
#[derive(Deserialize)]
struct Answer {
    value: Option<Vec<Method>>,
    #[serde(rename = "perUserMfaState")]
    state: Option<String>,
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

fn methods_of(list: &[Method], policy: &MethodPolicy) -> Read<Methods> {
    Read::Known(list.iter().fold(Methods::default(), |all, method| add(all, method, policy)))
}

fn state_of(word: &str) -> Read<MfaState> {
    match word {
        "disabled" => Read::Known(MfaState::Disabled),
        "enabled" => Read::Known(MfaState::Enabled),
        "enforced" => Read::Known(MfaState::Enforced),
        _ => Read::Unknown(Why::Failed),
    }
}

fn add(mut methods: Methods, method: &Method, policy: &MethodPolicy) -> Methods {
    let kind = match kind_of(method) {
        // Whether it answers, the configurations of others do not say.
        Some(Kind::External) if !method.is_of_known_provider(policy) => Some(Kind::Unrecognised),
        kind => kind,
    };
    match kind {
        Some(Kind::MobilePhone) => methods.mobile = phone_of(method),
        Some(Kind::AlternateMobilePhone) => methods.alternate_mobile = phone_of(method),
        Some(Kind::OfficePhone) => methods.office = phone_of(method),
        _ => {}
    }
    methods.kinds = kind.map_or(methods.kinds, |kind| methods.kinds.with(kind));
    methods
}

/// `None` for what does not count at all, such as a temporary access pass that is used up.
fn kind_of(method: &Method) -> Option<Kind> {
    let name = method.kind.as_deref().and_then(|kind| kind.strip_prefix("#microsoft.graph."))?;
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

fn phone_of(method: &Method) -> Phone {
    match PhoneNumber::from_graph(method.phone_number.as_deref().unwrap_or_default()) {
        Ok(number) => Phone::Number(number),
        Err(NumberFault::Masked) => Phone::Masked,
        Err(_) => Phone::Undialable,
    }
}
