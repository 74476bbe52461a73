//! What the program says when it cannot post, and how often it tries.

use std::thread;
use std::time::{Duration, Instant};

use super::stand_in::{Fault, KINDS, Kind, StandIn};
use super::{posted, rendered, run};
use crate::support::network_faults::{Front, Weather};

const PERMISSIONS: [&str; 4] =
    ["pull-requests: write", "scope `api`", "Contribute to pull requests", "pullrequest:write"];

#[test]
fn missing_permission_is_named() {
    for (kind, permission) in KINDS.into_iter().zip(PERMISSIONS) {
        let host = StandIn::new(kind);
        host.fails("POST", "7/", 403);
        let run = posted(&host, &rendered(kind, "aaaa", ""), &[]).ends(1);
        assert!(run.stderr.contains("refused to create the comment: 403"), "{}", run.text());
        assert!(run.stderr.contains(permission), "{kind:?} {}", run.text());
    }
}

#[test]
fn comment_above_the_limit_is_an_error_with_the_limit() {
    for (kind, limit) in KINDS.into_iter().zip(["262144", "1000000", "150000", "32768"]) {
        let host = StandIn::new(kind);
        let text = rendered(kind, "aaaa", "") + &"x".repeat(limit.parse().expect("a number"));
        let run = posted(&host, &text, &[]).ends(1);
        assert!(run.stderr.contains(&format!("the limit is {limit}")), "{kind:?} {}", run.text());
        assert!(host.state().comments.is_empty());
    }
}

#[test]
fn request_is_repeated_after_the_time_that_the_host_asks() {
    // All hosts at the same time, because the program waits two seconds for each.
    thread::scope(|scope| {
        for kind in KINDS {
            scope.spawn(move || repeats_after_a_second(kind));
        }
    });
}

fn repeats_after_a_second(kind: Kind) {
    let host = StandIn::new(kind);
    let fault = |method, status| Fault {
        method,
        path: "7/",
        status,
        headers: vec![("retry-after", "1".to_owned())],
        is_done: false,
    };
    host.state().faults.extend([fault("GET", 503), fault("POST", 429)]);
    let begun = Instant::now();
    posted(&host, &rendered(kind, "aaaa", ""), &[]).ends(0);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{kind:?} {:?}", begun.elapsed());
    assert_eq!(host.state().comments.len(), 1, "{kind:?}");
}

