//! What stands between the program and its tenant: a network and a service that behave as they like,
//! a server by TLS, or a proxy. Each request is handed on to the tenant, or not, and the answer comes
//! back whole, in part, late, changed, or not at all.
//!
//! On bare sockets, because no HTTP library breaks its own rules.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: String,
    line: String,
    raw: Vec<u8>,
}

/// Header names are in lower case.
type Headers = Vec<(String, String)>;
type Change = Box<dyn FnOnce(Headers, String) -> (Headers, String) + Send>;

/// What becomes of a request.
pub(crate) enum Weather {
    /// The tenant answers.
    Fine,
    /// It never arrives, and the connection ends.
    Lost,
    /// The tenant does it, and only so many bytes of the answer come back.
    Cut(usize),
    /// The tenant answers, after a silence.
    Late(Duration),
    /// The tenant answers, and that comes in drops, with a silence after each.
    Drops(Duration),
    /// The tenant answers, with other headers and another body.
    Changed(Change),
    /// The tenant answers every request with that token.
    As(String),
    /// It never arrives; this is the answer.
    Says(u16, Vec<(&'static str, String)>, String),
    /// It never arrives; these bytes are the answer, head and all.
    Raw(Vec<u8>),
}

type Hook = dyn Fn(&Seen, usize) -> Weather + Send + Sync;

enum Door {
    Plain,
    Tls(Arc<ServerConfig>),
    Proxy(Arc<ServerConfig>),
}

struct Inner {
    door: Door,
    /// Where the tenant is, `127.0.0.1:8080`; nobody is behind a service of its own.
    tenant: Option<String>,
    hook: Box<Hook>,
    count: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
    connects: Mutex<Vec<String>>,
}

pub(crate) struct Front {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Weather {
    /// An error of Graph.
    pub(crate) fn refused(status: u16, code: &str) -> Self {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"As it was asked for."}}}}"#);
        Self::Says(status, vec![("content-type", "application/json".to_owned())], body)
    }

    /// A success with that JSON in it.
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::Says(200, vec![("content-type", "application/json".to_owned())], body.into())
    }

    /// The tenant's own answer, with another body.
    pub(crate) fn body(change: impl FnOnce(String) -> String + Send + 'static) -> Self {
        Self::Changed(Box::new(|headers, body| (headers, change(body))))
    }
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it goes to Graph, and not to the sign-in service.
    pub(crate) fn is_graph(&self) -> bool {
        self.path.starts_with("/v1.0/") || self.path.starts_with("/beta/")
    }

    /// Whether it asks for any change.
    pub(crate) fn writes(&self) -> bool {
        self.is_graph()
            && self.method == "POST"
            && ["\"POST\"", "\"PATCH\"", "\"DELETE\""].iter().any(|verb| self.body.contains(verb))
    }
}

impl Front {
    /// In front of the tenant at a URL.
    pub(crate) fn before(
        url: &str,
        hook: impl Fn(&Seen, usize) -> Weather + Send + Sync + 'static,
    ) -> Self {
        Self::open(Door::Plain, Some(url), hook)
    }

    /// A service of its own, with nobody behind it.
    pub(crate) fn alone(hook: impl Fn(&Seen, usize) -> Weather + Send + Sync + 'static) -> Self {
        Self::open(Door::Plain, None, hook)
    }

    /// The tenant by TLS, with a certificate that [`authority`] vouches for.
    pub(crate) fn tls(url: &str) -> Self {
        Self::open(Door::Tls(certified()), Some(url), |_, _| Weather::Fine)
    }

    /// A proxy behind which every host is the tenant, by TLS.
    pub(crate) fn proxy(url: &str) -> Self {
        Self::open(Door::Proxy(certified()), Some(url), |_, _| Weather::Fine)
    }

    /// A proxy behind which every host is this service, by TLS with a certificate for one host. Returns the
    /// authority of the certificate as PEM.
    pub(crate) fn proxy_for(
        host: &str,
        hook: impl Fn(&Seen, usize) -> Weather + Send + Sync + 'static,
    ) -> (Self, String) {
        let (config, authority) = certified_for(host);
        (Self::open(Door::Proxy(config), None, hook), authority)
    }

    fn open(
        door: Door,
        url: Option<&str>,
        hook: impl Fn(&Seen, usize) -> Weather + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner {
            door,
            tenant: url.map(|url| url.trim_start_matches("http://").to_owned()),
            hook: Box::new(hook),
            count: AtomicUsize::new(0),
            seen: Mutex::default(),
            connects: Mutex::default(),
        });
        let of_thread = Arc::clone(&inner);
        // It ends with the process: a listener cannot be woken.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inner = Arc::clone(&of_thread);
                // A client that went away in the middle is no failure.
                thread::spawn(move || _ = inner.meet(stream));
            }
        });
        Self { address, inner }
    }

    /// Scheme, host and port.
    pub(crate) fn url(&self) -> String {
        let scheme = if matches!(self.inner.door, Door::Tls(_)) { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What has been asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().expect("nobody panics").clone()
    }

    /// Where a proxy was asked to connect to.
    pub(crate) fn connects(&self) -> Vec<String> {
        self.inner.connects.lock().expect("nobody panics").clone()
    }
}

