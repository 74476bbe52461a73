//! How an answer is sent: whole, or spoilt, slow or cut as a fault requires.
//!
//! Not here: the list of faults (`faults`), or the content of the answer.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use futures_util::stream;

use crate::http::wire::Wire;

/// The way in which an answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    #[default]
    Whole,
    /// Cut after this many bytes, the head included.
    CutAt(u64),
    CutBody,
    Truncated,
    NotJson,
    SlowBody(Duration),
    Slow(Duration),
    /// Whole, but the token of the request is no longer valid.
    Revoke,
}

/// The number of pieces of a slow body.
const PIECES: u32 = 10;

/// The time between the first half of a body and the cut: long enough for the half to be sent.
const BEFORE_THE_CUT: Duration = Duration::from_millis(20);

const HTML: &str =
    "<!DOCTYPE html><html><head><title>Gateway</title></head><body>Please wait.</body></html>";

impl Delivery {
    /// Puts a body into an answer, in this way of delivery.
    pub(crate) async fn send(
        self,
        mut response: Response<Body>,
        body: Vec<u8>,
        wire: &Wire,
    ) -> Response<Body> {
        let half = body.len() / 2;
        let headers = response.headers_mut();
        match self {
            Self::Whole | Self::Revoke => *response.body_mut() = Body::from(body),
            Self::CutAt(bytes) => {
                wire.cut_after(bytes);
                *response.body_mut() = Body::from(body);
            }
            Self::CutBody => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
                *response.body_mut() = Body::from_stream(cut(body, half));
            }
            Self::Truncated => {
                let half: Vec<u8> = body.into_iter().take(half).collect();
                *response.body_mut() = Body::from(half);
            }
            Self::NotJson => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
                *response.body_mut() = Body::from(HTML);
            }
            Self::SlowBody(over) => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
                *response.body_mut() = Body::from_stream(slowly(body, over));
            }
            Self::Slow(by) => {
                tokio::time::sleep(by).await;
                *response.body_mut() = Body::from(body);
            }
        }
        response
    }
}

type Piece = Result<Bytes, std::io::Error>;

fn cut(mut body: Vec<u8>, half: usize) -> impl futures_util::Stream<Item = Piece> {
    body.truncate(half);
    stream::unfold(Some(body), |first| async {
        match first {
            Some(body) => Some((Ok(Bytes::from(body)), None)),
            None => {
                tokio::time::sleep(BEFORE_THE_CUT).await;
                Some((Err(std::io::ErrorKind::ConnectionReset.into()), None))
            }
        }
    })
}

fn slowly(body: Vec<u8>, over: Duration) -> impl futures_util::Stream<Item = Piece> {
    let size = body.len().div_ceil(usize::try_from(PIECES).unwrap_or(1)).max(1);
    let pieces: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        let piece = pieces.next()?;
        tokio::time::sleep(over / PIECES).await;
        Some((Ok(piece), pieces))
    })
}
