//! An invention written down: its tenant as a seed, its policies as files.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use mfactl::sandbox::records::{Document, GroupRecord, Seed, UserRecord};
use mfactl::sandbox::seeds;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{EXTERNAL_METHOD, Invented, Person, Policy, SECOND_EXTERNAL};
use crate::world::PROJECT;

impl Person {
    fn is_left_out(&self) -> bool {
        self.kind != "member"
    }

    fn methods(&self) -> Vec<Document> {
        let mut all = vec![method("password", json!({ "id": id(900) }))];
        let phone = |kind: &str, number: &str, id: &str| {
            let rest = json!({ "id": id, "phoneType": kind, "phoneNumber": number,
                "smsSignInState": "notAllowedByPolicy" });
            method("phone", rest)
        };
        let mobile = self
            .mobile
            .map(|number| phone("mobile", number, "3179e48a-750b-4051-897c-87b9720928f7"));
        all.extend(mobile);
        if self.office {
            all.push(phone("office", "+31 201234571", "e37fc753-ff3b-4958-9484-eaa9425c82bc"));
        }
        all.extend(self.methods.iter().zip(901..).map(|(kind, place)| {
            let (kind, used) =
                kind.split_once('/').map_or((*kind, false), |(kind, _)| (kind, true));
            let mut rest = json!({ "id": id(place) });
            if kind == "temporaryAccessPass" {
                rest["isUsable"] = (!used).into();
            }
            if kind == "external" {
                rest["configurationId"] =
                    if used { SECOND_EXTERNAL } else { EXTERNAL_METHOD }.into();
            }
            method(kind, rest)
        }));
        all
    }

    fn record(&self, place: usize, like: &UserRecord) -> UserRecord {
        let mut user = like.user.clone();
        let mut set = |name: &str, value: Value| _ = user.insert(name.to_owned(), value);
        set("id", id(place).to_string().into());
        set("userPrincipalName", self.name(place).into());
        set("mobilePhone", self.directory.into());
        set("usageLocation", self.location.into());
        set("accountEnabled", (self.kind != "disabled").into());
        set("userType", if self.kind == "guest" { "Guest" } else { "Member" }.into());
        UserRecord {
            user,
            methods: self.methods(),
            requirements: document(json!({ "perUserMfaState": self.state })),
            sign_in_preferences: like.sign_in_preferences.clone(),
        }
    }

    fn name(&self, place: usize) -> String {
        match self.kind {
            "elsewhere" => format!("p{place}_contoso.com#EXT#@exchangelabs.onmicrosoft.com"),
            _ => format!("p{place}@exchangelabs.nl"),
        }
    }
}

impl Invented {
    pub(crate) fn seed(&self) -> Seed {
        let base = seeds::by_name(self.variant).expect("a seed");
        let named = |name: &str| {
            let mut users = base.users.iter();
            let found = users.find(|one| one.user["userPrincipalName"] == name);
            found.expect("somebody of the seed").clone()
        };
        let like = named("p.dewit@exchangelabs.nl");
        let mut users: Vec<UserRecord> =
            (0..).zip(&self.people).map(|(place, person)| person.record(place, &like)).collect();
        // The first two are the accounts that are never written, whatever is set up for them.
        for (user, guard) in users.iter_mut().zip([seeds::BREAK_GLASS_1, seeds::BREAK_GLASS_2]) {
            user.user.insert("id".to_owned(), guard.to_string().into());
            user.user.insert("accountEnabled".to_owned(), true.into());
        }
        let template = base.groups.first().expect("a group");
        let nested = id(800);
        let groups = [
            ("All Staff", seeds::ALL_STAFF, self.members(|one| one.in_staff, Some(nested))),
            ("Nested", nested, self.members(|one| one.in_nested, None)),
            ("MFA Pilot", seeds::MFA_PILOT, self.members(|one| one.in_pilot, None)),
        ]
        .map(|(name, id, members)| {
            let mut group = template.group.clone();
            group.insert("id".to_owned(), id.to_string().into());
            group.insert("displayName".to_owned(), name.into());
            GroupRecord { group, members, owners: Vec::new(), every_generated_user: false }
        });
        let mut seed = Seed { name: "invented".to_owned(), users, groups: groups.into(), ..base };
        let policy = &mut seed.tenant.authentication_methods_policy;
        let configurations = policy["authenticationMethodConfigurations"].as_array_mut();
        let configurations = configurations.expect("configurations");
        let external = configurations.iter().find(|one| one["id"] == EXTERNAL_METHOD).cloned();
        let mut second = external.expect("an external method");
        second["id"] = SECOND_EXTERNAL.into();
        configurations.push(second);
        for configuration in configurations {
            if self.switched_off.iter().any(|name| configuration["id"] == *name) {
                configuration["state"] = "disabled".into();
            }
        }
        seed
    }

    /// Whether the tenant demands MFA by Conditional Access or security defaults.
    pub(crate) fn asks_by_other_means(&self) -> bool {
        ["conditional-access", "security-defaults"].iter().any(|part| self.variant.contains(part))
    }

