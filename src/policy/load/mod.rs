//! Reads `mfactl.yaml` and the files of its policies folder from disk.
//!
//! One run reports the first structural fault of every file that cannot be parsed, and all faults of every
//! other file.
//!
//! Not here: the messages for what the YAML library refused (`yaml`), or what the files mean (`check`).

pub mod beside;
mod data;
mod folder;
mod guarded;
mod hidden;
mod outline;
mod place;
pub(super) mod wording;
mod yaml;

pub use data::{BaseFiles, load_data};
pub use guarded::load_guarded;

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::check::{self, Checked, Parsed};
use super::file::{PolicyFile, ProjectFile};
use super::{PolicySet, Project};
use crate::files::PathRefusal;
use crate::finding::{Code, Finding, Label, quoted};
use crate::source::{FileId, Origin, Sources, Span};
use place::{FileLimits, Policies};

/// The size limit of a file in bytes. Real policy files are far smaller.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// The faults because of which there is no [`PolicySet`].
#[derive(Debug, Clone)]
pub struct Faults {
    pub sources: Sources,
    /// Sorted by file and line.
    pub findings: Vec<Finding>,
}

/// Reads and checks the `mfactl.yaml` at `config` and its policy files.
///
/// # Errors
/// All faults of all files.
pub fn load(config: &Path) -> Result<PolicySet, Faults> {
    let mut reading = Reading::default();
    let project = reading.project(config);
    let folder = project.as_ref().and_then(Opened::folder);
    let outside = project.as_ref().is_some_and(Opened::may_be_outside);
    let files = folder.map(|folder| reading.policies(config, &folder, outside)).unwrap_or_default();
    reading.checked(project, files)
}

/// Reads and checks `mfactl.yaml` alone, for what does not depend on policies.
///
/// # Errors
/// All faults of the file.
pub fn load_project(config: &Path) -> Result<Project, Faults> {
    let mut reading = Reading::default();
    let project = reading.project(config);
    reading.checked(project, Vec::new()).map(|set| set.project)
}

/// Removes the contents of a file behind a link from a finding, because that file may not be a policy.
fn hide_words(finding: &mut Finding, sources: &Sources) {
    let is_shown = |label: &Label| sources.get(label.origin.file).is_none_or(|file| file.is_shown);
    if finding.labels.iter().all(is_shown) {
        return;
    }
    finding.message = "a fault in a file behind a link".to_owned();
    finding.policy = None;
    finding.labels.iter_mut().for_each(|label| label.text = String::new());
    finding.help =
        Some("to see the details, put the file itself into the policies folder".to_owned());
}

/// Sorts by file, then line. A finding without a place comes first.
fn order(finding: &Finding) -> (Option<Origin>, Code, &str) {
    (finding.labels.first().map(|label| label.origin), finding.code, &finding.message)
}

/// The files and findings of one run so far.
#[derive(Default)]
struct Reading {
    sources: Sources,
    findings: Vec<Finding>,
    limits: FileLimits,
}

/// `mfactl.yaml`, as far as it could be read.
struct Opened {
    parsed: Option<Parsed<ProjectFile>>,
    /// The policies folder of a file with a fault elsewhere, so that the policies are still read.
    policies: Option<(String, Origin)>,
}

impl Opened {
    fn folder(&self) -> Option<(String, Origin)> {
        match &self.parsed {
            Some(Parsed { file, content }) => {
                Some((content.policies.value.clone(), content.policies.origin(*file)))
            }
            None => self.policies.clone(),
        }
    }

    /// Whether the policies folder may be outside the repository. A file with a fault cannot allow it.
    fn may_be_outside(&self) -> bool {
        let key = self.parsed.as_ref().and_then(|parsed| parsed.content.policies_outside.as_ref());
        key.is_some_and(|outside| outside.value)
    }
}

impl Reading {
    fn project(&mut self, config: &Path) -> Option<Opened> {
        let name = config.file_name().map_or(config, Path::new);
        match self.read((config, name), place::read_project(config, self.limits)) {
            Ok(file) => Some(self.opened(file)),
            Err(finding) => {
                self.findings.push(finding.unwrap_or_else(|| no_project(config)));
                None
            }
        }
    }

    fn opened(&mut self, file: FileId) -> Opened {
        match self.parse(file) {
            Ok(content) => Opened { parsed: Some(Parsed { file, content }), policies: None },
            Err(finding) => {
                let policies = self.folder_in(file);
                self.findings.push(finding);
                Opened { parsed: None, policies }
            }
        }
    }

    /// The policies folder that a broken `mfactl.yaml` names, found by a search for its line. `None` if there is none.
    fn folder_in(&self, file: FileId) -> Option<(String, Origin)> {
        let text = &self.sources.get(file)?.text;
        let (folder, span) = yaml::top_word(text, "policies")?;
        Some((folder, Origin { file, span }))
    }

    /// Every policy file that could be parsed, sorted by path.
    fn policies(
        &mut self,
        config: &Path,
        (name, origin): &(String, Origin),
        may_be_outside: bool,
    ) -> Vec<Parsed<PolicyFile>> {
        if name.trim().is_empty() {
            return Vec::new(); // `check` reports it
        }
        let policies = match Policies::find((config, name), may_be_outside, self.limits, *origin) {
            Ok(policies) => policies,
            Err(finding) => {
                self.findings.push(finding);
                return Vec::new();
            }
        };
        let paths =
            match folder::yaml_files(&policies.tree, &policies.folder, self.limits.follows_links) {
                Ok(paths) => paths,
                Err((path, why)) => {
                    self.findings.push(place::no_folder(&path, &why, *origin));
                    return Vec::new();
                }
            };
        if paths.is_empty() {
            self.findings.push(no_policies(&policies.folder, *origin));
        }
        let below = |path: &Path| path.strip_prefix(&policies.folder).unwrap_or(path).to_owned();
        let named = paths.iter().map(|path| (path, Path::new(name).join(below(path))));
        named.filter_map(|(path, name)| self.policy_file(path, &name, &policies)).collect()
    }

