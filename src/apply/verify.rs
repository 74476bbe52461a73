//! Checks that the basis of a plan, and the facts of each user in it, still hold.
//!
//! Not here: whether the policies still want the changes (`plan::recheck`).

use std::fmt;

use super::own_writes::OwnWrites;
use crate::age::WrongAge;
use crate::id::{TenantId, UserId};
use crate::observed::TenantBasis;
use crate::plan::approval::ChangedBasis;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::guard::guard;
use crate::plan::recheck::ChangedSincePlan;
use crate::plan::review::NotCompared;
use crate::plan::reviewed_difference::NotReviewed;
use crate::plan::{Difference, Plan, UserPlan};
use crate::settings::change::Change;
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::{Facts, Methods, Read};
use crate::untrusted::label;

/// A plan whose tenant-wide basis was read again and is unchanged: the only kind of plan that can be
/// run.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedPlan<'a> {
    pub(super) plan: &'a Plan,
    /// The basis that was just read, with today's date.
    pub(super) now: &'a TenantBasis,
}

/// Reason for refusing a whole plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    OtherTenant {
        planned: TenantId,
        reached: TenantId,
    },
    OtherCloud {
        planned: String,
        reached: String,
    },
    /// The policy files mean something else than when the plan was made: at least one difference.
    Files(Vec<Difference>),
    /// The plan has a format whose fingerprint does not cover everything that it shows.
    OldFormat(u32),
    /// The plan is too old, or from the future.
    Age(WrongAge),
    /// The content of the plan does not match its fingerprint.
    Fingerprint,
    /// The plan is not the approved one.
    NotApproved {
        approved: Fingerprint,
        is: Fingerprint,
    },
    /// The approval is bound to something that has changed.
    ApprovalBasis(ChangedBasis),
    /// Planned changes of users or objects that were not approved, in a strict run.
    NotAllApproved(usize),
    /// The change of the files is not the reviewed one.
    NotReviewed(NotReviewed),
    /// The change of the files cannot be compared with its base.
    NotCompared(NotCompared),
    MethodPolicy,
    Demand,
    /// Something that was read for the plan cannot be read now.
    Unread(&'static str),
    Delivery,
    BreakGlass,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherTenant { planned, reached } => {
                write!(f, "the plan was made for tenant `{planned}`, but this is `{reached}`")
            }
            Self::OtherCloud { planned, reached } => {
                write!(f, "the plan was made for cloud `{}`, but this is `{reached}`", label(planned))
            }
            Self::Files(differences) => files(differences, f),
            Self::OldFormat(format) => write!(
                f,
                "the plan has format {format}, whose fingerprint does not cover everything it shows"
            ),
            Self::Age(wrong) => f.write_str(&wrong.about("the plan")),
            Self::Fingerprint => f.write_str(
                "the plan file was edited, or `MFACTL_FINGERPRINT_KEY` is not the key it was made with",
            ),
            Self::NotApproved { approved, is } => {
                write!(f, "the approved plan is {approved}, but this plan is {is}")
            }
            Self::ApprovalBasis(changed) => changed.fmt(f),
            Self::NotAllApproved(1) => f.write_str("a planned change was not approved"),
            Self::NotAllApproved(count) => write!(f, "{count} planned changes were not approved"),
            Self::NotReviewed(why) => why.fmt(f),
            Self::NotCompared(why) => {
                write!(f, "the change of the files cannot be compared: {}", why.why)
            }
            Self::MethodPolicy => {
                f.write_str("the tenant's authentication methods policy has changed since the plan")
            }
            Self::Demand => f.write_str(
                "the rules that require MFA, or the users that they apply to, have changed since the plan",
            ),
            Self::Unread(what) => {
                write!(f, "{what} could be read for the plan but cannot be read now")
            }
            Self::Delivery => f.write_str(
                "the dates until which texts and voice calls are delivered have changed since the plan",
            ),
            Self::BreakGlass => {
                f.write_str("the set of break-glass accounts has changed since the plan")
            }
        }
    }
}

/// Maximum number of file differences that are named one by one.
const MOST_NAMED: usize = 3;

fn files(differences: &[Difference], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (place, difference) in differences.iter().take(MOST_NAMED).enumerate() {
        f.write_str(if place == 0 { "" } else { "; " })?;
        write!(f, "{difference}")?;
    }
    match differences.len().saturating_sub(MOST_NAMED) {
        0 => Ok(()),
        more => write!(f, "; and {more} more"),
    }
}

