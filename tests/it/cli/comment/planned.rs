//! The page that `plan` writes is the file that `comment` posts.

use super::stand_in::{KINDS, Kind, StandIn};
use crate::plan::against::git;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::JAMES_AND_JANE;

const JANE_ALONE: &str = "version: 1\npolicies:\n  staff:\n    \
    appliesTo: { users: [j.smith@exchangelabs.nl] }\n    desired: { perUserMfa: enabled }\n";

#[test]
fn page_of_a_plan_is_posted_and_edited() {
    page_is_posted(3);
}

#[test]
#[ignore = "long: every host"]
fn page_of_a_plan_is_posted_and_edited_on_every_host() {
    page_is_posted(1);
}

/// Takes every `step`-th row.
fn page_is_posted(step: usize) {
    let world = exchangelabs().world().file("policies/staff.yaml", JANE_ALONE);
    git(&world, &["init", "--quiet"]);
    git(&world, &["add", "mfactl.yaml", "policies"]);
    git(&world, &["commit", "--quiet", "--message", "base"]);
    let world = world.with("PATH", std::env::var("PATH").unwrap_or_default());
    let world = world.file("policies/staff.yaml", JAMES_AND_JANE);
    for kind in KINDS.into_iter().step_by(step) {
        let name = match kind {
            Kind::GitHub => "github",
            Kind::GitLab => "gitlab",
            Kind::AzureDevOps => "azureDevOps",
            Kind::Bitbucket => "bitbucket",
        };
        let arguments = ["plan", "--against", "main", "--format", "markdown", "--for", name];
        let page = world.run(&arguments).ends(0).stdout;
        let host = StandIn::new(kind);
        for verb in ["created", "edited"] {
            let run = super::posted(&host, &page, &[]).ends(0);
            assert!(run.stdout.starts_with(&format!("{verb} comment")), "{kind:?}\n{}", run.text());
        }
        let body = host.state().comments.first().map(|one| one.body.clone()).unwrap_or_default();
        assert!(body.contains("this change raises 1 user"), "{body}");
        assert!(body.contains("\"config") || body.contains("\\\"config"), "{body}");
    }
}
