//! The end of a plan in text: the counts, the postures before and after, and the brakes that would
//! refuse the plan.
//!
//! Not here: the changes (`plan::text`), or withheld changes and findings (`withheld`).

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::{HEAD, Page, REMOVE, count, counted};
use crate::plan::{PlanPurpose, undo};
use crate::posture::Posture;
use crate::untrusted::label;

impl Page<'_> {
    pub(super) fn tail(&self, out: &mut String) -> fmt::Result {
        if self.plan.summary.users_changed == 0 {
            self.no_changes(out)?;
        } else {
            self.changes(out)?;
        }
        self.postures(out)?;
        self.rest_of_run(out)
    }

    /// Writes a line if an undo does not put back all changes of its run.
    fn rest_of_run(&self, out: &mut String) -> fmt::Result {
        match &self.plan.purpose {
            PlanPurpose::Undo { run } if !undo::is_whole(self.plan) => writeln!(
                out,
                "{REMOVE}Partial:{REMOVE:#} some changes of run {} are not put back; the reasons are above",
                label(run),
            ),
            PlanPurpose::Undo { .. } | PlanPurpose::Policies => Ok(()),
        }
    }

    /// Claims no more than was checked: some changes may be withheld, some facts unread, and some users
    /// not selected.
    fn no_changes(&self, out: &mut String) -> fmt::Result {
        let summary = self.plan.summary;
        let as_it_is = match (&self.plan.purpose, self.view.part) {
            (PlanPurpose::Undo { .. }, _) => "No change of the run is put back",
            (PlanPurpose::Policies, true) => "The selected part of the tenant matches the policies",
            (PlanPurpose::Policies, false) => "The tenant matches the policies",
        };
        let read = if self.plan.is_complete() { "" } else { ", as far as it could be read" };
        let apart = match self.plan.purpose {
            PlanPurpose::Undo { .. } => "",
            PlanPurpose::Policies => match (summary.withheld > 0, self.plan.objects.is_empty()) {
                (false, true) => "",
                (true, true) => ", except for withheld changes",
                (false, false) => ", except for objects of the tenant",
                (true, false) => ", except for withheld changes and objects of the tenant",
            },
        };
        writeln!(
            out,
            "{HEAD}No changes.{HEAD:#} {as_it_is}{read}{apart}.   {} withheld · {}   fingerprint {}",
            self.disclose.count(summary.withheld),
            self.finding_count(),
            self.plan.fingerprint
        )
    }

    fn changes(&self, out: &mut String) -> fmt::Result {
        let summary = self.plan.summary;
        writeln!(
            out,
            "{HEAD}Plan:{HEAD:#} {} to add, {} to replace, {} to remove · {} MFA, {} stricter, {} lowered · {} · {} withheld · {}   fingerprint {}",
            self.counted(summary.phones_to_add, "phone", "phones"),
            self.disclose.count(summary.phones_to_replace),
            self.disclose.count(summary.phones_to_remove),
            self.counted(summary.mfa_begun, "user gets", "users get"),
            self.disclose.count(summary.mfa_tightened),
            self.disclose.count(summary.mfa_lowered),
            self.counted(summary.preferences_changed, "preference", "preferences"),
            self.disclose.count(summary.withheld),
            self.finding_count(),
            self.plan.fingerprint,
        )
    }

    /// Writes the number of users in scope with each posture, before and after.
    fn postures(&self, out: &mut String) -> fmt::Result {
        let of = |counts: &BTreeMap<Posture, usize>, posture| {
            counts.get(&posture).copied().unwrap_or_default()
        };
        let counts = Posture::ALL.map(|posture| {
            let postures = &self.plan.postures;
            (posture, of(&postures.before, posture), of(&postures.after, posture))
        });
        let seen = counts.iter().filter(|(_, before, after)| before + after > 0);
        let words: Vec<String> = seen
            .map(|(posture, before, after)| {
                let [before, after] = [before, after].map(|number| self.disclose.count(*number));
                format!("{} {before} → {after}", posture.as_str())
            })
            .collect();
        // With no user in scope there is nothing to count.
        if words.is_empty() {
            return Ok(());
        }
        writeln!(out, "{HEAD}Posture:{HEAD:#} {}", words.join("   "))
    }

    /// Writes the brakes for which apply would refuse the plan.
    pub(super) fn brakes(&self, out: &mut String) -> fmt::Result {
        for brake in self.plan.brakes.iter().filter(|brake| brake.tripped()) {
            let (name, actual) = (brake.name.as_str(), self.disclose.count(brake.actual));
            writeln!(
                out,
                "{REMOVE}Brake:{REMOVE:#} `{name}` is {actual} of {} users in scope, and the limit is {}: apply refuses this plan without `--allow {name}={actual}`",
                self.disclose.count(brake.of),
                brake.limit,
            )?;
        }
        Ok(())
    }

    /// Returns a number of users or of their changes, with its noun.
    pub(super) fn counted(&self, number: usize, one: &str, many: &str) -> String {
        counted(self.disclose.count(number), one, many)
    }

    fn finding_count(&self) -> String {
        count(self.plan.findings.len(), "finding", "findings")
    }
}
