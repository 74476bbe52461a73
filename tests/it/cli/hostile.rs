//! A tenant and a folder with hostile text in every field: control characters, invisible characters, extra
//! lines, commands to the runner of a pipeline, formulas. Every command runs on them, and its output is
//! checked by the rules of terminals and runners, not by those of the program.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

pub(crate) mod check_files;

use std::collections::BTreeSet;
use std::fs;

use mfactl::render::plan::json;
use mfactl::render::plan::text::{self, TextView};
use mfactl_sandbox::records::{Document, Seed};
use mfactl_sandbox::seeds;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::apply::killed::journals;
use crate::support::network_faults::{Front, Weather};
use crate::support::tenant_builder::TenantBuilder;
use crate::support::tiny_tenant::Tenant;
use crate::support::world::{PROJECT, World};

/// Hostile pieces of text, each of another kind.
const PIECES: [&str; 30] = [
    "\n::error::pwned\n",
    "\r\n##[error]pwned",
    "::set-output name=x::",
    "##vso[task.setvariable]x",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]8;;http://x\u{7}",
    "\u{9b}31m",
    "\u{7}\u{8}\u{7f}",
    "\u{85}",
    "\t",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}\u{200d}",
    "\u{ad}",
    "\u{feff}",
    "\u{3164}",
    "\u{115f}\u{1160}",
    "\u{ffa0}",
    "\u{34f}",
    "\u{fe0f}",
    "\u{e0041}\u{e007f}",
    "\u{e0100}",
    "\u{180e}",
    "\u{2800}",
    "=HYPERLINK(1)",
    "`; @SUM(1)",
    "\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
    "##",
];

/// The first piece of a page that can harm a terminal or a runner. It is written from the rules of
/// these, and not with the lists of the program.
fn harm(text: &str) -> Option<String> {
    for letter in text.chars().filter(|letter| *letter != '\n') {
        let number = u32::from(letter);
        let is_control = number < 0x20 || (0x7f..0xa0).contains(&number);
        let is_hidden = matches!(number,
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164 | 0xfe00..=0xfe0f
            | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe000..=0xf8ff | 0xe0000..=0x10_ffff);
        if is_control || is_hidden {
            return Some(format!("U+{number:04X}"));
        }
    }
    let commands = |line: &str| line.trim_start().starts_with("::") || line.contains("##");
    text.lines().find(|line| commands(line)).map(str::to_owned)
}

#[track_caller]
fn harmless(text: &str, of: &str) {
    let found = harm(text);
    assert!(found.is_none(), "{found:?} in {of}:\n{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("pwned")), "{of}:\n{text}");
}

/// Gives one piece after the other, so that every field gets every kind at some time.
struct Pieces(usize);

impl Pieces {
    fn next(&mut self) -> &'static str {
        self.0 += 1;
        PIECES[self.0 % PIECES.len()]
    }

    fn put(&mut self, document: &mut Document, key: &str, before: &str) {
        let piece = self.next();
        document.insert(key.to_owned(), json!(format!("{piece}{before}{piece}")));
    }
}

/// The seed with hostile text in every field that people can choose.
fn hostile_seed(shift: usize) -> Seed {
    let mut pieces = Pieces(shift);
    let mut seed = seeds::exchangelabs();
    for (number, record) in seed.users.iter_mut().enumerate() {
        for key in
            ["displayName", "department", "jobTitle", "companyName", "officeLocation", "city"]
        {
            if record.user.contains_key(key) {
                pieces.put(&mut record.user, key, "Sales");
            }
        }
        let name = record.user["userPrincipalName"].as_str().expect("a name").to_owned();
        if !name.starts_with("breakglass") && !name.contains('#') {
            let piece = pieces.next().replace('@', "");
            record
                .user
                .insert("userPrincipalName".to_owned(), json!(format!("{piece}{number}{name}")));
        }
        for method in &mut record.methods {
            for key in ["displayName", "deviceTag", "model", "emailAddress"] {
                if method.contains_key(key) {
                    pieces.put(method, key, "phone");
                }
            }
        }
    }
    for group in &mut seed.groups {
        for key in ["displayName", "description", "mailNickname"] {
            pieces.put(&mut group.group, key, "All Staff");
        }
    }
    let tenant = &mut seed.tenant;
    tenant.display_name = format!("{}Labs", pieces.next());
    for role in &mut tenant.role_definitions {
        pieces.put(role, "displayName", "Administrator");
    }
    for strength in &mut tenant.authentication_strengths {
        pieces.put(strength, "displayName", "Strong");
    }
    tenant.conditional_access = vec![rule(&mut pieces), rule(&mut pieces)];
    seed
}

