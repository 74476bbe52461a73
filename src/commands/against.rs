//! The base of a review: the files of another revision, or of another folder.
//!
//! Not here: reading a revision (`git`), or the comparison (`run::review`).

use std::path::{Component, Path, PathBuf};

use super::fault::Fault;
use crate::finding::{Finding, quoted};
use crate::git::{Revision, RevisionFault};
use crate::plan::review::NotCompared;
use crate::policy::{self, BaseFiles, Faults};
use crate::run::review::Base;
use crate::untrusted::Untrusted;

/// Loads the base. A name is a revision; a folder begins with `./`, `../` or `/`, because a change can add a
/// folder with the name of a branch. Outside a repository a name can only be a folder.
pub(super) fn load(config: &Path, against: &str) -> Result<Base, Fault> {
    let name = Untrusted::from(against);
    let file = config.file_name().map_or_else(|| PathBuf::from("mfactl.yaml"), PathBuf::from);
    let in_folder = Path::new(against).join(&file);
    let is_folder = !against.is_empty() && in_folder.is_file();
    let folder = config.parent().unwrap_or_else(|| Path::new(""));
    let loaded = match Revision::find(folder, against) {
        _ if is_folder && is_path(against) => policy::load(&in_folder),
        Ok(revision) => policy::load_data(&file.to_string_lossy(), &RevisionFiles(revision)),
        Err(RevisionFault::NoRepository) if is_folder => policy::load(&in_folder),
        Err(why) => return Err(Fault::Revision { revision: against.to_owned(), why }),
    };
    Ok(Base { name, policies: loaded.map_err(|faults| invalid(&faults)) })
}

/// Whether the text can only be a path.
fn is_path(text: &str) -> bool {
    let first = Path::new(text).components().next();
    let has_dots = text.starts_with("./") || text.starts_with("../") || text == "..";
    has_dots || matches!(first, Some(Component::RootDir | Component::Prefix(_)))
}

/// The files of a revision.
struct RevisionFiles(Revision);

impl BaseFiles for RevisionFiles {
    type Fault = RevisionFault;

    fn shown(&self, name: &str) -> String {
        format!("{}:{name}", self.0.name())
    }

    fn project(&self, name: &str, most: u64) -> Result<Vec<u8>, RevisionFault> {
        self.0.file(name, most).map(|file| file.bytes)
    }

    fn policies(
        &self,
        folder: &str,
        most: u64,
        is_wanted: fn(&Path) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, RevisionFault> {
        let files = self.0.files(folder, most, is_wanted)?;
        Ok(files.into_iter().map(|file| (file.path, file.bytes)).collect())
    }
}

/// Returns why a base with these faults cannot be compared.
fn invalid(faults: &Faults) -> NotCompared {
    let errors = faults.findings.len();
    let first = faults.findings.first().map_or_else(String::new, |first| described(first, faults));
    let rest = match errors {
        0 | 1 => String::new(),
        more => format!(" (and {} more)", more - 1),
    };
    NotCompared {
        why: format!("the base does not validate: {first}{rest}"),
        about: None,
        help: "read the whole plan: it is unknown what was planned before".to_owned(),
    }
}

fn described(finding: &Finding, faults: &Faults) -> String {
    let place = finding.labels.first().and_then(|label| {
        let file = faults.sources.get(label.origin.file)?;
        Some(format!(" at {}", quoted(&format!("{}:{}", file.path, label.origin.span.line))))
    });
    format!("{}{}", finding.message, place.unwrap_or_default())
}
