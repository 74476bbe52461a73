//! Runs a workflow as the runner of GitHub Actions does: a folder for each job, the variables of the job, the
//! outputs of its steps, and artifacts from one job to the next.
//!
//! Not here: the values of expressions (`expressions`), or the services that a job meets (`site`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::expressions::{Context, holds, resolved, shown};
use super::files::{POLICIES, TRUSTED, list, map, read, text};
use super::site::{READER, Site, WRITER, paths};
use crate::cli::comment::stand_in::TOKEN;

/// What happened, and what the repository sets.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) reference: &'static str,
    pub(super) payload: Value,
    pub(super) vars: Value,
    /// The checksum that the workflows name, if it is not the one of the file.
    pub(super) sha256: Option<String>,
    /// Inputs that the user changed in the caller.
    pub(super) with: Value,
}

impl Event {
    pub(super) fn new(name: &'static str, reference: &'static str) -> Self {
        let vars = json!({ "MFACTL_READER": READER, "MFACTL_WRITER": WRITER });
        Self { name, reference, payload: json!({}), vars, sha256: None, with: json!({}) }
    }

    /// A push to `main`.
    pub(super) fn push() -> Self {
        Self::new("push", "refs/heads/main")
    }

    /// Pull request 7, from a branch of this repository.
    pub(super) fn pull_request(head: &str, from: &str) -> Self {
        let head = json!({ "sha": head, "repo": { "full_name": from } });
        let payload = json!({ "pull_request": { "number": 7, "head": head } });
        Self { payload, ..Self::new("pull_request", "refs/pull/7/merge") }
    }
}

/// How a job ended.
#[derive(Debug, Clone, Default)]
pub(super) struct JobEnd {
    /// The exit code of the step that failed; 0 if none did.
    pub(super) code: i32,
    /// What its steps printed.
    pub(super) log: String,
    pub(super) summary: String,
    outputs: Context,
}

#[derive(Debug, Default)]
pub(super) struct WorkflowEnd {
    /// The jobs that ran.
    pub(super) jobs: BTreeMap<String, JobEnd>,
    pub(super) artifacts: PathBuf,
}

impl WorkflowEnd {
    #[track_caller]
    pub(super) fn ends(self, job: &str, code: i32) -> Self {
        let end = self
            .jobs
            .get(job)
            .unwrap_or_else(|| panic!("`{job}` did not run: {:?}", self.jobs.keys()));
        assert_eq!(end.code, code, "{job}\n{}", end.log);
        self
    }
}

struct Job<'a> {
    site: &'a Site,
    event: &'a Event,
    /// The file of the workflow that has the job.
    workflow: &'a str,
    folder: PathBuf,
    artifacts: &'a Path,
    permissions: Value,
    environment: BTreeMap<String, String>,
    context: Context,
    end: JobEnd,
}

/// Runs a workflow of the policies. `between` runs before each job but the first.
pub(super) fn run(site: &Site, caller: &str, event: &Event, between: &dyn Fn()) -> WorkflowEnd {
    let caller = read(&Path::new(POLICIES).join(".github/workflows").join(caller));
    let starts = match &caller["on"] {
        Value::String(name) => name == event.name,
        events => events.get(event.name).is_some(),
    };
    assert!(starts, "{} does not start it", event.name);
    let (_, call) = map(&caller["jobs"]).next().expect("a job");
    let called = text(&call["uses"])
        .split('@')
        .next()
        .and_then(|uses| uses.strip_prefix("contoso/mfa-workflows/"));
    let called = called.expect("a workflow");
    let workflow = read(&Path::new(TRUSTED).join(called));
    let mut context = outer(event);
    context.insert("inputs".to_owned(), event.payload["inputs"].clone());
    let mut inputs: Context = map(&workflow["on"]["workflow_call"]["inputs"])
        .map(|(name, input)| (name.clone(), input["default"].clone()))
        .collect();
    inputs.extend(map(&call["with"]).map(|(name, value)| match value.as_str() {
        Some(text) => (name.clone(), json!(resolved(text, &context))),
        None => (name.clone(), value.clone()),
    }));
    inputs.extend(map(&event.with).map(|(name, value)| (name.clone(), value.clone())));
    context.insert("inputs".to_owned(), json!(inputs));
    let secrets: Context = map(&call["secrets"])
        .map(|(name, _)| (name.clone(), json!("a secret of 25 characters")))
        .collect();
    context.insert("secrets".to_owned(), json!(secrets));
    let mut environment = workflow["env"].clone();
    if let Some(sha256) = &event.sha256 {
        environment["MFACTL_SHA256"] = json!(sha256);
    }
    context.insert("env".to_owned(), environment);
    let number = fs::read_dir(site.path("runs")).map_or(0, Iterator::count);
    let root = site.path(&format!("runs/{number}"));
    let artifacts = root.join("artifacts");
    let mut done = WorkflowEnd { jobs: BTreeMap::new(), artifacts };
    for (name, job) in map(&workflow["jobs"]) {
        let needs = job["needs"].as_str();
        // Without a condition about failures, a job runs only if the one before it succeeded.
        let is_ready =
            needs.is_none_or(|needs| done.jobs.get(needs).is_some_and(|end| end.code == 0));
        let results: Context = done
            .jobs
            .iter()
            .map(|(name, end)| (name.clone(), json!({ "outputs": end.outputs })))
            .collect();
        context.insert("needs".to_owned(), json!(results));
        if !is_ready || !job["if"].as_str().is_none_or(|condition| holds(condition, &context)) {
            continue;
        }
        if !done.jobs.is_empty() {
            between();
        }
        let end = Job {
            site,
            event,
            workflow: called.rsplit('/').next().expect("a name"),
            folder: root.join(name),
            artifacts: &done.artifacts,
            permissions: job["permissions"].clone(),
            environment: BTreeMap::new(),
            context: context.clone(),
            end: JobEnd::default(),
        }
        .run(job);
        done.jobs.insert(name.clone(), end);
    }
    done
}

