//! Tests of methods, phones, states and preferences.

use serde_json::{Value, json};

use super::*;

const MOBILE: &str = "3179e48a-750b-4051-897c-87b9720928f7";
const PHONES: &str = "/users/bob@x.nl/authentication/phoneMethods";
const STATE: &str = "/users/bob@x.nl/authentication/requirements";
const PREFERENCES: &str = "/users/bob@x.nl/authentication/signInPreferences";

fn invalid() -> (u16, String) {
    (400, "invalidRequest".to_owned())
}

fn phone(kind: &str, number: &str) -> Value {
    json!({"phoneType": kind, "phoneNumber": number})
}

#[test]
fn each_type_of_phone_is_registered_at_most_once() {
    let tenant = Tenant::new();
    assert_eq!(refusal(tenant.post(PHONES, phone("alternateMobile", "+31 612345679"))), invalid());
    let (status, body) = tenant.post(PHONES, phone("mobile", "+31 612345678"));
    assert_eq!((status, body["id"].as_str()), (201, Some(MOBILE)));
    assert_eq!(body["smsSignInState"], "ready");
    assert_eq!(refusal(tenant.post(PHONES, phone("mobile", "+31 612345679"))), invalid());
    assert_eq!(tenant.post(PHONES, phone("alternateMobile", "+31 612345679")).0, 201);
    assert_eq!(tenant.post(PHONES, phone("office", "+31 201234567x12")).0, 201);
    assert_eq!(tenant.get(PHONES).1["value"].as_array().unwrap().len(), 3);
    let methods = tenant.get("/v1.0/users/bob@x.nl/authentication/methods").1;
    assert_eq!(methods["value"].as_array().unwrap().len(), 4);
}

#[test]
fn invalid_bodies_and_options_are_refused() {
    let tenant = Tenant::new();
    for body in [
        phone("mobile", "+31612345678"),
        phone("fax", "+31 612345678"),
        json!({}),
        json!({"phoneType": "mobile"}),
        json!({"phoneNumber": "+31 612345678"}),
        json!({"phoneType": "mobile", "phoneNumber": "+31 612345678", "x": 1}),
    ] {
        assert_eq!(refusal(tenant.post(PHONES, body)), invalid());
    }
    assert_eq!(refusal(tenant.get(&format!("{PHONES}?$select=id"))), invalid());
    assert_eq!(refusal(tenant.get("/users/bob@x.nl/authentication/methods?$top=1")), invalid());
    assert_eq!(
        refusal(tenant.get("/users/no@x.nl/authentication/methods")),
        (404, "resourceNotFound".to_owned())
    );
    assert!(tenant.service.store().writes().is_empty());
}

#[test]
fn phone_number_can_change_but_phone_type_cannot() {
    let tenant = Tenant::new();
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    let one = format!("{PHONES}/{MOBILE}");
    assert_eq!(tenant.patch(&one, phone("mobile", "+31 612345679")).0, 204);
    assert_eq!(tenant.get(&one).1["phoneNumber"], "+31 612345679");
    assert_eq!(refusal(tenant.patch(&one, phone("office", "+31 612345679"))), invalid());
    let absent = format!("{PHONES}/e37fc753-ff3b-4958-9484-eaa9425c82bc");
    assert_eq!(tenant.patch(&absent, phone("office", "+31 612345679")).0, 404);
}

#[test]
fn mobile_with_an_alternate_and_default_phone_cannot_be_deleted() {
    let tenant = Tenant::new();
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    tenant.post(PHONES, phone("alternateMobile", "+31 612345679"));
    let mobile = format!("{PHONES}/{MOBILE}");
    let alternate = format!("{PHONES}/b6332ec1-7057-4abe-9331-3d72feddfe41");
    assert_eq!(refusal(tenant.delete(&mobile)), invalid());
    assert_eq!(tenant.delete(&alternate).0, 204);
    let default = |word: &str| json!({"userPreferredMethodForSecondaryAuthentication": word});
    assert_eq!(refusal(tenant.patch(PREFERENCES, default("push"))), invalid());
    assert_eq!(refusal(tenant.patch(PREFERENCES, default("pigeon"))), invalid());
    assert_eq!(tenant.patch(PREFERENCES, default("sms")).0, 204);
    // Add another method, because the default can be deleted as the last one.
    assert_eq!(tenant.post(PHONES, phone("office", "+31 201234567")).0, 201);
    assert_eq!(refusal(tenant.delete(&mobile)), invalid());
    let preferences = tenant.get(PREFERENCES).1;
    assert_eq!(preferences["userPreferredMethodForSecondaryAuthentication"], "sms");
    assert_eq!(preferences["isSystemPreferredAuthenticationMethodEnabled"], true);
}

