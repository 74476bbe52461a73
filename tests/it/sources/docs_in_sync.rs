//! The documents are true. Every command in a shell block and every example of `--help` runs in a copy
//! of the files in the root of the repository. Every command, flag, file and test that a sentence names
//! exists. The plan and the policy in `README.md` are current. Links and permissions are right.

#![expect(clippy::panic, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use mfactl::cli::Cli;
use mfactl::entra::permissions::Need;
use mfactl::settings::Setting;
use mfactl::tenant::lookup::UserFact;

use crate::plan::against::git;
use crate::sandbox::served::root_files;
use crate::support::world::World;

/// The pages that people write. `docs` also has pages that the program generates.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/STYLE.md",
    "docs/checks.md",
    "docs/design/adding-a-setting.md",
    "docs/design/apply.md",
    "docs/design/numbers.md",
    "docs/design/policies.md",
    "docs/design/privacy.md",
    "docs/design/quotas.md",
    "docs/design/reading.md",
    "docs/design/safety.md",
    "docs/design/sandbox.md",
    "docs/design/saved-plans.md",
    "docs/design/signing-in.md",
    "docs/design/snapshots.md",
    "docs/faults.md",
    "docs/glossary.md",
    "docs/performance.md",
    "docs/pipelines.md",
    "docs/reviews.md",
    "docs/signing-in.md",
    "docs/snapshots.md",
    "tests/cases/README.md",
    "tests/samples/README.md",
];

/// Commands that are not run, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("sandbox serve", "it serves until a signal; `served` runs it"),
    ("prod/mfactl.yaml", "a folder that a reader does not have; `program` runs another one"),
    ("contoso", "a tenant of a reader"),
    ("staff.plan", "a plan that a reader saved; `saved` saves its own"),
    ("$FINGERPRINT", "a reader copies it from a plan; `saved` does the same"),
    ("$DIFFERENCE", "a reader copies it from a page; `plan::against` does the same"),
    ("$DIGEST", "a reader copies it from `runs verify`; `apply::verified_chains` does the same"),
    ("comment plan.md", "it needs a CI job; `comment` runs it in jobs of four hosts"),
    ("20261122T", "a run of a reader; `undo` has its own"),
];

#[derive(Debug, Default)]
struct Found {
    /// The arguments of each command of this program, in order.
    commands: Vec<String>,
    /// Commands of cargo that do not run this program.
    cargo: Vec<String>,
}

impl Found {
    /// Finds the commands in the shell blocks of a document.
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

    /// Finds the commands under `Examples:` in a help text.
    fn in_help(text: &str) -> Self {
        let mut found = Self::default();
        let after = text.split_once("Examples:\n").map_or("", |(_, after)| after);
        after.lines().map_while(|line| line.strip_prefix("  ")).for_each(|line| found.take(line));
        found
    }

    fn take(&mut self, line: &str) {
        // The rest of the line is for the shell.
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

/// The files of the root, as the branch `main` of a repository.
fn repository() -> World {
    let world = ["monday", "tuesday"].into_iter().fold(root_files(), |world, day| {
        let plan = format!("{day}.plan");
        let run = world.run(&["plan", "--format", "json", "--out", &plan]).ends(0);
        world.file(&format!("{day}.json"), run.stdout)
    });
    world.run(&["snapshot", "--out", "tenant.snapshot"]).ends(0);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "policies"]);
    world.with("PATH", std::env::var("PATH").unwrap_or_default())
}

/// Runs the commands in order in one folder. Returns their number.
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
            // The command runs up to the question, and there is no terminal to ask in.
            () if asks => &[0, 1],
            // Some users of the embedded tenant are open or stuck, whatever the policies say.
            () if command.starts_with("test --snapshot") => &[0, 2],
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
        assert!(
            run.code != Some(1) || run.stderr.contains("cannot ask for confirmation"),
            "{}",
            run.text()
        );
        done += 1;
    }
    done
}

/// Checks that the program accepts the arguments, without running it. A variable is for the shell.
fn is_accepted(command: &str) {
    if command.contains('$') {
        return;
    }
    let arguments = std::iter::once("mfactl").chain(command.split_whitespace());
    if let Err(error) = Cli::command().try_get_matches_from(arguments) {
        panic!("`mfactl {command}`: {error}");
    }
}

#[test]
fn commands_in_the_readme_run() {
    let text = read("README.md");
    let found = Found::in_document(&text);
    assert!(run(&repository(), &found.commands) > 0, "README.md shows no command");
    assert!(text.contains("cargo run -- plan"), "README.md begins with a plan");
    assert!(found.commands.iter().any(|command| command.starts_with("plan")));
    assert!(found.cargo.iter().any(|line| line.starts_with("cargo test")), "{found:?}");
}

