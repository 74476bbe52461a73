//! Proxies and extra certificate authorities, each test with its own environment.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::graph::child_process;
use crate::graph::scripted_server::{Reply, Script};
use crate::graph::{Client, Credential};

/// A host name that never resolves (RFC 6761).
const NOWHERE: &str = "https://graph.invalid/";

fn pace() -> Pace {
    Pace { tries: 1, connect: Duration::from_secs(5), ..Pace::default() }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Returns the requests that a proxy receives if a test requests [`NOWHERE`] in this environment.
fn by_proxy(test: &str, more: &[(&str, &str)]) -> Option<Vec<String>> {
    let runtime = runtime();
    let proxy = runtime.block_on(Script::start(|_, _| Reply::json(403, "")));
    let address = proxy.address();
    let mut set = vec![("HTTPS_PROXY", address.as_str())];
    set.extend(more);
    if child_process::with(test, &set).is_some() {
        let asked = proxy.seen();
        return Some(asked.iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect());
    }
    runtime.block_on(async {
        let endpoints = Endpoints::global().unwrap();
        let http = Http::new(&endpoints, pace(), Vec::new());
        let url = Url::parse(NOWHERE).unwrap();
        let sent = http.to(&url).unwrap().get(url).send().await;
        assert!(sent.unwrap_err().is_connect());
        // A request to this machine never uses a proxy.
        let script = Script::start(|_, _| Reply::json(200, "{}")).await;
        script.client().token().await.unwrap();
    });
    None
}

#[test]
fn proxy_is_read_from_the_environment() {
    let asked = by_proxy("graph::http::tests::proxy_is_read_from_the_environment", &[]);
    if let Some(asked) = asked {
        assert_eq!(asked, ["CONNECT graph.invalid:443"]);
    }
}

#[test]
fn host_in_no_proxy_is_reached_without_the_proxy() {
    let test = "graph::http::tests::host_in_no_proxy_is_reached_without_the_proxy";
    if let Some(asked) = by_proxy(test, &[("NO_PROXY", "example.com,.invalid")]) {
        assert!(asked.is_empty(), "{asked:?}");
    }
}

fn sample(name: &str) -> String {
    format!("{}/src/graph/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Starts a TLS server with an unknown certificate authority. It answers every request with a token.
fn tls_server() -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(sample("server.pem")).unwrap();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(&pem).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let mut asked = [0; 4096];
            if stream.read(&mut asked).is_ok() {
                let body = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"token"}"#;
                let length = body.len();
                let head = format!("HTTP/1.1 200 -\r\ncontent-length: {length}\r\n");
                let _ = write!(stream, "{head}connection: close\r\n\r\n{body}");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    address
}

async fn token_over(address: &str, ca_file: Option<String>) -> Result<(), Error> {
    let endpoints = Endpoints::parse(address, address).unwrap();
    let credential = Credential::client_secret("contoso.example", "app", "secret");
    let mut builder = Client::builder(endpoints).pace(pace());
    if let Some(file) = ca_file {
        builder = builder.ca_file(file);
    }
    builder.build(credential)?.token().await.map(|_| ())
}

#[tokio::test]
async fn extra_authority_is_trusted_if_it_is_given() {
    let address = tls_server();
    let error = token_over(&address, None).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    assert!(error.help().unwrap().contains("SSL_CERT_FILE"), "{:?}", error.help());
    token_over(&address, Some(sample("authority.pem"))).await.unwrap();
    let nothing = token_over(&address, Some(file!().to_owned())).await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Setup);
    assert!(nothing.to_string().ends_with("there is no certificate in it"), "{nothing}");
    let nowhere = token_over(&address, Some("nowhere.pem".to_owned())).await.unwrap_err();
    assert!(nowhere.to_string().contains("No such file"), "{nowhere}");
}

#[cfg(target_os = "linux")]
#[test]
fn environment_can_name_the_authorities() {
    let test = "graph::http::tests::environment_can_name_the_authorities";
    let file = sample("authority.pem");
    if child_process::with(test, &[("SSL_CERT_FILE", &file)]).is_none() {
        let address = tls_server();
        runtime().block_on(token_over(&address, None)).unwrap();
    }
}
