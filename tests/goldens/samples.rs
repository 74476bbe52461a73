//! The folders of `tests/samples`. A valid sample loads, and the schemas accept it. An invalid sample shows
//! the finding that it is named after, in the words of its `expected.txt`, and if it is faulty in its
//! structure, the schemas refuse it.
//!
//! Not here: how to add a sample (`tests/samples/README.md`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libtest_mimic::Trial;
use mfactl::finding::Code;
use mfactl::policy;
use mfactl::render::diagnostic::{self, Style};
use serde_json::Value;

use crate::support::golden::compare;
use crate::support::{check, folders, name_of, trial};

/// Codes that only a tenant can raise. A new code is listed here or has a sample. Each code in this list has
/// a case (`cases`).
pub(crate) const LIVE: &[Code] = &[
    Code::GroupNotFound,
    Code::GroupAmbiguous,
    Code::UserNotFound,
    Code::UserLeftOut,
    Code::RoleNotFound,
    Code::AttributeMissing,
    Code::PolicyUnstable,
    Code::GuardUnresolved,
    Code::GuardGroupUnprotected,
    Code::ExceptionEmpty,
    Code::ExceptionOver,
    Code::MembershipUnsettled,
    Code::BreakGlassEmpty,
    Code::BreakGlassFormer,
    Code::NameDiffers,
    Code::BreakGlassNoMethod,
    Code::NoNumberInDirectory,
    Code::NumberInvalid,
    Code::NumberRegionUnknown,
    Code::NumberRegionConflict,
    Code::CountryUnread,
    Code::NumbersNotCompared,
    Code::NumberNotSmsCapable,
    Code::NumberShared,
    Code::NumberKept,
    Code::SmsSignInSideEffect,
    Code::PhoneWithheld,
    Code::SmsSignInWithheld,
    Code::ReplaceWithheld,
    Code::RemovalWithheld,
    Code::DefaultKept,
    Code::DefaultMethodMoot,
    Code::DefaultWithheld,
    Code::LegacyProtocols,
    Code::MfaWithheld,
    Code::MfaLoweredNotCovered,
    Code::UserOpen,
    Code::PortalsOnly,
    Code::UserStuck,
    Code::Unreadable,
    Code::MfaDemandedElsewhere,
    Code::LegacyMethodPolicy,
    Code::PhoneOnlyRetirement,
];

/// Codes of a refusal by Graph. `unreadable` shows them.
const REFUSED: &[Code] =
    &[Code::GroupUnreadable, Code::RoleUnreadable, Code::RoleEligibilityUnknown];

/// Codes of a plan that undoes a run. `apply::undo` in `tests/it` shows them.
const UNDONE: &[Code] = &[
    Code::ChangedSinceRun,
    Code::NotPutBack,
    Code::RestoreDiffers,
    Code::RunDamaged,
    Code::StillWanted,
];

/// Codes that need a change of the files. `plan::loosenings` in `tests/it` shows them.
const REVIEWED: &[Code] = &[
    Code::PolicyRemoved,
    Code::ModeToReport,
    Code::ScopeNarrowed,
    Code::SettingUnmanaged,
    Code::RuleWeakened,
    Code::RuleOvertaken,
    Code::WeakerWanted,
    Code::ReplaceAllowed,
    Code::SourceChanged,
    Code::RegionWidened,
    Code::ExceptionWidened,
    Code::ExceptionExtended,
    Code::AllowEmptyAdded,
    Code::BreakGlassAdded,
    Code::BreakGlassRemoved,
    Code::FormerAdded,
    Code::MinimumLowered,
    Code::BrakeRaised,
    Code::DeliveryLater,
    Code::CompareNarrowed,
    Code::NumbersNotKept,
    Code::RunStoreMoved,
    Code::ShareRaised,
    Code::DisclosureRaised,
    Code::PoliciesOutside,
    Code::TenantChanged,
    Code::EndpointChanged,
    Code::ObjectUnmanaged,
    Code::ObjectLowered,
    Code::NotCompared,
];

/// The snapshot is not of these files.
const RECORDED: &[Code] = &[Code::SnapshotLacks];

/// Codes of checks. `cli::checks` in `tests/it` shows them, and `commands::sign_ins` the one of the second judge.
const CHECKED: &[Code] = &[
    Code::CheckFailed,
    Code::SignInDiffers,
    Code::GroupNotNamed,
    Code::RoleNotNamed,
    Code::NoChecks,
];

/// Codes that need a journal. `guards::lost_members` in `tests/it` shows them.
const REMEMBERED: &[Code] = &[Code::BreakGlassLost];

/// Codes that need a trusted folder. `policies::guards_from` in `tests/it` shows them.
const GUARDED: &[Code] = &[Code::GuardsDiffer];

