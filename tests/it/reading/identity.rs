//! The identity of a run: every credential kind, with the real program and token services of the test, and
//! tokens of another tenant.
//!
//! Not here: the exact requests of each credential (next to the code, `graph::auth`).

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use mfactl::graph::CredentialKind;
use mfactl_sandbox::{Clock, Fault, Faults};
use serde_json::json;

use crate::apply::faults::is_done;
use crate::support::network_faults::{Front, Weather, authority};
use crate::support::tenant_builder::{TenantBuilder, exchangelabs};
use crate::support::world::{JAMES_AND_JANE, PROJECT, World, runtime, token_of};

const ANOTHER: &str = "0c0ffee0-1111-4222-8333-444455556666";

/// A tenant, and a `mfactl.yaml` that names the credential kind. No secret is set.
fn by(credential: &str) -> World {
    let world = exchangelabs().james_and_jane().without("AZURE_CLIENT_SECRET");
    let project = world.project(&format!("{PROJECT}credential: {credential}\n"));
    world.file("mfactl.yaml", project)
}

/// A metadata service that gives tokens to this machine, as the one of Azure does.
fn metadata(world: &World) -> Front {
    let url = world.server().url().to_owned();
    Front::alone(move |_, _| {
        let token = runtime().block_on(token_of(&url));
        Weather::json(format!(
            r#"{{"access_token":"{token}","expires_on":"4102444800","resource":"https://graph.microsoft.com","token_type":"Bearer"}}"#
        ))
    })
}

#[track_caller]
fn plans_as(world: &World, who: &str) {
    let run = world.run(&["plan", "--log", "info"]).ends(0);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    let line = run.stderr.lines().find(|line| line.contains("signed in"));
    assert!(line.is_some_and(|line| line.contains(who)), "{who} in {}", run.text());
}

#[test]
fn application_signs_in_with_its_secret_or_its_certificate() {
    plans_as(&by("clientSecret").with("AZURE_CLIENT_SECRET", "x"), "the secret, as application");
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/src/graph/auth/samples/pkcs8.pem");
    let certified = by("auto").with("AZURE_CLIENT_CERTIFICATE_PATH", pem);
    plans_as(&certified, "the certificate in");
    // The project file decides, also if the environment has another credential.
    let both = by("clientCertificate")
        .with("AZURE_CLIENT_CERTIFICATE_PATH", pem)
        .with("AZURE_CLIENT_SECRET", "x");
    plans_as(&both, "the certificate in");
}

#[test]
fn workload_sends_the_token_in_its_file() {
    let world = by("workloadIdentity").file("token", "a.b.c");
    let path = world.path("token").display().to_string();
    plans_as(&world.with("AZURE_FEDERATED_TOKEN_FILE", path), "the workload identity token in");
}