#[test]
fn enabled_becomes_enforced_if_a_method_is_registered() {
    let tenant = Tenant::new();
    let set = |state: &str| tenant.patch(STATE, json!({"perUserMfaState": state}));
    let state = || tenant.get(STATE).1["perUserMfaState"].clone();
    assert_eq!(set("enabled").0, 204);
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    assert_eq!(state(), "enabled", "a phone added by an administrator promotes nothing");
    assert_eq!(set("enabled").0, 204);
    assert_eq!(state(), "enforced");
    assert_eq!(set("disabled").0, 204);
    assert_eq!(state(), "disabled");
    assert_eq!(refusal(set("on")), invalid());
    assert_eq!(refusal(tenant.patch(STATE, json!({"x": 1}))), invalid());
}

#[test]
fn number_is_used_for_sms_sign_in_by_one_user_only() {
    let tenant = Tenant::new();
    let ann = "/users/ann@x.nl/authentication/phoneMethods";
    let (_, body) = tenant.post(ann, phone("mobile", "+31 612345678"));
    assert_eq!(body["smsSignInState"], "notAllowedByPolicy");
    let link = json!({"@odata.id": format!("http://h/v1.0/directoryObjects/{ANN}")});
    tenant.post(&format!("/groups/{STAFF}/members/$ref"), link);
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    let one = format!("{ann}/{MOBILE}");
    tenant.patch(&one, phone("mobile", "+31 612345678"));
    assert_eq!(tenant.get(&one).1["smsSignInState"], "phoneNumberNotUnique");
    tenant.delete(&format!("{PHONES}/{MOBILE}"));
    tenant.patch(&one, phone("mobile", "+31 612345678"));
    assert_eq!(tenant.get(&one).1["smsSignInState"], "ready");
}

#[test]
fn sms_sign_in_is_switched_on_the_path_of_each_version() {
    let tenant = Tenant::new();
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    tenant.post(PHONES, phone("office", "+31 201234567x12"));
    let one = format!("{PHONES}/{MOBILE}");
    let beta = format!("/users/bob@x.nl/authentication/methods/{MOBILE}");
    let switch = |target: &str, action: &str| {
        status_and_body(tenant.call(Method::POST, &format!("{target}/{action}"), None))
    };
    let state = || tenant.get(&one).1["smsSignInState"].clone();
    assert_eq!(switch(&beta, "disableSmsSignIn").0, 204);
    assert_eq!(state(), "notEnabled");
    assert_eq!(switch(&format!("/v1.0{one}"), "enableSmsSignIn").0, 204);
    assert_eq!(state(), "ready");
    assert_eq!(switch(&one, "enableSmsSignIn").0, 400, "not in beta");
    assert_eq!(switch(&format!("/v1.0{beta}"), "enableSmsSignIn").0, 400, "not in v1.0");
    let office = "/users/bob@x.nl/authentication/methods/e37fc753-ff3b-4958-9484-eaa9425c82bc";
    assert_eq!(refusal(switch(office, "enableSmsSignIn")), invalid());
    let ann = format!("/users/ann@x.nl/authentication/phoneMethods/{MOBILE}");
    tenant.post("/users/ann@x.nl/authentication/phoneMethods", phone("mobile", "+31 612345670"));
    assert_eq!(tenant.get(&ann).1["smsSignInState"], "notAllowedByPolicy");
    assert_eq!(refusal(switch(&format!("/v1.0{ann}"), "enableSmsSignIn")), invalid());
}

#[test]
fn only_an_office_phone_has_an_extension() {
    let tenant = Tenant::new();
    assert_eq!(refusal(tenant.post(PHONES, phone("mobile", "+31 612345678x1"))), invalid());
    assert_eq!(tenant.post(PHONES, phone("office", "+31 201234567x1")).0, 201);
}

#[test]
fn default_phone_must_be_registered_and_cannot_be_deleted() {
    for (word, kind) in [
        ("voiceMobile", "mobile"),
        ("voiceAlternateMobile", "alternateMobile"),
        ("voiceOffice", "office"),
    ] {
        let tenant = Tenant::new();
        let preference = json!({"userPreferredMethodForSecondaryAuthentication": word});
        assert_eq!(refusal(tenant.patch(PREFERENCES, preference.clone())), invalid(), "{word}");
        tenant.post(PHONES, phone("mobile", "+31 612345678"));
        let number = if kind == "office" { "+31 201234567" } else { "+31 612345679" };
        let made = tenant.post(PHONES, phone(kind, number));
        let id = if kind == "mobile" { json!(MOBILE) } else { made.1["id"].clone() };
        let one = format!("{PHONES}/{}", id.as_str().unwrap());
        assert_eq!(tenant.patch(PREFERENCES, preference).0, 204, "{word}");
        if kind == "mobile" {
            // Add another method, because the default can be deleted as the last one.
            let other = phone("office", "+31 201234567");
            assert_eq!(tenant.post(PHONES, other).0, 201);
        }
        assert_eq!(refusal(tenant.delete(&one)), invalid(), "{word}");
    }
}

