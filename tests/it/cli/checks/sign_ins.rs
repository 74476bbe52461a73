//! The second judge of `mfactl test`: it agrees with the postures of many invented people, and many people take
//! little time.
//!
//! Not here: how the two are compared (`commands::sign_ins`).

use std::fmt::Write as _;
use std::time::Instant;

use crate::sandbox::served::root_files;
use crate::support::world::World;

/// Every state with every method, each with the posture that follows.
fn many_people() -> String {
    let methods = [
        ("", "open"),
        ("mobilePhone", "protected"),
        ("alternateMobilePhone", "protected"),
        ("officePhone", "protected"),
        ("authenticator", "protected"),
        ("softwareOath", "protected"),
        ("hardwareOath", "protected"),
        ("passkey", "protected"),
        ("certificate", "protected"),
        ("external", "protected"),
        ("windowsHello", "open"),
        ("platformCredential", "open"),
        ("temporaryAccessPass", "open"),
        ("email", "open"),
        ("qrCodePin", "open"),
    ];
    let (mut people, mut expect) = ("people:\n".to_owned(), "expect:\n".to_owned());
    for (place, (method, required)) in methods.into_iter().enumerate() {
        for state in ["disabled", "enabled", "enforced"] {
            let registered =
                if method.is_empty() { String::new() } else { format!(", registered: [{method}]") };
            for (role, words) in [
                ("no", ""),
                ("a", ", roles: [User Admin]"),
                ("can", ", eligibleRoles: [User Admin]"),
            ] {
                let name = format!("p{place}-{state}-{role}");
                // The portals require MFA of a role, so a user without a method is open there.
                let posture = match (state, role, required) {
                    ("disabled", "no", _) | ("disabled", _, "protected") => "unprotected",
                    _ => required,
                };
                _ = writeln!(people, "  {name}: {{ perUserMfa: {state}{registered}{words} }}");
                _ = writeln!(expect, "  {name}: {{ posture: {posture} }}");
            }
        }
    }
    format!("version: 1\ntoday: 2026-11-22\n{people}{expect}")
}

#[test]
fn second_judge_agrees_about_every_method_state_and_role() {
    let policies = "version: 1\npolicies:\n  none: { appliesTo: { groups: [Nobody] }, desired: { perUserMfa: enabled } }\n";
    let world = World::empty()
        .file("mfactl.yaml", crate::support::world::PROJECT)
        .file("policies/p.yaml", policies)
        .file("checks/a.yaml", many_people());
    let run = world.run(&["test"]).ends(0);
    assert_eq!(
        run.stdout,
        "ok      checks/a.yaml: 135 checks, 135 people\n135 checks in 1 file: no failures\n"
    );
    // After the end of delivery, a phone is nothing that the next person must have.
    let later = many_people()
        .replace("today: 2026-11-22", "today: 2027-02-01")
        .lines()
        .filter(|line| {
            !line.contains("protected")
                || !["p1-", "p2-", "p3-"].iter().any(|key| line.trim().starts_with(key))
        })
        .collect::<Vec<_>>()
        .join("\n");
    world.file("checks/a.yaml", later + "\n").run(&["test"]).ends(0);
}

/// A check is one comparison. The measured time is printed, because a limit depends on the machine.
#[test]
fn thousand_checks_take_little_time() {
    let mut text = "version: 1\ntoday: 2026-11-22\npeople:\n".to_owned();
    let mut expect = "expect:\n".to_owned();
    for number in 0..500 {
        _ = writeln!(text, "  p{number}: {{ groups: [All Staff], mobilePhone: valid }}");
        _ = writeln!(expect, "  p{number}: {{ perUserMfa: enabled, posture: protected }}");
    }
    let world = root_files().file("checks/many.yaml", format!("{text}{expect}"));
    let begin = Instant::now();
    let run = world.run(&["test", "checks/many.yaml"]).ends(0);
    let took = begin.elapsed();
    assert!(
        run.stdout.starts_with("ok      checks/many.yaml: 1000 checks, 500 people"),
        "{}",
        run.text()
    );
    println!("1,000 checks: {took:?}");
    assert!(took.as_secs() < 20, "{took:?}");
}
