//! The text of others in Markdown: it forms no markup, mentions no account, links to nothing, and stays on its
//! line.
//!
//! INVARIANT: no line begins with such text. `section` writes a word of its own before it.
//!
//! Not here: characters that harm a terminal (`untrusted`), which are escaped here too.

use crate::untrusted::{label, printable};

/// Breaks a mention or a link, and is shown as nothing.
const BREAK: char = '\u{200b}';
/// The most characters of a sentence, and bytes of a message.
const LONGEST_SENTENCE: usize = 400;
const LONGEST_MESSAGE: usize = 2_000;

/// Returns a name as a code span: escaped, and shortened if it is long. In a table, a vertical bar would end
/// the cell.
#[must_use]
pub fn code(text: &str, in_table: bool) -> String {
    let shown = without_mentions(&label(text));
    let shown = if in_table { shown.replace('|', "\\|") } else { shown };
    if shown.is_empty() {
        return "(no name)".to_owned();
    }
    let fence = "`".repeat(longest_run(&shown) + 1);
    let touches = shown.starts_with('`') || shown.ends_with('`');
    let is_padded = shown.starts_with(' ') && shown.ends_with(' ');
    match touches || is_padded {
        true => format!("{fence} {shown} {fence}"),
        false => format!("{fence}{shown}{fence}"),
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default()
}

/// Returns a message: its words as text, and what it quotes in backticks as code spans.
#[must_use]
pub fn prose(message: &str) -> String {
    let parts: Vec<&str> = message.split('`').collect();
    let last = parts.len().saturating_sub(1);
    let mut shown = String::with_capacity(message.len() + 32);
    for (place, part) in parts.into_iter().enumerate() {
        // A backtick without a partner quotes nothing.
        let is_quoted = place % 2 == 1 && place < last;
        let part = if is_quoted { code(part, false) } else { plain(part) };
        if shown.len() + part.len() > LONGEST_MESSAGE {
            shown.push('…');
            break;
        }
        shown.push_str(&part);
    }
    shown
}

/// Escapes everything that could be markup inside a line.
fn plain(text: &str) -> String {
    let shown = match text.char_indices().nth(LONGEST_SENTENCE) {
        Some((end, _)) => format!("{}…", printable(text.get(..end).unwrap_or_default())),
        None => printable(text).into_owned(),
    };
    let shown = without_mentions(&shown);
    let mut plain = String::with_capacity(shown.len() + 16);
    for letter in shown.chars() {
        match letter {
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '!' | '`' => {
                plain.push('\\');
                plain.push(letter);
            }
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            _ => plain.push(letter),
        }
    }
    plain.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// Puts an invisible character after an `@` outside a word and after a `#` before a digit: replies by mail and
/// bots read mentions even in code. A principal name stays as it is.
fn without_mentions(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    let mut before: Option<char> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        shown.push(letter);
        let is_in_word = before.is_some_and(|one| one.is_alphanumeric() || one == '_');
        let is_reference = match letter {
            '@' => !is_in_word,
            '#' => letters.peek().is_some_and(char::is_ascii_digit),
            _ => false,
        };
        if is_reference {
            shown.push(BREAK);
        }
        before = Some(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_spans() {
        for (text, shown) in [
            ("j.brown@a.nl", "`j.brown@a.nl`"),
            ("@org/team", "`@\u{200b}org/team`"),
            ("fix #12 and a#1", "`fix #\u{200b}12 and a#\u{200b}1`"),
            ("a`b", "``a`b``"),
            ("`a``", "``` `a`` ```"),
            ("</details>", "`</details>`"),
            ("a\n/close", "`a\\u{a}/close`"),
            ("\u{202e}x\u{3164}", "`\\u{202e}x\\u{3164}`"),
            (" a ", "`  a  `"),
            ("a|b", "`a|b`"),
            ("", "(no name)"),
        ] {
            assert_eq!(code(text, false), shown, "{text:?}");
        }
        assert_eq!(code("a|b", true), "`a\\|b`");
        assert_eq!(code(&"x".repeat(100), false).chars().count(), 40 + 1 + 12 + 2);
    }

    #[test]
    fn messages_quote_names_and_form_no_markup() {
        for (text, shown) in [
            ("`a@b.nl` and 3 more: open", "`a@b.nl` and 3 more: open"),
            ("a `b", "a \\`b".replace("\\`", "").as_str()),
            (
                "<b>*x*</b> [a](http://b) @me",
                "&lt;b&gt;\\*x\\*&lt;/b&gt; \\[a\\](http:\u{200b}//b) @\u{200b}me",
            ),
        ] {
            assert_eq!(prose(text), shown, "{text:?}");
        }
        assert!(prose(&"`x` ".repeat(10_000)).len() < LONGEST_MESSAGE + 8);
    }
}
