//! `mfactl validate`: checks all files, offline.
//!
//! Not here: the checks (`policy`), or the formats for reviewers (`render::findings`).

use std::path::Path;

use clap::ValueEnum;

use super::fault::Fault;
use super::output;
use crate::exit::Exit;
use crate::files::Tree;
use crate::finding::Finding;
use crate::policy;
use crate::render::findings::{FindingDocument, azure, codeclimate, github, json, junit, sarif};
use crate::source::{SourceFile, Sources};
use crate::terminal::print;

/// Check all files offline, without a tenant and without an account.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl validate\n  mfactl validate --format github\n  mfactl validate --format sarif > mfactl.sarif\n  mfactl validate --config prod/mfactl.yaml\n\nEvery format but `text` writes a document to standard output, with and without errors, and the errors as\ntext to standard error. Paths in a document begin at the root of the repository.\n"
)]
pub struct Args {
    /// Format of the findings
    #[arg(long, value_enum, default_value_t = FindingFormat::Text)]
    format: FindingFormat,
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
    match policy::load(config) {
        Ok(set) => {
            let files = set.sources.iter().count();
            let (policies, files) =
                (plural(set.policies.len(), "policy", "policies"), plural(files, "file", "files"));
            match document(args.format, &[], &set.sources, config) {
                Some(text) => output::document(&text)?,
                None => {
                    print(&format!("{policies} in {files}: no errors\n")).map_err(Fault::Output)?
                }
            }
            Ok(Exit::Done)
        }
        Err(faults) => {
            if let Some(text) = document(args.format, &faults.findings, &faults.sources, config) {
                output::document(&text)?;
            }
            Err(faults.into())
        }
    }
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
    let folder = config.parent().unwrap_or_else(|| Path::new(""));
    let tree = Tree::around(folder).ok();
    let in_repository = |path: &Path| tree.as_ref().and_then(|tree| tree.name_of(path));
    let project = in_repository(config).unwrap_or_else(|| {
        config.file_name().unwrap_or(config.as_os_str()).to_string_lossy().into_owned()
    });
    // A file outside the repository has the path that the project file leads to it by.
    let path_of = |file: &SourceFile| {
        in_repository(Path::new(&file.path)).unwrap_or_else(|| file.name.clone())
    };
    Some(write(&FindingDocument::new(findings, sources, &project, path_of)))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
