//! Asks the sandbox's judge of sign-ins about the invented people of a file of checks. The judge shares no code
//! with `posture`, so that one misunderstanding of Entra cannot be on both sides.
//!
//! Not here: which people are asked about (`checks`), or how the judge decides (`sandbox::sign_in`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use mfactl_sandbox::Store;
use mfactl_sandbox::records::{Document, Seed, TenantDocuments, UserRecord, managed_domains};
use mfactl_sandbox::sign_in::{Application, Verdict};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::checks::{ExpectedSignIn, ExpectedSignIns};
use crate::finding::Finding;
use crate::posture::Posture;
use crate::tenant::delivery::Delivery;
use crate::tenant::domains::domain_of;
use crate::tenant::facts::{Facts, MethodKind, Methods, Phone, Read};

const TENANT: Uuid = uuid!("0a5e1f1e-6c0d-4b43-9d55-2f6b7f0c1a90");
const EXTERNAL_METHOD: &str = "5b0c7a44-93c5-4f0a-8d3c-0f1f7b6d2e11";

/// Returns a finding for each person whose sign-ins do not agree with the posture.
pub(super) fn disagreements(expected: &ExpectedSignIns) -> Vec<Finding> {
    let asked: Vec<&ExpectedSignIn> =
        expected.people.iter().filter(|person| is_comparable(person, expected)).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let store = Store::new(seed(expected, &asked));
    let one = |person: &&ExpectedSignIn| {
        let at = |application| store.judge_at(&person.id.to_string(), application, expected.today);
        let mail = at(Application::Ordinary)?;
        // The judge only knows the public cloud.
        let portals = if expected.is_public_cloud { at(Application::AdminPortals)? } else { mail };
        (!agree(person, mail, portals)).then(|| person.disagrees(&in_words(mail, portals)))
    };
    asked.iter().filter_map(one).collect()
}

/// Whether the judge knows everything that decides the posture of this person.
fn is_comparable(person: &ExpectedSignIn, expected: &ExpectedSignIns) -> bool {
    let Read::Known(methods) = person.facts.methods else { return false };
    // The judge refuses a disabled account first, and knows no certificates and no other provider of calls.
    let ends = Delivery::MICROSOFT.ends.is_some_and(|end| expected.today >= end);
    person.account.enabled
        && !person.account.homed_elsewhere
        && !methods.kinds.has(MethodKind::Certificate)
        && (expected.delivery == Delivery::MICROSOFT || !ends)
        && person.posture != Posture::Unknown
}

/// Whether the results of two sign-ins, to mail and to the admin portals, are those of the posture.
fn agree(person: &ExpectedSignIn, mail: Verdict, portals: Verdict) -> bool {
    let bound =
        [MethodKind::WindowsHello, MethodKind::PlatformCredential, MethodKind::TemporaryAccessPass];
    // Such a method lets its owner sign in, and does not prevent another person from registering a method.
    let is_bound = |methods: &Methods| bound.iter().any(|kind| methods.kinds.has(*kind));
    let has_bound = person.facts.methods.known().is_some_and(is_bound);
    match person.posture {
        Posture::Protected => (mail, portals) == (Verdict::Ok, Verdict::Ok),
        Posture::Open => portals == Verdict::MustRegister || has_bound && portals == Verdict::Ok,
        Posture::Stuck => portals == Verdict::Blocked,
        Posture::Unprotected => {
            mail == Verdict::PasswordOnly && matches!(portals, Verdict::PasswordOnly | Verdict::Ok)
        }
        Posture::Unknown => true,
    }
}

fn in_words(mail: Verdict, portals: Verdict) -> String {
    let words = |verdict| match verdict {
        Verdict::Ok => "succeeds with a second factor",
        Verdict::MustRegister => "makes the user register a method",
        Verdict::Blocked => "is blocked",
        Verdict::PasswordOnly => "succeeds with the password alone",
        Verdict::Elsewhere => "is decided in another system",
    };
    match mail == portals {
        true => format!("a sign-in {}", words(mail)),
        false => format!(
            "a sign-in to mail {}, and one to the admin portals {}",
            words(mail),
            words(portals)
        ),
    }
}

