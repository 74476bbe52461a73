//! A repository of policies, its tenant, and the services that its jobs meet: the sign-in with two applications,
//! the identity tokens of the runner, the API of the host, and its command line program `gh`.
//!
//! Not here: running the jobs (`runner`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use crate::apply::faults::id_of;
use crate::cli::comment::stand_in::{Kind, StandIn};
use crate::support::doctor_runs::{READS, WRITES};
use crate::support::network_faults::{Front, Weather};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

pub(super) const READER: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub(super) const WRITER: &str = "11111111-aaaa-4bbb-8ccc-000000000002";
pub(super) const PILOT: &str = "5a8f1c52-9d0e-4f6b-8b1a-1f2f6c7f5a01";
pub(super) const JAMES: &str = "j.brown@exchangelabs.nl";
pub(super) const JANE: &str = "j.smith@exchangelabs.nl";
pub(super) const EVA: &str = "e.willemsen@exchangelabs.nl";
pub(super) const PHONES: &str = "version: 1\npolicies:\n  pilot:\n    appliesTo: { groups: [Pilot] }\n    desired: { phones: { mobile: { from: mobilePhone } } }\n";

/// The same with MFA, which is what a pull request proposes.
pub(super) fn with_mfa() -> String {
    PHONES.replace("mobilePhone } }", "mobilePhone } }, perUserMfa: enabled")
}

/// The permissions about domains and groups with roles, which complete those of a reader.
const DOMAINS: [&str; 3] = [
    "Domain.Read.All",
    "Domain-InternalFederation.Read.All",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
];

pub(super) struct Site {
    /// The tenant, and the folder of everything else.
    pub(super) world: World,
    pub(super) host: StandIn,
    /// The sign-in service: it knows which workflow may be which application.
    _login: Front,
    pub(super) tokens: Front,
    pub(super) project: String,
}

/// The workflows that the federated credential of an application names.
fn may_be(client: &str) -> &'static [&'static str] {
    match client {
        READER => &[
            "plan.yml",
            "apply.yml",
            "drift.yml",
            "fork-plan.yml",
            "snapshot.yml",
            "main",
            "review",
        ],
        WRITER => &["apply.yml", "apply-reviewed.yml", "main"],
        _ => &[],
    }
}

fn decoded(token: &str) -> Option<Value> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

impl Site {
    /// The address that gives a job of this workflow its identity token.
    pub(super) fn token_url(&self, claims: &Value) -> String {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("{}/claims/{claims}/token", self.tokens.url())
    }
}

