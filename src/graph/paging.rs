//! Reads lists that have several pages.
//!
//! A nextLink is opaque and absolute. It is followed unchanged, only to the configured Graph, and also if its
//! page was empty (Graph documentation, "Paging Microsoft Graph data", checked 2026-11). If the pages of a
//! list have no new rows, the list counts as endless and reading stops.
//!
//! Not here: the contents of one page (`page`).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use fixedbitset::FixedBitSet;
use reqwest::Method;
use serde::de::DeserializeOwned;

use super::client::{Client, Consistency};
use super::error::{Error, ErrorKind};
use super::page::Page;

/// Graph's error code for a page that it no longer knows (Graph documentation, "Microsoft Graph error
/// responses", checked 2026-11).
const EXPIRED: &str = "Directory_ExpiredPageToken";

/// The number of pages in a row without new rows at which reading stops. An index that is filtered while it
/// is read returns empty pages, one for every 999 rows that the filter removes.
const MOST_IN_VAIN: usize = 500;

/// The largest number of pages in a list. With full pages, that is twenty million rows.
const MOST_PAGES: usize = 20_000;

/// A row that is recognized if it appears a second time.
pub trait Identified {
    /// Returns the same number for the same row, and almost always different numbers for different rows.
    /// All rows without an id may have the same number.
    fn identity(&self) -> u64;
}