#[test]
fn pipeline_job_sends_its_identity() {
    let github = Front::alone(|_, _| Weather::json(r#"{"value":"of.the.job"}"#));
    let world = by("githubActions")
        .with("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/token?x=1", github.url()))
        .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-jobs-bearer");
    plans_as(&world, "GitHub Actions");
    let asked = github.seen();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked.first().and_then(|seen| seen.header("authorization")),
        Some("Bearer the-jobs-bearer")
    );

    let azure = Front::alone(|_, _| Weather::json(r#"{"oidcToken":"of.the.job"}"#));
    let world = by("azurePipelines")
        .with("SYSTEM_OIDCREQUESTURI", format!("{}/oidc", azure.url()))
        .with("SYSTEM_ACCESSTOKEN", "the-jobs-bearer")
        .with("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "conn");
    plans_as(&world, "the service connection `conn`");
    assert_eq!(azure.seen().len(), 1);
}

/// A branch of GitHub, an environment of GitHub, and an unprotected branch of GitLab.
#[test]
fn doctor_warns_if_any_branch_gets_the_identity_of_the_job() {
    let github = "https://token.actions.githubusercontent.com";
    for (issuer, subject, loose) in [
        (github, "repo:org/mfa:pull_request", true),
        (github, "repo:org/mfa:environment:mfa-plan", false),
        ("https://gitlab.example", "project_path:org/mfa:ref_type:branch:ref:try", true),
    ] {
        let claims = json!({ "iss": issuer, "sub": subject, "project_path": "org/mfa" });
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
        let answer = json!({ "value": token }).to_string();
        let job = Front::alone(move |_, _| Weather::json(answer.clone()));
        let world = by("githubActions")
            .with("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/token?x=1", job.url()))
            .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-jobs-bearer");
        for purpose in ["plan", "apply"] {
            let run = world.run(&["doctor", "--for", purpose]);
            let warning = format!("warning: the token of this job has the subject `{subject}`");
            assert_eq!(run.stdout.contains(&warning), loose, "{}", run.text());
            assert!(!run.text().contains("c2ln"), "{}", run.text());
        }
    }
}

#[test]
fn managed_identity_signs_in_on_a_machine_in_azure() {
    let world = by("managedIdentity").without("AZURE_CLIENT_ID");
    let service = metadata(&world);
    let world = world.with("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url());
    plans_as(&world, "the managed identity of this machine");
    let asked = service.seen();
    assert!(asked.iter().all(|seen| seen.path.starts_with("/metadata/identity/oauth2/token?")));
}

/// The hosts of Microsoft behind a proxy of the test. A script replaces `az`.
#[test]
fn azure_cli_gives_the_token_of_its_signed_in_user() {
    let world = exchangelabs().james_and_jane().without("AZURE_CLIENT_SECRET");
    let (url, proxy) = (world.server().url(), Front::proxy(world.server().url()));
    let token = runtime().block_on(token_of(url));
    let says =
        format!(r#"{{"accessToken":"{token}","expires_on":4102444800,"tokenType":"Bearer"}}"#);
    let world = world
        .file("mfactl.yaml", format!("{PROJECT}credential: azureCli\n"))
        .file("bin/az", format!("#!/bin/sh\necho \"$@\" >>asked\necho '{says}'\n"));
    let az = world.path("bin/az");
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let folder = az.parent().expect("a folder").display().to_string();
    let world = world
        .with("PATH", format!("{folder}:/usr/bin:/bin"))
        .with("HTTPS_PROXY", proxy.url())
        .with("SSL_CERT_FILE", authority().display().to_string());
    let run = world.run(&["plan", "--log", "info"]).ends(0);
    assert!(run.stdout.starts_with("mfactl plan   tenant exchangelabs.nl   "), "{}", run.text());
    assert!(run.stderr.contains("the sign-in of `az`"), "{}", run.text());
    assert!(proxy.connects().contains(&"graph.microsoft.com:443".to_owned()));
}

#[test]
fn missing_variable_of_a_credential_is_named() {
    for (credential, missing, help) in [
        ("clientSecret", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID"),
        ("clientCertificate", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_ID"),
        ("workloadIdentity", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID"),
        ("githubActions", "ACTIONS_ID_TOKEN_REQUEST_URL", "id-token: write"),
        ("azurePipelines", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "SYSTEM_ACCESSTOKEN"),
    ] {
        let run = by(credential).run(&["plan"]).ends(1);
        let error = format!("`{credential}` needs `{missing}`, which is not set\nhelp: ");
        assert!(run.stderr.contains(&error) && run.stderr.contains(help), "{}", run.text());
    }
}

/// A sign-in error names the credential kind, also if the project does not name one.
#[test]
fn refused_sign_in_names_the_credential() {
    let tenant = exchangelabs().client_secret("the right one");
    let run = tenant.james_and_jane().run(&["plan"]).ends(1);
    let error = "error: no token for Graph `AADSTS7000215` with the secret, as application `4d9e5f10-7a33-4f6b-9b0c-2c7f8f6f1a11`: ";
    assert!(run.stderr.starts_with(error), "{}", run.text());
}

/// Counts the requests to Graph.
fn counted() -> (TenantBuilder, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let faults = Faults::by(move |part| {
        counter.fetch_add(usize::from(part.version.is_some()), Ordering::SeqCst);
        Fault::None
    });
    (exchangelabs().faults(faults), asked)
}

/// A managed identity ignores the tenant in the file, because it belongs to its own tenant.
#[test]
fn token_of_another_tenant_reads_nothing() {
    for (tenant, rest) in [
        (ANOTHER, format!("names `{ANOTHER}`\n")),
        ("contoso.example", format!("names `contoso.example`, which is `{ANOTHER}`\n")),
    ] {
        let (counting, asked) = counted();
        let world = counting.james_and_jane().without("AZURE_CLIENT_SECRET");
        let service = metadata(&world);
        let login = Front::alone(|_, _| {
            let issuer = format!("https://login.microsoftonline.com/{ANOTHER}/v2.0");
            Weather::json(format!(r#"{{"issuer":"{issuer}"}}"#))
        });
        let own = world.server().tenant_id();
        let project = PROJECT.replace("tenant: exchangelabs.nl", &format!("tenant: {tenant}"));
        let graph = world.server().url().to_owned();
        let world = world
            .behind(&format!("{project}credential: managedIdentity\n"), &graph, &login.url())
            .with("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url());
        for command in [&["plan"][..], &["apply", "--auto-approve"], &["explain", "x@y.z"]] {
            let run = world.run(command).ends(1);
            assert_eq!(run.stdout, "");
            let who = format!("belongs to tenant `{own}`, but `mfactl.yaml` ");
            assert!(run.stderr.contains(&(who + &rest)), "{}", run.text());
            assert!(run.stderr.contains("help: nothing was read"), "{}", run.text());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0, "no request goes to Graph");
    }
}

/// The id and a domain in capitals both name the tenant.
#[test]
fn tenant_can_be_named_by_its_id_or_a_domain_in_any_case() {
    let (tenant, asked) = counted();
    let world = tenant.james_and_jane();
    for name in [world.server().tenant_id().to_string(), "ExchangeLabs.NL".to_owned()] {
        let project = PROJECT.replace("tenant: exchangelabs.nl", &format!("tenant: {name}"));
        let project = world.project(&project);
        std::fs::write(world.path("mfactl.yaml"), project).expect("a file");
        world.run(&["plan"]).ends(0);
    }
    assert!(asked.load(Ordering::SeqCst) > 0);
}

#[test]
fn domain_of_no_tenant_is_reported() {
    let world = by("managedIdentity").without("AZURE_CLIENT_ID");
    let service = metadata(&world);
    let text = PROJECT.replace("tenant: exchangelabs.nl", "tenant: contoso.example");
    let project = world.project(&format!("{text}credential: managedIdentity\n"));
    let world =
        world.file("mfactl.yaml", project).with("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url());
    let run = world.run(&["plan"]).ends(1);
    assert!(run.stderr.contains("`AADSTS90002`"), "{}", run.text());
    assert!(run.stderr.contains("help: check the tenant's id or domain"), "{}", run.text());
}

/// Tokens that live for one second are renewed during an apply.
#[test]
fn tokens_are_renewed_in_the_middle_of_an_apply() {
    let world = exchangelabs().james_and_jane();
    let tokens = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tokens);
    let front = Front::before(world.server().url(), move |seen, _| {
        if seen.is_graph() {
            return Weather::Late(Duration::from_millis(50));
        }
        if seen.method == "GET" {
            return Weather::Fine;
        }
        counter.fetch_add(1, Ordering::SeqCst);
        Weather::body(|body| body.replace("\"expires_in\":3599", "\"expires_in\":1"))
    });
    let world = world.behind(PROJECT, &front.url(), &front.url());
    world.run(&["apply", "--auto-approve"]).ends(0);
    let count = tokens.load(Ordering::SeqCst);
    assert!((2..20).contains(&count), "{count} tokens");
    let bearers: std::collections::BTreeSet<String> = front
        .seen()
        .iter()
        .filter(|seen| seen.is_graph())
        .filter_map(|seen| seen.header("authorization").map(str::to_owned))
        .collect();
    assert!(!bearers.is_empty());
    let direct = world.project(PROJECT);
    is_done(&world.file("mfactl.yaml", direct));
}

/// The apply takes two hours by the clock of the service. A token lives for one hour by that clock, and the
/// service refuses it after that.
#[test]
#[ignore = "long: two hours at 150 times the speed, so that a busy machine has some seconds for a request"]
fn no_token_is_refused_in_two_hours_of_an_apply() {
    let clock = Clock::running(150, jiff::SignedDuration::ZERO);
    let latency = Duration::from_millis(2_400);
    let world = exchangelabs().clock(clock.clone()).latency(latency).james_and_jane();
    let refused = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&refused);
    let front = Front::before(world.server().url(), move |_, _| {
        let counter = Arc::clone(&counter);
        Weather::body(move |body| {
            let found = body.matches("InvalidAuthenticationToken").count();
            counter.fetch_add(found, Ordering::SeqCst);
            body
        })
    });
    let direct = world.project(PROJECT);
    let world = world.behind(PROJECT, &front.url(), &front.url());
    let begun = clock.passed();
    world.run(&["apply", "--auto-approve"]).ends(0);
    let hours = (clock.passed() - begun).as_secs_f64() / 3600.0;
    let tokens = front.seen().iter().filter(|seen| seen.path.ends_with("/token")).count();
    assert!(hours > 2.0, "{hours} hours");
    // A token is renewed after four fifths of its life, and not more often.
    assert!((3..5 + hours as usize).contains(&tokens), "{tokens} tokens in {hours} hours");
    assert_eq!(refused.load(Ordering::SeqCst), 0, "{tokens} tokens in {hours} hours");
    is_done(&world.file("mfactl.yaml", direct));
}

/// Every credential kind is on the page and in the schema, and can be loaded.
#[test]
fn page_and_schema_list_every_credential() {
    let page = include_str!("../../../docs/signing-in.md");
    let schema = include_str!("../../../schemas/mfactl.schema.json");
    for kind in CredentialKind::ALL {
        let word = kind.name();
        assert!(page.contains(&format!("\n| `{word}` |")), "{word}");
        assert!(schema.contains(&format!("\"{word}\"")), "{word}");
        let world = World::empty()
            .file("mfactl.yaml", format!("{PROJECT}credential: {word}\n"))
            .file("policies/staff.yaml", JAMES_AND_JANE);
        world.run(&["validate"]).ends(0);
    }
}
