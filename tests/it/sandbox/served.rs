//! The embedded tenant with a copy of the files in the root of the repository: the first commands of a
//! newcomer, and the tenant as a server for other programs.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mfactl_sandbox::sign_in::Verdict;
use mfactl_sandbox::{Store, seeds, store_in, user_lines};
use serde_json::{Value, json};

use crate::support::world::{World, request, runtime};

/// A world with `mfactl.yaml`, `policies` and `checks` as they are committed.
pub(crate) fn root_files() -> World {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    World::empty()
        .copy(&root.join("mfactl.yaml"), "mfactl.yaml")
        .copy(&root.join("policies"), "policies")
        .copy(&root.join("checks"), "checks")
}

/// A running `mfactl sandbox serve`, and the URL that it printed first.
struct Served(Child, String);

impl Served {
    fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    fn start_with(world: &World, flags: &[&str]) -> Self {
        let mut command = world.command(&[&["sandbox", "serve", "--port", "0"], flags].concat());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(line.starts_with("http://127.0.0.1:"), "{line}");
        Self(child, line.trim().to_owned())
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        runtime().block_on(request(&self.1, method, path, body))
    }

    /// Stops the server with a signal, and returns its exit code.
    fn stop(self, signal: &str) -> Option<i32> {
        let kill = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(kill.expect("kill").success());
        let output = self.0.wait_with_output().expect("an end");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        output.status.code()
    }
}

fn sign_ins(store: &Store) -> BTreeMap<String, Verdict> {
    user_lines(store).map(|line| (line.user_principal_name, line.sign_in)).collect()
}

#[test]
fn apply_makes_open_users_of_the_sandbox_protected() {
    let world = root_files();
    let folder = world.path(".mfactl/sandbox");
    let plan = world.run(&["plan", "--all", "--detailed-exitcode"]).ends(2);
    let heading = plan.stdout.lines().find(|line| line.contains("j.brown@exchangelabs.nl"));
    assert!(heading.expect("James").ends_with("open → protected"), "{}", plan.text());
    assert!(!folder.exists(), "a plan writes nothing");

    let before = sign_ins(&store_in(&folder).expect("a tenant"));
    assert_eq!(before["j.brown@exchangelabs.nl"], Verdict::MustRegister);
    let apply = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(apply.stdout.contains("Planned again: nothing is left to do"), "{}", apply.text());
    world.run(&["plan", "--detailed-exitcode"]).ends(0);

    let store = store_in(&folder).expect("a tenant");
    let after = sign_ins(&store);
    assert_eq!(after["j.brown@exchangelabs.nl"], Verdict::Ok);
    let worse = |name: &&String| {
        let (was, is) = (before[*name], after[*name]);
        was != is && matches!(is, Verdict::MustRegister | Verdict::Blocked)
    };
    assert_eq!(after.keys().filter(worse).collect::<Vec<_>>(), Vec::<&String>::new());
    let newly = after.iter().filter(|(name, is)| **is == Verdict::Ok && before[*name] != **is);
    assert!(newly.count() > 20, "many users are better protected");
    for id in [seeds::BREAK_GLASS_1, seeds::BREAK_GLASS_2] {
        let written = store.writes().iter().any(|line| line.path.contains(&id.to_string()));
        assert!(!written, "{id}");
    }

    let served = Served::start(&world);
    let (status, phones) =
        served.call("GET", "/v1.0/users/j.brown@exchangelabs.nl/authentication/phoneMethods", None);
    assert_eq!(status, 200);
    assert_eq!(phones["value"][0]["phoneNumber"], "+31 612345678");
    let (_, answer) =
        served.call("POST", "/sandbox/signIn", Some(&json!({ "user": "j.brown@exchangelabs.nl" })));
    assert_eq!(answer["result"], "ok");
    assert_eq!(served.stop("-TERM"), Some(0));
}

