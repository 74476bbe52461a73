//! What an identity may do in a tenant, compared with what mfactl needs.
//!
//! Not here: which permission is needed for what, or how it is checked (`entra`).

/// The command that needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessPurpose {
    Plan,
    Apply,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessVerdict {
    Fine,
    /// The token lacks the permission.
    NoPermission,
    /// Refused although the token has the permission: the user lacks the directory role, or a new grant is
    /// not effective everywhere yet.
    Refused,
    /// The tenant has no licence for the feature, so no user uses it and nothing is missing.
    NoLicence,
    /// This cloud does not have the feature.
    NotThere,
    /// No answer, with the reason.
    Unreachable(String),
    /// There was no user to try it with.
    NotKnown,
}

/// One check of what mfactl needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub purpose: AccessPurpose,
    pub what: &'static str,
    /// The least privileged permission for it.
    pub permission: &'static str,
    /// The directory role that a signed-in user needs in addition.
    pub role: &'static str,
    /// The licence without which there is nothing to read.
    pub licence: Option<&'static str>,
    pub verdict: AccessVerdict,
}

/// All checks and their results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub checks: Vec<Check>,
    /// Whether the token belongs to a user, not to an application.
    pub is_person: bool,
    /// The permissions of the token that allow changes.
    pub writes: Vec<String>,
}

impl AccessPurpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
        }
    }
}

impl AccessVerdict {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::NoPermission => "noPermission",
            Self::Refused => "refused",
            Self::NoLicence => "noLicence",
            Self::NotThere => "notThere",
            Self::Unreachable(_) => "unreachable",
            Self::NotKnown => "notKnown",
        }
    }

    /// Whether something is missing.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        !matches!(self, Self::Fine | Self::NoLicence | Self::NotKnown)
    }
}

impl Check {
    /// What the user can do next. `None` if nothing is missing.
    #[must_use]
    pub fn help(&self, is_person: bool) -> Option<String> {
        let Self { permission, role, .. } = self;
        Some(match &self.verdict {
            AccessVerdict::Fine | AccessVerdict::NoLicence => return None,
            AccessVerdict::NoPermission => format!("grant `{permission}`, with admin consent"),
            AccessVerdict::Refused if is_person => {
                format!("the signed-in user needs a directory role, such as {role}")
            }
            AccessVerdict::Refused => {
                "a new grant takes some minutes; otherwise check for a Conditional Access policy for workload identities".to_owned()
            }
            AccessVerdict::NotThere => {
                "this cloud does not have it; what depends on it stays unknown".to_owned()
            }
            AccessVerdict::Unreachable(why) => why.clone(),
            AccessVerdict::NotKnown => "there was no user to try it with".to_owned(),
        })
    }
}

impl Access {
    /// The checks that found something missing.
    pub fn missing(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict.is_missing())
    }
}
