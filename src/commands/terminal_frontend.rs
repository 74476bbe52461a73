//! Shows on the terminal what a run reports, and asks the user what a run asks.
//!
//! Not here: when that happens (`run`), or how results look (`render`).

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, stdin};
use std::path::PathBuf;

use super::output::{self, OutputFormat};
use super::{progress, signals};
use crate::apply::resume::{DoubtResult, Unfinished};
use crate::disclose::Discloser;
use crate::graph::Client;
use crate::plan::Plan;
use crate::render::applied::Applied;
use crate::render::apply;
use crate::render::approval;
use crate::render::plan::text::{TextView, counted};
use crate::results::ApplyReport;
use crate::run::events::{Event, Frontend, RunOutput};
use crate::run::fault::RunFault;
use crate::terminal::{print, say};
use crate::untrusted::Untrusted;

/// The terminal of a command.
#[derive(Debug)]
pub(super) struct Terminal<'a> {
    pub(super) view: TextView,
    pub(super) format: OutputFormat,
    /// Where the plan is saved. If it is standard output, the plan is shown on standard error.
    pub(super) out: Option<&'a PathBuf>,
    /// The domain of the tenant, for the question.
    pub(super) domain: Untrusted,
    pub(super) disclose: Discloser,
    /// Whether the results are printed at the end, as one document.
    pub(super) is_quiet: bool,
    /// What an apply did so far.
    pub(super) applied: &'a RefCell<Applied>,
}

impl Terminal<'_> {
    /// Notes a result for the document and the outputs at the end.
    fn note(&self, output: RunOutput<'_>) {
        let mut applied = self.applied.borrow_mut();
        match output {
            RunOutput::Plan(plan) => applied.plans(plan),
            RunOutput::Approval(check) => applied.approval = Some(check.clone()),
            RunOutput::Written { report, .. } => {
                applied.counts = Some(report.counts());
                applied.why.clone_from(&report.stopped);
            }
            RunOutput::WorseOff(worse) => applied.worse_off = worse.len(),
            RunOutput::Left { plan, .. } => applied.leaves(plan),
        }
    }
}

impl Frontend for Terminal<'_> {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Settled(unfinished) => say_settled(unfinished, &self.disclose),
            Event::RunIgnored(fault) => say(&format!("warning: {fault}; the run is ignored")),
            Event::OwnRun { run, wrote, of, left } => {
                let [wrote, of, left] = [wrote, of, left].map(|one| self.disclose.count(one));
                let of = counted(of, "change", "changes");
                say(&format!(
                    "your own run {run} wrote {wrote} of the {of} of this plan; {left} left"
                ));
            }
            Event::Declined => {
                self.applied.borrow_mut().is_declined = true;
                say("nothing was changed");
            }
            Event::WritingBegins(stop) => signals::listen(stop),
            Event::WritingEnded(report) => say_end(report, &self.disclose),
            Event::JournalClosed(run) => {
                self.applied.borrow_mut().run = Some(run.to_string());
                say(&format!("run {run}: `mfactl runs show {run}` shows what was done"));
            }
            Event::NotReadAgain(fault) => {
                say(&format!("after the run the users could not be read again\n{fault}"));
            }
            Event::NotPlannedAgain(fault) => {
                say(&format!("after the apply, planning again failed\n{fault}"));
            }
            Event::WorseOff { run, worse } => say(&format!(
                "error: {}\nhelp: `mfactl explain USER` shows why; `mfactl undo {run}` puts back the changes of this run",
                apply::worse_in_short(worse, &self.disclose)
            )),
            Event::HarmedByCutOffRun { run, name, posture } => say(&format!(
                "error: {name} is {}; run {run} wrote to this user, and was cut off or left writes in doubt\nhelp: `mfactl undo {run}` puts back the changes of that run",
                posture.as_str()
            )),
            Event::Problem(fault) => say(&fault.to_string()),
        }
    }

    fn show(&self, output: RunOutput<'_>) -> io::Result<()> {
        self.note(output);
        match output {
            _ if self.is_quiet => Ok(()),
            RunOutput::Plan(plan) => {
                output::plan(plan, None, self.format, self.view, &self.disclose, self.out)
            }
            RunOutput::Approval(check) => print(&approval::text(check, &self.disclose)),
            RunOutput::Written { plan, report } => {
                print(&apply::report(plan, report, &self.disclose))
            }
            RunOutput::WorseOff(worse) => print(&apply::worse(worse, &self.disclose)),
            RunOutput::Left { plan, is_well } => print(&apply::left(plan, is_well, &self.disclose)),
        }
    }

    async fn approves(&self, plan: &Plan) -> Result<bool, RunFault> {
        // A plan that was not shown cannot be approved.
        if self.is_quiet || !stdin().is_terminal() {
            return Err(RunFault::CannotAsk);
        }
        let users = self.disclose.count(plan.summary.users_changed);
        let users = counted(users, "user", "users");
        say(&format!(
            "\nApply these changes to {users} of {}? Type `yes` to continue.",
            self.domain
        ));
        // On another thread, so that the lock is renewed while a person reads the plan.
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = answer.await.map_err(io::Error::other).and_then(|answer| answer);
        Ok(answer.map_err(RunFault::NoAnswer)?.trim() == "yes")
    }

    async fn accompany<T>(&self, client: &Client, work: impl Future<Output = T>) -> T {
        progress::shown(Some(client), work).await
    }

    fn describe(&self, fault: &RunFault) -> String {
        fault.to_string()
    }
}

/// Prints why a run stopped early, and what to do about that and about writes in doubt.
fn say_end(report: &ApplyReport, disclose: &Discloser) {
    let unknown = report.counts().unknown;
    if let Some(why) = &report.stopped {
        say(&format!("error: stopped: {why}"));
    }
    if unknown > 0 {
        let writes = counted(disclose.count(unknown), "write", "writes");
        say(&format!(
            "help: the outcome of {writes} is unknown; the next `mfactl apply` checks first, and continues from the state it finds"
        ));
    } else if report.stopped.is_some() {
        say("help: the finished changes are safe; `mfactl apply` continues from there");
    }
}

/// Prints what was found about an earlier run that was cut off or has writes in doubt.
fn say_settled(unfinished: &Unfinished, disclose: &Discloser) {
    let Unfinished { run, was_cut_off, counts, looked, damage } = unfinished;
    let done = disclose.count(counts.done);
    if *was_cut_off {
        say(&format!("run {run} was cut off: {done} changes were done"));
    } else {
        let looked = counted(disclose.count(looked.len()), "change", "changes");
        say(&format!("run {run} ended with {looked} in doubt: {done} changes were done"));
    }
    for (what, found) in looked {
        let found = match found {
            DoubtResult::Done => "it was done",
            DoubtResult::NotDone => "it was not done",
            DoubtResult::SomethingElse => "it stays unknown, because another value is there now",
            DoubtResult::Alike => {
                "it stays unknown, because both values look the same and numbers are not kept"
            }
            DoubtResult::Gone => "settled, because the account is deleted now",
            DoubtResult::Unreadable => "it could not be read; the next apply checks it again",
        };
        say(&format!("  {what}: the outcome was unknown; {found}"));
    }
    if !damage.is_none() {
        say(&format!("  its journal is damaged: {damage}; the lost part cannot be checked"));
    }
}