/// The invented tenant, with the people as they are after an apply.
fn seed(expected: &ExpectedSignIns, people: &[&ExpectedSignIn]) -> Seed {
    let domain = |person: &&ExpectedSignIn| domain_of(&person.name).map(Cow::into_owned);
    let mut domains: Vec<String> = people.iter().filter_map(domain).collect();
    domains.sort_unstable();
    domains.dedup();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    let assignments = people.iter().flat_map(|person| {
        let id = person.id.to_string();
        person.roles.iter().map(move |role| {
            document(json!({ "principalId": id, "roleDefinitionId": role.to_string() }))
        })
    });
    let tenant = TenantDocuments {
        id: TENANT,
        display_name: String::new(),
        domains: managed_domains(&domains),
        federation: BTreeMap::new(),
        authentication_methods_policy: every_method_allowed(),
        conditional_access: Vec::new(),
        authentication_strengths: Vec::new(),
        security_defaults: document(json!({ "isEnabled": expected.has_security_defaults })),
        role_definitions: Vec::new(),
        role_assignments: assignments.collect(),
        role_eligibility: Vec::new(),
        group_eligibility: Vec::new(),
    };
    Seed {
        name: String::new(),
        today: expected.today,
        tenant,
        users: people.iter().map(|person| record(person)).collect(),
        groups: Vec::new(),
        generated: None,
    }
}

fn record(person: &ExpectedSignIn) -> UserRecord {
    let Facts { methods, state, .. } = person.facts;
    let user = json!({
        "id": person.id.to_string(),
        "userPrincipalName": person.name,
        "userType": if person.account.guest { "Guest" } else { "Member" },
        "accountEnabled": person.account.enabled,
    });
    let state = state.known().map(|state| state.as_str());
    UserRecord {
        user: document(user),
        methods: methods.known().map(registered).unwrap_or_default(),
        requirements: document(json!({ "perUserMfaState": state })),
        sign_in_preferences: Document::new(),
    }
}

fn registered(methods: &Methods) -> Vec<Document> {
    let one = |kind: MethodKind| {
        let (name, rest) = match kind {
            MethodKind::MobilePhone => ("phone", phone("mobile", methods.mobile)),
            MethodKind::AlternateMobilePhone => {
                ("phone", phone("alternateMobile", methods.alternate_mobile))
            }
            MethodKind::OfficePhone => ("phone", phone("office", methods.office)),
            MethodKind::Authenticator => ("microsoftAuthenticator", json!({})),
            MethodKind::SoftwareOath => ("softwareOath", json!({})),
            MethodKind::HardwareOath => ("hardwareOath", json!({})),
            MethodKind::Passkey => ("fido2", json!({})),
            MethodKind::External => ("external", json!({ "configurationId": EXTERNAL_METHOD })),
            MethodKind::WindowsHello => ("windowsHelloForBusiness", json!({})),
            MethodKind::PlatformCredential => ("platformCredential", json!({})),
            MethodKind::TemporaryAccessPass => ("temporaryAccessPass", json!({ "isUsable": true })),
            MethodKind::Email => ("email", json!({})),
            MethodKind::QrCodePin => ("qrCodePin", json!({})),
            MethodKind::Password | MethodKind::Certificate | MethodKind::Unrecognised => {
                return None;
            }
        };
        let mut method = document(rest);
        let kind = format!("#microsoft.graph.{name}AuthenticationMethod");
        method.insert("@odata.type".to_owned(), kind.into());
        Some(method)
    };
    methods.kinds.iter().filter_map(one).collect()
}

/// A registered phone. The number stays in this process.
fn phone(kind: &str, phone: Phone) -> Value {
    let number = match phone {
        Phone::Number(number) => number.expose_for_graph(),
        Phone::None | Phone::Undialable | Phone::Masked => "0".to_owned(),
    };
    json!({ "phoneType": kind, "phoneNumber": number })
}

fn every_method_allowed() -> Document {
    let one = |id: &str| {
        json!({
            "id": id, "state": "enabled", "isOfficePhoneAllowed": true, "excludeTargets": [],
            "includeTargets": [{ "id": "all_users", "authenticationMode": "any" }],
        })
    };
    let all = [
        "Sms",
        "Voice",
        "MicrosoftAuthenticator",
        "Fido2",
        "SoftwareOath",
        "HardwareOath",
        "TemporaryAccessPass",
        EXTERNAL_METHOD,
    ];
    document(json!({
        "policyMigrationState": "migrationComplete",
        "authenticationMethodConfigurations": all.map(one),
    }))
}

