//! The entries of `always` over all users of a tenant: the step that a snapshot needs.
//!
//! Not here: entries over the people of a file (`failures`).

use std::path::Path;

use mfactl::checks::{self, FileResult};
use mfactl::plan::pipeline;
use mfactl::tenant::facts::{Read, UnknownReason};

use crate::support::inside::load;
use crate::support::tenant_builder::exchangelabs;

/// Evaluates the entries over the embedded tenant with the policies of this repository.
fn of_tenant(entries: &str, are_roles_known: bool) -> FileResult {
    let inside = exchangelabs().inside();
    let set = load(Path::new(".")).expect("policies");
    let (observed, roles) = inside.observe_with(&set, "j.brown@exchangelabs.nl");
    let roles = if are_roles_known { roles } else { Read::Unknown(UnknownReason::Forbidden) };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    let text = format!("version: 1\npeople: {{ al: {{}} }}\nalways:\n{entries}");
    std::fs::write(&path, text).expect("a file");
    let read = checks::read(Path::new("mfactl.yaml"), &[path], &set);
    let read = read.unwrap_or_else(|faults| panic!("{:#?}", faults.findings));
    let plan = pipeline::plan(&set, observed.clone());
    let mut results = checks::always_in_tenant(&set, &observed, &roles, &plan, &read.files);
    assert_eq!(results.len(), 1);
    results.remove(0)
}

fn messages(result: &FileResult) -> Vec<&str> {
    result.failures.iter().map(|finding| finding.message.as_str()).collect()
}

#[test]
fn entries_of_a_whole_tenant_find_its_users() {
    let result = of_tenant(
        "  - nobody: { with: { policy: staff, department: Nowhere }, becomes: [open] }\n  \
         - atMost: { people: 0, of: { group: All Staff } }\n  \
         - everybody: { with: { group: MFA Pilot }, has: { policies: [] } }\n",
        true,
    );
    assert_eq!(result.checks, 3);
    assert!(result.people > 40, "{}", result.people);
    let messages = messages(&result);
    let most = messages.iter().find(|one| one.starts_with("expected at most 0 people, found "));
    assert!(most.is_some_and(|one| one.contains(" more")), "{messages:#?}");
    // Each member of the pilot is in a policy.
    assert!(
        messages.iter().any(|one| one.contains("`: policies: expected `none`")),
        "{messages:#?}"
    );
    assert!(result.sign_ins.people.is_empty());
}

#[test]
fn role_without_holders_is_fine_in_a_tenant() {
    let entry = "  - everybody: { with: { role: Global Administrator, department: Nowhere }, has: { perUserMfa: enforced } }\n";
    assert_eq!(messages(&of_tenant(entry, true)), Vec::<&str>::new());
}

#[test]
fn unknown_holders_fail_the_entry() {
    let entry = "  - nobody: { with: { role: Global Administrator }, becomes: [open] }\n";
    let result = of_tenant(entry, false);
    assert_eq!(messages(&result), ["the holders of the role `Global Administrator` are unknown"]);
}
