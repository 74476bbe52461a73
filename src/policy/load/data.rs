//! Reads `mfactl.yaml` and policies that are not in the working folder, such as those of another revision:
//! the caller has the contents of the files.
//!
//! Not here: reading a revision (`git`).

use std::path::Path;

use super::{
    Faults, LARGEST_FILE, Opened, Parsed, PolicyFile, Reading, folder, no_policies, shown,
};
use crate::finding::{Code, Finding, quoted};
use crate::policy::PolicySet;

/// Where the files come from.
pub trait BaseFiles {
    /// The reason why a file could not be read, and what the user can do next.
    type Fault: std::fmt::Display;

    /// Returns the path of a file for messages, such as `main:policies/staff.yaml`.
    fn shown(&self, name: &str) -> String;

    /// Returns the contents of `mfactl.yaml` by its name. It has at most this number of bytes.
    ///
    /// # Errors
    /// The file could not be read.
    fn project(&self, name: &str, most: u64) -> Result<Vec<u8>, Self::Fault>;

    /// Returns the wanted files of the policies folder, each with its path from the folder of
    /// `mfactl.yaml`. A file has at most this number of bytes.
    ///
    /// # Errors
    /// A file could not be read.
    fn policies(
        &self,
        folder: &str,
        most: u64,
        is_wanted: fn(&Path) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, Self::Fault>;
}

/// Reads and checks files that are not in the working folder. `name` is that of `mfactl.yaml`.
///
/// # Errors
/// All faults of all files.
pub fn load_data(name: &str, files: &impl BaseFiles) -> Result<PolicySet, Faults> {
    let mut reading = Reading::default();
    let project = reading.base_project(name, files);
    let policies = match project.as_ref().and_then(Opened::folder) {
        // `check` reports a name without letters.
        Some((folder, _)) if folder.trim().is_empty() => Vec::new(),
        Some((folder, origin)) => match files.policies(&folder, LARGEST_FILE, is_policy) {
            Ok(found) if found.is_empty() => {
                reading.findings.push(no_policies(Path::new(&files.shown(&folder)), origin));
                Vec::new()
            }
            Ok(found) => reading.base_policies(found, files),
            Err(why) => {
                reading.findings.push(unread(&files.shown(&folder), &why));
                Vec::new()
            }
        },
        None => Vec::new(),
    };
    reading.checked(project, policies)
}

/// Whether a file below the policies folder is a policy: the same files as in a folder on disk.
fn is_policy(path: &Path) -> bool {
    let is_hidden =
        |part: std::path::Component<'_>| part.as_os_str().to_string_lossy().starts_with('.');
    folder::is_yaml(path) && !path.components().any(is_hidden)
}

fn unread(path: &str, why: &impl std::fmt::Display) -> Finding {
    Finding::new(Code::FileUnreadable, format!("{} cannot be read: {why}", quoted(path)))
}

impl Reading {
    fn base_project(&mut self, name: &str, files: &impl BaseFiles) -> Option<Opened> {
        let path = files.shown(name);
        let taken = match files.project(name, LARGEST_FILE) {
            Ok(bytes) => self.take((path, name.to_owned()), &bytes, true),
            Err(why) => Err(unread(&path, &why)),
        };
        match taken {
            Ok(file) => Some(self.opened(file)),
            Err(finding) => {
                self.findings.push(finding);
                None
            }
        }
    }

    fn base_policies(
        &mut self,
        found: Vec<(String, Vec<u8>)>,
        files: &impl BaseFiles,
    ) -> Vec<Parsed<PolicyFile>> {
        let mut parsed = Vec::new();
        for (name, bytes) in found {
            let name = shown(Path::new(&name));
            let file = self.take((files.shown(&name), name), &bytes, true);
            match file.and_then(|file| self.parse(file).map(|content| Parsed { file, content })) {
                Ok(one) => parsed.push(one),
                Err(finding) => self.findings.push(finding),
            }
        }
        parsed
    }
}
