//! `--disclose` and `disclose`: no output below `names` has a name or an object id of a user, on either stream
//! or in the log.
//!
//! Not here: the words for one user (`src/disclose.rs`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use serde_json::{Value, json};

use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{Run, World};

const EVERYONE: &str = "\
version: 1
tenant: { securityDefaults: on }
policies:
  staff:
    appliesTo: { everyone: true }
    desired:
      phones:
        mobile: { from: mobilePhone, ifRegistered: replace }
      perUserMfa: enforced
  trial:
    mode: report
    priority: 20
    appliesTo: { everyone: true }
    desired: { systemPreferredMfa: true }
";

const FEW: &str = "\
version: 1
policies:
  staff:
    appliesTo: { users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl, gone@exchangelabs.nl] }
    desired: { perUserMfa: enabled }
";

const PROJECT_ROLES: [&str; 3] = ["counts", "pseudonyms", "names"];

/// What must not appear: principal names, display names, local parts and object ids.
struct People(Vec<String>);

impl People {
    fn of(world: &World) -> Self {
        let path = "/v1.0/users?$top=999&$select=id,userPrincipalName,displayName";
        let (status, users) = world.call("GET", path, None);
        assert_eq!(status, 200, "{users}");
        let mut words = Vec::new();
        for user in users["value"].as_array().expect("users") {
            let name = user["userPrincipalName"].as_str().expect("a name");
            words.push(name.to_owned());
            words.extend(name.split('@').next().map(str::to_owned));
            words.extend(
                ["id", "displayName"].map(|key| user[key].as_str().unwrap_or("").to_owned()),
            );
        }
        // `info` is a word of the log too.
        words.retain(|word| word.chars().count() > 3 && word.to_lowercase() != "info");
        assert!(words.len() > 100, "the seed has users");
        Self(words)
    }

    #[track_caller]
    fn are_hidden_in(&self, run: &Run, what: &str) {
        let text = run.text().to_lowercase();
        for word in &self.0 {
            let word = word.to_lowercase();
            let is_word = |(at, _): (usize, &str)| {
                let before = text[..at].chars().next_back();
                let after = text[at + word.len()..].chars().next();
                let is_inside = |one: Option<char>| one.is_some_and(char::is_alphanumeric);
                !is_inside(before) && !is_inside(after)
            };
            assert!(!text.match_indices(&*word).any(is_word), "{what}: {word}\n{}", run.text());
        }
    }
}

fn world(policy: &str) -> World {
    exchangelabs()
        .world()
        .file("policies/staff.yaml", policy)
        .file("base/mfactl.yaml", "")
        .with("PATH", std::env::var("PATH").expect("a path"))
}

/// A world with another folder as base.
fn with_base(policy: &str, base: &str) -> World {
    let world = world(policy);
    let project = std::fs::read(world.path("mfactl.yaml")).expect("a project");
    world.file("base/mfactl.yaml", project).file("base/policies/staff.yaml", base)
}

const COMMANDS: &[&[&str]] = &[
    &["plan"],
    &["plan", "--all"],
    &["plan", "--format", "json"],
    &["plan", "--against", "base"],
    &["plan", "--against", "base", "--all"],
    &["plan", "--against", "base", "--format", "json"],
    &["plan", "--against", "base", "--format", "markdown"],
    &["plan", "--format", "html"],
    &["plan", "--against", "base", "--format", "html"],
    &["plan", "--out", "a.plan"],
    &["plan", "--against", "base", "--out", "b.plan"],
    &["diff", "a.plan", "b.plan"],
    &["diff", "a.plan", "b.plan", "--format", "json"],
    &["show", "a.plan"],
    &["show", "a.plan", "--all", "--format", "json"],
    &["show", "a.plan", "--format", "html"],
    &["report"],
    &["report", "--all"],
    &["report", "--format", "json"],
    &["report", "--format", "csv"],
    &["report", "--format", "html"],
    &["explain", "j.brown@exchangelabs.nl"],
    &["doctor"],
    &["apply", "--auto-approve", "--limit", "7"],
    &["runs"],
];

