//! What is not put back, and why.

use super::Run;
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::settings::Setting;

/// Why something is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    Gone,
    BreakGlass,
    Changed(Setting),
    Unread(Setting),
    Impossible(Setting),
    NotKept(Setting),
}

impl Left {
    pub(super) fn finding(self, users: Vec<UserId>, run: Run<'_>) -> Finding {
        let names = |id: &UserId| {
            run.written.iter().find(|one| one.user == *id).map_or("?", |one| one.name.as_str())
        };
        let who = match users.as_slice() {
            [one] => format!("`{}`", names(one)),
            [one, rest @ ..] => format!("`{}` and {} more", names(one), rest.len()),
            [] => "nobody".to_owned(),
        };
        let (code, what) = match self {
            Self::Gone => {
                (Code::ChangedSinceRun, "no longer there, nothing is put back".to_owned())
            }
            Self::BreakGlass => (
                Code::NotPutBack,
                "a break-glass account by now, which is never written".to_owned(),
            ),
            Self::Changed(setting) => (
                Code::ChangedSinceRun,
                format!("the {} was changed since the run, and stays as it is", setting.name()),
            ),
            Self::Unread(setting) => (
                Code::NotPutBack,
                format!("the {} could not be read, and stays as it is", setting.name()),
            ),
            Self::Impossible(setting) => (
                Code::NotPutBack,
                format!("nothing can be written that puts the {} back", setting.name()),
            ),
            Self::NotKept(setting) => (
                Code::NotPutBack,
                format!("the {} is not put back, because `keepNumbers` was off", setting.name()),
            ),
        };
        Finding::new(code, format!("{who}: {what}")).users(users)
    }
}
