//! A user that a run wrote to and that is open, stuck or worse off at its end is named: after every kind of
//! run, also if another writer caused it.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Fault, Faults, PartInfo};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::apply::killed::journals;
use crate::apply::two_writers::{JANE, phone_path, wants};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{Run, World, request};

/// A request of another writer: method, path and body.
type Sent = (&'static str, String, Value);

/// The rules of the tenant are read for the plan, before the first write, and at the end of a run. Right
/// before the last of so many reads, another writer sends requests.
fn at_the_end(
    reads: usize,
    sent: Vec<Sent>,
    besides: impl Fn(&PartInfo, bool) -> Fault + Send + Sync + 'static,
) -> (Faults, Arc<OnceLock<String>>) {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (address, seen, is_over) = (Arc::clone(&url), AtomicUsize::new(0), AtomicBool::new(false));
    let faults = Faults::by(move |part| {
        let is_look = part.method == "GET" && part.path.ends_with("/conditionalAccess/policies");
        if is_look && seen.fetch_add(1, Ordering::SeqCst) + 1 == reads {
            is_over.store(true, Ordering::SeqCst);
            let url = address.get().expect("an address");
            for (method, path, body) in &sent {
                let sent = request(url, method, path, (!body.is_null()).then_some(body));
                let (status, answer) =
                    tokio::task::block_in_place(|| Handle::current().block_on(sent));
                assert!(status < 300, "{status} {answer}");
            }
        }
        besides(part, is_over.load(Ordering::SeqCst))
    });
    (faults, url)
}

/// Jane with a mobile and an office phone, and a policy that removes the office phone.
fn world_where(
    reads: usize,
    sent: Vec<Sent>,
    besides: impl Fn(&PartInfo, bool) -> Fault + Send + Sync + 'static,
) -> World {
    let (faults, url) = at_the_end(reads, sent, besides);
    let tenant = exchangelabs().phones(JANE, &["mobile", "office"], "enforced");
    let world = tenant.faults(faults).world();
    url.set(world.server().url().to_owned()).expect("set once");
    world.file("policies/one.yaml", wants(JANE, "{ phones: { office: absent } }"))
}

fn removes_the_mobile() -> Vec<Sent> {
    vec![("DELETE", phone_path(JANE, "mobile"), Value::Null)]
}

fn nothing(_: &PartInfo, _: bool) -> Fault {
    Fault::None
}

fn last_run(world: &World) -> String {
    journals(world).last().expect("a run").run.to_string()
}

/// Checks that the output and the JSON name Jane, with a help line.
#[track_caller]
fn names_jane(world: &World, run: &Run, what: &str) {
    assert_eq!(run.code, Some(5), "{}", run.text());
    assert!(
        run.stdout.contains(JANE) && run.stdout.contains("Checked again: 1 user"),
        "{}",
        run.text()
    );
    assert!(!run.stdout.contains("nothing is left"), "{}", run.text());
    assert!(run.stderr.contains("help: `mfactl explain USER`"), "{}", run.text());
    let shown = world.run(&["runs", "show", &last_run(world), "--format", "json"]).ends(0);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let worse = &shown.pointer("/runs/0/worse/0").expect("a user");
    assert_eq!(
        (worse["name"].as_str(), worse["what"].as_str()),
        (Some(JANE), Some(what)),
        "{shown}"
    );
}

#[test]
fn user_open_after_any_apply_is_named_and_undo_repairs_it() {
    open_user_is_named(3);
}

#[test]
#[ignore = "long: an apply of the whole plan and of two parts"]
fn user_open_after_an_apply_of_a_part_is_named_and_undo_repairs_it() {
    open_user_is_named(1);
}

/// Takes every `step`-th row.
fn open_user_is_named(step: usize) {
    for arguments in [
        &["apply", "--auto-approve"][..],
        &["apply", "--auto-approve", "--limit", "1"],
        &["apply", "--auto-approve", "--user", JANE],
    ]
    .into_iter()
    .step_by(step)
    {
        let world = world_where(3, removes_the_mobile(), nothing);
        let run = world.run(arguments);
        names_jane(&world, &run, "open");
        assert_eq!(world.server().store().judge(JANE), Some(Verdict::MustRegister));
        let undo = world.run(&["undo", &last_run(&world), "--auto-approve"]).ends(0);
        assert_eq!(world.server().store().judge(JANE), Some(Verdict::Ok), "{}", undo.text());
    }
}

#[test]
fn user_open_after_a_saved_plan_is_named() {
    let world = world_where(3, removes_the_mobile(), nothing);
    world.run(&["plan", "--out", "saved.plan"]).ends(0);
    let run = world.run(&["apply", "saved.plan"]);
    names_jane(&world, &run, "open");
}

/// Jane was in the policy because of her department, which changes during the run.
#[test]
fn user_open_after_leaving_all_policies_is_named() {
    let moved = ("PATCH", format!("/v1.0/users/{JANE}"), json!({ "department": "Elsewhere" }));
    let mut sent = removes_the_mobile();
    sent.push(moved);
    let world = world_where(3, sent, nothing);
    let department = world.call("GET", &format!("/v1.0/users/{JANE}?$select=department"), None).1;
    let department = department["department"].as_str().expect("a department").to_owned();
    let policy = format!(
        "version: 1\npolicies:\n  one:\n    appliesTo: {{ users: [{JANE}] }}\n    where: {{ department: [{department}] }}\n    desired: {{ phones: {{ office: absent }} }}\n"
    );
    let world = world.file("policies/one.yaml", policy);
    let run = world.run(&["apply", "--auto-approve"]);
    names_jane(&world, &run, "open");
}

#[test]
fn user_unreadable_after_the_apply_is_reported_as_unknown() {
    let refused = |part: &PartInfo, is_over: bool| {
        let is_hers = part.method == "GET" && part.path.ends_with("/authentication/methods");
        match is_over && is_hers {
            true => {
                Fault::Status { status: 403, code: "accessDenied".to_owned(), retry_after: None }
            }
            false => Fault::None,
        }
    };
    let world = world_where(3, Vec::new(), refused);
    let run = world.run(&["apply", "--auto-approve"]);
    names_jane(&world, &run, "notKnown");
    assert!(run.stdout.contains("could not be read"), "{}", run.text());
}

/// The run adds a phone and its undo removes that phone. Meanwhile another writer removes the other phone.
#[test]
fn user_open_after_an_undo_is_named() {
    let taken = vec![("DELETE", phone_path(JANE, "office"), Value::Null)];
    // Three reads of the apply and three of its undo.
    let (faults, url) = at_the_end(6, taken, nothing);
    let world = exchangelabs().phones(JANE, &["office"], "enforced").faults(faults).world();
    url.set(world.server().url().to_owned()).expect("set once");
    let policy = wants(JANE, "{ phones: { mobile: { from: mobilePhone } } }");
    let world = world.file("policies/one.yaml", policy);
    world.run(&["apply", "--auto-approve"]).ends(0);
    let run = world.run(&["undo", &last_run(&world), "--auto-approve"]);
    names_jane(&world, &run, "open");
}

#[test]
#[cfg(unix)]
fn user_open_after_a_stopped_run_is_named() {
    let victim: Arc<Mutex<Option<u32>>> = Arc::default();
    let (hand, asked) = (Arc::clone(&victim), AtomicBool::new(false));
    let stops = move |part: &PartInfo, _: bool| {
        if part.write.is_some()
            && part.path.contains("phoneMethods")
            && !asked.swap(true, Ordering::SeqCst)
        {
            let id = hand.lock().expect("no panic").expect("a process").to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        }
        Fault::None
    };
    let phones = ["mobile", "alternateMobile", "office"];
    let mut sent = removes_the_mobile();
    sent.insert(0, ("DELETE", phone_path(JANE, "alternateMobile"), Value::Null));
    let (faults, url) = at_the_end(3, sent, stops);
    let world = exchangelabs().phones(JANE, &phones, "enforced").faults(faults).world();
    url.set(world.server().url().to_owned()).expect("set once");
    let policy = wants(JANE, "{ phones: { office: absent, alternateMobile: absent } }");
    let world = world.file("policies/one.yaml", policy);
    let child = {
        let mut place = victim.lock().expect("no panic");
        let mut command = world.command(&["apply", "--auto-approve"]);
        let child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        *place = Some(child.id());
        child
    };
    let output = child.wait_with_output().expect("an end");
    let (stdout, stderr) = (world.alike(&output.stdout), world.alike(&output.stderr));
    let run = Run { code: output.status.code(), stdout, stderr };
    assert!(run.stderr.contains("stopped: by SIGTERM"), "{}", run.text());
    names_jane(&world, &run, "open");
}
