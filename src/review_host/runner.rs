//! The CI job: which host it belongs to, and its documented variables.
//!
//! Not here: what a host reads from them (`github`, `gitlab`, `azure_devops`, `bitbucket`).

use super::azure_devops::AzureComments;
use super::bitbucket::BitbucketComments;
use super::error::{ReviewError, ReviewErrorKind};
use super::github::GitHubComments;
use super::gitlab::GitLabComments;
use super::{ReviewHost, ReviewProvider};

/// The environment of a CI job.
pub struct Runner<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file that a variable names.
    file: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Runner")
    }
}

impl<'a> Runner<'a> {
    #[must_use]
    pub fn new(
        variable: &'a dyn Fn(&str) -> Option<String>,
        file: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self { variable, file }
    }

    /// Returns a variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn require(&self, name: &'static str) -> Result<String, ReviewError> {
        self.get(name)
            .ok_or_else(|| ReviewError::new(ReviewErrorKind::Variable { name, why: "is not set" }))
    }

    /// Returns a variable that holds a number, such as an id.
    pub(super) fn number(&self, name: &'static str) -> Result<String, ReviewError> {
        let value = self.require(name)?;
        match value.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(value),
            false => {
                Err(ReviewError::new(ReviewErrorKind::Variable { name, why: "is not a number" }))
            }
        }
    }

    /// Returns the number of the pull request, which is missing in jobs of a branch.
    pub(super) fn pull_request(&self, name: &'static str) -> Result<String, ReviewError> {
        match self.get(name) {
            Some(_) => self.number(name),
            None => Err(ReviewError::new(ReviewErrorKind::NoPullRequest)),
        }
    }

    /// Returns the content of a file that a variable names.
    pub(super) fn file_of(&self, name: &str) -> Option<String> {
        (self.file)(&self.get(name)?)
    }

    fn provider(&self) -> Option<ReviewProvider> {
        ReviewProvider::ALL.into_iter().find(|provider| {
            let mark = match provider {
                ReviewProvider::GitHub => "GITHUB_ACTIONS",
                ReviewProvider::GitLab => "GITLAB_CI",
                ReviewProvider::AzureDevOps => "TF_BUILD",
                ReviewProvider::Bitbucket => "BITBUCKET_WORKSPACE",
            };
            self.get(mark).is_some()
        })
    }
}

/// Returns the host of the pull request that a CI job belongs to.
///
/// # Errors
/// The job belongs to no pull request, or a variable is missing.
pub fn connect(
    runner: &Runner<'_>,
    provider: Option<ReviewProvider>,
) -> Result<Box<dyn ReviewHost>, ReviewError> {
    let provider = provider.or_else(|| runner.provider());
    Ok(match provider.ok_or_else(|| ReviewError::new(ReviewErrorKind::NoRunner))? {
        ReviewProvider::GitHub => Box::new(GitHubComments::new(runner)?),
        ReviewProvider::GitLab => Box::new(GitLabComments::new(runner)?),
        ReviewProvider::AzureDevOps => Box::new(AzureComments::new(runner)?),
        ReviewProvider::Bitbucket => Box::new(BitbucketComments::new(runner)?),
    })
}
