//! Plans each file with its invented people, and compares the results.
//!
//! Not here: faults of the files (`read`), or a single comparison (`compare`).

use jiff::civil::Date;

use super::always::{AlwaysEntries, AlwaysPerson, AlwaysTenant, Population};
use super::becomes::ComparedAs;
use super::compare::{Compared, PersonResult};
use super::expected::AlwaysBlock;
use super::file::ChecksFile;
use super::invent::{InventedTenant, with_empty_guards};
use super::sign_in::{self, ExpectedSignIns};
use crate::explain::{Explanation, explain_planned};
use crate::finding::{Code, Finding};
use crate::observed::Observed;
use crate::plan::pipeline::plan;
use crate::plan::{Plan, is_gap};
use crate::policy::PolicySet;
use crate::source::{FileId, Located, Span};
use crate::tenant::facts::Read;
use crate::tenant::roles::Roles;

/// The result of one file.
#[derive(Debug)]
pub struct FileResult {
    pub file: FileId,
    pub people: usize,
    /// The number of comparisons.
    pub checks: usize,
    pub failures: Vec<Finding>,
    /// The people whose posture is expected, for the second judge.
    pub sign_ins: ExpectedSignIns,
}

/// One invented person with the result.
#[derive(Debug)]
pub struct PersonOutcome {
    pub key: String,
    pub explanation: Explanation,
}

/// Runs the checks of each file, in order. `today` is the day of a file that does not name one.
///
/// # Errors
/// The policies contradict each other, or names in them do not fit together.
pub fn run(
    set: &PolicySet,
    files: &[(FileId, ChecksFile)],
    today: Date,
) -> Result<Vec<FileResult>, Vec<Finding>> {
    let set = with_empty_guards(set);
    files.iter().map(|(file, content)| one(&set, *file, content, today)).collect()
}

/// Returns the result for each person of a file.
///
/// # Errors
/// As for [`run`].
pub fn outcomes(
    set: &PolicySet,
    content: &ChecksFile,
    today: Date,
) -> Result<Vec<PersonOutcome>, Vec<Finding>> {
    let set = with_empty_guards(set);
    let tenant = InventedTenant::of(content, &set);
    Ok(PlannedTenant::of(&set, &tenant, day(content, today))?.outcomes(&set, &tenant))
}

/// Compares the `always` entries of each file with all users of a tenant. `plan` was made of this observed
/// state with these policies. A result has no sign-ins, because the postures are of a real tenant.
#[must_use]
pub fn always_in_tenant(
    set: &PolicySet,
    observed: &Observed,
    roles: &Read<Roles>,
    plan: &Plan,
    files: &[(FileId, ChecksFile)],
) -> Vec<FileResult> {
    let tenant = AlwaysTenant { set, observed, roles, population: Population::Tenant };
    let mut of_files: Vec<AlwaysEntries<'_>> = files
        .iter()
        .map(|(file, content)| AlwaysEntries::of(always(content), *file, tenant))
        .collect();
    for (index, user) in observed.directory.users() {
        if let Some(explanation) = explain_planned(set, observed, roles, plan, index) {
            let person = AlwaysPerson { key: user.name.raw(), index, explanation: &explanation };
            of_files.iter_mut().for_each(|entries| entries.compare(person));
        }
    }
    let gap = plan.findings.iter().find(|finding| is_gap(finding.code));
    let result = |(entries, (file, _)): (AlwaysEntries<'_>, &(FileId, ChecksFile))| {
        let unknown = gap.zip(entries.begin()).map(|(gap, origin)| {
            let message = format!("not everything is known: {}", gap.message);
            Finding::new(Code::CheckFailed, message).at(origin, "this check").help(
                "take a snapshot with these files, and as an identity that may read everything",
            )
        });
        let Compared { checks, mut failures } = entries.end();
        failures.extend(unknown);
        let sign_ins = ExpectedSignIns::none(observed.basis.today);
        FileResult { file: *file, people: observed.directory.len(), checks, failures, sign_ins }
    };
    of_files.into_iter().zip(files).map(result).collect()
}

/// An invented tenant with its plan.
struct PlannedTenant {
    observed: Observed,
    plan: Plan,
}

impl PlannedTenant {
    fn of(set: &PolicySet, tenant: &InventedTenant, today: Date) -> Result<Self, Vec<Finding>> {
        let observed = tenant.observed(set, today)?;
        let plan = plan(set, observed.clone());
        if plan.is_faulty() {
            return Err(plan.findings.into_iter().filter(Finding::is_error).collect());
        }
        Ok(Self { observed, plan })
    }

    /// Explains each person, in the order of the file.
    fn outcomes(&self, set: &PolicySet, tenant: &InventedTenant) -> Vec<PersonOutcome> {
        let Self { observed, plan } = self;
        let explained = tenant.people.iter().filter_map(|person| {
            let index = observed.directory.find(person.id)?;
            let explanation = explain_planned(set, observed, &tenant.roles, plan, index)?;
            Some(PersonOutcome { key: person.key.clone(), explanation })
        });
        explained.collect()
    }
}

fn one(
    set: &PolicySet,
    file: FileId,
    content: &ChecksFile,
    today: Date,
) -> Result<FileResult, Vec<Finding>> {
    let tenant = InventedTenant::of(content, set);
    let planned = PlannedTenant::of(set, &tenant, day(content, today))?;
    let outcomes = planned.outcomes(set, &tenant);
    let mut compared = Compared::default();
    let expected = content.expect.as_ref().map(|expect| &expect.value);
    for PersonOutcome { key, explanation } in &outcomes {
        if let Some(block) = expected.and_then(|all| all.get(&located(key))) {
            let result = PersonResult { key, explanation, set, file };
            result.compare(&block.value, ComparedAs::Written, &mut compared);
        }
    }
    let in_tenant = AlwaysTenant {
        set,
        observed: &planned.observed,
        roles: &tenant.roles,
        population: Population::Invented,
    };
    let mut entries = AlwaysEntries::of(always(content), file, in_tenant);
    for PersonOutcome { key, explanation } in &outcomes {
        if let Some(index) = planned.observed.directory.find(explanation.user.id) {
            entries.compare(AlwaysPerson { key, index, explanation });
        }
    }
    compared.append(entries.end());
    let Compared { checks, failures } = compared;
    let sign_ins = sign_in::expected(set, file, content, (&tenant, &planned.observed), &outcomes);
    Ok(FileResult { file, people: tenant.people.len(), checks, failures, sign_ins })
}

fn always(content: &ChecksFile) -> &[Located<AlwaysBlock>] {
    content.always.as_ref().map_or(&[], |list| &list.0)
}

/// A key to look up, because the place of a key does not count.
pub(super) fn located(key: &str) -> Located<String> {
    Located { value: key.to_owned(), span: Span::default() }
}

fn day(content: &ChecksFile, today: Date) -> Date {
    content.today.as_ref().map_or(today, |day| day.value.0)
}