fn rule(pieces: &mut Pieces) -> Document {
    let rule = json!({
        "id": format!("00000000-0000-4000-8000-{:012}", pieces.0), "state": "enabled",
        "displayName": format!("{0}Rule{0}", pieces.next()),
        "conditions": {
            "users": { "includeUsers": ["All"], "excludeUsers": [], "includeGroups": [],
                "excludeGroups": [], "includeRoles": [], "excludeRoles": [] },
            "applications": { "includeApplications": ["All"], "excludeApplications": [] },
            "clientAppTypes": ["all"],
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"],
            "customAuthenticationFactors": [], "termsOfUse": [] },
        "sessionControls": null,
    });
    rule.as_object().expect("a map").clone()
}

/// Policies that name groups and roles of that tenant by id, with reasons.
fn policies(seed: &Seed) -> String {
    let id = |document: &Document| document["id"].as_str().expect("an id").to_owned();
    let groups: Vec<String> = seed.groups.iter().map(|group| id(&group.group)).collect();
    let roles: Vec<String> = seed.tenant.role_definitions.iter().map(id).take(2).collect();
    let person = seed.users.iter().find(|one| {
        one.user["userType"] == "Member"
            && one.user["accountEnabled"] == true
            && !one.user["userPrincipalName"].as_str().unwrap_or_default().contains("breakglass")
    });
    let person = id(&person.expect("a person").user);
    format!(
        "version: 1\npolicies:\n  staff:\n    description: |\n      two\n      lines\n    appliesTo: {{ groups: [{}], \
         everyone: true }}\n    except: [{{ users: [{{ id: {person} }}], reason: \"::error:: ##[x] = 1\" }}]\n    \
         desired: {{ phones: {{ mobile: {{ from: mobilePhone }} }}, perUserMfa: enabled }}\n  \
         admins:\n    priority: 5\n    appliesTo: {{ roles: [{}] }}\n    desired: {{ perUserMfa: enforced }}\n  \
         next:\n    mode: report\n    appliesTo: {{ everyone: true }}\n    where: {{ department: Sales }}\n    desired: \
         {{ perUserMfa: enforced }}\n",
        groups.join(", "),
        roles.join(", "),
    )
}

fn hostile_world(shift: usize) -> (World, Vec<String>) {
    let seed = hostile_seed(shift);
    let text = policies(&seed);
    let names: Vec<String> =
        seed.users.iter().map(|one| one.user["id"].as_str().expect("an id").to_owned()).collect();
    let world = TenantBuilder::of(seed).world().file("policies/all.yaml", text);
    (world, names)
}

/// Runs a command, and checks that it does not panic and that its output is harmless.
fn checked(world: &World, command: &[&str]) -> String {
    let output = world.command(command).output().expect("the program");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!err.contains("panicked"), "{command:?}: {err}");
    assert!(!err.contains("Usage:"), "{command:?}: {err}");
    // RFC 4180 requires these line endings.
    let lines = if command.contains(&"csv") { out.replace("\r\n", "\n") } else { out.clone() };
    harmless(&lines, &format!("{command:?}, stdout"));
    harmless(&err, &format!("{command:?}, stderr"));
    if command.contains(&"csv") {
        spreadsheet_runs_nothing(&out);
    }
    if command.windows(2).any(|two| two == ["--format", "json"]) && output.status.success() {
        serde_json::from_str::<Value>(&out).expect("JSON");
    }
    out
}

