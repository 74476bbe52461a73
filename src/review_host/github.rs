//! Comments on pull requests of GitHub (GitHub, "REST API endpoints for issue comments", checked 2026-11).
//!
//! Not here: the check run with the head of the comment (`check_run`).

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use super::api_client::{ApiClient, HostToken};
use super::check_run;
use super::error::{ReviewError, ReviewErrorKind};
use super::marker::{CommentFile, Marker};
use super::runner::Runner;
use super::{ReviewComment, ReviewHost, ReviewProvider};

/// The author of what a job writes with `GITHUB_TOKEN`.
const ACTIONS: &str = "github-actions[bot]";
const BASE: &str = "GITHUB_API_URL";

#[derive(Debug)]
pub(super) struct GitHubComments {
    pub(super) api: ApiClient,
    owner: String,
    repository: String,
    number: String,
    /// The head commit of the pull request, if the event names it.
    event_head: Option<String>,
    head: OnceCell<String>,
}

impl GitHubComments {
    pub(super) fn new(runner: &Runner<'_>) -> Result<Self, ReviewError> {
        let event = runner.file_of("GITHUB_EVENT_PATH");
        let event: Value =
            event.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let (number, event_head) = pull_request(&event, runner.get("GITHUB_REF").as_deref())
            .ok_or_else(|| ReviewError::new(ReviewErrorKind::NoPullRequest))?;
        let name = "GITHUB_REPOSITORY";
        let full = runner.require(name)?;
        let parts = full
            .split_once('/')
            .filter(|(owner, repository)| [owner, repository].iter().all(|part| is_name(part)));
        let (owner, repository) = parts.ok_or_else(|| {
            ReviewError::new(ReviewErrorKind::Variable { name, why: "is not OWNER/REPOSITORY" })
        })?;
        let token = HostToken::Bearer(runner.require("GITHUB_TOKEN").map_err(|error| {
            error.with_help("set `env: { GITHUB_TOKEN: ${{ github.token }} }` for this step")
        })?);
        Ok(Self {
            api: ApiClient::new(ReviewProvider::GitHub, BASE, &runner.require(BASE)?, token)?,
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            number,
            event_head,
            head: OnceCell::new(),
        })
    }

    /// Returns an address of the repository.
    pub(super) fn url(&self, more: &[&str], query: &[(&str, &str)]) -> Url {
        let parts = ["repos", &self.owner, &self.repository];
        self.api.url(parts.iter().chain(more).copied(), query)
    }

    /// Returns the head commit of the pull request.
    pub(super) async fn head(&self) -> Result<&str, ReviewError> {
        let head = self.head.get_or_try_init(|| async {
            if let Some(head) = &self.event_head {
                return Ok(head.clone());
            }
            let what = "read the pull request";
            let answer = self.api.get(what, self.url(&["pulls", &self.number], &[])).await?;
            commit(answer.body.pointer("/head/sha")).ok_or_else(|| self.api.unreadable(what))
        });
        head.await.map(String::as_str)
    }
}

/// Returns the number of the pull request, and its head commit if the event names it.
fn pull_request(event: &Value, reference: Option<&str>) -> Option<(String, Option<String>)> {
    let number = |value: Option<&Value>| value?.as_u64().map(|number| number.to_string());
    if let Some(found) = number(event.pointer("/pull_request/number")) {
        return Some((found, commit(event.pointer("/pull_request/head/sha"))));
    }
    let of_run = event.pointer("/workflow_run/pull_requests").and_then(Value::as_array);
    match of_run.map(Vec::as_slice) {
        Some([one]) => {
            let head = commit(event.pointer("/workflow_run/head_sha"));
            return Some((number(one.get("number"))?, head));
        }
        Some([_, _, ..]) => return None,
        _ => {}
    }
    let found = reference?.strip_prefix("refs/pull/")?.strip_suffix("/merge")?;
    let is_number = !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (found.to_owned(), None))
}

fn commit(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    let is_hash = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}

