//! The lines of a journal and of a restore file, and the processes and runs that they name.
//!
//! Not here: writing the lines (the parent module) or reading them (`read`).

use crate::results::WriteResult;
use std::fmt;
use std::fs;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::id::{TenantId, UserId};
use crate::plan::PlanPurpose;
use crate::results::WorseUser;
use crate::results::{ChangeCounts, ChangeResult, UNSEEN};
use crate::settings::full_value::FullValue;
use crate::settings::kind::CountedAs;
use crate::settings::{Setting, Value};
use crate::tenant::membership::Guarding;

/// The format that this version writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 2;

/// The first part of a run's name: the time in UTC.
const WHEN: &str = "%Y%m%dT%H%M%SZ";
const WHEN_LENGTH: usize = 16;

/// The name of a run: the time when it began, and a part that is different for every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

/// The user and the process that carry out a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunActor {
    pub user: String,
    pub host: String,
    pub process: u32,
}

/// The first line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    pub format: u32,
    pub program: String,
    pub run: RunId,
    pub tenant: TenantId,
    pub domain: String,
    pub purpose: PlanPurpose,
    pub fingerprint: String,
    pub began: Timestamp,
    pub by: RunActor,
    /// Number of changes in the plan.
    pub changes: usize,
    /// Members of each break-glass group. Older versions did not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<Guarding>,
    /// Every run whose last segment is before this one was settled when this run began.
    pub settled: u64,
}

/// A write that is about to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    pub number: usize,
    pub user: UserId,
    pub name: String,
    pub setting: Setting,
    /// The number of the write that it puts back, if it does so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puts_back: Option<usize>,
    /// The printed form: phone numbers are masked.
    pub before: String,
    pub after: String,
    pub policy: String,
    pub place: String,
    pub at: Timestamp,
}

/// The result of a write, by its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub number: usize,
    #[serde(flatten)]
    pub noted: Noted,
    pub at: Timestamp,
}

/// The result of a write, with the message of Graph if it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    #[serde(rename = "fate")]
    pub result: WriteResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The last line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    pub at: Timestamp,
    /// Why the run ended early, if it did.
    pub stopped: Option<String>,
    pub counts: ChangeCounts,
    /// SHA-256 of all bytes before this line, in hex.
    pub digest: String,
    /// Users who were open, stuck, worse off or unreadable at the end of the run: from a separate line
    /// that may follow.
    #[serde(skip)]
    pub worse: Vec<WorseUser>,
}

/// What was found after the last line about the users that the run wrote to: those who were open, stuck,
/// worse off or unreadable.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndCheckRow {
    pub at: Timestamp,
    pub worse: Vec<WorseUser>,
    /// SHA-256 of all bytes before this line, in hex.
    pub digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum JournalRow {
    Run(Box<Begun>),
    Intent(Intent),
    Outcome(Ended),
    End(End),
    Standing(EndCheckRow),
}

/// A row of the restore file. A missing value is a phone number that must not be kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreRow {
    pub number: usize,
    pub user: UserId,
    pub setting: Setting,
    pub before: Option<FullValue>,
    pub after: Option<FullValue>,
}

impl Intent {
    /// Returns whether the write may remove something that the user needs, or changes whether MFA is
    /// required of the user.
    #[must_use]
    pub fn can_harm(&self) -> bool {
        let had_phone = self.setting.phone().is_some() && self.before != Value::Nothing.to_string();
        had_phone || self.setting.counted_as() == CountedAs::Requirement
    }
}

impl RunId {
    /// Creates a name. Names sort in the order of time: after the second follow its thousandths and a
    /// random part.
    pub(super) fn new(now: Timestamp) -> Self {
        let thousandths = u16::try_from(now.subsec_millisecond()).unwrap_or_default();
        let rest = (thousandths << 6) | fastrand::u16(..1 << 6);
        Self(format!("{}-{rest:04x}", now.strftime(WHEN)))
    }

