//! `reports/authenticationMethods/userRegistrationDetails`: the registered methods of each user,
//! without numbers, states or disabled users.
//!
//! Graph documentation (userRegistrationDetails), checked 2026-11. This report is always up to date;
//! the service's report is hours old.
//!
//! Not here: the methods themselves (`methods`).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::graph::call::{Call, Outcome, read};
use crate::graph::odata::page::{Item, page};
use crate::graph::odata::{Query, Takes};
use crate::graph::problem::Problem;
use crate::graph::schema::REGISTRATION;
use crate::records::{Document, UserRecord};
use crate::registration::methods::{answer, is_of};
use crate::registration::preferences::{self, PREFERRED};
use crate::state::store::Store;

const TAKES: &[Takes] = &[Takes::Filter, Takes::OrderBy, Takes::Top];

/// The names of methods in the report. Each type of phone has a name of its own (see `word`).
const WORDS: &[(&str, &str)] = &[
    ("emailAuthenticationMethod", "email"),
    ("microsoftAuthenticatorAuthenticationMethod", "microsoftAuthenticatorPush"),
    ("softwareOathAuthenticationMethod", "softwareOneTimePasscode"),
    ("hardwareOathAuthenticationMethod", "hardwareOneTimePasscode"),
    ("windowsHelloForBusinessAuthenticationMethod", "windowsHelloForBusiness"),
    ("fido2AuthenticationMethod", "fido2SecurityKey"),
    ("temporaryAccessPassAuthenticationMethod", "temporaryAccessPass"),
    ("platformCredentialAuthenticationMethod", "macOsSecureEnclaveKey"),
    ("externalAuthenticationMethod", "externalAuthMethod"),
];

pub(crate) fn list(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let query = Query::parse(call, &REGISTRATION, &[], TAKES)?;
    let items = store.user_positions(query.start()).filter_map(|position| {
        let record = store.user_at(position)?;
        let row: Item<'_> = (position, Cow::Owned(row(store, position, &record)?));
        Some(row)
    });
    let page = page(&query, items, |_, row| row.clone());
    read(page.answer(call, &query, REGISTRATION.set, || 0))
}

pub(crate) fn get(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let position = store.find_user(key).ok_or_else(|| Problem::not_found(key))?;
    let record = store.user_at(position).ok_or_else(|| Problem::not_found(key))?;
    let row = row(store, position, &record).ok_or_else(|| Problem::not_found(key))?;
    read(answer(call, &format!("{}/$entity", REGISTRATION.set), &row))
}

/// Returns the row of a user; `None` for a disabled account.
fn row(store: &Store, position: u64, record: &UserRecord) -> Option<Document> {
    let user = &record.user;
    if user.get("accountEnabled") == Some(&Value::Bool(false)) {
        return None;
    }
    let text = |name: &str| user.get(name).cloned().unwrap_or(Value::Null);
    let guest = user.get("userType").and_then(Value::as_str) == Some("Guest");
    let words: Vec<&str> = record.methods.iter().filter_map(word).collect();
    let registered = record.methods.iter().any(preferences::is_factor);
    let passwordless =
        words.iter().any(|word| ["fido2SecurityKey", "windowsHelloForBusiness"].contains(word));
    let preferences = &record.sign_in_preferences;
    let preferred = preferences.get(PREFERRED).and_then(Value::as_str).unwrap_or("none");
    let system = preferences.get(preferences::SYSTEM_PREFERRED) == Some(&Value::Bool(true));
    Some(Map::from_iter([
        ("id".to_owned(), text("id")),
        ("userPrincipalName".to_owned(), text("userPrincipalName")),
        ("userDisplayName".to_owned(), text("displayName")),
        ("userType".to_owned(), json!(if guest { "guest" } else { "member" })),
        ("isAdmin".to_owned(), json!(holds_role(store, position, record))),
        ("isSsprRegistered".to_owned(), json!(false)),
        ("isSsprEnabled".to_owned(), json!(false)),
        ("isSsprCapable".to_owned(), json!(false)),
        ("isMfaRegistered".to_owned(), json!(registered)),
        ("isMfaCapable".to_owned(), json!(registered)),
        ("isPasswordlessCapable".to_owned(), json!(passwordless)),
        ("methodsRegistered".to_owned(), json!(words)),
        ("isSystemPreferredAuthenticationMethodEnabled".to_owned(), json!(system)),
        ("systemPreferredAuthenticationMethods".to_owned(), json!([])),
        (PREFERRED.to_owned(), json!(preferred)),
        ("lastUpdatedDateTime".to_owned(), json!(format!("{}T00:00:00Z", store.today()))),
    ]))
}

fn word(method: &Document) -> Option<&'static str> {
    if is_of(method, crate::registration::methods::PHONE) {
        return match method.get("phoneType").and_then(Value::as_str)? {
            "mobile" => Some("mobilePhone"),
            "alternateMobile" => Some("alternateMobilePhone"),
            _ => Some("officePhone"),
        };
    }
    let kind = method.get("@odata.type").and_then(Value::as_str)?;
    let kind = kind.strip_prefix("#microsoft.graph.")?;
    WORDS.iter().find(|(known, _)| *known == kind).map(|(_, word)| *word)
}

fn holds_role(store: &Store, position: u64, record: &UserRecord) -> bool {
    let has_role = |id: &str| {
        let mut rows = store.tenant().role_assignments.iter();
        rows.any(|row| row.get("principalId").and_then(Value::as_str) == Some(id))
    };
    record.user.get("id").and_then(Value::as_str).is_some_and(has_role)
        || store.groups_of(position).any(|(_, group)| has_role(&group.id.to_string()))
}
