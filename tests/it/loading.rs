//! Loading files from disk: which are read, in what order their faults are told, and that no file
//! can hurt the program or the terminal of whoever reads the report.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mfactl::finding::Code;
use mfactl::policy::filter::Where;
use mfactl::policy::{self, Faults, GroupRef, Policy, PolicySet};
use mfactl::render::diagnostic::{self, Style};
use mfactl::settings::Setting;
use proptest::prelude::*;

const PROJECT: &str = include_str!("../samples/valid/minimal/mfactl.yaml");
const STAFF: &str = include_str!("../samples/valid/minimal/policies/staff.yaml");

/// No file may keep anybody waiting for longer; what is not optimised gets more.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 15 } else { 2 });

/// A project in a folder of its own, removed with it.
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
fn all_faults_of_all_files_are_told_by_file_and_line() {
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
fn a_fault_in_mfactl_yaml_does_not_hide_those_of_the_policies() {
    let project = Project::new()
        .file("mfactl.yaml", PROJECT.replace("tenant:", "tennant:"))
        .file("policies/staff.yaml", STAFF.replace("desired:", "desire:"));
    assert_eq!(project.codes(), [Code::UnknownKey, Code::UnknownKey]);
}

#[test]
fn a_missing_mfactl_yaml_says_what_to_do() {
    let project = Project::new();
    fs::remove_file(project.path("mfactl.yaml")).expect("removed");
    snapbox::assert_data_eq!(
        project.report(),
        snapbox::str![[r#"
error[file-unreadable]: there is no `mfactl.yaml`
 |
 = help: run mfactl in the folder that holds `mfactl.yaml`, or name it with `--config FILE`

1 error

"#]]
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_a_fault_and_not_passed_over() {
    use std::os::unix::fs::symlink;

    let project = Project::new()
        .file("policies/staff.yaml", STAFF)
        .file("elsewhere/a.yaml", policy_named("a"));
    symlink(project.path("elsewhere/a.yaml"), project.path("policies/a.yaml")).expect("a link");
    assert_eq!(project.load().expect("a link to a file is read").policies.len(), 2);
    symlink(project.path("elsewhere"), project.path("policies/more")).expect("a link");
    assert_eq!(project.codes(), [Code::FileUnreadable]);

    let project = Project::new().file("policies/staff.yaml/inside.txt", "");
    assert_eq!(project.codes(), [Code::NoPolicies]);
    let project = Project::new();
    fs::create_dir(project.path("policies")).expect("a folder");
    symlink("/dev/null", project.path("policies/null.yaml")).expect("a link");
    assert_eq!(project.codes(), [Code::FileUnreadable]);
    assert!(project.report().contains("not a regular file"), "{}", project.report());
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

#[test]
fn the_digest_is_of_the_text() {
    let set = Project::new().file("policies/staff.yaml", STAFF).load().expect("policies");
    let digests: Vec<String> = set.sources.iter().map(|(_, source)| source.digest()).collect();
    assert_eq!(digests.len(), 2);
    assert_ne!(digests[0], digests[1]);
    assert!(digests.iter().all(|digest| digest.len() == 64));
}

#[test]
fn ten_thousand_policies_in_one_file_are_read() {
    let mut text = "version: 1\npolicies:\n".to_owned();
    for number in 0..10_000 {
        text += &format!(
            "  p{number}:\n    description: one of many\n    priority: {number}\n    appliesTo:\n      \
             groups: [A, B, C]\n      users: [a@b.c, d@e.f]\n    desired:\n      phones:\n        \
             mobile: {{ from: mobilePhone, region: NL }}\n      perUserMfa: enabled\n"
        );
    }
    let project = Project::new().file("policies/many.yaml", text);
    let start = Instant::now();
    let set = project.load().expect("policies");
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
    assert_eq!(set.policies.len(), 10_000);
}

#[test]
fn thousands_of_faults_in_one_file_are_told() {
    let mut text = "version: 1\npolicies:\n".to_owned();
    for number in 0..5_000 {
        text += &format!("  p{number}: {{ appliesTo: {{ groups: [A] }}, desired: {{}} }}\n");
    }
    let project = Project::new().file("policies/many.yaml", text);
    assert!(project.report().ends_with("\n5000 errors in 1 file\n"));
}

#[test]
fn bombs_are_refused() {
    let groups = "        - &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &('b'..='i')
            .zip('a'..='h')
            .map(|(name, inner)| {
                format!("        - &{name} [{}]\n", vec![format!("*{inner}"); 10].join(", "))
            })
            .collect::<String>();
    let bombs = [
        STAFF.replace(" [All Staff]\n", &format!("\n{groups}")),
        format!("version: 1\npolicies: {}", "[".repeat(100_000)),
        format!("version: 1\npolicies: {}", "{a: ".repeat(100_000)),
        "version: 1\npolicies:\n  a: &a\n    appliesTo: *a\n".to_owned(),
        format!("version: 1\n{}", "---\n".repeat(100_000)),
        format!("# {}", "x".repeat(17 * 1024 * 1024)),
        format!("version: 1\n{}", "- ".repeat(500_000)),
    ];
    for bomb in bombs {
        let project = Project::new().file("policies/bomb.yaml", bomb);
        let codes = project.codes();
        assert_eq!(codes.len(), 1, "{codes:?}");
    }
}

#[test]
fn other_encodings_are_told_and_not_guessed() {
    let wide = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        let text = STAFF.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(text).collect::<Vec<u8>>()
    };
    for text in [
        wide(b"\xff\xfe", u16::to_le_bytes),
        wide(b"\xfe\xff", u16::to_be_bytes),
        wide(b"", u16::to_le_bytes),
        STAFF.replace("All Staff", "All \0 Staff").into_bytes(),
        STAFF.replace("All Staff", "Gesch\u{e4}ft").encode_utf16().map(|unit| unit as u8).collect(),
    ] {
        let project = Project::new().file("policies/staff.yaml", text);
        assert_eq!(project.codes(), [Code::InvalidYaml]);
        assert!(project.report().len() < 1000, "{}", project.report());
        assert_harmless(&project.report());
    }
}

#[test]
fn a_file_of_fifty_megabytes_is_refused_at_once() {
    let text = STAFF.to_owned() + &"# x\n".repeat(50 * 1024 * 1024 / 4);
    let project = Project::new().file("policies/staff.yaml", text);
    let start = Instant::now();
    assert_eq!(project.codes(), [Code::FileUnreadable]);
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
}

/// What YAML readers of other times took for booleans, numbers and days is text here, and where
/// text is not meant, a fault.
#[test]
fn words_are_not_taken_for_something_else() {
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

#[test]
fn hostile_lines_do_not_blow_up_the_report() {
    let long = "x".repeat(3_000_000);
    for text in [
        STAFF.replace("All Staff]", &format!("All Staff], {long}: 1")),
        STAFF.replace("enabled", &long),
        STAFF.replace("perUserMfa: enabled", &format!("\"{long}\": 1")),
        STAFF.replace("staff:", &format!("{{ \"{long}\": 1, b: [\"\u{1b}[31m\u{202e}\"] }}")),
        STAFF.replace("staff:", "\"\\e[31m\\u202E\":").replace("desired:", "desire:"),
        STAFF.replace("[All Staff]", &format!("[{}] # {long}", "A,".repeat(50_000)))
            + "    more: 1\n",
        format!("version: 1\npolicies: {{ {}a: 1, a: 2 }}", "\t".repeat(1000)),
        STAFF.replace("enabled", &format!("*{long}")),
        STAFF.replace("enabled", &format!("!{long} x")),
        format!("%{long} x\n---\n{STAFF}"),
        format!("version: 1\n&{long} policies: *{long}2"),
    ] {
        let report = Project::new().file("policies/staff.yaml", text).report();
        assert!(report.len() < 3000, "{} bytes:\n{report:.3000}", report.len());
        assert_harmless(&report);
    }
}

fn assert_harmless(report: &str) {
    let harmful = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!report.contains(harmful), "{report:?}");
}

/// Whatever a file holds, there are policies or faults, and the faults can be shown.
fn judge(text: &[u8]) {
    let project = Project::new().file("policies/a.yaml", text);
    if let Err(faults) = project.load() {
        assert!(!faults.findings.is_empty());
        for finding in &faults.findings {
            assert_eq!(finding.message, finding.message.trim());
            assert!(!finding.message.contains(['\n', '\r']), "{finding:?}");
            for label in &finding.labels {
                let source = faults.sources.get(label.origin.file).expect("a source");
                assert!(label.origin.span.offset as usize <= source.text.len(), "{finding:?}");
            }
        }
        assert_harmless(&diagnostic::report(&faults.findings, &faults.sources, Style::Plain));
    }
}

/// A valid file with a few pieces of it cut out, repeated or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec![
        STAFF,
        include_str!("../samples/valid/everything/policies/admins/everything.yml"),
        include_str!("../samples/valid/everything/policies/everyone.yaml"),
        include_str!("../samples/valid/everything/policies/selectors.yaml"),
    ]);
    let pieces = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\t",
        ":",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "~",
        "null",
        "*a",
        "&a ",
        "!x ",
        "!!str ",
        "'",
        "\"",
        "|\n",
        "<<: ",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "#",
        ",",
        "é",
        "\u{202e}",
        "0x1",
        "1e999",
        "groups",
        "id",
        "everyone: yes\n",
        "{}",
        "[]",
        "\r\n",
        "\u{85}",
        "\u{feff}",
    ]);
    let change = (any::<prop::sample::Index>(), 0_usize..12, pieces);
    (base, prop::collection::vec(change, 1..4)).prop_map(|(base, changes)| {
        let mut letters: Vec<char> = base.chars().collect();
        for (place, length, piece) in changes {
            let start = place.index(letters.len().max(1)).min(letters.len());
            let end = (start + length).min(letters.len());
            letters.splice(start..end, piece.chars());
        }
        letters.into_iter().collect()
    })
}

