//! Parses text into a number, or says why it is not one.
//!
//! The numbering plans come from a library. This module decides what the library accepts too easily: letters
//! as digits, doubled prefixes, and texts with two meanings. The library gets only digits. It loads its
//! tables with the first number.
//!
//! Not here: the masked form of a number (`mask`).

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, Region as Plan, ValidationError,
};

use super::{Extension, Line, NumberFault, PhoneNumber, Region};

/// More digits than any number has, with every prefix that users write.
const MOST_DIGITS: usize = 30;

/// The parts of a written number.
struct Written {
    plus: bool,
    digits: String,
    /// The place in `digits` of the zero of a `(0)`.
    bracketed_zero: Option<usize>,
    extension: String,
}

/// Parses a directory attribute.
pub(super) fn directory(
    text: &str,
    region: Option<Region>,
    extension: Extension,
) -> Result<PhoneNumber, NumberFault> {
    if let Some((left, right)) = text.split_once('/') {
        let full = |half| directory(half, region, extension).is_ok();
        if full(left) && full(right) {
            return Err(NumberFault::SeveralNumbers);
        }
    }
    let written = Written::from_text(text)?;
    if extension == Extension::Refused && !written.extension.is_empty() {
        return Err(NumberFault::ExtensionNotAllowed);
    }
    let plan = region.and_then(Region::plan);
    if written.plus {
        return written.abroad(&written.digits, written.bracketed_zero);
    }
    let Some(after_prefix) = written.digits.strip_prefix("00") else {
        return match plan {
            Some(plan) => written.national(plan),
            None => Err(NumberFault::RegionUnknown),
        };
    };
    let zero = written.bracketed_zero.and_then(|place| place.checked_sub(2));
    let abroad = written.abroad(after_prefix, zero);
    if plan.is_none() || abroad == Err(NumberFault::DoubledPrefix) {
        return abroad;
    }
    // In some countries the international prefix is longer than 00, such as 0011 in Australia.
    either(abroad, valid(&written.digits, plan, &written.extension))
}

/// Parses a number as Graph returns it. A registered number is accepted even if it is not valid.
pub(super) fn registered(text: &str) -> Result<PhoneNumber, NumberFault> {
    let written = Written::from_text(text)?;
    if !written.plus {
        return Err(NumberFault::RegionUnknown);
    }
    if let Ok(number) = valid(&format!("+{}", written.digits), None, &written.extension) {
        return Ok(number);
    }
    let (country, national) = split_country(&written.digits).ok_or(NumberFault::CountryUnknown)?;
    if national.is_empty() {
        return Err(NumberFault::TooShort);
    }
    PhoneNumber::pack(country, national, &written.extension, Line::Unknown)
        .ok_or(NumberFault::TooLong)
}

impl Written {
    fn from_text(text: &str) -> Result<Self, NumberFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NumberFault::Empty);
        }
        if is_masked(text) {
            return Err(NumberFault::Masked);
        }
        let letters = text.find(char::is_alphabetic).unwrap_or(text.len());
        let (number, tail) = text.split_at(letters);
        let mut written = Self {
            plus: false,
            digits: String::new(),
            bracketed_zero: None,
            extension: if tail.is_empty() { String::new() } else { extension(tail)? },
        };
        written.take(number)?;
        match written.digits.len() {
            0 if tail.is_empty() => Err(NumberFault::NoDigits),
            0 => Err(NumberFault::Letters),
            1..=MOST_DIGITS => Ok(written),
            _ => Err(NumberFault::TooLong),
        }
    }

    fn take(&mut self, number: &str) -> Result<(), NumberFault> {
        let mut bracket = None;
        for character in number.chars() {
            match character {
                '0'..='9' => self.digits.push(character),
                '+' if self.plus || self.digits.starts_with("00") => {
                    return Err(NumberFault::DoubledPrefix);
                }
                '+' if self.digits.is_empty() => self.plus = true,
                '(' => bracket = Some(self.digits.len()),
                ')' => {
                    let inside = bracket.take().and_then(|start| self.digits.get(start..));
                    if inside == Some("0") {
                        self.bracketed_zero = self.digits.len().checked_sub(1);
                    }
                }
                '.' | '/' => {}
                _ if is_separator(character) => {}
                _ if character.is_numeric() => return Err(NumberFault::ForeignDigits),
                _ => return Err(NumberFault::UnexpectedCharacter),
            }
        }
        Ok(())
    }

    /// Parses the digits of a national number. If they begin with the country's own code, the `+` may have
    /// been lost, so both readings are tried.
    fn national(&self, plan: Plan) -> Result<PhoneNumber, NumberFault> {
        let as_written = valid(&self.digits, Some(plan), &self.extension);
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(plan).map(|code| code.to_string());
        match code {
            Some(code) if self.digits.starts_with(&code) => {
                either(as_written, valid(&format!("+{}", self.digits), None, &self.extension))
            }
            _ => as_written,
        }
    }

    /// Parses digits that begin with a country code. A `(0)` among them is dialled only inside the country,
    /// but in Italy it belongs to the number, so both readings are tried.
    fn abroad(&self, digits: &str, zero: Option<usize>) -> Result<PhoneNumber, NumberFault> {
        let as_written = self.behind_plus(digits);
        let Some((before, after)) = zero.and_then(|place| digits.split_at_checked(place)) else {
            return as_written;
        };
        if as_written == Err(NumberFault::DoubledPrefix) {
            return as_written;
        }
        let without = format!("{before}{}", after.get(1..).unwrap_or_default());
        either(as_written, self.behind_plus(&without))
    }

    fn behind_plus(&self, digits: &str) -> Result<PhoneNumber, NumberFault> {
        if digits.starts_with("00") {
            return Err(NumberFault::DoubledPrefix);
        }
        let (country, national) = split_country(digits).ok_or(NumberFault::CountryUnknown)?;
        let whole = valid(&format!("+{digits}"), None, &self.extension);
        if national.starts_with("00") {
            return Err(NumberFault::DoubledPrefix);
        }
        if national.starts_with(&country.to_string()) {
            let rest = valid(&format!("+{national}"), None, &self.extension);
            // Numbers in Lund begin with +46 46. So if the whole number is valid, its prefix is doubled only
            // if the rest is the same number, or a complete mobile number.
            if rest.is_ok_and(|rest| {
                whole.is_err() || whole == Ok(rest) || rest.line() == Line::Mobile
            }) {
                return Err(NumberFault::DoubledPrefix);
            }
        }
        whole
    }
}

