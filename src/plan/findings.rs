//! Turns what was noticed about single users into findings. The same remark about many users becomes
//! one finding that names all of them.
//!
//! Not here: what is worth a finding (`findings::noticed`), or why a change is withheld (`reason`).

pub(super) mod noticed;

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::missing_facts::MissingFact;
use super::{Reason, Withheld};
use crate::finding::{Code, Finding};
use crate::policy::{Mode, PolicySet};
use crate::settings::change::PolicyIndex;
use crate::settings::{Remark, Setting};
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::UnknownReason;

/// What one finding is about. Users with the same subject share a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Said(Remark, Setting, PolicyIndex),
    /// The number is also registered or wanted for another user.
    NumberShared(PolicyIndex),
    /// A mobile phone is withheld, because it could switch on SMS sign-in.
    SmsSignIn(PolicyIndex),
    /// The default method is stronger than the wanted one.
    DefaultKept(PolicyIndex),
    /// Entra asks for the strongest method and not for the default.
    DefaultMoot(PolicyIndex),
    /// Programs that cannot ask for MFA stop working.
    LegacyProtocols,
    Open,
    Stuck,
    /// MFA is required at the admin portals and nowhere else.
    PortalsOnly,
    BreakGlassNoMethod,
    /// The policy raises a state although Conditional Access or security defaults already require MFA.
    DemandedElsewhere(PolicyIndex),
    /// A phone is the only usable method, and nothing is delivered to phones from that day on.
    PhoneOnly(Date),
    Conflict(Setting, PolicyIndex, PolicyIndex),
    /// The wanted value changes once the plan is carried out: the rule that counts now, and the one then.
    Unstable(Setting, Option<PolicyIndex>, PolicyIndex),
    /// Whether the policy applies depends on methods that could not be read.
    MethodsUnread(PolicyIndex),
    /// A fact of the user could not be read, whatever the policies want.
    Unread(MissingFact),
}

/// Everything noticed, by subject.
#[derive(Debug, Default)]
pub(super) struct Noticed(BTreeMap<Subject, Vec<UserIndex>>);

impl Noticed {
    pub(super) fn note(&mut self, subject: Subject, user: UserIndex) {
        self.0.entry(subject).or_default().push(user);
    }

    /// Adds what was noticed about the users after these.
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

    /// Returns what was noticed about one user, as findings that name this user alone.
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

