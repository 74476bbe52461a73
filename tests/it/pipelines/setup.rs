//! The installation: no file runs before it is verified.
//!
//! Not here: what the installed program does (`github`).

use std::fs;

use super::files::{TRUSTED, read};
use super::runner::{Event, run};
use super::site::{Site, is_documented, sha256};
use crate::cli::comment::stand_in::Kind;

#[test]
#[ignore = "long: runs jobs"]
fn file_that_is_not_verified_never_runs() {
    let site = Site::new(Kind::GitHub);
    let head = site.propose(&[("README.md", "words")]);
    let validate = |sha256: Option<String>| {
        let event = Event { sha256, ..Event::pull_request(&head, "contoso/mfa") };
        run(&site, "mfa-validate.yml", &event, &|| ())
    };
    validate(None).ends("validate", 0);
    assert!(site.read("started").starts_with("validate"));
    fs::remove_file(site.path("started")).unwrap();
    fs::remove_file(site.path("attested")).unwrap();
    for sha256 in [None, Some("0".repeat(64)), Some("wrong".to_owned())] {
        let end = validate(sha256).ends("validate", 1);
        let words = "has neither a valid attestation nor the expected checksum";
        is_documented(&end.jobs["validate"].log, words);
        assert_eq!(site.read("started"), "");
    }
    let digest = sha256(&site.pack());
    let end = validate(Some(digest)).ends("validate", 0);
    assert!(end.jobs["validate"].log.contains("the checksum is the expected one"));
    assert!(site.read("started").starts_with("validate"));
    let action = read(&std::path::Path::new(TRUSTED).join("setup/action.yml"));
    assert_eq!(action["inputs"]["sha256"]["default"], "", "a checksum belongs to one release");
}
