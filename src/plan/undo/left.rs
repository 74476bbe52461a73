//! What is not put back, and why, as findings.
//!
//! Not here: what is withheld because it would not be safe (`plan::reason`).

use super::Run;
use super::written::Why;
use crate::finding::{Code, Finding, Severity, quoted};
use crate::id::UserId;
use crate::settings::Setting;

/// Why something is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    Gone,
    BreakGlass,
    Of(Why, Setting),
}

impl Left {
    pub(super) fn finding(self, users: Vec<UserId>, run: Run<'_>) -> Finding {
        let who = who(&users, run);
        let (code, what, help) = match self {
            Self::Gone => (
                Code::ChangedSinceRun,
                "no longer there, nothing is put back".to_owned(),
                "a deleted account has nothing to put back".to_owned(),
            ),
            Self::BreakGlass => (
                Code::NotPutBack,
                "a break-glass account by now, which is never written".to_owned(),
                "put it back by hand, if it has to be".to_owned(),
            ),
            Self::Of(why, setting) => (code(why), about(why, setting), help(why, run)),
        };
        let mut finding = Finding::new(code, format!("{who}: {what}")).help(help).users(users);
        if self == Self::Gone {
            // Nothing of the run is left in that case.
            finding.severity = Severity::Note;
        }
        finding
    }
}

/// People of a run, some of whom may no longer be in the directory.
pub(super) fn who(users: &[UserId], run: Run<'_>) -> String {
    let names = |id: &UserId| {
        run.written.iter().find(|one| one.user == *id).map_or("?", |one| one.name.as_str())
    };
    match users {
        [one] => quoted(names(one)),
        [one, rest @ ..] => format!("{} and {} more", quoted(names(one)), rest.len()),
        [] => "nobody".to_owned(),
    }
}

const fn code(why: Why) -> Code {
    match why {
        Why::Changed => Code::ChangedSinceRun,
        Why::Differs => Code::RestoreDiffers,
        Why::Unread | Why::Unsettled | Why::Impossible | Why::NotKept | Why::Lost => {
            Code::NotPutBack
        }
    }
}

fn about(why: Why, setting: Setting) -> String {
    let name = setting.name();
    match why {
        Why::Changed => format!("the {name} was changed since the run, and stays as it is"),
        Why::Unread => format!("the {name} could not be read, and stays as it is"),
        Why::Unsettled => {
            format!("whether the run wrote the {name} is not known, and it stays as it is")
        }
        Why::Impossible => format!("nothing can be written that puts the {name} back"),
        Why::NotKept => format!("the {name} is not put back, because `keepNumbers` was off"),
        Why::Differs => format!(
            "the {name} is not put back, because the restore file holds another value than the journal shows: it was edited, damaged or mixed up with another one"
        ),
        Why::Lost => {
            format!("the {name} is not put back, because the restore file does not hold it")
        }
    }
}

fn help(why: Why, run: Run<'_>) -> String {
    let run = run.name;
    match why {
        Why::Changed => "find out who changed it; what they wrote is not written over".to_owned(),
        Why::Unread => "see above what could not be read; once it can be, undo again".to_owned(),
        Why::Unsettled => {
            format!("`mfactl runs show {run}` lists it; look at the user, and put it back by hand")
        }
        Why::Impossible => "put it back by hand, if it has to be".to_owned(),
        Why::NotKept | Why::Differs | Why::Lost => {
            format!("`mfactl runs show {run}` shows it masked; put it back by hand")
        }
    }
}
