//! A user's registered methods and per-user MFA state (Graph documentation of
//! authentication/methods and of authentication/requirements, checked 2026-11). The state is in
//! beta alone, so both are asked for there, in one batch.

use serde::Deserialize;

use crate::graph::{Client, Error, Part};
use crate::id::UserId;
use crate::number::{NumberFault, PhoneNumber};
use crate::tenant::facts::{Facts, Kind, Methods, MfaState, Phone, Read, Why};

/// Users whose answers are held at one time.
const CHUNK: usize = 1_000;

/// Reads methods and state of each user, in the order given. What cannot be read of one user is
/// unknown and stops nobody else.
///
/// # Errors
/// Where Graph as a whole cannot be used: no token, another host, no connection.
pub async fn read(client: &Client, users: &[UserId]) -> Result<Vec<Facts>, Error> {
    let mut all = Vec::with_capacity(users.len());
    for chunk in users.chunks(CHUNK) {
        let parts = chunk.iter().flat_map(|user| [Part::get(methods_url(*user)), Part::get(state_url(*user))]).collect();
        let mut answers = client.read_all(parts).await?.into_iter();
        while let (Some(methods), Some(state)) = (answers.next(), answers.next()) {
            all.push(Facts { methods: methods.map_or_else(unknown, |body| methods_of(&body)), state: state.map_or_else(unknown, |body| state_of(&body)) });
        }
    }
    Ok(all)
}

pub(super) fn methods_url(user: UserId) -> String {
    format!("/users/{user}/authentication/methods")
}

pub(super) fn state_url(user: UserId) -> String {
    format!("/users/{user}/authentication/requirements")
}

fn unknown<T>(error: Error) -> Read<T> {
    Read::Unknown(if error.status() == Some(403) { Why::Forbidden } else { Why::Failed })
}

#[derive(Deserialize)]
struct MethodList {
    value: Vec<Method>,
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
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Requirements {
    per_user_mfa_state: String,
}

fn methods_of(body: &[u8]) -> Read<Methods> {
    match serde_json::from_slice::<MethodList>(body) {
        Ok(list) => Read::Known(list.value.iter().fold(Methods::default(), add)),
        Err(_) => Read::Unknown(Why::Failed),
    }
}

fn state_of(body: &[u8]) -> Read<MfaState> {
    match serde_json::from_slice::<Requirements>(body).as_ref().map(|requirements| requirements.per_user_mfa_state.as_str()) {
        Ok("disabled") => Read::Known(MfaState::Disabled),
        Ok("enabled") => Read::Known(MfaState::Enabled),
        Ok("enforced") => Read::Known(MfaState::Enforced),
        _ => Read::Unknown(Why::Failed),
    }
}

fn add(mut methods: Methods, method: &Method) -> Methods {
    let kind = kind_of(method);
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
