//! Servers on this machine that answer like the comment APIs of GitHub, GitLab, Azure DevOps and Bitbucket:
//! comments with authors, pages, limits, permissions.
//!
//! Not here: what the program does with them (`posting`, `refusals`).

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::world::World;

pub(crate) const TOKEN: &str = "a-secret-of-the-job";
pub(crate) const HEAD: &str = "4f1c00000000000000000000000000000000aaaa";
/// The comments on one page.
const PAGE: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GitHub,
    GitLab,
    AzureDevOps,
    Bitbucket,
}

pub(crate) const KINDS: [Kind; 4] =
    [Kind::GitHub, Kind::GitLab, Kind::AzureDevOps, Kind::Bitbucket];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    /// The status of the thread, at Azure DevOps.
    pub(crate) status: String,
}

/// An answer instead of the right one, to the first request that matches.
pub(crate) struct Fault {
    pub(crate) method: &'static str,
    /// A part of the path.
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether the request is carried out all the same.
    pub(crate) is_done: bool,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) comments: Vec<Comment>,
    pub(crate) checks: Vec<Value>,
    pub(crate) faults: Vec<Fault>,
    next: u64,
}

pub(crate) struct StandIn {
    pub(crate) kind: Kind,
    pub(crate) front: Front,
    state: Arc<Mutex<State>>,
    /// The certificate authority of Bitbucket, as PEM.
    pub(crate) authority: String,
}

impl Kind {
    /// The author of what the token writes.
    pub(crate) const fn own(self) -> &'static str {
        match self {
            Self::GitHub => "github-actions[bot]",
            Self::GitLab => "project_1_bot",
            Self::AzureDevOps => "0000aaaa-build",
            Self::Bitbucket => "{1111-bot}",
        }
    }

    const fn largest(self) -> (usize, u16) {
        match self {
            Self::GitHub => (262_144, 422),
            Self::GitLab => (1_000_000, 400),
            Self::AzureDevOps => (150_000, 400),
            Self::Bitbucket => (32_768, 400),
        }
    }

    /// The path of the comments, from the root of the server.
    const fn comments(self) -> &'static str {
        match self {
            Self::GitHub => "/repos/contoso/mfa/issues/7/comments",
            Self::GitLab => "/api/v4/projects/12/merge_requests/7/notes",
            Self::AzureDevOps => "/contoso/p1/_apis/git/repositories/r1/pullRequests/7/threads",
            Self::Bitbucket => "/2.0/repositories/contoso/mfa/pullrequests/7/comments",
        }
    }
}

