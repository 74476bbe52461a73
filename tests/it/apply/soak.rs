//! A soak test: the real program in random tenants with random policies, while answers fail, lists are
//! late, and the program is killed, stopped or out of time. After the faults end, an apply must finish the
//! work.
//!
//! The sandbox is the judge, because it knows every write and the result of each sign-in.
//! Not here: single faults (`faults`, `network_weather`), or a kill at each single write (`killed`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use mfactl_sandbox::{Fault, Faults, Lateness, PartInfo, Share};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::apply::killed::journals;
use crate::plan::promises::policies;
use crate::support::invented::{Invented, invented};
use crate::support::journal_files::JournalFiles;
use crate::support::promise_checks::{nobody_signs_in_worse, only_what_is_managed_was_written};
use crate::support::world::{Run, World};

/// A disturbance of one run of the program.
#[derive(Debug, Clone, Copy)]
enum Blow {
    None,
    /// A signal at the n-th write of this run, from 1. The write is done or not.
    Signal {
        name: &'static str,
        at: usize,
        done: bool,
    },
    /// The timeout of the run in milliseconds.
    Timeout(u64),
}

impl Blow {
    fn any(chance: &mut Rng) -> Self {
        let (at, done) = (chance.usize(1..12), chance.bool());
        match chance.u8(0..6) {
            0 => Self::None,
            1 => Self::Timeout(chance.u64(200..2500)),
            2 => Self::Signal { name: "-TERM", at, done },
            3 => Self::Signal { name: "-INT", at, done },
            _ => Self::Signal { name: "-KILL", at, done },
        }
    }
}

/// The state of the disturbance, shared by the tenant and the test.
#[derive(Default)]
struct Storm {
    is_over: AtomicBool,
    blow: Mutex<Option<Blow>>,
    writes: AtomicUsize,
    program: Mutex<Option<Child>>,
}

impl Storm {
    fn faults(self: &Arc<Self>, share: Share) -> Faults {
        let storm = Arc::clone(self);
        Faults::by(move |part| storm.at(&share, part))
    }

    fn at(&self, share: &Share, part: &PartInfo) -> Fault {
        if self.is_over.load(Ordering::SeqCst) {
            return Fault::None;
        }
        if part.write.is_some() {
            let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
            let blow = *self.blow.lock().expect("no panic");
            if let Some(Blow::Signal { name, at, done }) = blow.filter(|blow| blow.is_at(number)) {
                self.signal(name);
                let is_kill = name == "-KILL";
                assert_eq!(at, number);
                return match (is_kill, done) {
                    (true, true) => Fault::CloseAfter,
                    (true, false) => Fault::CloseBefore,
                    (false, _) => Fault::None,
                };
            }
        }
        share.at(part)
    }

    fn signal(&self, name: &str) {
        let program = self.program.lock().expect("no panic");
        let Some(child) = program.as_ref() else { return };
        let mut kill = Command::new("kill");
        kill.args([name, &child.id().to_string()]);
        assert!(kill.status().expect("kill").success());
    }
}

impl Blow {
    const fn is_at(&self, number: usize) -> bool {
        matches!(self, Self::Signal { at, .. } if *at == number)
    }
}

/// One tenant, its policies and its storm.
struct Cycle {
    number: u64,
    case: Invented,
    world: World,
    storm: Arc<Storm>,
    lateness: Duration,
}

impl Cycle {
    /// Builds the cycle of a number. It is the same each time, except for the order in which requests
    /// arrive. Returns `None` if the invented policies have errors.
    fn new(number: u64) -> Option<(Self, Rng)> {
        let mut seed = [0; 32];
        seed.iter_mut().zip(number.to_le_bytes()).for_each(|(place, byte)| *place = byte);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let case = invented().new_tree(&mut runner).expect("an invention").current();
        policies(&case)?;
        let mut chance = Rng::with_seed(number);
        let storm = Arc::new(Storm::default());
        let lateness = Duration::from_millis(chance.choice([0, 0, 100, 600]).unwrap_or_default());
        let share = Share::new(chance.u8(0..12), number);
        let latency = Duration::from_millis(chance.choice([0, 0, 10, 50]).unwrap_or_default());
        let late = Lateness { methods: lateness, promotion: lateness, index: lateness };
        let tenant = case.tenant().faults(storm.faults(share)).lateness(late).latency(latency);
        let world = tenant.served();
        case.write(&world.path(""), false);
        let project = fs::read_to_string(world.path("mfactl.yaml")).expect("the project");
        let project = world.project(&project);
        let today = world.server().store().today().to_string();
        let world = world.file("mfactl.yaml", project).with("MFACTL_TODAY", today);
        Some((Self { number, case, world, storm, lateness }, chance))
    }