    /// Returns the run of that name; `None` for a name that could be a path.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (!text.is_empty() && text.len() <= 64 && text.chars().all(plain))
            .then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns when the run began, by its name; `None` for a name that this program does not give.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        let (when, rest) = self.0.split_once('-')?;
        let hex = |letter: char| letter.is_ascii_digit() || matches!(letter, 'a'..='f');
        if rest.len() != 4 || !rest.chars().all(hex) {
            return None;
        }
        let when = DateTime::strptime(WHEN, when).ok().filter(|_| when.len() == WHEN_LENGTH)?;
        Some(when.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }

    /// Returns whether this program gives such names.
    pub(super) fn is_as_made(&self) -> bool {
        self.began().is_some()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RunActor {
    /// Returns the current user and process, as far as the machine shows them.
    #[must_use]
    pub fn is_here() -> Self {
        let variable =
            |names: [&str; 2]| names.into_iter().find_map(|name| std::env::var(name).ok());
        let host = fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.map(|name| name.trim().to_owned());
        Self {
            user: variable(["USER", "USERNAME"]).unwrap_or_else(|| "an unknown user".to_owned()),
            host: host
                .or_else(|| variable(["HOSTNAME", "COMPUTERNAME"]))
                .unwrap_or_else(|| "?".into()),
            process: std::process::id(),
        }
    }
}

/// The variables that together are the address of a job's page (documentation of GitHub Actions, GitLab CI,
/// Azure Pipelines and Bitbucket Pipelines, "predefined variables", checked 2026-11).
const JOB_PAGES: [&[&str]; 4] = [
    &["$GITHUB_SERVER_URL", "/", "$GITHUB_REPOSITORY", "/actions/runs/", "$GITHUB_RUN_ID"],
    &["$CI_JOB_URL"],
    &["$SYSTEM_COLLECTIONURI", "$SYSTEM_TEAMPROJECT", "/_build/results?buildId=", "$BUILD_BUILDID"],
    &[
        "https://bitbucket.org/",
        "$BITBUCKET_REPO_FULL_NAME",
        "/pipelines/results/",
        "$BITBUCKET_BUILD_NUMBER",
    ],
];

impl RunActor {
    /// Returns the address of the page of this job, if this process is one.
    #[must_use]
    pub fn job() -> Option<String> {
        let part = |part: &&str| match part.strip_prefix('$') {
            Some(name) => std::env::var(name).ok(),
            None => Some((*part).to_owned()),
        };
        JOB_PAGES.iter().find_map(|page| page.iter().map(part).collect())
    }
}

impl fmt::Display for RunActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}, process {}", self.user, self.host, self.process)
    }
}

impl Noted {
    pub(crate) fn of(result: &ChangeResult, request_id: Option<String>) -> Self {
        let (result, why) = match result {
            ChangeResult::Done | ChangeResult::DoneBefore => (WriteResult::Done, None),
            ChangeResult::Failed(why) => (WriteResult::Failed, Some(why.to_string())),
            ChangeResult::Unknown(why) => (WriteResult::Unknown, Some(why.to_string())),
            ChangeResult::NotTried(why) => (WriteResult::NotTried, Some(why.to_string())),
            ChangeResult::MovedOn(why) => (WriteResult::NotTried, Some(why.about().to_owned())),
        };
        Self { result, why, request_id }
    }

    pub(crate) fn unseen() -> Self {
        Self { result: WriteResult::Unknown, why: Some(UNSEEN.to_owned()), request_id: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_names_sort_by_time() {
        let name = |text: &str| RunId::new(text.parse().unwrap()).to_string();
        let names = [
            "2026-11-22T10:15:00.001Z",
            "2026-11-22T10:15:00.002Z",
            "2026-11-22T10:15:00.999Z",
            "2026-11-22T10:15:01Z",
        ]
        .map(name);
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names[0].len(), "20261122T101500Z-3f2a".len());
        let began = RunId::named(&names[3]).and_then(|run| run.began());
        assert_eq!(began, Some("2026-11-22T10:15:01Z".parse().unwrap()));
        for other in ["notes", "20261122", "20261322T101500Z-3f2a", "20261122T101500Z-3f2a-old"] {
            assert_eq!(RunId::named(other).and_then(|run| run.began()), None, "{other}");
        }
    }
}
