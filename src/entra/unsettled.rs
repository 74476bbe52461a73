//! Reports groups named in the tenant's rules for which the directory and its index disagree on the
//! members: one finding per group, with the users and the rules.
//!
//! Not here: what the disagreement means for these users (`tenant::rule_members`).

use std::collections::{BTreeMap, BTreeSet};

use super::tenant_rules::ConfiguredRules;
use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, UserId};
use crate::tenant::demand::ConditionalAccessRule;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::Read;
use crate::tenant::roles::Roles;

/// Maximum number of rules that a finding names one by one.
const NAMED: usize = 2;

impl ConfiguredRules {
    /// Returns a finding for each group, about the users of the directory.
    pub(super) fn unsettled(&self, directory: &Directory, roles: &Read<Roles>) -> Vec<Finding> {
        let mut disputed: BTreeMap<GroupId, BTreeSet<UserId>> = BTreeMap::new();
        for (group, membership) in &self.groups {
            let users = membership.known().map(|known| known.disputed());
            disputed.entry(*group).or_default().extend(users.into_iter().flatten());
        }
        let of_roles = roles.known().map(|roles| &roles.disputed);
        for (group, users) in of_roles.into_iter().flatten() {
            disputed.entry(*group).or_default().extend(users);
        }
        disputed
            .iter()
            .filter_map(|(id, users)| self.note(*id, users, directory, of_roles))
            .collect()
    }

    fn note(
        &self,
        group: GroupId,
        users: &BTreeSet<UserId>,
        directory: &Directory,
        of_roles: Option<&BTreeMap<GroupId, BTreeSet<UserId>>>,
    ) -> Option<Finding> {
        let found: Vec<UserIndex> = users.iter().filter_map(|id| directory.find(*id)).collect();
        if found.is_empty() {
            return None;
        }
        let mut places = self.places(group);
        if of_roles.is_some_and(|groups| groups.contains_key(&group)) {
            places.push("a directory role".to_owned());
        }
        let (who, by) = (directory.in_words(&found), in_words(&places));
        let be = if found.len() == 1 { "is" } else { "are" };
        let message = format!(
            "only one of two reads of group `{group}` shows that {who} {be} in it; the group is used by {by}, so it is not certain what is required or allowed"
        );
        let finding = Finding::new(Code::MembershipUnsettled, message)
            .help("a change to a group takes some minutes to reach the index of the directory; plan again after that");
        Some(finding.users(found.iter().filter_map(|user| Some(directory.user(*user)?.id))))
    }

    /// Returns the rules that name a group.
    fn places(&self, group: GroupId) -> Vec<String> {
        let names = |rule: &&ConditionalAccessRule| {
            rule.include.groups.contains(&group) || rule.exclude.groups.contains(&group)
        };
        let policies = self.rules.conditional_access.known().into_iter().flatten().filter(names);
        let policies =
            policies.map(|rule| format!("Conditional Access policy {}", quoted(&rule.name)));
        let methods =
            self.settings.known().filter(|settings| settings.groups().any(|id| id == group));
        policies.chain(methods.map(|_| "the authentication methods policy".to_owned())).collect()
    }
}

fn in_words(places: &[String]) -> String {
    let (named, rest) = places.split_at(places.len().min(NAMED));
    match rest {
        [] => named.join(" and "),
        rest => format!("{} and {} more", named.join(", "), rest.len()),
    }
}
