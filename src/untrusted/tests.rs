//! How hostile text is shown.

use proptest::prelude::*;
use serde::Serialize as _;

use super::*;

#[test]
fn invisible_characters_and_commands_are_escaped() {
    for (text, shown) in [
        ("All Staff", "All Staff"),
        (
            "Ärzte · 日本 · 山田\u{3000}太郎 · हिन्दी · สวัสดี",
            "Ärzte · 日本 · 山田\u{3000}太郎 · हिन्दी · สวัสดี",
        ),
        (
            "a\nb\rc\t\u{1b}[31m\u{7f}\u{85}\u{9b}",
            "a\\u{a}b\\u{d}c\\u{9}\\u{1b}[31m\\u{7f}\\u{85}\\u{9b}",
        ),
        ("\u{202e}txt\u{2066}\u{200f}\u{61c}", "\\u{202e}txt\\u{2066}\\u{200f}\\u{61c}"),
        ("a\u{200b}b\u{ad}c\u{feff}d\u{2060}", "a\\u{200b}b\\u{ad}c\\u{feff}d\\u{2060}"),
        ("\u{115f}\u{1160}\u{3164}\u{ffa0}", "\\u{115f}\\u{1160}\\u{3164}\\u{ffa0}"),
        ("a\u{34f}\u{17b4}\u{180b}\u{2800}", "a\\u{34f}\\u{17b4}\\u{180b}\\u{2800}"),
        ("a\u{fe0f}\u{e0100}\u{e0041}", "a\\u{fe0f}\\u{e0100}\\u{e0041}"),
        ("\u{2028}\u{2029}\u{e000}\u{fff9}", "\\u{2028}\\u{2029}\\u{e000}\\u{fff9}"),
        ("e\u{301}", "e\u{301}"),
        ("\u{301}e", "\\u{301}e"),
        ("::error::x", ":\\u{3a}error:\\u{3a}x"),
        ("##vso[task]##[e]", "#\\u{23}vso[task]#\\u{23}[e]"),
        ("####", "#\\u{23}#\\u{23}"),
        ("a_b.c#EXT#@d: e", "a_b.c#EXT#@d: e"),
    ] {
        assert_eq!(printable(text), shown, "{text:?}");
        assert_eq!(printable(shown), shown, "escaped text does not change");
    }
    let marks = "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}";
    assert_eq!(printable(marks), "a\u{300}\u{301}\u{302}\u{303}\\u{304}\\u{305}");
}

#[test]
fn long_label_is_cut_in_the_middle() {
    let long: String = ('a'..='z').cycle().take(65).collect();
    let shown = Untrusted::new(long.as_str()).to_string();
    assert_eq!(shown, "abcdefghijklmnopqrstuvwxyzabcdefghijklmn…bcdefghijklm");
    assert_eq!(shown.chars().count(), BEGIN + 1 + END);
    assert_eq!(label(&long[..64]), long[..64]);
    assert_eq!(format!("{:#}", Untrusted::new(long.as_str())), long);
    assert_eq!(format!("{:<6}|", Untrusted::from("a\n")), "a\\u{a}|");
    assert_eq!(format!("{:<4}|", Untrusted::from("a")), "a   |");
}

#[test]
fn page_keeps_line_feeds_and_colours() {
    let own = "\u{1b}[1mmfactl plan\u{1b}[0m   → ✓\n  a: b\n\n";
    assert!(matches!(page(own), Cow::Owned(text) if text == own));
    assert!(matches!(page("a\n→\n"), Cow::Borrowed(_)));
    for (text, shown) in [
        ("a\r\u{1b}[2K\u{1b}]0;x\u{7}b", "a\\u{d}\\u{1b}[2K\\u{1b}]0;x\\u{7}b"),
        ("::error::x\n  ::warning\n", ":\\u{3a}error::x\n  :\\u{3a}warning\n"),
        ("\u{1b}[31m::error\u{1b}[0m", "\u{1b}[31m:\\u{3a}error\u{1b}[0m"),
        ("\u{a0}::error", "\u{a0}:\\u{3a}error"),
        ("text ##[error]x", "text #\\u{23}[error]x"),
        ("#\u{1b}[1m#vso[", "#\u{1b}[1m\\u{23}vso["),
        ("a::b", "a::b"),
    ] {
        assert_eq!(page(text), shown, "{text:?}");
    }
}

/// Strings of harmful and harmless pieces.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\n",
        "\r",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{200b}",
        "\u{3164}",
        "\u{115f}",
        "\u{fe0f}",
        "\u{2028}",
        "\u{85}",
        "::",
        ":",
        "#",
        "##",
        "##[error]",
        "##vso[task.setvariable]x",
        "::error::",
        "\u{301}",
        "a",
        " ",
        "é",
        "日",
        "\u{e0041}",
        "\u{1b}[31m",
        "\u{1b}",
        "[0m",
        "\"",
        "\\",
        "{",
        "\u{7f}",
    ]);
    let words = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![words, any::<String>()]
}

/// Whether a runner would obey the text, or a terminal would hide part of it.
fn is_harmful(text: &str) -> bool {
    text.contains("##")
        || text.chars().any(|letter| letter != '\n' && hides(letter))
        || text.split('\n').any(|line| line.trim_start().starts_with("::"))
}

proptest! {
    #[test]
    fn printable_text_is_one_harmless_line(before in hostile(), text in hostile()) {
        let shown = printable(&text);
        prop_assert!(!is_harmful(&shown) && !shown.contains('\n'), "{shown:?}");
        prop_assert_eq!(printable(&shown), &*shown);
        let name = label(&text);
        prop_assert!(!is_harmful(&name) && !name.contains('\n'), "{name:?}");
        let joined = format!("{}{}: {}", printable(&before), shown, label(&text));
        let out = without_colours(&page(&joined));
        prop_assert!(!is_harmful(&out), "{out:?}");
    }

    #[test]
    fn pages_and_log_lines_are_harmless(text in hostile()) {
        let out = without_colours(&page(&text));
        prop_assert!(!is_harmful(&out), "{out:?}");
        let line = log_line(&text);
        prop_assert!(!is_harmful(&line) && !line.contains('\n'), "{line:?}");
    }

    #[test]
    fn json_is_harmless_and_keeps_its_value(key in hostile(), text in hostile()) {
        let value = serde_json::json!({ key: [text] });
        let mut out = Vec::new();
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Json::default())).unwrap();
        let out = String::from_utf8(out).unwrap();
        prop_assert!(!is_harmful(&out), "{out:?}");
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap(), value);
    }
}

/// A page without colour codes, as it is written where there is no terminal.
fn without_colours(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
