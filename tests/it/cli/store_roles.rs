//! What `doctor` says of the run store, and the tokens that Azure Blob Storage gets.

use serde_json::Value;

use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

/// An empty list of blobs (Azure documentation, "List Blobs", checked 2026-11).
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"runs\"><Blobs/><NextMarker/></EnumerationResults>";

/// A part of the scope that a token for storage is asked with, and the answer.
const STORAGE: &str = "storage.azure.com";
const TOKEN: &str =
    r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJhbGciOiJub25lIn0.e30.storage"}"#;

/// A store that has nothing in it. `refused` are parts of requests that this identity may not make.
fn blobs(refused: &'static [(&'static str, &'static str)]) -> Front {
    Front::alone(move |seen: &Seen, _| {
        let is_it =
            |(method, part): &&(&str, &str)| seen.method == *method && seen.path.contains(part);
        if refused.iter().any(|one| is_it(&one)) {
            return Weather::Says(
                403,
                Vec::new(),
                "<Error><Code>AuthorizationPermissionMismatch</Code></Error>".to_owned(),
            );
        }
        match seen.method.as_str() {
            "PUT" if seen.header("if-match").is_some() => {
                Weather::Says(412, Vec::new(), String::new())
            }
            "GET" if seen.path.contains("comp=list") => Weather::Says(
                200,
                vec![("content-type", "application/xml".to_owned())],
                NOTHING.to_owned(),
            ),
            _ => Weather::Says(404, Vec::new(), String::new()),
        }
    })
}

/// A world whose runs are in that store, and the front before its sign-in service.
fn world(store: &Front) -> (World, Front) {
    let world = exchangelabs().james_and_jane();
    // The sandbox knows Graph alone.
    let tenant = Front::before(world.server().url(), |seen, _| {
        match seen.path.ends_with("/token") && seen.body.contains(STORAGE) {
            true => Weather::json(TOKEN),
            false => Weather::Fine,
        }
    });
    let url = store.url();
    let text = format!(
        "{PROJECT}runs: {{ store: {url}/account/runs/team, restore: {url}/account/restore }}\n"
    );
    let address = tenant.url();
    (world.behind(&text, &address, &address), tenant)
}

#[test]
fn azure_gets_tokens_for_storage_from_the_credential_of_graph() {
    let store = blobs(&[]);
    let (world, tenant) = world(&store);
    let run = world.run(&["doctor"]).ends(0);
    for what in [
        "read journals",
        "write journals and the lock",
        "read restore files",
        "write restore files",
    ] {
        assert!(run.stdout.contains(&format!("fine          {what}")), "{}", run.text());
    }
    assert!(run.stdout.contains("Storage Blob Data Contributor"), "{}", run.text());
    let scopes: Vec<String> = tenant
        .seen()
        .into_iter()
        .filter(|seen| seen.path.ends_with("/token"))
        .map(|seen| seen.body)
        .collect();
    let storage = scopes.iter().filter(|body| body.contains(STORAGE));
    assert!(storage.count() > 0, "{scopes:?}");
    let seen = store.seen();
    assert!(seen.len() > 4);
    for one in &seen {
        let bearer = one.header("authorization").expect("a token");
        assert!(bearer == "Bearer eyJhbGciOiJub25lIn0.e30.storage", "{} {}", one.method, one.path);
    }
    assert!(
        seen.iter().all(|one| one.method != "DELETE"),
        "nothing is left, and nothing is removed"
    );
}

#[test]
fn doctor_names_the_role_that_the_store_refuses() {
    let store = blobs(&[("PUT", "/restore/")]);
    let (world, _tenant) = world(&store);
    let run = world.run(&["doctor"]).ends(1);
    assert!(run.stdout.contains("REFUSED       write restore files"), "{}", run.text());
    assert!(run.stdout.contains("AuthorizationPermissionMismatch"), "{}", run.text());
    assert!(run.stdout.contains("1 of "), "{}", run.text());
    // A plan writes nothing to the store.
    world.run(&["doctor", "--for", "plan"]).ends(0);
    let run = world.run(&["doctor", "--format", "json"]).ends(1);
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let rows = found.get("runStore").and_then(Value::as_array).expect("rows");
    let refused =
        rows.iter().filter(|row| row.get("verdict").is_some_and(|word| word == "refused"));
    assert_eq!((rows.len(), refused.count()), (4, 1), "{found}");
    let schema = world.run(&["schema", "doctor"]).ends(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert!(jsonschema::draft7::new(&schema).expect("a schema").is_valid(&found), "{found}");
}

#[test]
fn missing_token_for_storage_is_named() {
    let store = blobs(&[]);
    let world = exchangelabs().james_and_jane();
    let url = store.url();
    let text = world.project(&format!(
        "{PROJECT}runs: {{ store: {url}/account/runs, restore: {url}/account/restore }}\n"
    ));
    let run = world.file("mfactl.yaml", text).run(&["apply", "--auto-approve"]).ends(1);
    assert!(
        run.stderr.contains("no token for Azure Blob Storage `AADSTS500011`"),
        "{}",
        run.text()
    );
    assert!(store.seen().is_empty(), "nothing is sent without a token");
}

#[test]
fn apply_writes_nothing_if_the_store_refuses() {
    let store = blobs(&[("PUT", "/runs/")]);
    let (world, _tenant) = world(&store);
    let run = world.run(&["apply", "--auto-approve"]).ends(1);
    assert!(run.stderr.contains("error: the lock `"), "{}", run.text());
    assert!(run.stderr.contains("permission denied"), "{}", run.text());
    assert!(run.stderr.contains("`mfactl doctor` shows the missing role"), "{}", run.text());
    assert!(world.server().store().writes().is_empty());
}

#[test]
fn place_that_cannot_be_used_is_shown_in_the_file() {
    for (block, said) in [
        ("{ store: 's3://runs' }", "`runs` names no `restore`"),
        (
            "{ store: 's3://runs/a', restore: 's3://runs/b' }",
            "`restore` is the container of the journals",
        ),
        ("{ store: 'ftp://runs' }", "is no place for runs"),
        (
            "{ store: 'https://a.blob.core.windows.net/runs?sig=secret', restore: 's3://b' }",
            "a signature (SAS) is a secret",
        ),
        ("{ keepFor: ninety }", "is no number of days"),
        ("{ keepFor: 0d }", "is no number of days"),
    ] {
        let world = exchangelabs().james_and_jane();
        let text = world.project(&format!("{PROJECT}runs: {block}\n"));
        let line = text.lines().position(|line| line.starts_with("runs:")).expect("a line") + 1;
        let run = world.file("mfactl.yaml", text).run(&["validate"]).ends(3);
        assert!(run.text().contains(said), "{block}: {}", run.text());
        assert!(run.text().contains(&format!("mfactl.yaml:{line}:")), "{block}: {}", run.text());
    }
}
