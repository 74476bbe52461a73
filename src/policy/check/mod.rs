//! Turns the shapes of the files into checked policies, and reports every fault that the files alone show.
//!
//! Not here: the shapes (`file`), the lookup of names in a tenant (`scope`), or `mfactl.yaml` (`project`).

mod conflict;
mod filter;
pub mod names;
mod objects;
mod project;
mod runs;

use std::collections::BTreeMap;

use super::file::{
    AppliesTo, DEFAULT_PRIORITY, DesiredBlock, PolicyBlock, PolicyFile, ProjectFile, VERSION,
};
use super::objects::ObjectRules;
use super::{AppliesToSet, Policy, PolicyRules, Project};
use crate::finding::{Code, Finding, quoted};
use crate::source::{FileId, Located, Origin};
use crate::untrusted::hides;

/// The contents of one file.
pub(super) struct Parsed<T> {
    pub(super) file: FileId,
    pub(super) content: T,
}

/// The checked contents of all files.
pub(super) struct Checked {
    pub(super) project: Project,
    pub(super) policies: Vec<Policy>,
    pub(super) objects: ObjectRules,
}

/// Checks all files together and adds the faults to `findings`. Returns `None` if `mfactl.yaml` is invalid.
pub(super) fn check(
    project: Option<Parsed<ProjectFile>>,
    files: Vec<Parsed<PolicyFile>>,
    findings: &mut Vec<Finding>,
) -> Option<Checked> {
    let project = project.and_then(|project| project::check(project, findings));
    let (mut policies, mut objects) = (BTreeMap::new(), ObjectRules::default());
    for Parsed { file, content } in files {
        check_version(&content.version, file, findings);
        match (content.policies.into_option(), content.tenant.as_ref()) {
            (None, None) => findings.push(no_content(content.version.origin(file))),
            (Some(block), _) => policies_of(file, block, &mut policies, findings),
            (None, Some(_)) => {}
        }
        if let Some(block) = content.tenant.as_ref() {
            objects::check(file, block, &mut objects, findings);
        }
    }
    let policies: Vec<Policy> = policies.into_values().collect();
    conflict::check(&policies, findings);
    Some(Checked { project: project?, policies, objects })
}

fn no_content(origin: Origin) -> Finding {
    Finding::new(Code::MissingKey, "the file has no `policies` and no `tenant`")
        .at(origin, "nothing else is in this file")
        .help("add `policies: …`, or delete the file")
}

fn policies_of(
    file: FileId,
    block: Located<BTreeMap<Located<String>, Located<PolicyBlock>>>,
    policies: &mut BTreeMap<String, Policy>,
    findings: &mut Vec<Finding>,
) {
    if block.value.is_empty() {
        findings.push(
            Finding::new(Code::EmptyKey, "`policies` has no entries")
                .at(block.origin(file), "no policy")
                .help("write a policy here, or delete the file"),
        );
    }
    for (name, block) in block.value {
        one(file, &name, block, policies, findings);
    }
}

/// Checks one policy and adds it, unless its name is invalid or already used.
fn one(
    file: FileId,
    name: &Located<String>,
    block: Located<PolicyBlock>,
    policies: &mut BTreeMap<String, Policy>,
    findings: &mut Vec<Finding>,
) {
    let origin = name.origin(file);
    if name.value.trim().is_empty() {
        findings.push(names::blank("a policy has no name", origin));
        return;
    }
    if !names::is_policy_name(&name.value) {
        // Hidden characters were already reported when the file was read.
        if !name.value.chars().any(hides) {
            findings.push(no_policy_name(&name.value, origin));
        }
        return;
    }
    if let Some(first) = policies.get(&name.value) {
        findings.push(duplicate(&name.value, origin, first.origin));
        return;
    }
    let block = block.value;
    let policy = Policy {
        name: name.value.clone(),
        description: block.description.into_option().map(|text| text.value),
        mode: block.mode.as_ref().map(|mode| mode.value).unwrap_or_default(),
        priority: block.priority.as_ref().map_or(DEFAULT_PRIORITY, |priority| priority.value),
        who: who(file, &name.value, block.applies_to, findings),
        except: filter::exceptions(file, &name.value, block.except, findings),
        only: filter::only(file, &name.value, block.only, findings),
        rules: rules(file, &name.value, &block.desired, findings),
        origin,
    };
    policies.insert(policy.name.clone(), policy);
}

