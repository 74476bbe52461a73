//! The files of one revision of a repository, read as data.
//!
//! Not here: which files are policies (`policy`).

use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Output, Stdio};
use std::thread;

use super::command;

/// One revision of the repository around a folder.
#[derive(Debug, Clone)]
pub struct Revision {
    folder: PathBuf,
    /// As the user wrote it.
    name: String,
    /// The id of the commit, in hexadecimal digits.
    commit: String,
    /// The folder inside the repository, with a `/` at its end, or nothing.
    prefix: String,
}

/// A file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseFile {
    /// The path from the folder, with forward slashes.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Why a revision or its files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionFault {
    #[error("git could not be run: {0}")]
    NoGit(io::Error),
    #[error("the folder of `mfactl.yaml` is in no git repository")]
    NoRepository,
    #[error("git does not take the folder of `mfactl.yaml` for a part of the repository around it")]
    Unusable,
    #[error("there is no such revision")]
    NoRevision,
    #[error("the revision has no `{0}`")]
    NoFile(String),
    #[error("`{0}` is outside the repository")]
    Outside(String),
    #[error("`{0}` is a link or a submodule in that revision, and links are not followed there")]
    Link(String),
    #[error("`{0}` is larger than {1} MiB")]
    TooLarge(String, u64),
    #[error("git did not return `{0}`")]
    NoAnswer(String),
}

impl RevisionFault {
    /// Returns what the user can do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NoGit(_) => "install git, or give a folder to `--against`",
            Self::NoRepository => "give a folder with another `mfactl.yaml` to `--against`",
            Self::Unusable => {
                "remove files next to `mfactl.yaml` that look like a repository: `HEAD`, `objects`, `refs`; or run `git status` to see why"
            }
            Self::NoRevision => {
                "name a branch, tag or commit, such as `origin/main`, and in a pipeline fetch it first (a shallow clone lacks it); a folder begins with `./`"
            }
            Self::NoFile(_) => "the files may be new; compare with a later revision",
            Self::Outside(_) | Self::Link(_) => "keep the policies as files in the repository",
            Self::TooLarge(..) => "real policy files are far smaller; remove the file",
            Self::NoAnswer(_) => "in a partial clone, fetch the revision first",
        }
    }
}

/// One line of `git ls-tree`.
struct Entry {
    is_file: bool,
    object: String,
    size: u64,
    path: String,
}

impl Revision {
    /// Finds the revision in the repository around a folder.
    ///
    /// # Errors
    /// There is no git, no repository or no such revision.
    pub fn find(folder: &Path, name: &str) -> Result<Self, RevisionFault> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let prefix = answer(folder, &["rev-parse", "--show-prefix"])?;
        let prefix = prefix.ok_or_else(|| match is_in_repository(folder) {
            true => RevisionFault::Unusable,
            false => RevisionFault::NoRepository,
        })?;
        let commit = format!("{name}^{{commit}}");
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
        let commit = answer(folder, &asked)?.ok_or(RevisionFault::NoRevision)?;
        let is_id = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Err(RevisionFault::NoRevision);
        }
        Ok(Self { folder: folder.to_owned(), name: name.to_owned(), commit, prefix })
    }

    /// Returns the name of the revision, as the user wrote it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id of the commit.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Returns the path of the folder in the repository, with a `/` at its end, or nothing.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Reads one file, by its path from the folder.
    ///
    /// # Errors
    /// The revision has no such file, or it is no regular file of at most `most` bytes.
    pub fn file(&self, path: &str, most: u64) -> Result<BaseFile, RevisionFault> {
        let inside = self.inside(path)?;
        let entries = self.entries(&inside)?;
        let found = entries.into_iter().find(|entry| entry.path == inside);
        let entry = found.ok_or_else(|| RevisionFault::NoFile(path.to_owned()))?;
        let files = self.contents(vec![entry], &inside, most)?;
        let file = files.into_iter().next().ok_or_else(|| no_answer(path))?;
        Ok(BaseFile { path: path.to_owned(), ..file })
    }

    /// Reads the files of a folder and the folders in it whose paths are wanted, sorted by path. The paths
    /// begin with the path of the folder. `is_wanted` gets the part after it.
    ///
    /// # Errors
    /// A file is no regular file of at most `most` bytes.
    pub fn files(
        &self,
        below: &str,
        most: u64,
        is_wanted: impl Fn(&Path) -> bool,
    ) -> Result<Vec<BaseFile>, RevisionFault> {
        let inside = self.inside(below)?;
        let folder = if inside.is_empty() { String::new() } else { format!("{inside}/") };
        let wanted = self.entries(&folder)?.into_iter().filter(|entry| {
            entry.path.strip_prefix(&folder).is_some_and(|rest| is_wanted(Path::new(rest)))
        });
        let mut files = self.contents(wanted.collect(), &folder, most)?;
        let below = below.trim_end_matches('/');
        for file in &mut files {
            file.path = format!("{below}/{}", file.path.strip_prefix(&folder).unwrap_or_default());
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Returns the path inside the repository, without `.` and `..`.
    fn inside(&self, path: &str) -> Result<String, RevisionFault> {
        let mut parts: Vec<&str> = self.prefix.split('/').filter(|one| !one.is_empty()).collect();
        for component in Path::new(path).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir if parts.pop().is_some() => {}
                Component::Normal(part) => match part.to_str() {
                    Some(part) => parts.push(part),
                    None => return Err(RevisionFault::Outside(path.to_owned())),
                },
                _ => return Err(RevisionFault::Outside(path.to_owned())),
            }
        }
        Ok(parts.join("/"))
    }

    fn entries(&self, path: &str) -> Result<Vec<Entry>, RevisionFault> {
        let mut git = command(&self.folder);
        git.env("GIT_LITERAL_PATHSPECS", "1");
        git.args(["ls-tree", "-r", "-l", "-z", "--full-tree", &self.commit]);
        if !path.is_empty() {
            git.args(["--", path]);
        }
        let Output { status, stdout, .. } = git.output().map_err(RevisionFault::NoGit)?;
        if !status.success() {
            return Err(no_answer(path));
        }
        let lines = stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        lines.map(|line| entry(line).ok_or_else(|| no_answer(path))).collect()
    }

    /// Returns the contents of the entries, in their order.
    fn contents(
        &self,
        entries: Vec<Entry>,
        asked: &str,
        most: u64,
    ) -> Result<Vec<BaseFile>, RevisionFault> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        for entry in &entries {
            if !entry.is_file {
                return Err(RevisionFault::Link(entry.path.clone()));
            }
            if entry.size > most {
                return Err(RevisionFault::TooLarge(entry.path.clone(), most / 1024 / 1024));
            }
        }
        let mut git = command(&self.folder);
        git.args(["cat-file", "--batch=%(objectsize)"]);
        let mut child = git
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(RevisionFault::NoGit)?;
        let ids: String = entries.iter().map(|entry| format!("{}\n", entry.object)).collect();
        let input = child.stdin.take();
        // Git answers while it reads, so a thread asks.
        let asking = thread::spawn(move || input.map(|mut input| input.write_all(ids.as_bytes())));
        let mut answer = Vec::new();
        let total: u64 = entries.iter().map(|entry| entry.size.saturating_add(64)).sum();
        let read = child.stdout.take().map(|out| out.take(total).read_to_end(&mut answer));
        _ = asking.join();
        _ = child.wait();
        if !matches!(read, Some(Ok(_))) {
            return Err(no_answer(asked));
        }
        let mut left = answer.as_slice();
        let mut files = Vec::with_capacity(entries.len());
        for Entry { path, .. } in entries {
            let (bytes, rest) = next_object(left).ok_or_else(|| no_answer(&path))?;
            files.push(BaseFile { path, bytes: bytes.to_vec() });
            left = rest;
        }
        Ok(files)
    }
}

