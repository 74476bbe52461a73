//! Guard groups while the index of the directory is late. A user that was just added to such a group counts
//! as guarded. A user that was just removed from a group that covers or allows counts as not covered. The
//! program reports both.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mfactl_sandbox::records::{Document, Seed};
use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Fault, Faults, PartInfo, WriteLogLine, seeds};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use uuid::{Uuid, uuid};

use crate::support::promise_checks::touched;
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{JAMES_AND_JANE, PROJECT, World, request};

const NEVER: Duration = Duration::from_secs(36_000);

/// Three groups in a circle: each is a member of the one before, and the first one of the last.
const CIRCLE: [Uuid; 3] = [
    uuid!("9a7d0000-0000-4000-8000-000000000001"),
    uuid!("9a7d0000-0000-4000-8000-000000000002"),
    uuid!("9a7d0000-0000-4000-8000-000000000003"),
];

/// A group that has the role Global Administrator.
const RULERS: Uuid = uuid!("9a7d0000-0000-4000-8000-000000000004");

const JAMES: &str = "j.brown@exchangelabs.nl";
const JANE: &str = "j.smith@exchangelabs.nl";

fn id_in(seed: &Seed, name: &str) -> Uuid {
    let user = seed.users.iter().find(|one| one.user["userPrincipalName"] == name);
    let id = user.and_then(|user| user.user["id"].as_str()).expect("a user of that name");
    id.parse().expect("an id")
}

fn id_of(name: &str) -> Uuid {
    id_in(&seeds::exchangelabs(), name)
}

/// Adds the circle and the group with the role, both without users.
fn with_groups(mut tenant: TenantBuilder) -> TenantBuilder {
    for (place, id) in CIRCLE.into_iter().enumerate() {
        let next = CIRCLE[(place + 1) % CIRCLE.len()];
        tenant = tenant.with_group(id, &format!("Circle {place}"), vec![next]);
    }
    tenant.with_group(RULERS, "Rulers", Vec::new()).changed(|seed| {
        let roles = &mut seed.tenant.role_assignments;
        let global = seed.tenant.role_definitions.iter();
        let global = global.clone().find(|role| role["displayName"] == "Global Administrator");
        let mut given = roles[0].clone();
        given.insert("id".to_owned(), "rulers-role".into());
        given.insert("principalId".to_owned(), RULERS.to_string().into());
        given.insert("roleDefinitionId".to_owned(), global.expect("a role")["id"].clone());
        given.insert("directoryScopeId".to_owned(), "/".into());
        roles.push(given);
    })
}

/// The tenant with these groups, and an index that shows no later change of a group.
fn late(tenant: TenantBuilder) -> World {
    with_groups(tenant).index_late(NEVER).james_and_jane()
}

fn join(user: Uuid) -> Value {
    json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{user}") })
}

impl World {
    /// Adds a user to a group.
    fn puts(self, name: &str, group: Uuid) -> Self {
        let path = format!("/v1.0/groups/{group}/members/$ref");
        let (status, answer) = self.call("POST", &path, Some(&join(id_of(name))));
        assert_eq!(status, 204, "{answer}");
        self
    }

    /// Removes a user from a group.
    fn takes(self, name: &str, group: Uuid) -> Self {
        let path = format!("/v1.0/groups/{group}/members/{}/$ref", id_of(name));
        let (status, answer) = self.call("DELETE", &path, None);
        assert_eq!(status, 204, "{answer}");
        self
    }

    /// The world with a break-glass group in addition to the two accounts.
    fn guarded_by(self, group: Uuid) -> Self {
        let groups = format!("  groups:\n    - {{ id: {group}, allowEmpty: true }}\nbrakes:");
        let project = self.project(&PROJECT.replace("brakes:", &groups));
        self.file("mfactl.yaml", project)
    }

    fn excepting(self, except: &str) -> Self {
        let policy = JAMES_AND_JANE
            .replace("    appliesTo:", &format!("    except: [{{ {except} }}]\n    appliesTo:"));
        self.file("policies/staff.yaml", policy)
    }

    /// The users that were written to.
    fn written(&self) -> Vec<Uuid> {
        let store = self.server().store();
        let users = store.writes().iter().filter_map(|line: &WriteLogLine| touched(line)).flatten();
        users.collect()
    }
}

/// Checks that the apply writes to Jane only, and reports James.
#[track_caller]
fn only_jane(world: &World, reason: &str) {
    let run = world.run(&["apply", "--auto-approve"]);
    let (james, jane) = (id_of(JAMES), id_of(JANE));
    let written = world.written();
    assert!(written.contains(&jane) && !written.contains(&james), "{}", run.text());
    assert!(run.stdout.contains("[membership-unsettled]"), "{}", run.text());
    assert!(run.stdout.contains(reason), "{}", run.text());
}

