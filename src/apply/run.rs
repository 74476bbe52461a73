//! Writes a plan in waves of users, each wave in the stages of [`Stage`]: read everybody again, add
//! methods, read back, prefer, raise states, read back, take away. Whatever is cut off in between
//! leaves nobody worse off, because a state is only ever raised, and a method only ever taken away,
//! for a user whose other method a fresh read has shown.

use std::time::{Duration, Instant};

use super::basis::{Held, still};
use super::report::{Fate, Report};
use crate::entra::{facts, write};
use crate::graph::{Client, Error, Outcome};
use crate::id::UserId;
use crate::plan::UserPlan;
use crate::plan::guard::guard;
use crate::settings::change::{Action, Change, Stage};
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::Facts;

/// Users of one wave: few enough that what was read is still fresh when it is written.
const WAVE: usize = 200;

/// How long a registered method is waited for before it is given up; Entra lists it late at times.
const LISTED_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// Carries the plan out and says what became of every change. `progress` hears how many users of
/// how many are through.
pub async fn run(
    held: Held<'_>,
    client: &Client,
    mut watch: Watch<impl AsyncFnMut() -> Result<(), String>>,
    progress: impl Fn(usize, usize),
) -> Report {
    let plan = held.plan;
    let users: Vec<&UserPlan> = plan.users.iter().filter(|user| !user.changes.is_empty()).collect();
    let mut report = Report::default();
    let mut through = 0;
    let mut stopped: Option<String> = None;
    for wave in users.chunks(WAVE) {
        let mut wave = Wave::new(held, client, wave);
        match &stopped {
            Some(why) => wave.give_up(why),
            None => {
                stopped = wave.write(&mut watch).await.err().map(|why| format!("stopped: {why}"));
            }
        }
        if let Some(why) = &stopped {
            wave.give_up(why);
        }
        report.fates.extend(wave.into_fates());
        through += WAVE;
        progress(through.min(users.len()), users.len());
    }
    report
}

/// Looks now and then whether what the plan rests on for the tenant as a whole still holds: a long
/// apply outlives the look before it.
#[derive(Debug)]
pub struct Watch<R> {
    recheck: R,
    every: Duration,
    since: Instant,
}

impl<R: AsyncFnMut() -> Result<(), String>> Watch<R> {
    /// `recheck` says what no longer holds. It is asked before a stage, where the last look is older
    /// than `every`; one has just been made.
    pub fn new(every: Duration, recheck: R) -> Self {
        Self { recheck, every, since: Instant::now() }
    }

    async fn look(&mut self) -> Result<(), String> {
        if self.since.elapsed() >= self.every {
            (self.recheck)().await?;
            self.since = Instant::now();
        }
        Ok(())
    }
}

/// A user in the middle of being written.
struct Turn<'a> {
    user: &'a UserPlan,
    id: UserId,
    facts: Facts,
    /// Each change with what became of it; `None` while it is still to be done.
    steps: Vec<(Change, Option<Fate>)>,
}

struct Wave<'a> {
    held: Held<'a>,
    client: &'a Client,
    turns: Vec<Turn<'a>>,
}

impl<'a> Wave<'a> {
    fn new(held: Held<'a>, client: &'a Client, users: &[&'a UserPlan]) -> Self {
        let plan = held.plan;
        let turn = |user: &&'a UserPlan| {
            let id = plan.directory.user(user.user)?.id;
            let steps = plan.changes_of(user).iter().map(|change| (*change, None)).collect();
            Some(Turn { user, id, facts: Facts::NOT_READ, steps })
        };
        Self { held, client, turns: users.iter().filter_map(turn).collect() }
    }

