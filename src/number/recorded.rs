//! Numbers of a snapshot, which has no number: what a person may see of it, its kind of line, and a class that is
//! the same for equal numbers. The text of a directory attribute becomes what was read of it, by country.
//!
//! Not here: the key of the classes (`snapshot`), or the file (`snapshot::rows`).

use std::fmt;
use std::str::FromStr;

use super::mask::MaskParts;
use super::{Extension, Form, Line, NumberFault, PhoneNumber, RawNumber, Region, TextOf};

/// Replaces a number: equal for equal numbers. It comes from a secret key, so nobody can test guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberClass(pub u64);

/// The kinds of line, with their words in a snapshot.
const LINES: [(Line, &str); 12] = [
    (Line::Mobile, "mobile"),
    (Line::FixedLineOrMobile, "fixedLineOrMobile"),
    (Line::FixedLine, "fixedLine"),
    (Line::TollFree, "tollFree"),
    (Line::PremiumRate, "premiumRate"),
    (Line::SharedCost, "sharedCost"),
    (Line::Voip, "voip"),
    (Line::Personal, "personal"),
    (Line::Pager, "pager"),
    (Line::Uan, "uan"),
    (Line::Voicemail, "voicemail"),
    (Line::Unknown, "unknown"),
];

/// A number as a snapshot has it. Its text is `+31 6••••••78 mobile 1f0c9e6b2a7d4853`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedNumber(PhoneNumber);

/// The text is not a recorded number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a recorded number")]
pub struct NotRecorded;

impl RecordedNumber {
    /// Records a number. A number of a snapshot stays as it is.
    #[must_use]
    pub fn of(number: PhoneNumber, class: impl Fn(&str) -> NumberClass) -> Self {
        match number.form {
            Form::Recorded => Self(number),
            Form::Full => {
                let class = class(&number.expose_for_graph());
                Self(Self::made(number.shown(), number.line, class))
            }
        }
    }

    /// Returns the number, if it is one of a snapshot already.
    #[must_use]
    pub fn again(number: PhoneNumber) -> Option<Self> {
        (number.form == Form::Recorded).then_some(Self(number))
    }

    /// Returns the number for a plan. It is shown and compared like the one that was recorded.
    #[must_use]
    pub const fn number(self) -> PhoneNumber {
        self.0
    }

    const fn made(shown: MaskParts, line: Line, NumberClass(class): NumberClass) -> PhoneNumber {
        PhoneNumber {
            country: shown.country,
            national: class,
            extension: shown.packed(),
            line,
            form: Form::Recorded,
        }
    }
}

impl fmt::Display for RecordedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = LINES.iter().find(|(line, _)| *line == self.0.line);
        let line = line.map_or("unknown", |(_, word)| word);
        write!(f, "{} {line} {:016x}", self.0, self.0.national)
    }
}

impl FromStr for RecordedNumber {
    type Err = NotRecorded;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.rsplitn(3, ' ');
        let class = parts.next().filter(|hex| hex.len() == 16).ok_or(NotRecorded)?;
        let class = u64::from_str_radix(class, 16).map_err(|_| NotRecorded)?;
        let line = parts.next().ok_or(NotRecorded)?;
        let line = LINES.iter().find(|(_, word)| *word == line).ok_or(NotRecorded)?.0;
        let shown = parts.next().and_then(MaskParts::parse).ok_or(NotRecorded)?;
        Ok(Self(Self::made(shown, line, NumberClass(class))))
    }
}

/// What was read of the text of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordedText {
    /// Whether the text begins with `+` and a country code, so that its country does not matter.
    pub has_country_code: bool,
    pub readings: Vec<RecordedReading>,
}

/// What one country makes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordedReading {
    pub region: Option<Region>,
    /// Without an extension.
    pub alone: Result<PhoneNumber, NumberFault>,
    /// Where an extension is allowed.
    pub extended: Result<PhoneNumber, NumberFault>,
}

