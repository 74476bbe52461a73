//! Invented policies: the users of each, the settings that it wants, and so what may be written.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use super::{Invented, PEOPLE, Person};

/// What a policy says of a phone, a preference or the state, in the order of [`KEYS`].
type Wants = [Option<&'static str>; KEYS.len()];

/// Each key, and what a policy may say of it.
const KEYS: [(&str, &[Option<&str>]); 6] = [
    ("mobile", MOBILE),
    ("alternateMobile", ALTERNATE),
    ("office", OFFICE),
    ("defaultMethod", DEFAULT),
    ("systemPreferredMfa", PREFERRED),
    ("perUserMfa", STATE),
];

/// Those that stand under `phones`.
const PHONES: usize = 3;

const MOBILE: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    Some("{ from: mobilePhone }"),
    Some("{ from: mobilePhone }"),
    Some("{ from: mobilePhone, region: NL }"),
    Some("{ from: mobilePhone, region: NL, smsSignIn: off }"),
    Some("{ from: mobilePhone, region: NL, smsSignIn: on }"),
    Some("{ from: mobilePhone, region: NL, ifRegistered: replace }"),
    Some("{ from: [extensionAttribute7, mobilePhone], ifRegistered: replace, smsSignIn: off }"),
    Some("{ from: mobilePhone, ifRegistered: replace, smsSignIn: on }"),
    Some("absent"),
    Some("absent"),
    Some("unmanaged"),
];

const ALTERNATE: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    None,
    Some("{ from: extensionAttribute7 }"),
    Some("{ from: [extensionAttribute7, businessPhones], ifRegistered: replace }"),
    Some("absent"),
    Some("unmanaged"),
];

const OFFICE: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    None,
    Some("{ from: businessPhones, region: NL }"),
    Some("{ from: businessPhones, ifRegistered: replace }"),
    Some("absent"),
    Some("unmanaged"),
];

const DEFAULT: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    Some("sms"),
    Some("push"),
    Some("[push, oath, sms]"),
    Some("[voiceAlternateMobile, voiceOffice, voiceMobile]"),
    Some("{ exactly: sms }"),
    Some("{ exactly: oath }"),
    Some("unmanaged"),
];

const PREFERRED: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    Some("true"),
    Some("false"),
    Some("{ exactly: false }"),
    Some("unmanaged"),
];

const STATE: &[Option<&str>] = &[
    None,
    None,
    Some("enabled"),
    Some("enabled"),
    Some("enforced"),
    Some("disabled"),
    Some("unmanaged"),
];

/// Only for users with a method, or without it.
const REGISTERED: &[Option<&str>] = &[
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    Some("{ any: [mobilePhone] }"),
    Some("{ none: [mobilePhone] }"),
    Some("{ any: [officePhone, alternateMobilePhone] }"),
    Some("{ none: [authenticator, passkey] }"),
];

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    everyone: bool,
    groups: Vec<&'static str>,
    users: Vec<usize>,
    rulers: bool,
    registered: Option<&'static str>,
    reports: bool,
    priority: Option<u32>,
    wants: Wants,
}

/// The settings of a user that may be written, derived from the policies alone, without the program.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Managed {
    /// Mobile, alternate mobile and office.
    pub(crate) phones: [Written; PHONES],
    pub(crate) sms_sign_in: bool,
    pub(crate) default: bool,
    pub(crate) system_preferred: bool,
    pub(crate) state: bool,
}

/// What may become of a phone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) added: bool,
    pub(crate) replaced: bool,
    pub(crate) removed: bool,
}

/// Whether some policy may say something of the key, which is a path inside `desired`.
pub(crate) fn uses(key: &str) -> bool {
    let mut path = key.trim_start_matches("phones.").split('.');
    let (top, inside) = (path.next(), path.next());
    let choices =
        KEYS.iter().filter(|(key, _)| Some(*key) == top).flat_map(|(_, choices)| *choices);
    choices.flatten().any(|text| inside.is_none_or(|inside| text.contains(inside)))
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    let wants = KEYS
        .map(|(_, choices)| select(choices))
        .prop_filter("something is wanted", |wants| wants.iter().any(Option::is_some));
    let who = (
        subsequence(&["All Staff", "MFA Pilot", "Nested"][..], 0..3),
        subsequence((0..PEOPLE).collect::<Vec<_>>(), 0..4),
        prop::bool::weighted(0.15),
    )
        .prop_filter("somebody is named", |(groups, users, rulers)| {
            groups.len() + users.len() > 0 || *rulers
        });
    let who = (who, prop::bool::weighted(0.15)).prop_map(|((groups, users, rulers), everyone)| {
        if everyone {
            (true, Vec::new(), Vec::new(), false)
        } else {
            (false, groups, users, rulers)
        }
    });
    let priority =
        select(&[None, Some(50), Some(100), Some(200), Some(300), Some(400), Some(500)][..]);
    let how = (select(REGISTERED), prop::bool::weighted(0.1), priority);
    (who, how, wants).prop_map(
        |((everyone, groups, users, rulers), (registered, reports, priority), wants)| Policy {
            everyone,
            groups,
            users,
            rulers,
            registered,
            reports,
            priority,
            wants,
        },
    )
}

