//! Reads the list of a user's registered methods as Graph shows it, and decides which of them count
//! (Graph documentation of authenticationMethod and its types, checked 2026-11).
//!
//! Not here: how the lists of many users are requested (`facts`), or whether a method can answer an MFA
//! prompt (`posture`).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::facts::methods_url;
use crate::graph::{Client, Consistency, Error, Identified, identity_of};
use crate::id::UserId;
use crate::number::{NumberFault, PhoneNumber};
use crate::tenant::facts::{MethodKind, Methods, Phone, Read, SmsSignIn, UnknownReason};
use crate::tenant::method_policy::MethodPolicy;

/// A word that is borrowed from the answer, unless it is escaped there.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct BorrowedWord<'a>(#[serde(borrow)] Cow<'a, str>);

/// A method in the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Method<'a> {
    #[serde(rename = "@odata.type", borrow, default)]
    kind: Option<BorrowedWord<'a>>,
    #[serde(borrow, default)]
    phone_type: Option<BorrowedWord<'a>>,
    #[serde(borrow, default)]
    phone_number: Option<BorrowedWord<'a>>,
    /// For a mobile phone.
    #[serde(borrow, default)]
    sms_sign_in_state: Option<BorrowedWord<'a>>,
    #[serde(default)]
    is_usable: Option<bool>,
    /// For an external method: which of the tenant's external methods it is.
    #[serde(borrow, default)]
    configuration_id: Option<BorrowedWord<'a>>,
}

impl BorrowedWord<'_> {
    pub(super) fn of(word: Option<&Self>) -> Option<&str> {
        word.map(|word| &*word.0)
    }
}

impl Method<'_> {
    fn is_of_known_provider(&self, policy: &MethodPolicy) -> bool {
        let id = BorrowedWord::of(self.configuration_id.as_ref()).and_then(|id| id.parse().ok());
        id.is_some_and(|id| policy.knows_external(id))
    }
}

pub(super) fn methods_of(list: &[Method<'_>], policy: &MethodPolicy) -> Methods {
    list.iter().fold(Methods::default(), |all, method| add(all, method, policy))
}

/// A method before it is parsed: its words are then borrowed from this text.
#[derive(Deserialize)]
#[serde(transparent)]
struct Raw(Box<RawValue>);

impl Identified for Raw {
    fn identity(&self) -> u64 {
        identity_of(&self.0.get())
    }
}

/// Reads a user's methods from all pages of the list; unknown if one of the methods cannot be parsed.
///
/// # Errors
/// The error of Graph.
pub(super) async fn read_whole(
    client: &Client,
    user: UserId,
    policy: &MethodPolicy,
) -> Result<Read<Methods>, Error> {
    let url = format!("/beta{}", methods_url(user));
    let list: Vec<Raw> = client.list(&url, Consistency::Default).await?;
    let list = list.iter().map(|raw| serde_json::from_str::<Method<'_>>(raw.0.get()));
    let list: Result<Vec<_>, _> = list.collect();
    Ok(list.map_or(Read::Unknown(UnknownReason::Failed), |list| {
        Read::Known(methods_of(&list, policy))
    }))
}

fn add(mut methods: Methods, method: &Method<'_>, policy: &MethodPolicy) -> Methods {
    let kind = match kind_of(method) {
        // The configurations of other providers do not show whether it is usable.
        Some(MethodKind::External) if !method.is_of_known_provider(policy) => {
            Some(MethodKind::Unrecognised)
        }
        kind => kind,
    };
    if let Some(
        kind @ (MethodKind::MobilePhone
        | MethodKind::AlternateMobilePhone
        | MethodKind::OfficePhone),
    ) = kind
    {
        methods = methods.with_phone(kind, phone_of(method).unwrap_or(Phone::Undialable));
    }
    if kind == Some(MethodKind::MobilePhone) {
        methods.sms_sign_in = sms_sign_in_of(BorrowedWord::of(method.sms_sign_in_state.as_ref()));
    }
    methods.kinds = kind.map_or(methods.kinds, |kind| methods.kinds.with(kind));
    methods
}

/// Returns the kind of a method; `None` for a method that does not count at all, such as a used
/// Temporary Access Pass.
fn kind_of(method: &Method<'_>) -> Option<MethodKind> {
    let name = BorrowedWord::of(method.kind.as_ref()).unwrap_or_default();
    let name = name.strip_prefix("#microsoft.graph.").unwrap_or_default();
    Some(match name.strip_suffix("AuthenticationMethod").unwrap_or(name) {
        "phone" => match BorrowedWord::of(method.phone_type.as_ref()) {
            Some("mobile") => MethodKind::MobilePhone,
            Some("alternateMobile") => MethodKind::AlternateMobilePhone,
            Some("office") => MethodKind::OfficePhone,
            _ => MethodKind::Unrecognised,
        },
        "microsoftAuthenticator" | "passwordlessMicrosoftAuthenticator" => {
            MethodKind::Authenticator
        }
        "softwareOath" => MethodKind::SoftwareOath,
        "hardwareOath" => MethodKind::HardwareOath,
        "fido2" => MethodKind::Passkey,
        "x509Certificate" => MethodKind::Certificate,
        "external" => MethodKind::External,
        "windowsHelloForBusiness" => MethodKind::WindowsHello,
        "platformCredential" => MethodKind::PlatformCredential,
        "temporaryAccessPass" if method.is_usable == Some(false) => return None,
        "temporaryAccessPass" => MethodKind::TemporaryAccessPass,
        "email" => MethodKind::Email,
        "password" => MethodKind::Password,
        "qrCodePin" => MethodKind::QrCodePin,
        _ => MethodKind::Unrecognised,
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

/// Returns one phone, and its state of SMS sign-in.
pub(super) fn phone_and_sms_sign_in(method: &Method<'_>) -> (Phone, SmsSignIn) {
    let phone = phone_of(method).unwrap_or(Phone::Undialable);
    (phone, sms_sign_in_of(BorrowedWord::of(method.sms_sign_in_state.as_ref())))
}

/// Returns the phone, if its number is shown.
pub(super) fn phone_of(method: &Method<'_>) -> Option<Phone> {
    Some(match PhoneNumber::from_graph(BorrowedWord::of(method.phone_number.as_ref())?) {
        Ok(number) => Phone::Number(number),
        Err(NumberFault::Masked) => Phone::Masked,
        Err(_) => Phone::Undialable,
    })
}
