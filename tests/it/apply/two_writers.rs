//! A second writer without a common lock, or a person in the portal, removes the basis of a write right
//! after it. The program puts a removed phone back, lowers a raised state again, and names every user that
//! is left open or stuck.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use mfactl::apply::context::RunContext;
use mfactl::apply::rule_watch::RuleWatch;
use mfactl::journal::{ChainEnd, Journal, Past};
use mfactl::moment::Moment;
use mfactl::plan::Plan;
use mfactl::results::WriteResult;
use mfactl::results::{ApplyReport, ChangeResult};
use mfactl::settings::Setting;
use mfactl::tenant::membership::Guarding;
use mfactl_sandbox::records::Document;
use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Fault, Faults, PartInfo};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::apply::killed::journals;
use crate::apply::waves::undisturbed;
use crate::support::inside::{Inside, load};
use crate::support::journal_files::wait;
use crate::support::tenant_builder::{PHONES, TenantBuilder, exchangelabs};
use crate::support::world::{PROJECT, World, request};

pub(crate) const JANE: &str = "j.smith@exchangelabs.nl";

/// A policy for several users.
pub(crate) fn wants_of(names: &[&str], desired: &str) -> String {
    wants(&names.join(", "), desired)
}

pub(crate) fn wants(name: &str, desired: &str) -> String {
    format!(
        "version: 1\npolicies:\n  one:\n    appliesTo: {{ users: [{name}] }}\n    desired: {desired}\n"
    )
}

/// The registered phones: type and number.
fn phones_of(inside: &Inside, name: &str) -> Vec<(String, String)> {
    let store = inside.server.store();
    let user = store.user(name).expect("the user");
    let text = |phone: &Document, key: &str| phone[key].as_str().unwrap_or_default().to_owned();
    let phones = user.methods.iter().filter(|one| one.contains_key("phoneType"));
    phones.map(|one| (text(one, "phoneType"), text(one, "phoneNumber"))).collect()
}

fn state_of(inside: &Inside, name: &str) -> Value {
    let store = inside.server.store();
    store.user(name).expect("the user").requirements["perUserMfaState"].clone()
}

/// Another writer. It acts once, before the first read after the first write of a kind.
struct OtherWriter {
    url: OnceLock<String>,
    written: AtomicBool,
    done: AtomicBool,
}

