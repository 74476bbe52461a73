//! `mfactl validate`: checks all files, offline.
//!
//! Not here: the checks (`policy`).

use std::path::Path;

use super::fault::Fault;
use crate::exit::Exit;
use crate::policy;
use crate::terminal::print;

/// Check all files offline, without a tenant and without an account.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl validate\n  mfactl validate --config prod/mfactl.yaml\n"
)]
pub struct Args {}

pub(super) fn run(_: &Args, config: &Path) -> Result<Exit, Fault> {
    let set = policy::load(config)?;
    let files = set.sources.iter().count();
    let (policies, files) =
        (plural(set.policies.len(), "policy", "policies"), plural(files, "file", "files"));
    print(&format!("{policies} in {files}: no errors\n")).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