/// Returns the digits of `x123` or `ext. 123`.
fn extension(tail: &str) -> Result<String, NumberFault> {
    let tail = tail.to_lowercase();
    let digits = ["extension", "ext", "x"]
        .iter()
        .find_map(|word| tail.strip_prefix(word))
        .ok_or(NumberFault::Letters)?
        .trim_start_matches(|character| is_separator(character) || matches!(character, '.' | ':'));
    if !digits.chars().all(|character| character.is_ascii_digit()) {
        return Err(NumberFault::Letters);
    }
    match digits.len() {
        1..=8 => Ok(digits.to_owned()),
        _ => Err(NumberFault::ExtensionLength),
    }
}

/// Whether a value is masked: `*`, `•` or `X` instead of a digit. A single X begins an extension.
fn is_masked(text: &str) -> bool {
    let is_x = |character: char| character.eq_ignore_ascii_case(&'x');
    let mut letters = text.chars().filter(|character| character.is_alphabetic()).peekable();
    let only_x = letters.peek().is_some() && letters.clone().all(is_x);
    text.contains(['*', '•', '●']) || only_x && (letters.count() > 1 || text.ends_with(is_x))
}

/// Whether a character separates digits in written numbers. Dots and slashes are handled elsewhere.
fn is_separator(character: char) -> bool {
    match character {
        '\t' | '-' | '\u{ad}' | '\u{2212}' => true,
        // Dashes, and the direction marks and joiners that copied numbers contain.
        '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => true,
        _ => character.is_whitespace() && !character.is_control(),
    }
}

/// Splits digits after the country code. No country code is the beginning of another.
fn split_country(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        let country: u16 = code.parse().ok()?;
        let known = !code.starts_with('0')
            && PHONE_NUMBER_UTIL.get_region_for_country_code(country.into()).is_some();
        known.then_some((country, national))
    })
}

/// Returns the valid reading. Two different valid readings are ambiguous.
fn either(
    first: Result<PhoneNumber, NumberFault>,
    second: Result<PhoneNumber, NumberFault>,
) -> Result<PhoneNumber, NumberFault> {
    match (first, second) {
        (Ok(one), Ok(other)) if one != other => Err(NumberFault::Ambiguous),
        (Err(_), Ok(number)) => Ok(number),
        (first, _) => first,
    }
}

/// Parses digits, with a `+` before them if they begin with a country code. Accepts only valid numbers.
fn valid(digits: &str, plan: Option<Plan>, extension: &str) -> Result<PhoneNumber, NumberFault> {
    let number = PHONE_NUMBER_UTIL.parse(digits, plan).map_err(|error| match error {
        ParseError::InvalidCountryCode => NumberFault::CountryUnknown,
        ParseError::TooLongNsn => NumberFault::TooLong,
        ParseError::NotANumber(_) | ParseError::TooShortAfterIdd | ParseError::TooShortNsn => {
            NumberFault::TooShort
        }
    })?;
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
        Ok(NumberLengthType::IsPossible) => {}
        // The area code is missing.
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(ValidationError::TooShort) => {
            return Err(NumberFault::TooShort);
        }
        Err(ValidationError::TooLong) => return Err(NumberFault::TooLong),
        Err(ValidationError::InvalidLength) => return Err(NumberFault::NotPossible),
        Err(ValidationError::InvalidCountryCode) => return Err(NumberFault::CountryUnknown),
    }
    // The library calls a number valid exactly if it knows what kind of line it is.
    let line = Line::from(PHONE_NUMBER_UTIL.get_number_type(&number));
    if line == Line::Unknown {
        return Err(NumberFault::NotValid);
    }
    let country = u16::try_from(number.country_code).map_err(|_| NumberFault::CountryUnknown)?;
    let national = rlibphonenumber::get_national_significant_number_owned(&number);
    PhoneNumber::pack(country, &national, extension, line).ok_or(NumberFault::TooLong)
}
