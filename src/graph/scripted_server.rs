//! A scripted server for tests. It can also cut the connection.
//!
//! It uses bare TCP, because an HTTP library does not break its own rules.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Builder, Client, Credential, Endpoints, Pace};

pub(super) struct Script {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: JoinHandle<()>,
}

/// A request that the server received.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    /// The path with its query.
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

pub(super) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// There is no answer: the connection ends.
    Cut,
    /// The connection ends before the end of the body.
    Short(String),
    /// Only this number of bytes of the answer is sent.
    Begun(Box<Self>, usize),
    /// The answer is sent after a silence.
    Late(Duration, Box<Self>),
    /// The answer is sent one byte at a time.
    Trickle(Duration, Box<Self>),
}

impl Reply {
    pub(super) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    /// Returns the answer to a batch: for each part of the request, its status and more JSON.
    pub(super) fn parts(seen: &Seen, answer: impl Fn(&str) -> (u16, &'static str)) -> Self {
        let sent: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        let parts = sent["requests"].as_array().unwrap().iter().rev().map(|part| {
            let (status, more) = answer(part["url"].as_str().unwrap());
            let comma = if more.is_empty() { "" } else { "," };
            format!(r#"{{"id":{},"status":{status}{comma}{more}}}"#, part["id"])
        });
        let parts: Vec<_> = parts.collect();
        Self::json(200, format!(r#"{{"responses":[{}]}}"#, parts.join(",")))
    }

    pub(super) fn bytes(&self) -> String {
        match self {
            Self::Cut => String::new(),
            Self::Begun(reply, length) => reply.bytes().chars().take(*length).collect(),
            Self::Late(_, reply) | Self::Trickle(_, reply) => reply.bytes(),
            Self::Short(body) => {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len() + 9)
            }
            Self::Answer { status, headers, body } => {
                let length = body.len();
                let mut text = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n");
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                format!("{text}connection: close\r\n\r\n{body}")
            }
        }
    }
}

impl Reply {
    async fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let bytes = self.bytes();
        match self {
            Self::Trickle(wait, _) => {
                for byte in bytes.bytes() {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(*wait).await;
                }
            }
            Self::Late(wait, _) => {
                tokio::time::sleep(*wait).await;
                stream.write_all(bytes.as_bytes()).await?;
            }
            _ => stream.write_all(bytes.as_bytes()).await?,
        }
        stream.shutdown().await
    }
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn host(&self) -> &str {
        self.header("host").unwrap()
    }

    fn wants_token(&self) -> bool {
        self.path.ends_with("/oauth2/v2.0/token")
    }

    async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        loop {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&bytes);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let mut lines = head.lines();
            let mut words = lines.next()?.split(' ');
            let headers: Vec<_> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let mut seen = Self {
                method: words.next()?.to_owned(),
                path: words.next()?.to_owned(),
                headers,
                body: String::new(),
            };
            let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                seen.body = body.to_owned();
                return Some(seen);
            }
        }
    }
}

impl Script {
    /// Starts a server that answers with `answer`, which gets the request and the number of earlier
    /// requests. A token request gets a token, `token-1` first, unless the secret is wrong.
    pub(super) async fn start(
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(token, answer).await
    }

    /// The same as [`Self::start`], with other answers to token requests.
    pub(super) async fn start_with(
        token: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (answer, token) = (Arc::new(answer), Arc::new(token));
        let log = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, token) = (Arc::clone(&answer), Arc::clone(&token));
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let Some(request) = Seen::read(&mut stream).await else { return };
                    let kind = request.wants_token();
                    let before = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.iter().filter(|seen| seen.wants_token() == kind).count() - 1
                    };
                    let reply =
                        if kind { token(&request, before) } else { answer(&request, before) };
                    let _ = reply.send(&mut stream).await;
                });
            }
        });
        Self { port, seen, server }
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints::parse(&self.address(), &self.address()).unwrap()
    }

    /// Returns a pace whose waits are too short to slow a test.
    pub(super) fn pace(&self) -> Pace {
        Pace {
            base: Duration::from_millis(1),
            longest: Duration::from_millis(10),
            tries: 3,
            ..Pace::default()
        }
    }

    pub(super) fn client(&self) -> Client {
        self.client_with(|builder| builder)
    }

    pub(super) fn client_with(&self, set: impl FnOnce(Builder) -> Builder) -> Client {
        let credential = Credential::client_secret("contoso.example", "app", "secret");
        let builder = Client::builder(self.endpoints()).pace(self.pace());
        set(builder).build(credential).unwrap()
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns all requests so far, including token requests.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn asked(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.wants_token()).collect()
    }

    pub(super) fn tokens(&self) -> usize {
        self.seen().iter().filter(|seen| seen.wants_token()).count()
    }

    /// Closes the port.
    pub(super) async fn stop(self) {
        self.server.abort();
        let _ = self.server.await;
    }
}

/// Returns the answer of the sign-in service with a token that lives this number of seconds.
pub(super) fn token_for(seconds: u32, token: &str) -> Reply {
    Reply::json(
        200,
        format!(r#"{{"token_type":"Bearer","expires_in":{seconds},"access_token":"{token}"}}"#),
    )
}

fn token(request: &Seen, before: usize) -> Reply {
    if request.body.contains("client_secret=wrong") {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1","error_codes":[7000215]}"#;
        return Reply::json(401, body);
    }
    token_for(3599, &format!("token-{}", before + 1))
}
