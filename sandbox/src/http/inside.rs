//! The sandbox's own paths, which Graph does not have: try a sign-in, and list the writes. They need
//! no token.
//!
//! Not here: how a sign-in is judged (`sign_in`).

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::graph::answer::Answer;
use crate::graph::call::Payload;
use crate::graph::problem::Problem;
use crate::http::server::{Front, Inbound, plain};
use crate::sign_in::Application;

/// `POST /sandbox/signIn {"user": "…", "application"?: "adminPortals", "at"?: "2027-03-01"}`
pub(crate) fn sign_in(front: &Front, inbound: &Inbound, bytes: &[u8]) -> Answer {
    judged(front, inbound, bytes).unwrap_or_else(|problem| inbound.refuse(problem))
}

fn judged(front: &Front, inbound: &Inbound, bytes: &[u8]) -> Result<Answer, Problem> {
    let Payload::Json(Value::Object(body)) = inbound.payload(bytes) else {
        return Err(Problem::bad_request("A JSON object with 'user' is expected."));
    };
    if let Some(name) =
        body.keys().find(|name| !["user", "application", "at"].contains(&name.as_str()))
    {
        return Err(Problem::bad_request(format!("The property '{name}' is unknown.")));
    }
    let user = body
        .get("user")
        .and_then(Value::as_str)
        .ok_or_else(|| Problem::bad_request("'user' must be a principal name or an id."))?;
    let application = match body.get("application") {
        None => Application::default(),
        Some(word) => word.as_str().and_then(Application::from_word).ok_or_else(|| {
            Problem::bad_request("'application' must be 'ordinary' or 'adminPortals'.")
        })?,
    };
    let store = front.service.store();
    let on = match body.get("at") {
        None => store.today(),
        Some(at) => at
            .as_str()
            .and_then(|at| at.parse::<Date>().ok())
            .ok_or_else(|| Problem::bad_request("'at' must be a date such as 2027-03-01."))?,
    };
    let verdict = store.judge_at(user, application, on).ok_or_else(|| Problem::not_found(user))?;
    Ok(plain(
        200,
        json!({"user": user, "application": application.as_str(), "result": verdict.as_str()}),
    ))
}

/// `GET /sandbox/writes`
pub(crate) fn writes(front: &Front) -> Answer {
    let store = front.service.store();
    let lines: Vec<Value> = store.writes().iter().map(|line| json!(line)).collect();
    plain(200, json!({"value": lines}))
}
