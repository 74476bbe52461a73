//! `mfactl test`: checks the policies with invented people, offline.
//!
//! Not here: the checks (`checks`), or the formats for reviewers (`render::findings`).

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::connect::offline_day;
use super::disclosure::Disclose;
use super::fault::Fault;
use super::output;
use super::recorded::FromSnapshot;
use super::sign_ins;
use super::validate::{RepositoryPaths, collected, plural};
use crate::checks::{self, ChecksFile, FileResult};
use crate::disclose::Discloser;
use crate::exit::Exit;
use crate::finding::Finding;
use crate::policy::{self, Faults, PolicySet};
use crate::render::diagnostic::{self, Style};
use crate::render::findings::{FindingDocument, github, junit};
use crate::render::plan::text::counted;
use crate::run::plan::{self as run_plan, PlannedForAll};
use crate::source::{FileId, Sources};
use crate::terminal::{print, say};
use crate::untrusted::printable;

/// The name of the command in a document.
const NAME: &str = "mfactl test";

/// Check what the policies do for invented people, offline: without a tenant and without an account.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl test\n  mfactl test checks/staff.yaml\n  mfactl test --format junit > mfactl.xml\n  mfactl test --snapshot tenant.snapshot\n\nExits with code 2 if a check fails, and with code 3 if a file does not read. A failure shows what\nwas expected, what was found and why, with its place in the check and the rule that decided.\n\nOnly the people of a file exist there. Groups and roles that the policies name exist and are empty\nunless a person is in them. Security defaults are off, there are no Conditional Access policies,\nand every method is allowed. With `--snapshot`, the entries of `always` are compared with every\nuser of the snapshot as well.\n"
)]
pub struct Args {
    /// Files of checks; without one, all files of the folder `checks` next to `mfactl.yaml`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Format of the results
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,

    #[command(flatten)]
    from: FromSnapshot,

    #[command(flatten)]
    disclose: Disclose,
}

/// The format of the results of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For a terminal
    Text,
    /// Test results, one for each file
    Junit,
    /// Annotations of GitHub Actions
    Github,
}

pub(super) async fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    let mut sources = Sources::default();
    match tested(args, config, &mut sources) {
        Ok((set, files, invented, warnings)) => {
            let in_snapshot = in_snapshot(args, set, &files, &sources).await?;
            let (in_snapshot, disclose) = in_snapshot;
            let results = TestResults { invented, in_snapshot, disclose };
            show(args.format, config, (&results, warnings), &sources)?;
            let is_fine = results.all().all(|result| result.failures.is_empty());
            Ok(if is_fine { Exit::Done } else { Exit::Changes })
        }
        Err(faults) => {
            if let Some(write) = writer(args.format) {
                let all = collected(&faults.findings, &faults.sources, config);
                output::document(&write(&all.of_command(NAME)))?;
            }
            Err(faults.into())
        }
    }
}

/// Reads all files and runs the checks. Returns the results and the warnings. `sources` gets the files.
fn tested(args: &Args, config: &Path, sources: &mut Sources) -> Result<Tested, Faults> {
    let set: PolicySet = policy::load(config)?;
    let read = checks::read(config, &args.files, &set)?;
    *sources = read.sources;
    let results = checks::run(&set, &read.files, offline_day());
    let mut results = results.map_err(|findings| Faults { sources: sources.clone(), findings })?;
    for result in &mut results {
        result.failures.extend(sign_ins::disagreements(&result.sign_ins));
        policy::beside::point_at_keys(&mut result.failures, sources);
    }
    Ok((set, read.files, results, read.warnings))
}

/// The results of each file: of its invented people, and of the users of a snapshot if there is one.
struct TestResults {
    invented: Vec<FileResult>,
    in_snapshot: Vec<FileResult>,
    /// How much may be said of the users of the snapshot.
    disclose: Discloser,
}

impl TestResults {
    fn all(&self) -> impl Iterator<Item = &FileResult> {
        self.invented.iter().chain(&self.in_snapshot)
    }
}

