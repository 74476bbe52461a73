//! The findings about values that an undo does not put back.
//!
//! Not here: changes that are withheld as unsafe (`plan::reason`).

use super::Run;
use super::written::NotPutBackReason;
use crate::finding::{Code, Finding, Severity, quoted};
use crate::id::UserId;
use crate::settings::Setting;

/// Why a value is not put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NotPutBack {
    Gone,
    BreakGlass,
    Of(NotPutBackReason, Setting),
}

impl NotPutBack {
    pub(super) fn finding(self, users: Vec<UserId>, run: Run<'_>) -> Finding {
        let who = who(&users, run);
        let (code, what, help) = match self {
            Self::Gone => (
                Code::ChangedSinceRun,
                "the account no longer exists, so nothing is put back".to_owned(),
                "a deleted account has nothing to put back".to_owned(),
            ),
            Self::BreakGlass => (
                Code::NotPutBack,
                "a break-glass account now, which mfactl never writes to".to_owned(),
                "put it back by hand if necessary".to_owned(),
            ),
            Self::Of(why, setting) => (code(why), about(why, setting), help(why, run)),
        };
        let mut finding = Finding::new(code, format!("{who}: {what}")).help(help).users(users);
        if self == Self::Gone {
            // Nothing that the run wrote still exists.
            finding.severity = Severity::Note;
        }
        finding
    }
}

/// Names users of a run. Some of them may no longer be in the directory.
pub(super) fn who(users: &[UserId], run: Run<'_>) -> String {
    let names = |id: &UserId| {
        run.written.iter().find(|one| one.user == *id).map_or("?", |one| one.name.as_str())
    };
    match users {
        [one] => quoted(names(one)),
        [one, rest @ ..] => format!("{} and {} more", quoted(names(one)), rest.len()),
        [] => "no user".to_owned(),
    }
}

const fn code(why: NotPutBackReason) -> Code {
    match why {
        NotPutBackReason::Changed => Code::ChangedSinceRun,
        NotPutBackReason::Differs => Code::RestoreDiffers,
        NotPutBackReason::Unread
        | NotPutBackReason::Unsettled
        | NotPutBackReason::Impossible
        | NotPutBackReason::NotKept
        | NotPutBackReason::Lost => Code::NotPutBack,
    }
}

fn about(why: NotPutBackReason, setting: Setting) -> String {
    let name = setting.name();
    match why {
        NotPutBackReason::Changed => {
            format!("the {name} was changed since the run, so it stays as it is")
        }
        NotPutBackReason::Unread => format!("the {name} could not be read, so it stays as it is"),
        NotPutBackReason::Unsettled => {
            format!("it is unknown whether the run wrote the {name}, so it stays as it is")
        }
        NotPutBackReason::Impossible => format!("no write can put the {name} back"),
        NotPutBackReason::NotKept => {
            format!("the {name} is not put back, because `keepNumbers` was off")
        }
        NotPutBackReason::Differs => format!(
            "the {name} is not put back, because its value in the restore file differs from the journal: the file was edited, damaged or swapped with another one"
        ),
        NotPutBackReason::Lost => {
            format!("the {name} is not put back, because the restore file does not hold it")
        }
    }
}

fn help(why: NotPutBackReason, run: Run<'_>) -> String {
    let run = run.name;
    match why {
        NotPutBackReason::Changed => {
            "find out who changed it; mfactl does not overwrite that change".to_owned()
        }
        NotPutBackReason::Unread => {
            "see the other findings for what could not be read; once it can be read, undo again"
                .to_owned()
        }
        NotPutBackReason::Unsettled => {
            format!(
                "`mfactl runs show {run}` lists the write; check the user, and put it back by hand"
            )
        }
        NotPutBackReason::Impossible => "put it back by hand if necessary".to_owned(),
        NotPutBackReason::NotKept | NotPutBackReason::Differs | NotPutBackReason::Lost => {
            format!("`mfactl runs show {run}` shows the value masked; put it back by hand")
        }
    }
}
