//! A change of the files as it was reviewed: the digest of what it changes in the files, and the kinds of things
//! that it does, without users and numbers: `perUserMfa-raises`, `phones.mobile-adds`, `privileged`. Both are
//! the same while users come and go, so an apply of days later can be held to them.
//!
//! Not here: whether two differences are the same, with their users (`difference_digest`), or what each kind
//! says to a reader (`render::review`).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::difference::SettingDelta;
use super::fingerprint::Fingerprint;
use super::review::{Alarm, Comparison};
use crate::settings::kind::Effect;

/// The kinds of things that a change of the files does, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DifferenceKinds(BTreeSet<String>);

/// A change of the files as a reviewer saw it. Its text is `DIGEST:KIND,KIND`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedDifference {
    /// Over the meaning of each policy and key that differs, before and after.
    pub files: Fingerprint,
    pub kinds: DifferenceKinds,
}

/// Why a change is not the reviewed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReviewed {
    /// Nothing differs between the files, so the reviewed change is not among what is compared.
    SameFiles,
    /// The files change something else.
    OtherFiles,
    /// The same change of the files does these kinds of things too, in the tenant of today.
    MoreKinds(Vec<String>),
}

/// The text is not a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a reviewed difference is 64 hexadecimal digits, `:` and its kinds, as the page of `plan --against` ends with it"
)]
pub struct NoDifference;

impl DifferenceKinds {
    fn of(comparison: &Comparison) -> Self {
        let difference = &comparison.difference;
        let settings =
            difference.settings().map(|delta| format!("{}-{}", delta.setting.key(), verb(&delta)));
        let objects = difference.objects.iter().map(|(object, delta)| match delta.head() {
            Some(change) => format!("{}-becomes-{}", object.key(), change.after),
            None => format!("{}-stays", object.key()),
        });
        let guards = comparison.loosenings.iter();
        let guards = guards.map(|one| format!("loosens-{}", one.code.as_str()));
        let alarms = [Alarm::Privileged, Alarm::Orphaned].into_iter();
        let alarms = alarms.filter(|alarm| comparison.raises(*alarm));
        let alarms = alarms.map(|alarm| alarm.as_str().to_owned());
        let governs = difference.scope().values().any(|delta| !delta.added.is_empty());
        let governs = governs.then(|| "governs".to_owned());
        Self(settings.chain(objects).chain(guards).chain(alarms).chain(governs).collect())
    }
}

impl ReviewedDifference {
    #[must_use]
    pub fn of(comparison: &Comparison) -> Self {
        let files = comparison.difference.files_digest();
        Self { files, kinds: DifferenceKinds::of(comparison) }
    }

    /// Compares the change of today with the reviewed one: the same change of the files, and no other kinds.
    ///
    /// # Errors
    /// The first reason why it is not the reviewed one.
    pub fn permits(&self, now: &Self) -> Result<(), NotReviewed> {
        if now.files != self.files {
            return Err(match now.files == Fingerprint::of_no_files() {
                true => NotReviewed::SameFiles,
                false => NotReviewed::OtherFiles,
            });
        }
        let more: Vec<String> = now.kinds.0.difference(&self.kinds.0).cloned().collect();
        if more.is_empty() { Ok(()) } else { Err(NotReviewed::MoreKinds(more)) }
    }
}

/// What the change of the files does to the setting, compared with the base.
fn verb(delta: &SettingDelta<'_>) -> &'static str {
    let (before, after) = delta.results();
    let replaces = delta.with.is_some_and(|change| {
        change.before.is_number() && change.after.is_number() && change.before != change.after
    });
    match (delta.effect(), before.is_nothing(), after.is_nothing()) {
        (Effect::Raises, ..) => "raises",
        (Effect::Lowers, ..) => "lowers",
        _ if replaces => "replaces",
        (_, true, false) => "adds",
        (_, false, true) => "removes",
        (Effect::Weakens, ..) => "weakens",
        (Effect::None, ..) => "changes",
    }
}

impl fmt::Display for NotReviewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameFiles => f.write_str(
                "the base has the same policies and keys, so the reviewed change is not compared",
            ),
            Self::OtherFiles => {
                f.write_str("the files now change something else than what was reviewed")
            }
            Self::MoreKinds(kinds) => {
                let kinds = kinds.join(", ");
                write!(f, "the change of the files now does what was not reviewed: {kinds}")
            }
        }
    }
}

impl fmt::Display for DifferenceKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, kind) in self.0.iter().enumerate() {
            write!(f, "{}{kind}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for ReviewedDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.files, self.kinds)
    }
}

impl FromStr for ReviewedDifference {
    type Err = NoDifference;

    fn from_str(text: &str) -> Result<Self, NoDifference> {
        let (files, kinds) = text.split_once(':').ok_or(NoDifference)?;
        let files = files.parse().map_err(|_| NoDifference)?;
        let is_kind = |kind: &&str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            !kind.is_empty() && kind.bytes().all(is_part)
        };
        // A change of the files can have no effect, and then it has no kinds.
        let kinds: Vec<&str> =
            if kinds.is_empty() { Vec::new() } else { kinds.split(',').collect() };
        match kinds.iter().all(is_kind) {
            true => {
                let kinds = kinds.into_iter().map(str::to_owned).collect();
                Ok(Self { files, kinds: DifferenceKinds(kinds) })
            }
            false => Err(NoDifference),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reviewed(files: &str, kinds: &str) -> ReviewedDifference {
        format!("{}:{kinds}", files.repeat(32)).parse().unwrap()
    }

    #[test]
    fn difference_permits_the_same_files_and_no_other_kinds() {
        let one = reviewed("0f", "perUserMfa-raises,phones.mobile-adds");
        assert_eq!(one.permits(&one), Ok(()));
        assert_eq!(one.permits(&reviewed("0f", "")), Ok(()));
        assert_eq!(one.permits(&reviewed("0f", "phones.mobile-adds")), Ok(()));
        let privileged = reviewed("0f", "phones.mobile-adds,privileged");
        let more = NotReviewed::MoreKinds(vec!["privileged".to_owned()]);
        assert_eq!(one.permits(&privileged), Err(more));
        assert_eq!(one.permits(&reviewed("1e", "")), Err(NotReviewed::OtherFiles));
        let nothing = ReviewedDifference { files: Fingerprint::of_no_files(), ..one.clone() };
        assert_eq!(one.permits(&nothing), Err(NotReviewed::SameFiles));
    }

    #[test]
    fn printed_difference_parses_and_partial_one_does_not() {
        let one = reviewed("0f", "perUserMfa-raises,phones.mobile-adds");
        assert_eq!(one.to_string().parse(), Ok(one.clone()));
        let files = one.files.to_string();
        assert_eq!(format!("{files}:").parse(), Ok(reviewed("0f", "")));
        let spaced = one.to_string().replace(',', " ");
        let doubled = one.to_string().replace(',', ",,");
        for wrong in ["", "41aa", "raises", ":raises", &files, &spaced, &doubled] {
            assert_eq!(wrong.parse::<ReviewedDifference>(), Err(NoDifference), "{wrong}");
        }
    }
}