/// An identity token of a job, with these claims.
pub(super) fn token(claims: &Value) -> String {
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn sign_in(body: &str) -> Weather {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(body.as_bytes());
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let claims = field("client_assertion").and_then(|token| decoded(&token)).unwrap_or_default();
    let workflow = claims["workflow"].as_str().unwrap_or("none").to_owned();
    if may_be(&field("client_id").unwrap_or_default()).contains(&workflow.as_str()) {
        return Weather::Fine;
    }
    let refusal = json!({ "error": "invalid_client", "error_codes": [700_213],
        "error_description": "AADSTS700213: No matching federated identity record found for presented assertion subject." });
    let json = vec![("content-type", "application/json".to_owned())];
    Weather::Says(401, json, refusal.to_string())
}

impl Site {
    /// A tenant with a group of two, and a repository whose branch `main` gives them a phone.
    pub(super) fn new(kind: Kind) -> Self {
        let member = |name| id_of(name).parse().expect("an id");
        let reader: Vec<&str> = READS.into_iter().chain(DOMAINS).collect();
        let writer: Vec<&str> = reader.iter().copied().chain(WRITES).collect();
        let world = exchangelabs()
            .with_group(PILOT.parse().expect("an id"), "Pilot", vec![member(JAMES), member(JANE)])
            .property(JAMES, "onPremisesSyncEnabled", Value::Null)
            .property(JANE, "mobilePhone", "+31 6 12345611")
            .applications(&[
                (READER, &reader),
                (WRITER, &writer),
                ("a guest", &["GroupMember.ReadWrite.All", "User.ReadWrite.All"]),
            ])
            .served();
        let graph = world.server().url().to_owned();
        let login = Front::before(&graph, |seen, _| match seen.path.ends_with("/token") {
            true => sign_in(&seen.body),
            false => Weather::Fine,
        });
        let tokens = Front::alone(|seen, _| {
            let claims = seen.path.split("/claims/").nth(1);
            let claims = claims.and_then(|rest| rest.split(['/', '?']).next());
            let claims = claims.and_then(|claims| decoded(&format!("e30.{claims}.c2ln")));
            let token = token(&claims.unwrap_or_default());
            // GitHub and Azure Pipelines name it differently.
            Weather::json(json!({ "value": token, "oidcToken": token }).to_string())
        });
        let at = format!("endpoints:\n  graph: {graph}\n  login: {}\n", login.url());
        let project = format!("{PROJECT}{at}");
        let site = Self { world, host: StandIn::new(kind), _login: login, tokens, project };
        site.git("", &["init", "--quiet", "--bare", "remote/contoso/mfa"]);
        site.git("", &["init", "--quiet", "author"]);
        site.git("author", &["remote", "add", "origin", "../remote/contoso/mfa"]);
        site.write("author/mfactl.yaml", &site.project);
        site.write("author/policies/pilot.yaml", PHONES);
        site.commit("phones");
        site.git("author", &["push", "--quiet", "origin", "main"]);
        site.tools();
        site
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.world.path(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Runs git in a folder, and returns what it prints.
    pub(super) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let run = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.path(folder))
            .env("HOME", self.path(""))
            .output()
            .expect("git");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).trim().to_owned()
    }

    /// Commits all files of the author, and returns the commit.
    pub(super) fn commit(&self, message: &str) -> String {
        self.git("author", &["add", "--all"]);
        self.git("author", &["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git("author", &["rev-parse", "HEAD"])
    }

    /// Proposes these files in pull request 7. Returns the head.
    pub(super) fn propose(&self, files: &[(&str, &str)]) -> String {
        self.git("author", &["switch", "--quiet", "--force-create", "change", "main"]);
        for (path, text) in files {
            self.write(&format!("author/{path}"), text);
        }
        let head = self.commit("change");
        self.offer(&head);
        head
    }

    /// Sets the references that the host has for a pull request.
    pub(super) fn offer(&self, head: &str) {
        self.git("author", &["switch", "--quiet", "--detach", "main"]);
        self.git("author", &["merge", "--quiet", "--no-ff", "--message", "try", head]);
        self.git("author", &["push", "--quiet", "--force", "origin", "HEAD:refs/pull/7/merge"]);
        let refs = format!("{head}:refs/pull/7/head");
        self.git("author", &["push", "--quiet", "--force", "origin", &refs]);
        self.git("author", &["switch", "--quiet", "main"]);
    }

    /// Merges the proposed change into `main`, with this message.
    pub(super) fn merge(&self, message: &str) {
        self.git("author", &["switch", "--quiet", "main"]);
        self.git("author", &["merge", "--quiet", "--no-ff", "--message", message, "change"]);
        self.git("author", &["push", "--quiet", "origin", "main"]);
    }

    /// The number of writes to the tenant.
    pub(super) fn writes(&self) -> usize {
        self.world.server().store().writes().len()
    }

    /// Whether a user was written to since the tenant had this number of writes.
    pub(super) fn touched(&self, name: &str, since: usize) -> bool {
        let store = self.world.server().store();
        store.writes().iter().skip(since).any(|write| write.path.contains(&id_of(name)))
    }

    /// Checks that a text has no user and no number.
    pub(super) fn is_anonymous(&self, text: &str) {
        let store = self.world.server().store();
        let lower = text.to_lowercase();
        for user in store.users() {
            let user = serde_json::to_value(&user.user).unwrap_or_default();
            for key in ["id", "userPrincipalName", "displayName", "mobilePhone"] {
                let value = user[key].as_str().unwrap_or_default().to_lowercase();
                assert!(
                    value.len() < 4 || !lower.contains(&value),
                    "{key} `{value}` is in:\n{text}"
                );
            }
        }
        let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
        let is_number = |word: &&str| word.starts_with('+') && digits(word) > 4;
        assert_eq!(text.split_whitespace().find(is_number), None, "{text}");
    }

    /// Writes `gh` and the releases: the archive holds a script that starts the program under test.
    fn tools(&self) {
        let start = format!(
            "#!/bin/sh\necho \"$@\" >> '{0}/started'\nexec '{1}' \"$@\"\n",
            self.path("").display(),
            env!("CARGO_BIN_EXE_mfactl")
        );
        self.script("release/mfactl", &start);
        self.script("bin/gh", &GH.replace("ROOT", &self.path("").display().to_string()));
        self.write("attested", "");
    }

    /// Packs the release, as `gh` gives it, and returns the archive.
    pub(super) fn pack(&self) -> PathBuf {
        let archive = self.path("mfactl.tar.gz");
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(&archive).arg("-C").arg(self.path("release")).arg("mfactl");
        assert!(tar.status().expect("tar").success());
        archive
    }

    pub(super) fn script(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}

/// What `gh` does for the jobs: releases from a folder, and one issue in a file.
const GH: &str = r#"#!/bin/bash
set -eu
root='ROOT'
echo "$*" >> "$root/gh.log"
[ -n "${GH_TOKEN:-}" ] || { echo "no token" >&2; exit 4; }
case "$1 $2" in
  "release download")
    while [ "$1" != --pattern ]; do shift; done
    tar -czf "$4/$2" -C "$root/release" mfactl ;;
  "attestation verify") [ -e "$root/attested" ] ;;
  "issue list") cat "$root/issue" 2>/dev/null || true ;;
  "issue create") echo 5 > "$root/issue" ;;
  "issue close") rm "$root/issue" ;;
  "issue edit" | "label create") ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"#;

/// The SHA-256 of a file, in hex.
pub(super) fn sha256(file: &Path) -> String {
    let digest = Sha256::digest(fs::read(file).expect("a file"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that a page says what a job says.
#[track_caller]
pub(super) fn is_documented(log: &str, words: &str) {
    let page = fs::read_to_string("docs/pipelines.md").expect("the page");
    assert!(log.contains(words), "`{words}` is not in:\n{log}");
    assert!(page.contains(words), "`{words}` is not in docs/pipelines.md");
}

/// The folders and files that are not the runner's own.
pub(super) fn paths(site: &Site) -> String {
    format!("{}:{}", site.path("bin").display(), std::env::var("PATH").unwrap_or_default())
}

/// The files below a folder.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
