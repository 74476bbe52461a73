//! Objects of the tenant in a plan: which accounts a change affects, and that nothing else depends on
//! an object that is not written.
//!
//! Not here: how a plan prints them (`tests/cases/tenant-object-*`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeMap;
use std::fs;

use mfactl::id::UserId;
use mfactl::observed::Observed;
use mfactl::plan::Plan;
use mfactl::plan::phase::{Phase, Step};
use mfactl::policy::PolicySet;
use mfactl::posture::Posture;
use mfactl::resources::ObjectKind;
use mfactl_sandbox::records::Seed;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use crate::plan::promises::holds;
use crate::support::inside::load;
use crate::support::invented::Invented;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

const ON: &str = "version: 1\ntenant: { securityDefaults: on }\n";
const OFF: &str = "version: 1\ntenant: { securityDefaults: off }\n";

/// A phone for the sales staff, and security defaults for all.
const WITH_PHONES: &str = "\
version: 1
tenant: { securityDefaults: on }
policies:
  sales:
    appliesTo: { groups: [Sales] }
    desired: { phones: { mobile: { from: mobilePhone, smsSignIn: off } } }
";

fn files(policy: &str) -> (World, PolicySet) {
    let folder = World::empty().file("mfactl.yaml", PROJECT).file("policies/all.yaml", policy);
    let set = load(&folder.path("")).expect("policies");
    (folder, set)
}

fn is_on(seed: &Seed) -> bool {
    seed.tenant.security_defaults.get("isEnabled") == Some(&Value::Bool(true))
}

/// The accounts whose posture the plan says an object changes.
fn affected(plan: &Plan) -> BTreeMap<UserId, (Posture, Posture)> {
    let all = plan.objects.iter().flat_map(|change| &change.affected);
    let id = |user| plan.directory.user(user).expect("a user").id;
    all.map(|one| (id(one.user), (one.before, one.after))).collect()
}

/// The posture of every enabled account.
fn postures(observed: &Observed) -> BTreeMap<UserId, Posture> {
    let enabled = observed.directory.users().filter(|(_, user)| user.account.enabled);
    let judge = observed.basis.judge();
    enabled.map(|(index, user)| (user.id, judge.posture(index, &observed.facts(index)))).collect()
}

/// Plans the switch in one tenant, and compares with a tenant in which it is switched.
fn affects_the_accounts_that_differ(case: &Invented) -> TestCaseResult {
    let wanted = !is_on(&case.seed());
    let (_, set) = files(if wanted { ON } else { OFF });
    let before = case.tenant().security_defaults(!wanted).inside();
    let Ok(observed) = before.observe(&set) else { return Ok(()) };
    let earlier = postures(&observed);
    let plan = before.plan(&set).expect("a plan");
    let after = case.tenant().security_defaults(wanted).inside();
    let later = postures(&after.observe(&set).expect("a tenant"));
    let differing: BTreeMap<UserId, (Posture, Posture)> = earlier
        .iter()
        .filter_map(|(user, before)| Some((*user, (*before, *later.get(user)?))))
        .filter(|(_, (before, after))| before != after)
        .collect();
    prop_assert_eq!(affected(&plan), differing);
    Ok(())
}

#[test]
fn object_affects_exactly_the_accounts_that_differ_once_it_is_switched() {
    holds(6, false, |case, _| affects_the_accounts_that_differ(case));
}

#[test]
#[ignore = "long: hundreds of invented tenants"]
fn object_affects_exactly_the_accounts_that_differ_in_hundreds_of_tenants() {
    holds(20, false, |case, _| affects_the_accounts_that_differ(case));
    holds(300, true, |case, _| affects_the_accounts_that_differ(case));
}

#[test]
fn object_counts_methods_that_users_get_in_the_same_plan() {
    let inside = exchangelabs().inside();
    let becoming = |policy: &str| {
        let plan = inside.plan(&files(policy).1).expect("a plan");
        let change = plan.objects.first().expect("an object").clone();
        assert_eq!(change.phase(), Phase::Demand);
        let count = |posture| change.becoming(posture).count();
        (count(Posture::Open), count(Posture::Protected))
    };
    let ((open, protected), (fewer_open, more_protected)) = (becoming(ON), becoming(WITH_PHONES));
    assert!(fewer_open < open && more_protected > protected, "{open} and {fewer_open} open");
}

#[test]
fn accounts_that_an_object_affects_are_in_no_policy_too() {
    let inside = exchangelabs().inside();
    let plan = inside.plan(&files(ON).1).expect("a plan").only_concerned();
    assert!(plan.policies.is_empty() && plan.users.is_empty());
    assert!(affected(&plan).len() > 10, "{}", affected(&plan).len());
    let steps: Vec<Step<'_>> = plan.steps_of(Phase::Demand).collect();
    assert!(matches!(steps.as_slice(), [Step::Object(_)]));
}

#[test]
fn object_that_is_not_written_changes_no_basis() {
    let inside = exchangelabs().inside();
    let plan = inside.plan(&files(ON).1).expect("a plan");
    assert!(ObjectKind::ALL.iter().all(|object| !object.is_written()));
    for phase in Phase::ALL {
        assert_eq!(*plan.basis_of(phase), plan.basis, "{phase:?}");
    }
}

#[test]
fn object_that_could_not_be_read_is_not_changed() {
    let tenant = exchangelabs().refusing("identitySecurityDefaults", 403, "accessDenied");
    let inside = tenant.inside();
    let plan = inside.plan(&files(ON).1).expect("a plan");
    assert!(plan.objects.is_empty() && !plan.is_complete());
}

#[test]
fn selected_part_has_no_objects() {
    let world = exchangelabs().world().file("policies/all.yaml", WITH_PHONES);
    let whole = world.run(&["plan"]).ends(0).stdout;
    assert!(whole.contains("Objects of the tenant"), "{whole}");
    for part in [["--policy", "sales"], ["--user", "j.brown@exchangelabs.nl"]] {
        let plan = world.run(&["plan", part[0], part[1]]).ends(0).stdout;
        assert!(!plan.contains("Objects of the tenant"), "{plan}");
    }
}

#[test]
fn saved_plan_shows_objects_and_is_refused_if_one_is_edited() {
    let world = exchangelabs().world().file("policies/all.yaml", WITH_PHONES);
    let made = world.run(&["plan", "--format", "json", "--out", "a.plan"]).ends(0);
    let made: Value = serde_json::from_str(&made.stdout).expect("JSON");
    assert_eq!(made["formatVersion"], "1.2");
    assert_eq!(made["objects"][0]["object"], "tenant.securityDefaults");
    let shown = world.run(&["show", "a.plan", "--format", "json"]).ends(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), made);
    let text = fs::read_to_string(world.path("a.plan")).expect("a plan");
    let edited = text.replacen("\"after\":{\"switch\":true}", "\"after\":{\"switch\":false}", 1);
    assert_ne!(edited, text);
    fs::write(world.path("edited.plan"), edited).expect("a file");
    let run = world.run(&["apply", "edited.plan", "--auto-approve"]);
    assert_ne!(run.code, Some(0), "{}", run.text());
    assert!(world.server().store().writes().is_empty());
}
