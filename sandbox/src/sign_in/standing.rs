//! The facts of a user that the rules refer to: active roles, and whether the account is a visitor's.
//!
//! An eligible role deliberately does not count: until it is activated, the user signs in like any
//! other.
//!
//! Not here: what a role requires (`demand`).

use std::collections::BTreeSet;

use uuid::{Uuid, uuid};

use super::evidence::{Evidence, id, text};

/// The id of the built-in role, which is the same in every tenant.
const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// Definition and template ids of the active roles, direct or through a group.
    pub(super) roles: BTreeSet<Uuid>,
    /// Whether the account is a visitor's, whatever its type is.
    pub(super) external: bool,
    /// Whether `userType` is Guest; without a type, the user is a member.
    pub(super) guest: bool,
}

impl Standing {
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let user = &evidence.record.user;
        let me = id(user, "id");
        let is_holder =
            |principal: Uuid| Some(principal) == me || evidence.groups.contains(&principal);
        let mut roles = BTreeSet::new();
        for assignment in &evidence.tenant.role_assignments {
            let Some(role) = id(assignment, "roleDefinitionId") else {
                continue;
            };
            if id(assignment, "principalId").is_some_and(is_holder) {
                roles.insert(role);
                // Conditional Access names roles by template id, which differs from the definition id
                // for custom roles.
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