#[test]
fn user_just_added_to_a_break_glass_group_is_not_written() {
    let group = seeds::BREAK_GLASS_ACCOUNTS;
    let world = late(exchangelabs()).guarded_by(group).puts(JAMES, group);
    only_jane(&world, "counts as break-glass");
    let world = late(exchangelabs());
    only_jane(&world.guarded_by(CIRCLE[0]).puts(JAMES, CIRCLE[2]), "counts as break-glass");
}

#[test]
fn user_just_removed_from_a_break_glass_group_is_not_written_yet() {
    let group = seeds::BREAK_GLASS_ACCOUNTS;
    let world = late(exchangelabs().member(group, id_of(JAMES)));
    let world = world.guarded_by(group).takes(JAMES, group);
    only_jane(&world, "counts as break-glass");
}

#[test]
fn user_just_added_to_an_excluded_group_is_not_written() {
    let except = format!("groups: [{{ id: {} }}], allowEmpty: true", CIRCLE[0]);
    let world = late(exchangelabs()).excepting(&except);
    only_jane(&world.puts(JAMES, CIRCLE[1]), "counts as excluded from policy `staff`");
}

#[test]
fn user_just_added_to_a_group_of_an_excluded_role_is_not_written() {
    let world = late(exchangelabs());
    let world = world.excepting("roles: [Global Administrator]").puts(JAMES, RULERS);
    only_jane(&world, "the group is used by a directory role");
}

