//! The workflows of GitHub: a pull request, its merge, the apply that a reviewer or the review approved, and the
//! comparison of each morning.
//!
//! Not here: pull requests of a fork (`forks`), or the installation (`setup`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;

use serde_json::json;

use super::runner::{Event, WorkflowEnd, run};
use super::site::{EVA, JAMES, JANE, PILOT, READER, Site, files_below, is_documented, with_mfa};
use crate::apply::faults::id_of;
use crate::cli::comment::stand_in::Kind;
use crate::plan::against::reviewed;

fn nothing() {}

/// Checks that no artifact, log or summary has a user or a number.
fn is_anonymous(site: &Site, end: &WorkflowEnd) {
    let files = files_below(&end.artifacts);
    for file in &files {
        site.is_anonymous(&fs::read_to_string(file).expect("an artifact"));
    }
    for job in end.jobs.values() {
        site.is_anonymous(&job.log);
        site.is_anonymous(&job.summary);
    }
}

/// Reviews the proposed change, and returns the comment.
fn review(site: &Site, head: &str) -> String {
    let event = Event::pull_request(head, "contoso/mfa");
    let files = run(site, "mfa-validate.yml", &event, &nothing).ends("validate", 0);
    assert!(files.jobs["validate"].log.contains("no errors") || files.jobs["validate"].code == 0);
    let end = run(site, "mfa-review.yml", &event, &nothing).ends("plan", 0).ends("comment", 0);
    is_anonymous(site, &end);
    let state = site.host.state();
    let [comment] = state.comments.as_slice() else { panic!("{:#?}", state.comments) };
    assert_eq!(state.checks[0]["head_sha"], json!(head));
    site.is_anonymous(&comment.body);
    comment.body.clone()
}

/// Others change the tenant: Eva joins the pilot.
fn eva_joins(site: &Site) {
    let url = site.world.server().url();
    let eva = json!({ "@odata.id": format!("{url}/v1.0/directoryObjects/{}", id_of(EVA)) });
    let members = format!("/v1.0/groups/{PILOT}/members/$ref");
    assert_eq!(site.world.call("POST", &members, Some(&eva)).0, 204);
}

#[test]
#[ignore = "long: five workflows with nine jobs"]
fn change_is_reviewed_approved_and_applied_as_it_was_approved() {
    let site = Site::new(Kind::GitHub);
    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let comment = review(&site, &head);
    assert!(comment.contains("perUserMfa-raises"), "{comment}");
    assert_eq!(site.writes(), 0, "a review writes nothing");

    site.merge("Merge pull request 7");
    let drift = run(&site, "mfa-drift.yml", &Event::new("schedule", "refs/heads/main"), &nothing);
    is_anonymous(&site, &drift.ends("compare", 0).ends("tell", 0));
    assert!(site.read("gh.log").contains("issue create"), "{}", site.read("gh.log"));

    // A reader that the variables name as the writer gets no further than the first write.
    let mut wrong = Event::push();
    wrong.vars["MFACTL_WRITER"] = json!(READER);
    let end = run(&site, "mfa-apply.yml", &wrong, &nothing).ends("plan", 0);
    assert_ne!(end.jobs["apply"].code, 0, "{}", end.jobs["apply"].log);
    assert_eq!(site.writes(), 0, "{}", end.jobs["apply"].log);

    // While the reviewer of the environment reads, a user joins.
    let end = run(&site, "mfa-apply.yml", &Event::push(), &|| eva_joins(&site));
    let end = end.ends("plan", 0).ends("apply", 0);
    is_anonymous(&site, &end);
    assert!(
        end.jobs["apply"].log.contains("left for the next approval"),
        "{}",
        end.jobs["apply"].log
    );
    assert!(site.touched(JANE, 1) && site.touched(JAMES, 1) && !site.touched(EVA, 1));

    // The night takes Eva, and the issue is edited before, and closed after it.
    let night = Event::new("schedule", "refs/heads/main");
    run(&site, "mfa-drift.yml", &night, &nothing).ends("tell", 0);
    run(&site, "mfa-apply.yml", &night, &nothing).ends("apply", 0);
    assert!(site.touched(EVA, 1));
    run(&site, "mfa-drift.yml", &night, &nothing).ends("tell", 0);
    let log = site.read("gh.log");
    let issue: Vec<&str> =
        log.lines().filter_map(|line| line.strip_prefix("issue ")?.split(' ').next()).collect();
    assert_eq!(issue, ["list", "create", "list", "edit", "list", "close"]);
    let end = run(&site, "mfa-apply.yml", &night, &nothing).ends("plan", 0);
    assert!(!end.jobs.contains_key("apply"), "nothing is left to approve");
}

