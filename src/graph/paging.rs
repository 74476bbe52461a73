//! Lists that come in pages.
//!
//! A nextLink is opaque and absolute; it is followed as it is, to the configured Graph only, also
//! where its page was empty (Graph documentation, "Paging Microsoft Graph data", checked 2026-11).

use std::collections::HashSet;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Client, Consistency};
use super::error::{Error, Kind};

/// What Graph calls a page that it no longer knows (Graph documentation, "Microsoft Graph error
/// responses", checked 2026-11).
const EXPIRED: &str = "Directory_ExpiredPageToken";

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Client {
    /// Reads a list from its first page on, and hands over each page as it comes. A row that
    /// moves while the list is read can come twice, or not at all: which rows are the same is for
    /// the caller to know.
    ///
    /// # Errors
    /// [`Kind::ListExpired`] where Graph no longer knows the next page. What was handed over is
    /// then of no use; [`Self::fold`] begins again by itself.
    async fn pages<T: DeserializeOwned>(
        &self,
        first: &str,
        consistency: Consistency,
        mut take: impl FnMut(Vec<T>),
    ) -> Result<(), Error> {
        let mut followed = HashSet::new();
        let mut next = Some(first.to_owned());
        while let Some(address) = next {
            let ask = self.ask(Method::GET, &address, consistency)?;
            if !followed.insert(ask.url.clone()) {
                return Err(Error::new(Kind::Body, &Method::GET, ask.url.path())
                    .with_message("the list leads back to a page that was read already"));
            }
            let page: Page<T> = match self.read(&ask).await {
                Err(error) if error.code() == Some(EXPIRED) && followed.len() > 1 => {
                    return Err(error.with_kind(Kind::ListExpired));
                }
                page => page?,
            };
            take(page.value);
            next = page.next;
        }
        Ok(())
    }

    /// Reads a list into what `start` makes, page by page. Where Graph forgets the next page, what
    /// was made is dropped and the list is read once more from its beginning, so that no row is
    /// counted twice for that.
    pub async fn fold<T: DeserializeOwned, S>(
        &self,
        first: &str,
        consistency: Consistency,
        start: impl Fn() -> S,
        mut take: impl FnMut(&mut S, Vec<T>),
    ) -> Result<S, Error> {
        let mut made = start();
        match self.pages(first, consistency, |page| take(&mut made, page)).await {
            Err(error) if error.kind() == Kind::ListExpired => {}
            done => return done.map(|()| made),
        }
        made = start();
        self.pages(first, consistency, |page| take(&mut made, page)).await?;
        Ok(made)
    }

    /// Reads a whole list that is known to be short.
    pub async fn list<T: DeserializeOwned>(
        &self,
        first: &str,
        consistency: Consistency,
    ) -> Result<Vec<T>, Error> {
        self.fold(first, consistency, Vec::new, |all, mut page| all.append(&mut page)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::script::{Reply, Script};

    async fn list(script: &Script) -> Result<Vec<u32>, Error> {
        script.client().list("/v1.0/users?$top=2", Consistency::Eventual).await
    }

    #[tokio::test]
    async fn next_links_are_followed_also_from_an_empty_page() {
        let script = Script::start(|seen, nth| {
            let page = |values: &str, token: &str| {
                let next = format!("http://{}/v1.0/users?$skiptoken={token}", seen.host());
                Reply::json(200, format!(r#"{{"value":{values},"@odata.nextLink":"{next}"}}"#))
            };
            match nth {
                0 => page("[1,2]", "a"),
                1 => page("[]", "b%20c"),
                _ => Reply::json(200, r#"{"value":[3]}"#),
            }
        })
        .await;
        assert_eq!(list(&script).await.unwrap(), [1, 2, 3]);
        let asked = script.asked();
        assert_eq!(asked[2].path, "/v1.0/users?$skiptoken=b%20c");
        assert!(asked.iter().all(|seen| seen.header("consistencylevel") == Some("eventual")));
    }

    #[tokio::test]
    async fn a_next_link_to_another_host_is_not_followed() {
        let foreign = Script::start(|_, _| Reply::json(200, r#"{"value":[]}"#)).await;
        let next = format!("{}v1.0/users?$skiptoken=a", foreign.endpoints().graph());
        let script = Script::start(move |_, _| {
            Reply::json(200, format!(r#"{{"value":[1],"@odata.nextLink":"{next}"}}"#))
        })
        .await;
        let error = list(&script).await.unwrap_err();
        assert_eq!(error.kind(), Kind::ForeignHost);
        assert_eq!(script.asked().len(), 1);
        assert!(foreign.seen().is_empty());
    }

    #[tokio::test]
    async fn a_list_that_leads_back_is_given_up() {
        let script = Script::start(|seen, _| {
            let next = format!("http://{}/v1.0/users?$skiptoken=a", seen.host());
            Reply::json(200, format!(r#"{{"value":[],"@odata.nextLink":"{next}"}}"#))
        })
        .await;
        assert_eq!(list(&script).await.unwrap_err().kind(), Kind::Body);
        assert_eq!(script.asked().len(), 2);
    }

    /// A list of two pages whose second is forgotten `times` times.
    async fn forgetful(times: usize) -> Script {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        Script::start(move |seen, _| {
            if !seen.path.contains("skiptoken") {
                let next = format!("http://{}/v1.0/users?$skiptoken=a", seen.host());
                let first = format!(r#"{{"value":[1,2],"@odata.nextLink":"{next}"}}"#);
                return Reply::json(200, first);
            }
            let nth = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if nth < times {
                let said = r#"{"error":{"code":"Directory_ExpiredPageToken","message":"The specified page token value has expired"}}"#;
                return Reply::json(400, said);
            }
            Reply::json(200, r#"{"value":[3]}"#)
        })
        .await
    }

    #[tokio::test]
    async fn a_list_that_graph_forgot_is_read_again_and_no_row_counted_twice() {
        let script = forgetful(1).await;
        assert_eq!(list(&script).await.unwrap(), [1, 2, 3]);
        assert_eq!(script.asked().len(), 4);
        let script = forgetful(2).await;
        let error = list(&script).await.unwrap_err();
        assert_eq!((error.kind(), script.asked().len()), (Kind::ListExpired, 4));
        assert!(error.to_string().contains("a page that Graph no longer knows"), "{error}");
    }

    #[tokio::test]
    async fn whoever_takes_pages_hears_that_they_are_of_no_use() {
        let script = forgetful(1).await;
        let mut rows = Vec::new();
        let take = |mut page: Vec<u32>| rows.append(&mut page);
        let read = script.client().pages("/v1.0/users", Consistency::Default, take).await;
        assert_eq!(read.unwrap_err().kind(), Kind::ListExpired);
        assert_eq!(rows, [1, 2]);
        // On a first page the same code is an answer like any other.
        let script = Script::start(|_, _| {
            Reply::json(400, r#"{"error":{"code":"Directory_ExpiredPageToken"}}"#)
        })
        .await;
        assert_eq!(list(&script).await.unwrap_err().kind(), Kind::Status);
        assert_eq!(script.asked().len(), 1);
    }

    /// A row that moved between two pages comes twice; who it is, only the caller knows.
    #[tokio::test]
    async fn duplicates_are_handed_over_as_they_come() {
        let script = Script::start(|seen, nth| {
            let next = format!("http://{}/v1.0/users?$skiptoken=a", seen.host());
            match nth {
                0 => Reply::json(200, format!(r#"{{"value":[1,2],"@odata.nextLink":"{next}"}}"#)),
                _ => Reply::json(200, r#"{"value":[2,3]}"#),
            }
        })
        .await;
        assert_eq!(list(&script).await.unwrap(), [1, 2, 2, 3]);
    }

    #[tokio::test]
    async fn a_page_that_is_lost_is_read_again_and_its_rows_come_once() {
        let script = Script::start(|seen, nth| {
            let next = format!("http://{}/v1.0/users?$skiptoken=a", seen.host());
            match nth {
                0 => Reply::json(200, format!(r#"{{"value":[1],"@odata.nextLink":"{next}"}}"#)),
                1 => Reply::Short(r#"{"value":[2"#.to_owned()),
                2 => Reply::json(200, r#"{"value":[2"#),
                _ => Reply::json(200, r#"{"value":[2]}"#),
            }
        })
        .await;
        assert_eq!(list(&script).await.unwrap(), [1, 2]);
    }
}
