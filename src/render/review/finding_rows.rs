//! The findings that a change of the files brings or takes away, and the users that are new in one or no longer
//! in it. A finding is compared by its users: its sentence also counts users that the change does not concern.
//!
//! Not here: how a row looks (`text`), or the findings of one plan (`plan::text`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::disclose::Discloser;
use crate::finding::{Code, Severity};
use crate::id::UserId;
use crate::plan::content::FindingContent;
use crate::plan::difference::{Delta, PlanDifference};
use crate::render::plan::text::counted;

/// A finding that comes or goes, for all its users or for some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingDelta<'a> {
    /// Whether it comes. If not, it goes.
    pub is_new: bool,
    pub finding: &'a FindingContent,
    /// The users that it comes or goes for, if the other plan has it for others.
    pub some: Option<BTreeSet<UserId>>,
}

/// The findings of one severity, code and policy that only one of the plans has.
#[derive(Default)]
struct Sides<'a> {
    base: Vec<&'a FindingContent>,
    head: Vec<&'a FindingContent>,
}

impl FindingDelta<'_> {
    /// Returns `new` or `gone`.
    #[must_use]
    pub const fn when(&self) -> &'static str {
        if self.is_new { "new" } else { "gone" }
    }

    /// Returns the users that it comes or goes for.
    #[must_use]
    pub fn users(&self) -> &BTreeSet<UserId> {
        self.some.as_ref().unwrap_or(&self.finding.users)
    }

    /// Returns the message, as it may be shown. For some of its users, it is the general sentence of the code.
    #[must_use]
    pub fn message(&self, disclose: &Discloser) -> Cow<'_, str> {
        let FindingContent { code, message, .. } = self.finding;
        match self.some.as_ref().map(BTreeSet::len) {
            None => disclose.said(message, code.about(), self.finding.users.len()),
            Some(number) => {
                let users = counted(disclose.count(number), "user", "users");
                format!("{} ({users})", code.about()).into()
            }
        }
    }
}

/// Returns the findings that come or go, in their order.
#[must_use]
pub fn finding_rows(difference: &PlanDifference) -> Vec<FindingDelta<'_>> {
    let mut groups: BTreeMap<(Severity, Code, Option<&str>), Sides<'_>> = BTreeMap::new();
    for (finding, delta) in &difference.findings {
        let sides =
            groups.entry((finding.severity, finding.code, finding.policy.as_deref())).or_default();
        match delta {
            Delta::Removed(_) => sides.base.push(finding),
            Delta::Added(_) => sides.head.push(finding),
            Delta::Altered(base, head) if base < head => sides.head.push(finding),
            Delta::Altered(..) => sides.base.push(finding),
        }
    }
    let mut rows: Vec<FindingDelta<'_>> = groups.values().flat_map(Sides::rows).collect();
    rows.sort_by_key(|row| row.finding);
    rows
}

impl<'a> Sides<'a> {
    fn rows(&self) -> Vec<FindingDelta<'a>> {
        let of = |side: &[&FindingContent]| -> BTreeSet<UserId> {
            side.iter().flat_map(|finding| &finding.users).copied().collect()
        };
        let new = only(&self.head, &of(&self.base), true);
        let gone = only(&self.base, &of(&self.head), false);
        new.into_iter().chain(gone).collect()
    }
}

/// Returns what one plan says and the other does not, whose findings of this kind concern `others`.
fn only<'a>(
    side: &[&'a FindingContent],
    others: &BTreeSet<UserId>,
    is_new: bool,
) -> Vec<FindingDelta<'a>> {
    let mut rows = Vec::new();
    for finding in side {
        let users: BTreeSet<UserId> = finding.users.difference(others).copied().collect();
        let is_whole = users.len() == finding.users.len();
        if is_whole || !users.is_empty() {
            rows.push(FindingDelta { is_new, finding, some: (!is_whole).then_some(users) });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn finding(message: &str, users: &[u128]) -> FindingContent {
        FindingContent {
            severity: Severity::Warning,
            code: Code::UserOpen,
            policy: None,
            message: message.to_owned(),
            help: None,
            users: users.iter().map(|id| UserId::from_uuid(uuid::Uuid::from_u128(*id))).collect(),
        }
    }

    fn shown(base: &[FindingContent], head: &[FindingContent]) -> Vec<String> {
        let mut difference = PlanDifference::default();
        for finding in base {
            difference.findings.insert(finding.clone(), Delta::Removed(1));
        }
        for finding in head {
            difference.findings.insert(finding.clone(), Delta::Added(1));
        }
        let of = |row: &FindingDelta<'_>| {
            format!("{} {}", row.when(), row.message(&Discloser::of_names()))
        };
        finding_rows(&difference).iter().map(of).collect()
    }

    #[test]
    fn finding_comes_and_goes_by_its_users() {
        let about = Code::UserOpen.about();
        let all = finding("3 of 9 read", &[1, 2, 3]);
        assert_eq!(shown(from_ref(&all), &[finding("3 of 8 read", &[1, 2, 3])]), [""; 0]);
        assert_eq!(shown(&[], from_ref(&all)), ["new 3 of 9 read"]);
        assert_eq!(
            shown(from_ref(&all), &[finding("2 of 9 read", &[1, 2])]),
            [format!("gone {about} (1 user)")]
        );
        assert_eq!(
            shown(&[all], &[finding("4", &[3, 4, 5, 6])]),
            [format!("gone {about} (2 users)"), format!("new {about} (3 users)")]
        );
        let (one, other) = (finding("a", &[]), finding("b", &[]));
        assert_eq!(shown(&[one], &[other]), ["gone a", "new b"]);
    }
}
