//! Phone numbers that cannot be printed in full by accident.
//!
//! [`PhoneNumber`] is a parsed number of 16 bytes, which is always shown masked. [`RawNumber`] is the
//! unparsed text of a directory attribute. `read` parses text into a number, `mask` shows a number, `region`
//! knows the countries that have numbers, `country` knows them by their names, and `recorded` replaces numbers in a
//! snapshot.
//!
//! Not here: whether a user may have the number, or whether it reaches the user (`posture`).

mod country;
mod mask;
mod read;
mod recorded;
mod region;

pub use mask::MaskedNumber;
pub use recorded::{NotRecorded, NumberClass, RecordedNumber, RecordedReading, RecordedText};
pub use region::{NotARegion, Region};

use std::fmt;

use rlibphonenumber::PhoneNumberType;

/// The unparsed text of a directory attribute. It has no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawNumber(TextOf);

#[derive(Clone, PartialEq, Eq, Hash)]
enum TextOf {
    Attribute(Box<str>),
    /// What was read of the text; the text itself is not kept.
    Recorded(Box<RecordedText>),
}

/// A parsed phone number. It is shown masked, as `+31 6••••••78`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    country: u16,
    /// The digits after the country code, with a 1 before them so that leading zeros survive.
    national: u64,
    /// The digits of the extension, packed in the same way; 0 if there is none.
    extension: u32,
    line: Line,
    form: Form,
}

/// What the fields of a number hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
enum Form {
    /// All digits.
    Full,
    /// What is shown of the number, in `extension`, and its class, in `national`.
    Recorded,
}

/// The kind of line of a number, by its country's numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Line {
    Mobile,
    /// The plan does not distinguish the two, as under `+1`.
    FixedLineOrMobile,
    FixedLine,
    TollFree,
    PremiumRate,
    SharedCost,
    Voip,
    Personal,
    Pager,
    /// A company number that leads to any of its offices.
    Uan,
    Voicemail,
    /// In no range of the plan: the number is not valid.
    Unknown,
}

/// Whether an extension (`x123`) may follow the number. Microsoft dials extensions only at office phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    Refused,
    Allowed,
}

/// Why a text is not a valid number. It never contains any of the text.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    thiserror::Error,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum NumberFault {
    #[error("is empty")]
    Empty,
    #[error("has no digits")]
    NoDigits,
    #[error("is masked")]
    Masked,
    #[error("has letters")]
    Letters,
    #[error("has digits other than 0 to 9")]
    ForeignDigits,
    #[error("has a character that no phone number has")]
    UnexpectedCharacter,
    #[error("has more than one number")]
    SeveralNumbers,
    #[error("has its international prefix twice")]
    DoubledPrefix,
    #[error("can be read as two different numbers")]
    Ambiguous,
    #[error("is a national number, and its country is unknown")]
    RegionUnknown,
    #[error("begins with a country code that does not exist")]
    CountryUnknown,
    #[error("is too short")]
    TooShort,
    #[error("is too long")]
    TooLong,
    #[error("has a length that no number of its country has")]
    NotPossible,
    #[error("is in no range of its country's numbering plan")]
    NotValid,
    #[error("has an extension, which is not allowed here")]
    ExtensionNotAllowed,
    #[error("has an extension that is not 1 to 8 digits")]
    ExtensionLength,
    #[error("was not recorded as a number of this country")]
    NotRecorded,
}

impl RawNumber {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(TextOf::Attribute(text.into()))
    }

    /// Parses the text, as [`PhoneNumber::read`] does.
    ///
    /// # Errors
    /// The text is no valid number; or it is from a snapshot, which has no reading by this country.
    pub fn read(
        &self,
        region: Option<Region>,
        extension: Extension,
    ) -> Result<PhoneNumber, NumberFault> {
        match &self.0 {
            TextOf::Attribute(text) => PhoneNumber::read(text, region, extension),
            TextOf::Recorded(text) => text.read(region, extension),
        }
    }

    /// Whether the text begins with `+` and a country code, so that [`PhoneNumber::read`] gives the same
    /// result for each region. A text with a slash can be two numbers, so it does not count.
    #[must_use]
    pub fn has_country_code(&self) -> bool {
        match &self.0 {
            TextOf::Attribute(text) => text.trim_start().starts_with('+') && !text.contains('/'),
            TextOf::Recorded(text) => text.has_country_code,
        }
    }
}