impl Policy {
    /// Whether what it wants depends on what is registered.
    pub(crate) fn looks_at_methods(&self) -> bool {
        self.registered.is_some()
    }

    fn names(&self, place: usize, person: &Person, pilots_rule: bool) -> bool {
        let rules = person.role.is_some() || pilots_rule && person.in_pilot;
        self.everyone
            || self.users.contains(&place)
            || self.rulers && rules
            || self.groups.iter().any(|group| match *group {
                "All Staff" => person.in_staff || person.in_nested,
                "Nested" => person.in_nested,
                _ => person.in_pilot,
            })
    }

    /// The policy as a file has it.
    pub(super) fn text(&self, place: usize, people: &[Person], reversed: bool) -> String {
        let users: Vec<String> = (0..)
            .zip(people)
            .filter(|(place, _)| self.users.contains(place))
            .map(|(place, person)| format!("{:?}", person.name(place)))
            .collect();
        let mut who =
            vec![format!("groups: {:?}", self.groups), format!("users: [{}]", users.join(", "))];
        who.retain(|line| !line.ends_with("[]"));
        if self.rulers {
            who.push("roles: [Global Administrator]".to_owned());
        }
        if self.everyone {
            who.push("everyone: true".to_owned());
        }
        let wants = || KEYS.iter().zip(self.wants);
        let said = |((key, _), want): (&(&str, _), Option<&str>)| Some(format!("{key}: {}", want?));
        let mut phones: Vec<String> = wants().take(PHONES).filter_map(said).collect();
        if reversed {
            phones.reverse();
        }
        let mut desired: Vec<String> = wants().skip(PHONES).filter_map(said).collect();
        if !phones.is_empty() {
            desired.insert(0, format!("phones: {{ {} }}", phones.join(", ")));
        }
        let mut keys = vec![
            format!("appliesTo:{}", block(&who, reversed)),
            format!("desired:{}", block(&desired, reversed)),
        ];
        keys.extend(self.registered.map(|one| format!("where: {{ registered: {one} }}")));
        keys.extend(self.reports.then(|| "mode: report".to_owned()));
        keys.extend(self.priority.map(|priority| format!("priority: {priority}")));
        if reversed {
            keys.reverse();
        }
        let mut text = format!("  p{place}:\n");
        keys.iter().for_each(|key| _ = writeln!(text, "    {key}"));
        text
    }
}

impl Invented {
    /// Of everybody: what may be written.
    pub(crate) fn may_be_written(&self) -> impl Iterator<Item = (Uuid, Managed)> + '_ {
        (0..).zip(&self.people).map(move |(place, person)| {
            let never = place < 2 || person.is_left_out();
            let of_them = self.policies.iter().filter(move |policy| {
                !never && !policy.reports && policy.names(place, person, self.pilots_rule)
            });
            (self.id(place), of_them.fold(Managed::default(), Managed::and))
        })
    }

    /// Whether what some policy wants depends on what is registered.
    pub(crate) fn looks_at_methods(&self) -> bool {
        self.policies.iter().any(Policy::looks_at_methods)
    }
}

impl Managed {
    fn and(mut self, policy: &Policy) -> Self {
        let says = |want: Option<&str>, word: &str| want.is_some_and(|want| want.contains(word));
        let [mobile, alternate, office, default, preferred, state] = policy.wants;
        for (phone, want) in self.phones.iter_mut().zip([mobile, alternate, office]) {
            phone.added |= says(want, "from");
            phone.replaced |= says(want, "replace");
            phone.removed |= says(want, "absent");
        }
        self.sms_sign_in |= says(mobile, "smsSignIn");
        let managed = |want: Option<&str>| want.is_some_and(|want| want != "unmanaged");
        self.default |= managed(default);
        self.system_preferred |= managed(preferred);
        self.state |= managed(state);
        self
    }
}

fn block(lines: &[String], reversed: bool) -> String {
    let mut lines: Vec<&String> = lines.iter().collect();
    if reversed {
        lines.reverse();
    }
    lines.into_iter().map(|line| format!("\n      {line}")).collect()
}
