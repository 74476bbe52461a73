//! A builder for the users of the seeds. It creates their documents.
//!
//! By default, a user has the properties of a new cloud account in the Netherlands.
//!
//! Not here: the individual users (`exchangelabs/people`, `generated`).

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ids::{DOMAIN, EXTERNAL_METHOD, INITIAL_DOMAIN, id_of};
use crate::records::{Document, UserRecord, document};

const PASSWORD_ID: &str = "28c10230-6103-485e-b985-444c60001490";
const EMAIL_ID: &str = "3ddfcfc8-9383-446f-83cc-3ab9be4be18f";
const MOBILE_ID: &str = "3179e48a-750b-4051-897c-87b9720928f7";
const ALTERNATE_ID: &str = "b6332ec1-7057-4abe-9331-3d72feddfe41";
const OFFICE_ID: &str = "e37fc753-ff3b-4958-9484-eaa9425c82bc";
const ENTRA_P1: &str = "41781fb2-bc02-4b7c-bd55-b576c07bb09d";

const EXTENSION_ATTRIBUTES: [&str; 15] = [
    "extensionAttribute1",
    "extensionAttribute2",
    "extensionAttribute3",
    "extensionAttribute4",
    "extensionAttribute5",
    "extensionAttribute6",
    "extensionAttribute7",
    "extensionAttribute8",
    "extensionAttribute9",
    "extensionAttribute10",
    "extensionAttribute11",
    "extensionAttribute12",
    "extensionAttribute13",
    "extensionAttribute14",
    "extensionAttribute15",
];

/// A user that is being built.
#[derive(Debug, Clone)]
pub(super) struct Person {
    id: Uuid,
    user: Document,
    methods: Vec<Document>,
    state: &'static str,
    preferred: Option<&'static str>,
}

/// A user at the default domain, with a password and no other method.
pub(super) fn person(local: &str, display_name: &str) -> Person {
    account(&format!("{local}@{DOMAIN}"), display_name)
}

/// A guest from another tenant. The principal name is made from the name in the home tenant.
pub(super) fn guest(local: &str, home: &str, display_name: &str) -> Person {
    let name = format!("{local}_{home}#EXT#@{}", INITIAL_DOMAIN);
    account(&name, display_name)
        .kind("Guest")
        .without_location()
        .with("mail", format!("{local}@{home}"))
        .with("creationType", "Invitation")
        .with("externalUserState", "Accepted")
        .with("assignedLicenses", json!([]))
        .with("assignedPlans", json!([]))
}

/// The documents of a new account. They are built once and copied, because generated users are made by
/// the million and a copy is several times cheaper.
static BLANK: LazyLock<(Document, Document)> = LazyLock::new(|| {
    let extension_attributes: Document =
        EXTENSION_ATTRIBUTES.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let plan = json!({
        "assignedDateTime": "2024-01-15T09:00:00Z",
        "capabilityStatus": "Enabled",
        "service": "AADPremiumService",
        "servicePlanId": ENTRA_P1
    });
    let user = document(json!({
        "id": null,
        "accountEnabled": true,
        "assignedLicenses": [{"disabledPlans": [], "skuId": "078d2b04-f1bd-4111-bbd4-b4b1b354cef4"}],
        "assignedPlans": [plan],
        "businessPhones": [],
        "companyName": null,
        "country": null,
        "createdDateTime": "2021-03-01T08:00:00Z",
        "creationType": null,
        "department": null,
        "displayName": null,
        "employeeHireDate": null,
        "employeeId": null,
        "employeeType": null,
        "externalUserState": null,
        "givenName": null,
        "jobTitle": null,
        "mail": null,
        "mailNickname": null,
        "mobilePhone": null,
        "officeLocation": null,
        "onPremisesDomainName": null,
        "onPremisesExtensionAttributes": extension_attributes,
        "onPremisesImmutableId": null,
        "onPremisesLastSyncDateTime": null,
        "onPremisesSamAccountName": null,
        "onPremisesSyncEnabled": null,
        "otherMails": [],
        "preferredLanguage": null,
        "surname": null,
        "usageLocation": "NL",
        "userPrincipalName": null,
        "userType": "Member"
    }));
    let password =
        method("password", PASSWORD_ID, "2021-03-01T08:00:00Z", json!({"password": null}));
    (user, password)
});