    async fn write(
        &mut self,
        watch: &mut Watch<impl AsyncFnMut() -> Result<(), String>>,
    ) -> Result<(), String> {
        self.read_again(|_| true).await.map_err(|error| error.to_string())?;
        for turn in &mut self.turns {
            let never = self.held.now.break_glass.contains(&turn.id);
            if never || !still(self.held, turn.user, &turn.facts) {
                turn.close(|_| Fate::MovedOn);
            }
        }
        for stage in Stage::ALL {
            if !self.turns.iter().any(|turn| turn.due(stage).is_some()) {
                continue;
            }
            watch.look().await?;
            self.await_methods(stage).await.map_err(|error| error.to_string())?;
            self.stage(stage).await.map_err(|error| error.to_string())?;
            if stage == Stage::SmsSignIn {
                self.read_back(stage).await.map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Reads the facts of some users afresh.
    async fn read_again(&mut self, whose: impl Fn(&Turn<'_>) -> bool) -> Result<(), Error> {
        let turns: Vec<&mut Turn<'_>> = self.turns.iter_mut().filter(|turn| whose(turn)).collect();
        let ids: Vec<UserId> = turns.iter().map(|turn| turn.id).collect();
        let facts =
            facts::read(self.client, &ids, &self.held.now.method_policy, self.held.now.extra)
                .await?;
        turns.into_iter().zip(facts).for_each(|(turn, facts)| turn.facts = facts);
        Ok(())
    }

    /// Before anything but a new method is written, a fresh read must show that it is still safe, of
    /// everybody: what was read before the stage of others is old by now. Who is not safe after some
    /// waiting is left as they are, and so is who was changed by somebody else meanwhile.
    async fn await_methods(&mut self, stage: Stage) -> Result<(), Error> {
        let held = self.held;
        for wait in LISTED_AFTER {
            let first = wait.is_zero();
            let to_read = |turn: &Turn<'_>| {
                let ages = |change: Change| !adds_phone(&change) || turn.has_written();
                turn.due(stage).is_some_and(ages) && (first || turn.waits(stage, held))
            };
            if !first && !self.turns.iter().any(to_read) {
                break;
            }
            tokio::time::sleep(wait).await;
            self.read_again(to_read).await?;
        }
        for turn in &mut self.turns {
            let Some(change) = turn.due(stage) else { continue };
            if turn.is_there(&change) {
                turn.end(stage, Fate::Done);
            } else if !turn.is_at(&change) {
                turn.close(|_| Fate::MovedOn);
            } else if let Some(why) = turn.refusal(stage, held) {
                let why = format!("a fresh read does not show it safe: {why}");
                turn.close(|_| Fate::NotTried(why.clone()));
            }
        }
        Ok(())
    }

    /// What was written in this stage must show before anything of the user goes on.
    async fn read_back(&mut self, stage: Stage) -> Result<(), Error> {
        for wait in LISTED_AFTER {
            let open = |turn: &Turn<'_>| {
                turn.done(stage).is_some_and(|change| wait.is_zero() || !turn.is_there(&change))
            };
            if !self.turns.iter().any(open) {
                return Ok(());
            }
            tokio::time::sleep(wait).await;
            self.read_again(open).await?;
        }
        for turn in &mut self.turns {
            if turn.done(stage).is_some_and(|change| !turn.is_there(&change)) {
                let why = "it was written, and a fresh read does not show it".to_owned();
                turn.end(stage, Fate::Failed(why));
            }
        }
        Ok(())
    }

    /// Writes one stage of everybody, then looks after those of whom it is not known whether it
    /// was done. A refusal that every other write would meet as well is the end of the run.
    async fn stage(&mut self, stage: Stage) -> Result<(), Error> {
        let mut due: Vec<(&mut Turn<'_>, Change)> = self
            .turns
            .iter_mut()
            .filter_map(|turn| turn.due(stage).map(|change| (turn, change)))
            .collect();
        let changes: Vec<(UserId, Change)> =
            due.iter().map(|(turn, change)| (turn.id, *change)).collect();
        let outcomes = write::write(self.client, &changes).await;
        let (mut unknown, mut stopped) = (Vec::new(), None);
        for ((turn, _), outcome) in due.iter_mut().zip(outcomes) {
            match outcome {
                Some(Outcome::Done(_)) => turn.end(stage, Fate::Done),
                Some(Outcome::Refused(error)) => {
                    turn.end(stage, Fate::Failed(error.to_string()));
                    if error.concerns_all() {
                        stopped.get_or_insert(error);
                    }
                }
                Some(Outcome::Unknown(error)) => unknown.push((turn.id, error)),
                None => {
                    turn.end(stage, Fate::Failed("there is no request that does this".to_owned()))
                }
            }
        }
        self.look_after(stage, &unknown).await?;
        stopped.map_or(Ok(()), Err)
    }

    async fn look_after(&mut self, stage: Stage, unknown: &[(UserId, Error)]) -> Result<(), Error> {
        if unknown.is_empty() {
            return Ok(());
        }
        let find =
            |id: UserId| unknown.iter().find(|(user, _)| *user == id).map(|(_, error)| error);
        let read = self.read_again(|turn| find(turn.id).is_some()).await;
        for turn in &mut self.turns {
            let (Some(error), Some(change)) = (find(turn.id), turn.due(stage)) else { continue };
            let there = read.is_ok() && turn.is_there(&change);
            let fate = if there {
                Fate::Done
            } else {
                Fate::Failed(format!("{error}, and a fresh read does not show it done"))
            };
            turn.end(stage, fate);
        }
        read
    }

    fn give_up(&mut self, why: &str) {
        self.turns.iter_mut().for_each(|turn| turn.close(|_| Fate::NotTried(why.to_owned())));
    }

    fn into_fates(self) -> impl Iterator<Item = (Change, Fate)> {
        let steps = self.turns.into_iter().flat_map(|turn| turn.steps);
        steps.map(|(change, fate)| {
            (change, fate.unwrap_or_else(|| Fate::NotTried("never came to it".to_owned())))
        })
    }
}

fn adds_phone(change: &Change) -> bool {
    change.setting.phone().is_some() && change.action() == Action::Create
}

impl Turn<'_> {
    /// The change of this stage, if it is still to be done.
    fn due(&self, stage: Stage) -> Option<Change> {
        self.steps
            .iter()
            .find(|(change, fate)| change.stage() == stage && fate.is_none())
            .map(|(change, _)| *change)
    }

    /// The change of this stage, if it was done.
    fn done(&self, stage: Stage) -> Option<Change> {
        self.steps
            .iter()
            .find(|(change, fate)| change.stage() == stage && *fate == Some(Fate::Done))
            .map(|(change, _)| *change)
    }

    /// Whether the setting is still as the change expects it. What follows a new number was never
    /// seen before it.
    fn is_at(&self, change: &Change) -> bool {
        let observed = Values::observed(&self.facts).get(change.setting);
        let follows = change.setting == Setting::SmsSignIn && self.has_written();
        follows || observed == change.before
    }

    /// Whether it is so already, by whomever. No phone at all is what is wanted only of a removal.
    fn is_there(&self, change: &Change) -> bool {
        let observed = Values::observed(&self.facts).get(change.setting);
        let nothing_yet = observed == Value::Nothing && change.after != Value::Nothing;
        !nothing_yet && observed.meets(change.after)
    }

    /// Whether the change is due, and what was read last does not show that it is safe.
    fn waits(&self, stage: Stage, held: Held<'_>) -> bool {
        self.due(stage).is_some_and(|change| !self.is_there(&change))
            && self.refusal(stage, held).is_some()
    }

    /// Why the change that is due is not safe on what was read last.
    fn refusal(&self, stage: Stage, held: Held<'_>) -> Option<&'static str> {
        let change = self.due(stage)?;
        let guarded = guard(&held.now.judge(), self.user.user, &self.facts, &[change]);
        if guarded.steps == [change] {
            return None;
        }
        let reason = guarded.withheld.first().map(|(_, reason)| reason.about());
        Some(reason.unwrap_or("the user has something stronger"))
    }

    fn has_written(&self) -> bool {
        self.steps.iter().any(|(_, fate)| *fate == Some(Fate::Done))
    }

    /// Ends one change; if it did not come true, the later ones of the user are cancelled.
    fn end(&mut self, stage: Stage, fate: Fate) {
        let failed = fate != Fate::Done;
        let Some((change, open)) =
            self.steps.iter_mut().find(|(change, _)| change.stage() == stage)
        else {
            return;
        };
        let name = change.setting.name();
        *open = Some(fate);
        if failed {
            self.close(|_| Fate::NotTried(format!("the {name} before it failed")));
        }
    }

    /// Ends everything that is still to be done.
    fn close(&mut self, fate: impl Fn(&Change) -> Fate) {
        for (change, open) in self.steps.iter_mut().filter(|(_, fate)| fate.is_none()) {
            *open = Some(fate(change));
        }
    }
}
