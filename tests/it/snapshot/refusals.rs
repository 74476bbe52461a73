//! Snapshots that are refused: damaged, too old, of another tenant, or asked for what only the tenant can do.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::privacy::lines;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, World};

const FILE: &str = "tenant.snapshot";
const NOBODY: &str = "http://127.0.0.1:9";

fn recorded() -> World {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    world.run(&["snapshot", "--out", FILE]).ends(0);
    world
}

pub(super) fn with_project(world: World, text: &str) -> World {
    let project = world.project(text);
    world.file("mfactl.yaml", project)
}

fn compressed(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).expect("memory");
    out.finish().expect("memory")
}

/// Edits the lines, and gives them a digest that fits.
fn edited(world: World, edit: impl Fn(&str) -> String) -> World {
    let text = lines(&world);
    let (body, _) = text.trim_end().rsplit_once('\n').expect("two lines");
    let body = edit(&format!("{body}\n"));
    let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    world.file(FILE, compressed(&format!("{body}{{\"digest\":\"{digest}\"}}\n")))
}

#[track_caller]
fn refused(world: &World, code: i32, why: &str) {
    for command in ["plan", "report"] {
        let run = world.run(&[command, "--snapshot", FILE]).ends(code);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains(why), "{why}\n{}", run.text());
        assert!(run.stderr.contains("\nhelp: "), "{}", run.text());
    }
}

#[test]
fn unusable_snapshot_is_refused_with_the_reason() {
    let world = recorded();
    let whole = fs::read(world.path(FILE)).expect("the snapshot");
    let world = world.file(FILE, "version: 1\n");
    refused(&world, 4, "the snapshot `tenant.snapshot` cannot be used: it is not a snapshot\n");
    let world = world.file(FILE, compressed("{\"planVersion\":1}\n"));
    refused(&world, 4, "it is not a snapshot\n");
    let world = world.file(FILE, &whole[..whole.len() - 20]);
    refused(&world, 4, "it is damaged or incomplete, in line ");
    let world =
        edited(world.file(FILE, &whole), |text| text.replace("\"format\":1", "\"format\":9"));
    refused(&world, 4, "it has format 9, but this program reads format 1\n");
    let world = world.file(FILE, &whole);
    let text = lines(&world).replacen("\"enabled\":true", "\"enabled\":false", 1);
    let world = world.file(FILE, compressed(&text));
    refused(&world, 4, "it is damaged or incomplete, in line ");
    let text = lines(&world.file(FILE, &whole)) + "{\"digest\":\"00\"}\n";
    refused(&recorded().file(FILE, compressed(&text)), 4, "it is damaged or incomplete");
    let world = recorded();
    fs::remove_file(world.path(FILE)).expect("removed");
    refused(&world, 1, "it could not be read: No such file");
}

#[test]
fn impossible_lines_are_refused() {
    let twice = |text: &str, kind: &str| {
        let of_kind = |line: &&str| line.starts_with(kind);
        let line = text.lines().find(of_kind).expect("a line");
        text.replacen(line, &format!("{line}\n{line}"), 1)
    };
    let edits: [&dyn Fn(&str) -> String; 9] = [
        &|text| twice(text, "{\"rules\""),
        &|text| twice(text, "{\"roles\""),
        &|text| twice(text, "{\"group\""),
        // Two rows of one user, users in another order, and a name that is kept.
        &|text| twice(text, "{\"user\""),
        &|text| reversed(text, "{\"user\""),
        &|text| text.replacen("\"name\":{\"domain\"", "\"name\":{\"kept\"", 1),
        &|text| text.replacen("\"users\":[", "\"users\":[999999,", 1),
        &|text| text.replacen("{\"user\":{", "{\"user\":{\"phone\":1,", 1),
        &|text| {
            text.lines()
                .filter(|line| !line.starts_with("{\"roles\""))
                .fold(String::new(), |text, line| text + line + "\n")
        },
    ];
    for edit in edits {
        let world = edited(recorded(), edit);
        refused(&world, 4, "it is damaged or incomplete, in line ");
    }
}

/// Puts the lines of a kind into the opposite order.
fn reversed(text: &str, kind: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let places: Vec<usize> =
        (0..lines.len()).filter(|place| lines[*place].starts_with(kind)).collect();
    for (one, other) in places.iter().zip(places.iter().rev()).take(places.len() / 2) {
        lines.swap(*one, *other);
    }
    lines.join("\n") + "\n"
}

#[test]
fn bytes_after_the_snapshot_are_refused() {
    let world = recorded();
    let mut bytes = fs::read(world.path(FILE)).expect("the snapshot");
    bytes.push(b'x');
    refused(&world.file(FILE, bytes), 4, "it is damaged or incomplete");
}

