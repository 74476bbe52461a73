//! The errors of posting a comment, with what helps. No error contains a token.
//!
//! Not here: how an error is printed (`commands::fault`).

use std::fmt;

use super::ReviewProvider;
use crate::untrusted::{label, printable};

/// Why a comment was not posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewError {
    kind: ReviewErrorKind,
    help: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewErrorKind {
    /// The environment is not that of a CI job of a known host.
    NoRunner,
    /// A variable of the CI job is missing or not usable.
    Variable { name: &'static str, why: &'static str },
    /// The job belongs to no pull request.
    NoPullRequest,
    /// The file does not begin with a marker, or its marker is not valid.
    Marker(String),
    /// The host refused a request.
    Refused { provider: ReviewProvider, what: String, status: u16, message: String },
    /// The comment is larger than the host allows.
    TooLong { provider: ReviewProvider, bytes: usize },
    /// The answer leads to another address.
    Redirect { provider: ReviewProvider, what: String },
    /// A list has more pages than are read.
    TooMany { provider: ReviewProvider, what: String },
    /// There was no answer.
    NoAnswer { provider: ReviewProvider, what: String, why: String },
    /// The answer has another shape than the documented one.
    Answer { provider: ReviewProvider, what: String },
}

impl ReviewError {
    pub(super) fn new(kind: ReviewErrorKind) -> Self {
        let help = match &kind {
            ReviewErrorKind::NoRunner => Some(
                "run it in a job of GitHub Actions, GitLab CI, Azure Pipelines or Bitbucket Pipelines"
                    .to_owned(),
            ),
            ReviewErrorKind::NoPullRequest => {
                Some("run it only in jobs of a pull request; see `docs/reviews.md`".to_owned())
            }
            ReviewErrorKind::Marker(_) => Some(
                "the first line must be `<!-- mfactl v1 {…} -->`: write the file with `mfactl plan --format markdown`"
                    .to_owned(),
            ),
            ReviewErrorKind::Refused { provider, status: 401 | 403 | 404, .. } => {
                Some(provider.permission().to_owned())
            }
            ReviewErrorKind::TooLong { provider, .. } => Some(format!(
                "write the file for this host: `mfactl plan --format markdown --for {}`",
                provider.as_str()
            )),
            ReviewErrorKind::TooMany { .. } => Some(
                "nothing was posted, because the comment of an earlier push may be on a later page: open another pull request"
                    .to_owned(),
            ),
            ReviewErrorKind::Redirect { .. } => Some(
                "a redirect is not followed with a token; the repository may have another name now"
                    .to_owned(),
            ),
            ReviewErrorKind::NoAnswer { .. } => {
                Some("check the network, `HTTPS_PROXY`, and `SSL_CERT_FILE` for own authorities".to_owned())
            }
            ReviewErrorKind::Variable { .. } => {
                Some("`docs/reviews.md` lists the variables that each host needs".to_owned())
            }
            ReviewErrorKind::Answer { .. } => {
                Some("check that the address of the API is that of the host".to_owned())
            }
            ReviewErrorKind::Refused { status: 429 | 500..=599, .. } => {
                Some("run it again later".to_owned())
            }
            ReviewErrorKind::Refused { .. } => None,
        };
        Self { kind, help }
    }

    pub(super) fn with_help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }

    #[must_use]
    pub const fn kind(&self) -> &ReviewErrorKind {
        &self.kind
    }

    /// Returns what the user can do about it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the status of the answer, if there was one.
    pub(super) const fn status(&self) -> Option<u16> {
        match &self.kind {
            ReviewErrorKind::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns whether the host could not be reached or was not ready: a later run may succeed.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            &self.kind,
            ReviewErrorKind::NoAnswer { .. }
                | ReviewErrorKind::Refused { status: 408 | 429 | 500 | 502..=504, .. }
        )
    }

    /// Returns whether the host may have done what was asked.
    pub(super) const fn is_in_doubt(&self) -> bool {
        matches!(
            &self.kind,
            ReviewErrorKind::NoAnswer { .. }
                | ReviewErrorKind::Refused { status: 500 | 502 | 504, .. }
        )
    }
}

impl fmt::Display for ReviewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ReviewErrorKind::NoRunner => {
                f.write_str("this is no CI job of a known host, so there is no pull request")
            }
            ReviewErrorKind::Variable { name, why } => write!(f, "the variable `{name}` {why}"),
            ReviewErrorKind::NoPullRequest => {
                f.write_str("this CI job belongs to no single pull request")
            }
            ReviewErrorKind::Marker(why) => write!(f, "the file is no comment of mfactl: {why}"),
            ReviewErrorKind::Refused { provider, what, status, message } => {
                write!(f, "{} refused to {what}: {status}", provider.name())?;
                if message.is_empty() { Ok(()) } else { write!(f, " `{}`", label(message)) }
            }
            ReviewErrorKind::TooLong { provider, bytes } => write!(
                f,
                "the comment is too long for {}: it has {bytes} bytes, and the limit is {}",
                provider.name(),
                provider.largest_comment()
            ),
            ReviewErrorKind::TooMany { provider, what } => {
                write!(f, "{} has more than 100 pages for the request to {what}", provider.name())
            }
            ReviewErrorKind::Redirect { provider, what } => {
                write!(f, "{} answered the request to {what} with a redirect", provider.name())
            }
            ReviewErrorKind::NoAnswer { provider, what, why } => {
                write!(
                    f,
                    "{} did not answer the request to {what}: {}",
                    provider.name(),
                    printable(why)
                )
            }
            ReviewErrorKind::Answer { provider, what } => {
                write!(
                    f,
                    "the answer of {} to the request to {what} cannot be read",
                    provider.name()
                )
            }
        }
    }
}

impl std::error::Error for ReviewError {}