/// Codes that an editor shows too, because the schema refuses the file.
const STRUCTURAL: &[Code] = &[
    Code::UnknownKey,
    Code::EmptyKey,
    Code::MissingKey,
    Code::WrongType,
    Code::UnknownValue,
    Code::UnsupportedVersion,
];

/// Samples of those codes that the schema accepts.
const BEYOND_THE_SCHEMA: &[&str] = &["unknown-value-tenant"];

pub(crate) fn trials() -> Vec<Trial> {
    let invalid = folders(INVALID).into_iter().map(|folder| {
        trial(format!("sample::invalid::{}", name_of(&folder)), move || {
            every_invalid_sample_says_what_is_expected(&folder)
        })
    });
    let valid = folders("tests/samples/valid").into_iter().map(|folder| {
        check(&format!("sample::valid::{}", name_of(&folder)), move || {
            every_valid_sample_loads(&folder)
        })
    });
    let root = check("sample::valid::this-repository", || every_valid_sample_loads(Path::new(".")));
    let name = "sample::every_code_that_files_can_raise_has_a_sample";
    let whole = check(name, every_code_that_files_can_raise_has_a_sample);
    invalid.chain(valid).chain([root, whole]).collect()
}

const INVALID: &str = "tests/samples/invalid";

fn every_invalid_sample_says_what_is_expected(folder: &Path) -> String {
    let Err(faults) = policy::load(&folder.join("mfactl.yaml")) else {
        panic!("{} has no fault", folder.display())
    };
    let codes: BTreeSet<Code> = faults.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [code_of(folder)].into());
    assert_eq!(faults.findings.len(), 1, "a sample has one fault");
    if STRUCTURAL.contains(&code_of(folder)) && !BEYOND_THE_SCHEMA.contains(&&*name_of(folder)) {
        let refused = |path: &PathBuf| VALIDATORS.errors(path).is_some_and(|one| !one.is_empty());
        assert!(files(folder).iter().any(refused), "the schema accepts it");
    }
    let text = diagnostic::report(&faults.findings, &faults.sources, Style::Plain);
    compare(&folder.join("expected.txt"), &text)
}

fn every_valid_sample_loads(folder: &Path) {
    let loaded = policy::load(&folder.join("mfactl.yaml"));
    let set = loaded.unwrap_or_else(|faults| {
        panic!("{}", diagnostic::report(&faults.findings, &faults.sources, Style::Plain))
    });
    assert!(!set.policies.is_empty());
    for path in files(folder) {
        assert_eq!(VALIDATORS.errors(&path).as_deref(), Some(""), "{}", path.display());
    }
}

fn every_code_that_files_can_raise_has_a_sample() {
    let sampled: BTreeSet<Code> = folders(INVALID).iter().map(|folder| code_of(folder)).collect();
    for code in Code::ALL {
        let elsewhere = [LIVE, REFUSED, UNDONE, REMEMBERED, RECORDED, REVIEWED, CHECKED, GUARDED];
        let has_sample = sampled.contains(code);
        let is_live = elsewhere.iter().any(|codes| codes.contains(code));
        assert!(has_sample || is_live, "`{code}` has no sample under {INVALID}");
        assert!(!(has_sample && is_live), "`{code}` has a sample, so it is not live only");
    }
}

static VALIDATORS: LazyLock<Validators> = LazyLock::new(Validators::new);

/// One validator for each kind of file.
struct Validators {
    project: jsonschema::Validator,
    policy: jsonschema::Validator,
}

impl Validators {
    fn new() -> Self {
        let compiled = |schema: Value| jsonschema::draft7::new(&schema).expect("a valid schema");
        Self {
            project: compiled(policy::schema::mfactl()),
            policy: compiled(policy::schema::policy()),
        }
    }

    /// Returns the errors of the schema in a file, or `None` if the file is not YAML.
    fn errors(&self, path: &Path) -> Option<String> {
        let text = fs::read_to_string(path).ok()?;
        let options = serde_yaml::options! { strict_booleans: true };
        let value: Value = serde_yaml::from_str_with_options(&text, options).ok()?;
        let validator = if path.ends_with("mfactl.yaml") { &self.project } else { &self.policy };
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        Some(errors.join("\n"))
    }
}

/// Returns the code that a sample is named after: the longest match, because `-variant` may follow.
fn code_of(folder: &Path) -> Code {
    let name = name_of(folder);
    let named = Code::ALL.iter().filter(|code| {
        name.strip_prefix(code.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    *named
        .max_by_key(|code| code.as_str().len())
        .unwrap_or_else(|| panic!("no code begins the name {name}"))
}

/// Returns `mfactl.yaml` and all policy files of a sample.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.join("policies")];
    let mut files: Vec<PathBuf> = vec![folder.join("mfactl.yaml")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
            {
                files.push(entry.path());
            }
        }
    }
    files.retain(|path| path.exists());
    files
}