/// A text, a document, a table, a page and a log, each with all users.
const FEW_COMMANDS: &[&[&str]] = &[
    &["plan", "--against", "base", "--format", "json"],
    &["plan", "--format", "html"],
    &["report", "--format", "csv"],
    &["apply", "--auto-approve", "--limit", "7"],
];

/// Runs the commands and lists the runs, and checks that no output shows a name.
fn no_name_is_shown(commands: &[&[&str]], (policy, base): (&str, &str), level: &str) {
    let world = with_base(policy, base);
    let people = People::of(&world);
    for command in commands {
        let more: &[&str] = match command[0] {
            "runs" => &[],
            "explain" | "show" | "diff" => &["--disclose", level],
            _ => &["--log", "trace", "--disclose", level],
        };
        let run = world.run(&[command, more].concat());
        people.are_hidden_in(&run, &format!("{level} {command:?}"));
    }
    let listed = world.run(&["runs"]).stdout;
    let run = listed.split_whitespace().find(|word| word.starts_with("2026"));
    let show = world.run(&["runs", "show", run.unwrap_or("RUN"), "--disclose", level]);
    people.are_hidden_in(&show.ends(1), "runs show");
}

#[test]
fn no_output_of_a_few_commands_below_names_has_a_name() {
    no_name_is_shown(FEW_COMMANDS, (EVERYONE, FEW), "counts");
    no_name_is_shown(FEW_COMMANDS, (EVERYONE, FEW), "pseudonyms");
}

#[test]
#[ignore = "long: all commands with each pair of a policy and a level"]
fn no_output_below_names_has_a_name() {
    for level in ["counts", "pseudonyms"] {
        no_name_is_shown(COMMANDS, (EVERYONE, FEW), level);
        no_name_is_shown(COMMANDS, (FEW, EVERYONE), level);
    }
}

#[test]
fn ci_job_shows_counts_by_default() {
    let world = world(FEW).with("CI", "true");
    let people = People::of(&world);
    let run = world.run(&["plan"]).ends(0);
    people.are_hidden_in(&run, "CI");
    assert!(run.stdout.contains("<5 users"), "{}", run.text());
    world.run(&["explain", "j.brown@exchangelabs.nl"]).ends(1);
    let named = world.run(&["plan", "--disclose", "names"]).ends(0);
    assert!(named.stdout.contains("j.smith"), "{}", named.text());
    let off = world.with("CI", "false");
    assert!(off.run(&["plan"]).ends(0).stdout.contains("j.smith"));
}

/// Errors, notes and the list of runs say no exact number below five either.
#[test]
fn messages_have_no_small_number_where_only_counts_show() {
    let phones = "desired: { perUserMfa: enabled, phones: { mobile: { from: mobilePhone } } }";
    let world = world(&FEW.replace("desired: { perUserMfa: enabled }", phones)).with("CI", "true");
    let project = std::fs::read_to_string(world.path("mfactl.yaml")).expect("a project");
    let braked = project.replacen(
        "changedUsers: { percent: 100, floor: 0 }",
        "changedUsers: { percent: 0, floor: 0 }",
        1,
    );
    assert_ne!(braked, project);

    let world = world.file("mfactl.yaml", braked);
    let run = world.run(&["apply", "--auto-approve"]).ends(4);
    assert!(run.stderr.contains("brake `changedUsers`: <5 of <5 users"), "{}", run.text());
    assert!(run.stderr.contains("`--allow changedUsers=N`"), "{}", run.text());

    let world = world.file("mfactl.yaml", project);
    let account = "/v1.0/users/6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62";
    let enable = |is| world.call("PATCH", account, Some(&json!({ "accountEnabled": is }))).0;
    assert!(enable(false) < 300);
    let run = world.run(&["plan"]).ends(3);
    let about = "error[break-glass-minimum]: There are fewer enabled break-glass accounts";
    assert!(run.stderr.contains(about), "{}", run.text());
    assert!(!run.stderr.contains("1 enabled"), "{}", run.text());
    assert!(enable(true) < 300);

    let run = world.run(&["plan", "--user", "j.smith@exchangelabs.nl"]).ends(1);
    assert_eq!(run.stdout, "", "{}", run.text());
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = world.run(&["runs"]).ends(0);
    assert!(run.stdout.contains("<5 changes done"), "{}", run.text());
    assert_eq!(world.run(&["runs", "--format", "json"]).ends(1).stdout, "");
}

