//! Reads a registered phone by its own address. For some time, a list of methods can still show a method
//! that was removed, and not yet one that was added; one phone by its id is read where it is stored
//! (Graph documentation of phoneAuthenticationMethod, checked 2026-11).
//!
//! Not here: the list (`facts`).

use super::facts::why;
use super::methods::{Method, phone_and_sms_sign_in, phone_of};
use super::write::phone_url;
use crate::graph::{BatchPart, Client, Error};
use crate::id::UserId;
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::{Facts, MethodKind, Methods, Phone, Read, UnknownReason};

/// Reads each of these phones, in their order.
///
/// # Errors
/// Graph could not be asked at all: no token, or no connection.
pub async fn by_id(
    client: &Client,
    phones: &[(UserId, Setting)],
) -> Result<Vec<Read<Phone>>, Error> {
    let mut all = vec![Read::Unknown(UnknownReason::NotRead); phones.len()];
    let mut failed = None;
    let known: Vec<(usize, String)> = phones
        .iter()
        .enumerate()
        .filter_map(|(place, (user, setting))| Some((place, phone_url(*user, setting.phone()?)?)))
        .collect();
    let parts = known.iter().map(|(_, url)| BatchPart::get(url.clone()));
    let parse =
        |_: usize, text: &str| serde_json::from_str(text).map(|one: Method<'_>| phone_of(&one));
    client
        .read_each_as(parts, parse, |asked, answer: Result<Option<Phone>, Error>| {
            let Some(slot) = known.get(asked).and_then(|(place, _)| all.get_mut(*place)) else {
                return;
            };
            *slot = match &answer {
                Ok(Some(phone)) => Read::Known(*phone),
                Ok(None) => Read::Unknown(UnknownReason::Failed),
                Err(error) if error.status() == Some(404) => Read::Known(Phone::None),
                Err(error) => Read::Unknown(why(error)),
            };
            if let Err(error) = answer
                && error.concerns_all()
            {
                failed.get_or_insert(error);
            }
        })
        .await;
    failed.map_or(Ok(all), Err)
}

/// Returns whether a setting is a phone with an address of its own, or belongs to one.
#[must_use]
pub const fn has_address(setting: Setting) -> bool {
    of(setting).is_some()
}

/// Returns the phone that has to be read for a setting. SMS sign-in is shown with the mobile phone.
const fn of(setting: Setting) -> Option<MethodKind> {
    match setting {
        Setting::SmsSignIn => Setting::MobilePhone.phone(),
        setting => setting.phone(),
    }
}

/// Reads the current value of each of these settings, in their order. A value that cannot be read, or
/// that has no address, is unknown.
///
/// # Errors
/// Graph could not be asked at all: no token, or no connection.
pub async fn look(client: &Client, asked: &[(UserId, Setting)]) -> Result<Vec<Value>, Error> {
    let mut values: Vec<Value> =
        asked.iter().map(|(_, setting)| value_in(Facts::NOT_READ, *setting)).collect();
    let known: Vec<(usize, String)> = asked
        .iter()
        .enumerate()
        .filter_map(|(place, (user, setting))| Some((place, phone_url(*user, of(*setting)?)?)))
        .collect();
    let mut failed = None;
    let parts = known.iter().map(|(_, url)| BatchPart::get(url.clone()));
    let parse = |_, text: &str| {
        serde_json::from_str(text).map(|method: Method<'_>| phone_and_sms_sign_in(&method))
    };
    client
        .read_each_as(parts, parse, |place, answer| {
            let Some(place) = known.get(place).map(|(place, _)| *place) else { return };
            let (Some((_, setting)), Some(slot)) = (asked.get(place), values.get_mut(place)) else {
                return;
            };
            let Some(kind) = of(*setting) else { return };
            let methods = match answer {
                Ok((phone, sms_sign_in)) => {
                    let methods = Methods::default().with_phone(kind, phone);
                    Read::Known(Methods { sms_sign_in, ..methods })
                }
                // A user has at most one phone of each kind, with an id that is the same for all users.
                Err(error) if error.status() == Some(404) => Read::Known(Methods::default()),
                Err(error) if error.concerns_all() => {
                    failed.get_or_insert(error);
                    return;
                }
                Err(error) => Read::Unknown(super::facts::why(&error)),
            };
            *slot = value_in(Facts { methods, ..Facts::NOT_READ }, *setting);
        })
        .await;
    failed.map_or(Ok(values), Err)
}

fn value_in(facts: Facts, setting: Setting) -> Value {
    Values::observed(&facts).get(setting)
}