    /// Runs the program in the storm.
    fn disturbed(&self, arguments: &[&str], blow: Blow) -> Run {
        let timeout;
        let mut arguments = arguments.to_vec();
        if let Blow::Timeout(milliseconds) = blow {
            timeout = format!("{milliseconds}ms");
            arguments.extend(["--timeout", timeout.as_str()]);
        }
        *self.storm.blow.lock().expect("no panic") = Some(blow);
        self.storm.writes.store(0, Ordering::SeqCst);
        let mut command = self.world.command(&arguments);
        let output = tempfile::tempfile().expect("a file");
        let errors = tempfile::tempfile().expect("a file");
        let copy = |file: &fs::File| Stdio::from(file.try_clone().expect("a handle"));
        command.stdout(copy(&output)).stderr(copy(&errors));
        let child = {
            let mut place = self.storm.program.lock().expect("no panic");
            *place = Some(command.spawn().expect("the program"));
            &self.storm.program
        };
        let status = loop {
            let mut program = child.lock().expect("no panic");
            if let Some(status) = program.as_mut().and_then(|child| child.try_wait().expect("it")) {
                *program = None;
                break status;
            }
            drop(program);
            thread::sleep(Duration::from_millis(5));
        };
        let text = |file: fs::File| self.world.alike(&whole(file));
        let run = Run { code: status.code(), stdout: text(output), stderr: text(errors) };
        self.is_an_ending(&arguments, &run);
        run
    }

    /// Checks that the program did not panic and that its exit code is documented.
    fn is_an_ending(&self, arguments: &[&str], run: &Run) {
        let is_known = matches!(run.code, None | Some(0..=6));
        let what = format!("cycle {}, {arguments:?}: {}", self.number, run.text());
        assert!(is_known && !run.stderr.contains("panicked"), "{what}");
    }

    /// Checks what must be true at every moment, by the records of the sandbox.
    fn nobody_is_harmed(&self, after: &str) {
        let store = self.quiet();
        let judged = nobody_signs_in_worse(&store)
            .and_then(|()| only_what_is_managed_was_written(&self.case, &store));
        if let Err(error) = judged {
            panic!("cycle {}, after {after}: {error}\n{:#?}", self.number, store.writes());
        }
        for past in journals(&self.world) {
            let files = JournalFiles::of(&self.world);
            let text = || String::from_utf8_lossy(&files.text(past.run.as_str())).into_owned();
            let about = (self.number, after, past.damage.to_string());
            assert!(past.damage.is_none(), "{about:?}: {}", text());
        }
        let noted: usize = journals(&self.world).iter().map(|past| past.told.len()).sum();
        assert!(noted >= store.writes().len(), "cycle {}: a write in no journal", self.number);
    }

    /// The tenant after it has carried out all received requests.
    fn quiet(&self) -> mfactl_sandbox::Store {
        let mut last = usize::MAX;
        loop {
            let store = self.world.server().store();
            if store.writes().len() == last {
                return store;
            }
            last = store.writes().len();
            thread::sleep(Duration::from_millis(60));
        }
    }

    /// Ends the storm. Checks that an apply finishes the work, and that a plan then has no changes.
    fn finishes(&self) -> bool {
        self.storm.is_over.store(true, Ordering::SeqCst);
        let mut runs = Vec::new();
        for _ in 0..4 {
            thread::sleep(self.lateness);
            let run = self.world.run(&["apply", "--auto-approve"]);
            self.is_an_ending(&["apply"], &run);
            match run.code {
                Some(0) => {
                    thread::sleep(self.lateness);
                    // 5: there are no changes, and an invented number cannot be read.
                    let plan = self.world.run(&["plan", "--detailed-exitcode"]);
                    assert!(matches!(plan.code, Some(0 | 5)), "{}", plan.text());
                    self.every_run_ended();
                    return true;
                }
                // The tenant or the policies do not allow a plan.
                Some(3) => return false,
                _ if is_about_the_number_of_an_unread_user(&run) => return false,
                _ => runs.push(run.text()),
            }
        }
        panic!("cycle {} did not finish:\n{}", self.number, runs.join("\n"));
    }

