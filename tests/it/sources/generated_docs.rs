//! The generated pages under `docs/`: findings, exit codes, commands, faults. They are made from the
//! program itself, so they are always current.

use std::fmt::Write as _;
use std::fs;

use clap::CommandFactory as _;
use mfactl::cli::Cli;
use mfactl::exit::Exit;
use mfactl::finding::Code;
use mfactl_sandbox::{Script, Word};
use similar::TextDiff;

#[test]
fn table_of_findings_is_current() {
    let mut page = String::from(
        "# Findings\n\nWhat mfactl reports, by its stable code. An error stops the plan (exit status 3); a warning or a\nnote does not. A failed check ends `mfactl test` with exit status 2. This page is generated from `src/finding.rs`.\n\n| code | severity | about |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        _ = writeln!(page, "| `{code}` | {} | {} |", code.severity().as_str(), code.about());
    }
    fresh("docs/findings.md", &page);
}

#[test]
fn reference_of_commands_is_current() {
    let mut page = String::from("# Commands\n\nThis page is generated from `mfactl --help`.\n");
    let mut root = Cli::command().term_width(100);
    root.build();
    describe(&mut root, 2, &mut page);
    page.push_str("\n## Exit status\n\n| status | meaning |\n|---|---|\n");
    for (exit, meaning) in Exit::ALL {
        _ = writeln!(page, "| {} | {meaning} |", exit as u8);
    }
    fresh("docs/commands.md", &page);
}

/// The page has a written part and a generated table. Its example is a valid file.
#[test]
fn page_of_faults_is_current() {
    const MARK: &str = "| fault | what happens | from |\n";
    let page = fs::read_to_string("docs/faults.md").unwrap();
    let written = page.split(MARK).next().unwrap();
    let mut wanted = format!("{written}{MARK}|---|---|---|\n");
    for word in Word::ALL {
        let (about, source) = word.about();
        _ = writeln!(wanted, "| `{}` | {about} | {source} |", word.as_str());
    }
    wanted.push_str("\nThe sources were checked in 2026-11.\n");
    fresh("docs/faults.md", &wanted);
    let example = written.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let script = Script::parse(example).unwrap();
    assert!(script.share.is_some() && !script.apps.is_empty());
}

fn describe(command: &mut clap::Command, level: usize, page: &mut String) {
    let name = command.get_bin_name().unwrap_or("mfactl").to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    _ = write!(
        page,
        "\n{} {name}\n\n```text\n{}\n```\n",
        "#".repeat(level),
        help.join("\n").trim_end()
    );
    for sub in command.get_subcommands_mut() {
        describe(sub, level.min(3) + 1, page);
    }
}

/// Compares a generated page with the committed one; `MFACTL_UPDATE=1` writes it.
fn fresh(path: &str, page: &str) {
    if std::env::var_os("MFACTL_UPDATE").is_some() {
        fs::create_dir_all("docs").unwrap();
        fs::write(path, page).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    let diff = TextDiff::from_lines(committed.as_str(), page);
    assert!(
        committed == page,
        "{path} is stale; run the tests with MFACTL_UPDATE=1\n{}",
        diff.unified_diff().header("committed", "generated")
    );
}
