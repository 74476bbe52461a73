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

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Client {
    /// Reads a list from its first page on, and hands over each page as it comes.
    pub async fn pages<T: DeserializeOwned>(
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
            let body = self.read(&ask).await?;
            let page: Page<T> =
                serde_json::from_slice(&body).map_err(|error| ask.unreadable(&error))?;
            take(page.value);
            next = page.next;
        }
        Ok(())
    }

    /// Reads a whole list that is known to be short.
    pub async fn list<T: DeserializeOwned>(
        &self,
        first: &str,
        consistency: Consistency,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.pages(first, consistency, |mut page| all.append(&mut page)).await?;
        Ok(all)
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
}
