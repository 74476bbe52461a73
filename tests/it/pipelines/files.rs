//! What the files of `pipelines` say: which permissions a job has, what it pins, and what waits for what.
//!
//! Not here: what the jobs do (`github`, `forks`, `setup`).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub(super) const TRUSTED: &str = "pipelines/github/workflows-repository";
pub(super) const POLICIES: &str = "pipelines/github/policies-repository";
const ZEROS: &str = "0000000000000000000000000000000000000000";

pub(super) fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn workflows(repository: &str) -> Vec<(String, Value)> {
    let folder = Path::new(repository).join(".github/workflows");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), read(path))).collect()
}

pub(super) fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> + Clone {
    value.as_object().into_iter().flatten()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn no_job_has_a_permission_that_its_workflow_gives_to_all() {
    for (name, workflow) in workflows(TRUSTED).iter().chain(&workflows(POLICIES)) {
        assert_eq!(workflow["permissions"], json!({}), "{name}");
        for (job, one) in map(&workflow["jobs"]) {
            let permissions = &one["permissions"];
            assert!(permissions.is_object(), "{name}: {job}");
            // An identity of Entra and a right to write in the repository are never in one job.
            let signs_in = permissions["id-token"] == "write";
            let writes = map(permissions).filter(|(_, level)| *level == "write").count();
            let is_call = one["uses"].is_string();
            assert!(is_call || !signs_in || writes == 1, "{name}: {job}");
        }
    }
}

#[test]
fn caller_gives_a_workflow_what_its_jobs_need_and_no_more() {
    for (name, caller) in workflows(POLICIES) {
        for (_, call) in map(&caller["jobs"]) {
            let called = text(&call["uses"]).split('@').next().unwrap();
            let path = called.strip_prefix("contoso/mfa-workflows/").unwrap();
            let workflow = read(&Path::new(TRUSTED).join(path));
            let mut needed = serde_json::Map::new();
            for (_, job) in map(&workflow["jobs"]) {
                needed
                    .extend(map(&job["permissions"]).map(|(key, one)| (key.clone(), one.clone())));
            }
            let given = map(&call["permissions"]).collect::<std::collections::BTreeMap<_, _>>();
            assert_eq!(given, needed.iter().collect(), "{name}");
            let inputs = &workflow["on"]["workflow_call"]["inputs"];
            let is_required = |(_, input): &(&String, &Value)| input["required"] == true;
            for (input, _) in map(inputs).filter(is_required) {
                assert!(call["with"][input].is_string(), "{name} lacks `{input}`");
            }
            assert!(map(&call["with"]).all(|(input, _)| inputs[input].is_object()), "{name}");
        }
    }
}

#[test]
fn every_action_is_pinned_to_a_commit() {
    let mut all = workflows(TRUSTED);
    all.extend(workflows(POLICIES));
    all.push(("setup".to_owned(), read(&Path::new(TRUSTED).join("setup/action.yml"))));
    let mut found = 0;
    for (name, workflow) in &all {
        let calls = map(&workflow["jobs"]).map(|(_, job)| &job["uses"]);
        let steps = map(&workflow["jobs"]).flat_map(|(_, job)| list(&job["steps"]));
        for uses in calls.chain(steps.clone().map(|step| &step["uses"])).filter_map(Value::as_str) {
            let (what, commit) = uses.split_once('@').unwrap();
            let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_hash, "{name}: {uses}");
            // The user fills in the hash of the own repository, and an action of others has a real one.
            assert_eq!(
                commit == ZEROS,
                what.starts_with("contoso/mfa-workflows/"),
                "{name}: {uses}"
            );
            found += 1;
        }
        for step in steps.filter(|step| text(&step["uses"]).starts_with("actions/checkout@")) {
            assert_eq!(step["with"]["persist-credentials"], json!(false), "{name}");
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn applies_wait_for_each_other_and_none_is_lost() {
    for name in ["apply.yml", "apply-reviewed.yml"] {
        let workflow = read(&Path::new(TRUSTED).join(".github/workflows").join(name));
        let concurrency = &workflow["jobs"]["apply"]["concurrency"];
        assert_eq!(concurrency["group"], json!("mfactl-apply-${{ inputs.config }}"), "{name}");
        assert_eq!(concurrency["cancel-in-progress"], json!(false), "{name}");
        assert_eq!(concurrency["queue"], json!("max"), "{name}");
        let environment = &workflow["jobs"]["apply"]["environment"];
        let waits = name == "apply.yml";
        let wanted = if waits { json!("${{ inputs.environment }}") } else { Value::Null };
        assert_eq!(*environment, wanted, "{name}");
        // No other job of the workflow is in a group that could cancel it.
        assert!(workflow["concurrency"].is_null(), "{name}");
    }
}

#[test]
fn job_with_an_identity_runs_for_main_or_for_a_branch_of_the_repository() {
    for (name, workflow) in workflows(TRUSTED) {
        for (job, one) in map(&workflow["jobs"]) {
            if one["permissions"]["id-token"] != "write" || one["needs"].is_string() {
                continue;
            }
            let condition = text(&one["if"]);
            let main = condition
                .contains("format('refs/heads/{0}', github.event.repository.default_branch)");
            let own =
                condition == "github.event.pull_request.head.repo.full_name == github.repository";
            assert!(if name == "plan.yml" { own } else { main }, "{name}: {job}: {condition}");
        }
    }
    for (name, workflow) in workflows(POLICIES) {
        let events: Vec<&str> = match &workflow["on"] {
            Value::String(event) => vec![event],
            events => map(events).map(|(event, _)| event.as_str()).collect(),
        };
        let foreign = ["pull_request_target", "workflow_run", "issue_comment"];
        assert!(!events.iter().any(|event| foreign.contains(event)), "{name}: {events:?}");
    }
}

/// A page in a log or an artifact has numbers of users only, whatever the files of the pull request say.
#[test]
fn commands_that_show_users_show_their_numbers_only() {
    let mut scripts = 0;
    for (name, workflow) in workflows(TRUSTED) {
        for (_, job) in map(&workflow["jobs"]) {
            for script in list(&job["steps"]).iter().filter_map(|step| step["run"].as_str()) {
                assert!(!script.contains("${{"), "{name}: an expression in a script runs as code");
                let script = script.replace("\\\n", " ");
                let shows = |line: &&str| {
                    ["mfactl plan", "mfactl apply"].iter().any(|one| line.contains(one))
                };
                for line in script.lines().filter(shows) {
                    assert!(line.contains("--disclose counts"), "{name}: {line}");
                    scripts += 1;
                }
            }
        }
    }
    assert!(scripts >= 6, "{scripts}");
}
