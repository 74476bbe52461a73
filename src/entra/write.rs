//! Writes one change: phones, SMS sign-in, preferences, and the per-user MFA state (Graph documentation
//! of phoneAuthenticationMethod, signInPreferences and strongAuthenticationRequirements, checked
//! 2026-11). The last two can be written in beta only, so all writes go to beta, in one kind of batch.
//!
//! Not here: which changes are written, and when (`apply`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::entra::facts::{methods_url, preferences_url, state_url};
use crate::graph::{BatchPart, Client, WriteOutcome};
use crate::id::UserId;
use crate::number::PhoneNumber;
use crate::settings::change::{Action, Change};
use crate::settings::{Setting, Value};
use crate::tenant::facts::MethodKind;

/// A place for a phone: there is one of each type, and its id is the same for all users.
#[derive(Clone, Copy)]
struct Place {
    id: &'static str,
    kind: &'static str,
}

const MOBILE: Place = Place { id: "3179e48a-750b-4051-897c-87b9720928f7", kind: "mobile" };
const ALTERNATE_MOBILE: Place =
    Place { id: "b6332ec1-7057-4abe-9331-3d72feddfe41", kind: "alternateMobile" };
const OFFICE: Place = Place { id: "e37fc753-ff3b-4958-9484-eaa9425c82bc", kind: "office" };

/// Changes that one call writes, in this order. Each user has at most one of them, because the parts of a
/// batch are carried out in any order: two changes of one user could overtake each other.
#[derive(Debug, Default)]
pub struct OnePerUser {
    changes: Vec<(UserId, Change)>,
    users: BTreeSet<UserId>,
}

impl FromIterator<(UserId, Change)> for OnePerUser {
    /// Keeps the first change of each user. The others get no outcome.
    fn from_iter<I: IntoIterator<Item = (UserId, Change)>>(changes: I) -> Self {
        let mut all = Self::default();
        for (user, change) in changes {
            if all.users.insert(user) {
                all.changes.push((user, change));
            }
        }
        all
    }
}

/// Writes the changes and returns their outcomes. A user has no outcome if no request exists for the change.
/// Once `over` completes, a change that was not sent yet is not sent.
pub async fn write(
    client: &Client,
    over: impl AsyncFn(),
    changes: OnePerUser,
) -> BTreeMap<UserId, WriteOutcome> {
    let requests = changes.changes.into_iter();
    let requests = requests.filter_map(|(user, change)| Some((user, request(user, &change)?)));
    let (users, parts): (Vec<UserId>, Vec<BatchPart>) = requests.unzip();
    users.into_iter().zip(client.write_until(over, parts).await).collect()
}

/// Returns the request that writes a change; `None` if there is none.
#[must_use]
pub fn request(user: UserId, change: &Change) -> Option<BatchPart> {
    match change.setting {
        Setting::MobilePhone => phone(user, MOBILE, change),
        Setting::AlternateMobilePhone => phone(user, ALTERNATE_MOBILE, change),
        Setting::OfficePhone => phone(user, OFFICE, change),
        Setting::SmsSignIn => {
            let Value::Switch(on) = change.after else { return None };
            let action = if on { "enableSmsSignIn" } else { "disableSmsSignIn" };
            // In beta the action belongs to the method, not to the phone.
            Some(BatchPart::action(format!("{}/{}/{action}", methods_url(user), MOBILE.id)))
        }
        Setting::DefaultMethod => {
            let Value::Default(method) = change.after else { return None };
            let body = json!({ "userPreferredMethodForSecondaryAuthentication": method.as_str() });
            Some(BatchPart::patch(preferences_url(user), body))
        }
        Setting::SystemPreferredMfa => {
            let Value::Switch(on) = change.after else { return None };
            let body = json!({ "isSystemPreferredAuthenticationMethodEnabled": on });
            Some(BatchPart::patch(preferences_url(user), body))
        }
        Setting::PerUserMfa => {
            let Value::State(state) = change.after else { return None };
            Some(BatchPart::patch(state_url(user), json!({ "perUserMfaState": state.as_str() })))
        }
    }
}

fn phone(user: UserId, place: Place, change: &Change) -> Option<BatchPart> {
    let one = || format!("{}/{}", phones_url(user), place.id);
    let body = |number: PhoneNumber| json!({ "phoneNumber": number.expose_for_graph(), "phoneType": place.kind });
    match (change.action(), change.after) {
        (Action::Create, Value::Phone(number)) => {
            Some(BatchPart::post(phones_url(user), body(number)))
        }
        (Action::Update, Value::Phone(number)) => Some(BatchPart::patch(one(), body(number))),
        (Action::Delete, Value::Nothing) => Some(BatchPart::delete(one())),
        _ => None,
    }
}

/// Returns the address of one phone of a user.
pub(super) fn phone_url(user: UserId, phone: MethodKind) -> Option<String> {
    let place = match phone {
        MethodKind::MobilePhone => MOBILE,
        MethodKind::AlternateMobilePhone => ALTERNATE_MOBILE,
        MethodKind::OfficePhone => OFFICE,
        _ => return None,
    };
    Some(format!("{}/{}", phones_url(user), place.id))
}

fn phones_url(user: UserId) -> String {
    format!("/users/{user}/authentication/phoneMethods")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::settings::change::{Mandate, PolicyIndex};
    use crate::tenant::directory::UserIndex;

    #[test]
    fn a_user_has_one_change_in_a_call_and_the_order_stays() {
        let user = |number| UserId::from_uuid(Uuid::from_u128(number));
        let change = |setting| Change {
            user: UserIndex::new(0),
            setting,
            before: Value::Nothing,
            after: Value::Nothing,
            policy: PolicyIndex::FIRST,
            mandate: Mandate::default(),
        };
        let all = [(2, Setting::OfficePhone), (1, Setting::PerUserMfa), (2, Setting::PerUserMfa)];
        let all = all.map(|(number, setting)| (user(number), change(setting)));
        let kept = OnePerUser::from_iter(all).changes;
        let kept: Vec<_> = kept.iter().map(|(user, change)| (*user, change.setting)).collect();
        assert_eq!(kept, [(user(2), Setting::OfficePhone), (user(1), Setting::PerUserMfa)]);
    }
}