/// Returns the identity of a row with this id.
#[must_use]
pub fn identity_of(id: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Tracks whether a list still has new rows. Two different rows can count as the same row: that matters only
/// if it happens to all rows of [`MOST_IN_VAIN`] pages.
#[derive(Default)]
struct Progress {
    seen: FixedBitSet,
    in_vain: usize,
    pages: usize,
}

impl Progress {
    /// The number of bits in `seen`, 256 KiB. With five million rows in full pages, every page still has a
    /// row that counts as new.
    const PLACES: usize = 1 << 21;

    /// Records a page, and returns whether to read the next one.
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
    /// Reads a list from its first page, and hands over each page as it arrives. A row that moves while the
    /// list is read can appear twice, or not at all: the caller must recognize equal rows.
    ///
    /// # Errors
    /// [`ErrorKind::ListExpired`] if Graph no longer knows the next page. The pages that were handed over are
    /// then useless; [`Self::fold`] starts again by itself.
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
                return Err(Error::new(ErrorKind::Endless, &Method::GET, ask.url.path())
                    .with_message("its next link leads back to a page that was already read"));
            }
            let page: Page<T> = match self.read(&ask).await {
                Err(error) if error.code() == Some(EXPIRED) && followed.len() > 1 => {
                    return Err(error.with_kind(ErrorKind::ListExpired));
                }
                page => page?,
            };
            let (rows, more) = page.parts();
            if more.is_some() && !progress.goes_on(&rows) {
                return Err(Error::new(ErrorKind::Endless, &Method::GET, ask.url.path())
                    .with_message(&format!(
                        "the last of its {} pages had no new rows",
                        progress.pages
                    )));
            }
            take(rows);
            next = more.map(|link| link.as_str().to_owned());
        }
        Ok(())
    }

    /// Reads a list into the value of `start`, page by page. If Graph forgets the next page, the value is
    /// dropped and the list is read once more from its beginning, so that no row counts twice.
    pub async fn fold<T: DeserializeOwned + Identified, S>(
        &self,
        first: &str,
        consistency: Consistency,
        start: impl Fn() -> S,
        mut take: impl FnMut(&mut S, Vec<T>),
    ) -> Result<S, Error> {
        let mut made = start();
        match self.pages(first, consistency, |page| take(&mut made, page)).await {
            Err(error) if error.kind() == ErrorKind::ListExpired => {}
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
    use crate::graph::scripted_server::{Reply, Script};

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
    async fn next_link_of_an_empty_page_is_followed() {
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
    async fn next_link_to_another_host_is_not_followed() {
        let foreign = Script::start(|_, _| Reply::json(200, r#"{"value":[]}"#)).await;
        let next = format!("{}v1.0/users?$skiptoken=a", foreign.endpoints().graph());
        let script = Script::start(move |_, _| {
            Reply::json(200, format!(r#"{{"value":[1],"@odata.nextLink":"{next}"}}"#))
        })
        .await;
        let error = list(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignHost);
        assert_eq!(script.asked().len(), 1);
        assert!(foreign.seen().is_empty());
    }

    #[tokio::test]
    async fn next_link_to_an_earlier_page_is_an_error() {
        let script = Script::start(|seen, _| {
            let next = format!("http://{}/v1.0/users?$skiptoken=a", seen.host());
            Reply::json(200, format!(r#"{{"value":[],"@odata.nextLink":"{next}"}}"#))
        })
        .await;
        assert_eq!(list(&script).await.unwrap_err().kind(), ErrorKind::Endless);
        assert_eq!(script.asked().len(), 2);
    }

    /// Returns the error of an endless list with these pages, and the number of pages that were read.
    async fn endless(page: impl Fn(usize) -> String + Send + Sync + 'static) -> (String, usize) {
        let script = Script::start(move |seen, nth| {
            let next = format!("http://{}/v1.0/users?$skiptoken={nth}", seen.host());
            let rows = page(nth);
            Reply::json(200, format!(r#"{{"value":[{rows}],"@odata.nextLink":"{next}"}}"#))
        })
        .await;
        let error = list(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Endless, "{error}");
        (error.to_string(), script.asked().len())
    }

    #[tokio::test]
    async fn endless_list_is_an_error_that_names_the_list() {
        let (error, asked) = endless(|_| String::new()).await;
        assert_eq!(asked, MOST_IN_VAIN);
        assert_eq!(
            error,
            "`GET /v1.0/users` returned a list that does not end: the last of its 500 pages had no new rows"
        );
        // Repeated rows are not new, in any order and in any number.
        let again = |nth: usize| match nth {
            0 => "1,2,3".to_owned(),
            nth if nth % 3 == 0 => String::new(),
            nth => format!("{},{}", nth % 3, nth % 2 + 1),
        };
        assert_eq!(endless(again).await.1, MOST_IN_VAIN + 1);
    }

    #[tokio::test]
    async fn long_list_with_many_empty_pages_is_read_to_its_end() {
        let last = MOST_IN_VAIN * 2;
        let script = Script::start(move |seen, nth| {
            let next = format!("http://{}/v1.0/users?$skiptoken={nth}", seen.host());
            // Most pages are empty; every 400th has a row.
            let row = if nth % 400 == 0 { nth.to_string() } else { String::new() };
            let more =
                if nth < last { format!(r#","@odata.nextLink":"{next}""#) } else { String::new() };
            Reply::json(200, format!(r#"{{"value":[{row}]{more}}}"#))
        })
        .await;
        assert_eq!(list(&script).await.unwrap(), [0, 400, 800]);
        assert_eq!(script.asked().len(), last + 1);
    }

    /// Starts a server with a list of two pages, which forgets the second page `times` times.
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
                let body = r#"{"error":{"code":"Directory_ExpiredPageToken","message":"The specified page token value has expired"}}"#;
                return Reply::json(400, body);
            }
            Reply::json(200, r#"{"value":[3]}"#)
        })
        .await
    }

    #[tokio::test]
    async fn expired_list_is_read_again_without_duplicate_rows() {
        let script = forgetful(1).await;
        assert_eq!(list(&script).await.unwrap(), [1, 2, 3]);
        assert_eq!(script.asked().len(), 4);
        let script = forgetful(2).await;
        let error = list(&script).await.unwrap_err();
        assert_eq!((error.kind(), script.asked().len()), (ErrorKind::ListExpired, 4));
        assert!(error.to_string().contains("a list page that Graph no longer knows"), "{error}");
    }

    #[tokio::test]
    async fn pages_of_an_expired_list_end_with_an_error() {
        let script = forgetful(1).await;
        let mut rows = Vec::new();
        let take = |mut page: Vec<u32>| rows.append(&mut page);
        let read = script.client().pages("/v1.0/users", Consistency::Default, take).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ListExpired);
        assert_eq!(rows, [1, 2]);
        // For a first page, the same code is an ordinary error.
        let script = Script::start(|_, _| {
            Reply::json(400, r#"{"error":{"code":"Directory_ExpiredPageToken"}}"#)
        })
        .await;
        assert_eq!(list(&script).await.unwrap_err().kind(), ErrorKind::Status);
        assert_eq!(script.asked().len(), 1);
    }

    /// A row that moved between two pages appears twice. Only the caller knows that both are the same.
    #[tokio::test]
    async fn duplicate_rows_are_handed_over() {
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
    async fn lost_page_is_read_again_without_duplicate_rows() {
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
