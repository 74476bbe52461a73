//! What a report can be asked to fail on.

use super::{Doubt, Person, Report};
use crate::plan::explain::Part;
use crate::posture::Posture;
use crate::tenant::crowd::Judged;

/// Something that is not as it should be.
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

/// How often it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub certain: usize,
    /// And how often it may be, because something that decides it could not be read.
    pub possible: usize,
}

impl Tally {
    /// Whether it is so, or may be: a report that was refused an answer has not seen that all is
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

    /// The word of the command line.
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

    /// What it is, in a line.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Open => "MFA is demanded and nothing is registered that could answer",
            Self::Stuck => "MFA is demanded and nothing that is registered can answer",
            Self::Unprotected => "a password is enough for mail and files",
            Self::PortalsOnly => {
                "only the admin portals demand MFA, and a password opens mail and files"
            }
            Self::Unknown => "how they stand is not known, for whatever reason",
            Self::Expiring => "only a phone answers, and the day is set on which it no longer will",
            Self::NoPolicy => "no policy applies",
            Self::BreakGlass => "a break-glass account is weak, or there are too few",
            Self::SharedNumber => "several people have registered one number",
            Self::Unread => "something could not be read",
        }
    }

    /// How often it is so.
    #[must_use]
    pub fn of(self, report: &Report) -> Tally {
        let unread = || report.those(|one| one.doubt == Some(Doubt::Unread)).count();
        let posture = |posture| Tally { certain: report.counts.of(posture), possible: unread() };
        let certain = |certain| Tally { certain, possible: 0 };
        match self {
            Self::Open => posture(Posture::Open),
            Self::Stuck => posture(Posture::Stuck),
            Self::Unprotected => posture(Posture::Unprotected),
            Self::PortalsOnly => Tally {
                certain: report.those(Person::is_open_to_a_password).count(),
                possible: match report.is_complete() {
                    true => 0,
                    false => report.those(|one| one.portals_only == Judged::Unknown).count(),
                },
            },
            Self::Unknown => certain(report.counts.of(Posture::Unknown)),
            Self::Expiring => Tally { certain: report.counts.expiring(), possible: unread() },
            Self::NoPolicy => certain(report.those(|one| one.part == Part::OutOfScope).count()),
            Self::BreakGlass => certain(report.break_glass.weak()),
            Self::SharedNumber => Tally {
                certain: report.shared.len(),
                possible: report.methods.unknown + report.methods.hidden,
            },
            Self::Unread => certain(unread().max(usize::from(!report.is_complete()))),
        }
    }
}
