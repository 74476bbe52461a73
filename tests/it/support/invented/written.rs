//! An invention written down: its tenant as a seed, its policies as files.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mfactl_sandbox::records::{Document, GroupRecord, Seed, TenantDocuments, UserRecord};
use mfactl_sandbox::seeds;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{EXTERNAL_METHOD, Invented, Person, Role, SECOND_EXTERNAL, SmsSignIn};
use crate::support::shown_numbers::last_digits;
use crate::support::tenant_builder::TenantBuilder;
use crate::support::world::PROJECT;

impl Person {
    pub(super) fn is_left_out(&self) -> bool {
        self.kind != "member"
    }

    /// Whether the default is something that they have.
    fn default(&self) -> Option<&'static str> {
        let has = |kinds: &[&str]| self.methods.iter().any(|method| kinds.contains(method));
        self.default.filter(|default| match *default {
            "sms" | "voiceMobile" => self.mobile.is_some(),
            "voiceAlternateMobile" => self.alternate.is_some(),
            "voiceOffice" => self.office.is_some(),
            "push" => has(&["microsoftAuthenticator"]),
            _ => has(&["microsoftAuthenticator", "softwareOath"]),
        })
    }

    fn methods(&self, sms_sign_in: &'static str) -> Vec<Document> {
        let mut all = vec![method("password", json!({ "id": id(900) }))];
        for (kind, number, id, state) in [
            ("mobile", self.mobile, "3179e48a-750b-4051-897c-87b9720928f7", sms_sign_in),
            (
                "alternateMobile",
                self.alternate,
                "b6332ec1-7057-4abe-9331-3d72feddfe41",
                "notSupported",
            ),
            ("office", self.office, "e37fc753-ff3b-4958-9484-eaa9425c82bc", "notSupported"),
        ] {
            all.extend(number.map(|number| {
                let rest = json!({ "id": id, "phoneType": kind, "phoneNumber": number,
                    "smsSignInState": state });
                method("phone", rest)
            }));
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

    fn record(&self, place: usize, like: &UserRecord, sms_sign_in: &'static str) -> UserRecord {
        let mut user = like.user.clone();
        let mut set = |name: &str, value: Value| _ = user.insert(name.to_owned(), value);
        set("id", id(place).to_string().into());
        set("userPrincipalName", self.name(place).into());
        set("mobilePhone", self.directory.into());
        set("usageLocation", self.location.into());
        set("accountEnabled", (self.kind != "disabled").into());
        set("userType", if self.kind == "guest" { "Guest" } else { "Member" }.into());
        set("businessPhones", self.attributes[0].into_iter().collect());
        let attributes = user["onPremisesExtensionAttributes"].as_object_mut();
        let attributes = attributes.expect("extension attributes");
        attributes.insert("extensionAttribute7".to_owned(), self.attributes[1].into());
        let mut sign_in_preferences = like.sign_in_preferences.clone();
        let mut prefers = |name: &str, value: Value| {
            sign_in_preferences.insert(name.to_owned(), value);
        };
        prefers("userPreferredMethodForSecondaryAuthentication", self.default().into());
        prefers("isSystemPreferredAuthenticationMethodEnabled", self.system_preferred.into());
        UserRecord {
            user,
            methods: self.methods(sms_sign_in),
            requirements: document(json!({ "perUserMfaState": self.state })),
            sign_in_preferences,
        }
    }

    pub(super) fn name(&self, place: usize) -> String {
        match self.kind {
            "elsewhere" => format!("p{place}_contoso.com#EXT#@exchangelabs.onmicrosoft.com"),
            _ => format!("p{place}@exchangelabs.nl"),
        }
    }
}

impl Invented {
    pub(crate) fn tenant(&self) -> TenantBuilder {
        TenantBuilder::of(self.seed())
    }

    pub(crate) fn seed(&self) -> Seed {
        let base = seeds::by_name(self.variant).expect("a seed");
        let named = |name: &str| {
            let mut users = base.users.iter();
            let found = users.find(|one| one.user["userPrincipalName"] == name);
            found.expect("somebody of the seed").clone()
        };
        let like = named("p.dewit@exchangelabs.nl");
        let mut users: Vec<UserRecord> = (0..)
            .zip(&self.people)
            .zip(self.sms_sign_in_states())
            .map(|((place, person), state)| person.record(place, &like, state))
            .collect();
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
        self.set_methods(&mut seed.tenant.authentication_methods_policy);
        self.give_roles(&mut seed.tenant);
        seed.today = self.today.unwrap_or(seed.today);
        seed
    }

    fn set_methods(&self, policy: &mut Document) {
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
            if configuration["id"] == "Sms" && self.sms_sign_in.is_some() {
                let pilots = self.sms_sign_in == Some(SmsSignIn::Pilots);
                let id = seeds::MFA_PILOT.to_string();
                let target = |id: &str, usable: bool| {
                    json!({ "id": id, "targetType": "group",
                    "isRegistrationRequired": false, "isUsableForSignIn": usable })
                };
                let everybody = target("all_users", !pilots);
                let more = pilots.then(|| target(&id, true));
                configuration["includeTargets"] = [everybody].into_iter().chain(more).collect();
            }
        }
    }

    fn give_roles(&self, tenant: &mut TenantDocuments) {
        let ruler = seeds_ruler(tenant);
        let give = |to: Uuid, like: &Document| {
            let mut given = like.clone();
            given.insert("id".to_owned(), format!("{}-role", to.simple()).into());
            given.insert("principalId".to_owned(), to.to_string().into());
            given.insert("roleDefinitionId".to_owned(), ruler.clone());
            given
        };
        let (active, eligible) =
            (tenant.role_assignments[0].clone(), tenant.role_eligibility[0].clone());
        for (place, person) in (0..).zip(&self.people) {
            match person.role {
                Some(Role::Active) => tenant.role_assignments.push(give(self.id(place), &active)),
                Some(Role::Eligible) => {
                    tenant.role_eligibility.push(give(self.id(place), &eligible));
                }
                None => {}
            }
        }
        if self.pilots_rule {
            tenant.role_assignments.push(give(seeds::MFA_PILOT, &active));
        }
    }

    /// The SMS sign-in state of each user's mobile phone: a number signs in only the first user that has it.
    fn sms_sign_in_states(&self) -> Vec<&'static str> {
        let all = self.variant == "exchangelabs-sms-sign-in";
        let allowed = |person: &Person| match self.sms_sign_in {
            _ if self.switched_off.contains(&"Sms") => false,
            Some(SmsSignIn::Everybody) => true,
            Some(SmsSignIn::Pilots) => person.in_pilot,
            None => all,
        };
        let mut held = BTreeSet::new();
        let state = |person: &Person| match person.mobile {
            Some(number) if allowed(person) => {
                match (held.contains(number), person.refuses_texts) {
                    (true, _) => "phoneNumberNotUnique",
                    (false, true) => "notEnabled",
                    (false, false) => {
                        held.insert(number);
                        "ready"
                    }
                }
            }
            _ => "notAllowedByPolicy",
        };
        self.people.iter().map(state).collect()
    }

    /// Whether the tenant requires MFA by Conditional Access or security defaults.
    pub(crate) fn asks_by_other_means(&self) -> bool {
        ["conditional-access", "security-defaults"].iter().any(|part| self.variant.contains(part))
    }

    /// Whether phones are no longer delivered to everybody.
    pub(crate) fn is_late(&self) -> bool {
        self.today.is_some()
    }

    /// Whether the user is eligible for a role.
    pub(crate) fn may_rule(&self, id: &str) -> bool {
        let mut people = (0..).zip(&self.people);
        people.any(|(place, person)| {
            person.role == Some(Role::Eligible) && self.id(place).to_string() == id
        })
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
            .map(|(place, policy)| (place, policy.text(place, &self.people, in_one)));
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

    /// Every number there is, as its last eight digits.
    pub(crate) fn numbers(&self) -> BTreeSet<String> {
        let numbers = self.people.iter().flat_map(|one| {
            let [business, extension] = one.attributes;
            [one.directory, one.mobile, one.alternate, one.office, business, extension]
        });
        numbers.flatten().filter_map(last_digits).collect()
    }
}

/// The role whose holders are the most powerful.
fn seeds_ruler(tenant: &TenantDocuments) -> Value {
    let mut roles = tenant.role_definitions.iter();
    let role = roles.find(|role| role["displayName"] == "Global Administrator");
    role.expect("a role")["id"].clone()
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
