//! Gives policies the pseudonyms of the users that they name, so that a snapshot without names finds them. A name
//! or id that the snapshot does not know stays as it is.
//!
//! Not here: what the names are digested with (`pseudonym`).

use std::collections::BTreeSet;

use super::pseudonym::Digests;
use super::{NamedInFiles, Snapshot};
use crate::id::UserId;
use crate::policy::{GuardEntry, PolicySet, UserRef};
use crate::scope;
use crate::tenant::directory::User;
use crate::tenant::facts::Facts;

impl NamedInFiles {
    /// Returns what the files name of a tenant.
    #[must_use]
    pub fn of(set: &PolicySet) -> Self {
        let lookup = scope::lookup(set);
        let entries = guard_entries(set);
        let names = entries.iter().filter_map(|entry| entry.name.as_ref());
        let mut people: BTreeSet<String> = names.map(|name| name.to_lowercase()).collect();
        people.extend(entries.iter().map(|entry| entry.id.to_string()));
        people.extend(lookup.user_ids.iter().map(ToString::to_string));
        people.extend(lookup.user_names);
        Self { group_names: lookup.group_names, group_ids: lookup.group_ids, people }
    }
}

fn guard_entries(set: &PolicySet) -> Vec<&GuardEntry<UserId>> {
    let guards = &set.project.break_glass;
    let exceptions = set.policies.iter().flat_map(|policy| &policy.except);
    let exceptions = exceptions.flat_map(|exception| &exception.users);
    guards.users.iter().chain(&guards.former).chain(exceptions).collect()
}

impl Snapshot {
    /// Returns the policies with the users as the snapshot calls them.
    #[must_use]
    pub fn translated(&self, mut set: PolicySet) -> PolicySet {
        if self.about.names {
            return set;
        }
        let mut digests = Digests::new(self.salt);
        for policy in &mut set.policies {
            for (user, _) in &mut policy.who.users {
                *user = self.of_user(user, &mut digests);
            }
            let exceptions = policy.except.iter_mut().flat_map(|exception| &mut exception.users);
            exceptions.for_each(|entry| self.entry(entry, true, &mut digests));
        }
        let guards = &mut set.project.break_glass;
        guards.users.iter_mut().for_each(|entry| self.entry(entry, true, &mut digests));
        guards.former.iter_mut().for_each(|entry| self.entry(entry, false, &mut digests));
        set
    }

    /// Whether it is known who this is, or that there is nobody.
    #[must_use]
    pub fn knows(&self, user: &UserRef) -> bool {
        let word = user.word();
        let is_here = match user {
            UserRef::PrincipalName(_) => {
                let is = |(user, _): &(User, Facts)| user.name.raw().to_lowercase() == word;
                self.users.iter().any(is)
            }
            UserRef::Id(id) => self.find(*id).is_some(),
        };
        self.about.names || is_here || self.people.contains_key(&self.salt.digest(&word))
    }

    /// Returns a user as the snapshot calls it.
    #[must_use]
    pub fn translated_user(&self, user: &UserRef) -> UserRef {
        self.of_user(user, &mut Digests::new(self.salt))
    }

    fn of_user(&self, user: &UserRef, digests: &mut Digests) -> UserRef {
        match self.people.get(&digests.of(&user.word())) {
            Some(Some(id)) if self.find(*id).is_some() => UserRef::Id(*id),
            Some(_) | None => user.clone(),
        }
    }

    /// Gives an entry the pseudonym. One that must be of a user keeps its id if there is none, for the error.
    fn entry(&self, entry: &mut GuardEntry<UserId>, is_of_user: bool, digests: &mut Digests) {
        let by_id = self.people.get(&digests.of(&entry.id.to_string())).copied().flatten();
        let by_id = by_id.filter(|id| !is_of_user || self.find(*id).is_some());
        let Some(id) = by_id else { return };
        entry.id = id;
        let Some(name) = entry.name.as_ref().map(|name| name.to_lowercase()) else { return };
        match self.people.get(&digests.of(&name)) {
            Some(Some(named)) if *named == id => {
                let user = self.find(id).and_then(|place| self.users.get(place.place()));
                entry.name = user.map(|(user, _)| user.name.raw().to_owned());
            }
            // The name is another one in the tenant.
            Some(_) => {}
            // A name that is new in the files cannot be compared.
            None => entry.name = None,
        }
    }
}
