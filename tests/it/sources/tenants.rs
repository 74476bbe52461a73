//! Every test makes its tenant with `TenantBuilder`, so that there is one place to look for what a tenant can
//! be, and a new way to serve one reaches all tests.
//!
//! Not here: the builder itself (`support/tenant_builder`).

use std::fs;
use std::path::Path;

use super::docs_in_sync::rust_files;

/// The end of the name of the sandbox, which a test can import under another name.
const SANDBOX: &str = "sandbox::";

/// The names of the sandbox with which a test could serve a tenant.
const SERVE: [&str; 2] = ["Options", "start"];

/// Returns what a source takes from the sandbox to serve a tenant by itself.
fn serves(text: &str) -> Vec<&'static str> {
    let used = text.split(SANDBOX).skip(1).map(|rest| {
        let end = if rest.starts_with('{') { '}' } else { ';' };
        rest.split(end).next().unwrap_or_default()
    });
    let words: Vec<&str> =
        used.flat_map(|used| used.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    SERVE.into_iter().filter(|name| words.contains(name)).collect()
}

#[test]
fn every_test_makes_its_tenant_with_the_builder() {
    let support = Path::new("tests/it/support");
    for file in rust_files(Path::new("tests")) {
        if file.starts_with(support) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let found = serves(&text);
        let file = file.display();
        assert!(found.is_empty(), "{file}: make the tenant with `TenantBuilder`, not {found:?}");
    }
}

#[test]
fn own_ways_to_serve_a_tenant_are_found() {
    assert_eq!(serves(&format!("use mfactl_{SANDBOX}{{Faults, Options, seeds}};")), ["Options"]);
    assert_eq!(serves(&format!("let server = {SANDBOX}start(options).await;")), ["start"]);
    let faults =
        format!("use mfactl_{SANDBOX}{{Faults, seeds}};\nstruct Options;\nfn start() {{}}");
    assert!(serves(&faults).is_empty());
}
