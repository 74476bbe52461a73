//! The formats of `mfactl test`, and what none of them shows.
//!
//! Not here: the reasons of failures (`failures`).

use super::{PEOPLE, world};

#[test]
fn documents_name_each_file_and_each_failure() {
    let rest = "expect: { anna: { phones: untouched } }\n";
    let passing = format!("{PEOPLE}always: [{{ nobody: {{ becomes: [open] }} }}]\n");
    let world =
        world().file("checks/a&b.yaml", format!("{PEOPLE}{rest}")).file("checks/ok.yaml", passing);
    let github = world.run(&["test", "--format", "github"]).ends(2);
    let expected = "::error file=checks/a&b.yaml,line=8,endLine=8,col=27,endColumn=36,title=check-failed::`anna`: mobile phone: expected `untouched`, found `added`";
    assert!(github.stdout.starts_with(expected), "{}", github.text());
    assert_eq!(github.stdout.lines().count(), 1, "{}", github.text());
    let junit = world.run(&["test", "--format", "junit"]).ends(2).stdout;
    assert!(
        junit.contains("<testsuite name=\"mfactl test\" tests=\"2\" failures=\"1\" errors=\"0\">"),
        "{junit}"
    );
    assert!(
        junit.contains("<testcase classname=\"mfactl.test\" name=\"checks/a&amp;b.yaml\""),
        "{junit}"
    );
    assert!(
        junit.contains(
            "<testcase classname=\"mfactl.test\" name=\"checks/ok.yaml\" file=\"checks/ok.yaml\"/>"
        ),
        "{junit}"
    );
    assert!(
        junit.contains("<failure type=\"check-failed\" message=\"`anna`: mobile phone:"),
        "{junit}"
    );
    assert_eq!(junit.matches("<testcase").count(), 2, "policies are no test: {junit}");
}

#[test]
fn hostile_names_are_escaped() {
    let hostile = "\"a\\e[2J::error::<x>\"";
    let text = format!(
        "version: 1\npeople: {{ {hostile}: {{ department: \"=1\" }} }}\nalways: [{{ nobody: {{ becomes: [unprotected] }} }}]\n"
    );
    // An invisible character in a name is refused.
    let run = world().file("checks/a.yaml", text).run(&["test"]).ends(3);
    assert!(run.stderr.contains("error[hidden-character]"), "{}", run.text());
    let text = "version: 1\npeople: { \"a`::error::<x>\": {} }\nalways: [{ nobody: { becomes: [unprotected] } }]\n";
    let world = world().file("checks/a.yaml", text);
    for format in ["text", "github", "junit"] {
        let run = world.run(&["test", "--format", format]).ends(2);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(all.lines().all(|line| !line.starts_with("::error::")), "{all}");
        assert!(
            run.stderr.contains("`a\\u{60}") && run.stderr.contains("becomes `unprotected`"),
            "{all}"
        );
        assert!(!run.stdout.contains("<x>") || format != "junit", "{all}");
    }
}

#[test]
fn numbers_of_a_file_are_masked() {
    let text = format!(
        "{PEOPLE}  eva: {{ groups: [All Staff], mobilePhone: \"+31 6 12345678\" }}\nexpect: {{ eva: {{ phones: untouched, perUserMfa: disabled }} }}\n"
    );
    let run = world().file("checks/a.yaml", text).run(&["test"]).ends(2);
    assert!(!run.text().contains("345678"), "{}", run.text());
}
