//! What was noticed about single users, folded into findings: what concerns many alike is said
//! once, with all of them named.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::unread::Missing;
use super::{Reason, Withheld};
use crate::finding::{Code, Finding};
use crate::policy::{Mode, PolicySet};
use crate::settings::change::PolicyIndex;
use crate::settings::{Remark, Setting};
use crate::tenant::directory::{Directory, UserIndex};

/// A remark with the policy and setting it belongs to; the unit of folding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Said(Remark, Setting, PolicyIndex),
    /// The number is registered for, or wanted for, somebody else too.
    NumberShared(PolicyIndex),
    /// A mobile phone is withheld, because it could let them sign in by text.
    SmsSignIn(PolicyIndex),
    /// They have a stronger one than is wanted.
    DefaultKept(PolicyIndex),
    /// Entra asks them for the strongest method whatever the default is.
    DefaultMoot(PolicyIndex),
    /// Their programs that cannot ask for MFA stop working.
    LegacyProtocols,
    Open,
    Stuck,
    /// MFA is demanded of them at the admin portals and nowhere else.
    PortalsOnly,
    BreakGlassNoMethod,
    /// Conditional Access or security defaults demand MFA already of those the policy raises.
    DemandedElsewhere(PolicyIndex),
    /// Nothing but a phone answers for them, and from that day on it will not.
    PhoneOnly(Date),
    Conflict(Setting, PolicyIndex, PolicyIndex),
    /// Something else is wanted once the plan is carried out: the rule of now, and that of then.
    Unstable(Setting, Option<PolicyIndex>, PolicyIndex),
    /// Whether the policy applies hangs on methods that could not be read.
    MethodsUnread(PolicyIndex),
    /// It could not be read how they stand, whatever is wanted of them.
    Unread(Missing),
}

/// Everything noticed, by subject.
#[derive(Debug, Default)]
pub(super) struct Noticed(BTreeMap<Subject, Vec<UserIndex>>);

impl Noticed {
    pub(super) fn note(&mut self, subject: Subject, user: UserIndex) {
        self.0.entry(subject).or_default().push(user);
    }

    /// What was noticed about users who come after these.
    pub(super) fn append(&mut self, after: Self) {
        for (subject, mut users) in after.0 {
            self.0.entry(subject).or_default().append(&mut users);
        }
    }

    pub(super) fn note_withheld(&mut self, withheld: &Withheld) {
        let subject = match withheld.reason {
            Reason::Conflict(rival) => Subject::Conflict(withheld.setting, withheld.policy, rival),
            Reason::SmsSignIn => Subject::SmsSignIn(withheld.policy),
            _ => return,
        };
        self.note(subject, withheld.user);
    }

    /// What was noticed about one user, said of that user alone.
    pub(super) fn of(
        &self,
        user: UserIndex,
        set: &PolicySet,
        (directory, read): (&Directory, usize),
    ) -> Vec<Finding> {
        let concerning = self.0.iter().filter(|(_, users)| users.contains(&user));
        let mut findings: Vec<Finding> = concerning
            .map(|(subject, _)| finding(*subject, &[user], set, (directory, read)))
            .collect();
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        findings
    }

    /// One finding a subject, worst first, then by code; of so many people the methods were read.
    pub(super) fn into_findings(
        self,
        set: &PolicySet,
        (directory, read): (&Directory, usize),
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .0
            .into_iter()
            .map(|(subject, users)| finding(subject, &users, set, (directory, read)))
            .collect();
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        findings
    }
}

