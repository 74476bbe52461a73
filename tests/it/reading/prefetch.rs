//! Prefetching: the users that are read early are exactly those in scope in the end, in any order of
//! answers.

use std::collections::BTreeSet;

use mfactl::id::UserId;
use mfactl::policy::PolicySet;
use mfactl::scope::Foreseen;
use mfactl::tenant::directory::{Group, User};
use mfactl::tenant::lookup::UserList;
use proptest::prelude::*;

use crate::support::tiny_tenant::{TODAY, Tenant};

/// One answer about the tenant.
#[derive(Debug, Clone)]
enum Known {
    Page(Option<Group>, Vec<User>),
    Whole(Group, Vec<UserId>),
    Roles,
}

/// All answers about the tenant, with lists in pages of two.
fn all(tenant: &Tenant) -> Vec<Known> {
    let people: Vec<User> = tenant.users.iter().map(|(user, _)| user.clone()).collect();
    let mut all = vec![Known::Roles];
    all.extend(people.chunks(2).map(|page| Known::Page(None, page.to_vec())));
    for (group, members) in &tenant.groups {
        let in_it: Vec<User> =
            people.iter().filter(|user| members.contains(&user.id)).cloned().collect();
        all.extend(in_it.chunks(2).map(|page| Known::Page(Some(group.clone()), page.to_vec())));
        all.push(Known::Whole(group.clone(), members.clone()));
    }
    all
}

/// The users that are needed after these answers.
fn needed(set: &PolicySet, tenant: &Tenant, known: &[Known]) -> BTreeSet<UserId> {
    let mut foreseen = Foreseen::new(set, TODAY);
    let needed = known.iter().flat_map(|known| match known {
        Known::Page(None, users) => foreseen.page(UserList::Everybody, users),
        Known::Page(Some(group), users) => foreseen.page(UserList::MembersOf(group), users),
        Known::Whole(group, members) => foreseen.whole_group(group.id, members),
        Known::Roles => foreseen.roles(&tenant.roles),
    });
    needed.collect()
}

const WHO: [&str; 4] =
    ["everyone: true", "groups: [All]", "groups: [Sales, Finance]", "groups: [sales]"];
const EXCEPT: [&str; 6] = [
    "",
    "\n    except: [{ users: [{ id: 00000000-0000-4000-8000-000000000003 }], reason: x }]",
    "\n    except: [{ groups: [{ id: 00000000-0000-4000-8000-000000000064 }], reason: x }]",
    "\n    except: [{ roles: [Global Administrator], reason: x }]",
    "\n    except: [{ groups: [{ id: 00000000-0000-4000-8000-000000000065 }], roles: [Global Administrator], reason: x }, { groups: [{ id: 00000000-0000-4000-8000-000000000068 }], reason: x }]",
    "\n    except: [{ groups: [{ id: 00000000-0000-4000-8000-000000000065 }], reason: x, until: 2026-11-01 }]",
];
const WHERE: [&str; 3] = [
    "",
    "\n    where: { department: Sales }",
    "\n    where: { userType: any, accountEnabled: any }",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn prefetched_users_are_exactly_the_users_in_scope(
        policies in prop::collection::vec((0..WHO.len(), 0..EXCEPT.len(), 0..WHERE.len()), 1..4),
        order in Just(all(&Tenant::new())).prop_shuffle(),
        half in 0_usize..20,
    ) {
        let tenant = Tenant::new();
        let one = |(nth, (who, except, only)): (usize, &(usize, usize, usize))| {
            let (who, except, only) = (WHO[*who], EXCEPT[*except], WHERE[*only]);
            format!("  p{nth}:\n    priority: {nth}\n    appliesTo: {{ {who} }}{except}{only}\n    desired: {{ perUserMfa: enforced }}\n")
        };
        let text: String = policies.iter().enumerate().map(one).collect();
        let (set, observed) = tenant.observed(&format!("version: 1\npolicies:\n{text}")).unwrap();
        let scope = &observed.scope;
        let ids = |users: &mut dyn Iterator<Item = _>| -> BTreeSet<UserId> {
            users.filter_map(|user| observed.directory.user(user)).map(|user| user.id).collect()
        };
        let (meant, guards) = (ids(&mut scope.users()), ids(&mut scope.break_glass()));
        let in_the_end = needed(&set, &tenant, &order);
        prop_assert_eq!(&(&in_the_end - &guards), &meant);
        let early = needed(&set, &tenant, &order[..order.len() - half]);
        prop_assert!((&early - &guards).is_subset(&meant));
    }
}
