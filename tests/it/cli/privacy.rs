//! A full phone number goes to Graph and nowhere else. All output of the program for a whole tenant is
//! searched for every number in the tenant, and for every secret and token that the program received.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use mfactl_sandbox::{Fault, Faults, Store, seeds, store_in};
use serde_json::{Value, json};

use crate::apply::killed::journals;
use crate::sandbox::served::root_files;
use crate::support::network_faults::{Front, Weather};
use crate::support::shown_numbers::{digit_strings, last_digits, numbers, shows_none};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

#[test]
fn number_search_finds_every_spelling() {
    let numbers = BTreeSet::from([last_digits("+31 6 12345678").expect("a number")]);
    for text in
        ["+31612345678", "06 123 456 78", "(06)-12345678", "tel:0031.6.12345678,", "x12345678x"]
    {
        let found = digit_strings(text).iter().any(|digits| digits.contains("12345678"));
        assert!(found, "{text}");
    }
    shows_none("+31 6••••••78 and 1234 of 5678", &numbers);
}

#[test]
fn no_number_of_the_tenant_is_printed_by_a_few_commands() {
    prints_no_number(&[
        &["report", "--all"],
        &["report", "--format", "csv"],
        &["explain", "h.peters@exchangelabs.nl"],
        &["explain", "h.peters@exchangelabs.nl", "--as-test"],
        &["test"],
        &["apply", "--auto-approve", "--all"],
        &["sandbox", "show", "j.brown@exchangelabs.nl"],
    ]);
}

/// Runs the commands in a tenant, and searches their output for each of its numbers.
fn prints_no_number(commands: &[&[&str]]) {
    let world = root_files();
    let folder = world.path(".mfactl/sandbox");
    let mut known = numbers(&store_in(&folder).expect("a tenant"));
    assert!(known.len() > 40, "{known:?}");
    for arguments in commands {
        let run = world.run(arguments).ends(0);
        known.extend(numbers(&store_in(&folder).expect("a tenant")));
        shows_none(&run.text(), &known);
    }
}

#[test]
#[ignore = "long: every view of a plan and of a report"]
fn no_number_of_the_tenant_is_printed() {
    prints_no_number(&[
        &["report", "--all"],
        &["report", "--format", "csv"],
        &["report", "--format", "html"],
        &["plan"],
        &["plan", "--all"],
        &["plan", "--format", "json"],
        &["plan", "--format", "html"],
        &["sandbox", "show"],
        &["explain", "j.brown@exchangelabs.nl"],
        &["explain", "h.peters@exchangelabs.nl"],
        &["explain", "j.brown@exchangelabs.nl", "--format", "json"],
        &["explain", "j.brown@exchangelabs.nl", "--as-test"],
        &["test"],
        &["apply", "--auto-approve", "--all"],
        &["plan", "--all"],
        &["sandbox", "show"],
        &["sandbox", "show", "j.brown@exchangelabs.nl"],
    ]);
}

#[test]
fn no_number_is_printed_if_every_write_fails() {
    let refuse = Faults::by(|part| match part.write {
        Some(_) => {
            Fault::Status { status: 400, code: "invalidRequest".to_owned(), retry_after: None }
        }
        None => Fault::None,
    });
    let cut =
        Faults::by(|part| if part.write.is_some() { Fault::CloseBefore } else { Fault::None });
    for faults in [refuse, cut] {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let world = exchangelabs().faults(faults).world().copy(&policies, "policies");
        let run = world.run(&["apply", "--auto-approve", "--all"]).ends(5);
        assert!(run.stdout.contains("Apply: 0 changes done"), "{}", run.text());
        shows_none(&run.text(), &numbers(&Store::new(seeds::exchangelabs())));
    }
}

/// All files below a folder, as text.
fn written(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all += &written(&path);
        } else {
            all += &String::from_utf8_lossy(&std::fs::read(path).expect("a file"));
        }
    }
    all
}

const SECRET: &str = "s3cr3t~of~the~application";
const BEARER: &str = "the-bearer-of-the-job";
const ASSERTION: &str = "aXNzdWVy.b2YtdGhlLWpvYg.c2lnbmVk";