impl StandIn {
    pub(crate) fn new(kind: Kind) -> Self {
        let state = Arc::new(Mutex::new(State { next: 100, ..State::default() }));
        let of_hook = Arc::clone(&state);
        let hook = move |seen: &Seen, _: usize| answer(kind, seen, &mut of_hook.lock().unwrap());
        // The program knows the address of Bitbucket, so a proxy leads from there to here.
        let (front, authority) = match kind {
            Kind::Bitbucket => Front::proxy_for("api.bitbucket.org", hook),
            _ => (Front::alone(hook), String::new()),
        };
        Self { kind, front, state, authority }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds an existing comment, and returns its id.
    pub(crate) fn has(&self, author: &str, body: impl Into<String>) -> u64 {
        self.state().add(author, body.into(), "active")
    }

    pub(crate) fn fails(&self, method: &'static str, path: &'static str, status: u16) {
        let fault = Fault { method, path, status, headers: Vec::new(), is_done: false };
        self.state().faults.push(fault);
    }

    /// The requests that are not reads.
    pub(crate) fn writes(&self) -> Vec<String> {
        let seen = self.front.seen().into_iter().filter(|seen| seen.method != "GET");
        seen.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// A job of this host, for pull request 7.
    pub(crate) fn job(&self) -> World {
        let url = self.front.url();
        let world = World::empty();
        match self.kind {
            Kind::GitHub => {
                let event = json!({ "pull_request": { "number": 7, "head": { "sha": HEAD } } });
                let world = world.file("event.json", event.to_string());
                let path = world.path("event.json").display().to_string();
                world
                    .with("GITHUB_ACTIONS", "true")
                    .with("GITHUB_API_URL", url)
                    .with("GITHUB_REPOSITORY", "contoso/mfa")
                    .with("GITHUB_EVENT_PATH", path)
                    .with("GITHUB_TOKEN", TOKEN)
            }
            Kind::GitLab => world
                .with("GITLAB_CI", "true")
                .with("CI_API_V4_URL", format!("{url}/api/v4"))
                .with("CI_PROJECT_ID", "12")
                .with("CI_MERGE_REQUEST_IID", "7")
                .with("MFACTL_GITLAB_TOKEN", TOKEN),
            Kind::AzureDevOps => world
                .with("TF_BUILD", "True")
                .with("SYSTEM_COLLECTIONURI", format!("{url}/contoso/"))
                .with("SYSTEM_TEAMPROJECTID", "p1")
                .with("BUILD_REPOSITORY_ID", "r1")
                .with("SYSTEM_PULLREQUEST_PULLREQUESTID", "7")
                .with("SYSTEM_ACCESSTOKEN", TOKEN),
            Kind::Bitbucket => {
                let world = world.file("authority.pem", &self.authority);
                let path = world.path("authority.pem").display().to_string();
                world
                    .with("HTTPS_PROXY", url)
                    .with("SSL_CERT_FILE", path)
                    .with("BITBUCKET_WORKSPACE", "contoso")
                    .with("BITBUCKET_REPO_SLUG", "mfa")
                    .with("BITBUCKET_PR_ID", "7")
                    .with("BITBUCKET_TOKEN", TOKEN)
            }
        }
    }
}

impl State {
    fn add(&mut self, author: &str, body: String, status: &str) -> u64 {
        self.next += 1;
        let (id, author, status) = (self.next, author.to_owned(), status.to_owned());
        self.comments.push(Comment { id, author, body, status });
        id
    }

    fn get(&mut self, id: u64) -> Option<&mut Comment> {
        self.comments.iter_mut().find(|comment| comment.id == id)
    }
}

fn says(status: u16, headers: Vec<(&'static str, String)>, body: Value) -> Weather {
    // An answer without content has no body at all.
    let body = if status == 204 { String::new() } else { body.to_string() };
    Weather::Says(status, headers, body)
}

fn answer(kind: Kind, seen: &Seen, state: &mut State) -> Weather {
    let sent = match kind {
        Kind::GitLab => seen.header("private-token") == Some(TOKEN),
        _ => seen.header("authorization") == Some(&format!("Bearer {TOKEN}")),
    };
    if !sent {
        return says(401, Vec::new(), json!({ "message": "Bad credentials" }));
    }
    let matches = |fault: &Fault| fault.method == seen.method && seen.path.contains(fault.path);
    let fault = state.faults.iter().position(matches).map(|at| state.faults.remove(at));
    match fault {
        Some(fault) => {
            if fault.is_done {
                _ = right_answer(kind, seen, state);
            }
            let message = json!({ "message": format!("As it was asked for with {TOKEN}.") });
            says(fault.status, fault.headers, message)
        }
        None => right_answer(kind, seen, state),
    }
}

fn right_answer(kind: Kind, seen: &Seen, state: &mut State) -> Weather {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
    let below = path.strip_prefix(kind.comments());
    match (seen.method.as_str(), below) {
        ("GET", Some("")) => list(kind, seen, query, state),
        ("POST", Some("")) => {
            let (text, (most, status)) = (text_of(&body), kind.largest());
            if text.len() > most {
                return says(status, Vec::new(), json!({ "message": "Body is too long" }));
            }
            let thread = body["status"].as_str().unwrap_or("none");
            let id = state.add(kind.own(), text, thread);
            let row = state.get(id).map(|comment| row(kind, comment));
            says(201, Vec::new(), row.unwrap_or_default())
        }
        _ => match ids(kind, path) {
            Some(id) => change(kind, &seen.method, id, &body, state),
            None => other(kind, seen, path, &body, state),
        },
    }
}

/// The text of a comment in any of the four shapes.
fn text_of(body: &Value) -> String {
    let paths = ["/body", "/comments/0/content", "/content/raw", "/content"];
    let text = paths.iter().find_map(|path| body.pointer(path).and_then(Value::as_str));
    text.unwrap_or_default().to_owned()
}

/// The id of a comment in a path to it.
fn ids(kind: Kind, path: &str) -> Option<u64> {
    let from = match kind {
        Kind::GitHub => "/repos/contoso/mfa/issues/comments",
        _ => kind.comments(),
    };
    path.strip_prefix(from)?.trim_start_matches('/').split('/').next()?.parse().ok()
}

fn change(kind: Kind, method: &str, id: u64, body: &Value, state: &mut State) -> Weather {
    let Some(comment) = state.get(id) else {
        return says(404, Vec::new(), json!({ "message": "Not Found" }));
    };
    if comment.author != kind.own() {
        return says(403, Vec::new(), json!({ "message": "not yours" }));
    }
    if method == "DELETE" {
        state.comments.retain(|comment| comment.id != id);
        return says(204, Vec::new(), Value::Null);
    }
    if let Some(status) = body["status"].as_str() {
        comment.status = status.to_owned();
    } else {
        comment.body = text_of(body);
    }
    says(200, Vec::new(), row(kind, comment))
}

fn row(kind: Kind, comment: &Comment) -> Value {
    let Comment { id, author, body, status } = comment;
    let created = format!("2026-11-27T09:00:{:02}Z", id % 60);
    match kind {
        Kind::GitHub => {
            json!({ "id": id, "user": { "login": author }, "body": body, "created_at": created })
        }
        Kind::GitLab => {
            json!({ "id": id, "author": { "username": author }, "body": body, "created_at": created })
        }
        Kind::AzureDevOps => json!({ "id": id, "status": status, "comments": [
            { "id": 1, "author": { "id": author }, "content": body, "publishedDate": created },
        ] }),
        Kind::Bitbucket => json!({ "id": id, "user": { "uuid": author },
            "content": { "raw": body }, "created_on": created }),
    }
}

fn list(kind: Kind, seen: &Seen, query: &str, state: &State) -> Weather {
    let rows: Vec<Value> = state.comments.iter().map(|comment| row(kind, comment)).collect();
    if kind == Kind::AzureDevOps {
        return says(200, Vec::new(), json!({ "value": rows }));
    }
    let number = query.split('&').find_map(|one| one.strip_prefix("page="));
    let number: usize = number.map_or(1, |number| number.parse().unwrap());
    let page: Vec<Value> = rows.iter().skip((number - 1) * PAGE).take(PAGE).cloned().collect();
    let host = seen.header("host").unwrap_or_default();
    let scheme = if kind == Kind::Bitbucket { "https" } else { "http" };
    let has_more = rows.len() > number * PAGE;
    let next = format!("{scheme}://{host}{}?page={}", kind.comments(), number + 1);
    match kind {
        Kind::Bitbucket if has_more => {
            says(200, Vec::new(), json!({ "values": page, "next": next }))
        }
        Kind::Bitbucket => says(200, Vec::new(), json!({ "values": page })),
        _ => {
            let link = format!("<{next}>; rel=\"next\", <http://x/>; rel=\"last\"");
            let headers = if has_more { vec![("link", link)] } else { Vec::new() };
            says(200, headers, json!(page))
        }
    }
}

/// The owner of the token, and the check runs of GitHub.
fn other(kind: Kind, seen: &Seen, path: &str, body: &Value, state: &mut State) -> Weather {
    let own = kind.own();
    let run = path.strip_prefix("/repos/contoso/mfa/check-runs/");
    match (seen.method.as_str(), path) {
        ("GET", "/user") => {
            says(403, Vec::new(), json!({ "message": "Resource not accessible by integration" }))
        }
        ("GET", "/api/v4/user") => says(200, Vec::new(), json!({ "username": own })),
        ("GET", "/2.0/user") => says(200, Vec::new(), json!({ "uuid": own })),
        ("GET", "/contoso/_apis/connectionData") => {
            says(200, Vec::new(), json!({ "authenticatedUser": { "id": own } }))
        }
        ("GET", "/repos/contoso/mfa/pulls/7") => {
            says(200, Vec::new(), json!({ "head": { "sha": HEAD } }))
        }
        ("GET", path) if path.starts_with("/repos/contoso/mfa/commits/") => {
            says(200, Vec::new(), json!({ "check_runs": state.checks }))
        }
        ("POST", "/repos/contoso/mfa/check-runs") => {
            let mut run = body.clone();
            run["id"] = json!(state.checks.len() + 1);
            run["app"] = json!({ "slug": "github-actions" });
            state.checks.push(run);
            says(201, Vec::new(), json!({ "id": state.checks.len() }))
        }
        ("PATCH", _) if run.is_some() => {
            let id: u64 = run.and_then(|id| id.parse().ok()).unwrap_or_default();
            match state.checks.iter_mut().find(|run| run["id"] == json!(id)) {
                Some(run) => {
                    run["output"] = body["output"].clone();
                    run["conclusion"] = body["conclusion"].clone();
                    says(200, Vec::new(), json!({ "id": id }))
                }
                None => says(404, Vec::new(), json!({ "message": "Not Found" })),
            }
        }
        _ => says(404, Vec::new(), json!({ "message": "Not Found" })),
    }
}