    /// Returns one finding for each subject, ordered by severity and then by code. `read` is the number of
    /// users whose methods were read.
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
            let finding = Finding::new(Code::SmsSignInSideEffect, format!("{who}: registering a mobile phone could switch on SMS sign-in for them ({} in all)", users.len()))
                .help("set `smsSignIn: off` or `on` under `phones.mobile`: with `off`, SMS sign-in is switched off again right after the phone is registered");
            (point(finding, set, policy, Setting::MobilePhone), Some(policy))
        }
        Subject::DefaultKept(policy) => {
            let finding = Finding::new(Code::DefaultKept, format!("{who}: the default method is stronger than the wanted one, so it is kept"))
                .help("write `{ exactly: … }` if the weaker method is intended");
            (point(finding, set, policy, Setting::DefaultMethod), Some(policy))
        }
        Subject::DefaultMoot(policy) => {
            let finding = Finding::new(Code::DefaultMethodMoot, format!("{who}: system-preferred MFA is on, so Entra asks for the strongest method, not for the default"))
                .help("remove `defaultMethod`, or keep it for NPS and AD FS, which still ask for the default");
            (point(finding, set, policy, Setting::DefaultMethod), Some(policy))
        }
        Subject::LegacyProtocols => {
            let count = users.len();
            let accounts = if count == 1 { "account" } else { "accounts" };
            let finding = Finding::new(Code::LegacyProtocols, format!("enforced MFA stops POP, IMAP, SMTP and other protocols that cannot ask for it, for {count} {accounts}"))
                .help("make sure that no device or script signs in with these accounts, or give it an app password");
            (finding, None)
        }
        Subject::Open => (
            Finding::new(Code::UserOpen, format!("{who}: MFA is required, and no method is registered that could answer"))
                .help("the next person with the password can register their own method; put a number into the directory, or have the users register a method with a Temporary Access Pass"),
            None,
        ),
        Subject::Stuck => (
            Finding::new(Code::UserStuck, format!("{who}: MFA is required, and none of the registered methods can answer"))
                .help("register another method for these users, or correct the number"),
            None,
        ),
        Subject::PortalsOnly => (portals_only(&who), None),
        Subject::BreakGlassNoMethod => (
            Finding::new(Code::BreakGlassNoMethod, format!("{who}: a break-glass account without a method that could answer an MFA prompt"))
                .help("register a passkey for the account by hand; mfactl never writes to it"),
            None,
        ),
        Subject::DemandedElsewhere(policy) => (
            point(
                Finding::new(Code::MfaDemandedElsewhere, format!("{who}: Conditional Access or security defaults already require MFA"))
                    .help("per-user MFA only adds a second prompt to keep track of; Microsoft advises against using both"),
                set,
                policy,
                Setting::PerUserMfa,
            ),
            Some(policy),
        ),
        Subject::PhoneOnly(day) => {
            let count = users.len();
            let finding = Finding::new(Code::PhoneOnlyRetirement, format!("{who}: only a phone can answer the MFA prompt ({count} in all), and from {day} on no text or call is delivered to it"))
                .help("have these users register a passkey or Microsoft Authenticator before that day, or set up your own telephony provider");
            (finding, None)
        }
        Subject::Conflict(setting, policy, rival) => {
            let (one, other) = (name(set, policy), name(set, rival));
            let only_reported = reports(set, policy) || reports(set, rival);
            let finding = Finding::new(
                Code::PolicyConflict,
                format!("{who}: `{one}` and `{other}` have the same priority and want different values for {}", setting.name()),
            )
            .help(if only_reported { "give one of them a smaller `priority` before the policy in report mode is enforced" } else { "give one of them a smaller `priority`; until then the setting stays as it is for these users" });
            let mut finding = point(point(finding, set, policy, setting), set, rival, setting);
            // Found in live membership, so it stops this setting of these users and not the plan.
            finding.severity = crate::finding::Severity::Warning;
            (finding, Some(policy))
        }
        Subject::Unstable(setting, now, then) => (unstable(&who, setting, now, then, set), Some(then)),
        Subject::MethodsUnread(policy) => {
            let policy_name = name(set, policy);
            let finding = Finding::new(
                Code::Unreadable,
                format!("{who}: the registered methods could not be read, so it is unknown whether policy `{policy_name}` applies; the settings in this policy stay as they are, even if a policy with a larger priority number wants to change them"),
            )
            .help("check which permission is missing, then plan again");
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

/// Builds the finding about users that get a number which another user also has or gets.
pub(super) fn number_shared(who: &str, read: usize) -> Finding {
    let message = format!(
        "{who}: the number is also registered or wanted for another user (among the {read} users read)"
    );
    Finding::new(Code::NumberShared, message)
        .help("make sure that the users really share the phone, because each can answer the MFA prompt of the other")
}

/// Builds the finding about administrators without any other requirement than Microsoft's own rule or a
/// policy for the portals.
#[must_use]
pub fn portals_only(who: &str) -> Finding {
    let message = format!(
        "{who}: MFA is required at the admin portals only, so a password alone opens mail and files"
    );
    Finding::new(Code::PortalsOnly, message)
        .help("require MFA for them at every sign-in: with per-user MFA, or with a Conditional Access policy for all apps")
}

fn unstable(
    who: &str,
    setting: Setting,
    now: Option<PolicyIndex>,
    then: PolicyIndex,
    set: &PolicySet,
) -> Finding {
    let message = format!(
        "{who}: after this plan is applied, `{}` wants something else for {}",
        name(set, then),
        setting.name()
    );
    let mut finding = Finding::new(Code::PolicyUnstable, message)
        .help("do not let `where.registered` depend on what a policy changes: select these users by group, role or attribute");
    for (policy, text) in [(Some(then), "wanted after the plan"), (now, "wanted now")] {
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
        Some(test) => finding.at(test.origin, "depends on this"),
        None => finding,
    }
}

fn reports(set: &PolicySet, policy: PolicyIndex) -> bool {
    set.policies.get(policy.place()).is_some_and(|policy| policy.mode == Mode::Report)
}

fn said(remark: Remark, setting: Setting, who: &str) -> Finding {
    let help = match remark {
        Remark::NoNumber => {
            "put a number into the directory, or let these users register a method themselves"
        }
        Remark::NumberInvalid(_) | Remark::NotCallable => "correct the number in the directory",
        Remark::RegionUnknown => {
            "set `usageLocation`, write the number with its country code, or set `region` in the policy"
        }
        Remark::RegionsDisagree { .. } => {
            "write the number with its country code, or set in the policy which country counts, such as `region: [country, usageLocation]`"
        }
        Remark::CountryUnread => {
            "write `country` as two letters or by its English name, so that mfactl can compare it with `usageLocation`"
        }
        Remark::NotSmsCapable => {
            "put a mobile number into the directory; nothing is written until then"
        }
        Remark::NumberKept => {
            "find out which number is right; with `ifRegistered: replace`, the directory wins"
        }
        Remark::Unreadable(UnknownReason::NotRecorded) => {
            "nothing is changed there; take a new snapshot with these files"
        }
        Remark::Unreadable(_) => {
            "nothing is changed there; check which permission is missing, then plan again"
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
