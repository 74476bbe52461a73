//! Knows which permission each request to Graph needs, the least privileged one first (Microsoft's
//! permission tables for Graph, checked 2026-11), and which refusals no permission would help against.
//!
//! Not here: finding out whether this identity has them (`permission_check`).

use crate::graph::Error;
use crate::settings::Setting;
use crate::tenant::lookup::UserFact;

/// Something that is read or written, and that needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    Users,
    Groups,
    Methods,
    States,
    MethodPolicy,
    ConditionalAccess,
    Strengths,
    SecurityDefaults,
    Domains,
    Federation,
    Roles,
    Eligibility,
    GroupEligibility,
    Preferences,
    WritePhones,
    WritePreferences,
    WriteStates,
}

impl Need {
    /// What every plan reads, whatever the policies want: the users in scope, and the basis of its
    /// safety.
    pub const OF_EVERY_PLAN: [Self; 13] = [
        Self::Users,
        Self::Groups,
        Self::Methods,
        Self::States,
        Self::MethodPolicy,
        Self::ConditionalAccess,
        Self::Strengths,
        Self::SecurityDefaults,
        Self::Domains,
        Self::Federation,
        Self::Roles,
        Self::Eligibility,
        Self::GroupEligibility,
    ];

    /// Returns the need to read a fact of a user.
    #[must_use]
    pub const fn to_read(fact: UserFact) -> Self {
        match fact {
            UserFact::Methods => Self::Methods,
            UserFact::State => Self::States,
            UserFact::Preferences => Self::Preferences,
        }
    }

    /// Returns what an apply needs in addition if a policy manages the setting.
    #[must_use]
    pub const fn to_write(setting: Setting) -> &'static [Self] {
        match setting {
            Setting::MobilePhone
            | Setting::AlternateMobilePhone
            | Setting::OfficePhone
            | Setting::SmsSignIn => &[Self::WritePhones],
            Setting::DefaultMethod | Setting::SystemPreferredMfa => &[Self::WritePreferences],
            Setting::PerUserMfa => &[Self::WriteStates],
        }
    }

    /// Returns what it is, in words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups and their members",
            Self::Methods => "registered methods",
            Self::States => "per-user MFA states",
            Self::MethodPolicy => "the authentication methods policy",
            Self::ConditionalAccess => "Conditional Access policies",
            Self::Strengths => "authentication strengths",
            Self::SecurityDefaults => "security defaults",
            Self::Domains => "domains and whether they are federated",
            Self::Federation => "whether providers of federated domains do MFA",
            Self::Roles => "directory roles",
            Self::Eligibility => "users eligible for directory roles",
            Self::GroupEligibility => "users eligible for groups that hold roles",
            Self::Preferences => "default methods and preferences",
            Self::WritePhones => "registering phones",
            Self::WritePreferences => "setting default methods and preferences",
            Self::WriteStates => "setting per-user MFA",
        }
    }

    /// Returns the permissions, of which one is enough. Each exists for applications and for persons
    /// alike.
    #[must_use]
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Users => &[
                "User.Read.All",
                "User.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Self::Groups => &[
                "GroupMember.Read.All",
                "Group.Read.All",
                "GroupMember.ReadWrite.All",
                "Group.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Self::Methods | Self::Preferences => {
                &["UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"]
            }
            // This is a policy permission: the permissions for methods are not enough.
            Self::States | Self::SecurityDefaults => &["Policy.Read.All"],
            Self::MethodPolicy => &[
                "Policy.Read.AuthenticationMethod",
                "Policy.Read.All",
                "Policy.ReadWrite.AuthenticationMethod",
            ],
            Self::ConditionalAccess => &[
                "Policy.Read.All",
                "Policy.Read.ConditionalAccess",
                "Policy.ReadWrite.ConditionalAccess",
            ],
            Self::Strengths => &[
                "Policy.Read.AuthenticationMethod",
                "Policy.Read.All",
                "Policy.ReadWrite.AuthenticationMethod",
                "Policy.ReadWrite.ConditionalAccess",
            ],
            // The documentation of v1.0 names no other permissions for listing domains.
            Self::Domains => &["Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"],
            Self::Federation => &[
                "Domain-InternalFederation.Read.All",
                "Domain-InternalFederation.ReadWrite.All",
                "Domain.Read.All",
                "Domain.ReadWrite.All",
            ],
            Self::Roles => &[
                "RoleManagement.Read.Directory",
                "RoleManagement.Read.All",
                "RoleManagement.ReadWrite.Directory",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Self::Eligibility => &[
                "RoleEligibilitySchedule.Read.Directory",
                "RoleManagement.Read.Directory",
                "RoleManagement.Read.All",
                "RoleEligibilitySchedule.ReadWrite.Directory",
                "RoleManagement.ReadWrite.Directory",
            ],
            Self::GroupEligibility => &[
                "PrivilegedEligibilitySchedule.Read.AzureADGroup",
                "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
            ],
            Self::WritePhones => {
                &["UserAuthMethod-Phone.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All"]
            }
            Self::WritePreferences => &["UserAuthenticationMethod.ReadWrite.All"],
            Self::WriteStates => &["Policy.ReadWrite.AuthenticationMethod"],
        }
    }

    /// Returns the least privileged permission.
    #[must_use]
    pub fn permission(self) -> &'static str {
        self.permissions().first().copied().unwrap_or_default()
    }

    /// Returns the directory role that a person needs in addition to the permission; an application
    /// needs none.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::WritePhones | Self::WritePreferences => "Privileged Authentication Administrator",
            Self::WriteStates => "Authentication Policy Administrator",
            _ => "Global Reader",
        }
    }

    /// Returns the licence without which the tenant has nothing to read there.
    #[must_use]
    pub const fn licence(self) -> Option<&'static str> {
        match self {
            Self::ConditionalAccess | Self::Strengths => Some("Microsoft Entra ID P1"),
            Self::Eligibility | Self::GroupEligibility => Some("Microsoft Entra ID P2"),
            _ => None,
        }
    }

    /// Returns the need of a request, by its method and its path.
    #[must_use]
    pub fn of(method: &str, path: &str) -> Option<Self> {
        let writes = method != "GET";
        let path = path.split('?').next().unwrap_or(path);
        let about = |part: &str| path.contains(part);
        Some(match () {
            () if path.ends_with("/authentication/requirements") && writes => Self::WriteStates,
            () if path.ends_with("/authentication/requirements") => Self::States,
            () if path.ends_with("/authentication/signInPreferences") && writes => {
                Self::WritePreferences
            }
            () if path.ends_with("/authentication/signInPreferences") => Self::Preferences,
            // SMS sign-in is switched at the path of all methods.
            () if about("/authentication/") && writes => Self::WritePhones,
            () if about("/authentication/") => Self::Methods,
            () if path.ends_with("/federationConfiguration") => Self::Federation,
            () if about("/domains") => Self::Domains,
            () if about("/policies/authenticationMethodsPolicy") => Self::MethodPolicy,
            () if about("/policies/authenticationStrengthPolicies") => Self::Strengths,
            () if about("/policies/identitySecurityDefaults") => Self::SecurityDefaults,
            () if about("/conditionalAccess") => Self::ConditionalAccess,
            () if about("/roleEligibilityScheduleInstances") => Self::Eligibility,
            () if about("/privilegedAccess/group") => Self::GroupEligibility,
            () if about("/roleManagement/directory") => Self::Roles,
            () if about("/groups") => Self::Groups,
            () if about("/users") => Self::Users,
            () => return None,
        })
    }
}

