//! What becomes of the comment: created, edited, deleted, or left alone.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use super::stand_in::{Comment, Fault, HEAD, KINDS, Kind, StandIn};
use super::{posted, rendered, run};

fn only(host: &StandIn) -> Comment {
    let comments = host.state().comments.clone();
    assert_eq!(comments.len(), 1, "{comments:#?}");
    comments[0].clone()
}

#[test]
fn later_push_edits_the_comment_and_lists_the_earlier_ones() {
    for kind in KINDS {
        let host = StandIn::new(kind);
        let first = posted(&host, &rendered(kind, "aaaa", ""), &[]).ends(0);
        assert!(first.stdout.starts_with("created comment 101"), "{kind:?} {}", first.text());
        posted(&host, &rendered(kind, "bbbb", ""), &[]).ends(0);
        let third = posted(&host, &rendered(kind, "cccc", ""), &[]).ends(0);
        assert!(third.stdout.starts_with("edited comment 101"), "{kind:?} {}", third.text());
        let body = only(&host).body;
        assert!(body.contains("### MFA plan of cccc") && !body.contains("plan of bbbb"), "{body}");
        let history = "\n- 1 push ago: difference `41aabbbb` (head `bbbb`)\n\
            - 2 pushes ago: difference `41aaaaaa` (head `aaaa`)\n\nPosted 20";
        assert!(body.contains(history), "{kind:?} {body}");
        assert!(body.ends_with(" UTC\n"), "{body}");
        let mark = if kind == Kind::Bitbucket { "[mfactl-v1]: # \"{" } else { "<!-- mfactl v1 {" };
        assert!(body.starts_with(mark), "{body}");
    }
}

#[test]
fn newest_own_comment_is_edited_and_older_ones_are_deleted() {
    for kind in KINDS {
        let host = StandIn::new(kind);
        let text = rendered(kind, "aaaa", "");
        let oldest = host.has(kind.own(), text.clone());
        let forged = host.has("mallory", text.clone());
        let foreign = host.has("alice", "Please merge.");
        let other = host.has(kind.own(), text.replace("e1c8", "f2d9"));
        let newest = host.has(kind.own(), text.clone());
        let later = host.has("mallory", text.clone());
        let run = posted(&host, &rendered(kind, "bbbb", ""), &[]).ends(0);
        assert!(run.stdout.contains(&format!("edited comment {newest}")), "{}", run.text());
        assert!(
            run.stdout.contains(&format!("deleted the older comment {oldest}")),
            "{}",
            run.text()
        );
        let state = host.state();
        let ids: Vec<u64> = state.comments.iter().map(|comment| comment.id).collect();
        assert_eq!(ids, [forged, foreign, other, newest, later], "{kind:?}");
        let changed = state.comments.iter().filter(|one| one.body.contains("plan of bbbb"));
        assert_eq!(changed.map(|one| one.id).collect::<Vec<_>>(), [newest], "{kind:?}");
    }
}

#[test]
fn change_without_a_difference_is_posted_only_where_a_comment_is() {
    for kind in KINDS {
        let host = StandIn::new(kind);
        let none = rendered(kind, "aaaa", "").replace("\"41aaaaaa\"", "null");
        let none = none.replace("\\\"41aaaaaa\\\"", "null");
        let run = posted(&host, &none, &[]).ends(0);
        assert!(run.stdout.starts_with("posted nothing on"), "{}", run.text());
        assert!(host.state().comments.is_empty());
        host.has(kind.own(), rendered(kind, "bbbb", ""));
        posted(&host, &none, &[]).ends(0);
        assert!(only(&host).body.contains("- 1 push ago: difference `41aabbbb`"), "{kind:?}");
    }
}

#[test]
fn comment_that_was_deleted_meanwhile_is_created_anew() {
    for kind in KINDS {
        let host = StandIn::new(kind);
        host.has(kind.own(), rendered(kind, "aaaa", ""));
        let method = if matches!(kind, Kind::GitHub | Kind::AzureDevOps) { "PATCH" } else { "PUT" };
        host.fails(method, "/", 404);
        let run = posted(&host, &rendered(kind, "bbbb", ""), &[]).ends(0);
        assert!(run.stdout.starts_with("created comment 102"), "{kind:?} {}", run.text());
    }
}

