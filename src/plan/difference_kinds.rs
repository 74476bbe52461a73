//! The kinds of things that a change of the files does, without users and numbers: `perUserMfa-raises`,
//! `phones.mobile-adds`, `privileged`. A reviewer approves kinds, because users come and go before the apply.
//!
//! Not here: whether two differences are the same (`difference_digest`), or what each kind says to a reader
//! (`render::review`).

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

/// A difference as a reviewer saw it: its digest, and its kinds. Its text is `DIGEST:KIND,KIND`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedDifference {
    pub digest: Fingerprint,
    pub kinds: DifferenceKinds,
}

/// The text is not a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a difference is 64 hexadecimal digits, `:` and its kinds, as the page of `plan --against` ends with it"
)]
pub struct NoDifference;

impl DifferenceKinds {
    #[must_use]
    pub fn of(comparison: &Comparison) -> Self {
        let difference = &comparison.difference;
        let settings =
            difference.settings().map(|delta| format!("{}-{}", delta.setting.key(), verb(&delta)));
        let objects = difference.objects.keys().map(|object| format!("{}-object", object.key()));
        let guards =
            comparison.loosenings.iter().map(|one| format!("loosens-{}", one.code.as_str()));
        let alarms = [Alarm::Privileged, Alarm::Orphaned].into_iter();
        let alarms = alarms.filter(|alarm| comparison.raises(*alarm));
        let scope = difference.scope();
        let scope =
            scope.values().any(|delta| !delta.added.is_empty()).then(|| "governs".to_owned());
        let alarms = alarms.map(|alarm| alarm.as_str().to_owned());
        Self(settings.chain(objects).chain(guards).chain(alarms).chain(scope).collect())
    }

    /// Returns the kinds that the other does not have.
    #[must_use]
    pub fn beyond<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        self.0.difference(&other.0).map(String::as_str).collect()
    }
}

impl ReviewedDifference {
    /// Compares the difference of today with the reviewed one: the same difference, or no other kinds.
    ///
    /// # Errors
    /// The kinds that were not reviewed, in words.
    pub fn permits(&self, digest: Fingerprint, now: &DifferenceKinds) -> Result<(), String> {
        let more = now.beyond(&self.kinds);
        match digest == self.digest || more.is_empty() {
            true => Ok(()),
            false => Err(more.join(", ")),
        }
    }
}

/// What the change of the files does to the setting, compared with the base.
fn verb(delta: &SettingDelta<'_>) -> &'static str {
    let (before, after) = delta.results();
    match (delta.effect(), before.is_nothing(), after.is_nothing()) {
        (Effect::Raises, ..) => "raises",
        (Effect::Lowers, ..) => "lowers",
        (_, true, false) => "adds",
        (_, false, true) => "removes",
        (Effect::Weakens, ..) => "weakens",
        (Effect::None, ..) => "changes",
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
        write!(f, "{}:{}", self.digest, self.kinds)
    }
}

impl FromStr for ReviewedDifference {
    type Err = NoDifference;

    fn from_str(text: &str) -> Result<Self, NoDifference> {
        let (digest, kinds) = text.split_once(':').unwrap_or((text, ""));
        let digest = digest.parse().map_err(|_| NoDifference)?;
        let kinds: BTreeSet<String> =
            kinds.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        let is_kind = |kind: &String| {
            kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        };
        let is_good = kinds.iter().all(is_kind);
        is_good.then_some(Self { digest, kinds: DifferenceKinds(kinds) }).ok_or(NoDifference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reviewed(kinds: &str) -> ReviewedDifference {
        format!("{}:{kinds}", "0f".repeat(32)).parse().unwrap()
    }

    #[test]
    fn difference_permits_itself_and_fewer_kinds() {
        let one = reviewed("phones.mobile-adds,perUserMfa-raises");
        let other: Fingerprint = "1e".repeat(32).parse().unwrap();
        let kinds = |text: &str| reviewed(text).kinds;
        assert_eq!(one.permits(other, &kinds("")), Ok(()));
        assert_eq!(one.permits(other, &kinds("phones.mobile-adds")), Ok(()));
        assert_eq!(one.permits(one.digest, &kinds("privileged")), Ok(()));
        let more = one.permits(other, &kinds("phones.mobile-adds,privileged"));
        assert_eq!(more, Err("privileged".to_owned()));
    }

    #[test]
    fn printed_difference_parses_and_partial_one_does_not() {
        let one = reviewed("phones.mobile-adds,perUserMfa-raises");
        assert_eq!(one.to_string().parse(), Ok(one.clone()));
        assert_eq!(one.digest.to_string().parse(), Ok(reviewed("")));
        for wrong in ["", "41aa", "raises", ":raises", &one.to_string().replace(',', " ")] {
            assert_eq!(wrong.parse::<ReviewedDifference>(), Err(NoDifference), "{wrong}");
        }
    }
}