/// What was reviewed or approved in a snapshot is no review and no approval of the tenant.
#[test]
fn codes_of_a_snapshot_approve_nothing() {
    let world = exchangelabs().world().file("policies/staff.yaml", JAMES_AND_JANE);
    let world =
        world.file("old/mfactl.yaml", PROJECT).file("old/policies/staff.yaml", JAMES_AND_JANE);
    let more = JAMES_AND_JANE.replace("perUserMfa: enabled", "perUserMfa: enforced");
    let world = with_project(world.file("policies/staff.yaml", more), PROJECT);
    let old = world.project(PROJECT);
    let world = world.file("old/mfactl.yaml", old);
    world.run(&["snapshot", "--out", FILE, "--names"]).ends(0);
    let page = |more: &[&str]| {
        let arguments = ["plan", "--against", "./old", "--format", "markdown"];
        world.run(&[&arguments[..], more].concat()).ends(0).stdout
    };
    assert!(page(&[]).contains("for `apply --approved-difference`"));
    let offline = page(&["--snapshot", FILE]);
    assert!(offline.contains("This is from a snapshot of "), "{offline}");
    assert!(!offline.contains("--approved-difference"), "{offline}");
    let fingerprint = |arguments: &[&str]| {
        let output = world.command(arguments).output().expect("the program");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["fingerprint"].as_str().expect("a fingerprint").to_owned()
    };
    let online = fingerprint(&["plan", "--format", "json"]);
    let offline = fingerprint(&["plan", "--format", "json", "--snapshot", FILE]);
    assert_ne!(online, offline);
    world.run(&["apply", "--auto-approve", "--expect", &offline]).ends(4);
    assert_eq!(world.server().store().writes().len(), 0);
}

#[test]
fn snapshot_of_another_tenant_or_another_time_is_refused() {
    let world = recorded();
    let other = PROJECT.replace("tenant: exchangelabs.nl", "tenant: other.example");
    let world = with_project(world, &other);
    refused(
        &world,
        4,
        "it is of tenant `exchangelabs.nl`, but `mfactl.yaml` names `other.example`\n",
    );
    let world = with_project(world, PROJECT);
    let year = jiff::Timestamp::now().strftime("\"made\":\"%Y").to_string();
    let world = edited(world, |text| text.replace(&year, "\"made\":\"2020"));
    let run = world.run(&["plan", "--snapshot", FILE]).ends(4);
    assert!(
        run.stderr.contains(" minutes old, but the maximum is 1440\nhelp: take a new one"),
        "{}",
        run.text()
    );
    world.run(&["plan", "--snapshot", FILE, "--max-age", "999999h"]).ends(0);
    let world = edited(world, |text| text.replace("\"made\":\"2020", "\"made\":\"2200"));
    refused(&world, 4, "it was made in the future");
    let world =
        edited(recorded(), |text| text.replace("\"cloud\":\"global\"", "\"cloud\":\"china\""));
    refused(&world, 4, "it is of cloud `china`, but `mfactl.yaml` names `global`\n");
}

/// Nothing that is kept or written can come from a snapshot.
#[test]
fn plan_of_a_snapshot_is_not_saved() {
    let world = recorded();
    for option in ["--out", "--approval", "--journal", "--ca-file", "--timeout"] {
        let run = world.run(&["plan", "--snapshot", FILE, option, "1m"]).ends(1);
        assert!(run.stderr.contains("cannot be used with"), "{}", run.text());
    }
    // Nothing is sent: there is nobody at the address, and no credential.
    let world = world.without("AZURE_CLIENT_SECRET").behind(PROJECT, NOBODY, NOBODY);
    let json = world.run(&["plan", "--snapshot", FILE, "--format", "json"]).ends(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["applyable"], serde_json::json!(false));
    assert!(json["snapshot"].is_string(), "{json}");
}

#[test]
#[ignore = "long: each byte of a snapshot"]
fn snapshot_damaged_at_any_byte_is_refused_or_means_the_same() {
    let world = recorded();
    let whole = fs::read(world.path(FILE)).expect("the snapshot");
    let (file, text) = (world.path(FILE), lines(&world));
    let mut refused = 0;
    for (place, bit) in (0..whole.len()).zip([1, 0x80].into_iter().cycle()) {
        let mut damaged = whole.clone();
        damaged[place] ^= bit;
        fs::write(&file, &damaged).expect("a file");
        match mfactl::snapshot::read(&file) {
            Err(_) => refused += 1,
            // A bit in the head of the compressed file, such as its time, means nothing.
            Ok(_) => assert_eq!(lines(&world), text, "byte {place}"),
        }
    }
    assert!(refused > whole.len() / 2, "{refused} of {}", whole.len());
    for length in (0..whole.len()).step_by(3) {
        fs::write(&file, &whole[..length]).expect("a file");
        assert!(mfactl::snapshot::read(&file).is_err(), "{length} bytes");
    }
}
