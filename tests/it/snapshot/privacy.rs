//! A snapshot holds no number and, without `--names`, nothing that tells who a user is: no name, no id, and no
//! digest of them that somebody could make without the key.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;

use base64::prelude::*;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

use super::same_plan::KEY;
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{JAMES_AND_JANE, World};

const FILE: &str = "tenant.snapshot";

/// The text of the snapshot.
pub(super) fn lines(world: &World) -> String {
    let mut text = String::new();
    let file = File::open(world.path(FILE)).expect("the snapshot");
    GzDecoder::new(file).read_to_string(&mut text).expect("text");
    text
}

/// The text, and digests of it that need no key.
fn tellable(word: &str) -> Vec<String> {
    let bytes = [Sha256::digest(word).to_vec(), Sha512::digest(word).to_vec()];
    let forms = bytes.into_iter().flat_map(|digest| {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        [hex[..16].to_owned(), BASE64_STANDARD.encode(&digest)[..16].to_owned()]
    });
    forms.chain([word.to_owned()]).collect()
}

/// The numbers in the tenant: of the directory and registered, in all forms.
fn numbers(world: &World) -> BTreeSet<String> {
    let store = world.server().store();
    let mut numbers = BTreeSet::new();
    let mut add = |text: Option<&str>| {
        let digits: String =
            text.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 7 {
            let national = digits[digits.len() - 7..].to_owned();
            numbers.extend([format!("+{digits}"), digits, national]);
            numbers.extend(text.map(str::to_owned));
        }
    };
    for record in store.users() {
        add(record.user["mobilePhone"].as_str());
        let business = record.user["businessPhones"].as_array();
        business.into_iter().flatten().for_each(|number| add(number.as_str()));
        record
            .methods
            .iter()
            .for_each(|method| add(method.get("phoneNumber").and_then(Value::as_str)));
    }
    numbers
}

fn holds_nothing(world: &World, key: &[(&'static str, &str)]) {
    let mut command = world.command(&["snapshot", "--out", FILE, "--groups", "all"]);
    let output = command.envs(key.iter().copied()).output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = lines(world).to_lowercase();
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let mut words: BTreeSet<String> = numbers(world);
    for record in world.server().store().users() {
        for key in ["id", "userPrincipalName", "mail"] {
            words.extend(record.user[key].as_str().map(str::to_lowercase));
        }
        // A name of one word may be that of a department too.
        let name = record.user["displayName"].as_str().filter(|name| name.contains(' '));
        words.extend(name.map(str::to_lowercase));
        let local =
            record.user["userPrincipalName"].as_str().and_then(|name| name.split('@').next());
        words.extend(local.filter(|local| local.contains('.')).map(str::to_lowercase));
    }
    assert!(words.len() > 20, "{words:?}");
    for word in words {
        for form in tellable(&word) {
            let form = form.to_lowercase();
            assert!(!text.contains(&form), "`{word}` is in the snapshot as `{form}`");
            assert!(!said.contains(&form), "`{word}` is said");
        }
    }
}

#[test]
fn snapshot_holds_no_number_and_no_name() {
    let world = exchangelabs()
        .property("j.brown@exchangelabs.nl", "businessPhones", serde_json::json!(["020 794 60 95"]))
        .world()
        .file("policies/staff.yaml", JAMES_AND_JANE);
    holds_nothing(&world, &[]);
    holds_nothing(&world, &[("MFACTL_SNAPSHOT_KEY", KEY)]);
    assert!(!lines(&world).contains(KEY));
    // With names, there is no number either.
    world.run(&["snapshot", "--out", FILE, "--names"]).ends(0);
    let text = lines(&world);
    assert!(text.contains("j.brown@exchangelabs.nl"), "{text}");
    for number in numbers(&world) {
        assert!(!text.contains(&number), "{number}");
    }
}

#[test]
#[ignore = "long: a generated tenant with numbers of each kind"]
fn snapshot_of_a_generated_tenant_holds_no_number_and_no_name() {
    let seed = mfactl_sandbox::seeds::by_name("generated-400").expect("a seed");
    let world = TenantBuilder::of(seed).world().file("policies/staff.yaml", JAMES_AND_JANE);
    holds_nothing(&world, &[]);
}

/// The order of names in the tenant would tell a reader who is who.
#[test]
fn order_of_users_does_not_tell_who_they_are() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let world = world.with("MFACTL_SNAPSHOT_KEY", KEY);
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let rows: Vec<Value> =
        lines(&world).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["user"]["id"].as_str()).collect();
    assert!(ids.len() > 20);
    let mut sorted = ids.clone();
    // All of one domain and all of another are together.
    sorted.sort_unstable();
    assert_eq!(ids, sorted);
}