#[test]
#[ignore = "long: six workflows"]
fn review_is_the_approval_where_environments_have_no_reviewers() {
    let site = Site::new(Kind::GitHub);
    let night = Event::new("schedule", "refs/heads/main");
    let apply = |event: &Event| run(&site, "mfa-apply-reviewed.yml", event, &nothing);
    let end = apply(&night).ends("apply", 4);
    is_documented(&end.jobs["apply"].log, "no commit of this branch has a line");

    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let approved = reviewed(&review(&site, &head));
    // The first line of a merge is the title of the request, which its author writes.
    let before = site.git("author", &["rev-parse", "main"]);
    site.merge(&format!("Approved-difference: {approved}"));
    let end = apply(&Event::push()).ends("apply", 4);
    is_documented(&end.jobs["apply"].log, "no commit of this branch has a line");
    assert_eq!(site.writes(), 0);
    site.git("author", &["switch", "--quiet", "main"]);
    site.git("author", &["reset", "--quiet", "--hard", before.trim()]);
    site.git("author", &["push", "--quiet", "--force", "origin", "main"]);

    site.git("author", &["switch", "--quiet", "change"]);
    site.merge(&format!("Merge pull request 7\n\nApproved-difference: {approved}"));
    is_anonymous(&site, &apply(&Event::push()).ends("apply", 0));
    assert!(site.touched(JANE, 0) && site.touched(JAMES, 0));

    // A merge that only changes words is no other change of the files, and a user who came later is included.
    site.propose(&[("policies/pilot.yaml", &format!("# The pilot\n{}", with_mfa()))]);
    site.merge("Words");
    eva_joins(&site);
    apply(&night).ends("apply", 0);
    assert!(site.touched(EVA, 3));

    // A merge without an approval stops every apply, also those of the night.
    let before = site.writes();
    let lowered = with_mfa().replace("enabled", "disabled");
    site.propose(&[("policies/pilot.yaml", &lowered)]);
    site.merge("Not approved");
    for event in [Event::push(), night] {
        let end = apply(&event).ends("apply", 4);
        is_documented(
            &end.jobs["apply"].log,
            "the files now change something else than what was reviewed",
        );
    }
    // Two lines are no approval.
    site.propose(&[("policies/pilot.yaml", &format!("{lowered}# more\n"))]);
    let other = approved.replace("governs", "privileged");
    site.merge(&format!("Two\n\nApproved-difference: {approved}\nApproved-difference: {other}x"));
    let end = apply(&Event::push()).ends("apply", 4);
    is_documented(&end.jobs["apply"].log, "is not one text of a review");
    assert_eq!(site.writes(), before);
}

#[test]
#[ignore = "long: runs jobs"]
fn job_of_another_branch_or_workflow_gets_no_identity() {
    let site = Site::new(Kind::GitHub);
    let event = Event::new("workflow_dispatch", "refs/heads/change");
    for workflow in ["mfa-apply.yml", "mfa-apply-reviewed.yml", "mfa-drift.yml"] {
        let end = run(&site, workflow, &event, &nothing);
        assert!(end.jobs.is_empty(), "{workflow}: {:?}", end.jobs.keys());
    }
    // The workflow that plans pull requests is not the writer, whatever its caller says.
    let head = site.propose(&[("policies/pilot.yaml", &with_mfa())]);
    let mut event = Event::pull_request(&head, "contoso/mfa");
    event.vars["MFACTL_READER"] = json!(super::site::WRITER);
    let end = run(&site, "mfa-review.yml", &event, &nothing).ends("plan", 1);
    is_documented(&end.jobs["plan"].log, "No matching federated identity record found");
}

#[test]
#[ignore = "long: runs jobs"]
fn brake_stops_the_plan_before_anybody_approves() {
    let site = Site::new(Kind::GitHub);
    let tight = site.project.replace("percent: 100", "percent: 0");
    site.propose(&[("mfactl.yaml", &tight), ("policies/pilot.yaml", &with_mfa())]);
    site.merge("Merge pull request 7");
    let end = run(&site, "mfa-apply.yml", &Event::push(), &nothing).ends("plan", 4);
    is_documented(&end.jobs["plan"].summary, "apply refuses this plan without");
    assert!(!end.jobs.contains_key("apply"));
    let morning = Event::new("schedule", "refs/heads/main");
    run(&site, "mfa-drift.yml", &morning, &nothing).ends("compare", 0).ends("tell", 0);
    assert!(site.read("gh.log").contains("issue create"));
}