/// Checks that no cell begins with a formula, with any separator that a spreadsheet may use.
fn spreadsheet_runs_nothing(text: &str) {
    for ends in ["\",\"", ";", ","] {
        for cell in text.lines().flat_map(|line| line.split(ends)) {
            let cell = cell.trim_start_matches(['"', ' ']);
            assert!(!cell.starts_with(['=', '+', '-', '@', '|', '%']), "{cell} in\n{text}");
        }
    }
}

/// Commands with unlike output: a text, both documents, a table and a log.
const FEW_COMMANDS: [&str; 6] = [
    "plan --all",
    "plan --format json",
    "plan --format html",
    "report --format csv",
    "doctor",
    "apply --auto-approve --limit 5 --log debug",
];

#[test]
fn few_commands_print_no_harmful_text() {
    let (world, users) = hostile_world(0);
    for command in FEW_COMMANDS {
        checked(&world, &command.split(' ').collect::<Vec<_>>());
    }
    checked(&world, &["explain", &users[18]]);
    checked(&world, &["explain", &users[18], "--as-test"]);
    let [past] = journals(&world).try_into().expect("one journal");
    checked(&world, &["runs", "show", &past.run.to_string()]);
}

#[test]
#[ignore = "long: every command on a hostile tenant"]
fn no_command_prints_harmful_text() {
    let (world, users) = hostile_world(0);
    let mut commands: Vec<Vec<&str>> = [
        "validate",
        "plan",
        "plan --all",
        "plan --format json",
        "plan --format html",
        "plan --out saved.plan",
        "show saved.plan",
        "show saved.plan --all",
        "show saved.plan --format json",
        "show saved.plan --format html",
        "report",
        "report --all",
        "report --format json",
        "report --format csv",
        "report --format html",
        "report --all --at 2027-07-01",
        "report --fail-on open,stuck",
        "doctor",
        "doctor --format json",
        "plan --user nobody@x.nl",
        "plan --log trace",
        "plan --log trace --log-format json",
        "apply --auto-approve --limit 5",
        "apply --auto-approve --all --log debug",
        "runs",
        "runs --format json",
        "plan",
    ]
    .map(|line| line.split(' ').collect())
    .into();
    let picked: Vec<&str> = users.iter().map(String::as_str).collect();
    for user in picked.iter().step_by(18) {
        commands.push(vec!["explain", user]);
        commands.push(vec!["explain", user, "--as-test"]);
        commands.push(vec!["explain", user, "--format", "json"]);
    }
    for command in &commands {
        checked(&world, command);
    }
    for past in journals(&world) {
        let run = past.run.to_string();
        checked(&world, &["runs", "show", &run]);
        checked(&world, &["runs", "show", &run, "--format", "json"]);
        checked(&world, &["undo", &run, "--out", "back.plan"]);
        checked(&world, &["undo", &run, "--auto-approve", "--all"]);
    }
    assert!(!journals(&world).is_empty());
}

#[test]
fn json_keeps_hostile_names_unchanged() {
    let (world, _) = hostile_world(3);
    let report: Value =
        serde_json::from_str(&checked(&world, &["report", "--format", "json"])).expect("JSON");
    let text = report.to_string();
    let names: BTreeSet<String> = hostile_seed(3)
        .groups
        .iter()
        .map(|group| group.group["displayName"].as_str().expect("a name").to_owned())
        .collect();
    for name in names {
        let name = Value::String(name).to_string();
        assert!(text.contains(&name), "{name}");
    }
}

