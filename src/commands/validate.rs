//! `mfactl validate`: checks all files, offline.
//!
//! Not here: the checks (`policy`), the guards that become weaker (`plan::loosening`), or the formats for reviewers (`render::findings`).

use std::path::Path;

use clap::ValueEnum;

use super::fault::Fault;
use super::guards::Guards;
use super::{against, output};
use crate::exit::Exit;
use crate::files::Tree;
use crate::finding::{Code, Finding, quoted};
use crate::plan::loosening::{Side, Sides, loosenings};
use crate::plan::review::{Alarm, NotCompared};
use crate::policy::PolicySet;
use crate::render::diagnostic::{self, Style};
use crate::render::findings::{FindingDocument, azure, codeclimate, github, json, junit, sarif};
use crate::run::review::Base;
use crate::source::{SourceFile, Sources};
use crate::terminal::{print, say};

/// Check all files offline, without a tenant and without an account.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl validate\n  mfactl validate --format github\n  mfactl validate --format sarif > mfactl.sarif\n  mfactl validate --config prod/mfactl.yaml\n  mfactl validate --against main\n  mfactl validate --against main --fail-on loosened\n\nEvery format but `text` writes a document to standard output, with and without errors, and the\nerrors as text to standard error. Paths in a document begin at the root of the repository.\n\nWith `--against`, each guard that the change of the files makes weaker is a warning. Without a\ntenant, the users that it concerns are unknown: `plan --against` counts them.\n"
)]
pub struct Args {
    /// Format of the findings
    #[arg(long, value_enum, default_value_t = FindingFormat::Text)]
    format: FindingFormat,

    /// Also warn of each guard that the change of the files makes weaker, compared with a git revision, or
    /// with a folder that has another `mfactl.yaml`, such as `./old`
    #[arg(long, value_name = "REV|DIR")]
    against: Option<String>,

    /// Exit with code 2 if the change of the files does this
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',', requires = "against")]
    fail_on: Vec<FileAlarm>,

    #[command(flatten)]
    guards: Guards,
}

/// A property of a change that the files alone show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileAlarm {
    /// A guard becomes weaker
    Loosened,
}

/// The format of findings about files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingFormat {
    /// For a terminal
    Text,
    /// For programs; `mfactl schema` describes it
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// For GitLab Code Quality
    Codeclimate,
    /// Issues of Azure Pipelines
    Azure,
    /// Test results, one for each file
    Junit,
}

pub(super) fn run(args: &Args, config: &Path) -> Result<Exit, Fault> {
    match args.guards.load(config) {
        Ok(set) => {
            let warnings = match &args.against {
                Some(against) => against_base(&set, &args.guards.trusted(config), against)?,
                None => Vec::new(),
            };
            let files = set.sources.iter().count();
            let (policies, files) =
                (plural(set.policies.len(), "policy", "policies"), plural(files, "file", "files"));
            if !warnings.is_empty() {
                let text = diagnostic::report(&warnings, &set.sources, Style::Styled);
                say(text.trim_end());
            }
            match document(args.format, &warnings, &set.sources, config) {
                Some(text) => output::document(&text)?,
                None => {
                    print(&format!("{policies} in {files}: no errors\n")).map_err(Fault::Output)?
                }
            }
            Ok(exit(args, &warnings))
        }
        Err(faults) => {
            if let Some(text) = document(args.format, &faults.findings, &faults.sources, config) {
                output::document(&text)?;
            }
            Err(faults.into())
        }
    }
}

/// Returns the guards that are weaker than in the base, as findings. If the base does not validate, the only
/// finding says that.
fn against_base(set: &PolicySet, config: &Path, against: &str) -> Result<Vec<Finding>, Fault> {
    let Base { name, policies } = against::load(config, against)?;
    let base = match policies {
        Ok(base) => base,
        Err(NotCompared { why, about: _, help: _ }) => {
            let message = format!("not compared with {}: {why}", quoted(&name));
            let help = "correct the base, or read the whole change: each guard may be weaker";
            return Ok(vec![Finding::new(Code::NotCompared, message).help(help)]);
        }
    };
    let side = |policies| Side { policies, observed: None };
    let found = loosenings(Sides { base: side(&base), head: side(set) });
    Ok(found.iter().map(|one| one.finding(&name)).collect())
}

/// Returns the status for `--fail-on`. Without a comparison it is unknown, and counts as met.
fn exit(args: &Args, warnings: &[Finding]) -> Exit {
    if warnings.is_empty() || args.fail_on.is_empty() {
        return Exit::Done;
    }
    let is_compared = warnings.iter().all(|one| one.code != Code::NotCompared);
    let known = if is_compared { "" } else { " perhaps, because it is not compared" };
    say(&format!("--fail-on {}: met{known}", Alarm::Loosened.as_str()));
    Exit::Changes
}

/// Returns the findings in a format for programs; `None` for text.
fn document(
    format: FindingFormat,
    findings: &[Finding],
    sources: &Sources,
    config: &Path,
) -> Option<String> {
    let write = match format {
        FindingFormat::Text => return None,
        FindingFormat::Json => json::document,
        FindingFormat::Github => github::document,
        FindingFormat::Sarif => sarif::document,
        FindingFormat::Codeclimate => codeclimate::document,
        FindingFormat::Azure => azure::document,
        FindingFormat::Junit => junit::document,
    };
    Some(write(&collected(findings, sources, config)))
}

/// Returns findings with paths from the root of the repository.
pub(super) fn collected(findings: &[Finding], sources: &Sources, config: &Path) -> FindingDocument {
    let paths = RepositoryPaths::of(config);
    let project = paths.name_of(config).unwrap_or_else(|| {
        config.file_name().unwrap_or(config.as_os_str()).to_string_lossy().into_owned()
    });
    FindingDocument::new(findings, sources, &project, |file| paths.of_file(file))
}

/// Paths from the root of the repository that holds `mfactl.yaml`.
pub(super) struct RepositoryPaths(Option<Tree>);

impl RepositoryPaths {
    pub(super) fn of(config: &Path) -> Self {
        Self(Tree::around(config.parent().unwrap_or_else(|| Path::new(""))).ok())
    }

    fn name_of(&self, path: &Path) -> Option<String> {
        self.0.as_ref().and_then(|tree| tree.name_of(path))
    }

    /// A file outside the repository has the path that the project file leads to it by.
    pub(super) fn of_file(&self, file: &SourceFile) -> String {
        self.name_of(Path::new(&file.path)).unwrap_or_else(|| file.name.clone())
    }
}

/// Returns a count with its noun.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
