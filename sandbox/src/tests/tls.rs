//! Tests of https, with a certificate of an authority that only the test knows.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

use super::http::{client, token};
use super::*;
use crate::{Options, Tls, TlsError, start};

/// The authority's certificate, a certificate for this machine, and its key, all in PEM.
fn certificates() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let params = CertificateParams::new(names).unwrap();
    let leaf = params.signed_by(&key, &authority).unwrap();
    (authority.pem(), leaf.pem(), key.serialize_pem())
}

#[tokio::test]
async fn client_that_trusts_the_authority_connects_by_https() {
    let stranger = client();
    let (authority, leaf, key) = certificates();
    let tls = Some(Tls::from_pem(leaf.as_bytes(), key.as_bytes()).unwrap());
    let server = start(Options { tls, ..Options::in_memory(seed()) }).await.unwrap();
    let url = server.url();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert!(stranger.get(url).send().await.is_err(), "an unknown authority");
    let plain = url.replacen("https", "http", 1);
    assert!(stranger.get(plain).send().await.is_err(), "plain http is refused");

    let trusted = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build().unwrap();
    let token = token(&client, &server).await;
    let answer =
        client.get(format!("{url}/v1.0/users?$top=1")).bearer_auth(token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    let body: Value = answer.json().await.unwrap();
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(&format!("{url}/v1.0/users?")), "{link}");
}

#[test]
fn unusable_certificate_or_key_is_an_error() {
    let (_, leaf, key) = certificates();
    let (_, _, other) = certificates();
    let made = |certificate: &str, key: &str| {
        Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err()
    };
    assert!(matches!(made("", &key), TlsError::NoCertificate));
    assert!(matches!(made(&leaf, "no key"), TlsError::NoKey));
    assert!(matches!(made(&leaf, &other), TlsError::Unfit(_)));
}
