//! Keys and certificates from files. They were made with openssl for these tests only.

use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::*;

/// `openssl x509 -fingerprint -sha256` of the certificate.
const FINGERPRINT: &str = "23F7241CE2802ED9EA829C07AA32502BCFECED2B789780AA2552BB9CEC80F814";

/// `openssl rsa -RSAPublicKey_out` of its key.
const PUBLIC: &[u8] = include_bytes!("../samples/public.der");

pub(in super::super) fn sample(name: &str) -> String {
    format!("{}/src/graph/auth/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Returns the header and the claims of an assertion, after checking its signature.
pub(in super::super) fn verified(assertion: &str) -> (Value, Value) {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, PUBLIC)
        .verify(signed.as_bytes(), &signature)
        .expect("the signature belongs to this key");
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let (header, claims) = signed.split_once('.').unwrap();
    (part(header), part(claims))
}

fn read(name: &str) -> Result<Certificate, Error> {
    let app = App::new("contoso.example".to_owned(), "app".to_owned());
    let login = Url::parse("https://login.microsoftonline.com").unwrap();
    Certificate::read(Path::new(&sample(name)), &app, &login)
}

#[test]
fn assertion_has_the_form_that_entra_requires() {
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    // The key in both forms, and a certificate that is not the first in its file.
    for name in ["pkcs8.pem", "pkcs1.pem", "chain.pem"] {
        let certificate = read(name).unwrap();
        let (header, mut claims) = verified(&certificate.assertion(now).unwrap());
        assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("PS256"), Some("JWT")));
        let thumbprint = URL_SAFE_NO_PAD.decode(header["x5t#S256"].as_str().unwrap()).unwrap();
        let shown: String = thumbprint.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(shown, FINGERPRINT, "{name}");
        let id: Uuid = serde_json::from_value(claims["jti"].take()).unwrap();
        assert_eq!(id.get_version_num(), 4);
        let second = now.as_second();
        let expected = json!({
            "aud": "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
            "iss": "app", "sub": "app", "jti": null,
            "iat": second, "nbf": second, "exp": second + 300,
        });
        assert_eq!(claims, expected);
    }
}

#[test]
fn two_assertions_differ() {
    let certificate = read("pkcs8.pem").unwrap();
    let now = Timestamp::UNIX_EPOCH;
    assert_ne!(certificate.assertion(now), certificate.assertion(now));
}

#[test]
fn unusable_file_is_reported_with_its_reason_and_help() {
    let files = [
        ("encrypted.pem", "its key is encrypted", "decrypt it"),
        ("elliptic.pem", "its key is not an RSA key", "Entra accepts only RSA"),
        ("mismatch.pem", "its key belongs to another certificate", "use a matching pair"),
        ("public.der", "there is no private key in it", "convert it"),
        ("nowhere.pem", "No such file or directory", "check `AZURE_CLIENT_CERTIFICATE_PATH`"),
    ];
    for (name, why, help) in files {
        let error = read(name).unwrap_err();
        assert!(error.to_string().contains(why), "{name}: {error}");
        assert!(error.help().is_some_and(|shown| shown.starts_with(help)), "{:?}", error.help());
        assert!(error.to_string().starts_with("no token for Graph: the certificate `"), "{error}");
    }
}

#[test]
fn key_is_not_in_the_debug_text() {
    let shown = format!("{:?}", read("pkcs8.pem").unwrap());
    let pem = std::fs::read_to_string(sample("pkcs8.pem")).unwrap();
    assert!(shown.len() < 2000 && !shown.contains(pem.lines().nth(1).unwrap()), "{shown}");
}