    fn policy_file(
        &mut self,
        path: &Path,
        name: &Path,
        policies: &Policies,
    ) -> Option<Parsed<PolicyFile>> {
        let parsed = self
            .read((path, name), policies.read(path))
            .map_err(|finding| finding.unwrap_or_else(|| vanished(path)))
            .and_then(|file| self.parse(file).map(|content| Parsed { file, content }));
        parsed.map_err(|finding| self.findings.push(finding)).ok()
    }

    /// Checks what the files mean.
    fn checked(
        self,
        project: Option<Opened>,
        files: Vec<Parsed<PolicyFile>>,
    ) -> Result<PolicySet, Faults> {
        let project = project.and_then(|project| project.parsed);
        let Self { sources, mut findings, .. } = self;
        let mut meant = Vec::new();
        let mut checked = check::check(project, files, &mut meant);
        let labels = meant.iter_mut().flat_map(|finding| &mut finding.labels);
        let projects = checked.iter_mut().map(|checked| &mut checked.project);
        let of_project = projects.flat_map(|project| {
            project.break_glass.origin.iter_mut().chain(project.places.maps_mut())
        });
        yaml::point_at_keys(labels.map(|label| &mut label.origin).chain(of_project), &sources);
        findings.append(&mut meant);
        match checked {
            Some(Checked { project, policies, objects }) if findings.is_empty() => {
                Ok(PolicySet { project, policies, objects, sources })
            }
            _ => {
                findings.sort_by(|one, other| order(one).cmp(&order(other)));
                findings.iter_mut().for_each(|finding| hide_words(finding, &sources));
                Err(Faults { sources, findings })
            }
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, file: FileId) -> Result<T, Finding> {
        let text = self.sources.get(file).map_or("", |source| source.text.as_str());
        let content = yaml::parse(text, file)?;
        self.findings.extend(hidden::check(text, file));
        Ok(content)
    }

    /// Adds a file with its path, and its name, which is its path from the folder of `mfactl.yaml`. An error
    /// without a finding means that the file does not exist.
    fn read(
        &mut self,
        (path, name): (&Path, &Path),
        read: Result<(Vec<u8>, bool), PathRefusal>,
    ) -> Result<FileId, Option<Finding>> {
        let (bytes, is_shown) =
            read.map_err(|why| place::no_file(path, &why, self.limits.largest))?;
        self.take((shown(path), shown(name)), &bytes, is_shown).map_err(Some)
    }

    /// Adds the contents of a file, with its path and its name.
    fn take(
        &mut self,
        (path, name): (String, String),
        bytes: &[u8],
        is_shown: bool,
    ) -> Result<FileId, Finding> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let add = |text: &str| self.sources.take(path, name, text, is_shown);
        match str::from_utf8(bytes) {
            Ok(text) => Ok(add(text)),
            Err(problem) => {
                let text = String::from_utf8_lossy(bytes);
                let file = add(&text);
                Err(not_utf8(&text, problem.valid_up_to(), file))
            }
        }
    }
}

fn no_project(config: &Path) -> Finding {
    let message = format!("{} does not exist", quoted(&shown(config)));
    Finding::new(Code::FileUnreadable, message)
        .help("run mfactl in the folder that holds `mfactl.yaml`, or name it with `--config FILE`")
}

fn no_policies(folder: &Path, origin: Origin) -> Finding {
    let message = format!("{} contains no policy file", quoted(&shown(folder)));
    Finding::new(Code::NoPolicies, message)
        .at(origin, "no `.yaml` or `.yml` file in this folder")
        .help("write a first policy there; hidden files are skipped")
}

fn vanished(path: &Path) -> Finding {
    let message = unreadable(path, &io::ErrorKind::NotFound.into(), LARGEST_FILE);
    Finding::new(Code::FileUnreadable, message).help("put a readable file there, or remove it")
}

fn not_utf8(text: &str, offset: usize, file: FileId) -> Finding {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let len = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let span =
        Span { line: small(line), column: small(column), offset: small(offset), len: small(len) };
    Finding::new(Code::InvalidYaml, "the file is not UTF-8")
        .at(Origin { file, span }, "not a UTF-8 character")
        .help("save the file as UTF-8")
}

fn unreadable(path: &Path, problem: &io::Error, largest: u64) -> String {
    let path = quoted(&shown(path));
    match problem.kind() {
        io::ErrorKind::NotFound => format!("{path} does not exist"),
        io::ErrorKind::PermissionDenied => format!("{path} cannot be read: permission denied"),
        io::ErrorKind::IsADirectory => format!("{path} is a folder, not a file"),
        io::ErrorKind::NotADirectory => format!("{path} is a file, not a folder"),
        io::ErrorKind::FileTooLarge => {
            format!("{path} is larger than {} MiB", largest / 1024 / 1024)
        }
        _ => format!("{path} cannot be read: {problem}"),
    }
}

/// A path as its user would write it: relative if it was given so, with forward slashes.
fn shown(path: &Path) -> String {
    let plain: PathBuf = path.components().collect();
    let text = plain.to_string_lossy();
    let text = text.strip_prefix("./").unwrap_or(&text);
    if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() }
}
