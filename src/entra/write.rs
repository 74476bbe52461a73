//! Writing one change: the phone a user registers, and the per-user MFA state (Graph documentation
//! of phoneAuthenticationMethod and strongAuthenticationRequirements, checked 2026-11). The state
//! can be written in beta alone, so everything is, in one kind of batch.

use serde_json::json;

use crate::entra::facts::state_url;
use crate::graph::{Client, Outcome, Part};
use crate::id::UserId;
use crate::settings::change::Change;
use crate::settings::{Setting, Value};

/// The id of every user's mobile phone method; there is one phone of each type.
const MOBILE: &str = "3179e48a-750b-4051-897c-87b9720928f7";

/// Writes the changes, at most one a user, and says of each what became of it. `None` where there
/// is no request that would do it.
pub async fn write(client: &Client, changes: &[(UserId, Change)]) -> Vec<Option<Outcome>> {
    let parts: Vec<Option<Part>> =
        changes.iter().map(|(user, change)| part(*user, change)).collect();
    let known: Vec<bool> = parts.iter().map(Option::is_some).collect();
    let mut outcomes = client.write_all(parts.into_iter().flatten().collect()).await.into_iter();
    known.into_iter().map(|known| if known { outcomes.next() } else { None }).collect()
}

fn part(user: UserId, change: &Change) -> Option<Part> {
    match (change.setting, change.before, change.after) {
        (Setting::MobilePhone, Value::Nothing, Value::Phone(number)) => {
            let body = json!({ "phoneNumber": number.expose_for_graph(), "phoneType": "mobile" });
            Some(Part::post(phones_url(user), body))
        }
        (Setting::MobilePhone, Value::Phone(_) | Value::UndialablePhone, Value::Phone(number)) => {
            let body = json!({ "phoneNumber": number.expose_for_graph(), "phoneType": "mobile" });
            Some(Part::patch(format!("{}/{MOBILE}", phones_url(user)), body))
        }
        (Setting::PerUserMfa, Value::State(_), Value::State(state)) => {
            let body = json!({ "perUserMfaState": state.as_str() });
            Some(Part::patch(state_url(user), body))
        }
        _ => None,
    }
}

fn phones_url(user: UserId) -> String {
    format!("/users/{user}/authentication/phoneMethods")
}