impl fmt::Debug for RawNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawNumber(…)")
    }
}

impl PhoneNumber {
    /// Parses a directory attribute. National numbers are parsed by `region`. The result is a valid number of
    /// its country or a fault, never a guess.
    pub fn read(
        text: &str,
        region: Option<Region>,
        extension: Extension,
    ) -> Result<Self, NumberFault> {
        read::directory(text, region, extension)
    }

    /// Parses a registered number as Graph returns it, with or without the space after the country code. A
    /// number that is in no numbering plan is accepted, as [`Line::Unknown`].
    pub fn from_graph(text: &str) -> Result<Self, NumberFault> {
        read::registered(text)
    }

    /// The number in full in the format of Graph: `+31 612345678`, `+1 5555551234x123`. For a request to
    /// Graph, never to show to a person. A number of a snapshot has only its mask, which Graph refuses.
    #[must_use]
    pub fn expose_for_graph(&self) -> String {
        if self.form == Form::Recorded {
            return self.to_string();
        }
        let mut text = format!("+{} {}", self.country, behind_one(self.national));
        if self.has_extension() {
            text.push('x');
            text.push_str(&behind_one(self.extension.into()));
        }
        text
    }

    #[must_use]
    pub const fn line(&self) -> Line {
        self.line
    }

    #[must_use]
    pub const fn has_extension(&self) -> bool {
        match self.form {
            Form::Full => self.extension != 0,
            Form::Recorded => mask::MaskParts::unpacked(self.country, self.extension).has_extension,
        }
    }

    /// Whether the number is in its country's numbering plan.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        !matches!(self.line, Line::Unknown)
    }

    /// Whether the number can receive a text message: a mobile, or a line that may be one. Voice-over-IP and
    /// personal numbers receive texts in some networks only, and a wrong yes leaves a user stuck.
    #[must_use]
    pub const fn can_receive_text(&self) -> bool {
        matches!(self.line, Line::Mobile | Line::FixedLineOrMobile)
    }

    /// Whether a call can reach a person at the number. No person answers at a pager or a mailbox, or at a
    /// toll-free or premium-rate number that is called from another country.
    #[must_use]
    pub const fn can_receive_call(&self) -> bool {
        !matches!(
            self.line,
            Line::TollFree | Line::PremiumRate | Line::Pager | Line::Voicemail | Line::Unknown
        )
    }

    /// Packs digits. Returns `None` if they do not fit; the digits of every numbering plan fit.
    fn pack(country: u16, national: &str, extension: &str, line: Line) -> Option<Self> {
        let extension = match extension {
            "" => 0,
            digits => u32::try_from(after_one(digits, 8)?).ok()?,
        };
        let national = after_one(national, 17)?;
        Some(Self { country, national, extension, line, form: Form::Full })
    }
}

impl From<PhoneNumberType> for Line {
    fn from(kind: PhoneNumberType) -> Self {
        match kind {
            PhoneNumberType::Mobile => Self::Mobile,
            PhoneNumberType::FixedLineOrMobile => Self::FixedLineOrMobile,
            PhoneNumberType::FixedLine => Self::FixedLine,
            PhoneNumberType::TollFree => Self::TollFree,
            PhoneNumberType::PremiumRate => Self::PremiumRate,
            PhoneNumberType::SharedCost => Self::SharedCost,
            PhoneNumberType::VoIP => Self::Voip,
            PhoneNumberType::PersonalNumber => Self::Personal,
            PhoneNumberType::Pager => Self::Pager,
            PhoneNumberType::UAN => Self::Uan,
            PhoneNumberType::VoiceMail => Self::Voicemail,
            PhoneNumberType::Unknown => Self::Unknown,
        }
    }
}

/// Packs `0123` as 10123.
fn after_one(digits: &str, most: usize) -> Option<u64> {
    let fits = !digits.is_empty() && digits.len() <= most;
    fits.then(|| format!("1{digits}").parse().ok()).flatten()
}

/// Unpacks 10123 as `0123`.
fn behind_one(packed: u64) -> String {
    packed.to_string().split_off(1)
}

#[cfg(test)]
mod tests;
