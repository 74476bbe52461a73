//! The outputs of a job, where the system that runs it expects them.
//!
//! Not here: what they say (`render::applied`).

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::fault::Fault;
use super::output;
use crate::disclose::Discloser;
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

/// Where the outputs go, checked before anything is read for them.
#[derive(Debug)]
pub(super) enum JobTarget {
    /// The file of outputs, and the file of the summary if there is one.
    Files(PathBuf, Option<PathBuf>),
    Dotenv,
    Commands,
}

impl JobSystem {
    /// Returns the targets in the environment of this job.
    pub(super) fn target(self) -> Result<JobTarget, Fault> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        match self {
            Self::GitHub => match path("GITHUB_OUTPUT") {
                Some(outputs) => Ok(JobTarget::Files(outputs, path("GITHUB_STEP_SUMMARY"))),
                None => Err(Fault::NoJob("GITHUB_OUTPUT")),
            },
            Self::GitLab => Ok(JobTarget::Dotenv),
            Self::AzureDevOps => Ok(JobTarget::Commands),
        }
    }
}

impl JobTarget {
    /// Writes the outputs.
    pub(super) fn tell(&self, applied: &Applied, disclose: &Discloser) -> Result<(), Fault> {
        let JobOutputs { changed, refused, left } = applied.outputs();
        let outputs = [("changed", changed), ("refused", refused), ("left", left)];
        let lines = |line: &dyn Fn(&str, bool) -> String| -> String {
            outputs.iter().map(|(name, value)| line(name, *value)).collect()
        };
        match self {
            Self::Files(path, summary) => {
                append(path, &lines(&|name, value| format!("{name}={value}\n")))?;
                match summary {
                    Some(path) => append(path, &applied.markdown(disclose)),
                    None => Ok(()),
                }
            }
            Self::Dotenv => {
                let text =
                    lines(&|name, value| format!("MFACTL_{}={value}\n", name.to_uppercase()));
                let unwritten = |error| unwritten(Path::new(DOTENV), error);
                std::fs::write(DOTENV, text).map_err(unwritten)
            }
            Self::Commands => {
                // The terminal would take the power from these lines, and they are our own.
                let line = |name: &str, value| {
                    format!("##vso[task.setvariable variable={name};isOutput=true]{value}\n")
                };
                output::document(&lines(&line))
            }
        }
    }
}

fn append(path: &Path, text: &str) -> Result<(), Fault> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| unwritten(path, error))
}

fn unwritten(path: &Path, error: io::Error) -> Fault {
    let what = format!("the outputs of the job could not be written to `{}`", path.display());
    Fault::Machine { what, error }
}
