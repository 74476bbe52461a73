//! Why a command could not do what it was asked, in the words and with the exit status that the
//! user sees.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::allowance::Tripped;
use super::out::NoPlace;
use crate::apply::basis::Refusal;
use crate::apply::journal::JournalFault;
use crate::apply::lock::{Holder, LockFault};
use crate::apply::resume::ResumeFault;
use crate::entra::permissions;
use crate::exit::Exit;
use crate::finding::{Finding, quoted};
use crate::graph;
use crate::id::TenantId;
use crate::plan::file::FileFault;
use crate::policy::{Faults, UserRef};
use crate::render::diagnostic::{self, Style};
use crate::sandbox;
use crate::source::Sources;
use crate::untrusted::printable;

/// What went wrong.
#[derive(Debug)]
pub enum Fault {
    /// The files, or names in them held against the tenant.
    Policies {
        findings: Vec<Finding>,
        sources: Sources,
    },
    Graph(graph::Error),
    Endpoint(graph::EndpointError),
    Sandbox(sandbox::StartError),
    SandboxFolder(sandbox::FolderError),
    /// Something about this machine, with what was attempted.
    Machine {
        what: String,
        error: io::Error,
    },
    /// The token does not say which tenant it is for.
    NoTenant,
    /// The token is for another tenant than the file names.
    OtherTenant {
        named: String,
        /// What a domain stands for.
        resolved: Option<TenantId>,
        got: TenantId,
        credential: String,
    },
    Refused(Refusal),
    /// Brakes that were not lifted.
    Brakes(Vec<Tripped>),
    /// A user or a policy that the plan knows nothing of.
    NotInPlan {
        what: &'static str,
        name: String,
    },
    /// A file that is to hold a plan.
    SavedPlan {
        path: PathBuf,
        fault: FileFault,
    },
    /// A place where no plan is saved.
    Out {
        path: PathBuf,
        why: NoPlace,
    },
    /// Another apply of the tenant is under way here, or the lock cannot be had at all.
    Lock(LockFault),
    Journal(PathBuf, io::Error),
    /// A run that came to no end could not be looked after.
    Resume(ResumeFault),
    Run(JournalFault),
    NoSuchRun(String),
    CannotAsk,
    NoSuchUser(String),
    /// Nobody in the tenant is called so.
    UnknownUser(UserRef),
    Runtime(io::Error),
    Output(io::Error),
}

impl Fault {
    /// The status that a run ending in it has.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Policies { .. } => Exit::Invalid,
            Self::Refused(_) | Self::Brakes(_) | Self::Lock(LockFault::Held(_)) => Exit::Refused,
            Self::SavedPlan { fault, .. } if Self::is_of_content(fault) => Exit::Refused,
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Graph(error) => help(error),
            Self::Endpoint(error) => Some(error.help().to_owned()),
            Self::Refused(Refusal::Fingerprint) => Some(
                "plan again with `mfactl plan --out FILE`, or set `MFACTL_FINGERPRINT_KEY` to what it was"
                    .to_owned(),
            ),
            Self::Refused(_) => Some("plan again, and apply the new plan".to_owned()),
            Self::Brakes(brakes) => {
                let allow: Vec<String> = brakes.iter().map(Tripped::allow).collect();
                Some(format!("read the plan; if it is what you mean, say `{}`", allow.join(" ")))
            }
            Self::NotInPlan { what: "policy", .. } => {
                Some("name a policy as it stands in its file".to_owned())
            }
            Self::NotInPlan { .. } => Some(
                "name a user whom a policy applies to, by principal name or object id".to_owned(),
            ),
            Self::UnknownUser(user) => Some(unknown_user(user).to_owned()),
            Self::SavedPlan { fault: FileFault::Io(_), .. } => None,
            Self::SavedPlan { fault: FileFault::OtherFormat(_), .. } => {
                Some("plan again with this program, or apply it with the one that made it".to_owned())
            }
            Self::SavedPlan { .. } => Some("plan again with `mfactl plan --out FILE`".to_owned()),
            Self::Out { why, .. } => Some(why.help().to_owned()),
            Self::Lock(LockFault::Held(_)) => Some(
                "wait for it, or say `--lock-timeout 5m` to have this one wait".to_owned(),
            ),
            Self::Lock(LockFault::Io(..))
            | Self::Journal(..)
            | Self::Resume(ResumeFault::Journal(..)) => Some(
                "nothing is written to a tenant without a journal: make room, or say `--journal DIR`"
                    .to_owned(),
            ),
            Self::Resume(ResumeFault::Graph(error)) => help(error),
            Self::Run(JournalFault::NoRun(_)) | Self::NoSuchRun(_) => {
                Some("`mfactl runs` lists them".to_owned())
            }
            Self::CannotAsk => Some("run it on a terminal, or say `--auto-approve`".to_owned()),
            Self::OtherTenant { named, .. } => Some(format!(
                "nothing was read; sign in to the tenant that is meant, such as by `az login --tenant {named}`, or correct `tenant`"
            )),
            Self::NoTenant => Some(
                "the sign-in service gave a token without `tid`; check the `login` endpoint"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// What would help with a refusal by Graph: the permission or the licence; else what `graph` knows.
fn help(error: &graph::Error) -> Option<String> {
    permissions::advice(error).or_else(|| error.help().map(str::to_owned))
}

/// How to find the user who is meant.
fn unknown_user(user: &UserRef) -> &'static str {
    match user {
        UserRef::PrincipalName(name) if !name.contains('@') => {
            "write the whole user principal name, such as `j.brown@contoso.com`, or the object id"
        }
        UserRef::PrincipalName(_) => {
            "check the spelling; a guest's principal name holds `#EXT#` and needs quotes in a shell, and the object id does as well"
        }
        UserRef::Id(_) => "copy the object id from the user's page in the Entra admin center",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Standard error takes the colours away where it is no terminal.
            Self::Policies { findings, sources } => {
                return f
                    .write_str(diagnostic::report(findings, sources, Style::Styled).trim_end());
            }
            Self::Brakes(brakes) => {
                let lines: Vec<String> =
                    brakes.iter().map(|brake| format!("error: refused: {brake}")).collect();
                f.write_str(&lines.join("\n"))?;
            }
            // Paths, names and what Graph said stay on their line.
            other => {
                let mut line = String::new();
                other.line(&mut line)?;
                f.write_str(&printable(&line))?;
            }
        }
        match self.help() {
            Some(help) => write!(f, "\nhelp: {}", printable(&help)),
            None => Ok(()),
        }
    }
}