fn finding(
    subject: Subject,
    users: &[UserIndex],
    set: &PolicySet,
    (directory, read): (&Directory, usize),
) -> Finding {
    let who = directory.in_words(users);
    let (mut finding, policy) = match subject {
        Subject::Said(remark, setting, policy) => {
            let finding = said(remark, setting, &who);
            (point(finding, set, policy, setting), Some(policy))
        }
        Subject::NumberShared(policy) => (number_shared(&who, read), Some(policy)),
        Subject::SmsSignIn(policy) => {
            let finding = Finding::new(Code::SmsSignInSideEffect, format!("{who}: registering a mobile phone could switch SMS sign-in on for them ({} in all)", users.len()))
                .help("say `smsSignIn: off` or `on` under `phones.mobile`: with `off` it is switched off again right after the phone is registered");
            (point(finding, set, policy, Setting::MobilePhone), Some(policy))
        }
        Subject::DefaultKept(policy) => {
            let finding = Finding::new(Code::DefaultKept, format!("{who}: the default method is stronger than the one that is wanted, and is kept"))
                .help("write `{ exactly: … }` where the weaker one is meant");
            (point(finding, set, policy, Setting::DefaultMethod), Some(policy))
        }
        Subject::DefaultMoot(policy) => {
            let finding = Finding::new(Code::DefaultMethodMoot, format!("{who}: system-preferred MFA is on, so Entra asks for the strongest method whatever the default is"))
                .help("leave `defaultMethod` out, or keep it for NPS and AD FS, which still ask for the default");
            (point(finding, set, policy, Setting::DefaultMethod), Some(policy))
        }
        Subject::LegacyProtocols => {
            let count = users.len();
            let accounts = if count == 1 { "account" } else { "accounts" };
            let finding = Finding::new(Code::LegacyProtocols, format!("enforced MFA ends POP, IMAP, SMTP and other protocols that cannot ask for it, for {count} {accounts}"))
                .help("make sure that no device or script signs in as them, or give it an app password");
            (finding, None)
        }
        Subject::Open => (
            Finding::new(Code::UserOpen, format!("{who}: MFA is demanded and nothing is registered that could answer"))
                .help("whoever has the password can register first; put a number into the directory, or have them register a method with a temporary access pass"),
            None,
        ),
        Subject::Stuck => (
            Finding::new(Code::UserStuck, format!("{who}: MFA is demanded and nothing that is registered can answer"))
                .help("register another method for them, or correct the number"),
            None,
        ),
        Subject::PortalsOnly => (portals_only(&who), None),
        Subject::BreakGlassNoMethod => (
            Finding::new(Code::BreakGlassNoMethod, format!("{who}: a break-glass account that could not answer a demand for MFA"))
                .help("register a passkey for it by hand; mfactl never writes to it"),
            None,
        ),
        Subject::DemandedElsewhere(policy) => (
            point(
                Finding::new(Code::MfaDemandedElsewhere, format!("{who}: Conditional Access or security defaults demand MFA already"))
                    .help("per-user MFA beside them only adds a second prompt to keep track of; Microsoft advises against using both"),
                set,
                policy,
                Setting::PerUserMfa,
            ),
            Some(policy),
        ),
        Subject::PhoneOnly(day) => {
            let count = users.len();
            let finding = Finding::new(Code::PhoneOnlyRetirement, format!("{who}: only a phone answers for them ({count} in all), and from {day} on nothing is delivered to it"))
                .help("have them register a passkey or the Authenticator before that day, or set up a telephony provider of your own");
            (finding, None)
        }
        Subject::Conflict(setting, policy, rival) => {
            let (one, other) = (name(set, policy), name(set, rival));
            let only_reported = reports(set, policy) || reports(set, rival);
            let finding = Finding::new(
                Code::PolicyConflict,
                format!("{who}: `{one}` and `{other}` have one priority and want different things of {}", setting.name()),
            )
            .help(if only_reported { "give one of them a smaller `priority` before the one in report mode is enforced" } else { "give one of them a smaller `priority`; until then the setting is left alone for these users" });
            let mut finding = point(point(finding, set, policy, setting), set, rival, setting);
            // Found in live membership: it stops these users' setting, not the plan.
            finding.severity = crate::finding::Severity::Warning;
            (finding, Some(policy))
        }
        Subject::Unstable(setting, now, then) => (unstable(&who, setting, now, then, set), Some(then)),
        Subject::MethodsUnread(policy) => {
            let policy_name = name(set, policy);
            let finding = Finding::new(
                Code::Unreadable,
                format!("{who}: the registered methods could not be read, so policy `{policy_name}` is taken not to apply"),
            )
            .help("see which permission is missing and plan again");
            (at_registered(finding, set, policy), Some(policy))
        }
        Subject::Unread(missing) => (missing.finding(users, directory, "plan"), None),
    };
    finding.users =
        users.iter().filter_map(|index| directory.user(*index)).map(|user| user.id).collect();
    if let Some(policy) = policy {
        finding.policy = Some(name(set, policy));
    }
    finding
}