fn document(literal: Value) -> Document {
    match literal {
        Value::Object(members) => members,
        _ => Document::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::id::UserId;
    use crate::number::{Extension, PhoneNumber};
    use crate::source::{FileId, Origin, Sources, Span};
    use crate::tenant::directory::Account;
    use crate::tenant::facts::{Kinds, MfaState};

    fn origin() -> Origin {
        let file: FileId = Sources::default().add("a.yaml", "");
        Origin { file, span: Span::default() }
    }

    fn person(state: MfaState, kinds: &[MethodKind], posture: Posture) -> ExpectedSignIn {
        let kinds: Kinds = kinds.iter().copied().collect();
        let facts = Facts {
            methods: Read::Known(Methods { kinds, ..Methods::default() }),
            state: Read::Known(state),
            ..Facts::NOT_READ
        };
        ExpectedSignIn {
            key: "anna".to_owned(),
            id: UserId::from_uuid(Uuid::from_u128(7)),
            name: "anna@people.example".to_owned(),
            account: Account { enabled: true, ..Account::default() },
            roles: BTreeSet::new(),
            facts,
            posture,
            origin: origin(),
        }
    }

    fn expected(people: Vec<ExpectedSignIn>) -> ExpectedSignIns {
        ExpectedSignIns {
            today: date(2026, 11, 22),
            has_security_defaults: false,
            is_public_cloud: true,
            delivery: Delivery::MICROSOFT,
            people,
        }
    }

    #[test]
    fn only_the_right_posture_agrees_with_the_judge() {
        for (state, kinds, right) in [
            (MfaState::Enforced, &[MethodKind::Passkey][..], Posture::Protected),
            (MfaState::Enforced, &[MethodKind::Authenticator], Posture::Protected),
            (MfaState::Enforced, &[MethodKind::External], Posture::Protected),
            (MfaState::Enabled, &[MethodKind::HardwareOath], Posture::Protected),
            (MfaState::Enabled, &[], Posture::Open),
            (MfaState::Enabled, &[MethodKind::Email], Posture::Open),
            (MfaState::Disabled, &[MethodKind::Passkey], Posture::Unprotected),
        ] {
            for posture in Posture::ALL {
                let all = expected(vec![person(state, kinds, posture)]);
                let agrees = disagreements(&all).is_empty();
                let is_right = posture == right || posture == Posture::Unknown;
                assert_eq!(agrees, is_right, "{state} {kinds:?} {posture:?}");
            }
        }
    }

    #[test]
    fn method_bound_to_its_owner_may_sign_in_to_an_open_account() {
        for kind in [MethodKind::WindowsHello, MethodKind::TemporaryAccessPass] {
            let open = person(MfaState::Enabled, &[kind], Posture::Open);
            assert!(disagreements(&expected(vec![open])).is_empty(), "{kind:?}");
            let stuck = person(MfaState::Enabled, &[kind], Posture::Stuck);
            assert_eq!(disagreements(&expected(vec![stuck])).len(), 1, "{kind:?}");
        }
    }

    #[test]
    fn disagreement_says_what_a_sign_in_ends_in() {
        let all = expected(vec![person(MfaState::Enabled, &[], Posture::Protected)]);
        let findings = disagreements(&all);
        assert_eq!(
            findings.first().map(|finding| finding.message.as_str()),
            Some(
                "`anna`: the plan ends in the posture `protected`, but in the sandbox a sign-in makes \
                 the user register a method"
            )
        );
    }

    #[test]
    fn fixed_line_as_a_mobile_phone_takes_calls_in_both_judgements() {
        let read = PhoneNumber::read("+31 20 5551234", None, Extension::Refused);
        let mut one = person(MfaState::Enabled, &[], Posture::Protected);
        let methods = Methods::default()
            .with_phone(MethodKind::MobilePhone, Phone::Number(read.expect("a number")));
        one.facts.methods = Read::Known(methods);
        assert!(disagreements(&expected(vec![one])).is_empty());
        let mut one = person(MfaState::Enabled, &[], Posture::Stuck);
        let methods = Methods::default().with_phone(MethodKind::MobilePhone, Phone::Undialable);
        one.facts.methods = Read::Known(methods);
        assert!(disagreements(&expected(vec![one])).is_empty());
    }
}
