//! Facts of a user that could not be read, whatever the policies want. They leave the posture unknown.
//!
//! Not here: unread facts of a setting that a policy manages (`settings::Remark`).

use crate::finding::{Code, Finding};
use crate::settings::Setting;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, Phone, Read, UnknownReason};
use crate::tenant::lookup::UserFact;

/// A fact of a user that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingFact {
    Methods(UnknownReason),
    State(UnknownReason),
    /// A number whose digits Graph hides.
    Number,
}

impl MissingFact {
    /// Returns all missing facts of a user.
    pub fn of(facts: &Facts) -> impl Iterator<Item = Self> + use<> {
        let methods = match facts.methods {
            Read::Unknown(why) => Some(Self::Methods(why)),
            Read::Known(methods) => {
                let phones = [methods.mobile, methods.alternate_mobile, methods.office];
                phones.contains(&Phone::Masked).then_some(Self::Number)
            }
        };
        let state = match facts.state {
            Read::Unknown(why) => Some(Self::State(why)),
            Read::Known(_) => None,
        };
        methods.into_iter().chain(state)
    }

    /// Whether the remark that this setting could not be read already reports the missing fact.
    pub(super) fn is_said_with(self, setting: Setting) -> bool {
        match self {
            Self::Methods(_) | Self::Number => setting.phone().is_some(),
            Self::State(_) => setting.fact() == UserFact::State,
        }
    }

    /// Returns the finding about all users without this fact. `again` is the verb for another try.
    #[must_use]
    pub fn finding(self, users: &[UserIndex], directory: &Directory, again: &str) -> Finding {
        let (what, why, permission) = match self {
            Self::Methods(why) => {
                ("the registered methods", why, "UserAuthenticationMethod.Read.All")
            }
            Self::State(why) => ("the per-user MFA state", why, "Policy.Read.All"),
            Self::Number => {
                ("a registered number", UnknownReason::Masked, "UserAuthenticationMethod.Read.All")
            }
        };
        let (who, why_not) = (directory.in_words(users), why.about());
        let message =
            format!("{who}: {what} could not be read ({} in all): {why_not}", users.len());
        let help = match why {
            UnknownReason::Forbidden | UnknownReason::Masked => {
                format!(
                    "grant `{permission}`; until then it is unknown whether these users are safe"
                )
            }
            UnknownReason::NotRecorded => "take a new snapshot".to_owned(),
            UnknownReason::NotRead | UnknownReason::NotLicensed | UnknownReason::Failed => {
                format!("{again} again; `--log info` shows what Graph answered")
            }
        };
        let ids = users.iter().filter_map(|user| directory.user(*user)).map(|user| user.id);
        Finding::new(Code::Unreadable, message).help(help).users(ids)
    }
}
