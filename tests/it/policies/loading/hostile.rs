//! Hostile files: huge files, YAML bombs, bytes that are not text, and lines that would flood or
//! control the terminal of the user.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use mfactl::finding::Code;
use mfactl::render::diagnostic::{self, Style};
use proptest::prelude::*;

use super::{Project, STAFF};

#[test]
fn five_hundred_policies_in_one_file_are_read() {
    many_policies_are_read(500);
}

#[test]
#[ignore = "long: ten thousand policies"]
fn ten_thousand_policies_in_one_file_are_read() {
    many_policies_are_read(2_000);
    many_policies_are_read(10_000);
}

fn many_policies_are_read(count: usize) {
    let mut text = "version: 1\npolicies:\n".to_owned();
    for number in 0..count {
        text += &format!(
            "  p{number}:\n    description: one of many\n    priority: {number}\n    appliesTo:\n      \
             groups: [A, B, C]\n      users: [a@b.c, d@e.f]\n    desired:\n      phones:\n        \
             mobile: {{ from: mobilePhone, region: NL }}\n      perUserMfa: enabled\n"
        );
    }
    let project = Project::new().file("policies/many.yaml", text);
    // No time is asserted, because quadratic work would take far too long to go unnoticed.
    let set = project.load().expect("policies");
    assert_eq!(set.policies.len(), count);
}

#[test]
fn thousands_of_faults_in_one_file_are_reported() {
    let mut text = "version: 1\npolicies:\n".to_owned();
    for number in 0..2_000 {
        text += &format!("  p{number}: {{ appliesTo: {{ groups: [A] }}, desired: {{}} }}\n");
    }
    let project = Project::new().file("policies/many.yaml", text);
    assert!(project.report().ends_with("\n2000 errors in 1 file\n"));
}

#[test]
fn yaml_bombs_are_refused() {
    let groups = "        - &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &('b'..='i')
            .zip('a'..='h')
            .map(|(name, inner)| {
                format!("        - &{name} [{}]\n", vec![format!("*{inner}"); 10].join(", "))
            })
            .collect::<String>();
    let bombs = [
        STAFF.replace(" [All Staff]\n", &format!("\n{groups}")),
        format!("version: 1\npolicies: {}", "[".repeat(100_000)),
        format!("version: 1\npolicies: {}", "{a: ".repeat(100_000)),
        "version: 1\npolicies:\n  a: &a\n    appliesTo: *a\n".to_owned(),
        format!("version: 1\n{}", "---\n".repeat(100_000)),
        format!("# {}", "x".repeat(17 * 1024 * 1024)),
        format!("version: 1\n{}", "- ".repeat(500_000)),
    ];
    for bomb in bombs {
        let project = Project::new().file("policies/bomb.yaml", bomb);
        let codes = project.codes();
        assert_eq!(codes.len(), 1, "{codes:?}");
    }
}

#[test]
fn other_encodings_are_refused_and_not_guessed() {
    let wide = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        let text = STAFF.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(text).collect::<Vec<u8>>()
    };
    for text in [
        wide(b"\xff\xfe", u16::to_le_bytes),
        wide(b"\xfe\xff", u16::to_be_bytes),
        wide(b"", u16::to_le_bytes),
        STAFF.replace("All Staff", "All \0 Staff").into_bytes(),
        STAFF.replace("All Staff", "Gesch\u{e4}ft").encode_utf16().map(|unit| unit as u8).collect(),
    ] {
        let project = Project::new().file("policies/staff.yaml", text);
        assert_eq!(project.codes(), [Code::InvalidYaml]);
        assert!(project.report().len() < 1000, "{}", project.report());
        assert_harmless(&project.report());
    }
}

#[test]
fn file_of_fifty_megabytes_is_refused() {
    let text = STAFF.to_owned() + &"# x\n".repeat(50 * 1024 * 1024 / 4);
    let project = Project::new().file("policies/staff.yaml", text);
    assert_eq!(project.codes(), [Code::FileUnreadable]);
}

#[test]
fn hostile_lines_give_a_short_and_harmless_report() {
    lines_give_a_short_report(100_000);
}

