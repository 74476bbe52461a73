//! Checks that a promise was kept, by the tenant and the log of its writes, by a plan, or by printed
//! output. The sandbox's judge says how a sign-in ends; it shares nothing
//! with the planner's.
//!
//! Not here: the properties that ask it (`promises`, `breaks`, `undo_promises`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use mfactl::id::UserId;
use mfactl::observed::Observed;
use mfactl::plan::Plan;
use mfactl::posture::{MethodVerdict, Posture};
use mfactl::settings::change::Change;
use mfactl::tenant::facts::Facts;
use mfactl_sandbox::records::{Document, UserRecord};
use mfactl_sandbox::sign_in::{Application, Verdict};
use mfactl_sandbox::{Effect, Store, WriteLogLine};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use uuid::Uuid;

use crate::support::invented::Invented;
use crate::support::shown_numbers::digit_strings;

/// How each user signs in to each application.
type SignIns = BTreeMap<(String, Application), Verdict>;

fn sign_ins(store: &Store) -> SignIns {
    store.users().flat_map(|record| sign_in(store, &record)).collect()
}

/// No user must register, or is blocked, who was not before, after any number of writes.
pub(crate) fn nobody_signs_in_worse(store: &Store) -> TestCaseResult {
    nobody_signs_in_worse_since(store, 0)
}

/// The same after every later write, compared with the state after this many writes.
pub(crate) fn nobody_signs_in_worse_since(store: &Store, first: usize) -> TestCaseResult {
    let mut moment = store.after(first);
    let before = sign_ins(&moment);
    let is_no_worse = |(place, verdict): ((String, Application), Verdict), count: usize| {
        let was = before.get(&place).copied();
        let bad = matches!(verdict, Verdict::MustRegister | Verdict::Blocked);
        prop_assert!(!bad || was == Some(verdict), "{place:?} after {count}: {was:?} → {verdict}");
        Ok(())
    };
    for (count, line) in (first + 1..).zip(&store.writes()[first..]) {
        moment.write(line.clone());
        match touched(line) {
            Some(users) => users
                .into_iter()
                .filter_map(|user| moment.user(&user.to_string()))
                .flat_map(|record| sign_in(&moment, &record))
                .try_for_each(|now| is_no_worse(now, count))?,
            None => sign_ins(&moment).into_iter().try_for_each(|now| is_no_worse(now, count))?,
        }
    }
    let count = store.writes().len();
    sign_ins(&moment).into_iter().try_for_each(|now| is_no_worse(now, count))
}

/// The users whose sign-in a write can change, where it changes what those users have and nothing
/// that others share.
pub(crate) fn touched(line: &WriteLogLine) -> Option<Vec<Uuid>> {
    let own = |effect: &Effect| match effect {
        Effect::Methods { user, .. }
        | Effect::Requirements { user, .. }
        | Effect::SignInPreferences { user, .. } => Some(*user),
        _ => None,
    };
    line.effects.iter().map(own).collect()
}

fn sign_in(store: &Store, record: &UserRecord) -> SignIns {
    let word = |name: &str| record.user[name].as_str().expect("a word").to_owned();
    let at = |application| store.judge_at(&word("id"), application, store.today());
    let judged = Application::ALL.into_iter().filter_map(|one| Some((one, at(one)?)));
    judged.map(|(one, verdict)| ((word("userPrincipalName"), one), verdict)).collect()
}

/// Each user with the posture, and whether they could answer an MFA prompt, required or not.
fn standing(observed: &Observed) -> BTreeMap<UserId, (Posture, MethodVerdict)> {
    let judge = observed.basis.judge();
    let users = observed.scope.users().map(|index| (index, observed.directory.user(index)));
    users
        .map(|(index, user)| {
            let facts = observed.facts(index);
            let stands = (judge.posture(index, &facts), judge.answer(index, &facts));
            (user.expect("a user").id, stands)
        })
        .collect()
}

/// No user is open or stuck who was not before, and users who could answer an MFA prompt still can.
fn is_no_worse(before: (Posture, MethodVerdict), now: (Posture, MethodVerdict)) -> bool {
    let bad = matches!(now.0, Posture::Open | Posture::Stuck) && now.0 != before.0;
    let lost = before.1 == MethodVerdict::Can && now.1 != MethodVerdict::Can;
    !bad && !lost
}

pub(crate) fn nobody_stands_worse(before: &Observed, now: &Observed) -> TestCaseResult {
    let before = standing(before);
    for (user, now) in standing(now) {
        let was = before[&user];
        prop_assert!(is_no_worse(was, now), "{user:?}: {was:?} → {now:?}");
    }
    Ok(())
}

/// No user is open or stuck who was not before. An undo may remove a method that nothing asks for.
pub(crate) fn nobody_is_in_new_trouble(before: &Observed, now: &Observed) -> TestCaseResult {
    let before = standing(before);
    for (user, (now, _)) in standing(now) {
        let (was, _) = before[&user];
        let bad = matches!(now, Posture::Open | Posture::Stuck) && now != was;
        prop_assert!(!bad, "{user:?}: {was:?} → {now:?}");
    }
    Ok(())
}

