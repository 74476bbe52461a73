//! HTTP: passes requests to Graph, to the token endpoint or to the sandbox's own paths, and sets the
//! headers that every answer has.
//!
//! Not here: the socket (`wire`), or spoiling an answer on its way out (`delivery`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Clock;
use crate::graph::answer::{Answer, Body};
use crate::graph::answering::Undocumented;
use crate::graph::call::{Call, Payload, Version};
use crate::graph::problem::Problem;
use crate::http::delivery::Delivery;
use crate::http::token::Tokens;
use crate::http::wire::Wire;
use crate::http::{discovery, inside};
use crate::service::{Cut, Served, Service};

/// Graph documentation (JSON batching): a request has at most 4 MB.
const MOST_BYTES: usize = 4 << 20;

const GRAPH_JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Everything that is needed to answer a request.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) service: Service,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    pub(crate) undocumented: Undocumented,
    /// The time that Graph takes for an answer; the parts of a batch run in parallel.
    pub(crate) latency: Duration,
    /// Whether the permissions of the token are checked.
    pub(crate) by_roles: bool,
    /// The address of the socket: `http://127.0.0.1:8080`.
    pub(crate) url: String,
    pub(crate) public_url: Option<String>,
}

pub(crate) fn router(front: Arc<Front>) -> Router {
    Router::new().fallback(serve).with_state(front)
}

async fn serve(
    State(front): State<Arc<Front>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let request_id = Uuid::new_v4().to_string();
    let client_request_id =
        header(&head.headers, "client-request-id").unwrap_or_else(|| request_id.clone());
    let inbound = Inbound {
        root: front.root(&head.headers, head.uri.authority()),
        target: head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        method: head.method,
        headers: head.headers,
        request_id,
        client_request_id,
    };
    let answer = match to_bytes(body, MOST_BYTES).await {
        Ok(bytes) => front.answer(&inbound, &bytes),
        Err(_) => Ok(Served::whole(inbound.refuse(Problem::new(
            413,
            "RequestEntityTooLarge",
            "The request is too large.",
        )))),
    };
    if !front.latency.is_zero() {
        tokio::time::sleep(front.latency).await;
    }
    match answer {
        Ok(served) => {
            let (response, body) = response(served.answer, &inbound, &front.clock);
            served.delivery.send(response, body, &wire).await
        }
        Err(Cut) => {
            // The connection is cut, so this response is never sent.
            wire.cut();
            Response::default()
        }
    }
}

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Scheme and host as the client wrote them, or the public URL if one is set.
    pub(crate) root: String,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    headers: HeaderMap,
    request_id: String,
    client_request_id: String,
}

