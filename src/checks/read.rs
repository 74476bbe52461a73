//! Reads files of checks, and reports every fault that they and the policies show without a plan.
//!
//! Not here: faults of YAML (`policy::beside`), or the people of a file (`person_faults`).

use std::path::{Path, PathBuf};

use super::becomes::Becomes;
use super::catalogue::Catalogue;
use super::expected::{AlwaysBlock, ExpectBlock, PeopleBlock};
use super::file::ChecksFile;
use super::person_faults::{self, KnownNames};
use crate::finding::{Code, Finding, quoted};
use crate::policy::{Faults, PolicySet, beside, check_version, listed, suggestion};
use crate::settings::Setting;
use crate::source::{FileId, Located, Maybe, Origin, Sources, Span};

/// The folder of the checks, next to `mfactl.yaml`.
const FOLDER: &str = "checks";

/// Files of checks without faults, and all files of the run.
#[derive(Debug)]
pub struct ReadChecks {
    pub sources: Sources,
    /// Sorted by path, or in the order in which they were named.
    pub files: Vec<(FileId, ChecksFile)>,
    pub warnings: Vec<Finding>,
}

/// Reads the named files, or those of the folder `checks` if none is named.
///
/// # Errors
/// All faults of all files.
pub fn read(config: &Path, given: &[PathBuf], set: &PolicySet) -> Result<ReadChecks, Faults> {
    let mut sources = set.sources.clone();
    let found: beside::FilesBeside<ChecksFile> = match given {
        [] => beside::read_folder(config, FOLDER, &mut sources),
        paths => beside::read_files(paths, &mut sources),
    };
    let beside::FilesBeside { files, mut findings } = found;
    if files.is_empty() && findings.is_empty() {
        let help = "write a first check there, or name a file; `docs/checks.md` describes them";
        findings.push(beside::none_found(config, FOLDER, Code::NoChecks).help(help));
    }
    for (file, content) in &files {
        let mut faults = FileFaults { file: *file, content, set, findings: Vec::new() };
        faults.check();
        findings.append(&mut faults.findings);
    }
    beside::point_at_keys(&mut findings, &sources);
    match findings.iter().any(Finding::is_error) {
        true => Err(Faults { sources, findings }),
        false => Ok(ReadChecks { sources, files, warnings: findings }),
    }
}

/// The faults of one file.
struct FileFaults<'a> {
    file: FileId,
    content: &'a ChecksFile,
    set: &'a PolicySet,
    findings: Vec<Finding>,
}

