//! The properties of documents that are not directory objects, such as a row of a role list.
//!
//! Not here: users and groups (`schema`), or the lists themselves (`documents`, `pim`, `reports`).

use super::{EntityType, boolean, number, object, objects, text, texts, time};

pub(crate) static ROLE_ASSIGNMENT: EntityType = EntityType {
    name: "microsoft.graph.unifiedRoleAssignment",
    noun: "RoleAssignment",
    set: "roleManagement/directory/roleAssignments",
    properties: &[
        text("id"),
        text("principalId"),
        text("roleDefinitionId"),
        text("directoryScopeId"),
        text("appScopeId").unfiltered(),
        text("condition").unfiltered(),
    ],
    default: &[],
};

pub(crate) static ROLE_ASSIGNMENT_INSTANCE: EntityType = EntityType {
    name: "microsoft.graph.unifiedRoleAssignmentScheduleInstance",
    noun: "RoleAssignmentScheduleInstance",
    set: "roleManagement/directory/roleAssignmentScheduleInstances",
    properties: &[
        text("id"),
        text("principalId"),
        text("roleDefinitionId"),
        text("directoryScopeId"),
        text("appScopeId").unfiltered(),
        time("startDateTime").unfiltered(),
        time("endDateTime").unfiltered(),
        text("assignmentType"),
        text("memberType").unfiltered(),
        text("roleAssignmentOriginId").unfiltered(),
        text("roleAssignmentScheduleId").unfiltered(),
    ],
    default: &[],
};

pub(crate) static ROLE_ELIGIBILITY: EntityType = EntityType {
    name: "microsoft.graph.unifiedRoleEligibilityScheduleInstance",
    noun: "RoleEligibilityScheduleInstance",
    set: "roleManagement/directory/roleEligibilityScheduleInstances",
    properties: &[
        text("id"),
        text("principalId"),
        text("roleDefinitionId"),
        text("directoryScopeId"),
        text("appScopeId").unfiltered(),
        time("startDateTime").unfiltered(),
        time("endDateTime").unfiltered(),
        text("memberType").unfiltered(),
        text("roleEligibilityScheduleId").unfiltered(),
    ],
    default: &[],
};

pub(crate) static GROUP_ELIGIBILITY: EntityType = EntityType {
    name: "microsoft.graph.privilegedAccessGroupEligibilityScheduleInstance",
    noun: "PrivilegedAccessGroupEligibilityScheduleInstance",
    set: "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
    properties: &[
        text("id"),
        text("groupId"),
        text("principalId"),
        text("accessId"),
        time("startDateTime").unfiltered(),
        time("endDateTime").unfiltered(),
        text("memberType").unfiltered(),
        text("eligibilityScheduleId").unfiltered(),
    ],
    default: &[],
};

pub(crate) static ROLE_DEFINITION: EntityType = EntityType {
    name: "microsoft.graph.unifiedRoleDefinition",
    noun: "RoleDefinition",
    set: "roleManagement/directory/roleDefinitions",
    properties: &[
        text("id"),
        text("templateId"),
        text("displayName"),
        text("description").unfiltered(),
        boolean("isBuiltIn"),
        boolean("isEnabled").unfiltered(),
        boolean("isPrivileged"),
        texts("resourceScopes").unfiltered(),
        objects("rolePermissions"),
        text("version").unfiltered(),
    ],
    default: &[],
};

pub(crate) static DOMAIN: EntityType = EntityType {
    name: "microsoft.graph.domain",
    noun: "Domain",
    set: "domains",
    properties: &[
        text("id"),
        text("authenticationType"),
        text("availabilityStatus").unfiltered(),
        boolean("isAdminManaged"),
        boolean("isDefault"),
        boolean("isInitial"),
        boolean("isRoot"),
        boolean("isVerified"),
        text("manufacturer").unfiltered(),
        text("model").unfiltered(),
        number("passwordNotificationWindowInDays"),
        number("passwordValidityPeriodInDays"),
        object("state"),
        texts("supportedServices").unfiltered(),
    ],
    default: &[],
};

pub(crate) static CONDITIONAL_ACCESS: EntityType = EntityType {
    name: "microsoft.graph.conditionalAccessPolicy",
    noun: "ConditionalAccessPolicy",
    set: "identity/conditionalAccess/policies",
    properties: &[
        text("id"),
        text("displayName"),
        text("description").unfiltered(),
        text("templateId").unfiltered(),
        text("state"),
        time("createdDateTime").unfiltered(),
        time("modifiedDateTime").unfiltered(),
        object("conditions"),
        object("grantControls"),
        object("sessionControls"),
    ],
    default: &[],
};

pub(crate) static REGISTRATION: EntityType = EntityType {
    name: "microsoft.graph.userRegistrationDetails",
    noun: "UserRegistrationDetails",
    set: "reports/authenticationMethods/userRegistrationDetails",
    properties: &[
        text("id"),
        text("userPrincipalName"),
        text("userDisplayName"),
        text("userType"),
        boolean("isAdmin"),
        boolean("isSsprRegistered"),
        boolean("isSsprEnabled"),
        boolean("isSsprCapable"),
        boolean("isMfaRegistered"),
        boolean("isMfaCapable"),
        boolean("isPasswordlessCapable"),
        texts("methodsRegistered"),
        boolean("isSystemPreferredAuthenticationMethodEnabled"),
        text("userPreferredMethodForSecondaryAuthentication"),
    ],
    default: &[],
};

pub(crate) static STRENGTH: EntityType = EntityType {
    name: "microsoft.graph.authenticationStrengthPolicy",
    noun: "AuthenticationStrengthPolicy",
    set: "policies/authenticationStrengthPolicies",
    properties: &[
        text("id"),
        text("displayName").unfiltered(),
        text("description").unfiltered(),
        text("policyType"),
        text("requirementsSatisfied").unfiltered(),
        texts("allowedCombinations").unfiltered(),
        objects("combinationConfigurations"),
        time("createdDateTime").unfiltered(),
        time("modifiedDateTime").unfiltered(),
    ],
    default: &[],
};
