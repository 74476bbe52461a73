//! The attributes of a user in the directory that can hold a phone number.
//!
//! Not here: reading the number in one (`number`), or the user (`directory`).

use super::directory::User;
use crate::number::RawNumber;

/// A directory attribute that can hold a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    MobilePhone,
    /// The first of `businessPhones`; the directory accepts one.
    BusinessPhones,
    /// `extensionAttribute1` to `extensionAttribute15`.
    Extension(u8),
}

impl Attribute {
    /// Every attribute.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::MobilePhone, Self::BusinessPhones].into_iter().chain((1..=15).map(Self::Extension))
    }

    /// The attribute with this name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|attribute| attribute.to_string() == word)
    }

    /// The value of this attribute of the user, if it is not empty.
    #[must_use]
    pub fn of(self, user: &User) -> Option<&RawNumber> {
        user.attributes.iter().find(|(attribute, _)| *attribute == self).map(|(_, number)| number)
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MobilePhone => f.write_str("mobilePhone"),
            Self::BusinessPhones => f.write_str("businessPhones"),
            Self::Extension(number) => write!(f, "extensionAttribute{number}"),
        }
    }
}