/// Small pools, so that policies overlap and contradict each other.
fn policies() -> impl Strategy<Value = Vec<[String; 5]>> {
    let one = (
        prop::sample::select(vec!["", "    priority: 1\n", "    priority: 2\n"]),
        prop::sample::select(vec![
            "everyone: true",
            "groups: [X]",
            "groups: [x, Y]",
            "users: [a@b.c]",
            "roles: [R, s]",
        ]),
        prop::sample::select(vec![
            "perUserMfa: enabled",
            "perUserMfa: enforced",
            "perUserMfa: unmanaged",
            "phones: { mobile: unmanaged }",
            "phones: { mobile: { from: mobilePhone } }",
        ]),
        prop::sample::select(vec![
            "",
            "    description: told\n",
            "    mode: report\n",
            "    where: { department: [B, A], synced: true }\n",
            "    where: { department: { any: [a, b] }, synced: [true] }\n",
        ]),
    );
    prop::collection::vec(one, 1..6).prop_map(|all| {
        let rows = all.into_iter().enumerate().map(|(number, (priority, who, what, about))| {
            [
                format!("p{number}"),
                priority.to_owned(),
                format!("    appliesTo: {{ {who} }}\n"),
                format!("    desired: {{ {what} }}\n"),
                about.to_owned(),
            ]
        });
        rows.collect()
    })
}

