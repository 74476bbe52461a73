//! What the documents tell people to type does what they say: every command of this program in a
//! block of `README.md` and `CONTRIBUTING.md`, and every example of `--help`, is run in a copy of
//! the root's own files.

use std::collections::BTreeSet;
use std::fs;

use crate::served::root_files;
use crate::world::World;

const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];

/// What is not run, and why.
const NOT_RUN: [(&str, &str); 6] = [
    ("sandbox serve", "it serves until it is told to stop; `served` runs it"),
    ("prod/mfactl.yaml", "a folder that readers do not have; `program` runs one of their own"),
    ("contoso", "somebody's own tenant"),
    ("staff.plan", "a plan that a reader saved; `saved` runs one of its own"),
    ("$FINGERPRINT", "what a reader copies from a plan; `saved` copies it"),
    ("20261122T", "a run that was, or was not; `undone` has one of its own"),
];

#[derive(Debug, Default)]
struct Found {
    /// The arguments of each command of this program, in order.
    commands: Vec<String>,
    /// Commands of cargo that are no runs of this program.
    cargo: Vec<String>,
}

impl Found {
    /// In the blocks of a document that are meant for a shell.
    fn in_document(text: &str) -> Self {
        let mut found = Self::default();
        let mut in_shell = false;
        for line in text.lines().map(str::trim) {
            if let Some(language) = line.strip_prefix("```") {
                in_shell = !in_shell && matches!(language, "sh" | "console" | "bash" | "shell");
            } else if in_shell {
                found.take(line.strip_prefix("$ ").unwrap_or(line));
            }
        }
        found
    }

    /// Under `Examples:` in a help text.
    fn in_help(text: &str) -> Self {
        let mut found = Self::default();
        let after = text.split_once("Examples:\n").map_or("", |(_, after)| after);
        after.lines().map_while(|line| line.strip_prefix("  ")).for_each(|line| found.take(line));
        found
    }

    fn take(&mut self, line: &str) {
        // What comes after is for the shell.
        let ends = [" #", " >", " |", " &&"].iter().filter_map(|end| line.find(end));
        let line = line.get(..ends.min().unwrap_or(line.len())).unwrap_or(line).trim();
        let own = ["cargo run --quiet -- ", "cargo run -- ", "mfactl "];
        if let Some(arguments) = own.iter().find_map(|start| line.strip_prefix(start)) {
            self.commands.push(arguments.to_owned());
        } else if line.starts_with("cargo ") {
            self.cargo.push(line.to_owned());
        }
    }
}

/// Runs the commands one after the other, in one folder.
fn run(world: &World, commands: &[String]) -> usize {
    let mut done = 0;
    for command in commands {
        if NOT_RUN.iter().any(|(part, _)| command.contains(part)) {
            continue;
        }
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let asks = arguments.first() == Some(&"apply") && !command.contains("--auto-approve");
        let run = world.run(&arguments);
        let expected: &[i32] = match () {
            // There is nobody to ask here, and it gets as far as asking.
            () if asks => &[0, 1],
            () if ["--detailed-exitcode", "--fail-on"]
                .iter()
                .any(|flag| command.contains(flag)) =>
            {
                &[0, 2]
            }
            () => &[0],
        };
        let as_expected = run.code.is_some_and(|code| expected.contains(&code));
        assert!(as_expected, "`mfactl {command}`: {}", run.text());
        assert!(run.code != Some(1) || run.stderr.contains("nobody to ask"), "{}", run.text());
        done += 1;
    }
    done
}

#[test]
fn what_the_documents_say_can_be_typed() {
    let ci = fs::read_to_string(".ci/run").expect(".ci/run");
    for path in DOCUMENTS {
        let Ok(text) = fs::read_to_string(path) else { continue };
        let found = Found::in_document(&text);
        let done = run(&root_files(), &found.commands);
        for line in &found.cargo {
            let first: Vec<&str> = line.split_whitespace().take(2).collect();
            assert!(ci.contains(&first.join(" ")), "`{line}` is not among what `.ci/run` runs");
        }
        if path == "README.md" {
            assert!(done > 0, "README.md shows no command");
            assert!(text.contains("cargo run -- plan"), "README.md begins with a plan");
            assert!(found.commands.iter().any(|command| command.starts_with("plan")));
            assert!(found.cargo.iter().any(|line| line.starts_with("cargo test")), "{found:?}");
        }
    }
}

#[test]
fn commands_are_found_where_a_shell_would_be_told() {
    let text = "Run `mfactl no`.\n```yaml\nmfactl no\n```\n```sh\ncargo run -- plan   # a comment\n\
        mfactl schema policy > x.json\ncargo test\n```\nmfactl no\n```console\n$ mfactl plan | head\nexit 0\n```\n";
    let found = Found::in_document(text);
    assert_eq!(found.commands, ["plan", "schema policy", "plan"]);
    assert_eq!(found.cargo, ["cargo test"]);
}

#[test]
fn the_examples_of_the_help_can_be_typed() {
    let (mut done, mut seen) = (0, BTreeSet::new());
    let page = fs::read_to_string("docs/commands.md").expect("docs/commands.md");
    for text in page.split("```text\n").skip(1).filter_map(|text| text.split("```").next()) {
        for command in Found::in_help(text).commands {
            if seen.insert(command.clone()) {
                done += run(&root_files(), &[command]);
            }
        }
    }
    assert!(done > 8, "only {done} examples");
}