#[test]
fn second_program_on_a_served_folder_gets_one_error() {
    let world = root_files();
    let served = Served::start(&world);
    let body = json!({ "mobilePhone": "+31 6 11112222" });
    let (status, answer) = served.call("PATCH", "/v1.0/users/x.tran@exchangelabs.nl", Some(&body));
    assert_eq!(status, 204, "{answer}");
    for command in [&["plan"][..], &["apply", "--auto-approve"], &["sandbox", "reset"]] {
        let run = world.run(command).ends(1);
        assert_eq!(run.stdout, "");
        let url = &served.1;
        assert_eq!(
            run.stderr,
            format!("error: the sandbox in `.mfactl/sandbox` is in use by a server at {url}\n")
        );
    }
    world.run(&["sandbox", "show", "x.tran@exchangelabs.nl"]).ends(0);
    assert_eq!(served.stop("-INT"), Some(0));
    world.run(&["plan"]).ends(0);
}

#[test]
fn served_sandbox_can_list_new_methods_late() {
    let world = root_files();
    let served = Served::start_with(&world, &["--methods-late", "600"]);
    let phones = "/v1.0/users/x.tran@exchangelabs.nl/authentication/phoneMethods";
    let body = json!({ "phoneType": "mobile", "phoneNumber": "+31 611112222" });
    assert_eq!(served.call("POST", phones, Some(&body)).0, 201);
    assert_eq!(served.call("GET", phones, None).1["value"], json!([]));
    assert_eq!(served.stop("-TERM"), Some(0));
}

#[test]
fn served_sandbox_is_used_like_a_tenant_of_microsoft() {
    let world = root_files();
    let served = Served::start(&world);
    let project = std::fs::read_to_string(world.path("mfactl.yaml")).expect("a file");
    let url = &served.1;
    let project = project.replace("tenant: sandbox", "tenant: exchangelabs.nl")
        + &format!("endpoints:\n  graph: {url}\n  login: {url}\n");
    let world = world
        .file("mfactl.yaml", project)
        .with("AZURE_CLIENT_ID", "mfactl")
        .with("AZURE_CLIENT_SECRET", "any");
    world.run(&["plan", "--detailed-exitcode"]).ends(2);
    world.run(&["apply", "--auto-approve"]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
    assert_eq!(served.stop("-TERM"), Some(0));
    let shown = world.run(&["sandbox", "show", "j.brown@exchangelabs.nl"]).ends(0);
    assert!(shown.stdout.contains("+31 ••••••78"), "the written phone stays: {}", shown.text());
}

#[test]
fn reset_restores_the_seed() {
    let world = root_files();
    world.run(&["apply", "--auto-approve"]).ends(0);
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
    let run = world.run(&["sandbox", "reset"]).ends(0);
    assert!(run.stdout.starts_with("the sandbox is reset to `exchangelabs`"), "{}", run.text());
    world.run(&["plan", "--detailed-exitcode"]).ends(2);
    let seed = "exchangelabs-security-defaults";
    world.run(&["sandbox", "reset", "--seed", seed]).ends(0);
    let store = store_in(&world.path(".mfactl/sandbox")).expect("a tenant");
    assert_eq!(store.seed().name, seed);
    let run = world.run(&["sandbox", "reset", "--seed", "atlantis"]).ends(1);
    assert!(seeds::names().iter().all(|name| run.stderr.contains(name)), "{}", run.text());
}

#[test]
fn policies_of_the_repository_work_in_a_generated_tenant() {
    let world = root_files();
    let run = world.run(&["sandbox", "reset", "--users", "30"]).ends(0);
    assert!(run.stdout.starts_with("the sandbox is reset to `generated-30`"), "{}", run.text());
    let run = world.run(&["apply", "--auto-approve"]).ends(0);
    assert!(run.stdout.contains("30 users in scope"), "{}", run.text());
    world.run(&["plan", "--detailed-exitcode"]).ends(0);
}
