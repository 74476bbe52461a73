//! The hosts that show Markdown: how much they take, and whether a section can be folded.
//!
//! Not here: the text (`content`).

/// A host, or the summary of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    #[default]
    GitHub,
    /// The summary of a job of GitHub Actions.
    Summary,
    GitLab,
    AzureDevOps,
    Bitbucket,
}

impl Dialect {
    pub const ALL: [Self; 5] =
        [Self::GitHub, Self::Summary, Self::GitLab, Self::AzureDevOps, Self::Bitbucket];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Summary => "summary",
            Self::GitLab => "gitlab",
            Self::AzureDevOps => "azureDevOps",
            Self::Bitbucket => "bitbucket",
        }
    }

    /// Returns the most bytes of a page. It is below what the host takes, because `comment` adds earlier pushes
    /// and the time.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::GitHub => 60_000,
            Self::Summary => 1_000_000,
            Self::GitLab => 900_000,
            Self::AzureDevOps => 140_000,
            Self::Bitbucket => 32_000,
        }
    }

    /// Whether the host removes HTML comments and folds `<details>`. Bitbucket shows both as text.
    #[must_use]
    pub const fn has_html(self) -> bool {
        !matches!(self, Self::Bitbucket)
    }
}
