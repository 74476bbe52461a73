//! The client libraries of Microsoft, unmodified, on the sandbox: they work as with Graph. The programs are in
//! `tests/sdks`, and their dependencies are installed below `target`.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::path::{Path, PathBuf};
use std::process::Command;

use mfactl_sandbox::{Server, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::support::tenant_builder::exchangelabs;

fn served(tls: Option<Tls>) -> Server {
    exchangelabs().tls(tls).server()
}

/// A lasting folder with the files of `tests/sdks/…`. These files name the versions of the dependencies. An
/// interrupted installation is repaired by the next run.
pub(crate) fn workshop(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdks").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks").join(name);
    for entry in std::fs::read_dir(from).expect("programs") {
        let path = entry.expect("a file").path();
        std::fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
    }
    folder
}

pub(crate) fn run(
    folder: &Path,
    program: impl AsRef<std::ffi::OsStr>,
    arguments: &[&str],
) -> String {
    let mut command = Command::new(program);
    let output = command
        .args(arguments)
        .env("NODE_EXTRA_CA_CERTS", folder.join("authority.pem"))
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .env_remove("PYTHONPATH")
        .current_dir(folder)
        .output()
        .expect("a program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
#[ignore = "long: installs the SDK for Python"]
fn python_sdk_works_with_the_sandbox() {
    let folder = workshop("python");
    let python = folder.join("venv/bin/python");
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"];
    // An existing environment may be incomplete, or its Python may be missing, so it is set up each time.
    run(&folder, "python3", &["-m", "venv", "venv"]);
    run(&folder, &python, &[&pip[..], &["-r", "requirements.txt"]].concat());
    let server = served(None);
    assert_eq!(run(&folder, &python, &["walk.py", server.url()]), "done\n");
}

#[test]
#[ignore = "long: installs the client for JavaScript"]
fn javascript_client_works_with_the_sandbox() {
    let folder = workshop("javascript");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // With the name of the certificate, the authority would be mistaken for the certificate.
    params.distinguished_name.push(DnType::CommonName, "authority");
    let key = || KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority");
    let own = key();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let leaf = params.signed_by(&own, &authority).expect("a certificate");
    std::fs::write(folder.join("authority.pem"), authority.pem()).expect("a file");
    run(&folder, "npm", &["ci", "--silent", "--no-audit", "--no-fund"]);
    // The client sends its token over https only.
    let tls = Tls::from_pem(leaf.pem().as_bytes(), own.serialize_pem().as_bytes());
    let server = served(Some(tls.expect("https")));
    assert_eq!(run(&folder, "node", &["walk.mjs", server.url()]), "done\n");
}
