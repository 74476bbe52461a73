//! The component of GitLab: its jobs run in the order of their stages, each in a folder of its own, with the
//! artifacts of the jobs that it needs.
//!
//! Not here: whether GitLab accepts the file (`.ci/pipelines`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::files::{list, map, text};
use super::site::{JAMES, JANE, READER, Site, WRITER, files_below, paths, token, with_mfa};
use crate::cli::comment::stand_in::{Kind, TOKEN};

type Variables = BTreeMap<String, String>;

/// The jobs of the component, with these applications.
fn jobs() -> Value {
    let text = fs::read_to_string("pipelines/gitlab/templates/mfactl.yml").expect("the component");
    let (spec, jobs) = text.split_once("\n---\n").expect("two documents");
    let spec: Value = serde_yaml::from_str(spec).expect("YAML");
    let given = [("reader", READER), ("writer", WRITER), ("image", "mfactl")];
    let mut jobs = jobs.to_owned();
    for (name, input) in map(&spec["spec"]["inputs"]) {
        let value = given.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        let value = value.unwrap_or_else(|| input["default"].as_str().expect("a value"));
        jobs = jobs.replace(&format!("$[[ inputs.{name} ]]"), value);
    }
    assert!(!jobs.contains("$[["), "an input is unknown");
    serde_yaml::from_str(&jobs).expect("YAML")
}

/// Whether a rule holds: comparisons of variables and texts.
fn holds(rule: &str, variables: &Variables) -> bool {
    let value = |word: &str| match word.trim().strip_prefix('$') {
        Some(name) => variables.get(name).cloned().unwrap_or_default(),
        None => word.trim().trim_matches('"').to_owned(),
    };
    rule.split("&&").all(|one| match one.split_once("==") {
        Some((left, right)) => value(left) == value(right),
        None => {
            let (left, right) = one.split_once("!=").expect("a comparison");
            value(left) != value(right)
        }
    })
}

struct Pipeline<'a> {
    site: &'a Site,
    /// The commit, and the variables of the whole pipeline.
    commit: String,
    variables: Variables,
}

impl<'a> Pipeline<'a> {
    fn new(site: &'a Site, commit: &str, more: &[(&str, &str)]) -> Self {
        let api = format!("{}/api/v4", site.host.front.url());
        let path = format!("{}:{}", site.path("release").display(), paths(site));
        let own = [
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", &api),
            ("CI_PROJECT_ID", "12"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("MFACTL_FINGERPRINT_KEY", "a secret of 25 characters"),
            ("MFACTL_GITLAB_TOKEN", TOKEN),
            ("MFACTL_TODAY", "2026-11-22"),
            ("PATH", &path),
        ];
        let variables = own.iter().chain(more);
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { site, commit: commit.to_owned(), variables: variables.collect() }
    }

    fn merge_request(site: &'a Site, head: &str) -> Self {
        let base = site.git("author", &["merge-base", "main", head]);
        let more = [
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "12"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.as_str()),
        ];
        Self::new(site, head, &more)
    }

    /// Runs the jobs whose rules hold, and returns the code and the log of each.
    fn run(&self) -> BTreeMap<String, (i32, String)> {
        let jobs = jobs();
        let mut done = BTreeMap::new();
        let number = fs::read_dir(self.site.path("runs")).map_or(0, Iterator::count);
        for stage in list(&jobs["stages"]) {
            for (name, job) in map(&jobs).filter(|(_, job)| job["stage"] == *stage) {
                let rules = list(&job["rules"]).iter();
                if rules.map(|rule| text(&rule["if"])).any(|rule| holds(rule, &self.variables)) {
                    let folder = format!("runs/{number}/{name}");
                    done.insert(name.clone(), self.job(job, &folder, &format!("runs/{number}")));
                }
            }
        }
        done
    }