#[test]
fn commands_in_the_documents_are_accepted() {
    let ci = fs::read_to_string(".ci/run").expect(".ci/run");
    for path in DOCUMENTS {
        let found = Found::in_document(&read(path));
        found.commands.iter().for_each(|command| is_accepted(command));
        for line in &found.cargo {
            let first: Vec<&str> = line.split_whitespace().take(2).collect();
            assert!(ci.contains(&first.join(" ")), "`.ci/run` does not run `{line}`");
        }
    }
}

#[test]
#[ignore = "long: runs the commands of every page, where the quick test runs those of README.md"]
fn commands_in_the_documents_run() {
    for path in DOCUMENTS {
        let found = Found::in_document(&read(path));
        if !found.commands.is_empty() {
            run(&repository(), &found.commands);
        }
    }
}

#[test]
fn commands_are_found_in_shell_blocks_only() {
    let text = "Run `mfactl no`.\n```yaml\nmfactl no\n```\n```sh\ncargo run -- plan   # a comment\n\
        mfactl schema policy > x.json\ncargo test\n```\nmfactl no\n```console\n$ mfactl plan | head\nexit 0\n```\n";
    let found = Found::in_document(text);
    assert_eq!(found.commands, ["plan", "schema policy", "plan"]);
    assert_eq!(found.cargo, ["cargo test"]);
}

/// The examples of each command, in the order of the help. An example of two commands is there once.
fn examples() -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let page = read("docs/commands.md");
    let texts = page.split("```text\n").skip(1).filter_map(|text| text.split("```").next());
    let of_one = |text| {
        let mut commands = Found::in_help(text).commands;
        commands.retain(|command| seen.insert(command.clone()));
        commands
    };
    texts.map(of_one).filter(|commands| !commands.is_empty()).collect()
}

#[test]
fn examples_in_the_help_are_accepted() {
    let examples = examples().concat();
    examples.iter().for_each(|command| is_accepted(command));
    assert!(examples.len() > 40, "only {} examples", examples.len());
}

#[test]
#[ignore = "long: runs every example, where the quick test only parses them"]
fn examples_in_the_help_run() {
    // The examples of one command share a folder.
    let done: usize = examples().iter().map(|commands| run(&repository(), commands)).sum();
    assert!(done > 8, "only {done} examples");
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The blocks of this language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let parts = text.split("```").skip(1).step_by(2);
    let parts = parts.filter_map(|part| part.split_once('\n'));
    parts.filter(|(first, _)| *first == language).map(|(_, block)| block).collect()
}

/// The words in backticks within sentences.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    let sentences = text.split("```").step_by(2);
    sentences.flat_map(|text| text.split('`').skip(1).step_by(2))
}

/// The flags of a command, including the global ones.
fn flags(command: &Command) -> BTreeSet<String> {
    let names = command.get_arguments().filter_map(|one| one.get_long());
    names.map(|name| format!("--{name}")).collect()
}

fn all_flags(command: &Command) -> BTreeSet<String> {
    let below = command.get_subcommands().flat_map(all_flags);
    flags(command).into_iter().chain(below).collect()
}

#[test]
fn every_named_command_and_flag_exists() {
    let mut root = Cli::command();
    root.build();
    let of_others = [
        "--test",
        "--bench",
        "--exact",
        "--release",
        "--ignored",
        "--include-ignored",
        "--profile",
    ];
    let known = all_flags(&root);
    let mut named = 0;
    for path in DOCUMENTS {
        for span in read(path).split('\n').flat_map(spans).filter(|span| span.contains("--")) {
            for flag in span.split_whitespace().filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap_or(flag);
                let is_there = known.contains(flag) || of_others.contains(&flag) || flag == "--";
                assert!(is_there, "{path}: `{span}`: there is no {flag}");
                named += 1;
            }
        }
        let text = read(path);
        for line in spans(&text).filter_map(|span| span.strip_prefix("mfactl ")) {
            let mut command = &root;
            for word in line.split_whitespace() {
                match command.find_subcommand(word) {
                    Some(found) => command = found,
                    None if word.starts_with("--") => {
                        let flag = word.split('=').next().unwrap_or(word);
                        assert!(flags(command).contains(flag), "{path}: `mfactl {line}`: {flag}");
                    }
                    None if command.get_name() == root.get_name() => {
                        panic!("{path}: `mfactl {line}`: there is no {word}");
                    }
                    None => {}
                }
            }
            named += 1;
        }
    }
    assert!(named > 60, "only {named} are named");
}

#[test]
fn links_lead_to_existing_files() {
    for path in DOCUMENTS {
        let folder = Path::new(path).parent().expect("a folder");
        let text = read(path);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("https://")) {
            let file = link.split('#').next().unwrap_or(link);
            assert!(folder.join(file).exists(), "{path}: {link}");
        }
    }
}

/// The page is one that a newcomer reads to its end.
#[test]
fn architecture_has_fewer_than_1500_words() {
    let words = read("ARCHITECTURE.md").split_whitespace().count();
    assert!(words < 1500, "{words} words");
}

