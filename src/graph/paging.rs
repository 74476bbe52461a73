//! Lists that come in pages.
//!
//! A nextLink is opaque and absolute; it is followed as it is, to the configured Graph only, also
//! where its page was empty (Graph documentation, "Paging Microsoft Graph data", checked 2026-11).
//! A list whose pages bring nothing new is given up as one without an end.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use fixedbitset::FixedBitSet;
use reqwest::Method;
use serde::de::DeserializeOwned;

use super::client::{Client, Consistency};
use super::error::{Error, Kind};
use super::page::Page;

/// What Graph calls a page that it no longer knows (Graph documentation, "Microsoft Graph error
/// responses", checked 2026-11).
const EXPIRED: &str = "Directory_ExpiredPageToken";

/// So many pages in a row may bring nothing new. An index that is filtered while it is read shows
/// empty pages, one for each 999 rows that it leaves out.
const MOST_IN_VAIN: usize = 500;

/// No list has more pages. Of full pages that is twenty million rows.
const MOST_PAGES: usize = 20_000;

/// A row that is known again where it comes a second time.
pub trait Identified {
    /// The same number for the same row, and hardly ever for two of them. Rows that do not say which
    /// they are may all have the same.
    fn identity(&self) -> u64;
}

/// A row's identity, by its id.
#[must_use]
pub fn identity_of(id: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Whether a list still brings rows that were not there before. Two rows can be taken for one here:
/// that matters only where it happens to all rows of [`MOST_IN_VAIN`] pages.
#[derive(Default)]
struct Progress {
    seen: FixedBitSet,
    in_vain: usize,
    pages: usize,
}

impl Progress {
    /// Of 256 KiB: of five million rows in full pages, no page looks like one that came before.
    const PLACES: usize = 1 << 21;

    /// Takes in a page, and says whether to go on to the next one.
    fn goes_on<T: Identified>(&mut self, rows: &[T]) -> bool {
        self.pages += 1;
        self.seen.grow(Self::PLACES);
        let mut brought = false;
        for row in rows {
            let place = usize::try_from(row.identity() % Self::PLACES as u64).unwrap_or_default();
            brought |= !self.seen.put(place);
        }
        self.in_vain = if brought { 0 } else { self.in_vain + 1 };
        self.in_vain < MOST_IN_VAIN && self.pages < MOST_PAGES
    }
}

impl Client {
    /// Reads a list from its first page on, and hands over each page as it comes. A row that
    /// moves while the list is read can come twice, or not at all: which rows are the same is for
    /// the caller to know.
    ///
    /// # Errors
    /// [`Kind::ListExpired`] where Graph no longer knows the next page. What was handed over is
    /// then of no use; [`Self::fold`] begins again by itself.
    async fn pages<T: DeserializeOwned + Identified>(
        &self,
        first: &str,
        consistency: Consistency,
        mut take: impl FnMut(Vec<T>),
    ) -> Result<(), Error> {
        let (mut followed, mut progress) = (HashSet::new(), Progress::default());
        let mut next = Some(first.to_owned());
        while let Some(address) = next {
            let ask = self.ask(Method::GET, &address, consistency)?;
            if !followed.insert(ask.url.clone()) {
                return Err(Error::new(Kind::Endless, &Method::GET, ask.url.path())
                    .with_message("it leads back to a page that was read already"));
            }
            let page: Page<T> = match self.read(&ask).await {
                Err(error) if error.code() == Some(EXPIRED) && followed.len() > 1 => {
                    return Err(error.with_kind(Kind::ListExpired));
                }
                page => page?,
            };
            let (rows, more) = page.parts();
            if more.is_some() && !progress.goes_on(&rows) {
                return Err(Error::new(Kind::Endless, &Method::GET, ask.url.path()).with_message(
                    &format!("of {} pages the last ones brought nothing new", progress.pages),
                ));
            }
            take(rows);
            next = more.map(|link| link.as_str().to_owned());
        }
        Ok(())
    }

    /// Reads a list into what `start` makes, page by page. Where Graph forgets the next page, what
    /// was made is dropped and the list is read once more from its beginning, so that no row is
    /// counted twice for that.
    pub async fn fold<T: DeserializeOwned + Identified, S>(
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
    pub async fn list<T: DeserializeOwned + Identified>(
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

    impl Identified for serde_json::Value {
        fn identity(&self) -> u64 {
            identity_of(&self.to_string())
        }
    }

    impl Identified for u32 {
        fn identity(&self) -> u64 {
            u64::from(*self)
        }
    }

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
        assert_eq!(list(&script).await.unwrap_err().kind(), Kind::Endless);
        assert_eq!(script.asked().len(), 2);
    }

    /// What an endless list of these pages comes to, and how many were read.
    async fn endless(page: impl Fn(usize) -> String + Send + Sync + 'static) -> (String, usize) {
        let script = Script::start(move |seen, nth| {
            let next = format!("http://{}/v1.0/users?$skiptoken={nth}", seen.host());
            let rows = page(nth);
            Reply::json(200, format!(r#"{{"value":[{rows}],"@odata.nextLink":"{next}"}}"#))
        })
        .await;
        let error = list(&script).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Endless, "{error}");
        (error.to_string(), script.asked().len())
    }

    #[tokio::test]
    async fn a_list_without_an_end_is_given_up_with_an_error_that_names_it() {
        let (error, asked) = endless(|_| String::new()).await;
        assert_eq!(asked, MOST_IN_VAIN);
        assert_eq!(
            error,
            "`GET /v1.0/users` is a list without an end: of 500 pages the last ones brought nothing new"
        );
        // Rows that come again, in any order and in any number, are nothing new.
        let again = |nth: usize| match nth {
            0 => "1,2,3".to_owned(),
            nth if nth % 3 == 0 => String::new(),
            nth => format!("{},{}", nth % 3, nth % 2 + 1),
        };
        assert_eq!(endless(again).await.1, MOST_IN_VAIN + 1);
    }

    #[tokio::test]
    async fn a_long_list_ends_where_it_says_so() {
        let last = MOST_IN_VAIN * 2;
        let script = Script::start(move |seen, nth| {
            let next = format!("http://{}/v1.0/users?$skiptoken={nth}", seen.host());
            // Mostly empty, and now and then a row.
            let row = if nth % 400 == 0 { nth.to_string() } else { String::new() };
            let more =
                if nth < last { format!(r#","@odata.nextLink":"{next}""#) } else { String::new() };
            Reply::json(200, format!(r#"{{"value":[{row}]{more}}}"#))
        })
        .await;
        assert_eq!(list(&script).await.unwrap(), [0, 400, 800]);
        assert_eq!(script.asked().len(), last + 1);
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