#[test]
#[ignore = "long: lines of three megabytes"]
fn hostile_lines_of_megabytes_give_a_short_and_harmless_report() {
    lines_give_a_short_report(3_000_000);
}

fn lines_give_a_short_report(length: usize) {
    let long = "x".repeat(length);
    for text in [
        STAFF.replace("All Staff]", &format!("All Staff], {long}: 1")),
        STAFF.replace("enabled", &long),
        STAFF.replace("perUserMfa: enabled", &format!("\"{long}\": 1")),
        STAFF.replace("staff:", &format!("{{ \"{long}\": 1, b: [\"\u{1b}[31m\u{202e}\"] }}")),
        STAFF.replace("staff:", "\"\\e[31m\\u202E\":").replace("desired:", "desire:"),
        STAFF.replace("[All Staff]", &format!("[{}] # {long}", "A,".repeat(50_000)))
            + "    more: 1\n",
        format!("version: 1\npolicies: {{ {}a: 1, a: 2 }}", "\t".repeat(1000)),
        STAFF.replace("enabled", &format!("*{long}")),
        STAFF.replace("enabled", &format!("!{long} x")),
        format!("%{long} x\n---\n{STAFF}"),
        format!("version: 1\n&{long} policies: *{long}2"),
    ] {
        let report = Project::new().file("policies/staff.yaml", text).report();
        assert!(report.len() < 3000, "{} bytes:\n{report:.3000}", report.len());
        assert_harmless(&report);
    }
}

fn assert_harmless(report: &str) {
    let harmful = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!report.contains(harmful), "{report:?}");
}

/// Checks that any file gives policies or faults, and that the faults can be shown.
fn judge(text: &[u8]) {
    let project = Project::new().file("policies/a.yaml", text);
    if let Err(faults) = project.load() {
        assert!(!faults.findings.is_empty());
        for finding in &faults.findings {
            assert_eq!(finding.message, finding.message.trim());
            assert!(!finding.message.contains(['\n', '\r']), "{finding:?}");
            for label in &finding.labels {
                let source = faults.sources.get(label.origin.file).expect("a source");
                assert!(label.origin.span.offset as usize <= source.text.len(), "{finding:?}");
            }
        }
        assert_harmless(&diagnostic::report(&faults.findings, &faults.sources, Style::Plain));
    }
}

/// A valid file with a few pieces removed, repeated or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec![
        STAFF,
        include_str!("../../../samples/valid/everything/policies/admins/everything.yml"),
        include_str!("../../../samples/valid/everything/policies/everyone.yaml"),
        include_str!("../../../samples/valid/everything/policies/selectors.yaml"),
    ]);
    let pieces = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\t",
        ":",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "~",
        "null",
        "*a",
        "&a ",
        "!x ",
        "!!str ",
        "'",
        "\"",
        "|\n",
        "<<: ",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "#",
        ",",
        "é",
        "\u{202e}",
        "0x1",
        "1e999",
        "groups",
        "id",
        "everyone: yes\n",
        "{}",
        "[]",
        "\r\n",
        "\u{85}",
        "\u{feff}",
    ]);
    let change = (any::<prop::sample::Index>(), 0_usize..12, pieces);
    (base, prop::collection::vec(change, 1..4)).prop_map(|(base, changes)| {
        let mut letters: Vec<char> = base.chars().collect();
        for (place, length, piece) in changes {
            let start = place.index(letters.len().max(1)).min(letters.len());
            let end = (start + length).min(letters.len());
            letters.splice(start..end, piece.chars());
        }
        letters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn any_bytes_give_policies_or_faults(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        judge(&bytes);
    }

    #[test]
    fn any_text_gives_policies_or_faults(text in "[ \\t\\n:\\-\\[\\]{}#&*!|>'\"%@`,?a-c0-2~é]{0,80}") {
        judge(text.as_bytes());
    }

    #[test]
    fn any_change_of_a_valid_file_gives_policies_or_faults(text in mutated()) {
        judge(text.as_bytes());
    }
}