/// "Cannot delete default method with other methods configured": without others it can be deleted.
#[test]
fn deleting_the_last_method_clears_the_default() {
    let tenant = Tenant::new();
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    let preference = json!({"userPreferredMethodForSecondaryAuthentication": "sms"});
    assert_eq!(tenant.patch(PREFERENCES, preference).0, 204);
    assert_eq!(tenant.delete(&format!("{PHONES}/{MOBILE}")).0, 204);
    let preferences = tenant.get(PREFERENCES).1;
    assert!(preferences["userPreferredMethodForSecondaryAuthentication"].is_null());
}

#[test]
fn beta_only_paths_are_unknown_in_v1() {
    let tenant = Tenant::new();
    for path in ["requirements", "signInPreferences", "hardwareOathMethods"] {
        let beta = format!("/users/bob@x.nl/authentication/{path}");
        assert_eq!(tenant.get(&beta).0, 200, "{path}");
        let refused = refusal(tenant.get(&format!("/v1.0{beta}")));
        assert_eq!(refused, (400, "BadRequest".to_owned()), "{path}");
    }
    let system = json!({"isSystemPreferredAuthenticationMethodEnabled": false});
    assert_eq!(tenant.patch(PREFERENCES, system).0, 204);
    let preferences = tenant.get(PREFERENCES).1;
    assert_eq!(preferences["isSystemPreferredAuthenticationMethodEnabled"], false);
}

#[test]
fn methods_except_the_password_can_be_deleted() {
    let mut seed = seed();
    let id = Uuid::from_u128(0xc1);
    let authenticator = json!({"id": id,
        "@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod"});
    seed.users[1].methods.push(document(authenticator));
    seed.users[1]
        .sign_in_preferences
        .insert("userPreferredMethodForSecondaryAuthentication".to_owned(), json!("push"));
    let tenant = Tenant::of(seed);
    let password =
        "/users/bob@x.nl/authentication/passwordMethods/28c10230-6103-485e-b985-444c60001490";
    assert_eq!(tenant.delete(password).0, 405);
    let typed = format!("/users/bob@x.nl/authentication/microsoftAuthenticatorMethods/{id}");
    assert_eq!(tenant.delete(&format!("/users/bob@x.nl/authentication/methods/{id}")).0, 405);
    assert_eq!(tenant.delete(&typed).0, 204);
    assert_eq!(tenant.delete(&typed).0, 404);
    let preferences = tenant.get(PREFERENCES).1;
    assert_eq!(preferences["userPreferredMethodForSecondaryAuthentication"], Value::Null);
}

#[test]
fn report_lists_kinds_but_no_numbers() {
    let tenant = Tenant::new();
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    let report = "/v1.0/reports/authenticationMethods/userRegistrationDetails";
    let (status, body) = tenant.get(&format!("{report}?$filter=isMfaRegistered eq true"));
    assert_eq!(status, 200);
    assert_eq!(column(&body, "userPrincipalName"), ["bob@x.nl"]);
    assert_eq!(body["value"][0]["methodsRegistered"], json!(["mobilePhone"]));
    assert!(!body.to_string().contains("612345678"));
    let (_, ann) = tenant.get(&format!("{report}/{ANN}"));
    assert_eq!((&ann["isAdmin"], &ann["isMfaCapable"]), (&json!(true), &json!(false)));
    tenant.patch("/users/bob@x.nl", json!({"accountEnabled": false}));
    assert_eq!(column(&tenant.get(report).1, "userPrincipalName"), ["ann@x.nl"]);
    assert_eq!(tenant.get(&format!("{report}/{BOB}")).0, 404);
}

#[test]
fn any_prefix_of_the_writes_can_be_replayed() {
    let tenant = Tenant::new();
    tenant.post(PHONES, phone("mobile", "+31 612345678"));
    tenant.patch(STATE, json!({"perUserMfaState": "enabled"}));
    tenant.delete("/users/ann@x.nl");
    let store = tenant.service.store().clone();
    let text = serde_json::to_string(store.writes()).unwrap();
    let writes: Vec<super::super::WriteLogLine> = serde_json::from_str(&text).unwrap();
    let bob = |store: &Store| store.user("bob@x.nl").unwrap().into_owned();
    assert_eq!(bob(&Store::replay(seed(), &[])).methods.len(), 1);
    let first = Store::replay(seed(), &writes[..1]);
    assert_eq!(bob(&first).methods.len(), 2);
    assert_eq!(bob(&first).requirements["perUserMfaState"], "disabled");
    let second = store.after(2);
    assert_eq!(bob(&second).requirements["perUserMfaState"], "enforced");
    assert!(second.judge("ann@x.nl").is_some());
    assert!(Store::replay(seed(), &writes).judge("ann@x.nl").is_none());
    assert_eq!(store.users().count(), 1);
}
