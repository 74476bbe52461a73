//! Writes a plan in waves of users, each wave in the stages of [`Stage`]: read everybody again, add
//! methods, read back, prefer, raise states, read back, take away. Whatever is cut off in between
//! leaves nobody worse off, because a state is only ever raised, and a method only ever taken away,
//! for a user whose other method a fresh read has shown.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::basis::{Held, still};
use super::journal::{Journal, Noted};
use super::report::{Fate, Report, UNSEEN};
use super::stop::{Breaker, Stop};
use super::turn::{Turn, adds_phone};
use crate::entra::{facts, phones, write};
use crate::graph::{Client, Error, Outcome};
use crate::id::UserId;
use crate::plan::handing_on::HandingOn;
use crate::plan::wanted::Moved;
use crate::plan::{Plan, UserPlan};
use crate::settings::Setting;
use crate::settings::change::{Change, Stage};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

/// Users of one wave: few enough that what was read is still fresh when it is written.
const WAVE: usize = 200;

/// Writes between two looks at whether the run is to stop: two batches.
const PIECE: usize = 40;

/// How long a registered method is waited for before it is given up; Entra lists it late at times.
const LISTED_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// How long after a write of which nobody knows whether it was done, a new phone is looked for again.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// What accompanies a run: who moved on before it began, where it is written down, what ends it
/// early.
#[derive(Debug)]
pub struct Conduct<'a, R> {
    pub watch: Watch<R>,
    pub moved: BTreeMap<UserIndex, Moved>,
    pub journal: Option<&'a mut Journal>,
    pub stop: Stop,
    /// How long after a lost answer a new phone is looked for once more.
    pub second_look: Duration,
    breaker: Breaker,
}

impl<R> Conduct<'_, R> {
    /// Nobody moved on, nothing is written down, nobody stops it.
    pub fn new(watch: Watch<R>) -> Self {
        Self {
            watch,
            moved: BTreeMap::new(),
            journal: None,
            stop: Stop::default(),
            second_look: SECOND_LOOK,
            breaker: Breaker::default(),
        }
    }

    /// Notes what will be written, and gives each its number.
    fn intend(&mut self, plan: &Plan, changes: &[(usize, Change)]) -> Result<Vec<Sent>, String> {
        let Some(journal) = &mut self.journal else {
            return Ok(changes.iter().map(|(place, change)| (*place, *change, 0)).collect());
        };
        let mut noted = || {
            let number = |(place, change): &(usize, Change)| {
                journal.intend(plan, change).map(|number| (*place, *change, number))
            };
            let sent = changes.iter().map(number).collect::<Result<_, _>>()?;
            journal.sync().map(|()| sent)
        };
        noted().map_err(|error| journal.fault(&error))
    }

    /// Notes what became of some writes.
    fn end(&mut self, ended: Vec<(usize, Noted)>) -> Result<(), String> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let noted = ended.into_iter().try_for_each(|(number, noted)| journal.ended(number, noted));
        noted.and_then(|()| journal.sync()).map_err(|error| journal.fault(&error))
    }
}

