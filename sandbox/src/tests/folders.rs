//! Tests of the state folder.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::state::folder::{FolderError, reset, seed_in, store_in};

fn tenant(folder: &Path) -> Result<Tenant, FolderError> {
    let seed = seed_in(folder)?;
    let (ledger, writes) = Ledger::open(Some(folder), &seed, "http://h")?;
    let store = Store::replay(seed.clone(), &writes);
    let service = Service::new(store, ledger, &Options::in_memory(seed));
    Ok(Tenant { service })
}

fn someone(store: &Store) -> String {
    let user = store.users().next().unwrap();
    user.user["userPrincipalName"].as_str().unwrap().to_owned()
}

fn enable(tenant: &Tenant) -> u16 {
    let name = someone(&tenant.service.store());
    let target = format!("/users/{name}/authentication/requirements");
    tenant.patch(&target, json!({"perUserMfaState": "enforced"})).0
}

fn small(folder: &Path) {
    reset(folder, &super::super::seeds::generated(3)).unwrap();
}

#[test]
fn nothing_is_written_before_the_first_write() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    let tenant = tenant(&folder).unwrap();
    tenant.get("/users");
    assert!(!folder.exists());
}

#[test]
fn writes_survive_a_restart_and_an_unfinished_line_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    small(folder);
    let first = tenant(folder).unwrap();
    assert_eq!(enable(&first), 204);
    let before = first.service.store().clone();
    drop(first);

    let log = folder.join("writes.jsonl");
    let mut text = fs::read_to_string(&log).unwrap();
    text.push_str("{\"ordinal\":2,\"meth");
    fs::write(&log, &text).unwrap();
    let second = tenant(folder).unwrap();
    assert_eq!(second.service.store().writes(), before.writes());
    assert_eq!(enable(&second), 204);
    drop(second);
    let shown = store_in(folder).unwrap();
    assert_eq!(shown.writes().len(), 2);
    assert_eq!(shown.seed().generated.as_ref().unwrap().len(), 3);

    fs::write(&log, "nonsense\n").unwrap();
    assert!(matches!(tenant(folder), Err(FolderError::Log { line: 1, .. })));
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    enable(&tenant(folder.path()).unwrap());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn second_server_on_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    small(folder);
    let first = tenant(folder).unwrap();
    let error = tenant(folder).unwrap_err();
    assert!(error.to_string().ends_with("is in use by a server at http://h"), "{error}");
    let seed = seed_in(folder).unwrap();
    assert!(matches!(reset(folder, &seed), Err(FolderError::Locked { .. })));
    first.service.close();
    assert_eq!(enable(&first), 503);
    assert!(tenant(folder).is_ok());
}

#[test]
fn of_two_servers_on_a_missing_folder_only_one_can_write() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("state");
    let seed = super::super::seeds::generated(3);
    let open = || {
        let (ledger, _) = Ledger::open(Some(&folder), &seed, "http://h").unwrap();
        let service =
            Service::new(Store::new(seed.clone()), ledger, &Options::in_memory(seed.clone()));
        Tenant { service }
    };
    let (first, second) = (open(), open());
    assert_eq!(enable(&first), 204);
    assert_eq!(enable(&second), 503);
    drop(first);
    assert_eq!(enable(&second), 503, "the second server does not know the first one's writes");
    assert_eq!(store_in(&folder).unwrap().writes().len(), 1);
}

#[test]
fn reset_deletes_all_writes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    small(folder);
    enable(&tenant(folder).unwrap());
    reset(folder, &super::super::seeds::generated(4)).unwrap();
    let store = store_in(folder).unwrap();
    assert!(store.writes().is_empty());
    assert_eq!(store.seed().generated.as_ref().unwrap().len(), 4);
}

#[test]
fn error_names_an_unknown_seed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("seed.json"), r#"{"name":"moon"}"#).unwrap();
    let error = seed_in(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), "there is no sandbox seed `moon`");
}
