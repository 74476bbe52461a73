//! `--disclose`: how much a command says about single users. The file and the option can both lower it, and a
//! CI job shows numbers unless one of them says otherwise.
//!
//! Not here: the words for users (`disclose`).

use std::io;
use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::fault::Fault;
use crate::disclose::{self, Discloser, Disclosure};
use crate::policy;
use crate::run::review::Base;
use crate::terminal::say;
use crate::untrusted::printable;

/// Environment variable with the secret key of pseudonyms.
const KEY: &str = "MFACTL_PSEUDONYM_KEY";

/// How much a command says about single users.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Disclose {
    /// How much to say about single users; the lower of this and `disclose` in `mfactl.yaml` counts.
    /// The default is `names`, and `counts` in a CI job (if the variable CI is set)
    #[arg(long, value_name = "LEVEL", value_enum)]
    disclose: Option<Disclosure>,
}

impl Disclose {
    /// Returns the discloser for a tenant, and makes it the one of the process.
    pub(super) fn begin(self, in_file: Option<Disclosure>, tenant: &str) -> Discloser {
        let secret = std::env::var(KEY).ok();
        let discloser = Discloser::new(self.level(in_file), tenant, secret.as_deref());
        disclose::begin(&discloser);
        discloser
    }

    /// Returns the same, but no more than the base of a review says: the author of a change must not decide
    /// alone how much its review tells.
    pub(super) fn at_most(self, base: &Base) -> Self {
        let in_base = base.policies.as_ref().ok().and_then(|set| set.project.disclose);
        Self { disclose: Some(self.level(in_base)) }
    }

    /// Returns a discloser for an output without users.
    pub(super) fn of_numbers(self, in_file: Option<Disclosure>) -> Discloser {
        Discloser::new(self.level(in_file), "", None)
    }

    fn level(self, in_file: Option<Disclosure>) -> Disclosure {
        let ci = std::env::var("CI").ok();
        Disclosure::choose(self.disclose, in_file, disclose::is_ci(ci.as_deref()))
    }

    /// Refuses an output about single users if only numbers may be shown.
    pub(super) fn need_users(
        self,
        in_file: Option<Disclosure>,
        what: &'static str,
    ) -> Result<(), Fault> {
        need(self.level(in_file), Disclosure::Pseudonyms, what)
    }

    /// Refuses an output about single users, unless names may be shown.
    pub(super) fn need_names(
        self,
        in_file: Option<Disclosure>,
        what: &'static str,
    ) -> Result<(), Fault> {
        need(self.level(in_file), Disclosure::Names, what)
    }
}

/// Returns the level of the file, for a command that needs no file: `None` if there is no file. What a file
/// with errors says is unknown, so the lowest level counts.
pub(super) fn in_file(config: &Path) -> Option<Disclosure> {
    if config.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return None;
    }
    match policy::load(config) {
        Ok(set) => set.project.disclose,
        Err(_) => {
            say(&format!(
                "note: `{}` or its policies have errors, so only numbers of users are shown; `mfactl validate` lists them",
                printable(&config.display().to_string())
            ));
            Some(Disclosure::Counts)
        }
    }
}

/// Refuses an output that says more than the level allows.
fn need(level: Disclosure, needed: Disclosure, what: &'static str) -> Result<(), Fault> {
    if level >= needed { Ok(()) } else { Err(Fault::Undisclosed { what, level, needed }) }
}

impl ValueEnum for Disclosure {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(self.about()))
    }
}