/// A policy that requires MFA of some users, except the members of some groups.
fn conditional_access(include: Value, exclude: &[Uuid]) -> Document {
    let mut users = include;
    users["excludeGroups"] = json!(exclude);
    let policy = json!({
        "id": "b7b0e0b4-5f0c-4f39-9f4b-5a0d1c1a7c11",
        "displayName": "MFA",
        "state": "enabled",
        "conditions": {
            "users": users,
            "applications": { "includeApplications": ["All"] },
            "clientAppTypes": ["all"],
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
    });
    policy.as_object().expect("an object").clone()
}

/// James and Jane with per-user MFA, and a Conditional Access policy that covers them too.
fn covered(include: Value) -> World {
    let tenant = exchangelabs()
        .conditional_access(vec![conditional_access(include, &[CIRCLE[0]])])
        .mfa_state(JAMES, "enabled")
        .mfa_state(JANE, "enabled");
    let policy = "version: 1\npolicies:\n  staff:\n    appliesTo: { users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl] }\n    desired: { perUserMfa: disabled }\n";
    late(tenant).file("policies/staff.yaml", policy)
}

#[test]
fn user_just_excluded_from_conditional_access_keeps_per_user_mfa() {
    let world = covered(json!({ "includeUsers": ["All"] })).puts(JAMES, CIRCLE[2]);
    only_jane(&world, "the group is used by Conditional Access policy `MFA`");
    let run = world.run(&["plan"]).ends(0);
    assert!(run.stdout.contains("[mfa-lowered-not-covered]"), "{}", run.text());
}

#[test]
fn user_just_removed_from_a_covered_group_keeps_per_user_mfa() {
    // Jane is in the pilot group of the seed, and the test adds James before the index stops.
    let include = json!({ "includeGroups": [seeds::MFA_PILOT] });
    let tenant = exchangelabs()
        .member(seeds::MFA_PILOT, id_of(JAMES))
        .conditional_access(vec![conditional_access(include, &[])])
        .mfa_state_of_each("enabled");
    let policy = "version: 1\npolicies:\n  staff:\n    appliesTo: { users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl] }\n    desired: { perUserMfa: disabled }\n";
    let world = late(tenant).file("policies/staff.yaml", policy);
    only_jane(
        &world.takes(JAMES, seeds::MFA_PILOT),
        "the group is used by Conditional Access policy `MFA`",
    );
}

/// A tenant that allows SMS and voice for one group, except for the members of others.
fn allowing_phones(include: &str, exclude: &[Uuid]) -> TenantBuilder {
    let target = |id: &str| {
        json!({ "id": id, "targetType": "group",
            "isRegistrationRequired": false, "isUsableForSignIn": false })
    };
    let aim = |one: &mut Value| {
        one["includeTargets"] = json!([target(include)]);
        let out: Vec<Value> = exclude.iter().map(|id| target(&id.to_string())).collect();
        one["excludeTargets"] = out.into();
    };
    exchangelabs()
        .member(seeds::MFA_PILOT, id_of(JAMES))
        .mfa_state_of_each("disabled")
        .method("Sms", aim)
        .method("Voice", aim)
}

/// Checks that MFA is raised for Jane, and not for James, because his phone may not be allowed.
#[track_caller]
fn only_jane_is_raised(world: &World) {
    let run = world.run(&["apply", "--auto-approve"]);
    assert!(
        run.stdout.contains("the group is used by the authentication methods policy"),
        "{}",
        run.text()
    );
    let store = world.server().store();
    let raised =
        |name| store.user(name).expect("a user").requirements["perUserMfaState"] != "disabled";
    assert!(raised(JANE), "{}", run.text());
    assert!(!raised(JAMES), "{}", run.text());
    assert_ne!(store.judge(JAMES), Some(Verdict::MustRegister));
}

#[test]
fn phone_that_was_just_disallowed_does_not_justify_raising_mfa() {
    let tenant = allowing_phones("all_users", &[CIRCLE[0]]);
    only_jane_is_raised(&late(tenant).puts(JAMES, CIRCLE[1]));
    let tenant = allowing_phones(&seeds::MFA_PILOT.to_string(), &[]);
    only_jane_is_raised(&late(tenant).takes(JAMES, seeds::MFA_PILOT));
}

/// Adds a user to a group right before the second read of its plain members. The first read is for the
/// plan, and the second one is the check before the first write.
fn joining_after_the_plan(group: Uuid, name: &'static str) -> (Faults, Arc<OnceLock<String>>) {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (address, seen) = (Arc::clone(&url), AtomicUsize::new(0));
    let members = format!("/groups/{group}/members");
    let faults = Faults::by(move |part: &PartInfo| {
        let is_read = part.method == "GET" && part.path.ends_with(&members);
        if is_read && seen.fetch_add(1, Ordering::SeqCst) == 1 {
            let path = format!("/v1.0{members}/$ref");
            let body = join(id_of(name));
            let sent = request(address.get().expect("an address"), "POST", &path, Some(&body));
            let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
            assert_eq!(status, 204, "{answer}");
        }
        Fault::None
    });
    (faults, url)
}

#[test]
fn user_added_to_a_guard_group_after_the_plan_is_not_written() {
    let (faults, url) = joining_after_the_plan(CIRCLE[2], JAMES);
    let world = late(exchangelabs().faults(faults)).guarded_by(CIRCLE[0]);
    url.set(world.server().url().to_owned()).expect("set once");
    let run = world.run(&["apply", "--auto-approve"]).ends(4);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert!(run.stderr.contains("the set of break-glass accounts has changed"), "{}", run.text());
    assert!(world.written().is_empty(), "{}", run.text());

    let (faults, url) = joining_after_the_plan(CIRCLE[2], JAMES);
    let except = format!("groups: [{{ id: {} }}], allowEmpty: true", CIRCLE[0]);
    let world = late(exchangelabs().faults(faults)).excepting(&except);
    url.set(world.server().url().to_owned()).expect("set once");
    // Nothing is left to do for an excluded account.
    let run = world.run(&["apply", "--auto-approve"]);
    assert!(matches!(run.code, Some(0 | 5)), "{}", run.text());
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert!(run.stdout.contains("changed    mobile phone: j.brown"), "{}", run.text());
    let written = world.written();
    assert!(!written.is_empty() && !written.contains(&id_of(JAMES)), "{}", run.text());
}

/// The reads of members in a plan, as paths below `groups`.
fn reads(except: &str) -> Vec<String> {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let paths = Arc::clone(&seen);
    let faults = Faults::by(move |part: &PartInfo| {
        if let Some((_, path)) = part.path.split_once("/groups/") {
            paths.lock().expect("no panic").push(path.to_owned());
        }
        Fault::None
    });
    let world = with_groups(exchangelabs()).faults(faults).world();
    let text = format!(
        "version: 1\npolicies:\n  staff:\n    appliesTo: {{ groups: [All Staff] }}\n{except}    desired: {{ perUserMfa: enabled }}\n"
    );
    world.file("policies/staff.yaml", text).run(&["plan"]).ends(0);
    let mut seen = seen.lock().expect("no panic").clone();
    seen.retain(|path| path.contains("embers"));
    seen.sort();
    seen
}

#[test]
fn only_guard_groups_cost_more_requests() {
    let indexed = |group: Uuid| format!("{group}/transitiveMembers/microsoft.graph.user");
    let plain = |group: Uuid| format!("{group}/members");
    let of_roles = reads("");
    let staff = indexed(seeds::ALL_STAFF);
    assert_eq!(of_roles.iter().filter(|path| **path == staff).count(), 1, "{of_roles:#?}");
    assert!(!of_roles.contains(&plain(seeds::ALL_STAFF)), "{of_roles:#?}");
    // Only groups with a role are read in both ways.
    assert!(of_roles.contains(&plain(RULERS)), "{of_roles:#?}");
    let guards =
        format!("    except: [{{ groups: [{{ id: {} }}], allowEmpty: true }}]\n", CIRCLE[0]);
    let mut expected = of_roles;
    expected.extend(CIRCLE.map(plain));
    expected.push(indexed(CIRCLE[0]));
    expected.sort();
    assert_eq!(reads(&guards), expected, "one request for each group of the circle, and the index");
}
