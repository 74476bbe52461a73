//! The outputs of a job, where the system that runs it expects them.
//!
//! Not here: what they say (`render::applied`).

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::fault::Fault;
use super::output::{self, OutputFormat};
use crate::disclose::Discloser;
use crate::files::{Destination, write_whole};
use crate::render::applied::{Applied, JobOutputs};

/// The file that GitLab reads as a report of kind `dotenv`.
const DOTENV: &str = "mfactl.env";

/// The system that runs the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum JobSystem {
    /// Outputs of the step, and the summary of the job
    #[value(name = "github")]
    GitHub,
    /// The file `mfactl.env` in this folder, for `artifacts: reports: dotenv`
    #[value(name = "gitlab")]
    GitLab,
    /// Output variables of the step
    #[value(name = "azureDevOps")]
    AzureDevOps,
}

/// Where the outputs go. It is opened before the tenant is read, so that a missing variable stops the run first.
#[derive(Debug)]
pub(super) enum JobTarget {
    /// The file of outputs, and the file of the summary if there is one.
    Files(File, Option<File>),
    Dotenv,
    Commands,
}

impl JobTarget {
    /// Opens the targets in the environment of this job. On GitLab, the file of an earlier job could be read as
    /// the result of this one, so the worst result is written first.
    pub(super) fn open(system: JobSystem, format: OutputFormat) -> Result<Self, Fault> {
        match system {
            JobSystem::GitHub => {
                let outputs = opened("GITHUB_OUTPUT")?.ok_or(Fault::NoJob("GITHUB_OUTPUT"))?;
                Ok(Self::Files(outputs, opened("GITHUB_STEP_SUMMARY")?))
            }
            JobSystem::GitLab => {
                dotenv(JobOutputs { changed: true, refused: false, left: true })?;
                Ok(Self::Dotenv)
            }
            JobSystem::AzureDevOps if format == OutputFormat::Json => Err(Fault::TwoOnStdout),
            JobSystem::AzureDevOps => Ok(Self::Commands),
        }
    }

    /// Writes the outputs.
    pub(super) fn tell(&self, applied: &Applied, disclose: &Discloser) -> Result<(), Fault> {
        let outputs = applied.outputs();
        match self {
            Self::Files(file, summary) => {
                append(file, &lines(outputs, |name, value| format!("{name}={value}\n")))?;
                match summary {
                    Some(file) => append(file, &applied.markdown(disclose)),
                    None => Ok(()),
                }
            }
            Self::Dotenv => dotenv(outputs),
            // What is printed to a terminal is escaped, so that it gives no command. These lines are commands.
            Self::Commands => output::document(&lines(outputs, |name, value| {
                format!("##vso[task.setvariable variable={name};isOutput=true]{value}\n")
            })),
        }
    }
}

/// Opens the file that a variable names, to append to it. A variable that is not set names none.
fn opened(variable: &str) -> Result<Option<File>, Fault> {
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else { return Ok(None) };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    file.map(Some).map_err(|error| unwritten(&path, error))
}

fn append(mut file: &File, text: &str) -> Result<(), Fault> {
    let what = "the outputs of the job could not be written".to_owned();
    file.write_all(text.as_bytes()).map_err(|error| Fault::Machine { what, error })
}

/// Writes the file for GitLab. A link that a branch put there is replaced, not followed.
fn dotenv(outputs: JobOutputs) -> Result<(), Fault> {
    let line = |name: &str, value| format!("MFACTL_{}={value}\n", name.to_uppercase());
    let text = lines(outputs, line);
    let path = Path::new(DOTENV);
    write_whole(path, Destination::Taken, |out| out.write_all(text.as_bytes()))
        .map_err(|error| unwritten(path, error))
}

fn lines(outputs: JobOutputs, line: impl Fn(&str, bool) -> String) -> String {
    let JobOutputs { changed, refused, left } = outputs;
    let all = [("changed", changed), ("refused", refused), ("left", left)];
    all.into_iter().map(|(name, value)| line(name, value)).collect()
}

fn unwritten(path: &Path, error: io::Error) -> Fault {
    let what = format!("the outputs of the job could not be written to `{}`", path.display());
    Fault::Machine { what, error }
}
