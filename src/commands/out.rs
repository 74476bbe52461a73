//! Where `--out` writes a plan: a new file, a file that is a saved plan already, standard output, or a
//! pipe that the shell opened. Anything else could destroy what is there, or send numbers somewhere.
//!
//! Not here: what is written (`plan::file`).

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write, stdout};
use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::files::{How, Place, is_pipe, open_own, write_whole};
use crate::plan::file::begins_as_plan;

/// A place that was looked at.
#[derive(Debug)]
pub(super) enum Out {
    Stdout,
    Pipe(File),
    File(PathBuf, Place),
}

/// Why a place is not written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    Terminal,
    Folder,
    Link,
    /// A device, a socket, or a pipe with a name.
    Special,
    /// A file that holds something else.
    Other,
    /// Both the plan and what is shown would go to standard output.
    Twice,
}

impl NoPlace {
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Terminal => "it would show phone numbers in full on a terminal",
            Self::Folder => "it is a folder",
            Self::Link => "it is a link, which is not followed",
            Self::Special => "it is not a regular file",
            Self::Other => "it is a file that holds something else than a saved plan",
            Self::Twice => "the plan as JSON goes to standard output as well",
        }
    }

    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Terminal => "name a new file, or pipe it on, such as into `age -r KEY`",
            Self::Link => "name the file that it leads to, or a new one",
            Self::Twice => "leave `--format` out, or name a file",
            Self::Folder | Self::Special | Self::Other => {
                "name a new file, or one that holds a saved plan; `-` writes to standard output"
            }
        }
    }
}

impl Out {
    /// Looks at what is there. Nothing is written.
    pub(super) fn look(path: &Path) -> Result<Self, Fault> {
        match given_by_shell(path) {
            Some(1) if stdout().is_terminal() => Err(refused(path, NoPlace::Terminal)),
            Some(1) => Ok(Self::Stdout),
            Some(_) => pipe(path)?.map(Self::Pipe).ok_or_else(|| refused(path, NoPlace::Special)),
            None => file(path).map(|place| Self::File(path.to_owned(), place)),
        }
    }

    /// Writes there.
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

/// Whether what is shown has to make room, as the plan goes to standard output.
pub(super) fn is_stdout(path: Option<&PathBuf>) -> bool {
    path.is_some_and(|path| given_by_shell(path) == Some(1))
}

/// What a file of that name would be written over.
fn file(path: &Path) -> Result<Place, Fault> {
    let unknown = |error| machine(path, error);
    let is = match path.symlink_metadata() {
        Ok(is) => is,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => return Err(unknown(error)),
    };
    let no = match is.file_type() {
        is if is.is_symlink() => Some(NoPlace::Link),
        is if is.is_dir() => Some(NoPlace::Folder),
        is if !is.is_file() => Some(NoPlace::Special),
        _ => None,
    };
    if let Some(no) = no {
        return Err(refused(path, no));
    }
    let mut begin = Vec::new();
    let file = open_own(path, 1, How::Read).map_err(unknown)?;
    file.take(BEGIN).read_to_end(&mut begin).map_err(unknown)?;
    // An empty file was made to be written, as `mktemp` does.
    match begin.is_empty() || begins_as_plan(&begin) {
        true => Ok(Place::Taken),
        false => Err(refused(path, NoPlace::Other)),
    }
}

/// As much of a file as shows what it is.
const BEGIN: u64 = 64;

/// The number of an open file that the shell gave a name to: `-` and `/dev/stdout` are the first.
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

/// A pipe, opened for writing; nothing comes back where it is something else.
fn pipe(path: &Path) -> Result<Option<File>, Fault> {
    let file = OpenOptions::new().write(true).open(path).map_err(|error| machine(path, error))?;
    let is = file.metadata().map_err(|error| machine(path, error))?;
    Ok(is_pipe(&is).then_some(file))
}

fn refused(path: &Path, why: NoPlace) -> Fault {
    Fault::Out { path: path.to_owned(), why }
}

fn machine(path: &Path, error: io::Error) -> Fault {
    Fault::Machine { what: format!("the plan could not be saved in `{}`", path.display()), error }
}