pub(super) fn account(upn: &str, display_name: &str) -> Person {
    let (given_name, surname) = match display_name.split_once(' ') {
        Some((given, rest)) => (Value::from(given), Value::from(rest)),
        None => (Value::Null, Value::Null),
    };
    let nickname = upn.split('@').next().unwrap_or(upn).replace("#EXT#", "");
    let (user, password) = BLANK.clone();
    let person = Person {
        id: Uuid::nil(),
        user,
        methods: vec![password],
        state: "disabled",
        preferred: None,
    };
    person
        .identified(id_of(upn))
        .with("displayName", display_name)
        .with("givenName", given_name)
        .with("surname", surname)
        .with("mail", upn)
        .with("mailNickname", nickname)
        .with("userPrincipalName", upn)
}

fn method(kind: &str, id: &str, created: &str, rest: Value) -> Document {
    let mut method = document(json!({
        "@odata.type": format!("#microsoft.graph.{kind}AuthenticationMethod"),
        "id": id,
        "createdDateTime": created
    }));
    method.extend(document(rest));
    method
}

impl Person {
    /// Sets a property of the user that has no function of its own.
    pub(super) fn with(mut self, property: &str, value: impl Into<Value>) -> Self {
        match self.user.get_mut(property) {
            Some(known) => *known = value.into(),
            // A mistake in a seed. Tests find it, because they build all users.
            None => debug_assert!(false, "no such property of a user: {property}"),
        }
        self
    }

    pub(super) fn identified(mut self, id: Uuid) -> Self {
        self.id = id;
        self.with("id", id.to_string())
    }

    pub(super) fn department(self, department: &str) -> Self {
        self.with("department", department)
    }

    /// The country of numbers in national form.
    pub(super) fn location(self, country: &str) -> Self {
        self.with("usageLocation", country)
    }

    pub(super) fn without_location(self) -> Self {
        self.with("usageLocation", Value::Null)
    }

    pub(super) fn kind(self, user_type: &str) -> Self {
        self.with("userType", user_type)
    }

    /// `mobilePhone` of the directory, in any format.
    pub(super) fn mobile(self, number: &str) -> Self {
        self.with("mobilePhone", number)
    }

    /// `businessPhones` of the directory.
    pub(super) fn desk(self, number: &str) -> Self {
        self.with("businessPhones", json!([number]))
    }

    pub(super) fn sign_in_off(self) -> Self {
        self.with("accountEnabled", false)
    }

    pub(super) fn unlicensed(self) -> Self {
        self.with("assignedLicenses", json!([])).with("assignedPlans", json!([]))
    }

    /// Synchronised from the domain on premises: only that domain can change the synchronised
    /// attributes.
    pub(super) fn synced(self) -> Self {
        let anchor = BASE64.encode(self.id.to_bytes_le());
        let nickname = self.user.get("mailNickname").cloned().unwrap_or_default();
        self.with("onPremisesSyncEnabled", true)
            .with("onPremisesImmutableId", anchor)
            .with("onPremisesDomainName", format!("corp.{DOMAIN}"))
            .with("onPremisesSamAccountName", nickname)
            .with("onPremisesLastSyncDateTime", "2026-11-22T06:30:00Z")
    }

    /// The per-user MFA state.
    pub(super) fn state(mut self, state: &'static str) -> Self {
        self.state = state;
        self
    }

    fn method(mut self, method: Document, preferred: Option<&'static str>) -> Self {
        self.methods.push(method);
        // The first method that can be the default becomes the default.
        self.preferred = self.preferred.or(preferred);
        self
    }

    /// An id for a method of a kind that a user can have several times.
    fn method_id(&self, kind: &str) -> String {
        id_of(&format!("{}/{kind}/{}", self.id, self.methods.len())).to_string()
    }

    pub(super) fn registered_mobile(self, number: &str) -> Self {
        self.registered_mobile_on(number, "2024-05-13T09:12:00Z")
    }

