//! Reports the faults of the people of a file: names, ids, groups, roles and registered numbers.
//!
//! Not here: faults of expectations (`read`), or the user that a person becomes (`people`).

use std::collections::BTreeMap;

use super::catalogue::{ADMINISTRATOR, Catalogue, is_administrator};
use super::file::{ChecksFile, PersonBlock};
use super::people::{id_of, name_of, number, words, written_phone};
use crate::finding::{Code, Finding, quoted};
use crate::policy::{PolicySet, UserRef, suggestion, written_names};
use crate::source::{FileId, Located};
use crate::tenant::facts::MethodKind;

/// The people by key.
pub(super) type People = Located<BTreeMap<Located<String>, Located<PersonBlock>>>;

/// The groups and roles that the policies name, and the groups that entries of `always` name.
#[derive(Debug)]
pub(super) struct KnownNames<'a> {
    policies: Catalogue,
    in_always: Vec<&'a str>,
}

impl<'a> KnownNames<'a> {
    pub(super) fn of(set: &PolicySet, content: &'a ChecksFile) -> Self {
        let entries = content.always.as_ref().into_iter().flat_map(|list| &list.0);
        let in_always = entries.flat_map(|entry| entry.value.conditions()).filter_map(|with| {
            let group = with.value.group.as_ref()?;
            Some(group.value.as_str())
        });
        Self { policies: Catalogue::of(set), in_always: in_always.collect() }
    }

    /// Reports a group that nothing depends on: the name is probably wrong.
    fn group(&self, word: &Located<String>, file: FileId) -> Option<Finding> {
        let (groups, _) = self.policies.names();
        let lower = word.value.to_lowercase();
        let is_named = !self.policies.find_groups(&word.value).is_empty()
            || self.in_always.iter().any(|name| name.to_lowercase() == lower);
        let near = suggestion(&word.value, &groups.into_iter().collect::<Vec<_>>());
        (!is_named).then(|| {
            let message =
                format!("no policy and no `always` names the group {}", quoted(&word.value));
            Finding::new(Code::GroupNotNamed, message)
                .at(word.origin(file), near.unwrap_or_else(|| "nothing depends on it".to_owned()))
                .help("correct the name, or remove the group from the person")
        })
    }

    /// Reports a role whose name is similar to that of another one. Any other role is fine, because every
    /// role requires MFA at the admin portals.
    fn role(&self, word: &Located<String>, file: FileId) -> Option<Finding> {
        if self.policies.find_role(&word.value).is_some() || is_administrator(&word.value) {
            return None;
        }
        let (_, roles) = self.policies.names();
        let known: Vec<&str> = roles.into_iter().chain([ADMINISTRATOR]).collect();
        let near = suggestion(&word.value, &known)?;
        let message = format!("no policy names the role {}", quoted(&word.value));
        Some(
            Finding::new(Code::RoleNotNamed, message)
                .at(word.origin(file), near)
                .help("correct the name if another role is meant"),
        )
    }
}

/// Checks all people, and adds their groups and roles to the catalogue.
pub(super) fn check(
    file: FileId,
    people: &People,
    (known, catalogue): (&KnownNames<'_>, &mut Catalogue),
    findings: &mut Vec<Finding>,
) {
    if people.value.is_empty() {
        findings.push(
            Finding::new(Code::EmptyKey, "`people` has no entries")
                .at(people.origin(file), "nobody")
                .help("invent a person, such as `anna: { groups: [All Staff] }`"),
        );
    }
    let mut seen: BTreeMap<String, &Located<String>> = BTreeMap::new();
    for (key, person) in &people.value {
        identity(file, key, &person.value, findings);
        memberships(file, &person.value, (known, catalogue), findings);
        phones(file, &person.value, findings);
        let id = id_of(&key.value, &person.value).map(|id| id.to_string());
        for word in [Some(name_of(&key.value, &person.value).to_lowercase()), id] {
            let Some(word) = word else { continue };
            if let Some(first) = seen.get(&word) {
                findings.push(
                    Finding::new(Code::DuplicateKey, format!("two people are {}", quoted(&word)))
                        .at(key.origin(file), "the second")
                        .at(first.origin(file), "the first")
                        .help("give each person a name and an id of their own"),
                );
            }
            seen.insert(word, key);
        }
    }
}

fn identity(
    file: FileId,
    key: &Located<String>,
    person: &PersonBlock,
    findings: &mut Vec<Finding>,
) {
    if key.value.trim().is_empty() {
        findings.push(written_names::blank("a person has no name", key.origin(file)));
    }
    if let Some(name) = person.name.as_ref() {
        let origin = name.origin(file);
        match written_names::user(&name.value, origin) {
            Ok(UserRef::PrincipalName(_)) => {}
            Ok(UserRef::Id(_)) => findings.push(
                Finding::new(
                    Code::InvalidId,
                    format!("{} is no principal name", quoted(&name.value)),
                )
                .at(origin, "an object id")
                .help("write it under `id`"),
            ),
            Err(fault) => findings.push(fault),
        }
    }
    if let Some(id) = person.id.as_ref()
        && let Err(fault) = written_names::object_id(id, file)
    {
        findings.push(fault);
    }
}

fn memberships(
    file: FileId,
    person: &PersonBlock,
    (known, catalogue): (&KnownNames<'_>, &mut Catalogue),
    findings: &mut Vec<Finding>,
) {
    for word in words(&person.groups) {
        if word.value.trim().is_empty() {
            findings.push(written_names::blank("a group has no name", word.origin(file)));
        } else {
            findings.extend(known.group(word, file));
            catalogue.group(&word.value);
        }
    }
    for word in words(&person.roles).chain(words(&person.eligible_roles)) {
        match written_names::role(&word.value, word.origin(file)) {
            Ok(_) => {
                findings.extend(known.role(word, file));
                catalogue.role(&word.value);
            }
            Err(fault) => findings.push(fault),
        }
    }
}

fn phones(file: FileId, person: &PersonBlock, findings: &mut Vec<Finding>) {
    for kind in [MethodKind::MobilePhone, MethodKind::AlternateMobilePhone, MethodKind::OfficePhone]
    {
        if let Some(word) = written_phone(person, kind)
            && let Err(fault) = number(0, 0, &word.value)
        {
            let message = format!("the registered {} {fault}", kind.name());
            findings.push(
                Finding::new(Code::UnknownValue, message)
                    .at(word.origin(file), "not a number")
                    .help("write `valid`, `other`, or a number with its country code"),
            );
        }
    }
}
