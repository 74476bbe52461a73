//! `/users`: list, count, get, create, change, delete.
//!
//! Graph documentation (user): without `$select` only a few properties are sent; the phones of a
//! synchronised user are read-only; a principal name is unique and belongs to a verified domain.
//!
//! Not here: authentication methods (`methods`), or the groups of a user (`members`).

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::directory::objects::{self, checked, entity_answer, show};
use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, read, wrote};
use crate::graph::odata::filter::Filter;
use crate::graph::odata::page::{Item, page};
use crate::graph::odata::{COLLECTION, Query, Takes};
use crate::graph::problem::Problem;
use crate::graph::schema::USER;
use crate::records::{Document, UserRecord};
use crate::registration::undocumented::{BULK_STATE, bulk_state};
use crate::state::effect::Effect;
use crate::state::store::{Store, id_of};

/// The id of the password method, which every user has. The password itself is never stored.
const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";

pub(crate) fn list(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let query = Query::parse(call, &USER, &[], COLLECTION)?;
    let page = page(&query, candidates(call, &query, store), |_, document| {
        show(&USER, document, query.select.as_deref())
    });
    let context = format!("users{}", query.projection());
    read(page.answer(call, &query, &context, || counted(&query, store)))
}

pub(crate) fn count(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let query = objects::count_query(call, &USER)?;
    read(Answer::text(counted(&query, store).to_string()))
}

fn counted(query: &Query, store: &Store) -> u64 {
    if query.takes_all() {
        return store.user_count();
    }
    store
        .user_positions(0)
        .filter_map(|position| store.user_at(position))
        .filter(|record| query.lets_pass(&record.user))
        .fold(0, |count, _| count + 1)
}

/// Returns the users that may be in the list, from the start of the query on. If the filter names
/// its users, only those are tested.
fn candidates<'s>(
    call: &'s Call,
    query: &Query,
    store: &'s Store,
) -> Box<dyn Iterator<Item = Item<'s>> + 's> {
    let named = query.filter.as_ref().and_then(|filter| named(filter, store));
    let start = query.start();
    let positions: Box<dyn Iterator<Item = u64> + 's> = match named {
        Some(positions) => {
            Box::new(positions.into_iter().filter(move |position| *position >= start))
        }
        None => Box::new(store.user_positions(start)),
    };
    let with_state = selects_state(query);
    Box::new(positions.filter_map(move |position| {
        let record = store.user_at(position)?;
        Some((position, shown(call, record, with_state)))
    }))
}

fn selects_state(query: &Query) -> bool {
    query.select.as_ref().is_some_and(|names| names.iter().any(|name| name == BULK_STATE))
}

/// Returns the user's document, with the per-user MFA state if it is selected.
fn shown<'s>(call: &Call, record: Cow<'s, UserRecord>, with_state: bool) -> Cow<'s, Document> {
    let state = with_state.then(|| bulk_state(call, &record.requirements));
    let document = match record {
        Cow::Borrowed(record) => Cow::Borrowed(&record.user),
        Cow::Owned(record) => Cow::Owned(record.user),
    };
    match state {
        None => document,
        Some(state) => {
            let mut document = document.into_owned();
            document.insert(BULK_STATE.to_owned(), state);
            Cow::Owned(document)
        }
    }
}

fn named(filter: &Filter, store: &Store) -> Option<Vec<u64>> {
    let keys = filter.pinned("id").or_else(|| filter.pinned("userPrincipalName"))?;
    let mut positions: Vec<u64> = keys.into_iter().filter_map(|key| store.find_user(key)).collect();
    positions.sort_unstable();
    positions.dedup();
    Some(positions)
}

pub(crate) fn get(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    let query = Query::parse(call, &USER, &[], &[Takes::Select])?;
    let (_, record) = find(store, key)?;
    let document = shown(call, record, selects_state(&query));
    read(entity_answer(call, &USER, &document, &query))
}

/// Returns the user with this key, or 404.
pub(crate) fn find<'s>(
    store: &'s Store,
    key: &str,
) -> Result<(Uuid, Cow<'s, UserRecord>), Problem> {
    let record = store.user(key).ok_or_else(|| Problem::not_found(key))?;
    let id = id_of(&record.user).ok_or_else(|| Problem::not_found(key))?;
    Ok((id, record))
}

