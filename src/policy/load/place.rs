//! Where the files of a project may be: in the repository, and behind links only if these stay in it. A user
//! that can propose a policy must not be able to make mfactl read another file and show its contents.
//!
//! Not here: the contents of the files (`load`).

use std::io;
use std::path::{Path, PathBuf};

use super::folder::is_yaml;
use super::{LARGEST_FILE, shown, unreadable};
use crate::files::{self, PathRefusal, Tree};
use crate::finding::{Code, Finding, quoted};
use crate::source::Origin;

/// The folder of `mfactl.yaml`.
pub(super) fn folder_of(config: &Path) -> &Path {
    config.parent().unwrap_or_else(|| Path::new(""))
}

/// What is read of a folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileLimits {
    pub(super) follows_links: bool,
    /// The size of a file in bytes.
    pub(super) largest: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self { follows_links: true, largest: LARGEST_FILE }
    }
}

impl FileLimits {
    fn check(self, path: &Path) -> Result<(), PathRefusal> {
        let is_link = !self.follows_links && is_link(path);
        if is_link { Err(PathRefusal::Link) } else { Ok(()) }
    }
}

pub(super) fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|file| file.is_symlink())
}

/// The policies folder, and the tree that its files are read from.
pub(super) struct Policies {
    pub(super) folder: PathBuf,
    pub(super) tree: Tree,
    /// The real path of the folder, without links.
    real: PathBuf,
    limits: FileLimits,
}

impl Policies {
    /// Finds the folder that `mfactl.yaml` names.
    pub(super) fn find(
        (config, name): (&Path, &str),
        may_be_outside: bool,
        limits: FileLimits,
        origin: Origin,
    ) -> Result<Self, Finding> {
        let folder = folder_of(config).join(name);
        let found = Tree::around(folder_of(config)).map_err(PathRefusal::Io).and_then(|tree| {
            match tree.real(&folder) {
                Ok(real) => Ok((tree, real)),
                Err(PathRefusal::Outside) if may_be_outside => {
                    let tree = Tree::of(&folder)?;
                    let real = tree.real(&folder)?;
                    Ok((tree, real))
                }
                Err(why) => Err(why),
            }
        });
        match found {
            Ok((tree, real)) => Ok(Self { folder, tree, real, limits }),
            Err(why) => Err(no_folder(&folder, &why, origin)),
        }
    }

    /// Reads a policy file and says whether its contents may be shown. The contents of a file outside the
    /// policies folder, behind a link, may not.
    pub(super) fn read(&self, path: &Path) -> Result<(Vec<u8>, bool), PathRefusal> {
        self.limits.check(path)?;
        let real = self.tree.real(path)?;
        // A link can give any file a name like `policy.yaml`.
        if !is_yaml(&real) {
            return Err(PathRefusal::Private);
        }
        let bytes = files::read_all(self.tree.open(path)?, self.limits.largest)?;
        Ok((bytes, real.starts_with(&self.real)))
    }
}

/// Reads `mfactl.yaml`.
pub(super) fn read_project(
    config: &Path,
    limits: FileLimits,
) -> Result<(Vec<u8>, bool), PathRefusal> {
    limits.check(config)?;
    let tree = Tree::around(folder_of(config))?;
    Ok((files::read_all(tree.open(config)?, limits.largest)?, true))
}

/// The finding that the policies folder, or a folder below it, is not read.
pub(super) fn no_folder(path: &Path, why: &PathRefusal, origin: Origin) -> Finding {
    let finding = match why {
        PathRefusal::Io(problem) => {
            let help = match problem.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    "name a folder that exists, relative to this file"
                }
                _ => "put a readable folder there, or name another",
            };
            Finding::new(Code::FileUnreadable, unreadable(path, problem, LARGEST_FILE)).help(help)
        }
        PathRefusal::Outside => Finding::new(
            Code::FileOutside,
            format!("{} is outside the repository", quoted(&shown(path))),
        )
        .help("move it into the repository, or set `policiesOutside: true` if this is intended"),
        PathRefusal::Private => private(path),
        PathRefusal::Link => linked(path),
    };
    finding.at(origin, "the policies folder")
}

/// The finding that a file is not read. `None` means that it does not exist.
pub(super) fn no_file(path: &Path, why: &PathRefusal, largest: u64) -> Option<Finding> {
    Some(match why {
        PathRefusal::Io(problem) if problem.kind() == io::ErrorKind::NotFound => return None,
        PathRefusal::Io(problem) => {
            let help = match problem.kind() {
                io::ErrorKind::FileTooLarge => "split it into several files",
                io::ErrorKind::PermissionDenied => "allow the user who runs mfactl to read it",
                _ => "put a readable file there, or remove it",
            };
            Finding::new(Code::FileUnreadable, unreadable(path, problem, largest)).help(help)
        }
        PathRefusal::Outside => Finding::new(
            Code::FileOutside,
            format!("{} is a link that leads out of the repository", quoted(&shown(path))),
        )
        .help("put a copy of the file there; links are followed only inside the repository"),
        PathRefusal::Private => private(path),
        PathRefusal::Link => linked(path),
    })
}

pub(super) fn linked(path: &Path) -> Finding {
    let path = quoted(&shown(path));
    Finding::new(Code::FileOutside, format!("{path} is a link, and `--guards-from` follows none"))
        .help("put the file or the folder itself there")
}

fn private(path: &Path) -> Finding {
    let message = format!("{} leads to something that is not a policy", quoted(&shown(path)));
    Finding::new(Code::FileOutside, message)
        .help("name a `.yaml` or `.yml` file that is not in `.git` or `.mfactl`")
}