impl Fault {
    /// What went wrong, in a line with the words of others as they are.
    fn line(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            // They have lines of their own.
            Self::Policies { .. } | Self::Brakes(_) => {}
            Self::Graph(error) => write!(f, "error: {error}")?,
            Self::Endpoint(error) => write!(f, "error: {error}")?,
            Self::Sandbox(error) => write!(f, "error: {error}")?,
            Self::SandboxFolder(error) => write!(f, "error: {error}")?,
            Self::Machine { what, error } => write!(f, "error: {what}: {error}")?,
            Self::NoTenant => f.write_str("error: the token does not name its tenant")?,
            Self::OtherTenant { named, resolved, got, credential } => {
                let meant = resolved.map(|id| format!(", which is `{id}`")).unwrap_or_default();
                write!(
                    f,
                    "error: {credential} is of tenant `{got}`, and `mfactl.yaml` names {}{meant}",
                    quoted(named)
                )?
            }
            Self::Refused(refusal) => write!(f, "error: refused: {refusal}")?,
            Self::NotInPlan { what, name } => write!(f, "error: no {what} {} here", quoted(name))?,
            Self::SavedPlan { path, fault } => {
                write!(f, "error: the plan `{}` is not taken: {fault}", path.display())?
            }
            Self::Out { path, why } => {
                write!(f, "error: no plan is saved in `{}`: {}", path.display(), why.about())?
            }
            Self::Lock(LockFault::Held(holder)) => {
                f.write_str("error: refused: another apply of this tenant is under way here")?;
                if let Some(Holder { who, since }) = holder {
                    write!(f, ": {who}, since {since:.0}")?;
                }
            }
            Self::Lock(LockFault::Io(path, error)) => {
                write!(f, "error: the lock `{}` could not be taken: {error}", path.display())?
            }
            Self::Journal(path, error) | Self::Resume(ResumeFault::Journal(path, error)) => {
                write!(f, "error: the journal `{}` could not be written: {error}", path.display())?
            }
            Self::Resume(ResumeFault::Graph(error)) => {
                write!(f, "error: what a run that was cut off has left could not be read: {error}")?
            }
            Self::Run(fault) => write!(f, "error: {fault}")?,
            Self::NoSuchRun(name) => write!(f, "error: there is no run {}", quoted(name))?,
            Self::CannotAsk => {
                f.write_str("error: there is nobody to ask: standard input is not a terminal")?
            }
            Self::NoSuchUser(name) => write!(f, "error: no user {} in the sandbox", quoted(name))?,
            Self::UnknownUser(UserRef::PrincipalName(name)) => {
                write!(f, "error: no user {} in this tenant", quoted(name))?
            }
            Self::UnknownUser(UserRef::Id(id)) => {
                write!(f, "error: no user with id `{id}` in this tenant")?
            }
            Self::Runtime(error) => {
                write!(f, "error: the program could not start its threads: {error}")?
            }
            Self::Output(error) => write!(f, "error: the output could not be written: {error}")?,
        }
        Ok(())
    }
}

impl From<Faults> for Fault {
    fn from(faults: Faults) -> Self {
        Self::Policies { findings: faults.findings, sources: faults.sources }
    }
}

impl From<graph::Error> for Fault {
    fn from(error: graph::Error) -> Self {
        Self::Graph(error)
    }
}

impl From<graph::EndpointError> for Fault {
    fn from(error: graph::EndpointError) -> Self {
        Self::Endpoint(error)
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
