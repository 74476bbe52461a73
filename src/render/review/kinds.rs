//! The differences of a review in groups: changes of one kind, withheld changes of one reason.
//!
//! Not here: how a group is shown (`text`, `json`).

use std::collections::BTreeMap;

use super::text::value;
use crate::disclose::Discloser;
use crate::finding::quoted;
use crate::id::UserId;
use crate::plan::content::{ChangeContent, ReasonContent, UserContent, WithheldContent};
use crate::plan::difference::{Delta, PlanDifference, SettingDelta};
use crate::plan::review::Comparison;
use crate::plan::summary::PostureCounts;
use crate::plan::{PolicyLabel, RuleLabel};
use crate::posture::Posture;
use crate::render::plan::text::counted;
use crate::settings::change::Action;
use crate::settings::{Setting, Shape};
use crate::tenant::user_set::Tristate;
use crate::untrusted::Untrusted;

/// Differences of one kind, of one user or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind<'a> {
    pub setting: Setting,
    /// What happens with this change of the files; nothing if the change is no longer planned.
    pub with: Option<KindSide<'a>>,
    /// What would happen without it.
    pub without: Option<KindSide<'a>>,
    /// Whether it concerns users with an administrator role, or perhaps with one. Such users are counted apart.
    pub is_privileged: bool,
    pub users: Vec<(UserId, &'a Untrusted)>,
}

/// One side of a kind: what the change of one user looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindSide<'a> {
    /// The change of the first user. Only what its users have in common may be shown: see [`Shape`].
    pub example: &'a ChangeContent,
}

/// The order of kinds: what protects users less comes first, then what concerns administrators.
type Key<'a> = (bool, bool, Setting, Option<SideKey<'a>>, Option<SideKey<'a>>);
type SideKey<'a> = (Action, Shape, Shape, &'a Untrusted);

/// Returns the changes of users that the change of the files alters, by kind.
#[must_use]
pub fn kinds(difference: &PlanDifference) -> Vec<Kind<'_>> {
    let mut groups: BTreeMap<Key<'_>, Vec<SettingDelta<'_>>> = BTreeMap::new();
    for delta in difference.settings() {
        groups.entry(key(&delta)).or_default().push(delta);
    }
    groups.into_iter().filter_map(|(key, deltas)| kind(key, &deltas)).collect()
}

fn kind<'a>((_, no_role, setting, ..): Key<'a>, deltas: &[SettingDelta<'a>]) -> Option<Kind<'a>> {
    let first = deltas.first()?;
    Some(Kind {
        setting,
        with: first.with.map(|example| KindSide { example }),
        without: first.without.map(|example| KindSide { example }),
        is_privileged: !no_role,
        users: deltas.iter().map(|one| (one.user, &one.about.name)).collect(),
    })
}

fn key<'a>(delta: &SettingDelta<'a>) -> Key<'a> {
    let side = |one: &'a ChangeContent| -> SideKey<'a> {
        (one.action(), one.before.shape(), one.after.shape(), &one.policy)
    };
    let is_privileged = delta.about.is_administrator.is_some_and(|is| is != Tristate::No);
    (!delta.weakens(), !is_privileged, delta.setting, delta.with.map(side), delta.without.map(side))
}

/// Withheld changes of one setting, for one reason: how many each plan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WithheldCounts {
    pub without: usize,
    pub with: usize,
}

impl WithheldCounts {
    /// Returns the number of users as a clause, as it may be shown.
    #[must_use]
    pub fn in_words(self, disclose: &Discloser) -> String {
        let users = |number| counted(disclose.count(number), "user", "users");
        match (self.without, self.with) {
            (0, with) => users(with),
            (without, 0) => format!("no longer for {}", users(without)),
            (without, with) if without == with => {
                format!("{}, and no longer for as many others", users(with))
            }
            (without, with) => format!("{} instead of {}", users(with), disclose.count(without)),
        }
    }
}

/// Returns the withheld changes that the change of the files alters, by setting and reason.
#[must_use]
pub fn withheld(
    difference: &PlanDifference,
) -> BTreeMap<(Setting, &ReasonContent), WithheldCounts> {
    let mut counts: BTreeMap<(Setting, &ReasonContent), WithheldCounts> = BTreeMap::new();
    for delta in difference.users.values() {
        for one in only_in(delta.base(), delta.head()) {
            counts.entry((one.setting, &one.reason)).or_default().without += 1;
        }
        for one in only_in(delta.head(), delta.base()) {
            counts.entry((one.setting, &one.reason)).or_default().with += 1;
        }
    }
    counts
}

