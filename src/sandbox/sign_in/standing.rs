//! Who somebody is to the rules: roles held, and whether they come from outside.
//!
//! Eligibility is deliberately no role here: until somebody activates it they sign in as anybody
//! else.

use std::collections::BTreeSet;

use uuid::{Uuid, uuid};

use super::{Evidence, id, text};

/// The same in every tenant, as all built-in roles are.
const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// Definition and template ids of the roles held actively, directly or through a group.
    pub(super) roles: BTreeSet<Uuid>,
    /// The account is a visitor's, whatever its type says.
    pub(super) external: bool,
    /// `userType` is Guest; absent means Member.
    pub(super) guest: bool,
}

impl Standing {
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let user = &evidence.record.user;
        let me = id(user, "id");
        let is_mine =
            |principal: Uuid| Some(principal) == me || evidence.groups.contains(&principal);
        let mut roles = BTreeSet::new();
        for assignment in &evidence.tenant.role_assignments {
            let Some(role) = id(assignment, "roleDefinitionId") else {
                continue;
            };
            if id(assignment, "principalId").is_some_and(is_mine) {
                roles.insert(role);
                // Conditional Access names roles by template, which differs for custom roles.
                roles.extend(
                    evidence
                        .tenant
                        .role_definitions
                        .iter()
                        .filter(|definition| id(definition, "id") == Some(role))
                        .filter_map(|definition| id(definition, "templateId")),
                );
            }
        }
        let external = text(user, "userPrincipalName")
            .is_some_and(|name| name.to_ascii_uppercase().contains("#EXT#"));
        let guest = text(user, "userType").is_some_and(|kind| kind.eq_ignore_ascii_case("guest"));
        Self { roles, external, guest }
    }

    pub(super) fn is_global_administrator(&self) -> bool {
        self.roles.contains(&GLOBAL_ADMINISTRATOR)
    }
}
