//! The sources that require MFA in the tenant, and their effect on a run of the program.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use mfactl_sandbox::{Fault, Faults, Server, seeds};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::served_seed::{refuse, serve};

const MFACTL_YAML: &str = "version: 1
tenant: sandbox
policies: policies
breakGlass:
  users:
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61, name: breakglass1@exchangelabs.nl }
    - { id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62, name: breakglass2@exchangelabs.nl }
  minimum: 2
brakes:
  changedUsers: { percent: 100, floor: 0 }
  weakenedUsers: { percent: 100, floor: 0 }
";

/// A project with one policy for all staff, and its tenant.
struct Project {
    folder: TempDir,
    server: Server,
}

impl Project {
    async fn new(seed: &str, faults: Faults, desired: &str) -> Self {
        let (server, _) = serve(seeds::by_name(seed).unwrap(), faults).await;
        let folder = tempfile::tempdir().unwrap();
        let url = server.url();
        let endpoints = format!("endpoints: {{ graph: '{url}', login: '{url}' }}\n");
        let policy = format!(
            "version: 1\npolicies:\n  staff:\n    appliesTo:\n      groups: [All Staff]\n    desired:\n      {desired}\n"
        );
        fs::write(folder.path().join("mfactl.yaml"), format!("{MFACTL_YAML}{endpoints}")).unwrap();
        fs::create_dir(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/staff.yaml"), policy).unwrap();
        Self { folder, server }
    }

    async fn run(&self, arguments: &[&str], today: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mfactl"));
        // A machine of CI sets variables that the program reads, such as `CI`.
        command.env_clear().args(arguments).current_dir(self.folder.path());
        command.env("AZURE_CLIENT_ID", "mfactl").env("AZURE_CLIENT_SECRET", "sandbox");
        command.env("MFACTL_TODAY", today);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn plan_on(&self, today: &str) -> Value {
        let output = self.run(&["plan", "--format", "json"], today).await;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).expect(&stderr)
    }

    async fn plan(&self) -> Value {
        self.plan_on("2026-11-22").await
    }
}

fn codes(plan: &Value) -> BTreeSet<String> {
    let findings = plan["findings"].as_array().unwrap();
    findings.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

fn has(plan: &Value, code: &str) -> bool {
    codes(plan).contains(code)
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_lowered_only_if_another_source_requires_mfa() {
    for (seed, lowers) in [
        ("exchangelabs", false),
        ("exchangelabs-conditional-access-narrowed", false),
        ("exchangelabs-conditional-access", true),
        ("exchangelabs-security-defaults", true),
    ] {
        let project = Project::new(seed, Faults::none(), "perUserMfa: disabled").await;
        let plan = project.plan().await;
        let summary = &plan["summary"];
        assert_eq!(summary["mfaLowered"].as_u64().unwrap() > 0, lowers, "{seed} {summary}");
        assert_eq!(summary["withheld"].as_u64().unwrap() == 0, lowers, "{seed} {summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_after_lowering_lowers_no_other_user() {
    let seed = "exchangelabs-conditional-access";
    let project = Project::new(seed, Faults::none(), "perUserMfa: disabled").await;
    let output = project.run(&["apply", "--auto-approve"], "2026-11-22").await;
    // Some lowered users are open before and after the apply, so the run reports them and exits with 5.
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!project.server.store().writes().is_empty());
    let plan = project.plan().await;
    assert_eq!(plan["summary"]["mfaLowered"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_requirements_and_unreadable_rules_are_findings() {
    let enforced = "perUserMfa: enforced";
    for (seed, faults, code) in [
        ("exchangelabs-conditional-access", Faults::none(), "mfa-demanded-elsewhere"),
        ("exchangelabs-security-defaults", Faults::none(), "mfa-demanded-elsewhere"),
        ("exchangelabs-migration-in-progress", Faults::none(), "legacy-method-policy"),
        ("exchangelabs", refuse("/conditionalAccess/", 403, "accessDenied"), "unreadable"),
        ("exchangelabs", refuse("/privilegedAccess", 404, "notFound"), "unreadable"),
        ("exchangelabs", refuse("/identitySecurityDefaults", 403, "accessDenied"), "unreadable"),
        ("exchangelabs", refuse("/roleAssignments", 403, "accessDenied"), "unreadable"),
        ("exchangelabs", refuse("/authenticationMethodsPolicy", 403, "accessDenied"), "unreadable"),
        ("exchangelabs", Faults::none(), "phone-only-retirement"),
    ] {
        let plan = Project::new(seed, faults, enforced).await.plan().await;
        assert!(has(&plan, code), "{seed}: {code} not in {:?}", codes(&plan));
    }
    let plan = Project::new("exchangelabs", Faults::none(), enforced).await.plan().await;
    for code in ["mfa-demanded-elsewhere", "legacy-method-policy", "unreadable"] {
        assert!(!has(&plan, code), "{code}");
    }
}

/// A tenant without the licence has no Conditional Access and no eligible users.
#[tokio::test(flavor = "multi_thread")]
async fn missing_licence_is_not_reported_as_unreadable() {
    for path in ["/conditionalAccess/", "/roleEligibility"] {
        let faults = refuse(path, 403, "AadPremiumLicenseRequired");
        let plan = Project::new("exchangelabs", faults, "perUserMfa: enforced").await.plan().await;
        assert!(!has(&plan, "unreadable"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_users_get_mfa_after_phone_delivery_ends() {
    let project = Project::new("exchangelabs", Faults::none(), "perUserMfa: enforced").await;
    let (before, after) = (project.plan().await, project.plan_on("2027-02-01").await);
    let raised = |plan: &Value| plan["summary"]["mfaRaised"].as_u64().unwrap();
    assert!(raised(&after) < raised(&before), "{} {}", before["summary"], after["summary"]);
    let far = project.plan_on("2026-10-01").await;
    assert!(!has(&far, "phone-only-retirement"));
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_is_refused_if_conditional_access_becomes_unreadable() {
    let asked = AtomicUsize::new(0);
    let faults = Faults::by(move |part| {
        let is_list = part.path.ends_with("/conditionalAccess/policies");
        if is_list && asked.fetch_add(1, Ordering::SeqCst) > 0 {
            Fault::Status { status: 403, code: "accessDenied".to_owned(), retry_after: None }
        } else {
            Fault::None
        }
    });
    let seed = "exchangelabs-conditional-access";
    let project = Project::new(seed, faults, "perUserMfa: disabled").await;
    let output = project.run(&["apply", "--auto-approve"], "2026-11-22").await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("the rules that require MFA, or the users that they apply to, could be"),
        "{stderr}"
    );
    assert!(project.server.store().writes().is_empty());
}