    fn job(&self, job: &Value, folder: &str, all: &str) -> (i32, String) {
        let path = self.site.path(folder);
        fs::create_dir_all(&path).expect("a folder");
        let url = format!("file://{}", self.site.path("author").display());
        self.site.git(folder, &["clone", "--quiet", "--no-checkout", &url, "."]);
        self.site.git(folder, &["checkout", "--quiet", "--detach", &self.commit]);
        for needed in list(&job["needs"]) {
            let artifacts = self.site.path(all).join("artifacts").join(text(needed));
            for file in files_below(&artifacts) {
                fs::copy(&file, path.join(file.file_name().expect("a name"))).expect("a file");
            }
        }
        let script: Vec<&str> = list(&job["script"]).iter().map(text).collect();
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("set -eo pipefail\n{}", script.join("\n"))])
            .current_dir(&path)
            .env_clear()
            .envs(&self.variables)
            .env("CONFIG", "mfactl.yaml")
            .env("HOME", self.site.path(all));
        for (name, _) in map(&job["id_tokens"]) {
            let of_request = self.variables.contains_key("CI_MERGE_REQUEST_IID");
            let workflow = if of_request { "review" } else { "main" };
            command.env(name, token(&json!({ "workflow": workflow })));
        }
        let run = command.output().expect("bash");
        let name = folder.rsplit('/').next().expect("a name");
        let artifacts = self.site.path(all).join("artifacts").join(name);
        fs::create_dir_all(&artifacts).expect("a folder");
        let reports = map(&job["artifacts"]["reports"]).map(|(_, file)| file);
        for file in list(&job["artifacts"]["paths"]).iter().chain(reports).map(text) {
            let copied = fs::copy(path.join(file), artifacts.join(file));
            assert!(copied.is_ok() || !run.status.success(), "{name} writes `{file}`");
        }
        let log = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        (run.status.code().unwrap_or(-1), log.concat())
    }
}

#[test]
#[ignore = "long: runs jobs"]
fn merge_request_is_planned_and_commented_and_main_is_applied() {
    let site = Site::new(Kind::GitLab);
    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let jobs = Pipeline::merge_request(&site, &head).run();
    let names: Vec<&str> = jobs.keys().map(String::as_str).collect();
    assert_eq!(names, ["mfactl-comment", "mfactl-plan", "mfactl-validate"]);
    assert!(jobs.values().all(|(code, _)| *code == 0), "{jobs:#?}");
    let comment = site.host.state().comments[0].body.clone();
    assert!(comment.contains("perUserMfa-raises"), "{comment}");
    site.is_anonymous(&comment);
    assert_eq!(site.writes(), 0);

    site.merge("Merge branch 'change'");
    let main = ["push", "schedule"]
        .map(|source| [("CI_PIPELINE_SOURCE", source), ("CI_COMMIT_BRANCH", "main")]);
    let drift = Pipeline::new(&site, "main", &main[1]).run();
    assert_eq!(drift["mfactl-drift"].0, 2, "{drift:#?}");
    // The schedule also planned and applied, as if somebody had started the last job.
    assert!(site.touched(JANE, 0) && site.touched(JAMES, 0), "{drift:#?}");
    let push = Pipeline::new(&site, "main", &main[0]).run();
    assert_eq!(push.keys().collect::<Vec<_>>(), ["mfactl-apply", "mfactl-approval"]);
    assert!(push.values().all(|(code, _)| *code == 0), "{push:#?}");
    for (_, log) in drift.values().chain(push.values()) {
        site.is_anonymous(log);
    }
    for file in files_below(&site.path("runs"))
        .iter()
        .filter(|file| file.display().to_string().contains("/artifacts/"))
    {
        site.is_anonymous(&fs::read_to_string(file).expect("an artifact"));
    }
}

#[test]
#[ignore = "long: runs jobs"]
fn merge_request_of_a_fork_is_checked_without_an_identity() {
    let site = Site::new(Kind::GitLab);
    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let mut pipeline = Pipeline::merge_request(&site, &head);
    pipeline.variables.insert("CI_MERGE_REQUEST_SOURCE_PROJECT_ID".to_owned(), "99".to_owned());
    let jobs = pipeline.run();
    assert_eq!(jobs.keys().collect::<Vec<_>>(), ["mfactl-validate"]);
    // A branch gets no token of the writer.
    let branch = [("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_BRANCH", "change")];
    assert!(Pipeline::new(&site, &head, &branch).run().is_empty());
}

#[test]
fn apply_of_gitlab_is_started_by_hand_and_waits_for_the_one_before_it() {
    let jobs = jobs();
    let apply = &jobs["mfactl-apply"];
    assert_eq!(apply["rules"][0]["when"], "manual");
    assert_eq!(
        (&apply["resource_group"], &apply["environment"]["name"]),
        (&json!("mfa"), &json!("mfa"))
    );
    for (name, job) in map(&jobs) {
        if job["artifacts"]["paths"].is_array() {
            assert_eq!(job["artifacts"]["access"], "maintainer", "{name}");
        }
    }
}