#[test]
fn host_that_asks_for_an_hour_is_not_waited_for() {
    let host = StandIn::new(Kind::GitLab);
    host.state().faults.push(Fault {
        method: "GET",
        path: "notes",
        status: 429,
        headers: vec![("retry-after", "3600".to_owned())],
        is_done: false,
    });
    let begun = Instant::now();
    let run = posted(&host, &rendered(Kind::GitLab, "aaaa", ""), &[]).ends(6);
    assert!(run.stderr.contains("429"), "{}", run.text());
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn file_without_a_marker_is_refused_before_any_request() {
    for text in [
        "",
        "### A plan\n",
        "<!-- mfactl v1 {} -->\n",
        "<!-- mfactl v1 {\"tenant\":\"a\",\"config\":\"b\",\"head\":\"<b>\"} -->\n",
    ] {
        let host = StandIn::new(Kind::GitHub);
        let run = posted(&host, text, &[]).ends(1);
        assert!(run.stderr.contains("the file is no comment of mfactl"), "{}", run.text());
        assert!(
            run.stderr.contains("help: the first line must be `<!-- mfactl v1"),
            "{}",
            run.text()
        );
        assert!(host.front.seen().is_empty());
    }
}

/// The address and the token of the job are used for this one host.
#[test]
fn redirects_and_pages_of_other_hosts_are_not_followed() {
    let other = Front::alone(|_, _| Weather::json("[]"));
    let host = StandIn::new(Kind::GitHub);
    let fault =
        |headers| Fault { method: "GET", path: "comments", status: 307, headers, is_done: false };
    host.state().faults.push(fault(vec![("location", format!("{}/x", other.url()))]));
    let run = posted(&host, &rendered(Kind::GitHub, "aaaa", ""), &[]).ends(1);
    assert!(run.stderr.contains("with a redirect"), "{}", run.text());
    let link = format!("<{}/x>; rel=\"next\"", other.url());
    let page = Front::alone(move |seen, _| match seen.path.as_str() {
        "/user" => Weather::Says(403, Vec::new(), "{}".to_owned()),
        _ => Weather::Says(200, vec![("link", link.clone())], "[]".to_owned()),
    });
    let world = host.job().with("GITHUB_API_URL", page.url());
    let run = super::run(&world.file("plan.md", rendered(Kind::GitHub, "aaaa", "")), &[]).ends(1);
    assert!(run.stderr.contains("redirect"), "{}", run.text());
    assert!(other.seen().is_empty(), "{:?}", other.seen());
}

/// A list without an end is not taken for a list without the comment.
#[test]
fn list_with_too_many_pages_posts_nothing() {
    let page = Front::alone(|seen, _| match seen.path.as_str() {
        "/user" => Weather::Says(403, Vec::new(), "{}".to_owned()),
        _ => {
            let host = seen.header("host").unwrap_or_default();
            let link = format!("<http://{host}/x>; rel=\"next\"");
            Weather::Says(200, vec![("link", link)], "[]".to_owned())
        }
    });
    let world = StandIn::new(Kind::GitHub).job().with("GITHUB_API_URL", page.url());
    let run = super::run(&world.file("plan.md", rendered(Kind::GitHub, "aaaa", "")), &[]).ends(1);
    assert!(run.stderr.contains("more than 100 pages"), "{}", run.text());
    assert!(page.seen().iter().all(|seen| seen.method == "GET"), "{}", page.seen().len());
}

#[test]
fn token_is_not_sent_without_tls_to_another_machine() {
    let host = StandIn::new(Kind::GitHub);
    for url in
        ["http://github.example", "ftp://github.example", "nonsense", "https://u:p@github.example"]
    {
        let world = host.job().with("GITHUB_API_URL", url);
        let run = run(&world.file("plan.md", rendered(Kind::GitHub, "aaaa", "")), &[]).ends(1);
        assert!(run.stderr.contains("`GITHUB_API_URL` is not"), "{}", run.text());
    }
}

#[test]
fn missing_variable_is_named() {
    let cases = [
        (Kind::GitHub, "GITHUB_TOKEN", "`GITHUB_TOKEN` is not set"),
        (Kind::GitHub, "GITHUB_EVENT_PATH", "belongs to no single pull request"),
        (Kind::GitHub, "GITHUB_ACTIONS", "no CI job of a known host"),
        (Kind::GitLab, "MFACTL_GITLAB_TOKEN", "`MFACTL_GITLAB_TOKEN` is not set"),
        (Kind::GitLab, "CI_MERGE_REQUEST_IID", "belongs to no single pull request"),
        (Kind::AzureDevOps, "SYSTEM_ACCESSTOKEN", "`SYSTEM_ACCESSTOKEN` is not set"),
        (Kind::AzureDevOps, "BUILD_REPOSITORY_ID", "`BUILD_REPOSITORY_ID` is not set"),
        (Kind::Bitbucket, "BITBUCKET_REPO_SLUG", "`BITBUCKET_REPO_SLUG` is not set"),
        (Kind::Bitbucket, "BITBUCKET_PR_ID", "belongs to no single pull request"),
    ];
    for (kind, name, expected) in cases {
        let host = StandIn::new(kind);
        let world = host.job().without(name).file("plan.md", rendered(kind, "aaaa", ""));
        let run = run(&world, &[]).ends(1);
        assert!(run.stderr.contains(expected) && run.stderr.contains("help: "), "{}", run.text());
    }
}

#[test]
fn provider_can_be_named() {
    let host = StandIn::new(Kind::GitLab);
    let world = host.job().without("GITLAB_CI").file("plan.md", rendered(Kind::GitLab, "aaaa", ""));
    run(&world, &["--provider", "gitlab"]).ends(0);
    assert_eq!(host.state().comments.len(), 1);
}

/// Without a token, requests go to the proxy that Bitbucket runs next to the job.
#[test]
fn bitbucket_without_a_token_uses_the_proxy_of_the_runner() {
    let host = StandIn::new(Kind::Bitbucket);
    let world = host.job().without("BITBUCKET_TOKEN").without("HTTPS_PROXY");
    let run = run(&world.file("plan.md", rendered(Kind::Bitbucket, "aaaa", "")), &[]).ends(6);
    assert!(
        run.stderr.contains("did not answer") && run.stderr.contains("refused"),
        "{}",
        run.text()
    );
    assert!(host.front.connects().is_empty());
}
