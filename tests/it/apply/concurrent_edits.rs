//! Another writer changes the tenant while the program works: a change whose basis is gone is not made.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Fault, Faults, PartInfo, seeds, user_lines};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::support::inside::load;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, World, request};

const JANE: &str = "/users/j.smith@exchangelabs.nl";

/// A tenant in which another writer sends a request right before the second request of a kind. The first
/// request of that kind is for the plan, and the second one checks that the plan is still valid.
fn changed_meanwhile(
    which: impl Fn(&PartInfo) -> bool + Send + Sync + 'static,
    method: &'static str,
    path: String,
    body: Value,
) -> World {
    let url: Arc<OnceLock<String>> = Arc::default();
    let address = Arc::clone(&url);
    let seen = AtomicUsize::new(0);
    let faults = Faults::by(move |part| {
        if which(part) && seen.fetch_add(1, Ordering::SeqCst) == 1 {
            let url = address.get().expect("an address");
            let sent = request(url, method, &path, Some(&body));
            let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
            assert!(status < 300, "{status} {answer}");
        }
        Fault::None
    });
    let world = exchangelabs().faults(faults).world();
    url.set(world.server().url().to_owned()).expect("set once");
    world.file("policies/staff.yaml", JAMES_AND_JANE)
}

/// Matches reads of the methods of Jane by her id.
fn reads_of_jane() -> impl Fn(&PartInfo) -> bool {
    let seed = seeds::exchangelabs();
    let jane = seed.users.iter().find(|one| {
        one.user.get("userPrincipalName").and_then(Value::as_str) == JANE.strip_prefix("/users/")
    });
    let id = jane.and_then(|jane| jane.user.get("id")).and_then(Value::as_str);
    let path = format!("{}/authentication/methods", id.expect("an id"));
    move |part| part.method == "GET" && part.path.ends_with(&path)
}

#[test]
fn phone_registered_since_the_plan_is_kept() {
    let own = json!({ "phoneType": "mobile", "phoneNumber": "+32 471234567" });
    let path = format!("/v1.0{JANE}/authentication/phoneMethods");
    let world = changed_meanwhile(reads_of_jane(), "POST", path.clone(), own);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(
        run.stdout.contains("1 change done · 0 failed · 2 changed since the plan"),
        "{}",
        run.text()
    );
    let (_, phones) = world.call("GET", &path, None);
    assert!(phones.to_string().contains("+32 471234567"), "{phones}");
    let next = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(next.stdout.contains("[number-kept]"), "{}", next.text());
    let (_, phones) = world.call("GET", &path, None);
    assert!(phones.to_string().contains("+32 471234567"), "{phones}");
}

/// Jane is looked up by name for the plan, and again before the first write.
#[test]
fn user_disabled_since_the_plan_is_not_written() {
    let by_name = |part: &PartInfo| part.method == "GET" && part.path.contains("j.smith");
    let disabled = json!({ "accountEnabled": false });
    let world = changed_meanwhile(by_name, "PATCH", format!("/v1.0{JANE}"), disabled);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert!(
        run.stdout.contains("1 change done · 0 failed · 2 changed since the plan"),
        "{}",
        run.text()
    );
    assert!(run.stdout.contains("the account was changed since the plan"), "{}", run.text());
}

#[test]
fn method_removed_during_the_apply_blocks_mfa_raise() {
    const SCHOLTEN: &str = "a.scholten@exchangelabs.nl";
    let phones = format!("/v1.0/users/{SCHOLTEN}/authentication/phoneMethods");
    let office = format!("{phones}/e37fc753-ff3b-4958-9484-eaa9425c82bc");
    // The test sends the first such request below; the program sends the second one, for another user.
    let adds = |part: &PartInfo| part.method == "POST" && part.path.ends_with("/phoneMethods");
    let world = changed_meanwhile(adds, "DELETE", office, Value::Null);
    let own = json!({ "phoneType": "office", "phoneNumber": "+31 201234569" });
    assert_eq!(world.call("POST", &phones, Some(&own)).0, 201);
    let policy = "version: 1\npolicies:\n  scholten:\n    appliesTo: { users: [a.scholten@exchangelabs.nl] }\n    desired: { perUserMfa: enabled }\n";
    let world = world.file("policies/scholten.yaml", policy);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(
        run.stdout.contains("3 users get MFA") || run.stdout.contains("2 users get MFA"),
        "{}",
        run.text()
    );
    assert!(run.stdout.contains("re-reading the user did not confirm"), "{}", run.text());
    let store = world.server().store();
    assert_eq!(store.judge(SCHOLTEN), Some(Verdict::PasswordOnly), "{}", run.text());
}

