//! The changes of objects of the tenant, for a terminal: the value before and after, the phase, and the
//! users that the change affects. They are marked, because an apply does not write them.
//!
//! Not here: how the affected users are found (`plan::objects`).

use std::fmt::{self, Write as _};

use anstyle::Style;

use crate::plan::Plan;
use crate::plan::objects::ObjectChange;
use crate::plan::phase::{Phase, Step};
use crate::posture::Posture;
use crate::render::plan::text::{
    ALTER, FAINT, HEAD, REMOVE, SECOND, THIRD, count, joined, pad, some_of,
};
use crate::untrusted::Untrusted;

/// Writes the section, or nothing if the plan changes no object.
pub(crate) fn section(plan: &Plan, all: bool, out: &mut String) -> fmt::Result {
    if plan.objects.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "  {HEAD}Objects of the tenant:{HEAD:#} planned only; an apply does not write them"
    )?;
    for phase in Phase::ALL {
        for step in plan.steps_of(phase) {
            if let Step::Object(change) = step {
                object(plan, change, all, out)?;
            }
        }
    }
    writeln!(out)
}

fn object(plan: &Plan, change: &ObjectChange, all: bool, out: &mut String) -> fmt::Result {
    let (name, value) = (change.object.name(), format!("{} → {}", change.before, change.after));
    writeln!(
        out,
        "    {ALTER}~{ALTER:#} {name}{}{value}{}{FAINT}{}{FAINT:#}",
        pad(6 + name.chars().count(), SECOND),
        pad(SECOND + value.chars().count(), THIRD),
        change.origin,
    )?;
    writeln!(out, "        {}", order(plan, change))?;
    if change.affected.is_empty() {
        return writeln!(out, "        it changes the posture of no account");
    }
    for posture in Posture::ALL {
        let users: Vec<&Untrusted> =
            change.becoming(posture).map(|one| plan.directory.name(one.user)).collect();
        if users.is_empty() {
            continue;
        }
        let style = match posture {
            Posture::Open | Posture::Stuck => REMOVE,
            Posture::Protected | Posture::Unprotected | Posture::Unknown => Style::new(),
        };
        let names = if all { joined(&users) } else { some_of(&users) };
        let accounts = count(users.len(), "account becomes", "accounts become");
        writeln!(out, "        {style}{accounts} {}{style:#}: {names}", posture.as_str())?;
    }
    Ok(())
}

/// Returns when the object is due: its phase, and how many changes of users come before it.
fn order(plan: &Plan, change: &ObjectChange) -> String {
    let phase = change.phase();
    let earlier = plan.steps().filter(|step| step.phase() < phase);
    let users = earlier.filter(|step| matches!(step, Step::User(_))).count();
    let after = match users {
        0 => String::new(),
        some => format!(", after {} of users", count(some, "change", "changes")),
    };
    format!("in the phase in which {}{after}", phase.about())
}