/// The policies, the files of checks, and the results with the warnings.
type Tested = (PolicySet, Vec<(FileId, ChecksFile)>, Vec<FileResult>, Vec<Finding>);

/// Compares what always holds with every user of the snapshot, if there is one.
async fn in_snapshot(
    args: &Args,
    set: PolicySet,
    files: &[(FileId, ChecksFile)],
    sources: &Sources,
) -> Result<(Vec<FileResult>, Discloser), Fault> {
    let Some(tenant) = args.from.opened(&set, args.disclose)? else {
        return Ok((Vec::new(), Discloser::of_names()));
    };
    let set = tenant.translated(set);
    let PlannedForAll { observed, roles, plan } = run_plan::for_all(&tenant.session, &set).await?;
    let mut results = checks::always_in_tenant(&set, &observed, &roles, &plan, files);
    for result in &mut results {
        policy::beside::point_at_keys(&mut result.failures, sources);
        for finding in &mut result.failures {
            *finding = tenant.disclose.finding(finding).into_owned();
        }
    }
    let results = results.into_iter().filter(|result| result.checks > 0);
    Ok((results.collect(), tenant.disclose))
}

/// Returns the writer of a format for programs; `None` for text.
fn writer(format: CheckFormat) -> Option<fn(&FindingDocument) -> String> {
    match format {
        CheckFormat::Text => None,
        CheckFormat::Junit => Some(junit::document),
        CheckFormat::Github => Some(github::document),
    }
}

/// Shows the results: failures on standard error, and a line for each file or a document on standard output.
fn show(
    format: CheckFormat,
    config: &Path,
    (results, warnings): (&TestResults, Vec<Finding>),
    sources: &Sources,
) -> Result<(), Fault> {
    let failures = results.all().flat_map(|result| result.failures.iter().cloned());
    let findings: Vec<Finding> = warnings.into_iter().chain(failures).collect();
    for finding in &findings {
        say(&format!("{}\n", diagnostic::finding(finding, sources, Style::Styled)));
    }
    if let Some(write) = writer(format) {
        let paths = RepositoryPaths::of(config);
        let file = |result: &FileResult| sources.get(result.file).map(|file| paths.of_file(file));
        let files = results.invented.iter().filter_map(file).collect();
        let document = collected(&findings, sources, config).of_command(NAME).of_files(files);
        return output::document(&write(&document));
    }
    print(&lines(results, sources)).map_err(Fault::Output)
}

fn lines(results: &TestResults, sources: &Sources) -> String {
    let all = Discloser::of_names();
    let invented =
        results.invented.iter().map(|result| line(result, ("person", "people"), sources, &all));
    let users = ("user of the snapshot", "users of the snapshot");
    let in_snapshot = results.in_snapshot.iter();
    let in_snapshot = in_snapshot.map(|result| line(result, users, sources, &results.disclose));
    let mut text: String = invented.chain(in_snapshot).collect();
    let checks: usize = results.all().map(|result| result.checks).sum();
    let failed: usize = results.all().map(|result| result.failures.len()).sum();
    let disclose = &results.disclose;
    let files = plural(results.invented.len(), "file", "files");
    let checks = plural(checks, "check", "checks");
    text += &match failed {
        0 => format!("{checks} in {files}: no failures\n"),
        _ => format!(
            "{checks} in {files}: {}\n",
            counted(disclose.count(failed), "failure", "failures")
        ),
    };
    text
}

fn line(
    result: &FileResult,
    (one, several): (&str, &str),
    sources: &Sources,
    disclose: &Discloser,
) -> String {
    let checks = plural(result.checks, "check", "checks");
    let people = counted(disclose.count(result.people), one, several);
    let path = path_of(result.file, sources);
    match result.failures.len() {
        0 => format!("ok      {path}: {checks}, {people}\n"),
        failed => {
            format!(
                "FAILED  {path}: {}, {checks}, {people}\n",
                counted(disclose.count(failed), "failure", "failures")
            )
        }
    }
}

fn path_of(file: FileId, sources: &Sources) -> String {
    sources.get(file).map_or_else(String::new, |file| printable(&file.path).into_owned())
}
