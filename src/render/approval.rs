//! What became of an approval, for a terminal.
//!
//! Not here: the comparison (`plan::approval`), or the plan of what is left of it (`plan::text`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::disclose::Discloser;
use crate::id::UserId;
use crate::plan::approval::{ApprovalCheck, ChangeStanding};
use crate::render::disclosed::names;
use crate::render::plan::text::{counted, some_of};
use crate::untrusted::Untrusted;

/// Returns a line with the numbers, and a line for each setting whose approved change is not made, or whose
/// planned change was not approved.
#[must_use]
pub fn text(check: &ApprovalCheck, disclose: &Discloser) -> String {
    let mut out = format!("Approval: {}\n", tally(check, disclose));
    let mut rows: BTreeMap<_, Vec<(UserId, &Untrusted)>> = BTreeMap::new();
    for one in check.changes.iter().filter(|one| one.standing != ChangeStanding::Planned) {
        let setting = one.of.as_ref().map(|of| of.setting);
        let users = rows.entry((one.standing, setting)).or_default();
        users.extend(one.of.as_ref().map(|of| (of.id, &of.name)));
    }
    let gone = check.changes.iter().filter(|one| one.of.is_none()).count();
    for ((standing, setting), users) in rows {
        let about = about(standing);
        let Some(setting) = setting else {
            let gone = counted(disclose.count(gone), "change", "changes");
            _ = writeln!(out, "  {about}: {gone} of users who are gone, or in no policy any more");
            continue;
        };
        let users = match disclose.shows_users() {
            true => some_of(&names(&users, disclose)),
            false => counted(disclose.count(users.len()), "user", "users"),
        };
        _ = writeln!(out, "  {about}  {}: {users}", setting.name());
    }
    if check.waiting() > 0 {
        out += "  What was not approved waits for the next approval; `mfactl plan` shows it.\n";
    }
    out
}

/// Returns the numbers in a line, without those that are zero.
#[must_use]
pub fn tally(check: &ApprovalCheck, disclose: &Discloser) -> String {
    let approved = counted(disclose.count(check.approved), "change", "changes");
    let mut parts = vec![format!("{approved} approved")];
    for standing in ChangeStanding::ALL {
        let count = check.count(standing);
        if count > 0 || standing == ChangeStanding::Planned {
            parts.push(format!("{} {}", disclose.count(count), about(standing)));
        }
    }
    // Objects are no users, so their number hides nobody.
    if check.objects_planned > 0 {
        parts.push(format!(
            "{} of the tenant, which this version does not make",
            check.objects_planned
        ));
    }
    if check.objects_new > 0 {
        parts.push(format!("{} of the tenant not approved", check.objects_new));
    }
    parts.join(" · ")
}

const fn about(standing: ChangeStanding) -> &'static str {
    match standing {
        ChangeStanding::Planned => "still planned",
        ChangeStanding::NeedsNothing => "no longer needed",
        ChangeStanding::NoValue => "wanted, but there is no value for it now",
        ChangeStanding::Withheld => "withheld now",
        ChangeStanding::NeedsAnother => "withheld, because of a change that was not approved",
        ChangeStanding::Unknown => "unknown, because something could not be read",
        ChangeStanding::Changed => "different from what was approved",
        ChangeStanding::New => "new since the approval",
    }
}