#[test]
fn lower_level_of_file_and_option_counts() {
    lower_level_counts(&["pseudonyms"]);
}

#[test]
#[ignore = "long: each level of the file with each level of the option"]
fn lower_level_of_any_file_and_option_counts() {
    lower_level_counts(&PROJECT_ROLES);
}

fn lower_level_counts(in_files: &[&str]) {
    for &in_file in in_files {
        let world = world(FEW);
        let project = std::fs::read_to_string(world.path("mfactl.yaml")).expect("a project");
        let world = world.file("mfactl.yaml", format!("{project}disclose: {in_file}\n"));
        for asked in PROJECT_ROLES {
            let run = world.run(&["plan", "--disclose", asked, "--all"]).ends(0);
            let level = match (in_file, asked) {
                ("names", "names") => "j.smith@exchangelabs.nl",
                (_, "counts") | ("counts", _) => "<5 users",
                _ => "u-",
            };
            assert!(run.stdout.contains(level), "{in_file} {asked}\n{}", run.text());
        }
    }
    let world = world("version: 1\npolicies: {}\n");
    let project = std::fs::read_to_string(world.path("mfactl.yaml")).expect("a project");
    world.file("mfactl.yaml", format!("{project}disclose: all\n")).run(&["validate"]).ends(3);
}

#[test]
fn counts_are_a_document_of_their_own() {
    let world = with_base(EVERYONE, FEW);
    let arguments = ["plan", "--against", "base", "--format", "json", "--disclose", "counts"];
    let plan: Value = serde_json::from_str(&world.run(&arguments).ends(0).stdout).expect("JSON");
    assert_eq!(plan["countsVersion"], "1.0");
    assert_eq!(plan["disclosed"], "counts");
    assert!(plan.get("formatVersion").is_none() && plan.get("users").is_none());
    assert_eq!(plan["difference"]["compared"], true);
    let kinds = plan["difference"]["change"]["changes"].as_array().expect("kinds");
    assert!(kinds.iter().any(|kind| kind["users"] == "<5") && kinds.len() > 2, "{plan:#}");
}

#[test]
fn pseudonyms_are_the_same_in_every_output_and_depend_on_the_key() {
    let ids = |world: &World, key: &str| -> Vec<String> {
        let mut command = world.command(&["plan", "--format", "json", "--disclose", "pseudonyms"]);
        let output = command.env("MFACTL_PSEUDONYM_KEY", key).output().expect("the program");
        let plan: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            (&plan["formatVersion"], &plan["disclosed"]),
            (&"1.4".into(), &"pseudonyms".into())
        );
        plan["users"].as_object().expect("users").keys().cloned().collect()
    };
    let world = world(FEW);
    let one = ids(&world, "one");
    assert_eq!(one, ids(&world, "one"));
    assert_ne!(one, ids(&world, "other"));
    assert_ne!(one, ids(&world, ""));
    let mut command = world.command(&["plan", "--all", "--disclose", "pseudonyms"]);
    let output = command.env("MFACTL_PSEUDONYM_KEY", "one").output().expect("the program");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(one.iter().all(|id| text.contains(id)), "{one:?}\n{text}");
}
