//! The order of files, of their policies and of their keys does not matter.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

use mfactl::policy::filter::Where;
use mfactl::policy::{Faults, Policy, PolicySet};
use mfactl::settings::Setting;
use proptest::prelude::*;

use super::Project;

/// Policies from small pools of values, so that they overlap and conflict.
fn policies() -> impl Strategy<Value = Vec<[String; 5]>> {
    let one = (
        prop::sample::select(vec!["", "    priority: 1\n", "    priority: 2\n"]),
        prop::sample::select(vec![
            "everyone: true",
            "groups: [X]",
            "groups: [x, Y]",
            "users: [a@b.c]",
            "roles: [R, s]",
        ]),
        prop::sample::select(vec![
            "perUserMfa: enabled",
            "perUserMfa: enforced",
            "perUserMfa: unmanaged",
            "phones: { mobile: unmanaged }",
            "phones: { mobile: { from: mobilePhone } }",
        ]),
        prop::sample::select(vec![
            "",
            "    description: told\n",
            "    mode: report\n",
            "    where: { department: [B, A], synced: true }\n",
            "    where: { department: { any: [a, b] }, synced: [true] }\n",
        ]),
    );
    prop::collection::vec(one, 1..6).prop_map(|all| {
        let rows = all.into_iter().enumerate().map(|(number, (priority, who, what, about))| {
            [
                format!("p{number}"),
                priority.to_owned(),
                format!("    appliesTo: {{ {who} }}\n"),
                format!("    desired: {{ {what} }}\n"),
                about.to_owned(),
            ]
        });
        rows.collect()
    })
}

/// The conditions of `where`, without places.
fn without_places(only: &Where) -> String {
    let registered = only.registered.map(|test| (test.any, test.none));
    let Where { department, usage_location, synced, guest, enabled, .. } = only;
    format!("{department:?} {usage_location:?} {synced:?} {guest:?} {enabled:?} {registered:?}")
}

/// The result of a load, without places.
fn meaning(result: &Result<PolicySet, Faults>) -> String {
    match result {
        Ok(set) => set
            .policies
            .iter()
            .map(|policy| {
                let groups: Vec<_> = policy.who.groups.iter().map(|(group, _)| group).collect();
                let users: Vec<_> = policy.who.users.iter().map(|(user, _)| user).collect();
                let roles: Vec<_> = policy.who.roles.iter().map(|(role, _)| role).collect();
                let rules = Setting::ALL.map(|setting| policy.rules.get(setting));
                let Policy { name, description, mode, priority, who, only, .. } = policy;
                let except: Vec<_> = policy.except.iter().map(|one| (&one.reason, one.until.map(|(day, _)| day))).collect();
                format!("{name} {description:?} {mode:?} {priority} {} {groups:?} {roles:?} {users:?} {except:?} {:?} {rules:?}\n", who.everyone, without_places(only))
            })
            .collect(),
        Err(faults) => {
            let mut texts: Vec<String> = faults
                .findings
                .iter()
                .map(|finding| format!("{}: {}\n", finding.code, finding.message))
                .collect();
            texts.sort();
            texts.concat()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn order_of_files_and_keys_does_not_matter(
        policies in policies(),
        seed in any::<u64>(),
    ) {
        let ordered = write(&policies, |number| (number, [1, 2, 3, 4]));
        let shuffled = write(&policies, |number| {
            let mut keys = [4, 3, 2, 1];
            keys.rotate_left((seed as usize + number) % 4);
            (number ^ (seed as usize % 8), keys)
        });
        prop_assert_eq!(meaning(&ordered.load()), meaning(&shuffled.load()));
    }
}

fn write(policies: &[[String; 5]], layout: impl Fn(usize) -> (usize, [usize; 4])) -> Project {
    policies.iter().enumerate().fold(Project::new(), |project, (number, policy)| {
        let (file, keys) = layout(number);
        let body: String = keys.iter().map(|key| policy[*key].as_str()).collect();
        let text = format!("version: 1\npolicies:\n  {}:\n{body}", policy[0]);
        project.file(&format!("policies/{file}.yaml"), text)
    })
}
