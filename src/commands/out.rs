//! The targets of `--out` and `--approval`: a new file, a file that contains the same kind of thing, standard
//! output (a saved plan alone), or a pipe that the shell opened. Any other target could lose data or expose phone numbers.
//!
//! Not here: what is written (`saved`).

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write, stdout};
use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::files::{Destination, How, is_pipe, open_own, write_whole};
use crate::saved::{approval, begins_as_plan};
use crate::snapshot;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Plan,
    Approval,
    Snapshot,
}

/// A target that was checked.
#[derive(Debug)]
pub(super) enum OutputTarget {
    Stdout,
    Pipe(File),
    File(PathBuf, Destination),
}

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    Terminal,
    Folder,
    Link,
    /// A device, a socket, or a named pipe.
    Special,
    /// A file with other content than a saved plan.
    Other,
    /// A file with other content than an approval.
    OtherThanApproval,
    /// A file with other content than a snapshot.
    OtherThanSnapshot,
    /// A snapshot is binary data.
    SnapshotPrinted,
    /// An approval on standard output, where the plan is printed.
    Printed,
    /// Both the saved plan and the printed plan would go to standard output.
    Twice,
}

impl NoPlace {
    pub(super) const fn of_what(self) -> &'static str {
        match self {
            Self::OtherThanApproval | Self::Printed => "approval",
            Self::OtherThanSnapshot | Self::SnapshotPrinted => "snapshot",
            _ => "plan",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Terminal => "the terminal would show phone numbers in full",
            Self::Folder => "it is a folder",
            Self::Link => "it is a link, which is not followed",
            Self::Special => "it is not a regular file",
            Self::Other => "the file contains something other than a saved plan",
            Self::OtherThanApproval => "the file contains something other than an approval",
            Self::OtherThanSnapshot => "the file contains something other than a snapshot",
            Self::SnapshotPrinted => "it is binary data, which a terminal cannot show",
            Self::Printed => "the plan is printed there",
            Self::Twice => "the plan as JSON goes to standard output too",
        }
    }

    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Terminal => {
                "name a new file, or pipe the plan into a program such as `age -r KEY`"
            }
            Self::Link => "name the target of the link, or a new file",
            Self::Twice => "remove `--format`, or name a file",
            Self::OtherThanApproval | Self::Printed => "name a new file, or an earlier approval",
            Self::OtherThanSnapshot | Self::SnapshotPrinted => {
                "name a new file, or an earlier snapshot"
            }
            Self::Folder | Self::Special | Self::Other => {
                "name a new file or a saved plan; `-` writes to standard output"
            }
        }
    }
}

impl OutputTarget {
    /// Checks the target. Nothing is written.
    pub(super) fn look(path: &Path, kind: FileKind) -> Result<Self, Fault> {
        match given_by_shell(path) {
            Some(1) if kind == FileKind::Approval => Err(refused(path, NoPlace::Printed)),
            Some(1) if stdout().is_terminal() => Err(refused(
                path,
                match kind {
                    FileKind::Snapshot => NoPlace::SnapshotPrinted,
                    FileKind::Plan | FileKind::Approval => NoPlace::Terminal,
                },
            )),
            Some(1) => Ok(Self::Stdout),
            Some(_) => pipe(path)?.map(Self::Pipe).ok_or_else(|| refused(path, NoPlace::Special)),
            None => file(path, kind).map(|place| Self::File(path.to_owned(), place)),
        }
    }

    /// Writes to the target.
    pub(super) fn write(
        self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::File(path, place) => write_whole(&path, place, |out| fill(out)),
            Self::Stdout => {
                let mut out = BufWriter::new(stdout().lock());
                fill(&mut out)?;
                out.flush()
            }
            Self::Pipe(pipe) => {
                let mut out = BufWriter::new(pipe);
                fill(&mut out)?;
                out.flush()
            }
        }
    }
}

/// Whether the saved plan goes to standard output, so that the printed plan cannot.
pub(super) fn is_stdout(path: Option<&PathBuf>) -> bool {
    path.is_some_and(|path| given_by_shell(path) == Some(1))
}

/// Checks what the path contains now.
fn file(path: &Path, kind: FileKind) -> Result<Destination, Fault> {
    let unknown = |error| machine(path, error);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Destination::Free),
        Err(error) => return Err(unknown(error)),
    };
    let refusal = match metadata.file_type() {
        kind if kind.is_symlink() => Some(NoPlace::Link),
        kind if kind.is_dir() => Some(NoPlace::Folder),
        kind if !kind.is_file() => Some(NoPlace::Special),
        _ => None,
    };
    if let Some(why) = refusal {
        return Err(refused(path, why));
    }
    let mut begin = Vec::new();
    let file = open_own(path, 1, How::Read).map_err(unknown)?;
    file.take(BEGIN).read_to_end(&mut begin).map_err(unknown)?;
    // An empty file is allowed, because tools such as `mktemp` create it to be written.
    let (is_same, other) = match kind {
        FileKind::Plan => (begins_as_plan(&begin), NoPlace::Other),
        FileKind::Approval => (approval::begins_as_one(&begin), NoPlace::OtherThanApproval),
        FileKind::Snapshot => (snapshot::begins_as_one(&begin), NoPlace::OtherThanSnapshot),
    };
    if begin.is_empty() || is_same { Ok(Destination::Taken) } else { Err(refused(path, other)) }
}

/// The number of bytes that show what a file contains.
const BEGIN: u64 = 64;

/// Returns the file descriptor that a path from the shell names: 1 for `-` and `/dev/stdout`.
fn given_by_shell(path: &Path) -> Option<u32> {
    let text = path.to_str()?;
    match text {
        "-" | "/dev/stdout" => Some(1),
        _ => ["/dev/fd/", "/proc/self/fd/"]
            .into_iter()
            .find_map(|folder| text.strip_prefix(folder))
            .and_then(|number| number.parse().ok()),
    }
}

/// Opens a pipe for writing; returns `None` if the path is no pipe.
fn pipe(path: &Path) -> Result<Option<File>, Fault> {
    let file = OpenOptions::new().write(true).open(path).map_err(|error| machine(path, error))?;
    let metadata = file.metadata().map_err(|error| machine(path, error))?;
    Ok(is_pipe(&metadata).then_some(file))
}

fn refused(path: &Path, why: NoPlace) -> Fault {
    Fault::Out { path: path.to_owned(), why }
}

fn machine(path: &Path, error: io::Error) -> Fault {
    Fault::Machine { what: format!("the plan could not be saved in `{}`", path.display()), error }
}
