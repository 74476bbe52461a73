//! Plans, reviews and reports with a pseudonym for each user, in the order of the pseudonyms: the order of
//! names would show which pseudonym belongs to which name.
//!
//! Not here: outputs without single users (`counts`), or the words for one user (`disclose`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::disclose::{Discloser, Disclosure};
use crate::finding::Finding;
use crate::id::UserId;
use crate::plan::difference::Delta;
use crate::plan::review::{Comparison, Review};
use crate::plan::{Plan, UserPlan};
use crate::report::PostureReport;
use crate::settings::change::Change;
use crate::tenant::directory::{Directory, User, UserIndex};
use crate::untrusted::Untrusted;

/// Returns the plan and the review as they are, or with pseudonyms if those are shown.
#[must_use]
pub fn shown<'a>(
    plan: &'a Plan,
    review: Option<&'a Review>,
    disclose: &Discloser,
) -> (Cow<'a, Plan>, Option<Cow<'a, Review>>) {
    match disclose.level() {
        Disclosure::Names | Disclosure::Counts => (Cow::Borrowed(plan), review.map(Cow::Borrowed)),
        Disclosure::Pseudonyms => {
            let review = review.map(|one| self::review(one, plan, disclose));
            (Cow::Owned(self::plan(plan, disclose)), review.map(Cow::Owned))
        }
    }
}

/// Returns the plan with pseudonyms.
#[must_use]
pub fn plan(plan: &Plan, disclose: &Discloser) -> Plan {
    let known = known(&plan.directory, disclose);
    let directory = renamed(&plan.directory, disclose);
    let mut users: Vec<&UserPlan> = plan.users.iter().collect();
    users.sort_by_key(|user| directory.name(user.user));
    let mut changes: Vec<Change> = Vec::with_capacity(plan.changes.len());
    let users = users.into_iter().map(|user| {
        let begin = changes.len();
        changes.extend_from_slice(plan.changes_of(user));
        UserPlan { changes: begin..changes.len(), ..user.clone() }
    });
    let users = users.collect();
    let mut shown = Plan { users, changes, ..plan.clone() };
    let order = |user: UserIndex| directory.name(user);
    shown.withheld.sort_by_key(|one| order(one.user));
    shown.reported.sort_by_key(|one| order(one.user));
    shown.reported_withheld.sort_by_key(|one| order(one.user));
    shown.objects.iter_mut().for_each(|one| one.affected.sort_by_key(|user| order(user.user)));
    shown.findings = findings(&plan.findings, &plan.directory, &known);
    shown.directory = directory.into();
    shown
}

/// Returns the review with pseudonyms. The plan gives the names.
#[must_use]
pub fn review(review: &Review, plan: &Plan, disclose: &Discloser) -> Review {
    let known = known(&plan.directory, disclose);
    let mut shown = review.clone();
    if let Err(not) = &mut shown.result {
        not.why = known.text(&not.why).into_owned();
    }
    if let Ok(comparison) = &mut shown.result {
        let name = |user| Some(&plan.directory.user(plan.directory.find(user)?)?.name);
        rename(comparison, name, &known);
    }
    shown
}

/// Gives the comparison of two plans from files pseudonyms. `names` has the names of its users.
pub fn comparison(
    comparison: &mut Comparison,
    names: &BTreeMap<UserId, Untrusted>,
    disclose: &Discloser,
) {
    let known = disclose.knowing(names.iter().map(|(id, name)| (name, *id)));
    rename(comparison, |user| names.get(&user), &known);
}

fn rename<'a>(
    comparison: &mut Comparison,
    name: impl Fn(UserId) -> Option<&'a Untrusted>,
    known: &Discloser,
) {
    for one in &mut comparison.loosenings {
        one.message = known.text(&one.message).into_owned();
    }
    let difference = &mut comparison.difference;
    each(&mut difference.users, |id, user| user.name = known.id(id).into());
    each(&mut difference.governed, |id, user| user.name = known.id(id).into());
    let renamed = difference.findings.iter().map(|(finding, delta)| {
        let mut finding = finding.clone();
        let users: Vec<UserId> = finding.users.iter().copied().collect();
        let said = (finding.message.as_str(), finding.code.about());
        finding.message = hidden(said, &users, &name, known);
        finding.help = finding.help.map(|help| known.text(&help).into_owned());
        (finding, delta.clone())
    });
    difference.findings = renamed.collect();
}

/// Returns the report with pseudonyms.
#[must_use]
pub fn report(mut report: PostureReport, disclose: &Discloser) -> PostureReport {
    let known = known(&report.directory, disclose);
    let directory = renamed(&report.directory, disclose);
    report.findings = findings(&report.findings, &report.directory, &known);
    let order = |user: UserIndex| directory.name(user);
    report.people.sort_by_key(|one| order(one.user));
    report.break_glass.accounts.sort_by_key(|one| order(one.user));
    report.shared.iter_mut().for_each(|one| one.users.sort_by_key(|user| order(*user)));
    report.directory = directory.into();
    report
}

fn known(directory: &Directory, disclose: &Discloser) -> Discloser {
    disclose.knowing(directory.users().map(|(_, user)| (&user.name, user.id)))
}

fn renamed(directory: &Directory, disclose: &Discloser) -> Directory {
    directory.renamed(|user: &User| disclose.id(user.id).into())
}

fn findings(findings: &[Finding], directory: &Directory, known: &Discloser) -> Vec<Finding> {
    let one = |finding: &Finding| {
        let mut shown = finding.clone();
        let said = (finding.message.as_str(), finding.code.about());
        let name = |user| Some(&directory.user(directory.find(user)?)?.name);
        shown.message = hidden(said, &finding.users, name, known);
        shown.help = finding.help.as_ref().map(|help| known.text(help).into_owned());
        shown.users.sort_by_key(|user| known.id(*user));
        shown
    };
    findings.iter().map(one).collect()
}

/// Replaces the name of the user, whatever characters it consists of, and then every other name. A message
/// about several users names the first ones in the order of names, so it becomes the general sentence.
fn hidden<'a>(
    (message, about): (&str, &str),
    users: &[UserId],
    name: impl Fn(UserId) -> Option<&'a Untrusted>,
    known: &Discloser,
) -> String {
    let user = match users {
        [] => None,
        [user] => match name(*user) {
            Some(name) => Some((*user, name.label())),
            None => return format!("{about} ({})", known.id(*user)),
        },
        several => return format!("{about} ({} users)", several.len()),
    };
    let label = user.filter(|(_, label)| !label.is_empty());
    match label {
        Some((id, label)) => known.text(&message.replace(&*label, &known.id(id))).into_owned(),
        None => known.text(message).into_owned(),
    }
}

fn each<T>(deltas: &mut BTreeMap<UserId, Delta<T>>, mut change: impl FnMut(UserId, &mut T)) {
    for (id, delta) in deltas {
        match delta {
            Delta::Added(one) | Delta::Removed(one) => change(*id, one),
            Delta::Altered(one, other) => {
                change(*id, one);
                change(*id, other);
            }
        }
    }
}

/// The names of users as they may be shown.
#[must_use]
pub fn names(users: &[(UserId, &Untrusted)], disclose: &Discloser) -> Vec<Untrusted> {
    let mut names: Vec<Untrusted> =
        users.iter().map(|(id, name)| disclose.user(name, *id).into_owned()).collect();
    if !disclose.shows_names() {
        names.sort();
    }
    names
}
