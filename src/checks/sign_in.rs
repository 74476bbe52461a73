//! The people of a file whose posture is expected, as a second judge of sign-ins needs them: with what they
//! have after an apply.
//!
//! Not here: the second judge, which is in the sandbox (`commands::sign_ins`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::file::ChecksFile;
use super::invent::InventedTenant;
use super::run::{PersonOutcome, located};
use crate::finding::{Code, Finding, quoted};
use crate::id::{RoleId, UserId};
use crate::observed::Observed;
use crate::policy::{CloudName, PolicySet};
use crate::posture::Posture;
use crate::source::{FileId, Origin};
use crate::tenant::delivery::Delivery;
use crate::tenant::directory::Account;
use crate::tenant::facts::Facts;

/// The people of one file, and the rules of their tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSignIns {
    pub today: Date,
    pub has_security_defaults: bool,
    /// Whether Microsoft requires MFA at the admin portals.
    pub is_public_cloud: bool,
    pub delivery: Delivery,
    pub people: Vec<ExpectedSignIn>,
}

/// One person after an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSignIn {
    pub key: String,
    pub id: UserId,
    pub name: String,
    pub account: Account,
    /// The roles that the person holds or can activate.
    pub roles: BTreeSet<RoleId>,
    pub facts: Facts,
    /// The posture that the plan ends in.
    pub posture: Posture,
    /// The place of the expected posture.
    pub origin: Origin,
}

impl ExpectedSignIns {
    /// The sign-ins of a file that expects no posture.
    pub(super) const fn none(today: Date) -> Self {
        Self {
            today,
            has_security_defaults: false,
            is_public_cloud: true,
            delivery: Delivery::MICROSOFT,
            people: Vec::new(),
        }
    }
}

impl ExpectedSignIn {
    /// The finding for a judge that says something else. `found` is its result in words.
    #[must_use]
    pub fn disagrees(&self, found: &str) -> Finding {
        let message = format!(
            "{}: the plan ends in the posture `{}`, but in the sandbox {found}",
            quoted(&self.key),
            self.posture.as_str()
        );
        Finding::new(Code::SignInDiffers, message)
            .at(self.origin, "the posture is expected here")
            .help("this is a fault of mfactl and not of the policy: report it with this check")
    }
}

/// Returns the people whose posture the file expects.
pub(super) fn expected(
    set: &PolicySet,
    file: FileId,
    content: &ChecksFile,
    (tenant, observed): (&InventedTenant, &Observed),
    outcomes: &[PersonOutcome],
) -> ExpectedSignIns {
    let roles: BTreeMap<UserId, &BTreeSet<RoleId>> =
        tenant.people.iter().map(|person| (person.id, &person.roles)).collect();
    let blocks = content.expect.as_ref().map(|expect| &expect.value);
    let one = |PersonOutcome { key, explanation }: &PersonOutcome| {
        let posture = blocks?.get(&located(key))?.value.posture.as_ref()?;
        Some(ExpectedSignIn {
            key: key.clone(),
            id: explanation.user.id,
            name: explanation.user.name.raw().to_owned(),
            account: explanation.user.account,
            roles: roles.get(&explanation.user.id).map(|roles| (*roles).clone())?,
            facts: explanation.after,
            posture: explanation.standing.after,
            origin: posture.origin(file),
        })
    };
    ExpectedSignIns {
        today: observed.basis.today,
        has_security_defaults: tenant.has_security_defaults,
        is_public_cloud: set.project.cloud == CloudName::Global,
        delivery: set.project.delivery,
        people: outcomes.iter().filter_map(one).collect(),
    }
}