/// Compares the plan with the tenant that was reached and with the tenant's current basis.
///
/// # Errors
/// The first difference.
pub fn hold<'a>(
    plan: &'a Plan,
    reached: TenantId,
    now: &'a TenantBasis,
) -> Result<VerifiedPlan<'a>, Refusal> {
    if plan.identity.id != reached {
        return Err(Refusal::OtherTenant { planned: plan.identity.id, reached });
    }
    // Only users that the plan changes matter: a difference for other users is no reason to refuse it.
    let changed = plan.changed_users();
    let (policy, policy_now) =
        (plan.basis.method_policy.only(&changed), now.method_policy.only(&changed));
    if policy.knows_more_than(&policy_now) {
        return Err(Refusal::Unread(
            "the tenant's authentication methods policy, or one of its groups,",
        ));
    }
    if policy != policy_now {
        return Err(Refusal::MethodPolicy);
    }
    let (demand, demand_now) = (plan.basis.demand.only(&changed), now.demand.only(&changed));
    if demand.knows_more_than(&demand_now) {
        return Err(Refusal::Unread(
            "the rules that require MFA, or the users that they apply to,",
        ));
    }
    if demand != demand_now {
        return Err(Refusal::Demand);
    }
    if plan.basis.delivery != now.delivery {
        return Err(Refusal::Delivery);
    }
    if plan.basis.break_glass != now.break_glass {
        return Err(Refusal::BreakGlass);
    }
    Ok(VerifiedPlan { plan, now })
}

/// State of a user just before the plan is carried out for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UserRecheck {
    /// The facts are those of the plan, and every step is still safe with the facts just read.
    AsPlanned,
    /// An earlier run of the same plan did these changes. The other settings are as planned, and their
    /// changes are still safe.
    Begun(Vec<Change>),
    Moved(ChangedSincePlan),
}

/// Compares a user of the plan with the facts that were just read.
#[must_use]
pub(super) fn standing(
    verified: VerifiedPlan<'_>,
    user: &UserPlan,
    id: UserId,
    now: &Facts,
    own: &OwnWrites,
) -> UserRecheck {
    let steps = verified.plan.changes_of(user);
    let is_safe =
        |steps: &[Change]| guard(&verified.now.judge(), user.user, now, steps).steps == steps;
    if user.facts == *now {
        let is_safe = is_safe(steps);
        return if is_safe {
            UserRecheck::AsPlanned
        } else {
            UserRecheck::Moved(ChangedSincePlan::Unsafe)
        };
    }
    let (planned, observed) = (Values::observed(&user.facts), Values::observed(now));
    let forgotten =
        |setting: Setting| observed.get(setting).is_unknown() && !planned.get(setting).is_unknown();
    if Setting::ALL.into_iter().any(forgotten) {
        return UserRecheck::Moved(ChangedSincePlan::Unreadable);
    }
    let is_done = |change: &&Change| {
        let value = observed.get(change.setting);
        let is_missing = value == Value::Nothing && change.after != Value::Nothing;
        own.run(id, change.setting).is_some() && !is_missing && value.meets(change.after)
    };
    let (done, left): (Vec<Change>, Vec<Change>) =
        steps.iter().copied().partition(|change| is_done(&change));
    let writes_number = done.iter().any(|change| change.setting == Setting::MobilePhone);
    let is_at = |change: &Change| {
        let follows = change.setting == Setting::SmsSignIn && writes_number;
        follows || observed.get(change.setting) == change.before
    };
    let goes_on = left.is_empty()
        || left.iter().all(is_at) && is_as_left(&user.facts, now, &done) && is_safe(&left);
    match () {
        () if !done.is_empty() && goes_on => UserRecheck::Begun(done),
        () if own.wrote_to(id) => UserRecheck::Moved(ChangedSincePlan::OwnRun),
        () if knows_only_more(&user.facts, now) => UserRecheck::Moved(ChangedSincePlan::ReadNow),
        () => UserRecheck::Moved(ChangedSincePlan::Facts),
    }
}

/// Returns whether the user is in the state that these changes produce. What the service does by itself
/// after a phone is registered, such as turning on SMS sign-in or making the phone the default method,
/// does not count as a change by others.
fn is_as_left(planned: &Facts, now: &Facts, done: &[Change]) -> bool {
    let mut left = done.iter().fold(*planned, |facts, change| change.applied_to(facts));
    if done.iter().any(|change| change.setting.phone().is_some()) {
        left.default_method = now.default_method;
        if let Read::Known(Methods { sms_sign_in, .. }) = now.methods {
            left.methods = left.methods.map(|methods| Methods { sms_sign_in, ..methods });
        }
    }
    let state = |facts: &Facts| Values::observed(facts).get(Setting::PerUserMfa);
    if state(now).meets(state(&left)) {
        left.state = now.state;
    }
    if let (Read::Unknown(_), Read::Unknown(_)) = (left.methods, now.methods) {
        left.methods = now.methods;
    }
    // Every other fact must be the same, whatever setting it belongs to.
    left == *now
}

/// Returns whether the only difference is that something unknown before is known now.
fn knows_only_more(planned: &Facts, now: &Facts) -> bool {
    planned != now && planned.or(*now) == *now
}
