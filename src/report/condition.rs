//! The conditions of `report --fail-on`.
//!
//! Not here: the exit status (`commands::report`).

use super::{Doubt, PostureReport, ReportedUser};
use crate::posture::Posture;
use crate::scope::UserPart;
use crate::tenant::user_set::Tristate;

/// A problem in a report that can make the command fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    Open,
    Stuck,
    Unprotected,
    PortalsOnly,
    Unknown,
    Expiring,
    NoPolicy,
    BreakGlass,
    SharedNumber,
    Unread,
}

/// How often a condition is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub certain: usize,
    /// How often the condition may be met in addition, because a fact could not be read.
    pub possible: usize,
}

impl Tally {
    /// Whether the condition is met or may be met. A report with unread facts does not show that all is
    /// well.
    #[must_use]
    pub const fn any(self) -> bool {
        self.certain + self.possible > 0
    }
}

impl Condition {
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Stuck,
        Self::Unprotected,
        Self::PortalsOnly,
        Self::Unknown,
        Self::Expiring,
        Self::NoPolicy,
        Self::BreakGlass,
        Self::SharedNumber,
        Self::Unread,
    ];

    /// Returns the word for the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Stuck => "stuck",
            Self::Unprotected => "unprotected",
            Self::PortalsOnly => "portals-only",
            Self::Unknown => "unknown",
            Self::Expiring => "expiring",
            Self::NoPolicy => "no-policy",
            Self::BreakGlass => "break-glass",
            Self::SharedNumber => "shared-number",
            Self::Unread => "unread",
        }
    }

    /// Returns the help text for the condition.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Open => "MFA is required and no usable method is registered",
            Self::Stuck => "MFA is required and no registered method works",
            Self::Unprotected => "a password is enough for mail and files",
            Self::PortalsOnly => {
                "only the admin portals require MFA; a password is enough for mail and files"
            }
            Self::Unknown => "the posture is unknown, for any reason",
            Self::Expiring => "a phone is the only usable method, and its delivery has an end date",
            Self::NoPolicy => "no policy applies",
            Self::BreakGlass => "a break-glass account is weak, or there are too few of them",
            Self::SharedNumber => "several users have registered the same number",
            Self::Unread => "some data could not be read",
        }
    }

    /// Returns how often the condition is met in the report.
    #[must_use]
    pub fn of(self, report: &PostureReport) -> Tally {
        let unread = || report.those(|one| one.doubt == Some(Doubt::Unread)).count();
        let posture = |posture| Tally { certain: report.counts.of(posture), possible: unread() };
        let certain = |certain| Tally { certain, possible: 0 };
        match self {
            Self::Open => posture(Posture::Open),
            Self::Stuck => posture(Posture::Stuck),
            Self::Unprotected => posture(Posture::Unprotected),
            Self::PortalsOnly => Tally {
                certain: report.those(ReportedUser::is_open_to_a_password).count(),
                possible: match report.is_complete() {
                    true => 0,
                    false => report.those(|one| one.portals_only == Tristate::Unknown).count(),
                },
            },
            Self::Unknown => certain(report.counts.of(Posture::Unknown)),
            Self::Expiring => Tally { certain: report.counts.expiring(), possible: unread() },
            Self::NoPolicy => certain(report.those(|one| one.part == UserPart::OutOfScope).count()),
            Self::BreakGlass => certain(report.break_glass.weak()),
            Self::SharedNumber => Tally {
                certain: report.shared.len(),
                possible: report.methods.unknown + report.methods.hidden,
            },
            Self::Unread => certain(unread().max(usize::from(!report.is_complete()))),
        }
    }
}
