//! Writes a plan into a file: row by row, for its owner alone, and never half.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{About, FORMAT, Header, PartRow, Row, UserRow};
use crate::plan::{Plan, UserPlan};
use crate::tenant::directory::UserIndex;

/// Writes the plan, or leaves what is there.
///
/// # Errors
/// What the system says: no such folder, no right to it, no room.
pub fn write(plan: &Plan, about: About<'_>, path: &Path) -> io::Result<()> {
    write_whole(path, |out| rows(plan, about, out))
}

/// Writes a file of mode 0600 beside the one that is meant, and renames it when it is there whole.
///
/// # Errors
/// What the system says.
pub fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // It is made with mode 0600, and removed again unless it gets its name.
    let draft = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(draft.as_file());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// A name is safe only when its folder is on the disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(|_| ())
}

fn rows(plan: &Plan, about: About<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut out = Digested { out, digest: Sha256::new() };
    out.row(&Row::Plan(Box::new(header(plan, about))))?;
    let parts: BTreeMap<UserIndex, &UserPlan> =
        plan.users.iter().map(|user| (user.user, user)).collect();
    for (index, user) in plan.directory.users() {
        let part = parts.get(&index).map(|part| PartRow::of(plan, part));
        let (id, name, account) = (user.id, user.name.to_string(), user.account);
        out.row(&Row::User(Box::new(UserRow { id, name, account, part })))?;
    }
    for finding in &plan.findings {
        out.row(&Row::Finding(Box::new(finding.clone())))?;
    }
    let digest = out.digest.clone().finalize();
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    out.row(&Row::Digest(digest))
}

fn header(plan: &Plan, about: About<'_>) -> Header {
    Header {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        tenant: plan.identity.clone(),
        cloud: about.cloud.to_owned(),
        sandbox: about.sandbox,
        made: about.made,
        purpose: plan.purpose.clone(),
        sources: plan.sources.clone(),
        policies: plan.policies.clone(),
        basis: plan.basis.clone(),
        in_scope: plan.in_scope,
        postures: plan.postures.clone(),
        brakes: plan.brakes.clone(),
        fingerprint: plan.fingerprint.to_string(),
    }
}

/// Counts into a digest what goes out.
struct Digested<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Digested<W> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        self.digest.update(&line);
        self.out.write_all(&line)
    }
}
