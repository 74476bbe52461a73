//! Pull requests of a fork: the files are checked without a secret, and a commit that an owner names is planned
//! under the guards of `main`.
//!
//! Not here: pull requests of the repository itself (`github`).

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

use std::os::unix::fs::symlink;

use serde_json::json;

use super::runner::{Event, WorkflowEnd, run};
use super::site::{Site, is_documented, with_mfa};
use crate::cli::comment::stand_in::Kind;

fn nothing() {}

/// An owner names a commit.
fn plan(site: &Site, number: &str, commit: &str) -> WorkflowEnd {
    let mut event = Event::new("workflow_dispatch", "refs/heads/main");
    event.payload = json!({ "inputs": { "number": number, "commit": commit } });
    run(site, "mfa-fork.yml", &event, &nothing)
}

fn is_refused(site: &Site, commit: &str, why: &str) {
    let end = plan(site, "7", commit).ends("plan", 3);
    is_documented(&end.jobs["plan"].log, why);
    assert!(!end.jobs.contains_key("comment"));
}

#[test]
#[ignore = "long: runs jobs"]
fn fork_is_checked_without_an_identity() {
    let site = Site::new(Kind::GitHub);
    let head =
        site.propose(&[("policies/pilot.yaml", &with_mfa().replace("perUserMfa", "perUserMFA"))]);
    let event = Event::pull_request(&head, "stranger/mfa");
    let end = run(&site, "mfa-validate.yml", &event, &nothing).ends("validate", 3);
    assert!(
        end.jobs["validate"].log.contains("::error file=policies/pilot.yaml"),
        "{}",
        end.jobs["validate"].log
    );
    let end = run(&site, "mfa-review.yml", &event, &nothing);
    assert!(end.jobs.is_empty(), "{:?}", end.jobs.keys());
    assert!(site.tokens.seen().is_empty(), "no job asked for an identity");
}

/// The owners keep the job that publishes a snapshot, and say so in the caller.
#[test]
#[ignore = "long: runs jobs"]
fn fork_is_planned_with_the_published_snapshot_without_an_identity() {
    let site = Site::new(Kind::GitHub);
    let taken = Event::new("schedule", "refs/heads/main");
    for _ in 0..2 {
        run(&site, "mfa-snapshot.yml", &taken, &nothing).ends("take", 0).ends("publish", 0);
    }
    let published = ["rev-list", "--count", "mfa-snapshot"];
    assert_eq!(site.git("remote/contoso/mfa", &published).trim(), "1", "the branch does not grow");
    let asked = site.tokens.seen().len();
    assert!(asked > 0);
    let head = site.propose(&[
        ("policies/pilot.yaml", &with_mfa()),
        ("checks/pilot.yaml", "version: 1\npeople:\n  ann: { groups: [Pilot] }\nexpect:\n  ann: { perUserMfa: enforced }\n"),
    ]);
    let mut event = Event::pull_request(&head, "stranger/mfa");
    event.with = json!({ "snapshot": true });
    let end = run(&site, "mfa-validate.yml", &event, &nothing).ends("validate", 2);
    assert!(end.jobs["validate"].log.contains("::error file=checks/pilot.yaml"));
    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let mut event = Event::pull_request(&head, "stranger/mfa");
    event.with = json!({ "snapshot": true });
    let end = run(&site, "mfa-validate.yml", &event, &nothing).ends("validate", 0);
    let page = &end.jobs["validate"].summary;
    assert!(page.contains("This is from a snapshot of "), "{page}");
    assert!(page.contains("per-user MFA: disabled → enabled"), "{page}");
    assert!(!page.contains("--approved-difference"), "{page}");
    site.is_anonymous(page);
    site.is_anonymous(&end.jobs["validate"].log);
    assert_eq!(site.tokens.seen().len(), asked, "the fork asked for no identity");
}

#[test]
#[ignore = "long: runs jobs"]
fn commit_that_an_owner_names_is_planned_and_commented() {
    let site = Site::new(Kind::GitHub);
    let head =
        site.propose(&[("policies/pilot.yaml", &with_mfa()), ("policies/run.sh", "touch ran\n")]);
    let end = plan(&site, "7", &head).ends("plan", 0).ends("comment", 0);
    site.is_anonymous(&end.jobs["plan"].log);
    let state = site.host.state();
    assert_eq!(state.comments.len(), 1);
    assert!(state.comments[0].body.contains("perUserMfa-raises"), "{}", state.comments[0].body);
    assert!(state.comments[0].body.contains("\"config\":\"mfactl.yaml\",\"head\":null"));
    assert_eq!(state.checks[0]["head_sha"], json!(head));
}

#[test]
#[ignore = "long: runs jobs"]
fn commit_is_the_newest_of_the_request_and_has_files_only() {
    let site = Site::new(Kind::GitHub);
    let read = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    site.propose(&[("policies/pilot.yaml", &with_mfa().replace("enabled", "disabled"))]);
    is_refused(&site, &read, "is not the newest commit of the request");
    is_refused(&site, "change", "is not a full hash");
    plan(&site, "7; touch ran", &read).ends("plan", 3);
    // Every file that mfactl reads after a merge is read now.
    let head = site.propose(&[("policies/more.YAML", "version: 1\nnothing: here\n")]);
    let end = plan(&site, "7", &head).ends("plan", 3);
    assert!(end.jobs["plan"].log.contains("head/policies/more.YAML"), "{}", end.jobs["plan"].log);
    let large = format!("{}{}", with_mfa(), "# words of a line\n".repeat(70_000));
    let head = site.propose(&[("policies/pilot.yaml", &large)]);
    is_refused(&site, &head, "larger than 1 MiB");
    site.git("author", &["switch", "--quiet", "--force-create", "change", "main"]);
    symlink("../mfactl.yaml", site.path("author/policies/more.yaml")).unwrap();
    let head = site.commit("a link");
    site.offer(&head);
    is_refused(&site, &head, "is a link");
}

#[test]
#[ignore = "long: runs jobs"]
fn fork_that_changes_a_guard_is_refused() {
    let site = Site::new(Kind::GitHub);
    let guards = site
        .project
        .replace("minimum: 2", "minimum: 0")
        .replace("percent: 100, floor: 0", "percent: 100, floor: 9");
    let head = site.propose(&[("mfactl.yaml", &guards), ("policies/pilot.yaml", &with_mfa())]);
    is_refused(&site, &head, "`brakes` differs from `base/mfactl.yaml`");
    let elsewhere = site.project.replace("tenant: exchangelabs.nl", "tenant: contoso.com");
    let head = site.propose(&[("mfactl.yaml", &elsewhere)]);
    is_refused(&site, &head, "guards-differ");
    assert!(site.tokens.seen().is_empty(), "no job asked for an identity");
    assert!(site.host.state().comments.is_empty());
}