impl Inner {
    fn meet(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        match &self.door {
            Door::Plain => self.serve(&mut stream),
            Door::Tls(config) => self.serve_tls(config, stream),
            Door::Proxy(config) => {
                let asked = request(&mut stream)?;
                self.connects.lock().expect("nobody panics").push(asked.path);
                stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
                self.serve_tls(config, stream)
            }
        }
    }

    fn serve_tls(&self, config: &Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
        let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        self.serve(&mut stream)?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn serve(&self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        let seen = request(stream)?;
        let nth = self.count.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().expect("nobody panics").push(seen.clone());
        let answer = match (self.hook)(&seen, nth) {
            Weather::Lost => return Ok(()),
            Weather::Fine => self.tenant_says(&seen)?,
            Weather::Cut(length) => {
                let mut answer = self.tenant_says(&seen)?;
                answer.truncate(length);
                answer
            }
            Weather::Late(silence) => {
                thread::sleep(silence);
                self.tenant_says(&seen)?
            }
            Weather::Drops(silence) => {
                let answer = self.tenant_says(&seen)?;
                for drop in answer.chunks(answer.len().div_ceil(12)) {
                    stream.write_all(drop)?;
                    stream.flush()?;
                    thread::sleep(silence);
                }
                return Ok(());
            }
            Weather::As(token) => {
                let mut seen = seen;
                let bearer = format!("Bearer {token}");
                seen.headers.retain(|(name, _)| name != "authorization");
                seen.headers.push(("authorization".to_owned(), bearer));
                seen.raw = written(&seen.line, &seen.headers, &seen.body);
                self.tenant_says(&seen)?
            }
            Weather::Changed(change) => {
                let (line, headers, body) = parts(&self.tenant_says(&seen)?);
                let (headers, body) = change(headers, body);
                written(&line, &headers, &body)
            }
            Weather::Says(status, headers, body) => {
                let headers: Headers =
                    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                written(&format!("HTTP/1.1 {status} -"), &headers, &body)
            }
            Weather::Raw(bytes) => bytes,
        };
        stream.write_all(&answer)?;
        stream.flush()
    }

    /// The whole answer, as it stands on the wire.
    fn tenant_says(&self, seen: &Seen) -> io::Result<Vec<u8>> {
        let mut tenant = TcpStream::connect(self.tenant.as_ref().expect("a tenant"))?;
        tenant.write_all(&seen.raw)?;
        let mut answer = Vec::new();
        tenant.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// Reads a request; on to the tenant it goes as the only one of its connection.
fn request(stream: &mut impl Read) -> io::Result<Seen> {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => bytes.extend(piece.iter().take(length)),
        }
    };
    let mut body = bytes.split_off(end + 4);
    let (line, headers, _) = parts(&bytes);
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    while body.len() < length {
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => body.extend(piece.iter().take(length)),
        }
    }
    let body = String::from_utf8(body).map_err(io::Error::other)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let raw = written(&line, &headers, &body);
    Ok(Seen { method, path, headers, body, line, raw })
}

/// First line, headers and body.
fn parts(bytes: &[u8]) -> (String, Headers, String) {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers =
        headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    (line, headers, body.to_owned())
}

fn written(line: &str, headers: &[(String, String)], body: &str) -> Vec<u8> {
    let own = ["content-length", "connection", "transfer-encoding"];
    let headers = headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers: String = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!("{line}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}").into()
}

/// The file of the authority that vouches for these servers.
pub(crate) fn authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls/authority.pem")
}

fn certified() -> Arc<ServerConfig> {
    // An error means that somebody installed one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = include_bytes!("../../tls/server.pem");
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).map(|one| one.expect("PEM")).collect();
    let key = PrivateKeyDer::from_pem_slice(pem).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    Arc::new(config.expect("a key that fits"))
}

/// A new certificate for a host, and its authority.
fn certified_for(host: &str) -> (Arc<ServerConfig>, String) {
    // An error means that somebody installed one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority");
    let key = || KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority");
    let own = key();
    let params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
    let leaf = params.signed_by(&own, &authority).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(own.serialize_pem().as_bytes()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![leaf.der().clone()], key).expect("a key that fits");
    (Arc::new(config), authority.pem())
}
