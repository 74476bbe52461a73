//! `authentication/methods` and its typed collections: list, get, delete.
//!
//! Graph documentation (authentication methods): the polymorphic list takes no OData options. An
//! administrator can read and delete most kinds of methods; only the user can register them.
//!
//! Not here: writing phones (`phones`).

use serde_json::{Map, Value, json};

use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, Version, read, wrote};
use crate::graph::problem::Problem;
use crate::records::{Document, UserRecord};
use crate::registration::preferences;
use crate::state::effect::Effect;
use crate::state::store::{Store, id_of};
use uuid::Uuid;

/// A typed collection under `authentication`.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) segment: &'static str,
    pub(crate) kind: &'static str,
    beta_only: bool,
    deletable: bool,
}

const fn collection(segment: &'static str, kind: &'static str) -> Collection {
    Collection { segment, kind, beta_only: false, deletable: true }
}

pub(crate) const PHONE: &str = "#microsoft.graph.phoneAuthenticationMethod";

static COLLECTIONS: &[Collection] = &[
    collection("phoneMethods", PHONE),
    collection("emailMethods", "#microsoft.graph.emailAuthenticationMethod"),
    collection("fido2Methods", "#microsoft.graph.fido2AuthenticationMethod"),
    collection(
        "microsoftAuthenticatorMethods",
        "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod",
    ),
    collection("softwareOathMethods", "#microsoft.graph.softwareOathAuthenticationMethod"),
    Collection {
        beta_only: true,
        ..collection("hardwareOathMethods", "#microsoft.graph.hardwareOathAuthenticationMethod")
    },
    collection(
        "windowsHelloForBusinessMethods",
        "#microsoft.graph.windowsHelloForBusinessAuthenticationMethod",
    ),
    collection(
        "platformCredentialMethods",
        "#microsoft.graph.platformCredentialAuthenticationMethod",
    ),
    collection("externalAuthenticationMethods", "#microsoft.graph.externalAuthenticationMethod"),
    collection(
        "temporaryAccessPassMethods",
        "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
    ),
    Collection {
        deletable: false,
        ..collection("passwordMethods", "#microsoft.graph.passwordAuthenticationMethod")
    },
];

/// Returns the collection of this segment, if the version has it.
pub(crate) fn collection_of(version: Version, segment: &str) -> Option<&'static Collection> {
    COLLECTIONS
        .iter()
        .find(|collection| collection.segment == segment)
        .filter(|collection| version == Version::Beta || !collection.beta_only)
}

/// Returns the user, or the 404 of the authentication workload.
pub(crate) fn find<'s>(
    store: &'s Store,
    key: &str,
) -> Result<(Uuid, std::borrow::Cow<'s, UserRecord>), Problem> {
    let absent = || Problem::resource_not_found(format!("The user '{key}' was not found."));
    let record = store.user(key).ok_or_else(absent)?;
    let id = id_of(&record.user).ok_or_else(absent)?;
    Ok((id, record))
}

pub(crate) fn is_of(method: &Document, kind: &str) -> bool {
    method.get("@odata.type").and_then(Value::as_str) == Some(kind)
}

pub(crate) fn has_id(method: &Document, id: &str) -> bool {
    let own = method.get("id").and_then(Value::as_str);
    own.is_some_and(|own| own.eq_ignore_ascii_case(id))
}

/// Lists `methods`, or one kind of them.
pub(crate) fn list(
    call: &Call,
    store: &Store,
    key: &str,
    of: Option<&Collection>,
) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (id, record) = find(store, key)?;
    let rows = record
        .methods
        .iter()
        .filter(|method| of.is_none_or(|of| is_of(method, of.kind)))
        .map(|method| Value::Object(shown(method)))
        .collect();
    let segment = of.map_or("methods", |of| of.segment);
    let context = call.context(&format!("users('{id}')/authentication/{segment}"));
    read(Answer::json(
        200,
        Map::from_iter([
            ("@odata.context".to_owned(), json!(context)),
            ("value".to_owned(), Value::Array(rows)),
        ]),
    ))
}

pub(crate) fn get(
    call: &Call,
    store: &Store,
    key: &str,
    of: Option<&Collection>,
    method: &str,
) -> Result<Outcome, Problem> {
    no_options(call)?;
    let (id, record) = find(store, key)?;
    let found = record
        .methods
        .iter()
        .filter(|candidate| of.is_none_or(|of| is_of(candidate, of.kind)))
        .find(|candidate| has_id(candidate, method))
        .ok_or_else(|| no_such_method(method))?;
    let segment = of.map_or("methods", |of| of.segment);
    read(answer(call, &format!("users('{id}')/authentication/{segment}/$entity"), &shown(found)))
}

/// Graph's metadata, checked 2026-11: the device of a method is a relationship, so it is sent only
/// on request.
fn shown(method: &Document) -> Document {
    let mut shown = method.clone();
    shown.remove("device");
    shown
}

/// Returns a single document as an answer.
pub(crate) fn answer(call: &Call, context: &str, document: &Document) -> Answer {
    let context = json!(call.context(context));
    let mut body = Map::from_iter([("@odata.context".to_owned(), context)]);
    body.extend(document.clone());
    Answer::json(200, body)
}

pub(crate) fn no_such_method(id: &str) -> Problem {
    Problem::resource_not_found(format!("The authentication method '{id}' was not found."))
}

/// Graph documentation (list authentication methods): no OData query parameters.
pub(crate) fn no_options(call: &Call) -> Result<(), Problem> {
    match call.query.first() {
        None => Ok(()),
        Some((name, _)) => Err(Problem::invalid_request(format!(
            "The query option '{name}' is not supported on this resource."
        ))),
    }
}

/// Deletes a method that is not a phone. Also clears the preferred method, if no remaining method
/// provides it.
pub(crate) fn delete(
    call: &Call,
    store: &Store,
    key: &str,
    of: &Collection,
    method: &str,
) -> Result<Outcome, Problem> {
    no_options(call)?;
    if !of.deletable {
        return Err(Problem::method_not_allowed());
    }
    let (user, record) = find(store, key)?;
    let (gone, methods): (Vec<Document>, Vec<Document>) = record
        .methods
        .iter()
        .cloned()
        .partition(|candidate| is_of(candidate, of.kind) && has_id(candidate, method));
    if gone.is_empty() {
        return Err(no_such_method(method));
    }
    let orphaned = preferences::preferred(&record.sign_in_preferences)
        .is_some_and(|preferred| !preferences::answered_by(preferred, &methods));
    let mut effects = vec![Effect::Methods { user, methods }];
    if orphaned {
        let mut sign_in_preferences = record.sign_in_preferences.clone();
        sign_in_preferences.insert(preferences::PREFERRED.to_owned(), Value::Null);
        effects.push(Effect::SignInPreferences { user, sign_in_preferences });
    }
    wrote(effects, Answer::no_content())
}
