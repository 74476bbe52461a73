//! The mobile phone that a user registers for MFA.

use crate::number::Region;

/// A directory attribute that can hold a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    MobilePhone,
    /// The first of `businessPhones`; Entra keeps one.
    BusinessPhones,
    /// `extensionAttribute1` to `extensionAttribute15`.
    Extension(u8),
}

/// How a national number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RegionRule {
    /// By the user's own `usageLocation`.
    #[default]
    UsageLocation,
    Country(Region),
}

/// `phones.mobile: { from, region }`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    pub from: Attribute,
    pub region: RegionRule,
}
