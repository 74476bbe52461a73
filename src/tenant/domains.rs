//! The domains of a tenant, and where the users of each sign in: here, or at a provider that may do MFA
//! itself.
//!
//! A user belongs to the domain of the principal name. Entra lists each subdomain separately.
//!
//! Not here: users of another home tenant (`directory`), or how domains are read (`entra`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::facts::{Read, UnknownReason};

/// Where the users of a domain sign in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum SignsIn {
    /// Here; or at a provider whose MFA Entra ignores, so that Entra does its own MFA.
    Here,
    /// At a provider that may do MFA, which Entra then accepts.
    AtProvider,
    /// Federated, and whether Entra accepts the provider's MFA could not be read.
    Unread(UnknownReason),
    /// In a way that this program does not know.
    Unknown,
}

/// The domains of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Domains(Read<BTreeMap<String, SignsIn>>);

impl Domains {
    #[must_use]
    pub fn new(listed: impl IntoIterator<Item = (String, SignsIn)>) -> Self {
        let listed = listed.into_iter().map(|(name, signs_in)| {
            let name = canonical(&name).into_owned();
            (name, signs_in)
        });
        Self(Read::Known(listed.collect()))
    }

    /// Domains that could not be listed.
    #[must_use]
    pub const fn unread(why: UnknownReason) -> Self {
        Self(Read::Unknown(why))
    }

    /// Where the user with this principal name signs in. Unknown for a domain that is not listed.
    #[must_use]
    pub fn of(&self, principal_name: &str) -> SignsIn {
        match (&self.0, domain_of(principal_name)) {
            (Read::Known(listed), Some(domain)) => {
                listed.get(domain.as_ref()).copied().unwrap_or(SignsIn::Unknown)
            }
            (Read::Known(_), None) => SignsIn::Unknown,
            (Read::Unknown(why), _) => SignsIn::Unread(*why),
        }
    }

    /// Why the domains could not be listed.
    #[must_use]
    pub const fn unknown(&self) -> Option<UnknownReason> {
        self.0.unknown()
    }

    /// For how many domains it could not be read whether Entra accepts the provider's MFA, and why.
    #[must_use]
    pub fn unread_providers(&self) -> Option<(usize, UnknownReason)> {
        let listed = self.0.known().into_iter().flat_map(BTreeMap::values);
        let mut unread = listed.filter_map(|signs_in| match signs_in {
            SignsIn::Unread(why) => Some(*why),
            SignsIn::Here | SignsIn::AtProvider | SignsIn::Unknown => None,
        });
        let why = unread.next()?;
        Some((1 + unread.count(), why))
    }
}

/// The domain of a principal name, in the form in which domains are compared.
#[must_use]
pub fn domain_of(principal_name: &str) -> Option<Cow<'_, str>> {
    let (_, domain) = principal_name.rsplit_once('@')?;
    (!domain.is_empty()).then(|| canonical(domain))
}

/// Returns a domain in lower case, and an international domain in its ASCII form.
fn canonical(domain: &str) -> Cow<'_, str> {
    match domain {
        ascii if ascii.is_ascii() && !ascii.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Cow::Borrowed(ascii)
        }
        ascii if ascii.is_ascii() => Cow::Owned(ascii.to_ascii_lowercase()),
        international => Cow::Owned(match url::Host::parse(international) {
            Ok(url::Host::Domain(ascii)) => ascii,
            Ok(_) | Err(_) => international.to_lowercase(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_of_the_name_decides_where_a_user_signs_in() {
        let domains = Domains::new([
            ("exchangelabs.nl".to_owned(), SignsIn::Here),
            ("Sales.ExchangeLabs.nl".to_owned(), SignsIn::AtProvider),
            ("münchen.de".to_owned(), SignsIn::AtProvider),
            ("xn--kln-sna.de".to_owned(), SignsIn::AtProvider),
            ("closed.nl".to_owned(), SignsIn::Unread(UnknownReason::Forbidden)),
        ]);
        for (name, expected) in [
            ("me@exchangelabs.nl", SignsIn::Here),
            ("me@EXCHANGELABS.NL", SignsIn::Here),
            ("me@sales.exchangelabs.nl", SignsIn::AtProvider),
            ("me@SALES.exchangelabs.nl", SignsIn::AtProvider),
            ("me@other.exchangelabs.nl", SignsIn::Unknown),
            ("me@exchangelabs.nl.example", SignsIn::Unknown),
            ("me@xn--mnchen-3ya.de", SignsIn::AtProvider),
            ("me@MÜNCHEN.de", SignsIn::AtProvider),
            ("me@Köln.de", SignsIn::AtProvider),
            ("me@closed.nl", SignsIn::Unread(UnknownReason::Forbidden)),
            ("\"a@b\"@sales.exchangelabs.nl", SignsIn::AtProvider),
            ("6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61", SignsIn::Unknown),
            ("me@", SignsIn::Unknown),
            ("", SignsIn::Unknown),
        ] {
            assert_eq!(domains.of(name), expected, "{name}");
        }
        assert_eq!(domains.unread_providers(), Some((1, UnknownReason::Forbidden)));
        let none = Domains::unread(UnknownReason::Failed);
        assert_eq!(none.of("me@exchangelabs.nl"), SignsIn::Unread(UnknownReason::Failed));
        assert_eq!((none.unknown(), none.unread_providers()), (Some(UnknownReason::Failed), None));
    }
}