#[test]
fn dry_run_reads_and_writes_nothing() {
    for kind in KINDS {
        let host = StandIn::new(kind);
        let run = posted(&host, &rendered(kind, "aaaa", ""), &["--dry-run"]).ends(0);
        assert!(run.stdout.starts_with("would create a comment on"), "{}", run.text());
        let id = host.has(kind.own(), rendered(kind, "aaaa", ""));
        let run = posted(&host, &rendered(kind, "bbbb", ""), &["--dry-run"]).ends(0);
        assert!(run.stdout.contains(&format!("would edit comment {id}")), "{}", run.text());
        assert_eq!(host.writes(), Vec::<String>::new());
    }
}

#[test]
fn file_is_read_from_standard_input() {
    let host = StandIn::new(Kind::GitHub);
    let world = host.job();
    let mut command = world.command(&["comment", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a start");
    let text = rendered(Kind::GitHub, "aaaa", "");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("a write");
    assert!(child.wait().expect("an end").success());
    assert!(only(&host).body.contains("### MFA plan of aaaa"));
}

#[test]
fn thread_of_azure_devops_is_active_while_attention_is_needed() {
    let host = StandIn::new(Kind::AzureDevOps);
    for (attention, status) in [("true", "active"), ("false", "fixed"), ("true", "active")] {
        let more = format!(",\"attention\":{attention}");
        posted(&host, &rendered(Kind::AzureDevOps, "aaaa", &more), &[]).ends(0);
        assert_eq!(only(&host).status, status);
    }
}

#[test]
fn check_run_of_the_head_is_created_once_and_then_changed() {
    let host = StandIn::new(Kind::GitHub);
    let foreign = json!({ "id": 90, "name": "mfactl", "app": { "slug": "another" } });
    host.state().checks.push(foreign.clone());
    posted(&host, &rendered(Kind::GitHub, "aaaa", ""), &[]).ends(0);
    posted(&host, &rendered(Kind::GitHub, "bbbb", ",\"attention\":true"), &[]).ends(0);
    let state = host.state();
    assert_eq!(state.checks.len(), 2, "{:#?}", state.checks);
    assert_eq!(state.checks[0], foreign);
    let run = &state.checks[1];
    assert_eq!((&run["head_sha"], &run["conclusion"]), (&json!(HEAD), &json!("neutral")));
    assert_eq!(run["output"]["title"], "MFA plan of bbbb");
    assert_eq!(run["output"]["summary"], "### MFA plan of bbbb\n\nThe change raises 31 users.");
}

#[test]
fn refused_check_run_is_a_note() {
    let host = StandIn::new(Kind::GitHub);
    host.fails("POST", "/check-runs", 403);
    let run = posted(&host, &rendered(Kind::GitHub, "aaaa", ""), &[]).ends(0);
    assert!(run.stderr.contains("note: no check run was written"), "{}", run.text());
    assert!(run.stderr.contains("`permissions: { checks: write }`"), "{}", run.text());
    only(&host);
}

/// A job that was started by another workflow, or by an event without the pull request.
#[test]
fn pull_request_of_github_is_found_in_every_kind_of_event() {
    let started =
        json!({ "workflow_run": { "head_sha": HEAD, "pull_requests": [{ "number": 7 }] } });
    for (event, reference) in [(started, "refs/heads/main"), (json!({}), "refs/pull/7/merge")] {
        let host = StandIn::new(Kind::GitHub);
        let world = host.job().file("event.json", event.to_string());
        let world =
            world.with("GITHUB_REF", reference).file("plan.md", rendered(Kind::GitHub, "aaaa", ""));
        run(&world, &[]).ends(0);
        only(&host);
        assert_eq!(host.state().checks[0]["head_sha"], HEAD);
    }
}

/// The answer to a create is lost after it was done.
#[test]
fn create_without_an_answer_is_not_repeated() {
    for kind in KINDS {
        let host = StandIn::new(kind);
        let path = "7/";
        host.state().faults.push(Fault {
            method: "POST",
            path,
            status: 502,
            headers: Vec::new(),
            is_done: true,
        });
        let run = posted(&host, &rendered(kind, "aaaa", ""), &[]).ends(0);
        assert!(run.stdout.starts_with("created comment 101"), "{kind:?} {}", run.text());
        only(&host);
    }
}
