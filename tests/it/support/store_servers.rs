//! Stores of clouds on this machine: Azurite for Azure Blob Storage, and moto for S3, which `.ci/stores` installs
//! into the folder `MFACTL_STORES`. Each test starts its own.
//!
//! Not here: what stands between the program and a store (`network_faults`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::world::{World, http, runtime};

/// The account and the key of the emulator, which are the same everywhere (Azure documentation, "Use the Azurite
/// emulator", checked 2026-11).
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Azurite,
    Moto,
}

/// A store with the containers `runs` and `restore`.
pub(crate) struct StoreServer {
    kind: StoreKind,
    port: u16,
    child: Child,
    _folder: tempfile::TempDir,
}

impl StoreServer {
    pub(crate) const KINDS: [StoreKind; 2] = [StoreKind::Azurite, StoreKind::Moto];

    /// Starts the store. Another test can take the free port first, so it is started on another one then.
    pub(crate) fn start(kind: StoreKind) -> Self {
        let started = (0..5).find_map(|_| {
            let server = Self::start_once(kind);
            (server.create("runs") && server.create("restore")).then_some(server)
        });
        started.expect("a store on a port of its own")
    }

    fn start_once(kind: StoreKind) -> Self {
        let tools = std::env::var_os("MFACTL_STORES")
            .expect("run `export MFACTL_STORES=$(.ci/stores)` before the tests of stores");
        let tools = PathBuf::from(tools);
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let mut command = match kind {
            StoreKind::Azurite => {
                let mut command = Command::new(tools.join("node_modules/.bin/azurite-blob"));
                command.args(["--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1"]);
                command.args(["--blobPort", &port.to_string(), "--location"]).arg(folder.path());
                command
            }
            StoreKind::Moto => {
                let mut command = Command::new(tools.join("python/bin/moto_server"));
                command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
                command
            }
        };
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the store");
        let server = Self { kind, port, child, _folder: folder };
        server.wait();
        server
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?} does not start", self.kind);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The block `runs` of `mfactl.yaml`, with the store at this address.
    pub(crate) fn block(&self, url: &str) -> String {
        match self.kind {
            StoreKind::Azurite => format!(
                "runs: {{ store: {url}/{ACCOUNT}/runs/team, restore: {url}/{ACCOUNT}/restore }}\n"
            ),
            StoreKind::Moto => {
                "runs: { store: s3://runs/team, restore: s3://restore }\n".to_owned()
            }
        }
    }

    /// The world with the environment for this store, at this address.
    pub(crate) fn for_world(&self, world: World, url: &str) -> World {
        match self.kind {
            StoreKind::Azurite => world.with("AZURE_STORAGE_KEY", KEY),
            StoreKind::Moto => world
                .with("AWS_ENDPOINT_URL", url)
                .with("AWS_ACCESS_KEY_ID", "an id")
                .with("AWS_SECRET_ACCESS_KEY", "a secret")
                .with("AWS_REGION", "us-east-1"),
        }
    }

    /// Creates a container, and returns whether that worked.
    fn create(&self, container: &str) -> bool {
        let url = self.url();
        let request = match self.kind {
            StoreKind::Moto => http().put(format!("{url}/{container}")),
            StoreKind::Azurite => {
                let date = httpdate();
                let signed = format!(
                    "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{container}\nrestype:container"
                );
                let key = BASE64_STANDARD.decode(KEY).expect("a key");
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
                let signature = BASE64_STANDARD.encode(ring::hmac::sign(&key, signed.as_bytes()));
                http()
                    .put(format!("{url}/{ACCOUNT}/{container}?restype=container"))
                    .header("x-ms-date", date)
                    .header("x-ms-version", "2021-08-06")
                    .header("authorization", format!("SharedKey {ACCOUNT}:{signature}"))
                    .header("content-length", "0")
            }
        };
        runtime().block_on(request.send()).is_ok_and(|answer| answer.status().is_success())
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn httpdate() -> String {
    jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