pub(crate) fn create(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let mut properties = checked(&USER, call.body()?)?;
    for name in ["accountEnabled", "displayName", "mailNickname", "userPrincipalName"] {
        if properties.get(name).is_none_or(Value::is_null) {
            return Err(missing(name));
        }
    }
    if properties.get("passwordProfile").and_then(|profile| profile.get("password")).is_none() {
        return Err(missing("passwordProfile"));
    }
    check_values(store, &properties, None)?;
    let id = Uuid::new_v4();
    let created = format!("{}T08:00:00Z", store.today());
    // A password is accepted but never stored.
    properties.remove("passwordProfile");
    let mut user: Document = USER
        .properties
        .iter()
        .map(|property| (property.name.to_owned(), objects::empty(property)))
        .collect();
    user.insert("userType".to_owned(), json!("Member"));
    user.extend(properties);
    user.insert("id".to_owned(), json!(id));
    user.insert("createdDateTime".to_owned(), json!(created));
    let shown = entity_answer(call, &USER, &user, &objects::whole());
    let effect = Effect::UserCreated {
        user: id,
        properties: user,
        methods: vec![password_method(&created)],
        requirements: Map::from_iter([("perUserMfaState".to_owned(), json!("disabled"))]),
        sign_in_preferences: Map::from_iter([
            ("isSystemPreferredAuthenticationMethodEnabled".to_owned(), json!(true)),
            ("userPreferredMethodForSecondaryAuthentication".to_owned(), Value::Null),
        ]),
    };
    wrote(vec![effect], shown.created(call.location(&format!("users/{id}"))))
}

fn password_method(created: &str) -> Document {
    Map::from_iter([
        ("@odata.type".to_owned(), json!("#microsoft.graph.passwordAuthenticationMethod")),
        ("id".to_owned(), json!(PASSWORD_METHOD)),
        ("password".to_owned(), Value::Null),
        ("createdDateTime".to_owned(), json!(created)),
    ])
}

pub(crate) fn update(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let (id, record) = find(store, key)?;
    let mut properties = checked(&USER, call.body()?)?;
    let synchronised = record.user.get("onPremisesSyncEnabled") == Some(&Value::Bool(true));
    let phones = ["mobilePhone", "businessPhones"];
    if synchronised && phones.iter().any(|name| properties.contains_key(*name)) {
        return Err(Problem::bad_request(
            "Unable to update the specified properties: the object is mastered on premises and synchronised from there.",
        ));
    }
    check_values(store, &properties, Some(id))?;
    properties.remove("passwordProfile");
    objects::merge_inner(&record.user, &mut properties, "onPremisesExtensionAttributes");
    let effect = Effect::UserChanged { user: id, properties };
    wrote(vec![effect], Answer::no_content())
}

pub(crate) fn delete(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let (user, _) = find(store, key)?;
    wrote(vec![Effect::UserDeleted { user }], Answer::no_content())
}

/// Checks single values, at creation and at change.
fn check_values(store: &Store, properties: &Document, me: Option<Uuid>) -> Result<(), Problem> {
    if let Some(name) = properties.get("userPrincipalName") {
        check_name(store, name.as_str().unwrap_or_default(), me)?;
    }
    if properties.get("accountEnabled").is_some_and(Value::is_null) {
        return Err(invalid("accountEnabled"));
    }
    let phones = properties.get("businessPhones").and_then(Value::as_array);
    if phones.is_some_and(|phones| phones.len() > 1) {
        return Err(invalid("businessPhones"));
    }
    let mobile = properties.get("mobilePhone").and_then(Value::as_str);
    if mobile.is_some_and(|number| number.chars().count() > 64) {
        return Err(invalid("mobilePhone"));
    }
    match properties.get("userType").and_then(Value::as_str) {
        None | Some("Member" | "Guest") => Ok(()),
        Some(_) => Err(invalid("userType")),
    }
}

fn check_name(store: &Store, name: &str, me: Option<Uuid>) -> Result<(), Problem> {
    let domain = name.rsplit_once('@').map(|(_, domain)| domain);
    let mut verified = store.tenant().domain_names();
    if !verified.any(|known| domain.is_some_and(|domain| known.eq_ignore_ascii_case(domain))) {
        return Err(Problem::bad_request(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
        ));
    }
    let holder = store.find_user(name).and_then(|position| store.user_at(position));
    let taken = holder.is_some_and(|record| id_of(&record.user) != me);
    if taken {
        return Err(Problem::new(
            400,
            "Request_MultipleObjectsWithSameKeyValue",
            "Another object with the same value for property userPrincipalName already exists.",
        ));
    }
    Ok(())
}

fn missing(name: &str) -> Problem {
    Problem::bad_request(format!("A value is required for property '{name}' of resource 'User'."))
}

fn invalid(name: &str) -> Problem {
    Problem::bad_request(format!(
        "Invalid value specified for property '{name}' of resource 'User'."
    ))
}
