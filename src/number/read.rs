//! Text into a number, or the reason why not.
//!
//! The numbering plans are a library's. What is decided here is what that library takes too
//! easily: letters as digits, doubled prefixes, two readings of one text. The library gets bare
//! digits only. Its tables are loaded by the first number read.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, Region as Plan, ValidationError,
};

use super::{Extension, Line, NumberFault, PhoneNumber, Region};

/// More digits than any number has, with every prefix anybody writes.
const MOST_DIGITS: usize = 30;

/// What somebody wrote, taken apart.
struct Written {
    plus: bool,
    digits: String,
    /// Where the zero of a `(0)` stands in `digits`.
    bracketed_zero: Option<usize>,
    extension: String,
}

/// Reads what a directory attribute holds.
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
    // Some countries dial out with more than 00, as 0011 in Australia.
    either(abroad, valid(&written.digits, plan, &written.extension))
}

/// Reads a number as Graph gives it. What is registered is taken as it is, valid or not.
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

    /// Reads digits of a country. Where they begin with its own code and the `+` may have been lost, both
    /// are tried.
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

    /// Reads digits that begin with a country code. A `(0)` among them is dialled inside the
    /// country only, but Italy's belongs to the number: both are tried.
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
            // Lund's numbers begin with +46 46: what is valid as a whole is doubled only where
            // the rest is the same number, or a mobile of full length.
            if rest.is_ok_and(|rest| {
                whole.is_err() || whole == Ok(rest) || rest.line() == Line::Mobile
            }) {
                return Err(NumberFault::DoubledPrefix);
            }
        }
        whole
    }
}

/// `x123`, `ext. 123`: the digits.
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

/// Masked values show `*`, `•` or `X` for a digit. One X alone begins an extension.
fn is_masked(text: &str) -> bool {
    let is_x = |character: char| character.eq_ignore_ascii_case(&'x');
    let mut letters = text.chars().filter(|character| character.is_alphabetic()).peekable();
    let only_x = letters.peek().is_some() && letters.clone().all(is_x);
    text.contains(['*', '•', '●']) || only_x && (letters.count() > 1 || text.ends_with(is_x))
}

/// What people and phone books put between digits, dots and slashes apart.
fn is_separator(character: char) -> bool {
    match character {
        '\t' | '-' | '\u{ad}' | '\u{2212}' => true,
        // Dashes; marks of direction and joiners that come along when a number is copied.
        '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => true,
        _ => character.is_whitespace() && !character.is_control(),
    }
}

/// No country code is the beginning of another.
fn split_country(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        let country: u16 = code.parse().ok()?;
        let known = !code.starts_with('0')
            && PHONE_NUMBER_UTIL.get_region_for_country_code(country.into()).is_some();
        known.then_some((country, national))
    })
}

/// The reading that holds, where not both do.
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

/// Reads bare digits, `+` before them where they begin with a country code.
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
        // It lacks its area code.
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(ValidationError::TooShort) => {
            return Err(NumberFault::TooShort);
        }
        Err(ValidationError::TooLong) => return Err(NumberFault::TooLong),
        Err(ValidationError::InvalidLength) => return Err(NumberFault::NotPossible),
        Err(ValidationError::InvalidCountryCode) => return Err(NumberFault::CountryUnknown),
    }
    let line = Line::from(PHONE_NUMBER_UTIL.get_number_type(&number));
    if line == Line::Unknown || !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return Err(NumberFault::NotValid);
    }
    let country = u16::try_from(number.country_code).map_err(|_| NumberFault::CountryUnknown)?;
    let national = rlibphonenumber::get_national_significant_number_owned(&number);
    PhoneNumber::pack(country, &national, extension, line).ok_or(NumberFault::TooLong)
}
