//! The phases of a plan, and its steps: changes of users and changes of objects of the tenant. A phase
//! begins when the phases before it are done: a method must be allowed before it is registered, and
//! registered before MFA is required.
//!
//! Not here: the order of the changes of one user within a phase (`settings::change::Stage`).

use std::borrow::Cow;

use super::Plan;
use super::objects::ObjectChange;
use crate::observed::TenantBasis;
use crate::settings::change::{Change, Stage};

/// A phase of a plan, in the order of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The tenant allows more methods.
    AllowMethods,
    /// Users get phones and preferences.
    AddMethods,
    /// MFA is required of more users.
    Demand,
    /// MFA is required of fewer users, where something else requires it.
    Release,
    /// Users lose phones.
    RemoveMethods,
    /// The tenant allows fewer methods.
    ForbidMethods,
}

/// One step of a plan.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    User(&'a Change),
    Object(&'a ObjectChange),
}

impl Phase {
    pub const ALL: [Self; 6] = [
        Self::AllowMethods,
        Self::AddMethods,
        Self::Demand,
        Self::Release,
        Self::RemoveMethods,
        Self::ForbidMethods,
    ];

    /// Returns the word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowMethods => "allowMethods",
            Self::AddMethods => "addMethods",
            Self::Demand => "demand",
            Self::Release => "release",
            Self::RemoveMethods => "removeMethods",
            Self::ForbidMethods => "forbidMethods",
        }
    }

    /// Returns what happens in the phase, as the end of a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::AllowMethods => "the tenant allows more methods",
            Self::AddMethods => "users get phones and preferences",
            Self::Demand => "MFA is required of more users",
            Self::Release => "MFA is required of fewer users",
            Self::RemoveMethods => "users lose phones",
            Self::ForbidMethods => "the tenant allows fewer methods",
        }
    }

    /// Returns the phase of a change of a user.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        Self::of_stage(change.stage(), change.lowers())
    }

    const fn of_stage(stage: Stage, lowers: bool) -> Self {
        match stage {
            Stage::AddMobile
            | Stage::AddAlternateMobile
            | Stage::AddOffice
            | Stage::ReplaceMobile
            | Stage::ReplaceAlternateMobile
            | Stage::ReplaceOffice
            | Stage::SmsSignIn
            | Stage::DefaultMethod
            | Stage::SystemPreferredMfa => Self::AddMethods,
            Stage::State if lowers => Self::Release,
            Stage::State => Self::Demand,
            Stage::DeleteOffice
            | Stage::DeleteAlternateMobile
            | Stage::DeleteMobile
            | Stage::DeleteOfficeLast => Self::RemoveMethods,
        }
    }
}

impl Step<'_> {
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::User(change) => Phase::of(change),
            Self::Object(change) => change.phase(),
        }
    }
}

impl Plan {
    /// Returns every step of the plan: those of objects, then those of users.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let objects = self.objects.iter().map(Step::Object);
        objects.chain(self.changes.iter().map(Step::User))
    }

    /// Returns the steps of one phase.
    pub fn steps_of(&self, phase: Phase) -> impl Iterator<Item = Step<'_>> {
        self.steps().filter(move |step| step.phase() == phase)
    }

    /// Returns the basis that a step of this phase is judged by: the basis of the plan, after the objects
    /// that an apply writes in earlier phases.
    #[must_use]
    pub fn basis_of(&self, phase: Phase) -> Cow<'_, TenantBasis> {
        let written = self.objects.iter().filter(|change| change.object.is_written());
        basis_after(&self.basis, written.filter(|change| change.phase() < phase))
    }
}

/// Returns the basis as it is once these objects are written.
fn basis_after<'a, 'b>(
    basis: &'a TenantBasis,
    written: impl Iterator<Item = &'b ObjectChange>,
) -> Cow<'a, TenantBasis> {
    let mut basis = Cow::Borrowed(basis);
    for change in written {
        change.object.effect_on(&mut basis.to_mut().demand, change.after);
    }
    basis
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::plan::FilePlace;
    use crate::resources::{ObjectKind, ObjectValue};
    use crate::settings::change::{Mandate, PolicyIndex};
    use crate::settings::{Setting, Value};
    use crate::tenant::delivery::Delivery;
    use crate::tenant::demand::{MfaRequirements, MfaRules};
    use crate::tenant::directory::{Directory, UserIndex};
    use crate::tenant::domains::Domains;
    use crate::tenant::facts::{MfaState, Read};
    use crate::tenant::lookup::Extra;
    use crate::tenant::method_policy::MethodPolicy;
    use crate::tenant::roles::Roles;
    use crate::tenant::rule_members::RuleMembers;
    use crate::tenant::rules_digest::RulesDigest;

    #[test]
    fn every_stage_of_a_user_is_in_the_order_of_the_phases() {
        assert!(Phase::ALL.is_sorted());
        for lowers in [false, true] {
            let phases = Stage::ALL.map(|stage| Phase::of_stage(stage, lowers));
            assert!(phases.is_sorted(), "{phases:?}");
        }
    }

    #[test]
    fn raised_state_is_a_demand_and_lowered_state_a_release() {
        let state = |before, after| Change {
            user: UserIndex::new(0),
            setting: Setting::PerUserMfa,
            before: Value::State(before),
            after: Value::State(after),
            policy: PolicyIndex::new(0),
            mandate: Mandate::default(),
        };
        assert_eq!(Phase::of(&state(MfaState::Disabled, MfaState::Enabled)), Phase::Demand);
        assert_eq!(Phase::of(&state(MfaState::Enforced, MfaState::Disabled)), Phase::Release);
    }

    fn basis(security_defaults: bool) -> TenantBasis {
        let (directory, roles) = (Directory::in_order(Vec::new()), Read::Known(Roles::default()));
        let rules = MfaRules {
            conditional_access: Read::Known(Vec::new()),
            security_defaults: Read::Known(security_defaults),
            domains: Domains::new([]),
            public_cloud: true,
        };
        let groups = std::collections::BTreeMap::new();
        let people = RuleMembers { directory: &directory, groups: &groups, roles: &roles };
        TenantBasis {
            method_policy: MethodPolicy::UNREAD,
            demand: MfaRequirements::new(rules, &people),
            delivery: Delivery::MICROSOFT,
            today: date(2026, 11, 22),
            break_glass: BTreeSet::new(),
            extra: Extra::default(),
            rules: RulesDigest::default(),
        }
    }

    #[test]
    fn written_object_changes_the_basis_of_later_phases() {
        let change = ObjectChange {
            object: ObjectKind::SecurityDefaults,
            before: ObjectValue::Switch(false),
            after: ObjectValue::Switch(true),
            origin: FilePlace { file: "policies/tenant.yaml".into(), line: 3, column: 3 },
            affected: Vec::new(),
        };
        let (off, on) = (basis(false), basis(true));
        assert_ne!(off, on);
        assert_eq!(*basis_after(&off, std::iter::empty()), off);
        assert_eq!(*basis_after(&off, std::iter::once(&change)), on);
    }
}
