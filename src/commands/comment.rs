//! `mfactl comment`: posts a rendered comment on the pull request of a CI job.
//!
//! Not here: the requests to the host (`review_host`), or the text of the comment (`render`).

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use jiff::Timestamp;

use super::fault::Fault;
use crate::exit::Exit;
use crate::files;
use crate::review_host::{
    self, CommentFile, Posted, Posting, ReviewHost, ReviewProvider, Runner, connect,
};
use crate::terminal::{print, say};

/// The largest file in bytes. No host takes a comment as large.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// The largest description of an event in bytes. GitHub cuts one at 25 MB (checked 2026-11).
const LARGEST_EVENT: u64 = 32 * 1024 * 1024;

/// Post a Markdown file as the one comment of mfactl on the pull request that this CI job belongs to. The
/// comment of an earlier push is edited.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mfactl comment plan.md\n  mfactl comment plan.md --dry-run\n\nThe host, the repository, the pull request and the token come from the variables of the CI job; `docs/reviews.md` lists\nthem. The file begins with the marker that `mfactl` wrote, and only a comment of the same author with the same tenant\nand project file is edited. If the change makes no difference, only an existing comment is edited.\n"
)]
pub struct Args {
    /// The Markdown file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The host of the repository; by default the one whose CI job this is
    #[arg(long, value_name = "HOST")]
    provider: Option<ReviewProvider>,

    /// Read the comments and print what would be done, without writing
    #[arg(long)]
    dry_run: bool,
}

impl ValueEnum for ReviewProvider {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

pub(super) async fn run(args: &Args) -> Result<Exit, Fault> {
    let text = read(&args.file).map_err(|error| Fault::Machine {
        what: format!("the file `{}` could not be read", args.file.display()),
        error,
    })?;
    let file = CommentFile::parse(&text)?;
    let variable = |name: &str| std::env::var(name).ok();
    let content = |path: &str| {
        let bytes = files::read(Path::new(path), LARGEST_EVENT).ok()?;
        String::from_utf8(bytes).ok()
    };
    let host = connect(&Runner::new(&variable, &content), args.provider)?;
    let posting = review_host::post(host.as_ref(), file, args.dry_run, Timestamp::now()).await?;
    for note in &posting.notes {
        say(&format!("note: {note}"));
    }
    print(&summary(host.as_ref(), &posting, args.dry_run)).map_err(Fault::Output)?;
    Ok(Exit::Done)
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    match path.as_os_str() == "-" {
        true => {
            let stdin = io::stdin().lock();
            stdin.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        }
        false => bytes = files::read_all(files::open_given(path)?, LARGEST_FILE)?,
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// Returns one line for each thing that was done, or would be done.
fn summary(host: &dyn ReviewHost, posting: &Posting, is_dry_run: bool) -> String {
    let place = host.place();
    let verb = |done: &str, would: &str| match is_dry_run {
        true => format!("would {would}"),
        false => done.to_owned(),
    };
    let mut text = match &posting.posted {
        Posted::Nothing => {
            format!(
                "{} on {place}: the change makes no difference\n",
                verb("posted nothing", "post nothing")
            )
        }
        Posted::Created(id) => {
            let id = id.as_ref().map(|id| format!("comment {id}"));
            let comment = id.unwrap_or_else(|| "a comment".to_owned());
            format!("{} {comment} on {place}\n", verb("created", "create"))
        }
        Posted::Edited(id) => format!("{} comment {id} on {place}\n", verb("edited", "edit")),
    };
    for id in &posting.deleted {
        text += &format!("{} the older comment {id}\n", verb("deleted", "delete"));
    }
    text
}
