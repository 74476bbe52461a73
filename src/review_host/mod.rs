//! The comment of mfactl on a pull request: finding it, and writing it on GitHub, GitLab, Azure DevOps or
//! Bitbucket.
//!
//! Everything about the host comes from the environment of the CI job, and requests go to the API of that host
//! alone. Nothing is read back from a comment except its marker.
//!
//! Not here: the text of the comment (`render`), or reading files and the environment (`commands`).

mod api_client;
mod azure_devops;
mod bitbucket;
mod check_run;
mod error;
mod github;
mod gitlab;
mod marker;
mod posting;
mod runner;

use async_trait::async_trait;

pub use error::{ReviewError, ReviewErrorKind};
pub use marker::{CommentFile, Marker};
pub use posting::{Posted, Posting, post};
pub use runner::{Runner, connect};

/// The hosts of repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewProvider {
    GitHub,
    GitLab,
    AzureDevOps,
    Bitbucket,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewComment {
    /// The id in addresses. Azure DevOps needs the thread too: `7/1`.
    id: String,
    /// The login of its author, or another id that is unique at the host.
    author: String,
    body: String,
    /// The time of its creation, as the host writes it: a text that sorts by time.
    created: String,
}

/// The comments of one pull request.
#[async_trait]
pub trait ReviewHost: Send + Sync {
    fn provider(&self) -> ReviewProvider;

    /// Returns the words for the pull request, such as `pull request 7 of contoso/mfa`.
    fn place(&self) -> String;

    /// Returns the author of the comments that this token writes.
    async fn own_login(&self) -> Result<String, ReviewError>;

    /// Returns all comments, those of others too.
    async fn comments(&self) -> Result<Vec<ReviewComment>, ReviewError>;

    /// Writes a new comment and returns its id.
    async fn create(&self, body: &str, marker: &Marker) -> Result<String, ReviewError>;

    async fn edit(&self, id: &str, body: &str, marker: &Marker) -> Result<(), ReviewError>;

    async fn delete(&self, id: &str) -> Result<(), ReviewError>;

    /// Shows the head of the comment in a place that people cannot edit, where the host has one. Returns a
    /// note if the token may not do it.
    async fn show_status(
        &self,
        _own_login: &str,
        _file: &CommentFile,
    ) -> Result<Option<String>, ReviewError> {
        Ok(None)
    }
}

impl ReviewProvider {
    /// All providers, in the order in which the environment is searched.
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::AzureDevOps, Self::Bitbucket];

    /// Returns the name as written on a command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::AzureDevOps => "azureDevOps",
            Self::Bitbucket => "bitbucket",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::AzureDevOps => "Azure DevOps",
            Self::Bitbucket => "Bitbucket",
        }
    }

    /// Returns the permission that the token needs.
    const fn permission(self) -> &'static str {
        match self {
            Self::GitHub => "the job needs `permissions: { pull-requests: write }`",
            Self::GitLab => {
                "`MFACTL_GITLAB_TOKEN` needs the scope `api` and the role Developer; the job token cannot write comments"
            }
            Self::AzureDevOps => {
                "the build identity needs the permission \"Contribute to pull requests\" on the repository"
            }
            Self::Bitbucket => "`BITBUCKET_TOKEN` needs the scope `pullrequest:write`",
        }
    }

    /// Returns the number of bytes from which a refusal may be about the size: an older GitHub Enterprise
    /// Server refuses what its message says.
    const fn smallest_refused(self) -> usize {
        match self {
            Self::GitHub => 65_536,
            other => other.largest_comment(),
        }
    }

    /// Returns the size of the largest comment in bytes. The message of GitHub says 65,536 characters; the
    /// measured limit is 262,144 bytes. Azure DevOps documents none (checked 2026-11).
    const fn largest_comment(self) -> usize {
        match self {
            Self::GitHub => 262_144,
            Self::GitLab => 1_000_000,
            Self::AzureDevOps => 150_000,
            Self::Bitbucket => 32_768,
        }
    }
}
