//! Faults of files of checks: of the people, of the expectations, and of names.
//!
//! Not here: checks that fail (`failures`).

use super::{POLICIES, tested, world};

#[test]
fn fault_of_a_file_points_into_it() {
    for (rest, place, words) in [
        ("expect: { anna: { perUserMFA: enabled } }", "8:19", "unknown key `perUserMFA`"),
        ("expect: { ana: { posture: open } }", "8:11", "there is no person `ana`"),
        ("expect: { ana: { posture: open } }", "8:11", "did you mean `anna`?"),
        ("expect: { anna: { perUserMfa: on } }", "8:31", "the per-user MFA cannot become `on`"),
        (
            "expect: { anna: { phones: { mobile: { by: stuff } } } }",
            "8:43",
            "did you mean `staff`?",
        ),
        (
            "expect: { anna: { perUserMfa: { because: why } } }",
            "8:42",
            "there is no code of a finding `why`",
        ),
        ("expect: { anna: {} }", "8:11", "an expectation has no entries"),
        ("expect: { anna: { posture: fine } }", "8:28", "`posture` cannot be `fine`"),
        ("always: [{ nobody: { becomes: [] } }]", "8:22", "`becomes` is an empty list"),
        (
            "always: [{ nobody: { becomes: [open] }, atMost: { people: 1, of: { guest: true } } }]",
            "8:10",
            "not exactly one key",
        ),
        (
            "always: [{ atMost: { people: 1, of: { role: Reader } } }]",
            "8:45",
            "there is no role `Reader`",
        ),
        (
            "today: tomorrow\nalways: [{ nobody: { becomes: [open] } }]",
            "8:8",
            "a day as year, month and day",
        ),
        ("", "1:10", "the file has no `expect` and no `always`"),
    ] {
        let run = tested(&format!("{rest}\n")).ends(3);
        assert!(run.stderr.contains(words), "{rest}: {}", run.text());
        assert!(
            run.stderr.contains(&format!("--> checks/a.yaml:{place}")),
            "{rest}: {}",
            run.text()
        );
        assert_eq!(run.stdout, "", "{rest}");
    }
}

#[test]
fn fault_of_a_person_points_at_the_person() {
    for (person, words) in [
        ("{ name: anna }", "`anna` is neither a user principal name nor an object id"),
        ("{ id: 8e5b1f70 }", "`8e5b1f70` is not an object id"),
        ("{ groups: [\"\"] }", "a group has no name"),
        ("{ phones: { mobile: \"+31 6 1\" } }", "the registered mobile phone is too short"),
        ("{ registered: [sms] }", "cannot be `sms`"),
        ("{ name: jan@x.nl }, bob: { name: JAN@x.nl }", "two people are `jan@x.nl`"),
    ] {
        let text = format!(
            "version: 1\npeople: {{ al: {person} }}\nalways: [{{ nobody: {{ becomes: [open] }} }}]\n"
        );
        let run = world().file("checks/a.yaml", text).run(&["test"]).ends(3);
        assert!(run.stderr.contains(words), "{person}: {}", run.text());
        assert!(run.stderr.contains("--> checks/a.yaml:2:"), "{person}: {}", run.text());
    }
}

#[test]
fn missing_files_and_invalid_policies_are_errors() {
    let run = world().run(&["test"]).ends(3);
    assert!(
        run.stderr.contains("error[no-checks]: `checks` contains no YAML file"),
        "{}",
        run.text()
    );
    let run = world().run(&["test", "none.yaml"]).ends(3);
    assert!(run.stderr.contains("`none.yaml` does not exist"), "{}", run.text());
    let broken = POLICIES.replace("perUserMfa: enabled", "perUserMfa: on");
    let run = world().file("policies/p.yaml", broken).run(&["test", "--format", "github"]).ends(3);
    assert!(run.stdout.starts_with("::error file=policies/p.yaml,line=8"), "{}", run.text());
    assert!(run.stderr.contains("policies/p.yaml:8"), "{}", run.text());
    let broken = POLICIES.replace("perUserMfa: enabled", "perUserMfa: on");
    let run = world().file("policies/p.yaml", broken).run(&["test", "--format", "junit"]).ends(3);
    assert!(run.stdout.contains("<testsuites name=\"mfactl test\""), "{}", run.text());
}

#[test]
fn group_that_nothing_names_is_a_fault() {
    let text = "version: 1\npeople: { al: { groups: [All Staf] } }\nalways: [{ nobody: { becomes: [open] } }]\n";
    let run = world().file("checks/a.yaml", text).run(&["test"]).ends(3);
    let words = "error[group-not-named]: no policy and no `always` names the group `All Staf`";
    assert!(run.stderr.contains(words), "{}", run.text());
    assert!(run.stderr.contains("did you mean `All Staff`?"), "{}", run.text());
    assert!(run.stderr.contains("--> checks/a.yaml:2:"), "{}", run.text());
    // A check about a group that no policy names is a check all the same.
    let named = "version: 1\npeople: { al: { groups: [Visitors] } }\nalways: [{ nobody: { with: { group: visitors }, becomes: [open] } }]\n";
    world().file("checks/a.yaml", named).run(&["test"]).ends(0);
}

#[test]
fn role_with_a_name_like_another_one_is_a_warning() {
    let file = |role: &str| {
        format!(
            "version: 1\npeople: {{ al: {{ roles: [{role}] }} }}\nalways: [{{ nobody: {{ becomes: [stuck] }} }}]\n"
        )
    };
    for format in ["text", "github"] {
        let world = world().file("checks/a.yaml", file("Global Adminstrator"));
        let run = world.run(&["test", "--format", format]).ends(0);
        let words = "warning[role-not-named]: no policy names the role `Global Adminstrator`";
        assert!(run.stderr.contains(words), "{}", run.text());
        assert!(run.stderr.contains("did you mean `Global Administrator`?"), "{}", run.text());
        let is_annotated = run.stdout.contains("::warning file=checks/a.yaml,line=2");
        assert_eq!(is_annotated, format == "github", "{}", run.text());
    }
    for role in ["global administrator", "62e90394-69f5-4237-9190-012177145e10", "Teams Admin"] {
        let run = world().file("checks/a.yaml", file(role)).run(&["test"]).ends(0);
        assert_eq!(run.stderr, "", "{role}");
    }
}
