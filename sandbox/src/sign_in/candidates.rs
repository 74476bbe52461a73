//! The second factors that a user registered and that the tenant allows the user to use.
//!
//! A factor that can be used in two ways is listed twice, because strengths distinguish the ways.
//!
//! Not here: whether a text or a call reaches a number (`phone`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, civil::Date};
use serde_json::Value;
use uuid::Uuid;

use super::super::records::Document;
use super::evidence::{Evidence, id, items, text};
use super::strength::Mode;

/// One way to answer the MFA prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate<'a> {
    pub(super) mode: Mode,
    /// The number, if it is a phone.
    pub(super) number: Option<&'a str>,
}

pub(super) fn of<'a>(evidence: &Evidence<'a>) -> Vec<Candidate<'a>> {
    let allowed = Allowed {
        policy: &evidence.tenant.authentication_methods_policy,
        user: id(&evidence.record.user, "id"),
        groups: evidence.groups,
    };
    let mut candidates = Vec::new();
    for method in &evidence.record.methods {
        let number = text(method, "phoneNumber");
        let modes = modes(method, &allowed, evidence.on);
        candidates.extend(modes.into_iter().map(|mode| Candidate { mode, number }));
    }
    candidates
}

/// Returns the ways in which one registered method may be used.
fn modes(method: &Document, allowed: &Allowed<'_>, on: Date) -> Vec<Mode> {
    let kind = text(method, "@odata.type").unwrap_or_default();
    let when = |permitted: bool, mode: Mode| if permitted { vec![mode] } else { Vec::new() };
    match kind.strip_prefix("#microsoft.graph.").unwrap_or(kind) {
        "phoneAuthenticationMethod" => phone_modes(method, allowed),
        "microsoftAuthenticatorAuthenticationMethod" => authenticator_modes(method, allowed),
        "fido2AuthenticationMethod" => when(allowed.configuration("Fido2"), Mode::Fido2),
        "softwareOathAuthenticationMethod" => {
            when(allowed.configuration("SoftwareOath"), Mode::SoftwareOath)
        }
        "hardwareOathAuthenticationMethod" => {
            when(allowed.configuration("HardwareOath"), Mode::HardwareOath)
        }
        "externalAuthenticationMethod" => {
            let provider = text(method, "configurationId").unwrap_or_default();
            when(allowed.configuration(provider), Mode::External)
        }
        "temporaryAccessPassAuthenticationMethod" => {
            let once = method.get("isUsableOnce") == Some(&Value::Bool(true));
            let mode = if once { Mode::TemporaryPassOnce } else { Mode::TemporaryPassMany };
            when(allowed.configuration("TemporaryAccessPass") && pass_usable(method, on), mode)
        }
        // These have no configuration in the policy.
        "windowsHelloForBusinessAuthenticationMethod"
        | "platformCredentialAuthenticationMethod" => {
            vec![Mode::DeviceCredential]
        }
        // Password, e-mail, security questions, QR code with PIN, and unknown kinds.
        _ => Vec::new(),
    }
}

/// A mobile phone takes texts and calls; the other two types only take calls.
fn phone_modes(method: &Document, allowed: &Allowed<'_>) -> Vec<Mode> {
    let mut modes = Vec::new();
    let phone = text(method, "phoneType").unwrap_or_default();
    if phone == "mobile" && allowed.configuration("Sms") {
        modes.push(Mode::Sms);
    }
    let callable = match phone {
        "mobile" | "alternateMobile" => allowed.configuration("Voice"),
        "office" => allowed.configuration("Voice") && allowed.office_phone(),
        _ => false,
    };
    if callable {
        modes.push(Mode::Voice);
    }
    modes
}

fn authenticator_modes(method: &Document, allowed: &Allowed<'_>) -> Vec<Mode> {
    let permitted = allowed.authenticator_modes();
    let mut modes = Vec::new();
    if permitted.iter().any(|mode| matches!(*mode, "any" | "push")) {
        modes.push(Mode::AuthenticatorPush);
    }
    // For a sign-in with the app alone, the phone must be registered as a device.
    if permitted.iter().any(|mode| matches!(*mode, "any" | "deviceBasedPush"))
        && method.get("device").is_some_and(|device| !device.is_null())
    {
        modes.push(Mode::DeviceBasedPush);
    }
    modes
}

/// Whether a pass is usable: the tenant says so, and its lifetime includes a part of the day.
fn pass_usable(method: &Document, on: Date) -> bool {
    if method.get("isUsable") != Some(&Value::Bool(true)) {
        return false;
    }
    let start = text(method, "startDateTime").and_then(|at| at.parse::<Timestamp>().ok());
    let minutes = method.get("lifetimeInMinutes").and_then(Value::as_i64);
    let Some((start, minutes)) = start.zip(minutes) else {
        return true;
    };
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let Ok(end) = start.checked_add(SignedDuration::from_secs(minutes.saturating_mul(60))) else {
        return false;
    };
    day(start) <= on && on <= day(end)
}

/// What the authentication methods policy allows one user.
struct Allowed<'a> {
    policy: &'a Document,
    user: Option<Uuid>,
    groups: &'a BTreeSet<Uuid>,
}

impl<'a> Allowed<'a> {
    fn configuration(&self, name: &str) -> bool {
        !self.migrated() || self.effective(name).is_some()
    }

    fn office_phone(&self) -> bool {
        let voice = self.effective("Voice");
        !self.migrated()
            || voice.is_some_and(|one| one.get("isOfficePhoneAllowed") == Some(&Value::Bool(true)))
    }

    /// The modes of the include targets that contain this user.
    fn authenticator_modes(&self) -> Vec<&'a str> {
        let Some(configuration) = self.effective("MicrosoftAuthenticator") else {
            return if self.migrated() { Vec::new() } else { vec!["any"] };
        };
        items(configuration, "includeTargets")
            .filter_map(Value::as_object)
            .filter(|target| self.is_target(target))
            .map(|target| text(target, "authenticationMode").unwrap_or("any"))
            .collect()
    }

    /// Whether only this policy counts. Until the migration is complete, the legacy policies count
    /// too, and they cannot be read. A tenant that never had legacy policies has no migration state.
    fn migrated(&self) -> bool {
        matches!(text(self.policy, "policyMigrationState"), None | Some("migrationComplete"))
    }

    /// The configuration with this name, if it is enabled and targets this user.
    fn effective(&self, name: &str) -> Option<&'a Document> {
        let configuration = items(self.policy, "authenticationMethodConfigurations")
            .filter_map(Value::as_object)
            .find(|one| text(one, "id").is_some_and(|id| id.eq_ignore_ascii_case(name)))?;
        let targeted = |key| {
            let mut targets = items(configuration, key).filter_map(Value::as_object);
            targets.any(|target| self.is_target(target))
        };
        (text(configuration, "state") == Some("enabled")
            && targeted("includeTargets")
            && !targeted("excludeTargets"))
        .then_some(configuration)
    }

    fn is_target(&self, target: &Document) -> bool {
        if text(target, "id") == Some("all_users") {
            return true;
        }
        id(target, "id").is_some_and(|one| self.groups.contains(&one) || self.user == Some(one))
    }
}
