//! What a plan in text comes to: the counts, how everybody stands before and after, and the brakes that
//! would refuse it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::{HEAD, Page, REMOVE, count};
use crate::plan::{Purpose, undo};
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

    /// Whether an undo puts back all of its run.
    fn rest_of_run(&self, out: &mut String) -> fmt::Result {
        match &self.plan.purpose {
            Purpose::Undo { run } if !undo::is_whole(self.plan) => writeln!(
                out,
                "{REMOVE}In part:{REMOVE:#} not all of run {} is put back; what stays, and why, is above",
                label(run),
            ),
            Purpose::Undo { .. } | Purpose::Policies => Ok(()),
        }
    }

    /// Says no more than was looked at: some of it may be withheld, unread or left out.
    fn no_changes(&self, out: &mut String) -> fmt::Result {
        let summary = self.plan.summary;
        let as_it_is = match (&self.plan.purpose, self.view.part) {
            (Purpose::Undo { .. }, _) => "Nothing of the run is put back",
            (Purpose::Policies, true) => "What this plan is about is as the policies want it",
            (Purpose::Policies, false) => "The tenant is as the policies want it",
        };
        let read = if self.plan.is_complete() { "" } else { ", as far as it could be read" };
        let apart = match self.plan.purpose {
            Purpose::Policies if summary.withheld > 0 => ", apart from what is withheld",
            Purpose::Policies | Purpose::Undo { .. } => "",
        };
        writeln!(
            out,
            "{HEAD}No changes.{HEAD:#} {as_it_is}{read}{apart}.   {} withheld · {}   fingerprint {}",
            summary.withheld,
            self.finding_count(),
            self.plan.fingerprint
        )
    }

    fn changes(&self, out: &mut String) -> fmt::Result {
        let summary = self.plan.summary;
        writeln!(
            out,
            "{HEAD}Plan:{HEAD:#} {} to add, {} to replace, {} to remove · {} MFA, {} stricter, {} lowered · {} · {} withheld · {}   fingerprint {}",
            count(summary.phones_to_add, "phone", "phones"),
            summary.phones_to_replace,
            summary.phones_to_remove,
            count(summary.mfa_begun, "user gets", "users get"),
            summary.mfa_tightened,
            summary.mfa_lowered,
            count(summary.preferences_changed, "preference", "preferences"),
            summary.withheld,
            self.finding_count(),
            self.plan.fingerprint,
        )
    }

    /// How many users in scope stand how, now and then.
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
            .map(|(posture, before, after)| format!("{} {before} → {after}", posture.as_str()))
            .collect();
        writeln!(out, "{HEAD}Posture:{HEAD:#} {}", words.join("   "))
    }

    /// Brakes that apply would refuse the plan for.
    pub(super) fn brakes(&self, out: &mut String) -> fmt::Result {
        for brake in self.plan.brakes.iter().filter(|brake| brake.tripped()) {
            let (name, actual) = (brake.name.as_str(), brake.actual);
            writeln!(
                out,
                "{REMOVE}Brake:{REMOVE:#} `{name}` is {actual} of {} users in scope, and the limit is {}: apply refuses unless it is told `--allow {name}={actual}`",
                brake.of, brake.limit,
            )?;
        }
        Ok(())
    }

    fn finding_count(&self) -> String {
        count(self.plan.findings.len(), "finding", "findings")
    }
}
