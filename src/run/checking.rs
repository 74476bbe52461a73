//! Checks what was read of a tenant: whether the names of the policies fit it, and which of its rules
//! are unknown.
//!
//! Not here: reading (`reading`), or how names are resolved (`scope`).

use std::collections::BTreeSet;

use super::extent::ReadExtent;
use super::fault::RunFault;
use super::reading::DirectoryAndRoles;
use super::session::Session;
use crate::entra::tenant_rules::Safety;
use crate::finding::{Code, Finding};
use crate::id::UserId;
use crate::observed::TenantBasis;
use crate::policy::PolicySet;
use crate::scope::{self, Scope};
use crate::tenant::lookup::Extra;

/// Resolves the users in scope. A name that does not fit the tenant ends the run here.
pub(super) fn resolved_scope(
    session: &Session,
    policies: &PolicySet,
    (directory, roles): &DirectoryAndRoles,
    extent: ReadExtent<'_>,
) -> Result<(Scope, Vec<Finding>), RunFault> {
    let (scope, mut findings) = scope::resolve(policies, directory, roles, session.today());
    let guards = &policies.project.break_glass;
    findings.extend(scope::lost(guards, directory, &scope, &session.guarded));
    let is_for_reading = matches!(extent, ReadExtent::Everybody);
    let stops = |finding: &Finding| {
        finding.is_error() && !(is_for_reading && is_about_break_glass(finding.code))
    };
    if findings.iter().any(stops) {
        return Err(RunFault::Policies { findings, sources: policies.sources.clone() });
    }
    Ok((scope, findings))
}

/// Whether an error is about too few break-glass accounts. Such an error does not stop a report.
const fn is_about_break_glass(code: Code) -> bool {
    matches!(code, Code::BreakGlassMinimum | Code::BreakGlassEmpty | Code::BreakGlassLost)
}

/// Returns the basis of a plan. A rule that this identity may not read is unknown in it, and guards
/// assume the worse case.
pub(super) fn basis(
    session: &Session,
    policies: &PolicySet,
    rules: Safety,
    (break_glass, extra): (BTreeSet<UserId>, Extra),
) -> TenantBasis {
    TenantBasis {
        method_policy: rules.method_policy,
        demand: rules.demand,
        delivery: policies.project.delivery,
        today: session.today(),
        break_glass,
        extra,
    }
}

/// Returns the findings about rules of the tenant that are unknown or not settled.
pub(super) fn findings_about(rules: &mut Safety) -> Vec<Finding> {
    let unread = rules.unread.iter().map(|one| {
        let message = format!("{}: {}", one.what.what(), one.why.about());
        Finding::new(Code::Unreadable, message).help(one.help())
    });
    unread.chain(std::mem::take(&mut rules.unsettled)).collect()
}
