//! Writes a plan row by row.
//!
//! Not here: the file that the rows go to (`files`).

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::object::ObjectRow;
use super::{FORMAT, Header, PartRow, Row, SavedExtras, UserRow};
use crate::plan::{Plan, UserPlan};
use crate::tenant::directory::UserIndex;

/// Writes the rows of the plan.
///
/// # Errors
/// If the writer fails.
pub fn write(plan: &Plan, about: SavedExtras<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut out = Digested { out, digest: Sha256::new() };
    out.row(&Row::Plan(Box::new(header(plan, about))))?;
    let parts: BTreeMap<UserIndex, &UserPlan> =
        plan.users.iter().map(|user| (user.user, user)).collect();
    for (index, user) in plan.directory.users() {
        let part = parts.get(&index).map(|part| PartRow::of(plan, part));
        let (id, name, account) = (user.id, user.name.clone(), user.account);
        out.row(&Row::User(Box::new(UserRow { id, name, account, part })))?;
    }
    for change in &plan.objects {
        out.row(&Row::Object(Box::new(ObjectRow::of(plan, change))))?;
    }
    for finding in &plan.findings {
        out.row(&Row::Finding(Box::new(finding.clone())))?;
    }
    let digest = out.digest.clone().finalize();
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    out.row(&Row::Digest(digest))
}

fn header(plan: &Plan, about: SavedExtras<'_>) -> Header {
    Header {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        tenant: plan.identity.clone(),
        cloud: about.cloud.to_owned(),
        sandbox: about.sandbox,
        made: about.made,
        purpose: plan.purpose.clone(),
        _sources: IgnoredAny,
        meaning: plan.meaning.clone(),
        policies: plan.policies.clone(),
        basis: plan.basis.clone(),
        in_scope: plan.in_scope,
        postures: plan.postures.clone(),
        brakes: plan.brakes.clone(),
        fingerprint: plan.fingerprint.to_string(),
        shown: Some(about.shown(plan).to_string()),
    }
}

/// A writer of rows that computes a digest over everything it writes.
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
