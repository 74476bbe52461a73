//! Checks that fail, and the reason that each failure shows.
//!
//! Not here: faults of the files (`faults`), or the formats (`formats`).

use super::tested;

#[test]
fn failure_shows_both_places_and_the_reason() {
    let run = tested("expect:\n  cas: { perUserMfa: { becomes: enabled } }\n").ends(2);
    assert_eq!(
        run.stderr,
        "error[check-failed]: `cas`: per-user MFA: expected `enabled`, found `enforced`; policy `pilot` decides; its priority 10 overrules `staff` (priority 1000)
  --> checks/a.yaml:9:33
   |
 9 |   cas: { perUserMfa: { becomes: enabled } }
   |                                 ^^^^^^^ expected here
   |
  --> policies/p.yaml:12:28
   |
12 |     desired: { perUserMfa: enforced }
   |                            -------- this rule decides
   |
   = help: correct the policy, or correct the check if the result is intended

"
    );
    assert_eq!(
        run.stdout,
        "FAILED  checks/a.yaml: 1 failure, 1 check, 5 people\n1 check in 1 file: 1 failure\n"
    );
}

#[test]
fn every_kind_of_expectation_fails_with_its_reason() {
    for (expected, sentence) in [
        (
            "expect: { anna: { phones: untouched } }",
            "`anna`: mobile phone: expected `untouched`, found `added`; policy `staff` decides",
        ),
        (
            "expect: { anna: { perUserMfa: { by: pilot } } }",
            "`anna`: per-user MFA, decided by: expected `pilot`, found `staff`; policy `staff` decides",
        ),
        (
            "expect: { ben: { perUserMfa: enabled } }",
            "`ben`: per-user MFA: expected `enabled`, found `disabled`; policy `staff` wants `enabled`, which is withheld, because no number in the directory, so no method could answer the MFA prompt (the account would be open) [mfa-withheld]",
        ),
        (
            "expect: { ben: { perUserMfa: { because: mfa-lowered-not-covered } } }",
            "found `mfa-withheld`",
        ),
        (
            "expect: { ben: { phones: { mobile: added } } }",
            "found `untouched`; policy `staff` yields no value, because no number in the directory [no-number-in-directory]",
        ),
        (
            "expect: { ben: { posture: protected } }",
            "`ben`: posture: expected `protected`, found `unprotected`; MFA is not required, no method is registered",
        ),
        (
            "expect: { cas: { policies: [staff] } }",
            "`cas`: policies: expected `staff`, found `pilot, staff`; policy `pilot`: the person is named: in group `Pilot`",
        ),
        ("expect: { anna: { excludedFrom: [staff] } }", "found `the policy applies`"),
        (
            "expect: { robot: { perUserMfa: enabled } }",
            "found `disabled`; no policy that applies mentions it (`staff` does not apply: ",
        ),
        (
            "expect: { jan: { defaultMethod: push } }",
            "`jan`: default method: expected `push`, found `none`; no policy mentions it",
        ),
        (
            "always: [{ nobody: { becomes: [unprotected] } }]",
            "`ben` becomes `unprotected`, and nobody may; MFA is not required",
        ),
        (
            "always: [{ everybody: { with: { group: All Staff }, has: { perUserMfa: enabled } } }]",
            "`robot`: per-user MFA: expected `enabled`",
        ),
        (
            "always: [{ atMost: { people: 1, of: { policy: pilot } } }]",
            "expected at most 1 people, found 2: `cas`, `jan`",
        ),
    ] {
        let run = tested(&format!("{expected}\n")).ends(2);
        assert!(run.stderr.contains(sentence), "{expected}: {}", run.text());
        assert!(run.stderr.contains("--> checks/a.yaml:8:"), "{expected}: {}", run.text());
    }
}

/// An invented person in each condition would be there. Without one, the entry proves nothing.
#[test]
fn check_about_nobody_fails() {
    for entry in [
        "everybody: { with: { department: Sales }, has: { perUserMfa: enabled } }",
        "nobody: { with: { guest: true }, becomes: [open] }",
        "everybody: { with: { group: Pilot, policy: staff, enabled: false }, has: { posture: open } }",
    ] {
        let run = tested(&format!("always: [{{ {entry} }}]\n")).ends(2);
        let words = "error[check-failed]: the check is about nobody, so it proves nothing";
        assert!(run.stderr.contains(words), "{}", run.text());
        assert!(run.stderr.contains("--> checks/a.yaml:8:"), "{}", run.text());
    }
    tested("always: [{ atMost: { people: 1, of: { guest: true } } }]\n").ends(0);
}

#[test]
fn failures_of_one_entry_are_limited() {
    let mut people = String::new();
    for number in 0..30 {
        people += &format!("  p{number:02}: {{ groups: [All Staff] }}\n");
    }
    let text = format!(
        "version: 1\npeople:\n{people}always: [{{ nobody: {{ becomes: [unprotected] }} }}]\n"
    );
    let run = super::world().file("checks/a.yaml", text).run(&["test"]).ends(2);
    assert_eq!(run.stderr.matches("and nobody may").count(), 20, "{}", run.text());
    assert!(run.stderr.contains("the check fails 10 more times"), "{}", run.text());
}
