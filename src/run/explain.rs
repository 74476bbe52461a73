//! Explains one user: observes the tenant with this user, plans, and lists the requests.
//!
//! Not here: the explanation itself (`explain`).

use jiff::Timestamp;

use super::fault::RunFault;
use super::observe::{self, ObservedWith};
use super::plan::without_contradiction;
use super::review::{Base, same_tenant, unresolved};
use super::session::Session;
use crate::entra;
use crate::entra::tenant_rules::SafetyRule;
use crate::explain::{self, Call, Explanation, Reading, UserDifference, UserReview};
use crate::finding::quoted;
use crate::policy::{PolicySet, UserRef};
use crate::tenant::lookup::UserFact;
use crate::untrusted::Untrusted;

/// Explains one user, who may be in no policy.
///
/// # Errors
/// A read failed, names do not fit the tenant, policies contradict themselves, or there is no such user.
pub async fn explain(
    session: &Session,
    policies: &PolicySet,
    user: &UserRef,
) -> Result<Explanation, RunFault> {
    let since = since(session);
    let seen = observe::for_policies_and_user(session, policies, user).await?;
    explained(policies, user, seen, since)
}

/// Explains one user, and returns what was observed as well.
///
/// # Errors
/// Those of [`explain()`].
pub async fn explain_observed(
    session: &Session,
    policies: &PolicySet,
    user: &UserRef,
) -> Result<(Explanation, ObservedWith), RunFault> {
    let since = since(session);
    let seen = observe::for_policies_and_user(session, policies, user).await?;
    let explanation = explained(policies, user, seen.clone(), since)?;
    Ok((explanation, seen))
}

/// Explains one user, and what a change of the files does for this user. The tenant is read once.
///
/// # Errors
/// Those of [`explain()`], for the files of the head.
pub async fn explain_against(
    session: &Session,
    base: Base,
    head: &PolicySet,
    user: &UserRef,
) -> Result<(Explanation, UserReview), RunFault> {
    let Base { name: against, policies } = base;
    let base = match policies.and_then(|base| same_tenant(base, head)) {
        Ok(base) => base,
        Err(why) => {
            let explanation = explain(session, head, user).await?;
            return Ok((explanation, UserReview { against, result: Err(why) }));
        }
    };
    let since = since(session);
    let (seen, of_base) = observe::for_two_and_user(session, &base, head, user).await?;
    let of_base = of_base.and_then(|observed| {
        // Both observations have the same directory, so the user has the same place in both.
        let (roles, unread) = (seen.roles.clone(), seen.unread.clone());
        let seen = ObservedWith { observed, roles, user: seen.user, unread };
        explained(&base, user, seen, since.clone())
    });
    let explanation = explained(head, user, seen, since)?;
    let result = match of_base {
        Ok(base) => Ok(UserDifference::between(&base, &explanation)),
        Err(RunFault::Policies { findings, .. }) => Err(unresolved(&findings)),
        Err(fault) => return Err(fault),
    };
    Ok((explanation, UserReview { against, result }))
}

/// Returns the time to the second, or that of the snapshot.
fn since(session: &Session) -> String {
    let recorded = session.snapshot().map(|snapshot| snapshot.about.made);
    recorded.unwrap_or_else(Timestamp::now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn explained(
    policies: &PolicySet,
    user: &UserRef,
    seen: ObservedWith,
    since: String,
) -> Result<Explanation, RunFault> {
    let recorded = seen.observed.recorded;
    let reading = Reading { since, recorded, calls: calls(&seen, user) };
    let ObservedWith { observed, roles, user: index, .. } = seen;
    let explained = explain::explain(policies, observed, &roles, index, reading);
    let (mut explanation, plan) = explained.ok_or_else(|| RunFault::UnknownUser(user.clone()))?;
    without_contradiction(plan, policies)?;
    let groups = groups(&explanation);
    explanation.reading.calls.extend(groups);
    Ok(explanation)
}

/// Returns the calls that read the user and the rules of the tenant.
fn calls(seen: &ObservedWith, asked: &UserRef) -> Vec<Call> {
    let Some(user) = seen.observed.directory.user(seen.user) else { return Vec::new() };
    let word = asked.word();
    let entry =
        Call { what: "directory".to_owned(), path: entra::path_of_user(&word), unknown: None };
    let (facts, extra) = (seen.observed.facts(seen.user), seen.observed.basis.extra);
    let of_facts = UserFact::ALL.into_iter().filter(|fact| extra.wants(*fact)).map(|fact| Call {
        what: fact.name().to_owned(),
        path: entra::path_of_fact(fact, user.id),
        unknown: fact.unknown_in(&facts),
    });
    let of_tenant = entra::paths_of_tenant().map(|(what, path)| Call {
        what: what.what(),
        path: path.to_owned(),
        unknown: match what {
            SafetyRule::Eligibility => {
                seen.roles.known().and_then(|roles| roles.eligibility_unknown)
            }
            what => seen.unread.iter().find(|one| one.what == what).map(|one| one.why),
        },
    });
    std::iter::once(entry).chain(of_facts).chain(of_tenant).collect()
}

/// Returns the calls that read the members of the groups that name the user.
fn groups(explanation: &Explanation) -> Vec<Call> {
    let groups = explanation.groups();
    let call = |(id, name): (_, &Untrusted)| Call {
        what: format!("members of {}", quoted(name)),
        path: entra::path_of_members(id),
        unknown: None,
    };
    groups.into_iter().map(call).collect()
}