impl Inbound {
    pub(crate) fn refuse(&self, problem: Problem) -> Answer {
        problem.into_answer(Some(&self.request_id), Some(&self.client_request_id))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name)
    }

    fn content_type(&self) -> Option<String> {
        header(&self.headers, CONTENT_TYPE.as_str())
    }

    pub(crate) fn payload(&self, bytes: &[u8]) -> Payload {
        Payload::from_bytes(bytes, self.content_type().as_deref())
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

impl Front {
    /// The start of links in answers. HTTP/2 has the authority in place of the `Host` header.
    fn root(&self, headers: &HeaderMap, authority: Option<&Authority>) -> String {
        let host = header(headers, HOST.as_str()).or_else(|| authority.map(ToString::to_string));
        match (&self.public_url, host) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(host)) => {
                let scheme = self.url.split("://").next().unwrap_or("http");
                format!("{scheme}://{host}")
            }
            (None, None) => self.url.clone(),
        }
    }

    /// The URLs of this server, as audiences of tokens.
    fn own<'f>(&'f self, inbound: &'f Inbound) -> Vec<&'f str> {
        let mut own = vec![self.url.as_str(), inbound.root.as_str()];
        own.extend(self.public_url.as_deref());
        own
    }

    fn answer(&self, inbound: &Inbound, bytes: &[u8]) -> Result<Served, Cut> {
        let (path, _) = inbound.target.split_once('?').unwrap_or((&inbound.target, ""));
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let version = segments.next().and_then(Version::from_segment);
        if let Some(version) = version {
            return self.graph(inbound, version, bytes);
        }
        let call = Call::new(&inbound.root, Version::V1, inbound.method.clone(), path);
        let call = Call { path: path.to_owned(), ..call };
        let fault = self.service.fault_outside(&inbound.method, path);
        self.service.befall(&call, fault, |_| Ok(Served::whole(self.outside(inbound, path, bytes))))
    }

    /// Answers a request to Graph.
    fn graph(&self, inbound: &Inbound, version: Version, bytes: &[u8]) -> Result<Served, Cut> {
        let authorization = inbound.header(AUTHORIZATION.as_str());
        let own = self.own(inbound);
        let caller = match self.tokens.check(authorization.as_deref(), &own) {
            Ok(caller) => caller,
            Err(problem) => {
                let mut answer = inbound.refuse(problem);
                let challenge = "Bearer realm=\"\", error=\"invalid_token\"".to_owned();
                answer.headers.push(("WWW-Authenticate", challenge));
                return Ok(Served::whole(answer));
            }
        };
        let target = inbound.target.trim_start_matches('/');
        let below = target.strip_prefix(version.as_str()).unwrap_or_default();
        let mut call = Call::new(&inbound.root, version, inbound.method.clone(), below);
        call.eventual = inbound
            .header("ConsistencyLevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        call.payload = inbound.payload(bytes);
        call.roles = self.by_roles.then(|| Arc::new(caller.roles));
        call.app = caller.app;
        call.undocumented = self.undocumented;
        call.request_id = Some(inbound.request_id.clone());
        call.client_request_id = Some(inbound.client_request_id.clone());
        let served = self.service.answer(&call)?;
        if served.delivery == Delivery::Revoke {
            self.tokens.revoke(authorization.as_deref());
        }
        Ok(served)
    }

    /// Answers a request outside Graph: tokens, discovery, and the sandbox's own paths.
    fn outside(&self, inbound: &Inbound, path: &str, bytes: &[u8]) -> Answer {
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let post = inbound.method == Method::POST;
        match segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] if post => {
                let form = String::from_utf8_lossy(bytes);
                let authorization = inbound.header(AUTHORIZATION.as_str());
                let own = self.own(inbound);
                let issued = discovery::known_tenant(&self.service.store(), tenant)
                    .and_then(|_| self.tokens.issue(&form, authorization.as_deref(), &own));
                match issued {
                    Ok(body) => plain(200, body),
                    Err(refusal) => plain(refusal.status, refusal.body()),
                }
            }
            ["sandbox", "signIn"] if post => inside::sign_in(self, inbound, bytes),
            ["sandbox", "writes"] if !post => inside::writes(self),
            ["common", "discovery", "instance"] => discovery::instance(inbound),
            [tenant, "discovery", "v2.0", "keys"] => discovery::keys(&self.service.store(), tenant),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                discovery::openid(&self.service.store(), inbound, tenant)
            }
            [first, ..] => inbound.refuse(Problem::bad_query(format!("Invalid version: {first}."))),
            [] => inbound.refuse(Problem::bad_query("Invalid version.")),
        }
    }
}

/// An answer that does not come from Graph.
pub(crate) fn plain(status: u16, body: Value) -> Answer {
    Answer {
        status,
        headers: vec![("Cache-Control", "no-store".to_owned())],
        body: Body::Json(body),
    }
}

/// Returns the head of an answer, and its body separately.
fn response(answer: Answer, inbound: &Inbound, clock: &Clock) -> (Response, Vec<u8>) {
    let (kind, body) = match answer.body {
        Body::Empty => (None, Vec::new()),
        Body::Text(text) => (Some("text/plain"), text.into_bytes()),
        Body::Json(value) => (Some(GRAPH_JSON), value.to_string().into_bytes()),
    };
    let mut response = Response::default();
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    };
    if let Some(kind) = kind {
        set("Content-Type", kind);
    }
    set("Date", &clock.date_in(0));
    set("request-id", &inbound.request_id);
    set("client-request-id", &inbound.client_request_id);
    for (name, value) in &answer.headers {
        set(name, value);
    }
    (response, body)
}