/// Each decision names an existing test that holds it, or says that there is none.
#[test]
fn tests_named_by_decisions_exist() {
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests", "sandbox/src", "files/src"] {
        functions(Path::new(folder), &mut tests);
    }
    let mut named = 0;
    for path in DOCUMENTS.iter().filter(|path| path.starts_with("docs/design/")) {
        let text = read(path);
        for paragraph in text.split("\n\n").filter(|one| one.starts_with("**The test")) {
            let words = paragraph.split('`').skip(1).step_by(2);
            let is_test = |word: &&str| word.matches('_').count() > 2 || word.starts_with("case::");
            let names: Vec<&str> = words.filter(is_test).collect();
            let says = paragraph.to_lowercase().contains("no test");
            assert!(!names.is_empty() || says, "{path}: {paragraph}");
            for name in names {
                named += 1;
                let case =
                    name.strip_prefix("case::").map(|name| Path::new("tests/cases").join(name));
                let is_there = case.map_or(tests.contains(name), |case| case.is_dir());
                assert!(is_there, "{path}: there is no test `{name}`");
            }
        }
    }
    assert!(named > 100, "only {named} tests are named");
}

/// Files and names of the sources that a page cites exist.
#[test]
fn files_and_names_cited_by_pages_exist() {
    let mut text = String::new();
    for folder in ["src", "tests", "sandbox/src", "files/src"] {
        for file in rust_files(Path::new(folder)) {
            text += &fs::read_to_string(&file).unwrap();
            text += &format!("\nmod {};", file.file_stem().unwrap().to_string_lossy());
        }
    }
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let known: BTreeSet<&str> = text.split(|c| !is_of_name(c)).collect();
    let mut cited = 0;
    let pages = DOCUMENTS.iter().filter(|path| !path.starts_with("CHANGELOG"));
    for path in pages {
        let page = read(path);
        for word in page.split('`').skip(1).step_by(2).filter(|word| !word.contains('<')) {
            if let Some(file) = word.strip_suffix(".rs").map(|_| word) {
                let roots = ["", "src/", "sandbox/src/"];
                let is_there =
                    roots.iter().any(|root| Path::new(&format!("{root}{file}")).exists());
                assert!(is_there, "{path}: there is no file `{file}`");
                cited += 1;
            } else if word.contains("::") && word.chars().all(|c| is_of_name(c) || c == ':') {
                for name in word.split("::") {
                    assert!(known.contains(name), "{path}: `{name}` of `{word}` is nowhere");
                }
                cited += 1;
            }
        }
    }
    assert!(cited > 100, "only {cited} are cited");
}

/// The names of all functions in the files of a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for file in rust_files(folder) {
        let text = fs::read_to_string(&file).unwrap();
        let found = text.split("fn ").skip(1);
        let name = |rest: &str| rest.split(['(', '<']).next().map(str::to_owned);
        names.extend(found.filter_map(name));
    }
}

pub(super) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|one| one == "rs") {
            files.push(path);
        }
    }
    files
}

/// The blocks of the plan in the README are blocks of the current output.
#[test]
fn plan_in_the_readme_is_current() {
    let readme = read("README.md");
    let shown = blocks(&readme, "").into_iter().find(|block| block.starts_with("mfactl plan"));
    let output = root_files().run(&["plan"]).ends(0).stdout;
    let paragraphs: Vec<&str> = shown.expect("a plan").trim_end().split("\n\n").collect();
    assert!(paragraphs.len() > 3);
    for paragraph in paragraphs {
        assert!(output.contains(paragraph), "{paragraph}\n\nis not in\n\n{output}");
    }
}

#[test]
fn policy_in_the_readme_is_valid() {
    let readme = read("README.md");
    let policies = blocks(&readme, "yaml");
    assert_eq!(policies.len(), 1);
    for policy in policies {
        let world = root_files();
        fs::remove_dir_all(world.path("policies")).expect("a folder");
        world.file("policies/staff.yaml", policy).run(&["validate"]).ends(0);
    }
}

/// The program needs each named permission, and the named permissions are enough for everything.
#[test]
fn permissions_in_the_security_page_are_those_that_are_needed() {
    let text = read("SECURITY.md");
    let is_one = |span: &&str| span.ends_with(".All") || span.contains(".Read");
    let named: BTreeSet<&str> = spans(&text).filter(is_one).collect();
    let settings = Setting::ALL.into_iter().flat_map(Need::to_write).copied();
    let facts = UserFact::ALL.map(Need::to_read);
    let needs: Vec<Need> = Need::OF_EVERY_PLAN.into_iter().chain(facts).chain(settings).collect();
    for need in &needs {
        let enough = need.permissions().iter().any(|one| named.contains(one));
        assert!(enough, "{} needs one of {:?}", need.what(), need.permissions());
    }
    for one in named {
        let asked = needs.iter().any(|need| need.permissions().contains(&one));
        assert!(asked, "nothing needs {one}");
    }
}
