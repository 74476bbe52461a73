//! Which permission each thing needs that is asked of Graph, the least privileged one first
//! (Microsoft's permission tables for Graph, checked 2026-11), and which refusals no permission
//! would help.
//!
//! Not here: asking whether this identity has them (`access`).

use crate::graph::Error;
use crate::settings::Setting;

/// Something that is read or written, for which there are permissions.
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
    /// What every plan reads, whatever the policies want: who is meant, and what its safety rests
    /// on.
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

    /// What a plan reads besides, where a policy manages the setting.
    #[must_use]
    pub const fn to_read(setting: Setting) -> &'static [Self] {
        match setting {
            // The list of methods holds the numbers and whether one signs in by text; states are read
            // of everybody. Removing a phone asks for the default method, but that is the rule's.
            Setting::MobilePhone
            | Setting::AlternateMobilePhone
            | Setting::OfficePhone
            | Setting::SmsSignIn
            | Setting::PerUserMfa => &[],
            Setting::DefaultMethod | Setting::SystemPreferredMfa => &[Self::Preferences],
        }
    }

    /// What an apply needs besides, where a policy manages the setting.
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

    /// What it is, in words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups and who is in them",
            Self::Methods => "registered methods",
            Self::States => "per-user MFA states",
            Self::MethodPolicy => "the authentication methods policy",
            Self::ConditionalAccess => "Conditional Access policies",
            Self::Strengths => "authentication strengths",
            Self::SecurityDefaults => "security defaults",
            Self::Domains => "domains, and which are federated",
            Self::Federation => "whether providers of federated domains do MFA",
            Self::Roles => "directory roles",
            Self::Eligibility => "who is eligible for directory roles",
            Self::GroupEligibility => "who is eligible for groups that hold roles",
            Self::Preferences => "default methods and preferences",
            Self::WritePhones => "registering phones",
            Self::WritePreferences => "setting default methods and preferences",
            Self::WriteStates => "setting per-user MFA",
        }
    }

    /// The permissions of which one is enough; all are given to applications and to persons alike.
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
            // A policy permission: those of methods do not suffice.
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
            // The documentation of v1.0 names no other permissions for listing them.
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

    /// The least of them.
    #[must_use]
    pub fn permission(self) -> &'static str {
        self.permissions().first().copied().unwrap_or_default()
    }

    /// The directory role that a person needs besides the permission; an application needs none.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::WritePhones | Self::WritePreferences => "Privileged Authentication Administrator",
            Self::WriteStates => "Authentication Policy Administrator",
            _ => "Global Reader",
        }
    }

    /// The licence without which the tenant has nothing there to read.
    #[must_use]
    pub const fn licence(self) -> Option<&'static str> {
        match self {
            Self::ConditionalAccess | Self::Strengths => Some("Microsoft Entra ID P1"),
            Self::Eligibility | Self::GroupEligibility => Some("Microsoft Entra ID P2"),
            _ => None,
        }
    }

    /// What a request is about, by its method and its path.
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
            // Signing in by text is switched where all methods are.
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

/// Whether Graph refuses because the tenant has no licence for the feature: then nobody uses it.
/// Where a licence has run out, what was set up with it stays readable (Entra documentation of
/// Conditional Access licence requirements, checked 2026-11).
#[must_use]
pub fn wants_licence(error: &Error) -> bool {
    matches!(
        error.code(),
        Some("AadPremiumLicenseRequired" | "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    )
}

/// What would help where Graph refuses: a licence, or a permission.
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
        "this needs the permission `{}`, with admin consent; `mfactl doctor` lists all that are needed",
        need.permission()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_about_something() {
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
    fn reading_never_asks_for_a_right_to_write() {
        for need in Need::OF_EVERY_PLAN {
            assert!(!need.permission().contains("Write"), "{need:?}");
        }
    }
}
