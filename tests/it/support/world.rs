//! A world for the program: a folder with its files, an empty home, no environment but what is
//! given, and a tenant of its own. The tenant is served inside the test, so that a test can look
//! into it and break it; the program is the real one and reaches it over HTTP as it would reach
//! Microsoft Graph.
//!
//! Not here: the tenant itself (`tenant_builder`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use mfactl_sandbox::Server;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The break-glass accounts of every seed; the tenant of the seed `exchangelabs`. Brakes are wide
/// open: a test that is about them says so.
pub(crate) const PROJECT: &str = "\
version: 1
tenant: exchangelabs.nl
policies: policies
breakGlass:
  users:
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61, name: breakglass1@exchangelabs.nl }
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62, name: breakglass2@exchangelabs.nl }
brakes:
  changedUsers: { percent: 100, floor: 0 }
  weakenedUsers: { percent: 100, floor: 0 }
  replacedNumbers: { percent: 100, floor: 0 }
";

/// James is open; per-user MFA is to be enabled for Jane.
pub(crate) const JAMES_AND_JANE: &str = "\
version: 1
policies:
  staff:
    appliesTo:
      users: [j.brown@exchangelabs.nl, j.smith@exchangelabs.nl]
    desired:
      phones:
        mobile: { from: mobilePhone }
      perUserMfa: enabled
";

/// Serves all tenants of all tests.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads"));
    &RUNTIME
}

/// A client that knows nothing of the program's own.
pub(crate) fn http() -> &'static reqwest::Client {
    static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
        // An error means that somebody installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().tls_certs_only([]).no_proxy();
        builder.build().expect("a client of plain http")
    });
    &HTTP
}

pub(crate) struct World {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    server: Option<Server>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// All that a user sees, in one text.
    pub(crate) fn text(&self) -> String {
        let code = self.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let mut text = format!("exit {code}\n");
        for (name, said) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !said.is_empty() {
                text += &format!("\n--- {name}\n{said}");
                text += if said.ends_with('\n') { "" } else { "\n(no line feed)\n" };
            }
        }
        text
    }

    /// The run, which must have ended so.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text());
        self
    }
}

impl World {
    /// A folder and a home, with no tenant and no files.
    pub(crate) fn empty() -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        Self { folder: folder(), home: folder(), environment: Vec::new(), server: None }
    }

    /// A folder and a home with the environment to reach a tenant, and no files yet.
    pub(crate) fn around(server: Server) -> Self {
        let mut world = Self::empty()
            .with("AZURE_TENANT_ID", server.tenant_id().to_string())
            .with("AZURE_CLIENT_ID", "4d9e5f10-7a33-4f6b-9b0c-2c7f8f6f1a11")
            .with("AZURE_CLIENT_SECRET", "a secret");
        world.server = Some(server);
        world
    }

    /// The text of a `mfactl.yaml`, with the endpoints of this tenant at its end.
    pub(crate) fn project(&self, text: &str) -> String {
        let url = self.server().url();
        format!("{text}endpoints:\n  graph: {url}\n  login: {url}\n")
    }

    /// The same `mfactl.yaml`, with Graph and the sign-in service at these addresses.
    pub(crate) fn behind(self, text: &str, graph: &str, login: &str) -> Self {
        let project = format!("{text}endpoints:\n  graph: {graph}\n  login: {login}\n");
        self.file("mfactl.yaml", project)
    }

    /// Without a variable of the environment.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
        self
    }

    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    /// Copies a file, or a folder with all that is in it.
    pub(crate) fn copy(self, from: &Path, to: &str) -> Self {
        if !from.is_dir() {
            return self.file(to, fs::read(from).expect("a file"));
        }
        let mut world = self;
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            world = world.copy(&entry.path(), &format!("{to}/{name}"));
        }
        world
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("a tenant")
    }

    /// The program, to be run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mfactl"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("NO_COLOR", "1")
            .env("MFACTL_TODAY", "2026-11-22")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end; what differs from run to run is made alike.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the program");
        Run {
            code: output.status.code(),
            stdout: self.alike(&output.stdout),
            stderr: self.alike(&output.stderr),
        }
    }

    /// Words for what no two runs have in common.
    pub(crate) fn alike(&self, output: &[u8]) -> String {
        let mut text = String::from_utf8(output.to_vec()).expect("UTF-8");
        if let Some(server) = &self.server {
            text = text.replace(server.url(), "http://TENANT");
        }
        let folder = self.folder.path().display().to_string();
        text = text.replace(&format!("{folder}/"), "").replace(&folder, ".");
        // The fingerprint covers `mfactl.yaml`, and so the port of the tenant.
        text = after(&text, "fingerprint ", |c| c.is_ascii_hexdigit());
        text = after(&text, "\"fingerprint\": \"", |c| c.is_ascii_hexdigit());
        let of_a_moment = |c: char| c.is_ascii_digit() || "-:TZ".contains(c);
        text = after(&text, "no data is older than ", of_a_moment);
        text = after(&text, "\"since\": \"", of_a_moment);
        let text = after(&text, "(request-id ", |c| c.is_ascii_hexdigit() || c == '-');
        without_runs(&text)
    }

    /// A request to the tenant by somebody else: status and answer.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        runtime().block_on(request(self.server().url(), method, path, body))
    }
}

/// `RUN` for the name of every run, such as `20261122T101500Z-3f2a`.
fn without_runs(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_run = |word: &str| {
        let parts =
            word.split_once("Z-").filter(|(time, chance)| (time.len(), chance.len()) == (15, 4));
        parts.is_some_and(|(time, _)| time.chars().all(|c| c.is_ascii_digit() || c == 'T'))
    };
    let pieces = text.split_inclusive(|c: char| !belongs(c));
    let shown = pieces.map(|piece| {
        let word = piece.trim_end_matches(|c| !belongs(c));
        if is_run(word) { piece.replace(word, "RUN") } else { piece.to_owned() }
    });
    shown.collect()
}

/// Replaces what follows a marker by three dots.
fn after(text: &str, marker: &str, belongs: impl Fn(char) -> bool) -> String {
    let mut pieces = text.split(marker);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |done, piece| done + marker + "…" + piece.trim_start_matches(&belongs))
}

/// An access token of the tenant at a URL.
pub(crate) async fn token_of(url: &str) -> String {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "a guest"),
        ("client_secret", "a secret"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let token = http().post(format!("{url}/sandbox/oauth2/v2.0/token")).form(&form);
    let token: Value = answer(token).await.1;
    token["access_token"].as_str().expect("a token").to_owned()
}

/// A request with a token, to a tenant at a URL.
pub(crate) async fn request(
    url: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let token = token_of(url).await;
    let method = method.parse().expect("a method");
    let path = path.replace('#', "%23").replace(' ', "%20");
    let request = http()
        .request(method, format!("{url}{path}"))
        .bearer_auth(token)
        .header("ConsistencyLevel", "eventual");
    answer(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or_else(|_| json!(text)))
}
