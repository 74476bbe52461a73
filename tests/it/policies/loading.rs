//! Loading files from disk: which files are read, the order of their faults, and the meaning of words.
//!
//! Not here: hostile files (`hostile`), and the order of files and keys, which does not matter (`order`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

mod hostile;
mod order;

use std::fs;
use std::path::PathBuf;

use mfactl::finding::Code;
use mfactl::policy::{self, Faults, GroupRef, PolicySet};
use mfactl::render::diagnostic::{self, Style};

const PROJECT: &str = include_str!("../../samples/valid/minimal/mfactl.yaml");
const STAFF: &str = include_str!("../../samples/valid/minimal/policies/staff.yaml");

/// A project in its own folder, which is removed with it.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self(folder).file("mfactl.yaml", PROJECT)
    }

    fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn load(&self) -> Result<PolicySet, Faults> {
        policy::load(&self.path("mfactl.yaml"))
    }

    /// The report, with paths relative to the project.
    fn report(&self) -> String {
        let faults = self.load().expect_err("faults");
        let text = diagnostic::report(&faults.findings, &faults.sources, Style::Plain);
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    fn codes(&self) -> Vec<Code> {
        self.load().expect_err("faults").findings.iter().map(|finding| finding.code).collect()
    }
}

fn policy_named(name: &str) -> String {
    STAFF.replace("staff", name)
}

#[test]
fn every_yaml_file_below_the_folder_is_read() {
    let set = Project::new()
        .file("policies/b.yaml", policy_named("b"))
        .file("policies/deeper/still/a.yml", policy_named("a"))
        .file("policies/C.YAML", policy_named("c"))
        .file("policies/.hidden.yaml", "not: read")
        .file("policies/.git/d.yaml", "not: read")
        .file("policies/README.md", "not read")
        .load()
        .expect("policies");
    let names: Vec<&str> = set.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn all_faults_of_all_files_are_reported_by_file_and_line() {
    let project = Project::new()
        .file("mfactl.yaml", PROJECT.replace("tenant: sandbox", "tenant: nowhere"))
        .file("policies/a.yaml", format!("{STAFF}extra: 1\n"))
        .file(
            "policies/b.yaml",
            STAFF.replace("version: 1", "version: 2").replace("[All Staff]", "[' ']"),
        )
        .file("policies/c.yaml", "version: [\n")
        .file(
            "policies/d.yaml",
            policy_named("d").replace("groups: [All Staff]", "everyone: false"),
        );
    let expected = [
        Code::UnknownValue,
        Code::UnknownKey,
        Code::UnsupportedVersion,
        Code::EmptyKey,
        Code::WrongType,
        Code::NobodyNamed,
    ];
    assert_eq!(project.codes(), expected, "{}", project.report());
    assert!(project.report().ends_with("\n6 errors in 5 files\n"));
}

#[test]
fn fault_in_mfactl_yaml_does_not_hide_those_of_the_policies() {
    let project = Project::new()
        .file("mfactl.yaml", PROJECT.replace("tenant:", "tennant:"))
        .file("policies/staff.yaml", STAFF.replace("desired:", "desire:"));
    assert_eq!(project.codes(), [Code::UnknownKey, Code::UnknownKey]);
}

#[test]
fn missing_mfactl_yaml_is_reported_with_a_help_line() {
    let project = Project::new();
    fs::remove_file(project.path("mfactl.yaml")).expect("removed");
    assert_eq!(
        project.report(),
        "error[file-unreadable]: `mfactl.yaml` does not exist\n\
         \x20|\n\
         \x20= help: run mfactl in the folder that holds `mfactl.yaml`, or name it with `--config FILE`\n\
         \n\
         1 error\n"
    );
}

#[cfg(unix)]
#[test]
fn files_that_are_not_regular_are_faults_and_not_skipped() {
    use std::os::unix::fs::symlink;

    let project = Project::new()
        .file("policies/staff.yaml", STAFF)
        .file("elsewhere/a.yaml", policy_named("a"));
    symlink(project.path("elsewhere/a.yaml"), project.path("policies/a.yaml")).expect("a link");
    assert_eq!(project.load().expect("a link to a file is read").policies.len(), 2);
    // A folder behind a link is read too, and it has the policy a second time.
    symlink(project.path("elsewhere"), project.path("policies/more")).expect("a link");
    assert_eq!(project.codes(), [Code::DuplicatePolicy]);

    let project = Project::new().file("policies/staff.yaml/inside.txt", "");
    assert_eq!(project.codes(), [Code::FileUnreadable]);
    let project = Project::new();
    fs::create_dir(project.path("policies")).expect("a folder");
    symlink("/dev/null", project.path("policies/null.yaml")).expect("a link");
    assert_eq!(project.codes(), [Code::FileOutside]);
    assert!(project.report().contains("out of the repository"), "{}", project.report());
}

#[test]
fn line_endings_and_byte_order_marks_do_not_move_places() {
    let text = STAFF.replace("enabled", "enabled\n      phones: {}\n      perUserMfa: enabled");
    let places =
        [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")].map(|text| {
            let project = Project::new().file("policies/staff.yaml", text);
            project.report()
        });
    assert!(places[0].contains("policies/staff.yaml:9:7"), "{}", places[0]);
    assert_eq!(places[0], places[1]);
    assert_eq!(places[0], places[2]);
}

/// Words that older YAML readers took for booleans, numbers or dates are text here. They are a fault where
/// another type is needed.
#[test]
fn words_that_look_like_other_types_stay_text() {
    let text = "version: 1
policies:
  no:
    appliesTo: { groups: [yes, 2027-06-30, \"2024\", +31612345678x, 12:30:45, 1_000a, ~x] }
    where: { usageLocation: NO, department: [on, Null and Void, 0o17, 1e3, .inf] }
    desired: { phones: { mobile: { from: mobilePhone, region: NO } } }
";
    let set = Project::new().file("policies/a.yaml", text).load().expect("policies");
    let policy = &set.policies[0];
    assert_eq!(policy.name, "no");
    let groups: Vec<&str> = policy
        .who
        .groups
        .iter()
        .map(|(group, _)| match group {
            GroupRef::Name(name) => name.as_str(),
            _ => "an id",
        })
        .collect();
    assert_eq!(groups, ["yes", "2027-06-30", "2024", "+31612345678x", "12:30:45", "1_000a", "~x"]);
    let country = policy.only.usage_location.as_ref().expect("a test").any[0];
    assert_eq!(country.as_str(), "NO");
    let departments = &policy.only.department.as_ref().expect("a test").any;
    assert_eq!(departments, &[".inf", "0o17", "1e3", "null and void", "on"]);
    for (from, to, code) in [
        ("{ usageLocation: NO,", "{ synced: yes,", Code::WrongType),
        ("[yes,", "[+31612345678,", Code::WrongType),
        ("version: 1", "version: 0x1z", Code::WrongType),
        ("desired: {", "desired: { <<: *x,", Code::InvalidYaml),
        ("no:\n", "no: &x\n    <<: *x\n", Code::InvalidYaml),
        ("region: NO", "region: no", Code::UnknownValue),
        ("region: NO", "region: false", Code::UnknownValue),
    ] {
        let project = Project::new().file("policies/a.yaml", text.replace(from, to));
        assert_eq!(project.codes(), [code], "{to}: {}", project.report());
    }
}
