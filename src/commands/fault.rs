//! The errors of commands, with the text and the exit status that the user sees.
//!
//! Not here: errors in policies (`finding`), or how findings look (`render::diagnostic`).

mod help;

use std::fmt;
use std::io;
use std::path::PathBuf;

use mfactl_sandbox as sandbox;

use self::help::{LIST_RUNS, help_for_run};
use super::out::NoPlace;
use crate::apply::lease::LeaseFault;
use crate::apply::lock::{Holder, LockFault};
use crate::apply::resume::ResumeFault;
use crate::disclose::Disclosure;
use crate::disclose::{self, UserCount};
use crate::exit::Exit;
use crate::finding::{Finding, quoted};
use crate::git::RevisionFault;
use crate::graph;
use crate::id::TenantId;
use crate::plan::brakes::Brake;
use crate::policy::{Faults, UserRef};
use crate::render::diagnostic::{self, Style};
use crate::review_host::ReviewError;
use crate::run::allowance::Tripped;
use crate::run::events::RunEnd;
use crate::run::fault::RunFault;
use crate::run::recorded::SnapshotRefusal;
use crate::saved::FileFault;
use crate::saved::approval::ApprovalFault;
use crate::saved::json::JsonFault;
use crate::snapshot::SnapshotFault;
use crate::untrusted::printable;

/// An error that ends a command.
#[derive(Debug)]
pub enum Fault {
    Run(RunFault),
    Endpoint(graph::EndpointError),
    Sandbox(sandbox::StartError),
    SandboxFolder(sandbox::FolderError),
    /// An error of this machine, with what was tried.
    Machine {
        what: String,
        error: io::Error,
    },
    /// The token does not say which tenant it is for.
    NoTenant,
    /// The token is for another tenant than the file names.
    OtherTenant {
        named: String,
        /// The id that the domain resolves to.
        resolved: Option<TenantId>,
        got: TenantId,
        credential: String,
    },
    /// A path that a plan must not be saved to.
    Out {
        path: PathBuf,
        why: NoPlace,
    },
    /// The base of a review could not be found.
    Revision {
        revision: String,
        why: RevisionFault,
    },
    /// A variable that the system of the job sets is missing.
    NoJob(&'static str),
    /// The document and the commands for the system of the job both go to standard output.
    TwoOnStdout,
    /// A secret key is too short for this.
    ShortKey {
        variable: &'static str,
        least: usize,
        what: &'static str,
    },
    NoSuchRun(String),
    /// A file that contains no usable plan in JSON.
    PlanInJson {
        path: PathBuf,
        fault: JsonFault,
    },
    /// Plans of two tenants cannot be compared.
    PlansOfTwoTenants {
        old: TenantId,
        new: TenantId,
    },
    /// The output says more about single users than may be said.
    Undisclosed {
        what: &'static str,
        level: Disclosure,
        needed: Disclosure,
    },
    NoSuchUser(String),
    /// The comment on a pull request was not posted.
    Review(ReviewError),
    Runtime(io::Error),
    Output(io::Error),
}

impl Fault {
    /// Returns the exit status for the error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Run(RunFault::Policies { .. }) => Exit::Invalid,
            Self::Run(RunFault::Refused(_) | RunFault::Brakes(_)) => Exit::Refused,
            Self::Run(RunFault::Lock(LockFault::Held(_)) | RunFault::Lease(LeaseFault::Lost)) => {
                Exit::NotNow
            }
            Self::Run(
                RunFault::Lock(LockFault::Store(fault))
                | RunFault::Lease(LeaseFault::Store(fault))
                | RunFault::Store(fault),
            ) if fault.may_pass => Exit::NotNow,
            Self::Run(RunFault::Graph(error) | RunFault::Resume(ResumeFault::Graph(error)))
                if error.may_pass() =>
            {
                Exit::NotNow
            }
            Self::Run(RunFault::Journal(fault)) if fault.may_pass() => Exit::NotNow,
            Self::Run(RunFault::PastRun(fault) | RunFault::Resume(ResumeFault::Journal(fault)))
                if fault.may_pass() =>
            {
                Exit::NotNow
            }
            Self::Review(error) if error.may_pass() => Exit::NotNow,
            // The content of the file is refused.
            Self::Run(RunFault::SavedPlan { fault, .. }) if !matches!(fault, FileFault::Io(_)) => {
                Exit::Refused
            }
            Self::Run(RunFault::Approval { fault, .. })
                if !matches!(fault, ApprovalFault::Io(_)) =>
            {
                Exit::Refused
            }
            Self::Run(RunFault::Snapshot { fault, .. })
                if !matches!(fault, SnapshotRefusal::File(SnapshotFault::Io(_))) =>
            {
                Exit::Refused
            }
            Self::PlanInJson { fault, .. } if !matches!(fault, JsonFault::Io(_)) => Exit::Refused,
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Run(fault) => help_for_run(fault),
            Self::Endpoint(error) => Some(error.help().to_owned()),
            Self::Review(error) => error.help().map(str::to_owned),
            Self::Out { why, .. } => Some(why.help().to_owned()),
            Self::Revision { why, .. } => Some(why.help().to_owned()),
            Self::NoSuchRun(_) => Some(LIST_RUNS.to_owned()),
            Self::TwoOnStdout => Some("remove `--format json`, or `--outputs`".to_owned()),
            Self::NoJob(_) => Some("use `--outputs` only inside a job".to_owned()),
            Self::ShortKey { .. } => Some(
                "use a random key, for example from `openssl rand -hex 32`, or unset the variable"
                    .to_owned(),
            ),
            Self::PlanInJson { fault, .. } => Some(fault.help().to_owned()),
            Self::PlansOfTwoTenants { .. } => Some("compare two plans of one tenant".to_owned()),
            Self::Undisclosed { needed, .. } => Some(format!(
                "run it where users may be named, with `--disclose {}`; `disclose` in `mfactl.yaml` must allow it too",
                needed.as_str()
            )),
            Self::OtherTenant { named, .. } => Some(format!(
                "nothing was read; sign in to the right tenant, for example with `az login --tenant {named}`, or correct `tenant`"
            )),
            Self::NoTenant => Some(
                "the sign-in service returned a token without `tid`; check the `login` endpoint"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(fault) => fault.fmt(f),
            other => one_line(f, |line| other.line(line), self.help()),
        }
    }
}