/// Faults in which another writer sends a request right after the program has done a write of that kind.
fn right_after(
    is_ours: impl Fn(&PartInfo) -> bool + Send + Sync + 'static,
    sent: (&'static str, String),
) -> (Faults, Arc<OtherWriter>) {
    right_after_with(is_ours, sent, |_| Fault::None)
}

/// The same, with an additional fault for each request.
fn right_after_with(
    is_ours: impl Fn(&PartInfo) -> bool + Send + Sync + 'static,
    (method, path): (&'static str, String),
    besides: impl Fn(&PartInfo) -> Fault + Send + Sync + 'static,
) -> (Faults, Arc<OtherWriter>) {
    let other = Arc::new(OtherWriter {
        url: OnceLock::new(),
        written: AtomicBool::new(false),
        done: AtomicBool::new(false),
    });
    let shared = Arc::clone(&other);
    let faults = Faults::by(move |part| {
        if part.write.is_some() {
            if is_ours(part) {
                shared.written.store(true, Ordering::SeqCst);
            }
        } else if part.batch_part.is_some()
            && shared.written.load(Ordering::SeqCst)
            && !shared.done.swap(true, Ordering::SeqCst)
        {
            let url = shared.url.get().expect("an address");
            let sent = request(url, method, &path, None);
            let (status, answer) = tokio::task::block_in_place(|| Handle::current().block_on(sent));
            assert!(status < 300, "{status} {answer}");
        }
        besides(part)
    });
    (faults, other)
}

pub(crate) fn phone_path(name: &str, kind: &str) -> String {
    let (_, id, _) = PHONES.into_iter().find(|(one, ..)| *one == kind).expect("a kind");
    format!("/v1.0/users/{name}/authentication/phoneMethods/{id}")
}

pub(crate) fn planned(tenant: TenantBuilder, policy: &str) -> (Inside, Plan) {
    let inside = tenant.inside();
    let folder = World::empty().file("mfactl.yaml", PROJECT).file("policies/one.yaml", policy);
    let plan = inside.plan(&load(&folder.path("")).expect("policies")).expect("a plan");
    assert_eq!(plan.changes.len(), 1, "{:#?}", plan.changes);
    (inside, plan)
}

/// Applies a plan with a journal, and reads the journal.
fn journaled(
    inside: &Inside,
    plan: &Plan,
    mut conduct: RunContext<'_, impl AsyncFnMut() -> Result<(), String>>,
) -> (ApplyReport, Past) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = inside.journals(folder.path());
    let runs = files.runs();
    let end = wait(ChainEnd::read(&runs)).expect("a folder");
    let journal =
        wait(Journal::begin((&runs, &end), plan, Guarding::default(), Timestamp::now(), 1));
    let journal = journal.expect("a journal");
    conduct.listed_after = [Duration::ZERO; 4];
    conduct.put_back_after =
        [Duration::ZERO, Duration::from_millis(1), Duration::ZERO, Duration::ZERO];
    conduct.resend_after = Duration::from_millis(1);
    let report = {
        let mut conduct = conduct;
        conduct.journal = Some(&journal);
        inside.conducted(plan, conduct)
    };
    let run = wait(journal.close(&report)).expect("a closed journal");
    (report, files.past(&run).expect("a journal"))
}

#[track_caller]
fn was_put_back(report: &ApplyReport, past: &Past, setting: Setting) {
    let [ChangeResult::Failed(why)] = report.results.as_slice() else { panic!("{report:?}") };
    assert!(why.contains("was put back"), "{why}");
    let written: Vec<_> = past.told.iter().map(|write| write.intent.puts_back).collect();
    assert_eq!(written, [None, Some(0)], "the second write reverts the first one");
    assert!(past.told.iter().all(|write| write.intent.setting == setting));
    assert!(
        past.told
            .iter()
            .all(|write| write.ended.as_ref().is_some_and(|one| one.result == WriteResult::Done))
    );
}

#[test]
fn removed_phone_is_put_back_if_the_other_phone_disappears() {
    for (ours, theirs) in [("office", "mobile"), ("mobile", "office")] {
        let tenant = exchangelabs().phones(JANE, &["mobile", "office"], "enforced");
        let id = PHONES.into_iter().find(|(kind, ..)| *kind == ours).expect("a kind").1;
        let is_ours = move |part: &PartInfo| part.method == "DELETE" && part.path.ends_with(id);
        let (faults, other) = right_after(is_ours, ("DELETE", phone_path(JANE, theirs)));
        let policy = wants(JANE, &format!("{{ phones: {{ {ours}: absent }} }}"));
        let (inside, plan) = planned(tenant.faults(faults), &policy);
        other.url.set(inside.server.url().to_owned()).expect("set once");
        let (report, past) = journaled(&inside, &plan, undisturbed());
        let setting = if ours == "mobile" { Setting::MobilePhone } else { Setting::OfficePhone };
        was_put_back(&report, &past, setting);
        let number = PHONES.into_iter().find(|(kind, ..)| *kind == ours).expect("a kind").2;
        assert_eq!(phones_of(&inside, JANE), [(ours.to_owned(), number.to_owned())]);
    }
}

#[test]
fn raised_state_is_lowered_again_if_the_method_disappears() {
    let tenant = exchangelabs().phones(JANE, &["mobile"], "disabled");
    let is_ours = |part: &PartInfo| part.method == "PATCH" && part.path.ends_with("/requirements");
    let (faults, other) = right_after(is_ours, ("DELETE", phone_path(JANE, "mobile")));
    let (inside, plan) = planned(tenant.faults(faults), &wants(JANE, "{ perUserMfa: enabled }"));
    other.url.set(inside.server.url().to_owned()).expect("set once");
    let (report, past) = journaled(&inside, &plan, undisturbed());
    was_put_back(&report, &past, Setting::PerUserMfa);
    assert_eq!(state_of(&inside, JANE), "disabled");
}

/// Conditional Access changes right after the state was lowered because of it.
#[test]
fn lowered_state_is_raised_again_if_the_rules_change() {
    let tenant = TenantBuilder::named("exchangelabs-conditional-access");
    let tenant = tenant.phones(JANE, &["mobile"], "enforced");
    let (inside, plan) = planned(tenant, &wants(JANE, "{ perUserMfa: disabled }"));
    let checks = AtomicUsize::new(0);
    let changed =
        "the rules that require MFA, or the users that they apply to, have changed since the plan";
    let watch = RuleWatch::new(Moment::now(), Duration::MAX, Duration::MAX, async || {
        checks.fetch_add(1, Ordering::SeqCst);
        Err(changed.to_owned())
    });
    let (report, past) = journaled(&inside, &plan, RunContext::new(watch));
    was_put_back(&report, &past, Setting::PerUserMfa);
    assert_eq!(checks.load(Ordering::SeqCst), 1, "the rules were checked after the write");
    assert_eq!(state_of(&inside, JANE), "enforced");
}

#[test]
fn write_that_is_still_safe_is_not_put_back() {
    let tenant = TenantBuilder::named("exchangelabs-conditional-access");
    let tenant = tenant.phones(JANE, &["mobile", "office"], "enforced");
    for desired in ["{ perUserMfa: disabled }", "{ phones: { office: absent } }"] {
        let (inside, plan) = planned(tenant.clone(), &wants(JANE, desired));
        let (report, past) = journaled(&inside, &plan, undisturbed());
        assert!(report.is_whole(), "{report:?}");
        assert_eq!(past.told.len(), 1);
    }
}

#[test]
fn failed_put_back_is_tried_again() {
    let tenant = exchangelabs().phones(JANE, &["mobile", "office"], "enforced");
    let office = PHONES[2].1;
    let is_ours = move |part: &PartInfo| part.method == "DELETE" && part.path.ends_with(office);
    let posts = AtomicUsize::new(0);
    let refused = move |part: &PartInfo| {
        let is_post = part.method == "POST" && part.path.ends_with("/phoneMethods");
        match is_post && posts.fetch_add(1, Ordering::SeqCst) == 0 {
            true => {
                let code = "serviceNotAvailable".to_owned();
                Fault::Status { status: 503, code, retry_after: None }
            }
            false => Fault::None,
        }
    };
    let taken = ("DELETE", phone_path(JANE, "mobile"));
    let (faults, other) = right_after_with(is_ours, taken, refused);
    let policy = wants(JANE, "{ phones: { office: absent } }");
    let (inside, plan) = planned(tenant.faults(faults), &policy);
    other.url.set(inside.server.url().to_owned()).expect("set once");
    let (report, past) = journaled(&inside, &plan, undisturbed());
    let [ChangeResult::Failed(why)] = report.results.as_slice() else { panic!("{report:?}") };
    assert!(why.contains("was put back"), "{why}");
    assert_eq!(past.told.len(), 3, "the removal, and two tries to put it back");
    assert_eq!(phones_of(&inside, JANE).len(), 1);
}

/// Kills the program when it is about to put a phone back, or right after it has done so.
fn killed_when_it_puts_back(done: bool) -> World {
    let tenant = exchangelabs().phones(JANE, &["mobile", "office"], "enforced");
    let office = PHONES[2].1;
    let is_ours = move |part: &PartInfo| part.method == "DELETE" && part.path.ends_with(office);
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    let (hand, posts) = (Arc::clone(&victim), AtomicUsize::new(0));
    let kills = move |part: &PartInfo| {
        let is_post = part.method == "POST" && part.path.ends_with("/phoneMethods");
        if !is_post || posts.fetch_add(1, Ordering::SeqCst) > 0 {
            return Fault::None;
        }
        if let Some(child) = &mut *hand.lock().expect("no panic") {
            child.kill().expect("a child to kill");
        }
        if done { Fault::CloseAfter } else { Fault::CloseBefore }
    };
    let taken = ("DELETE", phone_path(JANE, "mobile"));
    let (faults, other) = right_after_with(is_ours, taken, kills);
    let world = tenant.faults(faults).world();
    other.url.set(world.server().url().to_owned()).expect("set once");
    let world = world.file("policies/one.yaml", wants(JANE, "{ phones: { office: absent } }"));
    {
        let mut place = victim.lock().expect("no panic");
        let mut command = world.command(&["apply", "--auto-approve"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        *place = Some(command.spawn().expect("the program"));
    }
    loop {
        let mut child = victim.lock().expect("no panic");
        if let Some(status) = child.as_mut().and_then(|child| child.try_wait().expect("a child")) {
            assert_eq!(status.code(), None, "it was killed");
            *child = None;
            return world;
        }
        drop(child);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The next apply reads what the killed one left and names the open user, and undo repairs the account.
#[test]
fn next_apply_names_the_user_if_the_put_back_was_killed() {
    let world = killed_when_it_puts_back(false);
    let run = world.run(&["apply", "--auto-approve"]).ends(5);
    assert!(run.stderr.contains(&format!("{JANE} is open")), "{}", run.text());
    let past = journals(&world).remove(0);
    world.run(&["undo", past.run.as_str(), "--auto-approve"]).ends(0);
    assert_eq!(world.server().store().judge(JANE), Some(Verdict::Ok));
    world.run(&["apply", "--auto-approve"]).ends(0);
}

/// Undoing the run does not remove the phone that was put back.
#[test]
fn put_back_completed_before_a_kill_leaves_nothing_to_undo() {
    let world = killed_when_it_puts_back(true);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let past = journals(&world).remove(0);
    let run = world.run(&["undo", past.run.as_str(), "--auto-approve"]).ends(0);
    assert!(
        !run.stdout.contains("mobile phone") && !run.stdout.contains("office phone"),
        "{}",
        run.text()
    );
    assert_eq!(world.server().store().judge(JANE), Some(Verdict::Ok));
}