#[test]
fn rule_check_that_fails_ends_a_long_apply() {
    let inside = exchangelabs().inside();
    let folder =
        World::empty().file("mfactl.yaml", PROJECT).file("policies/staff.yaml", JAMES_AND_JANE);
    let set = load(&folder.path("")).expect("policies");
    let plan = inside.plan(&set).expect("a plan");
    assert!(plan.changes.len() > 2);
    let checks = AtomicUsize::new(0);
    let report =
        inside.apply_watched(&plan, async || match checks.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err("the set of break-glass accounts has changed since the plan".to_owned()),
        });
    let counts = report.counts();
    assert_eq!((counts.done, counts.not_tried), (2, plan.changes.len() - 2), "{report:?}");
    let store = inside.server.store();
    assert!(store.writes().iter().all(|write| write.path.ends_with("/phoneMethods")));
}

#[test]
fn user_added_to_break_glass_since_the_plan_is_not_written() {
    let guard = seeds::BREAK_GLASS_ACCOUNTS;
    let member = "https://graph.microsoft.com/v1.0/directoryObjects/";
    let seed = seeds::exchangelabs();
    let james = seed.users.iter().find(|one| {
        one.user.get("userPrincipalName").is_some_and(|name| name == "j.brown@exchangelabs.nl")
    });
    let id = james.and_then(|james| james.user.get("id")).and_then(Value::as_str);
    let world = changed_meanwhile(
        move |part| part.path.contains(&format!("{guard}/transitiveMembers")),
        "POST",
        format!("/v1.0/groups/{guard}/members/$ref"),
        json!({ "@odata.id": format!("{member}{}", id.expect("an id")) }),
    );
    let groups = format!("  groups:\n    - {{ id: {guard} }}\nbrakes:");
    let project = PROJECT.replace("brakes:", &groups);
    let project = world.project(&project);
    let world = world.file("mfactl.yaml", project);
    let run = world.run(&["apply", "--auto-approve"]).ends(4);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    assert!(run.stderr.contains("the set of break-glass accounts has changed"), "{}", run.text());
    assert_eq!(
        world.server().store().writes().len(),
        1,
        "one write of the other writer, and none of the program"
    );
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(
        run.stdout.contains("excluded: break-glass accounts are never written to"),
        "{}",
        run.text()
    );
    assert_eq!(
        world.server().store().judge("j.brown@exchangelabs.nl"),
        Some(Verdict::MustRegister),
        "the account is reported and unchanged"
    );
}

#[test]
fn two_applies_at_once_harm_no_user() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let world = exchangelabs().world().copy(&root.join("policies"), "policies");
    let before = world.server().store();
    let apply = || world.command(&["apply", "--auto-approve"]).output().expect("the program");
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(apply);
        let other = apply();
        (one.join().expect("no panic"), other)
    });
    for output in [&one, &other] {
        let text = world.alike(&output.stdout) + &world.alike(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 5 | 6)), "{text}");
    }
    let store = world.server().store();
    for (was, is) in user_lines(&before).zip(user_lines(&store)) {
        let bad = matches!(is.sign_in, Verdict::MustRegister | Verdict::Blocked);
        assert!(!bad || was.sign_in == is.sign_in, "{was:?} → {is:?}");
    }
    world.run(&["apply", "--auto-approve"]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
    let phones = world.server().store();
    let phones = phones.writes().iter().filter(|line| line.path.ends_with("/phoneMethods"));
    assert!(
        phones.count() > 20,
        "many phones were added, each once, because Graph refuses a second one"
    );
}
