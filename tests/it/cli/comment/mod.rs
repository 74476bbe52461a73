//! `mfactl comment` in jobs of GitHub Actions, GitLab CI, Azure Pipelines and Bitbucket Pipelines: the real
//! program, with the variables of a runner, against servers on this machine.
//!
//! Not here: the servers (`stand_in`).

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, in what it calls as well")]

mod example;
mod planned;
mod posting;
mod refusals;
pub(crate) mod stand_in;

use crate::support::world::{Run, World};
use stand_in::{Kind, StandIn, TOKEN};

/// A rendered comment for one commit, given by the begin of its hash.
fn rendered(kind: Kind, head: &str, more: &str) -> String {
    let json = format!(
        "{{\"tenant\":\"e1c8\",\"config\":\"mfactl.yaml\",\"head\":\"{head}\",\"difference\":\"41aa{head}\"{more}}}"
    );
    let line = match kind {
        Kind::Bitbucket => format!("[mfactl-v1]: # \"{}\"", json.replace('"', "\\\"")),
        _ => format!("<!-- mfactl v1 {json} -->"),
    };
    format!("{line}\n### MFA plan of {head}\n\nThe change raises 31 users.\n")
}

/// Posts a text from a job, and checks that the token shows nowhere.
fn posted(host: &StandIn, text: &str, more: &[&str]) -> Run {
    run(&host.job().file("plan.md", text), more)
}

fn run(world: &World, more: &[&str]) -> Run {
    let arguments = [&["--log", "trace", "comment", "plan.md"], more].concat();
    let run = world.run(&arguments);
    assert!(!run.text().contains(TOKEN), "{}", run.text());
    run
}