/// Whether an owner or a repository has only characters that GitHub allows.
fn is_name(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(is_one)
}

#[async_trait]
impl ReviewHost for GitHubComments {
    fn provider(&self) -> ReviewProvider {
        ReviewProvider::GitHub
    }

    fn place(&self) -> String {
        format!("pull request {} of {}/{}", self.number, self.owner, self.repository)
    }

    /// The token of a job is no user, so its request is refused with 403.
    async fn own_login(&self) -> Result<String, ReviewError> {
        let what = "read the owner of the token";
        match self.api.get(what, self.api.url(["user"], &[])).await {
            Ok(answer) => {
                let login = answer.body.get("login").and_then(Value::as_str);
                login.map(str::to_owned).ok_or_else(|| self.api.unreadable(what))
            }
            Err(error) if error.status() == Some(403) => Ok(ACTIONS.to_owned()),
            Err(error) => Err(error),
        }
    }

    async fn comments(&self) -> Result<Vec<ReviewComment>, ReviewError> {
        let first = self.url(&["issues", &self.number, "comments"], &[("per_page", "100")]);
        self.api
            .pages("list the comments", first, |answer, rows| {
                rows.extend(answer.body.as_array().into_iter().flatten().filter_map(comment));
                answer.next_link()
            })
            .await
    }

    async fn create(&self, body: &str, _: &Marker) -> Result<String, ReviewError> {
        let what = "create the comment";
        let url = self.url(&["issues", &self.number, "comments"], &[]);
        let answer = self.api.send(what, Method::POST, url, Some(&json!({ "body": body }))).await?;
        id(&answer.body).ok_or_else(|| self.api.unreadable(what))
    }

    async fn edit(&self, id: &str, body: &str, _: &Marker) -> Result<(), ReviewError> {
        let url = self.url(&["issues", "comments", id], &[]);
        let body = json!({ "body": body });
        self.api.send("edit the comment", Method::PATCH, url, Some(&body)).await.map(|_| ())
    }

    async fn delete(&self, id: &str) -> Result<(), ReviewError> {
        let url = self.url(&["issues", "comments", id], &[]);
        self.api.send("delete an older comment", Method::DELETE, url, None).await.map(|_| ())
    }

    async fn show_status(
        &self,
        own_login: &str,
        file: &CommentFile,
    ) -> Result<Option<String>, ReviewError> {
        check_run::show(self, own_login, file).await
    }
}

fn comment(row: &Value) -> Option<ReviewComment> {
    let text = |path: &str| row.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Some(ReviewComment {
        id: id(row)?,
        author: text("/user/login")?,
        body: text("/body")?,
        created: text("/created_at").unwrap_or_default(),
    })
}

pub(super) fn id(row: &Value) -> Option<String> {
    row.get("id")?.as_u64().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_request_is_found_in_the_event_or_the_reference() {
        let head = "0123456789abcdef0123456789abcdef01234567";
        let of = |event: Value, reference| pull_request(&event, reference);
        let found = |head: Option<&str>| Some(("7".to_owned(), head.map(str::to_owned)));
        let event = json!({ "pull_request": { "number": 7, "head": { "sha": head } } });
        assert_eq!(of(event, Some("refs/pull/9/merge")), found(Some(head)));
        let run = |numbers: &[u64]| {
            let all: Vec<Value> = numbers.iter().map(|one| json!({ "number": one })).collect();
            json!({ "workflow_run": { "head_sha": head, "pull_requests": all } })
        };
        assert_eq!(of(run(&[7]), None), found(Some(head)));
        assert_eq!(of(run(&[7, 8]), None), None);
        assert_eq!(of(run(&[]), None), None);
        assert_eq!(of(json!({}), Some("refs/pull/7/merge")), found(None));
        for reference in
            ["refs/heads/main", "refs/pull//merge", "refs/pull/7x/merge", "refs/pull/7"]
        {
            assert_eq!(of(json!(null), Some(reference)), None, "{reference}");
        }
    }
}