    pub(super) fn registered_mobile_on(self, number: &str, created: &str) -> Self {
        let rest = json!({"phoneNumber": number, "phoneType": "mobile", "smsSignInState": "notAllowedByPolicy"});
        self.method(method("phone", MOBILE_ID, created, rest), Some("sms"))
    }

    pub(super) fn registered_alternate(self, number: &str) -> Self {
        let rest = json!({"phoneNumber": number, "phoneType": "alternateMobile", "smsSignInState": "notSupported"});
        let phone = method("phone", ALTERNATE_ID, "2024-05-13T09:15:00Z", rest);
        self.method(phone, Some("voiceAlternateMobile"))
    }

    pub(super) fn registered_office(self, number: &str) -> Self {
        let rest =
            json!({"phoneNumber": number, "phoneType": "office", "smsSignInState": "notSupported"});
        let phone = method("phone", OFFICE_ID, "2023-09-04T07:40:00Z", rest);
        self.method(phone, Some("voiceOffice"))
    }

    pub(super) fn authenticator(self, phone: &str) -> Self {
        let rest = json!({"displayName": phone, "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": "6.2511.7533", "device": null});
        let id = self.method_id("authenticator");
        self.method(
            method("microsoftAuthenticator", &id, "2024-10-02T11:30:00Z", rest),
            Some("push"),
        )
    }

    pub(super) fn software_oath(self) -> Self {
        let id = self.method_id("softwareOath");
        let token = method("softwareOath", &id, "2023-11-20T14:05:00Z", json!({"secretKey": null}));
        self.method(token, Some("oath"))
    }

    pub(super) fn passkey(self, key: &str) -> Self {
        let rest = json!({
            "displayName": key,
            "aaGuid": "2fc0579f-8113-47ea-b116-bb5a8db9202a",
            "model": key,
            "attestationCertificates": [],
            "attestationLevel": "attested",
            "passkeyType": "deviceBound"
        });
        let id = self.method_id("fido2");
        self.method(method("fido2", &id, "2025-02-17T10:00:00Z", rest), None)
    }

    pub(super) fn windows_hello(self, device: &str) -> Self {
        let rest = json!({"displayName": device, "keyStrength": "normal"});
        let id = self.method_id("windowsHello");
        self.method(method("windowsHelloForBusiness", &id, "2025-04-08T08:20:00Z", rest), None)
    }

    pub(super) fn platform_credential(self, device: &str) -> Self {
        let rest = json!({"displayName": device, "keyStrength": "normal", "platform": "macOS"});
        let id = self.method_id("platformCredential");
        self.method(method("platformCredential", &id, "2025-06-23T08:20:00Z", rest), None)
    }

    /// Issued this morning, valid for the working day.
    pub(super) fn temporary_access_pass(self) -> Self {
        let rest = json!({
            "isUsable": true,
            "isUsableOnce": false,
            "lifetimeInMinutes": 480,
            "methodUsabilityReason": "EnabledByPolicy",
            "startDateTime": "2026-11-22T07:00:00Z",
            "temporaryAccessPass": null
        });
        let id = self.method_id("temporaryAccessPass");
        self.method(method("temporaryAccessPass", &id, "2026-11-22T07:00:00Z", rest), None)
    }

    pub(super) fn external_method(self) -> Self {
        let rest = json!({"configurationId": EXTERNAL_METHOD, "displayName": "Contoso ID"});
        let id = self.method_id("external");
        self.method(method("external", &id, "2025-09-01T12:00:00Z", rest), None)
    }

    /// Usable only for a password reset.
    pub(super) fn email_method(self, address: &str) -> Self {
        let rest = json!({"emailAddress": address});
        self.method(method("email", EMAIL_ID, "2022-06-14T16:45:00Z", rest), None)
    }

    pub(super) fn record(self) -> UserRecord {
        UserRecord {
            user: self.user,
            methods: self.methods,
            requirements: document(json!({"perUserMfaState": self.state})),
            sign_in_preferences: document(json!({
                "isSystemPreferredAuthenticationMethodEnabled": true,
                "userPreferredMethodForSecondaryAuthentication": self.preferred
            })),
        }
    }
}
