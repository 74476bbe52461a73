//! Which permission a call needs, the least privileged one first (Microsoft's permission tables for
//! Graph, checked 2026-11), so that a refusal can say what would help; and which refusals no
//! permission would help.

use crate::graph::Error;

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

/// The application permission that would let the call pass, for the paths this program uses.
#[must_use]
pub fn needed(method: &str, path: &str) -> Option<&'static str> {
    let writes = method != "GET";
    let path = path.split('?').next().unwrap_or(path);
    Some(match () {
        () if path.ends_with("/authentication/requirements") && writes => {
            "Policy.ReadWrite.AuthenticationMethod"
        }
        () if path.ends_with("/authentication/requirements") => "Policy.Read.All",
        () if path.ends_with("/authentication/signInPreferences") && writes => {
            "UserAuthenticationMethod.ReadWrite.All"
        }
        () if path.ends_with("/authentication/signInPreferences") => {
            "UserAuthenticationMethod.Read.All"
        }
        () if path.ends_with("SmsSignIn") => "UserAuthMethod-Phone.ReadWrite.All",
        () if path.contains("/authentication/phoneMethods") && writes => {
            "UserAuthMethod-Phone.ReadWrite.All"
        }
        () if path.contains("/authentication/phoneMethods") => "UserAuthMethod-Phone.Read.All",
        () if path.contains("/authentication/methods") => "UserAuthenticationMethod.Read.All",
        () if path.contains("/policies/authenticationMethodsPolicy") => {
            "Policy.Read.AuthenticationMethod"
        }
        () if path.contains("/roleEligibilityScheduleInstances") => {
            "RoleEligibilitySchedule.Read.Directory"
        }
        () if path.contains("/privilegedAccess/group") => {
            "PrivilegedEligibilitySchedule.Read.AzureADGroup"
        }
        () if path.contains("/roleManagement/directory") => "RoleManagement.Read.Directory",
        () if path.contains("/conditionalAccess") || path.contains("/policies/") => {
            "Policy.Read.All"
        }
        () if path.contains("/transitiveMembers") => "GroupMember.Read.All and User.Read.All",
        () if path.contains("/groups") => "GroupMember.Read.All",
        () if path.contains("/users") => "User.Read.All",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::needed;

    #[test]
    fn state_is_a_policy_permission() {
        assert_eq!(
            needed("GET", "/beta/users/x/authentication/requirements"),
            Some("Policy.Read.All")
        );
        assert_eq!(
            needed("PATCH", "/beta/users/x/authentication/requirements"),
            Some("Policy.ReadWrite.AuthenticationMethod")
        );
        assert_eq!(needed("GET", "/v1.0/users?$select=id"), Some("User.Read.All"));
    }
}
