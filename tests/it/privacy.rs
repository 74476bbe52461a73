//! A phone number in full goes to Graph and nowhere else: everything that the program prints of a
//! whole tenant is searched for every number that anybody in it has, and for every secret and token
//! that it was given on the way.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;

use mfactl::sandbox::{Fault, Faults, Options, Store, seeds, store_in};
use serde_json::{Value, json};

use crate::front::{Front, Weather};
use crate::invented::last_digits;
use crate::program::exchangelabs;
use crate::promises::digit_strings;
use crate::served::root_files;
use crate::world::{PROJECT, World};

/// Every number of the directory and every registered one, as its last eight digits.
pub(crate) fn numbers(store: &Store) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    for one in store.users() {
        let registered = one.methods.iter().filter_map(|method| method.get("phoneNumber"));
        let desks = one.user.get("businessPhones").and_then(Value::as_array);
        let all = registered.chain(desks.into_iter().flatten()).chain(one.user.get("mobilePhone"));
        numbers.extend(all.filter_map(Value::as_str).filter_map(last_digits));
    }
    numbers
}

#[track_caller]
pub(crate) fn shows_none(text: &str, numbers: &BTreeSet<String>) {
    for digits in digit_strings(text) {
        let shown = numbers.iter().find(|number| digits.contains(number.as_str()));
        assert_eq!(shown, None, "in {digits}, in:\n{text}");
    }
}

#[test]
fn a_number_is_found_however_it_is_written() {
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
fn no_number_of_the_whole_tenant_is_printed() {
    let world = root_files();
    let folder = world.path(".mfactl/sandbox");
    let mut known = numbers(&store_in(&folder).expect("a tenant"));
    assert!(known.len() > 40, "{known:?}");
    let commands: [&[&str]; 11] = [
        &["plan"],
        &["plan", "--all"],
        &["plan", "--format", "json"],
        &["sandbox", "show"],
        &["explain", "j.brown@exchangelabs.nl"],
        &["explain", "h.peters@exchangelabs.nl"],
        &["explain", "j.brown@exchangelabs.nl", "--format", "json"],
        &["apply", "--auto-approve", "--all"],
        &["plan", "--all"],
        &["sandbox", "show"],
        &["sandbox", "show", "j.brown@exchangelabs.nl"],
    ];
    for arguments in commands {
        let run = world.run(arguments).ends(0);
        known.extend(numbers(&store_in(&folder).expect("a tenant")));
        shows_none(&run.text(), &known);
    }
}

#[test]
fn no_number_is_printed_where_everything_fails() {
    let refuse = Faults::by(|part| match part.write {
        Some(_) => {
            Fault::Status { status: 400, code: "invalidRequest".to_owned(), retry_after: None }
        }
        None => Fault::None,
    });
    let cut =
        Faults::by(|part| if part.write.is_some() { Fault::CloseBefore } else { Fault::None });
    for faults in [refuse, cut] {
        let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let world = World::of(Options { faults, ..exchangelabs() }).copy(&policies, "policies");
        let run = world.run(&["apply", "--auto-approve", "--all"]).ends(5);
        assert!(run.stdout.contains("Apply: 0 changes done"), "{}", run.text());
        shows_none(&run.text(), &numbers(&Store::new(seeds::exchangelabs())));
    }
}

/// All files below a folder, as text.
fn written(folder: &std::path::Path) -> String {
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

/// Whoever reads a log of any level in any format, of any command, of what went well and what did
/// not, can neither sign in nor call anybody.
#[test]
fn no_secret_and_no_number_is_in_any_log_of_any_command() {
    let commands: [&[&str]; 12] = [
        &["doctor"],
        &["doctor", "--format", "json"],
        &["plan"],
        &["plan", "--all", "--format", "json"],
        &["explain", "j.brown@exchangelabs.nl"],
        &["explain", "h.peters@exchangelabs.nl", "--format", "json"],
        &["validate"],
        &["schema", "plan"],
        &["apply", "--auto-approve", "--limit", "3"],
        &["apply", "--auto-approve", "--all"],
        &["plan", "--timeout", "1ms"],
        &["explain", "nobody@exchangelabs.nl"],
    ];
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let rounds = [("clientSecret", true), ("githubActions", false)];
    for (round, (credential, bad)) in rounds.into_iter().enumerate() {
        let world = World::served(exchangelabs()).copy(&policies, "policies");
        let tokens = std::sync::Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
        let given = std::sync::Arc::clone(&tokens);
        let job = Front::alone(|_, _| Weather::json(format!(r#"{{"value":"{ASSERTION}"}}"#)));
        let front = Front::before(world.server().url(), move |seen, nth| {
            if bad && nth % 7 == 5 {
                // Graph repeats what it was sent, as it may.
                let said = json!({ "error": { "code": "badRequest", "message": seen.body } });
                return Weather::Says(400, Vec::new(), said.to_string());
            }
            if !seen.path.ends_with("/token") {
                return Weather::Fine;
            }
            let given = std::sync::Arc::clone(&given);
            Weather::body(move |body| {
                let answer: Value = serde_json::from_str(&body).expect("JSON");
                let token = answer.get("access_token").and_then(Value::as_str);
                given.lock().expect("nobody panics").extend(token.map(str::to_owned));
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
        let mut logged = 0;
        for (place, command) in commands.iter().enumerate() {
            // What the other levels say is in it.
            let format = if (place + round) % 2 == 0 { "text" } else { "json" };
            let log = ["--log", "trace", "--log-format", format];
            let run = world.run(&[*command, &log[..]].concat());
            logged += run.stderr.lines().count();
            let known = numbers(&world.server().store());
            shows_none(&without_ids(&run.text()), &known);
            let mut private: Vec<String> =
                [SECRET, BEARER, ASSERTION, "Bearer "].map(str::to_owned).into();
            private.extend(tokens.lock().expect("nobody panics").iter().cloned());
            let parts: Vec<String> =
                private.iter().flat_map(|one| one.split('.')).map(str::to_owned).collect();
            for part in parts.iter().filter(|part| part.len() > 6) {
                assert!(!run.text().contains(part), "{part} in {command:?}: {}", run.text());
            }
        }
        assert!(logged > 100, "there is a log: {logged}");
        assert!(!tokens.lock().expect("nobody panics").is_empty());
        let files = written(&world.path("."));
        let secrets = [SECRET, BEARER, ASSERTION].into_iter();
        assert_eq!(secrets.filter(|one| files.contains(one)).count(), 0, "nothing is kept");
        // The one place on this machine that is there to keep numbers.
        _ = std::fs::remove_dir_all(world.path(".mfactl/restore"));
        shows_none(&without_ids(&written(&world.path("."))), &numbers(&world.server().store()));
    }
}

/// GUIDs and times have digits of their own.
fn without_ids(text: &str) -> String {
    let of_id = |c: char| c.is_ascii_hexdigit() || "-:TZ.".contains(c);
    let is_id = |word: &str| word.len() > 18 && word.chars().any(|c| c.is_ascii_digit());
    let words = text.split_inclusive(|c: char| !of_id(c));
    words.filter(|word| !is_id(word.trim_end_matches(|c| !of_id(c)))).collect()
}
