//! What an identity may do in a tenant, held against what is needed of it.
//!
//! Not here: which permission is needed for what, or how it is found out (`entra`).

/// What something is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    Plan,
    Apply,
}

/// How it stands with one thing that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// The token does not have the permission.
    NoPermission,
    /// Refused although the token has the permission: a person lacks the directory role, or what
    /// was granted has not arrived everywhere.
    Refused,
    /// The tenant has no licence for it, so nobody uses it: nothing is missing.
    NoLicence,
    /// This cloud does not have it.
    NotThere,
    /// No answer, and why.
    Unreachable(String),
    /// There was nobody to try it with.
    NotKnown,
}

/// One thing that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub purpose: Purpose,
    pub what: &'static str,
    /// The least privileged permission for it.
    pub permission: &'static str,
    /// The directory role that a person needs as well.
    pub role: &'static str,
    /// The licence without which there is nothing to read.
    pub licence: Option<&'static str>,
    pub verdict: Verdict,
}

/// All that is needed, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub checks: Vec<Check>,
    /// The token is a person's, and not an application's own.
    pub is_person: bool,
    /// The permissions of the token that would let it change something.
    pub writes: Vec<String>,
}

impl Purpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
        }
    }
}

impl Verdict {
    /// The word for programs.
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
    /// What to do about it, where something is missing.
    #[must_use]
    pub fn help(&self, is_person: bool) -> Option<String> {
        let Self { permission, role, .. } = self;
        Some(match &self.verdict {
            Verdict::Fine | Verdict::NoLicence => return None,
            Verdict::NoPermission => format!("grant `{permission}`, with admin consent"),
            Verdict::Refused if is_person => {
                format!("whoever is signed in needs a directory role, such as {role}")
            }
            Verdict::Refused => {
                "what was just granted takes some minutes; else look for a Conditional Access policy for workload identities".to_owned()
            }
            Verdict::NotThere => {
                "this cloud does not have it; what rests on it stays unknown".to_owned()
            }
            Verdict::Unreachable(why) => why.clone(),
            Verdict::NotKnown => "there was nobody to try it with".to_owned(),
        })
    }
}

impl Access {
    /// Those that are needed and are not there.
    pub fn missing(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict.is_missing())
    }
}
