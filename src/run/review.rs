//! Makes the plan of the files, and the plan of a base for comparison. The tenant is read once, and both
//! plans are made from what was read.
//!
//! Not here: reading the files of the base (`commands`), or how the plans are compared (`plan::difference`).

use super::fault::RunFault;
use super::observe::{self, ObservedForTwo};
use super::plan::{consistent, identified, whole, without_contradiction};
use super::session::Session;
use crate::finding::{Code, Finding, quoted};
use crate::observed::Observed;
use crate::plan::content::{PlanContent, governed};
use crate::plan::loosening::{Side, Sides, loosenings};
use crate::plan::pipeline::WholePlan;
use crate::plan::review::{Comparison, NotCompared, Review};
use crate::plan::{Plan, pipeline};
use crate::policy::PolicySet;
use crate::untrusted::Untrusted;

/// The base of a review.
#[derive(Debug, Clone)]
pub struct Base {
    /// As it was named.
    pub name: Untrusted,
    /// Its files, or why they cannot be used.
    pub policies: Result<PolicySet, NotCompared>,
}

/// Makes the plan, and compares it with the plan of the base. Where the base has no plan, the review says
/// so.
///
/// # Errors
/// A read failed, names or policies of the head do not fit the tenant, or they contradict themselves.
pub async fn plan_against(
    session: &Session,
    base: Base,
    head: &PolicySet,
) -> Result<(Plan, Review), RunFault> {
    let (whole, review) = compared(session, base, head).await?;
    Ok((identified(session, whole.plan), review))
}

/// Returns the same plan before users are dropped that it is not about.
pub(super) async fn compared(
    session: &Session,
    base: Base,
    head: &PolicySet,
) -> Result<(WholePlan, Review), RunFault> {
    let Base { name: against, policies } = base;
    let base = match policies.and_then(|base| same_tenant(base, head)) {
        Ok(base) => base,
        Err(why) => {
            let plan = whole(session, head).await?;
            return Ok((plan, Review { against, result: Err(why) }));
        }
    };
    let ObservedForTwo { base: of_base, head: of_head } =
        observe::for_two(session, &base, head).await?;
    // A policy for users that the snapshot does not know does something that nobody can see.
    let lacks = of_base.iter().chain([&of_head]).find_map(lacking);
    if let Some(lacks) = lacks {
        let whole = consistent(pipeline::whole(head, of_head), head)?;
        return Ok((whole, Review { against, result: Err(lacks) }));
    }
    let head_governed = governed(head, &of_head);
    let base_content = of_base.and_then(|observed| {
        let sides = Sides {
            base: Side { policies: &base, observed: Some(&observed) },
            head: Side { policies: head, observed: Some(&of_head) },
        };
        let loosened = loosenings(sides);
        let governed = governed(&base, &observed);
        let plan = without_contradiction(pipeline::plan(&base, observed), &base)?;
        Ok((PlanContent::of(&plan, governed), loosened))
    });
    let whole = consistent(pipeline::whole(head, of_head), head)?;
    let result = match base_content {
        Ok((base, loosened)) => {
            Ok(Comparison::of(&base, &PlanContent::of(&whole.plan, head_governed), loosened))
        }
        Err(RunFault::Policies { findings, .. }) => Err(unresolved(&findings)),
        Err(fault) => return Err(fault),
    };
    Ok((whole, Review { against, result }))
}

/// Returns why a comparison in a snapshot would not show everything.
fn lacking(observed: &Observed) -> Option<NotCompared> {
    let mut findings = observed.findings.iter();
    let first = findings.find(|finding| finding.code == Code::SnapshotLacks)?;
    Some(NotCompared {
        why: format!("{}, so it is unknown what the change does", first.message),
        about: Some(Code::SnapshotLacks.about().to_owned()),
        help: "take a new snapshot with these files, or compare in the tenant".to_owned(),
    })
}

/// Returns the base, if it is for the same tenant as the head.
pub(super) fn same_tenant(base: PolicySet, head: &PolicySet) -> Result<PolicySet, NotCompared> {
    if base.project.tenant.is(&head.project.tenant) && base.project.cloud == head.project.cloud {
        return Ok(base);
    }
    Err(NotCompared {
        why: "the base names another tenant".to_owned(),
        about: None,
        help: "read the whole plan: everything in it is new for this tenant".to_owned(),
    })
}

pub(super) fn unresolved(findings: &[Finding]) -> NotCompared {
    let first = findings.iter().find(|finding| finding.is_error());
    let policy = first.and_then(|finding| finding.policy.as_deref());
    let policy = policy.map_or_else(String::new, |name| format!("policy {}: ", quoted(name)));
    let about = first.map_or("", |finding| finding.code.about());
    let first = first.map_or("", |finding| finding.message.as_str());
    NotCompared {
        why: format!("the base does not fit the tenant: {policy}{first}"),
        about: Some(format!("the base does not fit the tenant: {about}")),
        help: "read the whole plan: it is unknown what was planned before".to_owned(),
    }
}
