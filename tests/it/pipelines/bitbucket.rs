//! The pipeline of Bitbucket: the steps of a pull request and of `main`, each in a clone of its own.
//!
//! Not here: whether Bitbucket accepts the file (`.ci/pipelines`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::files::{list, read, text};
use super::site::{JAMES, JANE, READER, Site, WRITER, files_below, paths, token, with_mfa};
use crate::cli::comment::stand_in::{Kind, TOKEN};

fn pipelines() -> Value {
    read(Path::new("pipelines/bitbucket/bitbucket-pipelines.yml"))["pipelines"].clone()
}

/// Runs the steps for a commit, and returns the code and the log of the last one.
fn run(site: &Site, steps: &Value, commit: &str, request: Option<&str>) -> (i32, String) {
    let number = fs::read_dir(site.path("runs")).map_or(0, Iterator::count);
    let artifacts = site.path(&format!("runs/{number}/artifacts"));
    fs::create_dir_all(&artifacts).expect("a folder");
    site.write("authority.pem", &site.host.authority);
    let mut last = (0, String::new());
    for (index, step) in list(steps).iter().map(|step| &step["step"]).enumerate() {
        let folder = format!("runs/{number}/{index}");
        fs::create_dir_all(site.path(&folder)).expect("a folder");
        let url = format!("file://{}", site.path("remote/contoso/mfa").display());
        site.git(&folder, &["clone", "--quiet", "--no-checkout", &url, "."]);
        let refs = ["fetch", "--quiet", "origin", "+refs/pull/*:refs/pull/*"];
        site.git(&folder, &refs);
        site.git(&folder, &["checkout", "--quiet", "--detach", commit]);
        for file in files_below(&artifacts) {
            let name = file.file_name().expect("a name");
            fs::copy(&file, site.path(&folder).join(name)).expect("a file");
        }
        let script: Vec<&str> = list(&step["script"]).iter().map(text).collect();
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("set -e\n{}", script.join("\n"))])
            .current_dir(site.path(&folder))
            .env_clear()
            .env("CI", "true")
            .env("HOME", site.path(&format!("runs/{number}")))
            .env("PATH", format!("{}:{}", site.path("release").display(), paths(site)))
            .env("MFACTL_TODAY", "2026-11-22")
            .env("MFACTL_READER", READER)
            .env("MFACTL_WRITER", WRITER)
            .env("MFACTL_FINGERPRINT_KEY", "a secret of 25 characters")
            .env("HTTPS_PROXY", site.host.front.url())
            .env("SSL_CERT_FILE", site.path("authority.pem"))
            .env("BITBUCKET_WORKSPACE", "contoso")
            .env("BITBUCKET_REPO_SLUG", "mfa")
            .env("BITBUCKET_TOKEN", TOKEN);
        if let Some(number) = request {
            command.env("BITBUCKET_PR_ID", number).env("BITBUCKET_PR_DESTINATION_BRANCH", "main");
        }
        if step["oidc"] == true {
            let workflow = if request.is_some() { "review" } else { "main" };
            command.env("BITBUCKET_STEP_OIDC_TOKEN", token(&json!({ "workflow": workflow })));
        }
        let run = command.output().expect("bash");
        for file in list(&step["artifacts"]).iter().map(text) {
            fs::copy(site.path(&folder).join(file), artifacts.join(file)).expect("an artifact");
        }
        let log = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        last = (run.status.code().unwrap_or(-1), log.concat());
        site.is_anonymous(&last.1);
        if last.0 != 0 {
            break;
        }
    }
    for file in files_below(&artifacts) {
        site.is_anonymous(&fs::read_to_string(file).expect("an artifact"));
    }
    last
}

#[test]
#[ignore = "long: runs jobs"]
fn pull_request_of_bitbucket_is_commented_and_main_is_applied() {
    let site = Site::new(Kind::Bitbucket);
    let pipelines = pipelines();
    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let (code, log) = run(&site, &pipelines["pull-requests"]["**"], &head, Some("7"));
    assert_eq!(code, 0, "{log}");
    let comment = site.host.state().comments[0].body.clone();
    assert!(comment.contains("perUserMfa-raises"), "{comment}");
    assert_eq!(site.writes(), 0);

    site.merge("Merged in change (pull request #7)");
    let drift = &pipelines["custom"]["drift"];
    assert_eq!(run(&site, drift, "main", None).0, 2);
    let (code, log) = run(&site, &pipelines["branches"]["main"], "main", None);
    assert_eq!(code, 0, "{log}");
    assert!(site.touched(JANE, 0) && site.touched(JAMES, 0));
    assert_eq!(run(&site, drift, "main", None).0, 0);
}

#[test]
fn apply_of_bitbucket_is_started_by_hand_in_an_environment() {
    let steps = pipelines()["branches"]["main"].clone();
    let apply = &list(&steps).last().expect("a step")["step"];
    assert_eq!((&apply["trigger"], &apply["deployment"]), (&json!("manual"), &json!("mfa")));
}