/// A saved plan, which holds numbers.
const SAVED: &str = "saved.plan";
/// A placeholder for the id of the latest run.
const LAST_RUN: &str = "LAST";

/// Every command, with success and with failure.
const COMMANDS: [&[&str]; 37] = [
    &["doctor"],
    &["doctor", "--for", "plan", "--format", "json"],
    &["report"],
    &["report", "--all", "--at", "2027-07-01"],
    &["report", "--format", "json"],
    &["report", "--format", "csv"],
    &["report", "--format", "html"],
    &["plan", "--stats"],
    &["plan", "--format", "html"],
    &["plan", "--all", "--format", "json"],
    &["explain", "j.brown@exchangelabs.nl"],
    &["explain", "h.peters@exchangelabs.nl", "--format", "json"],
    &["validate"],
    &["validate", "--format", "sarif"],
    &["explain", "j.brown@exchangelabs.nl", "--as-test"],
    &["test"],
    &["test", "--format", "junit"],
    &["test", "--format", "github"],
    &["schema", "plan"],
    &["completions", "bash"],
    &["plan", "--user", "j.smith@exchangelabs.nl", "--out", SAVED],
    &["show", SAVED],
    &["show", SAVED, "--format", "json"],
    &["show", SAVED, "--format", "html"],
    &["apply", SAVED],
    &["apply", "--auto-approve", "--limit", "3"],
    &["apply", "--auto-approve", "--all"],
    &["runs"],
    &["runs", "--format", "json"],
    &["runs", "show", LAST_RUN],
    &["undo", LAST_RUN, "--auto-approve", "--all"],
    &["plan", "--timeout", "1ms"],
    &["report", "--fail-on", "open"],
    &["explain", "nobody@exchangelabs.nl"],
    &["sandbox", "show"],
    &["sandbox", "show", "j.brown@exchangelabs.nl"],
    &["sandbox", "reset"],
];

/// A tenant behind a front that records the tokens and can repeat request bodies in its errors.
struct Listening {
    world: World,
    tokens: Arc<Mutex<Vec<String>>>,
    _fronts: [Front; 2],
}