/// Returns whether Graph refuses because the tenant has no licence for the feature: then no user uses
/// it. After a licence has expired, what was set up with it stays readable (Entra documentation of
/// Conditional Access licence requirements, checked 2026-11).
#[must_use]
pub fn wants_licence(error: &Error) -> bool {
    matches!(
        error.code(),
        Some("AadPremiumLicenseRequired" | "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    )
}

/// Returns what helps against a refusal of Graph: a licence, or a permission.
#[must_use]
pub fn advice(error: &Error) -> Option<String> {
    let need = Need::of(error.method().as_str(), error.path())?;
    if wants_licence(error) {
        return need.licence().map(|licence| format!("this needs the licence {licence}"));
    }
    if error.status() != Some(403) {
        return None;
    }
    Some(format!(
        "this needs the permission `{}` with admin consent; `mfactl doctor` lists all permissions that are needed",
        need.permission()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn need_is_found_by_method_and_path() {
        for (method, path, need) in [
            ("GET", "/beta/users/x/authentication/requirements", Need::States),
            ("PATCH", "/beta/users/x/authentication/requirements", Need::WriteStates),
            ("GET", "/beta/users/x/authentication/methods", Need::Methods),
            ("POST", "/beta/users/x/authentication/phoneMethods", Need::WritePhones),
            ("PATCH", "/beta/users/x/authentication/signInPreferences", Need::WritePreferences),
            ("POST", "/beta/users/x/authentication/methods/y/enableSmsSignIn", Need::WritePhones),
            ("GET", "/v1.0/users?$select=id", Need::Users),
            ("GET", "/v1.0/groups/x/transitiveMembers/microsoft.graph.user", Need::Groups),
            ("GET", "/v1.0/identity/conditionalAccess/policies", Need::ConditionalAccess),
            ("GET", "/v1.0/policies/authenticationStrengthPolicies", Need::Strengths),
            ("GET", "/v1.0/domains?$select=id", Need::Domains),
            ("GET", "/v1.0/domains/groups.users.nl/federationConfiguration", Need::Federation),
        ] {
            assert_eq!(Need::of(method, path), Some(need), "{method} {path}");
        }
        assert_eq!(Need::of("GET", "/v1.0/organization"), None);
    }

    #[test]
    fn reads_never_need_a_write_permission() {
        for need in Need::OF_EVERY_PLAN {
            assert!(!need.permission().contains("Write"), "{need:?}");
        }
    }
}