/// Whether a folder around this one has a repository, whatever git says.
fn is_in_repository(folder: &Path) -> bool {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    real.ancestors().any(|one| one.join(".git").symlink_metadata().is_ok())
}

/// Returns the first object in an answer of `git cat-file`, and what follows it. Its size is on a line before
/// it, and a line feed follows it.
fn next_object(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let (size, rest) = answer.split_at_checked(end)?;
    let size: usize = str::from_utf8(size).ok()?.parse().ok()?;
    let (bytes, rest) = rest.get(1..)?.split_at_checked(size)?;
    Some((bytes, rest.strip_prefix(b"\n")?))
}

/// Parses a line of `git ls-tree -l`: mode, kind, object and size, then a tab and the path.
fn entry(line: &[u8]) -> Option<Entry> {
    let (about, path) = str::from_utf8(line).ok()?.split_once('\t')?;
    let mut fields = about.split_whitespace();
    let (mode, kind, object, size) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some(Entry {
        is_file: kind == "blob" && mode.starts_with("100"),
        object: object.to_owned(),
        size: size.parse().unwrap_or(0),
        path: path.to_owned(),
    })
}

fn no_answer(path: &str) -> RevisionFault {
    RevisionFault::NoAnswer(path.to_owned())
}

/// Returns what a git command prints, without the line feed at its end; nothing if it fails.
fn answer(folder: &Path, arguments: &[&str]) -> Result<Option<String>, RevisionFault> {
    let output = command(folder).args(arguments).output().map_err(RevisionFault::NoGit)?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success());
    Ok(text.map(|text| text.trim_end_matches('\n').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_separated_by_their_sizes() {
        let answer = b"3\na\nb\n0\n\n2\nxy\n";
        let (first, rest) = next_object(answer).unwrap();
        let (second, rest) = next_object(rest).unwrap();
        let (third, rest) = next_object(rest).unwrap();
        assert_eq!((first, second, third, rest), (&b"a\nb"[..], &b""[..], &b"xy"[..], &b""[..]));
        for wrong in [&b"9\nab\n"[..], b"x\nab\n", b"2\nab", b"missing"] {
            assert_eq!(next_object(wrong), None);
        }
    }

    #[test]
    fn path_outside_the_repository_is_refused() {
        let revision = Revision {
            folder: PathBuf::new(),
            name: String::new(),
            commit: String::new(),
            prefix: "tenants/one/".to_owned(),
        };
        for (path, inside) in [
            ("policies", "tenants/one/policies"),
            ("./policies/", "tenants/one/policies"),
            ("../all", "tenants/all"),
            ("../../every", "every"),
            ("../..", ""),
        ] {
            assert_eq!(revision.inside(path).unwrap(), inside);
        }
        for path in ["../../../x", "/etc", "a/../../../../x"] {
            assert!(matches!(revision.inside(path), Err(RevisionFault::Outside(_))), "{path}");
        }
    }
}