impl fmt::Display for RunFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Standard error removes the colours if it is not a terminal.
            Self::Policies { findings, sources } => {
                let disclose = disclose::of_process();
                let findings: Vec<Finding> =
                    findings.iter().map(|one| disclose.finding(one).into_owned()).collect();
                f.write_str(diagnostic::report(&findings, sources, Style::Styled).trim_end())
            }
            Self::Brakes(brakes) => {
                let lines: Vec<String> =
                    brakes.iter().map(|one| format!("error: refused: {}", brake(one))).collect();
                f.write_str(&lines.join("\n"))?;
                write_help(f, help_for_run(self))
            }
            other => one_line(f, |line| other.line(line), help_for_run(self)),
        }
    }
}

/// Returns a brake that refuses a plan, with numbers that may be shown.
fn brake(one: &Tripped) -> String {
    let Brake { name, actual, of, limit } = one.brake;
    let disclose = disclose::of_process();
    let (actual, of) = (disclose.count(actual), disclose.count(of));
    let given = one.given.map_or_else(String::new, |given| {
        format!(" (`--allow` has {given}, which is not the number of the plan)")
    });
    let name = name.as_str();
    format!("brake `{name}`: {actual} of {of} users in scope, and the limit is {limit}{given}")
}

/// Returns the option that lifts a brake. A number that may not be shown is `N`.
fn allow(one: &Tripped) -> String {
    let number = match disclose::of_process().count(one.brake.actual) {
        UserCount::Exactly(number) => number.to_string(),
        UserCount::Few => "N".to_owned(),
    };
    format!("--allow {}={number}", one.brake.name.as_str())
}

/// Writes an error on one line, because paths, names and text from Graph must stay there, and its help.
fn one_line(
    f: &mut fmt::Formatter<'_>,
    write: impl FnOnce(&mut String) -> fmt::Result,
    help: Option<String>,
) -> fmt::Result {
    let mut line = String::new();
    write(&mut line)?;
    f.write_str(&printable(&line))?;
    write_help(f, help)
}

fn write_help(f: &mut fmt::Formatter<'_>, help: Option<String>) -> fmt::Result {
    match help {
        Some(help) => write!(f, "\nhelp: {}", printable(&help)),
        None => Ok(()),
    }
}

impl Fault {
    /// Writes the error as one line, with foreign text unchanged.
    fn line(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Run(fault) => fault.line(f),
            Self::Endpoint(error) => write!(f, "error: {error}"),
            Self::Sandbox(error) => write!(f, "error: {error}"),
            Self::SandboxFolder(error) => write!(f, "error: {error}"),
            Self::Machine { what, error } => write!(f, "error: {what}: {error}"),
            Self::Review(error) => write!(f, "error: {error}"),
            Self::NoTenant => f.write_str("error: the token does not name its tenant"),
            Self::OtherTenant { named, resolved, got, credential } => {
                let meant = resolved.map(|id| format!(", which is `{id}`")).unwrap_or_default();
                write!(
                    f,
                    "error: {credential} belongs to tenant `{got}`, but `mfactl.yaml` names {}{meant}",
                    quoted(named)
                )
            }
            Self::Revision { revision, why } => {
                write!(f, "error: {} cannot be compared with: {why}", quoted(revision))
            }
            Self::Out { path, why } => write!(
                f,
                "error: the {} cannot be saved in `{}`: {}",
                why.of_what(),
                path.display(),
                why.about()
            ),
            Self::PlanInJson { path, fault } => {
                write!(f, "error: the plan `{}` cannot be used: {fault}", path.display())
            }
            Self::PlansOfTwoTenants { old, new } => write!(
                f,
                "error: the old plan is of tenant `{old}`, and the new one is of tenant `{new}`"
            ),
            Self::TwoOnStdout => f.write_str(
                "error: the document and the outputs for Azure DevOps both go to standard output",
            ),
            Self::NoJob(variable) => write!(f, "error: `{variable}` is not set"),
            Self::ShortKey { variable, least, what } => write!(
                f,
                "error: `{variable}` has fewer than {least} bytes, which is too short for {what}"
            ),
            Self::NoSuchRun(name) => write!(f, "error: there is no run {}", quoted(name)),
            Self::Undisclosed { what, level, .. } => {
                write!(f, "error: {what}, and only `{}` may be disclosed here", level.as_str())
            }
            Self::NoSuchUser(name) => write!(f, "error: no user {} in the sandbox", quoted(name)),
            Self::Runtime(error) => {
                write!(f, "error: mfactl could not start its threads: {error}")
            }
            Self::Output(error) => write!(f, "error: the output could not be written: {error}"),
        }
    }
}