impl RecordedText {
    /// Reads the text without a country, and by each of these countries if that can differ.
    #[must_use]
    pub fn of(
        raw: &RawNumber,
        regions: impl IntoIterator<Item = Region>,
        class: impl Fn(&str) -> NumberClass,
    ) -> Self {
        let record = |read: Result<PhoneNumber, NumberFault>| {
            read.map(|number| RecordedNumber::of(number, &class).number())
        };
        let reading = |region| RecordedReading {
            region,
            alone: record(raw.read(region, Extension::Refused)),
            extended: record(raw.read(region, Extension::Allowed)),
        };
        let has_country_code = raw.has_country_code();
        let mut readings = vec![reading(None)];
        if !has_country_code {
            readings.extend(regions.into_iter().map(|region| reading(Some(region))));
        }
        Self { has_country_code, readings }
    }

    pub(super) fn read(
        &self,
        region: Option<Region>,
        extension: Extension,
    ) -> Result<PhoneNumber, NumberFault> {
        let region = region.filter(|_| !self.has_country_code);
        let found = self.readings.iter().find(|one| one.region == region);
        let found = found.ok_or(NumberFault::NotRecorded)?;
        match extension {
            Extension::Refused => found.alone,
            Extension::Allowed => found.extended,
        }
    }
}

impl RawNumber {
    /// Returns the attribute of a snapshot.
    #[must_use]
    pub fn recorded(text: RecordedText) -> Self {
        Self(TextOf::Recorded(Box::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> NumberClass {
        NumberClass(text.bytes().fold(7, |class, byte| class.wrapping_mul(31) ^ u64::from(byte)))
    }

    #[test]
    fn recorded_number_is_shown_and_compared_like_the_number() {
        let numbers = ["+31612345678", "+4420794609581x123", "+3541234", "+47123456"];
        let numbers = numbers.map(|text| PhoneNumber::from_graph(text).unwrap());
        for number in numbers {
            let recorded = RecordedNumber::of(number, class);
            assert_eq!(recorded.number().to_string(), number.to_string());
            assert_eq!(recorded.number().line(), number.line());
            assert_eq!(recorded.number().has_extension(), number.has_extension());
            assert_eq!(recorded.to_string().parse(), Ok(recorded), "{recorded}");
            assert_eq!(RecordedNumber::of(recorded.number(), class), recorded);
            assert!(!recorded.number().expose_for_graph().contains("2345"));
            for other in numbers {
                let other_recorded = RecordedNumber::of(other, class);
                assert_eq!(recorded == other_recorded, number == other, "{number} {other}");
            }
        }
        let text = RecordedNumber::of(numbers[0], class).to_string();
        assert!(text.starts_with("+31 6••••••78 mobile "), "{text}");
        for wrong in ["", "+31 6••••••78 mobile", "+31 612345678 mobile 0123456789abcdef"]
        {
            assert_eq!(wrong.parse::<RecordedNumber>(), Err(NotRecorded), "{wrong}");
        }
    }

    #[test]
    fn recorded_text_is_read_as_the_text_was() {
        let regions = ["NL", "DE"].map(|code| Region::new(code).unwrap());
        for text in ["06 12345678", "+31 6 12345678", "call me", "020 7946 0958 x12", "", "123"] {
            let raw = RawNumber::new(text);
            let recorded = RawNumber::recorded(RecordedText::of(&raw, regions, class));
            assert_eq!(recorded.has_country_code(), raw.has_country_code());
            for region in [None, Some(regions[0]), Some(regions[1])] {
                for extension in [Extension::Refused, Extension::Allowed] {
                    let read = raw.read(region, extension);
                    let read = read.map(|number| RecordedNumber::of(number, class).number());
                    assert_eq!(recorded.read(region, extension), read, "{text} {region:?}");
                }
            }
            let other = recorded.read(Region::new("FR"), Extension::Refused);
            assert_eq!(other == Err(NumberFault::NotRecorded), !raw.has_country_code(), "{text}");
        }
    }
}