/// Carries the plan out and says what became of every change. `progress` hears how many users of
/// how many are through.
pub async fn run(
    held: Held<'_>,
    client: &Client,
    mut conduct: Conduct<'_, impl AsyncFnMut() -> Result<(), String>>,
    progress: impl Fn(usize, usize),
) -> Report {
    let plan = held.plan;
    let handing_on = HandingOn::of(plan);
    let rounds = handing_on.rounds(plan);
    let users = rounds.iter().map(Vec::len).sum();
    let mut report = Report::default();
    let mut through = 0;
    for wave in rounds.iter().flat_map(|round| round.chunks(WAVE)) {
        through += wave.len();
        let mut wave = Wave::new(held, client, wave);
        wave.leave_numbers(&handing_on, &report);
        if report.stopped.is_none() {
            report.stopped = wave.write(&mut conduct).await.err();
        }
        if let Some(why) = &report.stopped {
            wave.give_up(&format!("stopped: {why}"));
        }
        report.fates.extend(wave.into_fates());
        progress(through, users);
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

struct Wave<'a> {
    held: Held<'a>,
    client: &'a Client,
    turns: Vec<Turn<'a>>,
}

/// A write that was sent: whose, which, and its number in the journal.
type Sent = (usize, Change, usize);

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

    /// Who would take a number that its holder could not let go of is left.
    fn leave_numbers(&mut self, handing_on: &HandingOn, report: &Report) {
        let plan = self.held.plan;
        let is_done = |place| {
            let done = (plan.changes.get(place), Some(&Fate::Done));
            report.fates.iter().any(|(change, fate)| (Some(change), Some(fate)) == done)
        };
        for turn in &mut self.turns {
            if !handing_on.before(turn.user.user).all(is_done) {
                turn.close(|_| Fate::NotTried("somebody else still has the number".to_owned()));
            }
        }
    }

    async fn write(
        &mut self,
        conduct: &mut Conduct<'_, impl AsyncFnMut() -> Result<(), String>>,
    ) -> Result<(), String> {
        for turn in &mut self.turns {
            if let Some(moved) = conduct.moved.get(&turn.user.user) {
                turn.close(|_| Fate::MovedOn(*moved));
            }
        }
        conduct.stop.check()?;
        self.read_again(|turn| turn.is_open()).await.map_err(|error| error.to_string())?;
        for turn in &mut self.turns {
            if self.held.now.break_glass.contains(&turn.id) {
                turn.close(|_| Fate::MovedOn(Moved::BreakGlass));
            } else if !still(self.held, turn.user, &turn.facts) {
                turn.close(|_| Fate::MovedOn(Moved::Facts));
            }
        }
        for stage in Stage::ALL {
            if !self.turns.iter().any(|turn| turn.due(stage).is_some()) {
                continue;
            }
            conduct.stop.check()?;
            conduct.watch.look().await?;
            let safe = self.await_methods(stage);
            tokio::select! {
                biased;
                read = safe => read.map_err(|error| error.to_string())?,
                () = conduct.stop.wait() => return conduct.stop.check(),
            }
            let sent = self.stage(stage, conduct).await?;
            if stage == Stage::SmsSignIn {
                let unseen = self.read_back(stage).await.map_err(|error| error.to_string())?;
                let unseen = sent.iter().filter(|(_, change, _)| unseen.contains(change));
                conduct.end(unseen.map(|(.., number)| (*number, Noted::unseen())).collect())?;
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
            // Asked once: what is read changes the answer.
            let read: BTreeSet<UserId> =
                self.turns.iter().filter(|turn| to_read(turn)).map(|turn| turn.id).collect();
            self.read_again(|turn| read.contains(&turn.id)).await?;
            self.confirm_phones(stage, |turn| read.contains(&turn.id)).await?;
        }
        for turn in &mut self.turns {
            let Some(change) = turn.due(stage) else { continue };
            if turn.is_there(&change) {
                turn.end(stage, Fate::Done);
            } else if !turn.is_at(&change) {
                turn.close(|_| Fate::MovedOn(Moved::Facts));
            } else if let Some(why) = turn.refusal(stage, held) {
                let why = format!("a fresh read does not show it safe: {why}");
                turn.close(|_| Fate::NotTried(why.clone()));
            }
        }
        Ok(())
    }

    /// Where something rests on the phones of a list, each is asked for by itself: a list can still
    /// show what is gone.
    async fn confirm_phones(
        &mut self,
        stage: Stage,
        whose: impl Fn(&Turn<'_>) -> bool,
    ) -> Result<(), Error> {
        let rests = |change: &Change| change.raises() || change.removes_method();
        let mut asked = Vec::new();
        for (place, turn) in self.turns.iter().enumerate().filter(|(_, turn)| whose(turn)) {
            let Some(change) = turn.due(stage).filter(rests) else { continue };
            let others = turn.phones().filter(|setting| *setting != change.setting);
            asked.extend(others.map(|setting| (place, (turn.id, setting))));
        }
        let phones: Vec<(UserId, Setting)> = asked.iter().map(|(_, phone)| *phone).collect();
        let there = phones::are_there(self.client, &phones).await?;
        for ((place, (_, setting)), there) in asked.into_iter().zip(there) {
            if let Some(turn) = self.turns.get_mut(place).filter(|_| !there) {
                turn.forget(setting);
            }
        }
        Ok(())
    }

    /// What was written in this stage must show before anything of the user goes on.
    async fn read_back(&mut self, stage: Stage) -> Result<Vec<Change>, Error> {
        for wait in LISTED_AFTER {
            let open = |turn: &Turn<'_>| {
                turn.done(stage).is_some_and(|change| wait.is_zero() || !turn.is_there(&change))
            };
            if !self.turns.iter().any(open) {
                return Ok(Vec::new());
            }
            tokio::time::sleep(wait).await;
            self.read_again(open).await?;
        }
        let mut unseen = Vec::new();
        for turn in &mut self.turns {
            if let Some(change) = turn.done(stage).filter(|change| !turn.is_there(change)) {
                turn.end(stage, Fate::Failed(UNSEEN.to_owned()));
                unseen.push(change);
            }
        }
        Ok(unseen)
    }

    /// Writes one stage of everybody, piece by piece, each noted in the journal before and after. A
    /// refusal that every other write would meet as well is the end of the run.
    async fn stage<R>(
        &mut self,
        stage: Stage,
        conduct: &mut Conduct<'_, R>,
    ) -> Result<Vec<Sent>, String> {
        let due = self.turns.iter().enumerate();
        let due: Vec<(usize, Change)> =
            due.filter_map(|(place, turn)| Some((place, turn.due(stage)?))).collect();
        let mut all = Vec::with_capacity(due.len());
        for piece in due.chunks(PIECE) {
            conduct.stop.check()?;
            let sent = conduct.intend(self.held.plan, piece)?;
            self.piece(stage, &sent, conduct).await?;
            conduct.breaker.check()?;
            all.extend(sent);
        }
        Ok(all)
    }

    /// Writes some changes, and looks after those of which it is not known whether they were done.
    async fn piece<R>(
        &mut self,
        stage: Stage,
        sent: &[Sent],
        conduct: &mut Conduct<'_, R>,
    ) -> Result<(), String> {
        let changes: Vec<(UserId, Change)> = sent
            .iter()
            .filter_map(|(place, change, _)| Some((self.turns.get(*place)?.id, *change)))
            .collect();
        let outcomes = write::write(self.client, &changes).await;
        let (mut unknown, mut stopped, mut asked) = (Vec::new(), None, BTreeMap::new());
        for ((place, ..), outcome) in sent.iter().zip(outcomes) {
            let Some(turn) = self.turns.get_mut(*place) else { continue };
            match outcome {
                Some(Outcome::Done(done)) => {
                    asked.extend(done.request_id.map(|id| (*place, id)));
                    turn.end(stage, Fate::Done);
                }
                Some(Outcome::Refused(error)) => {
                    asked.extend(error.request_id().map(|id| (*place, id.to_owned())));
                    turn.end(stage, Fate::Failed(error.to_string()));
                    if error.concerns_all() {
                        stopped.get_or_insert(error);
                    }
                }
                Some(Outcome::Unknown(error)) => {
                    asked.extend(error.request_id().map(|id| (*place, id.to_owned())));
                    unknown.push((turn.id, error));
                }
                None => {
                    turn.end(stage, Fate::Failed("there is no request that does this".to_owned()))
                }
            }
        }
        let looked = self.look_after(stage, &unknown, conduct.second_look).await;
        let mut ended = Vec::with_capacity(sent.len());
        for (place, change, number) in sent {
            let fate = self.turns.get(*place).and_then(|turn| turn.fate(change)).cloned();
            let fate =
                fate.unwrap_or_else(|| Fate::Failed("what became of it is not known".into()));
            conduct.breaker.count(&fate);
            ended.push((*number, Noted::of(&fate, asked.remove(place))));
        }
        conduct.end(ended)?;
        looked.map_err(|error| error.to_string())?;
        stopped.map_or(Ok(()), |error| Err(error.to_string()))
    }

    /// A new phone can be listed late, so that it gets a second look; anything else shows at once.
    async fn look_after(
        &mut self,
        stage: Stage,
        unknown: &[(UserId, Error)],
        second_look: Duration,
    ) -> Result<(), Error> {
        let find =
            |id: UserId| unknown.iter().find(|(user, _)| *user == id).map(|(_, error)| error);
        let mut read = Ok(());
        for wait in [Duration::ZERO, second_look] {
            let open = |turn: &Turn<'_>| {
                let unseen = |change: Change| {
                    wait.is_zero() || adds_phone(&change) && !turn.is_there(&change)
                };
                find(turn.id).is_some() && turn.due(stage).is_some_and(unseen)
            };
            if read.is_ok() && self.turns.iter().any(open) {
                tokio::time::sleep(wait).await;
                read = self.read_again(open).await;
            }
        }
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
