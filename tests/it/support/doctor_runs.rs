//! Runs of `mfactl doctor` with the tokens and refusals that a test chooses.
//!
//! Not here: what `doctor` says (`tests/goldens/doctor.rs`).

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::network_faults::{Front, Weather};
use super::tenant_builder::exchangelabs;
use super::world::{PROJECT, Run, World, runtime, token_of};

pub(crate) const READS: [&str; 6] = [
    "User.Read.All",
    "GroupMember.Read.All",
    "UserAuthenticationMethod.Read.All",
    "Policy.Read.All",
    "RoleManagement.Read.Directory",
    "RoleEligibilitySchedule.Read.Directory",
];
pub(crate) const WRITES: [&str; 2] =
    ["UserAuthMethod-Phone.ReadWrite.All", "Policy.ReadWrite.AuthenticationMethod"];

/// What Graph refuses: a part of the path, the status and the code.
pub(crate) type Refusals = &'static [(&'static str, u16, &'static str)];

/// The program behind a front that issues tokens with these claims, and refuses these paths.
pub(crate) fn doctor_world(claims: Value, refusals: Refusals) -> (World, Front) {
    let world = exchangelabs().james_and_jane();
    let url = world.server().url();
    let real = runtime().block_on(token_of(url));
    let mut claims = claims;
    claims["tid"] = json!(world.server().tenant_id());
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(&claims));
    let front = Front::before(url, move |seen, _| {
        if seen.path.ends_with("/token") {
            let answer =
                json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
            return Weather::json(answer.to_string());
        }
        let refusal = refusals.iter().find(|(part, ..)| seen.path.contains(part));
        match refusal {
            Some((_, status, code)) => Weather::refused(*status, code),
            None if seen.is_graph() => Weather::As(real.clone()),
            None => Weather::Fine,
        }
    });
    let front_url = front.url();
    (world.behind(PROJECT, &front_url, &front_url), front)
}

/// The claims of an application with all permissions except these.
pub(crate) fn application(but: &[&str]) -> Value {
    let roles = READS.into_iter().chain(WRITES).filter(|role| !but.contains(role));
    json!({ "roles": roles.collect::<Vec<_>>() })
}

/// Runs `doctor`, which writes nothing and sends few requests.
pub(crate) fn doctor(claims: Value, refusals: Refusals, more: &[&str]) -> Run {
    let (world, front) = doctor_world(claims, refusals);
    let run = world.run(&[&["doctor"], more].concat());
    assert!(world.server().store().writes().is_empty());
    assert!(front.seen().iter().all(|seen| !seen.writes()), "nothing is written");
    assert!(front.seen().len() < 20, "it is cheap: {}", front.seen().len());
    run
}