    fn members(&self, is_in: impl Fn(&Person) -> bool, group: Option<Uuid>) -> Vec<Uuid> {
        let people = (0..).zip(&self.people).filter(|(_, person)| is_in(person));
        people.map(|(place, _)| self.id(place)).chain(group).collect()
    }

    pub(crate) fn id(&self, place: usize) -> Uuid {
        match place {
            0 => seeds::BREAK_GLASS_1,
            1 => seeds::BREAK_GLASS_2,
            other => id(other),
        }
    }

    /// Of everybody: may a phone be written, may the state. Said from who is named where, and from
    /// nothing that the program says.
    pub(crate) fn may_be_written(&self) -> impl Iterator<Item = (Uuid, bool, bool)> + '_ {
        (0..).zip(&self.people).map(|(place, person)| {
            let never = place < 2 || person.is_left_out();
            let named = |policy: &&Policy| {
                policy.everyone
                    || policy.users.contains(&place)
                    || policy.groups.iter().any(|group| match *group {
                        "All Staff" => person.in_staff || person.in_nested,
                        "Nested" => person.in_nested,
                        _ => person.in_pilot,
                    })
            };
            let any = |mentions: &dyn Fn(&Policy) -> bool| {
                !never && self.policies.iter().filter(named).any(mentions)
            };
            let (phone, state) =
                (any(&|policy| policy.mobile.is_some()), any(&|policy| policy.state.is_some()));
            (self.id(place), phone, state)
        })
    }

    /// Writes the project into a folder: each policy in a file of its own, or all in one file the
    /// other way round.
    pub(crate) fn write(&self, folder: &Path, in_one: bool) {
        let policies = folder.join("policies");
        fs::create_dir_all(&policies).expect("a folder");
        let project = PROJECT.replace(", name: breakglass1@exchangelabs.nl", "");
        let project = project.replace(", name: breakglass2@exchangelabs.nl", "");
        fs::write(folder.join("mfactl.yaml"), project).expect("a file");
        let blocks = (0..)
            .zip(&self.policies)
            .map(|(place, policy)| (place, self.block(place, policy, in_one)));
        if in_one {
            let blocks: Vec<String> = blocks.map(|(_, block)| block).collect();
            let blocks: String = blocks.into_iter().rev().collect();
            let text = format!("policies:\n{blocks}version: 1\n");
            fs::write(policies.join("all.yaml"), text).expect("a file");
        } else {
            for (place, block) in blocks {
                let text = format!("version: 1\npolicies:\n{block}");
                fs::write(policies.join(format!("{place}.yaml")), text).expect("a file");
            }
        }
    }

    fn block(&self, place: usize, policy: &Policy, reversed: bool) -> String {
        let users: Vec<String> = policy
            .users
            .iter()
            .map(|place| format!("{:?}", self.people[*place].name(*place)))
            .collect();
        let mut who =
            vec![format!("groups: {:?}", policy.groups), format!("users: [{}]", users.join(", "))];
        who.retain(|line| !line.ends_with("[]"));
        if policy.everyone {
            who.push("everyone: true".to_owned());
        }
        let mut wanted: Vec<String> = Vec::new();
        wanted.extend(policy.mobile.map(|region| {
            format!("phones: {{ mobile: {{ from: mobilePhone, region: {region} }} }}")
        }));
        wanted.extend(policy.state.map(|state| format!("perUserMfa: {state}")));
        let mut keys = vec![
            format!("appliesTo:{}", block(&who, reversed)),
            format!("desired:{}", block(&wanted, reversed)),
        ];
        keys.extend(policy.priority.map(|priority| format!("priority: {priority}")));
        if reversed {
            keys.reverse();
        }
        let mut text = format!("  p{place}:\n");
        keys.iter().for_each(|key| _ = writeln!(text, "    {key}"));
        text
    }

    /// Every number there is, as its last eight digits.
    pub(crate) fn numbers(&self) -> BTreeSet<String> {
        let numbers = self.people.iter().flat_map(|one| [one.directory, one.mobile]).flatten();
        numbers.chain(["+31 201234571"]).filter_map(last_digits).collect()
    }
}

/// The last eight digits of a number that shows as many.
pub(crate) fn last_digits(number: &str) -> Option<String> {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits.len().checked_sub(8).map(|start| digits[start..].iter().collect())
}

fn block(lines: &[String], reversed: bool) -> String {
    let mut lines: Vec<&String> = lines.iter().collect();
    if reversed {
        lines.reverse();
    }
    lines.into_iter().map(|line| format!("\n      {line}")).collect()
}

fn id(place: usize) -> Uuid {
    Uuid::from_u128(0x7e57_0000_0000_4000_8000_0000_0000_0000 + place as u128)
}

fn document(value: Value) -> Document {
    value.as_object().expect("an object").clone()
}

fn method(kind: &str, rest: Value) -> Document {
    let mut method = document(rest);
    let name = format!("#microsoft.graph.{kind}AuthenticationMethod");
    method.insert("@odata.type".to_owned(), name.into());
    method.insert("createdDateTime".to_owned(), "2024-05-13T09:12:00Z".into());
    method
}