/// Said of those to whom the number is added.
pub(super) fn number_shared(who: &str, read: usize) -> Finding {
    let message = format!(
        "{who}: the number is registered or wanted for somebody else too, of {read} people read"
    );
    Finding::new(Code::NumberShared, message)
        .help("make sure that they really share the phone; either could answer for the other")
}

/// Said of administrators of whom nothing but Microsoft's own rule, or a policy for the portals,
/// demands MFA.
#[must_use]
pub fn portals_only(who: &str) -> Finding {
    let message = format!(
        "{who}: MFA is demanded at the admin portals only, and a password opens mail and files"
    );
    Finding::new(Code::PortalsOnly, message)
        .help("demand MFA of them at every sign-in: by per-user MFA, or by a Conditional Access policy for all apps")
}

fn unstable(
    who: &str,
    setting: Setting,
    now: Option<PolicyIndex>,
    then: PolicyIndex,
    set: &PolicySet,
) -> Finding {
    let message = format!(
        "{who}: once this plan is applied, `{}` wants something else of {}",
        name(set, then),
        setting.name()
    );
    let mut finding = Finding::new(Code::PolicyUnstable, message)
        .help("let no `where.registered` hang on what a policy does: select these users by group, role or attribute");
    for (policy, text) in [(Some(then), "wanted then"), (now, "wanted now")] {
        let origin =
            policy.and_then(|policy| set.policies.get(policy.place())?.rules.origin(setting));
        if let Some(origin) = origin {
            finding = finding.at(origin, text);
        }
    }
    let mut tests: Vec<PolicyIndex> = now.into_iter().chain([then]).collect();
    tests.dedup();
    tests.into_iter().fold(finding, |finding, policy| at_registered(finding, set, policy))
}

fn at_registered(finding: Finding, set: &PolicySet, policy: PolicyIndex) -> Finding {
    match set.policies.get(policy.place()).and_then(|policy| policy.only.registered) {
        Some(test) => finding.at(test.origin, "hangs on this"),
        None => finding,
    }
}

fn reports(set: &PolicySet, policy: PolicyIndex) -> bool {
    set.policies.get(policy.place()).is_some_and(|policy| policy.mode == Mode::Report)
}

fn said(remark: Remark, setting: Setting, who: &str) -> Finding {
    let help = match remark {
        Remark::NoNumber => "put one there, or leave these users to register a method themselves",
        Remark::NumberInvalid(_) | Remark::NotCallable => "correct it in the directory",
        Remark::RegionUnknown => {
            "set `usageLocation`, write the number with its country code, or say `region` in the policy"
        }
        Remark::RegionsDisagree { .. } => {
            "write the number with its country code, or say in the policy which counts, such as `region: [country, usageLocation]`"
        }
        Remark::CountryUnread => {
            "write `country` as two letters or by its English name, so that it is held against `usageLocation`"
        }
        Remark::NotSmsCapable => {
            "put a mobile number into the directory; nothing is written until then"
        }
        Remark::NumberKept => {
            "find out which one is right; `ifRegistered: replace` lets the directory win"
        }
        Remark::Unreadable(_) => {
            "nothing is changed there; see which permission is missing and plan again"
        }
    };
    Finding::new(remark.code(), format!("{who}: {}", remark.about(setting))).help(help)
}

fn name(set: &PolicySet, policy: PolicyIndex) -> String {
    set.policies.get(policy.place()).map_or_else(|| "?".to_owned(), |policy| policy.name.clone())
}

fn point(finding: Finding, set: &PolicySet, policy: PolicyIndex, setting: Setting) -> Finding {
    match set.policies.get(policy.place()).and_then(|policy| policy.rules.origin(setting)) {
        Some(origin) => finding.at(origin, "wanted here"),
        None => finding,
    }
}