impl FileFaults<'_> {
    fn check(&mut self) {
        let content = self.content;
        check_version(&content.version, self.file, &mut self.findings);
        let mut catalogue = Catalogue::of(self.set);
        let known = KnownNames::of(self.set, content);
        let names = (&known, &mut catalogue);
        person_faults::check(self.file, &content.people, names, &mut self.findings);
        if content.expect.is_unmentioned() && content.always.is_unmentioned() {
            let finding =
                Finding::new(Code::MissingKey, "the file has no `expect` and no `always`");
            self.findings.push(
                finding
                    .at(content.version.origin(self.file), "nothing is checked in this file")
                    .help("add `expect: …` for a person, or `always: …` for all people"),
            );
        }
        if let Some(expect) = content.expect.as_ref() {
            if expect.value.is_empty() {
                self.empty("`expect` has no entries", expect.span);
            }
            for (key, block) in &expect.value {
                self.person(key);
                self.expectation(&block.value, block.span);
            }
        }
        for entry in content.always.as_ref().into_iter().flat_map(|list| &list.0) {
            self.always(&entry.value, entry.span, &catalogue);
        }
    }

    fn person(&mut self, key: &Located<String>) {
        let known: Vec<&str> =
            self.content.people.value.keys().map(|key| key.value.as_str()).collect();
        self.word(key, &known, "person", "people");
    }

    fn expectation(&mut self, block: &ExpectBlock, span: Span) {
        if block.is_empty() {
            self.empty("an expectation has no entries", span);
        }
        for (setting, expected) in block.settings() {
            if let Some((word, span)) = expected.becomes {
                self.value(setting, &word.0, span);
            }
            if expected.becomes.is_none() && expected.by.is_none() && expected.because.is_none() {
                self.empty(&format!("the expected {} has no entries", setting.name()), span);
            }
            if let Some(by) = expected.by {
                self.policy(by);
            }
            if let Some(code) = expected.because {
                let known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
                self.word(code, &known, "code of a finding", "");
            }
        }
        let policies = block.policies.as_ref().into_iter().flat_map(|list| &list.value);
        let excluded = block.excluded_from.as_ref().into_iter().flat_map(|list| &list.0);
        policies.chain(excluded).for_each(|name| self.policy(name));
    }

    fn value(&mut self, setting: Setting, word: &str, span: Span) {
        let known: Vec<&str> = Becomes::words(setting).into_iter().map(|(word, _)| word).collect();
        if !known.contains(&word) {
            let message = format!("the {} cannot become {}", setting.name(), quoted(word));
            self.unknown(message, word, span, &known);
        }
    }

    fn policy(&mut self, name: &Located<String>) {
        let set = self.set;
        let known: Vec<&str> = set.policies.iter().map(|policy| policy.name.as_str()).collect();
        self.word(name, &known, "policy", "policies");
    }

    fn always(&mut self, entry: &AlwaysBlock, span: Span, catalogue: &Catalogue) {
        let AlwaysBlock { nobody, everybody, at_most } = entry;
        let keys = [nobody.is_unmentioned(), everybody.is_unmentioned(), at_most.is_unmentioned()];
        if keys.into_iter().filter(|is_missing| !is_missing).count() != 1 {
            self.findings.push(
                Finding::new(Code::MissingKey, "an entry of `always` has not exactly one key")
                    .at(Origin { file: self.file, span }, "one of three keys is wanted here")
                    .help("write `nobody`, `everybody` or `atMost`, and a new entry for each"),
            );
        }
        entry.conditions().for_each(|with| self.people(with, catalogue));
        if let Some(block) = everybody.as_ref() {
            self.expectation(&block.value.has.value, block.value.has.span);
        }
    }

    fn people(&mut self, with: &Located<PeopleBlock>, catalogue: &Catalogue) {
        let PeopleBlock { group, role, department, guest, enabled, policy, excluded_from, becomes } =
            &with.value;
        let (groups, roles) = catalogue.names();
        if let Some(word) = group.as_ref()
            && catalogue.find_groups(&word.value).is_empty()
        {
            self.word(word, &groups.into_iter().collect::<Vec<_>>(), "group", "groups");
        }
        if let Some(word) = role.as_ref()
            && catalogue.find_role(&word.value).is_none()
        {
            self.word(word, &roles.into_iter().collect::<Vec<_>>(), "role", "roles");
        }
        let named: [&Maybe<Located<String>>; 2] = [policy, excluded_from];
        named.into_iter().filter_map(Maybe::as_ref).for_each(|name| self.policy(name));
        let is_empty =
            [group, role, department, policy, excluded_from].into_iter().all(Maybe::is_unmentioned)
                && guest.is_unmentioned()
                && enabled.is_unmentioned()
                && becomes.is_unmentioned();
        if is_empty {
            self.empty("a condition on people has no entries", with.span);
        }
    }

    /// Reports a word that is not in the list.
    fn word(&mut self, word: &Located<String>, known: &[&str], what: &str, many: &str) {
        if !known.contains(&word.value.as_str()) {
            let place = match many {
                "" => String::new(),
                "people" => " under `people`".to_owned(),
                _ => " in the policies and people".to_owned(),
            };
            let message = format!("there is no {what} {}{place}", quoted(&word.value));
            self.unknown(message, &word.value, word.span, known);
        }
    }

    fn unknown(&mut self, message: String, word: &str, span: Span, known: &[&str]) {
        /// More words would fill the page.
        const MOST: usize = 12;
        let near = suggestion(word, known).unwrap_or_else(|| "unknown".to_owned());
        let finding =
            Finding::new(Code::UnknownValue, message).at(Origin { file: self.file, span }, near);
        self.findings.push(match known.len() {
            0 => finding.help("correct it, or remove it"),
            1..=MOST => finding.help(format!("possible values: {}", listed(known))),
            _ => finding.help("correct the spelling"),
        });
    }

    fn empty(&mut self, message: &str, span: Span) {
        self.findings.push(
            Finding::new(Code::EmptyKey, message)
                .at(Origin { file: self.file, span }, "empty")
                .help("fill it in, or remove it"),
        );
    }
}
