//! A table of numbers, and properties of every number.

use std::fmt::Write as _;

use proptest::prelude::*;
use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::*;

/// Columns: text (with Rust's escapes), region or `-`, `x` if an extension is allowed, the number for Graph
/// or the name of the fault, the line, the reason.
const TABLE: &str = include_str!("../../tests/numbers.tsv");

#[test]
fn numbers_are_parsed_by_their_numbering_plans() {
    let rows: Vec<_> =
        TABLE.lines().skip(1).filter(|row| !row.starts_with("# ")).map(cells).collect();
    let mut wrong = String::new();
    for [text, region, extension, expected, line, why] in &rows {
        let region = (*region != "-").then(|| Region::new(region).unwrap());
        let extension = if *extension == "x" { Extension::Allowed } else { Extension::Refused };
        let (found, found_line) = match PhoneNumber::read(&unescape(text), region, extension) {
            Ok(number) => (number.expose_for_graph(), format!("{:?}", number.line())),
            Err(fault) => (format!("{fault:?}"), "-".to_owned()),
        };
        if (found.as_str(), found_line.as_str()) != (*expected, *line) {
            writeln!(wrong, "{text} → {found} {found_line}, not {expected} {line} ({why})")
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(rows.len() > 150, "the table lost rows: {}", rows.len());
}

fn cells(row: &str) -> [&str; 6] {
    let cells: Vec<_> = row.split('\t').collect();
    cells.try_into().unwrap_or_else(|_| panic!("not six columns: {row}"))
}

fn unescape(text: &str) -> String {
    let mut rest = text.replace("\\t", "\t").replace("\\n", "\n");
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (code, after) = after.split_once('}').unwrap();
        let character = char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap();
        rest = format!("{before}{character}{after}");
    }
    rest
}

#[test]
fn number_takes_16_bytes_also_inside_an_option_or_an_enum() {
    #[expect(dead_code, reason = "only its size matters")]
    enum Known {
        Unread,
        Forbidden,
        None,
        Some(PhoneNumber),
    }
    assert_eq!(size_of::<PhoneNumber>(), 16);
    assert_eq!(size_of::<Option<PhoneNumber>>(), 16);
    assert_eq!(size_of::<Known>(), 16);
}

#[test]
fn number_is_shown_masked() {
    let shown = [
        ("+31 612345678", "+31 6••••••78"),
        ("+39 0669812345", "+39 0•••••••45"),
        ("+1 5555551234x123", "+1 5•••••••34x•••"),
        ("+47 40612345", "+47 4•••••45"),
        // Niue: four digits.
        ("+683 4002", "+683 ••02"),
    ];
    for (text, masked) in shown {
        let number = PhoneNumber::from_graph(text).unwrap();
        assert_eq!(number.to_string(), masked);
        assert_eq!(format!("{number:?}"), format!("PhoneNumber({masked})"));
        assert_eq!(number.expose_for_graph(), text);
    }
    assert_eq!(format!("{:?}", RawNumber::new("+31 612345678")), "RawNumber(…)");
}

#[test]
fn registered_numbers_are_parsed_with_and_without_the_space() {
    let spaced = PhoneNumber::from_graph("+31 612345678").unwrap();
    assert_eq!(PhoneNumber::from_graph("+31612345678"), Ok(spaced));
    assert_eq!(spaced.line(), Line::Mobile);
    let extended = PhoneNumber::from_graph("+1 2125550123x123").unwrap();
    assert_eq!(extended.expose_for_graph(), "+1 2125550123x123");
    assert!(extended.has_extension());
    // Registered and in no numbering plan: still a number, but it can receive nothing.
    let invalid = PhoneNumber::from_graph("+1 5555551234").unwrap();
    assert_eq!((invalid.line(), invalid.is_valid()), (Line::Unknown, false));
    assert!(!invalid.can_receive_text());
}

#[test]
fn invalid_registered_numbers_are_faults() {
    let faults = [
        ("", NumberFault::Empty),
        ("+31 6XXXXXX78", NumberFault::Masked),
        ("+XX XXXXXXX12", NumberFault::Masked),
        ("+31 *******78", NumberFault::Masked),
        ("0612345678", NumberFault::RegionUnknown),
        ("+31", NumberFault::TooShort),
        ("+999 123456", NumberFault::CountryUnknown),
        ("+31 123456789012345678", NumberFault::TooLong),
    ];
    for (text, fault) in faults {
        assert_eq!(PhoneNumber::from_graph(text), Err(fault), "{text}");
    }
}

#[test]
fn only_possible_mobiles_receive_texts() {
    let all = [
        ("+31 612345678", true),
        ("+1 2125550123", true),
        ("+31 201234567", false),
        ("+31 8001234567", false),
        ("+44 7640123456", false),
        ("+44 7012345678", false),
        ("+31 851234567", false),
    ];
    for (text, yes) in all {
        assert_eq!(PhoneNumber::from_graph(text).unwrap().can_receive_text(), yes, "{text}");
    }
}

#[test]
fn lines_without_a_person_receive_no_calls() {
    let all = [
        ("+31 612345678", true),
        ("+1 2125550123", true),
        ("+31 201234567", true),
        ("+31 851234567", true),
        ("+44 7012345678", true),
        ("+31 8001234567", false),
        ("+1 8002345678", false),
        ("+1 9002345678", false),
        ("+31 9061234567", false),
        ("+44 7640123456", false),
        ("+1 5555551234", false),
    ];
    for (text, yes) in all {
        assert_eq!(PhoneNumber::from_graph(text).unwrap().can_receive_call(), yes, "{text}");
    }
}

#[test]
fn fault_is_one_lower_case_clause() {
    for fault in [NumberFault::Empty, NumberFault::NotValid, NumberFault::ExtensionLength] {
        let text = fault.to_string();
        assert!(text.starts_with(|first: char| first.is_lowercase()), "{text}");
        assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
    }
}

/// Texts that are often valid numbers.
fn written() -> impl Strategy<Value = String> {
    let begin = prop::sample::select(vec![
        "+31 6", "+31 20", "0031 6", "06", "+49 171", "+49 30", "+39 06", "+39 347", "+1 212",
        "+52 1 55", "+52 55", "+54 9 11", "+54 11", "+55 11 9", "+44 7", "+46 46", "+225 0",
        "+86 1",
    ]);
    (begin, "[0-9]{4,10}").prop_map(|(begin, rest)| format!("{begin}{rest}"))
}

proptest! {
    #[test]
    fn mask_hides_the_middle(text in written()) {
        let Ok(number) = PhoneNumber::from_graph(&text) else { return Ok(()) };
        let full = number.expose_for_graph();
        let (country, national) = full.split_once(' ').unwrap();
        let (first, shown_last) = (usize::from(national.len() >= 7), national.len() - 2);
        let hidden = shown_last - first;
        let expected = format!(
            "{country} {}{}{}", &national[..first], "•".repeat(hidden), &national[shown_last..]
        );
        prop_assert_eq!(number.to_string(), expected);
        let shown = number.to_string().replacen(country, "", 1);
        for run in national.as_bytes()[first..shown_last].windows(3) {
            prop_assert!(!shown.contains(str::from_utf8(run).unwrap()));
        }
    }

    #[test]
    fn graph_format_round_trips(text in written()) {
        let region = Region::new("NL");
        if let Ok(number) = PhoneNumber::read(&text, region, Extension::Refused) {
            let sent = number.expose_for_graph();
            prop_assert_eq!(PhoneNumber::read(&sent, None, Extension::Refused), Ok(number));
            prop_assert_eq!(PhoneNumber::from_graph(&sent), Ok(number));
            prop_assert!(number.is_valid());
        }
        if let Ok(number) = PhoneNumber::from_graph(&text) {
            prop_assert_eq!(PhoneNumber::from_graph(&number.expose_for_graph()), Ok(number));
        }
    }

    #[test]
    fn number_with_a_country_code_is_the_same_in_every_region(
        text in "[ \t]{0,2}\\+(31|1|39|46|61|683)?[0-9 ()./xX*\\-\u{660}\u{2013}\u{200e}é+]{0,24}",
        place in 0_usize..245,
        extension in prop::sample::select(vec![Extension::Allowed, Extension::Refused]),
    ) {
        if RawNumber::new(text.as_str()).has_country_code() {
            let region = region::all().nth(place);
            prop_assert!(region.is_some());
            let alone = PhoneNumber::read(&text, None, extension);
            prop_assert_eq!(PhoneNumber::read(&text, region, extension), alone);
        } else {
            prop_assert!(text.contains('/'));
        }
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in "\\PC*") {
        let _ = PhoneNumber::read(&text, Region::new("NL"), Extension::Allowed);
        let _ = PhoneNumber::from_graph(&text);
    }

    #[test]
    fn number_like_text_is_parsed_without_panic(text in "[+0-9 ()./xX*\\-\u{660}\u{2013}é]{0,24}") {
        let _ = PhoneNumber::read(&text, Region::new("DE"), Extension::Allowed);
        let _ = PhoneNumber::from_graph(&text);
    }

    #[test]
    fn text_with_a_letter_is_refused(text in written(), letter in "\\p{L}", place in 0_usize..8) {
        let mut text = text;
        text.insert_str(place.min(text.len()), &letter);
        prop_assert!(PhoneNumber::read(&text, Region::new("NL"), Extension::Refused).is_err());
    }
}

/// A number of which the library knows the kind of line is valid, and no other is.
#[test]
#[ignore = "long: loads the tables of every country"]
fn number_is_valid_exactly_if_its_line_is_known() {
    use rlibphonenumber::PhoneNumberType;
    let (mut valid, mut invalid) = (0, 0);
    for plan in PHONE_NUMBER_UTIL.get_supported_regions() {
        let Ok(example) = PHONE_NUMBER_UTIL.get_example_number(plan) else { continue };
        // The examples, and their neighbours: most ranges end somewhere among them.
        for step in 0..2_000 {
            let mut number = example.clone();
            number.national_number ^= step * 104_729;
            let known = PHONE_NUMBER_UTIL.get_number_type(&number) != PhoneNumberType::Unknown;
            assert_eq!(PHONE_NUMBER_UTIL.is_valid_number(&number), known, "{number:?}");
            *(if known { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert!(valid > 10_000 && invalid > 10_000, "{valid} {invalid}");
}

/// Our rules must not refuse the real numbers of any country.
#[test]
#[ignore = "long: loads the tables of every country"]
fn examples_of_every_country_are_parsed_in_every_format() {
    use rlibphonenumber::{PhoneNumberFormat, PhoneNumberType};
    let kinds = [
        PhoneNumberType::Mobile,
        PhoneNumberType::FixedLine,
        PhoneNumberType::TollFree,
        PhoneNumberType::VoIP,
    ];
    let mut read = 0;
    for plan in PHONE_NUMBER_UTIL.get_supported_regions() {
        let region = Region::new(&plan.to_string()).unwrap();
        for kind in kinds {
            let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(plan, kind)
            else {
                continue;
            };
            let text = |format| PHONE_NUMBER_UTIL.format(&example, format).into_owned();
            let international = text(PhoneNumberFormat::International);
            let number = PhoneNumber::read(&international, None, Extension::Refused);
            assert!(number.is_ok(), "{international} of {region}: {number:?}");
            let national = text(PhoneNumberFormat::National);
            let same = PhoneNumber::read(&national, Some(region), Extension::Refused);
            assert_eq!(same, number, "{national} of {region}");
            let e164 = text(PhoneNumberFormat::E164);
            assert_eq!(PhoneNumber::from_graph(&e164), number, "{e164}");
            read += 1;
        }
    }
    assert!(read > 500, "{read}");
}
