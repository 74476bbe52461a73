//! `authentication/requirements` and `authentication/signInPreferences`: the per-user MFA state
//! and the default second factor. Both exist in beta only.
//!
//! Not here: what they mean for a sign-in (`sign_in`).

use serde_json::{Value, json};

use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, read, wrote};
use crate::graph::problem::Problem;
use crate::records::Document;
use crate::registration::methods::{PHONE, answer, find, is_of, no_options};
use crate::state::effect::Effect;
use crate::state::store::Store;

const STATE: &str = "perUserMfaState";
pub(crate) const SYSTEM_PREFERRED: &str = "isSystemPreferredAuthenticationMethodEnabled";
pub(crate) const PREFERRED: &str = "userPreferredMethodForSecondaryAuthentication";

/// The kinds of method that make a user registered for MFA. Passwords and methods for a password
/// reset are not among them.
const FACTORS: &[&str] = &[
    PHONE,
    "#microsoft.graph.fido2AuthenticationMethod",
    "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod",
    "#microsoft.graph.softwareOathAuthenticationMethod",
    "#microsoft.graph.hardwareOathAuthenticationMethod",
    "#microsoft.graph.windowsHelloForBusinessAuthenticationMethod",
    "#microsoft.graph.platformCredentialAuthenticationMethod",
    "#microsoft.graph.externalAuthenticationMethod",
];

/// Whether this method makes its user registered for MFA.
pub(crate) fn is_factor(method: &Document) -> bool {
    FACTORS.iter().any(|kind| is_of(method, kind))
}

pub(crate) fn get_requirements(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (id, record) = find(store, key)?;
    let context = format!("users('{id}')/authentication/requirements");
    read(answer(call, &context, &record.requirements))
}

/// Graph documentation (per-user MFA states): `enabled` written for a user who has an MFA method
/// becomes `enforced` by itself.
pub(crate) fn set_requirements(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (user, record) = find(store, key)?;
    let body = call.body()?;
    known(body, &[STATE])?;
    let wanted = body.get(STATE).and_then(Value::as_str);
    let registered = record.methods.iter().any(is_factor);
    let states = match wanted {
        // Two effects, because the service can show the first state for a while.
        Some("enabled") if registered => vec!["enabled", "enforced"],
        Some(state @ ("disabled" | "enabled" | "enforced")) => vec![state],
        _ => return Err(invalid_value(STATE)),
    };
    let effect = |state| {
        let mut requirements = record.requirements.clone();
        requirements.insert(STATE.to_owned(), json!(state));
        Effect::Requirements { user, requirements }
    };
    wrote(states.into_iter().map(effect).collect(), Answer::no_content())
}

pub(crate) fn get_preferences(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (id, record) = find(store, key)?;
    let context = format!("users('{id}')/authentication/signInPreferences");
    read(answer(call, &context, &record.sign_in_preferences))
}

/// Sets the preferences. A preferred method must be registered.
pub(crate) fn set_preferences(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (user, record) = find(store, key)?;
    let body = call.body()?;
    known(body, &[SYSTEM_PREFERRED, PREFERRED])?;
    if body.get(SYSTEM_PREFERRED).is_some_and(|value| !value.is_boolean()) {
        return Err(invalid_value(SYSTEM_PREFERRED));
    }
    if let Some(value) = body.get(PREFERRED) {
        let method = value
            .as_str()
            .and_then(Preferred::from_word)
            .ok_or_else(|| invalid_value(PREFERRED))?;
        if !answered_by(method, &record.methods) {
            return Err(Problem::invalid_request(
                "The preferred method is not registered for this user.",
            ));
        }
    }
    let mut sign_in_preferences = record.sign_in_preferences.clone();
    for (name, value) in body {
        sign_in_preferences.insert(name.clone(), value.clone());
    }
    let effect = Effect::SignInPreferences { user, sign_in_preferences };
    wrote(vec![effect], Answer::no_content())
}

/// Refuses a body with an unknown property, and one that sets nothing.
pub(crate) fn known(body: &Document, names: &[&str]) -> Result<(), Problem> {
    if let Some(name) =
        body.keys().find(|name| !names.contains(&name.as_str()) && *name != "@odata.type")
    {
        return Err(Problem::invalid_request(format!(
            "The property '{name}' does not exist on this type. Make sure to only use property names that are defined by the type."
        )));
    }
    if !names.iter().any(|name| body.contains_key(*name)) {
        return Err(Problem::invalid_request("The request body has no property to set."));
    }
    Ok(())
}

fn invalid_value(name: &str) -> Problem {
    Problem::invalid_request(format!("Invalid value for the property '{name}'."))
}

/// A second factor that a user can prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preferred {
    Push,
    Oath,
    /// A text or a call to the phone of this type.
    Phone(&'static str),
}

impl Preferred {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "push" => Some(Self::Push),
            "oath" => Some(Self::Oath),
            "sms" | "voiceMobile" => Some(Self::Phone("mobile")),
            "voiceAlternateMobile" => Some(Self::Phone("alternateMobile")),
            "voiceOffice" => Some(Self::Phone("office")),
            _ => None,
        }
    }
}

pub(crate) fn preferred(preferences: &Document) -> Option<Preferred> {
    preferences.get(PREFERRED).and_then(Value::as_str).and_then(Preferred::from_word)
}

/// Whether one of the methods provides the preferred factor. The Authenticator also shows codes.
pub(crate) fn answered_by(preferred: Preferred, methods: &[Document]) -> bool {
    methods.iter().any(|method| {
        let authenticator =
            is_of(method, "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod");
        match preferred {
            Preferred::Push => authenticator,
            Preferred::Oath => {
                authenticator
                    || is_of(method, "#microsoft.graph.softwareOathAuthenticationMethod")
                    || is_of(method, "#microsoft.graph.hardwareOathAuthenticationMethod")
            }
            Preferred::Phone(kind) => {
                is_of(method, PHONE)
                    && method.get("phoneType").and_then(Value::as_str) == Some(kind)
            }
        }
    })
}
