//! Drops the users that a plan is not about, for the saved plan and for an apply.
//!
//! Not here: dropping changes (`narrow`).

use std::sync::Arc;

use super::Plan;
use crate::tenant::directory::{Directory, User, UserIndex};

impl Plan {
    /// Returns the users with changes.
    #[must_use]
    pub fn changed_users(&self) -> Vec<UserIndex> {
        let changed = self.users.iter().filter(|user| !user.changes.is_empty());
        changed.map(|user| user.user).collect()
    }

    /// Returns the same plan with only the users that have a change, a withheld change or a finding, or that
    /// the change of an object affects.
    #[must_use]
    pub fn only_concerned(mut self) -> Self {
        let named = self.findings.iter().flat_map(|finding| &finding.users);
        let named = named.filter_map(|user| self.directory.find(*user));
        let affected = self.objects.iter().flat_map(|change| &change.affected);
        let others = named.chain(affected.map(|one| one.user));
        let mut kept: Vec<UserIndex> =
            self.users.iter().map(|user| user.user).chain(others).collect();
        kept.sort_unstable();
        kept.dedup();
        let people: Vec<User> =
            kept.iter().filter_map(|user| self.directory.user(*user).cloned()).collect();
        if people.len() != kept.len() {
            return self;
        }
        self.basis = self.basis.only(&kept);
        self.directory = Arc::new(Directory::in_order(people));
        self.renumber(|user| kept.binary_search(&user).map_or(user, UserIndex::new));
        self
    }

    fn renumber(&mut self, place: impl Fn(UserIndex) -> UserIndex) {
        for user in &mut self.users {
            user.user = place(user.user);
        }
        for change in self.changes.iter_mut().chain(&mut self.reported) {
            change.user = place(change.user);
        }
        for withheld in self.withheld.iter_mut().chain(&mut self.reported_withheld) {
            withheld.user = place(withheld.user);
        }
        for affected in self.objects.iter_mut().flat_map(|change| &mut change.affected) {
            affected.user = place(affected.user);
        }
    }
}