#[test]
fn sandbox_with_hostile_files_is_shown_harmlessly() {
    let seed = json!({ "name": "\u{1b}[2J\n::error::x" }).to_string();
    let world = World::empty()
        .file("mfactl.yaml", PROJECT.replace("exchangelabs.nl", "sandbox"))
        .file("policies/a.yaml", include_str!("../../samples/valid/minimal/policies/staff.yaml"))
        .file(".mfactl/sandbox/seed.json", seed);
    checked(&world, &["sandbox", "show"]);
    checked(&world, &["plan"]);
    fs::remove_file(world.path(".mfactl/sandbox/seed.json")).expect("removed");
    // Names and states that were written into the sandbox over Graph.
    let lines = seeds::exchangelabs().users.into_iter().zip(1..).map(|(record, ordinal)| {
        let piece = PIECES[ordinal % PIECES.len()];
        let properties = json!({ "userPrincipalName": format!("{piece}{ordinal}@exchangelabs.nl{piece}") });
        let state = json!({ "perUserMfaState": piece });
        let effects = json!([
            { "effect": "userChanged", "user": record.user["id"], "properties": properties },
            { "effect": "requirements", "user": record.user["id"], "requirements": state },
        ]);
        let line = json!({ "ordinal": ordinal, "method": "PATCH", "path": "/v1.0/users", "body": null,
            "effects": effects });
        format!("{line}\n")
    });
    let world = world.file(".mfactl/sandbox/writes.jsonl", lines.collect::<String>());
    checked(&world, &["sandbox", "show"]);
    checked(&world, &["sandbox", "show", "\u{1b}[2J\n::error::x"]);
    checked(&world, &["plan", "--all"]);
}

/// The messages, codes and ids of an error of Graph are hostile.
#[test]
fn hostile_errors_of_graph_are_shown_harmlessly() {
    errors_of_graph_are_shown_harmlessly(PIECES.len());
}

#[test]
#[ignore = "long: five errors with six pieces each, where the quick test has one with all of them"]
fn errors_of_graph_with_few_hostile_pieces_are_shown_harmlessly() {
    errors_of_graph_are_shown_harmlessly(6);
}

/// Each error has so many pieces.
fn errors_of_graph_are_shown_harmlessly(pieces: usize) {
    for piece in PIECES.chunks(pieces).map(<[&str]>::concat) {
        let (world, _) = hostile_world(1);
        let front = Front::before(world.server().url(), move |seen, nth| {
            match seen.path.contains("/token") {
                false if nth % 3 == 2 => {
                    let error = json!({ "error": {
                        "code": format!("{piece}code{piece}"), "message": format!("{piece}words{piece}"),
                        "innerError": { "request-id": format!("{piece}id{piece}") },
                    }});
                    Weather::Says(400, Vec::new(), error.to_string())
                }
                _ => Weather::Fine,
            }
        });
        let world = world.behind(PROJECT, &front.url(), &front.url());
        for command in [&["plan"][..], &["doctor"], &["apply", "--auto-approve", "--log", "trace"]]
        {
            checked(&world, command);
        }
    }
}

/// Validates files of a pull request that have these pieces, each in a third of all places.
fn hostile_policies_are_reported_harmlessly(pieces: impl Iterator<Item = (usize, &'static str)>) {
    let staff = include_str!("../../samples/valid/minimal/policies/staff.yaml");
    for (number, piece) in pieces {
        let escaped = Value::String(format!("{piece}x{piece}")).to_string();
        let file = format!("policies/{}.yaml", piece.replace(['/', '\n', '\r', '\0'], "_"));
        let texts = [
            staff.replace("staff", &escaped),
            staff.replace("All Staff", &escaped),
            staff.replace("[All Staff]", &format!("[{escaped}]")),
            staff.replace("enabled", &escaped),
            staff.replace("desired", &escaped),
            staff.replace("version: 1", &format!("version: {escaped}")),
            format!("{staff}{piece}: 1\n"),
            format!("{staff}# {piece}\n"),
            format!("{staff}    description: {escaped}\n"),
        ];
        for text in texts.into_iter().skip(number % 3).step_by(3) {
            let world = World::empty()
                .file("mfactl.yaml", PROJECT.replace("exchangelabs.nl", "sandbox"))
                .file(&file, text);
            checked(&world, &["validate"]);
        }
    }
}

#[test]
#[ignore = "long: every piece of text in the files of a pull request"]
fn each_piece_in_the_files_of_a_pull_request_is_reported_harmlessly() {
    hostile_policies_are_reported_harmlessly(PIECES.into_iter().enumerate());
}

/// The files of a pull request, a saved plan and a lock are hostile.
#[test]
fn hostile_files_are_reported_harmlessly() {
    hostile_policies_are_reported_harmlessly(PIECES.into_iter().enumerate().step_by(7));
    let text: String = PIECES.concat();
    {
        let (world, _) = hostile_world(2);
        checked(&world, &["plan", "--out", "saved.plan"]);
        // An edited saved plan, and an edited lock.
        let plan = fs::read_to_string(world.path("saved.plan")).expect("a plan");
        let edited = redigested(&plan, &text);
        fs::write(world.path("saved.plan"), edited).expect("a plan");
        for command in [
            &["show", "saved.plan"][..],
            &["show", "saved.plan", "--format", "json"],
            &["apply", "saved.plan"],
        ] {
            checked(&world, command);
        }
        let lock = format!(".mfactl/{}/lock.json", world.server().tenant_id());
        let holder = json!({ "who": { "user": text, "host": text, "process": 1 }, "since": "2026-11-22T00:00:00Z" });
        let world = world.file(&lock, holder.to_string());
        let file = fs::File::open(world.path(&lock)).expect("a file");
        file.lock().expect("a lock");
        checked(&world, &["apply", "--auto-approve"]);
    }
}

/// A saved plan with other words and a correct digest.
fn redigested(plan: &str, text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let words = ["message", "help", "name", "wants", "file", "domain", "cloud", "path", "policy"];
    let mut rows = String::new();
    for line in plan.lines().filter(|line| !line.starts_with("{\"digest\"")) {
        let mut row: Value = serde_json::from_str(line).expect("JSON");
        replace(&mut row, &words, text);
        rows += &format!("{row}\n");
    }
    let digest: String =
        Sha256::digest(rows.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    rows + &json!({ "digest": digest }).to_string() + "\n"
}

fn replace(value: &mut Value, keys: &[&str], text: &str) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| match value {
            Value::String(word) if keys.contains(&key.as_str()) => *word = text.to_owned(),
            value => replace(value, keys, text),
        }),
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, keys, text)),
        _ => {}
    }
}

