//! The template of Azure Pipelines: the steps of each stage run in a folder of their own, with the variables of the
//! agent and of the task that signs in.
//!
//! Not here: whether Azure Pipelines accepts the files (`.ci/pipelines`).

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

use super::files::{list, map, read, text};
use super::site::{JAMES, JANE, READER, Site, WRITER, is_documented, paths, sha256, with_mfa};
use crate::cli::comment::stand_in::{Kind, TOKEN};

const FOLDER: &str = "pipelines/azure";

/// One stage that runs.
struct Stage<'a> {
    site: &'a Site,
    folder: PathBuf,
    reference: &'a str,
    parameters: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    code: i32,
    log: String,
}

/// The steps of the only job of a stage.
fn steps_of(stage: &Value) -> &[Value] {
    let job = &list(&stage["jobs"])[0];
    let deployed = &job["strategy"]["runOnce"]["deploy"]["steps"];
    list(if deployed.is_array() { deployed } else { &job["steps"] })
}

fn stage(name: &str) -> Value {
    let template = read(&Path::new(FOLDER).join("mfactl.yml"));
    let found = list(&template["stages"]).iter().find(|stage| stage["stage"] == name);
    found.expect("a stage").clone()
}

/// Runs a stage for a reference, in which the reader and the writer are these service connections.
fn run<'a>(site: &'a Site, name: &str, reference: &'a str, checksum: Option<&str>) -> Stage<'a> {
    let number = fs::read_dir(site.path("runs")).map_or(0, Iterator::count);
    let folder = site.path(&format!("runs/{number}"));
    for part in ["s", "temp"] {
        fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    let archive = site.pack();
    let digest = checksum.map_or_else(|| sha256(&archive), str::to_owned);
    let parameters = [
        ("reader", READER.to_owned()),
        ("writer", WRITER.to_owned()),
        ("config", "mfactl.yaml".to_owned()),
        ("archive", format!("file://{}", archive.display())),
        ("sha256", digest),
    ];
    let path = |part: &str| folder.join(part).display().to_string();
    let environment = [
        ("CI", "true".to_owned()),
        ("TF_BUILD", "True".to_owned()),
        ("SYSTEM_COLLECTIONURI", format!("{}/contoso/", site.host.front.url())),
        ("SYSTEM_TEAMPROJECTID", "p1".to_owned()),
        ("BUILD_REPOSITORY_ID", "r1".to_owned()),
        ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7".to_owned()),
        ("AGENT_TEMPDIRECTORY", path("temp")),
        ("PIPELINE_WORKSPACE", path("")),
        ("HOME", path("temp")),
        ("PATH", paths(site)),
        ("MFACTL_TODAY", "2026-11-22".to_owned()),
    ];
    let owned = |pairs: &[(&str, String)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let mut stage_run = Stage {
        site,
        reference,
        parameters: owned(&parameters),
        environment: owned(&environment),
        folder,
        code: 0,
        log: String::new(),
    };
    for step in steps_of(&stage(name)) {
        stage_run.step(step);
    }
    stage_run
}

impl Stage<'_> {
    fn resolved(&self, value: &Value) -> String {
        let mut resolved = text(value).to_owned();
        for (name, parameter) in &self.parameters {
            resolved = resolved.replace(&format!("${{{{ parameters.{name} }}}}"), parameter);
        }
        let secret = "a secret of 25 characters";
        let resolved =
            resolved.replace("$(System.AccessToken)", TOKEN).replace("$(fingerprintKey)", secret);
        assert!(!resolved.contains("${{"), "`{resolved}` is unknown here");
        resolved
    }

    fn step(&mut self, step: &Value) {
        if self.code != 0 {
            return;
        }
        let artifacts = self.site.path("artifacts");
        fs::create_dir_all(&artifacts).expect("a folder");
        if step["checkout"] == "self" {
            assert_eq!(step["persistCredentials"], "false");
            let folder = self.folder.join("s");
            let folder = folder.strip_prefix(self.site.path("")).expect("a folder");
            let folder = folder.display().to_string();
            let url = format!("file://{}", self.site.path("remote/contoso/mfa").display());
            let depth = format!("--depth={}", text(&step["fetchDepth"]));
            self.site.git(&folder, &["init", "--quiet"]);
            self.site.git(&folder, &["fetch", "--quiet", &depth, &url, self.reference]);
            self.site.git(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
        } else if step["template"].is_string() {
            let template = read(&Path::new(FOLDER).join(text(&step["template"])));
            for name in list(&template["parameters"]).iter().map(|one| text(&one["name"])) {
                let given = self.resolved(&step["parameters"][name]);
                self.parameters.insert(name.to_owned(), given);
            }
            list(&template["steps"]).iter().for_each(|one| self.step(one));
        } else if step["bash"].is_string() {
            self.script(&self.resolved(&step["bash"]), step, &[]);
        } else if step["task"] == "AzureCLI@2" {
            let client = self.resolved(&step["inputs"]["azureSubscription"]);
            let claims = json!({ "workflow": if self.reference.contains("pull") { "review" } else { "main" } });
            let own = [
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection".to_owned()),
                ("AZURESUBSCRIPTION_CLIENT_ID", client),
                ("AZURESUBSCRIPTION_TENANT_ID", self.site.world.server().tenant_id().to_string()),
                ("SYSTEM_OIDCREQUESTURI", self.site.token_url(&claims)),
            ];
            self.script(&self.resolved(&step["inputs"]["inlineScript"]), step, &own);
        } else if step["publish"].is_string() {
            let file = text(&step["publish"]);
            fs::copy(self.folder.join("s").join(file), artifacts.join(file)).expect("an artifact");
        } else if step["download"] == "current" {
            let target = self.folder.join(text(&step["artifact"]));
            fs::create_dir_all(&target).expect("a folder");
            for file in super::site::files_below(&artifacts) {
                let name = file.file_name().expect("a name");
                fs::copy(&file, target.join(name)).expect("a file");
            }
        } else {
            panic!("{step} is unknown here");
        }
    }

    fn script(&mut self, script: &str, step: &Value, own: &[(&str, String)]) {
        let run = Command::new("bash")
            .args(["--noprofile", "--norc", "-c", script])
            .current_dir(self.folder.join("s"))
            .env_clear()
            .envs(&self.environment)
            .envs(own.iter().map(|(name, value)| (*name, value)))
            .envs(map(&step["env"]).map(|(name, value)| (name, self.resolved(value))))
            .output()
            .expect("bash");
        let log = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        for line in log.concat().lines() {
            if let Some(folder) = line.strip_prefix("##vso[task.prependpath]") {
                let all = format!("{folder}:{}", self.environment["PATH"]);
                self.environment.insert("PATH".to_owned(), all);
            }
        }
        self.log += &log.concat();
        self.code = run.status.code().unwrap_or(-1);
    }
}

#[test]
#[ignore = "long: runs jobs"]
fn pull_request_of_azure_is_commented_and_main_is_applied() {
    let site = Site::new(Kind::AzureDevOps);
    site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let refused = run(&site, "review", "refs/pull/7/merge", Some(&"0".repeat(64)));
    assert_eq!((refused.code, site.read("started").as_str()), (1, ""), "{}", refused.log);
    is_documented(&refused.log, "the archive of mfactl does not have the expected checksum");
    let review = run(&site, "review", "refs/pull/7/merge", None);
    assert_eq!(review.code, 0, "{}", review.log);
    site.is_anonymous(&review.log);
    let comment = site.host.state().comments[0].body.clone();
    assert!(comment.contains("perUserMfa-raises"), "{comment}");
    assert_eq!(site.writes(), 0);

    site.merge("Merged PR 7");
    let plan = run(&site, "approval", "refs/heads/main", None);
    assert_eq!(plan.code, 0, "{}", plan.log);
    assert!(plan.log.contains("variable=changes;isOutput=true]true"), "{}", plan.log);
    site.is_anonymous(&fs::read_to_string(site.path("artifacts/approval.json")).expect("a file"));
    let apply = run(&site, "apply", "refs/heads/main", None);
    assert_eq!(apply.code, 0, "{}", apply.log);
    site.is_anonymous(&apply.log);
    assert!(site.touched(JANE, 0) && site.touched(JAMES, 0));
    assert!(apply.log.contains("variable=left;isOutput=true]false"), "{}", apply.log);
    let plan = run(&site, "approval", "refs/heads/main", None);
    assert!(plan.log.contains("variable=changes;isOutput=true]false"), "{}", plan.log);
}

#[test]
fn apply_of_azure_waits_for_the_environment_and_for_the_one_before_it() {
    let apply = stage("apply");
    assert_eq!(apply["lockBehavior"], "sequential");
    assert_eq!(
        apply["condition"],
        "and(succeeded(), eq(dependencies.approval.outputs['plan.plan.changes'], 'true'))"
    );
    let job = &list(&apply["jobs"])[0];
    assert_eq!(job["environment"], "${{ parameters.environment }}");
    let main = "eq(variables['Build.SourceBranch'], 'refs/heads/main')";
    assert!(text(&stage("approval")["condition"]).contains(main));
    for name in ["review", "approval", "apply"] {
        for step in steps_of(&stage(name)).iter().filter(|step| step["task"] == "AzureCLI@2") {
            let connection = if name == "apply" { "writer" } else { "reader" };
            assert_eq!(
                step["inputs"]["azureSubscription"],
                json!(format!("${{{{ parameters.{connection} }}}}"))
            );
        }
    }
}