/// After every step of the plan, on what the service then shows.
pub(crate) fn nobody_stands_worse_on_the_way(plan: &Plan) -> TestCaseResult {
    let judge = plan.basis.judge();
    let stands = |index, facts: &Facts| (judge.posture(index, facts), judge.answer(index, facts));
    for user in &plan.users {
        let before = stands(user.user, &user.facts);
        let mut facts = user.facts;
        for change in plan.changes_of(user) {
            facts = change.applied_to(facts);
            let now = stands(user.user, &facts);
            prop_assert!(is_no_worse(before, now), "{before:?} → {now:?} by {change:?}");
        }
    }
    Ok(())
}

/// In the order in which they are written: nothing is in the way of what comes after.
pub(crate) fn steps_are_in_order(plan: &Plan) -> TestCaseResult {
    for user in &plan.users {
        let stages: Vec<_> = plan.changes_of(user).iter().map(Change::stage).collect();
        prop_assert!(stages.is_sorted(), "{stages:?}");
    }
    let withheld = plan.withheld.iter().map(|one| (one.user, one.setting));
    for (user, setting) in withheld {
        let both = |change: &&Change| change.user == user && change.setting == setting;
        prop_assert_eq!(plan.changes.iter().find(both), None, "withheld, and a change");
    }
    Ok(())
}

pub(crate) fn nothing_is_written_twice(store: &Store) -> TestCaseResult {
    let lines: Vec<String> = store
        .writes()
        .iter()
        .map(|line| format!("{} {} {}", line.method, line.path, line.body))
        .collect();
    let apart: BTreeSet<&String> = lines.iter().collect();
    prop_assert_eq!(apart.len(), lines.len(), "{:#?}", lines);
    Ok(())
}

fn documents(store: &Store) -> BTreeMap<Uuid, UserRecord> {
    let users = store.users().map(Cow::into_owned);
    users
        .map(|one| (one.user["id"].as_str().and_then(|id| id.parse().ok()).expect("an id"), one))
        .collect()
}

const PHONES: [&str; 3] = ["mobile", "alternateMobile", "office"];

/// The phone of a type, and everything else that is registered.
fn phone<'r>(user: &'r UserRecord, kind: &str) -> Option<&'r Document> {
    user.methods.iter().find(|method| method.get("phoneType").is_some_and(|one| one == kind))
}

fn no_phones(user: &UserRecord) -> Vec<&Document> {
    user.methods.iter().filter(|method| !method.contains_key("phoneType")).collect()
}

/// Whether the user signs in by text.
fn by_text(user: &UserRecord) -> bool {
    phone(user, "mobile").is_some_and(|phone| phone["smsSignInState"] == "ready")
}

/// What no policy names stays, and so does what no policy mentions.
pub(crate) fn only_what_is_managed_was_written(case: &Invented, store: &Store) -> TestCaseResult {
    let (before, after) = (documents(&store.after(0)), documents(store));
    for (user, managed) in case.may_be_written() {
        let (before, after) = (&before[&user], &after[&user]);
        prop_assert_eq!(&before.user, &after.user);
        prop_assert_eq!(no_phones(before), no_phones(after));
        let texts = managed.sms_sign_in || managed.phones[0].removed;
        prop_assert!(texts || by_text(before) == by_text(after), "{user}: signing in by text");
        for (kind, may) in PHONES.into_iter().zip(managed.phones) {
            let number = |user| phone(user, kind).map(|phone| phone["phoneNumber"].clone());
            let fine = match (number(before), number(after)) {
                (None, None) => true,
                (None, Some(_)) => may.added,
                (Some(_), None) => may.removed,
                (Some(before), Some(after)) => before == after || may.replaced,
            };
            prop_assert!(fine, "{user}: {kind}");
        }
        let prefers = |user: &UserRecord, name: &str| user.sign_in_preferences.get(name).cloned();
        for (name, may) in [(DEFAULT, managed.default), (PREFERRED, managed.system_preferred)] {
            prop_assert!(may || prefers(before, name) == prefers(after, name), "{user}: {name}");
        }
        prop_assert!(managed.state || before.requirements == after.requirements, "{user}: state");
    }
    Ok(())
}

const DEFAULT: &str = "userPreferredMethodForSecondaryAuthentication";
const PREFERRED: &str = "isSystemPreferredAuthenticationMethodEnabled";

pub(crate) fn shows_no_number(text: &str, numbers: &BTreeSet<String>) -> TestCaseResult {
    for digits in digit_strings(text) {
        let shown = numbers.iter().find(|number| digits.contains(number.as_str()));
        prop_assert_eq!(shown, None, "in {}", digits);
    }
    Ok(())
}