/// The files that may use a stream of the process. They escape a page before they print it, or print no
/// text of other people.
const WRITERS: [&str; 6] = [
    "src/cli.rs",
    "src/commands/out.rs",
    "src/commands/output.rs",
    "src/commands/progress.rs",
    "src/terminal.rs",
    "src/commands/completions.rs",
];

#[test]
fn only_the_output_modules_write_to_a_stream() {
    let mut open = vec![std::path::PathBuf::from("src")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("text");
            let prints = ["stdout()", "stdout;", "stderr()", "stderr;", "print_own"]
                .iter()
                .any(|word| text.contains(word));
            let name = path.display().to_string();
            assert!(!prints || WRITERS.contains(&name.as_str()), "{name} prints directly");
        }
    }
}

/// Texts of hostile pieces, and any other texts.
fn text_of_others() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..4);
    let pieces = pieces.prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>(), 1 => "[a-zA-Z ]{60,90}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Plans and their JSON, for any names of users and groups.
    #[test]
    fn plan_with_hostile_names_is_harmless_as_text_and_json(names in prop::collection::vec(text_of_others(), 16), group in text_of_others()) {
        let mut tenant = Tenant::new();
        for ((user, _), name) in tenant.users.iter_mut().zip(&names).skip(2) {
            user.name = format!("{}{}@x.y", name.replace('@', ""), user.id).into();
        }
        for (one, _) in &mut tenant.groups {
            one.name = group.as_str().into();
        }
        let policies = "version: 1\npolicies:\n  p:\n    appliesTo: { everyone: true, groups: \
            [00000000-0000-4000-8000-000000000064] }\n    desired: { phones: { mobile: { from: mobilePhone, \
            region: NL } }, perUserMfa: enforced }\n  q:\n    mode: report\n    appliesTo: { everyone: true }\n    \
            desired: { perUserMfa: enabled }\n";
        let outcome = tenant.plan(policies).expect("a plan");
        for all in [false, true] {
            let page = text::plan(&outcome.plan, TextView { all, ..TextView::default() });
            let page = anstream::adapter::strip_str(&page).to_string();
            prop_assert_eq!(harm(&page), None, "{}", page);
        }
        let mut out = Vec::new();
        json::plan(&outcome.plan, &mut out).expect("JSON");
        let out = String::from_utf8(out).expect("UTF-8");
        prop_assert_eq!(harm(&out), None, "{}", out);
    }
}
