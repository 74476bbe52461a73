//! Writing `authentication/phoneMethods`, with the rules of the service.
//!
//! Graph documentation (phoneAuthenticationMethod):
//!
//! * A user has at most one phone per type. Each type has an id that is the same for all users.
//! * A number is written `+CC number` with a space. An office phone can have `x` and an extension.
//! * An alternate mobile phone needs a mobile phone.
//! * The type of a phone cannot change.
//! * The phone that is the default second factor cannot be deleted while there are other methods.
//!
//! Not here: reading phones (`methods`), or whether the tenant allows SMS sign-in (`sms_sign_in`).

use std::collections::BTreeSet;

use rlibphonenumber::PHONE_NUMBER_UTIL;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, wrote};
use crate::graph::problem::Problem;
use crate::records::{Document, UserRecord};
use crate::registration::methods::{
    PHONE, answer, find, has_id, is_of, no_options, no_such_method,
};
use crate::registration::preferences::{PREFERRED, Preferred, is_factor, known, preferred};
use crate::registration::sms_sign_in;
use crate::state::effect::Effect;
use crate::state::store::Store;

/// The types of phone and the ids they have.
const TYPES: [(&str, &str); 3] = [
    ("mobile", "3179e48a-750b-4051-897c-87b9720928f7"),
    ("alternateMobile", "b6332ec1-7057-4abe-9331-3d72feddfe41"),
    ("office", "e37fc753-ff3b-4958-9484-eaa9425c82bc"),
];

/// The maximum number of digits of a telephone number (ITU-T E.164), country code included.
const MOST_DIGITS: usize = 15;

pub(crate) fn create(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (user, record) = find(store, key)?;
    let body = call.body()?;
    known(body, &["phoneNumber", "phoneType"])?;
    let (kind, id) = phone_type(body)?;
    let number = number(body, kind)?;
    if phone(&record, kind).is_some() {
        return Err(Problem::invalid_request(format!(
            "A phone of type '{kind}' is already registered for this user."
        )));
    }
    if kind == "alternateMobile" && phone(&record, "mobile").is_none() {
        return Err(Problem::invalid_request(
            "An alternate mobile phone needs a mobile phone first.",
        ));
    }
    let created = format!("{}T08:00:00Z", store.today());
    let method = Map::from_iter([
        ("@odata.type".to_owned(), json!(PHONE)),
        ("id".to_owned(), json!(id)),
        ("phoneNumber".to_owned(), json!(number)),
        ("phoneType".to_owned(), json!(kind)),
        ("smsSignInState".to_owned(), sms_state(store, user, key, kind, &number)),
        ("createdDateTime".to_owned(), json!(created)),
    ]);
    let mut methods = record.methods.clone();
    methods.push(method.clone());
    let context = format!("users('{user}')/authentication/phoneMethods/$entity");
    let path = format!("users/{user}/authentication/phoneMethods/{id}");
    let shown = answer(call, &context, &method).created(call.location(&path));
    wrote(vec![Effect::Methods { user, methods }], shown)
}

pub(crate) fn update(call: &Call, store: &Store, key: &str, id: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (user, record) = find(store, key)?;
    let before = by_id(&record, id)?;
    let body = call.body()?;
    known(body, &["phoneNumber", "phoneType"])?;
    let kind = before.get("phoneType").and_then(Value::as_str).unwrap_or_default();
    if body.contains_key("phoneType") && phone_type(body)?.0 != kind {
        return Err(Problem::invalid_request(
            "The type of a phone cannot be changed: add the new one, then delete the old one.",
        ));
    }
    let number = match body.contains_key("phoneNumber") {
        true => number(body, kind)?,
        false => text(before, "phoneNumber").to_owned(),
    };
    let state = sms_state(store, user, key, kind, &number);
    let mut methods = record.methods.clone();
    for method in methods.iter_mut().filter(|method| is_phone(method, id)) {
        method.insert("phoneNumber".to_owned(), json!(number));
        method.insert("smsSignInState".to_owned(), state.clone());
    }
    wrote(vec![Effect::Methods { user, methods }], Answer::no_content())
}

/// Deletes a phone. The default method can only be deleted as the last one: "cannot delete default
/// method with other methods configured" (the service's own message, in issue 14470 of
/// microsoft-graph-docs; Graph documentation of phoneAuthenticationMethod does not say that the last
/// one can be deleted; checked 2026-11).
pub(crate) fn delete(call: &Call, store: &Store, key: &str, id: &str) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (user, record) = find(store, key)?;
    let kind = text(by_id(&record, id)?, "phoneType");
    if kind == "mobile" && phone(&record, "alternateMobile").is_some() {
        return Err(Problem::invalid_request(
            "The mobile phone cannot be deleted while there is an alternate mobile phone.",
        ));
    }
    let default = match preferred(&record.sign_in_preferences) {
        Some(Preferred::Phone(default)) => default == kind,
        _ => false,
    };
    let mut others = record.methods.iter().filter(|method| !is_phone(method, id));
    let is_last = !others.any(is_factor);
    if default && !is_last {
        return Err(Problem::invalid_request(
            "The phone is the default method of this user and cannot be deleted. Change the default method first.",
        ));
    }
    let mut methods = record.methods.clone();
    methods.retain(|method| !is_phone(method, id));
    let mut effects = vec![Effect::Methods { user, methods }];
    if default {
        let mut sign_in_preferences = record.sign_in_preferences.clone();
        sign_in_preferences.insert(PREFERRED.to_owned(), Value::Null);
        effects.push(Effect::SignInPreferences { user, sign_in_preferences });
    }
    wrote(effects, Answer::no_content())
}

