//! Hostile text must not break out of any format. The formats are read here by the rules of their readers.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::source::Span;

/// Text that ends a value, a line or a document in one of the formats.
const HOSTILE: [&str; 14] = [
    "\n::error::pwned",
    "\r\n##vso[task.setvariable variable=x]pwned",
    "::",
    "]]>",
    "\"><pwned/>",
    "'&amp;",
    ";code=pwned]",
    ",title=pwned",
    "%0A::error::pwned",
    "%AZP25",
    "\u{202e}\u{200b}",
    "\u{1b}[31m\u{0}\u{85}\u{2028}",
    "[x](https://pwned)",
    "{0}",
];

fn origin(file: FileId, line: u32, offset: u32) -> Origin {
    Origin { file, span: Span { line, column: 1, offset, len: 3 } }
}

/// A document with an error, a warning and a note, whose words all contain this text.
fn about(text: &str) -> FindingDocument {
    let mut sources = Sources::default();
    let file =
        sources.add(format!("policies/{text}.yaml"), format!("a: 1\npolicies:\n  {text}: 1\n"));
    let findings = [Code::UnknownKey, Code::ExceptionOver, Code::NumberKept].map(|code| {
        Finding::new(code, format!("about {text}"))
            .help(format!("do {text}"))
            .policy(text)
            .at(origin(file, 3, 15), text)
            .at(origin(file, 1, 0), text)
    });
    FindingDocument::new(&findings, &sources, "mfactl.yaml", |file| file.path.clone())
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(HOSTILE.to_vec()), 1..4);
    prop_oneof![pieces.prop_map(|pieces| pieces.concat()), any::<String>()]
}

/// The commands that a runner sees: the marker at the beginning of a line for GitHub, anywhere for Azure.
fn commands<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    text.split(['\n', '\r']).filter(|line| line.contains(mark)).collect()
}

/// Whether XML is well formed, as far as this module writes it. Returns the number of elements.
fn elements(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut count = 0;
    for part in
        text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?.split('<').skip(1)
    {
        let (tag, content) = part.split_once('>')?;
        (!content.contains(['>', '"', '\''])).then_some(())?;
        let quotes = tag.matches('"').count();
        (quotes % 2 == 0).then_some(())?;
        match tag.strip_prefix('/') {
            Some(name) => (open.pop()? == name).then_some(())?,
            None => {
                count += 1;
                if !tag.ends_with('/') {
                    open.push(tag.split(' ').next()?);
                }
            }
        }
    }
    open.is_empty().then_some(count)
}

proptest! {
    #[test]
    fn hostile_text_stays_inside_every_format(text in hostile()) {
        let all = about(&text);
        let annotations = github::document(&all);
        let lines: Vec<&str> = annotations.lines().collect();
        prop_assert_eq!(lines.len(), 3, "{}", annotations);
        for (line, kind) in lines.iter().zip(["error", "warning", "notice"]) {
            let rest = line.strip_prefix(&format!("::{kind} ")).unwrap_or_default();
            let (properties, message) = rest.split_once("::").unwrap_or_default();
            let keys: Vec<&str> = properties.split(',').filter_map(|one| one.split('=').next()).collect();
            prop_assert_eq!(keys, ["file", "line", "endLine", "col", "endColumn", "title"], "{}", line);
            prop_assert!(message.starts_with("about "), "{}", line);
        }
        prop_assert_eq!(commands(&annotations, "::").len(), 3, "{}", annotations);
        prop_assert!(!annotations.contains("##"), "{}", annotations);

        let issues = azure::document(&all);
        prop_assert_eq!(commands(&issues, "##").len(), 2, "{}", issues);
        for line in issues.lines().take(2) {
            let (head, message) = line.split_once(']').unwrap_or_default();
            prop_assert_eq!(head.matches(';').count(), 4, "{}", line);
            prop_assert!(message.starts_with("about ") && !message.contains([';', ']']), "{}", line);
        }
        prop_assert_eq!(elements(&junit::document(&all)), Some(6), "{}", junit::document(&all));
        for out in [annotations, issues, junit::document(&all)] {
            prop_assert!(!out.chars().any(|one| one != '\n' && crate::untrusted::hides(one)), "{:?}", out);
        }
    }

    #[test]
    fn hostile_text_stays_inside_json(text in hostile()) {
        let all = about(&text);
        for out in [json::document(&all), sarif::document(&all), codeclimate::document(&all)] {
            prop_assert!(!out.contains("##"), "{}", out);
            prop_assert!(!out.chars().any(|one| one != '\n' && crate::untrusted::hides(one)), "{:?}", out);
            prop_assert!(serde_json::from_str::<Value>(&out).is_ok(), "{}", out);
        }
        let value: Value = serde_json::from_str(&json::document(&all)).unwrap();
        let file = value.pointer("/findings/0/place/file").and_then(Value::as_str);
        let path = format!("policies/{text}.yaml");
        prop_assert_eq!(file, Some(path.as_str()));
        let sarif: Value = serde_json::from_str(&sarif::document(&all)).unwrap();
        let place = "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri";
        let uri = sarif.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let is_reference = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
        prop_assert!(uri.starts_with("policies/") && uri.chars().all(is_reference), "{}", uri);
    }
}

#[test]
fn fingerprint_depends_on_the_rule_and_not_on_the_line() {
    let of = |before: &str, name: &str, code| {
        let mut sources = Sources::default();
        let text = format!("version: 1\n{before}policies:\n  {name}:\n    desired:\n      x: 1\n");
        let line = u32::try_from(text.lines().count()).unwrap();
        let file = sources.add("policies/a.yaml", text.as_str());
        let place = origin(file, line, u32::try_from(text.len() - 5).unwrap());
        let finding = Finding::new(code, "m").at(place, "");
        let twice = [finding.clone(), finding];
        let all = FindingDocument::new(&twice, &sources, "mfactl.yaml", |file| file.path.clone());
        let prints: Vec<String> = all.findings.iter().map(|one| one.fingerprint.clone()).collect();
        assert_ne!(prints[0], prints[1], "two equal findings differ");
        prints
    };
    let first = of("", "staff", Code::UnknownKey);
    assert_eq!(first, of("# a comment\n\n", "staff", Code::UnknownKey));
    assert_ne!(first, of("", "pilot", Code::UnknownKey));
    assert_ne!(first, of("", "staff", Code::EmptyKey));
}

#[test]
fn at_most_ten_annotations_of_a_kind_are_written() {
    let findings: Vec<Finding> = (0..25).map(|_| Finding::new(Code::UnknownKey, "x")).collect();
    let all =
        FindingDocument::new(&findings, &Sources::default(), "mfactl.yaml", |_| String::new());
    let out = github::document(&all);
    assert_eq!(out.matches("::error title=unknown-key::x").count(), 10);
    assert!(out.ends_with("\n::notice::and 15 more in the log\n"), "{out}");
}

#[test]
fn range_of_several_lines_has_no_columns_in_an_annotation() {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", "one: |\n  two\n  three\n");
    let span = Span { line: 1, column: 6, offset: 5, len: 15 };
    let finding = Finding::new(Code::UnknownKey, "x").at(Origin { file, span }, "");
    let all = FindingDocument::new(&[finding], &sources, "mfactl.yaml", |file| file.path.clone());
    assert_eq!(
        github::document(&all),
        "::error file=a.yaml,line=1,endLine=3,title=unknown-key::x\n"
    );
}
