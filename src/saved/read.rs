//! Reads a saved plan, or reports what is wrong with the file. A report contains nothing of the file but
//! the number of its format.
//!
//! Not here: the rows of a saved plan (the module above).

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::object::ObjectRow;
use super::{FORMAT, Header, OLDEST, PartRow, Row, Saved, UserRow};
use crate::files;
use crate::finding::Finding;
use crate::plan::summary::Summary;
use crate::plan::{Plan, UserPlan, Withheld};
use crate::settings::change::Change;
use crate::tenant::directory::{Country, Directory, User, UserIndex};

/// Why a file is not accepted as a saved plan.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a saved plan")]
    NoPlan,
    #[error("it is a plan of format {0}, but this program reads formats {OLDEST} to {FORMAT}")]
    OtherFormat(u64),
    #[error("it is incomplete: its end is missing")]
    CutOff,
    #[error("it was damaged or edited: it does not match its own digest")]
    Damaged,
    #[error("line {0} is not a valid line of a plan")]
    Row(usize),
}

/// The part of the first line that every format has.
#[derive(Deserialize)]
struct Probe {
    plan: Format,
}

#[derive(Deserialize)]
struct Format {
    format: u64,
}

/// Whether a file that begins with these bytes contains a plan of any format.
#[must_use]
pub fn begins_as_plan(bytes: &[u8]) -> bool {
    bytes.starts_with(br#"{"plan":{"format":"#)
}

/// Reads the plan in a file.
///
/// # Errors
/// If the file cannot be read, is not a plan, has another format, or was changed after it was written.
pub fn read(path: &Path) -> Result<Saved, FileFault> {
    read_from(BufReader::new(files::open_given(path)?))
}

/// Reads the plan in an open file.
///
/// # Errors
/// As [`read`].
pub fn read_from(mut file: impl BufRead) -> Result<Saved, FileFault> {
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    let probe: Probe = serde_json::from_slice(&line).map_err(|_| FileFault::NoPlan)?;
    if !(u64::from(OLDEST)..=u64::from(FORMAT)).contains(&probe.plan.format) {
        return Err(FileFault::OtherFormat(probe.plan.format));
    }
    let mut digest = Sha256::new();
    let (mut header, mut content) = (None, Content::default());
    let mut broken = None;
    for number in 1.. {
        let row = serde_json::from_slice(&line);
        match row {
            Ok(Row::Digest(written)) => {
                let is: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
                let more = file.read_until(b'\n', &mut line)? > 0;
                return match (written == is && !more, broken) {
                    (false, _) => Err(FileFault::Damaged),
                    (true, Some(number)) => Err(FileFault::Row(number)),
                    (true, None) => {
                        header.and_then(|header| content.saved(header)).ok_or(FileFault::NoPlan)
                    }
                };
            }
            Ok(Row::Plan(row)) if number == 1 => header = Some(*row),
            Ok(Row::User(row)) => content.user(*row),
            Ok(Row::Object(row)) => content.objects.push(*row),
            Ok(Row::Finding(row)) => content.findings.push(*row),
            // A wrong digest is reported first, because the damage explains a broken row.
            Ok(Row::Plan(_)) | Err(_) => _ = broken.get_or_insert(number),
        }
        digest.update(&line);
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            break;
        }
    }
    Err(FileFault::CutOff)
}

/// The content of the rows so far.
#[derive(Default)]
struct Content {
    people: Vec<User>,
    users: Vec<UserPlan>,
    changes: Vec<Change>,
    withheld: Vec<Withheld>,
    reported: Vec<Change>,
    reported_withheld: Vec<Withheld>,
    objects: Vec<ObjectRow>,
    findings: Vec<Finding>,
}

impl Content {
    fn user(&mut self, row: UserRow) {
        let UserRow { id, name, account, part } = row;
        let user = UserIndex::new(self.people.len());
        self.people.push(User {
            id,
            name,
            account,
            usage_location: None,
            country: Country::None,
            department: None,
            attributes: Box::default(),
        });
        let Some(part) = part else { return };
        let PartRow { facts, before, after, policies, .. } = part;
        let first = self.changes.len();
        self.changes.extend(part.changes.into_iter().map(|row| row.change(user)));
        self.withheld.extend(part.withheld.into_iter().map(|row| row.withheld(user)));
        self.reported.extend(part.reported.into_iter().map(|row| row.change(user)));
        self.reported_withheld
            .extend(part.reported_withheld.into_iter().map(|row| row.withheld(user)));
        let changes = first..self.changes.len();
        self.users.push(UserPlan { user, facts: facts.into(), before, after, changes, policies });
    }

    fn saved(self, header: Header) -> Option<Saved> {
        let summary = Summary::of(&self.users, &self.changes, &self.withheld);
        let directory = Directory::in_order(self.people);
        let objects = self.objects.into_iter().map(|row| row.change(&directory));
        let plan = Plan {
            identity: header.tenant,
            objects: objects.collect::<Option<_>>()?,
            directory: Arc::new(directory),
            purpose: header.purpose,
            meaning: header.meaning,
            policies: header.policies,
            basis: header.basis,
            users: self.users,
            changes: self.changes,
            withheld: self.withheld,
            reported: self.reported,
            reported_withheld: self.reported_withheld,
            findings: self.findings,
            in_scope: header.in_scope,
            postures: header.postures,
            summary,
            brakes: header.brakes,
            recorded: None,
            fingerprint: header.fingerprint.parse().ok()?,
        };
        let Header { format, cloud, sandbox, made, program, shown, .. } = header;
        let shown = match (format, shown) {
            (FORMAT, Some(shown)) => Some(shown.parse().ok()?),
            (FORMAT, None) => return None,
            _ => None,
        };
        Some(Saved { plan, format, shown, cloud, sandbox, made, program })
    }
}
