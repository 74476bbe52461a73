//! Two reads that no document promises but that programs try: everything about a user's registration
//! in one request, and the per-user MFA state in the list of users.
//!
//! Both are refused by default, because Graph's metadata has `requirements` and `signInPreferences`
//! as paths of their own and not as properties of a user (checked 2026-11).
//!
//! Not here: whether they are answered (`answering`), or the documented reads (`methods`,
//! `preferences`).

use serde_json::{Map, Value, json};

use crate::graph::answer::Answer;
use crate::graph::answering::Answering;
use crate::graph::call::{Call, Outcome, read};
use crate::graph::problem::Problem;
use crate::registration::methods::find;
use crate::state::store::Store;

/// The undocumented property of a user.
pub(crate) const BULK_STATE: &str = "perUserMfaState";

/// Whether a call may select the state of users.
pub(crate) fn may_select_state(call: &Call) -> bool {
    let users = call.segments.first().is_some_and(|first| first == "users");
    users && call.segments.len() <= 2 && call.undocumented.bulk_state != Answering::Refuse
}

/// The per-user MFA state in the list of users.
pub(crate) fn bulk_state(call: &Call, requirements: &Map<String, Value>) -> Value {
    match call.undocumented.bulk_state {
        Answering::Wrong => json!("disabled"),
        _ => requirements.get(BULK_STATE).cloned().unwrap_or(Value::Null),
    }
}

/// Reads the whole `authentication` of a user.
pub(crate) fn one_request_read(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    if call.undocumented.one_request_read == Answering::Refuse {
        return Err(Problem::unknown_segment("authentication"));
    }
    let (id, record) = find(store, key)?;
    let wrong = call.undocumented.one_request_read == Answering::Wrong;
    let context = call.context(&format!("users('{id}')/authentication/$entity"));
    let mut body = Map::from_iter([("@odata.context".to_owned(), json!(context))]);
    for (name, value) in &call.query {
        let names = value.split(',').map(str::trim);
        for property in names {
            let value = match (name.trim_start_matches('$'), property) {
                ("select", "id") => json!(id),
                ("select", "requirements") if wrong => json!({BULK_STATE: "disabled"}),
                ("select", "requirements") => json!(record.requirements),
                ("select", "signInPreferences") => json!(record.sign_in_preferences),
                ("expand", "methods") if wrong => json!([]),
                ("expand", "methods") => json!(record.methods),
                _ => {
                    return Err(Problem::bad_query(format!(
                        "Parsing OData Select and Expand failed: Could not find a property named '{property}' on type 'microsoft.graph.authentication'."
                    )));
                }
            };
            body.insert(property.to_owned(), value);
        }
    }
    read(Answer::json(200, body))
}