/// What `where` asks for, without places.
fn without_places(only: &Where) -> String {
    let registered = only.registered.map(|test| (test.any, test.none));
    let Where { department, usage_location, synced, guest, enabled, .. } = only;
    format!("{department:?} {usage_location:?} {synced:?} {guest:?} {enabled:?} {registered:?}")
}

/// What a load says, without places.
fn meaning(result: &Result<PolicySet, Faults>) -> String {
    match result {
        Ok(set) => set
            .policies
            .iter()
            .map(|policy| {
                let groups: Vec<_> = policy.who.groups.iter().map(|(group, _)| group).collect();
                let users: Vec<_> = policy.who.users.iter().map(|(user, _)| user).collect();
                let roles: Vec<_> = policy.who.roles.iter().map(|(role, _)| role).collect();
                let rules = Setting::ALL.map(|setting| policy.rules.get(setting));
                let Policy { name, description, mode, priority, who, only, .. } = policy;
                let except: Vec<_> = policy.except.iter().map(|one| (&one.reason, one.until.map(|(day, _)| day))).collect();
                format!("{name} {description:?} {mode:?} {priority} {} {groups:?} {roles:?} {users:?} {except:?} {:?} {rules:?}\n", who.everyone, without_places(only))
            })
            .collect(),
        Err(faults) => {
            let mut texts: Vec<String> = faults
                .findings
                .iter()
                .map(|finding| format!("{}: {}\n", finding.code, finding.message))
                .collect();
            texts.sort();
            texts.concat()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_give_policies_or_faults(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        judge(&bytes);
    }

    #[test]
    fn any_text_gives_policies_or_faults(text in "[ \\t\\n:\\-\\[\\]{}#&*!|>'\"%@`,?a-c0-2~é]{0,80}") {
        judge(text.as_bytes());
    }

    #[test]
    fn any_change_of_a_valid_file_gives_policies_or_faults(text in mutated()) {
        judge(text.as_bytes());
    }

    #[test]
    fn the_order_of_files_and_keys_does_not_matter(
        policies in policies(),
        seed in any::<u64>(),
    ) {
        let ordered = write(&policies, |number| (number, [1, 2, 3, 4]));
        let shuffled = write(&policies, |number| {
            let mut keys = [4, 3, 2, 1];
            keys.rotate_left((seed as usize + number) % 4);
            (number ^ (seed as usize % 8), keys)
        });
        prop_assert_eq!(meaning(&ordered.load()), meaning(&shuffled.load()));
    }
}

fn write(policies: &[[String; 5]], layout: impl Fn(usize) -> (usize, [usize; 4])) -> Project {
    policies.iter().enumerate().fold(Project::new(), |project, (number, policy)| {
        let (file, keys) = layout(number);
        let body: String = keys.iter().map(|key| policy[*key].as_str()).collect();
        let text = format!("version: 1\npolicies:\n  {}:\n{body}", policy[0]);
        project.file(&format!("policies/{file}.yaml"), text)
    })
}