impl RunFault {
    /// Writes the error as one line, with foreign text unchanged.
    fn line(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            // These errors have several lines and are written elsewhere.
            Self::Policies { .. } | Self::Brakes(_) => Ok(()),
            Self::Graph(error) => write!(f, "error: {error}"),
            Self::Refused(refusal) => write!(f, "error: refused: {refusal}"),
            Self::UserNotInPlan(name) => write!(f, "error: no user {} in the plan", quoted(name)),
            Self::PolicyNotInPlan(name) => {
                write!(f, "error: no policy {} in the plan", quoted(name))
            }
            Self::SavedPlan { path, fault } => {
                write!(f, "error: the plan `{}` cannot be used: {fault}", path.display())
            }
            Self::Approval { path, fault } => {
                write!(f, "error: the approval `{}` cannot be used: {fault}", path.display())
            }
            Self::Lock(LockFault::Held(holder)) => {
                f.write_str("error: not now: another run that writes to this tenant is active")?;
                match holder {
                    Some(Holder { who, since, job }) => {
                        write!(f, ": {who}, since {since:.0}")?;
                        job.as_ref().map_or(Ok(()), |job| write!(f, ", `{job}`"))
                    }
                    None => Ok(()),
                }
            }
            Self::Lock(LockFault::Store(fault)) => write!(f, "error: the lock {fault}"),
            Self::Lease(fault @ LeaseFault::Lost) => write!(f, "error: not now: {fault}"),
            Self::Lease(fault) => write!(f, "error: {fault}"),
            Self::Store(fault) => write!(f, "error: the run store {fault}"),
            Self::Lock(LockFault::Io(path, error)) => {
                write!(f, "error: the lock `{}` could not be taken: {error}", path.display())
            }
            Self::Journal(fault) => write!(f, "error: {fault}"),
            Self::Resume(ResumeFault::Journal(fault)) => write!(f, "error: {fault}"),
            Self::Resume(ResumeFault::Graph(error)) => {
                write!(f, "error: the result of a run that was cut off could not be read: {error}")
            }
            Self::PastRun(fault) => write!(f, "error: {fault}"),
            Self::NotRemoved(fault) => {
                write!(f, "warning: old restore files could not be removed: {fault}")
            }
            Self::UserNotRecorded(word) => {
                write!(f, "error: the snapshot does not know the user {}", quoted(word))
            }
            Self::OnlyRecorded => f.write_str(
                "error: this needs the tenant itself, and there is only a snapshot of it",
            ),
            Self::Snapshot { path, fault } => {
                write!(f, "error: the snapshot `{}` cannot be used: {fault}", path.display())
            }
            Self::CannotAsk => {
                f.write_str("error: cannot ask for confirmation: standard input is not a terminal")
            }
            Self::NoAnswer(error) => write!(f, "error: the answer could not be read: {error}"),
            Self::UnknownUser(UserRef::PrincipalName(name)) => {
                write!(f, "error: no user {} in this tenant", quoted(name))
            }
            Self::UnknownUser(UserRef::Id(id)) => {
                write!(f, "error: no user with id `{id}` in this tenant")
            }
            Self::Output(error) => write!(f, "error: the output could not be written: {error}"),
        }
    }
}

impl From<RunFault> for Fault {
    fn from(fault: RunFault) -> Self {
        Self::Run(fault)
    }
}

impl From<RunEnd> for Exit {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Whole => Self::Done,
            RunEnd::Partly => Self::Partly,
        }
    }
}

impl From<Faults> for Fault {
    fn from(faults: Faults) -> Self {
        Self::Run(RunFault::Policies { findings: faults.findings, sources: faults.sources })
    }
}

impl From<graph::Error> for Fault {
    fn from(error: graph::Error) -> Self {
        Self::Run(RunFault::Graph(error))
    }
}

impl From<graph::EndpointError> for Fault {
    fn from(error: graph::EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<ReviewError> for Fault {
    fn from(error: ReviewError) -> Self {
        Self::Review(error)
    }
}

impl From<sandbox::StartError> for Fault {
    fn from(error: sandbox::StartError) -> Self {
        Self::Sandbox(error)
    }
}

impl From<sandbox::FolderError> for Fault {
    fn from(error: sandbox::FolderError) -> Self {
        Self::SandboxFolder(error)
    }
}