/// The values that each workflow of a run has.
fn outer(event: &Event) -> Context {
    let github = json!({ "ref": event.reference, "event_name": event.name, "repository": "contoso/mfa",
        "run_id": 1, "event": payload(event), "token": TOKEN });
    let mut context = Context::new();
    context.insert("github".to_owned(), github);
    context.insert("vars".to_owned(), event.vars.clone());
    context.insert("steps".to_owned(), json!({}));
    context
}

fn payload(event: &Event) -> Value {
    let mut payload = event.payload.clone();
    payload["repository"] = json!({ "default_branch": "main" });
    payload
}

impl Job<'_> {
    fn run(mut self, job: &Value) -> JobEnd {
        for part in ["work", "temp", "home"] {
            fs::create_dir_all(self.folder.join(part)).expect("a folder");
        }
        self.environment = self.variables();
        let writes =
            map(&self.permissions).any(|(key, level)| key != "id-token" && level == "write");
        if !writes {
            self.context["github"]["token"] = json!("a-token-that-reads");
        }
        let mut steps = Context::new();
        for (number, step) in list(&job["steps"]).iter().enumerate() {
            self.context.insert("steps".to_owned(), json!(steps));
            let runs = step["if"].as_str().is_none_or(|condition| holds(condition, &self.context));
            if !runs || self.end.code != 0 {
                continue;
            }
            let outputs = self.step(step, number);
            if let Some(id) = step["id"].as_str() {
                steps.insert(id.to_owned(), json!({ "outputs": outputs }));
            }
        }
        self.context.insert("steps".to_owned(), json!(steps));
        let outputs = map(&job["outputs"])
            .map(|(name, value)| (name.clone(), json!(resolved(text(value), &self.context))));
        self.end.outputs = outputs.collect();
        self.end
    }

    /// The variables that the runner sets.
    fn variables(&self) -> BTreeMap<String, String> {
        let path = |part: &str| self.folder.join(part).display().to_string();
        fs::write(path("event.json"), payload(self.event).to_string()).expect("a file");
        let remote = format!("file://{}", self.site.path("remote").display());
        let mut variables: BTreeMap<String, String> = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", self.site.host.front.url()),
            ("GITHUB_SERVER_URL", remote),
            ("GITHUB_REPOSITORY", "contoso/mfa".to_owned()),
            ("GITHUB_REF", self.event.reference.to_owned()),
            ("GITHUB_EVENT_NAME", self.event.name.to_owned()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_WORKSPACE", path("work")),
            ("GITHUB_STEP_SUMMARY", path("summary.md")),
            ("RUNNER_TEMP", path("temp")),
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_ARCH", "X64".to_owned()),
            ("HOME", path("home")),
            ("PATH", paths(self.site)),
            ("MFACTL_TODAY", "2026-11-22".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if self.permissions["id-token"] == "write" {
            let claims = json!({ "iss": "https://token.actions.githubusercontent.com", "workflow": self.workflow,
                "sub": format!("repo:contoso/mfa:job_workflow_ref:contoso/mfa-workflows/.github/workflows/{}@1", self.workflow) });
            let url = format!("{}?api-version=2.0", self.site.token_url(&claims));
            variables.insert("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), url);
            variables
                .insert("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), "of the runner".to_owned());
        }
        variables
    }

    /// Does one step, and returns its outputs.
    fn step(&mut self, step: &Value, number: usize) -> Context {
        let uses = text(&step["uses"]).split('@').next().unwrap_or_default();
        let with = |name: &str| resolved(&shown(&step["with"][name]), &self.context);
        let work = self.folder.join("work");
        match uses {
            "" => return self.script(step, number),
            "actions/checkout" => self.checkout(&with("path"), &with("fetch-depth")),
            "actions/upload-artifact" => {
                let (path, name) = (with("path"), with("name"));
                let target = self.artifacts.join(name);
                fs::create_dir_all(&target).expect("a folder");
                fs::copy(work.join(&path), target.join(&path)).expect("an artifact");
            }
            "actions/download-artifact" => {
                for file in super::site::files_below(&self.artifacts.join(with("name"))) {
                    fs::copy(&file, work.join(file.file_name().expect("a name"))).expect("a file");
                }
            }
            "contoso/mfa-workflows/setup" => self.setup(step, number),
            other => panic!("`{other}` is unknown here"),
        }
        Context::new()
    }

    /// Runs the steps of the composite action, with its inputs.
    fn setup(&mut self, step: &Value, number: usize) {
        let action = read(&Path::new(TRUSTED).join("setup/action.yml"));
        let inputs = map(&action["inputs"]).map(|(name, input)| {
            let given = step["with"].get(name).unwrap_or(&input["default"]);
            (name.clone(), json!(resolved(&shown(given), &self.context)))
        });
        let outer = self.context.clone();
        let inputs: Context = inputs.collect();
        self.context.insert("inputs".to_owned(), json!(inputs));
        for one in list(&action["runs"]["steps"]) {
            assert_eq!(one["shell"], "bash");
            self.script(one, number);
        }
        self.context = outer;
    }

    fn checkout(&self, path: &str, depth: &str) {
        let folder = self.folder.join("work").join(path);
        fs::create_dir_all(&folder).expect("a folder");
        let folder =
            folder.strip_prefix(self.site.path("")).expect("a folder").display().to_string();
        let url = format!("file://{}", self.site.path("remote/contoso/mfa").display());
        self.site.git(&folder, &["init", "--quiet"]);
        let depth = match depth {
            "" => "--depth=1".to_owned(),
            "0" => "--no-tags".to_owned(),
            other => format!("--depth={other}"),
        };
        self.site.git(&folder, &["fetch", "--quiet", &depth, &url, self.event.reference]);
        self.site.git(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
    }

    fn script(&mut self, step: &Value, number: usize) -> Context {
        let file = |name: &str| self.folder.join(format!("{number}.{name}"));
        let (script, output, path) = (file("sh"), file("output"), file("path"));
        fs::write(&script, resolved(text(&step["run"]), &self.context)).expect("a script");
        let variables = map(&step["env"])
            .map(|(name, value)| (name.clone(), resolved(&shown(value), &self.context)));
        let mut command = Command::new("bash");
        match text(&step["shell"]) {
            "" => command.arg("-e"),
            _ => command.args(["--noprofile", "--norc", "-eo", "pipefail"]),
        };
        let run = command
            .arg(&script)
            .current_dir(self.folder.join("work"))
            .env_clear()
            .envs(map(&self.context["env"]).map(|(name, value)| (name, shown(value))))
            .envs(&self.environment)
            .envs(variables)
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_PATH", &path)
            .output()
            .expect("bash");
        for said in [&run.stdout, &run.stderr] {
            self.end.log += &String::from_utf8_lossy(said);
        }
        self.end.code = run.status.code().unwrap_or(-1);
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            let all = format!("{line}:{}", self.environment["PATH"]);
            self.environment.insert("PATH".to_owned(), all);
        }
        self.end.summary =
            fs::read_to_string(&self.environment["GITHUB_STEP_SUMMARY"]).unwrap_or_default();
        let outputs = fs::read_to_string(output).unwrap_or_default();
        outputs
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect()
    }
}
