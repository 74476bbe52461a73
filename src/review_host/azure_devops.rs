//! Threads on pull requests of Azure DevOps (Microsoft, "Pull Request Threads", api-version 7.1, checked
//! 2026-11). The thread is active while the comment asks for attention, so that a branch policy "all comments
//! resolved" holds the request until then.
//!
//! Not here: issues of a pipeline (`render::findings::azure`).

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::api_client::{ApiClient, HostToken};
use super::error::ReviewError;
use super::marker::Marker;
use super::runner::Runner;
use super::{ReviewComment, ReviewHost, ReviewProvider};

const VERSION: (&str, &str) = ("api-version", "7.1");
const BASE: &str = "SYSTEM_COLLECTIONURI";

#[derive(Debug)]
pub(super) struct AzureComments {
    api: ApiClient,
    project: String,
    repository: String,
    pull_request: String,
}

impl AzureComments {
    pub(super) fn new(runner: &Runner<'_>) -> Result<Self, ReviewError> {
        let pull_request = runner.pull_request("SYSTEM_PULLREQUEST_PULLREQUESTID")?;
        let token = runner.require("SYSTEM_ACCESSTOKEN").map_err(|error| {
            error
                .with_help("set `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }` for this step")
        })?;
        let base = runner.require(BASE)?;
        let provider = ReviewProvider::AzureDevOps;
        Ok(Self {
            api: ApiClient::new(provider, BASE, &base, HostToken::Bearer(token))?,
            project: runner.require("SYSTEM_TEAMPROJECTID")?,
            repository: runner.require("BUILD_REPOSITORY_ID")?,
            pull_request,
        })
    }

    fn threads(&self, more: &[&str]) -> Url {
        let parts = [
            self.project.as_str(),
            "_apis",
            "git",
            "repositories",
            &self.repository,
            "pullRequests",
            &self.pull_request,
            "threads",
        ];
        self.api.url(parts.iter().chain(more).copied(), &[VERSION])
    }
}

#[async_trait]
impl ReviewHost for AzureComments {
    fn provider(&self) -> ReviewProvider {
        ReviewProvider::AzureDevOps
    }

    fn place(&self) -> String {
        format!("pull request {}", self.pull_request)
    }

    async fn own_login(&self) -> Result<String, ReviewError> {
        let what = "read the owner of the token";
        let query = [("api-version", "7.1-preview")];
        let answer = self.api.get(what, self.api.url(["_apis", "connectionData"], &query)).await?;
        let id = answer.body.pointer("/authenticatedUser/id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| self.api.unreadable(what))
    }

    async fn comments(&self) -> Result<Vec<ReviewComment>, ReviewError> {
        self.api
            .pages("list the comments", self.threads(&[]), |answer, rows| {
                let threads = answer.body.get("value").and_then(Value::as_array);
                rows.extend(threads.into_iter().flatten().filter_map(first_comment));
                None
            })
            .await
    }

    async fn create(&self, body: &str, marker: &Marker) -> Result<String, ReviewError> {
        let what = "create the comment";
        let thread = json!({
            "comments": [{ "parentCommentId": 0, "content": body, "commentType": "text" }],
            "status": status(marker),
        });
        let answer = self.api.send(what, Method::POST, self.threads(&[]), Some(&thread)).await?;
        id(&answer.body).ok_or_else(|| self.api.unreadable(what))
    }

    async fn edit(&self, id: &str, body: &str, marker: &Marker) -> Result<(), ReviewError> {
        let (thread, comment) = id.split_once('/').unwrap_or((id, "1"));
        let content = json!({ "content": body });
        let url = self.threads(&[thread, "comments", comment]);
        self.api.send("edit the comment", Method::PATCH, url, Some(&content)).await?;
        let state = json!({ "status": status(marker) });
        let url = self.threads(&[thread]);
        self.api.send("set the status of the thread", Method::PATCH, url, Some(&state)).await?;
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<(), ReviewError> {
        let (thread, comment) = id.split_once('/').unwrap_or((id, "1"));
        let url = self.threads(&[thread, "comments", comment]);
        self.api.send("delete an older comment", Method::DELETE, url, None).await.map(|_| ())
    }
}

const fn status(marker: &Marker) -> &'static str {
    if marker.attention { "active" } else { "fixed" }
}

/// Returns the first comment of a thread. Answers to it are not ours.
fn first_comment(thread: &Value) -> Option<ReviewComment> {
    let comment = thread.pointer("/comments/0")?;
    let is_deleted = |one: &Value| one.get("isDeleted").and_then(Value::as_bool) == Some(true);
    if is_deleted(thread) || is_deleted(comment) {
        return None;
    }
    let text = |path: &str| comment.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Some(ReviewComment {
        id: id(thread)?,
        author: text("/author/id")?,
        body: text("/content")?,
        created: text("/publishedDate").unwrap_or_default(),
    })
}

/// Returns the ids of a thread and of its first comment.
fn id(thread: &Value) -> Option<String> {
    let comment = thread.pointer("/comments/0/id").and_then(Value::as_u64).unwrap_or(1);
    Some(format!("{}/{comment}", thread.get("id")?.as_u64()?))
}
