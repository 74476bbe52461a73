//! Reads policies that are not trusted, such as those of a fork: `mfactl.yaml` comes from a trusted folder, and
//! the one of the policies must mean the same.
//!
//! Not here: what the files mean (`meaning`), or guards that a trusted change makes weaker (`plan::loosening`).

use std::path::{Component, Path, PathBuf};

use super::place::{self, FileLimits};
use super::{Faults, Opened, Reading, shown, yaml};
use crate::finding::{Code, Finding, quoted};
use crate::policy::check::{self, Checked, Parsed};
use crate::policy::file::PolicyFile;
use crate::policy::meaning::project_meaning;
use crate::policy::places::KeyPlaces;
use crate::policy::{PolicySet, Project};
use crate::source::Origin;

/// The limits of files that are not trusted. Real policy files are far smaller.
const GUARDED: FileLimits = FileLimits { follows_links: false, largest: 1024 * 1024 };

/// Reads and checks the policies of the project at `config`, with the `mfactl.yaml` of the folder `guards`.
///
/// # Errors
/// Faults of the two project files, or every key that differs; otherwise all faults of the policies.
pub fn load_guarded(config: &Path, guards: &Path) -> Result<PolicySet, Faults> {
    let name = config.file_name().unwrap_or_else(|| "mfactl.yaml".as_ref());
    let trusted = guards.join(name);
    Reading::default().same_project(config, &trusted)?;
    let mut reading = Reading::default();
    let project = reading.project(&trusted);
    let folder = project.as_ref().and_then(Opened::folder);
    let files = folder.map(|folder| reading.guarded_policies(config, &folder)).unwrap_or_default();
    reading.checked(project, files)
}

/// A project file that was read and checked.
struct Side {
    project: Project,
    folder: (String, Origin),
}

impl Reading {
    /// Compares the two project files, and nothing else.
    fn same_project(mut self, config: &Path, trusted: &Path) -> Result<(), Faults> {
        let base = self.side(trusted);
        self.limits = GUARDED;
        let head = self.side(config);
        if let (Some(base), Some(head)) = (&base, &head) {
            let path = quoted(&shown(trusted));
            self.findings.extend(differences(base, head, &path));
        }
        let Self { sources, findings, .. } = self;
        if findings.is_empty() { Ok(()) } else { Err(Faults { sources, findings }) }
    }

    fn side(&mut self, config: &Path) -> Option<Side> {
        let project = self.project(config)?;
        let folder = project.folder();
        let checked = check::check(project.parsed, Vec::new(), &mut self.findings);
        let Checked { mut project, .. } = checked?;
        let places = project.break_glass.origin.iter_mut().chain(project.places.maps_mut());
        yaml::point_at_keys(places, &self.sources);
        Some(Side { project, folder: folder? })
    }

    /// Every policy file, sorted by path, if no link leads to one and none is large.
    fn guarded_policies(
        &mut self,
        config: &Path,
        (name, origin): &(String, Origin),
    ) -> Vec<Parsed<PolicyFile>> {
        self.limits = GUARDED;
        let mut below = place::folder_of(config).to_owned();
        for part in Path::new(name).components() {
            below.push(part);
            if matches!(part, Component::Normal(_)) && place::is_link(&below) {
                self.findings.push(place::linked(&below).at(*origin, "the policies folder"));
                return Vec::new();
            }
        }
        self.policies(config, &(name.clone(), *origin), false)
    }
}

/// Returns each key that differs. Every key counts, because each one decides where tokens go, what is
/// protected, or what is read and shown.
fn differences(base: &Side, head: &Side, trusted: &str) -> Vec<Finding> {
    let meaning = |side: &Side| {
        let mut keys = project_meaning(&side.project);
        let folder: PathBuf = Path::new(&side.folder.0).components().collect();
        keys.insert("policies".to_owned(), folder.to_string_lossy().into_owned());
        let outside = side.project.policies_outside;
        keys.insert("policiesOutside".to_owned(), outside.to_string());
        keys
    };
    let (before, now) = (meaning(base), meaning(head));
    let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let differs = keys.into_iter().filter(|key| before.get(*key) != now.get(*key));
    differs.map(|key| difference(key, base, head, trusted)).collect()
}

fn difference(key: &str, base: &Side, head: &Side, trusted: &str) -> Finding {
    let message = format!("{} differs from {trusted}", quoted(key));
    let finding = Finding::new(Code::GuardsDiffer, message);
    let finding = match (place(key, head), place(key, base)) {
        (Some(head), Some(base)) => finding.at(head, "proposed").at(base, "trusted"),
        (Some(head), None) => finding.at(head, "proposed; the trusted file does not have it"),
        (None, Some(base)) => finding.at(base, "trusted; the proposed file does not have it"),
        (None, None) => finding,
    };
    finding.help("remove this change from the fork; `mfactl.yaml` changes only with a branch of the repository and a review of its owners")
}

/// Returns the place of a key.
fn place(key: &str, side: &Side) -> Option<Origin> {
    let KeyPlaces {
        tenant,
        cloud,
        credential,
        policies_outside,
        minimum: _,
        brakes,
        changed_users: _,
        weakened_users: _,
        replaced_numbers: _,
        delivery,
        keep_numbers,
        run_store,
        keep_for,
        compare_with,
        quota_share,
        endpoints,
        disclose,
    } = side.project.places;
    match key {
        "tenant" => tenant,
        "cloud" => cloud,
        "credential" => credential,
        "policies" => Some(side.folder.1),
        "policiesOutside" => policies_outside,
        "breakGlass" => side.project.break_glass.origin,
        "brakes" => brakes,
        "phoneDelivery" => delivery.or(cloud),
        "runs" => run_store.or(keep_numbers).or(keep_for),
        "numbers" => compare_with,
        "quota" => quota_share,
        "endpoints" => endpoints,
        "disclose" => disclose,
        _ => None,
    }
}
