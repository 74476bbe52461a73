//! The credential that is chosen, for a table of environments.

use super::*;

type Set = &'static [(&'static str, &'static str)];

const ID: (&str, &str) = ("AZURE_CLIENT_ID", "app");
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "hunter2");
const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "other");
const CERTIFICATE: (&str, &str) = ("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem");
const FILE: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/var/token");
const URL: (&str, &str) = ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.example/?a=b");
const BEARER: (&str, &str) = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2");
const CONNECTION: (&str, &str) = ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "conn");
const PIPELINE: Set = &[
    CONNECTION,
    ("AZURESUBSCRIPTION_CLIENT_ID", "theirs"),
    ("AZURESUBSCRIPTION_TENANT_ID", "tenant"),
    ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/x"),
    ("SYSTEM_ACCESSTOKEN", "hunter2"),
];
const ENDPOINT: (&str, &str) = ("IDENTITY_ENDPOINT", "http://127.0.0.1:4141/msi/token");
const HEADER: (&str, &str) = ("IDENTITY_HEADER", "hunter2");

fn choose(kind: CredentialKind, set: Set) -> String {
    let variable =
        |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    match Credential::choose(kind, Some("contoso.example"), variable) {
        Ok(credential) => {
            let described = credential.describe();
            assert!(!format!("{described} {credential:?}").contains("hunter2"));
            described
        }
        Err(error) => {
            assert!(error.help().is_some(), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            error.to_string()
        }
    }
}

#[test]
fn first_credential_of_the_environment_is_chosen() {
    let secret = "the secret, as application `app`";
    let tools = "the sign-in of `az`, otherwise of `azd`";
    let cases: [(Set, &str); 14] = [
        (&[], tools),
        (&[ID, TENANT], tools),
        (&[("AZURE_CLIENT_SECRET", ""), ID], tools),
        (&[ID, SECRET], secret),
        (&[FILE, CERTIFICATE, SECRET, ID, ENDPOINT, HEADER], secret),
        (&[CERTIFICATE, FILE, ID], "the certificate in `/c.pem`, as application `app`"),
        (
            &[FILE, ID, URL, BEARER],
            "the workload identity token in `/var/token`, as application `app`",
        ),
        (PIPELINE, "the service connection `conn` of Azure Pipelines, as application `theirs`"),
        (&[URL, BEARER, ID], "the identity token of this GitHub Actions job, as application `app`"),
        // The job may have the permission for a token because a step signed `az` in.
        (&[URL, BEARER, ("GITHUB_ACTIONS", "true")], tools),
        (&[ENDPOINT, HEADER], "the managed identity of this app"),
        (&[ENDPOINT, HEADER, ID], "the managed identity `app` of this app"),
        (
            &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")],
            "the managed identity of this machine",
        ),
        (&[("AZURE_AUTHORITY_HOST", "https://example.com"), ID, SECRET], secret),
    ];
    for (set, expected) in cases {
        assert_eq!(choose(CredentialKind::Auto, set), expected, "{set:?}");
    }
}

#[test]
fn partly_set_up_environment_is_an_error() {
    let cases: [(Set, &str); 9] = [
        (&[SECRET], "`clientSecret` needs `AZURE_CLIENT_ID`, which is not set"),
        (&[CERTIFICATE], "`clientCertificate` needs `AZURE_CLIENT_ID`, which is not set"),
        (&[FILE], "`workloadIdentity` needs `AZURE_CLIENT_ID`, which is not set"),
        (&[CONNECTION], "`azurePipelines` needs `SYSTEM_OIDCREQUESTURI`, which is not set"),
        (&[URL, ID], "`githubActions` needs `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, which is not set"),
        (&[ENDPOINT], "`IDENTITY_ENDPOINT` is set, but `IDENTITY_HEADER` is not"),
        (
            &[("IDENTITY_ENDPOINT", "http://10.0.0.1"), HEADER],
            "`IDENTITY_ENDPOINT` is not a local or link-local http address",
        ),
        (
            &[ID, ("GITHUB_ACTIONS", "true")],
            "this GitHub Actions job has no permission to get an identity token",
        ),
        (
            &[ID, BEARER, ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://x.example")],
            "`ACTIONS_ID_TOKEN_REQUEST_URL` is not an https address",
        ),
    ];
    for (set, expected) in cases {
        let error = choose(CredentialKind::Auto, set);
        assert_eq!(error, format!("no token for Graph: {expected}"), "{set:?}");
    }
}

#[test]
fn named_kind_is_used_or_refused() {
    let all: Set = &[ID, SECRET, CERTIFICATE, FILE, URL, BEARER];
    let of = |kind: CredentialKind| choose(kind, all);
    assert!(of(CredentialKind::GithubActions).contains("GitHub Actions"));
    assert!(of(CredentialKind::WorkloadIdentity).contains("workload identity"));
    assert_eq!(of(CredentialKind::AzureCli), "the sign-in of `az`");
    assert_eq!(of(CredentialKind::AzureDeveloperCli), "the sign-in of `azd`");
    assert_eq!(of(CredentialKind::ManagedIdentity), "the managed identity `app` of this machine");
    for kind in [CredentialKind::ClientSecret, CredentialKind::ClientCertificate] {
        assert!(choose(kind, &[ID]).starts_with(&format!("no token for Graph: `{kind}` needs `")));
    }
}

#[test]
fn given_tenant_overrides_the_environment() {
    let of = |tenant: Option<&str>, set: Set| {
        let variable = |name: &str| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let credential = Credential::choose(CredentialKind::ClientSecret, tenant, variable);
        credential.map(|credential| match credential.0 {
            Way::ClientSecret { app, .. } => app.tenant,
            _ => String::new(),
        })
    };
    assert_eq!(of(Some("named"), &[ID, SECRET, TENANT]).unwrap(), "named");
    assert_eq!(of(None, &[ID, SECRET, TENANT]).unwrap(), "other");
    let error = of(None, &[ID, SECRET]).unwrap_err();
    assert!(error.to_string().ends_with("needs `AZURE_TENANT_ID`, which is not set"), "{error}");
}

#[test]
fn kind_is_parsed_from_its_name() {
    for kind in CredentialKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    let error = "secret".parse::<CredentialKind>().unwrap_err().to_string();
    assert!(error.starts_with("`secret` is not a credential: use one of `auto`, "), "{error}");
}
