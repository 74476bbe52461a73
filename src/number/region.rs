//! The countries that have phone numbers, by their codes.
//!
//! The codes stand here and are not asked of the phone library, which needs ten milliseconds to load: most
//! commands read a code, and not all of them read a number. A test compares them with the library.
//!
//! Not here: the names of countries (`country`), or their numbering plans (a library, see `read`).

use std::fmt;
use std::str::FromStr;

/// A country that has phone numbers, as ISO 3166-1 alpha-2 in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Region([u8; 2]);

impl serde::Serialize for Region {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Region {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The codes of all of them, sorted.
const CODES: [&str; 245] = [
    "AC", "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
    "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS",
    "BT", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO",
    "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG",
    "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG",
    "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GT", "GU", "GW", "GY", "HK", "HN", "HR", "HT",
    "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE",
    "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR",
    "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN",
    "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF",
    "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL",
    "PM", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD",
    "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY",
    "SZ", "TA", "TC", "TD", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW",
    "TZ", "UA", "UG", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "XK",
    "YE", "YT", "ZA", "ZM", "ZW",
];

/// The error that a text is not the code of a country that has phone numbers, such as `NL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a two-letter country code")]
pub struct NotARegion;

/// Returns all of them.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = Region> {
    CODES.into_iter().filter_map(Region::new)
}

impl Region {
    /// Reads two ASCII letters, in either case, that name a country with a numbering plan.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        if !letters.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let region = Self(letters.map(|letter| letter.to_ascii_uppercase()));
        CODES.binary_search(&region.as_str()).is_ok().then_some(region)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(super) fn plan(self) -> Option<rlibphonenumber::Region> {
        self.as_str().parse().ok()
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text).ok_or(NotARegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::PHONE_NUMBER_UTIL;

    use super::*;

    #[test]
    fn codes_are_those_of_the_phone_library() {
        let mut plans: Vec<String> =
            PHONE_NUMBER_UTIL.get_supported_regions().map(|plan| plan.to_string()).collect();
        plans.sort();
        assert_eq!(plans, CODES);
        for code in plans {
            assert!(Region::new(&code).is_some_and(|region| region.plan().is_some()), "{code}");
        }
    }

    #[test]
    fn regions_are_countries_with_numbering_plans() {
        assert_eq!(Region::new("nl").unwrap().to_string(), "NL");
        assert_eq!("NL".parse::<Region>().unwrap().as_str(), "NL");
        for text in ["", "N", "NLD", "N1", "ÑL", "XX", "ZZ", "  ", " N", "L "] {
            assert_eq!(Region::new(text), None, "{text}");
        }
    }
}
