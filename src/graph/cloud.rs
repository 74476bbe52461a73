//! Microsoft's clouds: their hosts, and the audience of their tokens.
//!
//! Graph documentation, "National cloud deployments" (checked 2026-11). A token of one cloud is not
//! accepted in another. Not here: addresses that a user gives (`endpoint`).

use std::fmt;
use std::str::FromStr;

/// One of the four clouds that run Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cloud {
    /// The worldwide cloud, with the US government's community cloud (GCC).
    #[default]
    Global,
    /// US government L4 (GCC High).
    UsGov,
    /// US government L5 (Department of Defense).
    UsGovDod,
    /// China, run by 21Vianet.
    China,
}

/// A name that is not one of the known names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {what}: use one of {known}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

impl Cloud {
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGov, Self::UsGovDod, Self::China];

    /// Returns the name as it is written in `mfactl.yaml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "usGov",
            Self::UsGovDod => "usGovDod",
            Self::China => "china",
        }
    }

    /// Returns the root address of Graph. A token is requested for the same address.
    #[must_use]
    pub const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Returns the address of the sign-in service.
    #[must_use]
    pub const fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGov | Self::UsGovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Returns another address of the same sign-in service.
    pub(super) const fn second_login(self) -> Option<&'static str> {
        match self {
            Self::China => Some("https://login.partner.microsoftonline.cn"),
            _ => None,
        }
    }

    /// Returns the audience that tokens of another identity provider must have, so that Entra accepts them
    /// (Microsoft Entra documentation, "Workload identity federation", checked 2026-11).
    pub(super) const fn exchange(self) -> &'static str {
        match self {
            Self::Global => "api://AzureADTokenExchange",
            Self::UsGov | Self::UsGovDod => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cloud {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        named("cloud", text, Self::ALL, Self::name)
    }
}

/// Returns the element of `all` whose name is `text`.
pub(super) fn named<T: Copy, const N: usize>(
    what: &'static str,
    text: &str,
    all: [T; N],
    name: impl Fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let found = all.into_iter().find(|one| name(*one) == text);
    found.ok_or_else(|| UnknownName {
        what,
        given: text.to_owned(),
        known: all.map(|one| format!("`{}`", name(one))).join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloud_is_parsed_from_its_name() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.to_string().parse(), Ok(cloud));
        }
        assert_eq!(
            "Global".parse::<Cloud>().unwrap_err().to_string(),
            "`Global` is not a cloud: use one of `global`, `usGov`, `usGovDod`, `china`"
        );
    }
}
