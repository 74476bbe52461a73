//! Notes on merge requests of GitLab (GitLab, "Notes API", checked 2026-11).
//!
//! Not here: Code Quality reports (`render::findings::codeclimate`).

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::api_client::{ApiClient, HostToken};
use super::error::{ReviewError, ReviewErrorKind};
use super::marker::Marker;
use super::runner::Runner;
use super::{ReviewComment, ReviewHost, ReviewProvider};

/// The variables with a token, the first that is set.
const TOKENS: [&str; 2] = ["MFACTL_GITLAB_TOKEN", "GITLAB_TOKEN"];
const BASE: &str = "CI_API_V4_URL";

#[derive(Debug)]
pub(super) struct GitLabComments {
    api: ApiClient,
    project: String,
    merge_request: String,
}

impl GitLabComments {
    pub(super) fn new(runner: &Runner<'_>) -> Result<Self, ReviewError> {
        let merge_request = runner.pull_request("CI_MERGE_REQUEST_IID")?;
        // In a pipeline of a fork, the project of the job is not that of the merge request.
        let project = match runner.get("CI_MERGE_REQUEST_PROJECT_ID") {
            Some(_) => runner.number("CI_MERGE_REQUEST_PROJECT_ID")?,
            None => runner.number("CI_PROJECT_ID")?,
        };
        let token = TOKENS.iter().find_map(|name| runner.get(name)).ok_or_else(|| {
            let missing = ReviewErrorKind::Variable { name: TOKENS[0], why: "is not set" };
            ReviewError::new(missing).with_help(ReviewProvider::GitLab.permission())
        })?;
        let base = runner.require(BASE)?;
        let api = ApiClient::new(ReviewProvider::GitLab, BASE, &base, HostToken::Private(token))?;
        Ok(Self { api, project, merge_request })
    }

    fn notes(&self, more: &[&str], query: &[(&str, &str)]) -> Url {
        let (project, merge_request) = (self.project.as_str(), self.merge_request.as_str());
        let parts = ["projects", project, "merge_requests", merge_request, "notes"];
        self.api.url(parts.iter().chain(more).copied(), query)
    }
}

#[async_trait]
impl ReviewHost for GitLabComments {
    fn provider(&self) -> ReviewProvider {
        ReviewProvider::GitLab
    }

    fn place(&self) -> String {
        format!("merge request {} of project {}", self.merge_request, self.project)
    }

    async fn own_login(&self) -> Result<String, ReviewError> {
        let what = "read the owner of the token";
        let answer = self.api.get(what, self.api.url(["user"], &[])).await?;
        let login = answer.body.get("username").and_then(Value::as_str);
        login.map(str::to_owned).ok_or_else(|| self.api.unreadable(what))
    }

    async fn comments(&self) -> Result<Vec<ReviewComment>, ReviewError> {
        let first =
            self.notes(&[], &[("per_page", "100"), ("sort", "asc"), ("order_by", "created_at")]);
        self.api
            .pages("list the comments", first, |answer, rows| {
                rows.extend(answer.body.as_array().into_iter().flatten().filter_map(note));
                answer.next_link()
            })
            .await
    }

    async fn create(&self, body: &str, _: &Marker) -> Result<String, ReviewError> {
        let what = "create the comment";
        let url = self.notes(&[], &[]);
        let answer = self.api.send(what, Method::POST, url, Some(&json!({ "body": body }))).await?;
        id(&answer.body).ok_or_else(|| self.api.unreadable(what))
    }

    async fn edit(&self, id: &str, body: &str, _: &Marker) -> Result<(), ReviewError> {
        let url = self.notes(&[id], &[]);
        let body = json!({ "body": body });
        self.api.send("edit the comment", Method::PUT, url, Some(&body)).await.map(|_| ())
    }

    async fn delete(&self, id: &str) -> Result<(), ReviewError> {
        let url = self.notes(&[id], &[]);
        self.api.send("delete an older comment", Method::DELETE, url, None).await.map(|_| ())
    }
}

fn note(row: &Value) -> Option<ReviewComment> {
    let text = |path: &str| row.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Some(ReviewComment {
        id: id(row)?,
        author: text("/author/username")?,
        body: text("/body")?,
        created: text("/created_at").unwrap_or_default(),
    })
}

fn id(row: &Value) -> Option<String> {
    row.get("id")?.as_u64().map(|id| id.to_string())
}