/// Returns the withheld changes of one plan that the other does not withhold.
pub(in crate::render) fn only_in<'a>(
    one: Option<&'a UserContent>,
    other: Option<&'a UserContent>,
) -> impl Iterator<Item = &'a WithheldContent> {
    let is_new = move |withheld: &&WithheldContent| {
        !other.is_some_and(|other| other.withheld.contains(*withheld))
    };
    one.into_iter().flat_map(|one| &one.withheld).filter(is_new)
}

/// A number of users after an apply, without the change of the files and with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostureRow {
    /// In a document.
    pub key: &'static str,
    /// In a sentence.
    pub words: &'static str,
    pub without: usize,
    pub with: usize,
}

/// Returns the number of users with each posture. Users that only one side manages are in a row of their own
/// on the other side, so both sides have as many users.
#[must_use]
pub fn postures(comparison: &Comparison) -> Vec<PostureRow> {
    let of = |counts: &BTreeMap<Posture, usize>, posture| {
        counts.get(&posture).copied().unwrap_or_default()
    };
    let rows = Posture::ALL.into_iter().map(|posture| {
        let (base, head) = (&comparison.base_postures, &comparison.head_postures);
        let (without, with) = (of(&base.after, posture), of(&head.after, posture));
        PostureRow { key: posture.as_str(), words: posture.as_str(), without, with }
    });
    let (without, with) = comparison.ungoverned;
    let ungoverned = PostureRow { key: "ungoverned", words: "in no policy", without, with };
    rows.chain([ungoverned]).filter(|row| row.without + row.with > 0).collect()
}

/// Returns the number of users with each posture, before an apply and after it.
#[must_use]
pub fn postures_of_plan(counts: &PostureCounts) -> Vec<PostureRow> {
    let of = |counts: &BTreeMap<Posture, usize>, posture| {
        counts.get(&posture).copied().unwrap_or_default()
    };
    let rows = Posture::ALL.into_iter().map(|posture| PostureRow {
        key: posture.as_str(),
        words: posture.as_str(),
        without: of(&counts.before, posture),
        with: of(&counts.after, posture),
    });
    rows.filter(|row| row.without + row.with > 0).collect()
}

/// Returns for how many users policies in report mode would do something else, as a sentence; `None` if for
/// nobody.
#[must_use]
pub fn reported(difference: &PlanDifference, disclose: &Discloser) -> Option<String> {
    let is_other = |delta: &&Delta<UserContent>| {
        let of = |one: Option<&UserContent>| {
            one.map(|one| (one.reported.clone(), one.reported_withheld.clone()))
        };
        of(delta.base()).unwrap_or_default() != of(delta.head()).unwrap_or_default()
    };
    let number = difference.users.values().filter(is_other).count();
    let users = counted(disclose.count(number), "user", "users");
    (number > 0)
        .then(|| format!("in report mode: other changes for {users}, which are never applied"))
}

/// Returns the rule of a policy for a setting, in the files of the head.
#[must_use]
pub fn rule<'a>(
    policies: &'a [PolicyLabel],
    policy: &Untrusted,
    setting: Setting,
) -> Option<&'a RuleLabel> {
    policies.iter().find(|label| label.name == *policy)?.rule(setting)
}

/// Returns what happens to the users of a kind, without what differs from user to user. Names are quoted in
/// backticks.
#[must_use]
pub fn what(kind: &Kind<'_>) -> String {
    match (&kind.with, &kind.without) {
        (Some(with), None) => value(with),
        (None, Some(without)) => format!("{} is no longer planned", value(without)),
        (None, None) => String::new(),
        (Some(with), Some(without)) => {
            let (now, before) = (value(with), value(without));
            let policy = &without.example.policy;
            match (now == before, *policy == with.example.policy) {
                (false, _) => format!("{now} instead of {before}"),
                (true, false) => format!("{now}, before by policy {}", quoted(policy)),
                (true, true) => format!("{now}, with another value than before"),
            }
        }
    }
}
