//! `mfactl explain`: its arguments, and that its explanations agree with the plan.
//!
//! Not here: the exact output (`tests/goldens/explain.rs`).

use std::path::Path;

use mfactl::explain::{self, ExplainVerdict, Reading};
use mfactl::policy::PolicySet;
use mfactl::scope::ResolvedTenant as People;
use mfactl::settings::change::PolicyIndex;
use mfactl::tenant::facts::Read;
use serde_json::Value;

use crate::support::inside::load;
use crate::support::tenant_builder::exchangelabs;
use crate::support::tiny_tenant::Tenant;
use crate::support::world::{PROJECT, World};

fn world() -> World {
    let world = exchangelabs().served();
    let project = world.project(PROJECT);
    world.copy(Path::new("tests/explain/policies"), "policies").file("mfactl.yaml", project)
}

#[test]
fn user_is_found_by_id_or_by_name_in_any_case() {
    let world = world();
    let by = |word: &str| {
        let text = world.run(&["explain", word, "--format", "json"]).ends(0).stdout;
        let mut explanation: Value = serde_json::from_str(&text).expect("JSON");
        // The path contains the word of the lookup.
        explanation["reading"]["calls"][0].take();
        explanation
    };
    let by_name = by("j.brown@exchangelabs.nl");
    assert_eq!(by("J.Brown@ExchangeLabs.NL"), by_name);
    assert_eq!(by(by_name["user"]["id"].as_str().expect("an id")), by_name);
}

#[test]
fn unknown_user_is_an_error() {
    let world = world();
    for (word, message) in [
        (
            "nobody@exchangelabs.nl",
            "error: no user `nobody@exchangelabs.nl` in this tenant\nhelp: ",
        ),
        ("j.brown", "error: no user `j.brown` in this tenant\nhelp: write the full"),
        ("..", "error: no user `..` in this tenant\nhelp: "),
        ("", "error: no user `` in this tenant\nhelp: "),
        ("00000000-0000-4000-8000-000000000abc", "error: no user with id `00000000-"),
    ] {
        let run = world.run(&["explain", word]).ends(1);
        assert!(run.stderr.starts_with(message), "{}", run.text());
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn faults_of_policies_end_explain_with_3() {
    let broken = world().file("policies/more.yaml", "version: 1\npolicies:\n  x: {}\n");
    broken.run(&["explain", "j.brown@exchangelabs.nl"]).ends(3);
    let policy = "version: 1\npolicies:\n  x:\n    appliesTo: { groups: [No Such] }\n    desired: { perUserMfa: enabled }\n";
    let missing = world().file("policies/more.yaml", policy);
    let run = missing.run(&["explain", "j.brown@exchangelabs.nl"]).ends(3);
    assert!(run.stderr.contains("group-not-found"), "{}", run.text());
}

/// Policies of every kind of selector, for the tenant of `small`.
const SELECTORS: &str = "\
version: 1
policies:
  all: { appliesTo: { everyone: true }, priority: 1, desired: { perUserMfa: enabled } }
  sales:
    appliesTo: { groups: [Sales], users: [dan@x.y, fay@x.y, bg1@x.y] }
    priority: 2
    except:
      - users: [{ id: 00000000-0000-4000-8000-000000000003 }]
      - groups: [{ id: 00000000-0000-4000-8000-000000000069 }]
        until: 2026-01-01
    where: { usageLocation: { none: [CN] } }
    desired: { perUserMfa: enforced }
  roles:
    appliesTo: { roles: [Global Administrator], groups: [All] }
    priority: 3
    except:
      - roles: [Global Administrator]
      - groups: [{ id: 00000000-0000-4000-8000-000000000065 }]
    where: { department: [Sales, Finance], userType: any, accountEnabled: any }
    desired: { perUserMfa: enforced }
  held: { appliesTo: { roles: [Global Administrator] }, priority: 4, where: { synced: true }, desired: { perUserMfa: enforced } }
  methods:
    appliesTo: { groups: [All], everyone: true }
    priority: 5
    where: { registered: { any: [authenticator], none: [passkey] } }
    desired: { phones: { mobile: { from: mobilePhone } } }
";

#[test]
fn why_and_applies_agree_in_a_small_tenant() {
    let tenant = Tenant::new()
        .but("ann", |facts| facts.methods = crate::support::tiny_tenant::UNREAD)
        .but("ben", |facts| facts.methods = crate::support::tiny_tenant::methods(&[]));
    let (set, observed) = tenant.observed(SELECTORS).expect("policies that resolve");
    let (applying, others) = compared(&set, &observed, &Read::Known(tenant.roles.clone()));
    assert!(applying > 10 && others > 20, "{applying} {others}");
}

#[test]
fn why_and_applies_agree_in_the_seed() {
    let inside = exchangelabs().inside();
    let world = world();
    for folder in [Path::new("."), world.path("mfactl.yaml").parent().expect("a folder")] {
        let set = load(folder).expect("policies");
        let (observed, roles) = inside.observe_with(&set, "svc.backup@exchangelabs.nl");
        let (applying, others) = compared(&set, &observed, &roles);
        assert!(applying > 40 && others > 40, "{applying} {others}");
    }
}

/// Compares `why` and `applies` for every user and policy. Returns the numbers of users that a policy
/// applies to and does not apply to.
fn compared(
    set: &PolicySet,
    observed: &mfactl::observed::Observed,
    roles: &Read<mfactl::tenant::roles::Roles>,
) -> (usize, usize) {
    let directory = &observed.directory;
    let people = People { directory, roles, today: observed.basis.today };
    let (mut applying, mut others) = (0, 0);
    for (index, user) in directory.users() {
        let facts = observed.facts(index);
        for (place, policy) in set.policies.iter().enumerate() {
            let why = observed.scope.why(people, policy, index, &facts);
            let applies = observed.scope.applies(PolicyIndex::new(place), policy, index, &facts);
            assert_eq!(why.applies(), applies, "{} {}: {why:?}", user.name, policy.name);
            *(if applies { &mut applying } else { &mut others }) += 1;
        }
    }
    (applying, others)
}

#[test]
fn explanation_agrees_with_the_plan() {
    let tenant =
        Tenant::new().but("ben", |facts| facts.methods = crate::support::tiny_tenant::methods(&[]));
    let whole = tenant.plan(SELECTORS).expect("a plan").plan;
    for (index, user) in whole.directory.users() {
        let (set, observed) = tenant.observed(SELECTORS).expect("policies that resolve");
        let explained = explain::explain(
            &set,
            observed,
            &Read::Known(tenant.roles.clone()),
            index,
            Reading::default(),
        );
        let (explanation, plan) = explained.expect("a user of the tenant");
        assert_eq!(plan.changes, whole.changes, "{}", user.name);
        let planned = whole.users.iter().find(|one| one.user == index);
        if let Some(planned) = planned {
            let standing = &explanation.standing;
            assert_eq!((standing.before, standing.after), (planned.before, planned.after));
        }
        for decision in &explanation.settings {
            let mut changes = whole.changes.iter();
            let change = changes.find(|one| one.user == index && one.setting == decision.setting);
            assert_eq!(
                change.is_some(),
                decision.verdict == ExplainVerdict::Changes,
                "{}",
                user.name
            );
            let after = change.map_or(decision.observed, |change| change.after);
            assert_eq!(decision.planned, after, "{}", user.name);
        }
    }
}
