//! Hostile text in files of checks, in every format of `mfactl test`.
//!
//! Not here: hostile tenants and policies (`hostile`).

use serde_json::Value;

use super::{PIECES, harmless};
use crate::support::world::{PROJECT, World};

/// Runs files of checks that have these pieces, with faults and with failures, in every format.
fn hostile_checks_are_reported_harmlessly(pieces: impl Iterator<Item = (usize, &'static str)>) {
    let good = "version: 1\npeople: { al: { groups: [All Staff], department: Sales } }\n\
        expect: { al: { perUserMfa: enforced } }\nalways: [{ nobody: { becomes: [unprotected] } }]\n";
    for (number, piece) in pieces {
        let escaped = Value::String(format!("{piece}x{piece}")).to_string();
        let texts = [
            good.replace("al:", &format!("{escaped}:")),
            good.replace("All Staff", &escaped),
            good.replace("Sales", &escaped),
            good.replace("enforced", &escaped),
            good.replace("nobody", &escaped),
            good.replace("[unprotected]", &escaped),
            good.replace("expect: { al", &format!("expect: {{ {escaped}")),
            format!("{good}# {piece}\n"),
            format!("{good}{piece}: 1\n"),
        ];
        let folder = format!("checks/{}.yaml", piece.replace(['/', '\n', '\r', '\0'], "_"));
        for text in texts.into_iter().skip(number % 3).step_by(3) {
            let world = World::empty()
                .file("mfactl.yaml", PROJECT)
                .file(
                    "policies/a.yaml",
                    include_str!("../../../samples/valid/minimal/policies/staff.yaml"),
                )
                .file(&folder, text);
            for format in ["text", "junit", "github"] {
                let output = world.command(&["test", "--format", format]).output();
                let output = output.expect("the program");
                let out = String::from_utf8(output.stdout).expect("UTF-8");
                let err = String::from_utf8(output.stderr).expect("UTF-8");
                assert!(!err.contains("panicked") && !err.contains("Usage:"), "{err}");
                harmless(&err, &format!("{piece:?} {format}, stderr"));
                // Each line of this format is a command of the program.
                let own = |line: &str| {
                    ["::error file=", "::warning file=", "::error title=", "::warning title="]
                        .iter()
                        .find_map(|start| line.strip_prefix(start))
                        .unwrap_or(line)
                        .to_owned()
                };
                let out = match format {
                    "github" => out.lines().map(own).collect::<Vec<_>>().join("\n"),
                    _ => out,
                };
                harmless(&out, &format!("{piece:?} {format}, stdout"));
            }
        }
    }
}

#[test]
fn hostile_checks_of_a_few_kinds_are_reported_harmlessly() {
    hostile_checks_are_reported_harmlessly(PIECES.into_iter().enumerate().step_by(11));
}

#[test]
#[ignore = "long: every piece of text in files of checks"]
fn each_piece_in_a_file_of_checks_is_reported_harmlessly() {
    hostile_checks_are_reported_harmlessly(PIECES.into_iter().enumerate());
}
