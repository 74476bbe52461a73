//! Comments on pull requests of Bitbucket Cloud (Atlassian, "The Bitbucket Cloud REST API: pullrequests",
//! checked 2026-11).
//!
//! Not here: Code Insights reports.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::api_client::{ApiClient, HostToken};
use super::error::{ReviewError, ReviewErrorKind};
use super::marker::Marker;
use super::runner::Runner;
use super::{ReviewComment, ReviewHost, ReviewProvider};

const API: &str = "https://api.bitbucket.org/2.0/";
/// The API through the proxy of the runner, which signs requests and adds TLS (Atlassian, "Code insights",
/// checked 2026-11).
const API_BY_PROXY: &str = "http://api.bitbucket.org/2.0/";
const PROXY: &str = "http://localhost:29418";

#[derive(Debug)]
pub(super) struct BitbucketComments {
    api: ApiClient,
    workspace: String,
    repository: String,
    pull_request: String,
}

impl BitbucketComments {
    pub(super) fn new(runner: &Runner<'_>) -> Result<Self, ReviewError> {
        let pull_request = runner.pull_request("BITBUCKET_PR_ID")?;
        let name = "BITBUCKET_TOKEN";
        let (base, token) = match runner.get(name) {
            Some(token) => (API, HostToken::Bearer(token)),
            None => {
                let proxy = Url::parse(PROXY).map_err(|_| {
                    ReviewError::new(ReviewErrorKind::Variable { name, why: "is not set" })
                })?;
                (API_BY_PROXY, HostToken::ByProxy(proxy))
            }
        };
        Ok(Self {
            api: ApiClient::new(ReviewProvider::Bitbucket, name, base, token)?,
            workspace: runner.require("BITBUCKET_WORKSPACE")?,
            repository: runner.require("BITBUCKET_REPO_SLUG")?,
            pull_request,
        })
    }

    fn comments_url(&self, more: &[&str], query: &[(&str, &str)]) -> Url {
        let parts = [
            "repositories",
            self.workspace.as_str(),
            &self.repository,
            "pullrequests",
            &self.pull_request,
            "comments",
        ];
        self.api.url(parts.iter().chain(more).copied(), query)
    }
}

#[async_trait]
impl ReviewHost for BitbucketComments {
    fn provider(&self) -> ReviewProvider {
        ReviewProvider::Bitbucket
    }

    fn place(&self) -> String {
        format!("pull request {} of {}/{}", self.pull_request, self.workspace, self.repository)
    }

    async fn own_login(&self) -> Result<String, ReviewError> {
        let what = "read the owner of the token";
        let answer = self.api.get(what, self.api.url(["user"], &[])).await?;
        let id = answer.body.get("uuid").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| self.api.unreadable(what))
    }

    async fn comments(&self) -> Result<Vec<ReviewComment>, ReviewError> {
        let first = self.comments_url(&[], &[("pagelen", "100")]);
        self.api
            .pages("list the comments", first, |answer, rows| {
                let values = answer.body.get("values").and_then(Value::as_array);
                rows.extend(values.into_iter().flatten().filter_map(comment));
                self.next(&answer.body)
            })
            .await
    }

    async fn create(&self, body: &str, _: &Marker) -> Result<String, ReviewError> {
        let what = "create the comment";
        let url = self.comments_url(&[], &[]);
        let content = json!({ "content": { "raw": body } });
        let answer = self.api.send(what, Method::POST, url, Some(&content)).await?;
        id(&answer.body).ok_or_else(|| self.api.unreadable(what))
    }

    async fn edit(&self, id: &str, body: &str, _: &Marker) -> Result<(), ReviewError> {
        let url = self.comments_url(&[id], &[]);
        let content = json!({ "content": { "raw": body } });
        self.api.send("edit the comment", Method::PUT, url, Some(&content)).await.map(|_| ())
    }

    async fn delete(&self, id: &str) -> Result<(), ReviewError> {
        let url = self.comments_url(&[id], &[]);
        self.api.send("delete an older comment", Method::DELETE, url, None).await.map(|_| ())
    }
}

impl BitbucketComments {
    /// Returns the address of the next page. The API names it with https; the proxy of the runner is asked
    /// without TLS.
    fn next(&self, page: &Value) -> Option<Url> {
        let mut next = Url::parse(page.get("next")?.as_str()?).ok()?;
        let own = self.api.url([], &[]);
        if own.host() == next.host() && own.scheme() == "http" && next.port().is_none() {
            next.set_scheme("http").ok()?;
        }
        Some(next)
    }
}

fn comment(row: &Value) -> Option<ReviewComment> {
    if row.get("deleted").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let text = |path: &str| row.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Some(ReviewComment {
        id: id(row)?,
        author: text("/user/uuid")?,
        body: text("/content/raw")?,
        created: text("/created_on").unwrap_or_default(),
    })
}

fn id(row: &Value) -> Option<String> {
    row.get("id")?.as_u64().map(|id| id.to_string())
}