fn who(
    file: FileId,
    policy: &str,
    block: Located<AppliesTo>,
    findings: &mut Vec<Finding>,
) -> AppliesToSet {
    let origin = block.origin(file);
    let block = block.value;
    let everyone = block.everyone.as_ref().is_some_and(|everyone| everyone.value);
    let groups = block.groups.into_option().map(|list| list.0).unwrap_or_default();
    let roles = block.roles.into_option().map(|list| list.0).unwrap_or_default();
    let users = block.users.into_option().map(|list| list.0).unwrap_or_default();
    if !everyone && groups.is_empty() && roles.is_empty() && users.is_empty() {
        findings.push(
            Finding::new(
                Code::NobodyNamed,
                format!("policy {} applies to no users", quoted(policy)),
            )
            .at(origin, "names no users")
            .help("name users with `groups`, `roles`, `users` or `everyone: true`")
            .policy(policy),
        );
    }
    let mut who = AppliesToSet { everyone, ..AppliesToSet::default() };
    for entry in groups {
        let origin = entry.origin(file);
        match names::group(entry, file) {
            Ok(group) => who.groups.push((group, origin)),
            Err(fault) => findings.push(fault),
        }
    }
    for entry in roles {
        let origin = entry.origin(file);
        match names::role(&entry.value, origin) {
            Ok(role) => who.roles.push((role, origin)),
            Err(fault) => findings.push(fault),
        }
    }
    for entry in users {
        let origin = entry.origin(file);
        match names::user(&entry.value, origin) {
            Ok(user) => who.users.push((user, origin)),
            Err(fault) => findings.push(fault),
        }
    }
    who
}

fn rules(
    file: FileId,
    policy: &str,
    block: &Located<DesiredBlock>,
    findings: &mut Vec<Finding>,
) -> PolicyRules {
    let desired = &block.value;
    if let Some(phones) = desired.phones.as_ref()
        && phones.value.rules(file).is_empty()
    {
        findings.push(
            Finding::new(Code::EmptyKey, "`phones` has no entries")
                .at(phones.origin(file), "no phone")
                .help("add `mobile: { from: mobilePhone }`, or remove the key")
                .policy(policy),
        );
        return PolicyRules::default();
    }
    let rules = desired.rules(file);
    if rules.is_empty() {
        findings.push(
            Finding::new(
                Code::NothingDesired,
                format!("policy {} has no settings", quoted(policy)),
            )
            .at(block.origin(file), "no setting")
            .help("add a setting, such as `perUserMfa: enabled`, or delete the policy")
            .policy(policy),
        );
    }
    rules
}

/// Reports a version of the file format that this program does not read.
pub fn check_version(version: &Located<u32>, file: FileId, findings: &mut Vec<Finding>) {
    if version.value != VERSION {
        findings.push(
            Finding::new(
                Code::UnsupportedVersion,
                format!("version {} of the file format is not supported", version.value),
            )
            .at(version.origin(file), format!("this mfactl reads version {VERSION}"))
            .help(format!("write `version: {VERSION}`, or use a newer mfactl")),
        );
    }
}

fn no_policy_name(name: &str, origin: Origin) -> Finding {
    let message = format!("{} is not a valid policy name", quoted(name));
    Finding::new(Code::PolicyName, message).at(origin, "not a valid name").help(format!(
        "use at most {} letters, digits, `-`, `_`, `.` and blanks, with no blank at either end",
        names::LONGEST_POLICY_NAME
    ))
}

fn duplicate(name: &str, second: Origin, first: Origin) -> Finding {
    Finding::new(Code::DuplicatePolicy, format!("two policies are named {}", quoted(name)))
        .at(second, "the second")
        .at(first, "the first")
        .help("rename one of them")
        .policy(name)
}
