//! Reads other YAML files of a project, such as its checks. Their faults look like those of a policy.
//!
//! Not here: what such a file contains (the module that asks for it).

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::folder::{is_yaml, yaml_files};
use super::place::{folder_of, no_file};
use super::{LARGEST_FILE, Reading, shown, vanished, yaml};
use crate::files::{self, PathRefusal, Tree};
use crate::finding::{Code, Finding, quoted};
use crate::source::{FileId, Sources};

/// The files that could be parsed, and the faults of the others.
#[derive(Debug)]
pub struct FilesBeside<T> {
    pub files: Vec<(FileId, T)>,
    pub findings: Vec<Finding>,
}

/// Reads every YAML file of a folder next to `mfactl.yaml`, sorted by path. There are none without the
/// folder.
pub fn read_folder<T: DeserializeOwned>(
    config: &Path,
    name: &str,
    sources: &mut Sources,
) -> FilesBeside<T> {
    let folder = folder_of(config).join(name);
    let found = Tree::around(folder_of(config))
        .map_err(|problem| (folder.clone(), PathRefusal::Io(problem)))
        .and_then(|tree| Ok((yaml_files(&tree, &folder, true)?, tree)));
    match found {
        Ok((paths, tree)) => {
            read(paths.iter().map(|path| (path.as_path(), &tree)).collect(), sources)
        }
        Err((path, why)) => {
            let findings = match no_file(&path, &why, LARGEST_FILE) {
                Some(finding) => vec![finding],
                None => Vec::new(),
            };
            FilesBeside { files: Vec::new(), findings }
        }
    }
}

/// Reads the files that the user names.
pub fn read_files<T: DeserializeOwned>(paths: &[PathBuf], sources: &mut Sources) -> FilesBeside<T> {
    let mut all = FilesBeside { files: Vec::new(), findings: Vec::new() };
    for path in paths {
        let one = match Tree::around(folder_of(path)) {
            Ok(tree) => read(vec![(path.as_path(), &tree)], sources),
            Err(_) => FilesBeside { files: Vec::new(), findings: vec![vanished(path)] },
        };
        all.files.extend(one.files);
        all.findings.extend(one.findings);
    }
    all
}

/// Moves the places of findings from the start of a map to its key, as in the faults of a policy.
pub fn point_at_keys(findings: &mut [Finding], sources: &Sources) {
    let labels = findings.iter_mut().flat_map(|finding| &mut finding.labels);
    yaml::point_at_keys(labels.map(|label| &mut label.origin), sources);
}

/// Parses a text as if it was read from a file.
///
/// # Errors
/// All faults of the text.
pub fn parse<T: DeserializeOwned>(text: &str, sources: &mut Sources) -> Result<T, Vec<Finding>> {
    let file = sources.add("a check", text);
    let mut reading = Reading { sources: std::mem::take(sources), ..Reading::default() };
    let parsed = reading.parse(file);
    *sources = reading.sources;
    match (parsed, reading.findings.is_empty()) {
        (Ok(content), true) => Ok(content),
        (Ok(_), false) => Err(reading.findings),
        (Err(finding), _) => Err(vec![finding]),
    }
}

fn read<T: DeserializeOwned>(paths: Vec<(&Path, &Tree)>, sources: &mut Sources) -> FilesBeside<T> {
    let mut reading = Reading { sources: std::mem::take(sources), ..Reading::default() };
    let mut files = Vec::new();
    for (path, tree) in paths {
        let read = reading
            .read((path, path), contents(path, tree))
            .map_err(|finding| finding.unwrap_or_else(|| vanished(path)));
        match read.and_then(|file| reading.parse(file).map(|content| (file, content))) {
            Ok(file) => files.push(file),
            Err(finding) => reading.findings.push(finding),
        }
    }
    *sources = reading.sources;
    FilesBeside { files, findings: reading.findings }
}

/// Reads a file. A link to a file of another folder is refused, because an excerpt would show what is in it.
fn contents(path: &Path, tree: &Tree) -> Result<(Vec<u8>, bool), PathRefusal> {
    let real = tree.real(path)?;
    let is_here = files::Tree::of(folder_of(path))?.real(path).is_ok_and(|found| found == real);
    if !is_yaml(&real) || !is_here {
        return Err(PathRefusal::Private);
    }
    Ok((files::read_all(tree.open(path)?, LARGEST_FILE)?, true))
}

/// The finding that there is no file.
#[must_use]
pub fn none_found(config: &Path, name: &str, code: Code) -> Finding {
    let folder = folder_of(config).join(name);
    Finding::new(code, format!("{} contains no YAML file", quoted(&shown(&folder))))
}
