//! The base of a review: the files of another revision, or of another folder.
//!
//! Not here: reading a revision (`git`), or the comparison (`run::review`).

use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::finding::{Finding, quoted};
use crate::git::{Revision, RevisionFault};
use crate::plan::review::NotCompared;
use crate::policy::{self, BaseFiles, Faults};
use crate::run::review::Base;
use crate::untrusted::Untrusted;

/// Loads the base. A folder with a `mfactl.yaml` comes before a revision of the same name.
pub(super) fn load(config: &Path, against: &str) -> Result<Base, Fault> {
    let name = Untrusted::from(against);
    let file = config.file_name().map_or_else(|| PathBuf::from("mfactl.yaml"), PathBuf::from);
    let in_folder = Path::new(against).join(&file);
    let loaded = if !against.is_empty() && in_folder.is_file() {
        policy::load(&in_folder)
    } else {
        let folder = config.parent().unwrap_or_else(|| Path::new(""));
        let revision = Revision::find(folder, against)
            .map_err(|why| Fault::Revision { revision: against.to_owned(), why })?;
        policy::load_data(&file.to_string_lossy(), &RevisionFiles(revision))
    };
    Ok(Base { name, policies: loaded.map_err(|faults| invalid(&faults)) })
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