#[test]
fn pseudonyms_are_the_same_only_with_the_same_key() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let users = |world: &World| -> BTreeSet<String> {
        world.run(&["snapshot", "--out", FILE]).ends(0);
        let of_user = |line: &&str| line.starts_with(r#"{"user""#);
        lines(world).lines().filter(of_user).map(|line| line[..60].to_owned()).collect()
    };
    let (one, other) = (users(&world), users(&world));
    assert!(one.is_disjoint(&other));
    let world = world.with("MFACTL_SNAPSHOT_KEY", KEY);
    assert_eq!(users(&world), users(&world));
    let world = world.with("MFACTL_SNAPSHOT_KEY", "short");
    let run = world.run(&["snapshot", "--out", FILE]).ends(1);
    assert_eq!(
        run.stderr,
        "error: `MFACTL_SNAPSHOT_KEY` has fewer than 16 bytes, which is too short for a snapshot\nhelp: use a random key, for example from `openssl rand -hex 32`, or unset the variable\n"
    );
}

/// Classes of numbers must not join a snapshot with names and one without.
#[test]
fn snapshot_with_names_does_not_name_the_rows_of_another() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let world = world.with("MFACTL_SNAPSHOT_KEY", KEY);
    let numbers = |arguments: &[&str]| -> BTreeSet<String> {
        world.run(&[&["snapshot", "--out", FILE], arguments].concat()).ends(0);
        let text = lines(&world);
        let numbers = text.match_indices("\"number\":\"").map(|(place, _)| &text[place + 10..]);
        numbers.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let (with, without) = (numbers(&["--names"]), numbers(&[]));
    assert!(with.len() > 10 && with.len() == without.len());
    assert!(with.is_disjoint(&without));
}

#[test]
fn names_are_kept_only_where_names_may_be_told() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let run = world.run(&["snapshot", "--out", FILE, "--names", "--disclose", "counts"]).ends(1);
    assert!(run.stderr.contains("a snapshot with names is about single users"), "{}", run.text());
    let world = world.with("CI", "true");
    world.run(&["snapshot", "--out", FILE, "--names"]).ends(1);
    assert!(!world.path(FILE).exists());
    let named = ["snapshot", "--out", FILE, "--names", "--disclose", "names"];
    world.run(&named).ends(0);
    // In a repository, it must not be added by accident.
    let world = world.with("PATH", std::env::var("PATH").expect("a path"));
    crate::plan::against::git(&world, &["init", "--quiet"]);
    let run = world.run(&named).ends(0);
    assert!(
        run.stderr.contains("warning: git does not ignore `tenant.snapshot`"),
        "{}",
        run.text()
    );
}

#[test]
fn snapshot_is_private_and_replaces_only_a_snapshot() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let world = world.file("notes.txt", "notes");
    let run = world.run(&["snapshot", "--out", "notes.txt"]).ends(1);
    assert!(run.stderr.contains("contains something other than a snapshot"), "{}", run.text());
    assert_eq!(fs::read(world.path("notes.txt")).expect("the notes"), b"notes");
    world.run(&["snapshot", "--out", FILE]).ends(0);
    let run = world.run(&["snapshot", "--out", FILE]).ends(0);
    assert!(
        run.stderr.ends_with(
            "users and 2 groups saved in `tenant.snapshot`, without numbers and without names\n"
        ),
        "{}",
        run.text()
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(world.path(FILE)).expect("the snapshot").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(world.server().store().writes().len(), 0);
}
