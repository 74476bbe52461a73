//! The data of the embedded tenant: JSON documents as Graph shows them, and a few lists that Graph
//! shows as collections.
//!
//! Not here: how they change (`store`), which queries they support (`odata`), or the people of each
//! tenant (`seeds`).

mod domains;

pub use domains::managed_domains;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A JSON object as Graph would answer it.
pub type Document = Map<String, Value>;

/// A user with the methods, the MFA state and the preferences.
#[derive(Debug, Clone, PartialEq)]
pub struct UserRecord {
    /// Every property of the user entity that this tenant knows; null where Graph has null.
    pub user: Document,
    /// The members of `authentication/methods`, each with its `@odata.type` and `id`.
    pub methods: Vec<Document>,
    /// `authentication/requirements`.
    pub requirements: Document,
    /// `authentication/signInPreferences`.
    pub sign_in_preferences: Document,
}

/// A group with its direct members (users and groups alike) and owners, by id.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecord {
    pub group: Document,
    pub members: Vec<Uuid>,
    pub owners: Vec<Uuid>,
    /// Whether every generated user is a member too.
    pub every_generated_user: bool,
}

/// Documents of the tenant as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantDocuments {
    pub id: Uuid,
    pub display_name: String,
    /// `domains`, the default one first.
    pub domains: Vec<Document>,
    /// `domains/{id}/federationConfiguration`, by the name of the domain.
    pub federation: BTreeMap<String, Document>,
    /// `policies/authenticationMethodsPolicy`.
    pub authentication_methods_policy: Document,
    /// `identity/conditionalAccess/policies`.
    pub conditional_access: Vec<Document>,
    /// `policies/authenticationStrengthPolicies`.
    pub authentication_strengths: Vec<Document>,
    /// `policies/identitySecurityDefaultsEnforcementPolicy`.
    pub security_defaults: Document,
    /// `roleManagement/directory/roleDefinitions`.
    pub role_definitions: Vec<Document>,
    /// `roleManagement/directory/roleAssignments`: active ones.
    pub role_assignments: Vec<Document>,
    /// `roleManagement/directory/roleEligibilityScheduleInstances`.
    pub role_eligibility: Vec<Document>,
    /// `identityGovernance/privilegedAccess/group/eligibilityScheduleInstances`.
    pub group_eligibility: Vec<Document>,
}

/// A tenant before the first write.
#[derive(Debug, Clone)]
pub struct Seed {
    pub name: String,
    /// The current day in this tenant. It is fixed, so that the same seed gives the same results next
    /// year.
    pub today: Date,
    pub tenant: TenantDocuments,
    /// Users that are written down one by one.
    pub users: Vec<UserRecord>,
    pub groups: Vec<GroupRecord>,
    /// Users that are a function of their index; `None` if all users are written down.
    pub generated: Option<Generated>,
}

/// Users that are a function of their index. The function is in `seeds`.
#[derive(Debug, Clone)]
pub struct Generated {
    pub(crate) count: u32,
}

/// Returns the members of a literal object; for any other literal an empty document.
pub(crate) fn document(literal: Value) -> Document {
    match literal {
        Value::Object(members) => members,
        _ => Document::new(),
    }
}