impl Listening {
    fn to(credential: &str, bad: bool) -> Self {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let world = exchangelabs().served().copy(&policies, "policies");
        let tokens = Arc::new(Mutex::new(Vec::<String>::new()));
        let given = Arc::clone(&tokens);
        let job = Front::alone(|_, _| Weather::json(format!(r#"{{"value":"{ASSERTION}"}}"#)));
        let front = Front::before(world.server().url(), move |seen, nth| {
            if bad && nth % 7 == 5 {
                // Graph may repeat the body of a request in an error.
                let error = json!({ "error": { "code": "badRequest", "message": seen.body } });
                return Weather::Says(400, Vec::new(), error.to_string());
            }
            if !seen.path.ends_with("/token") {
                return Weather::Fine;
            }
            let given = Arc::clone(&given);
            Weather::body(move |body| {
                let answer: Value = serde_json::from_str(&body).expect("JSON");
                let token = answer.get("access_token").and_then(Value::as_str);
                given.lock().expect("no panic").extend(token.map(str::to_owned));
                body
            })
        });
        let url = front.url();
        let project = PROJECT.replace("tenant:", &format!("credential: {credential}\ntenant:"));
        let world = world
            .behind(&project, &url, &url)
            .with("AZURE_CLIENT_SECRET", SECRET)
            .with("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/x?y=1", job.url()))
            .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER);
        Self { world, tokens, _fronts: [front, job] }
    }

    /// Runs a command with a log, checks its output, and returns the number of lines on standard error.
    fn logged(&self, command: &[&str], level: &str, format: &str) -> usize {
        let log = ["--log", level, "--log-format", format];
        let runs = journals(&self.world);
        // If every command fails, there may be no run.
        let last =
            runs.last().map_or("20261122T101500Z-3f2a".to_owned(), |run| run.run.to_string());
        let words = command.iter().map(|word| if *word == LAST_RUN { last.as_str() } else { word });
        let run = self.world.run(&words.chain(log).collect::<Vec<_>>());
        assert!(!run.stderr.contains("Usage:"), "{command:?} is not a command: {}", run.text());
        let known = numbers(&self.world.server().store());
        shows_none(&without_ids(&run.text()), &known);
        let mut private: Vec<String> =
            [SECRET, BEARER, ASSERTION, "Bearer "].map(str::to_owned).into();
        private.extend(self.tokens.lock().expect("no panic").iter().cloned());
        let parts: Vec<String> =
            private.iter().flat_map(|one| one.split('.')).map(str::to_owned).collect();
        for part in parts.iter().filter(|part| part.len() > 6) {
            assert!(!run.text().contains(part), "{part} in {command:?}: {}", run.text());
        }
        run.stderr.lines().count()
    }

    /// Checks that no file has a secret, and that only two places have numbers.
    fn kept_nothing(&self) {
        assert!(!self.tokens.lock().expect("no panic").is_empty());
        let files = written(&self.world.path("."));
        let secrets = [SECRET, BEARER, ASSERTION].into_iter();
        assert_eq!(secrets.filter(|one| files.contains(one)).count(), 0, "no secret is kept");
        // These two places keep full numbers by design.
        _ = std::fs::remove_dir_all(self.world.path(".mfactl/restore"));
        _ = std::fs::remove_file(self.world.path(SAVED));
        let known = numbers(&self.world.server().store());
        shows_none(&without_ids(&written(&self.world.path("."))), &known);
    }
}

/// The log of no command contains a secret or a number.
#[test]
fn logs_of_a_few_commands_have_no_secret_and_no_number() {
    let saved: &[&str] = &["plan", "--user", "j.smith@exchangelabs.nl", "--out", SAVED];
    let apply: &[&str] = &["apply", "--auto-approve", "--limit", "3"];
    have_no_secret_and_no_number(vec![
        ("clientSecret", true, vec![&["doctor"], apply]),
        ("githubActions", false, vec![&["report", "--all"], saved, apply]),
    ]);
}

#[test]
#[ignore = "long: every command"]
fn logs_of_all_commands_have_no_secret_and_no_number() {
    // If Graph repeats request bodies, one use of each command is enough.
    let mut seen = BTreeSet::new();
    let once: Vec<&[&str]> =
        COMMANDS.into_iter().filter(|command| seen.insert(command.first())).collect();
    have_no_secret_and_no_number(vec![
        ("clientSecret", true, once),
        ("githubActions", false, COMMANDS.to_vec()),
    ]);
}

/// Runs rounds of commands, each with a credential, and with or without repeated bodies in the errors of Graph.
/// The level `trace` includes all other levels.
fn have_no_secret_and_no_number(rounds: Vec<(&str, bool, Vec<&[&str]>)>) {
    for (round, (credential, bad, commands)) in rounds.into_iter().enumerate() {
        let listening = Listening::to(credential, bad);
        let format = |place: usize| if (place + round).is_multiple_of(2) { "text" } else { "json" };
        let numbered = commands.iter().enumerate();
        let logged: usize =
            numbered.map(|(at, command)| listening.logged(command, "trace", format(at))).sum();
        assert!(logged > 3 * commands.len(), "the log has lines: {logged}");
        listening.kept_nothing();
    }
}

#[test]
#[ignore = "long: runs every command at every level in every format"]
fn logs_at_every_level_have_no_secret_and_no_number() {
    for bad in [true, false] {
        for level in ["off", "error", "warn", "info", "debug", "trace"] {
            for format in ["text", "json"] {
                let listening =
                    Listening::to(if bad { "githubActions" } else { "clientSecret" }, bad);
                for command in COMMANDS {
                    listening.logged(command, level, format);
                }
                listening.kept_nothing();
            }
        }
    }
}

/// Removes GUIDs and times, because they contain digits.
fn without_ids(text: &str) -> String {
    let of_id = |c: char| c.is_ascii_hexdigit() || "-:TZ.".contains(c);
    let is_id = |word: &str| word.len() > 18 && word.chars().any(|c| c.is_ascii_digit());
    let words = text.split_inclusive(|c: char| !of_id(c));
    words.filter(|word| !is_id(word.trim_end_matches(|c| !of_id(c)))).collect()
}
