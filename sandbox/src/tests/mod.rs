//! Tests of the tenant as its clients see it: calls directly to the service, and a few over HTTP.

mod access;
mod batches;
mod directory;
mod domains;
mod faults;
mod folders;
mod http;
mod late;
mod modules;
mod quotas;
mod registration;
mod roles;
mod tls;

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Options;
use super::clock::Clock;
use super::faults::Faults;
use super::records::{Document, GroupRecord, Seed, TenantDocuments, UserRecord, managed_domains};
use super::service::Service;
use crate::graph::answer::{Answer, Body};
use crate::graph::call::{Call, Payload, Version};
use crate::rules::late::Lateness;
use crate::state::folder::Ledger;
use crate::state::store::Store;

/// The ids of the users and groups in `seed`.
pub(crate) const ANN: Uuid = Uuid::from_u128(0xa1);
pub(crate) const BOB: Uuid = Uuid::from_u128(0xa2);
pub(crate) const STAFF: Uuid = Uuid::from_u128(0xb1);
pub(crate) const ALL: Uuid = Uuid::from_u128(0xb2);
pub(crate) const DYNAMIC: Uuid = Uuid::from_u128(0xb3);

pub(crate) fn document(value: Value) -> Document {
    value.as_object().unwrap().clone()
}

/// Ann is synchronised, Bob is not. Bob is in Staff; Staff and Ann are in All.
pub(crate) fn seed() -> Seed {
    let policy = json!({"id": "authenticationMethodsPolicy", "authenticationMethodConfigurations": [
        {"id": "Sms", "state": "enabled", "excludeTargets": [],
         "includeTargets": [{"id": STAFF, "targetType": "group", "isUsableForSignIn": true}]}]});
    let role =
        json!({"id": "ra", "principalId": ANN, "roleDefinitionId": "ga", "directoryScopeId": "/"});
    Seed {
        name: "small".to_owned(),
        today: date(2026, 11, 22),
        tenant: TenantDocuments {
            id: Uuid::from_u128(0x7e),
            display_name: "Small".to_owned(),
            domains: managed_domains(&["x.nl", "x.onmicrosoft.com"]),
            federation: BTreeMap::new(),
            authentication_methods_policy: document(policy),
            conditional_access: Vec::new(),
            authentication_strengths: Vec::new(),
            security_defaults: document(json!({"id": "sd", "isEnabled": false})),
            role_definitions: Vec::new(),
            role_assignments: vec![document(role)],
            role_eligibility: Vec::new(),
            group_eligibility: Vec::new(),
        },
        users: vec![person(ANN, "ann@x.nl", true), person(BOB, "bob@x.nl", false)],
        groups: vec![
            group(ALL, "All of 'us'", json!([]), vec![STAFF, ANN]),
            group(STAFF, "Staff", json!([]), vec![BOB]),
            group(DYNAMIC, "Rule", json!(["DynamicMembership"]), vec![]),
        ],
        generated: None,
    }
}

fn person(id: Uuid, name: &str, synchronised: bool) -> UserRecord {
    UserRecord {
        user: document(json!({"id": id, "userPrincipalName": name, "displayName": name,
            "accountEnabled": true, "userType": "Member", "mobilePhone": "+31612345678",
            "onPremisesSyncEnabled": synchronised.then_some(true)})),
        methods: vec![document(json!({
            "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
            "id": "28c10230-6103-485e-b985-444c60001490"}))],
        requirements: document(json!({"perUserMfaState": "disabled"})),
        sign_in_preferences: document(json!({
            "isSystemPreferredAuthenticationMethodEnabled": true,
            "userPreferredMethodForSecondaryAuthentication": null})),
    }
}

fn group(id: Uuid, name: &str, kinds: Value, members: Vec<Uuid>) -> GroupRecord {
    GroupRecord {
        group: document(json!({"id": id, "displayName": name, "groupTypes": kinds,
            "securityEnabled": true, "mailEnabled": false})),
        members,
        owners: Vec::new(),
        every_generated_user: false,
    }
}

/// A service without HTTP.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) service: Service,
}

impl Tenant {
    pub(crate) fn new() -> Self {
        Self::of(seed())
    }

    pub(crate) fn of(seed: Seed) -> Self {
        Self::with_faults(seed, Faults::none())
    }

    pub(crate) fn with_faults(seed: Seed, faults: Faults) -> Self {
        Self::under(Options { faults, ..Options::in_memory(seed) })
    }

    pub(crate) fn late(seed: Seed, lateness: Lateness, clock: Clock) -> Self {
        Self::under(Options { lateness, clock, ..Options::in_memory(seed) })
    }

    pub(crate) fn under(options: Options) -> Self {
        let (ledger, _) = Ledger::open(None, &options.seed, "http://h").unwrap();
        Self { service: Service::new(Store::new(options.seed.clone()), ledger, &options) }
    }

    pub(crate) fn call(&self, method: Method, target: &str, body: Option<Value>) -> Answer {
        self.service.answer(&call(method, target, body)).unwrap().answer
    }

    /// A GET in beta, with `ConsistencyLevel: eventual`.
    pub(crate) fn indexed(&self, target: &str) -> (u16, Value) {
        let mut call = call(Method::GET, target, None);
        call.eventual = true;
        status_and_body(self.service.answer(&call).unwrap().answer)
    }

    pub(crate) fn get(&self, target: &str) -> (u16, Value) {
        status_and_body(self.call(Method::GET, target, None))
    }

    pub(crate) fn post(&self, target: &str, body: Value) -> (u16, Value) {
        status_and_body(self.call(Method::POST, target, Some(body)))
    }

    pub(crate) fn patch(&self, target: &str, body: Value) -> (u16, Value) {
        status_and_body(self.call(Method::PATCH, target, Some(body)))
    }

    pub(crate) fn delete(&self, target: &str) -> (u16, Value) {
        status_and_body(self.call(Method::DELETE, target, None))
    }
}

/// A call in beta, unless the target begins with `/v1.0`.
pub(crate) fn call(method: Method, target: &str, body: Option<Value>) -> Call {
    let (version, target) = match target.strip_prefix("/v1.0") {
        Some(rest) => (Version::V1, rest),
        None => (Version::Beta, target),
    };
    let mut call = Call::new("http://h", version, method, target);
    call.payload = body.map_or(Payload::Nothing, Payload::Json);
    call
}

pub(crate) fn status_and_body(answer: Answer) -> (u16, Value) {
    let body = match answer.body {
        Body::Empty => Value::Null,
        Body::Json(value) => value,
        Body::Text(text) => Value::String(text),
    };
    (answer.status, body)
}

/// The status and the code of a refusal.
pub(crate) fn refusal((status, body): (u16, Value)) -> (u16, String) {
    let code = body["error"]["code"].as_str().unwrap_or("none").to_owned();
    (status, code)
}

/// The values of one property in all rows.
pub(crate) fn column(body: &Value, name: &str) -> Vec<String> {
    let rows = body["value"].as_array().unwrap();
    rows.iter().map(|row| row[name].as_str().unwrap_or("null").to_owned()).collect()
}
