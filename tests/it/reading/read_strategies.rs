//! Reading users: independent requests at the same time, users from the first page of a list on, no
//! excluded users, and no strategy that returns false facts.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use mfactl_sandbox::{Answering, Undocumented, seeds};
use serde_json::{Value, json};

use crate::reading::read_costs::{EVERYBODY, stats};
use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{PROJECT, World};

/// A place where requests wait for each other, with a timeout.
#[derive(Default)]
struct Meeting {
    here: Mutex<BTreeSet<&'static str>>,
    another: Condvar,
}

impl Meeting {
    const LONG: Duration = Duration::from_secs(20);

    fn arrives(&self, name: &'static str) {
        self.here.lock().expect("no panic").insert(name);
        self.another.notify_all();
    }

    fn awaits(&self, names: &[&'static str]) -> bool {
        let here = self.here.lock().expect("no panic");
        let lacks = |here: &mut BTreeSet<_>| !names.iter().all(|name| here.contains(name));
        let (_here, late) =
            self.another.wait_timeout_while(here, Self::LONG, lacks).expect("no panic");
        !late.timed_out()
    }
}

#[test]
fn independent_requests_are_sent_at_the_same_time() {
    const FIRST: [&str; 8] = [
        "/directory/roleDefinitions?",
        "/directory/roleAssignments?",
        "/directory/roleEligibilityScheduleInstances?",
        "/conditionalAccess/policies",
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        "/policies/authenticationMethodsPolicy",
        "/groups?$filter=",
        "/$batch",
    ];
    let world = exchangelabs().world().file("policies/staff.yaml", EVERYBODY);
    let meeting = Arc::new(Meeting::default());
    let alone = Arc::new(Mutex::new(Vec::new()));
    let (at, waited_alone) = (Arc::clone(&meeting), Arc::clone(&alone));
    let front = Front::before(world.server().url(), move |seen, _| {
        if let Some(name) = FIRST.iter().find(|name| seen.path.contains(**name)) {
            at.arrives(name);
            if !at.awaits(&FIRST) {
                waited_alone.lock().expect("no panic").push(*name);
            }
        }
        Weather::Fine
    });
    let world = world.behind(PROJECT, &front.url(), &front.url());
    world.run(&["plan"]).ends(0);
    assert_eq!(*alone.lock().expect("no panic"), Vec::<&str>::new());
}

const BUT_THE_PILOT: &str = "\
version: 1
policies:
  staff:
    appliesTo: { groups: [All Staff] }
    except:
      - groups: [{ id: PILOT, name: MFA Pilot }]
        reason: they try something else
    desired: { perUserMfa: enabled }
";

/// A tenant with some users in the group `MFA Pilot`, and a policy that excludes that group.
struct Piloted {
    world: World,
    pilot: String,
    members: String,
}

fn piloted(users: u32, pilots: u32) -> Piloted {
    let seed = seeds::generated(users);
    let generated = seed.generated.clone().expect("it is generated");
    let row = |index| {
        let name = format!("user{index:06}@exchangelabs.nl");
        json!({ "id": generated.id(index), "userPrincipalName": name, "accountEnabled": true,
                "userType": "Member", "displayName": name })
    };
    // The members are spread over the whole list, not only over its first page.
    let members: Vec<Value> = (0..pilots).map(|nth| row(nth * (users / pilots))).collect();
    let world = TenantBuilder::of(seed).world();
    let (_, found) = world.call("GET", "/v1.0/groups?$filter=displayName eq 'MFA Pilot'", None);
    let pilot = found.pointer("/value/0/id").and_then(Value::as_str).expect("a group").to_owned();
    let world = world.file("policies/staff.yaml", BUT_THE_PILOT.replace("PILOT", &pilot));
    Piloted { world, pilot, members: json!({ "value": members }).to_string() }
}

#[test]
fn users_are_read_while_their_list_is_read_except_excluded_ones() {
    const READ: &str = "a batch about users";
    let Piloted { world, pilot, members } = piloted(2_100, 300);
    let meeting = Arc::new(Meeting::default());
    let alone = Arc::new(Mutex::new(0));
    let (at, pages_alone) = (Arc::clone(&meeting), Arc::clone(&alone));
    let front = Front::before(world.server().url(), move |seen, _| {
        if seen.path.contains(&format!("{pilot}/transitiveMembers")) {
            return Weather::json(members.clone());
        }
        if seen.body.contains("/authentication/methods") {
            at.arrives(READ);
        }
        if seen.path.contains("transitiveMembers")
            && seen.path.contains("skiptoken")
            && !at.awaits(&[READ])
        {
            *pages_alone.lock().expect("no panic") += 1;
        }
        Weather::Fine
    });
    let world = world.behind(PROJECT, &front.url(), &front.url());
    let run = world.run(&["plan", "--format", "json", "--stats"]).ends(0);
    assert_eq!(
        *alone.lock().expect("no panic"),
        0,
        "pages that were read before any user was read"
    );
    let cost = stats(&run);
    let parts = cost["readParts"].as_u64().expect("a number");
    assert!((3_600..3_620).contains(&parts), "{cost}");
}

/// Refuses some of the parts of a batch that ask for all facts of a user.
fn grudging(seen: &Seen) -> Weather {
    if !seen.path.ends_with("/$batch") {
        return Weather::Fine;
    }
    let asked: Value = serde_json::from_str(&seen.body).expect("JSON");
    let whole = |part: &Value| part["url"].as_str().is_some_and(|url| url.contains("?$select=req"));
    let is_chosen = |part: &&Value| {
        let user = part["url"].as_str().and_then(|url| url.get(7..15));
        user.and_then(|id| u32::from_str_radix(id, 16).ok()).is_some_and(|id| id % 40 == 0)
    };
    let parts = asked["requests"].as_array().expect("requests");
    let refused: Vec<Value> = parts
        .iter()
        .filter(|part| whole(part))
        .filter(is_chosen)
        .map(|part| part["id"].clone())
        .collect();
    if refused.is_empty() {
        return Weather::Fine;
    }
    Weather::body(move |body| {
        let mut answer: Value = serde_json::from_str(&body).expect("JSON");
        for part in answer["responses"].as_array_mut().expect("responses") {
            if refused.contains(&part["id"]) {
                part["status"] = json!(400);
                part["body"] = json!({ "error": { "code": "badRequest", "message": "" } });
            }
        }
        answer.to_string()
    })
}

#[test]
fn user_refused_by_one_strategy_is_read_by_the_other() {
    let tenant = |answering| {
        let undocumented = Undocumented { one_request_read: answering, ..Undocumented::default() };
        let tenant = TenantBuilder::generated(1_500).undocumented(undocumented);
        tenant.world().file("policies/staff.yaml", EVERYBODY)
    };
    let plan = |world: &World| world.run(&["plan", "--all", "--format", "json", "--stats"]).ends(0);
    let documented = plan(&tenant(Answering::Refuse));
    let world = tenant(Answering::Allow);
    let front = Front::before(world.server().url(), |seen, _| grudging(seen));
    let world = world.behind(PROJECT, &front.url(), &front.url());
    let run = plan(&world);
    let without_fingerprint = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("ingerprint"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_fingerprint(&run.stdout), without_fingerprint(&documented.stdout));
    let cost = stats(&run);
    let way = cost["ways"]["reading"].as_str().expect("a way");
    assert!(way.starts_with("one request per user"), "{cost}");
    let parts = cost["readParts"].as_u64().expect("a number");
    assert!((1_600..1_800).contains(&parts), "{cost}");
}
