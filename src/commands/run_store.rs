//! Opens the run store of a project: the folder that an option names, otherwise the place that `mfactl.yaml`
//! names, otherwise the folder `.mfactl` next to it.
//!
//! Not here: what is in a run store (`journal`), or the kinds of places (`store`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::conditions::folder;
use super::connect::{Reach, client_of};
use super::fault::Fault;
use crate::graph::{Client, StorageAccess};
use crate::journal::RunStore;
use crate::policy::{self, Project, RunsRule, TenantRef};
use crate::run::fault::RunFault;
use crate::store::address::StoreAddress;
use crate::store::{StorageTokens, Store};

/// The tokens of a client, for a store in Azure.
#[derive(Debug)]
struct ClientTokens(StorageAccess);

#[async_trait]
impl StorageTokens for ClientTokens {
    async fn storage_token(&self) -> Result<String, String> {
        self.0.token().await.map_err(|error| error.to_string())
    }
}

/// Opens the store with the credential of a client. Nothing is sent.
pub(super) fn of_client(
    given: Option<&Path>,
    project: &Project,
    config: &Path,
    client: Option<&Client>,
) -> Result<RunStore, Fault> {
    let runs = &project.runs;
    if let Some(folder) = given {
        return Ok(RunStore::in_folder(folder.to_owned(), runs.keep_numbers));
    }
    let tokens = || {
        let access = client?.storage_access();
        Some(Arc::new(ClientTokens(access)) as Arc<dyn StorageTokens>)
    };
    open(runs, config, &tokens)
}

/// Opens the store without a connection to the tenant. Nothing is sent.
pub(super) fn offline(given: Option<&Path>, config: &Path) -> Result<RunStore, Fault> {
    if let Some(folder) = given {
        return Ok(RunStore::in_folder(folder.to_owned(), true));
    }
    // An auditor may have only the journals.
    if !config.exists() {
        return Ok(RunStore::in_folder(folder(config), true));
    }
    // A mistake in a policy must not hide the runs.
    let project = policy::load_project(config)?;
    let is_azure = [&project.runs.store, &project.runs.restore]
        .into_iter()
        .any(|at| matches!(at, Some(StoreAddress::Azure(at)) if !at.is_loopback));
    let client = match &project.tenant {
        TenantRef::Named(_) if is_azure => Some(client_of(&project, &Reach::default())?),
        TenantRef::Named(_) | TenantRef::Sandbox => None,
    };
    of_client(None, &project, config, client.as_ref())
}

fn open(
    runs: &RunsRule,
    config: &Path,
    tokens: &dyn Fn() -> Option<Arc<dyn StorageTokens>>,
) -> Result<RunStore, Fault> {
    let beside = |path: &PathBuf| config.parent().unwrap_or_else(|| Path::new("")).join(path);
    let cloud = |at: &StoreAddress| {
        let variable = |name: &str| std::env::var(name).ok();
        Store::in_cloud(at, tokens(), &variable).map_err(RunFault::Store)
    };
    let in_folder = |folder: PathBuf| RunStore::in_folder(folder, runs.keep_numbers);
    let mut store = match &runs.store {
        None => in_folder(folder(config)),
        Some(StoreAddress::Folder(path)) => in_folder(beside(path)),
        Some(at) => {
            let journals = cloud(at)?;
            RunStore { restore: journals.clone(), journals, keep_numbers: runs.keep_numbers }
        }
    };
    match &runs.restore {
        None => {}
        Some(StoreAddress::Folder(path)) => store.restore = Store::in_folder(beside(path)),
        Some(at) => store.restore = cloud(at)?,
    }
    Ok(store)
}