    fn every_run_ended(&self) {
        for past in journals(&self.world) {
            assert!(past.end.is_some(), "cycle {}: {:?} has no end", self.number, past.run);
        }
    }
}

fn whole(mut file: fs::File) -> Vec<u8> {
    use std::io::{Read as _, Seek as _};
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("the output");
    bytes
}

/// Whether the service refused a number because a user in no policy has it for SMS sign-in. That user was
/// not read, so the plan could not know.
fn is_about_the_number_of_an_unread_user(run: &Run) -> bool {
    run.stdout.contains("phoneNumberNotUnique")
        || run.stdout.contains("may use, this number for SMS sign-in")
}

/// The totals of all cycles.
#[derive(Debug, Default)]
struct Tally {
    soaked: AtomicUsize,
    finished: AtomicUsize,
    writes: AtomicUsize,
}

impl Tally {
    fn soak(&self, cycle: &Cycle, mut chance: Rng) {
        for _ in 0..chance.usize(1..4) {
            let blow = Blow::any(&mut chance);
            let limit: &[&str] = if chance.u8(0..4) == 0 { &["--limit", "2"] } else { &[] };
            cycle.disturbed(&[&["apply", "--auto-approve"], limit].concat(), blow);
            cycle.nobody_is_harmed(&format!("an apply with {blow:?}"));
        }
        let last = journals(&cycle.world).last().map(|past| past.run.to_string());
        if let Some(run) = last.filter(|_| chance.u8(0..4) == 0) {
            let blow = Blow::any(&mut chance);
            cycle.disturbed(&["undo", &run, "--auto-approve"], blow);
            cycle.nobody_is_harmed(&format!("an undo with {blow:?}"));
        }
        let finished = usize::from(cycle.finishes());
        cycle.nobody_is_harmed("the last apply");
        self.soaked.fetch_add(1, Ordering::SeqCst);
        self.finished.fetch_add(finished, Ordering::SeqCst);
        self.writes.fetch_add(cycle.quiet().writes().len(), Ordering::SeqCst);
    }
}

/// The number of cycles that run at the same time. They wait more than they compute.
const AT_ONCE: u64 = 24;

/// Soaks the cycles of these numbers.
fn soak(numbers: Range<u64>) -> Tally {
    let (tally, next) = (Tally::default(), AtomicU64::new(numbers.start));
    let take =
        || Some(next.fetch_add(1, Ordering::SeqCst)).filter(|number| numbers.contains(number));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(number) = take() {
                    if let Some((cycle, chance)) = Cycle::new(number) {
                        tally.soak(&cycle, chance);
                    }
                }
            });
        }
    });
    tally
}

#[test]
fn two_cycles_of_faults_and_kills_harm_no_user() {
    let tally = soak(1_000_000..1_000_002);
    assert!(tally.soaked.into_inner() > 0);
}

#[test]
#[ignore = "long: six cycles that are the same in every run"]
fn some_cycles_of_faults_and_kills_harm_no_user() {
    let tally = soak(1_000_000..1_000_006);
    assert!(tally.soaked.into_inner() > 0);
}

#[test]
#[ignore = "long: 300 cycles of faults, late lists, kills and stops"]
fn three_hundred_cycles_of_faults_and_kills_harm_no_user() {
    let tally = soak(0..400);
    let [soaked, finished, writes] =
        [tally.soaked, tally.finished, tally.writes].map(AtomicUsize::into_inner);
    println!("{soaked} cycles, {finished} finished, {writes} writes");
    assert!(soaked >= 300, "only {soaked} cycles");
    assert!(finished * 2 > soaked, "{finished} of {soaked} finished");
    assert!(writes > soaked * 2, "only {writes} writes in {soaked} cycles");
}