/// `enableSmsSignIn` and `disableSmsSignIn`, which have no body.
///
/// Graph documentation of phoneAuthenticationMethod, checked 2026-11: the phone must be the mobile
/// phone, the policy must allow this user, and no other user may sign in with the number.
pub(crate) fn switch_sms_sign_in(
    call: &Call,
    store: &Store,
    key: &str,
    id: &str,
    on: bool,
) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (user, record) = find(store, key)?;
    let phone = by_id(&record, id)?;
    let state = sms_state(store, user, key, text(phone, "phoneType"), text(phone, "phoneNumber"));
    let state = match (on, state.as_str().unwrap_or_default()) {
        (true, "ready") | (false, "ready" | "phoneNumberNotUnique") => {
            if on {
                "ready"
            } else {
                "notEnabled"
            }
        }
        (_, why) => {
            return Err(Problem::invalid_request(format!(
                "SMS sign-in cannot be switched for this phone: {why}."
            )));
        }
    };
    let mut methods = record.methods.clone();
    for method in methods.iter_mut().filter(|method| is_phone(method, id)) {
        method.insert("smsSignInState".to_owned(), json!(state));
    }
    wrote(vec![Effect::Methods { user, methods }], Answer::no_content())
}

fn by_id<'r>(record: &'r UserRecord, id: &str) -> Result<&'r Document, Problem> {
    record.methods.iter().find(|method| is_phone(method, id)).ok_or_else(|| no_such_method(id))
}

fn is_phone(method: &Document, id: &str) -> bool {
    is_of(method, PHONE) && has_id(method, id)
}

fn phone<'r>(record: &'r UserRecord, kind: &str) -> Option<&'r Document> {
    record.methods.iter().find(|method| is_of(method, PHONE) && text(method, "phoneType") == kind)
}

fn text<'d>(document: &'d Document, name: &str) -> &'d str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn phone_type(body: &Document) -> Result<(&'static str, &'static str), Problem> {
    TYPES
        .into_iter()
        .find(|(name, _)| *name == text(body, "phoneType"))
        .ok_or_else(|| Problem::invalid_request("Invalid value for the property 'phoneType'."))
}

fn number(body: &Document, kind: &str) -> Result<String, Problem> {
    let number = text(body, "phoneNumber");
    if is_well_formed(number) && (kind == "office" || !number.contains('x')) {
        return Ok(number.to_owned());
    }
    Err(Problem::invalid_request(
        "Phone number format is invalid: '+{country code} {number}x{extension}' is expected, the extension being optional.",
    ))
}

/// Whether a number is `+CC number` or `+CC numberxEXT`, with a country code that exists.
fn is_well_formed(number: &str) -> bool {
    let Some((code, rest)) = number.strip_prefix('+').and_then(|rest| rest.split_once(' ')) else {
        return false;
    };
    let (subscriber, extension) = match rest.split_once('x') {
        Some((subscriber, extension)) => (subscriber, Some(extension)),
        None => (rest, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let known = code
        .parse::<i32>()
        .is_ok_and(|code| PHONE_NUMBER_UTIL.get_supported_calling_codes().any(|it| it == code));
    digits(code)
        && known
        && digits(subscriber)
        && subscriber.len() >= 4
        && code.len() + subscriber.len() <= MOST_DIGITS
        && extension.is_none_or(digits)
}

/// Graph documentation (phone methods, SMS sign-in): writing a mobile number registers it for SMS
/// sign-in, if the policy allows this user. It is no error if another user signs in with the number.
fn sms_state(store: &Store, user: Uuid, key: &str, kind: &str, number: &str) -> Value {
    if kind != "mobile" {
        return json!("notSupported");
    }
    let groups: BTreeSet<Uuid> = store.find_user(key).map_or_else(BTreeSet::new, |position| {
        store.groups_of(position).map(|(_, group)| group.id).collect()
    });
    if !sms_sign_in::allowed(&store.tenant().authentication_methods_policy, user, &groups) {
        return json!("notAllowedByPolicy");
    }
    if store.signs_in_with(number).any(|holder| holder != user) {
        return json!("phoneNumberNotUnique");
    }
    json!("ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_needs_a_country_code_a_space_and_digits() {
        for good in [
            "+31 612345678",
            "+1 5555551234",
            "+1 5555551234x123",
            "+44 7911123456",
            "+39 0612345678",
        ] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in [
            "+31612345678",
            "0612345678",
            "+31 6 12345678",
            "+31 612-345678",
            "+999 612345678",
            "+31 ",
            "+31 123",
            "+ 612345678",
            "+31 612345678x",
            "+31 612345678 x12",
            "",
            "+31 61234567890123456",
            "+X1 2345678",
            "+31 6\u{661}12345678",
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
